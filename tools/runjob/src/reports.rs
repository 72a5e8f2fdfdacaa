//! Who is told what a run came to: a file for programs, one for Prometheus, a monitor, a person.
//!
//! None of them changes the status: what cannot be told is a warning. A run that found the lock taken tells nobody:
//! the record is that of the run which has it.

mod event;
mod metrics;
pub(crate) mod ping;
mod status;

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use common::{OrCannot, Result};
use files::Replacement;

use crate::cli;
use crate::run::Run;
use status::Record;

/// A longer report is none; in bytes.
const LONGEST: u64 = 1024 * 1024;

/// A longer URL is none; in bytes.
const LONGEST_URL: u64 = 4096;

/// What was known of a job before this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct History {
    /// How many runs have failed since the last that did not.
    failures: u64,
    /// When the last one succeeded: milliseconds since 1970.
    success: Option<i64>,
}

/// Tells everybody whom `reports` names what came of `run`; `tail` is the end of what it printed.
///
/// The files first: whoever is told then may look at them.
pub(crate) fn tell(reports: &cli::Reports, run: &Run, tail: &[u8]) {
    let before = history(reports, &run.name);
    let record = Record::of(run, before);
    let written = [
        reports.status.as_deref().map(|path| put(path, &record.line())),
        reports.metrics.as_deref().map(|path| put(path, &metrics::text(&record))),
    ];
    for why in written.into_iter().flatten().filter_map(Result::err) {
        log::warn!("{why}");
    }
    if let Some(command) = &reports.on_event {
        event::tell(command, &record, before);
    }
    if let Some(url) = monitor(reports) {
        ping::tell(&url, run.end.is_success(), tail);
    }
}

/// The URL of the monitor; that its file has none is a warning, which does not show what it has.
fn monitor(reports: &cli::Reports) -> Option<String> {
    let Some(path) = &reports.ping_file else { return reports.ping.clone() };
    let place = path.display();
    match first_line(path).map(|line| ping::url(line.trim())) {
        Err(why) => log::warn!("cannot read {place}: {why}; the monitor hears nothing of this run"),
        Ok(Err(_)) => {
            log::warn!("the first line of {place} is no URL; the monitor hears nothing of this run");
        }
        Ok(Ok(url)) => return Some(url),
    }
    None
}

/// The first line of a file, as far as a URL may go; a pipe that nobody writes to is not waited for.
fn first_line(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LONGEST_URL).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// What the files of the last run say, that with the record first: the other one may be given a new place.
fn history(reports: &cli::Reports, name: &str) -> History {
    let of_status = || status::history(&read(reports.status.as_deref()?)?, name);
    let of_metrics = || metrics::history(&read(reports.metrics.as_deref()?)?, name);
    of_status().or_else(of_metrics).unwrap_or_default()
}

/// What is in a file; nothing before the first run, nor when it cannot be read or is none of ours, which may be
/// a pipe that nobody writes to.
fn read(path: &Path) -> Option<Vec<u8>> {
    let is_ours = |found: &Metadata| found.is_file() && found.len() <= LONGEST;
    let read = match std::fs::metadata(path) {
        Ok(found) if !is_ours(&found) => Err(std::io::Error::other("it is no report")),
        found => found.and_then(|_| std::fs::read(path)),
    };
    match read {
        Ok(bytes) => Some(bytes),
        Err(why) if why.kind() == ErrorKind::NotFound => None,
        Err(why) => {
            log::warn!("cannot read {}: {why}; what was before this run is not known", path.display());
            None
        }
    }
}

/// Puts `text` in the place of `path`. A new file can be read by everybody, whatever the umask: who collects it is
/// another user. The mode of one that exists is kept.
fn put(path: &Path, text: &str) -> Result<()> {
    let mut new = Replacement::begin_or_create(path, 0o644)?;
    new.write_all(text.as_bytes()).or_cannot("write", path)?;
    new.commit()
}

#[cfg(test)]
mod tests;
