//! The server's file.
//! Owns: the settings table (key, default, meaning), the reader, the valid configuration.
//! Never: stops at the first error, or takes a key that it does not know.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

mod account;
mod connections;
mod reader;
mod recorders;
mod sip;
mod trunk;
mod trunk_rules;
mod value;

pub(crate) use account::Account;
pub(crate) use connections::{Connections, Proxy};
pub(crate) use reader::Problem;
use reader::Reader;
pub(crate) use recorders::{ExternalRecorder, RecorderKind};
pub(crate) use sip::Sip;
pub(crate) use trunk::Trunk;
pub(crate) use trunk_rules::Rules as TrunkRules;

/// One row of the settings table.
pub(crate) struct Setting {
    /// Dotted key. The environment variable is `TONEWALL_` and the key in capitals, `_` for the dot.
    pub(crate) key: &'static str,
    /// Its default as text; none: it must be given.
    pub(crate) default: Option<&'static str>,
    /// What it is, with unit and range.
    pub(crate) doc: &'static str,
}

impl Setting {
    /// Its row in the documentation.
    pub(crate) fn row(&self) -> String {
        let default = match self.default {
            None => "required".to_owned(),
            Some("") => "empty".to_owned(),
            Some(text) => format!("`{text}`"),
        };
        format!("| `{}` | {default} | {} |", self.key, self.doc)
    }
}

macro_rules! settings {
    ($($key:literal = $default:expr, $doc:literal;)*) => {
        /// Every key but the tables `[[trunk]]`, `[recorders.external.NAME]` and those of [`Connections`].
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting { key: $key, default: $default, doc: $doc }),*];
    };
}

