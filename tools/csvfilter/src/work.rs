//! Many threads, one order.
//!
//! Whoever has nothing to do takes the next block from the feed, judges and formats its rows, and
//! puts the result where it is taken from in the order of the input. Reading is one after the other,
//! which is how the beginning of a row is known and not guessed; everything else is side by side.
//! Threads that have to wait are blocked, and there are only so many blocks.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use common::Result;

use crate::block::Block;
use crate::feed::Feed;
use crate::from::Notes;
use crate::judge::{Judge, Law, Verdict};
use crate::sink::{Flow, Format, Sink};

/// A block on its way, with what was made of it.
#[derive(Default)]
pub(crate) struct Task {
    /// The number of the input that the block is from.
    pub(crate) input: usize,
    pub(crate) block: Block,
    /// What is known beside the block, where it was JSON.
    pub(crate) notes: Option<Notes>,
    pub(crate) verdict: Verdict,
    /// The rows as they are to be written, where that does not depend on other blocks, and behind
    /// `length` anything.
    pub(crate) text: Vec<u8>,
    pub(crate) length: usize,
}

/// Blocks in use, for each thread: one in its hands, and some that wait for their turn.
const TASKS: usize = 4;

/// Passes all rows of the feed through, with as many threads; returns the sink with what came out.
///
/// # Errors
/// The first one of the sink. What the feed met is in the feed.
pub(crate) fn run(feed: &mut Feed, law: &Law, sink: &mut Sink<'_>, threads: usize) -> Result<()> {
    if threads <= 1 {
        return alone(feed, law, sink);
    }
    let format = sink.format();
    let lanes = Lanes {
        feed: Mutex::new((0, feed)),
        turn: Mutex::new(Turn {
            next: 0,
            waiting: BTreeMap::new(),
            sink: Some(sink),
            idle: Vec::new(),
            made: 0,
            end: None,
        }),
        changed: Condvar::new(),
        most: threads * TASKS,
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| lanes.work(law, &format));
        }
        lanes.work(law, &format);
    });
    let turn = lanes.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    turn.end.unwrap_or(Ok(Flow::On)).map(|_| ())
}

fn alone(feed: &mut Feed, law: &Law, sink: &mut Sink<'_>) -> Result<()> {
    let format = sink.format();
    let mut judge = Judge::new(law);
    let mut task = Task::default();
    while feed.next(&mut task) {
        format.apply(&mut judge, &mut task);
        if sink.take(&mut task)? == Flow::Full {
            break;
        }
    }
    Ok(())
}

struct Lanes<'r, 's> {
    /// The number of the next block, and where it comes from.
    feed: Mutex<(u64, &'r mut Feed)>,
    turn: Mutex<Turn<'r, 's>>,
    /// A task is idle again, or the end has come.
    changed: Condvar,
    /// So many tasks there may be.
    most: usize,
}

struct Turn<'r, 's> {
    /// The number of the block whose turn it is.
    next: u64,
    /// Blocks that came before their turn.
    waiting: BTreeMap<u64, Task>,
    /// `None` while a thread is writing.
    sink: Option<&'r mut Sink<'s>>,
    idle: Vec<Task>,
    made: usize,
    /// Why nothing more is wanted.
    end: Option<Result<Flow>>,
}

impl Lanes<'_, '_> {
    fn work(&self, law: &Law, format: &Format<'_>) {
        let mut judge = Judge::new(law);
        while let Some(mut task) = self.idle_task() {
            let number = {
                let mut feed = lock(&self.feed);
                if !feed.1.next(&mut task) {
                    break;
                }
                feed.0 += 1;
                feed.0 - 1
            };
            format.apply(&mut judge, &mut task);
            self.hand_over(number, task);
        }
        // Whoever waits for a task would wait for ever.
        self.changed.notify_all();
    }

    /// Waits for a task; `None` when nothing more is wanted.
    fn idle_task(&self) -> Option<Task> {
        let mut turn = lock(&self.turn);
        loop {
            if turn.end.is_some() {
                return None;
            }
            if let Some(task) = turn.idle.pop() {
                return Some(task);
            }
            if turn.made < self.most {
                turn.made += 1;
                return Some(Task::default());
            }
            turn = self.changed.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Puts a task where its turn comes; if it has come, and nobody is at it, writes all that are in
    /// turn.
    fn hand_over(&self, number: u64, task: Task) {
        let mut turn = lock(&self.turn);
        turn.waiting.insert(number, task);
        let Some(sink) = turn.sink.take() else { return };
        loop {
            let next = turn.next;
            let Some(mut task) = turn.waiting.remove(&next) else { break };
            drop(turn);
            let taken = sink.take(&mut task);
            turn = lock(&self.turn);
            turn.next += 1;
            turn.idle.push(task);
            if !matches!(taken, Ok(Flow::On)) {
                turn.end = Some(taken);
                self.changed.notify_all();
                break;
            }
            self.changed.notify_one();
        }
        if turn.end.is_none() {
            turn.sink = Some(sink);
        }
    }
}

/// A thread that panics aborts the process: no lock is ever found poisoned.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
