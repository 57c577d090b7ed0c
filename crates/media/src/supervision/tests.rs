//! Listeners beside two sides, packet by packet.

use super::*;
use crate::g711::Law;

const CODECS: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];
const ONE: ListenerId = ListenerId(1);
const OTHER: ListenerId = ListenerId(2);

/// A call of two sides that are sent something every 20 ms.
struct Bench {
    supervision: Supervision,
    codecs: [Codec; 2],
    encoders: [Encoder; 2],
    decoders: [Decoder; 2],
    now: Instant,
    number: u16,
    barging: Barging,
    /// What left for agent and consumer, and what was recorded of the agent.
    agent: Vec<i16>,
    consumer: Vec<i16>,
    recorded: Vec<i16>,
    /// What each listener was sent.
    heard: Vec<(ListenerId, RtpHeader, Vec<u8>)>,
}

impl Bench {
    fn new(agent: Codec, consumer: Codec) -> Self {
        Self {
            supervision: Supervision::default(),
            codecs: [agent, consumer],
            encoders: [Encoder::new(agent), Encoder::new(consumer)],
            decoders: [Decoder::new(agent), Decoder::new(consumer)],
            now: Instant::now(),
            number: 0,
            barging: Barging::Possible,
            agent: Vec::new(),
            consumer: Vec::new(),
            recorded: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn join(&mut self, id: ListenerId) {
        self.supervision
            .join(self.now, id, Codec::Pcmu, id.0 << 40 | 0x9abc_def0)
            .unwrap();
    }

    /// 20 ms in which the sides are sent these values all along, and the listeners say theirs.
    fn step(&mut self, sent: [i16; 2], said: &[(ListenerId, i16)]) {
        for (id, value) in said {
            let payload = [Law::Mu.encode_sample(*value); FRAME_SAMPLES];
            let packet = rtp(0, self.number, &payload);
            self.supervision.hear(*id, &packet);
        }
        for (index, leg) in [Leg::Agent, Leg::Consumer].into_iter().enumerate() {
            let mut payload = [0; FRAME_SAMPLES];
            self.encoders[index].encode(&[sent[index]; FRAME_SAMPLES], &mut payload);
            let payload_type = self.codecs[index].usual_payload_type();
            let packet = rtp(payload_type, self.number, &payload);
            let way = Sent {
                codec: self.codecs[index],
                payload_type,
            };
            let left = self.supervision.pass(leg, way, &packet, self.barging);
            assert_eq!(left.len(), packet.len());
            assert_eq!(left[..HEADER_LEN], packet[..HEADER_LEN]);
            let mut linear = [0; FRAME_SAMPLES];
            self.decoders[index].decode(&left[HEADER_LEN..], &mut linear);
            let ear = [&mut self.agent, &mut self.consumer];
            ear.into_iter().nth(index).unwrap().extend(linear);
        }
        let agents = [sent[1]; FRAME_SAMPLES];
        let recorded = self.supervision.record(&agents, self.barging);
        self.recorded.extend(recorded);
        self.number = self.number.wrapping_add(1);
        self.now += FRAME;
        self.supervision.handle_timeout(self.now);
        while let Some((id, packet)) = self.supervision.poll_output() {
            let packet = RtpPacket::parse(packet).unwrap();
            self.heard
                .push((id, packet.header, packet.payload.to_vec()));
        }
    }

    fn steps(&mut self, count: u32, sent: [i16; 2], said: &[(ListenerId, i16)]) {
        for _ in 0..count {
            self.step(sent, said);
        }
    }

    /// The last sample that a listener heard.
    fn last(&self, id: ListenerId) -> i16 {
        let mine = self.heard.iter().rev().find(|(one, ..)| *one == id);
        Law::Mu.decode_byte(mine.unwrap().2[FRAME_SAMPLES - 1])
    }

    fn ends(&self) -> [i16; 3] {
        [&self.agent, &self.consumer, &self.recorded].map(|ear| *ear.last().unwrap())
    }
}

fn rtp(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let header = RtpHeader {
        marker: false,
        payload_type,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: 7,
    };
    [&header.to_bytes()[..], payload].concat()
}

/// Within what a companding law makes of it.
fn near(value: i16, expected: i16) -> bool {
    i32::from(value).abs_diff(expected.into()) <= u32::from(expected.unsigned_abs() / 16 + 16)
}

#[test]
fn a_listener_hears_both_sides_and_loud_ones_saturate() {
    for agent in CODECS {
        for consumer in CODECS {
            let mut bench = Bench::new(agent, consumer);
            bench.join(ONE);
            bench.steps(30, [2_000, 1_000], &[]);
            // G.722 passes no constant value on for long: of it only speech is a measure.
            if ![agent, consumer].contains(&Codec::G722) {
                assert!(near(bench.last(ONE), 3_000), "{}", bench.last(ONE));
                bench.steps(10, [30_000, 30_000], &[]);
                assert!(bench.last(ONE) > 31_000);
                bench.steps(10, [-30_000, -30_000], &[]);
                assert!(bench.last(ONE) < -31_000);
            }
        }
    }
}

#[test]
fn listeners_are_heard_by_nobody_until_they_whisper_or_barge_in() {
    let mut bench = Bench::new(Codec::Pcmu, Codec::Pcma);
    bench.join(ONE);
    bench.join(OTHER);
    bench.steps(10, [500, 600], &[(ONE, 4_000), (OTHER, 4_000)]);
    let [agent, consumer, recorded] = bench.ends();
    assert!(near(agent, 500) && near(consumer, 600) && recorded == 600);

    bench.supervision.speak(ONE, Voice::Agent);
    bench.steps(10, [500, 600], &[(ONE, 4_000), (OTHER, 8_000)]);
    let [agent, consumer, recorded] = bench.ends();
    assert!(near(agent, 4_500), "{agent}");
    assert!(near(consumer, 600) && recorded == 600, "a whisper");
    assert!(near(bench.last(OTHER), 1_100), "listeners hear both sides");

    bench.supervision.speak(ONE, Voice::Both);
    bench.steps(10, [500, 600], &[(ONE, 4_000), (OTHER, 8_000)]);
    let [agent, consumer, recorded] = bench.ends();
    assert!(near(agent, 4_500) && near(consumer, 4_600) && near(recorded, 4_600));

    bench.supervision.speak(ONE, Voice::Nobody);
    bench.steps(1, [500, 600], &[(ONE, 4_000)]);
    let [agent, consumer, recorded] = bench.ends();
    assert!(near(agent, 500) && near(consumer, 600) && recorded == 600);
}

#[test]
fn whoever_barges_in_is_heard_by_nobody_while_that_is_refused_and_nothing_of_it_later() {
    let mut bench = Bench::new(Codec::Pcmu, Codec::Pcmu);
    bench.join(ONE);
    bench.supervision.speak(ONE, Voice::Both);
    bench.steps(10, [0, 0], &[(ONE, 4_000)]);
    assert!(bench.ends().iter().all(|value| near(*value, 4_000)));
    bench.barging = Barging::Refused;
    bench.agent.clear();
    bench.consumer.clear();
    bench.recorded.clear();
    bench.steps(10, [0, 0], &[(ONE, 4_000)]);
    for ear in [&bench.agent, &bench.consumer, &bench.recorded] {
        assert!(ear.iter().all(|value| value.abs() < 8), "not a sample");
    }
    bench.supervision.end_barges();
    bench.barging = Barging::Possible;
    bench.steps(10, [0, 0], &[(ONE, 4_000)]);
    for ear in [&bench.agent, &bench.consumer, &bench.recorded] {
        assert!(ear.iter().all(|value| value.abs() < 8), "not after it");
    }
    bench.supervision.speak(ONE, Voice::Agent);
    bench.barging = Barging::Refused;
    bench.steps(10, [0, 0], &[(ONE, 4_000)]);
    let [agent, consumer, recorded] = bench.ends();
    assert!(near(agent, 4_000) && consumer.abs() < 8 && recorded == 0);
}

#[test]
fn without_a_voice_every_packet_leaves_as_it_came() {
    for codec in CODECS {
        let mut supervision = Supervision::default();
        let payload: Vec<u8> = (0..=255).collect();
        let payload_type = codec.usual_payload_type();
        let way = Sent {
            codec,
            payload_type,
        };
        let packet = rtp(payload_type, 1, &payload);
        let passes = |supervision: &mut Supervision, packet: &[u8]| {
            for leg in [Leg::Agent, Leg::Consumer] {
                let left = supervision.pass(leg, way, packet, Barging::Possible);
                assert_eq!(left, packet);
            }
        };
        passes(&mut supervision, &packet);
        supervision
            .join(Instant::now(), ONE, Codec::Pcmu, 5)
            .unwrap();
        passes(&mut supervision, &packet);
        // Nobody's voice is in events, noise and what is no packet.
        supervision.speak(ONE, Voice::Both);
        for other in [rtp(101, 2, &[5, 0, 0, 160]), rtp(13, 3, &[60]), vec![1, 2]] {
            passes(&mut supervision, &other);
        }
    }
}

#[test]
fn keys_of_a_listener_are_no_sound_and_late_packets_are_not_waited_for() {
    let mut bench = Bench::new(Codec::Pcmu, Codec::Pcmu);
    bench.join(ONE);
    bench.supervision.speak(ONE, Voice::Both);
    bench.number = 40_000;
    for round in 0..10 {
        let event = rtp(101, 10_000 + round, &[5, 10, 3, 32]);
        bench.supervision.hear(ONE, &event);
        bench.step([0, 0], &[]);
    }
    assert!(bench.ends().iter().all(|value| value.abs() < 8));
    let loud = [Law::Mu.encode_sample(9_000); FRAME_SAMPLES];
    bench.supervision.hear(ONE, &rtp(0, 100, &loud));
    for late in (0..100).rev() {
        bench.supervision.hear(ONE, &rtp(0, late, &loud));
    }
    bench.steps(10, [0, 0], &[]);
    assert!(bench.ends().iter().all(|value| value.abs() < 8));
}

#[test]
fn each_listener_has_a_stream_of_their_own_in_one_rhythm() {
    let mut bench = Bench::new(Codec::Pcmu, Codec::Pcmu);
    bench.join(ONE);
    bench.join(OTHER);
    bench.steps(100, [1, 1], &[]);
    let mut names = Vec::new();
    for id in [ONE, OTHER] {
        let mine = bench.heard.iter().filter(|(one, ..)| *one == id);
        let mine: Vec<RtpHeader> = mine.map(|(_, header, _)| *header).collect();
        assert_eq!(mine.len(), 100, "20 ms each");
        assert!(mine[0].marker && mine[1..].iter().all(|header| !header.marker));
        for pair in mine.windows(2) {
            assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
            assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
            assert_eq!((pair[1].ssrc, pair[1].payload_type), (pair[0].ssrc, 0));
        }
        names.push(mine[0].ssrc);
    }
    assert_ne!(names[0], names[1]);
    assert!(!names.contains(&7), "no side's name");
}

#[test]
fn a_thread_that_stood_still_makes_no_frames_up() {
    let mut supervision = Supervision::default();
    let now = Instant::now();
    supervision.join(now, ONE, Codec::Pcma, 5).unwrap();
    let later = now + Duration::from_secs(3);
    supervision.handle_timeout(later);
    assert!(supervision.poll_output().is_some() && supervision.poll_output().is_none());
    assert_eq!(supervision.next_timeout(), Some(later + FRAME));
    supervision.handle_timeout(later);
    assert!(supervision.poll_output().is_none(), "nothing is due");
}

#[test]
fn so_many_listen_and_no_more_and_whoever_leaves_makes_room() {
    let mut supervision = Supervision::default();
    let now = Instant::now();
    for id in 0..4 {
        supervision
            .join(now, ListenerId(id), Codec::Pcmu, id)
            .unwrap();
    }
    let another = supervision.join(now, ListenerId(9), Codec::Pcmu, 9);
    assert_eq!(another, Err(TooManyListeners));
    supervision.leave(ListenerId(2));
    assert_eq!(supervision.join(now, ListenerId(9), Codec::Pcmu, 9), Ok(()));
    for id in [0, 1, 3, 9] {
        supervision.leave(ListenerId(id));
    }
    assert!(supervision.is_empty() && supervision.next_timeout().is_none());
}

/// A side that speaks G.722 hears a whisper, and after it what it is sent, as a decoder of its own would have it.
#[test]
fn a_whisper_to_a_wide_leg_is_heard_and_leaves_nothing_behind() {
    let speech = |at: usize| {
        let angle = sample::count_f32(at) * 0.3;
        sample::from_f32(angle.sin() * 3_000.0)
    };
    let (mut supervision, mut encoder) = (Supervision::default(), Encoder::new(Codec::G722));
    let (mut far, mut plain) = (Decoder::new(Codec::G722), Decoder::new(Codec::G722));
    supervision
        .join(Instant::now(), ONE, Codec::Pcmu, 5)
        .unwrap();
    let way = Sent {
        codec: Codec::G722,
        payload_type: 9,
    };
    let mut powers = Vec::new();
    for frame in 0..60_u16 {
        match frame {
            20 => supervision.speak(ONE, Voice::Agent),
            40 => supervision.speak(ONE, Voice::Nobody),
            _ => {}
        }
        let tone: Vec<u8> = (0..160)
            .map(|at| {
                let angle = sample::count_f32(usize::from(frame) * 160 + at) * 1.1;
                Law::Mu.encode_sample(sample::from_f32(angle.sin() * 6_000.0))
            })
            .collect();
        supervision.hear(ONE, &rtp(0, frame, &tone));
        let linear: [i16; 160] = std::array::from_fn(|at| speech(usize::from(frame) * 160 + at));
        let mut payload = [0; 160];
        encoder.encode(&linear, &mut payload);
        let packet = rtp(9, frame, &payload);
        let left = supervision.pass(Leg::Agent, way, &packet, Barging::Possible);
        let (mut heard, mut alone) = ([0; 160], [0; 160]);
        far.decode(&left[HEADER_LEN..], &mut heard);
        plain.decode(&payload, &mut alone);
        let power = heard.iter().zip(alone).map(|(one, other)| {
            let apart = i64::from(*one) - i64::from(other);
            apart * apart
        });
        powers.push(power.sum::<i64>() / 160);
    }
    assert!(powers[..20].iter().all(|power| *power == 0), "{powers:?}");
    let whisper = 6_000_i64 * 6_000 / 2;
    assert!(
        powers[26..40].iter().all(|power| *power > whisper / 2),
        "{powers:?}"
    );
    assert!(
        powers[44..].iter().all(|power| *power < whisper / 1_000),
        "{powers:?}"
    );
}

/// 20 ms of a tone of 8,000.
fn tone(frame: usize) -> [i16; FRAME_SAMPLES] {
    std::array::from_fn(|at| {
        let angle = sample::count_f32(frame * FRAME_SAMPLES + at) * 0.5;
        sample::from_f32(angle.sin() * 8_000.0)
    })
}

fn loudest(samples: &[i16]) -> u16 {
    samples
        .iter()
        .map(|value| value.unsigned_abs())
        .max()
        .unwrap()
}

#[test]
fn a_side_of_opus_is_heard_and_whispered_to() {
    let (mut supervision, mut now) = (Supervision::default(), Instant::now());
    supervision.join(now, ONE, Codec::Pcmu, 5).unwrap();
    let (mut encoder, mut far) = (Encoder::new(Codec::Opus), Decoder::new(Codec::Opus));
    let way = Sent {
        codec: Codec::Opus,
        payload_type: 111,
    };
    // The agent is sent a tone, then nothing while somebody whispers one, then a tone once more.
    let mut ears = [[0; 2]; 3];
    for (part, ear) in ears.iter_mut().enumerate() {
        let voice = if part == 1 {
            Voice::Agent
        } else {
            Voice::Nobody
        };
        supervision.speak(ONE, voice);
        for frame in 0..25 {
            let sent = if part == 1 {
                [0; FRAME_SAMPLES]
            } else {
                tone(frame)
            };
            let mut said = [0; FRAME_SAMPLES];
            Law::Mu.encode(&tone(frame), &mut said);
            let number = u16::try_from(part * 25 + frame).unwrap();
            supervision.hear(ONE, &rtp(0, number, &said));
            let mut payload = [0; FRAME_SAMPLES + 4];
            let len = encoder.encode(&sent, &mut payload);
            let packet = rtp(111, number, &payload[..len]);
            let left = supervision.pass(Leg::Agent, way, &packet, Barging::Possible);
            assert_eq!(left == packet, part != 1);
            let mut linear = [0; FRAME_SAMPLES];
            assert_eq!(far.decode(&left[HEADER_LEN..], &mut linear), FRAME_SAMPLES);
            now += FRAME;
            supervision.handle_timeout(now);
            let (_, mixed) = supervision.poll_output().unwrap();
            let mut heard = [0; FRAME_SAMPLES];
            Law::Mu.decode(&mixed[HEADER_LEN..], &mut heard);
            if frame > 12 {
                *ear = [loudest(&linear), loudest(&heard)];
            }
        }
    }
    let [before, whispered, after] = ears;
    assert!(before[0] > 6_000 && before[1] > 6_000, "{before:?}");
    assert!(whispered[0] > 6_000 && whispered[1] < 200, "{whispered:?}");
    assert!(after[0] > 6_000 && after[1] > 6_000, "{after:?}");
    // What is no Opus at all passes.
    let wrong = rtp(111, 999, &[]);
    assert_eq!(
        supervision.pass(Leg::Agent, way, &wrong, Barging::Possible),
        wrong
    );
}
