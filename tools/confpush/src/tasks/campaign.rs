//! One environment after the other, until all are done or one is not.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::time::Instant;

use common::answer::Answer;
use common::error::worse;
use common::{Out, Outcome, Result, stop};

use super::course::Teller;
use super::gates::{self, Keys};
use super::intent::{self, Intent, Want};
use super::route::{Leg, Route};
use super::settle;
use super::site::{Cargo, Pool, Site};
use super::told::{self, Halt, Halted};
use super::{Desk, RANKS, id};
use crate::audit::{Action, Deed, Log};
use crate::deploy::{self, Course, Passage, Post};
use crate::report::{self, Word};
use crate::station::{Order, Seen};
use crate::witness::{Account, Charge, Job};

/// Everything that the environments of a run share.
pub(crate) struct Campaign<'a> {
    /// What all subcommands share.
    pub(crate) desk: &'a Desk,
    /// Where it goes.
    pub(crate) route: &'a Route,
    /// What hosts are to get.
    pub(crate) intent: Intent<'a>,
    /// What opens gates.
    pub(crate) keys: Keys<'a>,
    /// Where it is written down.
    pub(crate) log: Log,
    /// Who asks the hosts.
    pub(crate) pool: Pool,
}

/// An environment while it is deployed.
pub(crate) struct Stop<'a> {
    /// Where it is.
    pub(crate) leg: &'a Leg,
    /// What its hosts are to have.
    pub(crate) cargo: &'a Cargo,
    /// Its hosts.
    pub(crate) sites: Vec<Site>,
    /// Why no environment of this spec that comes later may be deployed to, as far as this run knows.
    pub(crate) behind: Option<String>,
    /// What was done; what became of the hosts is filled in at the end.
    pub(crate) deed: Deed,
}

