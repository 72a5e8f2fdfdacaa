//! What may stand between a deployment and an environment, and how a person opens it.

use common::Result;
use common::answer::Answer;

use super::route::{Leg, Route};
use super::site::{Cargo, Pool, Site};
use crate::cli::Leave;
use crate::spec::Environment;

/// What opens gates.
pub(crate) struct Keys<'a> {
    /// `--yes`, and what else a person takes upon themselves.
    pub(crate) leave: &'a Leave,
    /// `--confirm`; none: manual gates are open.
    pub(crate) confirmed: Option<&'a [String]>,
    /// Whether environments before it have to have the same version.
    pub(crate) in_order: bool,
}

/// Why the gate before `leg` is shut; none: all are open. `behind` is what this very run knows of earlier
/// environments. Hosts of others are looked at, and nothing is changed there.
///
/// # Errors
/// When what earlier environments are to have cannot be made.
pub(crate) fn shut(
    (route, leg): (&Route, &Leg),
    keys: &Keys<'_>,
    behind: Option<&str>,
    pool: &Pool,
) -> Result<Option<String>> {
    let env = route.env(leg);
    if let Some(why) = behind.filter(|_| keys.in_order) {
        return Ok(Some(why.to_owned()));
    }
    if env.is_protected && !keys.leave.yes {
        return Ok(Some("it is protected, and takes --yes".into()));
    }
    let is_confirmed = |confirmed: &[String]| confirmed.contains(&env.name);
    if env.is_manual && !keys.confirmed.is_none_or(is_confirmed) {
        return Ok(Some(format!("it waits for a person, and takes --confirm {}", env.name)));
    }
    if !keys.in_order {
        return Ok(None);
    }
    for earlier in route.before(leg)? {
        let cargo = Cargo::make(route, &earlier)?;
        let mut sites = cargo.sites(route, &earlier);
        pool.look(&mut sites);
        if let Some(shut) = is_behind(&sites, &cargo.version, route.env(&earlier)) {
            return Ok(Some(shut));
        }
    }
    Ok(None)
}

/// Whether an earlier environment does not have what comes next.
fn is_behind(sites: &[Site], version: &str, earlier: &Environment) -> Option<String> {
    let in_reach = sites.iter().filter(|site| !site.is_down());
    let behind: Vec<&str> = in_reach.clone().filter(|site| !has(site, version)).map(Site::name).collect();
    if !behind.is_empty() {
        let (hosts, earlier) = (behind.join(", "), &earlier.name);
        return Some(format!(
            "it comes after {earlier}, where {hosts} {} another version; deploy with --env {earlier} first",
            if behind.len() == 1 { "has" } else { "have" }
        ));
    }
    let down = sites.len() - in_reach.count();
    is_out_of_reach(earlier, down, sites.len())
}

/// Whether so many of the hosts of an earlier environment are down, `down` of `all`, that it says too little
/// of what comes next.
pub(crate) fn is_out_of_reach(earlier: &Environment, down: usize, all: usize) -> Option<String> {
    let (name, most) = (&earlier.name, earlier.strategy.max_down);
    // What nobody can look at has not been passed, whatever may be down.
    if down <= most.of(all) && (down < all || all == 0) {
        return None;
    }
    let are = if all == 1 { "host is" } else { "hosts are" };
    Some(format!(
        "it comes after {name}, where {down} of {all} {are} out of reach, so nobody knows what they have, \
         and {most} may be; bring them up and apply again, or raise `strategy.max_down` of {name}"
    ))
}

/// Whether it has this version, by its own notes or by what the file is.
fn has(site: &Site, version: &str) -> bool {
    let Answer::Yes(seen) = &site.seen else { return false };
    let is_noted = seen.current().is_some_and(|kept| kept.version == version) && !seen.has_drifted();
    seen.open.is_none() && (is_noted || site.is_as_made())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::site::tests::{down, having};
    use super::*;
    use crate::spec::read_text;

    /// The environment `staging` with this strategy.
    fn staging(strategy: &str) -> Environment {
        let text = format!(
            "name = 'web'\nsource = 'a'\npath = '/a'\n[[environments]]\nname = 'staging'\nhosts = ['a']\n\
             strategy = {{ {strategy} }}\n"
        );
        read_text(Path::new("web.toml"), &text).spec.unwrap().environments.remove(0)
    }

    #[test]
    fn a_gate_opens_when_enough_hosts_have_passed() {
        let check = |strategy: &str, (up, down_too): (usize, usize), want: &str| {
            let up = (0..up).map(|host| having(&format!("up{host}"), "new", "1"));
            let sites: Vec<Site> = up.chain((0..down_too).map(|_| down("down"))).collect();
            let why = is_behind(&sites, "v", &staging(strategy)).unwrap_or_default();
            assert!(
                why.contains(want) && why.is_empty() == want.is_empty(),
                "{up:?} {down_too}: {why}",
                up = sites.len()
            );
        };
        check("", (20, 0), "");
        check("", (10, 10), "");
        check("", (9, 11), "11 of 20 hosts are out of reach");
        check(
            "",
            (1, 19),
            "and 50% may be; bring them up and apply again, or raise `strategy.max_down` of staging",
        );
        check("max_down = 0", (19, 1), "1 of 20 hosts are out of reach");
        check("max_down = '100%'", (1, 19), "");
        check("max_down = '100%'", (0, 20), "nobody knows what they have");
        check("max_down = 19", (1, 19), "");
        check("", (0, 1), "1 of 1 host is out of reach");
    }

    #[test]
    fn a_host_in_reach_with_another_file_shuts_the_gate() {
        let sites = [having("a", "new", "1"), having("b", "old", "1"), down("c")];
        let why = is_behind(&sites, "v", &staging("max_down = 3")).unwrap();
        assert!(why.contains("where b has another version; deploy with --env staging first"), "{why}");
        assert_eq!(is_behind(&sites[..2], "old", &staging("")), None);
    }
}
