//! Answers that are no answers: written byte by byte as a behaviour wants it.
//! Owns: what goes over the wire, and how the connection ends.
//! Never: decides what is charged.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Pause between the bytes of an answer that never ends in time: longer than a Read Timeout divided by its bytes.
const DRIP: Duration = Duration::from_secs(1);

/// Pause between the parts of an answer without an end.
const TRICKLE: Duration = Duration::from_millis(20);

/// A TLS record of type application data whose content is none ([RFC 8446 §5.2](https://www.rfc-editor.org/rfc/rfc8446#section-5.2)).
const BROKEN_RECORD: &[u8] = b"\x17\x03\x03\x00\x20no peer can have encrypted these";

/// A step of a play.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Writes, as one.
    Write(Vec<u8>),
    /// Writes one byte after the other, with a pause between.
    Pieces(Vec<u8>, Duration),
    /// Writes the same again and again.
    Repeat(&'static [u8]),
    /// Writes so many of a character.
    Many(u8, usize),
    /// Writes below TLS.
    BelowTls(&'static [u8]),
    /// Waits for the other side to go.
    Hold,
    /// Resets; the last step.
    Reset,
    /// Ends the connection without TLS's farewell; the last step.
    Vanish,
    /// Ends the connection properly; the last step.
    Close,
}

/// A reply with a length, and the proper end.
pub(super) fn whole(status: &str, headers: &str, body: &[u8]) -> Vec<Step> {
    let length = format!("Content-Length: {}\r\n", body.len());
    vec![
        Step::Write(reply(status, &(headers.to_owned() + &length), body)),
        Step::Close,
    ]
}

/// A reply of which the headers are as they are given.
pub(super) fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A slow answer.
pub(super) fn drip(bytes: Vec<u8>) -> Vec<Step> {
    vec![Step::Pieces(bytes, DRIP), Step::Close]
}

/// Plays the steps to the end. A client that goes away ends it early.
pub(super) async fn perform(mut stream: TlsStream<TcpStream>, steps: Vec<Step>) {
    for step in steps {
        if take(&mut stream, step).await.is_err() {
            return;
        }
    }
}

async fn take(stream: &mut TlsStream<TcpStream>, step: Step) -> std::io::Result<()> {
    match step {
        Step::Write(bytes) => write(stream, &bytes).await,
        Step::Pieces(bytes, pause) => {
            for byte in bytes {
                write(stream, &[byte]).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(())
        }
        Step::Repeat(bytes) => loop {
            write(stream, bytes).await?;
            tokio::time::sleep(TRICKLE).await;
        },
        Step::Many(byte, count) => {
            let block = [byte; 4_096];
            let mut left = count;
            while left > 0 {
                let next = left.min(block.len());
                stream.write_all(&block[..next]).await?;
                left -= next;
            }
            stream.flush().await
        }
        Step::BelowTls(bytes) => stream.get_mut().0.write_all(bytes).await,
        Step::Hold => {
            let mut more = [0; 1_024];
            while stream.read(&mut more).await? > 0 {}
            Ok(())
        }
        // Without lingering, closing sends a reset.
        Step::Reset => stream.get_ref().0.set_zero_linger(),
        Step::Vanish => Ok(()),
        Step::Close => stream.shutdown().await,
    }
}

async fn write(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// The record of [`Step::BelowTls`] that no client can read.
pub(super) fn broken_record() -> Step {
    Step::BelowTls(BROKEN_RECORD)
}

/// A pause that a client's eye does not see, between two bytes.
pub(super) const BYTE_BY_BYTE: Duration = Duration::from_millis(1);
