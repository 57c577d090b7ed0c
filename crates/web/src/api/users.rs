//! Users, their roles, phones and first passwords.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::grant::beyond;
use domain::access::{Actor, AssignedRole, CustomRoles, GroupName, Permission, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::{DesktopId, UserId};
use domain::time::UnixMillis;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::roles::{listed, name_of};
use super::{Answer, Created};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

mod form;

pub(super) use form::UserForm;

/// Users.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserList {
    /// By name.
    users: Vec<UserView>,
}

/// A user, without any secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserView {
    /// Identity.
    id: UserId,
    /// Login name.
    name: String,
    /// What others see.
    display_name: String,
    /// Roles.
    roles: BTreeSet<AssignedRole>,
    /// The desktop this agent works with.
    desktop: Option<DesktopId>,
    /// User part under which this agent's phone registers.
    phone: Option<String>,
    /// The agent's extension at a PBX whose calls find their agents by it.
    extension: Option<String>,
    /// Groups of agents that the user is in, by name.
    groups: BTreeSet<GroupName>,
    /// The phone has a password.
    phone_password_set: bool,
    /// May log in.
    enabled: bool,
    /// The password must be changed at the next login.
    must_change_password: bool,
    /// The last login to the day, or when the account was made or enabled after that. After 90 days without one it is disabled.
    active_at: Option<UnixMillis>,
    /// The second factor is set up, since then.
    second_factor_since: Option<UnixMillis>,
    /// Locked until then, after failed logins.
    locked_until: Option<UnixMillis>,
    /// The caller has every right that this user has, or may give it, and so may change the account.
    editable: bool,
    /// Revision.
    revision: i64,
}

impl UserView {
    fn new(user: User, custom: &CustomRoles, caller: &Actor) -> Self {
        Self {
            editable: caller.permissions.contains(&Permission::UserManage)
                && beyond(caller, &custom.permissions_of(&user.roles)).is_empty(),
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            roles: user.roles,
            desktop: user.desktop,
            phone_password_set: user.phone_ha1.is_some(),
            phone: user.phone,
            extension: user.extension,
            groups: user.groups,
            enabled: user.enabled,
            must_change_password: user.must_change_password,
            active_at: user.active_at,
            second_factor_since: user.second_factor.map(|factor| factor.since),
            locked_until: user.locked_until,
            revision: user.revision,
        }
    }
}

