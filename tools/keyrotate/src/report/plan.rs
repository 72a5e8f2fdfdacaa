//! What a run would do, step by step.

use std::time::Duration;

use common::{Out, Result, table};
use serde::Serialize;

use super::Form;
use crate::provider::Maker;
use crate::spec::{Confirm, Gates};
use crate::state::{Phase, Rotation, State};

/// What a plan is made of.
#[derive(Debug)]
pub(crate) struct Project<'a> {
    /// The name of the credential.
    pub(crate) name: &'a str,
    /// The kind of its target.
    pub(crate) kind: &'a str,
    /// Who makes its secrets.
    pub(crate) maker: Maker,
    /// The names of its consumers, in the order of the spec.
    pub(crate) consumers: &'a [String],
    /// What must be true.
    pub(crate) gates: &'a Gates,
    /// What is remembered of it.
    pub(crate) state: &'a State,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Step {
    /// The record that it ends with.
    phase: String,
    what: String,
    /// Whether a key is taken away by it.
    takes_away: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Object<'a> {
    name: &'a str,
    steps: Vec<Step>,
}

/// Prints what follows from where the rotation is; of one that `is_due` and has not begun all of it.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print(project: &Project<'_>, is_due: bool, form: Form, out: &mut Out) -> Result<()> {
    let steps = steps(project, is_due);
    if form == Form::Json {
        return out.write_json(&Object { name: project.name, steps });
    }
    if steps.is_empty() {
        return writeln!(out, "{}: nothing is due", project.name);
    }
    writeln!(out, "{}:", project.name)?;
    let row = |step: Step| vec![step.phase, step.what];
    let rows: Vec<Vec<String>> = steps.into_iter().map(row).collect();
    table::texts(&["RECORD", "STEP"], &rows, out)
}

fn steps(project: &Project<'_>, is_due: bool) -> Vec<Step> {
    match &project.state.rotation {
        None if !is_due => Vec::new(),
        None => forward(project, None),
        Some(rotation) if rotation.back.is_some() => back(project, rotation),
        Some(rotation) => forward(project, Some(rotation)),
    }
}

fn step(phase: Phase, what: impl Into<String>) -> Step {
    Step { phase: phase.to_string(), what: what.into(), takes_away: false, at_least_seconds: None }
}

fn last(phase: &str, what: impl Into<String>) -> Step {
    Step { phase: phase.into(), what: what.into(), takes_away: false, at_least_seconds: None }
}

/// The steps behind the phase of `rotation`, or all.
fn forward(project: &Project<'_>, rotation: Option<&Rotation>) -> Vec<Step> {
    let gates = project.gates;
    let reached = rotation.map(|rotation| rotation.phase);
    let mut all: Vec<(Phase, Step)> = Vec::new();
    let mut add = |phase, step| all.push((phase, step));
    let target = project.kind;
    add(
        Phase::Intent,
        step(Phase::Intent, format!("ask the {target} target which keys there are, and which is in use")),
    );
    if project.maker == Maker::Ours {
        add(Phase::Staged, step(Phase::Staged, "make a secret, and write it into the journal"));
        add(Phase::Created, step(Phase::Created, "have the target accept it beside the old one"));
    } else {
        add(
            Phase::Created,
            step(Phase::Created, "have the target make a key, and write it into the journal"),
        );
    }
    add(Phase::Proved, step(Phase::Proved, proof(gates)));
    for deploy in waves(project, rotation) {
        add(Phase::Deployed, step(Phase::Deployed, deploy));
    }
    let count = wanted(project, rotation).len();
    add(
        Phase::Attested,
        step(
            Phase::Attested,
            format!("ask {} which key they use; all must use the new one, and work", of(count)),
        ),
    );
    add(Phase::Soak, timed(Phase::Soak, soak(gates), gates.soak.max(gates.unused)));
    let confirmed = match gates.confirm {
        Confirm::Auto => "go on by itself",
        Confirm::Manual => "wait for `keyrotate confirm`",
    };
    add(Phase::Confirmed, step(Phase::Confirmed, confirmed));
    let disable = "ask all consumers again, then have the target refuse the old key";
    add(Phase::Disabled, Step { takes_away: true, ..step(Phase::Disabled, disable) });
    let watch = format!("for {}, see that nobody misses the old key; else go back", time(gates.watch));
    add(Phase::Watch, timed(Phase::Watch, watch, gates.watch));
    let delete = "ask all consumers again, then delete the old key for good";
    add(Phase::Deleted, Step { takes_away: true, ..step(Phase::Deleted, delete) });
    add(Phase::Canary, step(Phase::Canary, "see that the old key is refused, and that the new one works"));
    add(Phase::Canary, last("IDLE", "forget both in the journal"));
    let is_to_come = |phase: &Phase| match reached {
        // What a phase waits for is to come as long as it is not over.
        Some(reached @ (Phase::Soak | Phase::Watch)) => *phase >= reached,
        Some(reached) => *phase > reached,
        None => true,
    };
    let is_to_come = |(phase, step): &(Phase, Step)| is_to_come(phase) || step.phase == "IDLE";
    all.into_iter().filter(is_to_come).map(|(_, step)| step).collect()
}

fn back(project: &Project<'_>, rotation: &Rotation) -> Vec<Step> {
    let mut steps = Vec::new();
    let phase = rotation.phase.to_string();
    if rotation.phase >= Phase::Confirmed {
        steps.push(last(&phase, "have the target accept the old key again"));
    }
    if rotation.old.is_some() {
        steps.push(last(&phase, format!("old key: {}", proof(project.gates))));
    }
    let is_touched = |name: &&String| rotation.consumers.get(*name).is_some_and(|one| one.is_touched);
    let touched: Vec<&str> =
        wanted(project, Some(rotation)).into_iter().filter(is_touched).map(String::as_str).collect();
    if !touched.is_empty() {
        steps.push(last(&phase, format!("give the old key to {}, and ask them for it", touched.join(", "))));
    }
    steps.push(Step {
        takes_away: true,
        ..last("IDLE", "delete the new key, and forget both in the journal")
    });
    steps
}

