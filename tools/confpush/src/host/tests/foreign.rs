//! What somebody else writes into the file while it is deployed.

use super::*;

const THEIRS: &str = "theirs\n";

fn why(answer: Answer) -> String {
    match answer {
        Answer::No(why) => why,
        other => panic!("{other:?}"),
    }
}

/// With the new file in use, and another one in its place, with another mode.
fn written_over(shell: &'static str) -> (Machine, Order) {
    let machine = Machine::new(shell, "old\n").with_reload();
    let order = machine.order("1-a", "new\n");
    machine.yes(&Verb::Stage(order.clone()));
    machine.yes(&Verb::Swap(order.clone()));
    write_over(&machine);
    (machine, order)
}

fn write_over(machine: &Machine) {
    let theirs = machine.folder.path().join("etc/theirs");
    testkit::write(&theirs, THEIRS);
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&theirs, machine.path()).unwrap();
}

/// That the old file is back and what was in its place is kept, with its mode, and nothing else is left.
#[track_caller]
fn is_kept(machine: &Machine) {
    assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{}", machine.shell);
    let kept = machine.store().join("foreign.1-a");
    assert_eq!(fs::read_to_string(&kept).unwrap(), THEIRS, "{}", machine.shell);
    assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o7777, 0o600, "{}", machine.shell);
    fs::remove_file(kept).unwrap();
    machine.is_clean();
}

#[test]
fn it_is_kept_when_the_deployer_goes_back() {
    for shell in shells() {
        let (machine, order) = written_over(shell);
        let said = machine.said(&Verb::Restore(order.clone()));
        let kept = format!("{}\n", machine.store().join("foreign.1-a").display());
        assert_eq!((said.status, said.output.as_slice()), (0, kept.as_bytes()), "{shell}");
        // Asked twice it does not take the old file for a foreign one.
        machine.yes(&Verb::Restore(order));
        is_kept(&machine);
    }
}

#[test]
fn it_is_kept_when_the_guard_goes_back() {
    let new = || {
        let mut machine = Machine::new("sh", "old\n");
        // Nobody but the one who swaps can be sure to be earlier than the guard.
        let (path, theirs) = (&machine.settings.path, machine.folder.path().join("etc/theirs"));
        let theirs = theirs.display();
        let script = format!(
            "! grep -q new '{path}' || {{ echo theirs >'{theirs}' && chmod 600 '{theirs}' && mv '{theirs}' '{path}'; }}"
        );
        machine.settings.reload = Some(Remote { script, timeout: PATIENCE });
        machine
    };
    let (machine, _) = Machine::guarded(2, new, &[Verb::Stage, Verb::Swap]);
    machine.wait_until_over();
    machine.wait_for_the_lock();
    is_kept(&machine);
}

#[test]
fn it_is_kept_when_the_next_run_goes_back() {
    let (machine, _) = written_over("sh");
    machine.reboot();
    assert_eq!(machine.settle(), Settled::Undone("1-a".into()));
    is_kept(&machine);
}

#[test]
fn a_file_that_was_removed_comes_back_and_nothing_is_kept() {
    let (machine, order) = written_over("sh");
    fs::remove_file(machine.path()).unwrap();
    assert!(why(machine.does(&Verb::Confirm(order.clone()))).contains("was changed by somebody else"));
    machine.yes(&Verb::Restore(order));
    assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640));
    machine.is_clean();
}

#[test]
fn it_is_neither_confirmed_nor_replaced() {
    for shell in shells() {
        let (machine, order) = written_over(shell);
        for verb in [Verb::Confirm, Verb::Swap] {
            let why = why(machine.does(&verb(order.clone())));
            assert!(why.ends_with("app.conf was changed by somebody else"), "{shell}: {why}");
            assert_eq!(machine.text(), THEIRS, "{shell}");
        }
        assert_eq!(machine.reloads(), ["new"], "{shell}");
        machine.yes(&Verb::Restore(order));
        is_kept(&machine);
    }
}

#[test]
fn a_mode_is_a_change_too() {
    let machine = Machine::new("sh", "old\n");
    let order = machine.order("1-a", "new\n");
    machine.yes(&Verb::Stage(order.clone()));
    machine.yes(&Verb::Swap(order.clone()));
    fs::set_permissions(machine.path(), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(why(machine.does(&Verb::Confirm(order.clone()))).contains("was changed by somebody else"));
    machine.yes(&Verb::Restore(order));
    assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640));
    machine.is_clean();
}

#[test]
fn a_validator_that_changes_the_new_file_is_refused() {
    for (shell, script) in
        shells().flat_map(|shell| ["echo more >>{}", "chmod 600 {}"].map(|one| (shell, one)))
    {
        let mut machine = Machine::new(shell, "old\n");
        machine.settings.validate = Some(Remote { script: script.into(), timeout: PATIENCE });
        let order = machine.order("1-a", "new\n");
        let why = why(machine.does(&Verb::Stage(order)));
        assert_eq!(why, "the validator of the host has changed it", "{shell}");
        assert_eq!(machine.text(), "old\n", "{shell}");
        assert!(machine.look().open.is_none(), "{shell}");
        machine.is_clean();
    }
}

#[test]
fn the_guard_tries_again_to_have_the_old_file_read() {
    std::thread::scope(|scope| {
        for shell in shells() {
            scope.spawn(move || {
                let tries = |machine: &Machine| machine.folder.path().join("tries");
                let new = || {
                    let mut machine = Machine::new(shell, "old\n");
                    // The new file is read at once; the old one the third time.
                    let script = format!(
                        "echo $(cat {0}) >>{1}; case $(echo $(wc -l <{1})) in [23]) false ;; esac",
                        machine.settings.path,
                        tries(&machine).display()
                    );
                    machine.settings.reload = Some(Remote { script, timeout: PATIENCE });
                    machine
                };
                let (machine, _) = Machine::guarded(1, new, &[Verb::Stage, Verb::Swap]);
                machine.wait_until_over();
                machine.wait_for_the_lock();
                assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{shell}");
                assert_eq!(fs::read_to_string(tries(&machine)).unwrap(), "new\nold\nold\nold\n", "{shell}");
                machine.is_clean();
            });
        }
    });
}
