//! A dead man's monitor: it says yes to whoever calls, and remembers the calls.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// A monitor that listens as long as the test runs.
pub(crate) struct Monitor {
    /// Where.
    pub(crate) address: SocketAddr,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Monitor {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let calls = Arc::default();
        let heard = Arc::clone(&calls);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &heard)));
        Self { address, calls }
    }

    /// Whether somebody has called with this method and this path.
    pub(crate) fn has_heard(&self, call: &str) -> bool {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|heard| heard == call)
    }
}

fn answer(mut stream: impl Read + Write, calls: &Mutex<Vec<String>>) {
    let mut request = vec![0; 64 * 1024];
    let length = stream.read(&mut request).unwrap_or(0);
    let text = String::from_utf8_lossy(&request[..length]);
    let call = text.split(" HTTP/").next().unwrap_or_default().to_owned();
    calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    let _hung_up = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK");
}
