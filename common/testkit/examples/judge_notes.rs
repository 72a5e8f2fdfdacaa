//! Compares what arrived with what a command noted: `judge_notes MANIFEST NOTES` prints the numbers as
//! one JSON object. Waits are milliseconds from the last close to the start of the command.

#![allow(clippy::print_stdout, reason = "a program that only prints")]

use std::io;
use std::path::Path;

use testkit::{arrivals, notes};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [manifest, noted] = &args[..] else { panic!("judge_notes MANIFEST NOTES") };
    let verdict =
        notes::judge(&arrivals::read_manifest(Path::new(manifest))?, &notes::read(Path::new(noted))?);
    let wait = |thousandths| {
        std::time::Duration::from_nanos(verdict.wait_of(thousandths).unsigned_abs()).as_secs_f64()
            * 1000.0
            * if verdict.wait_of(thousandths) < 0 { -1.0 } else { 1.0 }
    };
    println!(
        "{{\"arrived\":{},\"once\":{},\"lost\":{},\"more\":{},\"partial\":{},\"strange\":{},\"p50\":{:.3},\"p99\":{:.3}}}",
        verdict.arrived,
        verdict.once,
        verdict.lost.len(),
        verdict.more.len(),
        verdict.partial.len(),
        verdict.strange.len(),
        wait(500),
        wait(990)
    );
    Ok(())
}
