//! IAM and STS of AWS on the loopback, as moto plays them: every request must be signed and allowed,
//! inactive keys are refused, and new ones take a while to be known.
//!
//! ```text
//! let Some(server) = Moto::start(Duration::from_secs(2)) else { return };
//! let (id, secret) = server.key("orders");
//! ```
//!
//! `admin` may do everything in IAM, `orders` may administer its own keys, and `web` may do nothing but
//! say who it is.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::workspace;

/// A server that runs until it goes out of scope. It also ends when the test is killed.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    url: String,
    keys: BTreeMap<String, (String, String)>,
}

impl Moto {
    /// Starts a server that refuses new keys for the time of `propagation`, and returns when it listens.
    /// `None`, and one line, where moto is not installed and cannot be: that needs python3-venv and the
    /// Python index.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    #[track_caller]
    pub fn start(propagation: Duration) -> Option<Self> {
        if !crate::has("python3") {
            return None;
        }
        let folder = workspace().join("tools/keyrotate/tests/moto");
        let Some(python) = installed(&folder) else {
            eprintln!("skipped: moto cannot be installed; {}/install says why", folder.display());
            return None;
        };
        let mut command = Command::new(python);
        command.arg(folder.join("server.py")).arg(propagation.as_secs_f64().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("its python can be run");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let said: Vec<String> =
            said.lines().map_while(Result::ok).take_while(|line| line != "ready").collect();
        let Some((url, keys)) = said.split_first() else { panic!("moto does not start") };
        let keys = keys.iter().filter_map(|line| {
            let (user, key) = line.split_once(' ')?;
            let (id, secret) = key.split_once(' ')?;
            Some((user.to_owned(), (id.to_owned(), secret.to_owned())))
        });
        Some(Self { child, url: url.clone(), keys: keys.collect() })
    }

    /// `http://127.0.0.1:PORT`, of IAM and of STS.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first key of `user`: its id and its secret.
    ///
    /// # Panics
    /// When there is no such user.
    #[must_use]
    #[track_caller]
    pub fn key(&self, user: &str) -> (&str, &str) {
        let (id, secret) = &self.keys[user];
        (id, secret)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _has_ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The python that has moto, in the folder of what cargo builds: installed there once for all tests.
fn installed(folder: &Path) -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?;
    // TARGET/debug/deps/TEST
    let target = binary.ancestors().nth(3)?;
    let output = Command::new(folder.join("install")).arg(target.join("moto")).output().ok()?;
    let python = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(python.trim()))
}
