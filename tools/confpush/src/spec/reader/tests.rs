use proptest::prelude::*;

use super::*;
use crate::spec::{Count, How, Strategy};

const GOOD: &str = r#"name = "web"
source = "app.json.j2"
path = "/etc/{{ name }}/app.json"
owner = "root"
mode = "0640"
schema = "app.schema.json"
after = ["db"]
values = { workers = 4, db = { port = 5432 } }
secrets = { password = { file = "pw" } }
[validate]
local = "jq . {}"
remote = "nginx -t -c {}"
[reload]
command = "systemctl reload web"
[[health]]
http = "http://127.0.0.1:{{ db.port }}/health"
body = "ok"
[checks]
pass = 3
of = 5
window = "10s"
[strategy]
canary = 1
batch = "25%"
[[environments]]
name = "staging"
hosts = ["web01"]
bake = "30s"
[[environments]]
name = "prod"
hosts = ["web[02-05]"]
protected = true
gate = "manual"
values = { workers = 16 }
host_values.web03 = { workers = 8 }
strategy = { max_failures = "10%" }
"#;

fn read_good(text: &str) -> Spec {
    let judged = read_text(Path::new("specs/web.toml"), text);
    assert_eq!(judged.faults, []);
    judged.spec.unwrap()
}

#[test]
fn a_spec_is_read_with_its_defaults() {
    let spec = read_good(GOOD);
    assert_eq!((spec.source.as_path(), spec.is_template), (Path::new("specs/app.json.j2"), true));
    assert_eq!((spec.kind, spec.access.mode, spec.keep), (Kind::Json, Some(0o640), 5));
    assert_eq!(spec.secrets["password"], Source::File("specs/pw".into()));
    assert_eq!(spec.validate.local.unwrap(), ["sh", "-c", "jq . {}"]);
    assert!(matches!(&spec.health[..], [Check { how: How::Http { status: 200, .. }, .. }]));
    let [staging, prod] = &spec.environments[..] else { panic!() };
    assert_eq!((staging.is_protected, staging.is_manual, staging.bake.as_secs()), (false, false, 30));
    assert_eq!((prod.is_protected, prod.is_manual, prod.bake.as_secs()), (true, true, 0));
    assert_eq!((prod.strategy.canary, prod.strategy.max_failures), (1, Count::Percent(10)));
    assert_eq!(
        (staging.strategy.batch, staging.strategy.max_failures),
        (Count::Percent(25), Count::Number(0))
    );
    assert_eq!(prod.host_values["web03"]["workers"], 8);
    assert_eq!((spec.lines.path, spec.lines.health, spec.lines.environments), (3, vec![15], vec![25, 29]));
    let least =
        read_good("name = 'a'\nsource = 'x.ini'\npath = '/x.ini'\n[[environments]]\nname = 'e'\nhosts = 'h'");
    assert_eq!((least.kind, least.is_template, least.strategy), (Kind::Ini, false, Strategy::default()));
    assert_eq!((least.validate.timeout.as_secs(), least.checks), (30, Checks::default()));
}

/// The faults of [`GOOD`] with `from` replaced by `to`.
fn check(from: &str, to: &str, want: &[&str]) {
    assert!(from.is_empty() || GOOD.contains(from), "{from}");
    let text = if from.is_empty() { format!("{to}\n{GOOD}") } else { GOOD.replacen(from, to, 1) };
    let judged = read_text(Path::new("web.toml"), &text);
    let got: Vec<_> = judged.faults.iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect();
    assert_eq!(got.len(), want.len(), "{got:#?}");
    for (got, want) in got.iter().zip(want) {
        assert!(got.contains(want), "{got}\nis to contain\n{want}");
    }
    assert_eq!(judged.spec.is_some(), want.is_empty());
}

#[test]
fn every_key_is_judged() {
    check("name = \"web\"", "name = \"../web\"", &["1: `name` is `../web`; a name is"]);
    check("name = \"web\"\n", "", &["1: the spec has no `name`"]);
    check("\"app.json.j2\"", "3", &["2: `source`: is to be a text"]);
    check(
        "/etc/{{ name }}/app.json",
        "etc/app.json",
        &["3: `path` is `etc/app.json`; it is to be an absolute path"],
    );
    check("{{ name }}", "{{ name", &["3: `path`: it is no template: "]);
    check("{{ name }}", "{{ password }}", &["3: `path` names the secret `password`"]);
    check("\"root\"", "\"ro ot\"", &["4: `owner` is `ro ot`; it is to be a name or a number"]);
    check("owner = ", "trust = [\"app\", \"a:b\"]\nowner = ", &["4: `trust` has `a:b`; it is to be names"]);
    check("\"0640\"", "\"0648\"", &["5: `mode` is `0648`; write it as \"0644\""]);
    check("\"0640\"", "416", &["5: `mode`: is to be a text in quotes"]);
    check("schema = ", "type = \"ini\"\nschema = ", &["6: `schema` is for `type` json, yaml and toml"]);
    check("[\"db\"]", "[\"web\"]", &["7: `after` names `web`, which is this spec"]);
    check("workers = 4,", "host = 4,", &["8: `values.host`: a template has `host` already"]);
    check(
        "{ workers = 16 }",
        "{ env-x = 1 }",
        &["34: `environments.values.env-x`: a template could not name it"],
    );
    check("{ workers = 16 }", "{ password = 1 }", &["9: `password` is a value and a secret"]);
    check(
        "file = \"pw\"",
        "fil = \"pw\"",
        &["9: `secrets.password`: is to be one of", "did you mean `file`?"],
    );
    check("jq . {}", "jq .", &["11: `validate.local` has no `{}`"]);
    check("-c {}", "-c x", &["12: `validate.remote` has no `{}`"]);
    check("command =", "comand =", &["13: [reload] has no `command`", "did you mean `command`?"]);
    check("of = 5", "of = 2", &["19: `checks.pass` is 3 of only 2 rounds"]);
}

