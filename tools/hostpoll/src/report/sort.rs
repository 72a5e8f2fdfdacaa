//! `--sort`: the column that the rows of a table are sorted by.

use std::cmp::Ordering;

use common::{Error, Result};

use super::Options;
use super::detail::{Cell, Column, Detail};
use common::near;

/// What the rows of a table are sorted by: names ascending, numbers descending, or the reverse.
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
#[derive(Debug, PartialEq, Eq)]
pub(super) enum By {
    Host,
    Column(usize),
    /// A value of a `--command`, by its name.
    Extra(String),
    Nothing,
}

/// Names in the order in which people count: `web2` before `web10`.
pub(super) fn natural(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let (one, other) = (run(&mut left_rest), run(&mut right_rest));
        let order = if is_number(one) && is_number(other) {
            let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
            one.len().cmp(&other.len()).then_with(|| one.cmp(other))
        } else {
            one.cmp(other)
        };
        if order.is_ne() {
            return order;
        }
    }
    left_rest.len().cmp(&right_rest.len()).then_with(|| left.cmp(right))
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Takes the digits, or what is none, from the beginning.
fn run<'t>(rest: &mut &'t str) -> &'t str {
    let digits = is_number(rest);
    let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
    let (run, behind) = rest.split_at(end);
    *rest = behind;
    run
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        let mut names = ["web10", "web2", "db1", "web02b", "web", "web2a"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["db1", "web", "web2", "web2a", "web02b", "web10"]);
    }

    proptest! {
        #[test]
        fn the_order_of_names_is_one(a in "[a-b0-2]{0,6}", b in "[a-b0-2]{0,6}", c in "[a-b0-2]{0,6}") {
            prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            prop_assert_eq!(natural(&a, &b).is_eq(), a == b);
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
