//! `key=value` records, as logrus, go-kit, hclog and Prometheus write them.

use std::ops::Range;

use super::keys::{self, LevelKey};
use super::{Fields, Keys, Pair, level_of};
use crate::stamp;

/// The pair that begins at `at`; `None` when there is no `key=`.
#[must_use]
pub fn pair(text: &[u8], at: usize) -> Option<Pair> {
    let rest = text.get(at..)?;
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"_.@-/".contains(b);
    let length = rest.iter().take_while(|b| is_name(b)).count();
    if length == 0 || rest.get(length) != Some(&b'=') || rest[0].is_ascii_digit() {
        return None;
    }
    let key = at..at + length;
    let start = key.end + 1;
    Some(Pair { key, value: value(text, start) })
}

/// A value in quotes, or up to the next space.
fn value(text: &[u8], start: usize) -> Range<usize> {
    if text.get(start) != Some(&b'"') {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.iter().position(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b']' | b','));
        return start..start + length.unwrap_or(rest.len());
    }
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return start + 1..at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    start + 1..text.len()
}

/// Reads the record that `text` begins with; `None` when its first token is no pair.
///
/// Words that are no pair end the record: they are a message, and what stands in it is no field.
#[must_use]
pub fn logfmt(text: &[u8], names: &Keys, want_time: bool) -> Option<Fields> {
    let mut fields = Fields { settled: true, ..Fields::default() };
    let mut at = 0;
    while let Some(pair) = pair(text, at) {
        let name = &text[pair.key.clone()];
        let inside = &text[pair.value.clone()];
        if fields.level.is_none() {
            let own = names.level.iter().any(|own| own == name);
            let key = LevelKey::of(name).or(own.then_some(LevelKey::Level));
            let level = key.filter(|_| own || names.level.is_empty());
            let found = level.and_then(|key| level_of(key, inside, &mut None, names));
            // Other digits in a level field that says nothing might have been one.
            fields.settled &= found.is_some() || level.is_none() || !inside.iter().any(u8::is_ascii_digit);
            fields.level = found.map(|level| (level, pair.value.clone()));
        }
        if fields.stamp.is_none() && keys::is_time(name) {
            fields.stamp = stamp::whole(inside).map(|form| (pair.value.clone(), form));
        }
        if fields.level.is_some() && (!want_time || fields.stamp.is_some()) {
            break;
        }
        at = pair.value.end;
        while matches!(text.get(at), Some(b' ' | b'\t' | b'"' | b',')) {
            at += 1;
        }
    }
    (at > 0 || fields.level.is_some()).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::Level;

    #[test]
    fn the_level_is_a_field_and_not_a_word() {
        let check = |text: &str, want: Option<Level>| {
            let fields = logfmt(text.as_bytes(), &Keys::default(), false);
            assert_eq!(fields.and_then(|f| f.level).map(|(level, _)| level), want, "{text}");
        };
        check("level=info msg=x", Some(Level::Info));
        check("ts=1 caller=a.go:1 level=\"warn\"", Some(Level::Warning));
        check("msg=\"a level=error\" lvl=dbug", Some(Level::Debug));
        check("msg=\"a \\\" level=error\" n=1", None);
        check("a=1 got level=error", None);
        check("level=loud", None);
        check("1=level", None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>) {
            let _fields = logfmt(&text, &Keys::default(), true);
            let mut pairs = b"msg=\"".to_vec();
            pairs.extend(&text);
            let _fields = logfmt(&pairs, &Keys::default(), true);
        }
    }
}
