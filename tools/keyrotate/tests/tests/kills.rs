//! A fault at every system call of a run: whatever happens, no consumer is ever without a key that the
//! target accepts, and the next run finishes the rotation.
//!
//! `SRE_RELEASE` and `SRE_SWEEP` are explained at [`testkit::sweep`].

use std::path::Path;
use std::sync::Arc;

use testkit::redis::Redis;
use testkit::strace::{Call, Fault, Killer, works};
use testkit::sweep::{self, Sweep};

use crate::rig::{OLD, Rig};

const FAULTS: [Fault<'_>; 4] =
    [Fault::Kill, Fault::Error("ENOSPC"), Fault::Error("EIO"), Fault::Error("ECONNRESET")];

const KILL: [Fault<'_>; 1] = [Fault::Kill];

fn killer(program: &Path, rig: &Rig) -> Killer {
    Killer::new(program).args(rig.args())
}

/// The calls of a run that ends with `status`. A close(2) that fails has closed all the same, which a
/// fault that does nothing cannot show: the library would wait for the end of a pipe that it holds itself.
fn calls(program: &Path, rig: &Rig, status: i32) -> Vec<Call> {
    let mut calls = killer(program, rig).calls_until(status);
    calls.retain(|call| call.syscall != "close");
    calls
}

/// A run that meets `fault` at `call`, and as many good ones as it then takes.
fn strike(program: &Path, rig: &Rig, call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    let prober = rig.prober();
    let struck = killer(program, rig).strike(call.point(), fault);
    let mut wrong = rig.converges(program);
    wrong.extend(prober.end());
    let told = |wrong: String| format!("{fault} at {}: {wrong}\n  {}", call.point(), call.text);
    struck.hit.then(|| wrong.into_iter().map(told).collect())
}

#[test]
fn a_fault_at_any_call_costs_nobody_his_key() {
    if !works() {
        return;
    }
    let program = sweep::program(env!("CARGO_BIN_EXE_keyrotate"));
    let calls = calls(&program, &Rig::file(), 0);
    let sweep = Sweep { faults: &FAULTS, least: 500, met: 90, share: 100 };
    sweep.run(&"rotation of lines in a file", &calls, |call, fault| {
        strike(&program, &Rig::file(), call, fault)
    });
}

#[test]
fn a_fault_on_the_way_back_costs_nobody_his_key() {
    if !works() {
        return;
    }
    let program = sweep::program(env!("CARGO_BIN_EXE_keyrotate"));
    let calls = calls(&program, &Rig::with_a_broken_consumer(), 10);
    let sweep = Sweep { faults: &FAULTS, least: 500, met: 60, share: 60 };
    sweep.run(&"rotation that goes back", &calls, |call, fault| {
        let rig = Rig::with_a_broken_consumer();
        let mut wrong = strike(&program, &rig, call, fault)?;
        if rig.holds().iter().any(|held| held != OLD) {
            wrong.push(format!("{fault} at {}: they hold {:?}", call.point(), rig.holds()));
        }
        Some(wrong)
    });
}

#[test]
fn a_fault_at_any_call_to_redis_costs_nobody_his_key() {
    let Some(server) = Redis::new().users("user default on nopass ~* &* +@all\n").start() else { return };
    if !works() {
        return;
    }
    let server = Arc::new(server);
    let program = sweep::program(env!("CARGO_BIN_EXE_keyrotate"));
    let calls = calls(&program, &Rig::redis(&server), 0);
    let sweep = Sweep { faults: &FAULTS, least: 500, met: 90, share: 100 };
    sweep.run(&"rotation of a user of Redis", &calls, |call, fault| {
        strike(&program, &Rig::redis(&server), call, fault)
    });
}

#[test]
fn a_second_kill_on_the_way_on_is_no_worse() {
    if !works() {
        return;
    }
    let program = sweep::program(env!("CARGO_BIN_EXE_keyrotate"));
    let calls = calls(&program, &Rig::file(), 0);
    let first: Vec<&Call> = calls.iter().filter(|call| call.syscall.starts_with("rename")).collect();
    assert!(first.len() > 10, "{}", first.len());
    let sweep = Sweep { faults: &KILL, least: 100, met: 20, share: 100 };
    let mut turn = 0;
    sweep.run(&"a second kill", &calls, |call, fault| {
        let rig = Rig::file();
        turn += 1;
        let _first = killer(&program, &rig).strike(first[turn % first.len()].point(), Fault::Kill);
        strike(&program, &rig, call, fault)
    });
}