/// All users, by name.
#[utoipa::path(get, path = "/users", tag = "users", responses((status = 200, body = UserList)))]
pub(crate) async fn list(State(app): State<Shared>, Caller(login): Caller) -> Answer<UserList> {
    let custom = app.deps.users.custom_roles().await?;
    let view = |user| UserView::new(user, &custom, &login.actor);
    let users = app.deps.users.users().await?;
    Ok(Json(UserList {
        users: users.into_iter().map(view).collect(),
    }))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)), responses(
    (status = 200, body = UserView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<UserId>,
) -> Answer<UserView> {
    let user = app.deps.users.user(&id).await?.ok_or(Code::NotFound)?;
    let custom = app.deps.users.custom_roles().await?;
    Ok(Json(UserView::new(user, &custom, &login.actor)))
}

/// A new user, with a password to be changed at the first login.
#[utoipa::path(post, path = "/users", tag = "users", request_body = UserForm, responses(
    (status = 201, body = UserView),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<UserForm>,
) -> Created<UserView> {
    let id = UserId::from_random(crate::login::random_u128().ok_or(Code::Internal)?);
    let user = saved(&app, &login.actor, User::blank(id), form).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// Saves a user. Other roles, a new password or a disabled account end the user's logins.
#[utoipa::path(put, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)), request_body = UserForm, responses(
    (status = 200, body = UserView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<UserId>,
    Input(form): Input<UserForm>,
) -> Answer<UserView> {
    let user = app.deps.users.user(&id).await?.ok_or(Code::NotFound)?;
    if user.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    Ok(Json(saved(&app, &login.actor, user, form).await?))
}

async fn saved(
    app: &Shared,
    actor: &Actor,
    before: User,
    form: UserForm,
) -> Result<UserView, Problem> {
    let custom = app.deps.users.custom_roles().await?;
    within_reach(actor, &before, &custom)?;
    let others = app.deps.users.users().await?;
    let mut problems = form.problems(&before, &others);
    if let Some(desktop) = &form.desktop
        && app.deps.desktops.desktop(desktop).await?.is_none()
    {
        problems.push(problem("desktop", "choose a desktop that exists"));
    }
    problems.extend(form.problems_of_rights(&before, actor, &custom));
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let hash = match &form.password {
        Some(password) => Some(app.passwords.turn().await?.hash(password).await?),
        None => None,
    };
    let reset = hash.is_some();
    let forgotten = form.reset_second_factor && before.second_factor.is_some();
    let mut user = form.applied(&before, hash, app);
    let entry = entry(app, actor, (&before, &user, reset), &custom);
    let after = user.clone();
    let roles = custom.clone();
    let change = Change::SaveUser(user.clone());
    let revision = app.commit(change, entry, move |app| {
        if reset || forgotten {
            app.logins.end_all_of(&after.id, None);
        }
        app.logins.refresh(&after, &roles);
        app.deps.hooks.changed(Changed::Users);
    });
    user.revision = revision.await?;
    Ok(UserView::new(user, &custom, actor))
}

/// Whoever could set someone's password could act with their rights, so the account of someone with more rights is not touched.
fn within_reach(actor: &Actor, user: &User, custom: &CustomRoles) -> Result<(), Problem> {
    let beyond = beyond(actor, &custom.permissions_of(&user.roles));
    if beyond.is_empty() {
        return Ok(());
    }
    let why = format!(
        "{} has rights that you lack: {}",
        user.name,
        listed(&beyond)
    );
    Err(Problem::new(Code::NotPermitted).detail(why))
}

/// What the trail says: which fields changed, and what the readable ones were and are.
pub(super) fn entry(
    app: &Shared,
    actor: &Actor,
    (before, after, reset): (&User, &User, bool),
    custom: &CustomRoles,
) -> AuditEntry {
    let (old, new) = (facts(before, custom), facts(after, custom));
    let mut changed: Vec<&str> = [
        ("phone_password", before.phone_ha1 != after.phone_ha1),
        ("password", reset),
        (
            "second_factor",
            before.second_factor.is_some() && after.second_factor.is_none(),
        ),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect();
    let differing = |facts: Map<String, Value>, other: &Map<String, Value>| {
        let differs = |(name, value): &(String, Value)| other.get(name) != Some(value);
        facts.into_iter().filter(differs).collect::<Map<_, _>>()
    };
    let (old, new) = (differing(old.clone(), &new), differing(new, &old));
    changed.extend(new.keys().map(String::as_str));
    let object = format!("user {}", after.name);
    let entry =
        AuditEntry::new(app.now(), actor, AuditAction::UserSaved, object).with("changed", changed);
    let entry = if before.revision == 0 {
        entry
    } else {
        entry.with("before", old)
    };
    entry.with("after", new)
}

/// What of a user may stand in the trail.
fn facts(user: &User, custom: &CustomRoles) -> Map<String, Value> {
    let roles: Vec<_> = user
        .roles
        .iter()
        .map(|role| name_of(role, custom))
        .collect();
    let groups: Vec<&str> = user.groups.iter().map(GroupName::as_str).collect();
    [
        ("name", Value::from(user.name.clone())),
        ("display_name", user.display_name.clone().into()),
        ("roles", roles.into()),
        (
            "desktop",
            user.desktop.as_ref().map(ToString::to_string).into(),
        ),
        ("phone", user.phone.clone().into()),
        ("extension", user.extension.clone().into()),
        ("groups", groups.into()),
        ("enabled", user.enabled.into()),
        ("locked", user.locked_until.is_some().into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

pub(super) fn problem(field: &str, message: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field: field.to_owned(),
        message: message.into(),
    }
}
