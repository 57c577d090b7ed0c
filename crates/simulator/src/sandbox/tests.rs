use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::order::Order;
use super::*;

async fn start(folder: &Path, address: &str) -> Result<Sandbox, SandboxError> {
    let config = SandboxConfig {
        address: address.parse().unwrap(),
        folder: folder.to_owned(),
        credentials: None,
    };
    Sandbox::start(config).await
}

/// One request of a stranger who trusts the file; the whole reply.
async fn ask(sandbox: &Sandbox, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(sandbox.ca_file()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(sandbox.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, tcp)
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply).await;
    reply
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const ORDER: &str =
    r#"{"accountNumber":"0012345","amount":"10.00","currency":"USD","reference":"R-1"}"#;

#[tokio::test]
async fn it_serves_this_machine_only_and_names_a_taken_port() {
    let folder = tempfile::tempdir().unwrap();
    let foreign: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = start(folder.path(), "0.0.0.0:0").await.err().unwrap();
    assert!(matches!(refused, SandboxError::ConfigNotLoopback(address) if address == foreign));
    let first = start(folder.path(), "127.0.0.1:0").await.unwrap();
    let refused = start(folder.path(), &first.address().to_string())
        .await
        .err()
        .unwrap();
    assert!(refused.to_string().contains(&first.address().to_string()));
}

#[tokio::test]
async fn the_script_and_the_ledger_are_there_for_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    assert!(
        ask(&sandbox, &post("/script", r#"{"next":["do_not_honour"]}"#))
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        ask(&sandbox, &post("/charge", ORDER))
            .await
            .contains(r#""text":"Do not honour""#)
    );
    assert!(
        ask(&sandbox, &post("/charge", ORDER))
            .await
            .contains(r#""status":"APPROVED""#)
    );
    let ledger = ask(
        &sandbox,
        "GET /ledger HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )
    .await;
    let (_, rows) = ledger.split_once("\r\n\r\n").unwrap();
    let rows: Vec<LedgerRow> = serde_json::from_str(rows).unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.status, row.reference.as_str(), row.last_four.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (RowStatus::Declined, "R-1", "2345"),
            (RowStatus::Charged, "R-1", "2345")
        ]
    );
    assert_eq!(rows, sandbox.ledger().unwrap());
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_charge_is_found_by_its_reference_after_a_restart_though_nobody_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    let asked = ask(&sandbox, &get("/charges/R-1")).await;
    assert!(asked.starts_with("HTTP/1.1 404"), "{asked}");
    ask(&sandbox, &post("/charge", &ORDER.replace("10.00", "10.05"))).await;
    let asked = ask(&sandbox, &get("/charges/R-1")).await;
    assert!(asked.contains(r#""status":"DECLINED""#), "{asked}");
    sandbox.script(Behaviour::ChargeThenReset).unwrap();
    let reset = ask(&sandbox, &post("/charge", ORDER)).await;
    assert!(reset.is_empty(), "{reset}");
    drop(sandbox);
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    let asked = ask(&sandbox, &get("/charges/R-1")).await;
    for part in [
        r#""status":"APPROVED""#,
        r#""reference":"R-1""#,
        r#""authCode":"A00002""#,
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
}

#[tokio::test]
async fn no_more_goes_back_than_was_charged_and_nothing_after_a_void() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    for _ in 0..2 {
        ask(&sandbox, &post("/charge", ORDER)).await;
    }
    let refund = |of: &str, amount: &str| {
        let body = format!(r#"{{"authCode":"{of}","amount":"{amount}"}}"#);
        post("/refund", &body)
    };
    let void = |of: &str| post("/void", &format!(r#"{{"authCode":"{of}"}}"#));
    for (request, says) in [
        (refund("A00001", "4.5"), "Approved"),
        (refund("A00001", "5.51"), "more than was charged"),
        (refund("A00001", "5.05"), "Declined"),
        (refund("A00001", "-1"), "no number"),
        (void("A00001"), "refunded"),
        (refund("A00001", "5.50"), "Approved"),
        (void("A00002"), "Approved"),
        (void("A00002"), "voided"),
        (refund("A00002", "1.00"), "voided"),
        (refund("A00003", "1.00"), "no charge"),
        (post("/void", "{}"), "authCode is missing"),
    ] {
        let reply = ask(&sandbox, &request).await;
        assert!(reply.contains(says), "{request}: {reply}");
    }
    let rows = sandbox.ledger().unwrap();
    let followed = rows.iter().filter(|row| !row.of.is_empty());
    let followed: Vec<_> = followed
        .map(|row| (row.status, row.of.as_str(), row.amount.as_str()))
        .collect();
    assert_eq!(
        followed,
        [
            (RowStatus::Refunded, "A00001", "4.5"),
            (RowStatus::Declined, "A00001", "5.05"),
            (RowStatus::Refunded, "A00001", "5.50"),
            (RowStatus::Voided, "A00002", "10.00"),
        ]
    );
}

#[tokio::test]
async fn a_plan_belongs_to_a_charge_and_has_a_row_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    let plan = |code: &str| {
        let plan = format!(
            r#"{{"amount":"37.50","currency":"USD","reference":"R-1","authCode":"{code}","startDate":"2026-12-01","count":"3","each":"12.50"}}"#
        );
        post("/schedule", &plan)
    };
    let stray = ask(&sandbox, &plan("A00001")).await;
    assert!(stray.starts_with("HTTP/1.1 404"), "{stray}");
    ask(&sandbox, &post("/charge", ORDER)).await;
    let scheduled = ask(&sandbox, &plan("A00001")).await;
    assert!(scheduled.contains(r#""status":"APPROVED""#), "{scheduled}");
    let rows = sandbox.ledger().unwrap();
    let seen = |row: &LedgerRow| (row.status, row.kind.clone(), row.amount.clone());
    let told = |status, kind: &str, amount: &str| (status, kind.to_owned(), amount.to_owned());
    assert_eq!(
        Vec::from_iter(rows.iter().map(seen)),
        [
            told(RowStatus::Charged, "check", "10.00"),
            told(RowStatus::Scheduled, "plan", "37.50")
        ]
    );
    let lacking = ask(&sandbox, &post("/schedule", ORDER)).await;
    assert!(lacking.contains("authCode is missing"), "{lacking}");
}

#[tokio::test]
async fn what_is_stored_is_no_charge_and_may_have_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    let order = r#"{"reference":"R-1","currency":"USD","accountNumber":"0012345"}"#;
    let stored = ask(&sandbox, &post("/store", order)).await;
    assert!(stored.contains(r#""authCode":"A00001""#), "{stored}");
    let refund = ask(&sandbox, &post("/refund", r#"{"authCode":"A00001"}"#)).await;
    assert!(refund.starts_with("HTTP/1.1 404"), "{refund}");
    let inquiry = "GET /charges/R-1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let unknown = ask(&sandbox, inquiry).await;
    assert!(unknown.starts_with("HTTP/1.1 404"), "{unknown}");
    let plan = r#"{"amount":"37.50","currency":"USD","reference":"R-1","authCode":"A00001","startDate":"2026-12-01","count":"1","each":"37.50"}"#;
    let scheduled = ask(&sandbox, &post("/schedule", plan)).await;
    assert!(scheduled.contains(r#""status":"APPROVED""#), "{scheduled}");
    let rows = sandbox.ledger().unwrap();
    let seen = |row: &LedgerRow| (row.status, row.of.clone(), row.amount.clone());
    let told = |status, of: &str, amount: &str| (status, of.to_owned(), amount.to_owned());
    assert_eq!(
        Vec::from_iter(rows.iter().map(seen)),
        [
            told(RowStatus::Stored, "", ""),
            told(RowStatus::Scheduled, "A00001", "37.50")
        ]
    );
    assert_eq!(rows[0].last_four, "2345");
    let nothing = ask(&sandbox, &post("/store", r#"{"reference":"R-1"}"#)).await;
    assert!(nothing.contains("cardNumber is missing"), "{nothing}");
}

#[tokio::test]
async fn an_answer_repeats_the_description_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    sandbox.script(Behaviour::DeclineWithDescription).unwrap();
    let order = ORDER.replace("R-1\"", "R-1\",\"description\":\"<b>Two</b>\"");
    let answer = ask(&sandbox, &post("/charge", &order)).await;
    assert!(answer.contains(r#""status":"DECLINED","text":"<b>Two</b>""#));
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    for (request, status, says) in [
        (post("/charge", "{}"), "400", "amount is missing"),
        (
            post("/charge", r#"{"amount":"1.00","reference":"r"}"#),
            "400",
            "cardNumber is missing",
        ),
        (post("/charge", "x"), "400", "no application/json"),
        (post("/charge", &"x".repeat(70_000)), "413", "too large"),
        (post("/script", r#"{"next":["steal"]}"#), "400", "next"),
        (
            post(
                "/script",
                &format!("{{\"next\":[{}\"decline\"]}}", "\"decline\",".repeat(1_000)),
            ),
            "400",
            "1000",
        ),
        (post("/elsewhere", "{}"), "404", "/charge"),
    ] {
        let reply = ask(&sandbox, &request).await;
        assert!(
            reply.starts_with(&format!("HTTP/1.1 {status}")) && reply.contains(says),
            "{reply}"
        );
    }
    assert!(sandbox.ledger().unwrap().is_empty());
}

#[tokio::test]
async fn the_ledger_outlives_a_restart_and_a_cut_line() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    ask(&sandbox, &post("/charge", ORDER)).await;
    drop(sandbox);
    let file = folder.path().join("sandbox-ledger.jsonl");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{whole}{{\"at_ms\":17")).unwrap();
    let sandbox = start(folder.path(), "127.0.0.1:0").await.unwrap();
    ask(&sandbox, &post("/charge", ORDER)).await;
    let codes: Vec<String> = sandbox
        .ledger()
        .unwrap()
        .into_iter()
        .map(|row| row.auth_code)
        .collect();
    assert_eq!(codes, ["A00001", "A00002"]);
}

#[test]
fn all_three_types_are_read_and_nothing_else() {
    let read = |kind: &str, body: &str| {
        Order::parse(kind, body.as_bytes()).map(|order| order.text("lastName").to_owned())
    };
    let xml = "<?xml version=\"1.0\"?><payment><accountNumber>1</accountNumber><amount>1</amount><reference>r</reference><lastName>O&amp;&#66;<![CDATA[<]]></lastName></payment>";
    let form = "accountNumber=1&amount=1&reference=r&lastName=O%26B%3C";
    assert_eq!(read("application/xml", xml).as_deref(), Ok("O&B<"));
    assert_eq!(read("text/xml; charset=utf-8", xml).as_deref(), Ok("O&B<"));
    assert_eq!(
        read("application/x-www-form-urlencoded", form).as_deref(),
        Ok("O&B<")
    );
    for (kind, body) in [
        ("application/json", form),
        ("text/plain", form),
        ("", ORDER),
        ("application/xml", "<!DOCTYPE x><payment/>"),
        ("application/xml", "<payment><a><b>1</b></a></payment>"),
        ("application/xml", "<payment>"),
        ("application/json", r#"{"amount":{"value":1}}"#),
    ] {
        assert!(read(kind, body).is_err(), "{kind} {body}");
    }
}

#[test]
fn cents_mean_what_is_documented() {
    for (amount, behaviour) in [
        ("10.00", Behaviour::Approve),
        ("10.05", Behaviour::Decline),
        ("0.54", Behaviour::DoNotHonour),
        ("10.91", Behaviour::NeverAnswer),
        ("10.92", Behaviour::ChargeThenNeverAnswer),
        ("10.93", Behaviour::Garbage),
        ("10.94", Behaviour::ServerError),
        ("10.95", Behaviour::ChargeThenReset),
        ("10.96", Behaviour::Unauthorised),
        ("10.97", Behaviour::ApproveWithEcho),
        ("91", Behaviour::Approve),
        ("", Behaviour::Approve),
    ] {
        assert_eq!(Behaviour::of_amount(amount), behaviour, "{amount}");
    }
}
