//! The commands that run.
//!
//! A command is started by `posix_spawn(3)`, without a shell and without a copy of this process, in a
//! process group of its own. Its standard output and error are ours. It ends when its first process
//! ends: what that leaves in the background goes on. Only a command whose time is over, or that is
//! interrupted, is ended with all its descendants ([`crate::tree`]).
//!
//! The keeper starts them itself, and waits for their ends together with its messages. A thread for each
//! of them would be woken twice for each file, and wake the keeper once: a tenth of what a small command
//! costs in all. A thread comes into it only where one must be ended, which takes its time. Nobody else
//! waits for a command, so no number is used again before we are done with it.

mod outcome;
mod spawn;
mod wait;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use common::{Error, Result};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::identity::Key;
use crate::message::Message;
use crate::post::{Mail, Post};
use crate::template::Template;
use crate::tree;
use spawn::Spawner;

/// A file for a command.
#[derive(Debug, Clone)]
pub struct JobFile {
    /// Where it is.
    pub path: PathBuf,
    /// The file.
    pub key: Key,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The BLAKE3 hash of its content in hexadecimal digits, where the command or the identity wants it.
    pub hash: Option<String>,
}

/// A command to run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Tells the jobs of a run apart.
    pub id: u64,
    /// One file, or those of a batch.
    pub files: Vec<JobFile>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) enum End {
    /// With status 0.
    Success,
    /// With another status, by a signal, or because its time was over; in a few words such as
    /// `exit status 3`, `killed by signal 9`, `timed out after 5m`.
    Failure(String),
    /// It was ended because the watcher is to end: an interruption and no failure.
    Interrupted,
    /// It cannot be run at all, for no file: not found, not executable, or status 126 or 127. The
    /// sentence says why.
    NotRunnable(Error),
    /// The file could not be opened for its standard input.
    Unreadable(std::io::Error),
    /// The system has no room for another process at the moment.
    NoRoom(std::io::Error),
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// What was run.
    pub job: Job,
    /// How it ended.
    pub end: End,
    /// How long it ran.
    pub took: Duration,
}

/// How commands are run.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The command.
    pub template: Template,
    /// Whether it gets the content of the file, the first one of a batch, on its standard input.
    pub stdin: bool,
    /// Whether that file may be a symbolic link.
    pub follow: bool,
    /// How long it may run.
    pub timeout: Option<Duration>,
    /// How long it has between SIGTERM and SIGKILL: [`tree::GRACE`].
    pub grace: Duration,
}

/// Refuses a command that is not there: a typing error is not to wait for the first file.
///
/// # Errors
/// A sentence with the way out.
pub(crate) fn must_be_there(settings: &Settings) -> Result<()> {
    spawn::must_be_there(settings.template.program())
}

/// How often is looked at commands for which the system has no descriptor to wait with.
const PAUSE: Duration = Duration::from_millis(20);

/// How soon it is tried again to end a command when the system gives no thread for that.
const TIRED: Duration = Duration::from_secs(1);

/// The commands that run, by the numbers of their jobs, which grow. Dropped, they go on.
pub(crate) struct Commands {
    spawner: Spawner,
    timeout: Option<Duration>,
    grace: Duration,
    /// What is run, for messages.
    name: OsString,
    /// What the tokens of this process begin with.
    token: String,
    running: BTreeMap<u64, Running>,
    /// Those of which nobody was told yet that they have ended.
    ended: Vec<Ended>,
    /// Tells that one was ended with all its descendants.
    post: Post,
    is_ending: bool,
    /// Until when no thread is asked for, as the last one was refused.
    tired: Option<Instant>,
}

#[derive(Debug)]
struct Running {
    job: Job,
    pid: Pid,
    /// What tells its end; `None` when the table of files is full.
    fd: Option<OwnedFd>,
    begun: Instant,
    fate: Fate,
    /// It was to be ended, and hangs in the kernel.
    is_stuck: bool,
}

/// How it goes with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It runs.
    Runs,
    /// Its time, this long, is over, and a thread ends it.
    Late(Duration),
    /// Everything is to end, and a thread ends it.
    Interrupted,
}

impl Running {
    fn has_ended(&self) -> bool {
        tree::is_ended(self.pid)
    }
}

impl Commands {
    /// None, so far.
    ///
    /// # Errors
    /// When the system does not let us hear of their ends.
    pub(crate) fn new(settings: Settings, post: Post) -> Result<Self> {
        wait::unignore_ends().map_err(|cause| Error::failed("cannot listen for signals").because(cause))?;
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        Ok(Self {
            timeout: settings.timeout,
            grace: settings.grace,
            name: settings.template.program().to_owned(),
            spawner: Spawner::new(settings)
                .map_err(|cause| Error::failed("cannot prepare the command").because(cause))?,
            token: format!("{}.{since:x}", std::process::id()),
            running: BTreeMap::new(),
            ended: Vec::new(),
            post,
            is_ending: false,
            tired: None,
        })
    }

