//! Voids, refunds and captures: their order, and what the ledger says when store or gateway fail on the way (I4).

use std::time::Duration;

use domain::audit::AuditAction;
use domain::boundary::{Audited, Change, FollowUpError, PaymentDesk, StoreError};
use domain::capture::WidgetKind;
use domain::gateway::NotSentReason;
use domain::id::*;
use domain::money::{Currency, Money};
use domain::payment::follow_up::{FollowUp, FollowUpKind, FollowUpRefused, Wish, begin};
use domain::payment::{AttemptState, Outcome, Payment};
use domain::service::ResponseVariables;
use domain::time::UnixMillis;

use super::house;
use super::house::{House, Manner, NOW};
use crate::close_open_follow_ups;

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);

/// Every follow-up ends within this, or the test fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// A house whose widget can refund, with a payment of that widget.
async fn house_that_refunds() -> (House, Payment) {
    let house = house().await;
    let refund = serde_json::json!({
        "url": "/refund", "success_key": "result", "success_value": "ok", "agent_message_key": "text",
    });
    {
        let mut desktop = house.setup.desktop.lock().unwrap();
        let gateway = desktop.widgets[0].gateway.as_mut().unwrap();
        gateway.more.operations.refund = Some(serde_json::from_value(refund).unwrap());
    }
    house.reload().await;
    let payment = Payment {
        attempt: AttemptId::from_random(5),
        reference: "7F2K-91QD".to_owned(),
        capture: CaptureId::from_random(5),
        call: CallId::from_random(5),
        widget: house.widget.clone(),
        desktop: None,
        kind: WidgetKind::CreditCardAdvanced,
        agent: house.actor.user.clone(),
        amount: Money::parse("12.50", Currency::USD).unwrap(),
        arrangement: None,
        brand: None,
        last_four: None,
        state: APPROVED,
        message: String::new(),
        outputs: Vec::new(),
        created_at: NOW,
        changed_at: NOW,
    };
    house.books.payments.lock().unwrap().push(payment.clone());
    (house, payment)
}

fn wanted(house: &House, payment: &Payment, kind: FollowUpKind) -> FollowUp {
    let wish = Wish {
        kind,
        amount: None,
        reason: "broken".to_owned(),
        key: "one-press-of-the-button".to_owned(),
    };
    let id = FollowUpId::from_random(6);
    begin(payment, &[], &house.actor, id, wish, NOW).unwrap()
}

/// Asks for it and waits for its end.
async fn refund(house: &House, payment: &Payment) -> Result<(), FollowUpError> {
    let refund = wanted(house, payment, FollowUpKind::Refund);
    let begun = house.calls.follow_up(&house.actor, payment, refund).await;
    house.calls.drain(PATIENCE).await;
    begun
}

fn states(house: &House) -> Vec<AttemptState> {
    let follow_ups = house.books.follow_ups.lock().unwrap();
    follow_ups.iter().map(|one| one.state).collect()
}

fn down(house: &House, which: fn(&Audited) -> bool) {
    *house.books.down.lock().unwrap() = Some(which);
}

fn is_intent(audited: &Audited) -> bool {
    matches!(audited.change, Change::InsertFollowUp(_))
}

fn is_sent(audited: &Audited) -> bool {
    matches!(&audited.change, Change::MoveFollowUp(step) if step.to == AttemptState::Sent)
}

fn is_final(audited: &Audited) -> bool {
    matches!(&audited.change, Change::MoveFollowUp(step) if step.to == APPROVED)
}

#[tokio::test(start_paused = true)]
async fn intent_and_sent_are_recorded_before_the_first_byte_of_a_refund_leaves() {
    let (house, payment) = house_that_refunds().await;
    assert_eq!(refund(&house, &payment).await, Ok(()));
    assert_eq!(
        house.journal(),
        ["intent", "connect", "sent", "first byte", "final"]
    );
    let kept = house.books.follow_ups.lock().unwrap()[0].clone();
    assert_eq!(kept.state, APPROVED);
    assert_eq!(kept.outputs[0].value, "re_1");
    let entries = house.books.entries.lock().unwrap();
    let actions = [
        AuditAction::FollowUpIntended,
        AuditAction::FollowUpSent,
        AuditAction::FollowUpEnded,
    ];
    let noted: Vec<AuditAction> = entries.iter().map(|entry| entry.action).collect();
    assert_eq!(noted, actions);
    for entry in entries.iter() {
        assert_eq!(entry.object, "payment 7F2K-91QD");
        assert_eq!(
            (&*entry.actor, &entry.detail["kind"]),
            ("kim", &"refund".into())
        );
    }
    assert_eq!(entries[0].detail["reason"], "broken");
    assert_eq!(entries[0].detail["minor"], 1_250);
    assert_eq!(entries[2].detail["outcome"], "approved");
    let told = house.pages.0.lock().unwrap();
    let told = told.iter().filter(|event| event.topic == "payment");
    assert_eq!(told.count(), 6, "two audiences hear of each step");
}

