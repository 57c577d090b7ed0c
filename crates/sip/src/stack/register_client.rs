//! Our own registrations elsewhere: at trunks, and the simulator's phones (RFC 3261 §10.2).
//! Owns: their refreshes, and how long a registrar is left alone that refuses or is not there.
//! Never: answers a challenge of another realm than its credentials are for.

use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::config::Credentials;
use super::event::Event;
use super::flow::Flow;
use super::outbox::Due;
use super::uac::retry_after;
use crate::dialog::Dialog;
use crate::digest::{Prover, Turn, foreign_realm};
use crate::message::{HeaderMap, HeaderName, Method, NameAddr, Response, Status, Uri};
use crate::transaction::Owner;

/// When a refused registration is tried again; each time in a row twice as long.
const RETRY: Duration = Duration::from_secs(30);

/// Twice as long no more from here on: a registrar that comes back is found within a quarter of an hour.
const RETRY_MAX: Duration = Duration::from_secs(15 * 60);

/// Refusals in a row that are counted: more make no difference to [`RETRY_MAX`].
const REFUSALS_MAX: u32 = 8;

/// Addresses of one registrar. A list that is longer can only be a mistake.
const FLOWS_MAX: usize = 8;

/// Times one refresh is sent with credentials: once, and once more if the nonce was stale.
const CREDENTIAL_TRIES_MAX: u8 = 2;

/// Registrations of our own. A node has a handful of trunks, a simulator of phones. More: [`CommandError::Overloaded`].
const OWN_REGISTRATIONS_MAX: usize = 256;

/// One registration of ours.
#[derive(Debug)]
pub(crate) struct OwnRegistration {
    aor: Uri,
    contact: Option<String>,
    flows: Flows,
    prover: Prover,
    expires: Duration,
    dialog: Dialog,
    tries: u8,
    /// In a row.
    refusals: u32,
    standing: Standing,
}

impl OwnRegistration {
    /// It is being taken away.
    pub(super) fn is_ending(&self) -> bool {
        self.expires.is_zero()
    }

    /// By whom the registrar calls us.
    fn contact_user(&self) -> Option<&str> {
        self.contact.as_deref().or_else(|| self.aor.user())
    }

    /// How long its registrar is left alone; what it asks for counts if it is longer.
    fn next_wait(&mut self, asked: Option<Duration>) -> Duration {
        let wait = RETRY * (1 << self.refusals);
        self.refusals = (self.refusals + 1).min(REFUSALS_MAX);
        wait.max(asked.unwrap_or_default()).min(RETRY_MAX)
    }
}

/// The addresses of a registrar, and which of them is asked.
#[derive(Debug)]
pub(crate) struct Flows {
    all: Vec<Flow>,
    at: usize,
    /// Since the last answer.
    silent: usize,
}

impl Flows {
    pub(super) fn new(first: Flow, others: Vec<Flow>) -> Self {
        let all = std::iter::once(first).chain(others);
        Self {
            all: all.take(FLOWS_MAX).collect(),
            at: 0,
            silent: 0,
        }
    }

    fn now(&self) -> Option<Flow> {
        self.all.get(self.at).copied()
    }

    /// Goes on to the next address; false if all have been silent.
    fn go_on(&mut self) -> bool {
        self.silent += 1;
        self.at = (self.at + 1) % self.all.len().max(1);
        let is_left = self.silent < self.all.len();
        if !is_left {
            self.silent = 0;
        }
        is_left
    }
}

/// What the caller was last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Nothing,
    Done,
    Failed,
}

impl Stack {
    pub(super) fn register(
        &mut self,
        now: Instant,
        (aor, contact): (Uri, Option<String>),
        flows: Flows,
        (credentials, expires): (Credentials, Duration),
    ) -> Result<(), CommandError> {
        let known = self
            .registrations
            .iter()
            .find(|(_, registration)| registration.aor == aor)
            .map(|(number, _)| *number);
        if self.transactions_are_full()
            || (known.is_none() && self.registrations.len() >= OWN_REGISTRATIONS_MAX)
        {
            return Err(CommandError::Overloaded);
        }
        let host = aor.host().ok_or(CommandError::BugValue)?.clone();
        let flow = flows.now().ok_or(CommandError::BugValue)?;
        let number = known.unwrap_or_else(|| {
            self.last_registration += 1;
            self.last_registration
        });
        let dialog = match self.registrations.remove(&number) {
            Some(old) => old.dialog,
            None => {
                let local = NameAddr::new(aor.clone()).with_tag(&self.ids.tag());
                let port = aor.as_sip().and_then(|uri| uri.port);
                Dialog::outgoing(
                    self.ids.call_id(),
                    local,
                    NameAddr::new(aor.clone()),
                    Uri::sip(None, host, port),
                    flow,
                )
            }
        };
        let registration = OwnRegistration {
            aor,
            contact,
            flows,
            prover: Prover::new(credentials),
            expires,
            dialog,
            tries: 0,
            refusals: 0,
            standing: Standing::Nothing,
        };
        self.registrations.insert(number, registration);
        self.send_registration(now, number, None);
        Ok(())
    }

