//! Files of variables, one `NAME=value` in a line, as systemd (`EnvironmentFile=`), sh and Docker
//! (`--env-file`) read them.
//!
//! They do not agree on all such files: Docker takes quotes for a part of the value, systemd and sh go on
//! in the next line where quotes are open or a backslash ends one, sh takes ` #` for a comment. A line
//! keeps its form, and one that means different things to those who understand its form is refused.

use std::ops::Range;

use zeroize::Zeroizing;

/// A file of variables.
pub(super) struct Variables(Zeroizing<Vec<u8>>);

/// How a value stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// A line that sets a variable.
struct Assignment {
    /// Its number, from 1.
    line: usize,
    /// Where its value is, with its quotes.
    value: Range<usize>,
}

/// Whether `text` can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(is_good) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

impl Variables {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    pub(super) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// The value of `name`, the last one where it is set several times.
    ///
    /// # Errors
    /// When a line that sets it means different things to different readers.
    pub(super) fn get(&self, name: &str) -> Result<Option<Zeroizing<String>>, String> {
        let mut last = None;
        for found in self.assignments(name)? {
            last = Some(unquoted(&self.0[found.value], found.line)?.0);
        }
        Ok(last)
    }

    /// Sets `name` in every line that sets it, or in a new one at the end.
    ///
    /// # Errors
    /// As [`Variables::get`]; and when no line can hold `value`.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if value.contains(char::is_control) {
            return Err(format!("`{name}` cannot have a value of several lines, or with control characters"));
        }
        let all = self.assignments(name)?;
        // From the end, so that no place changes before its turn.
        for found in all.iter().rev() {
            let (old, quotes) = unquoted(&self.0[found.value.clone()], found.line)?;
            if *old != value {
                self.splice(found.value.clone(), quoted(value, quotes).as_bytes());
            }
        }
        if all.is_empty() {
            self.append(name, value);
        }
        Ok(())
    }

    fn append(&mut self, name: &str, value: &str) {
        let ending: &[u8] = match self.0.iter().position(|byte| *byte == b'\n') {
            Some(at) if self.0[..at].ends_with(b"\r") => b"\r\n",
            _ => b"\n",
        };
        let end = self.0.len();
        let before = if self.0.is_empty() || self.0.ends_with(b"\n") { &b""[..] } else { ending };
        let value = if is_plain(value) { value.to_owned().into() } else { quoted(value, Quotes::Single) };
        let line = Zeroizing::new([before, name.as_bytes(), b"=", value.as_bytes(), ending].concat());
        self.splice(end..end, &line);
    }

    fn splice(&mut self, range: Range<usize>, new: &[u8]) {
        self.0 = Zeroizing::new([&self.0[..range.start], new, &self.0[range.end..]].concat());
    }

    /// The lines that set `name`.
    fn assignments(&self, name: &str) -> Result<Vec<Assignment>, String> {
        let mut found = Vec::new();
        let (mut begin, mut open) = (0, None);
        for (index, line) in self.0.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            let text = line.trim_ascii_end();
            let set = split(text);
            if let Some((_, value)) = set.filter(|(key, _)| *key == name.as_bytes()) {
                if let Some(Open { from, .. }) = open {
                    return Err(format!("line {number}: to some readers this is a part of line {from}"));
                }
                found.push(Assignment { line: number, value: begin + value..begin + text.len() });
            }
            open = goes_on(text, set.map_or(b"", |(_, value)| &text[value..]), open, number);
            begin += line.len();
        }
        match open {
            Some(Open { from, .. }) if found.is_empty() => Err(format!(
                "line {from}: to some readers it goes on, and what is added would be a part of it"
            )),
            _ => Ok(found),
        }
    }
}

/// The key that a line sets, and where its value begins.
fn split(text: &[u8]) -> Option<(&[u8], usize)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let key = text[..equals].trim_ascii();
    let exported =
        key.strip_prefix(b"export").filter(|rest| rest.starts_with(b" ") || rest.starts_with(b"\t"));
    let key = exported.unwrap_or(key).trim_ascii();
    let blanks = text[equals + 1..].len() - text[equals + 1..].trim_ascii_start().len();
    let is_comment = key.starts_with(b"#") || key.starts_with(b";");
    (!is_comment).then_some((key, equals + 1 + blanks))
}

/// What goes on in the next line for some readers.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// The line that it began in.
    from: usize,
    /// The quote that is open; without one it is a backslash at the end of the line.
    quote: Option<u8>,
}

