//! What calls weigh, and that their packets allocate nothing: a node in a process of its own, its phones in this one.
//!
//! The node's process is this test program again, told by its environment to be the node. It takes a line at a time from its standard input
//! and answers each with a line that begins with `node:`.

use std::alloc::System;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command as Program, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::boundary::{
    CallEvents, EndCause, IncomingCall, LegCallIds, LineEvent, Referral, RouteTarget, Telephony,
};
use domain::id::CallId;
use domain::outbound::DialStep;
use domain::service::ProtectionScope;
use media::g711::Law;
use media::leg::{Codec, Leg, LegPlan};
use media::relay::{Input, Relay, RelayPlan};
use media::rtp::RtpHeader;
use secret::{Arena, KeyReceiver};
use sip::Command;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::sync::mpsc;
use voice::rtp_socket::RtpSocket;
use voice::{AudioSink, MediaSource, Node, NodeConfig, Peer};

use crate::phone::{Phone, description, media_of};
use crate::scene::{PBX, TRUNK};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Says to a process that it is the node: how many calls it is to have room for.
const ROLE: &str = "TONEWALL_TEST_NODE_OF_CALLS";

/// What a call may take in media and voice together.
const KIB_PER_CALL_MAX: f64 = 64.0;

/// How long allocations are counted.
const COUNTED_FOR: Duration = Duration::from_secs(3);

/// Time between two packets of a phone.
const PACKET_TIME: Duration = Duration::from_millis(20);

/// Reports that may wait: a call makes three at its start.
const REPORTS_MAX: usize = 16_384;

// ---- the node's side

struct Reports(mpsc::Sender<IncomingCall>);

impl CallEvents for Reports {
    fn unreached(&self, _: &CallId, _: u16) {}
    fn dialled(&self, _: &CallId, _: DialStep) {}
    fn incoming(&self, call: IncomingCall) {
        self.0
            .try_send(call)
            .expect("the node's process takes its calls");
    }
    fn ringing(&self, _: &CallId) {}
    fn answered(&self, _: &CallId, _: LegCallIds) {}
    fn held(&self, _: &CallId, _: bool) {}
    fn ended(&self, _: &CallId, _: EndCause) {}
    fn key_pressed(&self, _: &CallId) {}
    fn line(&self, _: &CallId, _: LineEvent) {}
    fn transferred(&self, _: &CallId, _: Result<LegCallIds, domain::view::TransferFailure>) {}
    fn referred(&self, _: &CallId, _: Referral) {}
    fn registration(&self, _: &str, _: bool) {}
}

/// A recorder that keeps nothing.
struct Nothing;

impl AudioSink for Nothing {
    fn frames(&mut self, _: &CallId, _: voice::Speaker, _: u64, _: &[i16]) {}
    fn ended(&mut self, _: &CallId) {}
}

fn start_node(calls: usize, reports: Reports) -> Node {
    let arena = Arena::new(calls + 8).unwrap();
    let spread = u16::try_from(std::process::id() % 400).unwrap() * 2;
    let first = 10_000 + spread;
    let ports = u16::try_from(calls * 4 + 80).unwrap();
    let trunk = SocketAddr::new(TRUNK.parse().unwrap(), 0);
    let mut config = NodeConfig::new(trunk, first..=first + ports - 1, arena);
    let peer = |name: &str, address: &str, media_source| Peer {
        name: name.to_owned(),
        addresses: vec![address.parse().unwrap()],
        is_trusted: true,
        account: None,
        places: Vec::new(),
        probe: None,
        media_source,
        headers: Default::default(),
        numbers: Default::default(),
        info_digits: true,
        srtp: voice::SrtpRule::default(),
        codecs: voice::Codec::USUAL.to_vec(),
    };
    config.peers = vec![
        peer("trunk", TRUNK, MediaSource::Signalled),
        peer("pbx", PBX, MediaSource::Latch),
    ];
    config.limits.calls_max = calls;
    config.limits.media_timeout = Duration::from_secs(1_800);
    config.audio_sink = Some(Box::new(Nothing));
    Node::start(config, Arc::new(reports)).unwrap()
}

