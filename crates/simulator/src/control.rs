//! The simulator's own page and its small HTTP control.
//! Owns: what a person or a test may make the phones and the gateway do.
//! Never: listens beyond this machine.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::WatchStream;

use crate::cards::{self, CARDS, Part};
use crate::phone::{KeyingMode, Phone, PhoneState, wav};
use crate::sandbox::{Behaviour, Sandbox};

/// A file of the page: content type and bytes.
pub type PageFile = (String, std::borrow::Cow<'static, [u8]>);

/// Where the page's files come from: a path such as `/simulator.html` or `/assets/x.js`.
pub type PageSource = Arc<dyn Fn(&str) -> Option<PageFile> + Send + Sync>;

/// Longest row of keys in one request.
const KEYS_MAX: usize = 64;

/// What the control works on.
pub(crate) struct Stage {
    pub(crate) consumer: Phone,
    pub(crate) agents: Vec<(String, Phone)>,
    pub(crate) sandbox: Sandbox,
    pub(crate) number: String,
    pub(crate) page: PageSource,
    pub(crate) server_page: String,
}

/// The routes.
pub(crate) fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/", get(page_root))
        .route("/simulator", get(page_root))
        .route("/assets/{*file}", get(asset))
        .route("/control/state", get(state))
        .route("/control/events", get(events))
        .route("/control/call", post(call))
        .route("/control/hang-up", post(hang_up))
        .route("/control/hand-over", post(hand_over))
        .route("/control/refer", post(refer))
        .route("/control/key", post(key))
        .route("/control/keys", post(keys))
        .route("/control/key-card", post(key_card))
        .route("/control/mode", post(mode))
        .route("/control/script", post(script))
        .route("/control/gateway", post(gateway))
        .route("/control/ledger", get(ledger))
        .route("/control/heard", get(heard))
        .route("/control/heard/{who}", get(heard_wav))
        .with_state(stage)
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    consumer: PhoneState,
    agents: Vec<ShownAgent>,
    cards: &'static [cards::TestCard],
    number: String,
    gateway: String,
    server_page: String,
}

#[derive(Serialize)]
struct ShownAgent {
    user: String,
    /// Where its phone takes calls: what a PBX's phone would be.
    address: SocketAddr,
    #[serde(flatten)]
    state: PhoneState,
}

fn shown(stage: &Stage) -> Shown {
    let agents = stage.agents.iter();
    let agents = agents.map(|(user, phone)| ShownAgent {
        user: user.clone(),
        address: phone.local(),
        state: *phone.state().borrow(),
    });
    Shown {
        consumer: *stage.consumer.state().borrow(),
        agents: agents.collect(),
        cards: &CARDS,
        number: stage.number.clone(),
        gateway: stage.sandbox.service_url(),
        server_page: stage.server_page.clone(),
    }
}

async fn state(State(stage): State<Arc<Stage>>) -> Json<Shown> {
    Json(shown(&stage))
}

