//! A telephone for the tests: SIP by the same stack, driven over its own socket.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secret::SecretText;
use sip::digest::Ha1;
use sip::sdp::{LocalAudio, Session};
use sip::{
    Command, Credentials, Event, Flow, HeaderName, Host, Incoming, LegId, NameAddr, Peer, Replaces,
    Stack, StackConfig, Transport, Uri,
};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use voice::transport::{InterfaceConfig, Received, StreamBounds, TlsConfig, Transports};

/// Longest wait for anything that should come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

pub(crate) struct Phone {
    stack: Arc<Mutex<Stack>>,
    commanded: Arc<Notify>,
    events: mpsc::Receiver<Event>,
    pub(crate) address: SocketAddr,
    over: Transport,
    task: JoinHandle<()>,
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Phone {
    /// A phone that takes calls from `server`.
    pub(crate) fn new(name: &str, ip: &str, server: SocketAddr) -> Self {
        Self::over(Transport::Udp, name, ip, server)
    }

    /// The same over another transport.
    pub(crate) fn over(over: Transport, name: &str, ip: &str, server: SocketAddr) -> Self {
        Self::with((over, None), name, ip, server)
    }

    /// The same inside TLS.
    pub(crate) fn inside(tls: TlsConfig, name: &str, ip: &str, server: SocketAddr) -> Self {
        Self::with((Transport::Tls, Some(tls)), name, ip, server)
    }

    fn with(
        (over, tls): (Transport, Option<TlsConfig>),
        name: &str,
        ip: &str,
        server: SocketAddr,
    ) -> Self {
        let listen = SocketAddr::new(ip.parse().unwrap(), 0);
        let interface = InterfaceConfig::new(over, listen);
        let (bounds, runtime) = (StreamBounds::default(), Handle::current());
        let transports = Transports::bind(&[interface], bounds, tls, runtime).unwrap();
        let address = transports.bound()[0];
        let mut config = StackConfig::new(name, 1, [7; 32], address);
        config.interface = transports.interfaces().0;
        let mut stack = Stack::new(config, Instant::now());
        let peer = Peer {
            name: "server".to_owned(),
            addresses: vec![server.ip()],
            is_trusted: true,
            credentials: None,
        };
        stack
            .command(Instant::now(), Command::SetPeers { peers: vec![peer] })
            .unwrap();
        let stack = Arc::new(Mutex::new(stack));
        let commanded = Arc::new(Notify::new());
        let (to, events) = mpsc::channel(64);
        let task = tokio::spawn(drive(
            Arc::clone(&stack),
            transports,
            Arc::clone(&commanded),
            to,
        ));
        Self {
            stack,
            commanded,
            events,
            address,
            over,
            task,
        }
    }

    pub(crate) fn command(&self, command: Command) {
        self.stack
            .lock()
            .unwrap()
            .command(Instant::now(), command)
            .unwrap();
        self.commanded.notify_one();
    }

    fn to(&self, server: SocketAddr) -> Flow {
        let transport = self.over;
        Flow {
            transport,
            ..Flow::udp(server)
        }
    }

    pub(crate) fn new_leg(&self) -> LegId {
        self.stack.lock().unwrap().new_leg()
    }

    /// Calls `user` at `server`; without a description the offer is left to the other side.
    pub(crate) fn call(&self, user: &str, server: SocketAddr, offer: Option<Session>) -> LegId {
        let leg = self.new_leg();
        let at = |user: &str, address: SocketAddr| {
            Uri::sip(Some(user), Host::Ip(address.ip()), Some(address.port()))
        };
        self.command(Command::Invite {
            leg,
            target: at(user, server),
            to: None,
            from: NameAddr::new(at("15550100", self.address)),
            flow: self.to(server),
            offer,
            max_forwards: None,
            headers: Vec::new(),
            credentials: None,
        });
        leg
    }

    pub(crate) fn register(&self, user: &str, password: &str, server: SocketAddr) {
        self.command(Command::Register {
            aor: Uri::sip(Some(user), Host::Ip(server.ip()), Some(server.port())),
            contact: None,
            flow: self.to(server),
            others: Vec::new(),
            credentials: credentials(user, password),
            expires: Duration::from_secs(300),
        });
    }

    /// Calls as a registered phone does.
    pub(crate) fn dial(
        &self,
        number: &str,
        phone: (&str, &str),
        server: SocketAddr,
        offer: Session,
    ) -> LegId {
        let (user, password) = phone;
        let at = |user: &str| Uri::sip(Some(user), Host::Ip(server.ip()), Some(server.port()));
        let leg = self.stack.lock().unwrap().new_leg();
        self.command(Command::Invite {
            leg,
            target: at(number),
            to: None,
            from: NameAddr::new(at(user)),
            flow: self.to(server),
            offer: Some(offer),
            max_forwards: None,
            headers: Vec::new(),
            credentials: Some(credentials(user, password)),
        });
        leg
    }

    /// Waits for an event; others that come before it are passed over.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(Event) -> Option<T>,
    ) -> T {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the phone's task runs");
                if let Some(found) = wanted(event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("no {what}"))
    }

