//! `--push URL`: results go to a Pushgateway or to a line endpoint of `InfluxDB`, again and again until
//! they are taken or the deadline is over.
//!
//! Both may be told the same twice without harm: a Pushgateway replaces the group that the URL names,
//! and a point of the same time and tags replaces itself. So collectors that share a Pushgateway need
//! groups of their own (`/metrics/job/fleet/shard/1`).
//!
//! Redirections are not followed: they would take the token to another host.

mod address;
mod secret;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use common::{Error, Result, stop};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, http::Response};

use crate::report::Format;

use address::Address;
use secret::Secret;

/// Before the second attempt so long is waited, and twice as long before each one that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// No pause is longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An attempt has no less than this, as long as there is so much time left.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(1);

/// How often it is looked whether a signal has come.
const LOOK: Duration = Duration::from_millis(50);

/// So much of an answer is read to find its first line.
const ANSWER: u64 = 4096;

/// So many characters of it are told.
const TOLD: usize = 200;

/// Who takes the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// A Prometheus Pushgateway: the exposition by PUT.
    Pushgateway,
    /// `InfluxDB`, or what takes its lines by POST.
    Influx,
}

impl Taker {
    /// The format that it takes.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Pushgateway => Format::Prometheus,
            Self::Influx => Format::Influx,
        }
    }
}

/// Where results go.
#[derive(Debug, Clone)]
pub struct Push {
    address: Address,
    secret: Option<Secret>,
    deadline: Duration,
    first_pause: Duration,
}

/// Why an attempt did not succeed.
enum Refusal {
    /// It may pass; the server may have said how long that takes.
    Passing(String, Option<Duration>),
    /// It will not.
    Lasting(String),
    /// A signal came.
    Stopped,
}

impl Push {
    /// Reads the URL. Who takes the results is told by its path, or else by `taker`. All attempts
    /// together take no longer than `deadline`.
    ///
    /// # Errors
    /// When it is no http or https URL, has a password in it, or tells nobody who takes results.
    pub fn parse(url: &str, taker: Option<Taker>, deadline: Duration) -> Result<Self> {
        let address = Address::parse(url, taker)?;
        Ok(Self { address, secret: None, deadline, first_pause: FIRST_PAUSE })
    }

    /// Takes the token from a file that nobody else may read: one line, sent as `Bearer` to a
    /// Pushgateway and as `Token` to `InfluxDB`; with a word before it (`Basic dXNlcjpwYXNz`) as it is.
    ///
    /// # Errors
    /// When it cannot be read, others can read it, or it is no line of printable ASCII.
    pub fn with_token_file(mut self, path: &Path) -> Result<Self> {
        self.secret = Some(Secret::read(path, self.taker())?);
        Ok(self)
    }

    /// Who takes the results.
    #[must_use]
    pub fn taker(&self) -> Taker {
        self.address.taker
    }

