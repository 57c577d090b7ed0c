//! A call as the house sees it.
//! Owns: its state, whose it is, and when what happened.
//! Never: knows SIP or RTP.

use crate::consumer::Consumer;
use crate::id::{CallId, UserId};
use crate::text::plain_line;
use crate::time::UnixMillis;
use crate::view::{ButtonView, CallState, CallView, CaptureView};

/// Longest caller text that is kept: what a call bar can show.
const CALLER_CHARS_MAX: usize = 80;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    id: CallId,
    agent: Option<UserId>,
    caller: String,
    caller_number: String,
    called: String,
    state: CallState,
    began_at: UnixMillis,
    answered_at: Option<UnixMillis>,
    ended_at: Option<UnixMillis>,
    line_silent: bool,
    line_protected: bool,
    consumer: Consumer,
}

impl Call {
    /// A call that rings for an agent, or for a phone that no agent's page belongs to. The caller's texts (shown, and its number) are hostile: what
    /// hides or turns text goes, and they are cut.
    #[must_use]
    pub fn ringing(
        id: CallId,
        agent: Option<UserId>,
        (caller, number): (&str, &str),
        called: &str,
        now: UnixMillis,
    ) -> Self {
        Self {
            id,
            agent,
            caller: plain_line(caller, CALLER_CHARS_MAX),
            caller_number: plain_line(number, CALLER_CHARS_MAX),
            called: plain_line(called, CALLER_CHARS_MAX),
            state: CallState::Ringing,
            began_at: now,
            answered_at: None,
            ended_at: None,
            line_silent: false,
            line_protected: false,
            consumer: Consumer::default(),
        }
    }

    /// Identity.
    #[must_use]
    pub fn id(&self) -> &CallId {
        &self.id
    }

    /// Whose page shows it.
    #[must_use]
    pub fn agent(&self) -> Option<&UserId> {
        self.agent.as_ref()
    }

    /// The number that was called.
    #[must_use]
    pub fn called(&self) -> &str {
        &self.called
    }

    /// When it came.
    #[must_use]
    pub fn began_at(&self) -> UnixMillis {
        self.began_at
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> CallState {
        self.state
    }

    /// Both legs are connected.
    pub fn answered(&mut self, now: UnixMillis) {
        if self.state == CallState::Ringing {
            self.state = CallState::Connected;
            self.answered_at = Some(now);
        }
    }

    /// On hold, or back.
    pub fn held(&mut self, held: bool) {
        match (self.state, held) {
            (CallState::Connected, true) => self.state = CallState::Held,
            (CallState::Held, false) => self.state = CallState::Connected,
            (CallState::Ringing | CallState::Connected | CallState::Held | CallState::Ended, _) => {
            }
        }
    }

    /// Over; a second end changes nothing.
    pub fn ended(&mut self, now: UnixMillis) {
        if self.state != CallState::Ended {
            self.state = CallState::Ended;
            self.ended_at = Some(now);
            self.line_silent = false;
            self.line_protected = false;
        }
    }

    /// Nothing is heard from the consumer, or it is back.
    pub fn line_silent(&mut self, silent: bool) {
        self.line_silent = silent && self.state != CallState::Ended;
    }

    /// Somebody spoke on it.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        self.answered_at.is_some()
    }

    /// The mask holds, or holds no longer.
    pub fn line_protected(&mut self, protected: bool) {
        self.line_protected = protected && self.state != CallState::Ended;
    }

    /// What is known of its consumer.
    #[must_use]
    pub fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    /// This is known of its consumer from now on, and nothing that was known before.
    pub fn know(&mut self, consumer: Consumer) {
        self.consumer = consumer;
    }

    /// What the agent's page shows.
    #[must_use]
    pub fn view(&self, buttons: Vec<ButtonView>, capture: Option<CaptureView>) -> CallView {
        CallView {
            id: self.id.clone(),
            state: self.state,
            caller: self.caller.clone(),
            caller_number: self.caller_number.clone(),
            called: self.called.clone(),
            began_at: self.began_at,
            answered_at: self.answered_at,
            ended_at: self.ended_at,
            line_silent: self.line_silent,
            line_protected: self.line_protected,
            consumer: self.consumer.clone(),
            buttons,
            capture,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call::ringing(
            CallId::from_random(1),
            None,
            ("Jane\u{7}\nRoe", "+1\n555"),
            "4000",
            UnixMillis(5),
        )
    }

    #[test]
    fn a_caller_name_is_one_plain_line() {
        let view = call().view(Vec::new(), None);
        assert_eq!(
            (&*view.caller, &*view.caller_number),
            ("Jane Roe", "+1 555")
        );
    }

    #[test]
    fn an_ended_call_stays_ended() {
        let mut call = call();
        call.answered(UnixMillis(6));
        call.held(true);
        call.ended(UnixMillis(7));
        call.held(false);
        call.answered(UnixMillis(8));
        call.ended(UnixMillis(9));
        assert_eq!(
            (call.state(), call.view(Vec::new(), None).ended_at),
            (CallState::Ended, Some(UnixMillis(7)))
        );
    }
}
