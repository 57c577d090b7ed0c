//! Where a new call goes, by the hours of its service.
//! Owns: that a call of a closed service is refused or goes elsewhere.
//! Never: is asked for calls that are up, transfers, or calls out.

use std::time::Duration;

use domain::boundary::{IncomingCall, Telephony};
use domain::hours::Hours;
use domain::service::Service;
use domain::time::UnixMillis;

use crate::configuration::Snapshot;
use crate::desk::Inner;
use crate::routing::{self, Chosen, Refusal};

/// The route of a new call; one without any is refused.
pub(crate) fn choose(
    inner: &Inner,
    snapshot: &Snapshot,
    telephony: &dyn Telephony,
    incoming: &IncomingCall,
) -> Option<Chosen> {
    let (id, called) = (&incoming.id, &*incoming.called);
    let at = inner.deps.clock.now();
    let service = snapshot.service_for(called);
    let closed = service.and_then(|service| closed(service, at));
    let chosen = match (service, closed) {
        (Some(service), Some(hours)) => match &hours.closed {
            Some(route) => routing::way_out(route, called).map(|target| Chosen {
                service: service.clone(),
                desktop: snapshot.desktop(&service.desktop).cloned(),
                agent: None,
                target,
                is_closed: true,
            }),
            None => {
                tracing::info!(call = %id, "a call was refused: its service is closed");
                let _gone = telephony.reject_closed(id, opens_in(hours, at));
                return None;
            }
        },
        (_, _) => {
            let agents = (&inner.agents, &inner.phones);
            routing::choose(snapshot, agents, &telephony.registered(), (id, called))
        }
    };
    chosen
        .map_err(|refusal| refuse(telephony, incoming, refusal))
        .ok()
}

fn refuse(telephony: &dyn Telephony, incoming: &IncomingCall, refusal: Refusal) {
    tracing::info!(call = %incoming.id, ?refusal, "a call was refused");
    let _gone = telephony.reject(&incoming.id, refusal.status());
}

/// The hours of a service that is closed.
pub(crate) fn closed(service: &Service, at: UnixMillis) -> Option<&Hours> {
    let hours = service.hours.as_deref()?;
    (!hours.is_open(at)).then_some(hours)
}

fn opens_in(hours: &Hours, at: UnixMillis) -> Option<Duration> {
    let opens_at = hours.at(at).until?;
    let ms = opens_at.0.saturating_sub(at.0);
    u64::try_from(ms).ok().map(Duration::from_millis)
}
