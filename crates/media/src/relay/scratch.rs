//! Buffers that one input needs and none keeps: one set for each thread, whatever the number of its relays.
//! Owns: the spare set of the thread.
//! Never: shared by two relays at a time; left with a call's audio when the call has ended; lent to an input that does not ask for it.

use std::cell::Cell;
use std::thread::LocalKey;

use super::side::AUDIO_SAMPLES_MAX;

/// What an input is worked on in. Nothing is lent outside of inputs.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) packets: Lent<Packets>,
    pub(super) frames: Lent<Frames>,
}

/// A packet that came, and what may be heard in its place.
pub(super) struct Packets {
    pub(super) decoded: [i16; AUDIO_SAMPLES_MAX],
}

/// Masked samples on their way into a packet; the bytes of one that is made or transcoded.
pub(super) struct Frames {
    /// In a box of its own: it is read while the rest is written.
    pub(super) popped: Box<[i16]>,
    pub(super) frame: [i16; AUDIO_SAMPLES_MAX],
    pub(super) bytes: [u8; AUDIO_SAMPLES_MAX],
}

/// Buffers of the thread's, from the first use within an input until its end.
pub(super) struct Lent<T>(Option<Box<T>>);

/// Buffers of which a thread has a spare set.
pub(super) trait Buffers: Sized + 'static {
    fn new() -> Self;
    fn wipe(&mut self);
    fn spare() -> &'static LocalKey<Spare<Self>>;
}

pub(super) type Spare<T> = Cell<Option<Box<T>>>;

thread_local! {
    static PACKETS: Spare<Packets> = const { Cell::new(None) };
    static FRAMES: Spare<Frames> = const { Cell::new(None) };
}

impl Buffers for Packets {
    fn new() -> Self {
        Self {
            decoded: [0; AUDIO_SAMPLES_MAX],
        }
    }

    fn wipe(&mut self) {
        self.decoded.fill(0);
    }

    fn spare() -> &'static LocalKey<Spare<Self>> {
        &PACKETS
    }
}

impl Buffers for Frames {
    fn new() -> Self {
        Self {
            popped: Box::new([0; AUDIO_SAMPLES_MAX]),
            frame: [0; AUDIO_SAMPLES_MAX],
            bytes: [0; AUDIO_SAMPLES_MAX],
        }
    }

    fn wipe(&mut self) {
        self.popped.fill(0);
        self.frame.fill(0);
        self.bytes.fill(0);
    }

    fn spare() -> &'static LocalKey<Spare<Self>> {
        &FRAMES
    }
}

impl<T: Buffers> Lent<T> {
    /// The thread's set; a new one if it is lent: a relay that plays another within an input, or the thread's first.
    pub(super) fn get(&mut self) -> &mut T {
        let spare = || T::spare().take().unwrap_or_else(|| Box::new(T::new()));
        self.0.get_or_insert_with(spare)
    }

    fn give_back(&mut self) {
        if let Some(lent) = self.0.take() {
            T::spare().set(Some(lent));
        }
    }
}

impl<T> Default for Lent<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl Scratch {
    pub(super) fn wipe(&mut self) {
        self.packets.get().wipe();
        self.frames.get().wipe();
    }

    /// Gives what was lent back to the thread.
    pub(super) fn give_back(&mut self) {
        self.packets.give_back();
        self.frames.give_back();
    }
}