    /// Sends a REGISTER; a refresh begins without credentials, as its nonce may be old.
    pub(super) fn send_registration(
        &mut self,
        now: Instant,
        number: u64,
        proof: Option<(HeaderName, String)>,
    ) {
        let Some(registration) = self.registrations.get_mut(&number) else {
            return;
        };
        if proof.is_none() {
            registration.tries = 0;
        }
        let mut request = registration.dialog.next_request(Method::Register);
        let Some(flow) = registration.flows.now() else {
            return;
        };
        let expires = registration.expires.as_secs();
        let user = registration.contact_user().map(str::to_owned);
        let contact = self.own_uri(user.as_deref(), flow);
        request
            .headers
            .push(HeaderName::CONTACT, NameAddr::new(contact).to_string());
        request.headers.push_displayed(HeaderName::EXPIRES, expires);
        if let Some((name, value)) = proof {
            request.headers.push(name, value);
        }
        self.finish_request(&mut request, flow);
        self.out.timers.cancel(Due::Registration(number));
        self.clients.start(
            &mut self.out,
            now,
            request,
            flow,
            Owner::Registration(number),
        );
    }

    pub(super) fn registration_answered(&mut self, now: Instant, number: u64, response: &Response) {
        let status = response.status;
        if status.is_provisional() {
            return;
        }
        if status.is_success() {
            return self.registration_done(now, number, response);
        }
        if status == Status::INTERVAL_TOO_BRIEF && self.lengthen(now, number, response) {
            return;
        }
        match self.registration_proof(number, response) {
            Some(proof) => self.send_registration(now, number, Some(proof)),
            None => self.registration_refused(now, number, (status, Some(&response.headers))),
        }
    }

    fn registration_done(&mut self, now: Instant, number: u64, response: &Response) {
        let Some(registration) = self.registrations.get_mut(&number) else {
            return;
        };
        let user = registration.contact_user();
        let granted = granted(response, registration.expires, user);
        let news = registration.standing != Standing::Done;
        registration.standing = Standing::Done;
        registration.refusals = 0;
        registration.flows.silent = 0;
        let aor = registration.aor.clone();
        if granted.is_zero() {
            self.registrations.remove(&number);
        } else {
            self.out
                .timers
                .set(Due::Registration(number), now + granted / 2);
        }
        if news {
            self.out.emit(Event::RegisterDone {
                aor,
                expires: granted,
            });
        }
    }

    /// The registrar wants longer times; asks once more with the one it names.
    fn lengthen(&mut self, now: Instant, number: u64, response: &Response) -> bool {
        let least: Option<u64> = response
            .headers
            .number(&HeaderName::MIN_EXPIRES)
            .ok()
            .flatten();
        let Some(registration) = self.registrations.get_mut(&number) else {
            return false;
        };
        let longer = least
            .map(Duration::from_secs)
            .filter(|least| *least > registration.expires && !registration.expires.is_zero());
        let Some(longer) = longer else { return false };
        registration.expires = longer;
        self.send_registration(now, number, None);
        true
    }

    fn registration_proof(
        &mut self,
        number: u64,
        response: &Response,
    ) -> Option<(HeaderName, String)> {
        let cnonce = self.ids.cnonce();
        let registration = self.registrations.get_mut(&number)?;
        if registration.tries >= CREDENTIAL_TRIES_MAX {
            return None;
        }
        let turn = match registration.tries {
            0 => Turn::First,
            _ => Turn::Again,
        };
        registration.tries += 1;
        let target = registration.dialog.target.to_string();
        registration.prover.answer(
            (response.status, &response.headers),
            ("REGISTER", &target),
            &cnonce,
            turn,
        )
    }

    /// Nobody is there, or a registrar that cannot now is passed over for the next.
    pub(super) fn registration_failed(&mut self, now: Instant, number: u64, status: Status) {
        self.registration_refused(now, number, (status, None));
    }

    fn registration_refused(
        &mut self,
        now: Instant,
        number: u64,
        (status, headers): (Status, Option<&HeaderMap>),
    ) {
        let Some(registration) = self.registrations.get_mut(&number) else {
            return;
        };
        let is_elsewhere = matches!(
            status,
            Status::REQUEST_TIMEOUT | Status::SERVICE_UNAVAILABLE
        );
        if is_elsewhere && registration.flows.go_on() {
            return self.send_registration(now, number, None);
        }
        let news = registration.standing != Standing::Failed;
        registration.standing = Standing::Failed;
        let aor = registration.aor.clone();
        let credentials = registration.prover.credentials();
        let realm = headers.and_then(|headers| foreign_realm((status, headers), credentials));
        if registration.is_ending() {
            self.registrations.remove(&number);
        } else {
            let wait = registration.next_wait(headers.and_then(retry_after));
            self.out.timers.set(Due::Registration(number), now + wait);
        }
        if news {
            self.out.emit(Event::RegisterFailed { aor, status, realm });
        }
    }

    pub(super) fn registration_timed_out(&mut self, now: Instant, number: u64) {
        self.registration_failed(now, number, Status::REQUEST_TIMEOUT);
    }
}

/// What a 200 grants: the time of our contact, else `Expires`, else what we asked.
fn granted(response: &Response, asked: Duration, user: Option<&str>) -> Duration {
    let contacts = response
        .headers
        .name_addrs(&HeaderName::CONTACT)
        .unwrap_or_default();
    let own = contacts.iter().find(|contact| contact.uri.user() == user);
    let by_contact = own.and_then(|contact| contact.params.value("expires")?.parse().ok());
    let by_header = || response.headers.number(&HeaderName::EXPIRES).ok().flatten();
    let granted = by_contact
        .or_else(by_header)
        .map_or(asked, Duration::from_secs);
    granted.min(asked)
}
