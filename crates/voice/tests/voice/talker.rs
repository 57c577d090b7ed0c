//! A phone's media for the tests: a packet every 20 ms, from a thread of its own, and all that it hears.

use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use media::dtmf::inband::LooseDetector;
use media::dtmf::inband::keypad::pair_of_event;
use media::dtmf::telephone_event::{EventCode, EventSender};
use media::g711::Law;
use media::g722;
use media::rtp::{RtpHeader, RtpPacket};
use media::tone::{KeyTone, KeyToneShape};
use sip::sdp::SrtpKeys;
use voice::rtp_socket::{ReceiveBuffer, RtpSocket};

use crate::srtp::{Secured, opened, sealed};

pub(crate) const AUDIO: u8 = 0;
pub(crate) const WIDE: u8 = 9;
pub(crate) const NOISE: u8 = 13;
pub(crate) const EVENTS: u8 = 101;
const PACKET: usize = 160;

/// What is sent next, in place of the voice.
enum Say {
    Audio(Box<[i16; PACKET]>),
    Event(EventCode, u32),
    Quiet,
    /// Nothing for so many packets, but how quiet it is, ten packets apart.
    Noise(u8, u32),
}

#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) header: RtpHeader,
    pub(crate) payload: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    destination: Mutex<Option<SocketAddr>>,
    says: Mutex<VecDeque<Say>>,
    heard: Mutex<Vec<Heard>>,
    stop: AtomicBool,
    secured: Mutex<Option<Secured>>,
    sealed_last: Mutex<Vec<u8>>,
    /// G.722 is spoken.
    is_wide: AtomicBool,
}

pub(crate) struct Talker {
    pub(crate) local: SocketAddr,
    shared: Arc<Shared>,
    join: Option<JoinHandle<()>>,
}

impl Drop for Talker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.join.take().unwrap().join().unwrap();
    }
}

impl Talker {
    /// Hums at this pitch while it has nothing else to say.
    pub(crate) fn new(ip: &str, hum_hz: f32) -> Self {
        let socket = RtpSocket::bind(SocketAddr::new(ip.parse().unwrap(), 0)).unwrap();
        let local = socket.local();
        let shared = Arc::new(Shared::default());
        let thread = Arc::clone(&shared);
        let join = std::thread::spawn(move || run(&socket, &thread, hum_hz));
        Self {
            local,
            shared,
            join: Some(join),
        }
    }

    pub(crate) fn talk_to(&self, destination: SocketAddr) {
        *self.shared.destination.lock().unwrap() = Some(destination);
    }

    /// Secures what is said and heard from now on; none: in clear.
    pub(crate) fn secure(&self, keys: Option<&SrtpKeys>) {
        *self.shared.secured.lock().unwrap() = keys.map(Secured::new);
    }

    /// The last packet that was sent, as it went out.
    pub(crate) fn sealed_last(&self) -> Vec<u8> {
        self.shared.sealed_last.lock().unwrap().clone()
    }

    /// Speaks G.722 from now on.
    pub(crate) fn widen(&self) {
        self.shared.is_wide.store(true, Ordering::SeqCst);
    }

    pub(crate) fn fall_silent(&self) {
        *self.shared.destination.lock().unwrap() = None;
    }

    /// Presses keys of RFC 4733: 100 ms each, 100 ms apart.
    pub(crate) fn press_events(&self, codes: &[u8]) {
        let mut says = self.shared.says.lock().unwrap();
        for code in codes {
            says.push_back(Say::Event(EventCode::new(*code), 800));
            says.extend((0..6).map(|_| Say::Quiet));
        }
    }

    /// Presses keys as tones in the audio: 100 ms each, 100 ms apart.
    pub(crate) fn press_tones(&self, codes: &[u8]) {
        let mut says = self.shared.says.lock().unwrap();
        // Nobody keys within milliseconds of the mask; a press that began before it does not count.
        says.extend((0..5).map(|_| Say::Quiet));
        for code in codes {
            let mut tone = KeyTone::new(pair_of_event(*code).unwrap(), KeyToneShape::default());
            for _ in 0..5 {
                let mut samples = [0; PACKET];
                tone.add_to(&mut samples);
                says.push_back(Say::Audio(Box::new(samples)));
            }
            says.extend((0..5).map(|_| Say::Quiet));
        }
    }

