//! Agent desktops, with their widgets, as whole documents.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::{Actor, Permission, Resource, authorize};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::desktop::{
    Credentials, Desktop, DesktopDraft, DesktopService, Layout, Standing, WidgetInDraft,
};
use domain::gateway::{ConnectionNames, GatewayConfig};
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

pub(crate) mod agents;
pub(crate) mod copies;
pub(crate) mod first_steps;
pub(crate) mod history;
pub(crate) mod list;

use history::{Difference, differences};
use list::Facts;

/// A desktop as the editor gets it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesktopView {
    /// The desktop. Without `gateway.edit` the values of request headers are blank.
    desktop: Desktop,
    /// Widgets whose gateway has a password, and since when. The password itself is never returned.
    passwords_set: Vec<PasswordSet>,
    /// Secrets that gateways' configurations name and that have a value, and since when. The value itself is never returned.
    secrets_set: Vec<SecretSet>,
    /// Users that work with it.
    agents: usize,
    /// How it stands.
    standing: Standing,
    /// When this revision was saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
}

/// A secret has a value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecretSet {
    widget: WidgetId,
    name: String,
    set_at: UnixMillis,
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

/// One desktop.
#[utoipa::path(get, path = "/desktops/{id}", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 200, body = DesktopView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
) -> Answer<DesktopView> {
    let desktop = stored(&app, &id).await?;
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
    let (after, credentials) = parsed(new_id()?, None, 0, form.into_draft())?;
    let saving = Saving {
        before: None,
        after,
        credentials,
        origin: Origin::Form,
    };
    let saved = saving.commit(&app, &login.actor).await?;
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
    Input(mut form): Input<DesktopForm>,
) -> Answer<DesktopView> {
    let before = stored(&app, &id).await?;
    if before.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    for given in &mut form.widgets {
        let old = given.id.as_ref().and_then(|id| widget(&before, id));
        given.draft.gateway = unveiled(&login.actor, old, given.draft.gateway.take());
    }
    let (after, credentials) = parsed(id, Some(&before), form.revision, form.into_draft())?;
    let saving = Saving {
        before: Some(before),
        after,
        credentials,
        origin: Origin::Form,
    };
    let saved = saving.commit(&app, &login.actor).await?;
    view(&app, &login.actor, saved).await
}

