use std::sync::Arc;

use media::relay::DropReason;
use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use secret::MediaKey;
use sip::sdp::{Crypto, Suite};

use super::derive::{Derivation, Label};
use super::transform::Transform;
use super::*;

const ALL: [Suite; 6] = [
    Suite::AeadAes256Gcm,
    Suite::AeadAes128Gcm,
    Suite::Aes256CmSha1_80,
    Suite::Aes128CmSha1_80,
    Suite::Aes256CmSha1_32,
    Suite::Aes128CmSha1_32,
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn crypto(suite: Suite, master: &[u8]) -> Crypto {
    let key = MediaKey::fill_with(suite.master_len(), |room| {
        room.copy_from_slice(master);
        Ok::<(), ()>(())
    });
    Crypto {
        tag: 1,
        suite,
        key: Arc::new(key.unwrap()),
        mki: None,
    }
}

/// A key that this number stands for.
fn numbered(suite: Suite, number: u8) -> (Crypto, Vec<u8>) {
    let master: Vec<u8> = (0..suite.master_len())
        .map(|at| number.wrapping_mul(31) ^ u8::try_from(at).unwrap())
        .collect();
    (crypto(suite, &master), master)
}

fn rtp(sequence: u16, ssrc: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(payload);
    packet
}

/// An empty receiver report and a name.
fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0x81, 202, 0, 3]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([1, 2, b'a', b'b', 0, 0, 0, 0]);
    packet
}

fn opened(opener: &mut Opener, packet: &[u8]) -> Result<Vec<u8>, DropReason> {
    opened_as(opener, packet, false)
}

fn opened_as(opener: &mut Opener, packet: &[u8], rtcp: bool) -> Result<Vec<u8>, DropReason> {
    let mut packet = packet.to_vec();
    let len = opener.open(&mut packet, rtcp)?;
    packet.truncate(len);
    Ok(packet)
}

/// Master key and salt of RFC 3711 appendix B.3.
const MASTER: &str = "E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6";

#[test]
fn session_keys_are_those_of_rfc_3711_b_3() {
    let crypto = crypto(Suite::Aes128CmSha1_80, &bytes(MASTER));
    let derivation = Derivation::new(&crypto).unwrap();
    let derived = |label, len| {
        let mut key = vec![0xFF; len];
        derivation.derive(label, &mut key).unwrap();
        key
    };
    assert_eq!(
        derived(Label::RtpCipher, 16),
        bytes("C61E7A93744F39EE10734AFE3FF7A087")
    );
    assert_eq!(
        derived(Label::RtpSalt, 14),
        bytes("30CBBC08863D8C85D49DB34A9AE1")
    );
    assert_eq!(
        derived(Label::RtpTag, 94),
        bytes(
            "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
             E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
             6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"
        )
    );
}

