//! Reads what a file holds behind the place where the last run stopped.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use common::{OrCannot, Result};
use logs::records::{After, Scanner};
use logs::source::{Source, behind_nuls};
use logs::stream::Blocks;

use super::listing::Found;
use super::matching::{prints, skip, text_head};
use super::segment::{PRINT, Print, Segment};
use crate::plan::Plan;
use crate::tally::Tally;

/// A writer that was told to reopen its log does so within this time; what it left unfinished in a
/// rotated file then stays so.
const REOPENED_NS: i64 = 10_000_000_000;

/// Counts what is new in `file` and moves `segment` behind it. `None` when the file was renamed or
/// truncated meanwhile: the segment is then of no use.
///
/// An unfinished last line is left for the next run, except in a packed file and in a rotated one
/// that nobody has written to for ten seconds.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read<T: Tally>(
    file: &Found,
    segment: &mut Segment,
    plan: &Plan,
    now: i64,
) -> Result<Option<T>> {
    let Some(source) = file.open()? else { return Ok(None) };
    let mut tally = T::new(plan, source.written());
    tally.resume(&segment.mark);
    let mut scanner = Scanner::new(&plan.rules);
    scanner.state = segment.scan();
    let rests = !file.live && (source.is_packed() || now.saturating_sub(file.mtime) > REOPENED_NS);
    let after = if rests { After::End } else { After::More };

    let is_seekable = source.seekable().is_some();
    let kept = if is_seekable {
        plain(&source, segment, &mut scanner, after, &mut tally).or_cannot("read", &file.path)?
    } else if file.size > 0 {
        in_order(source, file, segment, &mut scanner, after, &mut tally)?
    } else {
        true
    };
    segment.set_scan(scanner.state);
    segment.mark = tally.mark();
    (segment.size, segment.mtime) = (file.size, file.mtime);
    segment.settled = rests;
    Ok(kept.then_some(tally))
}

/// Reads a plain file from the offset on; false when it was truncated meanwhile.
fn plain<T: Tally>(
    source: &Source,
    segment: &mut Segment,
    scanner: &mut Scanner<'_>,
    after: After,
    tally: &mut T,
) -> io::Result<bool> {
    let Some((file, _)) = source.seekable() else { return Ok(false) };
    let start = if segment.offset == 0 { behind_nuls(file, 0)? } else { segment.offset };
    let mut at = start;
    let read = |buffer: &mut [u8]| {
        let got = file.read_at(buffer, at)?;
        at += got as u64;
        Ok(got)
    };
    segment.offset = start + Blocks::default().scan(read, scanner, after, tally)?;
    if after == After::End && segment.offset > start {
        let mut last = [0];
        file.read_at(&mut last, segment.offset - 1)?;
        // Should its writer go on with this line after all, that is not another record.
        scanner.state.inside |= last != *b"\n";
    }
    (segment.head, segment.tail) = prints(file, segment.offset)?;
    // A truncation on the way would have left the prints of nothing.
    Ok(file.metadata()?.len() >= segment.offset)
}

/// Reads packed text, and UTF-16, where offsets count the bytes of the text: it is unpacked from its
/// start and what was counted is passed over.
fn in_order<T: Tally>(
    source: Source,
    file: &Found,
    segment: &mut Segment,
    scanner: &mut Scanner<'_>,
    after: After,
    tally: &mut T,
) -> Result<bool> {
    let mut reader = source.text()?.reader;
    let before = skip(&mut reader, segment.offset, Vec::new()).or_cannot("read", &file.path)?;
    let Some(before) = before else { return Ok(true) };
    let read = |buffer: &mut [u8]| reader.read(buffer);
    let added = Blocks::default().scan(read, scanner, after, tally).or_cannot("read", &file.path)?;
    segment.offset += added;
    let Some(head) = text_head(file, PRINT)? else { return Ok(false) };
    let len = usize::try_from(segment.offset).unwrap_or(PRINT).min(head.len());
    segment.head = Print::of(&head[..len]);
    segment.tail = if added == 0 { Print::of(&before) } else { Print::default() };
    Ok(true)
}

/// Takes note of a file that was there before the first run, without counting it.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn pass_over(file: &Found, segment: &mut Segment) -> Result<Option<()>> {
    let Some(source) = file.open()? else { return Ok(None) };
    (segment.size, segment.mtime) = (file.size, file.mtime);
    let Some((plain, _)) = source.seekable() else {
        let Some(head) = text_head(file, PRINT)? else { return Ok(None) };
        (segment.head, segment.ignored) = (Print::of(&head), true);
        return Ok(Some(()));
    };
    segment.offset = file.size;
    (segment.head, segment.tail) = prints(plain, segment.offset).or_cannot("read", &file.path)?;
    let mut last = [0];
    let got = plain.read_at(&mut last, segment.offset.saturating_sub(1)).or_cannot("read", &file.path)?;
    let mut state = segment.scan();
    (state.begun, state.inside) = (true, got == 1 && last != *b"\n");
    segment.set_scan(state);
    Ok(Some(()))
}
