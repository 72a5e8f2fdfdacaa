//! A text with places for the parts of a credential: `redis://{user}:{secret}@10.0.0.7/0`.
//!
//! What was filled in can be read back: each literal part is looked for in its order, and between two
//! of them is a value. So two placeholders need something that separates them.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::credential::{Credential, Fields};

/// The placeholder that every credential has, and without which a text holds none.
pub(crate) const SECRET: &str = "secret";

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// The name of a placeholder. No two of them stand together.
    Place(String),
}

impl Template {
    /// Reads `text`; `{{` and `}}` stand for the braces themselves.
    ///
    /// # Errors
    /// When a brace is neither, or nothing separates two placeholders.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (part, after) = next(rest)?;
            match (&part, parts.last_mut()) {
                (Part::Literal(more), Some(Part::Literal(literal))) => literal.push_str(more),
                (Part::Place(name), Some(Part::Place(before))) => {
                    return Err(format!("nothing separates {{{before}}} and {{{name}}} in `{text}`"));
                }
                _ => parts.push(part),
            }
            rest = after;
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The names of its placeholders.
    pub(crate) fn placeholders(&self) -> BTreeSet<String> {
        let name = |part: &Part| match part {
            Part::Place(name) => Some(name.clone()),
            Part::Literal(_) => None,
        };
        self.parts.iter().filter_map(name).collect()
    }

    /// The text with the parts of `credential`.
    ///
    /// # Errors
    /// When it has no such part; the sentence names those that it has.
    pub(crate) fn filled(&self, credential: &Credential) -> Result<Zeroizing<String>, String> {
        let mut values = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            values.push(match part {
                Part::Literal(text) => text.clone().into(),
                Part::Place(name) => credential.part(name).ok_or_else(|| unknown(name, credential))?,
            });
        }
        let length = values.iter().map(|value| value.expose_secret().len()).sum();
        // Of its length from the start: a text that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.extend(values.iter().map(ExposeSecret::expose_secret));
        Ok(text)
    }

    /// The values that `text` has in the places; `None` when it does not look like this, or has two
    /// values for one name.
    pub(crate) fn read(&self, text: &str) -> Option<Fields> {
        let mut fields = Fields::new();
        let mut rest = text;
        let mut open: Option<&str> = None;
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Place(name) => open = Some(name),
                Part::Literal(literal) => {
                    let (value, after) = match open {
                        None => ("", rest.strip_prefix(literal.as_str())?),
                        // The last one may be in the value, too, so it is taken from the end.
                        Some(_) if index + 1 == self.parts.len() => {
                            (rest.strip_suffix(literal.as_str())?, "")
                        }
                        Some(_) => rest.split_once(literal.as_str())?,
                    };
                    put(&mut fields, open.take(), value)?;
                    rest = after;
                }
            }
        }
        if open.is_none() && !rest.is_empty() {
            return None;
        }
        put(&mut fields, open, rest)?;
        Some(fields)
    }
}

impl Display for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

/// Adds what was read elsewhere to `fields`; `None` when a name has another value there.
pub(crate) fn join(fields: &mut Fields, more: &Fields) -> Option<()> {
    more.iter().try_for_each(|(name, value)| put(fields, Some(name), value.expose_secret()))
}

fn put(fields: &mut Fields, name: Option<&str>, value: &str) -> Option<()> {
    let Some(name) = name else { return Some(()) };
    let known = fields.entry(name.to_owned()).or_insert_with(|| value.into());
    (known.expose_secret() == value).then_some(())
}

/// The part that `text`, which is not empty, begins with, and the rest.
fn next(text: &str) -> Result<(Part, &str), String> {
    for (twice, brace) in [("{{", "{"), ("}}", "}")] {
        if let Some(after) = text.strip_prefix(twice) {
            return Ok((Part::Literal(brace.into()), after));
        }
    }
    if let Some(after) = text.strip_prefix('{') {
        let place = after.split_once('}').filter(|(name, _)| is_name(name));
        let (name, after) =
            place.ok_or("a `{` begins a placeholder such as {secret}; by itself it is written `{{`")?;
        return Ok((Part::Place(name.into()), after));
    }
    if text.starts_with('}') {
        return Err("a `}` by itself is written `}}`".into());
    }
    let (literal, after) = text.split_at(text.find(['{', '}']).unwrap_or(text.len()));
    Ok((Part::Literal(literal.into()), after))
}

