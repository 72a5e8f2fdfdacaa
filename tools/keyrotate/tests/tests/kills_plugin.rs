//! A plug-in that is killed itself, at any step of what it was asked for; keyrotate goes on.

use std::fs;
use std::path::PathBuf;

use testkit::strace::works;
use testkit::sweep;

use crate::rig::Rig;
use crate::targets::{Plugin, TOKEN_FILE};

/// The sample, which is killed in one of its runs.
struct Struck {
    folder: tempfile::TempDir,
}

impl Struck {
    fn new() -> Self {
        let struck = Self { folder: tempfile::tempdir().unwrap() };
        let here = struck.folder.path().display();
        testkit::write(
            struck.path("plugin"),
            format!(
                "#!/bin/sh\nn=$(($(cat {here}/count) + 1)); echo $n >{here}/count\n\
                 read -r run call nth <{here}/at\n[ $n = $run ] || exec {TOKEN_FILE} \"$@\"\n\
                 exec strace -f -qq -o {here}/trace -e trace=?$call \
                 -e inject=?$call:signal=KILL:when=$nth {TOKEN_FILE} \"$@\"\n"
            ),
        );
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(struck.path("plugin"), executable).unwrap();
        struck.arm(0, "write", 1);
        struck
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Has it killed in its run `run`, counted from 1 and from now, at the `nth` call.
    fn arm(&self, run: usize, call: &str, nth: usize) {
        testkit::write(self.path("at"), format!("{run} {call} {nth}\n"));
        testkit::write(self.path("count"), "0\n");
    }

    fn rig(&self) -> Rig {
        Rig::new(Plugin(self.path("plugin").display().to_string()))
    }

    /// How often it was run.
    fn runs(&self) -> usize {
        fs::read_to_string(self.path("count")).unwrap().trim().parse().unwrap()
    }

    fn is_hit(&self) -> bool {
        fs::read_to_string(self.path("trace")).is_ok_and(|trace| trace.contains("+++ killed by SIGKILL"))
    }
}

#[test]
fn a_plug_in_that_is_killed_costs_nobody_his_key() {
    if !works() {
        return;
    }
    let program = sweep::program(env!("CARGO_BIN_EXE_keyrotate"));
    let struck = Struck::new();
    let run = |rig: &Rig| rig.run(&program, &["run", &rig.path("spec.toml").display().to_string()]);
    assert_eq!(run(&struck.rig()).status.code(), Some(0));
    let runs = struck.runs();
    let points = [("write", 2), ("fsync", 1), ("rename", 1), ("renameat2", 1), ("execve", 4), ("clone", 5)];
    let points: Vec<_> =
        points.iter().flat_map(|(call, most)| (1..=*most).map(move |nth| (*call, nth))).collect();
    let all: Vec<_> =
        (1..=runs).flat_map(|run| points.iter().map(move |(call, nth)| (run, *call, *nth))).collect();
    let (mut hits, mut wrong) = (0, Vec::new());
    let some = sweep::some(&all, 4);
    for &&(at, call, nth) in &some {
        let struck = Struck::new();
        let rig = struck.rig();
        let prober = rig.prober();
        struck.arm(at, call, nth);
        let first = run(&rig);
        hits += usize::from(struck.is_hit());
        struck.arm(0, call, nth);
        let mut found = rig.converges(&program);
        found.extend(prober.end());
        wrong.extend(found.into_iter().map(|found| format!("{call} {nth} of run {at}: {found} {first:?}")));
    }
    println!("a killed plug-in: {hits} hits of {} tried, {} in all", some.len(), all.len());
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(hits > 0);
}
