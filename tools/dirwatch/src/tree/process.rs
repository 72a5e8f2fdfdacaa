//! What /proc tells about processes.

use std::fs;
use std::io;

use ::process::stat::Stat;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::identity::Key;

/// A process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    /// In ticks since the system started: with the number it names a process for good.
    pub(super) started: u64,
    /// It has ended, and its parent has not waited for it.
    pub(super) ended: bool,
}

impl Process {
    /// The process of this number, unless there is none.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let Stat { parent, group, started, ended } = Stat::of(pid)?;
        Some(Self { pid, parent, group, started, ended })
    }

    /// Whether it was started with this variable. Not known of other users' processes.
    pub(super) fn has_variable(&self, name: &str, value: &str) -> bool {
        fs::read(format!("/proc/{}/environ", self.pid))
            .is_ok_and(|environment| variable(&environment, name) == Some(value.as_bytes()))
    }
}

/// The numbers of all processes that we may see.
pub(super) fn all() -> io::Result<Vec<u32>> {
    let entries = fs::read_dir("/proc")?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

/// Whether a child has ended; it is still to be waited for.
pub(crate) fn is_ended(child: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(child), options), Ok(None))
}

/// The value of a variable in what `/proc/PID/environ` says.
pub(super) fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = |entry: &'a [u8]| entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
    environment.split(|byte| *byte == 0).find_map(value)
}

/// The identities in the value of `DIRWATCH_ID`.
pub(super) fn keys(value: &[u8]) -> impl Iterator<Item = Key> {
    value.split(|byte| *byte == b' ').filter_map(|word| {
        let word = std::str::from_utf8(word).ok().filter(|word| word.len() == 32)?;
        u128::from_str_radix(word, 16).ok().map(|number| Key(number.to_be_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_variable_is_known_by_its_whole_name() {
        let environment = b"A=1\0XJOB=2\0JOB=3=4\0JOB=5\0JOBS=6\0EMPTY=\0torn";
        let check = |name: &str, want: Option<&[u8]>| assert_eq!(variable(environment, name), want);
        check("JOB", Some(b"3=4"));
        check("A", Some(b"1"));
        check("EMPTY", Some(b""));
        check("torn", None);
        check("B", None);
    }

    #[test]
    fn identities_are_read_as_they_are_written() {
        let (one, two) = (Key([0x0a; 16]), Key([0xff; 16]));
        let check = |value: &str, want: &[Key]| {
            assert_eq!(keys(value.as_bytes()).collect::<Vec<_>>(), want, "{value}");
        };
        check(&one.to_string(), &[one]);
        check(&format!("{one} {two}"), &[one, two]);
        check(&format!(" {one}  x+{two} {}", &two.to_string()[1..]), &[one]);
        check("", &[]);
    }

    #[test]
    fn this_process_is_among_all() {
        let own = std::process::id();
        assert!(all().unwrap().contains(&own));
        let process = Process::of(own).unwrap();
        assert_eq!((process.parent, process.ended), (std::os::unix::process::parent_id(), false));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            variable(&bytes, "A");
            prop_assert!(keys(&bytes).count() <= bytes.len());
        }
    }
}
