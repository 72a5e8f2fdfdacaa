//! Many threads, one order.
//!
//! Whoever has nothing to do reads on, cuts what was read into rows, judges and formats them, and
//! puts the result where it is taken from in the order of the input. Who reads what is settled one
//! after the other, and so what was read is cut: that is how the beginning of a row is known and not
//! guessed. Files are read at several places at once, and all else is done side by side. Threads that
//! have to wait are blocked, and there are only so many blocks.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use common::{Error, Result};

use crate::block::Block;
use crate::cut::{Cut, Cutter, Opening};
use crate::feed::{Feed, Troubles};
use crate::from::{Ledger, Notes};
use crate::gate::Gate;
use crate::judge::{Judge, Law, Verdict};
use crate::read::{BLOCK, End, Piece};
use crate::sink::{Flow, Format, Sink};

/// A block on its way, with what was made of it.
#[derive(Default)]
pub(crate) struct Task {
    /// The thread that uses it.
    owner: usize,
    /// The number of the input that the block is from.
    pub(crate) input: usize,
    /// With the first block of an input.
    pub(crate) opening: Option<Opening>,
    /// What is known of the rows of this input, where it was JSON.
    pub(crate) ledger: Option<Arc<Mutex<Ledger>>>,
    /// What was read.
    pub(crate) piece: Piece,
    /// Why it could not be read to its end.
    pub(crate) fault: Option<Error>,
    /// What is wrong behind it.
    pub(crate) troubles: Troubles,
    pub(crate) block: Block,
    /// What is known of the rows of the block, where they were JSON.
    pub(crate) notes: Option<Notes>,
    pub(crate) verdict: Verdict,
    /// The rows as they are to be written, where that does not depend on other blocks, and behind
    /// `length` anything.
    pub(crate) text: Vec<u8>,
    pub(crate) length: usize,
}

/// The input of a block, what is known of its rows, and whether there is more behind what was read.
type Place = (usize, Option<Arc<Mutex<Ledger>>>, End);

impl Task {
    /// Makes rows of what was read.
    fn cut(&mut self, cutter: &mut Cutter) -> Cut {
        if let Some(opening) = self.opening.take() {
            cutter.turn_to(opening);
        }
        if cutter.is_torn() {
            // What is behind a fault is not told again.
            self.fault = None;
        }
        let cut = cutter.cut(&mut self.block, self.piece.filled, self.piece.end);
        self.take_notes(cut);
        cut
    }

    /// Makes rows of what is left of what was read.
    fn rest(&mut self, cutter: &mut Cutter) -> Cut {
        let cut = cutter.rest(&mut self.block, self.piece.end);
        self.take_notes(cut);
        cut
    }

    fn take_notes(&mut self, cut: Cut) {
        let is_last = cut == Cut::Done && self.piece.end != End::No;
        self.notes = self.ledger.as_ref().map(|ledger| {
            let (mut ledger, rows) = (lock(ledger), self.block.rows() as u64);
            if is_last { ledger.take_last(rows) } else { ledger.take(rows) }
        });
    }

    /// Where its block is from.
    fn place(&self) -> Place {
        (self.input, self.ledger.clone(), self.piece.end)
    }

    /// To be used for what is left of what was read.
    fn at(self, (input, ledger, end): Place) -> Self {
        Self { input, ledger, piece: Piece::empty(end), ..self }
    }

    /// Gives back the room that a long row took.
    fn shrink(&mut self) {
        const MOST: usize = 4 * BLOCK;
        if self.block.bytes.len() > MOST {
            self.block = Block::default();
        }
        if self.text.len() > MOST {
            self.text = Vec::new();
        }
    }

    fn is_empty(&self) -> bool {
        let has_notes = self.notes.as_ref().is_some_and(|notes| !notes.bad.is_empty());
        let is_all_well = self.fault.is_none() && self.troubles.is_empty();
        self.block.rows() == 0 && !has_notes && is_all_well
    }

    /// Takes what is told behind the rows.
    fn take_end(&mut self) -> (Option<Error>, Troubles) {
        (self.fault.take(), std::mem::take(&mut self.troubles))
    }
}

/// Blocks of each thread: one in its hands, and some that wait for their turn.
const TASKS: usize = 4;

/// Passes all rows of the feed through to the sink, with as many threads.
///
/// # Errors
/// The first one of the sink, or what ended the feed.
pub(crate) fn run(feed: &mut Feed, law: &Law, sink: &mut Sink<'_>, threads: usize) -> Result<()> {
    if threads <= 1 {
        return alone(feed, law, sink);
    }
    let format = sink.format();
    // Without one, a run that ends early waits for the next bytes of a pipe.
    let gate = feed.is_live().then(Gate::new).and_then(std::result::Result::ok).map(Arc::new);
    if let Some(gate) = &gate {
        feed.wait_at(Arc::clone(gate));
    }
    let lanes = Lanes {
        cut: Mutex::new(Cuts { next: 0, cutter: feed.cutter(), made: 0 }),
        read: Mutex::new((0, feed)),
        was_cut: Condvar::new(),
        turn: Mutex::new(Turn {
            next: 0,
            waiting: BTreeMap::new(),
            sink: Some(sink),
            idle: (0..threads).map(|_| Vec::new()).collect(),
            made: vec![0; threads],
            end: None,
        }),
        is_idle: Condvar::new(),
        gate,
    };
    thread::scope(|scope| {
        let (lanes, format) = (&lanes, &format);
        for owner in 1..threads {
            let started = thread::Builder::new().spawn_scoped(scope, move || lanes.work(owner, law, format));
            if let Err(cause) = started {
                // A container may allow no more; those that are there do it too.
                log::info!("cannot start thread {} of {threads}: {cause}", owner + 1);
                break;
            }
        }
        lanes.work(0, law, format);
    });
    let turn = lanes.turn.into_inner().unwrap_or_else(PoisonError::into_inner);
    turn.end.unwrap_or(Ok(Flow::On)).map(|_| ())
}

