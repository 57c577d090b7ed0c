//! Recorders beside the server: a Basic capture begins only at their own word, and they record again whatever becomes of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Capture, Client, Fault, Recorder, Running, Site, TONEWALL, connect, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// For half a minute a recorder is looked at that may yet carry out a pause.
const WATCHED_MAX: Duration = Duration::from_secs(50);

/// An installation whose only service declares these recorders.
pub(crate) struct Floor {
    pub(crate) site: Site,
    pub(crate) running: Running,
    pub(crate) recorders: Vec<Recorder>,
    pub(crate) _files: tempfile::TempDir,
}

impl Floor {
    pub(crate) fn with(names: &[&'static str]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let recorders = names.iter().map(|name| Recorder::start(name, files.path()));
        let recorders: Vec<_> = recorders.collect();
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        for recorder in &recorders {
            site.add_tables(&recorder.table());
        }
        let running = site.start();
        declare(&running.page("admin"), names);
        Self {
            site,
            running,
            recorders,
            _files: files,
        }
    }

    fn recorder(&self) -> &Recorder {
        &self.recorders[0]
    }
}

/// The service says that these record its calls.
pub(crate) fn declare(admin: &Client, names: &[&str]) {
    let listed = admin.get("/api/v1/services");
    for name in names {
        let known = listed["recorder_controls"].as_array().unwrap();
        assert!(known.contains(&json!(name)), "{listed}");
    }
    let service = &listed["services"][0];
    let sink = |name: &&str| json!({ "name": format!("The {name}"), "medium": "call", "hears": "masked", "control": name });
    let sinks: Vec<Value> = names.iter().map(sink).collect();
    let path = format!(
        "/api/v1/services/{}/recorders",
        service["id"].as_str().unwrap()
    );
    admin.post(
        &path,
        &json!({ "sinks": sinks, "revision": service["revision"] }),
    );
}

/// What the trail says of a recorder, once there is an entry of this kind.
pub(crate) fn entry(running: &Running, action: &str, recorder: &str) -> Value {
    let auditor = running.page("auditor");
    wait_for(&format!("{recorder}: {action}"), STEP_MAX, || {
        let found = auditor.get(&format!("/api/v1/audit?action={action}"));
        let mut details = found["entries"].as_array().unwrap().iter();
        let of_it = details.find(|entry| entry["detail"]["recorder"] == recorder);
        of_it.map(|entry| entry["detail"].clone())
    })
}

/// Waits until the capture is in this state.
pub(crate) fn becomes(capture: &Capture<'_>, state: &str) -> Value {
    wait_for(&format!("the capture is {state}"), STEP_MAX, || {
        let view = capture.view();
        (view["state"] == state).then_some(view)
    })
}

fn records_again(recorder: &Recorder) {
    wait_for("the recorder records again", STEP_MAX, || {
        (!recorder.is_paused()).then_some(())
    });
}

#[test]
fn a_basic_capture_is_armed_at_the_recorders_word_and_lets_it_go_on_in_the_end() {
    let floor = Floor::with(&["floor"]);
    let (running, recorder) = (&floor.running, floor.recorder());
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let began = Instant::now();
    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    assert!(recorder.said_paused(began) && recorder.is_paused());
    let view = capture.view();
    let parts = view["protection"].as_array().unwrap().iter();
    let mut named = parts.filter(|part| part["name"] == "The floor");
    assert_eq!(named.next().unwrap()["confirmed"], true, "{view}");
    let paused = entry(running, "recorder_paused", "The floor");
    assert!(paused["answered_ms"].is_u64(), "{paused}");

    let armed = Instant::now();
    capture.key_check();
    capture.act("done");
    assert!(
        recorder.is_paused(),
        "nobody has said that the value is gone"
    );
    let kept = recorder.recorded(armed, Instant::now());
    assert_eq!(kept, Duration::ZERO);
    capture.act("confirm_gone");
    records_again(recorder);
    entry(running, "recorder_resumed", "The floor");
    capture.act("close");

    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    assert!(recorder.is_paused());
    capture.act("cancel");
    records_again(recorder);

    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    assert!(recorder.is_paused());
    running.stage.post("/control/hang-up", &json!({}));
    becomes(&capture, "lost");
    records_again(recorder);
    assert_eq!(recorder.calls(), 1, "the call is known by its own Call-ID");

    let advanced = connect(&page, &running.stage);
    let capture = Capture::open(&page, &running.stage, &advanced, "check_advanced");
    assert!(!recorder.is_paused(), "it sits behind the mask");
    capture.act("cancel");
}

#[test]
fn a_recorder_that_refuses_is_named_and_the_next_try_may_work() {
    let floor = Floor::with(&["floor", "screens"]);
    let running = &floor.running;
    let [good, bad] = &floor.recorders[..] else {
        panic!("two were declared");
    };
    bad.set(Fault::SaysNo);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let capture = Capture::begin(&page, &running.stage, &call, "check_basic");
    let view = becomes(&capture, "blocked");
    assert_eq!(view["reason"], "recorder_refused", "{view}");
    let refused = entry(running, "recorder_refused", "The screens");
    let facts = [&refused["reason"], &refused["asked"]];
    assert_eq!(facts, ["recorder_said_no", "pause"]);
    records_again(good);
    bad.set(Fault::None);
    capture.act("try_again");
    becomes(&capture, "armed");
    assert!(good.is_paused() && bad.is_paused());
    capture.act("cancel");
    records_again(good);
    records_again(bad);
}

#[test]
fn a_recorder_that_records_again_by_itself_ends_the_capture() {
    let floor = Floor::with(&["floor"]);
    let (running, recorder) = (&floor.running, floor.recorder());
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    recorder.restart();
    let view = becomes(&capture, "protection_lost");
    assert_eq!(view["reason"], "recorder_refused");
    let refused = entry(running, "recorder_refused", "The floor");
    assert_eq!(refused["reason"], "recorder_records");
    assert!(floor.site.log().contains("does not keep its pause"));
}

#[test]
fn what_a_killed_server_left_paused_is_resumed_at_its_next_start() {
    let Floor {
        mut site,
        mut running,
        recorders,
        _files,
    } = Floor::with(&["floor"]);
    let page = running.page("agent");
    let call = connect(&page, &running.stage);
    let _capture = Capture::open(&page, &running.stage, &call, "check_basic");
    running.kill_server();
    drop(running);
    assert!(recorders[0].is_paused());
    let _running = site.start();
    records_again(&recorders[0]);
    let left = site.data().join("paused-recorders.json");
    wait_for("nothing is left to resume", WATCHED_MAX, || {
        (std::fs::read(&left).unwrap() == b"[]").then_some(())
    });
}

#[test]
fn a_server_that_ends_resumes_first() {
    let mut floor = Floor::with(&["floor"]);
    let page = floor.running.page("agent");
    let call = connect(&page, &floor.running.stage);
    let _capture = Capture::open(&page, &floor.running.stage, &call, "check_basic");
    assert!(floor.recorder().is_paused());
    floor.running.end_server();
    assert!(!floor.recorder().is_paused());
}

#[test]
fn a_recorder_that_the_servers_file_does_not_name_cannot_be_declared() {
    let floor = Floor::with(&["floor"]);
    let admin = floor.running.page("admin");
    let service = admin.get("/api/v1/services")["services"][0].clone();
    let path = format!(
        "/api/v1/services/{}/recorders",
        service["id"].as_str().unwrap()
    );
    let sink = json!({ "name": "X", "medium": "call", "hears": "masked", "control": "flor" });
    let form = json!({ "sinks": [sink], "revision": service["revision"] });
    let refused = admin.send("POST", &path, Some(&form), "").unwrap_err();
    let told = format!("{refused:?}");
    assert!(told.contains("sinks[0].control"), "{told}");
}
