//! A real host, over SSH.
//!
//! What a host does is shell (`host/*.sh`), and each call is one command of a shell that stays there. Its answer is its status: 0 is
//! a yes, 1 a no, and everything else an unknown; the reason is what it says on standard error. A call that
//! is lost with its session is repeated once on a new one, and so every script may be: it finds out by
//! the id of the deployment what is done already.

mod notes;
mod script;
mod settings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::answer::Answer;
use remote::link::{self, Said};
use remote::{Bounds, Class, Command, Coprocess, Failure, Reach, Session, Target};
use secrets::conceal;
use zeroize::Zeroizing;

use crate::health;
use crate::spec::{Check, How};
use crate::station::{Content, Order, Piece, Seen, Settled, Station};
use script::{Place, Verb};

pub(crate) use script::key;
pub(crate) use settings::Settings;

/// What an answer begins with where another deployment has the host: an unknown of
/// [`stage`](Station::stage) and [`restore`](Station::restore), a no of [`settle`](Station::settle).
pub(crate) const BUSY: &str = "another deployment is at it";

/// How long files of the host may take, and the lock between two commands, beyond commands of the user.
const MARGIN: Duration = Duration::from_secs(15);

/// A real host.
pub(crate) struct Host {
    place: Place,
    coprocess: Arc<Coprocess>,
    target: Arc<Target>,
    reach: Arc<Reach>,
    session: Option<Session>,
    order: Option<Order>,
}

impl Host {
    /// The host `target`; no session is opened yet.
    pub(crate) fn new(settings: Settings, target: Arc<Target>, reach: Arc<Reach>) -> Self {
        let place = Place::new(settings);
        Self { coprocess: place.coprocess(), place, target, reach, session: None, order: None }
    }

    /// The same, for the folder `key` of the spec: that of another file.
    pub(crate) fn at(self, key: String) -> Self {
        Self { place: self.place.at(key), ..self }
    }

    /// The same, for a deployment that another process has staged there.
    pub(crate) fn resumed(self, order: Order) -> Self {
        Self { order: Some(order), ..self }
    }

    /// What `verb` comes to.
    fn run(&mut self, verb: &Verb) -> Answer<Said> {
        let script = match self.place.script(verb) {
            Ok(script) => script,
            Err(why) => return Answer::No(why),
        };
        let input = match verb {
            Verb::Stage(Order { content: Content::Bytes(bytes), .. }) => Some(bytes.clone()),
            _ => None,
        };
        let takes = verb.takes(&self.place.settings);
        let (coprocess, becomes) = (Arc::clone(&self.coprocess), self.place.settings.becomes);
        let ask = Ask { coprocess, becomes, script, input, takes };
        self.ask(&ask)
    }

    /// The same, once more when a session that was opened for another call is lost.
    fn ask(&mut self, ask: &Ask) -> Answer<Said> {
        for is_last in [self.session.is_none(), true] {
            let mut session = match self.session() {
                Answer::Yes(session) => session,
                Answer::No(why) => return Answer::No(why),
                Answer::Unknown(why) => return Answer::Unknown(why),
            };
            match ask.on(&mut session, &self.reach.bounds) {
                Ok(said) => {
                    self.session = Some(session).filter(|session| !session.is_over());
                    return Answer::Yes(said);
                }
                Err(failure) if is_last || failure.class != Class::Lost => return link::failed(&failure),
                Err(failure) => log::debug!("{}: asking again: {failure}", self.target.name),
            }
        }
        Answer::Unknown("the connection was lost twice".into())
    }

    /// The session that is open, or a new one; who takes it puts it back.
    fn session(&mut self) -> Answer<Session> {
        match self.session.take() {
            Some(session) => Answer::Yes(session),
            None => link::open_as_operator(&self.reach, &self.target),
        }
    }

    fn check_once(&mut self, check: &Check) -> Answer {
        self.session().and_then(|mut session| {
            let answer = health::ask(check, &mut session, &self.reach);
            if !session.is_over() {
                self.session = Some(session);
            }
            answer
        })
    }

    fn does(&mut self, verb: &Verb) -> Answer {
        self.run(verb).and_then(|said| answer(&said))
    }

    /// What `verb` makes of the deployment that is staged here.
    fn goes_on(&mut self, verb: impl FnOnce(Order) -> Verb) -> Answer {
        match self.order.clone() {
            Some(order) => self.does(&verb(order)),
            None => Answer::No("nothing was staged".into()),
        }
    }
}

