//! One call: what the consumer's phone sounds and sends, and which of it must never be heard.

use std::ops::Range;

use media::dtmf::inband::keypad::pair_of_event;
use media::g711::Law;
use media::g722;
use media::leg::Codec;
use media::tone::{KeyTone, KeyToneShape};

use crate::class::{Beside, Channel, Class, EventAudio, Moment};
use crate::dice::Dice;
use crate::line::{self, Packet};
use crate::speech::Speech;

/// Samples of a packet: 20 ms.
pub(crate) const PACKET: usize = 160;

pub(crate) const MS: usize = 8;

/// Protection is asked for here: 400 ms.
const PROTECT_AT: usize = 3_200;

/// Speech between groups of keys: 3 s.
const SPEECH: usize = 24_000;

/// Keys are this far from judged speech: 350 ms, so that nothing of a key's mask counts as altered speech.
const APART: usize = 350 * MS;

/// Quiet after a field: 5 s, one more than an account number waits for its next digit.
pub(crate) const FIELD_REST: usize = 40_000;

/// Keys of a group, as a card number is read out in pieces.
const GROUP: usize = 12;

/// What a codec that learns from what was said may go on ringing with: 30 ms.
pub(crate) const RINGING: usize = 30 * MS;

/// Line noise.
const HISS_DBM0: f32 = -58.0;

/// Active level of the consumer's voice between keys.
const VOICE_DBM0: (f64, f64) = (-26.0, -16.0);

/// A room's decay by 60 dB, and the energy of all its echoes beside the direct sound's.
const ROOM_SECONDS: (f64, f64) = (0.2, 0.5);
const ROOM_DB: (f64, f64) = (-12.0, 0.0);

/// One press.
#[derive(Clone)]
pub(crate) struct Press {
    pub(crate) code: u8,
    /// Samples that must not be heard; none of a key that does not sound. While an event runs there are none either.
    pub(crate) span: Range<usize>,
    /// Where an attacker looks: the span, and a room's answer to it.
    pub(crate) watched: Range<usize>,
}

/// Something the call's owner asks of the relay.
#[derive(Clone, Copy)]
pub(crate) enum Command {
    Protect,
    Unprotect,
    Info(u8),
}

/// A call.
pub(crate) struct Scene {
    pub(crate) codec: Codec,
    pub(crate) negotiated: bool,
    /// What the relay decodes, sample by sample.
    pub(crate) signal: Vec<i16>,
    pub(crate) presses: Vec<Press>,
    /// In the order of arrival.
    pub(crate) packets: Vec<Packet>,
    /// Audio that was sent and lost on the way.
    pub(crate) lost: Vec<Range<usize>>,
    /// Stretches of speech far from keys.
    pub(crate) speech: Vec<Range<usize>>,
    /// With the moment, in samples.
    pub(crate) commands: Vec<(usize, Command)>,
}

/// A key before it is sounded.
struct Laid {
    code: u8,
    start: usize,
    len: usize,
    shape: KeyToneShape,
}

/// Builds call `index` of a class with so many keys. A `twin` differs in its digits only.
pub(crate) fn build(class: &Class, keys: usize, index: u64, twin: bool, speech: &Speech) -> Scene {
    let mut dice = Dice::new(index.wrapping_mul(0x1_0001) ^ name_seed(class.name));
    let mut codes = Codes {
        dice: dice.fork(),
        twin,
    };
    let layout = lay_out(class, keys, &mut dice, &mut codes);
    sound(class, layout, index, dice, speech)
}

/// Builds call `index` of a class in which these fields are keyed, code by code. Yields where each field begins, too.
pub(crate) fn build_fields(
    class: &Class,
    fields: &[Vec<u8>],
    index: u64,
    speech: &Speech,
) -> (Scene, Vec<usize>) {
    let mut dice = Dice::new(index ^ name_seed(class.name));
    let mut layout = Layout::default();
    let mut begins = Vec::new();
    let mut at = PROTECT_AT + 1_600;
    for field in fields {
        begins.push(at);
        layout.talked.push(at..at + SPEECH);
        at += SPEECH + APART;
        for code in field {
            layout.laid.push(lay_key(class, &mut at, &mut dice, *code));
        }
        at += FIELD_REST;
    }
    layout.end(at);
    (sound(class, layout, index, dice, speech), begins)
}

