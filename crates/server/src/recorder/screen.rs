//! Screens of agents, recorded during their calls.
//! Owns: which call's screen is whose, its file, the commands to the page and what becomes of a page that does not answer.
//! Never: takes a chunk that the rules of `domain::screen` refuse; says paused while one could still be taken.

mod desk;
mod withheld;
mod work;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::Actor;
use domain::boundary::{Audience, Bus, LiveEvent};
use domain::capture::SCREEN_NOT_SHARED;
use domain::id::{CallId, ServiceId, UserId};
use domain::screen::{PauseNeeds, ScreenHold, ScreenRefusal, ScreenTake, ScreenView, SharingEnd};
use domain::service::{ScreenRecording, ScreenWhen, Service};
use tokio::sync::{OwnedMutexGuard, watch};

use super::rows::Rows;
use withheld::Withheld;
use work::Work;

/// A page answers a pause within this, or is off: an answer takes one turn of the page and two ways of the net, and the arming of a capture waits 5 s at most.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// The reason code for a screen that is required and whose page did not answer.
const NOT_ANSWERED: &str = "screen_not_answered";
/// The reason code for a screen that could not be asked.
const NOT_DONE: &str = "recorder_failed";

/// The screens of this node's calls.
pub(super) struct Screens {
    calls: Mutex<HashMap<CallId, Arc<Screen>>>,
    withheld: Arc<Withheld>,
    rows: Arc<Rows>,
    bus: Arc<dyn Bus>,
}

/// The screen of one call.
struct Screen {
    call: CallId,
    service: ServiceId,
    agent: UserId,
    rule: ScreenRecording,
    rows: Arc<Rows>,
    bus: Arc<dyn Bus>,
    withheld: Arc<Withheld>,
    /// Held by whoever pauses or resumes.
    control: tokio::sync::Mutex<Reasons>,
    work: Arc<tokio::sync::Mutex<Work>>,
    holds: watch::Sender<ScreenHold>,
}

/// Why nothing of a screen is recorded.
struct Reasons {
    /// A capture of its own call.
    capture: bool,
    /// A value of another call of its agent's.
    withheld: bool,
}

impl Screens {
    pub(super) fn new(rows: Arc<Rows>, bus: Arc<dyn Bus>) -> Self {
        Self {
            calls: Mutex::default(),
            withheld: Arc::default(),
            rows,
            bus,
        }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<CallId, Arc<Screen>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The screen of the call's agent is recorded from now on, if the service wants it and the agent shares.
    pub(super) fn connected(&self, call: &CallId, service: &Service, agent: Option<&UserId>) {
        let rule = service.screen_recording;
        if let (Some(agent), ScreenWhen::Always) = (agent, rule.when) {
            self.begin(call, (service.id.clone(), rule), agent);
        }
    }

    /// Another agent's screen takes the place of the one before, if there was one; or nobody's does.
    pub(super) fn taken_over(&self, call: &CallId, service: &Service, agent: Option<&UserId>) {
        match (self.find(call), agent) {
            (Some(before), Some(agent)) => {
                self.begin(call, (before.service.clone(), before.rule), agent);
                tokio::spawn(async move { before.end().await });
            }
            (None, Some(_)) => self.connected(call, service, agent),
            (_, None) => self.ended(call),
        }
    }

    fn begin(&self, call: &CallId, (service, rule): (ServiceId, ScreenRecording), agent: &UserId) {
        // A withheld one begins paused. Who withholds it from now on finds it in the table.
        let mut calls = self.calls();
        let withheld = self.withheld.is_withheld(agent, call);
        let mut take = ScreenTake::new(rule);
        if withheld {
            // Nobody shares it yet, and no capture waits for that.
            let _is_shared = take.pause();
        }
        let screen = Arc::new(Screen {
            call: call.clone(),
            service,
            agent: agent.clone(),
            rule,
            rows: self.rows.clone(),
            bus: self.bus.clone(),
            withheld: self.withheld.clone(),
            control: tokio::sync::Mutex::new(Reasons {
                capture: false,
                withheld,
            }),
            holds: watch::Sender::new(take.hold()),
            work: Arc::new(tokio::sync::Mutex::new(Work::new(take))),
        });
        calls.insert(call.clone(), screen.clone());
        drop(calls);
        // The page hears that a screen is wanted.
        tokio::spawn(async move { screen.publish().await });
    }

    /// A value of this call may be on the agent's screen, or is gone: those of the other calls of theirs are withheld meanwhile.
    pub(super) fn withhold(&self, call: &CallId, agent: &UserId, on: bool) {
        self.withheld.set(call, agent, on);
        self.settle_all(agent);
    }

    fn settle_all(&self, agent: &UserId) {
        let calls = self.calls();
        for screen in calls.values().filter(|screen| screen.agent == *agent) {
            let screen = screen.clone();
            tokio::spawn(async move { screen.settle_withheld().await });
        }
    }

    /// Nothing of the call is on a screen any more.
    pub(super) fn forget(&self, call: &CallId) {
        if let Some(agent) = self.withheld.forget(call) {
            self.settle_all(&agent);
        }
    }

    /// The call is over.
    pub(super) fn ended(&self, call: &CallId) {
        if let Some(screen) = self.calls().remove(call) {
            tokio::spawn(async move { screen.end().await });
        }
    }

    /// Ends all, and waits for their rows.
    pub(super) async fn stop(&self) {
        let all: Vec<_> = self.calls().drain().map(|(_, screen)| screen).collect();
        for screen in all {
            screen.end().await;
        }
    }

    /// The service of the call wants its screen.
    pub(super) fn has(&self, call: &CallId) -> bool {
        self.calls().contains_key(call)
    }

    fn find(&self, call: &CallId) -> Option<Arc<Screen>> {
        self.calls().get(call).cloned()
    }

    /// That of a call of this agent.
    fn of(&self, actor: &Actor, call: &CallId) -> Result<Arc<Screen>, ScreenRefusal> {
        let found = self.find(call);
        let found = found.filter(|screen| screen.agent == actor.user);
        found.ok_or(ScreenRefusal::PeerUnknown)
    }

    /// Answers once nothing new is taken. A call without a screen needs none.
    pub(super) async fn pause(&self, call: &CallId) -> Result<(), &'static str> {
        match self.find(call) {
            Some(screen) => screen.pause().await,
            None => Ok(()),
        }
    }

