//! The way through a proxy: tinyproxy, and proxies that do what a test says.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::boundary::{NotSent, PaymentGateway};
use domain::capture::WidgetKind;
use domain::gateway::trial::{GatewayTrials, TestInstrument};
use domain::gateway::{GatewayConfig, NotSentReason};
use domain::payment::Outcome;
use gateway::{Connections, GatewayPolicy, HttpsGateway, Proxy, SetupError};
use secret::SecretText;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::charges::{card_charge, card_number, config};
use crate::server::{Act, Identity, Server, authority, reply};
use crate::trials::trial_of;

const APPROVED: &[u8] = br#"{"status":"APPROVED"}"#;
const PASSWORD: &str = "word-of-the-proxy";

/// What a proxy does once it has read the request for a tunnel.
#[derive(Debug, Clone, Copy)]
enum Does {
    /// Opens the tunnel.
    Tunnel,
    /// Says this and closes.
    Say(&'static str),
    /// Says this and holds the connection.
    SayAndHold(&'static str),
    /// Writes one header after the other.
    Endless,
}

/// A proxy that keeps what clients send to it.
struct Scripted {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Scripted {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scripted = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            heard: Arc::default(),
        };
        let heard = Arc::clone(&scripted.heard);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(client, does, Arc::clone(&heard)));
            }
        });
        scripted
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

async fn serve(mut client: TcpStream, does: Does, heard: Arc<Mutex<Vec<u8>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    heard.lock().unwrap().extend_from_slice(&head);
    match does {
        Does::Say(text) => {
            let _gone = client.write_all(text.as_bytes()).await;
            let _gone = client.shutdown().await;
        }
        Does::SayAndHold(text) => {
            client.write_all(text.as_bytes()).await.unwrap();
            listen(client, &heard).await;
        }
        Does::Endless => while client.write_all(b"X-More: 0123456789\r\n").await.is_ok() {},
        Does::Tunnel => {
            let text = String::from_utf8(head).unwrap();
            let target = text.split(' ').nth(1).unwrap().to_owned();
            let mut server = TcpStream::connect(target).await.unwrap();
            let opened = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n";
            client.write_all(opened).await.unwrap();
            let (mut from_client, mut to_client) = client.split();
            let (mut from_server, mut to_server) = server.split();
            let up = async {
                let mut chunk = [0; 4_096];
                while let Ok(count @ 1..) = from_client.read(&mut chunk).await {
                    heard.lock().unwrap().extend_from_slice(&chunk[..count]);
                    if to_server.write_all(&chunk[..count]).await.is_err() {
                        break;
                    }
                }
            };
            let down = tokio::io::copy(&mut from_server, &mut to_client);
            let _ended = tokio::join!(up, down);
        }
    }
}

/// Keeps what a client sends until it goes.
async fn listen(mut client: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 4_096];
    while let Ok(count @ 1..) = client.read(&mut chunk).await {
        heard.lock().unwrap().extend_from_slice(&chunk[..count]);
    }
}

/// A client that may go to these hosts, through the proxy `out` at this URL if a configuration names it.
fn client(hosts: &[String], url: &str, password: Option<&str>) -> HttpsGateway {
    let proxy = Proxy::at(url).unwrap();
    let proxy = match password {
        Some(word) => proxy.with_credentials("shop", SecretText::new(word.to_owned())),
        None => Ok(proxy),
    };
    HttpsGateway::new(GatewayPolicy {
        allowed_hosts: hosts.to_vec(),
        extra_roots: vec![authority()],
        connections: Connections {
            proxies: [("out".to_owned(), proxy.unwrap())].into(),
            ..Connections::default()
        },
    })
    .unwrap()
}

fn through(url: &str) -> GatewayConfig {
    let mut config = config(url);
    config.more.connection.proxy = "out".to_owned();
    config
}

