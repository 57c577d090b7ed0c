//! Rows of recordings, of calls and of screens.
//! Owns: one row a recording, and moves that happen from one state only.
//! Never: touches a recording's file, or forgets one whose file may still be there.

use domain::boundary::{Recordings, StoreError, Task};
use domain::id::{RecordingId, UserId};
use domain::recording::{
    Recording, RecordingChange, RecordingEnd, RecordingFilter, RecordingFinds, RecordingPlace,
    RecordingScan, RecordingState,
};
use domain::service::SinkMedium;
use domain::time::UnixMillis;
use sqlx::any::{AnyQueryResult, AnyRow};
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::database::Database;
use crate::failure::{refused, unavailable};
use crate::narrowing::Narrowing;

/// Most rows of one answer. A page shows fewer; a caller that asks for more gets this many.
const RECORDINGS_MAX: u32 = 1_000;
/// Most running ones of a node: a node has no more calls.
const RUNNING_MAX: i64 = 20_000;

const COLUMNS: &str = "id, medium, call_id, service_id, agent, node, began_at, key_id, keep_until, \
     state, ended_at, samples, bytes, final_segment, scanned_at, masked_keys, paused_samples, \
     unprotected_keys";

/// Writes what is to be written. Rows of recordings have no revision: 0.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    change: &RecordingChange,
) -> Result<i64, StoreError> {
    let written = match change {
        RecordingChange::Insert(recording) => insert(connection, recording).await,
        RecordingChange::End { id, end } => finish(connection, id, end).await,
        RecordingChange::Scan { id, scan } => keep_scan(connection, id, scan).await,
        RecordingChange::Redact { id, end, key_id } => {
            keep_redaction(connection, id, end, key_id).await
        }
        RecordingChange::Rekey { id, key_id } => rekey(connection, id, key_id).await,
        RecordingChange::BeginDeletion(id) => {
            let statement =
                "UPDATE recordings SET state = 'deleting' WHERE id = $1 AND state = 'ended'";
            must_be_one(connection, statement, id).await
        }
        RecordingChange::Delete(id) => {
            let statement = "DELETE FROM recordings WHERE id = $1 AND state = 'deleting'";
            must_be_one(connection, statement, id).await
        }
    };
    written.map(|()| 0)
}

async fn insert(connection: &mut AnyConnection, recording: &Recording) -> Result<(), StoreError> {
    if recording.state != RecordingState::Running {
        return Err(StoreError::Conflict);
    }
    sqlx::query(
        "INSERT INTO recordings \
         (id, medium, call_id, service_id, agent, node, began_at, key_id, keep_until, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'running')",
    )
    .bind(recording.id.as_str())
    .bind(recording.medium.name())
    .bind(recording.call.as_str())
    .bind(recording.service.as_str())
    .bind(recording.agent.as_ref().map(UserId::as_str))
    .bind(&recording.node)
    .bind(recording.began.0)
    .bind(&recording.key_id)
    .bind(recording.keep_until.0)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

async fn finish(
    connection: &mut AnyConnection,
    id: &RecordingId,
    end: &RecordingEnd,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE recordings SET state = 'ended', ended_at = $1, samples = $2, bytes = $3, \
         final_segment = $4 WHERE id = $5 AND state = 'running'",
    )
    .bind(end.at.0)
    .bind(kept(end.samples)?)
    .bind(kept(end.bytes)?)
    .bind(end.final_segment.map(i64::from))
    .bind(id.as_str())
    .execute(connection)
    .await
    .map_err(refused)?;
    one(&done)
}

async fn keep_redaction(
    connection: &mut AnyConnection,
    id: &RecordingId,
    end: &RecordingEnd,
    key_id: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE recordings SET samples = $1, bytes = $2, final_segment = $3, key_id = $4 \
         WHERE id = $5 AND state = 'ended'",
    )
    .bind(kept(end.samples)?)
    .bind(kept(end.bytes)?)
    .bind(end.final_segment.map(i64::from))
    .bind(key_id)
    .bind(id.as_str())
    .execute(connection)
    .await
    .map_err(refused)?;
    one(&done)
}

