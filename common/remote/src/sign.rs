//! Public-key logins whose signature is made here. The unsafe code is a call into libssh2 that the crate
//! ssh2 does not bind, and the function that libssh2 calls back.
//!
//! libssh2 reads the private key anew for every login, and OpenSSL 3 sets up all its decoders for
//! that: 0.4 of 1.15 ms of processor time for each host, and some 100 kB while it lasts. Here the key
//! is read once for the whole run, and a login takes a signature from it.
#![allow(unsafe_code, reason = "libssh2_userauth_publickey is not bound by the crate ssh2")]

use std::ffi::{CString, c_char, c_int, c_uchar, c_void};
use std::ptr;
use std::slice;

use openssl::bn::BigNumRef;
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use ssh2::ErrorCode;

/// `LIBSSH2_ERROR_INVAL`.
const INVALID: c_int = -34;

type Sign = unsafe extern "C" fn(
    session: *mut c_void,
    signature: *mut *mut c_uchar,
    signature_len: *mut usize,
    data: *const c_uchar,
    data_len: usize,
    key: *mut *mut c_void,
) -> c_int;

unsafe extern "C" {
    /// <https://libssh2.org/libssh2_userauth_publickey.html>
    fn libssh2_userauth_publickey(
        session: *mut c_void,
        user: *const c_char,
        public: *const c_uchar,
        public_len: usize,
        sign: Sign,
        key: *mut *mut c_void,
    ) -> c_int;
}

/// Logs `user` in with `key`, whose public half or certificate is `public`, as it is sent. To be called
/// again as long as libssh2 says so.
///
/// # Errors
/// Those of `libssh2_userauth_publickey`.
pub(crate) fn log_in(
    session: &ssh2::Session,
    user: &str,
    public: &[u8],
    key: &PKey<Private>,
) -> Result<(), ssh2::Error> {
    let error = |code| ssh2::Error::from_errno(ErrorCode::Session(code));
    let user = CString::new(user).map_err(|_| error(INVALID))?;
    let mut key: *mut c_void = ptr::from_ref(key).cast_mut().cast();
    let mut raw = session.raw();
    // SAFETY: the session is locked by `raw` and lives as long as it; the buffers and the key outlive
    // the call, and libssh2 keeps no pointer to them: a repeated call brings them again.
    let code = unsafe {
        libssh2_userauth_publickey(
            ptr::from_mut(&mut *raw).cast(),
            user.as_ptr(),
            public.as_ptr(),
            public.len(),
            sign,
            &raw mut key,
        )
    };
    if code == 0 { Ok(()) } else { Err(error(code)) }
}

/// What libssh2 calls for the signature of `data`, which it frees with free(3): sessions of ssh2 use
/// the allocator of the C library.
unsafe extern "C" fn sign(
    _session: *mut c_void,
    signature: *mut *mut c_uchar,
    signature_len: *mut usize,
    data: *const c_uchar,
    data_len: usize,
    key: *mut *mut c_void,
) -> c_int {
    // SAFETY: libssh2 passes on the pointer that `log_in` gave it, within that call, and a buffer of
    // this length.
    let (key, data) = unsafe { (&*(*key).cast::<PKey<Private>>(), slice::from_raw_parts(data, data_len)) };
    let Some(made) = algorithm(data).and_then(|algorithm| signature_of(key, algorithm, data).ok()) else {
        return -1;
    };
    // SAFETY: malloc(3) gives that many bytes or null; the two places are libssh2's to be filled.
    unsafe {
        let place: *mut c_uchar = libc::malloc(made.len()).cast();
        if place.is_null() {
            return -1;
        }
        ptr::copy_nonoverlapping(made.as_ptr(), place, made.len());
        *signature = place;
        *signature_len = made.len();
    }
    0
}

/// The algorithm in what is signed (RFC 4252, section 7): libssh2 has chosen it with the host.
fn algorithm(data: &[u8]) -> Option<&[u8]> {
    let (_session, rest) = string(data)?;
    let (_user, rest) = string(rest.get(1..)?)?;
    let (_service, rest) = string(rest)?;
    let (_method, rest) = string(rest)?;
    let (algorithm, _) = string(rest.get(1..)?)?;
    Some(algorithm)
}

/// A string (RFC 4251, section 5), and what is behind it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// The signature as it is sent, without the name of its algorithm: RFC 8709 for Ed25519, RFC 5656 for
/// ECDSA, RFC 8332 for RSA.
fn signature_of(key: &PKey<Private>, algorithm: &[u8], data: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    if key.id() == Id::ED25519 {
        return Signer::new_without_digest(key)?.sign_oneshot_to_vec(data);
    }
    let has = |part: &str| memchr::memmem::find(algorithm, part.as_bytes()).is_some();
    let digest = if has("sha2-512") || has("nistp521") {
        MessageDigest::sha512()
    } else if has("nistp384") {
        MessageDigest::sha384()
    } else if has("sha2-256") || has("nistp256") {
        MessageDigest::sha256()
    } else {
        MessageDigest::sha1()
    };
    let signature = Signer::new(digest, key)?.sign_oneshot_to_vec(data)?;
    if key.id() != Id::EC {
        return Ok(signature);
    }
    let pair = EcdsaSig::from_der(&signature)?;
    Ok([mpint(pair.r()), mpint(pair.s())].concat())
}

/// A positive number (RFC 4251, section 5): a zero stands before one whose first bit is set.
fn mpint(number: &BigNumRef) -> Vec<u8> {
    let digits = number.to_vec();
    let zero: &[u8] = if digits.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    let length = u32::try_from(zero.len() + digits.len()).unwrap_or_default();
    [&length.to_be_bytes(), zero, &digits].concat()
}

#[cfg(test)]
mod tests {
    use openssl::bn::BigNum;

    use super::*;

    #[test]
    fn numbers_are_never_negative() {
        let check = |number: u32, want: &[u8]| assert_eq!(mpint(&BigNum::from_u32(number).unwrap()), want);
        check(0x7f, &[0, 0, 0, 1, 0x7f]);
        check(0x80, &[0, 0, 0, 2, 0, 0x80]);
        check(0x0100, &[0, 0, 0, 2, 1, 0]);
    }

    #[test]
    fn the_algorithm_is_read_from_what_is_signed() {
        let string =
            |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
        let request = [
            string("session"),
            vec![50],
            string("root"),
            string("ssh-connection"),
            string("publickey"),
            vec![1],
            string("rsa-sha2-512"),
            string("key"),
        ];
        let request = request.concat();
        assert_eq!(algorithm(&request), Some(&b"rsa-sha2-512"[..]));
        for end in 0..request.len() - 7 {
            assert_eq!(algorithm(&request[..end]), None, "{end}");
        }
    }
}
