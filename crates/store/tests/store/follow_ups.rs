//! What is done with payments afterwards.

use domain::boundary::{Change, Payments, StoreError};
use domain::gateway::NotSentReason;
use domain::id::{AttemptId, FollowUpId, UserId};
use domain::money::Money;
use domain::payment::follow_up::{Aftermath, FollowUp, FollowUpKind, FollowUpMove};
use domain::payment::{AttemptState, LedgerFilter, Outcome, Payment, PaymentOutput, PlanStanding};

use store::Database;

use crate::ledger::plan;
use crate::place::{NOW, Place, commit, next, payment};

const APPROVED: AttemptState = AttemptState::Final(Outcome::Approved);
const UNKNOWN: AttemptState = AttemptState::Final(Outcome::Unknown);
const CONFLICT: Result<i64, StoreError> = Err(StoreError::Conflict);

/// A payment that ended so.
async fn ended(database: &Database, to: AttemptState) -> Payment {
    let row = payment(&UserId::from_random(next()));
    commit(database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    let change = Change::MovePayment {
        attempt: row.attempt.clone(),
        from: AttemptState::Intent,
        to,
        message: String::new(),
        outputs: Vec::new(),
        at: NOW,
    };
    commit(database, change).await.unwrap();
    Payment { state: to, ..row }
}

fn follow_up(of: &Payment, number: u32) -> FollowUp {
    FollowUp {
        id: FollowUpId::from_random(next()),
        attempt: of.attempt.clone(),
        number,
        kind: FollowUpKind::Refund,
        amount: Money {
            minor: 5_000,
            ..of.amount
        },
        reason: "broken\nglass".to_owned(),
        key: format!("press-{}", next()),
        by: UserId::from_random(next()),
        by_name: "sam".to_owned(),
        state: AttemptState::Intent,
        message: String::new(),
        outputs: Vec::new(),
        created_at: NOW,
        changed_at: NOW,
    }
}

async fn begin(database: &Database, row: &FollowUp) -> Result<i64, StoreError> {
    commit(database, Change::InsertFollowUp(row.clone())).await
}

fn moved(row: &FollowUp, from: AttemptState, to: AttemptState) -> Change {
    Change::MoveFollowUp(FollowUpMove {
        id: row.id.clone(),
        from,
        to,
        message: "Thank\0you".to_owned(),
        outputs: vec![PaymentOutput {
            name: "refund_id".to_owned(),
            value: "r\"7".to_owned(),
        }],
        at: NOW.plus_ms(5),
    })
}

async fn go(database: &Database, row: &FollowUp, to: AttemptState) {
    let change = moved(row, AttemptState::Intent, to);
    commit(database, change).await.unwrap();
}

async fn a_follow_up_comes_back_in_every_state(place: Place) {
    let database = place.open().await;
    for kind in FollowUpKind::ALL {
        for to in [
            AttemptState::Sent,
            AttemptState::NotSent(NotSentReason::Tls),
            APPROVED,
            UNKNOWN,
        ] {
            let paid = ended(&database, APPROVED).await;
            let mut row = FollowUp {
                kind,
                ..follow_up(&paid, 1)
            };
            assert_eq!(begin(&database, &row).await, Ok(0));
            let listed = database.follow_ups(&paid.attempt).await;
            assert_eq!(listed, Ok(vec![row.clone()]));
            go(&database, &row, to).await;
            row.state = to;
            row.message = "Thank you".to_owned();
            row.outputs = vec![PaymentOutput {
                name: "refund_id".to_owned(),
                value: "r\"7".to_owned(),
            }];
            row.changed_at = NOW.plus_ms(5);
            let listed = database.follow_ups(&paid.attempt).await;
            assert_eq!(listed, Ok(vec![row.clone()]));
            let silent = Change::MoveFollowUp(FollowUpMove {
                id: row.id.clone(),
                from: to,
                to: AttemptState::Final(Outcome::Declined),
                message: String::new(),
                outputs: Vec::new(),
                at: NOW.plus_ms(6),
            });
            commit(&database, silent).await.unwrap();
            let kept = database.follow_ups(&paid.attempt).await.unwrap();
            assert_eq!(
                (&kept[0].message, &kept[0].outputs),
                (&row.message, &row.outputs)
            );
        }
    }
}

/// A payment that was taken, with a plan of its own.
async fn with_plan(database: &Database) -> Payment {
    let row = Payment {
        arrangement: Some(plan()),
        ..payment(&UserId::from_random(next()))
    };
    commit(database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    let change = Change::MovePayment {
        attempt: row.attempt.clone(),
        from: AttemptState::Intent,
        to: APPROVED,
        message: String::new(),
        outputs: Vec::new(),
        at: NOW,
    };
    commit(database, change).await.unwrap();
    row
}

async fn a_row_says_how_its_plan_stands_by_its_last_schedule(place: Place) {
    let database = place.open().await;
    let paid = with_plan(&database).await;
    let stands = async |expected| {
        let all = LedgerFilter::default();
        let rows = database.payments(&all, None, 10).await.unwrap();
        assert_eq!(rows[0].plan, Some(expected));
    };
    stands(PlanStanding::NotSetUp).await;
    let schedule = |number| FollowUp {
        kind: FollowUpKind::Schedule,
        ..follow_up(&paid, number)
    };
    let first = schedule(1);
    begin(&database, &first).await.unwrap();
    stands(PlanStanding::InProgress).await;
    go(&database, &first, AttemptState::NotSent(NotSentReason::Tls)).await;
    stands(PlanStanding::NotSetUp).await;
    let second = schedule(2);
    begin(&database, &second).await.unwrap();
    assert_eq!(
        begin(&database, &schedule(3)).await,
        CONFLICT,
        "one at a time"
    );
    go(&database, &second, UNKNOWN).await;
    stands(PlanStanding::Unknown).await;
    assert_eq!(
        begin(&database, &schedule(3)).await,
        CONFLICT,
        "nobody knows"
    );
    let settled = moved(&second, UNKNOWN, APPROVED);
    commit(&database, settled).await.unwrap();
    stands(PlanStanding::SetUp).await;
    let refund = follow_up(&paid, 3);
    begin(&database, &refund).await.unwrap();
    go(&database, &refund, AttemptState::Final(Outcome::Declined)).await;
    stands(PlanStanding::SetUp).await;
    let rows = database.payments(&LedgerFilter::default(), None, 10).await;
    assert_eq!(rows.unwrap()[0].aftermath, Aftermath::default());
}

async fn of_many_at_once_exactly_one_begins(place: Place) {
    let database = place.open().await;
    let paid = ended(&database, APPROVED).await;
    let rows: Vec<FollowUp> = (0..40).map(|_| follow_up(&paid, 1)).collect();
    let tries = rows.iter().map(|row| begin(&database, row));
    let answers = futures_util::future::join_all(tries).await;
    let begun = answers.iter().filter(|answer| answer.is_ok()).count();
    let refused = answers.iter().filter(|answer| **answer == CONFLICT).count();
    assert_eq!((begun, refused), (1, 39));
    assert_eq!(database.follow_ups(&paid.attempt).await.unwrap().len(), 1);
    let other = ended(&database, APPROVED).await;
    let row = follow_up(&other, 1);
    assert_eq!(begin(&database, &row).await, Ok(0), "of another payment");
}

async fn while_one_is_open_or_unknown_no_other_begins(place: Place) {
    let database = place.open().await;
    for standing in [AttemptState::Intent, AttemptState::Sent, UNKNOWN] {
        let paid = ended(&database, APPROVED).await;
        let first = follow_up(&paid, 1);
        assert_eq!(begin(&database, &first).await, Ok(0));
        if standing != AttemptState::Intent {
            go(&database, &first, standing).await;
        }
        let second = follow_up(&paid, 2);
        assert_eq!(begin(&database, &second).await, CONFLICT, "{standing:?}");
        let change = moved(&first, standing, APPROVED);
        assert_eq!(commit(&database, change).await, Ok(0));
        assert_eq!(begin(&database, &second).await, Ok(0));
    }
}

async fn a_number_or_a_key_is_used_once_of_a_payment(place: Place) {
    let database = place.open().await;
    let paid = ended(&database, APPROVED).await;
    let first = follow_up(&paid, 1);
    begin(&database, &first).await.unwrap();
    go(&database, &first, APPROVED).await;
    let stale = follow_up(&paid, 1);
    assert_eq!(begin(&database, &stale).await, CONFLICT, "it saw no first");
    let again = FollowUp {
        key: first.key.clone(),
        ..follow_up(&paid, 2)
    };
    assert_eq!(begin(&database, &again).await, CONFLICT);
    let other = FollowUp {
        key: first.key.clone(),
        ..follow_up(&ended(&database, APPROVED).await, 1)
    };
    assert_eq!(begin(&database, &other).await, Ok(0));
}

async fn only_a_charged_payment_has_one_and_it_begins_as_an_intent(place: Place) {
    let database = place.open().await;
    for state in [
        AttemptState::Sent,
        AttemptState::Final(Outcome::Declined),
        UNKNOWN,
    ] {
        let paid = ended(&database, state).await;
        assert_eq!(begin(&database, &follow_up(&paid, 1)).await, CONFLICT);
    }
    let paid = ended(&database, AttemptState::Final(Outcome::Review)).await;
    let sent = FollowUp {
        state: AttemptState::Sent,
        ..follow_up(&paid, 1)
    };
    assert_eq!(begin(&database, &sent).await, CONFLICT);
    let foreign = FollowUp {
        amount: Money {
            currency: "EUR".parse().unwrap(),
            ..sent.amount
        },
        ..follow_up(&paid, 1)
    };
    assert_eq!(begin(&database, &foreign).await, CONFLICT);
    let nothing = FollowUp {
        amount: Money {
            minor: 0,
            ..sent.amount
        },
        ..follow_up(&paid, 1)
    };
    let nothing = begin(&database, &nothing).await;
    assert!(matches!(nothing, Err(StoreError::Corrupt { .. })));
    assert_eq!(begin(&database, &follow_up(&paid, 1)).await, Ok(0));
}

async fn a_follow_up_moves_from_one_state_only(place: Place) {
    let database = place.open().await;
    let paid = ended(&database, APPROVED).await;
    let row = follow_up(&paid, 1);
    begin(&database, &row).await.unwrap();
    let ends = (0..20).map(|_| {
        let change = moved(&row, AttemptState::Intent, APPROVED);
        commit(&database, change)
    });
    let answers = futures_util::future::join_all(ends).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let late = moved(&row, AttemptState::Sent, UNKNOWN);
    assert_eq!(commit(&database, late).await, CONFLICT);
    let nobody = FollowUp {
        id: FollowUpId::from_random(next()),
        ..row
    };
    let nobody = moved(&nobody, AttemptState::Intent, APPROVED);
    assert_eq!(commit(&database, nobody).await, CONFLICT);
}

async fn the_ledger_says_what_became_of_each_amount(place: Place) {
    let database = place.open().await;
    let (voided, refunded) = (
        ended(&database, APPROVED).await,
        ended(&database, APPROVED).await,
    );
    let void = FollowUp {
        kind: FollowUpKind::Void,
        ..follow_up(&voided, 1)
    };
    begin(&database, &void).await.unwrap();
    go(&database, &void, APPROVED).await;
    let declined = AttemptState::Final(Outcome::Declined);
    for (number, to) in [(1, APPROVED), (2, declined), (3, UNKNOWN)] {
        let row = follow_up(&refunded, number);
        begin(&database, &row).await.unwrap();
        go(&database, &row, to).await;
    }
    let rows = database
        .payments(&LedgerFilter::default(), None, 9)
        .await
        .unwrap();
    let of = |attempt: &AttemptId| {
        let row = rows.iter().find(|row| row.payment.attempt == *attempt);
        row.unwrap().aftermath
    };
    let expected = Aftermath {
        voided: true,
        ..Aftermath::default()
    };
    assert_eq!(of(&voided.attempt), expected);
    let expected = Aftermath {
        refunded_minor: 5_000,
        ..Aftermath::default()
    };
    assert_eq!(of(&refunded.attempt), expected);
    for attempt in [&voided.attempt, &refunded.attempt] {
        let follow_ups = database.follow_ups(attempt).await.unwrap();
        assert_eq!(of(attempt), Aftermath::of(&follow_ups));
    }
    let open = follow_up(&ended(&database, APPROVED).await, 1);
    begin(&database, &open).await.unwrap();
    assert_eq!(database.unfinished_follow_ups().await, Ok(vec![open]));
}

on_both!(
    a_follow_up_comes_back_in_every_state,
    of_many_at_once_exactly_one_begins,
    while_one_is_open_or_unknown_no_other_begins,
    a_number_or_a_key_is_used_once_of_a_payment,
    only_a_charged_payment_has_one_and_it_begins_as_an_intent,
    a_follow_up_moves_from_one_state_only,
    the_ledger_says_what_became_of_each_amount,
    a_row_says_how_its_plan_stands_by_its_last_schedule,
);
