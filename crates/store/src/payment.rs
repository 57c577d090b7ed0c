//! The ledger.
//! Owns: one row an attempt, and moves that happen from one state only.
//! Never: has a place for a card or account number.

use std::str::FromStr;

use domain::boundary::{Payments, StoreError, Takers, Task};
use domain::id::{AttemptId, DesktopId};
use domain::money::Money;
use domain::payment::follow_up::FollowUp;
use domain::payment::resolution::Proposal;
use domain::payment::{
    Arrangement, AttemptState, LedgerFilter, LedgerPlace, LedgerRow, Outcome, Payment,
    PaymentOutput, PlanStanding, Standing,
};
use domain::time::UnixMillis;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::database::Database;
use crate::document::{from_word, word};
use crate::failure::{refused, unavailable};
use crate::narrowing::Narrowing;
use crate::{follow_up, proposal};

/// Most rows of one answer. A page shows fewer; a caller that asks for more gets this many.
const PAYMENTS_MAX: u32 = 1_000;
/// Most unfinished attempts of one answer, the oldest first. The reconciler asks again once it has settled these.
const UNFINISHED_MAX: u32 = 10_000;
/// Most agents, and most desktops, to choose from. A list that is longer is searched for a payment, not for a name.
const TAKERS_MAX: i64 = 2_000;

const COLUMNS: &str = "attempt, reference, capture_id, call_id, widget_id, desktop_id, kind, \
     agent, amount_minor, currency, arrangement, brand, last_four, state, detail, message, \
     outputs, created_at, changed_at";

/// Records the intent to charge. The same attempt again is taken.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    payment: &Payment,
) -> Result<(), StoreError> {
    if payment.state != AttemptState::Intent {
        return Err(StoreError::Conflict);
    }
    let (state, detail) = state_words(payment.state);
    let statement = format!(
        "INSERT INTO payments ({COLUMNS}) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(payment.attempt.as_str())
        .bind(&payment.reference)
        .bind(payment.capture.as_str())
        .bind(payment.call.as_str())
        .bind(payment.widget.as_str())
        .bind(payment.desktop.as_ref().map(DesktopId::as_str))
        .bind(word(&payment.kind))
        .bind(payment.agent.as_str())
        .bind(payment.amount.minor)
        .bind(payment.amount.currency.as_str())
        .bind(arrangement_text(payment.arrangement.as_ref())?)
        .bind(payment.brand.map(|brand| word(&brand)))
        .bind(payment.last_four.as_deref())
        .bind(state)
        .bind(detail)
        .bind(printable(&payment.message))
        .bind(outputs_text(&payment.outputs)?)
        .bind(payment.created_at.0)
        .bind(payment.changed_at.0)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// What is kept of an answer.
pub(crate) struct Kept<'a> {
    /// For the agent.
    pub(crate) message: &'a str,
    /// For whoever asks the gateway; none: what was kept before.
    pub(crate) outputs: &'a [PaymentOutput],
}

/// Moves an attempt on, if it is where the caller thinks it is.
pub(crate) async fn move_on(
    connection: &mut AnyConnection,
    attempt: &AttemptId,
    from: AttemptState,
    to: AttemptState,
    kept: Kept<'_>,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let (from_state, from_detail) = state_words(from);
    let (to_state, to_detail) = state_words(to);
    let done = sqlx::query(
        "UPDATE payments SET state = $1, detail = $2, message = $3, changed_at = $4, \
         outputs = CASE WHEN $8 = '[]' THEN outputs ELSE $8 END \
         WHERE attempt = $5 AND state = $6 AND detail = $7",
    )
    .bind(to_state)
    .bind(to_detail)
    .bind(printable(kept.message))
    .bind(at.0)
    .bind(attempt.as_str())
    .bind(from_state)
    .bind(from_detail)
    .bind(outputs_text(kept.outputs)?)
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    if from == AttemptState::Final(Outcome::Unknown) {
        proposal::remove_any(connection, attempt).await?;
    }
    Ok(())
}

fn arrangement_text(arrangement: Option<&Arrangement>) -> Result<Option<String>, StoreError> {
    let text = arrangement.map(serde_json::to_string).transpose();
    text.map_err(|error| corrupt(&error))
}

pub(crate) fn outputs_text(outputs: &[PaymentOutput]) -> Result<String, StoreError> {
    serde_json::to_string(outputs).map_err(|error| corrupt(&error))
}

/// PostgreSQL keeps no NUL in text; a gateway's message may hold one.
pub(crate) fn printable(message: &str) -> String {
    message.replace('\0', " ")
}

pub(crate) fn state_words(state: AttemptState) -> (&'static str, String) {
    match state {
        AttemptState::Intent => ("intent", String::new()),
        AttemptState::Sent => ("sent", String::new()),
        AttemptState::NotSent(reason) => ("not_sent", word(&reason)),
        AttemptState::Final(outcome) => ("final", outcome.label().to_owned()),
    }
}

pub(crate) fn state_from(state: &str, detail: &str) -> Result<AttemptState, StoreError> {
    Ok(match state {
        "intent" => AttemptState::Intent,
        "sent" => AttemptState::Sent,
        "not_sent" => AttemptState::NotSent(from_word("payment", detail)?),
        "final" => AttemptState::Final(from_word::<Outcome>("payment", detail)?),
        _ => return Err(corrupt(&format!("it is in no known state ({state})"))),
    })
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: "payment",
        why: why.to_string(),
    }
}

