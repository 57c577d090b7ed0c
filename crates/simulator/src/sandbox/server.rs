//! The sandbox's HTTPS side.
//! Owns: connections, routes, and doing what a behaviour says.
//! Never: logs a body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use secret::SecretText;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::answer::{Answer, AnswerType, refusal};
use super::behaviour::{Behaviour, Moment};
use super::certificates::Certificates;
use super::early::{Met, meet};
use super::follow_up::{charge_of, follow, planned_for};
use super::ledger::{Ledger, LedgerRow, RowStatus};
use super::odd;
use super::order::Order;
use super::play::{Step, perform};
use super::script::Script;

/// Connections at a time. Further ones wait in the kernel.
const CONNECTIONS_MAX: usize = 256;

/// Longest life of a connection, an answer that never comes included: longer than any Read Timeout
/// that can be configured.
const CONNECTION_LIFE_MAX: Duration = Duration::from_secs(300);

/// Largest body of a request: what the client side can make at most. A larger one gets 413.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where an inquiry begins; the reference follows.
const CHARGES: &str = "/charges/";

/// What all connections share.
pub(super) struct Shared {
    pub(super) credentials: Option<(String, SecretText)>,
    pub(super) script: Script,
    pub(super) ledger: Ledger,
    /// Held while a follow-up is judged and written: the second of two sees the first.
    pub(super) follow_ups: tokio::sync::Mutex<()>,
    pub(super) certificates: Certificates,
}

