//! Charges that are not sent, and charges whose answer never comes.

use std::time::{Duration, Instant};

use domain::boundary::{Charge, PaymentGateway};
use domain::capture::Field;
use domain::gateway::NotSentReason;
use domain::payment::Outcome;
use gateway::{GatewayPolicy, HttpsGateway};

use crate::charges::{card_charge, card_number, client, config, outcome, post, refusal};
use crate::server::{Act, Identity, Server, authority, reply};

fn digits_left(charge: &Charge) -> usize {
    charge.slot.len(Field::CardNumber.slot_index())
}

#[tokio::test]
async fn a_refused_port_is_not_sent_and_the_digits_are_kept() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let host = format!("127.0.0.1:{port}");
    let charge = card_charge(config(&format!("https://{host}/")), &card_number());
    let not_sent = client(&[host]).connect(charge).await.err().unwrap();
    assert_eq!(
        (not_sent.reason, digits_left(&not_sent.charge)),
        (NotSentReason::Connect, 16)
    );
}

#[tokio::test]
async fn a_host_without_an_address_is_not_sent() {
    let host = "no-such-host.invalid".to_owned();
    let charge = card_charge(config(&format!("https://{host}/")), &card_number());
    let not_sent = client(&[host]).connect(charge).await.err().unwrap();
    assert_eq!(
        (not_sent.reason, digits_left(&not_sent.charge)),
        (NotSentReason::Resolve, 16)
    );
}

#[tokio::test]
async fn only_approved_hosts_are_connected_to() {
    let server = Server::start(reply(200, "", b"{}")).await;
    let gateway = config(&server.url());
    let strangers = client(&["pay.example".to_owned()]);
    assert!(!strangers.host_approved(&gateway));
    let not_sent = strangers
        .connect(card_charge(gateway.clone(), &card_number()))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (not_sent.reason, digits_left(&not_sent.charge)),
        (NotSentReason::HostNotApproved, 16)
    );
    assert!(client(&[server.host()]).host_approved(&gateway));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_host_approved_by_a_person_may_not_lead_inside() {
    let server = Server::start(reply(200, "", b"{}")).await;
    let policy = GatewayPolicy {
        extra_roots: vec![authority()],
        ..GatewayPolicy::default()
    };
    let charge = card_charge(config(&server.url()), &card_number());
    let gateway = HttpsGateway::new(policy).unwrap();
    gateway.set_approved_hosts(vec![server.host()]);
    assert!(gateway.host_approved(&charge.gateway));
    let not_sent = gateway.connect(charge).await.err().unwrap();
    assert_eq!(not_sent.reason, NotSentReason::HostNotApproved);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn s4_a_withdrawn_host_gets_no_further_charge() {
    let gateway = HttpsGateway::new(GatewayPolicy {
        extra_roots: vec![authority()],
        ..GatewayPolicy::default()
    })
    .unwrap();
    let config = config("https://pay.example/charge");
    gateway.set_approved_hosts(vec!["pay.example:443".to_owned()]);
    assert!(gateway.host_approved(&config));
    gateway.set_approved_hosts(Vec::new());
    assert!(!gateway.host_approved(&config));
    let charge = card_charge(config, &card_number());
    let not_sent = gateway.connect(charge).await.err().unwrap();
    assert_eq!(not_sent.reason, NotSentReason::HostNotApproved);
}

#[tokio::test]
async fn connection_timeout_covers_the_handshake() {
    let server = Server::with_identity(Identity::Mute, Act::Hold).await;
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.gateway.connection_timeout_ms = 500;
    let began = Instant::now();
    let not_sent = refusal(&server, charge).await;
    assert_eq!(
        (not_sent.reason, digits_left(&not_sent.charge)),
        (NotSentReason::ConnectTimeout, 16)
    );
    assert_within(began.elapsed(), 450, 1_500);
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_not_sent_to() {
    for identity in [
        Identity::Expired,
        Identity::NotYetValid,
        Identity::WrongHost,
        Identity::SelfSigned,
        Identity::UnknownAuthority,
        Identity::Plain,
    ] {
        let server = Server::with_identity(identity, reply(200, "", b"{}")).await;
        let not_sent = refusal(&server, card_charge(config(&server.url()), &card_number())).await;
        assert_eq!(
            (not_sent.reason, digits_left(&not_sent.charge)),
            (NotSentReason::Tls, 16),
            "{identity:?}"
        );
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_first_byte_is_not_sent() {
    for act in [
        Act::Close,
        Act::ReplyAtOnce(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
    ] {
        let server = Server::start(act).await;
        let charge = card_charge(config(&server.url()), &card_number());
        let ready = client(&[server.host()])
            .connect(charge)
            .await
            .map_err(|not_sent| not_sent.detail)
            .unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let not_sent = ready.send().await.err().unwrap();
        assert_eq!(
            (not_sent.reason, digits_left(&not_sent.charge)),
            (NotSentReason::Connect, 16)
        );
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn an_abandoned_charge_comes_back_and_nothing_was_written() {
    let server = Server::start(reply(200, "", b"{}")).await;
    let charge = card_charge(config(&server.url()), &card_number());
    let ready = client(&[server.host()])
        .connect(charge)
        .await
        .map_err(|not_sent| not_sent.detail)
        .unwrap();
    assert_eq!(digits_left(&ready.abandon()), 16);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_unknown_at_the_read_timeout() {
    let server = Server::start(Act::Hold).await;
    let mut charge = card_charge(config(&server.url()), &card_number());
    charge.gateway.read_timeout_ms = 1_000;
    let began = Instant::now();
    let answer = post(&server, charge)
        .await
        .map_err(|not_sent| not_sent.detail)
        .unwrap();
    assert_eq!(
        (answer.verdict.outcome, answer.status),
        (Outcome::Unknown, None)
    );
    assert_within(began.elapsed(), 950, 2_500);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_reset_after_the_request_is_unknown_and_nothing_is_sent_again() {
    let server = Server::start(Act::Reset).await;
    assert_eq!(outcome(&server).await, Outcome::Unknown);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((server.connections(), server.requests().len()), (1, 1));
}

#[tokio::test]
async fn endless_and_oversized_replies_are_unknown() {
    let long_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    let many_heads = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: a\r\n".repeat(200));
    for act in [
        Act::Flood(10_000_000),
        Act::Reply(long_head.into_bytes()),
        Act::Reply(many_heads.into_bytes()),
        Act::Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n{}".to_vec()),
    ] {
        let server = Server::start(act).await;
        // What ends such an answer is its size, not the time.
        let mut charge = card_charge(config(&server.url()), &card_number());
        charge.gateway.read_timeout_ms = 60_000;
        let began = Instant::now();
        let answer = post(&server, charge)
            .await
            .map_err(|not_sent| not_sent.detail)
            .unwrap();
        assert_eq!(answer.verdict.outcome, Outcome::Unknown);
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

fn assert_within(elapsed: Duration, least_ms: u64, most_ms: u64) {
    let range = Duration::from_millis(least_ms)..Duration::from_millis(most_ms);
    assert!(range.contains(&elapsed), "{elapsed:?}");
}

#[test]
fn a_file_without_certificates_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    for text in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
    ] {
        std::fs::write(&path, text).unwrap();
        let error = gateway::read_roots(&path).unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{text}");
    }
    assert!(gateway::read_roots(&folder.path().join("none.pem")).is_err());
}
