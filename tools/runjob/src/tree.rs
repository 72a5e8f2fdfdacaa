//! COMMAND with all its descendants.
//!
//! runjob is their subreaper (`PR_SET_CHILD_SUBREAPER` of prctl(2)): who loses its parent is given to
//! runjob. So whatever COMMAND has started descends from runjob until it has ended, daemons and sessions of
//! their own included, and nothing is left exactly when wait(2) says that runjob has no child.

mod process;

use std::io;

use ::process::stat::Stat;
use common::{Error, Result};
use nix::sys::prctl;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, pidfd_open, pidfd_send_signal, wait, waitid,
};
use rustix::process::{WaitId, WaitIdOptions};

/// The descendants of this process.
#[derive(Debug)]
pub(crate) struct Tree {
    own: u32,
    /// Children from before: of a shell that has become runjob by `exec`. They are none of COMMAND's.
    before: Vec<u32>,
    /// Whether the kernel lists the children of a process, not known before it was asked.
    lists: bool,
}

/// What wait(2) has told.
#[derive(Debug, Default)]
pub(crate) struct Reaped {
    /// How COMMAND ended, when it now has.
    pub(crate) command: Option<WaitStatus>,
    /// Nobody is left.
    pub(crate) empty: bool,
}

impl Tree {
    /// From here on every process that this one or its descendants start belongs to it until it has ended.
    ///
    /// # Errors
    /// When the kernel refuses; nothing has changed then.
    pub(crate) fn adopt() -> Result<Self> {
        let cannot = |errno: nix::Error| Error::failed("cannot adopt orphans").because(errno);
        prctl::set_child_subreaper(true).map_err(cannot)?;
        let mut tree = Self { own: std::process::id(), before: Vec::new(), lists: true };
        let any = waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT);
        if any.is_ok() {
            tree.before = tree.members().unwrap_or_default();
        }
        Ok(tree)
    }

    /// Lets those go that have ended.
    pub(crate) fn reap(&mut self, command: Option<Pid>) -> Reaped {
        let mut reaped = Reaped::default();
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if Some(pid) == command {
                        reaped.command = Some(status);
                    }
                    let pid = number(pid);
                    self.before.retain(|one| *one != pid);
                }
                Ok(None) => {
                    // Those from before are no reason to go on.
                    reaped.empty = !self.before.is_empty() && self.members().is_ok_and(|all| all.is_empty());
                    return reaped;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => {
                    reaped.empty = true;
                    return reaped;
                }
            }
        }
    }

    /// Sends signals to each that has not ended, parents first: a shell whose child ends before it would
    /// go on with its next command. Returns how many there were but for COMMAND.
    ///
    /// # Errors
    /// When there is no /proc to find them in; COMMAND alone has got the signals then.
    pub(crate) fn signal(&mut self, command: Option<Pid>, signals: &[Signal]) -> Result<usize> {
        let members = match self.members() {
            Ok(members) => members,
            Err(cause) => {
                // A child that is not waited for keeps its number.
                for signal in command.iter().flat_map(|_| signals) {
                    let _gone = command.map(|pid| rustix::process::kill_process(pid, *signal));
                }
                return Err(Error::failed("cannot find what the command has started").because(cause));
            }
        };
        let command = command.map(number);
        let told = members.iter().filter(|pid| self.send(**pid, &members, signals));
        Ok(told.filter(|pid| Some(**pid) != command).count())
    }

    /// Sends to one, if it still belongs to the tree. A number is used again once its process is gone, but
    /// not while a descriptor of it can be sent to: its parent is looked at in between.
    fn send(&self, pid: u32, members: &[u32], signals: &[Signal]) -> bool {
        let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let Some(fd) = raw.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return false };
        let belongs = |process: &Stat| process.parent == self.own || members.contains(&process.parent);
        if !Stat::of(pid).is_some_and(|process| !process.ended && belongs(&process)) {
            return false;
        }
        // Another user's process, such as one behind sudo, may refuse.
        for signal in signals {
            let _gone_or_not_ours = pidfd_send_signal(&fd, *signal);
        }
        true
    }

    /// The numbers of all descendants but those from before, each after its parent.
    ///
    /// The kernel's own lists cost 13 microseconds for each member; where it keeps none
    /// (`CONFIG_PROC_CHILDREN`), every process of the host is asked for its parent, at the same price.
    fn members(&mut self) -> io::Result<Vec<u32>> {
        if process::own_number()? != self.own {
            // What it calls by our numbers are others.
            return Err(io::Error::other("/proc is that of another pid namespace"));
        }
        if self.lists {
            match process::listed_children(self.own) {
                Ok(first) => {
                    return Ok(self.descend(first, |pid| process::listed_children(pid).unwrap_or_default()));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.lists = false,
                Err(error) => return Err(error),
            }
        }
        let mut all = process::by_parent()?;
        let first = all.remove(&self.own).unwrap_or_default();
        Ok(self.descend(first, |pid| all.remove(&pid).unwrap_or_default()))
    }

    fn descend(&self, first: Vec<u32>, mut children: impl FnMut(u32) -> Vec<u32>) -> Vec<u32> {
        let mut members: Vec<u32> = first.into_iter().filter(|pid| !self.before.contains(pid)).collect();
        let mut index = 0;
        while let Some(parent) = members.get(index).copied() {
            let new = children(parent).into_iter().filter(|pid| !members.contains(pid));
            let new: Vec<u32> = new.collect();
            members.extend(new);
            index += 1;
        }
        members
    }
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}
