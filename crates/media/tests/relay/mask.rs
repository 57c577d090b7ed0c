//! What the agent hears of keys sounded in the audio: nothing.

use media::dtmf::inband::keypad::pair_of_event;
use media::dtmf::inband::{LooseDetector, LooseFind};
use media::g711::Law;
use media::leg::Leg;
use media::relay::RelayEvent;
use media::tone::{KeyTone, KeyToneShape};

use crate::scene::{Random, Scene, Script, hiss, keys};

/// Samples held back.
pub(crate) const HELD: usize = 96;

/// Equal samples in a row that count as clear.
const RUN: usize = 8;

/// A signal and where keys sound in it.
pub(crate) struct Keyed {
    pub(crate) signal: Vec<i16>,
    pub(crate) presses: Vec<std::ops::Range<usize>>,
    pub(crate) codes: Vec<u8>,
}

impl Keyed {
    pub(crate) fn new(signal: Vec<i16>) -> Self {
        Self {
            signal,
            presses: Vec::new(),
            codes: Vec::new(),
        }
    }

    pub(crate) fn sound(&mut self, code: u8, start: usize, len: usize, shape: KeyToneShape) {
        let mut tone = KeyTone::new(pair_of_event(code).unwrap(), shape);
        tone.add_to(&mut self.signal[start..start + len]);
        self.presses.push(start..start + len);
        self.codes.push(code);
    }
}

/// Counts samples of presses that stand in a run of equal samples in what the agent heard, delayed or not.
pub(crate) fn clear_samples(keyed: &Keyed, heard: &[i16], armed: usize) -> usize {
    let source: Vec<i16> = keyed
        .signal
        .iter()
        .map(|value| Law::Mu.decode_byte(Law::Mu.encode_sample(*value)))
        .collect();
    let mut clear = 0;
    for delay in [0, HELD] {
        for press in &keyed.presses {
            let mut run = 0;
            for at in press.clone() {
                let same = heard.get(armed + at + delay) == Some(&source[at]);
                run = if same { run + 1 } else { 0 };
                clear += usize::from(run >= RUN);
            }
        }
    }
    clear
}

struct Outcome {
    clear: usize,
    finds: usize,
    keys: Vec<secret::Key>,
}

/// What the agent hears of it on a clean link.
fn hear(keyed: &Keyed) -> (Vec<i16>, usize) {
    let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
    let armed = scene.arm() as usize;
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    (scene.agent_heard(), armed)
}

fn play(keyed: &Keyed, loss: f64, seed: u64) -> Outcome {
    let mut scene = Scene::with(|plan| {
        plan.consumer.telephone_event_in = None;
    });
    let armed = scene.arm() as usize;
    scene.run(
        Leg::Consumer,
        &Script::audio(&keyed.signal).lose(loss, seed),
    );
    scene.wait(300);
    let heard = scene.agent_heard();
    Outcome {
        clear: clear_samples(keyed, &heard, armed),
        finds: LooseDetector::scan(&heard).len(),
        keys: scene.codes(),
    }
}

/// Twenty presses of `len` with pauses of `pause`, each shaped by `shape`.
fn presses(
    len: usize,
    pause: usize,
    seed: u64,
    mut shape: impl FnMut(&mut Random) -> KeyToneShape,
) -> Keyed {
    let mut random = Random(seed);
    let count = 20;
    let mut keyed = Keyed::new(hiss(1_600 + count * (len + pause) + 3_200, seed + 1));
    for index in 0..count {
        let start = 1_600 + index * (len + pause) + random.below(37) as usize;
        let code = random.below(12) as u8;
        let shape = shape(&mut random);
        keyed.sound(code, start, len, shape);
    }
    let whole = keyed.signal.len() / 160 * 160;
    keyed.signal.truncate(whole);
    keyed
}

fn assert_nothing_heard(name: &str, keyed: &Keyed) {
    for (loss, seed) in [(0.0, 1), (0.01, 2), (0.03, 3), (0.03, 4)] {
        let outcome = play(keyed, loss, seed);
        assert_eq!(
            (outcome.clear, outcome.finds),
            (0, 0),
            "{name}, loss {loss}"
        );
    }
}

