//! A port of the loopback for a server.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Child;

/// The port that was free may be taken until the server has it.
const ATTEMPTS: usize = 5;

/// Has `start` start the server `name` at a port that nobody has; its log is the error when it does not come
/// to listen there.
#[track_caller]
pub(crate) fn serve(name: &str, start: impl Fn(u16) -> Result<Child, String>) -> (Child, u16) {
    let mut said = String::new();
    for _ in 0..ATTEMPTS {
        let port = free();
        match start(port) {
            Ok(child) => return (child, port),
            Err(log) if log.contains("Address already in use") => said = log,
            Err(log) => panic!("{name} does not start: {log}"),
        }
    }
    panic!("{name} does not start: {said}")
}

fn free() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}
