//! The rooms put together.
//! Owns: the order of start and stop.
//! Never: decides anything that a room decides.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use calls::configuration::{Configuration, Readers, Snapshot, WatchedStore};
use calls::{Asking, Calls, Deps, close_open_attempts, close_open_follow_ups};
use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{
    Audience, Audited, Bus, Change, LiveEvent, PaymentGateway, PhoneAccount, Recorders,
    RecordingFiles, ScreenDesk, Store, StoreError, Telephony,
};
use domain::id::CallId;
use domain::service::{RecordWhen, ScreenWhen, Service};
use domain::time::WallClock;
use gateway::HttpsGateway;
use secret::Arena;
use store::{Database, EnvelopeKeySource, KeyFile, StoreConfig};
use thiserror::Error;
use tokio::task::JoinHandle;
use voice::rtp_socket::RtpPorts;
use voice::transport::{TlsConfig, TlsPeer};
use voice::{AudioSink, BrowserPorts, Node, NodeConfig, Speaker};

use crate::clock::SystemClock;
use crate::config::{self, Config, RecorderKind};
use crate::gateway_files;
use crate::hardening;
use crate::metrics::Numbers;
use crate::recorder::{AllRecorders, External, Recorder, SiprecLine, SiprecPlace, Work};
use crate::trunks;

/// A stop waits this long for charges on their way: their longest Read Timeout.
const DRAIN_MAX: Duration = Duration::from_secs(125);

/// Time between two looks whether certificates of SIP have changed.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(10);

