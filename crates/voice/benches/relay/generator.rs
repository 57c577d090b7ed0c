//! The two far sides of every call, on a core of their own.
//! Owns: one socket for all consumers and one for all agents, the pace, and what is measured of what comes back.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, setsockopt,
    sockopt,
};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::content::{Found, Places};
use crate::process::GENERATOR_CORE;
use crate::speech::SAMPLES;

/// A packet: 20 ms of G.711 behind an RTP header.
pub(crate) const FRAME: usize = 160;
const HEADER: usize = 12;
const PACKET: usize = HEADER + FRAME;
const PACKET_NANOS: u64 = 20_000_000;

/// Packets sent or read with one system call. Few, so that the time of each is known to within microseconds.
const BATCH: usize = 16;

/// Receive buffers: half a second of 2,000 calls.
const RECEIVE_BYTES: usize = 64 * 1_024 * 1_024;

/// Longest sleep: what arrives meanwhile is stamped by the kernel.
const NAP: Duration = Duration::from_millis(1);

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const DONE: u8 = 2;

/// Where a relay listens for the two sides of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallPorts {
    pub(crate) consumer: u16,
    pub(crate) agent: u16,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// Latencies towards the agents, in nanoseconds.
    pub(crate) latencies: Vec<i64>,
    /// How late packets were sent, in nanoseconds.
    pub(crate) lateness: Vec<u64>,
}

/// Both sockets, before there are calls.
pub(crate) struct Generator {
    consumer: UdpSocket,
    agent: UdpSocket,
}

/// A generator at work.
pub(crate) struct Running {
    phase: Arc<AtomicU8>,
    join: JoinHandle<io::Result<Tally>>,
}

impl Running {
    /// Measures for this long, then ends.
    pub(crate) fn measure(self, span: Duration, mut at_edge: impl FnMut()) -> io::Result<Tally> {
        at_edge();
        self.phase.store(MEASURING, Ordering::SeqCst);
        std::thread::sleep(span);
        at_edge();
        self.phase.store(DONE, Ordering::SeqCst);
        let joined = self.join.join();
        joined.unwrap_or_else(|_| Err(io::Error::other("the generator panicked")))
    }
}

impl Generator {
    pub(crate) fn bind() -> io::Result<Self> {
        let socket = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BYTES)
                .or_else(|_| setsockopt(&socket, sockopt::RcvBuf, &RECEIVE_BYTES))?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            Ok::<_, io::Error>(socket)
        };
        Ok(Self {
            consumer: socket()?,
            agent: socket()?,
        })
    }

    /// Where all consumers are.
    pub(crate) fn consumer_address(&self) -> io::Result<SocketAddr> {
        self.consumer.local_addr()
    }

    /// Where all agents are.
    pub(crate) fn agent_address(&self) -> io::Result<SocketAddr> {
        self.agent.local_addr()
    }

    /// Begins to speak.
    pub(crate) fn start(
        self,
        calls: &[CallPorts],
        consumer_says: Arc<Vec<u8>>,
        agent_says: Arc<Vec<u8>>,
    ) -> io::Result<Running> {
        let phase = Arc::new(AtomicU8::new(WARMING));
        let mut work = Work::new(self, calls, consumer_says, agent_says, Arc::clone(&phase));
        let join = std::thread::Builder::new()
            .name("generator".to_owned())
            .spawn(move || {
                rush();
                work.run()
            })?;
        Ok(Running { phase, join })
    }
}

/// Moves this thread to its core and ahead of everything else there.
fn rush() {
    let mut core = rustix::thread::CpuSet::new();
    core.set(GENERATOR_CORE);
    let _shares_a_core = rustix::thread::sched_setaffinity(None, &core);
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let _runs_as_others_do = std::process::Command::new("chrt")
        .args(["--rr", "--pid", "20", &thread])
        .status();
}

/// One direction of one call.
struct Stream {
    destination: SockaddrIn,
    from_consumer: bool,
    header: [u8; HEADER],
    sequence: u64,
    begins_at: usize,
    offset_nanos: u64,
}

