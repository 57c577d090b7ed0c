//! Authorities and client certificates that a configuration names, against servers of openssl and our own.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::boundary::{NotSent, PaymentGateway};
use domain::gateway::trial::GatewayTrials;
use domain::gateway::{Connection, GatewayConfig, NotSentReason};
use domain::payment::Outcome;
use gateway::{ClientCertificate, Connections, FileError, GatewayPolicy, HttpsGateway};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};

use crate::charges::{card_charge, card_number, config};
use crate::openssl::Served;
use crate::server::{Identity, Server, authority, foreign_authority, reply};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file of this mode.
fn write(path: &Path, mode: u32, text: &str) {
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(mode)
        .open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// A folder with certificates: `ca.pem` signed `server`, `shop` and `expired`; another authority signed `stranger`.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let (ours, theirs) = (issuer(), issuer());
        write(&files.path("ca.pem"), 0o644, &ours.pem());
        let client = ExtendedKeyUsagePurpose::ClientAuth;
        files.issue("server", &ours, ExtendedKeyUsagePurpose::ServerAuth, 2_900);
        files.issue("shop", &ours, client.clone(), 2_900);
        files.issue("expired", &ours, client.clone(), 2_020);
        files.issue("stranger", &theirs, client, 2_900);
        files
    }

    fn issue(&self, name: &str, by: &Issuer, purpose: ExtendedKeyUsagePurpose, until: i32) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![purpose];
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, by).unwrap();
        write(
            &self.path(&format!("{name}.pem")),
            0o644,
            &certificate.pem(),
        );
        write(
            &self.path(&format!("{name}.key")),
            0o600,
            &key.serialize_pem(),
        );
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Result<ClientCertificate, FileError> {
        let [certificate, key] = ["pem", "key"].map(|end| self.path(&format!("{name}.{end}")));
        ClientCertificate::read(&certificate, &key)
    }

    /// A server that wants a certificate of our authority.
    fn demanding(&self, options: &[&str]) -> Served {
        let asks = ["-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"];
        Served::start(self.0.path(), "server", &[&asks, options].concat())
    }

    /// A client that may go to these hosts, with all client certificates by their names.
    fn client(&self, hosts: &[&Served]) -> HttpsGateway {
        let read = |name: &str| (name.to_owned(), self.read(name).unwrap());
        let bank = gateway::read_roots(&self.path("ca.pem")).unwrap();
        HttpsGateway::new(GatewayPolicy {
            allowed_hosts: hosts.iter().map(|served| served.host.clone()).collect(),
            connections: Connections {
                trust: [("bank".to_owned(), bank)].into(),
                client_certificates: ["shop", "expired", "stranger"].map(read).into(),
                ..Connections::default()
            },
            ..GatewayPolicy::default()
        })
        .unwrap()
    }
}

/// A configuration that trusts the bank and shows this certificate.
fn showing(url: &str, client_certificate: &str) -> GatewayConfig {
    let mut config = config(url);
    config.read_timeout_ms = 1_000;
    config.more.connection = Connection {
        trust: "bank".to_owned(),
        client_certificate: client_certificate.to_owned(),
        proxy: String::new(),
    };
    config
}

/// Why a charge was not sent; none: it would have been.
async fn refused(client: &HttpsGateway, config: GatewayConfig) -> Option<NotSent> {
    let connected = client.connect(card_charge(config, &card_number())).await;
    connected.err()
}

/// The ways in which a server learns of a client's certificate before, or only after, the client's handshake ends.
const HANDSHAKES: [&[&str]; 3] = [
    &["-tls1_2"],
    &["-tls1_3"],
    &["-tls1_3", "-num_tickets", "0"],
];

