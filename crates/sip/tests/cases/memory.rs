//! What finished calls still hold: their transactions live on for 32 s (RFC 3261 §17, RFC 6026), so this bounds a node's memory under load.
#![expect(
    unsafe_code,
    reason = "a global allocator has no safe interface; this one counts and passes on"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sip::Command;

use super::world::{Who, World};

/// Finished calls of the measurement, 200 ms apart: all of them within the 32 s.
const CALLS: i64 = 100;

/// Two INVITE transactions and the answered BYE with their names, ends, table rows and the kept ACK, on both sides of the call: 1,351 bytes
/// were counted, and an eighth is left for other field lengths.
const BYTES_PER_CALL_MAX: i64 = 1_536;

thread_local! {
    /// Bytes that this thread has taken and not given back.
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

fn count(bytes: i64) {
    // A thread that is going away counts no more.
    let _ = LIVE.try_with(|live| live.set(live.get() + bytes));
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_finished_call_holds_little() {
    let mut world = World::new();
    finish_a_call(&mut world);
    let before = LIVE.get();
    for _ in 0..CALLS {
        finish_a_call(&mut world);
    }
    let per_call = (LIVE.get() - before) / CALLS;
    let counters = [world.alice.counters(), world.bob.counters()];
    let kept: usize = counters
        .iter()
        .map(|side| side.client_transactions + side.server_transactions)
        .sum();
    assert_eq!(counters.map(|side| side.legs), [0, 0]);
    assert!(
        kept >= 300,
        "the transactions are still there to absorb repeats: {kept}"
    );
    assert!(
        (1..=BYTES_PER_CALL_MAX).contains(&per_call),
        "{per_call} bytes per finished call"
    );
}

fn finish_a_call(world: &mut World) {
    let (leg, _) = world.talk();
    world.command(Who::Alice, Command::Hangup { leg, reason: None });
    world.run_ms(50);
    world.events = Vec::new();
    world.seen = Vec::new();
}
