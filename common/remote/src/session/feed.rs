//! The standard input of a command, on its way out.

use std::io::{self, Write};

use ssh2::Channel;

use super::{AGAIN, is_later};

/// What is still to be sent.
///
/// Once the library has begun a packet it must be called again with the very same one until that is
/// out: it sends nothing else meanwhile, neither for this channel nor for another.
pub(super) struct Feed<'a> {
    rest: &'a [u8],
    stage: Stage,
    /// Whether more is sent on this channel later.
    goes_on: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The next packet can be begun, once the far side has room for it.
    Ready,
    /// The library is in the middle of a packet.
    Halfway,
    /// All is sent, and that it was all.
    Done,
}

impl<'a> Feed<'a> {
    /// Sends `input` and the end of it; nothing at all when there is none.
    pub(super) fn new(input: Option<&'a [u8]>) -> Self {
        let stage = if input.is_some() { Stage::Ready } else { Stage::Done };
        Self { rest: input.unwrap_or_default(), stage, goes_on: false }
    }

    /// Sends `request`, and not the end of input.
    pub(super) fn told(request: &'a [u8]) -> Self {
        Self { rest: request, stage: Stage::Ready, goes_on: true }
    }

    /// Whether a packet is begun that must be sent to its end.
    pub(super) fn is_halfway(&self) -> bool {
        self.stage == Stage::Halfway
    }

    /// Sends one packet if that goes without waiting; true when one went. With `ends` none is begun any
    /// more. To be called at one place only: the library knows the packet for the end of input by its
    /// address, which is one on the stack.
    pub(super) fn send(&mut self, channel: &mut Channel, ends: bool) -> io::Result<bool> {
        if self.stage == Stage::Done || (ends && self.stage == Stage::Ready) {
            return Ok(false);
        }
        if self.rest.is_empty() {
            return if self.goes_on { Ok(false) } else { self.send_end(channel) };
        }
        let had_room = channel.write_window().remaining > 0;
        match channel.write(self.rest) {
            // No room; with room the library sends at least a byte, or says that it is halfway.
            Ok(0) => Ok(false),
            Ok(count) => {
                self.rest = self.rest.get(count..).unwrap_or_default();
                self.stage = Stage::Ready;
                Ok(true)
            }
            Err(error) if is_later(&error) => {
                // Before it begins a packet it reads what has come, which may have made room.
                if had_room || channel.write_window().remaining > 0 {
                    self.stage = Stage::Halfway;
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn send_end(&mut self, channel: &mut Channel) -> io::Result<bool> {
        match channel.send_eof() {
            Ok(()) => {
                self.stage = Stage::Done;
                Ok(true)
            }
            Err(error) if error.code() == AGAIN => {
                self.stage = Stage::Halfway;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
