//! Recorders beside this server that its file says how to pause.
//! Owns: which call holds which of them, and that what an earlier life left paused is let go on.
//! Never: says paused what the recorder itself has not said (I2); keeps a digit.

mod asterisk;
mod counts;
mod freeswitch;
mod journal;
mod keeper;
mod siprec;
mod stream;

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::boundary::{ConnectedCall, NO_CONTROL};
use domain::id::{CallId, SinkId};
use domain::recording::{Hold, RecorderRequest, RecorderWord};
use domain::service::Sink;
use gateway::{HookCall, RecorderHook};
use tokio::sync::{mpsc, oneshot, watch};
use voice::AudioSink;

pub(crate) use asterisk::{Asterisk, AsteriskError, AsteriskSettings};
use counts::HoldCounters;
pub(crate) use counts::HoldCounts;
pub(crate) use freeswitch::{FreeSwitch, FreeSwitchError, FreeSwitchSettings};
pub(crate) use journal::JournalError;
use journal::{Entry, Journal};
use keeper::{Keeper, Wish};
use siprec::RecordedCall;
pub(crate) use siprec::{
    Siprec, SiprecCounts, SiprecError, SiprecLine, SiprecPlace, SiprecSettings, SiprecTarget,
};
pub(crate) use stream::InterfaceAddress;

/// Wishes that may wait for one recorder: a capture has one at a time, and each press of Try again one more.
const WISHES_MAX: usize = 32;

/// A server that ends waits so long for recorders to be resumed; what is left stands in the journal.
const RESUMED_MAX: Duration = Duration::from_secs(5);

/// The reason code for a recorder whose pause could not be noted, or is asked for too often.
const NOT_NOTED: &str = "recorder_pause_not_noted";

/// A recorder of the server's file.
pub(crate) struct External {
    shared: Arc<Shared>,
}

/// How one is reached, and how long it may be paused.
pub(crate) struct Control {
    pub(crate) reach: Reach,
    pub(crate) pause_max: Duration,
}

/// How one is asked.
pub(crate) enum Reach {
    /// By three requests of the server's file.
    Https(Box<RecorderHook>),
    /// By its manager interface.
    Asterisk(Asterisk),
    /// By its event socket.
    FreeSwitch(FreeSwitch),
    /// By the recording sessions that it is sent.
    Siprec(Siprec),
}

/// What a hold keeps between two requests, by the kind of its recorder.
#[derive(Default)]
struct Lines {
    asterisk: Option<asterisk::Connection>,
    freeswitch: freeswitch::Line,
}

impl Reach {
    /// Which recording is asked for this call.
    fn asks_about(&self, call: &HookCall) -> String {
        match self {
            Self::Https(hook) => hook.asks_about(call),
            Self::Asterisk(asterisk) => asterisk.asks_about(call).to_owned(),
            Self::FreeSwitch(switch) => switch.asks_about(call).to_owned(),
            Self::Siprec(_) => call.id.clone(),
        }
    }

    /// Asks it once, for one call. `lines` are what its hold keeps.
    async fn ask(
        &self,
        lines: &mut Lines,
        request: RecorderRequest,
        call: &HookCall,
    ) -> RecorderWord {
        match self {
            Self::Https(hook) => hook.ask(request, call).await,
            Self::Asterisk(asterisk) => asterisk.ask(&mut lines.asterisk, request, call).await,
            Self::FreeSwitch(switch) => switch.ask(&mut lines.freeswitch, request, call).await,
            Self::Siprec(siprec) => siprec.ask(request, &call.id).await,
        }
    }
}

struct Shared {
    controls: BTreeMap<String, Arc<Control>>,
    /// None: the server's file names no recorder that takes recording sessions.
    line: Option<SiprecLine>,
    journal: Journal,
    counters: Arc<HoldCounters>,
    calls: Mutex<HashMap<CallId, HookCall>>,
    holds: Mutex<HashMap<Place, mpsc::Sender<Wish>>>,
    /// Recorders that have not said yet that they record again.
    owed: watch::Sender<usize>,
}

/// One recording, in the hands of a recorder as a call's service declares it. A transfer may make it another one: then what was paused is let go on
/// beside the pause of the new one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    call: CallId,
    sink: SinkId,
    /// What the recorder is asked about.
    tape: String,
}