#[test]
fn packets_under_that_key_are_those_of_libsrtp() {
    let crypto = crypto(Suite::Aes128CmSha1_80, &bytes(MASTER));
    let mut sealer = Sealer::new(&crypto).unwrap();
    let packet = bytes("800f1234decafbadcafebabe abababababababababababababababab");
    let sealed =
        bytes("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    assert_eq!(sealer.seal_rtp(&packet), Some(sealed.as_slice()));
    let mut opener = Opener::new(&crypto).unwrap();
    assert_eq!(opened(&mut opener, &sealed), Ok(packet));
}

#[test]
fn aead_is_that_of_rfc_7714_16_1_and_17_1() {
    let packet = bytes(
        "8040f17b 8041f8d3 5501a0b2 47616c6c69612065 7374206f6d6e6973 2064697669736120
         696e207061727465 7320747265 73",
    );
    let sealed = bytes(
        "8040f17b 8041f8d3 5501a0b2 f24de3a3fb34de6c acba861c9d7e4bca be633bd50d294e6f
         42a5f47a51c7d19b 36de3adf8833 899d7f27beb16a91 52cf765ee4390cce",
    );
    let key: Vec<u8> = (0..16).collect();
    let transform = Transform::of_aead(&key, *b"Quid pro quo");
    let mut buffer = packet.clone();
    buffer.resize(packet.len() + GROWTH_MAX, 0);
    let place = (0x5501_a0b2, 0xf17b);
    let len = transform.seal_rtp(&mut buffer, (12, packet.len()), place);
    assert_eq!(len, Some(sealed.len()));
    assert_eq!(buffer[..sealed.len()], sealed);
    let mut again = sealed.clone();
    assert_eq!(transform.open_rtp(&mut again, 12, place), Ok(packet.len()));
    assert_eq!(again[..packet.len()], packet);
    let report = bytes(
        "81c8000d 4d617273 4e5450314e545032 525450200000042a 0000e9304c756e61 deadbeefdeadbeef
         deadbeefdeadbeef deadbeefdeadbeef",
    );
    let sealed = bytes(
        "81c8000d4d617273 63e94885dcdab67c a727d7662f6b7e99 7ff5c0f76c06f32d c676a5f1730d6fda",
    );
    let mut buffer = report.clone();
    buffer.resize(report.len() + GROWTH_MAX, 0);
    let len = transform.seal_rtcp(&mut buffer, report.len(), (0x4d61_7273, 0x5d4));
    assert_eq!(len, Some(report.len() + GROWTH_MAX));
    assert_eq!(buffer[..sealed.len()], sealed);
    assert_eq!(buffer[report.len() + AEAD_TAG..][..4], bytes("800005d4"));
}

fn foreign(suite: Suite, master: &[u8]) -> rtc_srtp::context::Context {
    use rtc_srtp::protection_profile::ProtectionProfile as Profile;
    let profile = match suite {
        Suite::AeadAes256Gcm => Profile::AeadAes256Gcm,
        Suite::AeadAes128Gcm => Profile::AeadAes128Gcm,
        Suite::Aes256CmSha1_80 => Profile::Aes256CmHmacSha1_80,
        Suite::Aes256CmSha1_32 => Profile::Aes256CmHmacSha1_32,
        Suite::Aes128CmSha1_80 => Profile::Aes128CmHmacSha1_80,
        Suite::Aes128CmSha1_32 => Profile::Aes128CmHmacSha1_32,
    };
    let (key, salt) = master.split_at(suite.key_len());
    let provider = rtc_srtp::crypto::default_provider().unwrap();
    let context =
        rtc_srtp::context::Context::new(key, salt, profile, None, None, provider.crypto());
    context.unwrap()
}

#[test]
fn another_implementation_reads_what_we_write_and_we_what_it_writes() {
    let mut random = StdRng::seed_from_u64(7);
    for suite in ALL {
        let (crypto, master) = numbered(suite, 3);
        let (mut theirs, mut hers) = (foreign(suite, &master), foreign(suite, &master));
        let (mut sealer, mut opener) =
            (Sealer::new(&crypto).unwrap(), Opener::new(&crypto).unwrap());
        // Over a turn of the sequence numbers.
        for step in 0..600_u16 {
            let sequence = 65_236_u16.wrapping_add(step);
            let mut payload = vec![0; random.random_range(0..400)];
            random.fill(payload.as_mut_slice());
            let packet = rtp(sequence, 0xCAFE, &payload);
            let sealed = sealer.seal_rtp(&packet).unwrap();
            assert_eq!(theirs.decrypt_rtp(sealed).unwrap(), packet, "{suite:?}");
            let sealed = hers.encrypt_rtp(&packet).unwrap();
            assert_eq!(opened(&mut opener, &sealed), Ok(packet), "{suite:?}");
            if step % 50 == 0 {
                let report = rtcp(0xCAFE);
                let sealed = sealer.seal_rtcp(&report).unwrap();
                assert_eq!(theirs.decrypt_rtcp(sealed).unwrap(), report, "{suite:?}");
                let sealed = hers.encrypt_rtcp(&report).unwrap();
                assert_eq!(
                    opened_as(&mut opener, &sealed, true),
                    Ok(report),
                    "{suite:?}"
                );
            }
        }
    }
}

#[test]
fn every_suite_opens_what_it_sealed_with_lists_extensions_and_a_name_of_the_key() {
    for suite in ALL {
        let (crypto, _) = numbered(suite, 5);
        let mut packet = rtp(9, 1, &[]);
        packet[0] = 0x92;
        packet.extend([7; 8]);
        packet.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        packet.extend([0x55; 160]);
        let mut sealer = Sealer::new(&crypto).unwrap();
        let sealed = sealer.seal_rtp(&packet).unwrap().to_vec();
        assert_eq!(
            sealed[..28],
            packet[..28],
            "{suite:?}: the head stays in clear"
        );
        assert!(sealed[28..188] != packet[28..], "{suite:?}");
        let mut opener = Opener::new(&crypto).unwrap();
        assert_eq!(opened(&mut opener, &sealed), Ok(packet), "{suite:?}");
    }
}

/// A far side that names its key: the name stands before a tag of HMAC, and behind all of AEAD.
#[test]
fn a_name_of_the_key_is_looked_for_where_it_stands() {
    for suite in [Suite::Aes128CmSha1_80, Suite::AeadAes128Gcm] {
        let text = numbered(suite, 1).0.to_text().expose().to_owned();
        let crypto = Crypto::parse(&format!("{text}|2^31|258:2")).unwrap();
        let nameless = Crypto::parse(&text).unwrap();
        let packet = rtp(1, 2, &[1; 20]);
        let mut sealer = Sealer::new(&nameless).unwrap();
        let mut sealed = sealer.seal_rtp(&packet).unwrap().to_vec();
        let at = match suite {
            Suite::AeadAes128Gcm => sealed.len(),
            _ => sealed.len() - 10,
        };
        let mut opener = Opener::new(&crypto).unwrap();
        let unnamed = opened(&mut opener, &sealed);
        assert_eq!(unnamed, Err(DropReason::BadTag), "{suite:?}");
        sealed.splice(at..at, [1, 3]);
        assert_eq!(
            opened(&mut opener, &sealed),
            Err(DropReason::BadTag),
            "{suite:?}"
        );
        sealed[at + 1] = 2;
        assert_eq!(opened(&mut opener, &sealed), Ok(packet), "{suite:?}");
    }
}

#[test]
fn what_is_not_of_the_key_is_refused_and_harms_nothing() {
    for suite in ALL {
        let (crypto, _) = numbered(suite, 1);
        let (mut sealer, mut opener) =
            (Sealer::new(&crypto).unwrap(), Opener::new(&crypto).unwrap());
        let mut good = |sequence| {
            let packet = rtp(sequence, 1, &[0xAB; 160]);
            sealer.seal_rtp(&packet).unwrap().to_vec()
        };
        let first = good(10);
        assert!(opened(&mut opener, &first).is_ok());
        assert_eq!(opened(&mut opener, &first), Err(DropReason::Replayed));
        let second = good(11);
        for at in 0..second.len() {
            let mut forged = second.clone();
            forged[at] ^= 0x10;
            let refused = opened(&mut opener, &forged);
            assert!(
                matches!(refused, Err(DropReason::BadTag | DropReason::Malformed)),
                "{at}"
            );
        }
        for len in 0..second.len() {
            assert!(
                opened(&mut opener, &second[..len]).is_err(),
                "{suite:?} {len}"
            );
        }
        assert_eq!(
            opened(&mut opener, &rtp(11, 1, &[0xAB; 160])),
            Err(DropReason::BadTag)
        );
        // Far ahead: of the turn before, by the rule; so the tag is wrong.
        let mut far = Sealer::new(&crypto).unwrap();
        let jump = far.seal_rtp(&rtp(50_000, 1, &[1; 160])).unwrap();
        assert_eq!(opened(&mut opener, jump), Err(DropReason::BadTag));
        assert!(opened(&mut opener, &second).is_ok(), "{suite:?}");
    }
}

#[test]
fn reports_are_refused_that_are_forged_repeated_or_say_that_they_are_in_clear() {
    for suite in ALL {
        let (crypto, _) = numbered(suite, 1);
        let (mut sealer, mut opener) =
            (Sealer::new(&crypto).unwrap(), Opener::new(&crypto).unwrap());
        let sealed = sealer.seal_rtcp(&rtcp(1)).unwrap().to_vec();
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x80;
            let refused = opened_as(&mut opener, &forged, true);
            assert_eq!(refused, Err(DropReason::BadTag), "{suite:?} {at}");
        }
        assert_eq!(
            opened_as(&mut opener, &rtcp(1), true),
            Err(DropReason::BadTag)
        );
        assert!(opened_as(&mut opener, &sealed, true).is_ok(), "{suite:?}");
        let again = opened_as(&mut opener, &sealed, true);
        assert_eq!(again, Err(DropReason::Replayed), "{suite:?}");
    }
}

