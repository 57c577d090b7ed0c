//! Payments.

use domain::boundary::{Change, Payments, StoreError};
use domain::capture::Brand;
use domain::gateway::NotSentReason;
use domain::id::{AttemptId, UserId};
use domain::money::{Currency, Money};
use domain::payment::resolution::{Proposal, ResolvedOutcome};
use domain::payment::{
    ArrangedBy, Arrangement, AttemptState, Interval, LedgerFilter, LedgerPlace, Outcome, Payment,
    PaymentOutput, Standing,
};
use domain::time::UnixMillis;

use store::Database;

use crate::place::{NOW, Place, commit, next, payment, saved_desktop, user};

fn agent() -> UserId {
    UserId::from_random(next())
}

fn outputs() -> Vec<PaymentOutput> {
    vec![PaymentOutput {
        name: "transaction_id".to_owned(),
        value: "6750\"124\0".to_owned(),
    }]
}

pub(crate) fn plan() -> Arrangement {
    Arrangement {
        by: ArrangedBy::Schedule,
        total: Money::parse("500.00", Currency::USD).unwrap(),
        down_minor: 12_050,
        first: "2026-12-31".parse().unwrap(),
        interval: Some(Interval::Monthly),
        count: 3,
        each_minor: 12_650,
        last_minor: 12_650,
        end: "2027-02-28".parse().unwrap(),
    }
}

