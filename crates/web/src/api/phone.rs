//! The phone in an agent's page.
//! Owns: the shapes of what the page sends and is told; descriptions pass through as text.
//! Never: lets a tab that does not have the phone act with it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::boundary::{PHONE_ON_S, PhoneAsk, PhoneRefused, PhoneSaid};
use domain::id::CallId;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Answer, Created, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input, Params};
use crate::login::Login;
use crate::problem::{Code, Problem};

/// What a tab calls itself.
#[derive(Debug)]
struct Tab(String);

/// What would be right.
const TAB: &str = "16 to 64 letters, digits, '-' or '_'";

impl<'de> Deserialize<'de> for Tab {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (16..=64).contains(&text.len()) && text.bytes().all(is_known) {
            Ok(Self(text))
        } else {
            let what = serde::de::Unexpected::Other("another text");
            Err(serde::de::Error::invalid_value(what, &TAB))
        }
    }
}

/// A browser's description of its side, so far as it looks like one.
struct Description(String);

/// A browser's with one audio line and all its codecs is 5 kB.
const DESCRIPTION_BYTES_MAX: usize = 32 * 1_024;

/// What would be right.
const DESCRIPTION: &str = "a session description, as the browser wrote it";

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_text = |c: char| !c.is_control() || c == '\r' || c == '\n';
        let is_short = text.len() <= DESCRIPTION_BYTES_MAX;
        if is_short && text.starts_with("v=0") && text.chars().all(is_text) {
            Ok(Self(text))
        } else {
            let what = serde::de::Unexpected::Other("another text");
            Err(serde::de::Error::invalid_value(what, &DESCRIPTION))
        }
    }
}

/// Which tab is to have the phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneForm {
    /// What the tab calls itself: at random, the same while it is open.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{16,64}$")]
    instance: Tab,
    /// Also if another tab has it.
    #[serde(default)]
    take_over: bool,
}

/// The tab has the phone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhoneView {
    /// It has.
    on: bool,
    /// For so long, unless it says so again.
    expires_in_s: u16,
}

/// The tab that asks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabQuery {
    /// What the tab calls itself.
    #[param(value_type = String)]
    instance: Tab,
}

/// The tab that asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TabForm {
    /// What the tab calls itself.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{16,64}$")]
    instance: Tab,
}

impl TabForm {
    /// What the tab calls itself.
    pub(super) fn tab(&self) -> &str {
        &self.instance.0
    }
}

/// The browser's answer to our offer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectForm {
    /// What the tab calls itself.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{16,64}$")]
    instance: Tab,
    /// SDP, as the browser wrote it: 32 kB at most.
    #[schema(value_type = String)]
    answer: Description,
}

/// An offer of the browser for another network.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestartForm {
    /// What the tab calls itself.
    #[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{16,64}$")]
    instance: Tab,
    /// SDP, as the browser wrote it: 32 kB at most.
    #[schema(value_type = String)]
    offer: Description,
}

/// How far a call of the phone is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhoneCallState {
    /// It rings.
    Ringing,
    /// The agent has taken it.
    Connected,
}

/// Our offer.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferView {
    /// SDP for the browser.
    offer: String,
    /// How far the call is.
    state: PhoneCallState,
}

/// Our answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnswerView {
    /// SDP for the browser.
    answer: String,
}

/// A call without a customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PhoneTestView {
    /// Its identity, as that of a call.
    call: CallId,
}

/// Where media goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NetworkView {
    /// Over UDP.
    udp: UdpView,
}

/// An address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UdpView {
    /// IP address.
    host: String,
    /// The first port; a server with several media threads has one for each.
    port: u16,
}

impl From<PhoneRefused> for Problem {
    fn from(refused: PhoneRefused) -> Self {
        Self::new(match refused {
            PhoneRefused::NotFound => Code::NotFound,
            PhoneRefused::Elsewhere => Code::PhoneElsewhere,
            PhoneRefused::WrongState => Code::WrongState,
            PhoneRefused::Description => Code::PhoneDescription,
            PhoneRefused::Unavailable => Code::PhoneUnavailable,
            PhoneRefused::Busy => Code::Busy,
        })
    }
}

/// Turns the phone on in this tab, and says every 8 s that it is still there. One tab of an agent has it: 409 `phone_elsewhere` if another does, unless it is to be taken over.
#[utoipa::path(put, path = "/phone", tag = "phone", request_body = PhoneForm, responses((status = 200, body = PhoneView)))]
pub(crate) async fn turn_on(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<PhoneForm>,
) -> Answer<PhoneView> {
    let Tab(tab) = form.instance;
    app.deps
        .phones
        .phone_on(&login.actor, &tab, form.take_over)?;
    Ok(Json(PhoneView {
        on: true,
        expires_in_s: PHONE_ON_S,
    }))
}

