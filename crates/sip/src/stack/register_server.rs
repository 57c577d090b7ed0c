//! REGISTER of our phones (RFC 3261 §10.3).

use std::time::{Duration, Instant};

use super::config::PhoneAccount;
use super::event::Event;
use super::outbox::Due;
use super::receive::Arrival;
use super::{KEEP_ALIVE, Stack};
use crate::digest::Verdict;
use crate::message::{HeaderMap, HeaderName, NameAddr, Status, Uri};
use crate::registrar::Binding;
use crate::transaction::Opening;

/// What a REGISTER wants.
enum Wish {
    /// To know the binding.
    Query,
    /// To take it away.
    Remove,
    /// To bind a contact for so long.
    Bind { contact: Uri, asked: Duration },
}

impl Stack {
    pub(super) fn receive_register(&mut self, now: Instant, arrival: &Arrival<'_>) {
        let Some(user) = arrival
            .essentials
            .to
            .uri
            .as_sip()
            .map(|uri| uri.user.clone().unwrap_or_default())
        else {
            return self.answer(arrival, Status::BAD_REQUEST, &[]);
        };
        if self.transactions_are_full() {
            return self.shed(arrival.flow, arrival.request, arrival.essentials);
        }
        match self.prove(now, arrival) {
            Verdict::Proven { user: proven } if proven == user => {
                self.register_proven(now, arrival, &user)
            }
            Verdict::Proven { .. } => {
                self.out.counters.forbidden += 1;
                self.answer(arrival, Status::FORBIDDEN, &[]);
            }
            verdict => self.challenge(now, arrival, verdict == Verdict::Stale),
        }
    }

    /// Judges the credentials of a request.
    pub(super) fn prove(&mut self, now: Instant, arrival: &Arrival<'_>) -> Verdict {
        let request = arrival.request;
        let registrar = &self.registrar;
        self.digest.verify(
            now,
            (request.method.as_str(), &request.uri, &request.headers),
            |user| registrar.ha1(user),
        )
    }

    /// 401, the same for users that exist and users that do not.
    pub(super) fn challenge(&mut self, now: Instant, arrival: &Arrival<'_>, stale: bool) {
        let fields = self.reply_fields(arrival.flow, arrival.request, arrival.essentials, None);
        let mut response = self.response(Status::UNAUTHORIZED, fields);
        self.digest.challenge(now, stale, &mut response.headers);
        self.out.send(arrival.flow, response.to_wire());
    }

    fn register_proven(&mut self, now: Instant, arrival: &Arrival<'_>, user: &str) {
        let wish = match read_wish(
            &arrival.request.headers,
            self.config.limits.registration_max,
        ) {
            Some(wish) => wish,
            None => return self.answer(arrival, Status::BAD_REQUEST, &[]),
        };
        if let Wish::Bind { asked, .. } = &wish
            && *asked < self.config.limits.registration_min
        {
            let least = self.config.limits.registration_min.as_secs().to_string();
            return self.answer(
                arrival,
                Status::INTERVAL_TOO_BRIEF,
                &[(HeaderName::MIN_EXPIRES, least)],
            );
        }
        let is_new = self.registrar.binding(user).is_none();
        if is_new && self.registrar.len() >= self.config.limits.registrations_max {
            return self.shed(arrival.flow, arrival.request, arrival.essentials);
        }
        if !self.is_newer(arrival, user) {
            return self.answer(arrival, Status::SERVER_INTERNAL_ERROR, &[]);
        }
        match wish {
            Wish::Query => {}
            Wish::Remove => self.unbind(user),
            Wish::Bind { contact, asked } => self.bind(now, arrival, user, contact, asked),
        }
        self.answer_registered(now, arrival, user);
    }

    /// A REGISTER of the same phone start with an older number came late ([RFC 3261 §10.3](https://www.rfc-editor.org/rfc/rfc3261#section-10.3)).
    fn is_newer(&self, arrival: &Arrival<'_>, user: &str) -> bool {
        let same_start = self
            .registrar
            .binding(user)
            .filter(|binding| binding.call_id == arrival.essentials.call_id);
        same_start.is_none_or(|binding| arrival.essentials.cseq.number > binding.cseq)
    }

