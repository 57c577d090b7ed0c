//! What the caller asks of a stack.

use std::time::{Duration, Instant};

use thiserror::Error;

use super::Stack;
use super::config::{Credentials, Peer, PhoneAccount};
use super::event::LegId;
use super::flow::Flow;
use super::leg::{Exchange, State};
use super::register_client::Flows;
use super::uac::Outgoing;
use crate::message::{Body, HeaderName, Method, NameAddr, Status, Uri};
use crate::sdp::Session;
use crate::transaction::Owner;

/// A wish. A leg's commands fit its state or are refused with [`CommandError::WrongState`]; nothing is sent then.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Calls a far side on a new leg.
    Invite {
        /// From [`Stack::new_leg`](super::Stack::new_leg).
        leg: LegId,
        /// Request-URI.
        target: Uri,
        /// `To`; the target if none is given.
        to: Option<NameAddr>,
        /// `From`; its tag is set by the stack.
        from: NameAddr,
        /// Where the request goes. Names are not resolved here.
        flow: Flow,
        /// Our offer; none makes a late offer: the far side offers in its 2xx and [`Command::AckAnswer`] answers.
        offer: Option<Session>,
        /// `Max-Forwards`: one less than what came in on the other leg, so that loops through other B2BUAs end; none: 70.
        max_forwards: Option<u8>,
        /// Further header fields. Only these are written: what [`HeaderName::may_be_carried`] allows, `P-Asserted-Identity`, `Privacy`, `Date` and any
        /// `X-` name.
        headers: Vec<(HeaderName, String)>,
        /// For a challenge of their realm; none: those of the peer at this address.
        credentials: Option<Credentials>,
    },
    /// Asks a recorder to take a recording session, on a new leg (RFC 7866): INVITE with `Require: siprec`, and a body of the offer and the metadata.
    InviteRecorder {
        /// From [`Stack::new_leg`](super::Stack::new_leg).
        leg: LegId,
        /// Request-URI and `To`.
        target: Uri,
        /// `From`; its tag is set by the stack.
        from: NameAddr,
        /// Where the request goes. Names are not resolved here.
        flow: Flow,
        /// Our offer, of both labelled streams.
        offer: Session,
        /// The metadata (RFC 7865).
        metadata: String,
        /// Further header fields, as in [`Command::Invite`].
        headers: Vec<(HeaderName, String)>,
        /// For challenges of their realm, also of later changes.
        credentials: Option<Credentials>,
    },
    /// Changes a recording session: a re-INVITE with both parts.
    ChangeRecording {
        /// The leg.
        leg: LegId,
        /// Our offer.
        offer: Session,
        /// The metadata.
        metadata: String,
    },
    /// Sends a provisional answer on an incoming leg: 180, or 183 with early media; reliably where the caller asks for it
    /// ([RFC 3262](https://www.rfc-editor.org/rfc/rfc3262)). Such a caller that made no offer needs ours in the first one, and
    /// [`Event::OfferAnswered`](super::Event) brings its answer.
    Provisional {
        /// The leg.
        leg: LegId,
        /// 101 to 199; 100 goes by itself.
        status: Status,
        /// Answer (or offer) for early media.
        answer: Option<Session>,
    },
    /// Accepts an incoming leg with 200. If the INVITE had no offer, the session is our offer and [`Event::Confirmed`](super::Event)
    /// brings the answer.
    Answer {
        /// The leg.
        leg: LegId,
        /// Our answer (or offer).
        answer: Session,
    },
    /// Refuses an incoming leg.
    Reject {
        /// The leg.
        leg: LegId,
        /// 300 to 699.
        status: Status,
        /// Reason phrase instead of the usual one.
        reason: Option<String>,
    },
    /// Refuses an incoming leg with more header fields.
    Decline {
        /// The leg.
        leg: LegId,
        /// 300 to 699.
        status: Status,
        /// What else is said, such as `Warning`.
        headers: Vec<(HeaderName, String)>,
    },
    /// Ends a leg, whatever its state asks for: final answer, CANCEL (held back until a provisional came), BYE (after the ACK).
    Hangup {
        /// The leg.
        leg: LegId,
        /// Text of a `Reason` header, as in `Q.850;cause=16`.
        reason: Option<String>,
    },
    /// Sends a re-INVITE.
    Reinvite {
        /// The leg.
        leg: LegId,
        /// Our offer.
        offer: Session,
    },
    /// Offers a change by UPDATE ([RFC 3311](https://www.rfc-editor.org/rfc/rfc3311)), before the leg is answered or later; only to a far
    /// side that has said that it takes it, and before the answer only once a reliable response has settled the first exchange.
    Update {
        /// The leg.
        leg: LegId,
        /// Our offer.
        offer: Session,
    },
    /// Accepts the far side's re-INVITE or UPDATE. If it had no offer, the session is our offer.
    AcceptOffer {
        /// The leg.
        leg: LegId,
        /// Our answer (or offer).
        answer: Session,
    },
    /// Refuses the far side's re-INVITE or UPDATE; the session stays as it was. An offer that came in a reliable response to our INVITE
    /// cannot be refused by itself: the leg is given up with it.
    RejectOffer {
        /// The leg.
        leg: LegId,
        /// 400 to 699, usually 488.
        status: Status,
    },
    /// Answers a late offer in the ACK.
    AckAnswer {
        /// The leg.
        leg: LegId,
        /// Our answer.
        answer: Session,
    },
    /// Sends an INFO. Only the simulator's phones do.
    Info {
        /// The leg.
        leg: LegId,
        /// `Content-Type`.
        content_type: String,
        /// Wiped when it has been sent and answered.
        body: Body,
    },
    /// Goes about what the far side asked for by REFER: 202, and that it is being tried.
    AcceptReferral {
        /// The leg.
        leg: LegId,
    },
    /// Does not.
    RefuseReferral {
        /// The leg.
        leg: LegId,
        /// 400 to 699, usually 603.
        status: Status,
    },
    /// Tells the far side how far its referral is, if it wants to hear it; a final status is the last word.
    ReportReferral {
        /// The leg.
        leg: LegId,
        /// 101 to 699, as of whom is called.
        status: Status,
    },
    /// Asks the far side to call somebody else (REFER). Only the simulator's phones do.
    Refer {
        /// The leg.
        leg: LegId,
        /// `Refer-To`.
        to: NameAddr,
    },
    /// Registers us, at a trunk or as a phone, and keeps the binding fresh; zero takes it away. A registrar that refuses, or is not there, is asked again
    /// after 30 s and then twice as long each time, up to 15 min.
    Register {
        /// The address of record, `sip:user@host`; one binding for each.
        aor: Uri,
        /// User part of our `Contact`, which the registrar calls us by; none: that of the address of record.
        contact: Option<String>,
        /// The registrar.
        flow: Flow,
        /// Where it may be reached, too: the next is asked when one gives no answer, or 503. Eight at most; those after them are passed over.
        others: Vec<Flow>,
        /// For its challenge.
        credentials: Credentials,
        /// How long the binding shall hold.
        expires: Duration,
    },
    /// Asks a far side whether it is there (OPTIONS); comes back as [`Event::Probed`](super::Event).
    Probe {
        /// The caller's own number for it.
        number: u64,
        /// Request-URI.
        target: Uri,
        /// Where it goes.
        flow: Flow,
    },
    /// Replaces the phones that may register. Bindings of phones that are gone or have other hashes end.
    SetPhones {
        /// All of them.
        accounts: Vec<PhoneAccount>,
    },
    /// Replaces the far sides whose INVITEs are taken.
    SetPeers {
        /// All of them.
        peers: Vec<Peer>,
    },
}

