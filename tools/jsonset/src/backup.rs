//! Backups beside the file, and the way back.
//!
//! A backup of `app.json` is `app.json.20260314T092653.589793Z.bak`: the time at which it was made
//! is its ID. Only regular files with exactly such names are listed, brought back or removed. When
//! the clock has gone back, an ID is the newest one plus a microsecond, so their order is always
//! that of the changes; who makes one holds the lock of the file. Behind a symbolic link they lie
//! beside the real file.

mod id;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use files::{Replacement, folder_of};
use json::Text;

pub(crate) use id::Id;

const SUFFIX: &[u8] = b".bak";

/// `NAME_MAX` of limits.h.
const LONGEST_NAME: usize = 255;

/// Files are read in pieces of this size, so that their size does not matter.
const PIECE: usize = 128 << 10;

/// So many digits of a hash are enough for the eye, as git shows it.
const SHORT_HASH: usize = 12;

/// A backup as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// When it was made.
    pub(crate) id: Id,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// A backup and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backup {
    /// Where it is, and its ID.
    pub(crate) kept: Kept,
    /// In bytes.
    pub(crate) size: u64,
    /// The SHA-256 of the bytes, in 64 hexadecimal digits.
    pub(crate) sha256: String,
}

/// Keeps the bytes of `file`, which is what `target` names, with its owner, mode and attributes, and
/// returns it when they are on the disk. Where the newest backup has the same bytes it makes no other,
/// and returns `None`. The caller holds the lock of `target`. The position of `file` stays what it is.
///
/// # Errors
/// When the backup cannot be written or its name would be too long; nothing is left then.
pub(crate) fn keep(target: &Path, file: &File) -> Result<Option<Kept>> {
    let target = real(target)?;
    let newest = list(&target)?.into_iter().next();
    if let Some(newest) = &newest
        && same_bytes(file, &newest.path)?
    {
        return Ok(None);
    }
    let id = Id::now_after(newest.map(|kept| kept.id)).ok_or_else(|| {
        Error::failed(format!("cannot back up {}: no later backup can be named", target.display()))
    })?;
    let path = path_of(&target, id)?;
    let mut copy = Replacement::like(&path, file)?;
    io::copy(&mut Reader { file, at: 0 }, &mut copy).or_cannot("back up", &target)?;
    copy.commit()?;
    Ok(Some(Kept { id, path }))
}

impl Kept {
    /// Takes the backup away again if `target` still has its bytes: the change for which it was made
    /// did not happen. One that cannot be removed is only one more.
    pub(crate) fn take_back(&self, target: &Path) {
        let is_unchanged =
            File::open(target).is_ok_and(|file| same_bytes(&file, &self.path).unwrap_or(false));
        if is_unchanged {
            let _one_more = fs::remove_file(&self.path);
        }
    }
}

/// Removes all backups of `target` but the newest `copies`; call it when the change is in place.
///
/// # Errors
/// When one cannot be removed; the others may be gone by then.
pub(crate) fn prune(target: &Path, copies: usize) -> Result<()> {
    for Kept { path, .. } in list(&real(target)?)?.into_iter().skip(copies) {
        match fs::remove_file(&path) {
            Err(gone) if gone.kind() == ErrorKind::NotFound => {}
            removed => removed.or_cannot("remove", &path)?,
        }
    }
    Ok(())
}

/// The backups of `target`, which need not exist, the newest first. Each is read for its hash.
///
/// # Errors
/// When one or the folder cannot be read.
pub(crate) fn history(target: &Path) -> Result<Vec<Backup>> {
    list(&real(target)?)?.into_iter().map(Backup::of).collect()
}

/// The backup to bring back: the one whose ID is or begins with `id`, else the newest one with other
/// bytes than `target` has now. So without an ID, and with the present bytes kept first, the second
/// call takes back the first.
///
/// # Errors
/// When there is none, when `id` fits several, or when a file cannot be read.
pub(crate) fn find(target: &Path, id: Option<&str>) -> Result<Kept> {
    let name = target.display();
    let all = list(&real(target)?)?;
    if all.is_empty() {
        return Err(Error::failed(format!(
            "there is no backup of {name}; --backup makes one with each change"
        )));
    }
    let Some(id) = id else { return newest_other(target, all) };
    let mut fit: Vec<Kept> = all.into_iter().filter(|kept| kept.id.to_string().starts_with(id)).collect();
    match (fit.pop(), fit.as_slice()) {
        (Some(kept), []) => Ok(kept),
        (None, _) => {
            Err(Error::failed(format!("there is no backup `{id}` of {name}; --history shows what there is")))
        }
        (Some(oldest), newer) => {
            let count = newer.len() + 1;
            let oldest = oldest.id;
            let why =
                format!("`{id}` fits {count} backups of {name}, {oldest} among them; give more of the ID");
            Err(Error::failed(why))
        }
    }
}

