//! The same work on many hosts, some at a time, each until its deadline.
//!
//! One thread per host in flight, and the caller's thread collects. Whatever a thread is stuck in,
//! the collector gives up on it when its time is over, begins another thread in its place, and never
//! hears of it again: one host's fate touches no other.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::{Error, Result};

/// How often the collector looks for threads that do not come back, at most.
const LOOK: Duration = Duration::from_millis(200);

/// A session, OpenSSL and a name looked up need some 40 kB; what is not touched takes no memory.
const STACK: usize = 256 * 1024;

/// How wide, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Width {
    /// How many hosts at a time, at least 1.
    pub jobs: usize,
    /// After this long a thread is given up.
    pub patience: Duration,
}

/// What the collector is told.
pub enum Told<R> {
    /// The work on the item with this index is done.
    Done(usize, R),
    /// The thread with the item of this index did not come back in time.
    Stuck(usize),
    /// Nothing happened for a moment.
    Idle,
}

/// Threads that stay for the next round: OpenSSL sets up a random generator for each new one, which
/// takes as long as a sample on a kept session.
pub struct Pool<T, R> {
    shared: Arc<Shared<T, R>>,
    width: Width,
    desks: Vec<Desk>,
    round: u64,
    sender: Sender<Done<R>>,
    results: Receiver<Done<R>>,
}

struct Shared<T, R> {
    queue: Mutex<Queue<T>>,
    bell: Condvar,
    work: Box<dyn Fn(T) -> R + Send + Sync>,
}

struct Queue<T> {
    items: VecDeque<(Place, T)>,
    is_over: bool,
}

/// A round, and an index in it: what is left of a round that was ended early belongs to no other.
type Place = (u64, usize);

type Done<R> = (Place, R);

/// What a worker is busy with, and since when; `None` for one that waits.
type Desk = Arc<Mutex<Option<(Place, Instant)>>>;

impl<T: Send + 'static, R: Send + 'static> Pool<T, R> {
    /// A pool that does `work`, without threads as yet.
    #[must_use]
    pub fn new(width: Width, work: impl Fn(T) -> R + Send + Sync + 'static) -> Self {
        let queue = Queue { items: VecDeque::new(), is_over: false };
        let shared = Shared { queue: Mutex::new(queue), bell: Condvar::new(), work: Box::new(work) };
        let (sender, results) = mpsc::channel();
        Self { shared: Arc::new(shared), width, desks: Vec::new(), round: 0, sender, results }
    }

    /// Does the work on each of `items` and tells `collect`, in the caller's thread, as each ends.
    /// When `collect` says `false` it returns at once; what is under way is left to itself, and
    /// nothing more is begun.
    ///
    /// # Errors
    /// When not even one thread can be begun. Nothing was done then.
    pub fn each(&mut self, items: Vec<T>, mut collect: impl FnMut(Told<R>) -> bool) -> Result<()> {
        let mut left = items.len();
        let wanted = self.width.jobs.min(left);
        if let Err(error) = self.hire(wanted) {
            if self.desks.is_empty() {
                return Err(Error::failed("cannot begin a thread").because(error));
            }
            log::warn!(
                "{} at a time instead of {wanted}: cannot begin more threads: {error}",
                self.desks.len()
            );
        }
        self.round += 1;
        let round = self.round;
        let places = items.into_iter().enumerate().map(|(index, item)| ((round, index), item));
        lock(&self.shared.queue).items.extend(places);
        self.shared.bell.notify_all();
        while left > 0 {
            let told = self.next();
            left -= usize::from(matches!(told, Told::Done(..)));
            let mut goes_on = collect(told);
            for index in self.give_up() {
                left -= 1;
                goes_on &= collect(Told::Stuck(index));
            }
            // The system had room for the stuck one; for another it may have none until later.
            let _tried_again_later = self.hire(self.width.jobs.min(left));
            if !goes_on {
                lock(&self.shared.queue).items.clear();
                return Ok(());
            }
        }
        Ok(())
    }

    fn next(&self) -> Told<R> {
        match self.results.recv_timeout(LOOK) {
            Ok(((round, index), result)) if round == self.round => Told::Done(index, result),
            _ => Told::Idle,
        }
    }

