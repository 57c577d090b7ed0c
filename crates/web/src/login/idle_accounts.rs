//! Accounts that nobody uses.
//! Owns: the hourly look for them.
//! Never: disables the last Security admin; the store refuses that.

use std::time::Duration;

use domain::access::{Actor, CustomRoles, IDLE_DAYS_MAX, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Change, StoreError};

use crate::app::{Changed, Shared};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);

/// Looks until the server ends.
pub(crate) async fn watch(app: Shared) {
    let mut stopping = app.stopping.clone();
    loop {
        if let Err(error) = look(&app).await {
            tracing::warn!(%error, "looking for accounts that nobody uses");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.changed() => return,
        }
    }
}

/// Disables accounts that nobody used for too long. One of which nobody knows when it was used counts from now.
async fn look(app: &Shared) -> Result<(), StoreError> {
    let now = app.now();
    for user in app.deps.users.users().await? {
        let entry = |action| {
            let object = format!("user {}", user.name);
            AuditEntry::new(now, &Actor::system(), action, object)
        };
        let (changed, entry) = if user.active_at.is_none() {
            let noted = User {
                active_at: Some(now),
                ..user.clone()
            };
            let entry = entry(AuditAction::UserSaved).with("changed", vec!["active_at"]);
            (noted, entry)
        } else if user.enabled && user.is_idle(now) {
            let disabled = User {
                enabled: false,
                ..user.clone()
            };
            let entry = entry(AuditAction::UserDisabled)
                .with("reason", "idle")
                .with("days", IDLE_DAYS_MAX);
            (disabled, entry)
        } else {
            continue;
        };
        let after = changed.clone();
        let done = app.commit(Change::SaveUser(changed), entry, move |app| {
            if !after.enabled {
                app.logins.refresh(&after, &CustomRoles::default());
                app.deps.hooks.changed(Changed::Users);
            }
        });
        match done.await {
            // Saved meanwhile, or the last who may give rights: the next look sees it again.
            Ok(_) | Err(StoreError::Conflict | StoreError::LastSecurityAdmin) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
