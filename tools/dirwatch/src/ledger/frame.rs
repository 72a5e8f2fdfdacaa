//! The records of the journal: entries as bytes, each in a frame that tells whether it is whole.
//!
//! A frame is its length (4 bytes), a CRC-32 (4), the generation of the half it lies in (8), and an
//! entry as postcard has it; numbers are little-endian. The CRC goes on from that of the frame before,
//! so that what an older use of the same half has left behind never continues a newer one, however
//! well it fits.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use super::{Entry, State};
use crate::identity::Key;

/// What stands before an entry.
const HEADER: usize = 16;

/// A longer note is cut: what an entry needs in the journal must be known before its command ends.
pub(crate) const LONGEST_NOTE: usize = 200;

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    key: Key,
    #[serde(borrow, serialize_with = "as_bytes")]
    path: &'a [u8],
    size: u64,
    modified: i64,
    state: u8,
    attempt: u32,
    failures: u32,
    at: i64,
    due: i64,
    took: u64,
    note: &'a str,
}

/// All at once; serde would take them one by one.
fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// The number by which a state is stored, in the journal and in the database: below
/// [`FIRST_CLOSED`] it is an open one.
#[must_use]
pub(crate) fn code(state: State) -> u8 {
    match state {
        State::Started => 1,
        State::Retry => 2,
        State::Passed => 3,
        State::Rejected => 4,
        State::Again => 5,
        State::Done => 16,
        State::Failed => 17,
        State::Interrupted => 18,
        State::Left => 19,
        State::Same => 20,
        State::Gone => 21,
    }
}

/// See [`code`].
pub(crate) const FIRST_CLOSED: u8 = 16;

/// The state with this number; `None` for a number that this version does not know.
#[must_use]
pub(crate) fn state_of(number: u8) -> Option<State> {
    State::ALL.into_iter().find(|&state| code(state) == number)
}

/// `note`, or as much of it as is kept.
#[must_use]
pub(crate) fn cut(note: &str) -> &str {
    let end = (0..=LONGEST_NOTE.min(note.len())).rev().find(|&end| note.is_char_boundary(end));
    end.and_then(|end| note.get(..end)).unwrap_or("")
}

/// Adds a frame with `entry`, to be [sealed](seal); returns its length. `None` when it cannot be
/// written at all, which needs a path of 4 GiB; `frames` is empty then.
pub(crate) fn push(frames: &mut Vec<u8>, entry: &Entry) -> Option<usize> {
    let record = Record {
        key: entry.key,
        path: entry.path.as_os_str().as_bytes(),
        size: entry.size,
        modified: entry.modified,
        state: code(entry.state),
        attempt: entry.attempt,
        failures: entry.failures,
        at: entry.at,
        due: entry.due,
        took: entry.took,
        note: cut(&entry.note),
    };
    let start = frames.len();
    frames.extend_from_slice(&[0; HEADER]);
    *frames = postcard::to_extend(&record, std::mem::take(frames)).ok()?;
    let length = frames.len() - start;
    let payload = u32::try_from(length - HEADER).ok()?;
    frames.get_mut(start..start + 4)?.copy_from_slice(&payload.to_le_bytes());
    Some(length)
}

/// Gives all frames their generation and their CRC. `chain` is the CRC of the frame before, 0 for the
/// first one of a half; returns that of the last one.
pub(crate) fn seal(frames: &mut [u8], generation: u64, mut chain: u32) -> u32 {
    let mut rest = frames;
    while let Some((header, tail)) = rest.split_first_chunk_mut::<HEADER>() {
        let length = length_of(header).min(tail.len());
        let (payload, next) = tail.split_at_mut(length);
        header[8..].copy_from_slice(&generation.to_le_bytes());
        chain = crc(chain, &header[8..], payload);
        header[4..8].copy_from_slice(&chain.to_le_bytes());
        rest = next;
    }
    chain
}

/// The whole frames that `bytes` begins with, and their generation; `None` when there is none.
pub(crate) fn read(bytes: &[u8]) -> Option<(u64, Vec<Entry>)> {
    let (mut rest, mut chain, mut generation) = (bytes, 0, None);
    let mut entries = Vec::new();
    while let Some((header, tail)) = rest.split_first_chunk::<HEADER>() {
        let Some((payload, next)) = tail.split_at_checked(length_of(header)) else { break };
        let found = u64::from_le_bytes(*header.last_chunk()?);
        let sum = crc(chain, &header[8..], payload);
        if sum.to_le_bytes() != header[4..8] || generation.is_some_and(|first| first != found) {
            break;
        }
        let Some(entry) = entry_of(payload) else { break };
        entries.push(entry);
        (rest, chain, generation) = (next, sum, Some(found));
    }
    Some((generation?, entries))
}

