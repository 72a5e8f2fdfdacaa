use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;

use super::*;

/// A key of `kind` that differs from others by `number`.
fn key(kind: &str, number: u8) -> Vec<u8> {
    let mut key = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    key.extend(kind.bytes());
    key.extend([0, 0, 0, 32]);
    key.extend([number; 32]);
    key
}

fn line(names: &str, kind: &str, number: u8) -> String {
    format!("{names} {kind} {}\n", Base64::encode_string(&key(kind, number)))
}

fn ed(names: &str, number: u8) -> String {
    line(names, "ssh-ed25519", number)
}

fn known(text: impl AsRef<[u8]>) -> KnownHosts {
    let mut index = Index::default();
    index.add(Path::new("F"), text.as_ref());
    index.sort();
    KnownHosts { files: vec!["F".into()], index, accepted: Accepted::default() }
}

fn peer(name: &str) -> Peer<'_> {
    match name.split_once(':') {
        Some((host, port)) => Peer { host, port: port.parse().unwrap() },
        None => Peer { host: name, port: 22 },
    }
}

/// The verdict on ed25519 key 1 in one word.
fn verdict(known: &KnownHosts, name: &str) -> &'static str {
    match known.judge(peer(name), &key("ssh-ed25519", 1)) {
        Verdict::Known => "known",
        Verdict::Unknown => "unknown",
        Verdict::Changed(_) => "changed",
        Verdict::Revoked(_) => "revoked",
        Verdict::Authority(_) => "authority",
    }
}

fn check(text: &str, name: &str, want: &str) {
    assert_eq!(verdict(&known(text), name), want, "{name} in {text}");
}

const HASH_OF_WEB: &str = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|MH0yWlBWK10zQg91i2IwDAI3R1Q=";

/// The name as `ssh-keygen -H` writes it, with a salt of `number`.
fn hashed(name: &str, number: u8) -> String {
    use hmac::{KeyInit, Mac};
    let mut hash = hmac::Hmac::<sha1::Sha1>::new_from_slice(&[number; 20]).unwrap();
    hash.update(name.as_bytes());
    let hash = Base64::encode_string(&hash.finalize().into_bytes());
    format!("|1|{}|{hash}", Base64::encode_string(&[number; 20]))
}

#[test]
fn a_host_is_known_by_its_name_in_any_form() {
    check(&ed("web", 1), "web", "known");
    check(&ed("WEB", 1), "Web", "known");
    check(&ed("db,web,10.0.0.1", 1), "10.0.0.1", "known");
    check(&ed("db,web", 1), "we", "unknown");
    check(&ed("w*b", 1), "web", "known");
    check(&ed("w?b,x", 1), "web", "known");
    check(&ed("*,!web", 1), "web", "unknown");
    check(&ed("!db,*", 1), "web", "known");
    check(&ed("!db", 1), "web", "unknown");
    check(&ed(&hashed("web", 7), 1), "WEB", "known");
    check(&ed(&hashed("web", 7), 1), "db", "unknown");
    check(&ed(HASH_OF_WEB, 1), "x", "unknown");
    check(&ed("2001:db8::1", 1), "web", "unknown");
}

#[test]
fn a_port_other_than_22_is_part_of_the_name() {
    check(&ed("[web]:2222", 1), "web:2222", "known");
    check(&ed("[web]:2222", 1), "web", "unknown");
    check(&ed("[WEB]:*", 1), "web:2222", "known");
    check(&ed(&hashed("[web]:2222", 7), 1), "web:2222", "known");
    // As ssh(1): the key of the host alone will do, another key of it says nothing.
    check(&ed("web", 1), "web:2222", "known");
    check(&ed("web", 2), "web:2222", "unknown");
    check(&(ed("web", 1) + &ed("[web]:2222", 2)), "web:2222", "known");
}

#[test]
fn another_key_is_a_change_and_a_revoked_one_is_refused_first() {
    check(&ed("web", 2), "web", "changed");
    check(&line("web", "ssh-rsa", 1), "web", "changed");
    check(&ed(&hashed("web", 3), 2), "web", "changed");
    check(&(ed("web", 2) + &ed("web", 1)), "web", "known");
    check(&(ed("web", 1) + "@revoked " + &ed("*", 1)), "web", "revoked");
    check(&(ed("web", 1) + "@revoked " + &ed("db", 1)), "web", "known");
    check(&(ed("web", 1) + "@revoked " + &ed("web", 2)), "web", "known");
    check(&(ed("web", 1) + "@revoked " + &ed(&hashed("web", 3), 1)), "web", "revoked");
    check(&(ed("[web]:24", 1) + "@revoked " + &ed("web", 1)), "web:24", "revoked");
    check(&("@revoked ".to_owned() + &ed("web", 2)), "web", "unknown");
    check(&("@cert-authority ".to_owned() + &ed("web", 1)), "web", "authority");
    check(&("@cert-authority ".to_owned() + &ed("*.de", 1)), "web", "unknown");
}

