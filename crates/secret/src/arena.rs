//! The locked memory that captured digits live in.
//!
//! One anonymous mapping, made at start, kept out of swap and out of core dumps, and divided into
//! fixed regions: one per capture ([`Slot`]) and one per key ring ([`crate::ring`]). A region is
//! owned by one handle; dropping the handle zeroes the region and gives it back.
#![expect(
    unsafe_code,
    reason = "mapping and locking pages, and lending disjoint regions of them, has no safe interface"
)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use rustix::io::Errno;
use rustix::mm::{self, Advice, MapFlags, ProtFlags};
use zeroize::Zeroize;

use crate::ring::RING_BYTES;
use crate::slot::SLOT_BYTES;
pub use crate::slot::{Digits, FIELD_DIGITS_MAX, FIELDS_MAX, FieldFull, FieldIndex, Slot};

/// Most slots one arena may have: a node of ten thousand calls, six times over. Larger numbers are
/// a mistake in the configuration.
pub const SLOTS_MAX: usize = 65_536;

/// Why an arena could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ArenaError {
    /// The configured number of slots is 0 or above [`SLOTS_MAX`].
    #[error("an arena of {slots} slots was asked for; it must be 1 to {SLOTS_MAX}")]
    ConfigSlots {
        /// The number that was asked for.
        slots: usize,
    },
    /// The operating system gave no memory.
    #[error("mapping {bytes} bytes for captured digits")]
    SystemMap {
        /// Size of the mapping.
        bytes: usize,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The pages could not be kept out of core dumps.
    #[error("keeping captured digits out of core dumps")]
    SystemDump {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Whether the arena's pages are kept out of swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// The pages are locked in memory.
    Locked,
    /// The system refused (most often the limit `memlock`); the pages may be swapped out. The
    /// caller has to warn its operator, who either raises the limit or runs without swap.
    Unlocked {
        /// The system's error number.
        os_error: i32,
    },
}

/// The mapped pages. Unmapped when dropped, which is after the last region is gone.
struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
    lock: LockState,
}

// SAFETY: a `Mapping` is an address range of the process, tied to no thread. All access to its
// bytes goes through `Region` (one owner, plain bytes) and `SharedRegion` (atomics), below.
unsafe impl Send for Mapping {}
// SAFETY: as above; `&Mapping` itself lends no bytes.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(bytes: usize) -> Result<Self, ArenaError> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: an anonymous private mapping at an address the kernel chooses overlaps nothing.
        let start =
            unsafe { mm::mmap_anonymous(ptr::null_mut(), bytes, protection, MapFlags::PRIVATE) }
                .map_err(|errno| ArenaError::SystemMap {
                    bytes,
                    source: errno.into(),
                })?;
        let start = NonNull::new(start.cast::<u8>()).ok_or(ArenaError::SystemMap {
            bytes,
            source: Errno::NOMEM.into(),
        })?;
        let mut mapping = Self {
            start,
            bytes,
            lock: LockState::Locked,
        };
        mapping.exclude_from_dumps()?;
        mapping.lock = mapping.lock_in_memory();
        Ok(mapping)
    }

    fn exclude_from_dumps(&self) -> Result<(), ArenaError> {
        // SAFETY: the range is exactly the mapping made in `new`; the advice changes no byte.
        unsafe { mm::madvise(self.address(), self.bytes, Advice::LinuxDontDump) }.map_err(|errno| {
            ArenaError::SystemDump {
                source: errno.into(),
            }
        })
    }

    fn lock_in_memory(&self) -> LockState {
        // SAFETY: the range is exactly the mapping made in `new`.
        match unsafe { mm::mlock(self.address(), self.bytes) } {
            Ok(()) => LockState::Locked,
            Err(errno) => LockState::Unlocked {
                os_error: errno.raw_os_error(),
            },
        }
    }

    fn address(&self) -> *mut c_void {
        self.start.as_ptr().cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is exactly the mapping made in `new`. Regions hold the arena in an
        // `Arc`, so none is left that could look at it.
        let unmapped = unsafe { mm::munmap(self.address(), self.bytes) };
        debug_assert!(unmapped.is_ok(), "the range was mapped by this value");
    }
}

/// Equal regions inside the mapping, and which of them are lent.
struct Regions {
    offset: usize,
    region_bytes: usize,
    lent: Box<[AtomicBool]>,
}

impl Regions {
    fn new(offset: usize, region_bytes: usize, count: usize) -> Self {
        let lent = (0..count).map(|_| AtomicBool::new(false)).collect();
        Self {
            offset,
            region_bytes,
            lent,
        }
    }

