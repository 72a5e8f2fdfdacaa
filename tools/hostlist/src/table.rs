//! An aligned table of texts, without the columns that are empty.

use common::{Out, Result};
use unicode_width::UnicodeWidthStr;

/// A column: its title, and whether it holds numbers, which end at one place.
pub(crate) type Column<'a> = (&'a str, bool);

/// Writes the rows below their titles. `rows` have a text for each column.
pub(crate) fn write(columns: &[Column<'_>], rows: &[Vec<String>], out: &mut Out) -> Result<()> {
    let safe = |text: &String| common::log::escape(text);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(safe).collect()).collect();
    let widest = |index: usize| rows.iter().map(|row| row[index].width()).max().unwrap_or_default();
    let shown = (0..columns.len()).map(|index| (index, widest(index))).filter(|(_, width)| *width > 0);
    let shown: Vec<(usize, usize)> =
        shown.map(|(index, width)| (index, width.max(columns[index].0.width()))).collect();
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (index, width) in &shown {
            let padding = " ".repeat(width - row[*index].width());
            let gap = if line.is_empty() { "" } else { "  " };
            let is_number = columns[*index].1;
            let (before, after) = if is_number { (padding.as_str(), "") } else { ("", padding.as_str()) };
            line.extend([gap, before, &row[*index], after]);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
