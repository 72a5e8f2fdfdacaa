//! `ssh-ed25519`: the key of an account, in `authorized_keys` on all of its hosts.

mod authorized;
mod hosts;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::Result;
use common::answer::Answer;
use remote::keys::{self, Held};
use secrecy::{ExposeSecret, SecretString};
use secrets::conceal;
use specs::Table;

use super::{Context, Key, Maker, Place, Provider, Usage};
use crate::credential::{Credential, Fields};
use hosts::Account;
use work::Way;

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// The hosts of the account.
    hosts: Vec<String>,
    /// The account; without it the one that `[ssh]` or the SSH configuration says.
    user: Option<String>,
    /// The file, in the home folder of the account or absolute.
    file: String,
    /// Who changes it, with the operator's own keys; without it the account itself does, with the keys
    /// of the rotation.
    login: Option<String>,
    /// The log of sshd on the hosts.
    auth_log: Option<String>,
}

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        table.must("hosts");
        let hosts = table.hosts("hosts");
        let config = Self {
            user: table.text("user"),
            file: table.text("file").unwrap_or_else(|| ".ssh/authorized_keys".into()),
            login: table.text("login"),
            auth_log: table.path("auth_log").map(|path| path.to_string_lossy().into_owned()),
            hosts: hosts.unwrap_or_default(),
        };
        table.finish();
        (!config.hosts.is_empty()).then_some(config)
    }

    /// Whether the use of a key can be known.
    pub(crate) fn tells_use(&self) -> bool {
        self.auth_log.is_some()
    }

    /// The target.
    ///
    /// # Errors
    /// When an inventory cannot be read, or a name means no host.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        let targets = place.ssh.targets(&self.hosts)?;
        remote::limits::make_room(place.jobs.min(targets.len()));
        let account = Account::new(self, targets, place);
        Ok(Box::new(Ssh { account, name: place.name.to_owned() }))
    }
}

/// The account on its hosts.
struct Ssh {
    account: Account,
    /// The name of the credential, for the comments of new keys.
    name: String,
}

impl Provider for Ssh {
    fn maker(&self) -> Maker {
        Maker::Ours
    }

    fn ready(&mut self, context: &Context<'_>) -> Answer {
        let (old, way) = (context.old.map(|old| old.id.clone()), self.way(context));
        let answers = way.and_then(|way| {
            Answer::Yes(self.account.each(context.skipped, move |host| {
                way.session(host).and_then(|mut session| work::is_ready(host, &mut session, old.as_deref()))
            }))
        });
        answers.and_then(all)
    }

    fn make(&mut self, _old: Option<&Credential>) -> Answer<Credential> {
        made(&format!("{}-{}", self.name, chrono::Utc::now().format("%Y-%m-%d")))
    }

    fn list(&mut self, context: &Context<'_>) -> Answer<Vec<Key>> {
        let listed = self.way(context).and_then(|way| {
            Answer::Yes(self.account.each(context.skipped, move |host| {
                way.session(host).and_then(|mut session| work::list(host, &mut session))
            }))
        });
        let mut found: BTreeMap<String, bool> = BTreeMap::new();
        let listed = listed.and_then(|answers| {
            all(answers.into_iter().map(|(name, answer)| {
                let add = |keys: Vec<authorized::Listed>| {
                    for key in keys {
                        *found.entry(key.id).or_default() |= key.is_enabled;
                    }
                };
                (name, answer.map(add))
            }))
        });
        let key = |(id, is_enabled)| Key { id, is_enabled, made: None };
        listed.map(|()| found.into_iter().map(key).collect())
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        match held.get("secret") {
            Some(secret) => credential(secret, None),
            None => {
                Answer::No("it holds no private key: a consumer of this credential holds {secret}".into())
            }
        }
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        let Some(new) = context.new else { return Answer::No("there is no new key to add".into()) };
        let old = context.old.map(|old| old.id.clone());
        let (id, line) = (new.id.clone(), new.public.get("public").cloned().unwrap_or_default());
        let done = self.way(context).and_then(|way| {
            all(self.account.each(context.skipped, move |host| {
                let (old, new) = (old.as_deref(), (id.as_str(), line.as_str()));
                way.session(host).and_then(|mut session| work::add(host, &mut session, new, old))
            }))
        });
        done.map(|()| new.clone())
    }

    fn check(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        held(credential).and_then(|key| {
            all(self.account.each(context.skipped, move |host| work::log_in(host, &key).map(drop)))
        })
    }

    fn refuses(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        let accepts = format!("it accepts {}", credential.id);
        held(credential).and_then(|key| {
            let answers = self.account.each(context.skipped, move |host| work::lets_in(host, &key));
            all(answers.into_iter().map(|(name, answer)| {
                let refuses = |is_in| if is_in { Answer::No(accepts.clone()) } else { Answer::Yes(()) };
                (name, answer.and_then(refuses))
            }))
        })
    }

