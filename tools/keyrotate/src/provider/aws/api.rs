//! The query API of IAM and STS: one signed POST for each request, XML as the answer.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use common::{Error, Result};
use roxmltree::{Document, Node};
use secrets::conceal;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http::Response, http::Uri};
use zeroize::Zeroizing;

use super::sign::{self, Request, Scope};
use crate::credential::Credential;

/// What these requests answer is some hundreds of bytes.
const LARGEST: u64 = 1024 * 1024;

/// What a form is sent as.
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A service at a place.
pub(super) struct Service {
    url: String,
    host: String,
    path: String,
    region: String,
    name: &'static str,
    version: &'static str,
    agent: Agent,
    timeout: Duration,
}

/// An answer.
pub(super) enum Reply {
    /// It was done.
    Done(Text),
    /// It was refused.
    Refused(Refusal),
    /// Nobody knows: why.
    Unknown(String),
}

/// Why something was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Amazon's word for it.
    pub(super) code: String,
    /// The sentence, without secrets.
    pub(super) why: String,
}

/// The text of an answer.
pub(super) struct Text(Zeroizing<String>);

impl Service {
    /// IAM at `url`.
    ///
    /// # Errors
    /// When `url` is none that requests can be sent to.
    pub(super) fn iam(url: &str, region: &str, timeout: Duration) -> Result<Self> {
        Self::of(url, region, ("iam", "2010-05-08"), timeout)
    }

    /// STS at `url`.
    ///
    /// # Errors
    /// When `url` is none that requests can be sent to.
    pub(super) fn sts(url: &str, region: &str, timeout: Duration) -> Result<Self> {
        Self::of(url, region, ("sts", "2011-06-15"), timeout)
    }

    fn of(url: &str, region: &str, service: (&'static str, &'static str), timeout: Duration) -> Result<Self> {
        let place = place(url).map_err(|why| Error::failed(format!("{url} {why}")))?;
        let (name, version) = service;
        let agent = agent(is_here(&place.name));
        let (host, path, region) = (place.host, place.path, region.to_owned());
        let url = url.trim_end_matches('/').to_owned() + if path == "/" { "/" } else { "" };
        Ok(Self { url, host, path, region, name, version, agent, timeout })
    }

    /// Asks for `action` with `parameters`, as the holder of `key`.
    pub(super) fn ask(&self, action: &str, parameters: &[(&str, &str)], key: &Credential) -> Reply {
        let first = [("Action", action), ("Version", self.version)];
        let pair = |(name, value): &(&str, &str)| format!("{name}={}", sign::encoded(value));
        let body = first.iter().chain(parameters).map(pair).collect::<Vec<_>>().join("&");
        let now = DateTime::<Utc>::from(SystemTime::now());
        let time = now.format("%Y%m%dT%H%M%SZ").to_string();
        let headers = [("content-type", FORM), ("host", &self.host), ("x-amz-date", &time)];
        let request =
            Request { method: "POST", path: &self.path, query: "", headers: &headers, body: body.as_bytes() };
        let scope = Scope { time: &time, region: &self.region, service: self.name };
        let authorization = sign::authorization(&request, &scope, &key.id, &key.secret);
        let mut post = self.agent.post(&self.url).header("authorization", authorization);
        for (name, value) in headers {
            post = post.header(name, value);
        }
        // Zero would mean that there is no limit.
        let limit = self.timeout.max(Duration::from_millis(1));
        let answer = post.config().timeout_global(Some(limit)).build().send(body.as_bytes());
        let reply = match answer {
            Ok(response) => judge(response, now),
            Err(error) => Reply::Unknown(self.lost(&error)),
        };
        reply.at(&format!("{action} at {}", self.host))
    }

    fn lost(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(_) => format!("no answer within {:?}", self.timeout),
            ureq::Error::HostNotFound => "its name has no address".into(),
            ureq::Error::ConnectionFailed => "nobody listens there".into(),
            ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
                "nobody listens there".into()
            }
            other => conceal::quoted(other.to_string().as_bytes()),
        }
    }
}

impl Reply {
    fn at(self, place: &str) -> Self {
        match self {
            Self::Done(text) => Self::Done(text),
            Self::Refused(Refusal { code, why }) => {
                Self::Refused(Refusal { code, why: format!("{place}: {why}") })
            }
            Self::Unknown(why) => Self::Unknown(format!("{place}: {why}")),
        }
    }
}

/// Where a URL leads.
struct Place {
    host: String,
    name: String,
    path: String,
}

/// What is wrong with `url` as that of a service, if anything.
pub(super) fn fault(url: &str) -> Option<&'static str> {
    place(url).err()
}

