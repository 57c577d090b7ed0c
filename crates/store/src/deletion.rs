//! How a row is deleted.
//! Owns: that nothing goes that is used, and that what is gone already is a conflict.
//! Never: knows what a row says.

use domain::boundary::StoreError;
use sqlx::AnyConnection;

use crate::failure::refused;

/// Users, services or desktops that one refusal names.
const USES_NAMED_MAX: usize = 20;

/// Refuses what is used, naming by what.
pub(crate) fn refuse_in_use(mut uses: Vec<String>) -> Result<(), StoreError> {
    if uses.is_empty() {
        return Ok(());
    }
    let more = uses.len().saturating_sub(USES_NAMED_MAX);
    uses.truncate(USES_NAMED_MAX);
    if more > 0 {
        uses.push(format!("{more} more"));
    }
    Err(StoreError::InUse(uses.join(", ")))
}

/// Deletes the row of an identity, which the statement takes as its only value; a conflict if there is none.
pub(crate) async fn delete_row(
    connection: &mut AnyConnection,
    statement: &'static str,
    id: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query(statement)
        .bind(id)
        .execute(connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    Ok(())
}
