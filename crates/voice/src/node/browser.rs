//! Agents whose phone is the browser: legs without SIP.
//! Owns: what was offered to which page, what it has answered, and what that means for the call, told as the stack tells it of phones.
//! Never: sends a packet; the connection is the media thread's once its description is complete.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::boundary::{EndCause, PhoneAsk, PhoneRefused, PhoneSaid};
use domain::id::{CallId, UserId};
use sip::sdp::{Codec, Direction, LocalAudio, Session};
use sip::{Event, LegId, Status};

use super::call::Call;
use super::exchange::Exchange;
use super::setup::new_call_id;
use super::side::{Side, media_codec};
use crate::media_thread::{BrowserId, Line, MediaId, MediaThread, Restarting, RingLine};
use crate::webrtc::{BROWSER_ADDRESS, BrowserLeg, DESCRIPTION_BYTES_MAX};

/// Tests at a time. They are short, and each is a connection that nobody pays for.
const TESTS_MAX: usize = 64;

/// A test that was not answered by then is over.
const TEST_TIME_MAX: Duration = Duration::from_secs(30);

/// A connection that was offered.
struct Connection {
    id: BrowserId,
    offer: String,
    /// Until the browser has answered.
    waiting: Option<Box<BrowserLeg>>,
}

/// An agent's browser as one leg.
pub(super) struct Browser {
    agent: UserId,
    thread: usize,
    codec: Codec,
    connection: Connection,
    /// Offered to a page that was loaded after the browser had answered; takes the other's place once it is answered.
    next: Option<Connection>,
    is_answered: bool,
}

impl Browser {
    /// What a phone would answer to our offer.
    fn answer(&self, offer: &Session) -> Option<Session> {
        let mut far = LocalAudio::new(BROWSER_ADDRESS, 1);
        far.codecs = vec![self.codec];
        far.telephone_event = None;
        far.direction = Direction::SendRecv;
        far.answer(offer).ok()
    }

    /// The connection that waits for the browser's answer.
    fn waiting(&mut self) -> Option<&mut Connection> {
        match (&self.connection.waiting, &mut self.next) {
            (Some(_), _) => Some(&mut self.connection),
            (None, Some(next)) if next.waiting.is_some() => Some(next),
            (None, _) => None,
        }
    }
}

/// The way of a side's packets: its connection, or its ports.
pub(super) fn line_of(browsers: &HashMap<LegId, Browser>, side: &mut Side) -> Option<Line> {
    match browsers.get(&side.leg) {
        Some(browser) => Some(Line::Browser(browser.connection.id)),
        None => side.ports.take().map(Line::Ports),
    }
}

/// The same for a tone of ours before the call has media; the side keeps its ports.
pub(super) fn ring_line(browsers: &HashMap<LegId, Browser>, side: &Side) -> Option<RingLine> {
    match browsers.get(&side.leg) {
        Some(browser) => Some(RingLine::Browser(browser.connection.id)),
        None => side.ports.as_ref()?.rtp.twin().ok().map(RingLine::Port),
    }
}

/// A test.
pub(super) struct PhoneTest {
    call: Arc<CallId>,
    leg: LegId,
}

impl Exchange {
    /// Where browsers reach the first media thread that takes them.
    pub(super) fn browser_address(&self) -> Option<SocketAddr> {
        self.threads.iter().find_map(MediaThread::browser_address)
    }

    /// A side without ports of its own, in one codec.
    pub(super) fn open_browser_side(&self, leg: LegId) -> Side {
        let mut local = LocalAudio::new(BROWSER_ADDRESS, 1);
        local.telephone_event = None;
        Side::browser(leg, local)
    }

