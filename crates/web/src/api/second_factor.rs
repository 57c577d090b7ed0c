//! The set-up of the second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::{SecondFactor, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use secret::SecretText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::login::Login;
use crate::login::second_factor::{link, new_secret, picture, step_of};
use crate::problem::{Code, Problem};

/// A secret for an authenticator app. It is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecondFactorOffer {
    /// In base 32, to be typed.
    secret: String,
    /// The otpauth link with the secret.
    link: String,
    /// The link as a QR code: rows of '1' for dark and '0' for light.
    picture: Vec<String>,
}

impl SecondFactorOffer {
    /// `label`: what the app shows beside the codes.
    pub(super) fn new(secret: &SecretText, label: &str) -> Self {
        let link = link(secret, label);
        Self {
            secret: secret.expose().to_owned(),
            picture: picture(&link),
            link,
        }
    }
}

/// A code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecondFactorForm {
    /// The six digits that the app shows.
    code: String,
}

/// A new secret for whoever has to set up the second factor. It holds once a code of it came.
#[utoipa::path(post, path = "/second-factor", tag = "login", responses(
    (status = 200, body = SecondFactorOffer),
))]
pub(crate) async fn offer(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Answer<SecondFactorOffer> {
    must_set(&login)?;
    let secret = Arc::new(new_secret().ok_or(Code::Internal)?);
    app.logins.offer(&login.key, Arc::clone(&secret));
    Ok(Json(SecondFactorOffer::new(&secret, &login.actor.name)))
}

/// Sets up the second factor with a code of the secret that was shown. Other browsers of the same user are logged out.
#[utoipa::path(put, path = "/second-factor", tag = "login", request_body = SecondFactorForm, responses(
    (status = 204),
))]
pub(crate) async fn set(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<SecondFactorForm>,
) -> Silent {
    must_set(&login)?;
    let secret = app
        .logins
        .offered(&login.key)
        .ok_or_else(|| Problem::new(Code::WrongState).detail("Ask for a secret first"))?;
    let step = step_of(&secret, &form.code, None, app.now())
        .ok_or_else(|| Problem::field("code", "this is not the code that the app shows now"))?;
    let user = app.deps.users.user(&login.actor.user).await?;
    let user = User {
        second_factor: Some(SecondFactor {
            since: app.now(),
            last_step: step,
        }),
        ..user.ok_or(Code::NotLoggedIn)?
    };
    let object = format!("user {}", user.name);
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::SecondFactorSet,
        object,
    );
    let saved = user.clone();
    let custom = app.deps.users.custom_roles().await?;
    app.commit(
        Change::SetSecondFactor { user, secret },
        entry,
        move |app| {
            app.logins.end_all_of(&saved.id, Some(&login.key));
            app.logins.refresh(&saved, &custom);
        },
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever has one already lost the device, or is someone else: an administrator resets it.
fn must_set(login: &Login) -> Result<(), Problem> {
    if login.must_set_second_factor && !login.must_change_password {
        return Ok(());
    }
    let why = "An administrator resets a second factor that is set up";
    Err(Problem::new(Code::WrongState).detail(why))
}
