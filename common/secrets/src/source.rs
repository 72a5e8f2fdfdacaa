//! Where secrets that exist already are read from.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use common::{Error, OrCannot, Result};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::conceal;

/// A longer secret is none.
const LONGEST: u64 = 64 * 1024;

/// Where a secret is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that others than its owner and group cannot read; one newline at its end is no part of it.
    File(PathBuf),
    /// A credential of systemd's: the file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// A variable of the environment.
    Env(String),
}

impl Source {
    /// The secret.
    ///
    /// # Errors
    /// When it is not there, is empty, or everybody may read it; the sentence does not show it.
    pub fn read(&self) -> Result<SecretString> {
        match self {
            Self::File(path) => of_file(path),
            Self::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| {
                    Error::failed(format!(
                        "there is no credential {name}: CREDENTIALS_DIRECTORY is not set; \
                         LoadCredential= of the unit sets it"
                    ))
                })?;
                of_file(&Path::new(&folder).join(name))
            }
            Self::Env(name) => {
                let text = std::env::var(name).map(Zeroizing::new);
                let text =
                    text.map_err(|cause| Error::failed(format!("cannot read ${name}")).because(cause))?;
                checked(&text, &format!("${name}"))
            }
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Credential(name) => write!(f, "the credential {name}"),
            Self::Env(name) => write!(f, "${name}"),
        }
    }
}

fn of_file(path: &Path) -> Result<SecretString> {
    let file = File::open(path).or_cannot("open", path)?;
    let found = file.metadata().or_cannot("open", path)?;
    if found.mode() & 0o007 != 0 && found.is_file() {
        let path = path.display();
        return Err(Error::failed(format!("everybody may read or write {path}; chmod o= {path}")));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(LONGEST).read_to_end(&mut bytes).or_cannot("read", path)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(Error::failed(format!("{} is no text in UTF-8", path.display())));
    };
    checked(text.strip_suffix('\n').unwrap_or(text), &path.display().to_string())
}

fn checked(text: &str, place: &str) -> Result<SecretString> {
    if text.is_empty() {
        return Err(Error::failed(format!("{place} is empty")));
    }
    let secret = SecretString::from(text);
    conceal::secret(&secret);
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_that_everybody_may_read_holds_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin");
        let check = |content: &str, mode: u32, want: &str| {
            testkit::write(&path, content);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match Source::File(path.clone()).read() {
                Ok(secret) => assert_eq!(secret.expose_secret(), want),
                Err(error) => assert!(error.to_string().contains(want), "{error}"),
            }
        };
        check("s3cret-admin\n", 0o640, "s3cret-admin");
        check("s3cret\nadmin", 0o600, "s3cret\nadmin");
        check("s3cret-admin\n", 0o644, "everybody may read");
        check("\n", 0o600, "is empty");
    }
}
