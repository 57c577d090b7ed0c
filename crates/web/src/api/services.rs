//! Services, their recorders, and system settings.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::access::group::{AgentGroup, groups_of};
use domain::access::{Actor, GroupName};
use domain::audit::{AuditAction, AuditEntry};
use domain::availability::AFTER_CALL_S_MAX;
use domain::boundary::{Audience, Bus, Change, LiveEvent};
use domain::hours::{Hours, HoursNow};
use domain::id::{DesktopId, ServiceId, SinkId, SoundId};
use domain::number_pool::NumberPool;
use domain::outbound::Outbound;
use domain::pairing::{PAIRED_AGENTS_MAX, Pairing};
use domain::queue::Queue;
use domain::service::{
    CallRecording, KEEP_DAYS, OnTransfer, ProtectionScope, RecorderDeclaration, ResponseVariables,
    Route, ScreenRecording, Service, Settings, Sink, SinkHearing, SinkMedium,
};
use domain::widget::DraftProblem;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::hours::hours_problems;
use super::numbers::{pool_problems, taken_by};
use super::{Answer, Created, is_line};
use crate::app::{App, Changed, Shared};
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// Numbers of one service.
const NUMBERS_MAX: usize = 64;
/// Characters of a number.
const NUMBER_CHARS_MAX: usize = 40;
/// Bytes of a route's URI.
const URI_BYTES_MAX: usize = 200;
/// Recorders of one service.
const SINKS_MAX: usize = 16;

/// Services.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceList {
    /// By name.
    services: Vec<ServiceView>,
    /// Recorders of the server's file, by which it can pause a declared one.
    recorder_controls: Vec<String>,
    /// Trunks of the server's file that a route can lead to: those with `places`.
    trunks: Vec<String>,
    /// Groups of agents that users are in or services name, by name, each with how many are in it.
    groups: Vec<AgentGroup>,
    /// The server's file names a folder for recordings; without it nothing is recorded, whatever a service says.
    keeps_recordings: bool,
}

/// A service, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceView {
    /// The service.
    #[serde(flatten)]
    service: Service,
    /// Whether it takes new calls, by its hours; not there: it has none, and does.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours_now: Option<HoursNow>,
}

impl ServiceView {
    fn new(service: Service, app: &App) -> Self {
        let hours = service.hours.as_ref();
        Self {
            hours_now: hours.map(|hours| hours.at(app.now())),
            service,
        }
    }
}

/// A service as a form sends it. Recorders are declared apart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceForm {
    /// 1-60 characters, unique.
    name: String,
    /// 1-64 user parts of request URIs; `*` takes what no other service takes.
    numbers: Vec<String>,
    /// Where calls go.
    route: Route,
    /// The desktop of calls whose agent has none.
    desktop: DesktopId,
    /// How its calls find their agents, where the route is a PBX without a fixed agent; without it: as before, and by none of a new service.
    #[serde(default)]
    pairing: Option<Pairing>,
    /// Numbers that are reserved for agents; null: there are none; without it: as before, and none of a new service.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<NumberPool>)]
    pool: Option<Option<NumberPool>>,
    /// When it takes new calls; null: always; without it: as before, and always of a new service.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Hours>)]
    hours: Option<Option<Hours>>,
    /// How its agents call out; null: they do not; without it: as before, and not from a new service.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Outbound>)]
    outbound: Option<Option<Outbound>>,
    /// How its callers wait while no agent is free; null: they do not; without it: as before, and not those of a new service.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Queue>)]
    queue: Option<Option<Queue>>,
    /// When calls are protected.
    protection: ProtectionScope,
    /// How long no other call rings for its agent after a call, 0-600 s.
    #[serde(default)]
    after_call_s: u16,
    /// What a transfer by the agent's phone or the PBX does while a capture is open; without it: as before, and refused by a new service.
    #[serde(default)]
    on_transfer: Option<OnTransfer>,
    /// Whether this server records the calls; without it: as before, and no calls of a new service.
    #[serde(default)]
    call_recording: Option<CallRecording>,
    /// Whether this server records the agents' screens; without it: as before, and no screens of a new service.
    #[serde(default)]
    screen_recording: Option<ScreenRecording>,
    /// The revision that was read; 0 for a new service.
    #[serde(default)]
    revision: i64,
}

