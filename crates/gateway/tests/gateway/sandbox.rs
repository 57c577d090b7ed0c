//! Whole charges against the sandbox gateway.

use std::path::Path;
use std::time::Duration;

use domain::boundary::{Answer, Charge, PaymentGateway};
use domain::capture::{Field, WidgetKind};
use domain::gateway::ContentType;
use domain::money::{Currency, Money};
use domain::payment::Outcome;
use gateway::{GatewayPolicy, HttpsGateway};
use secret::SecretText;
use simulator::sandbox::{Behaviour, RowStatus, Sandbox, SandboxConfig};

use crate::charges::{card_charge, card_number, charge, config, with_password};

pub(crate) async fn sandbox(folder: &Path, credentials: Option<(&str, &str)>) -> Sandbox {
    Sandbox::start(SandboxConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        folder: folder.to_owned(),
        credentials: credentials
            .map(|(user, password)| (user.to_owned(), SecretText::new(password.to_owned()))),
    })
    .await
    .unwrap()
}

pub(crate) fn client(sandbox: &Sandbox) -> HttpsGateway {
    HttpsGateway::new(GatewayPolicy {
        allowed_hosts: vec![sandbox.host()],
        extra_roots: gateway::read_roots(sandbox.ca_file()).unwrap(),
        ..GatewayPolicy::default()
    })
    .unwrap()
}

async fn post(sandbox: &Sandbox, charge: Charge) -> Answer {
    match client(sandbox).connect(charge).await {
        Ok(ready) => ready
            .send()
            .await
            .map_err(|not_sent| not_sent.detail)
            .unwrap(),
        Err(not_sent) => panic!("{}", not_sent.detail),
    }
}

fn of_amount(sandbox: &Sandbox, amount: &str) -> Charge {
    let mut charge = card_charge(config(&sandbox.service_url()), &card_number());
    charge.gateway.read_timeout_ms = 1_000;
    charge.form.amount = Money::parse(amount, Currency::USD).unwrap();
    charge
}

#[tokio::test]
async fn amounts_decide_and_the_ledger_tells_what_was_charged() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), None).await;
    for (amount, expected, message, status) in [
        (
            "10.00",
            Outcome::Approved,
            "Approved",
            Some(RowStatus::Charged),
        ),
        (
            "10.05",
            Outcome::Declined,
            "Declined",
            Some(RowStatus::Declined),
        ),
        (
            "10.54",
            Outcome::Declined,
            "Do not honour",
            Some(RowStatus::Declined),
        ),
        ("10.91", Outcome::Unknown, "", None),
        ("10.92", Outcome::Unknown, "", Some(RowStatus::Charged)),
        ("10.93", Outcome::Unknown, "", None),
        ("10.94", Outcome::Unknown, "", None),
        ("10.95", Outcome::Unknown, "", Some(RowStatus::Charged)),
        ("10.96", Outcome::Error, "", None),
    ] {
        let charge = of_amount(&sandbox, amount);
        let reference = charge.reference.clone();
        let answer = post(&sandbox, charge).await;
        assert_eq!(
            (answer.verdict.outcome, answer.message.as_str()),
            (expected, message),
            "{amount}"
        );
        let rows = sandbox.ledger().unwrap();
        let ours: Vec<RowStatus> = rows
            .iter()
            .filter(|row| row.reference == reference)
            .map(|row| row.status)
            .collect();
        assert_eq!(ours, status.into_iter().collect::<Vec<_>>(), "{amount}");
    }
}

#[tokio::test]
async fn each_request_and_response_type_works_for_cards_and_checks() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), None).await;
    let types = [
        ContentType::Json,
        ContentType::Form,
        ContentType::Xml,
        ContentType::TextXml,
    ];
    for (request_type, response_type) in types
        .into_iter()
        .flat_map(|one| types.map(|other| (one, other)))
    {
        for check in [false, true] {
            let mut charge = match check {
                false => card_charge(config(&sandbox.service_url()), &card_number()),
                true => charge(
                    config(&sandbox.service_url()),
                    WidgetKind::CheckAdvanced,
                    &[
                        (Field::RoutingNumber, "021000021"),
                        (Field::AccountNumber, "00987654"),
                    ],
                ),
            };
            charge.gateway.request_type = request_type;
            charge.gateway.response_type = response_type;
            charge
                .form
                .values
                .insert("lastName".into(), "O'Brien & <Sons>".into());
            let answer = post(&sandbox, charge).await;
            assert_eq!(
                (answer.verdict.outcome, answer.message.as_str()),
                (Outcome::Approved, "Approved"),
                "{request_type:?} {response_type:?}"
            );
        }
    }
    let rows = sandbox.ledger().unwrap();
    assert_eq!(rows.len(), 32);
    assert_eq!(
        (rows[1].kind.as_str(), rows[1].last_four.as_str()),
        ("check", "7654")
    );
}

#[tokio::test]
async fn an_echoed_card_number_is_scrubbed_and_the_ledger_keeps_the_last_four() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), None).await;
    let number = card_number();
    let mut charge = of_amount(&sandbox, "10.00");
    charge.slot = card_charge(charge.gateway.clone(), &number).slot;
    sandbox.script(Behaviour::ApproveWithEcho).unwrap();
    let answer = post(&sandbox, charge).await;
    assert_eq!(
        answer.message,
        format!("Approved card {}", "\u{2022}".repeat(16))
    );
    let file = std::fs::read_to_string(folder.path().join("sandbox-ledger.jsonl")).unwrap();
    assert!(!file.contains(&number[..12]) && file.contains(&number[12..]));
}

#[tokio::test]
async fn a_script_comes_before_the_amount() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), None).await;
    sandbox.script(Behaviour::Decline).unwrap();
    sandbox
        .script(Behaviour::ApproveAfter { delay_ms: 200 })
        .unwrap();
    let began = std::time::Instant::now();
    let mut outcomes = Vec::new();
    for amount in ["10.00", "10.05", "10.05"] {
        outcomes.push(
            post(&sandbox, of_amount(&sandbox, amount))
                .await
                .verdict
                .outcome,
        );
    }
    assert_eq!(
        outcomes,
        [Outcome::Declined, Outcome::Approved, Outcome::Declined]
    );
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_wrong_password_is_an_error_with_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), Some(("merchant", "right"))).await;
    for (password, expected, alarm) in [
        ("right", Outcome::Approved, false),
        ("wrong", Outcome::Error, true),
    ] {
        let answer = post(
            &sandbox,
            with_password(of_amount(&sandbox, "10.00"), "merchant", password),
        )
        .await;
        assert_eq!(
            (answer.verdict.outcome, answer.verdict.alarm),
            (expected, alarm)
        );
    }
    assert_eq!(sandbox.ledger().unwrap().len(), 1);
}

#[tokio::test]
async fn a_missing_parameter_is_refused_and_not_charged() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), None).await;
    let mut charge = of_amount(&sandbox, "10.00");
    charge.gateway.request_params = vec![domain::gateway::Mapping {
        name: "amount".into(),
        value: String::new(),
    }];
    assert_eq!(post(&sandbox, charge).await.verdict.outcome, Outcome::Error);
    assert!(sandbox.ledger().unwrap().is_empty());
}
