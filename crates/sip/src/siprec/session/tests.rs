//! A recording session beside recorders that do as they should, and beside those that do not.

use proptest::prelude::*;

use super::*;
use crate::sdp::Codec;

const RECORDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

/// A recorder's description of both streams.
fn answer(direction: &str, port: u16) -> Session {
    let line = |port: u16, label: &str| {
        format!("m=audio {port} RTP/AVP 8\r\na={direction}\r\na=label:{label}\r\n")
    };
    let text = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{}{}",
        line(port, "1"),
        line(port + 2, "2")
    );
    Session::parse(text.as_bytes()).unwrap()
}

struct Scene {
    session: RecordingSession,
    now: Instant,
}

impl Scene {
    fn new(targets: usize, mode: Mode) -> Self {
        let rtp = ["192.0.2.1:10000", "192.0.2.1:10002"].map(|text| text.parse().unwrap());
        let local = LocalStreams::new(7, rtp);
        Self {
            session: RecordingSession::new(local, targets, mode, Duration::from_millis(100)),
            now: Instant::now(),
        }
    }

    /// One whose first recorder has accepted it.
    fn recording(targets: usize) -> Self {
        let mut scene = Self::new(targets, Mode::Sending);
        assert_eq!(scene.did(), ["invite 0 Sending"]);
        scene.accepts("recvonly");
        assert_eq!(scene.did(), ["send 4000 4002"]);
        scene
    }

    /// One that is paused by its recorder's word.
    fn paused(targets: usize) -> Self {
        let mut scene = Self::recording(targets);
        scene.wants(Mode::Paused);
        assert_eq!(scene.did(), ["stop", "change Paused"]);
        scene.answers("inactive");
        assert_eq!(scene.did(), [""; 0]);
        assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
        scene
    }

    fn accepts(&mut self, direction: &str) {
        let answer = answer(direction, 4_000);
        self.session.handle_answered(self.now, &answer, RECORDER);
    }

    fn answers(&mut self, direction: &str) {
        let answer = answer(direction, 4_000);
        self.session
            .handle_offer_answered(self.now, &answer, RECORDER);
    }

    fn refuses(&mut self, status: Status) {
        self.session.handle_offer_failed(self.now, status);
    }

    fn wants(&mut self, mode: Mode) {
        self.session.want(self.now, mode);
    }

    fn passes(&mut self, time: Duration) {
        self.now += time;
        self.session.handle_timeout(self.now);
    }

    /// What was put out since the last look.
    fn did(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.session.poll_output());
        outputs
            .map(|output| match output {
                RecordingOutput::Invite { target, mode, .. } => format!("invite {target} {mode:?}"),
                RecordingOutput::Change { mode, .. } => format!("change {mode:?}"),
                RecordingOutput::Accept(session) => {
                    let text = session.to_string();
                    let told = ["inactive", "sendonly"]
                        .into_iter()
                        .find(|word| text.contains(word));
                    format!("accept {}", told.unwrap_or("?"))
                }
                RecordingOutput::Reject => "reject".to_owned(),
                RecordingOutput::HangUp => "hang up".to_owned(),
                RecordingOutput::Send([one, other]) => {
                    assert_eq!((one.codec, one.payload_type), (Codec::Pcma, 8));
                    format!("send {} {}", one.rtp.port(), other.rtp.port())
                }
                RecordingOutput::Stop => "stop".to_owned(),
                RecordingOutput::Failed { target, fault } => format!("failed {target}: {fault}"),
            })
            .collect()
    }
}

#[test]
fn a_pause_stops_at_once_and_counts_when_the_recorder_has_said_so() {
    let mut scene = Scene::recording(1);
    scene.wants(Mode::Paused);
    assert_eq!(scene.did(), ["stop", "change Paused"]);
    assert_eq!(scene.session.standing(), Standing::Changing);
    scene.answers("inactive");
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
    scene.wants(Mode::Sending);
    assert_eq!(scene.did(), ["change Sending"]);
    scene.answers("recvonly");
    assert_eq!(scene.did(), ["send 4000 4002"]);
    scene.session.hang_up();
    assert_eq!(scene.did(), ["stop", "hang up"]);
    assert_eq!(scene.session.standing(), Standing::Over);
    scene.session.hang_up();
    assert_eq!(scene.did(), [""; 0]);
}

#[test]
fn whoever_joins_while_a_pause_is_wanted_begins_with_it() {
    let mut scene = Scene::new(1, Mode::Paused);
    assert_eq!(scene.did(), ["invite 0 Paused"]);
    scene.accepts("inactive");
    assert_eq!(scene.did(), [""; 0]);
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));

    let mut late = Scene::new(1, Mode::Sending);
    late.wants(Mode::Paused);
    assert_eq!(late.did(), ["invite 0 Sending", "stop"]);
    assert_eq!(late.session.standing(), Standing::Inviting);
    late.accepts("recvonly");
    assert_eq!(late.did(), ["change Paused"], "and nothing was sent before");
}

