//! What the agent types is judged by the widget that was opened (O13, O14), and a customer who speaks is silenced (S13).

use domain::access::{Actor, Permission, Role};
use domain::audit::AuditAction;
use domain::boundary::{CallEvents, CaptureAction, CaptureDesk, EndCause};
use domain::capture::CaptureState;
use domain::consumer::{Consumer, ConsumerDraft};
use domain::id::UserId;
use domain::money::{Currency, Money};
use domain::payment::PaymentForm;
use domain::service::ProtectionScope;
use domain::view::DeskError;
use domain::widget::{AmountSource, Fee, WidgetOptions};

use super::house::House;

pub(super) fn form(amount: &str, fee_minor: i64, values: &[(&str, &str)]) -> PaymentForm {
    PaymentForm {
        amount: Money::parse(amount, Currency::USD).unwrap(),
        fee_minor,
        values: [("firstName", "Jane"), ("lastName", "Roe")]
            .iter()
            .chain(values)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn o14_a_form_that_the_widget_refuses_is_not_charged_and_the_fee_is_part_of_what_is() {
    let mut options = WidgetOptions::default();
    options.payment.amount_min = Some("5.00".to_owned());
    options.payment.fee = Some(Fee {
        label: "Fee".to_owned(),
        percent_hundredths: 200,
        fixed: None,
    });
    let house = House::new(options, ProtectionScope::Capture).await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let press = |form: PaymentForm, key: &str| {
        let key = format!("a-press-with-the-key-{key}");
        house.calls.process(&house.actor, &capture, form, key)
    };
    let small = press(form("4.00", 8, &[("company", "ACME")]), "1").await;
    let Err(DeskError::Form(problems)) = small else {
        panic!("{small:?}");
    };
    assert_eq!(problems[0].0, "amount");
    let unlisted = press(form("10.00", 20, &[("arrangementType", "plan")]), "2").await;
    assert!(matches!(unlisted, Err(DeskError::Form(_))), "{unlisted:?}");
    assert!(house.states().is_empty(), "nothing was recorded or sent");
    let charged = press(form("10.00", 20, &[]), "3").await.unwrap();
    assert_eq!(charged.payment.unwrap().amount.minor, 1_020);
    house.until(&capture, CaptureState::Approved).await;
    let recorded = house.books.payments.lock().unwrap()[0].amount;
    assert_eq!(recorded.to_string(), "10.20 USD");
}

fn known(amount: &str) -> Consumer {
    let draft = serde_json::json!({
        "amount": amount, "currency": "USD", "values": {"firstName": "Jane"},
    });
    let draft: ConsumerDraft = serde_json::from_value(draft).unwrap();
    draft.parse().unwrap()
}

fn program() -> Actor {
    Actor {
        user: UserId::from_random(90),
        name: "crm".to_owned(),
        permissions: [Permission::CallConsumerData].into(),
        ..Actor::system()
    }
}

#[tokio::test(start_paused = true)]
async fn s14_what_is_told_of_a_consumer_shows_on_its_agents_page_and_the_trail_has_names_only() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    let phone = house.call().await;
    let (calls, agent) = (&house.calls, &house.actor);
    let shown = async || calls.calls(agent).await.unwrap()[0].consumer.clone();
    assert_eq!(shown().await, Consumer::default());
    let told = calls.tell_consumer(agent, &phone.id, known("120.50")).await;
    assert_eq!((told, shown().await), (Ok(()), known("120.50")));
    let told = calls
        .tell_consumer(&program(), &phone.id, known("9.00"))
        .await;
    assert_eq!((told, shown().await), (Ok(()), known("9.00")));
    let other = Actor {
        permissions: Role::Agent.permissions().iter().copied().collect(),
        ..program()
    };
    let told = calls.tell_consumer(&other, &phone.id, known("1.00")).await;
    assert_eq!(
        (told, shown().await),
        (Err(DeskError::NotFound), known("9.00"))
    );
    *house.books.down.lock().unwrap() = Some(|_| true);
    let told = calls.tell_consumer(agent, &phone.id, known("1.00")).await;
    assert_eq!(
        (told, shown().await),
        (Err(DeskError::Unrecordable), known("9.00"))
    );
    let entries = house.books.entries.lock().unwrap();
    let told = |entry: &&domain::audit::AuditEntry| entry.action == AuditAction::ConsumerTold;
    let details: Vec<_> = entries
        .iter()
        .filter(told)
        .map(|entry| entry.detail.clone())
        .collect();
    let names = serde_json::json!({"told": ["amount", "firstName"]});
    assert_eq!(details, [names.clone(), names]);
}

#[tokio::test(start_paused = true)]
async fn s14_what_was_told_of_a_consumer_goes_with_the_call() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    let phone = house.call().await;
    let calls = &house.calls;
    calls
        .tell_consumer(&program(), &phone.id, known("1.00"))
        .await
        .unwrap();
    calls.ended(&phone.id, EndCause::Consumer);
    while calls.count() > 0 {
        tokio::task::yield_now().await;
    }
    let told = calls
        .tell_consumer(&program(), &phone.id, known("1.00"))
        .await;
    assert_eq!(told, Err(DeskError::NotFound));
}

#[tokio::test(start_paused = true)]
async fn o14_an_amount_from_the_api_is_recorded_and_charged_and_without_one_nothing_is() {
    let mut options = WidgetOptions::default();
    options.payment.amount_source = AmountSource::Api;
    let house = House::new(options, ProtectionScope::Capture).await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let press = |key: &str| {
        let key = format!("a-press-with-the-key-{key}");
        house
            .calls
            .process(&house.actor, &capture, form("1.00", 0, &[]), key)
    };
    let none = press("1").await;
    assert!(matches!(none, Err(DeskError::Form(_))), "{none:?}");
    assert!(house.states().is_empty(), "nothing was recorded or sent");
    let told = house
        .calls
        .tell_consumer(&program(), &phone.id, known("120.50"))
        .await;
    told.unwrap();
    let charged = press("2").await.unwrap();
    assert_eq!(charged.payment.unwrap().amount.minor, 12_050);
    house.until(&capture, CaptureState::Approved).await;
    let recorded = house.books.payments.lock().unwrap()[0].amount;
    assert_eq!(recorded.to_string(), "120.50 USD");
}

#[tokio::test(start_paused = true)]
async fn s13_one_press_silences_the_customer_towards_everyone_and_another_ends_it() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.tape.run(true);
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .act(&capture, CaptureAction::CustomerSpeaking)
        .await
        .unwrap();
    assert!(house.view(&capture).await.unwrap().speaking);
    house
        .act(&capture, CaptureAction::CustomerSpoke)
        .await
        .unwrap();
    assert!(!house.view(&capture).await.unwrap().speaking);
    house.until_noted("mute", 1).await;
    house.until_noted("unmute", 1).await;
    let entries = house.books.entries.lock().unwrap();
    let mut spoken = entries
        .iter()
        .filter(|entry| entry.action == AuditAction::CustomerSpeaking);
    let marked = &spoken.next().unwrap().detail;
    assert_eq!(
        (&marked["on"], &marked["marked_s"]),
        (&true.into(), &15.into())
    );
    assert!(marked["recording"].is_string() && marked["recording_ms"].is_u64());
    assert_eq!(spoken.next().unwrap().detail["on"], false);
}
