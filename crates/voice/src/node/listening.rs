//! Legs of people who listen to calls of others.
//! Owns: which browser listens to which call.
//! Never: enters a call's signalling: neither side is told, and no leg of SIP has a part in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{EndCause, PhoneRefused};
use domain::id::{CallId, UserId};
use domain::listening::{LISTENERS_MAX, Voice};
use media::supervision::{self, ListenerId};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sip::LegId;
use sip::sdp::Codec;
use tokio::sync::oneshot;

use super::call::Stage;
use super::exchange::Exchange;
use super::setup::new_call_id;
use super::side::media_codec;
use crate::media_thread::{BrowserId, MediaId, NewListener};

const _: () = assert!(LISTENERS_MAX == supervision::LISTENERS_MAX);

/// A page that has not answered by then does not listen.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Every browser takes it, so that the mix is made once for all listeners.
const CODEC: Codec = Codec::Pcmu;

/// What a caller asks of the SIP thread.
pub(crate) enum ListeningCommand {
    /// A leg for this person's page that hears this call.
    Begin(
        CallId,
        UserId,
        oneshot::Sender<Result<CallId, PhoneRefused>>,
    ),
    /// Others hear this leg.
    Speak(CallId, Voice),
    /// This leg is over.
    End(CallId),
}

/// A leg that listens.
pub(super) struct Listening {
    id: Arc<CallId>,
    pub(super) leg: LegId,
    /// The call that is listened to.
    of: MediaId,
    /// On the call's media thread.
    thread: usize,
    hears: bool,
}

fn listener_id(key: MediaId) -> ListenerId {
    ListenerId(key.0)
}

impl Exchange {
    pub(super) fn obey_listening(&mut self, now: Instant, command: ListeningCommand) {
        match command {
            ListeningCommand::Begin(call, listener, reply) => {
                self.on(now, &call, |this, of| {
                    let _page_is_gone = reply.send(this.begin_listening(now, of, listener));
                });
            }
            ListeningCommand::Speak(listening, voice) => self.on(now, &listening, |this, key| {
                this.speak(key, voice);
            }),
            ListeningCommand::End(listening) => self.on(now, &listening, |this, key| {
                this.end_listening(key);
            }),
        }
    }

    fn begin_listening(
        &mut self,
        now: Instant,
        of: MediaId,
        listener: UserId,
    ) -> Result<CallId, PhoneRefused> {
        let beside = self.listenings.values().filter(|one| one.of == of).count();
        if self.is_closing || beside >= LISTENERS_MAX {
            return Err(PhoneRefused::Busy);
        }
        let call = self.call(of).ok_or(PhoneRefused::NotFound)?;
        let thread = call.thread().filter(|_| call.stage == Stage::Connected);
        let thread = thread.ok_or(PhoneRefused::WrongState)?;
        let id = Arc::new(new_call_id().ok_or(PhoneRefused::Busy)?);
        let (key, leg) = (self.new_key(), self.stack.new_leg());
        if !self.offer_browser(now, of, leg, (listener, CODEC)) {
            return Err(PhoneRefused::Unavailable);
        }
        let listening = Listening {
            id: Arc::clone(&id),
            leg,
            of,
            thread,
            hears: false,
        };
        self.listenings.insert(key, listening);
        self.enter_test(key, &id, now + ANSWER_MAX);
        Ok(CallId::clone(&id))
    }

    /// The page has answered: it hears from now on. None: it is no leg that listens.
    pub(super) fn hear_call(&mut self, key: MediaId, browser: BrowserId) -> Option<()> {
        let seed = OsRng.try_next_u64().ok()?;
        let one = self.listenings.get_mut(&key)?;
        let thread = self.threads.get_mut(one.thread)?;
        one.hears = true;
        let listener = NewListener {
            id: listener_id(key),
            browser,
            codec: media_codec(CODEC),
            seed,
        };
        thread.listen(one.of, listener);
        Some(())
    }

    /// Another connection of the same browser is complete; false if the leg does not hear yet.
    pub(super) fn swap_listener(&mut self, leg: LegId, browser: BrowserId) -> bool {
        let mut listenings = self.listenings.iter();
        let Some((key, one)) = listenings.find(|(_, one)| one.leg == leg && one.hears) else {
            return false;
        };
        if let Some(thread) = self.threads.get_mut(one.thread) {
            thread.swap_listener(one.of, listener_id(*key), browser);
        }
        true
    }

    /// In order with what else the thread is told: whoever falls silent before a mask is asked for is silent when it is.
    fn speak(&mut self, key: MediaId, voice: Voice) {
        let Some(one) = self.listenings.get(&key) else {
            return;
        };
        let Some(thread) = self.threads.get_mut(one.thread) else {
            return;
        };
        let voice = match voice {
            Voice::Nobody => supervision::Voice::Nobody,
            Voice::Agent => supervision::Voice::Agent,
            Voice::Both => supervision::Voice::Both,
        };
        thread.hear(one.of, listener_id(key), voice);
    }

    /// True if it was a leg that listens and has not been answered in time, or has.
    pub(super) fn listening_waited(&mut self, key: MediaId) -> bool {
        match self.listenings.get(&key).map(|one| one.hears) {
            Some(true) => true,
            Some(false) => self.end_listening(key),
            None => false,
        }
    }

    /// False if it is none.
    pub(super) fn end_listening(&mut self, key: MediaId) -> bool {
        let Some(one) = self.listenings.remove(&key) else {
            return false;
        };
        if let Some(thread) = self.threads.get_mut(one.thread) {
            thread.unlisten(one.of, listener_id(key));
        }
        self.forget_id(&one.id);
        self.drop_browser(one.leg);
        self.events.ended(&one.id, EndCause::Local);
        true
    }

    /// The call is over, and whoever listens to it has nothing to hear; none: all calls.
    pub(super) fn end_listenings(&mut self, of: Option<MediaId>) {
        let is_theirs = |one: &Listening| of.is_none_or(|of| one.of == of);
        let over: Vec<MediaId> = (self.listenings.iter())
            .filter(|(_, one)| is_theirs(one))
            .map(|(key, _)| *key)
            .collect();
        for key in over {
            self.end_listening(key);
        }
    }
}
