//! What media says, and what is asked of it in a running call.
//! Owns: the way from a wish for protection to its answer.
//! Never: holds a key longer than the step that hands it on.

use std::sync::Arc;
use std::time::Instant;

use domain::boundary::{EndCause, LineEvent, Protected, ProtectionRefused};
use domain::service::ProtectionScope;
use secret::{Key, KeySender};
use sip::digest::Ha1;
use sip::{Command, PhoneAccount};
use tokio::sync::oneshot;

use super::call::Which;
use super::exchange::Exchange;
use super::lock;
use crate::media_thread::{MediaId, MediaThread, Report};

/// Reports taken from one thread in one turn: as many as its ring holds.
const REPORTS_PER_TURN_MAX: usize = 4_096;

/// `Reason` of calls that nothing was heard of any more (S36).
const MEDIA_TIMEOUT_REASON: &str = "Q.850;cause=102;text=\"media timeout\"";

type Reply = oneshot::Sender<Result<Protected, ProtectionRefused>>;

/// An answer whose asker is gone has nobody to act on it.
fn refuse(reply: Reply, code: &'static str) {
    let _asker_is_gone = reply.send(Err(ProtectionRefused { code }));
}

impl Exchange {
    pub(super) fn protect(&mut self, key: MediaId, reply: Reply) {
        let Some(call) = self.call(key) else {
            return refuse(reply, "no_call");
        };
        if call
            .protecting
            .as_ref()
            .is_some_and(|waiting| !waiting.is_closed())
        {
            return refuse(reply, "busy");
        }
        let Some(thread) = call.thread() else {
            return refuse(reply, "no_media");
        };
        let asked = self
            .threads
            .get_mut(thread)
            .map(|thread| thread.protect(key));
        match asked {
            Some(Ok(())) => {}
            Some(Err(why)) => return refuse(reply, why.code()),
            None => return refuse(reply, "no_media"),
        }
        if let Some(call) = self.call(key) {
            call.protecting = Some(reply);
        }
    }

    /// A call whose service protects it as a whole stays as it is: also when whoever asked for its mask gave up waiting.
    pub(super) fn unprotect(&mut self, key: MediaId) {
        if let Some(call) = self.call(key) {
            if let Some(reply) = call.protecting.take() {
                refuse(reply, "cancelled");
            }
            if call.protection == ProtectionScope::Always {
                return;
            }
            call.protected = false;
        }
        self.on_thread(key, |thread| thread.unprotect(key));
    }

    /// Heard at once, or when media begins.
    pub(super) fn watch(&mut self, key: MediaId, on: bool) {
        if let Some(call) = self.call(key) {
            call.watched = on;
        }
        self.on_thread(key, |thread| thread.watch(key, on));
    }

    /// Heard at once, or when media begins.
    pub(super) fn hear_agent(&mut self, key: MediaId, keys: Option<KeySender>) {
        let Some(call) = self.call(key) else { return };
        if call.thread().is_some() {
            self.on_thread(key, |thread| thread.hear_agent(key, keys));
        } else {
            call.agent_keys = keys;
        }
    }

    pub(super) fn mute(&mut self, key: MediaId, on: bool) {
        self.on_thread(key, |thread| thread.mute(key, on));
    }

    pub(super) fn mute_agent(&mut self, key: MediaId, on: bool) {
        self.on_thread(key, |thread| thread.mute_agent(key, on));
    }

    pub(super) fn hold(&mut self, key: MediaId, on: bool) {
        self.on_thread(key, |thread| thread.hold(key, on));
    }

    /// A key of the agent's page for the consumer's side. One that finds its thread too far behind is lost, as a key of a phone would be.
    pub(super) fn send_key(&mut self, key: MediaId, pressed: Key) {
        self.on_thread(key, |thread| {
            if thread.send_key(key, pressed).is_err() {
                tracing::warn!("a key of an agent's page was dropped: its media thread is behind");
            }
        });
    }

    fn on_thread(&mut self, key: MediaId, act: impl FnOnce(&mut MediaThread)) {
        let thread = self.call(key).and_then(|call| call.thread());
        if let Some(thread) = thread.and_then(|thread| self.threads.get_mut(thread)) {
            act(thread);
        }
    }

