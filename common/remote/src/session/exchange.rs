//! A command on its channel: its input goes out and its output comes in, each as it can.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use ssh2::Channel;

use super::feed::Feed;
use super::{AGAIN, Session};
use crate::bounds::Deadline;
use crate::command::{Command, Output};
use crate::failure::Failure;
use crate::forward::lock;
use crate::trouble;

/// What is kept of standard error, for messages.
const STDERR: usize = 4096;

/// How long the far side may take to confirm that a command is over, before the next one.
const CLOSING: Duration = Duration::from_secs(2);

/// How long a command that failed may take to end what it says.
const LINGER: Duration = Duration::from_millis(250);

impl Session {
    /// Runs `command` to its end mark. Its input and its output go side by side: a command may print
    /// before it reads, and read before it prints.
    pub(super) fn exchange(
        &mut self,
        command: &Command,
        max_output: usize,
        deadline: Deadline,
        (output, stderr): (&mut Output, &mut Vec<u8>),
    ) -> Result<i32, Failure> {
        self.confirm_closing(deadline)?;
        let kept = if command.coprocess().is_some() { self.coprocess.take() } else { None };
        let is_first = kept.is_none();
        let mut channel = match kept {
            Some(channel) => channel,
            None => self.begun(command, output, deadline)?,
        };
        output.was_asked_for = true;
        let mut errors = channel.stderr();
        if !is_first {
            // What the last script said late is not this one's.
            let _may_have_ended = drain(&mut errors, &mut Vec::new());
        }
        let request = command.coprocess().map(|coprocess| {
            coprocess.request(command.line(), command.input().unwrap_or_default(), is_first)
        });
        let mut feed = match &request {
            Some(request) => Feed::told(request),
            None => Feed::new(command.input()),
        };
        let mut unread = 0;
        let status = loop {
            match output.status() {
                None => self.read(&mut channel, output, (command, max_output))?,
                Some(_) => skip(&mut channel),
            }
            let status = output.status();
            if status.is_none() {
                drain(&mut errors, stderr).map_err(|()| self.ended_in(output))?;
                if channel.eof() && !is_first && !output.has_begun {
                    // A shell that waited for this, and is no more, has done nothing of it.
                    return Err(self.gone_between());
                }
                if channel.eof() {
                    return Err(self.ended_early(&mut channel, output, stderr, deadline));
                }
            }
            let moved = feed.send(&mut channel, status.is_some()).map_err(|_| self.ended_in(output))?;
            if let Some(status) = status.filter(|_| !feed.is_halfway()) {
                break status;
            }
            // Reading one of the two streams takes what has come for both from the socket, and so does
            // sending; poll(2) then knows nothing of it. What no stream asks for stays there.
            let left = std::mem::replace(&mut unread, channel.read_window().available);
            let has_news = unread > 0 && unread != left || channel.eof();
            if moved || status.is_none() && has_news {
                continue;
            }
            self.wait(deadline).map_err(|_| trouble::no_end(output, deadline))?;
        };
        if status == 0 && request.is_some() {
            self.coprocess = Some(channel);
            return Ok(status);
        }
        if status != 0 {
            // A shell that waits for more would not end.
            let _may_have_ended = request.map(|_| self.until(deadline, || channel.send_eof()));
            self.linger(&mut channel, (&mut errors, stderr), deadline);
        }
        self.close(channel);
        Ok(status)
    }

    /// A channel on which a shell has been asked for.
    fn begun(&self, command: &Command, output: &mut Output, deadline: Deadline) -> Result<Channel, Failure> {
        let at_start = |trouble| trouble::at_start(&trouble, deadline);
        let mut channel = self.until(deadline, || self.ssh.channel_session()).map_err(at_start)?;
        output.was_asked_for = true;
        let line = command.coprocess().map_or(command.line(), |coprocess| &coprocess.opener);
        self.until(deadline, || channel.exec(line)).map_err(at_start)?;
        Ok(channel)
    }

    /// Reads what a command that failed said about it: sshd sends standard error on its own, also behind
    /// the end mark. A child in the background that keeps it open is not waited for.
    fn linger(
        &self,
        channel: &mut Channel,
        (errors, stderr): (&mut ssh2::Stream, &mut Vec<u8>),
        deadline: Deadline,
    ) {
        let linger = Deadline { at: deadline.at.min(Instant::now() + LINGER), whole: LINGER };
        loop {
            skip(channel);
            if drain(errors, stderr).is_err() || channel.eof() || self.wait(linger).is_err() {
                return;
            }
        }
    }

    /// Reads what is there, up to the end mark.
    fn read(
        &self,
        channel: &mut Channel,
        output: &mut Output,
        (command, max_output): (&Command, usize),
    ) -> Result<(), Failure> {
        let mut bytes = [0; 4096];
        loop {
            match channel.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) if output.take(&bytes[..count], command) => return Ok(()),
                Ok(_) if output.len() > max_output => return Err(trouble::too_much(max_output)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(self.ended_in(output)),
            }
        }
    }

    /// Why the connection ended while the output was read.
    fn ended_in(&self, output: &Output) -> Failure {
        if self.guarded.wire.was_cut() { trouble::cut_short(output) } else { trouble::lost_in(output) }
    }

    /// Why a channel ended before the end mark.
    fn ended_early(
        &self,
        channel: &mut Channel,
        output: &Output,
        stderr: &[u8],
        deadline: Deadline,
    ) -> Failure {
        let _says_why = self.until(deadline, || channel.wait_close());
        let signal = channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        let status = channel.exit_status().unwrap_or_default();
        trouble::ended_early(signal, status, output, stderr)
    }

    /// Asks the far side to end `channel`, and waits for its answer only before the next command.
    fn close(&mut self, mut channel: Channel) {
        match channel.close() {
            Err(error) if error.code() == AGAIN => lock(&self.closing).push(channel),
            _ => {}
        }
    }

    pub(crate) fn confirm_closing(&self, deadline: Deadline) -> Result<(), Failure> {
        let pending = std::mem::take(&mut *lock(&self.closing));
        let closing = Deadline { at: deadline.at.min(Instant::now() + CLOSING), whole: CLOSING };
        for mut channel in pending {
            self.until(closing, || channel.close()).map_err(|_| self.gone_between())?;
        }
        Ok(())
    }

    fn gone_between(&self) -> Failure {
        self.cut();
        trouble::gone_between()
    }
}

/// Reads on behind the end mark. The library may be in the middle of a packet that makes room for output,
/// and only reading goes on with that: until then nothing else goes out.
fn skip(channel: &mut Channel) {
    let _nobody_wants_it = channel.read(&mut [0; 4096]);
}

/// Reads standard error, which shares its window with standard output: unread, it would stop both.
fn drain(errors: &mut ssh2::Stream, into: &mut Vec<u8>) -> Result<(), ()> {
    let mut bytes = [0; 1024];
    loop {
        match errors.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let room = STDERR.saturating_sub(into.len());
                into.extend_from_slice(&bytes[..count.min(room)]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(_) => return Err(()),
        }
    }
}
