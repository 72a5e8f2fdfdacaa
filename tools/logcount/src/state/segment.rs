//! One file of a log: what it was when it was read, and how far.

use logs::records::State;
use serde::{Deserialize, Serialize};

use super::listing::Found;
use crate::tally::Mark;

/// So much of a file's beginning, and of what stands before the offset, is what it is known by.
pub(super) const PRINT: usize = 1024;

/// The length and a hash of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    pub(super) len: u64,
    hash: u64,
}

impl Default for Print {
    fn default() -> Self {
        Self::of(b"")
    }
}

impl Print {
    /// FNV-1a: told apart are logs, not forgeries, and the value must be the same in every version.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { len: bytes.len() as u64, hash }
    }

    /// Whether `text` begins with these bytes.
    pub(super) fn begins(self, text: &[u8]) -> bool {
        usize::try_from(self.len)
            .ok()
            .and_then(|len| text.get(..len))
            .is_some_and(|head| Self::of(head) == self)
    }
}

/// A file of a log, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a field of its own in the file")]
pub(super) struct Segment {
    /// Device and inode; 0 when it is no longer the file that has them.
    pub(super) dev: u64,
    pub(super) ino: u64,
    /// Bytes of the file when it was read.
    pub(super) size: u64,
    /// Its modification time then, in nanoseconds since the epoch.
    pub(super) mtime: i64,
    /// Bytes of its text that were counted; the next line begins there.
    pub(super) offset: u64,
    /// The first bytes of that text.
    pub(super) head: Print,
    /// The last bytes of it; empty where they were not looked at.
    pub(super) tail: Print,
    /// What the scanner knows, as bits.
    scan: u8,
    /// The last record.
    pub(super) mark: Mark,
    /// It was the log itself and not a rotated file of it.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) live: bool,
    /// All of it was counted, an unfinished last line included.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) settled: bool,
    /// It was there before the first run, and is not counted.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) ignored: bool,
    /// It is a copy of another one, and not counted as long as that one is there.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) copy: bool,
    /// When it was last found, in seconds since the epoch.
    pub(super) seen: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Segment {
    /// A file of which nothing was read.
    pub(super) fn new(file: &Found) -> Self {
        let mut segment = Self::default();
        segment.is_in(file);
        segment
    }

    /// From now on it is in this file.
    pub(super) fn is_in(&mut self, file: &Found) {
        (self.dev, self.ino) = file.id;
    }

    /// It is no longer in the file that it was in.
    pub(super) fn leave(&mut self) {
        (self.dev, self.ino) = (0, 0);
    }

    pub(super) fn id(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    /// Whether it is known and never read.
    pub(super) fn is_passed_over(&self) -> bool {
        self.ignored || self.copy
    }

    /// Whether there can be nothing new in the file.
    pub(super) fn is_done_with(&self, file: &Found) -> bool {
        let same = (self.size, self.mtime) == (file.size, file.mtime);
        (self.ignored && self.size == file.size) || (same && (self.settled || self.offset >= self.size))
    }

    /// What the scanner knew at the offset.
    pub(super) fn scan(&self) -> State {
        let bit = |index: u8| (self.scan >> index) & 1 == 1;
        State { begun: bit(0), open: bit(1), strict: bit(2), parted: [bit(3), bit(4)], inside: bit(5) }
    }

    /// Remembers what the scanner knows.
    pub(super) fn set_scan(&mut self, state: State) {
        let bits = [state.begun, state.open, state.strict, state.parted[0], state.parted[1], state.inside];
        self.scan = bits.iter().rev().fold(0, |sum, bit| (sum << 1) | u8::from(*bit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_the_scanner_comes_back() {
        for bits in 0..64 {
            let mut segment = Segment { scan: bits, ..Segment::default() };
            let state = segment.scan();
            segment.scan = 0;
            segment.set_scan(state);
            assert_eq!(segment.scan, bits);
        }
    }

    #[test]
    fn a_print_is_the_same_in_every_version() {
        assert_eq!(Print::of(b"foobar"), Print { len: 6, hash: 0x8594_4171_f739_67e8 });
        let print = Print::of(b"INFO");
        assert!(print.begins(b"INFO x") && print.begins(b"INFO"));
        assert!(!print.begins(b"INF") && !print.begins(b"DEBUG"));
        assert!(Print::of(b"").begins(b""));
    }
}
