//! A consumer that a plug-in knows.

use common::Result;
use common::answer::Answer;
use process::child::Ended;

use super::{Config, Consumer, Hold, Place, Statement, statement};
use crate::credential::{Credential, Fields};
use crate::plugin::{About, Order, Plugin, Said};

/// The consumer that `config` means.
#[expect(clippy::unnecessary_wraps, reason = "other kinds of consumers read inventories here")]
pub(crate) fn build(config: &Config, place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
    let Hold::Exec { command, params } = &config.hold else { return Ok(Vec::new()) };
    let plugin = Plugin::new(command, place.name, place.timeout, params).of_consumer(&config.name);
    Ok(vec![Box::new(Exec { plugin })])
}

struct Exec {
    plugin: Plugin,
}

impl Exec {
    fn say(&self, verb: &'static str, key: About<'_>, takes_secret: bool) -> Said {
        self.plugin.ask(&Order { verb, key, takes_secret, ..Order::default() })
    }

    fn held(&self, ended: &Ended) -> Answer<Option<Fields>> {
        let Some(secret) = &ended.secret else { return Answer::Yes(None) };
        let others = if ended.stdout.trim_ascii().is_empty() {
            Answer::Yes(Fields::new())
        } else {
            self.plugin.object::<std::collections::BTreeMap<String, String>>("read", ended).map(|others| {
                others.into_iter().map(|(name, value)| (name, value.into())).collect::<Fields>()
            })
        };
        others.map(|mut fields| {
            fields.insert("secret".into(), secret.clone());
            Some(fields)
        })
    }
}

impl Consumer for Exec {
    fn name(&self) -> &str {
        self.plugin.consumer()
    }

    fn read(&mut self) -> Answer<Option<Fields>> {
        let said = self.say("read", About::Nothing, true);
        said.or(|| Answer::No(self.plugin.unsupported("read"))).and_then(|ended| self.held(&ended))
    }

    fn write(&mut self, credential: &Credential) -> Answer {
        let said = self.say("deploy", About::Whole(credential), false);
        said.or(|| Answer::No(self.plugin.unsupported("deploy"))).map(|_| ())
    }

    fn reload(&mut self) -> Answer {
        match self.say("reload", About::Nothing, false) {
            Said::Yes(_) | Said::Unsupported => Answer::Yes(()),
            Said::No(why) => Answer::No(why),
            Said::Unknown(why) => Answer::Unknown(why),
        }
    }

    fn attest(&mut self) -> Answer<Option<Statement>> {
        match self.say("attest", About::Nothing, false) {
            Said::Yes(ended) => statement::of(Some(0), &ended.stdout, "").map(Some),
            Said::Unsupported => Answer::Yes(None),
            Said::No(why) => Answer::No(why),
            Said::Unknown(why) => Answer::Unknown(why),
        }
    }
}

#[cfg(test)]
mod tests;