fn moved(attempt: &AttemptId, from: AttemptState, to: AttemptState) -> Change {
    Change::MovePayment {
        attempt: attempt.clone(),
        from,
        to,
        message: "Thank\0you".to_owned(),
        outputs: outputs(),
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
        row.arrangement = Some(plan());
        assert_eq!(
            commit(&database, Change::InsertPayment(row.clone())).await,
            Ok(0)
        );
        assert_eq!(database.payment(&row.attempt).await, Ok(Some(row.clone())));
        let change = moved(&row.attempt, AttemptState::Intent, to);
        assert_eq!(commit(&database, change).await, Ok(0));
        row.state = to;
        row.message = "Thank you".to_owned();
        row.outputs = outputs();
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
    assert_eq!(database.count(&LedgerFilter::default(), 10).await, Ok(1));
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

    let at = |numbers: &[usize]| -> Vec<AttemptId> {
        numbers
            .iter()
            .map(|number| rows[*number].attempt.clone())
            .collect()
    };
    let all = LedgerFilter::default();
    assert_eq!(found(&database, &all, None, 3).await, at(&[3, 2, 1]));
    let of_ann = LedgerFilter {
        agent: Some(ann.clone()),
        ..all.clone()
    };
    assert_eq!(found(&database, &of_ann, None, 9).await, at(&[3, 2, 0]));
    let unfinished = database.unfinished().await.unwrap();
    let unfinished: Vec<AttemptId> = unfinished.into_iter().map(|row| row.attempt).collect();
    assert_eq!(unfinished, at(&[0, 1, 3]));
}

async fn found(
    database: &Database,
    filter: &LedgerFilter,
    after: Option<&LedgerPlace>,
    limit: u32,
) -> Vec<AttemptId> {
    let rows = database.payments(filter, after, limit).await.unwrap();
    rows.into_iter().map(|row| row.payment.attempt).collect()
}

async fn pages_follow_one_another_without_gap_or_double_when_times_are_equal(place: Place) {
    let database = place.open().await;
    let who = agent();
    for _ in 0..7 {
        let change = Change::InsertPayment(payment(&who));
        commit(&database, change).await.unwrap();
    }
    let all = LedgerFilter::default();
    let whole = found(&database, &all, None, 100).await;
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = database.payments(&all, after.as_ref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(LedgerPlace::from(&last.payment));
        paged.extend(page.into_iter().map(|row| row.payment.attempt));
    }
    assert_eq!((paged.len(), paged), (7, whole));
}

/// A payment of ann's and, ten milliseconds later, one of bob's from a desktop, whose outcome is unknown.
async fn old_and_new(database: &Database) -> (Payment, Payment) {
    let desktop = saved_desktop(database, "Sales").await;
    let (ann, bob) = (user("ann"), user("bob"));
    for person in [&ann, &bob] {
        let change = Change::SaveUser(person.clone());
        commit(database, change).await.unwrap();
    }
    let mut old = payment(&ann.id);
    old.created_at = NOW;
    let mut new = payment(&bob.id);
    new.created_at = NOW.plus_ms(10);
    new.reference = "ABCD-EFGH".to_owned();
    new.desktop = Some(desktop.id);
    for row in [&old, &new] {
        let change = Change::InsertPayment(row.clone());
        commit(database, change).await.unwrap();
    }
    let unknown = AttemptState::Final(Outcome::Unknown);
    let change = moved(&new.attempt, AttemptState::Intent, unknown);
    commit(database, change).await.unwrap();
    (old, new)
}

fn named(text: &str) -> LedgerFilter {
    LedgerFilter {
        search: Some(text.parse().unwrap()),
        ..LedgerFilter::default()
    }
}

async fn the_ledger_is_narrowed_by_each_condition_alone_and_together(place: Place) {
    let database = place.open().await;
    let (old, new) = old_and_new(&database).await;
    let narrowed = |adjust: fn(&mut LedgerFilter, &Payment), by: &Payment| {
        let mut filter = LedgerFilter::default();
        adjust(&mut filter, by);
        filter
    };
    let only_new = [
        narrowed(|filter, new| filter.agent = Some(new.agent.clone()), &new),
        narrowed(|filter, new| filter.desktop = new.desktop.clone(), &new),
        narrowed(|filter, _| filter.from = Some(NOW.plus_ms(1)), &new),
        narrowed(|filter, _| filter.standing = Some(Standing::Unknown), &new),
        named("abc"),
        named("abcdefgh"),
        named(new.call.as_str()),
        LedgerFilter {
            agent: Some(new.agent.clone()),
            desktop: new.desktop.clone(),
            from: Some(NOW.plus_ms(10)),
            until: Some(NOW.plus_ms(11)),
            standing: Some(Standing::Unknown),
            ..named("ABCD-E")
        },
    ];
    for filter in &only_new {
        let attempts = found(&database, filter, None, 9).await;
        assert_eq!(attempts, std::slice::from_ref(&new.attempt), "{filter:?}");
        assert_eq!(database.count(filter, 9).await, Ok(1));
    }
    for only_old in [
        narrowed(|filter, _| filter.until = Some(NOW.plus_ms(10)), &old),
        narrowed(|filter, _| filter.standing = Some(Standing::Open), &old),
    ] {
        let attempts = found(&database, &only_old, None, 9).await;
        assert_eq!(attempts, std::slice::from_ref(&old.attempt), "{only_old:?}");
    }
    assert_eq!(found(&database, &named("ABD"), None, 9).await, []);
}

async fn whoever_has_payments_can_be_chosen_from(place: Place) {
    let database = place.open().await;
    let (_, new) = old_and_new(&database).await;
    saved_desktop(&database, "Idle").await;
    let takers = database.takers().await.unwrap();
    let desktop = new.desktop.unwrap();
    assert_eq!(takers.desktops, [(desktop, "Sales".to_owned())]);
    let names: Vec<_> = takers.agents.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["ann", "bob"]);
}

fn said(attempt: &AttemptId, by: &UserId) -> Proposal {
    Proposal {
        attempt: attempt.clone(),
        outcome: ResolvedOutcome::Approved,
        reason: "listed".to_owned(),
        by: by.clone(),
        by_name: "sam".to_owned(),
        at: NOW,
    }
}