fn timed(phase: Phase, what: String, least: Duration) -> Step {
    Step { at_least_seconds: Some(least.as_secs()), ..step(phase, what) }
}

fn proof(gates: &Gates) -> String {
    let (checks, tries) = (gates.checks, gates.tries);
    let window =
        if gates.window.is_zero() { String::new() } else { format!(" within {}", time(gates.window)) };
    format!("log in {checks} times in a row{window}, of at most {tries} tries; see a corrupted copy refused")
}

fn soak(gates: &Gates) -> String {
    let soak = format!("keep both keys good for {}", time(gates.soak));
    if gates.unused.is_zero() {
        return soak;
    }
    format!("{soak}, and until the old one was unused for {}", time(gates.unused))
}

/// The consumers that are not given up.
fn wanted<'a>(project: &Project<'a>, rotation: Option<&Rotation>) -> Vec<&'a String> {
    let is_skipped = |name: &String| rotation.is_some_and(|rotation| rotation.skipped.contains_key(name));
    project.consumers.iter().filter(|name| !is_skipped(name)).collect()
}

/// One sentence for each wave.
fn waves(project: &Project<'_>, rotation: Option<&Rotation>) -> Vec<String> {
    let all = wanted(project, rotation);
    let canary = project.gates.canary;
    let one = |(at, wave): (usize, &&[&String])| {
        let names: Vec<&str> = wave.iter().map(|name| name.as_str()).collect();
        let which = if at == 0 && canary > 0 {
            "canary".to_owned()
        } else {
            format!("wave {}", at + usize::from(canary == 0))
        };
        format!("{which}: write it to {}, reload, and ask which key they use", names.join(", "))
    };
    project.gates.waves(&all).iter().enumerate().map(one).collect()
}

fn of(count: usize) -> String {
    if count == 1 { "the consumer".into() } else { format!("the {count} consumers") }
}

/// A time as the spec writes it, in the largest unit that tells it exactly.
fn time(time: Duration) -> String {
    let ms = time.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let unit = units.into_iter().find(|(size, _)| ms >= *size && ms.is_multiple_of(*size));
    match unit {
        Some((size, unit)) => format!("{}{unit}", ms / size),
        None if ms == 0 => "0s".into(),
        None => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{printed, soaking};
    use super::*;
    use crate::state::Back;

    fn check(state: &State, is_due: bool, want: &str) {
        let names = ["web", "batch", "cron"].map(str::to_owned);
        let gates = Gates { confirm: Confirm::Manual, unused: Duration::from_secs(90), ..Gates::default() };
        let project = Project {
            name: "orders",
            kind: "redis-acl",
            maker: Maker::Ours,
            consumers: &names,
            gates: &gates,
            state,
        };
        assert_eq!(printed(|out| print(&project, is_due, Form::Text, out)), want);
        let json = printed(|out| print(&project, is_due, Form::Json, out));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let lines = want.lines().count().saturating_sub(2);
        assert_eq!(json["steps"].as_array().unwrap().len(), lines, "{json}");
    }

    #[test]
    fn a_plan_has_every_step() {
        let want = "\
orders:
RECORD     STEP
INTENT     ask the redis-acl target which keys there are, and which is in use
STAGED     make a secret, and write it into the journal
CREATED    have the target accept it beside the old one
PROVED     log in 3 times in a row within 10s, of at most 12 tries; see a corrupted copy refused
DEPLOYED   canary: write it to web, reload, and ask which key they use
DEPLOYED   wave 1: write it to batch, reload, and ask which key they use
DEPLOYED   wave 2: write it to cron, reload, and ask which key they use
ATTESTED   ask the 3 consumers which key they use; all must use the new one, and work
SOAK       keep both keys good for 1d, and until the old one was unused for 90s
CONFIRMED  wait for `keyrotate confirm`
DISABLED   ask all consumers again, then have the target refuse the old key
WATCH      for 1h, see that nobody misses the old key; else go back
DELETED    ask all consumers again, then delete the old key for good
CANARY     see that the old key is refused, and that the new one works
IDLE       forget both in the journal
";
        check(&State::default(), true, want);
        check(&State::default(), false, "orders: nothing is due\n");
    }

    #[test]
    fn what_is_behind_is_no_part_of_it() {
        let want = "\
orders:
RECORD     STEP
SOAK       keep both keys good for 1d, and until the old one was unused for 90s
CONFIRMED  wait for `keyrotate confirm`
DISABLED   ask all consumers again, then have the target refuse the old key
WATCH      for 1h, see that nobody misses the old key; else go back
DELETED    ask all consumers again, then delete the old key for good
CANARY     see that the old key is refused, and that the new one works
IDLE       forget both in the journal
";
        check(&soaking(), false, want);
        let mut state = soaking();
        state.rotation.as_mut().unwrap().back = Some(Back { reason: "no".into(), by: "jan".into() });
        let want = "\
orders:
RECORD  STEP
SOAK    old key: log in 3 times in a row within 10s, of at most 12 tries; see a corrupted copy refused
SOAK    give the old key to web, batch, and ask them for it
IDLE    delete the new key, and forget both in the journal
";
        check(&state, false, want);
    }

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        let check = |ms, want: &str| assert_eq!(time(Duration::from_millis(ms)), want);
        check(0, "0s");
        check(1500, "1500ms");
        check(90_000, "90s");
        check(86_400_000, "1d");
        check(7_200_000, "2h");
    }
}