impl Stream {
    /// The next packet.
    fn next(&mut self, says: &[u8], packet: &mut [u8; PACKET]) {
        let low = u16::try_from(self.sequence & 0xFFFF).unwrap_or(0);
        let ts = u32::try_from((self.sequence * 160) & 0xFFFF_FFFF).unwrap_or(0);
        self.header[2..4].copy_from_slice(&low.to_be_bytes());
        self.header[4..8].copy_from_slice(&ts.to_be_bytes());
        packet[..HEADER].copy_from_slice(&self.header);
        let packets = SAMPLES / FRAME;
        let number = usize::try_from(self.sequence).unwrap_or(0);
        let at = (self.begins_at + number) % packets * FRAME;
        packet[HEADER..].copy_from_slice(&says[at..at + FRAME]);
        self.sequence += 1;
    }
}

struct Work {
    sockets: Generator,
    streams: Vec<Stream>,
    /// Consumer streams by the port that their audio comes out of.
    places: Places,
    says: [Arc<Vec<u8>>; 2],
    phase: Arc<AtomicU8>,
    tally: Tally,
}

impl Work {
    fn new(
        sockets: Generator,
        calls: &[CallPorts],
        consumer_says: Arc<Vec<u8>>,
        agent_says: Arc<Vec<u8>>,
        phase: Arc<AtomicU8>,
    ) -> Self {
        let mut dice = StdRng::seed_from_u64(5);
        let mut streams = Vec::new();
        let mut places = Places::new(&consumer_says);
        for call in calls {
            for from_consumer in [true, false] {
                let begins_at = dice.random_range(0..SAMPLES / FRAME);
                let port = if from_consumer {
                    places.add(streams.len(), call.agent, begins_at);
                    call.consumer
                } else {
                    call.agent
                };
                streams.push(stream(port, from_consumer, begins_at, &mut dice));
            }
        }
        places.streams_are(streams.len());
        Self {
            sockets,
            streams,
            places,
            says: [agent_says, consumer_says],
            phase,
            tally: Tally::default(),
        }
    }

