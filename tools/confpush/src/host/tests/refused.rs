//! What is refused, and what a refusal leaves: nothing.

use super::*;

fn no(answer: Answer) -> String {
    match answer {
        Answer::No(why) => why,
        other => panic!("{other:?}"),
    }
}

/// The reason for which `order` is not staged, with `machine` as it was, and nothing left.
#[track_caller]
fn refused(machine: &Machine, order: &Order) -> String {
    let before = machine.text();
    let why = no(machine.does(&Verb::Stage(order.clone())));
    assert_eq!(machine.text(), before);
    assert!(machine.look().open.is_none());
    machine.is_clean();
    machine.yes(&Verb::Restore(Order { seen: machine.look().live, ..order.clone() }));
    why
}

fn validated(shell: &'static str, name: &str, script: &str) -> Machine {
    let mut machine = Machine::named(shell, name, "old\n");
    let timeout = if script.starts_with("sleep 60") { Duration::from_secs(1) } else { PATIENCE };
    machine.settings.validate = Some(Remote { script: script.into(), timeout });
    machine
}

#[test]
fn the_validator_of_the_host_has_the_last_word() {
    let check = |shell, script: &str, want: &str| {
        for name in ["app.conf", "it's a \"$file\".conf"] {
            let machine = validated(shell, name, script);
            let order = machine.order("1-a", "new\n");
            if want.is_empty() {
                machine.yes(&Verb::Stage(order.clone()));
                machine.yes(&Verb::Restore(order));
                machine.is_clean();
            } else {
                let why = refused(&machine, &order);
                assert_eq!(why, format!("the validator of the host refuses it: {want}"), "{shell}");
            }
        }
    };
    for shell in shells() {
        check(shell, "grep -q new {} && test -f {}", "");
        check(shell, "echo; echo \"line 1: $(cat {})\" >&2; exit 3", "exit status 3: line 1: new");
    }
    check("sh", "exit 1", "exit status 1");
    check("sh", "sleep 60", "it took longer than 1s");
    check("sh", "kill -9 $$", "it was killed; it may take 150s");
}

#[test]
fn what_a_command_of_the_user_leaves_running_holds_nothing() {
    let mut machine = validated("sh", "app.conf", "sleep 3 & umask");
    machine.settings.reload = Some(Remote { script: "sleep 3 &".into(), timeout: PATIENCE });
    let order = machine.order("1-a", "new\n");
    machine.deploy(&order);
    machine.is_clean();
}

#[test]
fn a_file_that_others_change_is_left_to_them() {
    for shell in shells() {
        let machine = Machine::new(shell, "old\n");
        let order = machine.order("1-a", "new\n");
        let stale = Order { seen: None, ..order.clone() };
        assert!(refused(&machine, &stale).contains("is no longer what was looked at"), "{shell}");
        machine.yes(&Verb::Stage(order.clone()));
        testkit::write(machine.path(), "theirs\n");
        assert!(
            no(machine.does(&Verb::Swap(order.clone()))).contains("was changed by somebody else"),
            "{shell}"
        );
        assert!(no(machine.does(&Verb::Restore(order.clone()))).contains("is not what it was"), "{shell}");
        assert_eq!(machine.text(), "theirs\n", "{shell}");
        machine.is_clean();
        // Also of one that is confirmed.
        let order = machine.order("2-b", "new\n");
        machine.deploy(&order);
        testkit::write(machine.path(), "again theirs\n");
        assert!(machine.look().has_drifted(), "{shell}");
        assert!(no(machine.does(&Verb::Restore(order))).contains("changed by somebody else"), "{shell}");
        assert_eq!(machine.text(), "again theirs\n", "{shell}");
    }
}

#[test]
fn what_is_cut_off_on_the_way_is_never_used() {
    for shell in shells() {
        let machine = Machine::new(shell, "old\n");
        let order = machine.order("1-a", "new content\n");
        for length in [0, 5] {
            let mut child = machine.program(&Verb::Stage(order.clone())).spawn().unwrap();
            child.stdin.take().unwrap().write_all(&b"new content\n"[..length]).unwrap();
            let said = said(child);
            assert_eq!(
                (said.status, said.complaint.as_str()),
                (3, "the content did not arrive whole"),
                "{shell}"
            );
            assert_eq!(machine.text(), "old\n");
            machine.is_clean();
        }
        machine.deploy(&order);
    }
}

