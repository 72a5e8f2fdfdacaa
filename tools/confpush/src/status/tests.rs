use super::*;
use crate::report::HostPlan;
use crate::station::{Kept, Seen};

fn file(sha256: &str) -> FileState {
    FileState { sha256: sha256.into(), mode: 0o644, owner: "root".into(), group: "root".into(), size: 1 }
}

fn open(is_guarded: bool) -> Open {
    Open { id: "d-2".into(), who: "eva@box".into(), time: "T".into(), is_guarded }
}

fn seen(left: Option<FileState>, live: Option<FileState>) -> Seen {
    let (id, version, who, time) = ("d-1".into(), "v".into(), "jan@box".into(), "T".into());
    let kept = Kept { id, version, who, time, before: None, after: left };
    Seen { live, kept: vec![kept], ..Seen::default() }
}

fn host(seen: Answer<Seen>) -> HostStatus {
    HostStatus { spec: "web".into(), env: "prod".into(), host: "a".into(), seen, path: "/a".into() }
}

#[test]
fn a_host_is_in_one_state() {
    let check = |seen: Answer<Seen>, want: &str| {
        assert_eq!(State::of(&host(seen)).to_string(), want);
    };
    let fine = seen(Some(file("a")), Some(file("a")));
    check(Answer::Yes(fine.clone()), "ok");
    check(Answer::Yes(seen(None, None)), "ok");
    check(Answer::Yes(Seen { wants: Some("root:root 0600".into()), ..fine.clone() }), "ok");
    check(Answer::Yes(seen(Some(file("a")), Some(file("b")))), "drifted: other content");
    check(Answer::Yes(seen(Some(file("a")), None)), "drifted: the file is gone");
    check(Answer::Yes(seen(None, Some(file("a")))), "drifted: there is a file again");
    let other = FileState { mode: 0o4755, owner: "app".into(), ..file("b") };
    check(
        Answer::Yes(seen(Some(file("a")), Some(other))),
        "drifted: other content, mode 4755 instead of 0644, app:root instead of root:root",
    );
    // The deployment that is under way has changed the file.
    let under_way = Seen { open: Some(open(true)), ..seen(Some(file("a")), Some(file("b"))) };
    check(Answer::Yes(under_way), "open: eva@box since T (d-2)");
    check(Answer::Yes(Seen { open: Some(open(false)), ..fine }), "unsettled: left by eva@box since T (d-2)");
    check(
        Answer::Yes(Seen { live: Some(file("a")), ..Seen::default() }),
        "none: a file that was not deployed",
    );
    check(Answer::Yes(Seen::default()), "none: no file");
    check(Answer::Unknown("no route".into()), "down: no route");
    check(Answer::No("no flock(1)".into()), "failed: no flock(1)");
}

/// Its status, and its sentence when it is an error.
fn told(result: Result<Outcome>) -> (u8, String) {
    result
        .map_or_else(|error| (error.status(), error.to_string()), |outcome| (outcome.status(), String::new()))
}

#[test]
fn a_status_is_fine_unless_hosts_are_down() {
    let check = |down: usize, up: usize, want: u8| {
        let drifted = || host(Answer::Yes(seen(Some(file("a")), None)));
        let down = std::iter::repeat_with(|| host(Answer::Unknown("no".into()))).take(down);
        let hosts: Vec<HostStatus> = down.chain(std::iter::repeat_with(drifted).take(up)).collect();
        assert_eq!(told(of_hosts(&hosts)).0, want);
    };
    check(0, 0, 0);
    check(0, 2, 0);
    check(1, 1, 23);
    check(2, 0, 75);
    // One that answers, and refuses, is not down.
    let mixed = [host(Answer::No("no".into())), host(Answer::Unknown("no".into()))];
    assert_eq!(told(of_hosts(&mixed)), (2, "cannot look at a".into()));
}

#[test]
fn a_plan_ends_by_its_worst_host() {
    let check = |states: &str, is_check: bool, want: (u8, &str)| {
        let state = |one: char| match one {
            's' => HostState::Same,
            'c' => HostState::Changes(Box::new(crate::report::Change {
                old: None,
                new: None,
                secret_lines: std::collections::BTreeSet::new(),
                access: None,
                drift: None,
            })),
            'd' => HostState::Down("no".into()),
            'b' => HostState::Busy(open(true)),
            'u' => HostState::Unsettled(open(false)),
            _ => HostState::Faulty("no".into()),
        };
        let host = |(at, one): (usize, char)| HostPlan {
            host: format!("h{at}"),
            path: "/a".into(),
            state: state(one),
        };
        let hosts = states.chars().enumerate().map(host).collect();
        let plans = [EnvPlan { spec: "web".into(), env: "prod".into(), is_protected: false, hosts }];
        let (status, sentence) = told(of_plan(&plans, is_check));
        assert_eq!((status, sentence.as_str()), want, "{states} {is_check}");
    };
    check("ss", true, (0, ""));
    check("sc", false, (0, ""));
    check("sc", true, (1, ""));
    check("su", true, (1, ""));
    check("cd", false, (23, ""));
    check("cd", true, (1, ""));
    check("sd", true, (23, ""));
    check("dd", true, (75, "all hosts are down"));
    check("cdb", true, (75, "another deployment is at h2"));
    check("cdbf", true, (2, "it would fail on h3"));
    check(&"f".repeat(12), false, (2, "it would fail on h0, h1, h2, h3, h4, h5, h6, h7, h8, h9 and 2 more"));
    check("", true, (0, ""));
}
