//! Where names lead: NAPTR, then SRV, then A and AAAA ([RFC 3263](https://www.rfc-editor.org/rfc/rfc3263)).
//! Owns: the questions, and what their answers come to.
//! Never: chooses one of several: their order for a call is made as it is made.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use sip::{Host, SipUri, Transport};
use thiserror::Error;

/// Addresses of one name that are kept: twice as many as one call tries. More: the last of their order are passed over.
const FOUND_MAX: usize = 16;

/// Servers of one service that are looked at, the most wanted first. The answers of a carrier name two to four.
const SERVERS_MAX: usize = 8;

/// Services of a name: one for each transport.
const SERVICES_MAX: usize = 3;

/// How long one server of names is waited for, and how often it is asked: calls do not wait for this, a start or a change does.
const SILENCE_MAX: Duration = Duration::from_secs(2);
const TRIES: usize = 2;

/// An answer is asked for again after this long at most, whatever it says of itself.
const HOLD_MAX: Duration = Duration::from_secs(3_600);

/// An answer is kept for so long at least: some say 0.
const HOLD_MIN: Duration = Duration::from_secs(5);

/// Why a name leads nowhere.
#[derive(Debug, Error)]
pub(crate) enum DnsError {
    /// Nobody answers, or nothing that can be used.
    #[error("servers of names give no answer")]
    PeerSilent(#[source] NetError),
    /// The name has no address.
    #[error("it has no address")]
    PeerNoAddress,
    /// What the system says of servers of names cannot be used.
    #[error("the system's servers of names are not known")]
    ConfigServers(#[source] NetError),
}

/// One address of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) address: SocketAddr,
    pub(crate) transport: Transport,
    /// The lowest is called first.
    pub(crate) rank: u32,
    /// Among those of one rank, its share of the calls.
    pub(crate) weight: u16,
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Not empty, the lowest rank first.
    pub(crate) found: Vec<Found>,
    /// How long it holds, from now.
    pub(crate) hold: Duration,
}

/// Asks servers of names.
#[derive(Clone)]
pub(crate) struct Dns {
    resolver: TokioResolver,
    /// What we speak, the most wanted first.
    spoken: Vec<Transport>,
}

/// A name of a service, and what is spoken there.
type Service = (String, Transport);

impl Dns {
    /// By these servers; none: by the system's.
    pub(crate) fn new(servers: &[SocketAddr], spoken: Vec<Transport>) -> Result<Self, DnsError> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().map_err(DnsError::ConfigServers)?
        } else {
            let servers = servers.iter().map(name_server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.timeout = SILENCE_MAX;
        options.attempts = TRIES;
        // What is not there now may be there in a minute; a name that is set up is looked at until it is.
        options.negative_max_ttl = Some(HOLD_MIN);
        let resolver = builder.build().map_err(DnsError::ConfigServers)?;
        Ok(Self { resolver, spoken })
    }

    /// Where this URI's name leads.
    pub(crate) async fn resolve(&self, uri: &SipUri) -> Result<Answer, DnsError> {
        let Host::Name(host) = &uri.host else {
            return Err(DnsError::PeerNoAddress);
        };
        let wanted = match uri.params.value("transport") {
            _ if uri.secure => Some(Transport::Tls),
            Some(word) => Transport::parse(word),
            None => None,
        };
        let usual = wanted.or(self.spoken.first().copied());
        let usual = usual.ok_or(DnsError::PeerNoAddress)?;
        let mut asked = Asked::new();
        if let Some(port) = uri.port {
            self.addresses(&mut asked, host, (port, usual, 0, 0))
                .await?;
            return asked.answer();
        }
        let services = self.services(&mut asked, host, wanted).await?;
        for (place, (service, transport)) in (0..).zip(services) {
            self.servers(&mut asked, &service, (place, transport))
                .await?;
        }
        if asked.found.is_empty() && !asked.has_servers {
            let at = (usual.default_port(), usual, 0, 0);
            self.addresses(&mut asked, host, at).await?;
        }
        asked.answer()
    }

    /// The services of a name, the most wanted first ([RFC 3263 §4.1](https://www.rfc-editor.org/rfc/rfc3263#section-4.1)): as its NAPTR records say, else one
    /// for each transport that we speak, or for the wanted one.
    async fn services(
        &self,
        asked: &mut Asked,
        host: &str,
        wanted: Option<Transport>,
    ) -> Result<Vec<Service>, DnsError> {
        if wanted.is_none()
            && let Some(records) = self.ask(asked, host, RecordType::NAPTR).await?
        {
            let services = by_naptr(&records, &self.spoken);
            if !services.is_empty() {
                return Ok(services);
            }
        }
        let spoken = wanted.map_or_else(|| self.spoken.clone(), |wanted| vec![wanted]);
        let service = |transport| (format!("{}.{host}", label(transport)), transport);
        Ok(spoken.into_iter().map(service).take(SERVICES_MAX).collect())
    }

    /// The servers of a service ([RFC 2782](https://www.rfc-editor.org/rfc/rfc2782)), with their addresses. One that has none is passed over.
    async fn servers(
        &self,
        asked: &mut Asked,
        service: &str,
        (place, transport): (u32, Transport),
    ) -> Result<(), DnsError> {
        let Some(records) = self.ask(asked, service, RecordType::SRV).await? else {
            return Ok(());
        };
        let mut servers = Vec::new();
        for record in records.answers() {
            if let RData::SRV(server) = &record.data {
                servers.push((
                    server.priority,
                    server.weight,
                    server.port,
                    server.target.to_ascii(),
                ));
            }
        }
        servers.sort();
        asked.has_servers |= !servers.is_empty();
        for (priority, weight, port, target) in servers.into_iter().take(SERVERS_MAX) {
            // A lone dot says that there is no such service.
            if target == "." || port == 0 {
                continue;
            }
            let rank = (place << 16) | u32::from(priority);
            let at = (port, transport, rank, weight);
            match self.addresses(asked, &target, at).await {
                Ok(()) | Err(DnsError::PeerNoAddress) => {}
                Err(error) if asked.found.is_empty() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    async fn addresses(
        &self,
        asked: &mut Asked,
        host: &str,
        (port, transport, rank, weight): (u16, Transport, u32, u16),
    ) -> Result<(), DnsError> {
        let mut ips: Vec<IpAddr> = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            let Some(records) = self.ask(asked, host, kind).await? else {
                continue;
            };
            ips.extend(
                records
                    .answers()
                    .iter()
                    .filter_map(|record| match &record.data {
                        RData::A(ip) => Some(IpAddr::V4(ip.0)),
                        RData::AAAA(ip) => Some(IpAddr::V6(ip.0)),
                        _ => None,
                    }),
            );
        }
        if ips.is_empty() {
            return Err(DnsError::PeerNoAddress);
        }
        for ip in ips {
            asked.keep(Found {
                address: SocketAddr::new(ip, port),
                transport,
                rank,
                weight,
            });
        }
        Ok(())
    }

    /// None: there are no such records, which is an answer, too.
    async fn ask(
        &self,
        asked: &mut Asked,
        name: &str,
        kind: RecordType,
    ) -> Result<Option<Lookup>, DnsError> {
        // With a dot at its end no domain of the system's is tried behind it.
        let whole = format!("{}.", name.trim_end_matches('.'));
        match self.resolver.lookup(whole, kind).await {
            Ok(records) => {
                asked.until = asked.until.min(records.valid_until());
                Ok(Some(records))
            }
            Err(error) if error.is_no_records_found() => Ok(None),
            Err(error) => Err(DnsError::PeerSilent(error)),
        }
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}

/// First labels of a service ([RFC 3263 §4.2](https://www.rfc-editor.org/rfc/rfc3263#section-4.2)).
fn label(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}

/// The services of NAPTR records that we speak, in their order and preference.
fn by_naptr(records: &Lookup, spoken: &[Transport]) -> Vec<Service> {
    let mut services = Vec::new();
    for record in records.answers() {
        let RData::NAPTR(rule) = &record.data else {
            continue;
        };
        let transport = match rule.services.to_ascii_uppercase().as_slice() {
            b"SIP+D2U" => Transport::Udp,
            b"SIP+D2T" => Transport::Tcp,
            b"SIPS+D2T" => Transport::Tls,
            _ => continue,
        };
        if rule.flags.eq_ignore_ascii_case(b"s") && spoken.contains(&transport) {
            let service = (rule.replacement.to_ascii(), transport);
            services.push((rule.order, rule.preference, service));
        }
    }
    services.sort();
    let services = services.into_iter().map(|(_, _, service)| service);
    services.take(SERVICES_MAX).collect()
}

/// What the questions of one name have brought so far.
struct Asked {
    found: Vec<Found>,
    until: Instant,
    has_servers: bool,
}

impl Asked {
    fn new() -> Self {
        Self {
            found: Vec::new(),
            until: Instant::now() + HOLD_MAX,
            has_servers: false,
        }
    }

    fn keep(&mut self, new: Found) {
        let is_it = |old: &Found| (old.address, old.transport) == (new.address, new.transport);
        if self.found.len() < FOUND_MAX && !self.found.iter().any(is_it) {
            self.found.push(new);
        }
    }

    fn answer(mut self) -> Result<Answer, DnsError> {
        if self.found.is_empty() {
            return Err(DnsError::PeerNoAddress);
        }
        self.found.sort_by_key(|found| found.rank);
        let hold = self.until.saturating_duration_since(Instant::now());
        Ok(Answer {
            found: self.found,
            hold: hold.max(HOLD_MIN),
        })
    }
}
