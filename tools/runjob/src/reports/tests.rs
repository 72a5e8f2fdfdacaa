//! What the files say after some runs, one after the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::run::{End, Usage};

fn run(name: &str, second: u64, end: End) -> Run {
    let began = UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second);
    Run {
        name: name.into(),
        id: format!("r{second}"),
        began,
        ended: began + Duration::from_millis(1234),
        took: Duration::from_millis(1234),
        end,
        attempts: 2,
        usage: Usage { peak: 4096, user: Duration::from_millis(5), system: Duration::from_millis(7) },
        fence: Some(9),
    }
}

struct Desk {
    folder: tempfile::TempDir,
    flags: cli::Reports,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| Some(folder.path().join(name));
        let on_event = Some(format!("cat >> {}", path("events").unwrap().display()));
        let flags = cli::Reports {
            status: path("status.json"),
            metrics: path("job.prom"),
            ping: None,
            ping_file: None,
            on_event,
        };
        Self { folder, flags }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn tell(&self, second: u64, end: End) -> Value {
        tell(&self.flags, &run("sync", second, end), b"");
        serde_json::from_slice(&fs::read(self.path("status.json")).unwrap()).unwrap()
    }

    fn metric(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path("job.prom")).unwrap();
        let prefix = format!("{name}{{name=\"sync\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }

    /// What each event says, and of which run.
    fn events(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(self.path("events")).unwrap_or_default();
        let objects = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        objects.map(|object| (word(&object["event"]), word(&object["run"]))).collect()
    }
}

#[test]
fn a_record_tells_how_a_run_ended() {
    let desk = Desk::new();
    let mut record = desk.tell(0, End::Exit(3));
    assert!(record["host"].is_string());
    record["host"] = json!("web1");
    let want = json!({
        "name": "sync", "run": "r0", "host": "web1",
        "began": "2027-01-15T08:00:00.000Z", "ended": "2027-01-15T08:00:01.234Z", "elapsed_ms": 1234,
        "outcome": "failed", "status": 3, "signal": null, "attempts": 2,
        "peak_bytes": 4096, "cpu_user_ms": 5, "cpu_system_ms": 7, "fence": 9,
        "consecutive_failures": 1, "last_success": null
    });
    assert_eq!(record, want);
    let check = |end, outcome: &str, status, signal: Value| {
        let record = desk.tell(1, end);
        assert_eq!(
            (&record["outcome"], &record["status"], &record["signal"]),
            (&json!(outcome), &json!(status), &signal)
        );
    };
    check(End::Exit(0), "ok", 0, Value::Null);
    check(End::Signal(9), "signal", 137, json!(9));
    check(End::Late, "timeout", 124, Value::Null);
    check(End::NotStarted(127), "not_started", 127, Value::Null);
}

#[test]
fn what_was_before_is_known_from_either_file() {
    let desk = Desk::new();
    desk.tell(0, End::Exit(0));
    desk.tell(60, End::Exit(1));
    let record = desk.tell(120, End::Late);
    assert_eq!(
        (&record["consecutive_failures"], &record["last_success"]),
        (&json!(2), &json!("2027-01-15T08:00:01.234Z"))
    );
    assert_eq!(desk.metric("runjob_consecutive_failures").unwrap(), "2");
    assert_eq!(desk.metric("runjob_last_success_timestamp_seconds").unwrap(), "1800000001.234");
    assert_eq!(desk.metric("runjob_last_run_timestamp_seconds").unwrap(), "1800000121.234");
    assert_eq!(desk.metric("runjob_last_run_status").unwrap(), "124");

    testkit::write(desk.path("status.json"), b"{\"name\": \xff");
    let record = desk.tell(180, End::Exit(1));
    assert_eq!(
        (&record["consecutive_failures"], &record["last_success"]),
        (&json!(3), &json!("2027-01-15T08:00:01.234Z"))
    );
    desk.tell(240, End::Exit(0));
    desk.tell(300, End::Exit(0));
    let want = [("failed", "r60"), ("failed", "r120"), ("failed", "r180"), ("recovered", "r240")];
    assert_eq!(desk.events(), want.map(|(event, run)| (event.to_owned(), run.to_owned())));
}

#[test]
fn what_belongs_to_another_job_or_is_broken_is_no_history() {
    let desk = Desk::new();
    desk.tell(0, End::Exit(1));
    assert_eq!(history(&desk.flags, "sync").failures, 1);
    assert_eq!(history(&desk.flags, "other"), History::default());
    for broken in ["", "{}", "null", "runjob_consecutive_failures{name=\"sync\"} many"] {
        testkit::write(desk.path("status.json"), broken);
        testkit::write(desk.path("job.prom"), broken);
        assert_eq!(history(&desk.flags, "sync"), History::default(), "{broken}");
    }
}

#[test]
fn everybody_may_read_what_is_new_and_the_mode_stays() {
    let desk = Desk::new();
    let mode = || fs::metadata(desk.path("status.json")).unwrap().permissions().mode() & 0o777;
    desk.tell(0, End::Exit(0));
    assert_eq!(mode(), 0o644);
    fs::set_permissions(desk.path("status.json"), fs::Permissions::from_mode(0o640)).unwrap();
    desk.tell(1, End::Exit(0));
    assert_eq!(mode(), 0o640);
}

proptest! {
    #[test]
    fn any_name_has_its_history(name: String, other: String, failures in 1_u64..1000, success in any::<Option<u32>>()) {
        prop_assume!(!name.contains('\r') && name != other);
        let before = History { failures: failures - 1, success: success.map(i64::from) };
        let record = Record::of(&run(&name, 0, End::Exit(1)), before);
        let want = Some(History { failures, ..before });
        prop_assert_eq!(status::history(record.line().as_bytes(), &name), want);
        prop_assert_eq!(metrics::history(metrics::text(&record).as_bytes(), &name), want);
        prop_assert_eq!(status::history(record.line().as_bytes(), &other), None);
        prop_assert_eq!(metrics::history(metrics::text(&record).as_bytes(), &other), None);
    }
}
