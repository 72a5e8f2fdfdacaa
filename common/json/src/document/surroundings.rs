//! What the text around a place looks like.

use std::ops::Range;

use common::Result;

use crate::document::Document;
use crate::find::{Level, Route};
use crate::layout::{Lines, Style};
use crate::path::Path;
use crate::scan::Kind;

/// Lines are looked for so far back; a longer one is not indented, it is minified.
const LONGEST_LINE: u64 = 1 << 16;

/// The first indented line is looked for in so much of a text.
const SAMPLE: u64 = 1 << 12;

impl Document {
    /// How a value is laid out that comes to `path`, into a container that exists.
    ///
    /// # Errors
    /// When the document is no JSON or cannot be read.
    pub(crate) fn style_at(&mut self, path: &Path) -> Result<Style> {
        let (path, route) = self.route(path)?;
        match path.tokens().len().checked_sub(1).filter(|depth| *depth < route.levels.len()) {
            Some(depth) => self.style(&route, depth),
            None => self.style_of_line(route.root.span.start, &route),
        }
    }

    /// How a new item of the level at `depth` is laid out.
    pub(super) fn style(&self, route: &Route, depth: usize) -> Result<Style> {
        let level = &route.levels[depth];
        let indent = match (&level.last, self.indent_of_items(level)?) {
            (Some(_), indent) => indent,
            (None, _) if self.fills_lines(route, depth)? => {
                Some([self.indent_of_line(level.open)?, self.unit(route, depth)?].concat())
            }
            (None, _) => None,
        };
        let lines = match indent {
            Some(indent) => Some(Lines { newline: self.newline()?, indent, unit: self.unit(route, depth)? }),
            None => None,
        };
        let colon = self.colon(route, depth)?;
        let space = self.space(level, colon.as_deref())?;
        Ok(Style { lines, colon: colon.unwrap_or_else(|| b": ".to_vec()), space })
    }

    /// How a value of several lines is laid out that begins at `offset`.
    pub(super) fn style_of_line(&self, offset: u64, route: &Route) -> Result<Style> {
        let unit = self.unit(route, route.levels.len().saturating_sub(1))?;
        let lines = Lines { newline: self.newline()?, indent: self.indent_of_line(offset)?, unit };
        Ok(Style { lines: Some(lines), colon: b": ".to_vec(), space: b" ".to_vec() })
    }

    /// Whether what comes into an empty container gets a line of its own.
    fn fills_lines(&self, route: &Route, depth: usize) -> Result<bool> {
        let level = &route.levels[depth];
        if self.has_newline(level.open..level.close)? || depth == 0 {
            return Ok(true);
        }
        let around = &route.levels[depth - 1];
        Ok(self.indent_of_items(around)?.is_some() && !self.has_short_items(around)?)
    }

    /// Whether the elements of an array are objects or arrays on one line each, as its last one shows.
    pub(super) fn has_short_items(&self, level: &Level) -> Result<bool> {
        let Some(last) = level.last.as_ref().filter(|_| !level.is_object) else { return Ok(false) };
        let span = last.value.span.clone();
        let is_filled = matches!(last.value.kind, Kind::Object | Kind::Array) && span.end - span.start > 2;
        Ok(is_filled && span.end - span.start < LONGEST_LINE && !self.has_newline(span)?)
    }

    /// The indentation of the last item, where it begins a line.
    fn indent_of_items(&self, level: &Level) -> Result<Option<Vec<u8>>> {
        let Some(last) = &level.last else { return Ok(None) };
        let before = self.text.read(last.comma_before.unwrap_or(level.open) + 1..last.begin)?;
        let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        Ok((line.len() < before.len()).then(|| blank_in_front(line).to_vec()))
    }

    /// What a level more adds to the indentation: as on the way to the place, or else as in the first
    /// line that is indented at all.
    fn unit(&self, route: &Route, depth: usize) -> Result<Vec<u8>> {
        for level in route.levels[..route.levels.len().min(depth + 1)].iter().rev() {
            let Some(inner) = self.indent_of_items(level)? else { continue };
            let outer = self.indent_of_line(level.open)?;
            if let Some(unit) = inner.strip_prefix(&outer[..]).filter(|unit| !unit.is_empty()) {
                return Ok(unit.to_vec());
            }
        }
        let sample = self.text.read(0..self.text.length().min(SAMPLE))?;
        let mut indents = sample.split(|byte| *byte == b'\n').skip(1).map(blank_in_front);
        Ok(indents.find(|indent| !indent.is_empty()).unwrap_or(b"  ").to_vec())
    }

    pub(super) fn newline(&self) -> Result<&'static [u8]> {
        let sample = self.text.read(0..self.text.length().min(LONGEST_LINE))?;
        let end = sample.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        Ok(if sample[..end].ends_with(b"\r") { b"\r\n" } else { b"\n" })
    }

    /// What stands between a key and its value: in this object, or in the nearest around it.
    fn colon(&self, route: &Route, depth: usize) -> Result<Option<Vec<u8>>> {
        let own = route.levels[depth].last.as_ref();
        let around = route.levels[..depth].iter().rev().filter_map(|level| level.hit.as_ref());
        for item in own.into_iter().chain(around) {
            let Some(key_end) = item.key_end else { continue };
            let colon = self.text.read(key_end..item.value.span.start)?;
            if colon.iter().all(|byte| matches!(byte, b' ' | b'\t' | b':')) {
                return Ok(Some(colon));
            }
        }
        Ok(None)
    }

    /// What stands behind a comma on one line; where there is none, what stands behind a colon.
    fn space(&self, level: &Level, colon: Option<&[u8]>) -> Result<Vec<u8>> {
        if let Some((last, comma)) = level.last.as_ref().and_then(|last| Some((last, last.comma_before?))) {
            let space = self.text.read(comma + 1..last.begin)?;
            if is_blank(&space) {
                return Ok(space);
            }
        }
        Ok(colon.and_then(|colon| colon.split(|byte| *byte == b':').nth(1)).unwrap_or_default().to_vec())
    }

    /// The white space that the line of `offset` begins with.
    pub(super) fn indent_of_line(&self, offset: u64) -> Result<Vec<u8>> {
        let line = self.line_before(offset)?;
        Ok(line.map(|line| blank_in_front(&line).to_vec()).unwrap_or_default())
    }

    /// The blanks before `offset` where nothing else stands before it in its line, and that line is not
    /// the one in which the container begins.
    pub(super) fn line_begun_by(&self, offset: u64, level: &Level) -> Result<Option<Vec<u8>>> {
        let line = self.line_before(offset)?;
        Ok(line.filter(|line| is_blank(line) && level.open < offset - line.len() as u64))
    }

    /// What stands before `offset` in its line; `None` where that is endless.
    pub(super) fn line_before(&self, offset: u64) -> Result<Option<Vec<u8>>> {
        let mut look = 256;
        loop {
            let begin = offset.saturating_sub(look);
            let before = self.text.read(begin..offset)?;
            if let Some(newline) = before.iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(before[newline + 1..].to_vec()));
            }
            if begin == 0 {
                return Ok(Some(before.strip_prefix(b"\xEF\xBB\xBF").map(<[u8]>::to_vec).unwrap_or(before)));
            }
            if look > LONGEST_LINE {
                return Ok(None);
            }
            look *= 4;
        }
    }

    pub(super) fn has_newline(&self, range: Range<u64>) -> Result<bool> {
        Ok(self.text.read(range)?.contains(&b'\n'))
    }
}

fn blank_in_front(line: &[u8]) -> &[u8] {
    &line[..line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()]
}

/// Whether there is nothing but white space.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