/// A declaration of recorders (who else records these calls).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordersForm {
    /// All of them; empty: "No other recorder records these calls".
    sinks: Vec<SinkForm>,
    /// The revision of the service that was read.
    revision: i64,
}

/// A recorder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinkForm {
    /// 1-60 characters.
    name: String,
    /// What it records.
    medium: SinkMedium,
    /// What it hears.
    hears: SinkHearing,
    /// One of `recorder_controls`, by which this server pauses it; without it nothing does.
    #[serde(default)]
    control: Option<String>,
}

/// System settings as a form sends them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsForm {
    /// Configure > Agents > Secure Payment Capture.
    spc_enabled: bool,
    /// Response variables.
    response_variables: ResponseVariables,
    /// The revision that was read.
    revision: i64,
}

/// System settings.
#[utoipa::path(get, path = "/settings", tag = "settings", responses((status = 200, body = Settings)))]
pub(crate) async fn settings(State(app): State<Shared>) -> Answer<Settings> {
    Ok(Json(app.deps.services.settings().await?))
}

/// Saves the system settings. Switching Secure Payment Capture off lets open captures finish.
#[utoipa::path(put, path = "/settings", tag = "settings", request_body = SettingsForm, responses(
    (status = 200, body = Settings),
))]
pub(crate) async fn save_settings(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<SettingsForm>,
) -> Answer<Settings> {
    let response_variables = form.response_variables.parse().map_err(wrong_list)?;
    let recorded = serde_json::to_value(&response_variables).map_err(|_| Code::InvalidForm)?;
    let mut settings = Settings {
        spc_enabled: form.spc_enabled,
        response_variables,
        revision: form.revision,
    };
    let now = app.now();
    let entry = AuditEntry::new(now, &login.actor, AuditAction::SettingsSaved, "settings")
        .with("spc_enabled", form.spc_enabled)
        .with("response_variables", recorded);
    let change = Change::SaveSettings(settings.clone());
    let revision = app.commit(change, entry, |app| tell(app, Changed::Settings));
    settings.revision = revision.await?;
    Ok(Json(settings))
}

fn wrong_list(problem: DraftProblem) -> Problem {
    Problem::field(problem.field, problem.message)
}

/// All services, by name.
#[utoipa::path(get, path = "/services", tag = "services", responses((status = 200, body = ServiceList)))]
pub(crate) async fn list(State(app): State<Shared>) -> Answer<ServiceList> {
    let services = app.deps.services.services().await?;
    let named = services.iter().filter_map(|one| one.route.group());
    let groups = groups_of(&app.deps.users.users().await?, named);
    let services = services.into_iter();
    Ok(Json(ServiceList {
        services: services.map(|one| ServiceView::new(one, &app)).collect(),
        groups,
        recorder_controls: app.recorder_controls.clone(),
        trunks: app.trunks.clone(),
        keeps_recordings: app.deps.recording_files.is_some(),
    }))
}

/// One service.
#[utoipa::path(get, path = "/services/{id}", tag = "services", params(("id" = ServiceId, Path)), responses(
    (status = 200, body = ServiceView),
))]
pub(crate) async fn show(State(app): State<Shared>, Id(id): Id<ServiceId>) -> Answer<ServiceView> {
    let service = app.deps.services.service(&id).await?;
    let service = service.ok_or(Code::NotFound)?;
    Ok(Json(ServiceView::new(service, &app)))
}

/// A new service. Its captures are blocked until its recorders are declared.
#[utoipa::path(post, path = "/services", tag = "services", request_body = ServiceForm, responses(
    (status = 201, body = ServiceView),
))]
pub(crate) async fn create(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<ServiceForm>,
) -> Created<ServiceView> {
    let id = ServiceId::from_random(crate::login::random_u128().ok_or(Code::Internal)?);
    form.check(&app, &id).await?;
    let service = form.applied(id, None);
    Ok((
        StatusCode::CREATED,
        Json(saved(&app, &login.actor, service, "created").await?),
    ))
}

