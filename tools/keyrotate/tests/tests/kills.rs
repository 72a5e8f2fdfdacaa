//! A fault at every system call of a run: whatever happens, no consumer is ever without a key that the
//! target accepts, and the next run finishes the rotation.
//!
//! `SRE_RELEASE` and `SRE_SWEEP` are explained at [`testkit::sweep`].

use std::path::PathBuf;

use testkit::strace::{Call, Fault, Killer, works};
use testkit::sweep::{self, Sweep};

use crate::rig::{OLD, Rig};

const FAULTS: [Fault<'_>; 4] =
    [Fault::Kill, Fault::Error("ENOSPC"), Fault::Error("EIO"), Fault::Error("ECONNRESET")];

const KILL: [Fault<'_>; 1] = [Fault::Kill];

/// What changes something for others: it writes, renames, syncs or sends.
const ACTS: [&str; 26] = [
    "clone",
    "clone3",
    "connect",
    "fallocate",
    "fchmod",
    "fchown",
    "fdatasync",
    "flock",
    "fsetxattr",
    "fsync",
    "ftruncate",
    "link",
    "linkat",
    "mkdir",
    "pwrite64",
    "rename",
    "renameat",
    "renameat2",
    "sendmsg",
    "sendto",
    "shutdown",
    "sync_file_range",
    "unlink",
    "unlinkat",
    "write",
    "writev",
];

pub(crate) fn is_act(call: &Call) -> bool {
    ACTS.contains(&call.syscall.as_str()) || call.text.contains("O_CREAT")
}

fn program() -> PathBuf {
    sweep::program(env!("CARGO_BIN_EXE_keyrotate"))
}

fn killer(rig: &Rig) -> Killer {
    Killer::new(program()).args(rig.args())
}

/// The calls of a run that ends with `status`. A close(2) that fails has closed all the same, which a
/// fault that does nothing cannot show: the library would wait for the end of a pipe that it holds itself.
/// Nor can the socket fail by which the library hears, in 8 bytes, that a command could not be run: the library
/// waits for ever then. As each thread counts for itself, a number that it has in one is left out for all.
fn calls(rig: &Rig, status: i32) -> Vec<Call> {
    let mut calls = killer(rig).calls_until(status);
    let receives = |call: &Call| call.syscall == "recvfrom";
    let spawns = |call: &&Call| receives(call) && call.text.contains(", 8, 0, NULL, NULL)");
    let last = calls.iter().filter(spawns).map(|call| call.nth).max().unwrap_or(0);
    calls.retain(|call| call.syscall != "close" && !(receives(call) && call.nth <= last));
    calls
}

/// A run that meets `fault` at `call`, and as many good ones as it then takes.
fn strike(rig: &Rig, call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    let prober = rig.prober();
    let struck = killer(rig).strike(call.point(), fault);
    let mut wrong = rig.converges(&program());
    wrong.extend(prober.end());
    let told = |wrong: String| format!("{fault} at {}: {wrong}\n  {}", call.point(), call.text);
    // What goes wrong without a fault is wrong all the more.
    (struck.hit || !wrong.is_empty()).then(|| wrong.into_iter().map(told).collect())
}

/// Faults at the calls of `all` that `is_meant`.
fn sweep(what: &str, sweep: Sweep<'_>, is_meant: impl Fn(&Call) -> bool, rig: impl Fn() -> Rig) {
    if !works() {
        return;
    }
    let mut calls = calls(&rig(), 0);
    calls.retain(is_meant);
    // Each thread and child counts for itself: one point may stand for many calls.
    calls.sort_by(|one, other| (&one.syscall, one.nth).cmp(&(&other.syscall, other.nth)));
    calls.dedup_by(|one, other| one.point() == other.point());
    sweep.run(&what, &calls, |call, fault| strike(&rig(), call, fault));
}

/// Kills a run at what changes something; `share` as in [`Sweep`].
pub(crate) fn kill(what: &str, share: usize, rig: impl Fn() -> Rig) {
    let kills = Sweep { faults: &KILL, least: 200, met: 90, share };
    sweep(&format!("kills of a {what}"), kills, is_act, rig);
}

/// As [`kill`], at a few calls that send or rename, where a rotation takes long.
pub(crate) fn kill_a_few(what: &str, rig: impl Fn() -> Rig) {
    if !works() {
        return;
    }
    let mut calls = calls(&rig(), 0);
    calls.retain(|call| ["sendto", "rename"].contains(&call.syscall.as_str()));
    let calls: Vec<_> = sweep::some(&calls, 1).into_iter().step_by(5).cloned().collect();
    let sweep = Sweep { faults: &KILL, least: 3, met: 60, share: 100 };
    sweep.run(&what, &calls, |call, fault| strike(&rig(), call, fault));
}

/// Any fault, anywhere.
pub(crate) fn fail(what: &str, share: usize, rig: impl Fn() -> Rig) {
    let faults = Sweep { faults: &FAULTS, least: 500, met: 80, share };
    sweep(&format!("faults in a {what}"), faults, |_| true, rig);
}

#[test]
fn a_kill_costs_nobody_his_key() {
    kill("rotation of lines in a file", 100, Rig::file);
}

#[test]
fn a_fault_at_any_call_costs_nobody_his_key() {
    fail("rotation of lines in a file", 10, Rig::file);
}

#[test]
fn a_full_disk_costs_nobody_his_key() {
    let full = Sweep { faults: &[Fault::Error("ENOSPC")], least: 200, met: 90, share: 10 };
    sweep("rotation with a full disk", full, is_act, Rig::file);
}

#[test]
fn a_fault_on_the_way_back_costs_nobody_his_key() {
    if !works() {
        return;
    }
    let calls = calls(&Rig::with_a_broken_consumer(), 10);
    let sweep = Sweep { faults: &FAULTS, least: 500, met: 60, share: 6 };
    sweep.run(&"rotation that goes back", &calls, |call, fault| {
        let rig = Rig::with_a_broken_consumer();
        let mut wrong = strike(&rig, call, fault)?;
        if rig.holds().iter().any(|held| held != OLD) {
            wrong.push(format!("{fault} at {}: they hold {:?}", call.point(), rig.holds()));
        }
        Some(wrong)
    });
}

/// Two kills: at `first` in turn, then anywhere.
fn kill_twice(what: &str, is_first: impl Fn(&Call) -> bool, met: usize) {
    if !works() {
        return;
    }
    let calls = calls(&Rig::file(), 0);
    let first: Vec<&Call> = calls.iter().filter(|call| is_first(call)).collect();
    assert!(first.len() > 10, "{}", first.len());
    let sweep = Sweep { faults: &KILL, least: 100, met, share: 6 };
    let mut turn = usize::try_from(std::process::id()).unwrap();
    sweep.run(&what, &calls, |call, fault| {
        let rig = Rig::file();
        // No divisor of how many there are, so that all have their turn with all.
        turn += 7919;
        let first = first[turn % first.len()];
        let _first = killer(&rig).strike(first.point(), Fault::Kill);
        let told = |wrong: String| format!("after a kill at {}: {wrong}", first.point());
        strike(&rig, call, fault).map(|wrong| wrong.into_iter().map(told).collect())
    });
}

#[test]
fn a_second_kill_on_the_way_on_is_no_worse() {
    kill_twice("a second kill", |call| call.syscall.starts_with("rename"), 20);
}

#[test]
fn any_two_kills_are_no_worse() {
    kill_twice("any two kills", |_| true, 20);
}
