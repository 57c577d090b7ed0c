//! Buffers that one input needs and none keeps: one set for each thread, whatever the number of its relays.
//! Owns: the spare set of the thread.
//! Never: shared by two relays at a time; left with a call's audio when the call has ended.

use std::cell::Cell;

use super::side::AUDIO_SAMPLES_MAX;

thread_local! {
    static SPARE: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// What an input is worked on in. Empty outside of inputs.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) packets: Packets,
    pub(super) frames: Frames,
}

/// A packet that came, and what becomes of it.
#[derive(Default)]
pub(super) struct Packets {
    pub(super) decoded: Box<[i16]>,
    pub(super) encoded: Box<[u8]>,
    pub(super) transcoded: Box<[u8]>,
}

/// Masked samples on their way into a packet.
#[derive(Default)]
pub(super) struct Frames {
    pub(super) popped: Box<[i16]>,
    pub(super) frame: Box<[i16]>,
    pub(super) bytes: Box<[u8]>,
}

impl Scratch {
    fn full() -> Self {
        Self {
            packets: Packets {
                decoded: samples(),
                encoded: bytes(),
                transcoded: bytes(),
            },
            frames: Frames {
                popped: samples(),
                frame: samples(),
                bytes: bytes(),
            },
        }
    }

    /// The thread's set; a new one if it is lent: a relay that plays another within an input, or the thread's first.
    pub(super) fn lend() -> Self {
        SPARE.take().unwrap_or_else(Self::full)
    }

    pub(super) fn wipe(&mut self) {
        let Packets {
            decoded,
            encoded,
            transcoded,
        } = &mut self.packets;
        let Frames {
            popped,
            frame,
            bytes,
        } = &mut self.frames;
        for samples in [decoded, popped, frame] {
            samples.fill(0);
        }
        for bytes in [encoded, transcoded, bytes] {
            bytes.fill(0);
        }
    }

    /// Gives a set back to the thread.
    pub(super) fn give_back(self) {
        SPARE.set(Some(self));
    }
}

fn samples() -> Box<[i16]> {
    Box::new([0; AUDIO_SAMPLES_MAX])
}

fn bytes() -> Box<[u8]> {
    Box::new([0; AUDIO_SAMPLES_MAX])
}
