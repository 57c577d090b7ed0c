//! An agent's phone has its call go to another agent by SIP itself (S39), in each state of the call.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Capture, Client, Running, Site, TONEWALL, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// Two agents with their pages and phones.
struct Floor {
    running: Running,
    pages: [Client; 2],
    _site: Site,
}

impl Floor {
    fn new() -> Self {
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        let running = site.start_with_colleague();
        Self {
            pages: ["agent", "colleague"].map(|user| running.page(user)),
            running,
            _site: site,
        }
    }

    fn stage(&self) -> &Client {
        &self.running.stage
    }

    fn phones(&self) -> Vec<Value> {
        let state = self.stage().get("/control/state");
        state["agents"].as_array().unwrap().clone()
    }

    fn call(&self) {
        wait_for("both phones register", STEP_MAX, || {
            let phones = self.phones();
            let mut all = phones.iter();
            all.all(|phone| phone["registered"] == true).then_some(())
        });
        self.stage().post("/control/call", &json!({}));
    }

    /// The connected call, and the page that has it.
    fn connected(&self) -> (Value, &Client) {
        wait_for("the call is connected", STEP_MAX, || {
            let mut pages = self.pages.iter();
            pages.find_map(|page| Some((connected(page)?, page)))
        })
    }

    /// The phone that is on the call asks for the call to go to `to`, or to the other phone; what it is told last.
    fn refer(&self, to: Option<&str>) -> Value {
        let phones = self.phones();
        let (on_call, other): (Vec<&Value>, Vec<&Value>) = phones
            .iter()
            .partition(|phone| phone["call"] == "connected");
        assert_eq!((on_call.len(), other.len()), (1, 1), "{phones:?}");
        let who = on_call[0]["user"].as_str().unwrap();
        let to = to.unwrap_or_else(|| other[0]["user"].as_str().unwrap());
        let asked = json!({ "who": who, "to": to });
        self.stage().post("/control/refer", &asked);
        wait_for("the last word", STEP_MAX, || {
            let phones = self.phones();
            let told = phones.iter().find(|phone| phone["user"] == who).unwrap();
            let told = told["referred"].clone();
            let is_last = told.as_u64().is_some_and(|told| told >= 200 && told != 202);
            is_last.then_some(told)
        })
    }

    /// The other page has the call, which this one had.
    fn goes_over_from(&self, before: &Client) {
        wait_for("the other agent has it", STEP_MAX, || {
            let mut others = self
                .pages
                .iter()
                .filter(|page| !std::ptr::eq(*page, before));
            let has = others.all(|page| connected(page).is_some());
            (has && connected(before).is_none()).then_some(())
        });
    }

    fn transfers_in_trail(&self) -> Vec<Value> {
        let trail = self.running.page("auditor").get("/api/v1/audit");
        let entries = trail["entries"].as_array().unwrap().iter();
        let mine = entries.filter(|entry| entry["action"] == "call_transferred");
        mine.map(|entry| entry["detail"]["discarded"].clone())
            .collect()
    }
}

fn connected(page: &Client) -> Option<Value> {
    let calls = page.get("/api/v1/calls");
    let mut calls = calls["calls"].as_array().unwrap().iter();
    let found = calls.find(|call| call["state"] == "connected");
    found.cloned()
}

/// What a service does with transfers while a capture is open.
fn set_on_transfer(admin: &Client, wish: &str) {
    let listed = admin.get("/api/v1/services");
    let service = &listed["services"][0];
    let mut form = json!({ "on_transfer": wish });
    for key in [
        "name",
        "numbers",
        "route",
        "desktop",
        "protection",
        "after_call_s",
        "revision",
    ] {
        form[key] = service[key].clone();
    }
    let path = format!("/api/v1/services/{}", service["id"].as_str().unwrap());
    admin.put(&path, &form);
}

#[test]
fn c7_a_phone_transfers_in_each_state_of_a_call_but_not_out_of_a_capture() {
    let floor = Floor::new();
    floor.call();
    let (call, page) = floor.connected();

    let capture = Capture::open(page, floor.stage(), &call, "check_basic");
    assert_eq!(floor.refer(None), 603);
    assert_eq!(capture.view()["state"], "armed");
    capture.act("cancel");
    assert_eq!(floor.refer(Some("+15550199")), 403, "no route leads there");
    let (_, still) = floor.connected();
    assert!(std::ptr::eq(still, page));

    assert_eq!(floor.refer(None), 200);
    floor.goes_over_from(page);

    let (call, page) = floor.connected();
    let hold = format!("/api/v1/calls/{}/hold", call["id"].as_str().unwrap());
    page.put(&hold, &json!({ "on": true }));
    assert_eq!(floor.refer(None), 200, "also of a call on hold");
    floor.goes_over_from(page);
    // The consumer is heard by whoever has the call now, whose capture hears the keys.
    let (call, page) = floor.connected();
    let capture = Capture::open(page, floor.stage(), &call, "check_basic");
    capture.key_check();
    capture.act("cancel");
    assert_eq!(floor.transfers_in_trail(), [false, false]);
}

#[test]
fn s39_a_service_may_have_a_transfer_end_the_capture() {
    let floor = Floor::new();
    set_on_transfer(&floor.running.page("admin"), "end_capture");
    floor.call();
    let (call, page) = floor.connected();
    let capture = Capture::open(page, floor.stage(), &call, "check_basic");
    capture.key("routing_number", "021000021");
    assert_eq!(floor.refer(None), 200);
    floor.goes_over_from(page);
    assert_eq!(floor.transfers_in_trail(), [true]);
}
