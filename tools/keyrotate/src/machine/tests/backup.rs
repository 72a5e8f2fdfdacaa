//! What is no longer as it was: a journal or a target that comes from a backup, and a spec that was changed.

use super::*;
use crate::state::State;

/// A world in which two rotations have ended, and the states in which the first one was.
fn two_rotations() -> (World, Vec<State>) {
    let mut states = Vec::new();
    let count = points(Maker::Ours, &["a", "b"], |_| ());
    for at in 0..count {
        let world = World::new(Maker::Ours, &["a", "b"]);
        world.look().faults.insert(at, Fault::KillAfter);
        world.run(&open(), Begin::Now);
        states.push(world.look().state.clone());
    }
    let world = World::new(Maker::Ours, &["a", "b"]);
    for _ in 0..2 {
        assert_eq!(world.run(&open(), Begin::Now).unwrap().unwrap(), End::Rotated);
    }
    states.retain(|state| state.rotation.is_some());
    (world, states)
}

#[test]
fn a_journal_from_a_backup_cuts_nobody_off() {
    let (world, states) = two_rotations();
    assert!(states.len() > 20, "{}", states.len());
    for state in states {
        world.look().state = state;
        for _ in 0..3 {
            world.run(&open(), Begin::Never);
            world.with(&open(), |machine| machine.turn_back("a test", "me").map(|_| ()));
        }
        let reality = world.look();
        assert_eq!(reality.outages, [""; 0], "{:?}", reality.steps);
        assert!(reality.keys["new2"].1 && reality.holds.values().all(|(id, _)| id == "new2"));
    }
}

#[test]
fn a_journal_from_a_backup_takes_no_turn_that_is_over() {
    // As with two roles that take turns: the old key of then has another secret now, and is in use.
    let (world, states) = two_rotations();
    for state in states {
        let in_use = (OLD.to_owned(), "secret of the third turn".to_owned());
        world.look().keys.insert(OLD.into(), (in_use.1.clone(), true));
        world.look().holds.values_mut().for_each(|held| *held = in_use.clone());
        world.look().keys.retain(|id, _| [OLD, "foreign"].contains(&id.as_str()));
        world.look().state = state;
        for _ in 0..3 {
            world.run(&open(), Begin::Never);
        }
        let reality = world.look();
        assert_eq!(reality.outages, [""; 0], "{:?}", reality.steps);
        assert_eq!(reality.keys.len(), 2, "{:?}", reality.keys);
    }
}

#[test]
fn a_target_that_forgets_the_new_key_keeps_the_old_one() {
    let minute = Duration::from_secs(60);
    for gates in [Gates { soak: minute, ..open() }, Gates { watch: minute, ..open() }] {
        let world = World::new(Maker::Ours, &["a", "b"]);
        stops(&world, &gates, WAITING, "");
        world.look().keys.remove("new1");
        world.look().keys.insert(OLD.into(), (format!("secret of {OLD}"), true));
        stops(&world, &gates, ROLLED_BACK, "");
        assert!(world.look().keys[OLD].1 && world.look().holds.values().all(|(id, _)| id == OLD));
    }
}

#[test]
fn the_last_key_is_not_deleted_on_the_word_of_a_consumer() {
    let world = World::new(Maker::Ours, &["a"]);
    let gates = Gates { watch: Duration::from_secs(60), ..open() };
    stops(&world, &gates, WAITING, "the old key is disabled");
    world.look().now_ms += 60_000;
    world.look().keys.remove("new1");
    world.look().keys.insert(OLD.into(), (format!("secret of {OLD}"), true));
    world.look().is_credulous = true;
    stops(&world, &gates, ROLLED_BACK, "the target no longer accepts the new key");
    assert!(world.look().keys[OLD].1);
}

#[test]
fn a_consumer_that_left_the_spec_keeps_the_old_key_alive() {
    let world = World::new(Maker::Ours, &["a", "b"]);
    world.look().misled.insert("a".into());
    stops(&world, &open(), PENDING, "a: it uses the old key");
    world.look().misled.clear();
    world.look().holds.remove("b");
    stops(&world, &open(), PENDING, "b: it is no longer in the spec; put it back, or `keyrotate skip` it");
    assert!(world.look().keys[OLD].1);
}

#[test]
#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is one of a lifetime, not of any")]
fn nobody_turns_back_to_a_key_that_is_gone() {
    let gates = Gates { soak: Duration::from_secs(60), ..open() };
    let world = World::new(Maker::Ours, &["a"]);
    stops(&world, &gates, WAITING, "both keys are good");
    assert_eq!(world.with(&gates, |machine| machine.nothing_to_go_back_to()).unwrap(), None);
    world.look().keys.remove(OLD);
    let why = world.with(&gates, |machine| machine.nothing_to_go_back_to()).unwrap().unwrap();
    assert!(why.contains("no way back"), "{why}");
    world.look().keys.remove("new1");
    stops(&world, &gates, HUMAN, "no longer accepts the new key: refused; the target refuses the old key");
    assert!(world.look().state.rotation.as_ref().unwrap().back.is_none());
}

#[test]
fn a_sentence_names_ten_of_many() {
    let names: Vec<String> = (0..30).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::new(Maker::Ours, &names);
    world.look().away.extend(names.iter().skip(1).map(|name| (*name).to_owned()));
    stops(&world, &open(), PENDING, "c10: it is away; and 19 more");
}
