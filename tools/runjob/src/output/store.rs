//! What is kept of the output: its beginning, and of the rest its end.

use std::io;

use super::spool::Spool;

/// So much is in memory; what is over goes into a file. With all else that runjob takes, 1.9 MiB of program and
/// 160 KiB beside it, that stays below 3 MiB: a whole MiB came to 3136 KiB at 200 MB of output.
const MEMORY: usize = 896 * 1024;

/// As much of the end as is kept, in memory, when there is no room for a file: the reason why a command
/// failed is mostly in its last lines.
const LAST: u64 = 64 * 1024;

/// The beginning and the end of all bytes that were added.
#[derive(Debug)]
pub(super) struct Store {
    head: Spool,
    /// How long the beginning is.
    kept: u64,
    /// How long it may become.
    most: u64,
    ring: Ring,
    total: u64,
    /// Why more could not be kept.
    failed: Option<String>,
}

/// The last bytes of all that were added.
#[derive(Debug)]
struct Ring {
    spool: Spool,
    size: u64,
    /// So many were written to it, one after the other.
    total: u64,
}

impl Store {
    /// Keeps the first `head` and the last `tail` bytes.
    pub(super) fn new(head: u64, tail: u64) -> Self {
        // Together they are within one bound.
        let memory = if head == 0 || tail == 0 { MEMORY } else { MEMORY / 2 };
        let ring = Ring { spool: Spool::new(memory), size: tail, total: 0 };
        Self { head: Spool::new(memory), kept: 0, most: head, ring, total: 0, failed: None }
    }

    /// Keeps `bytes`, as far as they are wanted and there is room.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = usize::try_from(self.most - self.kept).unwrap_or(usize::MAX);
        let (first, mut rest) = bytes.split_at(bytes.len().min(room));
        let written = self.head.write(self.kept, first);
        let kept = written.as_ref().map_or_else(|(kept, _)| *kept, |()| first.len());
        self.kept += kept as u64;
        if let Err((_, why)) = written {
            self.fail(&why);
            rest = &bytes[kept..];
        }
        if let Err((_, why)) = self.ring.add(rest) {
            self.fail(&why);
            // This one is in memory.
            let _always_kept = self.ring.add(rest);
        }
    }

    /// Closes the beginning, and keeps the end in memory.
    fn fail(&mut self, why: &io::Error) {
        self.failed.get_or_insert_with(|| reason(why));
        self.most = self.kept;
        self.ring = Ring { spool: Spool::new(MEMORY), size: LAST, total: 0 };
    }

    /// How many bytes were added.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many bytes are neither in the beginning nor in the end.
    fn missing(&self) -> u64 {
        self.total - self.kept - self.ring.len()
    }

    /// Whether all that was added ends with a newline, or is nothing.
    pub(super) fn ends_a_line(&self) -> bool {
        self.total == 0 || self.tail(1) == b"\n"
    }

    /// Hands on all that was kept, with a line for what is missing.
    ///
    /// # Errors
    /// When `take` refuses a piece, or it cannot be read back.
    pub(super) fn read(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.head.read((0, self.kept), take)?;
        self.read_end(self.kept, take)
    }

    /// Hands on what was kept of all but the first `from` bytes, with a line for what is missing; of
    /// the beginning nothing.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub(super) fn read_end(
        &self,
        from: u64,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let rest = self.total - from;
        if rest > self.ring.len() {
            let missing = rest - self.ring.len();
            take(gap(missing, self.failed.as_deref()).as_bytes())?;
        }
        self.ring.read(rest, take)
    }

    /// The last bytes, `most` of them at most, as far as they are in one piece.
    pub(super) fn tail(&self, most: u64) -> Vec<u8> {
        let mut found = Vec::new();
        let mut take = |piece: &[u8]| {
            found.extend_from_slice(piece);
            Ok(())
        };
        if self.missing() == 0 || self.ring.len() == 0 {
            let wanted = most.saturating_sub(self.ring.len()).min(self.kept);
            // What cannot be read back is not told.
            let _as_far = self.head.read((self.kept - wanted, self.kept), &mut take);
        }
        let _as_far = self.ring.read(most, &mut take);
        found
    }
}

