//! What an agent does with a call: mute, hold, keys.

use std::fmt;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::control::CallControl;
use domain::id::{CallId, UserId};
use domain::view::{CallView, TransferTarget};
use secret::{Digit, Key};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Answer, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};

/// A button that is pressed or not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ButtonForm {
    /// Pressed from now on.
    on: bool,
}

/// One key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyForm {
    /// "0" to "9", "*" or "#".
    #[schema(value_type = String, pattern = "^[0-9*#]$")]
    key: PressedKey,
}

/// A key out of a body; it does not print itself, and neither does what is no key.
#[derive(Debug)]
struct PressedKey(Key);

impl<'de> Deserialize<'de> for PressedKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

/// What would be right.
const KEYS: &str = "one of the keys 0 to 9, * and #";

impl Visitor<'_> for KeyVisitor {
    type Value = PressedKey;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(KEYS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PressedKey, E> {
        let key = match text.as_bytes() {
            [b'*'] => Some(Key::Star),
            [b'#'] => Some(Key::Pound),
            [byte] => Digit::from_ascii(*byte).map(Key::Digit),
            _ => None,
        };
        key.map(PressedKey).ok_or_else(|| E::custom(KEYS))
    }
}

/// Mute: the consumer does not hear the agent, or does again. Pressing twice changes nothing.
#[utoipa::path(put, path = "/calls/{id}/mute", tag = "calls", params(("id" = CallId, Path)), request_body = ButtonForm, responses(
    (status = 200, body = CallView),
))]
pub(crate) async fn mute(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ButtonForm>,
) -> Answer<CallView> {
    let control = CallControl::Mute(form.on);
    let desk = &app.deps.desk;
    Ok(Json(desk.control(&login.actor, &call, control).await?))
}

/// Hold: neither side hears the other, or both do again; the consumer hears a soft beep. A hold by a phone itself is another matter and stays.
#[utoipa::path(put, path = "/calls/{id}/hold", tag = "calls", params(("id" = CallId, Path)), request_body = ButtonForm, responses(
    (status = 200, body = CallView),
))]
pub(crate) async fn hold(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ButtonForm>,
) -> Answer<CallView> {
    let control = CallControl::Hold(form.on);
    let desk = &app.deps.desk;
    Ok(Json(desk.control(&login.actor, &call, control).await?))
}

/// Record: the call is recorded from now on, or no more, where its service leaves that to its agents (`recording.on_demand`). Each beginning is a recording of its
/// own. Refused while a capture is open: what records the call may not change under it.
#[utoipa::path(put, path = "/calls/{id}/recording", tag = "calls", params(("id" = CallId, Path)), request_body = ButtonForm, responses(
    (status = 200, body = CallView),
))]
pub(crate) async fn record(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<ButtonForm>,
) -> Answer<CallView> {
    let control = CallControl::Record(form.on);
    let desk = &app.deps.desk;
    Ok(Json(desk.control(&login.actor, &call, control).await?))
}

/// Sends one key of the agent's to the consumer's side, for answering machines. It goes out on the line and nowhere else: it is not kept, not logged, and
/// no capture ever counts it (S31), so that this is no way for a card's digits into one (S14). While a capture is open or the call is on hold it is refused; ten keys a
/// second are taken.
#[utoipa::path(post, path = "/calls/{id}/keys", tag = "calls", params(("id" = CallId, Path)), request_body = KeyForm, responses(
    (status = 204),
))]
pub(crate) async fn send_key(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<KeyForm>,
) -> Silent {
    let control = CallControl::SendKey(form.key.0);
    app.deps.desk.control(&login.actor, &call, control).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whom a call can be transferred to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetList {
    /// By name.
    agents: Vec<TransferTarget>,
}

/// Who is to get the call.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TransferForm {
    /// One of the call's transfer targets.
    to: UserId,
    /// Discards a capture that is open; without it a transfer is refused then.
    discard: bool,
}

/// The other agents whose phones are registered, and whether they are free.
#[utoipa::path(get, path = "/calls/{id}/transfer-targets", tag = "calls", params(("id" = CallId, Path)), responses(
    (status = 200, body = TargetList),
))]
pub(crate) async fn targets(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
) -> Answer<TargetList> {
    let agents = app.deps.desk.transfer_targets(&login.actor, &call)?;
    Ok(Json(TargetList { agents }))
}

/// Transfer: the other agent's phone rings for 30 s at most while the consumer is on hold; once it is answered the call is theirs.
#[utoipa::path(post, path = "/calls/{id}/transfer", tag = "calls", params(("id" = CallId, Path)), request_body = TransferForm, responses(
    (status = 200, body = CallView),
))]
pub(crate) async fn transfer(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<TransferForm>,
) -> Answer<CallView> {
    let TransferForm { to, discard } = form;
    let control = CallControl::Transfer { to, discard };
    let desk = &app.deps.desk;
    Ok(Json(desk.control(&login.actor, &call, control).await?))
}

/// Gives a transfer up while the other phone rings. The call says what came of it.
#[utoipa::path(delete, path = "/calls/{id}/transfer", tag = "calls", params(("id" = CallId, Path)), responses(
    (status = 200, body = CallView),
))]
pub(crate) async fn cancel_transfer(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
) -> Answer<CallView> {
    let desk = &app.deps.desk;
    let cancelled = desk.control(&login.actor, &call, CallControl::CancelTransfer);
    Ok(Json(cancelled.await?))
}