async fn events(
    State(stage): State<Arc<Stage>>,
) -> Sse<impl tokio_stream::Stream<Item = Result<Event, Infallible>>> {
    let consumer = WatchStream::new(stage.consumer.state());
    let mut merged: Box<dyn tokio_stream::Stream<Item = PhoneState> + Send + Unpin> =
        Box::new(consumer);
    for (_, phone) in &stage.agents {
        merged = Box::new(merged.merge(WatchStream::new(phone.state())));
    }
    let stream = merged.map(move |_| {
        let data = serde_json::to_string(&shown(&stage)).unwrap_or_default();
        Ok(Event::default().event("state").data(data))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct CallRequest {
    number: Option<String>,
}

async fn call(State(stage): State<Arc<Stage>>, body: Option<Json<CallRequest>>) -> Json<Shown> {
    let asked = body.and_then(|Json(request)| request.number);
    stage
        .consumer
        .call(asked.as_deref().unwrap_or(&stage.number))
        .await;
    Json(shown(&stage))
}

async fn hang_up(State(stage): State<Arc<Stage>>) -> Json<Shown> {
    stage.consumer.hang_up().await;
    Json(shown(&stage))
}

/// Somebody else takes the consumer's handset.
async fn hand_over(State(stage): State<Arc<Stage>>) -> Json<Shown> {
    stage.consumer.hand_over().await;
    Json(shown(&stage))
}

#[derive(Deserialize)]
struct ReferRequest {
    /// The agent whose phone it is.
    who: String,
    /// Whom it asks for: the user of a phone, or a number.
    to: String,
}

/// An agent's phone asks the server to have its call go elsewhere.
async fn refer(State(stage): State<Arc<Stage>>, Json(request): Json<ReferRequest>) -> Response {
    let Some(phone) = phone(&stage, &request.who) else {
        return refused("there is no such phone; /control/state lists them");
    };
    phone.refer(&request.to).await;
    Json(shown(&stage)).into_response()
}

#[derive(Deserialize)]
struct KeyRequest {
    key: String,
}

async fn key(State(stage): State<Arc<Stage>>, Json(request): Json<KeyRequest>) -> Response {
    press_all(&stage.consumer, &stage, &request.key, 1).await
}

#[derive(Deserialize)]
struct KeysRequest {
    keys: String,
    /// The agent whose phone it is; left out: the consumer's.
    #[serde(default)]
    who: Option<String>,
}

async fn keys(State(stage): State<Arc<Stage>>, Json(request): Json<KeysRequest>) -> Response {
    let who = request.who.as_deref();
    let Some(phone) = who.map_or(Some(&stage.consumer), |who| phone(&stage, who)) else {
        return refused("there is no such phone; /control/state lists them");
    };
    press_all(phone, &stage, &request.keys, KEYS_MAX).await
}

async fn press_all(phone: &Phone, stage: &Stage, text: &str, most: usize) -> Response {
    let presses: Vec<_> = cards::keys(text).collect();
    if presses.is_empty() || presses.len() > most || presses.len() != text.chars().count() {
        return refused(&format!("write 1 to {most} of 0-9, * and #"));
    }
    for key in presses {
        phone.press(key).await;
    }
    Json(shown(stage)).into_response()
}

#[derive(Deserialize)]
struct KeyCardRequest {
    card: String,
    field: Part,
}

async fn key_card(
    State(stage): State<Arc<Stage>>,
    Json(request): Json<KeyCardRequest>,
) -> Response {
    let Some(card) = CARDS.iter().find(|card| card.id == request.card) else {
        return refused("there is no such test card; /control/state lists them");
    };
    for key in cards::presses(card, request.field) {
        stage.consumer.press(key).await;
    }
    Json(shown(&stage)).into_response()
}

#[derive(Deserialize)]
struct ModeRequest {
    mode: KeyingMode,
}

async fn mode(State(stage): State<Arc<Stage>>, Json(request): Json<ModeRequest>) -> Json<Shown> {
    stage.consumer.mode(request.mode).await;
    Json(shown(&stage))
}

#[derive(Deserialize)]
struct ScriptRequest {
    next: Vec<Behaviour>,
}

async fn script(State(stage): State<Arc<Stage>>, Json(request): Json<ScriptRequest>) -> Response {
    for behaviour in request.next {
        if let Err(error) = stage.sandbox.script(behaviour) {
            return refused(&error.to_string());
        }
    }
    Json(shown(&stage)).into_response()
}

#[derive(Deserialize)]
struct GatewayRequest {
    listens: bool,
}

/// The sandbox gateway refuses connections, or takes them again.
async fn gateway(
    State(stage): State<Arc<Stage>>,
    Json(request): Json<GatewayRequest>,
) -> Json<Shown> {
    stage.sandbox.listen(request.listens);
    Json(shown(&stage))
}

async fn ledger(State(stage): State<Arc<Stage>>) -> Response {
    match stage.sandbox.ledger() {
        Ok(rows) => Json(json!({ "rows": rows })).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn phone<'a>(stage: &'a Stage, who: &str) -> Option<&'a Phone> {
    if who == "consumer" {
        return Some(&stage.consumer);
    }
    stage
        .agents
        .iter()
        .find(|(user, _)| user == who)
        .map(|(_, phone)| phone)
}

async fn heard(State(stage): State<Arc<Stage>>) -> Json<Value> {
    // Judging minutes of audio takes a while and would hold up the phones.
    let report = tokio::task::spawn_blocking(move || {
        let judge = |phone: &Phone| {
            phone
                .heard()
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .report()
        };
        let agents: Vec<Value> = stage
            .agents
            .iter()
            .map(|(user, phone)| json!({ "user": user, "heard": judge(phone) }))
            .collect();
        json!({ "consumer": judge(&stage.consumer), "agents": agents })
    });
    Json(report.await.unwrap_or_default())
}

async fn heard_wav(State(stage): State<Arc<Stage>>, Path(who): Path<String>) -> Response {
    let name = who.strip_suffix(".wav").unwrap_or(&who);
    let Some(phone) = phone(&stage, name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let heard = phone.heard();
    let file = wav(heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .samples());
    ([(header::CONTENT_TYPE, "audio/wav")], file).into_response()
}

fn refused(what: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({ "title": "Refused", "detail": what })),
    )
        .into_response()
}

async fn page_root(State(stage): State<Arc<Stage>>) -> Response {
    file(&stage, "/simulator.html")
}

async fn asset(State(stage): State<Arc<Stage>>, Path(name): Path<String>) -> Response {
    file(&stage, &format!("/assets/{name}"))
}

fn file(stage: &Stage, path: &str) -> Response {
    match (stage.page)(path) {
        Some((content_type, bytes)) => {
            ([(header::CONTENT_TYPE, content_type)], bytes.into_owned()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "the page is not built; run: make ui").into_response(),
    }
}

/// Binds and serves the control until the task is dropped.
pub(crate) async fn serve(
    listen: SocketAddr,
    stage: Arc<Stage>,
) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let routes = router(stage);
    let serving = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!(%error, "the simulator's control stopped");
        }
    });
    Ok((address, serving))
}
