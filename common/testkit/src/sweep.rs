//! Faults at every system call of a run, one at a time, or at some of them.
//!
//! `SRE_SWEEP` is how many faults a sweep tries, 15 unless set and 1 at least, evenly spread over all
//! of them and beginning anywhere. `SRE_RELEASE` names the folder of the binary that is swept, such as
//! `target/ship`: what ships is what must hold. Without it that is the debug one.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use crate::strace::{Call, Fault};

/// How many faults are tried unless `SRE_SWEEP` says otherwise.
const FEW: usize = 15;

/// Calls of the runtime, which have none of the errors that are tried, and without which it cannot go
/// on. The tool is killed before them and nothing else.
const OF_THE_RUNTIME: [&str; 14] = [
    "brk",
    "exit",
    "exit_group",
    "futex",
    "getrandom",
    "gettid",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "rseq",
    "set_robust_list",
    "sigaltstack",
];

/// What is tried, and how much of it must have been met for the sweep to tell anything.
#[derive(Debug, Clone, Copy)]
pub struct Sweep<'a> {
    /// What may happen at a call. A write may also say that it wrote less than it did, or more.
    pub faults: &'a [Fault<'a>],
    /// How many faults there must be in all.
    pub least: usize,
    /// How many percent of those that were tried must have been met: a call may be missing in a run in
    /// which the kernel has other things to do, and another thread may make it.
    pub met: usize,
    /// How many percent of `SRE_SWEEP` are tried, and all of a few: less than 100 where a run takes long.
    pub share: usize,
}

impl Sweep<'_> {
    /// Tries faults at `calls`. `strike` returns what was wrong then, and `None` when the run did not
    /// come to the fault; `what` names the sweep in what is said.
    ///
    /// # Panics
    /// When something was wrong, or too little was tried or met.
    #[track_caller]
    pub fn run(
        self,
        what: &dyn Debug,
        calls: &[Call],
        mut strike: impl FnMut(&Call, Fault<'_>) -> Option<Vec<String>>,
    ) {
        let all: Vec<_> = calls.iter().flat_map(|call| self.faults_at(call)).collect();
        assert!(all.len() >= self.least, "only {} faults: {calls:?}", all.len());
        let some = some(&all, self.share);
        let outcomes: Vec<_> = some.iter().filter_map(|(call, fault)| strike(call, *fault)).collect();
        eprintln!("{what:?}: {} hits of {} tried, {} in all", outcomes.len(), some.len(), all.len());
        let wrong: Vec<String> = outcomes.iter().flatten().cloned().collect();
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert!(outcomes.len() * 100 >= some.len() * self.met, "{} hits of {}", outcomes.len(), some.len());
    }

    fn faults_at<'c>(&self, call: &'c Call) -> impl Iterator<Item = (&'c Call, Fault<'_>)> {
        let is_runtime = OF_THE_RUNTIME.contains(&call.syscall.as_str());
        let lie = call.syscall.contains("write").then_some(Fault::Returns(5));
        let faults = self.faults.iter().copied().filter(move |fault| *fault == Fault::Kill || !is_runtime);
        faults.chain(lie).map(move |fault| (call, fault))
    }
}

/// The binary that is swept: the one that ships where `SRE_RELEASE` says where, else `debug`, which is
/// `env!("CARGO_BIN_EXE_…")`.
#[must_use]
pub fn program(debug: &str) -> PathBuf {
    let name = Path::new(debug).file_name().unwrap_or_default();
    std::env::var_os("SRE_RELEASE").map_or_else(|| debug.into(), |folder| Path::new(&folder).join(name))
}

/// Some of `all`, evenly spread, beginning anywhere: as many as `SRE_SWEEP` and `share` say, which is that
/// of [`Sweep`].
#[must_use]
pub fn some<T>(all: &[T], share: usize) -> Vec<&T> {
    let wanted = std::env::var("SRE_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let count = (wanted * share / 100).max(wanted.min(FEW)).clamp(1, all.len());
    let first = usize::try_from(RandomState::new().build_hasher().finish() >> 1).unwrap_or_default();
    (0..count).map(|index| &all[(first + index * all.len() / count) % all.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(syscall: &str) -> Call {
        Call { syscall: syscall.into(), nth: 1, thread: 0, text: String::new() }
    }

    const FAULTS: [Fault<'_>; 2] = [Fault::Kill, Fault::Error("EIO")];

    #[test]
    fn each_call_meets_what_it_can_have() {
        let sweep = Sweep { faults: &FAULTS, least: 6, met: 100, share: 100 };
        let mut tried = Vec::new();
        sweep.run(&"all", &["brk", "read", "write"].map(call), |call, fault| {
            tried.push(format!("{} {fault}", call.syscall));
            Some(Vec::new())
        });
        tried.sort();
        let want =
            ["brk signal=KILL", "read error=EIO", "read signal=KILL", "write error=EIO", "write retval=5"];
        assert_eq!(tried[..5], want);
        assert_eq!(tried.len(), 6);
    }

    #[test]
    #[should_panic(expected = "1 are wrong")]
    fn what_is_wrong_is_said() {
        let sweep = Sweep { faults: &FAULTS[..1], least: 1, met: 100, share: 100 };
        sweep.run(&"wrong", &[call("read")], |_, _| Some(vec!["torn".into()]));
    }

    #[test]
    #[should_panic(expected = "0 hits of 1")]
    fn what_was_not_met_proves_nothing() {
        let sweep = Sweep { faults: &FAULTS[..1], least: 1, met: 50, share: 100 };
        sweep.run(&"unmet", &[call("read")], |_, _| None);
    }
}
