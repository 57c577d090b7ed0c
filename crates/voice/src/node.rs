//! One node's telephone side.
//! Owns: starting and stopping it, and the way commands take into it.
//! Never: decides where a call goes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::boundary::{
    BrowserLegs, CallEvents, Dial, ListenerLegs, PhoneAccount, PhoneAsk, PhoneRefused, PhoneSaid,
    Protected, ProtectionRefused, ReferralAnswer, RouteTarget, Task, Telephony, TelephonyError,
};
use domain::id::{CallId, UserId};
use domain::listening::Voice;
use domain::queue::WaitingSound;
use domain::service::ProtectionScope;
use secret::{Key, KeySender};
use thiserror::Error;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::media_thread::Restarting;
use crate::rtp_socket::RtpPortsError;
use crate::transport::BindError;
pub use config::{
    Account, BrowserPorts, MediaSource, NodeConfig, NodeLimits, Peer, Registration, Srtp, SrtpRule,
};
pub use counters::NodeCounters;
use listening::ListeningCommand;
pub use probes::PlaceStanding;

mod browser;
mod call;
mod caller;
mod closed;
mod config;
mod counters;
mod dial;
mod event;
mod exchange;
mod keys;
mod listening;
mod names;
mod opus_places;
mod place;
mod probes;
mod protection;
mod referral;
mod registrations;
mod renegotiate;
mod run;
mod setup;
mod side;
mod start;
mod thread;
mod transfer;
mod waiting;
mod ways;

/// Commands that may wait for the SIP thread: several for every call of a busy second. When full: [`TelephonyError::Busy`].
const COMMANDS_MAX: usize = 1_024;

/// Longest time a mask may take to hold; after it the capture does not start.
const PROTECT_WAIT: Duration = Duration::from_secs(3);

