//! Everything around a server for a demonstration: a consumer, agent phones, a gateway, and their control.
//! Owns: their start and what they tell the one who started them.
//! Never: runs in the server's process.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secret::SecretText;
use serde::{Deserialize, Serialize};

use crate::control::{self, PageSource, Stage};
use crate::phone::{Phone, PhoneConfig};
use crate::sandbox::{Sandbox, SandboxConfig, SandboxError};

/// An agent's phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPhone {
    /// User part and digest user.
    pub user: String,
    /// Its digest password.
    pub password: String,
}

/// What a simulation is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulationConfig {
    /// Folder of the sandbox's files.
    pub data: PathBuf,
    /// The server's SIP address.
    pub server_sip: SocketAddr,
    /// Realm of the agent phones.
    pub realm: String,
    /// Where the phones are bound: a loopback address.
    pub address: IpAddr,
    /// Where the consumer's phone is bound.
    pub consumer: SocketAddr,
    /// Where the control listens.
    pub control: SocketAddr,
    /// Where the sandbox gateway listens.
    pub sandbox: SocketAddr,
    /// The number that the consumer dials.
    pub number: String,
    /// Agent phones; each answers after 2 s.
    pub agents: Vec<AgentPhone>,
    /// The server's page, to link to.
    pub server_page: String,
}

/// What a started simulation says of itself, as one JSON line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The control's address.
    pub control: SocketAddr,
    /// The gateway's Service URL.
    pub service_url: String,
    /// The gateway's entry for a list of approved hosts.
    pub gateway_host: String,
    /// PEM file of the gateway's certificate authority.
    pub ca_file: PathBuf,
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

/// A running simulation.
pub struct Simulation {
    started: Started,
    _control: tokio::task::JoinHandle<()>,
}

impl Simulation {
    /// Starts everything.
    ///
    /// # Errors
    /// An address is taken or foreign, or the folder cannot be used.
    pub async fn start(
        config: SimulationConfig,
        page: PageSource,
    ) -> Result<Self, SimulationError> {
        for address in [config.consumer, config.control, config.sandbox] {
            if !address.ip().is_loopback() {
                return Err(SimulationError::ConfigNotLoopback(address));
            }
        }
        let sandbox = SandboxConfig {
            address: config.sandbox,
            folder: config.data.clone(),
            credentials: None,
        };
        let sandbox = Sandbox::start(sandbox).await?;
        let consumer = start_phone(consumer_config(&config))?;
        let mut agents = Vec::with_capacity(config.agents.len());
        for agent in &config.agents {
            agents.push((
                agent.user.clone(),
                start_phone(agent_config(&config, agent))?,
            ));
        }
        let mut started = Started {
            control: config.control,
            service_url: sandbox.service_url(),
            gateway_host: sandbox.host(),
            ca_file: sandbox.ca_file().to_owned(),
            consumer: consumer.local(),
        };
        let (number, server_page) = (config.number, config.server_page);
        let stage = Arc::new(Stage {
            consumer,
            agents,
            sandbox,
            number,
            page,
            server_page,
        });
        let listen = |source| SimulationError::Listen {
            address: config.control,
            source,
        };
        let (control, serving) = control::serve(config.control, stage)
            .await
            .map_err(listen)?;
        started.control = control;
        Ok(Self {
            started,
            _control: serving,
        })
    }

    /// Where everything is.
    #[must_use]
    pub fn started(&self) -> &Started {
        &self.started
    }
}

fn start_phone(config: PhoneConfig) -> Result<Phone, SimulationError> {
    let address = config.local;
    Phone::start(config).map_err(|source| SimulationError::Listen { address, source })
}

fn consumer_config(config: &SimulationConfig) -> PhoneConfig {
    PhoneConfig {
        user: "15550100199".to_owned(),
        display: "Jane Roe".to_owned(),
        local: config.consumer,
        server: config.server_sip,
        account: None,
        answers_after: None,
        voice: Some((7, 190.0)),
    }
}

fn agent_config(config: &SimulationConfig, agent: &AgentPhone) -> PhoneConfig {
    PhoneConfig {
        user: agent.user.clone(),
        display: agent.user.clone(),
        local: SocketAddr::new(config.address, 0),
        server: config.server_sip,
        account: Some((
            config.realm.clone(),
            SecretText::new(agent.password.clone()),
        )),
        answers_after: Some(Duration::from_secs(2)),
        voice: Some((11, 115.0)),
    }
}
