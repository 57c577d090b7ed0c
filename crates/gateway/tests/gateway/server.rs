//! TLS servers that do exactly what a test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

type Issuer = CertifiedIssuer<'static, KeyPair>;

static TRUSTED: LazyLock<Issuer> = LazyLock::new(issuer);
static FOREIGN: LazyLock<Issuer> = LazyLock::new(issuer);

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The authority that clients of these tests trust.
pub(crate) fn authority() -> CertificateDer<'static> {
    TRUSTED.der().clone()
}

/// The one that signs for [`Identity::UnknownAuthority`].
pub(crate) fn foreign_authority() -> CertificateDer<'static> {
    FOREIGN.der().clone()
}

/// Which certificate a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Good,
    /// TLS 1.2 and nothing later.
    Old,
    Expired,
    NotYetValid,
    WrongHost,
    SelfSigned,
    UnknownAuthority,
    /// It does not speak TLS.
    Plain,
    /// It takes the connection and says nothing.
    Mute,
    /// It speaks HTTP/2 and nothing else.
    HttpTwoOnly,
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Writes these bytes and ends the connection properly.
    Reply(Vec<u8>),
    /// Writes these bytes and drops the connection without TLS's own farewell.
    ReplyAndVanish(Vec<u8>),
    /// Writes these bytes before the request is read.
    ReplyAtOnce(Vec<u8>),
    /// Reads and never answers.
    Hold,
    /// Reads the request, then resets.
    Reset,
    /// Closes as soon as the connection is secure.
    Close,
    /// Writes so many bytes of body, without a length.
    Flood(usize),
    /// Reads so many bytes of the request and goes.
    Leave { read: usize, reset: bool },
    /// Does the next of these to each connection.
    InTurn(Arc<Mutex<VecDeque<Self>>>),
}

pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// A reply with a length.
pub(crate) fn reply(status: u16, headers: &str, body: &[u8]) -> Act {
    let mut bytes = format!(
        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Act::Reply(bytes)
}

impl Server {
    pub(crate) async fn start(act: Act) -> Self {
        Self::with_identity(Identity::Good, act).await
    }

    pub(crate) async fn with_identity(identity: Identity, act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls(identity)));
        let (connections, requests) = (
            Arc::clone(&server.connections),
            Arc::clone(&server.requests),
        );
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, act, requests) =
                    (acceptor.clone(), act.clone(), Arc::clone(&requests));
                tokio::spawn(handle(tcp, identity, acceptor, act, requests));
            }
        });
        server
    }

    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}/charge", self.host())
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Whole requests, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|bytes| String::from_utf8(bytes.clone()).unwrap())
            .collect()
    }

    /// Whole requests since this was last asked.
    pub(crate) fn taken(&self) -> Vec<String> {
        let requests = std::mem::take(&mut *self.requests.lock().unwrap());
        requests
            .into_iter()
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect()
    }

    /// Head and body of the only request.
    pub(crate) fn request(&self) -> (String, String) {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

async fn handle(
    mut tcp: TcpStream,
    identity: Identity,
    acceptor: TlsAcceptor,
    act: Act,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    match identity {
        Identity::Mute => return std::future::pending().await,
        Identity::Plain => {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return;
        }
        _ => {}
    }
    let Ok(mut stream) = acceptor.accept(tcp).await else {
        return;
    };
    let act = match act {
        Act::InTurn(turns) => turns.lock().unwrap().pop_front().unwrap(),
        act => act,
    };
    if let Act::Leave { read, .. } = act {
        let mut bytes = vec![0; read];
        let _gone_before = stream.read_exact(&mut bytes).await;
        return perform(stream, act).await;
    }
    if let Act::ReplyAtOnce(bytes) = &act {
        stream.write_all(bytes).await.unwrap();
        stream.flush().await.unwrap();
    }
    if let Act::Close = act {
        let _ = stream.shutdown().await;
        return;
    }
    let request = read_request(&mut stream).await;
    if !request.is_empty() {
        requests.lock().unwrap().push(request);
    }
    perform(stream, act).await;
}

async fn perform(mut stream: TlsStream<TcpStream>, act: Act) {
    match act {
        Act::Reply(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::ReplyAndVanish(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            drop(stream);
        }
        Act::Hold | Act::ReplyAtOnce(_) => std::future::pending().await,
        Act::Reset | Act::Leave { reset: true, .. } => {
            stream.get_ref().0.set_zero_linger().unwrap();
        }
        Act::Leave { reset: false, .. } => {
            let _ = stream.shutdown().await;
        }
        Act::Close | Act::InTurn(_) => {}
        Act::Flood(bytes) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            for _ in 0..bytes / 1_000 {
                if stream.write_all(&[b'7'; 1_000]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut request = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return request,
            Ok(count) => request.extend_from_slice(&chunk[..count]),
        }
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                return request;
            }
        }
    }
}

fn tls(identity: Identity) -> ServerConfig {
    let name = if identity == Identity::WrongHost {
        "other.example"
    } else {
        "localhost"
    };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    match identity {
        Identity::Expired => params.not_after = date_time_ymd(2020, 1, 1),
        Identity::NotYetValid => params.not_before = date_time_ymd(2900, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate().unwrap();
    let leaf = match identity {
        Identity::SelfSigned => params.self_signed(&key),
        Identity::UnknownAuthority => params.signed_by(&key, &FOREIGN),
        _ => params.signed_by(&key, &TRUSTED),
    };
    let versions: &[_] = match identity {
        Identity::Old => &[&rustls::version::TLS12],
        _ => &[&rustls::version::TLS13],
    };
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_protocol_versions(versions)
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![leaf.unwrap().der().clone()], private)
    .unwrap();
    if identity == Identity::HttpTwoOnly {
        config.alpn_protocols = vec![b"h2".to_vec()];
    }
    config
}
