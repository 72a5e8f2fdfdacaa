//! Something fails at one host of three, at every step: all of them are as before, or nothing was touched.

use super::mount::Mount;
use super::rig::{NEW, OLD, Rig, Spec};

/// That all is as before, and that it goes well once `mend` has been done.
#[track_caller]
fn fails(mut rig: Rig, status: i32, outcome: &str, mend: impl FnOnce(&mut Rig)) {
    let said = rig.expect(status, &["apply", "web.toml"]);
    rig.all_have(OLD);
    rig.is_clean();
    let last = rig.history().pop().unwrap();
    assert_eq!(last["outcome"], outcome, "{said}");
    mend(&mut rig);
    rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    rig.is_clean();
}

/// Without what was injected.
fn mended(rig: &mut Rig) {
    rig.edit(|spec| spec.tables.clear());
}

#[test]
fn a_validator_that_refuses() {
    let refuse = "[validate]\nremote = \"case {} in */web02/*) echo no good >&2; exit 1;; esac\"";
    let Some(rig) = Rig::start(Spec::three().with(refuse)) else { return };
    fails(rig, 2, "failed", mended);
}

#[test]
fn a_reload_that_fails() {
    let fail = "[reload]\ncommand = \"! mkdir FOLDER/once 2>/dev/null\"";
    let Some(rig) = Rig::start(Spec::three().with(fail)) else { return };
    fails(rig, 10, "rolled_back", mended);
}

#[test]
fn a_host_that_is_not_healthy() {
    let sick = "[[health]]\ncommand = \"test {{ host }} != web02\"";
    let Some(rig) = Rig::start(Spec::three().with(sick)) else { return };
    fails(rig, 10, "rolled_back", mended);
}

#[test]
fn a_host_that_becomes_ill_while_it_is_watched() {
    let sick = "[[health]]\ncommand = \"test {{ host }} != web02 || test $(date +%s) -lt $(cat FOLDER/ill 2>/dev/null || { echo $(( $(date +%s) + 1 )) | tee FOLDER/ill; })\"";
    let Some(rig) = Rig::start(Spec::three().env("prod", "bake = \"20s\"").with(sick)) else { return };
    fails(rig, 10, "rolled_back", |rig| {
        mended(rig);
        rig.edit(|spec| spec.env_lines.clear());
    });
}

#[test]
fn a_name_that_cannot_be_replaced() {
    let Some(rig) = Rig::start(Spec::three()) else { return };
    let live = rig.live("web02");
    let Some(mount) = Mount::over_itself(&live) else { return };
    fails(rig, 10, "rolled_back", |_| drop(mount));
}

#[test]
fn a_disk_that_is_full() {
    for place in ["web02/etc", "store"] {
        let Some(rig) = Rig::start(Spec::three()) else { return };
        let folder = rig.path(place);
        std::fs::create_dir_all(&folder).unwrap();
        let Some(mount) = Mount::small(&folder) else { return };
        if place != "store" {
            testkit::write(rig.live("web02"), OLD);
            let mode = std::os::unix::fs::PermissionsExt::from_mode(super::rig::MODE);
            std::fs::set_permissions(rig.live("web02"), mode).unwrap();
        }
        let filler = folder.join("app.json.filler");
        let written = std::fs::write(&filler, vec![0; 1 << 20]);
        assert!(written.is_err(), "the disk of 64 KiB takes 1 MiB");
        let said = rig.expect(2, &["apply", "web.toml"]);
        rig.all_have(OLD);
        std::fs::remove_file(&filler).unwrap();
        assert_eq!(rig.history().pop().unwrap()["outcome"], "failed", "{place}: {said}");
        rig.expect(0, &["apply", "web.toml"]);
        rig.all_have(NEW);
        rig.is_clean();
        drop((rig, mount));
    }
}

#[test]
fn a_disk_of_the_audit_log_that_is_full() {
    let Some(rig) = Rig::start(Spec::three()) else { return };
    std::fs::create_dir(rig.path("state")).unwrap();
    let Some(mount) = Mount::small(&rig.path("state")) else { return };
    let filler = rig.path("state/filler");
    assert!(std::fs::write(&filler, vec![0; 1 << 20]).is_err());
    let said = rig.expect(2, &["apply", "web.toml"]);
    assert!(said.contains("what is not written down is not done"), "{said}");
    rig.all_have(OLD);
    rig.is_clean();
    std::fs::remove_file(&filler).unwrap();
    // It fills up on the way: what is done is done, and told.
    let mut rig = rig;
    rig.edit(|spec| {
        spec.tables =
            "[reload]\ncommand = \"head -c 1M /dev/zero >FOLDER/state/filler 2>/dev/null; true\"\n".into();
    });
    let said = rig.expect(0, &["apply", "web.toml"]);
    rig.all_have(NEW);
    let is_told = said.contains("how it ended is not in the audit log");
    // The page that the first line began may have had room for the second.
    assert!(is_told || rig.history().last().unwrap()["outcome"] == "done", "{said}");
    drop((rig, mount));
}
