//! Consumers: who holds the credential, and uses it.

mod exec;
mod format;
mod local;
mod remote;
mod statement;

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use common::Result;
use common::answer::Answer;
pub(crate) use format::Format;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use specs::{Shape, Table};

use crate::credential::{Credential, Fields};
use crate::plugin::{self, Params};
pub(crate) use crate::provider::Place;

/// What a consumer says of the key that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The id, or 12 or more digits of the digest, in the consumer's own words.
    pub(crate) key: Named,
    /// Whether it works with that key; `None`: it does not say, and the key is to be tried at the target.
    pub(crate) works: Option<bool>,
}

/// The key that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// What the consumer printed.
    Text(String),
    /// None at all: it holds none yet.
    Nothing,
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(key) => f.write_str(key),
            Self::Nothing => f.write_str("no key"),
        }
    }
}

/// A consumer. Every effect is idempotent. No text in an answer holds a secret. Several consumers are
/// called at once, from threads.
pub(crate) trait Consumer: Send {
    /// What reports, `skip` and the journal call it; unique in the spec.
    fn name(&self) -> &str;

    /// That ssh(1) would offer the private key which it holds, and no public key beside it: asked before a
    /// rotation of such a key begins. A no says what is in the way.
    fn offers_its_own(&mut self) -> Answer {
        Answer::Yes(())
    }

    /// What it holds now; `None` when there is nothing yet. A no: it can never be read.
    fn read(&mut self) -> Answer<Option<Fields>>;

    /// Gives it `credential`, durably: readers see the old one or the new one, whole.
    fn write(&mut self, credential: &Credential) -> Answer;

    /// Has it take up what was written. Called after each write, also a repeated one.
    fn reload(&mut self) -> Answer;

    /// Asks it which key it uses. `None`: it cannot be asked, and what it holds is to be read and tried.
    fn attest(&mut self) -> Answer<Option<Statement>>;
}

/// Does `work` for each of `consumers`, `jobs` at a time; the results come in their order.
pub(crate) fn each<R: Send>(
    consumers: Vec<&mut Box<dyn Consumer>>,
    jobs: usize,
    work: impl Fn(&mut Box<dyn Consumer>) -> R + Send + Sync,
) -> Vec<R> {
    let threads = jobs.min(consumers.len());
    if threads <= 1 {
        return consumers.into_iter().map(work).collect();
    }
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(|| consumers.into_par_iter().map(work).collect()),
        // Without threads it takes longer, and that is all.
        Err(_) => consumers.into_iter().map(work).collect(),
    }
}

/// What the spec says of a consumer; with `hosts`, of one on each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Its name; on several hosts `NAME@HOST` is that of each.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) hold: Hold,
    /// What has it take up what was written.
    pub(crate) reload: Option<Vec<String>>,
    /// How it is asked which key it uses; `None`: what it holds is read and tried at the target.
    pub(crate) attest: Option<Vec<String>>,
}

/// What is to be the same in a consumer of any kind that has it.
const WHATEVER_THE_KIND: [(&str, Shape); 5] = [
    ("path", Shape::Path),
    ("hosts", Shape::Hosts),
    ("reload", Shape::Texts),
    ("attest", Shape::Texts),
    ("command", Shape::Texts),
];

/// How a consumer holds its credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hold {
    /// In a file, here or on each of `hosts`.
    File {
        /// Where.
        path: PathBuf,
        /// How it stands there.
        format: Format,
        /// The hosts; none: here.
        hosts: Vec<String>,
        /// The mode of a file that is not there yet.
        mode: u32,
    },
    /// As a plug-in knows it, which also has it reload and asks it.
    Exec {
        /// The plug-in.
        command: Vec<String>,
        /// What the spec says to it.
        params: Params,
    },
}

impl Config {
    /// Reads a table of `[[consumers]]`; `None` only where a fault says why.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let name = table.needed("name");
        table.must("kind");
        let Some(kind) = table.choice("kind", &["file", "json", "env", "exec"]) else {
            let _faults_are_all = mode(&mut table);
            table.judge(&WHATEVER_THE_KIND);
            return None;
        };
        let (hold, reload, attest) = if kind == 3 {
            table.must("command");
            let command = table.command("command");
            let params = plugin::params(&mut table);
            (command.map(|command| Hold::Exec { command, params }), None, None)
        } else {
            let hold = Hold::file(&mut table, kind);
            (hold, table.command("reload"), attest(&mut table))
        };
        table.finish();
        (!name.is_empty()).then_some(Self { name, hold: hold?, reload, attest })
    }

    /// What tells where and how it holds its key from other places; which hosts there are does not count,
    /// since each has a name of its own.
    pub(crate) fn place(&self) -> String {
        match &self.hold {
            Hold::File { path, format, .. } => format!("{} {format:?}", path.display()),
            Hold::Exec { command, params } => format!("{command:?} {params:?}"),
        }
    }

    /// The consumers that this means: one, or one for each host.
    ///
    /// # Errors
    /// When an inventory cannot be read, or a name means no host.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Vec<Box<dyn Consumer>>> {
        match &self.hold {
            Hold::Exec { .. } => exec::build(self, place),
            Hold::File { hosts, .. } if hosts.is_empty() => local::build(self, place),
            Hold::File { .. } => remote::build(self, place),
        }
    }
}

impl Hold {
    fn file(table: &mut Table<'_>, kind: usize) -> Option<Self> {
        table.must("path");
        let path = table.path("path");
        let hosts = table.hosts("hosts").unwrap_or_default();
        let mode = mode(table);
        let format = match kind {
            0 => Format::read_whole(table),
            1 => Format::read_json(table),
            _ => Format::read_env(table),
        };
        Some(Self::File { path: path?, format: format?, hosts, mode: mode? })
    }
}

/// `mode`: that of a new file.
fn mode(table: &mut Table<'_>) -> Option<u32> {
    let line = table.line_of("mode");
    let mode = table.text("mode").map_or(Some(0o600), |text| u32::from_str_radix(&text, 8).ok());
    let mode = mode.filter(|mode| mode & !0o770 == 0);
    if mode.is_none() {
        let what = "`mode` is to be \"0600\", \"0640\" or the like, without rights for everybody";
        table.fault(line, what);
    }
    mode
}

/// `attest`: what asks the consumer, or nothing for `"file"`. That it is missing is a fault.
fn attest(table: &mut Table<'_>) -> Option<Vec<String>> {
    table.must("attest");
    table.command("attest").filter(|words| words != &["sh", "-c", "file"])
}
