//! What replies amount to.

use domain::gateway::ContentType;
use domain::payment::Outcome;

use crate::charges::{answer, card_charge, card_number, config, outcome, post};
use crate::server::{Act, Identity, Server, reply};

const APPROVED: &[u8] = br#"{"status":"APPROVED","text":"Thank you"}"#;
const DECLINED: &[u8] = br#"{"status":"DECLINED","text":"Insufficient funds"}"#;

#[tokio::test]
async fn status_and_key_make_the_verdict() {
    for (status, body, expected, alarm) in [
        (200, APPROVED, Outcome::Approved, false),
        (201, APPROVED, Outcome::Approved, false),
        (200, DECLINED, Outcome::Declined, false),
        (402, DECLINED, Outcome::Declined, false),
        (200, b"{}", Outcome::Unknown, false),
        (204, b"", Outcome::Unknown, false),
        (206, b"", Outcome::Unknown, false),
        (302, APPROVED, Outcome::Unknown, false),
        (400, b"nonsense", Outcome::Error, true),
        (401, b"", Outcome::Error, true),
        (404, b"<html>", Outcome::Error, true),
        (422, b"{}", Outcome::Error, true),
        (401, APPROVED, Outcome::Unknown, false),
        (408, DECLINED, Outcome::Unknown, false),
        (409, DECLINED, Outcome::Unknown, false),
        (429, b"", Outcome::Unknown, false),
        (500, APPROVED, Outcome::Unknown, false),
        (503, b"", Outcome::Unknown, false),
    ] {
        let server = Server::start(reply(status, "", body)).await;
        let answer = answer(&server).await;
        assert_eq!(
            (answer.verdict.outcome, answer.verdict.alarm, answer.status),
            (expected, alarm, Some(status)),
            "{status}"
        );
    }
}

#[tokio::test]
async fn the_message_is_shown_only_if_response_variables_are_on() {
    let server = Server::start(reply(200, "", DECLINED)).await;
    assert_eq!(answer(&server).await.message, "Insufficient funds");
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.show_message = false;
    let answer = post(&server, charge)
        .await
        .map_err(|not_sent| not_sent.detail)
        .unwrap();
    assert_eq!(
        (answer.message.as_str(), answer.verdict.outcome),
        ("", Outcome::Declined)
    );
}

#[tokio::test]
async fn the_configured_response_type_counts_and_the_content_type_does_not() {
    for (as_type, sent_as, body) in [
        (ContentType::Json, "text/html", "{\"status\":\"APPROVED\"}"),
        (
            ContentType::Form,
            "application/json",
            "status=APPROVED&text=a+b",
        ),
        (
            ContentType::Xml,
            "text/plain",
            "<r><status>APPROVED</status></r>",
        ),
        (
            ContentType::TextXml,
            "text/plain",
            "<r><status>APPROVED</status></r>",
        ),
        (
            ContentType::Text,
            "application/xml",
            "status=APPROVED\r\ntext=a",
        ),
    ] {
        let header = format!("Content-Type: {sent_as}\r\n");
        let server = Server::start(reply(200, &header, body.as_bytes())).await;
        let mut charge = card_charge(config(&server.url()), &card_number());
        charge.gateway.response_type = as_type;
        let answer = post(&server, charge)
            .await
            .map_err(|not_sent| not_sent.detail)
            .unwrap();
        assert_eq!(answer.verdict.outcome, Outcome::Approved, "{as_type:?}");
        assert!(
            server
                .request()
                .0
                .contains(&format!("\r\nAccept: {}\r\n", as_type.as_str()))
        );
    }
}

#[tokio::test]
async fn a_reply_counts_only_if_it_is_whole() {
    let whole = br#"{"status":"APPROVED"}"#;
    let text = std::str::from_utf8(whole).unwrap();
    let with_head =
        |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}").into_bytes();
    let chunk = format!("{:x}\r\n{text}\r\n", whole.len());
    for (act, expected) in [
        (Act::Reply(with_head("", text)), Outcome::Approved),
        (Act::ReplyAndVanish(with_head("", text)), Outcome::Unknown),
        (
            Act::Reply(with_head("Content-Length: 40\r\n", text)),
            Outcome::Unknown,
        ),
        (
            Act::Reply(with_head(
                "Transfer-Encoding: chunked\r\n",
                &format!("{chunk}0\r\n\r\n"),
            )),
            Outcome::Approved,
        ),
        (
            Act::Reply(with_head("Transfer-Encoding: chunked\r\n", &chunk)),
            Outcome::Unknown,
        ),
        (
            Act::ReplyAndVanish(with_head("Content-Length: 21\r\n", text)),
            Outcome::Approved,
        ),
        (
            Act::Reply(
                [
                    b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(),
                    with_head("", text),
                ]
                .concat(),
            ),
            Outcome::Approved,
        ),
        (Act::Reply(b"status=APPROVED".to_vec()), Outcome::Unknown),
        (Act::Reply(Vec::new()), Outcome::Unknown),
        (
            reply(200, "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\x00abc"),
            Outcome::Unknown,
        ),
    ] {
        let server = Server::start(act.clone()).await;
        assert_eq!(outcome(&server).await, expected, "{act:?}");
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}

#[tokio::test]
async fn tls_1_2_is_enough() {
    let server = Server::with_identity(Identity::Old, reply(200, "", APPROVED)).await;
    assert_eq!(outcome(&server).await, Outcome::Approved);
}
