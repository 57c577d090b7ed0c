//! How Opus packets are put together ([RFC 6716 §3](https://www.rfc-editor.org/rfc/rfc6716#section-3)).
//! Owns: how long a packet sounds; frames joined into one packet.
//! Never: looks into a frame.

use crate::relay::AUDIO_SAMPLES_MAX;

/// Samples of a frame at 8 kHz: SILK's 10 to 60 ms, hybrid's 10 and 20 ms, CELT's 2.5 to 20 ms.
const SILK: [usize; 4] = [80, 160, 320, 480];
const HYBRID: [usize; 2] = [80, 160];
const CELT: [usize; 4] = [20, 40, 80, 160];

/// Frames that we join in a packet at most: 120 ms of 10 ms each.
pub(super) const FRAMES_MAX: usize = 12;

/// Bits of a packet's second octet ([RFC 6716 §3.2.5](https://www.rfc-editor.org/rfc/rfc6716#section-3.2.5)): how many frames, and that they differ
/// in length.
const COUNT_BITS: u8 = 0x3F;
const DIFFERING: u8 = 0x80;

/// Low bits of the first octet: frames are counted in the second one.
const COUNTED: u8 = 3;

/// Lengths below it have one octet.
const TWO_OCTETS_FROM: usize = 252;

/// Samples of a frame of speech of ours (SILK): 10 ms.
pub(super) const SPEECH_SAMPLES: usize = SILK[0];

/// First octet of frames of speech of ours, SILK of 10 ms in a telephone's band, where none could be encoded.
const SPEECH_HEAD: u8 = 0;

/// The same of CELT's, of 2.5 and 5 ms.
const SHORT_HEADS: [u8; 2] = [16 << 3, 17 << 3];

/// How many samples at 8 kHz a packet has, at most 120 ms; none if it does not say, or says more.
pub(crate) fn samples_of(packet: &[u8]) -> Option<usize> {
    let (head, rest) = packet.split_first()?;
    let place = usize::from(head >> 3);
    let frame = match place {
        0..12 => SILK[place % SILK.len()],
        12..16 => HYBRID[place % HYBRID.len()],
        _ => CELT[place % CELT.len()],
    };
    let count = match head & COUNTED {
        0 => 1,
        1 | 2 => 2,
        _ => usize::from(rest.first()? & COUNT_BITS),
    };
    let samples = frame * count;
    (1..=AUDIO_SAMPLES_MAX)
        .contains(&samples)
        .then_some(samples)
}

/// The frames of a packet of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frames {
    pub(super) samples: usize,
    pub(super) count: usize,
}

impl Frames {
    /// Those of a packet of at least `len` samples, as little filled up as can be: of 10 ms each, whatever the packet has, so that an encoder has frames of
    /// one length. Below 10 ms only CELT has frames.
    pub(super) fn of(len: usize) -> Self {
        if len <= 40 {
            let samples = if len <= 20 { 20 } else { 40 };
            return Self { samples, count: 1 };
        }
        let whole = len.next_multiple_of(SPEECH_SAMPLES).min(AUDIO_SAMPLES_MAX);
        Self {
            samples: SPEECH_SAMPLES,
            count: whole / SPEECH_SAMPLES,
        }
    }

    /// Octets of a frame at most: six bits a sample, so that a packet has no more octets than samples.
    fn octets_max(self) -> usize {
        self.samples * 3 / 4
    }

    fn head(self) -> u8 {
        match self.samples {
            20 => SHORT_HEADS[0],
            40 => SHORT_HEADS[1],
            _ => SPEECH_HEAD,
        }
    }
}

/// Frames on their way into one packet.
pub(super) struct Joined {
    frames: Frames,
    /// Each with its head, one after the other.
    octets: [u8; AUDIO_SAMPLES_MAX],
    lengths: [usize; FRAMES_MAX],
    used: usize,
    count: usize,
}

impl Joined {
    pub(super) fn new(frames: Frames) -> Self {
        Self {
            frames,
            octets: [0; AUDIO_SAMPLES_MAX],
            lengths: [0; FRAMES_MAX],
            used: 0,
            count: 0,
        }
    }

    /// Where the next frame is to be encoded.
    pub(super) fn next_frame(&mut self) -> Option<&mut [u8]> {
        let end = self.used + self.frames.octets_max();
        self.octets.get_mut(self.used..end)
    }

    /// The frame has so many octets; 0: it could not be encoded, and the far side conceals it.
    pub(super) fn note(&mut self, len: usize) {
        let len = len.min(self.frames.octets_max());
        if let Some(place) = self.lengths.get_mut(self.count) {
            *place = len;
            self.used += len;
            self.count += 1;
        }
    }

    /// Writes the packet; says how many octets it has.
    pub(super) fn write(&self, octets: &mut [u8]) -> usize {
        let mut out = Cursor { octets, len: 0 };
        let lengths = &self.lengths[..self.count];
        let head = if self.used > 0 {
            self.octets[0]
        } else {
            self.frames.head()
        };
        if let [len] = lengths {
            out.put(&[head]);
            out.put(self.octets.get(1..*len).unwrap_or_default());
            return out.len;
        }
        // All frames of a packet are of one kind; one of another is passed over.
        let mut start = 0;
        let mut all = [&[][..]; FRAMES_MAX];
        for (frame, len) in all.iter_mut().zip(lengths) {
            let encoded = &self.octets[start..start + len];
            start += len;
            if let Some((own, octets)) = encoded.split_first()
                && *own == head
            {
                *frame = octets;
            }
        }
        let frames = &all[..lengths.len()];
        let count = u8::try_from(frames.len()).unwrap_or(COUNT_BITS);
        out.put(&[head | COUNTED, DIFFERING | count]);
        if let Some((_, but_last)) = frames.split_last() {
            but_last
                .iter()
                .for_each(|frame| out.put_length(frame.len()));
        }
        frames.iter().for_each(|frame| out.put(frame));
        out.len
    }
}

struct Cursor<'octets> {
    octets: &'octets mut [u8],
    len: usize,
}

impl Cursor<'_> {
    fn put(&mut self, octets: &[u8]) {
        if let Some(place) = self.octets.get_mut(self.len..self.len + octets.len()) {
            place.copy_from_slice(octets);
            self.len += octets.len();
        }
    }

    /// [RFC 6716 §3.2.1](https://www.rfc-editor.org/rfc/rfc6716#section-3.2.1).
    fn put_length(&mut self, len: usize) {
        let octet = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
        if len < TWO_OCTETS_FROM {
            self.put(&[octet(len)]);
        } else {
            let first = TWO_OCTETS_FROM + len % 4;
            self.put(&[octet(first), octet((len - first) / 4)]);
        }
    }
}
