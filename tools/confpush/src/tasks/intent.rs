//! What a host is to get: what the spec makes, or what it once had.

use std::collections::BTreeSet;

use super::id;
use super::site::Site;
use crate::station::{Content, FileState, Kept, Piece, Seen};

/// At most so many deployments are offered.
const OFFERED: usize = 3;

/// At most so many hosts are named.
const NAMED: usize = 10;

/// What hosts are to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent<'a> {
    /// What the spec makes.
    Apply,
    /// What this deployment left there; none: what was there before the last one.
    Rollback(Option<&'a str>),
}

/// What one host is to get.
#[derive(Debug)]
pub(crate) struct Want {
    /// Its bytes.
    pub(crate) content: Content,
    /// See [`crate::station::Order::version`]; empty where nobody knows.
    pub(crate) version: String,
    /// The SHA-256 of its bytes; none: no file.
    pub(crate) sha256: Option<String>,
    /// Which deployment left it: an id, or `before` and one. None: the spec makes it.
    pub(crate) back_to: Option<String>,
}

impl Intent<'_> {
    /// What the host of `site`, where `seen` is, is to get; none: it has that.
    ///
    /// # Errors
    /// Why it cannot get it: it keeps nothing of the kind, or `last`, the last deployment of the environment, is
    /// a rollback, and what was there before that is what somebody did not want.
    pub(crate) fn want(
        self,
        site: &Site,
        (seen, last): (&Seen, Option<&str>),
        version: &str,
    ) -> Result<Option<Want>, String> {
        let Self::Rollback(to) = self else {
            let made = &site.made;
            let content = Content::Bytes(made.bytes.clone());
            let (version, sha256) = (version.to_owned(), Some(site.sha256.clone()));
            let want = Want { content, version, sha256, back_to: None };
            return Ok((!site.is_as_made()).then_some(want));
        };
        let Target { piece, state, version, id } = match (to, last) {
            (Some(id), _) => to_the_one(seen, id)?,
            (None, Some(last)) if id::is_rollback(last) => {
                return Err(no_further(std::slice::from_ref(site), last));
            }
            // The last deployment of the environment did not come here, or was undone.
            (None, Some(_)) if seen.current().map(|kept| kept.id.as_str()) != last => return Ok(None),
            (None, _) => to_before_the_last(seen)?,
        };
        if state == seen.live.as_ref() {
            return Ok(None);
        }
        let content = if state.is_some() { Content::Kept(piece) } else { Content::Nothing };
        let sha256 = state.map(|state| state.sha256.clone());
        Ok(Some(Want { content, version: version.to_owned(), sha256, back_to: Some(id) }))
    }
}

/// The id of the last deployment that any of `sites` keeps.
pub(crate) fn last(sites: &[Site]) -> Option<String> {
    sites.iter().filter_map(|site| Some(site.seen()?.current()?.id.clone())).max()
}

/// What a host goes back to.
struct Target<'s> {
    piece: Piece,
    state: Option<&'s FileState>,
    version: &'s str,
    /// See [`Want::back_to`].
    id: String,
}

fn to_the_one<'s>(seen: &'s Seen, id: &str) -> Result<Target<'s>, String> {
    let kept = seen.kept.iter().find(|kept| kept.id == id);
    let kept = kept.ok_or_else(|| format!("no deployment {id} is kept there{}", known(&seen.kept)))?;
    let (piece, state) = (Piece::After(kept.id.clone()), kept.after.as_ref());
    Ok(Target { piece, state, version: &kept.version, id: kept.id.clone() })
}

fn to_before_the_last(seen: &Seen) -> Result<Target<'_>, String> {
    let last = seen.current().ok_or("it keeps no deployment")?;
    let before = seen.kept.iter().rev().nth(1).filter(|before| before.after == last.before);
    let version = before.map_or("", |before| before.version.as_str());
    let id = before.map_or_else(|| format!("before {}", last.id), |before| before.id.clone());
    Ok(Target { piece: Piece::Before(last.id.clone()), state: last.before.as_ref(), version, id })
}

/// That from the rollback `last` of these hosts a rollback goes nowhere, unless it is told where to.
pub(crate) fn no_further(sites: &[Site], last: &str) -> String {
    let seen: Vec<&Seen> = sites.iter().filter_map(Site::seen).collect();
    let has = |seen: &Seen, id: &str| seen.kept.iter().any(|kept| kept.id == id);
    let mut older: BTreeSet<&str> = seen.iter().flat_map(|seen| older(seen)).collect();
    older.retain(|id| seen.iter().all(|seen| has(seen, id)));
    let older: Vec<String> = older.into_iter().rev().take(OFFERED).map(str::to_owned).collect();
    // Those that were down then, or not among its hosts, and still have what it took away.
    let pairs = seen.iter().flat_map(|seen| seen.kept.windows(2));
    let taken: BTreeSet<&str> =
        pairs.filter(|pair| pair[1].id == last).map(|pair| pair[0].id.as_str()).collect();
    let is_left = |seen: &Seen| seen.current().is_some_and(|kept| taken.contains(kept.id.as_str()));
    let left: Vec<&str> =
        sites.iter().filter(|site| site.seen().is_some_and(is_left)).map(Site::name).take(NAMED).collect();
    let way_out = if !left.is_empty() {
        let names = left.join(",");
        format!("{names} had no part in it, and --limit {names} goes back there alone")
    } else if older.is_empty() {
        "all hosts keep no older one".to_owned()
    } else {
        format!("to go further back, say --to {}", common::near::either(&older))
    };
    format!("the last deployment, {last}, is a rollback, and back from it would be forward; {way_out}")
}

