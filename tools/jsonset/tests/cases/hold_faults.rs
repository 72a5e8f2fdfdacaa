//! `--while` where a call of the holder fails: nobody is told that a change is undone which is not.

use std::fs;
use std::process::Command;

use testkit::strace;

const BIN: &str = env!("CARGO_BIN_EXE_jsonset");

const OLD: &str = "{\"a\": 1}\n";

/// Runs a use whose holder meets an error at the `nth` call of `syscall`; false when it makes fewer.
fn strike(syscall: &str, nth: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    testkit::write(&path, OLD);
    let mut strace = Command::new("strace");
    // Without -f: neither the watcher nor COMMAND is traced.
    strace.args(["-qq", "-o", "log", "-e", &format!("trace=?{syscall}")]);
    strace.args(["-e", &format!("inject=?{syscall}:error=EIO:when={nth}")]);
    strace.args([BIN, "x.json", "a=5", "--while", "--", "true"]);
    let output = strace.current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let is_old = fs::read_to_string(&path).unwrap() == OLD;
    assert!(is_old || !output.status.success(), "{syscall} {nth}: {said}");
    assert!(output.status.success() || !said.is_empty(), "{syscall} {nth} is not spoken of");
    let recovered = Command::new(BIN).args(["x.json", "--recover"]).current_dir(folder.path()).status();
    assert!(recovered.unwrap().success(), "{syscall} {nth}");
    assert_eq!(fs::read_to_string(&path).unwrap(), OLD, "{syscall} {nth}");
    fs::read_to_string(folder.path().join("log")).unwrap().contains("(INJECTED)")
}

#[test]
fn no_error_of_the_holder_passes_for_an_undone_change() {
    if !strace::works() {
        return;
    }
    // Not all of them exist on every processor.
    let calls = ["flock", "statx", "read", "openat", "fsync", "rename", "renameat2", "unlink"];
    let met: usize = calls.iter().map(|call| (1..1000).take_while(|nth| strike(call, *nth)).count()).sum();
    assert!(met > 40, "{met}");
}
