//! Access keys of a user of AWS, over the query API and without an SDK.
//!
//! A user has two keys at most, AWS makes their secrets and shows them once, and what is new or changed
//! takes some seconds to be known everywhere: a key that was just made is refused for a while, which is a
//! no that the caller asks about again.

mod api;
mod keys;
mod sign;

use common::answer::Answer;
use common::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use secrets::Source;
use secrets::conceal;
use specs::Table;

use super::{Context, Key, Maker, Place, Provider, Usage};
use crate::credential::{Credential, Fields};
use api::{Refusal, Reply, Service, Text};

/// What tells how a key was used last.
const LAST_USED: &str = "GetAccessKeyLastUsed";

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    user: String,
    endpoint: String,
    sts_endpoint: String,
    region: String,
    /// The id of the key that administers the user's, and its secret; none: the user's own do.
    admin: Option<(String, Source)>,
}

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let user = table.needed("user");
        let iam = url(&mut table, "endpoint");
        let sts = url(&mut table, "sts_endpoint");
        let region = table.text("region").unwrap_or_else(|| "us-east-1".into());
        let admin_at = table.line_of("admin_id").max(table.line_of("admin_secret"));
        let admin = match (table.text("admin_id"), table.source("admin_secret")) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) => None,
            _ => {
                table.fault(admin_at, "`admin_id` and `admin_secret` belong together");
                None
            }
        };
        table.finish();
        // A stand-in for AWS answers for both.
        let sts_endpoint = sts.or_else(|| iam.clone()).unwrap_or_else(|| "https://sts.amazonaws.com".into());
        let endpoint = iam.unwrap_or_else(|| "https://iam.amazonaws.com".into());
        (!user.is_empty()).then_some(Self { user, endpoint, sts_endpoint, region, admin })
    }

    /// The target.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        let admin = self.admin.as_ref().map(|(id, source)| {
            let secret = source.read()?;
            Ok::<_, Error>(Credential { id: id.clone(), secret, public: [].into() })
        });
        Ok(Box::new(Aws {
            user: self.user.clone(),
            iam: Service::iam(&self.endpoint, &self.region, place.timeout)?,
            sts: Service::sts(&self.sts_endpoint, &self.region, place.timeout)?,
            admin: admin.transpose()?,
        }))
    }
}

fn url(table: &mut Table<'_>, key: &'static str) -> Option<String> {
    let line = table.line_of(key);
    let url = table.text(key)?;
    if let Some(why) = api::fault(&url) {
        table.fault(line, format!("`{}`: {url} {why}", table.path_of(key)));
    }
    Some(url)
}

struct Aws {
    user: String,
    iam: Service,
    sts: Service,
    admin: Option<Credential>,
}

/// Whether the key itself was refused, and not what was asked for.
fn is_of_the_key(code: &str) -> bool {
    let codes = [
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "AuthFailure",
        "ExpiredToken",
        "InvalidSecurity",
        "IncompleteSignature",
        "MissingAuthenticationToken",
    ];
    codes.contains(&code)
}

fn is_refused(code: &str) -> bool {
    is_of_the_key(code) || ["AccessDenied", "AccessDeniedException", "OptInRequired"].contains(&code)
}

impl Aws {
    /// Asks IAM as the administrator, or as the holder of the keys themselves: by the better one first,
    /// and by the other when that one is refused.
    fn ask(&self, action: &str, parameters: &[(&str, &str)], context: &Context<'_>) -> Reply {
        // It wants the id alone: it works for the keys of all users.
        let user = (action != LAST_USED).then_some(("UserName", self.user.as_str()));
        let parameters: Vec<_> = user.into_iter().chain(parameters.iter().copied()).collect();
        if let Some(admin) = &self.admin {
            return self.iam.ask(action, &parameters, admin);
        }
        let mut refused: Vec<Refusal> = Vec::new();
        for key in context.ways() {
            match self.iam.ask(action, &parameters, key) {
                Reply::Refused(refusal) if is_refused(&refusal.code) => {
                    let why = format!("{} (by {})", refusal.why, key.id);
                    refused.push(Refusal { why, ..refusal });
                }
                other => return other,
            }
        }
        let why = refused.iter().map(|refusal| refusal.why.as_str()).collect::<Vec<_>>().join("; ");
        match refused.pop() {
            // A key that was made or enabled a moment ago is not known everywhere yet.
            Some(Refusal { code, .. }) if is_of_the_key(&code) => Reply::Unknown(why),
            Some(Refusal { code, .. }) => Reply::Refused(Refusal { code, why }),
            None => {
                let why = "there is no key to ask with; give `admin_id` and `admin_secret`".to_owned();
                Reply::Refused(Refusal { code: String::new(), why })
            }
        }
    }

