//! The watcher: a process of ours that undoes the change when its holder is killed.
//!
//! It reads from a pipe whose other end the holder alone has, so the kernel tells it of the holder's
//! death at once, whatever that died of. It is started before anything is changed, in a session of
//! its own, where neither a terminal nor a signal for the job reaches it. Where all processes of a
//! service are killed together it dies with them; then the next call undoes the change.

use std::ffi::OsString;
use std::io::{BufRead, Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Error, Outcome, Result};
use files::Wait;
use json::Syntax;
use rustix::process::{Pid, PidfdFlags, Signal, getppid, pidfd_open, pidfd_send_signal, setsid};

use super::place::Place;
use super::settle::settle;
use super::shelf::Shelf;
use super::signals;
use crate::store::{Links, Store};

/// How long the watcher waits for the lock at least: nobody waits for it, and nobody else is there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A holder takes no longer to die; one that lives on has only closed the pipe.
const LONGEST_DEATH: Duration = Duration::from_secs(1);

/// What the watcher says when nothing can end it any more.
const READY: u8 = b'!';

/// What the holder says when there is nothing left to do.
const DONE: &str = "done";

/// The watcher as its holder sees it.
#[derive(Debug)]
#[must_use = "dropped, it takes the holder for dead"]
pub(super) struct Watcher {
    process: Child,
    orders: Option<ChildStdin>,
}

impl Watcher {
    /// Starts it; [`Watcher::ready`] waits until it watches.
    ///
    /// # Errors
    /// When the system starts no process.
    pub(super) fn start(store: &Store) -> Result<Self> {
        // What runs now, also when the file has been replaced by another version since.
        let mut command = Command::new("/proc/self/exe");
        command.args(arguments(store)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(cannot_start)?;
        let orders = process.stdin.take();
        Ok(Self { process, orders })
    }

    /// Waits until it watches.
    ///
    /// # Errors
    /// When it has ended instead.
    pub(super) fn ready(&mut self) -> Result<()> {
        let mut answer = [0];
        let Some(pipe) = &mut self.process.stdout else { return Ok(()) };
        match pipe.read_exact(&mut answer) {
            Ok(()) if answer == [READY] => Ok(()),
            Ok(()) => Err(Error::failed("cannot start a watcher: it is another program")),
            Err(cause) => Err(cannot_start(cause)),
        }
    }

    /// Tells it of COMMAND, which must not go on when the change is undone.
    pub(super) fn guards(&mut self, command: Pid) {
        self.say(&command.as_raw_nonzero().to_string());
    }

    /// Sends it away.
    pub(super) fn dismiss(mut self) {
        self.say(DONE);
        self.orders = None;
        let _whatever_it_ended_with = self.process.wait();
    }

    fn say(&mut self, word: &str) {
        let Some(pipe) = &mut self.orders else { return };
        if let Err(cause) = pipe.write_all(format!("{word}\n").as_bytes()) {
            log::warn!(
                "the watcher of this change is gone ({cause}); if this process is killed too, the next call undoes the change"
            );
        }
    }
}

fn cannot_start(cause: std::io::Error) -> Error {
    Error::failed("cannot start a watcher for the change").because(cause)
}

/// Waits until the holder is no parent any more. The pipe closes while it dies, and in which order
/// the kernel then releases its locks nobody promises; but all are free before its children are told.
fn until_gone(holder: Option<Pid>) {
    let begin = Instant::now();
    while getppid() == holder && begin.elapsed() < LONGEST_DEATH {
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The command line of a watcher that has `store`.
fn arguments(store: &Store) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--watch".into()];
    if store.syntax == Syntax::Comments {
        arguments.push("--jsonc".into());
    }
    match store.links {
        Links::Refuse => {}
        Links::Break => arguments.push("--break-links".into()),
        Links::Keep => arguments.push("--in-place".into()),
    }
    if store.lifts_immutable {
        arguments.push("--immutable".into());
    }
    if let Some(lock_file) = &store.lock_file {
        arguments.extend(["--lock-file".into(), lock_file.into()]);
    }
    if let Wait::For(time) = store.wait {
        arguments.extend(["--lock-timeout".into(), format!("{}ms", time.as_millis()).into()]);
    }
    arguments.push(store.path.clone().into());
    arguments
}

/// Is the watcher: waits for the end of the holder, and undoes what it has left.
///
/// # Errors
/// When the change cannot be undone; it is then left to the next call.
pub(super) fn watch(store: &Store) -> Result<Outcome> {
    signals::be_deaf()?;
    let place = Place::of(&store.path)?;
    // Refused to the leader of a group, which no child of the holder is.
    let _a_session_already = setsid();
    let _the_holder_is_gone = std::io::stdout().write_all(&[READY]).and_then(|()| std::io::stdout().flush());
    let holder = getppid();
    let mut command = None;
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        if line == DONE {
            return Ok(Outcome::Done);
        }
        command = pidfd_of(&line).or(command);
    }
    until_gone(holder);
    let store = place.of_store(store);
    let shelf = Shelf::of(&store.path)?;
    if !shelf.is_used() {
        return Ok(Outcome::Done);
    }
    if let Some(command) = command {
        let _ended_already = pidfd_send_signal(command, Signal::TERM);
    }
    let wait = match store.wait {
        Wait::For(time) => Wait::For(time.max(PATIENCE)),
        Wait::Not => Wait::For(PATIENCE),
        Wait::Forever => Wait::Forever,
    };
    let store = Store { wait, ..store };
    let mut lock = store.lock()?;
    if settle(&store, &shelf, &mut lock)? > 0 {
        log::warn!("what held a change of {} has died; the change is undone", store.path.display());
    }
    Ok(Outcome::Done)
}

fn pidfd_of(line: &str) -> Option<OwnedFd> {
    let pid = line.parse().ok().and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_watcher_is_told_all_that_the_holder_was() {
        let check = |store: Store, want: &str| {
            let line: Vec<_> =
                arguments(&store).into_iter().map(|word| word.into_string().unwrap()).collect();
            assert_eq!(line.join(" "), want);
        };
        let store = Store {
            path: Path::new("a b.json").into(),
            syntax: Syntax::Strict,
            wait: Wait::Not,
            lock_file: None,
            links: Links::Refuse,
            lifts_immutable: false,
        };
        check(store.clone(), "--watch a b.json");
        let store = Store {
            syntax: Syntax::Comments,
            wait: Wait::For(Duration::from_millis(1500)),
            lock_file: Some("lock".into()),
            links: Links::Keep,
            lifts_immutable: true,
            ..store
        };
        check(
            store,
            "--watch --jsonc --in-place --immutable --lock-file lock --lock-timeout 1500ms a b.json",
        );
    }
}
