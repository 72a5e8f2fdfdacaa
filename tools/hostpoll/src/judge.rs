//! What the run comes to: what is told of hosts on standard error, and the exit status.

use std::collections::BTreeMap;
use std::sync::Arc;

use common::Outcome;
use log::Level;
use remote::Class;

use crate::outcome::Polled;
use crate::report::Summary;
use crate::rule::{Rule, Rules};

/// So many failures of one class are told one by one in a round; then they are counted. A thousand
/// hosts behind a firewall are one piece of news.
const TOLD: usize = 10;

/// Status for "try again later" (sysexits, `EX_TEMPFAIL`): no host could be reached.
const RETRY: u8 = 75;

/// Judges hosts and rounds.
pub(crate) struct Judge {
    rules: Rules,
    /// Whether the rules say how many hosts may fail.
    tolerates: bool,
    /// Whether the failures of hosts stand in the result already, for the same reader.
    is_silent: bool,
    /// The hosts that failed in the last round and why, so that what lasts is told once.
    failing: BTreeMap<Arc<str>, Class>,
    /// How many failures of each class are news in this round.
    news: BTreeMap<Class, usize>,
    last: Round,
}

/// What was wrong in one round.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    tripped: bool,
    total: usize,
    failed: usize,
    unreachable: usize,
    /// Hosts whose answer is not whole.
    incomplete: usize,
    unsent: bool,
}

impl Judge {
    pub(crate) fn new(rules: Vec<Rule>, is_silent: bool) -> Self {
        Self {
            tolerates: rules.iter().any(Rule::is_about_hosts),
            rules: Rules::new(rules),
            is_silent,
            failing: BTreeMap::new(),
            news: BTreeMap::new(),
            last: Round::default(),
        }
    }

    /// A round begins.
    pub(crate) fn begin(&mut self) {
        self.last = Round::default();
        self.news.clear();
    }

    /// Judges a host, and says on standard error what is wrong with it.
    pub(crate) fn host(&mut self, polled: &Polled) {
        let name = &polled.name;
        match &polled.result {
            Err(failure) => {
                let before = self.failing.insert(Arc::clone(name), failure.class);
                if before == Some(failure.class) || self.is_silent {
                    return;
                }
                let news = self.news.entry(failure.class).or_default();
                *news += 1;
                if *news <= TOLD {
                    log::error!("{name}: {}: {}", failure.class.name(), failure.what);
                }
            }
            Ok(sample) => {
                if self.failing.remove(name).is_some() {
                    log::info!("{name}: it answers again");
                }
                for (command, why) in &sample.failed {
                    log::warn!("{name}: --command {command}: {why}");
                }
                for (collector, why) in &sample.gaps {
                    // What a system does not tell is the same at every sample; what hangs is news.
                    let level = if polled.is_cut { Level::Warn } else { Level::Info };
                    log::log!(level, "{name}: {}: {why}", collector.name());
                }
                self.last.incomplete += usize::from(!sample.failed.is_empty() || polled.is_cut);
            }
        }
        for sentence in self.rules.host(polled) {
            self.last.tripped = true;
            log::warn!("{sentence}");
        }
    }

    /// Judges the round, after its hosts.
    pub(crate) fn end(&mut self, summary: &Summary, is_sent: bool) {
        let verdict = self.rules.round(summary);
        self.last.tripped |= !verdict.tripped.is_empty();
        self.last.total = summary.total;
        self.last.failed = summary.failures();
        self.last.unreachable = summary.unreachable;
        self.last.unsent = !is_sent;
        for (class, news) in self.news.iter().filter(|(_, news)| **news > TOLD) {
            log::error!("{} hosts more: {}", news - TOLD, class.name());
        }
        for sentence in verdict.tripped.iter().chain(&verdict.warnings) {
            log::warn!("{sentence}");
        }
    }

    /// What the run comes to, which is what its last round came to.
    pub(crate) fn outcome(&self) -> Outcome {
        let Round { tripped, total, failed, unreachable, incomplete, unsent } = self.last;
        // A rule about hosts says how many may fail: then their failing is its matter alone.
        let failed = if self.tolerates { 0 } else { failed };
        if failed > 0 && unreachable == total {
            Outcome::Own(RETRY)
        } else if failed > 0 || incomplete > 0 || unsent {
            Outcome::Partial
        } else if tripped {
            Outcome::No
        } else {
            Outcome::Done
        }
    }
}