impl External {
    /// Begins to let go on what an earlier life left paused.
    ///
    /// # Errors
    /// What it left cannot be read.
    pub(crate) fn start(
        controls: BTreeMap<String, Control>,
        line: Option<SiprecLine>,
        data: &Path,
    ) -> Result<Self, JournalError> {
        let (journal, left) = Journal::open(data)?;
        let controls = controls.into_iter();
        let shared = Arc::new(Shared {
            controls: controls
                .map(|(name, control)| (name, Arc::new(control)))
                .collect(),
            line,
            journal,
            counters: Arc::default(),
            calls: Mutex::default(),
            holds: Mutex::default(),
            owed: watch::Sender::new(0),
        });
        for entry in left {
            shared.let_go(entry);
        }
        Ok(Self { shared })
    }

    /// What it did since it was started.
    pub(crate) fn counts(&self) -> HoldCounts {
        self.shared.counters.read(self.shared.holds().len())
    }

    /// What recording sessions did since it was started.
    pub(crate) fn session_counts(&self) -> SiprecCounts {
        let line = self.shared.line.as_ref();
        line.map(SiprecLine::counts).unwrap_or_default()
    }

    /// The same elsewhere.
    pub(crate) fn share(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }

    /// Once no call runs: waits a little until what was paused records again.
    pub(crate) async fn stop(&self) {
        let mut owed = self.shared.owed.subscribe();
        let resumed = owed.wait_for(|owed| *owed == 0);
        if tokio::time::timeout(RESUMED_MAX, resumed).await.is_err() {
            tracing::error!("some recorders are still paused; the next start resumes them");
        }
        if let Some(line) = &self.shared.line {
            line.stop().await;
        }
    }

    /// From now on its recorders can be asked, and those that take recording sessions have theirs.
    pub(crate) fn connected(&self, call: ConnectedCall<'_>) {
        self.taken_over(call);
        self.shared.begin_sessions(call);
    }

    /// From now on its recorders are asked by its new leg; a recording session goes on as it is.
    pub(crate) fn taken_over(&self, call: ConnectedCall<'_>) {
        if self.shared.controls.is_empty() {
            return;
        }
        let facts = HookCall {
            id: call.id.to_string(),
            called: call.called.to_owned(),
            consumer_call_id: call.legs.consumer.clone(),
            agent_call_id: call.legs.agent.clone(),
            agent: call
                .agent
                .map(|agent| agent.name.clone())
                .unwrap_or_default(),
            recorder: String::new(),
        };
        self.shared.calls().insert(call.id.clone(), facts);
    }

    /// Both sides are gone: what takes recording sessions has heard all of it.
    pub(crate) fn hung_up(&self, call: &CallId) {
        if let Some(line) = &self.shared.line {
            line.end(call);
        }
    }

    /// What hears calls for those that take recording sessions.
    pub(crate) fn ear(&self) -> Option<Box<dyn AudioSink>> {
        let line = self.shared.line.as_ref()?;
        Some(Box::new(line.ear()))
    }

    /// Nothing is keyed or shown of it any more.
    pub(crate) fn ended(&self, call: &CallId) {
        self.shared.calls().remove(call);
        self.hung_up(call);
        let holds = self.shared.holds();
        for (_, wishes) in holds.iter().filter(|(place, _)| place.call == *call) {
            let _full_of_wishes = wishes.try_send(Wish::CallOver);
        }
    }

