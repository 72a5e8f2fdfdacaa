//! Asks one host once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use remote::bounds::told;
use remote::{Answer, Bounds, Class, Command, Failure, Phase, Reach, Session, Target};

use crate::outcome::{Polled, Took};
use crate::sample::{Sample, Wanted};
use crate::{parse, probe};

/// How far apart two readings of the boot time may be: Linux computes it from a clock that is set
/// now and then.
const SAME_BOOT: f64 = 5.0;

/// A host from one sample to the next.
pub(crate) struct Asked {
    /// How to reach it, or why that cannot be tried.
    pub(crate) target: Result<Arc<Target>, Failure>,
    pub(crate) name: Arc<str>,
    pub(crate) tags: Arc<Vec<(String, String)>>,
    /// The session that is kept for the next sample.
    session: Option<Session>,
    /// The last sample.
    before: Option<Arc<(DateTime<Utc>, Sample)>>,
}

impl Asked {
    /// A host that has not been asked yet.
    pub(crate) fn new(
        name: Arc<str>,
        target: Result<Arc<Target>, Failure>,
        tags: Arc<Vec<(String, String)>>,
    ) -> Self {
        Self { target, name, tags, session: None, before: None }
    }

    /// Keeps the sample for the next round, once it has been told of.
    pub(crate) fn keep(&mut self, polled: Polled) {
        if let Ok(sample) = polled.result {
            self.before = Some(Arc::new((polled.time, sample)));
        }
    }

    /// The same host, with nothing kept.
    pub(crate) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.name), self.target.clone(), Arc::clone(&self.tags))
    }
}

/// What a host said.
enum Answered {
    Whole(Sample),
    /// It hung in the middle.
    Cut(Sample),
}

/// What is asked in one command.
struct Question {
    wanted: Wanted,
    command: Command,
}

impl Question {
    fn new(wanted: Wanted, mark: &str) -> Self {
        let command = Command::new(&probe::script(&wanted, mark), mark);
        Self { wanted, command }
    }
}

/// What is asked, of every host alike.
pub(crate) struct Poller {
    reach: Reach,
    mark: String,
    /// For a host of which there is no sample yet.
    first: Question,
    /// For the samples after that: their rates come from the one before.
    next: Question,
    /// Whether sessions and samples are kept for another round.
    keeps: bool,
}

impl Poller {
    /// `next` is what is asked of a host whose last sample is there.
    pub(crate) fn new(reach: Reach, first: Wanted, next: Option<Wanted>) -> Self {
        let mark = Command::mark();
        let keeps = next.is_some();
        let next = Question::new(next.unwrap_or_else(|| first.clone()), &mark);
        Self { reach, first: Question::new(first, &mark), next, mark, keeps }
    }

    pub(crate) fn bounds(&self) -> &Bounds {
        &self.reach.bounds
    }

    /// Whether there may be another round.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Asks a host. It is not begun any more after `round_end`.
    pub(crate) fn poll(&self, mut asked: Asked, round_end: Instant) -> (Asked, Polled) {
        let begun = Instant::now();
        let mut took = Took::default();
        let answered = self.sample(&mut asked, begun, round_end, &mut took);
        took.total = begun.elapsed();
        let is_cut = matches!(answered, Ok(Answered::Cut(_)));
        let result = answered.map(|(Answered::Whole(sample) | Answered::Cut(sample))| sample);
        let polled = Polled {
            name: Arc::clone(&asked.name),
            tags: Arc::clone(&asked.tags),
            time: Utc::now(),
            took,
            is_cut,
            before: result.as_ref().ok().and_then(|sample| before(&asked, sample)),
            result,
        };
        (asked, polled)
    }

    fn sample(
        &self,
        asked: &mut Asked,
        begun: Instant,
        round_end: Instant,
        took: &mut Took,
    ) -> Result<Answered, Failure> {
        if begun >= round_end {
            return Err(late());
        }
        let end = round_end.min(begun + self.bounds().total);
        let target = asked.target.clone()?;
        let question = if asked.before.is_some() { &self.next } else { &self.first };
        if let Some(session) = asked.session.take() {
            let answer = self.ask(asked, session, question, end);
            took.command = answer.took;
            // The host was restarted, or a firewall forgot the connection: that is no failure yet,
            // unless a command may have run there.
            let is_lost = answer.ended.as_ref().is_err_and(|failure| failure.class == Class::Lost);
            if answer.was_sent || !is_lost {
                return self.read(answer, question);
            }
        }
        let session = self.reach.open(&target, end, &mut took.opening)?;
        let answer = self.ask(asked, session, question, end);
        took.command = answer.took;
        self.read(answer, question)
    }

    fn ask(&self, asked: &mut Asked, mut session: Session, question: &Question, end: Instant) -> Answer {
        let answer = session.run(&question.command, self.bounds(), end);
        if self.keeps && answer.ended.is_ok() {
            asked.session = Some(session);
        }
        answer
    }

    fn read(&self, answer: Answer, question: &Question) -> Result<Answered, Failure> {
        let output = |what: String| Failure::new(Class::Output, Phase::Command, what);
        match answer.ended {
            Ok(_) => parse::sample(&answer.stdout, &question.wanted, &self.mark)
                .map(Answered::Whole)
                .map_err(output),
            // What hangs is mostly a mount; all that was read before it is good.
            Err(failure) if failure.class == Class::Timeout && failure.phase == Phase::Command => {
                parse::partial(&answer.stdout, &question.wanted, &self.mark)
                    .map(Answered::Cut)
                    .map_err(|_| failure)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The answer for a host whose thread did not come back.
    pub(crate) fn stuck(&self, asked: &Asked) -> Polled {
        let patience = self.bounds().total;
        let what = format!("it was given up after {}: a library or the name service hangs", told(patience));
        Polled {
            name: Arc::clone(&asked.name),
            tags: Arc::clone(&asked.tags),
            time: Utc::now(),
            took: Took { total: patience, ..Took::default() },
            is_cut: false,
            result: Err(Failure::new(Class::Timeout, Phase::Queue, what)),
            before: None,
        }
    }
}

/// The sample before, when the counters have gone on since.
fn before(asked: &Asked, sample: &Sample) -> Option<Arc<(DateTime<Utc>, Sample)>> {
    let before = asked.before.as_ref()?;
    match (before.1.boot_time, sample.boot_time) {
        (Some(then), Some(now)) if (then - now).abs() > SAME_BOOT => None,
        _ => Some(Arc::clone(before)),
    }
}

fn late() -> Failure {
    Failure::new(
        Class::Timeout,
        Phase::Queue,
        "its turn did not come before the deadline of the run (--deadline)",
    )
}

/// How long a thread may be busy with one host before it is given up: a moment more than the host
/// has, so that the sentence of the phase comes first.
pub(crate) fn patience(bounds: &Bounds) -> Duration {
    bounds.total + Duration::from_millis(700)
}
