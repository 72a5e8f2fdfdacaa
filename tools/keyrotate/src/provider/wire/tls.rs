//! TLS: whom to trust, and how to show who we are.

use std::fs;
use std::path::PathBuf;

use common::{Error, OrCannot, Result};
use native_tls::{Certificate, Identity, TlsConnector};
use secrecy::ExposeSecret;

use secrets::Source;
use specs::Table;

/// What the spec says of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    /// Whom to trust.
    pub(crate) trust: Trust,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
}

/// Whom to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// A server with a certificate for its name, by somebody who is trusted.
    Verified,
    /// Whoever answers: only those who merely listen are shut out.
    Anybody,
}

impl Tls {
    /// Reads `ca`, `cert` and `key`. To be called also where there is no TLS: these keys are then faults.
    pub(crate) fn read(table: &mut Table<'_>, trust: Option<Trust>) -> Option<Self> {
        let line = ["ca", "cert", "key"].into_iter().find(|key| table.has(key)).map(|key| table.line_of(key));
        let (ca, cert, key) = (table.path("ca"), table.path("cert"), table.path("key"));
        if let (None, Some(line)) = (trust, line) {
            table.fault(line, "`provider.ca`, `cert` and `key` are for TLS, which is off");
        }
        if let (Some(Trust::Anybody), Some(_), Some(line)) = (trust, &ca, line) {
            table.fault(line, "`provider.ca` says whom to trust, but every server is trusted here");
        }
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => {
                table.fault(
                    line.unwrap_or(table.line()),
                    "`provider.cert` and `provider.key` need each other",
                );
                None
            }
        };
        trust.map(|trust| Self { trust, ca, identity })
    }

    /// What connects.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no certificate or key.
    pub(crate) fn connector(&self) -> Result<TlsConnector> {
        let mut builder = TlsConnector::builder();
        if self.trust == Trust::Anybody {
            builder.danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
        }
        if let Some(path) = &self.ca {
            let pem = fs::read(path).or_cannot("read", path)?;
            let all = Certificate::stack_from_pem(&pem);
            let all = all.map_err(|error| {
                Error::failed(format!("{} is no certificate", path.display())).because(error)
            })?;
            if all.is_empty() {
                return Err(Error::failed(format!("{} is no certificate", path.display())));
            }
            builder.disable_built_in_roots(true);
            for one in all {
                builder.add_root_certificate(one);
            }
        }
        if let Some((cert, key)) = &self.identity {
            let pem = fs::read(cert).or_cannot("read", cert)?;
            let secret = Source::File(key.clone()).read()?;
            let identity = Identity::from_pkcs8(&pem, secret.expose_secret().as_bytes());
            let no = || {
                Error::failed(format!(
                    "{} and {} are no certificate with its key in PKCS #8",
                    cert.display(),
                    key.display()
                ))
            };
            builder.identity(identity.map_err(|error| no().because(error))?);
        }
        builder.build().map_err(|error| Error::failed("cannot prepare TLS").because(error))
    }
}