/// Deletes a desktop that no user, no service and no running capture works with.
#[utoipa::path(delete, path = "/desktops/{id}", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
) -> Silent {
    let desktop = stored(&app, &id).await?;
    agents::refuse_while_capturing(&app, &id).await?;
    let object = format!("desktop {}", desktop.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::DesktopDeleted, object);
    app.commit(Change::DeleteDesktop(id), entry, |app| {
        tell(app, Changed::Desktops)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn stored(app: &Shared, id: &DesktopId) -> Result<Desktop, Problem> {
    let desktop = app.deps.desktops.desktop(id).await?;
    desktop.ok_or_else(|| Code::NotFound.into())
}

async fn view(app: &Shared, actor: &Actor, desktop: Desktop) -> Answer<DesktopView> {
    let desktops = &app.deps.desktops;
    let facts = Facts::read(app).await?;
    let set = desktops.passwords_set(&desktop.id).await?;
    let secrets = desktops.secrets_set(&desktop.id).await?;
    let saved = desktops.revision(&desktop.id, desktop.revision).await?;
    let (saved_at, saved_by) = saved.map_or((UnixMillis(0), String::new()), |saved| {
        (saved.saved_at, saved.saved_by)
    });
    Ok(Json(DesktopView {
        secrets_set: secrets
            .into_iter()
            .map(|(widget, name, set_at)| SecretSet {
                widget,
                name,
                set_at,
            })
            .collect(),
        passwords_set: set
            .into_iter()
            .map(|(widget, set_at)| PasswordSet { widget, set_at })
            .collect(),
        agents: facts.agents(&desktop.id),
        standing: facts.standing(app, &desktop),
        saved_at,
        saved_by,
        desktop: veiled_for(actor, desktop),
    }))
}

/// As this actor may see it: without `gateway.edit` the values of request headers are blank.
fn veiled_for(actor: &Actor, mut desktop: Desktop) -> Desktop {
    if !may(actor, Permission::GatewayEdit) {
        for widget in &mut desktop.widgets {
            widget.gateway = widget.gateway.as_ref().map(GatewayConfig::veiled);
        }
    }
    desktop
}

fn may(actor: &Actor, right: Permission) -> bool {
    authorize(actor, right, Resource::Installation).is_ok()
}

impl DesktopForm {
    fn into_draft(self) -> DesktopDraft {
        DesktopDraft {
            name: self.name,
            service: self.service,
            layout: self.layout,
            widgets: self.widgets,
        }
    }
}

/// Where what is to be saved comes from.
enum Origin {
    Form,
    /// A duplicate of this desktop.
    Copy(String),
    File,
    /// This revision of the same desktop.
    Revision(i64),
}

/// What is to be saved.
struct Saving {
    before: Option<Desktop>,
    after: Desktop,
    credentials: Credentials,
    origin: Origin,
}

impl Saving {
    /// Checks rights and passwords, then saves: live for each agent's next capture.
    async fn commit(mut self, app: &Shared, actor: &Actor) -> Result<Desktop, Problem> {
        let before = self.before.take().unwrap_or_else(|| Desktop {
            name: String::new(),
            widgets: Vec::new(),
            ..self.after.clone()
        });
        permit(actor, &before, &self.after, &self.credentials)?;
        check_connections(&before, &self.after, app.deps.trials.connection_names())?;
        let set = app.deps.desktops.passwords_set(&before.id).await?;
        check_passwords(&before, &self.after, &self.credentials, &set)?;
        let set = app.deps.desktops.secrets_set(&before.id).await?;
        check_secrets(&before, &self.after, &self.credentials, &set)?;
        let entry = self.entry(app, actor, &before);
        let change = Change::SaveDesktop {
            desktop: self.after.clone(),
            credentials: self.credentials,
        };
        let revision = app.commit(change, entry, |app| tell(app, Changed::Desktops));
        self.after.revision = revision.await?;
        Ok(self.after)
    }

    /// Widgets and names of the secrets that get another value, or lose it.
    fn secrets_changed(&self, removed: bool) -> Vec<String> {
        let secrets = self.credentials.secrets.iter();
        secrets
            .filter(|(_, _, text)| text.is_empty() == removed)
            .map(|(id, name, _)| format!("{id}/{name}"))
            .collect()
    }

    fn entry(&self, app: &Shared, actor: &Actor, before: &Desktop) -> AuditEntry {
        let changed = differences(before, &self.after);
        let changed: Vec<_> = changed.iter().map(Difference::to_string).collect();
        let of = |removed: bool| -> Vec<String> {
            let passwords = self.credentials.passwords.iter();
            passwords
                .filter(|(_, password)| password.is_empty() == removed)
                .map(|(id, _)| id.to_string())
                .collect()
        };
        let object = format!("desktop {}", self.after.name);
        let entry = AuditEntry::new(app.now(), actor, AuditAction::DesktopSaved, object)
            .with("from_revision", before.revision)
            .with("changed", changed)
            .with("passwords_replaced", of(false))
            .with("secrets_replaced", self.secrets_changed(false));
        match &self.origin {
            Origin::Form => entry,
            Origin::Copy(name) => entry.with("copy_of", name.as_str()),
            Origin::File => entry.with("imported", true),
            Origin::Revision(revision) => entry
                .with("restored_revision", *revision)
                .with("passwords_removed", of(true))
                .with("secrets_removed", self.secrets_changed(true)),
        }
    }
}

fn new_id() -> Result<DesktopId, Problem> {
    let number = crate::login::random_u128().ok_or(Code::Internal)?;
    Ok(DesktopId::from_random(number))
}

/// The valid desktop with its new passwords, or everything that is wrong.
fn parsed(
    id: DesktopId,
    current: Option<&Desktop>,
    revision: i64,
    draft: DesktopDraft,
) -> Result<(Desktop, Credentials), Problem> {
    let ids = new_widget_ids(draft.widgets.len()).ok_or(Code::Internal)?;
    let mut ids = ids.into_iter();
    let fallback = ids.next().ok_or(Code::Internal)?;
    let next = || ids.next().unwrap_or_else(|| fallback.clone());
    draft.parse(id, revision, current, next).map_err(refused)
}

/// One identity more than widgets.
fn new_widget_ids(widgets: usize) -> Option<Vec<WidgetId>> {
    (0..=widgets)
        .map(|_| crate::login::random_u128().map(WidgetId::from_random))
        .collect()
}

pub(super) fn refused(problems: Vec<DraftProblem>) -> Problem {
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
            if !may(actor, Permission::GatewayEdit) && sent == stored.veiled() =>
        {
            Some(stored.clone())
        }
        (sent, _) => sent,
    }
}

pub(super) fn widget<'a>(desktop: &'a Desktop, id: &WidgetId) -> Option<&'a Widget> {
    desktop.widgets.iter().find(|widget| widget.id == *id)
}

