//! Live events to pages.
//! Owns: the ring of the newest events, who sees which, the stream's text.
//! Never: blocks a publisher, or keeps a queue per page: a page that is too slow loses its place and loads anew.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::{Actor, Resource, authorize};
use domain::boundary::{Audience, Bus, LiveEvent};
use domain::id::UserId;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::app::Shared;
use crate::login::{Login, LoginKey};

/// Events kept for pages that connect again: some minutes of a busy site. An older place is answered by `reset`.
const EVENTS_MAX: usize = 4_096;
/// Largest body: a call with all its buttons and its capture is a tenth of it. A larger one is replaced by `reset`.
const EVENT_BYTES_MAX: usize = 64 * 1_024;
/// Events written at once, so that one page's backlog does not hold the ring's lock.
const BATCH_MAX: usize = 64;
/// Between signs of life, well below the idle time of proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What the browser waits before it connects again.
const RETRY_MS: u32 = 2_000;
/// Streams of one user: a few windows. The next is refused with 429.
const STREAMS_PER_USER_MAX: usize = 5;
/// Streams at all: two windows of each of 1,000 agents. The next is refused with 429.
const STREAMS_MAX: usize = 2_048;

struct Stored {
    seq: u64,
    audience: Audience,
    topic: &'static str,
    body: String,
}

struct Ring {
    events: VecDeque<Arc<Stored>>,
    /// Number of the newest event; 0 before the first.
    newest: u64,
}

/// The process's bus.
pub struct Hub {
    /// Tells our numbers from those of an earlier process.
    epoch: String,
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

/// What follows a place in the ring.
enum Batch {
    /// Text for this page, and the place after what was looked at.
    Next { text: String, place: u64 },
    /// The place is no longer in the ring.
    Lost,
}

impl Hub {
    /// An empty hub.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let epoch = crate::login::random_u128().unwrap_or_default();
        Arc::new(Self {
            epoch: format!("{:08x}", epoch >> 96),
            ring: Mutex::new(Ring {
                events: VecDeque::with_capacity(EVENTS_MAX),
                newest: 0,
            }),
            newest: watch::Sender::new(0),
        })
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, place: u64) -> String {
        format!("{}-{place}", self.epoch)
    }

    /// The place that a page names, if it is one of ours and nothing after it was dropped.
    fn place_of(&self, id: &str) -> Option<u64> {
        let place = id
            .strip_prefix(self.epoch.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()?;
        let ring = self.ring();
        (ring.oldest_place() <= place && place <= ring.newest).then_some(place)
    }

    fn after(&self, place: u64, actor: &Actor) -> Batch {
        let events: Vec<_> = {
            let ring = self.ring();
            let Some(skip) = place.checked_sub(ring.oldest_place()) else {
                return Batch::Lost;
            };
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            ring.events
                .iter()
                .skip(skip)
                .take(BATCH_MAX)
                .cloned()
                .collect()
        };
        let place = events.last().map_or(place, |event| event.seq);
        let text = events
            .iter()
            .filter(|event| sees(&event.audience, actor))
            .map(|event| frame(event.topic, &self.id(event.seq), &event.body))
            .collect();
        Batch::Next { text, place }
    }
}

impl Ring {
    /// The place before the oldest event that is kept.
    fn oldest_place(&self) -> u64 {
        self.events
            .front()
            .map_or(self.newest, |event| event.seq - 1)
    }
}

impl Bus for Hub {
    fn publish(&self, event: LiveEvent) {
        let mut topic = event.topic;
        let mut body = event.body.to_string();
        if body.len() > EVENT_BYTES_MAX {
            tracing::error!(topic, bytes = body.len(), "event too large");
            (topic, body) = ("reset", "{}".to_owned());
        }
        let mut ring = self.ring();
        ring.newest += 1;
        let seq = ring.newest;
        if ring.events.len() >= EVENTS_MAX {
            ring.events.pop_front();
        }
        ring.events.push_back(Arc::new(Stored {
            seq,
            audience: event.audience,
            topic,
            body,
        }));
        drop(ring);
        self.newest.send_modify(|newest| *newest = seq.max(*newest));
    }
}

fn sees(audience: &Audience, actor: &Actor) -> bool {
    match audience {
        Audience::User(user) => *user == actor.user,
        Audience::Holders(right) => authorize(actor, *right, Resource::Installation).is_ok(),
        Audience::Everyone => true,
    }
}

/// One event in the stream's form. JSON has no line breaks of its own.
fn frame(topic: &str, id: &str, body: &str) -> String {
    format!("id: {id}\nevent: {topic}\ndata: {body}\n\n")
}

/// Counts streams.
pub(crate) struct Streams {
    by_user: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// The right to one stream, until it is dropped.
pub(crate) struct StreamPermit {
    by_user: Arc<Mutex<HashMap<UserId, usize>>>,
    user: UserId,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self {
            by_user: Arc::new(Mutex::new(HashMap::new())),
        }
    }

