//! Previews, pasted answers and tests, with published values and canaries for what nobody may see.

use domain::boundary::PaymentGateway;
use domain::capture::WidgetKind;
use domain::capture::fixtures::{ACCOUNT_NUMBER, CARDS, ROUTING_NUMBERS};
use domain::gateway::trial::{
    GatewayTrials, MessageFrom, Pasted, Preview, PreviewPart, TestInstrument, Tested, Trial,
};
use domain::gateway::{
    AuthMethod, ContentType, GatewayConfig, KeyFound, Mapping, NotSentReason, Once, VerdictRule,
};
use domain::id::AttemptId;
use domain::money::Currency;
use domain::payment::Outcome;
use domain::time::UnixMillis;
use domain::widget::DemographicName;
use gateway::HttpsGateway;
use secret::SecretText;

use crate::charges::{card_charge, card_number, client, config};
use crate::server::{Act, Identity, Server, reply};

/// Not to be seen. Two letters of it are written otherwise in each kind of body.
const PASSWORD: &str = "pass\"w&rd-canary";
const HEADER: &str = "header-canary";
/// "merchant:pass..." in base64 (RFC 7617).
const BASIC: &str = "bWVyY2hhbnQ6cGFzcyJ3JnJkLWNhbmFyeQ==";
/// Of the card of `TestInstrument::Visa`; its last four are 1111.
const NUMBER: &str = CARDS[0].number;
const CODE: &str = CARDS[0].security_code;

pub(crate) fn trial_of(gateway: GatewayConfig, kind: WidgetKind, with: TestInstrument) -> Trial {
    Trial {
        kind,
        password: Some(SecretText::new(PASSWORD.to_owned())),
        gateway,
        with,
        currency: Currency::USD,
        asked: vec![DemographicName::FirstName, DemographicName::PostalCode],
        check: Default::default(),
        agent: "sid".to_owned(),
        attempt: AttemptId::from_random(77),
        show_message: true,
        secrets: Vec::new(),
        once: Once::from_random(UnixMillis(1_800_000_000_000), [7; 64]),
    }
}

fn card(gateway: GatewayConfig) -> Trial {
    trial_of(
        gateway,
        WidgetKind::CreditCardAdvanced,
        TestInstrument::Visa,
    )
}