    /// Says that its noise is `level` dB below overload, and falls silent for so many packets of 20 ms.
    pub(crate) fn pause(&self, level: u8, packets: u32) {
        let mut says = self.shared.says.lock().unwrap();
        says.push_back(Say::Noise(level, packets));
    }

    pub(crate) fn has_said_all(&self) -> bool {
        self.shared.says.lock().unwrap().is_empty()
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.heard.lock().unwrap().clear();
    }

    /// What was heard of the newest stream as samples, in the order of its timestamps; gaps are silence.
    pub(crate) fn sound(&self) -> Vec<i16> {
        sound_of(&self.heard())
    }

    /// Stretches that might be keys.
    pub(crate) fn keys_heard(&self) -> usize {
        keys_in(&self.sound())
    }

    /// Share of this pitch in the last half second that was heard, 0 to 1.
    pub(crate) fn share_of(&self, pitch_hz: f32) -> f32 {
        share_in(&self.sound(), pitch_hz)
    }
}

/// The newest stream as samples, in the order of its timestamps; gaps are silence.
pub(crate) fn sound_of(heard: &[Heard]) -> Vec<i16> {
    let is_audio = |one: &&Heard| [AUDIO, WIDE].contains(&one.header.payload_type);
    let Some(newest) = heard.iter().rfind(is_audio).map(|one| one.header.ssrc) else {
        return Vec::new();
    };
    let audio = heard.iter().filter(is_audio);
    let audio: Vec<&Heard> = audio.filter(|one| one.header.ssrc == newest).collect();
    let Some(first) = audio.first().map(|one| one.header.timestamp) else {
        return Vec::new();
    };
    let mut sound = Vec::new();
    let mut decoder = g722::Decoder::new();
    for one in audio {
        let from = usize::try_from(one.header.timestamp.wrapping_sub(first)).unwrap();
        if from > 8_000 * 60 {
            continue;
        }
        sound.resize(sound.len().max(from + one.payload.len()), 0);
        let place = &mut sound[from..from + one.payload.len()];
        if one.header.payload_type == WIDE {
            decoder.decode(&one.payload, place);
        } else {
            Law::Mu.decode(&one.payload, place);
        }
    }
    sound
}

/// Stretches that might be keys.
pub(crate) fn keys_in(sound: &[i16]) -> usize {
    let finds = LooseDetector::scan(sound);
    finds.iter().filter(|find| find.key().is_some()).count()
}

/// Share of this pitch in the last half second, 0 to 1.
pub(crate) fn share_in(sound: &[i16], pitch_hz: f32) -> f32 {
    let end = &sound[sound.len().saturating_sub(4_000)..];
    let total: f32 = end.iter().map(|sample| f32::from(*sample).powi(2)).sum();
    let wave = |phase: f32| -> f32 {
        let each = end.iter().zip(0_u16..).map(|(sample, at)| {
            f32::from(*sample) * (TAU * pitch_hz * f32::from(at) / 8_000.0 + phase).sin()
        });
        each.sum()
    };
    let count = f32::from(u16::try_from(end.len().max(1)).unwrap());
    2.0 * (wave(0.0).powi(2) + wave(TAU / 4.0).powi(2)) / (count * total.max(1.0))
}

/// A socket, and how what it sends is secured.
type Mic<'talker> = (&'talker RtpSocket, &'talker Shared);

struct Mouth {
    header: RtpHeader,
    hum_hz: f32,
    samples_said: u32,
    event: Option<EventSender>,
    /// Level of a pause, and packets of it that are left.
    pause: (u8, u32),
    encoder: g722::Encoder,
}

fn run(socket: &RtpSocket, shared: &Shared, hum_hz: f32) {
    let mut buffer = ReceiveBuffer::new();
    let header = RtpHeader {
        marker: false,
        payload_type: AUDIO,
        sequence: 1_000,
        timestamp: 5_000,
        ssrc: u32::from(socket.local().port()),
    };
    let mut mouth = Mouth {
        header,
        hum_hz,
        samples_said: 0,
        event: None,
        pause: (0, 0),
        encoder: g722::Encoder::new(),
    };
    let mut due = Instant::now();
    while !shared.stop.load(Ordering::SeqCst) {
        listen(socket, shared, &mut buffer);
        if Instant::now() < due {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        }
        due += Duration::from_millis(20);
        let destination = *shared.destination.lock().unwrap();
        if let Some(destination) = destination {
            mouth.speak(socket, shared, destination);
        }
        mouth.header.timestamp = mouth.header.timestamp.wrapping_add(160);
    }
}

