//! A target from the inventory, the SSH configuration and the flags.
//!
//! A flag says more than the inventory, that more than the SSH configuration, as `ssh -l` says more
//! than `User`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use hosts::Host;
use hosts::ssh_config::{Settings, SshConfig, Told};

use crate::failure::{Class, Failure, Phase};
use crate::target::{Login, Target, Trust};

/// More hosts in a row are a circle.
const LONGEST_CHAIN: usize = 8;

/// The key files that ssh(1) tries when none is named, those that can be used here.
const DEFAULT_KEYS: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

/// What the flags say about all hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--user`; not for jump hosts.
    pub user: Option<String>,
    /// `--port`; not for jump hosts.
    pub port: Option<u16>,
    /// `--key`.
    pub keys: Vec<PathBuf>,
    /// `--jump`.
    pub jump: Option<String>,
    /// `--known-hosts`.
    pub known_hosts: Vec<PathBuf>,
    /// `--accept-new`.
    pub accepts_new: bool,
    /// `--no-agent`.
    pub uses_no_agent: bool,
}

/// Whose run it is.
#[derive(Debug, Clone, Default)]
pub struct Myself {
    /// The user that runs this.
    pub user: String,
    /// The home folder.
    pub home: PathBuf,
    /// `SSH_AUTH_SOCK`.
    pub agent: Option<PathBuf>,
}

impl Myself {
    /// Whoever runs this, by the user database; the home folder is `HOME`, or the database's.
    #[must_use]
    pub fn now() -> Self {
        let entry = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
        let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
        Self {
            user: entry.map_or_else(|| std::env::var("USER").unwrap_or_default(), |user| user.name),
            home: std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")),
            agent: agent.map(PathBuf::from),
        }
    }
}

/// Makes targets of hosts.
pub struct Settler<'a> {
    config: &'a SshConfig,
    flags: &'a Flags,
    myself: &'a Myself,
    /// For jump hosts that the inventory knows.
    by_name: BTreeMap<&'a str, &'a Host>,
    logins: BTreeSet<Arc<Login>>,
    trusts: BTreeSet<Arc<Trust>>,
}

impl<'a> Settler<'a> {
    /// `inventory` is every host that is known, selected or not: jump hosts are looked up there.
    #[must_use]
    pub fn new(config: &'a SshConfig, flags: &'a Flags, myself: &'a Myself, inventory: &'a [Host]) -> Self {
        let by_name = inventory.iter().map(|host| (host.name.as_str(), host)).collect();
        Self { config, flags, myself, by_name, logins: BTreeSet::new(), trusts: BTreeSet::new() }
    }

    /// Everything that is needed to reach `host`.
    ///
    /// # Errors
    /// When what is told about it cannot be done, such as a `ProxyCommand`.
    pub fn target(&mut self, host: &Host) -> Result<Target, Failure> {
        self.settle(host, self.flags, 0)
    }

    fn settle(&mut self, host: &Host, flags: &Flags, depth: usize) -> Result<Target, Failure> {
        let user = flags.user.as_deref().or(host.user.as_deref());
        let told = Told { address: host.address.as_deref(), user, port: flags.port.or(host.port) };
        let settings = self.config.settings_for(&host.name, &told);
        let jump = flags.jump.clone().or_else(|| host.jump.clone()).or_else(|| settings.proxy_jump.clone());
        if jump.is_none() && settings.proxy_command.as_deref().is_some_and(|command| command != "none") {
            return Err(cannot(
                "its SSH configuration has a ProxyCommand, which is not run here; use ProxyJump",
            ));
        }
        let jumps = self.jumps(jump.as_deref().unwrap_or("none"), depth)?;
        Ok(Target {
            name: Arc::from(host.name.as_str()),
            address: settings.host_name.clone().unwrap_or_else(|| host.name.clone()),
            port: settings.port.unwrap_or(22),
            user: settings.user.clone().unwrap_or_else(|| self.myself.user.clone()),
            login: self.login(&flags.keys, host, &settings),
            trust: self.trust(&settings),
            key_alias: settings.host_key_alias,
            jumps,
        })
    }

