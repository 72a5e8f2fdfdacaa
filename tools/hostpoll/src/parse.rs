//! The output of the probe → a sample. Pure: no clock, no host, and no bytes that it fails on.
//!
//! | module | what it reads |
//! |---|---|
//! | `sections` | the sections, and where an answer stopped |
//! | `linux` | /proc, after proc(5) |
//! | `devices` | /proc/diskstats, /proc/net |
//! | `space` | mounts and file systems, on all systems |
//! | `bsd` | sysctl(8) and its like on FreeBSD and macOS |
//! | `extra` | what a `--command` said |

mod bsd;
mod devices;
mod extra;
mod linux;
mod sections;
mod space;

use crate::sample::{Collector, Sample, System, Wanted};
use sections::Sections;

/// Reads the whole output of [`crate::probe::script`], between the marks of its beginning and end.
/// What is missing in it is a gap, and so is a number that is none or out of range.
///
/// # Errors
/// A sentence, when it holds no section at all: then it is no output of the probe.
pub fn sample(output: &[u8], wanted: &Wanted, mark: &str) -> Result<Sample, String> {
    read(output, wanted, mark, false)
}

/// The same of an output that stopped at a deadline: the section that was open then is not used, and
/// what it and those after it would have told is a gap that names it.
///
/// # Errors
/// As [`sample`], and when it stopped before its first section was whole.
pub fn partial(output: &[u8], wanted: &Wanted, mark: &str) -> Result<Sample, String> {
    read(output, wanted, mark, true)
}

fn read(output: &[u8], wanted: &Wanted, mark: &str, is_partial: bool) -> Result<Sample, String> {
    let text = String::from_utf8_lossy(output);
    let sections = Sections::new(&text, mark, is_partial);
    let Some(uname) = sections.get("system") else {
        return Err(match sections.open() {
            Some(_) => "it stopped answering before it had said what it is".to_owned(),
            None => "its output is not that of the probe; is /bin/sh a POSIX shell there?".to_owned(),
        });
    };
    let mut answer =
        Answer { sections, wanted, sample: Sample { system: system(uname), ..Sample::default() } };
    match answer.sample.system.name.as_str() {
        "Linux" | "" => linux::read(&mut answer),
        "FreeBSD" | "Darwin" => bsd::read(&mut answer),
        _ => other(&mut answer),
    }
    extra::read(&mut answer);
    Ok(answer.sample)
}

/// What is being read, and what has been read of it.
struct Answer<'a> {
    sections: Sections<'a>,
    wanted: &'a Wanted,
    sample: Sample,
}

impl Answer<'_> {
    fn wants(&self, collector: Collector) -> bool {
        self.wanted.collectors.contains(&collector)
    }

    /// Notes what is missing of `collector`, which `section` would have told; once, and only when it
    /// was asked for.
    fn gap(&mut self, collector: Collector, section: &str, why: &str) {
        if self.wants(collector) && self.sample.gaps.iter().all(|(noted, _)| *noted != collector) {
            let why = self.sections.stopped_before(section).unwrap_or_else(|| why.to_owned());
            self.sample.gaps.push((collector, why));
        }
    }
}

/// `uname -snrm` prints system, node, release and machine, in whichever order they are asked for.
fn system(line: &str) -> System {
    let mut words = line.split_ascii_whitespace().map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    let (name, node, release, machine) = (next(), next(), next(), next());
    System { name, release, machine, node }
}

/// A system of which only what POSIX knows is read.
fn other(answer: &mut Answer<'_>) {
    const UNREAD: [Collector; 8] = [
        Collector::Cpu,
        Collector::Mem,
        Collector::Io,
        Collector::Net,
        Collector::Uptime,
        Collector::Files,
        Collector::Sockets,
        Collector::Pressure,
    ];
    let name = answer.sample.system.name.clone();
    for collector in UNREAD {
        answer.gap(collector, "", &format!("hostpoll does not read {} on {name}", collector.name()));
    }
    if answer.wants(Collector::Load) {
        answer.sample.load = answer.sections.get("load").and_then(load_of_uptime);
        if answer.sample.load.is_none() {
            answer.gap(Collector::Load, "load", "uptime tells no load averages");
        }
    }
    bsd::processes(answer);
    space::read_df(answer);
}

/// ` 10:15am  up 3 days,  2 users,  load average: 0.52, 0.48, 0.41`; OpenBSD says `load averages:`.
fn load_of_uptime(text: &str) -> Option<[f64; 3]> {
    let (_, loads) = text.rsplit_once("load average")?;
    let mut loads = loads.trim_start_matches(['s', ':']).split([',', ' ']).filter(|word| !word.is_empty());
    let mut next = || number(loads.next()?.trim());
    Some([next()?, next()?, next()?])
}

/// A finite number that is not negative.
fn number(word: &str) -> Option<f64> {
    // `parse` takes `inf`, `nan` and `+1` too.
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    word.parse().ok().filter(|value: &f64| is_number && value.is_finite())
}

/// A count. `parse` takes `+1` too.
fn count(word: &str) -> Option<u64> {
    if word.starts_with('+') { None } else { word.parse().ok() }
}

#[cfg(test)]
mod tests;
