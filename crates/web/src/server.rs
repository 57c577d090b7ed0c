//! The listener.
//! Owns: accepting, TLS, time-outs of connections, the layers around the routes, the end.
//! Never: logs a request's body, header or query.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::{App, Deps, Origins, Shared};
use crate::config::{ServeError, WebConfig};
use crate::events::Streams;
use crate::login::frame_codes::FrameCodes;
use crate::login::password::Passwords;
use crate::login::set_up::SetUp;
use crate::login::strangers::Strangers;
use crate::login::{Bucket, Logins, idle_accounts};
use crate::openings::Openings;
use crate::problem::{Code, Problem};
use crate::stall::Impatient;
use crate::trials::Trials;
use crate::{guard, headers, page, routes, tls};

/// A request's head arrives within this; also the idle time between requests on one connection.
const HEAD_TIME_MAX: Duration = Duration::from_secs(20);
/// Bytes of a request's head, which is also the read buffer. Beyond it: 431.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// Headers of a request. Beyond it: 431.
const HEADERS_MAX: usize = 64;
/// A TLS handshake ends within this.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// Requests answered at once, without event streams. The next is told to come again.
const REQUESTS_MAX: usize = 256;
/// A handler answers within this; what it began is finished all the same.
const HANDLER_TIME_MAX: Duration = Duration::from_secs(30);
/// At the end, open requests get so much time.
const SHUTDOWN_TIME_MAX: Duration = Duration::from_secs(5);
/// After a failed accept (no file descriptors), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Code::Internal.into())
    }
}

/// The HTTP side, running.
pub struct Running {
    /// Where it listens.
    pub local_addr: SocketAddr,
    app: Shared,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Lets whoever has the token that is answered make the first administrator, once, until this process ends. For an
    /// installation without users. None if the system has no random numbers.
    #[must_use]
    pub fn open_set_up(&self) -> Option<String> {
        self.app.set_up.open()
    }

    /// Accepts nothing more, ends event streams, lets open requests finish.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

/// Listens and answers until told to end.
///
/// # Errors
/// The address, the certificate or an origin cannot be used.
pub async fn serve(config: WebConfig, deps: Deps) -> Result<Running, ServeError> {
    let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
    let failed = |source| ServeError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
    let local_addr = listener.local_addr().map_err(failed)?;
    let origins = origins(&config, local_addr)?;
    let embedding = embedding(&config.embedding)?;
    let (stop, stopping) = watch::channel(false);
    let connections_max = config.connections_max;
    let app = Arc::new(App {
        deps,
        logins: Logins::new(config.idle_lock, config.login_limit, config.second_factor),
        passwords: Passwords::new(config.password_cost)?,
        failures: Bucket::new(),
        strangers: Strangers::new(),
        page: config.page,
        frame_hosts: config.frame_hosts,
        recorder_controls: config.recorder_controls,
        trunks: config.trunks,
        embedding,
        frame_codes: FrameCodes::default(),
        secure: tls.is_some() || origins.iter().any(|origin| origin.starts_with("https:")),
        origins: Origins::new(origins),
        phone_realm: config.phone_realm,
        second_factor: config.second_factor,
        set_up: SetUp::default(),
        requests: Arc::new(Semaphore::new(REQUESTS_MAX)),
        streams: Streams::new(),
        trials: Trials::new(),
        openings: Openings::default(),
        verifying: tokio::sync::Mutex::default(),
        stopping: stopping.clone(),
    });
    tokio::spawn(idle_accounts::watch(Arc::clone(&app)));
    let task = tokio::spawn(accept(Acceptor {
        listener,
        tls,
        router: router(&app),
        connections: Arc::new(Semaphore::new(connections_max)),
        connections_max,
        stopping,
    }));
    Ok(Running {
        local_addr,
        app,
        stop,
        task,
    })
}

fn router(app: &Shared) -> Router {
    Router::new()
        .nest("/api/v1", routes::router(app))
        .fallback(page::serve)
        .layer(from_fn_with_state(app.clone(), guard::host))
        .layer(from_fn_with_state(app.clone(), bounded))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| Problem::new(Code::Internal).into_response(),
        ))
        .layer(from_fn_with_state(app.clone(), headers::layer))
        .with_state(app.clone())
}

/// Requests at once and the time of each.
async fn bounded(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.requests.try_acquire() else {
        return Problem::new(Code::Busy).into_response();
    };
    match tokio::time::timeout(HANDLER_TIME_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Busy).into_response(),
    }
}

