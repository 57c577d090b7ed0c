//! Patience with a store that fails.
//! Owns: how long the outcome of something that was sent is offered to it.
//! Never: offers again what the store refused.

use std::time::Duration;

use domain::boundary::StoreError;

/// An outcome is offered to a failing store for this long; the row then stays `sent` and reads as unknown after the next start.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// Pause between two tries.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Offers a commit until it is taken or refused, or the time is up.
pub(crate) async fn patiently<C: Future<Output = Result<(), StoreError>>>(
    commit: impl Fn() -> C,
) -> Result<(), StoreError> {
    let give_up = tokio::time::Instant::now() + RETRY_MAX;
    loop {
        match commit().await {
            Err(error) if error.is_retryable() && tokio::time::Instant::now() < give_up => {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            ended => return ended,
        }
    }
}
