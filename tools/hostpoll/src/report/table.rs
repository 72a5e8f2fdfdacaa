//! The table for people, at the end of each round: the hosts that answered, then those that did not.

mod cells;

use std::borrow::Cow;
use std::cmp::Ordering;

use common::natural::natural;
use common::{Out, Result};
use unicode_width::UnicodeWidthStr;

use super::detail::{Cell, Column, Detail, Kind};
use super::sort::By;
use super::{Options, Report, Summary, shown};
use crate::outcome::Polled;
use crate::values::Values;

/// How many cells a bar has.
const BAR: usize = 8;

/// What stands between two columns.
const GAP: usize = 2;

/// The report.
pub(super) struct Table {
    options: Options,
    detail: Detail,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// Host, class, sentence.
    failures: Vec<[String; 3]>,
    rounds: u64,
}

struct Row {
    host: String,
    cells: Vec<Cell>,
    extras: Vec<(String, Cell)>,
}

impl Row {
    fn extra(&self, name: &str) -> &Cell {
        self.extras.iter().find(|(one, _)| one == name).map_or(&Cell::Absent, |(_, cell)| cell)
    }
}

impl Table {
    pub(super) fn new(options: Options) -> Self {
        let detail = Detail::of(&options.wanted);
        let columns = detail.columns(&options);
        Self { options, detail, columns, rows: Vec::new(), failures: Vec::new(), rounds: 0 }
    }

    fn sort(&mut self) {
        let sort = &self.options.sort;
        let by = sort.column(&self.columns, &self.options.wanted.commands);
        self.rows.sort_by(|left, right| {
            let order = match &by {
                By::Column(index) => sort.compare(&left.cells[*index], &right.cells[*index]),
                By::Extra(name) => sort.compare(left.extra(name), right.extra(name)),
                By::Host => sort.names(&left.host, &right.host),
                By::Nothing => Ordering::Equal,
            };
            order.then_with(|| natural(&left.host, &right.host))
        });
        self.rows.truncate(self.options.top.unwrap_or(usize::MAX));
        self.failures.sort_by(|left, right| natural(&left[0], &right[0]));
    }

    /// Leaves out what a terminal that is redrawn has no lines for: what scrolls away takes the titles
    /// along. Failures have half of it at most.
    fn fit(&mut self) {
        let Some(height) = self.options.height else { return };
        // The last line is where the cursor stands and messages begin; titles take one each, and a
        // blank line one.
        let lines = height.saturating_sub(1);
        let failures = self.failures.len().min((lines / 2).saturating_sub(2).max(1));
        self.failures.truncate(failures);
        let below = if failures > 0 { failures + 2 } else { 0 };
        self.rows.truncate(lines.saturating_sub(below + 1).max(1));
    }

