//! The description of the API.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use domain::id::RoleId;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::desktops::{agents, copies, first_steps, history};
use super::{
    attempts, audit, calls, consumer, controls, designer, desktops, dial, evidence, exports,
    follow_ups, frames, gateway, hosts, listening, live, login, me, numbers, pairing, payments,
    phone, plans, queue, recordings, resolutions, roles, routing, screens, second_factor, services,
    set_up, sounds, users,
};
use crate::guard::{Access, COOKIE_NAME, FRAME_COOKIE_NAME};
use crate::problem::ProblemBody;
use crate::routes::{RouteRow, table};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tonewall", description = "Secure payment capture for contact centres"),
    servers((url = "/api/v1")),
    modifiers(&Completed),
    components(schemas(ProblemBody, RoleId, domain::payment::Standing)),
    paths(
        show,
        login::show, login::log_in, login::log_out, login::unlock, login::activity, login::change_password,
        login::policy, second_factor::offer, second_factor::set, set_up::offer, set_up::make,
        frames::policy, frames::issue, frames::log_in,
        live::stream, me::availability, me::set_availability, me::desktop, me::save_preferences,
        calls::list, calls::hang_up, calls::open, calls::show, calls::act, calls::process, calls::read_out, calls::reveal, consumer::tell, controls::mute, controls::hold, controls::record, controls::send_key, controls::targets, controls::transfer, controls::cancel_transfer, phone::turn_on, phone::turn_off, phone::show, phone::connect, phone::answer, phone::decline, phone::restart, phone::test, phone::network, screens::show, screens::share, screens::chunk, screens::acknowledge, screens::end, attempts::list, attempts::reset,
        dial::dial, numbers::reserve, numbers::give_back, pairing::ask, pairing::give_back, pairing::bind, pairing::list, pairing::pick, pairing::release,
        queue::show, queue::list,
        listening::list, listening::begin, listening::speak, listening::leave,
        services::settings, services::save_settings, routing::show, routing::save, routing::import,
        services::list, services::create, services::show, services::save, services::declare, sounds::list, sounds::create, sounds::remove,
        desktops::list::list, desktops::create, desktops::show, desktops::save, desktops::remove,
        copies::import, copies::duplicate, copies::export, agents::show, agents::assign,
        history::list, history::show, history::restore, first_steps::show,
        designer::list, designer::create, designer::show, designer::save, designer::remove, designer::bind,
        designer::history::list, designer::history::show, designer::history::restore,
        users::list, users::create, users::show, users::save,
        roles::list, roles::create, roles::save, roles::remove,
        payments::list, payments::choices, payments::show, plans::set_up,
        gateway::presets, gateway::connections, gateway::preview, gateway::judge, gateway::cases, gateway::send, gateway::result,
        hosts::list, hosts::allow, hosts::forbid, resolutions::say, resolutions::agree, resolutions::disagree, follow_ups::ask, follow_ups::say, exports::payments,
        recordings::list, recordings::choices, recordings::show, recordings::peaks, recordings::captures::list, recordings::audio::play, recordings::audio::download, recordings::screen::play, recordings::redaction::redact, recordings::remove,
        audit::list, audit::verify, exports::trail, evidence::export, evidence::keys,
    ),
)]
struct Api;

/// Adds to every operation what the table of routes says of it: rights, cookie, token, errors.
struct Completed;

impl Modify for Completed {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "login",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE_NAME))),
        );
        components.add_security_scheme(
            "frame_login",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(FRAME_COOKIE_NAME))),
        );
        components.add_security_scheme(
            "csrf",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Tonewall-CSRF"))),
        );
        components
            .responses
            .insert("Problem".to_owned(), RefOr::T(problem()));
        for row in table() {
            complete(document, &row);
        }
    }
}

fn problem() -> Response {
    let content = ContentBuilder::new()
        .schema(Some(utoipa::openapi::Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("What is wrong, where, and what would be right")
        .content("application/problem+json", content)
        .build()
}

fn complete(document: &mut Document, row: &RouteRow) {
    let Some(item) = document.paths.paths.get_mut(row.path) else {
        return;
    };
    let operation = match row.method {
        "POST" => &mut item.post,
        "PUT" => &mut item.put,
        "DELETE" => &mut item.delete,
        _ => &mut item.get,
    };
    let Some(operation) = operation else { return };
    let reference = utoipa::openapi::Ref::from_response_name("Problem");
    operation
        .responses
        .responses
        .insert("default".to_owned(), RefOr::Ref(reference));
    let who = match row.access {
        Access::Public => return,
        Access::LoggedIn => "Needs a login.".to_owned(),
        Access::Any(rights) => {
            let names: Vec<_> = rights.iter().map(|right| right.name()).collect();
            format!("Needs the right {}.", names.join(" or "))
        }
    };
    let about = operation.description.get_or_insert_default();
    if !about.is_empty() {
        about.push_str("\n\n");
    }
    about.push_str(&who);
    let mut security = utoipa::openapi::SecurityRequirement::new::<_, _, String>("login", []);
    if row.method != "GET" {
        security = security.add::<_, _, String>("csrf", []);
    }
    operation.security = Some(vec![security]);
}

/// The description.
#[must_use]
pub fn document() -> Document {
    Api::openapi()
}

/// The description as it is committed and served.
#[must_use]
pub fn document_text() -> String {
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "api", responses((status = 200, body = Object)))]
pub(crate) async fn show() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document_text())
}
