//! Hosts that cannot go back: they are named, and the status says so.

use super::rig::{NEW, OLD, Rig, Spec, kill, wait_for};

#[test]
fn one_that_cannot_go_back_is_named_and_the_others_have_the_old_file() {
    // The backups of one host are lost, and then it is ill.
    let lose = "test {{ host }} != web02 || { for head in $(grep -l /web02/ FOLDER/store/web/*/open/head); do \
                echo lost >${head%/*}/before; rm -f FOLDER/web02/etc/.app.json.confpush-*.old; done; false; }";
    let Some(mut rig) = Rig::start(Spec::three().with(&format!("[[health]]\ncommand = '''{lose}'''"))) else {
        return;
    };
    let said = rig.expect(11, &["apply", "web.toml"]);
    assert!(said.contains("web to prod: NOT wholly rolled back"), "{said}");
    assert!(said.contains("not known to be back: web02 (the backup of "), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web03")], [OLD, OLD]);
    let last = rig.history().pop().unwrap();
    let outcomes = [0, 1, 2].map(|host| last["hosts"][host]["outcome"].as_str().unwrap());
    assert_eq!((last["outcome"].as_str().unwrap(), outcomes[1]), ("not_rolled_back", "not_rolled_back"));
    assert_eq!([outcomes[0], outcomes[2]], ["rolled_back"; 2]);
    // Its guard goes on for half a minute. The next run can do no more, and changes nothing elsewhere.
    for (id, _) in rig.processes() {
        kill(id);
    }
    assert!(wait_for(|| rig.processes().is_empty()), "{:?}", rig.processes());
    rig.edit(|spec| spec.tables.clear());
    let said = rig.expect(11, &["apply", "web.toml"]);
    assert!(said.contains("an earlier deployment is left: web02: the backup of "), "{said}");
    assert_eq!([rig.text("web01"), rig.text("web03")], [OLD, OLD]);
    assert!(rig.expect(0, &["status", "web.toml"]).contains("unsettled"));
}

#[test]
fn a_service_that_does_not_read_the_old_file_is_told_and_its_guard_goes_on() {
    let broken = "[reload]\ncommand = \"test ! -e FOLDER/broken\"\n\
                  [[health]]\ncommand = \"test {{ host }} != web02 || { touch FOLDER/broken; false; }\"";
    let Some(mut rig) = Rig::start(Spec::three().with(broken)) else { return };
    let said = rig.expect(11, &["apply", "web.toml"]);
    for host in rig.hosts() {
        let why = format!("{host} (the old file is back in its place, but cannot be reloaded");
        assert!(said.contains(&why), "{said}");
    }
    rig.all_have(OLD);
    // Somebody mends the service: the guards have it read the file, and end.
    std::fs::remove_file(rig.path("broken")).unwrap();
    rig.is_clean_at_last();
    rig.edit(|spec| spec.tables.clear());
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
}

#[test]
fn what_somebody_else_has_written_is_kept_when_all_go_back() {
    let write = "test {{ host }} != web02 || { echo theirs >FOLDER/web02/etc/app.json; false; }";
    let Some(rig) = Rig::start(Spec::three().with(&format!("[[health]]\ncommand = \"{write}\""))) else {
        return;
    };
    rig.expect(10, &["apply", "web.toml"]);
    rig.all_have(OLD);
    let id = rig.history().pop().unwrap()["id"].as_str().unwrap().to_owned();
    let stores = std::fs::read_dir(rig.path("store/web")).unwrap().flatten();
    let kept: Vec<_> = stores
        .filter_map(|store| std::fs::read_to_string(store.path().join(format!("foreign.{id}"))).ok())
        .collect();
    assert_eq!(kept, ["theirs\n"]);
}

#[test]
fn what_somebody_else_has_written_is_not_confirmed() {
    // Behind the last check of all nobody looks at the file but the host itself.
    let write = "test {{ host }} != web02 || { echo >>FOLDER/rounds; test $(wc -l <FOLDER/rounds) != 2 || \
                 echo theirs >FOLDER/web02/etc/app.json; }";
    let Some(rig) = Rig::start(Spec::three().with(&format!("[[health]]\ncommand = \"{write}\""))) else {
        return;
    };
    let said = rig.expect(10, &["apply", "web.toml"]);
    assert!(
        said.contains("web02: not confirmed: ") && said.contains("was changed by somebody else"),
        "{said}"
    );
    rig.all_have(OLD);
}
