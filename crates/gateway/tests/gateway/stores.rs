//! A card or an account that is kept and not charged, as it is asked of gateways, byte for byte, against TLS servers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use domain::boundary::Charge;
use domain::capture::{Field, WidgetKind};
use domain::gateway::trial::{GatewayTrials, TestInstrument};
use domain::gateway::{GatewayConfig, OperationKind};
use domain::payment::Outcome;
use secret::SecretText;
use serde_json::{Value, json};

use crate::charges::{card_charge, card_number, charge, client, config, post, typed};
use crate::server::{Act, Server, reply};
use crate::trials::trial_of;

fn row(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

/// A gateway whose sale nobody here sends, with this beside it.
fn storing(server: &Server, store: Value, more: Value) -> GatewayConfig {
    let mut config = config(&server.url());
    config.request_params = serde_json::from_value(json!([row("sale", "yes")])).unwrap();
    let mut all = json!({ "secrets": ["key"], "store": store });
    let members = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(members);
    config.more = serde_json::from_value(all).unwrap();
    config
}

/// A charge of nothing, in which the store takes the sale's place.
fn stored(mut charge: Charge) -> Charge {
    charge.gateway = charge.gateway.for_store().unwrap();
    charge.reference = "7F2K-91QD".to_owned();
    charge.form.amount.minor = 0;
    charge.secrets = vec![("key".to_owned(), SecretText::new("k-secret".to_owned()))];
    charge
}

fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn a_card_is_stored_as_json_and_its_answer_is_judged_by_its_own_conditions() {
    let store = json!({
        "url": "/vault/cards", "method": "PUT", "success_key": "state", "success_value": "KEPT",
        "agent_message_key": "note", "verdict": { "declined": ["state = REFUSED"] },
        "request_params": [
            row("card.number", "{card.number}"), row("card.expiry", "{card.expiry|YYYY-MM}"), row("card.cvv", "{card.cvv}"),
            row("order", "{payment.reference}"), row("holder", "{billing.full_name}"), row("amount", "{payment.amount|num}"),
        ],
        "request_headers": [row("X-Key", "{secret.key}")],
        "outputs": [row("token", "card.token")],
    });
    for (answer, outcome) in [
        (
            r#"{"state":"KEPT","status":"DECLINED","note":"kept","card":{"token":"tk_1"}}"#,
            Outcome::Approved,
        ),
        (r#"{"state":"REFUSED","note":"kept"}"#, Outcome::Declined),
        // What the sale's conditions would approve.
        (r#"{"status":"APPROVED","note":"kept"}"#, Outcome::Unknown),
    ] {
        let server = Server::start(reply(200, "", answer.as_bytes())).await;
        let number = card_number();
        let charge = card_charge(storing(&server, store.clone(), json!({})), &number);
        let charge = typed(charge, &[("firstName", "Pat"), ("lastName", "Example")]);
        let answer = post(&server, stored(charge)).await;
        let answer = answer.unwrap_or_else(|refused| panic!("{}", refused.detail));
        assert_eq!(
            (answer.verdict.outcome, &*answer.message),
            (outcome, "kept")
        );
        let kept = match outcome {
            Outcome::Approved => vec![("token".to_owned(), "tk_1".to_owned())],
            _ => Vec::new(),
        };
        assert_eq!(answer.outputs, kept);
        let [request] = server.requests().try_into().unwrap();
        let request: String = request;
        assert!(
            request.starts_with("PUT /vault/cards HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.to_ascii_lowercase().contains("x-key: k-secret\r\n"));
        assert!(
            body(&request)
                == format!(
                    r#"{{"card":{{"number":"{number}","expiry":"2030-03","cvv":"737"}},"order":"7F2K-91QD","holder":"Pat Example","amount":0.00}}"#
                )
        );
    }
}

#[tokio::test]
async fn an_account_is_stored_as_a_form() {
    let store = json!({
        "url": "/api/transact", "request_type": "application/x-www-form-urlencoded", "response_type": "application/x-www-form-urlencoded",
        "success_key": "response", "success_value": "1",
        "request_params": [
            row("customer_vault", "add_customer"), row("security_key", "{secret.key}"),
            row("checkaba", "{check.routing_number}"), row("checkaccount", "{check.account_number}"), row("orderid", "{payment.reference}"),
        ],
        "outputs": [row("vault_id", "customer_vault_id")],
    });
    let answer = reply(200, "", b"response=1&customer_vault_id=77");
    let server = Server::start(answer).await;
    let charge = charge(
        storing(&server, store, json!({})),
        WidgetKind::CheckAdvanced,
        &[
            (Field::RoutingNumber, "021000021"),
            (Field::AccountNumber, "0012345"),
        ],
    );
    let answer = post(&server, stored(charge)).await;
    let answer = answer.unwrap_or_else(|refused| panic!("{}", refused.detail));
    assert_eq!(answer.outputs, [("vault_id".to_owned(), "77".to_owned())]);
    let [request] = server.requests().try_into().unwrap();
    assert_eq!(
        body(&request),
        "customer_vault=add_customer&security_key=k-secret&checkaba=021000021&checkaccount=0012345&orderid=7F2K-91QD"
    );
}

/// Pairs with lengths are the sale's way, and the store's too.
#[tokio::test]
async fn a_card_is_stored_as_pairs_with_lengths() {
    let store = json!({
        "url": "/", "success_key": "RESULT", "success_value": "0", "agent_message_key": "RESPMSG",
        "request_params": [
            row("TRXTYPE", "A"), row("AMT", "{payment.amount}"), row("ACCT", "{card.number}"), row("EXPDATE", "{card.expiry}"),
            row("CUSTREF", "{payment.reference}"),
        ],
        "outputs": [row("pnref", "PNREF")],
    });
    let pairs = json!({ "request_format": "name_value", "response_format": "name_value" });
    let server = Server::start(reply(200, "", b"RESULT=0&PNREF=V1&RESPMSG=Verified")).await;
    let number = card_number();
    let charge = card_charge(storing(&server, store, pairs), &number);
    let answer = post(&server, stored(charge)).await;
    let answer = answer.unwrap_or_else(|refused| panic!("{}", refused.detail));
    assert_eq!(
        (answer.verdict.outcome, &*answer.message),
        (Outcome::Approved, "Verified")
    );
    assert_eq!(answer.outputs, [("pnref".to_owned(), "V1".to_owned())]);
    let [request] = server.requests().try_into().unwrap();
    assert!(
        body(&request)
            == format!(
                "TRXTYPE[1]=A&AMT[4]=0.00&ACCT[16]={number}&EXPDATE[4]=0330&CUSTREF[9]=7F2K-91QD"
            )
    );
}

/// A step makes a token of the card, and the store has the token; the step that it does not name is not made.
#[tokio::test]
async fn a_store_takes_the_steps_that_it_names() {
    let acts = [
        reply(200, "", br#"{"id":"pm_1"}"#),
        reply(200, "", br#"{"state":"KEPT"}"#),
    ];
    let server = Server::start(Act::InTurn(Arc::new(Mutex::new(VecDeque::from(acts))))).await;
    let steps = json!({ "steps": [
        { "name": "login", "url": "/login", "request_params": [row("key", "{secret.key}")], "extract": [row("token", "token")] },
        { "name": "pm", "url": "/methods", "request_params": [row("number", "{card.number}")], "extract": [row("id", "id")] },
    ] });
    let store = json!({ "url": "/setups", "success_key": "state", "success_value": "KEPT", "request_params": [row("method", "{step.pm.id}")] });
    let number = card_number();
    let charge = card_charge(storing(&server, store, steps), &number);
    let answer = post(&server, stored(charge)).await;
    let answer = answer.unwrap_or_else(|refused| panic!("{}", refused.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let [step, store] = server.requests().try_into().unwrap();
    assert!(step.starts_with("POST /methods HTTP/1.1\r\n"));
    assert!(body(&step) == format!(r#"{{"number":"{number}"}}"#));
    assert!(store.starts_with("POST /setups HTTP/1.1\r\n"));
    assert_eq!(body(&store), r#"{"method":"pm_1"}"#);
}

/// The same request twice under one key, and the answer to the second settles the first.
#[tokio::test]
async fn a_store_is_sent_again_only_under_its_idempotency_key() {
    let store = |headers: Value| {
        json!({ "url": "/vault", "success_key": "state", "success_value": "KEPT",
            "request_params": [row("number", "{card.number}")], "request_headers": headers })
    };
    let with_key = json!([row("Idempotency-Key", "{payment.idempotency_key}")]);
    for (headers, times, outcome) in [
        (with_key, 2, Outcome::Approved),
        (json!([]), 1, Outcome::Unknown),
    ] {
        let acts = [
            reply(500, "", b"{}"),
            reply(200, "", br#"{"state":"KEPT"}"#),
        ];
        let server = Server::start(Act::InTurn(Arc::new(Mutex::new(VecDeque::from(acts))))).await;
        let replay = json!({ "recovery": "replay" });
        let charge = card_charge(storing(&server, store(headers), replay), &card_number());
        let answer = post(&server, stored(charge)).await;
        let answer = answer.unwrap_or_else(|refused| panic!("{}", refused.detail));
        assert_eq!(answer.verdict.outcome, outcome);
        let requests = server.requests();
        assert_eq!(requests.len(), times);
        assert!(requests.iter().all(|request| *request == requests[0]));
    }
}

#[tokio::test]
async fn a_preview_shows_the_store_with_the_last_four_and_an_amount_of_nothing() {
    let server = Server::start(reply(200, "", b"{}")).await;
    let store = json!({ "url": "/vault", "success_key": "state", "success_value": "KEPT",
        "request_params": [row("number", "{card.number}"), row("amount", "{payment.amount}"), row("order", "{payment.reference}")] });
    let config = storing(&server, store, json!({}));
    let client = client(&[server.host()]);
    let preview = client.preview(trial_of(
        config,
        WidgetKind::CreditCardAdvanced,
        TestInstrument::Visa,
    ));
    let preview = preview.unwrap_or_else(|refused| panic!("{}", refused.detail));
    let [store] = preview.operations.try_into().unwrap();
    assert_eq!(store.kind, OperationKind::Store);
    let shown: String = store.body.iter().map(|part| &*part.text).collect();
    assert!(
        shown.contains("\u{2022}1111\",\"amount\":\"0.00\",\"order\":\""),
        "{shown}"
    );
    assert_eq!(server.connections(), 0);
}
