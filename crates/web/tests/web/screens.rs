//! Screens: shared by the call's agent alone, kept chunk by chunk, played part by part.

use domain::access::Role;
use domain::audit::AuditAction;
use hyper::Method;
use serde_json::{Value, json};

use crate::support::screens::CALL;
use crate::support::shelf::{WAV_BYTES, screen, wav};
use crate::support::{Browser, House, Reply, ended, name_of, recording};

const CHUNK_BYTES_MAX: usize = 2 * 1_024 * 1_024;

/// Anna's call, and Anna's browser.
async fn house() -> (House, Browser) {
    let house = House::new().await;
    let anna = house.rooms.user_named(name_of(Role::Agent)).id;
    house.screens.is_of(&anna);
    let browser = house.logged_in(Role::Agent).await;
    (house, browser)
}

fn path(rest: &str) -> String {
    format!("/calls/{CALL}/screen{rest}")
}

async fn share(browser: &Browser, surface: &str) -> Reply {
    let form = json!({"surface": surface, "media_type": "video/webm;codecs=vp8"});
    browser.post(&path(""), form).await
}

async fn send(browser: &mut Browser, query: &str, bytes: &str) -> Reply {
    let kind = "application/octet-stream".to_owned();
    browser.extra = vec![("content-type".to_owned(), kind)];
    let path = path(&format!("/chunks?{query}"));
    let reply = browser.send_text(Method::POST, &path, Some(bytes.to_owned()));
    let reply = reply.await;
    browser.extra.clear();
    reply
}

fn place(part: u16, sequence: u32, begin_ms: u64, until_ms: u64) -> String {
    format!("part={part}&sequence={sequence}&begin_ms={begin_ms}&until_ms={until_ms}")
}

async fn refusal(browser: &mut Browser, query: &str, bytes: &str) -> (u16, String) {
    let reply = send(browser, query, bytes).await;
    (reply.status, reply.code())
}

fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn acknowledge(browser: &Browser, part: u16, chunks: u32, at_ms: u64) -> Reply {
    let said = json!({"part": part, "chunks": chunks, "at_ms": at_ms});
    browser.post(&path("/acknowledgement"), said).await
}

fn kept(house: &House) -> Vec<(u16, u32)> {
    let chunks = house.screens.chunks.lock().unwrap();
    let place = |(claim, _): &(domain::screen::ChunkClaim, Vec<u8>)| (claim.part, claim.sequence);
    chunks.iter().map(place).collect()
}

#[tokio::test]
async fn chunks_are_kept_one_after_the_other_and_everything_else_is_refused_with_its_reason() {
    let (house, mut anna) = house().await;
    let early = refusal(&mut anna, &place(0, 0, 0, 900), "a").await;
    assert_eq!(early, told(409, "screen_not_shared"));
    let shared = share(&anna, "monitor").await;
    assert_eq!(shared.status, 200, "{}", shared.text());
    let view = shared.json();
    assert_eq!(
        (&view["shared"], &view["hold"]),
        (&json!(true), &json!("none"))
    );
    house.screens.at(1_000);
    assert_eq!(
        send(&mut anna, &place(0, 0, 0, 900), "abc").await.status,
        204
    );
    for (query, bytes, code) in [
        (place(0, 0, 0, 900), "abc", "screen_repeated"),
        (place(0, 2, 900, 950), "a", "screen_refused"),
        (place(1, 0, 900, 950), "a", "screen_refused"),
        (place(0, 1, 800, 950), "a", "screen_refused"),
        (place(0, 1, 950, 900), "a", "screen_refused"),
        (place(0, 1, 900, 3_001), "a", "screen_refused"),
        (place(0, 1, 900, 950), "", "screen_refused"),
    ] {
        assert_eq!(
            refusal(&mut anna, &query, bytes).await,
            told(409, code),
            "{query}"
        );
    }
    let large = "x".repeat(CHUNK_BYTES_MAX + 1);
    let large = refusal(&mut anna, &place(0, 1, 900, 950), &large).await;
    assert_eq!(large, told(413, "too_large"));
    for query in [
        "",
        "part=0",
        "part=70000&sequence=1&begin_ms=0&until_ms=1",
        "part=-1&sequence=1&begin_ms=0&until_ms=1",
    ] {
        assert_eq!(
            refusal(&mut anna, query, "a").await,
            told(400, "bad_query"),
            "{query}"
        );
    }
    let json = anna
        .post(
            &path(&format!("/chunks?{}", place(0, 1, 900, 950))),
            json!({}),
        )
        .await;
    assert_eq!((json.status, json.code()), told(415, "media_type"));
    assert_eq!(kept(&house), [(0, 0)]);
    assert_eq!(house.screens.chunks.lock().unwrap()[0].1, b"abc");
}

