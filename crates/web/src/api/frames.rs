//! The page in a frame of another site: where it may stand, and how its user gets in (docs/decisions/0007-embedding.md).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::access::{Actor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Answer;
use super::login::{Seat, begin};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::login::{Login, frame_codes};
use crate::problem::{Code, Problem};
use crate::server::Peer;

/// Where the page may stand.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FramePolicy {
    /// Origins of pages that may show this one in a frame, as browsers write them.
    origins: Vec<String>,
}

/// For whom a code is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameForm {
    /// The origin of the page around the frame.
    origin: String,
}

/// A code that lets a frame in once.
#[derive(Serialize, ToSchema)]
pub(crate) struct FrameCode {
    /// The code.
    code: String,
    /// It holds for so many seconds.
    holds_s: u64,
}

/// What the page in a frame logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FrameLoginForm {
    /// The code.
    code: String,
    /// The origin of the page around the frame.
    origin: String,
}

/// Which sites may show the page in a frame.
#[utoipa::path(get, path = "/frames", tag = "frames", responses((status = 200, body = FramePolicy)))]
pub(crate) async fn policy(State(app): State<Shared>) -> Json<FramePolicy> {
    Json(FramePolicy {
        origins: app.embedding.clone(),
    })
}

/// A one-time code with which the page in a frame on that origin becomes a login of whoever asks: for 60 s, with the rights of an agent at most,
/// and no longer than the login that asks. A frame's own login gives none.
#[utoipa::path(post, path = "/frames/codes", tag = "frames", request_body = FrameForm, responses(
    (status = 200, body = FrameCode),
))]
pub(crate) async fn issue(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<FrameForm>,
) -> Answer<FrameCode> {
    if login.framed {
        return Err(Code::NotPermitted.into());
    }
    if !app.embedding.contains(&form.origin) {
        let why = "no site that the server's file names in web.embedding.origins";
        return Err(Problem::field("origin", why));
    }
    let code = app
        .frame_codes
        .issue(login.key, &form.origin, Instant::now());
    Ok(Json(FrameCode {
        code: code.ok_or(Code::Internal)?,
        holds_s: frame_codes::LIFE.as_secs(),
    }))
}

/// Logs the page in a frame in. Sets the partitioned cookie `__Host-tonewall-frame`, which counts for requests of the page itself alone.
#[utoipa::path(post, path = "/frames/login", tag = "frames", request_body = FrameLoginForm, responses(
    (status = 200, body = super::login::LoginView),
))]
pub(crate) async fn log_in(
    State(app): State<Shared>,
    Peer(peer): Peer,
    previous: Option<Caller>,
    Input(form): Input<FrameLoginForm>,
) -> Result<Response, Problem> {
    if let Some(seconds) = app.failures.wait(peer.ip(), Instant::now()) {
        return Err(Problem::new(Code::TooManyFailures).retry_after(seconds));
    }
    let address = peer.ip().to_canonical().to_string();
    let Some((by, user)) = redeemed(&app, &form).await? else {
        app.failures.failed(peer.ip(), Instant::now());
        let actor = Actor {
            address,
            ..Actor::system()
        };
        let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoginFailed, "login")
            .with("reason", "wrong_frame_code");
        app.commit(Change::None, entry, |_| {}).await?;
        return Err(Code::LoginFailed.into());
    };
    let custom = app.deps.users.custom_roles().await?;
    let actor = user.actor(&custom, &address);
    let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoggedIn, "login")
        .with("frame_on", form.origin);
    app.commit(Change::None, entry, |_| {}).await?;
    if let Some(Caller(previous)) = previous.filter(|Caller(login)| login.framed) {
        app.logins.end(&previous.key);
    }
    begin(&app, &user, &custom, &address, Seat::Frame(by.key)).await
}

/// The login that the code is of, as far as it still holds and is not locked, and its user.
async fn redeemed(app: &Shared, form: &FrameLoginForm) -> Result<Option<(Login, User)>, Problem> {
    let now = Instant::now();
    let key = app.frame_codes.redeem(&form.code, &form.origin, now);
    let by = key.and_then(|key| app.logins.look(&key, now));
    let Some(by) = by.filter(|login| !login.locked) else {
        return Ok(None);
    };
    let user = app.deps.users.user(&by.actor.user).await?;
    Ok(user.filter(|user| user.enabled).map(|user| (by, user)))
}
