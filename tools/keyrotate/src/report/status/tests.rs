use super::super::tests::{at, printed, soaking};
use super::*;
use crate::state::{Back, Last, Skip, Wait};

fn check(state: &State, form: Form, want: &str) {
    let gates = Gates::default();
    let terms = Some(Terms { every: Duration::from_secs(86_400), gates: &gates });
    let subject = Subject { name: "orders", state, terms };
    assert_eq!(printed(|out| print(&[subject], &at(4600), form, out)), want);
}

#[test]
fn a_credential_at_rest_says_when_it_is_due() {
    let last = Last {
        rotation: "r0".into(),
        ended: 900,
        is_rotated: true,
        key: "AK1".into(),
        fingerprint: "ba7816bf8f01".into(),
    };
    let state = State { last: Some(last), ..State::default() };
    let want = "NAME    PHASE  KEY  SINCE                 NEXT\n\
                orders  IDLE   AK1  1970-01-01T00:15:00Z  1970-01-02T00:15:00Z\n";
    check(&state, Form::Text, want);
    let want = "NAME    PHASE  NEXT\norders  IDLE   1970-01-01T01:16:40Z\n";
    check(&State::default(), Form::Text, want);
}

#[test]
fn a_rotation_shows_what_it_waits_for() {
    let mut state = soaking();
    state.hold = Some(Hold { until: Some(9000), by: "jan".into() });
    let rotation = state.rotation.as_mut().unwrap();
    rotation.waits = Some(Wait { status: 12, why: "both keys are good".into() });
    let skip = Skip { reason: "gone\n".into(), by: "root".into() };
    rotation.skipped.insert("batch".into(), skip);
    rotation.back = Some(Back { reason: "it broke".into(), by: "jan".into() });
    let want = "\
NAME    PHASE       KEY  SINCE                 WAITS FOR
orders  SOAK, back  AK2  1970-01-01T00:15:00Z  both keys are good

CONSUMER  WRITTEN  ATTESTED  SKIPPED BY
batch     yes      yes       root: gone\\n
web       yes      yes

goes back: it broke
3600 s of 86400 s have passed
held by jan until 1970-01-01T02:30:00Z
";
    check(&state, Form::Text, want);
}

#[test]
fn a_long_sentence_stands_below_the_table() {
    let mut state = soaking();
    let rotation = state.rotation.as_mut().unwrap();
    rotation.consumers.clear();
    rotation.timer = None;
    let why = format!("{}.", "web01: x; ".repeat(12));
    rotation.waits = Some(Wait { status: 23, why: why.clone() });
    let want = format!(
        "NAME    PHASE  KEY  SINCE                 WAITS FOR\n\
         orders  SOAK   AK2  1970-01-01T00:15:00Z  {} ...\n\nwaits for: {why}\n",
        &why[..96]
    );
    check(&state, Form::Text, &want);
}

#[test]
fn json_has_all_of_it_and_no_secret() {
    let mut state = soaking();
    state.hold = Some(Hold { until: Some(4600), by: "jan".into() });
    let want = concat!(
        r#"{"name":"orders","phase":"SOAK","is_going_back":false,"rotation":"r1","#,
        r#""key":{"id":"AK2","fingerprint":"a52d159f262b"},"#,
        r#""old_key":{"id":"AK1","fingerprint":"ba7816bf8f01"},"#,
        r#""since":"1970-01-01T00:15:00Z","next_due":null,"waits":null,"#,
        r#""timer":{"passed_seconds":3600,"of_seconds":86400},"hold":null,"confirmed_by":null,"last":null,"#,
        r#""consumers":{"batch":{"is_written":true,"is_attested":true},"#,
        r#""web":{"is_written":true,"is_attested":true}}}"#,
        "\n"
    );
    check(&state, Form::Json, want);
}

fn many(done: usize, open: usize) -> State {
    let mut state = soaking();
    let rotation = state.rotation.as_mut().unwrap();
    rotation.timer = None;
    let progress = *rotation.consumers.values().next().unwrap();
    rotation.consumers.clear();
    for number in 1..=done + open {
        let is_attested = number <= done;
        rotation.consumers.insert(format!("c{number}"), Progress { is_attested, ..progress });
    }
    state
}

#[test]
fn those_who_hold_it_up_come_first_and_many_others_are_counted() {
    let head = "NAME    PHASE  KEY  SINCE\norders  SOAK   AK2  1970-01-01T00:15:00Z\n\n";
    let titles = "CONSUMER  WRITTEN  ATTESTED\n";
    let row = |number: usize, is: &str| format!("{:<8}  yes      {is}\n", format!("c{number}"));
    let rows = |numbers: std::ops::RangeInclusive<usize>, is: &str| -> String {
        numbers.map(|number| row(number, is)).collect()
    };
    let want = format!("{head}{titles}{}{}", rows(10..=11, "no"), rows(1..=9, "yes"));
    check(&many(9, 2), Form::Text, &want);
    let want = format!("{head}{titles}{}{}", row(21, "no"), rows(1..=20, "yes"));
    check(&many(20, 1), Form::Text, &want);
    let counted = "21 more consumers are written and attested\n";
    check(&many(21, 2), Form::Text, &format!("{head}{titles}{}{counted}", rows(22..=23, "no")));
    let counted = "50 consumers are written and attested\n";
    check(&many(50, 0), Form::Text, &format!("{head}{counted}"));
    let state = many(50, 1);
    let subject = Subject { name: "orders", state: &state, terms: None };
    let json = printed(|out| print(&[subject], &at(4600), Form::Json, out));
    assert_eq!(json.matches("is_attested").count(), 51);
}
