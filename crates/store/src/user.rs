//! Users.
//! Owns: their rows and document.
//! Never: checks a password.

use domain::access::{AssignedRole, CustomRoles, User};
use domain::boundary::{StoreError, Task, Users};
use domain::id::{DesktopId, UserId};
use secret::SecretText;
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::Database;
use crate::document::{self, Document};
use crate::failure::{refused, unavailable};
use crate::{role, seal};

impl Document for User {
    const WHAT: &'static str = "user";
    const VERSION: i64 = 4;

    fn upgrade(from: i64, mut fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
        match from {
            1 => {
                let browsers = json!({"language": null, "theme": null});
                fields.insert("preferences".to_owned(), browsers);
            }
            // Version 3 may name custom roles beside the built-in ones, which keep their words.
            2 => {}
            3 => {
                fields.insert("former_hashes".to_owned(), Value::Array(Vec::new()));
                for name in ["second_factor", "active_at"] {
                    fields.insert(name.to_owned(), Value::Null);
                }
            }
            _ => return Err(format!("there is no version {from}")),
        }
        Ok(fields)
    }
}

/// Saves a new user or the next revision of one; the new revision.
pub(crate) async fn save(connection: &mut AnyConnection, user: &User) -> Result<i64, StoreError> {
    keep_a_security_admin(connection, user).await?;
    let revision = user.revision + 1;
    let kept = document::write(&User {
        revision,
        ..user.clone()
    })?;
    let statement = if user.revision == 0 {
        "INSERT INTO users (id, name, phone, desktop_id, revision, document) \
         VALUES ($1, $2, $3, $4, $5, $6)"
    } else {
        "UPDATE users SET name = $2, phone = $3, desktop_id = $4, revision = $5, document = $6 \
         WHERE id = $1 AND revision = $5 - 1"
    };
    let done = sqlx::query(statement)
        .bind(user.id.as_str())
        .bind(&user.name)
        .bind(user.phone.as_deref())
        .bind(user.desktop.as_ref().map(|desktop| desktop.as_str()))
        .bind(revision)
        .bind(kept)
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    save_roles(connection, user).await?;
    if user.second_factor.is_none() {
        sqlx::query("DELETE FROM second_factors WHERE user_id = $1")
            .bind(user.id.as_str())
            .execute(connection)
            .await
            .map_err(refused)?;
    }
    Ok(revision)
}

/// Gives users a desktop and takes it from others, all or nothing. Who works with another desktop meanwhile is not taken from it.
pub(crate) async fn assign(
    connection: &mut AnyConnection,
    desktop: &DesktopId,
    added: &[UserId],
    removed: &[UserId],
) -> Result<(), StoreError> {
    for id in removed {
        let user = one(connection, id).await?;
        if user.desktop.as_ref() != Some(desktop) {
            return Err(StoreError::Conflict);
        }
        let freed = User {
            desktop: None,
            ..user
        };
        save(connection, &freed).await?;
    }
    for id in added {
        let user = one(connection, id).await?;
        let assigned = User {
            desktop: Some(desktop.clone()),
            ..user
        };
        save(connection, &assigned).await?;
    }
    Ok(())
}

/// Refuses to take the role from the last enabled Security admin, or to disable the account: nobody could give it again.
async fn keep_a_security_admin(
    connection: &mut AnyConnection,
    user: &User,
) -> Result<(), StoreError> {
    if user.revision == 0 || user.is_security_admin() {
        return Ok(());
    }
    let stored = sqlx::query("SELECT document FROM users WHERE id = $1")
        .bind(user.id.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(unavailable)?;
    if !stored
        .as_ref()
        .map(from_row)
        .transpose()?
        .is_some_and(|stored| stored.is_security_admin())
    {
        return Ok(());
    }
    let others = sqlx::query("SELECT document FROM users WHERE id <> $1")
        .bind(user.id.as_str())
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    for other in &others {
        if from_row(other)?.is_security_admin() {
            return Ok(());
        }
    }
    Err(StoreError::LastSecurityAdmin)
}

/// Which custom roles the user has, beside the document, so that none of them can be deleted.
async fn save_roles(connection: &mut AnyConnection, user: &User) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM user_roles WHERE user_id = $1")
        .bind(user.id.as_str())
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    for role in &user.roles {
        let AssignedRole::Custom(role) = role else {
            continue;
        };
        sqlx::query("INSERT INTO user_roles (user_id, role_id) VALUES ($1, $2)")
            .bind(user.id.as_str())
            .bind(role.as_str())
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

/// A user who was named by a change: one who is gone makes it a conflict.
async fn one(connection: &mut AnyConnection, id: &UserId) -> Result<User, StoreError> {
    let row = sqlx::query("SELECT document FROM users WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
        .map_err(unavailable)?;
    row.as_ref()
        .map(from_row)
        .transpose()?
        .ok_or(StoreError::Conflict)
}

fn from_row(row: &AnyRow) -> Result<User, StoreError> {
    let text: String = row.try_get(0).map_err(unavailable)?;
    document::read(&text)
}

impl Users for Database {
    fn user_by_name<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<User>, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT document FROM users WHERE name = $1")
                .bind(name)
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn user<'a>(&'a self, id: &'a UserId) -> Task<'a, Result<Option<User>, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT document FROM users WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn users(&self) -> Task<'_, Result<Vec<User>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT document FROM users ORDER BY name")
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(from_row).collect()
        })
    }

    fn second_factor<'a>(
        &'a self,
        user: &'a UserId,
    ) -> Task<'a, Result<Option<SecretText>, StoreError>> {
        Box::pin(async move { seal::second_factor(self.readers(), &self.ring(), user).await })
    }

    fn custom_roles(&self) -> Task<'_, Result<CustomRoles, StoreError>> {
        Box::pin(role::load(self.readers()))
    }
}

#[cfg(test)]
mod tests {
    use domain::access::Preferences;

    use super::*;

    #[test]
    fn a_user_of_the_first_version_has_no_preferences_yet() {
        let first = r#"{"v":1,"id":"u1","name":"anna","display_name":"Anna","roles":["agent"],
            "password_hash":"$","must_change_password":false,"failed_logins":0,"locked_until":null,
            "desktop":null,"phone":null,"phone_ha1":null,"enabled":true,"revision":7}"#;
        let user: User = document::read(first).unwrap();
        assert_eq!(
            (user.revision, user.preferences),
            (7, Preferences::default())
        );
    }

    #[test]
    fn a_user_from_before_there_were_groups_is_in_none() {
        let fourth = r#"{"v":4,"id":"u1","name":"anna","display_name":"Anna","roles":["agent"],
            "password_hash":"$","former_hashes":[],"must_change_password":false,"second_factor":null,
            "active_at":1,"failed_logins":0,"locked_until":null,"desktop":null,"phone":null,
            "extension":"201","phone_ha1":null,"enabled":true,
            "preferences":{"language":null,"theme":null},"revision":7}"#;
        let user: User = document::read(fourth).unwrap();
        assert!(user.groups.is_empty() && user.revision == 7);
    }
}
