//! Rounds: every host once, on a steady clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::progress::Line;
use common::{Out, Result, stop};
use remote::fanout::{Pool, Told as Heard, Width};

use crate::cli::Rounds;
use crate::judge::Judge;
use crate::outcome::Polled;
use crate::poll::{self, Asked, Poller};
use crate::report::Summary;
use crate::sink::Sink;

/// All hosts, from one round to the next.
pub(crate) struct Fleet {
    asked: Vec<Asked>,
    poller: Arc<Poller>,
    /// Each host with the moment at which its round ends.
    pool: Pool<(Asked, Instant), (Asked, Polled)>,
    deadline: Duration,
}

/// Who is told of hosts and rounds.
pub(crate) struct Told<'a> {
    pub(crate) sink: Sink,
    pub(crate) judge: Judge,
    pub(crate) out: &'a mut Out,
}

/// How the rounds ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As many as were wanted are done.
    Done,
    /// A signal came.
    Stopped,
}

impl Fleet {
    pub(crate) fn new(asked: Vec<Asked>, poller: Arc<Poller>, jobs: usize, deadline: Duration) -> Self {
        let width = Width { jobs, patience: poll::patience(poller.bounds()) };
        let shared = Arc::clone(&poller);
        let pool = Pool::new(width, move |(asked, round_end)| shared.poll(asked, round_end));
        Self { asked, poller, pool, deadline }
    }

    /// Takes samples as `rounds` says.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn rounds(mut self, rounds: Rounds, told: &mut Told<'_>) -> Result<End> {
        let mut tick = Instant::now();
        for count in 1.. {
            told.judge.begin();
            let summary = self.round(told)?;
            let is_whole = summary.total == self.asked.len();
            if !is_whole {
                log::warn!("stopped: {} of {} hosts are done", summary.total, self.asked.len());
            }
            let is_sent = told.sink.end(&summary, is_whole, told.out)?;
            told.judge.end(&summary, is_sent);
            let Some(interval) = rounds.interval.filter(|_| is_whole && Some(count) != rounds.count) else {
                let is_done = is_whole && (is_sent || !stop::requested());
                return Ok(if is_done { End::Done } else { End::Stopped });
            };
            tick = next_tick(tick, interval);
            if stop::wait(tick.saturating_duration_since(Instant::now())) {
                break;
            }
        }
        Ok(End::Stopped)
    }

    /// Asks every host once, as far as no signal comes.
    fn round(&mut self, told: &mut Told<'_>) -> Result<Summary> {
        let begun = Instant::now();
        let round_end = begun + self.deadline;
        let asked = std::mem::take(&mut self.asked);
        self.asked = asked.iter().map(Asked::again).collect();
        let hosts = asked.len();
        let mut progress = Line::new(told.sink.is_quiet());
        let mut summary = Summary::default();
        let mut written = Ok(());
        let due = asked.into_iter().map(|asked| (asked, round_end)).collect();
        self.pool.each(due, |heard| {
            let (index, polled) = match heard {
                Heard::Idle => {
                    progress.show(|_| so_far(summary.total, hosts));
                    return !stop::requested();
                }
                Heard::Done(index, (asked, polled)) => {
                    self.asked[index] = asked;
                    (index, polled)
                }
                Heard::Stuck(index) => (index, self.poller.stuck(&self.asked[index])),
            };
            progress.clear();
            summary.add(&polled);
            told.judge.host(&polled);
            written = told.sink.host(&polled, told.out);
            if self.poller.keeps() {
                self.asked[index].keep(polled);
            }
            progress.show(|_| so_far(summary.total, hosts));
            written.is_ok() && !stop::requested()
        })?;
        progress.clear();
        summary.took = begun.elapsed();
        written.map(|()| summary)
    }
}

/// The next moment for a round on a steady clock. A round that took too long swallows the ticks that
/// it ran over.
fn next_tick(tick: Instant, interval: Duration) -> Instant {
    let behind = tick.elapsed().as_nanos() / interval.as_nanos().max(1);
    let missed = u32::try_from(behind).unwrap_or(u32::MAX - 1);
    if missed > 0 {
        log::warn!("a round took longer than --interval; left out: {missed}");
    }
    tick + interval * (missed + 1)
}

/// What a terminal shows meanwhile.
fn so_far(done: usize, hosts: usize) -> String {
    format!("{done}/{hosts} hosts")
}
