//! Lets files come into a folder: `make_files MODE DIR --count N [--manifest FILE] [--tell] [--size BYTES]
//! [--rate PER_SECOND] [--gap MS] [--first SERIAL]`.
//!
//! MODE is `burst`, `rename-in`, `nested`, `slow`, `reopen` or `recreate`; see `testkit::arrivals`. The
//! manifest has a line for each file when it is complete, and with `--tell` standard output has its path
//! and a NUL at once. At the end it says how long that took.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a generator for benchmarks stops at the first surprise"
)]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use testkit::arrivals::{Arrival, Mode, Plan, manifest_line};

fn mode(word: &str) -> Mode {
    match word {
        "burst" => Mode::Burst,
        "rename-in" => Mode::RenameIn,
        "nested" => Mode::Nested,
        "slow" => Mode::Slow,
        "reopen" => Mode::Reopen,
        "recreate" => Mode::Recreate,
        _ => panic!("no mode {word}"),
    }
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(word), Some(folder)) = (args.next(), args.next()) else {
        panic!("make_files MODE DIR --count N")
    };
    let mut plan = Plan::new(mode(&word), folder, 0);
    let (mut manifest, mut is_told) = (None, false);
    while let Some(flag) = args.next() {
        let mut value = || args.next().unwrap();
        match flag.as_str() {
            "--count" => plan.count = value().parse().unwrap(),
            "--first" => plan.first = value().parse().unwrap(),
            "--size" => plan.size = value().parse().unwrap(),
            "--rate" => plan.rate = Some(value().parse().unwrap()),
            "--gap" => plan.gap = Duration::from_millis(value().parse().unwrap()),
            "--manifest" => manifest = Some(BufWriter::with_capacity(1 << 20, File::create(value())?)),
            "--tell" => is_told = true,
            _ => panic!("no flag {flag}"),
        }
    }
    let start = Instant::now();
    let mut out = io::stdout();
    plan.make(|arrival: &Arrival| {
        if is_told {
            out.write_all(&[arrival.path.as_os_str().as_bytes(), b"\0"].concat())
                .and_then(|()| out.flush())
                .unwrap();
        }
        if let Some(file) = &mut manifest {
            file.write_all(&manifest_line(arrival)).unwrap();
        }
    })?;
    if let Some(mut file) = manifest {
        file.flush()?;
    }
    eprintln!("{} files in {:.3} s", plan.count, start.elapsed().as_secs_f64());
    Ok(())
}
