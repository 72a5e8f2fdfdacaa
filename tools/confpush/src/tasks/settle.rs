//! An end to what a deployer that is no more has left on hosts.

use std::sync::Arc;

use common::answer::Answer;

use super::campaign::{Campaign, Stop};
use super::site::Site;
use super::told::{Halt, Halted};
use crate::audit::{Action, Deed, HostRecord};
use crate::host::{Host, Settings};
use crate::report::Word;
use crate::station::{Elsewhere, Open, Settled, Station};

/// A deployment that was left on a host.
struct Left<'a> {
    /// Its host.
    host: String,
    /// Its file, when that is not the one of the spec any more.
    file: Option<String>,
    /// Whose it is.
    open: Open,
    /// The SHA-256 of what the host has.
    before: Option<String>,
    /// Who ends it.
    station: &'a mut dyn Station,
}

/// Settles what is left on the hosts, told and written down, and looks at them again.
///
/// # Errors
/// When it cannot be written down, and nothing was done then; when a host could not be brought to an end.
pub(crate) fn all(campaign: &Campaign<'_>, here: &mut Stop<'_>) -> Halted<()> {
    let mut elsewhere = elsewhere(campaign, here);
    let mut left = left(&mut here.sites, &mut elsewhere);
    let ids = left.iter().map(|one| one.open.id.as_str());
    let mut deed = Deed {
        action: Action::Settle,
        id: ids.max().unwrap_or_default().to_owned(),
        hosts: left.iter().map(Left::record).collect(),
        ..here.deed.clone()
    };
    let failed = |why: String| Halt { end: Word::Failed, why };
    campaign.log.append(&deed).map_err(|error| failed(error.to_string()))?;
    let answers = campaign.pool.each(&mut left, |one| one.station.settle());
    let wrong: Vec<String> =
        left.iter().zip(&answers).filter_map(|(one, answer)| one.wrong(answer)).collect();
    let told: Vec<_> =
        left.iter().zip(answers).map(|(one, answer)| (one.file.is_none(), one.told(answer))).collect();
    drop(left);
    let mut sites: Vec<&mut Site> = here.sites.iter_mut().filter(|site| site.is_left()).collect();
    campaign.pool.each(&mut sites, |site| site.seen = site.station.look());
    campaign.route.sift(here.leg, &mut here.sites).map_err(|error| failed(error.to_string()))?;
    for (host, (is_own, (outcome, why))) in deed.hosts.iter_mut().zip(told) {
        log::warn!("{}: {why}", host.host);
        if is_own && outcome != Word::NotRolledBack {
            host.after = here.sites.iter().find(|site| site.name() == host.host).and_then(sha256);
        }
        host.outcome = outcome;
        host.why = Some(why);
    }
    deed.outcome = if wrong.is_empty() { Word::Done } else { Word::NotRolledBack };
    if let Err(error) = campaign.log.append(&deed) {
        log::warn!("{}: that it was settled is not in the audit log: {error}", deed.env);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Halt {
        end: Word::NotRolledBack,
        why: format!("an earlier deployment is left: {}", wrong.join("; ")),
    })
}

/// What is left of files by other paths, each with who ends it; the path that the spec has now is none of theirs.
fn elsewhere(campaign: &Campaign<'_>, here: &Stop<'_>) -> Vec<(String, Elsewhere, Host)> {
    let (spec, mut all) = (campaign.route.spec(here.leg), Vec::new());
    for (site, target) in here.sites.iter().zip(&here.leg.targets) {
        for left in site.seen().into_iter().flat_map(|seen| &seen.left) {
            let settings = Settings::of(spec, left.file.clone());
            let host = Host::new(settings, Arc::clone(target), Arc::clone(&campaign.route.reach));
            all.push((site.name().to_owned(), left.clone(), host.at(left.place.clone())));
        }
    }
    all
}

/// All that is left.
fn left<'a>(sites: &'a mut [Site], elsewhere: &'a mut [(String, Elsewhere, Host)]) -> Vec<Left<'a>> {
    let own = sites.iter_mut().filter_map(|site| {
        let open = site.seen()?.open.clone().filter(|open| !open.is_guarded)?;
        let (host, before) = (site.name().to_owned(), sha256(site));
        Some(Left { host, file: None, open, before, station: &mut *site.station })
    });
    let others = elsewhere.iter_mut().map(|(host, left, station)| Left {
        host: host.clone(),
        file: Some(left.file.clone()),
        open: left.open.clone(),
        before: None,
        station,
    });
    own.chain(others).collect()
}

fn sha256(site: &Site) -> Option<String> {
    Some(site.seen()?.live.as_ref()?.sha256.clone())
}

impl Left<'_> {
    /// That it is about to be settled.
    fn record(&self) -> HostRecord {
        let (host, before) = (self.host.clone(), self.before.clone());
        HostRecord { host, outcome: Word::Begun, before, after: None, why: None }
    }

    /// Why it could not be ended.
    fn wrong(&self, answer: &Answer<Settled>) -> Option<String> {
        match answer {
            Answer::Yes(_) => None,
            Answer::No(why) | Answer::Unknown(why) => Some(format!("{}: {why}", self.host)),
        }
    }

    /// How it was.
    fn told(&self, answer: Answer<Settled>) -> (Word, String) {
        let Open { id, who, time, .. } = &self.open;
        let of = self.file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
        let began = format!("{id}{of} by {who} at {time}");
        match answer {
            Answer::Yes(Settled::Kept(_)) => {
                (Word::Done, format!("what was left of {began} had been confirmed"))
            }
            Answer::Yes(_) => (Word::RolledBack, format!("what was left of {began} was undone")),
            Answer::No(why) | Answer::Unknown(why) => {
                (Word::NotRolledBack, format!("what is left of {began} could not be undone: {why}"))
            }
        }
    }
}
