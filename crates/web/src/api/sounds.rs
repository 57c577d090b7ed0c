//! Sounds that callers hear while they wait.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::SoundId;
use domain::queue::sound::{SOUND_BYTES_MAX, Sound, SoundChange, parse, seconds_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::services::tell;
use super::{Answer, Created, Silent, is_line};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Octets, Params};
use crate::problem::{Code, Problem};

/// Sounds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SoundList {
    /// By name.
    sounds: Vec<Sound>,
}

/// What a new sound is called.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SoundQuery {
    /// 1-60 characters, unique.
    name: String,
}

/// The sounds that a queue can name: 20 at most.
#[utoipa::path(get, path = "/sounds", tag = "services", responses((status = 200, body = SoundList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<SoundList> {
    let sounds = app.deps.services.sounds().await?;
    Ok(Json(SoundList { sounds }))
}

/// Keeps a sound: a WAV of linear PCM with 16 bits, one channel, 8,000 or 16,000 Hz, ten minutes and 10 MiB at most. It is kept at 8,000 Hz.
#[utoipa::path(post, path = "/sounds", tag = "services", params(SoundQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "The WAV file"), responses(
    (status = 201, body = Sound),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Params(query): Params<SoundQuery>,
    Octets(file): Octets<SOUND_BYTES_MAX>,
) -> Created<Sound> {
    if !is_line(&query.name, 1..=60) {
        return Err(Problem::field("name", "use 1 to 60 characters"));
    }
    let samples = tokio::task::spawn_blocking(move || parse(&file));
    let samples = samples.await.map_err(|_| Code::Internal)?;
    let samples = samples.map_err(|error| Problem::field("file", error.to_string()))?;
    let sound = Sound {
        id: SoundId::from_random(crate::login::random_u128().ok_or(Code::Internal)?),
        name: query.name.trim().to_owned(),
        seconds: seconds_of(&samples),
    };
    let object = format!("sound {}", sound.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::SoundSaved, object)
        .with("seconds", sound.seconds);
    let change = Change::Sound(SoundChange::Insert {
        sound: sound.clone(),
        samples,
    });
    app.commit(change, entry, |app| tell(app, Changed::Services))
        .await?;
    Ok((StatusCode::CREATED, Json(sound)))
}

/// Deletes a sound that no service names.
#[utoipa::path(delete, path = "/sounds/{id}", tag = "services", params(("id" = SoundId, Path)), responses((status = 204)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<SoundId>,
) -> Silent {
    let sounds = app.deps.services.sounds().await?;
    let sound = sounds.into_iter().find(|sound| sound.id == id);
    let sound = sound.ok_or(Code::NotFound)?;
    let object = format!("sound {}", sound.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::SoundDeleted, object);
    let change = Change::Sound(SoundChange::Delete(id));
    app.commit(change, entry, |app| tell(app, Changed::Services))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
