//! Earlier revisions of a designer desktop: shown, compared and restored.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::boundary::Change;
use domain::designer::{DesignDraft, DesignerDesktop, SavedDesign, Tile};
use domain::id::DesignId;
use domain::time::UnixMillis;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DesignView, commit, parsed, saved_entry, stored, view};
use crate::api::Answer;
use crate::api::desktops::history::{REVISIONS_MAX, RestoreForm};
use crate::app::Shared;
use crate::extract::{Caller, Id, Ids, Input};
use crate::problem::{Code, Problem};

/// Revisions of a designer desktop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignHistory {
    /// The newest first.
    revisions: Vec<DesignRevisionBrief>,
    /// There are older ones that are not shown.
    more: bool,
}

/// A revision of a design in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignRevisionBrief {
    /// Its number.
    revision: i64,
    /// When it was saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
    /// What it changed.
    changed: Vec<DesignDifference>,
}

/// What one revision of a design changed of the one before.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct DesignDifference {
    /// What.
    what: DesignDifferenceKind,
    /// Of how many tiles; 0: the design itself.
    tiles: usize,
}

/// Kinds of differences of designs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DesignDifferenceKind {
    /// Another name.
    Name,
    /// Tiles were added.
    Added,
    /// Tiles were moved or resized.
    Moved,
    /// Texts or addresses of tiles were edited.
    Edited,
    /// Tiles were removed.
    Removed,
}

/// A revision of a design as it was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DesignRevisionView {
    /// The design.
    design: DesignerDesktop,
    /// When it was saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
}

/// What differs, the design itself first. A number that stands for another kind of tile now is another tile.
fn differences(before: &DesignerDesktop, after: &DesignerDesktop) -> Vec<DesignDifference> {
    use DesignDifferenceKind::{Added, Edited, Moved, Name, Removed};
    let mut found = BTreeMap::new();
    let mut count = |what, tiles| *found.entry(what).or_default() += tiles;
    if before.name != after.name {
        count(Name, 0);
    }
    for new in &after.tiles {
        match same(before, new) {
            None => count(Added, 1),
            Some(old) => {
                if old.place != new.place {
                    count(Moved, 1);
                }
                if old.content != new.content {
                    count(Edited, 1);
                }
            }
        }
    }
    let gone = |old: &&Tile| same(after, old).is_none();
    for _ in before.tiles.iter().filter(gone) {
        count(Removed, 1);
    }
    found
        .into_iter()
        .map(|(what, tiles)| DesignDifference { what, tiles })
        .collect()
}

fn same<'a>(design: &'a DesignerDesktop, tile: &Tile) -> Option<&'a Tile> {
    let kind = |tile: &Tile| std::mem::discriminant(&tile.content);
    let mut tiles = design.tiles.iter();
    tiles.find(|other| other.id == tile.id && kind(other) == kind(tile))
}

/// The newest 200 revisions of a designer desktop, with what each changed.
#[utoipa::path(get, path = "/designer-desktops/{id}/history", tag = "designer", params(("id" = DesignId, Path)), responses(
    (status = 200, body = DesignHistory),
))]
pub(crate) async fn list(State(app): State<Shared>, Id(id): Id<DesignId>) -> Answer<DesignHistory> {
    stored(&app, &id).await?;
    let read = app.deps.designs.design_revisions(&id, REVISIONS_MAX + 1);
    let saved = read.await?;
    let shown = usize::try_from(REVISIONS_MAX).unwrap_or(usize::MAX);
    let before = saved.iter().skip(1).map(Some).chain([None]);
    let revisions = saved.iter().zip(before).take(shown);
    Ok(Json(DesignHistory {
        more: saved.len() > shown,
        revisions: revisions
            .map(|(saved, before)| brief(saved, before))
            .collect(),
    }))
}

fn brief(saved: &SavedDesign, before: Option<&SavedDesign>) -> DesignRevisionBrief {
    let changed = before.map(|before| differences(&before.design, &saved.design));
    DesignRevisionBrief {
        revision: saved.design.revision,
        saved_at: saved.saved_at,
        saved_by: saved.saved_by.clone(),
        changed: changed.unwrap_or_default(),
    }
}

/// One revision of a designer desktop, as it was saved.
#[utoipa::path(get, path = "/designer-desktops/{id}/history/{revision}", tag = "designer", params(("id" = DesignId, Path), ("revision" = i64, Path)), responses(
    (status = 200, body = DesignRevisionView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Ids(id, revision): Ids<DesignId, i64>,
) -> Answer<DesignRevisionView> {
    stored(&app, &id).await?;
    let saved = kept(&app, &id, revision).await?;
    Ok(Json(DesignRevisionView {
        design: saved.design,
        saved_at: saved.saved_at,
        saved_by: saved.saved_by,
    }))
}

/// Saves an earlier revision of a designer desktop as the next one. It has to be valid now: a web page's host may be allowed no longer.
#[utoipa::path(post, path = "/designer-desktops/{id}/history/{revision}/restore", tag = "designer", params(("id" = DesignId, Path), ("revision" = i64, Path)), request_body = RestoreForm, responses(
    (status = 200, body = DesignView),
))]
pub(crate) async fn restore(
    State(app): State<Shared>,
    Caller(login): Caller,
    Ids(id, revision): Ids<DesignId, i64>,
    Input(form): Input<RestoreForm>,
) -> Answer<DesignView> {
    if stored(&app, &id).await?.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    let old = kept(&app, &id, revision).await?.design;
    let draft = DesignDraft {
        name: old.name,
        tiles: old.tiles,
    };
    let mut design = parsed(&app, draft, id, form.revision)?;
    let entry = saved_entry(&app, &login.actor, &design).with("restored_revision", revision);
    design.revision = commit(&app, Change::SaveDesign(design.clone()), entry).await?;
    view(&app, design).await
}

async fn kept(app: &Shared, id: &DesignId, revision: i64) -> Result<SavedDesign, Problem> {
    let saved = app.deps.designs.design_revision(id, revision).await?;
    saved.ok_or_else(|| Code::NotFound.into())
}
