//! Takes an item out of its container, with its comma and the line that would be left empty.
//! Comments stay: whose they are only a person knows.

use std::ops::Range;

use common::Result;

use super::surroundings::is_blank;
use super::{Document, Item, Level};

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
        match (item.comma_after, item.comma_before) {
            (Some(comma), _) if self.is_blank(value.end..comma)? => {
                self.cut_line(item.begin..comma + 1, level)
            }
            (Some(comma), _) => {
                self.splice(comma..comma + 1, Vec::new())?;
                self.splice(value, Vec::new())
            }
            (None, Some(comma)) if self.is_blank(comma + 1..item.begin)? => {
                self.splice(comma..value.end, Vec::new())
            }
            (None, comma) => {
                self.cut_line(value, level)?;
                comma.map_or(Ok(()), |comma| self.splice(comma..comma + 1, Vec::new()))
            }
        }
    }

    /// Takes `range` out, with its lines where nothing else is on them, else with the blanks behind.
    fn cut_line(&mut self, range: Range<u64>, level: &Level) -> Result<()> {
        let after = self.text.read(range.end..level.close)?;
        let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        let begins_line = self.line_before(range.start)?.filter(|line| is_blank(line));
        match (begins_line, after.get(blanks)) {
            (Some(line), Some(b'\n')) if level.open < range.start - line.len() as u64 => {
                let begin = range.start - line.len() as u64;
                self.splice(begin..range.end + blanks as u64 + 1, Vec::new())
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

    fn is_blank(&self, range: Range<u64>) -> Result<bool> {
        Ok(is_blank(&self.text.read(range)?))
    }
}
