//! A connection that is lost, at every step: all hosts are as before, or all have the new file.

use super::rig::{NEW, OLD, Rig, Spec, meanwhile, said, wait_for};

/// On a host: kills the server of its own session, once.
const CUT: &str = "mkdir FOLDER/once 2>/dev/null || exit 0; p=$$; while [ $p -gt 1 ]; do \
                   case $(cat /proc/$p/comm) in sshd*) kill -9 $p; exit 0;; esac; \
                   set -- $(sed 's/.*) //' /proc/$p/stat); p=$2; done";

/// That the hosts agree, and that all is well after the next run.
#[track_caller]
fn agrees(rig: &Rig, spec: &str) -> String {
    let run = rig.run(&["apply", spec]);
    let told = said(&run);
    assert!(wait_for(|| rig.processes().is_empty()), "{:?}", rig.processes());
    assert!(rig.path("once").exists(), "nothing was cut: {told}");
    let hosts = rig.hosts();
    let (old, new) = (rig.wrong(&hosts, OLD), rig.wrong(&hosts, NEW));
    match run.status.code() {
        Some(0) => assert!(new.is_empty(), "{new:?}: {told}"),
        Some(2 | 10) => assert!(old.is_empty(), "{old:?}: {told}"),
        other => panic!("{other:?}: {told}"),
    }
    rig.expect(0, &["apply", spec]);
    rig.all_have(NEW);
    rig.is_clean();
    told
}

#[test]
fn while_the_new_file_is_judged() {
    let cut = format!("[validate]\nremote = '''test -f {{}}; {CUT}'''");
    let Some(rig) = Rig::start(Spec::three().with(&cut)) else { return };
    agrees(&rig, "web.toml");
}

#[test]
fn while_the_service_reads_it() {
    let cut = format!("[reload]\ncommand = '''{CUT}'''");
    let Some(rig) = Rig::start(Spec::three().with(&cut)) else { return };
    agrees(&rig, "web.toml");
}

#[test]
fn while_a_host_is_checked() {
    let cut = format!("[[health]]\ncommand = '''{CUT}'''");
    let Some(rig) = Rig::start(Spec::three().with(&cut)) else { return };
    agrees(&rig, "web.toml");
}

#[test]
fn while_hosts_are_watched() {
    // The third round of checks is in the bake.
    let cut = format!(
        "[[health]]\ncommand = '''echo >>FOLDER/rounds; test $(wc -l <FOLDER/rounds) -lt 7 || {{ {CUT}; }}'''"
    );
    let spec = Spec::three().env("prod", "bake = \"3s\"").with(&cut);
    let Some(rig) = Rig::start(spec) else { return };
    agrees(&rig, "web.toml");
}

#[test]
fn for_good_by_the_new_file_itself() {
    // The new file cuts its host off, as a bad firewall rule does: nobody gets in until the old one is back.
    let wall =
        "grep -q 4 FOLDER/web02/etc/app.json && mkdir -p FOLDER/wall || rmdir FOLDER/wall 2>/dev/null; true";
    // Who is not healthy behind it waits for the cut, however early it could be confirmed.
    let health = "[[health]]\ncommand = \"while [ -d FOLDER/wall ]; do sleep 0.05; done\"\ntimeout = \"5s\"";
    let tables = format!(
        "[reload]\ncommand = \"{wall}\"\ntimeout = \"5s\"\n[strategy]\nconfirm_within = \"6s\"\n{health}"
    );
    let Some(rig) = Rig::start(Spec::three().with(&tables)) else { return };
    // While the wall stands no session lives.
    let cut = |(): &mut ()| {
        if rig.path("wall").is_dir() {
            rig.cut();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let mut run = None;
    meanwhile((), cut, || {
        run = Some(rig.run(&["apply", "web.toml"]));
        wait_for(|| !rig.path("wall").is_dir());
    });
    let run = run.unwrap();
    assert!(matches!(run.status.code(), Some(10 | 11)), "{}", said(&run));
    assert!(wait_for(|| rig.processes().is_empty()), "{:?}", rig.processes());
    rig.all_have(OLD);
    assert_eq!(rig.strays(), [""; 0]);
}