    fn corrupted(&mut self, _credential: &Credential) -> Option<Credential> {
        // A damaged key would not be tried at all: it is another one, that no host has heard of.
        made("nobody").yes().cloned()
    }

    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.without(&old.id, context, work::disable)
    }

    fn enable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        let id = old.id.clone();
        self.way(context).and_then(|way| {
            all(self.account.each(context.skipped, move |host| {
                way.session(host).and_then(|mut session| work::enable(host, &mut session, &id))
            }))
        })
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        self.without(id, context, work::remove)
    }

    fn usage(&mut self, credential: &Credential, context: &Context<'_>) -> Answer<Usage> {
        if self.account.auth_log.is_none() {
            return Answer::Yes(Usage::NotTold);
        }
        let id = credential.id.clone();
        let counts = self.way(context).and_then(|way| {
            Answer::Yes(self.account.each(context.skipped, move |host| {
                way.session(host).and_then(|mut session| work::count(host, &mut session, &id))
            }))
        });
        let mut sum = 0_u64;
        let counted = counts.and_then(|answers| {
            all(answers
                .into_iter()
                .map(|(name, answer)| (name, answer.map(|count| sum = sum.saturating_add(count)))))
        });
        counted.map(|()| Usage::Count(sum))
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        // sshd tells of a key that it refused only at another level of its log.
        Answer::Yes(None)
    }

    fn sites(&self) -> Vec<String> {
        self.account.names()
    }
}

impl Ssh {
    /// How the file is reached.
    fn way(&self, context: &Context<'_>) -> Answer<Way> {
        if self.account.has_login {
            return Answer::Yes(Way::Operator);
        }
        let mut keys = Vec::new();
        for way in context.ways() {
            match held(way) {
                Answer::Yes(key) => keys.push(key),
                Answer::No(why) | Answer::Unknown(why) => return Answer::No(why),
            }
        }
        if keys.is_empty() {
            return Answer::No(
                "there is no key yet to log in with; `login` of the provider says who else can".into(),
            );
        }
        Answer::Yes(Way::Keys(keys))
    }

    /// Does `work`, after which the key `id` is of no more use, on each host where a log-in with the
    /// other key of the rotation has just worked, and nowhere else.
    fn without(
        &self,
        id: &str,
        context: &Context<'_>,
        work: fn(&hosts::Host, &mut remote::Session, &str) -> Answer,
    ) -> Answer {
        let other = context.ways().into_iter().find(|way| way.id != id);
        let other = match other.map(held) {
            Some(Answer::Yes(key)) => Some(key),
            Some(Answer::No(why) | Answer::Unknown(why)) => return Answer::No(why),
            None if self.account.has_login && context.old.is_none() => None,
            None => {
                return Answer::No("there is no other key that could be proved before this one goes".into());
            }
        };
        let id = id.to_owned();
        all(self.account.each(context.skipped, move |host| {
            let session = match &other {
                Some(key) => work::proved(host, key),
                None => Way::Operator.session(host),
            };
            session.and_then(|mut session| work(host, &mut session, &id))
        }))
    }
}

/// One answer of all hosts, in which each that is no yes has its name.
fn all(answers: impl IntoIterator<Item = (Arc<str>, Answer)>) -> Answer {
    Answer::all(answers.into_iter().map(|(name, answer)| answer.at(&name)))
}

/// A new key as a credential.
fn made(comment: &str) -> Answer<Credential> {
    match keys::ed25519(comment) {
        Ok(text) => credential(&SecretString::from(text.as_str()), Some(comment)),
        Err(error) => Answer::No(error.to_string()),
    }
}

/// The key in `secret`, its public half in the parts that are no secret.
fn credential(secret: &SecretString, comment: Option<&str>) -> Answer<Credential> {
    conceal::secret(secret);
    // The newline at the end of a file belongs to the file, as that behind any other secret.
    let secret = SecretString::from(secret.expose_secret().trim_end());
    opened("the private key", &secret).map(|key| {
        let public = [Some(key.public()), comment.map(str::to_owned)];
        let public = public.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let public = BTreeMap::from([("public".to_owned(), public)]);
        Credential { id: key.fingerprint(), secret, public }
    })
}

fn held(credential: &Credential) -> Answer<Held> {
    opened(&credential.id, &credential.secret)
}

fn opened(name: &str, secret: &SecretString) -> Answer<Held> {
    match Held::open(name, secret.expose_secret().as_bytes()) {
        Ok(key) => Answer::Yes(key),
        Err(error) => Answer::No(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
