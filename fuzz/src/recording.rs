//! Files of recordings: a second writer, made from docs/decisions/0011-recordings.md, that seals honest segments and nonsense alike.

use std::sync::LazyLock;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use recording::{Ending, KeyRing, Reader, ScreenReader, Wav, WrappingKey};
use secret::CipherKey;

use crate::Taker;

const BLOCK: usize = 4_096;
const SEGMENTS: usize = 3 * BLOCK;
const DATA_KEY: [u8; 32] = [1; 32];
const WRAPPING_KEY: [u8; 32] = [2; 32];
const KEY_ID: [u8; 8] = [2; 8];
/// Most samples of an honest segment here; a longer one is made by nonsense.
const SAMPLES_MAX: u16 = 300;

static RING: LazyLock<KeyRing> = LazyLock::new(|| {
    let key = CipherKey::fill_with::<()>(|bytes| {
        *bytes = WRAPPING_KEY;
        Ok(())
    });
    let id = "0202020202020202".parse().expect("16 digits");
    KeyRing::new(vec![WrappingKey::new(id, key.expect("nothing failed"))])
});

/// The head and both slots of a file that begins rightly.
static START: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut head = b"TWREC\r\n\x1a\x00\x01\x01\x02".to_vec();
    head.extend_from_slice(&1_764_237_600_123_i64.to_be_bytes());
    head.extend_from_slice(&[1, b'r']);
    head.resize(61, 0);
    let data = [b"tonewall recording key v1".as_slice(), &KEY_ID, &head].concat();
    let wrapped = seal(&WRAPPING_KEY, [3; 12], &data, &DATA_KEY);
    head.resize(BLOCK, 0);
    let mut start = [head.as_slice(), &KEY_ID, &[3; 12], &wrapped].concat();
    start.resize(SEGMENTS, 0);
    start
});

fn seal(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    Aes256Gcm::new(key.into())
        .encrypt(&nonce.into(), Payload { msg, aad })
        .expect("short enough")
}

/// A file under construction, and what a reader must find in it if all of it is honest.
struct Writing {
    file: Vec<u8>,
    last: usize,
    number: u32,
    end: u64,
    is_honest: bool,
    is_whole: bool,
}

impl Writing {
    /// A segment whose head says what it likes, sealed rightly.
    fn segment(&mut self, head: [u8; 32], index: &[u8], audio: &[u8]) {
        let number = [head[8], head[9], head[10], head[11]];
        let data = [b"tonewall segment v1r/".as_slice(), &head].concat();
        let nonce = |part| {
            let mut nonce = [0; 12];
            nonce[0] = part;
            nonce[8..].copy_from_slice(&number);
            nonce
        };
        self.last = self.file.len();
        self.file.extend_from_slice(&head);
        self.file.extend(seal(&DATA_KEY, nonce(1), &data, index));
        if !audio.is_empty() {
            self.file.extend(seal(&DATA_KEY, nonce(2), &data, audio));
        }
    }

    fn honest(&mut self, taker: &mut Taker<'_>) {
        let is_final = taker.u8() % 8 == 0;
        let samples = if is_final {
            0
        } else {
            taker.u16() % SAMPLES_MAX
        };
        let first = self.end + u64::from(taker.u16());
        let marks = u16::from(taker.u8() % 5);
        let mut index = marks.to_be_bytes().to_vec();
        for _ in 0..marks {
            index.extend_from_slice(&[taker.u8() % 4 + 1, taker.u8() % 2 + 1, taker.u8() % 3 + 1]);
            index.extend_from_slice(&u64::from(taker.u32()).to_be_bytes());
        }
        let audio = vec![taker.u8(); usize::from(samples) * 2];
        if samples > 0 {
            index.extend_from_slice(&[taker.u8(), taker.u8()]);
        }
        let index_len = u16::try_from(index.len()).expect("short").to_be_bytes();
        let audio_len = (u32::from(samples) * 2).to_be_bytes();
        let fields: [&[u8]; 8] = [
            b"TWSG",
            &[if is_final { 2 } else { 1 }, 0],
            &index_len,
            &self.number.to_be_bytes(),
            &u32::from(samples).to_be_bytes(),
            &first.to_be_bytes(),
            &audio_len,
            &[0; 4],
        ];
        let head = fields.concat().try_into().expect("32 bytes");
        self.segment(head, &index, &audio);
        // What stands behind the end is not in order.
        self.is_honest &= !self.is_whole;
        self.is_whole |= is_final;
        self.number += 1;
        self.end = first + u64::from(samples);
    }