/// Keys and speech on the timeline.
#[derive(Default)]
struct Layout {
    laid: Vec<Laid>,
    talked: Vec<Range<usize>>,
    len: usize,
}

impl Layout {
    /// Everything ends before `at`.
    fn end(&mut self, at: usize) {
        self.len = (at + 8_000).div_ceil(PACKET) * PACKET;
    }
}

/// Sounds what was laid out, and sends it.
fn sound(class: &Class, layout: Layout, index: u64, mut dice: Dice, speech: &Speech) -> Scene {
    let codec = if class.is_wide {
        Codec::G722
    } else if index.is_multiple_of(2) {
        Codec::Pcmu
    } else {
        Codec::Pcma
    };
    let Layout { laid, talked, len } = layout;
    let mut audio = vec![0.0_f32; len];
    sound_beside(class, &laid, &talked, &mut audio, &mut dice, speech);
    let (presses, unsent) = sound_keys(class, &laid, &mut audio, &mut dice);
    let audio: Vec<i16> = audio.into_iter().map(media::sample::from_f32).collect();
    let (encoded, signal) = coded(codec, &audio);
    let commands = commands(class, &laid, index, &mut dice);
    let mut packets = line::audio_packets(&encoded, codec, &unsent);
    if let Channel::Event { step, .. } = class.channel {
        for key in &laid {
            line::add_event(&mut packets, key.code, key.start..key.start + key.len, step);
        }
    }
    line::number(&mut packets);
    let spans: Vec<Range<usize>> = laid
        .iter()
        .map(|key| key.start..key.start + key.len)
        .collect();
    let lost = line::impair(&mut packets, &class.line, &spans, PROTECT_AT, &mut dice);
    Scene {
        codec,
        negotiated: class.channel != Channel::Inband,
        signal,
        presses,
        packets,
        lost,
        speech: talked,
        commands,
    }
}

/// The octets of a call that loses none, and what they sound like.
fn coded(codec: Codec, audio: &[i16]) -> (Vec<u8>, Vec<i16>) {
    let (mut octets, mut signal) = (vec![0; audio.len()], vec![0; audio.len()]);
    if codec == Codec::G722 {
        g722::Encoder::new().encode(audio, &mut octets);
        g722::Decoder::new().decode(&octets, &mut signal);
    } else {
        codec.law().encode(audio, &mut octets);
        codec.law().decode(&octets, &mut signal);
    }
    (octets, signal)
}

fn name_seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

struct Codes {
    dice: Dice,
    twin: bool,
}

impl Codes {
    /// Uniform digits; a twin has another in every place.
    fn next(&mut self) -> u8 {
        let (digit, other) = (self.dice.below(10), 1 + self.dice.below(9));
        let digit = if self.twin {
            (digit + other) % 10
        } else {
            digit
        };
        digit as u8
    }
}

/// Groups of keys, the consumer talking before each.
fn lay_out(class: &Class, keys: usize, dice: &mut Dice, codes: &mut Codes) -> Layout {
    let mut layout = Layout::default();
    let moves = matches!(class.moment, Moment::Arming | Moment::Disarming);
    let mut at = PROTECT_AT + 1_600;
    while layout.laid.len() < keys {
        if !moves {
            layout.talked.push(at..at + SPEECH);
            at += SPEECH;
        }
        at += APART;
        for _ in 0..GROUP.min(keys - layout.laid.len()) {
            let key = lay_key(class, &mut at, dice, codes.next());
            layout.laid.push(key);
        }
        at += APART;
    }
    layout.end(at);
    layout
}

