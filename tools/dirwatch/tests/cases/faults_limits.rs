//! What the kernel grants: watches, descriptors, and what is used up over time.
//!
//! Items 2, 21 and 22 of the list in [`super::faults`].

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::faults::{Site, names_in, wait_until};

/// A site whose watcher is granted so many of these by the kernel.
fn limited(limit: &str, most: u32) -> Option<Site> {
    let mut site = Site::new();
    let script = format!("echo {most} >/proc/sys/user/{limit}; exec \"$@\"");
    let words = ["unshare", "--user", "--map-root-user", "sh", "-ec", &script, "sh"];
    let probe = Command::new(words[0]).args(&words[1..]).arg("true").stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped: `unshare --user --map-root-user` cannot set {limit} here");
        return None;
    }
    site.launch_by(&words);
    Some(site)
}

#[test]
fn where_watches_run_out_the_rest_is_read_and_that_is_said_once() {
    let Some(mut site) = limited("max_inotify_watches", 3) else { return };
    for folder in 0..6 {
        site.put(format!("d{folder}/old{folder}"), "x");
    }
    site.start(&["--recursive", "--rescan=1s"], &[]);
    for folder in 0..6 {
        site.wait_noted(&format!("old{folder}"));
    }
    for folder in 0..6 {
        site.put(format!("d{folder}/new{folder}"), "x");
        site.put(format!("e{folder}/newer{folder}"), "x");
    }
    for folder in 0..6 {
        site.wait_noted(&format!("new{folder}"));
        site.wait_noted(&format!("newer{folder}"));
    }
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("the limit of watches is reached"), 1, "{}", site.said());
    assert!(site.said().contains("user.max_inotify_watches = 3"), "{}", site.said());
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
}

#[test]
fn where_nothing_can_be_watched_all_is_read_and_that_is_said_once() {
    let Some(mut site) = limited("max_inotify_instances", 0) else { return };
    site.put("old", "x");
    site.start(&["--rescan=1s"], &[]);
    site.wait_noted("old");
    site.put("new", "x");
    site.wait_noted("new");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("cannot watch"), 1, "{}", site.said());
}

fn descriptors(pid: u32) -> usize {
    names_in(format!("/proc/{pid}/fd").as_ref()).len()
}

/// The children of a process that have ended and were not waited for.
fn zombies(of: u32) -> usize {
    let pids = names_in("/proc".as_ref()).into_iter().filter_map(|name| name.parse::<u32>().ok());
    let is_zombie = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status.contains("State:\tZ") && status.contains(&format!("\nPPid:\t{of}\n"))
    };
    pids.filter(is_zombie).count()
}

#[test]
fn two_thousand_files_leave_no_descriptor_and_no_zombie() {
    const FILES: usize = 2000;
    let mut site = Site::new();
    let flags = ["--jobs=4", "--recursive", "--identity=content", "--done-dir=done"];
    site.start(&flags, &[]);
    site.put("sub/probe", "probe");
    site.wait_noted("probe");
    site.wait("it is put away", |site| !site.path("in/sub/probe").exists());
    let before = descriptors(site.pid());
    for number in 0..FILES {
        site.put(format!("sub/f{number}"), &format!("{number}"));
    }
    site.wait("all are put away", |site| names_in(&site.path("in/sub")).is_empty());
    assert_eq!(names_in(&site.path("done/sub")).len(), FILES + 1);
    let pid = site.pid();
    wait_until("it has what it began with", || descriptors(pid) <= before && zombies(pid) == 0);
    assert_eq!(site.end(), 0);
    let length = fs::metadata(site.path("state")).unwrap().size();
    assert!(length < 1000 * FILES as u64, "{length} bytes for {FILES} files");
    // What was put away is gone from where it was.
    let (status, _, said) = site.look("--prune=0s");
    assert_eq!(status, 0, "{said}");
    assert_eq!(site.look("--list").0, 1, "nothing is left");
}

#[test]
fn however_much_commands_print_it_arrives_and_the_watcher_goes_on() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.put(name, name);
    }
    let flood = "head -c 5000000 /dev/urandom; head -c 5000000 /dev/urandom >&2";
    let output = site.line(&["--once"], &["sh", "-c", flood]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!((output.stdout.len(), output.stderr.len()), (15_000_000, 15_000_000));
}

#[test]
fn a_closed_output_is_the_commands_trouble_and_not_the_watchers() {
    let site = Site::new();
    for name in ["a", "b", "c"] {
        site.put(name, name);
    }
    let write = r#"test "$1" = b || head -c 1000000 /dev/zero"#;
    let command = ["bash", "-o", "pipefail", "-c", write, "bash", "{name}"];
    let mut line = site.line(&["--once", "--retries=0"], &command);
    let mut watcher = line.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(watcher.stdout.take());
    let output = watcher.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(23), "{said}");
    assert_eq!(said.matches("giving up").count(), 2, "{said}");
    assert_eq!(site.count("done"), 1);
}
