//! The table of routes.
//! Owns: method, path, handler and who may use it; nothing else makes a route.
//! Never: lets a route be used by anybody unless the table says so.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use domain::access::Permission as Right;
use serde::Serialize;

use crate::api::desktops::{agents, copies, first_steps, history};
use crate::api::{
    attempts, audit, calls, consumer, controls, designer, desktops, dial, evidence, exports,
    follow_ups, frames, gateway, hosts, listening, live, login, me, numbers, openapi, pairing,
    payments, phone, plans, queue, recordings, resolutions, roles, routing, screens, second_factor,
    services, set_up, sounds, users,
};
use crate::app::Shared;
use crate::guard::{self, Access, Rule};
use crate::problem::{Code, Problem};

struct Route {
    method: Method,
    path: &'static str,
    rule: Rule,
    handler: MethodRouter<Shared>,
}

/// A row of the table, as tests and documents see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteRow {
    /// Method.
    pub method: &'static str,
    /// Path below /api/v1, with `{names}`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
}

/// All routes.
#[must_use]
pub fn table() -> Vec<RouteRow> {
    let row = |route: Route| RouteRow {
        method: method_name(&route.method),
        path: route.path,
        access: route.rule.access,
    };
    routes().into_iter().map(row).collect()
}

/// The API's router.
pub(crate) fn router(app: &Shared) -> Router<Shared> {
    let mut router = Router::new();
    for route in routes() {
        let guard = from_fn_with_state((app.clone(), route.rule), guard::layer);
        router = router.route(route.path, route.handler.route_layer(guard));
    }
    router
        .fallback(async || Problem::new(Code::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Code::MethodNotAllowed))
}

const CAPTURE: &[Right] = &[Right::CaptureStart];
/// The call's agent, or a program that knows whom every call is with.
const CONSUMERS: &[Right] = &[Right::CaptureStart, Right::CallConsumerData];
/// An agent for themselves, or a program for anybody.
const BIND: &[Right] = &[Right::CaptureStart, Right::CallBind];
/// For oneself, or a program for an agent.
const DIAL: &[Right] = &[Right::CallDial, Right::CallDialFor];
const PICK: &[Right] = &[Right::CallPick];
const OVERHEAR: &[Right] = &[Right::CallListen];
/// Whoever speaks or listens at their page.
const PHONE: &[Right] = &[Right::CaptureStart, Right::CallListen];
const DESKTOPS: &[Right] = &[
    Right::DesktopEdit,
    Right::GatewayEdit,
    Right::GatewaySecretWrite,
];
/// Whoever manages users gives them desktops.
const DESKTOP_NAMES: &[Right] = &[
    Right::DesktopEdit,
    Right::GatewayEdit,
    Right::GatewaySecretWrite,
    Right::UserManage,
];
const SERVICES: &[Right] = &[Right::SpcEnable, Right::DesktopEdit];
const SETTINGS: &[Right] = &[Right::SpcEnable, Right::DesktopEdit, Right::GatewayEdit];
const SWITCH: &[Right] = &[Right::SpcEnable];
/// Who enters hosts sees how they stand; a second person approves them.
const HOSTS: &[Right] = &[Right::GatewayEdit, Right::GatewayApproveHost];
const GATEWAYS: &[Right] = &[Right::GatewayEdit];
const APPROVE: &[Right] = &[Right::GatewayApproveHost];
const USERS: &[Right] = &[Right::UserManage];
/// Auditors review who may do what.
const REVIEW: &[Right] = &[Right::UserManage, Right::AuditRead];
const LEDGER: &[Right] = &[Right::PaymentView, Right::CaptureStart];
const RESET: &[Right] = &[Right::CaptureResetAttempts];
const REFUND: &[Right] = &[Right::PaymentRefund];
const RESOLVE: &[Right] = &[Right::PaymentResolveUnknown];
const AUDIT: &[Right] = &[Right::AuditRead];
/// Whoever may do something with a recording finds it.
const RECORDINGS: &[Right] = &[
    Right::RecordingListen,
    Right::RecordingDownload,
    Right::RecordingDelete,
    Right::RecordingRedact,
];
const LISTEN: &[Right] = &[Right::RecordingListen];

fn routes() -> Vec<Route> {
    let mut routes = people();
    routes.extend(captures());
    routes.extend(pairing());
    routes.extend(phones());
    routes.extend(listeners());
    routes.extend(shared_screens());
    routes.extend(configuration());
    routes.extend(evidence());
    routes
}

