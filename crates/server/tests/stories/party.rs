//! Somebody else takes the consumer's handset in the middle of a capture (S39).

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::support::{Capture, Site, TONEWALL, connect, wait_for};

/// A step that takes longer has failed; the question waits for 20 s.
const STEP_MAX: Duration = Duration::from_secs(30);

fn becomes(capture: &Capture<'_>, state: &str) {
    wait_for(state, STEP_MAX, || {
        (capture.view()["state"] == state).then_some(())
    });
}

#[test]
fn s39_another_party_freezes_a_capture_until_the_agent_says_who_it_is() {
    let mut site = Site::set_up(Path::new(TONEWALL), &[]);
    let running = site.start();
    let (page, stage) = (running.page("agent"), &running.stage);
    let call = connect(&page, stage);
    let capture = Capture::open(&page, stage, &call, "check_basic");
    capture.key("routing_number", "021000021");
    let shown = || page.reveal(&format!("{}/reveal", capture.path), "routing_number");
    assert_eq!(shown(), "021000021");

    stage.post("/control/hand-over", &json!({}));
    becomes(&capture, "frozen");
    let view = capture.view();
    assert_eq!(view["fields"][0]["state"], "obtained");
    assert_eq!(view["fields"][0]["revealable"], false);
    stage.post("/control/keys", &json!({ "keys": "70123#" }));
    wait_for("the keys sounded", STEP_MAX, || {
        (stage.get("/control/state")["keys_waiting"] == 0).then_some(())
    });
    assert_eq!(capture.view()["fields"][1]["count"], 0);

    assert_eq!(capture.act("same_person")["state"], "invalid");
    assert_eq!(shown(), "021000021");
    // The keys that nobody took are asked for again.
    let again = json!({ "do": "recapture", "field": "account_number" });
    page.post(&format!("{}/actions", capture.path), &again);
    capture.key("account_number", "70123#");
    assert_eq!(capture.view()["state"], "ready");

    stage.post("/control/hand-over", &json!({}));
    becomes(&capture, "frozen");
    becomes(&capture, "lost");
    let view = capture.view();
    assert_eq!(view["reason"], "party_unanswered");
    assert_eq!(view["confirm_gone"], true);
    let trail = running.page("auditor").get("/api/v1/audit");
    let about = |entry: &&serde_json::Value| {
        let action = entry["action"].as_str().unwrap();
        action.starts_with("party_")
    };
    let entries = trail["entries"].as_array().unwrap();
    let told: Vec<_> = entries.iter().filter(about).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(told[1]["detail"], json!({ "same": true }));
}
