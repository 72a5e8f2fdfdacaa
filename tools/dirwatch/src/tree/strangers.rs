//! Processes that were left to us.
//!
//! In a container the watcher may be process 1, which inherits what others leave behind, and which
//! alone can make it go when it has ended.

use std::collections::BTreeMap;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use super::process::{self, Process};

/// Ended processes that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    /// The start times of those that had ended when we last looked.
    ended: BTreeMap<u32, u64>,
}

impl Strangers {
    /// Lets those go that have ended before the call before this one; does nothing unless this process is
    /// number 1.
    ///
    /// To be called once a minute: our own commands are waited for within seconds of their end, so what
    /// has ended before two calls is none of them.
    pub(crate) fn tend(&mut self) {
        if std::process::id() == 1 {
            self.let_go();
        }
    }

    fn let_go(&mut self) {
        let own = std::process::id();
        let all = process::all().unwrap_or_default().into_iter().filter_map(Process::of);
        let ended = all.filter(|process| process.ended && process.parent == own);
        let ended: BTreeMap<u32, u64> = ended.map(|process| (process.pid, process.started)).collect();
        for (pid, _) in ended.iter().filter(|(pid, started)| self.ended.get(pid) == Some(started)) {
            let Some(pid) = i32::try_from(*pid).ok().and_then(Pid::from_raw) else { continue };
            let _gone = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
        self.ended = ended;
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[allow(clippy::zombie_processes, reason = "that nobody waits for it is what this is about")]
    fn only_what_was_there_before_is_let_go() {
        // In a process of its own, as this takes children away from whoever started them.
        if std::env::var_os("DIRWATCH_TEST_STRANGERS").is_none() {
            let name = "tree::strangers::tests::only_what_was_there_before_is_let_go";
            let mut again = Command::new(std::env::current_exe().unwrap());
            again.args([name, "--exact", "--test-threads=1"]).env("DIRWATCH_TEST_STRANGERS", "1");
            let output = again.output().unwrap();
            assert!(output.status.success() && output.stdout.windows(8).any(|text| text == b"1 passed"));
            return;
        }
        let mut strangers = Strangers::default();
        let first = Command::new("true").spawn().unwrap();
        wait_for_end(first.id());
        strangers.let_go();
        assert!(Process::of(first.id()).is_some_and(|one| one.ended), "seen for the first time");
        let mut second = Command::new("true").spawn().unwrap();
        wait_for_end(second.id());
        strangers.let_go();
        assert_eq!(Process::of(first.id()), None);
        assert!(second.wait().unwrap().success());
    }

    fn wait_for_end(pid: u32) {
        while !Process::of(pid).is_some_and(|process| process.ended) {
            std::thread::yield_now();
        }
    }
}