fn people() -> Vec<Route> {
    vec![
        get("/openapi.json", openapi::show).public(),
        get("/login", login::show)
            .logged_in()
            .while_locked()
            .before_change(),
        post("/login", login::log_in).public(),
        post("/logout", login::log_out)
            .logged_in()
            .while_locked()
            .before_change()
            .passive(),
        post("/unlock", login::unlock)
            .logged_in()
            .while_locked()
            .before_change()
            .passive(),
        post("/activity", login::activity)
            .logged_in()
            .before_change(),
        post("/password", login::change_password)
            .logged_in()
            .before_change(),
        get("/login/policy", login::policy).public(),
        get("/frames", frames::policy).public(),
        post("/frames/codes", frames::issue).logged_in(),
        post("/frames/login", frames::log_in).public(),
        post("/set-up/offer", set_up::offer).public(),
        post("/set-up", set_up::make).public(),
        post("/second-factor", second_factor::offer)
            .logged_in()
            .before_change(),
        put("/second-factor", second_factor::set)
            .logged_in()
            .before_change(),
        put("/me/preferences", me::save_preferences)
            .logged_in()
            .before_change(),
        get("/events", live::stream).logged_in().while_locked(),
        get("/users", users::list).may(REVIEW),
        post("/users", users::create).may(USERS),
        get("/users/{id}", users::show).may(REVIEW),
        put("/users/{id}", users::save).may(USERS),
        get("/roles", roles::list).may(REVIEW),
        post("/roles", roles::create).may(USERS),
        put("/roles/{id}", roles::save).may(USERS),
        delete("/roles/{id}", roles::remove).may(USERS),
    ]
}

fn captures() -> Vec<Route> {
    vec![
        get("/me/availability", me::availability)
            .may(CAPTURE)
            .while_locked(),
        put("/me/availability", me::set_availability).may(CAPTURE),
        get("/me/desktop", me::desktop).logged_in().while_locked(),
        get("/calls", calls::list).may(CAPTURE).while_locked(),
        post("/calls/{id}/hang-up", calls::hang_up)
            .may(CAPTURE)
            .while_locked()
            .passive(),
        put("/calls/{id}/consumer", consumer::tell)
            .may(CONSUMERS)
            .while_locked()
            .passive(),
        put("/calls/{id}/mute", controls::mute)
            .may(CAPTURE)
            .while_locked()
            .passive(),
        put("/calls/{id}/hold", controls::hold)
            .may(CAPTURE)
            .passive(),
        put("/calls/{id}/recording", controls::record)
            .may(CAPTURE)
            .passive(),
        post("/calls/{id}/keys", controls::send_key)
            .may(CAPTURE)
            .passive(),
        get("/calls/{id}/transfer-targets", controls::targets).may(CAPTURE),
        post("/calls/{id}/transfer", controls::transfer)
            .may(CAPTURE)
            .passive(),
        delete("/calls/{id}/transfer", controls::cancel_transfer)
            .may(CAPTURE)
            .passive(),
        // The page sends some of these by itself; what its user does it tells apart (S22).
        post("/calls/{id}/captures", calls::open)
            .may(CAPTURE)
            .passive(),
        get("/captures", attempts::list).may(RESET),
        post("/calls/{id}/reset-attempts", attempts::reset).may(RESET),
        get("/captures/{id}", calls::show)
            .may(CAPTURE)
            .while_locked(),
        post("/captures/{id}/actions", calls::act)
            .may(CAPTURE)
            .passive(),
        post("/captures/{id}/process", calls::process)
            .may(CAPTURE)
            .passive(),
        post("/captures/{id}/authorisation", calls::read_out)
            .may(CAPTURE)
            .passive(),
        post("/captures/{id}/reveal", calls::reveal)
            .may(&[Right::CaptureViewBasic])
            .passive(),
    ]
}

fn pairing() -> Vec<Route> {
    vec![
        post("/calls", dial::dial).may(DIAL),
        post("/number-reservations", numbers::reserve).may(BIND),
        delete("/number-reservations/{id}", numbers::give_back).may(BIND),
        post("/pairing-code", pairing::ask).may(CAPTURE),
        delete("/pairing-code", pairing::give_back).may(CAPTURE),
        post("/calls/bind", pairing::bind).may(BIND),
        get("/service-calls", pairing::list).may(PICK),
        post("/calls/{id}/pick", pairing::pick).may(PICK),
        post("/calls/{id}/release", pairing::release).may(CAPTURE),
    ]
}