fn lay_key(class: &Class, at: &mut usize, dice: &mut Dice, code: u8) -> Laid {
    let mut len = (dice.between(class.on_ms) * 8.0) as usize;
    let mut start = *at + dice.below(5 * MS);
    match class.channel {
        Channel::Event {
            audio: EventAudio::Stops { residue_ms },
            ..
        } => {
            start = (start + (residue_ms * 8.0) as usize).div_ceil(PACKET) * PACKET;
        }
        Channel::Event {
            audio: EventAudio::Acoustic { .. },
            ..
        } => start += 1_600,
        _ => {}
    }
    if class.line.bursts {
        (start, len) = line::fit_burst(start, len, dice);
    }
    *at = start + len + (class.off_ms * 8.0) as usize;
    let deviate = |dice: &mut Dice| dice.sign() * dice.between(class.tone.deviation);
    let shape = KeyToneShape {
        low_dbm0: dice.between(class.tone.low_dbm0) as f32,
        twist_db: dice.between(class.tone.twist_db) as f32,
        low_deviation: deviate(dice),
        high_deviation: deviate(dice),
    };
    Laid {
        code,
        start,
        len,
        shape,
    }
}

fn sound_beside(
    class: &Class,
    laid: &[Laid],
    talked: &[Range<usize>],
    audio: &mut [f32],
    dice: &mut Dice,
    speech: &Speech,
) {
    let quietest = laid
        .iter()
        .map(|key| power_of(&key.shape))
        .fold(f64::MAX, f64::min);
    let under = |snr_db: f64| (quietest / 10.0_f64.powf(snr_db / 10.0)).sqrt();
    let noise_rms = match class.beside {
        Beside::Hiss | Beside::Talk(_) => rms_of(HISS_DBM0),
        Beside::Noise(least, most) => under(dice.between((least, most))).max(rms_of(HISS_DBM0)),
    };
    for value in audio.iter_mut() {
        *value += (dice.normal() * noise_rms) as f32;
    }
    if let Beside::Talk(snr_db) = class.beside {
        return speech.add_to(audio, under(snr_db), dice);
    }
    for stretch in talked {
        let level = dice.between(VOICE_DBM0) as f32;
        speech.add_to(&mut audio[stretch.clone()], rms_of(level), dice);
    }
}

/// Root mean square of a sine at this level.
fn rms_of(dbm0: f32) -> f64 {
    f64::from(Law::Mu.amplitude(dbm0)) / 2.0_f64.sqrt()
}

fn power_of(shape: &KeyToneShape) -> f64 {
    rms_of(shape.low_dbm0).powi(2) + rms_of(shape.low_dbm0 + shape.twist_db).powi(2)
}

fn sound_keys(
    class: &Class,
    laid: &[Laid],
    audio: &mut [f32],
    dice: &mut Dice,
) -> (Vec<Press>, Vec<Range<usize>>) {
    let room = room(dice);
    let mut unsent = Vec::new();
    let mut presses = Vec::new();
    for key in laid {
        let held = key.start..key.start + key.len;
        let span = match class.channel {
            Channel::Inband
            | Channel::Info { sounds: true }
            | Channel::Event {
                audio: EventAudio::Whole,
                ..
            } => {
                let parts = if class.tone.bounces {
                    bounce(&held)
                } else {
                    vec![(held.clone(), 1.0)]
                };
                add_tone(audio, key, &parts, dice);
                held
            }
            Channel::Info { sounds: false } => held.start..held.start,
            Channel::Event {
                audio: EventAudio::Stops { residue_ms },
                ..
            } => {
                unsent.push(held.clone());
                let residue = (residue_ms * 8.0) as usize;
                let parts = [
                    (held.start - residue..held.start, 1.0),
                    (held.end..held.end + residue, 1.0),
                ];
                add_tone(audio, key, &parts, dice);
                held.start - residue..held.end + residue
            }
            Channel::Event {
                audio: EventAudio::Acoustic { dbm0 },
                ..
            } => {
                let start = key.start - 1_600 + dice.below(4_000);
                add_reverberant(audio, key, start, dbm0, &room, dice);
                start..start + key.len
            }
        };
        let is_acoustic = matches!(
            class.channel,
            Channel::Event {
                audio: EventAudio::Acoustic { .. },
                ..
            }
        );
        let rings = if class.is_wide { RINGING } else { 0 };
        let tail = if is_acoustic { room.len() } else { rings };
        presses.push(Press {
            code: key.code,
            watched: span.start..span.end + tail,
            span,
        });
    }
    (presses, unsent)
}

