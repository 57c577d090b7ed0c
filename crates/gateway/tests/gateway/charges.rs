//! Charges to send.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::boundary::{Answer, Charge, NotSent, PaymentGateway};
use domain::capture::{Field, WidgetKind};
use domain::gateway::{GatewayConfig, Once};
use domain::id::AttemptId;
use domain::money::{Currency, Money};
use domain::payment::{Outcome, PaymentForm};
use domain::time::UnixMillis;
use gateway::{GatewayPolicy, HttpsGateway};
use secret::{Arena, Digit, SecretText};

use crate::server::{Server, authority};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A card number made for this run: a Visa-looking prefix, random digits, the check digit.
pub(crate) fn card_number() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mixed =
        u64::from(since.subsec_nanos()) * 7_919 + COUNT.fetch_add(1, Ordering::Relaxed) * 104_729;
    let body = format!("41{:013}", mixed * 1_000_003 % 10_000_000_000_000);
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let value = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

pub(crate) fn config(service_url: &str) -> GatewayConfig {
    serde_json::from_value(serde_json::json!({
        "service_url": service_url,
        "success_key": "status",
        "success_value": "APPROVED",
        "agent_message_key": "text",
        "connection_timeout_ms": 3_000,
        "read_timeout_ms": 3_000,
    }))
    .unwrap()
}

pub(crate) fn card_charge(gateway: GatewayConfig, number: &str) -> Charge {
    charge(
        gateway,
        WidgetKind::CreditCardAdvanced,
        &[
            (Field::CardNumber, number),
            (Field::Expiry, "0330"),
            (Field::SecurityCode, "737"),
        ],
    )
}

pub(crate) fn charge(gateway: GatewayConfig, kind: WidgetKind, keyed: &[(Field, &str)]) -> Charge {
    let mut slot = Arena::new(1).unwrap().allocate().unwrap();
    for (field, digits) in keyed {
        for byte in digits.bytes() {
            let digit = Digit::from_value(byte - b'0').unwrap();
            slot.push(field.slot_index(), digit).unwrap();
        }
    }
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Charge {
        attempt: AttemptId::from_random(u128::from(count)),
        reference: format!("7F2K-{count:04}"),
        kind,
        gateway,
        password: None,
        secrets: Vec::new(),
        once: Once::from_random(UnixMillis(1_795_456_800_000), [7; 64]),
        form: PaymentForm {
            amount: Money::parse("120.50", Currency::USD).unwrap(),
            fee_minor: 0,
            values: Default::default(),
        },
        slot,
        check: Default::default(),
        facts: vec![
            ("call.id", "c1".into()),
            ("call.called", "4000".into()),
            ("agent.name", "Kim".into()),
        ],
        show_message: true,
    }
}

/// With what an agent typed.
pub(crate) fn typed(mut charge: Charge, values: &[(&str, &str)]) -> Charge {
    let values = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    charge.form.values = values.collect();
    charge
}

pub(crate) fn with_password(mut charge: Charge, user: &str, password: &str) -> Charge {
    charge.gateway.auth_method = domain::gateway::AuthMethod::Basic;
    charge.gateway.auth_user_name = user.into();
    charge.password = Some(SecretText::new(password.into()));
    charge
}

pub(crate) fn client(hosts: &[String]) -> HttpsGateway {
    HttpsGateway::new(GatewayPolicy {
        allowed_hosts: hosts.to_vec(),
        extra_roots: vec![authority()],
        ..GatewayPolicy::default()
    })
    .unwrap()
}

/// Connects and sends.
pub(crate) async fn post(server: &Server, charge: Charge) -> Result<Answer, NotSent> {
    let client = client(&[server.host()]);
    client.connect(charge).await?.send().await
}

/// Posts a card charge with the default configuration.
pub(crate) async fn answer(server: &Server) -> Answer {
    let charge = card_charge(config(&server.url()), &card_number());
    post(server, charge)
        .await
        .unwrap_or_else(|not_sent| panic!("{}", not_sent.detail))
}

pub(crate) async fn outcome(server: &Server) -> Outcome {
    answer(server).await.verdict.outcome
}

/// The refusal; a charge that was sent is a failure of the test.
pub(crate) async fn refusal(server: &Server, charge: Charge) -> NotSent {
    match post(server, charge).await {
        Ok(answer) => panic!("sent: {answer:?}"),
        Err(not_sent) => not_sent,
    }
}
