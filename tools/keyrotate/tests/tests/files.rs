//! Targets and consumers that are files, through the binary.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

const AT_ONCE: &str =
    "[gates]\nchecks = 1\nwindow = \"0s\"\nsoak = \"0s\"\nunused = \"0s\"\nwatch = \"0s\"\n";

/// A service that takes what a line of its file has, and is asked itself.
const LINES: &str = "kind = \"file\"\npath = \"DIR/keys\"\ncheck = 'grep -Fxq \"$(cat <&3)\" DIR/keys'\n";

/// A folder as services have theirs, with a spec of this target and these consumers, and with files that
/// hold `old`.
fn rotation(target: &str, consumers: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let spec = format!(
        "name = \"orders\"\ntimeout = \"1s\"\nstate = \"DIR/state\"\n[provider]\n{target}\n{}\n{AT_ONCE}",
        consumers.iter().map(|consumer| format!("[[consumers]]\n{consumer}\n")).collect::<Vec<_>>().concat()
    );
    put(&folder, "spec.toml", &spec.replace("DIR", folder.path().to_str().unwrap()));
    set_mode(folder.path(), 0o755);
    put(&folder, "keys", "# of the service\nfor somebody else\nold-secret\n");
    put(&folder, "web.env", "# web\nexport KEY='old-secret'\nA=\"1\"\n");
    put(&folder, "app.json", "{ // app\n  \"redis\": {\"url\":\"redis://old-secret@h\"}, \"n\": 1e400 }\n");
    put(&folder, "plain", "old-secret");
    folder
}

fn put(folder: &TempDir, name: &str, text: &str) {
    testkit::write(folder.path().join(name), text);
    set_mode(&folder.path().join(name), 0o640);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

#[track_caller]
fn run(folder: &TempDir, status: i32) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrotate"));
    command.args(["run", "--now", "-vvv"]).arg(folder.path().join("spec.toml")).stdin(Stdio::null());
    let Output { status: ended, stdout, stderr } = command.output().unwrap();
    let said = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(ended.code(), Some(status), "{said}");
    assert!(!said.contains("old-secret"), "{said}");
    said
}

const WEB: &str =
    "name = \"web\"\nkind = \"env\"\npath = \"DIR/web.env\"\nset = { KEY = \"{secret}\" }\nattest = \"file\"";
const APP: &str = "name = \"app\"\nkind = \"json\"\npath = \"DIR/app.json\"\n\
                   set = { \"/redis/url\" = \"redis://{secret}@h\" }\nattest = \"file\"";
const PLAIN: &str = "name = \"plain\"\nkind = \"file\"\npath = \"DIR/plain\"\nattest = \"file\"";

/// The secret that `plain` holds, which ends without a newline as it did before.
fn plain(folder: &TempDir) -> String {
    let secret = text(folder, "plain");
    assert!(!secret.ends_with('\n'), "{secret:?}");
    secret
}

#[test]
fn only_the_secret_changes_and_nobody_is_ever_without() {
    let folder = rotation(LINES, &[WEB, APP, PLAIN]);
    let is_root = chown(folder.path().join("web.env"), Some(12_345), Some(23_456)).is_ok();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let prober = scope.spawn(|| {
            let mut looks = 0;
            while !is_over.load(Ordering::Relaxed) {
                // What the consumer holds is read before what is accepted: the order of a log-in.
                let (held, keys) = (plain(&folder), text(&folder, "keys"));
                assert!(keys.lines().any(|key| key == held), "{held} of {keys}");
                looks += 1;
            }
            looks
        });
        run(&folder, 0);
        is_over.store(true, Ordering::Relaxed);
        assert!(prober.join().unwrap() > 0);
    });
    let new = plain(&folder);
    assert_eq!(new.len(), 44);
    assert_eq!(text(&folder, "keys"), format!("# of the service\nfor somebody else\n{new}\n"));
    assert_eq!(text(&folder, "web.env"), format!("# web\nexport KEY='{new}'\nA=\"1\"\n"));
    let app = format!("{{ // app\n  \"redis\": {{\"url\":\"redis://{new}@h\"}}, \"n\": 1e400 }}\n");
    assert_eq!(text(&folder, "app.json"), app);
    let found = fs::metadata(folder.path().join("web.env")).unwrap();
    assert_eq!(found.mode() & 0o7777, 0o640);
    assert!(!is_root || (found.uid(), found.gid()) == (12_345, 23_456));
    let said = run(&folder, 0);
    assert!(!said.contains(&new) && plain(&folder) != new);
}