    pub(crate) async fn incoming(&mut self) -> Incoming {
        self.until("incoming call", |event| match event {
            Event::Incoming(incoming) => Some(*incoming),
            _ => None,
        })
        .await
    }

    pub(crate) async fn ended(&mut self) {
        self.until("end", |event| {
            matches!(event, Event::Ended { .. }).then_some(())
        })
        .await;
    }

    /// One of its legs as the server is to be told to replace it.
    pub(crate) fn place_of(&self, leg: LegId) -> Replaces {
        self.stack.lock().unwrap().place_of(leg).unwrap()
    }

    /// Wants the call to go to an address, and hears what the server says to that at once.
    pub(crate) async fn refer(&mut self, leg: LegId, to: &str) -> u16 {
        let to = NameAddr::parse(to.as_bytes()).unwrap();
        self.command(Command::Refer { leg, to });
        let answered = |event| match event {
            Event::ReferAnswered { status, .. } => Some(status.code()),
            _ => None,
        };
        self.until("answer to a REFER", answered).await
    }

    /// What it is told of that, up to the last word.
    pub(crate) async fn reports(&mut self) -> Vec<u16> {
        let mut told = Vec::new();
        let last = |event| match event {
            Event::ReferReport {
                status, is_last, ..
            } => {
                told.push(status.code());
                is_last.then_some(())
            }
            _ => None,
        };
        self.until("last report", last).await;
        told
    }

    /// Calls to take the place of a leg that somebody else has.
    pub(crate) fn call_for(
        &self,
        place: &Replaces,
        server: SocketAddr,
        offer: Option<Session>,
    ) -> LegId {
        let leg = self.stack.lock().unwrap().new_leg();
        let at = |user: &str, address: SocketAddr| {
            Uri::sip(Some(user), Host::Ip(address.ip()), Some(address.port()))
        };
        self.command(Command::Invite {
            leg,
            target: at("place", server),
            to: None,
            from: NameAddr::new(at("300", self.address)),
            flow: self.to(server),
            offer,
            max_forwards: None,
            headers: vec![(HeaderName::REPLACES, place.to_string())],
            credentials: None,
        });
        leg
    }

    /// The Call-ID of one of its legs.
    pub(crate) fn call_id(&self, leg: LegId) -> String {
        let stack = self.stack.lock().unwrap();
        stack.call_id(leg).unwrap().to_owned()
    }

    pub(crate) async fn answered(&mut self) -> Option<Session> {
        self.until("answer", |event| match event {
            Event::Answered {
                answer, late_offer, ..
            } => Some(answer.or(late_offer)),
            _ => None,
        })
        .await
    }

    pub(crate) async fn failed(&mut self) -> u16 {
        self.until("refusal", |event| match event {
            Event::Failed { status, .. } => Some(status.code()),
            _ => None,
        })
        .await
    }
}

async fn drive(
    stack: Arc<Mutex<Stack>>,
    mut transport: Transports,
    commanded: Arc<Notify>,
    events: mpsc::Sender<Event>,
) {
    loop {
        {
            let mut stack = stack.lock().unwrap();
            while transport
                .receive(|received| match received {
                    Received::Message(flow, bytes) => {
                        stack.handle_datagram(Instant::now(), flow, bytes)
                    }
                    Received::Lost(flow) => stack.handle_lost(Instant::now(), flow),
                })
                .is_some()
            {}
            stack.handle_timeout(Instant::now());
            while let Some(transmit) = stack.poll_transmit() {
                transport.send(&transmit);
            }
            while let Some(event) = stack.poll_event() {
                events.try_send(event).expect("tests read their events");
            }
        }
        let wake_at = stack.lock().unwrap().next_timeout();
        let wake_at = wake_at.unwrap_or_else(|| Instant::now() + PATIENCE);
        tokio::select! {
            ready = transport.readable() => ready.unwrap(),
            () = commanded.notified() => {}
            () = tokio::time::sleep_until(wake_at.into()) => {}
        }
    }
}

fn credentials(user: &str, password: &str) -> Credentials {
    let realm = "tonewall".to_owned();
    let ha1 = Ha1::derive(user, &realm, &SecretText::new(password.to_owned()));
    Credentials {
        user: user.to_owned(),
        realm,
        ha1,
    }
}

/// What a phone with its media at `rtp` says of itself.
pub(crate) fn description(rtp: SocketAddr) -> LocalAudio {
    LocalAudio {
        rtcp_mux: false,
        ..LocalAudio::new(rtp, u64::from(rtp.port()))
    }
}

/// Where a description wants media.
pub(crate) fn media_of(session: &Session, from: IpAddr) -> SocketAddr {
    sip::sdp::RemoteAudio::read(session, from).unwrap().rtp
}
