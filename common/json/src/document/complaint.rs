//! Why a text is no JSON: the line, the column, and a mark under the place.

use std::path::Path;

use common::{Error, Result};

use crate::scan::{Fault, Found};
use crate::text::Text;

/// How much of a line is shown on either side of the place.
const AROUND: usize = 50;

/// How a document speaks of what is wrong with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tone {
    /// The flag that allows comments.
    pub(super) flag: Option<&'static str>,
    /// Nothing of the text is shown.
    pub(super) is_discreet: bool,
}

/// The sentence for the operator.
pub(super) fn of(fault: Fault, text: &Text, name: &Path, tone: Tone) -> Error {
    match fault {
        Fault::Read(error) => error,
        Fault::Empty => Error::failed(format!("{} is empty; at least {{}} or 0 is expected", name.display())),
        Fault::Syntax { offset, what, found } => {
            let what = format!("is no JSON: {what}{}", clause(found, tone));
            at(offset, &what, (text, name), tone).unwrap_or_else(|error| error)
        }
    }
}

/// What is said of the place, and the way out.
fn clause(found: Found, tone: Tone) -> String {
    let allows = |what: &str| tone.flag.map(|flag| format!("; {flag} allows {what}")).unwrap_or_default();
    match found {
        Found::Said => String::new(),
        Found::LastComma => allows("that"),
        Found::Comment => format!(", found `/`{}", allows("comments")),
        Found::Byte(_) if tone.is_discreet => String::new(),
        Found::Byte(byte) if byte.is_ascii_graphic() => format!(", found `{}`", char::from(byte)),
        Found::Byte(byte) if byte.is_ascii() => format!(", found byte 0x{byte:02x}"),
        Found::Byte(_) => ", found something else".into(),
    }
}

/// `FILE:LINE:COLUMN WHAT`, with the line below it.
pub(super) fn at(offset: u64, what: &str, (text, name): (&Text, &Path), tone: Tone) -> Result<Error> {
    let (line, column, begin) = place_of(offset, text)?;
    let error = Error::failed(format!("{}:{line}:{column} {what}", name.display()));
    if tone.is_discreet {
        return Ok(error);
    }
    let before = text.read(begin.max(offset.saturating_sub(5 * AROUND as u64))..offset)?;
    let end = (offset + 4 * AROUND as u64).min(text.length());
    let after = text.read(offset..end)?;
    let after = after.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let shown: Vec<char> = shown(&before).chars().collect();
    let before: String = shown[shown.len().saturating_sub(AROUND)..].iter().collect();
    let after: String = self::shown(after).chars().take(AROUND).collect();
    let mark = format!("{}^", " ".repeat(before.chars().count()));
    Ok(error.showing([before + &after, mark]))
}

/// One column for each character, whatever the terminal makes of it.
fn shown(bytes: &[u8]) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    String::from_utf8_lossy(bytes).chars().map(visible).collect()
}

/// The line of `offset` and the column, both from 1, and where the line begins. Columns count
/// characters, as editors do, and no byte order mark: all bytes but the later ones of a character
/// begin one.
pub(super) fn place_of(offset: u64, text: &Text) -> Result<(u64, u64, u64)> {
    let mut cursor = text.cursor(0);
    if cursor.window()?.starts_with(b"\xEF\xBB\xBF") {
        cursor.advance_by(3);
    }
    let (mut line, mut column, mut begin) = (1, 1, cursor.offset());
    while cursor.offset() < offset {
        let byte = cursor.peek()?.unwrap_or_default();
        cursor.advance();
        if byte == b'\n' {
            (line, column, begin) = (line + 1, 1, cursor.offset());
        } else if byte & 0xC0 != 0x80 {
            column += 1;
        }
    }
    Ok((line, column, begin.min(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find::find;
    use crate::scan::Syntax;

    #[test]
    fn the_place_is_marked() {
        let check = |text: &str, sentence: &str, excerpt: [&str; 2]| {
            let text = Text::new(text.into());
            let fault = find(&text, Syntax::Strict, &crate::path::Path::of(&[])).unwrap_err();
            let error = of(fault, &text, Path::new("app.json"), Tone::default());
            assert_eq!(error.to_string(), sentence);
            assert_eq!(error.excerpt(), excerpt);
        };
        check(
            "{\n  \"ä\": 1\n  \"b\": 2\n}",
            "app.json:3:3 is no JSON: `,` or `}` is expected, found `\"`",
            ["  \"b\": 2", "  ^"],
        );
        check("{\"ä\" 1}", "app.json:1:6 is no JSON: `:` is expected, found `1`", ["{\"ä\" 1}", "     ^"]);
        check("\u{feff}[x", "app.json:1:2 is no JSON: a value is expected, found `x`", ["[x", " ^"]);
        check("[1", "app.json:1:3 is no JSON: `,` or `]` is expected, the text ends here", ["[1", "  ^"]);
        check("[é]", "app.json:1:2 is no JSON: a value is expected, found something else", ["[é]", " ^"]);
        check("[\0]", "app.json:1:2 is no JSON: a value is expected, found byte 0x00", ["[ ]", " ^"]);
        let long = format!("[\"{}\tx", "y".repeat(400));
        let what =
            "app.json:1:403 is no JSON: the control character 0x09 must be written as \\u0009 in a string";
        check(&long, what, [&format!("{} x", "y".repeat(50)), &format!("{}^", " ".repeat(50))]);
    }

    #[test]
    fn the_tone_is_that_of_the_caller() {
        let check = |text: &str, tone: Tone, sentence: &str, lines: usize| {
            let text = Text::new(text.into());
            let fault = find(&text, Syntax::Strict, &crate::path::Path::of(&[])).unwrap_err();
            let error = of(fault, &text, Path::new("a"), tone);
            assert_eq!((error.to_string().as_str(), error.excerpt().len()), (sentence, lines));
        };
        let plain = Tone::default();
        let flag = Tone { flag: Some("--loose"), ..plain };
        let discreet = Tone { is_discreet: true, ..plain };
        check("[1,]", plain, "a:1:3 is no JSON: nothing follows this comma", 2);
        check("[1,]", flag, "a:1:3 is no JSON: nothing follows this comma; --loose allows that", 2);
        check("[1,]", discreet, "a:1:3 is no JSON: nothing follows this comma", 0);
        check("[//", plain, "a:1:2 is no JSON: a value is expected, found `/`", 2);
        check("[//", flag, "a:1:2 is no JSON: a value is expected, found `/`; --loose allows comments", 2);
        check("[hunter2]", discreet, "a:1:2 is no JSON: a value is expected", 0);
        check("[\"hunter2]", discreet, "a:1:2 is no JSON: this string does not end", 0);
        check("", discreet, "a is empty; at least {} or 0 is expected", 0);
    }
}
