//! An operator's installation: a server's file, a data folder that stays, `tonewall serve`, and a simulator beside it.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::Client;
use super::house::wait_for;
use super::telephony::Telephony;

/// A start that takes longer has failed.
const START_MAX: Duration = Duration::from_secs(20);

/// The agent's phone: user and password.
const PHONE: (&str, &str) = ("1001", "phone-secret-1");

/// That of a second agent, where there is one.
const OTHER_PHONE: (&str, &str) = ("1002", "phone-secret-2");

/// The password that everyone chooses at the first login.
const PASSWORD: &str = "walnut-harbour-42";

/// Media ports of an installation.
const MEDIA_PORTS: u16 = 100;

/// An installation. Its data stays from start to start.
pub(crate) struct Site {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    folder: TempDir,
    gateway: SocketAddr,
    media_first: u16,
    starts: u32,
    /// How server and phones talk, from the next start on.
    pub(crate) telephony: Telephony,
    /// More tables of the server's file.
    tables: String,
}

/// A started installation. Dropping it kills both processes, as a power cut does.
pub(crate) struct Running {
    server: Child,
    simulator: Simulator,
    /// The server's SIP address.
    sip: String,
    pub(crate) page: String,
    pub(crate) stage: Client,
    /// Where the consumer's phone is called.
    pub(crate) consumer: String,
    /// Health and metrics.
    pub(crate) health: Client,
    /// When the server's process began, and how long it took until it served.
    pub(crate) began: Instant,
    pub(crate) served_in: Duration,
}

/// One more consumer with a telephone. Dropping it takes the telephone away.
pub(crate) struct AnotherConsumer {
    simulator: Simulator,
    pub(crate) stage: Client,
}

