//! Calls between doubles of the other rooms, driven as the telephone side and a page drive them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::access::{Actor, CustomRoles, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::*;
use domain::capture::fixtures::CARDS;
use domain::capture::routing::{BankTable, RefusedRoutings};
use domain::capture::{CaptureState, Field, WidgetKind};
use domain::desktop::{Desktop, SavedDesktop, SecretsSet, StoredCredentials};
use domain::gateway::approval::{HostApproval, HostEditor};
use domain::gateway::{NotSentReason, OperationKind, Verdict, VerdictRule};
use domain::id::*;
use domain::money::{Currency, Money};
use domain::payment::{Arrangement, AttemptState, Outcome, PaymentForm};
use domain::service::*;
use domain::time::{UnixMillis, WallClock};
use domain::view::{CallView, CaptureView, DeskError};
use domain::widget::{Widget, WidgetOptions};
use secret::{Arena, Key, KeyReceiver, KeySender, SecretText, digit_ring};

use crate::configuration::{Configuration, Readers};
use crate::{Calls, Deps};

use super::books::{Books, Journal};
use super::consent::Tape;
use super::fixtures::{agent, desktop, service, widget};
use super::line::Line;

/// 2026-11-15T12:00:00Z.
pub(super) const NOW: UnixMillis = UnixMillis(1_794_744_000_000);

struct Clock;

impl WallClock for Clock {
    fn now(&self) -> UnixMillis {
        NOW
    }
}

/// What the gateway does with a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Approves,
    /// Approves after so many milliseconds.
    ApprovesAfter(u64),
    CannotConnect,
    PanicsBeforeSending,
    PanicsWhileSending,
    /// Approves sales, and takes no plan.
    RefusesPlans,
    /// Approves sales, and does not say what became of a plan.
    LosesPlans,
}

pub(super) struct Gateway {
    pub(super) manner: Mutex<Manner>,
    journal: Journal,
    /// What it says of a charge when it is asked, one after the other; then that it does not know.
    pub(super) answers: Mutex<VecDeque<Outcome>>,
    /// Operations that it was asked, with their references.
    pub(super) asked: Mutex<Vec<(OperationKind, String)>>,
    /// What it was to charge.
    pub(super) charged: Mutex<Vec<PaymentForm>>,
    /// Where each of that went.
    pub(super) went_to: Mutex<Vec<String>>,
    /// What it was to set up: how much, and what was arranged.
    pub(super) scheduled: Mutex<Vec<(Money, Option<Arrangement>)>>,
}

struct Told(Outcome);

impl ReadyOperation for Told {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSentReason>> {
        Box::pin(async move {
            Ok(Answer {
                verdict: Verdict {
                    outcome: self.0,
                    alarm: false,
                },
                message: "it is listed".to_owned(),
                outputs: vec![("transaction_id".to_owned(), "ch_2".to_owned())],
                status: Some(200),
            })
        })
    }
}

struct Ready(Charge, Manner, Journal);

impl PaymentGateway for Gateway {
    fn authority_approved(&self, _: &str) -> bool {
        true
    }

    fn set_approved_hosts(&self, _: Vec<String>) {}

    fn connect(&self, charge: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        let manner = *self.manner.lock().unwrap();
        self.charged.lock().unwrap().push(charge.form.clone());
        let url = charge.gateway.service_url.clone();
        self.went_to.lock().unwrap().push(url);
        Box::pin(async move {
            assert_ne!(manner, Manner::PanicsBeforeSending, "a planted defect");
            self.journal.lock().unwrap().push("connect");
            if manner == Manner::CannotConnect {
                let (reason, detail) = (NotSentReason::Connect, "test".to_owned());
                return Err(NotSent {
                    reason,
                    detail,
                    charge,
                });
            }
            let journal = self.journal.clone();
            Ok(Box::new(Ready(charge, manner, journal)) as Box<dyn ReadyCharge>)
        })
    }

