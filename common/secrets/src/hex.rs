//! Bytes as digits.

use std::fmt::Write as _;

/// `bytes` as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _strings_never_refuse = write!(digits, "{byte:02x}");
    }
    digits
}
