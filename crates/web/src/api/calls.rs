//! Calls and captures of the agent who asks.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::boundary::CaptureAction;
use domain::capture::Field;
use domain::consumer::Consumer;
use domain::id::{CallId, CaptureId, WidgetId};
use domain::money::{Currency, Money, MoneyError};
use domain::payment::{PaymentForm, value_problems};
use domain::view::{CallView, CaptureView, ReadOut};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Created, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// Values typed on the tabs: far more than the standard parameters.
const VALUES_MAX: usize = 64;
/// Characters of one of them.
const VALUE_CHARS_MAX: usize = 500;

/// The agent's calls.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallList {
    /// The newest first.
    calls: Vec<CallView>,
}

/// Which widget to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenForm {
    /// One of the call's buttons.
    widget: WidgetId,
}

/// What the agent typed on the tabs Demographic and Payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessForm {
    /// "120.50".
    amount: String,
    /// ISO 4217: "USD".
    currency: String,
    /// The fee that the customer was told, which comes on top: "2.50"; left out: none. It must be the one that the widget asks for.
    #[serde(default)]
    fee: Option<String>,
    /// Everything else, by the names of the standard parameters: `firstName`, `reference`, `accountType`, ...
    #[serde(default)]
    values: BTreeMap<String, String>,
}

/// What is read out, and whether the customer agreed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadOutForm {
    /// "120.50".
    amount: String,
    /// ISO 4217: "USD".
    currency: String,
    /// The fee that the customer was told.
    #[serde(default)]
    fee: Option<String>,
    /// Everything else that the agent typed, by the names of the standard parameters.
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// The text was read out, and the customer agreed to it.
    agreed: bool,
}

/// Which value to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevealForm {
    /// An obtained field of a Basic capture.
    field: Field,
}

/// The agent's calls, the newest first; ended ones for as long as their capture is open.
#[utoipa::path(get, path = "/calls", tag = "calls", responses((status = 200, body = CallList)))]
pub(crate) async fn list(State(app): State<Shared>, Caller(login): Caller) -> Answer<CallList> {
    let calls = app.deps.desk.calls(&login.actor).await?;
    Ok(Json(CallList { calls }))
}

/// Ends a call.
#[utoipa::path(post, path = "/calls/{id}/hang-up", tag = "calls", params(("id" = CallId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn hang_up(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
) -> Silent {
    app.deps.desk.hang_up(&login.actor, &call).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Opens a widget on a connected call.
#[utoipa::path(post, path = "/calls/{id}/captures", tag = "captures", params(("id" = CallId, Path)), request_body = OpenForm, responses(
    (status = 201, body = CaptureView),
))]
pub(crate) async fn open(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<OpenForm>,
) -> Created<CaptureView> {
    let opened = app
        .deps
        .desk
        .open(&login.actor, &call, &form.widget)
        .await?;
    Ok((StatusCode::CREATED, Json(opened)))
}

/// A capture as it is now.
#[utoipa::path(get, path = "/captures/{id}", tag = "captures", params(("id" = CaptureId, Path)), responses(
    (status = 200, body = CaptureView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
) -> Answer<CaptureView> {
    Ok(Json(app.deps.desk.capture(&login.actor, &capture).await?))
}

/// Does something with a capture.
#[utoipa::path(post, path = "/captures/{id}/actions", tag = "captures", params(("id" = CaptureId, Path)), request_body = CaptureAction, responses(
    (status = 200, body = CaptureView),
))]
pub(crate) async fn act(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
    Input(action): Input<CaptureAction>,
) -> Answer<CaptureView> {
    let acted = app.deps.desk.act(&login.actor, &capture, action).await?;
    Ok(Json(acted))
}

/// Process Payment. The same Idempotency-Key yields the same attempt.
#[utoipa::path(post, path = "/captures/{id}/process", tag = "captures", params(
    ("id" = CaptureId, Path),
    ("Idempotency-Key" = String, Header, description = "16 to 64 letters, digits, '-' or '_'"),
), request_body = ProcessForm, responses(
    (status = 200, body = CaptureView),
))]
pub(crate) async fn process(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
    headers: HeaderMap,
    Input(form): Input<ProcessForm>,
) -> Answer<CaptureView> {
    let key = idempotency_key(&headers).ok_or(Code::IdempotencyKey)?;
    let form = form.parse()?;
    let processed = app.deps.desk.process(&login.actor, &capture, form, key);
    Ok(Json(processed.await?))
}

