//! Joins the inputs into one stream in the order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::path::Path;

use common::Result;
use logs::Level;
use logs::clock::Time;
use logs::stream::Blocks;

use crate::Passed;
use crate::emit::Emit;
use crate::lane::{Job, Lane};
use crate::sieve::{Head, Keep};

/// All inputs are open at once, so each reads less at a time than one alone.
const BLOCK: usize = 64 * 1024;
/// A longer line is read by its beginning, as everywhere.
const LONGEST: usize = 4 * 1024 * 1024;

/// The beginning of a record, or more of the one before.
#[derive(Debug)]
struct Piece {
    /// What begins a record; none for more of it.
    head: Option<(Time, Option<Level>, Range<usize>)>,
    length: usize,
}

/// What one input has kept and not yet given to the stream.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pieces: VecDeque<Piece>,
    bytes: Vec<u8>,
    given: usize,
}

impl Queue {
    /// The time of the record that is next; none when nothing is there, or more of the last one.
    fn next_time(&self) -> Option<Time> {
        let (time, ..) = self.pieces.front()?.head.as_ref()?;
        Some(*time)
    }

    /// Writes the record that is next, as far as it is there.
    fn give(&mut self, emit: &mut Emit<'_>) {
        if let Some(Piece { head: Some((time, level, word)), length }) = self.pieces.pop_front() {
            let bytes = &self.bytes[self.given..self.given + length];
            emit.begin(&Head { bytes, time: Some(time), level, word });
            self.given += length;
        }
        self.give_rest(emit);
    }

    /// Writes what is there of the record that was given last.
    fn give_rest(&mut self, emit: &mut Emit<'_>) {
        while let Some(Piece { head: None, length }) = self.pieces.front() {
            emit.more(&self.bytes[self.given..self.given + length]);
            self.given += length;
            self.pieces.pop_front();
        }
        if self.pieces.is_empty() {
            self.bytes.clear();
            self.given = 0;
        }
    }
}

impl Keep for Queue {
    fn begin(&mut self, head: &Head<'_>) {
        // What is before the first time of an input comes before everything.
        let time = head.time.unwrap_or(Time::MIN);
        let begins = Some((time, head.level, head.word.clone()));
        self.pieces.push_back(Piece { head: begins, length: head.bytes.len() });
        self.bytes.extend_from_slice(head.bytes);
    }

    fn more(&mut self, bytes: &[u8]) {
        self.pieces.push_back(Piece { head: None, length: bytes.len() });
        self.bytes.extend_from_slice(bytes);
    }

    fn is_full(&self) -> bool {
        false
    }
}

/// The inputs that are not at their end, and the times of their next records.
struct Stream<'a, 'j> {
    inputs: &'a [&'a Path],
    lanes: Vec<Option<Lane<'j, Queue>>>,
    next: BinaryHeap<Reverse<(Time, usize)>>,
    passed: Passed,
}

/// Filters all inputs at once.
///
/// # Errors
/// When no input can be read, or the output cannot be written.
pub(crate) fn all(inputs: &[&Path], job: &Job, emit: &mut Emit<'_>) -> Result<Passed> {
    let mut stream = Stream { inputs, lanes: Vec::new(), next: BinaryHeap::new(), passed: Passed::default() };
    for input in inputs {
        let lane = Lane::open(input, job, Blocks::with_sizes(BLOCK, LONGEST), Queue::default());
        let lane = lane.map(Some).or_else(|error| stream.passed.without(error, inputs).map(|()| None))?;
        stream.lanes.push(lane);
    }
    for index in 0..inputs.len() {
        stream.advance(index, emit)?;
    }
    while let Some(Reverse((_, index))) = stream.next.pop() {
        if emit.is_full() {
            break;
        }
        stream.give(index, emit)?;
        emit.check()?;
    }
    emit.check()?;
    for lane in stream.lanes.iter().flatten() {
        stream.passed.add(lane.sieve.dropped);
    }
    Ok(stream.passed)
}

impl Stream<'_, '_> {
    /// Writes the next record of an input whole, and finds the one behind it.
    fn give(&mut self, index: usize, emit: &mut Emit<'_>) -> Result<()> {
        if let Some(lane) = &mut self.lanes[index] {
            emit.reads_from(&lane.source);
            lane.sieve.keep.give(emit);
        }
        self.advance(index, emit)
    }

    /// Reads until the next record of an input is known; what belongs to the last one is written.
    fn advance(&mut self, index: usize, emit: &mut Emit<'_>) -> Result<()> {
        while let Some(lane) = &mut self.lanes[index] {
            if let Some(time) = lane.sieve.keep.next_time() {
                self.next.push(Reverse((time, index)));
                return Ok(());
            }
            if lane.has_ended() {
                self.passed.add(lane.sieve.dropped);
                self.lanes[index] = None;
                return Ok(());
            }
            if lane.source.is_live {
                emit.flush();
            }
            let read = lane.step();
            lane.sieve.keep.give_rest(emit);
            if let Err(error) = read {
                self.passed.without(error, self.inputs)?;
            }
        }
        Ok(())
    }
}
