//! The account on real hosts: each an sshd of its own, with a file of its own.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use testkit::sshd::{Builder, Sshd};

use std::collections::BTreeSet;

use specs::{Faults, parse};

use super::*;

/// Hosts, and the account on them.
struct Hosts {
    servers: Vec<Sshd>,
    folder: tempfile::TempDir,
    provider: Box<dyn Provider>,
    old: Credential,
    new: Credential,
    skipped: BTreeSet<String>,
}

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

impl Hosts {
    /// So many hosts with the key `old`; `more` stands in `[provider]`.
    fn start(count: usize, more: &str) -> Option<Self> {
        Self::of((0..count).map(|_| Sshd::new()).collect(), &format!("file = \"../authorized_keys\"\n{more}"))
    }

    fn of(servers: Vec<Builder>, more: &str) -> Option<Self> {
        let servers = servers.into_iter().map(Builder::start).collect::<Option<Vec<_>>>()?;
        let folder = tempfile::tempdir().unwrap();
        let old = yes(made("old"));
        let mut config = String::new();
        for (name, server) in NAMES.iter().zip(&servers) {
            testkit::write(
                server.path("authorized_keys"),
                format!("# ours\nrestrict {}\n", old.public["public"]),
            );
            let at = |file: &str| server.path(file).display().to_string();
            let host = [
                format!("Host {name}\n HostName 127.0.0.1\n Port {}\n", server.port()),
                format!(" UserKnownHostsFile {}\n IdentityFile {}\n", at("known_hosts"), at("id")),
            ];
            config += &host.concat();
        }
        config += "Host *\n IdentityAgent none\n GlobalKnownHostsFile /dev/null\n";
        testkit::write(folder.path().join("ssh_config"), config);
        let names: Vec<String> = NAMES[..servers.len()].iter().map(|name| format!("{name:?}")).collect();
        let text = format!(
            "[ssh]\nconfig = {:?}\n[provider]\nhosts = [{}]\n{more}\n",
            folder.path().join("ssh_config").display(),
            names.join(", "),
        );
        let provider = provider(&text);
        Some(Self { servers, folder, provider, old, new: yes(made("new")), skipped: BTreeSet::new() })
    }

    fn file(&self, host: usize) -> PathBuf {
        self.servers[host].path("authorized_keys")
    }

    fn text(&self, host: usize) -> String {
        fs::read_to_string(self.file(host)).unwrap()
    }

    /// Calls the provider in the middle of a rotation.
    fn ask<R>(&mut self, ask: impl FnOnce(&mut dyn Provider, &Context<'_>) -> R) -> R {
        let context = Context {
            token: "t",
            old: Some(&self.old),
            new: Some(&self.new),
            prefers_new: false,
            skipped: &self.skipped,
        };
        ask(&mut *self.provider, &context)
    }

    fn check(&mut self, credential: &Credential) -> Answer {
        self.ask(|provider, context| provider.check(credential, context))
    }
}

fn provider(text: &str) -> Box<dyn Provider> {
    let faults = Faults::of(text);
    let mut table = parse(text, &faults);
    let ssh = remote::spec::Ssh::read(table.table("ssh").unwrap());
    let config = Config::read(table.table("provider").unwrap()).unwrap();
    table.finish();
    assert_eq!(faults.into_sorted(), []);
    let place = Place { name: "deploy", timeout: Duration::from_secs(30), jobs: 8, ssh: &ssh };
    config.build(&place).unwrap()
}

#[track_caller]
fn yes<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Yes(value) => value,
        Answer::No(why) => panic!("no: {why}"),
        Answer::Unknown(why) => panic!("unknown: {why}"),
    }
}

#[track_caller]
fn no<T>(answer: Answer<T>) -> String {
    match answer {
        Answer::No(why) => why,
        Answer::Yes(_) => panic!("yes"),
        Answer::Unknown(why) => panic!("unknown: {why}"),
    }
}

