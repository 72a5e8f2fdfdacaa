//! Reading the log.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use common::{OrCannot, Result};

use super::{NAME, Record};

/// All records of the log in `folder`, the oldest first; none when there is no log. A last line that is torn
/// is told as a warning, and so is one that is not ours.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(NAME);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        bytes => bytes.or_cannot("read", &path)?,
    };
    let mut records = Vec::new();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let place = format!("{}:{}", path.display(), index + 1);
        match line.strip_suffix(b"\n").map(serde_json::from_slice) {
            Some(Ok(record)) => records.push(record),
            Some(Err(error)) => log::warn!("{place}: this line is none of a deployment: {error}"),
            None => log::warn!("{place}: this line was never whole; the next deployment cuts it off"),
        }
    }
    Ok(records)
}
