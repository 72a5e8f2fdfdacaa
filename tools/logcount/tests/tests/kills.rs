//! Killed at any point, while a writer appends and rotates, nothing is lost and nothing counted twice.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use testkit::strace::{Fate, Killer, Point};

use super::case;

const WORDS: [&str; 4] = ["DEBUG", "INFO", "WARNING", "ERROR"];

/// How often to kill; `SRE_SWEEP` for more.
fn kills() -> u64 {
    std::env::var("SRE_SWEEP").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Rotation {
    /// logrotate: `app.log` becomes `app.log.1` and a new one is created.
    Rename,
    /// The same, and the older one is packed.
    Pack,
    /// `copytruncate`.
    Copy,
}

/// Appends records and rotates the log, until it is told to stop.
struct Writer {
    folder: PathBuf,
    rotation: Rotation,
    log: File,
    dice: Dice,
    written: [u64; 4],
    rotations: u32,
}

impl Writer {
    fn new(folder: &Path, rotation: Rotation) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(folder.join("app.log")).unwrap();
        Self { folder: folder.into(), rotation, log, dice: Dice(7), written: [0; 4], rotations: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a record, sometimes in two halves, sometimes with a trace.
    fn write(&mut self) {
        let level = usize::try_from(self.dice.roll(4)).unwrap();
        let number: u64 = self.written.iter().sum();
        let trace = if self.dice.roll(8) == 0 { "java.lang.X: ERROR\n\tat x\n" } else { "" };
        let text = format!(
            "2026-03-01 10:30:00,{:03} {} [main] record {number}\n{trace}",
            number % 1000,
            WORDS[level]
        );
        let (first, second) = text.split_at(usize::try_from(self.dice.roll(text.len() as u64)).unwrap());
        self.log.write_all(first.as_bytes()).unwrap();
        if self.dice.roll(16) == 0 {
            thread::sleep(Duration::from_micros(300));
        }
        self.log.write_all(second.as_bytes()).unwrap();
        self.written[level] += 1;
    }

    fn rotate(&mut self) {
        self.rotations += 1;
        let folder = self.folder.clone();
        let shifted = |number: u32, ext: &str| folder.join(format!("app.log.{number}{ext}"));
        for number in (1..self.rotations).rev() {
            for ext in ["", ".gz"] {
                let _not_there = fs::rename(shifted(number, ext), shifted(number + 1, ext));
            }
        }
        if self.rotation == Rotation::Copy {
            fs::copy(self.path("app.log"), self.path("app.log.1")).unwrap();
            self.log.set_len(0).unwrap();
            return;
        }
        fs::rename(self.path("app.log"), self.path("app.log.1")).unwrap();
        // A program goes on with the old file for a moment.
        self.write();
        self.log = OpenOptions::new().create(true).append(true).open(self.path("app.log")).unwrap();
        if self.rotation == Rotation::Pack && shifted(2, "").exists() {
            let mut gz = flate2::write::GzEncoder::new(
                File::create(shifted(2, ".gz")).unwrap(),
                flate2::Compression::fast(),
            );
            gz.write_all(&fs::read(shifted(2, "")).unwrap()).unwrap();
            gz.finish().unwrap();
            fs::remove_file(shifted(2, "")).unwrap();
        }
    }
}

/// Writes and rotates in a thread beside `run`, and returns the folder and what was written. Nothing
/// is written while the log is copied and truncated: that would be lost to everybody.
fn beside(
    rotation: Rotation,
    pause_us: u64,
    mut run: impl FnMut(&Path, &mut Dice),
) -> (tempfile::TempDir, [u64; 4], u32) {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::new(folder.path(), rotation);
    (0..100).for_each(|_| writer.write());
    let mut dice = Dice(1);
    // What was rotated before the first run took note of the log is not counted.
    while !folder.path().join("s").exists() {
        run(folder.path(), &mut dice);
    }
    let writer = Arc::new(Mutex::new(writer));
    let stop = Arc::new(AtomicBool::new(false));
    let thread = {
        let (writer, stop) = (Arc::clone(&writer), Arc::clone(&stop));
        thread::spawn(move || {
            let mut dice = Dice(3);
            for round in 1_u64.. {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let mut writer = writer.lock().unwrap();
                for _ in 0..dice.roll(40) {
                    writer.write();
                }
                if round % 8 == 0 {
                    writer.rotate();
                }
                drop(writer);
                thread::sleep(Duration::from_micros(dice.roll(pause_us)));
            }
        })
    };
    for _ in 0..kills() {
        run(folder.path(), &mut dice);
    }
    stop.store(true, Ordering::SeqCst);
    thread.join().unwrap();
    let writer = writer.lock().unwrap();
    (folder, writer.written, writer.rotations)
}

/// One more run, that nobody kills, must come to exactly what was written.
#[track_caller]
fn check(rotation: Rotation, pause_us: u64, run: impl FnMut(&Path, &mut Dice)) {
    let (folder, written, rotations) = beside(rotation, pause_us, run);
    let flags = "--format prometheus --state s app.log";
    let out = case(flags).current_dir(folder.path()).stdout_has("log_records_total").run();
    let text = String::from_utf8(out.stdout).unwrap();
    for (word, count) in WORDS.iter().zip(written) {
        let want = format!("log_records_total{{level=\"{}\"}} {count}\n", word.to_lowercase());
        assert!(text.contains(&want), "after {rotations} rotations: {want}{text}");
    }
    assert!(text.contains("log_records_total{level=\"unknown\"} 0\n"), "{text}");
    assert!(written.iter().sum::<u64>() > 0 && rotations > 0, "nothing was written");
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logcount"));
    command.args(["--json", "--state", "s", "--lock-timeout", "60s", "app.log"]).current_dir(folder);
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// Kills a run after some time, or lets it end.
fn kill_soon(folder: &Path, dice: &mut Dice) {
    let mut child = start(folder);
    thread::sleep(Duration::from_micros(dice.roll(6_000)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn nothing_is_lost_when_logs_are_renamed() {
    check(Rotation::Rename, 2_000, kill_soon);
}

#[test]
fn nothing_is_lost_when_logs_are_packed() {
    check(Rotation::Pack, 2_000, kill_soon);
}

#[test]
fn nothing_is_lost_when_logs_are_copied_and_truncated() {
    check(Rotation::Copy, 2_000, kill_soon);
}

#[test]
fn nothing_is_lost_wherever_it_is_killed() {
    if !testkit::strace::works() {
        return;
    }
    let calls =
        ["openat", "read", "pread64", "write", "fsync", "rename", "renameat2", "flock", "statx", "close"];
    let mut victims = 0;
    // Under strace every call takes some 50 µs more.
    check(Rotation::Rename, 40_000, |folder, dice| {
        let syscall = calls[usize::try_from(dice.roll(calls.len() as u64)).unwrap()];
        let nth = u32::try_from(1 + dice.roll(if syscall == "fsync" { 2 } else { 12 })).unwrap();
        let killer = Killer::new(env!("CARGO_BIN_EXE_logcount")).args(["--json", "--state", "s", "app.log"]);
        victims += u32::from(killer.current_dir(folder).run(Point { syscall, nth }) == Fate::Killed);
    });
    assert!(victims > 0, "nobody was killed");
}