/// Turns the phone off in this tab. Nothing happens if it was not on there. Calls that are on go on.
#[utoipa::path(delete, path = "/phone", tag = "phone", params(TabQuery), responses((status = 204)))]
pub(crate) async fn turn_off(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(query): Params<TabQuery>,
) -> StatusCode {
    app.deps.phones.phone_off(&login.actor, &query.instance.0);
    StatusCode::NO_CONTENT
}

/// Our offer for a call that rings in this page, or that it has. A page that was loaded anew, or has taken the phone over, gets an offer for a new connection, which takes the place
/// of the former once it is connected.
#[utoipa::path(get, path = "/phone/calls/{id}", tag = "phone", params(("id" = CallId, Path), TabQuery), responses((status = 200, body = OfferView)))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Params(query): Params<TabQuery>,
) -> Answer<OfferView> {
    match ask(&app, &login, &query.instance, &call, PhoneAsk::Offer).await? {
        PhoneSaid::Offer { offer, is_answered } => {
            let state = if is_answered {
                PhoneCallState::Connected
            } else {
                PhoneCallState::Ringing
            };
            Ok(Json(OfferView { offer, state }))
        }
        PhoneSaid::Done | PhoneSaid::Restarted { .. } => Err(Code::Internal.into()),
    }
}

/// Takes the browser's answer to our offer: the connection is made while the call rings.
#[utoipa::path(post, path = "/phone/calls/{id}/connect", tag = "phone", params(("id" = CallId, Path)), request_body = ConnectForm, responses((status = 204)))]
pub(crate) async fn connect(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ConnectForm>,
) -> Silent {
    let ConnectForm { instance, answer } = form;
    let Description(answer) = answer;
    ask(&app, &login, &instance, &call, PhoneAsk::Connect { answer }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the call. Not before it is connected.
#[utoipa::path(post, path = "/phone/calls/{id}/answer", tag = "phone", params(("id" = CallId, Path)), request_body = TabForm, responses((status = 204)))]
pub(crate) async fn answer(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<TabForm>,
) -> Silent {
    ask(&app, &login, &form.instance, &call, PhoneAsk::Answer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does not take the call; also ends a test.
#[utoipa::path(post, path = "/phone/calls/{id}/decline", tag = "phone", params(("id" = CallId, Path)), request_body = TabForm, responses((status = 204)))]
pub(crate) async fn decline(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<TabForm>,
) -> Silent {
    ask(&app, &login, &form.instance, &call, PhoneAsk::Decline).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The page's network has changed: ICE begins anew on the same connection, and the call goes on.
#[utoipa::path(post, path = "/phone/calls/{id}/restart", tag = "phone", params(("id" = CallId, Path)), request_body = RestartForm, responses((status = 200, body = AnswerView)))]
pub(crate) async fn restart(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<RestartForm>,
) -> Answer<AnswerView> {
    let RestartForm { instance, offer } = form;
    let Description(offer) = offer;
    match ask(&app, &login, &instance, &call, PhoneAsk::Restart { offer }).await? {
        PhoneSaid::Restarted { answer } => Ok(Json(AnswerView { answer })),
        PhoneSaid::Done | PhoneSaid::Offer { .. } => Err(Code::Internal.into()),
    }
}

/// Begins a call without a customer: once it is answered, half a second of tone, four seconds that are recorded in memory, and these played back. It ends by itself, after 30 s at most. Nothing of it is kept.
#[utoipa::path(post, path = "/phone/test", tag = "phone", request_body = TabForm, responses((status = 201, body = PhoneTestView)))]
pub(crate) async fn test(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<TabForm>,
) -> Created<PhoneTestView> {
    let begun = app.deps.phones.phone_test(&login.actor, &form.instance.0);
    let call = begun.await?;
    Ok((StatusCode::CREATED, Json(PhoneTestView { call })))
}

/// Where browsers send media, so that the page can say what a network has to let through.
#[utoipa::path(get, path = "/phone/network", tag = "phone", responses((status = 200, body = NetworkView)))]
pub(crate) async fn network(State(app): State<Shared>) -> Answer<NetworkView> {
    let address = app.deps.phones.phone_address();
    let address = address.ok_or(PhoneRefused::Unavailable)?;
    let udp = UdpView {
        host: address.ip().to_string(),
        port: address.port(),
    };
    Ok(Json(NetworkView { udp }))
}

async fn ask(
    app: &Shared,
    login: &Login,
    Tab(tab): &Tab,
    call: &CallId,
    ask: PhoneAsk,
) -> Result<PhoneSaid, Problem> {
    let asked = app.deps.phones.phone(&login.actor, tab, call, ask);
    Ok(asked.await?)
}
