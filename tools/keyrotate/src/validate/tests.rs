use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::report::tests::printed;

const HEAD: &str = "name = \"orders\"\nstate = \"STATE\"\n";

const TARGET: &str = "[provider]\nkind = \"redis-acl\"\naddress = \"127.0.0.1:6379\"\nuser = \"orders\"\n";

const WEB: &str =
    "[[consumers]]\nname = \"web\"\nkind = \"file\"\npath = \"/FILES/web\"\nattest = [\"true\"]\n";

/// Lines 1 and 2 are HEAD, 3 to 6 TARGET, 7 to 11 WEB.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { folder };
        for name in ["web", "admin"] {
            testkit::write(place.path(name), "s3cret-s3cret");
            place.set_mode(name, 0o600);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    /// What is found in `parts`, one after the other, with the folder of the test called `/FILES`.
    fn found(&self, parts: &[&str], form: Form) -> String {
        let state = self.path("state").display().to_string();
        let folder = self.folder.path().display().to_string();
        let text = parts.concat().replace("STATE", &state).replace("/FILES", &folder);
        let path = Path::new("a.toml");
        let print = |out: &mut Out| one((path, &text), None, form, out).map(|_| ());
        printed(print).replace(&folder, "/FILES")
    }

    fn check(&self, parts: &[&str], want: &str) {
        assert_eq!(self.found(parts, Form::Text), want);
    }
}

#[test]
fn a_good_spec_is_passed_over_in_silence() {
    Place::new().check(&[HEAD, TARGET, WEB], "");
}

#[test]
fn every_fault_is_told_at_once() {
    let place = Place::new();
    let bad = TARGET.replace("user", "usr");
    let want = "a.toml:1: `timeout`: `soon` is no duration; write it as 500ms, 30s, 5m, 1h30m, 2d or 1w\n\
                a.toml:4: [provider] has no `user`\n\
                a.toml:7: there is no key `provider.usr`; did you mean `user`?\n\
                a.toml:8: the spec has no [[consumers]]: who holds the credential\n";
    let found = place.found(&["timeout = \"soon\"\n", HEAD, &bad, "[gates]\n"], Form::Text);
    let sorted = |text: &str| {
        let mut lines: Vec<String> =
            text.lines().map(|line| line.split_once(' ').unwrap().1.into()).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&found), sorted(want));
}

#[test]
fn what_several_parts_say_must_agree() {
    let place = Place::new();
    place.check(
        &[HEAD, TARGET, WEB, "[gates]\nunused = \"1h\"\n"],
        "a.toml:13: `gates.unused` waits for ever: this target does not tell when a key was used; leave it \
         out; with `confirm = \"manual\"` a human has the last word\n",
    );
    let ssh = "[provider]\nkind = \"ssh-ed25519\"\nhosts = \"web01\"\n";
    let found = place.found(&[HEAD, ssh, WEB, "[gates]\nunused = \"1h\"\n"], Form::Text);
    assert!(found.contains("a.toml:12: `gates.unused`") && found.contains("without `auth_log`"), "{found}");
    place.check(&[HEAD, ssh, "auth_log = \"/var/log/auth.log\"\n", WEB, "[gates]\nunused = \"1h\"\n"], "");
    place.check(
        &["every = \"1h\"\n", HEAD, TARGET, WEB],
        "a.toml:1: `every` is shorter than a rotation: soak, unused and watch together\n",
    );
    place.check(
        &[HEAD, TARGET, WEB, "template = \"{usr}:{secret}\"\n"],
        "a.toml:7: `web`: this target has no `{usr}`; did you mean `user`?\n",
    );
    place.check(
        &[HEAD, TARGET, WEB, &WEB.replace("web", "batch").replace("/batch", "/web")],
        "a.toml:12: `web` and `batch` are the same file: one would undo what the other does\n",
    );
    let on =
        |hosts: &str| format!("{}hosts = {hosts}\n", WEB.replace("web", "batch").replace("/batch", "/web"));
    place.check(&[HEAD, TARGET, WEB, &on("[\"web01\"]")], "");
    place.check(
        &[HEAD, TARGET, WEB, "hosts = [\"web01\", \"web02\"]\n", &on("\"web02\"")],
        "a.toml:13: `web` and `batch` are the same file: one would undo what the other does\n",
    );
}

#[test]
fn a_file_that_is_tried_instead_of_a_program_asked_is_worth_a_thought() {
    Place::new().check(
        &[HEAD, TARGET, &WEB.replace("[\"true\"]", "\"file\"")],
        "a.toml:7: warning: `attest = \"file\"`: what the file of `web` holds is tried, and nobody knows what \
         its program uses; better have it say that itself\n",
    );
}

#[test]
fn others_neither_read_a_secret_nor_write_the_state() {
    let place = Place::new();
    let admin = "admin_password = { file = \"/FILES/admin\" }\n";
    place.check(&[HEAD, TARGET, admin, WEB], "");
    place.set_mode("admin", 0o644);
    place.set_mode("web", 0o604);
    let want = "a.toml:7: everybody may read or write /FILES/admin; chmod o= /FILES/admin\n\
                a.toml:8: warning: everybody may read or write /FILES/web, which is to hold a secret; chmod o= \
                /FILES/web\n";
    place.check(&[HEAD, TARGET, admin, WEB], want);
    place.check(
        &[HEAD, TARGET, &admin.replace("admin\"", "none\""), &WEB.replace("/web", "/other")],
        "a.toml:7: warning: there is no file /FILES/none\n\
         a.toml:8: warning: there is no file /FILES/other on this machine\n",
    );
    fs::create_dir(place.path("state")).unwrap();
    place.set_mode("state", 0o1777);
    place.set_mode("web", 0o600);
    let want =
        "a.toml:2: everybody may write in /FILES/state, where the journal is kept; chmod o-w /FILES/state\n";
    place.check(&[HEAD, TARGET, WEB], want);
}

