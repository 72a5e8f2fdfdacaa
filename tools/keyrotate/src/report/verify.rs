//! Which key each consumer uses, and whether the old one is still in use.

use common::answer::Answer;
use common::{Out, Result, table};
use serde::Serialize;

use super::{Form, KeyName, short};
use crate::clock::told;
use crate::provider::Usage;
use crate::state::Phase;

/// The key that a consumer uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Uses {
    /// The one that the rotation which ended last has left; there is none under way.
    Current,
    /// The one that the rotation under way brings.
    New,
    /// The one before it.
    Old,
    /// One that the journal does not know.
    Other,
    /// None at all.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// What a look at a consumer came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Look {
    /// Its name.
    pub(crate) name: String,
    /// The key that it uses.
    pub(crate) uses: Uses,
    /// How it called that key, or its id.
    pub(crate) key: Option<String>,
    /// Whether it works with it, as far as that is known.
    pub(crate) works: Option<bool>,
    /// Why it does not, or why nobody knows.
    pub(crate) why: Option<String>,
    /// Whether it was given up.
    pub(crate) is_skipped: bool,
}

/// What a look at everybody came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The name of the credential.
    pub(crate) name: String,
    /// The phase of the rotation under way.
    pub(crate) phase: Option<Phase>,
    /// The key after it, or the current one.
    pub(crate) key: Option<KeyName>,
    /// The key before it.
    pub(crate) old_key: Option<KeyName>,
    /// The consumers, in the order of the spec.
    pub(crate) consumers: Vec<Look>,
    /// What the target says of the use of the old key; none where there is no old key.
    pub(crate) old_usage: Option<Answer<Usage>>,
}

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    phase: Option<String>,
    key: &'a Option<KeyName>,
    old_key: &'a Option<KeyName>,
    old_key_use: Option<Use<'a>>,
    consumers: &'a [Look],
}

#[derive(Default, Serialize)]
struct Use<'a> {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl Look {
    /// Whether it is known to be wrong: it does not work, or has a key that it is not to have.
    fn is_wrong(&self, phase: Option<Phase>) -> bool {
        let is_late = phase.is_some_and(|phase| phase >= Phase::Attested);
        let has_wrong_key = match self.uses {
            Uses::Other | Uses::Nothing => true,
            Uses::Old => is_late,
            Uses::Current | Uses::New | Uses::Unknown => false,
        };
        has_wrong_key || self.works == Some(false)
    }

    /// Whether too little is known to call it right.
    fn is_open(&self) -> bool {
        self.uses == Uses::Unknown || self.works.is_none()
    }
}

impl Verified {
    /// The exit status: 0 when everybody who was not given up uses a key that he may, and works; 75 when
    /// somebody could not be asked; else 1.
    pub(crate) fn status(&self) -> u8 {
        let mut looks = self.consumers.iter().filter(|look| !look.is_skipped);
        if looks.clone().any(|look| !look.is_wrong(self.phase) && look.is_open()) {
            return 75;
        }
        u8::from(looks.any(|look| look.is_wrong(self.phase)))
    }

    /// Prints it.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub(crate) fn print(&self, form: Form, out: &mut Out) -> Result<()> {
        if form == Form::Json {
            return out.write_json(&self.object());
        }
        let rows: Vec<Vec<String>> = self.consumers.iter().map(row).collect();
        table::texts(&["CONSUMER", "USES", "KEY", "WORKS", "WHY", "SKIPPED"], &rows, out)?;
        match self.old_usage.as_ref().map(words) {
            Some(words) => writeln!(out, "\nthe old key: {}", common::log::escape(&words)),
            None => Ok(()),
        }
    }

    fn object(&self) -> Object<'_> {
        Object {
            name: &self.name,
            phase: self.phase.map(|phase| phase.to_string()),
            key: &self.key,
            old_key: &self.old_key,
            old_key_use: self.old_usage.as_ref().map(in_use),
            consumers: &self.consumers,
        }
    }
}

