//! A sale of the down payment, and the plan in a call of its own: what is begun when, and what is not (docs/decisions/0010).

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::boundary::{Audited, CaptureDesk, Change, PaymentDesk};
use domain::capture::CaptureState;
use domain::id::{CaptureId, FollowUpId};
use domain::payment::follow_up::{FollowUp, FollowUpKind, FollowUpRefused, Wish, allowed, begin};
use domain::payment::{ArrangementKind, AttemptState, Outcome, Payment, PlanStanding};
use domain::service::ProtectionScope;
use domain::time::UnixMillis;
use domain::view::DeskError;
use domain::widget::WidgetOptions;

use super::house::{House, Manner, NOW};
use super::typed::form;
use crate::{close_open_attempts, close_open_follow_ups};

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);

/// Everything ends within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// 500.00, 125.50 of it today, in four weekly parts (GATEWAYS 5).
const PLAN: [(&str, &str); 5] = [
    ("arrangementType", "plan"),
    ("arrangementStart", "2026-12-01"),
    ("arrangementInterval", "weekly"),
    ("arrangementCount", "4"),
    ("arrangementDownPayment", "125.50"),
];

/// A house whose gateway sets plans up, and has this manner.
async fn house_with_plans(manner: Manner) -> House {
    let mut options = WidgetOptions::default();
    let offers = &mut options.payment.arrangements;
    offers.extend([ArrangementKind::Plan, ArrangementKind::OneDate]);
    let house = House::new(options, ProtectionScope::Capture).await;
    let schedule = serde_json::json!({
        "url": "/plans/{sale.transaction_id}", "success_key": "result", "success_value": "ok",
        "body": "{arrangement.amount} {arrangement.last_amount}",
    });
    {
        let mut desktop = house.setup.desktop.lock().unwrap();
        let gateway = desktop.widgets[0].gateway.as_mut().unwrap();
        gateway.more.operations.schedule = Some(serde_json::from_value(schedule).unwrap());
    }
    house.reload().await;
    *house.gateway.manner.lock().unwrap() = manner;
    house
}

async fn press(house: &House, values: &[(&str, &str)]) -> (CaptureId, Result<(), DeskError>) {
    let mut phone = house.call().await;
    let capture = house.ready(&mut phone).await;
    let form = form("500.00", 0, values);
    let key = "a-press-of-the-button".to_owned();
    let pressed = house.calls.process(&house.actor, &capture, form, key).await;
    (capture, pressed.map(drop))
}

/// Presses with the plan, and waits for this end of the sale and for all that follows.
async fn pressed(house: &House, end: CaptureState) {
    let (capture, pressed) = press(house, &PLAN).await;
    assert_eq!(pressed, Ok(()));
    house.until(&capture, end).await;
    house.calls.drain(PATIENCE).await;
}

fn taken(house: &House) -> Payment {
    house.books.payments.lock().unwrap()[0].clone()
}

fn follow_ups(house: &House) -> Vec<FollowUp> {
    house.books.follow_ups.lock().unwrap().clone()
}

fn standing(house: &House) -> Option<PlanStanding> {
    PlanStanding::among(&taken(house), &follow_ups(house))
}

#[tokio::test(start_paused = true)]
async fn the_sale_charges_the_down_payment_and_the_plan_follows_by_itself() {
    let house = house_with_plans(Manner::Approves).await;
    pressed(&house, CaptureState::Approved).await;
    let once = ["intent", "connect", "sent", "first byte", "final"];
    assert_eq!(house.journal(), [once, once].concat());
    let charged = house.gateway.charged.lock().unwrap().clone();
    assert_eq!(charged[0].amount.to_string(), "125.50 USD");
    assert_eq!(
        charged[0].arrangement(),
        None,
        "the sale says nothing of it"
    );
    let payment = taken(&house);
    assert_eq!(
        (payment.amount, payment.state),
        (charged[0].amount, APPROVED)
    );
    let scheduled = house.gateway.scheduled.lock().unwrap().clone();
    let [(amount, arrangement)] = scheduled.try_into().unwrap();
    assert_eq!(amount.to_string(), "374.50 USD");
    assert_eq!(arrangement, payment.arrangement);
    let [plan] = follow_ups(&house).try_into().unwrap();
    assert_eq!((plan.kind, plan.state), (FollowUpKind::Schedule, APPROVED));
    assert_eq!((plan.by, plan.amount), (payment.agent, amount));
    assert_eq!(standing(&house), Some(PlanStanding::SetUp));
    let entries = house.books.entries.lock().unwrap();
    let mut trail = entries.iter();
    let schedule = trail.find_map(|entry| entry.detail.get("schedule"));
    assert_eq!(schedule.unwrap()["payments"][3]["amount"], "93.64 USD");
}

