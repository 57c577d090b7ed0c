//! Each field of the tabs Payment Gateway Config and Advanced Config on the wire, for cards and for checks (ACCEPTANCE W31-W51, W61-W75, V13).

use std::time::{Duration, Instant};

use domain::boundary::Charge;
use domain::capture::fixtures::{ACCOUNT_NUMBER, ROUTING_NUMBERS};
use domain::capture::{Field, WidgetKind};
use domain::gateway::{AuthMethod, ContentType, GatewayConfig, Mapping, NotSentReason};
use domain::payment::Outcome;

use crate::charges::{
    card_charge, card_number, charge, config, post, refusal, typed, with_password,
};
use crate::server::{Act, Identity, Server, reply};

const APPROVED: &[u8] = br#"{"status":"APPROVED","text":"Thank you"}"#;

/// One charge of either kind, and what was keyed.
fn of_both_kinds(gateway: &GatewayConfig) -> [(Charge, Vec<String>); 2] {
    let number = card_number();
    let keyed = [
        (Field::RoutingNumber, ROUTING_NUMBERS[0]),
        (Field::AccountNumber, ACCOUNT_NUMBER),
    ];
    let check = charge(gateway.clone(), WidgetKind::CheckAdvanced, &keyed);
    let keyed = keyed.map(|(_, digits)| digits.to_owned()).to_vec();
    [
        (card_charge(gateway.clone(), &number), vec![number]),
        (check, keyed),
    ]
}