#[test]
fn a_config_keeps_the_newer_and_the_older() {
    let target = "kind = \"file\"\npath = \"DIR/app.json\"\nfield = \"now\"\nprevious = \"before\"\n\
                  reload = 'cat DIR/app.json >>DIR/seen'";
    let folder = rotation(target, &[PLAIN]);
    put(&folder, "app.json", "{\"now\": \"old-secret\", \"n\": 1.0}");
    run(&folder, 0);
    let new = plain(&folder);
    assert_eq!(text(&folder, "app.json"), format!("{{\"now\": \"{new}\", \"n\": 1.0}}"));
    let both = format!("{{\"now\": \"{new}\", \"n\": 1.0, \"before\": \"old-secret\"}}");
    assert!(text(&folder, "seen").starts_with(&both), "the service saw both");
}

#[test]
fn a_consumer_that_cannot_be_written_keeps_the_old_secret_good() {
    let check = |spoil: &dyn Fn(&TempDir), mend: &dyn Fn(&TempDir), sentence: &str| {
        let folder = rotation(LINES, &[WEB, &PLAIN.replace("DIR/plain", "DIR/sub/plain")]);
        fs::create_dir(folder.path().join("sub")).unwrap();
        set_mode(&folder.path().join("sub"), 0o755);
        put(&folder, "sub/plain", "old-secret\n");
        spoil(&folder);
        let said = run(&folder, 23);
        assert!(said.contains(sentence), "{said}");
        assert_eq!(text(&folder, "sub/plain"), "old-secret\n");
        assert!(text(&folder, "keys").contains("\nold-secret\n"));
        mend(&folder);
        run(&folder, 0);
        assert!(text(&folder, "keys").contains(&text(&folder, "sub/plain")));
        assert!(!text(&folder, "keys").contains("old-secret"));
    };
    let sub = |folder: &TempDir| folder.path().join("sub");
    check(
        &|folder| set_mode(&sub(folder), 0o777),
        &|folder| set_mode(&sub(folder), 0o755),
        "everybody may replace files in ",
    );
    let lock = std::cell::RefCell::new(None);
    check(
        &|folder| {
            let script = "flock \"$0\" sh -c 'echo held; read x'";
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).arg(sub(folder).join("plain"));
            let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut said = [0; 5];
            std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut said).unwrap();
            lock.replace(Some(shell));
        },
        &|_| {
            let mut shell = lock.take().unwrap();
            drop(shell.stdin.take());
            shell.wait().unwrap();
        },
        "is locked by another process (waited 1s)",
    );
}

#[test]
fn a_link_leads_to_the_file_and_odd_names_are_names() {
    let folder = rotation(LINES, &[&PLAIN.replace("DIR/plain", "DIR/link")]);
    let odd = "-rf $(touch DIR;x) {secret}\\n'é";
    put(&folder, odd, "old-secret\n");
    symlink(odd, folder.path().join("link")).unwrap();
    run(&folder, 0);
    assert!(folder.path().join("link").is_symlink());
    assert!(text(&folder, "keys").ends_with(&text(&folder, odd)));
}

#[test]
fn a_target_that_takes_no_second_secret_is_left_alone() {
    let target = "kind = \"file\"\npath = \"DIR/app.json\"\nfield = \"key\"";
    let folder = rotation(target, &[PLAIN]);
    let before = "{\"key\": \"old-secret\"}";
    put(&folder, "app.json", before);
    let said = run(&folder, 11);
    assert!(
        said.contains("with `previous` of [provider] the one before it stands in another field"),
        "{said}"
    );
    assert_eq!((text(&folder, "app.json").as_str(), plain(&folder).as_str()), (before, "old-secret"));
}

#[test]
fn what_only_consumers_know_is_attested_by_them() {
    let asked = PLAIN.replace("attest = \"file\"", "attest = [\"sh\", \"DIR/attest\"]");
    let folder = rotation("kind = \"file\"", &[WEB, &asked]);
    let key = format!("printf %s \"$(cat {}/plain)\" | sha256sum | cut -c1-12", folder.path().display());
    put(&folder, "attest", &key);
    run(&folder, 0);
    let new = plain(&folder);
    assert_eq!((new.len(), text(&folder, "web.env")), (44, format!("# web\nexport KEY='{new}'\nA=\"1\"\n")));
    // It goes on with the key that it has.
    put(
        &folder,
        "attest",
        &format!("echo {{\\\"key\\\":\\\"$(printf %s {new} | sha256sum)\\\"}} | sed 's/  -//'"),
    );
    let said = run(&folder, 23);
    assert!(said.contains("plain"), "{said}");
    put(&folder, "attest", &key);
    run(&folder, 0);
    assert!(plain(&folder) != new);
}
