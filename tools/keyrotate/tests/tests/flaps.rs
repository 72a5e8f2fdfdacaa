//! Targets that cannot be believed: one that says no at times, and one that says yes to everything.

use std::path::Path;

use crate::rig::{FOREIGN, OLD, Rig};
use crate::targets::{Plugin, TOKEN_FILE, digest};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrotate");

/// A plug-in that is the sample but for `check`, which is this piece of shell.
fn plugin(check: &str) -> (tempfile::TempDir, Rig) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin");
    let check = check.replace("HERE", &folder.path().display().to_string());
    testkit::write(
        &path,
        format!("#!/bin/sh\nif [ \"$1\" = check ]; then\n{check}\nfi\nexec {TOKEN_FILE} \"$@\"\n"),
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, executable).unwrap();
    let rig = Rig::new(Plugin(path.display().to_string()));
    (folder, rig)
}

fn rounds() -> usize {
    std::env::var("SRE_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(15).max(1)
}

#[test]
fn a_check_that_flaps_costs_nobody_his_key() {
    let mut ends = std::collections::BTreeMap::new();
    for round in 0..rounds().min(30) {
        let percent = [10, 30, 50][round % 3];
        let (folder, rig) = plugin(&format!(
            "n=$(($(cat HERE/count 2>/dev/null || echo {round}000) + 1)); echo $n >HERE/count\n\
             awk -v s=$n 'BEGIN {{ srand(s); rand(); exit rand() * 100 < {percent} }}' || exit 1"
        ));
        let prober = rig.prober();
        let mut said = Vec::new();
        for _ in 0..12 {
            let run = rig.run(Path::new(PROGRAM), &["run", &rig.path("spec.toml").display().to_string()]);
            let code = run.status.code().unwrap();
            said.push(format!("{code} {}", String::from_utf8_lossy(&run.stderr)));
            *ends.entry((percent, code)).or_insert(0) += 1;
            assert!(matches!(code, 0 | 10 | 11 | 12 | 23), "{said:?}");
            let tokens = std::fs::read_to_string(rig.path("tokens")).unwrap();
            let is_on = |secret: &str| tokens.contains(&format!("{} on", digest(secret)));
            let is_held_by_somebody = rig.holds().iter().any(|held| held == OLD);
            assert!(is_on(FOREIGN) && (is_on(OLD) || !is_held_by_somebody), "{tokens} {said:?}");
            if matches!(code, 0 | 10) {
                assert!(is_on(OLD) || code == 0, "{tokens} {said:?}");
                break;
            }
        }
        assert_eq!(prober.end(), [""; 0], "{percent} {said:?}");
        drop(folder);
    }
    println!("percent, status: {ends:?}");
}

#[test]
fn a_target_that_says_yes_to_everything_gets_nobody_a_new_key() {
    let (_folder, rig) = plugin("exit 0");
    let run = rig.run(Path::new(PROGRAM), &["run", &rig.path("spec.toml").display().to_string()]);
    assert_eq!(run.status.code(), Some(10), "{run:?}");
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("accepts a secret that is wrong"), "{said}");
    assert_eq!(rig.holds(), [OLD; 3]);
    assert_eq!(rig.converges(Path::new(PROGRAM)), [""; 0]);
    let log = std::fs::read_to_string(rig.path("state/rig/audit.jsonl")).unwrap();
    assert!(!log.contains("deploying"), "{log}");
}
