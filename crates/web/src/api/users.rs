//! Users, their roles, phones and first passwords.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::{Actor, Preferences, Role, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::id::{DesktopId, UserId};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answer, Created, has_length};
use crate::app::{Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::login::password::{Password, password_rule, phone_secret};
use crate::problem::{Code, FieldProblem, Problem};

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
    roles: BTreeSet<Role>,
    /// The desktop this agent works with.
    desktop: Option<DesktopId>,
    /// User part under which this agent's phone registers.
    phone: Option<String>,
    /// The phone has a password.
    phone_password_set: bool,
    /// May log in.
    enabled: bool,
    /// The password must be changed at the next login.
    must_change_password: bool,
    /// Locked until then, after failed logins.
    locked_until: Option<UnixMillis>,
    /// Revision.
    revision: i64,
}

/// A user as a form sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserForm {
    /// Login name: 1-64 of a-z, 0-9, '.', '-', '_', '@'.
    name: String,
    /// 1-80 characters.
    display_name: String,
    /// Roles. Nobody changes their own.
    roles: BTreeSet<Role>,
    /// The desktop this agent works with.
    #[serde(default)]
    desktop: Option<DesktopId>,
    /// User part under which this agent's phone registers: 1-32 of a-z, 0-9, '.', '-', '_'.
    #[serde(default)]
    phone: Option<String>,
    /// A new password of the phone; needed whenever `phone` changes.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    phone_password: Option<Password>,
    /// A new password, to be changed at the next login. Needed for a new user.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Password>,
    /// May log in.
    enabled: bool,
    /// Ends a lock after failed logins; the administrator made sure who it is.
    #[serde(default)]
    unlock: bool,
    /// The revision that was read; 0 for a new user.
    #[serde(default)]
    revision: i64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            roles: user.roles,
            desktop: user.desktop,
            phone_password_set: user.phone_ha1.is_some(),
            phone: user.phone,
            enabled: user.enabled,
            must_change_password: user.must_change_password,
            locked_until: user.locked_until,
            revision: user.revision,
        }
    }
}

/// All users, by name.
#[utoipa::path(get, path = "/users", tag = "users", responses((status = 200, body = UserList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<UserList> {
    let users = app.deps.users.users().await?;
    Ok(Json(UserList {
        users: users.into_iter().map(UserView::from).collect(),
    }))
}

/// One user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", params(("id" = UserId, Path)), responses(
    (status = 200, body = UserView),
))]
pub(crate) async fn show(State(app): State<Shared>, Id(id): Id<UserId>) -> Answer<UserView> {
    let user = app.deps.users.user(&id).await?.ok_or(Code::NotFound)?;
    Ok(Json(UserView::from(user)))
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
    let blank = User {
        id,
        name: String::new(),
        display_name: String::new(),
        roles: BTreeSet::new(),
        password_hash: String::new(),
        must_change_password: true,
        failed_logins: 0,
        locked_until: None,
        desktop: None,
        phone: None,
        phone_ha1: None,
        preferences: Preferences::default(),
        enabled: true,
        revision: 0,
    };
    let user = saved(&app, &login.actor, blank, form).await?;
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
    let others = app.deps.users.users().await?;
    let mut problems = form.problems(&before, &others);
    if let Some(desktop) = &form.desktop
        && app.deps.desktops.desktop(desktop).await?.is_none()
    {
        problems.push(problem("desktop", "choose a desktop that exists"));
    }
    if before.id == actor.user && (form.roles != before.roles || !form.enabled) {
        problems.push(problem(
            "roles",
            "another administrator changes your roles and disables your account",
        ));
    }
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let hash = match &form.password {
        Some(password) => Some(app.passwords.turn().await?.hash(password).await?),
        None => None,
    };
    let reset = hash.is_some();
    let mut user = form.applied(&before, hash, &app.phone_realm);
    let entry = entry(app, actor, &before, &user, reset);
    let after = user.clone();
    let change = Change::SaveUser(user.clone());
    let revision = app.commit(change, entry, move |app| {
        if reset {
            app.logins.end_all_of(&after.id, None);
        }
        app.logins.refresh(&after);
        app.deps.hooks.changed(Changed::Users);
    });
    user.revision = revision.await?;
    Ok(UserView::from(user))
}

