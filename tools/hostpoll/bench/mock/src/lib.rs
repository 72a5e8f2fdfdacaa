//! Plays thousands of distant hosts: `mock ADDRESS:PORT RTT_MS HOSTKEY AUTHORIZED TEMPLATE`.
//!
//! A listener on 0.0.0.0 takes connections to all of 127.0.0.0/8, so each address there is a host.
//! sshd forks three times for a login and takes 18 ms of CPU; here it is a task and about one, so that
//! the limits that are met are those of the client. Prints one line when it listens, and runs until it
//! is ended.

mod answer;
mod distance;
mod host;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PublicKey, load_secret_key};
use russh::{MethodKind, MethodSet, server};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

use answer::Answer;
use host::Host;

/// As many as may knock at once; the kernel takes less where net.core.somaxconn is smaller.
const BACKLOG: u32 = 65_535;

/// Serves what the command line says; an exit status when it cannot.
#[must_use]
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Ok([address, rtt, key, authorized, template]) = <[String; 5]>::try_from(args) else {
        eprintln!("usage: mock ADDRESS:PORT RTT_MS HOSTKEY AUTHORIZED TEMPLATE");
        return ExitCode::from(2);
    };
    let runtime = Runtime::new().map_err(Into::into);
    match runtime.and_then(|runtime| runtime.block_on(serve(&address, &rtt, &key, [&authorized, &template])))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mock: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve(address: &str, rtt: &str, key: &str, files: [&str; 2]) -> Result<(), Box<dyn Error>> {
    let rtt =
        Duration::from_millis(rtt.parse().map_err(|_| format!("`{rtt}` is no number of milliseconds"))?);
    let [authorized, template] = files.map(read);
    let host = Host::new(keys(&String::from_utf8(authorized?)?)?, Answer::new(&template?));
    let config = Arc::new(server::Config {
        keys: vec![load_secret_key(key, None).map_err(|error| format!("cannot read {key}: {error}"))?],
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: Duration::ZERO,
        nodelay: true,
        ..server::Config::default()
    });
    let listener = listen(address).map_err(|error| format!("cannot listen at {address}: {error}"))?;
    println!("listening at {}", listener.local_addr()?);
    loop {
        // Too many open files: some will be closed.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (config, host) = (Arc::clone(&config), host.clone());
        tokio::spawn(async move {
            stream.set_nodelay(true)?;
            // The three packets of the connection, which the kernel answers at once.
            tokio::time::sleep(rtt).await;
            server::run_stream(config, distance::away(stream, rtt), host).await?.await
        });
    }
}

fn listen(address: &str) -> std::io::Result<TcpListener> {
    let address = address.parse().map_err(std::io::Error::other)?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))
}

/// The keys of an `authorized_keys` file without options.
fn keys(text: &str) -> Result<Vec<PublicKey>, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| PublicKey::from_openssh(line).map_err(|error| format!("`{line}` is no key: {error}")))
        .collect()
}