/// The page goes on being a phone while it is locked: a call is not cut off because its agent does not touch the keyboard. Only whoever unlocks it takes a
/// new one.
fn phones() -> Vec<Route> {
    let phone = |route: Route| route.may(PHONE).passive();
    vec![
        phone(put("/phone", phone::turn_on)).while_locked(),
        phone(delete("/phone", phone::turn_off)).while_locked(),
        phone(get("/phone/calls/{id}", phone::show)).while_locked(),
        phone(post("/phone/calls/{id}/connect", phone::connect)).while_locked(),
        phone(post("/phone/calls/{id}/answer", phone::answer)),
        phone(post("/phone/calls/{id}/decline", phone::decline)).while_locked(),
        phone(post("/phone/calls/{id}/restart", phone::restart)).while_locked(),
        phone(post("/phone/test", phone::test)),
        phone(get("/phone/network", phone::network)),
    ]
}

/// A page that is locked goes on hearing, and can only leave.
fn listeners() -> Vec<Route> {
    vec![
        get("/queue", queue::show).may(PHONE).passive(),
        get("/waiting-calls", queue::list).may(OVERHEAR).passive(),
        get("/running-calls", listening::list)
            .may(OVERHEAR)
            .passive(),
        post("/running-calls/{id}/listeners", listening::begin).may(OVERHEAR),
        put("/listening/{id}/voice", listening::speak).may(OVERHEAR),
        delete("/listening/{id}", listening::leave)
            .may(OVERHEAR)
            .while_locked(),
    ]
}

/// The page goes on recording while it is locked.
fn shared_screens() -> Vec<Route> {
    vec![
        get("/calls/{id}/screen", screens::show)
            .may(CAPTURE)
            .while_locked(),
        post("/calls/{id}/screen", screens::share)
            .may(CAPTURE)
            .while_locked()
            .passive(),
        post("/calls/{id}/screen/chunks", screens::chunk)
            .may(CAPTURE)
            .while_locked()
            .passive(),
        post("/calls/{id}/screen/acknowledgement", screens::acknowledge)
            .may(CAPTURE)
            .while_locked()
            .passive(),
        post("/calls/{id}/screen/end", screens::end)
            .may(CAPTURE)
            .while_locked()
            .passive(),
    ]
}

fn configuration() -> Vec<Route> {
    vec![
        get("/settings", services::settings).may(SETTINGS),
        put("/settings", services::save_settings).may(SWITCH),
        get("/routing", routing::show).may(SETTINGS),
        put("/routing/refused", routing::save).may(GATEWAYS),
        put("/routing/banks", routing::import).may(GATEWAYS),
        get("/gateway-hosts", hosts::list).may(HOSTS),
        post("/gateway-hosts/approve", hosts::allow).may(APPROVE),
        post("/gateway-hosts/withdraw", hosts::forbid).may(APPROVE),
        get("/gateway-presets", gateway::presets).may(GATEWAYS),
        get("/gateway-connections", gateway::connections).may(GATEWAYS),
        post("/gateway/preview", gateway::preview).may(GATEWAYS),
        post("/gateway/verdict", gateway::judge).may(GATEWAYS),
        post("/gateway/cases", gateway::cases).may(GATEWAYS),
        post("/gateway/test", gateway::send).may(GATEWAYS),
        get("/gateway/test", gateway::result).may(GATEWAYS),
        get("/sounds", sounds::list).may(SERVICES),
        post("/sounds", sounds::create).may(SWITCH),
        delete("/sounds/{id}", sounds::remove).may(SWITCH),
        get("/services", services::list).may(SERVICES),
        post("/services", services::create).may(SWITCH),
        get("/services/{id}", services::show).may(SERVICES),
        put("/services/{id}", services::save).may(SWITCH),
        post("/services/{id}/recorders", services::declare).may(SWITCH),
        get("/first-steps", first_steps::show).may(&[Right::DesktopEdit]),
        get("/desktops", desktops::list::list).may(DESKTOP_NAMES),
        post("/desktops", desktops::create).may(&[Right::DesktopEdit]),
        get("/desktops/{id}", desktops::show).may(DESKTOPS),
        put("/desktops/{id}", desktops::save).may(DESKTOPS),
        delete("/desktops/{id}", desktops::remove).may(&[Right::DesktopEdit]),
        post("/desktops/import", copies::import).may(&[Right::DesktopEdit]),
        post("/desktops/{id}/duplicate", copies::duplicate).may(&[Right::DesktopEdit]),
        get("/desktops/{id}/export", copies::export).may(DESKTOPS),
        get("/desktops/{id}/use", agents::show).may(DESKTOPS),
        put("/desktops/{id}/agents", agents::assign).may(&[Right::DesktopEdit]),
        get("/desktops/{id}/history", history::list).may(DESKTOPS),
        get("/desktops/{id}/history/{revision}", history::show).may(DESKTOPS),
        post(
            "/desktops/{id}/history/{revision}/restore",
            history::restore,
        )
        .may(DESKTOPS),
        put("/desktops/{id}/design", designer::bind).may(&[Right::DesktopEdit]),
        get("/designer-desktops", designer::list).may(DESKTOPS),
        post("/designer-desktops", designer::create).may(&[Right::DesktopEdit]),
        get("/designer-desktops/{id}", designer::show).may(DESKTOPS),
        put("/designer-desktops/{id}", designer::save).may(&[Right::DesktopEdit]),
        delete("/designer-desktops/{id}", designer::remove).may(&[Right::DesktopEdit]),
        get("/designer-desktops/{id}/history", designer::history::list).may(DESKTOPS),
        get(
            "/designer-desktops/{id}/history/{revision}",
            designer::history::show,
        )
        .may(DESKTOPS),
        post(
            "/designer-desktops/{id}/history/{revision}/restore",
            designer::history::restore,
        )
        .may(&[Right::DesktopEdit]),
    ]
}

