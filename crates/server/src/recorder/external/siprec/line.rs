//! The way to the task that signals with recorders.
//! Owns: what it is asked, and the gates that close before it is.
//! Never: makes a call wait.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::id::CallId;
use domain::recording::RecorderWord;
use domain::time::WallClock;
use sip::siprec::{Communication, CommunicationIds, Mode, Participant};
use sip::{Credentials, Host, Interface, Stack, StackConfig, Transport, Uri};
use tokio::sync::{mpsc, oneshot};
use voice::rtp_socket::RtpPorts;

use super::SiprecTarget;
use super::gates::{Gates, SiprecEar};
use super::held::{Held, Key, RecordedCall};
use super::task::Task;
use super::transport::Transports;

/// Commands that may wait for the task: several of every call that a node carries.
const COMMANDS_MAX: usize = 4_096;
/// A recorder that does not answer an invitation in so long has failed, and the next of its list is asked.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Where recording sessions come from, as recorders see it.
#[derive(Debug, Clone)]
pub(crate) struct SiprecPlace {
    pub(crate) node: String,
    pub(crate) epoch: u32,
    /// Where signalling is bound, on a port that the system chooses.
    pub(crate) sip_address: IpAddr,
    /// As recorders reach it.
    pub(crate) sip_advertised: IpAddr,
    /// Put into session descriptions.
    pub(crate) media_advertised: IpAddr,
    /// Shared with calls.
    pub(crate) ports: RtpPorts,
}

/// It cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SiprecError {
    #[error("binding a port for signalling with recorders")]
    ConfigAddress(#[source] io::Error),
    #[error("an advertised address is needed where the bound one is unspecified")]
    ConfigAdvertised,
}

/// What it did since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SiprecCounts {
    /// Sessions now.
    pub(crate) sessions: usize,
    /// Recorders that failed in a session: refused it, did not answer, or ended it.
    pub(crate) failed: u64,
    /// Packets that found no room in the kernel.
    pub(crate) dropped: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sessions: AtomicUsize,
    pub(super) failed: AtomicU64,
}

pub(super) enum LineCommand {
    Begin(Box<(Key, Held)>),
    Resolved(Key, Arc<[Option<SocketAddr>]>),
    Want(Key, Mode, oneshot::Sender<RecorderWord>),
    State(Key, oneshot::Sender<RecorderWord>),
    End(CallId),
    Stop(oneshot::Sender<()>),
}

/// The way to the task.
#[derive(Clone)]
pub(crate) struct SiprecLine {
    pub(super) commands: mpsc::Sender<LineCommand>,
    pub(super) gates: Arc<Gates>,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: Arc<dyn WallClock>,
    host: IpAddr,
}

impl SiprecLine {
    /// Binds and starts the task.
    ///
    /// # Errors
    /// What the configuration or the system does not allow.
    pub(crate) async fn start(
        place: SiprecPlace,
        clock: Arc<dyn WallClock>,
    ) -> Result<Self, SiprecError> {
        if place.sip_advertised.is_unspecified() || place.media_advertised.is_unspecified() {
            return Err(SiprecError::ConfigAdvertised);
        }
        let transports = Transports::bind(place.sip_address).await;
        let transports = transports.map_err(SiprecError::ConfigAddress)?;
        let advertised = SocketAddr::new(place.sip_advertised, transports.udp.local().port());
        let mut config = StackConfig::new(&place.node, place.epoch, rand::random(), advertised);
        config.further = vec![Interface {
            transport: Transport::Tcp,
            advertised,
        }];
        config.limits.ring_max = ANSWER_MAX;
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (gates, counters) = (Arc::new(Gates::new()), Arc::<Counters>::default());
        let line = Self {
            commands,
            gates,
            counters,
            clock,
            host: place.sip_advertised,
        };
        let stack = Stack::new(config, Instant::now());
        let task = Task::new(&line, (stack, transports, place));
        tokio::spawn(task.run(queue));
        Ok(line)
    }

    /// What hears calls for it.
    pub(crate) fn ear(&self) -> SiprecEar {
        SiprecEar(self.gates.clone())
    }

    pub(crate) fn counts(&self) -> SiprecCounts {
        SiprecCounts {
            sessions: self.counters.sessions.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            dropped: self.gates.dropped.load(Ordering::Relaxed),
        }
    }

    /// Begins a session, with the first recorder of a list that takes it.
    pub(super) fn begin(
        &self,
        recorder: &str,
        targets: &[SiprecTarget],
        credentials: Option<&Credentials>,
        call: RecordedCall,
    ) {
        let aor = |user: &str, unknown: &str| {
            let user = if user.is_empty() { unknown } else { user };
            Uri::sip(Some(user), Host::Ip(self.host), None)
        };
        let (agent, agent_name) = call.agent.unwrap_or_default();
        let participants = [
            Participant {
                aor: aor(&call.caller, "anonymous"),
                name: call.caller,
            },
            Participant {
                aor: aor(&agent, "agent"),
                name: agent_name,
            },
        ];
        let communication = Communication {
            ids: CommunicationIds::from_random(rand::random()),
            began: self.clock.now().iso_text(),
            participants,
        };
        let key = Key {
            call: call.id,
            recorder: recorder.to_owned(),
        };
        let held = Held::new(targets.to_vec(), credentials.cloned(), communication);
        self.tell(LineCommand::Begin(Box::new((key, held))));
    }

    /// Nothing of the call is recorded any more.
    pub(crate) fn end(&self, call: &CallId) {
        self.tell(LineCommand::End(call.clone()));
    }

    /// Asks a recorder for this. A pause stops what it is sent before this waits for anything.
    pub(super) async fn want(&self, call: &CallId, recorder: &str, mode: Mode) -> RecorderWord {
        if mode == Mode::Paused {
            self.gates.close(call, recorder);
        }
        let key = key(call, recorder);
        self.word(|reply| LineCommand::Want(key, mode, reply)).await
    }

    pub(super) async fn state(&self, call: &CallId, recorder: &str) -> RecorderWord {
        let key = key(call, recorder);
        self.word(|reply| LineCommand::State(key, reply)).await
    }

    pub(super) async fn caught_up(&self) -> bool {
        self.gates.caught_up().await
    }

    /// Once no call runs: ends what is left.
    pub(crate) async fn stop(&self) {
        let (done, ended) = oneshot::channel();
        if self.commands.send(LineCommand::Stop(done)).await.is_ok() {
            let _ended = ended.await;
        }
    }

    async fn word(
        &self,
        command: impl FnOnce(oneshot::Sender<RecorderWord>) -> LineCommand,
    ) -> RecorderWord {
        let (reply, word) = oneshot::channel();
        if self.commands.send(command(reply)).await.is_err() {
            return RecorderWord::Nothing;
        }
        word.await.unwrap_or(RecorderWord::Nothing)
    }

    /// A queue that is full is waited for elsewhere.
    fn tell(&self, command: LineCommand) {
        if let Err(mpsc::error::TrySendError::Full(command)) = self.commands.try_send(command) {
            let commands = self.commands.clone();
            tokio::spawn(async move { commands.send(command).await });
        }
    }
}

fn key(call: &CallId, recorder: &str) -> Key {
    Key {
        call: call.clone(),
        recorder: recorder.to_owned(),
    }
}
