//! Folders for what is done or has failed: elsewhere, within what is watched, full, closed.
//!
//! Item 20 of the list in [`super::faults`].

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::faults::{Mounts, Site, names_in, obey_modes};

/// Fails for what is called bad.
const JUDGE: [&str; 5] = ["sh", "-c", "case $1 in bad*) exit 3; esac", "sh", "{name}"];

const FLAGS: [&str; 4] = ["--retries=0", "--failed-dir=failed", "--done-dir=done", "--order=name"];

/// A site whose shelves are on small disks of their own.
fn elsewhere() -> Option<(Site, Mounts)> {
    let mut site = Site::new();
    for folder in ["failed", "done"] {
        fs::create_dir(site.path(folder)).unwrap();
    }
    let script = "for shelf in failed done; do mount -t tmpfs -o size=256k none $shelf; done";
    let mounts = Mounts::new(&site, script)?;
    let launcher = mounts.launcher(&site);
    site.launch_by(&launcher.iter().map(String::as_str).collect::<Vec<_>>());
    Some((site, mounts))
}

#[test]
fn shelves_on_other_file_systems_get_whole_files() {
    let Some((site, mounts)) = elsewhere() else { return };
    let text = "text".repeat(5000);
    site.put("bad", &text);
    site.put("good", &text);
    let (status, said) = site.once(&FLAGS, &JUDGE);
    assert_eq!(status, 23, "{said}");
    assert!(names_in(&site.path("in")).is_empty());
    testkit::write(site.path("want"), &text);
    mounts.sh(&site, "cmp want failed/bad; cmp want done/good; test -s failed/bad.why.json");
    mounts.sh(&site, r#"test "$(ls -A failed done | wc -w)" = 5"#);
}

#[test]
fn a_file_stays_while_its_shelf_is_full_and_a_later_start_moves_it() {
    let Some((site, mounts)) = elsewhere() else { return };
    mounts.sh(
        &site,
        "for shelf in failed done; do head -c 1M /dev/zero >$shelf/filler 2>/dev/null || true; done",
    );
    let text = "text".repeat(20_000);
    for name in ["bad", "good"] {
        site.put(name, &text);
    }
    let (status, said) = site.once(&FLAGS, &JUDGE);
    assert_eq!(status, 23, "{said}");
    assert_eq!(said.matches("No space left on device").count(), 2, "{said}");
    assert_eq!(names_in(&site.path("in")).len(), 2, "both stay");
    mounts.sh(&site, r#"test "$(ls -A failed done | grep -c -e bad -e good)" = 0"#);
    assert_eq!(site.count("rejected"), 1);
    assert_eq!(site.count("passed"), 1);
    // A later start: nothing is run again, and it is not a success while the shelves are full.
    let (status, said) = site.once(&FLAGS, &[]);
    assert_eq!((status, site.notes().len()), (23, 0), "{said}");
    mounts.sh(&site, "rm failed/filler done/filler");
    let (_, said) = site.once(&FLAGS, &[]);
    assert_eq!((said.as_str(), site.notes().len()), ("", 0));
    assert!(names_in(&site.path("in")).is_empty());
    testkit::write(site.path("want"), &text);
    mounts.sh(&site, "cmp want failed/bad; cmp want done/good; test -s failed/bad.why.json");
}

#[test]
fn shelves_within_what_is_watched_are_not_watched() {
    let mut site = Site::new();
    let flags =
        ["--recursive", "--retries=0", "--failed-dir=in/failed", "--done-dir=in/sub/done", "--rescan=100ms"];
    site.put("sub/good", "x");
    site.start(&flags, &JUDGE);
    site.put("bad1", "x");
    site.put("sub/bad2", "x");
    let shelved = |site: &Site| {
        ["in/failed/bad1", "in/failed/sub/bad2", "in/sub/done/sub/good"]
            .iter()
            .all(|name| site.path(name).exists())
    };
    site.wait("all are put away", shelved);
    site.put("late", "x");
    site.wait("the late one is put away", |site| site.path("in/sub/done/late").exists());
    assert_eq!(site.end(), 0);
    let (status, said) = site.once(&flags, &[]);
    assert_eq!((status, said.as_str(), site.notes().len()), (0, "", 0), "what is on a shelf is no new file");
}

#[test]
fn a_file_stays_while_its_shelf_is_closed_and_nothing_is_overwritten() {
    let mut site = Site::new();
    if !obey_modes(&mut site) {
        return;
    }
    testkit::write(site.path("failed/bad"), "of an earlier day");
    fs::set_permissions(site.path("failed"), Permissions::from_mode(0o555)).unwrap();
    site.put("bad", "x");
    let (status, said) = site.once(&FLAGS, &JUDGE);
    assert_eq!(status, 23, "{said}");
    assert!(said.contains("Permission denied") && site.path("in/bad").exists(), "{said}");
    fs::set_permissions(site.path("failed"), Permissions::from_mode(0o755)).unwrap();
    let (_, said) = site.once(&FLAGS, &[]);
    assert_eq!((said.as_str(), site.notes().len()), ("", 0));
    assert_eq!(fs::read_to_string(site.path("failed/bad")).unwrap(), "of an earlier day");
    let names: Vec<_> = names_in(&site.path("failed")).into_iter().collect();
    assert_eq!(names.len(), 3, "{names:?}");
}