    pub(crate) fn open(&self, user: &UserId) -> Option<StreamPermit> {
        let mut table = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        if table.values().sum::<usize>() >= STREAMS_MAX {
            return None;
        }
        let count = table.entry(user.clone()).or_insert(0);
        if *count >= STREAMS_PER_USER_MAX {
            return None;
        }
        *count += 1;
        Some(StreamPermit {
            by_user: Arc::clone(&self.by_user),
            user: user.clone(),
        })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut table = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = table.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                table.remove(&self.user);
            }
        }
    }
}

/// One page's stream.
pub(crate) struct Feed {
    app: Shared,
    key: LoginKey,
    place: u64,
    /// The first frame, until it is written.
    greeting: Option<&'static str>,
    told_locked: bool,
    over: bool,
    newest: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
    stopping: watch::Receiver<bool>,
    tick: Interval,
    _permit: StreamPermit,
}

enum Woken {
    Published,
    Ended,
    Tick,
}

impl Feed {
    /// Begins after `last_id`, or now.
    pub(crate) fn new(
        app: Shared,
        login: &Login,
        last_id: Option<&str>,
        permit: StreamPermit,
    ) -> Self {
        let hub = Arc::clone(&app.deps.hub);
        let newest = hub.newest.subscribe();
        let known = last_id.and_then(|id| hub.place_of(id));
        let greeting = if last_id.is_some() && known.is_none() {
            "reset"
        } else {
            "ready"
        };
        let mut tick = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            place: known.unwrap_or_else(|| hub.ring().newest),
            key: login.key,
            greeting: Some(greeting),
            told_locked: login.locked,
            over: false,
            newest,
            ended: login.ended.clone(),
            stopping: app.stopping.clone(),
            tick,
            app,
            _permit: permit,
        }
    }

    /// The next piece of text; none: the stream is over.
    pub(crate) async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        if let Some(topic) = self.greeting.take() {
            let id = self.app.deps.hub.id(self.place);
            return Some(format!("retry: {RETRY_MS}\n{}", frame(topic, &id, "{}")));
        }
        loop {
            self.newest.mark_unchanged();
            let Some(login) = self.app.logins.look(&self.key, Instant::now()) else {
                return Some(self.farewell());
            };
            match self.app.deps.hub.after(self.place, &login.actor) {
                Batch::Lost => return Some(self.reset()),
                Batch::Next { text, place } => {
                    let moved = place != self.place;
                    self.place = place;
                    if !text.is_empty() {
                        return Some(text);
                    }
                    if moved {
                        continue;
                    }
                }
            }
            match self.wait().await {
                Woken::Published => {}
                Woken::Ended if *self.stopping.borrow() => return None,
                Woken::Ended => return Some(self.farewell()),
                Woken::Tick => return Some(self.sign_of_life()),
            }
        }
    }

    async fn wait(&mut self) -> Woken {
        tokio::select! {
            changed = self.newest.changed() => match changed {
                Ok(()) => Woken::Published,
                Err(_) => Woken::Ended,
            },
            _ = self.ended.wait_for(|ended| *ended) => Woken::Ended,
            _ = self.stopping.wait_for(|stopping| *stopping) => Woken::Ended,
            _ = self.tick.tick() => Woken::Tick,
        }
    }

    fn farewell(&mut self) -> String {
        self.over = true;
        frame("logged_out", &self.app.deps.hub.id(self.place), "{}")
    }

    fn reset(&mut self) -> String {
        let hub = &self.app.deps.hub;
        self.place = hub.ring().newest;
        frame("reset", &hub.id(self.place), "{}")
    }

    /// A comment, and the place so far: a page that sees few events keeps a fresh one. A lock is told once.
    fn sign_of_life(&mut self) -> String {
        let id = self.app.deps.hub.id(self.place);
        let locked = self
            .app
            .logins
            .look(&self.key, Instant::now())
            .is_some_and(|login| login.locked);
        let tell = locked && !self.told_locked;
        self.told_locked = locked;
        if tell {
            frame("locked", &id, "{}")
        } else {
            format!(": keep-alive\nid: {id}\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(topic: &'static str, audience: Audience) -> LiveEvent {
        LiveEvent {
            audience,
            topic,
            body: serde_json::json!({"line": "a\nb"}),
        }
    }

    fn texts(hub: &Hub, place: u64, actor: &Actor) -> Option<String> {
        match hub.after(place, actor) {
            Batch::Next { text, .. } => Some(text),
            Batch::Lost => None,
        }
    }

    #[test]
    fn an_event_is_one_frame_whatever_its_text() {
        let hub = Hub::new();
        hub.publish(event("call", Audience::Everyone));
        let text = texts(&hub, 0, &Actor::system()).unwrap();
        assert_eq!(text.lines().count(), 4);
        assert!(text.ends_with("\n\n"));
    }

    #[test]
    fn only_the_audience_sees_an_event() {
        let hub = Hub::new();
        hub.publish(event("call", Audience::User(UserId::from_random(1))));
        hub.publish(event(
            "payment",
            Audience::Holders(domain::access::Permission::PaymentView),
        ));
        let mut actor = Actor {
            user: UserId::from_random(2),
            ..Actor::system()
        };
        assert_eq!(texts(&hub, 0, &actor).unwrap(), "");
        actor
            .permissions
            .insert(domain::access::Permission::PaymentView);
        assert!(texts(&hub, 0, &actor).unwrap().contains("event: payment"));
        actor.user = UserId::from_random(1);
        assert!(texts(&hub, 0, &actor).unwrap().contains("event: call"));
    }

    #[test]
    fn a_place_that_left_the_ring_is_lost() {
        let hub = Hub::new();
        for _ in 0..=EVENTS_MAX {
            hub.publish(event("call", Audience::Everyone));
        }
        assert!(texts(&hub, 0, &Actor::system()).is_none());
        assert!(texts(&hub, 1, &Actor::system()).is_some());
        assert_eq!(hub.place_of(&hub.id(0)), None);
        assert_eq!(hub.place_of(&hub.id(1)), Some(1));
    }

    #[test]
    fn places_of_another_process_or_of_the_future_are_not_ours() {
        let hub = Hub::new();
        assert_eq!(hub.place_of(&hub.id(0)), Some(0));
        for id in [hub.id(1), "0-0".to_owned(), String::new(), "x".to_owned()] {
            assert_eq!(hub.place_of(&id), None, "{id}");
        }
    }

    #[test]
    fn an_event_too_large_to_send_makes_pages_load_anew() {
        let hub = Hub::new();
        let mut large = event("call", Audience::Everyone);
        large.body = serde_json::json!("x".repeat(EVENT_BYTES_MAX));
        hub.publish(large);
        assert!(
            texts(&hub, 0, &Actor::system())
                .unwrap()
                .contains("event: reset")
        );
    }

    #[test]
    fn a_user_has_five_streams() {
        let streams = Streams::new();
        let user = UserId::from_random(1);
        let mut open: Vec<_> = (0..5).map(|_| streams.open(&user).unwrap()).collect();
        assert!(streams.open(&user).is_none());
        assert!(streams.open(&UserId::from_random(2)).is_some());
        open.pop();
        assert!(streams.open(&user).is_some());
    }
}
