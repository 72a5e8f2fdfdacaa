//! What the subcommands print and end with, beyond the manual.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use testkit::Case;

/// A service with tokens in a file, one consumer, and their spec.
struct Api {
    folder: TempDir,
}

impl Api {
    fn new() -> Self {
        let api = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["tokens", "web"] {
            testkit::write(api.path(name), "first-token-of-all\n");
            fs::set_permissions(api.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        api.spec("api", "file", "");
        api
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the spec `NAME.toml`; `gates` are lines.
    fn spec(&self, name: &str, attest: &str, gates: &str) {
        let folder = self.folder.path().display();
        let spec = format!(
            "name = \"{name}\"\nstate = \"{folder}/state\"\n\
             [provider]\nkind = \"file\"\npath = \"{folder}/tokens\"\n\
             [[consumers]]\nname = \"web\"\nkind = \"file\"\npath = \"{folder}/web\"\nattest = \"{attest}\"\n\
             [gates]\nwindow = \"0s\"\nsoak = \"0s\"\nwatch = \"0s\"\n{gates}"
        );
        testkit::write(self.path(&format!("{name}.toml")), spec);
    }

    fn call(&self, line: &str) -> Case {
        let case = Case::new(env!("CARGO_BIN_EXE_keyrotate")).current_dir(self.folder.path());
        case.args(line.split(' '))
    }

    /// The one object that `line` prints.
    fn object(&self, line: &str, status: i32) -> Value {
        let output = self.call(line).status(status).stdout_has("{").run();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn phase(&self) -> Value {
        self.object("status api.toml --json", 0)["phase"].clone()
    }
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_err()
}

#[test]
fn a_dry_run_touches_nothing() {
    let api = Api::new();
    let plan = api.object("run -n api.toml --json", 0);
    let takes_away = |step: &&Value| step["takes_away"] == true;
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.iter().filter(takes_away).count(), 2, "{plan}");
    assert!(is_empty(&api.path("state")));
    assert_eq!(fs::read_to_string(api.path("tokens")).unwrap(), "first-token-of-all\n");
}

#[test]
fn every_command_speaks_json() {
    let api = Api::new();
    assert_eq!(api.object("verify api.toml --json", 0)["consumers"][0]["uses"], "current");
    api.spec("api", "file", "confirm = \"manual\"\n");
    let run = api.object("--json run api.toml", 12);
    assert_eq!((&run["outcome"], &run["phase"]), (&"waiting".into(), &"SOAK".into()), "{run}");
    assert_eq!(api.object("verify api.toml --json", 0)["consumers"][0]["uses"], "new");
    let hold = api.object("hold api.toml --until 2200-01-01T00:00:00Z --format json", 0);
    assert_eq!(hold["hold"]["until"], "2200-01-01T00:00:00Z");
    assert_eq!(api.object("hold api.toml --off --json", 0)["hold"], Value::Null);
    assert_ne!(api.object("confirm api.toml --json", 0)["confirmed_by"], Value::Null);
    let rotated = api.object("run api.toml --json", 0);
    assert_eq!(
        (&rotated["outcome"], &rotated["rotation"]),
        (&"rotated".into(), &run["rotation"]),
        "{rotated}"
    );
    assert_eq!(api.object("log --check api.toml --json", 0)["is_whole"], true);
    let lines = api.call("log api.toml --json").stdout_has("DISABLED").run().stdout;
    assert_eq!(lines, fs::read(api.path("state/api/audit.jsonl")).unwrap());
    let all = api.object("status --state state --json", 0);
    assert_eq!((&all["name"], &all["last"]["outcome"]), (&"api".into(), &"rotated".into()));
}

#[test]
fn verify_tells_yes_no_and_unknown_apart() {
    let api = Api::new();
    let check = |attest: &str, want: &str, status: i32| {
        api.spec("api", attest, "");
        let verified = api.object("verify api.toml --json", status);
        let one = &verified["consumers"][0];
        assert_eq!(format!("{} {} {}", one["uses"], one["works"], one["why"]), want, "{attest}");
    };
    check("file", r#""current" true null"#, 0);
    check("echo 937a0f13e3cc", r#""current" true null"#, 0);
    check("exit 75", r#""unknown" null "attest: exit status 75""#, 75);
    check("echo broken >&2; exit 1", r#""unknown" false "attest: broken""#, 1);
    check("echo '{\\\"key\\\":null}'", r#""nothing" null null"#, 1);
    api.spec("api", "file", "");
    api.call("run api.toml").stdout_has("rotated").run();
    check("file", r#""current" true null"#, 0);
    check(
        "echo 937a0f13e3cc",
        r#""other" null "it says which key it uses, and that key is not known here""#,
        1,
    );
    testkit::write(api.path("web"), "first-token-of-all\n");
    let refused = format!("\"{} does not have 937a0f13e3cc\"", api.path("tokens").display());
    check("file", &format!("\"other\" false {refused}"), 1);
}

#[test]
fn a_folder_without_a_journal_is_somebody_elses() {
    let api = Api::new();
    fs::create_dir_all(api.path("state/other")).unwrap();
    api.call("status --state state").stdout("").run();
    testkit::write(api.path("state/other/journal"), "torn");
    api.call("run api.toml").stdout_has("rotated").run();
    let case = api.call("status --state state").status(11).stdout_has("api");
    case.stderr_has("state/other/journal is not what was written there").run();
}

#[test]
fn the_log_names_the_key_that_a_step_took_away() {
    let api = Api::new();
    api.call("run api.toml").stdout_has("rotated").run();
    let log = fs::read_to_string(api.path("state/api/audit.jsonl")).unwrap();
    let fingerprint = |step: &str| {
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut of_step = lines.filter(|line| line["step"] == step);
        of_step.next().map(|line| line["fingerprint"].clone()).unwrap()
    };
    // printf %s first-token-of-all | sha256sum
    assert_eq!(fingerprint("INTENT"), "937a0f13e3cc");
    assert_eq!(fingerprint("DISABLED"), "937a0f13e3cc");
    assert_eq!(fingerprint("DELETED"), "937a0f13e3cc");
    assert_ne!(fingerprint("CREATED"), "937a0f13e3cc");
}

#[test]
fn specs_after_one_that_fails_are_run() {
    let api = Api::new();
    api.call("run none.toml api.toml").status(2).stdout_has("api: rotated").stderr_has("none.toml").run();
    assert_eq!(api.phase(), "IDLE");
    api.spec("api", "file", "confirm = \"manual\"\n");
    api.call("run --now api.toml api.toml").status(12).stdout_has("api: SOAK").run();
    api.call("status none.toml api.toml")
        .status(2)
        .stdout_has("SOAK")
        .stderr_has("cannot read none.toml")
        .run();
}

#[test]
fn a_person_hears_once_of_what_is_pending() {
    let api = Api::new();
    api.spec("api", "echo 0123456789ab", "");
    let run = |status| {
        let case = api.call("run api.toml --on-event").args(["cat >>events"]).status(status);
        case.stderr_has("it uses 0123456789ab").run();
    };
    run(23);
    run(23);
    api.spec("api", "file", "");
    api.call("run api.toml --on-event").args(["cat >>events"]).stdout_has("rotated").run();
    let events = fs::read_to_string(api.path("events")).unwrap();
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&Value> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(kinds, ["pending", "rotated"]);
    assert_eq!(events[0]["rotation"], events[1]["rotation"]);
    assert_eq!(events[0]["status"], 23);
}

#[test]
fn a_list_of_keys_that_is_not_there_is_told_once() {
    let api = Api::new();
    fs::remove_file(api.path("tokens")).unwrap();
    let output =
        api.call("run api.toml").status(11).stderr_has("tokens: it is not there; no key in use").run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("it is not there").count(), 1, "{said}");
    assert!(said.contains("web holds "), "{said}");
    assert!(
        !said.contains("refuses") && !said.split(' ').any(|word| word.len() > 63 && word.len() < 67),
        "{said}"
    );
}

#[test]
fn that_everybody_may_read_a_file_is_told_once() {
    let api = Api::new();
    fs::set_permissions(api.path("tokens"), fs::Permissions::from_mode(0o604)).unwrap();
    let output = api.call("run api.toml").stdout_has("rotated").stderr_has("everybody may read").run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("everybody may read").count(), 1, "{said}");
}

#[test]
fn that_nobody_was_told_is_a_warning() {
    let api = Api::new();
    let case = api.call("run api.toml --on-event").args(["echo no pager >&2; exit 1"]);
    case.stdout_has("rotated").stderr_has("--on-event `echo no pager >&2; exit 1`: no pager").run();
}

#[test]
fn what_cannot_be_is_refused() {
    let api = Api::new();
    let check = |line: &str, status, why: &str| {
        api.call(line).status(status).stderr_has(why).run();
    };
    check("confirm api.toml", 2, "keyrotate: api: no rotation is under way\n");
    check("rollback api.toml --reason none", 2, "keyrotate: api: no rotation is under way\n");
    check("skip api.toml web --reason none", 2, "keyrotate: api: no rotation is under way\n");
    api.spec("api", "file", "confirm = \"manual\"\n");
    api.call("run api.toml").status(12).stdout_has("SOAK").run();
    check("skip api.toml wep --reason none", 2, "no consumer and no site `wep`; did you mean `web`?");
    check("run api.toml --state /proc/none", 13, "/proc/none");
}

#[test]
fn a_spec_with_faults_runs_nothing() {
    let api = Api::new();
    api.spec("api", "file", "unused = \"1h\"\n");
    let case = api.call("run api.toml").status(2).stderr_has("keyrotate: api.toml has a fault\n");
    case.stderr_has("api.toml:15: `gates.unused` waits for ever").run();
    assert!(is_empty(&api.path("state")));
    api.call("validate api.toml none.toml").status(2).stdout_has("api.toml:15").stderr_has("none.toml").run();
}
