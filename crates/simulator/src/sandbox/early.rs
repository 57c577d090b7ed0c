//! What is done to a connection before or within its request.
//! Owns: ends and words that come too early.
//! Never: charges: nobody has said how much.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::behaviour::Behaviour;
use super::play::{Step, perform, whole};

/// `handshake_failure`, fatal ([RFC 8446 §6](https://www.rfc-editor.org/rfc/rfc8446#section-6)).
const REFUSAL: &[u8] = b"\x15\x03\x03\x00\x02\x02\x28";

/// A connection, as far as an early behaviour lets it come.
pub(super) enum Met {
    /// Secure, and to be served.
    Secure(Box<TlsStream<TcpStream>>),
    /// Over.
    Ended,
}

/// Takes a connection.
pub(super) async fn meet(tcp: TcpStream, tls: Arc<ServerConfig>, early: Option<Behaviour>) -> Met {
    let Some(tcp) = before_tls(tcp, early).await else {
        return Met::Ended;
    };
    let Ok(mut stream) = TlsAcceptor::from(tls).accept(tcp).await else {
        return Met::Ended;
    };
    if let Some(Behaviour::CloseInRequest | Behaviour::ResetInRequest) = early {
        let mut first = [0];
        let _gone_before = stream.read(&mut first).await;
    }
    let steps = match early {
        Some(Behaviour::CloseAfterHandshake | Behaviour::CloseInRequest) => vec![Step::Close],
        Some(Behaviour::ResetInRequest) => vec![Step::Reset],
        Some(Behaviour::AnswerUnasked) => {
            let body = br#"{"result":{"status":"APPROVED","text":"Approved"}}"#;
            let mut steps = whole("200 OK", "", body);
            steps.pop();
            steps.push(Step::Hold);
            steps
        }
        Some(Behaviour::NeverRead) => {
            // The client's own end is not read either: the connection's longest life ends this.
            return std::future::pending().await;
        }
        _ => return Met::Secure(Box::new(stream)),
    };
    perform(stream, steps).await;
    Met::Ended
}

/// None: it is over.
async fn before_tls(mut tcp: TcpStream, early: Option<Behaviour>) -> Option<TcpStream> {
    let Some(early) = early else {
        return Some(tcp);
    };
    match early {
        Behaviour::CloseAtOnce => None,
        Behaviour::ResetAtOnce => {
            // Without lingering, closing sends a reset.
            let _closed_anyway = tcp.set_zero_linger();
            None
        }
        Behaviour::AnswerWithoutTls => {
            let _closed_anyway = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            None
        }
        Behaviour::RefuseHandshake => {
            let mut greeting = [0; 1_024];
            let _gone_before = tcp.read(&mut greeting).await;
            let _closed_anyway = tcp.write_all(REFUSAL).await;
            None
        }
        Behaviour::MuteHandshake => {
            let mut more = [0; 1_024];
            while tcp.read(&mut more).await.is_ok_and(|read| read > 0) {}
            None
        }
        _ => Some(tcp),
    }
}