/// Saves a service. Its declaration of recorders stays.
#[utoipa::path(put, path = "/services/{id}", tag = "services", params(("id" = ServiceId, Path)), request_body = ServiceForm, responses(
    (status = 200, body = ServiceView),
))]
pub(crate) async fn save(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<ServiceId>,
    Input(form): Input<ServiceForm>,
) -> Answer<ServiceView> {
    let before = at_revision(&app, &id, form.revision).await?;
    form.check(&app, &id).await?;
    let service = form.applied(id, Some(before));
    Ok(Json(saved(&app, &login.actor, service, "edited").await?))
}

/// Declares who else records a service's calls. Named, dated, audited.
#[utoipa::path(post, path = "/services/{id}/recorders", tag = "services", params(("id" = ServiceId, Path)), request_body = RecordersForm, responses(
    (status = 200, body = ServiceView),
))]
pub(crate) async fn declare(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<ServiceId>,
    Input(form): Input<RecordersForm>,
) -> Answer<ServiceView> {
    let mut service = at_revision(&app, &id, form.revision).await?;
    if form.sinks.len() > SINKS_MAX {
        return Err(Problem::field("sinks", "declare 16 recorders at most"));
    }
    let numbered = form.sinks.iter().enumerate();
    let problems = numbered.flat_map(|(index, sink)| sink.problems(index, &app.recorder_controls));
    let problems: Vec<FieldProblem> = problems.collect();
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let mut sinks = Vec::with_capacity(form.sinks.len());
    for sink in form.sinks {
        sinks.push(Sink {
            id: SinkId::from_random(crate::login::random_u128().ok_or(Code::Internal)?),
            name: sink.name.trim().to_owned(),
            medium: sink.medium,
            hears: sink.hears,
            control: sink.control,
        });
    }
    service.recorders = Some(RecorderDeclaration {
        confirmed_by: login.actor.name.clone(),
        confirmed_at: app.now(),
        sinks,
    });
    Ok(Json(
        saved(&app, &login.actor, service, "recorders declared").await?,
    ))
}

async fn at_revision(app: &Shared, id: &ServiceId, revision: i64) -> Result<Service, Problem> {
    let service = app.deps.services.service(id).await?.ok_or(Code::NotFound)?;
    if service.revision == revision {
        Ok(service)
    } else {
        Err(Code::Conflict.into())
    }
}

async fn saved(
    app: &Shared,
    actor: &Actor,
    mut service: Service,
    what: &str,
) -> Result<ServiceView, Problem> {
    let recorders = service
        .recorders
        .as_ref()
        .map(|declared| declared.sinks.len());
    let object = format!("service {}", service.name);
    let entry = AuditEntry::new(app.now(), actor, AuditAction::ServiceSaved, object)
        .with("what", what)
        .with("recorders", recorders)
        .with("pool", service.pool.as_ref().map(|pool| pool.numbers.len()))
        .with("hours", service.hours.is_some())
        .with("calls_out", service.outbound.is_some())
        .with("queue", service.queue.is_some())
        .with("group", service.route.group().map(GroupName::as_str))
        .with("recorded", service.call_recording.when.name())
        .with("keep_days", service.call_recording.keep_days)
        .with("screens", service.screen_recording.when.name())
        .with("screens_required", service.screen_recording.required)
        .with("screens_keep_days", service.screen_recording.keep_days);
    let change = Change::SaveService(service.clone());
    let revision = app.commit(change, entry, |app| tell(app, Changed::Services));
    service.revision = revision.await?;
    Ok(ServiceView::new(service, app))
}

/// The other rooms, and every page.
pub(super) fn tell(app: &App, what: Changed) {
    app.deps.hooks.changed(what);
    let name = match what {
        Changed::Users => "users",
        Changed::Desktops => "desktops",
        Changed::Services => "services",
        Changed::Settings => "settings",
        Changed::Payments => "payments",
    };
    app.deps.hub.publish(LiveEvent {
        audience: Audience::Everyone,
        topic: "desktop",
        body: serde_json::json!({ "changed": name }),
    });
}

