//! A session with a server of PostgreSQL (its manual, "Frontend/Backend Protocol", version 3.0).

use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use native_tls::TlsConnector;
use postgres_protocol::message::backend::{ErrorFields, Header, Message};
use postgres_protocol::message::frontend;
use secrecy::SecretString;
use secrets::conceal;

use super::auth;
use crate::provider::wire::{Address, Fault, Told, Wire};

/// How a server is reached.
pub(super) struct Server {
    /// Where it is; a folder means the socket with the usual number there.
    pub(super) address: Address,
    /// What speaks TLS with it, where it may, and whether it must.
    pub(super) tls: Option<(TlsConnector, bool)>,
    /// How long it may take for an answer.
    pub(super) timeout: Duration,
    /// What is connected to.
    pub(super) database: String,
}

/// A session.
pub(super) struct Client {
    wire: Wire,
    received: BytesMut,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server's error: its code (its manual, appendix A), and its sentence.
    Refused(String, String),
    /// Anything else.
    Fault(Fault),
}

/// The rows of an answer.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// What we are called in `pg_stat_activity`.
pub(super) const APPLICATION: &str = "keyrotate";

/// A longer message is none of the answers to what is asked here.
const LONGEST: i32 = 16 * 1024 * 1024;

/// Errors that pass by themselves: of the connection, of resources, of an operator, of another
/// transaction, and that a server is a standby for now.
const PASSING: &[&str] = &["08", "53", "57", "58", "40", "55", "25", "XX"];

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Trouble> for Fault {
    /// What is asked of the server is refused for good, unless the reason passes by itself.
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(code, why) if PASSING.iter().any(|class| code.starts_with(class)) => {
                Self::Unknown(why)
            }
            Trouble::Refused(_, why) => Self::No(why),
            Trouble::Fault(fault) => fault,
        }
    }
}

impl Server {
    /// A session of `user`, which is told apart from others by [`APPLICATION`].
    ///
    /// # Errors
    /// When the server is out of reach or refuses the user, or asks for what is not to be sent.
    pub(super) fn log_in(&self, user: &str, secret: Option<&SecretString>) -> Result<Client, Trouble> {
        let wire = Wire::connect(&self.socket(), self.timeout)?;
        let mut client = Client { wire: self.secured(wire)?, received: BytesMut::new() };
        let parameters = [
            ("user", user),
            ("database", self.database.as_str()),
            ("application_name", APPLICATION),
            ("client_encoding", "UTF8"),
        ];
        client.send(|buffer| frontend::startup_message(parameters, buffer))?;
        auth::authenticate(&mut client, user, secret)?;
        while !matches!(client.receive()?, Message::ReadyForQuery(_)) {}
        Ok(client)
    }

    /// The socket in a folder has the number of the port in its name.
    fn socket(&self) -> Address {
        match &self.address {
            Address::Unix(path) if path.is_dir() => Address::Unix(PathBuf::from(path).join(".s.PGSQL.5432")),
            address => address.clone(),
        }
    }

    fn secured(&self, mut wire: Wire) -> Told<Wire> {
        let (Some((connector, must)), Some(host)) = (&self.tls, self.address.host()) else { return Ok(wire) };
        let broken = |error: io::Error| Fault::broken("ask for TLS", &error);
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        wire.send(&request).map_err(broken)?;
        let mut answer = [0];
        wire.read_exact(&mut answer).map_err(broken)?;
        match answer[0] {
            b'S' => wire.secured(connector, host),
            b'N' if !must => Ok(wire),
            b'N' => Err(Fault::Unknown("the server speaks no TLS".into())),
            _ => Err(Fault::Unknown("cannot ask for TLS: the server answers something else".into())),
        }
    }
}