#[test]
fn a_pause_that_is_refused_or_answered_otherwise_is_no_pause() {
    for status in [
        Status::NOT_ACCEPTABLE_HERE,
        Status::SERVER_INTERNAL_ERROR,
        Status::DECLINE,
    ] {
        let mut scene = Scene::recording(2);
        scene.wants(Mode::Paused);
        scene.did();
        scene.refuses(status);
        assert_eq!(
            scene.did(),
            [""; 0],
            "nothing is sent before anybody wants it"
        );
        let fault = RecordingFault::PeerStatus(status);
        assert_eq!(scene.session.standing(), Standing::Refused(fault));
        scene.wants(Mode::Sending);
        assert_eq!(scene.did(), ["send 4000 4002"], "its session is as it was");
    }
    let mut scene = Scene::recording(1);
    scene.wants(Mode::Paused);
    scene.did();
    scene.answers("recvonly");
    assert!(matches!(
        scene.session.standing(),
        Standing::Refused(RecordingFault::PeerStreams(StreamsError::PeerNotPaused {
            label: "1"
        }))
    ));
    scene.wants(Mode::Sending);
    assert_eq!(scene.did(), ["change Sending"], "we have offered inactive");
}

#[test]
fn changes_that_met_are_asked_for_again_after_a_while() {
    let mut scene = Scene::recording(1);
    scene.wants(Mode::Paused);
    scene.did();
    scene.refuses(Status::REQUEST_PENDING);
    assert_eq!(scene.session.standing(), Standing::Met);
    scene.passes(Duration::from_millis(2_199));
    assert_eq!(scene.did(), [""; 0]);
    scene.passes(Duration::from_millis(1));
    assert_eq!(scene.did(), ["change Paused"]);
    scene.answers("inactive");
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
}

#[test]
fn a_wish_that_comes_while_another_is_on_its_way_follows_it() {
    let mut scene = Scene::recording(1);
    scene.wants(Mode::Paused);
    scene.wants(Mode::Sending);
    assert_eq!(scene.did(), ["stop", "change Paused"]);
    // What was agreed to before is no word while something else is offered.
    assert_eq!(scene.session.standing(), Standing::Changing);
    scene.answers("inactive");
    assert_eq!(scene.did(), ["change Sending"]);
    scene.wants(Mode::Paused);
    assert_eq!(scene.session.standing(), Standing::Changing);
    scene.answers("recvonly");
    assert_eq!(scene.did(), ["stop", "change Paused"]);
    assert_eq!(scene.session.standing(), Standing::Changing);
    scene.answers("inactive");
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
}

#[test]
fn each_recorder_is_tried_once_in_order() {
    let mut scene = Scene::new(4, Mode::Sending);
    scene.did();
    scene.session.handle_failed(Status::REQUEST_TIMEOUT);
    assert_eq!(
        scene.did(),
        ["failed 0: the recorder answers 408", "invite 1 Sending"]
    );
    scene.session.handle_failed(Status::new(302).unwrap());
    assert_eq!(
        scene.did(),
        ["failed 1: the recorder answers 302", "invite 2 Sending"]
    );
    let one = Session::parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=label:1\r\n").unwrap();
    scene.session.handle_answered(scene.now, &one, RECORDER);
    let did = scene.did();
    assert_eq!(
        (did[0].as_str(), did[2].as_str()),
        ("hang up", "invite 3 Sending"),
        "{did:?}"
    );
    assert!(
        did[1].starts_with("failed 2: the recorder does not take the stream labelled 2"),
        "{did:?}"
    );
    scene.session.handle_failed(Status::SERVICE_UNAVAILABLE);
    assert_eq!(scene.did(), ["failed 3: the recorder answers 503"]);
    assert_eq!(
        (scene.session.standing(), scene.session.next_timeout()),
        (Standing::Over, None)
    );
}

#[test]
fn a_recorder_that_leaves_is_replaced_and_a_pause_holds_at_the_next() {
    let mut scene = Scene::paused(2);
    scene.session.handle_ended();
    assert_eq!(
        scene.did(),
        [
            "stop",
            "failed 0: the recorder ended the recording session",
            "invite 1 Paused"
        ]
    );
    scene.accepts("inactive");
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
    scene.session.handle_ended();
    assert_eq!(scene.did().len(), 2);
    assert_eq!(scene.session.standing(), Standing::Over);
    scene.wants(Mode::Sending);
    assert_eq!(scene.did(), [""; 0], "nothing is left to let go on");
}

