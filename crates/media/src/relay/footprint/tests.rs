//! Where a relay's memory goes.
//! Owns: the table of its parts, for whoever wants to make it smaller.
//! Never: part of the product.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Relay;
use super::agent_mask::AgentMask;
use super::framer::Framer;
use super::guard::Guard;
use super::keys::Tally;
use super::output::Outputs;
use super::plan::RelayPlan;
use super::reorder::Reorder;
use super::side::Side;
use crate::dtmf::inband::Reporter;
use crate::dtmf::inband::trigger::Trigger;
use crate::dtmf::telephone_event::EventDecoder;
use crate::leg::{Codec, Leg, LegPlan};
use crate::mask::{PathConfig, ProtectedPath};

/// Bytes of one part: in place, and on the heap.
struct Part {
    name: &'static str,
    inline: usize,
    heap: i64,
}

fn part<T>(name: &'static str, make: impl FnOnce() -> T) -> Part {
    let heap = allocation_counter::measure(|| std::mem::forget(black_box(make()))).bytes_current;
    Part {
        name,
        inline: size_of::<T>(),
        heap,
    }
}

fn plan() -> LegPlan {
    LegPlan::new(Codec::Pcmu, ([192, 0, 2, 1], 4_000).into()).with_telephone_event(101)
}

#[test]
fn the_parts_of_a_relay_are_no_larger_than_the_whole() {
    let now = Instant::now();
    let mut random = StdRng::seed_from_u64(1);
    let whole = part("relay", || {
        Relay::new(RelayPlan::new(plan(), plan(), 1), now)
    });
    let parts = [
        part("guard", || Guard::new([&plan(), &plan()], 560.0, now)),
        part("path (in guard)", || {
            ProtectedPath::new(PathConfig::default())
        }),
        part("trigger (in path)", Trigger::new),
        part("reporter (in path, in agent mask)", Reporter::new),
        part("framer (in guard)", Framer::new),
        part("reorder (in guard)", Reorder::new),
        part("tally (in guard)", || Tally::new(true)),
        part("event decoder (twice in guard)", EventDecoder::new),
        part("agent mask (while protected)", || {
            Box::new(AgentMask::new(0, 0, Codec::Pcmu))
        }),
        part("outputs", Outputs::new),
        part("side (twice)", || {
            Side::new(Leg::Agent, plan(), now, &mut random)
        }),
    ];
    let mut table = String::new();
    for part in parts.iter().chain([&whole]) {
        table += &format!("{:>8} {:>8} {}\n", part.inline, part.heap, part.name);
    }
    let printed = std::io::stdout().lock().write_all(table.as_bytes());
    assert!(printed.is_ok());
    assert!(parts.iter().all(|part| part.heap <= whole.heap));
}
