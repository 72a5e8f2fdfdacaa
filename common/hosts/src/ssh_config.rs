//! ssh_config(5): which hosts it names, and what holds for a name.
//!
//! Read as OpenSSH 9 and 10 read it, but for what would run a command, ask the network or open a
//! socket: `Match exec`, `localnetwork`, `tagged`, `command`, `version` and `sessiontype` never hold,
//! names are not canonicalized, and the token `%C` is not expanded. Each such line is a finding.
//! Keywords that are not in [`Settings`] are passed over, whatever stands behind them.

mod condition;
mod directive;
mod expand;
mod include;
mod line;
mod read;
#[cfg(test)]
mod reference;
mod resolve;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use common::Result;

use crate::host::Host;
use crate::inventory::Finding;

use expand::Local;
use read::Blocks;

/// One or several configuration files, read once.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {
    blocks: Blocks,
    local: Local,
}

/// What is known of a host before the configuration is asked: it says more than any line, as the
/// flags of ssh(1) do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told<'a> {
    /// Its address, as `-o HostName=` tells it.
    pub address: Option<&'a str>,
    /// The user, as `-l` tells it; `Match user` depends on it.
    pub user: Option<&'a str>,
    /// The port, as `-p` tells it.
    pub port: Option<u16>,
}

/// What the configuration says for one name; the first value found wins, as in ssh(1). What it does
/// not say is `None` or empty. Tokens (`%h`, `%n`, `%p`, `%r`, `%d`, `%u`, `%i`, `%k`, `%j`, `%l`, `%L`,
/// `%%`), `~` and `${VARIABLE}` are expanded where ssh(1) expands them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// `HostName`, in lower case.
    pub host_name: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `User`.
    pub user: Option<String>,
    /// `IdentityFile`, all of them; `none` stays `none`.
    pub identity_files: Vec<PathBuf>,
    /// `CertificateFile`, all of them.
    pub certificate_files: Vec<PathBuf>,
    /// `IdentitiesOnly`.
    pub identities_only: Option<bool>,
    /// `IdentityAgent`: a path, `SSH_AUTH_SOCK`, `$VARIABLE` or `none`.
    pub identity_agent: Option<String>,
    /// `ProxyJump`; `none` stays `none`.
    pub proxy_jump: Option<String>,
    /// `ProxyCommand` with its tokens, which is not run here but must not be passed over without a
    /// word. Of this and `ProxyJump` the first one wins, and the other is `None` or
    /// `none`.
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
    /// Reads `files` and what they include; a file that does not exist is empty. In files below
    /// `/etc/ssh` a relative `Include` begins there, in all others in `~/.ssh`.
    ///
    /// # Errors
    /// When a file cannot be read or has a line that is none; the sentence names file and line.
    pub fn read(files: &[&Path]) -> Result<Self> {
        let local = Local::here();
        Ok(Self { blocks: read::read(files, &local)?, local })
    }

    /// Reads the files that ssh(1) reads: `~/.ssh/config` and `/etc/ssh/ssh_config`.
    ///
    /// # Errors
    /// As [`SshConfig::read`].
    pub fn read_default() -> Result<Self> {
        let local = Local::here();
        let of_the_user = expand::user_folder(&local).join("config");
        let files = [of_the_user.as_path(), Path::new("/etc/ssh/ssh_config")];
        Ok(Self { blocks: read::read(&files, &local)?, local })
    }

    /// What the files say that is not done here as ssh(1) does it, with its place.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.blocks.findings
    }

    /// The hosts that `Host` lines name one by one, in their order, each once, with what the
    /// configuration says for them. Patterns name none.
    #[must_use]
    pub fn hosts(&self) -> Vec<Host> {
        let mut seen = std::collections::BTreeSet::new();
        let named = self.blocks.names.iter().filter(|(name, _)| seen.insert(name.as_str()));
        named
            .map(|(name, place)| {
                let settings = self.settings(name);
                Host {
                    address: settings.host_name.filter(|address| address != name),
                    port: settings.port,
                    user: settings.user,
                    keys: settings.identity_files,
                    jump: settings.proxy_jump,
                    ..Host::named(name, place.clone())
                }
            })
            .collect()
    }

    /// What holds for `name`, of which nothing else is known.
    #[must_use]
    pub fn settings(&self, name: &str) -> Settings {
        self.settings_for(name, &Told::default())
    }

    /// What holds for `name`. What was told is in the settings too.
    #[must_use]
    pub fn settings_for(&self, name: &str, told: &Told<'_>) -> Settings {
        resolve::settings(&self.blocks, &self.local, name, told)
    }
}
