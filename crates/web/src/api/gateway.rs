//! A widget's gateway as it stands in its form, tried out: the request shown, a pasted answer judged, a test sent. Nothing is saved.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::Change;
use domain::capture::WidgetKind;
use domain::desktop::{Desktop, StoredCredentials, TypedSecret, gateway_password};
use domain::gateway::case::{Case, CheckedCase, answer_problems};
use domain::gateway::file::Preset;
use domain::gateway::trial::{
    Judgement, NothingSent, Pasted, Preview, TestInstrument, Tested, TestedStep, Trial,
    sample_secrets,
};
use domain::gateway::{
    AuthMethod, ConnectionNames, GatewayConfig, Mapping, NotSentReason, Once, OperationKind,
};
use domain::id::{AttemptId, DesktopId, WidgetId};
use domain::money::Currency;
use domain::payment::{CheckFacts, SecCodeRule};
use domain::widget::{DemographicName, DraftProblem};
use secret::SecretText;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::desktops::{HOST_CHANGED, SECRET_HOST_CHANGED, refused, stored, widget};
use super::{Answer, is_line};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::login::{Login, random_u128};
use crate::problem::{Code, Problem};
use crate::trials::{Ending, NotNow};

/// Longest Content-Type that can be pasted.
const CONTENT_TYPE_CHARS_MAX: usize = 200;
/// Said where a secret has no value.
const SECRET_NEEDED: &str = "This secret has no value yet; enter it.";

/// Said where no password is stored.
const PASSWORD_NEEDED: &str = "Auth Method Basic needs a password; enter it.";
/// An answer waits so long for a test's end; the page then asks again. Proxies between wait longer.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// What is tried out, and with what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialForm {
    /// The desktop whose form it is.
    desktop: DesktopId,
    /// The widget as it is stored; left out for a new one.
    #[serde(default)]
    widget: Option<WidgetId>,
    /// One of the Advanced kinds.
    kind: WidgetKind,
    /// The gateway as it stands in the form.
    gateway: GatewayConfig,
    /// "Auth Password" of the form; left out: the stored one, for its own host only. Never sent back.
    #[serde(default, deserialize_with = "gateway_password")]
    #[schema(value_type = Option<String>, write_only)]
    gateway_password: Option<SecretText>,
    /// New values of secrets that the configuration names; the stored ones, for their own host only, are used for those left out. Never sent back.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    gateway_secrets: BTreeMap<String, TypedSecret>,
    /// A published card for a card widget, the published account for a check widget.
    with: TestInstrument,
    /// Of the amount, which is 1.00.
    currency: Currency,
    /// Fields of the tab Demographic; each gets a sample.
    asked: Vec<DemographicName>,
    /// The SEC code of a check widget.
    #[serde(default)]
    sec_code: SecCodeRule,
}

/// An answer that somebody has, to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PastedForm {
    /// One of the Advanced kinds.
    kind: WidgetKind,
    /// The gateway as it stands in the form.
    gateway: GatewayConfig,
    /// Which operation was asked for; left out: the sale.
    #[serde(default)]
    operation: Option<OperationKind>,
    /// HTTP status, 100-599.
    status: u16,
    /// The header Content-Type; empty: unknown.
    content_type: String,
    /// The body, at most 16,000 characters, without a card number.
    body: String,
}

/// The request that would be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewView {
    /// The request, without what is secret.
    request: Preview,
    /// Its host may receive captured values. A test is sent without that (S4).
    host_approved: bool,
    /// Which password it would carry.
    credential: PasswordUsed,
}

/// Which password a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PasswordUsed {
    /// Auth Method is None.
    None,
    /// The form's.
    Typed,
    /// The stored one.
    Stored,
    /// None: the stored one was entered for another host.
    OtherHost,
    /// None is stored.
    Missing,
}

/// A test and what it came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TestView {
    /// Host and port.
    host: String,
    /// What came of it.
    result: TestResult,
}

/// What came of a test.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub(crate) enum TestResult {
    /// It has not ended; ask again.
    UnderWay,
    /// Nothing was sent.
    NotSent(NothingSent),
    /// It was sent.
    Sent(Box<SentView>),
}

