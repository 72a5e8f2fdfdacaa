//! Rotations in a world that fails.

mod backup;
mod meanwhile;

use std::time::Duration;

use common::answer::Answer;
use proptest::prelude::*;

use super::world::{Fault, OLD, World};
use super::{Begin, End, HUMAN, LATER, PENDING, ROLLED_BACK, UNWRITABLE, WAITING};
use crate::provider::{Maker, Usage};
use crate::spec::{Confirm, Gates};
use crate::state::{Hold, Phase, Rotation, Skip};

const MAKERS: [Maker; 2] = [Maker::Ours, Maker::Target];
const FAULTS: [Fault; 4] = [Fault::KillBefore, Fault::KillAfter, Fault::LostBefore, Fault::LostAfter];

/// Gates that nobody waits at.
fn open() -> Gates {
    let none = Duration::ZERO;
    Gates { window: none, soak: none, watch: none, ..Gates::default() }
}

/// Runs it until it is over, at most twenty times, and asserts that nobody was cut off meanwhile and that
/// one key of ours is left: the new one when `is_rotated`.
#[track_caller]
fn converges(world: &World, gates: &Gates, is_rotated: bool) {
    for _ in 0..20 {
        // Where it was killed before it had begun, nothing is under way.
        let begin = if world.look().state.last.is_none() { Begin::Now } else { Begin::Never };
        world.run(gates, begin);
        if world.look().state.rotation.is_none() && world.look().state.last.is_some() {
            break;
        }
    }
    let reality = world.look();
    assert_eq!(reality.outages, [""; 0], "{:?}", reality.steps);
    assert!(reality.state.rotation.is_none(), "{:?} {:?}", reality.state, reality.steps);
    let last = reality.state.last.as_ref().unwrap();
    assert_eq!(last.is_rotated, is_rotated, "{:?}", reality.steps);
    let keys: Vec<_> = reality.keys.keys().filter(|id| *id != "foreign").collect();
    assert_eq!(keys, [&last.key], "{:?}", reality.steps);
    assert!(reality.holds.values().all(|(id, _)| *id == last.key), "{:?}", reality.holds);
    assert_eq!(last.key == OLD, !is_rotated);
}

/// What a run without faults comes to, and how many points it has.
fn points(maker: Maker, consumers: &[&str], prepare: impl Fn(&World)) -> u32 {
    let world = World::new(maker, consumers);
    prepare(&world);
    world.run(&open(), Begin::Now);
    world.look().points
}

#[track_caller]
fn stops(world: &World, gates: &Gates, status: u8, why: &str) {
    match world.run(gates, Begin::Now) {
        Some(Ok(End::Waits(wait))) => {
            assert_eq!(wait.status, status, "{wait:?}");
            assert!(wait.why.contains(why), "{wait:?}");
        }
        other => panic!("{other:?}, not {status} {why}; {:?}", world.look().steps),
    }
}

#[test]
fn a_rotation_takes_every_step() {
    for maker in MAKERS {
        let world = World::new(maker, &["a", "b", "c"]);
        assert_eq!(world.run(&open(), Begin::Now).unwrap().unwrap(), End::Rotated);
        converges(&world, &open(), true);
        let steps = world.look().steps.join(" ");
        let first = if maker == Maker::Ours { "INTENT STAGED CREATED" } else { "INTENT asking CREATED" };
        let want = format!(
            "{first} PROVED deploying deployed attested deploying deployed attested deploying deployed attested DEPLOYED \
             ATTESTED SOAK CONFIRMED disabling DISABLED WATCH deleting DELETED CANARY IDLE"
        );
        assert_eq!(steps, want);
        assert_eq!(world.run(&open(), Begin::After(Duration::from_secs(60))).unwrap().unwrap(), End::Idle);
    }
}

#[test]
fn whatever_happens_at_one_point_the_next_runs_finish_it() {
    for maker in MAKERS {
        let count = points(maker, &["a", "b", "c"], |_| ());
        assert!(count > 40, "{count}");
        for (at, fault) in (0..count).flat_map(|at| FAULTS.map(|fault| (at, fault))) {
            let world = World::new(maker, &["a", "b", "c"]);
            world.look().faults.insert(at, fault);
            world.run(&open(), Begin::Now);
            converges(&world, &open(), true);
        }
    }
}

