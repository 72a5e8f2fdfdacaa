//! A connection to a place that is far away.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

/// A stream whose words take a round trip to arrive, and which hears at once. Nobody at the other end
/// can tell that from half the time in each direction.
pub(crate) struct Distant {
    read: OwnedReadHalf,
    write: UnboundedSender<(Instant, Vec<u8>)>,
    rtt: Duration,
}

/// Puts `stream` so far away. Its end, too, is seen only after a round trip.
pub(crate) fn away(stream: TcpStream, rtt: Duration) -> Distant {
    let (read, half) = stream.into_split();
    let (write, sent) = unbounded_channel();
    tokio::spawn(carry(sent, half));
    Distant { read, write, rtt }
}

async fn carry(
    mut sent: UnboundedReceiver<(Instant, Vec<u8>)>,
    mut half: OwnedWriteHalf,
) -> std::io::Result<()> {
    while let Some((at, bytes)) = sent.recv().await {
        sleep_until(at).await;
        half.write_all(&bytes).await?;
    }
    half.shutdown().await
}

impl AsyncRead for Distant {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, into)
    }
}

impl AsyncWrite for Distant {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let sent = self.write.send((Instant::now() + self.rtt, bytes.to_vec()));
        Poll::Ready(sent.map(|()| bytes.len()).map_err(|_| std::io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
