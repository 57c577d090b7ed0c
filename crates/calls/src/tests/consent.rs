//! A customer's consent to a debit, before it is charged (SETTLED S20).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{
    AudioRecording, CaptureAction, CaptureDesk, ConnectedCall, NO_CONTROL, Recorders, Task,
};
use domain::capture::fixtures::{ACCOUNT_NUMBER, ROUTING_NUMBERS};
use domain::capture::{CaptureState, Field, WidgetKind};
use domain::id::{CallId, CaptureId, RecordingId, UserId};
use domain::money::{Currency, Money};
use domain::payment::PaymentForm;
use domain::recording::RecordingMoment;
use domain::service::{ProtectionScope, Service, Sink};
use domain::view::{DeskError, ReadOut};
use domain::widget::{Authorisation, AuthorisationRule, WidgetOptions};

use super::fixtures::widget;
use super::house::House;

/// This server's own recorder: it runs when the test says so, and can be paused once that is said, too.
#[derive(Default)]
pub(super) struct Tape {
    runs: AtomicBool,
    obeys: AtomicBool,
    /// It is a second later each time that it is asked.
    asked: AtomicU64,
    /// Who holds it delays pauses.
    turn: tokio::sync::Mutex<()>,
    did: Mutex<Vec<&'static str>>,
    /// What became of the screens of other calls.
    pub(super) screens: Mutex<Vec<&'static str>>,
}

impl Tape {
    pub(super) fn run(&self, on: bool) {
        self.runs.store(on, Ordering::SeqCst);
    }

    fn does(&self, what: &'static str) -> Result<(), &'static str> {
        if !self.obeys.load(Ordering::SeqCst) {
            return Err(NO_CONTROL);
        }
        self.did.lock().unwrap().push(what);
        Ok(())
    }

    async fn until_it_did(&self, wanted: &[&str]) {
        let look = async {
            while *self.did.lock().unwrap() != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(10), look).await;
        assert!(seen.is_ok(), "it did {:?}", self.did.lock().unwrap());
    }
}

impl Recorders for Tape {
    fn connected(&self, _: ConnectedCall<'_>) {}

    fn begin_recording(&self, _: &CallId, _: &Service, _: Option<&UserId>) {
        self.runs.store(true, Ordering::SeqCst);
    }

    fn end_recording(&self, _: &CallId) {
        self.runs.store(false, Ordering::SeqCst);
    }

    fn audio(&self, call: &CallId) -> AudioRecording {
        match self.is_recording(call) {
            true => AudioRecording::On,
            false => AudioRecording::Off,
        }
    }

    fn settled<'a>(&'a self, _: &'a CallId) -> Task<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn taken_over(&self, _: ConnectedCall<'_>) {}

    fn withhold_screens(&self, _: &CallId, _: &UserId, on: bool) {
        let what = if on { "withheld" } else { "shown" };
        self.screens.lock().unwrap().push(what);
    }

    fn hung_up(&self, _: &CallId) {}

    fn ended(&self, _: &CallId) {}

    fn own(&self, call: &CallId) -> Vec<Sink> {
        self.is_recording(call)
            .then(Sink::own)
            .into_iter()
            .collect()
    }

    fn moment(&self, call: &CallId) -> Option<RecordingMoment> {
        let at_ms = self.asked.fetch_add(1_000, Ordering::SeqCst);
        self.is_recording(call).then(|| RecordingMoment {
            recording: RecordingId::from_random(5),
            at_ms,
        })
    }

    fn pause<'a>(&'a self, _: &'a CallId, _: &'a Sink) -> Task<'a, Result<(), &'static str>> {
        Box::pin(async {
            let _turn = self.turn.lock().await;
            self.does("paused")
        })
    }

    fn resume<'a>(&'a self, _: &'a CallId, _: &'a Sink) -> Task<'a, Result<(), &'static str>> {
        Box::pin(async { self.does("resumed") })
    }

    fn broken<'a>(&'a self, _: &'a CallId, _: &'a Sink) -> Task<'a, Option<&'static str>> {
        Box::pin(std::future::ready(None))
    }

    fn is_recording(&self, _: &CallId) -> bool {
        self.runs.load(Ordering::SeqCst)
    }
}

