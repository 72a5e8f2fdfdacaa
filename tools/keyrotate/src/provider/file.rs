//! `file`: a service that reads the secrets it accepts from a file.
//!
//! One in a line, in an array of a JSON document, or in two of its fields: the newer one and the one before
//! it. Several are accepted at once, so nobody is left without. What is somebody else's in the file keeps
//! its bytes. A secret is called by its digest: `printf %s SECRET | sha256sum`.
//!
//! `check` logs in at the service. Without it a secret counts as accepted when the file has it: that the
//! service reads its file is then believed, and not seen.
//!
//! Without `path` the secret is known to its consumers alone, such as a key that signs. Nobody can refuse
//! it: that it works is not proved, that a wrong one does not is not proved, and an old one that somebody
//! has kept is not found out. What remains is that every consumer attests the new one before the old one
//! is forgotten; and between the first and the last of them two keys are in use.

mod accepted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::Result;
use common::answer::Answer;
use process::child::Call;
use secrecy::ExposeSecret;
use specs::Table;
use zeroize::Zeroizing;

use self::accepted::{Form, Rank};
use super::{Context, Key, Maker, Place, Provider, Usage, random};
use crate::change;
use crate::credential::{Credential, Fields};

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Where the accepted secrets are, and how; none: nowhere.
    list: Option<(PathBuf, Form)>,
    /// Has the service read them again.
    reload: Option<Vec<String>>,
    /// Logs in with the secret on descriptor 3.
    check: Option<Vec<String>>,
}

impl Config {
    /// Reads `[provider]`; `None` only where a fault says why.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let (has_path, line, previous_at) = (table.has("path"), table.line(), table.line_of("previous"));
        let path = table.path("path");
        let (field, previous) = (place(&mut table, "field"), place(&mut table, "previous"));
        let (reload, check) = (table.command("reload"), table.command("check"));
        let says_more = field.is_some() || previous.is_some() || reload.is_some() || check.is_some();
        if !has_path && says_more {
            table.fault(line, "[provider] has no `path`, and so nothing that the other keys could be about");
        }
        let form = match (field, previous) {
            (None, None) => Form::Lines,
            (Some(field), None) => Form::Array(field),
            (Some(newer), Some(older)) if newer != older => Form::Pair { newer, older },
            _ => {
                table.fault(previous_at, "`provider.previous` is a second field, beside `provider.field`");
                return None;
            }
        };
        table.finish();
        (path.is_some() || !has_path).then(|| Self { list: path.map(|path| (path, form)), reload, check })
    }

    /// The target.
    ///
    /// # Errors
    /// None: nothing is read before it is asked.
    #[expect(clippy::unnecessary_wraps, reason = "other targets read a secret for their administration here")]
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        Ok(Box::new(Service { config: self.clone(), timeout: place.timeout }))
    }
}

/// The way to a field, as jsonset takes it.
fn place(table: &mut Table<'_>, key: &'static str) -> Option<json::Path> {
    let line = table.line_of(key);
    let text = table.text(key)?;
    let path = json::Path::parse(&text).map_err(|why| table.fault(line, why)).ok()?;
    if path.tokens().contains(&json::Token::End) {
        table.fault(line, format!("`{text}` is another place each time"));
        return None;
    }
    Some(path)
}

/// What accepts the secrets in a file, or nothing that could refuse one.
struct Service {
    config: Config,
    /// For the lock, and for each command.
    timeout: Duration,
}

/// The mode of a file that is not there: none, since its service would have to be able to read it.
const NEVER_MADE: u32 = 0;

impl Service {
    /// Changes the file under its lock, then has the service read it.
    fn change(
        &self,
        edit: impl FnOnce(&Form, &[u8]) -> std::result::Result<Zeroizing<Vec<u8>>, String>,
    ) -> Answer {
        let Some((path, form)) = &self.config.list else { return Answer::Yes(()) };
        let written = change::change(path, (NEVER_MADE, self.timeout), |old| {
            edit(form, old.ok_or("it is not there; its service has to own it")?)
        });
        written.and_then(|()| self.reload())
    }

