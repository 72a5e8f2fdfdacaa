use super::*;

mod adversarial;
mod fast;
mod java;
mod letters;
mod others;
mod servers;
mod system;

const TRACE: Option<Level> = Some(Level::Trace);
const DEBUG: Option<Level> = Some(Level::Debug);
const INFO: Option<Level> = Some(Level::Info);
const NOTICE: Option<Level> = Some(Level::Notice);
const WARNING: Option<Level> = Some(Level::Warning);
const ERROR: Option<Level> = Some(Level::Error);
const CRITICAL: Option<Level> = Some(Level::Critical);

/// A record with this level, or without any.
fn check(line: &str, want: Option<Level>) {
    let header = read(line.as_bytes());
    assert_eq!(header.level, want, "{line}\n{header:?}");
    assert!(!matches!(header.sort, Sort::More | Sort::Plain), "{line}\n{header:?}");
    check_ranges(line.as_bytes(), &header);
}

/// A line of this sort; its level is its own affair.
fn sort(line: &str, want: Sort) {
    let header = read(line.as_bytes());
    assert_eq!(header.sort, want, "{line}\n{header:?}");
}

/// A line without a level that begins no record in a log of records.
fn joins(line: &str) {
    let header = read(line.as_bytes());
    assert!(matches!(header.sort, Sort::More | Sort::Plain), "{line}\n{header:?}");
    assert_eq!(header.level, None, "{line}");
}

fn check_ranges(line: &[u8], header: &Header) {
    assert_eq!(header.level.is_some(), !header.word.is_empty(), "{header:?}");
    assert!(line.get(header.word.clone()).is_some(), "{header:?}");
    assert!(!header.settled || header.sort == Sort::Record, "{header:?}");
    if let Some((range, form)) = &header.stamp {
        assert_eq!(range.len(), form.len(), "{header:?}");
        assert!(line.get(range.clone()).is_some(), "{header:?}");
    }
}

/// The level as the line spells it.
#[test]
fn the_word_is_the_level_as_spelled() {
    let word = |line: &str, want: &str| {
        let header = read(line.as_bytes());
        assert_eq!(&line[header.word], want, "{line}");
    };
    word("2025-03-14 09:26:53,123 WARN  [main] c.a.App - low", "WARN");
    word("2025/03/14 09:26:53 [crit] 7#7: x", "crit");
    word("[Fri Mar 14 09:26:53.1 2025] [proxy:trace3] [pid 7] x", "trace3");
    word("I, [2025-03-14T09:26:53.123456 #7]  INFO -- : x", "INFO");
    word("E0314 09:26:53.123456       7 main.go:1] x", "E");
    word("2025-03-14 09:26:53.1 UTC [7] DEBUG2:  x", "DEBUG2");
    word("=SUPERVISOR REPORT==== 14-Mar-2025::09:26:53 ===", "SUPERVISOR");
    word("2025-03-14 09:26:53 nothing", "");
}

#[test]
fn the_stamp_is_found_behind_level_and_prefix() {
    let stamp = |line: &str, want: &str| {
        let header = read(line.as_bytes());
        let range = header.stamp.map(|(range, _)| range).unwrap_or_default();
        assert_eq!(&line[range], want, "{line}");
    };
    stamp("INFO  [main] 2025-03-14 09:26:53,123 App.java:1 - x", "2025-03-14 09:26:53,123");
    stamp("[INFO] [2025-03-14 09:26:53] x", "2025-03-14 09:26:53");
    stamp("7:M 14 Mar 2025 09:26:53.123 * x", "14 Mar 2025 09:26:53.123");
    stamp("api.log 2025-03-14 09:26:53.123 7 INFO x", "2025-03-14 09:26:53.123");
    stamp("I0314 09:26:53.123456 7 a.go:1] x", "0314 09:26:53.123456");
    stamp("[W 2025-03-14 09:26:53.123 ServerApp] x", "2025-03-14 09:26:53.123");
    stamp("worker: 2025-03-14 09:26:53,123 ERROR x", "2025-03-14 09:26:53,123");
    stamp("plain words", "");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(text: Vec<u8>) {
        check_ranges(&text, &read(&text));
    }

    #[test]
    fn no_header_makes_it_panic(text in r"(2025-03-14 09:26:53|Mar 14 09:26:53|\[|\[#\||[A-Z][a-z]?)[ \[\](){}<>:|,=%#'./A-Za-z0-9-]{0,60}") {
        check_ranges(text.as_bytes(), &read(text.as_bytes()));
    }
}
