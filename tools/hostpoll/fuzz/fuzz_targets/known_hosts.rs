//! A file of known hosts: no key is known that stands in no line of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use remote::known_hosts::{KnownHosts, Peer, Verdict};

fuzz_target!(|data: &[u8]| {
    let Ok(file) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(file.path(), data).is_err() {
        return;
    }
    let Ok(known) = KnownHosts::read(&[file.path().to_owned()]) else { return };
    for (host, port) in [("web01", 22), ("web01", 2222), ("192.0.2.1", 22)] {
        let peer = Peer { host, port };
        let _algorithms = known.algorithms(peer);
        let key = b"\0\0\0\x0bssh-ed25519\0\0\0\x20no line has a key like this one!";
        assert_ne!(known.judge(peer, key), Verdict::Known);
    }
});
