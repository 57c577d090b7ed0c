//! What the sandbox charged.
//! Owns: one line of JSON per row, on disk before the answer leaves.
//! Never: holds more of a number than its last four digits.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// Money moved.
    Charged,
    /// None did.
    Declined,
    /// A charge was undone.
    Voided,
    /// Money of a charge went back.
    Refunded,
    /// A card or an account is kept for a plan: no money moved.
    Stored,
    /// A plan was set up: no money moved yet.
    Scheduled,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What became of it.
    pub status: RowStatus,
    /// Our number for what was to be voided, refunded or followed by a plan; empty: this is a charge, or something stored.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// The parameter `reference`; of what follows a charge the charge's.
    pub reference: String,
    /// The parameter `attempt`, if a mapping sends it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub attempt: String,
    /// As it was sent: "120.50".
    pub amount: String,
    /// As it was sent: "USD".
    pub currency: String,
    /// "card" or "check".
    pub kind: String,
    /// Of the card or account number.
    pub last_four: String,
    /// Our number for it.
    pub auth_code: String,
}

impl LedgerRow {
    /// Now, for [`LedgerRow::at_ms`].
    pub(super) fn now_ms() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }
}

/// The file. Rows are only ever added.
pub(super) struct Ledger {
    path: PathBuf,
    open: Arc<Mutex<Open>>,
}

struct Open {
    file: File,
    rows: u64,
}

impl Ledger {
    /// Opens the file, or makes it. Rows of earlier runs stay.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        if std::fs::read(path)?
            .last()
            .is_some_and(|&last| last != b'\n')
        {
            // A crash cut the last line; the next row begins on one of its own.
            file.write_all(b"\n")?;
        }
        let mut ledger = Self {
            path: path.to_owned(),
            open: Arc::new(Mutex::new(Open { file, rows: 0 })),
        };
        let rows = u64::try_from(ledger.rows()?.len()).unwrap_or(u64::MAX);
        if let Some(open) = Arc::get_mut(&mut ledger.open) {
            open.get_mut().unwrap_or_else(PoisonError::into_inner).rows = rows;
        }
        Ok(ledger)
    }

    /// Adds a row, gives it its number, and returns once it is on disk.
    pub(super) async fn append(&self, mut row: LedgerRow) -> io::Result<LedgerRow> {
        let open = Arc::clone(&self.open);
        let written = tokio::task::spawn_blocking(move || {
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            open.rows += 1;
            row.auth_code = format!("A{:05}", open.rows);
            let mut line = serde_json::to_vec(&row)?;
            line.push(b'\n');
            open.file.write_all(&line)?;
            open.file.sync_data()?;
            Ok(row)
        });
        written.await.map_err(io::Error::other)?
    }

    /// All rows, oldest first. A line cut by a crash is passed over.
    pub(super) fn rows(&self) -> io::Result<Vec<LedgerRow>> {
        let text = std::fs::read_to_string(&self.path)?;
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }
}
