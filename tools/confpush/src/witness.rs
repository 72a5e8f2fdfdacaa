//! The process that does the rest when a deployer is killed while it confirms.
//!
//! It is this program once more, started before anything changes, with a pipe as its standard input: the
//! deployer says there, line by line, what is to be done in case it dies. It does nothing of that as long
//! as the pipe is open. When it ends, whatever the reason, the witness does what it was told last, over
//! sessions of its own: nothing, confirm, or bring back, and writes into the audit log how it ended. A deployer
//! that gets to its end, and has written that down itself, kills it.
//!
//! It is in a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.

mod process;
mod serve;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::Deed;
use crate::station::FileState;

pub(crate) use process::Job;
pub(crate) use serve::run;

/// Who can call a witness.
pub(crate) trait Summon {
    /// Starts it; it knows its hosts, and does nothing yet.
    ///
    /// # Errors
    /// Why there is none.
    fn summon(&self) -> Result<Box<dyn Witness>, String>;
}

/// A process beside this one. When this one is gone it does what it was told last, to the end.
pub(crate) trait Witness {
    /// From here on: confirm `hosts`, of which `spare` may fail; when more do, bring all of them back.
    ///
    /// # Errors
    /// Why it has not taken it. It is gone then, and does nothing.
    fn confirm(&mut self, hosts: &[String], spare: usize) -> Result<(), String>;

    /// From here on: bring `hosts` back. One that is gone already cannot, and is not needed as long as
    /// this process lives.
    fn back(&mut self, hosts: &[String]);

    /// Everything is done: it ends.
    fn done(self: Box<Self>);
}

/// A host that is in the care of a witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    /// Its name.
    pub(crate) name: String,
    /// The file, as it is called there.
    pub(crate) path: String,
    /// What the file was before the deployment.
    pub(crate) seen: Option<FileState>,
}

/// What is told of the end of a deployment, whoever brings it there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The bytes of the path of the folder with the audit log.
    pub(crate) folder: Vec<u8>,
    /// What has been written down when it began.
    pub(crate) deed: Deed,
    /// The SHA-256 of what each of its hosts is to get; none: nothing, or no file.
    pub(crate) after: Vec<Option<String>>,
    /// Whether hosts were left out that are out of reach.
    pub(crate) is_down: bool,
    /// The command that hears of it.
    pub(crate) on_event: Option<String>,
}

/// The first line: what it has to know before anything begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Brief {
    /// The bytes of the path of the spec.
    file: Vec<u8>,
    /// What was in it.
    text: String,
    /// What is written down in the end; also the id of the deployment.
    account: Account,
    /// Who deploys.
    who: String,
    /// How patient guards are.
    within: Duration,
    /// How long a command may take.
    patience: Duration,
    jobs: usize,
    hosts: Vec<Charge>,
}

/// Each further line: what is to be done when this was the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Confirm { hosts: Vec<String>, spare: usize },
    Back { hosts: Vec<String> },
}

/// Its answer to a line that it has taken; to another one it is the reason.
const YES: &str = "yes";

#[cfg(test)]
pub(super) mod tests {
    use super::Account;
    use crate::audit::{Action, Deed, HostRecord};
    use crate::report::Word;

    /// That of a deployment to `a`, `b` and `c`, of which `c` is down.
    pub(super) fn account() -> Account {
        let host = |name: &str, outcome| HostRecord {
            host: name.into(),
            outcome,
            before: Some("old".into()),
            after: Some("old".into()),
            why: None,
        };
        let deed = Deed {
            spec: "web".into(),
            env: "prod".into(),
            action: Action::Apply,
            id: "1".into(),
            version: "v".into(),
            back_to: None,
            outcome: Word::Begun,
            why: None,
            seconds: None,
            hosts: vec![host("a", Word::Begun), host("b", Word::Begun), host("c", Word::Down)],
        };
        let after = vec![Some("new".into()), Some("new".into()), None];
        Account { folder: Vec::new(), deed, after, is_down: true, on_event: None }
    }
}
