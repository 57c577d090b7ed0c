//! What is known of routing numbers (GATEWAYS 4).
//! Owns: the rows of the operator's list and of the imported table, a document each.
//! Never: a number that a consumer keyed.

use domain::boundary::StoreError;
use domain::capture::routing::{BankTable, RefusedRoutings};
use serde_json::{Map, Value};
use sqlx::{AnyConnection, AnyPool, Row};

use crate::document::{self, Document};
use crate::failure::{refused, unavailable};

impl Document for RefusedRoutings {
    const WHAT: &'static str = "list of refused routing numbers";
    const VERSION: i64 = 1;

    fn upgrade(from: i64, _: Map<String, Value>) -> Result<Map<String, Value>, String> {
        Err(format!("there is no version {from}"))
    }
}

impl Document for BankTable {
    const WHAT: &'static str = "table of bank names";
    const VERSION: i64 = 1;

    fn upgrade(from: i64, _: Map<String, Value>) -> Result<Map<String, Value>, String> {
        Err(format!("there is no version {from}"))
    }
}

/// The rows' names.
const REFUSED: &str = "refused";
const BANKS: &str = "banks";

/// Saves the operator's list; the new revision.
pub(crate) async fn save_refused(
    connection: &mut AnyConnection,
    list: &RefusedRoutings,
) -> Result<i64, StoreError> {
    let revision = list.revision + 1;
    let document = document::write(&RefusedRoutings {
        revision,
        ..list.clone()
    })?;
    let statement = if list.revision == 0 {
        "INSERT INTO routing_lists (name, revision, document) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO NOTHING"
    } else {
        "UPDATE routing_lists SET revision = $2, document = $3 \
         WHERE name = $1 AND revision = $2 - 1"
    };
    let done = sqlx::query(statement)
        .bind(REFUSED)
        .bind(revision)
        .bind(document)
        .execute(connection)
        .await
        .map_err(refused)?;
    match done.rows_affected() {
        0 => Err(StoreError::Conflict),
        _ => Ok(revision),
    }
}

/// Puts a table in the place of the one that is there; the new revision.
pub(crate) async fn replace_banks(
    connection: &mut AnyConnection,
    table: &BankTable,
) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT revision FROM routing_lists WHERE name = $1")
        .bind(BANKS)
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    let before = row.map_or(Ok(0), |row| row.try_get::<i64, _>(0));
    let revision = before.map_err(unavailable)? + 1;
    let document = document::write(&BankTable {
        revision,
        ..table.clone()
    })?;
    sqlx::query(
        "INSERT INTO routing_lists (name, revision, document) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, document = excluded.document",
    )
    .bind(BANKS)
    .bind(revision)
    .bind(document)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(revision)
}

/// The operator's list; an empty one if none was ever saved.
pub(crate) async fn load_refused(readers: &AnyPool) -> Result<RefusedRoutings, StoreError> {
    let document = newer(readers, REFUSED, 0).await?;
    document.map_or_else(
        || Ok(RefusedRoutings::default()),
        |text| document::read(&text),
    )
}

/// The imported table, unless it has this revision.
pub(crate) async fn banks_since(
    readers: &AnyPool,
    known: i64,
) -> Result<Option<BankTable>, StoreError> {
    let document = newer(readers, BANKS, known).await?;
    document.map(|text| document::read(&text)).transpose()
}

async fn newer(
    readers: &AnyPool,
    name: &'static str,
    known: i64,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT document FROM routing_lists WHERE name = $1 AND revision <> $2")
        .bind(name)
        .bind(known)
        .fetch_optional(readers)
        .await
        .map_err(unavailable)?;
    row.map(|row| row.try_get(0))
        .transpose()
        .map_err(unavailable)
}
