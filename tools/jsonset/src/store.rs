//! The file: locked, read and replaced.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use files::{Lock, Replacement, Wait, Way, Whole, read_whole};
use json::{Document, SMALL, Syntax, Text};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

/// Where a document lies and how it may be changed.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) syntax: Syntax,
    pub(crate) wait: Wait,
    /// The file that is locked instead of the document.
    pub(crate) lock_file: Option<PathBuf>,
    pub(crate) links: Links,
    /// Lift the attribute that chattr(1) calls `i` while the file is replaced.
    pub(crate) lifts_immutable: bool,
}

/// What becomes of the other names of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// A file with several names is refused.
    Refuse,
    /// They keep the old content.
    Break,
    /// They get the new one too: the file is written in place, through a journal.
    Keep,
}

/// A text that was read without a lock.
#[derive(Debug)]
pub(crate) struct Peek {
    text: Text,
    /// A large file is still being read while it is used.
    whole: Option<(Whole, PathBuf)>,
}

impl Peek {
    fn of(bytes: Vec<u8>) -> Self {
        Self { text: Text::new(bytes), whole: None }
    }

    /// The text. What comes of it counts once [`Peek::confirm`] says so.
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    /// Confirms that all that was read so far is of one content.
    ///
    /// # Errors
    /// Status 75 when the file was written in place meanwhile.
    pub(crate) fn confirm(&self) -> Result<()> {
        match &self.whole {
            Some((whole, path)) if !whole.unchanged()? => {
                Err(Error::retry(format!("{} was written while it was read", path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// All that comes from a stream; errors call it `name`.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_all(mut from: impl Read, name: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).or_cannot("read", name)?;
    Ok(bytes)
}

impl Store {
    /// Locks the document, which need not exist.
    ///
    /// # Errors
    /// Status 75 when somebody else holds the lock for too long.
    pub(crate) fn lock(&self) -> Result<Lock> {
        match &self.lock_file {
            Some(lock_file) => Lock::acquire_beside(&self.path, lock_file, self.wait),
            None => Lock::acquire(&self.path, self.wait),
        }
    }

    /// The locked text; `None` where there is no file yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, lock: &Lock) -> Result<Option<Text>> {
        let Some(file) = lock.file() else { return Ok(None) };
        if lock.condition()?.size <= SMALL {
            return Ok(lock.read()?.map(Text::new));
        }
        let file = file.try_clone().or_cannot("read", &self.path)?;
        Text::of(file, &self.path).map(Some)
    }

    /// The text as it is now, without a lock.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn peek(&self) -> Result<Peek> {
        if self.path.as_os_str() == "-" {
            return Ok(Peek::of(read_all(std::io::stdin().lock(), Path::new("standard input"))?));
        }
        let found = std::fs::metadata(&self.path).or_cannot("read", &self.path)?;
        if found.is_file() && found.len() > SMALL {
            let whole = Whole::open(&self.path)?;
            let file = whole.file().try_clone().or_cannot("read", &self.path)?;
            let text = Text::of_length(file, &self.path, whole.length())?;
            return Ok(Peek { text, whole: Some((whole, self.path.clone())) });
        }
        if found.is_file() {
            return Ok(Peek::of(read_whole(&self.path)?));
        }
        // A pipe, as `<(command)` gives one.
        let file = File::open(&self.path).or_cannot("open", &self.path)?;
        Ok(Peek::of(read_all(file, &self.path)?))
    }

    /// As [`Store::peek`]; `None` where there is no file.
    ///
    /// # Errors
    /// As [`Store::peek`].
    pub(crate) fn peek_existing(&self) -> Result<Option<Peek>> {
        if self.path.as_os_str() != "-" && !self.path.try_exists().or_cannot("read", &self.path)? {
            return Ok(None);
        }
        self.peek().map(Some)
    }

    /// A document of the text.
    pub(crate) fn document(&self, text: Text) -> Document {
        Document::new(text, self.syntax, &self.path).with_way_out("--jsonc")
    }

    /// Whether the file may be changed as it is.
    ///
    /// # Errors
    /// When it has other names or is immutable, and nobody asked to change it all the same.
    pub(crate) fn allows(&self, lock: &Lock) -> Result<()> {
        if lock.file().is_none() {
            return Ok(());
        }
        let condition = lock.condition()?;
        let path = self.path.display();
        if condition.hard_links > 1 && self.links == Links::Refuse {
            let names = condition.hard_links;
            return Err(Error::failed(format!(
                "{path} is one of {names} hard links; --break-links gives this name a file of its own, --in-place changes all"
            )));
        }
        if condition.append_only {
            return Err(Error::failed(format!("{path} can only be appended to; `chattr -a` ends that")));
        }
        if condition.immutable && !self.lifts_immutable {
            return Err(Error::failed(format!(
                "{path} is immutable (chattr +i); --immutable lifts that for the moment of the change"
            )));
        }
        Ok(())
    }

    /// Replaces the locked file by `text`; `judge` sees the new content in a file beside it first.
    ///
    /// # Errors
    /// What `judge` returns, and as [`Lock::replace`]: the file is then unchanged.
    pub(crate) fn write(
        &self,
        lock: &mut Lock,
        text: &Text,
        judge: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let in_place = self.goes_in_place(lock)?;
        let lifted = self.lift(lock)?;
        let write = |new: &mut Replacement| self.fill(new, text, judge);
        let written = if in_place {
            lock.replace_in_place_with(write).map(|way| self.warn_of(way))
        } else {
            lock.replace_with(write)
        };
        if let Some(flags) = lifted {
            let file = File::open(&self.path).or_cannot("open", &self.path)?;
            let protected = ioctl_setflags(file, flags).map_err(std::io::Error::from);
            written?;
            return protected.or_cannot("make immutable again", &self.path);
        }
        written
    }

    /// As [`Store::write`], for the last time: the lock may be released by then.
    ///
    /// # Errors
    /// As [`Store::write`]; the lock is then still held.
    pub(crate) fn finish(
        &self,
        lock: &mut Lock,
        text: &Text,
        judge: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        if self.lifts_immutable || self.goes_in_place(lock)? {
            return self.write(lock, text, judge);
        }
        lock.finish_with(|new| self.fill(new, text, judge))
    }

    fn fill(
        &self,
        new: &mut Replacement,
        text: &Text,
        judge: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        text.write_to(new, &self.path)?;
        judge(new.temporary()?)
    }

    fn goes_in_place(&self, lock: &Lock) -> Result<bool> {
        Ok(self.links == Links::Keep || lock.condition()?.mount_root)
    }

    fn warn_of(&self, way: Way) {
        if way == Way::InPlace && self.links != Links::Keep {
            let path = self.path.display();
            log::warn!(
                "{path} is a mount of its own: it was written in place, through a journal, not replaced"
            );
        }
    }

    /// Lifts the immutable attribute where that is asked for; returns the flags to be set again.
    fn lift(&self, lock: &Lock) -> Result<Option<IFlags>> {
        let Some(file) = lock.file().filter(|_| self.lifts_immutable) else { return Ok(None) };
        let flags = ioctl_getflags(file).map_err(std::io::Error::from).or_cannot("stat", &self.path)?;
        if !flags.contains(IFlags::IMMUTABLE) {
            return Ok(None);
        }
        ioctl_setflags(file, flags - IFlags::IMMUTABLE)
            .map_err(std::io::Error::from)
            .or_cannot("lift the immutable attribute of", &self.path)?;
        lock.attributes_changed()?;
        Ok(Some(flags))
    }
}