    fn connect_operation(
        &self,
        operation: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        if matches!(operation.kind, OperationKind::Inquire) {
            let asked = (operation.kind, operation.reference);
            self.asked.lock().unwrap().push(asked);
            let answer = self.answers.lock().unwrap().pop_front();
            let told = Told(answer.unwrap_or(Outcome::Unknown));
            return Box::pin(async move { Ok(Box::new(told) as _) });
        }
        let manner = *self.manner.lock().unwrap();
        if matches!(operation.kind, OperationKind::Schedule) {
            let plan = (operation.amount, operation.arrangement.clone());
            self.scheduled.lock().unwrap().push(plan);
        }
        Box::pin(async move {
            assert_ne!(manner, Manner::PanicsBeforeSending, "a planted defect");
            self.journal.lock().unwrap().push("connect");
            if manner == Manner::CannotConnect {
                return Err(NotSentReason::Connect);
            }
            let journal = self.journal.clone();
            Ok(Box::new(Done(manner, journal)) as Box<dyn ReadyOperation>)
        })
    }
}

/// A void, refund, capture or schedule on its way.
struct Done(Manner, Journal);

impl ReadyOperation for Done {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSentReason>> {
        Box::pin(async move {
            assert_ne!(self.0, Manner::PanicsWhileSending, "a planted defect");
            self.1.lock().unwrap().push("first byte");
            if let Manner::ApprovesAfter(wait_ms) = self.0 {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            let rule = match self.0 {
                Manner::RefusesPlans => VerdictRule::Declined,
                Manner::LosesPlans => VerdictRule::NoAnswer,
                _ => VerdictRule::Approved,
            };
            Ok(Answer {
                verdict: rule.verdict(),
                message: "given back".to_owned(),
                outputs: vec![("refund_id".to_owned(), "re_1".to_owned())],
                status: Some(200),
            })
        })
    }
}

impl ReadyCharge for Ready {
    fn send(self: Box<Self>) -> Task<'static, Result<Answer, NotSent>> {
        Box::pin(async move {
            assert_ne!(self.1, Manner::PanicsWhileSending, "a planted defect");
            self.2.lock().unwrap().push("first byte");
            if let Manner::ApprovesAfter(wait_ms) = self.1 {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            }
            Ok(Answer {
                verdict: VerdictRule::Approved.verdict(),
                message: "thank you".to_owned(),
                outputs: vec![("transaction_id".to_owned(), "ch_1".to_owned())],
                status: Some(200),
            })
        })
    }

    fn abandon(self: Box<Self>) -> Charge {
        self.2.lock().unwrap().push("abandon");
        self.0
    }
}

/// What the pages were told.
#[derive(Default)]
pub(super) struct Pages(pub(super) Mutex<Vec<LiveEvent>>);

impl Bus for Pages {
    fn publish(&self, event: LiveEvent) {
        self.0.lock().unwrap().push(event);
    }
}

/// What is configured.
pub(super) struct Setup {
    pub(super) users: Mutex<Vec<User>>,
    pub(super) desktop: Mutex<Desktop>,
    pub(super) service: Mutex<Service>,
    /// Others beside it.
    pub(super) more_services: Mutex<Vec<Service>>,
    pub(super) is_on: AtomicBool,
    pub(super) response_variables: Mutex<ResponseVariables>,
    /// A gateway password is stored.
    pub(super) has_password: AtomicBool,
    /// Whoever reads a password waits while a test holds it.
    pub(super) reading: tokio::sync::Mutex<()>,
    pub(super) refused_routings: Mutex<RefusedRoutings>,
    pub(super) banks: Mutex<BankTable>,
}

impl Setup {
    /// Saves another Service URL, which no snapshot has yet.
    pub(super) fn move_gateway(&self, url: &str) {
        let mut desktop = self.desktop.lock().unwrap();
        let gateway = desktop.widgets[0].gateway.as_mut().unwrap();
        gateway.service_url = url.to_owned();
    }
}

