//! Payments through the connector to a local TLS gateway, with the ledger on a disk that is really written (`make bench-payments`). Each is what a press of
//! Process Payment starts: the intent, a connection of its own, "sent", the exchange, the outcome, each recorded before the next. Measured is what that
//! adds to the gateway's own time. One JSON line a ledger; fails below the rate or above the added time with SQLite, PostgreSQL stands beside it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is judged by its figure; whatever fails ends it"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use calls::{ChargeRun, PROGRESS_MAX, Progress};
use domain::access::Actor;
use domain::boundary::{Audited, Charge, PaymentGateway, Payments, Store, StoreError, Task};
use domain::capture::fixtures::{ACCOUNT_NUMBER, ROUTING_NUMBERS};
use domain::capture::{Field, WidgetKind};
use domain::gateway::{GatewayConfig, Once};
use domain::id::{AttemptId, CallId, CaptureId, UserId, WidgetId};
use domain::money::{Currency, Money};
use domain::payment::{
    AttemptState, CheckFacts, LedgerFilter, Outcome, Payment, PaymentForm, Standing,
};
use domain::time::{UnixMillis, WallClock};
use gateway::{GatewayPolicy, HttpsGateway};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use secret::{Arena, Digit};
use serde_json::json;
use store::{Database, EnvelopeKeySource, KeyFile, StoreConfig};
use testkit::postgres::PostgresServer;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// The gateway's own time.
const GATEWAY_TIME: Duration = Duration::from_millis(20);
/// Payments that are offered, evenly, for so long.
const RATE_PER_S: u32 = 500;
const OFFERED_FOR: Duration = Duration::from_secs(20);
/// Payments of one beat.
const BEAT: Duration = Duration::from_millis(10);
/// Payments on their way when as many as possible are made.
const AT_ONCE: usize = 128;
const AT_ONCE_FOR: Duration = Duration::from_secs(10);
/// Slots for digits.
const SLOTS: usize = 1_024;
/// Largest p99 of the added time.
const ADDED_MS_MAX: f64 = 25.0;

struct Clock;

impl WallClock for Clock {
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        UnixMillis(i64::try_from(since.as_millis()).unwrap())
    }
}

/// The ledger, and how long each commit took.
struct Timed {
    database: Arc<Database>,
    commits: Mutex<Vec<Duration>>,
}

impl Store for Timed {
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        Box::pin(async move {
            let began = Instant::now();
            let done = self.database.commit(audited).await;
            self.commits.lock().unwrap().push(began.elapsed());
            done
        })
    }
}

/// What every payment needs.
struct Shop {
    ledger: Arc<Timed>,
    client: Arc<HttpsGateway>,
    arena: Arc<Arena>,
    gateway: GatewayConfig,
}

impl Shop {
    /// One payment, from the press to the outcome on disk: what was added to the gateway's own time. None: it was not approved.
    async fn pay(self: Arc<Self>) -> Option<Duration> {
        let began = Instant::now();
        let (sender, mut reported) = mpsc::channel(PROGRESS_MAX);
        let attempt = AttemptId::from_random(rand::random());
        let amount = Money::parse("12.50", Currency::USD).unwrap();
        let run = ChargeRun {
            begin_plan: None,
            store: self.ledger.clone(),
            gateway: Arc::clone(&self.client) as Arc<dyn PaymentGateway>,
            clock: Arc::new(Clock),
            actor: Actor::system(),
            payment: payment(&attempt, amount),
            progress: sender,
        };
        run.run(self.charge(attempt, amount)?).await;
        let took = began.elapsed();
        while let Some(progress) = reported.recv().await {
            if let Progress::Answered(answer) = progress {
                let approved = answer.verdict.outcome == Outcome::Approved;
                return approved.then(|| took.saturating_sub(GATEWAY_TIME));
            }
        }
        None
    }

