//! Recorders that take recording sessions: they hear both sides behind the mask, and nothing at all while a Basic capture is open.

use std::path::Path;
use std::time::{Duration, Instant};

use media::dtmf::inband::loose::LooseDetector;
use serde_json::{Value, json};

use crate::external_recorders::{becomes, declare, entry};
use crate::faulty_recorders::decided;
use crate::support::{
    Capture, Client, Packet, Running, Site, Srs, SrsFault, TONEWALL, connect, wait_for,
};

/// A step that takes longer has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// What was sent just before a pause may be read this much later.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// An installation whose only service has its calls recorded by the first of these that takes them.
struct House {
    site: Site,
    running: Running,
    page: Client,
    recorders: Vec<Srs>,
}

impl House {
    fn new(names: &[&'static str], transport: &str) -> Self {
        let recorders: Vec<Srs> = names.iter().map(|name| Srs::start(name)).collect();
        let mut site = Site::set_up(Path::new(TONEWALL), &[]);
        site.add_tables(&Srs::table(
            &recorders.iter().collect::<Vec<_>>(),
            transport,
        ));
        let running = site.start();
        declare(&running.page("admin"), &names[..1]);
        Self {
            page: running.page("agent"),
            site,
            running,
            recorders,
        }
    }

    fn call(&self) -> Value {
        connect(&self.page, &self.running.stage)
    }

    fn capture(&self, call: &Value, kind: &str) -> Capture<'_> {
        Capture::open(&self.page, &self.running.stage, call, kind)
    }

    fn hang_up(&self) {
        self.running.stage.post("/control/hang-up", &json!({}));
    }
}

/// Waits until it has heard so many packets more of both.
fn hears(srs: &Srs, more: usize) {
    let before = srs.heard().map(|side| side.len());
    wait_for("both sides are heard", STEP_MAX, || {
        let now = srs.heard().map(|side| side.len());
        let is_more = now
            .iter()
            .zip(before)
            .all(|(now, before)| *now >= before + more);
        is_more.then_some(())
    });
}

fn records(srs: &Srs) {
    wait_for("it records", STEP_MAX, || srs.records().then_some(()));
}

/// One stream as a recorder has to find it: one source, numbers without a hole, times that only rise.
fn sound(packets: &[Packet]) {
    for pair in packets.windows(2) {
        let [one, next] = pair else { continue };
        assert_eq!(one.ssrc, next.ssrc);
        assert_eq!(next.sequence, one.sequence.wrapping_add(1));
        let passed = next.timestamp.wrapping_sub(one.timestamp);
        let samples = u32::try_from(one.samples.len()).unwrap();
        assert!(
            passed >= samples && passed < 8_000 * 60,
            "{passed} {samples}"
        );
    }
}

/// All that was heard of the consumer, silence where nothing came.
fn audio(packets: &[Packet]) -> Vec<i16> {
    let first = packets[0].timestamp;
    let mut all = Vec::new();
    for packet in packets {
        let at = usize::try_from(packet.timestamp.wrapping_sub(first)).unwrap();
        all.resize(at.max(all.len()), 0);
        all.extend_from_slice(&packet.samples);
    }
    all
}

fn no_key_is_heard(srs: &Srs) {
    let [consumer, agent] = srs.heard();
    for side in [&consumer, &agent] {
        sound(side);
        assert!(
            side.iter()
                .any(|packet| packet.samples.iter().any(|one| one.abs() > 100))
        );
        assert_eq!(LooseDetector::scan(&audio(side)).len(), 0);
    }
}

/// No packet came while it was paused.
fn nothing_in_pauses(srs: &Srs) {
    let changes = srs.changes();
    let ends = changes
        .iter()
        .skip(1)
        .map(|(at, _)| *at)
        .chain([Instant::now()]);
    for ((from, _), until) in changes.iter().zip(ends).filter(|((_, pause), _)| *pause) {
        for packet in srs.heard().iter().flatten() {
            let in_it = packet.at > *from + ON_ITS_WAY && packet.at < until;
            assert!(!in_it, "{:?} after the pause", packet.at - *from);
        }
    }
}

#[test]
fn a_basic_capture_is_never_sent_and_both_sides_are_heard_around_it() {
    let house = House::new(&["srs"], "udp");
    let srs = &house.recorders[0];
    let call = house.call();
    hears(srs, 50);
    let document = srs.documents().remove(0);
    assert!(
        document.contains("<nameID aor=\"sip:agent@127.0.0.1\"><name>"),
        "{document}"
    );
    let capture = house.capture(&call, "check_basic");
    assert!(srs.is_paused());
    assert!(!srs.documents().pop().unwrap().contains("<send>"));
    let paused = entry(&house.running, "recorder_paused", "The srs");
    assert!(paused["answered_ms"].is_u64(), "{paused}");
    capture.key_check();
    capture.act("done");
    assert!(srs.is_paused(), "nobody has said that the value is gone");
    capture.act("confirm_gone");
    records(srs);
    entry(&house.running, "recorder_resumed", "The srs");
    hears(srs, 50);
    house.hang_up();
    wait_for("its session ends", STEP_MAX, || {
        srs.has_ended().then_some(())
    });
    assert!(srs.reports() > 0);
    nothing_in_pauses(srs);
    no_key_is_heard(srs);
    assert_eq!((srs.invitations(), srs.sessions()), (1, 1));
}

