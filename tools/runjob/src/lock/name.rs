//! A name in the kernel that belongs to a lock file, and lies in no folder where it could be removed.
//!
//! It is that of a socket in the abstract namespace (unix(7)), which vanishes with the last process that
//! has it. Any user can take such a name: one that another user has taken says nothing.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};
use rustix::process::getuid;

/// So many may ask who has a name, since nobody answers and the kernel keeps each question; the others are not told.
const MOST_QUESTIONS: i32 = 64;

/// A name that is taken.
#[derive(Debug)]
pub(super) struct Name {
    _socket: OwnedFd,
}

/// Why a name cannot be had.
#[derive(Debug)]
pub(super) enum Taken {
    /// Another process of this user has it.
    By(Option<u32>),
    /// The system, or another user, does not let us.
    Never(io::Error),
}

impl Name {
    /// Takes the name of the lock `path`.
    pub(super) fn take(path: &Path) -> Result<Self, Taken> {
        let never = |error: rustix::io::Errno| Taken::Never(error.into());
        // Containers may share these names and no file; so it is the folder itself that counts, not its path.
        let folder = fs::metadata(super::folder_of(path)).map_err(Taken::Never)?;
        let mut hasher = DefaultHasher::new();
        (folder.dev(), folder.ino(), path.file_name()).hash(&mut hasher);
        let name = format!("runjob/{}/{:016x}", getuid().as_raw(), hasher.finish());
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).map_err(never)?;
        let socket = socket().map_err(never)?;
        match bind(&socket, &address) {
            Ok(()) => {
                listen(&socket, MOST_QUESTIONS).map_err(never)?;
                Ok(Self { _socket: socket })
            }
            Err(rustix::io::Errno::ADDRINUSE) => Err(holder(&address)),
            Err(error) => Err(never(error)),
        }
    }
}

fn socket() -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn holder(address: &SocketAddrUnix) -> Taken {
    let asked = socket().and_then(|socket| match connect(&socket, address) {
        Ok(()) => socket_peercred(socket.as_fd()).map(Some),
        // Its queue is full of those who ask.
        Err(rustix::io::Errno::AGAIN) => Ok(None),
        Err(error) => Err(error),
    });
    match asked {
        Ok(Some(peer)) if peer.uid != getuid() => Taken::Never(io::Error::other("another user has taken it")),
        Ok(Some(peer)) => Taken::By(u32::try_from(peer.pid.as_raw_nonzero().get()).ok()),
        // Or it is free by now, or is about to be listened to.
        Ok(None) | Err(_) => Taken::By(None),
    }
}
