use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::spec::{Access, Checks, Environment, Kind, Strategy as Waves, Validate};

/// `web after db,cache: dev staging prod`.
fn spec(text: &str) -> Spec {
    let (head, envs) = text.split_once(':').unwrap_or((text, ""));
    let (name, after) = head.split_once(" after ").unwrap_or((head, ""));
    let strategy = Waves::default();
    let environment = |name: &str| Environment {
        name: name.into(),
        hosts: Vec::new(),
        values: crate::spec::Values::new(),
        host_values: BTreeMap::new(),
        is_protected: false,
        is_manual: false,
        bake: Duration::ZERO,
        strategy,
    };
    Spec {
        file: PathBuf::from(format!("{name}.toml")),
        name: name.into(),
        source: PathBuf::new(),
        is_template: false,
        path: String::new(),
        access: Access::default(),
        kind: Kind::Text,
        schema: None,
        becomes: false,
        store: None,
        trust: Vec::new(),
        keep: 5,
        after: after.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        values: crate::spec::Values::new(),
        secrets: BTreeMap::new(),
        validate: Validate::default(),
        reload: None,
        health: Vec::new(),
        checks: Checks { pass: 1, of: 1, window: Duration::ZERO },
        strategy,
        ssh: remote::spec::Ssh::default(),
        environments: envs.split_whitespace().map(environment).collect(),
        lines: crate::spec::Lines::default(),
    }
}

fn specs(texts: &[&str]) -> Vec<Spec> {
    texts.iter().map(|text| spec(text)).collect()
}

#[test]
fn specs_are_behind_what_they_are_after() {
    let check = |texts: &[&str], want: &str| {
        let specs = specs(texts);
        let got = order(&specs).map_err(|error| error.to_string());
        let names =
            |order: Vec<usize>| order.iter().map(|at| &*specs[*at].name).collect::<Vec<_>>().join(" ");
        assert_eq!(got.map_or_else(|why| why, names), want, "{texts:?}");
    };
    let circle =
        |way: &str| format!("cannot order the specs: each of {way} is `after` the next one; drop one");
    check(&[], "");
    check(&["web", "db"], "web db");
    check(&["web after db", "db"], "db web");
    check(&["web after cache", "x", "cache after db", "db"], "x db cache web");
    check(&["a after c", "b", "c"], "b c a");
    check(&["web after gone"], "web");
    check(&["web after db,db", "db"], "db web");
    check(&["web after web"], &circle("web -> web"));
    check(&["db after web", "web after db"], &circle("db -> web -> db"));
    check(&["x after a", "a after b", "b after c", "c after a"], &circle("a -> b -> c -> a"));
}

fn check(texts: &[&str], extent: Extent<'_>, want: &str) {
    let specs = specs(texts);
    let told = |(spec, env): &(usize, usize)| {
        let spec = &specs[*spec];
        format!("{}.{}", spec.environments[*env].name, spec.name)
    };
    let got = match steps(&specs, extent) {
        Ok(steps) => steps.iter().map(told).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(got, want, "{texts:?} {extent:?}");
}

#[test]
fn environments_come_one_after_the_other() {
    check(&["web: dev prod"], Extent::All, "dev.web prod.web");
    check(&["web after db: dev prod", "db: dev prod"], Extent::All, "dev.db dev.web prod.db prod.web");
    let texts = ["web: dev prod", "db: dev staging prod lab"];
    check(&texts, Extent::All, "dev.web dev.db staging.db prod.web prod.db lab.db");
    check(&["web: a b", "db: c b"], Extent::All, "a.web c.db b.web b.db");
    check(
        &["web: dev prod", "db: prod dev"],
        Extent::All,
        "cannot order the environments: db has prod before dev, and web has dev before prod; list them alike",
    );
    check(
        &["a: x y", "b: y z", "c: z x"],
        Extent::All,
        "cannot order the environments: c has z before x, and b has y before z, and a has x before y; \
         list them alike",
    );
}

#[test]
fn a_run_may_end_earlier_or_do_some() {
    let texts = ["web: dev staging prod", "db: dev"];
    check(&texts, Extent::Until("staging"), "dev.web dev.db staging.web");
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    check(&texts, Extent::of(&names(&["prod", "dev", "prod"]), None), "dev.web dev.db prod.web");
    check(&texts, Extent::of(&[], Some("dev")), "dev.web dev.db");
    check(&texts, Extent::of(&[], None), "dev.web dev.db staging.web prod.web");
    let unknown = "no spec has an environment `stagin`; did you mean `staging`?";
    check(&texts, Extent::Until("stagin"), unknown);
    let empty = "the name of the environment is empty; is a variable of the shell not set?";
    check(&texts, Extent::of(&names(&[""]), None), empty);
    check(&texts, Extent::of(&names(&["dev", "stagin"]), None), unknown);
    check(&texts, Extent::Until("x"), "no spec has an environment `x`");
}

proptest! {
    #[test]
    fn every_place_is_behind_those_before_it(pairs in prop::collection::vec((0..9_usize, 0..9_usize), 0..16)) {
        let mut before = vec![BTreeSet::new(); 9];
        for (place, other) in pairs {
            before[place].insert(other);
        }
        match sorted(&before) {
            Ok(sorted) => {
                prop_assert_eq!(sorted.iter().collect::<BTreeSet<_>>().len(), 9);
                for (at, place) in sorted.iter().enumerate() {
                    prop_assert!(before[*place].iter().all(|other| sorted[..at].contains(other)));
                }
            }
            Err(circle) => {
                prop_assert!(circle.len() > 1);
                prop_assert_eq!(circle.first(), circle.last());
                prop_assert!(circle.windows(2).all(|pair| before[pair[0]].contains(&pair[1])));
                prop_assert_eq!(circle.iter().collect::<BTreeSet<_>>().len(), circle.len() - 1);
            }
        }
    }
}
