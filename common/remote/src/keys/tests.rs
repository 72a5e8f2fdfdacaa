use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;

use super::*;

/// Keys that ssh-keygen(1) makes in a folder of their own.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// False where there is no ssh-keygen, or where it makes no such key.
    fn keygen(&self, args: &str) -> bool {
        let mut command = Command::new("ssh-keygen");
        command.current_dir(self.0.path()).arg("-q");
        // `''` is an empty argument.
        command.args(args.split(' ').map(|arg| if arg == "''" { "" } else { arg }));
        command.output().is_ok_and(|output| output.status.success())
    }

    fn put(&self, name: &str, text: &str) {
        let mut file = File::create(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.chmod(name, 0o600);
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn login(&self, keys: &[&str], certificates: &[&str]) -> Arc<Login> {
        let paths = |names: &[&str]| names.iter().map(|name| self.path(name)).collect();
        Arc::new(Login {
            held: Vec::new(),
            keys: paths(keys),
            certificates: paths(certificates),
            is_default: false,
            agent: None,
            identities_only: false,
        })
    }

    fn identities(&self, keys: &[&str], certificates: &[&str], passphrase: Option<&str>) -> Arc<Identities> {
        let ring = Keyring::new(passphrase.map(Passphrase::of));
        ring.identities(&self.login(keys, certificates))
    }

    /// The troubles with `names`, without the name of the folder.
    fn troubles(&self, names: &[&str], passphrase: Option<&str>) -> Vec<String> {
        let folder = format!("{}/", self.0.path().display());
        let troubles = &self.identities(names, &[], passphrase).troubles;
        troubles.iter().map(|trouble| trouble.what.replace(&folder, "")).collect()
    }

    /// The key in `name` opens, and its public half is what ssh-keygen wrote.
    fn opens(&self, name: &str, passphrase: Option<&str>) {
        let identities = self.identities(&[name], &[], passphrase);
        let [key] = identities.keys.as_slice() else { panic!("{name}: {identities:?}") };
        let public = self.text(&format!("{}.pub", name.split('.').next().unwrap()));
        let want: Vec<&str> = public.split_whitespace().take(2).collect();
        assert_eq!(Base64::encode_string(&key.blob), want[1], "{name}");
    }
}

#[test]
fn every_form_of_key_is_opened() {
    let folder = Folder::new();
    for kind in ["ed25519", "rsa -b 2048", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"] {
        let name = kind.replace(" -b ", "");
        if !folder.keygen(&format!("-t {kind} -N '' -f {name}")) {
            return;
        }
        folder.opens(&name, None);
        folder.opens(&name, Some("not needed"));
        let text = folder.text(&name);
        folder.put(&format!("{name}.crlf"), &text.replace('\n', "\r\n"));
        folder.opens(&format!("{name}.crlf"), None);
        folder.put(&format!("{name}.noise"), &format!("a note\n{text}\nanother\n"));
        folder.opens(&format!("{name}.noise"), None);
        let forms = if kind == "ed25519" { &[""][..] } else { &["", "-m PEM ", "-m PKCS8 "] };
        for (number, form) in forms.iter().enumerate() {
            let [clear, locked] = ["clear", "locked"].map(|what| format!("{name}.{what}{number}"));
            folder.put(&clear, &text);
            assert!(folder.keygen(&format!("-p -N '' {form}-f {clear}")));
            folder.opens(&clear, None);
            folder.put(&locked, &text);
            assert!(folder.keygen(&format!("-p -N secret -a 2 {form}-f {locked}")));
            folder.opens(&locked, Some("secret"));
            let told = |what: &str| vec![format!("{locked} {what}")];
            assert_eq!(folder.troubles(&[&locked], Some("wrong")), told("has another passphrase"));
            let want = told("has a passphrase; give it with --passphrase-fd, or the key to an agent");
            assert_eq!(folder.troubles(&[&locked], None), want);
        }
    }
}

#[test]
fn every_cipher_of_a_passphrase_is_known_or_told() {
    let folder = Folder::new();
    let ciphers = [
        "aes128-cbc",
        "aes192-cbc",
        "aes256-cbc",
        "aes128-ctr",
        "aes192-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
    ];
    for cipher in ciphers {
        let name = &cipher[..10];
        if !folder.keygen(&format!("-t ed25519 -N secret -a 2 -Z {cipher} -f {name}")) {
            return;
        }
        folder.opens(name, Some("secret"));
        assert_eq!(folder.troubles(&[name], Some("wrong")), [format!("{name} has another passphrase")]);
    }
    assert!(folder.keygen("-t ed25519 -N secret -a 2 -Z chacha20-poly1305@openssh.com -f c"));
    let want =
        "c is protected with a cipher that is not known here; `ssh-keygen -p -Z aes256-ctr -f c` changes it";
    assert_eq!(folder.troubles(&["c"], Some("secret")), [want]);
}

#[test]
fn a_secret_that_begins_with_a_zero_is_whole() {
    let folder = Folder::new();
    // Half of them do: seven of one kind come about once in a hundred runs.
    for number in 0..7 {
        if !folder.keygen(&format!("-t ecdsa -b 521 -N '' -f key{number}")) {
            return;
        }
        folder.opens(&format!("key{number}"), None);
    }
}

#[test]
fn what_is_no_usable_key_is_told() {
    let folder = Folder::new();
    if !folder.keygen("-t ed25519 -N '' -f key") {
        return;
    }
    let check = |name: &str, want: &str| assert_eq!(folder.troubles(&[name], None), [want]);
    check("none", "cannot read none: No such file or directory (os error 2)");
    check("key.pub", "key.pub is a public key, and no agent has its other half");
    folder.put("empty", "");
    check("empty", "empty holds no private key");
    folder.put("putty", "PuTTY-User-Key-File-3: ssh-ed25519\n");
    check("putty", "putty is a key of PuTTY; `puttygen putty -O private-openssh -o NEW` makes it usable");
    let text = folder.text("key");
    folder.put("cut", &text[..text.len() / 2]);
    check("cut", "cut is damaged");
    let mut swapped: Vec<&str> = text.lines().collect();
    swapped.swap(2, 3);
    folder.put("swapped", &swapped.join("\n"));
    check("swapped", "swapped is damaged");
    folder.put("pem", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
    check("pem", "pem is damaged");
    if folder.keygen("-t dsa -N '' -f dsa") {
        check("dsa", "dsa is a DSA key, which no host takes any more; make an ed25519 key");
    }
    for mode in [0o640, 0o604, 0o620] {
        folder.chmod("key", mode);
        check("key", &format!("key is not used: others may read it (mode {mode:04o}); `chmod 600 key`"));
    }
}

#[test]
fn a_missing_key_counts_only_when_it_was_named() {
    let folder = Folder::new();
    let named = folder.login(&["none"], &[]);
    let default = Arc::new(Login { is_default: true, ..(*named).clone() });
    let ring = Keyring::default();
    assert_eq!(ring.identities(&named).troubles.len(), 1);
    assert_eq!(ring.identities(&default).troubles, []);
}

#[test]
fn the_public_half_is_known_without_the_passphrase() {
    let folder = Folder::new();
    if !folder.keygen("-t rsa -b 2048 -N secret -a 2 -f new") {
        return;
    }
    assert!(folder.keygen("-t rsa -b 2048 -N secret -m PEM -f old"));
    for name in ["new", "old", "new.pub"] {
        let public = public::parse(folder.text(&format!("{}.pub", &name[..3])).as_bytes()).unwrap();
        let identities = folder.identities(&[name], &[], None);
        assert_eq!(identities.publics, [public], "{name}");
        assert!(identities.keys.is_empty());
    }
}

#[test]
fn a_certificate_comes_before_its_key() {
    let folder = Folder::new();
    if !folder.keygen("-t ed25519 -N '' -f ca") {
        return;
    }
    assert!(folder.keygen("-t ed25519 -N '' -f a") && folder.keygen("-t rsa -b 2048 -N '' -f b"));
    let labels = |keys: &[&str], certificates: &[&str]| -> (Vec<String>, Vec<String>) {
        let identities = folder.identities(keys, certificates, None);
        let name = |label: &String| label.replace(&format!("{}/", folder.0.path().display()), "");
        let troubles = identities.troubles.iter().map(|trouble| name(&trouble.what)).collect();
        (identities.keys.iter().map(|key| name(&key.label)).collect(), troubles)
    };
    let none: Vec<String> = Vec::new();
    assert!(folder.keygen("-s ca -I x -n me a.pub"));
    assert_eq!(labels(&["b", "a"], &[]), (vec!["b".into(), "a-cert.pub".into(), "a".into()], none.clone()));
    assert_eq!(labels(&["a"], &["a-cert.pub"]), (vec!["a-cert.pub".into(), "a".into()], none));
    let other = vec!["a-cert.pub is the certificate of none of the keys".to_owned()];
    assert_eq!(labels(&["b"], &["a-cert.pub"]), (vec!["b".into()], other));
    fs::copy(folder.path("a-cert.pub"), folder.path("b-cert.pub")).unwrap();
    let other = vec!["b-cert.pub is the certificate of another key".to_owned()];
    assert_eq!(labels(&["b"], &[]), (vec!["b".into()], other));
    let check = |sign: &str, want: &str| {
        assert!(folder.keygen(&format!("-s ca -I x {sign} a.pub")));
        assert_eq!(labels(&["a"], &[]), (vec!["a".into()], vec![want.to_owned()]), "{sign}");
    };
    check("-n me -V -5d:-3d", "a-cert.pub expired 3 days ago");
    check("-n me -V +60h:+99h", "a-cert.pub is valid only in 2 days");
    check("-h -n me", "a-cert.pub is the certificate of a host, not of a user");
    folder.put("a-cert.pub", "ssh-ed25519 AAAA\n");
    assert_eq!(labels(&["a"], &[]).1, ["a-cert.pub holds no certificate"]);
}

#[test]
fn a_key_that_is_made_is_one_for_everybody() {
    let folder = Folder::new();
    // Comments of all lengths: the padding behind them is another one with each.
    for comment in ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "web 2026-01-02", "ä"] {
        let text = ed25519(comment).unwrap();
        let held = Held::open("it", text.as_bytes()).unwrap();
        assert_ne!(*ed25519(comment).unwrap(), *text);
        folder.put("made", &text);
        folder.put("made.pub", &format!("{} {comment}\n", held.public()));
        folder.opens("made", None);
        let Ok(said) = Command::new("ssh-keygen").args(["-y", "-f"]).arg(folder.path("made")).output() else {
            return;
        };
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let want = format!("{} {comment}", held.public());
        assert_eq!(String::from_utf8_lossy(&said.stdout).trim_end(), want.trim_end());
        // ssh-keygen writes a file of its own that is as long, line for line.
        assert!(folder.keygen(&format!("-p -N '' -f {}", folder.path("made").display())));
        let lengths = |text: &str| text.lines().map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&folder.text("made")), lengths(&text), "{comment}");
        let said = Command::new("ssh-keygen").args(["-l", "-f"]).arg(folder.path("made.pub")).output();
        let said = String::from_utf8(said.unwrap().stdout).unwrap();
        assert_eq!(said.split(' ').nth(1), Some(held.fingerprint().as_str()));
    }
}

