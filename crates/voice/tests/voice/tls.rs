//! Calls inside TLS, and certificates that do not do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::boundary::{EndCause, RouteTarget, Telephony};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use sip::{Command, Transport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use voice::transport::{InterfaceConfig, TlsConfig, TlsPeer};

use crate::phone::{PATIENCE, Phone, description};
use crate::scene::{PBX, Scene, TRUNK};

const CARRIER: &str = "carrier.example";
const EXCHANGE: &str = "pbx.example";
const LOOK: Duration = Duration::from_millis(50);

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A folder with an authority and what it and another one have issued.
struct Files {
    folder: tempfile::TempDir,
    ours: Issuer,
    theirs: Issuer,
}

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl Files {
    fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
            ours: issuer(),
            theirs: issuer(),
        };
        std::fs::write(files.path("ca.pem"), files.ours.pem()).unwrap();
        files.issue("node", TRUNK, &files.ours, 2_900);
        files.issue("carrier", CARRIER, &files.ours, 2_900);
        files.issue("exchange", EXCHANGE, &files.ours, 2_900);
        files.issue("expired", EXCHANGE, &files.ours, 2_020);
        files.issue("foreign", EXCHANGE, &files.theirs, 2_900);
        files
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn issue(&self, file: &str, name: &str, by: &Issuer, until: i32) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, by).unwrap().pem();
        // As a program that renews does: each file at once.
        for (end, text) in [("key", key.serialize_pem()), ("pem", pem)] {
            let fresh = self.path("fresh");
            std::fs::write(&fresh, text).unwrap();
            std::fs::rename(fresh, self.path(&format!("{file}.{end}"))).unwrap();
        }
    }

    /// The settings of who shows this certificate.
    fn tls(&self, file: &str, peers: Vec<TlsPeer>) -> TlsConfig {
        TlsConfig {
            certificate: self.path(&format!("{file}.pem")),
            key: self.path(&format!("{file}.key")),
            roots: Some(self.path("ca.pem")),
            peers,
            look: LOOK,
        }
    }
}

fn peer(ip: &str, name: &str) -> TlsPeer {
    TlsPeer {
        addresses: vec![ip.parse().unwrap()],
        name: name.to_owned(),
    }
}

/// A node that knows carrier and exchange by name, and speaks nothing but TLS; phones of theirs that show these certificates.
fn scene(files: &Files, (carrier, exchange): (&str, &str)) -> Scene {
    let mut scene = Scene::with(|config| {
        let listen = config.interfaces[0].listen;
        config.interfaces = vec![InterfaceConfig::new(Transport::Tls, listen)];
        let peers = vec![peer(TRUNK, CARRIER), peer(PBX, EXCHANGE)];
        config.tls = Some(files.tls("node", peers));
    });
    let phone = |file, name, ip| Phone::inside(files.tls(file, Vec::new()), name, ip, scene.server);
    let consumer = phone(carrier, "consumer", TRUNK);
    let agent = phone(exchange, "agent", PBX);
    (scene.consumer, scene.agent) = (consumer, agent);
    let address = scene.agent.address;
    scene.target = Some(RouteTarget::Uri {
        uri: format!("sip:200@{address};transport=tls"),
        address,
    });
    scene
}