fn text(row: &AnyRow, column: &str) -> Result<String, StoreError> {
    row.try_get(column).map_err(unavailable)
}

fn from_row(row: &AnyRow) -> Result<Payment, StoreError> {
    let brand: Option<String> = row.try_get("brand").map_err(unavailable)?;
    let desktop: Option<String> = row.try_get("desktop_id").map_err(unavailable)?;
    let arrangement: Option<String> = row.try_get("arrangement").map_err(unavailable)?;
    let parsed = |column| text(row, column);
    Ok(Payment {
        attempt: parsed("attempt")?.parse().map_err(|e| corrupt(&e))?,
        reference: parsed("reference")?,
        capture: parsed("capture_id")?.parse().map_err(|e| corrupt(&e))?,
        call: parsed("call_id")?.parse().map_err(|e| corrupt(&e))?,
        widget: parsed("widget_id")?.parse().map_err(|e| corrupt(&e))?,
        desktop: desktop
            .map(|desktop| desktop.parse().map_err(|e| corrupt(&e)))
            .transpose()?,
        kind: from_word("payment", &parsed("kind")?)?,
        agent: parsed("agent")?.parse().map_err(|e| corrupt(&e))?,
        amount: Money {
            minor: row.try_get("amount_minor").map_err(unavailable)?,
            currency: parsed("currency")?.parse().map_err(|e| corrupt(&e))?,
        },
        arrangement: arrangement
            .map(|text| serde_json::from_str(&text).map_err(|e| corrupt(&e)))
            .transpose()?,
        brand: brand
            .map(|brand| from_word("payment", &brand))
            .transpose()?,
        last_four: row.try_get("last_four").map_err(unavailable)?,
        state: state_from(&parsed("state")?, &parsed("detail")?)?,
        message: parsed("message")?,
        outputs: serde_json::from_str(&parsed("outputs")?).map_err(|e| corrupt(&e))?,
        created_at: UnixMillis(row.try_get("created_at").map_err(unavailable)?),
        changed_at: UnixMillis(row.try_get("changed_at").map_err(unavailable)?),
    })
}

/// What a filter asks for, as conditions.
fn narrowed(filter: &LedgerFilter) -> Narrowing {
    let mut narrowing = Narrowing::default();
    if let Some(agent) = &filter.agent {
        narrowing.must("agent =", agent.as_str());
    }
    if let Some(desktop) = &filter.desktop {
        narrowing.must("desktop_id =", desktop.as_str());
    }
    if let Some(from) = filter.from {
        narrowing.must("created_at >=", from.0);
    }
    if let Some(until) = filter.until {
        narrowing.must("created_at <", until.0);
    }
    if let Some(standing) = filter.standing {
        narrowing.and(stands(standing));
    }
    if let Some(search) = &filter.search {
        let reference = search.reference.as_deref();
        let reference = reference.map(|start| narrowing.begins("reference", start));
        let call = search.call.as_ref();
        let call = call.map(|call| format!("call_id = {}", narrowing.value(call.as_str())));
        let either: Vec<String> = reference.into_iter().chain(call).collect();
        narrowing.and(format!("({})", either.join(" OR ")));
    }
    narrowing
}

fn stands(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "state IN ('intent', 'sent')",
        Standing::NotSent => "state = 'not_sent'",
        Standing::Approved => "state = 'final' AND detail = 'approved'",
        Standing::Declined => "state = 'final' AND detail = 'declined'",
        Standing::Review => "state = 'final' AND detail = 'review'",
        Standing::Error => "state = 'final' AND detail = 'error'",
        Standing::Unknown => "state = 'final' AND detail = 'unknown'",
    }
}

