//! Hosts that a second person approved (SETTLED S4).
//! Owns: their rows, beside every document, so that neither import nor restore carries one.
//! Never: decides who may approve; that is the domain's.

use domain::boundary::StoreError;
use domain::gateway::approval::HostApproval;
use domain::time::UnixMillis;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, Row};

use crate::failure::{refused, unavailable};

/// Keeps an approval of a host that has none.
pub(crate) async fn insert(
    connection: &mut AnyConnection,
    approval: &HostApproval,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "INSERT INTO approved_hosts (authority, reason, approved_by, approved_by_name, approved_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (authority) DO NOTHING",
    )
    .bind(&approval.authority)
    .bind(approval.reason.replace('\0', " "))
    .bind(approval.by.as_str())
    .bind(&approval.by_name)
    .bind(approval.at.0)
    .execute(connection)
    .await
    .map_err(refused)?;
    must_be_one(done.rows_affected())
}

/// Takes one back.
pub(crate) async fn remove(
    connection: &mut AnyConnection,
    authority: &str,
) -> Result<(), StoreError> {
    let done = sqlx::query("DELETE FROM approved_hosts WHERE authority = $1")
        .bind(authority)
        .execute(connection)
        .await
        .map_err(refused)?;
    must_be_one(done.rows_affected())
}

fn must_be_one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict)
    }
}

/// All of them, by authority.
pub(crate) async fn load(readers: &AnyPool) -> Result<Vec<HostApproval>, StoreError> {
    let rows = sqlx::query(
        "SELECT authority, reason, approved_by, approved_by_name, approved_at \
         FROM approved_hosts ORDER BY authority",
    )
    .fetch_all(readers)
    .await
    .map_err(unavailable)?;
    rows.iter().map(from_row).collect()
}

fn from_row(row: &AnyRow) -> Result<HostApproval, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    Ok(HostApproval {
        authority: text("authority")?,
        reason: text("reason")?,
        by: text("approved_by")?
            .parse()
            .map_err(|error: domain::id::InvalidId| StoreError::Corrupt {
                what: "host approval",
                why: error.to_string(),
            })?,
        by_name: text("approved_by_name")?,
        at: UnixMillis(row.try_get("approved_at").map_err(unavailable)?),
    })
}
