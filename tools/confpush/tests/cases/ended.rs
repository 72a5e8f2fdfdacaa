//! A deployer that is killed while it confirms: its witness goes on, and the audit log tells.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};

use super::rig::{NEW, Rig, Spec, wait_for};

/// The folder in the store of the deployment to `host` that is under way.
fn store_of(rig: &Rig, host: &str) -> PathBuf {
    let live = rig.live(host).display().to_string();
    let all = fs::read_dir(rig.path("store/web")).unwrap().map(|entry| entry.unwrap().path());
    let is_of = |folder: &PathBuf| {
        fs::read_to_string(folder.join("open/head")).is_ok_and(|head| head.contains(&live))
    };
    all.into_iter().find(is_of).unwrap()
}

/// On one of the hosts the reload waits for a word.
const WAIT: &str =
    "[reload]\ncommand = \"! mkdir FOLDER/first 2>/dev/null || until test -e FOLDER/go; do sleep 0.1; done\"";

/// The lock between two commands of a deployment, when it is free: the swap is over then.
fn locked(store: &Path) -> Option<File> {
    let step = File::open(store.join("step")).ok()?;
    flock(&step, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(step)
}

#[test]
fn the_audit_log_tells_how_a_killed_run_was_ended() {
    let Some(rig) = Rig::start(Spec::three().with(WAIT)) else { return };
    let event = format!("cat >>{}", rig.path("events").display());
    let mut run = rig
        .command(&["apply", "--on-event", &event, "web.toml"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(wait_for(|| rig.hosts().iter().all(|host| rig.text(host) == NEW)));
    // One host keeps its confirmation waiting, so the deployer can be met between the first and the last.
    let stores: Vec<PathBuf> = rig.hosts().iter().map(|host| store_of(&rig, host)).collect();
    let held = RefCell::new(None);
    assert!(wait_for(|| {
        held.replace(stores.iter().enumerate().find_map(|(at, store)| Some((at, locked(store)?))));
        held.borrow().is_some()
    }));
    let (at, step) = held.take().unwrap();
    testkit::write(rig.path("go"), "");
    let mut others = stores.iter().enumerate().filter(|(other, _)| *other != at);
    assert!(wait_for(|| others.clone().all(|(_, store)| !store.join("open").exists())));
    assert!(others.all(|(_, store)| store.join("kept").exists()) && stores[at].join("open").exists());
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(rig.history().len(), 1);
    drop(step);
    assert!(wait_for(|| rig.history().len() > 1));
    assert!(wait_for(|| rig.processes().is_empty()), "{:?}", rig.processes());
    rig.all_have(NEW);
    let lines = rig.history();
    let (begun, ended) = (&lines[0], &lines[1]);
    for key in ["id", "version", "env", "who", "action"] {
        assert_eq!(begun[key], ended[key]);
    }
    assert_ne!(begun["pid"], ended["pid"]);
    assert_eq!(
        (&ended["outcome"], &ended["hosts"][2]["outcome"]),
        (&"done".into(), &"done".into()),
        "{ended}"
    );
    assert_eq!(ended["why"], "its deployer was killed, and its witness confirmed it");
    let told = || fs::read_to_string(rig.path("events")).is_ok_and(|event| event.contains("witness"));
    assert!(wait_for(told));
    assert!(rig.expect(0, &["history"]).contains("its witness confirmed it"));
    rig.expect(0, &["apply", "web.toml"]);
    assert_eq!(rig.history().len(), 2);
    rig.is_clean();
}
