//! What would change in a file, as a unified diff that shows no secret.
//!
//! Secrets that are known are replaced wherever they stand. The old file may hold others, those of an
//! earlier deployment: see [`mask`] for what is shown of a line that is taken away.

mod mask;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use common::log::escape;
use secrets::hex;
use sha2::{Digest, Sha256};
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline, group_diff_ops};

use mask::Mask;

/// Unchanged lines around a change, as `diff -u` has them.
const CONTEXT: usize = 3;

/// From here on the shortest diff is no longer looked for; what is found is still right. Two files with
/// nothing in common would otherwise take time quadratic in their lines.
const PATIENCE: Duration = Duration::from_millis(500);

/// So many lines of a diff are shown: a person reads no more of it.
const MOST: usize = 500;

/// So many characters of a line are shown.
const LONGEST: usize = 1000;

/// What there is instead of a file.
const NOTHING: &str = "/dev/null";

/// A file that is to be shown. It has no `Debug`: it may hold secrets.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// Its content.
    pub(crate) bytes: &'a [u8],
    /// Its lines, from 0, that hold a secret, as far as they are known. Where the value stands in such a
    /// line as it is, or as JSON, a URL, hexadecimal or base64 write it, it is taken out; else the line is
    /// not shown at all.
    pub(crate) secret_lines: &'a BTreeSet<usize>,
}

/// The difference between `old` and `new` as `diff -u` writes it, with `name` in the headers and without
/// times; empty when there is none. It ends with a newline.
///
/// It is for people: control characters but the tabulator are escaped, long lines and long diffs are
/// cut, and secrets taken out, so patch(1) makes `new` of it only where there was nothing of these. What
/// is no text is told in one sentence.
pub(crate) fn unified(old: Option<&Shown<'_>>, new: Option<&Shown<'_>>, name: &str) -> String {
    if old.map(|old| old.bytes) == new.map(|new| new.bytes) {
        return String::new();
    }
    let name = escape(name);
    let of = |side: Option<&Shown<'_>>| if side.is_some() { name.clone() } else { NOTHING.to_owned() };
    let head = format!("--- {}\n+++ {}\n", of(old), of(new));
    let (Some(before), Some(after)) = (text(old), text(new)) else {
        return format!("{head}no text: {} before, {} after\n", told(old), told(new));
    };
    if before.is_empty() && after.is_empty() {
        return format!("{head}an empty file\n");
    }
    let sides = Sides { old: lines(before), new: lines(after) };
    let none = BTreeSet::new();
    let secret = |side: Option<&Shown<'_>>| side.map_or_else(|| none.clone(), |it| it.secret_lines.clone());
    let mask = Mask::new(&sides, secret(old), secret(new));
    head + &body(&sides, &mask)
}

/// Nothing is an empty text; bytes that no editor shows as text are none.
fn text<'a>(side: Option<&Shown<'a>>) -> Option<&'a str> {
    let Some(shown) = side else { return Some("") };
    std::str::from_utf8(shown.bytes).ok().filter(|text| !text.contains('\0'))
}

fn told(side: Option<&Shown<'_>>) -> String {
    let Some(Shown { bytes, .. }) = side else { return "no file".into() };
    let count = bytes.len();
    format!("{count} {} with SHA-256 {}", if count == 1 { "byte" } else { "bytes" }, sum(bytes))
}

/// The SHA-256 of `bytes` in hexadecimal digits.
pub(crate) fn sum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The lines of both files, with their ends.
struct Sides<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Lines that are taken away, and those that come in their place; one of both may be none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    old: Range<usize>,
    new: Range<usize>,
}

/// Changes that are near to each other, with the lines around them.
struct Hunk {
    all: Run,
    parts: Vec<Part>,
}

enum Part {
    /// Lines of the new file that are in the old one, too.
    Same(Range<usize>),
    Changed(Run),
}

fn body(sides: &Sides<'_>, mask: &Mask<'_>) -> String {
    let deadline = Instant::now().checked_add(PATIENCE);
    let changes = capture_diff_slices_deadline(Algorithm::Myers, &sides.old, &sides.new, deadline);
    let mut page = Page::default();
    for hunk in group_diff_ops(changes, CONTEXT) {
        if let Some(hunk) = Hunk::of(&hunk) {
            hunk.print(sides, mask, &mut page);
        }
    }
    page.end()
}

impl Hunk {
    fn of(changes: &[DiffOp]) -> Option<Self> {
        let (first, last) = (changes.first()?, changes.last()?);
        let all = Run {
            old: first.old_range().start..last.old_range().end,
            new: first.new_range().start..last.new_range().end,
        };
        let mut parts: Vec<Part> = Vec::new();
        for change in changes {
            match (change, parts.last_mut()) {
                (DiffOp::Equal { .. }, _) => parts.push(Part::Same(change.new_range())),
                (_, Some(Part::Changed(run))) => {
                    run.old.end = change.old_range().end;
                    run.new.end = change.new_range().end;
                }
                _ => parts.push(Part::Changed(Run { old: change.old_range(), new: change.new_range() })),
            }
        }
        Some(Self { all, parts })
    }

    fn print(&self, sides: &Sides<'_>, mask: &Mask<'_>, page: &mut Page) {
        page.put(|| format!("@@ -{} +{} @@\n", range(&self.all.old), range(&self.all.new)));
        let is_near = mask.has_secret(&self.all.new);
        for part in &self.parts {
            match part {
                Part::Same(same) => {
                    for at in same.clone() {
                        page.put(|| line(' ', &mask.new_line(at), sides.new[at]));
                    }
                }
                // What is not shown is not looked at.
                Part::Changed(run) if page.is_full() => page.lines += run.old.len() + run.new.len(),
                Part::Changed(run) => {
                    let group = mask.group(run, is_near);
                    for at in run.old.clone() {
                        page.put(|| line('-', &mask.old_line(at, &group), sides.old[at]));
                    }
                    for at in run.new.clone() {
                        page.put(|| line('+', &mask.new_line(at), sides.new[at]));
                    }
                }
            }
        }
    }
}

/// What is shown, up to [`MOST`] lines.
#[derive(Default)]
struct Page {
    text: String,
    lines: usize,
}

impl Page {
    fn put(&mut self, line: impl FnOnce() -> String) {
        self.lines += 1;
        if self.lines <= MOST {
            self.text += &line();
        }
    }

    fn is_full(&self) -> bool {
        self.lines >= MOST
    }

    fn end(self) -> String {
        let more = match self.lines.saturating_sub(MOST) {
            0 => String::new(),
            1 => "... and 1 more line\n".into(),
            more => format!("... and {more} more lines\n"),
        };
        self.text + &more
    }
}

/// A line as it is shown; `raw` is what it is in the file.
fn line(sign: char, shown: &str, raw: &str) -> String {
    let kept: String = shown.chars().take(LONGEST).collect();
    let mut line = String::from(sign);
    // A tabulator steers no terminal, and is part of many a file.
    let escaped: Vec<String> = kept.split('\t').map(escape).collect();
    line += &escaped.join("\t");
    if kept.len() < shown.len() {
        let length = raw.trim_end_matches('\n').len();
        line.extend([" ... (a line of ", &length.to_string(), " bytes)"]);
    }
    let end = if raw.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" };
    line + end
}

/// First line and number of lines; `diff -u` leaves out a number of one, and of none it names the line
/// before.
fn range(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}