    /// The chain `a,b`: `a` is reached directly or by its own jump hosts, `b` through `a`.
    fn jumps(&mut self, chain: &str, depth: usize) -> Result<Vec<Arc<Target>>, Failure> {
        if chain.eq_ignore_ascii_case("none") || chain.is_empty() {
            return Ok(Vec::new());
        }
        if depth == LONGEST_CHAIN {
            return Err(cannot("its jump hosts go through each other in a circle"));
        }
        let mut targets: Vec<Arc<Target>> = Vec::new();
        for hop in chain.split(',') {
            let (host, user) = self.hop(hop.trim())?;
            let jump = (!targets.is_empty()).then(|| "none".to_owned());
            let flags = Flags { user, port: None, jump, ..self.flags.clone() };
            let mut target = self.settle(&host, &flags, depth + 1)?;
            let before = std::mem::take(&mut target.jumps);
            targets.extend(before);
            targets.push(Arc::new(target));
        }
        Ok(targets)
    }

    /// A jump host by its name in the inventory, or `[user@]host[:port]`.
    fn hop(&self, text: &str) -> Result<(Host, Option<String>), Failure> {
        let text = text.strip_prefix("ssh://").unwrap_or(text);
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, text),
        };
        if let Some(&host) = self.by_name.get(rest) {
            return Ok((host.clone(), user));
        }
        let (name, port) = split_port(rest);
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port)) if port > 0 => Some(port),
            Some(_) => return Err(cannot(&format!("its jump host `{text}` has no port that is one"))),
        };
        if name.is_empty() {
            return Err(cannot(&format!("its jump host `{text}` is no [user@]host[:port]")));
        }
        let known = self.by_name.get(name).map(|&host| host.clone());
        let mut host = known.unwrap_or_else(|| Host::named(name, hosts::Place::default()));
        host.port = port.or(host.port);
        Ok((host, user))
    }

    fn login(&mut self, keys: &[PathBuf], host: &Host, settings: &Settings) -> Arc<Login> {
        let named = [keys, &host.keys, &settings.identity_files];
        let named = named.into_iter().find(|keys| !keys.is_empty()).map(<[PathBuf]>::to_vec);
        let is_default = named.is_none();
        let defaults = || DEFAULT_KEYS.map(|name| self.myself.home.join(".ssh").join(name)).to_vec();
        let login = Login {
            held: Vec::new(),
            keys: named.unwrap_or_else(defaults),
            certificates: settings.certificate_files.clone(),
            is_default,
            agent: self.agent(settings),
            identities_only: settings.identities_only.unwrap_or(false),
        };
        shared(&mut self.logins, login)
    }

    fn agent(&self, settings: &Settings) -> Option<PathBuf> {
        if self.flags.uses_no_agent {
            return None;
        }
        match settings.identity_agent.as_deref() {
            Some("none") => None,
            None | Some("SSH_AUTH_SOCK") => self.myself.agent.clone(),
            Some(path) => Some(PathBuf::from(path)),
        }
    }

    fn trust(&mut self, settings: &Settings) -> Arc<Trust> {
        let user = |name: &str| self.myself.home.join(".ssh").join(name);
        let mut files = self.flags.known_hosts.clone();
        if files.is_empty() {
            files = or(&settings.user_known_hosts, &[user("known_hosts"), user("known_hosts2")]);
            let global = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
            files.extend(or(&settings.global_known_hosts, &global.map(PathBuf::from)));
        }
        let strict = settings.strict_host_key_checking.as_deref();
        // `no` and `off` would also take a changed key, which is never done here.
        let accepts_new = matches!(strict, Some("accept-new" | "no" | "off"));
        shared(&mut self.trusts, Trust { files, accepts_new: self.flags.accepts_new || accepts_new })
    }
}

