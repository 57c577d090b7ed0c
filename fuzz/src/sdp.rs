//! Session descriptions: text, offer and answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use secret::MediaKey;
use sip::sdp::{
    Answerer, Crypto, LocalAudio, LocalSrtp, Negotiated, RemoteAudio, SDP_BYTES_MAX, Session, Suite,
};

const THEIRS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
const OURS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 10_000);

/// What is read is written and reads the same; an answer takes one stream at most, of what we speak, and no redundancy (S38).
pub fn run(data: &[u8]) {
    let Ok(session) = Session::parse(data) else {
        return;
    };
    assert!(data.len() <= SDP_BYTES_MAX);
    let text = session.to_string();
    if text.len() <= SDP_BYTES_MAX {
        assert_eq!(Session::parse(text.as_bytes()).as_ref(), Ok(&session));
    }
    for required in [false, true] {
        secured(&session, required);
    }
    let ours = LocalAudio::new(OURS, 1);
    let (Ok(theirs), Ok(answer)) = (RemoteAudio::read(&session, THEIRS), ours.answer(&session))
    else {
        return;
    };
    assert_eq!(answer.media.len(), session.media.len());
    let taken: Vec<_> = answer
        .media
        .iter()
        .filter(|media| media.port != 0)
        .collect();
    assert!(taken.len() <= 1);
    for media in taken {
        assert!(media.kind.eq_ignore_ascii_case("audio"));
        let maps = media
            .attributes
            .iter()
            .filter(|attribute| attribute.name == "rtpmap");
        for value in maps.filter_map(|attribute| attribute.value.as_deref()) {
            let name = value
                .split([' ', '/'])
                .nth(1)
                .unwrap_or_default()
                .to_ascii_lowercase();
            assert!(
                ["pcmu", "pcma", "telephone-event", "cn"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
    let reread = Session::parse(answer.to_string().as_bytes());
    assert_eq!(reread.as_ref(), Ok(&answer));
    if let Ok(agreed) = Negotiated::new(&answer, &theirs, Answerer::Us) {
        assert!(agreed.payload_type_in < 128 && agreed.payload_type_out < 128);
        assert_ne!(Some(agreed.payload_type_in), agreed.telephone_event_in);
    }
}

/// An answer that is secured takes one line that was offered, and one that has to be is never in clear; keys are never printed.
fn secured(offer: &Session, required: bool) {
    let suites = Suite::STRONG.into_iter().chain(Suite::SHORT);
    let keys = suites.filter_map(|suite| {
        let key = MediaKey::fill_with(suite.master_len(), |bytes| {
            bytes.fill(0x5A);
            Ok::<(), ()>(())
        });
        Some((suite, Arc::new(key.ok()?)))
    });
    let ours = LocalAudio {
        srtp: Some(LocalSrtp {
            required,
            keys: keys.collect(),
        }),
        ..LocalAudio::new(OURS, 1)
    };
    let theirs = RemoteAudio::read_secured(offer, THEIRS, ours.srtp.as_ref());
    let (Ok(theirs), Ok(answer)) = (theirs, ours.answer(offer)) else {
        return;
    };
    let taken: Vec<Crypto> = answer.media.iter().flat_map(|one| one.cryptos()).collect();
    assert!(taken.len() <= 1);
    assert!(!taken.is_empty() || !required);
    let keys = Negotiated::new(&answer, &theirs, Answerer::Us).map(|agreed| agreed.srtp);
    match (taken.first(), theirs.crypto) {
        (Some(line), Some(offered)) => {
            assert_eq!((line.tag, line.suite), (offered.tag, offered.suite));
            assert!(!keys.is_ok_and(|keys| keys.is_none()));
        }
        (None, None) => assert!(!keys.is_ok_and(|keys| keys.is_some())),
        (line, offered) => panic!("one side has keys alone: {line:?}, {offered:?}"),
    }
    // The bytes of our keys, as a line has them.
    assert!(!format!("{answer:?}").contains("WlpaWlpaWlpa"));
}
