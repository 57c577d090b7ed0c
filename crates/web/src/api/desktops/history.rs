//! Earlier revisions of an agent desktop: shown, compared and restored.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::desktop::{Carried, Desktop, SavedDesktop};
use domain::id::{DesktopId, WidgetId};
use domain::time::UnixMillis;
use domain::widget::Widget;
use secret::SecretText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{DesktopView, Origin, Saving, parsed, stored, veiled_for, view, widget};
use crate::api::Answer;
use crate::app::Shared;
use crate::extract::{Caller, Id, Ids, Input};
use crate::problem::{Code, Problem};

/// Revisions that the history shows: years of edits. Older ones stay in the database.
pub(in crate::api) const REVISIONS_MAX: u32 = 200;

/// Revisions of a desktop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct History {
    /// The newest first.
    revisions: Vec<RevisionBrief>,
    /// There are older ones that are not shown.
    more: bool,
}

/// A revision in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevisionBrief {
    /// Its number.
    revision: i64,
    /// When it was saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
    /// What it changed.
    changed: Vec<Difference>,
}

/// What one revision changed of the one before.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Difference {
    /// What.
    what: DifferenceKind,
    /// Window Title of the widget concerned; empty: the desktop itself.
    title: String,
}

/// Kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DifferenceKind {
    /// The desktop has another name.
    Name,
    /// The desktop has another layout.
    Layout,
    /// The desktop uses another designer desktop.
    Design,
    /// The widgets have another order.
    Order,
    /// A widget was added.
    Added,
    /// A widget was edited.
    Edited,
    /// A widget was removed.
    Removed,
}

/// A revision as it was saved.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevisionView {
    /// The desktop. Without `gateway.edit` the values of request headers are blank.
    desktop: Desktop,
    /// When it was saved.
    saved_at: UnixMillis,
    /// Login name of who saved it.
    saved_by: String,
}

/// What is to be restored over: a desktop, or a designer desktop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreForm {
    /// Its revision as it was read.
    pub(in crate::api) revision: i64,
}

impl fmt::Display for Difference {
    /// As the audit trail says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            DifferenceKind::Name => f.write_str("name"),
            DifferenceKind::Layout => f.write_str("layout"),
            DifferenceKind::Design => f.write_str("designer desktop"),
            DifferenceKind::Order => f.write_str("order"),
            DifferenceKind::Added => write!(f, "added {}", self.title),
            DifferenceKind::Edited => write!(f, "edited {}", self.title),
            DifferenceKind::Removed => write!(f, "removed {}", self.title),
        }
    }
}

/// What differs, the desktop itself first.
pub(in crate::api) fn differences(before: &Desktop, after: &Desktop) -> Vec<Difference> {
    let of = |what, title: &str| Difference {
        what,
        title: title.to_owned(),
    };
    let mut found = Vec::new();
    if before.name != after.name {
        found.push(of(DifferenceKind::Name, ""));
    }
    if before.layout != after.layout {
        found.push(of(DifferenceKind::Layout, ""));
    }
    if before.design != after.design {
        found.push(of(DifferenceKind::Design, ""));
    }
    if common(before, after) != common(after, before) {
        found.push(of(DifferenceKind::Order, ""));
    }
    for new in &after.widgets {
        match widget(before, &new.id) {
            None => found.push(of(DifferenceKind::Added, &new.title)),
            Some(old) if old != new => found.push(of(DifferenceKind::Edited, &new.title)),
            Some(_) => {}
        }
    }
    for old in &before.widgets {
        if widget(after, &old.id).is_none() {
            found.push(of(DifferenceKind::Removed, &old.title));
        }
    }
    found
}

/// Widgets of one desktop that the other has too, in their order.
fn common<'a>(of: &'a Desktop, other: &Desktop) -> Vec<&'a WidgetId> {
    let ids = of.widgets.iter().map(|widget| &widget.id);
    ids.filter(|id| widget(other, id).is_some()).collect()
}

/// The newest 200 revisions, with what each changed.
#[utoipa::path(get, path = "/desktops/{id}/history", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 200, body = History),
))]
pub(crate) async fn list(State(app): State<Shared>, Id(id): Id<DesktopId>) -> Answer<History> {
    stored(&app, &id).await?;
    let saved = app.deps.desktops.revisions(&id, REVISIONS_MAX + 1).await?;
    let shown = usize::try_from(REVISIONS_MAX).unwrap_or(usize::MAX);
    let more = saved.len() > shown;
    let before = saved.iter().skip(1).map(Some).chain([None]);
    let revisions = saved.iter().zip(before).take(shown);
    Ok(Json(History {
        revisions: revisions
            .map(|(saved, before)| brief(saved, before))
            .collect(),
        more,
    }))
}