/// Why a node did not start.
#[derive(Debug, Error)]
pub enum NodeError {
    /// An interface of SIP is of no use.
    #[error(transparent)]
    ConfigSip(#[from] BindError),
    /// Media is bound to every address, and none is named that far sides could be told.
    #[error("an advertised address is needed where the bound one is unspecified")]
    ConfigAdvertised,
    /// The ports for media are of no use.
    #[error("the ports for media are of no use")]
    ConfigRtpPorts(#[source] RtpPortsError),
    /// A port for browsers cannot be bound.
    #[error("binding the port for browsers' media, {address}")]
    ConfigBrowserPort {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A registrar or a place that nothing of ours can reach.
    #[error("trunk {trunk}: no interface of ours speaks the transport of {uri} to its addresses")]
    ConfigTrunk {
        /// The far side's name.
        trunk: String,
        /// Where it is said to be.
        uri: String,
    },
    /// A name stands among places, and it is not known whom to ask for it.
    #[error("names stand among places of trunks, and no servers of names are known: set sip.dns")]
    ConfigDns(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No or too many media threads.
    #[error("{0} media threads were asked for; it must be 1 to 64")]
    ConfigMediaThreads(usize),
    /// The SIP thread or a media thread did not start.
    #[error("starting a thread for calls")]
    SystemThread(#[source] io::Error),
    /// The system gives no random numbers.
    #[error("reading random numbers")]
    SystemRandom,
}

/// What a caller asks of the SIP thread.
pub(crate) enum NodeCommand {
    Route(CallId, RouteTarget, ProtectionScope),
    Wait(CallId, Option<WaitingSound>),
    StopRinging(CallId),
    Dial(Box<Dial>),
    Reject(CallId, u16),
    RejectClosed(CallId, Option<Duration>),
    HangUp(CallId),
    Protect(
        CallId,
        oneshot::Sender<Result<Protected, ProtectionRefused>>,
    ),
    Unprotect(CallId),
    Watch(CallId, bool),
    HearAgent(CallId, Option<KeySender>),
    Mute(CallId, bool),
    MuteAgent(CallId, bool),
    Hold(CallId, bool),
    SendKey(CallId, Key),
    Transfer(CallId, RouteTarget),
    CancelTransfer(CallId),
    Refer(CallId, ReferralAnswer),
    Phone(CallId, UserId, PhoneAsk, PhoneReply),
    RestartPhone(CallId, UserId, String, Restarting),
    TestPhone(UserId, oneshot::Sender<Result<CallId, PhoneRefused>>),
    Listening(ListeningCommand),
    Shutdown(oneshot::Sender<()>),
}

pub(crate) type PhoneReply = oneshot::Sender<Result<PhoneSaid, PhoneRefused>>;

/// What the SIP thread and everyone else see.
#[derive(Default)]
pub(crate) struct Shared {
    calls: Mutex<BTreeSet<CallId>>,
    registered: Mutex<BTreeSet<String>>,
    /// The newest set of phones, until the SIP thread takes it.
    phones: Mutex<Option<Vec<PhoneAccount>>>,
    phones_changed: Notify,
    counters: Mutex<NodeCounters>,
    /// Whether we are registered at far sides that ask for it, by their names.
    trunks: Mutex<BTreeMap<String, bool>>,
    places: Mutex<Vec<PlaceStanding>>,
}

/// Holders of these locks do one step with them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running telephone side. Dropping it ends everything at once; [`Node::shutdown`] says good-bye first.
pub struct Node {
    commands: mpsc::Sender<NodeCommand>,
    shared: Arc<Shared>,
    bound: thread::Bound,
    _thread: thread::SipThread,
}

impl Node {
    /// Binds, starts the media threads and the SIP thread, and waits until it has. Needs a tokio runtime, which looks after connections of SIP.
    ///
    /// # Errors
    /// What the configuration or the system does not allow.
    pub fn start(config: NodeConfig, events: Arc<dyn CallEvents>) -> Result<Self, NodeError> {
        let shared = Arc::new(Shared::default());
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (thread, bound) = thread::SipThread::start(config, events, Arc::clone(&shared), queue)?;
        Ok(Self {
            commands,
            shared,
            bound,
            _thread: thread,
        })
    }

    /// Where the first interface of SIP is bound.
    #[must_use]
    pub fn sip_address(&self) -> SocketAddr {
        self.bound.sip_first
    }

    /// Where SIP is bound, in the order of the interfaces.
    #[must_use]
    pub fn sip_addresses(&self) -> &[SocketAddr] {
        &self.bound.sip
    }

    /// What it has counted, half a second old at most.
    #[must_use]
    pub fn counters(&self) -> NodeCounters {
        *lock(&self.shared.counters)
    }

    /// Far sides that we register at, by their names, and whether the registration holds now.
    #[must_use]
    pub fn registrations(&self) -> BTreeMap<String, bool> {
        lock(&self.shared.trunks).clone()
    }

    /// Places of far sides that have several, and whether calls go to them first, half a second old at most.
    #[must_use]
    pub fn places(&self) -> Vec<PlaceStanding> {
        lock(&self.shared.places).clone()
    }

    /// Takes no more calls, ends the running ones, takes our registrations away and waits for their far sides, a few seconds at most. Later commands fail.
    pub async fn shutdown(&self) {
        let (done, when_done) = oneshot::channel();
        if self
            .commands
            .send(NodeCommand::Shutdown(done))
            .await
            .is_ok()
        {
            let _ended_either_way = when_done.await;
        }
    }

    fn tell(
        &self,
        call: &CallId,
        command: impl FnOnce(CallId) -> NodeCommand,
    ) -> Result<(), TelephonyError> {
        if !lock(&self.shared.calls).contains(call) {
            return Err(TelephonyError::NoCall);
        }
        let told = self.commands.try_send(command(call.clone()));
        told.map_err(|error| not_told(&error))
    }
}

fn not_told<T>(error: &mpsc::error::TrySendError<T>) -> TelephonyError {
    match error {
        mpsc::error::TrySendError::Full(_) => TelephonyError::Busy,
        mpsc::error::TrySendError::Closed(_) => TelephonyError::NoCall,
    }
}

/// Waits for an answer to a page, as long as to anything that media threads have to do with.
async fn answered<T>(answer: oneshot::Receiver<T>) -> Result<T, PhoneRefused> {
    match tokio::time::timeout(PROTECT_WAIT, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(PhoneRefused::NotFound),
        Err(_) => Err(PhoneRefused::Busy),
    }
}

fn refused(error: TelephonyError) -> PhoneRefused {
    match error {
        TelephonyError::NoCall => PhoneRefused::NotFound,
        TelephonyError::Busy => PhoneRefused::Busy,
    }
}

impl BrowserLegs for Node {
    fn ask<'a>(
        &'a self,
        call: &CallId,
        agent: &UserId,
        ask: PhoneAsk,
    ) -> Task<'a, Result<PhoneSaid, PhoneRefused>> {
        let agent = agent.clone();
        if let PhoneAsk::Restart { offer } = ask {
            let (reply, answer) = oneshot::channel();
            let restart = |call| NodeCommand::RestartPhone(call, agent, offer, reply);
            let told = self.tell(call, restart).map_err(refused);
            return Box::pin(async move {
                told?;
                let answer = answered(answer).await?;
                let answer = answer.map_err(|_| PhoneRefused::Description)?;
                Ok(PhoneSaid::Restarted { answer })
            });
        }
        let (reply, answer) = oneshot::channel();
        let told = self.tell(call, |call| NodeCommand::Phone(call, agent, ask, reply));
        Box::pin(async move {
            told.map_err(refused)?;
            answered(answer).await?
        })
    }

    fn test_browser<'a>(&'a self, agent: &UserId) -> Task<'a, Result<CallId, PhoneRefused>> {
        let (reply, answer) = oneshot::channel();
        let told = self
            .commands
            .try_send(NodeCommand::TestPhone(agent.clone(), reply));
        Box::pin(async move {
            told.map_err(|_| PhoneRefused::Busy)?;
            answered(answer).await?
        })
    }

    fn browser_address(&self) -> Option<SocketAddr> {
        self.bound.browsers
    }
}

impl ListenerLegs for Node {
    fn listen<'a>(
        &'a self,
        call: &CallId,
        listener: &UserId,
    ) -> Task<'a, Result<CallId, PhoneRefused>> {
        let (reply, answer) = oneshot::channel();
        let begin = |call| ListeningCommand::Begin(call, listener.clone(), reply);
        let told = self.tell(call, |call| NodeCommand::Listening(begin(call)));
        Box::pin(async move {
            told.map_err(refused)?;
            answered(answer).await?
        })
    }

    fn speak(&self, listening: &CallId, voice: Voice) -> Result<(), TelephonyError> {
        let speak = |id| NodeCommand::Listening(ListeningCommand::Speak(id, voice));
        self.tell(listening, speak)
    }

    fn end_listening(&self, listening: &CallId) -> Result<(), TelephonyError> {
        let end = |id| NodeCommand::Listening(ListeningCommand::End(id));
        self.tell(listening, end)
    }
}