#[test]
fn a_second_kill_while_it_goes_on_is_no_worse() {
    for maker in MAKERS {
        let count = points(maker, &["a", "b"], |_| ());
        for first in 0..count {
            for more in 1..12 {
                let world = World::new(maker, &["a", "b"]);
                world.look().faults.extend([(first, Fault::KillAfter), (first + more, Fault::KillBefore)]);
                world.run(&open(), Begin::Now);
                converges(&world, &open(), true);
            }
        }
    }
}

#[test]
fn the_way_back_from_every_record_ends_with_the_old_key() {
    for maker in MAKERS {
        let count = points(maker, &["a", "b"], |_| ());
        let mut turned = 0;
        for (at, fault) in (0..count).flat_map(|at| [(at, None), (at, Some(3)), (at, Some(9))]) {
            let world = World::new(maker, &["a", "b"]);
            world.look().faults.insert(at, Fault::KillAfter);
            world.run(&open(), Begin::Now);
            if !world.look().state.rotation.as_ref().is_some_and(Rotation::can_go_back) {
                continue;
            }
            turned += 1;
            if let Some(more) = fault {
                world.look().faults.insert(at + 1 + more, Fault::KillBefore);
            }
            world.with(&open(), |machine| {
                machine.turn_back("a test", "me").map(|_| machine.run(Begin::Never))
            });
            if world.look().state.rotation.as_ref().is_some_and(|rotation| rotation.back.is_none()) {
                continue;
            }
            converges(&world, &open(), false);
        }
        assert!(turned > 100, "{turned}");
    }
}

#[test]
fn a_consumer_that_got_the_key_at_another_place_keeps_the_old_one_alive() {
    for maker in MAKERS {
        let world = World::new(maker, &["a", "b", "c"]);
        world.look().misled.insert("c".into());
        for _ in 0..1000 {
            stops(&world, &open(), PENDING, "c: it uses the old key old");
            assert!(world.look().keys[OLD].1);
        }
        assert_eq!(world.look().outages, [""; 0]);
        world.look().misled.clear();
        converges(&world, &open(), true);
    }
}

#[test]
fn a_consumer_that_is_away_is_waited_for_and_holds_nobody_up() {
    let world = World::new(Maker::Ours, &["a", "b", "c", "d"]);
    world.look().away.insert("b".into());
    stops(&world, &open(), PENDING, "b: it is away");
    let is_new = |name: &str| world.look().holds[name].0 == "new1";
    assert_eq!(["a", "b", "c", "d"].map(is_new), [true, false, true, true]);
    world.look().away.clear();
    converges(&world, &open(), true);

    // Given up by the operator, it no longer counts.
    let world = World::new(Maker::Ours, &["a", "b"]);
    world.look().away.insert("b".into());
    stops(&world, &open(), PENDING, "b: it is away");
    let skip = Skip { reason: "gone for good".into(), by: "me".into() };
    world.look().state.rotation.as_mut().unwrap().skipped.insert("b".into(), skip);
    assert_eq!(world.run(&open(), Begin::Never).unwrap().unwrap(), End::Rotated);
}

#[test]
fn a_canary_that_does_not_work_turns_it_back() {
    for maker in MAKERS {
        let world = World::new(maker, &["a", "b", "c"]);
        world.look().broken.insert("a".into());
        stops(&world, &open(), ROLLED_BACK, "a does not work with the new key");
        assert!(!world.look().steps.iter().any(|step| step == "DEPLOYED"));
        converges(&world, &open(), false);
    }
}

#[test]
fn a_check_that_always_says_yes_is_caught() {
    for maker in MAKERS {
        let world = World::new(maker, &["a"]);
        world.look().is_gullible = true;
        stops(&world, &open(), ROLLED_BACK, "accepts a secret that is wrong");
        assert_eq!(world.look().keys.len(), 2);
        assert_eq!(world.look().holds["a"].0, OLD);
    }
}