#[test]
fn a_new_stream_under_the_same_key_begins_anew_and_the_longest_silent_is_forgotten() {
    let (crypto, _) = numbered(Suite::Aes128CmSha1_80, 1);
    let mut opener = Opener::new(&crypto).unwrap();
    let mut sent = Vec::new();
    for ssrc in 0..40 {
        let mut sealer = Sealer::new(&crypto).unwrap();
        let sealed = sealer
            .seal_rtp(&rtp(100, ssrc, &[0; 160]))
            .unwrap()
            .to_vec();
        assert!(opened(&mut opener, &sealed).is_ok());
        sent.push(sealed);
    }
    for sealed in &sent[32..] {
        assert_eq!(opened(&mut opener, sealed), Err(DropReason::Replayed));
    }
}

#[test]
fn the_old_key_is_good_until_the_first_packet_of_the_new() {
    for suite in ALL {
        for keeps_counting in [false, true] {
            let (old, _) = numbered(suite, 1);
            let (new, _) = numbered(suite, 2);
            let (mut before, mut opener) = (Sealer::new(&old).unwrap(), Opener::new(&old).unwrap());
            let mut after = Sealer::new(&new).unwrap();
            let (turns, sequence) = (3 << 16, 500);
            // The far side has been heard through three turns of the counter.
            for index in (0..=turns + sequence).step_by(20_000) {
                let low = u16::try_from(index & 0xFFFF).unwrap();
                let sealed = before.seal_rtp(&rtp(low, 7, &[0; 20])).unwrap();
                assert!(opened(&mut opener, sealed).is_ok());
            }
            if keeps_counting {
                after.pretend((7, turns), 0);
            }
            opener.change(Opener::new(&new).unwrap());
            let garbage = rtp(1, 7, &[9; 100]);
            assert_eq!(opened(&mut opener, &garbage), Err(DropReason::BadTag));
            assert_eq!(
                opened(&mut opener, &garbage[..5]),
                Err(DropReason::Malformed)
            );
            let late = before.seal_rtp(&rtp(501, 7, &[1; 20])).unwrap();
            assert!(opened(&mut opener, late).is_ok(), "{suite:?}");
            let first = after.seal_rtp(&rtp(502, 7, &[2; 20])).unwrap();
            assert!(
                opened(&mut opener, first).is_ok(),
                "{suite:?} {keeps_counting}"
            );
            let too_late = before.seal_rtp(&rtp(503, 7, &[1; 20])).unwrap();
            assert_eq!(opened(&mut opener, too_late), Err(DropReason::BadTag));
        }
    }
}

