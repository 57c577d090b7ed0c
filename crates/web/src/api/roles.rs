//! Roles: the built-in ones, and those that were made here.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::grant::{beyond, may_give};
use domain::access::{Actor, AssignedRole, CustomRole, CustomRoles, Permission, Role, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::RoleId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Created, Silent, is_line};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// Longest name.
const NAME_CHARS_MAX: usize = 60;

/// Roles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleList {
    /// The built-in ones, then those made here by name.
    roles: Vec<RoleView>,
    /// Rights that the caller may give: what a role of theirs may allow.
    givable: BTreeSet<Permission>,
}

/// A role, and who has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoleView {
    /// The word of a built-in role, or the identity of one that was made here.
    id: AssignedRole,
    /// What people call it.
    name: String,
    /// It is one of the five that every installation has. They are not changed.
    built_in: bool,
    /// What it allows.
    permissions: BTreeSet<Permission>,
    /// How many users have it.
    users: usize,
    /// The caller may give it to others, and take it from them.
    grantable: bool,
    /// The caller may change or delete it.
    editable: bool,
    /// Revision; 0 for a built-in one.
    revision: i64,
}

/// A role as a form sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleForm {
    /// 1-60 characters, unlike that of any other role.
    name: String,
    /// What it allows. Nobody puts in what they lack.
    permissions: BTreeSet<Permission>,
    /// The revision that was read; 0 for a new role.
    #[serde(default)]
    revision: i64,
}

/// What people call a built-in role.
fn built_in_name(role: Role) -> &'static str {
    match role {
        Role::Agent => "Agent",
        Role::Supervisor => "Supervisor",
        Role::DesktopAdmin => "Desktop admin",
        Role::SecurityAdmin => "Security admin",
        Role::Auditor => "Auditor",
    }
}

/// What people call a role.
pub(super) fn name_of(role: &AssignedRole, custom: &CustomRoles) -> String {
    match role {
        AssignedRole::BuiltIn(role) => built_in_name(*role).to_owned(),
        AssignedRole::Custom(id) => custom
            .find(id)
            .map_or_else(|| id.to_string(), |role| role.name.clone()),
    }
}

/// There is such a role.
pub(super) fn exists(role: &AssignedRole, custom: &CustomRoles) -> bool {
    match role {
        AssignedRole::BuiltIn(_) => true,
        AssignedRole::Custom(id) => custom.find(id).is_some(),
    }
}

/// Rights in a sentence.
pub(super) fn listed(rights: &BTreeSet<Permission>) -> String {
    let names: Vec<_> = rights.iter().map(|right| right.name()).collect();
    names.join(", ")
}

/// What a caller sees of a role.
struct Viewer<'a> {
    caller: &'a Actor,
    custom: &'a CustomRoles,
    users: &'a [User],
}

impl Viewer<'_> {
    fn view(&self, id: AssignedRole) -> RoleView {
        let permissions = self.custom.permissions_of([&id]);
        let manages = self.caller.permissions.contains(&Permission::UserManage);
        let grantable = manages && beyond(self.caller, &permissions).is_empty();
        let custom = match &id {
            AssignedRole::BuiltIn(_) => None,
            AssignedRole::Custom(id) => self.custom.find(id),
        };
        RoleView {
            name: name_of(&id, self.custom),
            built_in: custom.is_none(),
            users: self
                .users
                .iter()
                .filter(|user| user.roles.contains(&id))
                .count(),
            editable: grantable && custom.is_some() && !self.caller.roles.contains(&id),
            revision: custom.map_or(0, |role| role.revision),
            grantable,
            permissions,
            id,
        }
    }
}

/// All roles: what they allow and how many users have them.
#[utoipa::path(get, path = "/roles", tag = "users", responses((status = 200, body = RoleList)))]
pub(crate) async fn list(State(app): State<Shared>, Caller(login): Caller) -> Answer<RoleList> {
    let custom = app.deps.users.custom_roles().await?;
    let users = app.deps.users.users().await?;
    let viewer = Viewer {
        caller: &login.actor,
        custom: &custom,
        users: &users,
    };
    let mut made: Vec<_> = custom.iter().collect();
    made.sort_by(|one, other| one.name.cmp(&other.name));
    let made = made
        .into_iter()
        .map(|role| AssignedRole::Custom(role.id.clone()));
    let built_in = Role::ALL.into_iter().map(AssignedRole::from);
    let givable = |right: &Permission| may_give(&login.actor, *right);
    Ok(Json(RoleList {
        givable: Permission::ALL.into_iter().filter(givable).collect(),
        roles: built_in.chain(made).map(|role| viewer.view(role)).collect(),
    }))
}

/// A new role.
#[utoipa::path(post, path = "/roles", tag = "users", request_body = RoleForm, responses(
    (status = 201, body = RoleView),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<RoleForm>,
) -> Created<RoleView> {
    let blank = CustomRole {
        id: RoleId::from_random(crate::login::random_u128().ok_or(Code::Internal)?),
        name: String::new(),
        permissions: BTreeSet::new(),
        revision: 0,
    };
    let role = saved(&app, &login.actor, blank, form).await?;
    Ok((StatusCode::CREATED, Json(role)))
}