settings! {
    "node.name" = Some("n1"), "Name of this node in tags, Call-IDs and the audit chain: 1-16 letters, digits or '-'.";
    "node.data" = None, "Folder for the database, the key file and what the server keeps.";
    "web.listen" = Some("127.0.0.1:8080"), "Address and port of the page and the API.";
    "web.origin" = Some(""), "Origin under which browsers reach the page, for example https://pay.example; empty: http:// (with a certificate https://) and web.listen.";
    "web.certificate" = Some(""), "PEM file with the certificate chain of the page, leaf first; with web.key the page is served by HTTPS.";
    "web.key" = Some(""), "PEM file with the certificate's private key.";
    "web.plain" = Some("loopback"), "Where the page is served without a certificate: loopback, or anywhere, for a TLS proxy on a network of its own.";
    "web.idle_lock" = Some("15m"), "A page without key or pointer locks after this long, 1m-60m.";
    "web.frame_hosts" = Some(""), "Hosts (or host:port) whose pages a web page tile of a designer desktop may show, separated by commas.";
    "web.embedding.origins" = Some(""), "Origins whose pages may show the page in a frame, separated by commas, for example https://crm.example; plain http on loopback only. In the file: a table [web.embedding] (docs/embedding.md).";
    "web.second_factor" = Some("required"), "Code of an authenticator app for administrators and for users with capture.view_basic: required, or off, of which the server warns at each start.";
    "web.first_administrator" = Some("link"), "How an installation without users gets its first administrator: link, which the start prints and opens a page once, or password, a one-time one for admin.";
    "health.listen" = Some("127.0.0.1:9090"), "Address and port of /healthz, /readyz and /metrics.";
    "sip.listen" = Some("0.0.0.0:5060"), "Address and port for SIP, by UDP and TCP; of no use where both are off.";
    "sip.udp" = Some("on"), "SIP by UDP at sip.listen: on or off. A route's URI that names no transport goes out by UDP, where that is off by TCP, where both are by TLS.";
    "sip.tcp" = Some("on"), "SIP by TCP at sip.listen: on or off. A route's URI asks for it by ;transport=tcp.";
    "sip.tls.listen" = Some(""), "Address and port for SIP over TLS, 5061 as a rule; empty: none. A route's URI asks for it by ;transport=tls.";
    "sip.tls.certificate" = Some(""), "PEM file with our certificate chain, leaf first, for those who call us and those who ask for it. Read again when it changes.";
    "sip.tls.key" = Some(""), "PEM file with that certificate's private key.";
    "sip.tls.roots" = Some(""), "PEM file with the authorities that sign for far sides; empty: we ask nobody for a certificate and call nobody over TLS.";
    "sip.advertised" = Some(""), "Address and port put into Contact and Via; empty: sip.listen. Over TLS this address with the port of sip.tls.listen.";
    "sip.realm" = Some("tonewall"), "Realm of the digest that agent phones answer.";
    "sip.digest" = Some("both"), "Hash functions offered to agent phones: both (SHA-256 first), sha-256 or md5. md5 is for phones that give up when they are offered more.";
    "sip.phone_codecs" = Some("PCMU,PCMA"), "What may be spoken with agent phones, the most wanted first, separated by commas: PCMU, PCMA, G722, opus. G722 and opus are spoken where the other side of the call speaks them, too, or speaks nothing else that is shared; opus on 256 legs of a node at a time.";
    "sip.ring_time" = Some("30s"), "A call rings for this long, 5s-180s, then 480.";
    "sip.next_place_after" = Some("4s"), "A place of a trunk that has several may be silent for this long, 1s-20s, before the next is called.";
    "sip.dns" = Some(""), "Servers that are asked for names among the places of trunks, up to four, each address:port, separated by commas; empty: those of the system (/etc/resolv.conf).";
    "sip.calls_per_second" = Some("500"), "New calls per second before 503, 1-10000.";
    "phones.srtp" = Some("refuse"), "Whether media of agent phones is secured by SRTP with keys in SDP: refuse, prefer or require (*Secured media* below).";
    "phones.srtp_short_tags" = Some("false"), "true: phones may use tags of 32 bits.";
    "phones.sdes_without_tls" = Some("false"), "true: phones get and give keys without TLS, where everybody on the way can read them.";
    "media.address" = Some("127.0.0.1"), "Local address of RTP sockets.";
    "media.advertised" = Some(""), "Address put into SDP; empty: media.address.";
    "media.ports" = Some("10000-19999"), "UDP ports for RTP and RTCP, an even first one.";
    "media.browser_port" = Some(""), "UDP port for the phones in agents' pages, and the ports after it for further media threads; empty: ports out of media.ports, chosen at the start; 0: no phones in pages.";
    "media.threads" = Some("1"), "Media threads, 1-64: one per core that relays.";
    "store.url" = Some(""), "sqlite:PATH or postgres://..; empty: sqlite in node.data.";
    "store.key_file" = Some(""), "File with the master key; empty: master.key in node.data, made at the first start.";
    "recordings.directory" = Some(""), "Folder for recordings of calls, and of agents' screens, of services that want them; empty: nothing is recorded.";
    "gateway.allowed_hosts" = Some(""), "Hosts (or host:port) that may receive captured values, separated by commas.";
    "gateway.ca_file" = Some(""), "PEM file with further roots for gateways; empty: the system's roots only.";
    "gateway.proxy" = Some(""), "Name of the table [gateway.proxies.NAME] through which all gateways are reached that name none of their own; empty: no proxy. Proxies of the environment are never used.";
    "capture.slots" = Some("512"), "Captures and calls that can hold digits at once, 16-65536.";
    "log.level" = Some("info"), "error, warn, info, debug or trace, for our own rooms; foreign ones stay at warn.";
    "log.format" = Some("text"), "text or json.";
}

/// How an installation without users gets its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstAdministrator {
    /// By a link that opens a page once.
    Link,
    /// `admin`, by a one-time password, for installations that are set up by a program.
    Password,
}

impl FirstAdministrator {
    fn of(word: &str) -> Self {
        match word {
            "password" => Self::Password,
            _ => Self::Link,
        }
    }
}