#[test]
fn a_program_that_is_not_here_is_worth_a_thought() {
    let check = |program: &str, want: &str| {
        Place::new().check(&[HEAD, TARGET, &WEB.replace("[\"true\"]", program)], want);
    };
    check("[\"sh\", \"-c\", \"none\"]", "");
    check(
        "[\"no-such-program\"]",
        "a.toml:7: warning: there is no program no-such-program on this machine\n",
    );
    check("[\"/FILES/ask\"]", "a.toml:7: warning: there is no program /FILES/ask on this machine\n");
}

#[test]
fn a_program_reads_the_same() {
    let found = Place::new().found(&[HEAD, TARGET, &WEB.replace("\"web\"", "7")], Form::Json);
    let want = r#"{"file":"a.toml","line":8,"severity":"fault","what":"`consumers.name`: is to be a text in quotes"}"#;
    assert_eq!(found, format!("{want}\n"));
}

#[test]
fn a_public_key_beside_the_private_one_is_in_the_way() {
    let place = Place::new();
    let target = "[provider]\nkind = \"ssh-ed25519\"\nhosts = [\"a\"]\nuser = \"deploy\"\n";
    place.check(&[HEAD, target, WEB], "");
    testkit::write(place.path("web.pub"), "ssh-ed25519 AAAA");
    place.check(&[HEAD, TARGET, WEB], "");
    let found = place.found(&[HEAD, target, WEB], Form::Text);
    assert!(found.starts_with("a.toml:7: ssh(1) offers what it finds in /FILES/web.pub"), "{found}");
    let text = [HEAD, target, WEB].concat().replace("/FILES", &place.folder.path().display().to_string());
    let spec = Spec::judge(&text).spec.unwrap();
    let error = nothing_is_in_the_way(&spec).unwrap_err();
    assert_eq!(error.status(), HUMAN);
}

#[test]
fn a_kind_that_is_none_hides_no_other_fault() {
    let place = Place::new();
    let kinds = "`ssh-ed25519`, `redis-acl`, `postgres`, `aws-iam`, `file` or `exec`";
    place.check(
        &[HEAD, &TARGET.replace("redis-acl", "redis").replace("\"orders\"", "7"), "path = \"a\"\n", WEB],
        &format!(
            "a.toml:4: `provider.kind`: is `redis`; it is to be {kinds}\n\
             a.toml:6: `provider.user`: is to be a text in quotes\n\
             a.toml:7: `provider.path`: is to be an absolute path\n"
        ),
    );
    let web = WEB.replace("\"file\"", "\"text\"").replace("/FILES", "files").replace("name = \"web\"\n", "");
    place.check(
        &[HEAD, TARGET, &web, "mode = \"0644\"\ntemplate = \"{secret}\"\n"],
        "a.toml:7: [consumers] has no `name`\n\
         a.toml:8: `consumers.kind`: is `text`; it is to be `file`, `json`, `env` or `exec`\n\
         a.toml:9: `consumers.path`: is to be an absolute path\n\
         a.toml:11: `mode` is to be \"0600\", \"0640\" or the like, without rights for everybody\n",
    );
}

#[test]
fn what_is_no_toml_is_one_fault() {
    let place = Place::new();
    for bad in ["name = \n", "name = \"b\"\n"] {
        let found = place.found(&[HEAD, bad, TARGET, WEB], Form::Text);
        assert!(found.starts_with("a.toml:3: ") && found.lines().count() == 1, "{found}");
    }
}

#[test]
fn a_gate_outside_of_its_table_is_shown_there() {
    Place::new().check(
        &["soak = \"1h\"\n", HEAD, "window = 5\n", TARGET, WEB],
        "a.toml:1: there is no key `soak`; did you mean `gates.soak`?\n\
         a.toml:4: there is no key `window`; did you mean `gates.window`?\n",
    );
}

#[test]
fn what_cannot_be_a_host_is_told_at_its_line() {
    let place = Place::new();
    let ssh = "[provider]\nkind = \"ssh-ed25519\"\nhosts = [\"web[01-03]\", \"b_ad host\"]\n";
    let found = place.found(&[HEAD, ssh, WEB, "hosts = [\"-b\"]\n"], Form::Text);
    let lines: Vec<&str> = found.lines().collect();
    let [first, second] = lines[..] else { panic!("{found}") };
    assert!(first.starts_with("a.toml:5: `hosts`: ") && first.contains("b_ad host"), "{found}");
    assert!(second.starts_with("a.toml:11: `hosts`: the name `-b` begins with `-`"), "{found}");
    let good = ssh.replace("b_ad host", "root@::1");
    place.check(&[HEAD, &good, WEB, "hosts = [\"web01:2222\"]\n"], "");
    let inventory = "[ssh]\ninventory = \"/etc/hosts.toml\"\n";
    place.check(&[HEAD, TARGET, WEB, "hosts = [\"web*\", \"!web07\"]\n", inventory], "");
}
