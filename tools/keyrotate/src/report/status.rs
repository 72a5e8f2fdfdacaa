//! How far rotations are, and what they wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use common::natural::natural;
use common::{Out, Result, table};
use serde::Serialize;

use super::{Form, KeyName, short};
use crate::clock::{Now, told};
use crate::spec::Gates;
use crate::state::{Hold, Phase, Progress, Rotation, State};

/// The longest sentence in the table, in characters.
const LONGEST: usize = 100;

/// So many consumers that are done are shown one by one.
const MOST_DONE: usize = 20;

/// What is known of one credential.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What is remembered of it.
    pub(crate) state: &'a State,
    /// What its spec says, when that is at hand.
    pub(crate) terms: Option<Terms<'a>>,
}

/// What a spec says of the time that a rotation takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// How long after a rotation the next one is due.
    pub(crate) every: Duration,
    /// What must be true.
    pub(crate) gates: &'a Gates,
}

/// Prints one line for each of `subjects`; of one alone also its consumers, and all that holds it up.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print(subjects: &[Subject<'_>], now: &Now, form: Form, out: &mut Out) -> Result<()> {
    let all: Vec<Status> = subjects.iter().map(|subject| Status::of(subject, now)).collect();
    if form == Form::Json {
        return all.iter().try_for_each(|status| out.write_json(status));
    }
    let rows: Vec<Vec<String>> = all.iter().map(Status::row).collect();
    if !rows.is_empty() {
        table::texts(&["NAME", "PHASE", "KEY", "SINCE", "NEXT", "WAITS FOR"], &rows, out)?;
    }
    match all.as_slice() {
        [status] => status.print_details(out),
        _ => Ok(()),
    }
}

#[derive(Debug, Serialize)]
struct Status {
    name: String,
    phase: String,
    is_going_back: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    back_reason: Option<String>,
    rotation: Option<String>,
    /// The key that is in use, or is to be.
    key: Option<KeyName>,
    old_key: Option<KeyName>,
    /// When the rotation began, or the last one ended.
    since: Option<String>,
    next_due: Option<String>,
    waits: Option<Waits>,
    timer: Option<Passed>,
    hold: Option<Held>,
    confirmed_by: Option<String>,
    last: Option<Ended>,
    consumers: BTreeMap<String, Consumer>,
}

#[derive(Debug, Serialize)]
struct Waits {
    status: u8,
    why: String,
}

#[derive(Debug, Serialize)]
struct Passed {
    passed_seconds: u64,
    of_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Held {
    by: String,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ended {
    rotation: String,
    at: String,
    outcome: &'static str,
}

#[derive(Debug, Default, Serialize)]
struct Consumer {
    is_written: bool,
    is_attested: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
}

/// Where a consumer stands, in the order in which people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Open,
    Skipped,
    Done,
}

impl Status {
    fn of(subject: &Subject<'_>, now: &Now) -> Self {
        let Subject { name, state, terms } = subject;
        let is_held = |hold: &&Hold| hold.until.is_none_or(|until| until > now.seconds());
        let hold = state.hold.as_ref().filter(is_held);
        let mut status = Self {
            name: (*name).to_owned(),
            phase: "IDLE".into(),
            is_going_back: false,
            back_reason: None,
            rotation: None,
            key: None,
            old_key: None,
            since: None,
            next_due: None,
            waits: None,
            timer: None,
            hold: hold.map(|hold| Held { by: hold.by.clone(), until: hold.until.map(told) }),
            confirmed_by: None,
            last: None,
            consumers: BTreeMap::new(),
        };
        if let Some(last) = &state.last {
            let outcome = if last.is_rotated { "rotated" } else { "rolled_back" };
            let rotation = last.rotation.clone();
            status.last = Some(Ended { rotation, at: told(last.ended), outcome });
            status.key = Some(KeyName { id: last.key.clone(), fingerprint: last.fingerprint.clone() });
            status.since = Some(told(last.ended));
        }
        match &state.rotation {
            Some(rotation) => status.under_way(rotation, *terms, now),
            None => status.next_due = next_due(state, *terms, now).map(told),
        }
        status
    }

    fn under_way(&mut self, rotation: &Rotation, terms: Option<Terms<'_>>, now: &Now) {
        self.phase = rotation.phase.to_string();
        self.is_going_back = rotation.back.is_some();
        self.back_reason = rotation.back.as_ref().map(|back| back.reason.clone());
        self.rotation = Some(rotation.id.clone());
        self.key = rotation.new.as_ref().map(KeyName::of);
        self.old_key = rotation.old.as_ref().map(KeyName::of);
        self.since = Some(told(rotation.begun));
        self.waits = rotation.waits.as_ref().map(|wait| Waits { status: wait.status, why: wait.why.clone() });
        self.confirmed_by.clone_from(&rotation.confirmed);
        let of = |phase| match phase {
            Phase::Soak => Some(terms?.gates.soak),
            Phase::Watch => Some(terms?.gates.watch),
            _ => None,
        };
        self.timer = rotation.timer.as_ref().map(|timer| Passed {
            passed_seconds: timer.until(now).passed().as_secs(),
            of_seconds: of(rotation.phase).map(|time| time.as_secs()),
        });
        let consumer = |progress: &Progress| Consumer {
            is_written: progress.is_written,
            is_attested: progress.is_attested,
            skipped: None,
        };
        self.consumers =
            rotation.consumers.iter().map(|(name, progress)| (name.clone(), consumer(progress))).collect();
        for (name, skip) in &rotation.skipped {
            let skipped = format!("{}: {}", skip.by, skip.reason);
            self.consumers.entry(name.clone()).or_default().skipped = Some(skipped);
        }
    }

