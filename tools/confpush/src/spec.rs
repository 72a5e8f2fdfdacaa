//! The spec: what is deployed, where, and how.

mod checks;
mod cross;
mod environment;
pub(crate) mod reader;
mod strategy;
mod texts;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use remote::spec::Ssh;
use secrets::Source;

pub(crate) use checks::{Check, Checks, From, How};
pub(crate) use cross::strangers;
pub(crate) use environment::Environment;
pub(crate) use reader::{all, read, read_text, same_names};
#[cfg(test)]
pub(crate) use strategy::Count;
pub(crate) use strategy::Strategy;
pub(crate) use texts::wrong_path;

/// Values of templates: a table of TOML.
pub(crate) type Values = serde_json::Map<String, serde_json::Value>;

/// What is deployed, where, and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    /// The file that it was read from.
    pub(crate) file: PathBuf,
    /// What it is called: letters, digits, `-`, `_` and `.`; the name of its folder on the hosts.
    pub(crate) name: String,
    /// The file to deploy, or the template that it is made of.
    pub(crate) source: PathBuf,
    /// Whether it is a template.
    pub(crate) is_template: bool,
    /// Where it goes to on the hosts; absolute.
    pub(crate) path: String,
    /// What it is to be there.
    pub(crate) access: Access,
    /// How it is written.
    pub(crate) kind: Kind,
    /// The JSON Schema that it has to follow.
    pub(crate) schema: Option<PathBuf>,
    /// Whether who logs in becomes root by sudo(8) for everything.
    pub(crate) becomes: bool,
    /// The folder of backups on the hosts; none: the usual one.
    pub(crate) store: Option<String>,
    /// Users and groups, by name or number, who may write to folders on the way to the file.
    pub(crate) trust: Vec<String>,
    /// How many deployments are kept there.
    pub(crate) keep: usize,
    /// The names of specs that are deployed before it.
    pub(crate) after: Vec<String>,
    /// The values of all hosts.
    pub(crate) values: Values,
    /// Values that are read from elsewhere, and never shown.
    pub(crate) secrets: BTreeMap<String, Source>,
    /// What judges it before it is used.
    pub(crate) validate: Validate,
    /// What has the service read it.
    pub(crate) reload: Option<Remote>,
    /// What has to work afterwards.
    pub(crate) health: Vec<Check>,
    /// How often that is asked.
    pub(crate) checks: Checks,
    /// How it goes over the hosts.
    pub(crate) strategy: Strategy,
    /// How hosts are reached.
    pub(crate) ssh: Ssh,
    /// Where it goes to, in this order; at least one.
    pub(crate) environments: Vec<Environment>,
    /// Where in the file some of it stands.
    pub(crate) lines: Lines,
}

/// Where in the file of the spec something stands; that of the table where it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    /// `name`.
    pub(crate) name: usize,
    /// `source`.
    pub(crate) source: usize,
    /// `path`.
    pub(crate) path: usize,
    /// `schema`.
    pub(crate) schema: usize,
    /// `after`.
    pub(crate) after: usize,
    /// `validate.local`.
    pub(crate) local: usize,
    /// `validate`.
    pub(crate) validate: usize,
    /// `reload`.
    pub(crate) reload: usize,
    /// Each of the health checks.
    pub(crate) health: Vec<usize>,
    /// Each of the environments.
    pub(crate) environments: Vec<usize>,
    /// Each of the secrets.
    pub(crate) secrets: BTreeMap<String, usize>,
}

/// Owner, group and permissions; what is missing stays as it is, and of a new file is the deployer's
/// own, with mode 644.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// By name or number.
    pub(crate) owner: Option<String>,
    /// By name or number.
    pub(crate) group: Option<String>,
    /// The lowest 12 bits.
    pub(crate) mode: Option<u32>,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing is known of it.
    Text,
    /// RFC 8259.
    Json,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// Sections and keys.
    Ini,
}

/// What judges a file before it is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validate {
    /// Run here, with `{}` as the file: each word of it.
    pub(crate) local: Option<Vec<String>>,
    /// Run on each host, with `{}` as the staged file.
    pub(crate) remote: Option<Remote>,
    /// How long the local one may take.
    pub(crate) timeout: Duration,
}

/// A command on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    /// As sh(1) takes it.
    pub(crate) script: String,
    /// It is ended after so long.
    pub(crate) timeout: Duration,
}
