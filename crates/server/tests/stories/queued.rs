//! A caller waits for an agent, hears something, is connected, and pays as any caller does.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Capture, EventStream, Running, Site, TONEWALL, change_service, registers, takes_calls, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A card of the test numbers.
const CARD: (&str, &str) = ("4111111111111111", "123");

/// An installation whose service has its callers wait, and whose only agent takes no calls yet.
fn floor(queue: &Value) -> (Site, Running) {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    change_service(&running.page("admin"), &json!({ "queue": queue }));
    registers(&running.stage);
    takes_calls(&running.page("agent"), false);
    (site, running)
}

fn consumer_is(running: &Running, state: &str) {
    wait_for(state, STEP_MAX, || {
        let shown = running.stage.get("/control/state");
        (shown["call"] == state).then_some(())
    });
}

/// The consumer calls, is answered and hears something.
fn waits(running: &Running) {
    running.stage.post("/control/call", &json!({}));
    consumer_is(running, "connected");
    wait_for("music", STEP_MAX, || {
        let heard = running.stage.get("/control/heard");
        (heard["consumer"]["loud_ms"].as_u64() > Some(1_000)).then_some(())
    });
}

fn metric(running: &Running, row: &str) {
    wait_for(row, STEP_MAX, || {
        let metrics = running.health.get("/metrics").to_string();
        metrics.contains(row).then_some(())
    });
}

#[test]
fn a_caller_waits_and_hears_music_and_a_card_is_captured_once_an_agent_is_free() {
    let (site, running) = floor(&json!({
        "waiting_max": 1, "wait_s_max": 600, "overflow": {"to": "busy"},
    }));
    let (page, stage) = (running.page("agent"), &running.stage);
    let supervisor = running.page("supervisor");
    let events = EventStream::open(&page);
    waits(&running);
    let shown = supervisor.get("/api/v1/waiting-calls");
    let first = &shown["calls"][0];
    assert_eq!(
        (&first["place"], &first["rings"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(page.get("/api/v1/queue")["waiting"], 1);
    assert!(
        page.get("/api/v1/calls")["calls"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    metric(&running, "tonewall_queue_waiting 1");
    wait_for("the agent is told", STEP_MAX, || {
        (events.count("queue") > 0).then_some(())
    });
    // What is keyed here is nobody's.
    stage.post("/control/keys", &json!({ "keys": "4111" }));
    wait_for("the keys are through", STEP_MAX, || {
        (stage.get("/control/state")["keys_waiting"] == 0).then_some(())
    });
    takes_calls(&page, true);
    let call = wait_for("the call is connected", STEP_MAX, || {
        let calls = page.get("/api/v1/calls");
        let call = calls["calls"].as_array().unwrap().first().cloned()?;
        (call["state"] == "connected").then_some(call)
    });
    assert_eq!(page.get("/api/v1/queue")["waiting"], 0);
    let capture = Capture::open(&page, stage, &call, "credit_card_advanced");
    capture.key_card(CARD.0, CARD.1);
    capture.process("12.50", "QUEUED");
    assert_eq!(capture.ended()["outcome"], "approved");
    capture.act("close");
    assert_eq!(site.charges("12.50"), 1);
    let heard = stage.get("/control/heard");
    let agent = &heard["agents"][0]["heard"];
    assert_eq!(agent["recoverable_digits"], 0, "{heard}");
    assert_eq!(agent["event_packets"], 0, "{heard}");
    stage.post("/control/hang-up", &json!({}));
    consumer_is(&running, "idle");
    metric(&running, "tonewall_queue_answered_total 1");
    metric(&running, "tonewall_queue_waiting 0");
}

#[test]
fn a_caller_who_hangs_up_and_one_who_has_waited_for_long_enough_leave_the_queue() {
    let (_site, running) = floor(&json!({
        "waiting_max": 1, "wait_s_max": 10, "overflow": {"to": "busy"},
    }));
    waits(&running);
    running.stage.post("/control/hang-up", &json!({}));
    consumer_is(&running, "idle");
    metric(&running, "tonewall_queue_abandoned_total 1");
    waits(&running);
    consumer_is(&running, "idle");
    metric(&running, "tonewall_queue_overflowed_total 1");
    metric(&running, "tonewall_queue_waiting 0");
}