/// What came of a test that was sent. All texts are scrubbed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SentView {
    /// The calls before the sale, and what each was answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<TestedStep>,
    /// The verdict and what it rests on.
    judgement: Judgement,
    /// Why no whole answer came, in English; none: one came.
    why: Option<String>,
    /// The beginning of the answer's body, on one line, 2,000 characters at most.
    excerpt: Option<String>,
    /// Milliseconds to a secure connection.
    connected_ms: u64,
    /// Milliseconds from the first byte of the request to the head of the answer; none: no head came.
    head_ms: Option<u64>,
    /// Milliseconds from the first byte of the request to the end.
    ended_ms: u64,
}

impl From<Tested> for SentView {
    fn from(tested: Tested) -> Self {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            steps: tested.steps,
            judgement: tested.judgement,
            why: tested.why,
            excerpt: tested.excerpt,
            connected_ms: ms(tested.connected_in),
            head_ms: tested.head_in.map(ms),
            ended_ms: ms(tested.ended_in),
        }
    }
}

impl From<NothingSent> for Problem {
    fn from(nothing: NothingSent) -> Self {
        match nothing.reason {
            NotSentReason::Busy => Self::new(Code::Busy).detail(nothing.detail),
            NotSentReason::Resolve
            | NotSentReason::HostNotApproved
            | NotSentReason::ConnectTimeout
            | NotSentReason::Connect
            | NotSentReason::Tls
            | NotSentReason::Render
            | NotSentReason::Step
            | NotSentReason::Ledger => Self::field("gateway", nothing.detail),
        }
    }
}

/// What saving would say of it, by the same paths.
fn gateway_problems(kind: WidgetKind, gateway: &GatewayConfig) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    if !kind.is_advanced() {
        let message = "Only Advanced widgets have a gateway.";
        problems.push(DraftProblem::new("kind", message));
    }
    let wrong = gateway.problems(kind.payment_type()).into_iter();
    problems.extend(wrong.map(|problem| problem.under("gateway")));
    problems
}

fn judged_by(problems: Vec<DraftProblem>) -> Result<(), Problem> {
    match problems.is_empty() {
        true => Ok(()),
        false => Err(refused(problems)),
    }
}

impl TrialForm {
    fn check(&self) -> Result<(), Problem> {
        let mut problems = gateway_problems(self.kind, &self.gateway);
        let mut add = |field, message| problems.push(DraftProblem::new(field, message));
        if self.gateway_password.is_some() && self.gateway.auth_method == AuthMethod::None {
            add(
                "gateway_password",
                "A password goes with Auth Method Basic; choose it, or leave the password out.",
            );
        }
        let named = &self.gateway.more.secrets;
        if !self.gateway_secrets.keys().all(|name| named.contains(name)) {
            add(
                "gateway_secrets",
                "The configuration names no such secret; add its name first.",
            );
        }
        if self.with.payment_type() != self.kind.payment_type() {
            add(
                "with",
                "A card widget is tried with a card, a check widget with the account.",
            );
        }
        if self.asked.len() > DemographicName::ALL.len() {
            add("asked", "List each field once.");
        }
        judged_by(problems)
    }

    /// Which password goes out. The stored one goes to the host it was entered for, and nowhere else.
    async fn password_used(
        &self,
        app: &Shared,
        desktop: &Desktop,
    ) -> Result<PasswordUsed, Problem> {
        if !self.gateway.takes_password() {
            return Ok(PasswordUsed::None);
        }
        if self.gateway_password.is_some() {
            return Ok(PasswordUsed::Typed);
        }
        let set = app.deps.desktops.passwords_set(&desktop.id).await?;
        let kept = self
            .widget
            .as_ref()
            .filter(|id| set.iter().any(|(widget, _)| widget == *id));
        let Some(kept) = kept.and_then(|id| widget(desktop, id)) else {
            return Ok(match self.gateway.needs_password() {
                true => PasswordUsed::Missing,
                false => PasswordUsed::None,
            });
        };
        let old = kept.gateway.as_ref();
        Ok(
            match old.is_some_and(|old| self.gateway.keeps_to_hosts_of(old)) {
                true => PasswordUsed::Stored,
                false => PasswordUsed::OtherHost,
            },
        )
    }

