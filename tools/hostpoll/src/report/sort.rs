//! `--sort`: the column that the rows of a table or of CSV are sorted by.

use std::cmp::Ordering;

use common::{Error, Result};

use super::Options;
use super::detail::{Cell, Column, Detail};
use common::natural::natural;
use common::near;

/// What the rows of a table or of CSV are sorted by: names ascending, numbers descending, or the reverse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sort {
    /// As it was given, without the `-`; empty for the host.
    column: String,
    is_reversed: bool,
}

impl Sort {
    /// Reads what stands behind `--sort`: a column, or the beginning of its name, `-` before it for
    /// the reverse order.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        match text.strip_prefix('-') {
            Some(column) => Self { column: column.to_owned(), is_reversed: true },
            None => Self { column: text.to_owned(), is_reversed: false },
        }
    }

    /// Whether anything was asked for; a table is sorted by host where nothing was.
    #[must_use]
    pub fn is_told(&self) -> bool {
        !self.column.is_empty()
    }

    /// Whether a table of `options` can be sorted by it.
    ///
    /// # Errors
    /// When there is no such column; the nearest ones are named.
    pub fn check(&self, options: &Options) -> Result<()> {
        let columns = Detail::of(&options.wanted).columns(options);
        if !matches!(self.column(&columns, &options.wanted.commands), By::Nothing) {
            return Ok(());
        }
        let names = columns.iter().map(|column| &*column.key).chain(["host"]);
        let names: Vec<&str> =
            names.chain(options.wanted.commands.iter().map(|(name, _)| name.as_str())).collect();
        let way_out = match near::did_you_mean(&self.column, names.iter().copied()) {
            empty if empty.is_empty() => format!("; there are {}", names.join(", ")),
            way_out => way_out,
        };
        Err(Error::failed(format!("no column `{}` to sort by{way_out}", self.column)))
    }

    /// The column that is meant: its name, that without its unit, or what only begins so.
    pub(super) fn column(&self, columns: &[Column], commands: &[(String, String)]) -> By {
        if self.column.is_empty() || self.column == "host" {
            return By::Host;
        }
        let wanted = self.column.to_lowercase();
        let percent = format!("{wanted}_percent");
        let find = |is: &dyn Fn(&str) -> bool| columns.iter().position(|column| is(&column.key));
        let found = find(&|key| key == wanted)
            .or_else(|| find(&|key| key == percent))
            .or_else(|| columns.iter().position(|column| column.title.eq_ignore_ascii_case(&wanted)));
        if let Some(index) = found {
            return By::Column(index);
        }
        let of_command = |(name, _): &(String, String)| {
            self.column == *name
                || self.column.strip_prefix(name.as_str()).is_some_and(|key| key.starts_with('.'))
        };
        if commands.iter().any(of_command) {
            return By::Extra(self.column.clone());
        }
        find(&|key| key.starts_with(&wanted)).map_or(By::Nothing, By::Column)
    }

    /// The order of two rows by what they are sorted by. What is absent comes last.
    pub(super) fn compare(&self, left: &Cell, right: &Cell) -> Ordering {
        match (left, right) {
            (Cell::Absent, Cell::Absent) => Ordering::Equal,
            (Cell::Number(left), Cell::Number(right)) => self.turned(right.total_cmp(left)),
            (Cell::Text(left), Cell::Text(right)) => self.names(left, right),
            (Cell::Absent, _) | (Cell::Text(_), Cell::Number(_)) => Ordering::Greater,
            (_, Cell::Absent) | (Cell::Number(_), Cell::Text(_)) => Ordering::Less,
        }
    }

    /// The order of two names.
    pub(super) fn names(&self, left: &str, right: &str) -> Ordering {
        self.turned(natural(left, right))
    }

    fn turned(&self, order: Ordering) -> Ordering {
        if self.is_reversed { order.reverse() } else { order }
    }
}

/// What a row is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    Host,
    Column(usize),
    /// A value of a `--command`, by its name.
    Extra(String),
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures::{only, options, wanted};
    use crate::sample::Collector;

    #[test]
    fn a_column_is_found_by_its_name_or_the_beginning_of_it() {
        let options = options(wanted());
        let columns = Detail::Hosts.columns(&options);
        let check =
            |text: &str, want: &str| match Sort::parse(text).column(&columns, &options.wanted.commands) {
                By::Column(index) => assert_eq!(columns[index].key, want),
                By::Host => assert_eq!("host", want),
                By::Extra(name) => assert_eq!(name, want),
                By::Nothing => assert_eq!("", want),
            };
        check("cpu", "cpu_percent");
        check("-mem_total_bytes", "mem_total_bytes");
        check("load", "load1");
        check("MEM%", "mem_percent");
        check("", "host");
        check("-host", "host");
        check("queue.depth", "queue.depth");
        check("queues", "");
    }

    #[test]
    fn an_unknown_column_names_those_that_are_near() {
        let check = |text: &str, want: &str| {
            let error = Sort::parse(text).check(&options(only(Collector::Disk))).unwrap_err();
            assert_eq!(error.to_string(), want);
        };
        check("sice_bytes", "no column `sice_bytes` to sort by; did you mean `size_bytes`?");
        let error = Sort::parse("nope").check(&options(only(Collector::Disk))).unwrap_err().to_string();
        assert!(error.starts_with("no column `nope` to sort by; there are mountpoint, "), "{error}");
        assert!(Sort::parse("size").check(&options(only(Collector::Disk))).is_ok());
    }
}