impl Users for Setup {
    fn user_by_name<'a>(&'a self, _: &'a str) -> Task<'a, Result<Option<User>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn user<'a>(&'a self, _: &'a UserId) -> Task<'a, Result<Option<User>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn users(&self) -> Task<'_, Result<Vec<User>, StoreError>> {
        Box::pin(async { Ok(self.users.lock().unwrap().clone()) })
    }

    fn second_factor<'a>(
        &'a self,
        _: &'a UserId,
    ) -> Task<'a, Result<Option<SecretText>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn custom_roles(&self) -> Task<'_, Result<CustomRoles, StoreError>> {
        Box::pin(async { Ok(CustomRoles::default()) })
    }
}

impl Desktops for Setup {
    fn desktops(&self) -> Task<'_, Result<Vec<Desktop>, StoreError>> {
        Box::pin(async { Ok(vec![self.desktop.lock().unwrap().clone()]) })
    }

    fn last_saved(&self) -> Task<'_, Result<Vec<SavedDesktop>, StoreError>> {
        unreachable!("calls take desktops as they are")
    }

    fn revisions<'a>(
        &'a self,
        _: &'a DesktopId,
        _: u32,
    ) -> Task<'a, Result<Vec<SavedDesktop>, StoreError>> {
        unreachable!("calls take desktops as they are")
    }

    fn revision<'a>(
        &'a self,
        _: &'a DesktopId,
        _: i64,
    ) -> Task<'a, Result<Option<SavedDesktop>, StoreError>> {
        unreachable!("calls take desktops as they are")
    }

    fn host_editors(&self) -> Task<'_, Result<BTreeSet<HostEditor>, StoreError>> {
        Box::pin(async { Ok(BTreeSet::new()) })
    }

    fn approved_hosts(&self) -> Task<'_, Result<Vec<HostApproval>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn widgets_with_password(&self) -> Task<'_, Result<Vec<WidgetId>, StoreError>> {
        unreachable!("calls ask for one widget's password")
    }

    fn desktop<'a>(&'a self, _: &'a DesktopId) -> Task<'a, Result<Option<Desktop>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn gateway_credentials<'a>(
        &'a self,
        id: &'a WidgetId,
    ) -> Task<'a, Result<StoredCredentials, StoreError>> {
        let password = || SecretText::new("stored".to_owned());
        Box::pin(async move {
            let _turn = self.reading.lock().await;
            let widgets = &self.desktop.lock().unwrap().widgets;
            let widget = widgets.iter().find(|widget| widget.id == *id);
            Ok(StoredCredentials {
                gateway: widget.and_then(|widget| widget.gateway.clone()),
                password: self.has_password.load(Ordering::SeqCst).then(password),
                secrets: Vec::new(),
            })
        })
    }

    fn secrets_set<'a>(&'a self, _: &'a DesktopId) -> Task<'a, Result<SecretsSet, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn passwords_set<'a>(
        &'a self,
        _: &'a DesktopId,
    ) -> Task<'a, Result<Vec<(WidgetId, UnixMillis)>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// An agent, a line, a service, and what is open.
pub(super) struct House {
    pub(super) calls: Calls,
    pub(super) line: Arc<Line>,
    pub(super) books: Arc<Books>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) actor: Actor,
    pub(super) widget: WidgetId,
    pub(super) basic: WidgetId,
    pub(super) widgets: Vec<Widget>,
    pub(super) pages: Arc<Pages>,
    pub(super) setup: Arc<Setup>,
    pub(super) tape: Arc<Tape>,
    pub(super) configuration: Arc<Configuration>,
    /// What the guard of every call has seen.
    pub(super) egress: Arc<EgressTally>,
    arena: Arc<Arena>,
}