fn evidence() -> Vec<Route> {
    vec![
        get("/payments", payments::list).may(LEDGER),
        get("/payments/choices", payments::choices).may(&[Right::PaymentView]),
        post("/payments/export", exports::payments).may(&[Right::PaymentExport]),
        get("/payments/{attempt}", payments::show).may(LEDGER),
        post("/payments/{attempt}/proposal", resolutions::say).may(RESOLVE),
        post("/payments/{attempt}/proposal/confirm", resolutions::agree).may(RESOLVE),
        post("/payments/{attempt}/proposal/reject", resolutions::disagree).may(RESOLVE),
        post("/payments/{attempt}/follow-ups", follow_ups::ask).may(REFUND),
        post(
            "/payments/{attempt}/follow-ups/{id}/outcome",
            follow_ups::say,
        )
        .may(RESOLVE),
        post("/payments/{attempt}/plan", plans::set_up).may(LEDGER),
        get("/recordings", recordings::list).may(RECORDINGS),
        get("/recordings/choices", recordings::choices).may(RECORDINGS),
        get("/recordings/{id}", recordings::show).may(RECORDINGS),
        get("/recordings/{id}/captures", recordings::captures::list).may(RECORDINGS),
        get("/recordings/{id}/peaks", recordings::peaks).may(LISTEN),
        get("/recordings/{id}/audio", recordings::audio::play).may(LISTEN),
        get("/recordings/{id}/parts/{number}", recordings::screen::play).may(LISTEN),
        post("/recordings/{id}/download", recordings::audio::download)
            .may(&[Right::RecordingDownload]),
        post("/recordings/{id}/redactions", recordings::redaction::redact)
            .may(&[Right::RecordingRedact]),
        delete("/recordings/{id}", recordings::remove).may(&[Right::RecordingDelete]),
        get("/audit", audit::list).may(AUDIT),
        get("/audit/verification", audit::verify).may(AUDIT),
        post("/audit/export", exports::trail).may(AUDIT),
        post("/captures/{id}/evidence", evidence::export).may(AUDIT),
        get("/evidence/keys", evidence::keys).may(AUDIT),
    ]
}

fn route<H: Handler<T, Shared>, T: 'static>(
    method: Method,
    filter: MethodFilter,
    path: &'static str,
    handler: H,
) -> Route {
    Route {
        rule: Rule {
            access: Access::Any(&[]),
            while_locked: false,
            before_change: false,
            is_activity: method != Method::GET,
        },
        method,
        path,
        handler: on(filter, handler),
    }
}

fn get<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    route(Method::GET, MethodFilter::GET, path, handler)
}

fn post<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    route(Method::POST, MethodFilter::POST, path, handler)
}

fn put<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    route(Method::PUT, MethodFilter::PUT, path, handler)
}

fn delete<H: Handler<T, Shared>, T: 'static>(path: &'static str, handler: H) -> Route {
    route(Method::DELETE, MethodFilter::DELETE, path, handler)
}

impl Route {
    fn access(mut self, access: Access) -> Self {
        self.rule.access = access;
        self
    }

    fn public(self) -> Self {
        self.access(Access::Public)
    }

    fn logged_in(self) -> Self {
        self.access(Access::LoggedIn)
    }

    fn may(self, rights: &'static [Right]) -> Self {
        self.access(Access::Any(rights))
    }

    fn while_locked(mut self) -> Self {
        self.rule.while_locked = true;
        self
    }

    fn before_change(mut self) -> Self {
        self.rule.before_change = true;
        self
    }

    fn passive(mut self) -> Self {
        self.rule.is_activity = false;
        self
    }
}

fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}