#[track_caller]
fn unknown<T>(answer: Answer<T>) -> String {
    match answer {
        Answer::Unknown(why) => why,
        Answer::Yes(_) => panic!("yes"),
        Answer::No(why) => panic!("no: {why}"),
    }
}

#[test]
fn a_key_is_rotated_on_every_host() {
    let Some(mut hosts) = Hosts::start(3, "") else { return };
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    let before = hosts.text(0);
    yes(hosts.ask(|provider, context| provider.ready(context)));
    yes(hosts.check(&old));
    assert!(no(hosts.check(&new)).contains(&new.id));
    for _ in 0..2 {
        assert!(yes(hosts.ask(|provider, context| provider.create(context))).is(&new));
        let want = format!("{before}restrict {}\n", new.public["public"]);
        assert_eq!([hosts.text(0), hosts.text(1), hosts.text(2)], [&want, &want, &want].map(String::as_str));
    }
    yes(hosts.check(&new));
    let control = hosts.provider.corrupted(&new).unwrap();
    assert!(no(hosts.check(&control)).contains(&control.id));
    for _ in 0..2 {
        yes(hosts.ask(|provider, context| provider.disable(&old, context)));
        assert!(hosts.text(1).contains("#keyrotate-disabled# restrict ssh-ed25519 "));
    }
    assert!(no(hosts.check(&old)).contains("gamma: it does not let user"));
    let key = |id: &str, is_enabled| Key { id: id.to_owned(), is_enabled, made: None };
    let mut want = vec![key(&old.id, false), key(&new.id, true)];
    want.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(yes(hosts.ask(|provider, context| provider.list(context))), want);
    yes(hosts.ask(|provider, context| provider.enable(&old, context)));
    yes(hosts.check(&old));
    for _ in 0..2 {
        yes(hosts.ask(|provider, context| provider.delete(&old.id, context)));
        assert_eq!(hosts.text(2), format!("# ours\nrestrict {}\n", new.public["public"]));
    }
    no(hosts.check(&old));
    yes(hosts.check(&new));
    let left = fs::read_dir(hosts.file(0).parent().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("keyrotate-")), "{left:?}");
}

#[test]
fn the_way_back_leaves_no_trace() {
    let Some(mut hosts) = Hosts::start(1, "") else { return };
    let (before, new) = (hosts.text(0), hosts.new.clone());
    yes(hosts.ask(|provider, context| provider.create(context)));
    yes(hosts.ask(|provider, context| provider.delete(&new.id, context)));
    assert_eq!(hosts.text(0), before);
}

