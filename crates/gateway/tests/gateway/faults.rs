//! Faults of a gateway that no single behaviour of the sandbox stands for (SECURITY-AND-FAULTS 3.5; docs/gateway-faults.md lists which test proves which).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::boundary::{Answer, PaymentGateway};
use domain::gateway::{ContentType, NotSentReason};
use domain::payment::Outcome;
use simulator::sandbox::Behaviour;

use crate::charges::{answer, card_charge, card_number, client, config, post, refusal};
use crate::internet::within;
use crate::server::{Act, Identity, Server, reply};

const APPROVED: &str = r#"{"status":"APPROVED","text":"Thank you"}"#;

/// Answers of a server that gives each connection the next body, read as `as_type`.
async fn answers_to(bodies: &[Vec<u8>], as_type: ContentType) -> Vec<Answer> {
    let replies: VecDeque<Act> = bodies.iter().map(|body| reply(200, "", body)).collect();
    let server = Server::start(Act::InTurn(Arc::new(Mutex::new(replies)))).await;
    let client = client(&[server.host()]);
    let mut answers = Vec::new();
    for _ in bodies {
        let mut charge = card_charge(config(&server.url()), &card_number());
        charge.gateway.response_type = as_type;
        let ready = client.connect(charge).await;
        let ready = ready.map_err(|not_sent| not_sent.detail).unwrap();
        let sent = ready.send().await;
        answers.push(sent.map_err(|not_sent| not_sent.detail).unwrap());
    }
    assert_eq!(server.connections(), bodies.len());
    answers
}

async fn answer_to(body: &[u8], as_type: ContentType) -> Answer {
    answers_to(&[body.to_vec()], as_type).await.remove(0)
}

#[tokio::test]
async fn fault_b2_a_gateway_that_reads_or_answers_nothing_is_unknown_at_the_read_timeout() {
    for behaviour in [Behaviour::NeverRead, Behaviour::NeverAnswer] {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = crate::sandbox::sandbox(folder.path(), None).await;
        // The shortest of three: a busy machine adds to one.
        let mut took = u128::MAX;
        for _ in 0..3 {
            sandbox.script(behaviour).unwrap();
            let mut charge = card_charge(config(&sandbox.service_url()), &card_number());
            charge.gateway.read_timeout_ms = 2_000;
            let ready = crate::sandbox::client(&sandbox).connect(charge).await;
            let ready = ready.map_err(|not_sent| not_sent.detail).unwrap();
            let began = Instant::now();
            let answer = ready.send().await.map_err(|not_sent| not_sent.detail);
            assert_eq!(answer.unwrap().verdict.outcome, Outcome::Unknown);
            took = took.min(began.elapsed().as_millis());
        }
        assert!((1_800..2_200).contains(&took), "{behaviour:?}: {took} ms");
    }
}