#[tokio::test]
async fn a_gateway_that_wants_a_client_certificate_gets_the_named_one_or_nothing_at_all() {
    let files = Files::new();
    for options in HANDSHAKES {
        let served = files.demanding(options);
        let client = files.client(&[&served]);
        for (name, why) in [
            (
                "",
                "wants a client certificate, and the configuration names none",
            ),
            ("expired", "the client certificate was refused"),
            ("stranger", "the client certificate was refused"),
        ] {
            let not_sent = refused(&client, showing(&served.url(), name)).await;
            let not_sent = not_sent.unwrap_or_else(|| panic!("{options:?} {name}: connected"));
            assert_eq!(not_sent.reason, NotSentReason::Tls, "{options:?} {name}");
            // Before TLS 1.3 the refusal ends the handshake, which says no more.
            let is_told = options == ["-tls1_2"] || not_sent.detail.contains(why);
            assert!(is_told, "{options:?} {name}: {}", not_sent.detail);
        }
        let charge = card_charge(showing(&served.url(), "shop"), &card_number());
        let ready = client.connect(charge).await;
        let ready = ready.unwrap_or_else(|not_sent| panic!("{options:?}: {}", not_sent.detail));
        assert!(!served.said().contains("POST"), "{options:?}");
        // It receives, and never answers.
        let answer = ready
            .send()
            .await
            .unwrap_or_else(|not_sent| panic!("{}", not_sent.detail));
        assert_eq!(answer.verdict.outcome, Outcome::Unknown);
        let said = served.says("POST /charge").await;
        assert_eq!(said.matches("POST").count(), 1, "{options:?}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_asks_without_need_is_charged_without_a_certificate() {
    let files = Files::new();
    for options in HANDSHAKES {
        let asks = ["-verify", "1", "-CAfile", "ca.pem"];
        let served = Served::start(files.0.path(), "server", &[&asks, options].concat());
        let not_sent = refused(&files.client(&[&served]), showing(&served.url(), "")).await;
        let why = not_sent.map(|not_sent| not_sent.detail);
        assert_eq!(why, None, "{options:?}");
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_the_host_of_the_service_url_and_to_no_other() {
    let files = Files::new();
    let asks = ["-verify", "1", "-CAfile", "ca.pem"];
    let sale = Served::start(files.0.path(), "server", &asks);
    let other = Served::start(files.0.path(), "server", &asks);
    for (url, served, shown) in [
        ("/token".to_owned(), &sale, true),
        (format!("https://{}/token", other.host), &other, false),
    ] {
        let mut policy = GatewayPolicy {
            allowed_hosts: vec![sale.host.clone(), other.host.clone()],
            // The other host is checked as if nothing were named.
            extra_roots: gateway::read_roots(&files.path("ca.pem")).unwrap(),
            ..GatewayPolicy::default()
        };
        let shop = files.read("shop").unwrap();
        policy.connections.client_certificates = [("shop".to_owned(), shop)].into();
        let client = HttpsGateway::new(policy).unwrap();
        let mut config = showing(&sale.url(), "shop");
        config.more.connection.trust = String::new();
        let step = serde_json::json!({ "name": "token", "url": url, "body": "{\"a\":1}" });
        config.more.steps = vec![serde_json::from_value(step).unwrap()];
        // Nobody answers the step, so that the sale is not sent.
        let not_sent = refused(&client, config).await.unwrap();
        assert_eq!(
            not_sent.reason,
            NotSentReason::Step,
            "{url}: {}",
            not_sent.detail
        );
        let said = served.says("POST /token").await;
        assert_eq!(said.contains("Client certificate"), shown, "{url}: {said}");
    }
}

#[tokio::test]
async fn a_named_authority_is_the_only_one() {
    let approved = reply(200, "", br#"{"status":"APPROVED"}"#);
    let public = Server::with_identity(Identity::Good, approved.clone()).await;
    let private = Server::with_identity(Identity::UnknownAuthority, approved).await;
    let client = HttpsGateway::new(GatewayPolicy {
        allowed_hosts: vec![public.host(), private.host()],
        extra_roots: vec![authority()],
        connections: Connections {
            trust: [("bank".to_owned(), vec![foreign_authority()])].into(),
            ..Connections::default()
        },
    })
    .unwrap();
    for (server, trust, fits) in [
        (&public, "", true),
        (&public, "bank", false),
        (&private, "", false),
        (&private, "bank", true),
    ] {
        let mut config = config(&server.url());
        config.more.connection.trust = trust.to_owned();
        let reason = refused(&client, config)
            .await
            .map(|not_sent| not_sent.reason);
        let expected = (!fits).then_some(NotSentReason::Tls);
        assert_eq!(reason, expected, "{trust:?} {}", server.url());
    }
    assert_eq!((public.requests().len(), private.requests().len()), (0, 0));
}

#[tokio::test]
async fn a_named_authority_checks_name_and_dates_as_ever() {
    for identity in [
        Identity::Expired,
        Identity::NotYetValid,
        Identity::WrongHost,
    ] {
        let server = Server::with_identity(identity, reply(200, "", b"{}")).await;
        let client = HttpsGateway::new(GatewayPolicy {
            allowed_hosts: vec![server.host()],
            connections: Connections {
                trust: [("bank".to_owned(), vec![authority()])].into(),
                ..Connections::default()
            },
            ..GatewayPolicy::default()
        })
        .unwrap();
        let mut config = config(&server.url());
        config.more.connection.trust = "bank".to_owned();
        let not_sent = refused(&client, config).await.unwrap();
        assert_eq!(not_sent.reason, NotSentReason::Tls, "{identity:?}");
    }
}

#[tokio::test]
async fn a_name_that_the_servers_file_does_not_have_is_not_sent_with() {
    let files = Files::new();
    let server = Server::start(reply(200, "", b"{}")).await;
    let client = files.client(&[]);
    assert_eq!(client.connection_names().trust, ["bank"]);
    client.set_approved_hosts(vec![server.host()]);
    let not_sent = refused(&client, showing(&server.url(), "shopp"))
        .await
        .unwrap();
    assert_eq!(not_sent.reason, NotSentReason::Render);
    assert_eq!(
        not_sent.detail,
        "more.connection.client_certificate: The server's file has no [gateway.client_certificates.shopp]; it has expired, shop, stranger."
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn fault_b12_a_certificate_is_that_of_the_last_start_and_a_bad_file_is_named() {
    let files = Files::new();
    let served = files.demanding(&[]);
    let client = files.client(&[&served]);
    for end in ["pem", "key"] {
        let [from, to] = ["stranger", "shop"].map(|name| files.path(&format!("{name}.{end}")));
        std::fs::copy(from, to).unwrap();
    }
    assert!(
        refused(&client, showing(&served.url(), "shop"))
            .await
            .is_none()
    );
    let renewed = files.client(&[&served]);
    let not_sent = refused(&renewed, showing(&served.url(), "shop")).await;
    assert_eq!(not_sent.unwrap().reason, NotSentReason::Tls);
    std::fs::write(files.path("shop.key"), "no key").unwrap();
    assert!(
        files
            .read("shop")
            .unwrap_err()
            .to_string()
            .contains("shop.key")
    );
    assert!(
        refused(&renewed, showing(&served.url(), "expired"))
            .await
            .is_some()
    );
}

#[test]
fn a_key_is_its_owners_alone_and_belongs_to_its_certificate() {
    let files = Files::new();
    assert_eq!(
        format!("{:?}", files.read("shop").unwrap()),
        "[client certificate]"
    );
    for (mode, is_taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
        std::fs::set_permissions(files.path("shop.key"), Permissions::from_mode(mode)).unwrap();
        let told = files.read("shop").err().map(|error| error.to_string());
        let expected = (!is_taken).then(|| {
            format!(
                "{} may be read by others; set its mode to 0600",
                files.path("shop.key").display()
            )
        });
        assert_eq!(told, expected, "{mode:o}");
    }
    let mixed = ClientCertificate::read(&files.path("stranger.pem"), &files.path("server.key"));
    let told = mixed.unwrap_err().to_string();
    assert!(
        told.contains("stranger.pem") && told.contains("server.key"),
        "{told}"
    );
    write(&files.path("long.key"), 0o600, &"x".repeat(20_000));
    write(
        &files.path("long.pem"),
        0o600,
        &std::fs::read_to_string(files.path("shop.pem")).unwrap(),
    );
    assert!(
        files
            .read("long")
            .unwrap_err()
            .to_string()
            .contains("long.key")
    );
    assert!(
        files
            .read("none")
            .unwrap_err()
            .to_string()
            .contains("none.pem")
    );
}
