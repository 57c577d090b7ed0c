//! A FreeSWITCH beside the server: a Basic capture begins once every recording of the channel said that it is masked, and they go on whatever becomes of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::external_recorders::{becomes, declare, entry};
use crate::faulty_recorders::decided;
use crate::support::{
    Capture, Client, Running, Site, Switch, SwitchFault, TONEWALL, connect, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// For half a minute a recorder is looked at that may yet carry out a pause.
const WATCHED_MAX: Duration = Duration::from_secs(50);

/// A look each 2 s, and what one takes.
const LOOKED_AT: Duration = Duration::from_secs(5);

/// An answer that comes too late for any capture.
const LATE: Duration = Duration::from_secs(5);

/// An installation whose only service has its calls recorded by one.
struct House {
    site: Site,
    running: Running,
    page: Client,
    auditor: Client,
    switch: Switch,
    _files: tempfile::TempDir,
}

impl House {
    fn new(is_tls: bool) -> Self {
        let files = tempfile::tempdir().unwrap();
        let switch = Switch::start(files.path(), is_tls);
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        site.add_tables(&switch.table());
        switch.carries_calls_of(site.data());
        let running = site.start();
        declare(&running.page("admin"), &["switch"]);
        Self {
            site,
            page: running.page("agent"),
            auditor: running.page("auditor"),
            running,
            switch,
            _files: files,
        }
    }

    fn open<'a>(&'a self, call: &Value) -> Capture<'a> {
        Capture::open(&self.page, &self.running.stage, call, "check_basic")
    }
}

fn records_again(switch: &Switch) {
    wait_for("it records again", STEP_MAX, || {
        (switch.is_masked() == Some(false)).then_some(())
    });
}

/// How often the trail says that it refused for this reason.
fn refusals(auditor: &Client, reason: &str) -> usize {
    let found = auditor.get("/api/v1/audit?action=recorder_refused");
    let details = found["entries"].as_array().unwrap().iter();
    let details = details.map(|entry| &entry["detail"]);
    details
        .filter(|detail| detail["recorder"] == "The switch" && detail["reason"] == reason)
        .count()
}

/// Waits until it has refused for this reason more often.
fn refused_because(auditor: &Client, reason: &str, before: usize) {
    wait_for(&format!("it is refused: {reason}"), STEP_MAX, || {
        (refusals(auditor, reason) > before).then_some(())
    });
}

/// One capture beside a fault is refused.
fn is_refused<'a>(house: &'a House, call: &Value, fault: SwitchFault, reason: &str) -> Capture<'a> {
    house.switch.set(fault);
    // Some are seen by a new connection only.
    house.switch.ends_connections();
    let before = refusals(&house.auditor, reason);
    let capture = Capture::begin(&house.page, &house.running.stage, call, "check_basic");
    let view = decided(&capture);
    let told = [&view["state"], &view["reason"]];
    assert_eq!(told, ["blocked", "recorder_refused"], "{fault:?}: {view}");
    refused_because(&house.auditor, reason, before);
    capture
}

#[test]
fn a_basic_capture_begins_at_the_word_of_each_recording_and_all_go_on_in_the_end() {
    let before = Instant::now();
    let house = House::new(true);
    let (running, switch) = (&house.running, &house.switch);
    let call = connect(&house.page, &running.stage);
    let began = Instant::now();
    let capture = house.open(&call);
    let armed = Instant::now();
    assert_eq!(
        (switch.said_masked(began), switch.is_masked()),
        (2, Some(true))
    );
    assert!(
        switch.took(before, armed) > Duration::ZERO,
        "it recorded before"
    );
    entry(running, "recorder_paused", "The switch");
    capture.key_check();
    capture.act("done");
    let told = Instant::now();
    capture.act("confirm_gone");
    records_again(switch);
    let took = switch.took(armed, told);
    assert_eq!(took, Duration::ZERO, "what was held back at the end, too");
    entry(running, "recorder_resumed", "The switch");
    capture.act("close");

    let capture = house.open(&call);
    assert_eq!(switch.is_masked(), Some(true));
    running.stage.post("/control/hang-up", &json!({}));
    becomes(&capture, "lost");
    records_again(switch);
    assert!(switch.listed() > 0, "its channel has a name of its own");
}

#[test]
fn a_channel_that_is_named_after_its_call_id_is_found_without_a_list() {
    let house = House::new(false);
    let switch = &house.switch;
    switch.names_channels_by_call_id();
    let call = connect(&house.page, &house.running.stage);
    let capture = house.open(&call);
    assert_eq!((switch.is_masked(), switch.listed()), (Some(true), 0));
    capture.act("cancel");
    records_again(switch);
}

