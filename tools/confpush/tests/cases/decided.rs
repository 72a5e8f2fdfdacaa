//! The deployer is killed right after it was decided that the new file stays: its witness confirms it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use super::rig::{NEW, Rig, Spec, kill, wait_for};

/// Every check waits for a file.
const WAIT: &str = "[[health]]\ncommand = \"touch FOLDER/asked-{{ host }}; until [ -e FOLDER/go ]; do sleep 0.1; done\"\n\
                    timeout = \"50s\"";

/// The confirmations that wait on the hosts: shells with the file of the lock open, which no guard has yet.
fn confirmations(rig: &Rig) -> Vec<i32> {
    let waits = |(id, line): &(i32, String)| {
        let files = fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
        line.starts_with("/bin/sh") && files.any(|file| file.ends_with("step"))
    };
    rig.processes().into_iter().filter(waits).map(|(id, _)| id).collect()
}

/// The folders of the hosts in which a deployment is neither confirmed nor undone.
fn open(rig: &Rig) -> Vec<PathBuf> {
    let folders = fs::read_dir(rig.path("store/web")).unwrap().flatten().map(|folder| folder.path());
    folders.filter(|folder| folder.join("open").exists()).collect()
}

/// A deployment that is decided, and not confirmed yet on any host: each of them waits for a lock.
fn decided(rig: &Rig) -> (Child, Vec<File>) {
    let mut command = rig.command(&["apply", "web.toml"]);
    let run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let asked = |host: &str| rig.path(&format!("asked-{host}")).exists();
    assert!(wait_for(|| rig.hosts().into_iter().all(asked)));
    let locks = open(rig).into_iter().map(|folder| {
        let step = File::options().append(true).open(folder.join("step")).unwrap();
        step.lock().unwrap();
        step
    });
    let locks: Vec<File> = locks.collect();
    assert_eq!(locks.len(), rig.hosts().len());
    testkit::write(rig.path("go"), "");
    assert!(wait_for(|| confirmations(rig).len() >= rig.hosts().len()), "{:?}", rig.processes());
    assert_eq!(open(rig).len(), rig.hosts().len());
    (run, locks)
}

/// That the witness confirms what is left when so many hosts have confirmed before the deployer is killed.
fn check(confirmed: usize) {
    let Some(rig) = Rig::start(Spec::three().with(WAIT)) else { return };
    let (mut run, mut locks) = decided(&rig);
    locks.drain(..confirmed);
    assert!(wait_for(|| open(&rig).len() == locks.len()), "{:?}", open(&rig));
    run.kill().unwrap();
    run.wait().unwrap();
    // Nobody who was asked by the deployer lives to do it.
    for id in confirmations(&rig) {
        kill(id);
    }
    drop(locks);
    assert!(wait_for(|| open(&rig).is_empty()), "{:?}", open(&rig));
    rig.all_have(NEW);
    rig.is_clean();
    let lines = rig.history().len();
    rig.expect(0, &["apply", "web.toml"]);
    assert_eq!(rig.history().len(), lines, "nothing was left to do");
    let status = rig.expect(0, &["status", "web.toml"]);
    assert_eq!(status.matches(" ok").count(), 3, "{status}");
}

#[test]
fn before_the_first_host_has_confirmed_it() {
    check(0);
}

#[test]
fn when_some_hosts_have_confirmed_it() {
    check(1);
    check(2);
}
