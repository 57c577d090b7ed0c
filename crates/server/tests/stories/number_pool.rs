//! A program reserves a number for an agent, the PBX has the customer's call go there, and the agent's page has it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Capture, Client, Running, Site, TONEWALL, change_service, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// A card of the test numbers.
const CARD: (&str, &str) = ("4111111111111111", "123");

/// An installation whose service leads to the telephones of a PBX: the simulator's. One number in its pool, which rests for eight seconds.
fn floor() -> (Site, Running, String) {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start_with_colleague();
    let state = running.stage.get("/control/state");
    let address = state["agents"][0]["address"].as_str().unwrap();
    let route = json!({"to": "uri", "uri": format!("sip:1001@{address}"), "address": address});
    let pool = json!({"numbers": ["+15550201"], "reserve_s": 60, "quarantine_s": 8});
    let changes = json!({ "route": route, "pool": pool });
    let id = change_service(&running.page("admin"), &changes);
    (site, running, id)
}

fn call_of(page: &Client) -> Option<Value> {
    let calls = page.get("/api/v1/calls");
    let mut calls = calls["calls"].as_array().unwrap().iter();
    calls.find(|call| call["state"] == "connected").cloned()
}

fn consumer_calls(running: &Running, number: &str) {
    let stage = &running.stage;
    stage.post("/control/call", &json!({ "number": number }));
    wait_for("the call is answered", STEP_MAX, || {
        (stage.get("/control/state")["call"] == "connected").then_some(())
    });
}

fn consumer_hangs_up(running: &Running) {
    let stage = &running.stage;
    stage.post("/control/hang-up", &json!({}));
    wait_for("both phones are idle", STEP_MAX, || {
        let state = stage.get("/control/state");
        (state["call"] == "idle" && state["agents"][0]["call"] == "idle").then_some(())
    });
}

#[test]
fn a_reserved_number_brings_its_agent_one_call_and_then_rests() {
    let (site, running, service) = floor();
    let (page, colleague) = (running.page("agent"), running.page("colleague"));
    let form = json!({"service": service, "from": "+1 555 0177"});
    let reserved = page.post("/api/v1/number-reservations", &form);
    assert_eq!(reserved["number"], "+15550201");
    let again = page.post(
        "/api/v1/number-reservations",
        &json!({ "service": service }),
    );
    assert_eq!(again, reserved, "one at a time, and now whoever calls");
    let all_taken = || {
        let own = json!({ "service": service });
        let refused = colleague.send("POST", "/api/v1/number-reservations", Some(&own), "");
        let refused = refused.unwrap_err();
        let (status, said) = refused.said();
        assert_eq!(status, 503, "{said}");
        assert!(said.contains("numbers_reserved"), "{said}");
    };
    all_taken();
    let metrics = running.health.get("/metrics");
    for sample in [
        "tonewall_number_reservations{state=\"reserved\"} 1\n",
        "tonewall_number_reservations_refused_total 1\n",
    ] {
        assert!(metrics.as_str().unwrap().contains(sample), "{metrics}");
    }

    consumer_calls(&running, "+15550201");
    let call = wait_for("the agent has the call", STEP_MAX, || call_of(&page));
    assert_eq!(call_of(&colleague), None);
    all_taken();
    let capture = Capture::open(&page, &running.stage, &call, "credit_card_advanced");
    capture.key_card(CARD.0, CARD.1);
    capture.process("12.50", "POOL");
    assert_eq!(capture.ended()["outcome"], "approved");
    capture.act("close");
    consumer_hangs_up(&running);

    let next = wait_for("the number has rested", STEP_MAX, || {
        let own = json!({ "service": service });
        let asked = colleague.send("POST", "/api/v1/number-reservations", Some(&own), "");
        asked.ok()
    });
    assert_eq!(next["number"], "+15550201");
    // Somebody calls another number of the service: no reservation is for that.
    consumer_calls(&running, "4000");
    assert_eq!((call_of(&page), call_of(&colleague)), (None, None));
    consumer_hangs_up(&running);
    let id = next["id"].as_str().unwrap();
    let path = format!("/api/v1/number-reservations/{id}");
    let not_theirs = page.send("DELETE", &path, None, "").unwrap_err();
    assert_eq!(not_theirs.said().0, 404);
    colleague.send("DELETE", &path, None, "").unwrap();
    consumer_calls(&running, "+15550201");
    assert_eq!((call_of(&page), call_of(&colleague)), (None, None));
    consumer_hangs_up(&running);

    trail_tells_no_caller(&site, &running);
}

fn trail_tells_no_caller(site: &Site, running: &Running) {
    let trail = running.page("auditor").get("/api/v1/audit");
    let entries = trail["entries"].as_array().unwrap();
    let of = |action: &str| {
        let all = entries.iter().filter(|entry| entry["action"] == action);
        all.map(|entry| entry["detail"].clone()).collect::<Vec<_>>()
    };
    let paired = of("call_paired");
    assert_eq!(paired, [json!({"agent": "agent", "way": "number"})]);
    assert_eq!(of("number_reserved").len(), 2);
    assert_eq!(of("number_given_back").len(), 1);
    assert!(!trail.to_string().contains("5550177"), "{trail}");
    assert!(!site.log().contains("5550177"));
}