/// The deployments before the one that has left what is there.
fn older(seen: &Seen) -> impl Iterator<Item = &str> {
    let applied = || seen.kept.iter().filter(|kept| !id::is_rollback(&kept.id));
    let left_it = applied().rev().find(|kept| kept.after == seen.live);
    let here = left_it.or_else(|| applied().rev().find(|kept| kept.before == seen.live));
    let older = applied().take_while(move |kept| here.is_none_or(|here| kept.id < here.id));
    older.map(|kept| kept.id.as_str())
}

fn known(kept: &[Kept]) -> String {
    let ids: Vec<&str> = kept.iter().rev().take(OFFERED).map(|kept| kept.id.as_str()).collect();
    if ids.is_empty() { String::new() } else { format!("; the latest are {}", ids.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::having;
    use super::*;

    /// A host that keeps deployments: the id of each, and what the file held behind it.
    fn keeping(all: &[(&str, &str)]) -> Site {
        let mut before = having("web01", "old", "");
        let mut kept = Vec::new();
        for (id, text) in all {
            let mut site = having("web01", text, id);
            let Some(one) = site.seen().and_then(Seen::current) else { continue };
            kept.push(Kept { before: before.seen().and_then(|seen| seen.live.clone()), ..one.clone() });
            if let common::answer::Answer::Yes(seen) = &mut site.seen {
                seen.kept.clone_from(&kept);
            }
            before = site;
        }
        before
    }

    fn check(kept: &[(&str, &str)], to: Option<&str>, want: Result<&str, &str>) {
        let site = keeping(kept);
        let last = site.seen().unwrap().current().map(|kept| kept.id.as_str());
        let got = Intent::Rollback(to).want(&site, (site.seen().unwrap(), last), "");
        let got = got.map(|want| want.map(|want| want.back_to.unwrap()).unwrap_or_default());
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{kept:?}"),
            (Err(got), Err(want)) => assert!(got.contains(want) && got.len() < 300, "{kept:?}: {got}"),
            (got, want) => panic!("{kept:?}: {got:?} instead of {want:?}"),
        }
    }

    #[test]
    fn it_goes_back_and_says_to_what() {
        check(&[], None, Err("it keeps no deployment"));
        check(&[("1", "a")], None, Ok("before 1"));
        check(&[("1", "a"), ("2", "b")], None, Ok("1"));
        check(&[("1", "a"), ("2", "b"), ("3", "c")], Some("1"), Ok("1"));
        check(&[("1", "a")], Some("1"), Ok(""));
        check(&[("1", "a"), ("2", "b"), ("3-back", "a"), ("4", "c")], None, Ok("3-back"));
        // A deployment of what was there before is none of a rollback.
        check(&[("1", "a"), ("2", "b"), ("3", "a")], None, Ok("2"));
    }

    #[test]
    fn it_never_goes_forward_to_what_was_not_wanted() {
        check(&[("1", "a"), ("2-back", "old")], None, Err("; all hosts keep no older one"));
        check(&[("1", "a"), ("2", "b"), ("3-back", "a")], None, Err("; all hosts keep no older one"));
        check(
            &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d"), ("5", "e"), ("6-back", "d")],
            None,
            Err("the last deployment, 6-back, is a rollback"),
        );
        check(
            &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d"), ("5", "e"), ("6-back", "d")],
            None,
            Err("; to go further back, say --to 3, 2 or 1"),
        );
        check(&[("1", "a"), ("2", "b"), ("3-back", "a")], Some("2"), Ok("2"));
    }

    #[test]
    fn what_is_offered_is_on_all_hosts() {
        let check = |other: &[(&str, &str)], want: &str| {
            let one = keeping(&[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d"), ("5-back", "c")]);
            let why = no_further(&[one, keeping(other)], "5-back");
            assert!(why.ends_with(want), "{why}");
        };
        check(&[("1", "a"), ("3", "c"), ("4", "d"), ("5-back", "c")], "; to go further back, say --to 1");
        // One that the last deployment but one did not come to.
        check(&[("1", "a"), ("2", "b"), ("3", "b")], "; to go further back, say --to 2 or 1");
        check(&[("4", "d"), ("5-back", "old")], "; all hosts keep no older one");
        check(
            &[("1", "a"), ("2", "b"), ("4", "d")],
            "; web01 had no part in it, and --limit web01 goes back there alone",
        );
    }

    #[test]
    fn what_is_not_kept_is_told_with_the_latest_that_are() {
        check(&[], Some("9"), Err("no deployment 9 is kept there"));
        check(
            &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")],
            Some("9"),
            Err("no deployment 9 is kept there; the latest are 4, 3, 2"),
        );
    }
}
