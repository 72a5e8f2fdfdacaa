//! Who reads the file while it is deployed, and who deploys it while somebody else does.

use std::collections::BTreeSet;

use super::rig::{NEW, OLD, Rig, Spec, meanwhile, said, wait_for};

#[test]
fn a_reader_always_sees_a_whole_file() {
    let Some(rig) = Rig::start(Spec::three()) else { return };
    let seen = meanwhile(
        BTreeSet::new(),
        |seen| {
            seen.insert(rig.text("web02"));
        },
        || {
            for _ in 0..3 {
                rig.expect(0, &["apply", "web.toml"]);
                rig.expect(0, &["rollback", "web.toml"]);
            }
        },
    );
    assert_eq!(seen, [OLD.to_owned(), NEW.to_owned()].into());
}

#[test]
fn two_deployers_do_not_meet() {
    // The first one waits for a file, however long the others take.
    let wait = "[[health]]\ncommand = \"until [ -e FOLDER/go ]; do sleep 0.1; done\"\ntimeout = \"50s\"";
    let Some(rig) = Rig::start(Spec::three().with(wait)) else { return };
    let first = rig
        .command(&["apply", "web.toml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    assert!(wait_for(|| rig.text("web02") == NEW));
    let second = rig.expect(75, &["apply", "web.toml"]);
    assert!(second.contains("deploys 20"), "{second}");
    assert!(rig.expect(75, &["plan", "web.toml"]).contains("web02"));
    rig.expect(75, &["rollback", "web.toml"]);
    testkit::write(rig.path("go"), "");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    rig.all_have(NEW);
    rig.is_clean();
}

#[test]
fn two_that_begin_together_leave_one_file() {
    let Some(mut rig) = Rig::start(Spec::three()) else { return };
    let start = |rig: &Rig| {
        rig.command(&["apply", "web.toml"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    for round in 0..3 {
        rig.edit(|spec| spec.workers = 10 + round);
        let both = [start(&rig), start(&rig)].map(|one| one.wait_with_output().unwrap());
        let statuses: Vec<_> = both.iter().filter_map(|one| one.status.code()).collect();
        let told = both.iter().map(said).collect::<String>();
        // The other one comes too early (75), finds it done (0), or finds that it was done since it looked (2);
        // where each was first at some host, both give way.
        assert!(statuses.iter().all(|status| [0, 2, 75].contains(status)), "{statuses:?} {told}");
        assert!(statuses.contains(&0) || statuses == [75, 75], "{statuses:?} {told}");
        rig.expect(0, &["apply", "web.toml"]);
        rig.all_have(&format!("{{\"workers\": {}}}\n", 10 + round));
        rig.is_clean();
    }
}
