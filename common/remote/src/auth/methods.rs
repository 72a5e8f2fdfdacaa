//! What a host takes, asked with a `none` request (RFC 4252, section 5.2).
//!
//! `ssh2::Session::auth_methods` panics when a host answers with bytes that are no UTF-8, and a panic
//! ends the run for all hosts. So the call below it is made here, in unsafe code, and takes them as
//! they are.
#![allow(unsafe_code, reason = "one call of libssh2 whose wrapper panics on what a host sends; see above")]

use std::ffi::{CStr, c_uint};

use ssh2::{Error, ErrorCode};

use super::Patience;
use crate::trouble::Trouble;

/// The methods for `user`, with commas between them; none when `user` is logged in by this alone.
///
/// # Errors
/// When the host does not answer, or ends the connection.
pub(super) fn of(ssh: &ssh2::Session, user: &str, patience: &impl Patience) -> Result<String, Trouble> {
    patience.until(|| ask(ssh, user))
}

fn ask(ssh: &ssh2::Session, user: &str) -> Result<String, Error> {
    let length = c_uint::try_from(user.len()).unwrap_or(c_uint::MAX);
    // The guard keeps other threads from the session.
    let mut raw = ssh.raw();
    let listed = {
        // SAFETY: the session lives as long as its guard; libssh2 copies `length` bytes of the name
        // and refuses more than it can take.
        let list = unsafe { libssh2_sys::libssh2_userauth_list(&raw mut *raw, user.as_ptr().cast(), length) };
        // SAFETY: it is null, or a string with a zero at its end that is the session's until the next
        // call; it is copied while the guard is held.
        (!list.is_null()).then(|| unsafe { CStr::from_ptr(list) }.to_string_lossy().into_owned())
    };
    drop(raw);
    match listed {
        Some(methods) => Ok(methods),
        None if ssh.authenticated() => Ok(String::new()),
        None => {
            Err(Error::last_session_error(ssh)
                .unwrap_or_else(|| Error::new(ErrorCode::Session(-1), "no answer")))
        }
    }
}
