use common::out::Held;
use tempfile::TempDir;

use super::*;

/// What is found in the specs of `texts`, beside a template of this text.
fn found(texts: &[&str], template: &str, form: Form) -> (Outcome, String) {
    let folder: TempDir = tempfile::tempdir().unwrap();
    testkit::write(folder.path().join("app.json.j2"), template);
    testkit::write(folder.path().join("s.json"), r#"{"properties": {"n": {"maximum": 9}}}"#);
    testkit::write(folder.path().join("hosts.toml"), "[[host]]\nname = \"web[01-02]\"\n");
    let place = folder.path().display().to_string();
    let paths: Vec<_> = (0..texts.len()).map(|at| folder.path().join(format!("{at}.toml"))).collect();
    for (path, text) in paths.iter().zip(texts) {
        testkit::write(path, text.replace("/FILES", &place));
    }
    let mut held = Held::new("memory");
    let outcome = all(&paths, form, held.out()).unwrap();
    let text = String::from_utf8(held.take().unwrap()).unwrap();
    (outcome, text.replace(&place, "F"))
}

const SPEC: &str = "name = 'web'
source = 'app.json.j2'
path = '/etc/app.json'
values = { n = 1 }
[[environments]]
name = 'staging'
hosts = ['web01']
[[environments]]
name = 'prod'
hosts = ['web[02-06]']
values = { n = 2 }
host_values.web03 = { n = 3 }
";

fn check(texts: &[&str], template: &str, want: &str) {
    let (outcome, text) = found(texts, template, Form::Text);
    assert_eq!(text, want);
    assert_eq!(outcome, if want.is_empty() { Outcome::Done } else { Outcome::Own(2) });
}

#[test]
fn what_is_good_is_passed_over_in_silence() {
    check(&[SPEC], "{\"n\": {{ n }}}", "");
}

#[test]
fn a_fault_is_told_once_with_its_hosts() {
    check(&[SPEC], "\n{{ m }}", "F/app.json.j2:2: `m` has no value (web01, web02, web03 and 3 more)\n");
    let twice = "F/0.toml:2: `source`: it is no JSON: line 1, column 11: the key `2` is there twice (web02, web04, web05 and 1 more)\n";
    check(&[SPEC], "{\"2\": 1, \"{{ n }}\": 1}", &twice.replace("column 11", "column 12"));
    let local = SPEC.replacen("[[env", "[validate]\nlocal = '! grep 3 {}'\n[[env", 1);
    check(&[&local], "{\"n\": {{ n }}}", "F/0.toml:6: `validate.local`: exit status 1: {\"n\": 3} (web03)\n");
    let schema = SPEC.replace("values = { n = 1 }", "values = { n = 10 }\nschema = 's.json'");
    check(
        &[&schema],
        "{\"n\": {{ n }}}",
        "F/0.toml:2: `source`: it is not as F/s.json says: /n: 10 is greater than the maximum of 9 (web01)\n",
    );
}

#[test]
fn faults_of_all_specs_are_told() {
    let bad = SPEC.replace("path", "pathe").replace("'web'", "'db'");
    let want = "F/0.toml:1: the spec has no `path`\n\
                F/0.toml:3: there is no key `pathe`; did you mean `path`?\n\
                F/2.toml:1: `web` is the name of F/1.toml, too\n";
    check(&[&bad, SPEC, SPEC], "{}", want);
    let sources = SPEC.replace("app.json.j2", "none.json") + "[secrets]\npw = { file = 'none' }\n";
    let want = "F/0.toml:2: `source`: cannot read F/none.json: No such file or directory (os error 2)\n\
                F/0.toml:14: `secrets.pw`: cannot open F/none: No such file or directory (os error 2)\n";
    check(&[&sources], "{}", want);
}

#[test]
fn two_specs_have_no_file_in_common() {
    let other = |path: &str| SPEC.replace("'web'", "'db'").replace("/etc/app.json", path);
    let want = "F/1.toml:3: `path`: F/0.toml deploys /etc/web02.json of the same host, too; one file has one spec (web02)\n";
    check(
        &[
            &SPEC.replace("app.json'", "{{ host }}.json'").replace("source = '{{ host }}", "source = 'app"),
            &other("/etc/web02.json"),
        ],
        "{}",
        want,
    );
    check(&[SPEC, &other("/etc/db.json")], "{}", "");
    // On another port another machine may answer.
    check(&[SPEC, &(other("/etc/app.json") + "[ssh]\nport = 2222\n")], "{}", "");
}

#[test]
fn hosts_of_an_inventory_are_known_without_asking_them() {
    let spec = SPEC.replace("web[02-06]", "web02") + "[ssh]\ninventory = ['/FILES/hosts.toml']\n";
    let want = "F/0.toml:8: `host_values.web03`: `prod` has no such host; did you mean `web02`?\n";
    check(&[&spec], "{}", want);
    let want = "F/0.toml:5: `hosts` of `staging`: no host is selected: `db` means none of the 2 hosts\n";
    check(&[&spec.replace("'web01'", "'db'")], "{}", want);
}

#[test]
fn programs_get_json() {
    let (outcome, text) = found(&[SPEC, "x"], "{{ m }}", Form::Json);
    assert_eq!(outcome, Outcome::Own(2));
    let first = r#"{"file":"F/0.toml","#;
    let all: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(all.len(), 2, "{first}");
    assert_eq!(all[1]["hosts"].as_array().unwrap().len(), 6);
    assert_eq!(
        (&all[0]["severity"], &all[0]["line"], &all[0]["hosts"]),
        (&"fault".into(), &1.into(), &serde_json::json!([]))
    );
}
