//! What a lock file says: who holds the lock, and the last number that was given out.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use chrono::{SecondsFormat, Utc};
use process::stat::Stat;
use serde::{Deserialize, Serialize};

/// It is always so long: what is written over another needs no room on the disk.
const LENGTH: usize = 512;

/// A process that was alive: its number alone may be another one's by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Alive {
    pid: u32,
    /// In ticks since the system started.
    started: u64,
}

/// What a lock file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// The last number that was given out.
    pub(super) fence: u64,
    /// The id of the run that holds it, or did last.
    pub(super) run: String,
    /// Since when, as RFC 3339 in UTC.
    pub(super) since: String,
    /// The start of the system during which that was.
    boot: String,
    /// The namespace that the numbers of processes belong to.
    #[serde(default)]
    numbers: String,
    /// The runjob that holds it; none: it is free.
    pub(super) wrapper: Option<Alive>,
    /// The job, once it has been started.
    pub(super) job: Option<Alive>,
}

impl Alive {
    /// The process `pid`, which is there or has not been waited for; none when it is not.
    pub(super) fn now(pid: u32) -> Option<Self> {
        Some(Self { pid, started: Stat::of(pid)?.started })
    }

    fn is_alive(self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

/// When the process `pid` started, unless it has ended.
fn started(pid: u32) -> Option<u64> {
    Stat::of(pid).filter(|process| !process.ended).map(|process| process.started)
}

/// A word that is another one after each start of the system.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// What the numbers of processes belong to: a container has its own.
fn numbers() -> String {
    fs::read_link("/proc/self/ns/pid").map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Record {
    /// Of this process, for the run `run` with the number `fence`.
    pub(super) fn of(run: &str, fence: u64) -> Self {
        let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let wrapper = Alive::now(std::process::id());
        Self { fence, run: run.into(), since, boot: boot(), numbers: numbers(), wrapper, job: None }
    }

    /// What `file` says; an empty one when it says nothing that can be understood.
    pub(super) fn read(file: &File) -> std::io::Result<Self> {
        let mut bytes = [0; LENGTH];
        let mut filled = 0;
        while filled < LENGTH {
            match file.read_at(&mut bytes[filled..], filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(serde_json::from_slice(bytes[..filled].trim_ascii()).unwrap_or_default())
    }

    /// Puts it into `file`, in the place of what that says.
    pub(super) fn write(&self, file: &File) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(self)?;
        // A run's id and a time are short.
        bytes.resize(LENGTH, b' ');
        bytes[LENGTH - 1] = b'\n';
        file.write_all_at(&bytes, 0)
    }

    /// The number after the last one, which also grows when the file was lost: it is at least the time in
    /// microseconds.
    pub(super) fn next_fence(&self, now_us: u64) -> u64 {
        self.fence.saturating_add(1).max(now_us)
    }

    /// Whether the job that it tells of goes on.
    pub(super) fn job_is_alive(&self) -> bool {
        self.job.is_some_and(Alive::is_alive) && self.is_of_here()
    }

    /// Whether neither the runjob nor the job that it tells of is there any more. When the job was never
    /// written down there may be one: that is not left over; and of another host or container nobody here
    /// knows.
    pub(super) fn is_left_over(&self) -> bool {
        let is_gone = |process: Option<Alive>| process.is_some_and(|process| !process.is_alive());
        let is_free = self.wrapper.is_none() && self.job.is_none() && !self.run.is_empty();
        self.is_of_here() && (is_free || is_gone(self.wrapper) && is_gone(self.job))
    }

    /// Without /proc nothing is known of anybody.
    fn is_of_here(&self) -> bool {
        !self.boot.is_empty() && self.boot == boot() && self.numbers == numbers()
    }

    /// The same for a holder of which only its number is known.
    pub(super) fn of_process(mut self, pid: Option<u32>) -> Self {
        self.wrapper = pid.and_then(Alive::now);
        self
    }

    /// The holder, for people.
    pub(super) fn holder(&self) -> String {
        let pid = |name: &str, process: Alive| format!("{name} (pid {})", process.pid);
        let alive = |process: &Alive| process.is_alive();
        let wrapper = self.wrapper.filter(alive).map(|process| pid("runjob", process));
        let job = || self.job.filter(alive).map(|process| pid("a job whose runjob is gone", process));
        match wrapper.or_else(job) {
            Some(holder) => format!("{holder}, since {}", self.since),
            None => "another process".into(),
        }
    }
}
