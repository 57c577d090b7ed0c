//! This server's own recorders: calls of services that want it are kept, and screens of their agents, from when both sides are connected until the call ends.
//! Owns: which running call has which recording, its pauses, the alarms of its disk.
//! Never: hears audio before the mask (I3); says paused what the writer has not confirmed (I2); makes a call wait for a disk.
//! Start reading at: [`Recorder`], then `ear` and `rows`; `screen` for screens, `scan` and `files` for what is kept.

mod all;
mod counts;
mod ear;
mod external;
mod files;
mod opened;
mod opened_screen;
mod pause;
mod redaction;
mod rekey;
mod rows;
mod scan;
mod screen;

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::boundary::{
    AudioRecording, Bus, ConnectedCall, Recorders, RecordingFiles, ScreenDesk, StoreError, Task,
};
use domain::id::{CallId, RecordingId, UserId};
use domain::recording::RecordingMoment;
use domain::service::{RecordWhen, Service, Sink, SinkMedium};
use domain::time::WallClock;
use recording::{Folder, Header, NewRecording, Report, Writer};
use store::Database;
use tokio::sync::{Notify, OwnedMutexGuard, mpsc, watch};
use tokio::task::JoinHandle;

pub(crate) use all::AllRecorders;
use counts::Counters;
pub(crate) use counts::Counts;
use ear::{Ear, Heard, Running, Take};
pub(crate) use external::{
    Asterisk, AsteriskError, AsteriskSettings, Control, External, FreeSwitch, FreeSwitchError,
    FreeSwitchSettings, HoldCounts, InterfaceAddress, JournalError, Reach, Siprec, SiprecCounts,
    SiprecError, SiprecLine, SiprecPlace, SiprecSettings, SiprecTarget,
};
use files::Files;
pub(crate) use rekey::{Rekeyed, rekey};
use rows::{New, Rows};
use scan::Scans;
use screen::Screens;

/// Ends of recordings that may wait for the database: more than a node has calls. When full, a row waits for the next start.
const ENDS_MAX: usize = 20_000;

/// Samples of a track in a millisecond.
const SAMPLES_PER_MS: u64 = 8;

/// A recording waits so long for the first sample, which says how samples are kept.
const FIRST_SAMPLE_MAX: Duration = Duration::from_secs(1);

/// At the end of the server the last rows get so long.
const LAST_ROWS_MAX: Duration = Duration::from_secs(5);

