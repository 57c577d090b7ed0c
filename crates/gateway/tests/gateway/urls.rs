//! URLs with values in their path and query, as they arrive at a server.

use domain::boundary::{Charge, PaymentGateway};
use domain::capture::WidgetKind;
use domain::gateway::trial::{GatewayTrials, TestInstrument};
use domain::gateway::{Mapping, NotSentReason};
use domain::money::Currency;

use crate::charges::{card_charge, card_number, client, config, post, refusal};
use crate::server::{Server, reply};
use crate::trials::trial_of;

async fn server() -> Server {
    Server::start(reply(200, "", b"{\"status\":\"APPROVED\"}")).await
}

/// A charge whose Service URL ends so.
fn charge_to(server: &Server, end: &str) -> Charge {
    let url = format!("https://{}{end}", server.host());
    let mut charge = card_charge(config(&url), &card_number());
    charge.gateway.more.constants = vec![
        constant("merchant", "m/1 \u{fc}?#&"),
        constant("dots", ".."),
        constant("dot", "."),
    ];
    charge.reference = "7F2K-91QD".to_owned();
    charge
}

fn constant(name: &str, value: &str) -> Mapping {
    Mapping {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

#[tokio::test]
async fn values_are_encoded_for_their_place_and_the_host_stays() {
    for (end, line) in [
        ("/v1/pay", "POST /v1/pay HTTP/1.1"),
        (
            "/a/{cfg.merchant}/pay",
            "POST /a/m%2F1%20%C3%BC%3F%23%26/pay HTTP/1.1",
        ),
        (
            "/pay?m={cfg.merchant}&r={payment.reference|lower}",
            "POST /pay?m=m%2F1%20%C3%BC%3F%23%26&r=7f2k-91qd HTTP/1.1",
        ),
        (
            "?a={payment.amount|minor}&c={payment.currency_num}&none={form.city}",
            "POST /?a=12050&c=840&none= HTTP/1.1",
        ),
        ("/v{cfg.dots}2/x", "POST /v..2/x HTTP/1.1"),
        // Dots that were written there lead where they did before.
        ("/x/../y", "POST /y HTTP/1.1"),
        ("/x?z=/../{cfg.dots}", "POST /x?z=/../.. HTTP/1.1"),
    ] {
        let server = server().await;
        let charge = charge_to(&server, end);
        if let Err(refused) = post(&server, charge).await {
            panic!("{end}: {}", refused.detail);
        }
        let (head, _) = server.request();
        assert_eq!(head.lines().next(), Some(line), "{end}");
        let host = format!("Host: {}", server.host());
        assert!(head.lines().any(|there| there == host), "{head}");
    }
}

#[tokio::test]
async fn a_value_neither_climbs_nor_vanishes_nor_is_anybodys_secret() {
    let server = server().await;
    for end in [
        "/a/{cfg.dots}/pay",
        "/a/{cfg.dot}{cfg.dot}/pay",
        "/a/%2E{cfg.dot}/pay",
        "/a/{cfg.dot}/pay",
        "/a/{form.city}/pay",
        "/a/{card.last4}",
        "/a?n={card.number}",
        "/a?s={secret.key}",
        "/a?s={let.hash}",
        "/a?s={request.path}",
        "/a?s={cfg.none}",
    ] {
        let mut charge = charge_to(&server, end);
        charge.secrets = vec![("key".to_owned(), secret::SecretText::new("k".to_owned()))];
        charge.gateway.more.variables = vec![constant("hash", "{secret.key|sha256|hex}")];
        let refused = refusal(&server, charge).await;
        assert_eq!(refused.reason, NotSentReason::Render, "{end}");
    }
    let mut unlisted = charge_to(&server, "/a?c={payment.currency_num}");
    unlisted.form.amount.currency = "ZZZ".parse::<Currency>().unwrap();
    let refused = refusal(&server, unlisted).await;
    assert!(refused.detail.contains("ISO 4217"), "{}", refused.detail);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn s4_a_host_is_approved_whatever_its_path_holds() {
    let server = server().await;
    let config = charge_to(&server, "/{cfg.merchant}").gateway;
    let authority = config.authority().unwrap();
    assert_eq!(authority, server.host());
    assert!(client(&[server.host()]).host_approved(&config));
    assert!(!client(&[]).host_approved(&config));
}

#[tokio::test]
async fn a_preview_shows_the_url_that_is_sent() {
    let server = server().await;
    let config = charge_to(&server, "/{cfg.merchant}?a={payment.amount}").gateway;
    let trial = trial_of(config, WidgetKind::CreditCardAdvanced, TestInstrument::Visa);
    let shown = client(&[]).preview(trial).unwrap();
    let expected = format!("https://{}/m%2F1%20%C3%BC%3F%23%26?a=1.00", server.host());
    assert_eq!(shown.url, expected);
}
