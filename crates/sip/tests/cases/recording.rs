//! Recording sessions on the wire: what their requests have, and what recorders may do in the dialog.

use sip::message::{HeaderName, Request};
use sip::siprec::{LocalStreams, Mode};
use sip::{Command, EndReason, Event, Flow, LegId, NameAddr};

use super::world::{Who, World, credentials, reply, status, uri};

const METADATA: &str = "<recording/>";

const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0\r\na=recvonly\r\na=label:1\r\nm=audio 4002 RTP/AVP 0\r\na=recvonly\r\na=label:2\r\n";

fn streams() -> LocalStreams {
    let rtp = ["192.0.2.10:10000", "192.0.2.10:10002"].map(|text| text.parse().unwrap());
    LocalStreams::new(1, rtp)
}

/// Alice invites Bob, a recorder whose answers are written by hand.
fn invite(world: &mut World) -> (LegId, Request) {
    let leg = world.alice.new_leg();
    let command = Command::InviteRecorder {
        leg,
        target: uri("sip:rec@192.0.2.20"),
        from: NameAddr::new(uri("sip:tonewall@192.0.2.10")),
        flow: Flow::udp(Who::Bob.address()),
        offer: streams().offer(Mode::Sending),
        metadata: METADATA.to_owned(),
        headers: vec![(HeaderName::from("X-Tonewall-Call"), "c1".to_owned())],
        credentials: Some(credentials("tonewall", "word")),
    };
    world.command(Who::Alice, command);
    (leg, world.last_request(Who::Alice, "INVITE"))
}

fn accepted() -> String {
    format!("Contact: <sip:rec@192.0.2.20>\r\nContent-Type: application/sdp\r\n\r\n{ANSWER}")
}

fn up(world: &mut World) -> LegId {
    let (leg, request) = invite(world);
    world.inject(Who::Alice, &reply(&request, 200, "rec", &accepted()));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::Answered {
            answer: Some(_),
            ..
        }
    ));
    leg
}

fn change(world: &mut World, leg: LegId) -> Request {
    let command = Command::ChangeRecording {
        leg,
        offer: streams().offer(Mode::Paused),
        metadata: METADATA.to_owned(),
    };
    world.command(Who::Alice, command);
    world.last_request(Who::Alice, "INVITE")
}

fn is_of_a_recording(request: &Request) {
    let headers = &request.headers;
    assert!(headers.has_token(&HeaderName::REQUIRE, "siprec"));
    assert!(
        headers
            .text(&HeaderName::CONTACT)
            .unwrap()
            .ends_with(">;+sip.src")
    );
    assert_eq!(headers.content_type().as_deref(), Some("multipart/mixed"));
    assert!(
        headers
            .text(&HeaderName::ACCEPT)
            .unwrap()
            .contains("application/rs-metadata-request")
    );
    let body = String::from_utf8(request.body.as_bytes().to_vec()).unwrap();
    assert!(body.contains("Content-Type: application/sdp\r\n") && body.contains("a=label:2\r\n"));
    assert!(body.contains("Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n<recording/>"));
}

#[test]
fn an_invitation_and_its_changes_are_of_a_recording_session() {
    let mut world = World::new();
    let (_, request) = invite(&mut world);
    is_of_a_recording(&request);
    assert_eq!(
        request.headers.text(&HeaderName::from("X-Tonewall-Call")),
        Some("c1")
    );
    let parts = format!(
        "Contact: <sip:rec@192.0.2.20>\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n--b\r\nContent-Type: application/sdp\r\n\r\n{ANSWER}\r\n--b--\r\n"
    );
    world.inject(Who::Alice, &reply(&request, 200, "rec", &parts));
    let Event::Answered {
        leg,
        answer: Some(answer),
        ..
    } = world.take_event(Who::Alice)
    else {
        panic!("not answered");
    };
    assert_eq!(answer.media.len(), 2);
    let request = change(&mut world, leg);
    is_of_a_recording(&request);
    assert_eq!(request.headers.to().unwrap().tag(), Some("rec"));
    world.inject(Who::Alice, &reply(&request, 200, "rec", &accepted()));
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::OfferAnswered { .. }
    ));
    world.command(Who::Alice, Command::Hangup { leg, reason: None });
    assert_eq!(world.count(Who::Alice, "BYE"), 1);
}

