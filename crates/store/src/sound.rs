//! Sounds that callers hear while they wait.
//! Owns: their rows.
//! Never: looks into a file, or deletes what a service names.

use std::sync::Arc;

use domain::boundary::{Sounds, StoreError, Task};
use domain::id::SoundId;
use domain::queue::sound::{SOUNDS_MAX, Sound, SoundChange};
use domain::service::Service;
use sqlx::{AnyConnection, Row};

use crate::database::Database;
use crate::deletion::{delete_row, refuse_in_use};
use crate::document;
use crate::failure::{refused, unavailable};

/// Keeps a sound, or deletes one.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    change: &SoundChange,
) -> Result<i64, StoreError> {
    match change {
        SoundChange::Insert { sound, samples } => insert(connection, sound, samples).await?,
        SoundChange::Delete(id) => delete(connection, id).await?,
    }
    Ok(0)
}

/// Keeps a new sound. As many as there may be are refused as one that is in use by them all.
async fn insert(
    connection: &mut AnyConnection,
    sound: &Sound,
    samples: &[i16],
) -> Result<(), StoreError> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sounds")
        .fetch_one(&mut *connection)
        .await
        .map_err(unavailable)?;
    if usize::try_from(count).is_ok_and(|count| count >= SOUNDS_MAX) {
        return Err(StoreError::InUse(format!("{count} sounds")));
    }
    let bytes: Vec<u8> = samples.iter().flat_map(|one| one.to_le_bytes()).collect();
    sqlx::query("INSERT INTO sounds (id, name, seconds, samples) VALUES ($1, $2, $3, $4)")
        .bind(sound.id.as_str())
        .bind(&sound.name)
        .bind(i64::from(sound.seconds))
        .bind(bytes)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// Deletes a sound that no service names.
async fn delete(connection: &mut AnyConnection, id: &SoundId) -> Result<(), StoreError> {
    let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM services ORDER BY name")
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    let mut uses = Vec::new();
    for text in documents {
        let service: Service = document::read(&text)?;
        if service
            .queue
            .iter()
            .any(|queue| queue.sounds().any(|one| one == id))
        {
            uses.push(format!("the service {}", service.name));
        }
    }
    refuse_in_use(uses)?;
    delete_row(connection, "DELETE FROM sounds WHERE id = $1", id.as_str()).await
}

fn corrupt(why: impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: "sound",
        why: why.to_string(),
    }
}

impl Sounds for Database {
    fn sounds(&self) -> Task<'_, Result<Vec<Sound>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT id, name, seconds FROM sounds ORDER BY name")
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            let sound = |row: &sqlx::any::AnyRow| {
                let (id, name): (String, String) = (
                    row.try_get(0).map_err(unavailable)?,
                    row.try_get(1).map_err(unavailable)?,
                );
                let seconds: i64 = row.try_get(2).map_err(unavailable)?;
                Ok(Sound {
                    id: id.parse().map_err(corrupt)?,
                    name,
                    seconds: u32::try_from(seconds).map_err(corrupt)?,
                })
            };
            rows.iter().map(sound).collect()
        })
    }

    fn samples<'a>(&'a self, id: &'a SoundId) -> Task<'a, Result<Option<Arc<[i16]>>, StoreError>> {
        Box::pin(async move {
            let bytes: Option<Vec<u8>> =
                sqlx::query_scalar("SELECT samples FROM sounds WHERE id = $1")
                    .bind(id.as_str())
                    .fetch_optional(self.readers())
                    .await
                    .map_err(unavailable)?;
            let sample = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]);
            Ok(bytes.map(|bytes| bytes.chunks_exact(2).map(sample).collect()))
        })
    }
}
