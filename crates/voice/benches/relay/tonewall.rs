//! Our relay: a whole node with its SIP, its media threads and its arena, in a process of its own.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::boundary::{
    CallEvents, EndCause, IncomingCall, LegCallIds, LineEvent, Referral, RouteTarget, Telephony,
};
use domain::id::CallId;
use domain::outbound::DialStep;
use domain::service::ProtectionScope;
use secret::{Arena, KeyReceiver};
use voice::packet_io::Backend;
use voice::transport::UdpTransport;
use voice::{AudioSink, MediaSource, Node, NodeConfig, Peer, Speaker};

use crate::generator::{CallPorts, Generator};
use crate::phones::Phones;
use crate::process::{Relay, media_ports};

/// Arena slots beside those of the calls.
const SLOTS_SPARE: usize = 64;

/// Calls are set up as fast as they can be answered; how many a second a site lets in is not what is measured.
pub(crate) const INVITES_PER_SECOND: u32 = 100_000;

/// More dialogs than the most calls of a search have.
pub(crate) const LEGS_MAX: usize = 16_000;

/// Longest wait for all masks.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts a node and its calls.
pub(crate) fn start(
    calls: usize,
    backend: Backend,
    is_recorded: bool,
    generator: &Generator,
) -> io::Result<(Relay, Vec<CallPorts>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let transport = UdpTransport::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let mut arguments = vec![
            "--calls".to_owned(),
            calls.to_string(),
            "--backend".to_owned(),
            backend.name().to_owned(),
            "--phones".to_owned(),
            transport.local().to_string(),
        ];
        if is_recorded {
            arguments.push("--record".to_owned());
        }
        let mut relay = Relay::start_self("tonewall", &arguments)?;
        let server = relay.line()?.parse().map_err(io::Error::other)?;
        let mut phones = Phones::new(server, transport)?;
        let mut ports = Vec::new();
        for _ in 0..calls {
            let (consumer, agent) = (generator.consumer_address()?, generator.agent_address()?);
            ports.push(phones.connect(consumer, agent).await?);
        }
        Ok((relay, ports))
    })
}

/// Has the mask listen to every call.
pub(crate) fn listen(relay: &mut Relay) -> io::Result<()> {
    ask(relay, "listen", "listening")
}

/// Arms the mask on every call.
pub(crate) fn protect(relay: &mut Relay) -> io::Result<()> {
    ask(relay, "protect", "protected")
}

/// Frames for recordings that found no room.
pub(crate) fn record_dropped(relay: &mut Relay) -> io::Result<u64> {
    relay.tell("dropped")?;
    relay.line()?.parse().map_err(io::Error::other)
}

fn ask(relay: &mut Relay, what: &str, done: &str) -> io::Result<()> {
    relay.tell(what)?;
    let said = relay.line()?;
    if said == done {
        return Ok(());
    }
    Err(io::Error::other(format!("{what}: {said}")))
}

/// The child's side.
pub(crate) fn serve(
    calls: usize,
    backend: Backend,
    phones: SocketAddr,
    is_recorded: bool,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let arena = Arena::new(calls + SLOTS_SPARE).map_err(io::Error::other)?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut config = NodeConfig::new(listen, media_ports(), arena);
    config.limits.calls_max = calls;
    config.limits.sip.legs_max = LEGS_MAX;
    config.limits.sip.new_invites_per_second = INVITES_PER_SECOND;
    config.packet_io = Some(backend);
    if is_recorded {
        config.audio_sink = Some(Box::new(Tape::default()));
    }
    config.peers = vec![Peer {
        name: "phones".to_owned(),
        addresses: vec![phones.ip()],
        is_trusted: true,
        account: None,
        places: Vec::new(),
        probe: None,
        media_source: MediaSource::Signalled,
        headers: Default::default(),
        numbers: Default::default(),
        info_digits: true,
        srtp: voice::SrtpRule::default(),
        codecs: voice::Codec::USUAL.to_vec(),
    }];
    let desk = Arc::new(Desk {
        node: OnceLock::new(),
        calls: Mutex::new(HashMap::new()),
        phones,
    });
    let node = {
        let _in_it = runtime.enter();
        let node = Node::start(config, Arc::clone(&desk) as Arc<dyn CallEvents>);
        desk.node
            .get_or_init(|| Arc::new(node.expect("a node starts on loopback")))
            .clone()
    };
    say(&node.sip_address().to_string())?;
    for line in io::stdin().lock().lines() {
        match line?.as_str() {
            "listen" => say(&runtime.block_on(desk.listen_to_all(&node)))?,
            "protect" => say(&runtime.block_on(desk.protect_all(&node)))?,
            "dropped" => say(&node.counters().media.record_dropped.to_string())?,
            _ => {}
        }
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Takes what would be recorded and lets it go: what writing costs is measured where it is written (`make bench-recordings`).
#[derive(Default)]
struct Tape {
    samples: usize,
}

impl AudioSink for Tape {
    fn frames(&mut self, _: &CallId, _: Speaker, _: u64, samples: &[i16]) {
        self.samples = std::hint::black_box(self.samples.wrapping_add(samples.len()));
    }

    fn ended(&mut self, _: &CallId) {}
}

/// Routes every call to the other telephone and takes the keys.
struct Desk {
    node: OnceLock<Arc<Node>>,
    calls: Mutex<HashMap<CallId, KeyReceiver>>,
    phones: SocketAddr,
}

impl Desk {
    async fn listen_to_all(&self, node: &Node) -> String {
        for call in self.all() {
            // The queue of commands is shorter than the calls are many.
            while node.watch(&call, true).is_err() {
                tokio::task::yield_now().await;
            }
        }
        "listening".to_owned()
    }

    async fn protect_all(&self, node: &Node) -> String {
        let protecting = async {
            for call in self.all() {
                // A media thread that is behind refuses a mask rather than to be late with it.
                while node.protect(&call).await.is_err() {}
            }
            "protected"
        };
        let done = tokio::time::timeout(PATIENCE, protecting).await;
        done.unwrap_or("too slow").to_owned()
    }

    fn all(&self) -> Vec<CallId> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.keys().cloned().collect()
    }
}

impl CallEvents for Desk {
    fn unreached(&self, _: &CallId, _: u16) {}
    fn dialled(&self, _: &CallId, _: DialStep) {}
    fn incoming(&self, call: IncomingCall) {
        let target = RouteTarget::Uri {
            uri: format!("sip:200@{}", self.phones),
            address: self.phones,
        };
        if let Some(node) = self.node.get() {
            let _ends_by_itself = node.route(&call.id, target, ProtectionScope::Capture);
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(call.id, call.keys);
    }

    fn ringing(&self, _: &CallId) {}
    fn answered(&self, _: &CallId, _: LegCallIds) {}
    fn held(&self, _: &CallId, _: bool) {}
    fn ended(&self, _: &CallId, _: EndCause) {}

    fn key_pressed(&self, call: &CallId) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = calls.get_mut(call) {
            while keys.pop().is_some() {}
        }
    }

    fn line(&self, _: &CallId, _: LineEvent) {}
    fn transferred(&self, _: &CallId, _: Result<LegCallIds, domain::view::TransferFailure>) {}
    fn referred(&self, _: &CallId, _: Referral) {}
    fn registration(&self, _: &str, _: bool) {}
}
