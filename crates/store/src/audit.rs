//! The audit trail.
//! Owns: one chain of hashes per node and epoch, its links and their verification.
//! Never: changes or deletes an entry.
//!
//! An entry is kept as canonical JSON: `{"action","actor","address","at","chain","detail","object","seq","v"}`, keys sorted, no
//! spaces. Its hash is SHA-256 over the previous hash in hex and that text. A chain's first entry follows the chain's anchor:
//! the hash of the last entry of the node's chain before it. So an edit, a loss and a change of order break the chain at the
//! first entry that does not fit.

use std::ops::Range;

use domain::audit::{AuditEntry, ChainedDocument, ChainedEntry, TrailFilter};
use domain::boundary::{AuditTrail, StoreError, Task};
use domain::time::UnixMillis;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::connector::{Dialect, run};
use crate::database::Database;
use crate::failure::{refused, unavailable};
use crate::key::hex;
use crate::narrowing::Narrowing;

/// Most entries of one answer. A page shows fewer; a caller that asks for more gets this many.
const ENTRIES_MAX: u32 = 1_000;
/// Entries that verifying holds in memory at a time.
const VERIFY_PAGE: i64 = 500;
/// Tries to get an epoch of our own while other processes with the same node name start. Then opening fails.
const EPOCH_TRIES_MAX: usize = 5;
/// Entries with what proves them, for [`document_from`].
const PROVABLE: &str = "SELECT entry.position, entry.chain, entry.seq, entry.document, entry.hash, \
     COALESCE(before.hash, chain.anchor) AS previous \
     FROM audit_entries AS entry \
     JOIN audit_chains AS chain ON chain.chain = entry.chain \
     LEFT JOIN audit_entries AS before \
     ON before.chain = entry.chain AND before.seq = entry.seq - 1";
/// Version of an entry's JSON.
const VERSION: i64 = 1;

/// The last link of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    seq: i64,
    hash: String,
}

impl Head {
    /// What the first chain of a node follows.
    fn nothing() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(64),
        }
    }
}

/// Opens a new chain for a node, anchored in the one before it; its epoch.
pub(crate) async fn open_chain(
    connection: &mut AnyConnection,
    dialect: Dialect,
    node: &str,
    now: i64,
) -> Result<i64, StoreError> {
    for _ in 0..EPOCH_TRIES_MAX {
        run(connection, dialect.begin_write())
            .await
            .map_err(unavailable)?;
        match insert_chain(connection, node, now).await {
            Ok(epoch) => {
                run(connection, "COMMIT").await.map_err(unavailable)?;
                return Ok(epoch);
            }
            // Another process of this node took the epoch.
            Err(StoreError::Taken(_)) => run(connection, "ROLLBACK").await.map_err(unavailable)?,
            Err(error) => return Err(error),
        }
    }
    Err(unavailable("other processes take the epochs of this node"))
}

async fn insert_chain(
    connection: &mut AnyConnection,
    node: &str,
    now: i64,
) -> Result<i64, StoreError> {
    let last = sqlx::query(
        "SELECT epoch, seq, hash FROM audit_chains WHERE node = $1 ORDER BY epoch DESC LIMIT 1",
    )
    .bind(node)
    .fetch_optional(&mut *connection)
    .await
    .map_err(unavailable)?;
    let (epoch, anchor) = match last {
        Some(row) => {
            let epoch: i64 = row.try_get(0).map_err(unavailable)?;
            (epoch + 1, head_from(&row, 1)?)
        }
        None => (1, Head::nothing()),
    };
    sqlx::query(
        "INSERT INTO audit_chains (chain, node, epoch, opened_at, anchor_seq, anchor, seq, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $6)",
    )
    .bind(format!("{node}/{epoch}"))
    .bind(node)
    .bind(epoch)
    .bind(now)
    .bind(anchor.seq)
    .bind(&anchor.hash)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(epoch)
}

/// The head of a chain as committed. Waits for a transaction that is changing it.
pub(crate) async fn load_head(
    connection: &mut AnyConnection,
    dialect: Dialect,
    chain: &str,
) -> Result<Head, StoreError> {
    let statement = format!(
        "SELECT seq, hash FROM audit_chains WHERE chain = $1{}",
        dialect.row_lock()
    );
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(chain)
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?
        .ok_or_else(|| corrupt(&format!("chain {chain} is gone")))?;
    head_from(&row, 0)
}

