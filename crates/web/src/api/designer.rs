//! Designer desktops, and which agent desktop uses which (SETTLED S7).

pub(crate) mod history;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::designer::{DesignDraft, DesignerDesktop, Tile};
use domain::desktop::{Desktop, DesktopService};
use domain::id::{DesignId, DesktopId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::desktops::history::differences;
use super::desktops::refused;
use super::services::tell;
use super::{Answer, Created, Silent};
use crate::app::{App, Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, Problem};

/// Designer desktops in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignList {
    /// By name.
    designs: Vec<DesignView>,
    /// Hosts whose pages a web page tile may show.
    frame_hosts: Vec<String>,
}

/// A designer desktop as the editor gets it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignView {
    /// The design.
    design: DesignerDesktop,
    /// Names of the agent desktops that use it.
    used_by: Vec<String>,
}

/// A designer desktop as the editor sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesignForm {
    /// 1-60 characters, unique.
    name: String,
    /// Tiles in any order; left out for a new design: those that a new one begins with.
    #[serde(default)]
    tiles: Option<Vec<Tile>>,
    /// The revision that was read; 0 for a new design.
    #[serde(default)]
    revision: i64,
}

/// "Save Agent Desktop": the design that a desktop uses from now on, and its canvas.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindingForm {
    /// The desktop's revision that was read.
    desktop_revision: i64,
    /// Which design.
    design: DesignId,
    /// Its name.
    name: String,
    /// Its tiles.
    tiles: Vec<Tile>,
    /// The design's revision that was read.
    revision: i64,
}

/// What *Save Agent Desktop* did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bound {
    /// The desktop's new revision.
    desktop_revision: i64,
    /// The design as it is now.
    view: DesignView,
    /// It had no control buttons; a tile was added under the call bar.
    control_buttons_added: bool,
}

/// All designer desktops, by name.
#[utoipa::path(get, path = "/designer-desktops", tag = "designer", responses((status = 200, body = DesignList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<DesignList> {
    let desktops = app.deps.desktops.desktops().await?;
    let designs = app.deps.designs.designs().await?.into_iter();
    Ok(Json(DesignList {
        designs: designs.map(|design| viewed(design, &desktops)).collect(),
        frame_hosts: app.frame_hosts.clone(),
    }))
}

/// One designer desktop.
#[utoipa::path(get, path = "/designer-desktops/{id}", tag = "designer", params(("id" = DesignId, Path)), responses(
    (status = 200, body = DesignView),
))]
pub(crate) async fn show(State(app): State<Shared>, Id(id): Id<DesignId>) -> Answer<DesignView> {
    view(&app, stored(&app, &id).await?).await
}

/// A new designer desktop: with the tiles of the form (a duplicate), or with those that a new one begins with.
#[utoipa::path(post, path = "/designer-desktops", tag = "designer", request_body = DesignForm, responses(
    (status = 201, body = DesignView),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<DesignForm>,
) -> Created<DesignView> {
    let id = DesignId::from_random(crate::login::random_u128().ok_or(Code::Internal)?);
    let draft = match form.tiles {
        Some(tiles) => DesignDraft {
            name: form.name,
            tiles,
        },
        None => DesignDraft::starter(form.name),
    };
    let mut design = parsed(&app, draft, id, 0)?;
    let entry = saved_entry(&app, &login.actor, &design);
    design.revision = commit(&app, Change::SaveDesign(design.clone()), entry).await?;
    Ok((StatusCode::CREATED, view(&app, design).await?))
}

/// Saves a designer desktop, live on the desktops that use it at their agents' next idle moment.
#[utoipa::path(put, path = "/designer-desktops/{id}", tag = "designer", params(("id" = DesignId, Path)), request_body = DesignForm, responses(
    (status = 200, body = DesignView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesignId>,
    Input(form): Input<DesignForm>,
) -> Answer<DesignView> {
    let before = stored(&app, &id).await?;
    if before.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    let draft = DesignDraft {
        name: form.name,
        tiles: form.tiles.unwrap_or(before.tiles),
    };
    let mut design = parsed(&app, draft, id, form.revision)?;
    let entry = saved_entry(&app, &login.actor, &design);
    design.revision = commit(&app, Change::SaveDesign(design.clone()), entry).await?;
    view(&app, design).await
}

