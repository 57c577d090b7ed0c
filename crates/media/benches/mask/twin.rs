//! The same call with other digits: what leaves may differ at the edges of the mask and nowhere else.

use crate::rig::Outcome;

/// Samples of the mask's fades, 2 ms: an edge that has moved by n samples shows as n + 15 different ones.
const FADE: usize = 16;

/// Equal samples that part two differences: a difference at an edge is one piece, though its samples cross here and there.
const APART: usize = 16;

/// How far an edge of the mask moves at most with the digits, in samples; longer if calls differ anywhere else.
pub(crate) fn edge_moved(one: &Outcome, other: &Outcome) -> usize {
    let (mut longest, mut start, mut last) = (0, None::<usize>, 0);
    for at in 0..one.agent.len() {
        if one.agent[at] == other.agent[at] && one.filled[at] == other.filled[at] {
            continue;
        }
        if !one.is_protected(at) && !other.is_protected(at) {
            continue;
        }
        if start.is_none() || at - last > APART {
            start = Some(at);
        }
        last = at;
        longest = longest.max(start.map_or(0, |start| at + 1 - start));
    }
    longest.saturating_sub(FADE - 1)
}
