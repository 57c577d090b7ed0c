//! The list of agent desktops, and how each stands.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use domain::access::User;
use domain::desktop::{Desktop, DesktopService, Layout, SavedDesktop, Standing, Surroundings};
use domain::id::{DesktopId, WidgetId};
use domain::service::{Service, Settings};
use domain::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Answer;
use crate::app::Shared;
use crate::problem::Problem;

/// Desktops in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesktopList {
    /// By name.
    desktops: Vec<DesktopBrief>,
}

/// A desktop in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesktopBrief {
    /// Identity.
    id: DesktopId,
    /// Name.
    name: String,
    /// Desktop service.
    service: DesktopService,
    /// Layout.
    layout: Layout,
    /// Its widgets.
    widgets: usize,
    /// Those that are Enabled.
    widgets_enabled: usize,
    /// Users that work with it.
    agents: usize,
    /// How it stands.
    standing: Standing,
    /// When it was last saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
    /// Revision.
    revision: i64,
}

/// What a desktop's standing hangs on, read once for all of them.
pub(crate) struct Facts {
    pub(super) settings: Settings,
    pub(super) services: Vec<Service>,
    pub(super) users: Vec<User>,
    with_password: BTreeSet<WidgetId>,
}

impl Facts {
    pub(crate) async fn read(app: &Shared) -> Result<Self, Problem> {
        let with_password = app.deps.desktops.widgets_with_password().await?;
        Ok(Self {
            settings: app.deps.services.settings().await?,
            services: app.deps.services.services().await?,
            users: app.deps.users.users().await?,
            with_password: with_password.into_iter().collect(),
        })
    }

    pub(crate) fn agents(&self, desktop: &DesktopId) -> usize {
        let here = |user: &&User| user.desktop.as_ref() == Some(desktop);
        self.users.iter().filter(here).count()
    }

    pub(crate) fn standing(&self, app: &Shared, desktop: &Desktop) -> Standing {
        let around = Surroundings {
            settings: &self.settings,
            services: &self.services,
            has_password: &|widget| self.with_password.contains(widget),
            host_approved: &|gateway| app.deps.gateway.host_approved(gateway),
        };
        Standing::of(desktop, &around)
    }

    fn brief(&self, app: &Shared, saved: SavedDesktop) -> DesktopBrief {
        let desktop = saved.desktop;
        let enabled = desktop.widgets.iter().filter(|widget| widget.enabled);
        DesktopBrief {
            widgets: desktop.widgets.len(),
            widgets_enabled: enabled.count(),
            agents: self.agents(&desktop.id),
            standing: self.standing(app, &desktop),
            saved_at: saved.saved_at,
            saved_by: saved.saved_by,
            id: desktop.id,
            name: desktop.name,
            service: desktop.service,
            layout: desktop.layout,
            revision: desktop.revision,
        }
    }
}

/// All desktops, by name.
#[utoipa::path(get, path = "/desktops", tag = "desktops", responses((status = 200, body = DesktopList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<DesktopList> {
    let facts = Facts::read(&app).await?;
    let saved = app.deps.desktops.last_saved().await?;
    Ok(Json(DesktopList {
        desktops: saved
            .into_iter()
            .map(|saved| facts.brief(&app, saved))
            .collect(),
    }))
}
