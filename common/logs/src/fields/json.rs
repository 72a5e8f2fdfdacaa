//! A JSON object on one line, read key by key until its level (and its time) is found.

use std::ops::Range;

use memchr::memchr2;

use super::keys::{self, LevelKey};
use super::{Fields, Keys, level_of};
use crate::level::Level;
use crate::stamp;

/// Reads the object that `text` begins with; `None` when it begins with no `{"key":`.
///
/// Reading ends as soon as the level is found, and the time too where `want_time` asks for it.
/// Damaged JSON yields what was found before the damage.
#[must_use]
pub fn json(text: &[u8], names: &Keys, want_time: bool) -> Option<Fields> {
    let mut walk = Walk { text, at: 1 };
    walk.spaces();
    if text.first() != Some(&b'{') || !matches!(text.get(walk.at), Some(b'"' | b'}')) {
        return None;
    }
    let mut fields = Fields::default();
    let mut seen = Seen { record: Some(text), ..Seen::default() };
    while let Some((key, value)) = walk.member() {
        seen.member(text, &key, &value, names, &mut fields);
        if want_time && fields.stamp.is_none() && keys::is_time(&text[key]) {
            fields.stamp = stamp_of(text, &value);
        }
        if fields.level.is_some() && (!want_time || fields.stamp.is_some()) {
            return Some(fields);
        }
    }
    if walk.at == 1 {
        return None;
    }
    fields.wrapped = seen.log.filter(|_| seen.stream && fields.level.is_none());
    if fields.level.is_none() && seen.serilog {
        // The compact format leaves the level out when it is Information.
        fields.level = Some((Level::Info, 0..0));
    }
    Some(fields)
}

/// What earlier members say about the later ones.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
struct Seen<'t> {
    /// `t.$date`: the letter in `s` is `MongoDB`'s severity.
    mongo: bool,
    /// `@t`: no `@l` means Information.
    serilog: bool,
    /// `stream` is stdout or stderr: a container runtime wrote this.
    stream: bool,
    /// A level field whose digits said nothing: others might have.
    doubtful: bool,
    log: Option<Range<usize>>,
    /// The record, as long as it has not been searched for what its numbers mean.
    record: Option<&'t [u8]>,
}

impl Seen<'_> {
    fn member(&mut self, text: &[u8], key: &Range<usize>, value: &Value, names: &Keys, fields: &mut Fields) {
        let name = &text[key.clone()];
        let inside = &text[value.range.clone()];
        if fields.level.is_none() && !matches!(value.kind, Kind::Object | Kind::Other) {
            let key = if !names.level.is_empty() {
                let own = names.level.iter().any(|own| own == name);
                own.then(|| LevelKey::of(name).unwrap_or(LevelKey::Level))
            } else if self.mongo && name == b"s" {
                Some(LevelKey::Level)
            } else {
                LevelKey::of(name)
            };
            let level = key.and_then(|key| level_of(key, inside, &mut self.record, names));
            self.doubtful |= key.is_some() && level.is_none() && has_digits(inside);
            if let Some(level) = level {
                fields.level = Some((level, value.range.clone()));
                // What a digit means may depend on the rest of the record (GELF, Nextcloud).
                fields.settled = self.record.is_some() && !self.doubtful;
            }
        }
        match name {
            b"@t" => self.serilog = true,
            b"t" => self.mongo |= value.kind == Kind::Object,
            b"log" if value.kind == Kind::String => self.log = Some(value.range.clone()),
            b"log" if value.kind == Kind::Object && fields.level.is_none() && names.level.is_empty() => {
                fields.level = level_below(&text[..value.range.end], value.range.start, names);
                self.doubtful |= has_digits(inside);
            }
            b"stream" => {
                self.stream = matches!(inside, b"stdout" | b"stderr");
                fields.is_stderr = inside == b"stderr";
            }
            _ => {}
        }
    }
}

fn has_digits(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

/// The level in the members of the object at `at`, not in what they hold: an object for each six
/// bytes of a hostile line would take more stack than there is.
fn level_below(text: &[u8], at: usize, names: &Keys) -> Option<(Level, Range<usize>)> {
    let mut walk = Walk { text, at: at + 1 };
    let mut record = text.get(at..);
    while let Some((key, value)) = walk.member() {
        if matches!(value.kind, Kind::Object | Kind::Other) {
            continue;
        }
        let level = LevelKey::of(&text[key])
            .and_then(|key| level_of(key, &text[value.range.clone()], &mut record, names));
        if let Some(level) = level {
            return Some((level, value.range));
        }
    }
    None
}

/// The time in a field: a string or number that is one stamp, or `{"$date": …}`.
fn stamp_of(text: &[u8], value: &Value) -> Option<(Range<usize>, stamp::Form)> {
    let range = match value.kind {
        Kind::Object => {
            let mut walk = Walk { text: &text[..value.range.end], at: value.range.start + 1 };
            let (key, inner) = walk.member()?;
            (&text[key] == b"$date").then_some(inner.range)?
        }
        _ => value.range.clone(),
    };
    stamp::whole(&text[range.clone()]).map(|form| (range, form))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Number,
    Object,
    Other,
}

struct Value {
    kind: Kind,
    /// Without the quotes of a string.
    range: Range<usize>,
}

/// Walks over the members of one object.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
}