#[tokio::test(start_paused = true)]
async fn a_message_about_a_refund_is_kept_if_its_key_may_be_shown() {
    let named = |name: &str| ResponseVariables::Listed {
        names: [name.to_owned()].into(),
    };
    for (allowed, message) in [
        (ResponseVariables::None, ""),
        (named("another"), ""),
        (named("text"), "given back"),
        (ResponseVariables::All, "given back"),
    ] {
        let (house, payment) = house_that_refunds().await;
        *house.setup.response_variables.lock().unwrap() = allowed;
        house.reload().await;
        assert_eq!(refund(&house, &payment).await, Ok(()));
        let kept = &house.books.follow_ups.lock().unwrap()[0];
        assert_eq!(kept.message, message);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_connected_when_the_intent_of_a_refund_cannot_be_recorded() {
    let (house, payment) = house_that_refunds().await;
    down(&house, is_intent);
    let refused = refund(&house, &payment).await;
    let unavailable = StoreError::Unavailable("test".to_owned());
    assert_eq!(refused, Err(unavailable.into()));
    assert_eq!(house.journal(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_refund_leaves_when_sent_cannot_be_recorded() {
    let (house, payment) = house_that_refunds().await;
    down(&house, is_sent);
    assert_eq!(refund(&house, &payment).await, Ok(()));
    assert_eq!(house.journal(), ["intent", "connect", "not sent"]);
    let not_sent = AttemptState::NotSent(NotSentReason::Ledger);
    assert_eq!(states(&house), [not_sent]);
}

#[tokio::test(start_paused = true)]
async fn a_refund_ends_as_what_became_of_it() {
    for (manner, end) in [
        (
            Manner::CannotConnect,
            AttemptState::NotSent(NotSentReason::Connect),
        ),
        (
            Manner::PanicsBeforeSending,
            AttemptState::NotSent(NotSentReason::Busy),
        ),
        (
            Manner::PanicsWhileSending,
            AttemptState::Final(Outcome::Unknown),
        ),
        (Manner::ApprovesAfter(20), APPROVED),
    ] {
        let (house, payment) = house_that_refunds().await;
        *house.gateway.manner.lock().unwrap() = manner;
        assert_eq!(refund(&house, &payment).await, Ok(()), "{manner:?}");
        assert_eq!(states(&house), [end], "{manner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_a_refund_is_offered_until_it_is_recorded() {
    let (house, payment) = house_that_refunds().await;
    down(&house, is_final);
    let books = house.books.clone();
    let repaired = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        *books.down.lock().unwrap() = None;
    });
    assert_eq!(refund(&house, &payment).await, Ok(()));
    repaired.await.unwrap();
    assert_eq!(states(&house), [APPROVED]);
    let sent = house.journal();
    let sent = sent.iter().filter(|what| **what == "first byte");
    assert_eq!(sent.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_widget_cannot_do_now_is_refused_and_not_recorded() {
    let (house, payment) = house_that_refunds().await;
    let can = [FollowUpKind::Refund].into();
    assert_eq!(house.calls.configured(&payment), Ok(can));
    let void = wanted(&house, &payment, FollowUpKind::Void);
    let refused = house.calls.follow_up(&house.actor, &payment, void).await;
    assert_eq!(refused, Err(FollowUpRefused::NotConfigured.into()));
    let gone = Payment {
        widget: WidgetId::from_random(99),
        ..payment.clone()
    };
    let widget_gone = FollowUpRefused::WidgetGone;
    assert_eq!(house.calls.configured(&gone), Err(widget_gone));
    assert_eq!(refund(&house, &gone).await, Err(widget_gone.into()));
    let late = refund(&house, &payment).await;
    assert_eq!(late, Err(StoreError::Busy.into()), "the server stops");
    assert_eq!(house.journal(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_restart_closes_what_is_open_of_refunds_as_what_it_may_be() {
    let (house, payment) = house_that_refunds().await;
    let open = wanted(&house, &payment, FollowUpKind::Refund);
    let mut states_then = [AttemptState::Intent, AttemptState::Sent, APPROVED];
    *house.books.follow_ups.lock().unwrap() = (1..)
        .zip(states_then)
        .map(|(number, state)| FollowUp {
            id: FollowUpId::from_random(number),
            state,
            ..open.clone()
        })
        .collect();
    let books = &*house.books;
    let closed = close_open_follow_ups(books, books, UnixMillis(1)).await;
    states_then[0] = AttemptState::NotSent(NotSentReason::Busy);
    states_then[1] = AttemptState::Final(Outcome::Unknown);
    assert_eq!((closed, states(&house)), (Ok(2), states_then.to_vec()));
    {
        let entries = house.books.entries.lock().unwrap();
        assert_eq!(entries[1].detail["why"], "found open after a restart");
    }
    let again = close_open_follow_ups(books, books, UnixMillis(2)).await;
    assert_eq!(again, Ok(0), "nothing is open any more");
}
