//! The token that a server wants to see.

use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use common::{Error, OrCannot, Result};

use super::Taker;

/// No token is longer.
const LONGEST: u64 = 16 * 1024;

/// A header with a token. It is never printed.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads the token from a file.
    pub(super) fn read(path: &Path, taker: Taker) -> Result<Self> {
        let file = File::open(path).or_cannot("open", path)?;
        let meta = file.metadata().or_cannot("read", path)?;
        if meta.is_file() && meta.mode() & 0o077 != 0 {
            let what = format!("{0} can be read by others; run chmod 600 {0}", path.display());
            return Err(Error::failed(what));
        }
        let mut token = Vec::new();
        file.take(LONGEST + 1).read_to_end(&mut token).or_cannot("read", path)?;
        let token = token.trim_ascii();
        let is_plain = token.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if token.is_empty() || !is_plain || token.len() as u64 > LONGEST {
            let what = format!("{} holds no token: it must be one line of printable ASCII", path.display());
            return Err(Error::failed(what));
        }
        let token = String::from_utf8_lossy(token);
        Ok(Self(match (token.contains(' '), taker) {
            (true, _) => token.into_owned(),
            (false, Taker::Pushgateway) => format!("Bearer {token}"),
            (false, Taker::Influx) => format!("Token {token}"),
        }))
    }

    /// What stands behind `Authorization:`.
    pub(super) fn header(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn check(bytes: &[u8], mode: u32, want: std::result::Result<&str, &str>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file.as_file().set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
        match (Secret::read(file.path(), Taker::Influx), want) {
            (Ok(secret), Ok(want)) => {
                assert_eq!(secret.header(), want);
                assert_eq!(format!("{secret:?}"), "Secret");
            }
            (Err(error), Err(want)) => assert!(error.to_string().contains(want), "{error}"),
            (got, _) => panic!("{got:?}"),
        }
    }

    #[test]
    fn a_token_is_a_line_that_others_cannot_read() {
        check(b"abc\n", 0o600, Ok("Token abc"));
        check(b"Basic dXNlcjpwYXNz\n", 0o400, Ok("Basic dXNlcjpwYXNz"));
        check(b"abc", 0o640, Err("can be read by others; run chmod 600"));
        check(b"\n", 0o600, Err("holds no token"));
        check(b"a\nb", 0o600, Err("holds no token"));
        check(b"\xff", 0o600, Err("holds no token"));
        assert!(Secret::read(Path::new("/nowhere"), Taker::Influx).is_err());
    }
}
