//! Session timers (RFC 4028): a call whose far side is gone ends, though neither side says so.
//! Owns: what of a timer is offered and granted, our refreshes, the end of a session that was not refreshed.
//! Never: changes a session: a refresh bears the description that holds, or none.

use std::time::{Duration, Instant};

use super::Stack;
use super::event::{EndReason, Event, LegId};
use super::leg::{Exchange, Purpose, Side, State};
use super::outbox::{Due, LegTimer};
use super::receive::Refused;
use super::recording::SIPREC;
use super::write::SDP;
use crate::message::{
    HeaderMap, HeaderName, Method, Refresher, Request, Response, SessionExpires, Status, lex,
};
use crate::transaction::Owner;

/// The option tag of session timers.
pub(super) const TIMER: &str = "timer";

/// Longest interval that a far side may raise ours to: a call that was lost costs a line no longer than a day.
const RAISED_MAX: Duration = Duration::from_secs(86_400);

/// Time to another try of a refresh that could not be sent, or was refused for another reason than that both sides asked at once.
const REFRESH_AGAIN: Duration = Duration::from_secs(10);

/// A session ends this long before its interval does, or a third of it if that is less
/// ([RFC 4028](https://www.rfc-editor.org/rfc/rfc4028)), so that the BYE still finds the way open.
const END_BEFORE_MAX: Duration = Duration::from_secs(32);

/// What ended a session that nobody refreshed.
const EXPIRED: &str = "SIP;cause=408;text=\"Session expired\"";

/// What two sides have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    pub(crate) interval: Duration,
    /// Who refreshes.
    pub(crate) by: Side,
}

/// What a request says of session timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wanted {
    expires: Option<SessionExpires>,
    min: Option<Duration>,
    is_supported: bool,
}

impl Stack {
    /// Reads a request; refuses an interval that is too short or cannot be read.
    pub(super) fn wanted_timer(&self, headers: &HeaderMap) -> Result<Wanted, Refused> {
        let names = [HeaderName::SUPPORTED, HeaderName::REQUIRE];
        let is_supported = names.iter().any(|name| headers.has_token(name, TIMER));
        let expires = match headers.first(&HeaderName::SESSION_EXPIRES) {
            Some(value) => match SessionExpires::parse(value) {
                Some(expires) => Some(expires),
                None => return Err((Status::BAD_REQUEST, Vec::new())),
            },
            None => None,
        };
        let shortest = self.config.session_min;
        let is_short = expires.is_some_and(|expires| expires.interval < shortest);
        if is_short && is_supported {
            let min = (HeaderName::MIN_SE, shortest.as_secs().to_string());
            return Err((Status::SESSION_INTERVAL_TOO_SMALL, vec![min]));
        }
        Ok(Wanted {
            // A side that knows no timers can do nothing about it: what stands there is a proxy's.
            expires: expires.filter(|_| !is_short),
            min: min_se(headers),
            is_supported,
        })
    }

    /// Grants what a request wants, in its 2xx.
    pub(super) fn grant_timer(
        &mut self,
        now: Instant,
        id: LegId,
        wanted: Wanted,
        headers: &mut HeaderMap,
    ) {
        let granted = self.granted(wanted);
        if let Some(timer) = granted {
            let refresher = match timer.by {
                Side::Us => Refresher::Uas,
                Side::Them => Refresher::Uac,
            };
            headers.push(HeaderName::SESSION_EXPIRES, written(timer, refresher));
            if timer.by == Side::Them {
                headers.push(HeaderName::REQUIRE, TIMER);
            }
        }
        self.hold_to(now, id, granted);
    }

    /// A far side that knows no timers and wants none is left alone. We refresh unless it wants to.
    fn granted(&self, wanted: Wanted) -> Option<SessionTimer> {
        if wanted.expires.is_none() && !wanted.is_supported {
            return None;
        }
        let longest = wanted.min.map_or(self.config.session_expires, |min| {
            min.min(RAISED_MAX).max(self.config.session_expires)
        });
        let asked = wanted.expires.map(|expires| expires.interval);
        let refresher = wanted.expires.and_then(|expires| expires.refresher);
        Some(SessionTimer {
            interval: asked.unwrap_or(longest).min(longest),
            by: match refresher {
                Some(Refresher::Uac) if wanted.is_supported => Side::Them,
                Some(_) | None => Side::Us,
            },
        })
    }

