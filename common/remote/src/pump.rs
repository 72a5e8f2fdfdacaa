//! Moves the bytes of all tunnels of one jump host, in a thread of its own.

use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Channel, ErrorCode};

use crate::failure::{Class, Failure, Phase};
use crate::session::{AGAIN, Session, is_later};

/// After this long an opening is taken for one that hangs, when others wait behind it; sooner where
/// others took far less. Targets that are down would make healthy ones late, one after the other.
const STUCK: Duration = Duration::from_secs(1);
const SOONEST: Duration = Duration::from_millis(100);

/// What one tunnel holds in each direction before it waits.
const ROOM: usize = 32 * 1024;

/// A wish for a tunnel.
pub(crate) struct Request {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) reply: Sender<Result<Opened, Failure>>,
}

/// What a wish led to.
pub(crate) enum Opened {
    /// A socket that leads to the target.
    Stream(UnixStream),
    /// This session takes no more tunnels; another one is needed.
    Elsewhere,
}

/// The tunnels of one session.
pub(crate) struct Pump {
    session: Session,
    requests: Receiver<Request>,
    bell: UnixStream,
    is_stuck: Arc<AtomicBool>,
    waiting: Vec<Request>,
    /// The opening that is under way, and since when.
    opening: Option<(Request, Instant)>,
    tunnels: Vec<Tunnel>,
    /// How long the slowest opening that succeeded took.
    slowest: Option<Duration>,
    /// Whether anybody can still ask for more.
    is_wanted: bool,
}

/// The session is of no more use.
struct Gone;

impl Pump {
    pub(crate) fn new(
        session: Session,
        requests: Receiver<Request>,
        bell: UnixStream,
        is_stuck: Arc<AtomicBool>,
    ) -> Self {
        Self {
            session,
            requests,
            bell,
            is_stuck,
            waiting: Vec::new(),
            opening: None,
            tunnels: Vec::new(),
            slowest: None,
            is_wanted: true,
        }
    }

    /// Moves bytes until the session ends, or nobody needs it any more.
    pub(crate) fn run(mut self) {
        while self.is_wanted || !self.tunnels.is_empty() {
            self.take_requests();
            // Whichever channel is read, it takes from the socket what has come for all of them, of
            // which poll(2) then knows nothing. The opening looks last, and sees what the tunnels took;
            // what it took for them itself is asked for.
            let moved = self.pump().and_then(|moved| Ok(self.open()? || moved));
            match moved {
                Ok(true) => {}
                Ok(false) if self.has_unread() => {}
                Ok(false) if self.wait().is_ok() => {}
                _ => break,
            }
        }
        self.is_stuck.store(true, Ordering::Release);
        self.take_requests();
        self.send_elsewhere();
    }

