//! What COMMAND finds when it begins: environment, secrets, folder, mask, niceness, limits.
//!
//! All of it is judged before anything runs, and no error shows a value.

pub(crate) mod creds;
mod limits;
mod variables;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{Error, OrCannot, Result};
use rustix::fs::Mode;
use rustix::process::{getpriority_process, setpriority_process, umask};

use crate::cli;
use creds::Creds;
use limits::Limits;
use variables::Variables;

/// What COMMAND is to find, ready for every attempt. Secrets that it was given are removed when this goes
/// out of scope.
#[derive(Debug)]
pub(crate) struct Ready {
    variables: Variables,
    creds: Creds,
    folder: Option<PathBuf>,
    umask: Option<u32>,
    nice: Option<i32>,
    limits: Limits,
}

impl Ready {
    /// What the flags say.
    ///
    /// # Errors
    /// When a file cannot be read or has a broken line, a variable that is required is missing, or a
    /// limit cannot be had: with status 125.
    pub(crate) fn judge(flags: &cli::Surroundings) -> Result<Self> {
        Self::of(flags).map_err(|error| error.with_status(125))
    }

    fn of(flags: &cli::Surroundings) -> Result<Self> {
        let variables = Variables::of(flags)?;
        let limits = Limits::of(&flags.rlimit)?;
        if let Some(folder) = &flags.chdir {
            let found = fs::metadata(folder).or_cannot("enter", folder)?;
            if !found.is_dir() {
                return Err(Error::failed(format!("cannot enter {}: it is no folder", folder.display())));
            }
        }
        Ok(Self {
            variables,
            creds: Creds::judge(&flags.cred)?,
            folder: flags.chdir.clone(),
            umask: flags.umask,
            nice: flags.nice,
            limits,
        })
    }

    /// Takes the secrets out of their files: as they are now, when COMMAND is about to be started.
    ///
    /// # Errors
    /// When one cannot be read: with status 125.
    pub(crate) fn fetch_secrets(&mut self) -> Result<()> {
        self.creds.fetch().map_err(|error| error.with_status(125))
    }

    /// Lays them where COMMAND finds them.
    ///
    /// # Errors
    /// When there is no folder in memory: with status 125.
    pub(crate) fn lay_out_secrets(&mut self) -> Result<()> {
        self.creds.lay_out().map_err(|error| error.with_status(125))
    }

    /// Gives `command` its environment, folder and secrets.
    ///
    /// # Errors
    /// When a secret cannot be handed over: with status 125.
    pub(crate) fn dress(&self, command: &mut Command) -> Result<()> {
        self.variables.dress(command);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        self.creds.dress(command).map_err(|error| error.with_status(125))
    }

    /// Calls `start`, which starts COMMAND, with the mask, the limits and the niceness that it inherits.
    /// Those of this process are afterwards what they were.
    ///
    /// # Errors
    /// When one of them cannot be had, with status 125; nothing was started then.
    pub(crate) fn spawn<T: Send>(&self, start: impl FnOnce() -> T + Send) -> Result<T> {
        let Some(nice) = self.nice else { return self.masked(start) };
        // Niceness belongs to a thread in Linux (sched(7)), and who may raise it may not lower it again.
        let run = || {
            let now = getpriority_process(None).map_err(std::io::Error::from);
            let set = now.and_then(|now| Ok(setpriority_process(None, (now + nice).clamp(-20, 19))?));
            set.map_err(|cause| Error::failed(format!("cannot add {nice} to the niceness")).because(cause))?;
            self.masked(start)
        };
        let done = std::thread::scope(|scope| {
            std::thread::Builder::new().spawn_scoped(scope, run).map(std::thread::ScopedJoinHandle::join)
        });
        match done {
            Ok(Ok(result)) => result.map_err(|error| error.with_status(125)),
            Ok(Err(_)) => Err(Error::failed("cannot start the command: a thread ended").with_status(125)),
            Err(cause) => Err(Error::failed("cannot start a thread").because(cause).with_status(125)),
        }
    }

    fn masked<T>(&self, start: impl FnOnce() -> T) -> Result<T> {
        let before = self.umask.map(|mask| umask(Mode::from_raw_mode(mask)));
        let started = self.limits.during(start);
        if let Some(before) = before {
            umask(before);
        }
        started.map_err(|error| error.with_status(125))
    }
}
