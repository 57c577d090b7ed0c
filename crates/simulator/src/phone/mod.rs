//! A telephone: it registers, calls or answers, speaks and keys, over real SIP and RTP.
//! Owns: one SIP stack, one line, what the phone heard.
//! Never: shares anything with the server but the network.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secret::{Key, SecretText};
use serde::Serialize;
use sip::digest::Ha1;
use sip::sdp::{Answerer, LocalAudio, LocalSrtp, Negotiated, RemoteAudio, Session};
use sip::{
    Body, Command, Credentials, Event, Host, Incoming, LegId, NameAddr, Peer, Stack, StackConfig,
    Status, Uri,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use voice::transport::{BindError, Received, Transports};

mod called;
mod handed_over;
mod heard;
mod keying;
mod line;
mod speech;
mod way;

use called::{Taking, taking};
pub use heard::{Heard, HeardReport, wav};
pub use keying::{KeyingMode, PRESSES_MAX};
use line::Line;
pub use speech::Speech;
pub(crate) use speech::{AGENT_VOICE, CONSUMER_VOICE};
pub use way::SipOver;
use way::fresh_keys;

/// Commands that may wait for a phone; a person presses one at a time. When full the caller waits.
const COMMANDS_MAX: usize = 64;

/// Length of a frame.
const FRAME: Duration = Duration::from_millis(20);

/// Datagrams handled before time is looked at again.
const DATAGRAMS_MAX: usize = 64;

/// How long a registration shall hold.
const REGISTRATION: Duration = Duration::from_secs(300);
/// After a registration that failed, before the next: the server starts later, or the user is made later.
const REGISTER_AGAIN: Duration = Duration::from_secs(3);

/// What a phone is.
pub struct PhoneConfig {
    /// Its user part.
    pub user: String,
    /// What it says of its owner.
    pub display: String,
    /// Where it is bound; port 0 lets the system choose.
    pub local: SocketAddr,
    /// The server's SIP address.
    pub server: SocketAddr,
    /// What its SIP travels by.
    pub over: SipOver,
    /// Its media is secured by SRTP, keys in SDP; nothing in clear is offered or taken.
    pub srtp: bool,
    /// It registers with this realm and password; none: it does not.
    pub account: Option<(String, SecretText)>,
    /// It answers calls after so long; none: it lets them ring, and one without an account does what the number says that was dialled.
    pub answers_after: Option<Duration>,
    /// Seed and pitch in Hz of its talker; none: silence.
    pub voice: Option<(u64, f32)>,
}

/// What a phone is told.
enum Order {
    Call(String),
    HangUp,
    HandOver,
    Refer(String),
    Press(Key),
    Mode(KeyingMode),
}

/// An order, and where its end is told.
type Ordered = (Order, oneshot::Sender<()>);

/// Where a phone's call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneCall {
    /// No call.
    #[default]
    Idle,
    /// Waiting for an answer.
    Calling,
    /// Ringing, here or there.
    Ringing,
    /// Connected.
    Connected,
}

/// What a phone shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PhoneState {
    /// It is registered.
    pub registered: bool,
    /// Its call.
    pub call: PhoneCall,
    /// How it keys.
    pub mode: KeyingMode,
    /// Presses that wait or sound.
    pub keys_waiting: usize,
    /// SIP status of the last call or registration that failed.
    pub failure: Option<u16>,
    /// What the server has said last of the transfer that it was asked for on the running call, or on the last one: a SIP status.
    pub referred: Option<u16>,
}

/// A running phone; dropping it takes it off the network.
pub struct Phone {
    orders: mpsc::Sender<Ordered>,
    state: watch::Receiver<PhoneState>,
    heard: Arc<Mutex<Heard>>,
    local: SocketAddr,
}

impl Phone {
    /// Binds and starts it. Needs a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound, or a file of TLS is of no use.
    pub fn start(config: PhoneConfig) -> Result<Self, BindError> {
        let transport = config.over.bind(config.local)?;
        let local = transport.first_bound();
        let now = Instant::now();
        // A name of its own: a stack takes a message that bears its node's tag for a loop.
        let node = format!("phone-{:08x}", rand::random::<u32>());
        let mut ours = StackConfig::new(&node, 0, rand::random(), local);
        ours.interface = transport.interfaces().0;
        let mut stack = Stack::new(ours, now);
        let server = Peer {
            name: "server".to_owned(),
            addresses: vec![config.server.ip()],
            is_trusted: false,
            credentials: None,
        };
        let _always = stack.command(
            now,
            Command::SetPeers {
                peers: vec![server],
            },
        );
        let (orders, inbox) = mpsc::channel(COMMANDS_MAX);
        let (shown, state) = watch::channel(PhoneState::default());
        let heard = Arc::new(Mutex::new(Heard::default()));
        let task = Task {
            config,
            transport,
            stack,
            inbox,
            shown,
            heard: heard.clone(),
            call: None,
            answer_at: None,
            register_at: None,
            mode: KeyingMode::default(),
            registered: false,
            failure: None,
            referred: None,
        };
        tokio::spawn(task.run());
        Ok(Self {
            orders,
            state,
            heard,
            local,
        })
    }

