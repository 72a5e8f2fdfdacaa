//! The whole path: plan, apply, status, history, rollback.

use super::rig::{NEW, OLD, Rig, Spec};

const ENVS: &[(&str, &[&str])] = &[("staging", &["web01"]), ("prod", &["web02", "web03"])];

#[test]
fn a_file_goes_through_all_environments_and_back() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    let planned = rig.expect(0, &["plan", "web.toml"]);
    assert!(planned.contains("-{\"workers\": 1}") && planned.contains("+{\"workers\": 4}"), "{planned}");
    rig.expect(1, &["plan", "--check", "web.toml"]);
    rig.expect(0, &["apply", "--dry-run", "web.toml"]);
    rig.all_have(OLD);
    assert_eq!(rig.history(), [serde_json::Value::Null; 0]);

    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
    rig.expect(0, &["plan", "--check", "web.toml"]);
    assert_eq!(rig.expect(0, &["plan", "--check", "--quiet", "web.toml"]), "");
    let lines = rig.history().len();
    // Nothing changes, so nothing is written down.
    rig.expect(0, &["apply", "web.toml"]);
    assert_eq!(rig.history().len(), lines);

    rig.expect(0, &["rollback", "web.toml"]);
    rig.all_have(OLD);
    rig.is_clean();
    let told: Vec<String> = rig
        .history()
        .iter()
        .map(|line| format!("{} {} {}", line["env"], line["action"], line["outcome"]))
        .collect();
    let want = ["begun", "done"].map(|outcome| {
        ["apply", "rollback"]
            .map(|action| ["staging", "prod"].map(|env| format!("{env:?} {action:?} {outcome:?}")))
    });
    let mut want: Vec<String> = want.into_iter().flatten().flatten().collect();
    let mut sorted = told.clone();
    want.sort();
    sorted.sort();
    assert_eq!(sorted, want, "{told:?}");
}

#[test]
fn a_rollback_goes_to_any_deployment_that_is_kept() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    let mut ids = Vec::new();
    for workers in [4, 5, 6] {
        rig.edit(|spec| spec.workers = workers);
        rig.expect(0, &["apply", "web.toml"]);
        ids.push(rig.history().last().unwrap()["id"].as_str().unwrap().to_owned());
    }
    assert!(ids.is_sorted(), "{ids:?}");
    rig.expect(0, &["rollback", "--to", &ids[0], "web.toml"]);
    rig.all_have(NEW);
    // What was there before that was not wanted: it takes a word.
    let said = rig.expect(2, &["rollback", "web.toml"]);
    assert!(said.contains("is a rollback, and back from it would be forward"), "{said}");
    rig.all_have(NEW);
    rig.expect(0, &["rollback", "--to", &ids[2], "web.toml"]);
    rig.all_have("{\"workers\": 6}\n");
    let said = rig.expect(2, &["rollback", "--to", "20200101T000000Z-000000", "web.toml"]);
    let want = "web to prod (web01, web02, web03): no deployment 20200101T000000Z-000000 is kept there; the latest are";
    assert!(said.contains(want) && said.len() < 300, "{said}");
    rig.all_have("{\"workers\": 6}\n");
    rig.is_clean();
}

#[test]
fn a_file_that_was_not_there_comes_and_goes() {
    let Some(rig) = Rig::start(Spec::three()) else { return };
    for host in rig.hosts() {
        std::fs::remove_file(rig.live(host)).unwrap();
    }
    rig.expect(0, &["apply", "web.toml"]);
    assert_eq!(rig.text("web02"), NEW);
    rig.expect(0, &["rollback", "web.toml"]);
    assert!(rig.hosts().iter().all(|host| !rig.live(host).exists()));
    rig.is_clean();
}