#[test]
fn a_recorder_may_move_its_ports_and_stop_for_a_while() {
    let mut scene = Scene::recording(1);
    let moved = answer("recvonly", 5_000);
    scene
        .session
        .handle_offered(scene.now, Some(&moved), RECORDER);
    assert_eq!(scene.did(), ["accept sendonly", "send 5000 5002"]);
    let stopped = answer("inactive", 5_000);
    scene
        .session
        .handle_offered(scene.now, Some(&stopped), RECORDER);
    assert_eq!(scene.did()[0], "accept inactive");
    scene.wants(Mode::Paused);
    scene.did();
    scene
        .session
        .handle_offered(scene.now, Some(&moved), RECORDER);
    assert_eq!(scene.did(), ["accept inactive"], "whatever it offers");
    scene.answers("inactive");
    scene
        .session
        .handle_offered(scene.now, Some(&moved), RECORDER);
    assert_eq!(scene.did(), ["accept inactive"]);
    let none = Session::parse(b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\n").unwrap();
    scene
        .session
        .handle_offered(scene.now, Some(&none), RECORDER);
    assert_eq!(scene.did(), ["reject"]);
}

#[test]
fn a_recorder_that_asks_for_our_offer_gets_all_metadata_behind_it() {
    let mut scene = Scene::paused(1);
    scene.session.handle_offered(scene.now, None, RECORDER);
    assert_eq!(scene.did(), ["accept inactive"]);
    scene.answers("inactive");
    assert_eq!(scene.did(), ["change Paused"]);
    scene.answers("inactive");
    assert_eq!(scene.session.standing(), Standing::Agreed(Mode::Paused));
}

#[test]
fn a_recorder_that_asks_for_our_offer_while_one_is_open_does_not_make_it_forgotten() {
    let mut scene = Scene::paused(1);
    scene.wants(Mode::Sending);
    assert_eq!(scene.did(), ["change Sending"]);
    scene.wants(Mode::Paused);
    scene.session.handle_offered(scene.now, None, RECORDER);
    assert_eq!(scene.did(), ["stop", "reject"]);
    assert_ne!(scene.session.standing(), Standing::Agreed(Mode::Paused));
}

#[test]
fn one_with_nothing_to_be_told_is_looked_at_each_half_minute() {
    let mut scene = Scene::paused(1);
    scene.passes(Duration::from_secs(30));
    assert_eq!(scene.did(), ["change Paused"]);
    scene.refuses(Status::SERVER_INTERNAL_ERROR);
    assert_eq!(
        scene.session.standing(),
        Standing::Agreed(Mode::Paused),
        "it was told nothing new"
    );
    let next = scene.session.next_timeout().unwrap();
    assert_eq!(next - scene.now, Duration::from_secs(30));
}

#[derive(Debug, Clone)]
enum Step {
    Want(bool),
    Answered(Vec<u8>),
    Failed(u16),
    Ended,
    OfferAnswered(&'static str),
    OfferFailed(u16),
    Offered(Option<&'static str>),
    Passes(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let direction = || {
        prop_oneof![
            Just("recvonly"),
            Just("inactive"),
            Just("sendrecv"),
            Just("sendonly")
        ]
    };
    prop_oneof![
        any::<bool>().prop_map(Step::Want),
        proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'='), Just(b'\n'), Just(b'm'), Just(b'a')],
            0..400
        )
        .prop_map(Step::Answered),
        (300_u16..700).prop_map(Step::Failed),
        Just(Step::Ended),
        direction().prop_map(Step::OfferAnswered),
        prop_oneof![Just(491_u16), 300_u16..700].prop_map(Step::OfferFailed),
        proptest::option::of(direction()).prop_map(Step::Offered),
        (0_u64..40_000).prop_map(Step::Passes),
    ]
}

proptest! {
    /// Whatever a recorder does, nothing is sent from the wish for a pause to the wish to go on, and nobody is said to have paused who has not.
    #[test]
    fn no_recorder_gets_a_pause_undone(steps in proptest::collection::vec(step(), 0..60)) {
        let mut scene = Scene::new(3, Mode::Sending);
        let (mut paused, mut answered_inactive, mut is_sending_offered) = (false, false, false);
        for step in steps {
            is_sending_offered &= !matches!(step, Step::OfferAnswered(_) | Step::OfferFailed(_) | Step::Ended | Step::Failed(_) | Step::Answered(_));
            match step {
                Step::Want(pause) => {
                    paused = pause;
                    scene.wants(if pause { Mode::Paused } else { Mode::Sending });
                }
                Step::Answered(bytes) => {
                    let mut text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\n".to_vec();
                    text.extend_from_slice(&bytes);
                    let made = Session::parse(&text).unwrap_or_else(|_| answer("recvonly", 4_000));
                    scene.session.handle_answered(scene.now, &made, RECORDER);
                }
                Step::Failed(code) => scene.session.handle_failed(Status::new(code).unwrap()),
                Step::Ended => scene.session.handle_ended(),
                Step::OfferAnswered(direction) => {
                    answered_inactive |= direction == "inactive" || direction == "sendonly";
                    scene.answers(direction);
                }
                Step::OfferFailed(code) => scene.refuses(Status::new(code).unwrap()),
                Step::Offered(offer) => {
                    let offer = offer.map(|direction| answer(direction, 4_000));
                    scene.session.handle_offered(scene.now, offer.as_ref(), RECORDER);
                }
                Step::Passes(ms) => scene.passes(Duration::from_millis(ms)),
            }
            for did in scene.did() {
                prop_assert!(!(paused && did.starts_with("send")), "{did}");
                if did.starts_with("change ") {
                    is_sending_offered = did.ends_with("Sending");
                }
            }
            if scene.session.standing() == Standing::Agreed(Mode::Paused) {
                prop_assert!(paused && answered_inactive && !is_sending_offered);
            }
        }
    }
}
