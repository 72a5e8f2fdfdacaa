//! What is asked of whom, and when; and that what can be got over is got over.

use super::model::Fault;
use super::sweep::call;
use super::{Faults, Plan, Ran, Step, USUAL, Verdict, run};

/// Runs `plan` with `faults`, each at the `nth` time that a host is asked to do something.
#[track_caller]
fn check(plan: &Plan, faults: &[(usize, &str, usize, Fault)]) -> Ran {
    let place = |&(host, what, nth, fault): &_| ((host, call(plan, host, what, nth)), fault);
    let faults: Faults = faults.iter().map(place).collect();
    let ran = run(plan, &faults);
    ran.check(plan, &faults);
    ran
}

impl Ran {
    fn verdict(&self) -> &Verdict {
        &self.passage().verdict
    }

    /// How often `host` was asked to do `what`.
    fn count(&self, host: usize, what: &str) -> usize {
        self.fleet.log().iter().filter(|call| **call == (host, what)).count()
    }

    /// Where in the order of all calls the first and the last one to do `what` are.
    fn span(&self, what: &str) -> (usize, usize) {
        let log = self.fleet.log();
        let is_it = |call: &(usize, &str)| call.1 == what;
        (log.iter().position(is_it).unwrap(), log.iter().rposition(is_it).unwrap())
    }
}

#[test]
fn each_step_is_done_everywhere_before_the_next_one() {
    // The last checks take some time: guards that have just heard something are not spoken to.
    let swift = check(&USUAL, &[]);
    assert!(swift.span("beat").1 < swift.span("check").1);
    let slow = |host| (host, "check", swift.count(host, "check") - 1, Fault::Slow(10));
    let ran = check(&USUAL, &[slow(0), slow(1), slow(2)]);
    assert!(ran.span("stage").1 < ran.span("swap").0);
    // Behind the last checks every guard hears something once more, and only then the first one is ended.
    assert!(ran.span("check").1 < ran.span("beat").1 && ran.span("beat").1 < ran.span("confirm").0);
    let log = ran.fleet.log();
    let last_words = &log[ran.span("check").1 + 1..ran.span("confirm").0];
    assert_eq!(last_words.len(), USUAL.hosts, "{last_words:?}");
    // The canary is healthy before anybody else has the new file.
    let healthy = ran.steps.iter().position(|step| *step == ("h0".into(), Step::Healthy)).unwrap();
    let next = ran.steps.iter().position(|step| *step == ("h1".into(), Step::Swapped)).unwrap();
    assert!(healthy < next, "{:?}", ran.steps);
}

#[test]
fn a_lost_answer_is_asked_for_again() {
    // A health check that cannot be made has not passed, but nothing is asked of it while it is confirmed.
    assert_eq!(*check(&USUAL, &[(1, "confirm", 0, Fault::Away(50))]).verdict(), Verdict::Done);
    for fault in [Fault::Deaf, Fault::Mute, Fault::Hang(20)] {
        for what in ["confirm", "beat"] {
            assert_eq!(*check(&USUAL, &[(1, what, 0, fault)]).verdict(), Verdict::Done, "{what} {fault:?}");
        }
    }
}

#[test]
fn a_host_that_hangs_costs_nobody_else_the_guard() {
    for what in ["swap", "check", "beat", "confirm"] {
        let plan = Plan { spare: 1, batch: 3, canary: 0, ..USUAL };
        let ran = check(&plan, &[(1, what, 0, Fault::Hang(200))]);
        assert_eq!((ran.verdict(), ran.passage().is_partial), (&Verdict::Done, true), "{what}");
        assert_eq!(ran.count(0, "restore") + ran.count(2, "restore"), 0, "{what}");
    }
}

#[test]
fn rounds_that_may_fail_may_fail() {
    // Two checks make a round; the first is enough to fail it.
    let fail = |nth| (2, "check", nth, Fault::No);
    let plan = Plan { bake: 0, ..USUAL };
    assert_eq!(*check(&plan, &[fail(0)]).verdict(), Verdict::Done);
    let ran = check(&plan, &[fail(0), fail(1)]);
    assert!(
        matches!(ran.verdict(), Verdict::RolledBack(why) if why.contains("2 of 3 rounds")),
        "{:?}",
        ran.passage
    );
    // What is certain is not waited for.
    assert_eq!(ran.count(2, "check"), 2);
    let eager = Plan { checks: (1, 5, 100), bake: 0, ..USUAL };
    assert_eq!(check(&eager, &[]).count(2, "check"), 2 * 2, "once, and once more before it is confirmed");
}

#[test]
fn a_wish_to_stop_is_heard_until_it_is_decided() {
    let stop = |what| check(&USUAL, &[(1, what, 0, Fault::Stop)]);
    let why = "stopped by a signal";
    assert_eq!(*stop("stage").verdict(), Verdict::Refused(why.into()));
    for what in ["swap", "check", "beat"] {
        assert_eq!(*stop(what).verdict(), Verdict::RolledBack(why.into()), "{what}");
    }
    assert_eq!(*stop("confirm").verdict(), Verdict::Done);
}

