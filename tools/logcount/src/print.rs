//! Counts as text, JSON, CSV and Prometheus exposition.

mod csv;
mod json;
mod prometheus;
mod text;

use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Out, Result};

use crate::plan::{Form, Plan};
use crate::tally::{Cells, Kept, Levels, rfc3339};
use logs::clock::Time;

pub(crate) use csv::escaped;
pub(crate) use json::quoted;

/// A group of counts.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) key: Key,
    pub(crate) cells: Cells,
}

/// What a group is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// It is the only one.
    All,
    /// The file, as it was given.
    File(Box<Path>),
    /// The beginning of a minute, hour or day; `None` for records before the first stamp.
    Time(Option<i64>),
}

/// The groups of a report.
#[derive(Debug)]
pub(crate) enum Groups<'a> {
    /// As they are.
    Few(Vec<Group>),
    /// Files, by their index in a list of paths.
    Files(&'a [PathBuf], Vec<(usize, Kept)>),
}

impl Groups<'_> {
    /// Does the same with each group in order, as long as it succeeds.
    fn each(&self, mut visit: impl FnMut(&Group) -> Result<()>) -> Result<()> {
        match self {
            Self::Few(groups) => groups.iter().try_for_each(visit),
            Self::Files(paths, files) => files.iter().try_for_each(|(index, kept)| {
                let key = Key::File(paths[*index].as_path().into());
                visit(&Group { key, cells: kept.cells() })
            }),
        }
    }

    /// The same for what cannot fail.
    fn for_each(&self, mut visit: impl FnMut(&Group)) {
        let done = self.each(|group| {
            visit(group);
            Ok(())
        });
        debug_assert!(done.is_ok(), "nothing in it fails");
    }
}

/// What is printed.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) groups: Groups<'a>,
    /// The counts are those of all runs, and only grow.
    pub(crate) is_cumulative: bool,
}

impl Report<'_> {
    /// The totals since the run began.
    pub(crate) fn cumulative(levels: &Levels) -> Self {
        let group = Group { key: Key::All, cells: Cells::Levels(levels.clone()) };
        Self { groups: Groups::Few(vec![group]), is_cumulative: true }
    }
}

/// How it is printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) colour: bool,
    pub(crate) bars: bool,
    /// The time of this report, where one follows the other.
    pub(crate) time: Option<&'a str>,
    /// Whether there was one before, with the titles.
    pub(crate) goes_on: bool,
}

impl<'a> Look<'a> {
    fn of(plan: &'a Plan, terminal: bool) -> Self {
        let colour = plan.colour.is_wanted(terminal);
        Self { plan, colour, bars: terminal, time: None, goes_on: false }
    }
}

impl Look<'_> {
    /// The name of a group, where there is one.
    fn name(&self, key: &Key) -> Option<String> {
        match key {
            Key::All | Key::Time(None) => None,
            Key::File(path) => Some(path.display().to_string()),
            Key::Time(Some(secs)) => Some(rfc3339(*secs, self.plan.zone)),
        }
    }
}

/// Prints a report where the plan wants it: to `out`, or in the place of a file.
///
/// # Errors
/// When the output cannot be written; a file that was to be replaced is then unchanged.
pub(crate) fn print(report: &Report<'_>, plan: &Plan, out: &mut Out) -> Result<()> {
    if let Some(path) = &plan.output {
        let look = Look::of(plan, false);
        let mut new = files::Replacement::begin(path)?;
        write(report, &look, &mut |bytes| new.write_all(bytes).or_cannot("write", path))?;
        return new.commit();
    }
    let look = Look::of(plan, out.is_terminal());
    write(report, &look, &mut |bytes| out.write_all(bytes))?;
    out.flush()
}

/// Prints one report after the other.
pub(crate) struct Printer<'a> {
    plan: &'a Plan,
    begun: bool,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(plan: &'a Plan) -> Self {
        Self { plan, begun: false }
    }

    /// Prints a report with the time that it is, or replaces the file that the plan names.
    ///
    /// # Errors
    /// As [`print`].
    pub(crate) fn print(&mut self, report: &Report<'_>, out: &mut Out) -> Result<()> {
        if self.plan.output.is_some() {
            return print(report, self.plan, out);
        }
        let time = rfc3339(Time::now().secs(), self.plan.zone);
        let goes_on = std::mem::replace(&mut self.begun, true);
        // The bars of two reports could not be compared.
        let look = Look { bars: false, time: Some(&time), goes_on, ..Look::of(self.plan, out.is_terminal()) };
        write(report, &look, &mut |bytes| out.write_all(bytes))?;
        out.flush()
    }
}

/// Where a report is written to.
pub(crate) type Put<'a> = dyn FnMut(&[u8]) -> std::result::Result<(), Error> + 'a;

fn write(report: &Report<'_>, look: &Look<'_>, put: &mut Put<'_>) -> Result<()> {
    match look.plan.form {
        Form::Text => text::write(&report.groups, look, put),
        Form::Json => json::write(&report.groups, look, put),
        Form::Csv => csv::write(&report.groups, look, put),
        Form::Prometheus => prometheus::write(report, look, put),
    }
}

#[cfg(test)]
mod tests;
