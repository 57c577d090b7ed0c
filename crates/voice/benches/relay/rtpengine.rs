//! The rival: Debian's `rtpengine-daemon`, all in user space, driven over its control port (bencode over UDP).

use std::cell::Cell;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::generator::{CallPorts, Generator};
use crate::process::{PORT_FIRST, PORT_LAST, Relay};

/// Its masking mode hides nothing with less than this (measured: 20-40 ms let 33-100 % of the digits through).
pub(crate) const DELAY_MS: u32 = 60;

const PATIENCE: Duration = Duration::from_secs(5);
const REPLY_BYTES_MAX: usize = 65_535;

/// Starts it and its calls, masked or not.
pub(crate) fn start(
    calls: usize,
    masked: bool,
    generator: &Generator,
) -> io::Result<(Relay, Vec<CallPorts>)> {
    let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let arguments = [
        "--config-file=none",
        "--table=-1",
        "--interface=127.0.0.1",
        &format!("--listen-ng={address}"),
        &format!("--port-min={PORT_FIRST}"),
        &format!("--port-max={PORT_LAST}"),
        "--num-threads=1",
        "--foreground",
        "--log-stderr",
        "--log-level=1",
    ];
    let mut relay = Relay::start("rtpengine", &arguments.map(str::to_owned))?;
    let control = Control::connect(address, &mut relay)?;
    let mut ports = Vec::new();
    for call in 0..calls {
        ports.push(control.call(&format!("bench-{call}"), masked, generator)?);
    }
    Ok((relay, ports))
}

struct Control {
    socket: UdpSocket,
    /// Of the next message: the daemon repeats its answer to one that it has seen.
    cookie: Cell<u64>,
}

impl Control {
    /// Waits until the daemon answers.
    fn connect(address: SocketAddr, relay: &mut Relay) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(address)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let cookie = Cell::new(1);
        let control = Self { socket, cookie };
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up && relay.is_running() {
            if control.ask(&[("command", "ping")], &[]).is_ok() {
                control.socket.set_read_timeout(Some(PATIENCE))?;
                return Ok(control);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(io::Error::other("rtpengine does not answer"))
    }

    fn call(&self, id: &str, masked: bool, generator: &Generator) -> io::Result<CallPorts> {
        let flags: &[&str] = if masked { &["detect-DTMF"] } else { &[] };
        let consumer = description(generator.consumer_address()?);
        let agent = description(generator.agent_address()?);
        let offer = [
            ("call-id", id),
            ("command", "offer"),
            ("from-tag", "a"),
            ("sdp", &consumer),
        ];
        let agent_port = port_of(&self.ask(&offer, flags)?)?;
        let answer = [
            ("call-id", id),
            ("command", "answer"),
            ("from-tag", "a"),
            ("sdp", &agent),
            ("to-tag", "b"),
        ];
        let consumer_port = port_of(&self.ask(&answer, flags)?)?;
        if masked {
            let block = [
                ("DTMF-security", "tone"),
                ("call-id", id),
                ("command", "block DTMF"),
                ("delay-buffer", &DELAY_MS.to_string()),
                ("from-tag", "a"),
            ];
            self.ask(&block, &[])?;
        }
        Ok(CallPorts {
            consumer: consumer_port,
            agent: agent_port,
        })
    }

    /// Sends a dictionary and its flags; yields the answer if it is `ok` or `pong`.
    fn ask(&self, entries: &[(&str, &str)], flags: &[&str]) -> io::Result<Vec<u8>> {
        let cookie = self.cookie.replace(self.cookie.get() + 1);
        let mut message = format!("{cookie} d");
        for (key, value) in entries {
            message.push_str(&string(key));
            message.push_str(&string(value));
        }
        if !flags.is_empty() {
            let all: String = flags.iter().map(|flag| string(flag)).collect();
            message.push_str(&format!("{}l{all}e", string("flags")));
        }
        message.push('e');
        self.socket.send(message.as_bytes())?;
        let mut reply = vec![0; REPLY_BYTES_MAX];
        let head = format!("{cookie} ");
        loop {
            let len = self.socket.recv(&mut reply)?;
            // Answers to pings that were given up may still come.
            if reply[..len].starts_with(head.as_bytes()) {
                reply.truncate(len);
                break;
            }
        }
        let is_well = ["6:result2:ok", "6:result4:pong"]
            .iter()
            .any(|well| memchr::memmem::find(&reply, well.as_bytes()).is_some());
        if is_well {
            Ok(reply)
        } else {
            Err(io::Error::other(
                String::from_utf8_lossy(&reply).into_owned(),
            ))
        }
    }
}

fn string(text: &str) -> String {
    format!("{}:{text}", text.len())
}

fn description(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

fn port_of(reply: &[u8]) -> io::Result<u16> {
    let text = String::from_utf8_lossy(reply);
    let rest = text.split("m=audio ").nth(1);
    let port = rest.and_then(|rest| rest.split(' ').next());
    port.and_then(|port| port.parse().ok())
        .ok_or_else(|| io::Error::other("an answer without a port"))
}
