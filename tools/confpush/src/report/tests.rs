use common::Outcome;
use common::out::Held;

use super::*;
use crate::audit::{Action, Deed, HostRecord, Record};
use crate::station::{FileState, Kept};

/// What `print` prints, and what it returns.
fn printed<T>(print: impl FnOnce(&mut Out) -> Result<T>) -> (String, Result<T>) {
    let mut held = Held::new("memory");
    let result = print(held.out());
    (String::from_utf8(held.take().unwrap()).unwrap(), result)
}

fn open(is_guarded: bool) -> Open {
    let (id, who, time) = ("d-2".to_owned(), "eva@laptop".to_owned(), "2026-03-14T03:12:09Z".to_owned());
    Open { id, who, time, is_guarded }
}

fn change(old: Option<&str>, new: Option<&str>) -> Change {
    let bytes = |text: Option<&str>| text.map(|text| Zeroizing::new(text.as_bytes().to_vec()));
    let (secret_lines, access, drift) = (BTreeSet::new(), None, None);
    Change { old: bytes(old), new: bytes(new), secret_lines, access, drift }
}

fn host(name: &str, state: HostState) -> HostPlan {
    HostPlan { host: name.into(), path: format!("/srv/{name}/app.conf"), state }
}

fn env(env: &str, hosts: Vec<HostPlan>) -> EnvPlan {
    EnvPlan { spec: "web".into(), env: env.into(), is_protected: env == "prod", hosts }
}

fn changes(change: Change) -> HostState {
    HostState::Changes(Box::new(change))
}

fn plans() -> Vec<EnvPlan> {
    let workers = |count| format!("listen 80\nworkers {count}\n");
    let usual = || change(Some(&workers(4)), Some(&workers(16)));
    let other = Change {
        drift: Some("jan@box at 2026-03-14T09:26:53Z".into()),
        access: Some("www-data:www-data 0640".into()),
        ..change(Some(&workers(5)), Some(&workers(16)))
    };
    vec![
        env("staging", vec![host("web01", HostState::Same)]),
        env(
            "prod",
            vec![
                host("web10", changes(usual())),
                host("web02", changes(usual())),
                host("web03", changes(other)),
                host("web04", HostState::Same),
                host("web05", HostState::Down("cannot connect: \u{1b}[31mConnection refused".into())),
                host("web06", HostState::Busy(open(true))),
                host("web07", HostState::Unsettled(open(false))),
                host("web08", HostState::Faulty("no space left".into())),
                host("web09", changes(change(None, Some("x\n")))),
            ],
        ),
    ]
}

