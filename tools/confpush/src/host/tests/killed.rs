//! A script that is killed before any command it runs, and what is made of what it left.

use std::os::unix::process::CommandExt;

use super::*;

/// A folder of programs that count themselves, the last of which kills the script that runs it. What runs
/// beside the script does not count: the start of a guard, and its sleep.
struct Killer(tempfile::TempDir);

/// What the scripts use.
const COUNTED: [&str; 16] = [
    "cat",
    "chmod",
    "chown",
    "cp",
    "flock",
    "head",
    "id",
    "mkdir",
    "mv",
    "printf",
    "readlink",
    "rm",
    "sha256sum",
    "stat",
    "sync",
    "timeout",
];

impl Killer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        for name in COUNTED {
            let text = format!(
                "#!/bin/sh\nread -r n <'{here}/left'\nn=$((n - 1))\necho $n >'{here}/left'\n\
                 [ $n != 0 ] || kill -9 0\nexec {} \"$@\"\n",
                program(name).display()
            );
            let path = folder.path().join(name);
            testkit::write(&path, text);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["sleep", "setsid", "sh", "true"] {
            std::os::unix::fs::symlink(program(name), folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    /// Whether the script for `verb` is killed before its command number `number`.
    fn kills(&self, machine: &Machine, verb: &Verb, number: usize) -> bool {
        testkit::write(self.0.path().join("left"), format!("{number}\n"));
        let mut program = machine.program(verb);
        let mut child = program.env("PATH", self.0.path()).process_group(0).spawn().unwrap();
        feed(&mut child, verb);
        let status = child.wait_with_output().unwrap().status;
        assert!(
            status.code().is_none_or(|code| code == 0),
            "{}: {status} at {number} of {verb:?}",
            machine.shell
        );
        status.code().is_none()
    }
}

/// Kills each of `verbs`, in turn, before each of its commands, on a machine on which those before it
/// have been done; `judge` then finds out what is there.
fn check(shell: &'static str, verbs: &[fn(Order) -> Verb], judge: fn(&Machine, &Order, usize)) {
    let killer = Killer::new();
    let (last, before) = verbs.split_last().unwrap();
    for number in 1.. {
        let machine = Machine::new(shell, "old\n").with_reload();
        let order = machine.order("1-a", "new\n");
        for verb in before {
            machine.yes(&verb(order.clone()));
        }
        if !killer.kills(&machine, &last(order.clone()), number) {
            assert!(number > 3, "{shell}: {number}");
            return;
        }
        judge(&machine, &order, number);
        assert_eq!(machine.mode(), 0o640);
        assert_eq!(machine.settle(), Settled::Nothing);
        machine.is_clean();
    }
}

/// After a reboot, or with the guard alive.
fn old_is_back(machine: &Machine, order: &Order, number: usize) {
    if number.is_multiple_of(2) {
        machine.reboot();
        let ended = machine.settle();
        assert!(matches!(ended, Settled::Nothing | Settled::Undone(_)), "{number}: {ended:?}");
    } else {
        machine.yes(&Verb::Restore(order.clone()));
    }
    assert_eq!(machine.text(), "old\n", "{number}");
}

#[test]
fn a_stage_leaves_the_old_file() {
    check("dash", &[Verb::Stage], old_is_back);
}

#[test]
fn a_swap_leaves_the_old_file_in_the_end() {
    check("dash", &[Verb::Stage, Verb::Swap], old_is_back);
}

#[test]
fn a_confirmation_is_none_or_whole() {
    let judge = |machine: &Machine, order: &Order, number: usize| {
        if number.is_multiple_of(2) {
            machine.reboot();
            let is_undone = matches!(machine.settle(), Settled::Undone(_));
            assert_eq!(machine.text(), if is_undone { "old\n" } else { "new\n" }, "{number}");
            assert!(!machine.look().has_drifted());
        } else {
            machine.yes(&Verb::Confirm(order.clone()));
            assert_eq!(machine.text(), "new\n", "{number}");
            // Killed behind the end, it has not told the guard, which finds out by itself.
            machine.wait_for_the_lock();
        }
    };
    check("dash", &[Verb::Stage, Verb::Swap, Verb::Confirm], judge);
}

#[test]
fn going_back_can_be_begun_again() {
    check("dash", &[Verb::Stage, Verb::Swap, Verb::Restore], old_is_back);
    // Also from what was confirmed already.
    let judge = |machine: &Machine, order: &Order, number: usize| {
        machine.settle();
        machine.yes(&Verb::Restore(order.clone()));
        assert_eq!((machine.text().as_str(), machine.look().kept), ("old\n", vec![]), "{number}");
    };
    check("bash --posix", &[Verb::Stage, Verb::Swap, Verb::Confirm, Verb::Restore], judge);
}

#[test]
fn settling_can_be_begun_again() {
    let killer = Killer::new();
    for number in 1.. {
        let machine = Machine::new("dash", "old\n").with_reload();
        let order = machine.order("1-a", "new\n");
        machine.yes(&Verb::Stage(order.clone()));
        machine.yes(&Verb::Swap(order));
        machine.reboot();
        if !killer.kills(&machine, &Verb::Settle, number) {
            assert!(number > 3);
            return;
        }
        machine.settle();
        assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{number}");
        machine.is_clean();
    }
}
