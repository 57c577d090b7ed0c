//! The task that holds one recorder for one call.
//! Owns: the hold, the request on its way, and who waits for what.
//! Never: has two requests on their way at a time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use domain::recording::{Hold, HoldOutput, RecorderRequest, RecorderWord};
use tokio::sync::{mpsc, oneshot};

use super::{Control, Entry, Lines, Shared};

/// What a call wants of a recorder.
pub(super) enum Wish {
    Pause(oneshot::Sender<Result<(), &'static str>>),
    Resume(oneshot::Sender<Result<(), &'static str>>),
    Watch(oneshot::Sender<Option<&'static str>>),
    /// Whatever was to be kept from it is wiped.
    CallOver,
}

/// A word, and what is kept for the next request.
type Asking = Pin<Box<dyn Future<Output = (RecorderWord, Lines)> + Send>>;

/// The task's own.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    entry: Entry,
    control: Arc<Control>,
    hold: Hold,
    asking: Option<Asking>,
    /// While nothing is asked: what is kept for the next request.
    lines: Lines,
    pausing: Vec<oneshot::Sender<Result<(), &'static str>>>,
    resuming: Vec<oneshot::Sender<Result<(), &'static str>>>,
    watching: Vec<oneshot::Sender<Option<&'static str>>>,
    /// Why the last confirmed pause is not kept.
    broken: Option<&'static str>,
    is_left_paused: bool,
    /// It has not said since it was asked to pause or to go on that it records.
    is_owed: bool,
}

impl Keeper {
    pub(super) fn new(
        shared: Arc<Shared>,
        entry: Entry,
        control: Arc<Control>,
        hold: Hold,
    ) -> Self {
        Self {
            shared,
            entry,
            control,
            hold,
            asking: None,
            lines: Lines::default(),
            pausing: Vec::new(),
            resuming: Vec::new(),
            watching: Vec::new(),
            broken: None,
            is_left_paused: false,
            is_owed: false,
        }
    }

    /// Runs until the recorder records again, or is given up.
    pub(super) async fn run(mut self, mut wishes: mpsc::Receiver<Wish>, first: Option<Wish>) {
        if let Some(Wish::Pause(reply)) = first {
            self.pausing.push(reply);
        }
        loop {
            self.carry_out();
            if self.hold.is_over() {
                match self.leave(&mut wishes) {
                    Some(wish) => self.take(wish),
                    None => break,
                }
                continue;
            }
            let wake = self.hold.next_timeout();
            tokio::select! {
                (word, lines) = next_word(&mut self.asking) => {
                    self.asking = None;
                    self.lines = lines;
                    self.hold.handle_word(Instant::now(), word);
                }
                Some(wish) = wishes.recv() => self.take(wish),
                () = sleep_until(wake) => self.hold.handle_timeout(Instant::now()),
            }
        }
        if self.is_left_paused {
            return;
        }
        let (shared, entry) = (self.shared, self.entry);
        let forgotten = tokio::task::spawn_blocking(move || shared.journal.forget(&entry));
        if let Ok(Err(error)) = forgotten.await {
            tracing::warn!(%error, "it cannot be noted that a recorder was resumed; the next start resumes it again");
        }
    }

    /// Nobody can reach this task any more, unless somebody just did.
    fn leave(&self, wishes: &mut mpsc::Receiver<Wish>) -> Option<Wish> {
        let mut holds = self.shared.holds();
        match wishes.try_recv() {
            Ok(wish) => Some(wish),
            Err(_) => {
                holds.remove(&self.entry.place(&self.control));
                None
            }
        }
    }

    fn take(&mut self, wish: Wish) {
        let now = Instant::now();
        match wish {
            Wish::Pause(reply) => {
                self.pausing.push(reply);
                self.hold.pause_again(now);
            }
            Wish::Resume(reply) => {
                self.answer_watchers(None);
                self.hold.resume(now);
                match self.hold.is_let_go() {
                    true => drop(reply.send(Ok(()))),
                    false => self.resuming.push(reply),
                }
            }
            Wish::Watch(reply) => match (self.broken, self.hold.is_held()) {
                (None, true) => self.watching.push(reply),
                (broken, _) => {
                    let _gone = reply.send(broken);
                }
            },
            Wish::CallOver if self.broken.is_some() => self.hold.resume(now),
            Wish::CallOver => {}
        }
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.hold.poll_output() {
            let (call, recorder) = (&self.entry.call, &self.entry.facts.recorder);
            match output {
                HoldOutput::Ask(request) => {
                    self.owe(request != RecorderRequest::State || self.is_owed);
                    let (control, facts) = (self.control.clone(), self.entry.facts.clone());
                    let mut lines = std::mem::take(&mut self.lines);
                    self.asking = Some(Box::pin(async move {
                        let word = control.reach.ask(&mut lines, request, &facts).await;
                        (word, lines)
                    }));
                }
                HoldOutput::Paused => {
                    self.broken = None;
                    if !self.answer_pauses(Ok(())) {
                        self.hold.resume(Instant::now());
                    }
                }
                HoldOutput::Refused(code) => {
                    tracing::error!(%call, %recorder, code, "alarm: a recorder is not paused, and no capture begins");
                    self.count(|counters| &counters.refused);
                    let _heard = self.answer_pauses(Err(code));
                }
                HoldOutput::Broken(code) => {
                    tracing::error!(%call, %recorder, code, "alarm: a recorder does not keep its pause");
                    self.count(|counters| &counters.broken);
                    self.broken = Some(code);
                    self.answer_watchers(Some(code));
                    if self.is_alone() {
                        self.hold.resume(Instant::now());
                    }
                }
                HoldOutput::Silent => {
                    tracing::error!(%call, %recorder, "alarm: a paused recorder does not answer; it counts as paused");
                }
                HoldOutput::Resumed => {
                    tracing::info!(%call, %recorder, "a recorder records again");
                    self.owe(false);
                    self.answer_resumes(Ok(()));
                }
                HoldOutput::NotResumed(code) => {
                    tracing::error!(%call, %recorder, code, "alarm: a recorder stays paused; it is asked again");
                    self.count(|counters| &counters.not_resumed);
                    self.answer_resumes(Err(code));
                }
                HoldOutput::LeftPaused => {
                    tracing::error!(%call, %recorder, "alarm: a recorder cannot be resumed: resume it by hand; the next start of this server tries again");
                    self.count(|counters| &counters.left_paused);
                    self.is_left_paused = true;
                    self.owe(false);
                }
            }
        }
    }

    fn owe(&mut self, on: bool) {
        let was = std::mem::replace(&mut self.is_owed, on);
        self.shared.owed.send_modify(|owed| match (was, on) {
            (false, true) => *owed += 1,
            (true, false) => *owed = owed.saturating_sub(1),
            (false, false) | (true, true) => {}
        });
    }

    fn count(&self, which: impl Fn(&super::HoldCounters) -> &AtomicU64) {
        which(&self.shared.counters).fetch_add(1, Ordering::Relaxed);
    }

    /// The call has ended: nobody will ask to let it go on.
    fn is_alone(&self) -> bool {
        !self.shared.calls().contains_key(&self.entry.call)
    }

    /// Whether anybody heard it.
    fn answer_pauses(&mut self, answer: Result<(), &'static str>) -> bool {
        let replies = self.pausing.drain(..);
        replies.filter_map(|reply| reply.send(answer).ok()).count() > 0
    }

    fn answer_resumes(&mut self, answer: Result<(), &'static str>) {
        for reply in self.resuming.drain(..) {
            let _gone = reply.send(answer);
        }
    }

    fn answer_watchers(&mut self, answer: Option<&'static str>) {
        for reply in self.watching.drain(..) {
            let _gone = reply.send(answer);
        }
    }
}

async fn next_word(asking: &mut Option<Asking>) -> (RecorderWord, Lines) {
    match asking {
        Some(asking) => asking.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
