//! What a deployment leaves, and what it refuses.

use super::*;

#[test]
fn a_deployment_is_confirmed_or_undone() {
    for shell in shells() {
        let machine = Machine::named(shell, "it's a \"$name\" &.conf", "old\n");
        let (path, seen) = (machine.path().to_owned(), machine.look());
        assert_eq!((seen.kept.len(), &seen.open, &seen.wants), (0, &None, &None));
        let order = machine.order("20260101T000000Z-1", "new\n");
        machine.yes(&Verb::Stage(order.clone()));
        assert_eq!(machine.text(), "old\n");
        let open = machine.look().open.unwrap();
        assert_eq!(
            (open.id.as_str(), open.who.as_str(), open.is_guarded),
            ("20260101T000000Z-1", "jan@box", true)
        );
        machine.yes(&Verb::Beat(order.clone()));
        machine.yes(&Verb::Swap(order.clone()));
        machine.yes(&Verb::Swap(order.clone()));
        assert_eq!((machine.text().as_str(), machine.mode()), ("new\n", 0o640), "{shell}");
        machine.yes(&Verb::Confirm(order.clone()));
        machine.yes(&Verb::Confirm(order.clone()));
        machine.is_clean();
        let seen = machine.look();
        assert_eq!(seen.kept.len(), 1);
        assert_eq!(seen.kept[0].after, seen.live);
        assert_eq!(seen.kept[0].before, order.seen);
        assert!(!seen.has_drifted());

        machine.yes(&Verb::Restore(order.clone()));
        assert_eq!((machine.text().as_str(), machine.mode()), ("old\n", 0o640), "{shell}");
        machine.yes(&Verb::Restore(order.clone()));
        machine.is_clean();
        assert_eq!(machine.look().kept, []);
        assert!(matches!(machine.does(&Verb::Confirm(order.clone())), Answer::No(_)));
        assert!(matches!(machine.does(&Verb::Swap(order.clone())), Answer::No(_)));
        assert!(matches!(machine.does(&Verb::Beat(order.clone())), Answer::No(_)));
        assert_eq!(names(path.parent().unwrap()).len(), 1);
    }
}

#[test]
fn mode_and_owner_are_kept_or_what_the_spec_wants() {
    let is_root = rustix::process::geteuid().is_root();
    for shell in shells() {
        let mut machine = Machine::new(shell, "old\n");
        if is_root {
            std::os::unix::fs::chown(machine.path(), Some(12), Some(34)).unwrap();
        }
        fs::set_permissions(machine.path(), fs::Permissions::from_mode(0o4751)).unwrap();
        let owner = |machine: &Machine| {
            let found = fs::metadata(machine.path()).unwrap();
            (found.uid(), found.gid())
        };
        let was = (owner(&machine), machine.mode());
        let first = machine.order("1-a", "new\n");
        machine.deploy(&first);
        assert_eq!((owner(&machine), machine.mode()), was, "{shell}");
        machine.settings.access.mode = Some(0o604);
        if is_root {
            machine.settings.access.owner = Some("56".into());
        }
        assert!(machine.look().wants.is_some());
        let second = machine.order("2-b", "newer\n");
        machine.deploy(&second);
        assert_eq!(machine.look().wants, None);
        assert_eq!(machine.mode(), 0o604, "{shell}");
        assert_eq!(owner(&machine), if is_root { (56, 34) } else { was.0 }, "{shell}");
        machine.yes(&Verb::Restore(second));
        assert_eq!((owner(&machine), machine.mode()), was, "{shell}");
    }
}

#[test]
fn there_may_have_been_no_file() {
    for shell in shells() {
        let machine = Machine::new(shell, "");
        let order = machine.order("1-a", "new\n");
        assert_eq!(order.seen, None);
        machine.deploy(&order);
        assert_eq!((machine.text().as_str(), machine.mode()), ("new\n", 0o644), "{shell}");
        // Back to nothing, as a deployment of its own; and that undone.
        let nothing = Order { content: Content::Nothing, ..machine.order("2-b", "") };
        machine.yes(&Verb::Stage(nothing.clone()));
        machine.yes(&Verb::Swap(nothing.clone()));
        assert!(!machine.path().exists(), "{shell}");
        machine.yes(&Verb::Restore(nothing.clone()));
        assert_eq!((machine.text().as_str(), machine.mode()), ("new\n", 0o644), "{shell}");
        machine.deploy(&nothing);
        assert_eq!(machine.look().current().unwrap().after, None, "{shell}");
        machine.yes(&Verb::Restore(nothing));
        machine.yes(&Verb::Restore(order));
        assert!(!machine.path().exists(), "{shell}");
        machine.is_clean();
    }
}

