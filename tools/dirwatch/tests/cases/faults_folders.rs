//! Folders that go, come, hide and are covered.
//!
//! Items 3, 4, 5, 6, 17 and 23 of the list in [`super::faults`].

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::faults::{Mounts, Site, obey_modes};

/// So long that no pass is to be thanked for what is found.
const NO_PASS: &str = "--rescan=1h";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_folder_that_is_removed_and_made_again_is_watched_again() {
    let mut site = Site::new();
    site.start(&[NO_PASS], &[]);
    site.put("a", "a");
    site.wait_noted("a");
    for round in 0..3 {
        let missed = site.times_said("in is not there");
        fs::remove_dir_all(site.path("in")).unwrap();
        // Every other time it may be there again before anybody has looked.
        if round % 2 == 0 {
            site.wait("it is missed", |site| site.times_said("in is not there") == missed + 1);
        }
        site.put(format!("old{round}"), "x");
        site.wait_noted(&format!("old{round}"));
        site.put(format!("new{round}"), "x");
        site.wait_noted(&format!("new{round}"));
    }
    assert_eq!(site.end(), 0);
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
}

#[test]
fn another_folder_under_the_old_name_is_watched() {
    let mut site = Site::new();
    site.start(&[NO_PASS], &[]);
    site.put("a", "a");
    site.wait_noted("a");
    testkit::write(site.path("other/b"), "b");
    fs::rename(site.path("in"), site.path("away")).unwrap();
    fs::rename(site.path("other"), site.path("in")).unwrap();
    site.wait_noted("b");
    site.put("c", "c");
    site.wait_noted("c");
    testkit::write(site.path("away/d"), "d");
    site.put("e", "e");
    site.wait_noted("e");
    assert_eq!(site.end(), 0);
    assert!(!site.noted().contains_key("d"), "the old one is nobody's business");
}

#[test]
fn a_folder_that_is_not_there_at_the_start_is_waited_for() {
    let mut site = Site::new();
    fs::remove_dir(site.path("in")).unwrap();
    site.start(&[NO_PASS], &[]);
    site.wait_said("in is not there");
    site.put("a", "a");
    site.wait_noted("a");
    site.put("b", "b");
    site.wait_noted("b");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("is not there"), 1, "{}", site.said());
}

#[test]
fn a_single_pass_over_what_is_not_there_is_no_success() {
    let site = Site::new();
    fs::remove_dir(site.path("in")).unwrap();
    let (status, said) = site.once(&[], &[]);
    assert!(status != 0 && said.contains("in"), "{status} {said}");
}

#[test]
fn what_is_mounted_over_the_folder_is_watched_and_then_the_folder_again() {
    let mut site = Site::new();
    let Some(mounts) = Mounts::new(&site, "mount -t tmpfs none /mnt") else { return };
    let launcher = mounts.launcher(&site);
    site.launch_by(&launcher.iter().map(String::as_str).collect::<Vec<_>>());
    site.start(&[NO_PASS], &[]);
    site.put("below", "x");
    site.wait_noted("below");
    mounts.sh(&site, "mount -t tmpfs none in; echo x >in/over1");
    site.wait_noted("over1");
    mounts.sh(&site, "echo x >in/over2");
    site.wait_noted("over2");
    mounts.sh(&site, "umount in");
    site.put("below2", "x");
    site.wait_noted("below2");
    mounts.sh(&site, "mount -t tmpfs none in; echo x >in/over3");
    site.wait_noted("over3");
    assert_eq!(site.end(), 0);
    assert!(site.noted().values().all(|attempts| *attempts == [1]), "{:?}", site.noted());
}

#[test]
fn what_may_not_be_read_is_said_once_and_taken_when_it_may() {
    let mut site = Site::new();
    if !obey_modes(&mut site) {
        return;
    }
    site.put("closed/a", "a");
    site.put("open/b", "b");
    set_mode(&site.path("in/closed"), 0);
    site.start(&["--recursive", "--rescan=200ms"], &[]);
    site.wait_noted("b");
    let complaint = format!("cannot read {}", site.path("in/closed").display());
    site.wait_said(&complaint);
    site.put("open/c", "c");
    site.wait_noted("c");
    set_mode(&site.path("in/closed"), 0o755);
    site.wait_noted("a");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said(&complaint), 1, "{}", site.said());
}

#[test]
fn a_single_pass_that_could_not_read_all_is_no_success() {
    let mut site = Site::new();
    if !obey_modes(&mut site) {
        return;
    }
    site.put("closed/a", "a");
    site.put("b", "b");
    set_mode(&site.path("in/closed"), 0);
    let (status, said) = site.once(&["--recursive"], &[]);
    assert_eq!(status, 23, "{said}");
    assert_eq!(site.noted().len(), 1);
    set_mode(&site.path("in/closed"), 0o755);
    let (status, said) = site.once(&["--recursive"], &[]);
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(site.noted().len(), 2);
}