    /// A key came by SIP INFO.
    pub(super) fn info_key(&mut self, key: MediaId, which: Which, pressed: Key) {
        let Some(call) = self.call(key) else { return };
        let (protected, id) = (call.protected, Arc::clone(&call.id));
        let (leg, is_consumer) = (call.media_leg(which), which == call.consumer);
        let Some(thread) = call.thread() else { return };
        if !call.side(which).is_some_and(|side| side.trust.info_digits) {
            return;
        }
        let taken = self
            .threads
            .get_mut(thread)
            .map(|thread| thread.info_key(key, leg, pressed));
        if protected && is_consumer && !matches!(taken, Some(Ok(()))) {
            self.events.line(&id, LineEvent::KeysLost);
        }
    }

    /// Takes the newest set of phones.
    pub(super) fn take_phones(&mut self, now: Instant) {
        let Some(phones) = lock(&self.shared.phones).take() else {
            return;
        };
        let given = phones.len();
        let account = |phone: domain::boundary::PhoneAccount| {
            Some(PhoneAccount {
                ha1: ha1(&phone.ha1)?,
                user: phone.user,
            })
        };
        let accounts: Vec<PhoneAccount> = phones.into_iter().filter_map(account).collect();
        if accounts.len() < given {
            tracing::warn!(
                unusable = given - accounts.len(),
                "phones without usable password hashes cannot register"
            );
        }
        self.tell(now, Command::SetPhones { accounts });
        self.drain(now);
    }

    /// Hears every media thread.
    pub(super) fn take_reports(&mut self, now: Instant) {
        for thread in 0..self.threads.len() {
            for _ in 0..REPORTS_PER_TURN_MAX {
                let Some(report) = self.threads.get_mut(thread).and_then(MediaThread::report)
                else {
                    break;
                };
                let key = report.call();
                self.guarded(now, Some(key), |this| this.heed(now, report));
            }
        }
        self.drain(now);
    }

    fn heed(&mut self, now: Instant, report: Report) {
        let key = report.call();
        if matches!(report, Report::TestOver(_)) {
            self.end_test(key);
            return;
        }
        let Some(call) = self.call(key) else { return };
        let id = Arc::clone(&call.id);
        match report {
            Report::Protected(_, timestamp) => self.holds(key, timestamp),
            Report::Refused(_, code) => {
                if let Some(reply) = call.protecting.take() {
                    refuse(reply, code);
                }
            }
            Report::ProtectionLost(_, code) => {
                if let Some(reply) = call.protecting.take() {
                    refuse(reply, code);
                }
                self.events.line(&id, LineEvent::ProtectionLost(code));
            }
            Report::KeyPressed(_) => self.events.key_pressed(&id),
            Report::KeysLost(_) => self.events.line(&id, LineEvent::KeysLost),
            Report::LineSilent(_) => self.events.line(&id, LineEvent::Silent),
            Report::LineBack(_) => self.events.line(&id, LineEvent::Back),
            Report::TonesUnclear(_) => self.events.line(&id, LineEvent::TonesUnclear),
            Report::MediaTimeout(_) => {
                self.hang_up(now, key, EndCause::Timeout, Some(MEDIA_TIMEOUT_REASON))
            }
            Report::TestOver(_) => {}
            Report::Failed(_) => self.fail(now, key),
        }
    }

    /// The mask holds; it is let go again if nobody waits for it any more.
    fn holds(&mut self, key: MediaId, timestamp: u32) {
        let Some(call) = self.call(key) else { return };
        let Some(reply) = call.protecting.take() else {
            return;
        };
        call.protected = true;
        if reply.send(Ok(Protected { timestamp })).is_err() {
            self.unprotect(key);
        }
    }
}

/// Hashes as they are stored: `sha256:md5` in hexadecimal.
fn ha1(text: &str) -> Option<Ha1> {
    let (sha256, md5) = text.split_once(':')?;
    Ha1::from_hex(sha256, md5)
}
