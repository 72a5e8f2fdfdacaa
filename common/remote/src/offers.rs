//! What a host offers in its key exchange (RFC 4253, section 7.1), asked for only when libssh2 found
//! nothing in common and says no more than that.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ssh2::MethodType;

use crate::bounds::Deadline;
use crate::connect;
use crate::reach::Reach;
use crate::target::Target;

/// For all of this: it is only about the wording of a failure.
const PATIENCE: Duration = Duration::from_millis(900);

/// A KEXINIT is a few hundred bytes; a packet may have 35,000 (RFC 4253, section 6.1).
const LONGEST: usize = 35_000;

/// The names of what each side offers, of one kind after the other.
#[derive(Debug)]
pub(crate) struct Offers {
    theirs: Vec<Vec<String>>,
    ours: Vec<Vec<String>>,
}

const KINDS: [&str; 4] = ["key exchange", "host key", "cipher", "MAC"];

impl Offers {
    /// The first kind of which the two sides share nothing, as a sentence.
    pub(crate) fn what_is_missing(&self) -> Option<String> {
        for (kind, (theirs, ours)) in KINDS.iter().zip(self.theirs.iter().zip(&self.ours)) {
            if !theirs.iter().any(|name| ours.contains(name)) {
                let offered = theirs.join(", ");
                let old = if is_old(theirs) { "; these are no longer secure: update its sshd" } else { "" };
                return Some(format!("there is no {kind} that both sides know; it offers {offered}{old}"));
            }
        }
        None
    }
}

fn is_old(names: &[String]) -> bool {
    let old = ["sha1", "ssh-rsa", "ssh-dss", "-cbc", "arcfour", "md5"];
    names.iter().all(|name| old.iter().any(|word| name.contains(word)))
}

/// What a host says when it is asked again.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Its offers.
    Offers(Offers),
    /// A goodbye, and its words (RFC 4253, section 11.1).
    Goodbye(String),
    /// Something that is no KEXINIT.
    Nonsense,
    /// It ended the connection.
    End,
    /// Nothing, or it could not be asked.
    Nothing,
}

/// Asks the host again.
pub(crate) fn of(target: &Target, reach: &Reach, host_keys: &[&'static str]) -> Heard {
    // Through a jump host it would take another channel; the sentence is not worth it.
    if !target.jumps.is_empty() {
        return Heard::Nothing;
    }
    let deadline = Deadline { at: Instant::now() + PATIENCE.min(reach.bounds.handshake), whole: PATIENCE };
    let stream = connect::resolve(&target.address, target.port, deadline)
        .and_then(|addresses| connect::connect(&addresses, deadline));
    let Ok(stream) = stream else { return Heard::Nothing };
    let payload = match read(stream, deadline) {
        Ok(payload) => payload,
        Err(heard) => return heard,
    };
    if let Some(words) = goodbye(&payload) {
        return Heard::Goodbye(words);
    }
    match (parse(&payload), ours(host_keys)) {
        (Some(theirs), Some(ours)) => Heard::Offers(Offers { theirs, ours }),
        _ => Heard::Nonsense,
    }
}

/// What the library offers; the ciphers and MACs of one direction stand for both.
fn ours(host_keys: &[&'static str]) -> Option<Vec<Vec<String>>> {
    let ssh = ssh2::Session::new().ok()?;
    let kinds = [MethodType::Kex, MethodType::HostKey, MethodType::CryptCs, MethodType::MacCs];
    let mut ours = Vec::new();
    for kind in kinds {
        let names = ssh.supported_algs(kind).ok()?;
        ours.push(names.into_iter().map(str::to_owned).collect());
    }
    if !host_keys.is_empty() {
        ours[1] = host_keys.iter().map(|&name| name.to_owned()).collect();
    }
    Some(ours)
}

/// The payload of the first packet after the greeting, or what came instead.
fn read(mut stream: TcpStream, deadline: Deadline) -> Result<Vec<u8>, Heard> {
    let nothing = |_: std::io::Error| Heard::Nothing;
    stream.set_nonblocking(false).map_err(nothing)?;
    stream.write_all(b"SSH-2.0-hostkeys\r\n").map_err(nothing)?;
    let mut bytes = Vec::new();
    loop {
        if let Some(packet) = packet(&bytes) {
            return Ok(packet.to_vec());
        }
        let left = deadline.left().ok_or(Heard::Nonsense)?;
        stream.set_read_timeout(Some(left)).map_err(nothing)?;
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk) {
            Ok(0) => return Err(Heard::End),
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(Heard::End),
            Err(_) => return Err(Heard::Nonsense),
        }
        if bytes.len() > LONGEST {
            return Err(Heard::Nonsense);
        }
    }
}

/// The payload of the packet behind the version line, when it is whole.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let start = memchr::memmem::find(bytes, b"SSH-")?;
    let end = start + bytes[start..].iter().position(|&byte| byte == b'\n')?;
    let packet = bytes.get(end + 1..)?;
    let (head, rest) = packet.split_at_checked(5)?;
    let length = usize::try_from(u32::from_be_bytes(head[..4].try_into().ok()?)).ok()?;
    let payload = length.checked_sub(1 + usize::from(head[4]))?;
    rest.get(..payload)
}

