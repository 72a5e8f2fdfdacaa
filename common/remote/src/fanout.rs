//! The same work on many hosts, some at a time, each until its deadline.
//!
//! One thread per host in flight, and the caller's thread collects. Whatever a thread is stuck in,
//! the collector gives up on it when its time is over, begins another thread in its place, and never
//! hears of it again: one host's fate touches no other.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

struct Shared<T, R> {
    queue: Mutex<VecDeque<(usize, T)>>,
    work: Box<dyn Fn(T) -> R + Send + Sync>,
}

/// What a worker is busy with, and since when; `None` for one that is done with all.
type Desk = Arc<Mutex<Option<(usize, Instant)>>>;

/// Does `work` on each of `items` and tells `collect`, in the caller's thread, as each ends. When
/// `collect` says `false` it returns at once; what is under way is left to itself, and nothing more is
/// begun.
///
/// # Errors
/// When not even one thread can be begun. Nothing was done then.
pub fn each<T, R>(
    items: Vec<T>,
    width: Width,
    work: impl Fn(T) -> R + Send + Sync + 'static,
    mut collect: impl FnMut(Told<R>) -> bool,
) -> Result<()>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let mut left = items.len();
    let shared =
        Arc::new(Shared { queue: Mutex::new(items.into_iter().enumerate().collect()), work: Box::new(work) });
    let (sender, results) = mpsc::channel();
    let mut desks = begin(&shared, &sender, width.jobs.min(left))?;
    let mut missing = 0;
    while left > 0 {
        let told = next(&results);
        left -= usize::from(matches!(told, Told::Done(..)));
        let mut goes_on = collect(told);
        for index in give_up(&mut desks, width.patience) {
            left -= 1;
            missing += 1;
            goes_on &= collect(Told::Stuck(index));
        }
        // The system had room for the stuck one; for another it may have none until later.
        while missing > 0
            && let Ok(more) = begin(&shared, &sender, 1)
        {
            desks.extend(more);
            missing -= 1;
        }
        if !goes_on {
            lock(&shared.queue).clear();
            return Ok(());
        }
    }
    Ok(())
}

fn next<R>(results: &Receiver<(usize, R)>) -> Told<R> {
    match results.recv_timeout(LOOK) {
        Ok((index, result)) => Told::Done(index, result),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Told::Idle,
    }
}

/// Takes the items of workers that are busy for too long from them.
fn give_up(desks: &mut Vec<Desk>, patience: Duration) -> Vec<usize> {
    let mut stuck = Vec::new();
    desks.retain(|desk| {
        let mut busy = lock(desk);
        let Some((index, _)) = busy.filter(|(_, since)| since.elapsed() > patience) else { return true };
        *busy = None;
        stuck.push(index);
        false
    });
    stuck
}

fn begin<T, R>(shared: &Arc<Shared<T, R>>, sender: &Sender<(usize, R)>, count: usize) -> Result<Vec<Desk>>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let mut desks = Vec::with_capacity(count);
    for _ in 0..count {
        let desk = Desk::default();
        let (shared, sender, own) = (Arc::clone(shared), sender.clone(), Arc::clone(&desk));
        let thread = std::thread::Builder::new().name("host".into()).stack_size(STACK);
        match thread.spawn(move || serve(&shared, &sender, &own)) {
            Ok(_) => desks.push(desk),
            Err(error) if desks.is_empty() => {
                return Err(Error::failed("cannot begin a thread").because(error));
            }
            Err(error) => {
                log::warn!(
                    "{} at a time instead of {count}: cannot begin more threads: {error}",
                    desks.len()
                );
                break;
            }
        }
    }
    Ok(desks)
}

/// Works on one item after the other, until there are none or the collector has given this thread up.
fn serve<T, R>(shared: &Shared<T, R>, sender: &Sender<(usize, R)>, desk: &Mutex<Option<(usize, Instant)>>) {
    loop {
        let Some((index, item)) = lock(&shared.queue).pop_front() else { return };
        *lock(desk) = Some((index, Instant::now()));
        let result = (shared.work)(item);
        // Taken away: somebody else has answered for this item.
        if lock(desk).take().is_none() || sender.send((index, result)).is_err() {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn run(
        count: usize,
        width: Width,
        work: impl Fn(usize) -> usize + Send + Sync + 'static,
    ) -> (Vec<usize>, Vec<usize>) {
        let (mut done, mut stuck) = (Vec::new(), Vec::new());
        let collect = |told| {
            match told {
                Told::Done(index, result) => {
                    assert_eq!(result, index * 2);
                    done.push(index);
                }
                Told::Stuck(index) => stuck.push(index),
                Told::Idle => {}
            }
            true
        };
        each((0..count).collect(), width, work, collect).unwrap();
        done.sort_unstable();
        (done, stuck)
    }

    #[test]
    fn each_item_is_done_once() {
        for (count, jobs) in [(0, 3), (1, 3), (100, 1), (100, 7)] {
            let width = Width { jobs, patience: Duration::from_secs(60) };
            let (done, stuck) = run(count, width, |item| item * 2);
            assert_eq!(done, (0..count).collect::<Vec<_>>());
            assert_eq!(stuck, [0; 0]);
        }
    }

    #[test]
    fn no_more_than_the_width_are_under_way() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let width = Width { jobs: 4, patience: Duration::from_secs(60) };
        run(50, width, |item| {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            NOW.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert!(MOST.load(Ordering::SeqCst) <= 4);
    }

    #[test]
    fn a_thread_that_does_not_come_back_holds_up_nobody() {
        let width = Width { jobs: 2, patience: Duration::from_millis(50) };
        let (done, stuck) = run(20, width, |item| {
            if item % 7 == 3 {
                std::thread::sleep(Duration::from_secs(3600));
            }
            item * 2
        });
        let stuck: std::collections::BTreeSet<usize> = stuck.into_iter().collect();
        assert!([3, 10, 17].iter().all(|item| stuck.contains(item)), "{stuck:?}");
        // A busy machine may give up on one that would have come back.
        assert_eq!(done.len() + stuck.len(), 20);
    }

    #[test]
    fn it_returns_at_once_when_the_collector_has_enough() {
        let width = Width { jobs: 1, patience: Duration::from_secs(60) };
        let mut done = 0;
        let collect = |_| {
            done += 1;
            false
        };
        let work = |item: usize| {
            if item > 0 {
                std::thread::sleep(Duration::from_secs(3600));
            }
        };
        each((0..1000).collect(), width, work, collect).unwrap();
        assert_eq!(done, 1);
    }
}
