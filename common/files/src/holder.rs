//! Who holds a lock, as far as `/proc` tells.

use std::fs::{self, File};
use std::io::{self, Read};

use chrono::{DateTime, SecondsFormat};
use common::log::escape;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use crate::state::Identity;

/// How often `/proc/locks` is read before nobody is found there.
const ATTEMPTS: usize = 3;

/// `; held by pid 4711 (`flock`, running since 2026-11-20T03:12:09Z)`, or less where less is known,
/// or nothing.
pub(crate) fn clause(file: Identity) -> String {
    // A list that changes while it is read may leave out any of its lines.
    let find = |_| holder_of(file, &locks().unwrap_or_default());
    (0..ATTEMPTS).find_map(find).map(describe).unwrap_or_default()
}

/// The text of `/proc/locks`. The kernel takes its list anew for each read, so few are wanted, and
/// [`fs::read`] begins with one of 32 bytes.
fn locks() -> io::Result<String> {
    let mut file = File::open("/proc/locks")?;
    let mut text = Vec::new();
    let mut part = vec![0; 65_536];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(String::from_utf8_lossy(&text).into_owned()),
            length => text.extend_from_slice(&part[..length]),
        }
    }
}

fn describe(pid: i32) -> String {
    // The lock belongs to the descriptor: a child that inherited it holds it when its taker is gone.
    if Pid::from_raw(pid).map(test_kill_process) == Some(Err(Errno::SRCH)) {
        return format!("; taken by pid {pid}, which has ended since");
    }
    // One that hides from us (mount option hidepid) is known by its number only.
    let process = fs::read(format!("/proc/{pid}/stat")).ok().and_then(|stat| Process::parse(&stat));
    let Some(Process { name, start }) = process else { return format!("; held by pid {pid}") };
    let since = boot().and_then(|boot| DateTime::from_timestamp(boot.checked_add(start)?, 0));
    let since = since.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let since = since.map(|time| format!(", running since {time}")).unwrap_or_default();
    format!("; held by pid {pid} (`{}`{since})", escape(&name))
}

/// The process that holds the flock on a file, from the text of `/proc/locks`, see proc(5). Some
/// file systems (btrfs) show another device there than stat(2) does; then nobody is found.
fn holder_of(file: Identity, locks: &str) -> Option<i32> {
    let (major, minor) = (rustix::fs::major(file.device), rustix::fs::minor(file.device));
    let place = format!("{major:02x}:{minor:02x}:{}", file.inode);
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // One that waits has `->` in the second field. A process of another namespace is 0.
        match fields.as_slice() {
            [_, "FLOCK", _, _, pid, at, ..] if *at == place => pid.parse().ok().filter(|pid| *pid > 0),
            _ => None,
        }
    })
}

#[derive(Debug, PartialEq)]
struct Process {
    name: String,
    /// Seconds after the boot.
    start: i64,
}

impl Process {
    /// From `/proc/PID/stat`: `PID (NAME) STATE …`, where NAME may hold anything, `) ` too.
    fn parse(stat: &[u8]) -> Option<Self> {
        let open = stat.iter().position(|byte| *byte == b'(')?;
        let close = stat.iter().rposition(|byte| *byte == b')')?;
        let name = String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned();
        let rest = std::str::from_utf8(stat.get(close + 1..)?).ok()?;
        // The state is field 3 of proc(5), the start field 22.
        let ticks: u64 = rest.split_whitespace().nth(19)?.parse().ok()?;
        let seconds = ticks.checked_div(rustix::param::clock_ticks_per_second())?;
        Some(Self { name, start: i64::try_from(seconds).ok()? })
    }
}

/// When the machine was started, in seconds of Unix time, as ps(1) takes it.
fn boot() -> Option<i64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_in_proc_locks() {
        let check = |locks: &str, want: Option<i32>| {
            let file = Identity { device: rustix::fs::makedev(0xfe, 1), inode: 77 };
            assert_eq!(holder_of(file, locks), want, "{locks}");
        };
        check("1: FLOCK  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", Some(4711));
        check("1: -> FLOCK  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", None);
        check("1: POSIX  ADVISORY  WRITE 4711 fe:01:77 0 EOF\n", None);
        check("1: FLOCK  ADVISORY  WRITE 4711 fe:01:78 0 EOF\n", None);
        check("1: FLOCK  ADVISORY  WRITE 0 fe:01:77 0 EOF\n", None);
        check("1: FLOCK\n\n", None);
    }

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let check = |stat: &str, want: Option<(&str, i64)>| {
            let want = want.map(|(name, start)| Process { name: name.into(), start });
            assert_eq!(Process::parse(stat.as_bytes()), want, "{stat}");
        };
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4200 20";
        let seconds = i64::try_from(4200 / rustix::param::clock_ticks_per_second()).unwrap();
        check(&format!("7 (flock) {rest}"), Some(("flock", seconds)));
        check(&format!("7 (a) S 1 (b) {rest}"), Some(("a) S 1 (b", seconds)));
        check("7 (flock) S 1 2 3", None);
        check(") 7 (", None);
        check("", None);
    }

    #[test]
    fn one_that_has_ended_is_not_said_to_hold_it() {
        // The first number that no process gets.
        let pid = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap().trim().parse().unwrap();
        assert_eq!(describe(pid), format!("; taken by pid {pid}, which has ended since"));
    }
}
