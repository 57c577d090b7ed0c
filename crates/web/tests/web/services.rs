//! Services as forms that are right.

use domain::queue::sound::Sound;
use serde_json::{Value, json};

use crate::support::House;

/// One with everything that it can have, and calls that come and go by addresses.
pub(crate) fn service(name: &str, number: &str, revision: i64) -> Value {
    let route = json!({"to": "uri", "uri": "sip:100@192.0.2.5", "address": "192.0.2.5:5060", "agent": "anna"});
    json!({"name": name, "numbers": [number], "route": route, "desktop": "sales", "protection": "capture", "after_call_s": 30,
        "pairing": {"extension": "contact", "code": true, "agents": []}, "on_transfer": "end_capture",
        "outbound": {"route": {"to": "uri", "uri": "sip:{number}@192.0.2.5", "address": "192.0.2.5:5060"},
            "caller_number": "+15550199", "numbers": ["+1555*"]},
        "call_recording": {"when": "always", "keep_days": 30},
        "screen_recording": {"when": "always", "surfaces": "entire_screen", "required": true, "keep_days": 30}, "revision": revision})
}

/// One whose calls come and go by a trunk.
pub(crate) fn at_trunk(name: &str, number: &str, revision: i64) -> Value {
    let mut service = service(name, number, revision);
    service["route"] =
        json!({"to": "trunk", "trunk": "carrier", "number": "4001", "agent": "anna"});
    service["outbound"]["route"] = json!({"to": "trunk", "trunk": "carrier"});
    service["pool"] =
        json!({"numbers": [format!("+1555{number}")], "reserve_s": 60, "quarantine_s": 30});
    service["hours"] = json!({
        "zone": "Europe/Berlin",
        "open": [{"day": "monday", "from": "08:00", "until": "24:00"}],
        "closed_dates": ["2026-12-25"],
        "closed": {"to": "uri", "uri": "sip:night@192.0.2.5", "address": "192.0.2.5:5060"},
    });
    service
}

/// A house that has the sound that [`queued`] names.
pub(crate) fn furnish_sounds(house: &House) {
    house.rooms.sounds.lock().unwrap().push(Sound {
        id: "hold".parse().unwrap(),
        name: "Hold".to_owned(),
        seconds: 3,
    });
}

/// One whose callers wait.
pub(crate) fn queued(name: &str, number: &str, revision: i64) -> Value {
    let mut service = service(name, number, revision);
    service["route"] = json!({"to": "agents", "group": "Sales"});
    service["queue"] = json!({"waiting_max": 20, "wait_s_max": 600, "music": "hold", "announcement": "hold",
        "announce_every_s": 30, "overflow": {"to": "busy"}});
    service
}
