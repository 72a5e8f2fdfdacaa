//! The client's way to a stream that is open already.

use std::fmt::Debug;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NativeTlsConnector, NextTimeout, Transport,
};

use crate::health::stream::Stream;

/// Gives `stream` to the first request, with TLS over it where its URL says so.
pub(super) fn connector(stream: Box<dyn Stream>) -> impl Connector {
    Given(Mutex::new(Some(stream))).chain(NativeTlsConnector::default())
}

/// For names that nobody looks up here.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}

#[derive(Debug)]
struct Given(Mutex<Option<Box<dyn Stream>>>);

impl Connector for Given {
    type Out = Wired;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Wired>, Error> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A second request would want a second stream.
        let stream = stream.ok_or(Error::ConnectionFailed)?;
        let sizes = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Wired { stream, buffers: LazyBuffers::new(sizes.0, sizes.1) }))
    }
}

/// The stream, which knows its deadline itself.
#[derive(Debug)]
struct Wired {
    stream: Box<dyn Stream>,
    buffers: LazyBuffers,
}

impl Transport for Wired {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output).map_err(Error::Io)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let input = self.buffers.input_append_buf();
        let count = loop {
            match self.stream.read(input) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other.map_err(Error::Io)?,
            }
        };
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        // It is never used again.
        false
    }
}