#[test]
fn what_is_printed_is_told_to_programs_too() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    let planned = rig.json(1, &["plan", "--check", "web.toml"]);
    assert_eq!(planned.len(), 3, "{planned:?}");
    assert!(planned.iter().all(|host| host["state"] == "changes"), "{planned:?}");
    let applied = rig.json(0, &["apply", "web.toml"]);
    let told: Vec<_> = applied.iter().map(|line| (line["env"].as_str(), line["outcome"].as_str())).collect();
    assert_eq!(told, [(Some("staging"), Some("done")), (Some("prod"), Some("done"))], "{applied:?}");
    let status = rig.json(0, &["status", "web.toml"]);
    assert!(!status.is_empty());
    let history = rig.json(0, &["history", "web.toml"]);
    assert_eq!(history.len(), 4, "{history:?}");
    rig.expect(0, &["status", "web.toml"]);
    rig.expect(0, &["history"]);
    rig.expect(0, &["validate", "web.toml"]);
}

#[test]
fn a_person_hears_of_every_environment() {
    let Some(rig) = Rig::start(Spec::of(ENVS)) else { return };
    let told = rig.path("told");
    rig.expect(0, &["apply", "--on-event", &format!("cat >>{}", told.display()), "web.toml"]);
    let text = std::fs::read_to_string(told).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = events
        .iter()
        .map(|one| (one["event"].as_str(), one["env"].as_str(), one["status"].as_u64()))
        .collect();
    assert_eq!(
        seen,
        [(Some("done"), Some("staging"), Some(0)), (Some("done"), Some("prod"), Some(0))],
        "{text}"
    );
    assert_eq!(events[1]["hosts"][1]["host"], "web03");
}

#[test]
fn a_spec_with_faults_or_a_value_that_is_missing_touches_nobody() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    testkit::write(rig.path("app.json.j2"), "{\"workers\": {{ wokers }}}\n");
    let said = rig.expect(2, &["apply", "web.toml"]);
    assert!(said.contains("wokers"), "{said}");
    testkit::write(rig.path("app.json.j2"), "{\"workers\": {{ workers }}\n");
    let said = rig.expect(2, &["apply", "web.toml"]);
    assert!(said.contains("it is no JSON"), "{said}");
    assert!(rig.expect(2, &["validate", "web.toml"]).contains("it is no JSON"));
    let said = rig.expect(2, &["validate", "none.toml", "web.toml"]);
    assert!(said.contains("it is no JSON"), "a spec that is not there hides no fault of others: {said}");
    assert!(
        said.lines().any(|line| line.starts_with("confpush: cannot read none.toml: No such file")),
        "{said}"
    );
    rig.edit(|spec| spec.head.push_str("colour = \"red\"\n"));
    let said = rig.expect(2, &["apply", "web.toml"]);
    assert!(said.contains("colour"), "{said}");
    rig.all_have(OLD);
    assert!(!rig.server.log().contains("Accepted"));
}

#[test]
fn only_where_the_last_deployment_came_there_is_a_way_back_from_it() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    rig.expect(0, &["apply", "web.toml"]);
    rig.edit(|spec| spec.workers = 5);
    rig.expect(0, &["apply", "--limit", "web02", "web.toml"]);
    rig.expect(0, &["rollback", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
}

#[test]
fn a_rollback_brings_the_mode_back_too() {
    use std::os::unix::fs::PermissionsExt;
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    let mode = |rig: &Rig| std::fs::metadata(rig.live("web02")).unwrap().permissions().mode() & 0o7777;
    rig.expect(0, &["apply", "web.toml"]);
    let (id, before) = (rig.history().last().unwrap()["id"].as_str().unwrap().to_owned(), mode(&rig));
    std::fs::set_permissions(rig.live("web02"), PermissionsExt::from_mode(0o640)).unwrap();
    rig.edit(|spec| spec.workers = 5);
    rig.expect(0, &["apply", "--accept-drift", "web.toml"]);
    assert_eq!((mode(&rig), before == 0o640), (0o640, false));
    rig.expect(0, &["rollback", "--to", &id, "web.toml"]);
    rig.all_have(NEW);
    assert_eq!(mode(&rig), before);
    rig.is_clean();
}
