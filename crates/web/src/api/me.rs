//! What belongs to whoever is logged in: the desktop, before a call; how the page is shown.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::{Preferences, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::availability::{Availability, Wish};
use domain::boundary::{Change, StoreError};
use domain::designer::DesignerDesktop;
use domain::desktop::Layout;
use domain::gate::{Gate, pass_gates};
use domain::id::DesktopId;
use domain::view::WidgetView;
use serde::Serialize;
use utoipa::ToSchema;

use super::login::SAVES_MAX;
use super::{Answer, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::login::Login;
use crate::problem::{Code, Problem};

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
    /// What stands where, in layout Agent Panel + Designer; none: no designer desktop was chosen yet.
    design: Option<DesignerDesktop>,
    /// The widgets that this agent gets, in their order.
    widgets: Vec<WidgetView>,
    /// With no widget: the first gate that is shut.
    gate: Option<Gate>,
    /// A service hears a code that this agent keys on their own phone.
    pairing_code: bool,
    /// A service calls out for this agent.
    dials: bool,
    /// Callers may wait for an agent: how many do is shown.
    queue: bool,
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
        design: None,
        widgets: Vec::new(),
        gate: Some(if settings.spc_enabled {
            Gate::NoWidget
        } else {
            Gate::SystemSwitch
        }),
        pairing_code: hears_code_of(&app, &login).await?,
        dials: app.deps.desk.may_dial(&login.actor),
        queue: (app.deps.desk.queue(&login.actor)).is_ok_and(|view| view.has_queue),
    };
    let desktop = match &login.actor.desktop {
        Some(id) => app.deps.desktops.desktop(id).await?,
        None => None,
    };
    let Some(desktop) = desktop else {
        return Ok(Json(mine));
    };
    for widget in &desktop.widgets {
        match pass_gates(&settings, &desktop, &widget.id, &login.actor) {
            Ok(widget) => mine.widgets.push(WidgetView::from(widget)),
            Err(gate) => mine.gate = Some(gate),
        }
    }
    if !mine.widgets.is_empty() {
        mine.gate = None;
    }
    if let (Layout::Designer, Some(id)) = (desktop.layout, &desktop.design) {
        mine.design = app.deps.designs.design(id).await?;
    }
    mine.desktop = Some(desktop.id);
    mine.name = desktop.name;
    mine.layout = Some(desktop.layout);
    mine.revision = desktop.revision;
    Ok(Json(mine))
}

async fn hears_code_of(app: &Shared, login: &Login) -> Result<bool, StoreError> {
    let services = app.deps.services.services().await?;
    let mut services = services.iter();
    Ok(services.any(|service| service.hears_code_of(&login.actor.user)))
}

/// Whether calls ring for whoever is logged in.
#[utoipa::path(get, path = "/me/availability", tag = "me", responses((status = 200, body = Availability)))]
pub(crate) async fn availability(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Json<Availability> {
    Json(app.deps.desk.availability(&login.actor))
}

/// Takes calls from now on, or takes none. Calls that ring or are on are not touched. It holds until it is chosen anew, or the server ends.
#[utoipa::path(put, path = "/me/availability", tag = "me", request_body = Wish, responses(
    (status = 200, body = Availability),
))]
pub(crate) async fn set_availability(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(wish): Input<Wish>,
) -> Json<Availability> {
    Json(app.deps.desk.set_availability(&login.actor, wish))
}

/// Keeps language and theme for whoever is logged in, in every browser.
#[utoipa::path(put, path = "/me/preferences", tag = "me", request_body = Preferences, responses(
    (status = 204),
))]
pub(crate) async fn save_preferences(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(preferences): Input<Preferences>,
) -> Silent {
    for _ in 0..SAVES_MAX {
        let stored = app.deps.users.user(&login.actor.user).await?;
        let user = stored.ok_or(Code::NotLoggedIn)?;
        if user.preferences == preferences {
            return Ok(StatusCode::NO_CONTENT);
        }
        let user = User {
            preferences,
            ..user
        };
        match kept(&app, &login, user).await {
            Err(StoreError::Conflict) => {}
            done => return Ok(done.map(|_| StatusCode::NO_CONTENT)?),
        }
    }
    Err(Problem::new(Code::Busy))
}

async fn kept(app: &Shared, login: &Login, user: User) -> Result<i64, StoreError> {
    let object = format!("user {}", user.name);
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::PreferencesSaved,
        object,
    )
    .with("language", word(&user.preferences.language))
    .with("theme", word(&user.preferences.theme));
    let change = Change::SaveUser(user.clone());
    let custom = app.deps.users.custom_roles().await?;
    app.commit(change, entry, move |app| app.logins.refresh(&user, &custom))
        .await
}

/// Its word, null for the browser's choice.
fn word(choice: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(choice).unwrap_or_default()
}
