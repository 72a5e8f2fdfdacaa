//! The descriptors of a command: what it gets, and what it does not inherit.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use command_fds::FdMapping;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use secrecy::{ExposeSecret, SecretString};

use super::SECRET_OUT;

/// In the `flags` of `/proc/self/fdinfo/N`: closed when another program is executed (`O_CLOEXEC`).
const CLOSED: u32 = 0o2_000_000;

/// What was open when this process began, and the two descriptors that nothing else may get.
static FIRST: OnceLock<First> = OnceLock::new();

struct First {
    inherited: Vec<RawFd>,
    _held: Vec<OwnedFd>,
}

/// Takes the numbers 3 and 4, and looks at what was inherited. To be called before anything is opened:
/// the standard library tells a failed execve(2) over a pipe of its own, and if that had one of these
/// numbers the secret would take its place, and a command that was never run would seem to have ended
/// with 1, a no.
pub fn reserve() {
    FIRST.get_or_init(First::now);
}

impl First {
    fn now() -> Self {
        // Where nothing more can be opened, no command can be started either, and that is told.
        Self { _held: held().unwrap_or_default(), inherited: inherited() }
    }
}

fn held() -> io::Result<Vec<OwnedFd>> {
    let null = File::open("/dev/null")?;
    let mut held = Vec::new();
    loop {
        let one = fcntl_dupfd_cloexec(&null, 0)?;
        if one.as_raw_fd() > SECRET_OUT {
            break;
        }
        held.push(one);
    }
    if null.as_raw_fd() <= SECRET_OUT {
        held.push(null.into());
    }
    Ok(held)
}

/// The descriptors from 3 on that a command would get without being asked.
fn inherited() -> Vec<RawFd> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|&number| number > 2 && is_passed_on(number)).collect()
}

fn is_passed_on(number: RawFd) -> bool {
    let Ok(about) = fs::read_to_string(format!("/proc/self/fdinfo/{number}")) else { return false };
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|octal| u32::from_str_radix(octal.trim(), 8).ok());
    flags.is_some_and(|flags| flags & CLOSED == 0)
}

/// Puts `/dev/null` in the place of everything else that the command would inherit.
pub(super) fn blind(mappings: &mut Vec<FdMapping>) -> io::Result<()> {
    for &child_fd in &FIRST.get_or_init(First::now).inherited {
        if mappings.iter().all(|mapping| mapping.child_fd != child_fd) {
            let parent_fd = File::open("/dev/null")?.into();
            mappings.push(FdMapping { parent_fd, child_fd });
        }
    }
    Ok(())
}

/// Memory that holds `secret` and cannot be changed any more, to be read from its beginning.
pub(super) fn sealed(secret: &SecretString) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Some kernels refuse memory that could be executed, older ones do not know the flag.
    let memory = match memfd_create("secret", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create("secret", flags)?,
        other => other?,
    };
    let mut file = File::from(memory);
    let secret = secret.expose_secret().as_bytes();
    file.write_all(secret)?;
    // A plug-in takes what it finds for the whole secret.
    if usize::try_from(file.stream_position()?) != Ok(secret.len()) {
        return Err(ErrorKind::WriteZero.into());
    }
    file.rewind()?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_inherited_is_seen() {
        let ours = File::open("/etc/passwd").unwrap();
        let theirs = rustix::io::dup(&ours).unwrap();
        let found = inherited();
        assert!(found.contains(&theirs.as_raw_fd()));
        assert!(!found.contains(&ours.as_raw_fd()));
    }
}