    fn bind(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        user: &str,
        contact: Uri,
        asked: Duration,
    ) {
        let granted = asked.min(self.config.limits.registration_max);
        let binding = Binding {
            number: 0,
            contact,
            flow: arrival.flow,
            call_id: arrival.essentials.call_id.clone(),
            cseq: arrival.essentials.cseq.number,
            expires_at: now + granted,
        };
        let (number, old) = self.registrar.bind(user, binding);
        self.out.timers.set(Due::Binding(number), now + granted);
        if let Some(old) = &old {
            self.out.timers.cancel(Due::Binding(old.number));
        }
        if self.registrar.len() == 1 {
            self.out.timers.set(Due::KeepAlive, now + KEEP_ALIVE);
        }
        if old.is_none_or(|old| old.flow != arrival.flow) {
            self.out.emit(Event::Registered {
                user: user.to_owned(),
                flow: arrival.flow,
            });
        }
    }

    pub(super) fn unbind(&mut self, user: &str) {
        if let Some(binding) = self.registrar.remove(user) {
            self.out.timers.cancel(Due::Binding(binding.number));
            self.out.emit(Event::Unregistered {
                user: user.to_owned(),
            });
        }
    }

    fn answer_registered(&mut self, now: Instant, arrival: &Arrival<'_>, user: &str) {
        let fields = self.reply_fields(arrival.flow, arrival.request, arrival.essentials, None);
        let mut response = self.response(Status::OK, fields.clone());
        if let Some(binding) = self.registrar.binding(user) {
            let left = binding
                .expires_at
                .saturating_duration_since(now)
                .as_secs()
                .to_string();
            let mut contact = NameAddr::new(binding.contact.clone());
            contact.params.set("expires", Some(&left));
            response
                .headers
                .push_displayed(HeaderName::CONTACT, contact);
        }
        let opening = Opening {
            key: arrival.key.clone(),
            flow: arrival.flow,
            leg: None,
            fields,
        };
        let transaction = self.servers.open(opening);
        self.servers
            .respond(&mut self.out, now, transaction, &response);
    }

    pub(super) fn binding_expired(&mut self, number: u64) {
        if let Some(user) = self.registrar.user_of(number).map(str::to_owned) {
            self.unbind(&user);
        }
    }

    pub(super) fn set_phones(&mut self, accounts: Vec<PhoneAccount>) {
        for (user, binding) in self.registrar.set_accounts(accounts) {
            self.out.timers.cancel(Due::Binding(binding.number));
            self.out.emit(Event::Unregistered { user });
        }
    }

    /// Two line ends to every phone: too short to be a message, enough for a NAT (S35).
    pub(super) fn keep_phones_reachable(&mut self, now: Instant) {
        let flows = self.registrar.flows();
        if flows.is_empty() {
            return;
        }
        for flow in flows {
            self.out.send(flow, self.keep_alive.clone());
        }
        self.out.timers.set(Due::KeepAlive, now + KEEP_ALIVE);
    }
}

/// `None`: contradicts itself.
fn read_wish(headers: &HeaderMap, default: Duration) -> Option<Wish> {
    let whole: Option<u64> = headers.number(&HeaderName::EXPIRES).ok()?;
    if headers.first(&HeaderName::CONTACT) == Some(b"*") {
        return (whole == Some(0) && headers.all(&HeaderName::CONTACT).count() == 1)
            .then_some(Wish::Remove);
    }
    let contacts = headers.name_addrs(&HeaderName::CONTACT).ok()?;
    let asked = |contact: &NameAddr| {
        let own = contact
            .params
            .value("expires")
            .and_then(|text| text.parse::<u64>().ok());
        own.or(whole).map_or(default, Duration::from_secs)
    };
    let bound = contacts
        .iter()
        .map(|contact| (contact, asked(contact)))
        .find(|(_, asked)| !asked.is_zero());
    match bound {
        Some((contact, asked)) => Some(Wish::Bind {
            contact: contact.uri.clone(),
            asked,
        }),
        None if contacts.is_empty() => Some(Wish::Query),
        None => Some(Wish::Remove),
    }
}