async fn refused(client: &HttpsGateway, config: GatewayConfig) -> NotSent {
    let number = card_number();
    match client.connect(card_charge(config, &number)).await {
        Ok(_) => panic!("connected"),
        Err(not_sent) => {
            let detail = &not_sent.detail;
            assert!(
                !detail.contains(&number) && !detail.contains(PASSWORD),
                "{detail}"
            );
            not_sent
        }
    }
}

#[tokio::test]
async fn a_charge_goes_through_the_tunnel_and_the_proxy_reads_none_of_it() {
    let server = Server::start(reply(200, "", APPROVED)).await;
    let proxy = Scripted::start(Does::Tunnel).await;
    let client = client(&[server.host()], &proxy.url, Some(PASSWORD));
    let number = card_number();
    let charge = card_charge(through(&server.url()), &number);
    let ready = client.connect(charge).await;
    let ready = ready.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    let answer = ready.send().await;
    let answer = answer.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert!(server.request().1.contains(&number));
    let heard = proxy.heard();
    let (head, rest) = heard.split_once("\r\n\r\n").unwrap();
    let host = server.host();
    let expected = format!(
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nProxy-Authorization: Basic c2hvcDp3b3JkLW9mLXRoZS1wcm94eQ=="
    );
    assert_eq!(head, expected);
    assert!(rest.len() > 500 && !rest.contains(&number) && !rest.contains("POST"));
}

