//! The sidecar: why a file was put away.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use common::{OrCannot, Result};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::rename_to_free;
use crate::identity::Key;
use crate::json::hex;

/// What the name of a sidecar ends with.
pub(super) const SUFFIX: &str = ".why.json";

/// A sidecar is smaller than this many bytes; what is not is none of ours.
const LARGEST: u64 = 1 << 20;

/// Why a file was put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Why {
    /// Where it was.
    pub path: PathBuf,
    /// The file.
    pub id: Key,
    /// How many commands were started for it.
    pub attempts: u32,
    /// How the last one failed.
    pub reason: String,
    /// How long the last one ran.
    pub elapsed: Duration,
    /// When it failed, in milliseconds since 1970.
    pub failed_at: i64,
}

/// As it is written.
#[derive(Debug, Serialize)]
struct Written<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    id: String,
    attempts: u32,
    reason: &'a str,
    elapsed_ms: u64,
    failed_at: String,
}

#[derive(Debug, Deserialize)]
struct Id {
    id: String,
}

impl Why {
    /// One JSON object and a line feed. A path that is not UTF-8 has `\xNN` for each byte that does not
    /// belong, and `\\` for a backslash; `path_bytes` is then there too, all its bytes in hexadecimal
    /// digits.
    fn json(&self) -> io::Result<Vec<u8>> {
        let bytes = self.path.as_os_str().as_bytes();
        let (path, path_bytes) = match std::str::from_utf8(bytes) {
            Ok(path) => (path.to_owned(), None),
            Err(_) => (escaped(bytes), Some(hex(bytes))),
        };
        let at = DateTime::<Utc>::from_timestamp_millis(self.failed_at).unwrap_or_default();
        let written = Written {
            path,
            path_bytes,
            id: self.id.to_string(),
            attempts: self.attempts,
            reason: &self.reason,
            elapsed_ms: u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            failed_at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
        };
        let mut json = serde_json::to_vec(&written)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Whether this sidecar tells of the same file.
    pub(super) fn is_in(&self, sidecar: &Path) -> bool {
        let is_small = sidecar.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() < LARGEST);
        let bytes = if is_small { fs::read(sidecar).unwrap_or_default() } else { Vec::new() };
        serde_json::from_slice::<Id>(&bytes).is_ok_and(|found| found.id == self.id.to_string())
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _written = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Where the sidecar of a file is.
pub(super) fn path_of(moved: &Path) -> PathBuf {
    let mut path = OsString::from(moved);
    path.push(SUFFIX);
    path.into()
}

/// A sidecar whose file is to follow. Dropped before, it is removed.
#[derive(Debug)]
pub(super) struct Sidecar(Option<PathBuf>);

impl Sidecar {
    /// Writes the sidecar of what will be `moved`, whole or not at all, unless something else has its
    /// name: then `None`. One that a killed run has left for the same file is written anew. Without
    /// `why` there is none.
    pub(super) fn put(moved: &Path, why: Option<&Why>) -> Result<Option<Self>> {
        let Some(why) = why else { return Ok(Some(Self(None))) };
        let path = path_of(moved);
        if why.is_in(&path) {
            fs::remove_file(&path).or_cannot("replace", &path)?;
        }
        // Not `then_some`: what is made and dropped again would remove what has the name.
        Ok(write(&path, why).or_cannot("write", &path)?.then(|| Self(Some(path))))
    }

    /// Its file is there.
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _gone_already = fs::remove_file(path);
        }
    }
}

/// Does not wait for the disk: after a power failure it may be missing or empty, as its file may be back
/// where it was; the ledger has the reason too.
fn write(path: &Path, why: &Why) -> io::Result<bool> {
    let json = why.json()?;
    // The name is that of the file's identity, and one process at a time deals with that: what has it was
    // left by one that was killed.
    let draft = path.with_file_name(format!(".{}.why.tmp", why.id));
    let _none = fs::remove_file(&draft);
    let written = File::create_new(&draft).and_then(|mut file| file.write_all(&json));
    let named = written.map_err(|cause| Errno::from_io_error(&cause).unwrap_or(Errno::IO));
    match named.and_then(|()| rename_to_free(&draft, path)) {
        Ok(true) => Ok(true),
        // Neither a safe rename nor links: not whole at once, but over nothing.
        Err(Errno::XDEV) => {
            let _gone = fs::remove_file(&draft);
            match File::create_new(path) {
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                file => file?.write_all(&json).map(|()| true),
            }
        }
        other => {
            let _gone = fs::remove_file(&draft);
            Ok(other?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn why(path: &[u8]) -> Why {
        Why {
            path: PathBuf::from(OsStr::from_bytes(path)),
            id: Key([0xab; 16]),
            attempts: 3,
            reason: "exit status 1".into(),
            elapsed: Duration::from_millis(1234),
            failed_at: 1_700_000_000_123,
        }
    }

    #[test]
    fn a_path_is_told_so_that_nothing_of_it_is_lost() {
        let check = |path: &[u8], want: &str| {
            let rest = r#""attempts":3,"reason":"exit status 1","elapsed_ms":1234,"failed_at":"2023-11-14T22:13:20.123Z"}"#;
            let want = format!("{{{want},\"id\":\"{}\",{rest}\n", "ab".repeat(16));
            assert_eq!(String::from_utf8(why(path).json().unwrap()).unwrap(), want);
        };
        check(b"/in/a\n\"\\b", r#""path":"/in/a\n\"\\b""#);
        check("/in/ä".as_bytes(), r#""path":"/in/ä""#);
        check(b"/\xff\\x", r#""path":"/\\xff\\\\x","path_bytes":"2fff5c78""#);
    }

    #[test]
    fn a_sidecar_is_written_over_nothing_but_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let moved = folder.path().join("a");
        let (ours, other) = (why(b"/in/a"), Why { id: Key([1; 16]), ..why(b"/in/a") });
        drop(Sidecar::put(&moved, Some(&ours)).unwrap().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "its file did not come");
        Sidecar::put(&moved, Some(&ours)).unwrap().unwrap().keep();
        assert!(Sidecar::put(&moved, Some(&other)).unwrap().is_none());
        assert!(ours.is_in(&path_of(&moved)) && !other.is_in(&path_of(&moved)));
        let again = Why { attempts: 4, ..ours };
        Sidecar::put(&moved, Some(&again)).unwrap().unwrap().keep();
        assert_eq!(fs::read(path_of(&moved)).unwrap(), again.json().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
