//! Sides of one media thread who hear a sound of ours: agents for whom it rings, callers who wait.
//! Owns: the sounds, and where each goes.
//! Never: reads what a packet says: what the side sends meanwhile is for nobody, and is thrown away as it comes.

use std::collections::HashMap;
use std::time::Instant;

use media::leg::LegPlan;
use media::ringback::{Ringback, Sound};

use super::browsers::Browsers;
use super::carrier::Carrier;
use super::{Agreed, BrowserId, MediaId};
use crate::packet_io::Outbox;
use crate::rtp_socket::{ReceiveBuffer, RtpSocket};

/// Datagrams that are thrown away at one look, of the one or two that come in its time: the rest of a flood stays in the kernel, which drops what it has no room for.
const UNHEARD_MAX: usize = 8;

/// Where a tone goes.
pub(crate) enum RingLine {
    /// By the socket of the leg's ports, which stay with the control side.
    Port(RtpSocket),
    /// By a browser's leg of the same thread.
    Browser(BrowserId),
}

/// A tone that begins.
pub(crate) struct NewRing {
    pub(crate) agreed: Agreed,
    pub(crate) sound: Sound,
    pub(crate) line: RingLine,
    /// Random bits for its stream, from the operating system.
    pub(crate) seed: u64,
}

struct Ring {
    tone: Ringback,
    plan: LegPlan,
    carrier: Carrier,
    line: RingLine,
}

/// The tones of a thread, as many as its calls at most.
#[derive(Default)]
pub(super) struct Rings {
    rings: HashMap<MediaId, Ring>,
    /// None is due before this.
    pub(super) wake_at: Option<Instant>,
    unheard: ReceiveBuffer,
}

impl Rings {
    pub(super) fn begin(&mut self, id: MediaId, new: NewRing, now: Instant) {
        let NewRing {
            agreed,
            sound,
            line,
            seed,
        } = new;
        let Agreed { plan, carriage } = agreed;
        let Some(tone) = Ringback::new(&plan, sound, seed, now) else {
            return;
        };
        let carrier = Carrier::new(carriage);
        let ring = Ring {
            tone,
            plan,
            carrier,
            line,
        };
        self.rings.insert(id, ring);
        self.wake_at = Some(now);
    }

    /// Something else was agreed on with the side.
    pub(super) fn replan(&mut self, id: MediaId, agreed: Agreed) {
        if let Some(ring) = self.rings.get_mut(&id) {
            ring.tone.replan(&agreed.plan);
            ring.carrier.change(agreed.carriage);
            ring.plan = agreed.plan;
        }
    }

    /// The call is answered, heard, or over.
    pub(super) fn end(&mut self, id: MediaId) {
        if self.rings.remove(&id).is_some() {
            self.wake_at = self.next();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }

    /// Sends all that is due.
    pub(super) fn wake(&mut self, now: Instant, browsers: &mut Browsers, outbox: &mut Outbox) {
        if self.wake_at.is_none_or(|at| at > now) {
            return;
        }
        for ring in self.rings.values_mut() {
            ring.send(now, browsers, outbox);
            if let RingLine::Port(socket) = &ring.line {
                socket.discard(&mut self.unheard, UNHEARD_MAX);
            }
        }
        self.wake_at = self.next();
    }

    fn next(&self) -> Option<Instant> {
        self.rings
            .values()
            .map(|ring| ring.tone.next_timeout())
            .min()
    }
}

impl Ring {
    fn send(&mut self, now: Instant, browsers: &mut Browsers, outbox: &mut Outbox) {
        let Self {
            tone,
            plan,
            carrier,
            line,
        } = self;
        while let Some(packet) = tone.poll(now) {
            match line {
                RingLine::Browser(id) => browsers.send(*id, packet, now, outbox),
                // What finds no room is lost, as a tone's packet on any line.
                RingLine::Port(socket) => {
                    let sealed = carrier.seal(packet, false);
                    let _lost = sealed.map(|packet| socket.send(packet, plan.remote_rtp));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    use media::leg::Codec;
    use media::ringback::Ringing;

    use super::*;
    use crate::media_thread::Carriage;
    use crate::packet_io::{Backend, PacketIo};
    use crate::rtp_socket::ReceiveBuffer;

    #[test]
    fn a_tone_goes_out_every_20_ms_until_it_is_ended() {
        let bind = || RtpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let (ours, theirs) = (bind(), bind());
        let mut io = PacketIo::new(Backend::Epoll).unwrap();
        let (mut rings, mut browsers) = (Rings::default(), Browsers::default());
        let began = Instant::now();
        let new = NewRing {
            agreed: Agreed {
                plan: LegPlan::new(Codec::Pcma, theirs.local()),
                carriage: Carriage::Plain,
            },
            sound: Sound::Ringing(Ringing::default()),
            line: RingLine::Port(ours),
            seed: 7,
        };
        rings.begin(MediaId(1), new, began);
        let mut buffer = ReceiveBuffer::new();
        for step in 0..5 {
            let now = began + Duration::from_millis(20) * step;
            rings.wake(now, &mut browsers, io.outbox());
            rings.wake(now, &mut browsers, io.outbox());
            let heard = theirs.receive(&mut buffer, |datagram| datagram.bytes.len());
            assert_eq!(heard.unwrap(), Some(172));
            assert_eq!(theirs.discard(&mut buffer, 10), 0);
        }
        rings.end(MediaId(1));
        assert!(rings.is_empty() && rings.wake_at.is_none());
        rings.wake(began + Duration::from_secs(1), &mut browsers, io.outbox());
        assert_eq!(theirs.discard(&mut buffer, 10), 0);
    }
}