fn form(amount: &str) -> PaymentForm {
    PaymentForm {
        amount: Money::parse(amount, Currency::USD).unwrap(),
        fee_minor: 0,
        values: [("firstName", "Jane"), ("lastName", "Roe")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

/// A check with both numbers obtained.
async fn ready(rule: AuthorisationRule) -> (House, CaptureId) {
    let options = WidgetOptions {
        authorisation: Authorisation {
            rule,
            ..Authorisation::default()
        },
        ..WidgetOptions::default()
    };
    let house = House::new(options.clone(), ProtectionScope::Capture).await;
    house.setup.desktop.lock().unwrap().widgets[0] = widget(3, WidgetKind::CheckAdvanced, options);
    house.reload().await;
    let mut phone = house.call().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.until(&capture, CaptureState::Armed).await;
    house
        .obtain(
            &mut phone,
            &capture,
            Field::RoutingNumber,
            ROUTING_NUMBERS[0],
        )
        .await;
    house
        .obtain(&mut phone, &capture, Field::AccountNumber, ACCOUNT_NUMBER)
        .await;
    house.until(&capture, CaptureState::Ready).await;
    (house, capture)
}

async fn read(
    house: &House,
    capture: &CaptureId,
    amount: &str,
    agreed: bool,
) -> Result<ReadOut, DeskError> {
    let read = house
        .calls
        .read_out(&house.actor, capture, form(amount), agreed);
    read.await
}

async fn press(house: &House, capture: &CaptureId, amount: &str, key: &str) -> Option<DeskError> {
    let pressed = house
        .calls
        .process(&house.actor, capture, form(amount), key.to_owned());
    pressed.await.err()
}

#[tokio::test(start_paused = true)]
async fn s20_a_debit_waits_for_the_consent_that_the_recording_holds() {
    let (house, capture) = ready(AuthorisationRule::Recording).await;
    let unrecorded = read(&house, &capture, "12.50", false).await.unwrap();
    assert!(!unrecorded.is_recorded);
    assert!(
        unrecorded
            .text
            .contains("Jane Roe authorises one debit of 12.50 USD")
    );
    let refused = read(&house, &capture, "12.50", true).await;
    assert_eq!(refused, Err(DeskError::NotRecorded));
    let pressed = press(&house, &capture, "12.50", "a-press-without-a-tape").await;
    assert_eq!(pressed, Some(DeskError::NotRecorded));

    house.tape.run(true);
    let pressed = press(&house, &capture, "12.50", "a-press-without-consent").await;
    assert_eq!(pressed, Some(DeskError::NotAgreed));
    // Another text is read from another place on.
    assert!(read(&house, &capture, "13.00", false).await.is_ok());
    let from = house.tape.asked.load(Ordering::SeqCst);
    assert!(read(&house, &capture, "12.50", false).await.is_ok());
    let agreed = read(&house, &capture, "12.50", true).await.unwrap();
    assert!(agreed.agreed_at.is_some());
    let pressed = press(&house, &capture, "13.00", "a-press-with-another-sum").await;
    assert_eq!(pressed, Some(DeskError::NotAgreed));
    house.tape.run(false);
    let pressed = press(&house, &capture, "12.50", "a-press-without-tape-again").await;
    assert_eq!(pressed, Some(DeskError::NotRecorded));
    house.tape.run(true);
    assert_eq!(
        press(&house, &capture, "12.50", "a-press-with-consent").await,
        None
    );
    house.until(&capture, CaptureState::Approved).await;
    house.calls.drain(Duration::from_secs(5)).await;
    let entries = house.books.entries.lock().unwrap();
    let mut agreed_to = entries
        .iter()
        .filter(|entry| entry.action == AuditAction::ConsumerAgreed);
    let entry = agreed_to.next().unwrap();
    assert_eq!(entry.actor, "kim");
    assert_eq!(entry.detail["text"], agreed.text.as_str());
    assert_eq!(entry.detail["sec_code"], "TEL");
    assert!(entry.detail["offset_ms"].is_i64() && entry.detail["call"].is_string());
    let recording = RecordingId::from_random(5);
    assert_eq!(entry.detail["recording"], recording.as_str());
    assert_eq!(entry.detail["recording_from_ms"], from);
    assert!(entry.detail["recording_ms"].as_u64().unwrap() > from);
    assert!(agreed_to.next().is_none());
}

#[tokio::test(start_paused = true)]
async fn s20_a_written_notice_is_shown_and_nothing_is_read_out_without_a_rule() {
    let (house, capture) = ready(AuthorisationRule::Notice).await;
    assert!(read(&house, &capture, "12.50", false).await.is_ok());
    assert_eq!(
        press(&house, &capture, "12.50", "a-press-with-a-notice").await,
        None
    );
    let (house, capture) = ready(AuthorisationRule::None).await;
    let nothing = read(&house, &capture, "12.50", false).await;
    assert_eq!(nothing, Err(DeskError::NotFound));
    assert_eq!(
        press(&house, &capture, "12.50", "a-press-without-a-rule").await,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn the_own_recorder_must_pause_for_basic_and_records_advanced_masked() {
    for (kind, ends) in [
        (WidgetKind::CheckBasic, CaptureState::Blocked),
        (WidgetKind::CheckAdvanced, CaptureState::Armed),
    ] {
        let options = WidgetOptions::default();
        let house = House::new(options.clone(), ProtectionScope::Capture).await;
        house.setup.desktop.lock().unwrap().widgets[0] = widget(3, kind, options);
        house.reload().await;
        house.tape.run(true);
        let phone = house.call().await;
        let capture = house.open(&phone.id).await.unwrap().id;
        house.until(&capture, ends).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_paused_when_its_capture_was_gone_goes_on() {
    let options = WidgetOptions::default();
    let house = House::new(options.clone(), ProtectionScope::Capture).await;
    house.setup.desktop.lock().unwrap().widgets[0] = widget(3, WidgetKind::CheckBasic, options);
    house.reload().await;
    house.tape.run(true);
    house.tape.obeys.store(true, Ordering::SeqCst);
    let phone = house.call().await;
    let held = house.tape.turn.lock().await;
    let capture = house.open(&phone.id).await.unwrap().id;
    house.act(&capture, CaptureAction::Cancel).await.unwrap();
    house.tape.until_it_did(&["resumed"]).await;
    drop(held);
    house
        .tape
        .until_it_did(&["resumed", "paused", "resumed"])
        .await;
}
