//! An aligned table of texts, without the columns that are empty.

use unicode_width::UnicodeWidthStr;

use crate::error::Result;
use crate::log::escape;
use crate::out::Out;

/// A column, by its title.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Texts, which begin at one place.
    Text(&'a str),
    /// Numbers, which end at one place.
    Number(&'a str),
}

impl<'a> Column<'a> {
    fn title(self) -> &'a str {
        match self {
            Self::Text(title) | Self::Number(title) => title,
        }
    }
}

/// Writes the rows below their titles. `rows` have a text for each column; they are made harmless for a
/// terminal.
///
/// # Errors
/// When the output cannot be written.
pub fn write(columns: &[Column<'_>], rows: &[Vec<String>], out: &mut Out) -> Result<()> {
    let safe = |text: &String| escape(text);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(safe).collect()).collect();
    let widest = |index: usize| rows.iter().map(|row| row[index].width()).max().unwrap_or_default();
    let shown = (0..columns.len()).map(|index| (index, widest(index))).filter(|(_, width)| *width > 0);
    let shown: Vec<(usize, usize)> =
        shown.map(|(index, width)| (index, width.max(columns[index].title().width()))).collect();
    let titles: Vec<String> = columns.iter().map(|column| column.title().to_owned()).collect();
    for row in std::iter::once(&titles).chain(&rows) {
        let mut line = String::new();
        for (index, width) in &shown {
            let padding = " ".repeat(width - row[*index].width());
            let gap = if line.is_empty() { "" } else { "  " };
            let (before, after) = match columns[*index] {
                Column::Text(_) => ("", padding.as_str()),
                Column::Number(_) => (padding.as_str(), ""),
            };
            line.extend([gap, before, &row[*index], after]);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// As [`write()`], where all columns are of texts.
///
/// # Errors
/// When the output cannot be written.
pub fn texts(titles: &[&str], rows: &[Vec<String>], out: &mut Out) -> Result<()> {
    let columns: Vec<Column<'_>> = titles.iter().map(|title| Column::Text(title)).collect();
    write(&columns, rows, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::out::Held;

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let columns = [Column::Text("NAME"), Column::Text("NOTE"), Column::Number("N"), Column::Text("WHY")];
        let rows =
            [["b\x1b", "", "7", "ä"], ["longer", "", "10", ""]].map(|row| row.map(String::from).to_vec());
        let mut held = Held::new("memory");
        write(&columns, &rows, held.out()).unwrap();
        let want = "NAME      N  WHY\nb\\u{1b}   7  ä\nlonger   10\n";
        assert_eq!(String::from_utf8(held.take().unwrap()).unwrap(), want);
    }
}
