//! The attempts of a run.

mod start;
mod wait;
mod watch;

use std::time::{Duration, Instant, SystemTime};

use common::{Error, Result};
use nix::sys::resource::{UsageWho, getrusage};

use crate::cli::Args;
use crate::input::Replay;
use crate::lock::Held;
use crate::output::Keeper;
use crate::run::{End, Run, Usage};
use crate::signals::Signals;
use crate::surroundings::Ready;
use crate::tree::Tree;
use start::Start;
use wait::Sources;

/// How an attempt ended.
#[derive(Debug)]
struct Ended {
    end: End,
    /// What runjob has to say about it. Of a status or a signal of COMMAND's own that is nothing.
    why: Option<Error>,
    /// Somebody asked runjob to stop: there is to be no other attempt.
    stopped: bool,
}

/// All attempts of a run.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    args: &'a Args,
    ready: Ready,
    id: String,
    name: String,
    began: (SystemTime, Instant),
    tree: Tree,
    signals: Signals,
    stdin: Replay,
    output: Option<Keeper>,
}

/// What came of them.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) run: Run,
    /// What runjob has to say about the last one.
    pub(crate) why: Option<Error>,
    /// What they have printed, when that was kept.
    pub(crate) output: Option<Keeper>,
    /// Signals still wait to be read.
    pub(crate) signals: Signals,
    /// Somebody asked runjob to stop.
    pub(crate) stopped: bool,
}

impl<'a> Attempts<'a> {
    /// From here on signals wait, and orphans are ours.
    ///
    /// # Errors
    /// When the system refuses one of both, or what is printed cannot be kept as it should be.
    pub(crate) fn new(args: &'a Args, mut ready: Ready, id: String) -> Result<Self> {
        let began = (SystemTime::now(), Instant::now());
        let (name, output) = (args.name(), &args.output);
        // As long as a signal ends us: a pipe without a writer may be among them.
        ready.fetch_secrets()?;
        // Before there is any thread, so that all of them leave the signals to us.
        let (tree, signals) = (Tree::adopt()?, Signals::collect()?);
        // Now that no signal ends us before we have removed their folder.
        ready.lay_out_secrets()?;
        let output = Keeper::begin(output, &name, &id)?;
        let stdin = Replay::of_stdin(args.again.retries)?;
        Ok(Self { args, ready, id, name, began, tree, signals, stdin, output })
    }

    /// Runs COMMAND until it succeeds, or there is no reason to try again.
    ///
    /// # Errors
    /// When runjob itself cannot go on.
    pub(crate) fn run(mut self, mut held: Option<&mut Held>) -> Result<Told> {
        let before = children();
        let mut attempt = 1;
        let mut before_that: Option<Ended> = None;
        let last = loop {
            let ended = match (self.once(attempt, held.as_deref_mut()), before_that.take()) {
                (Ok(ended), _) => ended,
                // What has become of COMMAND counts for more than that it cannot be run again.
                (Err(why), Some(ended)) => {
                    log::warn!("{}: no other attempt: {why}", self.name);
                    attempt -= 1;
                    break ended;
                }
                (Err(why), None) => return Err(why),
            };
            if ended.stopped || attempt > self.args.again.retries || !self.args.again.is_worth_it(ended.end) {
                break ended;
            }
            let pause = self.args.again.pause(attempt);
            log::info!("{}: attempt {attempt} {}; again in {pause:?}", self.name, ended.end);
            let mut sources = Sources { signals: &self.signals, output: self.output.as_mut() };
            if sources.stop_within(pause, &mut self.tree)? {
                break Ended { stopped: true, ..ended };
            }
            before_that = Some(ended);
            attempt += 1;
        };
        let run = Run {
            name: self.name,
            id: self.id,
            began: self.began.0,
            ended: SystemTime::now(),
            took: self.began.1.elapsed(),
            end: last.end,
            attempts: attempt,
            usage: children().since(before),
            fence: held.map(|held| held.fence()),
        };
        Ok(Told { run, why: last.why, output: self.output, signals: self.signals, stopped: last.stopped })
    }

    fn once(&mut self, attempt: u32, mut held: Option<&mut Held>) -> Result<Ended> {
        let mut variables = vec![("JOB_RUN", self.id.clone()), ("JOB_ATTEMPT", attempt.to_string())];
        variables.extend(held.as_ref().map(|held| ("FENCE", held.fence().to_string())));
        let output = match &mut self.output {
            Some(keeper) => {
                keeper.begin_attempt(attempt, self.args.again.retries.saturating_add(1));
                Some((keeper.writer()?, keeper.writer()?))
            }
            None => None,
        };
        if let Some(held) = &mut held {
            held.starting();
        }
        let start = Start {
            command: &self.args.command,
            ready: &self.ready,
            lock: held.as_ref().map(|held| held.descriptor()),
            stdin: self.stdin.stdio()?,
            output,
            variables,
        };
        let command = match start.spawn(&self.signals)? {
            Ok(command) => command,
            Err((end, why)) => return Ok(Ended { end, why: Some(why), stopped: false }),
        };
        if let Some(held) = &mut held {
            held.started(command.as_raw_nonzero().get().unsigned_abs());
        }
        let sources = Sources { signals: &self.signals, output: self.output.as_mut() };
        let ended = watch::watch(command, (&self.name, &self.args.time), &mut self.tree, sources)?;
        if let Some(output) = &mut self.output {
            output.drain()?;
        }
        Ok(ended)
    }
}

/// What the children have taken that were waited for.
fn children() -> Usage {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Usage::default() };
    let time = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec().saturating_mul(1_000_000).saturating_add(time.tv_usec());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    let peak = u64::try_from(usage.max_rss()).unwrap_or(0).saturating_mul(1024);
    Usage { peak, user: time(usage.user_time()), system: time(usage.system_time()) }
}
