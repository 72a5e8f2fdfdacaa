use logs::clock::Time;
use logs::records::{After, Scanner, State};
use proptest::prelude::*;

use super::*;
use crate::cli::planned;

const LINES: &[&str] = &[
    "2026-03-01 10:30:00 INFO start",
    "2026-03-01 10:30:05 WARN slow",
    "2026-03-01 11:00:00 ERROR down",
    "  at x",
    "plain",
    "{\"time\":\"2026-03-02T00:00:00Z\",\"level\":\"fatal\"}",
    "{\"level\":\"debug\"}",
    "{\"msg\":\"no level\"}",
];

type Printed = Vec<(Option<i64>, Vec<(String, u64, u64)>)>;

fn printed<T: Tally>(tally: T) -> Printed {
    let row =
        |(name, cell): (&[u8], Cell)| (String::from_utf8_lossy(name).into_owned(), cell.records, cell.lines);
    tally
        .groups()
        .into_iter()
        .map(|(time, cells)| (time, cells.rows().into_iter().map(row).collect()))
        .collect()
}

/// A log in two parts, joined by `absorb` or by `mark` and `resume`, is the log in one.
fn in_two_parts<T: Tally>(flags: &str, lines: &[&str], border: usize) {
    let plan = planned(flags);
    let new = || T::new(&plan, Time::from_secs(1_800_000_000));
    let scan = |lines: &[&str], state: State, tally: &mut T| {
        let mut scanner = Scanner::new(&plan.rules);
        scanner.state = state;
        let text = [&lines.join("\n"), "\n"].concat();
        let text = if lines.is_empty() { "" } else { &text };
        scanner.scan(text.as_bytes(), After::End, tally);
        scanner.state
    };
    let mut whole = new();
    scan(lines, State::default(), &mut whole);
    let whole = printed(whole);

    let (mut first, mut second) = (new(), new());
    let state = scan(&lines[..border], State::default(), &mut first);
    scan(&lines[border..], state, &mut second);
    let mark = first.mark();
    let mut resumed = new();
    resumed.resume(&mark);
    scan(&lines[border..], state, &mut resumed);
    let mut joined = first.clone();
    joined.absorb(second);
    assert_eq!(printed(joined), whole, "{flags}: absorbed at {border} of {lines:?}");
    first.absorb(resumed);
    assert_eq!(printed(first), whole, "{flags}: resumed at {border} of {lines:?}");
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole(picks in prop::collection::vec(0..LINES.len(), 0..12), border in 0_usize..12) {
        let lines: Vec<&str> = picks.iter().map(|pick| LINES[*pick]).collect();
        let border = border.min(lines.len());
        in_two_parts::<Levels>("--lines", &lines, border);
        in_two_parts::<Words>("--raw --lines", &lines, border);
        in_two_parts::<Times<Levels>>("--by hour --lines", &lines, border);
        in_two_parts::<Times<Words>>("--by day --raw --lines", &lines, border);
    }
}

#[test]
fn a_record_without_a_stamp_counts_with_the_one_before() {
    let check = |lines: &[&str], want: &[(Option<i64>, u64)]| {
        let plan = planned("--by day --tz UTC");
        let mut tally = Times::<Levels>::new(&plan, Time::from_secs(1_800_000_000));
        Scanner::new(&plan.rules).scan(lines.join("\n").as_bytes(), After::End, &mut tally);
        let groups: Vec<_> =
            tally.groups().into_iter().map(|(time, cells)| (time, cells.total().records)).collect();
        assert_eq!(groups, want);
    };
    let (first, second) = (1_772_323_200, 1_772_409_600);
    check(
        &[LINES[6], LINES[0], LINES[6], LINES[5], LINES[6], LINES[2]],
        &[(None, 1), (Some(first), 3), (Some(second), 2)],
    );
    check(&[], &[]);
    check(&[LINES[6]], &[(None, 1)]);
}

#[test]
fn too_many_words_are_others() {
    let plan = planned("--raw --level-pattern ^(.*)$");
    let mut words = Words::new(&plan, Time::from_secs(0));
    let text = (0..2000).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
    Scanner::new(&plan.rules).scan(text.as_bytes(), After::End, &mut words);
    let other = words.rows().find(|(word, _)| *word == b"(other)").map(|(_, cell)| cell.records);
    assert_eq!((words.rows().count(), other), (1001, Some(1000)));
}

#[test]
fn records_without_a_level_reach_no_threshold() {
    let mut levels = Levels::default();
    for name in NAMES {
        levels.add(name, Cell { records: 1, lines: 1 });
    }
    levels.add("LOUD", Cell { records: 9, lines: 9 });
    let above: Vec<u64> = logs::Level::ALL.iter().map(|level| levels.at_or_above(*level)).collect();
    assert_eq!(above, [7, 6, 5, 4, 3, 2, 1]);
}
