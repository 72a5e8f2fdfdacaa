//! What happens between two runs: somebody changes the spec, what a consumer holds, or his mind.

use std::time::Duration;

use super::*;
use crate::state::Last;

/// A rotation that was killed where `is_there`.
#[track_caller]
fn killed_where(prepare: impl Fn(&World), gates: &Gates, is_there: impl Fn(&World) -> bool) -> World {
    for at in 0..200 {
        let world = World::new(Maker::Ours, &["a", "b"]);
        prepare(&world);
        world.look().faults.insert(at, Fault::KillAfter);
        world.run(gates, Begin::Now);
        if is_there(&world) {
            return world;
        }
    }
    panic!("it was never there");
}

/// Killed when the target has disabled the old key, and the journal does not say so.
#[track_caller]
fn killed_when_disabled(gates: &Gates, prepare: impl Fn(&World)) -> World {
    let is_there = |world: &World| {
        let reality = world.look();
        let phase = reality.state.rotation.as_ref().map(|rotation| rotation.phase);
        phase == Some(Phase::Confirmed) && !reality.keys[OLD].1
    };
    killed_where(prepare, gates, is_there)
}

fn hold(world: &World, name: &str, id: &str) {
    let held = (id.to_owned(), format!("secret of {id}"));
    world.look().holds.insert(name.into(), held);
}

#[test]
fn who_was_given_the_new_key_is_given_the_old_one_at_the_same_place() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    world.look().places = [("a".to_owned(), "1 etc".to_owned()), ("b".to_owned(), "1 opt".to_owned())].into();
    stops(&world, &gates, WAITING, "both keys are good");
    world.with(&gates, |machine| machine.turn_back("a test", "me").map(|_| ())).unwrap().unwrap();
    world.look().places.insert("b".into(), "1 srv".into());
    stops(&world, &gates, HUMAN, "b of the spec is not where it was when it was given the new key");
    assert_eq!(world.look().holds["a"].0, "new1");
    // Another version may tell the same place in other words.
    world.look().places.insert("b".into(), "2 opt".into());
    stops(&world, &gates, ROLLED_BACK, "rolled back");
    converges(&world, &gates, false);
}

#[test]
fn who_takes_the_new_key_again_on_the_way_back_keeps_it_alive() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    stops(&world, &gates, WAITING, "both keys are good");
    world.look().away.insert("b".into());
    world.with(&gates, |machine| machine.turn_back("a test", "me").map(|_| ()));
    stops(&world, &gates, PENDING, "b: it is away");
    // `a` has said that it uses the old key; what deploys its files puts the new one there again.
    hold(&world, "a", "new1");
    world.look().away.clear();
    stops(&world, &gates, PENDING, "a: it uses the new key new1");
    assert!(world.look().keys.contains_key("new1"));
    converges(&world, &gates, false);
}

#[test]
fn what_was_attested_on_the_way_back_is_no_news() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    stops(&world, &gates, WAITING, "both keys are good");
    world.look().away.insert("b".into());
    world.with(&gates, |machine| machine.turn_back("a test", "me").map(|_| ()));
    stops(&world, &gates, PENDING, "b: it is away");
    let steps = world.look().steps.len();
    stops(&world, &gates, PENDING, "b: it is away");
    assert_eq!(world.look().steps[steps..], ["deploying"]);
}

#[test]
fn who_vanishes_from_the_spec_is_not_forgotten() {
    for phase in [Phase::Created, Phase::Deployed, Phase::Attested, Phase::Watch] {
        let is_there = |world: &World| {
            world.look().state.rotation.as_ref().is_some_and(|rotation| rotation.phase == phase)
        };
        let world = killed_where(|_| (), &open(), is_there);
        world.look().strangers.insert("b".into());
        let is_enabled = world.look().keys[OLD].1;
        stops(&world, &open(), PENDING, "b: it is no longer in the spec");
        assert_eq!(world.look().keys[OLD].1, is_enabled, "{phase}");
        world.look().strangers.clear();
        converges(&world, &open(), true);
    }
}

