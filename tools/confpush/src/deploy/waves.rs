//! Waves: canary, then batch by batch. The next one begins when the last one is healthy.

use common::answer::Answer;

use super::crew::{Breach, Crew, State, Work};
use super::pulse::{self, Goal};
use super::{Course, Step};

/// Has the new file be used by one wave of hosts after the other.
///
/// # Errors
/// When more hosts fail than may.
pub(super) fn all(crew: &mut Crew<'_>, course: &Course<'_>) -> Result<(), Breach> {
    let hosts: Vec<usize> = (0..crew.hands().len()).collect();
    let (mut rest, waves) = (hosts.as_slice(), course.strategy.waves(hosts.len()));
    for (number, &size) in waves.iter().enumerate() {
        let (wave, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        crew.tell(None, Step::Wave { number: number + 1, of: waves.len() });
        swap(crew, wave)?;
        let wave: Vec<usize> = wave.iter().copied().filter(|&host| is_swapped(crew, host)).collect();
        pulse::watch(crew, &wave, (course.checks, Goal::Passed))?;
    }
    Ok(())
}

fn swap(crew: &mut Crew<'_>, wave: &[usize]) -> Result<(), Breach> {
    crew.each((wave, &State::Staged), Work::Swap, |crew, host, answer| match answer {
        Answer::Yes(()) => Ok(()),
        Answer::No(why) | Answer::Unknown(why) => crew.fail(host, why),
    })
}

fn is_swapped(crew: &Crew<'_>, host: usize) -> bool {
    crew.hand(host).state == State::Swapped
}
