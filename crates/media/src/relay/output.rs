//! What a relay wants done, in a queue of fixed size.
//! Owns: the bytes and samples of waiting outputs, in one queue for each thread, whatever the number of its relays.
//! Never: grows; the shell drains it after every input.

use std::cell::Cell;
use std::fmt;
use std::net::SocketAddr;

use secret::Key;

use crate::leg::Leg;
use crate::rtcp::REPORT_LEN_MAX;
use crate::rtp::HEADER_LEN;

/// Outputs that may wait. Under protection one input makes at most 1,536 samples (a packet of 120 ms, a gap of 60 ms filled before it, 12 ms
/// held back): 20 packets and as many recordings in packets of 10 ms; then some RTCP and events. When full, packets and recordings are
/// dropped and counted.
const OUTPUTS_MAX: usize = 64;

/// Places kept free for keys and events. When these are full too, the newest is dropped and counted.
const RESERVED_OUTPUTS: usize = 16;

/// Samples that one input makes, and those of an incomplete frame that leave with them: 120 ms.
const SAMPLES_AT_ONCE: usize = 1_536 + 960;

/// Samples of waiting recordings. When full, recordings are dropped and counted.
const SAMPLES_MAX: usize = 2_560;

/// Bytes of waiting packets: a byte a sample, the headers of so many packets of 10 ms, three ends of an event and RTCP for both legs. When
/// full, packets are dropped and counted.
const BYTES_MAX: usize = 3_328;

const _: () = assert!(SAMPLES_AT_ONCE <= SAMPLES_MAX);
const _: () = assert!(
    SAMPLES_AT_ONCE
        + HEADER_LEN * SAMPLES_AT_ONCE.div_ceil(80)
        + 3 * (HEADER_LEN + 4)
        + 2 * REPORT_LEN_MAX
        <= BYTES_MAX
);

/// What the shell is to do. It does not print what it carries: an unprotected packet may be an event, and audio is someone's voice.
pub enum Output<'relay> {
    /// Send a datagram from the leg's socket.
    Transmit {
        /// The leg whose socket sends.
        leg: Leg,
        /// To where.
        destination: SocketAddr,
        /// The datagram, at most 1,500 bytes.
        bytes: &'relay [u8],
        /// Send it from the RTCP socket; false for all packets of a leg with `rtcp_mux`.
        rtcp: bool,
    },
    /// The consumer pressed a key.
    Key(Key),
    /// The agent pressed a key, and was to be heard.
    AgentKey(Key),
    /// Audio that may be kept: what the other leg was sent, decoded. Never holds a key press under protection.
    Record {
        /// Who spoke.
        leg: Leg,
        /// Position of the first sample, in samples since the relay was made. Both legs share it to within their jitter. A jump is silence.
        position: u64,
        /// 16-bit samples at 8 kHz.
        samples: &'relay [i16],
    },
    /// Something to know.
    Event(RelayEvent),
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit {
                leg,
                destination,
                bytes,
                rtcp,
            } => formatter
                .debug_struct("Transmit")
                .field("leg", leg)
                .field("destination", destination)
                .field("len", &bytes.len())
                .field("rtcp", rtcp)
                .finish(),
            Self::Key(_) => formatter.write_str("Key"),
            Self::AgentKey(_) => formatter.write_str("AgentKey"),
            Self::Record {
                leg,
                position,
                samples,
            } => formatter
                .debug_struct("Record")
                .field("leg", leg)
                .field("position", position)
                .field("len", &samples.len())
                .finish(),
            Self::Event(event) => formatter.debug_tuple("Event").field(event).finish(),
        }
    }
}

/// Why protection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProtectionRefusal {
    /// Neither RTP nor RTCP from the consumer in the last 6 s, nor within the second after asking; or nothing is to be received at all.
    NoMedia,
    /// What the consumer sends is not the codec that was negotiated, the only one that can be masked.
    Codec,
    /// The delay line did not yield each sample of a call that nobody made, once.
    DelayLine,
    /// The mask let a press that nobody made through, or did more than mask it.
    ShadowPress,
    /// The recorder was given what the agent was not: it does not hang behind the mask.
    Sink,
    /// The egress guard did not find an unmasked press.
    EgressGuard,
}

impl ProtectionRefusal {
    /// Its reason code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoMedia => "no_media",
            Self::Codec => "codec",
            Self::DelayLine => "delay_line",
            Self::ShadowPress => "shadow_press",
            Self::Sink => "sink",
            Self::EgressGuard => "egress_guard",
        }
    }
}

