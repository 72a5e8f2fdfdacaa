//! A consumer that reads its credential from a file on this host.

use std::path::PathBuf;
use std::time::Duration;

use common::Result;
use common::answer::Answer;
use process::child::{Call, Ended, Status};

use super::{Config, Consumer, Format, Hold, Place, Statement, statement};
use crate::change;
use crate::credential::{Credential, Fields};

/// The consumer that `config` means.
#[expect(clippy::unnecessary_wraps, reason = "other kinds of consumers read inventories here")]
pub(crate) fn build(config: &Config, place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
    let Hold::File { path, format, mode, .. } = &config.hold else { return Ok(Vec::new()) };
    Ok(vec![Box::new(Local {
        name: config.name.clone(),
        path: path.clone(),
        format: format.clone(),
        mode: *mode,
        reload: config.reload.clone(),
        attest: config.attest.clone(),
        timeout: place.timeout,
    })])
}

/// A file, and the commands of who reads it.
struct Local {
    name: String,
    path: PathBuf,
    format: Format,
    /// Of a file that is not there yet.
    mode: u32,
    reload: Option<Vec<String>>,
    attest: Option<Vec<String>>,
    /// For the lock, and for each command.
    timeout: Duration,
}

impl Local {
    fn ran(&self, command: &[String]) -> Answer<Ended> {
        // It was not started, which may be for want of memory.
        Call::new(command, self.timeout).run().map_or_else(Answer::Unknown, Answer::Yes)
    }
}

impl Consumer for Local {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&mut self) -> Answer<Option<Fields>> {
        change::read(&self.path).and_then(|bytes| {
            let Some(bytes) = bytes else { return Answer::Yes(None) };
            let why = |why| Answer::No(format!("cannot read {}: {why}", self.path.display()));
            self.format.read(&bytes).map_or_else(why, Answer::Yes)
        })
    }

    fn write(&mut self, credential: &Credential) -> Answer {
        change::change(&self.path, (self.mode, self.timeout), |old| self.format.written(old, credential))
    }

    fn reload(&mut self) -> Answer {
        let Some(command) = &self.reload else { return Answer::Yes(()) };
        self.ran(command).and_then(|ended| ended.answer()).at("reload")
    }

    fn attest(&mut self) -> Answer<Option<Statement>> {
        let Some(command) = &self.attest else { return Answer::Yes(None) };
        let said = self.ran(command).and_then(|ended| {
            let status = match ended.status {
                Status::Exit(status) => Some(status),
                Status::Signal(_) | Status::Late => None,
            };
            statement::of(status, &ended.stdout, &ended.why())
        });
        said.map(Some).at("attest")
    }
}

#[cfg(test)]
mod tests;