#[test]
fn who_appears_in_the_spec_has_to_attest_the_new_key_too() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    world.look().strangers.insert("b".into());
    stops(&world, &gates, WAITING, "both keys are good");
    world.look().strangers.clear();
    world.look().now_ms += 60_000;
    stops(&world, &gates, WAITING, "both keys are good");
    assert_eq!(world.look().holds["b"].0, "new1");
    world.look().now_ms += 60_000;
    converges(&world, &gates, true);
}

#[test]
fn a_key_that_may_be_disabled_is_enabled_when_somebody_uses_it() {
    let world = killed_when_disabled(&open(), |_| ());
    // As from a backup: here somebody is cut off, and not by us.
    hold(&world, "b", OLD);
    stops(&world, &open(), ROLLED_BACK, "without the old key, b: it uses the old key");
    assert!(world.look().keys[OLD].1);
    world.look().outages.clear();
    converges(&world, &open(), false);

    let world = killed_when_disabled(&open(), |_| ());
    world.look().away.insert("b".into());
    stops(&world, &open(), PENDING, "the old key is disabled, and not deleted before it is known of b");
    world.with(&open(), |machine| machine.turn_back("a test", "me").map(|_| ()));
    world.look().away.clear();
    converges(&world, &open(), false);
}

#[test]
fn who_misses_the_old_key_is_no_noise_after_a_kill() {
    let gates = Gates { watch: Duration::from_secs(60), ..open() };
    let world = killed_when_disabled(&gates, |world| world.look().refusals = Some(5));
    world.look().refusals = Some(6);
    stops(&world, &gates, WAITING, "the old key is disabled");
    world.look().refusals = Some(7);
    stops(&world, &gates, ROLLED_BACK, "the target has refused 1 log-ins since");
}

#[test]
fn a_hold_keeps_every_key_from_being_made_and_deleted() {
    let held = |world: &World| world.look().state.hold = Some(Hold { until: None, by: "you".into() });
    for maker in MAKERS {
        let count = points(maker, &["a", "b"], |_| ());
        for at in 0..count {
            let world = World::new(maker, &["a", "b"]);
            world.look().faults.insert(at, Fault::KillBefore);
            world.run(&open(), Begin::Now);
            held(&world);
            let before = world.look().keys.clone();
            world.run(&open(), Begin::Now);
            let after = world.look().keys.clone();
            assert_eq!(after, before, "{maker:?} {at}");
            world.look().state.hold = None;
            converges(&world, &open(), true);
        }
    }
}

#[test]
fn what_was_confirmed_is_confirmed_again_when_it_is_no_longer_so() {
    let minute = Duration::from_secs(60);
    let gates = Gates { soak: minute, confirm: Confirm::Manual, ..open() };
    let world = World::new(Maker::Ours, &["a", "b"]);
    stops(&world, &gates, WAITING, "both keys are good");
    world.look().state.rotation.as_mut().unwrap().confirmed = Some("me".into());
    hold(&world, "b", OLD);
    world.look().now_ms += 60_000;
    stops(&world, &gates, WAITING, "both keys are good");
    world.look().now_ms += 60_000;
    stops(&world, &gates, WAITING, "`keyrotate confirm`");
}

#[test]
fn who_cannot_be_read_is_not_taken_for_somebody_without_a_key() {
    let world = World::new(Maker::Ours, &["a"]);
    world.look().closed.insert("a".into());
    stops(&world, &open(), HUMAN, "which key is in use is not known (a: permission denied)");
    world.look().closed.clear();
    converges(&world, &open(), true);
}

#[test]
fn a_key_of_the_last_rotation_does_not_stay_behind() {
    let world = World::new(Maker::Ours, &[]);
    world.look().state.last = Some(Last {
        rotation: "r".into(),
        ended: 0,
        is_rotated: true,
        key: OLD.into(),
        fingerprint: String::new(),
    });
    stops(&world, &open(), HUMAN, "the target still has old, in use since the last rotation");
    world.look().keys.remove(OLD);
    assert_eq!(world.run(&open(), Begin::Now).unwrap().unwrap(), End::Rotated);
}