#[tokio::test]
async fn a_pause_is_acknowledged_and_only_what_came_before_it_still_comes() {
    let (house, mut anna) = house().await;
    share(&anna, "monitor").await;
    house.screens.at(1_500);
    send(&mut anna, &place(0, 0, 0, 1_000), "a").await;
    let early = acknowledge(&anna, 0, 1, 1_000).await;
    assert_eq!((early.status, early.code()), told(409, "wrong_state"));
    house.screens.pause();
    let waiting = refusal(&mut anna, &place(0, 1, 1_000, 1_400), "b").await;
    assert_eq!(waiting, told(409, "screen_pausing"));
    for (said, field) in [
        ((1, 2, 1_400), "part"),
        ((0, 0, 1_400), "chunks"),
        ((0, 99, 1_400), "chunks"),
        ((0, 2, 9_000), "at_ms"),
    ] {
        let wrong = acknowledge(&anna, said.0, said.1, said.2).await;
        assert_eq!(
            (wrong.status, wrong.fields()),
            (422, vec![field.to_owned()])
        );
    }
    let heard = acknowledge(&anna, 0, 2, 1_400).await;
    assert_eq!(
        (heard.status, &heard.json()["hold"]),
        (200, &json!("paused"))
    );
    let beyond = refusal(&mut anna, &place(0, 1, 1_000, 1_401), "b").await;
    assert_eq!(beyond, told(409, "screen_paused"));
    assert_eq!(
        send(&mut anna, &place(0, 1, 1_000, 1_400), "b")
            .await
            .status,
        204
    );
    for late in [place(0, 2, 1_400, 1_450), place(1, 0, 1_400, 1_450)] {
        assert_eq!(
            refusal(&mut anna, &late, "c").await,
            told(409, "screen_paused")
        );
    }
    house.screens.resume_at(20_000);
    // Within the pause, by its own word.
    house.screens.at(21_000);
    let inside = refusal(&mut anna, &place(1, 0, 10_000, 21_000), "d").await;
    assert_eq!(inside, told(409, "screen_refused"));
    assert_eq!(
        send(&mut anna, &place(1, 0, 20_050, 21_000), "d")
            .await
            .status,
        204
    );
    assert_eq!(kept(&house), [(0, 0), (0, 1), (1, 0)]);
}

#[tokio::test]
async fn a_service_that_wants_the_entire_screen_says_so_and_what_was_ended_is_over() {
    let (house, mut anna) = house().await;
    for surface in ["browser", "window"] {
        let refused = share(&anna, surface).await;
        assert_eq!(
            (refused.status, refused.fields()),
            (422, vec!["surface".to_owned()])
        );
    }
    let form = json!({"surface": "monitor", "media_type": "text/html"});
    let refused = anna.post(&path(""), form).await;
    assert_eq!(refused.fields(), ["media_type"]);
    share(&anna, "monitor").await;
    house.screens.at(1_000);
    send(&mut anna, &place(0, 0, 0, 900), "a").await;
    let over = anna.post(&path("/end"), json!({"why": "stopped"})).await;
    assert_eq!(over.json()["ended"], "stopped");
    let late = refusal(&mut anna, &place(0, 1, 900, 950), "b").await;
    assert_eq!(late, told(409, "screen_not_shared"));
    let seen = anna.get(&path("")).await.json();
    assert_eq!((&seen["shared"], &seen["part"]), (&json!(false), &json!(1)));
    assert_eq!(share(&anna, "monitor").await.json()["part"], 1);
}

