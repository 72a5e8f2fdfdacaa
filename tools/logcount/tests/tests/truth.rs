//! Real logs with published counts, which are not part of the project: see `testkit::truth`.

use std::collections::BTreeMap;
use std::fs;

use super::{case, json};

/// The words per set and their records, as the makers of the logs published them; `(none)` is a set
/// whose records carry no level.
#[test]
fn real_logs_have_the_counts_that_their_makers_published() {
    let Some(truth) = testkit::truth() else { return };
    let rows = fs::read_to_string(truth.join("loghub/truth.tsv")).unwrap();
    let mut sets: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for row in rows.lines().skip(1) {
        let [set, word, records] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        sets.entry(set).or_default().insert(word, records.parse().unwrap());
    }
    assert!(!sets.is_empty());
    for (set, words) in sets {
        let fields: Vec<_> = words.iter().map(|(word, records)| format!("\"{word}\":{records}")).collect();
        let log = truth.join(format!("loghub/{set}/{set}_2k.log"));
        case("--raw --json").args([log]).stdout(format!("{{{}}}\n", fields.join(","))).run();
    }
}

fn level(word: &str) -> &str {
    match word {
        "WARN" => "WARNING",
        "FATAL" => "CRITICAL",
        word => word,
    }
}

/// Every line of the list alone; a continuation follows the header above it.
#[test]
fn single_lines_of_many_makers_have_their_level() {
    let Some(truth) = testkit::truth() else { return };
    let list = fs::read(truth.join("levels.tsv")).unwrap();
    let mut header: Option<(&str, &[u8])> = None;
    let mut count = 0;
    for row in list.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()) {
        let tab = row.iter().position(|byte| *byte == b'\t').unwrap();
        let (word, line) = (std::str::from_utf8(&row[..tab]).unwrap(), &row[tab + 1..]);
        let (word, text) = match (word, header) {
            ("CONT", Some((word, above))) => (word, [above, &b"\n"[..], line].concat()),
            _ => (word, line.to_vec()),
        };
        if !row.starts_with(b"CONT") {
            header = Some((word, line));
        }
        case("--json").stdin(&text).stdout(json(&[(level(word), 1)])).run();
        count += 1;
    }
    assert!(count > 0);
}

/// The whole list is one stream of many families.
#[test]
fn many_makers_in_one_stream_keep_their_levels() {
    let Some(truth) = testkit::truth() else { return };
    let list = fs::read(truth.join("levels.tsv")).unwrap();
    let (mut counts, mut stream) = (BTreeMap::new(), Vec::new());
    for row in list.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()) {
        let tab = row.iter().position(|byte| *byte == b'\t').unwrap();
        let word = std::str::from_utf8(&row[..tab]).unwrap();
        if word != "CONT" {
            *counts.entry(level(word)).or_insert(0) += 1;
        }
        stream.extend_from_slice(&row[tab + 1..]);
        stream.push(b'\n');
    }
    let counts: Vec<_> = counts.into_iter().collect();
    case("--json").stdin(&stream).stdout(json(&counts)).run();
}
