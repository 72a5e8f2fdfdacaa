//! How COMMAND is started.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{Error, Result};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::Pid;

use crate::run::End;
use crate::signals::Signals;
use crate::surroundings::Ready;

/// What COMMAND is started with.
#[derive(Debug)]
pub(super) struct Start<'a> {
    /// Its name and its arguments.
    pub(super) command: &'a [OsString],
    pub(super) ready: &'a Ready,
    /// What it inherits, so that the lock is held as long as it runs.
    pub(super) lock: Option<BorrowedFd<'a>>,
    pub(super) stdin: Stdio,
    /// Where it prints, when that is not our own standard output and error.
    pub(super) output: Option<(OwnedFd, OwnedFd)>,
    /// On top of all other variables.
    pub(super) variables: Vec<(&'static str, String)>,
}

impl Start<'_> {
    /// Starts COMMAND, in the process group of runjob. Who calls this waits for it. Without success the end
    /// of the attempt is told, and why.
    ///
    /// # Errors
    /// When it is not COMMAND's fault that it does not run: status 125.
    pub(super) fn spawn(self, signals: &Signals) -> Result<std::result::Result<Pid, (End, Error)>> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Error::failed("there is no command"));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        self.ready.dress(&mut command)?;
        command.envs(self.variables).stdin(self.stdin);
        if let Some((stdout, stderr)) = self.output {
            command.stdout(stdout).stderr(stderr);
        }
        if let Some(lock) = self.lock {
            let inherit = fcntl_setfd(lock, FdFlags::empty());
            inherit.map_err(|errno| Error::failed("cannot hand the lock over").because(errno))?;
        }
        let started = signals.unblocked(|| self.ready.spawn(|| command.spawn()));
        if let Some(lock) = self.lock {
            // What is started later has no part in it.
            let _nothing_left_to_do = fcntl_setfd(lock, FdFlags::CLOEXEC);
        }
        match started?? {
            Ok(child) => Ok(Ok(Pid::from_child(&child))),
            Err(cause) => not_started(program, cause).map(Err),
        }
    }
}

/// 127 when it is not there, 126 when it cannot be run, as the shell has it.
fn not_started(program: &OsStr, cause: io::Error) -> Result<(End, Error)> {
    if program.is_empty() {
        let why = "the name of the command is empty; is a variable of the shell not set?";
        return Ok((End::NotStarted(127), Error::failed(why).with_status(127)));
    }
    let what = format!("cannot run {}", program.display());
    let errno = Errno::from_io_error(&cause);
    if matches!(errno, Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE)) {
        return Err(Error::failed(what).because(cause));
    }
    let status = if cause.kind() == ErrorKind::NotFound { 127 } else { 126 };
    let path = Path::new(program);
    let why = match errno {
        Some(Errno::NOENT) if path.is_absolute() && path.exists() => {
            Error::failed(format!("{what}: the interpreter that it names is not there"))
        }
        Some(Errno::NOEXEC) => {
            Error::failed(format!("{what}: it is neither a program nor begins with #!; run it as `sh FILE`"))
        }
        Some(Errno::NOENT) if program.as_encoded_bytes().contains(&b' ') => {
            Error::failed(format!("{what}: {cause}; it has blanks: take the quotes away"))
        }
        _ => Error::failed(what).because(cause),
    };
    Ok((End::NotStarted(status), why.with_status(status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_would_have_seen_is_told() {
        let check = |program: &str, want: &str| {
            let judged = not_started(OsStr::new(program), Errno::NOENT.into()).ok();
            let told = judged.map(|(end, why)| (end, why.to_string())).unwrap();
            assert_eq!(told, (End::NotStarted(127), want.to_owned()));
        };
        check("job", "cannot run job: No such file or directory (os error 2)");
        check(
            "job --now",
            "cannot run job --now: No such file or directory (os error 2); it has blanks: take the quotes away",
        );
        check("", "the name of the command is empty; is a variable of the shell not set?");
    }

    #[test]
    fn whose_fault_it_is_makes_the_status() {
        let check = |errno: Errno, want: Option<u8>| {
            let judged = not_started(OsStr::new("job"), errno.into());
            assert_eq!(judged.ok().map(|(end, _)| end), want.map(End::NotStarted), "{errno:?}");
        };
        check(Errno::NOENT, Some(127));
        check(Errno::ACCESS, Some(126));
        check(Errno::NOEXEC, Some(126));
        check(Errno::TOOBIG, Some(126));
        check(Errno::AGAIN, None);
        check(Errno::NOMEM, None);
        check(Errno::MFILE, None);
    }
}
