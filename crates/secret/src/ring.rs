//! The ring that carries keys from a media thread to its call's task.
//!
//! One sender, one receiver, fixed storage in the locked arena, no lock and no allocation after
//! [`digit_ring`]. A cell is 0 while empty; taking a key out zeroes its cell in the same step. The
//! sender signals "a key was pressed" elsewhere, without the key.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Key;
use crate::arena::{Arena, SharedRegion};

/// Keys a call's task may lag behind its media thread. A fast consumer keys ten a second, so this
/// is six seconds of a stalled task. When full: the key is refused and the sender has to end the
/// protection, since a capture with a missing key is worth nothing.
pub const RING_KEYS_MAX: usize = 64;

/// Bytes of one ring in the arena: one cell per key.
pub(crate) const RING_BYTES: usize = RING_KEYS_MAX;

/// The key was not taken: the ring holds [`RING_KEYS_MAX`] keys, or the receiver is gone
/// (see [`KeySender::is_closed`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key ring takes no key: it holds {RING_KEYS_MAX}, or its receiver is gone")]
pub struct RingFull;

/// A ring of [`RING_KEYS_MAX`] keys in the arena; `None` when every ring is lent.
#[must_use]
pub fn digit_ring(arena: &Arc<Arena>) -> Option<(KeySender, KeyReceiver)> {
    let shared = Arc::new(Shared {
        region: arena.allocate_ring()?,
        closed: AtomicBool::new(false),
    });
    let sender = KeySender {
        shared: Arc::clone(&shared),
        next: 0,
    };
    Some((sender, KeyReceiver { shared, next: 0 }))
}

/// What both halves see. Its region is zeroed and returned when the second half goes.
struct Shared {
    region: SharedRegion,
    closed: AtomicBool,
}

/// A cell's content for a key: never 0, which means empty.
fn cell_of(key: Key) -> u8 {
    key.event() + 1
}

/// The key in a cell's content; `None` if it was empty.
fn key_of(cell: u8) -> Option<Key> {
    cell.checked_sub(1).and_then(Key::from_event)
}

/// The media thread's half.
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::KeySender>();
/// ```
pub struct KeySender {
    shared: Arc<Shared>,
    next: usize,
}

impl KeySender {
    /// Puts a key in, without blocking or allocating.
    ///
    /// # Errors
    /// The ring is full or the receiver is gone; the key was not kept.
    pub fn push(&mut self, key: Key) -> Result<(), RingFull> {
        let cell = &self.shared.region.cells()[self.next];
        if self.is_closed() || cell.load(Ordering::SeqCst) != 0 {
            return Err(RingFull);
        }
        cell.store(cell_of(key), Ordering::SeqCst);
        // The receiver sets `closed` before it zeroes the cells, and this side stores before it
        // looks: in one total order either its sweep sees the key or this look sees `closed`.
        if self.is_closed() {
            cell.store(0, Ordering::SeqCst);
            return Err(RingFull);
        }
        self.next = (self.next + 1) % RING_KEYS_MAX;
        Ok(())
    }

    /// Whether the receiver is gone: the call's task has ended and nobody will take a key.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for KeySender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key sender]")
    }
}

/// The call task's half. Dropping it zeroes what is still in the ring.
///
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<secret::KeyReceiver>();
/// ```
pub struct KeyReceiver {
    shared: Arc<Shared>,
    next: usize,
}

impl KeyReceiver {
    /// Takes the oldest key out and zeroes its cell; `None` while the ring is empty.
    pub fn pop(&mut self) -> Option<Key> {
        let key = key_of(self.shared.region.cells()[self.next].swap(0, Ordering::SeqCst))?;
        self.next = (self.next + 1) % RING_KEYS_MAX;
        Some(key)
    }
}

impl Drop for KeyReceiver {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        for cell in self.shared.region.cells() {
            cell.store(0, Ordering::SeqCst);
        }
    }
}

