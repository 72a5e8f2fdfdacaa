//! One error for the whole suite: a sentence for the operator, its cause, and the exit status.
//!
//! Nobody branches on our errors except to choose the status, so there is no enum of failures.
//! There is deliberately no `From<io::Error>`: an I/O error without its verb and its path explains
//! nothing, so `File::open(path)?` must not compile; `File::open(path).or_cannot("open", path)?`
//! does.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::io;
use std::path::Path;

/// What every fallible function of the suite returns.
pub type Result<T> = std::result::Result<T, Error>;

/// How a run ended when it did not fail; the exit status says it to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or: something was found. Status 0.
    Done,
    /// It ran well and the answer is no: nothing matched, a threshold was reached. Status 1.
    No,
    /// Some inputs or hosts were done, the others are named on stderr. Status 23.
    Partial,
    /// A batch was stopped half way by SIGINT or SIGTERM, after [`crate::stop::install`]: the tool dies
    /// of that signal once its output is written. Status 130 or 143.
    Interrupted,
    /// A status of the tool's own: 10 to 19, or that of a command it ran.
    Own(u8),
    /// A command that it ran was killed by this signal, and of that the tool dies too. Status 128 and the
    /// signal.
    Killed(i32),
}

impl Outcome {
    /// The outcome with this exit status.
    #[must_use]
    pub fn of(status: u8) -> Self {
        match status {
            0 => Self::Done,
            1 => Self::No,
            23 => Self::Partial,
            own => Self::Own(own),
        }
    }

    /// The exit status.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Partial => 23,
            Self::Interrupted => 130,
            Self::Own(status) => status,
            Self::Killed(signal) => u8::try_from(128_i32.saturating_add(signal)).unwrap_or(u8::MAX),
        }
    }
}

/// The one of two exit statuses that counts where a run has several: the first in `ranks`, and one that
/// is not there before all that are.
#[must_use]
pub fn worse(ranks: &[u8], one: u8, other: u8) -> u8 {
    let rank = |status: u8| ranks.iter().position(|known| *known == status);
    if rank(other) < rank(one) { other } else { one }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// A human must fix the command, the input or the permissions.
    Failed,
    /// The same command may succeed later: a lock is held, a host is out of reach.
    Retry,
    /// The reader of our output has gone (`tool | head`): there is nothing to say and nobody to
    /// say it to.
    ReaderGone,
    /// A status of the tool's own.
    Own(u8),
}

/// Why a run failed, in one sentence, with its cause and its exit status.
#[derive(Debug)]
pub struct Error {
    what: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    excerpt: Vec<String>,
    exit: Exit,
}

impl Error {
    fn new(what: String, exit: Exit) -> Self {
        Self { what, cause: None, excerpt: Vec::new(), exit }
    }

    /// A failure that a human must look at: status 2.
    #[must_use]
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(what.into(), Exit::Failed)
    }

    /// A failure that may pass by itself: status 75, `EX_TEMPFAIL` of sysexits.
    #[must_use]
    pub fn retry(what: impl Into<String>) -> Self {
        Self::new(what.into(), Exit::Retry)
    }

    /// The reader of standard output closed it: status 0, and silence.
    #[must_use]
    pub fn reader_gone() -> Self {
        Self::new("the reader of standard output is gone".into(), Exit::ReaderGone)
    }

    /// Gives it a status of the tool's own: 10 to 19, or 125 where that of a command passes through.
    #[must_use]
    pub fn with_status(mut self, status: u8) -> Self {
        self.exit = Exit::Own(status);
        self
    }

    /// Adds the cause, printed after the sentence.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds lines of the input with a mark below the place, printed under the sentence.
    #[must_use]
    pub fn showing(mut self, excerpt: impl IntoIterator<Item = String>) -> Self {
        self.excerpt = excerpt.into_iter().collect();
        self
    }

    /// The lines to be printed under the sentence; mostly none.
    #[must_use]
    pub fn excerpt(&self) -> &[String] {
        &self.excerpt
    }

    /// The exit status: 2, 75, one of the tool's own, or 0 when the reader of the output has gone.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self.exit {
            Exit::Failed => 2,
            Exit::Retry => 75,
            Exit::ReaderGone => 0,
            Exit::Own(status) => status,
        }
    }

    /// Whether this is only `tool | head`: the run ends, and nothing is reported.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.exit == Exit::ReaderGone
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sentence = self.what.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Some errors print their source themselves, others leave it to the chain.
            let reason = error.to_string();
            if !sentence.ends_with(&reason) {
                sentence = format!("{sentence}: {reason}");
            }
            cause = error.source();
        }
        f.write_str(&sentence)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// Gives an I/O error its verb and its object.
pub trait OrCannot<T> {
    /// `cannot VERB OBJECT: REASON`, status 2.
    ///
    /// # Errors
    /// When `self` is an error.
    fn or_cannot(self, verb: &str, object: impl AsRef<Path>) -> Result<T>;
}

impl<T> OrCannot<T> for io::Result<T> {
    fn or_cannot(self, verb: &str, object: impl AsRef<Path>) -> Result<T> {
        self.map_err(|cause| {
            let object = object.as_ref();
            let is_the_shells = object.starts_with("~") && cause.kind() == io::ErrorKind::NotFound;
            let error = Error::failed(format!("cannot {verb} {}", object.display()));
            if is_the_shells {
                return error.because(format!(
                    "{cause}; ~ is the shell's, which leaves it as it is in quotes and behind `=`"
                ));
            }
            error.because(cause)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_verb_object_and_reason() {
        let error = std::fs::read("/nowhere/app.json").or_cannot("read", "/nowhere/app.json").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read /nowhere/app.json: No such file or directory (os error 2)"
        );
        assert_eq!(error.status(), 2);
    }

    #[test]
    fn a_chain_of_causes_is_one_line() {
        let inner = Error::failed("no such column").because("column 7");
        let outer = Error::retry("cannot filter").because(inner);
        assert_eq!(outer.to_string(), "cannot filter: no such column: column 7");
        assert_eq!(outer.status(), 75);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        assert_eq!(Error::reader_gone().status(), 0);
        assert!(Error::reader_gone().is_silent());
    }

    #[test]
    fn an_error_can_have_a_status_of_the_tools_own() {
        let error = Error::retry("rolled back").with_status(10);
        assert_eq!((error.status(), error.to_string()), (10, "rolled back".into()));
        assert!(!error.is_silent());
    }

    #[test]
    fn every_outcome_has_its_status() {
        let all = [Outcome::Done, Outcome::No, Outcome::Partial, Outcome::Own(10), Outcome::Killed(9)];
        assert_eq!(all.map(Outcome::status), [0, 1, 23, 10, 137]);
        for status in [0, 1, 23, 10] {
            assert_eq!(Outcome::of(status).status(), status);
        }
    }

    #[test]
    fn the_worse_status_counts() {
        let check = |one, other, want| assert_eq!(worse(&[2, 75, 0], one, other), want, "{one} {other}");
        check(0, 75, 75);
        check(75, 0, 75);
        check(75, 2, 2);
        check(2, 2, 2);
        check(2, 19, 19);
    }
}