fn listen(socket: &RtpSocket, shared: &Shared, buffer: &mut ReceiveBuffer) {
    let take = |datagram: voice::rtp_socket::Datagram<'_>| {
        let mut secured = shared.secured.lock().unwrap();
        let Some(bytes) = opened(secured.as_mut(), datagram.bytes) else {
            return;
        };
        if let Ok(packet) = RtpPacket::parse(&bytes) {
            let one = Heard {
                header: packet.header,
                payload: packet.payload.to_vec(),
            };
            shared.heard.lock().unwrap().push(one);
        }
    };
    while let Ok(Some(())) = socket.receive(buffer, take) {}
}

impl Mouth {
    fn speak(&mut self, socket: &RtpSocket, shared: &Shared, destination: SocketAddr) {
        let socket = (socket, shared);
        if self.pause.1 > 0 {
            return self.keep_silent(socket, destination);
        }
        if self.event.is_none() {
            let say = shared.says.lock().unwrap().pop_front();
            match say {
                Some(Say::Event(code, length)) => {
                    self.event = Some(EventSender::new(code, self.header.timestamp, length, 160))
                }
                Some(Say::Audio(samples)) => {
                    return self.send_audio(socket, shared, destination, &samples);
                }
                Some(Say::Noise(level, packets)) => {
                    self.pause = (level, packets);
                    return self.keep_silent(socket, destination);
                }
                Some(Say::Quiet) => {
                    return self.send_audio(socket, shared, destination, &[0; PACKET]);
                }
                None => {
                    let hum = self.hum();
                    return self.send_audio(socket, shared, destination, &hum);
                }
            }
        }
        self.send_event(socket, destination);
    }

    fn keep_silent(&mut self, socket: Mic<'_>, destination: SocketAddr) {
        let (level, left) = self.pause;
        self.pause.1 = left - 1;
        if left % 10 == 0 {
            let header = RtpHeader {
                payload_type: NOISE,
                ..self.header
            };
            self.send(socket, destination, header, &[level]);
        }
    }

    /// One packet of the event; the end packets go out back to back.
    fn send_event(&mut self, socket: Mic<'_>, destination: SocketAddr) {
        while let Some(frame) = self.event.as_mut().and_then(EventSender::next_frame) {
            let header = RtpHeader {
                marker: frame.marker,
                payload_type: EVENTS,
                timestamp: frame.timestamp,
                ..self.header
            };
            self.send(socket, destination, header, &frame.payload);
            if !frame.end {
                return;
            }
        }
        self.event = None;
    }

    fn hum(&mut self) -> [i16; PACKET] {
        let mut samples = [0; PACKET];
        for sample in &mut samples {
            let at = f32::from(u16::try_from(self.samples_said % 8_000).unwrap());
            *sample = media::sample::from_f32(3_000.0 * (TAU * self.hum_hz * at / 8_000.0).sin());
            self.samples_said += 1;
        }
        samples
    }

    fn send_audio(
        &mut self,
        socket: Mic<'_>,
        shared: &Shared,
        destination: SocketAddr,
        samples: &[i16; PACKET],
    ) {
        let is_wide = shared.is_wide.load(Ordering::SeqCst);
        let mut payload = [0; PACKET];
        if is_wide {
            self.encoder.encode(samples, &mut payload);
        } else {
            Law::Mu.encode(samples, &mut payload);
        }
        let header = RtpHeader {
            payload_type: if is_wide { WIDE } else { AUDIO },
            ..self.header
        };
        self.send(socket, destination, header, &payload);
    }

    fn send(
        &mut self,
        (socket, shared): Mic<'_>,
        destination: SocketAddr,
        header: RtpHeader,
        payload: &[u8],
    ) {
        let bytes = [header.to_bytes().as_slice(), payload].concat();
        let bytes = sealed(shared.secured.lock().unwrap().as_mut(), &bytes);
        shared.sealed_last.lock().unwrap().clone_from(&bytes);
        self.header.sequence = self.header.sequence.wrapping_add(1);
        // A far side that has hung up already is none of this phone's business.
        let _sent = socket.send(&bytes, destination);
    }
}
