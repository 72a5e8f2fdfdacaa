//! One file in parallel, with the result of a scan in order.
//!
//! The file is cut into stripes. Each worker guesses how a scan in order would enter its stripe: at
//! the first line that begins in it, in the state that the file's beginning left. The results are
//! then joined in order, and where the guess was wrong (a record of several lines lies across the
//! border, say) that stripe is done again from where the one before really stopped. So the
//! result is that of a scan in order by construction, for every border.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rayon::prelude::*;

use super::Blocks;
use crate::records::{After, Scanner, Sink, State};
use crate::rules::Rules;

/// Large enough that starting one costs nothing, small enough to balance the workers.
const STRIPE: u64 = 4 * 1024 * 1024;
/// Results that wait to be joined.
const WAVE: usize = 64;

/// A sink whose results can be joined to those of the bytes before.
pub trait Merge: Sink + Send {
    /// Adds what `next` found in the bytes that follow. What `next` was told by [`Sink::more`]
    /// before its first record belongs to the last record of `self`.
    fn absorb(&mut self, next: Self);
}

/// Where a scan stands: the offset of the next line, and the state there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    offset: u64,
    state: State,
}

/// Scans the bytes of `file` from `start` to `end`, in as many threads as rayon has.
///
/// # Errors
/// When the file cannot be read.
pub fn scan_file<S: Merge>(
    file: &File,
    (start, end): (u64, u64),
    rules: &Rules,
    new_sink: impl Fn() -> S + Sync,
) -> io::Result<S> {
    scan_stripes(&Job { file, end, rules, stripe: STRIPE }, start, &new_sink)
}

struct Job<'a> {
    file: &'a File,
    end: u64,
    rules: &'a Rules,
    stripe: u64,
}

fn scan_stripes<S: Merge>(job: &Job<'_>, start: u64, new_sink: &(impl Fn() -> S + Sync)) -> io::Result<S> {
    let mut all = new_sink();
    let mut place = Place { offset: start, state: State::default() };
    // The first stripe tells in what state the others are likely entered.
    let mut border = job.end.min(start + job.stripe.min(256 * 1024));
    place = scan_from(job, place, border, &mut all)?;
    let guess = State { parted: [false; 2], inside: false, ..place.state };
    while border < job.end {
        let stripes: Vec<(u64, u64)> = (0..WAVE as u64)
            .map(|n| border + n * job.stripe)
            .take_while(|from| *from < job.end)
            .map(|from| (from, job.end.min(from + job.stripe)))
            .collect();
        let results: Vec<io::Result<_>> =
            stripes.par_iter().map(|(from, to)| scan_stripe(job, (*from, *to), guess, new_sink)).collect();
        for ((_, to), result) in stripes.iter().zip(results) {
            let (entered, left, sink) = result?;
            if entered == place {
                all.absorb(sink);
                place = left;
            } else if place.offset < *to {
                let mut sink = new_sink();
                place = scan_from(job, place, *to, &mut sink)?;
                all.absorb(sink);
            }
            border = *to;
        }
    }
    Ok(all)
}

/// Scans the lines that begin in a stripe, on the guess that it is entered in state `guess`.
fn scan_stripe<S: Merge>(
    job: &Job<'_>,
    (from, to): (u64, u64),
    guess: State,
    new_sink: &impl Fn() -> S,
) -> io::Result<(Place, Place, S)> {
    let mut sink = new_sink();
    let entered = Place { offset: line_start(job.file, from, to)?, state: guess };
    let left = if entered.offset < to { scan_from(job, entered, to, &mut sink)? } else { entered };
    Ok((entered, left, sink))
}

/// Scans from `place` all lines that begin before `border`, and returns where that ended.
fn scan_from(job: &Job<'_>, place: Place, border: u64, sink: &mut impl Sink) -> io::Result<Place> {
    let mut scanner = Scanner::new(job.rules);
    scanner.state = place.state;
    let mut offset = place.offset;
    let mut limit = border;
    loop {
        // The line that lies across the border is done here: up to the first newline behind it.
        limit = if limit >= job.end { job.end } else { line_start(job.file, limit, job.end)? };
        let end = if limit >= job.end { After::End } else { After::More };
        let mut at = offset;
        let read = |buffer: &mut [u8]| {
            let room = usize::try_from(limit - at).unwrap_or(usize::MAX).min(buffer.len());
            let got = job.file.read_at(&mut buffer[..room], at)?;
            at += got as u64;
            Ok(got)
        };
        let done = Blocks::default().scan(read, &mut scanner, end, sink)?;
        offset += done;
        // A record of two lines whose second lies behind the limit was left: give it one line more.
        if offset >= border || limit >= job.end || (at < limit && done == 0) {
            return Ok(Place { offset, state: scanner.state });
        }
        limit += 1;
    }
}

