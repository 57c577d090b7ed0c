//! Batches, savepoints, the queue.

use std::time::{Duration, Instant};

use domain::audit::TrailFilter;
use domain::boundary::{AuditTrail, Change, Payments, Store, StoreError, Users};
use domain::id::UserId;
use domain::payment::LedgerFilter;
use futures_util::FutureExt as _;
use sqlx::Connection;

use crate::place::{Place, audited, commit, next, payment, user};

async fn a_hundred_commits_at_once_take_few_transactions(place: Place) {
    let database = place.open().await;
    let before = database.activity();
    let agent = UserId::from_random(next());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (database, row) = (database.clone(), payment(&agent));
            tokio::spawn(async move { commit(&database, Change::InsertPayment(row)).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(0));
    }
    let after = database.activity();
    assert_eq!(after.changes - before.changes, 100);
    let transactions = after.transactions - before.transactions;
    assert!(transactions <= 50, "{transactions} transactions");
    let all = LedgerFilter::default();
    assert_eq!(database.count(&all, 1_000).await, Ok(100));
    assert_eq!(database.verify().await, Ok(None));
}

async fn changes_that_wait_for_one_another_share_a_transaction(place: Place) {
    let database = place.open().await;
    let hold = place.hold_writes().await;
    let agent = UserId::from_random(next());
    let before = database.activity().transactions;
    let commits = (0..100).map(|_| commit(&database, Change::InsertPayment(payment(&agent))));
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        hold.close().await.unwrap();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(commits), release);
    assert!(answers.iter().all(|answer| *answer == Ok(0)));
    let transactions = database.activity().transactions - before;
    assert!(transactions <= 2, "{transactions} transactions");
}

async fn one_failing_change_of_a_batch_leaves_the_others(place: Place) {
    let database = place.open().await;
    let hold = place.hold_writes().await;
    let names = ["ann", "bob", "ann", "eve", "bob", "dan"];
    let commits = names.map(|name| {
        let mut user = user(name);
        user.phone = None;
        commit(&database, Change::SaveUser(user))
    });
    let (answers, ()) = tokio::join!(futures_util::future::join_all(commits), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        hold.close().await.unwrap();
    });
    let taken = Err(StoreError::Taken("name"));
    assert_eq!(answers, [Ok(1), Ok(1), taken.clone(), Ok(1), taken, Ok(1)]);
    assert_eq!(database.users().await.unwrap().len(), 4);
    assert_eq!(
        database
            .entries(&TrailFilter::default(), 0, 99)
            .await
            .unwrap()
            .len(),
        4
    );
    assert_eq!(database.verify().await, Ok(None));
}

#[tokio::test]
async fn what_is_committed_moves_from_the_log_into_the_file_while_it_is_open() {
    let place = Place::sqlite();
    let database = place.open().await;
    let file = place.url.strip_prefix("sqlite:").unwrap().to_owned();
    let name = b"written-and-moved";
    let written = || {
        let bytes = std::fs::read(&file).unwrap();
        bytes.windows(name.len()).any(|window| window == name)
    };
    let saved = Change::SaveUser(user("written-and-moved"));
    assert_eq!(commit(&database, saved).await, Ok(1));
    let began = Instant::now();
    while !written() {
        assert!(began.elapsed() < Duration::from_secs(30), "no checkpoint");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_log_is_written_over_and_does_not_grow() {
    let place = Place::sqlite();
    let database = place.open().await;
    let text = "x".repeat(64 * 1_024);
    // 64 MiB in all.
    for _ in 0..1_024 {
        let mut large = audited(Change::None);
        large.entry = large.entry.with("text", text.as_str());
        database.commit(large).await.unwrap();
    }
    let log = format!("{}-wal", place.url.strip_prefix("sqlite:").unwrap());
    let bytes = std::fs::metadata(log).unwrap().len();
    assert!((1..24 << 20).contains(&bytes), "the log has {bytes} bytes");
}

async fn a_full_queue_refuses_at_once_and_recovers(place: Place) {
    let database = place.open().await;
    let hold = place.hold_writes().await;
    let mut waiting = Vec::new();
    let refused = loop {
        let mut commit = database.commit(audited(Change::None));
        // One that is refused does not wait at all.
        match commit.as_mut().now_or_never() {
            Some(answer) => break answer,
            None => waiting.push(commit),
        }
    };
    assert_eq!(refused, Err(StoreError::Busy));
    assert!(waiting.len() >= 1_024, "{}", waiting.len());
    hold.close().await.unwrap();
    for waited in waiting {
        assert!(waited.await.is_ok());
    }
    assert!(commit(&database, Change::None).await.is_ok());
    assert_eq!(database.verify().await, Ok(None));
}

async fn closing_commits_what_waits_and_refuses_what_follows(place: Place) {
    let database = place.open().await;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.commit(audited(Change::None)).await })
        })
        .collect();
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    database.close().await.unwrap();
    let late = commit(&database, Change::None).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    assert!(database.users().await.is_err());
    let again = place.open().await;
    assert_eq!(
        again
            .entries(&TrailFilter::default(), 0, 99)
            .await
            .unwrap()
            .len(),
        20
    );
}

async fn a_node_needs_a_name_and_a_database_an_address(place: Place) {
    for node in ["", "a/b", "Node", "a b", &"n".repeat(41)] {
        assert!(
            store::Database::open(place.config(node)).await.is_err(),
            "{node}"
        );
    }
    for url in [
        "",
        "mysql://x/y",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:/no/such/folder/x.db",
    ] {
        let mut config = place.config("one");
        config.url = url.to_owned();
        assert!(store::Database::open(config).await.is_err(), "{url}");
    }
    let shown = format!("{:?}", place.config("one"));
    assert!(!shown.contains(&place.url), "{shown}");
}

on_both!(
    a_hundred_commits_at_once_take_few_transactions,
    changes_that_wait_for_one_another_share_a_transaction,
    one_failing_change_of_a_batch_leaves_the_others,
    a_full_queue_refuses_at_once_and_recovers,
    closing_commits_what_waits_and_refuses_what_follows,
    a_node_needs_a_name_and_a_database_an_address,
);