/// One of the calls after which the old key is of no more use.
type Ask = fn(&mut dyn Provider, &Credential, &Context<'_>) -> Answer;

#[test]
fn nobody_is_locked_out() {
    let Some(mut hosts) = Hosts::start(2, "") else { return };
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    // The new key has not come to the second host.
    let (first, second) = (hosts.text(0), hosts.text(1));
    testkit::write(hosts.file(0), format!("{first}{}\n", new.public["public"]));
    let asks: [Ask; 2] = [
        |provider, old, context| provider.disable(old, context),
        |provider, old, context| provider.delete(&old.id, context),
    ];
    for ask in asks {
        let why = no(hosts.ask(|provider, context| ask(provider, &old, context)));
        assert!(why.starts_with("beta: it does not let user") && !why.contains("alpha"), "{why}");
        assert_eq!(hosts.text(1), second);
    }
    assert!(!hosts.text(0).contains(&old.public["public"]));
    // Nothing is left to log in with, and nobody else to do it.
    let context =
        Context { token: "t", old: Some(&old), new: None, prefers_new: false, skipped: &BTreeSet::new() };
    let why = no(hosts.provider.disable(&old, &context));
    assert_eq!(why, "there is no other key that could be proved before this one goes");
    let context = Context { old: None, ..context };
    assert!(no(hosts.provider.list(&context)).starts_with("there is no key yet to log in with"));
}

#[test]
fn a_host_that_is_down_is_unknown_by_its_name() {
    let Some(mut hosts) = Hosts::start(3, "") else { return };
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    drop(hosts.servers.remove(1));
    for answer in [
        hosts.ask(|provider, context| provider.ready(context)),
        hosts.ask(|provider, context| provider.create(context)).map(drop),
        hosts.check(&new),
        hosts.ask(|provider, context| provider.list(context)).map(drop),
        hosts.ask(|provider, context| provider.disable(&old, context)),
    ] {
        let why = unknown(answer);
        assert!(why.starts_with("beta: nothing listens on port"), "{why}");
        assert!(!why.contains("alpha") && !why.contains("gamma"), "{why}");
    }
    // All others have done it, and the operator may give this one up.
    assert!(hosts.text(0).contains(&new.public["public"]));
    hosts.skipped.insert("beta".to_owned());
    yes(hosts.check(&new));
    yes(hosts.ask(|provider, context| provider.delete(&old.id, context)));
    assert_eq!(hosts.provider.sites(), NAMES);
}

#[test]
fn one_host_is_a_no_to_both_questions() {
    let Some(mut hosts) = Hosts::start(2, "") else { return };
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    testkit::write(hosts.file(1), format!("{}\n", new.public["public"]));
    let why = no(hosts.check(&new));
    assert!(why.starts_with("alpha: it does not let user"), "{why}");
    let refuses =
        |hosts: &mut Hosts, key: &Credential| hosts.ask(|provider, context| provider.refuses(key, context));
    assert_eq!(no(refuses(&mut hosts, &new)), format!("beta: it accepts {}", new.id));
    assert_eq!(no(refuses(&mut hosts, &old)), format!("alpha: it accepts {}", old.id));
    let control = hosts.provider.corrupted(&new).unwrap();
    yes(refuses(&mut hosts, &control));
    drop(hosts.servers.remove(0));
    assert!(unknown(refuses(&mut hosts, &control)).starts_with("alpha: nothing listens"));
}

#[test]
fn a_link_a_mode_and_the_lines_of_others_stay() {
    let Some(mut hosts) = Hosts::start(1, "") else { return };
    let new = hosts.new.clone();
    let real = hosts.folder.path().join("the keys");
    let text = format!("# a\r\n\u{ff} \u{0}\nssh-rsa broken\n{}", hosts.text(0).trim_end());
    testkit::write(&real, &text);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::remove_file(hosts.file(0)).unwrap();
    symlink(&real, hosts.file(0)).unwrap();
    yes(hosts.ask(|provider, context| provider.create(context)));
    assert!(fs::symlink_metadata(hosts.file(0)).unwrap().is_symlink());
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o640);
    assert_eq!(hosts.text(0), format!("{text}\nrestrict {}\n", new.public["public"]));
    yes(hosts.check(&new));
}

#[test]
fn somebody_else_may_change_the_file() {
    let user = remote::settings::Myself::now().user;
    let Some(mut hosts) = Hosts::start(1, &format!("login = {user:?}\nauth_log = \"/none\"")) else { return };
    // The key of the rotation may do one thing only, and the operator has a key of his own.
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    let operator = fs::read_to_string(hosts.servers[0].path("id.pub")).unwrap();
    testkit::write(hosts.file(0), format!("command=\"echo backup\" {}\n{operator}", old.public["public"]));
    yes(hosts.ask(|provider, context| provider.ready(context)));
    yes(hosts.ask(|provider, context| provider.create(context)));
    let want = format!("command=\"echo backup\" {}\n", new.public["public"]);
    assert!(hosts.text(0).contains(&want), "{}", hosts.text(0));
    yes(hosts.check(&new));
    yes(hosts.ask(|provider, context| provider.disable(&old, context)));
    no(hosts.check(&old));
    yes(hosts.ask(|provider, context| provider.delete(&old.id, context)));
    assert_eq!(hosts.text(0), format!("{want}{operator}"));
    let why = unknown(hosts.ask(|provider, context| provider.usage(&new, context)));
    assert!(why.starts_with("alpha: its log cannot be read: cat: /none"), "{why}");
}