    /// Where its SIP is bound.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// What it shows, and its changes.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<PhoneState> {
        self.state.clone()
    }

    /// What it heard on its last call.
    #[must_use]
    pub fn heard(&self) -> Arc<Mutex<Heard>> {
        self.heard.clone()
    }

    /// Calls a number through the server.
    pub async fn call(&self, number: &str) {
        self.order(Order::Call(number.to_owned())).await;
    }

    /// Hangs up.
    pub async fn hang_up(&self) {
        self.order(Order::HangUp).await;
    }

    /// Gives the handset to somebody else: the call is described anew, as by another device.
    pub async fn hand_over(&self) {
        self.order(Order::HandOver).await;
    }

    /// Asks the server to have the call go to somebody else (REFER).
    pub async fn refer(&self, to: &str) {
        self.order(Order::Refer(to.to_owned())).await;
    }

    /// Presses a key; presses queue.
    pub async fn press(&self, key: Key) {
        self.order(Order::Press(key)).await;
    }

    /// Chooses how keys travel.
    pub async fn mode(&self, mode: KeyingMode) {
        self.order(Order::Mode(mode)).await;
    }

    /// Answers once the phone has obeyed and shows it: whoever looks next sees nothing older.
    async fn order(&self, order: Order) {
        let (done, obeyed) = oneshot::channel();
        // Only a phone whose task has ended does not listen.
        let _ended = self.orders.send((order, done)).await;
        let _ended = obeyed.await;
    }
}

struct Running {
    leg: LegId,
    line: Line,
    keys: Option<LocalSrtp>,
    ours: Option<Session>,
    offer: Option<Session>,
    outgoing: bool,
    state: PhoneCall,
}

struct Task {
    config: PhoneConfig,
    transport: Transports,
    stack: Stack,
    inbox: mpsc::Receiver<Ordered>,
    shown: watch::Sender<PhoneState>,
    heard: Arc<Mutex<Heard>>,
    call: Option<Running>,
    answer_at: Option<Instant>,
    register_at: Option<Instant>,
    mode: KeyingMode,
    registered: bool,
    failure: Option<u16>,
    referred: Option<u16>,
}

