//! Service URLs that try to lead inside (SECURITY-AND-FAULTS H11, B6, B18, B19): nobody there is connected to.
//!
//! Each URL goes to the real client three times: as a test that nobody approved, as a charge to a host that nobody approved, and as a charge to a host that
//! a second person approved. Every address is listened to, so that a connection to any of them is seen.

use std::net::SocketAddr;

use domain::boundary::PaymentGateway;
use domain::capture::WidgetKind;
use domain::gateway::NotSentReason;
use domain::gateway::trial::{GatewayTrials, TestInstrument};
use domain::payment::Outcome;
use gateway::{GatewayPolicy, HttpsGateway};

use crate::charges::{answer, card_charge, card_number, client, config};
use crate::internet::{Internet, Named, within};
use crate::server::{Server, authority, reply};
use crate::trials::trial_of;

/// Names of this internet.
const NAMES: &[(&str, Named)] = &[
    ("pay.example", Named::At(&["93.184.216.34"])),
    ("six.example", Named::At(&["2606:4700::6810:84e5"])),
    (
        "both.example",
        Named::At(&["93.184.216.34", "2606:4700::6810:84e5"]),
    ),
    ("unroutable.example", Named::At(&["93.184.216.99"])),
    (
        "two-ways.example",
        Named::At(&["93.184.216.99", "93.184.216.34"]),
    ),
    (
        "one-inside.example",
        Named::At(&["93.184.216.34", "10.0.0.1"]),
    ),
    (
        "inside-first.example",
        Named::At(&["10.0.0.1", "93.184.216.34"]),
    ),
    (
        "inside-by-six.example",
        Named::At(&["93.184.216.34", "::1"]),
    ),
    (
        "mapped-by-six.example",
        Named::At(&["93.184.216.34", "::ffff:10.0.0.1"]),
    ),
    (
        "rebinds.example",
        Named::Turns(&["93.184.216.34"], &["127.0.0.1"]),
    ),
    (
        "rebinds-later.example",
        Named::Turns(&["127.0.0.1"], &["93.184.216.34"]),
    ),
    ("alias.example", Named::Alias("inside.alias.example")),
    ("inside.alias.example", Named::Alias("deep.alias.example")),
    ("deep.alias.example", Named::At(&["192.168.1.1"])),
    ("crowd.example", Named::Crowd(5)),
    ("thousand.example", Named::Crowd(1_000)),
    ("silent.example", Named::Silent),
    ("metadata.google.internal", Named::At(&["169.254.169.254"])),
    // "pаy.example" and "lоcalhost.example" with one Cyrillic letter each, which belong to somebody else.
    ("xn--py-7kc.example", Named::At(&["127.0.0.1"])),
    ("xn--lcalhost-nbh.example", Named::At(&["127.0.0.1"])),
];

/// Addresses that are no public ones, as they are usually written.
const IPV4: &[&str] = &[
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.255.1",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "198.18.0.1",
    "198.19.255.1",
    "192.88.99.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
];

/// The same in other spellings.
const SPELLINGS: &[&str] = &[
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0x7f.1",
    "0X7F.0x0.0x0.0x1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "10.1",
    "0",
    "0x0",
    "0300.0250.0.1",
    "167772161",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "127.0.0.1.",
    "2130706433.",
    "4294967296",
    "127.0.0.1.1",
    "256.0.0.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "0x7f%2E1",
    "127.0.0\t.1",
    "127.0.\n0.1",
];

const IPV6: &[&str] = &[
    "::1",
    "::",
    "0:0:0:0:0:0:0:1",
    "::127.0.0.1",
    "::a00:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "0:0:0:0:0:ffff:c0a8:1",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:0:53aa:64c:0:0:f5ff:fffe",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2606:4700::5efe:7f00:1",
    "2606:4700::200:5efe:a00:1",
    "fe80::1%25eth0",
    "fe80::1%eth0",
    "::1%25lo",
    "::1%251",
];