fn say(text: &str) {
    let line = format!("node:{text}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Memory of this process that is in use and its own, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Relays alone, each after it has worked; yields what one takes in KiB.
fn weigh_relays(calls: usize) -> f64 {
    let now = Instant::now();
    let before = resident_kib();
    let plan = |host| {
        LegPlan::new(Codec::Pcmu, SocketAddr::from(([192, 0, 2, host], 4_000)))
            .with_telephone_event(101)
    };
    let mut relays = Vec::with_capacity(calls);
    for seed in 0..calls {
        let mut relay = Relay::new(
            RelayPlan::new(plan(1), plan(2), u64::try_from(seed).unwrap()),
            now,
        );
        let bytes = packet(0, 1);
        let source = plan(1).remote_rtp;
        relay.handle_input(
            now,
            Input::Packet {
                leg: Leg::Consumer,
                source,
                received_at: now,
                bytes: &bytes,
                rtcp: false,
            },
        );
        relay.handle_input(now, Input::Protect);
        while relay.poll_output().is_some() {}
        relays.push(relay);
    }
    let kib = resident_kib().saturating_sub(before);
    std::hint::black_box(&relays);
    per_call(kib, calls)
}

fn per_call(kib: u64, calls: usize) -> f64 {
    f64::from(u32::try_from(kib).unwrap()) / f64::from(u32::try_from(calls).unwrap())
}

/// The node's process. A plain run of the tests passes it over.
#[tokio::test]
#[ignore = "a role: this program runs it as another process"]
async fn node_of_its_own() {
    let Ok(calls) = std::env::var(ROLE) else {
        return;
    };
    let (to, mut incoming) = mpsc::channel(REPORTS_MAX);
    let node = start_node(calls.parse().unwrap(), Reports(to));
    let (lines_in, mut lines) = mpsc::channel::<String>(16);
    let _reader = std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines_in.blocking_send(line).is_err() {
                return;
            }
        }
    });
    say(&node.sip_address().to_string());
    let mut agent = None;
    let mut running: Vec<(CallId, KeyReceiver)> = Vec::new();
    loop {
        tokio::select! {
            Some(call) = incoming.recv() => {
                let target = agent.map(|address: SocketAddr| RouteTarget::Uri { uri: format!("sip:200@{address}"), address }).unwrap();
                node.route(&call.id, target, ProtectionScope::Capture).unwrap();
                running.push((call.id, call.keys));
            }
            line = lines.recv() => match line.as_deref() {
                None => return,
                Some("weigh") => say(&resident_kib().to_string()),
                Some("weigh relays") => say(&weigh_relays(running.len()).to_string()),
                Some("protect") => say(&protect(&node, &running).await.to_string()),
                Some("count") => say(&count(&node).await),
                Some(address) => agent = Some(address.parse().unwrap()),
            },
        }
    }
}

async fn protect(node: &Node, running: &[(CallId, KeyReceiver)]) -> usize {
    let mut protected = 0;
    for (id, _) in running {
        for _ in 0..50 {
            if node.protect(id).await.is_ok() {
                protected += 1;
                break;
            }
            tokio::time::sleep(PACKET_TIME).await;
        }
    }
    protected
}

/// Only the threads of media and recorder run while allocations are counted: this thread, which is all that the node's other half has, sleeps.
async fn count(node: &Node) -> String {
    let packets_before = packets_in(node).await;
    let before = COUNTED.stats();
    std::thread::sleep(COUNTED_FOR);
    let after = COUNTED.stats();
    let packets = packets_in(node).await - packets_before;
    let allocations =
        after.allocations + after.reallocations - before.allocations - before.reallocations;
    format!("{allocations} {packets}")
}

/// The node's counters are half a second old at most, and so are its media threads'.
async fn packets_in(node: &Node) -> u64 {
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    node.counters().media.packets_in
}

// ---- the phones' side

struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(calls: usize) -> (Self, SocketAddr) {
        let mut child = Program::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "weight::node_of_its_own",
                "--nocapture",
            ])
            .env(ROLE, calls.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, to, from };
        let address = process.answer().parse().unwrap();
        (process, address)
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.to, "{line}").unwrap();
        self.to.flush().unwrap();
    }

    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.from.read_line(&mut line).unwrap() > 0,
                "the node's process has ended"
            );
            if let Some((_, answer)) = line.split_once("node:") {
                return answer.trim().to_owned();
            }
        }
    }

    fn ask(&mut self, line: &str) -> String {
        self.tell(line);
        self.answer()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Both sides' media: one socket each for all calls, a thread that sends for all of them.
struct Chorus {
    consumer: SocketAddr,
    agent: SocketAddr,
    /// Where the consumer's and the agent's packets of each call go.
    calls: Arc<Mutex<Vec<[SocketAddr; 2]>>>,
    stop: Arc<AtomicBool>,
    join: Option<JoinHandle<()>>,
}

impl Chorus {
    fn start(pace: Duration) -> Self {
        let bind = |ip: &str| RtpSocket::bind(SocketAddr::new(ip.parse().unwrap(), 0)).unwrap();
        let sockets = [bind(TRUNK), bind(PBX)];
        let (consumer, agent) = (sockets[0].local(), sockets[1].local());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (theirs, stopped) = (Arc::clone(&calls), Arc::clone(&stop));
        let join = std::thread::spawn(move || sing(&sockets, &theirs, &stopped, pace));
        Self {
            consumer,
            agent,
            calls,
            stop,
            join: Some(join),
        }
    }
}

impl Drop for Chorus {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(join) = self.join.take() {
            join.join().unwrap();
        }
    }
}

