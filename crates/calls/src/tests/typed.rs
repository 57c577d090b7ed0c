//! What the agent types is judged by the widget that was opened (O13, O14), and a customer who speaks is silenced (S13).

use domain::boundary::{CaptureAction, CaptureDesk};
use domain::capture::CaptureState;
use domain::money::{Currency, Money};
use domain::payment::PaymentForm;
use domain::service::ProtectionScope;
use domain::view::DeskError;
use domain::widget::{Fee, WidgetOptions};

use super::house::House;

fn form(amount: &str, fee_minor: i64, values: &[(&str, &str)]) -> PaymentForm {
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

#[tokio::test]
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

#[tokio::test]
async fn s13_one_press_silences_the_customer_towards_everyone_and_another_ends_it() {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
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
}
