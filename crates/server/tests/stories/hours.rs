//! A service closes: calls that are up go on, new ones are refused or go elsewhere, until it opens again.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Running, Site, TONEWALL, change_service, registers, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// The only service of an installation gets these hours; how it stands then.
fn set_hours(running: &Running, hours: &Value) -> Value {
    let admin = running.page("admin");
    let id = change_service(&admin, &json!({ "hours": hours }));
    admin.get(&format!("/api/v1/services/{id}"))["hours_now"].clone()
}

/// Around the clock, or never; `closed`: where calls go then.
fn hours(is_open: bool, closed: &Value) -> Value {
    let days = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let spans = days.map(|day| json!({"day": day, "from": "00:00", "until": "24:00"}));
    let open = if is_open { json!(spans) } else { json!([]) };
    json!({"zone": "Pacific/Auckland", "open": open, "closed_dates": [], "closed": closed})
}

fn consumer_calls(running: &Running) {
    running.stage.post("/control/call", &json!({}));
}

fn until(running: &Running, what: &str, holds: impl Fn(&Value) -> bool) {
    wait_for(what, STEP_MAX, || {
        let state = running.stage.get("/control/state");
        holds(&state).then_some(())
    });
}

#[test]
fn a_service_that_closes_keeps_its_calls_and_takes_no_new_ones() {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    registers(&running.stage);
    let standing = set_hours(&running, &hours(true, &json!(null)));
    assert_eq!(standing["is_open"], true);
    let both =
        |state: &Value| state["call"] == "connected" && state["agents"][0]["call"] == "connected";
    let neither = |state: &Value| state["call"] == "idle" && state["agents"][0]["call"] == "idle";
    consumer_calls(&running);
    until(&running, "the call is up", both);

    let standing = set_hours(&running, &hours(false, &json!(null)));
    assert_eq!(standing, json!({"is_open": false, "until": null}));
    let page = running.page("agent");
    let calls = page.get("/api/v1/calls");
    assert_eq!(calls["calls"][0]["state"], "connected");
    assert!(both(&running.stage.get("/control/state")));
    running.stage.post("/control/hang-up", &json!({}));
    until(&running, "both phones are idle", neither);

    consumer_calls(&running);
    until(&running, "a new call is refused", |state| {
        state["failure"] == 480 && state["call"] == "idle"
    });
    assert_eq!(page.get("/api/v1/calls")["calls"], json!([]));

    // Elsewhere is the agent's own telephone, without the agent.
    let state = running.stage.get("/control/state");
    let address = state["agents"][0]["address"].as_str().unwrap();
    let away = json!({"to": "uri", "uri": format!("sip:night@{address}"), "address": address});
    set_hours(&running, &hours(false, &away));
    consumer_calls(&running);
    until(&running, "the call is answered elsewhere", both);
    assert_eq!(page.get("/api/v1/calls")["calls"], json!([]));
    running.stage.post("/control/hang-up", &json!({}));
    until(&running, "both phones are idle", neither);

    set_hours(&running, &hours(true, &away));
    consumer_calls(&running);
    until(&running, "the call is up", both);
    wait_for("the agent has it", STEP_MAX, || {
        let calls = page.get("/api/v1/calls");
        (calls["calls"][0]["state"] == "connected").then_some(())
    });
}