    /// What is stored for the widget of this form, if the desktop has it.
    async fn stored_credentials(
        &self,
        app: &Shared,
        desktop: &Desktop,
    ) -> Result<StoredCredentials, Problem> {
        let known = self.widget.as_ref();
        match known.filter(|id| widget(desktop, id).is_some()) {
            Some(id) => Ok(app.deps.desktops.gateway_credentials(id).await?),
            None => Ok(StoredCredentials::default()),
        }
    }

    /// The password that a test sends.
    async fn password(
        &mut self,
        app: &Shared,
        desktop: &Desktop,
        kept: &mut StoredCredentials,
    ) -> Result<Option<SecretText>, Problem> {
        let refuse = |message: &str| Err(Problem::field("gateway_password", message));
        match self.password_used(app, desktop).await? {
            PasswordUsed::None => Ok(None),
            PasswordUsed::Typed => Ok(self.gateway_password.take()),
            PasswordUsed::OtherHost => refuse(HOST_CHANGED),
            PasswordUsed::Missing => refuse(PASSWORD_NEEDED),
            // Saved meanwhile: the gateway that came with the password counts.
            PasswordUsed::Stored => match self.keeps_to_hosts_of(kept) {
                true => Ok(kept.password.take()),
                false => refuse(HOST_CHANGED),
            },
        }
    }

    fn keeps_to_hosts_of(&self, kept: &StoredCredentials) -> bool {
        let old = kept.gateway.as_ref();
        old.is_some_and(|old| self.gateway.keeps_to_hosts_of(old))
    }

    /// The secrets that a test sends: those of the form, else the stored ones, which go to the host they were entered for and nowhere else.
    fn secrets(
        &mut self,
        mut kept: StoredCredentials,
    ) -> Result<Vec<(String, SecretText)>, Problem> {
        let is_same_host = self.keeps_to_hosts_of(&kept);
        let stored_ones = &mut kept.secrets;
        let mut secrets = Vec::new();
        let mut problems = Vec::new();
        for (place, name) in self.gateway.more.secrets.iter().enumerate() {
            let typed = self.gateway_secrets.remove(name).map(|typed| typed.0);
            let at = stored_ones.iter().position(|(known, _)| known == name);
            let kept = at.map(|at| stored_ones.swap_remove(at).1);
            match (typed.filter(|text| !text.is_empty()), kept) {
                (Some(text), _) => secrets.push((name.clone(), text)),
                (None, Some(text)) if is_same_host => secrets.push((name.clone(), text)),
                (None, kept) => {
                    let why = kept.map_or(SECRET_NEEDED, |_| SECRET_HOST_CHANGED);
                    let field = format!("gateway.more.secrets[{place}]");
                    problems.push(DraftProblem::new(field, why));
                }
            }
        }
        judged_by(problems).map(|()| secrets)
    }

    async fn trial(
        mut self,
        app: &Shared,
        login: &Login,
        password: Option<SecretText>,
        secrets: Vec<(String, SecretText)>,
    ) -> Result<Trial, Problem> {
        let settings = app.deps.services.settings().await?;
        Ok(Trial {
            show_message: settings.response_variables.restrict(&mut self.gateway),
            kind: self.kind,
            gateway: self.gateway,
            password,
            with: self.with,
            currency: self.currency,
            asked: self.asked,
            check: CheckFacts {
                sec_code: self.sec_code,
                bank_name: "Test Bank".to_owned(),
            },
            agent: login.actor.name.clone(),
            attempt: AttemptId::from_random(random_u128().ok_or(Code::Internal)?),
            secrets,
            once: Once::from_random(app.now(), rand::random()),
        })
    }
}

