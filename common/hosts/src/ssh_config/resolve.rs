//! What holds for one name: the first value of each keyword, and its tokens.

use super::condition::Asked;
use super::directive::{Directive, as_paths};
use super::expand::{Local, Tokens};
use super::read::{Block, Blocks};
use super::{Settings, Told};

/// The port of a server that nothing is said about.
const PORT: u16 = 22;

/// Values as they are written, while they are looked for.
#[derive(Default)]
struct Found {
    host_name: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    identity_files: Vec<String>,
    certificate_files: Vec<String>,
    identities_only: Option<bool>,
    identity_agent: Option<String>,
    proxy_jump: Option<String>,
    proxy_command: Option<String>,
    user_known_hosts: Option<Vec<String>>,
    global_known_hosts: Option<Vec<String>>,
    strict_host_key_checking: Option<String>,
    host_key_alias: Option<String>,
    connect_timeout: Option<u64>,
}

/// One way through all blocks.
struct Pass<'a> {
    blocks: &'a Blocks,
    local: &'a Local,
    name: &'a str,
    /// What `Host` lines are compared with.
    host: &'a str,
    is_final: bool,
}

/// What the blocks say for `name`.
pub(super) fn settings(blocks: &Blocks, local: &Local, name: &str, told: &Told<'_>) -> Settings {
    let mut found = Found {
        // A literal `%`, as in `fe80::1%eth0`, is no token.
        host_name: told.address.map(|address| address.replace('%', "%%")),
        port: told.port,
        user: told.user.map(str::to_owned),
        ..Found::default()
    };
    let first = Pass { blocks, local, name, host: name, is_final: false };
    first.go(&mut found);
    let address = address(&found, name);
    if blocks.wants_final {
        // ssh(1) reads everything again with the address it has found, and keeps what it has.
        let is_told = found.host_name.is_some();
        found.host_name = Some(address.replace('%', "%%"));
        Pass { host: &address, is_final: true, ..first }.go(&mut found);
        found.host_name = found.host_name.filter(|_| is_told);
    }
    found.expanded(local, name, &address)
}

/// The address as far as it is known, in lower case.
fn address(found: &Found, name: &str) -> String {
    let Some(value) = &found.host_name else { return name.to_lowercase() };
    let mut address = String::new();
    let mut rest = value.as_str();
    while let Some((before, token)) = rest.split_once('%') {
        address.push_str(before);
        address.push_str(if token.starts_with('h') { name } else { "%" });
        rest = token.get(1..).unwrap_or_default();
    }
    (address + rest).to_lowercase()
}

impl Pass<'_> {
    fn go(&self, found: &mut Found) {
        let mut applied: Vec<usize> = Vec::new();
        for index in self.blocks.candidates(self.host) {
            let block = &self.blocks.all[index];
            let is_reached = block.parent.is_none_or(|parent| applied.binary_search(&parent).is_ok());
            if is_reached && self.holds(block, found) {
                applied.push(index);
                block.directives.iter().for_each(|directive| found.take(directive));
            }
        }
    }

    fn holds(&self, block: &Block, found: &Found) -> bool {
        let mut asked =
            Asked { host: self.host, address: "", original: "", user: "", is_final: self.is_final };
        if !block.condition.is_match() {
            return block.condition.holds(&asked);
        }
        let (address, original) = (address(found, self.name), self.name.to_lowercase());
        asked.address = if self.is_final { self.host } else { &address };
        asked.original = &original;
        asked.user = found.user.as_deref().unwrap_or(&self.local.user);
        block.condition.holds(&asked)
    }
}

/// Keeps what is there already.
fn keep<T: Clone>(value: &mut Option<T>, new: &T) {
    if value.is_none() {
        *value = Some(new.clone());
    }
}

fn add(list: &mut Vec<String>, new: &str) {
    if !list.iter().any(|old| old == new) {
        list.push(new.to_owned());
    }
}

impl Found {
    fn take(&mut self, directive: &Directive) {
        match directive {
            Directive::HostName(value) => keep(&mut self.host_name, value),
            Directive::Port(value) => keep(&mut self.port, value),
            Directive::User(value) => keep(&mut self.user, value),
            Directive::IdentityFile(value) => add(&mut self.identity_files, value),
            Directive::CertificateFile(value) => add(&mut self.certificate_files, value),
            Directive::IdentitiesOnly(value) => keep(&mut self.identities_only, value),
            Directive::IdentityAgent(value) => keep(&mut self.identity_agent, value),
            // ssh_config(5): the first of both prevents later instances of the other. What ssh(1) does
            // besides: a jump that is `none` prevents jumps only.
            Directive::ProxyJump(value) if self.proxy_command.is_none() => keep(&mut self.proxy_jump, value),
            Directive::ProxyCommand(value)
                if self.proxy_jump.as_deref().is_none_or(|jump| jump.eq_ignore_ascii_case("none")) =>
            {
                keep(&mut self.proxy_command, value);
            }
            Directive::ProxyJump(_) | Directive::ProxyCommand(_) => {}
            Directive::UserKnownHosts(value) => keep(&mut self.user_known_hosts, value),
            Directive::GlobalKnownHosts(value) => keep(&mut self.global_known_hosts, value),
            Directive::StrictHostKeyChecking(value) => keep(&mut self.strict_host_key_checking, value),
            Directive::HostKeyAlias(value) => keep(&mut self.host_key_alias, value),
            Directive::ConnectTimeout(value) => keep(&mut self.connect_timeout, value),
        }
    }

    fn expanded(self, local: &Local, name: &str, address: &str) -> Settings {
        let jump = self.proxy_jump.as_deref().unwrap_or_default();
        let mut tokens = Tokens {
            name,
            host: address,
            port: self.port.unwrap_or(PORT),
            user: &local.user,
            key_alias: self.host_key_alias.as_deref().unwrap_or(name),
            jump: jump_host(jump),
            local,
        };
        let user = self.user.map(|user| tokens.expand(&user));
        tokens.user = user.as_deref().unwrap_or(&local.user);
        let expand = |value: &str| tokens.expand(value);
        Settings {
            host_name: self.host_name.map(|_| address.to_owned()),
            port: self.port,
            identity_files: as_paths(&self.identity_files, expand),
            certificate_files: as_paths(&self.certificate_files, expand),
            identities_only: self.identities_only,
            identity_agent: self.identity_agent.as_deref().map(expand),
            proxy_jump: self.proxy_jump.as_deref().map(expand),
            proxy_command: self.proxy_command.as_deref().filter(|command| *command != "none").map(expand),
            user_known_hosts: as_paths(&self.user_known_hosts.unwrap_or_default(), expand),
            global_known_hosts: as_paths(&self.global_known_hosts.unwrap_or_default(), str::to_owned),
            strict_host_key_checking: self.strict_host_key_checking,
            host_key_alias: self.host_key_alias.clone(),
            connect_timeout: self.connect_timeout,
            user: user.clone(),
        }
    }
}

/// The last host of a chain of jumps, which ssh(1) calls its jump host, without user and port.
fn jump_host(jump: &str) -> &str {
    let last = jump.rsplit(',').next().unwrap_or_default();
    let last = last.strip_prefix("ssh://").unwrap_or(last);
    let host = last.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => host.split(':').next().unwrap_or_default(),
    }
}
