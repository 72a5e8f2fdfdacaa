//! ssh_config(5): which hosts it names, and what holds for a name.

use std::path::{Path, PathBuf};

use common::Result;

/// One or several configuration files, read once.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {}

/// What the configuration says for one name; the first value found wins, as in ssh(1). What it does
/// not say is `None` or empty. Tokens (`%h`, `%n`, `%p`, `%r`, `%d`, `%u`, `%%`) and `~` are expanded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `HostName`.
    pub host_name: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `User`.
    pub user: Option<String>,
    /// `IdentityFile`, all of them.
    pub identity_files: Vec<PathBuf>,
    /// `CertificateFile`, all of them.
    pub certificate_files: Vec<PathBuf>,
    /// `IdentitiesOnly`.
    pub identities_only: Option<bool>,
    /// `IdentityAgent`: a path, `SSH_AUTH_SOCK` or `none`.
    pub identity_agent: Option<String>,
    /// `ProxyJump`; `none` stays `none`.
    pub proxy_jump: Option<String>,
    /// `ProxyCommand`, which is not run here but must not be passed over without a word.
    pub proxy_command: Option<String>,
    /// `UserKnownHostsFile`.
    pub user_known_hosts: Vec<PathBuf>,
    /// `GlobalKnownHostsFile`.
    pub global_known_hosts: Vec<PathBuf>,
    /// `StrictHostKeyChecking` as written, in lower case.
    pub strict_host_key_checking: Option<String>,
    /// `HostKeyAlias`.
    pub host_key_alias: Option<String>,
    /// `ConnectTimeout` in seconds.
    pub connect_timeout: Option<u64>,
}

impl SshConfig {
    /// Reads `files` and what they include; a file that does not exist is empty.
    ///
    /// # Errors
    /// When a file cannot be read or has a line that is none; the sentence names file and line.
    pub fn read(_files: &[&Path]) -> Result<Self> {
        Ok(Self {})
    }

    /// What holds for `name`, the user being `user` where the configuration asks for it.
    #[must_use]
    pub fn settings(&self, _name: &str) -> Settings {
        Settings::default()
    }
}
