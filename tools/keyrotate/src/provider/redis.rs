//! `redis-acl`: a user of Redis, who may have several passwords at once.
//!
//! Redis does not replicate its users: each server is told, and a yes is that of all of them. Passwords are
//! handed over as digests only. Sessions outlive the password that they began with; `disable` ends all that
//! the user has at that moment, also those with the new password, since Redis does not tell them apart:
//! clients connect again, with what they hold. They are not ended twice unless the step is repeated.
//!
//! The administrator needs `+acl|getuser +acl|setuser +acl|save +config|get +client|kill +acl|log`, and
//! without an ACL file `+config|rewrite +info` instead of `+acl|save`. Both ways of saving keep all users
//! as they are in memory at that moment: changes that somebody else has not saved are saved with ours, and
//! those that he has made in the file and not loaded are lost.

mod acl;
mod node;
mod reply;

use std::collections::{BTreeMap, BTreeSet};

use common::Result;
use common::answer::Answer;
use secrecy::{ExposeSecret, SecretString};
use secrets::Source;
use secrets::conceal;
use secrets::hex;
use sha2::{Digest, Sha256};
use specs::Table;

use self::acl::{User, short};
use self::node::{Node, Session};
use super::wire::{self, Address, Fault, Tls, Told, Trust};
use super::{Context, Key, Maker, Place, Provider, Usage, random};
use crate::credential::{Credential, Fields};

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    address: Vec<Address>,
    user: String,
    admin: String,
    /// Without one the administrator is the user itself, or has no password.
    admin_password: Option<Source>,
    tls: Option<Tls>,
}

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let address = Address::read(&mut table);
        let user = table.needed("user");
        let admin = table.text("admin").unwrap_or_else(|| "default".to_owned());
        let line = table.line_of("admin_password");
        let admin_password = table.source("admin_password");
        if admin == user && admin_password.is_some() {
            let own =
                "`provider.admin_password`: the user that is rotated is its own administrator; leave it out";
            table.fault(line, own);
        }
        let is_tls = table.flag("tls").unwrap_or(false);
        if is_tls && address.iter().any(|address| address.host().is_none()) {
            table.fault(table.line(), "`provider.tls`: a socket of this host speaks no TLS");
        }
        let tls = Tls::read(&mut table, is_tls.then_some(Trust::Verified));
        table.finish();
        (!address.is_empty()).then_some(Self { address, user, admin, admin_password, tls })
    }

    /// The target.
    ///
    /// # Errors
    /// When the password of the administrator, or a file for TLS, cannot be read.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        let tls = self.tls.as_ref().map(Tls::connector).transpose()?;
        let timeout = place.timeout;
        let node = |address: &Address| Node { address: address.clone(), tls: tls.clone(), timeout };
        Ok(Box::new(Redis {
            nodes: self.address.iter().map(node).collect(),
            jobs: place.jobs.max(1),
            user: self.user.clone(),
            admin: self.admin.clone(),
            admin_password: self.admin_password.as_ref().map(Source::read).transpose()?,
        }))
    }
}

/// The servers, and the user.
struct Redis {
    nodes: Vec<Node>,
    jobs: usize,
    user: String,
    admin: String,
    admin_password: Option<SecretString>,
}

/// What comes of `ask` at each of `nodes`, so many of them at once.
fn at_once<T: Send>(nodes: &[&Node], jobs: usize, ask: &(impl Fn(&Node) -> Told<T> + Sync)) -> Vec<Told<T>> {
    let mut told = Vec::with_capacity(nodes.len());
    for some in nodes.chunks(jobs) {
        std::thread::scope(|scope| {
            let threads: Vec<_> = some.iter().map(|node| scope.spawn(|| ask(node))).collect();
            told.extend(threads.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(Fault::Unknown("the thread has ended".into())))
            }));
        });
    }
    told
}

