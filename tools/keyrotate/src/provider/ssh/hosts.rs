//! The account, and the hosts that have it.

use std::collections::BTreeSet;
use std::sync::Arc;

use common::answer::Answer;
use remote::keys::Held;
use remote::target::{Login, Target};

use super::{Config, Place};
use crate::ssh::file::Remote;
use crate::ssh::sites::{self, Site};

/// An account on its hosts.
pub(super) struct Account {
    hosts: Vec<Site>,
    jobs: usize,
    plan: Arc<Plan>,
    /// Whether somebody else changes the file.
    pub(super) has_login: bool,
    /// The log of sshd.
    pub(super) auth_log: Option<String>,
}

/// What is the same on all hosts.
struct Plan {
    file: String,
    login: Option<String>,
    auth_log: Option<String>,
}

/// The account on one host.
pub(super) struct Host {
    /// How it is reached as the account.
    pub(super) site: Site,
    /// How it is reached by who changes the file.
    pub(super) admin: Target,
    /// `authorized_keys`.
    pub(super) file: Remote,
    has_login: bool,
    /// The log of sshd.
    pub(super) auth_log: Option<String>,
}

impl Account {
    /// That of `config`, on `targets`.
    pub(super) fn new(config: &Config, targets: Vec<Target>, place: &Place<'_>) -> Self {
        let reach = remote::spec::Ssh::reach(place.timeout);
        let site = |target: Target| {
            let user = config.user.clone().unwrap_or_else(|| target.user.clone());
            Site { target: Arc::new(Target { user, ..target }), reach: Arc::clone(&reach) }
        };
        let (file, login, auth_log) = (config.file.clone(), config.login.clone(), config.auth_log.clone());
        Self {
            hosts: targets.into_iter().map(site).collect(),
            jobs: place.jobs,
            has_login: login.is_some(),
            auth_log: auth_log.clone(),
            plan: Arc::new(Plan { file, login, auth_log }),
        }
    }

    /// The names of the hosts.
    pub(super) fn names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name().to_owned()).collect()
    }

    /// Does `work` on each host that is not among `skipped`.
    pub(super) fn each<R: Send + 'static>(
        &self,
        skipped: &BTreeSet<String>,
        work: impl Fn(&Host) -> Answer<R> + Send + Sync + 'static,
    ) -> Vec<(Arc<str>, Answer<R>)> {
        let hosts: Vec<_> =
            self.hosts.iter().filter(|host| !skipped.contains(host.name())).cloned().collect();
        let plan = Arc::clone(&self.plan);
        sites::each(&hosts, self.jobs, move |site| work(&plan.host(site)))
    }
}

impl Plan {
    fn host(&self, site: &Site) -> Host {
        let user = &site.target.user;
        let login = self.login.as_ref().unwrap_or(user);
        Host {
            site: site.clone(),
            admin: Target { user: login.clone(), ..Target::clone(&site.target) },
            file: Remote::of_account(&self.file, user, login != user),
            auth_log: self.auth_log.clone(),
            has_login: self.login.is_some(),
        }
    }
}

impl Host {
    /// Whether somebody else than the account changes the file.
    pub(super) fn is_run_by_others(&self) -> bool {
        self.has_login
    }

    /// It, reached as the account with these keys and nothing else.
    pub(super) fn with(&self, keys: Vec<Held>) -> Target {
        Target { login: Arc::new(Login::with(keys)), ..Target::clone(&self.site.target) }
    }
}