    fn take_requests(&mut self) {
        loop {
            match self.requests.try_recv() {
                Ok(request) => self.waiting.push(request),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.is_wanted = false;
                    return;
                }
            }
        }
    }

    /// Those that wait need another session.
    fn send_elsewhere(&mut self) {
        for request in self.waiting.drain(..) {
            let _is_heard = request.reply.send(Ok(Opened::Elsewhere));
        }
    }

    /// Goes on with the opening; true when one came to its end.
    fn open(&mut self) -> Result<bool, Gone> {
        if self.opening.is_none() && !self.waiting.is_empty() {
            self.opening = Some((self.waiting.remove(0), Instant::now()));
        }
        let Some((request, since)) = &self.opening else { return Ok(false) };
        let opened = self.session.ssh().channel_direct_tcpip(&request.host, request.port, None);
        let answer = match opened {
            Err(error) if error.code() == AGAIN => {
                if since.elapsed() > self.patience() && !self.waiting.is_empty() {
                    self.is_stuck.store(true, Ordering::Release);
                    self.send_elsewhere();
                }
                return Ok(false);
            }
            // LIBSSH2_ERROR_CHANNEL_FAILURE
            Err(error) if error.code() == ErrorCode::Session(-21) => Err(unreachable_from_there(request)),
            // LIBSSH2_ERROR_TIMEOUT, after 60 s: the target is silent, and the tunnels live on.
            Err(error) if error.code() == ErrorCode::Session(-9) => Err(unreachable_from_there(request)),
            Err(_) => return Err(Gone),
            Ok(channel) => {
                self.slowest = self.slowest.max(Some(since.elapsed()));
                self.attach(channel)
            }
        };
        if let Some((request, _)) = self.opening.take() {
            let _is_heard = request.reply.send(answer);
        }
        Ok(true)
    }

    /// How long others wait behind an opening before it counts as one that hangs.
    fn patience(&self) -> Duration {
        self.slowest.map_or(STUCK, |slowest| (slowest * 4).clamp(SOONEST, STUCK))
    }

    fn attach(&mut self, channel: Channel) -> Result<Opened, Failure> {
        let local = |error: std::io::Error| {
            Failure::new(Class::Lost, Phase::Connect, format!("cannot begin a tunnel: {error}"))
        };
        let (ours, theirs) = UnixStream::pair().map_err(local)?;
        ours.set_nonblocking(true).map_err(local)?;
        theirs.set_nonblocking(true).map_err(local)?;
        self.tunnels.push(Tunnel::new(channel, ours));
        Ok(Opened::Stream(theirs))
    }

    /// Moves what can be moved; true when anything was.
    fn pump(&mut self) -> Result<bool, Gone> {
        let mut moved = false;
        for tunnel in &mut self.tunnels {
            moved |= tunnel.pump()?;
        }
        self.tunnels.retain(|tunnel| !tunnel.is_over);
        Ok(moved)
    }

    /// Whether the library holds something for a tunnel that was not there when it was read.
    fn has_unread(&mut self) -> bool {
        self.tunnels.iter_mut().any(Tunnel::has_unread)
    }

    fn wait(&mut self) -> Result<(), Gone> {
        let directions = self.session.ssh().block_directions();
        let mut ssh = PollFlags::IN;
        ssh.set(PollFlags::OUT, matches!(directions, BlockDirections::Outbound | BlockDirections::Both));
        let socket = self.session.guarded.wire.socket();
        acknowledge(socket);
        let mut sockets = vec![PollFd::from_borrowed_fd(socket, ssh)];
        // A bell whose other end is gone would ring for ever.
        sockets.extend(self.is_wanted.then(|| PollFd::new(&self.bell, PollFlags::IN)));
        sockets.extend(self.tunnels.iter().filter_map(Tunnel::waits_for));
        // An opening that hangs is looked at once it counts as stuck.
        let pause = if self.opening.is_some() { self.patience() } else { Duration::from_secs(60) };
        let pause = Timespec::try_from(pause).map_err(|_| Gone)?;
        match poll(&mut sockets, Some(&pause)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Err(Gone),
        }
        let mut rings = [0; 64];
        if matches!(self.bell.read(&mut rings), Ok(0)) {
            // The last handle is gone.
            self.is_wanted = false;
        }
        Ok(())
    }
}