/// Saves a role. Other rights end the logins of everybody who has it.
#[utoipa::path(put, path = "/roles/{id}", tag = "users", params(("id" = RoleId, Path)), request_body = RoleForm, responses(
    (status = 200, body = RoleView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RoleId>,
    Input(form): Input<RoleForm>,
) -> Answer<RoleView> {
    let custom = app.deps.users.custom_roles().await?;
    let role = custom.find(&id).ok_or(Code::NotFound)?;
    if role.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    within_reach(&login.actor, role)?;
    Ok(Json(saved(&app, &login.actor, role.clone(), form).await?))
}

/// Deletes a role that nobody has.
#[utoipa::path(delete, path = "/roles/{id}", tag = "users", params(("id" = RoleId, Path)), responses((status = 204)))]
pub(crate) async fn remove(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<RoleId>,
) -> Silent {
    let custom = app.deps.users.custom_roles().await?;
    let role = custom.find(&id).ok_or(Code::NotFound)?;
    within_reach(&login.actor, role)?;
    let object = format!("role {}", role.name);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::RoleDeleted, object)
        .with("permissions", names(&role.permissions));
    app.commit(Change::DeleteRole(id), entry, |app| {
        app.deps.hooks.changed(Changed::Users);
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A role that allows more than the caller may give is not touched, nor one that the caller has.
fn within_reach(actor: &Actor, role: &CustomRole) -> Result<(), Problem> {
    let refused = |why| Err(Problem::new(Code::NotPermitted).detail(why));
    let beyond = beyond(actor, &role.permissions);
    if !beyond.is_empty() {
        return refused(format!(
            "{} has rights that you lack: {}",
            role.name,
            listed(&beyond)
        ));
    }
    if actor.roles.contains(&AssignedRole::Custom(role.id.clone())) {
        return refused("another administrator changes a role that you have".to_owned());
    }
    Ok(())
}

async fn saved(
    app: &Shared,
    actor: &Actor,
    before: CustomRole,
    form: RoleForm,
) -> Result<RoleView, Problem> {
    let custom = app.deps.users.custom_roles().await?;
    let problems = form.problems(&before, actor, &custom);
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let mut role = CustomRole {
        name: form.name.trim().to_owned(),
        permissions: form.permissions,
        ..before.clone()
    };
    let entry = entry(app, actor, &before, &role);
    let ends = (role.permissions != before.permissions).then(|| role.id.clone());
    let revision = app.commit(Change::SaveRole(role.clone()), entry, move |app| {
        if let Some(role) = ends {
            app.logins.end_all_with(&role);
        }
        app.deps.hooks.changed(Changed::Users);
    });
    role.revision = revision.await?;
    let users = app.deps.users.users().await?;
    let id = AssignedRole::Custom(role.id.clone());
    let viewer = Viewer {
        caller: actor,
        custom: &custom.iter().cloned().chain([role]).collect(),
        users: &users,
    };
    Ok(viewer.view(id))
}

fn names(rights: &BTreeSet<Permission>) -> Vec<&'static str> {
    rights.iter().map(|right| right.name()).collect()
}

fn entry(app: &Shared, actor: &Actor, before: &CustomRole, after: &CustomRole) -> AuditEntry {
    let facts = |role: &CustomRole| serde_json::json!({"name": role.name, "permissions": names(&role.permissions)});
    let object = format!("role {}", after.name);
    let entry = AuditEntry::new(app.now(), actor, AuditAction::RoleSaved, object);
    let entry = if before.revision == 0 {
        entry
    } else {
        entry.with("before", facts(before))
    };
    entry.with("after", facts(after))
}

impl RoleForm {
    fn problems(
        &self,
        before: &CustomRole,
        actor: &Actor,
        custom: &CustomRoles,
    ) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut wrong = |field: &str, message: String| {
            problems.push(FieldProblem {
                field: field.to_owned(),
                message,
            });
        };
        let name = self.name.trim().to_lowercase();
        let mut others = custom.iter().filter(|role| role.id != before.id);
        let is_taken = Role::ALL
            .map(built_in_name)
            .iter()
            .any(|own| own.to_lowercase() == name)
            || others.any(|role| role.name.to_lowercase() == name);
        if !is_line(&self.name, 1..=NAME_CHARS_MAX) {
            wrong("name", format!("use 1 to {NAME_CHARS_MAX} characters"));
        } else if is_taken {
            wrong("name", "this name is taken".to_owned());
        }
        if self.permissions.is_empty() {
            wrong("permissions", "choose at least one right".to_owned());
        }
        let beyond = beyond(actor, &self.permissions);
        if !beyond.is_empty() {
            wrong(
                "permissions",
                format!("you cannot give what you lack: {}", listed(&beyond)),
            );
        }
        problems
    }
}
