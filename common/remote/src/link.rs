//! A host that is spoken to, in answers: only the host's own refusal is a no.

use std::time::Instant;

use common::answer::Answer;
use secrets::conceal;
use zeroize::Zeroizing;

use crate::session::Took;
use crate::{Class, Command, Failure, Reach, Session, Target};

/// What a script came to.
pub struct Said {
    /// Its status.
    pub status: i32,
    /// All that it printed.
    pub output: Zeroizing<Vec<u8>>,
    /// The beginning of its standard error, for messages.
    pub complaint: String,
}

impl Said {
    /// What it says by its status: 0 is a yes, 1 a no, and everything else an unknown.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self.status {
            0 => Answer::Yes(()),
            1 => Answer::No(self.why()),
            _ => Answer::Unknown(self.why()),
        }
    }

    /// What it said on its standard error, or at least its status.
    #[must_use]
    pub fn why(&self) -> String {
        match (self.status, self.complaint.as_str()) {
            (status, "") => format!("exit status {status}"),
            (1, complaint) => complaint.to_owned(),
            (status, complaint) => format!("exit status {status}: {complaint}"),
        }
    }
}

/// A session with `target`, within the bounds of `reach`. A no: the host itself refuses its keys.
pub fn open(reach: &Reach, target: &Target) -> Answer<Session> {
    match reach.open(target, Instant::now() + reach.bounds.total, &mut Took::default()) {
        Ok(session) => Answer::Yes(session),
        Err(failure) if failure.is_refusal() => Answer::No(conceal::hide(&failure.what)),
        Err(failure) => Answer::Unknown(conceal::hide(&failure.what)),
    }
}

/// The same with the operator's own keys: that they are refused says nothing of those that are rotated.
pub fn open_as_operator(reach: &Reach, target: &Target) -> Answer<Session> {
    match open(reach, target) {
        Answer::No(why) => Answer::Unknown(why),
        other => other,
    }
}

/// What `script` comes to, with `input`. The session is of no more use after another answer than yes.
pub fn run(
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
///
/// # Errors
/// Why the script came to no end; the session is of no more use then.
pub fn try_run(
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
#[must_use]
pub fn failed<T>(failure: &Failure) -> Answer<T> {
    let what = conceal::hide(&failure.what);
    // It will be too large the next time, too.
    if failure.class == Class::Output { Answer::No(what) } else { Answer::Unknown(what) }
}