    /// Starts a command. Where that fails it has ended at once.
    pub(crate) fn start(&mut self, job: Job, mail: &Mail) {
        let begun = Instant::now();
        if self.is_ending {
            return self.ended.push(Ended { job, end: End::Interrupted, took: Duration::ZERO });
        }
        let token = self.token_of(job.id);
        let pid = match self.spawner.spawn(&job, &token) {
            Ok(pid) => pid,
            Err(end) => return self.ended.push(Ended { job, end, took: begun.elapsed() }),
        };
        let fd = pidfd_open(pid, PidfdFlags::empty()).ok();
        let fd = fd.filter(|fd| mail.watch(fd, job.id).is_ok());
        self.running.insert(job.id, Running { job, pid, fd, begun, fate: Fate::Runs, is_stuck: false });
    }

    /// Until when [`Mail::wait`] may wait as far as the commands are concerned.
    pub(crate) fn until(&self) -> Option<Instant> {
        if !self.ended.is_empty() || self.running.values().any(|one| one.fd.is_none()) {
            let pause = if self.ended.is_empty() { PAUSE } else { Duration::ZERO };
            return Some(Instant::now() + pause);
        }
        // In the order of their starts, and all have the same time.
        let first = self.running.values().find(|one| one.fate == Fate::Runs)?;
        self.timeout.map(|limit| (first.begun + limit).max(self.tired.unwrap_or(first.begun)))
    }

    /// Looks after the commands of which `names` tells that they have ended, and after those whose time
    /// is over; returns those that are done with.
    pub(crate) fn ended(&mut self, names: &[u64], mail: &Mail) -> Vec<Ended> {
        // One that is being ended is waited for when all of it has: until then its number is its own.
        let is_blind = |one: &Running| one.fd.is_none() && (one.fate == Fate::Runs || one.is_stuck);
        let blind = self.running.iter().filter(|(_, one)| is_blind(one) && one.has_ended());
        let blind: Vec<u64> = blind.map(|(id, _)| *id).collect();
        for id in names.iter().chain(&blind) {
            self.conclude(*id, mail);
        }
        self.end_the_late(mail);
        std::mem::take(&mut self.ended)
    }

    /// One of which [`Message::Hunted`] told that none of its processes is left.
    pub(crate) fn hunted(&mut self, id: u64, mail: &Mail) {
        let Some(one) = self.running.get_mut(&id) else { return };
        if one.has_ended() {
            return self.conclude(id, mail);
        }
        one.is_stuck = true;
        one.fd.take_if(|fd| mail.watch(fd, id).is_err());
    }

    /// Ends all commands with their descendants: SIGTERM, and SIGKILL after the grace. Returns at once;
    /// each is told as [`End::Interrupted`] when it has ended, and so is what is started from now on.
    pub(crate) fn end_all(&mut self, mail: &Mail) {
        self.is_ending = true;
        let running: Vec<u64> =
            self.running.iter().filter(|(_, one)| one.fate == Fate::Runs).map(|(id, _)| *id).collect();
        for id in running {
            self.hunt(id, Fate::Interrupted, mail);
        }
    }

    fn end_the_late(&mut self, mail: &Mail) {
        let Some(limit) = self.timeout else { return };
        let now = Instant::now();
        if self.tired.is_some_and(|until| now < until) {
            return;
        }
        let is_late = |one: &Running| one.fate == Fate::Runs && now - one.begun >= limit;
        let late = self.running.iter().take_while(|(_, one)| now - one.begun >= limit);
        let late: Vec<u64> = late.filter(|(_, one)| is_late(one)).map(|(id, _)| *id).collect();
        for id in late {
            self.hunt(id, Fate::Late(limit), mail);
        }
    }

    /// Has a thread end a command with all its descendants.
    fn hunt(&mut self, id: u64, fate: Fate, mail: &Mail) {
        let token = self.token_of(id);
        let Some(one) = self.running.get_mut(&id) else { return };
        one.fate = fate;
        let (leader, grace) = (one.pid, self.grace);
        let (name, post) = (self.name.clone(), self.post.clone());
        let hunt = move || {
            if !tree::end(leader, &token, grace) {
                log::warn!("processes of {} cannot be ended", name.display());
            }
            // Without a keeper there is nobody to tell.
            let _told = post.send(Message::Hunted(id));
        };
        let thread = thread::Builder::new().name("hunter".into());
        match thread.spawn(hunt) {
            // Its own end would be told again and again.
            Ok(_) => {
                one.fd.iter().for_each(|fd| mail.unwatch(fd));
                self.tired = None;
            }
            Err(error) => {
                if self.tired.replace(Instant::now() + TIRED).is_none() {
                    log::warn!("cannot start a thread that ends a command: {error}; trying again");
                }
                one.fate = Fate::Runs;
            }
        }
    }

    /// Waits for a command that has ended, and judges how.
    fn conclude(&mut self, id: u64, mail: &Mail) {
        let Some(Running { job, pid, fd, begun, fate, .. }) = self.running.remove(&id) else { return };
        if let Some(fd) = &fd {
            mail.unwatch(fd);
        }
        let status = wait::status_of(pid);
        let end = match fate {
            Fate::Runs => outcome::of(status, &self.name),
            Fate::Interrupted => End::Interrupted,
            Fate::Late(limit) => End::Failure(format!("timed out after {}", outcome::brief(limit))),
        };
        self.ended.push(Ended { job, end, took: begun.elapsed() });
    }

    /// What [`tree::TOKEN`] says in the environment of a command.
    fn token_of(&self, id: u64) -> String {
        format!("{}.{id}", self.token)
    }
}

#[cfg(test)]
mod tests;