    fn reload(&self) -> Answer {
        let Some(command) = &self.config.reload else { return Answer::Yes(()) };
        let ended = Call::new(command, self.timeout).run();
        // The file is written: a no would say that nothing was done.
        let answer = match ended.map(|ended| ended.answer()) {
            Ok(Answer::Yes(())) => Answer::Yes(()),
            Ok(Answer::No(why) | Answer::Unknown(why)) | Err(why) => Answer::Unknown(why),
        };
        answer.at("reload")
    }

    fn digests(&self) -> Answer<Option<(&Path, Vec<String>)>> {
        let Some((path, form)) = &self.config.list else { return Answer::Yes(None) };
        let cannot = |why: String| Answer::No(format!("cannot read {}: {why}", path.display()));
        change::read(path).and_then(|bytes| {
            let digests = bytes.ok_or_else(|| "it is not there".to_owned());
            let digests = digests.and_then(|bytes| form.digests(&bytes));
            digests.map_or_else(cannot, |digests| Answer::Yes(Some((path.as_path(), digests))))
        })
    }

    fn remove(&self, id: &str, context: &Context<'_>) -> Answer {
        // What was empty before us may be empty after us.
        let may_be_last = context.old.is_none();
        self.change(|form, bytes| form.without(bytes, id, may_be_last))
    }
}

impl Provider for Service {
    fn maker(&self) -> Maker {
        Maker::Ours
    }

    fn ready(&mut self, _context: &Context<'_>) -> Answer {
        let Some((path, form)) = &self.config.list else { return Answer::Yes(()) };
        // All that a change needs, and the bytes as they were.
        change::change(path, (NEVER_MADE, self.timeout), |old| {
            let old = old.ok_or("it is not there; its service has to own it")?;
            form.with(old, &random::password(), Rank::Newest)?;
            Ok(old.to_vec().into())
        })
    }

    fn make(&mut self, _old: Option<&Credential>) -> Answer<Credential> {
        Answer::Yes(credential(random::password()))
    }

    fn list(&mut self, _context: &Context<'_>) -> Answer<Vec<Key>> {
        let key = |id| Key { id, is_enabled: true, made: None };
        self.digests().map(|found| found.map_or_else(Vec::new, |(_, all)| all.into_iter().map(key).collect()))
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        let Some(secret) = held.get("secret") else {
            return Answer::No("there is no {secret} in what it holds".into());
        };
        let known = credential(secret.clone());
        let differs = |name: &str| {
            let (held, known) = (held.get(name), known.part(name));
            held.zip(known).is_some_and(|(held, known)| held.expose_secret() != known.expose_secret())
        };
        match ["id", "fingerprint"].into_iter().find(|name| differs(name)) {
            Some(name) => Answer::No(format!("its {{{name}}} is not that of its {{secret}}")),
            None => Answer::Yes(known),
        }
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        let Some(new) = context.new else { return Answer::No("there is no new secret".into()) };
        self.change(|form, bytes| form.with(bytes, &new.secret, Rank::Newest)).map(|()| new.clone())
    }

    fn check(&mut self, credential: &Credential, _context: &Context<'_>) -> Answer {
        if let Some(command) = &self.config.check {
            let call = Call { secret: Some(&credential.secret), ..Call::new(command, self.timeout) };
            return call.run().map_or_else(Answer::Unknown, |ended| ended.answer());
        }
        self.digests().and_then(|found| match found {
            Some((path, digests)) if !digests.contains(&credential.digest()) => {
                Answer::No(format!("{} does not have {}", path.display(), credential.fingerprint()))
            }
            _ => Answer::Yes(()),
        })
    }

    fn corrupted(&mut self, credential: &Credential) -> Option<Credential> {
        self.config.list.as_ref()?;
        Some(self::credential(random::altered(&credential.secret)))
    }

    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.remove(&old.digest(), context)
    }

    fn enable(&mut self, old: &Credential, _context: &Context<'_>) -> Answer {
        self.change(|form, bytes| form.with(bytes, &old.secret, Rank::Another))
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        self.remove(id, context)
    }

    fn usage(&mut self, _credential: &Credential, _context: &Context<'_>) -> Answer<Usage> {
        Answer::Yes(Usage::NotTold)
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        Answer::Yes(None)
    }
}

fn credential(secret: secrecy::SecretString) -> Credential {
    let mut credential = Credential { id: String::new(), secret, public: BTreeMap::new() };
    credential.id = credential.digest();
    credential
}

#[cfg(test)]
mod tests;
