//! Agent desktops.
//! Owns: their rows, document, history, and which widget belongs to which.
//! Never: keeps a password in a document.

use std::collections::BTreeSet;

use domain::audit::AuditEntry;
use domain::boundary::{Desktops, StoreError, Task};
use domain::desktop::{Credentials, Desktop, SavedDesktop, SecretsSet, StoredCredentials};
use domain::gateway::approval::{HostApproval, HostEditor};
use domain::id::{DesignId, DesktopId, WidgetId};
use domain::time::UnixMillis;
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::approval;
use crate::database::Database;
use crate::deletion::{delete_row, refuse_in_use};
use crate::document::{self, Document};
use crate::failure::{refused, unavailable};
use crate::history::{self, Saved};
use crate::key::KeyRing;
use crate::seal;

impl Document for Desktop {
    const WHAT: &'static str = "desktop";
    const VERSION: i64 = 3;

    fn upgrade(from: i64, mut fields: Map<String, Value>) -> Result<Map<String, Value>, String> {
        match from {
            1 => {
                let widgets = fields.get_mut("widgets").and_then(Value::as_array_mut);
                for widget in widgets.ok_or("no widgets")? {
                    let widget = widget.as_object_mut().ok_or("a widget is no object")?;
                    widget.insert("translations".to_owned(), json!({}));
                }
            }
            2 => {
                fields.insert("design".to_owned(), Value::Null);
            }
            _ => return Err(format!("there is no version {from}")),
        }
        Ok(fields)
    }
}

