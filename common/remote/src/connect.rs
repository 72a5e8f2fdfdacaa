//! From a name to a connected socket.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;

use crate::bounds::{Deadline, told};
use crate::failure::{Class, Failure, Phase};

/// The addresses of `host`, at least one.
///
/// The resolver of the system knows no deadline, so it runs in a thread that is left behind when it
/// takes too long.
///
/// # Errors
/// When the name has no address, or the deadline passes.
pub(crate) fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let dns = |what: String| Failure::new(Class::Dns, Phase::Resolve, what);
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let look_up = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody waits any more when the deadline was first.
        let _is_heard = sender.send(found);
    };
    // Name service modules use a lot of stack.
    let thread = std::thread::Builder::new().name("resolve".into()).stack_size(512 * 1024).spawn(look_up);
    thread.map_err(|error| dns(format!("its name cannot be looked up: {error}")))?;
    match receiver.recv_timeout(deadline.whole) {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Ok(_)) => Err(dns(format!("{host} has no address"))),
        Ok(Err(error)) => Err(dns(format!("{host} has no address: {}", reason(&error)))),
        Err(_) => Err(Failure::new(
            Class::Timeout,
            Phase::Resolve,
            format!("the name service said nothing about {host} for {}", told(deadline.whole)),
        )),
    }
}

/// What getaddrinfo(3) says, without std's words around it.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}

/// Connects to the first of `addresses` that answers, each with its share of the time that is left.
///
/// # Errors
/// When none does; the failure is that of the last one.
pub(crate) fn connect(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Failure> {
    let mut failure = timeout(deadline);
    for (index, address) in addresses.iter().enumerate() {
        let Some(left) = deadline.left() else { break };
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share).and_then(prepared) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = refused(&error, *address, deadline),
        }
    }
    Err(failure)
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn timeout(deadline: Deadline) -> Failure {
    let what = format!(
        "no answer to the connection for {}; the host is down, or a firewall drops the packets",
        told(deadline.whole)
    );
    Failure::new(Class::Timeout, Phase::Connect, what)
}

fn refused(error: &io::Error, address: SocketAddr, deadline: Deadline) -> Failure {
    let refused = |what: String| Failure::new(Class::Refused, Phase::Connect, what);
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => timeout(deadline),
        io::ErrorKind::ConnectionRefused => {
            refused(format!("nothing listens on port {} of {}", address.port(), address.ip()))
        }
        io::ErrorKind::HostUnreachable => {
            refused(format!("the way to {} ends nowhere (no route)", address.ip()))
        }
        io::ErrorKind::NetworkUnreachable => {
            refused(format!("there is no network that leads to {}", address.ip()))
        }
        io::ErrorKind::ConnectionReset => {
            Failure::new(Class::Lost, Phase::Connect, "it reset the connection before it said anything")
        }
        // Too many open files, no memory, no port left: it is no word of the host's.
        _ if error.raw_os_error().map(rustix::io::Errno::from_raw_os_error).is_some_and(is_ours) => {
            Failure::new(
                Class::Lost,
                Phase::Connect,
                format!("cannot connect to {address} from here: {error}"),
            )
        }
        _ => refused(format!("cannot connect to {address}: {error}")),
    }
}

/// Whether it is this machine that has too little of something.
fn is_ours(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    matches!(error, Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL)
}
