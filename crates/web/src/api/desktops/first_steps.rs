//! The way to a first working desktop, as far as it has been gone.

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, TrailFilter};
use domain::boundary::StoreError;
use domain::desktop::Desktop;
use domain::first_steps::{Installation, StepTaken};
use domain::id::DesktopId;
use serde::Serialize;
use utoipa::ToSchema;

use super::list::Facts;
use crate::api::Answer;
use crate::app::Shared;

/// The steps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstSteps {
    /// In the order in which they are easiest.
    steps: Vec<StepTaken>,
    /// The desktop to work on.
    desktop: Option<DesktopId>,
}

/// What is done of the way to a first working desktop, by what is stored.
#[utoipa::path(get, path = "/first-steps", tag = "desktops", responses((status = 200, body = FirstSteps)))]
pub(crate) async fn show(State(app): State<Shared>) -> Answer<FirstSteps> {
    let facts = Facts::read(&app).await?;
    let stand = |desktop: Desktop| {
        let standing = facts.standing(&app, &desktop);
        (desktop, standing)
    };
    let desktops = app.deps.desktops.desktops().await?;
    let desktops: Vec<_> = desktops.into_iter().map(stand).collect();
    let installation = Installation {
        settings: &facts.settings,
        desktops: &desktops,
        services: &facts.services,
        users: &facts.users,
        roles: &app.deps.users.custom_roles().await?,
        has_tested: has_happened(&app, AuditAction::GatewayTestEnded).await?,
        has_captured: has_happened(&app, AuditAction::FieldObtained).await?,
    };
    Ok(Json(FirstSteps {
        steps: installation.steps().into(),
        desktop: installation.desktop().cloned(),
    }))
}

async fn has_happened(app: &Shared, action: AuditAction) -> Result<bool, StoreError> {
    let filter = TrailFilter {
        action: Some(action),
        ..TrailFilter::default()
    };
    Ok(!app.deps.audit.entries(&filter, 0, 1).await?.is_empty())
}
