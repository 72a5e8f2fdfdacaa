//! Hosts that are out of reach.

use super::rig::{NEW, OLD, Rig, Spec};

const ENVS: &[(&str, &[&str])] = &[("staging", &["web01", "web02"]), ("prod", &["web03"])];

#[test]
fn a_host_that_was_down_is_caught_up_by_the_next_apply() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    rig.down(&["web02"]);
    let said = rig.expect(23, &["apply", "web.toml"]);
    assert!(said.contains("web02"), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web02"), rig.text("web03")], [NEW, OLD, NEW]);
    let last = rig.history().into_iter().rev().find(|line| line["env"] == "staging").unwrap();
    assert_eq!((&last["outcome"], &last["hosts"][1]["outcome"]), (&"partial".into(), &"down".into()));
    rig.down(&[]);
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
}

#[test]
fn where_all_hosts_are_down_it_stops() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    rig.down(&["web01", "web02"]);
    // Nothing was changed, and it is to be tried again; where somebody was in reach it is only those.
    let said = rig.expect(75, &["apply", "web.toml"]);
    assert!(said.contains("confpush: web to staging: all hosts are out of reach\n"), "{said}");
    assert!(said.contains("web to staging: all hosts are down, nothing was changed\n"), "{said}");
    assert_eq!(rig.text("web03"), OLD);
    rig.expect(23, &["plan", "web.toml"]);
    rig.expect(23, &["status", "web.toml"]);
    for task in ["plan", "status", "apply"] {
        rig.expect(75, &[task, "--env", "staging", "web.toml"]);
    }
    rig.down(&[]);
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    // The other way round: what was done before counts.
    let mut rig = rig;
    rig.edit(|spec| spec.workers = 5);
    rig.down(&["web03"]);
    rig.expect(23, &["apply", "web.toml"]);
}

#[test]
fn an_environment_of_which_most_hosts_are_down_opens_no_gate() {
    let envs = &[("staging", &["web01", "web02", "web03"] as &[&str]), ("prod", &["web04"])];
    let Some(mut rig) = Rig::start(Spec::of(envs)) else { return };
    rig.down(&["web02", "web03"]);
    let said = rig.expect(1, &["apply", "web.toml"]);
    assert!(said.contains("web to staging: done on 1 of 3 hosts"), "{said}");
    assert!(said.contains("where 2 of 3 hosts are out of reach") && said.contains("max_down"), "{said}");
    let has = |rig: &Rig| ["web01", "web02", "web04"].map(|host| rig.text(host));
    assert_eq!(has(&rig), [NEW, OLD, OLD]);
    // Also where another run was there.
    rig.expect(1, &["apply", "--env", "prod", "web.toml"]);
    rig.expect(1, &["apply", "web.toml"]);
    assert_eq!(has(&rig), [NEW, OLD, OLD]);
    rig.edit(|spec| *spec = spec.clone().env("staging", "strategy = { max_down = 2 }"));
    rig.expect(23, &["apply", "web.toml"]);
    assert_eq!(has(&rig), [NEW, OLD, NEW]);
    rig.down(&[]);
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
}

#[test]
fn a_last_deployment_that_only_a_host_which_is_down_has_is_not_passed_over() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    rig.expect(0, &["apply", "web.toml"]);
    let first = rig.history().last().unwrap()["id"].as_str().unwrap().to_owned();
    rig.edit(|spec| spec.workers = 5);
    rig.down(&["web01", "web02"]);
    rig.expect(23, &["apply", "web.toml"]);
    let newer = "{\"workers\": 5}\n";
    let has = |rig: &Rig| ["web01", "web02", "web03"].map(|host| rig.text(host));
    rig.down(&["web03"]);
    let said = rig.expect(2, &["rollback", "web.toml"]);
    assert!(said.contains("only on web03, out of reach") && said.contains("--to"), "{said}");
    rig.expect(23, &["rollback", "--to", &first, "web.toml"]);
    assert_eq!(has(&rig), [NEW, NEW, newer]);
    // One that others have, too, is known.
    rig.down(&["web01", "web02"]);
    let said = rig.expect(23, &["rollback", "web.toml"]);
    assert!(said.contains("not asked: web01, web02"), "{said}");
    rig.all_have(NEW);
}