#[test]
fn a_plan_tells_equal_hosts_once() {
    let (text, _) = printed(|out| plan(out, Form::Text, &plans()));
    let result = crate::status::of_plan(&plans(), false);
    let want = "\
web to staging: nothing would change on 1 host
  web01: as it is to be

web to prod, which is protected: 4 of 9 hosts would change
  web02, web10: other content
--- /srv/{host}/app.conf
+++ /srv/{host}/app.conf
@@ -1,2 +1,2 @@
 listen 80
-workers 4
+workers 16

  web03: other content
  somebody has changed the file since the deployment by jan@box at 2026-03-14T09:26:53Z; to replace it takes --accept-drift
  owner, group and mode would be www-data:www-data 0640
--- /srv/web03/app.conf
+++ /srv/web03/app.conf
@@ -1,2 +1,2 @@
 listen 80
-workers 5
+workers 16

  web09: a new file
--- /dev/null
+++ /srv/web09/app.conf
@@ -0,0 +1 @@
+x

  web04: as it is to be
  web07: left half way by eva@laptop at 2026-03-14T03:12:09Z (d-2); the next `apply` or `rollback` brings it to an end first
  web05: down: cannot connect: \\u{1b}[31mConnection refused
  web06: eva@laptop is at it since 2026-03-14T03:12:09Z (d-2)
  web08: would fail: no space left
";
    assert_eq!(text, want);
    assert_eq!(result.unwrap_err().to_string(), "it would fail on web08");
}

#[test]
fn of_a_host_that_is_down_nobody_knows_what_would_change() {
    let check = |states: Vec<HostState>, want: &str| {
        let hosts = states.into_iter().zip(["a", "b"]).map(|(state, name)| host(name, state));
        let plans = [env("dev", hosts.collect())];
        let (text, _) = printed(|out| plan(out, Form::Text, &plans));
        assert_eq!(text.lines().next(), Some(format!("web to dev: {want}").as_str()));
        assert_eq!(plans[0].changes_nothing(), !text.contains("down"));
    };
    let down = || HostState::Down("no route".into());
    check(vec![HostState::Same, HostState::Same], "nothing would change on 2 hosts");
    check(vec![HostState::Same, down()], "nothing would change on 1 of 2 hosts");
    check(vec![down()], "what would change on 1 host is not known");
    check(vec![changes(change(None, Some("x"))), down()], "1 of 2 hosts would change");
}

#[test]
fn paths_that_have_nothing_in_common_are_told_apart() {
    let at = |name: &str, path: &str| HostPlan {
        host: name.into(),
        path: path.into(),
        state: changes(change(None, Some("x\n"))),
    };
    let plans = [env("dev", vec![at("a", "/1"), at("b", "/2"), at("c", "/1")])];
    let want = "\
web to dev: 3 hosts would change
  a, c: a new file
--- /dev/null
+++ /1
@@ -0,0 +1 @@
+x

  b: a new file
--- /dev/null
+++ /2
@@ -0,0 +1 @@
+x
";
    assert_eq!(printed(|out| plan(out, Form::Text, &plans)).0, want);
}

#[test]
fn a_plan_for_programs_has_an_object_for_each_host() {
    let (text, _) = printed(|out| plan(out, Form::Json, &plans()));
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states: Vec<&str> = objects.iter().map(|one| one["state"].as_str().unwrap()).collect();
    let want = "same changes changes changes same down busy unsettled faulty changes";
    assert_eq!(states.join(" "), want);
    assert_eq!(
        text.lines().nth(6),
        Some(concat!(
            r#"{"spec":"web","env":"prod","is_protected":true,"host":"web06","path":"/srv/web06/app.conf","#,
            r#""state":"busy","open":{"id":"d-2","who":"eva@laptop","time":"2026-03-14T03:12:09Z","is_guarded":true}}"#
        ))
    );
    assert_eq!(objects[2]["diff"].as_str().unwrap().lines().next(), Some("--- /srv/web02/app.conf"));
    assert_eq!(objects[9]["old_sha256"], serde_json::Value::Null);
    assert_eq!(objects[9]["new_sha256"], crate::diff::sum(b"x\n"));
    assert_eq!(objects[5]["why"], "cannot connect: \u{1b}[31mConnection refused");
}

#[test]
fn a_change_says_what_it_is() {
    let check = |change: Change, want: &str| {
        let plans = [env("dev", vec![host("a", changes(change))])];
        let (text, _) = printed(|out| plan(out, Form::Text, &plans));
        assert_eq!(text.lines().nth(1), Some(want));
        assert_eq!(crate::status::of_plan(&plans, false).unwrap(), Outcome::Done);
    };
    check(change(Some("a\n"), None), "  a: the file would go");
    check(change(Some("a\n"), Some("a\n")), "  a: same content");
    let access = Some("root:root 0600".to_owned());
    check(
        Change { access, ..change(Some("a\n"), Some("a\n")) },
        "  a: same content, other owner, group or mode",
    );
}

#[test]
fn a_plan_shows_no_secret() {
    let secret = "the-key-of-the-report";
    secrets::conceal::secret(&secret.into());
    let with = |value: &str| format!("key = {value}\n");
    let mut both = change(Some(&with("before-that")), Some(&with(secret)));
    both.secret_lines = BTreeSet::from([0]);
    assert!(!format!("{both:?}").contains(secret) && !format!("{both:?}").contains("before-that"));
    let hosts = vec![host("a", changes(both)), host("b", HostState::Down(format!("no {secret}")))];
    let plans = [env("dev", hosts)];
    for form in [Form::Text, Form::Json] {
        let (text, _) = printed(|out| plan(out, form, &plans));
        assert!(text.contains("-key = (masked)") && text.contains("no [secret]"), "{text}");
        assert!(!text.contains(secret) && !text.contains("before-that"), "{text}");
    }
}

fn results() -> EnvResult {
    let host = |name: &str, fate, why: Option<&str>| HostResult {
        host: name.into(),
        fate,
        why: why.map(str::to_owned),
    };
    EnvResult {
        spec: "web".into(),
        env: "prod".into(),
        id: Some("d-3".into()),
        version: "0123456789abcdef".into(),
        back_to: None,
        verdict: Word::NotRolledBack,
        why: Some("web03: the health check failed".into()),
        seconds: 12.345_678,
        hosts: vec![
            host("web02", Word::RolledBack, None),
            host("web01", Word::RolledBack, None),
            host("web03", Word::NotRolledBack, Some("out of reach")),
            host("web04", Word::Down, Some("no route\n")),
        ],
    }
}

#[test]
fn a_result_says_first_where_somebody_is_needed() {
    let want = "\
web to prod: FAILED and NOT wholly rolled back, somebody is needed: web03: the health check failed
  deployment d-3, version 0123456789ab, 12.3 s
  NOT rolled back: web03: out of reach
  rolled back: web01, web02
  down: web04: no route\\n
";
    assert_eq!(printed(|out| result(out, Form::Text, &results())).0, want);
    let json = concat!(
        r#"{"spec":"web","env":"prod","id":"d-3","version":"0123456789abcdef","outcome":"not_rolled_back","#,
        r#""why":"web03: the health check failed","seconds":12.346,"hosts":[{"host":"web02","outcome":"rolled_back"},"#,
        r#"{"host":"web01","outcome":"rolled_back"},{"host":"web03","outcome":"not_rolled_back","why":"out of reach"},"#,
        r#"{"host":"web04","outcome":"down","why":"no route\n"}]}"#,
    );
    assert_eq!(printed(|out| result(out, Form::Json, &results())).0, format!("{json}\n"));
}

#[test]
fn why_it_failed_is_told_once() {
    let fate = Word::RolledBack;
    let host = |host: &str, why: &str| HostResult { host: host.into(), fate, why: Some(why.into()) };
    let one = EnvResult {
        verdict: Word::RolledBack,
        why: Some("web02: not healthy".into()),
        hosts: vec![
            host("web01", "web02: not healthy"),
            host("web02", "not healthy"),
            host("web03", "not healthy"),
        ],
        ..results()
    };
    let want = "\
web to prod: FAILED and rolled back: web02: not healthy
  deployment d-3, version 0123456789ab, 12.3 s
  rolled back: web01, web02
  rolled back: web03: not healthy
";
    assert_eq!(printed(|out| result(out, Form::Text, &one)).0, want);
    let down = EnvResult { verdict: Word::Down, why: Some("all hosts are out of reach".into()), ..results() };
    let want = "web to prod: all hosts are down, nothing was changed\n";
    assert!(printed(|out| result(out, Form::Text, &down)).0.starts_with(want));
}

#[test]
fn each_verdict_is_a_sentence() {
    let check = |verdict, want: &str| {
        let one = EnvResult { verdict, why: None, id: None, ..results() };
        let (text, _) = printed(|out| result(out, Form::Text, &one));
        assert_eq!(text.lines().next(), Some(format!("web to prod: {want}").as_str()));
    };
    check(Word::Done, "done on 0 hosts");
    check(Word::Partial, "done on 0 of 4 hosts");
    check(Word::Unchanged, "nothing to do");
    check(Word::Down, "all hosts are down, nothing was changed");
    check(Word::Untouched, "not touched");
    check(Word::Refused, "refused, nothing was changed");
    check(Word::Busy, "somebody else is at it, nothing was changed");
    check(Word::Failed, "failed, nothing was changed");
    check(Word::RolledBack, "FAILED and rolled back");
}

fn kept(id: &str) -> Kept {
    let file = |sha256: &str| {
        let (sha256, owner) = (sha256.to_owned(), "root".to_owned());
        Some(FileState { sha256, mode: 0o640, group: owner.clone(), owner, size: 3 })
    };
    let (version, who, time) = ("0123456789abcdef", "jan@box", "2026-03-14T09:26:53Z");
    Kept {
        id: id.into(),
        version: version.into(),
        who: who.into(),
        time: time.into(),
        before: None,
        after: file("ab"),
    }
}

fn seen(host: &str, seen: Answer<Seen>) -> HostStatus {
    HostStatus { spec: "web".into(), env: "prod".into(), host: host.into(), seen, path: "/a".into() }
}

fn statuses() -> Vec<HostStatus> {
    let live = kept("d-1").after;
    let fine = Seen { live: live.clone(), kept: vec![kept("d-0"), kept("d-1")], ..Seen::default() };
    let mut drifted = fine.clone();
    drifted.live = drifted.live.map(|live| FileState { mode: 0o600, ..live });
    vec![
        seen("web01", Answer::Yes(fine.clone())),
        seen("web02", Answer::Yes(drifted)),
        seen("web03", Answer::Yes(Seen { open: Some(open(true)), ..fine })),
        seen("web04", Answer::Yes(Seen::default())),
        seen("web05", Answer::Unknown("cannot connect".into())),
    ]
}

#[test]
fn a_status_has_a_line_for_each_host() {
    let want = "\
ENV   HOST   VERSION       DEPLOYMENT  SINCE                 STATE
prod  web01  0123456789ab  d-1         2026-03-14T09:26:53Z  ok
prod  web02  0123456789ab  d-1         2026-03-14T09:26:53Z  drifted: mode 0600 instead of 0640
prod  web03  0123456789ab  d-1         2026-03-14T09:26:53Z  open: eva@laptop since 2026-03-14T03:12:09Z (d-2)
prod  web04                                                  none: no file
prod  web05                                                  down: cannot connect
";
    let (text, result) = printed(|out| status(out, Form::Text, &statuses()));
    assert_eq!((text.as_str(), result.unwrap()), (want, Outcome::Partial));
    let mut two = statuses();
    two[4].spec = "db".into();
    let (text, _) = printed(|out| status(out, Form::Text, &two));
    assert!(text.starts_with("SPEC  ENV   HOST"), "{text}");
    assert_eq!(printed(|out| status(out, Form::Text, &[])).0, "");
}

#[test]
fn a_status_for_programs_has_all_that_is_kept() {
    let (text, _) = printed(|out| status(out, Form::Json, &statuses()));
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["kept"][0]["id"], "d-0");
    assert_eq!(objects[1]["state"], "drifted");
    assert_eq!(objects[2]["open"]["who"], "eva@laptop");
    let down = concat!(
        r#"{"spec":"web","env":"prod","host":"web05","path":"/a","state":"down","why":"cannot connect","#,
        r#""version":null,"id":null,"who":null,"since":null,"live":null,"kept":[]}"#
    );
    assert_eq!(text.lines().last(), Some(down));
}

