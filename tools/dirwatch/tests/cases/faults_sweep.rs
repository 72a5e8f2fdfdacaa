//! A fault at every system call of a pass with `--done-dir` or `--failed-dir`: whatever happens, no file
//! is lost or in two places, a success is never claimed falsely, and the next passes finish the work and
//! leave nothing behind.
//!
//! `SRE_RELEASE` and `SRE_SWEEP` are explained at [`testkit::sweep`].

use std::collections::BTreeSet;

use testkit::strace::{Call, Fate, Fault, Killer, works};
use testkit::sweep::{Sweep, program};

use super::faults::{Site, names_in};
use super::mill::note_file;

const FAULTS: [Fault<'_>; 5] =
    [Fault::Kill, Fault::Error("ENOSPC"), Fault::Error("EIO"), Fault::Error("EINTR"), Fault::Error("EDQUOT")];

/// What asks for a new descriptor or process.
const SCARCE: [&str; 10] = [
    "clone",
    "clone3",
    "dup",
    "epoll_create1",
    "eventfd2",
    "fcntl",
    "openat",
    "pidfd_open",
    "pipe2",
    "vfork",
];

/// What is run, and where the files are in the end.
#[derive(Debug, Clone, Copy)]
struct Variant {
    flags: &'static [&'static str],
    /// Whether the command succeeds.
    succeeds: bool,
}

const FILES: [&str; 3] = ["a", "b.csv", "c d"];

impl Variant {
    fn shelf(self) -> &'static str {
        if self.succeeds { "done" } else { "failed" }
    }

    fn status(self) -> i32 {
        if self.succeeds { 0 } else { 23 }
    }

    fn args(self, site: &Site) -> Vec<String> {
        let mut args: Vec<String> = self.flags.iter().map(|&flag| flag.to_owned()).collect();
        let fixed = [
            "--once",
            "--jobs=1",
            "--state=state",
            "--done-dir=done",
            "--failed-dir=failed",
            "--backoff=1ms",
            "in",
            "--",
        ];
        args.extend(fixed.map(str::to_owned));
        args.push(note_file().display().to_string());
        args.push(site.path("notes").display().to_string());
        args.push("{}".into());
        if !self.succeeds {
            // It takes two arguments, and fails for three.
            args.push("more".into());
        }
        args
    }

    fn killer(self, site: &Site) -> Killer {
        Killer::new(program(env!("CARGO_BIN_EXE_dirwatch"))).args(self.args(site)).current_dir(site.path(""))
    }

    /// The names of the files on the shelf; those that say why are named with them.
    fn shelved(self, site: &Site) -> BTreeSet<String> {
        names_in(&site.path(self.shelf()))
    }

    fn want_shelved(self) -> BTreeSet<String> {
        let why = FILES.iter().filter(|_| !self.succeeds).map(|name| format!("{name}.why.json"));
        FILES.iter().map(|&name| name.to_owned()).chain(why).collect()
    }
}

fn with_files() -> Site {
    let site = Site::new();
    for name in FILES {
        site.put(name, name);
    }
    site
}

/// The calls of a good run, from the first one on that names a file of ours: what comes before is the
/// loader and the start of the runtime.
fn calls(variant: Variant) -> Vec<Call> {
    // What fails cannot be learnt from: the run with a command that succeeds is nearly the same.
    let learnt = Variant { succeeds: true, ..variant };
    let site = with_files();
    let calls = learnt.killer(&site).calls();
    assert_eq!(learnt.shelved(&site), learnt.want_shelved(), "a good run did not do it");
    let ours = calls.iter().position(|call| call.syscall != "execve" && call.text.contains("state"));
    let (before, ours) = calls.split_at(ours.unwrap());
    // That limit is asked for with an argument that cannot fail, and rustix takes it so.
    let is_ours = |call: &&Call| {
        call.syscall != "prlimit64" && !before.iter().any(|other| other.point() == call.point())
    };
    ours.iter().filter(is_ours).cloned().collect()
}

fn sweep(variant: Variant, faults: &[Fault<'_>], is_meant: impl Fn(&Call) -> bool) {
    if works() {
        let calls: Vec<Call> = calls(variant).into_iter().filter(is_meant).collect();
        // Which thread makes a call, and how often it wakes, is a matter of chance.
        // A run takes a third of a second under strace, and each sweep has thousands of faults.
        let sweep = Sweep { faults, least: 20, met: 50, share: 15 };
        sweep.run(&variant, &calls, |call, fault| strike(variant, call, fault));
    }
}

fn strike(variant: Variant, call: &Call, fault: Fault<'_>) -> Option<Vec<String>> {
    let site = with_files();
    let struck = variant.killer(&site).strike(call.point(), fault);
    if !struck.hit {
        return None;
    }
    let said = String::from_utf8_lossy(&struck.stderr).into_owned();
    // A kernel that says that it has written what it has not is no fault that anything could survive.
    let lies = matches!(fault, Fault::Returns(_));
    // EAGAIN where a file is opened, or a lease is asked for, is that somebody else holds one.
    let is_held = fault == Fault::Error("EAGAIN") && ["openat", "fcntl"].contains(&call.syscall.as_str());
    let run = Ended { fate: struck.fate, said: &said, is_held };
    let mut wrong = if lies { Vec::new() } else { judge(variant, &site, &run) };
    if !lies {
        wrong.extend(go_on(variant, &site));
    }
    let what = format!("{variant:?}: {fault} at {} `{}`: {:?} {said}", call.point(), call.text, struck.fate);
    Some(wrong.into_iter().map(|wrong| format!("{wrong}: {what}")).collect())
}

/// A run that met its fault.
struct Ended<'a> {
    fate: Fate,
    said: &'a str,
    /// Whether the fault says of a file that somebody writes it.
    is_held: bool,
}