    /// Has a connection for the agent's page to ask for. False if there is none to offer.
    pub(super) fn offer_browser(
        &mut self,
        now: Instant,
        key: MediaId,
        leg: LegId,
        (agent, codec): (UserId, Codec),
    ) -> bool {
        let running = self.call(key).and_then(|call| call.thread());
        let Some(thread) = running.or_else(|| self.idlest_thread()) else {
            return false;
        };
        let Some(connection) = self.offer_connection(now, thread, codec) else {
            return false;
        };
        let browser = Browser {
            agent,
            thread,
            codec,
            connection,
            next: None,
            is_answered: false,
        };
        self.browsers.insert(leg, browser);
        true
    }

    fn offer_connection(
        &mut self,
        now: Instant,
        thread: usize,
        codec: Codec,
    ) -> Option<Connection> {
        let address = self.threads.get(thread)?.browser_address()?;
        let offered = BrowserLeg::offer(now, address, media_codec(codec));
        let (leg, offer) = match offered {
            Ok(offered) => offered,
            Err(error) => {
                tracing::warn!(%error, "no offer for a browser");
                return None;
            }
        };
        self.last_browser += 1;
        Some(Connection {
            id: BrowserId(self.last_browser),
            offer,
            waiting: Some(Box::new(leg)),
        })
    }

    /// The thread that a call's media has to be on: that of its browser.
    pub(super) fn thread_of_browser(&self, call: &Call) -> Option<usize> {
        let legs = [
            Some(call.caller.leg),
            call.callee.as_ref().map(|one| one.leg),
        ];
        let mut browsers = legs
            .iter()
            .flatten()
            .filter_map(|leg| self.browsers.get(leg));
        browsers.next().map(|browser| browser.thread)
    }

    /// Our offer in a running call: a browser's connection takes every direction.
    pub(super) fn reinvite_browser(&mut self, leg: LegId, offer: &Session) {
        let Some(browser) = self.browsers.get(&leg) else {
            return;
        };
        let answer = browser.answer(offer);
        let event = match answer {
            Some(answer) => Event::OfferAnswered { leg, answer },
            None => Event::OfferFailed {
                leg,
                status: Status::NOT_ACCEPTABLE_HERE,
            },
        };
        self.browser_events.push_back(event);
    }

    /// The leg belongs to no call any more.
    pub(super) fn drop_browser(&mut self, leg: LegId) {
        let Some(browser) = self.browsers.remove(&leg) else {
            return;
        };
        if browser.connection.waiting.is_none()
            && let Some(thread) = self.threads.get_mut(browser.thread)
        {
            thread.close_browser(browser.connection.id);
        }
    }

    fn leg_of_agent(&mut self, key: MediaId, agent: &UserId) -> Option<LegId> {
        let alone = self.tests.get(&key).map(|test| test.leg);
        let alone = alone.or_else(|| self.listenings.get(&key).map(|one| one.leg));
        let legs = match (alone, self.call(key)) {
            (Some(leg), _) => [Some(leg), None, None],
            (None, Some(call)) => {
                let leg = |side: &Option<Side>| side.as_ref().map(|side| side.leg);
                [Some(call.caller.leg), leg(&call.callee), leg(&call.target)]
            }
            (None, None) => return None,
        };
        let is_theirs = |leg: &LegId| {
            let browser = self.browsers.get(leg);
            browser.is_some_and(|browser| browser.agent == *agent)
        };
        legs.into_iter().flatten().find(is_theirs)
    }
}

/// What pages ask.
impl Exchange {
    pub(super) fn ask_phone(
        &mut self,
        now: Instant,
        key: MediaId,
        agent: &UserId,
        ask: PhoneAsk,
    ) -> Result<PhoneSaid, PhoneRefused> {
        let leg = self.leg_of_agent(key, agent);
        let leg = leg.ok_or(PhoneRefused::NotFound)?;
        match ask {
            PhoneAsk::Offer => self.say_offer(now, leg),
            PhoneAsk::Connect { answer } => self.connect_browser(now, (key, leg), &answer),
            PhoneAsk::Answer => self.answer_browser(key, leg),
            PhoneAsk::Decline => self.decline_browser(key, leg),
            // It is the media thread that answers it.
            PhoneAsk::Restart { .. } => Err(PhoneRefused::WrongState),
        }
    }