/// Configurations of known gateways, to begin a widget's with: without credentials, and with empty places where a value is the merchant's own.
#[utoipa::path(get, path = "/gateway-presets", tag = "desktops", responses((status = 200, body = Vec<Preset>)))]
pub(crate) async fn presets(State(app): State<Shared>) -> Answer<Vec<Preset>> {
    Ok(Json(app.deps.trials.presets().to_vec()))
}

/// What the connection of a gateway may name: authorities, client certificates and proxies of the server's file, without anything of theirs.
#[utoipa::path(get, path = "/gateway-connections", tag = "desktops", responses((status = 200, body = ConnectionNames)))]
pub(crate) async fn connections(State(app): State<Shared>) -> Answer<ConnectionNames> {
    Ok(Json(app.deps.trials.connection_names().clone()))
}

/// The request that a widget's gateway would get, as it stands in the form, with published values. Nothing is sent; no digit beyond the last four of the test card, no
/// password and no value of a mapped header is in the answer.
#[utoipa::path(post, path = "/gateway/preview", tag = "desktops", request_body = TrialForm, responses(
    (status = 200, body = PreviewView),
))]
pub(crate) async fn preview(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<TrialForm>,
) -> Answer<PreviewView> {
    form.check()?;
    let desktop = stored(&app, &form.desktop).await?;
    let credential = form.password_used(&app, &desktop).await?;
    let host_approved = app.deps.gateway.host_approved(&form.gateway);
    let secrets = sample_secrets(&form.gateway);
    let trial = form.trial(&app, &login, None, secrets).await?;
    Ok(Json(PreviewView {
        request: app.deps.trials.preview(trial)?,
        host_approved,
        credential,
    }))
}

/// What an answer of the gateway would come to, and why. It is judged as one that came, and not kept.
#[utoipa::path(post, path = "/gateway/verdict", tag = "desktops", request_body = PastedForm, responses(
    (status = 200, body = Judgement),
))]
pub(crate) async fn judge(
    State(app): State<Shared>,
    Input(mut form): Input<PastedForm>,
) -> Answer<Judgement> {
    form.check()?;
    let settings = app.deps.services.settings().await?;
    let shown = settings.response_variables.restrict(&mut form.gateway);
    let headers = form.headers();
    let pasted = Pasted {
        operation: form.operation,
        status: form.status,
        headers: &headers,
        body: &form.body,
    };
    // Keys of operations that are not shown are gone already.
    let shown = shown || form.operation.is_some();
    let judged = app.deps.trials.judge(&form.gateway, &pasted, shown);
    judged.map(Json).ok_or_else(no_operation)
}

/// A gateway whose saved cases are to be judged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CasesForm {
    /// One of the Advanced kinds.
    kind: WidgetKind,
    /// The gateway as it stands in the form, with its cases.
    gateway: GatewayConfig,
}

/// What the saved cases of a gateway come to as it stands in the form, in their order. Nothing is kept.
#[utoipa::path(post, path = "/gateway/cases", tag = "desktops", request_body = CasesForm, responses(
    (status = 200, body = Vec<CheckedCase>),
))]
pub(crate) async fn cases(
    State(app): State<Shared>,
    Input(mut form): Input<CasesForm>,
) -> Answer<Vec<CheckedCase>> {
    judged_by(gateway_problems(form.kind, &form.gateway))?;
    let settings = app.deps.services.settings().await?;
    let shown = settings.response_variables.restrict(&mut form.gateway);
    let judge = |case: &Case| {
        let shown = shown || case.operation.is_some();
        let judged = app.deps.trials.judge(&form.gateway, &case.pasted(), shown);
        judged.map(|judgement| case.checked(&judgement))
    };
    let cases: Option<_> = form.gateway.more.cases.iter().map(judge).collect();
    cases.map(Json).ok_or_else(no_operation)
}

fn no_operation() -> Problem {
    Problem::field(
        "operation",
        "The gateway has no such operation; add it under More, or choose another.",
    )
}

impl PastedForm {
    /// The one header that can be pasted.
    fn headers(&self) -> Vec<Mapping> {
        let content_type = Mapping {
            name: "content-type".to_owned(),
            value: self.content_type.clone(),
        };
        let is_known = !content_type.value.trim().is_empty();
        is_known.then_some(content_type).into_iter().collect()
    }

