//! Connections that are lost before or after a server has done what it was asked for, at every request of
//! a rotation.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use testkit::postgres::Postgres;
use testkit::redis::Redis;
use testkit::sweep;

use crate::rig::Rig;
use crate::targets::User;
use crate::targets_postgres::Pair;

fn program() -> std::path::PathBuf {
    sweep::program(env!("CARGO_BIN_EXE_keyrotate"))
}

/// Where the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// The server never hears of the request.
    Before,
    /// It has done what it was asked for, and its answer is lost.
    After,
    /// Of its answer one byte arrives.
    Within,
}

/// Stands before a server. It outlives the test.
struct Proxy {
    address: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    behind: String,
    /// The requests so far, of all connections.
    requests: AtomicUsize,
    fault: Mutex<Option<(usize, Lost)>>,
}

impl Proxy {
    fn start(behind: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner = Arc::new(Inner { behind, ..Inner::default() });
        let own = Arc::clone(&inner);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&own.behind) else { return };
                hand_on(&own, client, server);
            }
        });
        Self { address, inner }
    }

    /// Has the fault come at the request `at`, counted from 1 and from now; none unless it is given.
    fn arm(&self, fault: Option<(usize, Lost)>) {
        self.inner.requests.store(0, Ordering::SeqCst);
        *self.inner.fault.lock().unwrap() = fault;
    }

    fn requests(&self) -> usize {
        self.inner.requests.load(Ordering::SeqCst)
    }
}

fn hand_on(inner: &Arc<Inner>, client: TcpStream, server: TcpStream) {
    let lost = Arc::new(Mutex::new(None));
    let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (inner, known) = (Arc::clone(inner), Arc::clone(&lost));
    std::thread::spawn(move || {
        pass(up, down, |_| {
            let at = inner.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let fault = inner.fault.lock().unwrap().filter(|(wanted, _)| *wanted == at);
            *lost.lock().unwrap() = fault.map(|(_, lost)| lost);
            if fault.is_some_and(|(_, lost)| lost == Lost::Before) { Some(0) } else { None }
        });
    });
    std::thread::spawn(move || {
        pass(server, client, |_| match *known.lock().unwrap() {
            Some(Lost::After) => Some(0),
            Some(Lost::Within) => Some(1),
            _ => None,
        });
    });
}

/// Passes bytes on until `cut` says how many are the last ones.
fn pass(mut from: TcpStream, mut to: TcpStream, mut cut: impl FnMut(&[u8]) -> Option<usize>) {
    let mut part = [0; 16384];
    while let Ok(count @ 1..) = from.read(&mut part) {
        let cut = cut(&part[..count]);
        if to.write_all(&part[..cut.unwrap_or(count)]).is_err() || cut.is_some() {
            break;
        }
    }
    for end in [from, to] {
        let _already_closed = end.shutdown(Shutdown::Both);
    }
}

/// Rotates once for each request that a rotation has, and loses the connection there.
fn lose(what: &str, proxy: &Proxy, share: usize, rig: impl Fn() -> Rig) {
    let run = |rig: &Rig| rig.run(&program(), &["run", &rig.path("spec.toml").display().to_string()]);
    let good = rig();
    proxy.arm(None);
    assert_eq!(run(&good).status.code(), Some(0));
    let requests = proxy.requests();
    assert!(requests > 20, "{requests}");
    let ways = [Lost::Before, Lost::After, Lost::Within];
    let all: Vec<_> = (1..=requests).flat_map(|at| ways.map(|lost| (at, lost))).collect();
    let mut wrong = Vec::new();
    let mut hits = 0;
    let some = sweep::some(&all, share);
    for &&(at, lost) in &some {
        let rig = rig();
        let prober = rig.prober();
        proxy.arm(Some((at, lost)));
        let first = run(&rig);
        hits += usize::from(proxy.requests() >= at);
        proxy.arm(None);
        let mut found = rig.converges(&program());
        found.extend(prober.end());
        // What nobody knows is no reason to go back.
        if !matches!(first.status.code(), Some(0 | 23 | 75)) {
            found.push(format!("{first:?}"));
        }
        wrong.extend(found.into_iter().map(|found| format!("{lost:?} {at}: {found}")));
    }
    println!("{what}: {hits} connections lost of {} tried, {} in all", some.len(), all.len());
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // What comes in two parts in one run comes in one in another.
    assert!(hits * 100 >= some.len() * 90, "{hits}");
}

#[test]
fn a_lost_connection_to_redis_costs_nobody_his_key() {
    let users = "user default on nopass ~* &* +@all\n";
    let Some(server) = Redis::new().users(users).start().map(Arc::new) else { return };
    let proxy = Proxy::start(server.address());
    lose("redis", &proxy, 6, || Rig::new(User::new(&server, proxy.address.clone())));
}

#[test]
fn a_lost_connection_to_postgres_costs_nobody_his_key() {
    let Some(server) = Postgres::new().start().map(Arc::new) else { return };
    let proxy = Proxy::start(server.address());
    lose("postgres", &proxy, 6, || Rig::new(Pair::new(&server, proxy.address.clone())));
}