/// The recorder cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    ConfigFolder(#[from] recording::FolderError),
    #[error(transparent)]
    Writer(#[from] recording::StartError),
    #[error("keys of recordings")]
    ConfigKeys(#[source] StoreError),
    #[error("rows of recordings")]
    Store(#[from] StoreError),
}

/// What calls, the ear and the writer share.
struct Shared {
    calls: Mutex<HashMap<CallId, Heard>>,
    /// How often the ear had caught up.
    passes: watch::Sender<u64>,
    writer: Mutex<Option<Arc<Writer>>>,
    rows: Arc<Rows>,
    counters: Arc<Counters>,
    screens: Arc<Screens>,
}

/// The recorder of this node.
#[derive(Clone)]
pub(crate) struct Recorder(Arc<Shared>);

/// What ends with the server.
pub(crate) struct Work {
    ends: JoinHandle<()>,
    scans: JoinHandle<()>,
    sweeps: JoinHandle<()>,
}

impl Recorder {
    /// Starts it over a folder, closes what an earlier life left open, and begins to delete what is due.
    ///
    /// # Errors
    /// The folder or the keys cannot be used, or the database fails.
    pub(crate) async fn start(
        folder: &Path,
        node: &str,
        database: &Arc<Database>,
        clock: &Arc<dyn WallClock>,
        bus: Arc<dyn Bus>,
    ) -> Result<(Self, Work), StartError> {
        let folder = Folder::open(folder)?;
        let counters = Arc::<Counters>::default();
        let rows = Arc::new(Rows {
            database: database.clone(),
            folder: folder.clone(),
            clock: clock.clone(),
            node: node.to_owned(),
            counters: counters.clone(),
            changing: tokio::sync::Mutex::default(),
        });
        rows.ring().map_err(StartError::ConfigKeys)?;
        let cut = rows.close_left().await?;
        rows.settle_redactions().await?;
        if cut > 0 {
            tracing::warn!(
                cut,
                "recordings were found open after a restart and were closed"
            );
        }
        let (to, ended) = mpsc::channel(ENDS_MAX);
        let heeding = counters.clone();
        let reports = move |report| heed(&report, &heeding, &to);
        let writer = Writer::start(folder, Box::new(reports))?;
        let shared = Shared {
            calls: Mutex::default(),
            passes: watch::Sender::new(0),
            writer: Mutex::new(Some(Arc::new(writer))),
            rows: rows.clone(),
            counters,
            screens: Arc::new(Screens::new(rows.clone(), bus)),
        };
        let to_scan = Arc::<Notify>::default();
        let scans = Scans::new(rows.clone());
        let work = Work {
            ends: tokio::spawn(rows.clone().write_ends(ended, to_scan.clone())),
            scans: tokio::spawn(scans.run(to_scan)),
            sweeps: tokio::spawn(rows.sweep_for_ever()),
        };
        Ok((Self(Arc::new(shared)), work))
    }

    /// Where the media threads' audio goes.
    pub(crate) fn ear(&self) -> Ear {
        Ear(self.0.clone())
    }

    /// What it has kept, for those who may hear it.
    pub(crate) fn files(&self) -> Arc<dyn RecordingFiles> {
        Arc::new(Files::new(self.0.rows.clone()))
    }

    /// Where agents' pages share their screens.
    pub(crate) fn screens(&self) -> Arc<dyn ScreenDesk> {
        self.0.screens.clone()
    }

    /// What it did since it was started.
    pub(crate) fn counts(&self) -> Counts {
        let running = {
            let calls = self.0.calls();
            calls.values().filter(|heard| heard.is_recorded()).count()
        };
        let written = self.0.writer().map(|writer| writer.counts().bytes);
        self.0.counters.read(running, written.unwrap_or_default())
    }

    /// Once no call runs: ends what is left, and waits until its rows say so.
    pub(crate) async fn stop(&self, work: Work) {
        work.sweeps.abort();
        work.scans.abort();
        self.0.calls().clear();
        self.0.screens.stop().await;
        let writer = self.0.lock_writer().take();
        let _panicked_or_done = tokio::task::spawn_blocking(move || drop(writer)).await;
        if tokio::time::timeout(LAST_ROWS_MAX, work.ends)
            .await
            .is_err()
        {
            tracing::error!("the rows of some recordings are closed at the next start");
        }
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Heard>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_writer(&self) -> MutexGuard<'_, Option<Arc<Writer>>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None once the server ends.
    fn writer(&self) -> Option<Arc<Writer>> {
        self.lock_writer().clone()
    }

    /// The call's control until it has a recording, or has none.
    fn reserve(&self, call: &CallId) -> Option<OwnedMutexGuard<()>> {
        let mut calls = self.calls();
        let heard = calls.entry(call.clone()).or_default();
        if heard.take.is_some() {
            return None;
        }
        let take = Take::default();
        let alone = take.control.clone().try_lock_owned().ok();
        heard.take = Some(take);
        alone
    }

    async fn begin(&self, new: New) {
        let call = new.call.clone();
        let failed = match self.try_begin(new).await {
            Ok(()) => return,
            Err(error) => error,
        };
        if let Some(heard) = self.calls().get_mut(&call) {
            heard.take = None;
        }
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%call, error = told(&*failed), "alarm: a call that is to be recorded is not");
    }

    async fn try_begin(&self, new: New) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(writer) = self.writer() else {
            return Ok(());
        };
        let ring = self.rows.ring()?;
        let row = self.rows.begin(&new, ring.active()?.id()).await?;
        let laws = self.laws(&new.call).await;
        let start = self.calls().get(&new.call).map_or(0, |heard| heard.end);
        let header = Header {
            id: row.id.clone(),
            began: row.began,
            laws,
            is_redacted: false,
        };
        let begun = writer.begin(NewRecording { header, start }, &ring).await;
        match begun {
            Ok(feed) => {
                let running = Running::new(row.id, start, feed);
                self.take_up(&new.call, running, start, &writer);
                Ok(())
            }
            Err(error) => {
                self.rows.end(&row.id).await?;
                Err(error.into())
            }
        }
    }

    /// How both sides' samples are kept: as they come. A side that is not heard yet counts as the other.
    async fn laws(&self, call: &CallId) -> [recording::Law; 2] {
        let mut passes = self.passes.subscribe();
        let known = || {
            let calls = self.calls();
            calls
                .get(call)
                .is_none_or(|heard| heard.laws.iter().any(Option::is_some))
        };
        let heard = passes.wait_for(|_| known());
        let _silent_or_gone = tokio::time::timeout(FIRST_SAMPLE_MAX, heard).await;
        let calls = self.calls();
        let [consumer, agent] = calls.get(call).map(|heard| heard.laws).unwrap_or_default();
        let of = |own: Option<_>, other: Option<_>| own.or(other).unwrap_or(recording::Law::Mu);
        [of(consumer, agent), of(agent, consumer)]
    }

    /// From now on what is heard of the call is kept, unless it has ended.
    fn take_up(&self, call: &CallId, running: Running, start: u64, writer: &Writer) {
        let mut calls = self.calls();
        let Some(heard) = calls.get_mut(call) else {
            return;
        };
        let Some(take) = &mut heard.take else {
            return;
        };
        self.counters.begun.fetch_add(1, Ordering::Relaxed);
        if heard.is_masked {
            ear::mark(writer, &running.id, start, true);
        }
        take.running = Some(running);
    }

    /// The recording may lack what a refusing disk has cost.
    fn is_confirmed(&self, running: &Running) -> bool {
        !running.is_paused
            && !self.counters.is_refused.load(Ordering::Relaxed)
            && !self.counters.is_spoiled(&running.id)
    }
}

impl Recorders for Recorder {
    fn connected(&self, call: ConnectedCall<'_>) {
        let agent = call.agent.map(|agent| &agent.id);
        self.0.screens.connected(call.id, call.service, agent);
        if call.service.call_recording.when == RecordWhen::Always {
            self.begin_recording(call.id, call.service, agent);
        }
    }

    fn begin_recording(&self, call: &CallId, service: &Service, agent: Option<&UserId>) {
        let Some(alone) = self.0.reserve(call) else {
            return;
        };
        let new = New {
            medium: SinkMedium::Call,
            call: call.clone(),
            service: service.id.clone(),
            agent: agent.cloned(),
            keep_days: service.call_recording.keep_days,
        };
        let shared = self.0.clone();
        tokio::spawn(async move {
            shared.begin(new).await;
            drop(alone);
        });
    }

    fn end_recording(&self, call: &CallId) {
        let take = {
            let mut calls = self.0.calls();
            calls.get_mut(call).and_then(|heard| heard.take.take())
        };
        drop(take);
    }

    fn audio(&self, call: &CallId) -> AudioRecording {
        let calls = self.0.calls();
        match calls.get(call).and_then(|heard| heard.take.as_ref()) {
            None => AudioRecording::Off,
            Some(Take { running: None, .. }) => AudioRecording::Starting,
            Some(_) => AudioRecording::On,
        }
    }

    fn settled<'a>(&'a self, call: &'a CallId) -> Task<'a, ()> {
        Box::pin(async {
            if let Some(control) = self.0.control(call) {
                drop(control.lock().await);
            }
        })
    }

    fn taken_over(&self, call: ConnectedCall<'_>) {
        let agent = call.agent.map(|agent| &agent.id);
        self.0.screens.taken_over(call.id, call.service, agent);
    }

    fn withhold_screens(&self, call: &CallId, agent: &UserId, on: bool) {
        self.0.screens.withhold(call, agent, on);
    }

    /// The ear hears the end of the call's audio by itself.
    fn hung_up(&self, call: &CallId) {
        self.0.screens.ended(call);
    }

    fn ended(&self, call: &CallId) {
        self.0.screens.ended(call);
        self.0.screens.forget(call);
        let shared = self.0.clone();
        let call = call.clone();
        // The ear hears the end of its media, behind its last samples; this is for one whose end found no room.
        tokio::spawn(async move {
            let _late = shared.caught_up().await;
            let ended = shared.calls().remove(&call);
            drop(ended);
        });
    }

    fn own(&self, call: &CallId) -> Vec<Sink> {
        let is_recorded = {
            let calls = self.0.calls();
            calls.get(call).is_some_and(|heard| heard.take.is_some())
        };
        let audio = is_recorded.then(Sink::own);
        let screen = self.0.screens.has(call).then(Sink::own_screen);
        audio.into_iter().chain(screen).collect()
    }

    fn is_recording(&self, call: &CallId) -> bool {
        let calls = self.0.calls();
        let running = calls.get(call).and_then(Heard::running);
        running.is_some_and(|running| self.0.is_confirmed(running))
    }

    fn moment(&self, call: &CallId) -> Option<RecordingMoment> {
        let calls = self.0.calls();
        let heard = calls.get(call)?;
        let running = heard.running()?;
        Some(RecordingMoment {
            recording: running.id.clone(),
            at_ms: heard.end.saturating_sub(running.start) / SAMPLES_PER_MS,
        })
    }

    fn pause<'a>(&'a self, call: &'a CallId, sink: &'a Sink) -> Task<'a, Result<(), &'static str>> {
        match sink.is_own_screen() {
            true => Box::pin(self.0.screens.pause(call)),
            false => Box::pin(self.0.pause(call)),
        }
    }

    fn resume<'a>(
        &'a self,
        call: &'a CallId,
        sink: &'a Sink,
    ) -> Task<'a, Result<(), &'static str>> {
        match sink.is_own_screen() {
            true => Box::pin(self.0.screens.resume(call)),
            false => Box::pin(self.0.resume(call)),
        }
    }

    /// Its pauses are kept by the writer itself, and by the door that screens come through.
    fn broken<'a>(&'a self, _: &'a CallId, _: &'a Sink) -> Task<'a, Option<&'static str>> {
        Box::pin(std::future::ready(None))
    }
}

