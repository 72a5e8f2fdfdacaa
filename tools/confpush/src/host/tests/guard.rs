//! The guard, left alone.

use super::*;

fn swapped(shell: &'static str, within: u64) -> (Machine, Order) {
    Machine::guarded(within, || Machine::new(shell, "old\n").with_reload(), &[Verb::Stage, Verb::Swap])
}

#[test]
fn a_host_that_hears_nothing_goes_back() {
    std::thread::scope(|scope| {
        for shell in shells() {
            scope.spawn(move || {
                let (machine, order) = swapped(shell, 3);
                machine.wait_until_over();
                assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{shell}");
                assert_eq!(machine.reloads(), ["new", "old"], "{shell}");
                for verb in [Verb::Confirm, Verb::Beat, Verb::Swap] {
                    assert!(matches!(machine.does(&verb(order.clone())), Answer::No(_)), "{shell}");
                }
                machine.yes(&Verb::Restore(order));
                machine.wait_for_the_lock();
                machine.is_clean();
            });
        }
    });
}

#[test]
fn what_was_only_staged_is_taken_away() {
    let new = || Machine::new("sh", "old\n").with_reload();
    let (machine, _) = Machine::guarded(1, new, &[Verb::Stage]);
    machine.wait_until_over();
    assert_eq!((machine.text().as_str(), machine.reloads().len()), ("old\n", 0));
    machine.wait_for_the_lock();
    machine.is_clean();
}

#[test]
fn a_host_that_hears_something_waits() {
    // Where a word takes longer than the guard is patient nobody can keep it from going back.
    let waits = |within: u64| {
        let (machine, order) = swapped("sh", within);
        // It counts seconds of its own: it has seen more of them than it is patient for.
        let end = Instant::now() + machine.within * 2;
        while Instant::now() < end {
            if !machine.does(&Verb::Beat(order.clone())).is_yes() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let is_confirmed = machine.does(&Verb::Confirm(order)).is_yes();
        machine.wait_until_over();
        assert_eq!(machine.text() == "new\n", is_confirmed);
        machine.wait_for_the_lock();
        machine.is_clean();
        is_confirmed
    };
    assert!([2, 10, 50].into_iter().any(waits));
}

#[test]
fn a_hangup_does_not_end_the_guard() {
    let (machine, order) = swapped("sh", 150);
    let guard = rustix::process::Pid::from_raw(machine.guards()[0]).unwrap();
    rustix::process::kill_process(guard, rustix::process::Signal::HUP).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    machine.yes(&Verb::Beat(order.clone()));
    machine.reboot();
    let Answer::No(why) = machine.does(&Verb::Beat(order.clone())) else { panic!() };
    assert_eq!(why, "the guard was killed");
    assert!(!machine.look().open.unwrap().is_guarded);
    machine.yes(&Verb::Restore(order));
    assert_eq!(machine.text(), "old\n");
    machine.is_clean();
}

#[test]
fn the_deployer_and_the_guard_agree_on_the_end() {
    // Confirmed about the second in which the guard goes back: one of the two, and all of it.
    std::thread::scope(|scope| {
        for number in 0..12u64 {
            scope.spawn(move || {
                let (machine, order) = swapped("sh", 3);
                std::thread::sleep(Duration::from_millis(2200 + 150 * number));
                // One that does not know is asked again, as a deployer does it.
                let mut answers =
                    std::iter::repeat_with(|| machine.does(&Verb::Confirm(order.clone()))).take(9);
                let answer = answers.find(|answer| !matches!(answer, Answer::Unknown(_)));
                let is_confirmed = answer.expect("it says yes or no").is_yes();
                machine.wait_until_over();
                assert_eq!(machine.text() == "new\n", is_confirmed);
                assert_eq!(machine.look().kept.len(), usize::from(is_confirmed));
                machine.wait_for_the_lock();
                machine.is_clean();
            });
        }
    });
}

#[test]
fn a_reboot_leaves_a_mark_and_the_next_run_settles_it() {
    for shell in shells() {
        let (machine, order) = swapped(shell, 150);
        let Answer::No(why) = machine.does(&Verb::Settle) else { panic!() };
        assert!(why.starts_with(BUSY) && why.contains("1-a by jan@box"), "{shell}: {why}");
        machine.reboot();
        let open = machine.look().open.unwrap();
        assert_eq!((open.id.as_str(), open.is_guarded), ("1-a", false), "{shell}");
        let Answer::No(why) = machine.does(&Verb::Stage(machine.order("2-b", "newer\n"))) else { panic!() };
        assert!(why.contains("1-a by jan@box was left half done"), "{shell}: {why}");
        assert_eq!(machine.settle(), Settled::Undone("1-a".into()), "{shell}");
        assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{shell}");
        assert_eq!(machine.reloads(), ["new", "old"], "{shell}");
        machine.is_clean();
        assert!(matches!(machine.does(&Verb::Confirm(order)), Answer::No(_)), "{shell}");
    }
}

#[test]
fn a_reload_that_fails_on_the_way_back_is_told_and_tried_again() {
    let mut machine = Machine::new("sh", "old\n");
    let flag = machine.folder.path().join("broken");
    let script = format!("[ ! -e '{}' ] || {{ echo; echo no luck; exit 7; }}", flag.display());
    machine.settings.reload = Some(Remote { script, timeout: PATIENCE });
    let order = machine.order("1-a", "new\n");
    machine.yes(&Verb::Stage(order.clone()));
    testkit::write(&flag, "");
    let no = |answer| match answer {
        Answer::No(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        no(machine.does(&Verb::Swap(order.clone()))),
        "the new file cannot be reloaded: exit status 7: no luck"
    );
    assert_eq!(
        no(machine.does(&Verb::Restore(order.clone()))),
        "the old file is back in its place, but cannot be reloaded: exit status 7: no luck"
    );
    assert_eq!(machine.text(), "old\n");
    fs::remove_file(&flag).unwrap();
    machine.yes(&Verb::Restore(order));
    // Its guard may have been earlier, and end by itself.
    machine.wait_for_the_lock();
    machine.is_clean();
}