impl SinkForm {
    /// What is wrong with the one at this place of the list; `controls` are the recorders of the server's file.
    fn problems(&self, index: usize, controls: &[String]) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        if !is_line(&self.name, 1..=60) {
            problems.push(wrong(
                format!("sinks[{index}].name"),
                "use 1 to 60 characters",
            ));
        }
        let is_unknown = |control: &String| !controls.contains(control);
        if self.control.as_ref().is_some_and(is_unknown) {
            let field = format!("sinks[{index}].control");
            problems.push(wrong(
                field,
                "choose a recorder that the server's file names",
            ));
        }
        problems
    }
}

impl ServiceForm {
    /// All that is wrong, also against the other services, desktops and users.
    async fn check(&self, app: &Shared, id: &ServiceId) -> Result<(), Problem> {
        let mut problems = self.problems();
        let services = app.deps.services.services().await?;
        for other in services.iter().filter(|other| other.id != *id) {
            if other.name.eq_ignore_ascii_case(self.name.trim()) {
                problems.push(wrong("name", "this name is taken"));
            }
            let pool = self.pool.iter().flatten().next();
            problems.extend(taken_by(other, &self.numbers, pool));
        }
        if app.deps.desktops.desktop(&self.desktop).await?.is_none() {
            problems.push(wrong("desktop", "choose a desktop that exists"));
        }
        if let Route::Trunk { trunk, .. } = &self.route
            && !app.trunks.contains(trunk)
        {
            let message = "choose a trunk of the server's file that has places";
            problems.push(wrong("route.trunk", message));
        }
        let hours = self.hours.iter().flatten();
        problems.extend(hours.flat_map(|hours| hours_problems(hours, &app.trunks)));
        let way_out = (self.outbound.iter().flatten()).find_map(|outbound| outbound.route.trunk());
        if way_out.is_some_and(|trunk| !app.trunks.iter().any(|one| one == trunk)) {
            let message = "choose a trunk of the server's file that has places";
            problems.push(wrong("outbound.route.trunk", message));
        }
        let sounds = app.deps.services.sounds().await?;
        let queue = self.queue.iter().flatten();
        let mut named = queue.flat_map(|queue| {
            let of = |field: &'static str, id: &'_ Option<SoundId>| (field, id.clone());
            [
                of("queue.music", &queue.music),
                of("queue.announcement", &queue.announcement),
            ]
        });
        let is_there = |id: &SoundId| sounds.iter().any(|sound| sound.id == *id);
        if let Some((field, _)) = named.find(|(_, id)| id.as_ref().is_some_and(|id| !is_there(id)))
        {
            problems.push(wrong(field, "choose a sound that exists"));
        }
        let overflow = (self.queue.iter().flatten()).find_map(|queue| queue.overflow.trunk());
        if overflow.is_some_and(|trunk| !app.trunks.iter().any(|one| one == trunk)) {
            let message = "choose a trunk of the server's file that has places";
            problems.push(wrong("queue.overflow.trunk", message));
        }
        if let Some(agent) = self.route.fixed_agent()
            && app.deps.users.user_by_name(agent).await?.is_none()
        {
            problems.push(wrong("route.agent", "enter the login name of a user"));
        }
        let agents = self.pairing.iter().flat_map(|pairing| &pairing.agents);
        for agent in agents.take(PAIRED_AGENTS_MAX) {
            if app.deps.users.user(agent).await?.is_none() {
                problems.push(wrong("pairing.agents", "choose users that exist"));
                break;
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(problems))
        }
    }

    fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        if !is_line(&self.name, 1..=60) {
            problems.push(wrong("name", "use 1 to 60 characters"));
        }
        if !(1..=NUMBERS_MAX).contains(&self.numbers.len()) {
            problems.push(wrong("numbers", "enter 1 to 64 numbers"));
        }
        for (index, number) in self.numbers.iter().enumerate() {
            let message = if !is_number(number) {
                "use 1 to 40 of letters, digits, '+', '-', '.', '_'; or '*' alone"
            } else if self.numbers[..index].contains(number) {
                "this number stands here twice"
            } else {
                continue;
            };
            problems.push(wrong(format!("numbers[{index}]"), message));
        }
        if self.after_call_s > AFTER_CALL_S_MAX {
            problems.push(wrong("after_call_s", "choose 0 to 600 seconds"));
        }
        let days = self.call_recording.map(|recording| recording.keep_days);
        if days.is_some_and(|days| !KEEP_DAYS.contains(&days)) {
            problems.push(wrong("call_recording.keep_days", "choose 1 to 3650 days"));
        }
        let days = self.screen_recording.map(|recording| recording.keep_days);
        if days.is_some_and(|days| !KEEP_DAYS.contains(&days)) {
            problems.push(wrong("screen_recording.keep_days", "choose 1 to 3650 days"));
        }
        problems.extend(self.pool.iter().flatten().flat_map(pool_problems));
        let outbound = self.outbound.iter().flatten();
        let wrong_outbound = outbound.flat_map(Outbound::problems);
        problems.extend(wrong_outbound.map(|one| wrong(one.field, one.message)));
        problems.extend(queue_problems(&self.queue, &self.route));
        let paired = self
            .pairing
            .as_ref()
            .map_or(0, |pairing| pairing.agents.len());
        if paired > PAIRED_AGENTS_MAX {
            problems.push(wrong("pairing.agents", "choose at most 500 users"));
        }
        problems.extend(route_problems(&self.route));
        problems
    }

    /// `before`: the service as it was, of which some things stay.
    fn applied(self, id: ServiceId, before: Option<Service>) -> Service {
        let (recorders, calls, screens, pairing, (pool, hours), (outbound, queue), on_transfer) =
            match before {
                Some(before) => (
                    before.recorders,
                    before.call_recording,
                    before.screen_recording,
                    before.pairing,
                    (before.pool, before.hours),
                    (before.outbound, before.queue),
                    before.on_transfer,
                ),
                None => Default::default(),
            };
        Service {
            id,
            name: self.name.trim().to_owned(),
            numbers: self.numbers,
            route: self.route,
            pairing: self.pairing.unwrap_or(pairing),
            pool: self.pool.unwrap_or(pool),
            hours: self.hours.map_or(hours, |hours| hours.map(Box::new)),
            outbound: self.outbound.unwrap_or(outbound),
            queue: self.queue.unwrap_or(queue),
            desktop: self.desktop,
            protection: self.protection,
            after_call_s: self.after_call_s,
            on_transfer: self.on_transfer.unwrap_or(on_transfer),
            call_recording: self.call_recording.unwrap_or(calls),
            screen_recording: self.screen_recording.unwrap_or(screens),
            recorders,
            revision: self.revision,
        }
    }
}

/// What is wrong with a route by itself.
pub(super) fn route_problems(route: &Route) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    match route {
        Route::Agents { .. } | Route::Registered => {}
        Route::Uri { uri, address, .. } => {
            let scheme = uri.starts_with("sip:") || uri.starts_with("sips:");
            let is_broken = |c: char| c.is_whitespace() || c.is_control();
            if !scheme || uri.len() > URI_BYTES_MAX || uri.contains(is_broken) {
                let message = "write a SIP URI, for example sip:100@192.0.2.5";
                problems.push(wrong("route.uri", message));
            }
            if address.parse::<SocketAddr>().is_err() {
                let message = "write address and port, for example 192.0.2.5:5060";
                problems.push(wrong("route.address", message));
            }
        }
        Route::Trunk { number, .. } => {
            let is_wrong = |number: &String| number == "*" || !is_number(number);
            if number.as_ref().is_some_and(is_wrong) {
                let message =
                    "use 1 to 40 of letters, digits, '+', '-', '.', '_'; or leave it empty";
                problems.push(wrong("route.number", message));
            }
        }
    }
    problems
}

/// What is wrong with a queue by itself.
fn queue_problems(queue: &Option<Option<Queue>>, route: &Route) -> Vec<FieldProblem> {
    let Some(queue) = queue.iter().flatten().next() else {
        return Vec::new();
    };
    let leads_elsewhere = (!route.leads_to_agents()).then(|| {
        let message = "callers wait only where the route leads to agents";
        wrong("queue", message)
    });
    let problems = queue.problems().into_iter();
    problems
        .map(|one| wrong(one.field, one.message))
        .chain(leads_elsewhere)
        .collect()
}

/// What is there was said, null too.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

pub(super) fn is_number(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    text == "*" || ((1..=NUMBER_CHARS_MAX).contains(&text.len()) && text.bytes().all(word))
}

fn wrong(field: impl Into<String>, message: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field: field.into(),
        message: message.into(),
    }
}