impl Campaign<'_> {
    /// Goes from environment to environment; `cargo` is what each is to have.
    ///
    /// # Errors
    /// When the output cannot be written. What was done is done, and is in the log.
    pub(crate) fn go(&self, cargo: &[Cargo], out: &mut Out) -> Result<Outcome> {
        let (mut worst, mut is_reached) = (0, false);
        let mut behind: BTreeMap<usize, String> = BTreeMap::new();
        let mut id = self.fresh("");
        for (at, (leg, cargo)) in self.route.legs.iter().zip(cargo).enumerate() {
            if stop::requested() {
                self.stopped(at, out)?;
                return Ok(Outcome::Interrupted);
            }
            let begun = Instant::now();
            let mut sites = cargo.sites(self.route, leg);
            self.pool.look(&mut sites);
            self.route.sift(leg, &mut sites)?;
            is_reached |= sites.iter().any(|site| !site.is_down());
            let deed = self.deed(leg, &id);
            let mut here = Stop { leg, cargo, sites, behind: behind.get(&leg.spec).cloned(), deed };
            let goes_on = self.deploy(&mut here);
            here.deed.seconds = Some((begun.elapsed().as_secs_f64() * 1000.0).round() / 1000.0);
            id.clone_from(&here.deed.id);
            let status = told::status_of(here.deed.outcome, is_reached);
            self.tell(&here, out)?;
            worst = worse(&RANKS, worst, status);
            if !goes_on {
                self.leave(at + 1, out)?;
                break;
            }
            let down = here.deed.hosts.iter().filter(|host| host.outcome == Word::Down).count();
            if let Some(why) = gates::is_out_of_reach(self.route.env(leg), down, here.deed.hosts.len()) {
                behind.entry(leg.spec).or_insert(why);
            }
        }
        Ok(Outcome::of(worst))
    }

    /// Leaves all environments alone, of which some have a shut gate; of each its hosts, as they were seen, and
    /// why its gate is shut.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn refuse(
        &self,
        cargo: &[Cargo],
        seen: Vec<(Vec<Site>, Option<String>)>,
        out: &mut Out,
    ) -> Result<Outcome> {
        for ((leg, cargo), (sites, why)) in self.route.legs.iter().zip(cargo).zip(seen) {
            let outcome = if why.is_some() { Word::Refused } else { Word::Untouched };
            let deed = Deed { outcome, why, hosts: told::untouched(&sites), ..self.deed(leg, "") };
            if deed.outcome == Word::Refused {
                self.tell(&Stop { leg, cargo, sites, behind: None, deed }, out)?;
            } else {
                report::result(out, self.desk.form, &told::result(&deed))?;
            }
        }
        Ok(Outcome::No)
    }

    /// Tells that a signal came before the environment at place `first`.
    fn stopped(&self, first: usize, out: &mut Out) -> Result<()> {
        let legs = self.route.legs.get(first..).unwrap_or_default();
        let places: Vec<String> = legs.iter().map(|leg| self.route.place(leg)).collect();
        log::warn!("stopped by a signal; not touched: {}", places.join(", "));
        self.leave(first, out)
    }

    /// An id behind `newest`; see [`id::fresh`].
    fn fresh(&self, newest: &str) -> String {
        let id = id::fresh(newest);
        if matches!(self.intent, Intent::Rollback(_)) { id::of_rollback(&id) } else { id }
    }

    /// Tells that the environments from place `first` on are left alone.
    fn leave(&self, first: usize, out: &mut Out) -> Result<()> {
        for leg in &self.route.legs[first..] {
            let deed = Deed { outcome: Word::Untouched, ..self.deed(leg, "") };
            report::result(out, self.desk.form, &told::result(&deed))?;
        }
        out.flush()
    }

    /// What is about to be done, of which nothing is known yet.
    fn deed(&self, leg: &Leg, id: &str) -> Deed {
        Deed {
            spec: self.route.spec(leg).name.clone(),
            env: self.route.env(leg).name.clone(),
            action: match self.intent {
                Intent::Apply => Action::Apply,
                Intent::Rollback(_) => Action::Rollback,
            },
            id: id.to_owned(),
            version: String::new(),
            back_to: None,
            outcome: Word::Begun,
            why: None,
            seconds: None,
            hosts: Vec::new(),
        }
    }

    /// One environment, whose hosts have been looked at; whether the next one may follow.
    fn deploy(&self, here: &mut Stop<'_>) -> bool {
        let done = self.wants(here).and_then(|wants| self.change(here, wants));
        if let Err(halt) = done {
            here.deed.outcome = halt.end;
            here.deed.why = Some(halt.why);
            here.deed.hosts = told::untouched(&here.sites);
        }
        matches!(here.deed.outcome, Word::Done | Word::Unchanged | Word::Partial)
    }

    /// What each host is to get, when all of them can have it; `None` for one that is down.
    fn wants(&self, here: &mut Stop<'_>) -> Halted<Vec<Option<Want>>> {
        told::in_reach(&here.sites)?;
        told::nobody_is_at_it(&here.sites)?;
        told::nobody_else_left_it(&here.sites)?;
        let is_left = here.sites.iter().any(Site::is_left);
        if is_left {
            self.open_gates(here)?;
            settle::all(self, here)?;
            told::in_reach(&here.sites)?;
        }
        let wants = self.wanted(here)?;
        if !is_left && wants.iter().any(Option::is_some) {
            self.open_gates(here)?;
        }
        let changes = here.sites.iter().zip(&wants).filter(|(_, want)| want.is_some());
        let drifted: Vec<&str> =
            changes.filter(|(site, _)| has_drifted(site)).map(|(site, _)| site.name()).collect();
        if !drifted.is_empty() && !self.keys.leave.accept_drift {
            let why = format!(
                "somebody has changed the file on {} since the last deployment; see `confpush plan`, and \
                 --accept-drift replaces it and keeps its bytes",
                drifted.join(", ")
            );
            return Err(Halt { end: Word::Failed, why });
        }
        Ok(wants)
    }

    fn wanted(&self, here: &Stop<'_>) -> Halted<Vec<Option<Want>>> {
        let (mut wants, mut lacks) = (Vec::new(), Vec::new());
        let last = intent::last(&here.sites);
        for site in &here.sites {
            let want = |seen| self.intent.want(site, (seen, last.as_deref()), &here.cargo.version);
            match site.seen().map(want) {
                Some(Ok(want)) => wants.push(want),
                Some(Err(why)) => lacks.push(format!("{}: {why}", site.name())),
                None => wants.push(None),
            }
        }
        if lacks.is_empty() { Ok(wants) } else { Err(Halt { end: Word::Failed, why: lacks.join("; ") }) }
    }

    fn open_gates(&self, here: &Stop<'_>) -> Halted<()> {
        match gates::shut((self.route, here.leg), &self.keys, here.behind.as_deref(), &self.pool) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(Halt { end: Word::Refused, why }),
            Err(error) => Err(Halt { end: Word::Failed, why: error.to_string() }),
        }
    }

    /// Gives the hosts what they are to get. The log hears of it first: what is not written down is not done.
    fn change(&self, here: &mut Stop<'_>, wants: Vec<Option<Want>>) -> Halted<()> {
        let is_down = here.sites.iter().any(|site| !site.seen.is_yes());
        let hosts = told::before(&here.sites, &wants);
        if wants.iter().all(Option::is_none) {
            here.deed.outcome = if is_down { Word::Partial } else { Word::Unchanged };
            here.deed.hosts = hosts;
            return Ok(());
        }
        let newest = here.sites.iter().filter_map(|site| site.seen()?.current());
        let newest = newest.map(|kept| kept.id.as_str()).max().unwrap_or_default();
        if here.deed.id.as_str() <= newest {
            here.deed.id = self.fresh(newest);
        }
        here.deed.version = told::version(&wants);
        here.deed.back_to = told::back_to(&wants);
        here.deed.hosts = hosts;
        self.log.append(&here.deed).map_err(|error| Halt {
            end: if error.status() == 75 { Word::Busy } else { Word::Failed },
            why: format!("{error}; what is not written down is not done"),
        })?;
        let after: Vec<Option<String>> =
            wants.iter().map(|want| want.as_ref().and_then(|want| want.sha256.clone())).collect();
        let account = Account {
            folder: self.log.folder().as_os_str().as_bytes().to_vec(),
            deed: here.deed.clone(),
            after,
            is_down,
            on_event: self.keys.leave.on_event.clone(),
        };
        // The witness stays until it is written down how it ended.
        let (passage, _witness) = self.pass(here, wants, account.clone());
        told::ended(&mut here.deed, &account.after, &passage, is_down);
        if let Err(error) = self.log.append(&here.deed) {
            log::warn!("{}: how it ended is not in the audit log: {error}", self.route.place(here.leg));
        }
        Ok(())
    }

    fn pass(
        &self,
        here: &mut Stop<'_>,
        wants: Vec<Option<Want>>,
        account: Account,
    ) -> (Passage, Option<Job>) {
        let (spec, env) = (self.route.spec(here.leg), self.route.env(here.leg));
        let (who, within) = (told::who(), env.strategy.confirm_within);
        let order = |want: Want, seen: &Seen| Order {
            id: here.deed.id.clone(),
            content: want.content,
            version: want.version,
            who: who.clone(),
            seen: seen.live.clone(),
            confirm_within: within,
        };
        let (mut posts, mut charges) = (Vec::new(), Vec::new());
        for (site, want) in std::mem::take(&mut here.sites).into_iter().zip(wants) {
            let (Some(want), Answer::Yes(seen)) = (want, site.seen) else { continue };
            let (name, path) = (site.station.name().to_owned(), site.made.path.clone());
            charges.push(Charge { name, path, seen: seen.live.clone() });
            let (order, checks) = (order(want, &seen), site.made.checks.clone());
            posts.push(Post { station: site.station, order, checks });
        }
        let terms = (within, self.route.patience, self.desk.jobs);
        let witness = match Job::new(spec, (account, &who), charges, terms) {
            Ok(witness) => witness,
            Err(why) => return (told::refused(&posts, &why), None),
        };
        let place = self.route.place(here.leg);
        let teller = Teller::new(&place, posts.len(), self.desk.is_quiet);
        let course = Course {
            strategy: env.strategy,
            checks: spec.checks,
            bake: env.bake,
            jobs: self.desk.jobs,
            events: &|host, step| teller.tell(host, &step),
            witness: Some(&witness),
        };
        let passage = deploy::environment(posts, &course);
        teller.end();
        (passage, Some(witness))
    }

    /// Tells how it ended: people, a pager, whoever reads the output.
    fn tell(&self, here: &Stop<'_>, out: &mut Out) -> Result<()> {
        told::warn(&self.route.place(here.leg), &here.deed);
        told::announce(self.keys.leave.on_event.as_deref(), &here.deed);
        report::result(out, self.desk.form, &told::result(&here.deed))?;
        out.flush()
    }
}

fn has_drifted(site: &Site) -> bool {
    site.seen().is_some_and(Seen::has_drifted)
}
