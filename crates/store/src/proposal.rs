//! What people say of unknown outcomes.
//! Owns: one proposal an attempt, which stands until it is confirmed or taken back.
//! Never: keeps one of a payment whose outcome is known: confirming removes it.

use domain::boundary::StoreError;
use domain::id::AttemptId;
use domain::payment::Outcome;
use domain::payment::resolution::Proposal;
use domain::time::UnixMillis;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Row};

use crate::document::{from_word, word};
use crate::failure::{refused, unavailable};

/// What [`from_row`] reads, beside a payment's columns.
pub(crate) const COLUMNS: &str =
    "of_attempt, outcome, reason, proposed_by, proposed_by_name, proposed_at";
/// How a payment finds its proposal.
pub(crate) const JOIN: &str =
    "LEFT JOIN payment_proposals ON payment_proposals.of_attempt = payments.attempt";

/// Keeps what somebody says of an attempt, if its outcome is unknown and nobody has said anything.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<(), StoreError> {
    let statement = format!(
        "INSERT INTO payment_proposals ({COLUMNS}) \
         SELECT attempt, $1, $2, $3, $4, $5 FROM payments \
         WHERE attempt = $6 AND state = 'final' AND detail = 'unknown'"
    );
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(word(&proposal.outcome))
        .bind(proposal.reason.replace('\0', " "))
        .bind(proposal.by.as_str())
        .bind(&proposal.by_name)
        .bind(proposal.at.0)
        .bind(proposal.attempt.as_str())
        .execute(connection)
        .await
        .map_err(refused)
        .map_err(|error| match error {
            StoreError::Taken(_) => StoreError::Conflict,
            other => other,
        })?;
    must_be_one(done.rows_affected())
}

/// Takes it back, if it is this one that stands.
pub(crate) async fn remove(
    connection: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "DELETE FROM payment_proposals WHERE of_attempt = $1 AND outcome = $2 \
         AND proposed_by = $3 AND proposed_at = $4",
    )
    .bind(proposal.attempt.as_str())
    .bind(word(&proposal.outcome))
    .bind(proposal.by.as_str())
    .bind(proposal.at.0)
    .execute(connection)
    .await
    .map_err(refused)?;
    must_be_one(done.rows_affected())
}

/// Moves the attempt on to what was said of it, if it is this that stands and the outcome is unknown.
pub(crate) async fn confirm(
    connection: &mut AnyConnection,
    proposal: &Proposal,
    at: UnixMillis,
) -> Result<(), StoreError> {
    remove(connection, proposal).await?;
    let done = sqlx::query(
        "UPDATE payments SET detail = $1, changed_at = $2 \
         WHERE attempt = $3 AND state = 'final' AND detail = 'unknown'",
    )
    .bind(Outcome::from(proposal.outcome).label())
    .bind(at.0)
    .bind(proposal.attempt.as_str())
    .execute(connection)
    .await
    .map_err(refused)?;
    must_be_one(done.rows_affected())
}

/// What was said of an attempt falls away: its outcome is known.
pub(crate) async fn remove_any(
    connection: &mut AnyConnection,
    attempt: &AttemptId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM payment_proposals WHERE of_attempt = $1")
        .bind(attempt.as_str())
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

fn must_be_one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// What stands of an attempt.
pub(crate) async fn load(
    readers: &AnyPool,
    attempt: &AttemptId,
) -> Result<Option<Proposal>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM payment_proposals WHERE of_attempt = $1");
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(attempt.as_str())
        .fetch_optional(readers)
        .await
        .map_err(unavailable)?;
    row.as_ref().map_or(Ok(None), from_row)
}

/// What stands of the payment in this row.
pub(crate) fn from_row(row: &AnyRow) -> Result<Option<Proposal>, StoreError> {
    let attempt: Option<String> = row.try_get("of_attempt").map_err(unavailable)?;
    let Some(attempt) = attempt else {
        return Ok(None);
    };
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    Ok(Some(Proposal {
        attempt: attempt.parse().map_err(|e| corrupt(&e))?,
        outcome: from_word("proposal", &text("outcome")?)?,
        reason: text("reason")?,
        by: text("proposed_by")?.parse().map_err(|e| corrupt(&e))?,
        by_name: text("proposed_by_name")?,
        at: UnixMillis(row.try_get("proposed_at").map_err(unavailable)?),
    }))
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: "proposal",
        why: why.to_string(),
    }
}
