//! An agent calls out, and the consumer who was called pays as one who calls does.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Capture, Client, EventStream, Running, Site, TONEWALL, change_service, registers, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A card of the test numbers.
const CARD: (&str, &str) = ("4111111111111111", "123");

/// An installation whose service calls numbers that begin with +1555, by the simulated carrier.
fn floor() -> (Site, Running) {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    let outbound = json!({
        "route": {"to": "uri", "uri": format!("sip:{{number}}@{}", running.consumer), "address": running.consumer},
        "caller_number": "+15550199", "numbers": ["+1555*"],
    });
    change_service(&running.page("admin"), &json!({ "outbound": outbound }));
    registers(&running.stage);
    (site, running)
}

fn call_of(page: &Client, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
    let calls = page.get("/api/v1/calls");
    let mut calls = calls["calls"].as_array().unwrap().iter();
    calls.find(|call| wanted(call)).cloned()
}

fn dial(page: &Client, number: &str) -> String {
    let made = page.post("/api/v1/calls", &json!({ "number": number }));
    made["call"].as_str().unwrap().to_owned()
}

/// A call to the consumer, who has taken it.
fn connected(page: &Client) -> Value {
    let id = dial(page, "+1 (555) 010-0100");
    let call = wait_for("the call is connected", STEP_MAX, || {
        call_of(page, |call| {
            call["id"] == id && call["state"] == "connected"
        })
    });
    assert_eq!(call["called"], "+15550100100");
    assert_eq!(
        call["dialled"],
        json!({ "step": "answered", "failed": null })
    );
    call
}

fn hang_up(page: &Client, call: &Value) {
    let path = format!("/api/v1/calls/{}/hang-up", call["id"].as_str().unwrap());
    page.post(&path, &json!({}));
    wait_for("the call is over", STEP_MAX, || {
        call_of(page, |_| true).is_none().then_some(())
    });
}

/// What the page was told of the end of a call.
fn ended(events: &EventStream, id: &str) -> Option<Value> {
    let text = String::from_utf8_lossy(&events.text()).into_owned();
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut told = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    told.find(|call| call["id"] == id && call["state"] == "ended")
}

/// Every file of a folder, at whatever depth.
fn files(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
}

#[test]
fn a_card_is_captured_on_a_call_that_was_dialled_by_events_and_by_tones_in_both_widgets() {
    let (_site, running) = floor();
    let (page, stage) = (running.page("agent"), &running.stage);
    for mode in ["rfc4733", "inband"] {
        let call = connected(&page);
        stage.post("/control/mode", &json!({ "mode": mode }));
        let capture = Capture::open(&page, stage, &call, "credit_card_advanced");
        capture.key_card(CARD.0, CARD.1);
        capture.process("12.50", &format!("DIAL-{mode}"));
        assert_eq!(capture.ended()["outcome"], "approved", "{mode}");
        capture.act("close");
        let basic = Capture::open(&page, stage, &call, "credit_card_basic");
        basic.key_card(CARD.0, CARD.1);
        let shown = page.reveal(&format!("{}/reveal", basic.path), "card_number");
        assert_eq!(shown, CARD.0);
        basic.act("done");
        basic.act("confirm_gone");
        basic.act("close");
        let heard = stage.get("/control/heard");
        let agent = &heard["agents"][0]["heard"];
        assert!(agent["loud_ms"].as_u64() > Some(1_000), "{heard}");
        assert_eq!(agent["recoverable_digits"], 0, "{mode}: {heard}");
        assert_eq!(agent["event_packets"], 0, "{mode}: {heard}");
        hang_up(&page, &call);
    }
    let trail = running
        .page("auditor")
        .get("/api/v1/audit?action=call_dialled");
    let entries = trail["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(!trail.to_string().contains("5550100"), "{trail}");
}

#[test]
fn a_number_that_is_not_reached_frees_the_agent_and_says_why() {
    let (_site, running) = floor();
    let page = running.page("agent");
    let events = EventStream::open(&page);
    for (number, why) in [
        ("+15550101", "busy"),
        ("+15550103", "declined"),
        ("+15550104", "wrong_number"),
    ] {
        let id = dial(&page, number);
        let told = wait_for(why, STEP_MAX, || ended(&events, &id));
        assert_eq!(told["dialled"]["failed"], why);
    }
    // Nobody answers: the agent gives it up while it rings.
    let id = dial(&page, "+15550102");
    wait_for("it rings", STEP_MAX, || {
        call_of(&page, |call| {
            call["id"] == *id && call["dialled"]["step"] == "ringing"
        })
    });
    page.post(&format!("/api/v1/calls/{id}/hang-up"), &json!({}));
    wait_for("the consumer's phone is idle", STEP_MAX, || {
        let state = running.stage.get("/control/state");
        (state["call"] == "idle").then_some(())
    });
    wait_for("the agent has no call", STEP_MAX, || {
        call_of(&page, |_| true).is_none().then_some(())
    });
    hang_up(&page, &connected(&page));
}

#[test]
fn toll_fraud_and_card_numbers_are_refused_and_leave_no_trace() {
    let (site, running) = floor();
    let page = running.page("agent");
    for (typed, code) in [
        ("+442079460000", "number_not_allowed"),
        ("911", "number_not_allowed"),
        ("+19005550100", "number_not_allowed"),
        (CARD.0, "number_is_card"),
        ("4111 1111 1111 1111", "number_is_card"),
        ("sip:100@192.0.2.5", "number_malformed"),
    ] {
        let form = json!({ "number": typed });
        let refused = page
            .send("POST", "/api/v1/calls", Some(&form), "")
            .unwrap_err();
        assert!(refused.said().1.contains(code), "{typed}: {refused:?}");
    }
    let metrics = running.health.get("/metrics").to_string();
    assert!(
        metrics.contains("tonewall_calls_numbers_refused_total 3"),
        "{metrics}"
    );
    let mut kept = Vec::new();
    files(&site.data(), &mut kept);
    assert!(kept.iter().any(|file| file.len() > 1_000), "a database");
    kept.push(site.log().into_bytes());
    for trace in ["4111111111111111", "4111 1111", "442079460000"] {
        let has_it = |file: &Vec<u8>| {
            let mut windows = file.windows(trace.len());
            windows.any(|window| window == trace.as_bytes())
        };
        assert!(!kept.iter().any(has_it), "{trace}");
    }
    let state = running.stage.get("/control/state");
    assert_eq!(state["agents"][0]["call"], "idle");
}
