//! Health checks: whether a service works, as its host or as this machine sees it.
//!
//! A service that refuses, says something else or says nothing in time is a no. A question that never got
//! to the service, because the session with the host has ended or its sshd forwards nothing, is an unknown.

mod client;
mod place;
mod stream;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use common::answer::Answer;
use remote::bounds::told;
use remote::link::{self, Said};
use remote::{Bounds, Command, Reach, Session, shell};
use secrets::conceal;
use ureq::tls::RootCerts;

use crate::spec::{Check, From, How};

use client::Wanted;
use place::Place;

/// A command that ignores its end is killed after so long.
const MERCY: Duration = Duration::from_secs(1);

/// So much longer than its command the host may take to say what came of it.
const GRACE: Duration = Duration::from_secs(5);

/// Whether it is asked through a session with the host.
pub(crate) fn needs_session(check: &Check) -> bool {
    matches!(check.how, How::Command(_)) || check.from == From::Host
}

/// One health check, once; it takes no longer than its timeout, and a command that ignores its end some
/// seconds more. The session can be used again unless [`Session::is_over`].
pub(crate) fn ask(check: &Check, session: &mut Session, reach: &Reach) -> Answer {
    asked(check, Some((session, reach)), RootCerts::PlatformVerifier)
}

/// The same for a check that [needs no session](needs_session); for another it is an unknown.
pub(crate) fn ask_from_here(check: &Check) -> Answer {
    asked(check, None, RootCerts::PlatformVerifier)
}

type Through<'a> = Option<(&'a mut Session, &'a Reach)>;

fn asked(check: &Check, through: Through, roots: RootCerts) -> Answer {
    let (label, answer) = match &check.how {
        How::Command(script) => {
            let label = format!("`{}`", conceal::quoted(script.as_bytes()));
            (label, run(script, check.timeout, through))
        }
        How::Tcp(text) => {
            let place = Place::parse(text).map_err(Answer::No);
            let opened = place.and_then(|place| stream::open(&place, check, through));
            (conceal::quoted(text.as_bytes()), opened.map_or_else(|answer| answer, |_| Answer::Yes(())))
        }
        How::Http { url, status, body } => {
            let wanted = Wanted { status: *status, body: body.as_deref(), roots };
            (client::label(url), client::get(url, &wanted, check, through))
        }
    };
    answer.at(&label)
}

/// Runs `script` on the host; there it is ended after `timeout`, so that it does not take the session with it.
fn run(script: &str, timeout: Duration, through: Through) -> Answer {
    let Some((session, reach)) = through else { return Answer::Unknown(NO_SESSION.into()) };
    // None at all would mean that there is no limit.
    let limit = timeout.max(Duration::from_millis(1));
    let ended = format!(
        "timeout -k {} {} /bin/sh -c {} </dev/null",
        MERCY.as_secs(),
        limit.as_secs_f64(),
        shell::quoted(script)
    );
    let whole = limit + MERCY + GRACE;
    let bounds = Bounds { command: whole, ..reach.bounds.clone() };
    let answer = session.run(&Command::new(&ended, &Command::mark()), &bounds, Instant::now() + whole);
    let status = match answer.ended {
        Ok(status) => status,
        Err(failure) => return link::failed(&failure),
    };
    match status {
        0 => Answer::Yes(()),
        // What timeout(1) says, or 128 and the signal.
        124 | 137 if answer.took >= limit => Answer::No(no_end(timeout)),
        status => {
            let complaint = conceal::quoted(&answer.stderr);
            Answer::No(Said { status, output: answer.stdout.into(), complaint }.why())
        }
    }
}

const NO_SESSION: &str = "there is no session with the host to ask it through";

fn no_end(timeout: Duration) -> String {
    format!("no end within {}", told(timeout))
}