impl Ring {
    fn len(&self) -> u64 {
        self.total.min(self.size)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), super::spool::Short> {
        if self.size == 0 {
            return Ok(());
        }
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        // What would be overwritten at once is not written.
        let mut bytes = &bytes[bytes.len().saturating_sub(size)..];
        while !bytes.is_empty() {
            let at = self.total % self.size;
            let most = usize::try_from(self.size - at).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(most));
            self.spool.write(at, now)?;
            self.total += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Hands on its last bytes, `most` at most.
    fn read(&self, most: u64, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let wanted = most.min(self.len());
        if wanted == 0 {
            return Ok(());
        }
        let from = (self.total - wanted) % self.size;
        let to_end = wanted.min(self.size - from);
        self.spool.read((from, from + to_end), take)?;
        self.spool.read((0, wanted - to_end), take)
    }
}

/// The line that stands for bytes that are not there.
fn gap(missing: u64, failed: Option<&str>) -> String {
    let bytes = if missing == 1 { "byte of output was" } else { "bytes of output were" };
    match failed {
        Some(why) => format!("\n--- {missing} {bytes} lost: {why}\n"),
        None => format!("\n--- {missing} {bytes} left out, by --max-output\n"),
    }
}

/// Without the number, which tells nothing more.
pub(super) fn reason(why: &io::Error) -> String {
    let text = why.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(store: &Store) -> Vec<u8> {
        let mut found = Vec::new();
        let mut take = |piece: &[u8]| {
            found.extend_from_slice(piece);
            Ok(())
        };
        store.read(&mut take).unwrap();
        found
    }

    fn check((head, tail): (u64, u64), added: &[&str], want: &str) {
        let mut store = Store::new(head, tail);
        for piece in added {
            store.add(piece.as_bytes());
        }
        assert_eq!(String::from_utf8(all(&store)).unwrap(), want, "{added:?}");
    }

    #[test]
    fn the_beginning_and_the_end_are_kept_and_the_gap_is_told() {
        check((u64::MAX, 0), &["ab", "cd"], "abcd");
        check((2, 2), &["abcd"], "abcd");
        check(
            (2, 2),
            &["a", "b", "c", "d", "e"],
            "ab\n--- 1 byte of output was left out, by --max-output\nde",
        );
        check((2, 2), &["abcdefgh"], "ab\n--- 4 bytes of output were left out, by --max-output\ngh");
        check((2, 3), &["abcdef", "ghijkl"], "ab\n--- 7 bytes of output were left out, by --max-output\njkl");
        check((0, 0), &["abc"], "\n--- 3 bytes of output were left out, by --max-output\n");
    }

    #[test]
    fn without_room_the_last_lines_stay() {
        let mut store = Store::new(u64::MAX, 0);
        store.add(b"first\n");
        store.fail(&io::Error::from_raw_os_error(28));
        for _ in 0..20_000 {
            store.add(b"between\n");
        }
        store.add(b"last\n");
        let text = String::from_utf8(all(&store)).unwrap();
        let missing = 20_000 * 8 + 5 - LAST;
        let gap = format!("first\n\n--- {missing} bytes of output were lost: No space left on device\n");
        assert!(text.starts_with(&gap) && text.ends_with("between\nlast\n"), "{}", &text[..200]);
        assert_eq!(store.tail(13), b"between\nlast\n");
    }

    proptest! {
        #[test]
        fn any_pieces_are_kept_as_one(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            head in 0_u64..50, tail in 0_u64..50, most in 0_u64..100,
        ) {
            let mut store = Store::new(head, tail);
            for piece in &pieces {
                store.add(piece);
            }
            let whole = pieces.concat();
            let first = whole.len().min(usize::try_from(head).unwrap());
            let last = (whole.len() - first).min(usize::try_from(tail).unwrap());
            let missing = whole.len() - first - last;
            let gap = if missing > 0 { gap(missing as u64, None) } else { String::new() };
            let want = [&whole[..first], gap.as_bytes(), &whole[whole.len() - last..]].concat();
            prop_assert_eq!(all(&store), want);
            if missing == 0 {
                let most = whole.len().min(usize::try_from(most).unwrap());
                prop_assert_eq!(store.tail(most as u64), &whole[whole.len() - most..]);
            }
        }
    }
}
