//! What [`Header::settled`] promises, which the fast path takes at its word.

use super::*;
use proptest::prelude::*;

/// The most frequent shape of each family; whatever is not settled here may be slow, not wrong.
const SETTLED: [&str; 14] = [
    "2025-03-14 09:26:53,123 INFO  [main] com.acme.App - x",
    "2025-03-14 09:26:53.123 ERROR 7 --- [main] c.a.App : x",
    "2025-03-14 09:26:53,123 - WARN  [Peer:7@8] - x",
    "2025-03-14 09:26:53,123 - acme.jobs - DEBUG - x",
    "250314 092653 148 INFO dfs.DataNode: x",
    "25/03/14 09:26:53 WARN executor.Backend: x",
    "03-14 09:26:53.123  1702  2395 D WindowManager: x",
    "2025/03/14 09:26:53 [error] 31#31: *1 x",
    "[Fri Mar 14 09:26:53 2025] [notice] x",
    "2025-03-14 09:26:53.123 25746 INFO nova.osapi [req-7] x",
    "7:M 14 Mar 2025 09:26:53.123 * x",
    "2025-03-14T09:26:53.123456Z  INFO acme::server: x",
    "[2025-03-14T09:26:53Z WARN acme::db] x",
    "2025-03-14 09:26:53.1234|ERROR|Acme.Program|x",
];

/// Shapes whose level is followed by what may be more header.
const OTHERS: [&str; 31] = [
    "[a [b 5.S Mar 14 09:26:56 2026] [info] x",
    "[2025-03-14T09:26:53,123][INFO ][o.e.n.Node] x",
    "[2025-03-14T09:26:53,123][ WARN  ][o.e.n.Node] x",
    "2025-03-14 09:26:53 worker INFO  [x] y",
    "2025-03-14 09:26:53 worker [INFO] y",
    "2025-03-14 09:26:53, Info      x",
    "Mar 14 09:26:53 web7 corosync notice  [MAIN  ] x",
    "2025-03-14 09:26:53.1Z info vpxd[7] [Originator@7] x",
    "2025-03-14 09:26:53 INFO,x",
    "2025-03-14 09:26:53,ERROR,x",
    "2025-03-14 09:26:53 [7] LOG:  x",
    "2025-03-14 09:26:53,\"u\",\"d\",7,LOG,00000,x",
    "2025-03-14 09:26:53 main WARN x",
    "2025-03-14 09:26:53 [a  WARN  b] x",
    "[2025-03-14 09:26:53 WARN] x",
    "[2025-03-14 09:26:53 a b ERROR] x",
    "Mar 14 09:26:53 web7 app[7]: level=error x",
    "Mar 14 09:26:53 web7 app[7]: 2025-03-14 09:26:53 ERROR x",
    "Mar 14 2025 09:26:53: %ASA-4-106023: x",
    "[INFO] x",
    "[ERROR] [2025-03-14 09:26:53] x",
    "INFO: x",
    "WARN x",
    "INFO  [main] 2025-03-14 09:26:53,123 x",
    "I0314 09:26:53.123456    1234 server.go:42] x",
    "E (7) wifi: x",
    "2025-03-14 09:26:53 system,error x",
    "2025-03-14 09:26:53 notice: x",
    "2025-03-14 09:26:53 (EE) x",
    "2025-03-14 09:26:53 INFO/x",
    "2025-03-14T09:26:53.123456Z 7 [System] [MY-010931] x",
];

#[test]
fn no_level_is_settled_behind_what_could_be_one() {
    let check = |text: &str| {
        let header = read(text.as_bytes());
        assert_eq!((header.level, header.settled), (Some(Level::Info), false), "{text}");
    };
    check("2026-03-14 09:26:53 %A-9-B:x INFO y");
    check("2026-03-14 09:26:53 DEBUG7 INFO x");
    check("2026-03-14 09:26:53 W/tag INFO x");
    check("2026-03-14 09:26:53 [core:trace9] [INFO] x");
    check("2026-03-14 09:26:53 PRIORITY=9 [info] x");
    check("2026-03-14 09:26:53 level=\"99\" [info] x");
    check("2026-03-14 09:26:53 level=\u{c}99 [info] x");
}

#[test]
fn the_usual_headers_are_settled() {
    for line in SETTLED {
        assert!(read(line.as_bytes()).settled, "{line}");
    }
}

/// `line` up to the last byte that decided, digits before and behind the level redrawn, and another
/// end.
fn sibling(line: &[u8], header: &Header, digits: &[u8], tail: &[u8]) -> Vec<u8> {
    let Range { start, end } = header.word;
    let mut new = line[..line.len().min(end + header.tail)].to_vec();
    let mut fresh = digits.iter().cycle();
    for (at, byte) in new.iter_mut().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        // The byte behind a word is one of those that a scan compares as they are.
        if at < start || (at >= end && header.tail > 1) {
            *byte = *fresh.next().unwrap_or(&b'0');
        }
    }
    new.extend(tail);
    new
}

fn keeps(line: &str, digits: &[u8], tail: &[u8]) -> Result<(), TestCaseError> {
    let header = read(line.as_bytes());
    let level = header.level.expect("these lines have one");
    let other = sibling(line.as_bytes(), &header, digits, tail);
    let again = read(&other);
    let text = String::from_utf8_lossy(&other);
    if header.settled {
        prop_assert_eq!(again.level, Some(level), "{}", text);
        prop_assert_eq!(&again.word, &header.word, "{}", text);
        prop_assert_eq!(again.sort, Sort::Record, "{}", text);
        prop_assert_eq!(&again.stamp, &header.stamp, "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_settled_level_depends_on_nothing_behind_it(
        index in 0..SETTLED.len() + OTHERS.len(),
        digits in "[0-9]{1,24}",
        tail in r"([ \[\](){}<>:|,=%#'./\t-]|[A-Za-z]{1,6}|ERROR|info|[0-9]{1,4}|2025-03-14 09:26:53|LOG,00000,){0,12}",
    ) {
        let line = SETTLED.iter().chain(&OTHERS).nth(index).copied().unwrap_or_default();
        keeps(line, digits.as_bytes(), tail.as_bytes())?;
    }

    #[test]
    fn no_bytes_behind_a_settled_level_matter(
        index in 0..SETTLED.len(),
        digits in "[0-9]{1,24}",
        tail: Vec<u8>,
    ) {
        keeps(SETTLED[index], digits.as_bytes(), &tail)?;
    }

    #[test]
    fn what_is_settled_by_chance_keeps_its_word(
        line in r"(2025-03-14 09:26:53|Mar 14 09:26:53|\[2025-03-14 09:26:53)(\]|,| - | \[|: | ){1,2}([a-z]{1,5}[0-9]?[ :\]]|[0-9]{1,3}[ :\]]|\[[a-z0-9]{1,4}\] ){0,4}(INFO|error|Warning|LOG|\[ERROR\]|E|D)[ :\]|\[,]",
        digits in "[0-9]{1,24}",
        tail in r"[ \[\](){}<>:|,=%#'./A-Za-z0-9-]{0,40}",
    ) {
        if read(line.as_bytes()).level.is_some() {
            keeps(&line, digits.as_bytes(), tail.as_bytes())?;
        }
    }
}