#[test]
fn changes_are_proved_as_the_invitation_is() {
    let mut world = World::new();
    let challenge = "WWW-Authenticate: Digest realm=\"tonewall\", nonce=\"n1\", qop=\"auth\"";
    let (leg, request) = invite(&mut world);
    assert!(request.headers.text(&HeaderName::AUTHORIZATION).is_none());
    world.inject(Who::Alice, &reply(&request, 401, "r0", challenge));
    let proved = world.last_request(Who::Alice, "INVITE");
    assert!(
        proved
            .headers
            .text(&HeaderName::AUTHORIZATION)
            .unwrap()
            .contains("username=\"tonewall\"")
    );
    is_of_a_recording(&proved);
    world.inject(Who::Alice, &reply(&proved, 200, "rec", &accepted()));
    world.take_events(Who::Alice);
    let mut request = change(&mut world, leg);
    let stale = format!("{challenge}, stale=true");
    for challenge in [challenge, &stale] {
        world.inject(Who::Alice, &reply(&request, 401, "rec", challenge));
        let proved = world.last_request(Who::Alice, "INVITE");
        assert_ne!(
            proved.headers.cseq().unwrap().number,
            request.headers.cseq().unwrap().number
        );
        assert!(proved.headers.contains(&HeaderName::AUTHORIZATION));
        is_of_a_recording(&proved);
        request = proved;
    }
    world.inject(Who::Alice, &reply(&request, 401, "rec", &stale));
    assert_eq!(
        world.take_event(Who::Alice),
        Event::OfferFailed {
            leg,
            status: status(401)
        }
    );
    let request = change(&mut world, leg);
    let other = challenge.replace("realm=\"tonewall\"", "realm=\"elsewhere\"");
    world.inject(Who::Alice, &reply(&request, 401, "rec", &other));
    assert_eq!(
        world.take_event(Who::Alice),
        Event::OfferFailed {
            leg,
            status: status(401)
        }
    );
}

/// A request of the recorder in the dialog.
fn of_recorder(world: &World, method: &str, number: u32, lines: &str) -> String {
    let ack = world.last_request(Who::Alice, "ACK");
    let (ours, theirs) = (ack.headers.from().unwrap(), ack.headers.to().unwrap());
    let (lines, body) = lines.split_once("\r\n\r\n").unwrap_or((lines, ""));
    format!(
        "{method} sip:x@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKrec{number}\r\nFrom: {theirs}\r\nTo: {ours}\r\n\
         Call-ID: {}\r\nCSeq: {number} {method}\r\n{lines}\r\nContent-Length: {}\r\n\r\n{body}",
        ack.headers.call_id().unwrap(),
        body.len()
    )
}

#[test]
fn a_recorder_may_offer_ask_for_metadata_and_end_it() {
    let mut world = World::new();
    let leg = up(&mut world);
    let offer = of_recorder(
        &world,
        "INVITE",
        1,
        &format!("Require: siprec\r\nContent-Type: application/sdp\r\n\r\n{ANSWER}"),
    );
    world.inject(Who::Alice, &offer);
    let Event::Offered {
        offer: Some(offer), ..
    } = world.take_event(Who::Alice)
    else {
        panic!("not offered");
    };
    let answer = streams().answer(&offer, Mode::Sending).unwrap();
    world.command(Who::Alice, Command::AcceptOffer { leg, answer });
    assert_eq!(world.count(Who::Alice, "200 INVITE"), 1);
    let ack = of_recorder(&world, "ACK", 1, "Max-Forwards: 70");
    world.inject(Who::Alice, &ack);

    let ask = of_recorder(
        &world,
        "INVITE",
        2,
        "Content-Type: application/rs-metadata-request\r\n\r\nSRS Recovery\r\n",
    );
    world.inject(Who::Alice, &ask);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Offered { leg, offer: None }
    );
    let answer = streams().offer(Mode::Sending);
    world.command(Who::Alice, Command::AcceptOffer { leg, answer });
    let ack = of_recorder(
        &world,
        "ACK",
        2,
        &format!("Content-Type: application/sdp\r\n\r\n{ANSWER}"),
    );
    world.inject(Who::Alice, &ack);
    assert!(matches!(
        world.take_event(Who::Alice),
        Event::OfferAnswered { .. }
    ));

    let alive = of_recorder(&world, "OPTIONS", 3, "Max-Forwards: 70");
    world.inject(Who::Alice, &alive);
    assert_eq!(world.count(Who::Alice, "200 OPTIONS"), 1);
    let strange = of_recorder(&world, "OPTIONS", 4, "Require: x-strange");
    world.inject(Who::Alice, &strange);
    assert_eq!(world.count(Who::Alice, "420 OPTIONS"), 1);
    let bye = of_recorder(&world, "BYE", 5, "Max-Forwards: 70");
    world.inject(Who::Alice, &bye);
    assert_eq!(
        world.take_event(Who::Alice),
        Event::Ended {
            leg,
            reason: EndReason::Bye
        }
    );
    assert_eq!(world.count(Who::Alice, "200 BYE"), 1);
}

#[test]
fn an_acceptance_that_comes_late_is_acknowledged_and_ended() {
    let mut world = World::new();
    let (leg, request) = invite(&mut world);
    world.command(Who::Alice, Command::Hangup { leg, reason: None });
    world.take_events(Who::Alice);
    world.inject(Who::Alice, &reply(&request, 200, "rec", &accepted()));
    assert_eq!(
        (
            world.count(Who::Alice, "ACK"),
            world.count(Who::Alice, "BYE")
        ),
        (1, 1)
    );
    assert!(world.take_events(Who::Alice).is_empty());
}
