//! Writing the log.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{OrCannot, Result};
use files::{Lock, Wait};
use process::origin::Origin;
use rustix::fs::OFlags;

use super::{Deed, NAME, Record};

/// An append takes milliseconds; who holds the lock for so long hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// So much of the end is looked at first, for where its last line begins.
const WINDOW: u64 = 64 * 1024;

/// The log of a folder of state.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    folder: PathBuf,
}

impl Log {
    /// The log in `folder`, which need not be there yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// Appends a line that tells `deed`, durably. A new log, and a new folder, is its owner's only. What a
    /// kill or a full disk has left of the append before is cut off, and told as a warning.
    ///
    /// # Errors
    /// When it cannot be written, such as on a full disk, or its lock is held for ten seconds (status 75).
    /// It is then as it was, or has a last line that counts for nothing.
    pub(crate) fn append(&self, deed: &Deed) -> Result<()> {
        self.append_by(deed, Origin::now())
    }

    fn append_by(&self, deed: &Deed, by: Origin) -> Result<()> {
        let mut folders = DirBuilder::new();
        folders.recursive(true).mode(0o700).create(&self.folder).or_cannot("create", &self.folder)?;
        let path = self.path();
        // The folder is locked, since a file that is not there yet could not be.
        let _held = Lock::acquire_beside(&path, &self.folder, Wait::For(PATIENCE))?;
        let mut file = open(&path)?;
        let length = file.metadata().or_cannot("read", &path)?.len();
        let last = Last::of(&file, length).or_cannot("read", &path)?;
        if last.end < length {
            let torn = length - last.end;
            log::warn!("{}: cut off {torn} bytes of a line that was never whole", path.display());
            file.set_len(last.end).or_cannot("write", &path)?;
        }
        let record = Record::new(last.number(&path) + 1, by, deed);
        // Texts and numbers alone: there is nothing that JSON could refuse.
        let mut line = serde_json::to_vec(&record).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = file.write_all(&line).and_then(|()| file.sync_all()) {
            // Where this fails, too, the next append does it.
            let _torn_line_is_cut_off = file.set_len(last.end);
            return Err(error).or_cannot("write", &path);
        }
        if length == 0 {
            let opened = File::open(&self.folder);
            opened.and_then(|folder| folder.sync_all()).or_cannot("write", &self.folder)?;
        }
        Ok(())
    }
}

/// A link leads to a log that is not in our folder.
fn open(path: &Path) -> Result<File> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600).custom_flags(flags);
    options.open(path).or_cannot("open", path)
}

/// The last whole line.
struct Last {
    /// Where it ends, behind its newline.
    end: u64,
    /// Its bytes; none when there is none.
    line: Option<Vec<u8>>,
}

impl Last {
    /// That of `file`, which has this length. Lines are as long as there are hosts, so the window grows.
    fn of(file: &File, length: u64) -> std::io::Result<Self> {
        let mut window = WINDOW;
        loop {
            let start = length.saturating_sub(window);
            let mut bytes = vec![0; usize::try_from(length - start).unwrap_or_default()];
            file.read_exact_at(&mut bytes, start)?;
            let newlines: Vec<usize> = bytes
                .iter()
                .enumerate()
                .rev()
                .filter(|(_, byte)| **byte == b'\n')
                .map(|(at, _)| at)
                .take(2)
                .collect();
            match newlines[..] {
                [last, before] => return Ok(Self::at(start, &bytes, before + 1, last)),
                [last] if start == 0 => return Ok(Self::at(0, &bytes, 0, last)),
                [] if start == 0 => return Ok(Self { end: 0, line: None }),
                _ => window = window.saturating_mul(4),
            }
        }
    }

    fn at(start: u64, bytes: &[u8], begin: usize, newline: usize) -> Self {
        Self { end: start + newline as u64 + 1, line: Some(bytes[begin..newline].to_vec()) }
    }

    /// Its number; that of a line which is not ours counts as 0.
    fn number(&self, path: &Path) -> u64 {
        let Some(line) = &self.line else { return 0 };
        let number =
            serde_json::from_slice::<serde_json::Value>(line).ok().and_then(|line| line["n"].as_u64());
        number.unwrap_or_else(|| {
            log::warn!("{}: its last line is none of a deployment; somebody has changed it", path.display());
            0
        })
    }
}