    fn row(&self) -> Vec<String> {
        let phase = if self.is_going_back { format!("{}, back", self.phase) } else { self.phase.clone() };
        let key = self.key.as_ref().or(self.old_key.as_ref()).map(|key| short(&key.id).to_owned());
        let waits = self.waits.as_ref().map(|waits| cut(&waits.why));
        let some = |text: Option<String>| text.unwrap_or_default();
        vec![
            self.name.clone(),
            phase,
            some(key),
            some(self.since.clone()),
            some(self.next_due.clone()),
            some(waits),
        ]
    }

    fn print_details(&self, out: &mut Out) -> Result<()> {
        self.print_consumers(out)?;
        let mut lines = Vec::new();
        let long = self.waits.as_ref().filter(|waits| cut(&waits.why) != waits.why);
        lines.extend(long.map(|waits| format!("waits for: {}", waits.why)));
        lines.extend(self.back_reason.as_ref().map(|why| format!("goes back: {why}")));
        let is_running = |passed: &&Passed| passed.of_seconds.is_none_or(|of| passed.passed_seconds < of);
        lines.extend(self.timer.as_ref().filter(is_running).map(Passed::told));
        lines.extend(self.confirmed_by.as_ref().map(|by| format!("confirmed by {by}")));
        lines.extend(self.hold.as_ref().map(Held::told));
        if !lines.is_empty() {
            writeln!(out)?;
        }
        lines.iter().try_for_each(|line| writeln!(out, "{}", common::log::escape(line)))
    }
}

impl Status {
    /// Those who hold the rotation up come first, and many who do not are only counted.
    fn print_consumers(&self, out: &mut Out) -> Result<()> {
        let mut all: Vec<(&String, &Consumer)> = self.consumers.iter().collect();
        all.sort_by(|(left, one), (right, other)| {
            one.standing().cmp(&other.standing()).then_with(|| natural(left, right))
        });
        let done = all.iter().filter(|(_, one)| one.standing() == Standing::Done).count();
        if done > MOST_DONE {
            all.truncate(all.len() - done);
        }
        if !self.consumers.is_empty() {
            writeln!(out)?;
        }
        if !all.is_empty() {
            let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
            let row = |(name, one): &(&String, &Consumer)| {
                let skipped = one.skipped.clone().unwrap_or_default();
                vec![(*name).clone(), yes(one.is_written), yes(one.is_attested), skipped]
            };
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            table::texts(&["CONSUMER", "WRITTEN", "ATTESTED", "SKIPPED BY"], &rows, out)?;
        }
        if done > MOST_DONE {
            let more = if all.is_empty() { "" } else { "more " };
            writeln!(out, "{done} {more}consumers are written and attested")?;
        }
        Ok(())
    }
}

impl Consumer {
    fn standing(&self) -> Standing {
        match (&self.skipped, self.is_written && self.is_attested) {
            (Some(_), _) => Standing::Skipped,
            (None, true) => Standing::Done,
            (None, false) => Standing::Open,
        }
    }
}

impl Passed {
    fn told(&self) -> String {
        match self.of_seconds {
            Some(of) => format!("{} s of {of} s have passed", self.passed_seconds),
            None => format!("{} s have passed", self.passed_seconds),
        }
    }
}

impl Held {
    fn told(&self) -> String {
        let until = self.until.as_ref().map_or_else(|| "`--off`".to_owned(), Clone::clone);
        format!("held by {} until {until}", self.by)
    }
}

/// A sentence that fits into a table; one of many consumers is long.
fn cut(why: &str) -> String {
    if why.chars().count() <= LONGEST {
        return why.to_owned();
    }
    let kept: String = why.chars().take(LONGEST - 4).collect();
    kept + " ..."
}

/// When the next rotation begins; now for a credential that never had one.
fn next_due(state: &State, terms: Option<Terms<'_>>, now: &Now) -> Option<i64> {
    let every = i64::try_from(terms?.every.as_secs()).unwrap_or(i64::MAX);
    Some(state.last.as_ref().map_or(now.seconds(), |last| last.ended.saturating_add(every)))
}

#[cfg(test)]
mod tests;