fn row(name: &str, value: &str) -> Mapping {
    Mapping {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Head and body of what each kind sends.
async fn sent(change: impl Fn(&mut GatewayConfig)) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for kind in 0..2 {
        let server = Server::start(reply(200, "", APPROVED)).await;
        let mut gateway = config(&server.url());
        change(&mut gateway);
        let [card, check] = of_both_kinds(&gateway);
        let (charge, _) = if kind == 0 { card } else { check };
        assert_eq!(answered(&server, charge).await, Outcome::Approved);
        sent.push(server.request());
    }
    sent
}

async fn answered(server: &Server, charge: Charge) -> Outcome {
    match post(server, charge).await {
        Ok(answer) => answer.verdict.outcome,
        Err(not_sent) => panic!("{}", not_sent.detail),
    }
}

/// What an answer comes to for either kind.
async fn judged(
    as_type: ContentType,
    body: &str,
    change: impl Fn(&mut GatewayConfig),
) -> Vec<(Outcome, String)> {
    let server = Server::start(reply(200, "", body.as_bytes())).await;
    let mut gateway = config(&server.url());
    gateway.response_type = as_type;
    change(&mut gateway);
    let mut judged = Vec::new();
    for (charge, _) in of_both_kinds(&gateway) {
        match post(&server, charge).await {
            Ok(answer) => judged.push((answer.verdict.outcome, answer.message)),
            Err(not_sent) => panic!("{}", not_sent.detail),
        }
    }
    judged
}

#[tokio::test]
async fn w31_w61_the_request_is_posted_to_the_service_url() {
    let at = |gateway: &mut GatewayConfig| gateway.service_url.push_str("/v2/pay?client=7");
    for (head, _) in sent(at).await {
        let mut lines = head.lines();
        assert_eq!(
            lines.next(),
            Some("POST /charge/v2/pay?client=7 HTTP/1.1"),
            "{head}"
        );
        assert!(lines.any(|line| line.to_ascii_lowercase().starts_with("host: localhost:")));
    }
}

#[tokio::test]
async fn w32_w33_w62_w63_the_key_is_found_in_json_xml_and_forms_and_only_its_value_approves() {
    for (as_type, answer) in [
        (ContentType::Json, r#"{"result":{"code":"VALUE"}}"#),
        (
            ContentType::Xml,
            "<reply><result><code>VALUE</code></result></reply>",
        ),
        (
            ContentType::TextXml,
            "<reply><result><code>VALUE</code></result></reply>",
        ),
        (ContentType::Form, "first=1&code=VALUE"),
    ] {
        for (value, expected) in [
            ("00", Outcome::Approved),
            ("05", Outcome::Declined),
            ("000", Outcome::Declined),
        ] {
            let answer = answer.replace("VALUE", value);
            let key = |gateway: &mut GatewayConfig| {
                gateway.success_key = "code".to_owned();
                gateway.success_value = "00".to_owned();
            };
            for (outcome, _) in judged(as_type, &answer, key).await {
                assert_eq!(outcome, expected, "{as_type:?} {value}");
            }
        }
    }
}

#[tokio::test]
async fn w34_w64_the_message_is_found_in_json_xml_and_forms() {
    for (as_type, answer) in [
        (
            ContentType::Json,
            r#"{"status":"DECLINED","reason":"Card expired"}"#,
        ),
        (
            ContentType::Xml,
            "<r><status>DECLINED</status><reason>Card expired</reason></r>",
        ),
        (ContentType::Form, "status=DECLINED&reason=Card+expired"),
    ] {
        let key = |gateway: &mut GatewayConfig| gateway.agent_message_key = "reason".to_owned();
        for judged in judged(as_type, answer, key).await {
            let expected = (Outcome::Declined, "Card expired".to_owned());
            assert_eq!(judged, expected, "{as_type:?}");
        }
    }
}

#[tokio::test]
async fn w36_w65_rows_of_the_request_param_mapping_are_sent_in_their_order() {
    let rows = |gateway: &mut GatewayConfig| {
        gateway.send_standard_parameters = false;
        gateway.request_params = vec![
            row("zeta", "1"),
            row("alpha", "{payment.amount}"),
            row("note", "Call {call.id}"),
        ];
    };
    for (_, body) in sent(rows).await {
        assert_eq!(body, r#"{"zeta":"1","alpha":"120.50","note":"Call c1"}"#);
    }
}

#[tokio::test]
async fn w40_w67_without_an_auth_method_there_is_no_authorization_header() {
    for (head, _) in sent(|_| {}).await {
        let head = head.to_ascii_lowercase();
        assert!(!head.contains("authorization"), "{head}");
    }
}

#[tokio::test]
async fn w41_w42_w67_w68_basic_is_the_user_name_and_the_password_of_rfc_7617() {
    // RFC 7617 section 2, and 2.1 in UTF-8.
    for (user, password, expected) in [
        ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123\u{a3}", "dGVzdDoxMjPCow=="),
    ] {
        let server = Server::start(reply(200, "", APPROVED)).await;
        let count = of_both_kinds(&config(&server.url())).len();
        for (charge, _) in of_both_kinds(&config(&server.url())) {
            let charge = with_password(charge, user, password);
            assert_eq!(charge.gateway.auth_method, AuthMethod::Basic);
            assert_eq!(answered(&server, charge).await, Outcome::Approved);
        }
        let requests = server.taken();
        assert_eq!(requests.len(), count);
        for request in requests {
            let line = format!("\r\nAuthorization: Basic {expected}\r\n");
            let head = request.split("\r\n\r\n").next().unwrap();
            let found = format!("{head}\r\n").matches(&line).count();
            assert_eq!(found, 1, "{user}");
        }
    }
}

#[tokio::test]
async fn w44_w70_the_connection_timeout_ends_an_attempt_that_was_not_sent() {
    let server = Server::with_identity(Identity::Mute, Act::Hold).await;
    let mut gateway = config(&server.url());
    gateway.connection_timeout_ms = 300;
    gateway.read_timeout_ms = 30_000;
    for (charge, _) in of_both_kinds(&gateway) {
        let began = Instant::now();
        let refused = refusal(&server, charge).await;
        assert_eq!(refused.reason, NotSentReason::ConnectTimeout);
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(300), "{took:?}");
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
}

#[tokio::test]
async fn w45_w71_the_read_timeout_ends_an_attempt_whose_outcome_is_unknown() {
    let server = Server::start(Act::Hold).await;
    let mut gateway = config(&server.url());
    gateway.connection_timeout_ms = 30_000;
    gateway.read_timeout_ms = 500;
    for (charge, _) in of_both_kinds(&gateway) {
        let began = Instant::now();
        assert_eq!(answered(&server, charge).await, Outcome::Unknown);
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(500), "{took:?}");
        assert!(took < Duration::from_secs(15), "{took:?}");
    }
}

#[tokio::test]
async fn w46_w72_the_request_type_is_the_content_type_and_the_body_is_of_it() {
    for (as_type, first) in [
        (ContentType::Json, "{\""),
        (ContentType::Form, "routingNumber="),
        (ContentType::Xml, "<?xml version=\"1.0\""),
        (ContentType::TextXml, "<?xml version=\"1.0\""),
    ] {
        for (head, body) in sent(|gateway| gateway.request_type = as_type).await {
            let line = format!("\r\nContent-Type: {}\r\n", as_type.as_str());
            assert!(format!("{head}\r\n").contains(&line), "{head}");
            let first = match as_type {
                ContentType::Form if body.starts_with("card") => "cardNumber=",
                _ => first,
            };
            assert!(body.starts_with(first), "{as_type:?}");
        }
    }
}

#[tokio::test]
async fn w47_w73_the_response_type_is_asked_for_and_the_answer_is_read_as_it() {
    let types = [
        (ContentType::Json, r#"{"status":"APPROVED"}"#),
        (ContentType::Xml, "<r><status>APPROVED</status></r>"),
        (ContentType::TextXml, "<r><status>APPROVED</status></r>"),
        (ContentType::Form, "status=APPROVED"),
    ];
    for (as_type, answer) in types {
        for (outcome, _) in judged(as_type, answer, |_| {}).await {
            assert_eq!(outcome, Outcome::Approved, "{as_type:?}");
        }
        let server = Server::start(reply(200, "", answer.as_bytes())).await;
        let mut gateway = config(&server.url());
        gateway.response_type = as_type;
        for (charge, _) in of_both_kinds(&gateway) {
            assert_eq!(answered(&server, charge).await, Outcome::Approved);
        }
        for request in server.taken() {
            let line = format!("\r\nAccept: {}\r\n", as_type.as_str());
            assert!(request.contains(&line), "{as_type:?}");
        }
    }
    let json = r#"{"status":"APPROVED"}"#;
    for (outcome, _) in judged(ContentType::Xml, json, |_| {}).await {
        assert_eq!(outcome, Outcome::Unknown);
    }
}

#[tokio::test]
async fn w48_w74_rows_of_the_request_header_mapping_are_headers() {
    let rows = |gateway: &mut GatewayConfig| {
        gateway.request_headers = serde_json::from_value(serde_json::json!([
            { "name": "X-Client", "value": "Acme 7" },
            { "name": "X-Call", "value": "{call.id}" },
        ]))
        .unwrap();
    };
    for (head, body) in sent(rows).await {
        let head = format!("{head}\r\n").to_ascii_lowercase();
        assert!(head.contains("\r\nx-client: acme 7\r\n"), "{head}");
        assert!(head.contains("\r\nx-call: c1\r\n"), "{head}");
        assert!(!body.contains("Acme"));
    }
}

#[tokio::test]
async fn v13_v17_v25_a_request_holds_what_was_captured_and_typed_and_what_is_mapped() {
    let server = Server::start(reply(200, "", APPROVED)).await;
    let mut gateway = config(&server.url());
    gateway.request_params = vec![
        row("client", "Acme"),
        row("sum", "{payment.amount|minor|int}"),
    ];
    for (charge, keyed) in of_both_kinds(&gateway) {
        let charge = typed(
            charge,
            &[
                ("firstName", "Jane"),
                ("lastName", "Roe"),
                ("postalCode", "74101"),
                ("accountReference", "ACCT-778"),
            ],
        );
        assert_eq!(answered(&server, charge).await, Outcome::Approved);
        let request = server.taken().remove(0);
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let captured: Vec<String> = ["cardNumber", "routingNumber", "accountNumber"]
            .into_iter()
            .map(text)
            .filter(|value| !value.is_empty())
            .collect();
        assert!(captured == keyed, "what was keyed is not what was sent");
        assert_eq!(
            [
                "firstName",
                "lastName",
                "postalCode",
                "accountReference",
                "amount",
                "client"
            ]
            .map(text),
            ["Jane", "Roe", "74101", "ACCT-778", "120.50", "Acme"]
        );
        assert_eq!(body["sum"], 12_050);
        assert!(keyed.iter().all(|digits| !head.contains(digits)));
    }
}
