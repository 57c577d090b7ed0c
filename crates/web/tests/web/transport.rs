//! Bodies, limits, connections.

use std::sync::Arc;
use std::time::Duration;

use domain::access::Role;
use hyper::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use web::health::{HealthSource, Metric, MetricKind};
use web::{ServeError, TlsFiles, WebConfig};

use crate::support::House;

#[tokio::test]
async fn a_body_of_the_wrong_form_is_refused_without_being_quoted() {
    let house = House::new().await;
    let mut browser = house.logged_in(Role::SecurityAdmin).await;
    let send = async |text: &str| {
        browser
            .send_text(Method::PUT, "/settings", Some(text.to_owned()))
            .await
    };
    for (text, field) in [
        ("", ""),
        ("{", ""),
        ("4111111111111111", ""),
        ("[]", ""),
        ("{\"spc_enabled\": \"4111111111111111\"}", "spc_enabled"),
        ("{\"spc_enabled\": true, \"4111111111111111\": 1}", "?"),
        (
            "{\"spc_enabled\": true, \"response_variables\": {\"allow\": \"all\"}, \"revision\": 1} trailing 4111111111111111",
            "",
        ),
        (
            "{\"spc_enabled\": true, \"response_variables\": {\"allow\": \"all\"}, \"revision\": 1.5}",
            "revision",
        ),
    ] {
        let reply = send(text).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "bad_body".to_owned()),
            "{text}"
        );
        assert_eq!(reply.fields(), [field], "{text} {}", reply.text());
        assert!(!reply.text().contains("4111"), "{}", reply.text());
    }
    let deep = "[".repeat(5_000);
    assert_eq!(send(&deep).await.status, 400);
    let large = format!("\"{}\"", "x".repeat(600 * 1_024));
    let reply = send(&large).await;
    assert_eq!((reply.status, reply.code()), (413, "too_large".to_owned()));
    browser.extra = vec![("content-type".to_owned(), "text/plain".to_owned())];
    let reply = browser.put("/settings", serde_json::json!({})).await;
    assert_eq!((reply.status, reply.code()), (415, "media_type".to_owned()));
}

async fn raw(house: &House, text: &str) -> String {
    let mut stream = TcpStream::connect(house.server.local_addr).await.unwrap();
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_that_are_too_large_or_ambiguous_end_at_the_door() {
    let house = House::new().await;
    let host = house.server.local_addr;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n",
        "x".repeat(40_000)
    );
    assert!(raw(&house, &long).await.starts_with("HTTP/1.1 431"));
    let many: String = (0..100).map(|n| format!("X-{n}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{many}\r\n");
    assert!(raw(&house, &many).await.starts_with("HTTP/1.1 431"));
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length: -1\r\n",
    ] {
        let both = format!("POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\n{lengths}\r\n0\r\n\r\n");
        let answer = raw(&house, &both).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lengths} {answer}");
    }
    let no_host = raw(&house, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(no_host.starts_with("HTTP/1.0 421"), "{no_host}");
}

/// Sends text and waits for the end of the connection, while the clock runs ahead whenever nobody has anything to do.
async fn abandoned(house: &House, text: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(house.server.local_addr).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let waited = began.elapsed();
    tokio::time::resume();
    (String::from_utf8_lossy(&answer).into_owned(), waited)
}

#[tokio::test]
async fn a_head_or_body_that_never_ends_costs_its_connection() {
    let house = House::new().await;
    let host = house.server.local_addr;
    let (_, waited) = abandoned(&house, "GET / HTTP/1.1\r\nHost: x").await;
    assert!(waited <= Duration::from_secs(30), "{waited:?}");
    let body = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"
    );
    let (answer, waited) = abandoned(&house, &body).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(waited <= Duration::from_secs(30), "{waited:?}");
}

#[tokio::test]
async fn a_listener_beyond_loopback_needs_its_origin_named() {
    let house = House::new().await;
    let config = WebConfig::on(([0, 0, 0, 0], 0).into());
    let error = web::serve(config, house.deps()).await.err().unwrap();
    assert!(
        matches!(error, ServeError::ConfigOriginMissing(_)),
        "{error}"
    );
    let mut config = WebConfig::on(([0, 0, 0, 0], 0).into());
    config.public_origins = vec!["pay.example/path".to_owned()];
    let error = web::serve(config, house.deps()).await.err().unwrap();
    assert!(matches!(error, ServeError::ConfigOrigin(_)), "{error}");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let house = House::new().await;
    let config = WebConfig::on(house.server.local_addr);
    let error = web::serve(config, house.deps()).await.err().unwrap();
    let port = house.server.local_addr.port().to_string();
    assert!(error.to_string().contains(&port), "{error}");
}

#[tokio::test]
async fn with_a_certificate_it_speaks_https() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let house = House::with(|config| config.tls = Some(files)).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = house.server.local_addr;
    let tcp = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let name = "localhost".try_into().unwrap();
    let mut tls = connector.connect(name, tcp).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n",
        address.port()
    );
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
    let plain = raw(&house, "GET / HTTP/1.1\r\n\r\n").await;
    assert!(!plain.contains("200"), "{plain}");
}

#[tokio::test]
async fn an_unreadable_certificate_is_named_at_start() {
    let house = House::new().await;
    let mut config = WebConfig::on(([127, 0, 0, 1], 0).into());
    config.tls = Some(TlsFiles {
        certificate: "/nowhere/cert.pem".into(),
        key: "/nowhere/key.pem".into(),
    });
    let error = web::serve(config, house.deps()).await.err().unwrap();
    assert!(error.to_string().contains("certificate"), "{error}");
}

struct Health;

impl HealthSource for Health {
    fn not_ready(&self) -> Vec<String> {
        vec!["the database does not answer".to_owned()]
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric {
            name: "tonewall_calls_running",
            help: "Calls now",
            kind: MetricKind::Gauge,
            samples: vec![(Vec::new(), 2.0)],
        }]
    }
}

#[tokio::test]
async fn health_says_what_is_not_ready() {
    let health = web::health::serve(([127, 0, 0, 1], 0).into(), Arc::new(Health))
        .await
        .unwrap();
    let browser = crate::support::Browser::new(health.local_addr);
    assert_eq!(browser.get("!/healthz").await.status, 200);
    let ready = browser.get("!/readyz").await;
    assert_eq!(
        (ready.status, ready.text().as_str()),
        (503, "the database does not answer\n")
    );
    let metrics = browser.get("!/metrics").await;
    assert!(metrics.text().contains("tonewall_calls_running 2\n"));
    health.shutdown().await;
}
