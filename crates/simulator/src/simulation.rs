//! Everything around a server for a demonstration: a consumer, agent phones, a gateway, and their control.
//! Owns: their start and what they tell the one who started them.
//! Never: runs in the server's process.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secret::SecretText;
use serde::{Deserialize, Serialize};
use voice::transport::{BindError, TlsConfig};

use crate::control::{self, PageSource, Stage};
use crate::phone::{AGENT_VOICE, CONSUMER_VOICE, Phone, PhoneConfig, SipOver};
use crate::sandbox::{Sandbox, SandboxConfig, SandboxError};

/// Time between two looks whether certificates of phones have changed.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(10);

/// An agent's phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPhone {
    /// User part and digest user.
    pub user: String,
    /// Its digest password.
    pub password: String,
}

/// What a simulation is told first: the server needs the gateway's certificate before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayPlan {
    /// Folder of the sandbox's files.
    pub data: PathBuf,
    /// Where the sandbox gateway listens.
    pub sandbox: SocketAddr,
}

/// Where the gateway is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayPlace {
    /// Its Service URL.
    pub service_url: String,
    /// Its entry for a list of approved hosts.
    pub host: String,
    /// PEM file of its certificate authority.
    pub ca_file: PathBuf,
}

/// What a simulation is told once the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagePlan {
    /// The server's SIP address.
    pub server_sip: SocketAddr,
    /// Realm of the agent phones.
    pub realm: String,
    /// Where the consumer's phone is bound.
    pub consumer: SocketAddr,
    /// Where agent phones are bound, each on a port of its own.
    pub agents_address: IpAddr,
    /// Where the control listens.
    pub control: SocketAddr,
    /// The number that the consumer dials.
    pub number: String,
    /// Agent phones.
    pub agents: Vec<AgentPhone>,
    /// Agent phones answer after so many milliseconds.
    pub answer_after_ms: u64,
    /// The server's page, to link to.
    pub server_page: String,
    /// How phones and server talk.
    #[serde(default)]
    pub phones: PhoneWays,
}

/// How phones and server talk; by default by UDP and in clear.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneWays {
    /// SIP by TCP.
    pub tcp: bool,
    /// SIP inside TLS, with these files.
    pub tls: Option<PhoneFiles>,
    /// Media is secured by SRTP; phones take nothing in clear.
    pub srtp: bool,
}

/// Files of phones that speak TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneFiles {
    /// PEM: who signs for the server.
    pub roots: PathBuf,
    /// What the consumer's phone shows.
    pub consumer: Shown,
    /// What agent phones show.
    pub agents: Shown,
}

/// A certificate that is shown, and its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// PEM: the chain, leaf first.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

impl PhoneWays {
    fn over(&self, shown: impl Fn(&PhoneFiles) -> &Shown) -> SipOver {
        match &self.tls {
            Some(files) => SipOver::Tls(TlsConfig {
                certificate: shown(files).certificate.clone(),
                key: shown(files).key.clone(),
                roots: Some(files.roots.clone()),
                peers: Vec::new(),
                look: CERTIFICATE_LOOK,
            }),
            None if self.tcp => SipOver::Tcp,
            None => SipOver::Udp,
        }
    }
}

/// Where phones and control are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagePlace {
    /// The control's address.
    pub control: SocketAddr,
    /// Where the consumer's phone is bound.
    pub consumer: SocketAddr,
}

/// Why a simulation did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// It plays on this machine only.
    #[error("the simulator binds loopback addresses only, not {0}")]
    ConfigNotLoopback(SocketAddr),
    /// The gateway.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A phone's own address, or its files.
    #[error("a simulated phone cannot start")]
    Phone(#[from] BindError),
    /// A port.
    #[error("the simulator cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A simulation whose gateway runs.
pub struct Simulation {
    sandbox: Sandbox,
}

/// A running stage: it ends when it is dropped.
pub struct RunningStage {
    place: StagePlace,
    control: tokio::task::JoinHandle<()>,
}

impl RunningStage {
    /// Where everything is.
    #[must_use]
    pub fn place(&self) -> &StagePlace {
        &self.place
    }
}

impl Drop for RunningStage {
    fn drop(&mut self) {
        self.control.abort();
    }
}

impl Simulation {
    /// Starts the gateway.
    ///
    /// # Errors
    /// Its address is taken or foreign, or the folder cannot be used.
    pub async fn open(plan: GatewayPlan) -> Result<Self, SimulationError> {
        let config = SandboxConfig {
            address: plan.sandbox,
            folder: plan.data,
            credentials: None,
        };
        Ok(Self {
            sandbox: Sandbox::start(config).await?,
        })
    }

    /// Where the gateway is.
    #[must_use]
    pub fn gateway(&self) -> GatewayPlace {
        GatewayPlace {
            service_url: self.sandbox.service_url(),
            host: self.sandbox.host(),
            ca_file: self.sandbox.ca_file().to_owned(),
        }
    }

    /// Starts the phones and their control.
    ///
    /// # Errors
    /// An address is taken or foreign.
    pub async fn set_stage(
        self,
        plan: StagePlan,
        page: PageSource,
    ) -> Result<RunningStage, SimulationError> {
        for address in [
            plan.consumer,
            plan.control,
            SocketAddr::new(plan.agents_address, 0),
        ] {
            if !address.ip().is_loopback() {
                return Err(SimulationError::ConfigNotLoopback(address));
            }
        }
        let consumer = Phone::start(consumer_config(&plan))?;
        let mut agents = Vec::with_capacity(plan.agents.len());
        for agent in &plan.agents {
            agents.push((
                agent.user.clone(),
                Phone::start(agent_config(&plan, agent))?,
            ));
        }
        let consumer_at = consumer.local();
        let (number, server_page) = (plan.number, plan.server_page);
        let stage = Arc::new(Stage {
            consumer,
            agents,
            sandbox: self.sandbox,
            number,
            page,
            server_page,
        });
        let listen = |source| SimulationError::Listen {
            address: plan.control,
            source,
        };
        let (address, control) = control::serve(plan.control, stage).await.map_err(listen)?;
        Ok(RunningStage {
            place: StagePlace {
                control: address,
                consumer: consumer_at,
            },
            control,
        })
    }
}

fn consumer_config(config: &StagePlan) -> PhoneConfig {
    PhoneConfig {
        user: "15550100199".to_owned(),
        display: "Jane Roe".to_owned(),
        local: config.consumer,
        server: config.server_sip,
        over: config.phones.over(|files| &files.consumer),
        srtp: config.phones.srtp,
        account: None,
        answers_after: None,
        voice: Some(CONSUMER_VOICE),
    }
}

fn agent_config(config: &StagePlan, agent: &AgentPhone) -> PhoneConfig {
    PhoneConfig {
        user: agent.user.clone(),
        display: agent.user.clone(),
        local: SocketAddr::new(config.agents_address, 0),
        server: config.server_sip,
        over: config.phones.over(|files| &files.agents),
        srtp: config.phones.srtp,
        account: Some((
            config.realm.clone(),
            SecretText::new(agent.password.clone()),
        )),
        answers_after: Some(Duration::from_millis(config.answer_after_ms)),
        voice: Some(AGENT_VOICE),
    }
}
