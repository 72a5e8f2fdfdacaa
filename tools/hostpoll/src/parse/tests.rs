use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::sample::{Cpu, Modes};

fn everything(window: Duration) -> Wanted {
    let collectors: BTreeSet<_> = Collector::ALL.iter().map(|(_, collector)| *collector).collect();
    Wanted { collectors, window, commands: vec![("x".to_owned(), "true".to_owned())] }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/proc")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.txt"))).unwrap()
}

fn read_fixture(name: &str) -> Sample {
    let is_bsd = matches!(name, "macos" | "freebsd");
    let window = if is_bsd { Duration::from_secs(1) } else { Duration::ZERO };
    let wanted = Wanted { commands: Vec::new(), ..everything(window) };
    sample(&fixture(name), &wanted, "fixture").unwrap()
}

/// The gaps, each as `collector: why`.
fn gaps(sample: &Sample) -> Vec<String> {
    sample.gaps.iter().map(|(collector, why)| format!("{}: {why}", collector.name())).collect()
}

fn points(sample: &Sample) -> Vec<&str> {
    sample.filesystems.iter().map(|one| one.mountpoint.as_str()).collect()
}

fn disks(sample: &Sample) -> Vec<&str> {
    sample.disks.iter().map(|one| one.device.as_str()).collect()
}

fn close(value: Option<f64>, want: f64) {
    assert!(value.is_some_and(|value| (value - want).abs() < 1e-6), "{value:?}, not {want}");
}

#[test]
fn recorded_answers_are_complete() {
    for name in ["linux-6-dash", "linux-6-busybox"] {
        let sample = read_fixture(name);
        assert_eq!(gaps(&sample), [""; 0], "{name}");
        assert_eq!(sample.cpu.as_ref().map(|cpu| cpu.cores.len()), Some(2), "{name}");
        assert_eq!(sample.memory.as_ref().map(|memory| memory.total), Some(25_276_502_016), "{name}");
        assert_eq!((disks(&sample), points(&sample)[0]), (vec!["vda"], "/"), "{name}");
        let root = &sample.filesystems[0];
        assert_eq!((root.device.as_str(), root.fstype.as_str()), ("/dev/vda", "ext4"), "{name}");
        assert!(
            root.size > root.free && root.free > root.available && root.files > root.files_free,
            "{name}"
        );
        assert!(sample.filesystems[1..].iter().all(|one| one.is_readonly), "{name}");
    }
}

#[test]
fn centos_5_knows_no_available_memory() {
    let sample = read_fixture("centos-5");
    assert_eq!(gaps(&sample), [""; 0]);
    let memory = sample.memory.clone().unwrap();
    assert_eq!(memory.available, (152_340 + 201_164 + 1_204_416) * 1024);
    assert!(memory.all.contains(&("HugePages_Total".to_owned(), 0)));
    assert!(memory.all.contains(&("VmallocTotal_bytes".to_owned(), 34_359_738_367 * 1024)));
    let cpu = sample.cpu.clone().unwrap();
    close(Some(cpu.total.steal + cpu.total.guest), 0.0);
    close(Some(cpu.cores[1].1.user), 583.89);
    assert_eq!(disks(&sample), ["sda", "hdc"]);
    close(Some(sample.disks[0].read_time), 391.222);
    assert_eq!(sample.disks[0].written_bytes, 50_735_864 * 512);
    let names: Vec<_> = sample.interfaces.iter().map(|one| one.device.as_str()).collect();
    assert_eq!(names, ["lo", "eth0", "sit0"]);
    assert_eq!(sample.interfaces[1].receive_bytes, 3_456_789_012);
    assert_eq!((sample.interfaces[1].receive_drop, sample.interfaces[1].transmit_packets), (3, 3_456_789));
    assert_eq!(points(&sample), ["/", "/boot"]);
    assert_eq!((sample.filesystems[0].fstype.as_str(), sample.filesystems[1].is_readonly), ("ext3", true));
    assert!(sample.sockets.contains(&("sockets_used".to_owned(), 229)));
    assert_eq!(sample.pressure, []);
    close(sample.boot_time, 1_600_000_000.0);
}

