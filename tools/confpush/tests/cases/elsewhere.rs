//! One file of two specs, and a spec with another path than before.

use std::fs;

use super::rig::{NEW, OLD, Rig, Spec};

fn rig() -> Option<Rig> {
    let rig = Rig::start(Spec::three().env("prod", "bake = \"60s\""))?;
    let text = fs::read_to_string(rig.path("web.toml")).unwrap().replace("bake = \"60s\"", "");
    testkit::write(rig.path("db.toml"), text.replace("name = \"web\"", "name = \"db\""));
    testkit::write(rig.path("moved.toml"), text.replace("etc/app.json", "etc/new.json"));
    Some(rig)
}

#[test]
fn two_specs_with_one_file_do_not_meet() {
    let Some(rig) = rig() else { return };
    let said = rig.expect(2, &["plan", "db.toml", "web.toml"]);
    assert!(said.contains("deploys") && said.contains("one file has one spec"), "{said}");
    let run = rig.watching();
    let said = rig.expect(75, &["apply", "db.toml"]);
    assert!(said.contains("there since") && said.contains("by the spec web"), "{said}");
    rig.expect(75, &["plan", "db.toml"]);
    assert!(rig.expect(0, &["status", "db.toml"]).contains("by the spec web"));
    rig.power_cut(run);
    let said = rig.expect(2, &["apply", "db.toml"]);
    assert!(said.contains("by the spec web; apply that one first"), "{said}");
    rig.expect(2, &["plan", "db.toml"]);
    assert!(rig.expect(0, &["status", "db.toml"]).contains("unsettled: "));
    rig.all_have(NEW);
    let calm = fs::read_to_string(rig.path("web.toml")).unwrap().replace("bake = \"60s\"", "");
    testkit::write(rig.path("web.toml"), calm);
    rig.expect(0, &["apply", "web.toml"]);
    rig.expect(0, &["apply", "db.toml"]);
    rig.is_clean();
}

#[test]
fn what_was_left_by_another_path_is_settled() {
    let Some(rig) = rig() else { return };
    let run = rig.watching();
    // Hosts that share a machine see each other's, and that is nobody's business.
    assert!(!rig.expect(0, &["status", "moved.toml"]).contains("unsettled"));
    rig.power_cut(run);
    let status = rig.expect(0, &["status", "moved.toml"]);
    assert!(status.contains("unsettled: ") && status.contains("etc/app.json, left by"), "{status}");
    rig.expect(1, &["plan", "--check", "moved.toml"]);
    let said = rig.expect(0, &["apply", "moved.toml"]);
    assert!(said.contains("etc/app.json by"), "{said}");
    rig.all_have(OLD);
    for host in rig.hosts() {
        assert_eq!(fs::read_to_string(rig.path(host).join("etc/new.json")).unwrap(), NEW);
    }
    let settled =
        rig.history().into_iter().find(|line| line["action"] == "settle" && line["outcome"] == "done");
    assert_eq!(settled.unwrap()["hosts"][0]["outcome"], "rolled_back");
    assert!(!rig.expect(0, &["status", "moved.toml"]).contains("unsettled"));
}
