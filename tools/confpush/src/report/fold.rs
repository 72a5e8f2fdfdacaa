//! Hosts of which the same is to be told are told once.

use common::natural::natural;

use super::shown;

/// The place of `{host}` in a path that differs in the names of hosts alone.
const HOST: &str = "{host}";

/// Things that are the same, in the order of the first of each, with those that have them.
pub(super) fn fold<'a, T, K: PartialEq>(
    all: impl IntoIterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Vec<(K, Vec<&'a T>)> {
    let mut folded: Vec<(K, Vec<&'a T>)> = Vec::new();
    for one in all {
        let key = key(one);
        match folded.iter_mut().find(|(same, _)| *same == key) {
            Some((_, those)) => those.push(one),
            None => folded.push((key, vec![one])),
        }
    }
    folded
}

/// Names as they are read out, in the order in which people count.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by(|one, other| natural(one, other));
    names.dedup();
    let names: Vec<String> = names.into_iter().map(shown).collect();
    names.join(", ")
}

/// The path that all of these hosts have, each with its path; where paths differ by the names of the hosts
/// alone, with `{host}` for them. None: they have none in common.
pub(super) fn path<'a>(places: &[(&'a str, &'a str)]) -> Option<String> {
    let (host, first) = places.first()?;
    if places.iter().all(|(_, path)| path == first) {
        return Some((*first).to_owned());
    }
    let pattern = first.replace(host, HOST);
    places.iter().all(|(host, path)| path.replace(host, HOST) == pattern).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_that_differ_by_the_host_alone_are_one() {
        let check = |places: &[(&str, &str)], want: Option<&str>| {
            assert_eq!(path(places).as_deref(), want, "{places:?}");
        };
        check(&[], None);
        check(&[("web01", "/srv/web01/a")], Some("/srv/web01/a"));
        check(&[("app", "/etc/app/a"), ("db", "/etc/app/a")], Some("/etc/app/a"));
        check(&[("web01", "/srv/web01/a"), ("web02", "/srv/web02/a")], Some("/srv/{host}/a"));
        check(&[("web01", "/srv/web01/a"), ("web02", "/srv/web01/a2")], None);
    }

    #[test]
    fn names_are_in_the_order_in_which_people_count() {
        assert_eq!(names(["web10", "db1", "web2", "db1"]), "db1, web2, web10");
        assert_eq!(names(["a\u{1b}"]), "a\\u{1b}");
    }

    proptest! {
        #[test]
        fn each_is_told_once_with_all_that_are_the_same(all in prop::collection::vec((0..4_u8, 0..9_u8), 0..20)) {
            let folded = fold(&all, |(key, _)| *key);
            let count: usize = folded.iter().map(|(_, those)| those.len()).sum();
            prop_assert_eq!(count, all.len());
            for (at, (key, those)) in folded.iter().enumerate() {
                let want: Vec<&(u8, u8)> = all.iter().filter(|(one, _)| one == key).collect();
                prop_assert_eq!(those, &want);
                prop_assert!(folded[..at].iter().all(|(other, _)| other != key));
            }
        }
    }
}