impl Walk<'_> {
    fn spaces(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next member's key and value; `None` at the end of the object or at damage.
    fn member(&mut self) -> Option<(Range<usize>, Value)> {
        self.spaces();
        if self.text.get(self.at) == Some(&b',') {
            self.at += 1;
            self.spaces();
        }
        let key = self.string()?;
        self.spaces();
        if self.text.get(self.at) != Some(&b':') {
            return None;
        }
        self.at += 1;
        self.spaces();
        let start = self.at;
        let value = match self.text.get(start)? {
            b'"' => Value { kind: Kind::String, range: self.string()? },
            b'{' | b'[' => {
                let kind = if self.text[start] == b'{' { Kind::Object } else { Kind::Other };
                self.nested()?;
                Value { kind, range: start..self.at }
            }
            first => {
                let kind = if first.is_ascii_digit() { Kind::Number } else { Kind::Other };
                let rest = &self.text[start..];
                let length = rest.iter().position(|b| matches!(b, b',' | b'}' | b' ' | b'\r' | b'\n'))?;
                self.at += length;
                Value { kind, range: start..self.at }
            }
        };
        Some((key, value))
    }

    /// A string, its quotes left out of the range.
    fn string(&mut self) -> Option<Range<usize>> {
        if self.text.get(self.at) != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            let found = quote_or_slash(self.text, at)?;
            if self.text[found] == b'"' {
                self.at = found + 1;
                return Some(start..found);
            }
            at = found + 2;
        }
    }

    /// Passes over an object or an array.
    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

/// The first `"` or `\` at or after `at`.
fn quote_or_slash(text: &[u8], mut at: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Keys and most values are short: comparing eight bytes at a time beats the call of a search.
    for _ in 0..4 {
        let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let word = u64::from_le_bytes(*chunk);
        let (quote, slash) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        // The lowest high bit that is set stands in the first byte that became zero.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
        let found = zero(quote) | zero(slash);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr2(b'"', b'\\', text.get(at..)?)?)
}

/// Writes the inside of a JSON string into `plain`, escapes resolved; damage is copied as it is.
pub fn unescape(string: &[u8], plain: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(slash) = memchr::memchr(b'\\', rest) {
        plain.extend_from_slice(&rest[..slash]);
        let (byte, length) = match rest.get(slash + 1) {
            Some(b'n') => (b'\n', 2),
            Some(b't') => (b'\t', 2),
            Some(b'r') => (b'\r', 2),
            Some(b'b') => (8, 2),
            Some(b'f') => (12, 2),
            Some(b'u') => {
                let digits = rest.get(slash + 2..slash + 6).unwrap_or_default();
                let code = std::str::from_utf8(digits).ok().and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let letter = code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                plain.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[rest.len().min(slash + 6)..];
                continue;
            }
            Some(other) => (*other, 2),
            None => (b'\\', 1),
        };
        plain.push(byte);
        rest = &rest[slash + length..];
    }
    plain.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_of_the_record_itself_is_its_level() {
        let check = |text: &str, want: Option<Level>| {
            let fields = json(text.as_bytes(), &Keys::default(), false);
            assert_eq!(fields.and_then(|f| f.level).map(|(level, _)| level), want, "{text}");
        };
        check(r#"{"level":"error"}"#, Some(Level::Error));
        check(r#"{ "level" : "Error" , "a":1}"#, Some(Level::Error));
        check(r#"{"a":{"level":"error"},"level":"info"}"#, Some(Level::Info));
        check(r#"{"a":[{"level":"error"}],"m":"}\"","lvl":"warn"}"#, Some(Level::Warning));
        check(r#"{"m":"\"level\":\"error\"","b":null}"#, None);
        check(r#"{"level":3,"short_message":"m"}"#, Some(Level::Error));
        check(r#"{"reqId":"x","level":3}"#, Some(Level::Error));
        check(r#"{"level":3}"#, None);
        check(r#"{"severity":"DEFAULT","m":"x"}"#, None);
        check(r#"{"severity":500,"m":"x"}"#, Some(Level::Error));
        check(r#"{"levelno":30}"#, Some(Level::Warning));
        check(r#"{"severityNumber":17}"#, Some(Level::Error));
        check(r#"{"level":"\u001b[32minfo\u001b[39m"}"#, Some(Level::Info));
        check(r#"{"level":"inf"#, None);
        check(r#"{"level":"DEBUG-4"}"#, Some(Level::Debug));
        check(r"{}", None);
        check(r"{", None);
    }

    /// A line of 4 MiB can nest half a million objects.
    #[test]
    fn the_log_object_is_read_one_deep() {
        let check = |depth: usize, want: Option<Level>| {
            let text = "{\"log\":".repeat(depth) + r#"{"level":"error"}"# + &"}".repeat(depth);
            let level = json(text.as_bytes(), &Keys::default(), false).and_then(|fields| fields.level);
            assert_eq!(level.map(|(level, _)| level), want, "{depth} deep");
        };
        check(1, Some(Level::Error));
        check(2, None);
        check(100_000, None);
    }

    #[test]
    fn one_search_tells_what_numbers_mean() {
        let text = format!("{{{}\"reqId\":1}}", "\"level\":9,".repeat(300_000));
        let fields = json(text.as_bytes(), &Keys::default(), false);
        assert_eq!(fields.map(|fields| fields.level), Some(None));
    }

    #[test]
    fn escapes_are_resolved() {
        let check = |text: &str, want: &str| {
            let mut plain = Vec::new();
            unescape(text.as_bytes(), &mut plain);
            assert_eq!(String::from_utf8_lossy(&plain), want);
        };
        check(r#"a\"b\\c\n"#, "a\"b\\c\n");
        check(r"\u001b[31m\u00e9", "\x1b[31m\u{e9}");
        check(r"\ud83d", "\u{fffd}");
        check(r"torn\", "torn\\");
        check(r"torn\u00", "torn\u{fffd}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _fields = json(&text, &Keys::default(), true);
            let mut object = b"{\"".to_vec();
            object.extend(&text);
            let _fields = json(&object, &Keys::default(), true);
            unescape(&text, &mut Vec::new());
        }
    }
}
