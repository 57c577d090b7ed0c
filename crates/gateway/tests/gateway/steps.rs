//! Calls before the sale, against TLS servers: in order, once each, and the sale only if all of them held.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::boundary::{Charge, NotSent, PaymentGateway};
use domain::capture::{Field, WidgetKind};
use domain::gateway::trial::{GatewayTrials, TestInstrument};
use domain::gateway::{AuthMethod, ContentType, GatewayConfig, GatewayStep, NotSentReason};
use domain::payment::Outcome;
use secret::SecretText;
use serde_json::json;

use crate::charges::{card_charge, card_number, client, config, post, refusal};
use crate::server::{Act, Server, reply};
use crate::trials::trial_of;

/// What nobody may see.
const TOKEN: &str = "tok-canary-4-the-gateway-only";
const PASSWORD: &str = "basic-canary";

fn ok(body: &str) -> Act {
    reply(200, "", body.as_bytes())
}

async fn server(acts: impl IntoIterator<Item = Act>) -> Server {
    let acts: VecDeque<Act> = acts.into_iter().collect();
    Server::start(Act::InTurn(Arc::new(Mutex::new(acts)))).await
}

fn step(value: serde_json::Value) -> GatewayStep {
    serde_json::from_value(value).unwrap()
}

/// A card becomes a token; the sale has the token and no card.
fn tokenised(service_url: &str) -> GatewayConfig {
    let mut config = config(service_url);
    config.send_standard_parameters = false;
    config.request_params = serde_json::from_value(json!([
        { "name": "source", "value": "{step.pm.id}" },
        { "name": "amount", "value": "{payment.amount}" },
    ]))
    .unwrap();
    config.more.steps = vec![step(json!({
        "name": "pm",
        "url": "/methods?r={payment.reference}",
        "request_type": "application/x-www-form-urlencoded",
        "request_params": [{ "name": "number", "value": "{card.number}" }, { "name": "cvc", "value": "{card.cvv}" }],
        "extract": [{ "name": "id", "value": "data.id || id" }],
        "require": ["kind = method"],
    }))];
    config
}

fn given() -> String {
    json!({ "id": TOKEN, "kind": "method" }).to_string()
}

fn halves(request: &str) -> (&str, &str) {
    request.split_once("\r\n\r\n").unwrap()
}

