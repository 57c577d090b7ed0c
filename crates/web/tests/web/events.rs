//! The stream of live events.

use std::time::Duration;

use domain::access::{Permission, Role};
use domain::boundary::{Audience, Bus, LiveEvent};
use serde_json::json;

use crate::support::{House, Stream};

fn event(audience: Audience, number: u32) -> LiveEvent {
    LiveEvent {
        audience,
        topic: "capture",
        body: json!({ "number": number }),
    }
}

async fn next(stream: &mut Stream) -> (String, String) {
    let frame = tokio::time::timeout(Duration::from_secs(5), stream.next());
    let frame = frame
        .await
        .expect("an event comes")
        .expect("the stream goes on");
    (frame.event, frame.data)
}

#[tokio::test]
async fn a_page_gets_the_events_of_its_user_and_rights_only() {
    let house = House::new().await;
    let anna = house.rooms.user_named("anna").id;
    let mut agent = house.logged_in(Role::Agent).await.events(None).await;
    let mut auditor = house.logged_in(Role::Auditor).await.events(None).await;
    for stream in [&mut agent, &mut auditor] {
        assert_eq!(next(stream).await.0, "ready");
    }
    house.hub.publish(event(Audience::User(anna), 1));
    house
        .hub
        .publish(event(Audience::Holders(Permission::PaymentView), 2));
    house.hub.publish(event(Audience::Everyone, 3));
    let numbers = |number: u32| ("capture".to_owned(), format!("{{\"number\":{number}}}"));
    assert_eq!(next(&mut agent).await, numbers(1));
    assert_eq!(next(&mut agent).await, numbers(3));
    assert_eq!(next(&mut auditor).await, numbers(2));
    assert_eq!(next(&mut auditor).await, numbers(3));
}

#[tokio::test]
async fn a_page_that_connects_again_misses_nothing() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut first = browser.events(None).await;
    next(&mut first).await;
    house.hub.publish(event(Audience::Everyone, 1));
    let seen = first.next().await.unwrap();
    drop(first);
    for number in 2..4 {
        house.hub.publish(event(Audience::Everyone, number));
    }
    let mut second = browser.events(Some(&seen.id)).await;
    assert_eq!(next(&mut second).await.0, "ready");
    assert_eq!(next(&mut second).await.1, "{\"number\":2}");
    assert_eq!(next(&mut second).await.1, "{\"number\":3}");
}

#[tokio::test]
async fn a_place_too_old_or_unknown_makes_the_page_load_anew() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut first = browser.events(None).await;
    let start = first.next().await.unwrap();
    drop(first);
    for number in 0..5_000 {
        house.hub.publish(event(Audience::Everyone, number));
    }
    for id in [start.id.as_str(), "another-process-7", "x"] {
        let mut stream = browser.events(Some(id)).await;
        assert_eq!(next(&mut stream).await.0, "reset", "{id}");
        house.hub.publish(event(Audience::Everyone, 9_999));
        assert_eq!(next(&mut stream).await.1, "{\"number\":9999}");
    }
}

#[tokio::test]
async fn a_page_that_does_not_read_is_told_to_load_anew_and_holds_up_nobody() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut slow = browser.events(None).await;
    let mut quick = browser.events(None).await;
    next(&mut quick).await;
    let text = "x".repeat(4_000);
    for round in 0..6_000_u32 {
        house.hub.publish(LiveEvent {
            audience: Audience::Everyone,
            topic: "call",
            body: json!({ "round": round, "text": text }),
        });
        if round % 50 == 0 {
            next(&mut quick).await;
        }
    }
    let mut topics = Vec::new();
    while topics.last().is_none_or(|topic| topic != "reset") {
        topics.push(next(&mut slow).await.0);
        assert!(topics.len() < 6_000);
    }
}

#[tokio::test]
async fn the_stream_ends_with_the_login() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut stream = browser.events(None).await;
    next(&mut stream).await;
    browser.post("/logout", json!({})).await;
    assert_eq!(next(&mut stream).await.0, "logged_out");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_lives_and_tells_of_the_lock_once() {
    let house = House::new().await;
    let mut stream = house.logged_in(Role::Agent).await.events(None).await;
    next(&mut stream).await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let sign = stream.piece().await.unwrap();
    assert!(sign.starts_with(": keep-alive\nid: "), "{sign}");
    assert_eq!(began.elapsed().as_secs(), 15);
    let mut texts = vec![sign];
    while began.elapsed() < Duration::from_secs(1_000) {
        texts.push(stream.piece().await.unwrap());
    }
    let locks = texts.iter().filter(|text| text.contains("event: locked"));
    assert_eq!(locks.count(), 1);
}

#[tokio::test]
async fn the_sixth_page_of_a_user_is_refused_until_one_closes() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut open = Vec::new();
    for _ in 0..5 {
        let mut stream = browser.events(None).await;
        next(&mut stream).await;
        open.push(stream);
    }
    assert_eq!(browser.events(None).await.status, 429);
    open.pop();
    for _ in 0..100 {
        house.hub.publish(event(Audience::Everyone, 0));
        if browser.events(None).await.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the closed page still counts");
}

#[tokio::test]
async fn at_the_end_streams_close_and_the_server_is_gone() {
    let house = House::new().await;
    let browser = house.logged_in(Role::Agent).await;
    let mut stream = browser.events(None).await;
    next(&mut stream).await;
    let address = house.server.local_addr;
    let end = tokio::time::timeout(Duration::from_secs(4), house.server.shutdown());
    end.await.expect("shutdown does not wait for streams");
    assert_eq!(stream.next().await, None);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
