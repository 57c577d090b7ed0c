//! Which recorders have to be let go on, also by the next life of this server.
//! Owns: one small file in the data folder, written whole and synced before a pause is asked for.
//! Never: holds what was keyed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::id::{CallId, SinkId};
use gateway::HookCall;
use serde::{Deserialize, Serialize};

use super::{Control, Place};

/// Its name in the data folder.
const NAME: &str = "paused-recorders.json";

/// A recorder that was asked to pause.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) call: CallId,
    pub(super) sink: SinkId,
    /// Name in the server's file.
    pub(super) control: String,
    /// How the recorder knows the call.
    pub(super) facts: HookCall,
}

impl Entry {
    /// Whose hold it is.
    pub(super) fn place(&self, control: &Control) -> Place {
        Place {
            call: self.call.clone(),
            sink: self.sink.clone(),
            tape: control.reach.asks_about(&self.facts),
        }
    }
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("{} cannot be read", path.display())]
    ConfigRead {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is damaged: see that no recorder is paused, then remove it", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

/// The file, and what stands in it.
pub(super) struct Journal {
    path: PathBuf,
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl Journal {
    /// Opens that of a data folder, with what an earlier life left.
    pub(super) fn open(data: &Path) -> Result<(Self, Vec<Entry>), JournalError> {
        let path = data.join(NAME);
        let left: Vec<Entry> = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| JournalError::Damaged {
                    path: path.clone(),
                    source,
                })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(JournalError::ConfigRead { path, source }),
        };
        let entries = left.iter().map(|entry| (key(entry), entry.clone()));
        let entries = Mutex::new(entries.collect());
        Ok((Self { path, entries }, left))
    }

    /// Waits until it is on disk.
    pub(super) fn note(&self, entry: Entry) -> io::Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(&entry);
        entries.insert(key.clone(), entry);
        let written = self.write(&entries);
        if written.is_err() {
            entries.remove(&key);
        }
        written
    }

    /// It records again.
    pub(super) fn forget(&self, entry: &Entry) -> io::Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&key(entry));
        self.write(&entries)
    }

    fn write(&self, entries: &BTreeMap<String, Entry>) -> io::Result<()> {
        let rows: Vec<&Entry> = entries.values().collect();
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&rows)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// A transfer changes leg and agent: what was paused before it is a row of its own.
fn key(entry: &Entry) -> String {
    let HookCall {
        agent_call_id,
        agent,
        ..
    } = &entry.facts;
    format!("{} {} {agent_call_id} {agent}", entry.call, entry.sink)
}