    /// Puts what holds, or what we wish for where nothing does yet, into a request of ours.
    pub(super) fn write_timer(
        &self,
        headers: &mut HeaderMap,
        agreed: Option<SessionTimer>,
        min: Option<Duration>,
    ) {
        let value = match agreed {
            Some(timer) => {
                let refresher = match timer.by {
                    Side::Us => Refresher::Uac,
                    Side::Them => Refresher::Uas,
                };
                written(timer, refresher)
            }
            None => {
                let wish = self.config.session_expires;
                let interval = min.map_or(wish, |min| min.max(wish));
                interval.as_secs().to_string()
            }
        };
        headers.push(HeaderName::SESSION_EXPIRES, value);
        if let Some(min) = min {
            headers.push(HeaderName::MIN_SE, min.as_secs().to_string());
        }
    }

    /// Takes in what the 2xx of a request of ours grants. Without `Session-Expires` the session does not expire.
    pub(super) fn agree_timer(&mut self, now: Instant, id: LegId, headers: &HeaderMap) {
        let granted = headers
            .first(&HeaderName::SESSION_EXPIRES)
            .and_then(SessionExpires::parse);
        let agreed = granted.map(|expires| SessionTimer {
            interval: expires.interval.max(self.config.session_min),
            by: match expires.refresher {
                Some(Refresher::Uas) => Side::Them,
                Some(Refresher::Uac) | None => Side::Us,
            },
        });
        self.hold_to(now, id, agreed);
    }

