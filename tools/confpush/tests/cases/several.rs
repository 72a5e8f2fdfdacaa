//! Several specs in one run, some after others.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::rig::{NEW, OLD, Rig, Spec};

const ENVS: &[(&str, &[&str])] = &[("staging", &["web01"]), ("prod", &["web02", "web03"])];

/// A rig with two specs, `web` and `db`, that have these lines; `db` is well where `sick` names no host.
fn start([web, db]: [&str; 2]) -> Option<Rig> {
    let mut spec = Spec::of(ENVS);
    spec.head = web.into();
    let rig = Rig::start(spec)?;
    let text = fs::read_to_string(rig.path("web.toml")).unwrap();
    let mut text = text.replace("name = \"web\"", "name = \"db\"").replace("etc/app.json", "db/db.json");
    if !web.is_empty() {
        text = text.replace(web, "");
    }
    let sick = format!(
        "[[health]]\ntimeout = \"50s\"\ncommand = \"! grep -qx {{{{ host }}}} {}\"\n",
        rig.path("sick").display()
    );
    testkit::write(rig.path("db.toml"), format!("{db}\n{text}\n{sick}"));
    for host in rig.hosts() {
        testkit::write(db_file(&rig, host), OLD);
    }
    testkit::write(rig.path("sick"), "");
    Some(rig)
}

fn db_file(rig: &Rig, host: &str) -> std::path::PathBuf {
    rig.path(host).join("db/db.json")
}

fn db(rig: &Rig) -> Vec<String> {
    rig.hosts().iter().map(|host| fs::read_to_string(db_file(rig, host)).unwrap()).collect()
}

/// What was deployed where, in its order.
fn deployed(rig: &Rig) -> Vec<String> {
    let begun = rig.history().into_iter().filter(|line| line["outcome"] == "begun");
    begun.map(|line| format!("{} {}", line["spec"], line["env"]).replace('"', "")).collect()
}

#[test]
fn one_is_after_the_other_however_they_are_given() {
    for files in [["web.toml", "db.toml"], ["db.toml", "web.toml"]] {
        let Some(rig) = start(["after = [\"db\"]", ""]) else { return };
        rig.expect(0, &["apply", files[0], files[1]]);
        assert_eq!(deployed(&rig), ["db staging", "web staging", "db prod", "web prod"]);
        rig.all_have(NEW);
        assert_eq!(db(&rig), [NEW; 3]);
        rig.is_clean();
    }
}

#[test]
fn where_the_first_one_fails_the_second_one_is_not_touched() {
    let Some(rig) = start(["after = [\"db\"]", ""]) else { return };
    let stamps = || rig.hosts().into_iter().map(|host| fs::metadata(rig.live(host)).unwrap().ino());
    let before: Vec<u64> = stamps().collect();
    testkit::write(rig.path("sick"), "web01\n");
    let said = rig.expect(10, &["apply", "web.toml", "db.toml"]);
    for place in ["web to staging", "db to prod", "web to prod"] {
        assert!(said.contains(&format!("{place}: not touched")), "{said}");
    }
    assert_eq!(deployed(&rig), ["db staging"]);
    assert!(stamps().eq(before));
    assert!(!rig.path("store/web").exists());
    rig.all_have(OLD);
    assert_eq!(db(&rig), [OLD; 3]);
    // Also in the second environment: what was done in the first one stays.
    testkit::write(rig.path("sick"), "web03\n");
    rig.expect(10, &["apply", "web.toml", "db.toml"]);
    assert_eq!(["web01", "web02", "web03"].map(|host| rig.text(host)), [NEW, OLD, OLD]);
    assert_eq!(db(&rig), [NEW, OLD, OLD]);
    testkit::write(rig.path("sick"), "");
    rig.expect(0, &["apply", "web.toml", "db.toml"]);
    rig.all_have(NEW);
    assert_eq!(db(&rig), [NEW; 3]);
    rig.is_clean();
}

#[test]
fn those_that_are_after_each_other_are_named_and_nobody_is_asked() {
    let Some(rig) = start(["after = [\"db\"]", "after = [\"web\"]"]) else { return };
    for task in ["apply", "plan", "status"] {
        let said = rig.expect(2, &[task, "web.toml", "db.toml"]);
        assert!(said.contains("web -> db -> web") || said.contains("db -> web -> db"), "{task}: {said}");
    }
    assert!(!rig.server.log().contains("Accepted"));
    // One of them alone is after nobody, and says so.
    let said = rig.expect(0, &["apply", "web.toml"]);
    assert!(said.contains("web is after `db`, which is not among the given specs"), "{said}");
    rig.all_have(NEW);
}