/// The valid configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) node: String,
    pub(crate) data: PathBuf,
    pub(crate) web_listen: SocketAddr,
    pub(crate) web_origin: Option<String>,
    pub(crate) web_tls: Option<web::TlsFiles>,
    pub(crate) frame_hosts: Vec<String>,
    pub(crate) embedding: Vec<String>,
    pub(crate) idle_lock: Duration,
    pub(crate) second_factor: bool,
    pub(crate) first_administrator: FirstAdministrator,
    pub(crate) health_listen: SocketAddr,
    pub(crate) sip: Sip,
    pub(crate) realm: String,
    pub(crate) digest: voice::DigestPolicy,
    pub(crate) phone_codecs: Vec<voice::Codec>,
    pub(crate) ring_time: Duration,
    pub(crate) next_place_after: Duration,
    pub(crate) calls_per_second: u32,
    pub(crate) phones_srtp: voice::SrtpRule,
    pub(crate) media_address: IpAddr,
    pub(crate) media_advertised: Option<IpAddr>,
    pub(crate) media_ports: RangeInclusive<u16>,
    pub(crate) browser_port: Option<u16>,
    pub(crate) media_threads: usize,
    pub(crate) store_url: Option<String>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) recordings: Option<PathBuf>,
    /// By their names.
    pub(crate) external_recorders: Vec<(String, ExternalRecorder)>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connections: Connections,
    pub(crate) slots: usize,
    pub(crate) log_level: String,
    pub(crate) log_json: bool,
    pub(crate) trunks: Vec<Trunk>,
}

impl Config {
    /// Reads a file's text with the environment laid over it.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key.
    pub(crate) fn parse(
        text: &str,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::new(text, environment)?;
        let config = read(&mut reader);
        reader.finish(config)
    }
}

fn read(reader: &mut Reader) -> Option<Config> {
    let node = reader.read("node.name", value::node_name);
    let data = reader.read("node.data", value::path);
    let web_listen = reader.read("web.listen", value::socket);
    let web_origin = reader.read("web.origin", value::optional(value::origin));
    let web_tls = read_tls(reader, web_listen);
    let frame_hosts = reader.read("web.frame_hosts", value::hosts);
    let embedding = reader.read("web.embedding.origins", value::embedding);
    let idle_lock = reader.read("web.idle_lock", value::duration(60, 3_600));
    let login = read_login(reader);
    let health_listen = reader.read("health.listen", value::socket);
    let sip = sip::read(reader);
    let realm = reader.read("sip.realm", value::word);
    let digest = reader.read("sip.digest", value::digest);
    let phone_codecs = reader.read("sip.phone_codecs", value::codec_list);
    let ring_time = reader.read("sip.ring_time", value::duration(5, 180));
    let next_place_after = reader.read("sip.next_place_after", value::duration(1, 20));
    let calls_per_second = reader.read("sip.calls_per_second", value::number(1, 10_000));
    let media = read_media(reader);
    let store_url = reader.read("store.url", value::optional(value::store_url));
    let key_file = reader.read("store.key_file", value::optional(value::path));
    let recordings = reader.read("recordings.directory", value::optional(value::path));
    let allowed_hosts = reader.read("gateway.allowed_hosts", value::hosts);
    let ca_file = reader.read("gateway.ca_file", value::optional(value::path));
    let (phones_srtp, connections) = (read_phones_srtp(reader), connections::read(reader));
    let slots = reader.read("capture.slots", value::number(16, 65_536));
    let log = read_log(reader);
    let (trunks, external_recorders) = (trunk::read(reader), recorders::read(reader));
    let (first_administrator, second_factor) = login?;
    sip::check_names(reader, sip.as_ref(), &trunks);
    let (log_level, log_json) = log?;
    let media = media?;
    Some(Config {
        node: node?,
        data: data?,
        web_listen: web_listen?,
        web_origin: web_origin?,
        web_tls,
        frame_hosts: frame_hosts?,
        embedding: embedding?,
        idle_lock: idle_lock?,
        second_factor,
        first_administrator,
        health_listen: health_listen?,
        sip: sip?,
        realm: realm?,
        digest: digest?,
        phone_codecs: phone_codecs?,
        ring_time: ring_time?,
        next_place_after: next_place_after?,
        calls_per_second: calls_per_second?,
        phones_srtp: phones_srtp?,
        media_address: media.address,
        media_advertised: media.advertised,
        media_ports: media.ports,
        browser_port: media.browser_port,
        media_threads: media.threads,
        store_url: store_url?,
        key_file: key_file?,
        recordings: recordings?,
        external_recorders,
        allowed_hosts: allowed_hosts?,
        ca_file: ca_file?,
        connections,
        slots: usize::try_from(slots?).ok()?,
        log_level,
        log_json,
        trunks,
    })
}