/// Why protection was lost. The agent hears silence until protection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProtectionLoss {
    /// The relay was not driven for more than a second.
    Stalled,
    /// A key's tones, or a packet that the mask had not seen, were about to leave (S33).
    EgressGuard,
}

impl ProtectionLoss {
    /// Its reason code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::EgressGuard => "egress_guard",
        }
    }
}

/// What a relay reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayEvent {
    /// The mask holds.
    Protected {
        /// RTP timestamp of the agent's stream from which it holds.
        timestamp: u32,
        /// The same as a recording position.
        position: u64,
    },
    /// Protection cannot be given; the call stays as it was.
    ProtectionRefused {
        /// Why.
        reason: ProtectionRefusal,
    },
    /// The mask has been left; the consumer's packets are relayed as they come.
    Unprotected {
        /// Recording position from which audio is unmasked. The 96 samples from here on were held back and left with the last masked packet.
        position: u64,
    },
    /// Protection ended by itself; the agent hears silence.
    ProtectionLost {
        /// Why.
        reason: ProtectionLoss,
    },
    /// Nothing came from a leg that should send for the whole time-out.
    MediaTimeout {
        /// Which leg.
        leg: Leg,
    },
    /// While protected: nothing came from the consumer for 3 s.
    LineSilent,
    /// Something came again after [`RelayEvent::LineSilent`].
    LineBack,
    /// A leg's source is now known, or has changed.
    SourceLatched {
        /// Which leg.
        leg: Leg,
        /// Where its packets come from.
        source: SocketAddr,
    },
    /// A key cannot be told from its neighbour (a loss hid the pause): the field is to be asked for again.
    TonesUnclear,
}

enum Entry {
    Transmit {
        leg: Leg,
        destination: SocketAddr,
        start: usize,
        end: usize,
        rtcp: bool,
    },
    Key(Key),
    AgentKey(Key),
    Record {
        leg: Leg,
        position: u64,
        start: usize,
        end: usize,
    },
    Event(RelayEvent),
}

/// A queue. Bytes and samples are taken back once it is empty.
struct Queue {
    entries: [Option<Entry>; OUTPUTS_MAX],
    first: usize,
    len: usize,
    bytes: [u8; BYTES_MAX],
    bytes_used: usize,
    samples: [i16; SAMPLES_MAX],
    samples_used: usize,
}

thread_local! {
    /// The queue of whichever relay of this thread is being driven: one that stays in the cache, where those of all relays would not.
    static SPARE: Cell<Option<Box<Queue>>> = const { Cell::new(None) };
}

impl Queue {
    /// The thread's; a new one if it is lent: a relay that plays another within an input, one that was not drained, or the thread's first.
    fn lend() -> Box<Self> {
        SPARE.take().unwrap_or_else(|| {
            Box::new(Self {
                entries: [const { None }; OUTPUTS_MAX],
                first: 0,
                len: 0,
                bytes: [0; BYTES_MAX],
                bytes_used: 0,
                samples: [0; SAMPLES_MAX],
                samples_used: 0,
            })
        })
    }

    /// Gives an empty queue back to the thread; nothing of the call stays in it.
    fn give_back(mut self: Box<Self>) {
        self.begin_anew();
        SPARE.set(Some(self));
    }

    /// Takes bytes and samples back if nothing waits.
    fn begin_anew(&mut self) {
        if self.len == 0 {
            self.bytes[..self.bytes_used].fill(0);
            self.samples[..self.samples_used].fill(0);
            (self.first, self.bytes_used, self.samples_used) = (0, 0, 0);
        }
    }

    fn take_first(&mut self) -> Option<Entry> {
        let place = &mut self.entries[self.first];
        // A key is wiped where it stood, so that none stays behind in the queue.
        let entry = match place {
            Some(Entry::Key(key)) => Entry::Key(key.take()),
            Some(Entry::AgentKey(key)) => Entry::AgentKey(key.take()),
            _ => place.take()?,
        };
        *place = None;
        self.first = (self.first + 1) % OUTPUTS_MAX;
        self.len -= 1;
        Some(entry)
    }

