//! Sockets for media.
//! Owns: non-blocking UDP sockets with the kernel's receive timestamps, receive buffers that are wiped, and the pool of port pairs.
//! Never: looks into a packet, or keeps one.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::socket::{self, ControlMessageOwned, MsgFlags, SockaddrStorage, sockopt};
use nix::sys::time::TimeSpec;
use rustix::net::sockopt::{self as sockopt_path, Ipv4PathMtuDiscovery};
use zeroize::Zeroize;

pub use clock::Clock;
pub use ports::{PortsInUse, RtpPair, RtpPorts, RtpPortsError};

mod clock;
mod ports;

/// Bytes of one received datagram. RTP of 120 ms is under 1 kB and no path carries UDP above its 1,500 bytes unfragmented. What is longer is cut,
/// reported as [`Datagram::is_cut`], and no packet of a call.
pub const DATAGRAM_BYTES_MAX: usize = 2_048;

/// Receive buffer asked of the kernel: 200 ms of ten streams. When it is full the kernel drops the newest.
const KERNEL_RECEIVE_BYTES: usize = 256 * 1_024;

/// Type of service of media: expedited forwarding (RFC 3246), shifted to its place. A network that does not know it ignores it.
const TOS_EXPEDITED: u32 = 0xB8;

/// One UDP socket for RTP or RTCP. Never blocks.
///
/// Timestamps are the kernel's (`SO_TIMESTAMPNS`) where it gives them; else the time of the read, as for datagrams that come within
/// milliseconds of the first socket's opening.
#[derive(Debug)]
pub struct RtpSocket {
    socket: UdpSocket,
    local: SocketAddr,
}

/// A datagram in its buffer. Who takes it may open it there: the buffer is wiped afterwards.
#[derive(Debug)]
pub struct Datagram<'buffer> {
    /// Who sent it.
    pub source: SocketAddr,
    /// When the kernel took it.
    pub received_at: Instant,
    /// When it was read.
    pub read_at: Instant,
    /// It was longer than [`DATAGRAM_BYTES_MAX`]; the rest is lost.
    pub is_cut: bool,
    /// The datagram.
    pub bytes: &'buffer mut [u8],
}

/// Where datagrams are read to; one serves any number of sockets of a thread. What was read is zeroed before the next read and on drop.
pub struct ReceiveBuffer {
    bytes: Box<[u8; DATAGRAM_BYTES_MAX]>,
    control: Vec<u8>,
}

impl ReceiveBuffer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bytes: Box::new([0; DATAGRAM_BYTES_MAX]),
            control: nix::cmsg_space!(TimeSpec),
        }
    }
}

impl Default for ReceiveBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ReceiveBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[receive buffer]")
    }
}

impl RtpSocket {
    /// Binds a socket; port 0 lets the system choose.
    ///
    /// # Errors
    /// What the system says.
    pub fn bind(local: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(local),
            // From its first moment: four sockets of each call would ask the kernel twice more.
            socket2::Type::DGRAM.nonblocking(),
            Some(socket2::Protocol::UDP),
        )?;
        socket.bind(&local.into())?;
        prefer(&socket, local);
        let socket = UdpSocket::from(socket);
        let local = match local.port() {
            0 => socket.local_addr()?,
            _ => local,
        };
        Ok(Self { socket, local })
    }

    /// The same socket once more, for somebody who only sends by it. It is closed when both are.
    ///
    /// # Errors
    /// What the system says.
    pub fn twin(&self) -> io::Result<Self> {
        let socket = self.socket.try_clone()?;
        let local = self.local;
        Ok(Self { socket, local })
    }

    /// Where it is bound.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Reads one datagram, lends it to `take` and wipes it, also if `take` unwinds; none if nothing waits.
    ///
    /// # Errors
    /// What the system says. An ICMP error of an earlier send shows as an error once and says nothing of the socket.
    pub fn receive<R>(
        &self,
        buffer: &mut ReceiveBuffer,
        take: impl FnOnce(Datagram<'_>) -> R,
    ) -> io::Result<Option<R>> {
        receive_from(self.socket.as_raw_fd(), buffer, Clock::now(), take)
    }

    /// Throws away what waits, `datagrams_max` at most; yields how many.
    pub fn discard(&self, buffer: &mut ReceiveBuffer, datagrams_max: usize) -> usize {
        let waits = |_: &usize| matches!(self.receive(buffer, |_| ()), Ok(Some(())));
        (0..datagrams_max).take_while(waits).count()
    }

    /// Sends one datagram; false if the kernel has no room, in which case it is dropped as a network would.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&self, bytes: &[u8], destination: SocketAddr) -> io::Result<bool> {
        match self.socket.send_to(bytes, destination) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for RtpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for RtpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// What a socket is better with and works without.
fn prefer(socket: &socket2::Socket, local: SocketAddr) {
    let _smaller_buffer = socket.set_recv_buffer_size(KERNEL_RECEIVE_BYTES);
    let _time_of_read = socket::setsockopt(socket, sockopt::ReceiveTimestampns, &true);
    if local.is_ipv4() {
        let _best_effort = socket.set_tos_v4(TOS_EXPEDITED);
        // No router may cut a packet of ours up, so none needs an identity by which its pieces are found again, which costs a lookup in a table of
        // the kernel for each. PROBE asks for that and believes no ICMP that calls the path narrower than our own link.
        let _with_identity = sockopt_path::set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE);
    } else {
        let _best_effort = socket.set_tclass_v6(TOS_EXPEDITED);
    }
}

