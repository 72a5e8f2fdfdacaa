//! A GET, and what its answer means.
//!
//! The client speaks over a stream that is open already, whoever made it: it asks no name server, takes no
//! proxy from the environment, and follows no redirection.

mod wired;

use std::io::{ErrorKind, Read};

use common::answer::Answer;
use regex::bytes::Regex;
use remote::bounds::told;
use secrets::conceal;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http::Response};

use super::place::Place;
use super::{Through, stream};
use crate::spec::Check;

/// So much of a body is looked at.
const BODY: u64 = 1 << 20;

/// What an answer has to be.
pub(super) struct Wanted<'a> {
    /// From 100 to 599.
    pub(super) status: u16,
    /// A regular expression.
    pub(super) body: Option<&'a str>,
    /// Who may sign for a service that speaks TLS.
    pub(super) roots: RootCerts,
}

/// The URL as messages show it: without user and password.
pub(super) fn label(url: &str) -> String {
    let shown = conceal::quoted(url.as_bytes());
    let Some((scheme, rest)) = shown.split_once("://") else { return shown };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end).and_then(|authority| authority.rfind('@')) {
        Some(at) => format!("{scheme}://{}", rest.get(at + 1..).unwrap_or_default()),
        None => shown,
    }
}

/// Asks for `url`.
pub(super) fn get(url: &str, wanted: &Wanted, check: &Check, mut through: Through) -> Answer {
    let parsed = parse(url).and_then(|(uri, place)| Ok((uri, place, pattern(wanted)?)));
    let (uri, place, pattern) = match parsed {
        Ok(parsed) => parsed,
        Err(fault) => return Answer::No(fault),
    };
    let again = through.as_mut().map(|(session, reach)| (&mut **session, *reach));
    let stream = match stream::open(&place, check, again) {
        Ok(stream) => stream,
        Err(answer) => return answer,
    };
    let agent = Agent::with_parts(config(&wanted.roots), wired::connector(stream), wired::Nowhere);
    let answered = agent.get(uri).header("connection", "close").call();
    let answer = answered.and_then(|response| judge(response, wanted, pattern.as_ref()));
    let is_lost = through.is_some_and(|(session, _)| session.is_over());
    match answer {
        Ok(answer) => answer,
        Err(error) if is_late(&error) => Answer::No(format!("no answer within {}", told(check.timeout))),
        Err(_) if is_lost => {
            Answer::Unknown("the connection to the host ended before there was an answer".into())
        }
        Err(error) => Answer::No(conceal::quoted(why(&error).as_bytes())),
    }
}

fn parse(url: &str) -> Result<(Uri, Place), String> {
    let fault = |what: &str| format!("not asked: it is no URL that can be asked for: {what}");
    let uri: Uri = url.parse().map_err(|error: ureq::http::uri::InvalidUri| fault(&error.to_string()))?;
    let usual = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(fault("it begins with neither http:// nor https://")),
    };
    let host = uri.host().unwrap_or_default();
    let place =
        Place::parse(&format!("{host}:{}", uri.port_u16().unwrap_or(usual))).map_err(|what| fault(&what))?;
    Ok((uri, place))
}

fn pattern(wanted: &Wanted) -> Result<Option<Regex>, String> {
    let read = |text| {
        Regex::new(text).map_err(|_| {
            format!("not asked: `{}` is no regular expression", conceal::quoted(text.as_bytes()))
        })
    };
    wanted.body.map(read).transpose()
}

fn config(roots: &RootCerts) -> ureq::config::Config {
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots.clone());
    Agent::config_builder()
        .tls_config(tls.build())
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .user_agent(concat!("confpush/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// What an answer means.
fn judge(
    mut response: Response<Body>,
    wanted: &Wanted,
    pattern: Option<&Regex>,
) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    if status != wanted.status {
        let hint = if (300..400).contains(&status) { "; redirections are not followed" } else { "" };
        return Ok(Answer::No(format!("status {status}, not {}{hint}", wanted.status)));
    }
    let Some(pattern) = pattern else { return Ok(Answer::Yes(())) };
    let mut body = Vec::new();
    response.body_mut().as_reader().take(BODY).read_to_end(&mut body).map_err(ureq::Error::from)?;
    if pattern.is_match(&body) {
        return Ok(Answer::Yes(()));
    }
    let looked = if body.len() as u64 == BODY { "the first MiB of its body" } else { "its body" };
    Ok(Answer::No(format!("{looked} has nothing like `{}`", conceal::quoted(pattern.as_str().as_bytes()))))
}

fn is_late(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(cause) => cause.kind() == ErrorKind::TimedOut,
        _ => false,
    }
}

/// Why there is no answer, or no whole one.
fn why(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(cause) => match cause.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
                "it closed the connection before its answer was whole".into()
            }
            ErrorKind::ConnectionReset => "it reset the connection before its answer was whole".into(),
            _ => cause.to_string(),
        },
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
            format!("what it answered is no HTTP ({error})")
        }
        _ => of_tls(&error.to_string()),
    }
}

/// What OpenSSL says by its own names, in words.
fn of_tls(error: &str) -> String {
    let is = |part: &str| error.contains(part);
    if is("wrong version number") || is("packet length too long") {
        "what it answered is no TLS; is it an http:// URL?".into()
    } else if is("certificate verify failed") {
        "its certificate is signed by nobody who is trusted here, or for another name".into()
    } else {
        error.to_owned()
    }
}