fn or(told: &[PathBuf], otherwise: &[PathBuf]) -> Vec<PathBuf> {
    if told.is_empty() { otherwise.to_vec() } else { told.to_vec() }
}

/// Ten thousand hosts have a handful of logins between them.
fn shared<T: Ord>(all: &mut BTreeSet<Arc<T>>, one: T) -> Arc<T> {
    if let Some(known) = all.get(&one) {
        return Arc::clone(known);
    }
    let one = Arc::new(one);
    all.insert(Arc::clone(&one));
    one
}

/// `host:port` and `[::1]:port`; an address of IPv6 without brackets has no port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((inside, behind)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (inside, behind.strip_prefix(':'));
    }
    match text.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        _ => (text, None),
    }
}

fn cannot(what: &str) -> Failure {
    Failure::new(Class::Config, Phase::Queue, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(host: &Host, flags: &Flags, inventory: &[Host]) -> Result<String, String> {
        let config = SshConfig::default();
        let myself = Myself { user: "me".into(), home: "/home/me".into(), agent: None };
        let mut settler = Settler::new(&config, flags, &myself, inventory);
        let target = settler.target(host).map_err(|failure| failure.what)?;
        let told = |target: &Target| format!("{}@{}:{}", target.user, target.address, target.port);
        let chain: Vec<String> = target.jumps.iter().map(|jump| told(jump)).chain([told(&target)]).collect();
        Ok(chain.join(" > "))
    }

    fn named(name: &str) -> Host {
        Host::named(name, hosts::Place::default())
    }

    #[test]
    fn a_flag_says_more_than_the_inventory() {
        let host = || Host { user: Some("ops".into()), port: Some(2222), ..named("web") };
        let check = |flags: &Flags, want: &str| assert_eq!(settle(&host(), flags, &[]).as_deref(), Ok(want));
        check(&Flags::default(), "ops@web:2222");
        check(&Flags { user: Some("root".into()), ..Flags::default() }, "root@web:2222");
        check(&Flags { port: Some(22), ..Flags::default() }, "ops@web:22");
    }

    #[test]
    fn jump_hosts_are_looked_up_and_follow_their_own() {
        let inventory = [
            Host { address: Some("192.0.2.1".into()), jump: Some("gate".into()), ..named("bastion") },
            Host { user: Some("door".into()), ..named("gate") },
            Host { jump: Some("b".into()), ..named("a") },
            Host { jump: Some("a".into()), ..named("b") },
        ];
        let check = |jump: &str, want: Result<&str, &str>| {
            let host = Host { jump: Some(jump.into()), ..named("web") };
            let flags = Flags { user: Some("root".into()), ..Flags::default() };
            let got = settle(&host, &flags, &inventory);
            assert_eq!(got.as_deref().map_err(String::as_str), want, "{jump}");
        };
        check("none", Ok("root@web:22"));
        check("x", Ok("me@x:22 > root@web:22"));
        check("u@x:23", Ok("u@x:23 > root@web:22"));
        check("[2001:db8::1]:23", Ok("me@2001:db8::1:23 > root@web:22"));
        check("bastion", Ok("door@gate:22 > me@192.0.2.1:22 > root@web:22"));
        check("x,bastion", Ok("me@x:22 > me@192.0.2.1:22 > root@web:22"));
        check("a", Err("its jump hosts go through each other in a circle"));
        check("x:0", Err("its jump host `x:0` has no port that is one"));
        check("u@", Err("its jump host `u@` is no [user@]host[:port]"));
    }

    #[test]
    fn equal_logins_are_shared() {
        let (config, flags, myself) = (SshConfig::default(), Flags::default(), Myself::default());
        let mut settler = Settler::new(&config, &flags, &myself, &[]);
        let [a, b] = ["a", "b"].map(|name| settler.target(&named(name)).unwrap());
        assert!(Arc::ptr_eq(&a.login, &b.login) && Arc::ptr_eq(&a.trust, &b.trust));
    }
}
