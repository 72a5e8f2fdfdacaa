//! What nobody may see.

use super::rig::{Rig, Spec, said};

const SECRET: &str = "Zq8-not-for-everybody-4711";

const FOLDED: &str = "[validate]\nlocal = \"sh -c 'cat /proc/[0-9]*/cmdline >>FOLDER/argv; exit 0' x {}\"\n\
                      remote = \"cat /proc/[0-9]*/cmdline >>FOLDER/argv 2>/dev/null; true {}\"\n\
                      [reload]\ncommand = \"cat /proc/[0-9]*/cmdline >>FOLDER/argv 2>/dev/null; true\"\n\
                      [secrets]\ntoken = { file = \"token\" }";

#[test]
fn a_secret_is_in_the_file_and_nowhere_else() {
    let Some(rig) = Rig::start(Spec::three().with(FOLDED)) else { return };
    testkit::write(rig.path("token"), format!("{SECRET}\n"));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(rig.path("token"), mode).unwrap();
    testkit::write(rig.path("app.json.j2"), "{\"workers\": {{ workers }},\n\"token\": \"{{ token }}\"}\n");
    let mut all = String::new();
    for task in [
        &["-vvv", "plan", "web.toml"][..],
        &["-vvv", "plan", "--json", "web.toml"],
        &["-vvv", "apply", "--on-event", "cat >told", "web.toml"],
        &["status", "--json", "web.toml"],
        &["-vvv", "validate", "web.toml"],
        &["-vvv", "rollback", "web.toml"],
        &["-vvv", "plan", "web.toml"],
        &["history", "--json"],
    ] {
        let run = rig.run(task);
        assert_eq!(run.status.code(), Some(0), "{task:?}: {}", said(&run));
        all += &said(&run);
        if task[1] == "apply" {
            assert!(rig.text("web02").contains(SECRET), "{}", rig.text("web02"));
        }
    }
    for file in ["argv", "told", "state/history.jsonl"] {
        all += &String::from_utf8_lossy(&std::fs::read(rig.path(file)).unwrap());
    }
    assert!(all.contains("confpush") && all.contains("+\"token\""), "{all}");
    assert!(!all.contains(SECRET));
    rig.is_clean();
}
