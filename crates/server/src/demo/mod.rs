//! `tonewall demo`: everything on loopback, with a simulated consumer, agent phone and gateway.
//! Owns: ports, the order of start, what is printed.
//! Never: listens beyond this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simulator::{AgentPhone, GatewayPlan, PhoneWays, StagePlan};

use crate::config::{Config, Connections, FirstAdministrator, Sip, Trunk};
use crate::seed::{self, Demonstration};
use crate::wire::{Extras, Server, StartError};

mod child;
mod client;
mod once;
mod tap;

use child::SimulatorProcess;
use tap::Tap;

/// Loopback addresses of the players, so that none is taken for another.
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));
const CONSUMER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const AGENTS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// Digest realm of the demonstration's phones.
const REALM: &str = "tonewall";

/// Options of `tonewall demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoOptions {
    /// Play one card payment without a browser, print one JSON line, and exit 0 only if all is as it must be.
    #[arg(long)]
    once: bool,
    /// Port of the page; 0: any free one, and free ones for everything else too.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the server's SIP.
    #[arg(long, default_value_t = 5060)]
    sip_port: u16,
    /// Port of the simulator's page.
    #[arg(long, default_value_t = 8081)]
    simulator_port: u16,
    /// Port of the sandbox gateway.
    #[arg(long, default_value_t = 8443)]
    gateway_port: u16,
    /// Port of health and metrics.
    #[arg(long, default_value_t = 9090)]
    health_port: u16,
    /// Origin under which browsers reach the page, with a certificate for it: the page by HTTPS, as in a frame of another site.
    #[arg(long, requires = "certificate")]
    origin: Option<String>,
    /// PEM file with the certificate chain, leaf first.
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// PEM file with the certificate's private key.
    #[arg(long, requires = "origin")]
    key: Option<PathBuf>,
    /// Origin whose pages may show the page in a frame (docs/embedding.md).
    #[arg(long)]
    embed_in: Option<String>,
    /// Folder for the demonstration's data; a new one each time if none is given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Print where everything is as one JSON line, for programs.
    #[arg(long)]
    json: bool,
    /// Keep the masked audio of each call as WAV files in the data folder: what agent and recorder were given to hear.
    #[arg(long)]
    keep_audio: bool,
    /// The agent's phone answers after so many milliseconds: time to see it ring.
    #[arg(long, default_value_t = 2_000)]
    answer_after_ms: u64,
    /// Level of the server's log.
    #[arg(long, default_value = "warn")]
    log_level: String,
}

impl DemoOptions {
    fn chosen(&self, port: u16) -> u16 {
        if self.once || self.port == 0 { 0 } else { port }
    }

    /// The level at which the log starts.
    pub(crate) fn log_level(&self) -> &str {
        &self.log_level
    }
}

/// A demonstration that runs.
struct Demo {
    server: Server,
    simulator: SimulatorProcess,
    place: simulator::StagePlace,
    service_url: String,
    seeded: Demonstration,
    tap: Tap,
    data: DataFolder,
    /// Where browsers reach the page, if they were told.
    origin: Option<String>,
}

