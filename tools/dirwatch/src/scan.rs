//! The scanner: a thread that watches a folder first and then reads it, and tells what the ledger
//! does not know.
//!
//! | module | what it is |
//! |---|---|
//! | `requests` | what it is asked for, by the keeper and by the thread of notify |
//! | `run` | what is done when: requests before passes, passes before sleep |
//! | `visit` | opening and watching a folder |
//! | `look` | what is in it, and telling of it |
//! | `folders` | the folders that are known |
//! | `said` | what was said, and is not to be said again |

mod folders;
mod look;
pub(crate) mod requests;
mod run;
mod said;
#[cfg(test)]
mod tests;
mod visit;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{Error, Result};

use crate::inbox::Inbox;
use crate::ledger::View;
#[cfg(doc)]
use crate::message::Message;
use crate::plan::Where;
use crate::post::Post;

pub(crate) use requests::Requests;

/// How long an end is waited for: a network file system that hangs must not hold up the rest.
const END: Duration = Duration::from_secs(1);

/// A running scanner, and the watches it has set. Dropped, it ends.
pub(crate) struct Scanner {
    requests: Arc<Requests>,
    inbox: Arc<Inbox>,
}

impl Scanner {
    /// Starts it; a pass over all folders of `place` is its first work. Candidates are told through
    /// `messages`, unless `view` knows them; hints come by [`Scanner::inbox`].
    ///
    /// # Errors
    /// When there can be no more threads.
    pub(crate) fn start(place: Arc<Where>, view: Box<dyn View>, messages: Post) -> Result<Self> {
        let requests = Arc::new(Requests::default());
        let inbox = Arc::new(Inbox::new(messages.clone(), Arc::clone(&requests)));
        let scan =
            run::Parts { place, view, messages, requests: Arc::clone(&requests), inbox: Arc::clone(&inbox) };
        let started = thread::Builder::new().name("scanner".into()).spawn(move || run::run(scan));
        started.map_err(|why| Error::failed("cannot start a thread for the folders").because(why))?;
        Ok(Self { requests, inbox })
    }

    /// Where the hints are.
    #[must_use]
    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// A folder was made or moved in: it is watched, and read with all that is below. Nothing happens
    /// when it is none of those that are entered.
    pub(crate) fn folder(&self, path: PathBuf) {
        self.requests.folder(path);
    }

    /// Asks for a pass over everything that begins from now on; [`Message::Settled`] tells its end.
    /// Several requests while one waits are one.
    pub(crate) fn everything(&self) {
        self.requests.everything();
    }

    /// One [`Message::Found`] was dealt with. The scanner waits when four are not.
    pub(crate) fn more(&self) {
        self.requests.more();
    }

    /// Ends it. Returns when it has ended, or after a second when it hangs in a file system.
    pub(crate) fn stop(&self) {
        self.requests.stop(END);
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.requests.stop(Duration::ZERO);
    }
}
