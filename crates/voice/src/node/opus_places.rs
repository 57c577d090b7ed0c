//! How many legs may speak Opus at a time.
//! Owns: the count of those that may.
//! Never: takes Opus from a call that speaks it; makes a state of the codec.
//!
//! A leg of Opus that is masked or transcoded has 299 KiB to encode, 174 KiB to decode and 174 KiB to hear what it sends, thirty times what a relay has. They
//! are there when they are needed because no more legs are let in than there is memory for: the one too many is offered, or answered in, what else both
//! speak, before its call begins.

use std::sync::Arc;

use sip::sdp::Codec;

use super::side::Trust;

/// Legs that may speak Opus at a time on a node: 256 x 647 KiB are 162 MiB. At 140 microseconds a packet for those that are transcoded they keep two cores busy.
const OPUS_LEGS_MAX: usize = 256;

/// The places of a node.
#[derive(Debug, Default)]
pub(super) struct OpusPlaces(Arc<()>);

/// One of them, until it is dropped.
#[derive(Debug, Clone)]
pub(super) struct OpusPlace(#[expect(dead_code, reason = "it is counted, not read")] Arc<()>);

impl OpusPlaces {
    /// A side that may speak Opus takes a place, or may not speak it if there is none. Nothing is left to it then if it speaks nothing else.
    pub(super) fn admit(&self, mut trust: Trust) -> Option<Trust> {
        if !trust.codecs.contains(&Codec::Opus) {
            return Some(trust);
        }
        // One of the counted is this.
        if Arc::strong_count(&self.0) <= OPUS_LEGS_MAX {
            trust.opus = Some(OpusPlace(Arc::clone(&self.0)));
        } else {
            tracing::warn!(max = OPUS_LEGS_MAX, "all places of Opus are taken");
            trust.codecs.retain(|codec| *codec != Codec::Opus);
        }
        (!trust.codecs.is_empty()).then_some(trust)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::config::SrtpRule;

    fn trust(codecs: &[Codec]) -> Trust {
        Trust::phone(SrtpRule::default(), codecs)
    }

    #[test]
    fn the_one_too_many_speaks_something_else() {
        let places = OpusPlaces::default();
        let wide = [Codec::Opus, Codec::Pcmu];
        let admit = |codecs: &[Codec]| places.admit(trust(codecs));
        let mut all: Vec<Trust> = Vec::new();
        for _ in 0..OPUS_LEGS_MAX {
            all.extend(admit(&wide));
        }
        assert_eq!(all.len(), OPUS_LEGS_MAX);
        assert!(
            all.iter()
                .all(|one| one.codecs == wide && one.opus.is_some())
        );
        assert_eq!(admit(&wide).unwrap().codecs, [Codec::Pcmu]);
        assert!(admit(&[Codec::Opus]).is_none());
        // Whoever never asks for it is not counted.
        assert_eq!(admit(&Codec::USUAL).unwrap().codecs, Codec::USUAL);
        all.pop();
        assert_eq!(admit(&wide).unwrap().codecs, wide);
    }
}
