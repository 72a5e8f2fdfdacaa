//! Health: rounds of all checks of a host, of which enough have to pass.
//!
//! The record of a host goes on from its wave to its confirmation: it fails as soon as more of its last `of`
//! rounds have failed than `pass` of `of` leaves room for. One certain failure is not waited for, and a pass
//! is none before no failure can change it.

use std::collections::BTreeMap;
use std::time::Duration;

use common::answer::Answer;

use super::Step;
use super::crew::{Breach, Crew, FOREVER, Report, State, Work};
use crate::spec::Checks;

/// How long hosts are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Until enough rounds have passed.
    Passed,
    /// Until then, with a round in each of these spans of time.
    Until(Duration, Duration),
    /// Until a round passes.
    Once,
}

/// The watch over one host.
struct Watch {
    next_at: Duration,
    is_asking: bool,
    rounds: u32,
    passed: u32,
}

/// Watches `hosts`, all at a time, each until it reaches `goal` or fails.
///
/// # Errors
/// When more hosts have failed than may.
pub(super) fn watch(
    crew: &mut Crew<'_>,
    hosts: &[usize],
    (checks, goal): (Checks, Goal),
) -> Result<(), Breach> {
    let start = crew.now();
    // A single round stands for the whole window when it is made at its end.
    let wait = if goal == Goal::Passed && checks.of == 1 { checks.window } else { Duration::ZERO };
    let new = || Watch { next_at: start + wait, is_asking: false, rounds: 0, passed: 0 };
    let mut watches: BTreeMap<usize, Watch> = hosts.iter().map(|&host| (host, new())).collect();
    loop {
        let now = crew.now();
        let end = if let Goal::Until(end, _) = goal { end } else { FOREVER };
        watches
            .retain(|&host, watch| crew.hand(host).state == State::Swapped && (watch.is_asking || now < end));
        if watches.is_empty() {
            return Ok(());
        }
        ask(crew, &mut watches);
        // What is asked for at the end is still waited for.
        let end = if now < end { end } else { FOREVER };
        let waiting = watches.values().filter(|watch| !watch.is_asking && crew.has_room());
        let wake = waiting.map(|watch| watch.next_at).fold(end, Duration::min);
        let report = crew.next(wake)?.filter(|report| report.work == Work::Round);
        let Some(report) = report else { continue };
        if let Some(watch) = watches.get_mut(&report.host) {
            judge(crew, &report, checks)?;
            let is_over = watch.is_over(&report, start, (checks, goal));
            if is_over {
                watches.remove(&report.host);
            }
            if is_over && goal == Goal::Passed && crew.hand(report.host).state == State::Swapped {
                crew.tell(Some(report.host), Step::Healthy);
            }
        }
    }
}

/// Has those be asked whose time has come.
fn ask(crew: &mut Crew<'_>, watches: &mut BTreeMap<usize, Watch>) {
    let now = crew.now();
    for (&host, watch) in watches {
        if !watch.is_asking && watch.next_at <= now && crew.has_room() {
            watch.is_asking = true;
            crew.ask(host, Work::Round);
        }
    }
}

/// Notes a round, and whether the host has failed by it.
fn judge(crew: &mut Crew<'_>, report: &Report, checks: Checks) -> Result<(), Breach> {
    let failures = crew.record(report.host, report.answer.is_yes(), checks.of);
    let (Answer::No(why) | Answer::Unknown(why)) = &report.answer else { return Ok(()) };
    let most = usize::try_from(checks.of.saturating_sub(checks.pass)).unwrap_or(usize::MAX);
    if failures <= most {
        return Ok(());
    }
    let why = match checks.of {
        0 | 1 => format!("not healthy: {why}"),
        of => format!("not healthy: {failures} of {of} rounds of checks failed, the last one: {why}"),
    };
    crew.fail(report.host, why)
}

impl Watch {
    /// Notes a round; says whether the watch is over, and else when the next one is.
    fn is_over(&mut self, report: &Report, start: Duration, (checks, goal): (Checks, Goal)) -> bool {
        let has_passed = report.answer.is_yes();
        self.is_asking = false;
        self.rounds += 1;
        self.passed += u32::from(has_passed);
        let apart = apart(checks);
        match goal {
            Goal::Passed => {
                self.next_at = start + apart * self.rounds;
                self.passed >= checks.pass
            }
            Goal::Until(end, span) => {
                self.next_at = report.began + span;
                report.ended >= end
            }
            Goal::Once => {
                self.next_at = report.began + apart;
                has_passed
            }
        }
    }
}

/// The time from one round to the next: the first is at the beginning of the window, the last at its end.
pub(super) fn apart(checks: Checks) -> Duration {
    if checks.of > 1 { checks.window / (checks.of - 1) } else { Duration::ZERO }
}
