//! The newest audio of one stream, in pieces of a millisecond.
//! Owns: the last 128 ms of samples, and which of them never came.
//! Never: looks at what they sound like.

use zeroize::Zeroize;

use crate::sample;

/// Samples of a piece: 1 ms.
pub(super) const PIECE: usize = 8;

/// Pieces kept: 128 ms. A verdict reads 90 ms of a press, 25 ms after its end.
pub(super) const PIECES: usize = 128;

const SAMPLES: usize = PIECE * PIECES;

/// A ring of pieces, counted from the beginning of the stream.
pub(super) struct History {
    samples: [i16; SAMPLES],
    /// One bit for each piece of the ring.
    missing: u128,
    /// Samples taken or missed so far.
    end: u64,
    /// Pieces before this one are missing, if they are not complete yet.
    missing_until: u64,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            samples: [0; SAMPLES],
            missing: 0,
            end: 0,
            missing_until: 0,
        }
    }

    /// Zeroes the samples where they stand.
    pub(super) fn wipe(&mut self) {
        self.samples.zeroize();
    }

    /// Samples so far.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Complete pieces so far.
    pub(super) fn pieces(&self) -> u64 {
        self.end / sample::span(PIECE)
    }

    /// Takes the front of `linear`, at most up to sample `until`; yields how many were taken.
    pub(super) fn push(&mut self, linear: &[i16], until: u64) -> usize {
        let place = sample::ring_index(self.end, SAMPLES);
        let room = sample::length(until.saturating_sub(self.end)).min(SAMPLES - place);
        let len = linear.len().min(room);
        self.samples[place..place + len].copy_from_slice(&linear[..len]);
        let before = self.pieces();
        self.end += sample::span(len);
        for piece in before..self.pieces() {
            self.set_missing(piece, piece < self.missing_until);
        }
        len
    }

    /// The next `len` samples never came; yields the first piece that will be whole again.
    pub(super) fn skip(&mut self, len: u64) -> u64 {
        let before = self.pieces();
        self.end += len;
        self.missing_until = self.end.div_ceil(sample::span(PIECE));
        let oldest = self.pieces().saturating_sub(sample::span(PIECES));
        for piece in before.max(oldest)..self.pieces() {
            self.set_missing(piece, true);
        }
        self.missing_until
    }

    /// The pieces of the ring that never came, one bit each.
    pub(super) fn missing(&self) -> u128 {
        self.missing
    }

    fn set_missing(&mut self, piece: u64, missing: bool) {
        if missing {
            self.missing |= bit(piece);
        } else {
            self.missing &= !bit(piece);
        }
    }

    /// A complete piece of the last 128 ms; nothing if any of its samples never came.
    pub(super) fn piece(&self, index: u64) -> Option<&[i16; PIECE]> {
        let kept = index < self.pieces() && index + sample::span(PIECES) >= self.pieces();
        if !kept || self.missing & bit(index) != 0 {
            return None;
        }
        let first = sample::ring_index(index, PIECES) * PIECE;
        self.samples[first..first + PIECE].first_chunk()
    }

    /// True for a piece that came and is no digital silence.
    pub(super) fn came(&self, index: u64) -> bool {
        self.piece(index).is_some_and(|piece| !is_flat(piece))
    }

    /// True for digital silence, with which others fill the place of what they lost.
    pub(super) fn is_filled(&self, index: u64) -> bool {
        self.piece(index).is_some_and(is_flat)
    }

    /// The samples from piece `first` on, as floats.
    pub(super) fn copy(&self, first: u64, samples: &mut [f32]) {
        let place = sample::ring_index(first, PIECES) * PIECE;
        let (front, back) = samples.split_at_mut(samples.len().min(SAMPLES - place));
        for (value, linear) in front.iter_mut().zip(&self.samples[place..]) {
            *value = f32::from(*linear);
        }
        for (value, linear) in back.iter_mut().zip(&self.samples) {
            *value = f32::from(*linear);
        }
    }
}

/// The bit of a piece's place in the ring.
pub(super) fn bit(piece: u64) -> u128 {
    1 << sample::ring_index(piece, PIECES)
}

/// The bits of pieces `from..to`, of which there are at most [`PIECES`].
pub(super) fn bits(from: u64, to: u64) -> u128 {
    let count = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
    let first = bit(from).trailing_zeros();
    u128::MAX
        .checked_shr(u128::BITS.saturating_sub(count))
        .unwrap_or(0)
        .rotate_left(first)
}

fn is_flat(piece: &[i16; PIECE]) -> bool {
    // No early end: eight values at once are told sooner than one by one.
    let differs = piece
        .iter()
        .fold(0, |differs, value| differs | (value ^ piece[0]));
    differs == 0
}