fn assert_masked_and_read(name: &str, keyed: &Keyed) {
    assert_nothing_heard(name, keyed);
    assert_eq!(play(keyed, 0.0, 1).keys, keys(&keyed.codes), "{name}");
}

#[test]
fn the_check_sees_keys_where_there_is_no_mask() {
    let keyed = presses(800, 800, 5, |_| KeyToneShape::default());
    assert!(LooseDetector::scan(&keyed.signal).len() >= 20);
    let mut heard = vec![0; 3_360];
    heard.extend(&keyed.signal);
    let quantised: Vec<i16> = heard
        .iter()
        .map(|value| Law::Mu.decode_byte(Law::Mu.encode_sample(*value)))
        .collect();
    assert!(clear_samples(&keyed, &quantised, 3_360) > 10_000);
}

#[test]
fn keys_of_every_length_are_masked_and_read() {
    for len in [320, 400, 800, 4_000] {
        assert_masked_and_read(
            &format!("{len} samples"),
            &presses(len, 640, 11, |_| KeyToneShape::default()),
        );
    }
}

#[test]
fn keys_too_short_to_be_read_are_masked() {
    for len in [160, 200, 240] {
        assert_nothing_heard(
            &format!("{len} samples"),
            &presses(len, 640, 12, |_| KeyToneShape::default()),
        );
    }
}

#[test]
fn keys_of_every_level_are_masked_and_read() {
    for low_dbm0 in [-6.0, -12.0, -19.0, -25.0] {
        let keyed = presses(640, 640, 13, |_| KeyToneShape {
            low_dbm0,
            twist_db: 0.0,
            ..KeyToneShape::default()
        });
        assert_masked_and_read(&format!("{low_dbm0} dBm0"), &keyed);
    }
}

#[test]
fn twisted_keys_are_masked_and_read() {
    for twist_db in [-8.0, -4.0, 4.0] {
        let keyed = presses(640, 640, 14, |_| KeyToneShape {
            low_dbm0: -12.0,
            twist_db,
            ..KeyToneShape::default()
        });
        assert_masked_and_read(&format!("twist {twist_db}"), &keyed);
    }
    for twist_db in [-10.0, 10.0] {
        let keyed = presses(640, 640, 14, |_| KeyToneShape {
            low_dbm0: -15.0,
            twist_db,
            ..KeyToneShape::default()
        });
        assert_nothing_heard(&format!("twist {twist_db}"), &keyed);
    }
}

#[test]
fn detuned_keys_are_masked_and_read() {
    for (low_deviation, high_deviation) in [(0.015, 0.015), (-0.015, 0.015), (-0.015, -0.015)] {
        let keyed = presses(640, 640, 15, |_| KeyToneShape {
            low_deviation,
            high_deviation,
            ..KeyToneShape::default()
        });
        assert_masked_and_read(&format!("{low_deviation} {high_deviation}"), &keyed);
    }
    for deviation in [0.025, -0.025] {
        let shape = KeyToneShape {
            low_deviation: deviation,
            high_deviation: deviation,
            ..KeyToneShape::default()
        };
        assert_nothing_heard(&format!("{deviation}"), &presses(640, 640, 15, |_| shape));
    }
}

#[test]
fn random_in_spec_keys_are_masked_and_read() {
    for seed in 0..6 {
        let keyed = presses(640, 640, 100 + seed, |random| KeyToneShape {
            low_dbm0: random.between(-22.0, -8.0) as f32,
            twist_db: random.between(-7.5, 3.5) as f32,
            low_deviation: random.between(-0.015, 0.015),
            high_deviation: random.between(-0.015, 0.015),
        });
        assert_masked_and_read(&format!("seed {seed}"), &keyed);
    }
}

