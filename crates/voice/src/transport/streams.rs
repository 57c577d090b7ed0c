//! Connections of SIP.
//! Owns: the table of connections, keyed by flow, its bounds, and the listeners.
//! Never: reads a message, or waits for a connection.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use sip::{Flow, InterfaceId, Transmit, Transport, Wire};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::connection::{self, Link, Opening};
use super::tls::Tls;

/// Messages that wait to be taken, of all connections; when full, connections are not read. At 65 kB each at most 17 MB.
const NEWS_MAX: usize = 256;

/// Messages that wait to be written to one connection: the bound on bytes is reached first, but by keep-alives.
const MESSAGES_MAX: usize = 1_024;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// A pause after a failed accept: out of descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bounds of connections (invariant I8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamBounds {
    /// Connections at a time. More: closed as they come.
    pub connections_max: usize,
    /// Those of one far address, whose phones may stand behind one NAT.
    pub per_address_max: usize,
    /// Those of one far address over which no whole message has come yet.
    pub unproven_per_address_max: usize,
    /// Time a connection of ours may take to be made.
    pub connect: Duration,
    /// Time from a message's first byte, or from a connection's opening by a far side, to the message's last.
    pub message: Duration,
    /// Time without a byte from the far side.
    pub idle: Duration,
    /// Time that one message may take to be written.
    pub write: Duration,
    /// Bytes that wait to be written to one connection. More: it is closed, for its far side does not read.
    pub unsent_bytes_max: usize,
}

impl Default for StreamBounds {
    /// Twice the phones that may register; the phones of a large site behind one address; a second of its phones connecting anew. Phones
    /// answer a keep-alive each 25 s and so are never idle.
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            per_address_max: 1_024,
            unproven_per_address_max: 64,
            connect: Duration::from_secs(4),
            message: Duration::from_secs(10),
            idle: Duration::from_secs(600),
            write: Duration::from_secs(10),
            unsent_bytes_max: 256 * 1_024,
        }
    }
}

/// What connections have carried; counts but `open` are monotonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounters {
    /// Connections now.
    pub open: usize,
    /// Messages received.
    pub received: u64,
    /// Messages given to connections.
    pub sent: u64,
    /// Messages that no connection took: an answer whose connection is gone, or a bound.
    pub send_failed: u64,
    /// Connections closed as they came, because a bound was reached.
    pub refused: u64,
    /// Connections closed because their far sides did not read.
    pub cut: u64,
    /// Until when the certificate that we show holds; none: no TLS, or it does not say it in a way that we read.
    pub certificate_ends: Option<SystemTime>,
}

/// What connections and listeners have to say.
pub(super) enum News {
    /// A far side has opened a connection to this interface.
    Accepted(Flow, TcpStream),
    /// A whole message.
    Message(Flow, Wire),
    /// The connection of this number could not be made, or has ended.
    Lost(Flow, u64),
}

/// What is heard of them.
pub(super) enum Heard {
    Message(Flow, Wire),
    Lost(Flow),
}

struct Connection {
    number: u64,
    messages: mpsc::Sender<Wire>,
    unsent: Arc<AtomicUsize>,
    proven: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Every connection.
pub(super) struct Streams {
    connections: HashMap<Flow, Connection>,
    by_address: HashMap<IpAddr, usize>,
    /// Where connections of ours begin, by interface.
    local: HashMap<InterfaceId, IpAddr>,
    /// Listeners, and who looks after the files of TLS.
    tasks: Vec<AbortHandle>,
    tls: Option<Arc<Tls>>,
    bounds: StreamBounds,
    counters: StreamCounters,
    last: u64,
    to: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    /// Taken out of the queue by a look whether something is there.
    waiting: VecDeque<News>,
    /// Closed by ourselves.
    lost: VecDeque<Flow>,
    /// Where connections are looked after: a handshake of TLS keeps no message waiting.
    runtime: Handle,
}

impl Drop for Streams {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Streams {
    pub(super) fn new(bounds: StreamBounds, tls: Option<Tls>, runtime: Handle) -> Self {
        let (to, news) = mpsc::channel(NEWS_MAX);
        let tls = tls.map(Arc::new);
        let watch = tls
            .clone()
            .map(|tls| runtime.spawn(tls.watch()).abort_handle());
        Self {
            tasks: watch.into_iter().collect(),
            tls,
            connections: HashMap::new(),
            by_address: HashMap::new(),
            local: HashMap::new(),
            bounds,
            counters: StreamCounters::default(),
            last: 0,
            to,
            news,
            waiting: VecDeque::new(),
            lost: VecDeque::new(),
            runtime,
        }
    }

    /// Takes connections at an address; port 0 lets the system choose. Yields where it is bound.
    pub(super) fn listen(
        &mut self,
        interface: InterfaceId,
        transport: Transport,
        address: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let _its_sockets_are_read_there = self.runtime.enter();
        let listener = listener(address)?;
        let bound = listener.local_addr()?;
        if !bound.ip().is_unspecified() {
            self.local.insert(interface, bound.ip());
        }
        let flow_of = move |remote| Flow {
            remote,
            transport,
            interface,
        };
        let task = self
            .runtime
            .spawn(accept(listener, self.to.clone(), flow_of));
        self.tasks.push(task.abort_handle());
        Ok(bound)
    }