/// [`RtpSocket::receive`] by file descriptor, with clocks read before.
pub(crate) fn receive_from<R>(
    fd: RawFd,
    buffer: &mut ReceiveBuffer,
    clock: Clock,
    take: impl FnOnce(Datagram<'_>) -> R,
) -> io::Result<Option<R>> {
    let ReceiveBuffer { bytes, control } = buffer;
    let Some(read) = read(fd, bytes.as_mut_slice(), control)? else {
        return Ok(None);
    };
    let wiped = Wiped(bytes.get_mut(..read.len).unwrap_or_default());
    let read_at = Instant::now();
    Ok(Some(take(Datagram {
        source: read.source,
        received_at: clock.place(read.stamp, read_at),
        read_at,
        is_cut: read.is_cut,
        bytes: wiped.0,
    })))
}

struct Read {
    len: usize,
    source: SocketAddr,
    stamp: Option<TimeSpec>,
    is_cut: bool,
}

fn read(fd: RawFd, bytes: &mut [u8], control: &mut [u8]) -> io::Result<Option<Read>> {
    let mut parts = [IoSliceMut::new(bytes)];
    let message = match socket::recvmsg::<SockaddrStorage>(
        fd,
        &mut parts,
        Some(control),
        MsgFlags::MSG_DONTWAIT,
    ) {
        Ok(message) => message,
        Err(Errno::EAGAIN) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let stamp = message.cmsgs().ok().and_then(|mut all| {
        all.find_map(|one| match one {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        })
    });
    let source = message.address.as_ref().and_then(address);
    Ok(Some(Read {
        len: message.bytes,
        source: source.ok_or(io::ErrorKind::AddrNotAvailable)?,
        stamp,
        is_cut: message.flags.contains(MsgFlags::MSG_TRUNC),
    }))
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let four = storage
        .as_sockaddr_in()
        .map(|four| SocketAddr::from(std::net::SocketAddrV4::from(*four)));
    four.or_else(|| {
        storage
            .as_sockaddr_in6()
            .map(|six| SocketAddr::from(std::net::SocketAddrV6::from(*six)))
    })
}

/// Bytes that are zeroed when they go out of sight.
struct Wiped<'buffer>(&'buffer mut [u8]);

impl Drop for Wiped<'_> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The address a far side is told: the advertised one with the port of the socket.
#[must_use]
pub fn advertised(socket: &RtpSocket, address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, socket.local().port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn pair() -> (RtpSocket, RtpSocket) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        (RtpSocket::bind(any).unwrap(), RtpSocket::bind(any).unwrap())
    }

    #[test]
    fn a_datagram_is_lent_and_then_gone_from_the_buffer() {
        let (ours, theirs) = pair();
        let mut buffer = ReceiveBuffer::new();
        assert!(theirs.send(b"packet", ours.local()).unwrap());
        let source = ours
            .receive(&mut buffer, |datagram| {
                assert_eq!(
                    (&*datagram.bytes, datagram.is_cut),
                    (b"packet".as_slice(), false)
                );
                datagram.source
            })
            .unwrap();
        assert_eq!(source, Some(theirs.local()));
        assert!(buffer.bytes.iter().all(|byte| *byte == 0));
        assert_eq!(ours.receive(&mut buffer, |_| ()).unwrap(), None);
    }

    #[test]
    fn the_buffer_is_wiped_when_its_reader_panics() {
        let (ours, theirs) = pair();
        let mut buffer = ReceiveBuffer::new();
        theirs.send(b"packet", ours.local()).unwrap();
        let read = std::panic::AssertUnwindSafe(|| ours.receive(&mut buffer, |_| panic!("reader")));
        assert!(std::panic::catch_unwind(read).is_err());
        assert!(buffer.bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn the_time_is_that_of_arrival_and_not_of_the_read() {
        let (ours, theirs) = pair();
        let mut buffer = ReceiveBuffer::new();
        // The kernel begins to stamp a moment after the first socket has asked it to.
        let stamped = (0..20).any(|_| {
            let sent_at = Instant::now();
            theirs.send(b"packet", ours.local()).unwrap();
            std::thread::sleep(Duration::from_millis(60));
            let received = ours.receive(&mut buffer, |datagram| datagram.received_at);
            let received_at = received.unwrap().unwrap();
            assert!(sent_at.saturating_duration_since(received_at) < Duration::from_millis(5));
            received_at.saturating_duration_since(sent_at) < Duration::from_millis(40)
        });
        assert!(stamped, "the time of the read was taken");
    }

    #[test]
    fn a_datagram_that_is_too_long_says_so() {
        let (ours, theirs) = pair();
        theirs
            .send(&[7; DATAGRAM_BYTES_MAX + 1], ours.local())
            .unwrap();
        let cut = ours
            .receive(&mut ReceiveBuffer::new(), |datagram| datagram.is_cut)
            .unwrap();
        assert_eq!(cut, Some(true));
    }
}