    fn charge(&self, attempt: AttemptId, amount: Money) -> Option<Charge> {
        let mut slot = self.arena.allocate()?;
        for (field, digits) in [
            (Field::RoutingNumber, ROUTING_NUMBERS[0]),
            (Field::AccountNumber, ACCOUNT_NUMBER),
        ] {
            for digit in digits.bytes().filter_map(Digit::from_ascii) {
                slot.push(field.slot_index(), digit).unwrap();
            }
        }
        Some(Charge {
            reference: attempt.as_str().to_owned(),
            attempt,
            kind: WidgetKind::CheckAdvanced,
            gateway: self.gateway.clone(),
            password: None,
            secrets: Vec::new(),
            once: Once::from_random(Clock.now(), rand::random()),
            form: PaymentForm {
                amount,
                fee_minor: 0,
                values: [("firstName", "Jane"), ("lastName", "Roe")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
            },
            slot,
            check: CheckFacts::default(),
            facts: Vec::new(),
            show_message: true,
        })
    }
}

fn payment(attempt: &AttemptId, amount: Money) -> Payment {
    let now = Clock.now();
    Payment {
        reference: attempt.as_str().to_owned(),
        attempt: attempt.clone(),
        capture: CaptureId::from_random(rand::random()),
        call: CallId::from_random(rand::random()),
        widget: WidgetId::from_random(1),
        desktop: None,
        kind: WidgetKind::CheckAdvanced,
        agent: UserId::from_random(1),
        amount,
        arrangement: None,
        brand: None,
        last_four: None,
        state: AttemptState::Intent,
        message: String::new(),
        created_at: now,
        outputs: Vec::new(),
        changed_at: now,
    }
}

/// A TLS gateway on a thread of its own that approves everything after [`GATEWAY_TIME`]; its address and its authority.
fn gateway() -> (SocketAddr, CertificateDer<'static>) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(approve(listener, tls));
    });
    (address, authority.der().clone())
}

