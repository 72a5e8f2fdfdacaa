//! Which environments of which specs, in which order, and what their hosts are to get.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::answer::Answer;
use common::{Error, Result};
use hosts::select::Selection;
use remote::{Reach, Target};

use super::site::Site;
use crate::cli::Which;
use crate::host;
use crate::order::{self, Extent};
use crate::render::Renderer;
use crate::spec::{self, Environment, Spec};

/// A host has so long beside what its commands may take.
const MARGIN: Duration = Duration::from_secs(30);

/// What is to be done, in its order.
pub(crate) struct Route {
    /// The specs, in the order of the command line.
    pub(crate) specs: Vec<Spec>,
    /// Environments of specs that have hosts within `--limit`.
    pub(crate) legs: Vec<Leg>,
    /// What all sessions share.
    pub(crate) reach: Arc<Reach>,
    /// How long a command on a host may take.
    pub(crate) patience: Duration,
    /// What makes the files of each spec: its sources are read once.
    renderers: Vec<Renderer>,
    is_limited: bool,
}

/// An environment of a spec.
#[derive(Clone)]
pub(crate) struct Leg {
    /// Which spec.
    pub(crate) spec: usize,
    /// Which of its environments.
    env: usize,
    /// Its hosts.
    pub(crate) targets: Vec<Arc<Target>>,
}

impl Route {
    /// What `which` means; `until`: no environment behind this one.
    ///
    /// # Errors
    /// When a spec has faults or its source cannot be read, specs go before each other in a circle, an environment is not known, or no
    /// host is left.
    pub(crate) fn of(which: &Which, until: Option<&str>) -> Result<Self> {
        let specs = spec::all(&which.specs)?;
        let mut legs = Vec::new();
        for (spec, env) in order::steps(&specs, Extent::of(&which.envs, until))? {
            let targets = targets(&specs[spec], &specs[spec].environments[env], &which.limit)?;
            if !targets.is_empty() {
                legs.push(Leg { spec, env, targets });
            }
        }
        if legs.is_empty() {
            let limits: Vec<&str> = which.limit.iter().map(Selection::text).collect();
            return Err(Error::failed(format!("no host is left by --limit {}", limits.join(" --limit "))));
        }
        let longest = specs.iter().flat_map(waits).max().unwrap_or_default();
        let patience = longest + MARGIN;
        let reach = remote::spec::Ssh::reach(patience);
        let renderers = specs.iter().map(Renderer::new).collect::<Result<_>>()?;
        Ok(Self { specs, legs, reach, patience, renderers, is_limited: !which.limit.is_empty() })
    }

    /// The spec of `leg`.
    pub(crate) fn spec(&self, leg: &Leg) -> &Spec {
        &self.specs[leg.spec]
    }

    /// What makes the files of `leg`.
    pub(crate) fn renderer(&self, leg: &Leg) -> &Renderer {
        &self.renderers[leg.spec]
    }

    /// The environment of `leg`.
    pub(crate) fn env(&self, leg: &Leg) -> &Environment {
        &self.specs[leg.spec].environments[leg.env]
    }

    /// What `leg` is called: `web to prod`.
    pub(crate) fn place(&self, leg: &Leg) -> String {
        format!("{} to {}", self.spec(leg).name, self.env(leg).name)
    }

    /// Leaves of what is left by other paths in `sites`, those of `leg`, what is of a file that the spec has no
    /// more: hosts that share a machine see each other's, and each ends its own.
    ///
    /// # Errors
    /// When the hosts of the spec, or their paths, cannot be told.
    pub(crate) fn sift(&self, leg: &Leg, sites: &mut [Site]) -> Result<()> {
        if sites.iter().all(|site| site.seen().is_none_or(|seen| seen.left.is_empty())) {
            return Ok(());
        }
        let (spec, renderer) = (self.spec(leg), self.renderer(leg));
        let mut known = BTreeSet::new();
        for env in &spec.environments {
            for target in targets(spec, env, &[])? {
                known.insert(host::key(&renderer.made(env, &target.name)?.path));
            }
        }
        for site in sites {
            if let Answer::Yes(seen) = &mut site.seen {
                seen.left.retain(|left| !known.contains(&left.place));
            }
        }
        Ok(())
    }

    /// The environments before `leg` that this run does not itself deploy to, whole.
    ///
    /// # Errors
    /// When their hosts cannot be told.
    pub(crate) fn before(&self, leg: &Leg) -> Result<Vec<Leg>> {
        let is_ours = |env: usize| {
            !self.is_limited && self.legs.iter().any(|other| other.spec == leg.spec && other.env == env)
        };
        let others = (0..leg.env).filter(|env| !is_ours(*env));
        let spec = self.spec(leg);
        others
            .map(|env| {
                let targets = targets(spec, &spec.environments[env], &[])?;
                Ok(Leg { spec: leg.spec, env, targets })
            })
            .collect()
    }
}

fn targets(spec: &Spec, env: &Environment, limit: &[Selection]) -> Result<Vec<Arc<Target>>> {
    let targets = spec.ssh.targets_among(&env.hosts, limit)?;
    Ok(targets.into_iter().map(Arc::new).collect())
}

/// How long commands on hosts may take.
fn waits(spec: &Spec) -> Vec<Duration> {
    let commands = [&spec.validate.remote, &spec.reload].into_iter().flatten();
    commands.map(|command| command.timeout).chain(spec.health.iter().map(|check| check.timeout)).collect()
}
