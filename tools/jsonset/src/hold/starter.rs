//! Starts COMMAND once the watcher knows of it.
//!
//! A program runs from the moment it is spawned, and its spawner may be killed before it has told
//! anybody the number: COMMAND would go on without its change. So a process of ours is spawned, which
//! dies with its spawner, stops, and becomes COMMAND when it is told to go on. A pipe would have to be
//! closed in COMMAND; a stopped process needs none.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::Command;

use common::Outcome;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process, set_parent_process_death_signal,
    waitid,
};

use super::OWN_FAILURE;
use crate::store::Store;

/// A starter of `command`, for this process to spawn.
pub(super) fn starter(store: &Store, command: &[OsString]) -> Command {
    let mut starter = Command::new("/proc/self/exe");
    let own = getpid().as_raw_nonzero().to_string();
    starter.args(["--start", &own]).arg(&store.path).arg("--").args(command);
    starter
}

/// Lets the starter `pid` go on when `is_known` has returned.
pub(super) fn release(pid: Pid, is_known: impl FnOnce()) {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let _stopped_or_ended = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options));
    is_known();
    let _ended_already = kill_process(pid, Signal::CONT);
}

/// Is the starter that `holder` has spawned, and becomes `command`.
pub(super) fn start(holder: i32, command: &[OsString]) -> Outcome {
    let is_orphan = || getppid().is_none_or(|parent| parent.as_raw_nonzero().get() != holder);
    let stopped = set_parent_process_death_signal(Some(Signal::KILL)).and_then(|()| {
        if is_orphan() {
            return Ok(());
        }
        kill_process(getpid(), Signal::STOP)
    });
    // From here on the watcher has this process end when its holder does.
    let ready = stopped.and_then(|()| set_parent_process_death_signal(None));
    if let Err(cause) = ready {
        log::error!("cannot start a command: {cause}");
        return Outcome::Own(OWN_FAILURE);
    }
    if is_orphan() {
        return Outcome::Own(OWN_FAILURE);
    }
    let (program, arguments) = command.split_first().unzip();
    let program: &OsStr = program.map_or(OsStr::new(""), OsString::as_os_str);
    let cause = Command::new(program).args(arguments.unwrap_or_default()).exec();
    log::error!("cannot run {}: {cause}", program.display());
    Outcome::Own(status_of(&cause))
}

/// The status of a shell that could not run a command.
fn status_of(cause: &io::Error) -> u8 {
    match cause.kind() {
        ErrorKind::NotFound => 127,
        ErrorKind::OutOfMemory => OWN_FAILURE,
        _ => 126,
    }
}