async fn approve(listener: std::net::TcpListener, tls: ServerConfig) {
    let listener = TcpListener::from_std(listener).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(tcp).await else {
                return;
            };
            let service = service_fn(|request: Request<hyper::body::Incoming>| async {
                request.into_body().collect().await?;
                tokio::time::sleep(GATEWAY_TIME).await;
                let body = Bytes::from_static(br#"{"status":"APPROVED"}"#);
                Ok::<_, hyper::Error>(Response::new(Full::new(body)))
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // A connection that fails is a payment that is not approved.
            let _ended = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Offers payments at an even rate, whatever becomes of those before: how many, and the added times of those that were approved.
async fn offered(shop: &Arc<Shop>) -> (usize, Vec<Duration>, Duration) {
    let mut payments = JoinSet::new();
    let each = RATE_PER_S * u32::try_from(BEAT.as_millis()).unwrap() / 1_000;
    let began = Instant::now();
    let mut beat = tokio::time::interval(BEAT);
    while began.elapsed() < OFFERED_FOR {
        beat.tick().await;
        for _ in 0..each {
            payments.spawn(Arc::clone(shop).pay());
        }
    }
    let count = payments.len();
    let ended = payments.join_all().await;
    (
        count,
        ended.into_iter().flatten().collect(),
        began.elapsed(),
    )
}

/// Makes as many payments as it can: how many, and those that were approved.
async fn at_once(shop: &Arc<Shop>) -> (usize, usize, Duration) {
    let began = Instant::now();
    let mut lanes = JoinSet::new();
    for _ in 0..AT_ONCE {
        let shop = Arc::clone(shop);
        lanes.spawn(async move {
            let (mut made, mut approved) = (0, 0);
            while began.elapsed() < AT_ONCE_FOR {
                made += 1;
                approved += usize::from(Arc::clone(&shop).pay().await.is_some());
            }
            (made, approved)
        });
    }
    let ended = lanes.join_all().await;
    let sum = |of: fn(&(usize, usize)) -> usize| ended.iter().map(of).sum();
    (sum(|lane| lane.0), sum(|lane| lane.1), began.elapsed())
}

fn quantile_ms(times: &[Duration], of_100: usize) -> f64 {
    let place = (times.len() * of_100).div_ceil(100).saturating_sub(1);
    times
        .get(place)
        .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn per_s(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64()
}

/// Both loads over one ledger; whether the bounds hold.
async fn measured(name: &str, url: String, folder: &Path, shown: &GatewayPlace) -> bool {
    let key = KeyFile::create_or_open(folder.join(format!("{name}.key"))).unwrap();
    let database = Database::open(StoreConfig {
        url,
        key: EnvelopeKeySource::File(key.path().to_owned()),
        node: "bench".to_owned(),
    });
    let database = Arc::new(database.await.unwrap());
    let ledger = Arc::new(Timed {
        database: Arc::clone(&database),
        commits: Mutex::default(),
    });
    let shop = Arc::new(Shop {
        ledger: Arc::clone(&ledger),
        client: shown.client(),
        arena: Arena::new(SLOTS).unwrap(),
        gateway: shown.config(),
    });
    let (count, mut added, took) = offered(&shop).await;
    added.sort_unstable();
    let batches = database.activity();
    let mut commits = std::mem::take(&mut *ledger.commits.lock().unwrap());
    commits.sort_unstable();
    let (made, made_approved, made_in) = at_once(&shop).await;
    let filter = LedgerFilter {
        standing: Some(Standing::Approved),
        ..LedgerFilter::default()
    };
    let recorded = database.count(&filter, u32::MAX).await.unwrap();
    let all_recorded = usize::try_from(recorded).unwrap() == added.len() + made_approved;
    let (rate, p99) = (per_s(added.len(), took), quantile_ms(&added, 99));
    let line = json!({
        "bench": "payments",
        "ledger": name,
        "gateway_ms": GATEWAY_TIME.as_millis(),
        "offered_per_s": RATE_PER_S,
        "payments": count,
        "approved": added.len(),
        "approved_per_s": rounded(rate),
        "added_ms_p50": rounded(quantile_ms(&added, 50)),
        "added_ms_p99": rounded(p99),
        "added_ms_max": rounded(quantile_ms(&added, 100)),
        "commit_ms_p50": rounded(quantile_ms(&commits, 50)),
        "commit_ms_p99": rounded(quantile_ms(&commits, 99)),
        "changes_per_transaction": rounded(
            f64::from(u32::try_from(batches.changes).unwrap())
                / f64::from(u32::try_from(batches.transactions).unwrap())
        ),
        "at_once": AT_ONCE,
        "at_once_payments": made,
        "at_once_per_s": rounded(per_s(made_approved, made_in)),
        "all_recorded": all_recorded,
    });
    println!("{line}");
    let offered_all = added.len() == count && rate >= f64::from(RATE_PER_S) * 0.98;
    offered_all && p99 <= ADDED_MS_MAX && made == made_approved && all_recorded
}

/// The gateway of all payments.
struct GatewayPlace {
    address: SocketAddr,
    authority: CertificateDer<'static>,
}

impl GatewayPlace {
    fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    fn client(&self) -> Arc<HttpsGateway> {
        let policy = GatewayPolicy {
            allowed_hosts: vec![self.host()],
            extra_roots: vec![self.authority.clone()],
            ..GatewayPolicy::default()
        };
        Arc::new(HttpsGateway::new(policy).unwrap())
    }

    fn config(&self) -> GatewayConfig {
        serde_json::from_value(json!({
            "service_url": format!("https://{}/charge", self.host()),
            "success_key": "status",
            "success_value": "APPROVED",
        }))
        .unwrap()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .unwrap();
    let (address, authority) = gateway();
    let place = GatewayPlace { address, authority };
    // Beside the build: what is temporary may be memory, where no fsync costs anything.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("ledger.db").display());
    let good = measured("sqlite", sqlite, folder.path(), &place).await;
    let server = PostgresServer::start_durable().unwrap();
    let postgres = server.new_database().unwrap();
    measured("postgresql", postgres, folder.path(), &place).await;
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
