//! Places by their names, against a server of names on loopback.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use domain::boundary::{RouteTarget, Telephony};
use domain::service::ProtectionScope;
use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, NAPTR, SOA, SRV};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use sip::Uri;

use crate::phone::{Phone, description};
use crate::scene::{PBX, STRANGER, Scene, TRUNK, eventually};

const ZONE: &str = "carrier.test.";

/// Seconds that its answers hold: less than the shortest time that one is kept.
const TTL: u32 = 1;

/// A zone, and the server that answers for it.
pub(crate) struct Zone {
    records: Arc<InMemoryZoneHandler<TokioRuntimeProvider>>,
    _server: Server<Catalog>,
    pub(crate) address: SocketAddr,
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

impl Zone {
    pub(crate) async fn new() -> Self {
        let records = InMemoryZoneHandler::empty(name(ZONE), ZoneType::Primary, AxfrPolicy::Deny);
        let records = Arc::new(records);
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&name(ZONE)), vec![records.clone()]);
        let mut server = Server::new(catalog);
        let socket = tokio::net::UdpSocket::bind((TRUNK, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        server.register_socket(socket);
        let zone = Self {
            records,
            _server: server,
            address,
        };
        let soa = SOA::new(name(ZONE), name(ZONE), 1, 60, 60, 60, 1);
        zone.set(ZONE, RData::SOA(soa)).await;
        zone
    }

    pub(crate) async fn set(&self, at: &str, data: RData) {
        let record = Record::from_rdata(name(at), TTL, data);
        assert!(self.records.upsert(record, 1).await, "{at}");
    }

    pub(crate) async fn rule(&self, order: u16, services: &str, replacement: &str) {
        let (flags, services) = (b"s"[..].into(), services.as_bytes().into());
        let rule = NAPTR::new(order, 1, flags, services, Box::default(), name(replacement));
        self.set(ZONE, RData::NAPTR(rule)).await;
    }

    pub(crate) async fn server(&self, service: &str, priority: u16, port: u16, target: &str) {
        let server = SRV::new(priority, 1, port, name(target));
        self.set(service, RData::SRV(server)).await;
    }

    pub(crate) async fn address(&self, at: &str, ip: &str) {
        let IpAddr::V4(ip) = ip.parse().unwrap() else {
            panic!("IPv4")
        };
        self.set(at, RData::A(A(ip))).await;
    }
}

fn scene(zone: &Zone, place: &str) -> Scene {
    Scene::with(|config| {
        config.dns = vec![zone.address];
        config.peers[1].places = vec![Uri::parse(place.as_bytes()).unwrap()];
        config.limits.silence_max = Duration::from_millis(300);
    })
}

fn place() -> Phone {
    Phone::new("place", PBX, SocketAddr::new(TRUNK.parse().unwrap(), 0))
}

async fn call(scene: &mut Scene) {
    let offer = description(scene.consumer_talk.local).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let target = RouteTarget::Trunk {
        trunk: "pbx".to_owned(),
        number: "200".to_owned(),
    };
    let routed = scene.node.route(&call.id, target, ProtectionScope::Capture);
    routed.unwrap();
}

async fn has_places(scene: &Scene, count: usize) {
    eventually("its places", || scene.node.places().len() == count).await;
}

#[tokio::test]
async fn name_leads_by_naptr_and_srv_to_the_next_server_where_the_first_is_silent() {
    let (zone, mut there) = (Zone::new().await, place());
    let silent = UdpSocket::bind((PBX, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    // The node does not speak TCP; the stranger's address is none of the trunk's.
    zone.rule(10, "SIP+D2T", "_sip._tcp.carrier.test.").await;
    zone.rule(20, "SIP+D2U", "_calls._udp.carrier.test.").await;
    zone.server(
        "_calls._udp.carrier.test.",
        5,
        5060,
        "stranger.carrier.test.",
    )
    .await;
    zone.server("_calls._udp.carrier.test.", 10, port, "one.carrier.test.")
        .await;
    zone.server(
        "_calls._udp.carrier.test.",
        20,
        there.address.port(),
        "one.carrier.test.",
    )
    .await;
    zone.address("one.carrier.test.", PBX).await;
    zone.address("stranger.carrier.test.", STRANGER).await;
    let mut scene = scene(&zone, "sip:carrier.test");
    has_places(&scene, 2).await;
    call(&mut scene).await;
    let incoming = there.incoming().await;
    assert_eq!(incoming.request_uri.to_string(), "sip:200@carrier.test");
    let standings = || {
        let places = scene.node.places().into_iter();
        places
            .map(|place| (place.place, place.is_up))
            .collect::<Vec<_>>()
    };
    let wanted = [
        (format!("sip:{PBX}:{port}"), false),
        (format!("sip:{}", there.address), true),
    ];
    eventually("the first as down", || standings() == wanted).await;
}

#[tokio::test]
async fn answer_is_asked_for_again_when_it_ends_and_the_last_one_holds_when_nobody_answers() {
    let (zone, mut there) = (Zone::new().await, place());
    let port = there.address.port();
    zone.address(ZONE, STRANGER).await;
    let mut scene = scene(&zone, &format!("sip:carrier.test:{port}"));
    call(&mut scene).await;
    assert_eq!(scene.consumer.failed().await, 480, "none of its addresses");
    zone.address(ZONE, PBX).await;
    has_places(&scene, 1).await;
    drop(zone);
    // It is asked for again meanwhile, in vain.
    tokio::time::sleep(Duration::from_secs(6)).await;
    call(&mut scene).await;
    assert_eq!(there.incoming().await.request_uri.user(), Some("200"));
}

#[tokio::test]
async fn without_records_of_a_service_its_address_is_called_at_the_usual_port() {
    let zone = Zone::new().await;
    zone.address(ZONE, PBX).await;
    let scene = scene(&zone, "sip:carrier.test");
    has_places(&scene, 1).await;
    assert_eq!(scene.node.places()[0].place, format!("sip:{PBX}:5060"));
}