/// Why a server does not start. Each names what to change.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("node.data: the folder {} cannot be used", path.display())]
    ConfigData {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("capture.slots")]
    ConfigSlots(#[from] secret::ArenaError),
    /// What to do about it.
    #[error("{0}")]
    Swap(String),
    #[error("store.key_file")]
    ConfigKeyFile(#[from] store::KeyFileError),
    #[error("store.url")]
    Store(#[from] StoreError),
    #[error("{setting}")]
    ConfigGatewayFile {
        setting: String,
        #[source]
        source: Box<gateway::FileError>,
    },
    /// The trunk, and whose key it is.
    #[error("password_file of the trunk {trunk}")]
    ConfigTrunkFile {
        trunk: String,
        #[source]
        source: Box<gateway::FileError>,
    },
    #[error("{setting}")]
    ConfigProxy {
        setting: String,
        #[source]
        source: gateway::ProxyError,
    },
    #[error("{setting}")]
    ConfigRecorder {
        setting: String,
        #[source]
        source: gateway::HookError,
    },
    #[error("{setting}")]
    ConfigAsterisk {
        setting: String,
        #[source]
        source: crate::recorder::AsteriskError,
    },
    #[error("{setting}")]
    ConfigFreeSwitch {
        setting: String,
        #[source]
        source: crate::recorder::FreeSwitchError,
    },
    #[error("media.ports")]
    ConfigPorts(#[from] voice::rtp_socket::RtpPortsError),
    #[error("sip.listen or media, for recorders that take recording sessions")]
    RecordingSessions(#[from] crate::recorder::SiprecError),
    #[error("recorders that were left paused")]
    PausedRecorders(#[from] crate::recorder::JournalError),
    #[error("gateway")]
    Gateway(#[from] gateway::SetupError),
    #[error("recordings.directory")]
    Recordings(#[from] crate::recorder::StartError),
    #[error("sip or media")]
    Voice(#[from] voice::NodeError),
    #[error("web.listen")]
    Web(#[source] web::ServeError),
    #[error("health.listen")]
    Health(#[source] web::ServeError),
}

/// A running server.
pub(crate) struct Server {
    pub(crate) web: SocketAddr,
    pub(crate) sip: SocketAddr,
    pub(crate) health: SocketAddr,
    pub(crate) store: Arc<WatchedStore>,
    pub(crate) database: Arc<Database>,
    calls: Calls,
    node: Arc<Node>,
    asking: JoinHandle<()>,
    recorder: Option<(Recorder, Work)>,
    external: External,
    running_web: web::Running,
    running_health: web::health::Health,
}

/// What only a demonstration gives a server.
#[derive(Default)]
pub(crate) struct Extras {
    /// Where masked audio goes.
    pub(crate) audio_sink: Option<Box<dyn AudioSink>>,
    /// Only published test cards are keyed: an arena that may be swapped is told of, and is no reason not to start.
    pub(crate) keys_are_tests: bool,
}

/// What recorders leave for the telephone side: who hears calls, and the ports that both take.
struct Heard {
    extras: Extras,
    ports: RtpPorts,
}

/// Two who hear the same.
struct Both(Box<dyn AudioSink>, Box<dyn AudioSink>);

impl AudioSink for Both {
    fn frames(&mut self, call: &CallId, from: Speaker, position: u64, samples: &[i16]) {
        self.0.frames(call, from, position, samples);
        self.1.frames(call, from, position, samples);
    }

    fn masked(&mut self, call: &CallId, position: u64, holds: bool) {
        self.0.masked(call, position, holds);
        self.1.masked(call, position, holds);
    }

    fn ended(&mut self, call: &CallId) {
        self.0.ended(call);
        self.1.ended(call);
    }

    fn caught_up(&mut self) {
        self.0.caught_up();
        self.1.caught_up();
    }
}

impl Extras {
    /// Masked audio goes to recorders too, where there are any.
    fn heard_by(self, recorder: Option<&(Recorder, Work)>, external: &External) -> Self {
        let own = recorder.map(|(recorder, _)| -> Box<dyn AudioSink> { Box::new(recorder.ear()) });
        let ears = [external.ear(), own].into_iter().flatten();
        let audio_sink = ears.fold(self.audio_sink, |heard, ear| match heard {
            Some(other) => Some(Box::new(Both(ear, other))),
            None => Some(ear),
        });
        Self { audio_sink, ..self }
    }
}

impl Server {
    /// Starts every room, ground floor first.
    ///
    /// # Errors
    /// The first room that cannot start, by the setting that it hangs on.
    pub(crate) async fn start(config: &Config, extras: Extras) -> Result<Self, StartError> {
        let clock: Arc<dyn WallClock> = Arc::new(SystemClock);
        let arena = locked_arena(config, extras.keys_are_tests)?;
        let database = Arc::new(open_store(config).await?);
        let configuration = load(&database, &*clock).await?;
        let hub = web::events::Hub::new();
        let (gateway, trials) = gateway(config, &arena, &hub)?;
        let started = start_recorders((config, extras), &database, &clock, &configuration, &hub);
        let (recorder, external, heard) = started.await?;
        let calls = Calls::new(Deps {
            store: of_calls(&database),
            desktops: database.clone(),
            configuration: configuration.clone(),
            gateway: gateway.clone(),
            recorders: recorders(recorder.as_ref(), &external),
            bus: hub.clone(),
            clock: clock.clone(),
            arena: arena.clone(),
        });
        let node = start_node(config, &arena, &database, heard, &calls)?;
        tell_configured(&node, &*gateway, &configuration.current());
        let asking = ask_gateways(&database, &configuration, &gateway, &clock);
        let store = watched(&database, &configuration, &calls, &node, &hub, &gateway);
        record_start(&*database, &*clock, config, database.epoch()).await?;
        let deps = web::Deps {
            desk: Arc::new(calls.clone()),
            phones: Arc::new(calls.clone()),
            store: store.clone(),
            users: database.clone(),
            desktops: database.clone(),
            designs: database.clone(),
            services: database.clone(),
            gateway,
            trials,
            payments: database.clone(),
            payment_desk: Arc::new(calls.clone()),
            recordings: database.clone(),
            recording_files: files(recorder.as_ref()),
            screens: screens(recorder.as_ref()),
            audit: database.clone(),
            evidence: database.clone(),
            clock,
            hub,
            hooks: Arc::new(web::NoHooks),
        };
        let running_web = serve_web(config, deps).await?;
        let numbers = Numbers {
            node: node.clone(),
            calls: calls.clone(),
            arena,
            database: database.clone(),
            recorder: recorder.as_ref().map(|own| own.0.clone()),
            external: external.share(),
        };
        let running_health = serve_health(config, numbers).await?;
        Ok(Self {
            web: running_web.local_addr,
            sip: node.sip_address(),
            health: running_health.local_addr,
            store,
            database,
            calls,
            node,
            asking,
            recorder,
            external,
            running_web,
            running_health,
        })
    }

    /// The link that makes the first administrator, once; none if the system has no random numbers.
    pub(crate) fn set_up_link(&self, config: &Config) -> Option<String> {
        let token = self.running_web.open_set_up()?;
        let scheme = config.web_tls.as_ref().map_or("http", |_| "https");
        let here = || format!("{scheme}://{}", self.web);
        let origin = config.web_origin.clone().unwrap_or_else(here);
        // Browsers do not send what stands behind '#', so that no log of a proxy keeps it.
        Some(format!("{origin}/set-up#{token}"))
    }

    /// Stops: no new calls, running ones end, charges on their way finish.
    pub(crate) async fn stop(self) {
        self.asking.abort();
        self.node.shutdown().await;
        self.calls.drain(DRAIN_MAX).await;
        self.external.stop().await;
        if let Some((recorder, work)) = self.recorder {
            recorder.stop(work).await;
        }
        self.running_web.shutdown().await;
        self.running_health.shutdown().await;
    }
}

/// A service may want to be recorded by a server that has no folder for it.
fn warn_of_unrecorded(config: &Config, services: &[Arc<Service>]) {
    let wants = |service: &&Arc<Service>| {
        service.call_recording.when != RecordWhen::Never
            || service.screen_recording.when == ScreenWhen::Always
    };
    if config.recordings.is_none() {
        for service in services.iter().filter(wants) {
            tracing::warn!(service = %service.id, "calls or screens of this service are to be recorded and are not: name a folder in recordings.directory");
        }
    }
}

/// Where recording sessions come from; none: the file names no recorder that takes them.
fn siprec_place(config: &Config, database: &Database, ports: &RtpPorts) -> Option<SiprecPlace> {
    let mut kinds = config.external_recorders.iter().map(|(_, one)| &one.kind);
    if !kinds.any(|kind| matches!(kind, RecorderKind::Siprec { .. })) {
        return None;
    }
    let sip_address = config.sip.address();
    Some(SiprecPlace {
        node: config.node.clone(),
        epoch: u32::try_from(database.epoch()).unwrap_or(u32::MAX),
        sip_address,
        sip_advertised: config.sip.advertised.map_or(sip_address, |at| at.ip()),
        media_advertised: config.media_advertised.unwrap_or(config.media_address),
        ports: ports.clone(),
    })
}

/// The own recorder, if the file names a folder, and those that the file names.
async fn start_recorders(
    (config, extras): (&Config, Extras),
    database: &Arc<Database>,
    clock: &Arc<dyn WallClock>,
    configuration: &Configuration,
    hub: &Arc<web::events::Hub>,
) -> Result<(Option<(Recorder, Work)>, External, Heard), StartError> {
    warn_of_unrecorded(config, &configuration.current().services);
    let ports = RtpPorts::new(config.media_address, &config.media_ports)?;
    let line = match siprec_place(config, database, &ports) {
        Some(place) => Some(SiprecLine::start(place, clock.clone()).await?),
        None => None,
    };
    let controls = gateway_files::recorders(config, line.as_ref())?;
    let external = External::start(controls, line, &config.data)?;
    let own = match &config.recordings {
        Some(folder) => {
            let node = config.node.to_ascii_lowercase();
            Some(Recorder::start(folder, &node, database, clock, hub.clone()).await?)
        }
        None => None,
    };
    let extras = extras.heard_by(own.as_ref(), &external);
    Ok((own, external, Heard { extras, ports }))
}

fn recorders(own: Option<&(Recorder, Work)>, external: &External) -> Arc<dyn Recorders> {
    Arc::new(AllRecorders {
        own: own.map(|(recorder, _)| recorder.clone()),
        external: external.share(),
    })
}

/// What the own recorder has kept.
fn files(own: Option<&(Recorder, Work)>) -> Option<Arc<dyn RecordingFiles>> {
    own.map(|(recorder, _)| recorder.files())
}

/// Where screens are shared.
fn screens(own: Option<&(Recorder, Work)>) -> Option<Arc<dyn ScreenDesk>> {
    own.map(|(recorder, _)| recorder.screens())
}

/// The memory for what is keyed. What may be swapped is no reason not to start if only published numbers are keyed.
fn locked_arena(config: &Config, keys_are_tests: bool) -> Result<Arc<Arena>, StartError> {
    let arena = Arena::new(config.slots)?;
    match hardening::judge_arena(arena.lock_state()) {
        Err(why) if keys_are_tests => tracing::warn!("{why}"),
        judged => judged.map_err(StartError::Swap)?,
    }
    Ok(arena)
}

/// The file may loosen a rule, but never silently.
fn warn_of_what_is_off(config: &Config) {
    if !config.second_factor {
        tracing::warn!(
            "web.second_factor is off: administrators and users who see card numbers log in with a password alone"
        );
    }
}

fn readers(database: &Arc<Database>) -> Readers {
    Readers {
        users: database.clone(),
        desktops: database.clone(),
        services: database.clone(),
    }
}

/// The configuration, with a ledger in which nothing of an earlier start is open.
async fn load(
    database: &Arc<Database>,
    clock: &dyn WallClock,
) -> Result<Arc<Configuration>, StartError> {
    let configuration = Configuration::load(readers(database)).await?;
    settle_ledger(database, clock).await?;
    Ok(configuration)
}

/// Closes what an earlier life left open.
async fn settle_ledger(database: &Database, clock: &dyn WallClock) -> Result<(), StoreError> {
    let closed = close_open_attempts(database, database, clock.now()).await?;
    if closed > 0 {
        tracing::warn!(
            closed,
            "attempts were found open after a restart and were closed"
        );
    }
    let closed = close_open_follow_ups(database, database, clock.now()).await?;
    if closed > 0 {
        tracing::warn!(
            closed,
            "voids, refunds or captures were found open after a restart and were closed"
        );
    }
    Ok(())
}

/// Gateways are asked about what is unknown, as far as widgets say how, while the server is already of use.
fn ask_gateways(
    database: &Arc<Database>,
    configuration: &Arc<Configuration>,
    gateway: &Arc<dyn PaymentGateway>,
    clock: &Arc<dyn WallClock>,
) -> JoinHandle<()> {
    let asking = Asking {
        store: of_calls(database),
        payments: database.clone(),
        desktops: database.clone(),
        configuration: configuration.clone(),
        gateway: gateway.clone(),
        clock: clock.clone(),
    };
    tokio::spawn(async move {
        match asking.run().await {
            Ok(0) => {}
            Ok(settled) => tracing::info!(settled, "gateways have settled unknown outcomes"),
            Err(error) => {
                tracing::error!(%error, "the ledger cannot be read; nothing is asked of gateways")
            }
        }
    })
}

pub(crate) async fn open_store(config: &Config) -> Result<Database, StartError> {
    let data = |source| StartError::ConfigData {
        path: config.data.clone(),
        source,
    };
    std::fs::create_dir_all(&config.data).map_err(data)?;
    let url = config
        .store_url
        .clone()
        .unwrap_or_else(|| format!("sqlite:{}", config.data.join("tonewall.db").display()));
    let key_file = config
        .key_file
        .clone()
        .unwrap_or_else(|| config.data.join("master.key"));
    let key = EnvelopeKeySource::File(KeyFile::create_or_open(key_file)?.path().to_owned());
    let node = config.node.to_ascii_lowercase();
    Ok(Database::open(StoreConfig { url, key, node }).await?)
}

/// The client that charges, and the same one for administrators who try a gateway out.
fn gateway(
    config: &Config,
    arena: &Arc<Arena>,
    hub: &Arc<web::events::Hub>,
) -> Result<(Arc<dyn PaymentGateway>, Arc<HttpsGateway>), StartError> {
    let client = Arc::new(HttpsGateway::new(gateway_files::policy(config)?)?);
    let gateway: Arc<dyn PaymentGateway> = client.clone();
    #[cfg(feature = "planted")]
    let gateway = crate::planted::around(gateway, arena.clone(), hub.clone());
    #[cfg(not(feature = "planted"))]
    let _for_planted_defects = (arena, hub);
    Ok((gateway, client))
}

/// The store that calls write to.
fn of_calls(database: &Arc<Database>) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = database.clone();
    #[cfg(feature = "planted")]
    let store = crate::planted::pointed(store);
    store
}

fn node_config(
    config: &Config,
    arena: &Arc<Arena>,
    epoch: i64,
    extras: Extras,
) -> Result<NodeConfig, StartError> {
    let mut node = NodeConfig::new(config.sip.listen, config.media_ports.clone(), arena.clone());
    node.node.clone_from(&config.node);
    node.epoch = u32::try_from(epoch).unwrap_or(u32::MAX);
    node.realm.clone_from(&config.realm);
    node.digest = config.digest;
    node.phone_codecs.clone_from(&config.phone_codecs);
    node.interfaces = config.sip.interfaces();
    node.tls = tls(config);
    node.media_address = config.media_address;
    node.media_advertised = config.media_advertised;
    node.media_threads = config.media_threads;
    node.browser_ports = match config.browser_port {
        None => BrowserPorts::OfMedia,
        Some(0) => BrowserPorts::Off,
        Some(first) => BrowserPorts::From(first),
    };
    node.limits.answer_wait = config.ring_time;
    node.limits.silence_max = config.next_place_after;
    node.limits.sip.new_invites_per_second = config.calls_per_second;
    node.audio_sink = extras.audio_sink;
    node.dns.clone_from(&config.sip.dns);
    node.peers = trunks::peers(&config.trunks)?;
    node.phones_srtp = config.phones_srtp;
    #[cfg(feature = "planted")]
    {
        node.mask_off = crate::planted::is_mask_off();
    }
    Ok(node)
}

fn tls(config: &Config) -> Option<TlsConfig> {
    let tls = config.sip.tls.as_ref()?;
    let peer = |trunk: &config::Trunk| {
        Some(TlsPeer {
            addresses: trunk.addresses.clone(),
            name: match tls.roots {
                Some(_) => trunk.certificate_name()?,
                None => trunk.tls_name.clone()?,
            },
        })
    };
    Some(TlsConfig {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        roots: tls.roots.clone(),
        peers: config.trunks.iter().filter_map(peer).collect(),
        look: CERTIFICATE_LOOK,
    })
}

/// The telephone side, given to the calls.
fn start_node(
    config: &Config,
    arena: &Arc<Arena>,
    database: &Database,
    heard: Heard,
    calls: &Calls,
) -> Result<Arc<Node>, StartError> {
    let mut node = node_config(config, arena, database.epoch(), heard.extras)?;
    node.shared_ports = Some(heard.ports);
    let node = Arc::new(Node::start(node, Arc::new(calls.clone()))?);
    calls.attach(node.clone());
    Ok(node)
}

async fn serve_web(config: &Config, deps: web::Deps) -> Result<web::Running, StartError> {
    warn_of_what_is_off(config);
    let serving = web::serve(web_config(config), deps);
    serving.await.map_err(StartError::Web)
}

async fn serve_health(
    config: &Config,
    numbers: Numbers,
) -> Result<web::health::Health, StartError> {
    let serving = web::health::serve(config.health_listen, Arc::new(numbers));
    serving.await.map_err(StartError::Health)
}

/// What phones and gateway know of the configuration from the beginning on.
fn tell_configured(node: &Node, gateway: &dyn PaymentGateway, snapshot: &Snapshot) {
    node.set_phones(phones(snapshot));
    gateway.set_approved_hosts(approved(snapshot));
}

fn phones(snapshot: &Snapshot) -> Vec<PhoneAccount> {
    let account = |user: &Arc<domain::access::User>| {
        let enabled = user.enabled.then_some(user)?;
        Some(PhoneAccount {
            user: enabled.phone.clone()?,
            ha1: enabled.phone_ha1.clone()?,
        })
    };
    snapshot.users.iter().filter_map(account).collect()
}

fn approved(snapshot: &Snapshot) -> Vec<String> {
    let approved = snapshot.approved_hosts.iter();
    approved.map(|host| host.authority.clone()).collect()
}

/// A store after whose configuration changes phones, calls and pages look again.
fn watched(
    database: &Arc<Database>,
    configuration: &Arc<Configuration>,
    calls: &Calls,
    node: &Arc<Node>,
    hub: &Arc<web::events::Hub>,
    gateway: &Arc<dyn PaymentGateway>,
) -> Arc<WatchedStore> {
    let (calls, node, hub) = (calls.clone(), node.clone(), hub.clone());
    let gateway = gateway.clone();
    let after = move |snapshot: &Snapshot, change: &Change| {
        if matches!(change, Change::SaveUser(_)) {
            node.set_phones(phones(snapshot));
        }
        if matches!(change, Change::ApproveHost(_) | Change::WithdrawHost(_)) {
            gateway.set_approved_hosts(approved(snapshot));
        }
        calls.refresh();
        hub.publish(LiveEvent {
            audience: Audience::Everyone,
            topic: "desktop",
            body: serde_json::Value::Object(serde_json::Map::new()),
        });
    };
    Arc::new(WatchedStore::new(
        database.clone(),
        configuration.clone(),
        Box::new(after),
    ))
}

fn web_config(config: &Config) -> web::WebConfig {
    let mut web = web::WebConfig::on(config.web_listen);
    web.public_origins = config.web_origin.clone().into_iter().collect();
    web.tls.clone_from(&config.web_tls);
    web.idle_lock = config.idle_lock;
    web.frame_hosts.clone_from(&config.frame_hosts);
    web.embedding.clone_from(&config.embedding);
    web.second_factor = config.second_factor;
    web.phone_realm.clone_from(&config.realm);
    let controls = config.external_recorders.iter();
    web.recorder_controls = controls.map(|(name, _)| name.clone()).collect();
    let callable = config.trunks.iter().filter(|one| !one.places.is_empty());
    web.trunks = callable.map(|trunk| trunk.name.clone()).collect();
    web
}

async fn record_start(
    store: &dyn Store,
    clock: &dyn WallClock,
    config: &Config,
    epoch: i64,
) -> Result<(), StoreError> {
    let object = format!("node {}", config.node);
    let entry = AuditEntry::new(
        clock.now(),
        &Actor::system(),
        AuditAction::ServerStarted,
        object,
    )
    .with("version", env!("CARGO_PKG_VERSION"))
    .with("epoch", epoch);
    store
        .commit(Audited {
            change: Change::None,
            entry,
        })
        .await
        .map(drop)
}
