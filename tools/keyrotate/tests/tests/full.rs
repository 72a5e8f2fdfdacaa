//! A disk that is full: that of the state, in earnest.

use std::path::Path;
use std::process::{Command, Output};

use crate::rig::{FOREIGN, OLD, Rig};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrotate");

/// Runs with a disk of its own for the state, `kib` long. What is on it then is in `state` afterwards.
/// None where nobody may mount.
fn on_a_disk(rig: &Rig, kib: usize, before: &str) -> Option<Output> {
    let script = format!(
        "mkdir -p state disk && chmod 700 disk && mount -t tmpfs -o size={kib}k,mode=700 none disk || exit 99\n\
         cp -a state/. disk/ && cd disk && {{ {before}\n}} && cd .. || exit 98\n\
         status=0; {PROGRAM} --state disk run spec.toml || status=$?\n\
         rm -rf state && cp -a disk state && rm -f state/filler && umount disk && rmdir disk\n\
         exit $status"
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).current_dir(rig.folder.path());
    let run = command.output().ok()?;
    let code = run.status.code().unwrap();
    assert_ne!(code, 98, "{run:?}");
    if code == 99 || String::from_utf8_lossy(&run.stderr).starts_with("unshare:") {
        println!("skipped: `unshare --map-root-user --mount` cannot mount here");
        return None;
    }
    Some(run)
}

const FILL: &str = "head -c 64M /dev/zero >filler 2>/dev/null || true";

fn untouched(rig: &Rig, run: &Output) {
    assert_eq!(run.status.code(), Some(13), "{run:?}");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(rig.holds(), [OLD; 3]);
    let tokens = std::fs::read_to_string(rig.path("tokens")).unwrap();
    assert_eq!(tokens, format!("{OLD}\n{FOREIGN}\n"));
}

#[test]
fn with_a_disk_that_is_full_at_first_nothing_is_touched() {
    let rig = Rig::file();
    let Some(run) = on_a_disk(&rig, 64, FILL) else { return };
    untouched(&rig, &run);
    assert_eq!(rig.converges(Path::new(PROGRAM)), [""; 0]);
}

#[test]
fn a_disk_that_is_full_at_any_record_costs_nobody_his_key() {
    let mut ends = std::collections::BTreeMap::new();
    // A page is 4 KiB. The journal takes one or two, twice while it is replaced; the audit log grows.
    for kib in (4..=96).step_by(4).chain([280, 288, 300]) {
        let rig = Rig::file();
        let prober = rig.prober();
        let Some(run) = on_a_disk(&rig, kib, ":") else { return };
        *ends.entry(run.status.code()).or_insert(0) += 1;
        if run.status.code() == Some(13) {
            untouched(&rig, &run);
        }
        let mut wrong = rig.converges(Path::new(PROGRAM));
        wrong.extend(prober.end());
        assert!(wrong.is_empty(), "{kib} KiB: {wrong:?} after {run:?}");
    }
    println!("statuses: {ends:?}");
    // On the smallest of them nothing begins; where there is no room for the reserve it may stop later.
    assert!(ends.keys().all(|code| matches!(code, Some(0 | 2 | 13))), "{ends:?}");
    assert!(ends.contains_key(&Some(0)) && ends.contains_key(&Some(13)), "{ends:?}");
}

#[test]
fn a_disk_that_fills_up_on_the_way_has_room_for_the_rest() {
    let rig = Rig::file();
    rig.with_reload("a", "head -c 64M /dev/zero >FOLDER/disk/filler 2>/dev/null || true");
    let prober = rig.prober();
    let Some(run) = on_a_disk(&rig, 1024, ":") else { return };
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let mut wrong = rig.converges(Path::new(PROGRAM));
    wrong.extend(prober.end());
    assert_eq!(wrong, [""; 0]);
}
