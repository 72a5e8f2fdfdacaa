//! Whole configurations, and what holds for a name.

use super::*;

/// Reads `files` (name and text) from a folder, and hands on the first.
fn config(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<SshConfig>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        testkit::write(folder.path().join(name), text.replace("DIR", &folder.path().display().to_string()));
    }
    let read = SshConfig::read(&[&folder.path().join(files[0].0)]);
    (folder, read)
}

fn of(text: &str) -> SshConfig {
    config(&[("config", text)]).1.unwrap()
}

#[test]
fn the_first_value_wins_and_lists_grow() {
    let config = of("IdentityFile /all\nHost web*\n Port 1\n IdentityFile /web\nHost *\nPort 2\nUser u\n\
                     IdentityFile /any\nIdentityFile /all\nUserKnownHostsFile /a /b\nUserKnownHostsFile /c\n");
    let web = config.settings("web1");
    assert_eq!((web.port, web.user.as_deref()), (Some(1), Some("u")));
    assert_eq!(web.identity_files, ["/all", "/web", "/any"].map(PathBuf::from));
    assert_eq!(web.user_known_hosts, ["/a", "/b"].map(PathBuf::from));
    assert_eq!(config.settings("db1").port, Some(2));
}

#[test]
fn what_is_told_is_first() {
    let config = of("Match user ops host 10.*\nPort 7\nHost *\nUser root\nHostName %h.example.com\n");
    let told = Told { user: Some("ops"), address: Some("10.0.0.1"), port: None };
    let settings = config.settings_for("web1", &told);
    assert_eq!(settings.port, Some(7));
    assert_eq!(settings.host_name.as_deref(), Some("10.0.0.1"));
    assert_eq!(config.settings("web1").port, None);
    let scoped = config.settings_for("x", &Told { address: Some("fe80::1%eth0"), ..Told::default() });
    assert_eq!(scoped.host_name.as_deref(), Some("fe80::1%eth0"));
}

#[test]
fn tokens_are_those_of_the_host() {
    let config = of("Host web1\nHostName %h.Example.com\nPort 2\nUser ops\nHostKeyAlias a\n\
                     ProxyJump b@bastion:3\nIdentityFile /k/%n/%h/%p/%r/%k/%j/%%\n");
    let settings = config.settings("web1");
    assert_eq!(settings.identity_files, [PathBuf::from("/k/web1/web1.example.com/2/ops/a/bastion/%")]);
}

#[test]
fn the_first_of_jump_and_command_wins() {
    let config = of("Host a\nProxyCommand nc %h %p\nHost b d\nProxyJump none\nHost d\n\
                     ProxyCommand nc\nHost *\nProxyJump j\nProxyCommand none\n");
    let check = |name: &str, jump: Option<&str>, command: Option<&str>| {
        let settings = config.settings(name);
        assert_eq!((settings.proxy_jump.as_deref(), settings.proxy_command.as_deref()), (jump, command));
    };
    check("a", None, Some("nc a 22"));
    check("b", Some("none"), None);
    check("c", Some("j"), None);
    check("d", Some("none"), Some("nc"));
}

#[test]
fn included_files_stay_within_their_block() {
    let (_folder, config) = config(&[
        ("config", "Host web*\nInclude DIR/web.conf DIR/none\nUser after\nHost *\nUser any\n"),
        ("web.conf", "Port 5\nHost web1 db1\nPort 6\nUser one\n"),
    ]);
    let config = config.unwrap();
    let check = |name: &str, port: Option<u16>, user: &str| {
        let settings = config.settings(name);
        assert_eq!((settings.port, settings.user.as_deref()), (port, Some(user)), "{name}");
    };
    check("web1", Some(5), "one");
    check("web2", Some(5), "after");
    check("db1", None, "any");
}

#[test]
fn a_final_match_sees_the_address() {
    let config = of("Host web1\nHostName w.example.com\nMatch final host *.example.com\nPort 9\n\
                     Host w.example.com\nUser late\n");
    let settings = config.settings("web1");
    assert_eq!((settings.port, settings.user.as_deref()), (Some(9), Some("late")));
    assert_eq!(settings.host_name.as_deref(), Some("w.example.com"));
    assert_eq!(config.settings("web2").host_name, None);
}

#[test]
fn a_command_is_never_run_and_that_is_told() {
    let config = of("Match exec \"touch /tmp/x\"\nPort 1\nMatch all\nPort 2\nIdentityFile /x/%C\n");
    assert_eq!(config.settings("a").port, Some(2));
    let told: Vec<String> =
        config.findings().iter().map(|found| format!("{}: {}", found.place.line, found.what)).collect();
    let want = [
        "1: `match exec` is not asked here; its block is passed over",
        "5: the token %C is not expanded here in identityfile",
    ];
    assert_eq!(told, want);
}

#[test]
fn a_broken_line_is_named() {
    let check = |files: &[(&str, &str)], want: &str| {
        let (_folder, read) = config(files);
        let error = read.unwrap_err().to_string();
        assert!(error.ends_with(want), "{error}");
    };
    check(&[("config", "\n# x\nPort abc\n")], "/config:3: `abc` is no port");
    check(&[("config", "Host\n")], "/config:1: host has no pattern");
    check(
        &[("config", "Include DIR/a\n"), ("a", "\nMatch hots x\n")],
        "/a:2: `hots` is no criterion of match",
    );
    check(
        &[("config", "Include DIR/config\n")],
        "/config:1: an include more than 16 files deep; does a file include itself?",
    );
    check(
        &[("config", &"Include DIR/config DIR/config\n".repeat(1_000))],
        "an include more than 16 files deep; does a file include itself?",
    );
    let twice = |next: usize| format!("Include DIR/{next}\n").repeat(10);
    let files: Vec<(String, String)> = (0..9).map(|at| (at.to_string(), twice(at + 1))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let config = [[("config", "Include DIR/0\n"), ("9", "")].as_slice(), &files].concat();
    check(&config, "more than 10000 files are included; do files include each other?");
    assert!(SshConfig::read(&[Path::new("/etc")]).unwrap_err().to_string().starts_with("cannot read /etc: "));
    assert!(SshConfig::read(&[Path::new("/nowhere/config")]).unwrap().hosts().is_empty());
}

#[test]
fn other_encodings_are_for_comments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    testkit::write(&path, b" # gr\xfc\xdfe\nPort 3\n");
    assert_eq!(SshConfig::read(&[&path]).unwrap().settings("x").port, Some(3));
    testkit::write(&path, b"User gr\xfc\xdfe\n");
    let error = SshConfig::read(&[&path]).unwrap_err().to_string();
    assert!(error.ends_with("config:1: bytes that are no UTF-8"), "{error}");
}

#[test]
fn hosts_are_the_names_that_are_no_patterns() {
    let config = of("Host web1 web2 !web3 db*\nUser u\nHost *\nPort 2\nHost web1\nHostName 10.0.0.1\n");
    let hosts = config.hosts();
    let told: Vec<_> = hosts
        .iter()
        .map(|host| (host.name.as_str(), host.place.line, host.address.as_deref(), host.port))
        .collect();
    assert_eq!(told, [("web1", 1, Some("10.0.0.1"), Some(2)), ("web2", 1, None, Some(2))]);
}