    /// Claims a free region for one owner; `None` if all are lent.
    fn claim(&self) -> Option<usize> {
        self.lent
            .iter()
            .position(|lent| !lent.swap(true, Ordering::Acquire))
    }

    fn release(&self, index: usize) {
        self.lent[index].store(false, Ordering::Release);
    }

    fn free(&self) -> usize {
        self.lent
            .iter()
            .filter(|lent| !lent.load(Ordering::Relaxed))
            .count()
    }

    fn region_offset(&self, index: usize) -> usize {
        self.offset + index * self.region_bytes
    }
}

/// A fixed number of locked, non-dumpable, zeroized slots, and as many key rings.
///
/// Make one per process at start and share it; it never grows.
pub struct Arena {
    mapping: Mapping,
    slots: Regions,
    rings: Regions,
}

impl Arena {
    /// Maps memory for `slots` captures and `slots` key rings, locks it and keeps it out of core
    /// dumps. A refused lock is no error here: see [`Arena::lock_state`].
    ///
    /// # Errors
    /// `slots` is out of range, or the system refused the memory or the dump exclusion.
    pub fn new(slots: usize) -> Result<Arc<Self>, ArenaError> {
        if slots == 0 || slots > SLOTS_MAX {
            return Err(ArenaError::ConfigSlots { slots });
        }
        let mapping = Mapping::new(slots * (SLOT_BYTES + RING_BYTES))?;
        Ok(Arc::new(Self {
            mapping,
            slots: Regions::new(0, SLOT_BYTES, slots),
            rings: Regions::new(slots * SLOT_BYTES, RING_BYTES, slots),
        }))
    }

    /// Whether the pages are kept out of swap. Read it once at start and tell the operator.
    #[must_use]
    pub fn lock_state(&self) -> LockState {
        self.mapping.lock
    }

    /// How many slots there are, lent or not.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.lent.len()
    }

    /// How many slots are free at this moment; another thread may take one meanwhile.
    #[must_use]
    pub fn slots_free(&self) -> usize {
        self.slots.free()
    }

    /// Lends an empty slot; `None` when all are lent: then the capture does not start.
    #[must_use]
    pub fn allocate(self: &Arc<Self>) -> Option<Slot> {
        let index = self.slots.claim()?;
        Some(Slot::new(Region {
            arena: Arc::clone(self),
            index,
        }))
    }

    /// Lends the cells of one ring; `None` when all are lent.
    pub(crate) fn allocate_ring(self: &Arc<Self>) -> Option<SharedRegion> {
        let index = self.rings.claim()?;
        Some(SharedRegion {
            arena: Arc::clone(self),
            index,
        })
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena")
            .field("slots", &self.slots())
            .field("lock", &self.mapping.lock)
            .finish_non_exhaustive()
    }
}

/// The bytes of one slot, lent to one owner.
pub(crate) struct Region {
    arena: Arc<Arena>,
    index: usize,
}

impl Region {
    pub(crate) fn bytes(&self) -> &[u8] {
        let offset = self.arena.slots.region_offset(self.index);
        // SAFETY: `offset + SLOT_BYTES` lies inside the mapping, which is zero-initialised, lives
        // as long as `self.arena`, and is only ever seen as `u8`. `claim` lent this index to this
        // value alone and regions do not overlap, so `&self` guards all access to these bytes.
        unsafe {
            std::slice::from_raw_parts(self.arena.mapping.start.add(offset).as_ptr(), SLOT_BYTES)
        }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        let offset = self.arena.slots.region_offset(self.index);
        // SAFETY: as in `bytes`; `&mut self` makes the view the only one.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.arena.mapping.start.add(offset).as_ptr(),
                SLOT_BYTES,
            )
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        self.arena.slots.release(self.index);
    }
}

/// The cells of one ring, seen by two threads as atomics and never as plain bytes.
pub(crate) struct SharedRegion {
    arena: Arc<Arena>,
    index: usize,
}

impl SharedRegion {
    pub(crate) fn cells(&self) -> &[AtomicU8] {
        let offset = self.arena.rings.region_offset(self.index);
        let first = self.arena.mapping.start.as_ptr().wrapping_add(offset);
        // SAFETY: `offset + RING_BYTES` lies inside the mapping, which is zero-initialised and
        // lives as long as `self.arena`. `AtomicU8` has the size and alignment of `u8`. While the
        // region is lent, these bytes are reached through this function only.
        unsafe { std::slice::from_raw_parts(first.cast::<AtomicU8>(), RING_BYTES) }
    }
}

