//! Events of the stack.
//! Owns: which leg each is about.
//! Never: acts on one.

use sip::{Event, LegId};

/// The leg that an event is about; none: it is about no call.
pub(super) fn leg_of(event: &Event) -> Option<LegId> {
    match event {
        Event::Incoming(incoming) => Some(incoming.leg),
        Event::Progress { leg, .. }
        | Event::Answered { leg, .. }
        | Event::Failed { leg, .. }
        | Event::Confirmed { leg, .. }
        | Event::Offered { leg, .. }
        | Event::OtherIdentity { leg }
        | Event::OfferAnswered { leg, .. }
        | Event::OfferFailed { leg, .. }
        | Event::Ended { leg, .. }
        | Event::InfoKey { leg, .. }
        | Event::Referred { leg, .. }
        | Event::ReferAnswered { leg, .. }
        | Event::ReferReport { leg, .. } => Some(*leg),
        Event::Registered { .. }
        | Event::Unregistered { .. }
        | Event::Probed { .. }
        | Event::RegisterDone { .. }
        | Event::RegisterFailed { .. } => None,
    }
}