/// A connection without a certificate of its own.
async fn unproven(files: &Files, server: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(files.path("ca.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(server).await.unwrap();
    let name = ServerName::from(server.ip());
    connector.connect(name, stream).await.unwrap()
}

/// The leaf that the node shows to a new connection.
async fn shown(files: &Files, server: SocketAddr) -> Vec<u8> {
    let stream = unproven(files, server).await;
    let leaf = &stream.get_ref().1.peer_certificates().unwrap()[0];
    leaf.to_vec()
}

fn on_disk(files: &Files) -> Vec<u8> {
    CertificateDer::from_pem_file(files.path("node.pem"))
        .unwrap()
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_inside_tls_of_both_sides() {
    let files = Files::new();
    let mut scene = scene(&files, ("carrier", "exchange"));
    let running = scene.connect().await;
    scene.both_heard().await;
    let leg = running.agent_leg;
    scene.agent.command(Command::Hangup { leg, reason: None });
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Agent);
    scene.is_empty().await;
    assert_eq!(scene.node.counters().transport.received, 0, "in clear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_names_no_transport_goes_by_the_one_that_is_spoken() {
    let files = Files::new();
    let mut scene = scene(&files, ("carrier", "exchange"));
    let address = scene.agent.address;
    let target = |parameter: &str| {
        Some(RouteTarget::Uri {
            uri: format!("sip:200@{address}{parameter}"),
            address,
        })
    };
    // Asked for by name, a transport that is not spoken is not replaced by another.
    scene.target = target(";transport=udp");
    refused(&mut scene, 480, "a transport that is not spoken").await;

    scene.target = target("");
    let running = scene.connect().await;
    scene.both_heard().await;
    let leg = running.agent_leg;
    scene.agent.command(Command::Hangup { leg, reason: None });
    scene.consumer.ended().await;
    assert_eq!(scene.ended().await, EndCause::Agent);
    scene.is_empty().await;
}

/// A call of the consumer's is routed to the agent, whom nobody can reach.
async fn refused(scene: &mut Scene, status: u16, why: &str) {
    let offer = description(scene.consumer_talk.local).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let (target, protection) = (scene.agent_target(), scene.protection);
    scene.node.route(&call.id, target, protection).unwrap();
    assert_eq!(scene.consumer.failed().await, status, "{why}");
    assert_eq!(scene.ended().await, EndCause::NotAnswered(status), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_certificate_does_not_do_is_let_go() {
    let files = Files::new();
    // Another's name, another's authority, and one that is over.
    for shown in ["exchange", "foreign", "expired"] {
        let scene = scene(&files, (shown, "exchange"));
        let offer = description(scene.consumer_talk.local).offer();
        let mut consumer = scene.consumer;
        consumer.call("100", scene.server, Some(offer));
        assert_eq!(consumer.failed().await, 503, "{shown}");
        assert_eq!(scene.node.counters().calls_incoming, 0, "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_whose_certificate_does_not_do() {
    let files = Files::new();
    for shown in ["carrier", "foreign", "expired"] {
        let mut scene = scene(&files, ("carrier", shown));
        refused(&mut scene, 500, shown).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_known_by_name_and_shows_none_is_let_go() {
    let files = Files::new();
    let scene = scene(&files, ("carrier", "exchange"));
    let mut stream = unproven(&files, scene.server).await;
    let reading = tokio::time::timeout(PATIENCE, stream.read_u8());
    assert!(reading.await.unwrap().is_err(), "the node closes it");
    assert_eq!(scene.node.counters().calls_incoming, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_while_a_call_is_up() {
    let files = Files::new();
    let mut scene = scene(&files, ("carrier", "exchange"));
    let running = scene.connect().await;
    let first = on_disk(&files);
    assert_eq!(shown(&files, scene.server).await, first);

    files.issue("node", TRUNK, &files.ours, 2_900);
    let second = on_disk(&files);
    assert_ne!(first, second);
    while shown(&files, scene.server).await != second {
        tokio::time::sleep(LOOK).await;
    }

    // A file that cannot be used leaves the old one in use, until one can.
    std::fs::write(files.path("node.key"), "no key").unwrap();
    for _ in 0..20 {
        assert_eq!(shown(&files, scene.server).await, second);
        tokio::time::sleep(LOOK / 5).await;
    }
    files.issue("node", TRUNK, &files.ours, 2_900);
    let third = on_disk(&files);
    while shown(&files, scene.server).await != third {
        tokio::time::sleep(LOOK).await;
    }

    scene.both_heard().await;
    let leg = running.consumer_leg;
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.agent.ended().await;
    scene.is_empty().await;
}