#[test]
fn centos_6_tells_of_ipv6_and_shared_memory() {
    let sample = read_fixture("centos-6");
    assert_eq!(gaps(&sample), [""; 0]);
    let memory = sample.memory.clone().unwrap();
    assert_eq!(memory.available, (102_400 + 51_200 + 307_200 + 40_960 - 20_480) * 1024);
    assert!(memory.all.contains(&("Inactive_anon_bytes".to_owned(), 2_400 * 1024)));
    assert!(sample.sockets.contains(&("TCP6_inuse".to_owned(), 3)));
    assert_eq!(disks(&sample), ["vda", "dm-0"]);
    close(sample.cpu.map(|cpu| cpu.total.guest), 0.34);
}

#[test]
fn centos_7_has_spaces_hidden_processes_and_a_broken_line() {
    let sample = read_fixture("centos-7");
    let cores: Vec<u32> = sample.cpu.as_ref().unwrap().cores.iter().map(|(core, _)| *core).collect();
    assert_eq!(cores, [0, 2]);
    assert_eq!(points(&sample), ["/run", "/", "/mnt/data disk", "/srv/bind"]);
    assert_eq!(sample.filesystems[2].fstype, "xfs");
    assert_eq!(disks(&sample), ["sda"]);
    assert_eq!(
        gaps(&sample),
        [
            "procs: /proc hides the processes of other users (hidepid)",
            "io: a line of /proc/diskstats is not understood",
            "disk: cannot read file system information for '/locked': Permission denied",
        ]
    );
}

#[test]
fn a_container_is_told_as_far_as_it_knows() {
    let sample = read_fixture("lxc");
    assert_eq!(gaps(&sample), [""; 0]);
    assert_eq!((points(&sample), disks(&sample).len()), (vec!["/"], 0));
    assert_eq!(sample.filesystems[0].device, "rpool/data/subvol-101-disk-0");
    let pressure: Vec<_> = sample.pressure.iter().map(|(name, kind, _)| (name.as_str(), *kind)).collect();
    let want = [("cpu", "waiting"), ("memory", "waiting"), ("memory", "stalled"), ("io", "waiting")];
    assert_eq!(pressure[..4], want);
    close(sample.pressure.first().map(|(_, _, seconds)| *seconds), 1.5);
    assert_eq!(sample.files, Some((5000, i64::MAX.unsigned_abs())));
}

#[test]
fn what_is_missing_is_a_gap_and_no_failure() {
    assert_eq!(
        gaps(&read_fixture("wsl-1")),
        ["io: cannot read /proc/diskstats", "sockets: cannot read /proc/net/sockstat",]
    );
    let sample = read_fixture("no-proc");
    let told: Vec<_> = sample.gaps.iter().map(|(collector, _)| collector.name()).collect();
    assert_eq!(told, ["cpu", "load", "mem", "files", "uptime", "procs", "io", "net", "sockets", "disk"]);
    close(sample.time, 1_700_000_500.0);
}

#[test]
fn macos_is_read() {
    let sample = read_fixture("macos");
    let shares = sample.cpu_shares.unwrap();
    close(Some(shares.user), 0.12);
    close(Some(shares.system + shares.idle), 0.88);
    assert_eq!(sample.cpu, None);
    let memory = sample.memory.clone().unwrap();
    assert_eq!((memory.total, memory.available), (17_179_869_184, 305_000 * 16384));
    assert_eq!((memory.swap_total, memory.swap_free), (2 << 30, 963_379_200));
    assert_eq!(sample.load, Some([1.83, 1.71, 1.65]));
    assert_eq!(sample.files, Some((5120, 245_760)));
    close(sample.uptime, 3599.75);
    assert_eq!(sample.processes, Some(4));
    let net: Vec<_> = sample.interfaces.iter().map(|one| (one.device.as_str(), one.receive_bytes)).collect();
    assert_eq!(net, [("lo0", 45_678_901), ("gif0", 0), ("en0", 8_765_432_100)]);
    assert_eq!((sample.interfaces[2].transmit_errs, sample.interfaces[2].transmit_drop), (2, 3));
    assert_eq!(points(&sample), ["/", "/System/Volumes/Data", "/Volumes/My Disk"]);
    assert_eq!((sample.filesystems[0].fstype.as_str(), sample.filesystems[0].is_readonly), ("apfs", true));
    assert_eq!(
        gaps(&sample),
        ["io: hostpoll does not read the disks of macOS", "sockets: hostpoll reads no sockets on BSD",]
    );
}

