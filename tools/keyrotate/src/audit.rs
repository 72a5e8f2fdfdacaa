//! The audit log: who did what to which key, in lines of JSON that are only ever appended.
//!
//! Each line holds the SHA-256 of the one before, so that none can be changed, removed, inserted or moved
//! unseen; that of the last one is in the journal. An append can be torn by a kill or a full disk, and the
//! journal, which is replaced whole, cannot: so a line is made there first, and [`settle`] brings the file
//! to what the journal says, however often it is called.

mod check;
#[cfg(test)]
mod tests;

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use common::{Error, OrCannot, Result};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[cfg(test)]
pub(crate) use check::Fault;
pub(crate) use check::{Checked, Line, check, read};
use process::origin::Origin;
pub(crate) use process::origin::who;
use secrets::conceal;
use secrets::hex;

use crate::credential::Credential;

/// The name of the log in the folder of state.
pub(crate) const NAME: &str = "audit.jsonl";

/// A human is needed: somebody has changed the log.
const CHANGED: u8 = 11;

/// No line is longer: what is quoted is cut.
const LONGEST: u64 = 64 * 1024;

/// The longest reason, in characters.
const LONGEST_WHY: usize = 1000;

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// It waits: for time, for a human, or for consumers that are pending.
    Waiting,
    /// It was refused, for a definite reason.
    Refused,
    /// It may or may not be done.
    Unknown,
}

impl Outcome {
    /// The outcome of a step that ended a run with this exit status; none: it did not end one.
    pub(crate) fn of_status(status: Option<u8>) -> Self {
        match status {
            None | Some(0) => Self::Done,
            Some(12 | 23) => Self::Waiting,
            Some(75) => Self::Unknown,
            Some(_) => Self::Refused,
        }
    }
}

/// Something worth a line.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    rotation: Option<&'a str>,
    step: &'a str,
    key: Option<&'a str>,
    fingerprint: Option<String>,
    consumer: Option<&'a str>,
    outcome: Outcome,
    why: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// That `step`, such as the name of a phase or of a subcommand, came out so.
    pub(crate) fn new(step: &'a str, outcome: Outcome) -> Self {
        let (rotation, key, fingerprint, consumer, why) = (None, None, None, None, None);
        Self { rotation, step, key, fingerprint, consumer, outcome, why }
    }

    /// In the rotation of this id.
    pub(crate) fn rotation(mut self, id: &'a str) -> Self {
        self.rotation = Some(id);
        self
    }

    /// To this credential: its id and its fingerprint are written down.
    pub(crate) fn credential(mut self, credential: &'a Credential) -> Self {
        self.key = Some(&credential.id);
        self.fingerprint = Some(credential.fingerprint());
        self
    }

    /// At this consumer.
    pub(crate) fn consumer(mut self, name: &'a str) -> Self {
        self.consumer = Some(name);
        self
    }

    /// For this reason; secrets that are known are taken out of it.
    pub(crate) fn why(mut self, why: &'a str) -> Self {
        self.why = Some(why);
        self
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// Its number, from 1.
    pub(crate) n: u64,
    /// When, as RFC 3339 in UTC with milliseconds.
    pub(crate) time: String,
    /// The user.
    pub(crate) who: String,
    /// The name of the machine.
    pub(crate) host: String,
    /// The process.
    pub(crate) pid: u32,
    /// The id of the rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<String>,
    /// What was done.
    pub(crate) step: String,
    /// The id of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// The fingerprint of its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fingerprint: Option<String>,
    /// The name of the consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consumer: Option<String>,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// For which reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// The SHA-256 of the line before without its newline, in hexadecimal digits; empty in the first one.
    pub(crate) previous: String,
}

/// The end of the log, as the journal knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tail {
    /// How many lines there are, those in `pending` included.
    lines: u64,
    /// How many bytes they are.
    bytes: u64,
    /// The SHA-256 of the last one without its newline; empty when there is none.
    hash: String,
    /// The last ones, without newlines, which may not be in the file yet.
    pending: Vec<String>,
}

