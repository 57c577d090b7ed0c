//! Recordings: found, seen, listened to, taken out, deleted; and who did is in the trail first.

use domain::access::{Actor, Role};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, RecordingFileError, Store, StoreError};
use domain::recording::{Recording, RecordingEnd, RecordingFinds, RecordingScan, RecordingState};
use domain::time::UnixMillis;
use hyper::Method;
use serde_json::{Value, json};

use crate::support::shelf::{WAV_BYTES, screen, wav};
use crate::support::{Browser, House, Reply, ended, name_of, recording};

const DAY_MS: i64 = 86_400_000;

/// A recording that ended, one that runs and one that is being deleted.
async fn house() -> House {
    let house = House::new().await;
    house.shelf.put(recording("kept", ended(true)));
    house
        .shelf
        .put(recording("running", RecordingState::Running));
    let end = RecordingEnd {
        at: UnixMillis(1),
        samples: 0,
        bytes: 0,
        final_segment: None,
    };
    let deleting = RecordingState::Deleting(end);
    house.shelf.put(recording("deleting", deleting));
    house
}

fn entries(house: &House, action: AuditAction) -> Vec<(String, String, Value)> {
    let entries = house.rooms.entries.lock().unwrap();
    let of = entries.iter().map(|chained| &chained.entry);
    of.filter(|entry| entry.action == action)
        .map(|entry| {
            (
                entry.actor.clone(),
                entry.object.clone(),
                entry.detail.clone(),
            )
        })
        .collect()
}

async fn delete(browser: &Browser, id: &str, body: Value) -> Reply {
    let path = format!("/recordings/{id}");
    browser.send(Method::DELETE, &path, Some(body)).await
}

async fn redact(browser: &Browser, id: &str, body: Value) -> Reply {
    browser
        .post(&format!("/recordings/{id}/redactions"), body)
        .await
}

async fn audio(house: &House, range: Option<&str>) -> Reply {
    let mut browser = house.logged_in(Role::Supervisor).await;
    ask_for(&mut browser, range).await
}

async fn ask_for(browser: &mut Browser, range: Option<&str>) -> Reply {
    browser.extra.clear();
    if let Some(range) = range {
        browser.extra.push(("range".to_owned(), range.to_owned()));
    }
    browser.get("/recordings/kept/audio").await
}