#[test]
fn a_file_that_may_not_be_read_is_hashed_when_it_may() {
    let mut site = Site::new();
    if !obey_modes(&mut site) {
        return;
    }
    site.put("a", "a");
    site.put("b", "b");
    set_mode(&site.path("in/a"), 0);
    let flags = ["--identity=content", "--settle=0s"];
    let (status, said) = site.once(&flags, &[]);
    assert_eq!(status, 23, "{said}");
    assert!(said.contains("in/a: cannot read it to hash it: Permission denied"), "{said}");
    assert_eq!(site.noted().keys().collect::<Vec<_>>(), ["b"]);
    site.start(&["--identity=content", "--settle=0s", "--rescan=200ms"], &[]);
    site.wait_said("in/a: cannot read it to hash it: Permission denied; trying again");
    site.put("c", "c");
    site.wait_noted("c");
    set_mode(&site.path("in/a"), 0o644);
    site.wait_noted("a");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("to hash it"), 1, "{}", site.said());
}

#[test]
fn a_tree_that_is_moved_in_is_taken_whole_and_what_moves_within_is_known() {
    let mut site = Site::new();
    site.start(&[NO_PASS, "--recursive"], &[]);
    site.put("probe", "x");
    site.wait_noted("probe");
    for number in 0..20 {
        testkit::write(site.path(format!("tree/d{}/e/f{number}", number % 3)), "x");
    }
    fs::rename(site.path("tree"), site.path("in/tree")).unwrap();
    for number in 0..20 {
        site.wait_noted(&format!("f{number}"));
    }
    // It is known under its new name too, and a new file under an old name is new.
    fs::rename(site.path("in/tree"), site.path("in/forest")).unwrap();
    fs::rename(site.path("in/probe"), site.path("in/renamed")).unwrap();
    testkit::write(site.path("other"), "another");
    fs::rename(site.path("other"), site.path("in/forest/d0/e/f0")).unwrap();
    site.put("forest/d1/e/last", "x");
    site.wait_noted("last");
    site.wait("the new content is taken", |site| site.noted()["f0"] == [1, 1]);
    assert_eq!(site.end(), 0);
    let (status, said) = site.once(&["--recursive"], &[]);
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(site.notes().len(), 1 + 20 + 1 + 1, "{:?}", site.noted());
}

#[test]
fn links_lead_nowhere_and_no_loop_is_endless() {
    let mut site = Site::new();
    testkit::write(site.path("secret/s"), "s");
    site.put("folder/a", "a");
    site.start(&[NO_PASS, "--recursive"], &[]);
    site.wait_noted("a");
    // A folder becomes a link to another one.
    fs::rename(site.path("in/folder"), site.path("away")).unwrap();
    symlink(site.path("secret"), site.path("in/folder")).unwrap();
    symlink("nowhere", site.path("in/dangling")).unwrap();
    symlink("self", site.path("in/self")).unwrap();
    symlink(".", site.path("in/here")).unwrap();
    testkit::write(site.path("secret/t"), "t");
    site.put("b", "b");
    site.wait_noted("b");
    assert_eq!(site.end(), 0);
    assert_eq!(site.noted().keys().collect::<Vec<_>>(), ["a", "b"]);
    // Followed, each file is met once, whatever leads to it.
    let (status, said) = site.once(&["--recursive", "--follow"], &[]);
    assert_eq!((status, said.as_str()), (0, ""));
    let noted = site.noted();
    assert_eq!(noted.keys().collect::<Vec<_>>(), ["a", "b", "s", "t"], "{noted:?}");
    assert!(noted.values().all(|attempts| *attempts == [1]), "{noted:?}");
}

#[test]
fn what_an_overlay_does_not_tell_is_read_and_that_is_said_once() {
    let mut site = Site::new();
    for folder in ["lower/sub", "upper", "work"] {
        fs::create_dir_all(site.path(folder)).unwrap();
    }
    let script = "mount -t tmpfs none upper; mkdir upper/u upper/w
        mount -t overlay -o lowerdir=lower,upperdir=upper/u,workdir=upper/w none in";
    let Some(mounts) = Mounts::new(&site, script) else { return };
    let launcher = mounts.launcher(&site);
    site.launch_by(&launcher.iter().map(String::as_str).collect::<Vec<_>>());
    site.start(&["--recursive", NO_PASS], &[]);
    site.wait_said("overlay does not tell of everything");
    mounts.sh(&site, "echo x >in/a");
    site.wait_noted("a");
    // Past the overlay: nothing tells of this one.
    testkit::write(site.path("lower/sub/hidden"), "x");
    site.wait_noted("hidden");
    assert_eq!(site.end(), 0);
    assert_eq!(site.times_said("does not tell of everything"), 1, "{}", site.said());
}
