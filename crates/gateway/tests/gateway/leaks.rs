//! Captured values where they must not be.

use std::io;
use std::sync::{Arc, Mutex};

use domain::payment::Outcome;
use secret::SecretText;
use tracing_subscriber::fmt::MakeWriter;

use crate::charges::{card_charge, card_number, config, post, with_password};
use crate::server::{Act, Server, reply};

/// A log that is kept in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn message(number: &str, template: &str) -> String {
    let spaced = |separator: &str| {
        let groups: Vec<&str> = [0, 4, 8, 12]
            .iter()
            .map(|&at| &number[at..at + 4])
            .collect();
        groups.join(separator)
    };
    let text = template
        .replace("NUMBER", number)
        .replace("SPACED", &spaced(" "))
        .replace("DASHED", &spaced("-"))
        .replace("HIDDEN", &spaced("\\u200b"))
        .replace(
            "HEX",
            &number
                .bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        )
        .replace(
            "PERCENT",
            &number
                .bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>(),
        )
        .replace(
            "HTML",
            &number
                .bytes()
                .map(|byte| format!("&#{byte};"))
                .collect::<String>(),
        )
        .replace(
            "WIDE",
            &number
                .bytes()
                .map(|byte| char::from_u32(0xFF10 + u32::from(byte - b'0')).unwrap())
                .collect::<String>(),
        )
        .replace("LAST", &number[12..])
        .replace("FIRST", &number[..6]);
    let body = format!("{{\"status\":\"DECLINED\",\"text\":\"{text}\"}}");
    let server = Server::start(reply(200, "", body.as_bytes())).await;
    let answer = post(&server, card_charge(config(&server.url()), number)).await;
    let answer = answer.map_err(|not_sent| not_sent.detail).unwrap();
    assert_eq!(answer.verdict.outcome, Outcome::Declined);
    answer.message
}

