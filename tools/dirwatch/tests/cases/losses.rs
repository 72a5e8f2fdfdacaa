//! Whatever way files come, and whatever happens to the watcher: none is lost, none is taken before it is
//! whole, and none is taken twice without being told.
//!
//! `SRE_FILES` is how many files come in each test (see `mill.rs`), and `SRE_KILLS` how often the watcher
//! is killed, 5 times unless set and once at least.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use testkit::arrivals::{Arrival, Mode, Plan};
use testkit::notes::Note;

use super::mill::{Mill, files, number};

/// Lets files come as `plan` says; the longest time for which one had only one half.
fn come(plan: &Plan) -> (Vec<Arrival>, Duration) {
    let mut arrivals = Vec::new();
    let longest = plan.make(|arrival| arrivals.push(arrival.clone())).unwrap();
    (arrivals, longest)
}

fn check(mode: Mode, rate: Option<u32>) {
    let flags = ["--recursive", "--jobs=4"];
    let mut mill = Mill::new();
    mill.watch(&flags);
    let (arrivals, _) = come(&Plan { rate, ..Plan::new(mode, mill.folder(), files()) });
    mill.must_be_clean(&flags, &arrivals);
}

#[test]
fn a_burst_is_taken_whole_and_once() {
    check(Mode::Burst, None);
}

#[test]
fn files_that_are_renamed_into_the_folder_are_taken_once() {
    check(Mode::RenameIn, None);
}

#[test]
fn files_in_folders_made_on_the_way_are_taken_once() {
    check(Mode::Nested, None);
}

#[test]
fn a_half_is_not_taken_while_it_is_written() {
    // A watcher that is behind sees no half: it must be able to follow.
    check(Mode::Slow, Some(1000));
}

#[test]
fn a_file_that_is_opened_again_is_taken_when_it_was_quiet() {
    const SETTLE: Duration = Duration::from_secs(2);
    let flags = ["--jobs=4", "--settle=2s"];
    for _ in 0..5 {
        let mut mill = Mill::new();
        mill.watch(&flags);
        let gap = Duration::from_millis(20);
        let (arrivals, longest) = come(&Plan { gap, ..Plan::new(Mode::Reopen, mill.folder(), files()) });
        // On a machine that is so busy the writer was no better than one that is through.
        if longest < SETTLE / 2 {
            return mill.must_be_clean(&flags, &arrivals);
        }
    }
    panic!("no writer was quick enough five times");
}

#[test]
fn what_was_there_before_the_start_is_taken_once() {
    let flags = ["--recursive", "--jobs=4"];
    let mut mill = Mill::new();
    let (mut arrivals, _) = come(&Plan::new(Mode::Nested, mill.folder(), files()));
    mill.watch(&flags);
    arrivals.extend(come(&Plan { first: files(), ..Plan::new(Mode::Burst, mill.folder(), files() / 10) }).0);
    mill.must_be_clean(&flags, &arrivals);
}

#[test]
fn one_name_with_new_content_is_a_new_file_each_time() {
    let flags = ["--jobs=2"];
    let mut mill = Mill::new();
    mill.watch(&flags);
    let mut arrivals = Vec::new();
    let plan = Plan::new(Mode::Recreate, mill.folder(), files());
    let made = plan.make(|arrival| {
        arrivals.push(arrival.clone());
        // Each stays until it was taken: what is gone before that is not to be seen.
        mill.wait_for(arrivals.len() as u64 + 1);
    });
    made.unwrap();
    mill.must_be_clean(&flags, &arrivals);
}

#[test]
fn an_overflow_of_the_queue_loses_nothing() {
    let flags = ["--recursive", "--jobs=4"];
    let mut mill = Mill::new();
    mill.watch(&flags);
    let (mut arrivals, _) = come(&Plan::new(Mode::Burst, mill.folder(), 2));
    mill.wait_for(3);
    mill.freeze();
    fill_the_queue(&arrivals);
    arrivals.extend(come(&Plan { first: 2, ..Plan::new(Mode::Burst, mill.folder(), files()) }).0);
    let nested = Plan { first: 2 + files(), ..Plan::new(Mode::Nested, mill.folder(), files() / 10) };
    arrivals.extend(come(&nested).0);
    mill.signal(Signal::CONT);
    mill.must_be_clean(&flags, &arrivals);
}

/// Opens and closes known files for writing in turn, as equal events in a row are only one, until there is
/// no room for another event. Nothing is written, so they stay what they are.
fn fill_the_queue(known: &[Arrival]) {
    let text = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let most: usize = text.trim().parse().unwrap();
    for arrival in known.iter().cycle().take(most + 1) {
        OpenOptions::new().append(true).open(&arrival.path).unwrap();
    }
}

#[test]
fn a_killed_watcher_loses_nothing_and_tells_what_it_repeats() {
    const JOBS: u64 = 4;
    let kills = number("SRE_KILLS", 5).max(1);
    let flags = ["--jobs=4"];
    let mut mill = Mill::new();
    mill.watch(&flags);
    let plan = Plan::new(Mode::Burst, mill.folder(), files());
    let maker = std::thread::spawn(move || come(&plan).0);
    for kill in 1..=kills {
        // Every other one may be killed before it has begun, the rest when they have got on.
        if kill % 2 == 0 {
            mill.wait_for(files() * kill / (kills + 1));
        }
        sleep(Duration::from_micros(fastrand::u64(..50_000)));
        mill.kill();
        mill.start(&flags);
    }
    let before = mill.noted();
    let arrivals = maker.join().unwrap();
    let (verdict, notes) = mill.finish(&flags, &arrivals);
    let told = verdict.told();
    assert!(verdict.lost.is_empty() && verdict.partial.is_empty() && verdict.strange.is_empty(), "{told}");
    let repeated = notes.len() as u64 - verdict.arrived as u64;
    assert!(repeated <= JOBS * kills, "{repeated} repeated after {kills} kills: {told}");
    repetitions_are_told(&notes);
    println!("{kills} kills, the last after {before} notes: {told}");
}

/// Every command for a file has an attempt of its own, the same key, and a key of no other file.
fn repetitions_are_told(notes: &[Note]) {
    let mut of_each: BTreeMap<Option<u64>, Vec<&Note>> = BTreeMap::new();
    for note in notes {
        of_each.entry(note.serial).or_default().push(note);
    }
    let mut keys = BTreeSet::new();
    for notes in of_each.values() {
        let attempts: BTreeSet<_> = notes.iter().map(|note| note.attempt).collect();
        assert!(attempts.len() == notes.len() && !attempts.contains(&None), "{notes:?}");
        let of_this: BTreeSet<_> = notes.iter().map(|note| note.id.as_ref()).collect();
        assert!(of_this.len() == 1 && !of_this.contains(&None), "{notes:?}");
        keys.extend(of_this);
    }
    assert_eq!(keys.len(), of_each.len(), "two files have one key");
}