    /// The columns that some row fills, each from its title down.
    fn shown_columns(&self) -> Vec<Shown> {
        let host = Column { key: Cow::Borrowed("host"), title: Cow::Borrowed("HOST"), kind: Kind::Text };
        let mut all = vec![Shown::new(&host, self.rows.iter().map(|row| shown(&row.host).into_owned()))];
        for (index, column) in self.columns.iter().enumerate().filter(|(_, column)| !column.title.is_empty())
        {
            if self.rows.iter().any(|row| row.cells[index] != Cell::Absent) {
                let cells = self.rows.iter().map(|row| &row.cells[index]);
                all.push(Shown::of(column, cells));
            }
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.rows.iter().flat_map(|row| &row.extras) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        for name in names {
            let cells: Vec<&Cell> = self.rows.iter().map(|row| row.extra(name)).collect();
            let is_text = cells.iter().any(|cell| matches!(cell, Cell::Text(_)));
            let kind = if is_text { Kind::Text } else { Kind::Number };
            let title: Cow<'static, str> = Cow::Owned(shown(name).into_owned());
            all.push(Shown::of(&Column { key: title.clone(), title, kind }, cells.into_iter()));
        }
        all
    }

    fn write_rows(&self, out: &mut Out) -> Result<()> {
        let mut columns = self.shown_columns();
        let width = self.options.width.unwrap_or(usize::MAX);
        let total = |columns: &[Shown]| columns.iter().map(|one| one.width + GAP).sum::<usize>() - GAP;
        let bars = columns.iter().filter(|one| one.kind == Kind::Percent).count() * (BAR + 1);
        let has_bars = self.options.width.is_some() && total(&columns) + bars <= width;
        while columns.len() > 1 && total(&columns) > width {
            columns.pop();
        }
        for line in 0..=self.rows.len() {
            let mut text = String::new();
            for column in &columns {
                column.put(line, has_bars, self.options.colour, &mut text);
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    fn write_failures(&self, out: &mut Out) -> Result<()> {
        let width = |index: usize, title: &str| {
            self.failures.iter().map(|failure| failure[index].width()).max().unwrap_or(0).max(title.len())
        };
        let (host, class) = (width(0, "FAILED"), width(1, "CLASS"));
        writeln!(out, "{:host$}  {:class$}  REASON", "FAILED", "CLASS")?;
        for [name, what, why] in &self.failures {
            let (red, plain) = if self.options.colour { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
            let pad = " ".repeat(host - name.width());
            writeln!(out, "{red}{name}{plain}{pad}  {what:class$}  {why}")?;
        }
        Ok(())
    }
}

impl Report for Table {
    fn host(&mut self, polled: &Polled, _: &mut Out) -> Result<()> {
        if let Err(failure) = &polled.result {
            let [name, why] = [&*polled.name, &*failure.what].map(|text| shown(text).into_owned());
            self.failures.push([name, failure.class.name().into(), why]);
        }
        let extras: Vec<(String, Cell)> = Values::of(polled)
            .iter()
            .flat_map(Values::extra_values)
            .map(|(name, key, told)| {
                (if key.is_empty() { name.to_owned() } else { format!("{name}.{key}") }, Cell::told(told))
            })
            .collect();
        for cells in self.detail.rows(&self.columns, polled) {
            self.rows.push(Row { host: polled.name.to_string(), cells, extras: extras.clone() });
        }
        Ok(())
    }

    fn round(&mut self, _: &Summary, out: &mut Out) -> Result<()> {
        self.sort();
        self.fit();
        if self.rounds > 0 && self.options.height.is_none() {
            writeln!(out)?;
        }
        self.rounds += 1;
        if !self.rows.is_empty() {
            self.write_rows(out)?;
        }
        if !self.failures.is_empty() {
            if !self.rows.is_empty() {
                writeln!(out)?;
            }
            self.write_failures(out)?;
        }
        self.rows.clear();
        self.failures.clear();
        Ok(())
    }
}

/// A column as it is shown.
struct Shown {
    kind: Kind,
    width: usize,
    /// The title, and a text for each row.
    texts: Vec<String>,
    /// The number in each row, for bars and colours.
    numbers: Vec<Option<f64>>,
}

impl Shown {
    fn new(column: &Column, texts: impl Iterator<Item = String>) -> Self {
        let texts: Vec<String> = std::iter::once(column.title.clone().into_owned()).chain(texts).collect();
        let width = texts.iter().map(|text| text.width()).max().unwrap_or(0);
        Self { kind: column.kind, width, texts, numbers: Vec::new() }
    }

    fn of<'c>(column: &Column, cells: impl Iterator<Item = &'c Cell> + Clone) -> Self {
        let mut shown = Self::new(column, cells.clone().map(|cell| cells::text(cell, column.kind)));
        shown.numbers = cells
            .map(|cell| match cell {
                Cell::Number(number) => Some(*number),
                _ => None,
            })
            .collect();
        shown
    }

    /// Puts the title (line 0) or a row, padded to the width; text is left-aligned, numbers right.
    fn put(&self, line: usize, has_bars: bool, colour: bool, to: &mut String) {
        let text = &self.texts[line];
        let pad = " ".repeat(self.width - text.width());
        let number = line.checked_sub(1).and_then(|row| *self.numbers.get(row)?);
        let percent = number.filter(|_| self.kind == Kind::Percent);
        let bar = match (has_bars && self.kind == Kind::Percent, percent) {
            (false, _) => String::new(),
            (true, percent) => format!(" {:BAR$}", percent.map(cells::bar).unwrap_or_default()),
        };
        let (on, off) = match percent.filter(|_| colour).map(cells::colour) {
            Some(code) if !code.is_empty() => (code, "\x1b[0m"),
            _ => ("", ""),
        };
        match self.kind {
            Kind::Text => to.extend([text.as_str(), &pad]),
            _ => to.extend([pad.as_str(), on, text, &bar, off]),
        }
        to.push_str(&" ".repeat(GAP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{
        failed, golden, host, loaded, only, options, sample, text, wanted, written,
    };
    use crate::report::{Format, Sort};
    use crate::sample::{Collector, Sample};

    #[test]
    fn hosts_come_first_and_failures_last() {
        let hosts = [host("web10", sample()), failed("web03"), host("web2", sample())];
        golden("hosts.txt", &text(Format::Table, options(wanted()), &hosts));
        golden("disks.txt", &text(Format::Table, options(only(Collector::Disk)), &hosts));
        let mut looks = options(wanted());
        (looks.colour, looks.width) = (true, Some(200));
        golden("colour.txt", &text(Format::Table, looks, &hosts));
    }

    fn order(sort: &str, top: Option<usize>) -> String {
        let mut options = options(only(Collector::Load));
        (options.sort, options.top) = (Sort::parse(sort), top);
        let hosts = [loaded("b10", 1.0), loaded("b9", 1.0), loaded("a", 0.5), host("c", Sample::default())];
        let text = text(Format::Table, options, &hosts);
        text.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rows_are_sorted_and_the_absent_come_last() {
        let check = |sort: &str, top, want: &str| assert_eq!(order(sort, top), want);
        check("", None, "a b9 b10 c");
        check("-host", None, "c b10 b9 a");
        check("load", None, "b9 b10 a c");
        check("-load1", None, "a b9 b10 c");
        check("load", Some(1), "b9");
    }

    #[test]
    fn a_narrow_terminal_loses_columns_from_the_right() {
        let widest = |width| {
            let mut options = options(wanted());
            options.width = Some(width);
            let text = text(Format::Table, options, &[host("web", sample())]);
            (text.lines().map(UnicodeWidthStr::width).max().unwrap(), text.lines().next().unwrap().to_owned())
        };
        for width in 1..300 {
            let (widest, title) = widest(width);
            assert!(widest <= width || title == "HOST", "{width}: {title}");
        }
        assert!(widest(20).1.starts_with("HOST  CPU%"));
    }

    #[test]
    fn text_from_hosts_steers_no_terminal() {
        let mut sample = sample();
        sample.filesystems[0].mountpoint = "/\u{1b}[2J\n日".into();
        let text = text(Format::Table, options(only(Collector::Disk)), &[host("\u{9b}web", sample)]);
        assert!(text.contains("/\\u{1b}[2J\\n日") && text.contains("\\u{9b}web"), "{text}");
    }

    #[test]
    fn each_round_is_a_table_of_its_own() {
        let mut table = Table::new(options(only(Collector::Load)));
        let one = [loaded("a", 1.0)];
        assert_eq!(written(&mut table, &[&one, &one]).matches("HOST").count(), 2);
        let mut redrawn = options(only(Collector::Load));
        redrawn.height = Some(10);
        let many: Vec<Polled> = (0..30).map(|n| loaded(&format!("w{n}"), 1.0)).collect();
        let failing: Vec<Polled> = (0..30).map(|n| failed(&format!("f{n}"))).collect();
        let lines = |hosts: &[Polled]| {
            let text = written(&mut Table::new(redrawn.clone()), &[hosts, hosts]);
            (text.lines().count(), text.starts_with("HOST"), text.contains("\n\nHOST"))
        };
        assert_eq!(lines(&many), (18, true, false), "each takes nine lines of ten");
        let both: Vec<Polled> = many.iter().chain(&failing).cloned().collect();
        assert_eq!(lines(&both), (18, true, false));
        let mut empty = Table::new(options(only(Collector::Load)));
        assert_eq!(written(&mut empty, &[&[]]), "");
    }
}