/// Deletes a designer desktop that no agent desktop uses.
#[utoipa::path(delete, path = "/designer-desktops/{id}", tag = "designer", params(("id" = DesignId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesignId>,
) -> Silent {
    let design = stored(&app, &id).await?;
    let object = format!("designer desktop {}", design.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::DesignDeleted, object);
    commit(&app, Change::DeleteDesign(id), entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// "Save Agent Desktop": desktop and canvas in one transaction. A design without control buttons gets them under the call bar.
#[utoipa::path(put, path = "/desktops/{id}/design", tag = "designer", params(("id" = DesktopId, Path)), request_body = BindingForm, responses(
    (status = 200, body = Bound),
))]
pub(crate) async fn bind(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
    Input(form): Input<BindingForm>,
) -> Answer<Bound> {
    let desktop = app
        .deps
        .desktops
        .desktop(&id)
        .await?
        .ok_or(Code::NotFound)?;
    if desktop.service != DesktopService::Designer {
        return Err(Problem::field(
            "design",
            "Only a desktop of the designer service uses a designer desktop.",
        ));
    }
    let Some(before) = app.deps.designs.design(&form.design).await? else {
        return Err(Problem::field(
            "design",
            "This designer desktop is gone; choose another.",
        ));
    };
    if desktop.revision != form.desktop_revision || before.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    let mut draft = DesignDraft {
        name: form.name,
        tiles: form.tiles,
    };
    let control_buttons_added = draft.add_control_buttons();
    let mut design = parsed(&app, draft, form.design, form.revision)?;
    let desktop_revision = if desktop.design.as_ref() == Some(&design.id) {
        let entry = saved_entry(&app, &login.actor, &design);
        commit(&app, Change::SaveDesign(design.clone()), entry).await?;
        desktop.revision
    } else {
        let (change, entry) = binding(&app, &login.actor, desktop, &design);
        commit(&app, change, entry).await?
    };
    design.revision += 1;
    Ok(Json(Bound {
        desktop_revision,
        view: view(&app, design).await?.0,
        control_buttons_added,
    }))
}

/// A desktop that used no design, or another one, is a new revision of the desktop.
fn binding(
    app: &App,
    actor: &Actor,
    before: Desktop,
    design: &DesignerDesktop,
) -> (Change, AuditEntry) {
    let desktop = Desktop {
        design: Some(design.id.clone()),
        ..before.clone()
    };
    let changed = differences(&before, &desktop);
    let changed: Vec<_> = changed.iter().map(ToString::to_string).collect();
    let object = format!("desktop {}", desktop.name);
    let entry = AuditEntry::new(app.now(), actor, AuditAction::DesktopSaved, object)
        .with("from_revision", desktop.revision)
        .with("changed", changed)
        .with("design", design.name.as_str())
        .with("tiles", design.tiles.len());
    let design = design.clone();
    (Change::BindDesign { desktop, design }, entry)
}

async fn commit(app: &Shared, change: Change, entry: AuditEntry) -> Result<i64, Problem> {
    let told = app.commit(change, entry, |app| tell(app, Changed::Desktops));
    Ok(told.await?)
}

async fn stored(app: &App, id: &DesignId) -> Result<DesignerDesktop, Problem> {
    Ok(app.deps.designs.design(id).await?.ok_or(Code::NotFound)?)
}

async fn view(app: &App, design: DesignerDesktop) -> Answer<DesignView> {
    Ok(Json(viewed(design, &app.deps.desktops.desktops().await?)))
}

fn viewed(design: DesignerDesktop, desktops: &[Desktop]) -> DesignView {
    let users = desktops
        .iter()
        .filter(|desktop| desktop.design.as_ref() == Some(&design.id));
    DesignView {
        used_by: users.map(|desktop| desktop.name.clone()).collect(),
        design,
    }
}

fn parsed(
    app: &App,
    draft: DesignDraft,
    id: DesignId,
    revision: i64,
) -> Result<DesignerDesktop, Problem> {
    let allows = |authority: &str| {
        app.frame_hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(authority))
    };
    draft.parse(id, revision, allows).map_err(refused)
}

fn saved_entry(app: &App, actor: &Actor, design: &DesignerDesktop) -> AuditEntry {
    let object = format!("designer desktop {}", design.name);
    AuditEntry::new(app.now(), actor, AuditAction::DesignSaved, object)
        .with("from_revision", design.revision)
        .with("tiles", design.tiles.len())
}
