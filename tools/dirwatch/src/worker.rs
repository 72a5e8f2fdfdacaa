//! The threads that run commands.
//!
//! A command is started by `posix_spawn(3)`, without a shell and without a copy of this process, in a
//! process group of its own. Its standard output and error are ours. It ends when its first process
//! ends: what that leaves in the background goes on. Only a command whose time is over, or that is
//! interrupted, is ended with all its descendants ([`crate::tree`]).
//!
//! A thread that runs a command waits for three things at once: its end, the end of its time, and the
//! order to end everything. It alone waits for its command, so no number is used again before it is
//! done with it.

mod outcome;
mod spawn;
mod wait;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::{Error, Result};
use rustix::process::Pid;

use crate::identity::Key;
use crate::message::Message;
use crate::template::Template;
use crate::tree;
use wait::{Bell, Waited};

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
    NotRunnable(common::Error),
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

/// Enough for reading /proc and for std; `posix_spawn(3)` has a stack of its own.
const STACK: usize = 256 << 10;

/// The threads that run commands. Dropped, they go on with what runs and with nothing else.
#[derive(Debug)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// Where the program was when we started, if it was anywhere.
    program: Option<PathBuf>,
    queue: Mutex<Queue>,
    more: Condvar,
    /// Rings when everything is to end.
    bell: Bell,
    ending: AtomicBool,
    /// What the tokens of this process begin with.
    token: String,
    started: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Workers {
    /// Starts `count` threads, which tell `messages` of each command that has ended.
    ///
    /// # Errors
    /// When the system has no room for so many threads; none is left then.
    pub(crate) fn start(count: usize, settings: Settings, messages: &Sender<Message>) -> Result<Self> {
        let cannot =
            |cause: std::io::Error| Error::retry("cannot start the threads for commands").because(cause);
        wait::unignore_ends().map_err(cannot)?;
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let shared = Arc::new(Shared {
            program: spawn::find(settings.template.program()),
            settings,
            queue: Mutex::default(),
            more: Condvar::new(),
            bell: Bell::new().map_err(cannot)?,
            ending: AtomicBool::new(false),
            token: format!("{}.{since:x}", std::process::id()),
            started: AtomicU64::new(0),
        });
        let mut workers = Self { shared, threads: Vec::with_capacity(count) };
        for number in 0..count {
            let (shared, messages) = (Arc::clone(&workers.shared), messages.clone());
            let thread = thread::Builder::new().name(format!("worker-{number}")).stack_size(STACK);
            workers.threads.push(thread.spawn(move || shared.serve(&messages)).map_err(cannot)?);
        }
        Ok(workers)
    }

    /// Hands over a job for the next free thread; never waits.
    pub(crate) fn submit(&self, job: Job) {
        self.shared.queue().jobs.push_back(job);
        self.shared.more.notify_one();
    }

    /// Ends all commands with their descendants: SIGTERM, and SIGKILL after the grace. Returns at once;
    /// each is told as [`End::Interrupted`] when it has ended, and so are jobs that had not begun.
    pub(crate) fn end_all(&self) {
        self.shared.ending.store(true, Ordering::SeqCst);
        self.shared.bell.ring();
    }

    /// Waits for the threads: for what was submitted, and for the commands that run. After
    /// [`Workers::end_all`] that is as long as the grace, or for ever where a command hangs in the kernel:
    /// drop them instead.
    pub(crate) fn stop(mut self) {
        let threads = std::mem::take(&mut self.threads);
        drop(self);
        for thread in threads {
            // A panic has aborted the process.
            let _joined = thread.join();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.queue().closed = true;
        self.shared.more.notify_all();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, messages: &Sender<Message>) {
        while let Some(job) = self.next() {
            let begun = Instant::now();
            let end = self.run(&job);
            let ended = Ended { job, end, took: begun.elapsed() };
            if messages.send(Message::Ended(ended)).is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, job: &Job) -> End {
        // Between this look and the wait for the command the bell may ring: it goes on ringing.
        if self.ending.load(Ordering::SeqCst) {
            return End::Interrupted;
        }
        let token = format!("{}.{}", self.token, self.started.fetch_add(1, Ordering::Relaxed));
        let mut child = match spawn::spawn(&self.settings, self.program.as_deref(), job, &token) {
            Ok(child) => child,
            Err(end) => return end,
        };
        let waited = wait::wait(&child, &self.bell, self.settings.timeout);
        if !matches!(waited, Waited::Ended)
            && !tree::end(Pid::from_child(&child), &token, self.settings.grace)
        {
            log::warn!("processes of {} cannot be ended", self.settings.template.program().display());
        }
        let status = child.wait();
        match waited {
            Waited::Ended => outcome::of(status, self.settings.template.program()),
            Waited::Rung => End::Interrupted,
            Waited::Late(limit) => End::Failure(format!("timed out after {}", outcome::brief(limit))),
        }
    }
}

#[cfg(test)]
mod tests;
