//! What selections mean.

use super::*;
use crate::host::Place;
use proptest::prelude::*;

fn host(name: &str, tags: &[(&str, &str)]) -> Host {
    let tags = tags.iter().copied().collect();
    Host { tags, ..Host::named(name, Place::default()) }
}

fn fleet() -> Vec<Host> {
    vec![
        host("web1", &[("env", "prod"), ("role", "web"), ("group", "front")]),
        host("web2", &[("env", "test"), ("role", "web"), ("group", "front")]),
        host("DB1.example.com", &[("env", "prod"), ("role", "db"), ("group", "back"), ("group", "big")]),
        host("bare", &[]),
    ]
}

fn chosen(text: &str) -> Vec<String> {
    let selection = Selection::parse(text).unwrap();
    fleet().iter().filter(|host| selection.matches(host)).map(|host| host.name.clone()).collect()
}

#[test]
fn a_selection_means_these_hosts() {
    let check = |text: &str, want: &[&str]| assert_eq!(chosen(text), want, "{text}");
    check("env=prod", &["web1", "DB1.example.com"]);
    check("env=prod,env=test", &["web1", "web2", "DB1.example.com"]);
    check("env=prod,role=web", &["web1"]);
    check("env=p*", &["web1", "DB1.example.com"]);
    check("env=*", &["web1", "web2", "DB1.example.com"]);
    check("env=PROD", &[]);
    check("web1,bare", &["web1", "bare"]);
    check("WEB*", &["web1", "web2"]);
    check("web[1-2,7]", &["web1", "web2"]);
    check("db[1-2].*", &["DB1.example.com"]);
    check("front", &["web1", "web2"]);
    check("FRONT", &[]);
    check("b*g", &["DB1.example.com"]);
    check("front,env=prod", &["web1"]);
    check("!web1", &["web2", "DB1.example.com", "bare"]);
    check("front,!web1", &["web2"]);
    check("env!=prod", &["web2", "bare"]);
    check("!env=prod", &["web2", "bare"]);
    check(" env = prod , ! web1 ", &["DB1.example.com"]);
    check("*,!*", &[]);
}

#[test]
fn what_is_no_selection_is_refused_with_its_place() {
    let check = |text: &str, want: &str| {
        let error = Selection::parse(text).unwrap_err();
        assert!(error.contains(want), "{text}: {error}");
    };
    check("", "no term at character 1");
    check("web1,", "no term at character 6");
    check("web1,,web2", "no term at character 6");
    check("a, =x", "character 4: `=x` has no key");
    check("env=", "no value behind");
    check("!", "takes nothing away");
    check("!!web1", "takes nothing away");
    check("!env!=prod", "negated twice; say `env=prod`");
    check("web[1-", "character 1: `[`");
    check("@/nowhere/list", "cannot open /nowhere/list: No such file");
}

#[test]
fn names_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("retry");
    testkit::write(&path, "web1 # timeout\n\n# none\nBARE, web[7-8]\n");
    let text = format!("@{}", path.display());
    assert_eq!(chosen(&text), ["web1", "bare"]);
    assert_eq!(chosen(&format!("!{text}")), ["web2", "DB1.example.com"]);
    let told = Selection::parse(&text).unwrap().unmatched(&fleet());
    assert_eq!(told, [format!("`{text}`: 2 of 4 names are no known host, such as `web7`")]);
    testkit::write(&path, "");
    assert_eq!(chosen(&text), [""; 0]);
    testkit::write(&path, b"\xff");
    assert!(Selection::parse(&text).unwrap_err().contains("not UTF-8"));
    testkit::write(&path, "\u{feff}web1\r\n");
    assert_eq!(chosen(&text), ["web1"]);
    testkit::write(&path, "a[1-999999]\nb[1-2]\n");
    assert!(Selection::parse(&text).unwrap_err().ends_with("retry:2: these are more than 1000000 names"));
    testkit::write(&path, "a\nweb[1");
    assert!(Selection::parse(&text).unwrap_err().contains("retry:2: "));
}

#[test]
fn what_means_no_host_is_told_with_what_is_near() {
    let check = |text: &str, want: &[&str]| {
        assert_eq!(Selection::parse(text).unwrap().unmatched(&fleet()), want, "{text}");
    };
    check("env=prod,web1,!bare,front", &[]);
    check("env=prdo", &["`env=prdo` means no host; did you mean `env=prod`?"]);
    check("env=PROD", &["`env=PROD` means no host; did you mean `env=prod`?"]);
    check("nev=prod", &["`nev=prod` means no host: none has a tag `nev`; did you mean `env=prod`?"]);
    check("region=eu", &["`region=eu` means no host: none has a tag `region`"]);
    check("wbe1", &["`wbe1` is the name of no host and no group; did you mean `web1`?"]);
    check("prod", &["`prod` is the name of no host and no group; did you mean `env=prod`?"]);
    check("Front", &["`Front` is the name of no host and no group; did you mean `front`?"]);
    check("web*,!web22", &["`!web22` is the name of no host and no group; did you mean `!web2`?"]);
    check("env=staging", &["`env=staging` means no host; there is `env=prod` or `env=test`"]);
    check("env=prod role=web", &["`env=prod role=web` means no host; commas separate terms"]);
    check("web1 web2", &["`web1 web2` is the name of no host and no group; commas separate terms"]);
    check("mail[1-9]", &["`mail[1-9]` is the name of no host and no group"]);
}

/// The same, term by term, without any preparation; names and values are plain or `*`.
fn naive(text: &str, host: &Host) -> bool {
    let is = |pattern: &str, text: &str| pattern == "*" || pattern == text;
    let has = |key: &str, value: &str| {
        host.tags.get(key).is_some_and(|values| values.iter().any(|one| is(value, one)))
    };
    let term = |term: &str| match term.split_once('=') {
        Some((key, value)) => has(key, value),
        None => is(&term.to_lowercase(), &host.name.to_lowercase()) || has("group", term),
    };
    let unified = text.split(',').map(|term| match term.split_once("!=") {
        Some((key, value)) => format!("!{key}={value}"),
        None => term.to_owned(),
    });
    let terms: Vec<String> = unified.collect();
    let kind = |term: &String| term.split_once('=').map(|(key, _)| key.to_owned());
    let wanted: Vec<&String> = terms.iter().filter(|term| !term.starts_with('!')).collect();
    wanted.iter().all(|one| wanted.iter().any(|other| kind(one) == kind(other) && term(other)))
        && !terms.iter().filter_map(|one| one.strip_prefix('!')).any(term)
}

proptest! {
    #[test]
    fn the_selection_is_what_its_terms_say(
        text in "((!?([aAbg*]|[kl]=[xy*]))|[kl]!=[xy])(,((!?([aAbg*]|[kl]=[xy*]))|[kl]!=[xy])){0,4}",
        name in "[abA]",
        tags in proptest::collection::vec(("[kl]|group", "[xyga]"), 0..4),
    ) {
        let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let host = host(&name, &tags);
        prop_assert_eq!(Selection::parse(&text).unwrap().matches(&host), naive(&text, &host));
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,20}|[a=!,\\[\\]1-9*? ]{0,16}") {
        if let Ok(selection) = Selection::parse(&text) {
            let _ = selection.unmatched(&fleet());
        }
    }
}
