//! Many at once, and many times over.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::rig::{FOREIGN, OLD, Rig};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrotate");

/// As many as `SRE_SWEEP` says, 15 unless set.
fn rounds() -> usize {
    std::env::var("SRE_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(15).max(1)
}

#[test]
fn of_three_rotators_one_is_at_it() {
    let mut busy = 0;
    for _ in 0..rounds().min(100) {
        let rig = Rig::file();
        let prober = rig.prober();
        let start = || {
            Command::new(PROGRAM)
                .args(rig.args())
                .stderr(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let children = [start(), start(), start()];
        let statuses = children.map(|child| {
            let run = child.wait_with_output().unwrap();
            let code = run.status.code();
            assert!(matches!(code, Some(0 | 75)), "{run:?}");
            code
        });
        assert!(statuses.contains(&Some(0)), "{statuses:?}");
        busy += statuses.iter().filter(|code| **code == Some(75)).count();
        assert_eq!(rig.converges(Path::new(PROGRAM)), [""; 0]);
        assert_eq!(prober.end(), [""; 0]);
    }
    assert!(busy > 0, "they never met");
}

#[test]
fn a_consumer_that_was_given_the_key_elsewhere_keeps_the_old_one() {
    let rig = Rig::file();
    // The service of `c` reads another file than the one that the spec names.
    rig.keep("c.other", OLD);
    rig.with_attest("c", "sha256sum FOLDER/c.other");
    let prober = rig.prober();
    for _ in 0..rounds() {
        let run = rig.run(Path::new(PROGRAM), &["run", &rig.path("spec.toml").display().to_string()]);
        assert_eq!(run.status.code(), Some(23), "{run:?}");
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(said.contains("c: it uses the old key"), "{said}");
        let tokens = std::fs::read_to_string(rig.path("tokens")).unwrap();
        assert!(tokens.contains(OLD) && tokens.contains(FOREIGN), "{tokens}");
    }
    assert_eq!(prober.end(), [""; 0]);
}
