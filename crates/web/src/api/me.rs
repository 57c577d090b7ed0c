//! What the agent's page shows before a call.

use axum::Json;
use axum::extract::State;
use domain::desktop::Layout;
use domain::gate::{Gate, pass_gates};
use domain::id::DesktopId;
use domain::view::WidgetView;
use serde::Serialize;
use utoipa::ToSchema;

use super::Answer;
use crate::app::Shared;
use crate::extract::Caller;

/// The agent's desktop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyDesktop {
    /// Identity; none: no desktop is assigned.
    desktop: Option<DesktopId>,
    /// Its name.
    name: String,
    /// Its layout.
    layout: Option<Layout>,
    /// Its revision.
    revision: i64,
    /// The widgets that this agent gets, in their order.
    widgets: Vec<WidgetView>,
    /// With no widget: the first gate that is shut.
    gate: Option<Gate>,
}

/// The desktop of whoever is logged in: only widgets for which all four gates are open.
#[utoipa::path(get, path = "/me/desktop", tag = "me", responses((status = 200, body = MyDesktop)))]
pub(crate) async fn desktop(State(app): State<Shared>, Caller(login): Caller) -> Answer<MyDesktop> {
    let settings = app.deps.services.settings().await?;
    let mut mine = MyDesktop {
        desktop: None,
        name: String::new(),
        layout: None,
        revision: 0,
        widgets: Vec::new(),
        gate: Some(if settings.spc_enabled {
            Gate::NoWidget
        } else {
            Gate::SystemSwitch
        }),
    };
    let desktop = match &login.actor.desktop {
        Some(id) => app.deps.desktops.desktop(id).await?,
        None => None,
    };
    let Some(desktop) = desktop else {
        return Ok(Json(mine));
    };
    for widget in &desktop.widgets {
        match pass_gates(&settings, &desktop, widget, &login.actor) {
            Ok(()) => mine.widgets.push(WidgetView::from(widget)),
            Err(gate) => mine.gate = Some(gate),
        }
    }
    if !mine.widgets.is_empty() {
        mine.gate = None;
    }
    mine.desktop = Some(desktop.id);
    mine.name = desktop.name;
    mine.layout = Some(desktop.layout);
    mine.revision = desktop.revision;
    Ok(Json(mine))
}