    /// Sends `body`, until a signal comes. Waits and tries again when nobody listens, the connection is lost, or the answer
    /// is 429 or 5xx.
    ///
    /// # Errors
    /// With status 75 when the deadline is over or a signal came; with status 2 when the server refuses for good.
    pub fn send(&self, body: &[u8]) -> Result<()> {
        let begin = Instant::now();
        let (agent, body) = (agent(), Arc::from(body));
        let mut pause = self.first_pause;
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let left = self.deadline.saturating_sub(begin.elapsed());
            let (why, wait) = match self.attempt_apart(&agent, &body, left) {
                Ok(()) => return Ok(()),
                Err(Refusal::Lasting(why)) => return Err(self.cannot(&why)),
                Err(Refusal::Stopped) => return Err(self.stopped()),
                Err(Refusal::Passing(why, wait)) => (why, wait),
            };
            let wait = wait.unwrap_or_else(|| jittered(pause));
            let left = self.deadline.saturating_sub(begin.elapsed());
            if wait >= left {
                let tries = if attempts == 1 { "attempt" } else { "attempts" };
                let what =
                    format!("cannot push to {}: {why}; gave up after {attempts} {tries}", self.address);
                return Err(Error::retry(what));
            }
            log::info!("cannot push to {}: {why}; trying again in {:.1}s", self.address, wait.as_secs_f64());
            if stop::wait(wait) {
                return Err(self.stopped());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn cannot(&self, why: &str) -> Error {
        Error::failed(format!("cannot push to {}: {why}", self.address))
    }

    fn stopped(&self) -> Error {
        Error::retry(format!("cannot push to {}: stopped by a signal", self.address))
    }

    /// An attempt in a thread of its own, which is left to itself when a signal comes: nothing else
    /// ends a request before its time.
    fn attempt_apart(
        &self,
        agent: &Agent,
        body: &Arc<[u8]>,
        left: Duration,
    ) -> std::result::Result<(), Refusal> {
        let (to, from) = mpsc::channel();
        let (push, agent, body) = (self.clone(), agent.clone(), Arc::clone(body));
        let work = move || {
            // Nobody listens any more after a signal.
            let _unheard = to.send(push.attempt(&agent, &body, left));
        };
        let started = std::thread::Builder::new().name("push".into()).spawn(work);
        if let Err(cause) = started {
            return Err(Refusal::Passing(format!("cannot start a thread: {cause}"), None));
        }
        loop {
            match from.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) if stop::requested() => return Err(Refusal::Stopped),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Refusal::Lasting("the attempt broke off".into()));
                }
            }
        }
    }

    /// One attempt has half of the time that is left: a server that hangs once gets another chance.
    fn attempt(&self, agent: &Agent, body: &[u8], left: Duration) -> std::result::Result<(), Refusal> {
        let (request, kind) = match self.taker() {
            Taker::Pushgateway => (agent.put(&self.address.url), "text/plain; version=0.0.4; charset=utf-8"),
            Taker::Influx => (agent.post(&self.address.url), "text/plain; charset=utf-8"),
        };
        let mut request = request.header("Content-Type", kind);
        if let Some(secret) = &self.secret {
            request = request.header("Authorization", secret.header());
        }
        // Zero would mean that there is no limit.
        let limit = (left / 2).max(left.min(SHORTEST_ATTEMPT)).max(Duration::from_millis(1));
        let request = request.config().timeout_global(Some(limit)).build();
        match request.send(body) {
            Ok(response) => judge(response),
            Err(error) => Err(refusal(&error, limit)),
        }
    }
}

fn agent() -> Agent {
    let tls =
        TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("hostpoll/", env!("CARGO_PKG_VERSION")));
    config.build().into()
}

/// What an answer means.
fn judge(mut response: Response<Body>) -> std::result::Result<(), Refusal> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let wait = header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let place = header("location").map(str::to_owned);
    let said = |response: &mut Response<Body>| {
        let mut answer = Vec::new();
        // What was read before it broke off is what there is to tell.
        let _broken_off = response.body_mut().as_reader().take(ANSWER).read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let line: String = answer.trim().lines().next().unwrap_or_default().chars().take(TOLD).collect();
        if line.is_empty() {
            format!("it answered {status}")
        } else {
            format!("it answered {status}: {line}")
        }
    };
    match status {
        200..=299 => Ok(()),
        300..=399 => {
            let place = place.map(|place| format!(" to {place}")).unwrap_or_default();
            Err(Refusal::Lasting(format!("it answered {status}, a redirection{place}; give the final URL")))
        }
        429 | 500..=599 => Err(Refusal::Passing(said(&mut response), wait)),
        _ => Err(Refusal::Lasting(said(&mut response))),
    }
}

/// What it means that there is no answer.
fn refusal(error: &ureq::Error, limit: Duration) -> Refusal {
    match error {
        ureq::Error::Timeout(_) => {
            Refusal::Passing(format!("no answer within {:.1}s", limit.as_secs_f64()), None)
        }
        ureq::Error::HostNotFound => Refusal::Passing("its name has no address".into(), None),
        ureq::Error::ConnectionFailed => Refusal::Passing("nobody listens there".into(), None),
        ureq::Error::Io(cause) if cause.kind() == std::io::ErrorKind::ConnectionRefused => {
            Refusal::Passing("nobody listens there".into(), None)
        }
        ureq::Error::Io(cause) => Refusal::Passing(cause.to_string(), None),
        ureq::Error::Protocol(_) => Refusal::Passing(format!("what it answered is no HTTP: {error}"), None),
        _ => Refusal::Lasting(lasting(&error.to_string())),
    }
}

/// What OpenSSL says by its own names, in words.
fn lasting(error: &str) -> String {
    let is = |part: &str| error.contains(part);
    if is("wrong version number") || is("packet length too long") {
        "what it answered is no TLS; is it an http:// URL?".into()
    } else if is("certificate verify failed") {
        "its certificate is signed by nobody who is trusted here, or for another name; SSL_CERT_FILE names a file of further authorities".into()
    } else {
        error.to_owned()
    }
}

/// Between half of a pause and all of it, so that collectors that failed together do not come again
/// together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause / 2 * u32::try_from(random).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests;
