//! Duplicates of agent desktops, and desktops as files.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_DISPOSITION;
use axum::response::IntoResponse;
use domain::access::{Actor, Permission};
use domain::desktop::{Carried, Desktop, DesktopDraft, DesktopFile, FILE_VERSION};
use domain::id::{DesignId, DesktopId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{DesktopView, Origin, Saving, may, new_id, parsed, stored, view};
use crate::api::Created;
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::Problem;

/// A duplicate to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DuplicateForm {
    /// Name of the duplicate: 1-60 characters, unique.
    name: String,
}

/// A duplicate under another name, with new identities. Passwords are not copied, nor are gateways without `gateway.edit`: a widget that lacks one is
/// not Enabled.
#[utoipa::path(post, path = "/desktops/{id}/duplicate", tag = "desktops", params(("id" = DesktopId, Path)), request_body = DuplicateForm, responses(
    (status = 201, body = DesktopView),
))]
pub(crate) async fn duplicate(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<DesktopId>,
    Input(form): Input<DuplicateForm>,
) -> Created<DesktopView> {
    let original = stored(&app, &id).await?;
    let draft = duplicated(&login.actor, &original, &form.name);
    let origin = Origin::Copy(original.name);
    made(&app, &login.actor, draft, original.design, origin).await
}

fn duplicated(actor: &Actor, original: &Desktop, name: &str) -> DesktopDraft {
    if may(actor, Permission::GatewayEdit) {
        original.copied(name, &Carried::Gateways)
    } else {
        original.copied(name, &Carried::Texts)
    }
}

/// A desktop as a file, without identities, passwords, values of request headers and approvals.
#[utoipa::path(get, path = "/desktops/{id}/export", tag = "desktops", params(("id" = DesktopId, Path)), responses(
    (status = 200, body = DesktopFile),
))]
pub(crate) async fn export(
    State(app): State<Shared>,
    Id(id): Id<DesktopId>,
) -> Result<impl IntoResponse, Problem> {
    let file = stored(&app, &id).await?.to_file();
    let disposition = format!("attachment; filename=\"{}\"", file_name(&file.name));
    Ok(([(CONTENT_DISPOSITION, disposition)], Json(file)))
}

/// A name that every file system takes: letters, digits and dashes.
fn file_name(name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(plain).collect();
    format!("desktop-{name}.json")
}

/// A new desktop from a file. All of it or nothing; a widget that lacks a password or the value of a request header is not Enabled.
#[utoipa::path(post, path = "/desktops/import", tag = "desktops", request_body = DesktopFile, responses(
    (status = 201, body = DesktopView),
))]
pub(crate) async fn import(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(file): Input<DesktopFile>,
) -> Created<DesktopView> {
    if file.version != FILE_VERSION {
        let message = format!("This server reads version {FILE_VERSION} of the file.");
        return Err(Problem::field("version", message));
    }
    made(&app, &login.actor, file.into_draft(), None, Origin::File).await
}

async fn made(
    app: &Shared,
    actor: &Actor,
    draft: DesktopDraft,
    design: Option<DesignId>,
    origin: Origin,
) -> Created<DesktopView> {
    let (mut after, credentials) = parsed(new_id()?, None, 0, draft)?;
    after.design = design;
    let saving = Saving {
        before: None,
        after,
        credentials,
        origin,
    };
    let saved = saving.commit(app, actor).await?;
    Ok((StatusCode::CREATED, view(app, actor, saved).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_plain_name() {
        assert_eq!(file_name("Sales US"), "desktop-sales-us.json");
        assert_eq!(file_name("a\"\r\n/../é"), "desktop-a--------.json");
    }
}
