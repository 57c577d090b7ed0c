//! Connections: calls over TCP, and what far sides do with connections that no phone does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use domain::boundary::{EndCause, RouteTarget, Telephony};
use sip::{Command, Transport};
use voice::transport::{InterfaceConfig, StreamBounds, StreamCounters};

use crate::phone::{PATIENCE, Phone, description};
use crate::scene::{PBX, STRANGER, Said, Scene, TRUNK, eventually};
use crate::signalling::{PHONE_PASSWORD, phone_account};

/// A node that speaks UDP and TCP, each on a port of its own.
fn scene(bounds: StreamBounds) -> Scene {
    Scene::with(|config| {
        let listen = config.interfaces[0].listen;
        config
            .interfaces
            .push(InterfaceConfig::new(Transport::Tcp, listen));
        config.streams = bounds;
    })
}

/// Both phones of a scene speak TCP.
fn over_tcp(scene: &mut Scene) {
    scene.server = scene.node.sip_addresses()[1];
    scene.consumer = Phone::over(Transport::Tcp, "consumer", TRUNK, scene.server);
    scene.agent = Phone::over(Transport::Tcp, "agent", PBX, scene.server);
    scene.target = Some(RouteTarget::Uri {
        uri: format!("sip:200@{};transport=tcp", scene.agent.address),
        address: scene.agent.address,
    });
}

