//! What the scanner is asked for, by the keeper and by the thread of notify.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More are not kept: then everything is looked at, which finds the same.
const MOST: usize = 65_536;

/// How many chunks of candidates the keeper may have before it.
const CHUNKS: u32 = 4;

/// One request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A folder was made or moved in.
    Folder(PathBuf),
    /// A watched folder was removed or moved away: whatever is under its name now is another one.
    Gone(PathBuf),
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Request>,
    everything: bool,
    chunks: u32,
    is_stopped: bool,
    has_ended: bool,
}

/// Requests in their order. No call waits for anything but the other callers.
#[derive(Debug)]
pub(crate) struct Requests {
    state: Mutex<State>,
    changed: Condvar,
}

impl Default for Requests {
    fn default() -> Self {
        let waiting = VecDeque::new();
        let state = State { waiting, everything: false, chunks: CHUNKS, is_stopped: false, has_ended: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Requests {
    /// A folder was made or moved in: watch it, then read it and what is below.
    pub(crate) fn folder(&self, path: PathBuf) {
        self.ask(Request::Folder(path));
    }

    /// A watched folder was removed or moved away, or lost its watch.
    pub(crate) fn gone(&self, path: PathBuf) {
        self.ask(Request::Gone(path));
    }

    /// Look at everything. Several of these that wait are one.
    pub(crate) fn everything(&self) {
        self.change(|state| state.everything = true);
    }

    /// The keeper has dealt with one chunk.
    pub(crate) fn more(&self) {
        self.change(|state| state.chunks += 1);
    }

    /// End, and wait until the scanner has: at most this long.
    pub(crate) fn stop(&self, wait: Duration) {
        self.change(|state| state.is_stopped = true);
        let end = Instant::now() + wait;
        let mut state = self.state();
        while !state.has_ended {
            let Some(left) = end.checked_duration_since(Instant::now()) else { return };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The scanner has ended.
    pub(super) fn ended(&self) {
        self.change(|state| state.has_ended = true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// What was asked since the last call, and whether everything was asked for.
    pub(crate) fn take(&self) -> (VecDeque<Request>, bool) {
        let mut state = self.state();
        (std::mem::take(&mut state.waiting), std::mem::take(&mut state.everything))
    }

    /// Waits until something is asked for, or until then.
    pub(super) fn wait(&self, until: Instant) {
        let mut state = self.state();
        while !state.is_stopped && !state.everything && state.waiting.is_empty() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { return };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the keeper can be given one more chunk; false when the scanner is to end.
    pub(super) fn wait_for_room(&self) -> bool {
        let mut state = self.state();
        while !state.is_stopped && state.chunks == 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.chunks = state.chunks.saturating_sub(1);
        !state.is_stopped
    }

    fn ask(&self, request: Request) {
        self.change(|state| {
            if state.waiting.len() >= MOST {
                state.waiting.clear();
                state.everything = true;
            } else if state.waiting.back() != Some(&request) {
                state.waiting.push_back(request);
            }
        });
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        how(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_requests_are_one_for_everything() {
        let requests = Requests::default();
        for number in 0..=MOST {
            requests.folder(PathBuf::from(number.to_string()));
        }
        requests.gone("a".into());
        requests.gone("a".into());
        let (waiting, everything) = requests.take();
        assert_eq!((waiting, everything), (VecDeque::from([Request::Gone("a".into())]), true));
        assert_eq!(requests.take(), (VecDeque::new(), false));
    }

    #[test]
    fn the_keeper_has_four_chunks_before_it_at_most() {
        let requests = Requests::default();
        assert_eq!((0..4).filter(|_| requests.wait_for_room()).count(), 4);
        std::thread::scope(|scope| {
            let fifth = scope.spawn(|| requests.wait_for_room());
            requests.more();
            assert!(fifth.join().unwrap());
            let sixth = scope.spawn(|| requests.wait_for_room());
            requests.stop(Duration::ZERO);
            assert!(!sixth.join().unwrap());
        });
    }
}
