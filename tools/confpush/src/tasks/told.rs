//! How an environment ended, in words: for the log, for a person, for a pager.

use std::collections::BTreeSet;

use chrono::{SecondsFormat, Utc};
use common::answer::Answer;
use process::origin::Origin;

use super::intent::Want;
use super::site::Site;
use crate::audit::{Deed, HostRecord};
use crate::deploy::{Fate, Passage, Post, Verdict};
use crate::event::Event;
use crate::report::{EnvResult, HostResult, Word};
use crate::station::{Elsewhere, Open};

/// Why an environment is left alone.
#[derive(Debug)]
pub(crate) struct Halt {
    /// What that is.
    pub(crate) end: Word,
    /// In words.
    pub(crate) why: String,
}

/// It may go on, or is left alone.
pub(crate) type Halted<T> = Result<T, Halt>;

/// The exit status of an environment that ended so; `is_reached`: the run has had an answer of a host, there
/// or elsewhere.
pub(crate) fn status_of(end: Word, is_reached: bool) -> u8 {
    match end {
        Word::Begun | Word::Done | Word::Unchanged | Word::Untouched => 0,
        Word::Refused => 1,
        Word::Failed => 2,
        Word::RolledBack => 10,
        Word::NotRolledBack => 11,
        Word::Down if !is_reached => 75,
        Word::Partial | Word::Down => 23,
        Word::Busy => 75,
    }
}

/// Who deploys, as hosts are told.
pub(crate) fn who() -> String {
    let Origin { who, host, .. } = Origin::now();
    format!("{who}@{host}")
}

/// The version that all get; empty when they get several, or nobody knows.
pub(crate) fn version(wants: &[Option<Want>]) -> String {
    let mut versions: Vec<&str> = wants.iter().flatten().map(|want| want.version.as_str()).collect();
    versions.dedup();
    if let [one] = versions[..] { one.to_owned() } else { String::new() }
}