async fn keep_scan(
    connection: &mut AnyConnection,
    id: &RecordingId,
    scan: &RecordingScan,
) -> Result<(), StoreError> {
    let finds = &scan.finds;
    let done = sqlx::query(
        "UPDATE recordings SET scanned_at = $1, masked_keys = $2, paused_samples = $3, \
         unprotected_keys = $4 WHERE id = $5 AND state = 'ended'",
    )
    .bind(scan.at.0)
    .bind(i64::from(finds.masked_keys))
    .bind(kept(finds.paused_samples)?)
    .bind(i64::from(finds.unprotected_keys))
    .bind(id.as_str())
    .execute(connection)
    .await
    .map_err(refused)?;
    one(&done)
}

async fn rekey(
    connection: &mut AnyConnection,
    id: &RecordingId,
    key_id: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE recordings SET key_id = $1 WHERE id = $2 AND state IN ('running', 'ended')",
    )
    .bind(key_id)
    .bind(id.as_str())
    .execute(connection)
    .await
    .map_err(refused)?;
    one(&done)
}

async fn must_be_one(
    connection: &mut AnyConnection,
    statement: &'static str,
    id: &RecordingId,
) -> Result<(), StoreError> {
    let done = sqlx::query(statement)
        .bind(id.as_str())
        .execute(connection)
        .await
        .map_err(refused)?;
    one(&done)
}

fn kept(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| corrupt(&error))
}

/// A move that found its row in the state that it needs.
fn one(done: &AnyQueryResult) -> Result<(), StoreError> {
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

fn narrowed(filter: &RecordingFilter) -> Narrowing {
    let mut narrowing = Narrowing::default();
    narrowing.and("state <> 'deleting'");
    if let Some(medium) = filter.medium {
        narrowing.must("medium =", medium.name());
    }
    if let Some(call) = &filter.call {
        narrowing.must("call_id =", call.as_str());
    }
    if let Some(service) = &filter.service {
        narrowing.must("service_id =", service.as_str());
    }
    if let Some(agent) = &filter.agent {
        narrowing.must("agent =", agent.as_str());
    }
    if let Some(from) = filter.from {
        narrowing.must("began_at >=", from.0);
    }
    if let Some(until) = filter.until {
        narrowing.must("began_at <", until.0);
    }
    narrowing
}

impl Database {
    async fn recordings_where(
        &self,
        narrowing: Narrowing,
        rest: &str,
    ) -> Result<Vec<Recording>, StoreError> {
        let clause = narrowing.clause();
        let statement = format!("SELECT {COLUMNS} FROM recordings{clause} {rest}");
        let query = narrowing.query(statement);
        let rows = query.fetch_all(self.readers()).await.map_err(unavailable)?;
        rows.iter().map(from_row).collect()
    }
}

impl Recordings for Database {
    fn recording<'a>(
        &'a self,
        id: &'a RecordingId,
    ) -> Task<'a, Result<Option<Recording>, StoreError>> {
        Box::pin(async move {
            let statement = format!("SELECT {COLUMNS} FROM recordings WHERE id = $1");
            let row = sqlx::query(AssertSqlSafe(statement))
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn recordings<'a>(
        &'a self,
        filter: &'a RecordingFilter,
        after: Option<&'a RecordingPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = narrowed(filter);
            if let Some(place) = after {
                let began = narrowing.value(place.began.0);
                let id = narrowing.value(place.id.as_str());
                narrowing.and(format!("(began_at, id) < ({began}, {id})"));
            }
            let limit = narrowing.value(i64::from(limit.min(RECORDINGS_MAX)));
            let rest = format!("ORDER BY began_at DESC, id DESC LIMIT {limit}");
            self.recordings_where(narrowing, &rest).await
        })
    }

    fn running_recordings<'a>(
        &'a self,
        node: &'a str,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = Narrowing::default();
            narrowing.must("node =", node);
            narrowing.and("state = 'running'");
            let limit = narrowing.value(RUNNING_MAX);
            let rest = format!("ORDER BY began_at, id LIMIT {limit}");
            self.recordings_where(narrowing, &rest).await
        })
    }

    fn recordings_unscanned<'a>(
        &'a self,
        node: &'a str,
        after: Option<&'a RecordingPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = Narrowing::default();
            narrowing.must("node =", node);
            narrowing.and("medium = 'call' AND state = 'ended' AND scanned_at IS NULL");
            if let Some(place) = after {
                let began = narrowing.value(place.began.0);
                let id = narrowing.value(place.id.as_str());
                narrowing.and(format!("(began_at, id) > ({began}, {id})"));
            }
            let limit = narrowing.value(i64::from(limit.min(RECORDINGS_MAX)));
            let rest = format!("ORDER BY began_at, id LIMIT {limit}");
            self.recordings_where(narrowing, &rest).await
        })
    }

    fn recordings_due<'a>(
        &'a self,
        node: &'a str,
        at: UnixMillis,
        limit: u32,
    ) -> Task<'a, Result<Vec<Recording>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = Narrowing::default();
            narrowing.must("node =", node);
            let at = narrowing.value(at.0);
            narrowing.and(format!(
                "(state = 'deleting' OR (state = 'ended' AND keep_until <= {at}))"
            ));
            let limit = narrowing.value(i64::from(limit.min(RECORDINGS_MAX)));
            let rest = format!("ORDER BY keep_until, id LIMIT {limit}");
            self.recordings_where(narrowing, &rest).await
        })
    }
}