/// The rights that this very change needs.
fn permit(
    actor: &Actor,
    before: &Desktop,
    after: &Desktop,
    credentials: &Credentials,
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
    let passwords = credentials.passwords.iter().map(|(_, text)| text);
    let secrets = credentials.secrets.iter().map(|(_, _, text)| text);
    let replaced = passwords.chain(secrets).any(|text| !text.is_empty());
    need(replaced, Permission::GatewaySecretWrite)?;
    Ok(())
}

fn without_gateways(desktop: &Desktop) -> Desktop {
    let mut desktop = desktop.clone();
    for widget in &mut desktop.widgets {
        widget.gateway = None;
    }
    desktop
}

/// A gateway that is saved names what the server's file has. One that stays as it is does not keep anybody from saving the rest.
fn check_connections(
    before: &Desktop,
    after: &Desktop,
    names: &ConnectionNames,
) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (index, new) in after.widgets.iter().enumerate() {
        let old = widget(before, &new.id).and_then(|old| old.gateway.as_ref());
        let changed = new.gateway.as_ref().filter(|gateway| Some(*gateway) != old);
        let wrong = changed.map(|gateway| names.problems(&gateway.more.connection));
        let path = format!("widgets[{index}].gateway");
        let wrong = wrong.into_iter().flatten();
        problems.extend(wrong.map(|problem| problem.under(&path)));
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(refused(problems)),
    }
}

/// Said of a stored password.
pub(super) const HOST_CHANGED: &str = "The host has changed; enter the password for it.";

/// A password goes to the host it was entered for, and nowhere else.
fn check_passwords(
    before: &Desktop,
    after: &Desktop,
    credentials: &Credentials,
    set: &[(WidgetId, UnixMillis)],
) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (index, new) in after.widgets.iter().enumerate() {
        let mut refuse = |message: &str| {
            problems.push(wrong(format!("widgets[{index}].gateway_password"), message));
        };
        let mut passwords = credentials.passwords.iter();
        let given = passwords.find(|(widget, _)| *widget == new.id);
        let basic = new
            .gateway
            .as_ref()
            .filter(|gateway| gateway.takes_password());
        let kept = set.iter().any(|(widget, _)| *widget == new.id);
        let old = widget(before, &new.id).and_then(|old| old.gateway.as_ref());
        match (given, basic) {
            (None, Some(gateway)) if !kept && new.enabled && gateway.needs_password() => {
                refuse("Auth Method Basic needs a password before the widget is Enabled.");
            }
            (None, Some(gateway))
                if kept && old.is_some_and(|old| !gateway.keeps_to_hosts_of(old)) =>
            {
                refuse(HOST_CHANGED);
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

/// Said of a stored secret.
pub(super) const SECRET_HOST_CHANGED: &str = "The host has changed; enter this secret for it.";

/// So does a secret; and a widget that is Enabled has a value for each.
fn check_secrets(
    before: &Desktop,
    after: &Desktop,
    credentials: &Credentials,
    set: &[(WidgetId, String, UnixMillis)],
) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (index, new) in after.widgets.iter().enumerate() {
        let Some(gateway) = &new.gateway else {
            continue;
        };
        let old = widget(before, &new.id).and_then(|old| old.gateway.as_ref());
        let is_elsewhere = old.is_some_and(|old| !gateway.keeps_to_hosts_of(old));
        for (place, name) in gateway.more.secrets.iter().enumerate() {
            let mut refuse = |message: &str| {
                let field = format!("widgets[{index}].gateway.more.secrets[{place}]");
                problems.push(wrong(field, message));
            };
            let is_it = |id: &WidgetId, other: &String| *id == new.id && other == name;
            let given = credentials
                .secrets
                .iter()
                .find(|(id, other, _)| is_it(id, other));
            let kept = set.iter().any(|(id, other, _)| is_it(id, other));
            match given {
                None if !kept && new.enabled => {
                    refuse("This secret needs a value before the widget is Enabled.");
                }
                None if kept && is_elsewhere => refuse(SECRET_HOST_CHANGED),
                Some(_) | None => {}
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(problems))
    }
}

fn wrong(field: impl Into<String>, message: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field: field.into(),
        message: message.into(),
    }
}