fn is_name(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !text.is_empty() && text.bytes().all(is_good)
}

fn unknown(name: &str, credential: &Credential) -> String {
    let public = credential.public.keys().map(|key| format!(", {{{key}}}"));
    let known: String = public.collect();
    format!("the credential has no {{{name}}}; it has {{secret}}, {{id}}, {{fingerprint}}{known}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn credential(user: &str, secret: &str) -> Credential {
        let public = [("user".to_owned(), user.to_owned())].into();
        Credential { id: "AK1".into(), secret: secret.into(), public }
    }

    fn exposed(fields: Option<Fields>) -> Option<String> {
        let text =
            |(name, value): (&String, &secrecy::SecretString)| format!("{name}={}", value.expose_secret());
        fields.map(|fields| fields.iter().map(text).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_parts_are_filled_in() {
        let check = |template: &str, want: Result<&str, &str>| {
            let filled = Template::parse(template)
                .and_then(|template| template.filled(&credential("orders", "s3cret")));
            assert_eq!(
                filled.as_ref().map(|text| text.as_str()),
                want.map_err(str::to_owned).as_ref().copied()
            );
        };
        check("{secret}\n", Ok("s3cret\n"));
        check("redis://{user}:{secret}@h/0", Ok("redis://orders:s3cret@h/0"));
        check("{{\"{user}\"}}", Ok("{\"orders\"}"));
        check("{fingerprint} {id}", Ok("1ec1c26b50d5 AK1"));
        check("plain", Ok("plain"));
        check("", Ok(""));
        check(
            "{pasword}",
            Err("the credential has no {pasword}; it has {secret}, {id}, {fingerprint}, {user}"),
        );
        check("{user}{secret}", Err("nothing separates {user} and {secret} in `{user}{secret}`"));
        check("a } b", Err("a `}` by itself is written `}}`"));
        let open = "a `{` begins a placeholder such as {secret}; by itself it is written `{{`";
        check("{\"password\": 1}", Err(open));
        check("{}", Err(open));
        check("{secret", Err(open));
    }

    #[test]
    fn what_was_filled_in_is_read_back() {
        let check = |template: &str, text: &str, want: Option<&str>| {
            let fields = Template::parse(template).unwrap().read(text);
            assert_eq!(exposed(fields).as_deref(), want, "{text}");
        };
        check("{secret}", "a\nb", Some("secret=a\nb"));
        check("{user}:{secret}@h", "orders:a:b@h@h", Some("secret=a:b@h user=orders"));
        check("{user}:{secret}@h", "orders:a:b@i", None);
        check("[{secret}]", "[]", Some("secret="));
        check("[{secret}]", "[", None);
        check("{user}.{user}", "a.a", Some("user=a"));
        check("{user}.{user}", "a.b", None);
        check("plain", "plain", Some(""));
        check("plain", "plain.", None);
        check("", "x", None);
    }

    #[test]
    fn a_name_has_one_value_in_all_places() {
        let check = |one: &str, other: &str, want: Option<()>| {
            let read = |text| Template::parse("{user}:{secret}").unwrap().read(text).unwrap();
            let mut fields = read(one);
            assert_eq!(join(&mut fields, &read(other)), want);
        };
        check("a:b", "a:b", Some(()));
        check("a:b", "a:c", None);
    }

    proptest! {
        #[test]
        fn any_text_is_filled_or_refused(text in "[{}a-c]{0,12}|\\PC{0,12}", found in "\\PC{0,12}") {
            if let Ok(template) = Template::parse(&text) {
                let _any = template.read(&found);
                let _any = template.filled(&credential("u", "s"));
            }
        }

        #[test]
        fn values_without_the_separator_come_back(user in "[a-z]{0,5}", secret in "[!-~\n]{0,20}") {
            let template = Template::parse("<{user}:{secret}>").unwrap();
            let filled = template.filled(&credential(&user, &secret)).unwrap();
            let want = format!("secret={secret} user={user}");
            prop_assert_eq!(exposed(template.read(&filled)), Some(want));
        }
    }
}
