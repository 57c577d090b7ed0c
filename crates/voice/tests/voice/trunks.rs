//! A trunk that wants to know who we are.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use domain::boundary::{EndCause, IncomingCall, RouteTarget, Telephony};
use domain::service::ProtectionScope;
use secret::{Arena, SecretText};
use sip::digest::Ha1;
use sip::{Command, Credentials, Event, Flow, LegId, PhoneAccount, Status, Transport, Uri};
use tokio::sync::mpsc;
use voice::transport::InterfaceConfig;
use voice::{Account, MediaSource, Node, NodeConfig, NodeError, Registration};

use crate::phone::{PATIENCE, Phone, description};
use crate::scene::{Log, PBX, Said, Scene, TRUNK, eventually, peer};

const USER: &str = "4930123";
const PASSWORD: &str = "trunk-pa55";

fn credentials(password: &str) -> Credentials {
    let realm = "tonewall".to_owned();
    Credentials {
        user: USER.to_owned(),
        ha1: Ha1::derive(USER, &realm, &SecretText::new(password.to_owned())),
        realm,
    }
}

/// A registrar at the trunk's address. It challenges REGISTER, and INVITE from where somebody is registered.
fn registrar() -> Phone {
    let registrar = Phone::new(
        "registrar",
        TRUNK,
        SocketAddr::new(TRUNK.parse().unwrap(), 0),
    );
    let account = PhoneAccount {
        user: USER.to_owned(),
        ha1: credentials(PASSWORD).ha1,
    };
    let accounts = vec![account];
    registrar.command(Command::SetPhones { accounts });
    registrar
}

/// The trunk has an account there.
fn with_account(config: &mut NodeConfig, registrar: &str, password: &str) {
    config.peers[0].account = Some(Account {
        credentials: credentials(password),
        registration: Some(Registration {
            registrar: Uri::parse(registrar.as_bytes()).unwrap(),
            contact: Some("line1".to_owned()),
            expires: Duration::from_secs(60),
        }),
    });
}

async fn registered(registrar: &mut Phone) -> Flow {
    let registered = |event| match event {
        Event::Registered { user, flow } => Some((user, flow)),
        _ => None,
    };
    let (user, flow) = registrar.until("registration", registered).await;
    assert_eq!(user, USER);
    flow
}

fn holds(scene: &Scene) -> Option<bool> {
    scene.node.registrations().get("trunk").copied()
}

/// A call of the consumer's, routed to the registrar.
async fn call_to_trunk(scene: &mut Scene, registrar: &Phone) {
    let offer = description(scene.consumer_talk.local).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let address = registrar.address;
    let uri = format!("sip:5550100@{address}");
    let target = RouteTarget::Uri { uri, address };
    let routed = scene.node.route(&call.id, target, ProtectionScope::Capture);
    routed.unwrap();
}

#[tokio::test]
async fn node_is_registered_at_a_trunk_is_called_by_its_contact_and_proves_its_own_calls() {
    let mut registrar = registrar();
    let at = format!("sip:{}", registrar.address);
    let mut scene = Scene::with(|config| with_account(config, &at, PASSWORD));
    assert_eq!(registered(&mut registrar).await.remote, scene.server);
    eventually("its answer", || holds(&scene) == Some(true)).await;
    let offer = description(scene.consumer_talk.local).offer();
    registrar.call("line1", scene.server, Some(offer));
    let call = scene.incoming().await;
    assert_eq!(
        (call.called.as_str(), call.peer.as_str()),
        ("line1", "trunk")
    );
    scene.node.hang_up(&call.id).unwrap();
    scene.ended().await;
    call_to_trunk(&mut scene, &registrar).await;
    let challenged = registrar.incoming().await;
    assert_eq!(challenged.registered_user.as_deref(), Some(USER));
    assert_eq!(challenged.request_uri.user(), Some("5550100"));
    scene.node.shutdown().await;
    let unregistered = |event| match event {
        Event::Unregistered { user } => Some(user),
        _ => None,
    };
    assert_eq!(registrar.until("farewell", unregistered).await, USER);
    assert_eq!(holds(&scene), Some(false));
}

#[tokio::test]
async fn registrar_that_no_interface_reaches_stops_the_start() {
    let arena = Arena::new(16).unwrap();
    let listen = SocketAddr::new(TRUNK.parse().unwrap(), 0);
    let mut config = NodeConfig::new(listen, 10_000..=10_001, arena);
    config.peers = vec![peer("carrier", TRUNK, MediaSource::Signalled)];
    with_account(&mut config, "sip:127.0.0.1;transport=tls", PASSWORD);
    let started = Node::start(config, Arc::new(Log(mpsc::channel(1).0)));
    let error = started.err().expect("it does not start");
    assert!(matches!(&error, NodeError::ConfigTrunk { trunk, .. } if trunk == "carrier"));
}