#[tokio::test]
async fn a_credential_that_a_gateway_echoes_reaches_neither_the_agent_nor_an_output() {
    let body = br#"{"status":"DECLINED","text":"bad key s3cret-c\u0061nary or p4ss-canary, id 77","id":"S3CRET-CANARY/77"}"#;
    let server = Server::start(reply(200, "", body)).await;
    let gateway = config(&server.url());
    let mut charge = with_password(
        card_charge(gateway, &card_number()),
        "merchant",
        "p4ss-canary",
    );
    let secret = SecretText::new("s3cret-canary".to_owned());
    charge.secrets = vec![("key".to_owned(), secret)];
    charge.gateway.more.secrets = vec!["key".to_owned()];
    charge.gateway.agent_message_key = "text".to_owned();
    charge.gateway.more.outputs = vec![domain::gateway::Mapping {
        name: "transaction_id".to_owned(),
        value: "id".to_owned(),
    }];
    let answer = post(&server, charge).await;
    let answer = answer.map_err(|not_sent| not_sent.detail).unwrap();
    assert!(answer.message.starts_with("bad key "), "{}", answer.message);
    assert!(answer.message.ends_with(", id 77"), "{}", answer.message);
    let (_, output) = &answer.outputs[0];
    assert!(output.ends_with("/77"), "{output}");
    let shown = format!("{} {output}", answer.message).to_lowercase();
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn captured_values_never_reach_the_agent_in_a_message() {
    for template in [
        "card NUMBER refused",
        "card SPACED refused",
        "card DASHED refused",
        "card HIDDEN refused",
        "xNUMBERx",
        "9NUMBER9",
        "hexadecimal HEX",
        "percent PERCENT",
        "entities HTML",
        "full width WIDE",
        "ending in LAST",
        "begins with FIRST",
    ] {
        let number = card_number();
        let message = message(&number, template).await;
        let left: String = message.chars().filter(|c| c.is_numeric()).collect();
        assert!(
            left.len() <= 2,
            "{template}: {} digits are left",
            left.len()
        );
    }
}

#[tokio::test]
async fn other_captured_values_go_and_ordinary_numbers_stay() {
    let number = card_number();
    let text = message(
        &number,
        "code 737, expiry 03/30, error 051, call 1-800-555, ref 88",
    )
    .await;
    assert_eq!(
        text,
        "code \u{2022}\u{2022}\u{2022}, expiry \u{2022}\u{2022}/\u{2022}\u{2022}, error 051, call 1-800-555, ref 88"
    );
}

#[tokio::test]
async fn the_date_and_the_code_go_however_they_are_written() {
    let number = card_number();
    for template in [
        "03/2030",
        "2030-03",
        "30/03",
        "0330",
        "203003",
        "CVV737",
        "cvv2737",
        "03/30737",
        "737 03/2030",
        "7370330",
        "expires 3.2030, 03.2030",
        "3/30",
        "2030-3",
        "30.3.",
        "x0330737x",
        "id 12737",
    ] {
        let text = message(&number, template).await;
        let left: String = text.chars().filter(char::is_ascii_digit).collect();
        let kept = match template {
            "cvv2737" => "2",
            "id 12737" => "12",
            _ => "",
        };
        assert_eq!(left, kept, "{template}: {text}");
    }
    // A long reference of the gateway's own is left to be read.
    let reference = "ref 90073712345678";
    assert_eq!(message(&number, reference).await, reference);
}

/// What is kept of a value that a gateway gives.
async fn kept(number: &str, value: &str) -> String {
    let body = format!("{{\"status\":\"APPROVED\",\"id\":\"{value}\"}}");
    let server = Server::start(reply(200, "", body.as_bytes())).await;
    let mut charge = card_charge(config(&server.url()), number);
    charge.gateway.more.outputs = vec![domain::gateway::Mapping {
        name: "id".to_owned(),
        value: "id".to_owned(),
    }];
    let answer = post(&server, charge).await;
    let answer = answer.map_err(|not_sent| not_sent.detail).unwrap();
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    let mut outputs = answer.outputs;
    outputs.pop().map_or(String::new(), |(_, value)| value)
}

#[tokio::test]
async fn an_output_holds_no_captured_value_and_no_card_number_and_a_reference_stays_whole() {
    let number = card_number();
    let spaced = format!("{} {} {}", &number[..4], &number[4..8], &number[8..]);
    for gone in [
        number.clone(),
        spaced,
        format!("tok_{number}"),
        format!("9{number}9"),
        number[12..].to_owned(),
        "737".to_owned(),
        "0330".to_owned(),
        "7370330".to_owned(),
        "03/2030".to_owned(),
        // A token that looks like a card number.
        "4242424242424242".to_owned(),
        "4242 4242 4242 4242".to_owned(),
    ] {
        let kept = kept(&number, &gone).await;
        let left = kept.chars().filter(char::is_ascii_digit).count();
        assert!(left <= 2, "{left} digits are left");
    }
    let number = domain::capture::fixtures::CARDS[0].number;
    for whole in [
        "6750124114786780104953",
        "40000073703301",
        "737001",
        "A03307371",
        "ch_1737",
        // They pass the check of card numbers, and no card begins so.
        "993617895204576J",
        "8836067898462342",
    ] {
        assert_eq!(kept(number, whole).await, whole);
    }
    assert_eq!(kept(number, &"x".repeat(300)).await.len(), 200);
    assert_eq!(kept(number, " ").await, "");
}

#[tokio::test]
async fn a_message_is_one_line_of_plain_text() {
    let number = card_number();
    let text = message(
        &number,
        "<b>no</b>\\r\\n\\u001b[31mred \\u202egnol\\u2066 x",
    )
    .await;
    assert_eq!(text, "<b>no</b> [31mred gnol x");
    let long = message(&number, &"ab ".repeat(200)).await;
    assert_eq!(long.chars().count(), 200);
}

#[tokio::test]
async fn nothing_captured_and_no_credential_is_logged_at_any_level() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let number = card_number();
    let echo = format!("{{\"status\":\"DECLINED\",\"text\":\"{number} {number}\"}}");
    for act in [
        reply(200, "", echo.as_bytes()),
        Act::Reply(echo.clone().into_bytes()),
        Act::Reset,
        Act::Close,
        reply(500, &format!("X-Echo: {number}\r\n"), echo.as_bytes()),
    ] {
        let server = Server::start(act).await;
        let charge = with_password(
            card_charge(config(&server.url()), &number),
            "user",
            "hunter2-canary",
        );
        if let Err(not_sent) = post(&server, charge).await {
            assert!(!not_sent.detail.contains(&number[..6]));
        }
    }
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("charge answered"), "the log is there");
    for canary in [
        &number[..8],
        &number[8..],
        "hunter2",
        "aHVudGVy",
        "dXNlcjpodW50",
    ] {
        assert!(!written.contains(canary));
    }
}