/// Why a command was not carried out. Nothing was sent and nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The leg has ended or never was.
    #[error("caller named a leg that is not there")]
    BugUnknownLeg,
    /// The leg exists already.
    #[error("caller used a leg twice")]
    BugLegInUse,
    /// The leg's state does not allow it now: another offer is open, or it is not answered yet.
    #[error("leg is not in a state for this command")]
    WrongState,
    /// The status does not fit the command.
    #[error("status does not fit the command")]
    BugStatus,
    /// A table is full.
    #[error("signalling is at its limit of legs or transactions")]
    Overloaded,
    /// A value cannot be written as SIP.
    #[error("value cannot be written in a SIP message")]
    BugValue,
}

impl Stack {
    /// Carries a command out.
    ///
    /// # Errors
    /// See [`CommandError`]; nothing has happened then.
    pub fn command(&mut self, now: Instant, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Invite {
                leg,
                target,
                to,
                from,
                flow,
                offer,
                max_forwards,
                headers,
                credentials,
            } => {
                let call = Outgoing {
                    leg,
                    target,
                    to,
                    from,
                    flow,
                    offer,
                    metadata: None,
                    max_forwards,
                    headers,
                    credentials,
                };
                self.invite(now, call)
            }
            command @ (Command::InviteRecorder { .. } | Command::ChangeRecording { .. }) => {
                self.command_recording(now, command)
            }
            Command::Provisional {
                leg,
                status,
                answer,
            } => self.provisional(now, leg, status, answer.as_ref()),
            Command::Answer { leg, answer } => self.accept_call(now, leg, &answer),
            Command::Reject {
                leg,
                status,
                reason,
            } => self.reject(now, leg, status, reason),
            Command::Decline {
                leg,
                status,
                headers,
            } => self.decline(now, leg, status, headers),
            Command::Hangup { leg, reason } => self.hang_up(now, leg, reason),
            Command::Reinvite { leg, offer } => self.reinvite(now, leg, &offer),
            Command::Update { leg, offer } => self.update(now, leg, &offer),
            Command::AcceptOffer { leg, answer } => self.accept_offer(now, leg, &answer),
            Command::RejectOffer { leg, status } => self.reject_offer(now, leg, status),
            Command::AckAnswer { leg, answer } => self.ack_answer(leg, &answer),
            Command::Info {
                leg,
                content_type,
                body,
            } => self.info(now, leg, &content_type, body),
            Command::AcceptReferral { leg } => self.accept_referral(now, leg),
            Command::RefuseReferral { leg, status } => self.refuse_referral(now, leg, status),
            Command::ReportReferral { leg, status } => self.report_referral(now, leg, status),
            Command::Refer { leg, to } => self.refer(now, leg, &to),
            command @ (Command::Register { .. } | Command::Probe { .. }) => {
                self.command_outside(now, command)
            }
            command @ (Command::SetPhones { .. } | Command::SetPeers { .. }) => {
                self.configure(command);
                Ok(())
            }
        }
    }

    /// What belongs to no call.
    fn command_outside(&mut self, now: Instant, command: Command) -> Result<(), CommandError> {
        match command {
            Command::Register {
                aor,
                contact,
                flow,
                others,
                credentials,
                expires,
            } => {
                let flows = Flows::new(flow, others);
                self.register(now, (aor, contact), flows, (credentials, expires))
            }
            Command::Probe {
                number,
                target,
                flow,
            } => self.probe(now, number, target, flow),
            _ => Ok(()),
        }
    }

    /// Replaces who may call.
    fn configure(&mut self, command: Command) {
        match command {
            Command::SetPhones { accounts } => self.set_phones(accounts),
            Command::SetPeers { peers } => self.set_peers(peers),
            _ => {}
        }
    }

    fn info(
        &mut self,
        now: Instant,
        id: LegId,
        content_type: &str,
        body: Body,
    ) -> Result<(), CommandError> {
        let full = self.transactions_are_full();
        let leg = self.legs.get_mut(&id).ok_or(CommandError::BugUnknownLeg)?;
        match &leg.state {
            State::Up(Exchange::OweAck { .. }) => return Err(CommandError::WrongState),
            State::Up(_) if full => return Err(CommandError::Overloaded),
            State::Up(_) => {}
            State::Calling(_) | State::Cancelling(_) | State::Ringing(_) | State::Draining(..) => {
                return Err(CommandError::WrongState);
            }
        }
        let mut request = leg.dialog.next_request(Method::Info);
        let dialog = leg.dialog.clone();
        request.headers.push(HeaderName::CONTENT_TYPE, content_type);
        request.body = body;
        let flow = self.hop(&dialog);
        self.start_in_dialog(now, id, request, flow, Owner::Nobody);
        Ok(())
    }
}