/// The words of an `SSH_MSG_DISCONNECT`, at most 200 characters.
fn goodbye(payload: &[u8]) -> Option<String> {
    if payload.first() != Some(&1) {
        return None;
    }
    let (length, words) = payload.get(5..)?.split_at_checked(4)?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let words = String::from_utf8_lossy(words.get(..length.min(words.len()))?).into_owned();
    Some(words.trim().chars().take(200).collect())
}

/// The name lists of a KEXINIT: the first, the second, and of the pairs per direction the first ones.
fn parse(payload: &[u8]) -> Option<Vec<Vec<String>>> {
    /// `SSH_MSG_KEXINIT`, and the cookie behind it.
    const HEAD: usize = 17;
    if payload.first() != Some(&20) {
        return None;
    }
    let mut rest = payload.get(HEAD..)?;
    let mut lists = Vec::new();
    for _ in 0..6 {
        let (length, behind) = rest.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let (names, behind) = behind.split_at_checked(length)?;
        let names = String::from_utf8_lossy(names);
        lists.push(names.split(',').map(str::to_owned).collect::<Vec<_>>());
        rest = behind;
    }
    // An AEAD cipher needs no MAC (RFC 5647; OpenSSH's PROTOCOL): its list decides nothing then.
    Some([0, 1, 2, 4].into_iter().filter_map(|index| lists.get(index).cloned()).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kexinit(lists: &[&str]) -> Vec<u8> {
        let mut payload = vec![20; 17];
        for list in lists {
            payload.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            payload.extend(list.as_bytes());
        }
        payload
    }

    fn offers(theirs: &[&str]) -> Offers {
        let ours = ["curve25519-sha256", "ssh-ed25519", "aes256-ctr", "hmac-sha2-256"];
        Offers {
            theirs: parse(&kexinit(theirs)).unwrap(),
            ours: ours.iter().map(|name| vec![(*name).to_owned()]).collect(),
        }
    }

    #[test]
    fn the_first_kind_without_a_common_name_is_told() {
        let check = |theirs: [&str; 6], want: Option<&str>| {
            let told = offers(&theirs).what_is_missing();
            assert_eq!(told.as_deref(), want);
        };
        let fine = ["x,curve25519-sha256", "ssh-ed25519", "aes256-ctr", "y", "hmac-sha2-256", "y"];
        check(fine, None);
        check(
            ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "", "hmac-sha1", ""],
            Some(
                "there is no key exchange that both sides know; it offers diffie-hellman-group14-sha1; \
                 these are no longer secure: update its sshd",
            ),
        );
        check(
            ["curve25519-sha256", "ssh-new", "aes256-ctr", "", "hmac-sha2-256", ""],
            Some("there is no host key that both sides know; it offers ssh-new"),
        );
    }

    #[test]
    fn a_packet_is_found_behind_the_greeting() {
        let mut bytes = b"hello\r\nSSH-2.0-x\r\n\0\0\0\x0c\x04".to_vec();
        bytes.extend(b"payload");
        assert_eq!(packet(&bytes), Some(&b"payload"[..]));
        assert_eq!(packet(&bytes[..bytes.len() - 1]), None);
    }

    #[test]
    fn a_goodbye_has_words() {
        let mut payload = vec![1, 0, 0, 0, 2, 0, 0, 0, 4];
        payload.extend(b"busyen");
        assert_eq!(goodbye(&payload).as_deref(), Some("busy"));
        assert_eq!(goodbye(&[1, 0, 0]), None);
        assert_eq!(goodbye(&kexinit(&[])), None);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut greeted = b"SSH-2.0-x\n".to_vec();
            greeted.extend(&bytes);
            let _packet = packet(&greeted);
            let mut payload = vec![20];
            payload.extend(&bytes);
            let _lists = parse(&payload);
            payload[0] = 1;
            let _words = goodbye(&payload);
        }
    }
}