/// Identity and name of those rows of a table that payments name; an index answers for each.
async fn takers<T: FromStr>(
    database: &Database,
    table: &str,
    column: &str,
) -> Result<Vec<(T, String)>, StoreError> {
    let statement = format!(
        "SELECT id, name FROM {table} WHERE EXISTS \
         (SELECT 1 FROM payments WHERE payments.{column} = {table}.id) ORDER BY name LIMIT $1"
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(TAKERS_MAX)
        .fetch_all(database.readers())
        .await
        .map_err(unavailable)?;
    let taker = |row: &AnyRow| {
        let id: String = row.try_get(0).map_err(unavailable)?;
        let id = id
            .parse()
            .map_err(|_| corrupt(&"a taker has no identity"))?;
        Ok((id, row.try_get(1).map_err(unavailable)?))
    };
    rows.iter().map(taker).collect()
}

impl Payments for Database {
    fn payment<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Payment>, StoreError>> {
        Box::pin(async move {
            let statement = format!("SELECT {COLUMNS} FROM payments WHERE attempt = $1");
            let row = sqlx::query(AssertSqlSafe(statement))
                .bind(attempt.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn payments<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        after: Option<&'a LedgerPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<LedgerRow>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = narrowed(filter);
            if let Some(place) = after {
                let at = narrowing.value(place.created_at.0);
                let attempt = narrowing.value(place.attempt.as_str());
                narrowing.and(format!("(created_at, attempt) < ({at}, {attempt})"));
            }
            let limit = narrowing.value(i64::from(limit.min(PAYMENTS_MAX)));
            let statement = format!(
                "SELECT {COLUMNS}, {}, {}, {} FROM payments {}{} \
                 ORDER BY created_at DESC, attempt DESC LIMIT {limit}",
                proposal::COLUMNS,
                follow_up::aftermath_columns(),
                follow_up::SCHEDULE_COLUMN,
                proposal::JOIN,
                narrowing.clause()
            );
            let query = narrowing.query(statement);
            let rows = query.fetch_all(self.readers()).await.map_err(unavailable)?;
            rows.iter()
                .map(|row| {
                    let payment = from_row(row)?;
                    Ok(LedgerRow {
                        plan: PlanStanding::of(&payment, follow_up::last_schedule(row)?),
                        payment,
                        proposal: proposal::from_row(row)?,
                        aftermath: follow_up::aftermath_from_row(row)?,
                    })
                })
                .collect()
        })
    }

    fn proposal<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Proposal>, StoreError>> {
        Box::pin(proposal::load(self.readers(), attempt))
    }

    fn follow_ups<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Vec<FollowUp>, StoreError>> {
        Box::pin(follow_up::of_attempt(self.readers(), attempt))
    }

    fn unfinished_follow_ups(&self) -> Task<'_, Result<Vec<FollowUp>, StoreError>> {
        Box::pin(follow_up::unfinished(self.readers()))
    }

    fn count<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        most: u32,
    ) -> Task<'a, Result<u32, StoreError>> {
        Box::pin(async move {
            let mut narrowing = narrowed(filter);
            let most = narrowing.value(i64::from(most));
            let statement = format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM payments{} LIMIT {most}) AS found",
                narrowing.clause()
            );
            let query = narrowing.query(statement);
            let row = query.fetch_one(self.readers()).await.map_err(unavailable)?;
            let count: i64 = row.try_get(0).map_err(unavailable)?;
            u32::try_from(count).map_err(unavailable)
        })
    }

    fn takers(&self) -> Task<'_, Result<Takers, StoreError>> {
        Box::pin(async move {
            Ok(Takers {
                agents: takers(self, "users", "agent").await?,
                desktops: takers(self, "desktops", "desktop_id").await?,
            })
        })
    }

    fn unfinished(&self) -> Task<'_, Result<Vec<Payment>, StoreError>> {
        Box::pin(async move {
            let statement = format!(
                "SELECT {COLUMNS} FROM payments WHERE state IN ('intent', 'sent') \
                 ORDER BY created_at, attempt LIMIT $1"
            );
            let rows = sqlx::query(AssertSqlSafe(statement))
                .bind(i64::from(UNFINISHED_MAX))
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(from_row).collect()
        })
    }
}
