//! Generated configurations, beside what ssh(1) itself says with `ssh -G`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Settings, SshConfig, Told};

/// Small pieces that meet often: names, patterns and values that overlap.
const NAMES: [&str; 5] = ["web1", "web2", "Web1", "db1.example.com", "w.example.com"];
const PATTERNS: [&str; 10] =
    ["web1", "web*", "*", "!web2", "?eb1", "*.example.com", "db1.example.com", "Web1", "w.example.com", "!*"];
const LISTS: [&str; 6] = ["web1", "web*,!web2", "*.example.com", "WEB1", "*,!w.*", "10.0.0.?"];
const USERS: [&str; 5] = ["ops", "root", "o*,!x", "!ops", "*"];
const LINES: [&str; 30] = [
    "HostName %h.example.com",
    "hostname = w.example.com",
    "HostName 10.0.0.1 # address",
    "HostName W.Example.Com",
    "Port 2222",
    "PORT=2223",
    "\tPort \"2224\"",
    "User ops",
    "User root",
    "User 'a b'",
    "IdentityFile /k/one",
    "IdentityFile ~/two",
    "IdentityFile \"/k/th ree\"",
    "IdentityFile /k/%h",
    "ProxyJump bastion",
    "ProxyJump ops@one:2022,two",
    "ProxyJump none",
    "ProxyCommand none",
    "ProxyCommand nc %h %p",
    "UserKnownHostsFile /kh/%n /kh/two",
    "UserKnownHostsFile=/kh/three",
    "UserKnownHostsFile ~/kh/%r@%h:%p",
    "StrictHostKeyChecking yes",
    "StrictHostKeyChecking=accept-new",
    "StrictHostKeyChecking off",
    "HostKeyAlias alias",
    "HostKeyAlias other # not this",
    "IdentitiesOnly yes",
    "ConnectTimeout 1m5",
    "# Port 1",
];

struct Config {
    random: fastrand::Rng,
}

impl Config {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.random.usize(..of.len())]
    }

    fn head(&mut self) -> String {
        match self.random.u8(..8) {
            0 => format!("Match host {}", self.one(&LISTS)),
            1 => format!("Match originalhost={} user {}", self.one(&LISTS), self.one(&USERS)),
            2 => format!("Match !user {}", self.one(&USERS)),
            3 => format!("Match final host {}", self.one(&LISTS)),
            4 => "Match all".into(),
            _ => format!("Host {} {}", self.one(&PATTERNS), self.one(&PATTERNS)),
        }
    }

    /// A file of some blocks; `include` is a line for one of them.
    fn text(&mut self, include: &str) -> String {
        let mut text = Vec::new();
        for block in 0..self.random.usize(1..6) {
            if block > 0 || self.random.bool() {
                text.push(self.head());
            }
            text.extend((0..self.random.usize(..6)).map(|_| format!("  {}", self.one(&LINES))));
            if !include.is_empty() && self.random.u8(..3) == 0 {
                text.extend([include.to_owned(), self.one(&LINES).to_owned()]);
            }
        }
        text.join("\n") + "\n"
    }
}

/// What `ssh -G` says, each keyword with all its lines; the error when it refuses.
fn asked(config: &Path, name: &str, told: &Told<'_>) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(config).stdin(Stdio::null());
    command.args(told.user.iter().flat_map(|user| ["-l", user]));
    command.args(told.port.iter().flat_map(|port| ["-p".to_owned(), port.to_string()]));
    let output = command.arg(name).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        values.entry(keyword.to_owned()).or_default().push(value.to_owned());
    }
    Ok(values)
}

