//! Secrets for COMMAND: files in a folder of its own, in memory, or descriptors.

mod folder;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use command_fds::{CommandFdExt, FdMapping};
use common::{Error, OrCannot, Result};
use rustix::fs::{MemfdFlags, memfd_create};
use zeroize::Zeroizing;

use folder::Folder;

/// The beginning of the names of folders.
const PREFIX: &str = "runjob-cred-";

/// A longer secret is none.
const LONGEST: u64 = 1024 * 1024;

/// Secrets for COMMAND. The folder goes with this.
#[derive(Default)]
pub(super) struct Creds {
    wanted: Vec<(Place, PathBuf)>,
    fetched: Vec<(Place, Zeroizing<Vec<u8>>)>,
    folder: Option<Folder>,
    descriptors: Vec<(i32, File)>,
}

impl fmt::Debug for Creds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Creds")
            .field("wanted", &self.wanted)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// Where COMMAND finds a secret.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Name(OsString),
    Descriptor(i32),
}

impl Creds {
    /// `NAME=FILE` and `@N=FILE`; nothing is read yet.
    ///
    /// # Errors
    /// When one of them is something else, two have one place, or a file is not there or may not be read.
    pub(super) fn judge(flags: &[OsString]) -> Result<Self> {
        let mut creds = Self::default();
        for flag in flags {
            let (name, path) = parts(flag)?;
            let place = number(name)?.map_or_else(|| Place::Name(name.into()), Place::Descriptor);
            if creds.wanted.iter().any(|(other, _)| *other == place) {
                let name = Path::new(name).display();
                return Err(Error::failed(format!("--cred {name} is given twice")));
            }
            // To open a pipe would be to take what is in it.
            if fs::metadata(path).or_cannot("open", path)?.is_file() {
                File::open(path).or_cannot("open", path)?;
            }
            creds.wanted.push((place, path.into()));
        }
        Ok(creds)
    }

    /// Reads them.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn fetch(&mut self) -> Result<()> {
        for (place, path) in std::mem::take(&mut self.wanted) {
            self.fetched.push((place, read(&path)?));
        }
        Ok(())
    }

    /// Lays them where COMMAND finds them.
    ///
    /// # Errors
    /// When there is no folder in memory.
    pub(super) fn lay_out(&mut self) -> Result<()> {
        for (place, secret) in std::mem::take(&mut self.fetched) {
            match place {
                Place::Descriptor(number) => self.descriptors.push((number, in_memory(&secret)?)),
                Place::Name(name) => self.put(&name, &secret)?,
            }
        }
        Ok(())
    }

    fn put(&mut self, name: &OsStr, secret: &[u8]) -> Result<()> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => Folder::make()?,
        };
        let path = folder.path().join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&path)
            .or_cannot("make", &path)?;
        file.write_all(secret).or_cannot("write", &path)?;
        self.folder = Some(folder);
        Ok(())
    }

    /// Hands them to `command`: each time from their beginning.
    pub(super) fn dress(&self, command: &mut Command) -> Result<()> {
        if let Some(folder) = &self.folder {
            command.env("CREDENTIALS_DIRECTORY", folder.path());
            command.preserved_fds(vec![folder.in_use()?]);
        }
        if self.descriptors.is_empty() {
            return Ok(());
        }
        let mut mappings = Vec::new();
        for (number, file) in &self.descriptors {
            let cannot =
                |cause| Error::failed(format!("cannot hand over descriptor {number}")).because(cause);
            let mut file = file.try_clone().map_err(cannot)?;
            file.rewind().map_err(cannot)?;
            mappings.push(FdMapping { parent_fd: OwnedFd::from(file), child_fd: *number });
        }
        let twice = |_| Error::failed("two of --cred @N name one descriptor");
        command.fd_mappings(mappings).map(drop).map_err(twice)
    }
}

/// The name or `@N`, and the file, of `NAME=FILE`.
///
/// # Errors
/// When there is no name before a `=`, or one with a slash.
pub(crate) fn parts(flag: &OsStr) -> Result<(&OsStr, &Path)> {
    let bytes = flag.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
    let at = at.ok_or_else(|| Error::failed("--cred is to be NAME=FILE or @N=FILE"))?;
    let name = OsStr::from_bytes(&bytes[..at]);
    if Path::new(name).file_name() != Some(name) {
        return Err(Error::failed(format!("--cred {}: a name has no slash", Path::new(name).display())));
    }
    Ok((name, Path::new(OsStr::from_bytes(&bytes[at + 1..]))))
}

/// The number in `@N`; none: it is a name.
fn number(name: &OsStr) -> Result<Option<i32>> {
    let Some(digits) = name.as_bytes().strip_prefix(b"@") else { return Ok(None) };
    let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
    let number = number.filter(|number| (3..100).contains(number));
    number.map(Some).ok_or_else(|| Error::failed("--cred @N: N is to be from 3 to 99"))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path).or_cannot("open", path)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(4096));
    file.take(LONGEST + 1).read_to_end(&mut secret).or_cannot("read", path)?;
    if secret.len() as u64 > LONGEST {
        return Err(Error::failed(format!("{} is longer than 1 MiB: no secret is", path.display())));
    }
    Ok(secret)
}

fn in_memory(secret: &[u8]) -> Result<File> {
    let cannot = |cause: std::io::Error| Error::failed("cannot keep a secret in memory").because(cause);
    let file = memfd_create("secret", MemfdFlags::CLOEXEC).map_err(|error| cannot(error.into()))?;
    let mut file = File::from(file);
    file.write_all(secret).map_err(cannot)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_name_or_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        testkit::write(&path, "hunter2");
        let check = |name: &str, want: &str| {
            let flag = format!("{name}{}", path.display());
            let error = Creds::judge(&[flag.into()]).unwrap_err().to_string();
            assert!(error.contains(want) && !error.contains("hunter2"), "{error}");
        };
        check("a/b=", "a name has no slash");
        check("..=", "a name has no slash");
        check("=", "is to be NAME=FILE");
        check("@2=", "from 3 to 99");
        check("@x=", "from 3 to 99");
        check("a=/nowhere", "cannot open");
        let flag = |name: &str| format!("{name}={}", path.display()).into();
        let twice = Creds::judge(&[flag("a"), flag("@7"), flag("@07")]).unwrap_err().to_string();
        assert_eq!(twice, "--cred @07 is given twice");
        let mut creds = Creds::judge(&[flag("a"), flag("@7")]).unwrap();
        assert!(creds.folder.is_none());
        // As it is when the lock is had.
        testkit::write(&path, "hunter3");
        creds.fetch().unwrap();
        assert!(!format!("{creds:?}").contains("hunter"));
        creds.lay_out().unwrap();
        let place = creds.folder.as_ref().unwrap().path().to_owned();
        for _ in 0..2 {
            let mut command = Command::new("sh");
            command.args(["-c", "cat $CREDENTIALS_DIRECTORY/a <&7; cat <&7"]);
            creds.dress(&mut command).unwrap();
            assert_eq!(command.output().unwrap().stdout, b"hunter3hunter3");
        }
        drop(creds);
        assert!(!place.exists());
    }
}