/// Records a chain's new head, once a transaction.
pub(crate) async fn store_head(
    connection: &mut AnyConnection,
    chain: &str,
    head: &Head,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE audit_chains SET seq = $1, hash = $2 WHERE chain = $3")
        .bind(head.seq)
        .bind(&head.hash)
        .bind(chain)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// An entry in its place in a chain, not written yet.
pub(crate) struct Linked {
    seq: i64,
    document: String,
    hash: String,
    copies: Copies,
}

impl Linked {
    /// Puts an entry behind a chain's head, which moves on to it.
    pub(crate) fn behind(
        head: &mut Head,
        chain: &str,
        entry: &AuditEntry,
    ) -> Result<Self, StoreError> {
        let seq = head.seq + 1;
        let document = canonical(chain, seq, entry)?;
        let hash = link(&head.hash, &document);
        *head = Head {
            seq,
            hash: hash.clone(),
        };
        Ok(Self {
            seq,
            document,
            hash,
            copies: Copies::of(entry),
        })
    }
}

/// Writes entries of a chain, as many rows a statement as the largest power of two that is left: few texts, so that the database keeps them prepared.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    chain: &str,
    mut entries: &[Linked],
) -> Result<(), StoreError> {
    while let Some(rows) = entries.len().checked_ilog2().map(|log| 1 << log) {
        let (now, later) = entries.split_at(rows);
        entries = later;
        let statement = format!(
            "INSERT INTO audit_entries (chain, seq, document, hash, at, actor, action, object) \
             VALUES {}",
            places(rows)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for entry in now {
            query = query
                .bind(chain)
                .bind(entry.seq)
                .bind(&entry.document)
                .bind(&entry.hash)
                .bind(entry.copies.at)
                .bind(&entry.copies.actor)
                .bind(&entry.copies.action)
                .bind(&entry.copies.object);
        }
        query.execute(&mut *connection).await.map_err(refused)?;
    }
    Ok(())
}

/// `($1, .. $8), ($9, .. $16)` and so on.
fn places(rows: usize) -> String {
    const COLUMNS: usize = 8;
    let row = |row: usize| {
        let places: Vec<String> = (1..=COLUMNS)
            .map(|column| format!("${}", row * COLUMNS + column))
            .collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn head_from(row: &AnyRow, from: usize) -> Result<Head, StoreError> {
    Ok(Head {
        seq: row.try_get(from).map_err(unavailable)?,
        hash: row.try_get(from + 1).map_err(unavailable)?,
    })
}

fn link(previous: &str, document: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(document);
    hex(&hash.finalize())
}

fn canonical(chain: &str, seq: i64, entry: &AuditEntry) -> Result<String, StoreError> {
    let Value::Object(mut fields) = serde_json::to_value(entry).map_err(|error| corrupt(&error))?
    else {
        return Err(corrupt(&"an entry is no object"));
    };
    fields.insert("chain".to_owned(), chain.into());
    fields.insert("seq".to_owned(), seq.into());
    fields.insert("v".to_owned(), VERSION.into());
    Ok(sorted(Value::Object(fields)).to_string())
}

/// The same with all keys in the order of their bytes.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut pairs: Vec<(String, Value)> = fields.into_iter().collect();
            pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn corrupt(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt {
        what: "audit trail",
        why: why.to_string(),
    }
}

/// What readers look for, beside the document that says the same.
#[derive(Debug, PartialEq, Eq)]
struct Copies {
    at: i64,
    actor: String,
    action: String,
    object: String,
}

impl Copies {
    fn of(entry: &AuditEntry) -> Self {
        // PostgreSQL keeps no NUL in text.
        let kept = |text: &str| text.replace('\0', "\u{fffd}");
        Self {
            at: entry.at.0,
            actor: kept(&entry.actor),
            action: entry.action.name(),
            object: kept(&entry.object),
        }
    }

    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            at: row.try_get("at").map_err(unavailable)?,
            actor: row.try_get("actor").map_err(unavailable)?,
            action: row.try_get("action").map_err(unavailable)?,
            object: row.try_get("object").map_err(unavailable)?,
        })
    }
}

/// An entry as its row has it.
struct Kept {
    position: i64,
    chain: String,
    seq: i64,
    document: String,
    hash: String,
    copies: Copies,
}

const COLUMNS: &str = "position, chain, seq, document, hash, at, actor, action, object";

/// What of an entry's JSON is not the entry.
#[derive(Deserialize)]
struct Place {
    chain: String,
    seq: i64,
    v: i64,
}