fn place(url: &str) -> std::result::Result<Place, &'static str> {
    let uri: Uri = url.parse().map_err(|_| "is no URL")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("is no URL; it begins with https:// or http://");
    };
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err("is to begin with https:// or http://"),
    };
    if authority.as_str().contains('@') || uri.query().is_some() {
        return Err("is to have neither a user nor a query");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let path = uri.path().trim_end_matches('/');
    if !path.bytes().all(is_plain) || path.contains("//") || path.split('/').any(|part| part == "..") {
        return Err("is to have a path of letters, digits and `-._~`");
    }
    let path = if path.is_empty() { "/" } else { path };
    let name = authority.host().to_owned();
    let host = match authority.port_u16().filter(|&port| port != usual) {
        Some(port) => format!("{name}:{port}"),
        None => name.clone(),
    };
    Ok(Place { host, name, path: path.to_owned() })
}

/// Whether it is this machine, which no proxy leads to.
fn is_here(name: &str) -> bool {
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || address.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn agent(is_here: bool) -> Agent {
    let tls =
        TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("keyrotate/", env!("CARGO_PKG_VERSION")));
    let config = if is_here { config.proxy(None) } else { config };
    config.build().into()
}

/// What an answer to a request of the time `sent` means.
fn judge(mut response: Response<Body>, sent: DateTime<Utc>) -> Reply {
    let status = response.status().as_u16();
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let theirs = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let text = response.body_mut().with_config().limit(LARGEST).read_to_string();
    let text = match text {
        Ok(text) => Text(Zeroizing::new(text)),
        Err(_) => return Reply::Unknown(format!("it answered {status}, and what followed broke off")),
    };
    if (200..300).contains(&status) {
        return Reply::Done(text);
    }
    let said = |name: &str| conceal::quoted(text.one(name).unwrap_or_default().as_bytes());
    let (code, message) = (said("Code"), said("Message"));
    if code.is_empty() {
        return Reply::Unknown(format!("it answered {status} and no reason"));
    }
    if is_passing(status, &code) {
        return Reply::Unknown(format!("{code}: {message}"));
    }
    if is_skewed(&code, &message) {
        let behind = theirs.map(|theirs| theirs.signed_duration_since(sent).num_seconds());
        return Reply::Unknown(skewed(&message, behind));
    }
    Reply::Refused(Refusal { why: format!("{code}: {message}"), code })
}

/// Whether the request may be done later, or may even have been done.
fn is_passing(status: u16, code: &str) -> bool {
    let passing = [
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "ConcurrentModification",
        "EntityTemporarilyUnmodifiable",
        "RequestTimeout",
    ];
    status >= 500 || status == 429 || passing.contains(&code)
}

/// AWS takes a request within five minutes of its own clock. The code of a signature that is too old is
/// that of a wrong one; only the sentence differs.
fn is_skewed(code: &str, message: &str) -> bool {
    let skewed = ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"];
    let says = ["Signature expired", "Signature not yet current"];
    skewed.contains(&code) || says.iter().any(|says| message.starts_with(says))
}

fn skewed(message: &str, behind: Option<i64>) -> String {
    let by = match behind {
        Some(seconds) if seconds > 0 => format!("{seconds} seconds behind"),
        Some(seconds) if seconds < 0 => format!("{} seconds ahead of", -seconds),
        _ => "too far from".into(),
    };
    format!(
        "the clock here is {by} that of AWS, and nothing can be signed; set it (RequestTimeTooSkewed: {message})"
    )
}

impl Text {
    /// Whether there is an element `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name, |_| ()).is_some_and(|found| !found.is_empty())
    }

    /// The text of the first element `name`.
    pub(super) fn one(&self, name: &str) -> Option<String> {
        let document = Document::parse(&self.0).ok()?;
        let found = document.descendants().find(|node| node.has_tag_name_anywhere(name));
        found.and_then(|node| node.text()).map(str::to_owned)
    }

    /// What `read` makes of each element `name`; `None` when this is no XML.
    pub(super) fn all<T>(&self, name: &str, read: impl Fn(Element<'_, '_>) -> T) -> Option<Vec<T>> {
        let document = Document::parse(&self.0).ok()?;
        let found = document.descendants().filter(|node| node.has_tag_name_anywhere(name));
        Some(found.map(|node| read(Element(node))).collect())
    }
}

/// An element of an answer.
pub(super) struct Element<'a, 'input>(Node<'a, 'input>);

impl<'a> Element<'a, '_> {
    /// The text of the element `name` in it.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.descendants().find(|node| node.has_tag_name_anywhere(name))?.text().map(str::trim)
    }
}

trait Named {
    /// Whether it is called `name`, in whatever namespace: IAM's has a version in it.
    fn has_tag_name_anywhere(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_anywhere(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests;