#[test]
fn an_advanced_capture_runs_on_and_no_digit_is_in_it() {
    let house = House::new(&["srs"], "tcp");
    let srs = &house.recorders[0];
    let call = house.call();
    hears(srs, 25);
    let capture = house.capture(&call, "check_advanced");
    capture.key_check();
    assert!(srs.records(), "it sits behind the mask");
    hears(srs, 25);
    capture.act("cancel");
    house.hang_up();
    wait_for("its session ends", STEP_MAX, || {
        srs.has_ended().then_some(())
    });
    assert!(srs.changes().iter().all(|(_, pause)| !pause));
    no_key_is_heard(srs);
}

/// Waits for one more entry that it has refused; its reason is this.
fn refused_because(running: &Running, reason: &str, before: &mut usize) {
    let auditor = running.page("auditor");
    let newest = wait_for("its refusal is in the trail", STEP_MAX, || {
        let found = auditor.get("/api/v1/audit?action=recorder_refused");
        let entries = found["entries"].as_array().unwrap();
        (entries.len() > *before).then(|| {
            *before = entries.len();
            entries[0]["detail"].clone()
        })
    });
    assert_eq!(
        (&newest["recorder"], &newest["reason"]),
        (&json!("The srs"), &json!(reason))
    );
}

#[test]
fn whoever_does_not_agree_to_a_pause_blocks_the_capture_by_name() {
    let house = House::new(&["srs"], "udp");
    let (srs, page, running) = (&house.recorders[0], &house.page, &house.running);
    let call = house.call();
    records(srs);
    let mut refusals = 0;
    for (fault, reason) in [
        (SrsFault::RefusesPause(488), "recorder_said_no"),
        (SrsFault::RefusesPause(603), "recorder_said_no"),
        (SrsFault::IgnoresPause, "recorder_said_no"),
        (SrsFault::SilentToPause, "recorder_no_answer"),
    ] {
        srs.set(fault);
        let capture = Capture::begin(page, &running.stage, &call, "check_basic");
        let view = decided(&capture);
        let told = [&view["state"], &view["reason"]];
        assert_eq!(told, ["blocked", "recorder_refused"], "{fault:?}: {view}");
        refused_because(running, reason, &mut refusals);
        srs.set(SrsFault::None);
        capture.act("cancel");
        records(srs);
        hears(srs, 10);
    }
    srs.set(SrsFault::Met);
    let capture = house.capture(&call, "check_basic");
    assert!(srs.is_paused(), "it is asked again in time");
    capture.act("cancel");
    records(srs);
}

#[test]
fn a_recorder_that_fails_is_replaced_and_the_next_joins_a_pause_paused() {
    let house = House::new(&["srs", "second", "third"], "udp");
    let [first, second, third] = &house.recorders[..] else {
        panic!("three were started");
    };
    first.set(SrsFault::Refuses(503));
    let call = house.call();
    records(second);
    assert_eq!((first.invitations(), first.sessions()), (1, 0));
    hears(second, 25);
    let capture = house.capture(&call, "check_basic");
    assert!(second.is_paused());
    second.leaves();
    wait_for("the third is paused", STEP_MAX, || {
        third.is_paused().then_some(())
    });
    let until = Instant::now() + Duration::from_secs(3);
    wait_for("it was looked at", STEP_MAX, || {
        assert_ne!(capture.view()["state"], "protection_lost");
        (Instant::now() >= until).then_some(())
    });
    assert_eq!(third.heard().map(|side| side.len()), [0, 0]);
    capture.act("cancel");
    records(third);
    hears(third, 25);
    assert!(house.site.log().contains("the next of its list is asked"));
    third.leaves();
    wait_for("nobody is left", STEP_MAX, || {
        house
            .site
            .log()
            .contains("none of its list takes it")
            .then_some(())
    });
    let blocked = Capture::begin(&house.page, &house.running.stage, &call, "check_basic");
    assert_eq!(decided(&blocked)["reason"], "recorder_refused");
    for srs in [second, third] {
        nothing_in_pauses(srs);
    }
}

#[test]
fn one_that_takes_half_of_it_or_does_not_answer_is_passed_over() {
    for fault in [SrsFault::OneStream, SrsFault::Silent] {
        let house = House::new(&["srs", "second"], "tcp");
        house.recorders[0].set(fault);
        house.call();
        records(&house.recorders[1]);
        hears(&house.recorders[1], 10);
        assert!(!house.recorders[0].records(), "{fault:?}");
    }
}

#[test]
fn a_hang_up_and_a_killed_server_leave_nothing_paused() {
    let House {
        mut site,
        mut running,
        page,
        recorders,
    } = House::new(&["srs"], "udp");
    let srs = &recorders[0];
    let call = connect(&page, &running.stage);
    records(srs);
    let capture = Capture::open(&page, &running.stage, &call, "check_basic");
    assert!(srs.is_paused());
    running.stage.post("/control/hang-up", &json!({}));
    becomes(&capture, "lost");
    wait_for("its session ends", STEP_MAX, || {
        srs.has_ended().then_some(())
    });
    let call = connect(&page, &running.stage);
    wait_for("it records the next call", STEP_MAX, || {
        (srs.sessions() == 2).then_some(())
    });
    let _capture = Capture::open(&page, &running.stage, &call, "check_basic");
    assert!(srs.is_paused());
    running.kill_server();
    drop(running);
    let _running = site.start();
    let left = site.data().join("paused-recorders.json");
    wait_for("nothing is left to let go on", STEP_MAX * 3, || {
        (std::fs::read(&left).unwrap() == b"[]").then_some(())
    });
    nothing_in_pauses(srs);
}
