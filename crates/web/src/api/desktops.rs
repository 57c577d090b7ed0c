//! Agent desktops, with their widgets, as whole documents.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::{Actor, Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::desktop::{Desktop, DesktopDraft, DesktopService, Layout, Passwords, WidgetInDraft};
use domain::gateway::{AuthMethod, GatewayConfig};
use domain::id::{DesktopId, WidgetId};
use domain::time::UnixMillis;
use domain::widget::{DraftProblem, Widget};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::services::tell;
use super::{Answer, Created, Silent};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

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
    /// Revision.
    revision: i64,
}

/// A desktop as the editor gets it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesktopView {
    /// The desktop. Without `gateway.edit` the values of request headers are blank.
    desktop: Desktop,
    /// Widgets whose gateway has a password, and since when. The password itself is never returned.
    passwords_set: Vec<PasswordSet>,
}

/// A gateway has a password.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasswordSet {
    /// Of which widget.
    widget: WidgetId,
    /// Since when.
    set_at: UnixMillis,
}

/// A desktop as the editor sends it: the whole document.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DesktopForm {
    /// 1-60 characters, unique.
    name: String,
    /// Fixed at creation.
    service: DesktopService,
    /// Layout.
    layout: Layout,
    /// Widgets, in the order in which agents see them.
    #[serde(default)]
    widgets: Vec<WidgetInDraft>,
    /// The revision that was read; 0 for a new desktop.
    #[serde(default)]
    revision: i64,
}

/// All desktops, by name.
#[utoipa::path(get, path = "/desktops", tag = "desktops", responses((status = 200, body = DesktopList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<DesktopList> {
    let users = app.deps.users.users().await?;
    let brief = |desktop: Desktop| DesktopBrief {
        widgets: desktop.widgets.len(),
        widgets_enabled: desktop
            .widgets
            .iter()
            .filter(|widget| widget.enabled)
            .count(),
        agents: users
            .iter()
            .filter(|user| user.desktop.as_ref() == Some(&desktop.id))
            .count(),
        id: desktop.id,
        name: desktop.name,
        service: desktop.service,
        layout: desktop.layout,
        revision: desktop.revision,
    };
    let desktops = app.deps.desktops.desktops().await?;
    Ok(Json(DesktopList {
        desktops: desktops.into_iter().map(brief).collect(),
    }))
}

/// One desktop.
#[utoipa::path(get, path = "/desktops/{id}", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 200, body = DesktopView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
) -> Answer<DesktopView> {
    let desktop = app
        .deps
        .desktops
        .desktop(&id)
        .await?
        .ok_or(Code::NotFound)?;
    view(&app, &login.actor, desktop).await
}

/// A new desktop.
#[utoipa::path(post, path = "/desktops", tag = "desktops", request_body = DesktopForm, responses(
    (status = 201, body = DesktopView),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<DesktopForm>,
) -> Created<DesktopView> {
    let id = DesktopId::from_random(crate::login::random_u128().ok_or(Code::Internal)?);
    let saved = saved(&app, &login.actor, id, None, form).await?;
    Ok((StatusCode::CREATED, view(&app, &login.actor, saved).await?))
}

/// Saves a desktop, live for each agent's next capture. Texts and layout need `desktop.edit`, gateways `gateway.edit`, their passwords
/// `gateway.secret.write`.
#[utoipa::path(put, path = "/desktops/{id}", tag = "desktops", params(("id" = DesktopId, Path)), request_body = DesktopForm, responses(
    (status = 200, body = DesktopView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
    Input(form): Input<DesktopForm>,
) -> Answer<DesktopView> {
    let before = app
        .deps
        .desktops
        .desktop(&id)
        .await?
        .ok_or(Code::NotFound)?;
    if before.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    let saved = saved(&app, &login.actor, id, Some(before), form).await?;
    view(&app, &login.actor, saved).await
}

