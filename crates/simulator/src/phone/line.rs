//! The media side of a phone's call.
//! Owns: one RTP socket, how its packets are secured, what is sent each 20 ms, what is heard.
//! Never: knows SIP.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use media::g711::Law;
use media::rtp::{RtpHeader, RtpPacket};
use rand::Rng;
use secret::Key;
use sip::sdp::{Codec, Negotiated};
use voice::rtp_socket::{ReceiveBuffer, RtpSocket};
use voice::{Carriage, Carrier};

use super::heard::Heard;
use super::keying::{FRAME, FRAME_SAMPLES, Frame, Keying, KeyingMode};
use super::speech::Speech;

/// Datagrams read per tick: 200 ms of a stream in 10 ms packets, and RTCP.
const RECEIVE_MAX: usize = 40;

/// An open line.
pub(crate) struct Line {
    socket: RtpSocket,
    buffer: ReceiveBuffer,
    agreed: Option<Negotiated>,
    carrier: Carrier,
    speech: Option<Speech>,
    pub(crate) keying: Keying,
    heard: Arc<Mutex<Heard>>,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    began: bool,
}

impl Line {
    /// Opens a socket on an address. `voice`: seed and pitch of the talker; none: silence.
    pub(crate) fn open(
        address: IpAddr,
        voice: Option<(u64, f32)>,
        mode: KeyingMode,
        heard: Arc<Mutex<Heard>>,
    ) -> std::io::Result<Self> {
        let mut random = rand::rng();
        let mut keying = Keying::new();
        keying.mode = mode;
        *heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard::default();
        Ok(Self {
            socket: RtpSocket::bind(SocketAddr::new(address, 0))?,
            buffer: ReceiveBuffer::new(),
            agreed: None,
            carrier: Carrier::new(Carriage::Plain),
            speech: voice.map(|(seed, pitch_hz)| Speech::new(seed, pitch_hz)),
            keying,
            heard,
            ssrc: random.random(),
            sequence: random.random(),
            timestamp: random.random(),
            began: false,
        })
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local()
    }

    /// Media flows as it was agreed on; keys that are none for their suite leave it as it was.
    pub(crate) fn agree(&mut self, agreed: Negotiated) {
        if let Ok(carriage) = Carriage::of(agreed.srtp.clone()) {
            self.carrier.change(carriage);
            self.agreed = Some(agreed);
        }
    }

    pub(crate) fn press(&mut self, key: Key) -> bool {
        self.keying.press(key)
    }

    /// Takes what came and sends 20 ms. Yields the character of an INFO that is due.
    pub(crate) fn tick(&mut self) -> Option<char> {
        self.receive();
        let agreed = self.agreed.clone()?;
        let mut info = None;
        match self.keying.next_frame(self.timestamp) {
            Frame::Audio => self.send_speech(&agreed),
            Frame::Tone(samples) => self.send_audio(&agreed, &samples),
            Frame::Info(character) => {
                info = Some(character);
                self.send_speech(&agreed);
            }
            Frame::Events(frames) => {
                if let Some(payload_type) = agreed.telephone_event_out {
                    for frame in frames {
                        self.send(
                            &agreed,
                            (payload_type, frame.marker, frame.timestamp),
                            &frame.payload,
                        );
                    }
                }
            }
        }
        self.timestamp = self.timestamp.wrapping_add(FRAME);
        info
    }

    fn send_speech(&mut self, agreed: &Negotiated) {
        let mut samples = [0; FRAME_SAMPLES];
        if let Some(speech) = &mut self.speech {
            speech.fill(&mut samples);
        }
        self.send_audio(agreed, &samples);
    }

    fn send_audio(&mut self, agreed: &Negotiated, samples: &[i16; FRAME_SAMPLES]) {
        let Some(law) = law_of(agreed.codec) else {
            return;
        };
        let mut bytes = [0; FRAME_SAMPLES];
        law.encode(samples, &mut bytes);
        let marker = !self.began;
        self.began = true;
        self.send(
            agreed,
            (agreed.payload_type_out, marker, self.timestamp),
            &bytes,
        );
    }

    fn send(
        &mut self,
        agreed: &Negotiated,
        (payload_type, marker, timestamp): (u8, bool, u32),
        payload: &[u8],
    ) {
        let header = RtpHeader {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = header.to_bytes().to_vec();
        packet.extend_from_slice(payload);
        if let Some(carried) = self.carrier.seal(&packet, false) {
            // A network loses packets; so may this phone.
            let _lost = self.socket.send(carried, agreed.remote_rtp);
        }
    }

    fn receive(&mut self) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (agreed, carrier) = (self.agreed.as_ref(), &mut self.carrier);
        for _ in 0..RECEIVE_MAX {
            let taken = self.socket.receive(&mut self.buffer, |datagram| {
                let Ok(bytes) = carrier.open(datagram.bytes, false) else {
                    return;
                };
                let (Some(agreed), Ok(packet)) = (agreed, RtpPacket::parse(bytes)) else {
                    return;
                };
                if packet.header.payload_type == agreed.payload_type_in {
                    if let Some(law) = law_of(agreed.codec) {
                        heard.audio(&packet, law);
                    }
                } else if Some(packet.header.payload_type) == agreed.telephone_event_in {
                    heard.event();
                }
            });
            if !matches!(taken, Ok(Some(()))) {
                break;
            }
        }
    }
}

/// G.711 is all that this phone offers and takes.
fn law_of(codec: Codec) -> Option<Law> {
    match codec {
        Codec::Pcmu => Some(Law::Mu),
        Codec::Pcma => Some(Law::A),
        Codec::G722 | Codec::Opus => None,
    }
}
