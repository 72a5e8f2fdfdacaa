//! `--ping URL`: a dead man's monitor, which alarms when it hears of no success in time.
//!
//! A success is a GET of URL; a failure a POST of the end of the output to `URL/fail`, as Healthchecks and those after
//! it have it. A URL of a monitor is a secret, so what is told names its host alone.
//!
//! TLS is rustls here, and the system's authorities. The tools that speak SSH have OpenSSL in memory anyway; linked to
//! this one it would take more than the whole rest at every start, whether there is a URL or not: 1.1 ms of CPU
//! and 3 MiB, measured as hostpoll against hostlist, each with `--version`.

use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, http::Uri};

/// An attempt takes no longer than this.
const LIMIT: Duration = Duration::from_secs(10);

/// So often it is tried.
const ATTEMPTS: u32 = 3;

/// The pause before the second attempt; before the third it is twice as long.
const PAUSE: Duration = Duration::from_millis(500);

/// Why an attempt did not succeed, and whether another one may.
type Refusal = (String, bool);

/// Takes an http or https URL with a host.
///
/// # Errors
/// When it is something else: what it is to be.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let uri: Option<Uri> = text.parse().ok();
    let scheme = uri.as_ref().and_then(Uri::scheme_str);
    let has_host = uri.as_ref().and_then(Uri::host).is_some_and(|host| !host.is_empty());
    match scheme {
        Some("http" | "https") if has_host => Ok(text.into()),
        _ => Err("it is to be a URL such as https://hc.example.com/ping/ID".into()),
    }
}

/// Tells the monitor at `url`; that it cannot be told is a warning.
pub(super) fn tell(url: &str, is_success: bool, tail: &[u8]) {
    tell_within(url, (!is_success).then_some(tail), LIMIT);
}

/// Of a failure it is told what was printed at the end.
fn tell_within(url: &str, failure: Option<&[u8]>, limit: Duration) {
    let agent = agent(limit);
    let mut told = Err((String::new(), true));
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(PAUSE * attempt);
        }
        told = once(&agent, url, failure);
        match &told {
            Err((why, true)) => log::info!("cannot ping {}: {why}", place(url)),
            Ok(()) | Err((_, false)) => break,
        }
    }
    if let Err((why, _)) = told {
        log::warn!("cannot ping {}: {why}", place(url));
    }
}

fn once(agent: &Agent, url: &str, failure: Option<&[u8]>) -> Result<(), Refusal> {
    let answer = match failure {
        None => agent.get(url).call(),
        Some(tail) => {
            agent.post(of_failure(url)).header("Content-Type", "text/plain; charset=utf-8").send(tail)
        }
    };
    match answer.map(|answer| answer.status().as_u16()) {
        Ok(200..=299) => Ok(()),
        Ok(status) => Err((format!("it answered {status}"), status == 429 || status >= 500)),
        Err(error) => Err(refusal(&error)),
    }
}

fn agent(limit: Duration) -> Agent {
    let tls =
        TlsConfig::builder().provider(TlsProvider::Rustls).root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_global(Some(limit))
        .user_agent(concat!("runjob/", env!("CARGO_PKG_VERSION")));
    config.build().into()
}

/// What it means that there is no answer.
fn refusal(error: &ureq::Error) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => ("no answer in time".into(), true),
        ureq::Error::HostNotFound => ("its name has no address".into(), true),
        ureq::Error::ConnectionFailed => ("nobody listens there".into(), true),
        ureq::Error::Io(why) if why.kind() == std::io::ErrorKind::ConnectionRefused => {
            ("nobody listens there".into(), true)
        }
        ureq::Error::Io(why) => of_tls(&why.to_string()),
        _ => of_tls(&error.to_string()),
    }
}

/// What rustls says by its own names, in words.
fn of_tls(text: &str) -> Refusal {
    if text.contains("invalid peer certificate") {
        let why = "its certificate is signed by nobody who is trusted here, or for another name; SSL_CERT_FILE names a file of authorities";
        return (format!("{why} ({text})"), false);
    }
    (text.to_owned(), true)
}

/// Where a failure is told: `/fail` belongs to the path.
fn of_failure(url: &str) -> String {
    let (path, query) = url.find(['?', '#']).map_or((url, ""), |at| url.split_at(at));
    format!("{}/fail{query}", path.trim_end_matches('/'))
}

/// The scheme, the host and the port that is told, without a user, a path or a query.
fn place(url: &str) -> String {
    let uri: Uri = url.parse().unwrap_or_default();
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default())
}

#[cfg(test)]
mod tests;