fn entry(app: &Shared, actor: &Actor, before: &User, after: &User, reset: bool) -> AuditEntry {
    let changed: Vec<&str> = [
        ("name", before.name != after.name),
        ("display_name", before.display_name != after.display_name),
        ("roles", before.roles != after.roles),
        ("desktop", before.desktop != after.desktop),
        ("phone", before.phone != after.phone),
        ("phone_password", before.phone_ha1 != after.phone_ha1),
        ("password", reset),
        ("enabled", before.enabled != after.enabled),
        ("locked_until", before.locked_until != after.locked_until),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect();
    let roles: Vec<_> = after.roles.iter().map(|role| format!("{role:?}")).collect();
    let object = format!("user {}", after.name);
    AuditEntry::new(app.now(), actor, AuditAction::UserSaved, object)
        .with("changed", changed)
        .with("roles", roles)
}

fn problem(field: &str, message: &str) -> FieldProblem {
    FieldProblem {
        field: field.to_owned(),
        message: message.to_owned(),
    }
}

fn is_word(text: &str, max: usize, extra: &str) -> bool {
    (1..=max).contains(&text.len())
        && text
            .chars()
            .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || extra.contains(char))
}

impl UserForm {
    fn problems(&self, before: &User, all: &[User]) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut wrong = |bad: bool, field: &str, message: &str| {
            if bad {
                problems.push(problem(field, message));
            }
        };
        let mut others = all.iter().filter(|user| user.id != before.id);
        wrong(
            !is_word(&self.name, 64, "._@-"),
            "name",
            "use 1 to 64 lower-case letters, digits, '.', '-', '_' or '@'",
        );
        wrong(
            others.clone().any(|user| user.name == self.name),
            "name",
            "this user name is taken",
        );
        wrong(
            !has_length(&self.display_name, 1..=80),
            "display_name",
            "use 1 to 80 characters",
        );
        if let Some(phone) = &self.phone {
            wrong(
                !is_word(phone, 32, "._-"),
                "phone",
                "use 1 to 32 lower-case letters, digits, '.', '-' or '_'",
            );
            wrong(
                others.any(|user| user.phone.as_ref() == Some(phone)),
                "phone",
                "another user has this phone",
            );
            let renamed = before.phone.as_ref() != Some(phone);
            wrong(
                renamed && self.phone_password.is_none(),
                "phone_password",
                "a new phone needs a password",
            );
        }
        if let Some(text) = &self.phone_password {
            wrong(
                text.0.is_empty(),
                "phone_password",
                "enter a password, or leave the field out to keep the present one",
            );
        }
        match &self.password {
            Some(text) => {
                if let Some(rule) = password_rule(&text.0, &self.name) {
                    wrong(true, "password", &rule);
                }
            }
            None => wrong(
                before.revision == 0,
                "password",
                "a new user needs a first password",
            ),
        }
        problems
    }

    fn applied(self, before: &User, hash: Option<String>, realm: &str) -> User {
        let kept = before.phone_ha1.clone();
        let phone_ha1 = match (&self.phone, &self.phone_password) {
            (None, _) => None,
            (Some(phone), Some(password)) => Some(phone_secret(phone, realm, &password.0)),
            (Some(_), None) => kept,
        };
        let unlocked = self.unlock || hash.is_some();
        User {
            id: before.id.clone(),
            name: self.name,
            display_name: self.display_name.trim().to_owned(),
            roles: self.roles,
            must_change_password: hash.is_some() || before.must_change_password,
            password_hash: hash.unwrap_or_else(|| before.password_hash.clone()),
            failed_logins: if unlocked { 0 } else { before.failed_logins },
            locked_until: before.locked_until.filter(|_| !unlocked),
            desktop: self.desktop,
            phone: self.phone,
            phone_ha1,
            enabled: self.enabled,
            preferences: before.preferences,
            revision: self.revision,
        }
    }
}
