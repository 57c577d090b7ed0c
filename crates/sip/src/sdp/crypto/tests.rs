use std::net::IpAddr;

use super::*;
use crate::sdp::{Answerer, AudioError, LocalAudio, Negotiated, RemoteAudio, Session};

const PHONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 9));

/// Of RFC 4568's own example; 30 bytes.
const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

fn description(media: &str) -> Session {
    let text =
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}");
    Session::parse(text.as_bytes()).expect("valid")
}

fn key(suite: Suite, byte: u8) -> (Suite, Arc<MediaKey>) {
    let filled = MediaKey::fill_with::<()>(suite.master_len(), |bytes| {
        bytes.fill(byte);
        Ok(())
    });
    (suite, Arc::new(filled.expect("it fills")))
}

fn ours(required: bool) -> LocalAudio {
    let keys = (1..)
        .zip(Suite::STRONG)
        .map(|(byte, suite)| key(suite, byte));
    LocalAudio {
        srtp: Some(LocalSrtp {
            required,
            keys: keys.collect(),
        }),
        ..LocalAudio::new("192.0.2.1:10000".parse().expect("address"), 7)
    }
}

fn in_clear() -> LocalAudio {
    LocalAudio {
        srtp: None,
        ..ours(false)
    }
}

/// What both sides agree on after an offer of theirs.
fn answered(ours: &LocalAudio, offer: &Session) -> Result<(Session, Negotiated), AudioError> {
    let theirs = RemoteAudio::read_secured(offer, PHONE, ours.srtp.as_ref())?;
    let answer = ours.answer(offer)?;
    let agreed = Negotiated::new(&answer, &theirs, Answerer::Us)?;
    Ok((answer, agreed))
}

#[test]
fn the_example_of_rfc_4568_is_read_and_written() {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:32");
    assert_eq!(
        Crypto::parse(&line),
        Err(CryptoError::PeerKey),
        "no name of 32 bytes"
    );
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4");
    let crypto = Crypto::parse(&line).expect("a line");
    assert_eq!((crypto.tag, crypto.suite), (1, Suite::Aes128CmSha1_80));
    assert_eq!(crypto.key.expose(), b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
    let (name, len) = crypto.mki.expect("a name").to_bytes();
    assert_eq!(name[..len], [0, 0, 0, 1]);
    let written = crypto.to_text();
    assert_eq!(
        written.expose(),
        format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}")
    );
}

#[test]
fn every_suite_comes_back_with_its_key() {
    for suite in Suite::STRONG.into_iter().chain(Suite::SHORT) {
        let (suite, key) = key(suite, 9);
        let crypto = Crypto {
            tag: 999_999_999,
            suite,
            key,
            mki: None,
        };
        assert_eq!(Crypto::parse(crypto.to_text().expose()), Ok(crypto));
    }
}