#[test]
fn the_last_ones_are_kept_and_can_be_had_again() {
    for shell in ["sh", "mksh"].into_iter().filter(|shell| testkit::has(shell)) {
        let machine = Machine::new(shell, "0\n");
        for number in 1..=4 {
            machine.deploy(&machine.order(&format!("{number}-a"), &format!("{number}\n")));
        }
        let kept: Vec<_> = machine.look().kept.into_iter().map(|kept| kept.id).collect();
        assert_eq!(kept, ["3-a", "4-a"], "{shell}");
        let check = |piece: Piece, want: &str| {
            let said = machine.said(&Verb::Fetch(piece));
            assert_eq!((said.status, said.output.as_slice()), (0, want.as_bytes()), "{shell}");
        };
        check(Piece::Live, "4\n");
        check(Piece::Before("3-a".into()), "2\n");
        check(Piece::After("3-a".into()), "3\n");
        assert_eq!(machine.said(&Verb::Fetch(Piece::After("1-a".into()))).status, 1);
        let again = |id: &str, piece| Order { content: Content::Kept(piece), ..machine.order(id, "") };
        machine.deploy(&again("5-a", Piece::Before("3-a".into())));
        assert_eq!(machine.text(), "2\n");
        machine.deploy(&again("6-a", Piece::After("4-a".into())));
        assert_eq!(machine.text(), "4\n");
        assert!(matches!(
            machine.does(&Verb::Stage(again("7-a", Piece::After("1-a".into())))),
            Answer::No(_)
        ));
        machine.is_clean();
    }
}

#[test]
fn a_link_leads_to_the_file() {
    for shell in shells() {
        let mut machine = Machine::new(shell, "old\n");
        let link = machine.folder.path().join("link");
        std::os::unix::fs::symlink("etc/app.conf", &link).unwrap();
        let file = std::mem::replace(&mut machine.settings.path, link.to_str().unwrap().to_owned());
        let order = machine.order("1-a", "new\n");
        machine.deploy(&order);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "{shell}");
        machine.yes(&Verb::Restore(order));
        assert_eq!(fs::read_to_string(&file).unwrap(), "old\n");
        assert_eq!(names(Path::new(&file).parent().unwrap()), ["app.conf"], "{shell}");
    }
}

#[test]
fn a_reader_finds_the_old_file_or_the_new_one() {
    let (old, new) = ("o".repeat(50_000), "n".repeat(70_000));
    let machine = Machine::new("sh", &old);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut kinds = [0usize; 2];
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let text = fs::read_to_string(machine.path()).unwrap();
                assert!(text == old || text == new, "{} bytes", text.len());
                kinds[usize::from(text == new)] += 1;
            }
            kinds
        });
        for number in 0..5 {
            let order = machine.order(&format!("{number}-a"), &new);
            machine.deploy(&order);
            machine.yes(&Verb::Restore(order));
        }
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap().iter().all(|&count| count > 0));
    });
}

#[test]
fn all_is_done_by_sudo_where_the_spec_says_so() {
    let mut machine = Machine::new("sh", "old\n");
    machine.settings.becomes = true;
    let bin = machine.folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    testkit::write(bin.join("sudo"), "#!/bin/sh\n[ \"$1 $2\" = '-n --' ] || exit 9\nshift 2\nexec \"$@\"\n");
    fs::set_permissions(bin.join("sudo"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let asked = |verb: &Verb| {
        let mut child = machine.program(verb).env("PATH", &path).spawn().unwrap();
        feed(&mut child, verb);
        said(child)
    };
    let seen = asked(&Verb::Look);
    let seen = notes::read(&seen.output, &machine.settings.access).unwrap();
    let content = Content::Bytes(Zeroizing::new(b"it's \\new\n".to_vec()));
    let (id, version, who) = ("1-a".to_owned(), "v".to_owned(), "it's jan@box".to_owned());
    let order = Order { id, content, version, who, seen: seen.live, confirm_within: machine.within };
    for verb in [Verb::Stage, Verb::Swap, Verb::Beat, Verb::Confirm] {
        assert_eq!(answer(&asked(&verb(order.clone()))), Answer::Yes(()));
    }
    assert_eq!(machine.text(), "it's \\new\n");
    assert_eq!(asked(&Verb::Look).output.windows(12).filter(|part| *part == b"it's jan@box").count(), 1);
}
