use super::*;

fn tone(from: usize, len: usize) -> Vec<i16> {
    let value = |at: usize| sample::from_f32((sample::count_f32(at) * 0.7).sin() * 8_000.0);
    (from..from + len).map(value).collect()
}

/// Encodes a tone in packets of these lengths, one after the other, and says what is heard of it.
fn through(lengths: &[usize], packets: usize) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let (mut from, mut heard) = (0, Vec::new());
    for len in lengths.iter().cycle().take(packets) {
        let mut octets = [0; AUDIO_SAMPLES_MAX];
        let size = encoder.encode(&tone(from, *len), &mut octets);
        assert!(size <= len.max(&20) + 4, "{len}: {size}");
        assert_eq!(samples_of(&octets[..size]), Some(*len), "{len}");
        let mut linear = [0; AUDIO_SAMPLES_MAX];
        assert_eq!(decoder.decode(&octets[..size], &mut linear), *len);
        heard.extend(&linear[..*len]);
        from += len;
    }
    heard
}

/// How far the tone lies above what differs from it, in dB, so many samples behind.
fn likeness_db(heard: &[i16], behind: usize) -> f64 {
    let said = tone(0, heard.len());
    let pairs = said[1_600..].iter().zip(&heard[1_600 + behind..]);
    let (mut whole, mut off) = (0.0, 1.0);
    for (said, heard) in pairs {
        whole += f64::from(*said).powi(2);
        off += (f64::from(*said) - f64::from(*heard)).powi(2);
    }
    10.0 * (whole / off).log10()
}

#[test]
fn packets_of_each_length_are_heard() {
    for len in [20, 40, 80, 160, 240, 320, 400, 480, 640, 720, 960] {
        let heard = through(&[len], 8_000 / len + 1);
        // CELT alone looks 2.5 ms ahead, and no more.
        let behind = if len < SPEECH_SAMPLES {
            20
        } else {
            LOOK_AHEAD_SAMPLES
        };
        let likeness = likeness_db(&heard, behind);
        assert!(likeness > 8.0, "{len}: {likeness}");
    }
}

/// An encoder of the crate panics where frames of 10 ms follow on longer ones.
#[test]
fn packets_of_all_lengths_follow_on_each_other() {
    let lengths = [160, 80, 480, 80, 20, 320, 40, 960, 240, 160, 480];
    let heard = through(&lengths, 4 * lengths.len());
    assert!(heard.iter().any(|value| *value > 6_000));
}

#[test]
fn what_opus_has_no_packets_of_is_filled_up() {
    let mut encoder = Encoder::default();
    for (len, whole) in [
        (1, 20),
        (21, 40),
        (41, 80),
        (96, 160),
        (161, 240),
        (881, 960),
    ] {
        let mut octets = [0; AUDIO_SAMPLES_MAX];
        let size = encoder.encode(&tone(0, len), &mut octets);
        assert_eq!(samples_of(&octets[..size]), Some(whole), "{len}");
    }
}

#[test]
fn silence_in_the_place_of_a_packet_has_nothing_of_it() {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    let mut octets = [0; AUDIO_SAMPLES_MAX];
    let mut loudest = 0;
    for packet in 0..10 {
        let size = encoder.encode(&tone(packet * 160, 160), &mut octets);
        let size = if packet < 5 {
            size
        } else {
            encoder.silence(160, &mut octets)
        };
        let mut linear = [0; 160];
        decoder.decode(&octets[..size], &mut linear);
        // The far side's decoder fades what it had heard.
        if packet > 5 {
            loudest = linear
                .iter()
                .map(|value| value.abs())
                .fold(loudest, i16::max);
        }
    }
    assert!(loudest < 200, "{loudest}");
}

#[test]
fn an_encoder_hears_what_the_far_side_hears() {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    for packet in 0..20 {
        let mut octets = [0; AUDIO_SAMPLES_MAX];
        let size = encoder.encode(&tone(packet * 160, 160), &mut octets);
        let (mut far, mut own) = ([0; 160], [0; 160]);
        assert_eq!(decoder.decode(&octets[..size], &mut far), 160);
        assert_eq!(encoder.hear(&octets[..size], &mut own), 160);
        assert_eq!(far, own);
    }
}

#[test]
fn states_are_held_while_they_are_used_and_no_longer() {
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    assert!(encoder.rests() && decoder.rests());
    let mut octets = [0; AUDIO_SAMPLES_MAX];
    let first = encoder.encode(&tone(0, 160), &mut octets);
    let before = octets[..first].to_vec();
    decoder.decode(&before, &mut [0; 160]);
    encoder.encode(&tone(160, 160), &mut octets);
    assert!(!encoder.rests() && !decoder.rests());
    encoder.rest();
    decoder.rest();
    assert!(encoder.rests() && decoder.rests());
    // Begun anew, nothing of the call before is left in it.
    let again = encoder.encode(&tone(0, 160), &mut octets);
    assert_eq!(octets[..again], before);
}

#[test]
fn garbage_is_silence_or_sound_and_takes_its_place() {
    let mut decoder = Decoder::default();
    let mut random = 1_u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 16
    };
    for round in 0..3_000 {
        let len = usize::try_from(next() % 300).unwrap();
        let packet: Vec<u8> = (0..len)
            .map(|_| u8::try_from(next() & 255).unwrap())
            .collect();
        let mut linear = [0; AUDIO_SAMPLES_MAX];
        let samples = decoder.decode(&packet, &mut linear);
        assert_eq!(samples, samples_of(&packet).unwrap_or(0), "{round}");
    }
}

#[test]
fn lengths_are_those_of_the_first_octets() {
    // RFC 6716 section 3.1, table 2; section 3.2.
    for (packet, samples) in [
        (&[0_u8][..], Some(80)),
        (&[3 << 3, 1], Some(480)),
        (&[(3 << 3) | 1, 1, 1], Some(960)),
        (&[13 << 3, 1], Some(160)),
        (&[16 << 3, 1], Some(20)),
        (&[(31 << 3) | 3, 6], Some(960)),
        (&[(31 << 3) | 3, 7], None),
        (&[(31 << 3) | 3, 0], None),
        (&[(16 << 3) | 3, 48], Some(960)),
        (&[(16 << 3) | 3, 49], None),
        (&[3], None),
        (&[], None),
    ] {
        assert_eq!(samples_of(packet), samples, "{packet:?}");
    }
}