#[test]
fn a_check_that_flaps_never_costs_a_key() {
    let (yes, no) = (Answer::Yes(()), Answer::No("at times".into()));
    let world = World::new(Maker::Ours, &["a"]);
    // The last one is asked first: the key in use, the corrupted copy, then the proof.
    let mut whims: Vec<Answer> = (0..12).map(|n| if n % 2 == 0 { yes.clone() } else { no.clone() }).collect();
    whims.extend([no.clone(), yes.clone()]);
    world.look().whims = whims;
    stops(&world, &open(), WAITING, "works at times, and at times not");
    assert!(world.look().state.rotation.as_ref().unwrap().back.is_none());
    converges(&world, &open(), true);

    // What cannot be asked at times is not refused at times.
    let world = World::new(Maker::Ours, &["a"]);
    let away = Answer::Unknown("it is away".into());
    let mut whims: Vec<Answer> =
        (0..12).map(|n| if n % 2 == 0 { yes.clone() } else { away.clone() }).collect();
    whims.extend([no.clone(), yes.clone()]);
    world.look().whims = whims;
    stops(&world, &open(), LATER, "it is away");
    converges(&world, &open(), true);

    let world = World::new(Maker::Ours, &["a"]);
    let mut whims = vec![no.clone(); 12];
    whims.extend([no, yes]);
    world.look().whims = whims;
    stops(&world, &open(), ROLLED_BACK, "the target refuses the new key");
}

#[test]
fn time_and_people_open_the_gates() {
    let hour = Duration::from_secs(3600);
    let gates = Gates { soak: hour, watch: hour, confirm: Confirm::Manual, ..open() };
    let world = World::new(Maker::Ours, &["a"]);
    let later = |ms: i64| world.look().now_ms += ms;
    stops(&world, &gates, WAITING, "both keys are good until 2001-09-09T02:46:40Z");
    later(3_599_000);
    stops(&world, &gates, WAITING, "both keys are good until");
    later(1_000);
    stops(&world, &gates, WAITING, "`keyrotate confirm`");
    world.look().state.rotation.as_mut().unwrap().confirmed = Some("me".into());
    world.look().state.hold = Some(Hold { until: None, by: "you".into() });
    stops(&world, &gates, WAITING, "you holds it until `keyrotate hold --off`");
    let until = world.look().now_ms / 1000 + 60;
    world.look().state.hold = Some(Hold { until: Some(until), by: "you".into() });
    stops(&world, &gates, WAITING, "you holds it until 2001-09-09T02:47:40Z");
    later(60_000);
    stops(&world, &gates, WAITING, "the old key is disabled; it is deleted at");
    assert!(!world.look().keys[OLD].1);
    later(3_600_000);
    converges(&world, &gates, true);
}

#[test]
fn an_old_key_in_use_is_not_disabled() {
    let hour = Duration::from_secs(3600);
    let gates = Gates { unused: hour, ..open() };
    let world = World::new(Maker::Ours, &["a"]);
    let step = |usage: Usage, ms: i64, why: &str| {
        world.look().usage = usage;
        world.look().now_ms += ms;
        stops(&world, &gates, WAITING, why);
    };
    step(Usage::Now("3 sessions".into()), 0, "in use (3 sessions)");
    step(Usage::None, 3_599_000, "it may go at");
    step(Usage::Count(7), 0, "it may go at");
    step(Usage::Count(7), 1_800_000, "it may go at");
    step(Usage::Count(8), 1_800_000, "it may go at");
    let at = world.look().now_ms / 1000;
    step(Usage::At(at), 0, "it may go at");
    world.look().now_ms += 3_600_000;
    converges(&world, &gates, true);
}

#[test]
fn whoever_misses_the_old_key_gets_it_back() {
    let gates = Gates { watch: Duration::from_secs(60), ..open() };
    for maker in MAKERS {
        let world = World::new(maker, &["a", "b"]);
        world.look().refusals = Some(5);
        stops(&world, &gates, WAITING, "the old key is disabled");
        world.look().refusals = Some(6);
        stops(&world, &gates, ROLLED_BACK, "the target has refused 1 log-ins since");
        converges(&world, &gates, false);

        let world = World::new(maker, &["a", "b"]);
        stops(&world, &gates, WAITING, "the old key is disabled");
        world.look().broken.insert("b".into());
        stops(&world, &gates, ROLLED_BACK, "without the old key, b: ");
        converges(&world, &gates, false);
    }
}

