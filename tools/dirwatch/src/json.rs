//! What is printed as JSON: one object a line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use common::{Error, Out, Result};
use serde::Serialize;

/// A path in JSON, which knows no bytes.
#[derive(Debug, Serialize)]
pub(crate) struct PathText<'a> {
    path: Cow<'a, str>,
    /// All of it in hexadecimal digits, where the text is not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
}

impl<'a> PathText<'a> {
    pub(crate) fn of(path: &'a Path) -> Self {
        let text = path.to_string_lossy();
        let is_text = matches!(text, Cow::Borrowed(_));
        Self { path: text, path_bytes: (!is_text).then(|| hex(path.as_os_str().as_bytes())) }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _strings_never_refuse = write!(text, "{byte:02x}");
        text
    })
}

/// Prints a JSON object on a line of its own.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn print_object(object: &impl Serialize, out: &mut Out) -> Result<()> {
    let mut text =
        serde_json::to_vec(object).map_err(|cause| Error::failed("cannot write JSON").because(cause))?;
    text.push(b'\n');
    out.write_all(&text)
}

/// `time` parts of a second after 1970, of which one second has `per_second`. What no calendar has
/// stays a number.
pub(crate) fn utc(time: i64, per_second: i64, digits: SecondsFormat) -> String {
    let rest = time.rem_euclid(per_second) * (1_000_000_000 / per_second);
    let date =
        u32::try_from(rest).ok().and_then(|rest| DateTime::from_timestamp(time.div_euclid(per_second), rest));
    date.map_or_else(|| time.to_string(), |date| date.to_rfc3339_opts(digits, true))
}