#[test]
fn one_deployment_at_a_time() {
    let machine = Machine::new("sh", "old\n");
    let order = |id: &str| Order { seen: None, ..machine.order(id, "new\n") };
    // All at once: one wins, and the others hear who it is.
    let seen = machine.look().live;
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = ["1-a", "1-b", "1-c", "1-d"]
            .map(|id| {
                let order = Order { seen: seen.clone(), ..order(id) };
                let machine = &machine;
                scope.spawn(move || (id, machine.does(&Verb::Stage(order))))
            })
            .into_iter()
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_yes()).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    let others = answers.iter().filter(|(_, answer)| !answer.is_yes());
    for (_, answer) in others {
        assert!(matches!(answer, Answer::Unknown(why) if why.starts_with(BUSY)), "{answers:?}");
    }
    let winner = Order { seen, ..order(won[0].0) };
    // Asked twice it is the same one; and nobody else may undo it.
    machine.yes(&Verb::Stage(winner.clone()));
    let loser = if won[0].0 == "1-a" { "1-b" } else { "1-a" };
    machine.yes(&Verb::Restore(Order { seen: machine.look().live, ..order(loser) }));
    assert_eq!(machine.look().open.map(|open| open.id), Some(winner.id.clone()));
    machine.yes(&Verb::Swap(winner.clone()));
    machine.yes(&Verb::Confirm(winner));
    machine.is_clean();
}

#[test]
fn a_place_that_is_not_ours_is_refused() {
    let machine = Machine::new("sh", "old\n");
    let order = machine.order("1-a", "new\n");
    let store = machine.folder.path().join("store");
    std::os::unix::fs::symlink(machine.folder.path(), &store).unwrap();
    assert!(no(machine.does(&Verb::Stage(order.clone()))).contains("is no folder of our own"));
    fs::remove_file(&store).unwrap();
    fs::create_dir(&store).unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(no(machine.does(&Verb::Stage(order.clone()))).contains("others may write to"));
    fs::set_permissions(&store, fs::Permissions::from_mode(0o755)).unwrap();
    machine.deploy(&order);

    let machine = Machine::named("sh", "folder/app.conf", "");
    assert!(refused(&machine, &machine.order("1-a", "new\n")).contains("there is no folder"));
    let machine = Machine::new("sh", "");
    fs::create_dir(machine.path()).unwrap();
    let order = Order { seen: None, ..Machine::new("sh", "").order("1-a", "new\n") };
    assert!(no(machine.does(&Verb::Stage(order))).contains("is no file"));
}

/// The reason for which nothing is deployed to `machine`: it is found by looking, and by staging.
#[track_caller]
fn shut(machine: &Machine, order: &Order) -> String {
    let why = no(answer(&machine.said(&Verb::Look)));
    let before = machine.text();
    assert_eq!(no(machine.does(&Verb::Stage(order.clone()))), why, "{}", machine.shell);
    assert_eq!((machine.text(), names(machine.path().parent().unwrap()).len()), (before, 1));
    why
}

#[test]
fn nobody_else_may_write_to_a_folder_on_the_way() {
    for shell in shells() {
        let mut machine = Machine::new(shell, "old\n");
        let etc = machine.path().parent().unwrap().to_owned();
        let mode =
            |folder: &Path, mode| fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        let order = machine.order("1-a", "new\n");
        for open in [0o777, 0o1777, 0o757] {
            mode(&etc, open);
            let why = format!("all may write to {}, and could put another file", etc.display());
            assert!(shut(&machine, &order).starts_with(&why), "{shell}");
        }
        // Above the file it is enough that nobody can replace what is another's.
        mode(&etc, 0o755);
        mode(machine.folder.path(), 0o777);
        assert!(shut(&machine, &order).contains("all may write to"), "{shell}");
        mode(machine.folder.path(), 0o1777);
        machine.deploy(&order);
        // But not where a link is followed.
        let link = machine.folder.path().join("link");
        std::os::unix::fs::symlink(&etc, &link).unwrap();
        machine.settings.path = link.join("app.conf").to_str().unwrap().to_owned();
        let order = Order { id: "2-b".into(), ..order };
        assert!(shut(&machine, &order).contains("all may write to"), "{shell}");
        mode(machine.folder.path(), 0o755);
        machine.deploy(&machine.order("2-b", "newer\n"));
    }
}

