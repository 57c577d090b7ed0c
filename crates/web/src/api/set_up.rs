//! The first administrator of an empty installation, made by whoever holds the token that the start printed.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::access::{Actor, CustomRoles, Role, SecondFactor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::UserId;
use secret::SecretText;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::Answer;
use super::login::{Seat, begin};
use super::second_factor::SecondFactorOffer;
use super::users::{UserForm, entry, problem};
use crate::app::{Changed, Shared};
use crate::extract::Input;
use crate::login::password::Password;
use crate::login::second_factor::{new_secret, step_of};
use crate::problem::{Code, Problem};
use crate::server::Peer;

/// What an app shows beside the codes: the user name is not chosen yet.
const LABEL: &str = "administrator";

/// The token of the set-up link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpToken {
    /// What stands behind '#' in the link.
    token: String,
}

/// What the set-up page is told.
#[derive(Serialize, ToSchema)]
pub(crate) struct SetUpOffer {
    /// The secret for an authenticator app; none where the server's file switches the second factor off.
    second_factor: Option<SecondFactorOffer>,
}

/// The first administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUpForm {
    /// What stands behind '#' in the link.
    token: String,
    /// Login name: 1-64 of a-z, 0-9, '.', '-', '_', '@'.
    name: String,
    /// 1-80 characters.
    display_name: String,
    /// 12 to 128 characters with letters and digits.
    #[schema(value_type = String, format = Password)]
    password: Password,
    /// The code that the authenticator app shows now.
    #[serde(default)]
    code: Option<String>,
}

/// Whether the token holds, and a new secret for the second factor.
#[utoipa::path(post, path = "/set-up/offer", tag = "login", request_body = SetUpToken, responses(
    (status = 200, body = SetUpOffer),
))]
pub(crate) async fn offer(
    State(app): State<Shared>,
    Peer(peer): Peer,
    Input(form): Input<SetUpToken>,
) -> Answer<SetUpOffer> {
    admit(&app, peer, &form.token).await?;
    if !app.second_factor {
        return Ok(Json(SetUpOffer {
            second_factor: None,
        }));
    }
    let secret = Arc::new(new_secret().ok_or(Code::Internal)?);
    app.set_up.offer(Arc::clone(&secret));
    Ok(Json(SetUpOffer {
        second_factor: Some(SecondFactorOffer::new(&secret, LABEL)),
    }))
}

/// Makes the first administrator, who is Desktop admin and Security admin, and logs in. The token is used up.
#[utoipa::path(post, path = "/set-up", tag = "login", request_body = SetUpForm, responses(
    (status = 200, body = super::login::LoginView),
))]
pub(crate) async fn make(
    State(app): State<Shared>,
    Peer(peer): Peer,
    Input(form): Input<SetUpForm>,
) -> Result<Response, Problem> {
    admit(&app, peer, &form.token).await?;
    let id = UserId::from_random(crate::login::random_u128().ok_or(Code::Internal)?);
    let before = User::blank(id);
    let factor = proven(&app, form.code.as_deref());
    let token = form.token;
    let roles = [Role::DesktopAdmin, Role::SecurityAdmin];
    let form = UserForm::first(form.name, form.display_name, form.password, &roles);
    let mut problems = form.problems(&before, &[]);
    if app.second_factor && factor.is_none() {
        problems.push(problem(
            "code",
            "this is not the code that the app shows now",
        ));
    }
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let hash = match &form.password {
        Some(password) => Some(app.passwords.turn().await?.hash(password).await?),
        None => None,
    };
    let user = User {
        must_change_password: false,
        second_factor: factor.as_ref().map(|(factor, _)| *factor),
        ..form.applied(&before, hash, &app)
    };
    let address = peer.ip().to_canonical().to_string();
    let secret = factor.map(|(_, secret)| secret);
    save(&app, &token, (&before, &user), secret, &address).await?;
    begin(
        &app,
        &user,
        &CustomRoles::default(),
        &address,
        Seat::Browser,
    )
    .await
}

/// The step of a code of the secret that was offered, with that secret.
fn proven(app: &Shared, code: Option<&str>) -> Option<(SecondFactor, Arc<SecretText>)> {
    let secret = app.set_up.offered().filter(|_| app.second_factor)?;
    let factor = SecondFactor {
        since: app.now(),
        last_step: step_of(&secret, code?, None, app.now())?,
    };
    Some((factor, secret))
}

/// Goes through the door and writes the user; if that fails the token holds again.
async fn save(
    app: &Shared,
    token: &str,
    (before, user): (&User, &User),
    secret: Option<Arc<SecretText>>,
    address: &str,
) -> Result<(), Problem> {
    let custom = CustomRoles::default();
    let actor = user.actor(&custom, address);
    let made = entry(app, &actor, (before, user, true), &custom).with("reason", "set_up_link");
    let change = match secret {
        Some(secret) => Change::SetSecondFactor {
            user: user.clone(),
            secret,
        },
        None => Change::SaveUser(user.clone()),
    };
    let open = app.set_up.enter(token).ok_or_else(closed)?;
    let saved = app.commit(change, made, |app| app.deps.hooks.changed(Changed::Users));
    if let Err(error) = saved.await {
        app.set_up.give_back(open);
        return Err(error.into());
    }
    let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoggedIn, "login");
    app.commit(Change::None, entry, |_| {}).await?;
    Ok(())
}

/// The token is right, and there is still nobody. Wrong ones count as failures of their address, and stand in the trail while the door is open.
async fn admit(app: &Shared, peer: SocketAddr, token: &str) -> Result<(), Problem> {
    if let Some(seconds) = app.failures.wait(peer.ip(), Instant::now()) {
        return Err(Problem::new(Code::TooManyFailures).retry_after(seconds));
    }
    if !app.set_up.is_open() {
        return Err(closed());
    }
    if !app.set_up.admits(token) {
        app.failures.failed(peer.ip(), Instant::now());
        let actor = Actor {
            address: peer.ip().to_canonical().to_string(),
            ..Actor::system()
        };
        let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoginFailed, "login")
            .with("reason", "wrong_set_up_link");
        app.commit(Change::None, entry, |_| {}).await?;
        return Err(closed());
    }
    if app.deps.users.users().await?.is_empty() {
        Ok(())
    } else {
        app.set_up.enter(token);
        Err(closed())
    }
}

/// A used link, one of an earlier start and a wrong one are answered alike.
fn closed() -> Problem {
    let why = "This link was used, or the server was started anew; a server without users prints another at its start";
    Problem::new(Code::WrongState).detail(why)
}