/// Open files of this process.
fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn fault_b3_answers_without_an_end_leave_no_task_and_no_connection() {
    within(
        "faults::fault_b3_answers_without_an_end_leave_no_task_and_no_connection",
        &[],
        async |_| {
            let folder = tempfile::tempdir().unwrap();
            let sandbox = crate::sandbox::sandbox(folder.path(), None).await;
            let client = crate::sandbox::client(&sandbox);
            let tasks = || {
                tokio::runtime::Handle::current()
                    .metrics()
                    .num_alive_tasks()
            };
            let before = (files(), tasks());
            for behaviour in [
                Behaviour::ChargeThenDrip,
                Behaviour::HeadersForever,
                Behaviour::ChunksForever,
                Behaviour::ContinueForever,
                Behaviour::ChargeThenStallInBody,
            ] {
                sandbox.script(behaviour).unwrap();
                let mut charge = card_charge(config(&sandbox.service_url()), &card_number());
                charge.gateway.read_timeout_ms = 1_000;
                let began = Instant::now();
                let ready = client.connect(charge).await;
                let ready = ready.map_err(|not_sent| not_sent.detail).unwrap();
                let answer = ready.send().await.map_err(|not_sent| not_sent.detail);
                assert_eq!(answer.unwrap().verdict.outcome, Outcome::Unknown);
                assert!(began.elapsed() < Duration::from_secs(20), "{behaviour:?}");
            }
            let limit = Instant::now() + Duration::from_secs(5);
            while (files(), tasks()) != before {
                assert!(
                    Instant::now() < limit,
                    "{before:?} before, {:?} after",
                    (files(), tasks())
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        },
    );
}

#[tokio::test]
async fn fault_b5_a_status_that_says_neither_is_unknown_with_every_body() {
    for status in [
        206, 300, 304, 307, 408, 409, 425, 429, 500, 502, 503, 504, 599,
    ] {
        for body in ["", "{}", "nonsense", r#"{"status":"DECLINED"}"#, APPROVED] {
            if status == 206 && body.contains("status") {
                // A whole answer counts whatever success it is.
                continue;
            }
            let server = Server::start(reply(status, "Retry-After: 0\r\n", body.as_bytes())).await;
            let answer = answer(&server).await;
            let told = (answer.verdict.outcome, answer.verdict.alarm, answer.status);
            assert_eq!(told, (Outcome::Unknown, false, Some(status)), "{body}");
            assert_eq!((server.connections(), server.requests().len()), (1, 1));
        }
    }
}

/// A text in every form of it that is broken: cut at each place, and with a byte at each place that no text has.
fn broken(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let cut = (0..bytes.len()).map(|end| bytes[..end].to_vec());
    let mut all: Vec<Vec<u8>> = cut.collect();
    for bad in [0x00, 0x0B, 0xC3, 0xFF] {
        all.extend((0..bytes.len()).map(|at| {
            let mut broken = bytes.to_vec();
            broken.insert(at, bad);
            broken
        }));
    }
    let wide = |unit: fn(u16) -> [u8; 2], mark: u16| {
        let units = std::iter::once(mark).chain(text.encode_utf16());
        units.flat_map(unit).collect::<Vec<u8>>()
    };
    all.push(wide(u16::to_le_bytes, 0xFEFF));
    all.push(wide(u16::to_be_bytes, 0xFEFF));
    all.push([text, text].concat().into_bytes());
    all.push(format!("HTTP/1.1 200 OK\r\n\r\n{text}").into_bytes());
    all
}

#[tokio::test]
async fn fault_b7_two_hundred_broken_bodies_are_unknown_and_show_nothing() {
    let xml = r#"<r><status>APPROVED</status><text>Thank you</text></r>"#;
    let mut count = 0;
    for (text, as_type) in [(APPROVED, ContentType::Json), (xml, ContentType::Xml)] {
        assert_eq!(
            answer_to(text.as_bytes(), as_type).await.verdict.outcome,
            Outcome::Approved
        );
        let bodies = broken(text);
        count += bodies.len();
        let answers = answers_to(&bodies, as_type).await;
        for (body, answer) in bodies.iter().zip(answers) {
            let told = (answer.verdict.outcome, answer.message.as_str());
            let body = String::from_utf8_lossy(body);
            assert_eq!(told, (Outcome::Unknown, ""), "{as_type:?} {body:?}");
        }
    }
    for (body, as_type) in [
        (xml, ContentType::Json),
        (APPROVED, ContentType::Xml),
        (APPROVED, ContentType::Form),
        ("status=APPROVED&status=DECLINED", ContentType::Form),
        ("status=APPROVED\r\nstatus=DECLINED", ContentType::Text),
        ("status=%C3%28", ContentType::Form),
    ] {
        count += 1;
        let answer = answer_to(body.as_bytes(), as_type).await;
        assert_eq!(
            answer.verdict.outcome,
            Outcome::Unknown,
            "{as_type:?} {body}"
        );
    }
    println!("{count} broken bodies");
    assert!(count >= 200, "{count}");
}

/// Most memory that this process has had since [`forget_peak`], in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.unwrap().trim().trim_end_matches(" kB");
    text.parse().unwrap()
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// Zeros, compressed a hundredfold: one literal and then copies of 258 of them ([RFC 1951 §3.2.6](https://www.rfc-editor.org/rfc/rfc1951#section-3.2.6)).
fn bomb(bytes: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    // Literal 0 is 00110000; length 258 is 11000101, the distance 1 is 00000.
    bits.extend([false, false, true, true, false, false, false, false]);
    while bits.len() < bytes * 8 {
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    let mut file = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    file.extend(bits.chunks(8).map(|chunk| {
        let each = chunk.iter().enumerate();
        each.fold(0_u8, |byte, (place, bit)| byte | u8::from(*bit) << place)
    }));
    file
}

#[test]
fn fault_b8_b10_bombs_of_every_kind_are_unknown_within_bounded_memory() {
    within(
        "faults::fault_b8_b10_bombs_of_every_kind_are_unknown_within_bounded_memory",
        &[],
        async |_| {
            let json =
                |rest: String| format!("{{\"status\":\"APPROVED\",\"x\":{rest}}}").into_bytes();
            let xml = |rest: String| format!("<r><status>APPROVED</status>{rest}</r>").into_bytes();
            let bombs = [
                (
                    json("[".repeat(60_000) + &"]".repeat(60_000)),
                    ContentType::Json,
                ),
                (
                    json("{\"a\":".repeat(20_000) + "1" + &"}".repeat(20_000)),
                    ContentType::Json,
                ),
                (json("7".repeat(200_000)), ContentType::Json),
                (json("7".repeat(10_000_000)), ContentType::Json),
                (
                    json(format!("\"{}\"", "7".repeat(10_000_000))),
                    ContentType::Json,
                ),
                (
                    xml("<a>".repeat(30_000) + &"</a>".repeat(30_000)),
                    ContentType::Xml,
                ),
                (xml("<a/>".repeat(3_000_000)), ContentType::Xml),
                (
                    xml(format!("<a {}/>", "b=\"c\" ".repeat(30_000))),
                    ContentType::Xml,
                ),
            ];
            for (body, as_type) in bombs {
                answer_to(b"{}", ContentType::Json).await;
                let server = Server::start(reply(200, "", &body)).await;
                let mut charge = card_charge(config(&server.url()), &card_number());
                charge.gateway.response_type = as_type;
                assert_bounded(&server, charge, &body[..40]).await;
            }
            for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip"] {
                let head = format!("Content-Encoding: {encoding}\r\n");
                let server = Server::start(reply(200, &head, &bomb(200_000))).await;
                let charge = card_charge(config(&server.url()), &card_number());
                assert_bounded(&server, charge, encoding.as_bytes()).await;
                let (head, _) = server.request();
                assert!(!head.to_ascii_lowercase().contains("accept-encoding"));
            }
        },
    );
}

async fn assert_bounded(server: &Server, mut charge: domain::boundary::Charge, what: &[u8]) {
    // What ends an answer is its size, not the time.
    charge.gateway.read_timeout_ms = 60_000;
    let what = String::from_utf8_lossy(what).into_owned();
    forget_peak();
    let (before, began) = (peak_kib(), Instant::now());
    let answer = post(server, charge)
        .await
        .map_err(|not_sent| not_sent.detail);
    assert_eq!(answer.unwrap().verdict.outcome, Outcome::Unknown, "{what}");
    let more = peak_kib().saturating_sub(before);
    assert!(more <= 32 * 1_024, "{what}: {more} KiB");
    assert!(began.elapsed() < Duration::from_secs(20), "{what}");
}

#[tokio::test]
async fn fault_b8_a_key_counts_where_it_is_shallowest_and_no_name_is_special() {
    for (body, expected) in [
        (
            r#"{"status":"DECLINED","__proto__":{"status":"APPROVED"}}"#,
            Outcome::Declined,
        ),
        (
            r#"{"constructor":{"status":"APPROVED"},"status":"DECLINED"}"#,
            Outcome::Declined,
        ),
        (
            r#"{"status":"APPROVED","status":"APPROVED"}"#,
            Outcome::Unknown,
        ),
        (
            r#"{"status":"APPROVED","st\u0061tus":"DECLINED"}"#,
            Outcome::Unknown,
        ),
        (
            r#"{"a":{"status":"APPROVED"},"b":{"status":"DECLINED"}}"#,
            Outcome::Unknown,
        ),
        (r#"{"a":"{\"status\":\"APPROVED\"}"}"#, Outcome::Unknown),
        (r#"{"status":["APPROVED"]}"#, Outcome::Unknown),
        (r#"{"Status":"APPROVED"}"#, Outcome::Unknown),
        (r#"{"status ":"APPROVED"}"#, Outcome::Unknown),
        (r#"{"status":"APPROVED-NOT"}"#, Outcome::Declined),
    ] {
        let answer = answer_to(body.as_bytes(), ContentType::Json).await;
        assert_eq!(answer.verdict.outcome, expected, "{body}");
    }
}

/// Documents with a type that only names a file elsewhere, as Worldpay's are: it may be passed over.
fn named_doctypes() -> [String; 2] {
    let document = "<r><status>APPROVED</status></r>";
    [
        format!("<!DOCTYPE r SYSTEM \"http://10.0.0.1/r.dtd\">{document}"),
        format!("<!DOCTYPE r PUBLIC \"-//X\" \"https://10.0.0.1:8443/r.dtd\">{document}"),
    ]
}

/// Documents with a type that declares something, or use what one would declare; they say APPROVED for whoever reads on.
fn doctypes() -> Vec<String> {
    let laughs: String = (1..10)
        .map(|level| {
            let inner = format!("&l{};", level - 1).repeat(10);
            format!("<!ENTITY l{level} \"{inner}\">")
        })
        .collect();
    let long = "a".repeat(50_000);
    let body = "<status>APPROVED</status>";
    vec![
        format!(
            "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hosts\">]><r>{body}<text>&x;</text></r>"
        ),
        format!(
            "<!DOCTYPE r [<!ENTITY x SYSTEM \"http://10.0.0.1/x\">]><r>{body}<text>&x;</text></r>"
        ),
        format!("<!DOCTYPE r [<!ENTITY % x SYSTEM \"http://10.0.0.1/x\"> %x;]><r>{body}</r>"),
        format!("<!DOCTYPE r SYSTEM \"http://10.0.0.1/r.dtd\"><r>{body}<text>&x;</text></r>"),
        format!("<!DOCTYPE r SYSTEM \"http://10.0.0.1/r.dtd\" []><r>{body}</r>"),
        format!("<!DOCTYPE r [<!ENTITY l0 \"lol\">{laughs}]><r>{body}<text>&l9;</text></r>"),
        format!(
            "<!DOCTYPE r [<!ENTITY x \"{long}\">]><r>{body}<text>{}</text></r>",
            "&x;".repeat(30_000)
        ),
        format!("<!DOCTYPE r><r>{body}</r>"),
        format!("<r>{body}<text>&x;</text></r>"),
        format!("<?xml version=\"1.0\"?><!DOCTYPE r [<!ATTLIST r a CDATA \"b\">]><r>{body}</r>"),
    ]
}

#[test]
fn fault_b9_a_document_type_declares_nothing_and_nothing_it_names_is_opened() {
    within(
        "faults::fault_b9_a_document_type_declares_nothing_and_nothing_it_names_is_opened",
        &[],
        async |internet| {
            let refused = doctypes().into_iter().map(|text| (text, Outcome::Unknown));
            let passed = named_doctypes().map(|text| (text, Outcome::Approved));
            for (document, expected) in refused.chain(passed) {
                let server = Server::start(reply(200, "", document.as_bytes())).await;
                let client = client(&[server.host()]);
                let mut took = Duration::MAX;
                for _ in 0..3 {
                    let mut charge = card_charge(config(&server.url()), &card_number());
                    charge.gateway.response_type = ContentType::Xml;
                    let ready = client.connect(charge).await;
                    let ready = ready.map_err(|not_sent| not_sent.detail).unwrap();
                    let began = Instant::now();
                    let answer = ready
                        .send()
                        .await
                        .map_err(|not_sent| not_sent.detail)
                        .unwrap();
                    took = took.min(began.elapsed());
                    let told = (answer.verdict.outcome, answer.message.as_str());
                    assert_eq!(told, (expected, ""), "{:.80}", document);
                }
                assert!(
                    took < Duration::from_millis(100),
                    "{took:?} {:.80}",
                    document
                );
            }
            assert!(internet.reached().is_empty());
        },
    );
}

#[tokio::test]
async fn fault_b12_the_authorities_are_those_of_the_last_start_whatever_becomes_of_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let first = crate::sandbox::sandbox(folder.path(), None).await;
    let client = crate::sandbox::client(&first);
    let charge = |url: &str| card_charge(config(url), &card_number());
    // Another authority in the same file, and a server of its.
    let second = crate::sandbox::sandbox(folder.path(), None).await;
    assert!(client.connect(charge(&first.service_url())).await.is_ok());
    let both = [first.host(), second.host()];
    let renewed = gateway::HttpsGateway::new(gateway::GatewayPolicy {
        allowed_hosts: both.to_vec(),
        extra_roots: gateway::read_roots(second.ca_file()).unwrap(),
        ..gateway::GatewayPolicy::default()
    })
    .unwrap();
    assert!(renewed.connect(charge(&second.service_url())).await.is_ok());
    let not_sent = renewed.connect(charge(&first.service_url())).await;
    assert_eq!(not_sent.err().unwrap().reason, NotSentReason::Tls);
    std::fs::write(second.ca_file(), "no certificate").unwrap();
    assert!(client.connect(charge(&first.service_url())).await.is_ok());
    assert!(gateway::read_roots(second.ca_file()).is_err());
}

#[tokio::test]
async fn fault_b13_a_gateway_that_goes_at_any_byte_of_the_request_sees_one_connection() {
    let whole = Server::start(reply(200, "", APPROVED.as_bytes())).await;
    answer(&whole).await;
    let length = whole.requests()[0].len();
    let client_of = |server: &Server| client(&[server.host()]);
    let (mut unknown, mut not_sent) = (0, 0);
    for reset in [false, true] {
        let server = Server::start(Act::InTurn(Arc::new(Mutex::new(
            (0..length).map(|read| Act::Leave { read, reset }).collect(),
        ))))
        .await;
        let client = client_of(&server);
        for charges in 1..=length {
            let charge = card_charge(config(&server.url()), &card_number());
            let ended = match client.connect(charge).await {
                Ok(ready) => ready.send().await,
                Err(failed) => Err(failed),
            };
            match ended {
                Ok(answer) if answer.verdict.outcome == Outcome::Unknown => unknown += 1,
                Ok(answer) => panic!("{:?} after {charges}", answer.verdict),
                Err(failed) => {
                    assert_eq!(charges, 1, "{}", failed.detail);
                    not_sent += 1;
                }
            }
            assert_eq!(server.connections(), charges);
        }
    }
    println!("{length} offsets twice: {unknown} unknown, {not_sent} not sent");
}

#[tokio::test]
async fn fault_b14_http_2_is_neither_offered_nor_spoken() {
    let server = Server::with_identity(Identity::HttpTwoOnly, Act::Hold).await;
    let not_sent = refusal(&server, card_charge(config(&server.url()), &card_number())).await;
    assert_eq!(not_sent.reason, NotSentReason::Tls);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn fault_b15_the_first_answer_counts_and_a_head_that_says_two_things_is_unknown() {
    let declined = APPROVED.replace("APPROVED", "DECLINED");
    let answer_of = |head: &str, body: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}");
    let length = |body: &str| format!("Content-Length: {}\r\n", body.len());
    let both = answer_of(&length(APPROVED), APPROVED) + &answer_of(&length(&declined), &declined);
    for (bytes, expected) in [
        (both, Outcome::Approved),
        (
            answer_of(&length(&declined), &declined) + &answer_of(&length(APPROVED), APPROVED),
            Outcome::Declined,
        ),
        (
            answer_of(&(length(APPROVED) + "Content-Length: 3\r\n"), APPROVED),
            Outcome::Unknown,
        ),
        (
            answer_of("Content-Length: +40\r\n", APPROVED),
            Outcome::Unknown,
        ),
        (
            answer_of("Content-Length: 4 0\r\n", APPROVED),
            Outcome::Unknown,
        ),
        (answer_of("X A: b\r\n", APPROVED), Outcome::Unknown),
        (answer_of("X\0: b\r\n", APPROVED), Outcome::Unknown),
        (
            format!("\r\n\r\nstatus\r\n\r\n{APPROVED}"),
            Outcome::Unknown,
        ),
    ] {
        let server = Server::start(Act::Reply(bytes.clone().into_bytes())).await;
        assert_eq!(answer(&server).await.verdict.outcome, expected, "{bytes:?}");
        assert_eq!((server.connections(), server.requests().len()), (1, 1));
    }
}
