//! Payments.

use domain::boundary::{Change, Payments, StoreError};
use domain::capture::Brand;
use domain::gateway::NotSentReason;
use domain::id::{AttemptId, UserId};
use domain::payment::{AttemptState, Outcome, Payment};
use domain::time::UnixMillis;

use crate::place::{NOW, Place, commit, next, payment};

fn agent() -> UserId {
    UserId::from_random(next())
}

fn moved(attempt: &AttemptId, from: AttemptState, to: AttemptState) -> Change {
    Change::MovePayment {
        attempt: attempt.clone(),
        from,
        to,
        message: "Thank\0you".to_owned(),
        at: NOW.plus_ms(5),
    }
}

async fn an_attempt_comes_back_in_every_state(place: Place) {
    let database = place.open().await;
    let all = [
        AttemptState::Sent,
        AttemptState::NotSent(NotSentReason::ConnectTimeout),
        AttemptState::Final(Outcome::Approved),
        AttemptState::Final(Outcome::Declined),
        AttemptState::Final(Outcome::Review),
        AttemptState::Final(Outcome::Error),
        AttemptState::Final(Outcome::Unknown),
    ];
    for to in all {
        let mut row = payment(&agent());
        row.brand = Some(Brand::AmericanExpress);
        row.last_four = Some("0005".to_owned());
        assert_eq!(
            commit(&database, Change::InsertPayment(row.clone())).await,
            Ok(0)
        );
        assert_eq!(database.payment(&row.attempt).await, Ok(Some(row.clone())));
        let change = moved(&row.attempt, AttemptState::Intent, to);
        assert_eq!(commit(&database, change).await, Ok(0));
        row.state = to;
        row.message = "Thank you".to_owned();
        row.changed_at = NOW.plus_ms(5);
        assert_eq!(database.payment(&row.attempt).await, Ok(Some(row)));
    }
}

async fn an_attempt_is_inserted_once_however_often_it_is_tried(place: Place) {
    let database = place.open().await;
    let row = payment(&agent());
    let tries = (0..50).map(|_| commit(&database, Change::InsertPayment(row.clone())));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let taken = Err(StoreError::Taken("attempt"));
    assert_eq!(
        answers.iter().filter(|answer| **answer == taken).count(),
        49
    );
    assert_eq!(database.payments(None, 10).await.unwrap().len(), 1);
    let settled = Payment {
        state: AttemptState::Final(Outcome::Approved),
        ..payment(&agent())
    };
    let settled = commit(&database, Change::InsertPayment(settled)).await;
    assert_eq!(
        settled,
        Err(StoreError::Conflict),
        "a row begins as an intent"
    );
}

async fn of_many_moves_from_one_state_exactly_one_wins(place: Place) {
    let database = place.open().await;
    let row = payment(&agent());
    commit(&database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    let outcomes = [Outcome::Approved, Outcome::Unknown];
    let moves = (0..40).map(|number| {
        let to = AttemptState::Final(outcomes[number % 2]);
        commit(&database, moved(&row.attempt, AttemptState::Intent, to))
    });
    let answers = futures_util::future::join_all(moves).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let lost = answers
        .iter()
        .filter(|answer| **answer == Err(StoreError::Conflict));
    assert_eq!(lost.count(), 39);
}

async fn a_move_from_another_reason_or_of_no_attempt_is_a_conflict(place: Place) {
    let database = place.open().await;
    let row = payment(&agent());
    commit(&database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    let refused = AttemptState::NotSent(NotSentReason::Connect);
    commit(
        &database,
        moved(&row.attempt, AttemptState::Intent, refused),
    )
    .await
    .unwrap();
    let other = AttemptState::NotSent(NotSentReason::Tls);
    let change = moved(&row.attempt, other, AttemptState::Intent);
    assert_eq!(commit(&database, change).await, Err(StoreError::Conflict));
    let nobody = AttemptId::from_random(next());
    let change = moved(&nobody, AttemptState::Intent, AttemptState::Sent);
    assert_eq!(commit(&database, change).await, Err(StoreError::Conflict));
}

async fn payments_are_listed_newest_first_and_by_agent(place: Place) {
    let database = place.open().await;
    let (ann, bob) = (agent(), agent());
    let mut rows = Vec::new();
    for (number, who) in [&ann, &bob, &ann, &ann].into_iter().enumerate() {
        let mut row = payment(who);
        row.created_at = UnixMillis(NOW.0 + i64::try_from(number).unwrap());
        commit(&database, Change::InsertPayment(row.clone()))
            .await
            .unwrap();
        rows.push(row);
    }
    let change = moved(&rows[0].attempt, AttemptState::Intent, AttemptState::Sent);
    commit(&database, change).await.unwrap();
    let done = AttemptState::Final(Outcome::Approved);
    let change = moved(&rows[2].attempt, AttemptState::Intent, done);
    commit(&database, change).await.unwrap();

    let of = |payments: Vec<Payment>| -> Vec<AttemptId> {
        payments.into_iter().map(|row| row.attempt).collect()
    };
    let at = |numbers: &[usize]| -> Vec<AttemptId> {
        numbers
            .iter()
            .map(|number| rows[*number].attempt.clone())
            .collect()
    };
    assert_eq!(
        of(database.payments(None, 3).await.unwrap()),
        at(&[3, 2, 1])
    );
    assert_eq!(
        of(database.payments(Some(&ann), 9).await.unwrap()),
        at(&[3, 2, 0])
    );
    assert_eq!(of(database.unfinished().await.unwrap()), at(&[0, 1, 3]));
}

async fn the_ledger_has_no_room_for_more_than_four_digits(place: Place) {
    let database = place.open().await;
    let mut row = payment(&agent());
    row.last_four = Some("00005".to_owned());
    let error = commit(&database, Change::InsertPayment(row))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(database.payments(None, 9).await, Ok(Vec::new()));
}

on_both!(
    an_attempt_comes_back_in_every_state,
    an_attempt_is_inserted_once_however_often_it_is_tried,
    of_many_moves_from_one_state_exactly_one_wins,
    a_move_from_another_reason_or_of_no_attempt_is_a_conflict,
    payments_are_listed_newest_first_and_by_agent,
    the_ledger_has_no_room_for_more_than_four_digits,
);
