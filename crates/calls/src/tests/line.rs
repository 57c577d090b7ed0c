//! The telephone side as calls see it, and what was asked of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::boundary::*;
use domain::id::*;
use domain::listening::Voice;
use domain::queue::WaitingSound;
use domain::service::ProtectionScope;
use secret::{Key, KeySender};

/// A line that is protected when the test says so.
#[derive(Default)]
pub(super) struct Line {
    pub(super) log: Mutex<Vec<&'static str>>,
    pub(super) refuses: AtomicBool,
    pub(super) is_busy: AtomicBool,
    pub(super) is_slow: AtomicBool,
    /// Who was offered a leg that listens.
    pub(super) listeners: Mutex<Vec<UserId>>,
    /// Calls that agents make.
    pub(super) dialled: Mutex<Vec<Dial>>,
    /// Where the keys of agents' phones go, of the calls that are listened to.
    pub(super) agent_keys: Mutex<BTreeMap<CallId, KeySender>>,
    /// What was said to transfers by phones.
    pub(super) answers: Mutex<Vec<ReferralAnswer>>,
    /// When the service of the call opens that was refused last.
    pub(super) opens_in: Mutex<Option<Duration>>,
    /// Where calls were sent.
    pub(super) routed: Mutex<Vec<RouteTarget>>,
}

impl Line {
    fn note(&self, what: &'static str) -> Result<(), TelephonyError> {
        self.log.lock().unwrap().push(what);
        if self.is_busy.load(Ordering::SeqCst) {
            return Err(TelephonyError::Busy);
        }
        Ok(())
    }

    pub(super) fn count(&self, what: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|noted| **noted == what).count()
    }
}

impl Telephony for Line {
    fn route(
        &self,
        _: &CallId,
        target: RouteTarget,
        protection: ProtectionScope,
    ) -> Result<(), TelephonyError> {
        self.routed.lock().unwrap().push(target.clone());
        if matches!(target, RouteTarget::Browser { .. }) {
            return self.note("route to a browser");
        }
        self.note(match protection {
            ProtectionScope::Capture => "route",
            ProtectionScope::Always => "route protected",
        })
    }

    fn wait(&self, _: &CallId, sound: Option<WaitingSound>) -> Result<(), TelephonyError> {
        self.note(if sound.is_some() {
            "music"
        } else {
            "hold place"
        })
    }

    fn stop_ringing(&self, _: &CallId) -> Result<(), TelephonyError> {
        self.note("stop ringing")
    }

    fn dial(&self, call: Dial) -> Result<(), TelephonyError> {
        self.dialled.lock().unwrap().push(call);
        self.note("dial")
    }

    fn reject(&self, _: &CallId, _: u16) -> Result<(), TelephonyError> {
        self.note("reject")
    }

    fn reject_closed(&self, _: &CallId, opens_in: Option<Duration>) -> Result<(), TelephonyError> {
        *self.opens_in.lock().unwrap() = opens_in;
        self.note("reject_closed")
    }

    fn hang_up(&self, _: &CallId) -> Result<(), TelephonyError> {
        self.note("hang_up")
    }

    fn protect(&self, _: &CallId) -> Task<'_, Result<Protected, ProtectionRefused>> {
        let _logged = self.note("protect");
        Box::pin(async move {
            if self.is_slow.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            if self.refuses.load(Ordering::SeqCst) {
                return Err(ProtectionRefused { code: "no_media" });
            }
            Ok(Protected { timestamp: 1 })
        })
    }

    fn unprotect(&self, _: &CallId) -> Result<(), TelephonyError> {
        self.note("unprotect")
    }

    fn watch(&self, _: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.note(if on { "watch" } else { "unwatch" })
    }

    fn hear_agent(&self, call: &CallId, keys: Option<KeySender>) -> Result<(), TelephonyError> {
        let mut rings = self.agent_keys.lock().unwrap();
        match keys {
            Some(keys) => rings.insert(call.clone(), keys),
            None => rings.remove(call),
        };
        self.note("hear agent")
    }

    fn mute_consumer(&self, _: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.note(if on { "mute" } else { "unmute" })
    }

    fn mute_agent(&self, _: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.note(if on { "mute agent" } else { "unmute agent" })
    }

    fn hold(&self, _: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.note(if on { "hold" } else { "resume" })
    }

    fn send_key(&self, _: &CallId, _: Key) -> Result<(), TelephonyError> {
        self.note("key")
    }

    fn transfer(&self, _: &CallId, target: RouteTarget) -> Result<(), TelephonyError> {
        let in_page = matches!(target, RouteTarget::Browser { .. });
        self.note(if in_page {
            "transfer to a browser"
        } else {
            "transfer"
        })
    }

    fn cancel_transfer(&self, _: &CallId) -> Result<(), TelephonyError> {
        self.note("cancel transfer")
    }

    fn refer(&self, _: &CallId, answer: ReferralAnswer) -> Result<(), TelephonyError> {
        self.answers.lock().unwrap().push(answer);
        self.note("refer")
    }

    fn registered(&self) -> Vec<String> {
        vec!["kim".to_owned(), "lee".to_owned()]
    }

    fn set_phones(&self, _: Vec<PhoneAccount>) {}
}

impl ListenerLegs for Line {
    fn listen<'a>(
        &'a self,
        _: &CallId,
        listener: &UserId,
    ) -> Task<'a, Result<CallId, PhoneRefused>> {
        let noted = self.note("listen").map_err(|_| PhoneRefused::Busy);
        let leg = CallId::from_random(0x77_0000 + self.count("listen") as u128);
        self.listeners.lock().unwrap().push(listener.clone());
        Box::pin(async move { noted.map(|()| leg) })
    }

    fn speak(&self, _: &CallId, voice: Voice) -> Result<(), TelephonyError> {
        self.note(match voice {
            Voice::Nobody => "silent",
            Voice::Agent => "whisper",
            Voice::Both => "join",
        })
    }

    fn end_listening(&self, _: &CallId) -> Result<(), TelephonyError> {
        self.note("end listening")
    }
}

impl BrowserLegs for Line {
    fn ask<'a>(
        &'a self,
        _: &CallId,
        _: &UserId,
        ask: PhoneAsk,
    ) -> Task<'a, Result<PhoneSaid, PhoneRefused>> {
        let (what, said) = match ask {
            PhoneAsk::Offer => {
                let offer = "ours".to_owned();
                let is_answered = false;
                ("offer", PhoneSaid::Offer { offer, is_answered })
            }
            PhoneAsk::Connect { .. } => ("connect", PhoneSaid::Done),
            PhoneAsk::Answer => ("answer", PhoneSaid::Done),
            PhoneAsk::Decline => ("decline", PhoneSaid::Done),
            PhoneAsk::Restart { offer } => ("restart", PhoneSaid::Restarted { answer: offer }),
        };
        let noted = self.note(what).map_err(|_| PhoneRefused::Busy);
        Box::pin(async move { noted.map(|()| said) })
    }

    fn test_browser<'a>(&'a self, _: &UserId) -> Task<'a, Result<CallId, PhoneRefused>> {
        Box::pin(async { Ok(CallId::from_random(77)) })
    }

    fn browser_address(&self) -> Option<SocketAddr> {
        Some(([192, 0, 2, 1], 20_000).into())
    }
}