impl fmt::Debug for KeyReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key receiver]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::thread;

    fn key(code: u8) -> Key {
        Key::from_event(code % 12).unwrap()
    }

    #[test]
    fn a_full_ring_refuses_the_next_key_and_keeps_the_order() {
        let arena = Arena::new(1).unwrap();
        let (mut sender, mut receiver) = digit_ring(&arena).unwrap();
        for code in (0..12).cycle().take(RING_KEYS_MAX) {
            sender.push(key(code)).unwrap();
        }
        assert_eq!(sender.push(Key::Star), Err(RingFull));
        for code in (0..12).cycle().take(RING_KEYS_MAX) {
            assert_eq!(receiver.pop(), Some(key(code)));
        }
        assert_eq!(receiver.pop(), None);
    }

    #[test]
    fn popping_zeroes_the_cell() {
        let arena = Arena::new(1).unwrap();
        let (mut sender, mut receiver) = digit_ring(&arena).unwrap();
        sender.push(key(9)).unwrap();
        let cells = |receiver: &KeyReceiver| {
            let cells = receiver.shared.region.cells();
            cells
                .iter()
                .filter(|cell| cell.load(Ordering::SeqCst) != 0)
                .count()
        };
        assert_eq!(cells(&receiver), 1);
        assert!(receiver.pop().is_some());
        assert_eq!(cells(&receiver), 0);
    }

    #[test]
    fn a_sender_without_receiver_keeps_no_key() {
        let arena = Arena::new(1).unwrap();
        let (mut sender, receiver) = digit_ring(&arena).unwrap();
        assert!(!sender.is_closed());
        drop(receiver);
        assert!(sender.is_closed());
        assert_eq!(sender.push(Key::Pound), Err(RingFull));
    }

    #[test]
    fn keys_cross_two_threads_in_order_and_none_is_lost() {
        const KEYS: usize = 100_000;
        let arena = Arena::new(1).unwrap();
        let (mut sender, mut receiver) = digit_ring(&arena).unwrap();
        let pusher = thread::spawn(move || {
            for code in (0..12).cycle().take(KEYS) {
                while sender.push(key(code)).is_err() {
                    thread::yield_now();
                }
            }
        });
        for code in (0..12).cycle().take(KEYS) {
            let popped = loop {
                match receiver.pop() {
                    Some(popped) => break popped,
                    None => thread::yield_now(),
                }
            };
            assert!(popped == key(code), "a key came out of order");
        }
        pusher.join().unwrap();
        assert!(receiver.pop().is_none());
    }

    #[test]
    fn a_receiver_dropped_mid_stream_leaves_no_key_behind() {
        for _ in 0..200 {
            let arena = Arena::new(1).unwrap();
            let (mut sender, receiver) = digit_ring(&arena).unwrap();
            let pusher = thread::spawn(move || {
                while !sender.is_closed() {
                    let _kept = sender.push(key(3));
                }
                sender
            });
            thread::yield_now();
            drop(receiver);
            let sender = pusher.join().unwrap();
            let cells = sender.shared.region.cells();
            assert!(cells.iter().all(|cell| cell.load(Ordering::SeqCst) == 0));
        }
    }

    proptest! {
        #[test]
        fn a_ring_behaves_like_a_bounded_queue(
            steps in prop::collection::vec(prop::option::weighted(0.6, 0u8..12), 0..400)
        ) {
            let arena = Arena::new(1).unwrap();
            let (mut sender, mut receiver) = digit_ring(&arena).unwrap();
            let mut model = VecDeque::new();
            for step in steps {
                match step {
                    Some(code) => {
                        let fits = model.len() < RING_KEYS_MAX;
                        prop_assert_eq!(sender.push(key(code)).is_ok(), fits);
                        if fits {
                            model.push_back(key(code));
                        }
                    }
                    None => prop_assert_eq!(receiver.pop(), model.pop_front()),
                }
            }
        }
    }
}