/// The text that the agent reads out before a debit, and the customer's consent to it (S20): once it is agreed it is in the trail, with the time since the call began.
#[utoipa::path(post, path = "/captures/{id}/authorisation", tag = "captures", params(("id" = CaptureId, Path)), request_body = ReadOutForm, responses(
    (status = 200, body = ReadOut),
))]
pub(crate) async fn read_out(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
    Input(form): Input<ReadOutForm>,
) -> Answer<ReadOut> {
    let agreed = form.agreed;
    let payment = form.payment().parse()?;
    let read = app
        .deps
        .desk
        .read_out(&login.actor, &capture, payment, agreed);
    Ok(Json(read.await?))
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("idempotency-key")?.to_str().ok()?;
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((16..=64).contains(&key.len()) && key.bytes().all(clean)).then(|| key.to_owned())
}

impl ReadOutForm {
    /// What is to be paid.
    fn payment(self) -> ProcessForm {
        ProcessForm {
            amount: self.amount,
            currency: self.currency,
            fee: self.fee,
            values: self.values,
        }
    }
}

impl ProcessForm {
    /// Amount and fee. What no currency could have is told beside a wrong currency.
    fn sums(&self) -> Result<(Money, i64), Vec<FieldProblem>> {
        let currency: Result<Currency, MoneyError> = self.currency.parse();
        let read = |text: &str| Money::parse(text, *currency.as_ref().unwrap_or(&Currency::USD));
        let amount = read(&self.amount);
        let fee = self.fee.as_deref().map(read).transpose();
        let problem = |field: &str, error: &MoneyError| FieldProblem {
            field: field.to_owned(),
            message: error.to_string(),
        };
        let problems: Vec<FieldProblem> = [
            ("currency", currency.as_ref().err()),
            ("amount", amount.as_ref().err()),
            ("fee", fee.as_ref().err()),
        ]
        .into_iter()
        .filter_map(|(field, error)| Some(problem(field, error?)))
        .collect();
        match (amount, fee) {
            (Ok(amount), Ok(fee)) if problems.is_empty() => {
                Ok((amount, fee.map_or(0, |fee| fee.minor)))
            }
            _ => Err(problems),
        }
    }

    fn parse(self) -> Result<PaymentForm, Problem> {
        let (amount, fee_minor) = match self.sums() {
            Ok(sums) => sums,
            Err(mut errors) => {
                // The desk says these if the amount is right.
                let values = value_problems(&self.values, None, &Consumer::default()).into_iter();
                errors.extend(values.map(|(field, message)| FieldProblem { field, message }));
                return Err(Problem::new(Code::InvalidForm).with(errors));
            }
        };
        let long = |text: &String| text.chars().count() > VALUE_CHARS_MAX;
        if self.values.len() > VALUES_MAX || self.values.keys().any(long) {
            return Err(wrong("values", "64 values at most"));
        }
        if self.values.values().any(long) {
            return Err(wrong("values", "500 characters at most per value"));
        }
        Ok(PaymentForm {
            amount,
            fee_minor,
            values: self.values,
        })
    }
}

fn wrong(field: &str, message: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidForm).with(vec![FieldProblem {
        field: field.to_owned(),
        message: message.into(),
    }])
}

/// A validated value of a Basic capture, as digits. Each call is one audit entry; the connection closes after it.
#[utoipa::path(post, path = "/captures/{id}/reveal", tag = "captures", params(("id" = CaptureId, Path)), request_body = RevealForm, responses(
    (status = 200, content_type = "text/plain", body = String),
))]
pub(crate) async fn reveal(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(capture): Id<CaptureId>,
    Input(form): Input<RevealForm>,
) -> Result<Response, Problem> {
    let value = app.deps.desk.reveal(&login.actor, &capture, form.field);
    let body = Bytes::from_owner(value.await?.expose_owned());
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=us-ascii"),
        (CACHE_CONTROL, "no-store"),
        (CONNECTION, "close"),
    ];
    Ok((headers, Body::from(body)).into_response())
}