fn newest_other(target: &Path, all: Vec<Kept>) -> Result<Kept> {
    let now = match File::open(target) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => None,
        now => Some(now.or_cannot("open", target)?),
    };
    for kept in all {
        let same = now.as_ref().map_or(Ok(false), |now| same_bytes(now, &kept.path))?;
        if !same {
            return Ok(kept);
        }
    }
    Err(Error::failed(format!("no backup differs from {}", target.display())))
}

/// The backups as lines of a table with a heading; none for no backups.
pub(crate) fn table(backups: &[Backup]) -> Vec<String> {
    let sizes: Vec<String> = backups.iter().map(|backup| backup.size.to_string()).collect();
    let Some(widest) = sizes.iter().map(String::len).max() else { return Vec::new() };
    let width = widest.max("SIZE".len());
    let head = format!("{:<23}  {:>width$}  SHA256", "ID", "SIZE");
    let row = |(backup, size): (&Backup, &String)| {
        format!("{}  {size:>width$}  {}", backup.kept.id, &backup.sha256[..SHORT_HASH])
    };
    std::iter::once(head).chain(backups.iter().zip(&sizes).map(row)).collect()
}

/// The backups as JSON Lines: `{"id":…,"path":…,"sha256":…,"size_bytes":…}`. Bytes of a path that are no
/// UTF-8 become U+FFFD.
pub(crate) fn json_lines(backups: &[Backup]) -> Vec<String> {
    let line = |Backup { kept, size, sha256 }: &Backup| {
        let (id, path) = (kept.id.to_string(), kept.path.to_string_lossy());
        serde_json::json!({ "id": id, "path": path, "sha256": sha256, "size_bytes": size }).to_string()
    };
    backups.iter().map(line).collect()
}

impl Backup {
    fn of(kept: Kept) -> Result<Self> {
        let file = File::open(&kept.path).or_cannot("open", &kept.path)?;
        let text = Text::of(file, &kept.path)?;
        let (size, sha256) = (text.length(), text.sha256()?);
        Ok(Self { kept, size, sha256 })
    }
}

/// The file behind symbolic links; what does not exist stays as it is.
fn real(target: &Path) -> Result<PathBuf> {
    match fs::canonicalize(target) {
        Err(missing) if missing.kind() == ErrorKind::NotFound => Ok(target.into()),
        real => real.or_cannot("find", target),
    }
}

/// The backups of a real file, the newest first.
fn list(target: &Path) -> Result<Vec<Kept>> {
    let name = name_of(target)?;
    let folder = folder_of(target);
    let mut backups = Vec::new();
    for entry in fs::read_dir(folder).or_cannot("list the backups of", target)? {
        let entry = entry.or_cannot("list the backups of", target)?;
        let Some(id) = id_in(name, &entry.file_name()) else { continue };
        if entry.file_type().or_cannot("stat", entry.path())?.is_file() {
            backups.push(Kept { id, path: target.with_file_name(entry.file_name()) });
        }
    }
    backups.sort_unstable_by_key(|kept| std::cmp::Reverse(kept.id));
    Ok(backups)
}

fn name_of(target: &Path) -> Result<&OsStr> {
    target.file_name().ok_or_else(|| Error::failed(format!("`{}` names no file", target.display())))
}

fn id_in(name: &OsStr, file_name: &OsStr) -> Option<Id> {
    let id = file_name.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b".")?.strip_suffix(SUFFIX)?;
    Id::parse(std::str::from_utf8(id).ok()?)
}

fn path_of(target: &Path, id: Id) -> Result<PathBuf> {
    let name = name_of(target)?;
    let backup = [name.as_bytes(), b".", id.to_string().as_bytes(), SUFFIX].concat();
    if backup.len() > LONGEST_NAME {
        let most = LONGEST_NAME + name.len() - backup.len();
        let why =
            format!("its name has more than {most} bytes, so a backup has no room for the time in its own");
        return Err(Error::failed(format!("cannot back up {}: {why}", target.display())));
    }
    Ok(target.with_file_name(OsString::from_vec(backup)))
}

/// A file from its beginning, whatever its position is, which others may rely on.
struct Reader<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Fills `piece` from `at` on; less is read only at the end.
fn read_at(file: &File, piece: &mut [u8], at: u64) -> io::Result<usize> {
    let mut reader = Reader { file, at };
    let mut full = 0;
    while full < piece.len() {
        match reader.read(&mut piece[full..]) {
            Ok(0) => break,
            Ok(count) => full += count,
            Err(again) if again.kind() == ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(full)
}

fn same_bytes(file: &File, path: &Path) -> Result<bool> {
    let other = File::open(path).or_cannot("open", path)?;
    equal(file, &other).or_cannot("compare with", path)
}

fn equal(one: &File, other: &File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    loop {
        let count = read_at(one, &mut left, at)?;
        if count != read_at(other, &mut right, at)? || left[..count] != right[..count] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
        at += count as u64;
    }
}

#[cfg(test)]
mod tests;
