//! What the library and the system say, as sentences for the operator.
//!
//! libssh2's own texts mislead: a host that sends garbage is "Unable to exchange encryption keys",
//! one that wants a second key has an "Invalid signature". Its codes and the phase say more.

use std::io;

use ssh2::ErrorCode;

use crate::bounds::{Deadline, told};
use crate::command::Output;
use crate::failure::{Class, Failure, Phase};
use crate::offers::Heard;

/// Why a call of the library did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Its deadline passed.
    Late,
    /// The library says no.
    Ssh(ssh2::Error),
}

impl Trouble {
    /// The code of libssh2; 0 when it is not the library that gave up.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Ssh(error) => match error.code() {
                ErrorCode::Session(code) => code,
                ErrorCode::SFTP(_) => 0,
            },
            Self::Late => 0,
        }
    }

    /// Whether the connection is gone: `SOCKET_NONE`, `SOCKET_SEND`, `SOCKET_DISCONNECT`, `SOCKET_RECV`,
    /// `BAD_SOCKET`.
    pub(crate) fn is_loss(&self) -> bool {
        matches!(self.code(), -1 | -7 | -13 | -43 | -45)
    }
}

pub(crate) fn at_greeting(error: &io::Error) -> Failure {
    Failure::new(Class::Lost, Phase::Handshake, format!("it ended the connection at once: {error}"))
}

/// Key exchange. `offers` asks the host once more what it offers, for the message.
pub(crate) fn at_handshake(trouble: &Trouble, deadline: Deadline, offers: impl FnOnce() -> Heard) -> Failure {
    let failure = |class, what: String| Failure::new(class, Phase::Handshake, what);
    if matches!(trouble, Trouble::Late) {
        return failure(
            Class::Timeout,
            format!("it greeted, but the key exchange did not end within {}", told(deadline.whole)),
        );
    }
    if trouble.is_loss() {
        return failure(Class::Lost, "it ended the connection during the key exchange".into());
    }
    let unknown = || format!("the key exchange failed (libssh2 says {})", trouble.code());
    match offers() {
        Heard::Offers(offers) => match offers.what_is_missing() {
            Some(what) => failure(Class::Algorithms, what),
            None => failure(Class::Lost, unknown()),
        },
        Heard::Goodbye(words) => failure(Class::Lost, format!("it ended the connection: `{words}`")),
        Heard::End => failure(Class::Lost, "it ended the connection after its greeting".into()),
        Heard::Nonsense => failure(Class::Lost, "what it sent after its greeting is no SSH".into()),
        Heard::Nothing => failure(Class::Lost, unknown()),
    }
}

/// Before any output of a command.
pub(crate) fn at_start(trouble: &Trouble, deadline: Deadline) -> Failure {
    let failure = |class, what: String| Failure::new(class, Phase::Command, what);
    match (trouble, trouble.code()) {
        (Trouble::Late, _) => {
            failure(Class::Timeout, format!("it did not begin the command within {}", told(deadline.whole)))
        }
        // LIBSSH2_ERROR_CHANNEL_FAILURE
        (_, -21) => failure(
            Class::Command,
            "it refuses a session for the command (MaxSessions, or a key that allows forwarding only)".into(),
        ),
        // LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED
        (_, -22) => failure(Class::Command, "it refuses to run a command".into()),
        _ if trouble.is_loss() => {
            failure(Class::Lost, "it ended the connection before the command began".into())
        }
        (_, code) => failure(Class::Command, format!("the command could not be begun (libssh2 says {code})")),
    }
}

pub(crate) fn too_much(max_output: usize) -> Failure {
    Failure::new(
        Class::Output,
        Phase::Command,
        format!("it printed more than {max_output} bytes (--max-output)"),
    )
}

/// The deadline passed while the output was read.
pub(crate) fn no_end(output: &Output, deadline: Deadline) -> Failure {
    let time = told(deadline.whole);
    let what = match (output.has_begun, output.len()) {
        (false, 0) => format!("the command printed nothing for {time}"),
        (false, count) => {
            format!("the command did not begin within {time}; {count} bytes of something else came")
        }
        (true, count) => format!("the command did not end within {time}; {count} bytes of output came"),
    };
    Failure::new(Class::Timeout, Phase::Command, what)
}

/// The watchdog had to cut the connection while output kept coming.
pub(crate) fn cut_short(output: &Output) -> Failure {
    let what = format!("the command did not end in time; {} bytes of output came", output.len());
    Failure::new(Class::Timeout, Phase::Command, what)
}

pub(crate) fn lost_in(output: &Output) -> Failure {
    let what = match output.len() {
        0 => "the connection ended before any output".into(),
        count => format!("the connection ended in the middle of the output, after {count} bytes"),
    };
    Failure::new(Class::Lost, Phase::Command, what)
}

pub(crate) fn gone_between() -> Failure {
    Failure::new(Class::Lost, Phase::Command, "the connection ended since the last command")
}

/// The channel ended without the end mark.
pub(crate) fn ended_early(signal: Option<String>, status: i32, output: &Output, stderr: &[u8]) -> Failure {
    let said =
        first_line(stderr).or_else(|| (!output.has_begun).then(|| first_line(output.bytes())).flatten());
    let said = said.map_or(String::new(), |line| format!("; it said `{line}`"));
    let what = match (signal, output.has_begun) {
        (Some(signal), _) => format!("the command was killed by SIG{signal}{said}"),
        (None, false) if status == 0 => {
            format!("another command was run, or none, with exit status 0; is one forced there?{said}")
        }
        (None, false) => format!("the command was not run: exit status {status}{said}"),
        (None, true) => {
            format!("the output is cut off after {} bytes: the shell was killed{said}", output.len())
        }
    };
    Failure::new(Class::Command, Phase::Command, what)
}

/// The first line that says something, at most 200 characters.
pub(crate) fn first_line(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}
