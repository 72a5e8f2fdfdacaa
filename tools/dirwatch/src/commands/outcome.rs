//! What the end of a command means.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use common::Error;

use super::End;

/// What it means that `program` has ended so.
pub(super) fn of(status: io::Result<ExitStatus>, program: &OsStr) -> End {
    let status = match status {
        Ok(status) => status,
        Err(cause) => return End::Failure(format!("nobody knows how it ended: {cause}")),
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => End::Success,
        (Some(code @ (126 | 127)), _) => End::NotRunnable(not_runnable(code, program)),
        (Some(code), _) => End::Failure(format!("exit status {code}")),
        (None, signal) => End::Failure(format!("killed by signal {}", signal.unwrap_or_default())),
    }
}

/// Shells, env, nice, sudo and the like say so of a command that they were to run.
fn not_runnable(code: i32, program: &OsStr) -> Error {
    let program = program.display();
    let what = if code == 127 { "was not found" } else { "could not be executed" };
    Error::failed(format!(
        "`{program}` ended with status {code}, which says that a command it calls {what}; mend that, or let it \
         end with another status"
    ))
}

/// A duration in few letters: `1.5s`, `5m`, `1h30m`.
pub(super) fn brief(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 || time.subsec_nanos() > 0 {
        return format!("{time:?}");
    }
    let mut left = seconds;
    let parts = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")].map(|(size, unit)| {
        let count = left / size;
        left %= size;
        if count > 0 { format!("{count}{unit}") } else { String::new() }
    });
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_in_few_words() {
        let check = |raw: i32, want: &str| {
            let end = format!("{:?}", of(Ok(ExitStatus::from_raw(raw)), OsStr::new("x")));
            assert!(end.contains(want), "{end}");
        };
        check(0, "Success");
        check(3 << 8, "Failure(\"exit status 3\")");
        check(255 << 8, "Failure(\"exit status 255\")");
        check(9, "Failure(\"killed by signal 9\")");
        check(
            126 << 8,
            "`x` ended with status 126, which says that a command it calls could not be executed",
        );
        check(127 << 8, "`x` ended with status 127, which says that a command it calls was not found");
    }

    #[test]
    fn durations_are_brief() {
        let check = |time: Duration, want: &str| assert_eq!(brief(time), want);
        check(Duration::from_millis(1500), "1.5s");
        check(Duration::from_millis(20), "20ms");
        check(Duration::from_secs(59), "59s");
        check(Duration::from_mins(5), "5m");
        check(Duration::from_secs(5400), "1h30m");
        check(Duration::from_hours(49), "2d1h");
    }
}
