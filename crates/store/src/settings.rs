//! System settings.
//! Owns: their one row.
//! Never: has a default of its own; that is the domain's.

use domain::boundary::StoreError;
use domain::service::Settings;
use serde_json::{Map, Value, json};
use sqlx::{AnyConnection, AnyPool, Row};

use crate::document::{self, Document};
use crate::failure::{refused, unavailable};

impl Document for Settings {
    const WHAT: &'static str = "settings";
    const VERSION: i64 = 2;

    fn upgrade(from: i64, mut fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
        match from {
            1 => {
                let all = fields.get("response_variables") == Some(&Value::Bool(true));
                let allow = if all { "all" } else { "none" };
                fields.insert("response_variables".to_owned(), json!({ "allow": allow }));
            }
            _ => return Err(format!("there is no version {from}")),
        }
        Ok(fields)
    }
}

/// Saves the settings; the new revision.
pub(crate) async fn save(
    connection: &mut AnyConnection,
    settings: &Settings,
) -> Result<i64, StoreError> {
    let revision = settings.revision + 1;
    let statement = if settings.revision == 0 {
        "INSERT INTO settings (id, revision, document) VALUES (1, $1, $2) ON CONFLICT DO NOTHING"
    } else {
        "UPDATE settings SET revision = $1, document = $2 WHERE id = 1 AND revision = $1 - 1"
    };
    let done = sqlx::query(statement)
        .bind(revision)
        .bind(document::write(&Settings {
            revision,
            ..settings.clone()
        })?)
        .execute(connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(revision)
}

/// The settings as saved; those of a new installation if never.
pub(crate) async fn load(readers: &AnyPool) -> Result<Settings, StoreError> {
    let row = sqlx::query("SELECT document FROM settings WHERE id = 1")
        .fetch_optional(readers)
        .await
        .map_err(unavailable)?;
    match row {
        Some(row) => {
            let text: String = row.try_get(0).map_err(unavailable)?;
            document::read(&text)
        }
        None => Ok(Settings::default()),
    }
}