#[test]
fn lines_that_are_of_no_use_say_why() {
    let of = |tag: &str, suite: &str, rest: &str| format!("{tag} {suite} {rest}");
    let good = "AES_CM_128_HMAC_SHA1_80";
    let inline = format!("inline:{KEY}");
    for (line, why) in [
        (of("x", good, &inline), CryptoError::PeerMalformed),
        (of("1234567890", good, &inline), CryptoError::PeerMalformed),
        (
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            CryptoError::PeerMalformed,
        ),
        (
            of("1", "NULL_HMAC_SHA1_80", &inline),
            CryptoError::PeerSuite,
        ),
        (
            of("1", "F8_128_HMAC_SHA1_80", &inline),
            CryptoError::PeerSuite,
        ),
        (of("1", "AEAD_AES_128_GCM", &inline), CryptoError::PeerKey),
        (of("1", good, "inline:"), CryptoError::PeerKey),
        (of("1", good, &format!("uri:{KEY}")), CryptoError::PeerKey),
        (
            of("1", good, &format!("{inline}|2^49")),
            CryptoError::PeerKey,
        ),
        (of("1", good, &format!("{inline}|0")), CryptoError::PeerKey),
        (
            of("1", good, &format!("{inline}|256:1")),
            CryptoError::PeerKey,
        ),
        (
            of("1", good, &format!("{inline}|1:0")),
            CryptoError::PeerKey,
        ),
        (
            of("1", good, &format!("{inline}|1:1;{inline}|2:1")),
            CryptoError::PeerKey,
        ),
        (
            of("1", good, &format!("{inline} UNENCRYPTED_SRTP")),
            CryptoError::PeerParameter,
        ),
        (
            of("1", good, &format!("{inline} UNENCRYPTED_SRTCP")),
            CryptoError::PeerParameter,
        ),
        (
            of("1", good, &format!("{inline} UNAUTHENTICATED_SRTP")),
            CryptoError::PeerParameter,
        ),
        (
            of("1", good, &format!("{inline} KDR=1")),
            CryptoError::PeerParameter,
        ),
        (
            of("1", good, &format!("{inline} FEC_ORDER=FEC_SRTP")),
            CryptoError::PeerParameter,
        ),
        (
            of("1", good, &format!("{inline} NOVELTY")),
            CryptoError::PeerParameter,
        ),
    ] {
        assert_eq!(Crypto::parse(&line), Err(why), "{line}");
    }
    let fine = of("1", good, &format!("{inline} KDR=0 WSH=128 -NOVELTY"));
    assert!(Crypto::parse(&fine).is_ok());
}

#[test]
fn keys_are_never_printed_and_never_an_attribute() {
    let media = format!(
        "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\na=sendrecv\r\n"
    );
    let session = description(&media);
    let (_, agreed) = answered(&ours(true), &session).expect("agreed");
    for text in [
        format!("{session:?}"),
        format!("{agreed:?}"),
        format!("{:?}", ours(true).offer()),
        format!("{:?}", session.to_body()),
    ] {
        assert!(!text.contains(KEY) && !text.contains("inline"), "{text}");
    }
    let names = session.media[0]
        .attributes
        .iter()
        .map(|one| one.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["sendrecv"]);
    let again = Session::parse(session.to_body().as_bytes());
    assert_eq!(again, Ok(session));
}

#[test]
fn keys_of_the_whole_session_are_nobodys() {
    let session = description(&format!(
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\nm=audio 4000 RTP/SAVP 0\r\n"
    ));
    assert_eq!(ours(false).answer(&session), Err(AudioError::PeerCrypto));
}

#[test]
fn the_first_line_that_we_can_take_is_answered_by_its_tag() {
    let offer = description(&format!(
        "m=audio 4000 RTP/SAVP 0\r\na=crypto:3 NULL_HMAC_SHA1_80 inline:{KEY}\r\n\
         a=crypto:5 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\na=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"
    ));
    let (answer, agreed) = answered(&ours(true), &offer).expect("agreed");
    assert_eq!(answer.media[0].protocol, "RTP/SAVP");
    let lines: Vec<Crypto> = answer.media[0].cryptos().collect();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].tag, lines[0].suite), (8, Suite::Aes128CmSha1_80));
    let keys = agreed.srtp.expect("secured");
    assert_eq!(keys.ours, lines[0]);
    assert!(keys.ours.key != keys.theirs.key);
    // A tag of 32 bits is taken where it is allowed, and then as the far side's order has it.
    let mut short = ours(true);
    let suites = [Suite::Aes128CmSha1_80, Suite::Aes128CmSha1_32];
    short.srtp.as_mut().expect("keys").keys = suites.map(|suite| key(suite, 1)).into();
    let (_, agreed) = answered(&short, &offer).expect("agreed");
    assert_eq!(agreed.srtp.map(|keys| keys.theirs.tag), Some(5));
}