    fn check(&self) -> Result<(), Problem> {
        let mut problems = gateway_problems(self.kind, &self.gateway);
        problems.extend(answer_problems(self.status, &self.body));
        if !is_line(&self.content_type, 0..=CONTENT_TYPE_CHARS_MAX) {
            let message = "Write at most 200 characters on one line.";
            problems.push(DraftProblem::new("content_type", message));
        }
        judged_by(problems)
    }
}

/// Sends the gateway of a form one request with a published card or account, for 1.00. It is no payment of the ledger; whether the gateway charges is the gateway's
/// to say. Audited before it is sent and when it has ended. One at a time, and few in a row.
#[utoipa::path(post, path = "/gateway/test", tag = "desktops", request_body = TrialForm, responses(
    (status = 200, body = TestView),
))]
pub(crate) async fn send(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(mut form): Input<TrialForm>,
) -> Answer<TestView> {
    form.check()?;
    let desktop = stored(&app, &form.desktop).await?;
    let mut kept = form.stored_credentials(&app, &desktop).await?;
    let password = form.password(&app, &desktop, &mut kept).await?;
    let secrets = form.secrets(kept)?;
    let host = form.gateway.authority().ok_or(Code::Internal)?;
    let with = form.with;
    let trial = form.trial(&app, &login, password, secrets).await?;
    let entry = {
        let (app, login, host) = (app.clone(), login.clone(), host.clone());
        move |action| {
            AuditEntry::new(app.now(), &login.actor, action, format!("host {host}"))
                .with("desktop", desktop.name.as_str())
                .with("with", with.code())
        }
    };
    let end = app.trials.begin(&login.actor.user, Instant::now())?;
    let sent = entry(AuditAction::GatewayTestSent);
    app.commit(Change::None, sent, |_| {}).await?;
    let running = app.clone();
    tokio::spawn(async move {
        let came = running.deps.trials.send(trial).await;
        let ended = with_end(entry(AuditAction::GatewayTestEnded), &came);
        if let Err(error) = running.commit(Change::None, ended, |_| {}).await {
            tracing::error!(%error, "the end of a gateway test could not be recorded");
        }
        let result = match came {
            Ok(tested) => TestResult::Sent(Box::new(tested.into())),
            Err(nothing) => TestResult::NotSent(nothing),
        };
        end.send_replace(Some(TestView { host, result }));
    });
    ended(app.trials.ending(&login.actor.user)).await
}

fn with_end(entry: AuditEntry, came: &Result<Tested, NothingSent>) -> AuditEntry {
    match came {
        Ok(tested) => entry.with("outcome", tested.judgement.outcome.label()),
        Err(nothing) => entry.with("not_sent", nothing.reason.code()),
    }
}

/// What the last test of this login's user came to, as soon as it has.
#[utoipa::path(get, path = "/gateway/test", tag = "desktops", responses((status = 200, body = TestView)))]
pub(crate) async fn result(State(app): State<Shared>, Caller(login): Caller) -> Answer<TestView> {
    ended(app.trials.ending(&login.actor.user)).await
}

async fn ended(ending: Option<Ending<TestView>>) -> Answer<TestView> {
    let mut ending = ending.ok_or(Code::NotFound)?;
    let view = match tokio::time::timeout(WAIT_MAX, ending.wait_for(Option::is_some)).await {
        Ok(Ok(view)) => view.clone(),
        Ok(Err(_)) => return Err(Code::Internal.into()),
        Err(_) => None,
    };
    Ok(Json(view.unwrap_or_else(|| TestView {
        host: String::new(),
        result: TestResult::UnderWay,
    })))
}

impl From<NotNow> for Problem {
    fn from(not_now: NotNow) -> Self {
        let problem = Self::new(Code::TooManyTests);
        match not_now {
            NotNow::Running => problem
                .detail("Your last test has not ended")
                .retry_after(5),
            NotNow::TooMany(seconds) => problem.retry_after(seconds),
        }
    }
}
