//! What stands before an environment, and what others have changed there.

use super::rig::{NEW, OLD, Rig, Spec};

const ENVS: &[(&str, &[&str])] = &[("staging", &["web01"]), ("prod", &["web02", "web03"])];

#[test]
fn a_protected_environment_takes_yes() {
    let Some(rig) = Rig::start(Spec::of(ENVS).env("prod", "protected = true")) else { return };
    let said = rig.expect(1, &["apply", "web.toml"]);
    assert!(said.contains("web to prod: it is protected, and takes --yes"), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web02")], [NEW, OLD]);
    rig.expect(0, &["apply", "--yes", "web.toml"]);
    rig.all_have(NEW);
    // Where nothing would change there is nothing to protect.
    rig.expect(0, &["apply", "web.toml"]);
    // Whoever says it, and comes again, means all of them: nothing is touched before.
    let said = rig.expect(1, &["rollback", "web.toml"]);
    assert!(said.contains("web to prod: it is protected, and takes --yes"), "{said}");
    assert!(said.contains("web to staging: not touched"), "{said}");
    rig.all_have(NEW);
    let said = rig.expect(0, &["rollback", "--yes", "web.toml"]);
    assert!(said.contains("-back, back to before 20"), "{said}");
    rig.all_have(OLD);
    // A third time nothing goes forward to what was not wanted.
    let said = rig.expect(2, &["rollback", "--yes", "web.toml"]);
    assert!(said.contains("is a rollback, and back from it would be forward"), "{said}");
    rig.all_have(OLD);
}

#[test]
fn an_environment_that_was_rolled_back_alone_is_not_rolled_back_again() {
    let Some(mut rig) = Rig::start(Spec::of(ENVS)) else { return };
    let mut ids = Vec::new();
    for workers in [4, 5, 6] {
        rig.edit(|spec| spec.workers = workers);
        rig.expect(0, &["apply", "web.toml"]);
        ids.push(rig.history().last().unwrap()["id"].as_str().unwrap().to_owned());
    }
    let (five, six) = ("{\"workers\": 5}\n", "{\"workers\": 6}\n");
    rig.expect(0, &["rollback", "--env", "staging", "web.toml"]);
    let said = rig.expect(2, &["rollback", "web.toml"]);
    assert!(said.contains(&format!("web to staging: the last deployment, {}", &ids[2][..8])), "{said}");
    assert!(said.contains(&format!("to go further back, say --to {}", ids[0])), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web02")], [five, six]);
    let said = rig.expect(0, &["rollback", "--env", "prod", "web.toml"]);
    assert!(said.contains(&format!("-back, back to {}, version", ids[1])), "{said}");
    rig.all_have(five);
    let rolled = rig.json(0, &["rollback", "--to", &ids[0], "web.toml"]);
    assert_eq!(rolled[0]["back_to"], ids[0].as_str(), "{rolled:?}");
    rig.all_have(NEW);
    rig.is_clean();
}

#[test]
fn a_manual_gate_takes_a_person() {
    let Some(rig) = Rig::start(Spec::of(ENVS).env("prod", "gate = \"manual\"")) else { return };
    let said = rig.expect(1, &["apply", "--yes", "web.toml"]);
    assert!(said.contains("takes --confirm prod"), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web02")], [NEW, OLD]);
    rig.expect(1, &["apply", "--confirm", "staging", "web.toml"]);
    rig.expect(0, &["apply", "--confirm", "prod", "web.toml"]);
    rig.all_have(NEW);
}

#[test]
fn no_environment_is_passed_over() {
    let Some(mut rig) = Rig::start(Spec::of(ENVS)) else { return };
    let said = rig.expect(1, &["apply", "--env", "prod", "web.toml"]);
    assert!(said.contains("deploy with --env staging first"), "{said}");
    rig.all_have(OLD);
    rig.expect(0, &["apply", "--until", "staging", "web.toml"]);
    assert_eq!([rig.text("web01"), rig.text("web02")], [NEW, OLD]);
    rig.expect(0, &["apply", "--env", "prod", "web.toml"]);
    rig.all_have(NEW);
    // What nobody can look at has not been passed.
    rig.edit(|spec| spec.workers = 5);
    rig.expect(0, &["apply", "--env", "staging", "web.toml"]);
    rig.down(&["web01"]);
    let said = rig.expect(1, &["apply", "--env", "prod", "web.toml"]);
    assert!(said.contains("nobody knows"), "{said}");
    assert_eq!(rig.text("web02"), NEW);
    rig.expect(2, &["apply", "--env", "pord", "web.toml"]);
}

#[test]
fn a_limit_takes_part_of_an_environment() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    rig.expect(1, &["apply", "--limit", "web03", "web.toml"]);
    rig.expect(0, &["apply", "--limit", "web01", "web.toml"]);
    rig.expect(0, &["apply", "--limit", "web03", "web.toml"]);
    assert_eq!([rig.text("web01"), rig.text("web02"), rig.text("web03")], [NEW, OLD, NEW]);
    let said = rig.expect(2, &["apply", "--limit", "db*", "web.toml"]);
    assert!(said.contains("--limit db*"), "{said}");
}

#[test]
fn what_others_have_changed_is_not_replaced() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    rig.expect(0, &["apply", "web.toml"]);
    std::fs::write(rig.live("web02"), "{\"workers\": 99}\n").unwrap();
    rig.edit(|spec| spec.workers = 5);
    let said = rig.expect(2, &["apply", "web.toml"]);
    assert!(said.contains("web02") && said.contains("--accept-drift"), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web02")], [NEW, "{\"workers\": 99}\n"]);
    assert!(rig.expect(0, &["status", "web.toml"]).contains("web02"));
    rig.expect(0, &["apply", "--accept-drift", "web.toml"]);
    rig.all_have("{\"workers\": 5}\n");
    // Its bytes are kept.
    rig.expect(0, &["rollback", "--limit", "web02", "web.toml"]);
    assert_eq!(rig.text("web02"), "{\"workers\": 99}\n");
    rig.is_clean();
}

#[test]
fn a_signal_between_two_environments_tells_what_was_not_touched() {
    use std::os::unix::process::ExitStatusExt;
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    for (task, want) in [("apply", [NEW, OLD, OLD]), ("rollback", [OLD, NEW, NEW])] {
        let run = rig.run(&[task, "--on-event", "cat >/dev/null; kill -INT $PPID", "web.toml"]);
        let said = super::rig::said(&run);
        assert_eq!(run.status.signal(), Some(2), "{said}");
        let has = ["web01", "web02", "web03"].map(|host| rig.text(host));
        assert_eq!(has, want, "{said}");
        assert!(said.contains("confpush: stopped by a signal; not touched: web to prod\n"), "{said}");
        assert!(said.contains("web to prod: not touched\n"), "{said}");
        if task == "apply" {
            rig.expect(0, &["apply", "web.toml"]);
        }
    }
}
