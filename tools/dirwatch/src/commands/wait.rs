//! Hearing of the ends of commands.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};
use signal_hook::consts::SIGCHLD;

/// Waits for a command, and says how it ended.
pub(super) fn status_of(pid: Pid) -> io::Result<ExitStatus> {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => return Ok(ExitStatus::from_raw(status.as_raw())),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sees to it that the ends of commands can be waited for.
///
/// Who started us may have ignored SIGCHLD, which is inherited, and the kernel then forgets how children
/// end. With a handler it does not, and what we start has the default again. Without need there is none:
/// it would be called for every command.
pub(super) fn unignore_ends() -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if is_ignored(&status, SIGCHLD) {
        signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Whether a signal is ignored, as `/proc/self/status` tells.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_signal_is_known() {
        assert!(is_ignored("Name:\tx\nSigIgn:\t0000000000011000\n", SIGCHLD));
        assert!(!is_ignored("SigIgn:\t0000000000001000\nSigCgt:\t0000000000010000\n", SIGCHLD));
        assert!(!is_ignored("", SIGCHLD));
    }
}
