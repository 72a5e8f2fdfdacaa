//! What a host is to get: what the spec makes, or what it once had.

use super::site::Site;
use crate::station::{Content, FileState, Kept, Piece, Seen};

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
}

impl Intent<'_> {
    /// What the host of `site`, where `seen` is, is to get; none: it has that.
    ///
    /// # Errors
    /// Why it cannot get it: it keeps nothing of the kind.
    pub(crate) fn want(
        self,
        site: &Site,
        (seen, last): (&Seen, Option<&str>),
        version: &str,
    ) -> Result<Option<Want>, String> {
        let Self::Rollback(to) = self else {
            let made = &site.made;
            let content = Content::Bytes(made.bytes.clone());
            let want = Want { content, version: version.to_owned(), sha256: Some(site.sha256.clone()) };
            return Ok((!site.is_as_made()).then_some(want));
        };
        let (piece, state, version) = match to {
            Some(id) => to_the_one(seen, id)?,
            // The last deployment of the environment did not come here, or was undone.
            None if last.is_some() && seen.current().map(|kept| kept.id.as_str()) != last => return Ok(None),
            None => to_before_the_last(seen)?,
        };
        if state == seen.live.as_ref() {
            return Ok(None);
        }
        let content = if state.is_some() { Content::Kept(piece) } else { Content::Nothing };
        let sha256 = state.map(|state| state.sha256.clone());
        Ok(Some(Want { content, version: version.to_owned(), sha256 }))
    }
}

/// The id of the last deployment that any of `sites` keeps.
pub(crate) fn last(sites: &[Site]) -> Option<String> {
    sites.iter().filter_map(|site| Some(site.seen()?.current()?.id.clone())).max()
}

/// A piece, what it is, and its version.
type Target<'s> = (Piece, Option<&'s FileState>, &'s str);

fn to_the_one<'s>(seen: &'s Seen, id: &str) -> Result<Target<'s>, String> {
    let kept = seen.kept.iter().find(|kept| kept.id == id);
    let kept = kept.ok_or_else(|| format!("it keeps no deployment {id}{}", known(&seen.kept)))?;
    Ok((Piece::After(kept.id.clone()), kept.after.as_ref(), &kept.version))
}

fn to_before_the_last(seen: &Seen) -> Result<Target<'_>, String> {
    let last = seen.current().ok_or("it keeps no deployment")?;
    let before = seen.kept.iter().rev().nth(1).filter(|before| before.after == last.before);
    let version = before.map_or("", |before| before.version.as_str());
    Ok((Piece::Before(last.id.clone()), last.before.as_ref(), version))
}

fn known(kept: &[Kept]) -> String {
    let ids: Vec<String> = kept.iter().map(|kept| kept.id.clone()).collect();
    if ids.is_empty() { String::new() } else { format!(", but {}", common::near::either(&ids)) }
}