/// Whole URLs that mean somebody else than they seem to, or something else than HTTPS.
const TRICKS: &[&str] = &[
    "https://pay.example@127.0.0.1/",
    "https://pay.example:443@127.0.0.1/",
    "https://127.0.0.1@pay.example/",
    "https://[::1]@pay.example/",
    "https://@127.0.0.1/",
    "https://:@127.0.0.1/",
    "https://127.0.0.1#@pay.example/",
    "https://127.0.0.1\\@pay.example/",
    "https://127.0.0.1?@pay.example/",
    "https://127.0.0.1/..//pay.example/",
    "https:127.0.0.1/",
    "https:/127.0.0.1/",
    "https:///127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "  https://127.0.0.1/  ",
    "https://pay.example%40127.0.0.1/",
    "https://pay.example%00.127.0.0.1/",
    "https://pay.example%2f@127.0.0.1/",
    "https://",
    "//127.0.0.1/",
    "http://127.0.0.1/",
    "http://pay.example/",
    "HTTP://pay.example:443/",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "wss://127.0.0.1/",
    "unix:/run/docker.sock",
    "data:text/plain,x",
    "https://pay.example:22/",
    "https://pay.example:25/",
    "https://pay.example:80/",
    "https://pay.example:0/",
    "https://pay.example:65536/",
    "https://127.0.0.1:8443/",
    "https://[::1]:9200/",
    "https://10.0.0.1:6379/",
];

/// Names that lead inside, or whose owner is not who it seems to be.
const HOSTS: &[&str] = &[
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost:8443",
    "metadata.google.internal",
    "127-0-0-1.v4.example",
    "0-0-0-0.v4.example",
    "10-0-0-1.v4.example",
    "172-16-0-1.v4.example",
    "192-168-1-1.v4.example",
    "100-64-0-1.v4.example",
    "169-254-169-254.v4.example",
    "168-63-129-16.v4.example",
    "198-18-0-1.v4.example",
    "203-0-113-9.v4.example",
    "224-0-0-1.v4.example",
    "255-255-255-255.v4.example",
    "127-0-0-1.v4.example.",
    "--1.v6.example",
    "--.v6.example",
    "--ffff-7f00-1.v6.example",
    "--ffff-a00-1.v6.example",
    "64-ff9b--a00-1.v6.example",
    "2002-a00-1--1.v6.example",
    "2001-db8--1.v6.example",
    "fd00-ec2--254.v6.example",
    "fe80--1.v6.example",
    "ff02--1.v6.example",
    "one-inside.example",
    "inside-first.example",
    "inside-by-six.example",
    "mapped-by-six.example",
    "alias.example",
    "crowd.example",
    "no-such-name.example",
    "p\u{430}y.example",
    "l\u{43e}calhost.example",
];

fn service_urls() -> Vec<String> {
    let plain = |host: &&str| format!("https://{host}/charge");
    let bracketed = |host: &&str| format!("https://[{host}]/charge");
    let hosts = [IPV4, SPELLINGS, HOSTS].concat();
    let mut urls: Vec<String> = hosts.iter().map(plain).collect();
    urls.extend(IPV6.iter().map(bracketed));
    urls.extend(TRICKS.iter().map(|url| (*url).to_owned()));
    urls
}

fn stranger() -> HttpsGateway {
    HttpsGateway::new(GatewayPolicy {
        allowed_hosts: Vec::new(),
        extra_roots: vec![authority()],
        ..GatewayPolicy::default()
    })
    .unwrap()
}

/// Why a test of a URL sent nothing.
async fn test(client: &HttpsGateway, url: &str) -> NotSentReason {
    let trial = trial_of(
        config(url),
        WidgetKind::CreditCardAdvanced,
        TestInstrument::Visa,
    );
    match client.send(trial).await {
        Ok(tested) => panic!("{url:?} was sent to: {:?}", tested.judgement),
        Err(nothing) => nothing.reason,
    }
}

