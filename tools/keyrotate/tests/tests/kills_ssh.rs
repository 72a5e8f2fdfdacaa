//! As `kills.rs`, with the key of an account, which administers itself, on two hosts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use testkit::sshd::Sshd;
use testkit::strace::{Fault, Killer, works};
use testkit::sweep::{self, Sweep};

use crate::kills::is_act;
use crate::ssh::{AT_ONCE, NAMES, Rotation};

fn program() -> PathBuf {
    sweep::program(env!("CARGO_BIN_EXE_keyrotate"))
}

fn rotation() -> Option<Rotation> {
    Rotation::start([Sshd::new(), Sshd::new()], AT_ONCE)
}

fn killer(all: &Rotation) -> Killer {
    Killer::new(program()).args([Path::new("run"), &all.path("deploy.toml")])
}

/// Logs in with what the consumers hold until `is_over`; who was refused.
fn probe(all: &Rotation, is_over: &AtomicBool) -> Vec<String> {
    let mut refused = Vec::new();
    let mut tries = 0;
    while tries == 0 || !is_over.load(Ordering::SeqCst) {
        let holds = || [all.text("key"), all.there()][tries % 2].clone();
        let host = NAMES[tries % 2];
        let held = holds();
        let file = all.kept("held", &held);
        // Who is refused looks again: he may have been given another one just now.
        if !all.logs_in(host, &file) && holds() == held && !all.logs_in(host, &file) {
            refused.push(format!("consumer {} is refused at {host}", tries % 2));
        }
        tries += 1;
    }
    refused
}

/// Runs it until it is over; what is wrong then.
fn converges(all: &Rotation) -> Vec<String> {
    let mut said = Vec::new();
    for _ in 0..4 {
        let run = std::process::Command::new(program()).arg("run").arg(all.path("deploy.toml")).output();
        let run = run.unwrap();
        said.push(format!("{:?} {}", run.status.code(), String::from_utf8_lossy(&run.stderr)));
        if run.status.code() == Some(0) {
            break;
        }
    }
    let (key, there) = (all.text("key"), all.there());
    let held = all.kept("last", &key);
    let is_good = NAMES[..2].iter().all(|name| all.logs_in(name, &held));
    let lines = all.lines();
    // The operator's line, a comment, and one key of the account.
    let is_alone = lines.iter().all(|lines| lines.lines().count() == 3 && !lines.contains("#keyrotate-"));
    let is_over = said.last().is_some_and(|last| last.starts_with("Some(0)"));
    if key == there && is_good && is_alone && is_over {
        return Vec::new();
    }
    vec![format!("same {}, good {is_good}, {lines:?} after {said:?}", key == there)]
}

#[test]
fn a_kill_while_hosts_are_told_costs_nobody_his_key() {
    if !works() {
        return;
    }
    let Some(good) = rotation() else { return };
    let mut calls = killer(&good).calls();
    calls.retain(is_act);
    calls.sort_by(|one, other| (&one.syscall, one.nth).cmp(&(&other.syscall, other.nth)));
    calls.dedup_by(|one, other| one.point() == other.point());
    assert!(calls.len() > 100, "{}", calls.len());
    // It takes seconds: a fifth of what others try.
    let calls: Vec<_> = sweep::some(&calls, 5).into_iter().step_by(5).cloned().collect();
    let sweep = Sweep { faults: &[Fault::Kill], least: 3, met: 60, share: 100 };
    sweep.run(&"kills of a rotation over hosts", &calls, |call, fault| {
        let all = rotation()?;
        let is_over = AtomicBool::new(false);
        let (hit, wrong) = std::thread::scope(|scope| {
            let prober = scope.spawn(|| probe(&all, &is_over));
            let struck = killer(&all).strike(call.point(), fault);
            let mut wrong = converges(&all);
            is_over.store(true, Ordering::SeqCst);
            wrong.extend(prober.join().unwrap());
            (struck.hit, wrong)
        });
        let told = |wrong: String| format!("{fault} at {}: {wrong}\n  {}", call.point(), call.text);
        (hit || !wrong.is_empty()).then(|| wrong.into_iter().map(told).collect())
    });
}
