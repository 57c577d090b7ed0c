//! TLS as other people's servers speak it (SECURITY-AND-FAULTS B11): `openssl s_server` with old protocols, weak keys and no cipher.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use domain::boundary::PaymentGateway;
use domain::gateway::NotSentReason;
use domain::payment::Outcome;
use gateway::{GatewayPolicy, HttpsGateway, read_roots};

use crate::charges::{card_charge, card_number, config};
use crate::openssl::Served;

/// Certificates of one authority: name, key, digest.
const LEAVES: [(&str, &str, &str); 4] = [
    ("good", "rsa:2048", "-sha256"),
    ("short-key", "rsa:1024", "-sha256"),
    ("sha1", "rsa:2048", "-sha1"),
    ("md5", "rsa:2048", "-md5"),
];

/// Server, certificate, options, and whether a charge may go there.
const SERVERS: [(&str, &str, &[&str], bool); 11] = [
    ("TLS 1.3", "good", &["-tls1_3"], true),
    ("TLS 1.2", "good", &["-tls1_2"], true),
    (
        "TLS 1.1",
        "good",
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
    (
        "TLS 1.0",
        "good",
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
    (
        "no cipher",
        "good",
        &["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"],
        false,
    ),
    (
        "no certificate",
        "good",
        &["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"],
        false,
    ),
    (
        "CBC with SHA-1",
        "good",
        &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
        false,
    ),
    (
        "no forward secrecy",
        "good",
        &["-tls1_2", "-cipher", "AES128-GCM-SHA256"],
        false,
    ),
    (
        "a key of 1024 bits",
        "short-key",
        &["-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
    (
        "a signature by SHA-1",
        "sha1",
        &["-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
    (
        "a signature by MD5",
        "md5",
        &["-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
];

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl is there");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {complaint}");
}

/// Files `NAME.pem` and `NAME.key`, and the authority's `ca.pem`.
fn certify(folder: &Path) {
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca \
         -addext basicConstraints=critical,CA:TRUE",
    );
    for (name, key, digest) in LEAVES {
        openssl(
            folder,
            &format!("req -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN=x"),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
                 -out {name}.pem -days 2 -extfile names {digest}"
            ),
        );
    }
}

#[tokio::test]
async fn fault_b11_weak_and_old_tls_is_not_sent_to() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    for (name, certificate, options, good) in SERVERS {
        let served = Served::start(folder.path(), certificate, options);
        let gateway = HttpsGateway::new(GatewayPolicy {
            allowed_hosts: vec![served.host.clone()],
            extra_roots: read_roots(&folder.path().join("ca.pem")).unwrap(),
            ..GatewayPolicy::default()
        })
        .unwrap();
        let charge = card_charge(config(&format!("https://{}/", served.host)), &card_number());
        match gateway.connect(charge).await {
            Ok(_) => assert!(good, "{name}: a charge would have been sent"),
            Err(not_sent) => {
                assert!(!good, "{name}: {}", not_sent.detail);
                assert_eq!(not_sent.reason, NotSentReason::Tls, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn fault_b11_a_server_that_wants_to_negotiate_again_is_refused_and_the_outcome_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    let mut served = Served::start(folder.path(), "good", &["-tls1_2"]);
    let gateway = HttpsGateway::new(GatewayPolicy {
        allowed_hosts: vec![served.host.clone()],
        extra_roots: read_roots(&folder.path().join("ca.pem")).unwrap(),
        ..GatewayPolicy::default()
    })
    .unwrap();
    let mut config = config(&served.url());
    config.read_timeout_ms = 60_000;
    let ready = gateway.connect(card_charge(config, &card_number())).await;
    let ready = ready.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    let sending = tokio::spawn(ready.send());
    served.says("POST /charge").await;
    served.order("R");
    // The server gives up, since nothing is negotiated again; without that this would last the Read Timeout.
    let answer = tokio::time::timeout(Duration::from_secs(20), sending).await;
    let answer = answer.unwrap().unwrap();
    let answer = answer.unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
    assert_eq!(answer.verdict.outcome, Outcome::Unknown);
    assert_eq!(served.said().matches("POST").count(), 1);
}