/// How the first administrator comes in, and whether a second factor is asked for.
fn read_login(reader: &mut Reader) -> Option<(FirstAdministrator, bool)> {
    let first_administrator = reader.read(
        "web.first_administrator",
        value::one_of(&["link", "password"]),
    );
    let second_factor = reader.read("web.second_factor", value::one_of(&["required", "off"]));
    let first_administrator = FirstAdministrator::of(&first_administrator?);
    Some((first_administrator, second_factor? == "required"))
}

fn read_phones_srtp(reader: &mut Reader) -> Option<voice::SrtpRule> {
    let wanted = reader.read("phones.srtp", value::srtp);
    let short_tags = reader.read("phones.srtp_short_tags", value::flag);
    let without_tls = reader.read("phones.sdes_without_tls", value::flag);
    Some(voice::SrtpRule {
        wanted: wanted?,
        short_tags: short_tags?,
        without_tls: without_tls?,
    })
}

/// Where media comes and goes.
struct Media {
    address: IpAddr,
    advertised: Option<IpAddr>,
    ports: RangeInclusive<u16>,
    browser_port: Option<u16>,
    threads: usize,
}

fn read_media(reader: &mut Reader) -> Option<Media> {
    let address = reader.read("media.address", value::address);
    let advertised = reader.read("media.advertised", value::optional(value::address));
    let ports = reader.read("media.ports", value::port_range);
    let browser_port = value::optional(value::number(0, u16::MAX.into()));
    let browser_port = reader.read("media.browser_port", browser_port);
    let threads = reader.read("media.threads", value::number(1, 64));
    Some(Media {
        address: address?,
        advertised: advertised?,
        ports: ports?,
        browser_port: browser_port?.and_then(|port| u16::try_from(port).ok()),
        threads: usize::try_from(threads?).ok()?,
    })
}

/// Level, and whether lines are JSON.
fn read_log(reader: &mut Reader) -> Option<(String, bool)> {
    let level = reader.read(
        "log.level",
        value::one_of(&["error", "warn", "info", "debug", "trace"]),
    );
    let format = reader.read("log.format", value::one_of(&["text", "json"]));
    Some((level?, format? == "json"))
}