/// Acknowledges at once what has come. sshd leaves Nagle's algorithm on for a session that only forwards,
/// and waits 40 ms for our acknowledgement before its next small packet; the system forgets the wish.
fn acknowledge(socket: BorrowedFd<'_>) {
    // Behind another jump host it is no TCP.
    #[cfg(target_os = "linux")]
    let _is_tcp = rustix::net::sockopt::set_tcp_quickack(socket, true);
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

fn unreachable_from_there(request: &Request) -> Failure {
    let what = format!(
        "the jump host reaches no {}:{} (refused, no route, or it may not forward)",
        request.host, request.port
    );
    Failure::new(Class::Refused, Phase::Connect, what)
}

/// One target behind the jump host.
struct Tunnel {
    channel: Channel,
    /// `None` when the session at the other end has been closed, or the target has ended it.
    local: Option<UnixStream>,
    to_local: Vec<u8>,
    to_remote: Vec<u8>,
    /// What the library held when it was last asked.
    unread: u32,
    /// The far side has confirmed the end.
    is_over: bool,
}

impl Tunnel {
    fn new(channel: Channel, local: UnixStream) -> Self {
        let (to_local, to_remote) = (Vec::new(), Vec::new());
        Self { channel, local: Some(local), to_local, to_remote, unread: 0, is_over: false }
    }

    fn pump(&mut self) -> Result<bool, Gone> {
        let outwards = self.outwards()?;
        let inwards = self.inwards()?;
        Ok(self.close()? || outwards || inwards)
    }

    /// From the session to the jump host.
    fn outwards(&mut self) -> Result<bool, Gone> {
        let mut moved = false;
        loop {
            if self.to_remote.is_empty() {
                let Some(local) = &mut self.local else { return Ok(moved) };
                let mut bytes = [0; ROOM / 2];
                match local.read(&mut bytes) {
                    Ok(count) if count > 0 => self.to_remote.extend_from_slice(&bytes[..count]),
                    Err(error) if is_later(&error) => return Ok(moved),
                    _ => {
                        self.local = None;
                        return Ok(true);
                    }
                }
            }
            match self.channel.write(&self.to_remote) {
                Ok(count) => {
                    self.to_remote.drain(..count);
                    moved = true;
                }
                Err(error) if is_later(&error) => return Ok(moved),
                Err(_) if self.channel.eof() => {
                    self.local = None;
                    self.to_remote.clear();
                    return Ok(true);
                }
                Err(_) => return Err(Gone),
            }
        }
    }

    /// From the jump host to the session.
    fn inwards(&mut self) -> Result<bool, Gone> {
        let mut moved = false;
        loop {
            let Some(local) = &mut self.local else { return Ok(moved) };
            if !self.to_local.is_empty() {
                match local.write(&self.to_local) {
                    Ok(count) => {
                        self.to_local.drain(..count);
                        moved = true;
                    }
                    Err(error) if is_later(&error) => return Ok(moved),
                    Err(_) => {
                        self.local = None;
                        return Ok(true);
                    }
                }
                continue;
            }
            let mut bytes = [0; ROOM / 2];
            match self.channel.read(&mut bytes) {
                Ok(0) if self.channel.eof() => {
                    self.local = None;
                    return Ok(true);
                }
                Ok(0) => return Ok(moved),
                Ok(count) => self.to_local.extend_from_slice(&bytes[..count]),
                Err(error) if is_later(&error) => return Ok(moved),
                Err(_) => return Err(Gone),
            }
        }
    }

    /// Ends the channel once the session has gone and its last packet is out: what the library has
    /// begun to send it must send to its end, or it sends nothing more for anybody. Until the far side
    /// has confirmed, the library keeps a channel, also one that is dropped.
    fn close(&mut self) -> Result<bool, Gone> {
        if self.local.is_some() || !self.to_remote.is_empty() {
            return Ok(false);
        }
        match self.channel.close() {
            Err(error) if error.code() == AGAIN => Ok(false),
            Err(_) => Err(Gone),
            Ok(()) => {
                self.is_over = true;
                Ok(true)
            }
        }
    }

    /// Whether the library holds more than it did when this was last asked, or the end.
    fn has_unread(&mut self) -> bool {
        let now = self.channel.read_window().available;
        let before = std::mem::replace(&mut self.unread, now);
        let can_take = self.local.is_some() && self.to_local.is_empty();
        can_take && (now > 0 && now != before || self.channel.eof())
    }

    fn waits_for(&self) -> Option<PollFd<'_>> {
        let local: BorrowedFd<'_> = self.local.as_ref()?.as_fd();
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.to_remote.is_empty());
        flags.set(PollFlags::OUT, !self.to_local.is_empty());
        // One that is not asked for anything would still tell its end, again and again.
        (!flags.is_empty()).then(|| PollFd::from_borrowed_fd(local, flags))
    }
}
