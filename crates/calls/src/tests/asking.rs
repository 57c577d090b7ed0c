//! What is asked of a gateway about attempts that a restart left unknown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::CaptureAction;
use domain::capture::CaptureState;
use domain::gateway::OperationKind;
use domain::id::{AttemptId, UserId};
use domain::payment::resolution::{Proposal, ResolvedOutcome};
use domain::payment::{ArrangedBy, Arrangement, AttemptState, Outcome, Payment};
use domain::time::{UnixMillis, WallClock};
use tokio::time::Instant;

use super::house;
use super::house::House;
use crate::Asking;

const UNKNOWN: AttemptState = AttemptState::Final(Outcome::Unknown);

const BEGAN: UnixMillis = UnixMillis(1_795_456_800_000);

/// The time of the runtime, which these tests stop and move, since the attempts began.
struct Moving(Instant);

impl WallClock for Moving {
    fn now(&self) -> UnixMillis {
        let since = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        UnixMillis(BEGAN.0 + since)
    }
}

/// A house whose widget is asked about, with so many unknown attempts.
async fn left_unknown(recovery: &str, attempts: u128) -> House {
    let house = house().await;
    {
        let mut desktop = house.setup.desktop.lock().unwrap();
        let gateway = desktop.widgets[0].gateway.as_mut().unwrap();
        let mut config = serde_json::to_value(&*gateway).unwrap();
        config["more"] = serde_json::json!({
            "recovery": recovery,
            "operations": { "inquire": {
                "url": "/orders/{payment.reference}", "method": "GET", "success_key": "state", "success_value": "ok",
                "reference_key": "reference",
            } },
        });
        *gateway = serde_json::from_value(config).unwrap();
    }
    house.reload().await;
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    house
        .process(&capture, "a-press-to-copy-from")
        .await
        .unwrap();
    house.until(&capture, CaptureState::Approved).await;
    house.act(&capture, CaptureAction::Close).await.unwrap();
    house.until_entered(AuditAction::CaptureReleased).await;
    let mut payments = house.books.payments.lock().unwrap();
    let done = payments[0].clone();
    let copies = (1..=attempts).map(|number| Payment {
        attempt: AttemptId::from_random(number),
        reference: format!("7F2K-{number:04}"),
        state: UNKNOWN,
        outputs: Vec::new(),
        created_at: BEGAN,
        ..done.clone()
    });
    *payments = copies.collect();
    drop(payments);
    house.books.entries.lock().unwrap().clear();
    house
}

fn asking(house: &House) -> Asking {
    Asking {
        store: house.books.clone(),
        payments: house.books.clone(),
        desktops: house.setup.clone(),
        configuration: house.configuration.clone(),
        gateway: house.gateway.clone(),
        clock: Arc::new(Moving(Instant::now())),
    }
}

fn will_say(house: &House, outcomes: &[Outcome]) {
    *house.gateway.answers.lock().unwrap() = outcomes.iter().copied().collect();
}

