//! A consumer that reads its credential from a file on another host.

use std::path::PathBuf;
use std::sync::Arc;

use ::remote::link::{Said, open_as_operator, run};
use ::remote::shell;
use ::remote::{Reach, Session, Target};
use common::Result;
use common::answer::Answer;

use super::{Config, Consumer, Format, Hold, Place, Statement, statement};
use crate::credential::{Credential, Fields};
use crate::ssh::file::Remote;
use crate::validate;

/// The status that says that there is a public key; no shell ends with it on its own account.
const BESIDE: i32 = 43;

/// The consumers that `config` means: one on each host.
pub(crate) fn build(config: &Config, place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
    let Hold::File { path, format, hosts, mode } = &config.hold else { return Ok(Vec::new()) };
    let targets = place.ssh.targets(hosts)?;
    ::remote::limits::make_room(place.jobs.min(targets.len()));
    let reach = ::remote::spec::Ssh::reach(place.timeout);
    let consumer = |target: Target| -> Box<dyn Consumer> {
        Box::new(Distant {
            name: format!("{}@{}", config.name, target.name),
            file: Remote::at(&path.to_string_lossy(), *mode),
            path: path.clone(),
            format: format.clone(),
            reload: config.reload.clone(),
            attest: config.attest.clone(),
            target,
            reach: Arc::clone(&reach),
            session: None,
        })
    };
    Ok(targets.into_iter().map(consumer).collect())
}

/// A file on a host, and the commands there of who reads it.
struct Distant {
    name: String,
    target: Target,
    reach: Arc<Reach>,
    path: PathBuf,
    file: Remote,
    format: Format,
    reload: Option<Vec<String>>,
    attest: Option<Vec<String>>,
    /// That of a write, for the reload behind it.
    session: Option<Session>,
}

impl Distant {
    fn open(&self) -> Answer<Session> {
        open_as_operator(&self.reach, &self.target)
    }

    fn ran(&self, mut session: Session, command: &[String]) -> Answer<Said> {
        run(&mut session, &self.reach, &format!("{} </dev/null", shell::line(command)), None)
    }
}

impl Consumer for Distant {
    fn name(&self) -> &str {
        &self.name
    }

    fn offers_its_own(&mut self) -> Answer {
        let public = validate::public_half(&self.path);
        // Of the name that programs are given, wherever a link with that name leads.
        let script = format!("([ ! -e {} ] || exit {BESIDE})", shell::quoted(&public.to_string_lossy()));
        let said = self.open().and_then(|mut session| run(&mut session, &self.reach, &script, None));
        said.and_then(|said| match said.status {
            0 => Answer::Yes(()),
            BESIDE => Answer::No(validate::in_the_way(&public)),
            _ => Answer::Unknown(said.why()),
        })
    }

    fn read(&mut self) -> Answer<Option<Fields>> {
        let read = self.open().and_then(|mut session| self.file.read(&mut session, &self.reach));
        read.and_then(|bytes| {
            let Some(bytes) = bytes else { return Answer::Yes(None) };
            let why = |why| Answer::No(format!("cannot read {}: {why}", self.path.display()));
            self.format.read(&bytes).map_or_else(why, Answer::Yes)
        })
    }

    fn write(&mut self, credential: &Credential) -> Answer {
        self.open().and_then(|mut session| {
            let written = self.file.edit(&mut session, &self.reach, |old| {
                let old = old.as_deref().map(Vec::as_slice);
                match self.format.written(old, credential) {
                    Ok(new) if old == Some(&new[..]) => Answer::Yes(None),
                    Ok(new) => Answer::Yes(Some(new)),
                    Err(why) => Answer::No(format!("cannot write {}: {why}", self.path.display())),
                }
            });
            self.session = written.is_yes().then_some(session);
            written
        })
    }

    fn reload(&mut self) -> Answer {
        let kept = self.session.take();
        let Some(command) = &self.reload else { return Answer::Yes(()) };
        let session = kept.map_or_else(|| self.open(), Answer::Yes);
        session.and_then(|session| self.ran(session, command)).and_then(|said| said.answer()).at("reload")
    }

    fn attest(&mut self) -> Answer<Option<Statement>> {
        let Some(command) = &self.attest else { return Answer::Yes(None) };
        let said = self
            .open()
            .and_then(|session| self.ran(session, command))
            .and_then(|said| statement::of(Some(said.status), &said.output, &said.why()));
        said.map(Some).at("attest")
    }
}

#[cfg(test)]
mod tests;
