//! JSON and logfmt: what is found stands in a field of the record itself.
//!
//! A full parser is the witness: of whatever it takes for an object, the level and the time must
//! stand in one of the object's own members.

#![no_main]

use std::fmt;
use std::ops::Range;

use fuzz::{line_and_tail, place_of};
use libfuzzer_sys::fuzz_target;
use logs::Level;
use logs::fields::{self, Fields, Keys};
use logs::stamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let (text, _) = line_and_tail(data);
    for want_time in [false, true] {
        let json = fields::json(text, &Keys::default(), want_time);
        let logfmt = fields::logfmt(text, &Keys::default(), want_time);
        for fields in [&json, &logfmt].into_iter().flatten() {
            are_sound(text, fields);
        }
        if let (Some(fields), Ok(Members(members))) = (&json, serde_json::from_slice(text)) {
            stand_in_members(text, fields, &members);
        }
    }
    if serde_json::from_slice::<&RawValue>(text).is_ok() {
        nesting_hides(text);
    }
    quotes_hide(text);
    pairs_are_sound(text);
    escapes_are_resolved(text);
});

fn are_sound(text: &[u8], fields: &Fields) {
    let ranges =
        fields.level.iter().map(|(_, range)| range).chain(fields.stamp.iter().map(|(range, _)| range));
    for range in ranges.chain(&fields.wrapped) {
        assert!(range.start <= range.end && range.end <= text.len(), "{range:?} of {}", text.len());
    }
    if let Some((range, form)) = &fields.stamp {
        assert_eq!(stamp::whole(&text[range.clone()]), Some(*form), "stamp at {range:?}");
    }
    // Serilog's Information has no word.
    let has_word = fields.level.as_ref().is_some_and(|(_, word)| !word.is_empty());
    assert!(!has_word || fields.wrapped.is_none(), "a wrapped line with a level");
}

/// The members of an object in their order, each with its value as written.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// The member whose value holds `range`.
fn member_at<'m>(
    text: &[u8],
    range: &Range<usize>,
    members: &'m [(String, &RawValue)],
) -> Option<&'m (String, &'m RawValue)> {
    members.iter().find(|(_, value)| {
        let start = place_of(value.get().as_bytes(), text);
        start <= range.start && range.end <= start + value.get().len()
    })
}

fn stand_in_members(text: &[u8], fields: &Fields, members: &[(String, &RawValue)]) {
    if let Some((level, range)) = fields.level.as_ref().filter(|(_, range)| !range.is_empty()) {
        let (name, value) = member_at(text, range, members).expect("a level in a member");
        let inner = serde_json::from_str(value.get()).map(|Members(inner)| inner).unwrap_or_default();
        let inside =
            name == "log" && member_at(text, range, &inner).is_some_and(|(_, value)| is_plain(value));
        assert!(is_plain(value) || inside, "{level} of a nested object at {range:?}");
    }
    if let Some((range, _)) = &fields.stamp {
        let (_, value) = member_at(text, range, members).expect("a time in a member");
        let inner = serde_json::from_str(value.get()).map(|Members(inner)| inner).unwrap_or_default();
        let date =
            member_at(text, range, &inner).is_some_and(|(name, value)| name == "$date" && is_plain(value));
        assert!(is_plain(value) || date, "a time of a nested object at {range:?}");
    }
}

/// A string, a number, `true`, `false` or `null`.
fn is_plain(value: &RawValue) -> bool {
    !value.get().starts_with(['{', '['])
}

/// What stands in an object or an array below the record is no level of it.
fn nesting_hides(value: &[u8]) {
    for (before, after) in [("{\"a\":", ",\"level\":\"warn\"}"), ("{\"a\":[", "],\"level\":\"warn\"}")] {
        let record = [before.as_bytes(), value, after.as_bytes()].concat();
        let word = record.len() - 6..record.len() - 2;
        let level = fields::json(&record, &Keys::default(), false).and_then(|fields| fields.level);
        assert_eq!(level, Some((Level::Warning, word)), "{}", String::from_utf8_lossy(&record));
    }
}

/// What stands in quotes is no field.
fn quotes_hide(text: &[u8]) {
    if text.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
        return;
    }
    let record = [b"a=\"", text, b"\" level=warn"].concat();
    let word = record.len() - 4..record.len();
    let level = fields::logfmt(&record, &Keys::default(), false).and_then(|fields| fields.level);
    assert_eq!(level, Some((Level::Warning, word)), "{}", String::from_utf8_lossy(&record));
    let record = [b"{\"a\":\"", text, b"\",\"level\":\"warn\"}"].concat();
    let level = fields::json(&record, &Keys::default(), false).and_then(|fields| fields.level);
    assert_eq!(level.map(|(level, _)| level), Some(Level::Warning), "{}", String::from_utf8_lossy(&record));
}

fn pairs_are_sound(text: &[u8]) {
    for at in 0..=text.len().min(64) {
        let Some(pair) = fields::pair(text, at) else { continue };
        assert!(pair.key.start == at && pair.key.start < pair.key.end, "{pair:?}");
        assert_eq!(text[pair.key.end], b'=', "{pair:?}");
        assert!(pair.key.end < pair.value.start && pair.value.start <= pair.value.end, "{pair:?}");
        assert!(pair.value.end <= text.len(), "{pair:?} of {}", text.len());
    }
}

fn escapes_are_resolved(text: &[u8]) {
    let mut plain = b"kept".to_vec();
    fields::unescape(text, &mut plain);
    // U+FFFD for a letter that cannot be read is the only thing that can be longer than its escape.
    assert!(plain.starts_with(b"kept") && plain.len() <= 4 + text.len() + text.len() / 2, "{}", plain.len());
    let quoted = [b"\"", text, b"\""].concat();
    // The two halves of a surrogate pair are not joined: no header has one.
    let halves = text.windows(3).any(|three| matches!(three, [b'\\', b'u', b'd' | b'D']));
    if let Some(want) = serde_json::from_slice::<String>(&quoted).ok().filter(|_| !halves) {
        assert_eq!(&plain[4..], want.as_bytes());
    }
}