fn row(look: &Look) -> Vec<String> {
    let uses = match look.uses {
        Uses::Current => "current",
        Uses::New => "new",
        Uses::Old => "old",
        Uses::Other => "other",
        Uses::Nothing => "nothing",
        Uses::Unknown => "unknown",
    };
    let works = match look.works {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    let skipped = if look.is_skipped { "yes" } else { "" };
    let some = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = look.key.as_deref().map(short).unwrap_or_default().to_owned();
    vec![look.name.clone(), uses.into(), key, works.into(), some(&look.why), skipped.into()]
}

fn words(usage: &Answer<Usage>) -> String {
    match usage {
        Answer::Yes(Usage::NotTold) => "the target does not tell whether it is used".into(),
        Answer::Yes(Usage::None) => "not used".into(),
        Answer::Yes(Usage::Now(how)) => format!("in use: {how}"),
        Answer::Yes(Usage::At(time)) => format!("last used at {}", told(*time)),
        Answer::Yes(Usage::Count(count)) => format!("used {count} times"),
        Answer::No(why) | Answer::Unknown(why) => format!("unknown: {why}"),
    }
}

fn in_use(usage: &Answer<Usage>) -> Use<'_> {
    let state = |state| Use { state, ..Use::default() };
    match usage {
        Answer::Yes(Usage::NotTold) => state("not_told"),
        Answer::Yes(Usage::None) => state("unused"),
        Answer::Yes(Usage::Now(how)) => Use { by: Some(how), ..state("in_use") },
        Answer::Yes(Usage::At(time)) => Use { last: Some(told(*time)), ..state("used") },
        Answer::Yes(Usage::Count(count)) => Use { count: Some(*count), ..state("used") },
        Answer::No(why) | Answer::Unknown(why) => Use { why: Some(why), ..state("unknown") },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::*;

    fn look(name: &str, uses: Uses, works: Option<bool>) -> Look {
        Look { name: name.into(), uses, key: Some("AK2".into()), works, why: None, is_skipped: false }
    }

    fn verified(consumers: &[Look]) -> Verified {
        Verified {
            name: "orders".into(),
            phase: Some(Phase::Soak),
            key: Some(KeyName { id: "AK2".into(), fingerprint: "a52d159f262b".into() }),
            old_key: None,
            consumers: consumers.to_vec(),
            old_usage: Some(Answer::Yes(Usage::Now("3 sessions".into()))),
        }
    }

    #[test]
    fn unknown_is_neither_right_nor_wrong() {
        let check = |looks: &[Look], want: u8| assert_eq!(verified(looks).status(), want, "{looks:?}");
        let good = look("web", Uses::New, Some(true));
        check(&[], 0);
        check(std::slice::from_ref(&good), 0);
        check(&[good.clone(), look("a", Uses::Old, Some(true))], 1);
        check(&[good.clone(), look("a", Uses::New, Some(false))], 1);
        check(&[good.clone(), look("a", Uses::Nothing, None)], 1);
        check(&[look("a", Uses::Other, Some(true)), look("b", Uses::Unknown, None)], 75);
        check(&[good, look("a", Uses::New, None)], 75);
        check(&[Look { is_skipped: true, ..look("a", Uses::Other, None) }], 0);
        let early = Verified { phase: Some(Phase::Proved), ..verified(&[look("a", Uses::Old, Some(true))]) };
        assert_eq!(early.status(), 0, "it has not got the new one yet");
    }

    #[test]
    fn people_and_programs_read_the_same() {
        let why = Look { why: Some("out of reach".into()), key: None, ..look("db", Uses::Unknown, None) };
        let verified = verified(&[look("web", Uses::New, Some(true)), why]);
        let want = "CONSUMER  USES     KEY  WORKS    WHY\n\
                    web       new      AK2  yes\n\
                    db        unknown       unknown  out of reach\n\n\
                    the old key: in use: 3 sessions\n";
        assert_eq!(printed(|out| verified.print(Form::Text, out)), want);
        let want = concat!(
            r#"{"name":"orders","phase":"SOAK","key":{"id":"AK2","fingerprint":"a52d159f262b"},"old_key":null,"#,
            r#""old_key_use":{"state":"in_use","by":"3 sessions"},"consumers":["#,
            r#"{"name":"web","uses":"new","key":"AK2","works":true,"why":null,"is_skipped":false},"#,
            r#"{"name":"db","uses":"unknown","key":null,"works":null,"why":"out of reach","is_skipped":false}]}"#,
            "\n"
        );
        assert_eq!(printed(|out| verified.print(Form::Json, out)), want);
    }
}