/// A far side of several places, none of which is called before.
fn place() -> Phone {
    Phone::new("place", PBX, SocketAddr::new(TRUNK.parse().unwrap(), 0))
}

fn with_places(places: &[String]) -> Scene {
    probing(None, places)
}

fn probing(probe: Option<Duration>, places: &[String]) -> Scene {
    Scene::with(|config| {
        config.peers[1].probe = probe;
        let uri = |place: &String| Uri::parse(place.as_bytes()).unwrap();
        config.peers[1].places = places.iter().map(uri).collect();
        config.limits.silence_max = Duration::from_millis(300);
        let tcp = InterfaceConfig::new(Transport::Tcp, config.interfaces[0].listen);
        config.interfaces.push(tcp);
    })
}

/// A call of the consumer's, routed to the far side that has these places.
async fn call_to_places(scene: &mut Scene) -> (LegId, IncomingCall) {
    let offer = description(scene.consumer_talk.local).offer();
    let leg = scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let address = SocketAddr::new(PBX.parse().unwrap(), 9);
    let uri = "sip:5550100@pbx.example".to_owned();
    let target = RouteTarget::Uri { uri, address };
    let routed = scene.node.route(&call.id, target, ProtectionScope::Capture);
    routed.unwrap();
    (leg, call)
}

/// A place where nobody says anything.
fn silent_place() -> (UdpSocket, String) {
    let socket = UdpSocket::bind((PBX, 0)).unwrap();
    let uri = format!("sip:{}", socket.local_addr().unwrap());
    (socket, uri)
}

#[tokio::test]
async fn next_place_is_called_where_one_is_silent_cannot_be_reached_or_answers_503() {
    let (refusing, mut there) = (place(), place());
    let (_silent, silent) = silent_place();
    let closed = TcpListener::bind((PBX, 0)).unwrap().local_addr().unwrap();
    let closed = format!("sip:{closed};transport=tcp");
    let [refusing_uri, there_uri] = [&refusing, &there].map(|one| format!("sip:{}", one.address));
    let mut scene = with_places(&[silent, closed, refusing_uri, there_uri]);
    let mut refusing = refusing;
    let (_, _call) = call_to_places(&mut scene).await;
    let refused = refusing.incoming().await;
    refusing.command(Command::Reject {
        leg: refused.leg,
        status: Status::SERVICE_UNAVAILABLE,
        reason: None,
    });
    let at_last = there.incoming().await;
    assert_eq!(at_last.request_uri.user(), Some("5550100"));
    let offer = at_last.offer.unwrap();
    let answer = description(scene.agent_talk.local).answer(&offer).unwrap();
    let leg = at_last.leg;
    there.command(Command::Answer { leg, answer });
    assert!(scene.consumer.answered().await.is_some());
    there.command(Command::Hangup { leg, reason: None });
    assert_eq!(scene.ended().await, EndCause::Agent);
}

#[tokio::test]
async fn place_that_refuses_has_decided() {
    let (mut busy, never) = (place(), silent_place());
    let mut scene = with_places(&[format!("sip:{}", busy.address), never.1]);
    call_to_places(&mut scene).await;
    let leg = busy.incoming().await.leg;
    busy.command(Command::Reject {
        leg,
        status: Status::new(486).unwrap(),
        reason: None,
    });
    assert_eq!(scene.consumer.failed().await, 486);
    scene.ended().await;
    scene.is_empty().await;
    assert_uncalled(&never.0);
}

#[tokio::test]
async fn caller_that_gives_up_meanwhile_ends_it() {
    let ((_silent, silent), never) = (silent_place(), silent_place());
    let mut scene = with_places(&[silent, never.1]);
    let (leg, _call) = call_to_places(&mut scene).await;
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.ended().await;
    assert_uncalled(&never.0);
}

#[tokio::test]
async fn place_that_works_on_a_call_is_given_time() {
    let (mut slow, never) = (place(), silent_place());
    let mut scene = with_places(&[format!("sip:{}", slow.address), never.1]);
    call_to_places(&mut scene).await;
    let leg = slow.incoming().await.leg;
    // Its 100 has come. Three times the silence that is borne, then it rings.
    tokio::time::sleep(Duration::from_millis(900)).await;
    slow.command(Command::Provisional {
        leg,
        status: Status::RINGING,
        answer: None,
    });
    let rings = |said| matches!(said, Said::Ringing).then_some(());
    scene.until("ringing", rings).await;
    assert_uncalled(&never.0);
}

