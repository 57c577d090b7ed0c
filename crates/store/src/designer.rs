//! Designer desktops.
//! Owns: their rows, document and history.
//! Never: looks into a tile.

use domain::audit::AuditEntry;
use domain::boundary::{Designs, StoreError, Task};
use domain::designer::{DesignerDesktop, SavedDesign};
use domain::id::DesignId;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::database::Database;
use crate::deletion::{delete_row, refuse_in_use};
use crate::document::{self, Document};
use crate::failure::{refused, unavailable};
use crate::history::{self, Saved};

impl Document for DesignerDesktop {
    const WHAT: &'static str = "designer desktop";
    const VERSION: i64 = 1;

    fn upgrade(from: i64, _: Map<String, Value>) -> Result<Map<String, Value>, String> {
        Err(format!("there is no version {from}"))
    }
}

/// Saves a new design or the next revision of one; the new revision. The entry says when and by whom.
pub(crate) async fn save(
    connection: &mut AnyConnection,
    design: &DesignerDesktop,
    entry: &AuditEntry,
) -> Result<i64, StoreError> {
    let revision = design.revision + 1;
    let kept = document::write(&DesignerDesktop {
        revision,
        ..design.clone()
    })?;
    let statement = if design.revision == 0 {
        "INSERT INTO designer_desktops (id, name, revision, document) VALUES ($1, $2, $3, $4)"
    } else {
        "UPDATE designer_desktops SET name = $2, revision = $3, document = $4 \
         WHERE id = $1 AND revision = $3 - 1"
    };
    let done = sqlx::query(statement)
        .bind(design.id.as_str())
        .bind(&design.name)
        .bind(revision)
        .bind(&kept)
        .execute(&mut *connection)
        .await
        .map_err(refused)?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    sqlx::query(
        "INSERT INTO designer_desktop_history (design_id, revision, saved_at, saved_by, document) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(design.id.as_str())
    .bind(revision)
    .bind(entry.at.0)
    .bind(&entry.actor)
    .bind(kept)
    .execute(&mut *connection)
    .await
    .map_err(refused)?;
    Ok(revision)
}

/// Deletes a design that no desktop uses. Its history stays.
pub(crate) async fn delete(
    connection: &mut AnyConnection,
    id: &DesignId,
) -> Result<(), StoreError> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM desktops WHERE design_id = $1 ORDER BY name")
            .bind(id.as_str())
            .fetch_all(&mut *connection)
            .await
            .map_err(unavailable)?;
    let uses = names.iter().map(|name| format!("the desktop {name}"));
    refuse_in_use(uses.collect())?;
    delete_row(
        connection,
        "DELETE FROM designer_desktops WHERE id = $1",
        id.as_str(),
    )
    .await
}

fn from_row(row: &AnyRow) -> Result<DesignerDesktop, StoreError> {
    let text: String = row.try_get(0).map_err(unavailable)?;
    document::read(&text)
}

impl From<Saved<DesignerDesktop>> for SavedDesign {
    fn from(saved: Saved<DesignerDesktop>) -> Self {
        Self {
            design: saved.document,
            saved_at: saved.at,
            saved_by: saved.by,
        }
    }
}

impl Designs for Database {
    fn designs(&self) -> Task<'_, Result<Vec<DesignerDesktop>, StoreError>> {
        Box::pin(async move {
            let rows = sqlx::query("SELECT document FROM designer_desktops ORDER BY name")
                .fetch_all(self.readers())
                .await
                .map_err(unavailable)?;
            rows.iter().map(from_row).collect()
        })
    }

    fn design<'a>(
        &'a self,
        id: &'a DesignId,
    ) -> Task<'a, Result<Option<DesignerDesktop>, StoreError>> {
        Box::pin(async move {
            let row = sqlx::query("SELECT document FROM designer_desktops WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(self.readers())
                .await
                .map_err(unavailable)?;
            row.as_ref().map(from_row).transpose()
        })
    }

    fn design_revisions<'a>(
        &'a self,
        id: &'a DesignId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesign>, StoreError>> {
        Box::pin(async move {
            let query = "SELECT document, saved_at, saved_by FROM designer_desktop_history \
                         WHERE design_id = $1 ORDER BY revision DESC LIMIT $2";
            history::find(self.readers(), query, id.as_str(), limit.into()).await
        })
    }

    fn design_revision<'a>(
        &'a self,
        id: &'a DesignId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesign>, StoreError>> {
        Box::pin(async move {
            let query = "SELECT document, saved_at, saved_by FROM designer_desktop_history \
                         WHERE design_id = $1 AND revision = $2";
            let found = history::find(self.readers(), query, id.as_str(), revision).await?;
            Ok(found.into_iter().next())
        })
    }
}
