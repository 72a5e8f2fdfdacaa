//! Each call of each host, made to go wrong in each way.

use proptest::prelude::*;
use proptest::sample::select;

use super::model::Fault;
use super::{Faults, Plan, USUAL, Verdict, run};

/// What can befall a host.
const FAULTS: [Fault; 14] = [
    Fault::No,
    Fault::Mute,
    Fault::Deaf,
    Fault::MuteForEver,
    Fault::DeafForEver,
    Fault::Reboot,
    Fault::MuteReboot,
    Fault::Hang(25),
    Fault::Hang(200),
    Fault::Slow(25),
    Fault::Slow(100),
    Fault::Away(50),
    Fault::Away(10_000),
    Fault::Stop,
];

/// What can befall the deployer.
const KILLS: [Fault; 2] = [Fault::Kill, Fault::MuteKill];

/// Has `faults` befall each call that a deployment makes, and a few that it makes only when one fails.
fn sweep(plan: &Plan, faults: &[Fault]) -> Vec<Verdict> {
    let clean = run(plan, &Faults::new());
    assert_eq!(clean.passage().verdict, Verdict::Done);
    clean.check(plan, &Faults::new());
    let mut verdicts = Vec::new();
    for (host, calls) in clean.fleet.calls().into_iter().enumerate() {
        for number in 0..calls + 2 {
            for &fault in faults {
                let faults = Faults::from([((host, number), fault)]);
                let ran = run(plan, &faults);
                ran.check(plan, &faults);
                verdicts.extend(ran.passage.map(|passage| passage.verdict));
            }
        }
    }
    verdicts
}

#[test]
fn an_environment_is_never_a_mix_whatever_fails() {
    let verdicts = sweep(&USUAL, &FAULTS);
    let count = |is: fn(&Verdict) -> bool| verdicts.iter().filter(|verdict| is(verdict)).count();
    // Each of them happens: the sweep does not pass by looking away.
    assert!(count(|verdict| matches!(verdict, Verdict::Done)) > 0);
    assert!(count(|verdict| matches!(verdict, Verdict::Refused(_))) > 0);
    assert!(count(|verdict| matches!(verdict, Verdict::RolledBack(_))) > 0);
    assert!(count(|verdict| matches!(verdict, Verdict::NotRolledBack(_))) > 0);
}

#[test]
fn hosts_that_may_fail_fail_alone() {
    sweep(&Plan { hosts: 4, spare: 1, bake: 0, ..USUAL }, &FAULTS);
}

#[test]
fn one_at_a_time_is_no_other_than_all_at_once() {
    sweep(&Plan { jobs: 1, batch: 1, checks: (1, 1, 0), ..USUAL }, &FAULTS);
}

#[test]
fn a_deployer_that_is_killed_leaves_no_mix_as_long_as_its_witness_lives() {
    sweep(&USUAL, &KILLS);
    sweep(&Plan { hosts: 4, spare: 1, bake: 0, jobs: 2, ..USUAL }, &KILLS);
}

#[test]
fn nor_when_it_is_killed_while_it_undoes_what_it_had_decided() {
    let usual = Plan { bake: 0, ..USUAL };
    for (plan, faults) in [
        (usual.clone(), [Fault::No, Fault::Deaf, Fault::DeafForEver, Fault::MuteForEver]),
        (Plan { spare: 1, ..usual }, [Fault::No, Fault::Reboot, Fault::DeafForEver, Fault::Away(50)]),
    ] {
        for host in 0..plan.hosts {
            let place = (host, call(&plan, host, "confirm", 0));
            for fault in faults {
                killed_later(&plan, &Faults::from([(place, fault)]));
            }
        }
    }
}

/// Kills the deployer at each call from the first `confirm` on.
fn killed_later(plan: &Plan, faults: &Faults) {
    let calls = run(plan, faults).fleet.calls();
    for (host, calls) in calls.into_iter().enumerate() {
        for number in call(plan, host, "confirm", 0)..calls {
            for kill in KILLS {
                let mut faults = faults.clone();
                faults.entry((host, number)).or_insert(kill);
                run(plan, &faults).check(plan, &faults);
            }
        }
    }
}

/// Which of the calls of a host in a deployment without faults is the one to do `what` for the `nth` time.
pub(super) fn call(plan: &Plan, host: usize, what: &str, nth: usize) -> usize {
    let log = run(plan, &Faults::new()).fleet.log();
    let calls = log.iter().filter(|(other, _)| *other == host).enumerate();
    calls.filter(|(_, (_, call))| *call == what).nth(nth).map(|(number, _)| number).unwrap()
}

fn plans() -> impl Strategy<Value = Plan> {
    let checks = select(vec![(1, 1, 0), (2, 3, 10), (1, 5, 20)]);
    let waves = (1..5_usize, 0..3_usize, 1..4_usize, 0..3_usize);
    (waves, checks, select(vec![0, 40]), 1..4_usize).prop_map(
        |((hosts, canary, batch, spare), checks, bake, jobs)| Plan {
            hosts,
            canary,
            batch,
            spare,
            checks,
            bake,
            jobs,
            has_witness: true,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nor_when_much_fails_at_once(
        plan in plans(),
        faults in prop::collection::btree_map(
            (0..4_usize, 0..30_usize),
            select([&FAULTS[..], &KILLS[..]].concat()),
            0..8,
        ),
    ) {
        run(&plan, &faults).check(&plan, &faults);
    }
}
