//! The same on many hosts, some at a time.

use std::sync::Arc;
use std::time::Duration;

use remote::fanout::{Pool, Told, Width};
use remote::{Reach, Target};

use common::answer::Answer;

/// A host.
#[derive(Clone)]
pub(crate) struct Site {
    /// How it is reached.
    pub(crate) target: Arc<Target>,
    /// What all sessions share.
    pub(crate) reach: Arc<Reach>,
}

impl Site {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.target.name
    }
}

/// Does `work` at each of `sites`, at most `jobs` at a time; the answers come in the order of the sites.
/// Whatever a host does, no answer takes much longer than a few times the `total` of its bounds.
pub(crate) fn each<R: Send + 'static>(
    sites: &[Site],
    jobs: usize,
    work: impl Fn(&Site) -> Answer<R> + Send + Sync + 'static,
) -> Vec<(Arc<str>, Answer<R>)> {
    let total = sites.first().map_or(Duration::ZERO, |site| site.reach.bounds.total);
    // A call is a few requests, each within the bounds; what is stuck beyond them is the library's fault.
    let width = Width { jobs, patience: total * 20 + Duration::from_secs(10) };
    let mut answers: Vec<_> = sites.iter().map(|_| Answer::Unknown("it was not asked".to_owned())).collect();
    let mut pool = Pool::new(width, move |site: Site| work(&site));
    let collect = |told| {
        match told {
            Told::Done(index, answer) => put(&mut answers, index, answer),
            Told::Stuck(index) => {
                put(&mut answers, index, Answer::Unknown("it does not come to an end".into()));
            }
            Told::Idle => {}
        }
        true
    };
    if let Err(error) = pool.each(sites.to_vec(), collect) {
        log::warn!("{error}");
    }
    let names = sites.iter().map(|site| Arc::clone(&site.target.name));
    names.zip(answers).collect()
}

fn put<R>(answers: &mut [Answer<R>], index: usize, answer: Answer<R>) {
    if let Some(place) = answers.get_mut(index) {
        *place = answer;
    }
}
