//! A target that a plug-in knows.

use std::collections::BTreeMap;

use common::Result;
use common::answer::Answer;
use process::child::Ended;
use secrecy::ExposeSecret;
use serde::Deserialize;
use specs::Table;

use super::{Context, Key, Maker, Place, Provider, Usage, random};
use crate::credential::{Credential, Fields};
use crate::plugin::{self, About, Order, Params, Plugin, Said};

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    command: Vec<String>,
    maker: Maker,
    params: Params,
}

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        table.must("command");
        let command = table.command("command");
        let maker = table.choice("makes", &["us", "target"]);
        let maker = if maker == Some(1) { Maker::Target } else { Maker::Ours };
        let params = plugin::params(&mut table);
        table.finish();
        Some(Self { command: command?, maker, params })
    }

    /// The target.
    #[expect(clippy::unnecessary_wraps, reason = "other kinds of targets read secrets here")]
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        let plugin = Plugin::new(&self.command, place.name, place.timeout, &self.params);
        Ok(Box::new(Exec { plugin, maker: self.maker }))
    }
}

struct Exec {
    plugin: Plugin,
    maker: Maker,
}

/// What `list` prints.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    enabled: bool,
    made: Option<i64>,
}

/// What `create` prints of a key that the target made.
#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(default)]
    public: BTreeMap<String, String>,
}

/// What `last-used` prints: one of them, or, where the target knows of no use, none.
#[derive(Deserialize)]
struct Used {
    now: Option<String>,
    at: Option<i64>,
    count: Option<u64>,
}

impl Exec {
    fn say(&self, verb: &'static str, key: About<'_>, context: &Context<'_>) -> Said {
        self.plugin.ask(&Order { verb, token: Some(context.token), key, ..Order::default() })
    }

    /// A verb that there is no doing without.
    fn must(&self, verb: &'static str, key: About<'_>, context: &Context<'_>) -> Answer<Ended> {
        self.say(verb, key, context).or(|| Answer::No(self.plugin.unsupported(verb)))
    }

    /// A key that the target makes and shows once.
    fn made(&self, context: &Context<'_>) -> Answer<Credential> {
        let order =
            Order { verb: "create", token: Some(context.token), takes_secret: true, ..Order::default() };
        let said = self.plugin.ask(&order).or(|| Answer::No(self.plugin.unsupported("create")));
        said.and_then(|ended| {
            let created = self.plugin.object::<Created>("create", &ended);
            created.and_then(|Created { id, public }| match ended.secret {
                Some(secret) => Answer::Yes(Credential { id, secret, public }),
                None => Answer::Unknown(format!("it made the key {id} and wrote no secret to descriptor 4")),
            })
        })
    }
}

impl Provider for Exec {
    fn maker(&self) -> Maker {
        self.maker
    }

    fn ready(&mut self, context: &Context<'_>) -> Answer {
        self.list(context).map(|_| ())
    }

    fn make(&mut self, old: Option<&Credential>) -> Answer<Credential> {
        let public = old.map(|old| old.public.clone()).unwrap_or_default();
        let mut new = Credential { id: String::new(), secret: random::password(), public };
        new.id = new.fingerprint();
        Answer::Yes(new)
    }

    fn list(&mut self, context: &Context<'_>) -> Answer<Vec<Key>> {
        let ended = self.must("list", About::Nothing, context);
        let keys = ended.and_then(|ended| self.plugin.object::<Keys>("list", &ended));
        let key = |listed: Listed| Key { id: listed.id, is_enabled: listed.enabled, made: listed.made };
        keys.map(|keys| keys.keys.into_iter().map(key).collect())
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        let Some(secret) = held.get("secret") else {
            return Answer::No("there is no secret in it".into());
        };
        let id = held.get("id").map(|id| id.expose_secret().to_owned());
        if id.is_none() && self.maker == Maker::Target {
            return Answer::No("there is no id in it; it is to hold {id} beside {secret}".into());
        }
        let is_public = |name: &&String| !["secret", "id", "fingerprint"].contains(&name.as_str());
        let public = held.iter().filter(|(name, _)| is_public(name));
        let public = public.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
        let mut credential = Credential { id: String::new(), secret: secret.clone(), public };
        credential.id = id.unwrap_or_else(|| credential.fingerprint());
        Answer::Yes(credential)
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        match (self.maker, context.new) {
            (Maker::Target, _) => self.made(context),
            (Maker::Ours, Some(new)) => self.must("create", About::Whole(new), context).map(|_| new.clone()),
            (Maker::Ours, None) => Answer::No("there is no new key yet".into()),
        }
    }

    fn check(&mut self, credential: &Credential, context: &Context<'_>) -> Answer {
        // A no would be a refusal by the target.
        let said = self.say("check", About::Whole(credential), context);
        said.or(|| Answer::Unknown(self.plugin.unsupported("check"))).map(|_| ())
    }

    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.must("disable", About::Whole(old), context).map(|_| ())
    }

    fn enable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.must("enable", About::Whole(old), context).map(|_| ())
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        self.must("delete", About::Id(id), context).map(|_| ())
    }

    fn usage(&mut self, credential: &Credential, context: &Context<'_>) -> Answer<Usage> {
        match self.say("last-used", About::Whole(credential), context) {
            Said::Unsupported => Answer::Yes(Usage::NotTold),
            Said::No(why) => Answer::No(why),
            Said::Unknown(why) => Answer::Unknown(why),
            Said::Yes(ended) => self.plugin.object::<Used>("last-used", &ended).map(Used::told),
        }
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        Answer::Yes(None)
    }
}

impl Used {
    fn told(self) -> Usage {
        let at = self.at.map(Usage::At);
        self.now.map(Usage::Now).or(at).or(self.count.map(Usage::Count)).unwrap_or(Usage::None)
    }
}

#[cfg(test)]
mod tests;
