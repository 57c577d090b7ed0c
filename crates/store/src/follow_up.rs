//! What was done with payments afterwards.
//! Owns: one row a void, refund, capture or schedule, one at a time of a payment, and moves that happen from one state only.
//! Never: changes the payment itself, or what an earlier one was.

use domain::boundary::StoreError;
use domain::id::AttemptId;
use domain::money::Money;
use domain::payment::AttemptState;
use domain::payment::follow_up::{Aftermath, FOLLOW_UPS_MAX, FollowUp, FollowUpMove};
use domain::time::UnixMillis;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Row};

use crate::document::from_word;
use crate::failure::{refused, unavailable};
use crate::payment::{outputs_text, printable, state_from, state_words};

/// Most unfinished ones of one answer, the oldest first. A payment has one at most.
const UNFINISHED_MAX: i64 = 10_000;

const COLUMNS: &str = "id, of_attempt, number, kind, amount_minor, currency, reason, \
     request_key, asked_by, asked_by_name, state, detail, message, outputs, \
     created_at, changed_at";

/// What [`aftermath_from_row`] reads, beside a payment's columns.
pub(crate) fn aftermath_columns() -> String {
    let column = |kind: &str, name: &str| {
        format!(
            "(SELECT CAST(COALESCE(SUM(done.amount_minor), 0) AS BIGINT) \
             FROM payment_follow_ups AS done \
             WHERE done.of_attempt = payments.attempt AND done.kind = '{kind}' \
             AND done.state = 'final' AND done.detail IN ('approved', 'review')) AS {name}"
        )
    };
    [
        column("void", "voided_minor"),
        column("refund", "refunded_minor"),
        column("capture", "captured_minor"),
    ]
    .join(", ")
}

/// What [`last_schedule`] reads, beside a payment's columns.
pub(crate) const SCHEDULE_COLUMN: &str = "(SELECT done.state || ' ' || done.detail \
     FROM payment_follow_ups AS done \
     WHERE done.of_attempt = payments.attempt AND done.kind = 'schedule' \
     ORDER BY done.number DESC LIMIT 1) AS last_schedule";

/// Where the last schedule of the payment in this row stands; none: there was none.
pub(crate) fn last_schedule(row: &AnyRow) -> Result<Option<AttemptState>, StoreError> {
    let words: Option<String> = row.try_get("last_schedule").map_err(unavailable)?;
    let Some(words) = words else {
        return Ok(None);
    };
    let (state, detail) = words.split_once(' ').unwrap_or((&words, ""));
    state_from(state, detail).map(Some)
}

/// What became of the payment in this row.
pub(crate) fn aftermath_from_row(row: &AnyRow) -> Result<Aftermath, StoreError> {
    let sum = |column| row.try_get::<i64, _>(column).map_err(unavailable);
    Ok(Aftermath {
        voided: sum("voided_minor")? > 0,
        refunded_minor: sum("refunded_minor")?,
        captured_minor: sum("captured_minor")?,
    })
}

/// Records the intent, if the payment is charged and no other of its follow-ups is on its way, unknown, or has this number or key.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    follow_up: &FollowUp,
) -> Result<(), StoreError> {
    if follow_up.state != AttemptState::Intent {
        return Err(StoreError::Conflict);
    }
    let (state, detail) = state_words(follow_up.state);
    let statement = format!(
        "INSERT INTO payment_follow_ups ({COLUMNS}) \
         SELECT $1, attempt, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15 \
         FROM payments WHERE attempt = $16 AND currency = $5 \
         AND state = 'final' AND detail IN ('approved', 'review')"
    );
    let done = sqlx::query(AssertSqlSafe(statement))
        .bind(follow_up.id.as_str())
        .bind(i64::from(follow_up.number))
        .bind(follow_up.kind.label())
        .bind(follow_up.amount.minor)
        .bind(follow_up.amount.currency.as_str())
        .bind(printable(&follow_up.reason))
        .bind(&follow_up.key)
        .bind(follow_up.by.as_str())
        .bind(&follow_up.by_name)
        .bind(state)
        .bind(detail)
        .bind(printable(&follow_up.message))
        .bind(outputs_text(&follow_up.outputs)?)
        .bind(follow_up.created_at.0)
        .bind(follow_up.changed_at.0)
        .bind(follow_up.attempt.as_str())
        .execute(connection)
        .await
        .map_err(conflicting)?;
    must_be_one(done.rows_affected())
}

