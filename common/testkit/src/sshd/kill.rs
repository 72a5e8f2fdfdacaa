//! Ends servers and what they started, by their ids and nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What ignores SIGTERM for so long is killed.
const GRACE: Duration = Duration::from_secs(1);

/// The children of a process, theirs, and so on.
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    let children =
        lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>());
    children.flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

/// The commands of the sessions of the server in `folder`, whose environment names it: one that has
/// outlived its session has no other tie.
pub(super) fn carriers(folder: &Path) -> Vec<u32> {
    let mark = format!("FLEET_SESSION={}", folder.display());
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let carries =
        |environment: Vec<u8>| environment.split(|&byte| byte == 0).any(|one| one == mark.as_bytes());
    processes
        .filter(|process| std::fs::read(process.path().join("environ")).is_ok_and(carries))
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

/// Asks the processes to end, and kills those that do not. A child of ours is one as long as
/// `still_runs` says so, which also buries it.
pub(super) fn end(pids: &[u32], mut still_runs: impl FnMut() -> bool) {
    send(pids, Signal::TERM);
    let limit = Instant::now() + GRACE;
    while (still_runs() || pids.iter().any(|&pid| lives(pid))) && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(2));
    }
    let left: Vec<u32> = pids.iter().copied().filter(|&pid| lives(pid)).collect();
    send(&left, Signal::KILL);
    let limit = Instant::now() + GRACE;
    while (still_runs() || left.iter().any(|&pid| lives(pid))) && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn send(pids: &[u32], signal: Signal) {
    for pid in pids.iter().filter_map(|&pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
        let _already_gone = kill_process(pid, signal);
    }
}

/// Whether it runs: a zombie does not.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|fields| fields.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}