/// Card numbers and passwords do not cross a network in clear.
fn read_tls(reader: &mut Reader, listen: Option<SocketAddr>) -> Option<web::TlsFiles> {
    let certificate = reader.read("web.certificate", value::optional(value::path))?;
    let key = reader.read("web.key", value::optional(value::path))?;
    let plain = reader.read("web.plain", value::one_of(&["loopback", "anywhere"]))?;
    let is_local = listen.is_none_or(|listen| listen.ip().is_loopback());
    match (certificate, key) {
        (Some(certificate), Some(key)) => return Some(web::TlsFiles { certificate, key }),
        (Some(_), None) => reader.problem("web.key", "is missing beside web.certificate"),
        (None, Some(_)) => reader.problem("web.certificate", "is missing beside web.key"),
        (None, None) if is_local || plain == "anywhere" => {}
        (None, None) => reader.problem(
            "web.listen",
            "can be reached from other machines without TLS: set web.certificate and web.key; or, behind a TLS proxy on a network of its own, \
             web.plain = \"anywhere\"",
        ),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn nothing(_: &str) -> Option<String> {
        None
    }

    pub(super) fn problems(text: &str) -> Vec<String> {
        Config::parse(text, nothing)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn defaults_fill_what_is_not_given() {
        let config = Config::parse("[node]\ndata = \"/tmp/x\"\n", nothing).unwrap();
        assert_eq!(config.media_ports, 10_000..=19_999);
        assert_eq!(config.idle_lock, Duration::from_secs(900));
        assert!(config.second_factor);
        assert_eq!(config.first_administrator, FirstAdministrator::Link);
        assert!(config.trunks.is_empty());
        assert_eq!(config.recordings, None);
    }

    #[test]
    fn all_errors_are_reported_at_once_with_their_keys() {
        let text = "[node]\nname = \"a b\"\n[web]\nidle_lock = \"15\"\nlisen = \"x\"\n[media]\nports = \"10001-10000\"\n";
        let problems = problems(text).join("\n");
        for key in [
            "node.name",
            "node.data",
            "web.idle_lock",
            "web.lisen",
            "media.ports",
        ] {
            assert!(problems.contains(key), "{key} in\n{problems}");
        }
        assert!(
            problems.contains("web.listen"),
            "the nearest key is named:\n{problems}"
        );
    }

    #[test]
    fn the_page_is_not_served_in_clear_to_other_machines() {
        let text = |rest: &str| format!("[node]\ndata = \"/tmp/x\"\n[web]\n{rest}");
        let open = "listen = \"0.0.0.0:8080\"\norigin = \"https://pay.example\"\n";
        assert!(problems(&text(open))[0].contains("web.listen"));
        let proxied = Config::parse(&text(&format!("{open}plain = \"anywhere\"\n")), nothing);
        assert_eq!(proxied.unwrap().web_tls, None);
        let half = problems(&text(&format!("{open}certificate = \"c.pem\"\n")));
        assert!(half[0].contains("web.key"), "{half:?}");
        let both = format!("{open}certificate = \"c.pem\"\nkey = \"k.pem\"\n");
        let files = Config::parse(&text(&both), nothing)
            .unwrap()
            .web_tls
            .unwrap();
        assert_eq!(files.key, PathBuf::from("k.pem"));
    }

    #[test]
    fn pages_around_ours_are_origins_in_a_table_of_their_own() {
        let text = |origins: &str| {
            format!("[node]\ndata = \"/tmp/x\"\n[web.embedding]\norigins = {origins}\n")
        };
        let config = Config::parse(
            &text(r#"["https://crm.example", "https://b.example:8443"]"#),
            nothing,
        );
        assert_eq!(
            config.unwrap().embedding,
            ["https://crm.example", "https://b.example:8443"]
        );
        for wrong in [
            "http://crm.example",
            "https://crm.example/x",
            "*",
            "https://*.example",
        ] {
            let problems = problems(&text(&format!("[\"https://crm.example\", \"{wrong}\"]")));
            let told = format!("web.embedding.origins: \"{wrong}\"");
            assert!(problems[0].starts_with(&told), "{problems:?}");
        }
        let unknown = text("[]").replace("origins", "origin");
        assert!(problems(&unknown)[0].contains("web.embedding.origin"));
    }

    #[test]
    fn what_gateways_may_name_is_read_and_its_errors_named() {
        let text = "[node]\ndata = \"/tmp/x\"\n[gateway]\nallowed_hosts = \"pay.example\"\n[gateway.trust.bank]\nca_file = \"bank.pem\"\n\
                    [gateway.client_certificates.shop]\ncertificate_file = \"shop.pem\"\nkey_file = \"shop.key\"\n";
        let config = Config::parse(text, nothing).unwrap();
        assert_eq!(config.allowed_hosts, ["pay.example"]);
        let Connections {
            trust,
            client_certificates,
            proxies,
            proxy,
        } = config.connections;
        assert!(proxies.is_empty() && proxy.is_none());
        assert_eq!(trust, [("bank".to_owned(), PathBuf::from("bank.pem"))]);
        let [(name, files)] = &client_certificates[..] else {
            panic!("{client_certificates:?}");
        };
        assert_eq!((&**name, &files.key), ("shop", &PathBuf::from("shop.key")));
        for (wrong, told) in [
            (
                "[gateway.trust.bank]\nca = \"x\"\n",
                "gateway.trust.bank.ca: unknown; it has ca_file",
            ),
            (
                "[gateway.trust.bank]\n",
                "gateway.trust.bank.ca_file: write a path",
            ),
            (
                "[gateway.trust.Bank]\nca_file = \"x\"\n",
                "gateway.trust.Bank: a name begins with a small letter",
            ),
            (
                "[gateway.trust]\nbank = \"x\"\n",
                "gateway.trust.bank: write it as [gateway.trust.bank]",
            ),
            (
                "[gateway]\ntrust = \"x\"\n",
                "gateway.trust: write it as [gateway.trust.NAME]",
            ),
            (
                "[gateway.client_certificates.shop]\nkey_file = \"x\"\n",
                "gateway.client_certificates.shop.certificate_file: write a path",
            ),
        ] {
            let problems = problems(&format!("[node]\ndata = \"/tmp/x\"\n{wrong}"));
            assert!(
                problems.iter().any(|one| one.starts_with(told)),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn proxies_are_read_and_one_may_be_for_all() {
        let text =
            |rest: &str| format!("[node]\ndata = \"/tmp/x\"\n[gateway]\nproxy = \"out\"\n{rest}");
        let out = "[gateway.proxies.out]\nurl = \"http://proxy.example:3128\"\n";
        let config = Config::parse(&text(out), nothing).unwrap();
        assert_eq!(config.connections.proxy.as_deref(), Some("out"));
        let credentials = format!("{out}user = \"shop\"\npassword_file = \"word\"\n");
        let config = Config::parse(&text(&credentials), nothing).unwrap();
        let (_, proxy) = &config.connections.proxies[0];
        let expected = ("shop".to_owned(), PathBuf::from("word"));
        assert_eq!(proxy.credentials, Some(expected));
        for (rest, told) in [
            ("", "gateway.proxy: there is no [gateway.proxies.out]"),
            (
                "[gateway.proxies.out]\n",
                "gateway.proxies.out.url: write http://",
            ),
            (
                "[gateway.proxies.out]\nurl = \"https://proxy.example:3128\"\n",
                "gateway.proxies.out.url: write http://",
            ),
            (
                &format!("{out}user = \"shop\"\n"),
                "gateway.proxies.out.password_file: is missing",
            ),
            (
                &format!("{out}password_file = \"word\"\n"),
                "gateway.proxies.out.user: is missing",
            ),
            (
                &format!("{out}password = \"word\"\n"),
                "gateway.proxies.out.password: unknown",
            ),
        ] {
            let problems = problems(&text(rest));
            assert!(
                problems.iter().any(|one| one.starts_with(told)),
                "{problems:?}"
            );
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment = |name: &str| (name == "TONEWALL_NODE_NAME").then(|| "n9".to_owned());
        let config =
            Config::parse("[node]\ndata = \"/tmp/x\"\nname = \"n1\"\n", environment).unwrap();
        assert_eq!(config.node, "n9");
    }

    #[test]
    fn trunks_are_read_and_their_errors_named() {
        let text = "[node]\ndata = \"/tmp/x\"\n[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\n";
        let config = Config::parse(text, nothing).unwrap();
        assert_eq!(config.trunks[0].media_source, voice::MediaSource::Signalled);
        let wrong = text.replace("192.0.2.1", "carrier.example");
        assert!(problems(&wrong)[0].contains("trunk[0].addresses"));
    }

    #[test]
    fn secured_media_is_asked_for_by_trunk_and_for_phones() {
        use voice::{Srtp, SrtpRule};
        let text = |phones: &str, trunk: &str| {
            format!(
                "[node]\ndata = \"/tmp/x\"\n[phones]\n{phones}[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\n{trunk}"
            )
        };
        let rules = |phones: &str, trunk: &str| {
            let config = Config::parse(&text(phones, trunk), nothing).unwrap();
            (config.phones_srtp, config.trunks[0].srtp)
        };
        let clear = SrtpRule::default();
        assert_eq!(rules("", ""), (clear, clear));
        let (phones, trunk) = rules(
            "srtp = \"prefer\"\nsdes_without_tls = true\n",
            "srtp = \"require\"\nsrtp_short_tags = true\n",
        );
        assert_eq!(
            (phones.wanted, phones.without_tls, phones.short_tags),
            (Srtp::Prefer, true, false)
        );
        assert_eq!(
            (trunk.wanted, trunk.without_tls, trunk.short_tags),
            (Srtp::Require, false, true)
        );
        for (phones, trunk, key) in [
            ("srtp = \"yes\"\n", "", "phones.srtp"),
            (
                "sdes_without_tls = \"maybe\"\n",
                "",
                "phones.sdes_without_tls",
            ),
            ("", "srtp = \"yes\"\n", "trunk[0].srtp"),
            ("", "srtp = 1\n", "trunk[0].srtp"),
            (
                "",
                "sdes_without_tls = \"yes\"\n",
                "trunk[0].sdes_without_tls",
            ),
        ] {
            let problems = problems(&text(phones, trunk));
            assert!(problems[0].starts_with(key), "{key}: {problems:?}");
        }
    }

    #[test]
    fn codecs_are_those_of_the_file_and_each_error_is_named() {
        let text = "[node]\ndata = \"/tmp/x\"\n[sip]\nphone_codecs = \"g722, Opus, PCMA\"\n[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\ncodecs = [\"G722\", \"PCMU\"]\n";
        let config = Config::parse(text, nothing).unwrap();
        assert_eq!(
            config.phone_codecs,
            [voice::Codec::G722, voice::Codec::Opus, voice::Codec::Pcma]
        );
        assert_eq!(
            config.trunks[0].codecs,
            [voice::Codec::G722, voice::Codec::Pcmu]
        );
        let usual = text.replace("codecs = [\"G722\", \"PCMU\"]", "");
        let config = Config::parse(&usual, nothing).unwrap();
        assert_eq!(config.trunks[0].codecs, voice::Codec::USUAL);
        for wrong in ["[\"G729\"]", "[\"PCMU\", \"PCMU\"]", "[]", "\"PCMU\""] {
            let text = text.replace("[\"G722\", \"PCMU\"]", wrong);
            assert!(problems(&text)[0].contains("trunk[0].codecs"), "{wrong}");
        }
        let wrong = text.replace("g722, Opus, PCMA", "");
        assert!(problems(&wrong)[0].contains("sip.phone_codecs"));
    }

    #[test]
    fn sip_over_tls_is_whole_or_says_what_is_missing() {
        let base = "[node]\ndata = \"/tmp/x\"\n[sip.tls]\nlisten = \"127.0.0.1:5061\"\n";
        let config = Config::parse(
            &format!("{base}certificate = \"c.pem\"\nkey = \"k.pem\"\n"),
            nothing,
        );
        let tls = config.unwrap().sip.tls.unwrap();
        assert_eq!((tls.listen.port(), tls.roots), (5_061, None));
        let missing = problems(base).join("\n");
        assert!(missing.contains("sip.tls.certificate") && missing.contains("sip.tls.key"));
        let alone = problems("[node]\ndata = \"/tmp/x\"\n[sip.tls]\nkey = \"k.pem\"\n");
        assert!(alone[0].starts_with("sip.tls.listen"), "{alone:?}");
        let trunk = "[[trunk]]\nname = \"carrier\"\naddresses = [\"192.0.2.1\"]\ntls_name = \"sbc.carrier.example\"\n";
        let named = problems(&format!(
            "{base}certificate = \"c.pem\"\nkey = \"k.pem\"\n{trunk}"
        ));
        assert!(named[0].starts_with("sip.tls.roots"), "{named:?}");
        let wrong =
            problems(&format!("[node]\ndata = \"/tmp/x\"\n{trunk}").replace("sbc.", "s b c."));
        assert!(wrong[0].starts_with("trunk[0].tls_name"), "{wrong:?}");
    }

    #[test]
    fn the_documentation_names_every_key() {
        let page = include_str!("../../../../docs/configuration.md");
        for setting in SETTINGS {
            let row = setting.row();
            assert!(
                page.contains(&row),
                "docs/configuration.md lacks the row:\n{row}"
            );
        }
    }
}
