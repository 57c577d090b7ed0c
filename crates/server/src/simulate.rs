//! `tonewall simulate`: the simulator's own process.
//! Owns: what it is told, by the server's file and options or by two orders on stdin, and what it answers.
//! Never: opens the server's data.

use std::io::{self, BufRead, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use serde::de::DeserializeOwned;
use simulator::{AgentPhone, GatewayPlan, PhoneWays, Simulation, StagePlan};

use crate::config::Config;
use crate::page;

/// Where the simulator's own places and the agent's phone are bound.
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const AGENTS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// Holds the password of the agent's phone, so that no list of processes shows it.
const PASSWORD: &str = "TONEWALL_PHONE_PASSWORD";

/// Options of `tonewall simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateOptions {
    /// The server's file: phones and a sandbox gateway beside the server that runs by it. Without: orders in JSON on stdin.
    #[arg(long, requires = "number", requires = "phone")]
    config: Option<PathBuf>,
    /// The number that the consumer dials: one of a service's.
    #[arg(long, requires = "config")]
    number: Option<String>,
    /// Name under which the agent's phone registers. Its password is taken from TONEWALL_PHONE_PASSWORD.
    #[arg(long, requires = "config")]
    phone: Option<String>,
    /// Port of the simulator's page.
    #[arg(long, default_value_t = 8081)]
    simulator_port: u16,
    /// Port of the sandbox gateway.
    #[arg(long, default_value_t = 8443)]
    gateway_port: u16,
    /// The agent's phone answers after so many milliseconds.
    #[arg(long, default_value_t = 2_000)]
    answer_after_ms: u64,
}

/// Runs beside a server, or by orders.
pub(crate) async fn run(options: SimulateOptions) -> Result<()> {
    match &options.config {
        Some(file) => beside(&options, &crate::load(file)?).await,
        None => by_orders().await,
    }
}

/// Runs until it is told to end.
async fn beside(options: &SimulateOptions, config: &Config) -> Result<()> {
    let consumer = config
        .trunks
        .first()
        .and_then(|trunk| trunk.addresses.first());
    let consumer = consumer.context(
        "the file has no [[trunk]]; the simulated consumer calls from the first address of the first one, for instance 127.0.0.2",
    )?;
    let phones = PhoneWays {
        tcp: !config.sip.udp,
        ..PhoneWays::default()
    };
    if !config.sip.udp && !config.sip.tcp {
        bail!(
            "simulated phones beside a server of yours speak UDP or TCP, and the file has sip.udp and sip.tcp off"
        );
    }
    let password = std::env::var(PASSWORD)
        .with_context(|| format!("{PASSWORD} holds no password for the agent's phone"))?;
    let simulation = Simulation::open(GatewayPlan {
        data: config.data.join("simulator"),
        sandbox: SocketAddr::new(LOOPBACK, options.gateway_port),
    })
    .await?;
    let gateway = simulation.gateway();
    let mut server_sip = config.sip.listen;
    if server_sip.ip().is_unspecified() {
        server_sip.set_ip(LOOPBACK);
    }
    let plan = StagePlan {
        server_sip,
        realm: config.realm.clone(),
        consumer: SocketAddr::new(*consumer, 0),
        agents_address: AGENTS,
        control: SocketAddr::new(LOOPBACK, options.simulator_port),
        number: options.number.clone().unwrap_or_default(),
        agents: vec![AgentPhone {
            user: options.phone.clone().unwrap_or_default(),
            password,
        }],
        answer_after_ms: options.answer_after_ms,
        server_page: config
            .web_origin
            .clone()
            .unwrap_or_else(|| format!("http://{}", config.web_listen)),
        phones,
    };
    let stage = simulation.set_stage(plan, page::source()).await?;
    crate::print_line(&format!(
        "Simulated telephone: http://{}/simulator\n\
         Sandbox gateway: {}\n  It takes a payment once the server's file has, below [gateway]:\n  \
         allowed_hosts = [\"{}\"]\n  ca_file = {:?}",
        stage.place().control,
        gateway.service_url,
        gateway.host,
        gateway.ca_file
    ));
    crate::stop_signal().await
}

/// Runs until stdin ends.
async fn by_orders() -> Result<()> {
    let plan: GatewayPlan = read_line("what the gateway needs").await?;
    let simulation = Simulation::open(plan).await?;
    answer(&simulation.gateway())?;
    let plan: StagePlan = read_line("what the stage needs").await?;
    let stage = simulation.set_stage(plan, page::source()).await?;
    answer(stage.place())?;
    tokio::task::spawn_blocking(|| {
        let mut rest = String::new();
        while io::stdin()
            .lock()
            .read_line(&mut rest)
            .is_ok_and(|read| read > 0)
        {
            rest.clear();
        }
    })
    .await?;
    Ok(())
}

async fn read_line<T: DeserializeOwned + Send + 'static>(what: &'static str) -> Result<T> {
    tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            bail!("stdin ended before {what}; write one line of JSON, or use: tonewall demo");
        }
        serde_json::from_str(&line).with_context(|| format!("{what} cannot be read"))
    })
    .await?
}

fn answer(place: &impl Serialize) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(place)?)?;
    out.flush()?;
    Ok(())
}