    /// Takes the items of workers that are busy for too long from them.
    fn give_up(&mut self) -> Vec<usize> {
        let (mut stuck, patience) = (Vec::new(), self.width.patience);
        let round = self.round;
        self.desks.retain(|desk| {
            let mut busy = lock(desk);
            let Some((place, _)) = busy.filter(|(_, since)| since.elapsed() > patience) else { return true };
            *busy = None;
            // One of an earlier round has been told of, or nobody wants to know.
            stuck.extend((place.0 == round).then_some(place.1));
            false
        });
        stuck
    }

    /// Begins threads until there are `wanted`.
    fn hire(&mut self, wanted: usize) -> io::Result<()> {
        while self.desks.len() < wanted {
            let desk = Desk::default();
            let (shared, sender, own) = (Arc::clone(&self.shared), self.sender.clone(), Arc::clone(&desk));
            let thread = std::thread::Builder::new().name("host".into()).stack_size(STACK);
            thread.spawn(move || serve(&shared, &sender, &own))?;
            self.desks.push(desk);
        }
        Ok(())
    }
}

impl<T, R> Drop for Pool<T, R> {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        queue.items.clear();
        queue.is_over = true;
        drop(queue);
        self.shared.bell.notify_all();
    }
}

/// Works on one item after the other, until the pool is dropped or has given this thread up.
fn serve<T, R>(shared: &Shared<T, R>, sender: &Sender<Done<R>>, desk: &Mutex<Option<(Place, Instant)>>) {
    loop {
        let Some((place, item)) = take(shared) else { return };
        *lock(desk) = Some((place, Instant::now()));
        let result = (shared.work)(item);
        // Taken away: somebody else has answered for this item.
        if lock(desk).take().is_none() || sender.send((place, result)).is_err() {
            return;
        }
    }
}

/// The next item, as soon as there is one; `None` when there will be none.
fn take<T, R>(shared: &Shared<T, R>) -> Option<(Place, T)> {
    let mut queue = lock(&shared.queue);
    loop {
        if let Some(next) = queue.items.pop_front() {
            return Some(next);
        }
        if queue.is_over {
            return None;
        }
        queue = shared.bell.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// The items that were done, and those whose thread was given up.
    type Course = (Vec<usize>, BTreeSet<usize>);

    fn round(pool: &mut Pool<usize, usize>, count: usize) -> Course {
        let (mut done, mut stuck) = (Vec::new(), BTreeSet::new());
        let collect = |told| {
            match told {
                Told::Done(index, result) => {
                    assert_eq!(result, index * 2);
                    done.push(index);
                }
                Told::Stuck(index) => assert!(stuck.insert(index)),
                Told::Idle => {}
            }
            true
        };
        pool.each((0..count).collect(), collect).unwrap();
        done.sort_unstable();
        (done, stuck)
    }

    fn patient(jobs: usize) -> Width {
        Width { jobs, patience: Duration::from_secs(60) }
    }

    #[test]
    fn each_item_is_done_once_in_every_round() {
        for (count, jobs) in [(0, 3), (1, 3), (100, 1), (100, 7)] {
            let mut pool = Pool::new(patient(jobs), |item| item * 2);
            for _ in 0..3 {
                let (done, stuck) = round(&mut pool, count);
                assert_eq!(done, (0..count).collect::<Vec<_>>());
                assert_eq!(stuck.len(), 0);
            }
        }
    }

    #[test]
    fn no_more_than_the_width_are_under_way() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let mut pool = Pool::new(patient(4), |item| {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            NOW.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        round(&mut pool, 50);
        assert!(MOST.load(Ordering::SeqCst) <= 4);
    }

    #[test]
    fn a_thread_that_does_not_come_back_holds_up_nobody() {
        let width = Width { jobs: 2, patience: Duration::from_millis(50) };
        let mut pool = Pool::new(width, |item| {
            if item % 7 == 3 {
                std::thread::sleep(Duration::from_secs(3600));
            }
            item * 2
        });
        for _ in 0..2 {
            let (done, stuck) = round(&mut pool, 20);
            assert!([3, 10, 17].iter().all(|item| stuck.contains(item)), "{stuck:?}");
            // A busy machine may give up on one that would have come back.
            assert_eq!(done.len() + stuck.len(), 20);
        }
    }

    #[test]
    fn it_returns_at_once_when_the_collector_has_enough() {
        let mut pool = Pool::new(patient(1), |item: usize| {
            if item == 1 {
                std::thread::sleep(Duration::from_secs(3600));
            }
            item * 2
        });
        let mut done = 0;
        let collect = |_| {
            done += 1;
            false
        };
        pool.each((0..1000).collect(), collect).unwrap();
        assert_eq!(done, 1);
    }
}