/// What goes on behind a line `text` that sets `value`, or nothing.
fn goes_on(text: &[u8], value: &[u8], open: Option<Open>, number: usize) -> Option<Open> {
    if let Some(Open { quote: Some(quote), .. }) = open {
        return open.filter(|_| closing(text, quote).is_none());
    }
    if text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1 {
        return Some(Open { from: number, quote: None });
    }
    let quote = *value.first().filter(|first| matches!(first, b'"' | b'\''))?;
    closing(&value[1..], quote).is_none().then_some(Open { from: number, quote: Some(quote) })
}

/// Where `quote` closes what is open at the beginning of `text`.
fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut is_escaped = false;
    text.iter().position(|byte| {
        let is_plain = !is_escaped;
        is_escaped = is_plain && quote == b'"' && *byte == b'\\';
        is_plain && *byte == quote
    })
}

/// The value that `raw` stands for, and its form.
fn unquoted(raw: &[u8], line: usize) -> Result<(Zeroizing<String>, Quotes), String> {
    let text = std::str::from_utf8(raw).map_err(|_| format!("line {line} is no text in UTF-8"))?;
    let value = match text.bytes().next() {
        Some(quote @ (b'"' | b'\'')) => {
            let inner = closing(&raw[1..], quote).filter(|end| end + 2 == raw.len());
            let inner = inner.and_then(|end| text.get(1..=end)).ok_or("its quotes do not enclose all of it");
            match quote {
                b'"' => inner.and_then(unescaped).map(|value| (value, Quotes::Double)),
                _ => inner.map(|inner| (inner.to_owned().into(), Quotes::Single)),
            }
        }
        _ if text.contains('\\') => Err("it has a backslash"),
        Some(b'#') => Err("it begins like a comment"),
        _ if text.contains(" #") || text.contains("\t#") => Err("there may be a comment behind it"),
        _ => Ok((text.to_owned().into(), Quotes::None)),
    };
    value.map_err(|why| format!("line {line}: not all readers take this value for the same: {why}"))
}

/// What stands between double quotes, without its escapes.
fn unescaped(inner: &str) -> Result<Zeroizing<String>, &'static str> {
    let mut value = Zeroizing::new(String::with_capacity(inner.len()));
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '$' | '`' => return Err("sh replaces `$` and backquotes within double quotes"),
            '\\' => match letters.next_if(|next| ESCAPED.contains(next)) {
                Some(escaped) => value.push(escaped),
                None => value.push(letter),
            },
            _ => value.push(letter),
        }
    }
    Ok(value)
}

