//! Recordings in memory, for tests: what a writer would have written.

use domain::time::UnixMillis;
use g711::Law;

use crate::header::{Header, SEGMENTS_OFFSET};
use crate::keys::DataKey;
use crate::keys::tests::{cipher_key, wrapping_key};
use crate::segment::{Kind, Place, Plain};
use crate::span::Mark;

/// The key of the ring under which all of them are.
pub(crate) const RING: u8 = 2;

/// A recording under construction: where its segments begin, and its bytes so far.
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    pub(crate) begins: Vec<usize>,
    pub(crate) header: Header,
    key: DataKey,
}

impl Bytes {
    pub(crate) fn new(id: &str, key: u8) -> Self {
        let header = Header {
            id: id.parse().unwrap(),
            began: UnixMillis(1_764_237_600_123),
            laws: [Law::Mu, Law::A],
            is_redacted: false,
        };
        let key = DataKey::new(cipher_key(key));
        let mut bytes = header
            .begin_file(&key, &wrapping_key(RING), [3; 12])
            .unwrap();
        bytes.resize(SEGMENTS_OFFSET, 0);
        Self {
            bytes,
            begins: Vec::new(),
            header,
            key,
        }
    }

    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            key: &self.key,
            id: &self.header.id,
            laws: self.header.laws,
        }
    }

    /// Seals a segment behind the last one, under a number that need not be the next.
    pub(crate) fn seal_as(&mut self, number: u32, plain: &Plain<'_>) {
        self.begins.push(self.bytes.len());
        let mut sealed = Vec::new();
        self.place().seal(number, plain, &mut sealed).unwrap();
        self.bytes.extend(sealed);
    }

    pub(crate) fn seal(&mut self, plain: &Plain<'_>) {
        let number = u32::try_from(self.begins.len()).unwrap();
        self.seal_as(number, plain);
    }

    pub(crate) fn audio(&mut self, first: u64, samples: usize) {
        self.marked(first, samples, &[]);
    }

    pub(crate) fn marked(&mut self, first: u64, samples: usize, marks: &[Mark]) {
        let audio = audio(first, samples);
        self.seal(&Plain {
            kind: Kind::Audio,
            first,
            audio: &audio,
            samples,
            marks,
        });
    }

    pub(crate) fn end(&mut self, first: u64) {
        self.seal(&Plain {
            kind: Kind::Final,
            first,
            audio: &[],
            samples: 0,
            marks: &[],
        });
    }

    /// Three segments with a hole of 500 samples before the last one, and the end.
    pub(crate) fn three(id: &str, key: u8) -> Self {
        let mut whole = Self::new(id, key);
        whole.audio(100, 40);
        whole.audio(140, 30);
        whole.audio(670, 20);
        whole.end(690);
        whole
    }
}

/// Bytes that say at which position they stand, the agent's others than the consumer's; none of them silence.
pub(crate) fn audio(first: u64, samples: usize) -> Vec<u8> {
    let positions = first..first + u64::try_from(samples).unwrap();
    positions
        .flat_map(|at| [byte_at(at), 0x80 | byte_at(at)])
        .collect()
}

pub(crate) fn byte_at(position: u64) -> u8 {
    u8::try_from(position % 83 + position / 83 % 7).unwrap() + 10
}
