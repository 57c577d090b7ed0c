//! Masked audio of a demonstration's calls, kept in memory to be judged and listened to.
//! Owns: both sides of each call, as agent and recorder were given them to hear.
//! Never: sits before the mask, or grows past its bounds.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::CallId;
use media::dtmf::inband::loose::LooseDetector;
use voice::{AudioSink, Speaker};

/// Samples kept for one side of a call: 20 minutes. Later ones are left out.
const SAMPLES_MAX: usize = 9_600_000;

/// Calls kept. The oldest is thrown away.
const CALLS_MAX: usize = 8;

/// A jump of the position further than this is left out: 10 s.
const JUMP_SAMPLES: usize = 80_000;

#[derive(Default)]
struct Kept {
    order: Vec<CallId>,
    sides: HashMap<(CallId, bool), Vec<i16>>,
}

/// The tap and what it kept.
#[derive(Clone, Default)]
pub(crate) struct Tap {
    kept: Arc<Mutex<Kept>>,
    /// Ended calls are written here as WAV files, one for each side.
    folder: Option<PathBuf>,
}

impl Tap {
    /// A tap that also writes ended calls into a folder, if one is given.
    pub(crate) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            kept: Arc::default(),
            folder,
        }
    }

    fn write(&self, call: &CallId) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        std::fs::create_dir_all(folder)?;
        for (consumer, name) in [(true, "consumer"), (false, "agent")] {
            let side = {
                let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.sides
                    .get(&(call.clone(), consumer))
                    .cloned()
                    .unwrap_or_default()
            };
            std::fs::write(
                folder.join(format!("{call}-{name}.wav")),
                simulator::phone::wav(&side),
            )?;
        }
        Ok(())
    }

    /// The consumer's side of the newest call: stretches from which a key might be read, and milliseconds heard.
    pub(crate) fn judge_newest(&self) -> (usize, usize) {
        let samples = self.newest(true);
        (LooseDetector::scan(&samples).len(), samples.len() / 8)
    }

    /// One side of the newest call.
    pub(crate) fn newest(&self, consumer: bool) -> Vec<i16> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = kept
            .order
            .last()
            .and_then(|call| kept.sides.get(&(call.clone(), consumer)));
        newest.cloned().unwrap_or_default()
    }
}

impl AudioSink for Tap {
    fn frames(&mut self, call: &CallId, from: Speaker, position: u64, samples: &[i16]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.order.contains(call) {
            kept.order.push(call.clone());
            if kept.order.len() > CALLS_MAX {
                let oldest = kept.order.remove(0);
                kept.sides.retain(|(of, _), _| *of != oldest);
            }
        }
        let side = kept
            .sides
            .entry((call.clone(), from.is_consumer))
            .or_default();
        let wanted = usize::try_from(position).unwrap_or(usize::MAX);
        let at = if wanted > side.len() + JUMP_SAMPLES {
            side.len()
        } else {
            wanted
        };
        let end = at.saturating_add(samples.len());
        if end > SAMPLES_MAX {
            return;
        }
        if side.len() < end {
            side.resize(end, 0);
        }
        side[at..end].copy_from_slice(samples);
    }

    fn ended(&mut self, call: &CallId) {
        if let Err(error) = self.write(call) {
            tracing::error!(%call, %error, "the masked audio of a call could not be written");
        }
    }
}
