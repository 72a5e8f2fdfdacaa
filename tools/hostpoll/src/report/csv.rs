//! CSV with a header: a row for each host, or for each file system, device or interface.
//!
//! The header names all columns that the wanted metrics can have, before the first row. What
//! `--command` tells is not known before it was run: with one, rows wait for the end of the first
//! round, whose keys are the columns of all rounds. With `--sort` or `--top` they wait for the end of
//! each round.
//!
//! Text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a
//! carriage return) gets a `'` before it, since mount points and messages come from other hosts.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use chrono::SecondsFormat;
use common::natural::natural;
use common::{Error, Out, Result};

use super::detail::{Cell, Column, Detail};
use super::sort::{By, Sort};
use super::{Options, Report, Summary, shown};
use crate::outcome::Polled;
use crate::values::{Values, plain};

/// What every row begins with.
const FIRST: [&str; 12] = [
    "host",
    "time",
    "ok",
    "error_class",
    "error_phase",
    "error",
    "duration_resolve_s",
    "duration_connect_s",
    "duration_handshake_s",
    "duration_auth_s",
    "duration_command_s",
    "duration_s",
];

/// The report.
pub(super) struct Rows {
    detail: Detail,
    columns: Vec<Column>,
    /// The keys of the `--command`s, as soon as they are known.
    extras: Option<Vec<String>>,
    /// Rows that wait for them, or to be sorted.
    waiting: Vec<Row>,
    /// How the rows of a round are sorted, and how many of them are wanted; none where they come as
    /// their hosts answer.
    order: Option<(Sort, By, usize)>,
    has_header: bool,
    has_warned: bool,
    writer: csv::Writer<Buffer>,
    buffer: Buffer,
}

/// The fixed cells, and those of the `--command`s by their key.
struct Row {
    cells: Vec<String>,
    extras: Vec<(String, String)>,
    /// What it is sorted by.
    rank: Cell,
}

impl Rows {
    pub(super) fn new(options: &Options) -> Self {
        let detail = Detail::of(&options.wanted);
        let buffer = Buffer::default();
        let columns = detail.columns(options);
        let by = options.sort.column(&columns, &options.wanted.commands);
        let is_ordered = options.sort.is_told() || options.top.is_some();
        let most = options.top.unwrap_or(usize::MAX);
        Self {
            detail,
            columns,
            order: is_ordered.then(|| (options.sort.clone(), by, most)),
            extras: options.wanted.commands.is_empty().then(Vec::new),
            waiting: Vec::new(),
            has_header: false,
            has_warned: false,
            writer: csv::WriterBuilder::new().buffer_capacity(1024).from_writer(buffer.clone()),
            buffer,
        }
    }

    fn write(&mut self, row: &Row, out: &mut Out) -> Result<()> {
        let keys = self.extras.get_or_insert_default();
        if !self.has_header {
            let columns = self.columns.iter().map(|column| &*column.key);
            let header = FIRST.into_iter().chain(columns).chain(keys.iter().map(String::as_str));
            self.writer.write_record(header).map_err(cannot)?;
            self.has_header = true;
        }
        if let Some((late, _)) = row.extras.iter().find(|(key, _)| !keys.contains(key))
            && !self.has_warned
        {
            self.has_warned = true;
            log::warn!("{late} was not told in the first round and has no column; --format json has it");
        }
        let extra = |key: &String| row.extras.iter().find(|(one, _)| one == key).map_or("", |(_, text)| text);
        let cells = row.cells.iter().map(String::as_str).chain(keys.iter().map(extra));
        self.writer.write_record(cells).map_err(cannot)?;
        self.writer.flush().map_err(|cause| cannot(cause.into()))?;
        let mut bytes = self.buffer.0.borrow_mut();
        out.write_all(&bytes)?;
        bytes.clear();
        Ok(())
    }
}

impl Report for Rows {
    fn host(&mut self, polled: &Polled, out: &mut Out) -> Result<()> {
        let first = first(polled);
        let mut extras = Vec::new();
        let mut rank = Cell::Absent;
        if let Some(values) = Values::of(polled) {
            for (name, key, told) in values.extra_values() {
                let name = if key.is_empty() { name.to_owned() } else { format!("{name}.{key}") };
                let cell = Cell::told(told);
                extras.push((safe(&name), text(&cell)));
                if self.order.as_ref().is_some_and(|(_, by, _)| *by == By::Extra(name)) {
                    rank = cell;
                }
            }
        }
        let mut rows = self.detail.rows(&self.columns, polled);
        if rows.is_empty() {
            rows.push(vec![Cell::Absent; self.columns.len()]);
        }
        for cells in rows {
            let rank = match &self.order {
                Some((_, By::Column(index), _)) => cells[*index].clone(),
                Some((_, By::Host, _)) => Cell::Text(polled.name.to_string()),
                _ => rank.clone(),
            };
            let cells = first.iter().cloned().chain(cells.iter().map(text)).collect();
            let row = Row { cells, extras: extras.clone(), rank };
            if self.extras.is_some() && self.order.is_none() {
                self.write(&row, out)?;
            } else {
                self.waiting.push(row);
            }
        }
        Ok(())
    }