    /// The session has just been refreshed, and its interval begins anew.
    fn hold_to(&mut self, now: Instant, id: LegId, timer: Option<SessionTimer>) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        leg.terms.timer = timer;
        let (refresh, expiry) = (
            Due::Leg(id, LegTimer::Refresh),
            Due::Leg(id, LegTimer::Expiry),
        );
        self.out.timers.cancel(refresh);
        self.out.timers.cancel(expiry);
        let Some(SessionTimer { interval, by }) = timer else {
            return;
        };
        let end = interval - END_BEFORE_MAX.min(interval / 3);
        self.out.timers.set(expiry, now + end);
        if by == Side::Us {
            self.out.timers.set(refresh, now + interval / 2);
        }
    }

    /// Half of the interval is over.
    pub(super) fn refresh_due(&mut self, now: Instant, id: LegId) {
        let is_full = self.transactions_are_full();
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let is_free = matches!(leg.state, State::Up(Exchange::Stable));
        if is_full || !is_free || leg.terms.refresh.is_some() {
            return self.refresh_again(now, id, REFRESH_AGAIN);
        }
        let (timer, min) = (leg.terms.timer, leg.terms.min_se);
        let method = match leg.terms.takes_update {
            true => Method::Update,
            false => Method::Invite,
        };
        let mut request = leg.dialog.next_request(method.clone());
        if method == Method::Invite
            && let Some(ours) = &leg.terms.ours
        {
            request.headers.set(HeaderName::CONTENT_TYPE, SDP);
            request.body = ours.clone();
        }
        if leg.is_recording {
            request.headers.push(HeaderName::REQUIRE, SIPREC);
        }
        let dialog = leg.dialog.clone();
        let flow = self.hop(&dialog);
        self.write_timer(&mut request.headers, timer, min);
        match method {
            Method::Update => self.send_refresh(now, id, request, flow),
            _ => self.send_change(now, id, request, flow, Purpose::Refresh),
        }
    }

    fn send_refresh(&mut self, now: Instant, id: LegId, request: Request, flow: super::Flow) {
        let transaction = self.start_in_dialog(now, id, request, flow, Owner::Leg(id));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.terms.refresh = Some(transaction);
        }
    }

    fn refresh_again(&mut self, now: Instant, id: LegId, wait: Duration) {
        self.out
            .timers
            .set(Due::Leg(id, LegTimer::Refresh), now + wait);
    }

    /// The far side has answered the UPDATE that was to refresh.
    pub(super) fn refresh_answered(&mut self, now: Instant, id: LegId, response: &Response) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        if response.status.is_provisional() {
            return;
        }
        leg.terms.refresh = None;
        if response.status.is_success() {
            leg.dialog.refresh_target(&response.headers);
            leg.terms.hear(&response.headers);
            return self.agree_timer(now, id, &response.headers);
        }
        if response.status == Status::METHOD_NOT_ALLOWED
            || response.status == Status::NOT_IMPLEMENTED
        {
            leg.terms.takes_update = false;
            return self.refresh_due(now, id);
        }
        self.refresh_refused(now, id, response);
    }

    /// A refresh was refused: it is tried again while the session holds, unless the far side no longer knows the call.
    pub(super) fn refresh_refused(&mut self, now: Instant, id: LegId, response: &Response) {
        match response.status {
            Status::NO_DIALOG_OR_TRANSACTION | Status::REQUEST_TIMEOUT => {
                self.end_expired(now, id, EndReason::Lost)
            }
            Status::REQUEST_PENDING => {
                let wait = self.glare_wait(id);
                self.refresh_again(now, id, wait);
            }
            Status::SESSION_INTERVAL_TOO_SMALL => self.raise_timer(now, id, &response.headers),
            _ => self.refresh_again(now, id, REFRESH_AGAIN),
        }
    }

    /// The connection that a refresh was sent over is lost; another is opened.
    pub(super) fn refresh_unreached(&mut self, now: Instant, id: LegId) {
        self.refresh_again(now, id, REFRESH_AGAIN);
    }

    fn raise_timer(&mut self, now: Instant, id: LegId, headers: &HeaderMap) {
        let Some(leg) = self.legs.get_mut(&id) else {
            return;
        };
        let (Some(timer), Some(min)) = (&mut leg.terms.timer, min_se(headers)) else {
            return;
        };
        if min <= timer.interval || min > RAISED_MAX {
            return self.refresh_again(now, id, REFRESH_AGAIN);
        }
        timer.interval = min;
        leg.terms.min_se = Some(min);
        self.refresh_due(now, id);
    }

    /// How long a side waits whose request met another ([RFC 3261 §14.1](https://www.rfc-editor.org/rfc/rfc3261#section-14.1)): the one that
    /// made the Call-ID 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
    fn glare_wait(&mut self, id: LegId) -> Duration {
        let is_ours = self.legs.get(&id).is_some_and(|leg| leg.invite.is_some());
        let wait = match is_ours {
            true => 2_100 + 10 * self.ids.below(191),
            false => 10 * self.ids.below(201),
        };
        Duration::from_millis(wait)
    }

    /// Nobody has refreshed the session.
    pub(super) fn session_expired(&mut self, now: Instant, id: LegId) {
        if matches!(self.legs.get(&id).map(|leg| &leg.state), Some(State::Up(_))) {
            self.end_expired(now, id, EndReason::Timeout);
        }
    }

    pub(super) fn end_expired(&mut self, now: Instant, id: LegId, reason: EndReason) {
        self.hang_up_answered(now, id, Some(EXPIRED));
        self.out.emit(Event::Ended { leg: id, reason });
    }
}

/// What a 422 asks for, if it is more than what was asked and not beyond all measure.
pub(super) fn raised(headers: &HeaderMap, before: Duration) -> Option<Duration> {
    min_se(headers).filter(|min| *min > before && *min <= RAISED_MAX)
}

fn min_se(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.first(&HeaderName::MIN_SE)?;
    let seconds = value.split(|&byte| byte == b';').next()?;
    let seconds: u32 = lex::decimal(lex::trim(seconds))?;
    Some(Duration::from_secs(seconds.into()))
}

fn written(timer: SessionTimer, refresher: Refresher) -> String {
    SessionExpires {
        interval: timer.interval,
        refresher: Some(refresher),
    }
    .to_string()
}