#[test]
fn who_is_busy_is_left_alone() {
    let ran = check(&USUAL, &[(1, "stage", 0, Fault::Busy)]);
    assert!(
        matches!(ran.verdict(), Verdict::Busy(why) if why.starts_with("h1: another ")),
        "{:?}",
        ran.passage
    );
    assert_eq!((ran.count(1, "restore"), ran.count(0, "restore")), (0, 1));
    // A refusal is for a person to mend, however busy somebody else is.
    let ran = check(&USUAL, &[(1, "stage", 0, Fault::Busy), (0, "stage", 0, Fault::No)]);
    assert!(matches!(ran.verdict(), Verdict::Refused(_)), "{:?}", ran.passage);
}

#[test]
fn a_guard_that_is_gone_before_the_first_swap_is_a_refusal() {
    let plan = Plan { spare: 1, ..USUAL };
    let slow = |host| ((host, 0), Fault::Slow(40));
    let faults = Faults::from([slow(1), slow(2), ((0, 1), Fault::No)]);
    let ran = run(&plan, &faults);
    ran.check(&plan, &faults);
    assert!(matches!(ran.verdict(), Verdict::Refused(why) if why.contains("h0")), "{:?}", ran.passage);
    assert_eq!(ran.count(1, "swap"), 0);
}

#[test]
fn who_does_not_answer_is_asked_until_its_guard_must_have_run_out() {
    let failing = (1, "check", 0, Fault::No);
    let plan = Plan { checks: (1, 1, 0), bake: 0, ..USUAL };
    // The next call of the host is the one that brings it back.
    let back = |fault| {
        let place = (1, call(&plan, 1, "check", 0));
        let faults = Faults::from([(place, failing.3), ((1, place.1 + 1), fault)]);
        let ran = run(&plan, &faults);
        ran.check(&plan, &faults);
        ran
    };
    for fault in [Fault::Deaf, Fault::Mute, Fault::Away(50), Fault::Reboot] {
        assert!(matches!(back(fault).verdict(), Verdict::RolledBack(_)), "{fault:?}");
    }
    for fault in [Fault::No, Fault::DeafForEver] {
        assert!(
            matches!(back(fault).verdict(), Verdict::NotRolledBack(why) if why.contains("h1 (")),
            "{fault:?}"
        );
    }
}

#[test]
fn what_much_at_once_has_shown_stays_mended() {
    let check = |plan: &Plan, faults: &[((usize, usize), Fault)]| {
        let faults = faults.iter().copied().collect();
        run(plan, &faults).check(plan, &faults);
    };
    // One slow host used up the patience for what was merely staged elsewhere.
    let plan = Plan { hosts: 2, checks: (1, 1, 0), ..USUAL };
    check(&plan, &[((0, 0), Fault::Hang(25)), ((1, 2), Fault::Reboot)]);
    // Where a person is called for one host, the other one that is gone was not named.
    let plan = Plan { spare: 2, checks: (1, 5, 20), jobs: 1, ..USUAL };
    check(&plan, &[((1, 16), Fault::Away(10_000)), ((2, 16), Fault::Hang(200)), ((2, 19), Fault::No)]);
    // A host that goes away a second time just before it would have answered is given up, and told.
    let plan = Plan { canary: 2, batch: 3, spare: 2, jobs: 3, ..USUAL };
    let away = |nth| ((2, nth), Fault::Away(50));
    check(&plan, &[((0, 24), Fault::MuteForEver), away(2), ((2, 18), Fault::Stop), away(27)]);
    // A host whose turn came late, behind one that hangs, was given up at the first lost answer.
    let faults =
        [((0, 1), Fault::No), ((0, 2), Fault::Away(3)), ((1, 1), Fault::Hang(200)), ((0, 3), Fault::Mute)];
    let ran = run(&Plan { spare: 1, batch: 1, jobs: 1, ..USUAL }, &faults.into());
    assert!(matches!(ran.verdict(), Verdict::RolledBack(_)), "{:?} {:?}", ran.passage, ran.fleet.log());
}

#[test]
fn a_host_that_failed_goes_back_before_another_one_gets_the_new_file() {
    let ran = check(&Plan { spare: 1, batch: 1, jobs: 1, ..USUAL }, &[(0, "swap", 0, Fault::No)]);
    let log = ran.fleet.log();
    let at = |call| log.iter().position(|other| *other == call).unwrap();
    assert!(at((0, "restore")) < at((1, "swap")), "{log:?}");
}

#[test]
fn a_guard_hears_something_between_slow_checks() {
    let first = call(&USUAL, 1, "check", 0);
    // Check, beat, check: without the beat the guard would hear nothing for 95 seconds.
    let slow = |(at, seconds)| ((1, first + at), Fault::Slow(seconds));
    let faults: Faults = [(0, 40), (1, 15), (2, 40)].map(slow).into();
    assert_eq!(*run(&USUAL, &faults).verdict(), Verdict::Done);
}

#[test]
fn a_witness_that_is_told_to_bring_back_confirms_nothing_first() {
    let place = |host, nth| (host, call(&USUAL, host, "confirm", 0) + nth);
    let faults = Faults::from([(place(1, 0), Fault::No), (place(0, 1), Fault::Kill)]);
    let ran = run(&USUAL, &faults);
    ran.check(&USUAL, &faults);
    assert!(ran.count(0, "confirm") <= 1 && ran.count(0, "restore") > 0, "{:?}", ran.fleet.log());
}