    fn round(&mut self, _: &Summary, out: &mut Out) -> Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        if let Some((sort, _, most)) = &self.order {
            waiting.sort_by(|left, right| {
                let order = sort.compare(&left.rank, &right.rank);
                order.then_with(|| natural(&left.cells[0], &right.cells[0]))
            });
            waiting.truncate(*most);
        }
        if self.extras.is_none() {
            let mut keys: Vec<String> = Vec::new();
            for (key, _) in waiting.iter().flat_map(|row| &row.extras) {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
            self.extras = Some(keys);
        }
        waiting.iter().try_for_each(|row| self.write(row, out))
    }
}

fn first(polled: &Polled) -> Vec<String> {
    let (took, opening) = (&polled.took, &polled.took.opening);
    let mut cells = vec![
        safe(&polled.name),
        polled.time.to_rfc3339_opts(SecondsFormat::Millis, true),
        polled.result.is_ok().to_string(),
    ];
    match &polled.result {
        Ok(_) => cells.extend([const { String::new() }; 3]),
        Err(failure) => {
            cells.extend([failure.class.name().into(), failure.phase.name().into(), safe(&failure.what)]);
        }
    }
    let durations =
        [opening.resolve, opening.connect, opening.handshake, opening.auth, took.command, took.total];
    cells.extend(durations.map(|time| plain(time.as_secs_f64())));
    cells
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Absent => String::new(),
        Cell::Number(number) => plain(*number),
        Cell::Text(text) => safe(text),
    }
}

/// Text that neither a terminal nor a spreadsheet takes for a command.
fn safe(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("{}{}", if is_formula { "'" } else { "" }, shown(text))
}

fn cannot(cause: csv::Error) -> Error {
    Error::failed("cannot write a row of CSV").because(cause)
}

/// What the writer of the crate writes to, so that it can be emptied in between.
#[derive(Clone, Default)]
struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::Format;
    use crate::report::fixtures::{
        failed, golden, host, loaded, only, options, sample, text, wanted, written,
    };
    use crate::sample::{Collector, Extra, Value};

    fn records(text: &str) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(std::result::Result::unwrap).collect()
    }

    #[test]
    fn every_row_has_every_column() {
        let hosts = [host("web01", sample()), failed("web02")];
        golden("hosts.csv", &text(Format::Csv, options(wanted()), &hosts));
        for (collector, rows) in [(Collector::Disk, 4), (Collector::Io, 3), (Collector::Net, 4)] {
            let text = text(Format::Csv, options(only(collector)), &hosts);
            assert_eq!(records(&text).len(), rows, "{text}");
        }
        golden("disks.csv", &text(Format::Csv, options(only(Collector::Disk)), &hosts));
    }

    #[test]
    fn later_rounds_have_the_columns_of_the_first() {
        let first = [host("a", sample())];
        let mut other = sample();
        other.extras =
            vec![Extra { name: "new".into(), status: 0, values: vec![("k".into(), Value::Number(1.0))] }];
        let second = [host("a", other), host("b", sample())];
        let mut rows = Rows::new(&options(wanted()));
        let text = written(&mut rows, &[&first, &second]);
        let records = records(&text);
        assert_eq!(records.len(), 4);
        assert_eq!(records[0].iter().next_back(), Some("queue.state"));
        assert_eq!(records[2].iter().next_back(), Some(""));
        assert_eq!(records[3].iter().next_back(), Some("over,flow=\"1\""));
    }

    #[test]
    fn rows_are_sorted_where_that_is_asked_for() {
        let check = |sort: &str, top: Option<usize>, want: &[&str]| {
            let mut options = options(only(Collector::Load));
            (options.sort, options.top) = (Sort::parse(sort), top);
            let hosts = [loaded("b", 1.0), failed("x"), loaded("c", 2.0), loaded("a", 1.0)];
            let all = records(&text(Format::Csv, options, &hosts));
            assert_eq!(all[1..].iter().map(|row| &row[0]).collect::<Vec<_>>(), want, "{sort} {top:?}");
        };
        check("", None, &["b", "x", "c", "a"]);
        check("load1", None, &["c", "a", "b", "x"]);
        check("-load1", Some(2), &["a", "b"]);
        check("host", None, &["a", "b", "c", "x"]);
        check("", Some(1), &["a"]);
    }

    #[test]
    fn no_text_from_a_host_is_a_formula() {
        let check = |text: &str, want: &str| assert_eq!(safe(text), want);
        check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
        check("@SUM(A1)", "'@SUM(A1)");
        check("-1", "'-1");
        check("/srv", "/srv");
        check("\u{1b}[31m", "\\u{1b}[31m");
    }

    proptest! {
        #[test]
        fn any_text_is_one_cell(mount in any::<String>(), host_name in "[^\r\n]{1,8}") {
            let mut sample = sample();
            sample.filesystems.truncate(1);
            sample.filesystems[0].mountpoint = mount.clone();
            let text = text(Format::Csv, options(only(Collector::Disk)), &[host(&host_name, sample)]);
            let records = records(&text);
            prop_assert_eq!(records.len(), 2);
            prop_assert_eq!(&records[1][FIRST.len()], safe(&mount));
            prop_assert_eq!(text.lines().count(), 2);
        }
    }
}