/// What the writer's thread tells: alarms at once, ends to whoever writes rows.
fn heed(report: &Report, counters: &Counters, ends: &mpsc::Sender<RecordingId>) {
    match report {
        Report::StorageRefuses { recording, why } => {
            counters.is_refused.store(true, Ordering::Relaxed);
            tracing::error!(%recording, why, "alarm: recordings cannot be written; calls go on, and what finds no room is a gap");
        }
        Report::StorageTakes { after } => {
            counters.is_refused.store(false, Ordering::Relaxed);
            tracing::warn!(after_s = after.as_secs(), "recordings are written again");
        }
        Report::Lost { recording, samples } => {
            counters.note_lost(recording, *samples);
            tracing::error!(%recording, samples, "alarm: a recording has a gap");
        }
        Report::Doubtful { why } => {
            tracing::error!(
                why,
                "alarm: the disk did not confirm recordings of the last seconds; a power cut may cut them"
            );
        }
        Report::BugGivenUp { recording } | Report::Ended { recording, .. } => {
            counters.forget(recording);
            if matches!(report, Report::BugGivenUp { .. }) {
                tracing::error!(%recording, "alarm: a recording was given up by a defect");
            }
            if ends.try_send(recording.clone()).is_err() {
                tracing::error!(%recording, "the row of a recording is closed at the next start");
            }
        }
    }
}

/// An error with its causes.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
