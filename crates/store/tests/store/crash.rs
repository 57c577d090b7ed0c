//! Processes that are killed while they write.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::boundary::{AuditTrail, Change, Payments};
use domain::id::{AttemptId, UserId};
use domain::payment::{AttemptState, Payment};
use store::{Database, EnvelopeKeySource, StoreConfig};

use crate::place::{Place, commit, payment};

const URL: &str = "TONEWALL_TEST_STORE_URL";

/// Kills that a test does.
const ROUNDS: usize = 4;
/// Answers after which it does so, at least.
const ANSWERS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that the tests below start and kill"]
async fn commits_until_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let config = StoreConfig {
        url,
        key: EnvelopeKeySource::File("/nonexistent".into()),
        node: "one".to_owned(),
    };
    let database = std::sync::Arc::new(Database::open(config).await.unwrap());
    let base = u128::from(std::process::id()) << 64;
    let tasks: Vec<_> = (0..8)
        .map(|task: u128| {
            let database = database.clone();
            tokio::spawn(async move {
                for number in 0.. {
                    let attempt = AttemptId::from_random(base + (task << 32) + number);
                    let row = Payment {
                        attempt,
                        ..payment(&UserId::from_random(1))
                    };
                    let attempt = row.attempt.clone();
                    commit(&database, Change::InsertPayment(row)).await.unwrap();
                    println!("intent {attempt}");
                    let change = Change::MovePayment {
                        attempt: attempt.clone(),
                        from: AttemptState::Intent,
                        to: AttemptState::Sent,
                        message: String::new(),
                        outputs: Vec::new(),
                        at: crate::place::NOW,
                    };
                    commit(&database, change).await.unwrap();
                    println!("sent {attempt}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// What a killed process had been told is on disk.
fn killed(place: &Place, answers: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::commits_until_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, &place.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    while told.len() < answers {
        let line = lines.next().unwrap().unwrap();
        if line.starts_with("intent ") || line.starts_with("sent ") {
            told.push(line);
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The last line may be cut, but what came before it was said.
    told.extend(lines.map_while(Result::ok).filter(|line| line.len() > 28));
    told
}

async fn what_was_answered_survives_kill_9_and_the_chain_holds(place: Place) {
    let mut told = Vec::new();
    for round in 0..ROUNDS {
        told.extend(killed(&place, ANSWERS + round * 7));
    }
    // A server sees that its client is gone a moment later.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let database = place.open().await;
    assert_eq!(database.verify().await, Ok(None));
    assert!(told.len() >= ROUNDS * ANSWERS);
    for line in &told {
        let Some((word, attempt)) = line.split_once(' ') else {
            continue;
        };
        let Ok(attempt) = attempt.parse::<AttemptId>() else {
            continue;
        };
        let row = database.payment(&attempt).await.unwrap();
        let state = row.map(|row| row.state);
        assert!(state.is_some(), "{line}, and it is not on disk");
        assert!(
            word != "sent" || state == Some(AttemptState::Sent),
            "{line}"
        );
    }
    commit(&database, Change::None).await.unwrap();
    assert_eq!(database.verify().await, Ok(None));
}

async fn a_writer_that_ends_with_its_runtime_leaves_whole_transactions(place: Place) {
    let url = place.url.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let config = StoreConfig {
            url,
            key: EnvelopeKeySource::File("/nonexistent".into()),
            node: "one".to_owned(),
        };
        runtime.block_on(async {
            let database = std::sync::Arc::new(Database::open(config).await.unwrap());
            for _ in 0..200 {
                let database = database.clone();
                tokio::spawn(async move { commit(&database, Change::None).await });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        });
        runtime.shutdown_timeout(Duration::from_millis(1));
    })
    .join()
    .unwrap();
    let database = place.open().await;
    assert_eq!(database.verify().await, Ok(None));
    commit(&database, Change::None).await.unwrap();
    assert_eq!(database.verify().await, Ok(None));
}

on_both!(
    what_was_answered_survives_kill_9_and_the_chain_holds,
    a_writer_that_ends_with_its_runtime_leaves_whole_transactions,
);