    /// Pauses one for a call; answers when it says that it is paused, or why it cannot be.
    pub(crate) async fn pause(&self, call: &CallId, sink: &Sink) -> Result<(), &'static str> {
        let (reply, answer) = oneshot::channel();
        let (entry, control) = self.shared.entry(call, sink).ok_or(NO_CONTROL)?;
        let place = entry.place(&control);
        if let Some(wish) = self.shared.wish(&place, Wish::Pause(reply)) {
            self.shared.begin(entry, control, wish).await?;
        }
        answer.await.unwrap_or(Err(NOT_NOTED))
    }

    /// Lets it go on; answers when it says that it records, or that the first try did not work.
    pub(crate) async fn resume(&self, call: &CallId, sink: &Sink) -> Result<(), &'static str> {
        if sink.control.is_none() {
            return Err(NO_CONTROL);
        }
        let (reply, answer) = oneshot::channel();
        // It was never asked to pause, or records again.
        let Some(place) = self.shared.held(call, sink) else {
            return Ok(());
        };
        match self.shared.wish(&place, Wish::Resume(reply)) {
            Some(_) => Ok(()),
            None => answer.await.unwrap_or(Err(NOT_NOTED)),
        }
    }

    /// Waits while it keeps its pause.
    pub(crate) async fn broken(&self, call: &CallId, sink: &Sink) -> Option<&'static str> {
        let (reply, answer) = oneshot::channel();
        let place = self.shared.held(call, sink)?;
        match self.shared.wish(&place, Wish::Watch(reply)) {
            Some(_) => None,
            None => answer.await.ok().flatten(),
        }
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, HookCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self) -> MutexGuard<'_, HashMap<Place, mpsc::Sender<Wish>>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One session at each recorder that takes them, however many declared sinks name it.
    fn begin_sessions(&self, call: ConnectedCall<'_>) {
        let sinks = call.service.recorders.iter();
        let sinks = sinks.flat_map(|declared| &declared.sinks);
        let names: BTreeSet<&String> = sinks.filter_map(|sink| sink.control.as_ref()).collect();
        for name in names {
            let control = self.controls.get(name);
            if let Some(Reach::Siprec(siprec)) = control.map(|control| &control.reach) {
                siprec.begin(RecordedCall {
                    id: call.id.clone(),
                    caller: call.caller_number.to_owned(),
                    agent: call
                        .agent
                        .map(|agent| (agent.name.clone(), agent.display_name.clone())),
                });
            }
        }
    }

    /// Tells whoever holds the recorder; gives the wish back if nobody does. One that finds no room is dropped, and so answered.
    fn wish(&self, place: &Place, wish: Wish) -> Option<Wish> {
        let holds = self.holds();
        let Some(wishes) = holds.get(place) else {
            return Some(wish);
        };
        match wishes.try_send(wish) {
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => None,
            Err(mpsc::error::TrySendError::Closed(wish)) => Some(wish),
        }
    }

    /// How a recorder is asked for a call, by the legs that it has now.
    fn entry(&self, call: &CallId, sink: &Sink) -> Option<(Entry, Arc<Control>)> {
        let name = sink.control.as_ref()?;
        let control = self.controls.get(name)?.clone();
        let facts = self.calls().get(call).cloned()?;
        let entry = Entry {
            call: call.clone(),
            sink: sink.id.clone(),
            control: name.clone(),
            facts: HookCall {
                recorder: sink.name.clone(),
                ..facts
            },
        };
        Some((entry, control))
    }

    /// The hold that a call's word is for: that of the legs that it has now, or else one that a transfer has left.
    fn held(&self, call: &CallId, sink: &Sink) -> Option<Place> {
        let now = self.entry(call, sink);
        let now = now.map(|(entry, control)| entry.place(&control));
        let holds = self.holds();
        let now = now.filter(|place| holds.contains_key(place));
        now.or_else(|| {
            let mut places = holds.keys();
            let left = |place: &&Place| place.call == *call && place.sink == sink.id;
            places.find(left).cloned()
        })
    }

    /// Begins a hold. Before the recorder is asked it is on disk that it has to be let go on.
    async fn begin(
        self: &Arc<Self>,
        entry: Entry,
        control: Arc<Control>,
        wish: Wish,
    ) -> Result<(), &'static str> {
        let (journal, row) = (self.clone(), entry.clone());
        let noted = tokio::task::spawn_blocking(move || journal.journal.note(row)).await;
        if let Err(error) = noted.unwrap_or_else(|gone| Err(gone.into())) {
            tracing::error!(recorder = %entry.facts.recorder, %error, "alarm: a recorder is not paused, because it cannot be noted that it is to be resumed");
            return Err(NOT_NOTED);
        }
        let hold = Hold::pause(Instant::now(), control.pause_max);
        self.keep(entry, control, hold, Some(wish));
        Ok(())
    }

    /// One that an earlier life paused.
    fn let_go(self: &Arc<Self>, entry: Entry) {
        let Some(control) = self.controls.get(&entry.control).cloned() else {
            tracing::error!(recorder = %entry.facts.recorder, control = %entry.control, "alarm: a recorder was left paused, and the server's file does not name it any more");
            return;
        };
        tracing::warn!(call = %entry.call, recorder = %entry.facts.recorder, "a recorder was left paused and is resumed");
        self.keep(entry, control, Hold::left_over(Instant::now()), None);
    }

    fn keep(
        self: &Arc<Self>,
        entry: Entry,
        control: Arc<Control>,
        hold: Hold,
        first: Option<Wish>,
    ) {
        let (sender, wishes) = mpsc::channel(WISHES_MAX);
        match self.holds().entry(entry.place(&control)) {
            Slot::Vacant(slot) => slot.insert(sender),
            // Somebody was asked to pause it meanwhile.
            Slot::Occupied(slot) => {
                let _full_or_gone = first.map(|wish| slot.get().try_send(wish));
                return;
            }
        };
        let keeper = Keeper::new(self.clone(), entry, control, hold);
        tokio::spawn(keeper.run(wishes, first));
    }
}
