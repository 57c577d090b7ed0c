//! Legs that are recording sessions (RFC 7866): what their requests have besides.
//! Owns: `Require`, the contact's `+sip.src`, the body of two parts.
//! Never: knows what is recorded.

use std::time::Instant;

use super::Stack;
use super::command::{Command, CommandError};
use super::event::LegId;
use super::flow::Flow;
use super::leg::Purpose;
use super::receive::Arrival;
use super::reliable::REL100;
use super::session_timer::TIMER;
use super::uac::Outgoing;
use super::write::{description, read_answer, read_session};
use crate::message::{HeaderName, Method, Request, Status};
use crate::sdp::Session;
use crate::siprec::{METADATA_REQUEST, write_parts};

/// The option tag of recording sessions.
pub(super) const SIPREC: &str = "siprec";

/// What a recorder may send us in a dialog.
const ACCEPTED: &str = "application/sdp, application/rs-metadata-request";

impl Stack {
    /// Makes an INVITE one of a recording session.
    pub(super) fn set_recording(
        &mut self,
        request: &mut Request,
        (offer, metadata): (&Session, &str),
        flow: Flow,
    ) {
        let mut contact = self.contact(flow);
        contact.params.set("+sip.src", None);
        let headers = &mut request.headers;
        headers.set(HeaderName::CONTACT, contact);
        headers.set(HeaderName::REQUIRE, SIPREC);
        headers.set(HeaderName::ACCEPT, ACCEPTED);
        // Random, so that nothing in the parts can be it.
        let boundary = format!("tonewall-{}", self.ids.cnonce());
        let sdp = offer.to_string();
        write_parts(headers, &mut request.body, (&boundary, &sdp, metadata));
    }

    pub(super) fn command_recording(
        &mut self,
        now: Instant,
        command: Command,
    ) -> Result<(), CommandError> {
        match command {
            Command::InviteRecorder {
                leg,
                target,
                from,
                flow,
                offer,
                metadata,
                headers,
                credentials,
            } => {
                let call = Outgoing {
                    leg,
                    target,
                    to: None,
                    from,
                    flow,
                    offer: Some(offer),
                    metadata: Some(metadata),
                    max_forwards: None,
                    headers,
                    credentials,
                };
                self.invite(now, call)
            }
            Command::ChangeRecording {
                leg,
                offer,
                metadata,
            } => self.change_recording(now, leg, &offer, &metadata),
            _ => Err(CommandError::WrongState),
        }
    }

    fn change_recording(
        &mut self,
        now: Instant,
        id: LegId,
        offer: &Session,
        metadata: &str,
    ) -> Result<(), CommandError> {
        let leg = self.legs.get(&id).ok_or(CommandError::BugUnknownLeg)?;
        if !leg.is_recording {
            return Err(CommandError::WrongState);
        }
        let (mut request, flow) = self.next_change(id, Method::Invite)?;
        self.set_recording(&mut request, (offer, metadata), flow);
        let purpose = Purpose::Offer(description(offer));
        self.send_change(now, id, request, flow, purpose);
        Ok(())
    }

    /// What the far side of a leg may require of us.
    pub(super) fn known_extensions(&self, id: LegId) -> &'static [&'static str] {
        let leg = self.legs.get(&id);
        match leg.is_some_and(|leg| leg.is_recording) {
            true => &[TIMER, REL100, SIPREC],
            false => self.extensions(),
        }
    }

    /// The offer of a re-INVITE, which a recorder may put among other parts. One that asks for all metadata alone asks for our offer.
    pub(super) fn offer_of(
        &self,
        arrival: &Arrival<'_>,
        id: LegId,
    ) -> Result<Option<Session>, Status> {
        let Request { headers, body, .. } = arrival.request;
        if self.legs.get(&id).is_none_or(|leg| !leg.is_recording) {
            return read_session(headers, body);
        }
        match headers.content_type().as_deref() {
            Some(METADATA_REQUEST) => Ok(None),
            _ => read_answer(headers, body),
        }
    }
}
