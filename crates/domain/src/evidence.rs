//! The evidence of a capture: its entries of the audit trail, as a reader elsewhere can prove them.
//! Owns: what a file says, and whether its entries fit together.
//! Never: signs or verifies a signature; keys are the store's.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::audit::{AuditAction, AuditEntry, ChainedDocument};
use crate::boundary::EgressSeen;
use crate::id::CaptureId;
use crate::recording::RecordingFinds;
use crate::time::UnixMillis;

/// Most entries of one capture. A capture of ten attempts at each field has about a hundred.
pub const ENTRIES_MAX: u32 = 1_000;
/// Version of what is signed.
const VERSION: u32 = 1;

/// What is signed of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    v: u32,
    /// Which capture.
    pub capture: CaptureId,
    /// When the file was made.
    pub exported_at: UnixMillis,
    /// Login name of who made it.
    pub exported_by: String,
    /// The capture's entries, the oldest first.
    pub entries: Vec<ChainedDocument>,
}

/// Why a file's entries prove nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A later form of file.
    #[error("it has version {0}; this program knows version {VERSION}")]
    Version(u32),
    /// Without its first entry nobody knows what followed.
    #[error("it does not begin with the opening of the capture")]
    Beginning,
    /// Changed, or never one.
    #[error("entry {seq} of {chain} is not what its hash was made of")]
    Hash {
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
    },
    /// Not an entry of the trail.
    #[error("entry {seq} of {chain} cannot be read: {why}")]
    Unreadable {
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
        /// The reader's words.
        why: String,
    },
    /// Another number, chain or capture than it says itself.
    #[error("entry {seq} of {chain} is another one")]
    Foreign {
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
    },
    /// Not behind the one before it.
    #[error("entry {seq} of {chain} does not follow the one before it")]
    Order {
        /// Its chain.
        chain: String,
        /// Its number.
        seq: i64,
    },
}

/// An entry that was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Place in its chain.
    pub seq: i64,
    /// Its chain.
    pub chain: String,
    /// The entry.
    pub entry: AuditEntry,
}

/// The canonical JSON of an entry.
#[derive(Deserialize)]
struct Document {
    chain: String,
    seq: i64,
    #[serde(flatten)]
    entry: AuditEntry,
}

impl Evidence {
    /// Of a capture's entries as they are in the trail, the oldest first.
    #[must_use]
    pub fn new(
        capture: CaptureId,
        entries: Vec<ChainedDocument>,
        exported_by: &str,
        now: UnixMillis,
    ) -> Self {
        Self {
            v: VERSION,
            capture,
            exported_at: now,
            exported_by: exported_by.to_owned(),
            entries,
        }
    }

    /// The name of a capture's entries in the trail.
    #[must_use]
    pub fn object(capture: &CaptureId) -> String {
        format!("capture {capture}")
    }

    /// Whether the capture has ended, and all that it had protected was let go.
    #[must_use]
    pub fn is_complete(entries: &[Proven]) -> bool {
        let count = |action| {
            let is = |proven: &&Proven| proven.entry.action == action;
            entries.iter().filter(is).count()
        };
        count(AuditAction::CaptureEnded) > 0
            && count(AuditAction::CaptureReleased) >= count(AuditAction::CaptureArmed)
    }

    /// What the last look behind the mask has seen over all spans of the capture (S33); none: it was not told, by an older version, or nothing was let go yet.
    #[must_use]
    pub fn egress(entries: &[Proven]) -> Option<EgressSeen> {
        let seen = facts(entries, AuditAction::CaptureReleased, |fact| {
            Some(EgressSeen {
                checked_ms: fact("egress_checked_ms")?,
                finds: fact("egress_finds")?,
                trips: fact("egress_trips")?,
            })
        });
        seen.reduce(EgressSeen::and)
    }

    /// What scans of the call's recordings have found; none: there was none, or not yet. One of which a part was removed was scanned again: of each recording the last scan
    /// counts.
    #[must_use]
    pub fn scanned(entries: &[Proven]) -> Option<RecordingFinds> {
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let is_last = |at: usize, proven: &Proven| {
            let mut later = entries.iter().skip(at + 1);
            !later.any(|other| is_scan_of_same(proven, other))
        };
        let last = entries.iter().enumerate();
        let last = last.filter(|(at, proven)| is_last(*at, proven));
        let last: Vec<Proven> = last.map(|(_, proven)| proven.clone()).collect();
        let found = facts(&last, AuditAction::RecordingScanned, |fact| {
            Some(RecordingFinds {
                masked_keys: count(fact("masked_keys")?),
                paused_samples: fact("paused_samples")?,
                unprotected_keys: count(fact("unprotected_keys")?),
            })
        });
        found.reduce(RecordingFinds::and)
    }

    /// Proves every entry: its text by its hash, its place by what it says itself, its order by the chain where neighbours are both here.
    ///
    /// # Errors
    /// The first that does not fit.
    pub fn prove(&self) -> Result<Vec<Proven>, Flaw> {
        if self.v != VERSION {
            return Err(Flaw::Version(self.v));
        }
        let object = Self::object(&self.capture);
        let mut proven = Vec::with_capacity(self.entries.len());
        for (at, line) in self.entries.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| self.entries.get(at));
            if before.is_some_and(|before| !follows(before, line)) {
                return Err(Flaw::Order {
                    chain: line.chain.clone(),
                    seq: line.seq,
                });
            }
            proven.push(entry_of(line, &object)?);
        }
        match proven.first().map(|first| first.entry.action) {
            Some(AuditAction::CaptureOpened) => Ok(proven),
            _ => Err(Flaw::Beginning),
        }
    }
}

/// What entries of a kind say in numbers, those that do not say it passed over.
/// Both tell of a scan of the same recording.
fn is_scan_of_same(one: &Proven, other: &Proven) -> bool {
    [one, other].map(|proven| proven.entry.action) == [AuditAction::RecordingScanned; 2]
        && one.entry.detail["recording"] == other.entry.detail["recording"]
}

fn facts<T>(
    entries: &[Proven],
    action: AuditAction,
    read: impl Fn(&dyn Fn(&str) -> Option<u64>) -> Option<T>,
) -> impl Iterator<Item = T> {
    let of_it = entries
        .iter()
        .filter(move |proven| proven.entry.action == action);
    of_it.filter_map(move |proven| {
        read(&|name| proven.entry.detail.get(name).and_then(Value::as_u64))
    })
}

fn follows(before: &ChainedDocument, line: &ChainedDocument) -> bool {
    let same_chain = before.chain == line.chain;
    let is_next = same_chain && before.seq.checked_add(1) == Some(line.seq);
    before.position < line.position
        && (!same_chain || before.seq < line.seq)
        && (!is_next || before.hash == line.previous)
}

fn entry_of(line: &ChainedDocument, object: &str) -> Result<Proven, Flaw> {
    let (chain, seq) = (line.chain.clone(), line.seq);
    let mut hash = Sha256::new();
    hash.update(line.previous.as_bytes());
    hash.update(line.document.as_bytes());
    let hash: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if hash != line.hash {
        return Err(Flaw::Hash { chain, seq });
    }
    let document: Document =
        serde_json::from_str(&line.document).map_err(|error| Flaw::Unreadable {
            chain: chain.clone(),
            seq,
            why: error.to_string(),
        })?;
    if document.chain != chain || document.seq != seq || document.entry.object != object {
        return Err(Flaw::Foreign { chain, seq });
    }
    Ok(Proven {
        seq,
        chain,
        entry: document.entry,
    })
}

#[cfg(test)]
mod tests;