#[tokio::test]
async fn place_that_rings_at_once_may_ring_longer_than_another_may_be_silent() {
    let (mut there, never) = (place(), silent_place());
    let mut scene = with_places(&[format!("sip:{}", there.address), never.1]);
    let (_, _call) = call_to_places(&mut scene).await;
    let called = there.incoming().await;
    let leg = called.leg;
    there.command(Command::Provisional {
        leg,
        status: Status::RINGING,
        answer: None,
    });
    let rings = |said| matches!(said, Said::Ringing).then_some(());
    scene.until("ringing", rings).await;
    // Three times the silence that is borne.
    tokio::time::sleep(Duration::from_millis(900)).await;
    let offer = called.offer.unwrap();
    let answer = description(scene.agent_talk.local).answer(&offer).unwrap();
    there.command(Command::Answer { leg, answer });
    assert!(scene.consumer.answered().await.is_some());
    assert_uncalled(&never.0);
}

fn assert_uncalled(place: &UdpSocket) {
    place.set_nonblocking(true).unwrap();
    let mut buffer = [0; 2_048];
    let heard = place.recv(&mut buffer);
    assert!(heard.is_err(), "it was called");
}

/// Whether calls go to each place, in the order of the configuration.
fn are_up(scene: &Scene) -> Vec<bool> {
    let places = scene.node.places();
    places.iter().map(|place| place.is_up).collect()
}

#[tokio::test]
async fn place_that_a_call_found_silent_is_passed_over_until_a_probe_is_answered() {
    let (deaf, silent) = silent_place();
    let mut there = place();
    let each = Some(Duration::from_millis(100));
    let mut scene = probing(each, &[silent, format!("sip:{}", there.address)]);
    call_to_places(&mut scene).await;
    there.incoming().await;
    eventually("one that is down", || are_up(&scene) == [false, true]).await;
    call_to_places(&mut scene).await;
    there.incoming().await;
    let mut called = answers_probes(deaf);
    eventually("both up", || are_up(&scene) == [true, true]).await;
    call_to_places(&mut scene).await;
    let invite = tokio::time::timeout(PATIENCE, called.recv()).await;
    assert!(invite.unwrap().unwrap().starts_with("INVITE sip:5550100@"));
}

#[tokio::test]
async fn place_that_asks_for_a_second_of_peace_gets_no_more() {
    let (socket, busy) = silent_place();
    let mut there = place();
    let mut scene = with_places(&[busy, format!("sip:{}", there.address)]);
    let mut called = answers(socket, "INVITE", "503 Busy\r\nRetry-After: 1");
    call_to_places(&mut scene).await;
    there.incoming().await;
    let mut was_called = || {
        let told = std::iter::from_fn(|| called.try_recv().ok());
        told.filter(|text| text.starts_with("INVITE")).count() > 0
    };
    assert!(was_called());
    let called_again = async {
        loop {
            call_to_places(&mut scene).await;
            there.incoming().await;
            if was_called() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // Whoever does not say how long is left alone for 30 s.
    tokio::time::timeout(PATIENCE, called_again).await.unwrap();
}

/// Somebody is there from now on: OPTIONS are answered, and anything else is told, but what came before that.
fn answers_probes(socket: UdpSocket) -> mpsc::Receiver<String> {
    answers(socket, "OPTIONS", "200 OK")
}

/// Requests of this method are answered so; whatever comes is told, but OPTIONS.
fn answers(
    socket: UdpSocket,
    method: &'static str,
    status: &'static str,
) -> mpsc::Receiver<String> {
    socket.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4_096];
    while let Ok(length) = socket.recv(&mut buffer) {
        assert!(length > 0, "an early message");
    }
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    let (to, told) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if !text.starts_with("OPTIONS") {
                to.try_send(text.clone())
                    .expect("tests read what they are told");
            }
            if !text.starts_with(method) {
                continue;
            }
            let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let lines = text.split("\r\n");
            let echoed = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
            let echoed: Vec<&str> = echoed.collect();
            let answer = format!(
                "SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n",
                echoed.join("\r\n")
            );
            socket.send_to(answer.as_bytes(), from).await.unwrap();
        }
    });
    told
}
