//! What is asked about a charge, against TLS servers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use domain::boundary::{Answer, Charge, Operation, PaymentGateway};
use domain::capture::WidgetKind;
use domain::gateway::trial::{GatewayTrials, Pasted, SAMPLE_OUTPUT, TestInstrument, Trial};
use domain::gateway::{GatewayConfig, NotSentReason, Once, OperationKind};
use domain::id::AttemptId;
use domain::money::{Currency, Money};
use domain::payment::{Outcome, PaymentOutput};
use domain::time::UnixMillis;
use secret::{Arena, SecretText};
use serde_json::{Value, json};

use crate::charges::{card_charge, card_number, client, config, post};
use crate::server::{Act, Server, reply};
use crate::trials::trial_of;

const REFERENCE: &str = "7F2K-91QD";

const SETTLED: &str =
    r#"{"order":{"reference":"7F2K-91QD"},"state":"SETTLED","id":"ch_1","text":"all is well"}"#;

async fn server(acts: impl IntoIterator<Item = Act>) -> Server {
    let acts: VecDeque<Act> = acts.into_iter().collect();
    Server::start(Act::InTurn(Arc::new(Mutex::new(acts)))).await
}

fn answering(body: &str) -> Act {
    reply(200, "", body.as_bytes())
}

fn operations() -> Value {
    json!({
        "inquire": {
            "url": "/orders/{payment.reference}?shop={cfg.shop}", "method": "GET",
            "success_key": "state", "success_value": "SETTLED",
            "verdict": { "declined": ["state = REFUSED"], "review": ["state = HELD"] },
            "agent_message_key": "text", "outputs": [{ "name": "id", "value": "id" }],
            "reference_key": "order.reference",
        },
        "void": {
            "url": "/orders/{payment.reference}/void",
            "success_key": "voided", "success_value": "true",
            "request_headers": [{ "name": "Idempotency-Key", "value": "{payment.idempotency_key}" }],
        },
        "refund": {
            "url": "/charges/{sale.id}/refunds",
            "request_type": "application/x-www-form-urlencoded",
            "request_params": [{ "name": "amount", "value": "{payment.amount|minor}" }, { "name": "order", "value": "{sale.id}" }],
            "request_headers": [{ "name": "Authorization", "value": "Bearer {step.login.token}" }],
            "success_key": "status", "success_value": "refunded",
        },
    })
}

fn asking(server: &Server) -> GatewayConfig {
    let mut config = config(&server.url());
    config.more = serde_json::from_value(json!({
        "constants": [{ "name": "shop", "value": "s 1" }],
        "secrets": ["key"],
        "outputs": [{ "name": "id", "value": "id" }],
        "steps": [
            { "name": "login", "url": "/token", "request_params": [{ "name": "key", "value": "{secret.key}" }],
              "extract": [{ "name": "token", "value": "token" }] },
            { "name": "pm", "url": "/methods", "request_params": [{ "name": "card", "value": "{card.number}" }] },
        ],
        "operations": operations(),
    }))
    .unwrap();
    config
}

fn operation(gateway: GatewayConfig, kind: OperationKind, id: &str) -> Operation {
    let attempt = AttemptId::from_random(7);
    Operation {
        kind,
        once: Once::of_operation(&attempt, kind, UnixMillis(1_795_456_800_000)),
        attempt,
        reference: REFERENCE.to_owned(),
        amount: Money::parse("120.50", Currency::USD).unwrap(),
        arrangement: None,
        outputs: vec![PaymentOutput {
            name: "id".to_owned(),
            value: id.to_owned(),
        }],
        gateway,
        password: None,
        secrets: vec![("key".to_owned(), SecretText::new("k-secret".to_owned()))],
    }
}

async fn asked(server: &Server, kind: OperationKind, id: &str) -> Result<Answer, NotSentReason> {
    let operation = operation(asking(server), kind, id);
    let client = client(&[server.host()]);
    client.connect_operation(operation).await?.send().await
}

