//! What a schema refers to, among the files around it.

use std::error::Error as StdError;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jsonschema::{Retrieve, Uri};
use serde_json::Value;

use crate::Parse;

/// The address of the file `path`, which is absolute.
pub(crate) fn uri_of(path: &Path) -> String {
    format!("file://{}", encoded(path.as_os_str().as_bytes()))
}

/// Finds what a schema refers to among the files around it.
pub(crate) struct Beside {
    folder: PathBuf,
    parse: Parse,
    /// What the `$id` of the schema has before its last part. A relative `$ref` becomes an address
    /// below it, though the files lie side by side.
    home: Option<String>,
}

impl Beside {
    /// Of `schema`, which is the file `path`.
    pub(crate) fn of(schema: &Value, path: &Path, parse: Parse) -> Self {
        let id = ["$id", "id"].iter().find_map(|key| schema.get(key)?.as_str());
        let home = id.filter(|id| id.contains("://")).and_then(|id| Some(id[..=id.rfind('/')?].to_owned()));
        Self { folder: path.parent().unwrap_or(path).into(), parse, home }
    }

    fn path_of(&self, uri: &str) -> Option<PathBuf> {
        if let Some(path) = uri.strip_prefix("file://") {
            return Some(decoded(path));
        }
        let below = uri.strip_prefix(self.home.as_deref()?)?;
        Some(self.folder.join(decoded(below)))
    }
}

impl Retrieve for Beside {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn StdError + Send + Sync>> {
        let advice = "nothing is fetched; put it beside the schema and refer to it by its file name";
        let path = self.path_of(uri.as_str()).ok_or(advice)?;
        let cannot = |why: &dyn fmt::Display| format!("cannot read {}: {why}", path.display());
        // A pipe would never end, and a folder says less about what is wrong.
        if !fs::metadata(&path).map_err(|why| cannot(&why))?.is_file() {
            return Err(cannot(&"it is not a regular file").into());
        }
        let bytes = fs::read(&path).map_err(|why| cannot(&why))?;
        Ok((self.parse)(&bytes).map_err(|why| cannot(&why))?)
    }
}

/// A path as a part of a URI, RFC 3986: all but unreserved characters and `/` in `%XX`.
fn encoded(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _strings_never_refuse = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The path that [`encoded`] was given.
fn decoded(uri: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_path_survives_its_uri(path in prop::collection::vec(1_u8.., 0..20)) {
            prop_assert_eq!(decoded(&encoded(&path)).into_os_string().into_vec(), path);
        }
    }
}
