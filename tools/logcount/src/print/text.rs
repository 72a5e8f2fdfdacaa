//! An aligned table, with bars and colours for people.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::Result;

use super::{Group, Key, Look, Put};
use crate::tally::{Cell, NAMES};

/// Characters of the longest bar.
const LONGEST_BAR: u64 = 40;

/// One row: a name, numbers, and what its bar is drawn from.
struct Row {
    name: String,
    numbers: Vec<String>,
    bar: u64,
}

/// Writes a row for each level, or for each group.
pub(super) fn write(groups: &[Group], look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    let (header, rows) = match groups {
        [Group { key: Key::All, .. }] if look.time.is_none() => of_one(&groups[0], look),
        _ if look.plan.lines => with_lines(groups, look),
        _ => of_groups(groups, look),
    };
    let all = || std::iter::once(&header).chain(&rows);
    let name_width = all().map(|row| width(&row.name)).max().unwrap_or(0);
    let columns = header.numbers.len();
    let widths: Vec<usize> =
        (0..columns).map(|at| all().map(|row| width(&row.numbers[at])).max().unwrap_or(0)).collect();
    let most = rows.iter().map(|row| row.bar).max().unwrap_or(0);
    for (index, row) in all().enumerate().skip(usize::from(look.goes_on)) {
        let mut line = format!("{}{}", row.name, " ".repeat(name_width - width(&row.name)));
        for (number, width) in row.numbers.iter().zip(&widths) {
            let _strings_never_refuse = write!(line, "  {number:>width$}");
        }
        let line = line.trim_end();
        let colour = if look.colour { colour(&row.name, index == 0) } else { "" };
        let bar = if look.bars { bar(row.bar, most) } else { String::new() };
        let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
        put(format!("{colour}{line}{bar}{reset}\n").as_bytes())?;
    }
    Ok(())
}

fn of_one(group: &Group, look: &Look<'_>) -> (Row, Vec<Row>) {
    let numbers = |cell: Cell| {
        let lines = look.plan.lines.then(|| cell.lines.to_string());
        std::iter::once(cell.records.to_string()).chain(lines).collect()
    };
    let titles = ["RECORDS", "LINES"].into_iter().take(1 + usize::from(look.plan.lines));
    let header = Row { name: title(look).into(), numbers: titles.map(Into::into).collect(), bar: 0 };
    let row = |(name, cell): (&[u8], Cell)| Row {
        name: String::from_utf8_lossy(name).escape_debug().to_string(),
        numbers: numbers(cell),
        bar: cell.records,
    };
    let mut rows: Vec<Row> = group.cells.rows().into_iter().map(row).collect();
    rows.push(Row { name: "total".into(), numbers: numbers(group.cells.total()), bar: 0 });
    (header, rows)
}

/// A row for each group, a column for each level.
fn of_groups(groups: &[Group], look: &Look<'_>) -> (Row, Vec<Row>) {
    let known: BTreeSet<Vec<u8>> =
        groups.iter().flat_map(|group| group.cells.rows()).map(|(name, _)| name.to_vec()).collect();
    let columns: Vec<Vec<u8>> = if look.plan.raw {
        known.into_iter().collect()
    } else {
        NAMES.map(|name| name.as_bytes().to_vec()).to_vec()
    };
    let titles = columns.iter().map(|name| String::from_utf8_lossy(name).escape_debug().to_string());
    let header =
        Row { name: heading(look), numbers: titles.chain(std::iter::once("total".into())).collect(), bar: 0 };
    let row = |group: &Group| {
        let cells = group.cells.rows();
        let of =
            |name: &[u8]| cells.iter().find(|(known, _)| *known == name).map_or(0, |(_, cell)| cell.records);
        let total = group.cells.total().records;
        let numbers = columns.iter().map(|name| of(name)).chain(std::iter::once(total));
        Row { name: name(group, look), numbers: numbers.map(|count| count.to_string()).collect(), bar: total }
    };
    (header, groups.iter().map(row).collect())
}

/// A row for each group and level that has any; both numbers would make too many columns.
fn with_lines(groups: &[Group], look: &Look<'_>) -> (Row, Vec<Row>) {
    let titles = [title(look), "RECORDS", "LINES"];
    let header = Row { name: heading(look), numbers: titles.map(Into::into).to_vec(), bar: 0 };
    let rows = groups.iter().flat_map(|group| {
        let cells = group.cells.rows().into_iter().filter(|(_, cell)| *cell != Cell::default());
        cells.map(|(level, cell)| {
            let level = String::from_utf8_lossy(level).escape_debug().to_string();
            let numbers = vec![level, cell.records.to_string(), cell.lines.to_string()];
            Row { name: name(group, look), numbers, bar: cell.records }
        })
    });
    (header, rows.collect())
}

fn title(look: &Look<'_>) -> &'static str {
    if look.plan.raw { "WORD" } else { "LEVEL" }
}

fn heading(look: &Look<'_>) -> String {
    let group = look.plan.by.name().to_uppercase();
    match look.time {
        // As wide as the times below it.
        Some(time) => format!("{:<1$}  {group}", "TIME", width(time)).trim_end().to_owned(),
        None => group,
    }
}

/// What stands before the numbers of a group. A file name may hold anything, and a terminal obeys
/// some of it.
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

fn colour(name: &str, is_header: bool) -> &'static str {
    match name {
        _ if is_header => "\x1b[1m",
        "CRITICAL" | "ERROR" => "\x1b[31m",
        "WARNING" => "\x1b[33m",
        "NOTICE" | "INFO" => "\x1b[32m",
        "TRACE" | "DEBUG" => "\x1b[34m",
        _ => "",
    }
}
