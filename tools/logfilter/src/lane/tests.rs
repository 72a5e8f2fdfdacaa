//! What the search finds is what a scan finds.

use super::*;
use logs::clock::Time;
use logs::records::{After, Sink as _};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::SystemTime;

use crate::sieve::Head;

#[derive(Debug, Default)]
struct Kept(Vec<u8>);

impl Keep for Kept {
    fn begin(&mut self, head: &Head<'_>) {
        self.0.extend_from_slice(head.bytes);
    }
    fn more(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
    fn is_full(&self) -> bool {
        false
    }
}

/// What becomes of a file.
struct Came {
    kept: Vec<u8>,
    /// Whether parts of it were not read although its order was found to be wrong.
    was_wrong: bool,
    before_time: u64,
    begins: u64,
}

/// Two seconds before the New Year.
const BASE: i64 = 1_767_225_598;

#[derive(Debug, Clone, Copy)]
enum Shape {
    Iso,
    Syslog,
    Jul,
    Cri,
}

/// One record: seconds since the one before, how late it is told, and what it looks like.
type Told = (i64, i64, u8);

fn stamp(shape: Shape, secs: i64) -> String {
    let time = Time::from_secs(secs).to_string();
    let (month, day) = if &time[5..7] == "12" { ("Dec", &time[8..10]) } else { ("Jan", &time[8..10]) };
    match shape {
        Shape::Iso => format!("{} {}", &time[..10], &time[11..19]),
        Shape::Syslog => format!("{month} {day} {}", &time[11..19]),
        Shape::Jul => format!("{month} {day}, {} {} AM", &time[..4], &time[11..19]),
        Shape::Cri => time,
    }
}

/// The text of a log, whose times go on as `told` says but are told too early by up to `slack`.
fn log(shape: Shape, told: &[Told], slack: i64) -> String {
    let mut text = String::new();
    let mut secs = BASE;
    for (number, (step, late, kind)) in told.iter().enumerate() {
        secs += step;
        let at = stamp(shape, secs - late.rem_euclid(slack + 1));
        let line = match (shape, kind) {
            (Shape::Jul, 0..4) => format!("{at} shop.Cart add\nSEVERE: {number}\n"),
            (Shape::Jul, _) => format!("{at} shop.Cart add\n"),
            (Shape::Cri, 0..3) => format!("{at} stdout P {at} INFO half {number}\n{at} stdout F rest\n"),
            (Shape::Cri, 3 | 4) => format!("{at} stderr F {at} ERROR whole {number}\n"),
            (Shape::Cri, _) => format!("{at} stdout F \tat shop.Cart {number}\n"),
            (Shape::Syslog, 0..6) => format!("{at} host shop: {number}\n"),
            (_, ..=3) => format!("{at} INFO {number}\n"),
            (_, 4) => {
                format!("{at} ERROR {number}\njava.lang.Error: x\n\tat shop.Cart\n\nERROR 12 of a table\n")
            }
            (_, 5) => format!("{at} WARN {number} {}\n", "long ".repeat(60)),
            (_, 6) => format!("2026-02-30 10:00:00 INFO no such day {number}\n"),
            _ => format!("no header at all {number}\n"),
        };
        text.push_str(&line);
    }
    text
}

fn run(text: &[u8], span: (i64, i64), slack: i64, sizes: Sizes, whole: bool) -> Came {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(BASE + 90 * 86_400).unwrap());
    file.as_file().set_modified(written).unwrap();
    let span = Some((Time::from_secs(span.0), Time::from_secs(span.1)));
    let job = Job {
        rules: Rules { want_time: true, ..Rules::default() },
        filter: Filter { keep_unknown: true, span, ..Filter::default() },
        zone: Zone::Utc,
        year: None,
        slack: Duration::from_secs(u64::try_from(slack).unwrap()),
        scan: whole,
        merge: false,
        sizes,
    };
    let mut lane = Lane::open(file.path(), &job, Blocks::with_sizes(64, 4096), Kept::default()).unwrap();
    while !lane.has_ended() {
        lane.step().unwrap();
    }
    let was_wrong = lane.sieve.watch.as_ref().unwrap().was_wrong();
    let before_time = lane.sieve.dropped.before_time;
    Came { kept: lane.sieve.keep.0, was_wrong, before_time, begins: lane.begins }
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![Just(Shape::Iso), Just(Shape::Syslog), Just(Shape::Jul), Just(Shape::Cri)]
}

fn sizes() -> impl Strategy<Value = Sizes> {
    (1_usize..200, 0_u64..300).prop_map(|(window, near)| Sizes { window, near, head: 4096, least: 0 })
}

