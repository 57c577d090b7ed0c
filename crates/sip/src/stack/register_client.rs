//! Our own registrations elsewhere: the simulator's phones (RFC 3261 §10.2).

use std::time::{Duration, Instant};

use super::Stack;
use super::command::CommandError;
use super::config::Credentials;
use super::event::Event;
use super::flow::Flow;
use super::outbox::Due;
use crate::dialog::Dialog;
use crate::digest::answer_challenge;
use crate::message::{HeaderName, Method, NameAddr, Response, Status, Uri};
use crate::transaction::Owner;

/// When a refused registration is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Times one refresh is sent with credentials: once, and once more if the nonce was stale.
const CREDENTIAL_TRIES_MAX: u8 = 2;

/// Registrations of our own. A simulator has a handful of phones. More: [`CommandError::Overloaded`].
const OWN_REGISTRATIONS_MAX: usize = 256;

/// One registration of ours.
#[derive(Debug)]
pub(crate) struct OwnRegistration {
    aor: Uri,
    flow: Flow,
    credentials: Credentials,
    expires: Duration,
    dialog: Dialog,
    tries: u8,
    standing: Standing,
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
        wanted: (Uri, Flow, Credentials, Duration),
    ) -> Result<(), CommandError> {
        let (aor, flow, credentials, expires) = wanted;
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
            flow,
            credentials,
            expires,
            dialog,
            tries: 0,
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
        let (flow, expires) = (registration.flow, registration.expires.as_secs());
        let user = registration.aor.user().map(str::to_owned);
        let contact = self.own_uri(user.as_deref(), flow);
        request
            .headers
            .push(HeaderName::CONTACT, NameAddr::new(contact).to_string());
        request
            .headers
            .push(HeaderName::EXPIRES, expires.to_string());
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
            None => self.registration_failed(now, number, status),
        }
    }

    fn registration_done(&mut self, now: Instant, number: u64, response: &Response) {
        let Some(registration) = self.registrations.get_mut(&number) else {
            return;
        };
        let granted = granted(response, registration.expires, registration.aor.user());
        let news = registration.standing != Standing::Done;
        registration.standing = Standing::Done;
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
        registration.tries += 1;
        let target = registration.dialog.target.to_string();
        answer_challenge(
            (response.status, &response.headers),
            &registration.credentials,
            ("REGISTER", &target),
            &cnonce,
        )
    }

    pub(super) fn registration_failed(&mut self, now: Instant, number: u64, status: Status) {
        let Some(registration) = self.registrations.get_mut(&number) else {
            return;
        };
        let news = registration.standing != Standing::Failed;
        registration.standing = Standing::Failed;
        let aor = registration.aor.clone();
        if registration.expires.is_zero() {
            self.registrations.remove(&number);
        } else {
            self.out.timers.set(Due::Registration(number), now + RETRY);
        }
        if news {
            self.out.emit(Event::RegisterFailed { aor, status });
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