/// Our settings, in the words of `ssh -G`, with its defaults.
fn ours(settings: &Settings, name: &str) -> BTreeMap<&'static str, String> {
    let paths = |paths: &[std::path::PathBuf]| {
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
    };
    let strict = match settings.strict_host_key_checking.as_deref() {
        None => "ask",
        Some("yes") => "true",
        Some("off" | "no") => "false",
        Some(other) => other,
    };
    let jump = settings.proxy_jump.as_deref().filter(|jump| *jump != "none");
    BTreeMap::from([
        ("hostname", settings.host_name.clone().unwrap_or_else(|| name.to_lowercase())),
        ("port", settings.port.unwrap_or(22).to_string()),
        ("user", settings.user.clone().unwrap_or_default()),
        ("identityfile", paths(&settings.identity_files)),
        ("proxyjump", jump.unwrap_or_default().to_owned()),
        ("proxycommand", settings.proxy_command.clone().unwrap_or_default()),
        ("userknownhostsfile", paths(&settings.user_known_hosts)),
        ("stricthostkeychecking", strict.to_owned()),
        ("hostkeyalias", settings.host_key_alias.clone().unwrap_or_default()),
        ("identitiesonly", if settings.identities_only == Some(true) { "yes" } else { "no" }.into()),
        ("connecttimeout", settings.connect_timeout.map_or_else(|| "none".into(), |s| s.to_string())),
    ])
}

/// Compares all keywords for one name; what only one of both expands is expanded for the other.
fn compare(text: &str, config: &SshConfig, path: &Path, name: &str, told: &Told<'_>) {
    let said = asked(path, name, told).unwrap_or_else(|error| panic!("ssh refuses: {error}\n{text}"));
    let settings = config.settings_for(name, told);
    for (keyword, ours) in ours(&settings, name) {
        let said = said.get(keyword).map(|values| values.join(" ")).unwrap_or_default();
        let host = settings.host_name.clone().unwrap_or_else(|| name.to_lowercase());
        let home = std::env::home_dir().unwrap();
        let said = match keyword {
            "identityfile" if settings.identity_files.is_empty() => continue,
            "userknownhostsfile" if settings.user_known_hosts.is_empty() => continue,
            "user" if settings.user.is_none() => continue,
            "identityfile" => said.replace('~', &home.display().to_string()).replace("%h", &host),
            "proxycommand" => {
                let port = settings.port.unwrap_or(22).to_string();
                said.replace("%h", &host).replace("%p", &port).replace("none", "")
            }
            _ => said,
        };
        assert_eq!(ours, said, "{keyword} of {name} with {told:?} in\n{text}");
    }
}

#[test]
fn generated_configurations_say_what_ssh_says() {
    if Command::new("ssh").arg("-V").stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: ssh is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, included) = (folder.path().join("config"), folder.path().join("included"));
    for seed in 0..150 {
        let mut generator = Config { random: fastrand::Rng::with_seed(seed) };
        let inner = generator.text("");
        let text = generator.text(&format!("Include {}", included.display()));
        testkit::write(&included, &inner);
        testkit::write(&path, &text);
        let config = SshConfig::read(&[&path]).unwrap();
        let both = format!("seed {seed}\n{text}\nincluded:\n{inner}");
        for name in NAMES {
            compare(&both, &config, &path, name, &Told::default());
        }
        let told = Told { user: Some("ops"), port: Some(77), address: None };
        compare(&both, &config, &path, "web1", &told);
    }
}

#[test]
fn what_is_refused_is_refused_by_ssh_too() {
    if Command::new("ssh").arg("-V").stderr(Stdio::null()).status().is_err() {
        eprintln!("skipped: ssh is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let broken = [
        "Port abc",
        "Port 0",
        "Port 70000",
        "Port 22 23",
        "Port",
        "User \"a",
        "Host",
        "Match",
        "Match host",
        "Match hots x",
        "Match all host x",
        "Match host x user y all",
        "IdentitiesOnly maybe",
        "StrictHostKeyChecking perhaps",
        "ConnectTimeout soon",
        "HostName",
        "HostName a b",
        "ProxyJump # a",
        "UserKnownHostsFile",
        "IdentityFile \"\"",
        "ProxyCommand",
    ];
    for line in broken {
        testkit::write(&path, format!("Host other\n{line}\n"));
        assert!(SshConfig::read(&[&path]).is_err(), "not refused: {line}");
        assert!(asked(&path, "web1", &Told::default()).is_err(), "ssh takes {line}");
    }
}