/// Whether the lines of `part` are lines of `whole`, in the same order.
fn is_part(part: &[u8], whole: &[u8]) -> bool {
    let mut whole = whole.split_inclusive(|byte| *byte == b'\n');
    part.split_inclusive(|byte| *byte == b'\n').all(|line| whole.any(|other| other == line))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn sorted_but_for_the_slack_it_finds_what_a_scan_finds(
        shape in shapes(),
        told in prop::collection::vec((0_i64..20, any::<i64>(), 0_u8..8), 0..60),
        (before, length) in (-30_i64..700, 0_i64..300),
        slack in 0_i64..15,
        sizes in sizes(),
        (crlf, torn, prelude) in any::<(bool, bool, bool)>(),
    ) {
        let mut text = log(shape, &told, slack);
        if prelude {
            text = format!("nothing with a time\nnor here\n{text}");
        }
        if torn {
            text.pop();
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let span = (BASE + before, BASE + before + length);
        let found = run(text.as_bytes(), span, slack, sizes, false);
        let scanned = run(text.as_bytes(), span, slack, sizes, true);
        prop_assert!(!found.was_wrong);
        prop_assert_eq!(String::from_utf8_lossy(&found.kept), String::from_utf8_lossy(&scanned.kept));
        prop_assert_eq!(found.before_time, scanned.before_time);
    }

    #[test]
    fn unsorted_it_finds_nothing_else_and_all_if_it_read_all(
        told in prop::collection::vec((-40_i64..60, Just(0), 0_u8..6), 0..60),
        (before, length) in (-30_i64..700, 0_i64..300),
        slack in 0_i64..15,
        sizes in sizes(),
    ) {
        let text = log(Shape::Iso, &told, 0);
        let span = (BASE + before, BASE + before + length);
        let found = run(text.as_bytes(), span, slack, sizes, false);
        let scanned = run(text.as_bytes(), span, slack, sizes, true);
        prop_assert!(is_part(&found.kept, &scanned.kept));
        if found.was_wrong && found.begins == 0 {
            prop_assert_eq!(found.kept, scanned.kept);
        }
    }
}

/// A thousand records, one each second.
fn thousand() -> String {
    let told: Vec<Told> = (0..1000).map(|_| (1, 0, 0)).collect();
    log(Shape::Iso, &told, 0)
}

#[test]
fn it_reads_only_what_it_must() {
    let text = thousand();
    let sizes = Sizes { window: 64, near: 128, head: 4096, least: 0 };
    let found = run(text.as_bytes(), (BASE + 700, BASE + 704), 2, sizes, false);
    assert_eq!(found.kept.split_inclusive(|byte| *byte == b'\n').count(), 5);
    let near = found.begins.abs_diff(text.len() as u64 * 7 / 10);
    assert!(near < 400, "begins {near} bytes away");
}

#[test]
fn what_the_probes_see_unsorted_is_read_as_a_whole() {
    let text = thousand();
    let (early, late) = text.split_at(text.len() / 2 / 30 * 30);
    let sizes = Sizes { window: 64, near: 128, head: 4096, least: 0 };
    for (text, span) in
        [(format!("{late}{early}"), (BASE + 100, BASE + 900)), (thousand() + early, (BASE, BASE + 9))]
    {
        let found = run(text.as_bytes(), span, 5, sizes, false);
        assert_eq!((found.begins, found.was_wrong), (0, false));
        assert_eq!(found.kept, run(text.as_bytes(), span, 5, sizes, true).kept);
    }
}

#[test]
fn disorder_in_what_is_read_makes_it_read_on() {
    let mut text = thousand();
    let mut old = String::new();
    for number in 0..5 {
        writeln!(old, "{} INFO old {number}", stamp(Shape::Iso, BASE + 704)).unwrap();
    }
    // Behind the range, but within what is read: 100 seconds earlier than what stands around it.
    let place = text.find(&stamp(Shape::Iso, BASE + 803)).unwrap();
    text.insert_str(place, &old);
    let sizes = Sizes { window: 64, near: 128, head: 4096, least: 0 };
    let found = run(text.as_bytes(), (BASE + 700, BASE + 850), 5, sizes, false);
    assert!(found.was_wrong && found.begins > 0);
    assert_eq!(found.kept, run(text.as_bytes(), (BASE + 700, BASE + 850), 5, sizes, true).kept);
}

#[test]
fn a_log_without_headers_of_its_own_is_read_as_a_whole() {
    let line = |number: i64| format!("{} stdout F text {number}\n", stamp(Shape::Cri, BASE + number));
    let text: String = (0..1000).map(line).collect();
    let sizes = Sizes { window: 64, near: 128, head: 4096, least: 0 };
    let found = run(text.as_bytes(), (BASE + 700, BASE + 704), 5, sizes, false);
    assert_eq!(found.begins, 0);
    assert_eq!(found.kept, (700..705).map(line).collect::<String>().into_bytes());
}

#[test]
fn a_log_with_a_long_part_without_times_is_read_as_a_whole() {
    let text = thousand();
    let (early, late) = text.split_at(text.find(&stamp(Shape::Iso, BASE + 300)).unwrap());
    let text = format!("{early}{}{late}", "neither time nor header\n".repeat(2000));
    let sizes = Sizes { window: 64, near: 128, head: 4096, least: 0 };
    let found = run(text.as_bytes(), (BASE + 700, BASE + 704), 5, sizes, false);
    assert_eq!(found.begins, 0);
    assert_eq!(found.kept, run(text.as_bytes(), (BASE + 700, BASE + 704), 5, sizes, true).kept);
}

#[test]
fn records_are_not_held_beyond_what_is_looked_at() {
    let filter = Filter {
        pattern: Some(regex::bytes::Regex::new("early").unwrap()),
        keep_unknown: true,
        ..Filter::default()
    };
    let rules = Rules::default();
    let mut sieve = Sieve::new(&filter, None, Kept::default());
    let mut scanner = Scanner::new(&rules);
    scanner.scan(b"2026-03-01 10:00:00 INFO early\n", After::More, &mut sieve);
    for _ in 0..5 {
        sieve.more(&b"x".repeat(1_000_000), 1);
    }
    assert_eq!(sieve.keep.0.len(), 31 + 5_000_000);
    sieve.finish();
    assert_eq!(sieve.keep.0.len(), 31 + 5_000_000);
}