    fn say_offer(&mut self, now: Instant, leg: LegId) -> Result<PhoneSaid, PhoneRefused> {
        let browser = self.browsers.get_mut(&leg).ok_or(PhoneRefused::NotFound)?;
        let (thread, codec, is_answered) = (browser.thread, browser.codec, browser.is_answered);
        let offered = browser.waiting().map(|one| one.offer.clone());
        let offer = match offered {
            Some(offer) => offer,
            None => {
                let next = self.offer_connection(now, thread, codec);
                let next = next.ok_or(PhoneRefused::Unavailable)?;
                let offer = next.offer.clone();
                if let Some(browser) = self.browsers.get_mut(&leg) {
                    browser.next = Some(next);
                }
                offer
            }
        };
        Ok(PhoneSaid::Offer { offer, is_answered })
    }

    fn connect_browser(
        &mut self,
        now: Instant,
        (key, leg): (MediaId, LegId),
        answer: &str,
    ) -> Result<PhoneSaid, PhoneRefused> {
        if answer.len() > DESCRIPTION_BYTES_MAX {
            return Err(PhoneRefused::Description);
        }
        let browser = self.browsers.get_mut(&leg).ok_or(PhoneRefused::NotFound)?;
        let thread = browser.thread;
        let connection = browser.waiting().ok_or(PhoneRefused::WrongState)?;
        let id = connection.id;
        let mut waiting = connection.waiting.take().ok_or(PhoneRefused::WrongState)?;
        let taken = waiting.take_answer(answer);
        let address = self
            .threads
            .get(thread)
            .and_then(MediaThread::browser_address);
        if taken.is_err() {
            // Its description is spoilt: the page is offered another, which may be answered better.
            self.renew(now, leg, address);
            return Err(PhoneRefused::Description);
        }
        let threads = &mut self.threads;
        let thread = threads.get_mut(thread).ok_or(PhoneRefused::Unavailable)?;
        thread.open_browser(id, waiting);
        self.take_next(key, leg);
        Ok(PhoneSaid::Done)
    }

    /// Makes the connection whose answer could not be taken anew.
    fn renew(&mut self, now: Instant, leg: LegId, address: Option<SocketAddr>) {
        let Some((browser, address)) = self.browsers.get_mut(&leg).zip(address) else {
            return;
        };
        let codec = media_codec(browser.codec);
        let Ok((renewed, offer)) = BrowserLeg::offer(now, address, codec) else {
            return;
        };
        let connection = browser.next.as_mut().unwrap_or(&mut browser.connection);
        connection.offer = offer;
        connection.waiting = Some(Box::new(renewed));
    }

    /// The newer connection is complete: it is the leg's from now on.
    fn take_next(&mut self, key: MediaId, leg: LegId) {
        let Some(browser) = self.browsers.get_mut(&leg) else {
            return;
        };
        let Some(next) = browser.next.take() else {
            return;
        };
        let (id, index) = (next.id, browser.thread);
        let former = std::mem::replace(&mut browser.connection, next);
        let running = self.call(key).and_then(|call| {
            call.thread()?;
            Some(call.media_leg(call.which(leg)?))
        });
        if running.is_none() && self.swap_listener(leg, id) {
            return;
        }
        let Some(thread) = self.threads.get_mut(index) else {
            return;
        };
        match running {
            Some(side) => thread.swap_browser(key, side, id),
            None => thread.close_browser(former.id),
        }
    }