fn row(name: &str, value: &str) -> Mapping {
    Mapping {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// With credentials, and every token that is made of what a consumer keys.
fn secretive(url: &str, as_type: ContentType) -> GatewayConfig {
    GatewayConfig {
        auth_method: AuthMethod::Basic,
        auth_user_name: "merchant".to_owned(),
        request_type: as_type,
        request_headers: vec![
            row("x-api-key", HEADER),
            row("X-Ref", "{payment.reference}"),
        ],
        request_params: vec![
            row("pan", "{card.number}"),
            row("begin", "{card.first6}"),
            row("end", "{card.last4}"),
            row("masked", "{card.masked}"),
            row("mixed", "<{card.expiry}/{card.security_code}>"),
            row("yy", "{card.expiry_year_short}"),
        ],
        ..config(url)
    }
}

fn text_of(parts: &[PreviewPart]) -> String {
    parts.iter().map(|part| &*part.text).collect()
}

fn whole(preview: &Preview) -> String {
    format!("{preview:?} {}", text_of(&preview.body))
}

/// The same bytes where something is shown, as many where it is hidden.
fn assert_same(shown: &[PreviewPart], sent: &str) {
    let mut rest = sent.chars();
    for part in shown {
        for c in part.text.chars() {
            let there = rest.next();
            let stands_for = part.hidden && c == '\u{2022}';
            assert!(
                there == Some(c) || (stands_for && there.is_some()),
                "{}",
                text_of(shown)
            );
        }
    }
    assert_eq!(rest.next(), None, "{}", text_of(shown));
}

async fn sent(server: &Server, trial: Trial) -> Tested {
    let tested = client(&[server.host()]).send(trial).await;
    tested.unwrap_or_else(|nothing| panic!("{nothing:?}"))
}

fn ok() -> Act {
    reply(200, "", br#"{"status":"APPROVED","text":"fine"}"#)
}

#[tokio::test]
async fn c23_a_preview_is_the_request_that_a_test_sends_in_all_three_types() {
    for as_type in [ContentType::Json, ContentType::Form, ContentType::Xml] {
        let server = Server::start(ok()).await;
        let gateway = secretive(&server.url(), as_type);
        let preview = client(&[]).preview(card(gateway.clone())).unwrap();
        sent(&server, card(gateway)).await;
        let (head, body) = server.request();
        let mut lines = head.split("\r\n");
        let path = preview
            .url
            .strip_prefix(&format!("https://{}", server.host()));
        let first = format!("{} {} HTTP/1.1", preview.method, path.unwrap());
        assert_eq!(lines.next(), Some(&*first));
        for header in &preview.headers {
            let (name, value) = lines.next().unwrap().split_once(": ").unwrap();
            assert_eq!(header.name, name);
            // A credential's length is not told.
            if !header.value.iter().any(|part| part.hidden) {
                assert_same(&header.value, value);
            }
        }
        assert_eq!(lines.next(), None);
        assert_same(&preview.body, &body);
    }
}

#[test]
fn c23_a_preview_shows_no_number_beyond_its_last_four_no_code_and_no_credential() {
    let url = "https://pay.example/charge?a=1";
    for as_type in [ContentType::Json, ContentType::Form, ContentType::TextXml] {
        let shown = client(&[]).preview(card(secretive(url, as_type))).unwrap();
        let text = whole(&shown);
        let dots = "\u{2022}".repeat(12);
        assert!(
            text_of(&shown.body).contains(&format!("{dots}1111")),
            "{text}"
        );
        for secret in [
            &NUMBER[..6],
            &NUMBER[6..12],
            CODE,
            PASSWORD,
            "canary",
            HEADER,
            BASIC,
        ] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("1.00") && text.contains("10001") && text.contains("Test"));
    }
}

#[test]
fn c23_a_preview_of_a_check_shows_no_digit_of_the_account() {
    let url = "https://pay.example/charge";
    let gateway = GatewayConfig {
        request_params: vec![row("account", "{check.account_number}")],
        ..config(url)
    };
    let trial = trial_of(gateway, WidgetKind::CheckAdvanced, TestInstrument::Account);
    let shown = client(&[]).preview(trial).unwrap();
    let text = whole(&shown);
    let dots = "\u{2022}".repeat(ACCOUNT_NUMBER.len());
    assert_eq!(text_of(&shown.body).matches(&dots).count(), 2, "{text}");
    for secret in [&ROUTING_NUMBERS[0][..4], &ACCOUNT_NUMBER[8..]] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn what_cannot_be_requested_is_told_and_not_shown() {
    let nothing = GatewayConfig {
        send_standard_parameters: false,
        ..config("https://pay.example/")
    };
    let xml = GatewayConfig {
        request_type: ContentType::Xml,
        request_params: vec![row("a.1b", "x")],
        ..config("https://pay.example/")
    };
    let huge = GatewayConfig {
        request_params: (0..64)
            .map(|n| row(&format!("p{n}"), &"x".repeat(2_000)))
            .collect(),
        ..config("https://pay.example/")
    };
    for (gateway, why) in [
        (nothing, "no parameter has a value"),
        (xml, "\"1b\" cannot be the name of an XML element"),
        (huge, "the request is too large"),
    ] {
        let refused = client(&[]).preview(card(gateway)).unwrap_err();
        assert_eq!(
            (refused.reason, &*refused.detail),
            (NotSentReason::Render, why)
        );
    }
}

/// The answer of a proxy that gives everything back.
fn echo() -> String {
    let spaced: Vec<&str> = [0, 4, 8, 12]
        .iter()
        .map(|&at| &NUMBER[at..at + 4])
        .collect();
    format!(
        "{{\"status\":\"DECLINED {NUMBER}\",\"text\":\"{NUMBER} {} cvv {CODE} {HEADER} {BASIC}\",\
         \"Authorization\":\"Basic {BASIC}\",\"password\":\"pass\\\"w&rd-canary\",\"form\":\"pass%22w%26rd-canary\"}}",
        spaced.join(" "),
    )
}

#[tokio::test]
async fn c23_what_a_gateway_echoes_is_in_no_part_of_a_tests_answer() {
    let server = Server::start(reply(200, "Content-Type: text/html\r\n", echo().as_bytes())).await;
    let tested = sent(&server, card(secretive(&server.url(), ContentType::Json))).await;
    assert_eq!(tested.judgement.outcome, Outcome::Declined);
    assert_eq!(tested.judgement.other_type.as_deref(), Some("text/html"));
    // Without the times: three of their digits may be the code by chance.
    let text = format!(
        "{:?} {:?} {:?}",
        tested.judgement, tested.why, tested.excerpt
    );
    let value = tested.judgement.value.as_deref();
    assert!(value.unwrap().starts_with("DECLINED "), "{text}");
    assert!(tested.excerpt.unwrap().contains("Authorization"));
    for secret in [&NUMBER[..6], "1111", CODE, "canary", BASIC] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_test_tells_how_long_each_phase_took_and_what_came() {
    let server = Server::start(ok()).await;
    let tested = sent(&server, card(config(&server.url()))).await;
    let judged = &tested.judgement;
    assert_eq!(
        (judged.rule, judged.status),
        (VerdictRule::Approved, Some(200))
    );
    assert_eq!(judged.path.as_deref(), Some("status"));
    assert_eq!(judged.value.as_deref(), Some("APPROVED"));
    assert_eq!(
        (&*judged.message, judged.message_from),
        ("fine", MessageFrom::Answer)
    );
    assert!(!tested.connected_in.is_zero());
    assert!(tested.head_in.unwrap() <= tested.ended_in);
    assert_eq!(
        tested.excerpt.as_deref(),
        Some(r#"{"status":"APPROVED","text":"fine"}"#)
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_test_without_an_answer_is_unknown_and_says_why() {
    let server = Server::start(Act::Hold).await;
    let mut gateway = config(&server.url());
    gateway.read_timeout_ms = 200;
    let tested = sent(&server, card(gateway)).await;
    assert_eq!(tested.judgement.rule, VerdictRule::NoAnswer);
    assert_eq!(tested.judgement.outcome, Outcome::Unknown);
    assert_eq!(tested.why.as_deref(), Some("no complete reply in time"));
    assert_eq!((tested.head_in, tested.excerpt), (None, None));
}

#[tokio::test]
async fn s4_a_host_that_nobody_approved_is_tested_at_a_public_address_and_gets_no_charge() {
    let server = Server::start(ok()).await;
    let strangers = client(&["pay.example".to_owned()]);
    let refused = strangers
        .send(card(config(&server.url())))
        .await
        .unwrap_err();
    assert_eq!(refused.reason, NotSentReason::HostNotApproved);
    assert!(refused.detail.contains("127.0.0.1"), "{}", refused.detail);
    assert_eq!(server.connections(), 0);
    // What is reached then is the network's, not the rule's to say: the rule lets it be looked for.
    let unlisted = config("https://no-such-host.invalid/");
    let refused = strangers.send(card(unlisted.clone())).await.unwrap_err();
    assert_eq!(refused.reason, NotSentReason::Resolve);
    let charge = card_charge(unlisted, &card_number());
    let refused = strangers.connect(charge).await.err().unwrap();
    assert_eq!(refused.reason, NotSentReason::HostNotApproved);
}

#[tokio::test]
async fn a_test_keeps_to_the_certificates_and_times_of_a_charge() {
    for (identity, reason) in [
        (Identity::SelfSigned, NotSentReason::Tls),
        (Identity::Expired, NotSentReason::Tls),
        (Identity::WrongHost, NotSentReason::Tls),
        (Identity::Mute, NotSentReason::ConnectTimeout),
    ] {
        let server = Server::with_identity(identity, ok()).await;
        let mut gateway = config(&server.url());
        gateway.connection_timeout_ms = 500;
        let refused = client(&[server.host()]).send(card(gateway)).await;
        assert_eq!(refused.unwrap_err().reason, reason, "{identity:?}");
    }
}

fn judged(gateway: &GatewayConfig, status: u16, body: &str) -> domain::gateway::trial::Judgement {
    let headers = [Mapping {
        name: "Content-Type".to_owned(),
        value: "application/json".to_owned(),
    }];
    let pasted = Pasted {
        operation: None,
        status,
        headers: &headers,
        body,
    };
    gateway_alone().judge(gateway, &pasted, true).unwrap()
}

fn gateway_alone() -> HttpsGateway {
    client(&[])
}

#[tokio::test]
async fn a_pasted_answer_is_judged_as_a_sent_one_is() {
    for (status, body) in [
        (200, r#"{"status":"APPROVED","text":"ok"}"#),
        (200, r#"{"a":{"status":"NO","text":"no funds"}}"#),
        (402, r#"{"status":"NO"}"#),
        (401, "{}"),
        (200, "{}"),
        (200, r#"{"status":"APPROVED","status":"NO"}"#),
        (503, r#"{"status":"APPROVED"}"#),
        (302, "{}"),
        (200, "<html>"),
        (200, ""),
    ] {
        let head = "Content-Type: application/json\r\n";
        let server = Server::start(reply(status, head, body.as_bytes())).await;
        let gateway = config(&server.url());
        let tested = sent(&server, card(gateway.clone())).await;
        assert_eq!(
            judged(&gateway, status, body),
            tested.judgement,
            "{status} {body}"
        );
    }
}

#[test]
fn a_verdict_names_the_path_that_was_matched() {
    let gateway = config("https://pay.example/");
    let judged = judged(&gateway, 200, r#"{"a":[{"x.y":{"status":"NO"}}]}"#);
    assert_eq!(judged.path.as_deref(), Some(r"a[0].x\.y.status"));
    assert_eq!(judged.value.as_deref(), Some("NO"));
    let xml = GatewayConfig {
        response_type: ContentType::Xml,
        success_key: "@code".to_owned(),
        success_value: "00".to_owned(),
        ..config("https://pay.example/")
    };
    let pasted = Pasted {
        operation: None,
        status: 200,
        headers: &[],
        body: "<r><result code='00'/></r>",
    };
    let found = gateway_alone().judge(&xml, &pasted, true).unwrap();
    assert_eq!(found.path.as_deref(), Some("/r/result/@code"));
    assert_eq!(
        (found.rule, found.other_type),
        (VerdictRule::Approved, None)
    );
}

#[test]
fn s19_a_pasted_message_is_scrubbed_cut_and_shown_only_where_it_is_allowed() {
    let gateway = config("https://pay.example/");
    let body = format!(
        r#"{{"status":"NO","text":"card {NUMBER}. {}"}}"#,
        "x".repeat(300)
    );
    let shown = judged(&gateway, 200, &body);
    assert_eq!(shown.message.chars().count(), 200);
    assert!(
        shown
            .message
            .starts_with(&format!("card {}.", "\u{2022}".repeat(16)))
    );
    let pasted = Pasted {
        operation: None,
        status: 200,
        headers: &[],
        body: &body,
    };
    let off = gateway_alone().judge(&gateway, &pasted, false).unwrap();
    assert_eq!((&*off.message, off.message_from), ("", MessageFrom::Off));
    let nowhere = judged(&gateway, 200, r#"{"status":"NO"}"#);
    assert_eq!(nowhere.message_from, MessageFrom::Nowhere);
    assert_eq!(nowhere.key, KeyFound::NotEqual);
    let no_key = GatewayConfig {
        agent_message_key: String::new(),
        ..gateway
    };
    assert_eq!(judged(&no_key, 200, &body).message_from, MessageFrom::NoKey);
}

/// With conditions, fall-back keys and outputs.
fn refined(service_url: &str) -> GatewayConfig {
    GatewayConfig {
        more: serde_json::from_value(serde_json::json!({
            "verdict": {
                "also": ["code exists"],
                "review": ["code = 4"],
                "declined": ["code = 2", "why ~ funds"],
            },
            "message_keys": ["why"],
            "outputs": [{ "name": "id", "value": "charge.id || charge" }, { "name": "trace", "value": "header:X-Trace" }],
        }))
        .unwrap(),
        ..config(service_url)
    }
}

#[test]
fn a_verdict_names_the_condition_that_decided() {
    let gateway = refined("https://pay.example/");
    for (status, body, rule, condition) in [
        (
            200,
            r#"{"status":"APPROVED","code":1}"#,
            VerdictRule::Approved,
            None,
        ),
        (
            200,
            r#"{"status":"APPROVED"}"#,
            VerdictRule::AlsoBroken,
            Some(("also", "code exists", None, None)),
        ),
        (
            200,
            r#"{"status":"NO","d":{"code":"4"}}"#,
            VerdictRule::ReviewFits,
            Some(("review", "code = 4", Some("d.code"), Some("4"))),
        ),
        (
            402,
            r#"{"status":"NO","why":"no funds"}"#,
            VerdictRule::DeclinedFits,
            Some(("declined", "why ~ funds", Some("why"), Some("no funds"))),
        ),
        (
            200,
            r#"{"status":"NO","code":9}"#,
            VerdictRule::DeclinedUnlisted,
            None,
        ),
        (
            503,
            r#"{"status":"NO","code":4}"#,
            VerdictRule::StatusUnclear,
            None,
        ),
    ] {
        let judged = judged(&gateway, status, body);
        assert_eq!(judged.rule, rule, "{body}");
        let found = judged.condition.as_ref();
        let found = found.map(|one| {
            (
                one.list.name(),
                &*one.line,
                one.path.as_deref(),
                one.value.as_deref(),
            )
        });
        assert_eq!(found, condition, "{body}");
    }
}

#[test]
fn a_judgement_shows_what_is_kept_and_where_everything_was_found() {
    let gateway = refined("https://pay.example/");
    let body =
        r#"{"status":"NO","code":2,"a":{"why":"funds"},"charge":{"id":"6750124114786780104953"}}"#;
    let judged = judged(&gateway, 200, body);
    assert_eq!(
        (&*judged.message, judged.message_path.as_deref()),
        ("funds", Some("a.why"))
    );
    let [output] = &judged.outputs[..] else {
        panic!("{judged:?}")
    };
    let expected = ("id", "6750124114786780104953", "charge.id");
    assert_eq!((&*output.name, &*output.value, &*output.path), expected);
}

#[tokio::test]
async fn a_header_is_kept_for_what_asks_for_it() {
    let head = "X-Trace: t-17\r\nX-Other: no\r\n";
    let server = Server::start(reply(200, head, br#"{"status":"APPROVED","code":1}"#)).await;
    let tested = sent(&server, card(refined(&server.url()))).await;
    let found: Vec<_> = tested.judgement.outputs.iter().collect();
    let [trace] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (&*trace.name, &*trace.value, &*trace.path),
        ("trace", "t-17", "header:x-trace")
    );
}

#[tokio::test]
async fn c23_an_output_holds_neither_credentials_nor_captured_values() {
    let body = format!(
        r#"{{"status":"APPROVED","code":1,"charge":"{NUMBER} {CODE} {HEADER} 9418594164541111"}}"#
    );
    let server = Server::start(reply(200, "", body.as_bytes())).await;
    let gateway = GatewayConfig {
        more: refined("https://pay.example/").more,
        ..secretive(&server.url(), ContentType::Json)
    };
    let tested = sent(&server, card(gateway)).await;
    let text = format!("{:?}", tested.judgement);
    assert_eq!(tested.judgement.outputs.len(), 1);
    for secret in [&NUMBER[..6], CODE, "canary"] {
        assert!(!text.contains(secret), "{text}");
    }
}