#[test]
fn a_bouncing_key_is_masked_and_one_key() {
    let mut keyed = Keyed::new(hiss(1_600 + 20 * 1_600, 21));
    for index in 0..20_u8 {
        let start = 1_600 + usize::from(index) * 1_500 + usize::from(index);
        let code = index % 12;
        keyed.sound(code, start, 48, KeyToneShape::default());
        keyed.sound(code, start + 80, 640, KeyToneShape::default());
        keyed.codes.pop();
    }
    assert_masked_and_read("bounce", &keyed);
}

#[test]
fn keys_beside_noise_are_masked_and_read() {
    let mut keyed = presses(640, 640, 23, |_| KeyToneShape {
        low_dbm0: -12.0,
        ..KeyToneShape::default()
    });
    let peak = f64::from(Law::Mu.amplitude(-24.0)) * 1.2;
    let mut random = Random(77);
    for value in &mut keyed.signal {
        *value = value.saturating_add(random.between(-peak, peak) as i16);
    }
    assert_masked_and_read("noise", &keyed);
}

#[test]
fn a_burst_loss_anywhere_in_a_key_leaks_nothing() {
    let keyed = presses(1_600, 800, 31, |_| KeyToneShape::default());
    for first in 0..12 {
        for lost in [3, 5, 10] {
            let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
            let armed = scene.arm() as usize;
            let mut script = Script::audio(&keyed.signal);
            for (index, packet) in script.packets.iter_mut().enumerate() {
                packet.lost = index % 47 >= first && index % 47 < first + lost;
            }
            scene.run(Leg::Consumer, &script);
            let heard = scene.agent_heard();
            assert_eq!(clear_samples(&keyed, &heard, armed), 0, "{first} {lost}");
            assert!(LooseDetector::scan(&heard).is_empty(), "{first} {lost}");
        }
    }
}

#[test]
fn events_and_tones_of_one_press_are_one_key_at_any_offset() {
    let codes = [4, 4, 1, 9, 0, 5, 5, 2];
    for offset in (-400..=1_600_i64).step_by(200) {
        let mut keyed = Keyed::new(hiss(8_000 + codes.len() * 3_200, 41));
        for (index, code) in codes.iter().enumerate() {
            keyed.sound(*code, 3_200 + index * 3_200, 800, KeyToneShape::default());
        }
        let mut script = Script::audio(&keyed.signal);
        for (index, code) in codes.iter().enumerate() {
            let start = 3_200 + index as i64 * 3_200 + offset;
            script = script.press(*code, usize::try_from(start).unwrap(), 800, 160);
        }
        let mut scene = Scene::new();
        let armed = scene.arm() as usize;
        scene.run(Leg::Consumer, &script);
        scene.wait(400);
        assert_eq!(scene.codes(), keys(&codes), "offset {offset}");
        let heard = scene.agent_heard();
        assert_eq!(clear_samples(&keyed, &heard, armed), 0, "offset {offset}");
        assert!(LooseDetector::scan(&heard).is_empty(), "offset {offset}");
        assert_eq!(scene.event_packets_to_agent(), 0);
    }
}

#[test]
fn tones_of_a_phone_that_never_sends_its_events_count() {
    let keyed = presses(640, 800, 51, |_| KeyToneShape::default());
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, &Script::audio(&keyed.signal));
    scene.wait(400);
    assert_eq!(scene.codes(), keys(&keyed.codes));
}

#[test]
fn the_agents_own_keys_echoed_by_the_consumer_do_not_count() {
    let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
    scene.arm();
    let codes = [4, 1, 1, 1];
    let mut agent = Keyed::new(hiss(16_000, 1));
    let mut echo = Keyed::new(hiss(16_000, 2));
    for (index, code) in codes.iter().enumerate() {
        let start = 1_600 + index * 3_200;
        agent.sound(*code, start, 800, KeyToneShape::default());
        echo.sound(
            *code,
            start + 400,
            800,
            KeyToneShape {
                low_dbm0: -21.0,
                ..KeyToneShape::default()
            },
        );
    }
    let (mine, theirs) = (Script::audio(&agent.signal), Script::audio(&echo.signal));
    for (agent_packet, consumer_packet) in mine.packets.iter().zip(&theirs.packets) {
        let single = |packet: &crate::scene::Packet| Script {
            packets: vec![crate::scene::Packet {
                at: std::time::Duration::ZERO,
                ts: 0,
                ..packet.clone()
            }],
            len: std::time::Duration::ZERO,
        };
        let (one, two) = (single(agent_packet), single(consumer_packet));
        scene.wait(20);
        scene.run(Leg::Agent, &one);
        scene.run(Leg::Consumer, &two);
        scene.agent.timestamp = scene.agent.timestamp.wrapping_add(160);
        scene.consumer.timestamp = scene.consumer.timestamp.wrapping_add(160);
    }
    assert!(scene.codes().is_empty());
}