fn connect(scene: &Scene) -> TcpStream {
    let stream = TcpStream::connect(scene.node.sip_addresses()[1]).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn options(number: usize) -> String {
    format!(
        "OPTIONS sip:{TRUNK} SIP/2.0\r\nVia: SIP/2.0/TCP {TRUNK};branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@{TRUNK}>;tag=1\r\nTo: <sip:{TRUNK}>\r\nCall-ID: c{number}\r\nCSeq: {number} OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// Reads until so many answers have come whole: none has a body, and a read may end within one.
fn answers(stream: &mut TcpStream, wanted: usize) -> String {
    let (mut text, mut some) = (String::new(), [0; 4_096]);
    while text.matches("\r\n\r\n").count() < wanted {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "closed after {text}");
        text.push_str(std::str::from_utf8(&some[..count]).unwrap());
    }
    assert_eq!(text.matches("SIP/2.0 200 OK\r\n").count(), wanted, "{text}");
    text
}

/// The far side closes, within the patience of the stream.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut some = [0; 4_096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn counters(scene: &Scene) -> StreamCounters {
    scene.node.counters().streams
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_comes_and_goes_over_connections() {
    let mut scene = scene(StreamBounds::default());
    over_tcp(&mut scene);
    let running = scene.connect().await;
    scene.both_heard().await;
    let leg = running.consumer_leg;
    scene
        .consumer
        .command(Command::Hangup { leg, reason: None });
    scene.agent.ended().await;
    assert_eq!(scene.ended().await, EndCause::Consumer);
    scene.is_empty().await;
    let used = counters(&scene);
    assert_eq!((used.open, used.send_failed, used.cut), (2, 0, 0));
    assert_eq!(scene.node.counters().transport.received, 0, "by UDP");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlives_its_connection() {
    let mut scene = scene(StreamBounds {
        idle: Duration::from_secs(2),
        ..StreamBounds::default()
    });
    over_tcp(&mut scene);
    let running = scene.connect().await;
    eventually("idle connections closed", || counters(&scene).open == 0).await;
    // The consumer is reached by a new connection, to the address of its contact.
    scene.node.hang_up(&running.id).unwrap();
    scene.consumer.ended().await;
    scene.agent.ended().await;
    scene.is_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_nobody_fails_at_once() {
    let mut scene = scene(StreamBounds::default());
    over_tcp(&mut scene);
    // Bound and closed again: nobody listens there.
    let nobody = TcpListener::bind((PBX, 0)).unwrap().local_addr().unwrap();
    let offer = description(scene.consumer_talk.local).offer();
    scene.consumer.call("100", scene.server, Some(offer));
    let call = scene.incoming().await;
    let target = RouteTarget::Uri {
        uri: format!("sip:200@{nobody};transport=tcp"),
        address: nobody,
    };
    let asked_at = Instant::now();
    scene
        .node
        .route(&call.id, target, scene.protection)
        .unwrap();
    assert_eq!(scene.consumer.failed().await, 500);
    assert!(asked_at.elapsed() < Duration::from_secs(2));
    assert_eq!(scene.ended().await, EndCause::NotAnswered(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_registers_over_a_connection_and_is_gone_with_it() {
    let mut scene = scene(StreamBounds::default());
    let server = scene.node.sip_addresses()[1];
    scene.node.set_phones(vec![phone_account()]);
    let phone = Phone::over(Transport::Tcp, "phone", STRANGER, server);
    phone.register("agent1", PHONE_PASSWORD, server);
    let told = |said| match said {
        Said::Registration(_, registered) => Some(registered),
        _ => None,
    };
    assert!(scene.until("a registration", told).await);
    drop(phone);
    assert!(!scene.until("its end", told).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_in_any_pieces() {
    let scene = scene(StreamBounds::default());
    let mut stream = connect(&scene);
    stream.set_nodelay(true).unwrap();
    for byte in options(1).as_bytes() {
        stream.write_all(std::slice::from_ref(byte)).unwrap();
    }
    answers(&mut stream, 1);
    let many: String = (2..22).map(options).collect();
    stream.write_all(many.as_bytes()).unwrap();
    let text = answers(&mut stream, 20);
    assert!(text.contains("Call-ID: c21\r\n"), "{text}");
    stream.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end_closes_its_connection_alone() {
    let scene = scene(StreamBounds::default());
    let (mut endless, mut good) = (connect(&scene), connect(&scene));
    let head = format!("OPTIONS sip:a SIP/2.0\r\nX-Long: {}", "x".repeat(1_000_000));
    let _closed_in_between = endless.write_all(head.as_bytes());
    assert!(is_closed(&mut endless));
    good.write_all(options(1).as_bytes()).unwrap();
    answers(&mut good, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_side_that_closes_its_half_is_let_go() {
    let scene = scene(StreamBounds::default());
    let mut stream = connect(&scene);
    stream.write_all(options(1).as_bytes()).unwrap();
    answers(&mut stream, 1);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(is_closed(&mut stream));
    eventually("no connection", || counters(&scene).open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_bounded_and_cut() {
    const KEPT: usize = 64;
    let scene = scene(StreamBounds {
        message: Duration::from_secs(2),
        unproven_per_address_max: KEPT,
        ..StreamBounds::default()
    });
    let mut good = connect(&scene);
    good.write_all(options(1).as_bytes()).unwrap();
    answers(&mut good, 1);
    let silent: Vec<TcpStream> = (0..400).map(|_| connect(&scene)).collect();
    eventually("refusals", || counters(&scene).refused == 400 - 64).await;
    assert_eq!(counters(&scene).open, KEPT + 1);
    good.write_all(options(2).as_bytes()).unwrap();
    answers(&mut good, 1);
    // A message that does not end is no better than none.
    (&silent[0])
        .write_all(b"OPTIONS sip:a SIP/2.0\r\n")
        .unwrap();
    eventually("silent ones cut", || counters(&scene).open == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_far_side_that_does_not_read_is_cut() {
    let scene = scene(StreamBounds {
        unsent_bytes_max: 20_000,
        ..StreamBounds::default()
    });
    let mut stream = connect(&scene);
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut number = 0;
    // It ends once the node has closed: the answers fill the buffers of both kernels first.
    while counters(&scene).cut == 0 && number < 200_000 {
        number += 1;
        if stream.write_all(options(number).as_bytes()).is_err() {
            break;
        }
    }
    eventually("a cut", || counters(&scene).cut == 1).await;
    eventually("no connection", || counters(&scene).open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_call_over_version_six() {
    let listen: SocketAddr = "[::1]:0".parse().unwrap();
    let mut scene = Scene::at("::1", "::1", |config| {
        config.interfaces = vec![
            InterfaceConfig::new(Transport::Udp, listen),
            InterfaceConfig::new(Transport::Tcp, listen),
        ];
    });
    let running = scene.connect().await;
    scene.both_heard().await;
    assert!(running.at_consumer.is_ipv6() && running.at_agent.is_ipv6());
    scene.node.hang_up(&running.id).unwrap();
    scene.consumer.ended().await;
    scene.agent.ended().await;
    scene.is_empty().await;
}