fn sing(
    sockets: &[RtpSocket; 2],
    calls: &Mutex<Vec<[SocketAddr; 2]>>,
    stop: &AtomicBool,
    pace: Duration,
) {
    let mut round = 0_u16;
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let bytes = packet(
            round,
            u32::from(round) * u32::try_from(pace.as_millis()).unwrap() * 8,
        );
        for call in calls.lock().unwrap().iter() {
            for (socket, destination) in sockets.iter().zip(call) {
                let _full_or_sent = socket.send(&bytes, *destination);
            }
        }
        round = round.wrapping_add(1);
        due += pace;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// 20 ms of a soft buzz.
fn packet(sequence: u16, timestamp: u32) -> Vec<u8> {
    let header = RtpHeader {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp,
        ssrc: 7,
    };
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend((0..160_i16).map(|at| Law::Mu.encode_sample((at % 40) * 20 - 400)));
    bytes
}

/// Makes so many calls, one after the other.
async fn connect(
    process: &mut Process,
    server: SocketAddr,
    chorus: &Chorus,
    calls: usize,
    phones: &mut [Phone; 2],
) {
    let [consumer, agent] = phones;
    process.tell(&agent.address.to_string());
    for _ in 0..calls {
        consumer.call("100", server, Some(description(chorus.consumer).offer()));
        let at_agent = agent.incoming().await;
        let offer = at_agent.offer.unwrap();
        let answer = description(chorus.agent).answer(&offer).unwrap();
        agent.command(Command::Answer {
            leg: at_agent.leg,
            answer,
        });
        let answer = consumer.answered().await.unwrap();
        let call = [
            media_of(&answer, server.ip()),
            media_of(&offer, server.ip()),
        ];
        chorus.calls.lock().unwrap().push(call);
    }
}

#[tokio::test]
async fn packets_of_running_calls_allocate_nothing() {
    let (mut process, server) = Process::start(10);
    let chorus = Chorus::start(PACKET_TIME);
    let mut phones = [
        Phone::new("consumer", TRUNK, server),
        Phone::new("agent", PBX, server),
    ];
    connect(&mut process, server, &chorus, 10, &mut phones).await;
    for protected in [false, true] {
        if protected {
            assert_eq!(process.ask("protect"), "10");
        }
        let counted = process.ask("count");
        let (allocations, packets) = counted.split_once(' ').unwrap();
        // Ten calls send a thousand packets a second; half of them is enough on a busy machine.
        assert!(
            packets.parse::<u64>().unwrap() >= 1_500,
            "{packets} packets"
        );
        assert_eq!(
            allocations, "0",
            "in {packets} packets, protected {protected}"
        );
    }
}

#[tokio::test]
#[ignore = "long: two thousand calls; `make memory-per-call` runs it"]
async fn two_thousand_calls_take_their_share_and_no_more() {
    let calls = 2_000;
    let (mut process, server) = Process::start(calls);
    let chorus = Chorus::start(Duration::from_millis(500));
    let mut phones = [
        Phone::new("consumer", TRUNK, server),
        Phone::new("agent", PBX, server),
    ];
    connect(&mut process, server, &chorus, 1, &mut phones).await;
    let before: u64 = process.ask("weigh").parse().unwrap();
    connect(&mut process, server, &chorus, calls - 1, &mut phones).await;
    assert_eq!(process.ask("protect"), calls.to_string());
    let after: u64 = process.ask("weigh").parse().unwrap();
    let voice = per_call(after.saturating_sub(before), calls - 1);
    let media: f64 = process.ask("weigh relays").parse().unwrap();
    let line = format!(
        "{{\"calls\": {calls}, \"kib_per_call_media\": {media:.1}, \"kib_per_call_voice\": {voice:.1}}}\n"
    );
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    assert!(voice <= KIB_PER_CALL_MAX, "{voice} KiB a call");
}