/// A key that bounces: 6 ms on, 4 off, on, 3 ms at -14 dB from 20 ms on.
fn bounce(held: &Range<usize>) -> Vec<(Range<usize>, f32)> {
    let at = |ms: usize| held.start + ms * MS;
    vec![
        (at(0)..at(6), 1.0),
        (at(10)..at(20), 1.0),
        (at(20)..at(23), 0.2),
        (at(23)..held.end, 1.0),
    ]
}

/// The key's tones at any phase; parts sound with their weight, the phase runs on between them.
fn add_tone(audio: &mut [f32], key: &Laid, parts: &[(Range<usize>, f32)], dice: &mut Dice) {
    let mut tone = tone_at_any_phase(key.code, key.shape, dice);
    let Some(first) = parts.first() else { return };
    let mut at = first.0.start;
    for (part, weight) in parts {
        while at < part.start {
            tone.next_sample();
            at += 1;
        }
        for value in &mut audio[part.clone()] {
            *value += tone.next_sample() * weight;
            at += 1;
        }
    }
}

fn tone_at_any_phase(code: u8, shape: KeyToneShape, dice: &mut Dice) -> KeyTone {
    let pair = pair_of_event(code).expect("codes are digits");
    let mut tone = KeyTone::new(pair, shape);
    for _ in 0..dice.below(1_000) {
        tone.next_sample();
    }
    tone
}

fn add_reverberant(
    audio: &mut [f32],
    key: &Laid,
    start: usize,
    dbm0: f64,
    room: &[f32],
    dice: &mut Dice,
) {
    let shape = KeyToneShape {
        low_dbm0: dbm0 as f32,
        twist_db: 0.0,
        ..key.shape
    };
    let mut tone = tone_at_any_phase(key.code, shape, dice);
    for at in 0..key.len {
        let value = tone.next_sample();
        for (heard, echo) in audio[start + at..].iter_mut().zip(room) {
            *heard += value * echo;
        }
    }
}

/// A room's answer: the direct sound, then a decaying noise.
fn room(dice: &mut Dice) -> Vec<f32> {
    let len = (dice.between(ROOM_SECONDS) * 8_000.0) as usize;
    let decay = |at: usize| 10.0_f64.powf(-3.0 * at as f64 / len as f64);
    let energy: f64 = (1..len).map(|at| decay(at).powi(2)).sum();
    let scale = (10.0_f64.powf(dice.between(ROOM_DB) / 10.0) / energy).sqrt();
    let echo = |at: usize| (dice.normal() * decay(at) * scale) as f32;
    std::iter::once(1.0).chain((1..len).map(echo)).collect()
}

fn commands(class: &Class, laid: &[Laid], index: u64, dice: &mut Dice) -> Vec<(usize, Command)> {
    let first = laid.first().map_or(0, |key| key.start);
    let offset = (index % 100) as usize * MS + dice.below(MS);
    let mut commands = match class.moment {
        Moment::Never => Vec::new(),
        Moment::Always | Moment::Late => vec![(PROTECT_AT, Command::Protect)],
        Moment::Arming => vec![(first + offset, Command::Protect)],
        Moment::Disarming => vec![
            (PROTECT_AT, Command::Protect),
            (first + offset, Command::Unprotect),
        ],
    };
    if let Channel::Info { .. } = class.channel {
        let told = laid
            .iter()
            .map(|key| (key.start + dice.below(key.len), Command::Info(key.code)));
        commands.extend(told);
        commands.sort_by_key(|(at, _)| *at);
    }
    commands
}