#[test]
fn a_key_that_is_used_up_seals_nothing() {
    let (crypto, _) = numbered(Suite::Aes128CmSha1_80, 1);
    let mut sealer = Sealer::new(&crypto).unwrap();
    sealer.pretend((1, (1 << 48) - 2), (1 << 31) - 1);
    assert!(sealer.seal_rtp(&rtp(u16::MAX, 1, &[0; 160])).is_some());
    assert_eq!(sealer.seal_rtp(&rtp(0, 1, &[0; 160])), None);
    assert!(sealer.seal_rtcp(&rtcp(1)).is_some());
    assert_eq!(sealer.seal_rtcp(&rtcp(1)), None);
    assert_eq!(sealer.seal_rtp(&[0x80; 1_501]), None);
}

/// A forger who has every packet but no key.
fn forged(random: &mut StdRng, sent: &[Vec<u8>]) -> Vec<u8> {
    let pick = |random: &mut StdRng| sent[random.random_range(0..sent.len())].clone();
    let (mut packet, other) = (pick(random), pick(random));
    let at = random.random_range(0..packet.len());
    match random.random_range(0..7) {
        0 => packet[at] ^= 1 << random.random_range(0..8),
        1 => packet.truncate(at),
        2 => packet.extend(&other[other.len().min(at)..]),
        // Another's head, or another's tag.
        3 => packet[..12].copy_from_slice(&other[..12]),
        4 => {
            let tail = packet.len() - 10;
            packet.truncate(tail);
            packet.extend(&other[other.len() - 10..]);
        }
        // A jump of the index, or lists and extensions that are not there.
        5 => packet[2..4].copy_from_slice(&random.random::<[u8; 2]>()),
        _ => packet[0] = random.random(),
    }
    packet
}

#[test]
fn no_forger_gets_a_packet_in_and_the_true_ones_are_taken_beside_ten_thousand_of_theirs() {
    let mut random = StdRng::seed_from_u64(11);
    for suite in ALL {
        let (crypto, _) = numbered(suite, 9);
        let (mut sealer, mut opener) =
            (Sealer::new(&crypto).unwrap(), Opener::new(&crypto).unwrap());
        let mut seal = |sequence: u16| {
            let packet = rtp(sequence, 1, &[0x5A; 160]);
            sealer.seal_rtp(&packet).unwrap().to_vec()
        };
        // Over a turn of the sequence numbers.
        let sent: Vec<_> = (65_500..65_600_u32)
            .map(|step| seal(u16::try_from(step & 0xFFFF).unwrap()))
            .collect();
        for (place, packet) in sent.iter().enumerate() {
            for _ in 0..100 {
                let forged = forged(&mut random, &sent);
                if sent.contains(&forged) {
                    continue;
                }
                for rtcp in [false, true] {
                    let taken = opened_as(&mut opener, &forged, rtcp);
                    assert!(taken.is_err(), "{suite:?} {place}");
                }
            }
            assert!(opened(&mut opener, packet).is_ok(), "{suite:?} {place}");
            let again = opened(&mut opener, packet);
            assert_eq!(again, Err(DropReason::Replayed), "{suite:?} {place}");
        }
    }
}