/// A voice: a gliding pitch with harmonics under three formants, syllables and pauses.
pub(crate) fn voice(len: usize, seed: u64) -> Vec<i16> {
    let mut random = Random(seed);
    let mut phase = 0.0_f64;
    let (mut pitch_hz, mut formants) = (120.0, [500.0, 1_500.0, 2_500.0]);
    let mut signal = Vec::with_capacity(len);
    for at in 0..len {
        if at % 1_200 == 0 {
            pitch_hz = random.between(90.0, 240.0);
            formants = [
                random.between(300.0, 800.0),
                random.between(900.0, 2_200.0),
                random.between(2_200.0, 3_000.0),
            ];
        }
        let glide = 1.0 + 0.08 * ((at % 1_200) as f64 / 1_200.0);
        phase += std::f64::consts::TAU * pitch_hz * glide / 8_000.0;
        let mut value = 0.0;
        for harmonic in 1..=(3_400.0 / (pitch_hz * glide)) as usize {
            let hz = harmonic as f64 * pitch_hz * glide;
            let gain: f64 = formants
                .iter()
                .map(|formant| 1.0 / (1.0 + ((hz - formant) / 90.0).powi(2)))
                .sum();
            value += gain * (phase * harmonic as f64 + harmonic as f64).sin();
        }
        let envelope = (std::f64::consts::PI * (at % 1_200) as f64 / 1_200.0)
            .sin()
            .max(0.0);
        let syllable = if (at / 1_200) % 4 == 3 {
            0.02
        } else {
            envelope
        };
        signal.push((value * syllable * 2_500.0 + random.between(-40.0, 40.0)) as i16);
    }
    signal
}

#[test]
fn speech_passes_untouched_while_protected() {
    let mut altered = 0;
    let mut total = 0;
    for seed in 0..4 {
        let signal = voice(80_000, seed);
        let mut scene = Scene::new();
        let armed = scene.arm() as usize;
        scene.run(Leg::Consumer, &Script::audio(&signal));
        let heard = scene.agent_heard();
        for (at, value) in signal.iter().enumerate().take(79_000).skip(160) {
            let source = Law::Mu.decode_byte(Law::Mu.encode_sample(*value));
            altered += usize::from(heard[armed + at + HELD] != source);
            total += 1;
        }
        assert!(scene.codes().is_empty());
    }
    assert!(altered * 500 <= total, "{altered} of {total}");
}

#[test]
fn keys_beside_speech_are_masked() {
    let mut finds = 0;
    for seed in 0..6 {
        let mut keyed = presses(640, 640, 70 + seed, |_| KeyToneShape {
            low_dbm0: -12.0,
            twist_db: 0.0,
            ..KeyToneShape::default()
        });
        let speech = voice(keyed.signal.len(), seed);
        let power: f64 = speech
            .iter()
            .map(|value| f64::from(*value).powi(2))
            .sum::<f64>();
        let tone = f64::from(Law::Mu.amplitude(-9.0)).powi(2) / 2.0;
        let gain = (tone * speech.len() as f64 / power / 10_f64.powf(1.5)).sqrt();
        for (value, spoken) in keyed.signal.iter_mut().zip(&speech) {
            *value = value.saturating_add((f64::from(*spoken) * gain) as i16);
        }
        let (heard, armed) = hear(&keyed);
        assert_eq!(clear_samples(&keyed, &heard, armed), 0, "seed {seed}");
        // Speech alone may sound like a key to the scan; a find within a press would be the press.
        let is_press = |find: &LooseFind| {
            keyed.presses.iter().any(|press| {
                let start = (armed + press.start) as u64;
                let end = (armed + press.end + HELD) as u64;
                find.start < end && find.end > start
            })
        };
        finds += LooseDetector::scan(&heard)
            .iter()
            .filter(|find| is_press(find))
            .count();
    }
    assert_eq!(finds, 0);
}

