//! What only shows between real processes: contention, SIGKILL, a full disk, other users.
//!
//! The other processes are this binary again, running one of the tests that are otherwise ignored.
//! `SRE_TURNS` is how often the loops turn, and `SRE_SWEEP` how many faults are tried (1000 are all of
//! them): 20 unless set, and 1 at least.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "all of it is test code, its helpers included")]

mod faults;
mod inplace;
mod lock;
mod power;
mod replace;

use std::path::{Path, PathBuf};
use std::process::Command;

/// How often a loop turns.
fn turns() -> usize {
    number_in("SRE_TURNS")
}

/// How many of the faults are tried.
fn fault_count() -> usize {
    number_in("SRE_SWEEP")
}

fn number_in(variable: &str) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(20).max(1)
}

/// The command line that runs the ignored test `name` in a process of its own.
fn child(name: &str) -> Vec<String> {
    let this = std::env::current_exe().unwrap().into_os_string().into_string().unwrap();
    [&this, "--exact", name, "--ignored", "--nocapture", "--test-threads=1"].map(str::to_owned).into()
}

/// That command, for what [`place`] names there, perhaps run by `launcher`.
fn start(launcher: &[&str], name: &str, place: &Path) -> Command {
    let line: Vec<String> = launcher.iter().map(|&word| word.to_owned()).chain(child(name)).collect();
    let mut command = Command::new(&line[0]);
    command.args(&line[1..]).env("FILES_CHILD", place);
    command
}

/// What a child works on; `None` when somebody runs the ignored tests without a parent.
fn place() -> Option<PathBuf> {
    std::env::var_os("FILES_CHILD").map(PathBuf::from)
}

/// Whether `command` works here; prints the line that says what is skipped where it does not.
fn works(command: &[&str], what: &str) -> bool {
    let works = Command::new(command[0]).args(&command[1..]).output().is_ok_and(|run| run.status.success());
    if !works {
        println!("skipped {what}: `{}` does not work here", command.join(" "));
    }
    works
}

/// The names in `folder`, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
