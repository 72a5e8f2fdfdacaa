//! Where a server listens: `HOST:PORT`, or the path of a socket.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use specs::Table;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// At a port of a host.
    Tcp {
        /// Its name, or its address, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// At a socket of this host.
    Unix(PathBuf),
}

impl Address {
    /// `db01:5432`, `192.0.2.7:5432`, `[2001:db8::7]:5432`, or an absolute path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.starts_with('/') {
            return Some(Self::Unix(text.into()));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = |host: &str| {
            host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        let is_host = match inner {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && is_name(host),
        };
        is_host.then(|| Self::Tcp { host: inner.unwrap_or(host).to_owned(), port })
    }

    /// The addresses under `address`; no two are the same. Empty only where a fault says why.
    pub(crate) fn read(table: &mut Table<'_>) -> Vec<Self> {
        let line = table.line_of("address");
        table.must("address");
        let mut all = Vec::new();
        for text in table.texts("address").unwrap_or_default() {
            match Self::parse(&text) {
                Some(address) if all.contains(&address) => {
                    table.fault(line, format!("`provider.address`: {text} is there twice"));
                }
                Some(address) => all.push(address),
                None => table.fault(
                    line,
                    format!("`provider.address`: `{text}` is to be HOST:PORT or an absolute path"),
                ),
            }
        }
        all
    }

    /// The name that a certificate must have; none for a socket.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp { host, .. } => Some(host),
            Self::Unix(_) => None,
        }
    }
}

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_or_a_path() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), want, "{text}");
        };
        for good in ["db01:5432", "192.0.2.7:1", "[2001:db8::7]:6379", "/run/redis/redis.sock"] {
            check(good, Some(good));
        }
        for bad in ["db01", "db01:", "db01:0", "db01:70000", ":5432", "2001:db8::7:6379", "[db01]:1", "a b:1"]
        {
            check(bad, None);
        }
        check("redis://db01:6379", None);
        check("user@db01:6379", None);
        check("", None);
    }
}
