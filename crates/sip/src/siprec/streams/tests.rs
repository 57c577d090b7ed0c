//! What recorders answer, and what cannot be taken for an answer.

use super::*;

const RECORDER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

pub(crate) fn theirs(media: &str) -> Session {
    let text =
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}");
    Session::parse(text.as_bytes()).unwrap()
}

fn ours() -> LocalStreams {
    LocalStreams::new(
        7,
        ["192.0.2.1:10000", "192.0.2.1:10002"].map(|text| text.parse().unwrap()),
    )
}

const BOTH: &str = "m=audio 4000 RTP/AVP 8\r\na=recvonly\r\na=label:1\r\nm=audio 4002 RTP/AVP 0\r\na=recvonly\r\na=label:2\r\n";

#[test]
fn an_offer_has_both_streams_with_their_labels() {
    let offer = ours().offer(Mode::Sending).to_string();
    assert!(
        offer.contains("m=audio 10000 RTP/AVP 0 8\r\n")
            && offer.contains("m=audio 10002 RTP/AVP 0 8\r\n")
    );
    assert!(offer.contains("a=label:1\r\n") && offer.contains("a=label:2\r\n"));
    assert_eq!(offer.matches("a=sendonly\r\n").count(), 2);
    assert!(!offer.contains("telephone-event"));
    let mut local = ours();
    local.offer(Mode::Sending);
    let paused = local.offer(Mode::Paused).to_string();
    assert_eq!(paused.matches("a=inactive\r\n").count(), 2);
    assert!(
        paused.starts_with("v=0\r\no=- 7 2 IN IP4 192.0.2.1\r\n"),
        "{paused}"
    );
}

#[test]
fn an_answer_says_for_each_stream_where_and_how() {
    let [consumer, agent] =
        LocalStreams::read_answer(&theirs(BOTH), RECORDER, Mode::Sending).unwrap();
    assert_eq!(
        (consumer.rtp.port(), consumer.codec, consumer.payload_type),
        (4_000, Codec::Pcma, 8)
    );
    assert_eq!(
        (agent.rtp.port(), agent.rtcp.port(), agent.codec),
        (4_002, 4_003, Codec::Pcmu)
    );
    assert!(consumer.is_taken && agent.is_taken);
    let more = BOTH.replace("RTP/AVP 8", "RTP/AVP 9 8");
    let [consumer, _] = LocalStreams::read(&theirs(&more), RECORDER).unwrap();
    assert_eq!((consumer.codec, consumer.payload_type), (Codec::Pcma, 8));
    let bare = BOTH
        .replace("a=label:1\r\n", "")
        .replace("a=label:2\r\n", "");
    assert!(LocalStreams::read(&theirs(&bare), RECORDER).is_ok());
    let own = BOTH
        .replace("label:1", "label:rec-a")
        .replace("label:2", "label:rec-b");
    assert!(LocalStreams::read(&theirs(&own), RECORDER).is_ok());
}

#[test]
fn an_answer_without_both_streams_is_refused_by_its_label() {
    let one = "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n";
    let missing = |label, source| Err(StreamsError::PeerStream { label, source });
    for (answer, expected) in [
        (one.to_owned(), missing("2", AudioError::PeerNoAudio)),
        (
            BOTH.replace("4002", "0"),
            missing("2", AudioError::PeerNoAudio),
        ),
        (
            BOTH.replace("4000 RTP/AVP", "4000 RTP/SAVP"),
            missing("1", AudioError::PeerNoAudio),
        ),
        (
            BOTH.replace("RTP/AVP 8", "RTP/AVP 18"),
            missing("1", AudioError::PeerNoCodec),
        ),
        (
            BOTH.replace("RTP/AVP 8", "RTP/AVP 9"),
            missing("1", AudioError::PeerNoCodec),
        ),
        (
            BOTH.replace("a=label:1\r\n", "a=label:2\r\n"),
            Err(StreamsError::PeerLabel { label: "1" }),
        ),
        (
            BOTH.replace(
                "a=recvonly\r\na=label:2",
                "c=IN IP4 127.0.0.1\r\na=recvonly",
            ),
            missing("2", AudioError::PeerAddress),
        ),
    ] {
        let read = LocalStreams::read_answer(&theirs(&answer), RECORDER, Mode::Sending);
        assert_eq!(read.map(|_| ()), expected, "{answer}");
    }
}

#[test]
fn only_inactive_for_both_is_a_pause() {
    let paused = BOTH.replace("recvonly", "inactive");
    assert!(LocalStreams::read_answer(&theirs(&paused), RECORDER, Mode::Paused).is_ok());
    for (answer, label) in [
        (BOTH.to_owned(), "1"),
        (BOTH.replacen("recvonly", "inactive", 1), "2"),
    ] {
        let read = LocalStreams::read_answer(&theirs(&answer), RECORDER, Mode::Paused);
        assert_eq!(read, Err(StreamsError::PeerNotPaused { label }));
    }
    assert!(
        LocalStreams::read_answer(&theirs(&paused), RECORDER, Mode::Sending).is_ok(),
        "it may take nothing for a while"
    );
}

#[test]
fn an_offer_of_the_recorder_is_answered_as_it_is_wanted() {
    let offer = theirs(&format!("{BOTH}m=video 4004 RTP/AVP 31\r\n"));
    let answer = ours().answer(&offer, Mode::Sending).unwrap().to_string();
    assert_eq!(answer.matches("a=sendonly\r\n").count(), 2, "{answer}");
    assert!(answer.contains("m=video 0 RTP/AVP 31\r\n") && answer.contains("a=label:2\r\n"));
    let answer = ours().answer(&offer, Mode::Paused).unwrap().to_string();
    assert_eq!(answer.matches("a=inactive\r\n").count(), 2, "{answer}");
    let stop = theirs(&BOTH.replace("recvonly", "inactive"));
    let answer = ours().answer(&stop, Mode::Sending).unwrap().to_string();
    assert_eq!(answer.matches("a=inactive\r\n").count(), 2, "{answer}");
    assert!(
        ours()
            .answer(&theirs("m=audio 4000 RTP/AVP 0\r\n"), Mode::Sending)
            .is_err()
    );
}