#[test]
fn root_becomes_the_account_for_what_is_in_its_home() {
    let account = "daemon";
    let id = Command::new("id").args(["-u", account]).output().unwrap();
    if !rustix::process::geteuid().is_root() || !id.status.success() || !testkit::has("su") {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("keys/authorized_keys");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(home.path().join("keys")).unwrap();
    let server = Sshd::new().setting(format!("AuthorizedKeysFile {}", file.display()));
    // From any home folder to the top and down again.
    let more = format!("user = {account:?}\nlogin = \"root\"\nfile = \"../../../..{}\"", file.display());
    let Some(mut hosts) = Hosts::of(vec![server], &more) else { return };
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    let operator = fs::read_to_string(hosts.servers[0].path("id.pub")).unwrap();
    testkit::write(&file, format!("{}\n{operator}", old.public["public"]));
    let user = number(&id.stdout);
    // The account may not write there: root must not do it in its place.
    let why = no(hosts.ask(|provider, context| provider.create(context)));
    assert!(why.starts_with("alpha: ") && why.contains("Permission denied"), "{why}");
    for path in [home.path().join("keys"), file.clone()] {
        std::os::unix::fs::chown(path, Some(user), None).unwrap();
    }
    yes(hosts.ask(|provider, context| provider.ready(context)));
    yes(hosts.ask(|provider, context| provider.create(context)));
    yes(hosts.check(&new));
    yes(hosts.ask(|provider, context| provider.delete(&old.id, context)));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n{operator}", new.public["public"]));
    assert_eq!(fs::metadata(&file).unwrap().uid(), user);
}

fn number(printed: &[u8]) -> u32 {
    std::str::from_utf8(printed).unwrap().trim().parse().unwrap()
}

#[test]
fn uses_are_counted_in_the_log_of_sshd() {
    let Some(hosts) = Hosts::start(1, "") else { return };
    let log = hosts.servers[0].path("sshd.log");
    drop(hosts);
    let Some(mut hosts) = Hosts::start(1, &format!("auth_log = {:?}", log.display())) else { return };
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    let (old, new) = (hosts.old.clone(), hosts.new.clone());
    let used = |hosts: &mut Hosts, key: &Credential| {
        yes(hosts.ask(|provider, context| provider.usage(key, context)))
    };
    let line =
        |id: &str| format!("Accepted publickey for me from ::1 port 1 ssh2: ED25519 {id}\nFailed {id}\n");
    testkit::write(&log, [line(&old.id), line(&new.id), line(&old.id)].concat());
    assert_eq!(used(&mut hosts, &old), Usage::Count(2));
    testkit::write(log.with_extension("log.1"), line(&old.id));
    assert_eq!(used(&mut hosts, &old), Usage::Count(3));
    assert_eq!(used(&mut hosts, &new), Usage::Count(1));
    assert_eq!(used(&mut hosts, &yes(made("never"))), Usage::Count(0));
    fs::remove_dir_all(log.parent().unwrap()).unwrap();
    let Some(mut hosts) = Hosts::start(1, "") else { return };
    assert_eq!(used(&mut hosts, &old), Usage::NotTold);
}

#[test]
fn a_key_is_recognised_by_its_private_half() {
    let Some(mut hosts) = Hosts::start(1, "") else { return };
    let old = hosts.old.clone();
    let held = |text: &str| Fields::from([("secret".to_owned(), SecretString::from(text))]);
    let text = old.secret.expose_secret();
    for text in [text, &format!("{text}\n")] {
        let found = yes(hosts.provider.recognise(&held(text)));
        // The comment is in what a passphrase would protect, and not read.
        assert!(found.is(&old) && old.public["public"].starts_with(&found.public["public"]), "{found:?}");
    }
    assert_eq!(no(hosts.provider.recognise(&held("hunter2"))), "the private key is no private key");
    no(hosts.provider.recognise(&Fields::new()));
    let made = yes(hosts.provider.make(None));
    assert!(made.public["public"].contains(" deploy-2"), "{made:?}");
    assert_eq!(hosts.provider.maker(), Maker::Ours);
}