#[test]
fn losses_make_a_digit_unclear_or_missing_but_never_double_or_wrong() {
    for (seed, loss) in [
        (1, 0.01),
        (2, 0.03),
        (3, 0.05),
        (4, 0.10),
        (5, 0.10),
        (6, 0.10),
    ] {
        let keyed = presses(800, 640, 80 + seed, |_| KeyToneShape::default());
        let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
        scene.arm();
        scene.run(
            Leg::Consumer,
            &Script::audio(&keyed.signal).lose(loss, seed),
        );
        scene.wait(300);
        let is_unclear = |event: &&RelayEvent| **event == RelayEvent::TonesUnclear;
        let unclear = scene.events.iter().filter(is_unclear).count();
        let mut wanted = keys(&keyed.codes).into_iter();
        let counted = scene.codes();
        assert!(
            counted.iter().all(|key| wanted.any(|one| one == *key)),
            "loss {loss}"
        );
        assert_eq!(counted.len() + unclear, keyed.codes.len(), "loss {loss}");
    }
}

/// How often a call in which `script` is sent, its keys in the audio alone, says that a key could not be read; and the keys it counts.
fn unclear(script: &Script) -> (usize, usize) {
    let mut scene = Scene::with(|plan| plan.consumer.telephone_event_in = None);
    scene.arm();
    scene.run(Leg::Consumer, script);
    scene.wait(300);
    let is_unclear = |event: &&RelayEvent| **event == RelayEvent::TonesUnclear;
    let unclear = scene.events.iter().filter(is_unclear).count();
    (unclear, scene.keys.len())
}

#[test]
fn a_key_of_which_a_loss_leaves_too_little_is_unclear() {
    for (head, lost) in [(104, 3), (88, 4), (0, 3), (16, 3)] {
        let mut keyed = Keyed::new(hiss(16_000, 91));
        let start = 4_960 - head;
        keyed.sound(
            5,
            start,
            head + lost * 160 + 96 - head / 2,
            KeyToneShape::default(),
        );
        let mut script = Script::audio(&keyed.signal);
        for packet in &mut script.packets[31..31 + lost] {
            packet.lost = true;
        }
        assert_eq!(
            unclear(&script),
            (1, 0),
            "{head} samples before {lost} packets"
        );
    }
}

#[test]
fn a_key_beyond_what_may_be_read_is_unclear() {
    let keyed = presses(640, 640, 14, |_| KeyToneShape {
        low_dbm0: -15.0,
        twist_db: 10.0,
        ..KeyToneShape::default()
    });
    let (unread, read) = unclear(&Script::audio(&keyed.signal));
    assert!(read < 20);
    assert_eq!(unread + read, 20);
    let short = presses(160, 640, 15, |_| KeyToneShape::default());
    assert_eq!(unclear(&Script::audio(&short.signal)), (0, 0));
}

#[test]
fn tones_beside_events_are_never_unclear() {
    let mut keyed = Keyed::new(hiss(24_000, 41));
    let beyond = KeyToneShape {
        low_dbm0: -15.0,
        twist_db: 10.0,
        ..KeyToneShape::default()
    };
    for index in 0..5 {
        keyed.sound(index, 3_200 + usize::from(index) * 3_200, 800, beyond);
    }
    let mut script = Script::audio(&keyed.signal);
    for index in 0..5 {
        script = script.press(index, 3_200 + usize::from(index) * 3_200, 800, 160);
    }
    let mut scene = Scene::new();
    scene.arm();
    scene.run(Leg::Consumer, &script);
    scene.wait(400);
    assert_eq!(scene.codes(), keys(&[0, 1, 2, 3, 4]));
    assert!(!scene.events.contains(&RelayEvent::TonesUnclear));
}