/// The origins of our page.
fn origins(config: &WebConfig, local: SocketAddr) -> Result<Vec<String>, ServeError> {
    if config.public_origins.is_empty() {
        if !local.ip().is_loopback() {
            return Err(ServeError::ConfigOriginMissing(local));
        }
        let scheme = if config.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let port = local.port();
        return Ok(["127.0.0.1", "localhost", "[::1]"]
            .map(|host| format!("{scheme}://{host}:{port}"))
            .to_vec());
    }
    config
        .public_origins
        .iter()
        .map(|text| origin(text))
        .collect()
}

fn origin(text: &str) -> Result<String, ServeError> {
    let wrong = || ServeError::ConfigOrigin(text.to_owned());
    let uri: axum::http::Uri = text.parse().map_err(|_| wrong())?;
    let scheme = uri.scheme_str().ok_or_else(wrong)?;
    let authority = uri.authority().ok_or_else(wrong)?.as_str();
    let bare = format!("{scheme}://{authority}");
    let whole = text.trim_end_matches('/').eq_ignore_ascii_case(&bare);
    let odd = |c: char| !(c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
    if !whole || authority.contains(odd) || !matches!(scheme, "http" | "https") {
        return Err(wrong());
    }
    Ok(bare.to_ascii_lowercase())
}

/// The origin of pages around ours, as browsers write it. Plain HTTP is for loopback: elsewhere anybody on the way could put in a page of their own.
/// None: it is no such origin.
#[must_use]
pub fn embedding_origin(text: &str) -> Option<String> {
    let origin = origin(text).ok()?;
    let (scheme, authority) = origin.split_once("://")?;
    if scheme != "https" && !is_loopback(authority) {
        return None;
    }
    let port = if scheme == "https" { ":443" } else { ":80" };
    let bare = origin.strip_suffix(port).unwrap_or(&origin);
    Some(bare.to_owned())
}

fn embedding(texts: &[String]) -> Result<Vec<String>, ServeError> {
    let wrong = |text: &String| ServeError::ConfigEmbedding(text.clone());
    let parse = |text: &String| embedding_origin(text).ok_or_else(|| wrong(text));
    texts.iter().map(parse).collect()
}

/// The host, with or without a port, is this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

struct Acceptor {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Arc<Semaphore>,
    connections_max: usize,
    stopping: watch::Receiver<bool>,
}

async fn accept(acceptor: Acceptor) {
    let mut stopping = acceptor.stopping.clone();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&acceptor.connections).acquire_owned() => permit,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = acceptor.listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, router) = (acceptor.tls.clone(), acceptor.router.clone());
        let stopping = acceptor.stopping.clone();
        tokio::spawn(async move {
            connection(stream, peer, tls, router, stopping).await;
            drop(permit);
        });
    }
    drop(acceptor.listener);
    let all = u32::try_from(acceptor.connections_max).unwrap_or(u32::MAX);
    let gone = acceptor.connections.acquire_many(all);
    let _ = tokio::time::timeout(SHUTDOWN_TIME_MAX, gone).await;
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopping: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let stream = Impatient::new(stream);
    let Some(tls) = tls else {
        return http(stream, peer, router, stopping).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIME_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => http(stream, peer, router, stopping).await,
        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake"),
        Err(_) => tracing::debug!("TLS handshake took too long"),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: SocketAddr,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request.map(Body::new))
    });
    // With vectored writes a body is handed to the socket as it is; otherwise small ones would be copied behind the head.
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .writev(true)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            let rest = tokio::time::timeout(SHUTDOWN_TIME_MAX, serving).await;
            rest.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_around_ours_is_an_https_origin_or_on_loopback() {
        for (text, origin) in [
            ("https://crm.example", "https://crm.example"),
            ("https://CRM.example:443/", "https://crm.example"),
            ("https://crm.example:8443", "https://crm.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:1", "http://[::1]:1"),
        ] {
            assert_eq!(embedding_origin(text).as_deref(), Some(origin));
        }
        for text in [
            "http://crm.example",
            "http://localhost.crm.example",
            "https://crm.example/agents",
            "https://*.crm.example",
            "https://crm.example;",
            "https://crm.example'",
            "crm.example",
            "*",
            "null",
            "",
        ] {
            assert_eq!(embedding_origin(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_only() {
        assert_eq!(
            origin("https://Pay.Example").unwrap(),
            "https://pay.example"
        );
        assert_eq!(
            origin("http://127.0.0.1:8080/").unwrap(),
            "http://127.0.0.1:8080"
        );
        for wrong in [
            "pay.example",
            "https://",
            "https://a/b",
            "ftp://a",
            "https://u@a",
            "*",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