    /// Takes what is recorded from now on.
    pub(super) async fn resume(&self, call: &CallId) -> Result<(), &'static str> {
        let Some(screen) = self.find(call) else {
            return Ok(());
        };
        let mut reasons = screen.control.lock().await;
        reasons.capture = false;
        screen.resume(&reasons).await
    }
}

impl Screen {
    /// Does something with the file on a thread that may wait, to its end, also if nobody waits for it.
    async fn on_disk<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Work) -> T + Send + 'static,
    ) -> Result<T, ScreenRefusal> {
        let mut work: OwnedMutexGuard<Work> = self.work.clone().lock_owned().await;
        let holds = self.holds.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = act(&mut work);
            let hold = work.hold();
            holds.send_if_modified(|known| std::mem::replace(known, hold) != hold);
            done
        });
        done.await.map_err(|error| {
            tracing::error!(call = %self.call, %error, "recording a screen");
            ScreenRefusal::Unavailable
        })
    }

    async fn view(&self) -> ScreenView {
        self.work.lock().await.view(&self.call)
    }

    /// The page hears how it stands.
    async fn publish(&self) {
        let view = self.view().await;
        self.bus.publish(LiveEvent {
            audience: Audience::User(self.agent.clone()),
            topic: "screen",
            body: serde_json::to_value(view).unwrap_or_default(),
        });
    }

    /// For the sake of a capture of its own call.
    async fn pause(&self) -> Result<(), &'static str> {
        let mut reasons = self.control.lock().await;
        reasons.capture = true;
        self.hold().await
    }

    /// Pauses it while another call of its agent's withholds it, and lets it go on then. Which of both is read here, so that none comes too late.
    async fn settle_withheld(&self) {
        let mut reasons = self.control.lock().await;
        let is_withheld = self.withheld.is_withheld(&self.agent, &self.call);
        if std::mem::replace(&mut reasons.withheld, is_withheld) == is_withheld {
            return;
        }
        let settled = match is_withheld {
            true => self.hold().await,
            false => self.resume(&reasons).await,
        };
        // One that is not shared is not recorded either, and the log says why one could not be asked.
        tracing::debug!(call = %self.call, is_withheld, ?settled, "the screen of an agent with a value on it");
    }

    /// Takes what is recorded from now on, if no reason is left not to.
    async fn resume(&self, reasons: &Reasons) -> Result<(), &'static str> {
        if reasons.capture || reasons.withheld {
            return Ok(());
        }
        let resumed = self.on_disk(Work::resume).await;
        resumed.map_err(|_| NOT_DONE)?;
        self.publish().await;
        Ok(())
    }

    /// Answers once nothing new is taken. Whoever asks has the control.
    async fn hold(&self) -> Result<(), &'static str> {
        let needs = self.on_disk(Work::pause).await.map_err(|_| NOT_DONE)?;
        self.publish().await;
        match needs {
            Ok(PauseNeeds::Nothing) => return Ok(()),
            Ok(PauseNeeds::Acknowledgement) => {}
            Err(_) => return Err(SCREEN_NOT_SHARED),
        }
        let mut holds = self.holds.subscribe();
        let answered = async {
            let waited = holds.wait_for(|hold| *hold != ScreenHold::Pausing).await;
            waited.is_ok()
        };
        let why = match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(_) => SCREEN_NOT_SHARED,
            Err(_) => {
                tracing::warn!(call = %self.call, "the page that shares a screen did not answer a pause; nothing more of it is taken");
                let system = Actor::system();
                let closed = self.end_share(&system, SharingEnd::Unanswered).await;
                let _was_shared = closed.map_err(|_| NOT_DONE)?;
                NOT_ANSWERED
            }
        };
        match self.view().await.shared || !self.rule.required {
            true => Ok(()),
            false => Err(why),
        }
    }

    /// The page shares no longer: what it sends is refused at once, and then the trail says so. Whether it did.
    async fn end_share(&self, by: &Actor, why: SharingEnd) -> Result<bool, ScreenRefusal> {
        let was_shared = self.on_disk(move |work| work.end_share(why)).await?;
        if was_shared {
            let noted = self.rows.note_sharing(by, &self.call, false, why.name());
            if let Err(error) = noted.await {
                tracing::error!(call = %self.call, %error, "that a screen is no longer shared is not in the trail");
            }
            self.publish().await;
        }
        Ok(was_shared)
    }

    /// Nothing more comes: the file gets its end, and the row says it.
    async fn end(&self) {
        let Ok(Some(id)) = self.on_disk(Work::end).await else {
            return;
        };
        if let Err(error) = self.rows.end(&id).await {
            tracing::error!(recording = %id, %error, "the row of a recording is closed at the next start");
        }
    }
}