#[test]
fn parts_must_agree() {
    let back = "is 60s, and a host of `staging` goes back by itself after 60s: it has to be shorter";
    let prod = back.replace("staging", "prod");
    let both = [format!("13: `reload.timeout` {prod}"), format!("13: `reload.timeout` {back}")];
    check("[reload]", "[reload]\ntimeout = \"1m\"", &[&both[0], &both[1]]);
    check(
        "body",
        "timeout = \"1h\"\nbody",
        &["15: `health.timeout` is 3600s", "15: `health.timeout` is 3600s"],
    );
    let short = "{ confirm_within = \"20s\", ";
    check(
        "strategy = { ",
        &format!("strategy = {short}"),
        &["10: `validate.timeout` is 30s, and a host of `prod`", "13: `reload.timeout` is 30s"],
    );
    check("\"prod\"", "\"staging\"", &["29: two environments are called `staging`"]);
    check("web[02-05]", "web[02-", &["31: `hosts`: "]);
    check("web[02-05]", "web[01-05]", &["29: web01 is in `staging` and in `prod`"]);
    check(
        "host_values.web03",
        "host_values.web3",
        &["29: `host_values.web3`: `prod` has no such host; did you mean `web03`?"],
    );
    check(
        "[[environments]]\nname = \"prod\"",
        "[[environment]]\nname = \"prod\"",
        &["29: there is no key `environment`; did you mean `environments`?"],
    );
}

#[test]
fn hosts_of_an_inventory_are_terms() {
    let ssh = "[ssh]\ninventory = ['hosts.toml']\n[validate]";
    let text = GOOD
        .replace("[validate]", ssh)
        .replace("web[02-05]", "role=web")
        .replace("[\"web01\"]", "[\"web*\", \"!web07\"]");
    assert_eq!(read_text(Path::new("x"), &text).faults, []);
}

#[test]
fn all_faults_of_all_specs_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        testkit::write(&path, text);
        path
    };
    let good = write("a.toml", GOOD);
    let bad = write("b.toml", &GOOD.replace("0640", "x").replace("canary", "canari"));
    assert_eq!(all(std::slice::from_ref(&good)).unwrap().len(), 1);
    let error = all(&[bad.clone(), good.clone()]).err().unwrap();
    let place = folder.path().display().to_string();
    let lines: Vec<_> = error.excerpt().iter().map(|line| line.replace(&place, "")).collect();
    assert_eq!(error.to_string(), "the specs have 2 faults");
    assert_eq!(
        lines,
        [
            "/b.toml:5: `mode` is `x`; write it as \"0644\"",
            "/b.toml:23: there is no key `strategy.canari`; did you mean `canary`?"
        ]
    );
    let again = write("c.toml", GOOD);
    let error = all(&[good, again]).err().unwrap();
    assert_eq!(error.excerpt()[0].replace(&place, ""), "/c.toml:1: `web` is the name of /a.toml, too");
    let json = write("d.json", "{\n  \"name\": \"web\"\n}\n");
    let error = all(&[json]).err().unwrap();
    assert_eq!(
        error.excerpt()[0].replace(&place, ""),
        "/d.json:1: this is no TOML: invalid key-value pair, expected key"
    );
    let error = all(&[folder.path().join("none.toml")]).err().unwrap().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("none.toml: No such file"), "{error}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String) {
        let _judged = read_text(Path::new("x"), &text);
    }

    #[test]
    fn a_spec_with_a_part_missing_or_doubled_is_judged(
        (from, length) in (0..GOOD.len(), 0..60usize), again in 0..GOOD.len(),
    ) {
        let to = (from + length).min(GOOD.len());
        let text = [&GOOD[..from], &GOOD[to..again.max(to)], &GOOD[from..to], &GOOD[to..]].concat();
        let judged = read_text(Path::new("x"), &text);
        prop_assert_eq!(judged.spec.is_some(), judged.faults.is_empty());
        let lines = text.lines().count() + 1;
        prop_assert!(judged.faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
    }
}
