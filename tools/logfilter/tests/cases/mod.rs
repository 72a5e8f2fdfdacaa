//! Cases through the real binary.

mod bytes;
mod selection;
mod sorted;

use testkit::Case;

/// Ten records of the levels and forms that most cases need.
const LOG: &str = "\
2026-03-01 10:00:00 TRACE t\n\
2026-03-01 10:00:01 DEBUG d\n\
2026-03-01 10:00:02 INFO i\n\
2026-03-01 10:00:03 NOTICE n\n\
2026-03-01 10:00:04 WARN w\n\
2026-03-01 10:00:05 ERROR e\n\
\tat one\n\
\tat two\n\
2026-03-01 10:00:06 FATAL f\n\
2026-03-01 10:00:07 nothing\n";

/// A run on [`LOG`] as `a.log`, in the zone UTC.
fn on_log(args: &[&str]) -> Case {
    Case::new(env!("CARGO_BIN_EXE_logfilter")).file("a.log", LOG).args(args).args(["a.log"])
}

/// The lines of [`LOG`] whose last letters these are; of a trace `at` stands for all of it.
fn lines(last: &str) -> String {
    let is_meant = |line: &&str| {
        let word = line.trim_end().rsplit(' ').next().unwrap_or_default();
        last.split(' ').any(|last| last == word || line.starts_with("\tat") && last == "e")
    };
    LOG.split_inclusive('\n').filter(is_meant).collect()
}

/// Runs on [`LOG`] and expects these of its records, by their last words.
#[track_caller]
fn check(args: &[&str], want: &str) {
    on_log(args).stdout(lines(want)).status(i32::from(want.is_empty())).run();
}