impl Tail {
    /// Makes the next line. The file has it once the journal holds this and [`settle`] was called.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) {
        self.add_by(entry, Origin::now());
    }

    fn add_by(&mut self, entry: &Entry<'_>, by: Origin) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let record = Record {
            n: self.lines + 1,
            time: by.time,
            who: by.who,
            host: by.host,
            pid: by.pid,
            rotation: owned(entry.rotation),
            step: entry.step.to_owned(),
            key: owned(entry.key),
            fingerprint: entry.fingerprint.clone(),
            consumer: owned(entry.consumer),
            outcome: entry.outcome,
            why: entry.why.map(|why| conceal::hide(why).chars().take(LONGEST_WHY).collect()),
            previous: self.hash.clone(),
        };
        // Texts and numbers alone: there is nothing that JSON could refuse.
        let line = serde_json::to_string(&record).unwrap_or_default();
        self.lines += 1;
        self.bytes += line.len() as u64 + 1;
        self.hash = digest(line.as_bytes());
        self.pending.push(line);
    }

    /// The lines that may not be in the file yet, as they stand there.
    fn pending_bytes(&self) -> Vec<u8> {
        self.pending.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect()
    }

    /// The end of what has been settled.
    fn settled(&self) -> Self {
        let first = self.pending.first().and_then(|line| serde_json::from_str::<Record>(line).ok());
        let pending: u64 = self.pending.iter().map(|line| line.len() as u64 + 1).sum();
        Self {
            lines: self.lines.saturating_sub(self.pending.len() as u64),
            bytes: self.bytes.saturating_sub(pending),
            hash: first.map_or_else(|| self.hash.clone(), |record| record.previous),
            pending: Vec::new(),
        }
    }
}

/// Brings the log at `path` to what `tail` says, durably: what a kill left of an append is completed or cut
/// off. Done again it changes nothing. The tail that it returns has nothing pending. A new log is readable
/// by its owner only. Of the lines before, only the last one is looked at; [`check()`] looks at all of them.
///
/// # Errors
/// With status 11 and the log as it was, when lines are missing or others than ours stand at its end. When
/// it cannot be read or written, such as on a full disk: what is pending may be there in part, and the next
/// call completes it.
pub(crate) fn settle(path: &Path, tail: &Tail) -> Result<Tail> {
    let done = Tail { pending: Vec::new(), ..tail.clone() };
    if tail.lines == 0 {
        return Ok(done);
    }
    let settled = tail.settled();
    let is_new = settled.lines == 0;
    let file = open(path, is_new)?;
    let length = file.metadata().or_cannot("read", path)?.len();
    if length < settled.bytes || last_hash(&file, settled.bytes).or_cannot("read", path)? != settled.hash {
        return Err(changed(path, &format!("is not what it was after its {} lines", settled.lines)));
    }
    let pending = tail.pending_bytes();
    let behind = from(&file, settled.bytes).or_cannot("read", path)?;
    if behind == pending && pending.is_empty() {
        return Ok(done);
    }
    if !pending.starts_with(&behind) {
        cut(&file, path, &settled, &behind)?;
    }
    file.write_all_at(&pending, settled.bytes).or_cannot("write", path)?;
    file.sync_all().or_cannot("write", path)?;
    // The journal is about to forget these lines, so they are looked at once more.
    if from(&file, settled.bytes).or_cannot("read", path)? != pending {
        return Err(Error::failed(format!("{} is not what was written to it just now", path.display())));
    }
    if is_new {
        let folder = files::folder_of(path);
        File::open(folder).and_then(|folder| folder.sync_all()).or_cannot("write", folder)?;
    }
    Ok(done)
}

/// A link leads to a log that is not in our folder.
fn open(path: &Path, is_new: bool) -> Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(is_new).truncate(false).mode(0o600).custom_flags(flags);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_new => {
            Err(changed(path, "is gone"))
        }
        opened => opened.or_cannot("open", path),
    }
}

/// Cuts off what a torn append has left. A whole line that carries on the log is more than that.
fn cut(file: &File, path: &Path, settled: &Tail, behind: &[u8]) -> Result<()> {
    let first = behind.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let record = serde_json::from_slice::<Record>(first).ok();
    if record.is_some_and(|record| record.n == settled.lines + 1 && record.previous == settled.hash) {
        let why = format!("has lines after its {} that the journal does not know", settled.lines);
        return Err(changed(path, &why));
    }
    log::warn!("{}: cut off {} bytes of a line that was never whole", path.display(), behind.len());
    file.set_len(settled.bytes).or_cannot("write", path)
}

fn changed(path: &Path, what: &str) -> Error {
    let path = path.display();
    let why = format!("the audit log {path} {what}; somebody has changed it, see `keyrotate log --check`");
    Error::failed(why).with_status(CHANGED)
}

/// The hash of the line that ends before `end`; empty when there is none.
fn last_hash(file: &File, end: u64) -> std::io::Result<String> {
    if end == 0 {
        return Ok(String::new());
    }
    let start = end.saturating_sub(LONGEST);
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
    file.read_exact_at(&mut bytes, start)?;
    let Some(lines) = bytes.strip_suffix(b"\n") else { return Ok("no line ends there".into()) };
    let line = lines.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    Ok(digest(line))
}

fn from(file: &File, start: u64) -> std::io::Result<Vec<u8>> {
    use std::io::{Seek, SeekFrom};

    let mut file = file;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn digest(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}