/// Moves one on, if it is where the caller thinks it is.
pub(crate) async fn move_on(
    connection: &mut AnyConnection,
    step: &FollowUpMove,
) -> Result<(), StoreError> {
    let (from_state, from_detail) = state_words(step.from);
    let (to_state, to_detail) = state_words(step.to);
    let done = sqlx::query(
        "UPDATE payment_follow_ups SET state = $1, detail = $2, changed_at = $3, \
         message = CASE WHEN $4 = '' THEN message ELSE $4 END, \
         outputs = CASE WHEN $5 = '[]' THEN outputs ELSE $5 END \
         WHERE id = $6 AND state = $7 AND detail = $8",
    )
    .bind(to_state)
    .bind(to_detail)
    .bind(step.at.0)
    .bind(printable(&step.message))
    .bind(outputs_text(&step.outputs)?)
    .bind(step.id.as_str())
    .bind(from_state)
    .bind(from_detail)
    .execute(connection)
    .await
    .map_err(conflicting)?;
    must_be_one(done.rows_affected())
}

/// Whatever is taken, somebody was faster.
fn conflicting(error: sqlx::Error) -> StoreError {
    match refused(error) {
        StoreError::Taken(_) => StoreError::Conflict,
        other => other,
    }
}

fn must_be_one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// Those of a payment, the first one first.
pub(crate) async fn of_attempt(
    readers: &AnyPool,
    attempt: &AttemptId,
) -> Result<Vec<FollowUp>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM payment_follow_ups WHERE of_attempt = $1 ORDER BY number LIMIT $2"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(attempt.as_str())
        .bind(i64::from(FOLLOW_UPS_MAX))
        .fetch_all(readers)
        .await
        .map_err(unavailable)?;
    rows.iter().map(from_row).collect()
}

/// Those that were left in intent or sent, the oldest first.
pub(crate) async fn unfinished(readers: &AnyPool) -> Result<Vec<FollowUp>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM payment_follow_ups WHERE state IN ('intent', 'sent') \
         ORDER BY created_at, id LIMIT $1"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(UNFINISHED_MAX)
        .fetch_all(readers)
        .await
        .map_err(unavailable)?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<FollowUp, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    let number = |column| row.try_get::<i64, _>(column).map_err(unavailable);
    Ok(FollowUp {
        id: text("id")?.parse().map_err(|e| corrupt(&e))?,
        attempt: text("of_attempt")?.parse().map_err(|e| corrupt(&e))?,
        number: u32::try_from(number("number")?).map_err(|e| corrupt(&e))?,
        kind: from_word("follow-up", &text("kind")?)?,
        amount: Money {
            minor: number("amount_minor")?,
            currency: text("currency")?.parse().map_err(|e| corrupt(&e))?,
        },
        reason: text("reason")?,
        key: text("request_key")?,
        by: text("asked_by")?.parse().map_err(|e| corrupt(&e))?,
        by_name: text("asked_by_name")?,
        state: state_from(&text("state")?, &text("detail")?)?,
        message: text("message")?,
        outputs: serde_json::from_str(&text("outputs")?).map_err(|e| corrupt(&e))?,
        created_at: UnixMillis(number("created_at")?),
        changed_at: UnixMillis(number("changed_at")?),
    })
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: "follow-up",
        why: why.to_string(),
    }
}
