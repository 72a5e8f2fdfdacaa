//! Which files a log was rotated into, by their names.
//!
//! | of `app.log` | by |
//! |---|---|
//! | `app.log.1` `app.log.2.gz` `app.log-20260301` `app.log.2026-03-01.zst` `app.log.old` | what stands behind the name |
//! | `app-20260301.log` `app.2026-03-01.log.gz` `app-1.log.gz` | what stands before the extension: at least six digits, or a packed file |
//!
//! `worker-1.log` is no rotated `worker.log`: it may well be the log of another worker.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::name_of;

/// The packings that can be read.
const PACKED: [&[u8]; 4] = [b".gz", b".zst", b".xz", b".bz2"];

/// Words that stand for a number.
const OLD: [&[u8]; 4] = [b"old", b"bak", b"prev", b"save"];

/// Whether the name says that the file is packed.
pub(super) fn is_packed(name: &OsStr) -> bool {
    PACKED.iter().any(|ext| name.as_bytes().ends_with(ext))
}

/// The names of the logs that a file of this name can have been, shortest first.
pub(super) fn bases(name: &OsStr) -> Vec<OsString> {
    let name = name.as_bytes();
    let plain = PACKED.iter().find_map(|ext| name.strip_suffix(*ext));
    let packed = plain.is_some();
    let plain = plain.unwrap_or(name);
    let mut bases = Vec::new();
    let joints = || (1..plain.len()).filter(|at| b".-_".contains(&plain[*at]));
    for at in joints() {
        if digits(&plain[at..]).is_some() {
            bases.push(plain[..at].to_vec());
        }
    }
    if let Some(dot) = plain.iter().rposition(|byte| *byte == b'.')
        && plain[dot + 1..].iter().all(u8::is_ascii_alphabetic)
    {
        for at in joints().take_while(|at| *at < dot) {
            if digits(&plain[at..dot]).is_some_and(|count| count >= 6 || (packed && count > 0)) {
                bases.push([&plain[..at], &plain[dot..]].concat());
            }
        }
    }
    if packed {
        bases.push(plain.to_vec());
    }
    bases.sort_by_key(Vec::len);
    bases.into_iter().map(OsString::from_vec).collect()
}

/// How many digits there are in what rotation adds to a name; `None` when it adds nothing like it.
fn digits(tail: &[u8]) -> Option<usize> {
    let rest = tail.get(1..).filter(|rest| !rest.is_empty())?;
    if OLD.contains(&rest) {
        return Some(0);
    }
    let digits = rest.iter().filter(|byte| byte.is_ascii_digit()).count();
    let rotated = rest.iter().all(|byte| byte.is_ascii_digit() || b".-_:+TZ".contains(byte));
    (rotated && digits > 0).then_some(digits)
}

/// The logs among `files`, each with those of them that it was rotated into. `known` are logs too,
/// given or not.
pub(super) fn group<'a>(
    files: &'a [PathBuf],
    known: impl Iterator<Item = &'a PathBuf>,
) -> Vec<(PathBuf, Vec<PathBuf>)> {
    let given: BTreeSet<&PathBuf> = files.iter().chain(known).collect();
    let mut places: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut logs: Vec<(PathBuf, Vec<PathBuf>)> = Vec::new();
    let base_of = |path: &PathBuf| {
        let candidates = bases(name_of(path)).into_iter().map(|base| path.with_file_name(base));
        candidates.into_iter().find(|base| given.contains(base) && base != path)
    };
    for path in files {
        let base = base_of(path);
        let log = base.as_ref().unwrap_or(path);
        let place = *places.entry(log.clone()).or_insert_with(|| {
            logs.push((log.clone(), Vec::new()));
            logs.len() - 1
        });
        if base.is_some() {
            logs[place].1.push(path.clone());
        }
    }
    logs
}

/// Whether `name` can be a file that the log was rotated into. A file that can belong to several
/// logs belongs to the one with the shortest name that exists; `exists` tells.
pub(super) fn is_rotated(log: &Path, name: &OsStr, exists: impl Fn(&OsStr) -> bool) -> bool {
    let own = name_of(log);
    bases(name).into_iter().find(|base| base == own || exists(base)).is_some_and(|base| base == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_known_by_their_names() {
        let check = |log: &str, name: &str, want: bool| {
            assert_eq!(is_rotated(Path::new(log), OsStr::new(name), |_| false), want, "{log} {name}");
        };
        for name in [
            "app.log.1",
            "app.log.2.gz",
            "app.log.0",
            "app.log-20260301",
            "app.log-20260301.gz",
            "app.log_3",
            "app.log.2026-03-01",
            "app.log.2026-03-01T10:30:00.zst",
            "app.log.old",
            "app.log.gz",
            "app-20260301.log",
            "app.2026-03-01.log",
            "app_2026-03-01_00-00-00.log.xz",
            "app-1.log.gz",
            "app.log.2026-03-01.1.bz2",
        ] {
            check("/var/log/app.log", name, true);
        }
        for name in [
            "app.log",
            "app.log.swp",
            "app-1.log",
            "app.logs",
            "app.log.",
            "app2.log",
            "app-audit.log",
            "app",
            "app.log.1.tmp",
        ] {
            check("/var/log/app.log", name, false);
        }
        check("/var/log/syslog", "syslog.1", true);
        check("/var/log/syslog", "syslog-ng", false);
        check("error.log", "error.log.1", true);
    }

    #[test]
    fn a_file_belongs_to_the_log_with_the_shortest_name() {
        let check = |files: &[&str], known: &[&str], want: &[(&str, &[&str])]| {
            let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
            let want: Vec<_> =
                want.iter().map(|(log, members)| (PathBuf::from(log), paths(members))).collect();
            assert_eq!(group(&paths(files), paths(known).iter()), want);
        };
        check(&["a.log.1", "a.log", "a.log.1.gz"], &[], &[("a.log", &["a.log.1", "a.log.1.gz"])]);
        check(&["a.log.1", "b/a.log"], &[], &[("a.log.1", &[]), ("b/a.log", &[])]);
        check(&["a.log.1"], &["a.log"], &[("a.log", &["a.log.1"])]);
        check(&["a.log", "a.log"], &[], &[("a.log", &[])]);
    }
}