    /// The same, where an answer to it says nothing but that it was done.
    fn tell(&self, action: &str, parameters: &[(&str, &str)], context: &Context<'_>) -> Answer {
        answer(self.ask(action, parameters, context)).map(|_done| ())
    }

    fn set(&self, key: &Credential, status: &str, context: &Context<'_>) -> Answer {
        self.tell("UpdateAccessKey", &[("AccessKeyId", &key.id), ("Status", status)], context)
    }

    /// How the key `id` was used last, for people.
    fn last_use(&self, id: &str, context: &Context<'_>) -> String {
        match self.ask(LAST_USED, &[("AccessKeyId", id)], context) {
            Reply::Done(text) => match text.one("LastUsedDate") {
                Some(date) => format!("last used {date}"),
                None => "never used".into(),
            },
            _ => "its last use is not known".into(),
        }
    }

    /// Whether a third key would be asked for.
    fn has_room(&self, keys: &[Key], context: &Context<'_>) -> Answer {
        if keys.len() < keys::MOST {
            return Answer::Yes(());
        }
        let told = |key: &Key| {
            let status = if key.is_enabled { "Active" } else { "Inactive" };
            let made = key.made.and_then(keys::date).unwrap_or_else(|| "some day".into());
            format!("{} ({status}, made {made}, {})", key.id, self.last_use(&key.id, context))
        };
        let told = keys.iter().map(told).collect::<Vec<_>>().join(" and ");
        Answer::No(format!(
            "the user {user} has {told}, and AWS allows no third key; delete the one that nobody uses: \
             aws iam delete-access-key --user-name {user} --access-key-id ID",
            user = self.user
        ))
    }
}

/// An answer in which a refusal is a no.
fn answer(reply: Reply) -> Answer<Text> {
    match reply {
        Reply::Done(text) => Answer::Yes(text),
        Reply::Refused(refusal) => Answer::No(refusal.why),
        Reply::Unknown(why) => Answer::Unknown(why),
    }
}

impl Provider for Aws {
    fn maker(&self) -> Maker {
        Maker::Target
    }

    fn ready(&mut self, context: &Context<'_>) -> Answer {
        self.list(context).and_then(|keys| self.has_room(&keys, context))
    }

    fn make(&mut self, _old: Option<&Credential>) -> Answer<Credential> {
        Answer::No("AWS makes the secrets of access keys".into())
    }

    fn list(&mut self, context: &Context<'_>) -> Answer<Vec<Key>> {
        answer(self.ask("ListAccessKeys", &[], context)).and_then(|text| keys::listed(&text))
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        match (held.get("id"), held.get("secret")) {
            (Some(id), Some(secret)) => {
                let id = id.expose_secret().to_owned();
                Answer::Yes(Credential { id, secret: secret.clone(), public: [].into() })
            }
            _ => Answer::No("an access key has two parts; it is to hold {id} beside {secret}".into()),
        }
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        answer(self.ask("CreateAccessKey", &[], context)).and_then(|text| {
            let secret = text.one("SecretAccessKey").map(SecretString::from);
            secret.iter().for_each(conceal::secret);
            match (text.one("AccessKeyId"), secret) {
                (Some(id), Some(secret)) => Answer::Yes(Credential { id, secret, public: [].into() }),
                _ => Answer::Unknown("CreateAccessKey: there is no key in the answer".into()),
            }
        })
    }

    fn check(&mut self, credential: &Credential, _context: &Context<'_>) -> Answer {
        match self.sts.ask("GetCallerIdentity", &[], credential) {
            Reply::Done(text) => keys::identity(&text, &self.user),
            Reply::Refused(refusal) if is_refused(&refusal.code) => Answer::No(refusal.why),
            // It says nothing of the key.
            Reply::Refused(Refusal { why, .. }) | Reply::Unknown(why) => Answer::Unknown(why),
        }
    }

    fn disable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.set(old, "Inactive", context)
    }

    fn enable(&mut self, old: &Credential, context: &Context<'_>) -> Answer {
        self.set(old, "Active", context)
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        match self.ask("DeleteAccessKey", &[("AccessKeyId", id)], context) {
            Reply::Refused(refusal) if refusal.code == "NoSuchEntity" => Answer::Yes(()),
            reply => answer(reply).map(|_done| ()),
        }
    }

    fn usage(&mut self, credential: &Credential, context: &Context<'_>) -> Answer<Usage> {
        let reply = self.ask(LAST_USED, &[("AccessKeyId", &credential.id)], context);
        answer(reply).and_then(|text| keys::usage(&text))
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        Answer::Yes(None)
    }
}

#[cfg(test)]
mod tests;