/// The data folder; one that was made for this run is removed with it.
struct DataFolder {
    path: PathBuf,
    temporary: bool,
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.temporary {
            let _left_behind = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs a demonstration. Yields whether all was as it must be.
pub(crate) async fn run(options: DemoOptions) -> Result<bool> {
    let demo = start(&options).await?;
    if options.once {
        let report = once::play(&demo).await;
        let Demo { server, .. } = demo;
        server.stop().await;
        let report = report?;
        crate::print_line(&serde_json::to_string(&report)?);
        return Ok(report.is_as_it_must_be());
    }
    announce(&demo, options.json);
    let Demo {
        server,
        mut simulator,
        data,
        ..
    } = demo;
    let stopped_by_itself = tokio::select! {
        result = crate::stop_signal() => { result?; false }
        () = simulator.ended() => true,
    };
    server.stop().await;
    drop(data);
    anyhow::ensure!(
        !stopped_by_itself,
        "the simulator ended by itself; its last words stand above"
    );
    Ok(true)
}

async fn start(options: &DemoOptions) -> Result<Demo> {
    let data = data_folder(options)?;
    let mut simulator = SimulatorProcess::start()?;
    let sandbox = SocketAddr::new(SERVER, options.chosen(options.gateway_port));
    let gateway = simulator
        .open_gateway(&GatewayPlan {
            data: data.path.join("simulator"),
            sandbox,
        })
        .await;
    let gateway =
        gateway.with_context(|| taken("the sandbox gateway", sandbox, "--gateway-port"))?;
    let tap = Tap::new(options.keep_audio.then(|| data.path.join("masked-audio")));
    let config = config(options, &data, &gateway);
    let extras = Extras {
        audio_sink: Some(Box::new(tap.clone())),
        keys_are_tests: true,
    };
    let server = match Server::start(&config, extras).await {
        Ok(server) => server,
        Err(error) => {
            let what = not_started(&config, &error);
            return Err(anyhow::Error::new(error).context(what));
        }
    };
    anyhow::ensure!(
        seed::is_empty(&*server.database).await?,
        "{} holds the data of an earlier demonstration, whose passwords were printed once; give another folder with --data",
        data.path.display()
    );
    let seeded = seed::demonstration(&*server.store, &gateway.service_url, REALM).await?;
    let control = SocketAddr::new(SERVER, options.chosen(options.simulator_port));
    let plan = StagePlan {
        server_sip: server.sip,
        realm: REALM.to_owned(),
        consumer: SocketAddr::new(CONSUMER, 0),
        agents_address: AGENTS,
        control,
        number: seed::DEMO_NUMBER.to_owned(),
        agents: vec![AgentPhone {
            user: seeded.phone.0.clone(),
            password: seeded.phone.1.clone(),
        }],
        answer_after_ms: if options.once {
            200
        } else {
            options.answer_after_ms
        },
        server_page: format!("http://{}", server.web),
        phones: PhoneWays::default(),
    };
    let place = simulator.set_stage(&plan).await;
    let place =
        place.with_context(|| taken("the simulator's page", control, "--simulator-port"))?;
    seed::calls_out(&*server.store, &seeded.service, place.consumer).await?;
    let service_url = gateway.service_url;
    Ok(Demo {
        server,
        simulator,
        place,
        service_url,
        seeded,
        tap,
        data,
        origin: options.origin.clone(),
    })
}

/// What does not start, and the option that may help.
fn not_started(config: &Config, error: &StartError) -> String {
    match error {
        StartError::Web(_) => taken("the page", config.web_listen, "--port"),
        StartError::Health(_) => taken("health", config.health_listen, "--health-port"),
        StartError::Voice(_) => taken("SIP", config.sip.listen, "--sip-port"),
        _ => "the server cannot start".to_owned(),
    }
}

fn taken(what: &str, address: SocketAddr, option: &str) -> String {
    format!(
        "{what} cannot use {address}; if the port is taken, choose another with {option}, or --port 0 for free ones"
    )
}

fn data_folder(options: &DemoOptions) -> Result<DataFolder> {
    let (path, temporary) = match &options.data {
        Some(path) => (path.clone(), false),
        None => (
            std::env::temp_dir().join(format!("tonewall-demo-{:016x}", rand::random::<u64>())),
            true,
        ),
    };
    std::fs::create_dir_all(&path)
        .with_context(|| format!("the folder {} cannot be made", path.display()))?;
    Ok(DataFolder { path, temporary })
}

fn config(options: &DemoOptions, data: &DataFolder, gateway: &simulator::GatewayPlace) -> Config {
    let at = |port: u16| SocketAddr::new(SERVER, options.chosen(port));
    let free = options.once || options.port == 0;
    Config {
        node: "demo".to_owned(),
        data: data.path.clone(),
        web_listen: at(options.port),
        web_origin: options.origin.clone(),
        web_tls: tls(options),
        idle_lock: Duration::from_secs(900),
        frame_hosts: Vec::new(),
        embedding: options.embed_in.clone().into_iter().collect(),
        // Its users are made up and live on loopback; the start's log says so.
        second_factor: false,
        first_administrator: FirstAdministrator::Password,
        health_listen: at(options.health_port),
        sip: Sip {
            listen: at(options.sip_port),
            udp: true,
            tcp: true,
            advertised: None,
            tls: None,
            dns: Vec::new(),
        },
        realm: REALM.to_owned(),
        digest: voice::DigestPolicy::Both,
        phone_codecs: voice::Codec::USUAL.to_vec(),
        ring_time: Duration::from_secs(30),
        next_place_after: Duration::from_secs(4),
        calls_per_second: 500,
        phones_srtp: voice::SrtpRule::default(),
        media_address: SERVER,
        media_advertised: None,
        browser_port: None,
        media_ports: if free {
            free_media_ports()
        } else {
            10_000..=19_999
        },
        media_threads: 1,
        store_url: None,
        key_file: None,
        recordings: Some(data.path.join("recordings")),
        external_recorders: Vec::new(),
        allowed_hosts: vec![gateway.host.clone()],
        ca_file: Some(gateway.ca_file.clone()),
        connections: Connections::default(),
        slots: 64,
        log_level: options.log_level.clone(),
        log_json: false,
        trunks: vec![Trunk {
            name: "simulated carrier".to_owned(),
            addresses: vec![CONSUMER],
            media_source: voice::MediaSource::Signalled,
            info_digits: true,
            srtp: voice::SrtpRule::default(),
            codecs: voice::Codec::USUAL.to_vec(),
            tls_name: None,
            account: None,
            places: Vec::new(),
            probe: None,
            rules: crate::config::TrunkRules::default(),
        }],
    }
}

fn tls(options: &DemoOptions) -> Option<web::TlsFiles> {
    Some(web::TlsFiles {
        certificate: options.certificate.clone()?,
        key: options.key.clone()?,
    })
}

/// 200 ports somewhere below the system's own range, so that two demonstrations rarely meet; a taken port is passed over.
fn free_media_ports() -> std::ops::RangeInclusive<u16> {
    let first = 10_000 + rand::random_range(0..100_u16) * 200;
    first..=first + 199
}

fn announce(demo: &Demo, json: bool) {
    let page = (demo.origin.clone()).unwrap_or_else(|| format!("http://{}", demo.server.web));
    let control = format!("http://{}/simulator", demo.place.control);
    if json {
        let line = json!({
            "page": page,
            "web": demo.server.web.to_string(),
            "simulator": format!("http://{}", demo.place.control),
            "health": format!("http://{}", demo.server.health),
            "sip": demo.server.sip,
            "gateway": demo.service_url,
            "data": demo.data.path,
            "server_pid": std::process::id(),
            "simulator_pid": demo.simulator.id(),
            "passwords": demo.seeded.passwords,
        });
        crate::print_line(&line.to_string());
        return;
    }
    crate::print_line(&format!(
        "\n  Page        {page}\n  Simulator   {control}\n"
    ));
    crate::print_line(
        "  Users and passwords, printed this once (no second factor here: a server of yours asks for it):\n",
    );
    for (name, password) in &demo.seeded.passwords {
        crate::print_line(&format!("    {name:<12} {password}"));
    }
    crate::print_line(&format!(
        "\n  1. Log in as agent.  2. On the simulator's page press Call.  3. Choose Credit card.\n  Data: {}  -  stop with Ctrl+C\n",
        demo.data.path.display()
    ));
}
