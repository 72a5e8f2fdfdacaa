//! A deployer that is killed, and a host that is rebooted: never a mix once the guards have run out.

use std::path::PathBuf;

use testkit::strace::{Call, Fault, Killer, works};
use testkit::sweep::{self, Sweep};

use super::rig::{NEW, OLD, Rig, Spec, wait_for};

/// Guards that soon run out.
const SOON: &str = "[strategy]\nconfirm_within = \"5s\"\n[validate]\ntimeout = \"4s\"\n\
                    [reload]\ncommand = \"true\"\ntimeout = \"4s\"\n[[health]]\ncommand = \"true\"\ntimeout = \"4s\"";

/// Guards that run out, but not while a busy machine gets to where the deployer is killed.
const LATER: &str = "[strategy]\nconfirm_within = \"15s\"\n[[health]]\ncommand = \"true\"\ntimeout = \"14s\"";

fn program() -> PathBuf {
    sweep::program(env!("CARGO_BIN_EXE_confpush"))
}

fn killer(rig: &Rig) -> Killer {
    Killer::new(program()).args(rig.args(&["apply", "web.toml"])).current_dir(rig.folder.path())
}

/// Calls that somebody else can see.
fn is_act(call: &Call) -> bool {
    let acts = [
        "write",
        "writev",
        "sendto",
        "sendmsg",
        "rename",
        "renameat",
        "renameat2",
        "fsync",
        "ftruncate",
        "execve",
        "vfork",
        "clone",
        "clone3",
    ];
    acts.contains(&call.syscall.as_str())
}

/// What is wrong once the guards have run out, and after the next run.
fn wrong(rig: &mut Rig) -> Vec<String> {
    let mut wrong = Vec::new();
    if !wait_for(|| rig.processes().is_empty()) {
        wrong.push(format!("still runs: {:?}", rig.processes()));
    }
    let hosts = rig.hosts();
    if !rig.wrong(&hosts, OLD).is_empty() && !rig.wrong(&hosts, NEW).is_empty() {
        wrong.push(format!("a mix: {:?}", rig.wrong(&hosts, NEW)));
    }
    rig.edit(|spec| spec.tables.clear());
    let run = rig.run(&["apply", "web.toml"]);
    if run.status.code() != Some(0) {
        wrong.push(super::rig::said(&run));
    }
    wrong.extend(rig.wrong(&hosts, NEW));
    wrong.extend(rig.strays());
    wrong
}

#[test]
fn a_deployer_that_is_killed_leaves_no_mix() {
    if !works() {
        return;
    }
    let Some(good) = Rig::start(Spec::three().with(SOON)) else { return };
    let mut calls = killer(&good).calls();
    good.all_have(NEW);
    calls.retain(is_act);
    calls.sort_by(|one, other| (&one.syscall, one.nth).cmp(&(&other.syscall, other.nth)));
    calls.dedup_by(|one, other| one.point() == other.point());
    assert!(calls.len() > 20, "{}", calls.len());
    // Each takes seconds: a fifth of what others try.
    let calls: Vec<_> = sweep::some(&calls, 5).into_iter().step_by(5).cloned().collect();
    let sweep = Sweep { faults: &[Fault::Kill], least: 3, met: 30, share: 2 };
    sweep.run(&"kills of a deployment", &calls, |call, fault| {
        let mut rig = Rig::start(Spec::three().with(SOON))?;
        let struck = killer(&rig).strike(call.point(), fault);
        let told = |wrong: String| format!("{fault} at {}: {wrong}\n  {}", call.point(), call.text);
        let wrong: Vec<String> = wrong(&mut rig).into_iter().map(told).collect();
        (struck.hit || !wrong.is_empty()).then_some(wrong)
    });
}

#[test]
fn a_deployer_that_is_killed_while_hosts_are_watched_leaves_the_old_file() {
    let Some(rig) = Rig::start(Spec::three().with(LATER).env("prod", "bake = \"60s\"")) else { return };
    let mut run = rig.watching();
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(wait_for(|| rig.processes().is_empty()), "{:?}", rig.processes());
    rig.all_have(OLD);
    rig.expect(0, &["status", "web.toml"]);
    rig.is_clean();
}

#[test]
fn a_host_that_was_rebooted_is_settled_by_the_next_run() {
    let Some(mut rig) = Rig::start(Spec::three().env("prod", "bake = \"60s\"")) else { return };
    rig.power_cut(rig.watching());
    let status = rig.expect(0, &["status", "web.toml"]);
    assert!(status.contains("unsettled"), "{status}");
    rig.edit(|spec| spec.env_lines.clear());
    let said = rig.expect(0, &["apply", "web.toml"]);
    assert!(said.contains("web02: what was left of"), "{said}");
    rig.all_have(NEW);
    rig.is_clean();
    let settled =
        rig.history().into_iter().find(|line| line["action"] == "settle" && line["outcome"] == "done");
    let settled = settled.unwrap();
    assert_eq!(settled["hosts"][2]["outcome"], "rolled_back", "{settled}");
    rig.expect(0, &["rollback", "web.toml"]);
    rig.all_have(OLD);
}
