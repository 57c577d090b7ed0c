//! A sale that is sent again, byte for byte, since nobody knows how it ended and its gateway knows it by its key.
//! Owns: when, how often, and which second answer counts.
//! Never: sends anything else, or outside of its window: the charge ends with this process, and nobody else has its bytes (SCALE 3.6).

use std::time::Duration;

use domain::boundary::Charge;
use domain::gateway::Recovery;
use tokio::time::{Instant, sleep};

use crate::connection::Way;
use crate::failure::Failure;
use crate::prepared::{Came, Prepared};
use crate::request::{Taken, render};
use crate::steps::left;

/// From the first byte of the first request to the last of the last answer. Gateways keep a key for hours; an agent and a consumer wait for this.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);

/// Pauses before each repeat: the first for a connection that broke, the others for a gateway that was still at work.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(9),
];

/// The answer that settles a charge which was sent at `began`; none: it stays unknown.
pub(crate) async fn settled(
    charge: &Charge,
    taken: &Taken,
    way: &Way,
    began: Instant,
) -> Option<Came> {
    let until = began + WINDOW;
    for pause in PAUSES {
        if left(until) <= pause {
            return None;
        }
        sleep(pause).await;
        let attempt = charge.attempt.as_str();
        match repeated(charge, taken, way, until).await {
            Ok(came) => {
                let rule = came
                    .reading(&charge.gateway)
                    .rule(charge.gateway.missing_key);
                let settles = Recovery::settles(rule);
                tracing::info!(attempt, rule = ?rule, settles, "charge sent again");
                if settles {
                    return Some(came);
                }
            }
            Err(failure) => {
                tracing::info!(attempt, detail = failure.detail, "charge not sent again");
            }
        }
    }
    None
}

/// Rendering is a function of the charge (docs/decisions/0008), so that these are the same bytes.
async fn repeated(
    charge: &Charge,
    taken: &Taken,
    way: &Way,
    until: Instant,
) -> Result<Came, Failure> {
    let config = &charge.gateway;
    let request = render(charge.into(), config, taken)?;
    let within = config.connection_timeout().min(left(until));
    let prepared = Prepared {
        request,
        secured: way.secured(within).await?,
        until: Some(until),
    };
    prepared.run(config).await
}