fn brief(saved: &SavedDesktop, before: Option<&SavedDesktop>) -> RevisionBrief {
    RevisionBrief {
        revision: saved.desktop.revision,
        saved_at: saved.saved_at,
        saved_by: saved.saved_by.clone(),
        changed: before.map_or_else(Vec::new, |before| {
            differences(&before.desktop, &saved.desktop)
        }),
    }
}

/// One revision, as it was saved.
#[utoipa::path(get, path = "/desktops/{id}/history/{revision}", tag = "desktops", params(("id" = DesktopId, Path), ("revision" = i64, Path)), responses(
    (status = 200, body = RevisionView),
))]
pub(crate) async fn show(
    State(app): State<Shared>,
    Caller(login): Caller,
    Ids(id, revision): Ids<DesktopId, i64>,
) -> Answer<RevisionView> {
    stored(&app, &id).await?;
    let saved = kept(&app, &id, revision).await?;
    Ok(Json(RevisionView {
        desktop: veiled_for(&login.actor, saved.desktop),
        saved_at: saved.saved_at,
        saved_by: saved.saved_by,
    }))
}

/// Saves an earlier revision as the next one. Widgets keep their present passwords where they go to the same host; one that would need another is not
/// Enabled. No approval of a host comes back; a designer desktop comes back unless it was deleted.
#[utoipa::path(post, path = "/desktops/{id}/history/{revision}/restore", tag = "desktops", params(("id" = DesktopId, Path), ("revision" = i64, Path)), request_body = RestoreForm, responses(
    (status = 200, body = DesktopView),
))]
pub(crate) async fn restore(
    State(app): State<Shared>,
    Caller(login): Caller,
    Ids(id, revision): Ids<DesktopId, i64>,
    Input(form): Input<RestoreForm>,
) -> Answer<DesktopView> {
    let before = stored(&app, &id).await?;
    if before.revision != form.revision {
        return Err(Code::Conflict.into());
    }
    let old = kept(&app, &id, revision).await?.desktop;
    let set = app.deps.desktops.passwords_set(&id).await?;
    let has_password = |id: &WidgetId| set.iter().any(|(widget, _)| widget == id);
    let secrets = app.deps.desktops.secrets_set(&id).await?;
    let has_all = |old: &Widget| {
        let is_set = |name: &String| {
            let mut all = secrets.iter();
            all.any(|(widget, known, _)| *widget == old.id && known == name)
        };
        old.gateway.as_ref().is_some_and(|gateway| {
            (has_password(&old.id) || !gateway.needs_password())
                && gateway.more.secrets.iter().all(is_set)
        })
    };
    let keeps = |old: &Widget| has_all(old) && goes_to_same_host(&before, old);
    let draft = old.copied(&old.name, &Carried::Passwords(&keeps));
    let (mut after, mut credentials) = parsed(id, Some(&old), before.revision, draft)?;
    if let Some(design) = &old.design
        && app.deps.designs.design(design).await?.is_none()
    {
        after.design = before.design.clone();
    }
    for restored in &after.widgets {
        if has_password(&restored.id) && !goes_to_same_host(&before, restored) {
            let removed = (restored.id.clone(), nothing());
            credentials.passwords.push(removed);
        }
    }
    for (widget, name, _) in secrets {
        let restored = after.widgets.iter().find(|one| one.id == widget);
        if restored.is_some_and(|restored| !goes_to_same_host(&before, restored)) {
            credentials.secrets.push((widget, name, nothing()));
        }
    }
    let saving = Saving {
        before: Some(before),
        after,
        credentials,
        origin: Origin::Revision(revision),
    };
    let saved = saving.commit(&app, &login.actor).await?;
    view(&app, &login.actor, saved).await
}

/// A password goes to the host it was entered for, and nowhere else.
fn goes_to_same_host(now: &Desktop, old: &Widget) -> bool {
    let now = widget(now, &old.id).and_then(|widget| widget.gateway.as_ref());
    match (now, &old.gateway) {
        (Some(now), Some(old)) => old.keeps_to_hosts_of(now),
        (None, _) | (_, None) => false,
    }
}

async fn kept(app: &Shared, id: &DesktopId, revision: i64) -> Result<SavedDesktop, Problem> {
    let saved = app.deps.desktops.revision(id, revision).await?;
    saved.ok_or_else(|| Code::NotFound.into())
}

/// What a removed credential is replaced with.
fn nothing() -> Arc<SecretText> {
    Arc::new(SecretText::new(String::new()))
}
