//! Opus in offers and answers (RFC 7587), and the clock of the events beside it.

use std::net::IpAddr;

use super::*;

const PHONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

fn theirs(media: &str) -> Session {
    let text =
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}");
    Session::parse(text.as_bytes()).expect("valid")
}

fn ours(codecs: &[Codec]) -> LocalAudio {
    let mut ours = LocalAudio::new("192.0.2.1:10000".parse().expect("address"), 7);
    ours.codecs = codecs.to_vec();
    ours
}

/// What both agree on, where the far side offers this.
fn answered(ours: &LocalAudio, media: &str) -> Negotiated {
    let offer = theirs(media);
    let answer = ours.answer(&offer).expect("answer");
    let far = RemoteAudio::read(&offer, PHONE).expect("audio");
    Negotiated::new(&answer, &far, Answerer::Us).expect("agreed")
}

#[test]
fn an_offer_names_opus_as_its_rfc_wants_it_and_events_of_both_clocks() {
    let offer = ours(&[Codec::Opus, Codec::Pcmu]).offer();
    let media = &offer.media[0];
    assert_eq!(media.formats, ["111", "0", "101", "110"]);
    let maps: Vec<&str> = media.values("rtpmap").collect();
    let events = ["101 telephone-event/8000", "110 telephone-event/48000"];
    assert_eq!(maps[..2], ["111 opus/48000/2", "0 PCMU/8000"]);
    assert_eq!(maps[2..], events);
    let parameters: Vec<&str> = media.values("fmtp").collect();
    let opus = "111 minptime=10;useinbandfec=0;stereo=0;sprop-stereo=0";
    assert_eq!(parameters, [opus, "101 0-15", "110 0-15"]);
    let alone = ours(&[Codec::Opus]).offer();
    assert_eq!(alone.media[0].formats, ["111", "110"]);
    let usual = ours(&Codec::USUAL).offer();
    assert_eq!(usual.media[0].formats, ["0", "8", "101"]);
}

#[test]
fn an_answer_takes_the_events_that_count_as_the_audio_does() {
    let both = "m=audio 4000 RTP/AVP 96 0 97 98\r\na=rtpmap:96 OPUS/48000/2\r\na=rtpmap:97 telephone-event/8000\r\na=rtpmap:98 telephone-event/48000\r\n";
    let wide = ours(&[Codec::Pcmu, Codec::Opus]);
    let agreed = answered(&wide, both);
    assert_eq!((agreed.codec, agreed.payload_type_out), (Codec::Opus, 96));
    assert_eq!(agreed.telephone_event_out, Some(98));
    assert_eq!(agreed.telephone_event_clock, EventClock::Khz48);
    let agreed = answered(&ours(&Codec::USUAL), both);
    assert_eq!((agreed.codec, agreed.payload_type_out), (Codec::Pcmu, 0));
    assert_eq!(agreed.telephone_event_out, Some(97));
    assert_eq!(agreed.telephone_event_clock, EventClock::Khz8);
    let answer = wide.answer(&theirs(both)).expect("answer");
    assert_eq!(answer.media[0].formats, ["96", "0", "98"]);
}

#[test]
fn events_of_another_clock_are_better_than_none() {
    let media = "m=audio 4000 RTP/AVP 96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";
    let agreed = answered(&ours(&[Codec::Opus]), media);
    assert_eq!(
        (agreed.codec, agreed.telephone_event_in),
        (Codec::Opus, Some(101))
    );
    assert_eq!(agreed.telephone_event_clock, EventClock::Khz8);
    let without = "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n";
    let agreed = answered(&ours(&[Codec::Opus]), without);
    assert_eq!(agreed.telephone_event_in, None);
}

#[test]
fn what_is_not_opus_by_its_rfc_is_none() {
    for map in [
        "opus/48000",
        "opus/48000/1",
        "opus/8000/2",
        "opus/48000/6",
        "opus",
    ] {
        let media = format!("m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 {map}\r\n");
        let answer = ours(&[Codec::Opus]).answer(&theirs(&media));
        assert_eq!(answer.err(), Some(AudioError::PeerNoCodec), "{map}");
    }
}