/// `value` in the form of its line, as far as that can hold it.
fn quoted(value: &str, quotes: Quotes) -> Zeroizing<String> {
    let is_bare = || {
        let read = unquoted(value.as_bytes(), 0);
        value.trim() == value && read.is_ok_and(|(same, quotes)| quotes == Quotes::None && *same == value)
    };
    // A reader that needs quotes would not have understood the line before.
    if quotes == Quotes::None && is_bare() {
        return value.to_owned().into();
    }
    let mut text = Zeroizing::new(String::with_capacity(2 * value.len() + 2));
    if quotes != Quotes::Double && !value.contains('\'') {
        text.extend(["'", value, "'"]);
        return text;
    }
    text.push('"');
    for letter in value.chars() {
        if ESCAPED.contains(&letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
    text
}

/// What a backslash stands before within double quotes, for sh and for systemd.
const ESCAPED: [char; 4] = ['"', '\\', '$', '`'];

/// Whether all readers take `value` for itself without quotes.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:@%+,=^".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `before` becomes when `KEY` is set, and that it is read back.
    #[track_caller]
    fn check(before: &str, value: &str, want: Result<&str, &str>) {
        let mut file = Variables::of(before.as_bytes());
        match (file.set("KEY", value), want) {
            (Ok(()), Ok(want)) => {
                assert_eq!(String::from_utf8_lossy(&file.0), want);
                assert_eq!(file.get("KEY").unwrap().unwrap().as_str(), value);
            }
            (got, want) => assert_eq!(got.err(), want.err().map(str::to_owned), "{before}"),
        }
    }

    #[test]
    fn a_line_keeps_its_form() {
        check("", "new", Ok("KEY=new\n"));
        check("# KEY=x\n;KEY=y\nA=1\n", "new", Ok("# KEY=x\n;KEY=y\nA=1\nKEY=new\n"));
        check("A=1", "new", Ok("A=1\nKEY=new\n"));
        check("A=1\r\nB=2", "new", Ok("A=1\r\nB=2\r\nKEY=new\r\n"));
        check("KEY=old\r\nB=2\r\n", "new", Ok("KEY=new\r\nB=2\r\n"));
        check(" export  KEY=old \nKEYS=1", "new", Ok(" export  KEY=new \nKEYS=1"));
        check("export\tKEY='old'", "new", Ok("export\tKEY='new'"));
        check("KEY=\"old\"\n", "n$w", Ok("KEY=\"n\\$w\"\n"));
        check("KEY = old\n", "new", Ok("KEY = new\n"));
        check("exportKEY=old\n", "new", Ok("exportKEY=old\nKEY=new\n"));
        check("KEY=a\nB=2\nKEY='b'\n", "new", Ok("KEY=new\nB=2\nKEY='new'\n"));
        check("KEY=\n", "new", Ok("KEY=new\n"));
        check("KEY='new'\n", "new", Ok("KEY='new'\n"));
    }

    #[test]
    fn a_value_is_quoted_only_where_it_must_be() {
        check("KEY=p;w\n", "q;w", Ok("KEY=q;w\n"));
        check("KEY=old\n", " w", Ok("KEY=' w'\n"));
        check("KEY=old\n", "#w", Ok("KEY='#w'\n"));
        check("KEY='old'\n", "it's", Ok("KEY=\"it's\"\n"));
        check("KEY=old\n", "it's", Ok("KEY=it's\n"));
        check("KEY=old\n", "'s", Ok("KEY=\"'s\"\n"));
        check("", "a;b", Ok("KEY='a;b'\n"));
        check("", "a'`b", Ok("KEY=\"a'\\`b\"\n"));
        check("", "", Ok("KEY=\n"));
        let why = "`KEY` cannot have a value of several lines, or with control characters";
        check("", "a\nb", Err(why));
    }

    #[test]
    fn a_line_that_readers_differ_on_is_refused() {
        let differ = |why: &str| format!("line 1: not all readers take this value for the same: {why}");
        let comment = differ("there may be a comment behind it");
        check("KEY=old # since May\n", "new", Err(&comment));
        let enclosed = differ("its quotes do not enclose all of it");
        check("KEY=\"old\" # since May\n", "new", Err(&enclosed));
        check("KEY='a'b\n", "new", Err(&enclosed));
        check("KEY=\"\n", "new", Err(&enclosed));
        check("KEY=a\\b\n", "new", Err(&differ("it has a backslash")));
        let replaced = differ("sh replaces `$` and backquotes within double quotes");
        check("KEY=\"$OLD\"\n", "new", Err(&replaced));
        check("A='\nKEY=old\n'\n", "new", Err("line 2: to some readers this is a part of line 1"));
        check("#\\\nKEY=old\n", "new", Err("line 2: to some readers this is a part of line 1"));
        let goes_on = "line 1: to some readers it goes on, and what is added would be a part of it";
        check("A=\"x\n", "new", Err(goes_on));
        check("A='x\ny'\nKEY=old\n", "new", Ok("A='x\ny'\nKEY=new\n"));
        check("A=\\\\\nKEY=old\n", "new", Ok("A=\\\\\nKEY=new\n"));
    }

    /// What sh has in `KEY` of a file of these bytes.
    fn in_sh(bytes: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        std::fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
            .unwrap();
        let script = ". \"$1\"; printf %s \"$KEY\"";
        let output = std::process::Command::new("sh").args(["-c", script, "sh"]).arg(&path).output();
        output.unwrap().stdout
    }

    #[test]
    fn sh_reads_what_was_added() {
        for value in ["plain", "a b", "it's", "$HOME `x` \\ \"", "a;b&c|d<e>(f)", "~", "#x", "é*?[a]", ""] {
            for before in ["", "KEY='old'\n", "KEY=\"old\"\n"] {
                let mut file = Variables::of(before.as_bytes());
                file.set("KEY", value).unwrap();
                assert_eq!(in_sh(&file.0), value.as_bytes(), "{:?}", String::from_utf8_lossy(&file.0));
            }
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_back_and_other_lines_stay(
            lines in proptest::collection::vec("(KEY|A|export KEY|#KEY)=([a-z #$;]{0,6}|'[a-z\\\\]{0,4}'|\"[a-z]{0,4}\")\r?", 0..6),
            value in "[ -~é]{0,12}",
        ) {
            let before = lines.join("\n");
            let mut file = Variables::of(before.as_bytes());
            if file.set("KEY", &value).is_ok() {
                let found = file.get("KEY").unwrap().unwrap();
                prop_assert_eq!(found.as_str(), value.as_str());
                let after = String::from_utf8(file.0.to_vec()).unwrap();
                for (old, new) in before.lines().zip(after.lines()) {
                    let is_set = old.contains("KEY=") && !old.starts_with('#');
                    prop_assert!(old.trim_end() == new.trim_end() || is_set);
                }
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(prop_oneof![Just(b'='), Just(b'\n'), Just(b'\''), Just(b'"'), Just(b'\\'), Just(b'K'), any::<u8>()], 0..40)) {
            let mut file = Variables::of(&bytes);
            let before = file.get("K").is_ok();
            prop_assert!(file.set("K", "v").is_ok() <= before);
        }
    }
}