impl Ended<'_> {
    /// Whether this file was left as it is being written, and that was told.
    fn has_left(&self, name: &str) -> bool {
        self.is_held
            && self.said.contains(&format!("/in/{name} is being written; it is left for the next run"))
    }
}

/// What the struck run may have left.
fn judge(variant: Variant, site: &Site, run: &Ended<'_>) -> Vec<String> {
    let (here, there) = (names_in(&site.path("in")), variant.shelved(site));
    let is_lost = FILES.iter().any(|&name| !here.contains(name) && !there.contains(name));
    let is_double = FILES.iter().any(|&name| here.contains(name) && there.contains(name));
    let noted = site.noted();
    let is_done = |name: &str| there.contains(name) && noted.contains_key(name);
    let is_whole = FILES.iter().all(|&name| is_done(name) || run.has_left(name));
    let is_whole = variant.succeeds && is_whole && here.iter().all(|name| run.has_left(name));
    let statuses =
        [Fate::Killed, Fate::Finished(0), Fate::Finished(2), Fate::Finished(23), Fate::Finished(75)];
    let has_failed = matches!(run.fate, Fate::Finished(status) if status != 0);
    let checks = [
        (is_lost, "lost"),
        (is_double, "in two places"),
        (run.fate == Fate::Finished(0) && !is_whole, "false success"),
        (has_failed && run.said.is_empty(), "unsaid"),
        (!statuses.contains(&run.fate), "another status"),
    ];
    checks.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what.to_owned()).collect()
}

/// The next runs finish the work: what failed by the fault is tried again.
fn go_on(variant: Variant, site: &Site) -> Vec<String> {
    let mut wrong = Vec::new();
    let args = variant.args(site);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for _ in 0..5 {
        let (status, _, said) = Site::run(site.tool(&args));
        if names_in(&site.path("in")).is_empty() && status == 0 {
            break;
        }
        if ![0, variant.status(), 23].contains(&status) {
            wrong.push(format!("a later run ended with {status}: {said}"));
        }
    }
    let here = names_in(&site.path("in"));
    if !here.is_empty() || variant.shelved(site) != variant.want_shelved() {
        let there = variant.shelved(site);
        wrong.push(format!("not finished, {here:?} {there:?} {}", site.look("--list").1));
    }
    if variant.succeeds {
        let noted = site.noted();
        let told = |attempts: &Vec<u32>| attempts.windows(2).all(|pair| pair[0] < pair[1]);
        if noted.len() != FILES.len() || !noted.values().all(told) {
            wrong.push(format!("repeated and not told, {noted:?}"));
        }
    }
    let (status, printed, said) = site.look("--verify");
    if status != 0 {
        wrong.push(format!("--verify: {printed} {said}"));
    }
    wrong
}

#[test]
fn a_fault_at_any_call_loses_nothing() {
    sweep(Variant { flags: &[], succeeds: true }, &FAULTS, |_| true);
}

#[test]
fn a_fault_at_any_call_loses_nothing_where_contents_are_known() {
    sweep(Variant { flags: &["--identity=content"], succeeds: true }, &FAULTS, |_| true);
}

#[test]
fn a_fault_at_any_call_loses_nothing_on_the_way_to_the_failed() {
    sweep(Variant { flags: &["--retries=0"], succeeds: false }, &FAULTS, |_| true);
}

#[test]
fn a_look_that_fails_parts_no_file_from_its_reason() {
    let faults = [Fault::Kill, Fault::Error("EIO"), Fault::Error("EACCES")];
    let variant = Variant { flags: &["--retries=0"], succeeds: false };
    sweep(variant, &faults, |call| call.syscall == "statx");
}

#[test]
fn a_flush_that_fails_loses_nothing() {
    let faults = [Fault::Kill, Fault::Error("EIO"), Fault::Error("ENOSPC")];
    let variant = Variant { flags: &["--durability=strict"], succeeds: true };
    sweep(variant, &faults, |call| call.syscall.contains("sync") || call.syscall.starts_with("pwrite"));
}

#[test]
fn without_descriptors_nothing_is_lost() {
    let faults = [Fault::Error("EMFILE"), Fault::Error("ENOMEM"), Fault::Error("EAGAIN")];
    let variant = Variant { flags: &[], succeeds: true };
    sweep(variant, &faults, |call| SCARCE.contains(&call.syscall.as_str()));
}
