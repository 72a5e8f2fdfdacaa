//! `--log DIR`: a file for each run, of which the last are kept.
//!
//! The file is written while COMMAND runs, so it can be followed, and what was printed before a crash is in it. The
//! first line says what ran and when, and the last how it ended: a file without that belongs to a run that goes on,
//! or was killed. A log that cannot be written is a warning: COMMAND is run for what it does.

use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use common::{OrCannot, Result};

use crate::run::{End, Run};

/// The log of one run.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    to: fs::File,
    /// How much more of the output is taken as it comes.
    room: u64,
    added: u64,
    ends_a_line: bool,
    failed: Option<io::Error>,
}

impl File {
    /// Makes the log of the run `id`, which begins with a time and a hyphen, of `name` in `folder`, which is made when it is not there but the one above
    /// it is. Of the logs of this `name` so many as `keep` stay, this one among them; others and
    /// links are left alone.
    ///
    /// # Errors
    /// When it cannot be made, or is there already; nothing is removed then. What cannot be removed is
    /// a warning.
    pub(crate) fn begin(folder: &Path, name: &str, id: &str, keep: u32) -> Result<Self> {
        if !folder.exists() {
            DirBuilder::new().create(folder).or_cannot("create", folder)?;
        }
        let prefix = format!("{}-", in_a_file_name(name));
        let path = folder.join(format!("{prefix}{id}.log"));
        let mut options = fs::OpenOptions::new();
        let to = options.write(true).create_new(true).mode(0o640).open(&path).or_cannot("create", &path)?;
        let room = u64::MAX;
        let mut log = Self { path, to, room, added: 0, ends_a_line: true, failed: None };
        log.write(format!("--- {name}, run {id}, began {}\n", now()).as_bytes());
        tidy(folder, &prefix, id, keep);
        Ok(log)
    }

    /// Takes no more than the first `most` bytes as they come.
    pub(crate) fn limited(self, most: Option<u64>) -> Self {
        Self { room: most.unwrap_or(u64::MAX), ..self }
    }

    /// Writes what COMMAND printed, as far as there is room.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let taken = &bytes[..bytes.len().min(room)];
        self.room -= taken.len() as u64;
        self.added += taken.len() as u64;
        self.write(taken);
    }

    /// How many bytes were added.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }

    /// Writes the last of what COMMAND printed, whether there is room or not.
    pub(crate) fn add_end(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }

    /// Writes how it ended; tells when something could not be written.
    pub(crate) fn end(mut self, run: &Run) {
        let newline = if self.ends_a_line { "" } else { "\n" };
        let how = match run.end {
            End::Exit(status) | End::NotStarted(status) => format!("status {status}"),
            End::Signal(signal) => format!("signal {signal}"),
            End::Late => "timeout".into(),
        };
        let ended = DateTime::<Utc>::from(run.ended).to_rfc3339_opts(SecondsFormat::Millis, true);
        let attempts = if run.attempts == 1 { "attempt" } else { "attempts" };
        let took = run.took.as_secs_f64();
        let line =
            format!("{newline}--- ended {ended}: {how}, after {took:.3}s and {} {attempts}\n", run.attempts);
        self.write(line.as_bytes());
        if let Some(why) = self.failed {
            log::warn!("cannot write {}: {why}; the end of the output is not in it", self.path.display());
        }
    }

    /// After the first failure nothing more: a text with a hole looks as if it were whole.
    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.to.write_all(bytes).err();
            self.ends_a_line = bytes.last().map_or(self.ends_a_line, |last| *last == b'\n');
        }
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A name without what a file's name cannot have.
fn in_a_file_name(name: &str) -> String {
    name.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect()
}

