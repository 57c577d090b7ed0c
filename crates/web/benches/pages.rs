//! Pages of a whole site on one server: `PAGES` agents with an event stream each, `CAPTURES` of them with a customer who keys. Measured is the time from
//! the moment at which a capture has changed to the moment at which the agent's page has read it. A page is a real login and a real connection; what lies
//! behind the HTTP side, telephony and store, is a double, so that nothing else is measured. One JSON line; fails above the bound.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench is judged by its figure; whatever fails ends it"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::access::Role;
use domain::boundary::{Audience, Bus, LiveEvent};
use domain::id::UserId;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use support::{House, PASSWORD, Stream, user};

#[path = "../tests/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;

const PAGES: usize = 500;
const CAPTURES: usize = 50;
/// Keys of one customer: twice as fast as people key.
const BETWEEN_KEYS: Duration = Duration::from_millis(200);
/// Keys of one customer in the measured time: 20 s.
const KEYS: usize = 100;
/// Logins at a time; more would wait for each other's hashes.
const LOGINS_AT_ONCE: usize = 8;
/// Largest p99: a quarter of a second is as good as at once for who looks at dots.
const P99_MS_MAX: f64 = 250.0;
/// A page that has not read an event by then has lost it.
const LOST_AFTER: Duration = Duration::from_secs(10);

fn name_of(number: usize) -> String {
    format!("agent{number}")
}

/// An agent's page that reads its events.
async fn page(house: Arc<House>, number: usize) -> Stream {
    let mut browser = house.browser();
    let reply = browser.log_in(&name_of(number), PASSWORD).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut stream = browser.events(None).await;
    assert_eq!(stream.status, 200, "stream {number}");
    stream.next().await;
    stream
}

async fn pages(house: &Arc<House>) -> Vec<Stream> {
    let mut streams = Vec::with_capacity(PAGES);
    let numbers: Vec<usize> = (0..PAGES).collect();
    for some in numbers.chunks(LOGINS_AT_ONCE) {
        let mut opening = JoinSet::new();
        for number in some {
            let (house, number) = (Arc::clone(house), *number);
            opening.spawn(async move { (number, page(house, number).await) });
        }
        let mut opened = opening.join_all().await;
        opened.sort_by_key(|(number, _)| *number);
        streams.extend(opened.into_iter().map(|(_, stream)| stream));
    }
    streams
}

/// A capture as the page gets it at every key.
fn body(key: usize, since: Duration) -> Value {
    let prompt = "Please key the long number on the front of your card, then press the pound key.";
    let texts: Value = ["en", "es", "fr", "de"]
        .into_iter()
        .map(|language| (language, json!(prompt)))
        .collect();
    let field = |name: &str| {
        json!({"field": name, "prompt": prompt, "prompts": texts, "state": "keying", "count": key % 16, "expected": 16, "error": null,
            "attempt": 1, "attempts_max": 3, "brand": null, "last_four": null, "revealable": false})
    };
    json!({
        "changed_us": u64::try_from(since.as_micros()).unwrap(),
        "id": "650v6kstpqfah8g51r6j4vgvnx", "call": "63921fd6e3hsvx1zpzxjbt3e7r", "revision": key, "state": "collecting", "listening": "card_number",
        "protection": [{"what": "agent_leg_masked", "name": "", "confirmed": true}, {"what": "recording_masked", "name": "", "confirmed": true}],
        "fields": [field("card_number"), field("expiry"), field("security_code")], "missing": ["card_number", "expiry", "security_code"],
    })
}

/// One customer who keys.
async fn keyed(house: Arc<House>, agent: UserId, number: usize, began: Instant) {
    // Not all at the same moment.
    let share = u32::try_from(CAPTURES).unwrap();
    tokio::time::sleep(BETWEEN_KEYS / share * u32::try_from(number).unwrap()).await;
    let mut beat = tokio::time::interval(BETWEEN_KEYS);
    for key in 0..KEYS {
        beat.tick().await;
        house.hub.publish(LiveEvent {
            audience: Audience::User(agent.clone()),
            topic: "capture",
            body: body(key, began.elapsed()),
        });
    }
}

/// Reads the events of a page with a capture: how old each was, in milliseconds.
async fn read(mut stream: Stream, began: Instant) -> Vec<f64> {
    let mut ages = Vec::with_capacity(KEYS);
    while ages.len() < KEYS {
        let Ok(Some(frame)) = tokio::time::timeout(LOST_AFTER, stream.next()).await else {
            break;
        };
        let now = began.elapsed();
        let event: Value = serde_json::from_str(&frame.data).unwrap();
        let changed = Duration::from_micros(event["changed_us"].as_u64().unwrap());
        ages.push(now.saturating_sub(changed).as_secs_f64() * 1_000.0);
    }
    ages
}

/// A page without a capture: connected, and woken whenever anything happens anywhere.
async fn idle(mut stream: Stream) {
    while stream.next().await.is_some() {}
}

/// In milliseconds, to a hundredth.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let place = (percent * sorted.len()).div_ceil(100).saturating_sub(1);
    let value = sorted.get(place).copied().unwrap_or(f64::NAN);
    (value * 100.0).round() / 100.0
}

async fn measured() -> Vec<f64> {
    let house = House::new().await;
    let mut agents = Vec::with_capacity(PAGES);
    for number in 0..PAGES {
        let mut agent = user(1_000 + u128::try_from(number).unwrap(), Role::Agent);
        agent.name = name_of(number);
        agents.push(agent.id.clone());
        house.rooms.add_user(agent);
    }
    let house = Arc::new(house);
    let streams = pages(&house).await;
    let began = Instant::now();
    let (mut reading, mut keying) = (JoinSet::new(), JoinSet::new());
    for (number, stream) in streams.into_iter().enumerate() {
        if number < CAPTURES {
            reading.spawn(read(stream, began));
            let agent = agents[number].clone();
            keying.spawn(keyed(Arc::clone(&house), agent, number, began));
        } else {
            tokio::spawn(idle(stream));
        }
    }
    keying.join_all().await;
    let mut all = reading.join_all().await.concat();
    all.sort_by(f64::total_cmp);
    all
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ages = runtime.block_on(measured());
    let p99 = percentile(&ages, 99);
    let lost = CAPTURES * KEYS - ages.len();
    println!(
        "{}",
        json!({
            "bench": "pages", "pages": PAGES, "captures": CAPTURES, "events": ages.len(), "lost": lost, "unit": "ms",
            "p50": percentile(&ages, 50), "p99": p99, "max": percentile(&ages, 100), "p99_max": P99_MS_MAX,
        })
    );
    if lost == 0 && p99 <= P99_MS_MAX {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
