//! Whether the key that a host shows is the host's, and the sentence when it is not.

use crate::failure::{Class, Failure, Phase};
use crate::known_hosts::{KnownHosts, Peer, Verdict, described, kind, short_kind};

/// Verifies `key`, the blob that `peer` has shown. An unknown one is remembered when `accepts_new`;
/// a changed or revoked one is refused all the same.
///
/// # Errors
/// Class `hostkey`, with what is known and the way out.
pub(crate) fn verify(
    known: &KnownHosts,
    peer: Peer<'_>,
    key: &[u8],
    accepts_new: bool,
) -> Result<(), Failure> {
    let mut verdict = known.judge(peer, key);
    if verdict == Verdict::Unknown && accepts_new {
        verdict = known.accept(peer, key).map_err(|error| {
            failure(format!("its host key {} cannot be remembered: {error}", described(key)))
        })?;
        if verdict == Verdict::Known {
            log::info!("{}: remembered its host key {}", peer.name(), described(key));
        }
    }
    match refusal(known, peer, key, &verdict) {
        Some(what) => Err(failure(what)),
        None => Ok(()),
    }
}

fn refusal(known: &KnownHosts, peer: Peer<'_>, key: &[u8], verdict: &Verdict) -> Option<String> {
    let shown = described(key);
    match verdict {
        Verdict::Known => None,
        Verdict::Unknown => Some(unknown(known, peer, key)),
        Verdict::Changed(others) => Some(changed(peer, key, others)),
        Verdict::Revoked(place) => Some(format!(
            "its host key {shown} is revoked ({place}): whoever has it may not be the host; \
             give it a new one"
        )),
        Verdict::Authority(place) => Some(format!(
            "it is known by a certificate only (@cert-authority, {place}), and host certificates \
             cannot be verified here; add its own key, {shown}, if that is right: {}",
            scan(known, peer, key)
        )),
    }
}

fn unknown(known: &KnownHosts, peer: Peer<'_>, key: &[u8]) -> String {
    format!(
        "its host key {} is not known; compare it, then use --accept-new, or {}",
        described(key),
        scan(known, peer, key)
    )
}

/// The command that adds the key.
fn scan(known: &KnownHosts, peer: Peer<'_>, key: &[u8]) -> String {
    let kind = short_kind(kind(key).unwrap_or_default()).to_ascii_lowercase();
    let port = if peer.port == 22 { String::new() } else { format!("-p {} ", peer.port) };
    let file = known.first_file().map_or("known_hosts".into(), |file| file.display().to_string());
    let command = |file: &str| format!("`ssh-keyscan -t {kind} {port}{} >> {file}`", peer.host);
    if file == "/dev/null" {
        return format!("{} and know hosts by that instead of /dev/null", command("FILE"));
    }
    command(&file)
}

fn changed(peer: Peer<'_>, key: &[u8], others: &[String]) -> String {
    let shown = described(key);
    let name = peer.name();
    let name = if name.starts_with('[') { format!("'{name}'") } else { name };
    let has_type = others.iter().any(|other| other.split(' ').next() == shown.split(' ').next());
    let what = if has_type { "its host key has changed" } else { "it shows a host key of another type" };
    let files: std::collections::BTreeSet<&str> = others.iter().filter_map(|other| file_of(other)).collect();
    let forget: Vec<String> = files.iter().map(|file| format!("`ssh-keygen -R {name} -f {file}`")).collect();
    format!(
        "{what}: it shows {shown}, but known is {}; somebody may be in between: if not, forget the old \
         one with {}",
        others.join(", "),
        forget.join(" and ")
    )
}

/// The file of `TYPE FINGERPRINT (FILE:LINE)` and of `TYPE FINGERPRINT (FILE, just added)`.
fn file_of(other: &str) -> Option<&str> {
    let place = other.split_once(" (")?.1.strip_suffix(')')?;
    Some(place.strip_suffix(", just added").or_else(|| Some(place.rsplit_once(':')?.0)).unwrap_or(place))
}

fn failure(what: String) -> Failure {
    Failure::new(Class::Hostkey, Phase::Handshake, what)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn key(last: u8) -> Vec<u8> {
        let mut key = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        key.resize(50, 0);
        key.push(last);
        key
    }

    fn check(lines: &str, shown: u8, want: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known");
        std::fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, lines.as_bytes()))
            .unwrap();
        let known = KnownHosts::read(&[PathBuf::from(&path)]).unwrap();
        let said = verify(&known, Peer { host: "Web", port: 2222 }, &key(shown), false);
        let said = said.map_or_else(|failure| failure.what, |()| "fine".into());
        assert_eq!(said.replace(&path.display().to_string(), "FILE"), want, "{lines}");
    }

    #[test]
    fn every_refusal_names_the_key_and_the_way_out() {
        let (old, new) = (described(&key(0)), described(&key(1)));
        check(&format!("[web]:2222 ssh-ed25519 {KEY}"), 0, "fine");
        check(
            &format!("[web]:2222 ssh-ed25519 {KEY}"),
            1,
            &format!(
                "its host key has changed: it shows {new}, but known is {old} (FILE:1); somebody may be in \
                 between: if not, forget the old one with `ssh-keygen -R '[web]:2222' -f FILE`"
            ),
        );
        check(
            "",
            1,
            &format!(
                "its host key {new} is not known; compare it, then use --accept-new, or \
                 `ssh-keyscan -t ed25519 -p 2222 Web >> FILE`"
            ),
        );
        let nowhere = KnownHosts::read(&[PathBuf::from("/dev/null")]).unwrap();
        let said = unknown(&nowhere, Peer { host: "Web", port: 22 }, &key(1));
        let want = "or `ssh-keyscan -t ed25519 Web >> FILE` and know hosts by that instead of /dev/null";
        assert!(said.ends_with(want), "{said}");
        check(
            &format!("[web]:2222 ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}"),
            0,
            &format!(
                "its host key {old} is revoked (FILE:2): whoever has it may not be the host; give it a new one"
            ),
        );
        check(
            &format!("@cert-authority *eb ssh-ed25519 {KEY}"),
            1,
            &format!(
                "it is known by a certificate only (@cert-authority, FILE:1), and host certificates cannot \
                 be verified here; add its own key, {new}, if that is right: \
                 `ssh-keyscan -t ed25519 -p 2222 Web >> FILE`"
            ),
        );
    }
}