/// Saves a new desktop or the next revision of one, with new credentials; the new revision. The credentials of a widget that is gone
/// go with it, and secrets that no configuration names any more. The entry says when and by whom.
pub(crate) async fn save(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    desktop: &Desktop,
    credentials: &Credentials,
    entry: &AuditEntry,
) -> Result<i64, StoreError> {
    let revision = next_revision(connection, desktop).await?;
    let kept = document::write(&Desktop {
        revision,
        ..desktop.clone()
    })?;
    let statement = if desktop.revision == 0 {
        "INSERT INTO desktops (id, name, revision, document, design_id) VALUES ($1, $2, $3, $4, $5)"
    } else {
        "UPDATE desktops SET name = $2, revision = $3, document = $4, design_id = $5 \
         WHERE id = $1 AND revision = $3 - 1"
    };
    let done = sqlx::query(statement)
        .bind(desktop.id.as_str())
        .bind(&desktop.name)
        .bind(revision)
        .bind(&kept)
        .bind(desktop.design.as_ref().map(DesignId::as_str))
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    sqlx::query(
        "INSERT INTO desktop_history (desktop_id, revision, saved_at, saved_by, document) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(desktop.id.as_str())
    .bind(revision)
    .bind(entry.at.0)
    .bind(&entry.actor)
    .bind(kept)
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    save_widgets(connection, desktop).await?;
    let is_here = |widget: &WidgetId| desktop.widgets.iter().any(|known| known.id == *widget);
    for (widget, password) in &credentials.passwords {
        if !is_here(widget) {
            return Err(StoreError::Conflict);
        }
        seal::put_password(connection, ring, widget, password, entry.at).await?;
    }
    for (widget, name, secret) in &credentials.secrets {
        if !is_here(widget) {
            return Err(StoreError::Conflict);
        }
        let of = (widget, name.as_str());
        match secret.is_empty() {
            true => delete_secret(connection, widget, name).await?,
            false => seal::put_widget_secret(connection, ring, of, secret, entry.at).await?,
        }
    }
    forget_unnamed(connection, desktop).await?;
    Ok(revision)
}

/// Deletes the secrets that no configuration names any more.
async fn forget_unnamed(
    connection: &mut AnyConnection,
    desktop: &Desktop,
) -> Result<(), StoreError> {
    for widget in &desktop.widgets {
        let kept: Vec<String> =
            sqlx::query_scalar("SELECT name FROM widget_secrets WHERE widget_id = $1")
                .bind(widget.id.as_str())
                .fetch_all(&mut *connection)
                .await
                .map_err(unavailable)?;
        let gateway = widget.gateway.as_ref();
        let is_named =
            |name: &String| gateway.is_some_and(|gateway| gateway.more.secrets.contains(name));
        for name in kept.iter().filter(|name| !is_named(name)) {
            delete_secret(connection, &widget.id, name).await?;
        }
    }
    Ok(())
}

async fn delete_secret(
    connection: &mut AnyConnection,
    widget: &WidgetId,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM widget_secrets WHERE widget_id = $1 AND name = $2")
        .bind(widget.as_str())
        .bind(name)
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// A desktop that is made again under an identity that was deleted goes on counting where its history ends.
async fn next_revision(
    connection: &mut AnyConnection,
    desktop: &Desktop,
) -> Result<i64, StoreError> {
    if desktop.revision > 0 {
        return Ok(desktop.revision + 1);
    }
    sqlx::query_scalar(
        "SELECT COALESCE(MAX(revision), 0) + 1 FROM desktop_history WHERE desktop_id = $1",
    )
    .bind(desktop.id.as_str())
    .fetch_one(connection)
    .await
    .map_err(unavailable)
}

/// A widget belongs to one desktop for ever: its identity is what its password is found by, and a copy elsewhere, with another
/// Service URL, must not get it.
async fn save_widgets(connection: &mut AnyConnection, desktop: &Desktop) -> Result<(), StoreError> {
    let known: Vec<String> = sqlx::query_scalar("SELECT id FROM widgets WHERE desktop_id = $1")
        .bind(desktop.id.as_str())
        .fetch_all(&mut *connection)
        .await
        .map_err(unavailable)?;
    let mut wanted: Vec<&str> = Vec::with_capacity(desktop.widgets.len());
    for widget in &desktop.widgets {
        if wanted.contains(&widget.id.as_str()) {
            return Err(StoreError::Taken("identity"));
        }
        wanted.push(widget.id.as_str());
    }
    for gone in known.iter().filter(|id| !wanted.contains(&id.as_str())) {
        sqlx::query("DELETE FROM widgets WHERE id = $1")
            .bind(gone)
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    for new in wanted
        .into_iter()
        .filter(|id| !known.iter().any(|other| other == id))
    {
        sqlx::query("INSERT INTO widgets (id, desktop_id) VALUES ($1, $2)")
            .bind(new)
            .bind(desktop.id.as_str())
            .execute(&mut *connection)
            .await
            .map_err(refused)?;
    }
    Ok(())
}

/// Deletes a desktop and its passwords. Its history stays.
pub(crate) async fn delete(
    connection: &mut AnyConnection,
    id: &DesktopId,
) -> Result<(), StoreError> {
    let mut uses = Vec::new();
    for (statement, what) in [
        (
            "SELECT name FROM services WHERE desktop_id = $1 ORDER BY name",
            "the service",
        ),
        (
            "SELECT name FROM users WHERE desktop_id = $1 ORDER BY name",
            "the user",
        ),
    ] {
        let names: Vec<String> = sqlx::query_scalar(statement)
            .bind(id.as_str())
            .fetch_all(&mut *connection)
            .await
            .map_err(unavailable)?;
        uses.extend(names.into_iter().map(|name| format!("{what} {name}")));
    }
    refuse_in_use(uses)?;
    delete_row(
        connection,
        "DELETE FROM desktops WHERE id = $1",
        id.as_str(),
    )
    .await
}

fn from_row(row: &AnyRow) -> Result<Desktop, StoreError> {
    let text: String = row.try_get(0).map_err(unavailable)?;
    document::read(&text)
}

impl From<Saved<Desktop>> for SavedDesktop {
    fn from(saved: Saved<Desktop>) -> Self {
        Self {
            desktop: saved.document,
            saved_at: saved.at,
            saved_by: saved.by,
        }
    }
}

fn saved_from_row(row: &AnyRow) -> Result<SavedDesktop, StoreError> {
    Ok(history::from_row(row)?.into())
}

impl Database {
    /// In a transaction whose reads see the same moment.
    async fn credentials_of(
        &self,
        snapshot: &mut AnyConnection,
        widget: &WidgetId,
    ) -> Result<StoredCredentials, StoreError> {
        let row = sqlx::query(
            "SELECT document FROM desktops JOIN widgets ON widgets.desktop_id = desktops.id \
             WHERE widgets.id = $1",
        )
        .bind(widget.as_str())
        .fetch_optional(&mut *snapshot)
        .await
        .map_err(unavailable)?;
        let Some(row) = row else {
            return Ok(StoredCredentials::default());
        };
        // Behind the first read: a rotation adds its key before it changes a row, so this ring opens what the transaction sees.
        let ring = self.ring();
        let password = seal::password(snapshot, &ring, widget).await?;
        let secrets = seal::widget_secrets(snapshot, &ring, widget).await?;
        let mut widgets = from_row(&row)?.widgets.into_iter();
        Ok(StoredCredentials {
            gateway: widgets
                .find(|kept| kept.id == *widget)
                .and_then(|kept| kept.gateway),
            password,
            secrets,
        })
    }
}

impl Desktops for Database {
    fn desktops(&self) -> Task<'_, Result<Vec<Desktop>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT document FROM desktops ORDER BY name")
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(from_row).collect()
        })
    }

    fn desktop<'a>(&'a self, id: &'a DesktopId) -> Task<'a, Result<Option<Desktop>, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT document FROM desktops WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn last_saved(&self) -> Task<'_, Result<Vec<SavedDesktop>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT desktops.document, saved_at, saved_by FROM desktops \
                 JOIN desktop_history ON desktop_id = id \
                 AND desktop_history.revision = desktops.revision ORDER BY name",
            )
            .fetch_all(self.readers())
            .await
            .map_err(unavailable)?;
            rows.iter().map(saved_from_row).collect()
        })
    }

    fn revisions<'a>(
        &'a self,
        id: &'a DesktopId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesktop>, StoreError>> {
        Box::pin(async move {
            let query = "SELECT document, saved_at, saved_by FROM desktop_history \
                         WHERE desktop_id = $1 ORDER BY revision DESC LIMIT $2";
            history::find(self.readers(), query, id.as_str(), limit.into()).await
        })
    }

    fn host_editors(&self) -> Task<'_, Result<BTreeSet<HostEditor>, StoreError>> {
        Box::pin(async move {
            // One revision at a time: a history may be long, those who wrote it are few.
            let mut rows = sqlx::query(
                "SELECT desktop_history.document, saved_at, saved_by FROM desktop_history \
                 JOIN desktops ON desktops.id = desktop_history.desktop_id",
            )
            .fetch(self.readers());
            let mut editors = BTreeSet::new();
            while let Some(row) = rows.try_next().await.map_err(unavailable)? {
                editors.extend(HostEditor::of(&saved_from_row(&row)?));
            }
            Ok(editors)
        })
    }

    fn approved_hosts(&self) -> Task<'_, Result<Vec<HostApproval>, StoreError>> {
        Box::pin(approval::load(self.readers()))
    }

    fn revision<'a>(
        &'a self,
        id: &'a DesktopId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesktop>, StoreError>> {
        Box::pin(async move {
            let query = "SELECT document, saved_at, saved_by FROM desktop_history \
                         WHERE desktop_id = $1 AND revision = $2";
            let found = history::find(self.readers(), query, id.as_str(), revision).await?;
            Ok(found.into_iter().next())
        })
    }

    fn widgets_with_password(&self) -> Task<'_, Result<Vec<WidgetId>, StoreError>> {
        Box::pin(async move {
            let ids: Vec<String> =
                sqlx::query_scalar("SELECT id FROM widgets WHERE sealed IS NOT NULL ORDER BY id")
                    .fetch_all(self.readers())
                    .await
                    .map_err(unavailable)?;
            ids.into_iter()
                .map(|id| id.parse().map_err(unavailable))
                .collect()
        })
    }

    fn gateway_credentials<'a>(
        &'a self,
        widget: &'a WidgetId,
    ) -> Task<'a, Result<StoredCredentials, StoreError>> {
        Box::pin(async move {
            let mut snapshot = self.snapshot().await?;
            let read = self.credentials_of(&mut snapshot, widget).await;
            snapshot.rollback().await.map_err(unavailable)?;
            read
        })
    }

    fn secrets_set<'a>(
        &'a self,
        desktop: &'a DesktopId,
    ) -> Task<'a, Result<SecretsSet, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT widget_secrets.widget_id, widget_secrets.name, widget_secrets.set_at \
                 FROM widget_secrets JOIN widgets ON widgets.id = widget_secrets.widget_id \
                 WHERE widgets.desktop_id = $1 ORDER BY widget_secrets.id",
            )
            .bind(desktop.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(unavailable)?;
            rows.iter()
                .map(|row| {
                    let id: String = row.try_get(0).map_err(unavailable)?;
                    let name: String = row.try_get(1).map_err(unavailable)?;
                    let at: i64 = row.try_get(2).map_err(unavailable)?;
                    Ok((id.parse().map_err(unavailable)?, name, UnixMillis(at)))
                })
                .collect()
        })
    }

    fn passwords_set<'a>(
        &'a self,
        desktop: &'a DesktopId,
    ) -> Task<'a, Result<Vec<(WidgetId, UnixMillis)>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query(
                "SELECT id, set_at FROM widgets \
                 WHERE desktop_id = $1 AND sealed IS NOT NULL ORDER BY id",
            )
            .bind(desktop.as_str())
            .fetch_all(self.readers())
            .await
            .map_err(unavailable)?;
            rows.iter()
                .map(|row| {
                    let id: String = row.try_get(0).map_err(unavailable)?;
                    let at: i64 = row.try_get(1).map_err(unavailable)?;
                    let id = id.parse().map_err(unavailable)?;
                    Ok((id, UnixMillis(at)))
                })
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::widget::Translations;

    use super::*;

    #[test]
    fn widgets_of_the_first_version_speak_one_language() {
        let first = r#"{"v":1,"id":"d1","name":"Sales","service":"standard","layout":"agent_panel","revision":3,
            "widgets":[{"id":"w1","kind":"check_basic","title":"Bank","enabled":true,"prompts":[],"card_types":[],
            "options":{},"gateway":null}]}"#;
        let desktop: Desktop = document::read(first).unwrap();
        assert_eq!(desktop.widgets[0].translations, Translations::new());
        assert_eq!(desktop.design, None, "nor had it a designer desktop");
        let written = document::write(&desktop).unwrap();
        assert_eq!(document::read::<Desktop>(&written), Ok(desktop));
        assert!(document::read::<Desktop>(r#"{"v":1,"id":"d1"}"#).is_err());
    }
}