fn length_of(header: &[u8; HEADER]) -> usize {
    let [a, b, c, d, ..] = *header;
    // A 32-bit system could not have written more.
    usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX)
}

fn crc(chain: u32, generation: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(chain);
    hasher.update(generation);
    hasher.update(payload);
    hasher.finalize()
}

fn entry_of(payload: &[u8]) -> Option<Entry> {
    let record: Record<'_> = postcard::from_bytes(payload).ok()?;
    Some(Entry {
        key: record.key,
        path: Path::new(OsStr::from_bytes(record.path)).to_path_buf(),
        size: record.size,
        modified: record.modified,
        state: state_of(record.state)?,
        attempt: record.attempt,
        failures: record.failures,
        at: record.at,
        due: record.due,
        took: record.took,
        note: record.note.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let path = proptest::collection::vec(any::<u8>(), 0..300);
        let numbers = (any::<u64>(), any::<i64>(), any::<u32>(), any::<u32>(), any::<i64>(), any::<i64>());
        let rest = (any::<u64>(), "[^\\n]{0,40}", 0..State::ALL.len());
        (any::<[u8; 16]>(), path, numbers, rest).prop_map(|(key, path, numbers, (took, note, state))| Entry {
            key: Key(key),
            path: Path::new(OsStr::from_bytes(&path)).to_path_buf(),
            size: numbers.0,
            modified: numbers.1,
            state: State::ALL[state],
            attempt: numbers.2,
            failures: numbers.3,
            at: numbers.4,
            due: numbers.5,
            took,
            note: cut(&note).to_owned(),
        })
    }

    fn framed(entries: &[Entry], generation: u64) -> (Vec<u8>, Vec<usize>) {
        let mut frames = Vec::new();
        let ends = entries.iter().map(|entry| {
            push(&mut frames, entry).unwrap();
            frames.len()
        });
        let ends = ends.collect();
        seal(&mut frames, generation, 0);
        (frames, ends)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_up_to_where_it_was_torn(
            entries in proptest::collection::vec(any_entry(), 1..6), generation: u64, old: u8,
        ) {
            let (frames, ends) = framed(&entries, generation);
            for length in 0..=frames.len() {
                // Behind the tear lies what was there before.
                let mut torn = frames[..length].to_vec();
                torn.resize(frames.len() + 40, old);
                let whole = ends.iter().filter(|&&end| end <= length).count();
                let is_same = |end: usize| torn[..end] == frames[..end];
                let want = whole.max(ends.iter().take_while(|&&end| is_same(end)).count());
                let read = read(&torn).map(|(found, entries)| {
                    assert_eq!(found, generation);
                    entries
                });
                prop_assert_eq!(read.unwrap_or_default(), &entries[..want]);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), at: usize) {
            let _any = read(&bytes);
            let _entry = entry_of(&bytes);
            let (mut frames, _) = framed(&[sample("/in/a"), sample("/in/b")], 7);
            let place = at % frames.len();
            frames[place] ^= bytes.first().copied().unwrap_or(0) | 1;
            prop_assert!(read(&frames).is_none_or(|(_, entries)| entries.len() < 2));
        }
    }

    fn sample(path: &str) -> Entry {
        Entry {
            key: Key([7; 16]),
            path: path.into(),
            size: 1,
            modified: 2,
            state: State::Done,
            attempt: 1,
            failures: 0,
            at: 3,
            due: 0,
            took: 4,
            note: String::new(),
        }
    }

    #[test]
    fn an_older_use_of_the_same_place_never_continues_a_newer_one() {
        let (mut half, ends) = framed(&[sample("/in/a"), sample("/in/b"), sample("/in/c")], 8);
        let (newer, _) = framed(&[sample("/in/d")], 8);
        half[..ends[0]].copy_from_slice(&newer);
        assert_eq!(read(&half).unwrap().1, [sample("/in/d")], "even of the same generation and length");
    }

    #[test]
    fn a_note_is_cut_between_characters() {
        let check = |note: &str, want: usize| assert_eq!(cut(note).len(), want);
        check("", 0);
        check("exit status 1", 13);
        check(&"x".repeat(300), LONGEST_NOTE);
        check(&format!("x{}", "é".repeat(200)), LONGEST_NOTE - 1);
    }

    #[test]
    fn every_state_has_a_number_of_its_own() {
        for state in State::ALL {
            assert_eq!(state_of(code(state)), Some(state));
            assert_eq!(code(state) < FIRST_CLOSED, state.is_open(), "{state:?}");
        }
        assert_eq!(state_of(0), None);
    }
}
