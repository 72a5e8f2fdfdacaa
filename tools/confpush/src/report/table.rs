//! An aligned table of texts, without the columns that are empty.

use common::{Out, Result};
use unicode_width::UnicodeWidthStr;

use super::shown;

/// Writes the rows below their titles. `rows` have a text for each title.
pub(super) fn write(titles: &[&str], rows: &[Vec<String>], out: &mut Out) -> Result<()> {
    let safe = |text: &String| shown(text);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(safe).collect()).collect();
    let widest = |index: usize| rows.iter().map(|row| row[index].width()).max().unwrap_or_default();
    let used = (0..titles.len()).map(|index| (index, widest(index))).filter(|(_, width)| *width > 0);
    let used: Vec<(usize, usize)> =
        used.map(|(index, width)| (index, width.max(titles[index].width()))).collect();
    let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (index, width) in &used {
            let gap = if line.is_empty() { "" } else { "  " };
            line.extend([gap, &row[*index], &" ".repeat(width - row[*index].width())]);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