/// Why a charge by a URL sent nothing.
async fn charge(client: &HttpsGateway, url: &str) -> NotSentReason {
    match client
        .connect(card_charge(config(url), &card_number()))
        .await
    {
        Ok(_) => panic!("{url:?} was connected to"),
        Err(not_sent) => not_sent.reason,
    }
}

/// The client with the host of a URL approved by a second person.
fn approving(client: &HttpsGateway, url: &str) {
    client.set_approved_hosts(config(url).authority().into_iter().collect());
}

#[test]
fn s4_a_hundred_and_twenty_service_urls_that_lead_inside_connect_to_nobody() {
    within(
        "ssrf::s4_a_hundred_and_twenty_service_urls_that_lead_inside_connect_to_nobody",
        NAMES,
        async |internet| {
            let (urls, client) = (service_urls(), stranger());
            assert!(urls.len() >= 120, "{}", urls.len());
            for url in &urls {
                client.set_approved_hosts(Vec::new());
                let unapproved = charge(&client, url).await;
                let tested = test(&client, url).await;
                approving(&client, url);
                let approved = charge(&client, url).await;
                assert_eq!(internet.reached(), [], "{url:?}");
                for reason in [unapproved, tested, approved] {
                    // Whoever is refused, or times out, was connected to.
                    let before_any = matches!(
                        reason,
                        NotSentReason::HostNotApproved
                            | NotSentReason::Render
                            | NotSentReason::Resolve
                    );
                    assert!(before_any, "{url:?}: {reason:?}");
                }
            }
            println!("{} Service URLs, 0 connections", urls.len());
        },
    );
}

#[test]
fn a_public_host_is_connected_to_where_its_name_says() {
    within(
        "ssrf::a_public_host_is_connected_to_where_its_name_says",
        NAMES,
        async |internet| {
            let client = stranger();
            for (url, wanted) in [
                ("https://93.184.216.34/", "93.184.216.34:443"),
                ("https://pay.example/", "93.184.216.34:443"),
                ("https://pay.example./", "93.184.216.34:443"),
                ("https://pay.example:8443/", "93.184.216.34:8443"),
                ("https://six.example/", "[2606:4700::6810:84e5]:443"),
                ("https://8-8-8-8.v4.example/", "8.8.8.8:443"),
                ("https://two-ways.example/", "93.184.216.34:443"),
                ("https://[::ffff:8.8.8.8]/", "8.8.8.8:443"),
            ] {
                let wanted: SocketAddr = wanted.parse().unwrap();
                // Nobody speaks TLS there.
                assert_eq!(test(&client, url).await, NotSentReason::Tls, "{url}");
                assert_eq!(internet.reached(), [wanted], "{url}");
            }
            assert!(!internet.has_key_log());
        },
    );
}

#[test]
fn fault_b19_a_name_is_asked_once_and_the_address_that_was_judged_is_the_one_connected_to() {
    within(
        "ssrf::fault_b19_a_name_is_asked_once_and_the_address_that_was_judged_is_the_one_connected_to",
        NAMES,
        async |internet| {
            let client = stranger();
            let outside: SocketAddr = "93.184.216.34:443".parse().unwrap();
            test(&client, "https://rebinds.example/").await;
            assert_eq!(internet.reached(), [outside]);
            assert_eq!(internet.asked("rebinds.example"), 1);
            // The next attempt asks anew, and the name leads inside by now.
            let reason = test(&client, "https://rebinds.example/").await;
            assert_eq!(reason, NotSentReason::HostNotApproved);
            assert_eq!(
                (internet.reached(), internet.asked("rebinds.example")),
                (vec![], 2)
            );
            // One that leads outside when it is asked again is not asked again.
            let reason = test(&client, "https://rebinds-later.example/").await;
            assert_eq!(reason, NotSentReason::HostNotApproved);
            assert_eq!(
                (internet.reached(), internet.asked("rebinds-later.example")),
                (vec![], 1)
            );
        },
    );
}