fn from_row(row: &AnyRow) -> Result<Recording, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    let number = |column| row.try_get::<i64, _>(column).map_err(unavailable);
    let agent: Option<String> = row.try_get("agent").map_err(unavailable)?;
    let agent = agent.map(|agent| agent.parse().map_err(|e| corrupt(&e)));
    Ok(Recording {
        id: text("id")?.parse().map_err(|e| corrupt(&e))?,
        medium: match text("medium")?.as_str() {
            "call" => SinkMedium::Call,
            "screen" => SinkMedium::Screen,
            other => return Err(corrupt(&format!("it is of no known medium ({other})"))),
        },
        call: text("call_id")?.parse().map_err(|e| corrupt(&e))?,
        service: text("service_id")?.parse().map_err(|e| corrupt(&e))?,
        agent: agent.transpose()?,
        node: text("node")?,
        began: UnixMillis(number("began_at")?),
        key_id: text("key_id")?,
        keep_until: UnixMillis(number("keep_until")?),
        state: match text("state")?.as_str() {
            "running" => RecordingState::Running,
            "ended" => RecordingState::Ended(end_from_row(row)?),
            "deleting" => RecordingState::Deleting(end_from_row(row)?),
            other => return Err(corrupt(&format!("it is in no known state ({other})"))),
        },
        scan: scan_from_row(row)?,
    })
}

fn scan_from_row(row: &AnyRow) -> Result<Option<RecordingScan>, StoreError> {
    let Some(at) = row.try_get("scanned_at").map_err(unavailable)? else {
        return Ok(None);
    };
    let number = |column| row.try_get::<i64, _>(column).map_err(unavailable);
    let keys = |column| u32::try_from(number(column)?).map_err(|e| corrupt(&e));
    Ok(Some(RecordingScan {
        at: UnixMillis(at),
        finds: RecordingFinds {
            masked_keys: keys("masked_keys")?,
            paused_samples: u64::try_from(number("paused_samples")?).map_err(|e| corrupt(&e))?,
            unprotected_keys: keys("unprotected_keys")?,
        },
    }))
}

fn end_from_row(row: &AnyRow) -> Result<RecordingEnd, StoreError> {
    let number = |column| row.try_get::<i64, _>(column).map_err(unavailable);
    let count = |column| u64::try_from(number(column)?).map_err(|e| corrupt(&e));
    let last: Option<i64> = row.try_get("final_segment").map_err(unavailable)?;
    let last = last.map(|number| u32::try_from(number).map_err(|e| corrupt(&e)));
    Ok(RecordingEnd {
        at: UnixMillis(number("ended_at")?),
        samples: count("samples")?,
        bytes: count("bytes")?,
        final_segment: last.transpose()?,
    })
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: "recording",
        why: why.to_string(),
    }
}
