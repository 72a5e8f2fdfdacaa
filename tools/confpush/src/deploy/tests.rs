//! Deployments of a fleet in memory, with everything going wrong that can.

mod model;
mod story;
mod sweep;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::crew::Terms;
use super::{Course, Fate, Left, Passage, Post, Step, Verdict, deploy, end};
use crate::spec::{Check, Checks, Count, From, How, Strategy};
use crate::station::{Content, Order};
use crate::witness::{Summon, Witness};
use model::{Faults, Fleet, WITHIN};

/// What a deployment is like.
#[derive(Debug, Clone)]
struct Plan {
    hosts: usize,
    canary: usize,
    batch: usize,
    spare: usize,
    checks: (u32, u32, u64),
    bake: u64,
    jobs: usize,
    has_witness: bool,
}

/// Canary, one batch, rounds over some time, and a bake that is long enough for beats.
const USUAL: Plan = Plan {
    hosts: 3,
    canary: 1,
    batch: 2,
    spare: 0,
    checks: (2, 3, 10),
    bake: 40,
    jobs: 64,
    has_witness: true,
};

/// What the witness was told last, by a deployer that was still alive.
type Told = Arc<Mutex<Option<(Left, Vec<String>)>>>;

/// A witness that takes note.
struct Note {
    told: Told,
    fleet: Fleet,
}

impl Note {
    fn take(&self, left: Option<Left>, hosts: &[String]) {
        if !self.fleet.is_killed() {
            *self.told.lock().unwrap() = left.map(|left| (left, hosts.to_vec()));
        }
    }
}

impl Summon for Note {
    fn summon(&self) -> Result<Box<dyn Witness>, String> {
        Ok(Box::new(Self { told: self.told.clone(), fleet: self.fleet.clone() }))
    }
}

impl Witness for Note {
    fn confirm(&mut self, hosts: &[String], spare: usize) -> Result<(), String> {
        self.take(Some(Left::Confirm(spare)), hosts);
        Ok(())
    }

    fn back(&mut self, hosts: &[String]) {
        self.take(Some(Left::Back), hosts);
    }

    fn done(self: Box<Self>) {
        self.take(None, &[]);
    }
}

/// What came of a run: of the deployer, or of the witness when the deployer was killed and it had a say.
struct Ran {
    passage: Option<Passage>,
    fleet: Fleet,
    steps: Vec<(String, Step)>,
}

fn post(fleet: &Fleet, host: usize) -> Post {
    let order = Order {
        id: "1".into(),
        content: Content::Nothing,
        version: "v".into(),
        who: "jan@box".into(),
        seen: None,
        confirm_within: WITHIN,
    };
    let check = Check { how: How::Command("true".into()), from: From::Host, timeout: Duration::from_secs(5) };
    Post { station: fleet.ship(host, false), order, checks: vec![check.clone(), check] }
}

fn run(plan: &Plan, faults: &Faults) -> Ran {
    let fleet = Fleet::new(plan.hosts, faults.clone());
    let (pass, of, window) = plan.checks;
    let steps = Mutex::new(Vec::new());
    let events = |host: &str, step| steps.lock().unwrap().push((host.to_owned(), step));
    let told = Told::default();
    let note = Note { told: told.clone(), fleet: fleet.clone() };
    let course = Course {
        strategy: Strategy {
            canary: plan.canary,
            batch: Count::Number(plan.batch),
            max_failures: Count::Number(plan.spare),
            max_down: Count::Number(0),
            confirm_within: WITHIN,
        },
        checks: Checks { pass, of, window: Duration::from_secs(window) },
        bake: Duration::from_secs(plan.bake),
        jobs: plan.jobs,
        events: &events,
        witness: if plan.has_witness { Some(&note) } else { None },
    };
    let posts = (0..plan.hosts).map(|host| post(&fleet, host)).collect();
    let passage = Some(deploy(posts, &course, &fleet)).filter(|_| !fleet.is_killed());
    let passage = passage.or_else(|| testify(&fleet, &told, plan.jobs));
    Ran { passage, fleet, steps: steps.into_inner().unwrap() }
}

/// The deployer is dead: what the witness does.
fn testify(fleet: &Fleet, told: &Told, jobs: usize) -> Option<Passage> {
    fleet.as_the_killed_left_it();
    let (left, hosts) = told.lock().unwrap().clone()?;
    let stations = hosts.iter().map(|name| fleet.ship(name[1..].parse().unwrap(), true)).collect();
    let spare = if let Left::Confirm(spare) = left { spare } else { 0 };
    Some(end(stations, left, Terms { within: WITHIN, jobs, spare, events: &|_, _| (), time: fleet }))
}

impl Ran {
    fn passage(&self) -> &Passage {
        self.passage.as_ref().unwrap()
    }

    /// The environment is wholly new or wholly old, but for hosts that were told of.
    #[track_caller]
    fn check(&self, plan: &Plan, faults: &Faults) {
        let story =
            || format!("{plan:?} {faults:?}\n{:?}\n{:?}\n{:?}", self.passage, self.steps, self.fleet.log());
        let lost: Vec<bool> = (0..plan.hosts).map(|host| self.fleet.is_lost(host)).collect();
        let open: Vec<bool> = (0..plan.hosts).map(|host| self.fleet.is_open(host)).collect();
        let has_new = self.fleet.outcome();
        // One that does not answer three times is given up.
        let has_many = |host| faults.keys().filter(|(other, _)| *other == host).count() > 2;
        let Some(passage) = &self.passage else {
            // Nobody lived to confirm anything, and nobody was told to. What cannot go back stays.
            let is_back = |(has_new, lost): (&bool, &bool)| !has_new || *lost;
            assert!(has_new.iter().zip(&lost).all(is_back), "{has_new:?} {}", story());
            return;
        };
        for (name, fate) in &passage.fates {
            let host: usize = name[1..].parse().unwrap();
            match fate {
                Fate::Deployed => assert!(has_new[host], "{name} {}", story()),
                Fate::RolledBack(_) | Fate::Refused(_) => assert!(!has_new[host], "{name} {}", story()),
                Fate::NotRolledBack(_) => assert!(lost[host] || has_many(host), "{name} {}", story()),
            }
            // Whoever can be asked has nothing left of it, and not only when its guard has run out. Much that
            // fails at once may use up the patience for what was merely staged, and one that is given up may
            // be there again before the deployment ends.
            let is_told = match fate {
                Fate::NotRolledBack(_) => has_many(host),
                _ => faults.len() > 1 && format!("{fate:?}").contains("may lie there"),
            };
            assert!(!open[host] || lost[host] || is_told, "{name} {}", story());
        }
        let deployed = passage.fates.iter().filter(|(_, fate)| *fate == Fate::Deployed).count();
        let failed = passage.fates.len() - deployed;
        match &passage.verdict {
            Verdict::Done => {
                assert!(deployed > 0 && failed <= plan.spare, "{}", story());
                assert_eq!(passage.is_partial, failed > 0, "{}", story());
            }
            Verdict::Refused(_) | Verdict::Busy(_) | Verdict::RolledBack(_) => {
                assert!(has_new.iter().all(|has_new| !has_new), "{has_new:?} {}", story());
            }
            Verdict::NotRolledBack(why) => {
                assert!(deployed == 0 || failed <= plan.spare, "{}", story());
                let lost = passage.fates.iter().filter(|(_, fate)| matches!(fate, Fate::NotRolledBack(_)));
                let mut names = lost.map(|(name, _)| name).peekable();
                assert!(names.peek().is_some(), "{}", story());
                assert!(names.all(|name| why.contains(name.as_str())), "{}", story());
            }
        }
    }
}