#[test]
fn who_gets_the_old_key_from_a_backup_gets_the_new_one_again() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    stops(&world, &gates, WAITING, "both keys are good");
    let old = (OLD.to_owned(), format!("secret of {OLD}"));
    world.look().holds.insert("b".into(), old);
    world.look().now_ms += 60_000;
    stops(&world, &gates, WAITING, "both keys are good");
    assert_eq!(world.look().holds["b"].0, "new1");
    world.look().now_ms += 60_000;
    converges(&world, &gates, true);
}

#[test]
fn a_journal_that_cannot_be_written_stops_it_before_anything_is_touched() {
    let world = World::new(Maker::Ours, &["a"]);
    world.look().faults.extend((0..200).map(|at| (at, Fault::LostBefore)));
    world.look().faults.retain(|at, _| *at >= 3);
    let error = world.run(&open(), Begin::Now).unwrap().unwrap_err();
    assert_eq!(error.status(), UNWRITABLE);
    assert_eq!(world.look().keys.len(), 2);
    world.look().faults.clear();
    converges(&world, &open(), true);
}

#[test]
fn two_keys_in_use_are_a_case_for_a_human() {
    let world = World::new(Maker::Ours, &["a", "b"]);
    world.look().holds.insert("b".into(), ("foreign".into(), "x".into()));
    stops(&world, &open(), HUMAN, "a uses old, and b uses foreign");
    assert!(world.look().state.rotation.is_none());

    let world = World::new(Maker::Ours, &["a"]);
    world.look().holds.insert("a".into(), ("gone".into(), "y".into()));
    stops(&world, &open(), HUMAN, "a holds gone, which the target is not seen to accept");
}

#[test]
fn a_key_of_somebody_else_is_never_deleted() {
    let world = World::new(Maker::Target, &["a"]);
    // Killed while the target makes it, and somebody else makes two more.
    let count = points(Maker::Target, &["a"], |_| ());
    let asked = (0..count).find(|&at| {
        let world = World::new(Maker::Target, &["a"]);
        world.look().faults.insert(at, Fault::KillAfter);
        world.run(&open(), Begin::Now);
        let reality = world.look();
        reality.keys.len() == 3
            && reality.state.rotation.as_ref().is_some_and(|rotation| rotation.new.is_none())
    });
    world.look().faults.insert(asked.unwrap(), Fault::KillAfter);
    world.run(&open(), Begin::Now);
    world.look().keys.insert("theirs".into(), ("z".into(), true));
    stops(&world, &open(), HUMAN, "somebody else made new1, theirs meanwhile");
    world.look().keys.remove("theirs");
    converges(&world, &open(), true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn nobody_is_ever_cut_off(
        is_ours in any::<bool>(),
        faults in prop::collection::btree_map(0u32..400, 0usize..4, 0..12),
        away in prop::option::of(0usize..3), misled in prop::option::of(0usize..3), broken in prop::option::of(0usize..3),
        backs in prop::collection::btree_set(0usize..12, 0..3),
    ) {
        let names = ["a", "b", "c"];
        let world = World::new(if is_ours { Maker::Ours } else { Maker::Target }, &names);
        world.look().faults = faults.into_iter().map(|(at, fault)| (at, FAULTS[fault])).collect();
        world.look().away.extend(away.map(|n| names[n].to_owned()));
        world.look().misled.extend(misled.map(|n| names[n].to_owned()));
        world.look().broken.extend(broken.map(|n| names[n].to_owned()));
        for run in 0..12 {
            if backs.contains(&run) && world.look().state.rotation.is_some() {
                world.with(&open(), |machine| machine.turn_back("a test", "me").map(|_| ()));
            }
            world.run(&open(), if run == 0 { Begin::Now } else { Begin::Never });
        }
        world.look().away.clear();
        world.look().misled.clear();
        world.look().broken.clear();
        world.look().faults.clear();
        for _ in 0..20 {
            world.run(&open(), Begin::Never);
        }
        let reality = world.look();
        prop_assert_eq!(&reality.outages, &[""; 0]);
        prop_assert!(reality.state.rotation.is_none(), "{:?}", reality.steps);
        prop_assert_eq!(reality.keys.len(), 2);
    }
}
