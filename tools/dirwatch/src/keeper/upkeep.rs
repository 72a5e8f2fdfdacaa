//! What is done now and then, and at the end.

use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use common::{Error, Outcome, Result};

use crate::hands::Task;
use crate::keeper::{IDLE, Keeper, PAUSE};
use crate::ledger::Refused;
use crate::message::Pass;
use crate::plan::Watch;
use crate::tree;

/// How often the numbers are written.
const NUMBERS: Duration = Duration::from_secs(5);

/// How long a single pass waits for room.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often what others have left to us is let go, and what was forgotten is taken up.
const STRANGERS: Duration = Duration::from_secs(60);

impl Keeper<'_> {
    /// Everything that has no moment of its own.
    pub(super) fn look_after(&mut self) -> Result<()> {
        let now = Instant::now();
        self.tend()?;
        self.around.service.alive();
        if now >= self.next_tick {
            self.next_tick = now + IDLE;
            self.look_at_survivors()?;
            self.close_backlogs()?;
            self.put_away_again(now);
        }
        if now >= self.next_strangers {
            self.next_strangers = now + STRANGERS;
            self.take_up_overdue()?;
            self.strangers.tend();
        }
        if now >= self.next_numbers {
            self.next_numbers = now + NUMBERS;
            self.write_numbers();
        }
        Ok(())
    }

    pub(super) fn tend(&mut self) -> Result<()> {
        let tidings = self.ledger.tend()?;
        if tidings.changed && self.ending.is_none() {
            log::debug!("the record was changed by another process");
            self.take_up_again()?;
            self.around.scanner.everything();
        }
        if let Some(trouble) = tidings.trouble {
            self.pause(&trouble);
        }
        Ok(())
    }

    /// Starts nothing for a moment; says why, once.
    pub(super) fn pause(&mut self, why: &Error) {
        let now = Instant::now();
        if self.paused.is_none() {
            log::error!("{why}; nothing is started until that is over");
            self.paused_since = Some(now);
        }
        self.paused = Some(now + PAUSE);
        // Whoever runs a single pass runs the next one too.
        let is_long = self.paused_since.is_some_and(|since| now - since > PATIENCE);
        if self.watch.place.once && is_long {
            self.fail(Error::retry("there was no room for too long"));
        }
    }

    pub(super) fn write_numbers(&mut self) {
        let waiting = self.later.len();
        self.numbers.in_flight = self.flight.values().map(Vec::len).sum::<usize>() as u64;
        self.numbers.queue = self.queue.len() as u64;
        self.numbers.waiting = waiting as u64;
        self.numbers.lag = self.queue.oldest().map(|since| since.elapsed()).unwrap_or_default();
        let numbers = &self.numbers;
        self.around.service.status(&format!(
            "{} done, {} failed, {} running, {} waiting",
            numbers.done,
            numbers.failed,
            numbers.in_flight,
            numbers.queue + numbers.waiting
        ));
        if let Some(path) = &self.watch.metrics {
            let (path, ledger) = (path.clone(), self.watch.state.clone());
            self.around.hands.take(Task::Numbers { path, ledger, numbers: Box::new(numbers.clone()) });
        }
    }

    /// Once everything that a first pass found was looked at, what comes is new.
    pub(super) fn close_backlogs(&mut self) -> Result<()> {
        if self.queue.len() > 0 {
            return Ok(());
        }
        let mut refused = Ok(());
        for (root, since) in self.watch.place.roots.iter().zip(&mut self.since) {
            if since.passed && !since.dealt_with {
                refused = refused.and(self.ledger.backlog_seen(root));
                since.dealt_with = refused.is_ok();
            }
        }
        match refused {
            // Tried again with the next tick.
            Err(Refused::NoRoom(error)) => self.pause(&error),
            Err(Refused::Broken(error)) => return Err(error),
            Ok(()) | Err(Refused::Taken) => {}
        }
        Ok(())
    }

    /// The end: what still runs is ended, and everything is stored.
    pub(super) fn finish(mut self) -> Result<Outcome> {
        if !self.flight.is_empty() {
            let running = self.flight.len();
            let s = if running == 1 { "" } else { "s" };
            log::warn!(
                "ending {running} command{s} still running; their files are taken again by the next start"
            );
            if let Some(commands) = &mut self.around.commands {
                commands.end_all(&self.around.mail);
            }
            self.drain()?;
        }
        self.close_backlogs()?;
        self.write_numbers();
        self.around.scanner.stop();
        // What was not put away within the grace is by the next start.
        if self.in_hands == 0 {
            self.around.hands.finish();
        }
        self.ledger.close()?;
        let is_cut_short = self.watch.place.once && self.ending.is_some();
        match self.failed {
            Some(error) => {
                if self.watch.place.once && !self.absent.is_empty() {
                    log::error!("{}", missed(self.watch, &self.absent));
                }
                Err(error)
            }
            None if self.watch.place.once && !self.absent.is_empty() => Err(missed(self.watch, &self.absent)),
            None if is_cut_short => Err(Error::retry("stopped before everything was processed")),
            None if self.watch.place.once && self.undone > 0 => Ok(Outcome::Partial),
            None => Ok(Outcome::Done),
        }
    }

    /// Hears of the commands that were ended.
    pub(super) fn drain(&mut self) -> Result<()> {
        let until = Instant::now() + tree::GRACE + Duration::from_secs(5);
        // Nothing else is looked after, so no other moment is to end a wait.
        (self.ending, self.next_tick) = (Some(until), until);
        while !self.flight.is_empty() && Instant::now() < until {
            self.around.service.alive();
            self.wait()?;
        }
        Ok(())
    }

    pub(super) fn passed(&mut self, pass: Pass) {
        self.since[pass.root].passed |= pass.there;
        if !pass.there {
            self.absent.insert(pass.root);
        }
        if self.watch.place.once && !pass.whole {
            self.undone += 1;
        }
    }

    pub(super) fn stop(&mut self) {
        if self.ending.is_none() {
            let grace = self.watch.work.grace;
            self.ending = Some(Instant::now() + grace);
            self.around.service.stopping(grace);
            let running = self.flight.len();
            if running > 0 {
                let s = if running == 1 { "" } else { "s" };
                let what = format!("stopping; {running} command{s} may go on for {}s", grace.as_secs());
                // A person who has typed Ctrl-C sees nothing happen.
                if std::io::stderr().is_terminal() {
                    log::warn!("{what}; Ctrl-C once more ends all at once");
                } else {
                    log::info!("{what}");
                }
            }
        }
    }
}

/// Why a single pass had to leave out folders; of several, the others are told here.
fn missed(watch: &Watch, absent: &BTreeSet<usize>) -> Error {
    let why = |root: &usize| {
        let root = &watch.place.roots[*root];
        match std::fs::read_dir(root) {
            Err(why) => Error::retry(format!("cannot read {}", root.display())).because(why),
            Ok(_) => Error::retry(format!("{} could not be read, and can be now", root.display())),
        }
    };
    let mut errors: Vec<Error> = absent.iter().map(why).collect();
    let last = errors.pop();
    for error in errors {
        log::error!("{error}");
    }
    last.unwrap_or_else(|| Error::retry("not every directory is there"))
}