async fn what_is_said_of_an_unknown_outcome_stands_once_until_it_is_judged(place: Place) {
    let database = place.open().await;
    let row = payment(&agent());
    let proposal = said(&row.attempt, &agent());
    let propose = || commit(&database, Change::ProposeResolution(proposal.clone()));
    let conflict = Err(StoreError::Conflict);
    assert_eq!(propose().await, conflict, "there is no such payment");
    commit(&database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    assert_eq!(propose().await, conflict, "it is no unknown outcome");
    let unknown = AttemptState::Final(Outcome::Unknown);
    let change = moved(&row.attempt, AttemptState::Intent, unknown);
    commit(&database, change).await.unwrap();
    assert_eq!(propose().await, Ok(0));
    assert_eq!(propose().await, conflict, "one stands");
    let kept = database.proposal(&row.attempt).await.unwrap();
    assert_eq!(kept.as_ref(), Some(&proposal));
    let listed = database
        .payments(&LedgerFilter::default(), None, 9)
        .await
        .unwrap();
    assert_eq!(listed[0].proposal.as_ref(), Some(&proposal));

    let confirm = |proposal: Proposal| Change::ConfirmResolution {
        proposal,
        at: NOW.plus_ms(9),
    };
    let another = said(&row.attempt, &agent());
    assert_eq!(commit(&database, confirm(another.clone())).await, conflict);
    let rejected = commit(&database, Change::RejectResolution(another)).await;
    assert_eq!(rejected, conflict, "another one stands");
    assert_eq!(
        commit(&database, Change::RejectResolution(proposal.clone())).await,
        Ok(0)
    );
    assert_eq!(database.proposal(&row.attempt).await, Ok(None));
    assert_eq!(propose().await, Ok(0));
    assert_eq!(commit(&database, confirm(proposal.clone())).await, Ok(0));
    let known = database.payment(&row.attempt).await.unwrap().unwrap();
    assert_eq!(known.state, AttemptState::Final(Outcome::Approved));
    assert_eq!(
        (known.message.as_str(), known.changed_at),
        ("Thank you", NOW.plus_ms(9))
    );
    assert_eq!(commit(&database, confirm(proposal)).await, conflict);
    assert_eq!(database.proposal(&row.attempt).await, Ok(None));
}

async fn what_was_said_falls_away_when_the_gateway_says_how_it_ended(place: Place) {
    let database = place.open().await;
    let row = payment(&agent());
    commit(&database, Change::InsertPayment(row.clone()))
        .await
        .unwrap();
    let unknown = AttemptState::Final(Outcome::Unknown);
    let change = moved(&row.attempt, AttemptState::Intent, unknown);
    commit(&database, change).await.unwrap();
    let proposal = said(&row.attempt, &agent());
    let proposed = commit(&database, Change::ProposeResolution(proposal.clone())).await;
    assert_eq!(proposed, Ok(0));
    let declined = AttemptState::Final(Outcome::Declined);
    let settle = || commit(&database, moved(&row.attempt, unknown, declined));
    assert_eq!(settle().await, Ok(0));
    assert_eq!(database.proposal(&row.attempt).await, Ok(None));
    assert_eq!(settle().await, Err(StoreError::Conflict), "it is known");
    let confirm = Change::ConfirmResolution {
        proposal,
        at: NOW.plus_ms(9),
    };
    let confirmed = commit(&database, confirm).await;
    assert_eq!(confirmed, Err(StoreError::Conflict));
    let known = database.payment(&row.attempt).await.unwrap().unwrap();
    assert_eq!(known.state, declined);
}

async fn the_ledger_has_no_room_for_more_than_four_digits(place: Place) {
    let database = place.open().await;
    let mut row = payment(&agent());
    row.last_four = Some("00005".to_owned());
    let error = commit(&database, Change::InsertPayment(row))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(database.count(&LedgerFilter::default(), 9).await, Ok(0));
}

on_both!(
    an_attempt_comes_back_in_every_state,
    an_attempt_is_inserted_once_however_often_it_is_tried,
    of_many_moves_from_one_state_exactly_one_wins,
    a_move_from_another_reason_or_of_no_attempt_is_a_conflict,
    payments_are_listed_newest_first_and_by_agent,
    pages_follow_one_another_without_gap_or_double_when_times_are_equal,
    the_ledger_is_narrowed_by_each_condition_alone_and_together,
    whoever_has_payments_can_be_chosen_from,
    what_is_said_of_an_unknown_outcome_stands_once_until_it_is_judged,
    what_was_said_falls_away_when_the_gateway_says_how_it_ended,
    the_ledger_has_no_room_for_more_than_four_digits,
);
