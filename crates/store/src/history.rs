//! Documents as they were saved once.
//! Owns: reading the tables of histories.
//! Never: writes one; a document's own module does, with the document.

use domain::boundary::StoreError;
use domain::time::UnixMillis;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};

use crate::document::{self, Document};
use crate::failure::unavailable;

/// A revision of a document.
pub(crate) struct Saved<T> {
    pub(crate) document: T,
    pub(crate) at: UnixMillis,
    pub(crate) by: String,
}

/// A row of document, time and name.
pub(crate) fn from_row<T: Document>(row: &AnyRow) -> Result<Saved<T>, StoreError> {
    let text: String = row.try_get(0).map_err(unavailable)?;
    Ok(Saved {
        document: document::read(&text)?,
        at: UnixMillis(row.try_get(1).map_err(unavailable)?),
        by: row.try_get(2).map_err(unavailable)?,
    })
}

/// What a query of an identity and a number finds.
pub(crate) async fn find<T: Document, S: From<Saved<T>>>(
    readers: &AnyPool,
    query: &'static str,
    id: &str,
    number: i64,
) -> Result<Vec<S>, StoreError> {
    let rows = sqlx::query(query)
        .bind(id)
        .bind(number)
        .fetch_all(readers)
        .await
        .map_err(unavailable)?;
    rows.iter().map(|row| Ok(from_row(row)?.into())).collect()
}
