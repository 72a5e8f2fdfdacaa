//! Counting on: what is new, every so often, until somebody asks to stop.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Error, OrCannot, Out, Outcome, Result, stop};
use logs::clock::Time;
use logs::line::Line;
use logs::records::{After, Scanner, Sink};
use logs::source::Source;
use logs::stream::Blocks;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::plan::{By, Plan};
use crate::print::{Groups, Key, Printer, Report};
use crate::state::{Memory, Store};
use crate::tally::Tally;
use crate::{groups, report_of, state, walk};

/// Follows files, through their rotations. With a state it is locked the whole time, and replaced
/// after every round.
///
/// # Errors
/// When the state cannot be read or replaced, the output cannot be written, or no log can be read in
/// the first round.
pub(crate) fn files<T: Tally>(plan: &Plan, interval: Duration, out: &mut Out) -> Result<Outcome> {
    stop::install()?;
    let mut store = plan.state.as_ref().map(Store::open).transpose()?;
    let mut own = Memory::default();
    let mut printer = Printer::new(plan);
    let mut told: Vec<String> = Vec::new();
    let mut due = Instant::now();
    for round in 0_u64.. {
        let (paths, mut failures) = walk::expand(&plan.files, plan.walk.as_ref());
        let found = match &mut store {
            Some(store) => store.round::<T>(&paths, plan)?,
            None => state::round::<T>(&mut own, &paths, plan),
        };
        failures.extend(found.failures);
        if round == 0 && found.logs.is_empty() && !failures.is_empty() {
            return crate::conclude(failures, true, None, plan);
        }
        told = tell(&failures, &told);
        let memory = store.as_ref().map_or(&own, |store| &store.memory);
        printer.print(&report_of(found.logs, memory, plan), out)?;
        if let Some(store) = &mut store {
            store.commit()?;
        }
        due += interval;
        if stop::requested() || stop::wait(due.saturating_duration_since(Instant::now())) {
            break;
        }
        due = due.max(Instant::now());
    }
    Ok(Outcome::Done)
}

/// Says what cannot be read, but not again what was said in the round before.
fn tell(failures: &[Error], told: &[String]) -> Vec<String> {
    let now: Vec<String> = failures.iter().map(ToString::to_string).collect();
    for failure in now.iter().filter(|failure| !told.contains(failure)) {
        log::error!("{failure}");
    }
    now
}

/// A tally that can be looked at while the scanner has it.
struct Shared<'a, T>(&'a RefCell<T>);

impl<T: Tally> Sink for Shared<'_, T> {
    fn record(&mut self, line: &Line<'_>, bytes: &[u8], lines: u64) {
        self.0.borrow_mut().record(line, bytes, lines);
    }

    fn more(&mut self, bytes: &[u8], lines: u64) {
        self.0.borrow_mut().more(bytes, lines);
    }
}

/// Follows standard input to its end.
///
/// # Errors
/// When it cannot be read, or the output cannot be written.
pub(crate) fn standard_input<T: Tally>(plan: &Plan, interval: Duration, out: &mut Out) -> Result<Outcome> {
    stop::install()?;
    let new = || {
        let mut tally = T::new(plan, Time::now());
        tally.resume(&crate::tally::Mark::default());
        tally
    };
    let tally = RefCell::new(new());
    let mut total = crate::tally::Levels::default();
    let mut printer = Printer::new(plan);
    let mut print = |out: &mut Out| -> Result<()> {
        let mark = tally.borrow().mark();
        let mut next = new();
        next.resume(&mark);
        let found = tally.replace(next);
        total.add_all(&found.levels());
        let report = if plan.output.is_some() {
            Report::cumulative(&total)
        } else {
            let path = if plan.by == By::File { Key::File(Path::new("-").into()) } else { Key::All };
            Report { groups: Groups::Few(groups(found, &path)), is_cumulative: false }
        };
        printer.print(&report, out)
    };

    let input = io::stdin().as_fd().try_clone_to_owned().or_cannot("open", "standard input")?;
    let mut reader: Option<Box<dyn io::Read + Send>> = None;
    let mut due = Instant::now() + interval;
    let mut failure = None;
    let mut read = |buffer: &mut [u8]| {
        while !stop::requested() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                due = Instant::now() + interval;
                print(out)?;
            } else if is_ready(&input, left).or_cannot("read", "standard input")? {
                // Opening it reads its first bytes, which are waited for like all others.
                let reader = match &mut reader {
                    Some(reader) => reader,
                    None => reader.insert(Source::open("-".as_ref())?.text()?.reader),
                };
                return reader.read(buffer).or_cannot("read", "standard input");
            }
        }
        Ok(0)
    };
    let read = |buffer: &mut [u8]| {
        read(buffer).or_else(|error| {
            failure = Some(error);
            Ok(0)
        })
    };
    let rules = &plan.rules;
    let scanned = Blocks::default().scan(read, &mut Scanner::new(rules), After::End, &mut Shared(&tally));
    scanned.or_cannot("read", "standard input")?;
    match failure {
        Some(failure) => Err(failure),
        None => print(out).map(|()| Outcome::Done),
    }
}

/// Waits until there is something to read, or `time` has passed, or a signal came.
fn is_ready(input: &impl AsFd, time: Duration) -> io::Result<bool> {
    let time = Timespec::try_from(time).ok();
    match poll(&mut [PollFd::new(input, PollFlags::IN)], time.as_ref()) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}
