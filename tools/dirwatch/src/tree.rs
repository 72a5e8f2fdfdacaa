//! A command with all its descendants.
//!
//! A command belongs to a process group of its own, but what it starts may leave that: by `setsid`,
//! as an interactive shell does with its jobs, or by forking twice and losing its parent, as a daemon
//! does. So the processes of a command are those of its group, those that descend from it, those that
//! were seen to, and those in whose environment stands the [`TOKEN`] that only this command was
//! started with. What has left its group and its parent, was not seen in between, and cleared its
//! environment is not found.
//!
//! A process number is used again once its process is gone. Each is held by a pidfd, and compared by
//! its start time after that was opened and before anything is sent.

mod process;
mod strangers;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use crate::identity::Key;
use process::Process;
pub(crate) use process::is_ended;
pub(crate) use strangers::Strangers;

/// The variable that tells the start of a command from every other one.
pub(crate) const TOKEN: &str = "DIRWATCH_JOB";

/// How long a command and its descendants have between SIGTERM and SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Between two looks at all processes, of which one takes 20 microseconds for each process: a hundred
/// times that on a host with a thousand of them.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks after SIGKILL. What forks as fast as it is killed is caught within a few; what is still there
/// after these 5 seconds hangs in the kernel.
const MOST_ROUNDS: u32 = 100;

/// Ends a command that this process started and has not waited for: SIGTERM to each of its processes,
/// and SIGKILL to those that are left after `grace`. Returns whether none is left, sooner when they end
/// sooner. The command itself is then still to be waited for.
///
/// `token` is what [`TOKEN`] says in its environment.
#[must_use]
pub(crate) fn end(leader: Pid, token: &str, grace: Duration) -> bool {
    let mut hunt = Hunt { leader, token, seen: BTreeMap::new() };
    let deadline = Instant::now() + grace;
    let mut told = BTreeSet::new();
    loop {
        let Ok(left) = hunt.look() else { return end_group(leader, deadline) };
        if left.is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            break;
        }
        // Once each: many programs take the second one for an order to drop everything.
        for process in left.iter().filter(|process| told.insert((process.pid, process.started))) {
            process.signal(&[Signal::TERM, Signal::CONT]);
        }
        thread::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now())));
    }
    for _ in 0..MOST_ROUNDS {
        // The leader is not waited for, so its number and that of the group are still its own. The
        // kernel lets no fork slip through in a group.
        let _gone = kill_process_group(leader, Signal::KILL);
        let Ok(left) = hunt.look() else { return end_group(leader, deadline) };
        if left.is_empty() {
            return true;
        }
        for process in left {
            process.signal(&[Signal::KILL]);
        }
        thread::sleep(PAUSE);
    }
    false
}

/// Without /proc, or without a descriptor to read it, the group is what can be reached.
fn end_group(leader: Pid, deadline: Instant) -> bool {
    let _gone = kill_process_group(leader, Signal::TERM);
    while Instant::now() < deadline && !is_ended(leader) {
        thread::sleep(PAUSE);
    }
    let _gone = kill_process_group(leader, Signal::KILL);
    is_ended(leader)
}

/// Which of these files a process is still at, one for each: a command of a watcher that was killed, or
/// what such a command has started. Also one of another watcher of the same folder, as it may give a file
/// the same identity.
///
/// What runs as another user cannot be looked into, and is passed over.
#[must_use]
pub(crate) fn survivors(ids: &[Key]) -> BTreeMap<Key, u32> {
    let wanted: BTreeSet<Key> = ids.iter().copied().collect();
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return found;
    }
    let own = std::process::id();
    for pid in process::all().unwrap_or_default().into_iter().filter(|pid| *pid != own) {
        let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { continue };
        let value = process::variable(&environment, "DIRWATCH_ID").unwrap_or_default();
        for key in process::keys(value).filter(|key| wanted.contains(key)) {
            found.entry(key).or_insert(pid);
        }
    }
    found
}

/// The search for the processes of one command.
struct Hunt<'a> {
    leader: Pid,
    token: &'a str,
    /// The start times of those that were found so far.
    seen: BTreeMap<u32, u64>,
}

impl Hunt<'_> {
    /// The processes of the command that have not ended.
    fn look(&mut self) -> io::Result<Vec<Process>> {
        let all: Vec<Process> = process::all()?.into_iter().filter_map(Process::of).collect();
        let leader = u32::try_from(self.leader.as_raw_nonzero().get()).unwrap_or_default();
        // Nothing that is older than the command comes from it: most need no second file read.
        let since = all.iter().find(|process| process.pid == leader).map_or(0, |found| found.started);
        let own = std::process::id();
        let younger = || all.iter().filter(|process| process.started >= since && process.pid != own);
        let mut members: BTreeSet<u32> = younger()
            .filter(|process| {
                process.group == leader
                    || self.seen.get(&process.pid) == Some(&process.started)
                    || process.has_variable(TOKEN, self.token)
            })
            .map(|process| process.pid)
            .collect();
        add_descendants(&mut members, younger());
        self.seen = younger()
            .filter(|process| members.contains(&process.pid))
            .map(|process| (process.pid, process.started))
            .collect();
        Ok(all.into_iter().filter(|one| self.seen.contains_key(&one.pid) && !one.ended).collect())
    }
}

fn add_descendants<'a>(members: &mut BTreeSet<u32>, all: impl Iterator<Item = &'a Process>) {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for process in all {
        children.entry(process.parent).or_default().push(process.pid);
    }
    let mut open: Vec<u32> = members.iter().copied().collect();
    while let Some(parent) = open.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if members.insert(*child) {
                open.push(*child);
            }
        }
    }
}

impl Process {
    /// Sends these, if it still is the same process.
    fn signal(&self, signals: &[Signal]) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(fd) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return };
        if Process::of(self.pid).is_some_and(|now| now.started == self.started) {
            for signal in signals {
                // Another user's process, such as one behind sudo, may refuse.
                let _gone_or_not_ours = pidfd_send_signal(&fd, *signal);
            }
        }
    }
}

#[cfg(test)]
mod tests;