impl House {
    pub(super) async fn new(options: WidgetOptions, protection: ProtectionScope) -> Self {
        let kim = agent();
        let tape = Arc::new(Tape::default());
        let basic = widget(4, WidgetKind::CreditCardBasic, options.clone());
        let widget = widget(3, WidgetKind::CreditCardAdvanced, options);
        let widgets = vec![widget.clone(), basic.clone()];
        let setup = Arc::new(Setup {
            users: Mutex::new(vec![kim.clone()]),
            service: Mutex::new(service(protection)),
            more_services: Mutex::default(),
            desktop: Mutex::new(desktop(widgets.clone())),
            is_on: AtomicBool::new(true),
            response_variables: Mutex::default(),
            has_password: AtomicBool::new(false),
            reading: tokio::sync::Mutex::default(),
            refused_routings: Mutex::default(),
            banks: Mutex::default(),
        });
        let readers = Readers {
            users: setup.clone(),
            desktops: setup.clone(),
            services: setup.clone(),
        };
        let configuration = Configuration::load(readers).await.unwrap();
        let (line, books) = (Arc::<Line>::default(), Arc::<Books>::default());
        let manner = Mutex::new(Manner::Approves);
        let gateway = Arc::new(Gateway {
            manner,
            journal: books.journal.clone(),
            answers: Mutex::default(),
            asked: Mutex::default(),
            charged: Mutex::default(),
            went_to: Mutex::default(),
            scheduled: Mutex::default(),
        });
        let pages = Arc::<Pages>::default();
        let arena = Arena::new(8).unwrap();
        let calls = Calls::new(Deps {
            store: books.clone(),
            desktops: setup.clone(),
            configuration: configuration.clone(),
            gateway: gateway.clone(),
            recorders: tape.clone(),
            bus: pages.clone(),
            clock: Arc::new(Clock),
            arena: arena.clone(),
        });
        calls.attach(line.clone());
        Self {
            calls,
            line,
            books,
            gateway,
            actor: kim.actor(&CustomRoles::default(), "-"),
            widget: widget.id,
            basic: basic.id,
            widgets,
            pages,
            setup,
            tape,
            configuration,
            egress: Arc::default(),
            arena,
        }
    }

    /// A call of a consumer, answered by the agent.
    pub(super) async fn call(&self) -> Phone {
        let (id, keys) = self.incoming();
        self.calls.answered(&id, LegCallIds::default());
        let connected = |view: &CallView| view.answered_at.is_some();
        self.until_call(&id, connected).await;
        Phone { id, keys }
    }

    pub(super) fn incoming(&self) -> (CallId, KeySender) {
        self.incoming_for("4000", None)
    }

    /// A call for a number, which may have passed before.
    pub(super) fn incoming_for(&self, called: &str, tag: Option<String>) -> (CallId, KeySender) {
        self.incoming_from("+15550100", called, tag)
    }

    /// The same from this number.
    pub(super) fn incoming_from(
        &self,
        caller_number: &str,
        called: &str,
        tag: Option<String>,
    ) -> (CallId, KeySender) {
        let id = CallId::from_random(rand::random());
        let (sender, keys): (KeySender, KeyReceiver) = digit_ring(&self.arena).unwrap();
        self.calls.incoming(IncomingCall {
            id: id.clone(),
            called: called.to_owned(),
            caller: "consumer".to_owned(),
            caller_number: caller_number.to_owned(),
            addressee: called.to_owned(),
            peer: "trunk".to_owned(),
            tag,
            keys,
            egress: self.egress.clone(),
        });
        (id, sender)
    }

    pub(super) async fn open(&self, call: &CallId) -> Result<CaptureView, DeskError> {
        self.calls.open(&self.actor, call, &self.widget).await
    }

    pub(super) async fn open_basic(&self, call: &CallId) -> Result<CaptureView, DeskError> {
        self.calls.open(&self.actor, call, &self.basic).await
    }

    pub(super) async fn view(&self, capture: &CaptureId) -> Result<CaptureView, DeskError> {
        self.calls.capture(&self.actor, capture).await
    }

