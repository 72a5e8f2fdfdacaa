use std::process::Command;

use proptest::prelude::*;

use super::*;

/// Three keys of ssh-keygen's, and one of another type.
const OLD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const NEW: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/+/fz7+vn49/b19PPy8fDv7u3s6+rp6Ofm5eTj4uHg";
const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";

fn id(key: &str) -> String {
    keys(format!("{key}\n").as_bytes())[0].id.clone()
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn the_new_key_comes_behind_the_old_one_with_its_options() {
    let check = |file: &str, want: &str| {
        let file = file.replace("OLD", OLD).replace("OTHER", OTHER);
        let want = want.replace("OLD", OLD).replace("NEW", NEW).replace("OTHER", OTHER);
        let new = format!("{NEW} new");
        let got = text(add(file.as_bytes(), (&id(NEW), &new), Some(&id(OLD))).unwrap());
        assert_eq!(got.as_deref(), Some(want.as_str()), "{file}");
        // Twice is once.
        assert_eq!(add(want.as_bytes(), (&id(NEW), &new), Some(&id(OLD))), Ok(None));
    };
    check("OLD\n", "OLD\nNEW new\n");
    check("OLD me@host", "OLD me@host\nNEW new\n");
    check("# who\n\n\tOLD  a b\nOTHER", "# who\n\n\tOLD  a b\n\tNEW new\nOTHER");
    check("OLD a\r\nOTHER\r\n", "OLD a\r\nNEW new\r\nOTHER\r\n");
    check(
        "from=\"10.0.0.0/8,!10.1.1.1\",command=\"echo \\\"a b\\\" # c\",restrict OLD x\n",
        "from=\"10.0.0.0/8,!10.1.1.1\",command=\"echo \\\"a b\\\" # c\",restrict OLD x\n\
         from=\"10.0.0.0/8,!10.1.1.1\",command=\"echo \\\"a b\\\" # c\",restrict NEW new\n",
    );
    check(
        "from=\"a\" OLD\nfrom=\"b\"\tOLD\n",
        "from=\"a\" OLD\nfrom=\"a\" NEW new\nfrom=\"b\"\tOLD\nfrom=\"b\"\tNEW new\n",
    );
    check("#keyrotate-disabled# restrict OLD\n", "#keyrotate-disabled# restrict OLD\nrestrict NEW new\n");
}

#[test]
fn without_an_old_key_the_new_one_comes_last() {
    let check = |file: &str, want: &str| {
        let got = text(add(file.as_bytes(), (&id(NEW), NEW), None).unwrap());
        assert_eq!(got.as_deref(), Some(want.replace("NEW", NEW).as_str()), "{file}");
    };
    check("", "NEW\n");
    check("# none", "# none\nNEW\n");
    check("\n", "\nNEW\n");
    let missing = add(format!("{OTHER}\n# {OLD}\n").as_bytes(), (&id(NEW), NEW), Some(&id(OLD)));
    assert_eq!(missing.unwrap_err(), "the old key is not in the file, and its options not known");
}

#[test]
fn a_key_is_disabled_enabled_and_removed_alone() {
    let file = format!("# a\nfrom=\"x\" {OLD} b \n{OTHER}\n \n{OLD}");
    let disabled = set(file.as_bytes(), &id(OLD), false);
    let want =
        format!("# a\n#keyrotate-disabled# from=\"x\" {OLD} b \n{OTHER}\n \n#keyrotate-disabled# {OLD}");
    assert_eq!(text(disabled.clone()), Some(want));
    let disabled = disabled.unwrap();
    assert_eq!(set(&disabled, &id(OLD), false), None);
    assert_eq!(text(set(&disabled, &id(OLD), true)), Some(file.clone()));
    assert_eq!(set(file.as_bytes(), &id(OLD), true), None);
    let rest = format!("# a\n{OTHER}\n \n");
    assert_eq!(text(remove(file.as_bytes(), &id(OLD))), Some(rest.clone()));
    assert_eq!(text(remove(&disabled, &id(OLD))), Some(rest.clone()));
    assert_eq!(remove(rest.as_bytes(), &id(OLD)), None);
    // A key that is there and disabled is not added but enabled.
    let old = id(OLD);
    assert_eq!(text(add(&disabled, (&old, OLD), Some(&id(OTHER))).unwrap()), Some(file));
}

#[test]
fn only_keys_that_log_in_are_keys() {
    let check = |line: &str, want: &[bool]| {
        let line = line.replace("OLD", OLD);
        let got: Vec<bool> = keys(line.as_bytes()).iter().map(|key| key.is_enabled).collect();
        assert_eq!(got, want, "{line}");
    };
    check("OLD", &[true]);
    check("no-pty OLD\n#keyrotate-disabled# OLD\n", &[true, false]);
    check("# OLD\n #OLD\n", &[]);
    check("cert-authority OLD\nprincipals=\"a\",Cert-Authority OLD", &[]);
    check("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", &[]);
    check("ssh-ed25519 AAAA\nssh-ed25519\nssh-ed25519 !!!!\n", &[]);
    check("command=\"unfinished OLD\n", &[]);
    check("\u{ff}\0 OLD", &[true]);
}

#[test]
fn ids_are_the_fingerprints_of_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorized_keys");
    testkit::write(&path, format!("# a\nrestrict,command=\"x y\" {OLD} c\n{NEW}\n"));
    let Ok(said) = Command::new("ssh-keygen").arg("-lf").arg(&path).output() else { return };
    let said = String::from_utf8(said.stdout).unwrap();
    let want: Vec<&str> = said.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let got = keys(&std::fs::read(&path).unwrap());
    assert_eq!(got.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), want, "{said}");
    assert_eq!(want.len(), 2);
}

/// Files of lines that there may be, and of such as there should not.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(OLD.to_owned()),
        Just(OTHER.to_owned()),
        Just(format!("{} {OTHER}", String::from_utf8_lossy(MARK).trim_end())),
        "[ -~\t]{0,20}",
        "[ -~]{0,9}".prop_map(|options| format!("{options} {OLD} c")),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("")];
    (prop::collection::vec(line, 0..6), prop::collection::vec(any::<u8>(), 0..4), end).prop_map(
        |(lines, bytes, end)| [lines.join("\n").into_bytes(), bytes, end.as_bytes().to_vec()].concat(),
    )
}

proptest! {
    #[test]
    fn what_is_added_is_taken_away_without_a_trace(file in files()) {
        let Ok(Some(added)) = add(&file, (&id(NEW), NEW), Some(&id(OLD))) else { return Ok(()) };
        let new = Listed { id: id(NEW), is_enabled: true };
        prop_assert!(keys(&added).contains(&new));
        let mut ended = file.clone();
        if !ended.ends_with(b"\n") {
            ended.push(b'\n');
        }
        let back = remove(&added, &id(NEW)).unwrap();
        prop_assert!(back == file || back == ended);
    }

    #[test]
    fn what_is_disabled_comes_back_byte_for_byte(file in files()) {
        let Some(disabled) = set(&file, &id(OLD), false) else { return Ok(()) };
        let old = Listed { id: id(OLD), is_enabled: true };
        prop_assert!(!keys(&disabled).contains(&old));
        // One that was disabled before comes along.
        let all = set(&file, &id(OLD), true).unwrap_or_else(|| file.clone());
        prop_assert_eq!(set(&disabled, &id(OLD), true).unwrap(), all);
    }
}
