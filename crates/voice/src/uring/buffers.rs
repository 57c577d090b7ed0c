//! The memory that the kernel writes datagrams into.
//! Owns: the buffers of the group, the ring of entries that says which are free, their wiping.
//! Never: lends a buffer that the kernel may still write to.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::{BUFFER_BYTES, BUFFERS};

/// The buffers of the group and the ring of entries that tells the kernel which are free.
pub(super) struct Buffers {
    entries: Pages,
    bytes: Pages,
    tail: u16,
}

impl Buffers {
    pub(super) fn new() -> Self {
        let count = usize::from(BUFFERS);
        let mut buffers = Self {
            entries: Pages::new(count * size_of::<BufRingEntry>()),
            bytes: Pages::new(count * BUFFER_BYTES),
            tail: 0,
        };
        for buffer in 0..BUFFERS {
            buffers.give(buffer);
        }
        buffers.publish();
        buffers
    }

    pub(super) fn address(&self) -> u64 {
        self.entries.address()
    }

    /// Lends what was written into a buffer, wipes it and gives the buffer back with the next [`Buffers::publish`].
    pub(super) fn lend(&mut self, buffer: u16, len: usize, take: impl FnOnce(&mut [u8])) {
        if buffer >= BUFFERS {
            return;
        }
        let at = usize::from(buffer) * BUFFER_BYTES;
        // SAFETY: the range is within the allocation, and the kernel has handed this buffer over: it writes to it no more until it is given back.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(self.bytes.start.as_ptr().add(at), len.min(BUFFER_BYTES))
        };
        let back = Back(self, buffer, bytes);
        take(back.2);
    }

    fn give(&mut self, buffer: u16) {
        let entry = usize::from(self.tail % BUFFERS);
        let at = u64::try_from(usize::from(buffer) * BUFFER_BYTES).unwrap_or(0);
        let entries = self.entries.start.cast::<BufRingEntry>();
        // SAFETY: `entry` is below `BUFFERS`, so the place is within the allocation, which is zeroed and aligned to a page; the kernel does not read
        // it before the tail has passed it.
        let place = unsafe { &mut *entries.as_ptr().add(entry) };
        place.set_addr(self.bytes.address() + at);
        place.set_len(u32::try_from(BUFFER_BYTES).unwrap_or(0));
        place.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Shows the kernel all that was given.
    pub(super) fn publish(&mut self) {
        let entries = self.entries.start.cast::<BufRingEntry>();
        // SAFETY: the first entry is initialised and holds the tail, which the kernel reads as an atomic 16-bit number, as it is here.
        let tail = unsafe { &*BufRingEntry::tail(entries.as_ptr()).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }
}

/// A buffer that is lent: wiped and given back also if the reader unwinds.
struct Back<'buffers, 'bytes>(&'buffers mut Buffers, u16, &'bytes mut [u8]);

impl Drop for Back<'_, '_> {
    fn drop(&mut self) {
        // The kernel has this memory's address, so that no compiler leaves this out; byte by byte it would take a hundred times as long.
        self.2.fill(0);
        self.0.give(self.1);
    }
}

/// Zeroed memory aligned to a page.
struct Pages {
    start: NonNull<u8>,
    layout: Layout,
}

impl Pages {
    fn new(bytes: usize) -> Self {
        let layout = Layout::from_size_align(bytes, 4_096).expect("a page is a power of two");
        // SAFETY: the layout is not empty: every caller has a constant size above zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) });
        let start = start.unwrap_or_else(|| handle_alloc_error(layout));
        Self { start, layout }
    }

    fn address(&self) -> u64 {
        u64::try_from(self.start.addr().get()).unwrap_or(0)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and whoever knew its address is gone: the ring is dropped before its memory.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
