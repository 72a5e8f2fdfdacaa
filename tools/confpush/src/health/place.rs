//! `HOST:PORT`.

use std::net::Ipv6Addr;

use secrets::conceal;

/// Something to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A name or an address, without brackets.
    pub(super) host: String,
    /// From 1 to 65535.
    pub(super) port: u16,
}

impl Place {
    /// Reads `HOST:PORT`; an address of IPv6 stands in brackets.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fault = || format!("`{}` is no HOST:PORT", conceal::quoted(text.as_bytes()));
        let (host, port) = text.rsplit_once(':').ok_or_else(fault)?;
        let port = port.parse().ok().filter(|&port| port > 0).ok_or_else(fault)?;
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match bare {
            Some(address) if address.parse::<Ipv6Addr>().is_ok() => address,
            None if is_name(host) => host,
            _ => return Err(fault()),
        };
        Ok(Self { host: host.to_owned(), port })
    }
}

/// Whether it can be a name or an address of IPv4; a resolver judges the rest.
fn is_name(host: &str) -> bool {
    let never = |c: char| c.is_whitespace() || c.is_control() || "[]:/@".contains(c);
    !host.is_empty() && !host.contains(never)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_port() {
        let check = |text: &str, want: Option<(&str, u16)>| {
            let want = want.map(|(host, port)| Place { host: host.into(), port });
            assert_eq!(Place::parse(text).ok(), want, "{text}");
        };
        check("localhost:80", Some(("localhost", 80)));
        check("127.0.0.1:65535", Some(("127.0.0.1", 65535)));
        check("[::1]:443", Some(("::1", 443)));
        for text in [
            "", "80", ":80", "a:", "a:0", "a:65536", "a:-1", "::1:80", "[::1]", "[]:80", "[a]:80", "[]]:80",
            "a b:80",
        ] {
            check(text, None);
        }
        assert_eq!(Place::parse("http://a:80"), Err("`http://a:80` is no HOST:PORT".into()));
    }

    proptest! {
        #[test]
        fn what_was_read_says_the_same(text in "(\\[[:0-9]{0,6}\\]|[\\[\\]:.a-z0-9]{0,6}):[0-9]{0,6}") {
            if let Ok(Place { host, port }) = Place::parse(&text) {
                let shown = if host.contains(':') { format!("[{host}]:") } else { format!("{host}:") };
                let digits = text.strip_prefix(shown.as_str());
                prop_assert_eq!(digits.and_then(|digits| digits.parse().ok()), Some(port));
            }
        }
    }
}