impl Client {
    /// The rows that `sql` brings; of several statements, which are one transaction, those of all.
    ///
    /// # Errors
    /// When the server refuses a statement, which undoes all of them, or the connection breaks.
    pub(super) fn query(&mut self, sql: &str) -> Result<Rows, Trouble> {
        self.send(|buffer| frontend::query(sql, buffer))?;
        let (mut rows, mut refused) = (Rows::new(), None);
        loop {
            match self.next()? {
                Message::DataRow(row) => {
                    let bytes = row.buffer();
                    let text = |range: std::ops::Range<usize>| {
                        String::from_utf8_lossy(bytes.get(range).unwrap_or_default()).into_owned()
                    };
                    let texts = row.ranges().map(|range| Ok(range.map(text))).collect();
                    rows.push(texts.map_err(|error| broken(&error))?);
                }
                Message::ErrorResponse(body) => refused = refused.or(Some(refusal(body.fields()))),
                Message::ReadyForQuery(_) => return refused.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    /// Whether nobody between here and the server can listen.
    pub(super) fn is_private(&self) -> bool {
        self.wire.is_private()
    }

    /// What binds the log-in to the server's certificate.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        self.wire.end_point()
    }

    /// Sends the message that `write` writes.
    ///
    /// # Errors
    /// When it cannot be written, which is a text with a zero in it, or the connection breaks.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Told {
        let mut message = BytesMut::new();
        write(&mut message).map_err(|error| broken(&error))?;
        self.send_bytes(&message)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn send_bytes(&mut self, message: &[u8]) -> Told {
        self.wire.send(message).map_err(|error| broken(&error))
    }

    /// The next message that is no error and no remark.
    ///
    /// # Errors
    /// When the server tells an error, or the connection breaks.
    pub(super) fn receive(&mut self) -> Result<Message, Trouble> {
        match self.next()? {
            Message::ErrorResponse(body) => Err(refusal(body.fields())),
            message => Ok(message),
        }
    }

    fn next(&mut self) -> Told<Message> {
        loop {
            let header = Header::parse(&self.received).map_err(|error| broken(&error))?;
            if header.is_some_and(|header| header.len() > LONGEST) {
                return Err(Fault::Unknown("a message of the server is longer than 16 MiB".into()));
            }
            match Message::parse(&mut self.received).map_err(|error| broken(&error))? {
                Some(Message::NoticeResponse(_) | Message::ParameterStatus(_)) => {}
                Some(message) => return Ok(message),
                None => self.read_more()?,
            }
        }
    }

    fn read_more(&mut self) -> Told {
        let bytes = self.wire.fill_buf().map_err(|error| broken(&error))?;
        let count = bytes.len();
        self.received.extend_from_slice(bytes);
        self.wire.consume(count);
        if count == 0 {
            return Err(broken(&io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut message = BytesMut::new();
        frontend::terminate(&mut message);
        // So that the server does not log a lost connection; nothing depends on it.
        let _is_told = self.wire.send(&message);
    }
}

fn broken(error: &io::Error) -> Fault {
    Fault::broken("ask the server", error)
}

fn refusal(mut fields: ErrorFields<'_>) -> Trouble {
    let (mut code, mut message) = (String::new(), String::new());
    while let Ok(Some(field)) = fields.next() {
        match field.type_() {
            b'C' => code = String::from_utf8_lossy(field.value_bytes()).into_owned(),
            b'M' => message = conceal::quoted(field.value_bytes()),
            _ => {}
        }
    }
    Trouble::Refused(code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_no_refusal() {
        let check = |code: &str, is_no: bool| {
            let fault = Fault::from(Trouble::Refused(code.into(), "why".into()));
            assert_eq!(matches!(fault, Fault::No(_)), is_no, "{code}");
        };
        // invalid_password, insufficient_privilege, undefined_object, invalid_catalog_name
        for code in ["28P01", "42501", "42704", "3D000"] {
            check(code, true);
        }
        // cannot_connect_now, admin_shutdown, too_many_connections, query_canceled, disk_full,
        // serialization_failure, lock_not_available, read_only_sql_transaction, tuple concurrently updated
        for code in ["57P03", "57P01", "53300", "57014", "53100", "40001", "55P03", "25006", "XX000"] {
            check(code, false);
        }
    }
}
