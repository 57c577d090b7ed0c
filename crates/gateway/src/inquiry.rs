//! A charge that nobody knows the end of, and its gateway is asked.
//! Owns: when, how often, and which answer settles it.
//! Never: holds what was captured, or takes silence for an answer: what is not settled stays unknown.

use std::time::Duration;

use domain::boundary::{Answer, Charge, Operation};
use domain::gateway::{Once, OperationKind, Recovery, Verdict};
use domain::payment::Outcome;
use domain::time::UnixMillis;
use tokio::time::{Instant, sleep};

use crate::network::Network;
use crate::replay::WINDOW;
use crate::steps::left;

/// Pauses before each time: at once for an answer that got lost, then longer for a gateway that is still at work (SCALE 3.6).
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(20),
];

/// What is asked about a charge. What was captured for it is wiped here: nothing that is asked needs it, and its end may be a minute away (SETTLED S10).
pub(crate) fn about(charge: Charge, kind: OperationKind) -> Operation {
    Operation {
        kind,
        attempt: charge.attempt,
        reference: charge.reference,
        amount: charge.form.amount,
        arrangement: None,
        outputs: Vec::new(),
        gateway: charge.gateway,
        password: charge.password,
        secrets: charge.secrets,
        once: charge.once,
    }
}

/// The answer that settles a charge of which the first byte was sent at `began`; none: it stays unknown.
pub(crate) async fn settled(
    network: &Network,
    mut operation: Operation,
    began: Instant,
) -> Option<Answer> {
    let (until, sent_at) = (began + WINDOW, operation.once.at);
    for pause in PAUSES {
        if left(until) <= pause {
            return None;
        }
        sleep(pause).await;
        let now = later(sent_at, began.elapsed());
        operation.once = Once::of_operation(&operation.attempt, operation.kind, now);
        let answer = match network.ask(&operation, Some(until)).await {
            Ok(asking) => asking.answer(&operation).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(answer) => {
                if let Some(settling) = settling(operation.kind, answer) {
                    return Some(settling);
                }
            }
            Err(failure) => {
                failure.of_operation(&operation);
            }
        }
    }
    None
}

fn later(at: UnixMillis, by: Duration) -> UnixMillis {
    let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    UnixMillis(at.0.saturating_add(by))
}

/// What an answer says of the charge, if it says how that ended.
fn settling(kind: OperationKind, answer: Answer) -> Option<Answer> {
    match (kind, answer.verdict.outcome) {
        (OperationKind::Inquire, Outcome::Unknown) => None,
        (OperationKind::Inquire, _) => Some(answer),
        (OperationKind::Void, Outcome::Approved) => Some(undone(answer)),
        (
            OperationKind::Store
            | OperationKind::Void
            | OperationKind::Refund
            | OperationKind::Capture
            | OperationKind::Schedule,
            _,
        ) => None,
    }
}

/// A charge that was undone was not made: nobody has paid.
fn undone(answer: Answer) -> Answer {
    let (name, value) = Recovery::UNDONE;
    let mut outputs = answer.outputs;
    outputs.retain(|(known, _)| known != name);
    outputs.insert(0, (name.to_owned(), value.to_owned()));
    Answer {
        verdict: Verdict {
            outcome: Outcome::Error,
            alarm: false,
        },
        outputs,
        ..answer
    }
}