    fn nonsense(&mut self, taker: &mut Taker<'_>) {
        let mut head = [0; 32];
        for (to, from) in head.iter_mut().zip(taker.bytes(32)) {
            *to = *from;
        }
        head[..4].copy_from_slice(b"TWSG");
        if taker.u8() % 2 == 0 {
            head[8..12].copy_from_slice(&self.number.to_be_bytes());
        }
        let index = usize::from(u16::from_be_bytes([head[6], head[7]])).min(1_000);
        let mut index = vec![taker.u8() % 4; index];
        let given = taker.bytes(40);
        for (to, from) in index.iter_mut().zip(given) {
            *to = *from;
        }
        let audio = usize::from(u16::from_be_bytes([head[26], head[27]])).min(9_000);
        self.segment(head, &index, &vec![taker.u8(); audio]);
        self.is_honest = false;
    }
}

/// A file of honest segments, nonsense, loose bytes and repetitions, with changed bytes in its start, cut off somewhere.
fn written(data: &[u8]) -> Writing {
    let mut taker = Taker(data);
    let mut writing = Writing {
        file: START.clone(),
        last: SEGMENTS,
        number: 0,
        end: 0,
        is_honest: true,
        is_whole: false,
    };
    let cut = usize::from(taker.u16());
    for _ in 0..taker.u8() % 4 {
        let at = usize::from(taker.u16()) % SEGMENTS;
        writing.file[at] ^= taker.u8();
        writing.is_honest = false;
    }
    while !taker.is_empty() {
        match taker.u8() % 8 {
            0..=4 => writing.honest(&mut taker),
            5 => writing.nonsense(&mut taker),
            6 => {
                let count = usize::from(taker.u8());
                writing.file.extend_from_slice(taker.bytes(count));
                writing.is_honest = false;
            }
            _ => {
                writing.file.extend_from_within(writing.last..);
                writing.is_honest = false;
            }
        }
    }
    if cut > 0 {
        let end = writing.file.len().saturating_sub(cut);
        writing.file.truncate(end);
        writing.is_honest = false;
    }
    writing
}

/// Whatever a file holds: it opens or says why not; what is told of it is in order; honest files are read as they were written.
pub fn run(data: &[u8]) {
    let _refused = Reader::open(data, &RING);
    let _refused = ScreenReader::open(data, &RING);
    let writing = written(data);
    let Ok(mut reader) = Reader::open(writing.file.as_slice(), &RING) else {
        assert!(!writing.is_honest);
        return;
    };
    if writing.is_honest {
        assert_eq!(reader.segments(), writing.number);
        assert_eq!(reader.ending() == Ending::Whole, writing.is_whole);
    }
    judge(&reader);
    let known = (reader.segments(), reader.ending());
    reader.refresh().expect("memory is read");
    assert_eq!((reader.segments(), reader.ending()), known);
}

fn judge(reader: &Reader<&[u8]>) {
    let positions = reader.positions();
    assert!(positions.start <= positions.end);
    let peaks = reader.peaks();
    assert!(peaks.is_sorted_by_key(|peak| peak.position));
    assert!(peaks.iter().all(|peak| positions.contains(&peak.position)));
    let spans = reader.spans();
    assert!(spans.is_sorted() && spans.iter().all(|span| span.from <= span.until));
    let mut samples = [0; 512];
    for from in [positions.start, positions.end.saturating_sub(100), u64::MAX] {
        reader.read(from, &mut samples).expect("memory is read");
    }
    let Ok(wav) = Wav::new(reader) else {
        return;
    };
    assert_eq!(wav.len(), 44 + 4 * (positions.end - positions.start));
    let mut bytes = [0; 200];
    for offset in [0, 41, wav.len().saturating_sub(77), wav.len(), u64::MAX] {
        let handed = wav.read_at(offset, &mut bytes).expect("memory is read");
        assert_eq!(handed.bytes, wav.len().saturating_sub(offset).min(200));
    }
}
