//! What a person sees of a deployment on its way.

use std::cell::{Cell, RefCell};

use common::progress::Line;

use crate::deploy::Step;

/// Tells steps: as they come by the log, and on a terminal how far they are.
pub(crate) struct Teller<'a> {
    place: &'a str,
    hosts: usize,
    staged: Cell<usize>,
    swapped: Cell<usize>,
    confirmed: Cell<usize>,
    /// What the host failed of that failed last.
    failed: RefCell<String>,
    line: RefCell<Line>,
}

impl<'a> Teller<'a> {
    /// For a deployment to so many hosts of `place`, such as `web to prod`.
    pub(crate) fn new(place: &'a str, hosts: usize, is_quiet: bool) -> Self {
        let (staged, swapped, confirmed) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let (failed, line) = (RefCell::default(), RefCell::new(Line::new(is_quiet)));
        Self { place, hosts, staged, swapped, confirmed, failed, line }
    }

    /// That `step` has come at `host`; empty: for all of them.
    pub(crate) fn tell(&self, host: &str, step: &Step) {
        let count = |cell: &Cell<usize>| cell.set(cell.get() + 1);
        match step {
            Step::Staged => count(&self.staged),
            Step::Swapped => count(&self.swapped),
            Step::Confirmed => count(&self.confirmed),
            Step::Failed(why) => *self.failed.borrow_mut() = format!("{host}: {why}"),
            _ => {}
        }
        let place = if host.is_empty() { self.place } else { host };
        self.line.borrow_mut().clear();
        // What goes back for a host that has failed follows the line of that.
        let words = match step {
            Step::Back(why) if *why == *self.failed.borrow() => "everything goes back".into(),
            step => words(step),
        };
        log::log!(level(step), "{place}: {words}");
        self.line.borrow_mut().show(|_| {
            format!(
                "{}: {} hosts, {} staged, {} swapped, {} confirmed",
                self.place,
                self.hosts,
                self.staged.get(),
                self.swapped.get(),
                self.confirmed.get()
            )
        });
    }

    /// It is over.
    pub(crate) fn end(&self) {
        self.line.borrow_mut().clear();
    }
}

fn level(step: &Step) -> log::Level {
    match step {
        Step::NotRolledBack(_) => log::Level::Error,
        Step::Failed(_) | Step::Back(_) => log::Level::Warn,
        _ => log::Level::Info,
    }
}

fn words(step: &Step) -> String {
    match step {
        Step::Staged => "the new file is ready beside the old one".into(),
        Step::Wave { number, of } => format!("batch {number} of {of}"),
        Step::Swapped => "the new file is in use".into(),
        Step::Healthy => "it is healthy".into(),
        Step::Baking => "all hosts have the new file, and are watched for a while".into(),
        Step::Decided => "all hosts are healthy, so the new file stays".into(),
        Step::Confirmed => "confirmed".into(),
        Step::Failed(why) => why.clone(),
        Step::Back(why) => format!("everything goes back: {why}"),
        Step::RolledBack => "the old file is in use again".into(),
        Step::NotRolledBack(why) => format!("the old file is not known to be in use again: {why}"),
    }
}
