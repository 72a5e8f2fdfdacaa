//! How a user is proved to a server of PostgreSQL.

use std::io;

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::client::{Client, Trouble};
use crate::provider::wire::Fault;

/// Answers what the server asks until it is content, which may be at once (`trust`, `peer`).
///
/// # Errors
/// When it refuses the user, or asks for what is not there or not to be sent.
pub(super) fn authenticate(
    client: &mut Client,
    user: &str,
    secret: Option<&SecretString>,
) -> Result<(), Trouble> {
    loop {
        let asked = client.receive()?;
        if matches!(asked, Message::AuthenticationOk) {
            return Ok(());
        }
        let no_secret = || no(format!("the server asks for the password of {user}, and the spec has none"));
        let secret = secret.ok_or_else(no_secret)?.expose_secret().as_bytes();
        match asked {
            Message::AuthenticationSasl(body) => scram(client, &body, secret)?,
            Message::AuthenticationMd5Password(body) => {
                let hash = Zeroizing::new(md5_hash(user.as_bytes(), secret, body.salt()));
                client.send_bytes(&password_message(hash.as_bytes()))?;
            }
            Message::AuthenticationCleartextPassword if client.is_private() => {
                client.send_bytes(&password_message(secret))?;
            }
            Message::AuthenticationCleartextPassword => {
                let way_out = "set sslmode = \"verify-full\", or scram-sha-256 in its pg_hba.conf";
                return Err(no(format!(
                    "the server wants the password as it is, for all to hear; {way_out}"
                )));
            }
            _ => return Err(no("the server asks for another proof than a password")),
        }
    }
}

/// SCRAM, bound to the certificate of the connection where both sides can.
fn scram(client: &mut Client, body: &AuthenticationSaslBody, secret: &[u8]) -> Result<(), Trouble> {
    let offered: Vec<&str> = body.mechanisms().collect().map_err(|error| strange(&error))?;
    let (mechanism, binding) = match client.end_point() {
        Some(end_point) if offered.contains(&SCRAM_SHA_256_PLUS) => {
            (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(end_point))
        }
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    if !offered.contains(&mechanism) {
        return Err(no("the server asks for another proof than SCRAM-SHA-256"));
    }
    let mut scram = ScramSha256::new(secret, binding);
    client.send(|buffer| frontend::sasl_initial_response(mechanism, scram.message(), buffer))?;
    let Message::AuthenticationSaslContinue(body) = client.receive()? else { return Err(unproved()) };
    scram.update(body.data()).map_err(|error| strange(&error))?;
    client.send(|buffer| frontend::sasl_response(scram.message(), buffer))?;
    let Message::AuthenticationSaslFinal(body) = client.receive()? else { return Err(unproved()) };
    // Whoever does not know what the password was made into is not the server.
    scram.finish(body.data()).map_err(|_| unproved())
}

/// The message that holds a password, in a buffer that is wiped.
fn password_message(password: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = u32::try_from(password.len() + 5).unwrap_or(u32::MAX);
    let mut message = Zeroizing::new(Vec::with_capacity(password.len() + 6));
    message.push(b'p');
    message.extend(length.to_be_bytes());
    message.extend(password);
    message.push(0);
    message
}

fn no(why: impl Into<String>) -> Trouble {
    Trouble::Fault(Fault::No(why.into()))
}

fn unproved() -> Trouble {
    Trouble::Fault(Fault::Unknown("the server has not proved that it knows the password".into()))
}

fn strange(error: &io::Error) -> Trouble {
    Trouble::Fault(Fault::broken("log in", error))
}