/// Accepts until it is aborted; the connections end with it. While it is told to be closed nobody listens, and whoever comes is refused.
pub(super) async fn serve(
    listener: TcpListener,
    mut open: watch::Receiver<bool>,
    shared: Arc<Shared>,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
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
                () = accept(&listening, &shared, &places, &mut connections) => return,
                _ = open.wait_for(|open| !*open) => {}
            },
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn accept(
    listener: &TcpListener,
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
                let handled = handle(tcp, Arc::clone(shared));
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

async fn handle(tcp: TcpStream, shared: Arc<Shared>) {
    let early = shared.script.take(Moment::Early);
    if let Some(early) = early {
        tracing::info!(?early, "sandbox gateway is connected to");
    }
    let Met::Secure(stream) = meet(tcp, shared.certificates.shown(early), early).await else {
        return;
    };
    let play = Mutex::new(Vec::new());
    let service = service_fn(|request| answer(request, &shared, &play));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = (&mut connection).await;
    let steps = std::mem::take(&mut *play.lock().unwrap_or_else(PoisonError::into_inner));
    if ended.is_err() && !steps.is_empty() {
        perform(*connection.into_parts().io.into_inner(), steps).await;
    }
}

/// The connection is taken over: what follows is no ordinary answer.
#[derive(Debug, thiserror::Error)]
#[error("played as scripted")]
struct TakenOver;

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
    play: &Mutex<Vec<Step>>,
) -> Result<Response<Full<Bytes>>, TakenOver> {
    let as_type = AnswerType::of(header(request.headers(), ACCEPT.as_str()));
    let path = request.uri().path().to_owned();
    let answer = match (request.method().clone(), path.as_str()) {
        (Method::POST, "/charge") => charge(request, shared).await,
        (Method::POST, "/void") => follow_up(RowStatus::Voided, request, shared).await,
        (Method::POST, "/refund") => follow_up(RowStatus::Refunded, request, shared).await,
        (Method::POST, "/store") => store(request, shared).await,
        (Method::POST, "/schedule") => schedule(request, shared).await,
        (Method::POST, "/script") => Ok(script(request, shared).await),
        (Method::GET, "/ledger") => return Ok(ledger(shared)),
        (Method::GET, path) if path.starts_with(CHARGES) => {
            Ok(inquiry(path, request.headers(), shared))
        }
        _ => Ok(Answer::refusal(
            StatusCode::NOT_FOUND,
            "there are /charge, /store, /void, /refund, /schedule, /charges/REFERENCE, /ledger and /script",
        )),
    };
    match answer {
        Ok(answer) => Ok(response(
            answer.code,
            as_type.as_str(),
            answer.body(as_type),
        )),
        Err(steps) => {
            *play.lock().unwrap_or_else(PoisonError::into_inner) = steps;
            Err(TakenOver)
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

/// The answer, or what comes instead of one.
async fn charge(request: Request<Incoming>, shared: &Shared) -> Result<Answer, Vec<Step>> {
    let order = match order(request, shared, Order::parse).await {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    asked(chosen(&order, shared), &order, order.row(), shared).await
}

/// The same for what follows a charge.
async fn follow_up(
    done: RowStatus,
    request: Request<Incoming>,
    shared: &Shared,
) -> Result<Answer, Vec<Step>> {
    let parse = |kind: &str, body: &[u8]| Order::parse_with(kind, body, &["authCode"]);
    let order = match order(request, shared, parse).await {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let behaviour = chosen(&order, shared);
    let turn = shared.follow_ups.lock().await;
    let Ok(rows) = shared.ledger.rows() else {
        return Ok(unusable_ledger());
    };
    let Some(charge) = charge_of(&rows, order.text("authCode")) else {
        return Ok(no_charge());
    };
    let row = match follow(charge, &rows, done, order.text("amount")) {
        Ok(row) => row,
        Err(why) => return Ok(Answer::not_done(charge, why)),
    };
    let answering = asked(behaviour, &order, row, shared).await;
    drop(turn);
    answering
}

/// Keeps a card or an account and charges nothing. No amount decides: it is approved unless it is scripted.
async fn store(request: Request<Incoming>, shared: &Shared) -> Result<Answer, Vec<Step>> {
    let order = match order(request, shared, Order::parse_store).await {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let scripted = shared.script.take(Moment::Request);
    let behaviour = scripted.unwrap_or(Behaviour::Approve);
    asked(behaviour, &order, order.stored(), shared).await
}

/// A plan for a charge or for what is stored. Its amount means nothing: it is approved unless it is scripted.
async fn schedule(request: Request<Incoming>, shared: &Shared) -> Result<Answer, Vec<Step>> {
    let order = match order(request, shared, Order::parse_schedule).await {
        Ok(order) => order,
        Err(refusal) => return Ok(refusal),
    };
    let Ok(rows) = shared.ledger.rows() else {
        return Ok(unusable_ledger());
    };
    let Some(before) = planned_for(&rows, order.text("authCode")) else {
        return Ok(no_charge());
    };
    let scripted = shared.script.take(Moment::Request);
    let behaviour = scripted.unwrap_or(Behaviour::Approve);
    asked(behaviour, &order, order.plan(before), shared).await
}

/// What became of the latest charge of a reference.
fn inquiry(path: &str, headers: &HeaderMap, shared: &Shared) -> Answer {
    if !authorised(headers, shared) {
        return unauthorised();
    }
    let Ok(rows) = shared.ledger.rows() else {
        return unusable_ledger();
    };
    let reference = path.trim_start_matches(CHARGES);
    let is_charge = |row: &LedgerRow| row.of.is_empty() && row.status != RowStatus::Stored;
    let mut charges = rows.into_iter().rev().filter(is_charge);
    match charges.find(|row| row.reference == reference) {
        Some(charge) => Answer::about(charge),
        None => Answer::refusal(StatusCode::NOT_FOUND, "no charge has this reference"),
    }
}

/// What a body orders; else the refusal of whoever may not order, or wrote what nobody can read.
async fn order(
    request: Request<Incoming>,
    shared: &Shared,
    parse: impl Fn(&str, &[u8]) -> Result<Order, String>,
) -> Result<Order, Answer> {
    if !authorised(request.headers(), shared) {
        return Err(unauthorised());
    }
    let content_type = header(request.headers(), CONTENT_TYPE.as_str()).to_owned();
    let body = read(request).await?;
    parse(&content_type, &body).map_err(|why| Answer::refusal(StatusCode::BAD_REQUEST, why))
}

/// The next scripted behaviour, else what the amount means.
fn chosen(order: &Order, shared: &Shared) -> Behaviour {
    let scripted = shared.script.take(Moment::Request);
    let behaviour = scripted.unwrap_or_else(|| Behaviour::of_amount(order.text("amount")));
    tracing::info!(
        reference = order.text("reference"),
        ?behaviour,
        "sandbox gateway is asked"
    );
    behaviour
}

/// `row` is written if the behaviour does what is ordered, and as declined if it declines.
async fn asked(
    behaviour: Behaviour,
    order: &Order,
    mut row: LedgerRow,
    shared: &Shared,
) -> Result<Answer, Vec<Step>> {
    if let Some(status) = behaviour.row() {
        if status == RowStatus::Declined {
            row.status = status;
        }
        row = match shared.ledger.append(row).await {
            Ok(row) => row,
            Err(_) => return Ok(unusable_ledger()),
        };
    }
    tokio::time::sleep(behaviour.delay()).await;
    let answer = Answer::to(behaviour, order, row);
    match odd::steps(behaviour, &answer.json()) {
        Some(steps) => Err(steps),
        None => Ok(refusal(behaviour).unwrap_or(answer)),
    }
}

fn no_charge() -> Answer {
    let why = "no charge has this authCode";
    Answer::refusal(StatusCode::NOT_FOUND, why)
}

fn unauthorised() -> Answer {
    let why = "user name or password is wrong";
    Answer::refusal(StatusCode::UNAUTHORIZED, why)
}

fn unusable_ledger() -> Answer {
    let why = "the ledger cannot be used";
    Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, why)
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

async fn script(request: Request<Incoming>, shared: &Shared) -> Answer {
    let body = match read(request).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
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
        Ok(()) => Answer {
            code: StatusCode::OK,
            status: "TAKEN",
            text: String::new(),
            reference: String::new(),
            auth_code: String::new(),
        },
        Err(why) => Answer::refusal(StatusCode::BAD_REQUEST, why),
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