#[tokio::test]
async fn of_another_agent_s_call_or_one_without_a_screen_there_is_none() {
    let (house, mut anna) = house().await;
    share(&anna, "monitor").await;
    house.screens.at(1_000);
    let stranger = house.rooms.user_named(name_of(Role::Supervisor)).id;
    house.screens.is_of(&stranger);
    let chunk = refusal(&mut anna, &place(0, 0, 0, 900), "a").await;
    assert_eq!(chunk, told(404, "not_found"));
    for reply in [
        anna.get(&path("")).await,
        share(&anna, "monitor").await,
        acknowledge(&anna, 0, 0, 0).await,
        anna.post(&path("/end"), json!({"why": "failed"})).await,
        anna.get("/calls/no-such-call/screen").await,
    ] {
        assert_eq!((reply.status, reply.code()), told(404, "not_found"));
    }
    assert_eq!(kept(&house), []);
}

async fn shelf() -> (House, Browser) {
    let house = House::new().await;
    house.shelf.put(recording("heard", ended(true)));
    house.shelf.put(screen("seen", ended(true)));
    let browser = house.logged_in(Role::Supervisor).await;
    (house, browser)
}

#[tokio::test]
async fn a_screen_s_recording_tells_its_parts_and_a_call_s_has_none() {
    let (_house, sam) = shelf().await;
    for (medium, id) in [("screen", "seen"), ("call", "heard")] {
        let found = sam
            .get(&format!("/recordings?medium={medium}"))
            .await
            .json();
        let rows = found["recordings"].as_array().unwrap().clone();
        let about: Vec<_> = rows
            .iter()
            .map(|row| (&row["id"], &row["medium"]))
            .collect();
        assert_eq!(about, [(&json!(id), &json!(medium))]);
    }
    assert_eq!(sam.get("/recordings?medium=film").await.status, 400);
    let seen = sam.get("/recordings/seen").await.json();
    assert_eq!(
        seen["file"]["parts"][1],
        json!({"number": 2, "begin_ms": 1_000, "length_ms": 400, "bytes": WAV_BYTES, "media_type": "video/webm;codecs=vp8"})
    );
    assert_eq!(seen["file"]["spans"][0]["kind"], "paused");
    assert_eq!(
        sam.get("/recordings/heard").await.json()["file"]["parts"],
        json!([])
    );
    for path in [
        "seen/audio",
        "seen/peaks",
        "heard/parts/0",
        "seen/parts/1",
        "seen/parts/x",
    ] {
        let reply = sam.get(&format!("/recordings/{path}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            told(404, "not_found"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_part_is_played_whole_or_by_ranges_and_stands_in_the_trail_once() {
    let (house, mut sam) = shelf().await;
    let whole = sam.get("/recordings/seen/parts/0").await;
    assert_eq!((whole.status, whole.body.as_ref()), (200, wav().as_slice()));
    assert_eq!(whole.header("content-type"), "video/webm;codecs=vp8");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert!(
        whole.header("cache-control").contains("no-store"),
        "{:?}",
        whole.headers
    );
    sam.extra
        .push(("range".to_owned(), "bytes=200000-200009".to_owned()));
    let part = sam.get("/recordings/seen/parts/2").await;
    assert_eq!(
        (part.status, part.body.as_ref()),
        (206, &wav()[200_000..200_010])
    );
    assert_eq!(
        part.header("content-range"),
        format!("bytes 200000-200009/{WAV_BYTES}")
    );
    sam.extra[0].1 = format!("bytes={WAV_BYTES}-");
    let beyond = sam.get("/recordings/seen/parts/0").await;
    assert_eq!((beyond.status, beyond.code()), told(416, "bad_range"));
    let entries = house.rooms.entries.lock().unwrap();
    let played: Vec<Value> = entries
        .iter()
        .filter(|chained| chained.entry.action == AuditAction::RecordingPlayed)
        .map(|chained| json!([chained.entry.actor, chained.entry.object]))
        .collect();
    assert_eq!(played, [json!(["sam", "recording seen"])]);
}