#[test]
fn fault_b19_names_without_an_answer_end_in_time_and_a_thousand_addresses_are_no_burden() {
    within(
        "ssrf::fault_b19_names_without_an_answer_end_in_time_and_a_thousand_addresses_are_no_burden",
        NAMES,
        async |internet| {
            let client = stranger();
            let missing = test(&client, "https://no-such-name.example/").await;
            assert_eq!(missing, NotSentReason::Resolve);
            let mut trial = trial_of(
                config("https://silent.example/"),
                WidgetKind::CreditCardAdvanced,
                TestInstrument::Visa,
            );
            trial.gateway.connection_timeout_ms = 500;
            let began = std::time::Instant::now();
            let Err(nothing) = client.send(trial).await else {
                panic!("a name that nobody answers for was sent to");
            };
            assert_eq!(nothing.reason, NotSentReason::ConnectTimeout);
            assert!((450..700).contains(&began.elapsed().as_millis()));
            assert_eq!(internet.reached(), []);
            // One of them is inside, so the name is not for us.
            let crowded = test(&client, "https://thousand.example/").await;
            assert_eq!(crowded, NotSentReason::HostNotApproved);
            assert_eq!(internet.reached(), []);
        },
    );
}

#[test]
fn fault_b6_no_redirect_is_followed_wherever_it_leads() {
    within(
        "ssrf::fault_b6_no_redirect_is_followed_wherever_it_leads",
        NAMES,
        async |internet: Internet| {
            for location in [
                "https://169.254.169.254/latest/meta-data/",
                "http://127.0.0.1/",
                "https://[::1]/",
                "https://10.0.0.1:8443/",
                "https://pay.example/",
                "http://pay.example/",
                "//pay.example/",
                "/charge",
                "",
                "file:///etc/passwd",
                "javascript:alert(1)",
            ] {
                for status in [300, 301, 302, 303, 304, 305, 307, 308] {
                    let head = format!("Location: {location}\r\nRefresh: 0; url={location}\r\n");
                    let server = Server::start(reply(status, &head, b"")).await;
                    let answer = answer(&server).await;
                    let told = (answer.verdict.outcome, answer.status);
                    assert_eq!(told, (Outcome::Unknown, Some(status)), "{location}");
                    assert_eq!((server.connections(), server.requests().len()), (1, 1));
                }
            }
            assert_eq!(internet.reached(), []);
        },
    );
}

#[test]
fn fault_b18_a_proxy_of_the_environment_and_its_key_log_are_ignored() {
    within(
        "ssrf::fault_b18_a_proxy_of_the_environment_and_its_key_log_are_ignored",
        NAMES,
        async |internet: Internet| {
            assert!(std::env::var_os("HTTPS_PROXY").is_some());
            let server = Server::start(reply(200, "", br#"{"status":"APPROVED"}"#)).await;
            assert_eq!(answer(&server).await.verdict.outcome, Outcome::Approved);
            assert_eq!(
                (internet.reached(), internet.has_key_log()),
                (vec![], false)
            );
        },
    );
}

#[test]
fn fault_b1_no_route_and_no_answer_are_not_sent_within_the_connection_timeout() {
    within(
        "ssrf::fault_b1_no_route_and_no_answer_are_not_sent_within_the_connection_timeout",
        NAMES,
        async |internet: Internet| {
            let routeless = test(&stranger(), "https://unroutable.example/").await;
            assert_eq!(routeless, NotSentReason::Connect);
            // A full queue of a listener that accepts nobody: what comes then is dropped, as by a firewall.
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let full = socket.listen(0).unwrap();
            let address = full.local_addr().unwrap();
            let _first = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut charge = card_charge(config(&format!("https://{address}/")), &card_number());
            charge.gateway.connection_timeout_ms = 1_000;
            let began = std::time::Instant::now();
            let not_sent = client(&[address.to_string()]).connect(charge).await;
            let reason = not_sent.err().unwrap().reason;
            assert_eq!(reason, NotSentReason::ConnectTimeout);
            assert!((900..1_100).contains(&began.elapsed().as_millis()));
            assert_eq!(internet.reached(), []);
        },
    );
}
