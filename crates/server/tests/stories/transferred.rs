//! Recorders that know a call by its agent's leg: behind a transfer the new leg is paused, and what was paused before is let go on by the old one.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::external_recorders::declare;
use crate::support::{Capture, Client, Fault, Recorder, Running, Site, TONEWALL, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// Two agents, and a recorder between this server and their phones.
struct Floor {
    running: Running,
    recorder: Recorder,
    pages: [Client; 2],
    _site: Site,
    _files: tempfile::TempDir,
}

impl Floor {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let recorder = Recorder::start("floor", files.path());
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        site.add_tables(&recorder.table_by("call.agent_call_id"));
        let running = site.start_with_colleague();
        declare(&running.page("admin"), &["floor"]);
        Self {
            pages: ["agent", "colleague"].map(|user| running.page(user)),
            running,
            recorder,
            _site: site,
            _files: files,
        }
    }

    /// A connected call: the page of whom it rang, and that of the other.
    fn call(&self) -> (Value, &Client, &Client) {
        let stage = &self.running.stage;
        wait_for("both phones register", STEP_MAX, || {
            let state = stage.get("/control/state");
            let mut agents = state["agents"].as_array().unwrap().iter();
            agents
                .all(|phone| phone["registered"] == true)
                .then_some(())
        });
        stage.post("/control/call", &json!({}));
        let [first, second] = &self.pages;
        wait_for("the call is connected", STEP_MAX, || {
            let has = |page, other| Some((connected(page)?, page, other));
            has(first, second).or_else(|| has(second, first))
        })
    }

    fn capture<'a>(&'a self, page: &'a Client, call: &Value) -> Capture<'a> {
        Capture::open(page, &self.running.stage, call, "check_basic")
    }

    fn paused_on_one(&self) -> String {
        let paused = self.recorder.paused_on();
        assert_eq!(paused.len(), 1, "{paused:?}");
        paused[0].clone()
    }
}

fn connected(page: &Client) -> Option<Value> {
    let calls = page.get("/api/v1/calls");
    let mut calls = calls["calls"].as_array().unwrap().iter();
    let found = calls.find(|call| call["state"] == "connected");
    found.cloned()
}

/// The call goes to the other agent, and what is open of it is discarded.
fn transfer(call: &Value, from: &Client, to: &Client) -> Value {
    let path = format!("/api/v1/calls/{}", call["id"].as_str().unwrap());
    let targets = from.get(&format!("{path}/transfer-targets"));
    let target = &targets["agents"][0]["user"];
    let form = json!({ "to": target, "discard": true });
    from.post(&format!("{path}/transfer"), &form);
    wait_for("the other agent has it", STEP_MAX, || connected(to))
}

#[test]
fn a_capture_behind_a_transfer_pauses_the_recorder_of_the_new_leg() {
    let floor = Floor::new();
    let (call, from, to) = floor.call();
    let before = floor.capture(from, &call);
    let old_leg = floor.paused_on_one();
    before.act("cancel");
    wait_for("the old leg is recorded", STEP_MAX, || {
        (!floor.recorder.is_paused()).then_some(())
    });
    let call = transfer(&call, from, to);
    let began = Instant::now();
    let capture = floor.capture(to, &call);
    assert!(floor.recorder.said_paused(began));
    assert_ne!(floor.paused_on_one(), old_leg);
    capture.key_check();
    capture.act("cancel");
    wait_for("the new leg is recorded", STEP_MAX, || {
        (!floor.recorder.is_paused()).then_some(())
    });
}

#[test]
fn a_pause_that_a_transfer_ends_is_let_go_on_by_the_leg_that_it_paused() {
    let floor = Floor::new();
    let (call, from, to) = floor.call();
    let _discarded = floor.capture(from, &call);
    let old_leg = floor.paused_on_one();
    // It refuses until the other agent has a capture of their own: 0.5, 1, 2, 4 and 8 s between the tries.
    floor.recorder.set(Fault::ResumeFails(u32::MAX));
    let call = transfer(&call, from, to);
    let capture = floor.capture(to, &call);
    let mut paused = floor.recorder.paused_on();
    assert_eq!(paused.len(), 2, "{paused:?}");
    paused.retain(|leg| *leg != old_leg);
    floor.recorder.set(Fault::None);
    wait_for("the old leg alone is recorded", STEP_MAX, || {
        (floor.recorder.paused_on() == paused).then_some(())
    });
    assert_eq!(capture.view()["state"], "armed");
    capture.act("cancel");
    wait_for("both are recorded", STEP_MAX, || {
        (!floor.recorder.is_paused()).then_some(())
    });
}
