//! What a page sends to make or change a user.
//! Owns: the form, its rules, what it makes of a user.
//! Never: reads or writes the store.

use std::collections::BTreeSet;

use domain::access::grant::beyond;
use domain::access::group::{GROUP_CHARS_MAX, GROUPS_MAX, parse_groups};
use domain::access::{Actor, AssignedRole, CustomRoles, Role, User};
use domain::id::DesktopId;
use serde::Deserialize;
use utoipa::ToSchema;

use super::problem;
use crate::api::is_line;
use crate::api::roles::{exists, listed, name_of};
use crate::app::App;
use crate::login::password::{Password, fits_phone, password_rule, phone_secret};
use crate::problem::FieldProblem;

/// A user as a form sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserForm {
    /// Login name: 1-64 of a-z, 0-9, '.', '-', '_', '@'.
    pub(super) name: String,
    /// 1-80 characters.
    pub(super) display_name: String,
    /// Words of built-in roles, identities of custom ones. Nobody changes their own, or gives a role with rights that they lack.
    pub(super) roles: BTreeSet<AssignedRole>,
    /// The desktop this agent works with.
    #[serde(default)]
    pub(super) desktop: Option<DesktopId>,
    /// User part under which this agent's phone registers: 1-32 of a-z, 0-9, '.', '-', '_'.
    #[serde(default)]
    pub(super) phone: Option<String>,
    /// The agent's extension at a PBX whose calls find their agents by it: 1-32 of letters, digits, '+', '.', '-', '_'; nobody else's.
    #[serde(default)]
    pub(super) extension: Option<String>,
    /// At most 20 groups of agents that the user is in, each 1-40 characters without commas, compared without regard to case; a group is there as long as
    /// somebody is in it. Without it: as before, and none of a new user.
    #[serde(default)]
    pub(super) groups: Option<Vec<String>>,
    /// A new password of the phone; needed whenever `phone` changes.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub(super) phone_password: Option<Password>,
    /// A new password, to be changed at the next login. Needed for a new user.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    pub(in crate::api) password: Option<Password>,
    /// May log in.
    pub(super) enabled: bool,
    /// Ends a lock after failed logins; the administrator made sure who it is.
    #[serde(default)]
    pub(super) unlock: bool,
    /// Forgets the second factor of someone who lost it; the next login sets up another. The administrator made sure who it is.
    #[serde(default)]
    pub(super) reset_second_factor: bool,
    /// The revision that was read; 0 for a new user.
    #[serde(default)]
    pub(super) revision: i64,
}

fn is_word(text: &str, max: usize, extra: &str) -> bool {
    (1..=max).contains(&text.len())
        && text
            .chars()
            .all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || extra.contains(char))
}

fn is_extension(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+._-".contains(&byte);
    (1..=32).contains(&text.len()) && text.bytes().all(fits)
}

impl UserForm {
    /// The form of a user that somebody makes for themselves.
    pub(in crate::api) fn first(
        name: String,
        display_name: String,
        password: Password,
        roles: &[Role],
    ) -> Self {
        Self {
            name,
            display_name,
            roles: roles.iter().map(|role| (*role).into()).collect(),
            desktop: None,
            phone: None,
            extension: None,
            groups: None,
            phone_password: None,
            password: Some(password),
            enabled: true,
            unlock: false,
            reset_second_factor: false,
            revision: 0,
        }
    }

    /// What is wrong with the form by itself, and beside the other users.
    pub(in crate::api) fn problems(&self, before: &User, all: &[User]) -> Vec<FieldProblem> {
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
            before.revision > 0 && self.name != before.name,
            "name",
            "a user name stays, for the trail and the history name people by it; change the display name",
        );
        wrong(
            !is_line(&self.display_name, 1..=80),
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
                !fits_phone(&text.0),
                "phone_password",
                "enter a password of at most 128 characters, or leave the field out to keep the present one",
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
        problems.extend(self.problem_of_extension(before, all));
        problems.extend(self.problems_of_groups());
        problems
    }

    fn problems_of_groups(&self) -> Vec<FieldProblem> {
        let Some(Err(wrong)) = self.groups.as_deref().map(parse_groups) else {
            return Vec::new();
        };
        if wrong.is_empty() {
            let why = format!("choose at most {GROUPS_MAX} groups");
            return vec![problem("groups", why)];
        }
        let why = format!(
            "use 1 to {GROUP_CHARS_MAX} characters, without commas and characters that cannot be seen"
        );
        wrong
            .into_iter()
            .map(|place| problem(&format!("groups[{place}]"), why.as_str()))
            .collect()
    }

    fn problem_of_extension(&self, before: &User, all: &[User]) -> Option<FieldProblem> {
        let extension = self.extension.as_deref()?;
        let has = |user: &User| user.extension.as_deref() == Some(extension);
        let message = if !is_extension(extension) {
            "use 1 to 32 letters, digits, '+', '.', '-' or '_'"
        } else if all.iter().any(|user| user.id != before.id && has(user)) {
            "another user has this extension"
        } else {
            return None;
        };
        Some(problem("extension", message))
    }

    /// The user as the form wants it.
    pub(in crate::api) fn applied(self, before: &User, hash: Option<String>, app: &App) -> User {
        let kept = before.phone_ha1.clone();
        let phone_ha1 = match (&self.phone, &self.phone_password) {
            (None, _) => None,
            (Some(phone), Some(password)) => {
                Some(phone_secret(phone, &app.phone_realm, &password.0))
            }
            (Some(_), None) => kept,
        };
        let unlocked = self.unlock || hash.is_some();
        let groups = self.groups.as_deref().map(parse_groups);
        User {
            name: self.name,
            display_name: self.display_name.trim().to_owned(),
            roles: self.roles,
            must_change_password: hash.is_some() || before.must_change_password,
            second_factor: before.second_factor.filter(|_| !self.reset_second_factor),
            active_at: if before.enabled && before.revision > 0 {
                before.active_at
            } else {
                Some(app.now())
            },
            failed_logins: if unlocked { 0 } else { before.failed_logins },
            locked_until: before.locked_until.filter(|_| !unlocked),
            desktop: self.desktop,
            phone: self.phone,
            phone_ha1,
            extension: self.extension,
            groups: match groups {
                Some(Ok(groups)) => groups,
                Some(Err(_)) | None => before.groups.clone(),
            },
            enabled: self.enabled,
            preferences: before.preferences,
            revision: self.revision,
            ..match hash {
                Some(hash) => before.clone().with_password(hash),
                None => before.clone(),
            }
        }
    }

    /// What is wrong with the rights that the form gives, and with what it does to the own account.
    pub(super) fn problems_of_rights(
        &self,
        before: &User,
        actor: &Actor,
        custom: &CustomRoles,
    ) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        for role in self.roles.difference(&before.roles) {
            let beyond = beyond(actor, &custom.permissions_of([role]));
            if !exists(role, custom) {
                problems.push(problem("roles", "choose roles that exist"));
            } else if !beyond.is_empty() {
                let (role, rights) = (name_of(role, custom), listed(&beyond));
                let why = format!("you cannot give {role}: you lack {rights}");
                problems.push(problem("roles", why));
            }
        }
        if before.id == actor.user {
            if self.roles != before.roles || !self.enabled {
                let why = "another administrator changes your roles and disables your account";
                problems.push(problem("roles", why));
            }
            if self.reset_second_factor {
                let why = "another administrator resets your second factor";
                problems.push(problem("reset_second_factor", why));
            }
            if self.password.is_some() {
                let why = "change your own password with the one that you have";
                problems.push(problem("password", why));
            }
        }
        problems
    }
}