impl Site {
    /// An empty installation of a program, set up by its administrator through the API.
    pub(crate) fn set_up(program: &Path, environment: &[(&'static str, &str)]) -> Self {
        Self::set_up_with(program, environment, Telephony::usual())
    }

    /// The same, whose server and phones talk in this way.
    pub(crate) fn set_up_for(program: &Path, telephony: Telephony) -> Self {
        Self::set_up_with(program, &[], telephony)
    }

    fn set_up_with(
        program: &Path,
        environment: &[(&'static str, &str)],
        telephony: Telephony,
    ) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let environment = environment.iter();
        let mut site = Self {
            program: program.to_owned(),
            environment: environment
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            folder: tempfile::tempdir().unwrap(),
            gateway: free.local_addr().unwrap(),
            media_first: media_first(),
            starts: 0,
            telephony,
            tables: String::new(),
        };
        drop(free);
        let kill_at = site.kill_at().to_str().unwrap().to_owned();
        site.environment.push(("TONEWALL_KILL_AT", kill_at));
        let (mut simulator, place) = site.start_simulator();
        let started = site.start_server(&place);
        configure(
            &started.page,
            &started.one_time.unwrap(),
            place["service_url"].as_str().unwrap(),
        );
        simulator.end();
        end(started.child);
        site
    }

    /// The file that names the point at which a program with points ends (docs/planted.md).
    pub(crate) fn kill_at(&self) -> PathBuf {
        self.folder.path().join("kill-at")
    }

    /// The server's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where media may be.
    pub(crate) fn media_ports(&self) -> RangeInclusive<u16> {
        self.media_first..=self.media_first + MEDIA_PORTS - 1
    }

    /// From the next start on these tables stand in the server's file, too.
    pub(crate) fn add_tables(&mut self, tables: &str) {
        self.tables.push_str(tables);
    }

    /// Starts server and simulator.
    pub(crate) fn start(&mut self) -> Running {
        self.start_with(&[PHONE], |_| {})
    }

    /// The same with a second agent, `colleague`, who has a phone, too.
    pub(crate) fn start_with_colleague(&mut self) -> Running {
        self.start_with(&[PHONE, OTHER_PHONE], |page| {
            let mut admin = Client::new(page);
            admin.log_in("admin", PASSWORD);
            let desktops = admin.get("/api/v1/desktops");
            let phone = json!({
                "desktop": desktops["desktops"][0]["id"],
                "phone": OTHER_PHONE.0,
                "phone_password": OTHER_PHONE.1,
            });
            add_user(page, &admin, "colleague", "agent", &phone);
        })
    }

    /// `prepare` is done before phones register.
    fn start_with(&mut self, phones: &[(&str, &str)], prepare: impl FnOnce(&str)) -> Running {
        let (mut simulator, place) = self.start_simulator();
        let started = self.start_server(&place);
        prepare(&started.page);
        let phone = |(user, password): &(&str, &str)| json!({ "user": user, "password": password });
        let agents: Vec<Value> = phones.iter().map(phone).collect();
        let stage = simulator.ask(&self.stage_plan((&started.sip, &started.page), &agents));
        let consumer = stage["consumer"].as_str().unwrap().to_owned();
        let stage = Client::new(stage["control"].as_str().unwrap());
        Running {
            consumer,
            server: started.child,
            simulator,
            sip: started.sip,
            page: started.page,
            stage,
            health: Client::new(&started.health),
            began: started.began,
            served_in: started.served_in,
        }
    }

    fn stage_plan(&self, (sip, page): (&str, &str), agents: &[Value]) -> Value {
        json!({
            "server_sip": sip,
            "realm": "tonewall",
            "consumer": SocketAddr::new(self.telephony.consumer.parse().unwrap(), 0),
            "agents_address": self.telephony.agents,
            "phones": self.telephony.phones,
            "control": "127.0.0.1:0",
            "number": "4000",
            "agents": agents,
            "answer_after_ms": 100,
            "server_page": page,
        })
    }

    /// A second consumer, who calls the same server.
    pub(crate) fn another_consumer(&self, running: &Running) -> AnotherConsumer {
        let mut simulator = Simulator::start(&self.program);
        let data = self.folder.path().join("another-simulator");
        simulator.ask(&json!({ "data": data, "sandbox": "127.0.0.1:0" }));
        let stage = simulator.ask(&self.stage_plan((&running.sip, &running.page), &[]));
        let stage = Client::new(stage["control"].as_str().unwrap());
        AnotherConsumer { simulator, stage }
    }

    /// Runs another command of the program with the server's file. Whether it ended well, and what it said.
    pub(crate) fn command(&self, words: &[&str]) -> (bool, String) {
        let environment = self.environment.iter();
        let output = Command::new(&self.program)
            .args(words)
            .arg("--config")
            .arg(self.folder.path().join("tonewall.toml"))
            .envs(environment.map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    fn ledger_file(&self) -> PathBuf {
        self.folder.path().join("simulator/sandbox-ledger.jsonl")
    }

    /// The sandbox gateway forgets what it charged. What that was.
    pub(crate) fn take_ledger(&self) -> String {
        let rows = std::fs::read_to_string(self.ledger_file()).unwrap();
        std::fs::write(self.ledger_file(), "").unwrap();
        rows
    }

    /// It remembers again.
    pub(crate) fn add_to_ledger(&self, rows: &str) {
        let now = std::fs::read_to_string(self.ledger_file()).unwrap();
        std::fs::write(self.ledger_file(), format!("{rows}{now}")).unwrap();
    }

    /// What the server has said since its last start.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_file(self.starts)).unwrap_or_default()
    }

    /// Rows of the sandbox gateway's own ledger: charges of this amount.
    pub(crate) fn charges(&self, amount: &str) -> usize {
        let rows = self.rows().into_iter();
        rows.filter(|row| row["status"] == "charged" && row["amount"] == amount)
            .count()
    }

    /// Its rows of plans: what is due later of each.
    pub(crate) fn plans(&self) -> Vec<String> {
        let rows = self.rows();
        let plans = rows.iter().filter(|row| row["status"] == "scheduled");
        plans
            .map(|row| row["amount"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// What each of its rows is, the first one first: "charged", "stored", "scheduled".
    pub(crate) fn done(&self) -> Vec<String> {
        let rows = self.rows().into_iter();
        rows.map(|row| row["status"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn rows(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.ledger_file()).unwrap_or_default();
        let rows = text.lines();
        rows.filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    fn log_file(&self, start: u32) -> PathBuf {
        self.folder.path().join(format!("log-{start}"))
    }

    fn start_simulator(&self) -> (Simulator, Value) {
        let mut simulator = Simulator::start(&self.program);
        let data = self.folder.path().join("simulator");
        let place = simulator.ask(&json!({ "data": data, "sandbox": self.gateway }));
        (simulator, place)
    }

    fn start_server(&mut self, gateway: &Value) -> Started {
        self.starts += 1;
        let file = self.folder.path().join("tonewall.toml");
        std::fs::write(&file, self.settings(gateway)).unwrap();
        let log = self.log_file(self.starts);
        let began = Instant::now();
        let environment = self.environment.iter();
        let mut child = Command::new(&self.program)
            .args(["serve", "--config"])
            .arg(&file)
            .envs(environment.map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let serving = wait_for("the server serves", START_MAX, || serving(&log));
        let served_in = began.elapsed();
        let address = |name: &str| serving[name].as_str().unwrap().to_owned();
        let mut line = String::new();
        if self.starts == 1 {
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
        }
        Started {
            child,
            page: format!("http://{}", address("page")),
            sip: address("sip"),
            health: address("health"),
            one_time: line.trim().rsplit(' ').next().map(str::to_owned),
            began,
            served_in,
        }
    }

    fn settings(&self, gateway: &Value) -> String {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ports = self.media_ports();
        format!(
            r#"
[node]
data = {data:?}
[web]
second_factor = "off"
first_administrator = "password"
listen = "127.0.0.1:0"
[health]
listen = "127.0.0.1:0"
[sip]
{sip}
[media]
ports = "{first}-{last}"
{media}
[gateway]
allowed_hosts = {host:?}
ca_file = {ca_file:?}
[log]
format = "json"
[[trunk]]
name = "carrier"
{trunk}
{tables}
"#,
            data = self.data(),
            sip = self.telephony.sip,
            first = ports.start(),
            last = ports.end(),
            media = self.telephony.media,
            trunk = self.telephony.trunk,
            host = text(&gateway["host"]),
            ca_file = text(&gateway["ca_file"]),
            tables = self.tables,
        )
    }
}

/// A server that serves.
struct Started {
    child: Child,
    page: String,
    sip: String,
    health: String,
    /// At the first start.
    one_time: Option<String>,
    began: Instant,
    served_in: Duration,
}

/// The next ports that no other installation of this process has.
fn media_first() -> u16 {
    static FIRST: OnceLock<u16> = OnceLock::new();
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = FIRST.get_or_init(|| 10_000 + rand::random_range(0..100) * MEDIA_PORTS);
    first + NEXT.fetch_add(MEDIA_PORTS, Ordering::Relaxed)
}

impl Running {
    /// A page with a login of this user.
    pub(crate) fn page(&self, user: &str) -> Client {
        let mut page = Client::new(&self.page);
        page.log_in(user, PASSWORD);
        page
    }

    /// One more user, past the first password.
    pub(crate) fn add_user(&self, name: &str, role: &str) {
        add_user(&self.page, &self.page("admin"), name, role, &json!({}));
    }

    /// `kill -9`.
    pub(crate) fn kill_server(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn end_server(&mut self) {
        let server = rustix::process::Pid::from_child(&self.server);
        rustix::process::kill_process(server, rustix::process::Signal::TERM).unwrap();
        assert!(self.server.wait().unwrap().success());
    }

    /// UDP ports of the server's process outside of those for media.
    pub(crate) fn udp_ports_outside(&self, media: &RangeInclusive<u16>) -> Vec<u16> {
        let process = format!("/proc/{}", self.server.id());
        let files = std::fs::read_dir(format!("{process}/fd")).unwrap();
        let links = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
        let own: Vec<String> = links
            .filter_map(|link| link.to_str().map(str::to_owned))
            .collect();
        let port = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let socket = format!("socket:[{}]", fields.get(9)?);
            let (_, port) = fields.get(1)?.rsplit_once(':')?;
            let port = u16::from_str_radix(port, 16).ok()?;
            (own.contains(&socket) && !media.contains(&port)).then_some(port)
        };
        let tables = ["udp", "udp6"]
            .map(|table| std::fs::read_to_string(format!("{process}/net/{table}")).unwrap());
        tables
            .iter()
            .flat_map(|table| table.lines().filter_map(port))
            .collect()
    }

    /// Whether the server's process has ended.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.server.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _status = self.server.wait();
        self.simulator.end();
    }
}

impl Drop for AnotherConsumer {
    fn drop(&mut self) {
        self.simulator.end();
    }
}

/// `tonewall simulate`, by its two lines.
struct Simulator {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Simulator {
    fn start(program: &Path) -> Self {
        let mut child = Command::new(program)
            .arg("simulate")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            orders,
            answers: BufReader::new(answers),
        }
    }

    fn ask(&mut self, plan: &Value) -> Value {
        writeln!(self.orders, "{plan}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the simulator answered {line:?}"))
    }

    fn end(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn end(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

/// The fields of the line that says that the server serves.
fn serving(log: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(log).ok()?;
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .map(|line| line["fields"].clone())
        .find(|fields| fields["message"] == "serving")
}

/// The first administrator's first hour.
fn configure(page: &str, one_time: &str, service_url: &str) {
    let mut admin = Client::new(page);
    let login = admin.log_in("admin", one_time);
    assert_eq!(login["must_change_password"], true);
    admin.post(
        "/api/v1/password",
        &json!({ "current": one_time, "new": PASSWORD }),
    );
    let settings = admin.get("/api/v1/settings");
    admin.put(
        "/api/v1/settings",
        &json!({
            "spc_enabled": true,
            "response_variables": {"allow": "all"},
            "revision": settings["revision"],
        }),
    );
    let desktop = admin.post("/api/v1/desktops", &desktop(service_url));
    let desktop = desktop["desktop"]["id"].clone();
    let service = admin.post(
        "/api/v1/services",
        &json!({
            "name": "Payments",
            "numbers": ["4000"],
            "route": { "to": "agents" },
            "desktop": desktop,
            "protection": "capture",
        }),
    );
    let recorders = format!(
        "/api/v1/services/{}/recorders",
        service["id"].as_str().unwrap()
    );
    admin.post(
        &recorders,
        &json!({ "sinks": [], "revision": service["revision"] }),
    );
    let phone = json!({
        "desktop": desktop,
        "phone": PHONE.0,
        "phone_password": PHONE.1,
    });
    add_user(page, &admin, "agent", "agent", &phone);
    for name in ["supervisor", "auditor"] {
        add_user(page, &admin, name, name, &json!({}));
    }
}

/// A user past the first password, with these fields besides name and role.
fn add_user(page: &str, admin: &Client, name: &str, role: &str, more: &Value) {
    const FIRST: &str = "changes-at-first-login-1";
    let mut user = json!({
        "name": name,
        "display_name": name,
        "roles": [role],
        "password": FIRST,
        "enabled": true,
    });
    let fields = user.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    admin.post("/api/v1/users", &user);
    let mut own = Client::new(page);
    own.log_in(name, FIRST);
    let password = json!({ "current": FIRST, "new": PASSWORD });
    own.post("/api/v1/password", &password);
}

fn desktop(service_url: &str) -> Value {
    json!({
        "name": "Front desk",
        "service": "standard",
        "layout": "agent_panel",
        "widgets": [{
            "kind": "check_advanced",
            "title": "Bank payment",
            "enabled": true,
            "prompts": [
                { "field": "routing_number", "text": "Please key the routing number." },
                { "field": "account_number", "text": "Please key the account number, then pound." },
            ],
            "options": { "payment": { "arrangements": ["now", "one_date", "plan"] } },
            "gateway": {
                "service_url": service_url,
                "more": {
                    "outputs": [{ "name": "authCode", "value": "authCode" }],
                    "store": store(),
                    "operations": { "schedule": schedule() },
                },
                "success_key": "result.status",
                "success_value": "APPROVED",
                "agent_message_key": "result.text",
                "read_timeout_ms": 5_000,
            },
        }, {
            "kind": "credit_card_advanced",
            "title": "Card payment",
            "card_types": ["visa"],
            "enabled": true,
            "prompts": card_prompts(),
            "gateway": {
                "service_url": service_url,
                "success_key": "result.status",
                "success_value": "APPROVED",
                "agent_message_key": "result.text",
                "read_timeout_ms": 5_000,
            },
        }, {
            "kind": "check_basic",
            "title": "Bank payment elsewhere",
            "enabled": true,
            "prompts": [
                { "field": "routing_number", "text": "Please key the routing number." },
                { "field": "account_number", "text": "Please key the account number, then pound." },
            ],
        }, {
            "kind": "credit_card_basic",
            "title": "Card elsewhere",
            "card_types": ["visa"],
            "enabled": true,
            "prompts": card_prompts(),
        }],
    })
}

/// What a card widget asks for.
fn card_prompts() -> Value {
    json!([
        { "field": "card_number", "text": "Please key the card number, then pound." },
        { "field": "expiry", "text": "Please key the expiry date." },
        { "field": "security_code", "text": "Please key the security code, then pound." },
    ])
}

/// How the sandbox keeps an account, where nothing is due today.
fn store() -> Value {
    let row = |name: &str, value: &str| json!({ "name": name, "value": value });
    json!({
        "url": "/store",
        "success_key": "result.status",
        "success_value": "APPROVED",
        "agent_message_key": "result.text",
        "outputs": [row("authCode", "authCode")],
        "request_params": [
            row("reference", "{payment.reference}"),
            row("routingNumber", "{check.routing_number}"),
            row("accountNumber", "{check.account_number}"),
            row("currency", "{payment.currency}"),
        ],
    })
}

/// How the sandbox is asked to set a plan up, by the number of the charge, or of what it stored.
fn schedule() -> Value {
    let row = |name: &str, value: &str| json!({ "name": name, "value": value });
    json!({
        "url": "/schedule",
        "success_key": "result.status",
        "success_value": "APPROVED",
        "agent_message_key": "result.text",
        "outputs": [row("scheduleId", "authCode")],
        "request_params": [
            row("amount", "{payment.amount}"),
            row("reference", "{payment.reference}"),
            row("authCode", "{sale.authCode}"),
            row("startDate", "{arrangement.start_date}"),
            row("count", "{arrangement.count}"),
            row("each", "{arrangement.amount}"),
            row("last", "{arrangement.last_amount}"),
            row("every", "{arrangement.interval|default:once}"),
        ],
    })
}
