//! What /proc tells about a process.

use std::fs;

/// A process at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Who started it, or took it over.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// In ticks since the system started: with the number it names a process for good.
    pub started: u64,
    /// It has ended, and its parent has not waited for it.
    pub ended: bool,
}

impl Stat {
    /// The process of this number, unless there is none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads `/proc/PID/stat`, see proc(5).
    fn parse(stat: &[u8]) -> Option<Self> {
        // The name before may hold blanks and parentheses; nothing behind it does.
        let end = stat.iter().rposition(|byte| *byte == b')')?;
        let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
        let mut fields = rest.split_ascii_whitespace();
        let ended = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        // Field 22 of proc(5); the state is its field 3.
        let started = fields.nth(16)?.parse().ok()?;
        Some(Self { parent, group, started, ended })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_misleads_nobody() {
        let check = |stat: &str, want: Option<(u32, u32, u64, bool)>| {
            let found = Stat::parse(stat.as_bytes());
            let found = found.map(|one| (one.parent, one.group, one.started, one.ended));
            assert_eq!(found, want, "{stat}");
        };
        let tail = "4 5 5 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 2 3";
        check(&format!("7 (sh) S {tail}"), Some((4, 5, 4711, false)));
        check(&format!("7 (a) Z 1 (b) Z {tail}"), Some((4, 5, 4711, true)));
        check(&format!("7 (\n)) R {tail}"), Some((4, 5, 4711, false)));
        check("7 (sh) S 4 5", None);
        check("7 (sh", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            Stat::parse(&bytes);
        }
    }
}