/// Deletes a desktop that no user and no service works with.
#[utoipa::path(delete, path = "/desktops/{id}", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
) -> Silent {
    let desktop = app
        .deps
        .desktops
        .desktop(&id)
        .await?
        .ok_or(Code::NotFound)?;
    let object = format!("desktop {}", desktop.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::DesktopDeleted, object);
    app.commit(Change::DeleteDesktop(id), entry, |app| {
        tell(app, Changed::Desktops)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn view(app: &Shared, actor: &Actor, mut desktop: Desktop) -> Answer<DesktopView> {
    if !may(actor, Permission::GatewayEdit) {
        for widget in &mut desktop.widgets {
            widget.gateway = widget.gateway.as_ref().map(veiled);
        }
    }
    let set = app.deps.desktops.passwords_set(&desktop.id).await?;
    let set = set.into_iter();
    Ok(Json(DesktopView {
        desktop,
        passwords_set: set
            .map(|(widget, set_at)| PasswordSet { widget, set_at })
            .collect(),
    }))
}

fn may(actor: &Actor, right: Permission) -> bool {
    authorize(actor, right, Resource::Installation).is_ok()
}

/// Without the values of request headers: they may be credentials.
fn veiled(gateway: &GatewayConfig) -> GatewayConfig {
    let mut gateway = gateway.clone();
    for header in &mut gateway.request_headers {
        header.value.clear();
    }
    gateway
}

async fn saved(
    app: &Shared,
    actor: &Actor,
    id: DesktopId,
    before: Option<Desktop>,
    mut form: DesktopForm,
) -> Result<Desktop, Problem> {
    for given in &mut form.widgets {
        let old = given.id.as_ref().zip(before.as_ref());
        let old = old.and_then(|(id, desktop)| widget(desktop, id));
        given.draft.gateway = unveiled(actor, old, given.draft.gateway.take());
    }
    let ids = new_widget_ids(form.widgets.len()).ok_or(Code::Internal)?;
    let mut ids = ids.into_iter();
    let fallback = ids.next().ok_or(Code::Internal)?;
    let draft = DesktopDraft {
        name: form.name,
        service: form.service,
        layout: form.layout,
        widgets: form.widgets,
    };
    let (mut after, passwords) = draft
        .parse(id, form.revision, before.as_ref(), || {
            ids.next().unwrap_or_else(|| fallback.clone())
        })
        .map_err(refused)?;
    let before = before.unwrap_or_else(|| Desktop {
        name: String::new(),
        widgets: Vec::new(),
        ..after.clone()
    });
    permit(actor, &before, &after, &passwords)?;
    let set = app.deps.desktops.passwords_set(&before.id).await?;
    check_passwords(&before, &after, &passwords, &set)?;
    let entry = entry(app, actor, &before, &after, &passwords);
    let change = Change::SaveDesktop {
        desktop: after.clone(),
        passwords,
    };
    let revision = app.commit(change, entry, |app| tell(app, Changed::Desktops));
    after.revision = revision.await?;
    Ok(after)
}

/// One identity more than widgets.
fn new_widget_ids(widgets: usize) -> Option<Vec<WidgetId>> {
    (0..=widgets)
        .map(|_| crate::login::random_u128().map(WidgetId::from_random))
        .collect()
}

fn refused(problems: Vec<DraftProblem>) -> Problem {
    let problems = problems.into_iter();
    Problem::invalid(
        problems
            .map(|problem| wrong(problem.field, problem.message))
            .collect(),
    )
}

/// Puts back the header values that the editor did not get to see.
fn unveiled(
    actor: &Actor,
    old: Option<&Widget>,
    gateway: Option<GatewayConfig>,
) -> Option<GatewayConfig> {
    let stored = old.and_then(|widget| widget.gateway.as_ref());
    match (gateway, stored) {
        (Some(sent), Some(stored))
            if !may(actor, Permission::GatewayEdit) && sent == veiled(stored) =>
        {
            Some(stored.clone())
        }
        (sent, _) => sent,
    }
}

fn widget<'a>(desktop: &'a Desktop, id: &WidgetId) -> Option<&'a Widget> {
    desktop.widgets.iter().find(|widget| widget.id == *id)
}

/// The rights that this very change needs.
fn permit(
    actor: &Actor,
    before: &Desktop,
    after: &Desktop,
    passwords: &Passwords,
) -> Result<(), Problem> {
    let need = |needed: bool, right: Permission| {
        if needed {
            authorize(actor, right, Resource::Installation)
        } else {
            Ok(())
        }
    };
    let gateways = after.widgets.iter().any(|widget| {
        let old = self::widget(before, &widget.id);
        widget.gateway != old.and_then(|old| old.gateway.clone())
    });
    need(
        without_gateways(before) != without_gateways(after),
        Permission::DesktopEdit,
    )?;
    need(gateways, Permission::GatewayEdit)?;
    need(!passwords.is_empty(), Permission::GatewaySecretWrite)?;
    Ok(())
}

fn without_gateways(desktop: &Desktop) -> Desktop {
    let mut desktop = desktop.clone();
    for widget in &mut desktop.widgets {
        widget.gateway = None;
    }
    desktop
}

/// A password goes to the host it was entered for, and nowhere else.
fn check_passwords(
    before: &Desktop,
    after: &Desktop,
    passwords: &Passwords,
    set: &[(WidgetId, UnixMillis)],
) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (index, new) in after.widgets.iter().enumerate() {
        let mut refuse = |message: &str| {
            problems.push(wrong(format!("widgets[{index}].gateway_password"), message));
        };
        let given = passwords.iter().find(|(widget, _)| *widget == new.id);
        let basic = new
            .gateway
            .as_ref()
            .filter(|gateway| gateway.auth_method == AuthMethod::Basic);
        let kept = set.iter().any(|(widget, _)| *widget == new.id);
        let old = widget(before, &new.id).and_then(|old| old.gateway.as_ref());
        match (given, basic) {
            (None, Some(_)) if !kept => refuse("Auth Method Basic needs a password."),
            (None, Some(gateway)) if old.is_some_and(|old| host(old) != host(gateway)) => {
                refuse("The host has changed; enter the password for it.");
            }
            _ => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(problems))
    }
}

/// Host and port of the Service URL.
fn host(gateway: &GatewayConfig) -> Option<String> {
    let uri: axum::http::Uri = gateway.service_url.parse().ok()?;
    uri.authority()
        .map(|authority| authority.as_str().to_ascii_lowercase())
}

fn entry(
    app: &Shared,
    actor: &Actor,
    before: &Desktop,
    after: &Desktop,
    passwords: &Passwords,
) -> AuditEntry {
    let mut changed = Vec::new();
    for (what, differs) in [
        ("name", before.name != after.name),
        ("layout", before.layout != after.layout),
    ] {
        if differs {
            changed.push(what.to_owned());
        }
    }
    for new in &after.widgets {
        match widget(before, &new.id) {
            None => changed.push(format!("added {}", new.title)),
            Some(old) if old != new => changed.push(format!("edited {}", new.title)),
            Some(_) => {}
        }
    }
    for old in &before.widgets {
        if widget(after, &old.id).is_none() {
            changed.push(format!("removed {}", old.title));
        }
    }
    let replaced: Vec<_> = passwords.iter().map(|(id, _)| id.to_string()).collect();
    let object = format!("desktop {}", after.name);
    AuditEntry::new(app.now(), actor, AuditAction::DesktopSaved, object)
        .with("from_revision", before.revision)
        .with("changed", changed)
        .with("passwords_replaced", replaced)
}

fn wrong(field: impl Into<String>, message: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field: field.into(),
        message: message.into(),
    }
}
