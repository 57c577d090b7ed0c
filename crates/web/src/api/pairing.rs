//! Whose a call is that rang at a PBX: codes, claims, the list.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::boundary::CallName;
use domain::id::{CallId, InvalidId, UserId};
use domain::pairing::{PairingCodeView, ServiceCall};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Created, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::{FieldProblem, Problem};

/// Characters of a name that is looked for.
const NAME_CHARS_MAX: usize = 256;

/// Calls of services whose route is a PBX.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceCallList {
    /// The newest first.
    calls: Vec<ServiceCallRow>,
}

/// One of them, with the names that people know.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceCallRow {
    /// The call.
    #[serde(flatten)]
    call: ServiceCall,
    /// Name of its service; empty: it was deleted since.
    service_name: String,
    /// What people call its agent; none: nobody has it.
    agent_name: Option<String>,
}

/// Who is to have a call, and which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindForm {
    /// Login name of the agent; left out: oneself.
    #[serde(default)]
    agent: Option<String>,
    /// The call.
    call: CallNameForm,
}

/// By what the call is known.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallNameForm {
    /// Which kind of name it is.
    by: CallNameKind,
    /// The name: 1-256 visible characters.
    name: String,
}

/// A kind of name of a call.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CallNameKind {
    /// What `X-Tonewall-Call` says towards the PBX.
    TonewallCall,
    /// The SIP Call-ID of either of its legs. With the right `call.bind` only.
    CallId,
}

/// The call that was bound.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BoundCall {
    /// Its identity.
    call: CallId,
}

/// Who is to have a call of the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PickForm {
    /// Login name of the agent; left out: oneself.
    #[serde(default)]
    agent: Option<String>,
    /// Also from somebody who has it.
    #[serde(default)]
    take_away: bool,
}

/// A code that the agent keys on their own phone to get the call that is there. It is good for a minute, once; asked for again it is the same.
#[utoipa::path(post, path = "/pairing-code", tag = "calls", responses((status = 201, body = PairingCodeView)))]
pub(crate) async fn ask(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Created<PairingCodeView> {
    let code = app.deps.desk.pairing_code(&login.actor)?;
    Ok((StatusCode::CREATED, Json(code)))
}

/// The agent's code is no longer good.
#[utoipa::path(delete, path = "/pairing-code", tag = "calls", responses((status = 204)))]
pub(crate) async fn give_back(State(app): State<Shared>, Caller(login): Caller) -> Silent {
    app.deps.desk.drop_pairing_code(&login.actor);
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a call that nobody has to an agent: to oneself by what `X-Tonewall-Call` says of it, with the right `call.bind` to anybody.
#[utoipa::path(post, path = "/calls/bind", tag = "calls", request_body = BindForm, responses(
    (status = 200, body = BoundCall),
))]
pub(crate) async fn bind(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<BindForm>,
) -> Answer<BoundCall> {
    let agent = named(&app, form.agent, &login.actor.user).await?;
    let (agent, name) = match (agent, form.call.parse()) {
        (Ok(agent), Ok(name)) => (agent, name),
        (agent, name) => {
            let wrong = agent.err().into_iter().chain(name.err());
            return Err(Problem::invalid(wrong.collect()));
        }
    };
    let call = app.deps.desk.bind(&login.actor, &agent, &name).await?;
    Ok(Json(BoundCall { call }))
}

/// The running calls of services whose route is a PBX; of callers' numbers the last digits.
#[utoipa::path(get, path = "/service-calls", tag = "calls", responses((status = 200, body = ServiceCallList)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Answer<ServiceCallList> {
    let calls = app.deps.desk.service_calls(&login.actor).await?;
    let services = app.deps.services.services().await?;
    let users = app.deps.users.users().await?;
    let row = |call: ServiceCall| {
        let service = services.iter().find(|service| service.id == call.service);
        let agent = users
            .iter()
            .find(|user| call.agent.as_ref() == Some(&user.id));
        ServiceCallRow {
            service_name: service
                .map(|service| service.name.clone())
                .unwrap_or_default(),
            agent_name: agent.map(|agent| agent.display_name.clone()),
            call,
        }
    };
    Ok(Json(ServiceCallList {
        calls: calls.into_iter().map(row).collect(),
    }))
}

/// Gives a call of the list to an agent.
#[utoipa::path(post, path = "/calls/{id}/pick", tag = "calls", params(("id" = CallId, Path)), request_body = PickForm, responses(
    (status = 204),
))]
pub(crate) async fn pick(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
    Input(form): Input<PickForm>,
) -> Silent {
    let agent = named(&app, form.agent, &login.actor.user).await?;
    let agent = agent.map_err(|wrong| Problem::invalid(vec![wrong]))?;
    let (desk, away) = (&app.deps.desk, form.take_away);
    desk.pick(&login.actor, &call, &agent, away).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The agent lets a call go that they were given: it is nobody's then, and goes on.
#[utoipa::path(post, path = "/calls/{id}/release", tag = "calls", params(("id" = CallId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn release(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(call): Id<CallId>,
) -> Silent {
    app.deps.desk.release(&login.actor, &call).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The user of a login name, or oneself; else what is wrong with it.
pub(super) async fn named(
    app: &Shared,
    name: Option<String>,
    oneself: &UserId,
) -> Result<Result<UserId, FieldProblem>, Problem> {
    let Some(name) = name else {
        return Ok(Ok(oneself.clone()));
    };
    let user = app.deps.users.user_by_name(&name).await?;
    let unknown = || wrong("agent", "enter the login name of a user");
    Ok(user.map(|user| user.id).ok_or_else(unknown))
}

pub(super) fn wrong(field: &str, message: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field: field.to_owned(),
        message: message.into(),
    }
}

impl CallNameForm {
    fn parse(self) -> Result<CallName, FieldProblem> {
        let is_visible = self.name.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=NAME_CHARS_MAX).contains(&self.name.len()) || !is_visible {
            return Err(wrong("call.name", "use 1 to 256 visible characters"));
        }
        match self.by {
            CallNameKind::CallId => Ok(CallName::SipCallId(self.name)),
            CallNameKind::TonewallCall => {
                let call = self.name.parse().map(CallName::Tonewall);
                call.map_err(|invalid: InvalidId| wrong("call.name", invalid.to_string()))
            }
        }
    }
}