#[test]
fn freebsd_is_read() {
    let sample = read_fixture("freebsd");
    let (before, after) = (sample.cpu_before.clone().unwrap(), sample.cpu.clone().unwrap());
    close(Some(after.total.user - before.total.user), 1.0);
    close(Some(after.total.irq), 5.0);
    assert_eq!(after.cores.len(), 2);
    let memory = sample.memory.clone().unwrap();
    assert_eq!((memory.total, memory.available), (4_252_057_600, 600_000 * 4096));
    assert_eq!((memory.swap_total, memory.swap_total - memory.swap_free), (3_145_728 * 1024, 1024 * 1024));
    let disk = &sample.disks[0];
    assert_eq!((disk.device.as_str(), disk.reads, disk.written_bytes), ("ada0", 12_345, 1_125_135_872));
    close(Some(disk.io_time), 123.4);
    let net: Vec<_> = sample.interfaces.iter().map(|one| (one.device.as_str(), one.receive_drop)).collect();
    assert_eq!(net, [("em0", 2), ("lo0", 0)]);
    assert_eq!(points(&sample), ["/", "/boot/efi", "/data"]);
    assert_eq!((sample.filesystems[2].available, sample.filesystems[2].is_readonly), (0, true));
    assert_eq!(sample.filesystems[2].files, 121_000);
    assert_eq!(gaps(&sample), ["sockets: hostpoll reads no sockets on BSD"]);
}

#[test]
fn any_other_system_tells_what_posix_knows() {
    let sample = read_fixture("sunos");
    assert_eq!((sample.load, sample.processes), (Some([0.52, 0.48, 0.41]), Some(3)));
    assert_eq!(points(&sample), ["/", "/tmp"]);
    assert_eq!(gaps(&sample).len(), 8);
    assert_eq!(gaps(&sample)[0], "cpu: hostpoll does not read cpu on SunOS");
}

#[test]
fn many_cores_and_long_lines_are_read() {
    let line = |name: &str| format!("{name} 10 0 5 100 1 0 1 0 0 0\n");
    let cores: String = (0..1024).map(|core| line(&format!("cpu{core}"))).collect();
    let interrupts = " 0".repeat(15_000);
    let stat = format!("{}{cores}intr 5{interrupts}\nctxt 7\nbtime 9\n", line("cpu "));
    let text = format!("@@ m system\nLinux a b c\n@@ m files\n==> /proc/stat <==\n{stat}");
    let wanted = Wanted { commands: Vec::new(), ..everything(Duration::ZERO) };
    let cpu = sample(text.as_bytes(), &wanted, "m").unwrap().cpu.unwrap();
    assert_eq!((cpu.cores.len(), cpu.cores[1023].0, cpu.context_switches), (1024, 1023, Some(7)));
}

#[test]
fn numbers_out_of_range_are_no_numbers() {
    let check = |stat: &str, want: Option<f64>| {
        let text = format!("@@ m system\nLinux a b c\n@@ m files\n==> /proc/stat <==\n{stat}");
        let wanted = Wanted { commands: Vec::new(), ..everything(Duration::ZERO) };
        let cpu: Option<Cpu> = sample(text.as_bytes(), &wanted, "m").unwrap().cpu;
        let sum = |modes: Modes| modes.user + modes.idle;
        assert_eq!(cpu.map(|cpu| sum(cpu.total)), want, "{stat}");
    };
    check("cpu  100 0 0 100\n", Some(2.0));
    check("cpu  100 0 0\n", None);
    check("cpu  -1 0 0 100\n", None);
    check("cpu  +1 0 0 100\n", None);
    check("cpu  99999999999999999999 0 0 100\n", None);
    check("cpu0 1 0 0 100\n", None);
    check("cpu  nan 0 0 100\n", None);
}