/// What they go back to; none where the spec makes it.
pub(crate) fn back_to(wants: &[Option<Want>]) -> Option<String> {
    let ids: BTreeSet<&str> = wants.iter().flatten().filter_map(|want| want.back_to.as_deref()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

/// That there is a host in reach, and none that refuses.
///
/// # Errors
/// All hosts that refuse, or that all are down.
pub(crate) fn in_reach(sites: &[Site]) -> Halted<()> {
    let refused: Vec<String> = sites
        .iter()
        .filter_map(|site| match &site.seen {
            Answer::No(why) => Some(format!("{}: {why}", site.name())),
            _ => None,
        })
        .collect();
    if !refused.is_empty() {
        return Err(Halt { end: Word::Failed, why: refused.join("; ") });
    }
    if sites.iter().any(|site| site.seen.is_yes()) {
        return Ok(());
    }
    Err(Halt { end: Word::Down, why: "all hosts are out of reach".into() })
}

/// That no other deployment is at it.
///
/// # Errors
/// Who is.
pub(crate) fn nobody_is_at_it(sites: &[Site]) -> Halted<()> {
    let open = sites.iter().filter_map(|site| Some((site.name(), site.seen()?.open.as_ref()?)));
    let at_it = |name: &str, open: &Open| {
        format!("{name}: {} deploys {} there since {}", open.who, open.id, open.time)
    };
    let open = open.filter(|(_, open)| open.is_guarded).map(|(name, open)| at_it(name, open));
    let rivals = rivals(sites).filter(|(_, rival)| rival.open.is_guarded);
    let rivals =
        rivals.map(|(name, rival)| format!("{}, by the spec {}", at_it(name, &rival.open), rival.place));
    let busy: Vec<String> = open.chain(rivals).collect();
    if busy.is_empty() { Ok(()) } else { Err(Halt { end: Word::Busy, why: busy.join("; ") }) }
}

/// That no other spec has left a deployment of the same file half way: who ends it has to know how it is
/// reloaded.
///
/// # Errors
/// Which has.
pub(crate) fn nobody_else_left_it(sites: &[Site]) -> Halted<()> {
    let left = rivals(sites).filter(|(_, rival)| !rival.open.is_guarded);
    let left: Vec<String> = left.map(|(name, rival)| format!("{name}: {}", left_by(rival))).collect();
    if left.is_empty() { Ok(()) } else { Err(Halt { end: Word::Failed, why: left.join("; ") }) }
}

/// What another spec has left half way.
pub(crate) fn left_by(rival: &Elsewhere) -> String {
    let Elsewhere { place, file, open } = rival;
    format!(
        "{file} was left half way by {} at {} ({}), by the spec {place}; apply that one first",
        open.who, open.time, open.id
    )
}

fn rivals(sites: &[Site]) -> impl Iterator<Item = (&str, &Elsewhere)> {
    sites.iter().filter_map(|site| Some((site.name(), site.seen()?.rival.as_ref()?)))
}

fn record(site: &Site, outcome: Word) -> HostRecord {
    let sha256 = || Some(site.seen()?.live.as_ref()?.sha256.clone());
    let (outcome, why) = match &site.seen {
        Answer::Yes(_) => (outcome, None),
        Answer::No(why) => (Word::Failed, Some(why.clone())),
        Answer::Unknown(why) => (Word::Down, Some(why.clone())),
    };
    HostRecord { host: site.name().to_owned(), outcome, before: sha256(), after: sha256(), why }
}

/// Hosts of an environment that is left alone.
pub(crate) fn untouched(sites: &[Site]) -> Vec<HostRecord> {
    sites.iter().map(|site| record(site, Word::Untouched)).collect()
}

/// Hosts of which some are about to change.
pub(crate) fn before(sites: &[Site], wants: &[Option<Want>]) -> Vec<HostRecord> {
    let word = |want: &Option<Want>| if want.is_some() { Word::Begun } else { Word::Unchanged };
    sites.iter().zip(wants).map(|(site, want)| record(site, word(want))).collect()
}

/// Writes into `deed` how it ended; `after` is what its hosts were to get, and `is_down` whether others were
/// left out.
pub(crate) fn ended(deed: &mut Deed, after: &[Option<String>], passage: &Passage, is_down: bool) {
    fates(&mut deed.hosts, after, passage);
    (deed.outcome, deed.why) = verdict(passage, is_down);
}

/// Writes what became of them into `hosts`; `after` is what they were to get.
fn fates(hosts: &mut [HostRecord], after: &[Option<String>], passage: &Passage) {
    for (host, after) in hosts.iter_mut().zip(after) {
        let Some((_, fate)) = passage.fates.iter().find(|(name, _)| *name == host.host) else { continue };
        let (outcome, sha256, why) = match fate {
            Fate::Deployed => (Word::Done, after.clone(), None),
            Fate::RolledBack(why) => (Word::RolledBack, host.before.clone(), Some(why)),
            Fate::NotRolledBack(why) => (Word::NotRolledBack, None, Some(why)),
            Fate::Refused(why) => (Word::Failed, host.before.clone(), Some(why)),
        };
        host.outcome = outcome;
        host.after = sha256;
        host.why = why.cloned();
    }
}

/// A deployment that nothing was begun of.
pub(crate) fn refused(posts: &[Post], why: &str) -> Passage {
    let fates = posts.iter().map(|post| (post.station.name().to_owned(), Fate::Refused(why.to_owned())));
    Passage { fates: fates.collect(), verdict: Verdict::Refused(why.to_owned()), is_partial: false }
}

/// What it came to, and why.
fn verdict(passage: &Passage, is_down: bool) -> (Word, Option<String>) {
    match &passage.verdict {
        Verdict::Done if is_down || passage.is_partial => (Word::Partial, None),
        Verdict::Done => (Word::Done, None),
        Verdict::Refused(why) => (Word::Failed, Some(why.clone())),
        Verdict::Busy(why) => (Word::Busy, Some(why.clone())),
        Verdict::RolledBack(why) => (Word::RolledBack, Some(why.clone())),
        Verdict::NotRolledBack(why) => (Word::NotRolledBack, Some(why.clone())),
    }
}

/// Tells on standard error what is not as it should be; the result has it, too, but may be read by a program.
pub(crate) fn warn(place: &str, deed: &Deed) {
    for host in deed.hosts.iter().filter(|host| host.outcome == Word::Down) {
        let why = host.why.as_deref().unwrap_or_default();
        log::warn!("{}: out of reach, and left as it is: {why}", host.host);
    }
    let why = deed.why.as_deref().unwrap_or_default();
    match deed.outcome {
        Word::Begun | Word::Done | Word::Unchanged | Word::Untouched | Word::Partial => {}
        Word::Down | Word::Refused => log::warn!("{place}: {why}"),
        Word::Failed | Word::Busy => log::error!("{place}: nothing was changed: {why}"),
        Word::RolledBack => log::error!("{place}: rolled back, and every host has its old file: {why}"),
        Word::NotRolledBack => log::error!("{place}: NOT wholly rolled back: {why}"),
    }
}

/// What is printed of it.
pub(crate) fn result(deed: &Deed) -> EnvResult {
    let host =
        |host: &HostRecord| HostResult { host: host.host.clone(), fate: host.outcome, why: host.why.clone() };
    EnvResult {
        spec: deed.spec.clone(),
        env: deed.env.clone(),
        id: is_deployed(deed.outcome).then(|| deed.id.clone()),
        version: deed.version.clone(),
        back_to: deed.back_to.clone(),
        verdict: deed.outcome,
        why: deed.why.clone(),
        seconds: deed.seconds.unwrap_or_default(),
        hosts: deed.hosts.iter().map(host).collect(),
    }
}

/// Whether a deployment of this id was begun.
fn is_deployed(outcome: Word) -> bool {
    matches!(outcome, Word::Done | Word::Partial | Word::RolledBack | Word::NotRolledBack)
}

/// Has the command of `--on-event` hear of it, when anything was done or refused.
pub(crate) fn announce(command: Option<&str>, deed: &Deed) {
    let Some(command) = command.filter(|_| deed.outcome != Word::Unchanged) else { return };
    let event = Event {
        outcome: deed.outcome,
        spec: &deed.spec,
        env: &deed.env,
        action: deed.action,
        id: &deed.id,
        status: status_of(deed.outcome, false),
        why: deed.why.as_deref(),
        seconds: deed.seconds,
        hosts: &deed.hosts,
        time: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
    };
    process::event::tell(&deed.spec, command, &event);
}