    fn run(&mut self) -> io::Result<Tally> {
        let mut order: Vec<usize> = (0..self.streams.len()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(6));
        order.sort_by_key(|index| self.streams[*index].offset_nanos);
        let mut ears = Ears::new();
        let began = Instant::now();
        let (mut round, mut next, mut was) = (0, 0, WARMING);
        while was != DONE {
            let phase = self.phase.load(Ordering::SeqCst);
            if phase != was && phase == MEASURING {
                self.tally = Tally::default();
            }
            was = phase;
            let due = self.send_due(&order, began, &mut round, &mut next)?;
            self.hear(&mut ears)?;
            let wait = due.saturating_sub(began.elapsed());
            if !wait.is_zero() {
                std::thread::sleep(wait.min(NAP));
            }
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Sends one batch of what is due; says when the next is.
    fn send_due(
        &mut self,
        order: &[usize],
        began: Instant,
        round: &mut u64,
        next: &mut usize,
    ) -> io::Result<Duration> {
        let mut batch = [const { Vec::new() }; 2];
        let mut due = Duration::ZERO;
        while batch.iter().map(Vec::len).sum::<usize>() < BATCH {
            let index = order[*next];
            let stream = &self.streams[index];
            due = Duration::from_nanos(*round * PACKET_NANOS + stream.offset_nanos);
            let late = began.elapsed().checked_sub(due);
            let Some(late) = late else { break };
            let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
            self.tally.lateness.push(nanos);
            batch[usize::from(stream.from_consumer)].push(index);
            *next += 1;
            if *next == order.len() {
                (*next, *round) = (0, *round + 1);
            }
        }
        for indices in &batch {
            self.send(indices)?;
        }
        Ok(due)
    }

    /// Sends a packet of each of these streams, which all are of one side.
    fn send(&mut self, indices: &[usize]) -> io::Result<()> {
        let Some(first) = indices.first() else {
            return Ok(());
        };
        let from_consumer = self.streams[*first].from_consumer;
        let mut packets = [[0; PACKET]; BATCH];
        let mut addresses = [None; BATCH];
        let says = Arc::clone(&self.says[usize::from(from_consumer)]);
        for ((packet, address), index) in packets.iter_mut().zip(&mut addresses).zip(indices) {
            let stream = &mut self.streams[*index];
            stream.next(&says, packet);
            *address = Some(stream.destination);
        }
        let socket = if from_consumer {
            &self.sockets.consumer
        } else {
            &self.sockets.agent
        };
        let before = wall_nanos();
        let sent = send_all(
            socket,
            &packets[..indices.len()],
            &addresses[..indices.len()],
        )?;
        let after = wall_nanos();
        self.tally.sent += u64::try_from(sent).unwrap_or(0);
        let step = (after - before) / i64::try_from(indices.len()).unwrap_or(1);
        let mut at = before;
        for index in indices.iter().filter(|_| from_consumer) {
            at += step;
            self.places
                .sent(*index, self.streams[*index].sequence - 1, at);
        }
        Ok(())
    }

    /// Takes what has come back.
    fn hear(&mut self, ears: &mut Ears) -> io::Result<()> {
        for socket in [&self.sockets.consumer, &self.sockets.agent] {
            let is_agent = std::ptr::eq(socket, &raw const self.sockets.agent);
            let (places, tally) = (&mut self.places, &mut self.tally);
            // What has come while one batch was read waits for the next round.
            for _ in 0..4 {
                let heard = ears.hear(socket, |port, at, packet| {
                    tally.received += 1;
                    if is_agent
                        && packet.len() > HEADER
                        && let Found::After(nanos) = places.find(port, at, &packet[HEADER..])
                    {
                        tally.latencies.push(nanos);
                    }
                })?;
                if heard < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn stream(port: u16, from_consumer: bool, begins_at: usize, dice: &mut StdRng) -> Stream {
    let mut header = [0; HEADER];
    header[0] = 0x80;
    header[8..12].copy_from_slice(&dice.random::<u32>().to_be_bytes());
    Stream {
        destination: SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)),
        from_consumer,
        header,
        sequence: 0,
        begins_at,
        offset_nanos: dice.random_range(0..PACKET_NANOS),
    }
}

fn send_all(
    socket: &UdpSocket,
    packets: &[[u8; PACKET]],
    addresses: &[Option<SockaddrIn>],
) -> io::Result<usize> {
    let slices: Vec<[IoSlice<'_>; 1]> = packets.iter().map(|one| [IoSlice::new(one)]).collect();
    let mut headers = MultiHeaders::preallocate(slices.len(), None);
    match sendmmsg(
        socket.as_raw_fd(),
        &mut headers,
        &slices,
        addresses,
        [],
        MsgFlags::empty(),
    ) {
        Ok(sent) => Ok(sent.count()),
        // What an earlier packet met.
        Err(Errno::ECONNREFUSED) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// Buffers for what comes back.
struct Ears {
    bytes: Box<[[u8; 2_048]; BATCH]>,
    headers: MultiHeaders<SockaddrIn>,
}

impl Ears {
    fn new() -> Self {
        Self {
            bytes: Box::new([[0; 2_048]; BATCH]),
            headers: MultiHeaders::preallocate(BATCH, Some(nix::cmsg_space!(TimeSpec))),
        }
    }

    /// Reads a batch; says how many it was.
    fn hear(
        &mut self,
        socket: &UdpSocket,
        mut take: impl FnMut(u16, i64, &[u8]),
    ) -> io::Result<usize> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> = self
            .bytes
            .iter_mut()
            .map(|one| [IoSliceMut::new(one)])
            .collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let messages = match recvmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &mut slices,
            flags,
            None,
        ) {
            Ok(messages) => messages,
            Err(Errno::EAGAIN | Errno::ECONNREFUSED) => return Ok(0),
            Err(errno) => return Err(errno.into()),
        };
        let mut count = 0;
        for message in messages {
            count += 1;
            let stamp = message.cmsgs()?.find_map(|one| match one {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(nanos_of(stamp)),
                _ => None,
            });
            let port = message.address.map_or(0, |address| address.port());
            let bytes = message.iovs().next().unwrap_or(&[]);
            take(port, stamp.unwrap_or_else(wall_nanos), bytes);
        }
        Ok(count)
    }
}

fn nanos_of(stamp: TimeSpec) -> i64 {
    stamp.tv_sec() * 1_000_000_000 + stamp.tv_nsec()
}

/// The clock of the kernel's stamps.
fn wall_nanos() -> i64 {
    clock_gettime(ClockId::CLOCK_REALTIME).map_or(0, nanos_of)
}