fn times_asked(house: &House) -> usize {
    house.gateway.asked.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn the_gateway_is_asked_until_it_knows_and_its_word_is_recorded() {
    for outcome in [Outcome::Approved, Outcome::Declined, Outcome::Review] {
        let house = left_unknown("inquire", 1).await;
        will_say(&house, &[Outcome::Unknown, Outcome::Unknown, outcome]);
        let began = Instant::now();
        assert_eq!(asking(&house).run().await, Ok(1));
        assert_eq!(began.elapsed().as_secs(), 15, "5 s, then 10 s");
        let asked = (OperationKind::Inquire, "7F2K-0001".to_owned());
        assert_eq!(*house.gateway.asked.lock().unwrap(), vec![asked; 3]);
        assert_eq!(house.states(), [AttemptState::Final(outcome)]);
        let outputs = house.books.payments.lock().unwrap()[0].outputs.clone();
        assert_eq!(outputs[0].value, "ch_2");
        let entries = house.books.entries.lock().unwrap();
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!(entry.action, AuditAction::ChargeEnded);
        let said = serde_json::to_value(entry).unwrap().to_string();
        assert!(
            said.contains("asked the gateway") && said.contains("\"actor\":\"system\""),
            "{said}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_never_knows_is_asked_for_an_hour_at_most() {
    let house = left_unknown("inquire", 1).await;
    let began = Instant::now();
    assert_eq!(asking(&house).run().await, Ok(0));
    assert_eq!(times_asked(&house), 10);
    assert!(began.elapsed().as_secs() < 3_600);
    assert_eq!(house.states(), [UNKNOWN]);
    assert!(house.books.entries.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_what_is_unknown_and_says_how_is_asked_about() {
    let house = left_unknown("none", 1).await;
    assert_eq!(asking(&house).run().await, Ok(0));
    assert_eq!(times_asked(&house), 0);
    let house = left_unknown("inquire", 2).await;
    {
        let mut payments = house.books.payments.lock().unwrap();
        payments[0].created_at = UnixMillis(BEGAN.0 - 3_600_001);
        payments[1].state = AttemptState::Final(Outcome::Declined);
    }
    assert_eq!(asking(&house).run().await, Ok(0));
    assert_eq!(times_asked(&house), 0);
}

#[tokio::test(start_paused = true)]
async fn of_what_was_to_be_stored_no_inquiry_can_tell() {
    let house = left_unknown("inquire", 1).await;
    let asked = asking(&house);
    {
        let mut payments = house.books.payments.lock().unwrap();
        let day = "2026-12-01".parse().unwrap();
        let total = payments[0].amount;
        payments[0].arrangement = Some(Arrangement {
            by: ArrangedBy::Schedule,
            total,
            down_minor: 0,
            first: day,
            interval: None,
            count: 1,
            each_minor: total.minor,
            last_minor: total.minor,
            end: day,
        });
        payments[0].amount.minor = 0;
    }
    will_say(&house, &[Outcome::Approved]);
    assert_eq!(asked.run().await, Ok(0));
    assert_eq!((house.states(), times_asked(&house)), (vec![UNKNOWN], 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_settles_meanwhile_is_left_alone() {
    let house = left_unknown("inquire", 1).await;
    will_say(&house, &[Outcome::Unknown, Outcome::Approved]);
    let running = tokio::spawn(asking(&house).run());
    while times_asked(&house) == 0 {
        tokio::task::yield_now().await;
    }
    let declined = AttemptState::Final(Outcome::Declined);
    house.books.payments.lock().unwrap()[0].state = declined;
    assert_eq!(running.await.unwrap(), Ok(0));
    assert_eq!((house.states(), times_asked(&house)), (vec![declined], 1));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_came_with_another_host_do_not_go_to_the_one_before() {
    let house = left_unknown("inquire", 1).await;
    house.setup.has_password.store(true, Ordering::SeqCst);
    will_say(&house, &[Outcome::Approved]);
    let held = house.setup.reading.lock().await;
    let running = tokio::spawn(asking(&house).run());
    // The clock only moves once the asking waits for the password.
    tokio::time::sleep(Duration::from_millis(1)).await;
    house.setup.move_gateway("https://elsewhere.example/charge");
    drop(held);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(times_asked(&house), 0, "not with what it read meanwhile");
    house.reload().await;
    assert_eq!(running.await.unwrap(), Ok(1));
    assert_eq!(times_asked(&house), 1, "later, as it is configured now");
}

#[tokio::test(start_paused = true)]
async fn what_one_person_said_falls_away_and_the_entry_tells_it() {
    let house = left_unknown("inquire", 1).await;
    will_say(&house, &[Outcome::Approved]);
    *house.books.said.lock().unwrap() = Some(Proposal {
        attempt: AttemptId::from_random(1),
        outcome: ResolvedOutcome::Declined,
        reason: "not in the report".to_owned(),
        by: UserId::from_random(5),
        by_name: "lee".to_owned(),
        at: BEGAN,
    });
    assert_eq!(asking(&house).run().await, Ok(1));
    let entries = house.books.entries.lock().unwrap();
    let said = serde_json::to_value(&entries[0]).unwrap().to_string();
    assert!(
        said.contains("\"fell_away\":\"declined\"") && said.contains("\"proposed_by\":\"lee\""),
        "{said}"
    );
}