fn ids(list: &Value) -> Vec<&str> {
    let rows = list["recordings"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn recordings_are_found_by_call_service_agent_and_day_page_by_page() {
    let house = house().await;
    let anna = house.rooms.user_named("anna").id;
    let other = Recording {
        call: "call-2".parse().unwrap(),
        service: "sales".parse().unwrap(),
        agent: Some(anna.clone()),
        began: UnixMillis(1_800_000_000_000 - DAY_MS),
        ..recording("older", ended(false))
    };
    house.shelf.put(other);
    let browser = house.logged_in(Role::Auditor).await;
    let all = browser.get("/recordings").await.json();
    assert_eq!(ids(&all), ["running", "kept", "older"]);
    assert_eq!(all["next"], json!(null));
    assert_eq!(all["recordings"][0]["end"], json!(null));
    assert_eq!(
        all["recordings"][1]["end"],
        json!({"length_ms": 2_000, "bytes": 44_288, "is_whole": true})
    );
    assert_eq!(all["recordings"][2]["agent_name"], "anna");
    assert_eq!(all["recordings"][2]["end"]["is_whole"], false);
    let day = 1_800_000_000_000_i64;
    for query in [
        "call=call-2".to_owned(),
        "service=sales".to_owned(),
        format!("agent={anna}"),
        format!("until={day}"),
        format!("from={}&until={}", day - DAY_MS, day - DAY_MS + 1),
    ] {
        let found = browser.get(&format!("/recordings?{query}")).await.json();
        assert_eq!(ids(&found), ["older"], "{query}");
    }
    let first = browser.get("/recordings?limit=2").await.json();
    assert_eq!(ids(&first), ["running", "kept"]);
    let next = format!(
        "/recordings?limit=2&after={}",
        first["next"].as_str().unwrap()
    );
    assert_eq!(ids(&browser.get(&next).await.json()), ["older"]);
    for query in ["call=no call", "from=x", "after=x", "limit=-1", "other=1"] {
        let query = query.replace(' ', "%20");
        let reply = browser.get(&format!("/recordings?{query}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "bad_query".to_owned()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_choices_of_a_list_are_services_and_users_by_name() {
    let house = house().await;
    let anna = house.rooms.user_named("anna").id;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    for (name, number) in [("Sales", "8005550101"), ("Billing", "8005550100")] {
        let form = json!({"name": name, "numbers": [number], "route": {"to": "agents"}, "desktop": "sales", "protection": "capture"});
        let made = admin.post("/services", form).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let browser = house.logged_in(Role::Auditor).await;
    let choices = browser.get("/recordings/choices").await.json();
    let services = choices["services"].as_array().unwrap();
    let names: Vec<_> = services.iter().map(|one| one["name"].as_str()).collect();
    assert_eq!(names, [Some("Billing"), Some("Sales")]);
    let agents = choices["agents"].as_array().unwrap();
    let names: Vec<_> = agents.iter().map(|one| one["name"].as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert!(
        agents.contains(&json!({ "id": anna, "name": "anna" })),
        "{agents:?}"
    );
}

#[tokio::test]
async fn a_recording_tells_its_spans_and_peaks_and_an_unreadable_one_why() {
    let house = house().await;
    let browser = house.logged_in(Role::Supervisor).await;
    let seen = browser.get("/recordings/kept").await.json();
    assert_eq!(
        seen["file"],
        json!({
            "length_ms": 2_000,
            "parts": [],
            "spans": [{"kind": "masked", "tracks": "consumer", "from_ms": 500, "until_ms": 1_001}],
            "ending": {"is": "whole"},
        })
    );
    let peaks = browser.get("/recordings/kept/peaks").await.json();
    assert_eq!(
        (&peaks["step_ms"], &peaks["length_ms"]),
        (&json!(125), &json!(2_000))
    );
    assert_eq!(peaks["consumer"], json!(vec![9; 16]));
    assert_eq!(peaks["agent"], json!(vec![0; 16]));

    let running = browser.get("/recordings/running").await.json();
    assert_eq!(running["row"]["end"], json!(null));
    assert_eq!(
        [
            &running["file"],
            &running["unreadable"],
            &running["missing_key"]
        ],
        [&json!(null); 3]
    );
    let lost = RecordingFileError::ConfigKey {
        key_id: "0123456789abcdef".to_owned(),
    };
    house.shelf.fail_next(lost.clone());
    let seen = browser.get("/recordings/kept").await.json();
    assert_eq!(seen["file"], json!(null));
    let why = "key 0123456789abcdef is not at hand; put it back into the key file";
    assert_eq!(seen["unreadable"], why);
    assert_eq!(seen["missing_key"], "0123456789abcdef");
    for path in ["peaks", "audio"] {
        house.shelf.fail_next(lost.clone());
        let reply = browser.get(&format!("/recordings/kept/{path}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (409, "recording_key_missing".to_owned())
        );
        assert_eq!(reply.json()["detail"], why);
    }
    assert_eq!(entries(&house, AuditAction::RecordingPlayed), []);
}

#[tokio::test]
async fn a_recording_is_played_whole_or_by_one_range() {
    let house = house().await;
    let whole = audio(&house, None).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.body, wav());
    for (name, value) in [
        ("content-type", "audio/wav"),
        ("content-length", "300000"),
        ("accept-ranges", "bytes"),
        ("cache-control", "no-store"),
        ("etag", "\"kept.0\""),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    for (range, part) in [
        ("bytes=0-", 0..WAV_BYTES),
        ("bytes=43-44", 43..45),
        ("bytes=131071-131072", 131_071..131_073),
        ("bytes=-5", WAV_BYTES - 5..WAV_BYTES),
        ("bytes=299999-900000", WAV_BYTES - 1..WAV_BYTES),
    ] {
        let reply = audio(&house, Some(range)).await;
        assert_eq!(reply.status, 206, "{range}");
        let said = format!("bytes {}-{}/{WAV_BYTES}", part.start, part.end - 1);
        assert_eq!(reply.header("content-range"), said);
        assert_eq!(reply.header("content-length"), part.len().to_string());
        assert_eq!(reply.body, wav()[part], "{range}");
    }
    for range in ["bytes=300000-", "bytes=-0"] {
        let reply = audio(&house, Some(range)).await;
        assert_eq!((reply.status, reply.code()), (416, "bad_range".to_owned()));
        assert_eq!(reply.header("content-range"), "bytes */300000");
    }
    for range in ["bytes=0-1,4-5", "pages=0-1", "bytes=5-1"] {
        let reply = audio(&house, Some(range)).await;
        assert_eq!(
            (reply.status, reply.body.len()),
            (200, WAV_BYTES),
            "{range}"
        );
    }
}

#[tokio::test]
async fn a_playing_is_in_the_trail_once_and_before_its_first_byte() {
    let house = house().await;
    let mut browser = house.logged_in(Role::Supervisor).await;
    house
        .rooms
        .fail_next(StoreError::Unavailable("no disk".to_owned()));
    let refused = ask_for(&mut browser, Some("bytes=0-9")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "store_unavailable".to_owned())
    );
    assert_eq!(entries(&house, AuditAction::RecordingPlayed), []);
    // A player asks for its parts in any order, and for the first one not always.
    for range in ["bytes=100-199", "bytes=0-99", "bytes=0-"] {
        assert_eq!(ask_for(&mut browser, Some(range)).await.status, 206);
    }
    let played = (
        name_of(Role::Supervisor).to_owned(),
        "recording kept".to_owned(),
        json!({"call": "call-1"}),
    );
    let once = entries(&house, AuditAction::RecordingPlayed);
    assert_eq!(once, std::slice::from_ref(&played));
    let mut again = house.logged_in(Role::Supervisor).await;
    assert_eq!(ask_for(&mut again, None).await.status, 200);
    assert_eq!(
        entries(&house, AuditAction::RecordingPlayed),
        [played.clone(), played]
    );
}

#[tokio::test]
async fn a_recording_leaves_as_a_file_for_a_reason_that_is_in_the_trail() {
    let house = house().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let form = |format: &str| json!({"format": format, "reason": " The customer asked for it. "});
    house
        .rooms
        .fail_next(StoreError::Unavailable("no disk".to_owned()));
    let refused = browser.post("/recordings/kept/download", form("wav")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "store_unavailable".to_owned())
    );
    assert_eq!(entries(&house, AuditAction::RecordingDownloaded), []);

    let file = browser.post("/recordings/kept/download", form("wav")).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, "audio/wav")
    );
    assert_eq!(file.header("content-length"), "300000");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"recording-2027-01-15-kept.wav\""
    );
    assert_eq!(file.body, wav());
    let file = browser
        .post("/recordings/kept/download", form("opus"))
        .await;
    assert_eq!(file.header("content-type"), "audio/ogg; codecs=opus");
    assert_eq!(file.body, "OggS1OggS2");
    let left = entries(&house, AuditAction::RecordingDownloaded);
    let details: Vec<_> = left.into_iter().map(|(_, _, detail)| detail).collect();
    let detail = |format| json!({"call": "call-1", "format": format, "reason": "The customer asked for it."});
    assert_eq!(details, [detail("wav"), detail("opus")]);
}

#[tokio::test]
async fn a_recording_is_deleted_for_a_reason_with_two_entries() {
    let house = house().await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let form = json!({"reason": " The customer withdrew consent. "});
    house.shelf.fail_next(RecordingFileError::Unavailable);
    let failed = delete(&browser, "kept", form.clone()).await;
    assert_eq!(
        (failed.status, failed.code()),
        (503, "recording_unavailable".to_owned())
    );
    let done = delete(&browser, "kept", form.clone()).await;
    assert_eq!(done.status, 204, "{}", done.text());
    assert_eq!(delete(&browser, "kept", form).await.status, 404);
    let begun = entries(&house, AuditAction::RecordingDeletionBegan);
    let (actor, object, detail) = begun.last().unwrap();
    assert_eq!((actor.as_str(), object.as_str()), ("sid", "recording kept"));
    assert_eq!(detail["reason"], "The customer withdrew consent.");
    assert_eq!(entries(&house, AuditAction::RecordingDeleted).len(), 1);
}

#[tokio::test]
async fn a_part_is_removed_for_a_reason_with_two_entries_and_what_was_cached_is_stale() {
    let house = house().await;
    let listener = house.logged_in(Role::Supervisor).await;
    let before = listener.get("/recordings/kept/audio").await;
    let browser = house.logged_in(Role::SecurityAdmin).await;
    let form = json!({"from_ms": 250, "until_ms": 2_000, "reason": " The number was said aloud. "});
    house.shelf.fail_next(RecordingFileError::Unavailable);
    let failed = redact(&browser, "kept", form.clone()).await;
    assert_eq!(
        (failed.status, failed.code()),
        (503, "recording_unavailable".to_owned())
    );
    let done = redact(&browser, "kept", form).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let begun = entries(&house, AuditAction::RecordingRedactionBegan);
    assert_eq!(begun.len(), 2);
    let removed = entries(&house, AuditAction::RecordingRedacted);
    let [(actor, object, detail)] = removed.as_slice() else {
        panic!("{removed:?}");
    };
    assert_eq!((actor.as_str(), object.as_str()), ("sid", "recording kept"));
    assert_eq!(
        *detail,
        json!({"from_ms": 250, "until_ms": 2_000, "reason": "The number was said aloud."})
    );
    let shown = listener.get("/recordings/kept").await.json();
    let span = json!({"kind": "removed", "tracks": "both", "from_ms": 250, "until_ms": 2_000});
    assert_eq!(shown["file"]["spans"][1], span);
    let after = listener.get("/recordings/kept/audio").await;
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn a_part_lies_in_its_recording_and_begins_before_it_ends() {
    let house = house().await;
    house.shelf.put(screen("seen", ended(true)));
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let part =
        |from: u64, until: u64| json!({"from_ms": from, "until_ms": until, "reason": "asked for"});
    for (from, until, field) in [
        (500, 500, "from_ms"),
        (501, 500, "from_ms"),
        (0, 2_001, "until_ms"),
        (u64::MAX - 1, u64::MAX, "until_ms"),
    ] {
        let reply = redact(&admin, "kept", part(from, until)).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec![field.to_owned()]),
            "{from}-{until}"
        );
    }
    // Its parts last from 100 to 500 and from 1,000 to 1,400.
    for (from, until) in [(0, 100), (500, 1_000), (1_400, 2_000)] {
        let reply = redact(&admin, "seen", part(from, until)).await;
        assert_eq!(
            (reply.status, reply.fields()),
            (422, vec!["from_ms".to_owned()]),
            "{from}-{until}"
        );
    }
    let listener = house.logged_in(Role::Supervisor).await;
    assert_eq!(redact(&listener, "kept", part(0, 500)).await.status, 403);
    assert_eq!(entries(&house, AuditAction::RecordingRedactionBegan), []);
    let done = redact(&admin, "seen", part(499, 1_000)).await;
    assert_eq!(done.status, 204, "{}", done.text());
    let removed = entries(&house, AuditAction::RecordingRedacted);
    assert_eq!(removed[0].1, "recording seen");
}

#[tokio::test]
async fn nobody_listens_to_what_the_scan_found_something_in_but_it_leaves_with_a_reason() {
    let house = house().await;
    let scanned = |id: &str, masked_keys| Recording {
        scan: Some(RecordingScan {
            at: UnixMillis(1_800_000_003_000),
            finds: RecordingFinds {
                masked_keys,
                ..RecordingFinds::default()
            },
        }),
        ..recording(id, ended(true))
    };
    house.shelf.put(scanned("clean", 0));
    house.shelf.put(scanned("found", 2));
    let listener = house.logged_in(Role::Supervisor).await;
    let seen = listener.get("/recordings/found").await;
    assert_eq!(seen.json()["row"]["scan"]["finds"]["masked_keys"], 2);
    assert_eq!(listener.get("/recordings/clean/audio").await.status, 200);
    let refused = listener.get("/recordings/found/audio").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (409, "recording_quarantined")
    );
    let played = entries(&house, AuditAction::RecordingPlayed).len();
    assert_eq!(played, 1);
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let out = json!({"format": "wav", "reason": "which keys they were"});
    assert_eq!(
        admin.post("/recordings/found/download", out).await.status,
        200
    );
    let gone = delete(&admin, "found", json!({"reason": "keys were found"})).await;
    assert_eq!(gone.status, 204);
}

#[tokio::test]
async fn what_is_not_there_runs_or_is_being_deleted_gives_nothing() {
    let house = house().await;
    let listener = house.logged_in(Role::Supervisor).await;
    let admin = house.logged_in(Role::SecurityAdmin).await;
    let why = json!({"reason": "asked for"});
    let out = json!({"format": "wav", "reason": "asked for"});
    let part = json!({"from_ms": 0, "until_ms": 500, "reason": "asked for"});
    for (id, status, code) in [
        ("unknown", 404, "not_found"),
        ("no%20id", 404, "not_found"),
        ("deleting", 404, "not_found"),
        ("running", 409, "recording_runs"),
    ] {
        let replies = [
            listener.get(&format!("/recordings/{id}/peaks")).await,
            listener.get(&format!("/recordings/{id}/audio")).await,
            admin
                .post(&format!("/recordings/{id}/download"), out.clone())
                .await,
            delete(&admin, id, why.clone()).await,
            redact(&admin, id, part.clone()).await,
        ];
        for reply in replies {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (status, code),
                "{id}"
            );
        }
    }
    for id in ["unknown", "deleting"] {
        let reply = listener.get(&format!("/recordings/{id}")).await;
        assert_eq!(reply.status, 404, "{id}");
    }
    let foreign = json!({"format": "mp3", "reason": "asked for"});
    let reply = admin.post("/recordings/kept/download", foreign).await;
    assert_eq!(
        (reply.status, reply.fields()),
        (400, vec!["format".to_owned()])
    );
    for reason in [
        "",
        " no ",
        &"x".repeat(501),
        "paid with 4111 1111 1111 1111",
    ] {
        let form = json!({"format": "wav", "reason": reason});
        let left = admin.post("/recordings/kept/download", form).await;
        let gone = delete(&admin, "kept", json!({"reason": reason})).await;
        let part = json!({"from_ms": 0, "until_ms": 500, "reason": reason});
        let removed = redact(&admin, "kept", part).await;
        for reply in [left, gone, removed] {
            assert_eq!(
                (reply.status, reply.fields()),
                (422, vec!["reason".to_owned()])
            );
        }
    }
    let trail = house.rooms.trail();
    assert!(!trail.contains("\"recording_"), "{trail}");
}