#[test]
fn what_is_no_line_is_passed_over() {
    let good = ed("web", 1);
    for bad in [
        "# web",
        "",
        "   \t ",
        "web",
        "web ssh-ed25519",
        "@revoked",
        "@wrong web ssh-ed25519 AAAA",
        "@revoked @revoked web ssh-ed25519 AAAA",
        "web ssh-ed25519 ####",
        "|1|x|y ssh-ed25519 AAAA",
        "|2|AAAA|AAAA ssh-ed25519 AAAA",
        "web 2048 65537 123456",
        "\u{fffd}\0\u{1}",
    ] {
        check(&format!("{bad}\n{good}"), "web", "known");
        check(&format!("{bad}\n"), "web", "unknown");
    }
    check(&good.replace('\n', "\r\n"), "web", "known");
    check(good.trim_end(), "web", "known");
    check(&good.replace('\n', " a comment\n"), "web", "known");
    check(&format!(" \t{}", good.replace(' ', " \t ")), "web", "known");
    check(&good.replace("ssh-ed25519", "ssh-rsa"), "web", "unknown");
    check(&format!("web,{} {}", "x".repeat(100_000), good.split_once(' ').unwrap().1), "web", "known");
    let mut bytes = b"\xff\xfe\0,web ".to_vec();
    bytes.extend(good.split_once(' ').unwrap().1.bytes());
    assert_eq!(verdict(&known(bytes), "web"), "known");
}

#[test]
fn places_and_fingerprints_are_told() {
    let text = format!("# one\n{}@revoked {}", ed("web", 2), ed("web", 3));
    let judged = known(text).judge(peer("web"), &key("ssh-ed25519", 1));
    let print = fingerprint(&key("ssh-ed25519", 2));
    assert_eq!(judged, Verdict::Changed(vec![format!("ED25519 {print} (F:2)")]));
}

#[test]
fn the_types_that_are_known_are_asked_for_first() {
    let check = |text: &str, name: &str, want: &str| {
        let asked = known(text).algorithms(peer(name));
        assert!(asked.join(",").starts_with(want), "{asked:?}");
        assert_eq!(asked.len(), 6);
    };
    let rsa = line("web", "ssh-rsa", 1);
    check("", "web", "ssh-ed25519,ecdsa-sha2-nistp256,");
    check(&rsa, "web", "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,");
    check(&rsa, "web:2222", "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,");
    check(&(rsa + &ed("web", 1)), "web", "ssh-ed25519,rsa-sha2-512,");
    let hashed_rsa = line(&hashed("web", 1), "ssh-rsa", 1);
    check(&hashed_rsa, "web", "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,");
    let other = ed(&hashed("db", 2), 1) + &line(&hashed("db", 3), "ssh-dss", 1);
    check(&(other.clone() + &hashed_rsa), "web", "rsa-sha2-512,rsa-sha2-256,ssh-ed25519,");
    check(&(other.clone() + &hashed_rsa), "db", "ssh-ed25519,ecdsa-sha2-nistp256,");
    check(&(other + &hashed_rsa), "app", "ssh-ed25519,ecdsa-sha2-nistp256,");
}

#[test]
fn every_hashed_line_of_a_host_counts_wherever_it_stands() {
    let mut text = String::new();
    for number in 0..20 {
        let name = if number % 3 == 0 { "web".to_owned() } else { format!("db{number}") };
        text += &ed(&hashed(&name, number), number);
    }
    let known = known(text);
    let judge = |name: &str, number| known.judge(peer(name), &key("ssh-ed25519", number));
    assert_eq!(known.algorithms(peer("db7")).len(), 6);
    for number in (0..20).rev().chain(0..20) {
        let (own, other) =
            if number % 3 == 0 { ("web".into(), "db1") } else { (format!("db{number}"), "web") };
        assert_eq!(judge(&own, number), Verdict::Known);
        assert!(matches!(judge(other, number), Verdict::Changed(_)));
        assert_eq!(known.algorithms(peer(&own)).len(), 6);
    }
    assert!(matches!(judge("web", 99), Verdict::Changed(others) if others.len() == 7));
}

#[test]
fn what_is_accepted_is_added_once_and_nothing_else_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".ssh/known_hosts");
    let accept = |known: &KnownHosts, name: &str, number| {
        known.accept(peer(name), &key("ssh-ed25519", number)).unwrap()
    };
    let known = KnownHosts::read(std::slice::from_ref(&path)).unwrap();
    assert_eq!(accept(&known, "Web:2222", 1), Verdict::Known);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(accept(&known, "web:2222", 1), Verdict::Known);
    assert!(matches!(accept(&known, "web:2222", 2), Verdict::Changed(_)));
    assert_eq!(known.judge(peer("web:2222"), &key("ssh-ed25519", 1)), Verdict::Known);

    // Somebody else, who ends without a newline.
    let mut other = OpenOptions::new().append(true).open(&path).unwrap();
    other.write_all(ed("db", 5).trim_end().as_bytes()).unwrap();
    assert!(matches!(accept(&known, "db", 6), Verdict::Changed(_)));
    assert_eq!(accept(&known, "db", 5), Verdict::Known);
    assert_eq!(accept(&known, "app", 6), Verdict::Known);
    assert_eq!(fs::read_to_string(&path).unwrap(), ed("[web]:2222", 1) + &ed("db", 5) + &ed("app", 6));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn many_accept_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    let runs = [(); 2].map(|()| KnownHosts::read(std::slice::from_ref(&path)).unwrap());
    std::thread::scope(|scope| {
        for (thread, known) in (0..8).zip(runs.iter().cycle()) {
            scope.spawn(move || {
                for host in 0..20 {
                    let name = format!("web{}", (host + thread) % 20);
                    assert_eq!(known.accept(peer(&name), &key("ssh-ed25519", 1)).unwrap(), Verdict::Known);
                }
            });
        }
    });
    let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    assert_eq!((lines.len(), fs::read_to_string(&path).unwrap().lines().count()), (20, 20));
}

