//! What the telephone side reports.
//! Owns: the door by which it reaches calls' tasks.
//! Never: waits: it is called on the thread that SIP has to itself.

use domain::boundary::{
    Audience, CallEvents, EndCause, IncomingCall, LegCallIds, LineEvent, LiveEvent, Referral,
};
use domain::id::CallId;
use domain::outbound::DialStep;
use domain::view::TransferFailure;

use crate::arrival::start;
use crate::desk::Calls;
use crate::phones::tell_gone;
use crate::supervisors::Why;
use crate::task::LineMessage;

impl CallEvents for Calls {
    fn incoming(&self, call: IncomingCall) {
        let Some(telephony) = self.inner().telephony().cloned() else {
            return;
        };
        match self.inner().enter(&call.id) {
            Some(mail) => start(self.inner().clone(), telephony, call, mail),
            None => {
                let _gone = telephony.reject(&call.id, 503);
            }
        }
    }

    fn ringing(&self, call: &CallId) {
        if let Some(handle) = self.inner().handle(call) {
            handle.signals.refresh();
        }
    }

    fn unreached(&self, call: &CallId, _: u16) {
        self.tell(call, LineMessage::Unreached);
    }

    fn dialled(&self, call: &CallId, step: DialStep) {
        self.tell(call, LineMessage::Dialled(step));
    }

    fn answered(&self, call: &CallId, legs: LegCallIds) {
        self.tell(call, LineMessage::Answered(legs));
    }

    fn held(&self, call: &CallId, held: bool) {
        self.tell(call, LineMessage::Held(held));
    }

    fn transferred(&self, call: &CallId, outcome: Result<LegCallIds, TransferFailure>) {
        self.tell(call, LineMessage::Transferred(outcome));
    }

    fn referred(&self, call: &CallId, referral: Referral) {
        self.tell(call, LineMessage::Referred(referral));
    }

    fn ended(&self, call: &CallId, cause: EndCause) {
        if let Some(handle) = self.inner().handle(call) {
            handle.signals.end(cause);
        } else if let Some(agent) = self.inner().phones.test_ends(call) {
            tell_gone(self.inner(), &agent, call);
        } else {
            self.inner().listening_ended(call, Why::Ended);
        }
    }

    fn key_pressed(&self, call: &CallId) {
        if let Some(handle) = self.inner().handle(call) {
            handle.signals.key_pressed();
        }
    }

    fn line(&self, call: &CallId, event: LineEvent) {
        match event {
            LineEvent::ProtectionLost(code) => {
                if let Some(handle) = self.inner().handle(call) {
                    handle.signals.protection_lost(code);
                }
            }
            LineEvent::Silent
            | LineEvent::Back
            | LineEvent::TonesUnclear
            | LineEvent::KeysLost
            | LineEvent::PartyChanged => self.tell(call, LineMessage::Line(event)),
        }
    }

    fn registration(&self, user: &str, registered: bool) {
        self.inner().queue.stir();
        let snapshot = self.inner().deps.configuration.current();
        if let Some(agent) = snapshot.user_of_phone(user) {
            self.inner().deps.bus.publish(LiveEvent {
                audience: Audience::User(agent.id.clone()),
                topic: "registration",
                body: serde_json::json!({ "registered": registered }),
            });
        }
    }
}
