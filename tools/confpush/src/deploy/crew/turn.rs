//! Whose turn it is: guards that have to hear something, hosts on their way back, and answers.

use std::time::Duration;

use common::answer::Answer;

use super::hand::{BEATS, State};
use super::{Breach, Crew, Report, Work};
use crate::deploy::Step;

/// A host that does not answer is given up at this attempt after its time: one lost answer is none.
const LATE: u32 = 2;

impl Crew<'_> {
    /// Whether one more host may be asked.
    pub(in crate::deploy) fn has_room(&self) -> bool {
        self.at_work < self.terms.jobs.max(1)
    }

    /// Asks a host; its report is one of the [`next`](Self::next) ones.
    pub(in crate::deploy) fn ask(&mut self, host: usize, work: Work) {
        let hand = &mut self.hands[host];
        hand.is_touched |= work == Work::Swap;
        // Its thread lives as long as it can be asked.
        if hand.works.send(work).is_ok() {
            hand.asked += 1;
            self.at_work += usize::from(work != Work::Beat);
        }
    }

    /// The next report, also of what nobody but the crew has asked for, or none at `until`.
    ///
    /// # Errors
    /// When too many guards have gone back, or somebody asks to stop.
    pub(in crate::deploy) fn next(&mut self, until: Duration) -> Result<Option<Report>, Breach> {
        loop {
            self.heed()?;
            self.beat();
            self.bring_back();
            let wake = self.wake().min(until);
            let asked = self.hands.iter().filter(|hand| hand.asked > 0).count();
            match self.terms.time.wait(&self.reports, wake, asked) {
                Some(report) => return self.hear(&report).map(|()| Some(report)),
                None if self.now() >= until => return Ok(None),
                None => {}
            }
        }
    }

    /// Hears a wish to stop: what is begun after this would have to be undone for it.
    ///
    /// # Errors
    /// When somebody asks to stop; once.
    pub(in crate::deploy) fn heed(&mut self) -> Result<(), Breach> {
        if self.may_stop && self.terms.time.is_stopped() {
            self.may_stop = false;
            return Err(Breach("stopped by a signal".into()));
        }
        Ok(())
    }

    /// Sends a word to every guard that is due for one.
    fn beat(&mut self) {
        let now = self.now();
        for host in 0..self.hands.len() {
            let hand = &self.hands[host];
            if self.keeps_guards && hand.is_guarded() && hand.asked == 0 && hand.due <= now {
                self.ask(host, Work::Beat);
            }
        }
    }

    /// Asks hosts that are to go back, the one first that has waited longest.
    pub(super) fn bring_back(&mut self) {
        let now = self.now();
        while self.has_room() {
            let idle =
                |hand: &super::Hand| hand.state == State::Returning && hand.asked == 0 && hand.due <= now;
            let hosts = (0..self.hands.len()).filter(|&host| idle(&self.hands[host]));
            let Some(host) = hosts.min_by_key(|&host| self.hands[host].due) else { return };
            self.ask(host, Work::Restore);
        }
    }

    /// When the next host is to be spoken to.
    fn wake(&self) -> Duration {
        let is_due = |hand: &&super::Hand| match hand.state {
            State::Staged | State::Swapped => self.keeps_guards,
            State::Returning => self.has_room(),
            _ => false,
        };
        let idle = self.hands.iter().filter(|hand| hand.asked == 0);
        idle.filter(is_due).map(|hand| hand.due).min().unwrap_or(super::FOREVER)
    }

    /// Learns from an answer.
    fn hear(&mut self, report: &Report) -> Result<(), Breach> {
        self.at_work -= usize::from(report.work != Work::Beat);
        let hand = &mut self.hands[report.host];
        hand.asked -= 1;
        hand.heard = hand.heard.max(report.heard);
        if !matches!(report.work, Work::Confirm | Work::Restore) {
            hand.word = report.ended;
        }
        match report.work {
            Work::Stage => self.staged(report),
            Work::Swap if report.answer.is_yes() && hand.state == State::Staged => {
                hand.state = State::Swapped;
                self.tell(Some(report.host), Step::Swapped);
            }
            _ => {}
        }
        let hand = &mut self.hands[report.host];
        if hand.is_guarded() {
            hand.due = hand.heard + self.terms.within / BEATS;
        }
        match report.work {
            Work::Beat => return self.beaten(report),
            Work::Restore => self.returned(report),
            _ => {}
        }
        Ok(())
    }

    fn staged(&mut self, report: &Report) {
        let hand = &mut self.hands[report.host];
        hand.staging = Some(report.answer.clone());
        if report.answer.is_yes() && hand.state == State::Ready {
            hand.state = State::Staged;
            self.tell(Some(report.host), Step::Staged);
        } else if hand.state == State::Returning && !hand.may_be_staged() {
            // It was to be brought back before it had said that nothing of it is there.
            hand.state = State::Ready;
        }
    }

    fn beaten(&mut self, report: &Report) -> Result<(), Breach> {
        let (within, pause) = (self.terms.within, self.pause());
        let hand = &mut self.hands[report.host];
        match &report.answer {
            Answer::Yes(()) => Ok(()),
            Answer::No(why) => self.fail(report.host, format!("its guard does not wait any more: {why}")),
            Answer::Unknown(why) if report.ended >= hand.heard + within => {
                self.fail(report.host, format!("it has not answered for {within:?}: {why}"))
            }
            Answer::Unknown(_) => {
                hand.due = hand.due.max(report.ended + pause);
                Ok(())
            }
        }
    }

    fn returned(&mut self, report: &Report) {
        let (patience, pause) = (self.patience(report.host), self.pause());
        let hand = &mut self.hands[report.host];
        hand.late += u32::from(report.began >= patience);
        hand.state = match report.answer.clone() {
            Answer::Yes(()) => State::Back,
            Answer::Unknown(_) if hand.late < LATE => {
                hand.due = report.ended + pause;
                return;
            }
            Answer::No(why) => State::Stuck(why),
            Answer::Unknown(why) if !hand.is_touched => State::Left(why),
            Answer::Unknown(why) => State::Lost(why),
        };
        let step = match &hand.state {
            State::Stuck(why) | State::Lost(why) => Step::NotRolledBack(why.clone()),
            _ => Step::RolledBack,
        };
        self.tell(Some(report.host), step);
    }
}
