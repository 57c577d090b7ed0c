//! People who listen to a call on its media thread.
//! Owns: which browser each of them has, and the way of their packets.
//! Never: gives the relay a packet of theirs, or them one of the consumer's: they hear what leaves for both sides.

use std::time::Instant;

use media::leg::Leg;
use media::relay::Relay;
use media::supervision::{Barging, ListenerId, Sent, Supervision, Voice};

use super::browsers::BrowserId;
use super::running::{RunningCall, Ways};
use super::worker::Worker;
use super::{MediaId, NewListener};

/// A call's listeners. Takes memory from the first one on until the last has left.
#[derive(Default)]
pub(super) struct Listeners {
    supervision: Option<Box<Supervision>>,
    /// At most as many as may listen.
    browsers: Vec<(ListenerId, BrowserId)>,
}

impl Listeners {
    /// False: so many listen already.
    fn join(&mut self, now: Instant, new: &NewListener) -> bool {
        let supervision = self.supervision.get_or_insert_default();
        let joined = supervision.join(now, new.id, new.codec, new.seed);
        if joined.is_ok() {
            self.browsers.push((new.id, new.browser));
        }
        joined.is_ok()
    }

    /// Yields the browser that is of no use any more.
    fn leave(&mut self, id: ListenerId) -> Option<BrowserId> {
        let place = self.browsers.iter().position(|(one, _)| *one == id)?;
        let (_, browser) = self.browsers.swap_remove(place);
        if let Some(supervision) = &mut self.supervision {
            supervision.leave(id);
        }
        if self.browsers.is_empty() {
            self.supervision = None;
        }
        Some(browser)
    }

    /// Another connection of the same browser; yields the one before.
    fn swap(&mut self, id: ListenerId, browser: BrowserId) -> Option<BrowserId> {
        let (_, former) = self.browsers.iter_mut().find(|(one, _)| *one == id)?;
        Some(std::mem::replace(former, browser))
    }

    pub(super) fn browsers(&self) -> impl Iterator<Item = BrowserId> {
        self.browsers.iter().map(|(_, browser)| *browser)
    }

    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.supervision.as_ref()?.next_timeout()
    }

    /// The call is to be protected: whoever had barged in listens.
    pub(super) fn end_barges(&mut self) {
        if let Some(supervision) = &mut self.supervision {
            supervision.end_barges();
        }
    }

    /// How what leaves is heard and spoken into; none while nobody listens.
    pub(super) fn mixer(&mut self, relay: &Relay, is_protection_wanted: bool) -> Option<Mixer<'_>> {
        let supervision = self.supervision.as_deref_mut()?;
        let barging = if is_protection_wanted {
            Barging::Refused
        } else {
            relay.barging()
        };
        Some(Mixer {
            supervision,
            barging,
            consumer: relay.sent(Leg::Consumer),
            agent: relay.sent(Leg::Agent),
        })
    }

    fn send(&mut self, now: Instant, ways: &mut Ways<'_>) {
        let Self {
            supervision,
            browsers,
        } = self;
        let Some(supervision) = supervision else {
            return;
        };
        supervision.handle_timeout(now);
        while let Some((id, packet)) = supervision.poll_output() {
            let browser = browsers.iter().find(|(one, _)| *one == id);
            if let Some((_, browser)) = browser {
                ways.browsers.send(*browser, packet, now, ways.outbox);
            }
        }
    }
}

/// What leaves in one step of a call, with whom listens to it.
pub(super) struct Mixer<'call> {
    supervision: &'call mut Supervision,
    barging: Barging,
    consumer: Sent,
    agent: Sent,
}

impl Mixer<'_> {
    /// What leaves in a packet's place.
    pub(super) fn pass<'packet>(
        &'packet mut self,
        leg: Leg,
        packet: &'packet [u8],
    ) -> &'packet [u8] {
        let sent = match leg {
            Leg::Consumer => self.consumer,
            Leg::Agent => self.agent,
        };
        self.supervision.pass(leg, sent, packet, self.barging)
    }

    /// What is recorded in the place of some samples.
    pub(super) fn record<'samples>(
        &'samples mut self,
        leg: Leg,
        samples: &'samples [i16],
    ) -> &'samples [i16] {
        match leg {
            Leg::Consumer => samples,
            Leg::Agent => self.supervision.record(samples, self.barging),
        }
    }
}

impl RunningCall {
    /// A packet of a listener's microphone.
    pub(super) fn hear_listener(&mut self, id: ListenerId, packet: &[u8]) {
        if let Some(supervision) = &mut self.listeners().supervision {
            supervision.hear(id, packet);
        }
    }

    pub(super) fn send_to_listeners(&mut self, now: Instant, ways: &mut Ways<'_>) {
        self.listeners().send(now, ways);
    }

    fn speak(&mut self, id: ListenerId, voice: Voice) {
        if let Some(supervision) = &mut self.listeners().supervision {
            supervision.speak(id, voice);
        }
    }
}

impl Worker {
    pub(super) fn listen(&mut self, call: MediaId, new: &NewListener, now: Instant) {
        let joined = self.on_place(call, now, |call, place| {
            call.listeners().join(now, new).then_some(place)
        });
        let browsers = &mut self.calls.browsers;
        match joined {
            Some(place) => browsers.bind_listener(new.browser, place, new.id),
            None => browsers.close(new.browser),
        }
    }

    pub(super) fn hear(&mut self, call: MediaId, id: ListenerId, voice: Voice, now: Instant) {
        self.on(call, now, |call, _| call.speak(id, voice));
    }

    pub(super) fn swap_listener(
        &mut self,
        call: MediaId,
        id: ListenerId,
        browser: BrowserId,
        now: Instant,
    ) {
        let swapped = self.on_place(call, now, |call, place| {
            let former = call.listeners().swap(id, browser)?;
            Some((former, place))
        });
        let browsers = &mut self.calls.browsers;
        match swapped {
            Some((former, place)) => {
                browsers.close(former);
                browsers.bind_listener(browser, place, id);
            }
            None => browsers.close(browser),
        }
    }

    pub(super) fn unlisten(&mut self, call: MediaId, id: ListenerId, now: Instant) {
        let left = self.on_place(call, now, |call, _| call.listeners().leave(id));
        if let Some(browser) = left {
            self.calls.browsers.close(browser);
        }
    }

    fn on_place<R>(
        &mut self,
        call: MediaId,
        now: Instant,
        act: impl FnOnce(&mut RunningCall, usize) -> Option<R>,
    ) -> Option<R> {
        let place = self.place_of(call)?;
        let outbox = self.io.outbox();
        let done = self.calls.with(place, now, outbox, |call, _| {
            let done = act(call, place);
            call.look_again();
            done
        });
        done.flatten()
    }
}