#[test]
fn what_each_side_wants_of_security_decides() {
    let line = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n");
    let plain = "m=audio 4000 RTP/AVP 0\r\n".to_owned();
    let either = format!("m=audio 4000 RTP/AVP 0\r\n{line}");
    let secured = format!("m=audio 4000 RTP/SAVP 0\r\n{line}");
    let empty = "m=audio 4000 RTP/SAVP 0\r\n".to_owned();
    let both = format!("{plain}m=audio 4002 RTP/SAVPF 0\r\n{line}");
    let outcome = |ours: &LocalAudio, media: &str| {
        let agreed = answered(ours, &description(media));
        agreed.map(|(answer, agreed)| {
            let port = agreed.remote_rtp.port();
            let at = answer.media.iter().find(|media| media.port != 0);
            let profile = at.map(|media| media.protocol.to_string()).expect("a line");
            (port, profile, agreed.srtp.is_some())
        })
    };
    let clear = |port| Ok((port, "RTP/AVP".to_owned(), false));
    let with_keys = |port, profile: &str| Ok((port, profile.to_owned(), true));
    let (refuse, prefer, require) = (in_clear(), ours(false), ours(true));
    for (media, refused, preferred, required) in [
        (
            &plain,
            clear(4000),
            clear(4000),
            Err(AudioError::PeerNotSecured),
        ),
        (
            &either,
            clear(4000),
            with_keys(4000, "RTP/AVP"),
            with_keys(4000, "RTP/AVP"),
        ),
        (
            &secured,
            Err(AudioError::PeerNoAudio),
            with_keys(4000, "RTP/SAVP"),
            with_keys(4000, "RTP/SAVP"),
        ),
        (
            &empty,
            Err(AudioError::PeerNoAudio),
            Err(AudioError::PeerCrypto),
            Err(AudioError::PeerCrypto),
        ),
        (
            &both,
            clear(4000),
            with_keys(4002, "RTP/SAVPF"),
            with_keys(4002, "RTP/SAVPF"),
        ),
    ] {
        assert_eq!(outcome(&refuse, media), refused, "{media}");
        assert_eq!(outcome(&prefer, media), preferred, "{media}");
        assert_eq!(outcome(&require, media), required, "{media}");
    }
}

#[test]
fn an_answer_takes_one_of_our_lines_or_none() {
    let answer = |ours: &LocalAudio, media: &str| {
        let offer = ours.offer();
        let theirs = RemoteAudio::read_secured(&description(media), PHONE, ours.srtp.as_ref())?;
        Negotiated::new(&offer, &theirs, Answerer::Them).map(|agreed| agreed.srtp)
    };
    let taken =
        format!("m=audio 4000 RTP/SAVP 0\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n");
    let keys = answer(&ours(true), &taken)
        .expect("agreed")
        .expect("secured");
    assert_eq!((keys.ours.tag, keys.theirs.tag), (4, 4));
    assert_eq!(keys.ours.key.expose(), [4; 30]);
    for wrong in [
        taken.replace("crypto:4", "crypto:1"),
        taken.replace("crypto:4", "crypto:9"),
    ] {
        assert_eq!(answer(&ours(true), &wrong), Err(AudioError::PeerCrypto));
    }
    let stripped = "m=audio 4000 RTP/SAVP 0\r\n";
    assert_eq!(answer(&ours(true), stripped), Err(AudioError::PeerCrypto));
    let plain = "m=audio 4000 RTP/AVP 0\r\n";
    assert_eq!(answer(&ours(true), plain), Err(AudioError::PeerNotSecured));
    assert_eq!(answer(&ours(false), plain), Ok(None));
}

#[test]
fn offers_say_what_we_want_and_keep_it() {
    let profile = |session: &Session| session.media[0].protocol.clone();
    assert_eq!(profile(&ours(true).offer()), "RTP/SAVP");
    assert_eq!(profile(&ours(false).offer()), "RTP/AVP");
    assert_eq!(in_clear().offer().media[0].crypto, []);
    let suites: Vec<Suite> = ours(false).offer().media[0]
        .cryptos()
        .map(|one| one.suite)
        .collect();
    assert_eq!(suites, Suite::STRONG);
    let first = ours(false).offer();
    assert_eq!(ours(true).offer_after(&first).media[0], first.media[0]);
    assert_eq!(ours(true).offer(), ours(true).offer());
}
