//! Two roles of PostgreSQL.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use testkit::postgres::Postgres;

use crate::rig::FOREIGN;
use crate::targets::{FIRST, Target, user};

/// Two roles, and a third one that is somebody else's.
pub(crate) struct Pair {
    server: Arc<Postgres>,
    name: String,
    address: String,
}

impl Pair {
    /// Roles of their own on `server`, which is told of them and asked at `address`.
    pub(crate) fn new(server: &Arc<Postgres>, address: String) -> Self {
        let name = user();
        server.ask(&format!(
            "CREATE ROLE {name} NOLOGIN; CREATE ROLE {name}_a LOGIN PASSWORD '{FIRST}' IN ROLE {name}; \
             CREATE ROLE {name}_b NOLOGIN IN ROLE {name}; \
             CREATE ROLE {name}_c LOGIN PASSWORD '{FOREIGN}' IN ROLE {name}"
        ));
        Self { server: Arc::clone(server), name, address }
    }
}

impl Target for Pair {
    fn provider(&self) -> String {
        let (address, name) = (&self.address, &self.name);
        format!(
            "kind = \"postgres\"\naddress = \"{address}\"\nroles = [\"{name}_a\", \"{name}_b\"]\n\
             admin = \"admin\"\nadmin_password = {{ file = \"FOLDER/admin\" }}\n"
        )
    }

    fn form(&self) -> &'static str {
        "{user}:{secret}"
    }

    fn first(&self) -> String {
        format!("{}_a:{FIRST}", self.name)
    }

    fn keeps(&self) -> Vec<(&'static str, String)> {
        vec![("admin", "admin-password\n".to_owned())]
    }

    fn logs_in(&self, _folder: &Path, held: &str) -> bool {
        let (role, password) = held.split_once(':').unwrap();
        log_in(&self.server.address(), role, password).is_ok()
    }

    fn wrong(&self, folder: &Path, held: &str) -> Vec<String> {
        let roles = self.server.ask(&format!(
            "SELECT rolname, rolcanlogin, rolpassword IS NOT NULL FROM pg_authid \
             WHERE rolname LIKE '{}\\_%' ORDER BY 1",
            self.name
        ));
        let (held_role, _) = held.split_once(':').unwrap();
        let line = |letter: &str| {
            let role = format!("{}_{letter}", self.name);
            let is_good = if role == held_role || letter == "c" { "t" } else { "f" };
            format!("{role}|{is_good}|{is_good}\n")
        };
        let want = ["a", "b", "c"].map(line).concat();
        let mut wrong = Vec::new();
        if roles != want.trim_end() {
            wrong.push(format!("the roles are {roles}, and {held} is held"));
        }
        for good in [held, &format!("{}_c:{FOREIGN}", self.name)] {
            if !self.logs_in(folder, good) {
                wrong.push(format!("{good} is refused"));
            }
        }
        wrong
    }
}

/// Logs in over TCP, and goes.
fn log_in(address: &str, role: &str, password: &str) -> io::Result<()> {
    let mut session = Session { stream: TcpStream::connect(address)?, received: BytesMut::new() };
    session.send(|buffer| frontend::startup_message([("user", role), ("database", "postgres")], buffer))?;
    let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
    loop {
        match session.receive()? {
            Message::AuthenticationSasl(_) => {
                session
                    .send(|buffer| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), buffer))?;
            }
            Message::AuthenticationSaslContinue(body) => {
                scram.update(body.data())?;
                session.send(|buffer| frontend::sasl_response(scram.message(), buffer))?;
            }
            Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
            Message::ReadyForQuery(_) => return Ok(()),
            Message::ErrorResponse(_) => return Err(io::Error::other("refused")),
            _ => {}
        }
    }
}

struct Session {
    stream: TcpStream,
    received: BytesMut,
}

impl Session {
    fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        write(&mut buffer)?;
        self.stream.write_all(&buffer)
    }

    fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.received)? {
                return Ok(message);
            }
            let mut part = [0; 4096];
            let count = self.stream.read(&mut part)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.received.extend_from_slice(&part[..count]);
        }
    }
}