#[tokio::test]
async fn what_recorders_said_of_the_captures_of_a_call_stands_beside_its_recording() {
    let house = house().await;
    let began = recording("kept", ended(true)).began;
    let entry = |object: &str, action, after: i64| {
        AuditEntry::new(
            began.plus_ms(after),
            &Actor::system(),
            action,
            object.to_owned(),
        )
    };
    let opened = |object: &str, call: &str, after| {
        entry(object, AuditAction::CaptureOpened, after)
            .with("call", call)
            .with("kind", "credit_card_basic")
    };
    let said = |action, after| {
        entry("capture one", action, after)
            .with("recorder", "Tonewall")
            .with("medium", "call")
            .with("answered_ms", 38)
    };
    let refused = said(AuditAction::RecorderRefused, 2_100)
        .with("asked", "pause")
        .with("reason", "recorder_no_answer");
    for entry in [
        opened("capture one", "call-1", 2_000),
        opened("capture two", "call-2", 2_010),
        said(AuditAction::RecorderPaused, 2_038),
        refused,
        entry("capture one", AuditAction::CustomerSpeaking, 5_000)
            .with("on", true)
            .with("marked_s", 15)
            .with("recording", "kept")
            .with("recording_ms", 4_900),
        entry("capture one", AuditAction::CustomerSpeaking, 6_000).with("on", false),
        said(AuditAction::RecorderResumed, 9_000),
        entry("capture one", AuditAction::CaptureReleased, 9_100),
        opened("capture three", "call-1", 20_000),
        entry("capture three", AuditAction::CaptureBlocked, 23_000),
        opened("capture four", "call-1", 30_000),
    ] {
        let change = Change::None;
        house.rooms.commit(Audited { change, entry }).await.unwrap();
    }
    let browser = house.logged_in(Role::Supervisor).await;
    let reply = browser.get("/recordings/kept/captures").await;
    let told = json!([
        { "object": "capture one", "kind": "credit_card_basic", "from_ms": 2_000, "until_ms": 9_100, "said": [
            { "recorder": "Tonewall", "medium": "call", "did": "paused", "at_ms": 2_038, "answered_ms": 38, "asked": null, "reason": null },
            { "recorder": "Tonewall", "medium": "call", "did": "refused", "at_ms": 2_100, "answered_ms": 38, "asked": "pause", "reason": "recorder_no_answer" },
            { "recorder": "Tonewall", "medium": "call", "did": "resumed", "at_ms": 9_000, "answered_ms": 38, "asked": null, "reason": null },
        ], "spoken": [{ "from_ms": -10_100, "until_ms": 4_900 }] },
        { "object": "capture three", "kind": "credit_card_basic", "from_ms": 20_000, "until_ms": 23_000, "said": [], "spoken": [] },
        { "object": "capture four", "kind": "credit_card_basic", "from_ms": 30_000, "until_ms": null, "said": [], "spoken": [] },
    ]);
    assert_eq!(reply.json()["captures"], told);
    let gone = browser.get("/recordings/deleting/captures").await;
    assert_eq!(gone.status, 404);
}
