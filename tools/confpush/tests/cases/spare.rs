//! Hosts that may fail.

use super::rig::{NEW, OLD, Rig, Spec};

/// Not well with the new file: the hosts that a file names.
const SICK: &str = "[[health]]\ncommand = \"! grep -qx {{ host }} FOLDER/sick\"\n";

fn sick(rig: &Rig, hosts: &str) {
    testkit::write(rig.path("sick"), hosts);
}

#[test]
fn so_many_hosts_may_fail_and_have_the_old_file() {
    for most in ["1", "\"34%\""] {
        let tables = format!("{SICK}[strategy]\nmax_failures = {most}");
        let Some(rig) = Rig::start(Spec::three().with(&tables)) else { return };
        sick(&rig, "web02\n");
        let said = rig.expect(23, &["apply", "web.toml"]);
        assert!(said.contains("web02: not healthy"), "{said}");
        assert_eq!(["web01", "web02", "web03"].map(|host| rig.text(host)), [NEW, OLD, NEW]);
        rig.is_clean();
        let last = rig.history().pop().unwrap();
        let outcomes = [0, 1, 2].map(|host| last["hosts"][host]["outcome"].as_str().unwrap());
        assert_eq!((&last["outcome"], outcomes), (&"partial".into(), ["done", "rolled_back", "done"]));
        sick(&rig, "");
        rig.expect(0, &["apply", "web.toml"]);
        rig.all_have(NEW);
        rig.is_clean();
    }
}

#[test]
fn one_more_takes_all_of_them_back() {
    let tables = format!("{SICK}[strategy]\nmax_failures = 1\nbatch = 1");
    let Some(rig) = Rig::start(Spec::three().with(&tables)) else { return };
    sick(&rig, "web01\nweb03\n");
    let said = rig.expect(10, &["apply", "web.toml"]);
    // Why all go back is told of the environment, and of a host only what is its own.
    assert!(said.contains("FAILED and rolled back: web03: not healthy"), "{said}");
    assert!(said.contains("  rolled back: web02, web03\n"), "{said}");
    assert!(said.contains("  rolled back: web01: not healthy"), "{said}");
    assert!(said.contains("confpush: web to prod: everything goes back\n"), "{said}");
    rig.all_have(OLD);
    rig.is_clean();
}

#[test]
fn where_all_fail_nothing_is_done() {
    let tables = format!("{SICK}[strategy]\nmax_failures = 3");
    let Some(rig) = Rig::start(Spec::three().with(&tables)) else { return };
    sick(&rig, "web01\nweb02\nweb03\n");
    rig.expect(10, &["apply", "web.toml"]);
    rig.all_have(OLD);
    rig.is_clean();
}