#[test]
fn whatever_is_less_than_every_recordings_word_begins_no_capture_and_is_named() {
    let house = House::new(true);
    let call = connect(&house.page, &house.running.stage);
    for (fault, reason) in [
        (SwitchFault::SaysNo, "recorder_said_no"),
        (SwitchFault::NoRecording, "recorder_knows_no_call"),
        (SwitchFault::NoChannel, "recorder_knows_no_call"),
        (SwitchFault::ManyChannels, "recorder_no_answer"),
        (SwitchFault::NoAnswer, "recorder_no_answer"),
        (SwitchFault::Garbage, "recorder_no_answer"),
        (SwitchFault::Disconnects, "recorder_no_answer"),
        (SwitchFault::OtherPassword, "recorder_no_answer"),
        (SwitchFault::NoAccess, "recorder_no_answer"),
        (SwitchFault::Silent, "recorder_no_answer"),
        (SwitchFault::Unreachable, "recorder_no_answer"),
    ] {
        let capture = is_refused(&house, &call, fault, reason);
        house.switch.set(SwitchFault::None);
        capture.act("cancel");
        records_again(&house.switch);
    }
    let log = house.site.log();
    for told in [
        "it refuses password_file: -ERR invalid",
        "see apply-inbound-acl",
        "turn inbound-use-callid-as-uuid",
        "a head of it is longer than",
        "there is no recording on the channel",
    ] {
        assert!(log.contains(told), "{told}");
    }
    let capture = house.open(&call);
    assert_eq!(house.switch.is_masked(), Some(true));
    capture.act("cancel");
    records_again(&house.switch);
}

#[test]
fn another_recording_that_begins_ends_the_capture_even_if_it_is_over_at_the_next_look() {
    let house = House::new(false);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    for (is_over, before) in [(false, 0), (true, 1)] {
        let capture = house.open(&call);
        switch.begins("/recordings/another.wav");
        if is_over {
            switch.ends("/recordings/another.wav");
        }
        let view = becomes(&capture, "protection_lost");
        assert_eq!(view["reason"], "recorder_refused");
        refused_because(&house.auditor, "recorder_records", before);
        records_again(switch);
        capture.act("close");
    }
}

#[test]
fn a_recording_that_ends_is_no_loss_and_the_others_stay_masked() {
    let house = House::new(false);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    let capture = house.open(&call);
    switch.ends("/recordings/queue.wav");
    let until = Instant::now() + LOOKED_AT;
    wait_for("it was looked at again", STEP_MAX, || {
        assert_ne!(capture.view()["state"], "protection_lost");
        (Instant::now() >= until).then_some(())
    });
    capture.act("cancel");
    records_again(switch);
}

#[test]
fn a_lost_connection_keeps_the_pause_and_the_recordings_go_on_over_another() {
    let house = House::new(true);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    let capture = house.open(&call);
    switch.ends_connections();
    let until = Instant::now() + LOOKED_AT;
    wait_for("it was looked at again", STEP_MAX, || {
        assert_ne!(capture.view()["state"], "protection_lost");
        (Instant::now() >= until).then_some(())
    });
    assert_eq!(switch.is_masked(), Some(true));
    capture.act("cancel");
    records_again(switch);
    entry(&house.running, "recorder_resumed", "The switch");
}

#[test]
fn a_recording_that_begins_while_the_connection_is_lost_ends_the_capture() {
    let house = House::new(false);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    let capture = house.open(&call);
    switch.ends_connections();
    switch.begins("/recordings/another.wav");
    let view = becomes(&capture, "protection_lost");
    assert_eq!(view["reason"], "recorder_refused");
    refused_because(&house.auditor, "recorder_records", 0);
    records_again(switch);
}

#[test]
fn a_recording_that_is_masked_too_late_goes_on_all_the_same() {
    let house = House::new(false);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    let began = Instant::now();
    let capture = is_refused(&house, &call, SwitchFault::Late(LATE), "recorder_no_answer");
    assert_eq!(switch.said_masked(began), 0);
    switch.set(SwitchFault::None);
    capture.act("cancel");
    wait_for("it is masked late", STEP_MAX, || {
        (switch.said_masked(began) > 0 && !switch.is_late()).then_some(())
    });
    records_again(switch);
}

#[test]
fn what_a_killed_server_left_masked_is_let_go_on_at_its_next_start() {
    let House {
        mut site,
        mut running,
        page,
        switch,
        _files,
        ..
    } = House::new(false);
    let call = connect(&page, &running.stage);
    let _capture = Capture::open(&page, &running.stage, &call, "check_basic");
    running.kill_server();
    drop(running);
    assert_eq!(switch.is_masked(), Some(true));
    let _running = site.start();
    records_again(&switch);
    let left = site.data().join("paused-recorders.json");
    wait_for("nothing is left to let go on", WATCHED_MAX, || {
        (std::fs::read(&left).unwrap() == b"[]").then_some(())
    });
}

/// Its flag is all that it says: what no server can see has to be heard in the recording.
#[test]
fn one_that_says_that_it_is_done_and_records_is_seen_in_its_recording_only() {
    let house = House::new(false);
    let switch = &house.switch;
    let call = connect(&house.page, &house.running.stage);
    switch.set(SwitchFault::Lies);
    let capture = house.open(&call);
    let armed = Instant::now();
    capture.key_check();
    assert!(switch.took(armed, Instant::now()) > Duration::ZERO);
    capture.act("cancel");
}
