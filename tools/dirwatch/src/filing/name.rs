//! The names under which a file is put away.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::why::{self, Why};

/// `NAME_MAX`.
const LONGEST: usize = 255;

/// What follows a dot is an extension up to this length, and part of a long name beyond.
const LONGEST_EXTENSION: usize = 32;

/// The names of one file in one folder: 0 is its own, and the others have their number in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) folder: &'a Path,
    pub(super) name: &'a OsStr,
    pub(super) why: Option<&'a Why>,
}

impl Names<'_> {
    pub(super) fn path(&self, number: u64) -> PathBuf {
        let room = if self.why.is_some() { LONGEST - why::SUFFIX.len() } else { LONGEST };
        self.folder.join(numbered(self.name, number, room))
    }

    /// The number of a name that nothing has, nor its sidecar.
    pub(super) fn first_free(&self) -> u64 {
        first_free(|number| {
            let path = self.path(number);
            is_there(&path) || self.why.is_some() && is_there(&why::path_of(&path)) && !self.is_ours(&path)
        })
    }

    /// Whether what has this name may have been put there for this very file: its sidecar says so, if
    /// there is to be one.
    pub(super) fn is_ours(&self, path: &Path) -> bool {
        self.why.is_none_or(|why| why.is_in(&why::path_of(path)))
    }
}

fn is_there(path: &Path) -> bool {
    // What cannot be looked at is found out by the rename.
    path.symlink_metadata().is_ok()
}

/// The first number that is not taken, if they are without gaps; else some number that is not. A folder
/// where `data.csv` is put away every minute has half a million of them after a year, so they are not
/// asked for one after the other.
fn first_free(taken: impl Fn(u64) -> bool) -> u64 {
    if !taken(0) {
        return 0;
    }
    let (mut low, mut high) = (0, 1);
    while high < u64::MAX / 2 && taken(high) {
        (low, high) = (high, high * 2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        *(if taken(middle) { &mut low } else { &mut high }) = middle;
    }
    high
}

/// `a.csv` as `a.7.csv`, in at most `room` bytes.
fn numbered(name: &OsStr, number: u64, room: usize) -> OsString {
    let path = Path::new(name);
    let extension = path.extension().filter(|extension| extension.len() <= LONGEST_EXTENSION);
    let tail = extension.map_or_else(Vec::new, |extension| [b".", extension.as_bytes()].concat());
    let stem = name.as_bytes().strip_suffix(tail.as_slice()).unwrap_or_default();
    let number = if number == 0 { String::new() } else { format!(".{number}") };
    let room = room.saturating_sub(tail.len() + number.len());
    OsString::from_vec([cut(stem, room), number.as_bytes(), &tail].concat())
}

/// The beginning of a name, in whole characters where it is UTF-8.
fn cut(stem: &[u8], room: usize) -> &[u8] {
    if stem.len() <= room {
        return stem;
    }
    let is_inside = |at: usize| stem.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    let back = (0..4).find(|back| *back < room && !is_inside(room - back)).unwrap_or(0);
    &stem[..room - back]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_extension_stays_last() {
        let check = |name: &str, number: u64, want: &str| {
            assert_eq!(numbered(OsStr::new(name), number, 16), OsStr::new(want), "{name}");
        };
        check("a.csv", 0, "a.csv");
        check("a.csv", 1, "a.1.csv");
        check("a.tar.gz", 12, "a.tar.12.gz");
        check("README", 2, "README.2");
        check(".bashrc", 1, ".bashrc.1");
        check("a.", 1, "a.1.");
        check("0123456789abcdef.gz", 0, "0123456789abc.gz");
        check("0123456789abcdef.gz", 10, "0123456789.10.gz");
        check("0123456789äöü", 1, "0123456789äö.1");
        check("0123456789aäöü", 1, "0123456789aä.1");
    }

    #[test]
    fn the_first_free_number_is_found_by_few_questions() {
        for free in [0, 1, 2, 3, 4, 5, 100, 500_000] {
            let asked = std::cell::Cell::new(0);
            let found = first_free(|number| {
                asked.set(asked.get() + 1);
                number < free
            });
            assert_eq!(found, free);
            assert!(asked.get() < 45, "{}", asked.get());
        }
        let gaps = |number: u64| [0, 1, 2, 4, 5].contains(&number);
        assert!(!gaps(first_free(gaps)));
    }

    proptest! {
        #[test]
        fn every_number_is_another_name_that_fits(name in "[^/\0]{1,80}", one in 0_u64..99, two in 0_u64..99) {
            let bytes = name.as_bytes();
            let name = OsStr::from_bytes(&bytes[..bytes.len().min(LONGEST)]);
            let (first, second) = (numbered(name, one, 100), numbered(name, two, 100));
            prop_assert!(!first.is_empty() && first.len() <= 100);
            prop_assert!(first != second || one == two);
        }
    }
}
