//! Every behaviour of the sandbox gateway, met by the real client (SECURITY-AND-FAULTS 3.5): what it comes to, and what the sandbox's ledger says.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::boundary::{NotSent, PaymentGateway, ReadyCharge};
use domain::payment::Outcome;
use gateway::HttpsGateway;
use simulator::sandbox::{Behaviour, MustBe, RowStatus, Sandbox};

use crate::charges::{card_charge, card_number, config};
use crate::sandbox::{client, sandbox};

/// Sandboxes that are met at a time: most of the time is waited for answers that never come.
const AT_A_TIME: usize = 6;

/// As long as a charge waits between its connection and its first byte: what comes too early has come by then.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest text that an agent is shown.
const MESSAGE_CHARS_MAX: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_behaviour_of_the_sandbox_comes_to_what_it_must_and_nothing_is_sent_twice() {
    assert!(Behaviour::ALL.len() >= 60, "{}", Behaviour::ALL.len());
    let mut meetings = tokio::task::JoinSet::new();
    for first in 0..AT_A_TIME {
        meetings.spawn(async move {
            let folder = tempfile::tempdir().unwrap();
            let sandbox = sandbox(folder.path(), None).await;
            let client = client(&sandbox);
            for behaviour in Behaviour::ALL.iter().skip(first).step_by(AT_A_TIME) {
                meet(*behaviour, &sandbox, &client).await;
            }
        });
    }
    while let Some(met) = meetings.join_next().await {
        met.unwrap();
    }
    println!("{} behaviours", Behaviour::ALL.len());
}

async fn meet(behaviour: Behaviour, sandbox: &Sandbox, client: &HttpsGateway) {
    let number = card_number();
    let mut charge = card_charge(config(&sandbox.service_url()), &number);
    charge.gateway.connection_timeout_ms = 1_000;
    charge.gateway.read_timeout_ms = 2_000;
    let reference = charge.reference.clone();
    sandbox.script(behaviour).unwrap();
    let ended = match client.connect(charge).await {
        Ok(ready) => send(ready).await,
        Err(not_sent) => Err(not_sent),
    };
    let (outcome, message) = match ended {
        Ok(answer) => {
            let alarm = answer.verdict.outcome == Outcome::Error;
            assert_eq!(answer.verdict.alarm, alarm, "{behaviour:?}");
            (must_be(answer.verdict.outcome), answer.message)
        }
        Err(not_sent) => (MustBe::NotSent, not_sent.detail),
    };
    assert_eq!(outcome, behaviour.must_be(), "{behaviour:?}: {message}");
    assert_shows_nothing(behaviour, &message, &number);
    let rows = sandbox.ledger().unwrap();
    let of = |status| {
        let ours = rows.iter().filter(|row| row.reference == reference);
        ours.filter(|row| row.status == status).count()
    };
    let declined = outcome == MustBe::Declined;
    assert_eq!(
        (of(RowStatus::Charged), of(RowStatus::Declined)),
        (usize::from(behaviour.charges()), usize::from(declined)),
        "{behaviour:?}"
    );
}

async fn send(ready: Box<dyn ReadyCharge>) -> Result<domain::boundary::Answer, NotSent> {
    tokio::time::sleep(PAUSE).await;
    ready.send().await
}

fn must_be(outcome: Outcome) -> MustBe {
    match outcome {
        Outcome::Approved => MustBe::Approved,
        Outcome::Declined => MustBe::Declined,
        Outcome::Error => MustBe::Error,
        Outcome::Unknown => MustBe::Unknown,
        Outcome::Review => panic!("the sandbox holds nothing for review"),
    }
}

/// One line of plain text without a run of the number.
fn assert_shows_nothing(behaviour: Behaviour, message: &str, number: &str) {
    let digits: String = message.chars().filter(char::is_ascii_digit).collect();
    for run in number.as_bytes().windows(7) {
        let run = std::str::from_utf8(run).unwrap();
        assert!(!digits.contains(run), "{behaviour:?} shows the number");
    }
    if behaviour.must_be() == MustBe::NotSent {
        // For the log, where its length and its words are ours.
        return;
    }
    let is_plain = |c: char| {
        !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(message.chars().all(is_plain), "{behaviour:?}: {message:?}");
    assert!(
        message.chars().count() <= MESSAGE_CHARS_MAX,
        "{behaviour:?}"
    );
}

#[test]
fn no_two_behaviours_share_a_name_and_each_outcome_has_some() {
    let names: BTreeSet<String> = Behaviour::ALL
        .iter()
        .map(|behaviour| serde_json::to_string(behaviour).unwrap())
        .collect();
    assert_eq!(names.len(), Behaviour::ALL.len());
    for must in [
        MustBe::NotSent,
        MustBe::Approved,
        MustBe::Declined,
        MustBe::Error,
        MustBe::Unknown,
    ] {
        let of = Behaviour::ALL.iter().filter(|one| one.must_be() == must);
        assert!(of.count() >= 8, "{must:?}");
    }
}
