//! What of a spec a host has to know.

use crate::spec::{Access, Remote, Spec};

/// What of a spec a host has to know.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What it is called: the name of its folder.
    pub(crate) name: String,
    /// The file, as it is called on this host.
    pub(crate) path: String,
    /// What it is to be there.
    pub(crate) access: Access,
    /// Whether everything is done by sudo(8).
    pub(crate) becomes: bool,
    /// The folder of all backups; none: the usual one.
    pub(crate) store: Option<String>,
    /// Users and groups, by name or number, who may write to folders on the way to the file.
    pub(crate) trust: Vec<String>,
    /// How many deployments are kept; one at least is.
    pub(crate) keep: usize,
    /// What judges the staged file.
    pub(crate) validate: Option<Remote>,
    /// What has the service read the file.
    pub(crate) reload: Option<Remote>,
}

impl Settings {
    /// What `spec` says, for a host on which the file is called `path`.
    pub(crate) fn of(spec: &Spec, path: String) -> Self {
        Self {
            name: spec.name.clone(),
            path,
            access: spec.access.clone(),
            becomes: spec.becomes,
            store: spec.store.clone(),
            trust: spec.trust.clone(),
            keep: spec.keep,
            validate: spec.validate.remote.clone(),
            reload: spec.reload.clone(),
        }
    }
}