impl Drop for SharedRegion {
    fn drop(&mut self) {
        for cell in self.cells() {
            cell.store(0, Ordering::Relaxed);
        }
        self.arena.rings.release(self.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digit;

    /// Every byte of the mapping, read past the types. No region's view may be alive.
    fn peek(arena: &Arena) -> Vec<u8> {
        // SAFETY: the whole mapping is readable and the caller is the only thread with a handle.
        unsafe {
            std::slice::from_raw_parts(arena.mapping.start.as_ptr(), arena.mapping.bytes).to_vec()
        }
    }

    fn fill(slot: &mut Slot) {
        for field in FieldIndex::ALL {
            for _ in 0..FIELD_DIGITS_MAX {
                slot.push(field, Digit::from_value(7).unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn dropping_a_slot_zeroes_its_memory() {
        let arena = Arena::new(2).unwrap();
        let mut slot = arena.allocate().unwrap();
        fill(&mut slot);
        assert_eq!(
            peek(&arena).iter().filter(|byte| **byte == b'7').count(),
            SLOT_BYTES
        );
        drop(slot);
        assert!(peek(&arena).iter().all(|byte| *byte == 0));
    }

    #[test]
    fn wiping_a_field_zeroes_that_field_and_no_other() {
        let arena = Arena::new(1).unwrap();
        let mut slot = arena.allocate().unwrap();
        fill(&mut slot);
        slot.wipe(FieldIndex::ALL[1]);
        let bytes = peek(&arena);
        let (wiped, kept): (Vec<_>, Vec<_>) = bytes[..SLOT_BYTES]
            .iter()
            .enumerate()
            .partition(|(at, _)| (FIELD_DIGITS_MAX..2 * FIELD_DIGITS_MAX).contains(at));
        assert!(wiped.iter().all(|(_, byte)| **byte == 0));
        assert!(kept.iter().all(|(_, byte)| **byte == b'7'));
        slot.wipe_all();
        assert!(peek(&arena).iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_slot_lost_in_a_panic_is_zeroed_and_returned() {
        let arena = Arena::new(1).unwrap();
        let mut slot = arena.allocate().unwrap();
        fill(&mut slot);
        let task = std::thread::spawn(move || {
            let _held = slot;
            panic!("the call's task ended");
        });
        assert!(task.join().is_err());
        assert!(peek(&arena).iter().all(|byte| *byte == 0));
        assert_eq!(arena.slots_free(), 1);
    }

    #[test]
    fn a_full_arena_lends_nothing_until_a_slot_returns() {
        let arena = Arena::new(3).unwrap();
        let mut held: Vec<Slot> = std::iter::from_fn(|| arena.allocate()).collect();
        assert_eq!((held.len(), arena.slots_free()), (3, 0));
        held.pop();
        assert!(arena.allocate().is_some());
    }

    #[test]
    fn slots_do_not_share_bytes() {
        let arena = Arena::new(4).unwrap();
        let mut slots: Vec<Slot> = std::iter::from_fn(|| arena.allocate()).collect();
        for (value, slot) in (1..).zip(&mut slots) {
            slot.push(FieldIndex::ALL[4], Digit::from_value(value).unwrap())
                .unwrap();
        }
        for (value, slot) in (b'1'..).zip(&slots) {
            assert_eq!(slot.digits(FieldIndex::ALL[4]).expose(), [value]);
        }
    }

    #[test]
    fn an_arena_of_no_or_too_many_slots_is_refused() {
        for slots in [0, SLOTS_MAX + 1, usize::MAX] {
            assert!(matches!(
                Arena::new(slots),
                Err(ArenaError::ConfigSlots { .. })
            ));
        }
    }

    #[test]
    fn the_pages_are_locked_or_the_arena_says_why_not() {
        let arena = Arena::new(1).unwrap();
        match arena.lock_state() {
            LockState::Locked => {}
            LockState::Unlocked { os_error } => assert_ne!(os_error, 0),
        }
    }

    #[test]
    fn ring_cells_are_zeroed_when_both_halves_are_gone() {
        let arena = Arena::new(1).unwrap();
        let (mut sender, receiver) = crate::digit_ring(&arena).unwrap();
        let key = crate::Key::from_event(5).unwrap();
        sender.push(key).unwrap();
        assert!(peek(&arena).iter().any(|byte| *byte != 0));
        drop(receiver);
        assert!(peek(&arena).iter().all(|byte| *byte == 0));
        assert!(crate::digit_ring(&arena).is_none());
        drop(sender);
        assert!(crate::digit_ring(&arena).is_some());
    }
}