impl Station for Host {
    fn name(&self) -> &str {
        &self.target.name
    }

    fn look(&mut self) -> Answer<Seen> {
        let said = self.run(&Verb::Look);
        let access = &self.place.settings.access;
        said.and_then(|said| answer(&said).map(|()| said)).and_then(|said| {
            match notes::read(&said.output, access) {
                Ok(seen) => Answer::Yes(seen),
                Err(why) => Answer::Unknown(why),
            }
        })
    }

    fn fetch(&mut self, piece: &Piece) -> Answer<Zeroizing<Vec<u8>>> {
        let said = self.run(&Verb::Fetch(piece.clone()));
        said.and_then(|said| answer(&said).map(|()| said.output))
    }

    fn settle(&mut self) -> Answer<Settled> {
        let said = self.run(&Verb::Settle);
        said.and_then(|said| answer(&said).map(|()| said)).and_then(|said| {
            match notes::settled(&said.output) {
                Some(settled) => Answer::Yes(settled),
                None => Answer::Unknown("the host does not say how it settled".into()),
            }
        })
    }

    fn stage(&mut self, order: &Order) -> Answer {
        // What is begun can be restored from here on, also when its answer is lost.
        self.order = Some(Order { content: Content::Nothing, ..order.clone() });
        self.does(&Verb::Stage(order.clone()))
    }

    fn swap(&mut self) -> Answer {
        self.goes_on(Verb::Swap)
    }

    fn check(&mut self, check: &Check) -> Answer {
        if !health::needs_session(check) {
            return health::ask_from_here(check);
        }
        let check = match &check.how {
            How::Command(script) => Check { how: How::Command(self.place.become_(script)), ..check.clone() },
            _ => check.clone(),
        };
        let was_open = self.session.is_some();
        match self.check_once(&check) {
            Answer::Unknown(why) if was_open && self.session.is_none() => {
                log::debug!("{}: asking again: {why}", self.target.name);
                self.check_once(&check)
            }
            other => other,
        }
    }

    fn beat(&mut self) -> Answer {
        self.goes_on(Verb::Beat)
    }

    fn confirm(&mut self) -> Answer {
        self.goes_on(Verb::Confirm)
    }

    fn restore(&mut self) -> Answer {
        let Some(order) = self.order.clone() else { return Answer::Yes(()) };
        let said = self.run(&Verb::Restore(order));
        said.and_then(|said| {
            let foreign = String::from_utf8_lossy(&said.output);
            if let Some(kept) = foreign.lines().next() {
                let (host, file) = (&self.target.name, &self.place.settings.path);
                log::warn!(
                    "{host}: somebody else had changed {file}; what was there is kept as {kept} on the host"
                );
            }
            answer(&said)
        })
    }
}

/// A script to be run.
struct Ask {
    coprocess: Arc<Coprocess>,
    becomes: bool,
    script: String,
    input: Option<Zeroizing<Vec<u8>>>,
    /// How long it may take when the host has no trouble.
    takes: Duration,
}

impl Ask {
    fn on(&self, session: &mut Session, bounds: &Bounds) -> Result<Said, Failure> {
        let mut command = Command::told(&self.coprocess, &self.script, &Command::mark());
        if let Some(input) = &self.input {
            command = command.with_input(input.clone());
        }
        let takes = bounds.command.max(self.takes + MARGIN);
        let bounds = Bounds { command: takes, ..bounds.clone() };
        let answer = session.run(&command, &bounds, Instant::now() + takes);
        let (output, complaint) = (Zeroizing::new(answer.stdout), conceal::quoted(&answer.stderr));
        let status = match answer.ended {
            // Whoever is to make it root refuses.
            Err(failure) if self.becomes && !answer.has_begun && failure.class == Class::Command => 1,
            other => other?,
        };
        Ok(Said { status, output, complaint })
    }
}

/// What a script says by its status.
fn answer(said: &Said) -> Answer {
    let why = || if said.complaint.is_empty() { said.why() } else { said.complaint.clone() };
    match said.status {
        0 => Answer::Yes(()),
        1 => Answer::No(why()),
        _ => Answer::Unknown(why()),
    }
}

#[cfg(test)]
mod tests;
