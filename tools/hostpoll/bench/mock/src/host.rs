//! One host: who may log in, and what it answers.

use std::sync::Arc;

use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, Error};

use crate::answer::Answer;

/// A host; all that are played are the same.
#[derive(Clone)]
pub(crate) struct Host {
    keys: Arc<[PublicKey]>,
    answer: Arc<Answer>,
}

impl Host {
    pub(crate) fn new(keys: Vec<PublicKey>, answer: Answer) -> Self {
        Self { keys: keys.into(), answer: Arc::new(answer) }
    }

    fn knows(&self, key: &PublicKey) -> Auth {
        let is_known = self.keys.iter().any(|known| known.key_data() == key.key_data());
        if is_known { Auth::Accept } else { Auth::reject() }
    }
}

impl Handler for Host {
    type Error = Error;

    async fn auth_publickey_offered(&mut self, _: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Error> {
        Ok(self.knows(offer.public_key))
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        Ok(self.knows(key.public_key))
    }

    async fn channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Error> {
        session.channel_success(channel)?;
        session.data(channel, self.answer.to(command))?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }
}