impl Task {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(FRAME);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        self.register();
        loop {
            self.drain();
            tokio::select! {
                ready = self.transport.readable() => if ready.is_ok() { self.receive() },
                order = self.inbox.recv() => match order {
                    Some((order, done)) => {
                        self.obey(order);
                        self.drain();
                        let _nobody_waits = done.send(());
                    }
                    None => return self.leave(),
                },
                _ = ticks.tick() => self.tick(),
            }
        }
    }

    fn receive(&mut self) {
        for _ in 0..DATAGRAMS_MAX {
            let stack = &mut self.stack;
            let now = Instant::now();
            let taken = self.transport.receive(|received| match received {
                Received::Message(flow, bytes) => stack.handle_datagram(now, flow, bytes),
                Received::Lost(flow) => stack.handle_lost(now, flow),
            });
            if taken.is_none() {
                break;
            }
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if self.stack.next_timeout().is_some_and(|at| at <= now) {
            self.stack.handle_timeout(now);
        }
        if self.answer_at.is_some_and(|at| at <= now) {
            self.answer_at = None;
            self.answer();
        }
        if self.register_at.is_some_and(|at| at <= now) {
            self.register_at = None;
            self.register();
        }
        let info = self.call.as_mut().and_then(|call| call.line.tick());
        if let (Some(character), Some(call)) = (info, &self.call) {
            let body = Body::new(format!("Signal={character}\r\nDuration=100\r\n").into_bytes());
            let content_type = "application/dtmf-relay".to_owned();
            let _gone = self.stack.command(
                now,
                Command::Info {
                    leg: call.leg,
                    content_type,
                    body,
                },
            );
        }
    }

    fn drain(&mut self) {
        loop {
            while let Some(transmit) = self.stack.poll_transmit() {
                self.transport.send(&transmit);
            }
            let Some(event) = self.stack.poll_event() else {
                break;
            };
            self.handle(event);
        }
        let keys_waiting = self
            .call
            .as_ref()
            .map_or(0, |call| call.line.keying.waiting());
        let state = PhoneState {
            registered: self.registered,
            call: self
                .call
                .as_ref()
                .map_or(PhoneCall::Idle, |call| call.state),
            mode: self.mode,
            keys_waiting,
            failure: self.failure,
            referred: self.referred,
        };
        self.shown
            .send_if_modified(|shown| std::mem::replace(shown, state) != state);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Call(number) if self.call.is_none() => self.dial(&number),
            Order::Call(_) => {}
            Order::HangUp => {
                if let Some(call) = self.call.take() {
                    self.answer_at = None;
                    let hang_up = Command::Hangup {
                        leg: call.leg,
                        reason: None,
                    };
                    let _gone = self.stack.command(Instant::now(), hang_up);
                }
            }
            Order::HandOver => self.hand_over(),
            Order::Refer(to) => self.refer(&to),
            Order::Press(key) => {
                let _full = self.call.as_mut().is_some_and(|call| call.line.press(key));
            }
            Order::Mode(mode) => {
                self.mode = mode;
                if let Some(call) = &mut self.call {
                    call.line.keying.mode = mode;
                }
            }
        }
    }

    /// A line, and the keys that its media is to have; none: no socket, or no random numbers.
    fn line(&self) -> Option<(Line, Option<LocalSrtp>)> {
        let keys = match self.config.srtp {
            true => Some(fresh_keys()?),
            false => None,
        };
        let address = self.config.local.ip();
        let line = Line::open(address, self.config.voice, self.mode, self.heard.clone());
        Some((line.ok()?, keys))
    }

    fn own_address(&self, host: SocketAddr) -> NameAddr {
        let uri = Uri::sip(Some(&self.config.user), Host::Ip(host.ip()), None);
        NameAddr::new(uri).with_display(&self.config.display)
    }

    fn dial(&mut self, number: &str) {
        let Some((line, keys)) = self.line() else {
            return;
        };
        let offer = described(&line, &keys, rand::random::<u64>() >> 1).offer();
        let server = self.config.server;
        let leg = self.stack.new_leg();
        let invite = Command::Invite {
            leg,
            target: Uri::sip(Some(number), Host::Ip(server.ip()), Some(server.port())),
            to: None,
            from: self.own_address(self.transport.first_bound()),
            flow: self.config.over.to(server),
            offer: Some(offer.clone()),
            max_forwards: None,
            headers: Vec::new(),
            credentials: self.credentials(),
        };
        self.failure = None;
        if self.stack.command(Instant::now(), invite).is_ok() {
            let (ours, offer) = (Some(offer), None);
            self.call = Some(Running {
                leg,
                line,
                keys,
                ours,
                offer,
                outgoing: true,
                state: PhoneCall::Calling,
            });
        }
    }

    fn credentials(&self) -> Option<Credentials> {
        let (realm, password) = self.config.account.as_ref()?;
        let ha1 = Ha1::derive(&self.config.user, realm, password);
        Some(Credentials {
            user: self.config.user.clone(),
            realm: realm.clone(),
            ha1,
        })
    }

    fn register(&mut self) {
        let Some(credentials) = self.credentials() else {
            return;
        };
        let register = Command::Register {
            aor: Uri::sip(
                Some(&self.config.user),
                Host::Ip(self.config.server.ip()),
                None,
            ),
            contact: None,
            flow: self.config.over.to(self.config.server),
            others: Vec::new(),
            credentials,
            expires: REGISTRATION,
        };
        let _full = self.stack.command(Instant::now(), register);
    }

    fn leave(&mut self) {
        let now = Instant::now();
        if let Some(call) = self.call.take() {
            let _gone = self.stack.command(
                now,
                Command::Hangup {
                    leg: call.leg,
                    reason: None,
                },
            );
        }
        self.drain();
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.called(*incoming),
            Event::Progress { leg, answer, .. } => {
                self.agree(leg, answer);
                self.set_state(leg, PhoneCall::Ringing);
            }
            Event::Answered { leg, answer, .. } => {
                self.agree(leg, answer);
                self.set_state(leg, PhoneCall::Connected);
            }
            Event::Confirmed { leg, answer } => {
                self.agree(leg, answer);
                self.set_state(leg, PhoneCall::Connected);
            }
            Event::Failed { leg, status, .. } => {
                self.failure = Some(status.code());
                self.drop_call(leg);
            }
            Event::Ended { leg, .. } => self.drop_call(leg),
            Event::Offered { leg, offer } => self.reoffered(leg, offer),
            Event::RegisterDone { expires, .. } => self.registered = !expires.is_zero(),
            Event::RegisterFailed { status, .. } => {
                self.registered = false;
                self.failure = Some(status.code());
                self.register_at = Some(Instant::now() + REGISTER_AGAIN);
            }
            Event::ReferAnswered { status, .. } | Event::ReferReport { status, .. } => {
                self.referred = Some(status.code());
            }
            Event::OtherIdentity { .. }
            | Event::Referred { .. }
            | Event::OfferAnswered { .. }
            | Event::OfferFailed { .. }
            | Event::InfoKey { .. }
            | Event::Probed { .. }
            | Event::Registered { .. }
            | Event::Unregistered { .. } => {}
        }
    }

    /// A phone that is somebody's answers or rings; the consumer's does what the number says.
    fn called(&mut self, incoming: Incoming) {
        let Incoming {
            leg,
            offer,
            request_uri,
            ..
        } = incoming;
        let taking = match (self.config.answers_after, &self.config.account) {
            (Some(after), _) => Taking::Answers(after),
            (None, Some(_)) => Taking::Rings,
            (None, None) => taking(request_uri.user().unwrap_or_default()),
        };
        match taking {
            Taking::Answers(after) => self.ring(leg, offer, Some(after)),
            Taking::Rings => self.ring(leg, offer, None),
            Taking::Refuses(status) => self.refuse(leg, status),
        }
    }

    fn refuse(&mut self, leg: LegId, status: Status) {
        let refuse = Command::Reject {
            leg,
            status,
            reason: None,
        };
        let _gone = self.stack.command(Instant::now(), refuse);
    }

    fn ring(&mut self, leg: LegId, offer: Option<Session>, answers_after: Option<Duration>) {
        let now = Instant::now();
        let line = if self.call.is_none() {
            self.line()
        } else {
            None
        };
        let Some((line, keys)) = line else {
            return self.refuse(leg, Status::BUSY_HERE);
        };
        let ringing = Command::Provisional {
            leg,
            status: Status::RINGING,
            answer: None,
        };
        let _gone = self.stack.command(now, ringing);
        self.answer_at = answers_after.map(|after| now + after);
        self.call = Some(Running {
            leg,
            line,
            keys,
            ours: None,
            offer,
            outgoing: false,
            state: PhoneCall::Ringing,
        });
    }

    fn answer(&mut self) {
        let Some(call) = &mut self.call else { return };
        let local = described(&call.line, &call.keys, rand::random::<u64>() >> 1);
        let answer = match &call.offer {
            Some(offer) => local.answer(offer),
            None => Ok(local.offer()),
        };
        let now = Instant::now();
        let Ok(answer) = answer else {
            let leg = call.leg;
            self.call = None;
            return self.refuse(leg, Status::NOT_ACCEPTABLE_HERE);
        };
        call.ours = Some(answer.clone());
        let (leg, offer) = (call.leg, call.offer.take());
        let _gone = self.stack.command(now, Command::Answer { leg, answer });
        self.agree(leg, offer);
    }

    /// Both descriptions of a leg are known: media can flow.
    fn agree(&mut self, leg: LegId, theirs: Option<Session>) {
        let server = self.config.server.ip();
        let Some(call) = self.call.as_mut().filter(|call| call.leg == leg) else {
            return;
        };
        let (Some(ours), Some(theirs)) = (&call.ours, theirs) else {
            return;
        };
        let answerer = if call.outgoing {
            Answerer::Them
        } else {
            Answerer::Us
        };
        let agreed = RemoteAudio::read_secured(&theirs, server, call.keys.as_ref())
            .and_then(|theirs| Negotiated::new(ours, &theirs, answerer));
        if let Ok(agreed) = agreed {
            call.line.agree(agreed);
        }
    }

    fn reoffered(&mut self, leg: LegId, offer: Option<Session>) {
        let Some(call) = self.call.as_mut().filter(|call| call.leg == leg) else {
            return;
        };
        let local = call.described_next();
        let answer = match &offer {
            Some(offer) => local.answer(offer),
            None => Ok(local.offer()),
        };
        let now = Instant::now();
        match answer {
            Ok(answer) => {
                call.ours = Some(answer.clone());
                let _gone = self
                    .stack
                    .command(now, Command::AcceptOffer { leg, answer });
                self.agree(leg, offer);
            }
            Err(_) => {
                let refuse = Command::RejectOffer {
                    leg,
                    status: Status::NOT_ACCEPTABLE_HERE,
                };
                let _gone = self.stack.command(now, refuse);
            }
        }
    }

    fn set_state(&mut self, leg: LegId, state: PhoneCall) {
        if let Some(call) = self.call.as_mut().filter(|call| call.leg == leg) {
            call.state = state;
        }
    }

    fn drop_call(&mut self, leg: LegId) {
        if self.call.as_ref().is_some_and(|call| call.leg == leg) {
            self.call = None;
            self.answer_at = None;
        }
    }
}

/// A phone's side of a call.
fn described(line: &Line, keys: &Option<LocalSrtp>, session_id: u64) -> LocalAudio {
    LocalAudio {
        srtp: keys.clone(),
        ..LocalAudio::new(line.local(), session_id)
    }
}