    fn answer_browser(&mut self, key: MediaId, leg: LegId) -> Result<PhoneSaid, PhoneRefused> {
        let is_test = self.tests.contains_key(&key);
        let ours = self.offer_to(key, leg);
        let browser = self.browsers.get_mut(&leg).ok_or(PhoneRefused::NotFound)?;
        if browser.connection.waiting.is_some() {
            return Err(PhoneRefused::WrongState);
        }
        if std::mem::replace(&mut browser.is_answered, true) {
            return Ok(PhoneSaid::Done);
        }
        let (id, codec) = (browser.connection.id, media_codec(browser.codec));
        if is_test {
            let thread = self.threads.get_mut(browser.thread);
            let thread = thread.ok_or(PhoneRefused::Unavailable)?;
            thread.test_browser(id, key, codec);
            return Ok(PhoneSaid::Done);
        }
        let answer = ours.and_then(|offer| browser.answer(&offer));
        if self.hear_call(key, id).is_some() {
            return Ok(PhoneSaid::Done);
        }
        self.browser_events.push_back(Event::Answered {
            leg,
            answer,
            late_offer: None,
        });
        Ok(PhoneSaid::Done)
    }

    /// What was offered to this side, as to a phone.
    fn offer_to(&mut self, key: MediaId, leg: LegId) -> Option<Session> {
        let call = self.call(key)?;
        let sides = [
            Some(&call.caller),
            call.callee.as_ref(),
            call.target.as_ref(),
        ];
        let mut sides = sides.into_iter().flatten();
        sides.find(|side| side.leg == leg)?.ours()
    }

    fn decline_browser(&mut self, key: MediaId, leg: LegId) -> Result<PhoneSaid, PhoneRefused> {
        if self.end_test(key) || self.end_listening(key) {
            return Ok(PhoneSaid::Done);
        }
        let browser = self.browsers.get(&leg).ok_or(PhoneRefused::NotFound)?;
        if browser.is_answered {
            return Err(PhoneRefused::WrongState);
        }
        self.browser_events.push_back(Event::Failed {
            leg,
            status: Status::DECLINE,
            retry_after: None,
        });
        Ok(PhoneSaid::Done)
    }

    /// Hands an ICE restart to the media thread. An answer that never comes was for no leg.
    pub(super) fn restart_browser(
        &mut self,
        key: MediaId,
        agent: &UserId,
        offer: String,
        reply: Restarting,
    ) {
        let Some(leg) = self.leg_of_agent(key, agent) else {
            return;
        };
        let Some(browser) = self.browsers.get(&leg) else {
            return;
        };
        if browser.connection.waiting.is_none()
            && let Some(thread) = self.threads.get_mut(browser.thread)
        {
            thread.restart_browser(browser.connection.id, offer, reply);
        }
    }
}

/// Tests.
impl Exchange {
    pub(super) fn test_phone(
        &mut self,
        now: Instant,
        agent: UserId,
    ) -> Result<CallId, PhoneRefused> {
        let of_agent = |(_, test): &(&MediaId, &PhoneTest)| {
            let browser = self.browsers.get(&test.leg);
            browser.is_some_and(|browser| browser.agent == agent)
        };
        let former = self.tests.iter().find(of_agent).map(|(key, _)| *key);
        if let Some(former) = former {
            self.end_test(former);
        }
        if self.is_closing || self.tests.len() >= TESTS_MAX {
            return Err(PhoneRefused::Busy);
        }
        let id = Arc::new(new_call_id().ok_or(PhoneRefused::Busy)?);
        let (key, leg) = (self.new_key(), self.stack.new_leg());
        if !self.offer_browser(now, key, leg, (agent, Codec::Pcmu)) {
            return Err(PhoneRefused::Unavailable);
        }
        let call = Arc::clone(&id);
        self.tests.insert(key, PhoneTest { call, leg });
        self.enter_test(key, &id, now + TEST_TIME_MAX);
        Ok(CallId::clone(&id))
    }

    /// False if it is none.
    pub(super) fn end_test(&mut self, key: MediaId) -> bool {
        let Some(test) = self.tests.remove(&key) else {
            return false;
        };
        self.forget_id(&test.call);
        self.drop_browser(test.leg);
        self.events.ended(&test.call, EndCause::Local);
        true
    }
}