#[test]
fn a_device_remembers_nothing_and_a_link_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let known = KnownHosts::read(&["/dev/null".into()]).unwrap();
    assert_eq!(known.accept(peer("web"), &key("ssh-ed25519", 1)).unwrap(), Verdict::Known);
    assert_eq!(verdict(&known, "web"), "known");
    let link = folder.path().join("link");
    symlink("file", &link).unwrap();
    let known = KnownHosts::read(std::slice::from_ref(&link)).unwrap();
    known.accept(peer("web"), &key("ssh-ed25519", 1)).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), ed("web", 1));
    assert!(link.is_symlink());
    assert!(KnownHosts::read(&[folder.path().to_owned()]).unwrap_err().to_string().contains("cannot read"));
}

/// The numbers of the lines that ssh-keygen(1) finds for `name`; `None` where there is no ssh-keygen.
fn found_by_keygen(path: &Path, name: &str) -> Option<Vec<usize>> {
    let output = Command::new("ssh-keygen").arg("-F").arg(name).arg("-f").arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers =
        text.lines().filter_map(|line| line.split_once("found: line ")?.1.split(' ').next()?.parse().ok());
    Some(numbers.collect())
}

#[test]
fn ssh_keygen_finds_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    let real = "AAAAC3NzaC1lZDI1NTE5AAAAIHk8Qm0rmSIVRDXbhlnsRWgVpkPlAGvfRkx7k8yPSrzT";
    let names = [
        "web",
        "web,db",
        "w*",
        "*,!web",
        "!web,*",
        "[web]:2222",
        "[w?b]:22*",
        "WEB",
        "@revoked web",
        "@cert-authority *",
        "  web\t",
        "10.0.0.1,web",
        "?eb",
        "web*db",
        "!*",
        "web,",
        ",web",
        "@revoked  *,!db",
        "[web]:*,!db",
        "**b",
    ];
    let mut text = String::new();
    for names in names {
        text += &[names, " ssh-ed25519 ", real, " comment\n"].concat();
    }
    for name in ["web", "db", "[web]:2222"] {
        text += &[&hashed(name, 9), " ssh-ed25519 ", real, "\n"].concat();
    }
    OpenOptions::new().create(true).append(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let known = known(&text);
    for name in ["web", "db", "[web]:2222", "10.0.0.1", "webxdb", "[db]:22"] {
        let Some(want) = found_by_keygen(&path, name) else { return };
        let mut ours: Vec<usize> = known.index.lines(name).iter().map(|line| line.number()).collect();
        ours.sort_unstable();
        assert_eq!(ours, want, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))] // each writes to the disk
    #[test]
    fn no_bytes_do_harm(text in prop::collection::vec(any::<u8>(), 0..300), name in "[a-z*?!,|@#]{0,8}") {
        let known = known(text);
        prop_assert_eq!(known.algorithms(Peer { host: &name, port: 22 }).len(), 6);
        let never = known.judge(Peer { host: &name, port: 2222 }, &key("ssh-rsa", 1));
        prop_assert_ne!(never, Verdict::Known);
        prop_assert_eq!(known.judge(Peer { host: &name, port: 22 }, name.as_bytes()), Verdict::Unknown);
    }

    #[test]
    fn what_is_accepted_is_known_afterwards(
        hosts in prop::collection::vec(("[a-zA-Z0-9.-]{1,12}", 1u16.., 0u8..4), 1..12),
        noise in "[a-z |1#@=\n]{0,40}",
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        fs::File::create(&path).unwrap().write_all(noise.as_bytes()).unwrap();
        let known = KnownHosts::read(std::slice::from_ref(&path)).unwrap();
        for (host, port, number) in &hosts {
            let peer = Peer { host, port: *port };
            let before = known.judge(peer, &key("ssh-ed25519", *number));
            let after = known.accept(peer, &key("ssh-ed25519", *number)).unwrap();
            if before != Verdict::Unknown {
                prop_assert_eq!(&after, &before);
            }
            let again = KnownHosts::read(std::slice::from_ref(&path)).unwrap();
            let fresh = again.judge(peer, &key("ssh-ed25519", *number));
            prop_assert_eq!(after == Verdict::Known, fresh == Verdict::Known);
        }
    }
}