fn record() -> Record {
    let host =
        |name: &str, outcome| HostRecord { host: name.into(), outcome, before: None, after: None, why: None };
    Record {
        n: 1,
        time: "2026-03-14T09:26:53.123Z".into(),
        who: "jan".into(),
        host: "box".into(),
        pid: 7,
        deed: Deed {
            spec: "web".into(),
            env: "prod".into(),
            action: Action::Apply,
            id: "d-1".into(),
            version: "0123456789abcdef".into(),
            back_to: None,
            outcome: Word::RolledBack,
            why: Some("web01: a\u{202e}b".into()),
            seconds: Some(1.5),
            hosts: vec![
                host("web01", Word::RolledBack),
                host("web02", Word::RolledBack),
                host("web03", Word::Down),
            ],
        },
    }
}

#[test]
fn a_history_is_a_line_for_each_record() {
    let want = "\
TIME                      WHO      SPEC  ENV   ACTION  OUTCOME      VERSION       DEPLOYMENT  HOSTS                  WHY
2026-03-14T09:26:53.123Z  jan@box  web   prod  apply   rolled back  0123456789ab  d-1         2 rolled back, 1 down  web01: a\\u{202e}b
";
    assert_eq!(printed(|out| history(out, Form::Text, &[record()])).0, want);
    let (json, _) = printed(|out| history(out, Form::Json, &[record()]));
    assert!(json.contains(r#""why":"web01: a\u202eb""#), "{json}");
    assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record());
    assert_eq!(printed(|out| history(out, Form::Text, &[])).0, "");
}
