//! Takes an item out of its container, with its comma and the line that would be left empty.
//! Comments stay: whose they are only a person knows.

use std::ops::Range;

use common::Result;

use super::surroundings::is_blank;
use super::{Document, Item, Level, Syntax};

impl Document {
    /// Takes `item` out.
    pub(super) fn cut(&mut self, level: &Level, item: &Item) -> Result<()> {
        let value = item.begin..item.value.span.end;
        if level.count == 1 {
            let after = item.comma_after.map_or(value.end, |comma| comma + 1);
            if self.is_blank(level.open + 1..item.begin)?
                && self.is_blank(value.end..item.comma_after.unwrap_or(value.end))?
                && self.is_blank(after..level.close)?
            {
                return self.splice(level.open + 1..level.close, Vec::new());
            }
        }
        let is_last = level.last.as_ref().is_some_and(|last| last.index == item.index);
        match (item.comma_after, item.comma_before) {
            (Some(after), Some(before))
                if is_last
                    && self.is_blank(before + 1..item.begin)?
                    && self.is_blank(value.end..after)? =>
            {
                self.splice(before + 1..after + 1, Vec::new())
            }
            (Some(comma), _) if self.is_blank(value.end..comma)? => {
                self.cut_line(item.begin..comma + 1, level.open..level.close)
            }
            (Some(comma), _) => {
                let length = self.text.length();
                self.cut_comma(comma, level.open..level.close)?;
                let close = level.close - (length - self.text.length());
                self.cut_line(value, level.open..close)
            }
            (None, Some(comma)) if self.is_blank(comma + 1..item.begin)? => {
                let begin = self.before_comma(comma, value.end, level)?;
                self.splice(begin..value.end, Vec::new())
            }
            (None, comma) => {
                let length = self.text.length();
                self.cut_line(value, level.open..level.close)?;
                let close = level.close - (length - self.text.length());
                comma.map_or(Ok(()), |comma| self.cut_comma(comma, level.open..close))
            }
        }
    }

    /// Takes a comma out that has comments around it.
    fn cut_comma(&mut self, comma: u64, inside: Range<u64>) -> Result<()> {
        let line = self.line_before(comma)?.unwrap_or_default();
        let begins_line = is_blank(&line) && inside.start < comma - line.len() as u64;
        if begins_line || self.ends_line(comma + 1, inside.end)? {
            return self.cut_line(comma..comma + 1, inside);
        }
        self.splice(comma..comma + 1, Vec::new())
    }

    /// Where to cut before a comma and the item behind it, which ends at `end`: before the blanks that
    /// would be left at the end of a line, and before the line break where the comma begins its line.
    fn before_comma(&self, comma: u64, end: u64, level: &Level) -> Result<u64> {
        let line = self.line_before(comma)?.unwrap_or_default();
        let ends_line = self.ends_line(end, level.close)?;
        let begin = comma - line.len() as u64;
        if !is_blank(&line) || begin <= level.open {
            let kept = if ends_line { line.trim_ascii_end().len() } else { line.len() };
            return Ok(begin + kept as u64);
        }
        let before = self.line_before(begin - 1)?.unwrap_or_default();
        // What stood behind the item would else stand in a comment.
        if !ends_line && self.syntax == Syntax::Comments && before.windows(2).any(|two| two == b"//") {
            return Ok(comma);
        }
        Ok(begin - if before.ends_with(b"\r") { 2 } else { 1 })
    }

    /// Takes `range` out, with its lines where nothing else is on them, else with the blanks behind.
    /// `inside` are the offsets of the brackets around it.
    fn cut_line(&mut self, range: Range<u64>, inside: Range<u64>) -> Result<()> {
        let after = self.text.read(range.end..inside.end)?;
        let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        let begins_line = self.line_before(range.start)?.filter(|line| is_blank(line));
        match (begins_line, after.get(blanks)) {
            (Some(line), Some(b'\n')) if inside.start < range.start - line.len() as u64 => {
                let lines = range.start - line.len() as u64..range.end + blanks as u64 + 1;
                let lines = self.with_blank_line(lines, inside)?;
                self.splice(lines, Vec::new())
            }
            // At the end of a line: the blanks before it would be left there.
            (None, Some(b'\n')) => {
                let before = self.line_before(range.start)?.unwrap_or_default();
                let blanks_before = before.len() - before.trim_ascii_end().len();
                self.splice(range.start - blanks_before as u64..range.end, Vec::new())
            }
            _ => self.splice(range.start..range.end + blanks as u64, Vec::new()),
        }
    }

    /// `lines`, and one of the blank lines around them where there is one on either side, or one side is
    /// a bracket: a blank line parts two items.
    fn with_blank_line(&self, lines: Range<u64>, inside: Range<u64>) -> Result<Range<u64>> {
        let before = self.line_before(lines.start - 1)?.unwrap_or_default();
        let begin = lines.start - 1 - before.len() as u64;
        let is_first = begin <= inside.start;
        let after = self.text.read(lines.end..inside.end)?;
        let next = after.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let (blank_before, blank_after) =
            (!is_first && is_blank(&before), next.ends_with(b"\n") && is_blank(next));
        if blank_after && (is_first || blank_before) {
            return Ok(lines.start..lines.end + next.len() as u64);
        }
        let is_last = !next.ends_with(b"\n") && is_blank(next);
        Ok(if blank_before && is_last { begin..lines.end } else { lines })
    }

    /// Whether only blanks follow up to the end of the line, and that comes before the closing bracket.
    fn ends_line(&self, from: u64, close: u64) -> Result<bool> {
        let after = self.text.read(from..close)?;
        Ok(after.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) == Some(&b'\n'))
    }

    fn is_blank(&self, range: Range<u64>) -> Result<bool> {
        Ok(is_blank(&self.text.read(range)?))
    }
}
