//! How much of a card number is shown, and how much is on record (S15, O4, O5).

use domain::boundary::CaptureDesk;
use domain::capture::fixtures::CARDS;
use domain::capture::{Brand, CaptureState, Field};
use domain::service::ProtectionScope;
use domain::widget::{CardNumberShown, WidgetOptions};

use super::House;

#[tokio::test(start_paused = true)]
async fn o4_a_basic_card_number_is_shown_whole_or_by_its_last_four() {
    let number = CARDS[6].number;
    for (card_number_shown, shown) in [
        (CardNumberShown::Full, number),
        (CardNumberShown::LastFour, &number[number.len() - 4..]),
    ] {
        let options = WidgetOptions {
            card_number_shown,
            ..WidgetOptions::default()
        };
        let house = House::new(options, ProtectionScope::Capture).await;
        let mut phone = house.call().await;
        let capture = house.open_basic(&phone.id).await.unwrap().id;
        house.until(&capture, CaptureState::Armed).await;
        house
            .obtain(&mut phone, &capture, Field::CardNumber, number)
            .await;
        let revealed = house
            .calls
            .reveal(&house.actor, &capture, Field::CardNumber)
            .await
            .unwrap();
        assert!(
            revealed.expose() == shown.as_bytes(),
            "{card_number_shown:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn s15_brand_and_last_four_are_on_record_only_if_the_widget_shows_them() {
    for show_brand_and_last_four in [false, true] {
        let options = WidgetOptions {
            show_brand_and_last_four,
            ..WidgetOptions::default()
        };
        let house = House::new(options, ProtectionScope::Capture).await;
        let mut phone = house.call().await;
        let capture = house.ready(&mut phone).await;
        let pressed = house.process(&capture, "a-press-on-the-record").await;
        assert!(pressed.is_ok(), "{pressed:?}");
        house.until(&capture, CaptureState::Approved).await;
        let payment = house.books.payments.lock().unwrap()[0].clone();
        let number = CARDS[6].number;
        let expected = show_brand_and_last_four
            .then(|| (Brand::Mastercard, number[number.len() - 4..].to_owned()));
        assert_eq!(payment.brand.zip(payment.last_four), expected);
    }
}