impl Redis {
    /// What comes of `ask` at every server that was not given up, many at once, with the name of each.
    fn everywhere<T: Send>(
        &self,
        skipped: &BTreeSet<String>,
        ask: impl Fn(&Node) -> Told<T> + Sync,
    ) -> Answer<Vec<T>> {
        let nodes = self.nodes.iter().filter(|node| !skipped.contains(&node.address.to_string()));
        let nodes: Vec<&Node> = nodes.collect();
        let told: Vec<Told<T>> = if nodes.len() == 1 || self.jobs == 1 {
            nodes.iter().map(|node| ask(node)).collect()
        } else {
            at_once(&nodes, self.jobs, &ask)
        };
        if told.is_empty() {
            return Answer::No("every server was given up".into());
        }
        let (mut values, mut answers) = (Vec::new(), Vec::new());
        for (node, told) in nodes.iter().zip(told) {
            let answer = wire::answer(told).at(&node.address.to_string());
            answers.push(answer.map(|value| values.push(value)));
        }
        Answer::all(answers).map(|()| values)
    }

    /// The same with a session of the administrator.
    fn administer<T: Send>(
        &self,
        context: &Context<'_>,
        ask: impl Fn(&mut Session) -> Told<T> + Sync,
    ) -> Answer<Vec<T>> {
        let ways: Vec<SecretString> = match &self.admin_password {
            Some(password) => vec![password.clone()],
            None if self.admin == self.user => context.ways().iter().map(|way| way.secret.clone()).collect(),
            None => Vec::new(),
        };
        self.everywhere(context.skipped, |node| {
            let mut session = self.admitted(node, &ways)?;
            ask(&mut session)
        })
    }

    /// A session of the administrator, by the first of `ways` that is good.
    fn admitted(&self, node: &Node, ways: &[SecretString]) -> Told<Session> {
        let mut session = node.connect()?;
        let mut refused = None;
        for way in ways {
            match session.log_in(&self.admin, way) {
                Ok(()) => return Ok(session),
                Err(fault @ Fault::Unknown(_)) => return Err(fault),
                Err(fault) => refused = refused.or(Some(fault)),
            }
        }
        refused.map_or(Ok(session), Err)
    }

    /// What the user is; a no when there is none.
    fn user(&self, session: &mut Session) -> Told<User> {
        let none = || Fault::No(format!("there is no user {}", self.user));
        User::get(session, &self.user)?.ok_or_else(none)
    }

    /// Whether the server can rotate the user's passwords, and we may.
    fn is_ready(&self, session: &mut Session) -> Told {
        let user = self.user(session)?;
        let name = &self.user;
        if user.is_open {
            let way_out = format!("ACL SETUSER {name} resetpass and a password to end that");
            return Err(Fault::No(format!("{name} needs no password at all (nopass); {way_out}")));
        }
        if !user.is_on {
            return Err(Fault::No(format!("{name} is off and cannot log in; ACL SETUSER {name} on")));
        }
        acl::is_durable(session)?;
        acl::may_change(session, name)
    }

    fn credential(&self, secret: SecretString) -> Credential {
        let id = hex(&Sha256::digest(secret.expose_secret().as_bytes()));
        let public = BTreeMap::from([("user".to_owned(), self.user.clone())]);
        Credential { id, secret, public }
    }

    fn log_in(&self, node: &Node, credential: &Credential) -> Told {
        let mut session = node.connect()?;
        session.log_in(&self.user, &credential.secret)?;
        let words = ["ACL", "WHOAMI"];
        match session.try_ask(&words)? {
            reply if reply.text().as_deref() == Some(&self.user) => Ok(()),
            // The log-in was good, and named the user; many users may not ask who they are.
            reply::Reply::Error(error) if error.starts_with("NOPERM") => Ok(()),
            reply::Reply::Error(error) => match node::refusal(&words, &error) {
                Fault::No(why) | Fault::Unknown(why) => Err(Fault::Unknown(why)),
            },
            reply => {
                let other = conceal::quoted(reply.text().unwrap_or_default().as_bytes());
                Err(Fault::No(format!("the log-in is one of `{other}`, not of {}", self.user)))
            }
        }
    }
}

