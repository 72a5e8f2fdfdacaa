//! Certificates for servers and clients of a test, made by openssl(1).

use std::path::Path;
use std::process::Command;

/// Makes an authority and what it signs in `folder`: `ca.pem`; `server.pem` and `server.key` for
/// `localhost` and 127.0.0.1; `client.pem` and `client.key`. Says whether there is openssl.
///
/// # Panics
/// When openssl does not make them.
#[must_use]
#[track_caller]
pub fn make(folder: &Path) -> bool {
    if !crate::has("openssl") {
        return false;
    }
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-x509"];
    let openssl = |name: &str, more: &[&str]| {
        let mut command = Command::new("openssl");
        command.current_dir(folder).arg("req").args(key).args(more);
        command.args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
        let output = command.output().expect("openssl is installed");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    };
    openssl("ca", &["-subj", "/CN=test authority", "-addext", "keyUsage=keyCertSign,digitalSignature"]);
    let signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:false"];
    let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    openssl("server", &[&signed[..], &names].concat());
    openssl("client", &[&signed[..], &["-subj", "/CN=client"]].concat());
    true
}
