//! How far a run is, on a terminal that `script` makes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use testkit::{Case, has};

use super::live::program;

/// Waits until `file` ends with `part`.
fn wait_for(file: &Path, part: &str) {
    for _ in 0..2000 {
        if std::fs::read(file).is_ok_and(|text| text.ends_with(part.as_bytes())) {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("{} never had {part:?}", file.display());
}

/// What a terminal shows of a run whose second row comes so long after the first.
fn shown(pause: Duration, flags: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, out) = (folder.path().join("pipe"), folder.path().join("out"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let line = format!("{} --all {flags} {} > {}", program().display(), pipe.display(), out.display());
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).stdin(std::process::Stdio::null());
    let terminal = std::thread::spawn(move || terminal.output().unwrap());
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(b"id,name\n1,a\n").unwrap();
    wait_for(&out, "1,a\n");
    sleep(pause);
    writer.write_all(b"2,b\n").unwrap();
    wait_for(&out, "2,b\n");
    drop(writer);
    let shown = terminal.join().unwrap();
    assert!(shown.status.success());
    String::from_utf8(shown.stdout).unwrap()
}

#[test]
fn a_long_run_tells_a_terminal_how_far_it_is() {
    if !has("script") {
        return;
    }
    let long = Duration::from_millis(1100);
    let line = shown(long, "");
    let told = line.strip_prefix("\r8 B, ").and_then(|line| line.strip_suffix("/s, 2 rows\x1b[K\r\x1b[K"));
    assert!(told.is_some_and(|rate| rate.ends_with(" B")), "{line:?}");
    assert_eq!(shown(long, "--quiet"), "");
    assert_eq!(shown(Duration::ZERO, ""), "");
}

#[test]
fn where_no_terminal_is_nothing_is_told() {
    let script = "(printf 'id,name\\n1,a\\n'; sleep 1.2; printf '2,b\\n') | \"$0\" --all";
    let case = Case::new("sh").args(["-c", script]).args([program()]);
    case.stdout("id,name\n1,a\n2,b\n").run();
}