/// What a proxy does, why nothing is sent then, and what is said of it.
const NO_TUNNEL: [(Does, NotSentReason, &str); 13] = [
    (
        Does::Say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"),
        NotSentReason::Connect,
        "it wants other credentials (407)",
    ),
    (
        Does::Say("HTTP/1.1 502 Bad Gateway\r\n\r\n<p>secret-of-the-proxy</p>"),
        NotSentReason::Connect,
        "it opened no tunnel (502)",
    ),
    (
        Does::Say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        NotSentReason::Connect,
        "it opened no tunnel (100)",
    ),
    (
        Does::Say("HTTP/1.1 204 No Content\r\n\r\n"),
        NotSentReason::Connect,
        "it opened no tunnel (204)",
    ),
    (
        Does::Say(""),
        NotSentReason::Connect,
        "it closed the connection instead of answering",
    ),
    (
        Does::Say("HTTP/1.1 200 OK\r\n"),
        NotSentReason::Connect,
        "it closed the connection instead of answering",
    ),
    (
        Does::Say("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        NotSentReason::Connect,
        "its answer is not HTTP",
    ),
    (
        Does::Say("HTTP/1.1 200 OK\r\n\r\nhello"),
        NotSentReason::Connect,
        "it spoke before the gateway could",
    ),
    (
        Does::Endless,
        NotSentReason::Connect,
        "longer than 16384 bytes",
    ),
    (
        Does::Say("HTTP/1.1 200 OK\r\n\r\n"),
        NotSentReason::Tls,
        "securing the connection",
    ),
    (
        Does::SayAndHold(""),
        NotSentReason::ConnectTimeout,
        "within 300 ms",
    ),
    (
        Does::SayAndHold("HTTP/1.1 200 OK\r\nX-Slow: "),
        NotSentReason::ConnectTimeout,
        "within 300 ms",
    ),
    (
        Does::SayAndHold("HTTP/1.1 200 OK\r\n\r\n"),
        NotSentReason::ConnectTimeout,
        "within 300 ms",
    ),
];

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_not_sent_through() {
    let server = Server::start(reply(200, "", APPROVED)).await;
    for (does, reason, told) in NO_TUNNEL {
        let proxy = Scripted::start(does).await;
        let client = client(&[server.host()], &proxy.url, Some(PASSWORD));
        let mut config = through(&server.url());
        if matches!(does, Does::SayAndHold(_)) {
            config.connection_timeout_ms = 300;
        }
        let began = Instant::now();
        let not_sent = refused(&client, config).await;
        assert_eq!(not_sent.reason, reason, "{does:?}: {}", not_sent.detail);
        assert!(
            not_sent.detail.contains(told),
            "{does:?}: {}",
            not_sent.detail
        );
        assert!(!not_sent.detail.contains("secret-of-the-proxy"));
        assert!(began.elapsed() < Duration::from_secs(3), "{does:?}");
        let heard = proxy.heard();
        assert!(
            heard.starts_with("CONNECT ") && !heard.contains("POST"),
            "{does:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn bytes_that_come_in_the_tunnel_before_tls_are_no_gateway() {
    let server = Server::start(reply(200, "", APPROVED)).await;
    // After the head, in a packet of its own: whoever reads it takes it for the gateway's.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = client(&[server.host()], &url, None);
    let speaking = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4_096];
        let _asked = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // The client's hello: it has taken the tunnel as open.
        let _hello = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = speaking => panic!("the proxy holds the connection"),
        not_sent = refused(&client, through(&server.url())) => {
            assert_eq!(not_sent.reason, NotSentReason::Tls, "{}", not_sent.detail);
        }
    }
}

#[tokio::test]
async fn a_certificate_is_checked_through_the_tunnel_as_without() {
    let proxy = Scripted::start(Does::Tunnel).await;
    for identity in [
        Identity::UnknownAuthority,
        Identity::WrongHost,
        Identity::Expired,
    ] {
        let server = Server::with_identity(identity, reply(200, "", APPROVED)).await;
        let client = client(&[server.host()], &proxy.url, None);
        let not_sent = refused(&client, through(&server.url())).await;
        assert_eq!(not_sent.reason, NotSentReason::Tls, "{identity:?}");
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn the_proxy_for_all_is_taken_where_none_is_named_and_for_steps_wherever_they_go() {
    let sale = Server::start(reply(200, "", APPROVED)).await;
    let given = reply(200, "", br#"{"token":"t-1"}"#);
    let other = Server::start(Act::InTurn(Arc::new(Mutex::new([given].into())))).await;
    let proxy = Scripted::start(Does::Tunnel).await;
    let client = HttpsGateway::new(GatewayPolicy {
        allowed_hosts: vec![sale.host(), other.host()],
        extra_roots: vec![authority()],
        connections: Connections {
            proxies: [("out".to_owned(), Proxy::at(&proxy.url).unwrap())].into(),
            proxy: Some("out".to_owned()),
            ..Connections::default()
        },
    })
    .unwrap();
    assert_eq!(
        client.connection_names().default_proxy.as_deref(),
        Some("out")
    );
    let mut config = config(&sale.url());
    let step = serde_json::json!({ "name": "login", "url": other.url(), "body": "{\"a\":1}" });
    config.more.steps = vec![serde_json::from_value(step).unwrap()];
    let ready = client.connect(card_charge(config, &card_number())).await;
    let ready = ready.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    assert!(ready.send().await.is_ok());
    let heard = proxy.heard();
    for host in [sale.host(), other.host()] {
        assert_eq!(
            heard.matches(&format!("CONNECT {host} ")).count(),
            1,
            "{host}"
        );
    }
}

#[tokio::test]
async fn s4_through_a_proxy_too_only_approved_hosts_are_reached_and_nothing_inside() {
    let proxy = Scripted::start(Does::Say("HTTP/1.1 502 Bad Gateway\r\n\r\n")).await;
    let client = client(&["127.0.0.1:8443".to_owned()], &proxy.url, None);
    let approve = |hosts: &[&str]| {
        client.set_approved_hosts(hosts.iter().map(|host| (*host).to_owned()).collect());
    };
    approve(&[
        "localhost:443",
        "10.0.0.1:443",
        "metadata.google.internal:443",
        "pay.example:25",
    ]);
    for url in [
        "https://pay.example/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://metadata.google.internal/",
        "https://pay.example:25/",
    ] {
        let not_sent = refused(&client, through(url)).await;
        assert_eq!(not_sent.reason, NotSentReason::HostNotApproved, "{url}");
    }
    let trial = trial_of(
        through("https://pay.example/"),
        WidgetKind::CreditCardAdvanced,
        TestInstrument::Visa,
    );
    let nothing = client.send(trial).await.err().unwrap();
    assert_eq!(nothing.reason, NotSentReason::HostNotApproved);
    assert_eq!(proxy.heard(), "");
    // Approved, and known to the proxy only: nobody here resolves it.
    approve(&["pay.example:443"]);
    for (url, asked) in [
        ("https://pay.example/", "CONNECT pay.example:443 "),
        ("https://127.0.0.1:8443/", "CONNECT 127.0.0.1:8443 "),
    ] {
        let not_sent = refused(&client, through(url)).await;
        assert!(not_sent.detail.contains("(502)"), "{}", not_sent.detail);
        assert!(proxy.heard().contains(asked), "{url}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_not_named_is_told() {
    let server = Server::start(reply(200, "", APPROVED)).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let client = client(&[server.host()], &url, None);
    let not_sent = refused(&client, through(&server.url())).await;
    assert_eq!(not_sent.reason, NotSentReason::Connect);
    assert!(
        not_sent.detail.starts_with("the proxy out: connecting to "),
        "{}",
        not_sent.detail
    );
    let mut unknown = through(&server.url());
    unknown.more.connection.proxy = "aus".to_owned();
    let not_sent = refused(&client, unknown).await;
    assert_eq!(not_sent.reason, NotSentReason::Render);
    assert!(
        not_sent
            .detail
            .contains("no [gateway.proxies.aus]; it has out.")
    );
    assert_eq!(server.connections(), 0);
    let policy = GatewayPolicy {
        connections: Connections {
            proxy: Some("out".to_owned()),
            ..Connections::default()
        },
        ..GatewayPolicy::default()
    };
    let refused = HttpsGateway::new(policy).err().unwrap();
    assert!(matches!(refused, SetupError::ConfigProxy { name } if name == "out"));
}

/// A running tinyproxy that wants credentials. Dropping it ends it.
struct TinyProxy {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl TinyProxy {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let file = folder.path().join("tinyproxy.conf");
        let text = format!(
            "Port {}\nListen 127.0.0.1\nTimeout 20\nMaxClients 10\nAllow 127.0.0.1\nBasicAuth shop {PASSWORD}\n",
            address.port()
        );
        std::fs::write(&file, text).unwrap();
        let child = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tinyproxy is there (Debian's tinyproxy-bin)");
        let began = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "tinyproxy");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            url: format!("http://{address}"),
            _folder: folder,
        }
    }
}

impl Drop for TinyProxy {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

#[tokio::test]
async fn tinyproxy_lets_through_who_has_its_password_and_says_what_it_cannot_reach() {
    let tiny = TinyProxy::start();
    let server = Server::start(reply(200, "", APPROVED)).await;
    for password in [None, Some("another-word")] {
        let client = client(&[server.host()], &tiny.url, password);
        let not_sent = refused(&client, through(&server.url())).await;
        assert_eq!(not_sent.reason, NotSentReason::Connect);
        assert!(
            not_sent.detail.contains("(40"),
            "{password:?}: {}",
            not_sent.detail
        );
    }
    assert_eq!(server.connections(), 0);
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("localhost:{}", free.local_addr().unwrap().port());
    drop(free);
    let client = client(&[server.host(), closed.clone()], &tiny.url, Some(PASSWORD));
    let charge = card_charge(through(&server.url()), &card_number());
    let ready = client.connect(charge).await;
    let ready = ready.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    let answer = ready.send().await;
    let answer = answer.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Approved);
    assert_eq!(server.requests().len(), 1);
    let not_sent = refused(&client, through(&format!("https://{closed}/"))).await;
    assert_eq!(not_sent.reason, NotSentReason::Connect);
    assert!(
        not_sent.detail.contains("opened no tunnel (50"),
        "{}",
        not_sent.detail
    );
}