#[test]
fn an_answer_that_stopped_says_where() {
    let whole = String::from_utf8(fixture("centos-5")).unwrap();
    let wanted = everything(Duration::ZERO);
    let check = |until: &str, want: &[&str]| {
        let at = whole.find(until).unwrap() + until.len();
        let sample = partial(&whole.as_bytes()[..at], &wanted, "fixture").unwrap();
        assert_eq!(gaps(&sample), want, "{until}");
        assert_eq!(sample.failed.len(), 1);
    };
    check("@@ fixture filesystems\n", &["disk: it stopped answering at its file systems"]);
    check(
        "@@ fixture clock\n16",
        &["uptime: it stopped answering at its clock", "disk: it stopped answering at its clock"],
    );
    let at = "it stopped answering at the files of /proc";
    let want: Vec<String> = ["files", "pressure", "uptime", "procs", "sockets", "disk"]
        .iter()
        .map(|name| format!("{name}: {at}"))
        .collect();
    // The file that was being read is not used: it may be cut in a number.
    check("202734", &want.iter().map(String::as_str).collect::<Vec<_>>());
    let text = "@@ m system\nLinux a b c\n\n@@ m extra 0\n1\n";
    let only = Wanted { collectors: BTreeSet::new(), ..wanted.clone() };
    let failed = |text: &str| partial(text.as_bytes(), &only, "m").unwrap().failed;
    assert_eq!(failed(text), [("x".to_owned(), "it has not ended by the deadline".to_owned())]);
    assert_eq!(failed(&format!("{text}\n@@ m status 0 0\n")), []);
    assert_eq!(
        failed("@@ m system\nLinux a b c\n@@ m files\n"),
        [("x".to_owned(), "not run: it stopped answering at the files of /proc".to_owned())]
    );
    assert!(partial(b"@@ m system\nLin", &only, "m").unwrap_err().contains("stopped"));
    assert!(sample(b"This account is not available.\n", &only, "m").unwrap_err().contains("POSIX"));
}

/// Answers as they were recorded or written, to be mangled.
fn answers() -> Vec<Vec<u8>> {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    files.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

proptest! {
    #[test]
    fn no_bytes_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400), is_partial: bool) {
        let mut answer = b"@@ fixture system\nLinux a b c\n@@ fixture files\n".to_vec();
        answer.extend_from_slice(&bytes);
        let wanted = everything(Duration::from_secs(1));
        prop_assert!(read(&answer, &wanted, "fixture", is_partial).is_ok());
        let _ = read(&bytes, &wanted, "fixture", is_partial);
    }

    #[test]
    fn no_mangled_answer_fails(
        which: proptest::sample::Index, cut: proptest::sample::Index, is_partial: bool,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), "[ -:=%\n<@9]|[0-9]{25}|é"), 0..12),
    ) {
        let answers = answers();
        let mut answer = answers[which.index(answers.len())].clone();
        for (at, with) in changes {
            let at = at.index(answer.len());
            answer.splice(at..=at, with.bytes());
        }
        answer.truncate(cut.index(answer.len() * 2));
        let wanted = everything(Duration::from_secs(1));
        if let Ok(sample) = read(&answer, &wanted, "fixture", is_partial) {
            // One gap at most for each collector, whatever is broken.
            prop_assert!(sample.gaps.len() <= Collector::ALL.len());
            prop_assert!(sample.load.into_iter().flatten().all(f64::is_finite));
            let spaces = sample.filesystems.iter();
            prop_assert!(spaces.into_iter().all(|one| one.mountpoint.starts_with('/')));
        }
    }
}
