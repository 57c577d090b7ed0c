//! An Asterisk beside the server: a Basic capture begins at the event of its recording and at nothing less, and it records again whatever becomes of it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::external_recorders::{becomes, declare, entry};
use crate::faulty_recorders::decided;
use crate::support::{Capture, Client, Pbx, PbxFault, Running, Site, TONEWALL, connect, wait_for};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// For half a minute a recorder is looked at that may yet carry out a pause.
const WATCHED_MAX: Duration = Duration::from_secs(50);

/// A look each 2 s, and what one takes.
const LOOKED_AT: Duration = Duration::from_secs(5);

/// An installation whose only service has its calls recorded by one.
struct House {
    site: Site,
    running: Running,
    page: Client,
    auditor: Client,
    pbx: Pbx,
    _files: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let pbx = Pbx::start(files.path());
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        site.add_tables(&pbx.table());
        pbx.carries_calls_of(site.data());
        let running = site.start();
        declare(&running.page("admin"), &["pbx"]);
        Self {
            site,
            page: running.page("agent"),
            auditor: running.page("auditor"),
            running,
            pbx,
            _files: files,
        }
    }
}

fn records_again(pbx: &Pbx) {
    wait_for("it records again", STEP_MAX, || {
        (!pbx.is_muted()).then_some(())
    });
}

/// How often the trail says that it refused for this reason.
fn refusals(auditor: &Client, reason: &str) -> usize {
    let found = auditor.get("/api/v1/audit?action=recorder_refused");
    let details = found["entries"].as_array().unwrap().iter();
    let details = details.map(|entry| &entry["detail"]);
    details
        .filter(|detail| detail["recorder"] == "The pbx" && detail["reason"] == reason)
        .count()
}

/// Waits until it has refused for this reason more often.
fn refused_because(auditor: &Client, reason: &str, before: usize) {
    wait_for(&format!("it is refused: {reason}"), STEP_MAX, || {
        (refusals(auditor, reason) > before).then_some(())
    });
}

#[test]
fn a_basic_capture_begins_at_the_event_and_the_recording_goes_on_in_the_end() {
    let house = House::new();
    let (running, pbx, page) = (&house.running, &house.pbx, &house.page);
    let call = connect(page, &running.stage);
    let began = Instant::now();
    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    assert!(pbx.said_muted(began) && pbx.is_muted());
    entry(running, "recorder_paused", "The pbx");
    capture.key_check();
    capture.act("done");
    assert!(pbx.is_muted(), "nobody has said that the value is gone");
    capture.act("confirm_gone");
    records_again(pbx);
    entry(running, "recorder_resumed", "The pbx");
    capture.act("close");

    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    assert!(pbx.is_muted());
    running
        .stage
        .post("/control/hang-up", &serde_json::json!({}));
    becomes(&capture, "lost");
    records_again(pbx);
}

#[test]
fn whatever_is_less_than_its_word_begins_no_capture_and_is_named() {
    let house = House::new();
    let (running, pbx, page) = (&house.running, &house.pbx, &house.page);
    let call = connect(page, &running.stage);
    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    capture.act("cancel");
    records_again(pbx);
    for (fault, reason) in [
        (PbxFault::SaysNo, "recorder_said_no"),
        (PbxFault::NoEvent, "recorder_not_paused"),
        (PbxFault::OneDirection, "recorder_not_paused"),
        (PbxFault::NoChannel, "recorder_knows_no_call"),
        (PbxFault::NoAnswer, "recorder_no_answer"),
        (PbxFault::Garbage, "recorder_no_answer"),
        (PbxFault::Disconnects, "recorder_no_answer"),
    ] {
        refused(&house, &call, fault, reason);
    }
    for fault in [PbxFault::NoLogin, PbxFault::Silent, PbxFault::Unreachable] {
        refused(&house, &call, fault, "recorder_no_answer");
    }
    assert!(
        house
            .site
            .log()
            .contains("it refuses username or secret_file")
    );
    assert!(house.site.log().contains("a line of it is longer than"));
    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    assert!(pbx.is_muted());
    capture.act("cancel");
    records_again(pbx);
}

/// One capture beside a fault; then the fault is gone.
fn refused(house: &House, call: &serde_json::Value, fault: PbxFault, reason: &str) {
    let (running, pbx, page) = (&house.running, &house.pbx, &house.page);
    pbx.set(fault);
    // Some are seen by a new connection only.
    pbx.ends_connections();
    let (began, before) = (Instant::now(), refusals(&house.auditor, reason));
    let capture = Capture::begin(page, &running.stage, call, "check_basic");
    let view = decided(&capture);
    let told = [&view["state"], &view["reason"]];
    assert_eq!(told, ["blocked", "recorder_refused"], "{fault:?}: {view}");
    assert!(!pbx.said_muted(began), "{fault:?}");
    refused_because(&house.auditor, reason, before);
    pbx.set(PbxFault::None);
    capture.act("cancel");
    records_again(pbx);
}

#[test]
fn another_recording_that_begins_ends_the_capture() {
    let house = House::new();
    let (running, pbx, page) = (&house.running, &house.pbx, &house.page);
    let call = connect(page, &running.stage);
    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    pbx.begins_another();
    let view = becomes(&capture, "protection_lost");
    assert_eq!(view["reason"], "recorder_refused");
    refused_because(&house.auditor, "recorder_records", 0);
}

#[test]
fn a_lost_connection_keeps_the_pause_and_it_is_resumed_over_another() {
    let house = House::new();
    let (running, pbx, page) = (&house.running, &house.pbx, &house.page);
    let call = connect(page, &running.stage);
    let capture = Capture::open(page, &running.stage, &call, "check_basic");
    pbx.ends_connections();
    let until = Instant::now() + LOOKED_AT;
    wait_for("it was looked at again", STEP_MAX, || {
        assert_ne!(capture.view()["state"], "protection_lost");
        (Instant::now() >= until).then_some(())
    });
    assert!(pbx.is_muted());
    capture.act("cancel");
    records_again(pbx);
    entry(running, "recorder_resumed", "The pbx");
}

#[test]
fn what_a_killed_server_left_muted_is_let_go_on_at_its_next_start() {
    let House {
        mut site,
        mut running,
        page,
        pbx,
        _files,
        ..
    } = House::new();
    let call = connect(&page, &running.stage);
    let _capture = Capture::open(&page, &running.stage, &call, "check_basic");
    running.kill_server();
    drop(running);
    assert!(pbx.is_muted());
    let _running = site.start();
    records_again(&pbx);
    let left = site.data().join("paused-recorders.json");
    wait_for("nothing is left to let go on", WATCHED_MAX, || {
        (std::fs::read(&left).unwrap() == b"[]").then_some(())
    });
}
