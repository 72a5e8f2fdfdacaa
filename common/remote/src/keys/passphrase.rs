//! The passphrase of a run.

use std::fmt::{self, Debug, Formatter};
use std::fs::File;
use std::io::{self, Read};

use common::{Error, Result};
use zeroize::Zeroizing;

/// Longer ones are a file by mistake.
const LONGEST: usize = 1024;

/// The passphrase that opens the protected keys of a run; wiped from memory with the ring.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Debug for Passphrase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl Passphrase {
    /// As [`Passphrase::read`], from a descriptor that was handed to this process: one that it has opened
    /// itself is refused, since reading that may never end.
    ///
    /// # Errors
    /// As [`Passphrase::read`].
    pub fn inherited(fd: i32) -> Result<Self> {
        if fd != 0 && is_our_own(fd) {
            let closed = io::Error::from(rustix::io::Errno::BADF);
            return Err(
                Error::failed(format!("cannot read the passphrase from descriptor {fd}")).because(closed)
            );
        }
        Self::read(fd)
    }

    /// Reads it from descriptor `fd`, up to the end of its first line. A command line and an
    /// environment can be seen by others; a descriptor cannot.
    ///
    /// # Errors
    /// When nothing can be read there, the line is empty, or it is longer than 1,024 bytes.
    pub fn read(fd: i32) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::failed(format!("cannot read the passphrase from descriptor {fd}")).because(error)
        };
        let line = if fd == 0 {
            first_line(&mut io::stdin().lock())
        } else {
            // By its name it is opened again, which sockets refuse; pipes and files are what is used.
            File::open(format!("/dev/fd/{fd}")).and_then(|mut file| first_line(&mut file))
        };
        let line = line.map_err(failed)?;
        if line.is_empty() || line.len() > LONGEST {
            let what = if line.is_empty() { "is empty" } else { "is longer than 1024 bytes" };
            return Err(Error::failed(format!("the passphrase from descriptor {fd} {what}")));
        }
        Ok(Self(line))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

/// Whether the descriptor was not handed to us: all that we have opened ourselves closes when another
/// program is run (`O_CLOEXEC`; proc(5), fdinfo), and what we were handed cannot.
fn is_our_own(fd: i32) -> bool {
    let Ok(info) = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")) else { return false };
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| {
        rustix::fs::OFlags::from_bits_retain(flags).contains(rustix::fs::OFlags::CLOEXEC)
    })
}

/// Byte by byte: what follows is for somebody else, and the writer may keep the pipe open.
fn first_line(reader: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    let mut byte = [0];
    while line.len() <= LONGEST {
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn the_first_line_of_a_descriptor_is_the_passphrase() {
        let check = |text: &str, want: std::result::Result<&str, &str>| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.rewind().unwrap();
            let fd = file.as_raw_fd();
            let got = Passphrase::read(fd)
                .map(|passphrase| String::from_utf8_lossy(passphrase.bytes()).into_owned());
            let got =
                got.map_err(|error| error.to_string().replace(&format!("descriptor {fd}"), "descriptor N"));
            assert_eq!(got.as_deref().map_err(String::as_str), want);
        };
        check("secret\nrest", Ok("secret"));
        check("se cret", Ok("se cret"));
        check("secret\r\n", Ok("secret"));
        check("", Err("the passphrase from descriptor N is empty"));
        check("\nsecret", Err("the passphrase from descriptor N is empty"));
        check(&"x".repeat(2000), Err("the passphrase from descriptor N is longer than 1024 bytes"));
        let closed = Passphrase::read(997).unwrap_err().to_string();
        assert!(
            closed.starts_with("cannot read the passphrase from descriptor 997: No such file"),
            "{closed}"
        );
        assert_eq!(format!("{:?}", Passphrase::of("secret")), "Passphrase(..)");
    }
}
