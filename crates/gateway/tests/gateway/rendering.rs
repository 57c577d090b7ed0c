//! What is on the wire.

use domain::boundary::Charge;
use domain::capture::{Field, WidgetKind};
use domain::gateway::{ContentType, Mapping, NotSentReason};
use domain::payment::SecCodeRule;

use crate::charges::{
    card_charge, card_number, charge, config, post, refusal, typed, with_password,
};
use crate::server::{Server, reply};

async fn server() -> Server {
    Server::start(reply(200, "", br#"{"status":"APPROVED"}"#)).await
}

fn rows(pairs: &[(&str, &str)]) -> Vec<Mapping> {
    let row = |(name, value): &(&str, &str)| Mapping {
        name: (*name).into(),
        value: (*value).into(),
    };
    pairs.iter().map(row).collect()
}

/// Sends it; the reply does not matter.
async fn sent(server: &Server, charge: Charge) -> (String, String) {
    if let Err(not_sent) = post(server, charge).await {
        panic!("{}", not_sent.detail);
    }
    server.request()
}

const TYPED: [(&str, &str); 4] = [
    ("firstName", "Zo\u{eb}"),
    ("lastName", "O'Brien & \"Sons\" <x>"),
    ("description", "a\\b=c+d;\u{202e}"),
    ("city", ""),
];

#[tokio::test]
async fn a_card_charge_has_the_standard_parameters_in_all_three_types() {
    let number = card_number();
    for (as_type, expected) in [
        (
            ContentType::Json,
            format!(
                "{{\"cardNumber\":\"{number}\",\"expiryMonth\":\"03\",\"expiryYear\":\"2030\",\"securityCode\":\"737\",\"cardType\":\"Visa\",\
                 \"amount\":\"120.50\",\"currency\":\"USD\",\"reference\":\"R-1\",\"description\":\"a\\\\b=c+d;\u{202e}\",\
                 \"firstName\":\"Zo\u{eb}\",\"lastName\":\"O'Brien & \\\"Sons\\\" <x>\"}}"
            ),
        ),
        (
            ContentType::Form,
            format!(
                "cardNumber={number}&expiryMonth=03&expiryYear=2030&securityCode=737&cardType=Visa&amount=120.50&currency=USD&reference=R-1\
                 &description=a%5Cb%3Dc%2Bd%3B%E2%80%AE&firstName=Zo%C3%AB&lastName=O%27Brien+%26+%22Sons%22+%3Cx%3E"
            ),
        ),
        (
            ContentType::Xml,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><payment><cardNumber>{number}</cardNumber><expiryMonth>03</expiryMonth>\
                 <expiryYear>2030</expiryYear><securityCode>737</securityCode><cardType>Visa</cardType><amount>120.50</amount>\
                 <currency>USD</currency><reference>R-1</reference><description>a\\b=c+d;\u{202e}</description><firstName>Zo\u{eb}</firstName>\
                 <lastName>O'Brien &amp; \"Sons\" &lt;x&gt;</lastName></payment>"
            ),
        ),
    ] {
        let server = server().await;
        let mut charge = typed(card_charge(config(&server.url()), &number), &TYPED);
        charge.gateway.request_type = as_type;
        charge.reference = "R-1".into();
        let (head, body) = sent(&server, charge).await;
        assert!(body == expected, "{as_type:?}");
        assert!(head.contains(&format!("\r\nContent-Type: {}\r\n", as_type.as_str())));
        assert!(head.contains(&format!("\r\nContent-Length: {}", expected.len())));
    }
}

#[tokio::test]
async fn a_check_charge_has_routing_and_account() {
    let server = server().await;
    let keyed = [
        (Field::RoutingNumber, "021000021"),
        (Field::AccountNumber, "0012345"),
    ];
    let charge = charge(config(&server.url()), WidgetKind::CheckAdvanced, &keyed);
    let charge = typed(
        charge,
        &[
            ("accountType", "checking"),
            ("accountHolder", "not a standard parameter"),
            ("reference", "INV 7"),
            ("arrangementType", "plan"),
            ("arrangementCount", "6"),
        ],
    );
    let (_, body) = sent(&server, charge).await;
    assert_eq!(
        body,
        r#"{"routingNumber":"021000021","accountNumber":"0012345","accountType":"checking","amount":"120.50","currency":"USD","reference":"INV 7","arrangementType":"plan","arrangementCount":"6"}"#
    );
}

/// Words of a check as gateways want them: whose account it is, of which type, under which SEC code, and the holder's name (GATEWAYS 1d, 4).
#[tokio::test]
async fn w65_a_check_tells_its_account_its_holder_and_the_sec_code_that_follows() {
    let keyed = [
        (Field::RoutingNumber, "021000021"),
        (Field::AccountNumber, "0012345"),
    ];
    let typed_too = [
        ("firstName", "Pat"),
        ("lastName", "Roe"),
        ("company", "Roe Ltd"),
    ];
    for (account, rule, expected) in [
        (
            "checking",
            SecCodeRule::ByHolder,
            "ECHK personal TEL Pat Roe",
        ),
        (
            "savings",
            SecCodeRule::ByHolder,
            "ESAV personal TEL Pat Roe",
        ),
        (
            "business_checking",
            SecCodeRule::ByHolder,
            "ECHK business CCD Roe Ltd",
        ),
        (
            "business_savings",
            SecCodeRule::Tel,
            "ESAV business TEL Roe Ltd",
        ),
        ("checking", SecCodeRule::Ppd, "ECHK personal PPD Pat Roe"),
    ] {
        let server = server().await;
        let mut gateway = config(&server.url());
        gateway.send_standard_parameters = false;
        gateway.request_type = ContentType::Json;
        let words = "{check.account_type|map:checking=ECHK,savings=ESAV} {check.holder_type} \
                     {check.sec_code} {check.holder_name}";
        gateway.request_params = rows(&[("said", words)]);
        let values = [&typed_too[..], &[("accountType", account)]].concat();
        let mut charge = typed(charge(gateway, WidgetKind::CheckAdvanced, &keyed), &values);
        charge.check.sec_code = rule;
        let (_, body) = sent(&server, charge).await;
        assert_eq!(body, format!(r#"{{"said":"{expected}"}}"#));
    }
}

#[tokio::test]
async fn pay_now_sends_no_arrangement() {
    let server = server().await;
    let charge = card_charge(config(&server.url()), &card_number());
    let (_, body) = sent(
        &server,
        typed(
            charge,
            &[
                ("arrangementType", "now"),
                ("arrangementDate", "2030-01-01"),
            ],
        ),
    )
    .await;
    assert!(!body.contains("arrangement"));
}

#[tokio::test]
async fn a_six_digit_expiry_has_its_year_as_keyed() {
    let server = server().await;
    let keyed = [
        (Field::CardNumber, card_number()),
        (Field::Expiry, "122031".to_owned()),
    ];
    let keyed = keyed
        .each_ref()
        .map(|(field, digits)| (*field, digits.as_str()));
    let mut charge = charge(
        config(&server.url()),
        WidgetKind::CreditCardAdvanced,
        &keyed,
    );
    charge.gateway.request_params = rows(&[("mmyy", "{card.expiry}")]);
    let (_, body) = sent(&server, charge).await;
    assert!(body.contains(r#""expiryMonth":"12","expiryYear":"2031","cardType""#));
    assert!(body.ends_with(r#""mmyy":"1231"}"#));
}

#[tokio::test]
async fn mappings_replace_and_add() {
    let server = server().await;
    let number = card_number();
    let mut charge = card_charge(config(&server.url()), &number);
    charge.reference = "R-2".into();
    let attempt = charge.attempt.to_string();
    charge.gateway.request_params = rows(&[
        ("merchant", "M1"),
        ("currency", "usd"),
        ("cardType", ""),
        ("expiryYear", "{card.expiry_year_short}"),
        ("masked", "{card.masked}/{card.last4}"),
        ("note", "{agent.name} on {call.called}: {form.city}"),
        ("key", "{payment.attempt}|{payment.amount_minor}"),
    ]);
    let (_, body) = sent(&server, charge).await;
    let (first, last) = (&number[..6], &number[12..]);
    let expected = format!(
        "{{\"cardNumber\":\"{number}\",\"expiryMonth\":\"03\",\"expiryYear\":\"30\",\"securityCode\":\"737\",\"amount\":\"120.50\",\
         \"currency\":\"usd\",\"reference\":\"R-2\",\"merchant\":\"M1\",\"masked\":\"{first}******{last}/{last}\",\
         \"note\":\"Kim on 4000: \",\"key\":\"{attempt}|12050\"}}"
    );
    assert!(body == expected);
}

#[tokio::test]
async fn without_the_tick_only_mappings_are_sent() {
    let server = server().await;
    let number = card_number();
    let mut charge = card_charge(config(&server.url()), &number);
    charge.gateway.send_standard_parameters = false;
    charge.gateway.request_type = ContentType::Form;
    charge.gateway.request_params = rows(&[
        ("card[number]", "{card.number}"),
        ("amount", "{payment.amount}"),
    ]);
    let (_, body) = sent(&server, charge).await;
    assert!(body == format!("card%5Bnumber%5D={number}&amount=120.50"));
}

#[tokio::test]
async fn the_head_has_each_header_once_and_no_captured_value() {
    let server = server().await;
    let number = card_number();
    let mut charge = with_password(
        card_charge(config(&server.url()), &number),
        "user",
        "p\u{e4}ss:word",
    );
    charge.gateway.request_headers = rows(&[
        ("x-api-key", "k-1 {payment.reference}"),
        ("User-Agent", "Shop/1"),
    ]);
    charge.reference = "R-3".into();
    let (head, _) = sent(&server, charge).await;
    for line in [
        "POST /charge HTTP/1.1",
        &format!("Host: {}", server.host()),
        "Content-Type: application/json",
        "Accept: application/json",
        "Authorization: Basic dXNlcjpww6Rzczp3b3Jk",
        "X-Api-Key: k-1 R-3",
        "User-Agent: Shop/1",
        "Connection: close",
    ] {
        assert_eq!(
            head.split("\r\n").filter(|there| *there == line).count(),
            1,
            "{line}"
        );
    }
    assert!(!head.contains(&number[..6]) && !head.to_ascii_lowercase().contains("accept-encoding"));
}

#[tokio::test]
async fn an_empty_password_is_allowed_and_a_colon_in_the_user_is_not() {
    let server = server().await;
    let mut charge = with_password(
        card_charge(config(&server.url()), &card_number()),
        "key",
        "",
    );
    charge.password = None;
    assert!(
        sent(&server, charge)
            .await
            .0
            .contains("Authorization: Basic a2V5Og==")
    );
    let charge = with_password(
        card_charge(config(&server.url()), &card_number()),
        "a:b",
        "",
    );
    assert_eq!(refusal(&server, charge).await.reason, NotSentReason::Render);
}

#[tokio::test]
async fn headers_that_cannot_or_must_not_be_set_are_refused() {
    let server = server().await;
    for (name, value) in [
        ("x", "a\r\nHost: evil"),
        ("x", "a\0"),
        ("x", "a\u{7f}"),
        ("x\r\ny", "a"),
        ("x y", "a"),
        ("", "a"),
        ("x", "{card.number}"),
        ("x", "{card.last4}"),
        ("x", "{check.account_number}"),
        ("x", "{no.such}"),
        ("Host", "evil"),
        ("content-length", "1"),
        ("Transfer-Encoding", "chunked"),
        ("authorization", "Bearer x"),
        ("Content-Type", "text/plain"),
        ("ACCEPT", "x"),
        ("Connection", "keep-alive"),
    ] {
        let mut charge = card_charge(config(&server.url()), &card_number());
        charge.gateway.request_headers = rows(&[(name, value)]);
        assert_eq!(
            refusal(&server, charge).await.reason,
            NotSentReason::Render,
            "{name:?}"
        );
    }
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.gateway.request_headers = rows(&[("x", "1"), ("X", "2")]);
    assert_eq!(refusal(&server, charge).await.reason, NotSentReason::Render);
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.form.values.insert("city".into(), "a\r\nb: c".into());
    charge.gateway.request_headers = rows(&[("x", "{form.city}")]);
    assert_eq!(refusal(&server, charge).await.reason, NotSentReason::Render);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn requests_that_cannot_be_made_are_refused() {
    let server = server().await;
    let base = || card_charge(config(&server.url()), &card_number());
    let mut text = base();
    text.gateway.request_type = ContentType::Text;
    let mut element = base();
    element.gateway.request_type = ContentType::Xml;
    element.gateway.request_params = rows(&[("a b", "1")]);
    let mut control = base();
    control.gateway.request_type = ContentType::TextXml;
    control.form.values.insert("city".into(), "a\u{1}".into());
    let mut huge = base();
    huge.form
        .values
        .insert("description".into(), "x".repeat(70_000));
    let mut nothing = base();
    nothing.gateway.send_standard_parameters = false;
    for charge in [text, element, control, huge, nothing] {
        assert_eq!(refusal(&server, charge).await.reason, NotSentReason::Render);
    }
    assert_eq!(server.connections(), 0);
}
