//! Calls that agents make.

use std::fmt;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{CallId, ServiceId};
use domain::outbound::{DialNumber, DialOrder, NumberError};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::Created;
use super::pairing::{named, wrong};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// Whom to call, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DialForm {
    /// The number as it is typed or pasted: 2-18 digits, perhaps a `+` before them, with blanks, brackets, dashes, dots and slashes. 13 to 19 digits without a
    /// `+` that pass a card's check are refused.
    #[schema(value_type = String)]
    number: TypedNumber,
    /// Login name of the agent whose phone rings first; left out: oneself. With the right `call.dial_for` anybody.
    #[serde(default)]
    agent: Option<String>,
    /// By which service; left out: the first by name that calls this number.
    #[serde(default)]
    service: Option<ServiceId>,
}

/// A number out of a body. What is none, or may be a card's, is forgotten at once and does not print itself.
#[derive(Debug)]
pub(super) struct TypedNumber(pub(super) Result<DialNumber, NumberError>);

impl<'de> Deserialize<'de> for TypedNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = TypedNumber;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a telephone number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TypedNumber, E> {
        Ok(TypedNumber(DialNumber::parse(text)))
    }
}

/// A call that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DialledCall {
    /// Its identity.
    call: CallId,
}

/// Calls a number for an agent, whose own phone rings first; the number is called once that is answered. The agent's calls and their events tell how it goes on (`dialled`), and
/// whoever hangs up ends it. Which numbers are called is a setting of services; nothing else is, and the trail has that it was called without the number.
#[utoipa::path(post, path = "/calls", tag = "calls", request_body = DialForm, responses(
    (status = 201, body = DialledCall),
))]
pub(crate) async fn dial(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<DialForm>,
) -> Created<DialledCall> {
    let agent = named(&app, form.agent, &login.actor.user).await?;
    let service = known(&app, form.service).await?;
    match (form.number.0, agent, service) {
        (Ok(number), Ok(agent), Ok(service)) => {
            let order = DialOrder {
                agent,
                number,
                service,
            };
            let call = app.deps.desk.dial(&login.actor, order).await?;
            Ok((StatusCode::CREATED, Json(DialledCall { call })))
        }
        (number, agent, service) => {
            let of_number = number.err();
            let named = of_number.map(|error| wrong("number", error.to_string()));
            let all = named.into_iter().chain(agent.err()).chain(service.err());
            let code = of_number.map_or(Code::Invalid, code_of);
            Err(Problem::new(code).with(all.collect()))
        }
    }
}

fn code_of(error: NumberError) -> Code {
    match error {
        NumberError::Malformed => Code::NumberMalformed,
        NumberError::Card => Code::NumberIsCard,
    }
}

/// The service that is named, or none is; else what is wrong with it.
pub(super) async fn known(
    app: &Shared,
    id: Option<ServiceId>,
) -> Result<Result<Option<ServiceId>, FieldProblem>, Problem> {
    let Some(id) = id else {
        return Ok(Ok(None));
    };
    let is_known = app.deps.services.service(&id).await?.is_some();
    let unknown = || wrong("service", "choose a service that exists");
    Ok(is_known.then_some(Some(id)).ok_or_else(unknown))
}
