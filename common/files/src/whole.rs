//! Reads a file without its lock, and never half written.
//!
//! A file that is replaced by a rename is always whole for whoever has it open. One that is written
//! in place is not: but as long as its journal lies beside it the new content is there, whole, and a
//! write that came and went while the file was read shows in its times.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use common::{Error, OrCannot, Result};

use crate::journal::{Content, Found, Journal};
use crate::path::resolve;
use crate::state::{Condition, read_all};

/// The kernel counts modification times in ticks of 10 ms at most: what is older than this and is
/// written again gets another time.
const TICK: Duration = Duration::from_millis(20);

/// So often a file is read again that is written while it is read.
const ATTEMPTS: usize = 200;

/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(5);

/// A file that is open for reading without its lock.
///
/// What is read counts if [`Whole::unchanged`] says so afterwards; else it is opened anew.
#[derive(Debug)]
pub struct Whole {
    file: File,
    length: u64,
    /// The file's own name and its modification time; `None` where the content comes from a journal,
    /// which nobody changes.
    watched: Option<(PathBuf, (i64, i64))>,
}

impl Whole {
    /// Opens `path`, through symbolic links. Waits up to 20 ms when the file has hard links or is a
    /// mount of its own, so that it may be written in place, and has just been written.
    ///
    /// # Errors
    /// When it does not exist, is no regular file or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let target = resolve(path, "read")?;
        let file = File::open(&target).or_cannot("open", path)?;
        if let Some(journal) = pending(&target, &file).or_cannot("read", path)? {
            return Ok(Self { file: journal.file, length: journal.new, watched: None });
        }
        let condition = Condition::of(&file).or_cannot("stat", path)?;
        if condition.hard_links > 1 || condition.mount_root {
            let found = file.metadata().or_cannot("stat", path)?;
            let age = found.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
            std::thread::sleep(age.map_or(Duration::ZERO, |age| TICK.saturating_sub(age)));
        }
        let found = file.metadata().or_cannot("stat", path)?;
        let modified = (found.mtime(), found.mtime_nsec());
        Ok(Self { file, length: found.len(), watched: Some((target, modified)) })
    }

    /// The file to read from, at positions below [`Whole::length`]: what is behind belongs to nobody.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The length of the content in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether nobody has written into the file since it was opened, so that all that was read is of
    /// one content. Somebody who has replaced the file does not matter.
    ///
    /// # Errors
    /// When the file system does not tell.
    pub fn unchanged(&self) -> Result<bool> {
        let Some((target, modified)) = &self.watched else { return Ok(true) };
        let found = self.file.metadata().or_cannot("stat", target)?;
        if found.len() != self.length || (found.mtime(), found.mtime_nsec()) != *modified {
            return Ok(false);
        }
        Ok(pending(target, &self.file).or_cannot("read", target)?.is_none())
    }
}

/// The journal of a write that is going on, or was interrupted, in `file`.
fn pending(target: &Path, file: &File) -> io::Result<Option<Journal>> {
    let Found::Whole(journal) = Journal::find(target, Some(file))? else {
        return Ok(None);
    };
    // Byte by byte: it may be written at this moment, and memory has no sectors.
    let is_its = journal.content_of(file, 1)? != Content::Foreign;
    Ok(is_its.then_some(journal))
}

/// The bytes of `path`, without its lock, and never of two contents.
///
/// # Errors
/// As [`Whole::open`]; status 75 when it is written all the time.
pub fn read_whole(path: &Path) -> Result<Vec<u8>> {
    for _ in 0..ATTEMPTS {
        let whole = Whole::open(path)?;
        let mut bytes = read_all(whole.file(), whole.length()).or_cannot("read", path)?;
        let long_enough = bytes.len() as u64 >= whole.length();
        bytes.truncate(usize::try_from(whole.length()).unwrap_or(usize::MAX));
        if long_enough && whole.unchanged()? {
            return Ok(bytes);
        }
        std::thread::sleep(PAUSE);
    }
    Err(Error::retry(format!("{} is being written all the time", path.display())))
}