/// Removes the oldest logs but `keep`. That of another name may begin with this one: what is between `prefix`
/// and `.log` has to look as `id` does.
fn tidy(folder: &Path, prefix: &str, id: &str, keep: u32) {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(why) => return log::warn!("cannot read {}: {why}; old logs stay", folder.display()),
    };
    let is_one = |name: &str| its_id(name, prefix).is_some_and(|its| shape(its) == shape(id));
    let others = found.filter_map(io::Result::ok).filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| is_one(name))?;
        let about = entry.metadata().ok().filter(Metadata::is_file)?;
        let its = its_id(&name, prefix).filter(|its| *its != id)?;
        // Of one second that which was written last is the later one.
        Some((its.split('-').next()?.to_owned(), about.modified().ok(), name))
    });
    let mut logs: Vec<_> = others.collect();
    logs.sort_unstable();
    let stay = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
    let old = logs.len().saturating_sub(stay);
    for (.., name) in &logs[..old] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                log::warn!("cannot remove {}: {why}", path.display());
            }
            _ => {}
        }
    }
}

fn its_id<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_suffix(".log")
}

/// What an id looks like: how many digits it begins with, which are a time, and of the rest the
/// punctuation, since process ids grow.
fn shape(id: &str) -> (usize, String) {
    let digits = id.bytes().take_while(u8::is_ascii_digit).count();
    (digits, id.chars().filter(|c| !c.is_ascii_alphanumeric()).collect())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::run::Usage;

    fn run(end: End) -> Run {
        Run {
            name: "sync".into(),
            id: "20260314T092653Z-4711".into(),
            began: UNIX_EPOCH,
            ended: UNIX_EPOCH + Duration::from_millis(1500),
            took: Duration::from_millis(1500),
            end,
            attempts: 1,
            usage: Usage::default(),
            fence: None,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_log_has_a_first_and_a_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("logs");
        let mut log = File::begin(&folder, "a/sync", "20260314T092653Z-4711", 7).unwrap();
        log.add(b"no newline");
        log.end(&run(End::Exit(3)));
        let text = fs::read_to_string(folder.join("a_sync-20260314T092653Z-4711.log")).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("--- a/sync, run 20260314T092653Z-4711, began 20"), "{text}");
        assert_eq!(lines[1], "no newline");
        assert_eq!(lines[2], "--- ended 1970-01-01T00:00:01.500Z: status 3, after 1.500s and 1 attempt");
        let again = File::begin(&folder, "a/sync", "20260314T092653Z-4711", 7).unwrap_err();
        assert!(again.to_string().ends_with("File exists (os error 17)"), "{again}");
    }

    #[test]
    fn only_old_logs_of_the_same_name_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let others = [
            "sync-20260101T000000Z-9.log.gz",
            "sync-notes.log",
            "sync-orders-backup.log",
            "sync-orders-20260101T000000Z-1.log",
            "zync-20260101T000000Z-1.log",
        ];
        let old =
            ["sync-20260101T000000Z-99.log", "sync-20260102T000000Z-1.log", "sync-20260103T000000Z-123.log"];
        others.iter().chain(&old).for_each(|name| testkit::write(folder.join(name), "x"));
        std::os::unix::fs::symlink(folder.join(others[1]), folder.join("sync-20250101T000000Z-1.log"))
            .unwrap();
        fs::create_dir(folder.join("sync-20240101T000000Z-1.log")).unwrap();
        File::begin(folder, "sync", "20260314T092653Z-4711", 2).unwrap();
        let mut want: Vec<_> = others.map(str::to_owned).into();
        let stay = [
            old[2],
            "sync-20260314T092653Z-4711.log",
            "sync-20250101T000000Z-1.log",
            "sync-20240101T000000Z-1.log",
        ];
        want.extend(stay.map(str::to_owned));
        want.sort_unstable();
        assert_eq!(names(folder), want);
    }

    #[test]
    fn what_is_over_the_limit_comes_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = File::begin(folder.path(), "n", "1", 1).unwrap().limited(Some(4));
        log.add(b"abcdef");
        assert_eq!(log.added(), 4);
        log.add_end(b"z\n");
        log.end(&run(End::Signal(9)));
        let text = fs::read_to_string(folder.path().join("n-1.log")).unwrap();
        assert!(text.contains("\nabcdz\n--- ended 1970-01-01T00:00:01.500Z: signal 9, after"), "{text}");
    }
}