impl Kept {
    fn from_row(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            position: row.try_get(0).map_err(unavailable)?,
            chain: row.try_get(1).map_err(unavailable)?,
            seq: row.try_get(2).map_err(unavailable)?,
            document: row.try_get(3).map_err(unavailable)?,
            hash: row.try_get(4).map_err(unavailable)?,
            copies: Copies::from_row(row)?,
        })
    }

    fn fits(&self, chain: &str, previous: &Head, last_position: i64) -> bool {
        let place: Option<Place> = serde_json::from_str(&self.document).ok();
        self.seq == previous.seq + 1
            && self.position > last_position
            && self.hash == link(&previous.hash, &self.document)
            && place.is_some_and(|place| {
                (place.chain.as_str(), place.seq, place.v) == (chain, self.seq, VERSION)
            })
            && self.is_found_as_written()
    }

    /// A row whose copies say something else than its document would be hidden from whoever looks for it.
    fn is_found_as_written(&self) -> bool {
        let entry: Option<AuditEntry> = serde_json::from_str(&self.document).ok();
        entry.is_some_and(|entry| Copies::of(&entry) == self.copies)
    }

    fn entry(self) -> Result<ChainedEntry, StoreError> {
        let entry = serde_json::from_str(&self.document)
            .map_err(|error| corrupt(&format!("entry {} of {}: {error}", self.seq, self.chain)))?;
        Ok(ChainedEntry {
            position: self.position,
            seq: self.seq,
            chain: self.chain,
            entry,
            hash: self.hash,
        })
    }
}

/// A chain as its row has it.
struct Chain {
    chain: String,
    node: String,
    epoch: i64,
    anchor: Head,
    head: Head,
}

impl Chain {
    async fn all(connection: &mut AnyConnection) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query(
            "SELECT chain, node, epoch, anchor_seq, anchor, seq, hash FROM audit_chains \
             ORDER BY node, epoch",
        )
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
        rows.iter()
            .map(|row| {
                Ok(Self {
                    chain: row.try_get(0).map_err(unavailable)?,
                    node: row.try_get(1).map_err(unavailable)?,
                    epoch: row.try_get(2).map_err(unavailable)?,
                    anchor: head_from(row, 3)?,
                    head: head_from(row, 5)?,
                })
            })
            .collect()
    }

    /// Whether it follows the chain before it, if that is the same node's, or begins a node. The older process of a node may
    /// write on for a while after its successor has started, so the anchor may lie before the older chain's end.
    async fn is_anchored(
        &self,
        connection: &mut AnyConnection,
        before: Option<&Self>,
    ) -> Result<bool, StoreError> {
        let Some(before) = before.filter(|before| before.node == self.node) else {
            return Ok(self.epoch == 1 && self.anchor == Head::nothing());
        };
        if self.epoch != before.epoch + 1 {
            return Ok(false);
        }
        if self.anchor.seq == 0 {
            return Ok(self.anchor.hash == before.anchor.hash);
        }
        let hash: Option<String> =
            sqlx::query_scalar("SELECT hash FROM audit_entries WHERE chain = $1 AND seq = $2")
                .bind(&before.chain)
                .bind(self.anchor.seq)
                .fetch_optional(connection)
                .await
                .map_err(unavailable)?;
        Ok(hash.as_ref() == Some(&self.anchor.hash))
    }

    /// The first entry that does not fit.
    async fn broken(
        &self,
        connection: &mut AnyConnection,
        anchored: bool,
    ) -> Result<Option<ChainedEntry>, StoreError> {
        let mut last: Option<Kept> = None;
        let mut head = Head {
            seq: 0,
            hash: self.anchor.hash.clone(),
        };
        loop {
            let page = self.page(connection, head.seq).await?;
            if page.is_empty() {
                break;
            }
            for kept in page {
                let position = last.as_ref().map_or(0, |last| last.position);
                if !anchored || !kept.fits(&self.chain, &head, position) {
                    return kept.entry().map(Some);
                }
                head = Head {
                    seq: kept.seq,
                    hash: kept.hash.clone(),
                };
                last = Some(kept);
            }
        }
        match last {
            _ if anchored && head == self.head => Ok(None),
            // Entries are missing at the end: the last one there is not the last one written.
            Some(last) => last.entry().map(Some),
            None => Err(corrupt(&format!(
                "chain {} has lost its entries or does not follow the one before it",
                self.chain
            ))),
        }
    }

    async fn page(
        &self,
        connection: &mut AnyConnection,
        after: i64,
    ) -> Result<Vec<Kept>, StoreError> {
        let statement = format!(
            "SELECT {COLUMNS} FROM audit_entries WHERE chain = $1 AND seq > $2 \
             ORDER BY seq LIMIT $3"
        );
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(&self.chain)
            .bind(after)
            .bind(VERIFY_PAGE)
            .fetch_all(connection)
            .await
            .map_err(unavailable)?;
        rows.iter().map(Kept::from_row).collect()
    }
}