    pub(super) async fn act(
        &self,
        capture: &CaptureId,
        action: CaptureAction,
    ) -> Result<CaptureView, DeskError> {
        self.calls.act(&self.actor, capture, action).await
    }

    pub(super) async fn process(
        &self,
        capture: &CaptureId,
        key: &str,
    ) -> Result<CaptureView, DeskError> {
        self.process_as(&self.actor, capture, key).await
    }

    pub(super) async fn process_as(
        &self,
        actor: &Actor,
        capture: &CaptureId,
        key: &str,
    ) -> Result<CaptureView, DeskError> {
        let form = PaymentForm {
            amount: Money::parse("12.50", "USD".parse::<Currency>().unwrap()).unwrap(),
            fee_minor: 0,
            values: [("firstName", "Jane"), ("lastName", "Roe")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        let key = key.to_owned();
        self.calls.process(actor, capture, form, key).await
    }

    /// A capture with every field obtained.
    pub(super) async fn ready(&self, phone: &mut Phone) -> CaptureId {
        let capture = self.open(&phone.id).await.unwrap().id;
        self.until(&capture, CaptureState::Armed).await;
        for (field, keys) in [
            (Field::CardNumber, CARDS[6].number),
            (Field::Expiry, "1230"),
            (Field::SecurityCode, CARDS[6].security_code),
        ] {
            self.obtain(phone, &capture, field, keys).await;
        }
        self.until(&capture, CaptureState::Ready).await;
        capture
    }

    /// A field is asked for, keyed and obtained.
    pub(super) async fn obtain(
        &self,
        phone: &mut Phone,
        capture: &CaptureId,
        field: Field,
        keys: &str,
    ) {
        let rows = |view: &CaptureView| view.missing.len();
        let missing = rows(&self.view(capture).await.unwrap());
        let listening = self.act(capture, CaptureAction::Listen(field)).await;
        assert_eq!(listening.unwrap().listening, Some(field));
        // Digits so soon after an automatic end belong to the field that ended.
        tokio::time::sleep(Duration::from_millis(550)).await;
        phone.key(self, keys);
        self.until_view(capture, |view| rows(view) < missing).await;
    }

    /// Takes up what was changed in the setup.
    pub(super) async fn reload(&self) {
        self.configuration.reload().await.unwrap();
        self.calls.refresh();
    }

    pub(super) fn journal(&self) -> Vec<&'static str> {
        self.books.journal.lock().unwrap().clone()
    }

    /// Entries of lost protection: on what, and why.
    pub(super) fn losses(&self) -> Vec<String> {
        let entries = self.books.entries.lock().unwrap();
        let lost = |entry: &&AuditEntry| entry.action == AuditAction::ProtectionLost;
        let text = |entry: &AuditEntry| {
            let reason = entry.detail["reason"].as_str().unwrap_or_default();
            format!("{} {reason}", entry.object)
        };
        entries.iter().filter(lost).map(text).collect()
    }

    /// Takes every role from the agent.
    pub(super) async fn take_roles(&self) {
        self.setup.users.lock().unwrap()[0].roles.clear();
        self.reload().await;
    }

    pub(super) fn states(&self) -> Vec<AttemptState> {
        let payments = self.books.payments.lock().unwrap();
        payments.iter().map(|payment| payment.state).collect()
    }
}

/// The consumer's phone.
pub(super) struct Phone {
    pub(super) id: CallId,
    keys: KeySender,
}

impl Phone {
    pub(super) fn new(id: CallId, keys: KeySender) -> Self {
        Self { id, keys }
    }

    pub(super) fn key(&mut self, house: &House, keys: &str) {
        for digit in keys.bytes().filter_map(secret::Digit::from_ascii) {
            self.keys.push(Key::Digit(digit)).unwrap();
            house.calls.key_pressed(&self.id);
        }
    }
}