#[test]
fn who_is_trusted_may_own_the_folder() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a folder is given away by root alone");
        return;
    }
    for shell in shells() {
        let mut machine = Machine::new(shell, "old\n");
        let etc = machine.path().parent().unwrap().to_owned();
        let order = machine.order("1-a", "new\n");
        let own = |user, group, mode| {
            std::os::unix::fs::chown(&etc, Some(user), Some(group)).unwrap();
            fs::set_permissions(&etc, fs::Permissions::from_mode(mode)).unwrap();
        };
        own(54_321, 0, 0o755);
        let why = shut(&machine, &order);
        assert!(why.contains("is of 54321, who could put another file in the place of"), "{shell}: {why}");
        assert!(why.ends_with("name 54321 in trust of the spec"), "{shell}: {why}");
        own(0, 54_321, 0o775);
        let why = shut(&machine, &order);
        assert!(why.contains("the group 54321 may write to"), "{shell}: {why}");
        machine.settings.trust = vec!["app".into(), "54321".into()];
        own(54_321, 54_321, 0o775);
        machine.deploy(&order);
    }
}

#[test]
fn what_is_open_elsewhere_in_the_store_is_seen() {
    for shell in shells() {
        let mut machine = Machine::new(shell, "old\n");
        let (first, second) = (machine.order("1-a", "new\n"), machine.order("2-b", "other\n"));
        machine.yes(&Verb::Stage(first.clone()));
        machine.settings.name = "db".into();
        let is_rival = |machine: &Machine, is_guarded| {
            let rival = machine.look().rival.unwrap();
            let open = (rival.open.id.as_str(), rival.open.is_guarded);
            assert_eq!((rival.place.as_str(), open), ("web", ("1-a", is_guarded)), "{shell}");
            assert_eq!(Path::new(&rival.file), machine.path());
        };
        is_rival(&machine, true);
        // Whoever has looked before the other one began is told now.
        let answer = machine.does(&Verb::Stage(second.clone()));
        let Answer::Unknown(why) = &answer else { panic!("{shell}: {answer:?}") };
        assert!(why.starts_with(BUSY) && why.ends_with("by the spec web"), "{shell}: {why}");
        assert_eq!(names(machine.path().parent().unwrap()).len(), 3, "{shell}");
        machine.settings.name = "web".into();
        machine.yes(&Verb::Swap(first));
        machine.reboot();
        assert_eq!(machine.look().rival, None);
        machine.settings.name = "db".into();
        is_rival(&machine, false);
        // By another path of the same spec.
        let path = machine.settings.path.clone();
        machine.settings = Settings { name: "web".into(), path: format!("{path}.new"), ..machine.settings };
        let seen = machine.look();
        let [left] = &seen.left[..] else { panic!("{shell}: {seen:?}") };
        assert_eq!((&left.place, &left.file, &left.open.id), (&key(&path), &path, &"1-a".into()));
        machine.settings.path = path;
        assert_eq!(machine.settle(), Settled::Undone("1-a".into()), "{shell}");
        machine.deploy(&second);
        // Both have begun, and neither had seen the other.
        let third = machine.order("3-c", "third\n");
        let mut child = machine.program(&Verb::Stage(third.clone())).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while machine.look().open.is_none() {
            assert!(Instant::now() < end, "{shell}: it does not begin");
        }
        let rival = machine.folder.path().join("store/db").join(key(&machine.settings.path));
        let head = "id 3-d\nversion v\nwho eva@box\ntime T\nfile F\n";
        fs::create_dir_all(rival.join("open")).unwrap();
        testkit::write(rival.join("open/head"), head);
        feed(&mut child, &Verb::Stage(third));
        let said = said(child);
        let want = format!("{BUSY}: 3-d by eva@box since T, by the spec db");
        assert_eq!((said.status, said.complaint), (4, want), "{shell}");
        machine.is_clean();
    }
}