#[test]
fn a_key_in_memory_comes_alone_and_shows_nothing() {
    let keys: Vec<Held> =
        ["a", "b"].iter().map(|name| Held::open(name, ed25519("").unwrap().as_bytes()).unwrap()).collect();
    let ring = Keyring::default();
    let identities = ring.identities(&Arc::new(Login::with(keys.clone())));
    let labels: Vec<&str> = identities.keys.iter().map(|key| key.label.as_str()).collect();
    assert_eq!((labels, identities.troubles.len()), (vec!["a", "b"], 0));
    assert_eq!(format!("{keys:?}"), r#"[Held("a"), Held("b")]"#);
    let check = |text: &str, want: &str| {
        assert_eq!(Held::open("it", text.as_bytes()).unwrap_err().to_string(), want);
    };
    check("hunter2", "it is no private key");
    check("-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", "it is damaged");
    check(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
        "it is protected with a passphrase, which nobody can give here",
    );
}

proptest! {
    #[test]
    fn no_bytes_do_harm(mut key in prop::collection::vec(any::<u8>(), 0..200), text in "[ -~\n]{0,60}") {
        prop_assert!(private::open(text.as_bytes(), Some(b"x")).is_err());
        key.splice(..0, *b"openssh-key-v1\0");
        let begin = openssh::BEGIN;
        let text = format!("{begin}\n{}\n{}", Base64::encode_string(&key), begin.replace("BEGIN", "END"));
        prop_assert!(private::open(text.as_bytes(), Some(b"x")).is_err());
    }
}

#[test]
fn nothing_secret_is_printed() {
    let folder = Folder::new();
    if !folder.keygen("-t ed25519 -N '' -f key") {
        return;
    }
    let ring = Keyring::new(Some(Passphrase::of("secret")));
    ring.identities(&folder.login(&["key"], &[]));
    let printed = format!("{ring:?}");
    let private = &ring.identities(&folder.login(&["key"], &[])).keys[0].private;
    let bytes = private.raw_private_key().unwrap();
    let as_list = format!("{bytes:?}");
    assert!(!printed.contains("secret") && !printed.contains(as_list.trim_matches(['[', ']'])), "{printed}");
}
