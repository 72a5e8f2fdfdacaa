//! How much memory a run takes: the kernel's own count of its highest resident size.
//!
//! Behind the file comes standard input, which stays open: when a row of it was printed, all of the
//! file was read, and the process is still there to be asked.
//!
//! The limits are those of an optimized binary; `SRE_RELEASE` names the folder of the one that ships.
//! Without it, debug builds are only asked whether memory grows with the file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::live::{Live, is_release, people};

const MIB: u64 = 1024;

/// A quoted field has everything in it.
const PART: &[u8] = b"x,y\n\"\"z, some bytes with commas, quotes and line ends among them.";

/// The peak in KiB of a run on `file` that has come to its end.
fn peak(file: &Path, last: &str, args: &[&str]) -> u64 {
    let mut run = Live::start(&[args, &[file.to_str().unwrap(), "-"]].concat());
    run.say(last);
    run.wait_for(last.split_inclusive('\n').next_back().unwrap());
    run.peak()
}

/// The peaks in KiB of a run on 16 MiB and on 64 MiB.
fn peaks(args: &[&str]) -> (u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let last = "id,name,age,city,status,joined\n0,last,99,San Francisco,active,2026-03-28\n";
    let of = |length: usize| {
        let file = folder.path().join("people.csv");
        testkit::write(&file, people(length));
        peak(&file, last, args)
    };
    let found = (of(16 << 20), of(64 << 20));
    println!("{args:?}: {} KiB with 16 MiB, {} KiB with 64 MiB", found.0, found.1);
    found
}

#[test]
fn one_thread_takes_eight_mebibytes_whatever_the_size() {
    for condition in
        ["age >= 50", "city =~ /^San F.*o$/", "joined >= 2026-03-14", "age >= 30 and status == 'active'"]
    {
        let (small, large) = peaks(&["-j1", condition]);
        assert!(large <= small + MIB, "{condition}: {small} KiB, then {large} KiB");
        assert!(!is_release() || large <= 8 * MIB, "{condition}: {large} KiB");
    }
}

#[test]
fn two_threads_take_sixteen_mebibytes_whatever_the_size() {
    for condition in ["age >= 50", "city =~ /^San F.*o$/"] {
        let (small, large) = peaks(&["-j2", condition]);
        // How many of the eight blocks are in use, and with them 6 MiB, is a matter of chance.
        assert!(large <= small + 6 * MIB, "{condition}: {small} KiB, then {large} KiB");
        assert!(!is_release() || large <= 16 * MIB, "{condition}: {large} KiB");
    }
}

#[test]
fn a_quote_that_never_closes_takes_no_more_than_a_record_may() {
    const RECORD: u64 = 16 << 10;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    let last = "id,name,age,city,status,joined\n0,last,99,San Francisco,active,2026-03-28\n";
    let rows = people(24 << 20);
    let header = rows.find('\n').unwrap() + 1;
    for jobs in ["-j1", "-j2"] {
        let of = |open: &str, behind: &str| {
            testkit::write(&file, [&rows[..header], open, behind].concat());
            peak(&file, last, &[jobs, "--quiet", "--max-record", "16MiB", "age >= 50"])
        };
        let plain = of("", &rows[header..]);
        let good = of("1,\"Eve\n", &rows[header..]);
        let bad = of("1,\"Eve\n", &"no,person\n".repeat(2 << 20));
        println!("{jobs}: {plain} KiB, {good} KiB with an open quote, {bad} KiB with bad rows behind it");
        // How many blocks are in use is a matter of chance.
        let most = plain + RECORD + if jobs == "-j1" { 3 * MIB } else { 6 * MIB };
        assert!(good <= most && bad <= most, "{good} KiB and {bad} KiB, and not {most}");
    }
}

#[test]
fn a_field_takes_no_more_than_two_and_a_half_times_its_length() {
    // 1 GiB where it is asked for: it needs that much on the disk, and 2.5 of memory.
    let length: u64 = if std::env::var_os("SRE_GIGABYTE").is_some() { 1 << 30 } else { 50 << 20 };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.csv");
    let mut text = BufWriter::new(File::create(&file).unwrap());
    text.write_all(b"id,text\n1,\"").unwrap();
    for _ in 0..length / PART.len() as u64 {
        text.write_all(PART).unwrap();
    }
    text.write_all(b"\"\n").unwrap();
    drop(text);
    let most = length * 5 / 2 / 1024;
    let found = peak(&file, "id,text\n2,last\n", &["-j1", "id > 0", "--max-record", "2GiB"]);
    println!("{} MiB: {} MiB", length >> 20, found >> 10);
    assert!(found <= most, "{found} KiB, and not {most}");
}
