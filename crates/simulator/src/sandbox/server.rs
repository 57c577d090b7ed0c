//! The sandbox's HTTPS side.
//! Owns: connections, routes, and doing what a behaviour says.
//! Never: logs a body.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use secret::SecretText;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, AnswerType};
use super::behaviour::{Behaviour, Script};
use super::ledger::{Ledger, RowStatus};
use super::order::Order;

/// Connections at a time. Further ones wait in the kernel.
const CONNECTIONS_MAX: usize = 256;

/// Longest life of a connection, an answer that never comes included: longer than any Read Timeout
/// that can be configured.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(300);

/// Largest body of a request: what the client side can make at most. A larger one gets 413.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
pub(super) struct Shared {
    pub(super) credentials: Option<(String, SecretText)>,
    pub(super) script: Script,
    pub(super) ledger: Ledger,
}

/// Accepts until it is aborted; the connections end with it. While it is told to be closed nobody listens, and whoever comes is refused.
pub(super) async fn serve(
    listener: TcpListener,
    mut open: watch::Receiver<bool>,
    tls: Arc<ServerConfig>,
    shared: Arc<Shared>,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let acceptor = TlsAcceptor::from(tls);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    while open.wait_for(|open| *open).await.is_ok() {
        let listening = match listener.take() {
            Some(listening) => Ok(listening),
            None => TcpListener::bind(address).await,
        };
        match listening {
            Ok(listening) => tokio::select! {
                () = accept(&listening, &acceptor, &shared, &places, &mut connections) => return,
                _ = open.wait_for(|open| !*open) => {}
            },
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn accept(
    listener: &TcpListener,
    acceptor: &TlsAcceptor,
    shared: &Arc<Shared>,
    places: &Arc<Semaphore>,
    connections: &mut JoinSet<()>,
) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((tcp, _)) => {
                let handled = handle(tcp, acceptor.clone(), Arc::clone(shared));
                connections.spawn(async move {
                    let _place = place;
                    // A connection that fails concerns its client alone.
                    let _ = tokio::time::timeout(CONNECTION_LIFE_MAX, handled).await;
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn handle(tcp: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let Ok(stream) = acceptor.accept(tcp).await else {
        return;
    };
    let reset = AtomicBool::new(false);
    let service = service_fn(|request| answer(request, &shared, &reset));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = (&mut connection).await;
    if ended.is_err() && reset.load(Ordering::Acquire) {
        let stream = connection.into_parts().io.into_inner();
        // Without lingering, closing sends a reset.
        let _ = stream.get_ref().0.set_zero_linger();
    }
}

/// The connection is to be reset instead of answered.
#[derive(Debug, thiserror::Error)]
#[error("reset as scripted")]
struct Reset;

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
    reset: &AtomicBool,
) -> Result<Response<Full<Bytes>>, Reset> {
    let as_type = AnswerType::of(header(request.headers(), ACCEPT.as_str()));
    let answer = match (request.method().clone(), request.uri().path()) {
        (Method::POST, "/charge") => charge(request, shared).await,
        (Method::POST, "/script") => script(request, shared).await,
        (Method::GET, "/ledger") => return Ok(ledger(shared)),
        _ => Ok(Answer::refusal(
            StatusCode::NOT_FOUND,
            "there are /charge, /ledger and /script",
        )),
    };
    match answer {
        Ok(answer) => Ok(response(
            answer.code,
            as_type.as_str(),
            answer.body(as_type),
        )),
        Err(Unanswered::Garbage) => Ok(response(
            StatusCode::OK,
            as_type.as_str(),
            "<html>%%{\u{0}".to_owned(),
        )),
        Err(Unanswered::Silence) => match std::future::pending::<Infallible>().await {},
        Err(Unanswered::Reset) => {
            reset.store(true, Ordering::Release);
            Err(Reset)
        }
    }
}

fn response(code: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    let value = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

/// What comes instead of an answer.
enum Unanswered {
    Silence,
    Reset,
    Garbage,
}

async fn charge(request: Request<Incoming>, shared: &Shared) -> Result<Answer, Unanswered> {
    if !authorised(request.headers(), shared) {
        return Ok(Answer::refusal(
            StatusCode::UNAUTHORIZED,
            "user name or password is wrong",
        ));
    }
    let content_type = header(request.headers(), CONTENT_TYPE.as_str()).to_owned();
    let order = match read(request).await {
        Ok(body) => match Order::parse(&content_type, &body) {
            Ok(order) => order,
            Err(why) => return Ok(Answer::refusal(StatusCode::BAD_REQUEST, why)),
        },
        Err(refusal) => return Ok(refusal),
    };
    let scripted = shared.script.take();
    let behaviour = scripted.unwrap_or_else(|| Behaviour::of_amount(order.text("amount")));
    tracing::info!(
        reference = order.text("reference"),
        ?behaviour,
        "sandbox gateway is asked"
    );
    perform(behaviour, &order, shared).await
}

async fn perform(
    behaviour: Behaviour,
    order: &Order,
    shared: &Shared,
) -> Result<Answer, Unanswered> {
    let status = match behaviour {
        Behaviour::Decline | Behaviour::DeclineWithDescription | Behaviour::DoNotHonour => {
            Some(RowStatus::Declined)
        }
        _ if behaviour.charges() => Some(RowStatus::Charged),
        _ => None,
    };
    let mut auth_code = String::new();
    if let Some(status) = status {
        match shared.ledger.append(order.row(status)).await {
            Ok(row) => auth_code = row.auth_code,
            Err(_) => {
                return Ok(Answer::refusal(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the ledger cannot be written",
                ));
            }
        }
    }
    tokio::time::sleep(behaviour.delay()).await;
    let said = |status, text: String| Answer {
        code: StatusCode::OK,
        status,
        text,
        reference: order.text("reference").to_owned(),
        auth_code,
    };
    match behaviour {
        Behaviour::Approve | Behaviour::ApproveAfter { .. } => {
            Ok(said("APPROVED", "Approved".to_owned()))
        }
        Behaviour::ApproveWithEcho => Ok(said(
            "APPROVED",
            format!("Approved card {}", order.number()),
        )),
        Behaviour::Decline => Ok(said("DECLINED", "Declined".to_owned())),
        Behaviour::DeclineWithDescription => {
            Ok(said("DECLINED", order.text("description").to_owned()))
        }
        Behaviour::DoNotHonour => Ok(said("DECLINED", "Do not honour".to_owned())),
        Behaviour::NeverAnswer | Behaviour::ChargeThenNeverAnswer => Err(Unanswered::Silence),
        Behaviour::ChargeThenReset => Err(Unanswered::Reset),
        Behaviour::Garbage => Err(Unanswered::Garbage),
        Behaviour::ServerError => Ok(Answer::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "something broke",
        )),
        Behaviour::Unauthorised => Ok(Answer::refusal(
            StatusCode::UNAUTHORIZED,
            "user name or password is wrong",
        )),
    }
}

async fn read(request: Request<Incoming>) -> Result<Bytes, Answer> {
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX)
        .collect()
        .await;
    body.map(http_body_util::Collected::to_bytes).map_err(|_| {
        Answer::refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large, or was cut",
        )
    })
}

/// Compares the whole header, in a time that does not depend on where it differs.
fn authorised(headers: &HeaderMap, shared: &Shared) -> bool {
    let Some((user, password)) = &shared.credentials else {
        return true;
    };
    let expected = SecretText::new(format!(
        "Basic {}",
        base64(&format!("{user}:{}", password.expose()))
    ));
    SecretText::new(header(headers, AUTHORIZATION.as_str()).to_owned()) == expected
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(text.len() * 4 / 3 + 4);
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (place, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            let index = usize::try_from((group >> shift) & 63).unwrap_or(0);
            let symbol = if place > chunk.len() {
                b'='
            } else {
                ALPHABET[index]
            };
            encoded.push(char::from(symbol));
        }
    }
    encoded
}

/// Body of `POST /script`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    next: Vec<Behaviour>,
}

async fn script(request: Request<Incoming>, shared: &Shared) -> Result<Answer, Unanswered> {
    let body = match read(request).await {
        Ok(body) => body,
        Err(refusal) => return Ok(refusal),
    };
    let refused = |why: String| Ok(Answer::refusal(StatusCode::BAD_REQUEST, why));
    let taken = match serde_json::from_slice::<Next>(&body) {
        Ok(script) => shared
            .script
            .extend(&script.next)
            .map_err(|full| full.to_string()),
        Err(error) => Err(format!(
            "write {{\"next\":[\"approve\",\"decline\"]}}: {error}"
        )),
    };
    match taken {
        Ok(()) => Ok(Answer {
            code: StatusCode::OK,
            status: "TAKEN",
            text: String::new(),
            reference: String::new(),
            auth_code: String::new(),
        }),
        Err(why) => refused(why),
    }
}

fn ledger(shared: &Shared) -> Response<Full<Bytes>> {
    let rows = shared
        .ledger
        .rows()
        .ok()
        .and_then(|rows| serde_json::to_string(&rows).ok());
    match rows {
        Some(rows) => response(StatusCode::OK, "application/json", rows),
        None => response(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain",
            "the ledger cannot be read".to_owned(),
        ),
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}