    fn show(&self, entry: Entry) -> Output<'_> {
        match entry {
            Entry::Transmit {
                leg,
                destination,
                start,
                end,
                rtcp,
            } => Output::Transmit {
                leg,
                destination,
                bytes: &self.bytes[start..end],
                rtcp,
            },
            Entry::Key(key) => Output::Key(key),
            Entry::AgentKey(key) => Output::AgentKey(key),
            Entry::Record {
                leg,
                position,
                start,
                end,
            } => Output::Record {
                leg,
                position,
                samples: &self.samples[start..end],
            },
            Entry::Event(event) => Output::Event(event),
        }
    }

    fn is_full_for_packets(&self) -> bool {
        self.len >= OUTPUTS_MAX - RESERVED_OUTPUTS
    }
}

/// What waits. A relay has a queue from its first output until it is drained.
pub(super) struct Outputs {
    queue: Option<Box<Queue>>,
    dropped: u64,
}

impl Outputs {
    pub(super) fn new() -> Self {
        Self {
            queue: None,
            dropped: 0,
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn queue(&mut self) -> &mut Queue {
        self.queue.get_or_insert_with(Queue::lend)
    }

    /// Takes a datagram given as head and body. False if it was dropped.
    pub(super) fn transmit(
        &mut self,
        leg: Leg,
        destination: SocketAddr,
        rtcp: bool,
        parts: [&[u8]; 2],
    ) -> bool {
        let queue = self.queue();
        queue.begin_anew();
        let start = queue.bytes_used;
        let middle = start + parts[0].len();
        let end = middle + parts[1].len();
        if end > BYTES_MAX || queue.is_full_for_packets() {
            self.dropped += 1;
            return false;
        }
        queue.bytes[start..middle].copy_from_slice(parts[0]);
        queue.bytes[middle..end].copy_from_slice(parts[1]);
        queue.bytes_used = end;
        self.push(Entry::Transmit {
            leg,
            destination,
            start,
            end,
            rtcp,
        });
        true
    }

    pub(super) fn record(&mut self, leg: Leg, position: u64, samples: &[i16]) {
        let queue = self.queue();
        queue.begin_anew();
        let start = queue.samples_used;
        let end = start + samples.len();
        if end > SAMPLES_MAX || queue.is_full_for_packets() {
            self.dropped += 1;
            return;
        }
        queue.samples[start..end].copy_from_slice(samples);
        queue.samples_used = end;
        self.push(Entry::Record {
            leg,
            position,
            start,
            end,
        });
    }

    pub(super) fn event(&mut self, event: RelayEvent) {
        self.push(Entry::Event(event));
    }

    pub(super) fn key(&mut self, key: Key) {
        self.push(Entry::Key(key));
    }

    pub(super) fn agent_key(&mut self, key: Key) {
        self.push(Entry::AgentKey(key));
    }

    pub(super) fn poll(&mut self) -> Option<Output<'_>> {
        match self.queue.as_mut()?.take_first() {
            Some(entry) => self.queue.as_deref().map(|queue| queue.show(entry)),
            None => {
                if let Some(queue) = self.queue.take() {
                    queue.give_back();
                }
                None
            }
        }
    }

    fn push(&mut self, entry: Entry) {
        let queue = self.queue();
        if queue.len == OUTPUTS_MAX {
            self.dropped += 1;
            return;
        }
        queue.entries[(queue.first + queue.len) % OUTPUTS_MAX] = Some(entry);
        queue.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_dropped_before_events_are() {
        let mut outputs = Outputs::new();
        let destination = SocketAddr::from(([127, 0, 0, 1], 9));
        let sent = (0..100)
            .filter(|_| outputs.transmit(Leg::Agent, destination, false, [&[1], &[2]]))
            .count();
        assert_eq!(sent, OUTPUTS_MAX - RESERVED_OUTPUTS);
        outputs.event(RelayEvent::LineBack);
        let mut last = 0;
        while let Some(output) = outputs.poll() {
            last = usize::from(matches!(output, Output::Event(RelayEvent::LineBack)));
        }
        assert_eq!((last, outputs.dropped()), (1, 52));
    }

    #[test]
    fn room_comes_back_once_the_queue_is_empty() {
        let mut outputs = Outputs::new();
        for round in 0..10 {
            outputs.record(Leg::Agent, round, &[7; 2_500]);
            assert!(
                matches!(outputs.poll(), Some(Output::Record { samples, .. }) if samples.len() == 2_500)
            );
        }
        assert_eq!(outputs.dropped(), 0);
    }
}
