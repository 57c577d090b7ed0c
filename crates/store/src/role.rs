//! Custom roles.
//! Owns: their rows and document.
//! Never: knows what a right means.

use domain::access::{CustomRole, CustomRoles};
use domain::boundary::StoreError;
use domain::id::RoleId;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::deletion::delete_row;
use crate::document::{self, Document};
use crate::failure::{refused, unavailable};

impl Document for CustomRole {
    const WHAT: &'static str = "role";
    const VERSION: i64 = 1;

    fn upgrade(from: i64, _: Map<String, Value>) -> Result<Map<String, Value>, String> {
        Err(format!("there is no version {from}"))
    }
}

/// Saves a new role or the next revision of one; the new revision.
pub(crate) async fn save(
    connection: &mut AnyConnection,
    role: &CustomRole,
) -> Result<i64, StoreError> {
    let revision = role.revision + 1;
    let kept = document::write(&CustomRole {
        revision,
        ..role.clone()
    })?;
    let statement = if role.revision == 0 {
        "INSERT INTO roles (id, name, revision, document) VALUES ($1, $2, $3, $4)"
    } else {
        "UPDATE roles SET name = $2, revision = $3, document = $4 \
         WHERE id = $1 AND revision = $3 - 1"
    };
    let done = sqlx::query(statement)
        .bind(role.id.as_str())
        .bind(&role.name)
        .bind(revision)
        .bind(kept)
        .execute(connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(revision)
}

/// Deletes a role that nobody has.
pub(crate) async fn delete(connection: &mut AnyConnection, id: &RoleId) -> Result<(), StoreError> {
    let holder: Option<String> = sqlx::query_scalar(
        "SELECT name FROM users JOIN user_roles ON user_roles.user_id = users.id \
         WHERE user_roles.role_id = $1 ORDER BY name LIMIT 1",
    )
    .bind(id.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(unavailable)?;
    if let Some(name) = holder {
        return Err(StoreError::InUse(format!("the user {name}")));
    }
    delete_row(connection, "DELETE FROM roles WHERE id = $1", id.as_str()).await
}

/// All of them.
pub(crate) async fn load(readers: &AnyPool) -> Result<CustomRoles, StoreError> {
    let rows = sqlx::query("SELECT document FROM roles")
        .fetch_all(readers)
        .await
        .map_err(unavailable)?;
    let role = |row: &AnyRow| {
        let text: String = row.try_get(0).map_err(unavailable)?;
        document::read(&text)
    };
    rows.iter().map(role).collect()
}
