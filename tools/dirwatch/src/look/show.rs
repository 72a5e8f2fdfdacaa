//! How entries look: as a line of text, and as a JSON object.

use std::fmt::Write as _;
use std::path::Path;

use chrono::SecondsFormat;
use common::log::escape;
use common::{Out, Result};
use serde::Serialize;

use crate::json::{PathText, print_object, utc};
use crate::ledger::Entry;

/// Above the lines of [`line`].
pub(super) const HEADER: &str = "STATE        ATTEMPTS  CHANGED                       SIZE  PATH [REASON]";

/// An entry as one line. The columns have the widths of what is usual, so that nothing waits for the
/// last entry; what stands last may be of any length.
pub(super) fn line(entry: &Entry) -> String {
    let (state, attempt, size) = (entry.state.word(), entry.attempt, entry.size);
    let changed = utc(entry.at, 1_000, SecondsFormat::Secs);
    let mut line = format!("{state:<11} {attempt:>9}  {changed:<20} {size:>13}  {}", shown(&entry.path));
    if !entry.note.is_empty() {
        let _strings_never_refuse = write!(line, " [{}]", escape(&entry.note));
    }
    line
}

/// A path as text that cannot steer a terminal.
pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// An entry as it is listed in JSON.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    path: PathText<'a>,
    id: String,
    state: &'static str,
    attempts: u32,
    failures: u32,
    size_bytes: u64,
    modified: String,
    changed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    elapsed_ms: u64,
    reason: &'a str,
}

/// Prints an entry as a JSON object on a line of its own.
///
/// # Errors
/// When it cannot be printed.
pub(super) fn print_json(entry: &Entry, out: &mut Out) -> Result<()> {
    print_object(
        &Listed {
            path: PathText::of(&entry.path),
            id: entry.key.to_string(),
            state: entry.state.word(),
            attempts: entry.attempt,
            failures: entry.failures,
            size_bytes: entry.size,
            modified: utc(entry.modified, 1_000_000_000, SecondsFormat::Nanos),
            changed_at: milliseconds(entry.at),
            due_at: (entry.due != 0).then(|| milliseconds(entry.due)),
            elapsed_ms: entry.took,
            reason: &entry.note,
        },
        out,
    )
}

/// A time of the ledger as RFC 3339 with milliseconds.
pub(super) fn milliseconds(at: i64) -> String {
    utc(at, 1_000, SecondsFormat::Millis)
}

/// A time of the ledger as RFC 3339 in whole seconds.
pub(super) fn seconds(at: i64) -> String {
    utc(at, 1_000, SecondsFormat::Secs)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::identity::Key;
    use crate::json::hex;
    use crate::ledger::State;

    fn entry(path: &[u8]) -> Entry {
        Entry {
            key: Key([7; 16]),
            path: PathBuf::from(OsStr::from_bytes(path)),
            size: 1234,
            modified: 1_700_000_000_123_456_789,
            state: State::Failed,
            attempt: 4,
            failures: 3,
            at: 1_700_000_001_500,
            due: 0,
            took: 250,
            note: "exit status 3".into(),
        }
    }

    fn json(entry: &Entry) -> serde_json::Value {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut out = Out::to(file.reopen().unwrap(), "a file");
        print_json(entry, &mut out).unwrap();
        out.flush().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "{text:?} is no line");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_stands_below_the_header() {
        let check = |path: &[u8], want: &str| assert_eq!(line(&entry(path)), want);
        check(
            b"/srv/in/a.csv",
            "failed              4  2023-11-14T22:13:21Z          1234  /srv/in/a.csv [exit status 3]",
        );
        let path = line(&entry(b"/p")).find("/p").unwrap();
        assert_eq!(HEADER.find("PATH"), Some(path));
        assert_eq!(HEADER.find("CHANGED"), line(&entry(b"/p")).find("2023"));
        let without = Entry { note: String::new(), ..entry(b"/p") };
        assert!(line(&without).ends_with("  /p"));
    }

    #[test]
    fn a_name_does_not_steer_the_terminal() {
        assert!(line(&entry(b"/a\nfailed \x1b[31m")).contains("/a\\nfailed \\u{1b}[31m ["));
    }

    #[test]
    fn json_has_the_unit_in_the_key() {
        let found = json(&entry(b"/srv/in/a\n\xff"));
        let want = serde_json::json!({
            "path": "/srv/in/a\n\u{fffd}", "path_bytes": "2f7372762f696e2f610aff",
            "id": "07".repeat(16), "state": "failed", "attempts": 4, "failures": 3, "size_bytes": 1234,
            "modified": "2023-11-14T22:13:20.123456789Z", "changed_at": "2023-11-14T22:13:21.500Z",
            "elapsed_ms": 250, "reason": "exit status 3",
        });
        assert_eq!(found, want);
        let due = json(&Entry { due: 1_700_000_002_000, ..entry(b"/a") });
        assert_eq!((due["due_at"].as_str(), due.get("path_bytes")), (Some("2023-11-14T22:13:22.000Z"), None));
    }

    #[test]
    fn times_before_1970_and_beyond_the_calendar_are_shown() {
        assert_eq!(milliseconds(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(seconds(0), "1970-01-01T00:00:00Z");
        assert_eq!(milliseconds(i64::MAX), i64::MAX.to_string());
        assert_eq!(utc(i64::MIN, 1_000_000_000, SecondsFormat::Secs), "1677-09-21T00:12:43Z");
    }

    proptest! {
        #[test]
        fn any_entry_is_one_line_and_one_object(bytes: Vec<u8>, note: String, at: i64, modified: i64) {
            let mut any = Entry { modified, at, note, ..entry(b"/") };
            any.path.push(OsStr::from_bytes(&bytes));
            prop_assert!(!line(&any).contains(char::is_control));
            let found = json(&any);
            prop_assert_eq!(found["reason"].as_str(), Some(&any.note[..]));
            let whole = match found.get("path_bytes").and_then(serde_json::Value::as_str) {
                Some(digits) => digits.to_owned(),
                None => hex(found["path"].as_str().unwrap().as_bytes()),
            };
            prop_assert_eq!(whole, hex(any.path.as_os_str().as_bytes()));
        }
    }
}