async fn verify_all(connection: &mut AnyConnection) -> Result<Option<ChainedEntry>, StoreError> {
    let chains = Chain::all(connection).await?;
    let mut before: Option<&Chain> = None;
    for chain in &chains {
        let anchored = chain.is_anchored(connection, before).await?;
        let broken = chain.broken(connection, anchored).await?;
        if broken.is_some() {
            return Ok(broken);
        }
        before = Some(chain);
    }
    Ok(None)
}

/// What a filter asks for, as conditions.
fn narrowed(filter: &TrailFilter) -> Narrowing {
    let mut narrowing = Narrowing::default();
    if let Some(actor) = &filter.actor {
        narrowing.must("actor =", actor.as_str());
    }
    if let Some(action) = filter.action {
        narrowing.must("action =", action.name().as_str());
    }
    if let Some(object) = &filter.object {
        let begins = narrowing.begins("object", object);
        narrowing.and(begins);
    }
    if let Some(from) = filter.from {
        narrowing.must("at >=", from.0);
    }
    if let Some(until) = filter.until {
        narrowing.must("at <", until.0);
    }
    narrowing
}

/// Entries in the order of their positions.
async fn read(
    database: &Database,
    mut narrowing: Narrowing,
    order: &'static str,
    limit: u32,
) -> Result<Vec<ChainedEntry>, StoreError> {
    let limit = narrowing.value(i64::from(limit.min(ENTRIES_MAX)));
    let statement = format!(
        "SELECT {COLUMNS} FROM audit_entries{} ORDER BY position {order} LIMIT {limit}",
        narrowing.clause()
    );
    let query = narrowing.query(statement);
    let rows = query.fetch_all(database.readers()).await;
    rows.map_err(unavailable)?
        .iter()
        .map(|row| Kept::from_row(row)?.entry())
        .collect()
}

fn document_from(row: &AnyRow) -> Result<ChainedDocument, StoreError> {
    let text = |column| row.try_get::<String, _>(column).map_err(unavailable);
    Ok(ChainedDocument {
        position: row.try_get("position").map_err(unavailable)?,
        chain: text("chain")?,
        seq: row.try_get("seq").map_err(unavailable)?,
        previous: text("previous")?,
        document: text("document")?,
        hash: text("hash")?,
    })
}

impl AuditTrail for Database {
    fn entries<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: i64,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = narrowed(filter);
            if before > 0 {
                narrowing.must("position <", before);
            }
            read(self, narrowing, "DESC", limit).await
        })
    }

    fn documents(
        &self,
        at: Range<UnixMillis>,
        after: i64,
        limit: u32,
    ) -> Task<'_, Result<Vec<ChainedDocument>, StoreError>> {
        Box::pin(async move {
            let statement = format!(
                "{PROVABLE} WHERE entry.position > $1 AND entry.at >= $2 AND entry.at < $3 \
                 ORDER BY entry.position LIMIT $4"
            );
            let rows = sqlx::query(AssertSqlSafe(statement))
                .bind(after)
                .bind(at.start.0)
                .bind(at.end.0)
                .bind(i64::from(limit.min(ENTRIES_MAX)))
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(document_from).collect()
        })
    }

    fn about<'a>(
        &'a self,
        objects: &'a [String],
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>> {
        Box::pin(async move {
            let mut narrowing = Narrowing::default();
            let places: Vec<String> = objects
                .iter()
                .map(|object| narrowing.value(object.as_str()))
                .collect();
            narrowing.and(format!("object IN ({})", places.join(", ")));
            read(self, narrowing, "ASC", limit).await
        })
    }

    fn documents_about<'a>(
        &'a self,
        object: &'a str,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedDocument>, StoreError>> {
        Box::pin(async move {
            let statement =
                format!("{PROVABLE} WHERE entry.object = $1 ORDER BY entry.position LIMIT $2");
            let rows = sqlx::query(AssertSqlSafe(statement))
                .bind(object)
                .bind(i64::from(limit.min(ENTRIES_MAX)))
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(document_from).collect()
        })
    }

    fn verify(&self) -> Task<'_, Result<Option<ChainedEntry>, StoreError>> {
        Box::pin(async move {
            let mut snapshot = self.snapshot().await?;
            let verified = verify_all(&mut snapshot).await;
            snapshot.rollback().await.map_err(unavailable)?;
            verified
        })
    }
}
