//! An aligned table, with bars and colours for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::Result;

use super::{Group, Groups, Key, Look, Put};
use crate::plan::By;
use crate::tally::{Cell, NAMES};

/// Characters of the longest bar.
const LONGEST_BAR: u64 = 40;

/// One row: a name, numbers, and what its bar is drawn from.
struct Row {
    name: String,
    numbers: Vec<String>,
    bar: u64,
}

/// What the rows and columns are.
enum Layout {
    /// A row for each level.
    Levels,
    /// A row for each group, a column for each of these levels or words.
    Groups(Vec<Vec<u8>>),
    /// A row for each group and level that has any: two numbers for each would be too many columns.
    Both,
}

/// Writes a row for each level, or for each group.
pub(super) fn write(groups: &Groups<'_>, look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    let layout = Layout::of(groups, look);
    let header = layout.header(look);
    // All rows are made twice: there can be more of them than there is memory to spare.
    let mut widths: Vec<usize> =
        std::iter::once(&header.name).chain(&header.numbers).map(|t| width(t)).collect();
    let mut most = 0;
    groups.for_each(|group| {
        for row in layout.rows(group, look) {
            most = most.max(row.bar);
            for (widest, cell) in widths.iter_mut().zip(std::iter::once(&row.name).chain(&row.numbers)) {
                *widest = width(cell).max(*widest);
            }
        }
    });
    if !look.goes_on {
        put(line(&header, &widths, if look.colour { "\x1b[1m" } else { "" }, "").as_bytes())?;
    }
    groups.each(|group| {
        layout.rows(group, look).iter().try_for_each(|row| {
            let colour = if look.colour { colour(&row.name) } else { "" };
            let bar = if look.bars { bar(row.bar, most) } else { String::new() };
            put(line(row, &widths, colour, &bar).as_bytes())
        })
    })
}

fn line(row: &Row, widths: &[usize], colour: &str, bar: &str) -> String {
    let padding = widths.first().map_or(0, |widest| widest - width(&row.name));
    let mut line = format!("{colour}{}{:padding$}", row.name, "");
    for (number, width) in row.numbers.iter().zip(widths.iter().skip(1)) {
        let _strings_never_refuse = write!(line, "  {number:>width$}");
    }
    line + bar + if colour.is_empty() { "\n" } else { "\x1b[0m\n" }
}

impl Layout {
    fn of(groups: &Groups<'_>, look: &Look<'_>) -> Self {
        if look.plan.by == By::Nothing && look.time.is_none() {
            return Self::Levels;
        }
        if look.plan.lines {
            return Self::Both;
        }
        if !look.plan.raw {
            return Self::Groups(NAMES.map(|name| name.as_bytes().to_vec()).to_vec());
        }
        let mut words = BTreeSet::new();
        groups.for_each(|group| words.extend(group.cells.rows().into_iter().map(|(name, _)| name.to_vec())));
        Self::Groups(words.into_iter().collect())
    }

    fn header(&self, look: &Look<'_>) -> Row {
        let level = if look.plan.raw { "WORD" } else { "LEVEL" };
        let titles = |titles: &[&str]| titles.iter().map(ToString::to_string).collect();
        let lines = look.plan.lines;
        let (name, numbers) = match self {
            Self::Levels => (level.to_owned(), titles(&["RECORDS", "LINES"][..=usize::from(lines)])),
            Self::Groups(columns) => {
                let names = columns.iter().map(|name| shown(name));
                (heading(look), names.chain(["total".into()]).collect())
            }
            Self::Both => (heading(look), titles(&[level, "RECORDS", "LINES"])),
        };
        Row { name, numbers, bar: 0 }
    }

    fn rows(&self, group: &Group, look: &Look<'_>) -> Vec<Row> {
        let cells = group.cells.rows();
        let total = group.cells.total();
        match self {
            Self::Levels => {
                let numbers = |cell: Cell| {
                    let lines = look.plan.lines.then(|| cell.lines.to_string());
                    std::iter::once(cell.records.to_string()).chain(lines).collect()
                };
                let row = |(name, cell): &(&[u8], Cell)| Row {
                    name: shown(name),
                    numbers: numbers(*cell),
                    bar: cell.records,
                };
                let last = Row { name: "total".into(), numbers: numbers(total), bar: 0 };
                cells.iter().map(row).chain([last]).collect()
            }
            Self::Groups(columns) => {
                let of = |name: &Vec<u8>| {
                    let cell = cells.iter().find(|(known, _)| known == name);
                    cell.map_or(0, |(_, cell)| cell.records)
                };
                let numbers = columns.iter().map(of).chain([total.records]);
                let numbers = numbers.map(|count| count.to_string()).collect();
                vec![Row { name: name(group, look), numbers, bar: total.records }]
            }
            Self::Both => {
                let some = cells.iter().filter(|(_, cell)| *cell != Cell::default());
                let row = |(level, cell): &(&[u8], Cell)| {
                    let numbers = vec![shown(level), cell.records.to_string(), cell.lines.to_string()];
                    Row { name: name(group, look), numbers, bar: cell.records }
                };
                some.map(row).collect()
            }
        }
    }
}

/// A word of a log may hold anything, and a terminal obeys some of it.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).escape_debug().to_string()
}

fn heading(look: &Look<'_>) -> String {
    let group = look.plan.by.name().to_uppercase();
    match look.time {
        // As wide as the times below it.
        Some(time) => format!("{:<1$}  {group}", "TIME", width(time)).trim_end().to_owned(),
        None => group,
    }
}

/// What stands before the numbers of a group.
fn name(group: &Group, look: &Look<'_>) -> String {
    let name = look.name(&group.key).map(|name| name.escape_debug().to_string());
    match (look.time, name) {
        (Some(time), _) if group.key == Key::All => time.to_owned(),
        (time, name) => {
            let name = name.unwrap_or_else(|| "(none)".into());
            time.map_or_else(|| name.clone(), |time| format!("{time}  {name}"))
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// As long as its share of the most, and never nothing for something.
fn bar(count: u64, most: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let length = (u128::from(count) * u128::from(LONGEST_BAR)).div_ceil(u128::from(most.max(1)));
    format!("  {}", "█".repeat(usize::try_from(length).unwrap_or(0)))
}

fn colour(name: &str) -> &'static str {
    match name {
        "CRITICAL" | "ERROR" => "\x1b[31m",
        "WARNING" => "\x1b[33m",
        "NOTICE" | "INFO" => "\x1b[32m",
        "TRACE" | "DEBUG" => "\x1b[34m",
        _ => "",
    }
}
