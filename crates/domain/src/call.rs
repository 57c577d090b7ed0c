//! A call as the house sees it.
//! Owns: its state, whose it is, and when what happened.
//! Never: knows SIP or RTP.

use crate::consumer::Consumer;
use crate::id::{CallId, UserId};
use crate::outbound::{DialFailure, DialNumber, DialStep, DialView};
use crate::text::plain_line;
use crate::time::UnixMillis;
use crate::view::{
    ButtonView, CallRecordingView, CallState, CallView, CaptureView, Holder, TransferView,
};

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
    is_agent_muted: bool,
    transfer: Option<TransferView>,
    dialled: Option<DialView>,
    is_held_by_agent: bool,
    is_held_by_phone: bool,
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
            is_agent_muted: false,
            transfer: None,
            dialled: None,
            is_held_by_agent: false,
            is_held_by_phone: false,
            began_at: now,
            answered_at: None,
            ended_at: None,
            line_silent: false,
            line_protected: false,
            consumer: Consumer::default(),
        }
    }

    /// A call that an agent makes: to this number, in the name of another. The agent's phone rings first.
    #[must_use]
    pub fn dialled(
        id: CallId,
        agent: UserId,
        number: &DialNumber,
        shown: &str,
        now: UnixMillis,
    ) -> Self {
        let call = Self::ringing(id, Some(agent), ("", shown), number.as_str(), now);
        let dialled = Some(DialView {
            step: DialStep::AgentPhone,
            failed: None,
        });
        Self { dialled, ..call }
    }

    /// An agent makes it.
    #[must_use]
    pub fn is_dialled(&self) -> bool {
        self.dialled.is_some()
    }

    /// How far the call is that the agent makes. It never goes back.
    pub fn dial_step(&mut self, step: DialStep) {
        if let (Some(dialled), CallState::Ringing) = (&mut self.dialled, self.state) {
            dialled.step = dialled.step.max(step);
        }
    }

    /// The number was not reached.
    pub fn dial_failed(&mut self, why: DialFailure) {
        if let (Some(dialled), None) = (&mut self.dialled, self.answered_at) {
            dialled.failed = Some(why);
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

    /// The caller's number: one plain line; empty: it sent none.
    #[must_use]
    pub fn caller_number(&self) -> &str {
        &self.caller_number
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
            self.dial_step(DialStep::Answered);
            self.state = CallState::Connected;
            self.answered_at = Some(now);
        }
    }

    /// Both have answered, and nobody has hung up: what an agent can do with a call can be done.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, CallState::Connected | CallState::Held)
    }

    /// On hold by a phone, or no longer so.
    pub fn held_by_phone(&mut self, held: bool) {
        if self.is_up() {
            self.is_held_by_phone = held;
            self.settle_hold();
        }
    }

    /// On hold by the agent's button, or no longer so.
    pub fn held_by_agent(&mut self, held: bool) {
        if self.is_up() {
            self.is_held_by_agent = held;
            self.settle_hold();
        }
    }

    /// Another agent's phone rings to take it over, or that came to nothing; none: neither is to be shown.
    pub fn transfer(&mut self, transfer: Option<TransferView>) {
        if self.is_up() {
            self.transfer = transfer;
        }
    }

    /// Another agent has it from now on, who is not muted.
    pub fn taken_over(&mut self, agent: UserId) {
        if self.is_up() {
            self.agent = Some(agent);
            self.transfer = None;
            self.is_agent_muted = false;
        }
    }

    /// This agent's page shows it from now on.
    pub fn paired(&mut self, agent: UserId) {
        if self.state != CallState::Ended {
            self.agent = Some(agent);
            self.is_agent_muted = false;
        }
    }

    /// No agent's page shows it any more; it goes on.
    pub fn released(&mut self) {
        self.agent = None;
    }

    /// What the agent is shown last who has it no more: it is over for them.
    #[must_use]
    pub fn farewell(&self, now: UnixMillis) -> CallView {
        let mut gone = self.clone();
        gone.ended(now);
        gone.view(CallRecordingView::OFF, Vec::new(), None)
    }

    fn settle_hold(&mut self) {
        self.state = match self.holder() {
            Some(_) => CallState::Held,
            None => CallState::Connected,
        };
    }

    fn holder(&self) -> Option<Holder> {
        match (self.is_held_by_agent, self.is_held_by_phone) {
            (true, _) => Some(Holder::Agent),
            (false, true) => Some(Holder::Phone),
            (false, false) => None,
        }
    }

    /// The button Hold is pressed.
    #[must_use]
    pub fn is_held_by_agent(&self) -> bool {
        self.is_held_by_agent
    }

    /// The consumer does not hear the agent, or does again.
    pub fn agent_muted(&mut self, muted: bool) {
        if self.is_up() {
            self.is_agent_muted = muted;
        }
    }

    /// Over; a second end changes nothing.
    pub fn ended(&mut self, now: UnixMillis) {
        if self.state != CallState::Ended {
            self.state = CallState::Ended;
            self.is_agent_muted = false;
            self.transfer = None;
            self.is_held_by_agent = false;
            self.is_held_by_phone = false;
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
    pub fn view(
        &self,
        recording: CallRecordingView,
        buttons: Vec<ButtonView>,
        capture: Option<CaptureView>,
    ) -> CallView {
        CallView {
            id: self.id.clone(),
            state: self.state,
            held_by: self.holder(),
            agent_muted: self.is_agent_muted,
            transfer: self.transfer.clone(),
            dialled: self.dialled,
            caller: self.caller.clone(),
            caller_number: self.caller_number.clone(),
            called: self.called.clone(),
            began_at: self.began_at,
            answered_at: self.answered_at,
            ended_at: self.ended_at,
            line_silent: self.line_silent,
            line_protected: self.line_protected,
            recording,
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
        let view = call().view(CallRecordingView::OFF, Vec::new(), None);
        assert_eq!(
            (&*view.caller, &*view.caller_number),
            ("Jane Roe", "+1 555")
        );
    }

    #[test]
    fn an_ended_call_stays_ended() {
        let mut call = call();
        call.answered(UnixMillis(6));
        call.held_by_phone(true);
        call.ended(UnixMillis(7));
        call.held_by_phone(false);
        call.held_by_agent(true);
        call.agent_muted(true);
        call.answered(UnixMillis(8));
        call.ended(UnixMillis(9));
        let view = call.view(CallRecordingView::OFF, Vec::new(), None);
        assert_eq!(
            (view.state, view.ended_at),
            (CallState::Ended, Some(UnixMillis(7)))
        );
        assert_eq!((view.held_by, view.agent_muted), (None, false));
    }

    #[test]
    fn a_call_that_is_made_goes_on_step_by_step_and_says_why_it_failed() {
        let number = DialNumber::parse("+1 555 0100").unwrap();
        let mut call = Call::dialled(
            CallId::from_random(1),
            UserId::from_random(2),
            &number,
            "+15550199",
            UnixMillis(5),
        );
        let shown = |call: &Call| {
            let view = call.view(CallRecordingView::OFF, Vec::new(), None);
            view.dialled.map(|dialled| (dialled.step, dialled.failed))
        };
        assert_eq!(call.called(), "+15550100");
        assert_eq!(shown(&call), Some((DialStep::AgentPhone, None)));
        call.dial_step(DialStep::Ringing);
        call.dial_step(DialStep::Calling);
        assert_eq!(shown(&call), Some((DialStep::Ringing, None)));
        let mut busy = call.clone();
        busy.dial_failed(DialFailure::Busy);
        busy.ended(UnixMillis(6));
        assert_eq!(
            shown(&busy),
            Some((DialStep::Ringing, Some(DialFailure::Busy)))
        );
        call.answered(UnixMillis(6));
        call.dial_failed(DialFailure::NoAnswer);
        assert_eq!(shown(&call), Some((DialStep::Answered, None)));
    }

    #[test]
    fn a_call_is_held_until_neither_button_nor_phone_holds_it() {
        let mut call = call();
        call.held_by_agent(true);
        assert_eq!(call.state(), CallState::Ringing);
        call.answered(UnixMillis(6));
        let mut steps = Vec::new();
        let steps_of: [(bool, bool); 6] = [
            (true, true),
            (false, true),
            (true, false),
            (true, true),
            (false, false),
            (true, false),
        ];
        for (by_agent, held) in steps_of {
            if by_agent {
                call.held_by_agent(held);
            } else {
                call.held_by_phone(held);
            }
            steps.push(call.view(CallRecordingView::OFF, Vec::new(), None).held_by);
        }
        let (agent, phone) = (Some(Holder::Agent), Some(Holder::Phone));
        assert_eq!(steps, [agent, agent, phone, agent, agent, None]);
        assert_eq!(call.state(), CallState::Connected);
    }
}
