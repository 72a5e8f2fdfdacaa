//! The URL that results go to.

use std::fmt::{self, Display, Formatter};

use common::{Error, Result};

use super::Taker;

/// The parameters that `InfluxDB` and its like take a secret in.
const SECRET: [&str; 4] = ["p", "password", "token", "u"];

/// A URL that results go to, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) taker: Taker,
}

impl Address {
    /// Reads a URL.
    pub(super) fn parse(url: &str, taker: Option<Taker>) -> Result<Self> {
        let is_plain = |c: char| c.is_ascii_graphic();
        let scheme = ["http://", "https://"].into_iter().find(|scheme| url.starts_with(scheme));
        let Some(rest) = scheme.map(|scheme| &url[scheme.len()..]).filter(|_| url.chars().all(is_plain))
        else {
            let told = url.split(['@', '?']).next_back().unwrap_or_default();
            let told = if url.contains('@') { told } else { url.split('?').next().unwrap_or_default() };
            return Err(refused(told, "it is no http:// or https:// URL"));
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let path = format!("/{path}");
        let told = &url[..url.len() - rest.len()];
        // From here on the sentences have no part of the URL that could be a secret.
        let told = format!("{told}{}{path}", authority.rsplit('@').next().unwrap_or_default());
        if authority.contains('@') {
            let why = "a password in it would be seen in the list of processes; use --push-token-file";
            return Err(refused(&told, why));
        }
        if authority.is_empty() {
            return Err(refused(&told, "it names no host"));
        }
        let by_path = taker_of(&path);
        let Some(taker) = by_path.or(taker) else {
            let why = "its path is neither /metrics/job/NAME of a Pushgateway nor /write or /api/v2/write of \
                       InfluxDB; give --format prometheus or influx";
            return Err(refused(&told, why));
        };
        check_query(&told, query, taker)?;
        let is_instance = |part: &str| part == "instance" || part == "instance@base64";
        if taker == Taker::Pushgateway && path.split('/').any(is_instance) {
            return Err(refused(&told, "the label `instance` is the name of each host; leave it out"));
        }
        Ok(Self { url: url.to_owned(), taker })
    }
}

/// Without what stands behind the path, which nobody needs to find the place.
impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.split('?').next().unwrap_or_default())
    }
}

fn refused(told: &str, why: &str) -> Error {
    common::tool::usage(format!("cannot push to {told}: {why}"))
}

fn taker_of(path: &str) -> Option<Taker> {
    if path.contains("/metrics/job/") || path.contains("/metrics/job@base64/") {
        return Some(Taker::Pushgateway);
    }
    let is_line = ["/write", "/write_lp"].iter().any(|end| path.trim_end_matches('/').ends_with(end));
    is_line.then_some(Taker::Influx)
}

fn check_query(told: &str, query: &str, taker: Taker) -> Result<()> {
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if SECRET.contains(&key) {
            let why = "a user or password behind the `?` would be seen in the list of processes; use --push-token-file";
            return Err(refused(told, why));
        }
        if taker == Taker::Influx && key == "precision" && !matches!(value, "ns" | "n" | "nanosecond") {
            return Err(refused(told, "times are told in nanoseconds; leave `precision` out"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(url: &str, want: std::result::Result<Taker, &str>) {
        let got = Address::parse(url, None).map(|address| address.taker).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{url}");
    }

    #[test]
    fn the_path_says_who_takes_results() {
        check("http://gw:9091/metrics/job/fleet", Ok(Taker::Pushgateway));
        check("https://gw/x/metrics/job/fleet/shard/1", Ok(Taker::Pushgateway));
        check("http://[::1]:8086/write?db=fleet", Ok(Taker::Influx));
        check("https://i/api/v2/write?org=o&bucket=b&precision=ns", Ok(Taker::Influx));
        check("https://i/api/v3/write_lp?db=x", Ok(Taker::Influx));
        let other = Address::parse("http://gw/other", Some(Taker::Influx)).unwrap();
        assert_eq!(other.taker, Taker::Influx);
    }

    #[test]
    fn what_cannot_be_is_refused_without_telling_secrets() {
        check("gw:9091", Err("cannot push to gw:9091: it is no http:// or https:// URL"));
        check("http:///write", Err("cannot push to http:///write: it names no host"));
        let why = "a password in it would be seen in the list of processes; use --push-token-file";
        check("http://u:geheim@gw/write", Err(&format!("cannot push to http://gw/write: {why}")));
        let why = "times are told in nanoseconds; leave `precision` out";
        check("http://i/write?db=x&precision=s", Err(&format!("cannot push to http://i/write: {why}")));
        let why = "the label `instance` is the name of each host; leave it out";
        let url = "http://gw/metrics/job/a/instance/b";
        check(url, Err(&format!("cannot push to {url}: {why}")));
        for url in ["http://i/write?u=x&p=geheim", "ftp://u:geheim@x/", "http://u:geheim@@/", "x?p=geheim"] {
            let error = Address::parse(url, None).unwrap_err();
            assert!(!error.to_string().contains("geheim"), "{error}");
            assert_eq!(error.status(), 2);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(url in "(https?://)?[ -~ä/@?&=]{0,20}") {
            let _either = Address::parse(&url, Some(Taker::Influx));
        }
    }
}
