//! Hosts that are asked, all at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::answer::Answer;
use common::{Error, Result};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::route::{Leg, Route};
use crate::diff::sum;
use crate::host::{Host, Settings};
use crate::render::Made;
use crate::station::{Piece, Seen, Station};

/// A host, what it is to have, and what it has.
pub(crate) struct Site {
    /// What is asked.
    pub(crate) station: Box<dyn Station>,
    /// What it is to have.
    pub(crate) made: Arc<Made>,
    /// The SHA-256 of that.
    pub(crate) sha256: String,
    /// What it has, as far as it has been looked at.
    pub(crate) seen: Answer<Seen>,
}

/// What all hosts of a leg are to have.
pub(crate) struct Cargo {
    /// The SHA-256 of source and values.
    pub(crate) version: String,
    /// What each host is to have, in the order of the targets.
    made: Vec<(Arc<Made>, String)>,
}

/// So many threads for all hosts of a run.
pub(crate) struct Pool(rayon::ThreadPool);

impl Site {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.station.name()
    }

    /// What was seen there; none: it is down, or refuses.
    pub(crate) fn seen(&self) -> Option<&Seen> {
        self.seen.yes()
    }

    /// Whether it is out of reach. One that refuses is not.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.seen, Answer::Unknown(_))
    }

    /// Whether a deployer that is no more has left something there.
    pub(crate) fn is_left(&self) -> bool {
        let is_left =
            |seen: &Seen| !seen.left.is_empty() || seen.open.as_ref().is_some_and(|open| !open.is_guarded);
        self.seen().is_some_and(is_left)
    }

    /// Whether nothing would change there.
    pub(crate) fn is_as_made(&self) -> bool {
        let Some(seen) = self.seen() else { return false };
        let live = seen.live.as_ref();
        live.is_some_and(|live| live.sha256 == self.sha256) && seen.wants.is_none()
    }
}

impl Cargo {
    /// Makes it.
    ///
    /// # Errors
    /// When a source, a secret or a value cannot be had.
    pub(crate) fn make(route: &Route, leg: &Leg) -> Result<Self> {
        let (renderer, env) = (route.renderer(leg), route.env(leg));
        let made = leg.targets.iter().map(|target| {
            let made = renderer.made(env, &target.name)?;
            let sha256 = sum(&made.bytes);
            Ok((Arc::new(made), sha256))
        });
        Ok(Self { version: renderer.version(), made: made.collect::<Result<_>>()? })
    }

    /// What each host is to have, in the order of the targets.
    pub(crate) fn made(&self) -> impl Iterator<Item = &Made> {
        self.made.iter().map(|(made, _)| &**made)
    }

    /// The hosts of `leg`, which nobody has spoken to yet.
    pub(crate) fn sites(&self, route: &Route, leg: &Leg) -> Vec<Site> {
        let sites = leg.targets.iter().zip(&self.made).map(|(target, (made, sha256))| {
            let settings = Settings::of(route.spec(leg), made.path.clone());
            let host = Host::new(settings, Arc::clone(target), Arc::clone(&route.reach));
            let seen = Answer::Unknown("nobody has asked it".into());
            Site { station: Box::new(host), made: Arc::clone(made), sha256: sha256.clone(), seen }
        });
        sites.collect()
    }
}

/// The bytes of the file of the first of `sites` that gives them; the others are asked no more.
fn first(sites: &mut [&mut Site]) -> Option<Zeroizing<Vec<u8>>> {
    for site in sites {
        site.seen = match site.station.fetch(&Piece::Live) {
            Answer::Yes(bytes) => return Some(bytes),
            Answer::No(why) => Answer::No(why),
            Answer::Unknown(why) => Answer::Unknown(why),
        };
    }
    None
}

impl Pool {
    /// At most `jobs` threads, for at most `hosts` hosts.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn new(jobs: usize, hosts: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.min(hosts).max(1)).build();
        pool.map(Self).map_err(|error| Error::failed("cannot begin threads").because(error))
    }

    /// What `ask` says of each of `items`, in their order.
    pub(crate) fn each<T: Send, R: Send>(
        &self,
        items: &mut [T],
        ask: impl Fn(&mut T) -> R + Sync + Send,
    ) -> Vec<R> {
        // One by one: each waits for its host, so a thread that had two would have the second wait.
        self.0.install(|| items.par_iter_mut().with_max_len(1).map(ask).collect())
    }

    /// Looks at all of `sites`; a host that is down costs its timeout once.
    pub(crate) fn look(&self, sites: &mut [Site]) {
        self.each(sites, |site| site.seen = site.station.look());
    }

    /// The bytes of the files of `sites` that are not as they are to be, by their SHA-256. One host of each
    /// is asked, and the next one when it cannot give them; what it said counts as what is seen there.
    pub(crate) fn fetch(&self, sites: &mut [Site]) -> BTreeMap<String, Zeroizing<Vec<u8>>> {
        let mut wanted: BTreeMap<String, Vec<&mut Site>> = BTreeMap::new();
        for site in sites {
            let Some(live) = site.seen().and_then(|seen| seen.live.as_ref()) else { continue };
            let sha256 = live.sha256.clone();
            if sha256 != site.sha256 {
                wanted.entry(sha256).or_default().push(site);
            }
        }
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        self.each(&mut wanted, |(sha256, sites)| Some((sha256.clone(), first(sites)?)))
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests;
