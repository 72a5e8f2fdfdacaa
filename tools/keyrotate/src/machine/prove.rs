//! Proof: so many log-ins in a row, and a corrupted copy that is refused.

use common::answer::Answer;

use super::Machine;
use crate::credential::Credential;

/// What many log-ins with one key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As many in a row as are a proof.
    Proved,
    /// Each was refused; why.
    Refused(String),
    /// Some worked, some did not: nothing is proved, and nothing is disproved.
    Mixed(String),
    /// Too few worked, and none was refused, or none worked, and not all were refused: the target could not
    /// be asked.
    Unknown(String),
    /// The run is to end.
    Interrupted,
}

impl Machine<'_> {
    /// One log-in.
    pub(super) fn check(&mut self, credential: &Credential) -> Answer {
        self.ask(|provider, context| provider.check(credential, context))
    }

    /// Logs in until `gates.checks` log-ins in a row were good, at most `gates.tries` times.
    pub(super) fn prove(&mut self, credential: &Credential) -> Verdict {
        let mut good = 0;
        let mut has_worked = false;
        let mut refused = 0;
        let mut last = String::new();
        for attempt in 0..self.gates.tries {
            if attempt > 0 && self.clock.pause(self.gates.pause()) {
                return Verdict::Interrupted;
            }
            match self.check(credential) {
                Answer::Yes(()) => {
                    (good, has_worked) = (good + 1, true);
                    if good == self.gates.checks {
                        return Verdict::Proved;
                    }
                }
                Answer::No(why) => (good, refused, last) = (0, refused + 1, why),
                Answer::Unknown(why) => (good, last) = (0, why),
            }
        }
        if refused == self.gates.tries {
            Verdict::Refused(last)
        } else if has_worked && refused > 0 {
            Verdict::Mixed(last)
        } else {
            Verdict::Unknown(last)
        }
    }

    /// Logs in with `credential` until it is refused everywhere, at most `gates.tries` times: a target may
    /// need time to forget. A yes: it is refused.
    pub(super) fn is_refused(&mut self, credential: &Credential) -> Answer {
        let mut answer = Answer::Unknown(String::new());
        for attempt in 0..self.gates.tries {
            if attempt > 0 && self.clock.pause(self.gates.pause()) {
                return Answer::Unknown("the run was told to end".into());
            }
            answer = self.ask(|provider, context| provider.refuses(credential, context));
            if answer.is_yes() {
                break;
            }
        }
        answer
    }

    /// Whether the target refuses a corrupted copy of `credential`: a check that says yes to everything
    /// proves nothing. Asked once, since refused log-ins may lock an account.
    pub(super) fn can_refuse(&mut self, credential: &Credential) -> Answer {
        let Some(corrupted) = self.provider.corrupted(credential) else { return Answer::Yes(()) };
        match self.ask(|provider, context| provider.refuses(&corrupted, context)) {
            Answer::No(why) => Answer::No(format!(
                "the target accepts a secret that is wrong, so a log-in there proves nothing: {why}"
            )),
            other => other,
        }
    }
}