#[tokio::test]
async fn a_card_becomes_a_token_and_the_sale_has_the_token() {
    let answer = format!("{{\"status\":\"APPROVED\",\"text\":\"thanks for {TOKEN}\"}}");
    let server = server([ok(&given()), ok(&answer)]).await;
    let number = card_number();
    let mut charge = card_charge(tokenised(&server.url()), &number);
    charge.reference = "7F2K-91QD".to_owned();
    let answer = post(&server, charge)
        .await
        .unwrap_or_else(|refused| panic!("{}", refused.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert!(!answer.message.contains(TOKEN), "{}", answer.message);

    let requests = server.requests();
    assert_eq!((requests.len(), server.connections()), (2, 2));
    let ((first, card), (second, sale)) = (halves(&requests[0]), halves(&requests[1]));
    assert!(
        first.starts_with("POST /methods?r=7F2K-91QD HTTP/1.1\r\n"),
        "{first}"
    );
    assert!(card == format!("number={number}&cvc=737"));
    assert!(second.starts_with("POST /charge HTTP/1.1\r\n"), "{second}");
    assert_eq!(sale, format!(r#"{{"source":"{TOKEN}","amount":"120.50"}}"#));
}

/// What a step is answered, and what is said of it.
fn failing(number: &str) -> Vec<(&'static str, Act, &'static str)> {
    let mut cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec();
    cut.push(b' ');
    vec![
        (
            "declined",
            reply(402, "", given().as_bytes()),
            "answered 402",
        ),
        ("failing", reply(500, "", b"{}"), "answered 500"),
        (
            "moved",
            reply(307, "Location: /elsewhere\r\n", b""),
            "answered 307",
        ),
        ("no JSON", ok("<html>"), "with what is no application/json"),
        (
            "no id",
            ok(r#"{"kind":"method"}"#),
            "id is not in its answer",
        ),
        (
            "id is null",
            ok(r#"{"kind":"method","id":null}"#),
            "id is not in its answer",
        ),
        (
            "another kind",
            ok(r#"{"kind":"error","id":"x"}"#),
            "kind = method",
        ),
        ("no kind", ok(r#"{"id":"x"}"#), "kind = method"),
        ("cut", Act::ReplyAndVanish(cut), "broke off"),
        ("reset", Act::Reset, "broke off"),
        (
            "the card",
            ok(&format!(r#"{{"kind":"method","id":"t-{number}"}}"#)),
            "a captured value",
        ),
        (
            "far too long",
            ok(&format!(
                r#"{{"kind":"method","id":"{}"}}"#,
                "x".repeat(5_000)
            )),
            "id is too long",
        ),
    ]
}

#[tokio::test]
async fn a_step_that_fails_ends_the_charge_before_its_sale() {
    let number = card_number();
    for (name, act, said) in failing(&number) {
        let server = server([act]).await;
        let charge = card_charge(tokenised(&server.url()), &number);
        let NotSent {
            reason,
            detail,
            charge,
        } = refusal(&server, charge).await;
        assert_eq!(reason, NotSentReason::Step, "{name}: {detail}");
        assert!(
            detail.starts_with("the step pm: ") && detail.contains(said),
            "{name}: {detail}"
        );
        assert!(!detail.contains(&number), "{name}");
        assert_eq!(server.connections(), 1, "{name}");
        assert_eq!(
            charge.slot.len(Field::CardNumber.slot_index()),
            number.len(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn steps_have_half_of_the_read_timeout_between_them() {
    let server = server([ok(&given()), Act::Hold]).await;
    let mut gateway = tokenised(&server.url());
    gateway.read_timeout_ms = 6_000;
    let mut second = gateway.more.steps[0].clone();
    second.name = "again".to_owned();
    gateway.more.steps.push(second);
    let began = Instant::now();
    let refused = refusal(&server, card_charge(gateway, &card_number())).await;
    assert_eq!(refused.reason, NotSentReason::Step);
    assert!(
        refused
            .detail
            .contains("the step again: no complete reply in time"),
        "{}",
        refused.detail
    );
    assert!(
        began.elapsed() < Duration::from_millis(5_900),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(server.requests().len(), 2);
}

/// A login elsewhere, whose token makes Authorization, and a public part of its answer that stands in the sale's URL.
fn logged_in(sale: &Server, login: &Server) -> GatewayConfig {
    let mut config = config(&format!(
        "https://{}/shops/{{step.login.shop}}",
        sale.host()
    ));
    config.request_headers = serde_json::from_value(json!([
        { "name": "Authorization", "value": "Bearer {step.login.token}" },
    ]))
    .unwrap();
    config.more.secrets = vec!["key".to_owned()];
    config.more.variables =
        serde_json::from_value(json!([{ "name": "hash", "value": "{txn.nonce}{secret.key}" }]))
            .unwrap();
    config.more.steps = vec![step(json!({
        "name": "login",
        "url": format!("https://{}/token", login.host()),
        "request_type": "application/x-www-form-urlencoded",
        "request_params": [{ "name": "grant_type", "value": "client_credentials" }, { "name": "hash", "value": "{let.hash}" }],
        "extract": [{ "name": "token", "value": "access_token" }, { "name": "shop", "value": "shop", "public": true }],
    }))];
    config
}

fn with_key(config: GatewayConfig) -> Charge {
    let mut charge = card_charge(config, &card_number());
    charge.secrets = vec![(
        "key".to_owned(),
        SecretText::new("secret-canary".to_owned()),
    )];
    charge
}

fn login_answer(shop: &str) -> String {
    json!({ "access_token": TOKEN, "shop": shop, "expires_in": 60 }).to_string()
}

#[tokio::test]
async fn a_token_comes_from_another_host_and_makes_authorization() {
    let sale = server([ok(r#"{"status":"APPROVED"}"#)]).await;
    let login = server([ok(&login_answer("a/b"))]).await;
    let client = client(&[sale.host(), login.host()]);
    let ready = client.connect(with_key(logged_in(&sale, &login))).await;
    let Ok(ready) = ready else {
        panic!("not ready")
    };
    assert!(
        sale.requests().is_empty(),
        "the sale waits until it is recorded as sent"
    );
    let answer = ready
        .send()
        .await
        .unwrap_or_else(|refused| panic!("{}", refused.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let (head, _) = sale.request();
    assert!(head.starts_with("POST /shops/a%2Fb HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nAuthorization: Bearer {TOKEN}")),
        "{head}"
    );
    let (head, body) = login.request();
    assert!(!head.contains("Authorization"), "{head}");
    assert!(
        body.starts_with("grant_type=client_credentials&hash=") && body.ends_with("secret-canary")
    );
}

#[tokio::test]
async fn basic_goes_to_the_host_of_the_service_url_only() {
    for (is_beside, has_basic) in [(true, true), (false, false)] {
        let sale = server([ok(&given()), ok(r#"{"status":"APPROVED"}"#)]).await;
        let other = server([ok(&given())]).await;
        let mut config = tokenised(&sale.url());
        config.auth_method = AuthMethod::Basic;
        config.auth_user_name = "merchant".to_owned();
        if !is_beside {
            config.more.steps[0].url = other.url();
        }
        let mut charge = card_charge(config, &card_number());
        charge.password = Some(SecretText::new(PASSWORD.to_owned()));
        let client = client(&[sale.host(), other.host()]);
        let ready = client.connect(charge).await;
        assert!(ready.is_ok());
        let step = if is_beside {
            sale.requests()
        } else {
            other.requests()
        };
        assert_eq!(step[0].contains("\r\nAuthorization: Basic "), has_basic);
    }
}

#[tokio::test]
async fn s4_nothing_goes_anywhere_unless_every_host_is_approved() {
    let sale = server([]).await;
    let login = server([]).await;
    let config = logged_in(&sale, &login);
    for hosts in [vec![sale.host()], vec![login.host()], vec![]] {
        let client = client(&hosts);
        assert!(!client.host_approved(&config));
        let Err(refused) = client.connect(with_key(config.clone())).await else {
            panic!("{hosts:?}: connected")
        };
        assert_eq!(refused.reason, NotSentReason::HostNotApproved, "{hosts:?}");
    }
    assert!(client(&[sale.host(), login.host()]).host_approved(&config));
    assert_eq!((sale.connections(), login.connections()), (0, 0));
}

#[tokio::test]
async fn what_is_public_is_fit_to_be_shown() {
    let number = card_number();
    for shop in [number.clone(), "4111 1111 1111 1111".to_owned()] {
        let sale = server([]).await;
        let login = server([ok(&login_answer(&shop))]).await;
        let mut charge = with_key(logged_in(&sale, &login));
        let mut same = card_charge(charge.gateway.clone(), &number);
        same.secrets = std::mem::take(&mut charge.secrets);
        let client = client(&[sale.host(), login.host()]);
        let Err(refused) = client.connect(same).await else {
            panic!("connected")
        };
        assert!(
            refused.detail.contains("shop holds a captured value"),
            "{}",
            refused.detail
        );
        assert_eq!(sale.connections(), 0);
    }
}

#[tokio::test]
async fn a_preview_shows_every_step_and_no_value_of_an_answer() {
    let sale = server([]).await;
    let login = server([]).await;
    let mut config = logged_in(&sale, &login);
    let tokenise = tokenised(&sale.url()).more.steps.remove(0);
    config.more.steps.push(tokenise);
    let trial = with_secret(trial_of(
        config,
        WidgetKind::CreditCardAdvanced,
        TestInstrument::Visa,
    ));
    let shown = client(&[]).preview(trial).unwrap();
    assert!(shown.url.ends_with("/shops/step"), "{}", shown.url);
    let names: Vec<&str> = shown.steps.iter().map(|step| &*step.name).collect();
    assert_eq!(names, ["login", "pm"]);
    assert_eq!(
        shown.steps[0].url,
        format!("https://{}/token", login.host())
    );
    let text = format!("{:?}", shown.steps);
    assert!(
        !text.contains("secret-canary") && !text.contains("411111"),
        "{text}"
    );
    assert_eq!((sale.connections(), login.connections()), (0, 0));
}

fn with_secret(mut trial: domain::gateway::trial::Trial) -> domain::gateway::trial::Trial {
    trial.secrets = vec![(
        "key".to_owned(),
        SecretText::new("secret-canary".to_owned()),
    )];
    trial
}

#[tokio::test]
async fn a_test_says_what_each_step_was_answered_and_hides_what_it_gave() {
    let sale = server([ok(&format!(r#"{{"status":"NO","text":"{TOKEN}"}}"#))]).await;
    let login = server([
        ok(&login_answer("shop-7")),
        reply(401, "", b"{\"why\":\"no\"}"),
    ])
    .await;
    let trial = || {
        with_secret(trial_of(
            logged_in(&sale, &login),
            WidgetKind::CreditCardAdvanced,
            TestInstrument::Visa,
        ))
    };
    let tested = client(&[sale.host(), login.host()])
        .send(trial())
        .await
        .unwrap();
    let [step] = &tested.steps[..] else {
        panic!("{:?}", tested.steps)
    };
    assert_eq!((&*step.name, step.status), ("login", Some(200)));
    let excerpt = step.excerpt.as_deref().unwrap();
    assert!(
        excerpt.contains("shop-7") && !excerpt.contains(TOKEN),
        "{excerpt}"
    );
    assert!(!format!("{tested:?}").contains(TOKEN));

    let nothing = client(&[sale.host(), login.host()])
        .send(trial())
        .await
        .unwrap_err();
    assert_eq!(nothing.reason, NotSentReason::Step);
    assert_eq!(
        nothing.steps[0].excerpt.as_deref(),
        Some("{\"why\":\"no\"}")
    );
    assert_eq!(sale.requests().len(), 1);
}

#[tokio::test]
async fn a_step_reads_its_answer_in_its_own_type() {
    let server = server([
        ok("<r><kind>method</kind><id>x-1</id></r>"),
        ok(r#"{"status":"APPROVED"}"#),
    ])
    .await;
    let mut config = tokenised(&server.url());
    config.more.steps[0].response_type = Some(ContentType::TextXml);
    let answer = post(&server, card_charge(config, &card_number())).await;
    assert!(answer.is_ok());
    let requests = server.requests();
    assert!(halves(&requests[0]).0.contains("\r\nAccept: text/xml"));
    assert!(halves(&requests[1]).1.contains("\"source\":\"x-1\""));
}