#[tokio::test(start_paused = true)]
async fn the_page_hears_of_the_approval_once_the_plan_is_recorded_as_intended() {
    let house = house_with_plans(Manner::ApprovesAfter(50)).await;
    let (capture, pressed) = press(&house, &PLAN).await;
    assert_eq!(pressed, Ok(()));
    house.until(&capture, CaptureState::Approved).await;
    assert!(
        house
            .view(&capture)
            .await
            .unwrap()
            .payment
            .unwrap()
            .has_plan
    );
    assert_eq!(follow_ups(&house).len(), 1, "no page offers to begin it");
    house.calls.drain(PATIENCE).await;
    assert_eq!(standing(&house), Some(PlanStanding::SetUp));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_refused_is_tried_again_alone() {
    let house = house_with_plans(Manner::RefusesPlans).await;
    let (capture, pressed) = press(&house, &PLAN).await;
    assert_eq!(pressed, Ok(()));
    house.until(&capture, CaptureState::Approved).await;
    let refused = |all: &[FollowUp]| all.iter().any(|one| !one.is_open());
    while !refused(&follow_ups(&house)) {
        tokio::task::yield_now().await;
    }
    assert_eq!(standing(&house), Some(PlanStanding::NotSetUp));
    *house.gateway.manner.lock().unwrap() = Manner::Approves;
    let wish = Wish {
        kind: FollowUpKind::Schedule,
        amount: None,
        reason: String::new(),
        key: "the-second-try-of-it".to_owned(),
    };
    let (payment, id) = (taken(&house), FollowUpId::from_random(6));
    let again = begin(&payment, &follow_ups(&house), &house.actor, id, wish, NOW).unwrap();
    assert_eq!(again.number, 2);
    let begun = house.calls.follow_up(&house.actor, &payment, again).await;
    assert_eq!(begun, Ok(()));
    house.calls.drain(PATIENCE).await;
    assert_eq!(standing(&house), Some(PlanStanding::SetUp));
    assert_eq!(house.states(), [APPROVED], "the sale was charged once");
    assert_eq!(house.gateway.charged.lock().unwrap().len(), 1);
    assert_eq!(house.gateway.scheduled.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_of_a_plan_there_is_no_other_try() {
    let house = house_with_plans(Manner::LosesPlans).await;
    pressed(&house, CaptureState::Approved).await;
    assert_eq!(standing(&house), Some(PlanStanding::Unknown));
    let kind = FollowUpKind::Schedule;
    let again = allowed(&taken(&house), &follow_ups(&house), kind);
    assert_eq!(again, Err(FollowUpRefused::LastUnknown));
}

#[tokio::test(start_paused = true)]
async fn a_sale_that_is_not_approved_begins_no_plan() {
    for (manner, end) in [
        (Manner::CannotConnect, CaptureState::NotSent),
        (Manner::PanicsWhileSending, CaptureState::Unknown),
    ] {
        let house = house_with_plans(manner).await;
        pressed(&house, end).await;
        assert_eq!(follow_ups(&house), [], "{manner:?}");
        assert!(house.gateway.scheduled.lock().unwrap().is_empty());
        assert_eq!(standing(&house), None, "{manner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_be_recorded_is_not_begun_and_no_start_begins_it() {
    let house = house_with_plans(Manner::Approves).await;
    let is_plan = |audited: &Audited| matches!(audited.change, Change::InsertFollowUp(_));
    *house.books.down.lock().unwrap() = Some(is_plan);
    pressed(&house, CaptureState::Approved).await;
    assert_eq!(house.states(), [APPROVED]);
    *house.books.down.lock().unwrap() = None;
    let books = &*house.books;
    let now = UnixMillis(NOW.0 + 1);
    assert_eq!(close_open_attempts(books, books, now).await, Ok(0));
    assert_eq!(close_open_follow_ups(books, books, now).await, Ok(0));
    assert_eq!(follow_ups(&house), []);
    assert!(house.gateway.scheduled.lock().unwrap().is_empty());
    assert_eq!(standing(&house), Some(PlanStanding::NotSetUp));
    let kind = FollowUpKind::Schedule;
    assert!(allowed(&taken(&house), &[], kind).is_ok(), "a person may");
}

#[tokio::test(start_paused = true)]
async fn nothing_due_today_is_refused_before_the_digits_are_used() {
    let house = house_with_plans(Manner::Approves).await;
    let (capture, refused) = press(&house, &PLAN[..4]).await;
    let Err(DeskError::Form(problems)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(problems[0].0, "arrangementDownPayment");
    assert!(house.states().is_empty() && house.journal().is_empty());
    let view = house.view(&capture).await.unwrap();
    assert_eq!(
        view.state,
        CaptureState::Ready,
        "the digits are still there"
    );
}

/// The same, and its gateway stores.
async fn house_that_stores(manner: Manner) -> House {
    let house = house_with_plans(manner).await;
    let store = serde_json::json!({
        "url": "/vault", "success_key": "result", "success_value": "ok", "body": "{card.number}",
    });
    {
        let mut desktop = house.setup.desktop.lock().unwrap();
        let gateway = desktop.widgets[0].gateway.as_mut().unwrap();
        gateway.more.store = Some(serde_json::from_value(store).unwrap());
    }
    house.setup.has_password.store(true, Ordering::SeqCst);
    house.reload().await;
    house
}

const ONE_DATE: [(&str, &str); 2] = [
    ("arrangementType", "one_date"),
    ("arrangementDate", "2026-12-01"),
];

#[tokio::test(start_paused = true)]
async fn with_nothing_due_today_the_store_takes_the_sales_place_and_the_plan_follows() {
    for values in [&ONE_DATE[..], &PLAN[..4]] {
        let house = house_that_stores(Manner::Approves).await;
        let (capture, pressed) = press(&house, values).await;
        assert_eq!(pressed, Ok(()));
        house.until(&capture, CaptureState::Approved).await;
        house.calls.drain(PATIENCE).await;
        let once = ["intent", "connect", "sent", "first byte", "final"];
        assert_eq!(house.journal(), [once, once].concat());
        let went_to = house.gateway.went_to.lock().unwrap().clone();
        assert_eq!(went_to, ["https://gateway.example:443/vault"]);
        let payment = taken(&house);
        assert_eq!((payment.amount.minor, payment.state), (0, APPROVED));
        assert!(payment.only_stores());
        let [(owed, arrangement)] = house
            .gateway
            .scheduled
            .lock()
            .unwrap()
            .clone()
            .try_into()
            .unwrap();
        assert_eq!(
            (owed.to_string(), arrangement),
            ("500.00 USD".to_owned(), payment.arrangement.clone())
        );
        assert_eq!(standing(&house), Some(PlanStanding::SetUp));
        for kind in FollowUpKind::OF_AMOUNT {
            let refused = allowed(&payment, &follow_ups(&house), kind);
            assert_eq!(refused, Err(FollowUpRefused::NotCharged), "{kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_down_payment_a_gateway_that_stores_is_charged_as_ever() {
    let house = house_that_stores(Manner::Approves).await;
    pressed(&house, CaptureState::Approved).await;
    let went_to = house.gateway.went_to.lock().unwrap().clone();
    assert_eq!(went_to, ["https://gateway.example/pay"]);
    assert_eq!(taken(&house).amount.to_string(), "125.50 USD");
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_and_has_no_plan_says_so_and_a_person_sets_it_up() {
    let house = house_that_stores(Manner::RefusesPlans).await;
    let (capture, pressed) = press(&house, &ONE_DATE).await;
    assert_eq!(pressed, Ok(()));
    house.until(&capture, CaptureState::Approved).await;
    house.calls.drain(PATIENCE).await;
    assert_eq!(standing(&house), Some(PlanStanding::NotSetUp));
    let again = allowed(&taken(&house), &follow_ups(&house), FollowUpKind::Schedule);
    assert_eq!(
        again.map(|owed| owed.to_string()),
        Ok("500.00 USD".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_without_an_answer_begins_no_plan() {
    let house = house_that_stores(Manner::PanicsWhileSending).await;
    let (capture, pressed) = press(&house, &ONE_DATE).await;
    assert_eq!(pressed, Ok(()));
    house.until(&capture, CaptureState::Unknown).await;
    house.calls.drain(PATIENCE).await;
    assert_eq!((standing(&house), follow_ups(&house)), (None, Vec::new()));
}