#[tokio::test]
async fn an_inquiry_is_a_get_without_a_body() {
    let server = server([answering(SETTLED)]).await;
    let answer = asked(&server, OperationKind::Inquire, "").await.unwrap();
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert_eq!(&*answer.message, "all is well");
    assert_eq!(answer.outputs, [("id".to_owned(), "ch_1".to_owned())]);
    let [request] = server.requests().try_into().unwrap();
    let request: String = request;
    assert!(
        request.starts_with("GET /orders/7F2K-91QD?shop=s%201 HTTP/1.1\r\n"),
        "{request}"
    );
    let lower = request.to_ascii_lowercase();
    assert!(!lower.contains("content-type") && !lower.contains("content-length"));
    assert!(request.ends_with("\r\n\r\n"), "{request}");
}

#[tokio::test]
async fn the_steps_that_it_names_are_made_again_and_no_other() {
    let server = server([
        answering(r#"{"token":"t-secret"}"#),
        answering(r#"{"status":"refunded"}"#),
    ])
    .await;
    let answer = asked(&server, OperationKind::Refund, "ch/../1&a=b").await;
    assert_eq!(answer.unwrap().verdict.outcome, Outcome::Approved);
    let [login, refund] = server.requests().try_into().unwrap();
    let (login, refund): (String, String) = (login, refund);
    assert!(login.starts_with("POST /token ") && login.ends_with(r#"{"key":"k-secret"}"#));
    assert!(
        refund.starts_with("POST /charges/ch%2F..%2F1%26a%3Db/refunds "),
        "{refund}"
    );
    assert!(refund.contains("\r\nAuthorization: Bearer t-secret\r\n"));
    assert!(refund.ends_with("\r\n\r\namount=12050&order=ch%2F..%2F1%26a%3Db"));
}

#[tokio::test]
async fn what_cannot_be_made_or_may_not_be_sent_is_not() {
    let server = server([]).await;
    for (kind, id) in [
        (OperationKind::Refund, ""),
        (OperationKind::Capture, "ch_1"),
    ] {
        let refused = asked(&server, kind, id).await;
        assert_eq!(refused, Err(NotSentReason::Render), "{kind:?}");
    }
    let operation = operation(asking(&server), OperationKind::Void, "ch_1");
    let refused = client(&[]).connect_operation(operation).await;
    assert_eq!(refused.err(), Some(NotSentReason::HostNotApproved));
    // A refund whose token was refused is not asked.
    let server = crate::operations::server([reply(401, "", b"{}")]).await;
    let refused = asked(&server, OperationKind::Refund, "ch_1").await;
    assert_eq!(refused, Err(NotSentReason::Step));
    assert_eq!(server.connections(), 1);
}

/// Answers that say nothing of this charge, with their bodies.
fn nothing_said() -> Vec<(Act, String)> {
    let said = |status: u16, headers: &str, body: &str| {
        (reply(status, headers, body.as_bytes()), body.to_owned())
    };
    vec![
        said(
            200,
            "",
            r#"{"order":{"reference":"0000-0000"},"state":"SETTLED","id":"ch_9","text":"x"}"#,
        ),
        said(
            200,
            "",
            r#"{"order":{"reference":"7F2K-91QD2"},"state":"REFUSED"}"#,
        ),
        said(
            200,
            "",
            r#"{"order":{"reference":["7F2K-91QD","0000-0000"]},"state":"SETTLED"}"#,
        ),
        said(
            200,
            "",
            r#"{"order":{"reference":"7F2K-91QD","reference":"0000-0000"},"state":"SETTLED"}"#,
        ),
        said(
            200,
            "",
            r#"{"order":{"reference":{"id":"7F2K-91QD"}},"state":"SETTLED"}"#,
        ),
        said(200, "", r#"{"state":"SETTLED","text":"7F2K-91QD"}"#),
        said(
            200,
            "",
            r#"{"order":{"reference":"7F2K-91QD"},"state":"PENDING"}"#,
        ),
        said(200, "", r#"{"order":{"reference":"7F2K-91QD"}}"#),
        said(
            200,
            "",
            r#"{"order":{"reference":"7F2K-91QD"},"state":"SETTLED","x":{"state":"SETTLED"},"state":"REFUSED"}"#,
        ),
        said(200, "", "order.reference=7F2K-91QD&state=SETTLED"),
        said(200, "", "<html><body>7F2K-91QD SETTLED</body></html>"),
        said(200, "", "\u{0}\u{1}nonsense"),
        said(200, "", "[]"),
        said(
            404,
            "",
            r#"{"order":{"reference":"7F2K-91QD"},"error":"not found"}"#,
        ),
        said(500, "", SETTLED),
        said(503, "", "busy"),
        said(302, "Location: /orders/7F2K-91QD/all\r\n", SETTLED),
    ]
}

#[tokio::test]
async fn fault_b21_an_inquiry_that_says_nothing_of_this_charge_leaves_it_unknown() {
    for (act, body) in nothing_said() {
        let server = server([act]).await;
        let answer = asked(&server, OperationKind::Inquire, "").await.unwrap();
        assert_eq!(answer.verdict.outcome, Outcome::Unknown, "{body}");
        assert_eq!(server.connections(), 1, "{body}");
        let is_ours = body.contains(r#""reference":"7F2K-91QD"}"#);
        assert!(
            is_ours || answer.outputs.is_empty() && answer.message.is_empty(),
            "{body}"
        );
    }
    for (state, outcome) in [
        ("SETTLED", Outcome::Approved),
        ("REFUSED", Outcome::Declined),
        ("HELD", Outcome::Review),
    ] {
        let server = server([answering(&SETTLED.replace("SETTLED", state))]).await;
        let answer = asked(&server, OperationKind::Inquire, "").await.unwrap();
        assert_eq!(answer.verdict.outcome, outcome);
    }
}

fn charge(server: &Server, recovery: &str) -> Charge {
    let mut gateway = config(&server.url());
    gateway.more = serde_json::from_value(json!({
        "constants": [{ "name": "shop", "value": "s1" }],
        "operations": operations(), "recovery": recovery,
    }))
    .unwrap();
    let mut charge = card_charge(gateway, &card_number());
    charge.reference = REFERENCE.to_owned();
    charge
}

async fn recovered(server: &Server, recovery: &str) -> Answer {
    let answer = post(server, charge(server, recovery)).await;
    answer.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail))
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_until_the_gateway_says_how_the_charge_ended() {
    let not_found = r#"{"order":{"reference":"7F2K-91QD"},"error":"not found"}"#;
    let server = server([
        Act::Reset,
        reply(404, "", not_found.as_bytes()),
        answering(SETTLED),
    ])
    .await;
    let answer = recovered(&server, "inquire").await;
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert_eq!(answer.outputs, [("id".to_owned(), "ch_1".to_owned())]);
    let requests = server.requests();
    let lines = requests
        .iter()
        .map(|request| request.lines().next().unwrap());
    let ask = "GET /orders/7F2K-91QD?shop=s1 HTTP/1.1";
    assert_eq!(Vec::from_iter(lines), ["POST /charge HTTP/1.1", ask, ask]);
}

#[tokio::test]
async fn a_charge_that_was_undone_was_not_made() {
    let server = server([Act::Reset, answering(r#"{"voided":true}"#)]).await;
    let answer = recovered(&server, "void_by_reference").await;
    assert_eq!(answer.verdict.outcome, Outcome::Error);
    assert_eq!(answer.outputs, [("recovery".to_owned(), "void".to_owned())]);
    let requests = server.requests();
    assert!(requests[1].starts_with("POST /orders/7F2K-91QD/void "));
    assert!(requests[1].ends_with("\r\n\r\n"), "{}", requests[1]);
}

#[tokio::test]
async fn a_known_outcome_is_not_asked_about() {
    for recovery in ["inquire", "void_by_reference"] {
        for body in [r#"{"status":"APPROVED"}"#, r#"{"status":"NO"}"#] {
            let server = server([answering(body)]).await;
            recovered(&server, recovery).await;
            assert_eq!(server.connections(), 1);
        }
    }
}

#[tokio::test]
async fn nothing_that_was_captured_is_held_while_the_gateway_is_asked() {
    let server = server([Act::Reset, Act::Hold]).await;
    let arena = Arena::new(1).unwrap();
    let mut charge = charge(&server, "inquire");
    charge.slot = arena.allocate().unwrap();
    assert!(arena.allocate().is_none());
    let client = client(&[server.host()]);
    let ready = client
        .connect(charge)
        .await
        .map_err(|not_sent| not_sent.detail);
    let sending = tokio::spawn(ready.unwrap().send());
    while server.connections() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(arena.allocate().is_some());
    sending.abort();
}

#[tokio::test]
async fn an_operation_is_previewed_as_it_is_asked() {
    let token = answering(r#"{"token":"t-secret"}"#);
    let server = server([token, answering(r#"{"status":"refunded"}"#)]).await;
    let trial = Trial {
        password: None,
        secrets: vec![("key".to_owned(), SecretText::new("k-secret".to_owned()))],
        ..trial_of(
            asking(&server),
            WidgetKind::CreditCardAdvanced,
            TestInstrument::Visa,
        )
    };
    let preview = client(&[]).preview(trial).unwrap();
    let kinds: Vec<_> = preview.operations.iter().map(|one| one.kind).collect();
    let all = [
        OperationKind::Inquire,
        OperationKind::Void,
        OperationKind::Refund,
    ];
    assert_eq!(kinds, all);
    let [inquiry, _, refund] = preview.operations.as_slice() else {
        panic!("{preview:?}");
    };
    assert!(inquiry.body.is_empty() && inquiry.steps.is_empty());
    let steps: Vec<_> = refund.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps, ["login"], "no card is sent again");

    asked(&server, OperationKind::Refund, SAMPLE_OUTPUT)
        .await
        .unwrap();
    let [_, request] = server.requests().try_into().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = refund
        .url
        .strip_prefix(&format!("https://{}", server.host()));
    let first = format!("{} {} HTTP/1.1", refund.method, path.unwrap());
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some(&*first));
    let sent: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let sent: Vec<_> = sent.into_iter().map(|(name, _)| name).collect();
    let shown: Vec<_> = refund.headers.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(shown, sent);
    let shown: String = refund.body.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(shown, body.replace("amount=12050", "amount=100"));
    assert!(!format!("{preview:?}").contains("secret"), "{preview:?}");
}

#[tokio::test]
async fn a_pasted_answer_to_an_operation_is_judged_as_one_that_came() {
    let whose = |rest: &str| format!(r#"{{"order":{{"reference":"{REFERENCE}"}},{rest}}}"#);
    for (status, body) in [
        (200, SETTLED.to_owned()),
        (200, whose(r#""state":"REFUSED""#)),
        (200, whose(r#""state":"HELD""#)),
        (200, whose(r#""state":"OPEN""#)),
        (404, whose(r#""state":"SETTLED""#)),
        (200, r#"{"state":"SETTLED","id":"ch_1"}"#.to_owned()),
        (
            200,
            r#"{"order":[{"reference":"a"},{"reference":"b"}],"state":"SETTLED"}"#.to_owned(),
        ),
        (200, "nothing".to_owned()),
    ] {
        let server = server([reply(status, "", body.as_bytes())]).await;
        let came = asked(&server, OperationKind::Inquire, "x").await.unwrap();
        let pasted = Pasted {
            operation: Some(OperationKind::Inquire),
            status,
            headers: &[],
            body: &body,
        };
        let gateway = asking(&server);
        let judged = client(&[]).judge(&gateway, &pasted, true).unwrap();
        assert_eq!(judged.outcome, came.verdict.outcome, "{status} {body}");
        assert_eq!(judged.message, came.message, "{status} {body}");
        let outputs = judged.outputs.into_iter().map(|one| (one.name, one.value));
        assert_eq!(outputs.collect::<Vec<_>>(), came.outputs, "{status} {body}");
        let of = judged.reference.unwrap();
        let expected = body.contains(REFERENCE).then_some(REFERENCE);
        assert_eq!(
            (of.key.as_str(), of.value.as_deref()),
            ("order.reference", expected)
        );
    }
    let gateway = asking(&server([]).await);
    let pasted = Pasted {
        operation: Some(OperationKind::Capture),
        status: 200,
        headers: &[],
        body: "{}",
    };
    assert_eq!(client(&[]).judge(&gateway, &pasted, true), None);
}