    pub(super) fn counters(&self) -> StreamCounters {
        StreamCounters {
            open: self.connections.len(),
            certificate_ends: self.tls.as_ref().and_then(|tls| tls.ends()),
            ..self.counters
        }
    }

    /// Ready when something may be there to [`hear`](Self::hear).
    pub(super) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.waiting.is_empty() || !self.lost.is_empty() {
            return Poll::Ready(());
        }
        match self.news.poll_recv(context) {
            Poll::Ready(Some(news)) => {
                self.waiting.push_back(news);
                Poll::Ready(())
            }
            // It is never closed: this table holds its other end.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// The next thing that connections have to say.
    pub(super) fn hear(&mut self) -> Option<Heard> {
        loop {
            if let Some(flow) = self.lost.pop_front() {
                return Some(Heard::Lost(flow));
            }
            let news = self.waiting.pop_front();
            match news.or_else(|| self.news.try_recv().ok())? {
                News::Accepted(flow, stream) => self.take(flow, stream),
                News::Message(flow, message) => {
                    self.counters.received += 1;
                    return Some(Heard::Message(flow, message));
                }
                News::Lost(flow, number) => {
                    let known = self.connections.get(&flow);
                    if known.is_some_and(|one| one.number == number) {
                        self.forget(flow);
                        return Some(Heard::Lost(flow));
                    }
                }
            }
        }
    }

    /// Sends a message over its flow's connection; a request opens one if there is none.
    pub(super) fn send(&mut self, transmit: &Transmit) {
        let flow = transmit.flow;
        if !self.connections.contains_key(&flow) && transmit.is_request() {
            self.connect(flow);
        }
        let Some(connection) = self.connections.get(&flow) else {
            self.counters.send_failed += 1;
            return;
        };
        let bytes = transmit.wire.as_bytes().len();
        let unsent = connection.unsent.fetch_add(bytes, Ordering::Relaxed);
        let fits = unsent.saturating_add(bytes) <= self.bounds.unsent_bytes_max;
        if fits && connection.messages.try_send(transmit.wire.clone()).is_ok() {
            self.counters.sent += 1;
            return;
        }
        self.counters.send_failed += 1;
        self.counters.cut += 1;
        self.forget(flow);
        self.lost.push_back(flow);
    }

    /// A connection of ours. Without room for it, its message is lost as over one that cannot be made.
    fn connect(&mut self, flow: Flow) {
        if self.connections.len() >= self.bounds.connections_max {
            self.counters.refused += 1;
            self.lost.push_back(flow);
            return;
        }
        let from = self.local.get(&flow.interface).copied();
        self.enter(flow, Opening::Connect(from));
    }

    /// A connection that a far side has opened.
    fn take(&mut self, flow: Flow, stream: TcpStream) {
        if !self.has_room_for(flow.remote.ip()) || self.connections.contains_key(&flow) {
            self.counters.refused += 1;
            return;
        }
        self.enter(flow, Opening::Accepted(stream));
    }

    fn has_room_for(&self, address: IpAddr) -> bool {
        let StreamBounds {
            connections_max,
            per_address_max,
            unproven_per_address_max,
            ..
        } = self.bounds;
        let of_address = self.by_address.get(&address).copied().unwrap_or_default();
        if self.connections.len() >= connections_max || of_address >= per_address_max {
            return false;
        }
        if of_address < unproven_per_address_max {
            return true;
        }
        let is_unproven = |(flow, one): &(&Flow, &Connection)| {
            flow.remote.ip() == address && !one.proven.load(Ordering::Relaxed)
        };
        self.connections.iter().filter(is_unproven).count() < unproven_per_address_max
    }

    fn enter(&mut self, flow: Flow, opening: Opening) {
        self.last += 1;
        let (messages, queue) = mpsc::channel(MESSAGES_MAX);
        let (unsent, proven) = (Arc::default(), Arc::default());
        let link = Link {
            flow,
            number: self.last,
            news: self.to.clone(),
            messages: queue,
            own: messages.downgrade(),
            unsent: Arc::clone(&unsent),
            proven: Arc::clone(&proven),
            bounds: self.bounds,
            tls: self
                .tls
                .clone()
                .filter(|_| flow.transport == Transport::Tls),
        };
        let looked_after = self.runtime.spawn(connection::run(opening, link));
        let task = looked_after.abort_handle();
        let connection = Connection {
            number: self.last,
            messages,
            unsent,
            proven,
            task,
        };
        *self.by_address.entry(flow.remote.ip()).or_default() += 1;
        self.connections.insert(flow, connection);
    }

    fn forget(&mut self, flow: Flow) {
        if self.connections.remove(&flow).is_none() {
            return;
        }
        let address = flow.remote.ip();
        if let Some(count) = self.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::STREAM,
        Some(socket2::Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // IPv4 has an interface of its own.
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier run that still close do not keep the port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(
    listener: TcpListener,
    to: mpsc::Sender<News>,
    flow_of: impl Fn(SocketAddr) -> Flow,
) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                if to
                    .send(News::Accepted(flow_of(remote), stream))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a SIP connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
