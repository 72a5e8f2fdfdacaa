//! What is wrong with an expression, and where.

use std::fmt::{self, Display};

use common::{Error, log, tool};
use unicode_width::UnicodeWidthStr;

use super::Place;

/// So many columns of a terminal an excerpt may have: 80, less the two that it is set in.
const WIDTH: usize = 78;

/// So many columns are shown before the place when the expression is too long to be shown whole.
const BEFORE: usize = 30;

/// What stands for the part of an expression that is left out.
const CUT: &str = "...";

/// A mistake in an expression: a sentence with the way out, and the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    sentence: String,
}

impl Problem {
    /// A mistake at this place.
    #[must_use]
    pub fn new(place: Place, sentence: impl Into<String>) -> Self {
        Self { place, sentence: sentence.into() }
    }

    /// The usage error: the sentence, and below it the expression with a mark under the place.
    #[must_use]
    pub fn usage(&self, text: &str) -> Error {
        tool::usage(self.sentence.clone()).showing(self.excerpt(text))
    }

    /// The expression and a line of `^` under the place. Control characters are escaped; of a long
    /// expression the part around the place is shown.
    #[must_use]
    pub fn excerpt(&self, text: &str) -> [String; 2] {
        let cells: Vec<Cell> = text.char_indices().map(Cell::new).collect();
        let first = cells.partition_point(|cell| cell.start < self.place.start);
        let behind = cells.partition_point(|cell| cell.start < self.place.end).max(first);
        let (from, to) = window(&cells, first);
        let (left, right) = (if from > 0 { CUT } else { "" }, if to < cells.len() { CUT } else { "" });
        let line: String = cells[from..to].iter().map(|cell| cell.shown.as_str()).collect();
        let indent = left.len() + width(&cells[from..first]);
        let marks = width(&cells[first..behind.clamp(first, to)]).max(1);
        [format!("{left}{line}{right}"), " ".repeat(indent) + &"^".repeat(marks)]
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Problem {}

/// A character as it is shown.
struct Cell {
    start: usize,
    shown: String,
    width: usize,
}

impl Cell {
    fn new((start, c): (usize, char)) -> Self {
        let shown = log::escape(c.encode_utf8(&mut [0; 4]));
        let width = shown.width();
        Self { start, shown, width }
    }
}

fn width(cells: &[Cell]) -> usize {
    cells.iter().map(|cell| cell.width).sum()
}

/// Which cells are shown: all of them, or those around the `first` that is marked.
fn window(cells: &[Cell], first: usize) -> (usize, usize) {
    if width(cells) <= WIDTH {
        return (0, cells.len());
    }
    let mut room = BEFORE;
    let fits = |cell: &&Cell| {
        let is_room = room.checked_sub(cell.width);
        room = is_room.unwrap_or_default();
        is_room.is_some()
    };
    let from = first - cells[..first].iter().rev().take_while(fits).count();
    let mut room = WIDTH - 2 * CUT.len();
    let fits = |cell: &&Cell| {
        let is_room = room.checked_sub(cell.width);
        room = is_room.unwrap_or_default();
        is_room.is_some()
    };
    (from, from + cells[from..].iter().take_while(fits).count())
}

/// A part of an expression as a sentence shows it: not longer than reads well.
pub(crate) fn clip(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str(CUT);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, place: (usize, usize), want: [&str; 2]) {
        let problem = Problem::new(Place { start: place.0, end: place.1 }, "wrong");
        assert_eq!(problem.excerpt(text), want, "{text}");
    }

    #[test]
    fn the_mark_stands_below_the_place() {
        check("age >= x", (7, 8), ["age >= x", "       ^"]);
        check("age >= x", (0, 3), ["age >= x", "^^^"]);
        check("age >=", (6, 6), ["age >=", "      ^"]);
        check("", (0, 0), ["", "^"]);
        check("größe == x", (11, 12), ["größe == x", "         ^"]);
        check("名前 == x", (0, 6), ["名前 == x", "^^^^"]);
        check("a\n\t== x", (6, 7), ["a\\n\\t== x", "        ^"]);
    }

    #[test]
    fn of_a_long_expression_the_part_around_the_place_is_shown() {
        let text = format!("{} bad {}", "a".repeat(100), "b".repeat(100));
        let [line, mark] =
            [format!("...{} bad {}...", "a".repeat(29), "b".repeat(38)), " ".repeat(33) + "^^^"];
        check(&text, (101, 104), [&line, &mark]);
        let [line, mark] = [format!("...{}", "b".repeat(30)), " ".repeat(33) + "^"];
        check(&text, (text.len(), text.len()), [&line, &mark]);
        let [line, mark] = [format!("{}...", "a".repeat(72)), "^".repeat(72)];
        check(&text, (0, 100), [&line, &mark]);
    }
}