#[test]
#[ignore = "long: ten thousand keys, each without loss and with three kinds of it"]
fn ten_thousand_random_keys_leak_nothing() {
    for seed in 0..500 {
        let mut lengths = Random(seed + 900);
        let len = lengths.between(330.0, 1_200.0) as usize;
        let pause = lengths.between(340.0, 900.0) as usize;
        let keyed = presses(len, pause, 1_000 + seed, |random| KeyToneShape {
            low_dbm0: random.between(-22.0, -6.5) as f32,
            twist_db: random.between(-7.5, 3.5) as f32,
            low_deviation: random.between(-0.015, 0.015),
            high_deviation: random.between(-0.015, 0.015),
        });
        for (loss, loss_seed) in [(0.0, 1), (0.01, seed), (0.03, seed), (0.10, seed)] {
            let outcome = play(&keyed, loss, loss_seed + 5);
            assert_eq!(
                (outcome.clear, outcome.finds),
                (0, 0),
                "seed {seed}, loss {loss}"
            );
            assert!(
                loss > 0.0 || outcome.keys == keys(&keyed.codes),
                "seed {seed}"
            );
        }
    }
}

/// Stretches of flat tone in what the agent heard.
fn tones(heard: &[i16]) -> Vec<std::ops::Range<usize>> {
    let mut tones: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, part) in heard.chunks(8).enumerate() {
        if part.iter().all(|value| value.unsigned_abs() < 200) {
            continue;
        }
        let (start, end) = (index * 8, index * 8 + 8);
        match tones.last_mut() {
            Some(tone) if start - tone.end <= 16 => tone.end = end,
            _ => tones.push(start..end),
        }
    }
    tones
}

#[test]
fn the_agent_hears_one_tone_for_each_key_little_longer_than_the_key() {
    for (len, pause) in [(400, 480), (800, 480), (1_600, 800)] {
        let keyed = presses(len, pause + 40, 61, |_| KeyToneShape::default());
        let (heard, armed) = hear(&keyed);
        let tones = tones(&heard);
        assert_eq!(tones.len(), keyed.presses.len(), "{len} {pause}");
        for (tone, press) in tones.iter().zip(&keyed.presses) {
            let (start, end) = (armed + press.start + HELD, armed + press.end + HELD);
            assert!(
                tone.start <= start && start - tone.start <= 96,
                "{len}: before by {}",
                start - tone.start
            );
            assert!(
                tone.end >= end && tone.end - end <= 160,
                "{len}: after by {}",
                tone.end - end
            );
        }
    }
}

#[test]
fn the_tone_is_the_same_for_every_key() {
    let spectra: Vec<Vec<i16>> = (0..12)
        .map(|code| {
            let mut keyed = Keyed::new(vec![0; 8_000]);
            keyed.sound(code, 1_600, 800, KeyToneShape::default());
            let (heard, armed) = hear(&keyed);
            heard[armed + 1_600 + HELD + 24..armed + 1_600 + HELD + 760].to_vec()
        })
        .collect();
    let power = |tone: &[i16]| {
        tone.iter()
            .map(|value| f64::from(*value).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    for spectrum in &spectra {
        assert!((power(spectrum) / power(&spectra[0]) - 1.0).abs() < 0.01);
        let best = (0..=32)
            .map(|lag| {
                let len = spectrum.len() - 32;
                let product: f64 = spectra[0][16..16 + len]
                    .iter()
                    .zip(&spectrum[lag..lag + len])
                    .map(|(one, other)| f64::from(*one) * f64::from(*other))
                    .sum();
                product / (power(&spectra[0][16..16 + len]) * power(&spectrum[lag..lag + len]))
            })
            .fold(0.0, f64::max);
        assert!(best > 0.99, "{best}");
    }
}
