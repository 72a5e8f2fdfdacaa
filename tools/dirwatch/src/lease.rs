//! Whether anybody has a file open for writing.
//!
//! The kernel answers that to who asks for a read lease (fcntl(2), `F_SETLEASE`): it is refused with
//! `EAGAIN` while the file is open for writing anywhere, or mapped writable. The lease is given back
//! at once. A writer who opens the file in between waits for these microseconds, and the kernel sends
//! SIGIO, which [`ignore_breaks`] takes the sting out of.
//!
//! `F_SETLEASE` is in no crate with a safe interface, so this file has the one unsafe call. It passes
//! an open descriptor and two integers, and the kernel touches no memory of ours.
#![allow(unsafe_code, reason = "fcntl(F_SETLEASE) has no safe wrapper; see above")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{Error, Result};

/// What the kernel says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    /// Nobody has it open for writing.
    None,
    /// Somebody has.
    Some,
    /// The file system knows no leases, or the file is another user's.
    Unknown,
}

/// Whether `file`, which is open for reading only, is open for writing anywhere.
pub(crate) fn writers(file: &File) -> Writers {
    match set_lease(file, libc::F_RDLCK) {
        Ok(()) => {
            // Where this fails the lease goes with the descriptor.
            let _given_back = set_lease(file, libc::F_UNLCK);
            Writers::None
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Writers::Some,
        Err(_) => Writers::Unknown,
    }
}

/// From here on SIGIO does nothing; without a handler it would end the process.
///
/// # Errors
/// When the system refuses the handler.
pub(crate) fn ignore_breaks() -> Result<()> {
    signal_hook::flag::register(libc::SIGIO, Arc::new(AtomicBool::new(false)))
        .map(drop)
        .map_err(|cause| Error::failed("cannot listen for signals").because(cause))
}

/// Holds a write lease on `file`, as an SMB server does.
#[cfg(test)]
pub(crate) fn hold(file: &File) -> io::Result<()> {
    set_lease(file, libc::F_WRLCK)
}

fn set_lease(file: &File, kind: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and no pointer is passed.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, kind) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    #[test]
    fn an_open_writer_is_seen_and_its_end_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut writer = File::create(&path).unwrap();
        writer.write_all(b"half").unwrap();
        let reader = File::open(&path).unwrap();
        if writers(&reader) == Writers::Unknown {
            println!("skipped: the temporary folder has no leases");
            return;
        }
        assert_eq!(writers(&reader), Writers::Some);
        drop(writer);
        assert_eq!(writers(&reader), Writers::None);
        let _other_reader = File::open(&path).unwrap();
        assert_eq!(writers(&reader), Writers::None, "readers do not matter");
        let _both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert_eq!(writers(&reader), Writers::Some);
    }

    #[test]
    fn a_writer_in_between_is_not_kept_waiting_and_ends_nobody() {
        ignore_breaks().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    drop(OpenOptions::new().append(true).open(&path).unwrap());
                }
            });
            for _ in 0..2_000 {
                let _either = writers(&reader);
            }
        });
    }
}
