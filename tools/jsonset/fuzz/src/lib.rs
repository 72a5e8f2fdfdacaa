//! The modules of `json` that read and splice hostile bytes, and what must hold for them.
//!
//! Much of them is private to that crate, so they are compiled here once more, from their own files:
//! what is fuzzed is what ships.
#![allow(dead_code, unused_imports, reason = "the crate uses the rest")]
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "what must hold fails by a panic")]

#[path = "../../../../common/json/src"]
mod tool {
    pub(crate) mod document;
    pub(crate) mod find;
    pub(crate) mod layout;
    pub(crate) mod members;
    pub(crate) mod number;
    pub(crate) mod path;
    pub(crate) mod plain;
    pub(crate) mod same;
    pub(crate) mod scan;
    pub(crate) mod string;
    pub(crate) mod text;
}
#[path = "../../../../common/json/src/document/tests/sound.rs"]
mod sound;

use serde::de::IgnoredAny;

use sound::Edit;
use tool::{document, find, layout, members, number, path, plain, same, scan, string, text};

const SYNTAXES: [scan::Syntax; 2] = [scan::Syntax::Strict, scan::Syntax::Comments];

/// The offset and the reason of what is wrong in a text; nothing when it is scanned to its end.
fn fault_of(bytes: &[u8], syntax: scan::Syntax) -> Option<(u64, String)> {
    let text = text::Text::new(bytes.to_vec());
    match find::find(&text, syntax, &path::Path::of(&[])) {
        Ok(_) => None,
        Err(scan::Fault::Syntax { offset, what, found }) => Some((offset, format!("{what} {found:?}"))),
        Err(scan::Fault::Empty) => Some((text.length(), String::new())),
        Err(scan::Fault::Read(error)) => panic!("{error}"),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

/// The scanner takes what `serde_json` takes, wherever the border of what is in memory comes; without
/// its comments a text is JSON, and every value has kept its place.
pub fn grammar_is_sound(data: &[u8]) {
    let [strict, comments] = SYNTAXES.map(|syntax| fault_of(data, syntax));
    let has_mark = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| data.starts_with(mark));
    let unmarked = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    assert_eq!(strict.is_none(), is_json(unmarked), "{strict:?}");
    assert!(strict.is_some() || comments.is_none(), "{comments:?}");
    if comments.is_none() {
        let plain = plain::plain(data);
        assert_eq!(plain.len(), data.len());
        assert!(is_json(&plain), "{:?}", String::from_utf8_lossy(&plain));
    }
    let sum = data.iter().fold(0, |sum, byte| sum + usize::from(*byte));
    // So many blanks take a hundred times as long as most texts.
    if has_mark || data.is_empty() || sum % 16 != 0 {
        return;
    }
    let blanks = (1 << 16) - 1 - sum / 16 % data.len();
    for (syntax, whole) in SYNTAXES.into_iter().zip([strict, comments]) {
        let split = fault_of(&[&vec![b' '; blanks], data].concat(), syntax);
        assert_eq!(split.map(|(offset, what)| (offset - blanks as u64, what)), whole);
    }
}

/// Edits of a text: each line but the first two is an edit, `=` or `+` or `-` with a path, and the
/// second line is the value. Line ends in the text itself are written as 0x1e.
pub fn edits_are_sound(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let text = lines.next().unwrap_or_default();
    let mut text: Vec<u8> = text.iter().map(|byte| if *byte == 0x1e { b'\n' } else { *byte }).collect();
    let value = lines.next().and_then(|line| String::from_utf8(line.to_vec()).ok()).unwrap_or_default();
    // Values come without the blanks around them.
    let value = value.trim_matches([' ', '\t', '\r', '\n']);
    if serde_json::from_str::<serde_json::Value>(value).is_err() {
        return;
    }
    let Some(syntax) = SYNTAXES.into_iter().find(|syntax| fault_of(&text, *syntax).is_none()) else { return };
    for edit in lines.take(8).filter_map(|line| edit_of(line, value)) {
        text = sound::edited(&text, syntax, &edit);
    }
}

fn edit_of(line: &[u8], value: &str) -> Option<Edit> {
    let line = std::str::from_utf8(line).ok()?;
    let (sign, names) = (line.chars().next()?, line.get(1..)?);
    let names: Vec<String> = names.split('/').map(str::to_owned).collect();
    Some(match sign {
        '=' => Edit::Set(names, value.to_owned()),
        '+' => Edit::Add(names, value.to_owned()),
        '-' => Edit::Remove(names),
        _ => return None,
    })
}
