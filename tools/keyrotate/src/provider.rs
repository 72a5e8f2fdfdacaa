//! Targets: who accepts a credential, and how they are told of a new one.

mod aws;
mod exec;
mod file;
mod postgres;
pub(crate) mod random;
mod redis;
mod ssh;
mod wire;

use std::collections::BTreeSet;
use std::time::Duration;

use common::Result;
use common::answer::Answer;
use specs::{Shape, Table};

use crate::credential::{Credential, Fields};

/// Who makes a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    /// We do: it is durable in the journal before the target sees it.
    Ours,
    /// The target does, and shows it once: what is lost on the way is found by its id and deleted.
    Target,
}

/// A credential as the target lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// How the target calls it: [`Credential::id`].
    pub(crate) id: String,
    /// Whether the target accepts it now.
    pub(crate) is_enabled: bool,
    /// When it was made, in seconds since 1970, where the target knows.
    pub(crate) made: Option<i64>,
}

/// What the target knows of the use of a credential. Our own log-ins may be among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usage {
    /// The target does not say.
    NotTold,
    /// Never, or not now, and the target would know.
    None,
    /// It is in use now: how, for people (`3 sessions`).
    Now(String),
    /// It was used last at this time, in seconds since 1970.
    At(i64),
    /// A number that grows with each use.
    Count(u64),
}

/// What a target must know of the rotation it is part of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    /// A word of the rotation, the same however often a step is repeated.
    pub(crate) token: &'a str,
    /// The credential before the rotation; none when this is the first one.
    pub(crate) old: Option<&'a Credential>,
    /// The credential after it, from the moment that it is known.
    pub(crate) new: Option<&'a Credential>,
    /// Whether the new one is proved and to be preferred by a target that is administered with the
    /// credential itself.
    pub(crate) prefers_new: bool,
    /// The sites that the operator has given up.
    pub(crate) skipped: &'a BTreeSet<String>,
}

impl<'a> Context<'a> {
    /// What a target that is administered with the credential itself is to log in with, the better first.
    pub(crate) fn ways(&self) -> Vec<&'a Credential> {
        let mut ways: Vec<_> = self.old.into_iter().chain(self.new).collect();
        if self.prefers_new {
            ways.reverse();
        }
        ways
    }
}

/// A target. Every effect is idempotent: done again, it is a yes and changes nothing. A yes means
/// durable there: a crash of the target does not undo it. No text in an answer holds a secret.
/// No call takes longer than the spec's `timeout` for each request it makes.
pub(crate) trait Provider {
    /// Who makes its secrets.
    fn maker(&self) -> Maker;

    /// What a human should know before a rotation, of the target and its limits; asked once, before
    /// anything is touched, with all that `list` would say. A no ends the run before any effect
    /// (status 11): the limit of keys is reached, the way in does not work, users are not persistent.
    fn ready(&mut self, context: &Context<'_>) -> Answer;

    /// A new credential, not yet known to the target. Only for [`Maker::Ours`].
    fn make(&mut self, old: Option<&Credential>) -> Answer<Credential>;

    /// All credentials that the target has for this principal, enabled or not.
    fn list(&mut self, context: &Context<'_>) -> Answer<Vec<Key>>;

    /// The credential that a consumer holds, by what was read there; a no says what is missing.
    fn recognise(&self, held: &Fields) -> Answer<Credential>;

    /// Makes the target accept a new credential beside the old one, durably: [`Context::new`] with
    /// [`Maker::Ours`]; with [`Maker::Target`] one that the target makes, which is returned.
    fn create(&mut self, context: &Context<'_>) -> Answer<Credential>;

    /// Logs in once with `credential`, on a connection of its own, as the right identity. A no is a
    /// refusal by the target itself.
    fn check(&mut self, credential: &Credential, context: &Context<'_>) -> Answer;

    /// Whether the target refuses `credential`, by one log-in. A no: some place of it accepts it. Where a
    /// target consists of several places, this is another question than [`Provider::check`]: one place
    /// that refuses is a no to both.
    fn refuses(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        match self.check(credential, context) {
            Answer::Yes(()) => Answer::No(format!("the target accepts {}", credential.id)),
            Answer::No(_) => Answer::Yes(()),
            Answer::Unknown(why) => Answer::Unknown(why),
        }
    }

    /// A credential like `credential` that the target must refuse; the form of its secret is kept. None
    /// where there is no target to refuse anything.
    fn corrupted(&mut self, credential: &Credential) -> Option<Credential> {
        Some(Credential { secret: random::altered(&credential.secret), ..credential.clone() })
    }

    /// Has the target refuse `old`, and end its sessions; `enable` undoes it.
    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer;

    /// Has the target accept `old` again, durably.
    fn enable(&mut self, old: &Credential, context: &Context<'_>) -> Answer;

    /// Removes the credential `id` from the target for good; that it is gone already is a yes.
    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer;

    /// What the target knows of the use of `credential`.
    fn usage(&mut self, credential: &Credential, context: &Context<'_>) -> Answer<Usage>;

    /// How many log-ins with a refused credential the target has counted for this principal, where it
    /// counts them: asked before and after the old one was disabled.
    fn refusals(&mut self, context: &Context<'_>) -> Answer<Option<u64>>;

    /// The names of the places that the target consists of, when there are several.
    fn sites(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What the spec says of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Config {
    /// Keys of an account on hosts.
    Ssh(ssh::Config),
    /// A user of Redis.
    Redis(redis::Config),
    /// Two roles of PostgreSQL.
    Postgres(postgres::Config),
    /// Access keys of a user of AWS.
    Aws(aws::Config),
    /// A service that reads what it accepts from a file.
    File(file::Config),
    /// A plug-in.
    Exec(exec::Config),
}

/// What is to be the same in a target of any kind that has it.
const WHATEVER_THE_KIND: [(&str, Shape); 10] = [
    ("user", Shape::Text),
    ("hosts", Shape::Hosts),
    ("address", Shape::Texts),
    ("path", Shape::Path),
    ("auth_log", Shape::Path),
    ("admin", Shape::Text),
    ("admin_password", Shape::Source),
    ("tls", Shape::Flag),
    ("reload", Shape::Texts),
    ("command", Shape::Texts),
];

/// What a target must know of the spec around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The name of the credential.
    pub(crate) name: &'a str,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// How many hosts are spoken to at once.
    pub(crate) jobs: usize,
    /// How hosts are reached.
    pub(crate) ssh: &'a remote::spec::Ssh,
}

impl Config {
    /// Reads `[provider]`; `None` only where a fault says why.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let kinds = ["ssh-ed25519", "redis-acl", "postgres", "aws-iam", "file", "exec"];
        table.must("kind");
        let Some(kind) = table.choice("kind", &kinds) else {
            table.judge(&WHATEVER_THE_KIND);
            return None;
        };
        match kind {
            0 => ssh::Config::read(table).map(Self::Ssh),
            1 => redis::Config::read(table).map(Self::Redis),
            2 => postgres::Config::read(table).map(Self::Postgres),
            3 => aws::Config::read(table).map(Self::Aws),
            4 => file::Config::read(table).map(Self::File),
            _ => exec::Config::read(table).map(Self::Exec),
        }
    }

    /// The target. Nothing is asked of it yet.
    ///
    /// # Errors
    /// When a secret for its administration, or an inventory, cannot be read.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        match self {
            Self::Ssh(config) => config.build(place),
            Self::Redis(config) => config.build(place),
            Self::Postgres(config) => config.build(place),
            Self::Aws(config) => config.build(place),
            Self::File(config) => config.build(place),
            Self::Exec(config) => config.build(place),
        }
    }
}
