//! Who works with an agent desktop.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::State;
use domain::access::{CustomRoles, Permission, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::{DesktopId, ServiceId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::stored;
use crate::api::Answer;
use crate::api::services::tell;
use crate::app::{App, Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// Who and what works with a desktop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesktopUse {
    /// Agents who work with it, by login name.
    agents: Vec<AgentBrief>,
    /// Users who take payments and could work with it, by login name.
    others: Vec<AgentBrief>,
    /// Services whose calls use it unless their agent has another one.
    services: Vec<ServiceBrief>,
    /// Login names of agents who have a capture open on it.
    capturing: Vec<String>,
}

/// An agent in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentBrief {
    /// Identity.
    id: UserId,
    /// Login name.
    name: String,
    /// What others see.
    display_name: String,
    /// The name of the desktop this agent works with.
    desktop: Option<String>,
}

/// A service in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceBrief {
    /// Identity.
    id: ServiceId,
    /// Name.
    name: String,
}

/// Who is to work with a desktop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignForm {
    /// They work with it from now on, and with no other.
    #[serde(default)]
    add: Vec<UserId>,
    /// They no longer work with it.
    #[serde(default)]
    remove: Vec<UserId>,
}

/// Who and what works with a desktop.
#[utoipa::path(get, path = "/desktops/{id}/use", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 200, body = DesktopUse),
))]
pub(crate) async fn show(State(app): State<Shared>, Id(id): Id<DesktopId>) -> Answer<DesktopUse> {
    stored(&app, &id).await?;
    used(&app, &id).await
}

/// Changes which agents work with a desktop: all of the form or nothing. It takes effect at each agent's next idle moment.
#[utoipa::path(put, path = "/desktops/{id}/agents", tag = "desktops", params(("id" = DesktopId, Path)), request_body = AssignForm, responses(
    (status = 200, body = DesktopUse),
))]
pub(crate) async fn assign(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
    Input(form): Input<AssignForm>,
) -> Answer<DesktopUse> {
    let desktop = stored(&app, &id).await?;
    let users = app.deps.users.users().await?;
    let problems = form.problems(&users, &id);
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let names = |ids: &[UserId]| -> Vec<String> {
        let named = |user: &&User| ids.contains(&user.id);
        let users = users.iter().filter(named);
        users.map(|user| user.name.clone()).collect()
    };
    let object = format!("desktop {}", desktop.name);
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::DesktopAssigned,
        object,
    )
    .with("added", names(&form.add))
    .with("removed", names(&form.remove));
    let change = Change::AssignDesktop {
        desktop: id.clone(),
        added: form.add.clone(),
        removed: form.remove.clone(),
    };
    let at = id.clone();
    app.commit(change, entry, move |app| told(app, &form, &at))
        .await?;
    used(&app, &id).await
}

/// Pages that are logged in work with the desktop from now on.
fn told(app: &App, form: &AssignForm, desktop: &DesktopId) {
    for user in &form.add {
        app.logins.moved(user, Some(desktop));
    }
    for user in &form.remove {
        app.logins.moved(user, None);
    }
    tell(app, Changed::Users);
}

impl AssignForm {
    fn problems(&self, users: &[User], desktop: &DesktopId) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        let lists = [("add", &self.add), ("remove", &self.remove)];
        for (list, id, index) in lists.into_iter().flat_map(|(list, ids)| {
            let ids = ids.iter().enumerate();
            ids.map(move |(index, id)| (list, id, index))
        }) {
            let user = users.iter().find(|user| user.id == *id);
            let works_here = user.is_some_and(|user| user.desktop.as_ref() == Some(desktop));
            let message = if user.is_none() {
                "Choose a user that exists."
            } else if !seen.insert(id) {
                "This user is listed twice."
            } else if list == "remove" && !works_here {
                "This user works with another desktop meanwhile; reload."
            } else {
                continue;
            };
            problems.push(FieldProblem {
                field: format!("{list}[{index}]"),
                message: message.to_owned(),
            });
        }
        problems
    }
}

async fn used(app: &Shared, id: &DesktopId) -> Answer<DesktopUse> {
    let users = app.deps.users.users().await?;
    let desktops = app.deps.desktops.desktops().await?;
    let names: BTreeMap<_, _> = desktops
        .into_iter()
        .map(|desktop| (desktop.id, desktop.name))
        .collect();
    let custom = app.deps.users.custom_roles().await?;
    let capturing = app.deps.desk.capturing(id);
    let (agents, others): (Vec<_>, Vec<_>) = users
        .iter()
        .filter(|user| user.desktop.as_ref() == Some(id) || takes_payments(user, &custom))
        .partition(|user| user.desktop.as_ref() == Some(id));
    let brief = |user: &User| AgentBrief {
        id: user.id.clone(),
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        desktop: user.desktop.as_ref().and_then(|id| names.get(id)).cloned(),
    };
    let services = app.deps.services.services().await?;
    let services = services
        .into_iter()
        .filter(|service| service.desktop == *id);
    Ok(Json(DesktopUse {
        agents: agents.into_iter().map(brief).collect(),
        others: others.into_iter().map(brief).collect(),
        services: services
            .map(|service| ServiceBrief {
                id: service.id,
                name: service.name,
            })
            .collect(),
        capturing: names_of(&users, &capturing),
    }))
}

fn takes_payments(user: &User, custom: &CustomRoles) -> bool {
    let rights = custom.permissions_of(&user.roles);
    user.enabled && rights.contains(&Permission::CaptureStart)
}

fn names_of(users: &[User], ids: &[UserId]) -> Vec<String> {
    let named = users.iter().filter(|user| ids.contains(&user.id));
    named.map(|user| user.name.clone()).collect()
}

/// An open capture keeps its snapshot, but its desktop is not taken from under it.
pub(super) async fn refuse_while_capturing(app: &Shared, id: &DesktopId) -> Result<(), Problem> {
    let capturing = app.deps.desk.capturing(id);
    if capturing.is_empty() {
        return Ok(());
    }
    let users = app.deps.users.users().await?;
    let names = names_of(&users, &capturing).join(", ");
    Err(Problem::new(Code::InUse).detail(format!("a capture is open on it: {names}")))
}
