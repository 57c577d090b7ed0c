//! One request and its reply, over one connection.
//! Owns: `Writing -> Answered`: the first byte, the read timeout, the limits of a reply.
//! Never: sends twice, follows a redirect, unpacks a body, or leaves a copy of one.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use secret::SecretBuffer;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::reply::Header;

/// Largest head of a reply, status line and headers: 16 KiB. A longer one makes the reply
/// unreadable, and the outcome unknown.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Headers of a reply; beyond that it is unreadable.
const HEADERS_MAX: usize = 100;

/// Largest body of a reply: 256 KiB, far above any gateway's. A longer one is not read to its end,
/// and the outcome is unknown.
const REPLY_BYTES_MAX: usize = 256 * 1024;

/// A complete reply. Its body is zeroized on drop.
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Its own Content-Type: a remark, nothing is read by it (SETTLED S18).
    pub(crate) content_type: Option<String>,
    /// Headers that the configuration asks for; all of them are shorter than [`HEAD_BYTES_MAX`].
    pub(crate) headers: Vec<Header>,
    /// The body.
    pub(crate) body: SecretBuffer,
}

/// How far an exchange came. Shared with the stream, so that it can be read after a timeout.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    offered: AtomicU64,
    accepted: AtomicU64,
    status: AtomicU64,
    head_at: OnceLock<Instant>,
}

impl Progress {
    /// A byte of the request was offered to TLS. From then on it may have arrived.
    pub(crate) fn began(&self) -> bool {
        self.offered.load(Ordering::Acquire) > 0
    }

    /// HTTP status, if a head came.
    pub(crate) fn status(&self) -> Option<u16> {
        u16::try_from(self.status.load(Ordering::Acquire))
            .ok()
            .filter(|&status| status > 0)
    }

    /// When the head came.
    pub(crate) fn head_at(&self) -> Option<Instant> {
        self.head_at.get().copied()
    }
}

/// Why there is no complete reply. The words are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Incomplete {
    /// The connection failed, or what came is not HTTP.
    #[error("the reply broke off or is not HTTP: {0}")]
    Http(#[source] hyper::Error),
    /// The reply came before the request was written.
    #[error("a reply came before the request was written")]
    TooEarly,
    /// The body is larger than [`REPLY_BYTES_MAX`].
    #[error("the reply is larger than {REPLY_BYTES_MAX} bytes")]
    TooLarge,
}

/// Writes the request and reads the reply to its end, with the headers of these names. Dropping the future closes the connection.
pub(crate) async fn exchange(
    stream: TlsStream<TcpStream>,
    request: Request<Full<Bytes>>,
    headers: Vec<String>,
    progress: Arc<Progress>,
) -> Result<Reply, Incomplete> {
    let body_bytes = request.body().size_hint().lower();
    let stream = Counted {
        inner: TokioIo::new(stream),
        progress: Arc::clone(&progress),
    };
    let (mut sender, connection) = http1::Builder::new()
        .title_case_headers(true)
        .writev(true)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(stream)
        .await
        .map_err(Incomplete::Http)?;
    let mut connection = Some(Box::pin(connection));
    let answered = sender.send_request(request);
    let response = drive(&mut connection, answered)
        .await
        .map_err(Incomplete::Http)?;
    progress
        .status
        .store(response.status().as_u16().into(), Ordering::Release);
    let _once = progress.head_at.set(Instant::now());
    if progress.accepted.load(Ordering::Acquire) < body_bytes {
        return Err(Incomplete::TooEarly);
    }
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok().map(str::to_owned));
    let headers = asked_for(response.headers(), headers);
    let body = drive(&mut connection, read_body(response.into_body())).await?;
    Ok(Reply {
        status,
        content_type,
        headers,
        body,
    })
}

/// The headers of these names, each as often as it came.
fn asked_for(came: &HeaderMap, names: Vec<String>) -> Vec<Header> {
    let mut headers = Vec::new();
    for name in names {
        for value in came.get_all(&name) {
            let text = value.to_str().ok();
            headers.push(Header {
                name: name.clone(),
                value: text.map(|text| Zeroizing::new(text.to_owned())),
            });
        }
    }
    headers
}

async fn read_body(mut incoming: Incoming) -> Result<SecretBuffer, Incomplete> {
    if incoming.size_hint().lower() > u64::try_from(REPLY_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(Incomplete::TooLarge);
    }
    let mut body = SecretBuffer::with_capacity(REPLY_BYTES_MAX);
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(Incomplete::Http)?.into_data() {
            body.push_bytes(&data).map_err(|_| Incomplete::TooLarge)?;
        }
    }
    Ok(body)
}

/// Runs the connection and what waits for it in one task, so that dropping that task ends both.
async fn drive<C: Future, F: Future>(connection: &mut Option<Pin<Box<C>>>, work: F) -> F::Output {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        let ended = |running: &mut Pin<Box<C>>| running.as_mut().poll(context).is_ready();
        if connection.as_mut().is_some_and(ended) {
            *connection = None;
        }
        work.as_mut().poll(context)
    })
    .await
}

/// A stream that notes whether bytes were offered to it. Vectored writes are on: without them the
/// HTTP layer would copy the body into a buffer of its own.
struct Counted {
    inner: TokioIo<TlsStream<TcpStream>>,
    progress: Arc<Progress>,
}

impl Counted {
    fn write(
        mut self: Pin<&mut Self>,
        bytes: usize,
        write: impl FnOnce(Pin<&mut TokioIo<TlsStream<TcpStream>>>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let count = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        self.progress
            .offered
            .fetch_add(count(bytes), Ordering::AcqRel);
        let written = write(Pin::new(&mut self.inner));
        if let Poll::Ready(Ok(accepted)) = written {
            self.progress
                .accepted
                .fetch_add(count(accepted), Ordering::AcqRel);
        }
        written
    }
}

impl Read for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl Write for Counted {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(bytes.len(), |inner| inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = buffers.iter().map(|buffer| buffer.len()).sum();
        self.write(bytes, |inner| inner.poll_write_vectored(context, buffers))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