fn alone(feed: &mut Feed, law: &Law, sink: &mut Sink<'_>) -> Result<()> {
    let format = sink.format();
    let mut judge = Judge::new(law);
    let mut cutter = feed.cutter();
    let mut task = Task::default();
    while feed.read(&mut task) {
        if let Err(cause) = task.piece.fetch(&mut task.block) {
            task.fault = Some(feed.fault(task.input, cause));
        }
        let mut cut = task.cut(&mut cutter);
        let mut end = task.take_end();
        loop {
            if cut == Cut::Done {
                (task.fault, task.troubles) = std::mem::take(&mut end);
            }
            if !task.is_empty() {
                format.apply(&mut judge, &mut task);
                if sink.take(&mut task)? == Flow::Full {
                    return Ok(());
                }
            }
            if cut == Cut::Done {
                break;
            }
            cut = task.rest(&mut cutter);
        }
    }
    Ok(())
}

struct Lanes<'r, 's> {
    /// The number of the next piece to read, and where it comes from.
    read: Mutex<(u64, &'r mut Feed)>,
    cut: Mutex<Cuts>,
    /// It is another one's turn to cut.
    was_cut: Condvar,
    turn: Mutex<Turn<'r, 's>>,
    /// A task is idle again, or the end has come.
    is_idle: Condvar,
    /// Where pipes are waited for, until the end has come.
    gate: Option<Arc<Gate>>,
}

struct Cuts {
    /// The number of the piece whose turn it is.
    next: u64,
    cutter: Cutter,
    /// How many blocks were made.
    made: u64,
}

struct Turn<'r, 's> {
    /// The number of the block whose turn it is.
    next: u64,
    /// Blocks that came before their turn.
    waiting: BTreeMap<u64, Task>,
    /// `None` while a thread is writing.
    sink: Option<&'r mut Sink<'s>>,
    /// For each thread its own: what it has written to is in the cache of its processor.
    idle: Vec<Vec<Task>>,
    /// How many tasks each thread has made.
    made: Vec<usize>,
    /// Why nothing more is wanted.
    end: Option<Result<Flow>>,
}

impl Turn<'_, '_> {
    fn put_back(&mut self, mut task: Task) {
        task.shrink();
        self.idle[task.owner].push(task);
    }
}

impl Lanes<'_, '_> {
    fn work(&self, owner: usize, law: &Law, format: &Format<'_>) {
        let mut judge = Judge::new(law);
        while let Some(mut task) = self.idle_task(owner) {
            let piece = {
                let mut read = lock(&self.read);
                if !read.1.read(&mut task) {
                    break;
                }
                read.0 += 1;
                read.0 - 1
            };
            if let Err(cause) = task.piece.fetch(&mut task.block) {
                task.fault = Some(lock(&self.read).1.fault(task.input, cause));
            }
            self.pass(piece, task, &mut |task| format.apply(&mut judge, task));
        }
    }

    /// Cuts a piece when its turn has come, and hands its blocks over as they are made: there may be
    /// many, where a row turns out to be none.
    fn pass(&self, piece: u64, mut task: Task, apply: &mut dyn FnMut(&mut Task)) {
        let mut cuts = lock(&self.cut);
        while cuts.next != piece {
            cuts = self.was_cut.wait(cuts).unwrap_or_else(PoisonError::into_inner);
        }
        let mut cut = task.cut(&mut cuts.cutter);
        let mut end = task.take_end();
        loop {
            if cut == Cut::Done {
                (task.fault, task.troubles) = std::mem::take(&mut end);
                self.end_turn(&mut cuts);
            }
            let (number, is_empty) = (cuts.made, task.is_empty());
            cuts.made += u64::from(!is_empty);
            drop(cuts);
            let (owner, place) = (task.owner, task.place());
            if is_empty {
                self.put_back(task);
            } else {
                apply(&mut task);
                self.hand_over(number, task);
            }
            if cut == Cut::Done {
                return;
            }
            // Nobody else cuts before this turn has ended.
            let another = self.idle_task(owner);
            cuts = lock(&self.cut);
            let Some(another) = another else { return self.end_turn(&mut cuts) };
            task = another.at(place);
            cut = task.rest(&mut cuts.cutter);
        }
    }

    fn end_turn(&self, cuts: &mut Cuts) {
        cuts.next += 1;
        self.was_cut.notify_all();
    }

    /// Waits for a task of this thread; `None` when nothing more is wanted.
    fn idle_task(&self, owner: usize) -> Option<Task> {
        let mut turn = lock(&self.turn);
        loop {
            if turn.end.is_some() {
                return None;
            }
            if let Some(task) = turn.idle[owner].pop() {
                return Some(task);
            }
            if turn.made[owner] < TASKS {
                turn.made[owner] += 1;
                return Some(Task { owner, ..Task::default() });
            }
            turn = self.is_idle.wait(turn).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put_back(&self, task: Task) {
        lock(&self.turn).put_back(task);
        self.is_idle.notify_all();
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
            turn.put_back(task);
            if !matches!(taken, Ok(Flow::On)) {
                turn.end = Some(taken);
                self.is_idle.notify_all();
                if let Some(gate) = &self.gate {
                    gate.open();
                }
                break;
            }
            self.is_idle.notify_all();
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