impl Telephony for Node {
    fn route(
        &self,
        call: &CallId,
        target: RouteTarget,
        protection: ProtectionScope,
    ) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Route(call, target, protection))
    }

    fn wait(&self, call: &CallId, sound: Option<WaitingSound>) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Wait(call, sound))
    }

    fn stop_ringing(&self, call: &CallId) -> Result<(), TelephonyError> {
        self.tell(call, NodeCommand::StopRinging)
    }

    fn dial(&self, call: Dial) -> Result<(), TelephonyError> {
        let id = call.id.clone();
        // What is asked of it from now on comes after it in the queue.
        if !lock(&self.shared.calls).insert(id.clone()) {
            return Err(TelephonyError::Busy);
        }
        let told = self.commands.try_send(NodeCommand::Dial(Box::new(call)));
        told.map_err(|error| {
            lock(&self.shared.calls).remove(&id);
            not_told(&error)
        })
    }

    fn reject(&self, call: &CallId, status: u16) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Reject(call, status))
    }

    fn reject_closed(
        &self,
        call: &CallId,
        opens_in: Option<Duration>,
    ) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::RejectClosed(call, opens_in))
    }

    fn hang_up(&self, call: &CallId) -> Result<(), TelephonyError> {
        self.tell(call, NodeCommand::HangUp)
    }

    fn protect(&self, call: &CallId) -> Task<'_, Result<Protected, ProtectionRefused>> {
        let (reply, answer) = oneshot::channel();
        let told = self.tell(call, |call| NodeCommand::Protect(call, reply));
        let call = call.clone();
        Box::pin(async move {
            told.map_err(|error| ProtectionRefused {
                code: match error {
                    TelephonyError::NoCall => "no_call",
                    TelephonyError::Busy => "busy",
                },
            })?;
            match tokio::time::timeout(PROTECT_WAIT, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(ProtectionRefused { code: "no_call" }),
                Err(_) => {
                    let _gone_or_dropped_answer_unmasks = self.unprotect(&call);
                    Err(ProtectionRefused { code: "timeout" })
                }
            }
        })
    }

    fn unprotect(&self, call: &CallId) -> Result<(), TelephonyError> {
        self.tell(call, NodeCommand::Unprotect)
    }

    fn watch(&self, call: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Watch(call, on))
    }

    fn hear_agent(&self, call: &CallId, keys: Option<KeySender>) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::HearAgent(call, keys))
    }

    fn mute_consumer(&self, call: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Mute(call, on))
    }

    fn mute_agent(&self, call: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::MuteAgent(call, on))
    }

    fn hold(&self, call: &CallId, on: bool) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Hold(call, on))
    }

    fn send_key(&self, call: &CallId, key: Key) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::SendKey(call, key))
    }

    fn transfer(&self, call: &CallId, target: RouteTarget) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Transfer(call, target))
    }

    fn cancel_transfer(&self, call: &CallId) -> Result<(), TelephonyError> {
        self.tell(call, NodeCommand::CancelTransfer)
    }

    fn refer(&self, call: &CallId, answer: ReferralAnswer) -> Result<(), TelephonyError> {
        self.tell(call, |call| NodeCommand::Refer(call, answer))
    }

    fn registered(&self) -> Vec<String> {
        lock(&self.shared.registered).iter().cloned().collect()
    }

    fn set_phones(&self, phones: Vec<PhoneAccount>) {
        *lock(&self.shared.phones) = Some(phones);
        self.shared.phones_changed.notify_one();
    }
}
