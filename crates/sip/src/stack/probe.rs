//! Whether a far side answers: OPTIONS outside of dialogs ([RFC 3261 §11](https://www.rfc-editor.org/rfc/rfc3261#section-11)).
//! Owns: one question and its first final answer.
//! Never: repeats a probe, or draws a conclusion.

use std::time::Instant;

use super::Stack;
use super::command::CommandError;
use super::event::Event;
use super::flow::Flow;
use super::uac::retry_after;
use super::write::ACCEPT;
use crate::dialog::Dialog;
use crate::message::{HeaderName, Method, NameAddr, Response, Status, Uri};
use crate::transaction::Owner;

impl Stack {
    pub(super) fn probe(
        &mut self,
        now: Instant,
        number: u64,
        target: Uri,
        flow: Flow,
    ) -> Result<(), CommandError> {
        if self.transactions_are_full() {
            return Err(CommandError::Overloaded);
        }
        let local = self.contact(flow).with_tag(&self.ids.tag());
        let call_id = self.ids.call_id();
        let remote = NameAddr::new(target.clone());
        let mut dialog = Dialog::outgoing(call_id, local, remote, target, flow);
        let mut request = dialog.next_request(Method::Options);
        request.headers.push(HeaderName::ACCEPT, ACCEPT);
        self.finish_request(&mut request, flow);
        let owner = Owner::Probe(number);
        self.clients.start(&mut self.out, now, request, flow, owner);
        Ok(())
    }

    /// The first final answer; a transaction has no other.
    pub(super) fn probe_answered(&mut self, number: u64, response: &Response) {
        if response.status.is_provisional() {
            return;
        }
        self.out.emit(Event::Probed {
            number,
            status: response.status,
            retry_after: retry_after(&response.headers),
        });
    }

    /// Nobody answered for 32 s.
    pub(super) fn probe_timed_out(&mut self, number: u64) {
        self.nobody_probed(number, Status::REQUEST_TIMEOUT);
    }

    /// Its connection is lost, or could not be made.
    pub(super) fn probe_unreached(&mut self, number: u64) {
        self.nobody_probed(number, Status::SERVICE_UNAVAILABLE);
    }

    fn nobody_probed(&mut self, number: u64, status: Status) {
        self.out.emit(Event::Probed {
            number,
            status,
            retry_after: None,
        });
    }
}