impl Provider for Redis {
    fn maker(&self) -> Maker {
        Maker::Ours
    }

    fn ready(&mut self, context: &Context<'_>) -> Answer {
        self.administer(context, |session| self.is_ready(session)).map(drop)
    }

    fn make(&mut self, _old: Option<&Credential>) -> Answer<Credential> {
        Answer::Yes(self.credential(random::password()))
    }

    fn list(&mut self, context: &Context<'_>) -> Answer<Vec<Key>> {
        let users = self.administer(context, |session| self.user(session));
        users.map(|users| {
            let digests: BTreeSet<&String> = users.iter().flat_map(|user| &user.digests).collect();
            let is_everywhere =
                |digest: &String| users.iter().all(|user| user.is_on && user.digests.contains(digest));
            let key =
                |digest: &String| Key { id: digest.clone(), is_enabled: is_everywhere(digest), made: None };
            digests.into_iter().map(key).collect()
        })
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        let Some(secret) = held.get("secret") else {
            return Answer::No("there is no {secret} in what it holds".into());
        };
        match held.get("user") {
            Some(user) if user.expose_secret() != self.user => {
                Answer::No(format!("it holds another user than {}", self.user))
            }
            _ => Answer::Yes(self.credential(secret.clone())),
        }
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        let Some(new) = context.new else { return Answer::No("there is no new password".into()) };
        let done = self.administer(context, |session| {
            // ACL SETUSER would make a user that is not there, without any rights.
            self.user(session)?;
            acl::add(session, &self.user, &new.id)?;
            acl::save(session)
        });
        done.map(|_| new.clone())
    }

    fn check(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        let told = self.everywhere(context.skipped, |node| self.log_in(node, credential));
        told.map(drop)
    }

    fn refuses(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        let told = self.everywhere(context.skipped, |node| match self.log_in(node, credential) {
            Ok(()) => Err(Fault::No(format!("it accepts the password {}", short(&credential.id)))),
            Err(Fault::No(_)) => Ok(()),
            Err(unknown) => Err(unknown),
        });
        told.map(drop)
    }

    fn corrupted(&mut self, credential: &Credential) -> Option<Credential> {
        Some(self.credential(random::altered(&credential.secret)))
    }

    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        let done = self.administer(context, |session| {
            self.user(session)?;
            acl::remove(session, &self.user, &old.id)?;
            // At once, as long as nobody can have come in with the new password since.
            acl::end_sessions(session, &self.user)?;
            acl::save(session)
        });
        done.map(drop)
    }

    fn enable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        let done = self.administer(context, |session| {
            self.user(session)?;
            acl::add(session, &self.user, &old.id)?;
            acl::save(session)
        });
        done.map(drop)
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        if id.len() != 64 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Answer::No(format!("{} is not the digest of a password", short(id)));
        }
        let done = self.administer(context, |session| {
            if User::get(session, &self.user)?.is_some() {
                acl::remove(session, &self.user, id)?;
            }
            acl::save(session)
        });
        done.map(drop)
    }

    fn usage(&mut self, _credential: &Credential, _context: &Context<'_>) -> Answer<Usage> {
        Answer::Yes(Usage::NotTold)
    }

    fn refusals(&mut self, context: &Context<'_>) -> Answer<Option<u64>> {
        let counts = self.administer(context, |session| acl::refusals(session, &self.user));
        counts.map(|counts| counts.into_iter().sum())
    }

    fn sites(&self) -> Vec<String> {
        if self.nodes.len() < 2 {
            return Vec::new();
        }
        self.nodes.iter().map(|node| node.address.to_string()).collect()
    }
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;
