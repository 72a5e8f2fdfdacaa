use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::parse;
use crate::sample::{Sample, Value};

const MARK: &str = "5f3a9c";

/// Shells that can be a login shell, and whether they can be /bin/sh too.
const SHELLS: [(&[&str], bool); 9] = [
    (&["/bin/sh"], true),
    (&["/bin/dash"], true),
    (&["/bin/bash"], true),
    (&["/bin/busybox", "sh"], true),
    (&["/bin/mksh"], true),
    (&["/bin/ksh"], true),
    (&["/bin/zsh"], false),
    (&["/bin/tcsh"], false),
    (&["/usr/bin/fish"], false),
];

fn everything() -> Wanted {
    Wanted {
        collectors: Collector::ALL.iter().map(|(_, collector)| *collector).collect(),
        window: Duration::ZERO,
        commands: Vec::new(),
    }
}

fn only(collectors: &[Collector]) -> Wanted {
    Wanted { collectors: collectors.iter().copied().collect::<BTreeSet<_>>(), ..everything() }
}

fn output(shell: &[&str], line: &str) -> Vec<u8> {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("-c").arg(line).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{shell:?}");
    assert!(output.stderr.is_empty(), "{shell:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn sampled(wanted: &Wanted) -> Sample {
    let output = output(&["/bin/sh"], &script(wanted, MARK));
    parse::sample(&output, wanted, MARK).unwrap()
}

fn is_complete(sample: &Sample, shell: &[&str]) {
    let told = (sample.cpu.is_some(), sample.load.is_some(), sample.memory.is_some(), sample.files.is_some());
    assert_eq!(told, (true, true, true, true), "{shell:?}");
    let many = [sample.interfaces.len(), sample.sockets.len(), sample.filesystems.len()];
    assert!(many.iter().all(|many| *many > 0), "{shell:?}: {many:?}");
    assert!(sample.processes.is_some() && sample.uptime.is_some() && sample.time.is_some(), "{shell:?}");
    assert!(sample.boot_time.is_some() && sample.system.name == "Linux", "{shell:?}");
    assert_eq!(sample.gaps, [], "{shell:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn every_shell_that_is_here_runs_it() {
    let wanted = everything();
    let script = script(&wanted, MARK);
    for (shell, is_posix) in SHELLS.iter().filter(|(shell, _)| Path::new(shell[0]).exists()) {
        let login = output(shell, &format!("exec /bin/sh -c '{script}'"));
        is_complete(&parse::sample(&login, &wanted, MARK).unwrap(), shell);
        if *is_posix {
            is_complete(&parse::sample(&output(shell, &script), &wanted, MARK).unwrap(), shell);
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn busybox_with_its_own_applets_runs_it() {
    let busybox = Path::new("/bin/busybox");
    if !busybox.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for applet in ["sh", "cat", "date", "head", "sleep", "stat", "uname"] {
        std::os::unix::fs::symlink(busybox, folder.path().join(applet)).unwrap();
    }
    let wanted = everything();
    let mut shell = Command::new(folder.path().join("sh"));
    shell.arg("-c").arg(script(&wanted, MARK)).env("PATH", folder.path());
    let sample = parse::sample(&shell.output().unwrap().stdout, &wanted, MARK).unwrap();
    is_complete(&sample, &["busybox"]);
    // Without stat(1), too, df(1) tells of the same file systems.
    std::fs::remove_file(folder.path().join("stat")).unwrap();
    std::os::unix::fs::symlink(busybox, folder.path().join("df")).unwrap();
    let without = parse::sample(&shell.output().unwrap().stdout, &wanted, MARK).unwrap();
    let root = |sample: &Sample| {
        let root = sample.filesystems.iter().find(|one| one.mountpoint == "/").unwrap();
        (root.device.clone(), root.fstype.clone(), root.size)
    };
    assert_eq!(root(&without), root(&sample));
}

/// Which of `mounts` are asked, under every shell that is here.
fn asked(mounts: &str, want: &[&str]) {
    let choose = format!("set -f;set -- $(cat);{CHOOSE}{ASK}");
    // In the place of stat(1), a function that prints its paths.
    let script = format!("stat(){{ shift 3;for p do printf \"%s\\n\" \"$p\";done;}};{choose}");
    for (shell, _) in SHELLS.iter().filter(|(shell, is_posix)| *is_posix && Path::new(shell[0]).exists()) {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg("-c").arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), mounts.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap().stdout;
        let output = String::from_utf8(output).unwrap();
        assert_eq!(output.lines().collect::<Vec<_>>(), want, "{shell:?}: {mounts}");
    }
}

#[test]
fn only_local_file_systems_are_asked() {
    let check = |mounts: &[&str], want: &[&str]| {
        let lines: Vec<String> = mounts.iter().map(|mount| format!("{mount} rw 0 0\n")).collect();
        asked(&lines.concat(), want);
    };
    check(&["/dev/sda1 / ext4", "proc /proc proc", "tmpfs /run tmpfs"], &["/", "/run"]);
    check(&["rootfs / rootfs", "/dev/root / ext3", "rpool/x /x zfs", "a /a btrfs"], &["/", "/x"]);
    check(&["overlay / overlay", "overlay /merged overlay", "/dev/loop0 /snap squashfs"], &["/"]);
    // What is remote, and what is mounted on it or beneath it, whenever it was.
    check(&["/dev/sda1 / ext4", "srv:/a /a nfs4", "/dev/sdb1 /a/b xfs", "/dev/sdc1 /ab xfs"], &["/", "/ab"]);
    check(&["/dev/sdb1 /a xfs", "//srv/a /a cifs", "tmpfs /b tmpfs"], &["/b"]);
    check(
        &["u@h: /s fuse.sshfs", "/dev/fuse /p fuse.portal", "/dev/sdb1 /n fuseblk", "x /o orangefs"],
        &["/n"],
    );
    check(&["/dev/gpfs /g gpfs", "/dev/drbd0 /h gfs2", "/dev/drbd1 /o ocfs2", "h /l lustre"], &[]);
    check(&["srv:/root / nfs", "tmpfs /tmp tmpfs"], &["/tmp"]);
    check(&["systemd-1 /boot autofs", "/dev/sda2 /boot vfat"], &["/boot"]);
    check(&["srv:/x /dev/y nfs", "cgroup /dev/cgroup cgroup", "/dev/a /c ext4"], &["/c"]);
    check(
        &["/dev/a /a\\040b\\011c ext4", "/dev/b /d\\134e ext4", "/dev/c /f040 ext4", "/dev/d /5%d\\040 ext4"],
        &["/a b\tc", "/d\\e", "/f040", "/5%d "],
    );
    check(
        &["/dev/a /* ext4", "/dev/b /$(id) ext4", "srv:/ /[a] nfs", "/dev/c /a ext4"],
        &["/*", "/$(id)", "/a"],
    );
}

#[test]
fn the_script_passes_any_login_shell() {
    let mut wanted = Wanted { window: Duration::from_millis(500), ..everything() };
    wanted.commands.push(("plain".to_owned(), "systemctl is-active nginx; echo 5%".to_owned()));
    let script = script(&wanted, MARK);
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"'!\\".contains(&byte);
    assert!(script.bytes().all(is_plain), "{script}");
}

#[test]
fn the_script_is_short() {
    let long = script(&everything(), MARK).len();
    assert!(long <= 1500, "{long} bytes");
    let short = script(&only(&[Collector::Cpu, Collector::Mem]), MARK).len();
    assert!(short <= 400, "{short} bytes");
}

#[test]
fn only_what_is_wanted_is_read() {
    let check = |collectors: &[Collector], want: &str| {
        let script = script(&only(collectors), MARK);
        let (_, rest) = script.split_once("Linux|\"\")").unwrap();
        assert_eq!(rest.split_once(";;").unwrap().0, want);
    };
    check(&[], "");
    check(&[Collector::Load], "m files;head -n 99999 /proc/loadavg /dev/null");
    check(&[Collector::Cpu, Collector::Mem], "m files;head -n 99999 /proc/stat /proc/meminfo");
    check(
        &[Collector::Cpu, Collector::Uptime],
        "m files;head -n 99999 /proc/stat /proc/uptime;m clock;date +%s.%N",
    );
}

#[test]
fn the_window_is_waited_for_only_with_the_cpu() {
    let check = |millis, want: Option<&str>| {
        let wanted = Wanted { window: Duration::from_millis(millis), ..only(&[Collector::Cpu]) };
        assert_eq!(wait(&wanted).as_deref(), want);
        let wanted = Wanted { window: Duration::from_millis(millis), ..only(&[Collector::Load]) };
        assert_eq!(wait(&wanted), None);
    };
    check(0, None);
    check(1000, Some("sleep 1"));
    check(500, Some("sleep 0.5||sleep 1"));
    check(2050, Some("sleep 2.05||sleep 3"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_window_gives_two_readings() {
    let wanted = Wanted { window: Duration::from_millis(200), ..only(&[Collector::Cpu]) };
    let sample = sampled(&wanted);
    let sum = |cpu: Option<crate::sample::Cpu>| {
        let modes = cpu.unwrap().total;
        modes.user + modes.nice + modes.system + modes.idle + modes.iowait + modes.irq + modes.softirq
    };
    let passed = sum(sample.cpu) - sum(sample.cpu_before);
    assert!(passed >= 0.1, "{passed} s of CPU time passed in 0.2 s");
    assert_eq!(sample.gaps, []);
}

#[test]
fn commands_run_apart_from_each_other() {
    let commands = [
        ("number", "echo 42"),
        ("quoted", "printf 'a=%s b=\"%s\"\\n' 1 \"it's\""),
        ("broken", "if"),
        ("failed", "echo 0; exit 3"),
        ("silent", ":"),
        ("unended", "printf 7"),
        ("stdin", "cat; echo 1"),
        ("state", "cd /; set -f; x=1; echo *"),
        ("bang", "echo '!1'"),
    ];
    let commands = commands.map(|(name, command)| (name.to_owned(), command.to_owned()));
    let wanted = Wanted { commands: commands.to_vec(), ..only(&[]) };
    let script = script(&wanted, MARK);
    let output = Command::new("/bin/sh").arg("-c").arg(&script).output().unwrap();
    // What a command says on stderr is not lost.
    assert!(String::from_utf8_lossy(&output.stderr).contains("yntax error"));
    let sample = parse::sample(&output.stdout, &wanted, MARK).unwrap();
    let values = |name: &str| {
        let extra = sample.extras.iter().find(|extra| extra.name == name);
        extra.map(|extra| (extra.status, extra.values.clone()))
    };
    let one = |value| vec![(String::new(), Value::Number(value))];
    let text = |value: &str| Value::Text(value.to_owned());
    assert_eq!(values("number"), Some((0, one(42.0))));
    let quoted = vec![("a".to_owned(), Value::Number(1.0)), ("b".to_owned(), text("it's"))];
    assert_eq!(values("quoted"), Some((0, quoted)));
    assert_eq!(values("broken"), None);
    assert_eq!(values("failed"), Some((3, one(0.0))));
    assert_eq!(values("silent"), None);
    assert_eq!(values("unended"), Some((0, one(7.0))));
    assert_eq!(values("stdin"), Some((0, one(1.0))));
    assert_eq!(values("state"), Some((0, vec![(String::new(), text("*"))])));
    assert_eq!(values("bang"), Some((0, vec![(String::new(), text("!1"))])));
    let failed = |name: &str, why: &str| (name.to_owned(), why.to_owned());
    let broken = [failed("broken", "it ended with status 2"), failed("failed", "it ended with status 3")];
    assert_eq!(sample.failed[..2], broken);
    assert_eq!(sample.failed[2..], [failed("silent", "it said nothing")]);
}

#[test]
#[cfg(target_os = "linux")]
fn values_are_those_of_proc() {
    let read = |name: &str| std::fs::read_to_string(name).unwrap();
    let first = |text: &str, at: usize| -> f64 { text.split_whitespace().nth(at).unwrap().parse().unwrap() };
    let context = |text: &str| first(text.split_once("ctxt").unwrap().1, 0);
    let before = (read("/proc/uptime"), read("/proc/stat"));
    let sample = sampled(&everything());
    let after = (read("/proc/uptime"), read("/proc/stat"));
    let lies =
        |low: f64, value: f64, high: f64| assert!(low <= value && value <= high, "{low} {value} {high}");
    lies(first(&before.0, 0), sample.uptime.unwrap(), first(&after.0, 0));
    let cpu = sample.cpu.unwrap();
    lies(first(&before.1, 1) / 100.0, cpu.total.user, first(&after.1, 1) / 100.0);
    lies(first(&before.1, 3) / 100.0, cpu.total.system, first(&after.1, 3) / 100.0);
    #[allow(clippy::cast_precision_loss, reason = "a count below 2^53")]
    let switches = cpu.context_switches.unwrap() as f64;
    lies(context(&before.1), switches, context(&after.1));
    assert_eq!(cpu.cores.len(), before.1.lines().filter(|line| line.starts_with("cpu")).count() - 1);
    let total = read("/proc/meminfo").lines().next().map(|line| first(line, 1)).unwrap();
    #[allow(clippy::cast_precision_loss, reason = "a size below 2^53")]
    let told = sample.memory.unwrap().total as f64;
    assert!((told - total * 1024.0).abs() < 0.5, "{told}");
    let names: Vec<String> = sample.interfaces.iter().map(|one| one.device.clone()).collect();
    assert_eq!(names.len(), read("/proc/net/dev").lines().count() - 2);
    let root = sample.filesystems.iter().find(|one| one.mountpoint == "/").unwrap();
    let df = Command::new("df").args(["-kP", "/"]).output().unwrap();
    let df = String::from_utf8(df.stdout).unwrap();
    let kilobytes = first(df.lines().nth(1).unwrap(), 1);
    #[allow(clippy::cast_precision_loss, reason = "a size below 2^53")]
    let size = root.size as f64;
    assert!((size - kilobytes * 1024.0).abs() < 1024.0, "{size}");
}