/// The offset of the first line that begins at or after `from`; `end` when none does before it.
fn line_start(file: &File, from: u64, end: u64) -> io::Result<u64> {
    if from == 0 {
        return Ok(0);
    }
    let mut buffer = vec![0; 4096];
    let mut at = from - 1;
    while at < end {
        let got = file.read_at(&mut buffer, at)?;
        if let Some(newline) = memchr::memchr(b'\n', &buffer[..got]) {
            return Ok((at + newline as u64 + 1).min(end));
        }
        if got == 0 {
            break;
        }
        at += got as u64;
        // A long line: read on in larger steps.
        buffer.resize(256 * 1024, 0);
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::{LINES, Told, in_order, text_of};
    use proptest::prelude::*;
    use std::io::Write;

    fn striped(text: &[u8], stripe: u64) -> Told {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let job = Job { file: &file, end: text.len() as u64, rules: &Rules::default(), stripe };
        scan_stripes(&job, 0, &Told::default).unwrap()
    }

    proptest! {
        #[test]
        fn in_parallel_as_in_order_for_every_border(
            picks in prop::collection::vec(0..LINES.len(), 0..30), stripe in 1_u64..200, torn: bool,
        ) {
            let mut text = text_of(&picks);
            if torn {
                text.pop();
            }
            prop_assert_eq!(striped(&text, stripe), in_order(&text));
        }

        #[test]
        fn block_sizes_do_not_matter(
            picks in prop::collection::vec(0..LINES.len(), 0..30), block in 1_usize..300,
        ) {
            let text = text_of(&picks);
            let rules = Rules::default();
            let mut told = Told::default();
            let mut bytes = &text[..];
            let mut blocks = Blocks::with_sizes(block, 4096);
            let mut scanner = Scanner::new(&rules);
            blocks.scan(|b| io::Read::read(&mut bytes, b), &mut scanner, After::End, &mut told).unwrap();
            prop_assert_eq!(told, in_order(&text));
        }
    }

    #[test]
    fn a_line_longer_than_any_block_keeps_its_level_and_its_bytes() {
        let text = format!("2025-03-14 09:26:53 ERROR {}\n2025-03-14 09:26:53 INFO x\n", "x".repeat(5000));
        let rules = Rules::default();
        let mut told = Told::default();
        let mut bytes = text.as_bytes();
        let mut blocks = Blocks::with_sizes(64, 256);
        let mut scanner = Scanner::new(&rules);
        blocks.scan(|b| io::Read::read(&mut bytes, b), &mut scanner, After::End, &mut told).unwrap();
        let records: Vec<_> = told.records.iter().map(|(what, lines, _)| (what.as_str(), *lines)).collect();
        assert_eq!(records, [("Some(Error) ERROR", 1), ("Some(Info) INFO", 1)]);
        let bytes: Vec<u8> = told.records.iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
        assert_eq!(bytes, text.as_bytes());
    }

    #[test]
    fn no_line_is_lost_when_a_record_fills_the_block_to_the_end_of_a_line() {
        let first = format!("__CURSOR=s=1\nA={}\n", "x".repeat(240));
        assert_eq!(first.len(), 256);
        let text = format!("{first}MESSAGE=m\n\n__CURSOR=s=2\n\n");
        let rules = Rules::default();
        let mut told = Told::default();
        let mut bytes = text.as_bytes();
        let mut scanner = Scanner::new(&rules);
        let mut blocks = Blocks::with_sizes(64, 256);
        blocks.scan(|b| io::Read::read(&mut bytes, b), &mut scanner, After::End, &mut told).unwrap();
        let lines: Vec<_> = told.records.iter().map(|(_, lines, _)| *lines).collect();
        assert_eq!(lines, [4, 2]);
    }
}
