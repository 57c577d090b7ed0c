//! Challenges to our requests inside dialogs.
//! Owns: what a request is made of until it is answered, so that it can be sent once more with credentials.
//! Never: answers a challenge of another realm than the leg's credentials are for, or the same one twice unless its nonce was stale.

use std::time::Instant;

use super::Stack;
use super::event::LegId;
use super::flow::Flow;
use super::leg::{Exchange, Leg, State};
use crate::digest::{Prover, Turn};
use crate::message::{HeaderName, Request, Response, Status};
use crate::transaction::{ClientId, Owner};

/// Times a request is sent with credentials: once, and once more if the nonce was stale.
pub(super) const CREDENTIAL_TRIES_MAX: u8 = 2;

/// A request that may be challenged.
pub(super) struct Provable {
    /// None: a BYE, whose leg is gone.
    leg: Option<LegId>,
    /// As it was before our hop was put in.
    request: Request,
    flow: Flow,
    owner: Owner,
    prover: Prover,
    tries: u8,
}

impl Leg {
    /// What this leg proves itself with.
    pub(super) fn prover(&mut self) -> Option<&mut Prover> {
        match &mut self.state {
            State::Calling(calling) => calling.attempt.prover.as_deref_mut(),
            _ => self.terms.prover.as_deref_mut(),
        }
    }

    /// A request of ours goes on as another transaction.
    fn carry_on(&mut self, before: ClientId, after: ClientId) {
        if self.terms.refresh == Some(before) {
            self.terms.refresh = Some(after);
        }
        if let State::Up(Exchange::WeAsked { transaction, .. }) = &mut self.state
            && *transaction == before
        {
            *transaction = after;
        }
        let found = self.early(|_, early| early.waits_for(before));
        if let Some(found) = found {
            found.early.wait_for(after);
        }
    }

    /// The next number of the dialog that a request of ours belongs to.
    fn next_number(&mut self, request: &Request) -> Option<u32> {
        let to = request.headers.to().ok()?;
        let is_early = matches!(self.state, State::Calling(_));
        let dialog = match self.early(|dialog, _| dialog.remote.tag() == to.tag()) {
            Some(found) => found.dialog,
            None if is_early => return None,
            None => &mut self.dialog,
        };
        dialog.local_number += 1;
        Some(dialog.local_number)
    }
}

impl Stack {
    /// Sends a request of a leg that is in the table.
    pub(super) fn start_in_dialog(
        &mut self,
        now: Instant,
        id: LegId,
        request: Request,
        flow: Flow,
        owner: Owner,
    ) -> ClientId {
        let leg = self.legs.get_mut(&id);
        let prover = leg.and_then(|leg| leg.prover().cloned());
        self.start_provable(now, (Some(id), prover), request, flow, owner)
    }

    /// Sends a request inside a dialog; without credentials nothing of it is kept.
    pub(super) fn start_provable(
        &mut self,
        now: Instant,
        (leg, prover): (Option<LegId>, Option<Prover>),
        request: Request,
        flow: Flow,
        owner: Owner,
    ) -> ClientId {
        let Some(prover) = prover else {
            return self.start_request(now, request, flow, owner);
        };
        let transaction = self.start_request(now, request.clone(), flow, owner);
        let provable = Provable {
            leg,
            request,
            flow,
            owner,
            prover,
            tries: 0,
        };
        self.provable.insert(transaction, Box::new(provable));
        transaction
    }

    fn start_request(
        &mut self,
        now: Instant,
        mut request: Request,
        flow: Flow,
        owner: Owner,
    ) -> ClientId {
        self.finish_request(&mut request, flow);
        self.clients.start(&mut self.out, now, request, flow, owner)
    }

    /// A response to a request of ours. Whether it was a challenge that has got its answer.
    pub(super) fn is_proven(
        &mut self,
        now: Instant,
        transaction: ClientId,
        response: &Response,
    ) -> bool {
        if response.status.is_provisional() {
            return false;
        }
        let Some(mut provable) = self.provable.remove(&transaction) else {
            return false;
        };
        let challenges = [Status::UNAUTHORIZED, Status::PROXY_AUTHENTICATION_REQUIRED];
        if !challenges.contains(&response.status) || provable.tries >= CREDENTIAL_TRIES_MAX {
            return false;
        }
        let (method, uri) = (
            provable.request.method.clone(),
            provable.request.uri.to_string(),
        );
        let turn = match provable.tries {
            0 => Turn::First,
            _ => Turn::Again,
        };
        let cnonce = self.ids.cnonce();
        let proof = provable.prover.answer(
            (response.status, &response.headers),
            (method.as_str(), &uri),
            &cnonce,
            turn,
        );
        let Some((name, value)) = proof else {
            return false;
        };
        provable.tries += 1;
        let next = match provable.leg {
            Some(id) => self.legs.get_mut(&id).and_then(|leg| {
                if let Some(prover) = leg.prover() {
                    *prover = provable.prover.clone();
                }
                leg.next_number(&provable.request)
            }),
            // Nothing of its dialog follows.
            None => provable
                .request
                .headers
                .cseq()
                .ok()
                .and_then(|cseq| cseq.number.checked_add(1)),
        };
        let Some(number) = next else {
            return false;
        };
        let headers = &mut provable.request.headers;
        headers.set(HeaderName::CSEQ, format_args!("{number} {method}"));
        let mut again = provable.request.clone();
        again.headers.push(name, value);
        let after = self.start_request(now, again, provable.flow, provable.owner);
        if let Some(leg) = provable.leg.and_then(|id| self.legs.get_mut(&id)) {
            leg.carry_on(transaction, after);
        }
        self.provable.insert(after, provable);
        true
    }
}
