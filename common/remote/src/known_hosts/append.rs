//! Remembering a host: a line at the end of the first file.
//!
//! ssh(1) and ssh-keygen(1) take no lock, so nothing is rewritten here: one write(2) with `O_APPEND`
//! loses nobody's line. Our own processes exclude each other, so that one host gets one line.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::{Error, OrCannot, Result};
use files::{Lock, Wait};

use super::text::{Shown, described};
use super::{KnownHosts, Peer, Verdict};

/// Who holds the lock writes one line.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was remembered in this run.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    /// The keys of each name.
    keys: Mutex<BTreeMap<String, Vec<Key>>>,
    /// The file as it was when somebody else had changed it, and how we left it since: it need not
    /// be read again as long as it looks the same.
    left: Mutex<Option<(Stamp, Box<KnownHosts>)>>,
}

#[derive(Debug)]
struct Key {
    shown: Shown,
    told: String,
}

/// Which file it is, how long, and when it was written last.
type Stamp = (u64, u64, u64, i64, i64);

impl Accepted {
    pub(super) fn has(&self, name: &str, shown: &Shown) -> bool {
        lock(&self.keys).get(name).is_some_and(|keys| keys.iter().any(|key| key.shown.text == shown.text))
    }

    pub(super) fn types(&self, name: &str) -> Vec<String> {
        let keys = lock(&self.keys);
        keys.get(name).into_iter().flatten().map(|key| key.shown.kind.clone()).collect()
    }

    /// The keys of `name`, for messages.
    pub(super) fn others(&self, name: &str) -> Vec<String> {
        lock(&self.keys).get(name).into_iter().flatten().map(|key| key.told.clone()).collect()
    }
}

pub(super) fn accept(known: &KnownHosts, peer: Peer<'_>, key: &[u8]) -> Result<Verdict> {
    let Some(shown) = Shown::new(key) else { return Ok(Verdict::Unknown) };
    let path = known.first_file().ok_or_else(|| Error::failed("no file is named that remembers hosts"))?;
    let mut left = lock(&known.accepted.left);
    let verdict = known.judge(peer, key);
    if verdict != Verdict::Unknown {
        return Ok(verdict);
    }
    let file = open(path)?;
    let name = peer.name();
    if file.metadata().or_cannot("stat", path)?.is_file() {
        let _lock = Lock::acquire(path, Wait::For(PATIENCE))?;
        let now = stamp(&path.metadata().or_cannot("stat", path)?);
        let others = match left.take() {
            Some((stamp, others)) if stamp == now => others,
            _ => Box::new(KnownHosts::read(std::slice::from_ref(path))?),
        };
        let (_, others) = left.insert((now, others));
        let verdict = others.judge(peer, key);
        if verdict != Verdict::Unknown {
            return Ok(verdict);
        }
        let stamp = append(path, &format!("{name} {} {}\n", shown.kind, shown.text))?;
        if let Some((left, _)) = left.as_mut() {
            *left = stamp;
        }
    }
    // Whatever is no file, /dev/null as a rule, remembers nothing: this run does.
    let told = format!("{} ({}, just added)", described(key), path.display());
    lock(&known.accepted.keys).entry(name).or_default().push(Key { shown, told });
    Ok(Verdict::Known)
}

/// Opens `path` for appending; what is missing is created for the owner alone, as ssh(1) does.
fn open(path: &Path) -> Result<File> {
    let folder = folder(path);
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).or_cannot("create", &folder)?;
    }
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).or_cannot("write", path)
}

fn append(path: &Path, line: &str) -> Result<Stamp> {
    // ssh-keygen -R puts another file in the place without asking: then the line went to the old one.
    for _ in 0..3 {
        let mut file = open(path)?;
        let length = file.metadata().or_cannot("stat", path)?.len();
        let mut last = [b'\n'];
        if length > 0 {
            file.read_exact_at(&mut last, length - 1).or_cannot("read", path)?;
        }
        let end = if last == *b"\n" { "" } else { "\n" };
        file.write_all(format!("{end}{line}").as_bytes()).or_cannot("write", path)?;
        file.sync_all().or_cannot("write", path)?;
        if length == 0 {
            let folder = folder(path);
            File::open(&folder).and_then(|folder| folder.sync_all()).or_cannot("write", &folder)?;
        }
        let ours = file.metadata().or_cannot("stat", path)?;
        let named = path.metadata().or_cannot("stat", path)?;
        if (ours.dev(), ours.ino()) == (named.dev(), named.ino()) {
            return Ok(stamp(&ours));
        }
    }
    Err(Error::retry(format!("{} is being replaced all the time", path.display())))
}

fn folder(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

fn stamp(file: &Metadata) -> Stamp {
    (file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