#[test]
fn an_id_or_a_path_that_could_mean_more_is_never_sent() {
    let machine = Machine::new("sh", "old\n");
    for id in ["../x", "a b", "-a", ".", "a\n", "*"] {
        assert!(machine.place().script(&Verb::Stage(machine.order(id, ""))).is_err(), "{id:?}");
    }
    for path in ["etc/app.conf", "/etc/a\nb", ""] {
        let settings = Settings { path: path.into(), ..machine.settings.clone() };
        assert!(Place::new(settings).script(&Verb::Look).is_err(), "{path:?}");
    }
}

#[test]
fn a_full_disk_is_found_before_anything_is_touched() {
    let machine = Machine::new("sh", "old\n").with_reload();
    let etc = machine.path().parent().unwrap();
    let is_mounted = |on: &Path| {
        let mut mount = Program::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,mode=755", "none"]).arg(on).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success())
    };
    if !is_mounted(etc) {
        eprintln!("skipped: no file system can be mounted");
        return;
    }
    let unmount = Unmount(etc.to_owned());
    testkit::write(machine.path(), "old\n");
    let why = refused(&machine, &machine.order("1-a", &"x".repeat(100_000)));
    assert!(why.contains("No space left on device"), "{why}");
    // What fills up behind the swap does not keep a host from going back.
    let order = machine.order("2-b", "new\n");
    machine.yes(&Verb::Stage(order.clone()));
    machine.yes(&Verb::Swap(order.clone()));
    let fill = fs::File::create(etc.join("fill")).and_then(|mut file| file.write_all(&vec![0; 100_000]));
    assert!(fill.is_err());
    machine.yes(&Verb::Restore(order));
    assert_eq!((machine.text().as_str(), machine.reloads()), ("old\n", vec!["new".into(), "old".into()]));
    drop(unmount);
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _is_told = Program::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn an_attempt_that_wakes_up_late_leaves_the_other_one_alone() {
    for shell in shells() {
        let machine = Machine::new(shell, "old\n");
        let order = machine.order("1-a", "new\n");
        // The very script that was sent before, on another session.
        let script = machine.place().whole(&Verb::Stage(order.clone())).unwrap();
        let attempt = || {
            let mut program = machine.program(&Verb::Look);
            let last = program.get_args().count() - 1;
            let words: Vec<_> = program.get_args().take(last).map(ToOwned::to_owned).collect();
            let mut again = Program::new(program.get_program());
            again.args(words).arg(&script);
            program = again;
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let first = attempt();
        let end = Instant::now() + Duration::from_secs(20);
        while machine.look().open.is_none() {
            assert!(Instant::now() < end, "{shell}: it does not begin");
        }
        let mut second = attempt();
        feed(&mut second, &Verb::Stage(order.clone()));
        assert_eq!(answer(&said(second)), Answer::Yes(()), "{shell}");
        machine.yes(&Verb::Swap(order.clone()));
        // Its input ends before the content was there.
        assert!(!matches!(answer(&said(first)), Answer::Yes(())), "{shell}");
        assert_eq!(machine.text(), "new\n", "{shell}");
        machine.yes(&Verb::Restore(order));
        assert_eq!(machine.text(), "old\n", "{shell}");
        machine.is_clean();
    }
}

#[test]
fn what_a_power_cut_leaves_goes_back() {
    for shell in shells() {
        let machine = Machine::new(shell, "old\n");
        let order = machine.order("1-a", "new\n");
        machine.yes(&Verb::Stage(order.clone()));
        machine.yes(&Verb::Swap(order));
        machine.reboot();
        // The file got to the disk, and no phase behind the first.
        for phase in ["armed", "staged"] {
            fs::remove_file(machine.store().join("open").join(format!("phase.{phase}"))).unwrap();
        }
        assert_eq!(machine.settle(), Settled::Undone("1-a".into()), "{shell}");
        assert_eq!(machine.text(), "old\n", "{shell}");
        machine.is_clean();
    }
}
