//! Plug-ins: programs that are a target or a consumer. `plugins/README.md` is the protocol.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use common::answer::Answer;
use process::child::{Call, Ended, LARGEST, Status};
use secrets::conceal;
use serde::Serialize;
use serde::de::DeserializeOwned;
use specs::Table;

use crate::credential::Credential;

/// The status of a verb that a plug-in does not know (`EX_USAGE` of sysexits.h).
const UNSUPPORTED: i32 = 64;

/// What the spec says to a plug-in: texts of its own.
pub(crate) type Params = BTreeMap<String, String>;

/// Reads the table `params`, if there is one.
pub(crate) fn params(table: &mut Table<'_>) -> Params {
    let params = table.map("params").unwrap_or_default();
    params.into_iter().map(|(name, text, _line)| (name, text)).collect()
}

/// A plug-in. Each request runs it once.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
    argv: Vec<String>,
    label: String,
    name: String,
    consumer: Option<String>,
    params: Params,
    limit: Duration,
}

/// A request: a line of JSON on the standard input, without any secret.
#[derive(Serialize)]
struct Request<'a> {
    verb: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    public: BTreeMap<&'a str, &'a str>,
    params: &'a Params,
}

/// What a plug-in is asked to do.
#[derive(Default, Clone, Copy)]
pub(crate) struct Order<'a> {
    /// The verb, its last argument.
    pub(crate) verb: &'static str,
    /// The word of the rotation.
    pub(crate) token: Option<&'a str>,
    /// What it is about: its id, and where there is a secret, that, its fingerprint and its public parts.
    pub(crate) key: About<'a>,
    /// Whether it is to give a secret.
    pub(crate) takes_secret: bool,
}

/// What a request is about.
#[derive(Default, Clone, Copy)]
pub(crate) enum About<'a> {
    /// No key.
    #[default]
    Nothing,
    /// The key of this id.
    Id(&'a str),
    /// This credential, whose secret the plug-in gets.
    Whole(&'a Credential),
}

/// What a plug-in said.
pub(crate) enum Said {
    /// It is so, it is done: and what it printed.
    Yes(Ended),
    /// It does not know the verb.
    Unsupported,
    /// It is not so, it was refused.
    No(String),
    /// Nobody knows.
    Unknown(String),
}

impl Plugin {
    /// The plug-in that is run by `command`, for the credential `name`, one request for at most `limit`.
    pub(crate) fn new(command: &[String], name: &str, limit: Duration, params: &Params) -> Self {
        let mut argv = command.to_vec();
        // Behind a script stands what it calls itself, and only then its arguments.
        if let [shell, flag, _script] = command
            && shell == "sh"
            && flag == "-c"
        {
            argv.push("plug-in".into());
        }
        let program = command.first().map(String::as_str).unwrap_or_default();
        let label = Path::new(program).file_name().map(|name| name.to_string_lossy().into_owned());
        let label = label.unwrap_or_else(|| program.to_owned());
        Self { argv, label, name: name.to_owned(), consumer: None, params: params.clone(), limit }
    }

    /// The same as the consumer `name`.
    pub(crate) fn of_consumer(self, name: &str) -> Self {
        Self { consumer: Some(name.to_owned()), ..self }
    }

    /// The name of the consumer that it is.
    pub(crate) fn consumer(&self) -> &str {
        self.consumer.as_deref().unwrap_or_default()
    }

    /// Runs it once.
    pub(crate) fn ask(&self, order: &Order<'_>) -> Said {
        let stdin = match self.request(order) {
            Ok(stdin) => stdin,
            Err(cause) => return Said::Unknown(format!("{} {}: {cause}", self.label, order.verb)),
        };
        let mut argv = self.argv.clone();
        argv.push(order.verb.to_owned());
        let secret = match order.key {
            About::Whole(credential) => Some(&credential.secret),
            About::Nothing | About::Id(_) => None,
        };
        let takes_secret = order.takes_secret;
        let call = Call { stdin: &stdin, secret, takes_secret, ..Call::new(&argv, self.limit) };
        match call.run() {
            Err(why) => Said::Unknown(why),
            Ok(ended) if ended.status == Status::Exit(UNSUPPORTED) => Said::Unsupported,
            Ok(ended) => match ended.answer().at(&format!("{} {}", self.label, order.verb)) {
                Answer::Yes(()) => Said::Yes(ended),
                Answer::No(why) => Said::No(why),
                Answer::Unknown(why) => Said::Unknown(why),
            },
        }
    }

    fn request(&self, order: &Order<'_>) -> serde_json::Result<Vec<u8>> {
        let (id, whole) = match order.key {
            About::Nothing => (None, None),
            About::Id(id) => (Some(id), None),
            About::Whole(credential) => (Some(credential.id.as_str()), Some(credential)),
        };
        let public = whole.into_iter().flat_map(|credential| &credential.public);
        let request = Request {
            verb: order.verb,
            token: order.token,
            name: &self.name,
            id,
            fingerprint: whole.map(Credential::fingerprint),
            consumer: self.consumer.as_deref(),
            public: public.map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            params: &self.params,
        };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        Ok(line)
    }

    /// The sentence for a verb that there is no doing without.
    pub(crate) fn unsupported(&self, verb: &str) -> String {
        format!("{} {verb}: the plug-in does not know this verb (status {UNSUPPORTED})", self.label)
    }

    /// The object that it printed in answer to `verb`.
    pub(crate) fn object<T: DeserializeOwned>(&self, verb: &str, ended: &Ended) -> Answer<T> {
        let why = match serde_json::from_slice(&ended.stdout) {
            Ok(object) => return Answer::Yes(object),
            Err(_) if ended.stdout.len() == LARGEST => "it is too long".to_owned(),
            Err(cause) => conceal::quoted(cause.to_string().as_bytes()),
        };
        Answer::Unknown(format!("{} {verb}: what it printed is not as it should be: {why}", self.label))
    }
}

impl Said {
    /// The answer, and what is told where the plug-in does not know the verb.
    pub(crate) fn or(self, unsupported: impl FnOnce() -> Answer<Ended>) -> Answer<Ended> {
        match self {
            Self::Yes(ended) => Answer::Yes(ended),
            Self::Unsupported => unsupported(),
            Self::No(why) => Answer::No(why),
            Self::Unknown(why) => Answer::Unknown(why),
        }
    }
}
