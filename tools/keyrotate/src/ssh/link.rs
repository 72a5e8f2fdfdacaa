//! A host that is spoken to, in answers: only the host's own refusal is a no.

use std::time::Instant;

use remote::session::Took;
use remote::{Class, Command, Failure, Reach, Session, Target};
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::conceal;

/// What a script came to.
pub(crate) struct Said {
    /// Its status.
    pub(crate) status: i32,
    /// All that it printed.
    pub(crate) output: Zeroizing<Vec<u8>>,
    /// The beginning of its standard error, for messages.
    pub(crate) complaint: String,
}

impl Said {
    /// What it says by its status: 0 is a yes, 1 a no, and everything else an unknown.
    pub(crate) fn answer(&self) -> Answer {
        match self.status {
            0 => Answer::Yes(()),
            1 => Answer::No(self.why()),
            _ => Answer::Unknown(self.why()),
        }
    }

    /// What it said on its standard error, or at least its status.
    pub(crate) fn why(&self) -> String {
        match (self.status, self.complaint.as_str()) {
            (status, "") => format!("exit status {status}"),
            (1, complaint) => complaint.to_owned(),
            (status, complaint) => format!("exit status {status}: {complaint}"),
        }
    }
}

/// A session with `target`, within the bounds of `reach`. A no: the host itself refuses its keys.
pub(crate) fn open(reach: &Reach, target: &Target) -> Answer<Session> {
    match reach.open(target, Instant::now() + reach.bounds.total, &mut Took::default()) {
        Ok(session) => Answer::Yes(session),
        Err(failure) if failure.is_refusal() => Answer::No(conceal::hide(&failure.what)),
        Err(failure) => Answer::Unknown(conceal::hide(&failure.what)),
    }
}

/// The same with the operator's own keys: that they are refused says nothing of those that are rotated.
pub(crate) fn open_as_operator(reach: &Reach, target: &Target) -> Answer<Session> {
    match open(reach, target) {
        Answer::No(why) => Answer::Unknown(why),
        other => other,
    }
}

/// What `script` comes to, with `input`. The session is of no more use after another answer than yes.
pub(crate) fn run(
    session: &mut Session,
    reach: &Reach,
    script: &str,
    input: Option<Zeroizing<Vec<u8>>>,
) -> Answer<Said> {
    match try_run(session, reach, script, input) {
        Ok(said) => Answer::Yes(said),
        Err(failure) => failed(&failure),
    }
}

/// The same with the failure as it is.
pub(crate) fn try_run(
    session: &mut Session,
    reach: &Reach,
    script: &str,
    input: Option<Zeroizing<Vec<u8>>>,
) -> Result<Said, Failure> {
    let mut command = Command::new(script, &Command::mark());
    if let Some(input) = input {
        command = command.with_input(input);
    }
    let answer = session.run(&command, &reach.bounds, Instant::now() + reach.bounds.total);
    let (output, complaint) = (Zeroizing::new(answer.stdout), conceal::quoted(&answer.stderr));
    answer.ended.map(|status| Said { status, output, complaint })
}

/// Why no script came to an end.
pub(crate) fn failed<T>(failure: &Failure) -> Answer<T> {
    let what = conceal::hide(&failure.what);
    // It will be too large the next time, too.
    if failure.class == Class::Output { Answer::No(what) } else { Answer::Unknown(what) }
}
