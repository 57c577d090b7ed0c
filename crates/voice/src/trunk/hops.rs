//! In which order the places of a trunk are called.
//! Owns: what has to be asked of DNS for a SIP URI (RFC 3263), and the order of what comes back (RFC 2782).
//! Never: asks DNS itself, or remembers an answer.
//!
//! Driven: [`Resolution::next_question`] says what to ask, [`Resolution::answer`] takes what came of it, and at the end
//! [`Resolution::candidates`] has the places.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use sip::{Host, SipUri, Transport};

/// Questions for one URI: NAPTR, then SRV for each transport, then addresses for each server. More: those that are left are not asked.
const QUESTIONS_MAX: usize = 24;

/// Places of one URI. A list that is longer can only be a mistake, and a call would not live to see its end.
const CANDIDATES_MAX: usize = 32;

/// One place that calls may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Address and port.
    pub address: SocketAddr,
    /// How.
    pub transport: Transport,
    /// The name that was looked up, which a certificate has to bear; none for an address.
    pub name: Option<String>,
}

/// A place with its rank. Lower priorities are called first; within one, each by its weight's chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The place.
    pub hop: Hop,
    /// Of its transport, then of its server; (0, 0) is first.
    pub priority: (u16, u16),
    /// 0 is hardly ever first.
    pub weight: u16,
}

/// What is asked of DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `NAPTR` of a domain.
    Services(String),
    /// `SRV` of a name.
    Servers(String),
    /// `A` and `AAAA` of a name.
    Addresses(String),
}

/// What DNS says. What is not there is an empty answer; an answer that could not be had at all is one, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Services`].
    Services(Vec<ServiceRecord>),
    /// To [`Question::Servers`].
    Servers(Vec<ServerRecord>),
    /// To [`Question::Addresses`].
    Addresses(Vec<IpAddr>),
}

/// A `NAPTR` record (RFC 3403) with the flag `s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Lower ones come first.
    pub order: u16,
    /// The same among those of one order.
    pub preference: u16,
    /// Such as `SIP+D2U`.
    pub service: String,
    /// Whose `SRV` records are meant.
    pub replacement: String,
}

/// An `SRV` record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRecord {
    /// Lower ones come first.
    pub priority: u16,
    /// Chance among those of one priority.
    pub weight: u16,
    /// Port.
    pub port: u16,
    /// Name of the server.
    pub target: String,
}

/// The places of one URI, as far as they are known.
#[derive(Debug)]
pub struct Resolution {
    domain: String,
    /// Of the URI; any of ours if it names none.
    transport: Option<Transport>,
    questions: VecDeque<(Question, Wanted)>,
    asked: usize,
    candidates: Vec<Candidate>,
    /// Something has named servers: addresses of the domain itself are not asked for.
    has_servers: bool,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    transport: Transport,
    port: u16,
    priority: (u16, u16),
    weight: u16,
}

impl Wanted {
    /// Servers of a transport that is liked this much.
    fn new(transport: Transport, port: u16, liked: u16) -> Self {
        Self {
            transport,
            port,
            priority: (liked, 0),
            weight: 0,
        }
    }
}

impl Resolution {
    /// What has to be asked for `uri`; `ours` are the transports that we have, in the order in which we like them.
    #[must_use]
    pub fn new(uri: &SipUri, ours: &[Transport]) -> Self {
        let named = uri.params.value("transport").and_then(transport_of);
        let transport = if uri.secure {
            Some(Transport::Tls)
        } else {
            named
        };
        let mut resolution = Self {
            domain: uri.host.to_string(),
            transport,
            questions: VecDeque::new(),
            asked: 0,
            candidates: Vec::new(),
            has_servers: false,
        };
        resolution.begin(uri, ours);
        resolution
    }

    /// [RFC 3263 §4](https://www.rfc-editor.org/rfc/rfc3263#section-4): an address or a port leave nothing to choose.
    fn begin(&mut self, uri: &SipUri, ours: &[Transport]) {
        let direct = self.transport.unwrap_or(Transport::Udp);
        let usual = uri.port.unwrap_or(default_port(direct));
        let wanted = Wanted::new(direct, usual, 0);
        match (&uri.host, uri.port, self.transport) {
            (Host::Ip(ip), _, _) => self.found(*ip, &wanted, None),
            (Host::Name(name), Some(_), _) => {
                let question = Question::Addresses(name.to_string());
                self.questions.push_back((question, wanted));
            }
            (Host::Name(_), None, Some(transport)) => self.ask_servers(transport, 0),
            (Host::Name(name), None, None) => {
                let question = Question::Services(name.to_string());
                self.questions.push_back((question, wanted));
                for (transport, liked) in ours.iter().zip(0..) {
                    self.ask_servers(*transport, liked);
                }
            }
        }
    }

    fn ask_servers(&mut self, transport: Transport, liked: u16) {
        let name = format!("{}.{}", service_prefix(transport), self.domain);
        let wanted = Wanted::new(transport, default_port(transport), liked);
        self.questions.push_back((Question::Servers(name), wanted));
    }

    /// What is to be asked next; none: all is known.
    #[must_use]
    pub fn next_question(&self) -> Option<Question> {
        if self.asked >= QUESTIONS_MAX {
            return None;
        }
        self.questions.front().map(|(question, _)| question.clone())
    }

    /// Takes the answer to the last question in.
    pub fn answer(&mut self, answer: Answer) {
        let Some((question, wanted)) = self.questions.pop_front() else {
            return;
        };
        self.asked += 1;
        match (question, answer) {
            (Question::Services(_), Answer::Services(records)) => self.take_services(records),
            (Question::Servers(_), Answer::Servers(records)) => {
                self.take_servers(records, &wanted);
            }
            (Question::Addresses(name), Answer::Addresses(addresses)) => {
                for ip in addresses {
                    self.found(ip, &wanted, Some(&name));
                }
            }
            _ => {}
        }
        let is_done = self.questions.is_empty() && !self.has_servers && self.candidates.is_empty();
        if is_done && self.asked > 0 {
            self.ask_addresses_of_domain();
        }
    }

    /// Without SRV records the domain is the server, by the URI's transport or UDP ([RFC 3263 §4.2](https://www.rfc-editor.org/rfc/rfc3263#section-4.2)).
    fn ask_addresses_of_domain(&mut self) {
        self.has_servers = true;
        let transport = self.transport.unwrap_or(Transport::Udp);
        let wanted = Wanted::new(transport, default_port(transport), 0);
        let question = Question::Addresses(self.domain.clone());
        self.questions.push_back((question, wanted));
    }

    /// NAPTR records say which transports the domain has and which of them it likes: they replace our guesses.
    fn take_services(&mut self, mut records: Vec<ServiceRecord>) {
        records.sort_by_key(|record| (record.order, record.preference));
        let known: Vec<(Transport, String)> = records
            .into_iter()
            .filter_map(|record| Some((transport_of_service(&record.service)?, record.replacement)))
            .filter(|(transport, _)| self.has_guess_of(*transport))
            .collect();
        if known.is_empty() {
            return;
        }
        self.questions.clear();
        for ((transport, name), liked) in known.into_iter().zip(0..) {
            let wanted = Wanted::new(transport, default_port(transport), liked);
            self.questions.push_back((Question::Servers(name), wanted));
        }
    }

    /// A transport that we have is among those that we would have asked for.
    fn has_guess_of(&self, transport: Transport) -> bool {
        let prefix = service_prefix(transport);
        self.questions.iter().any(|(question, _)| match question {
            Question::Servers(name) => name.starts_with(prefix),
            Question::Services(_) | Question::Addresses(_) => false,
        })
    }

    /// The servers of one transport rank behind all of a transport that is liked better.
    fn take_servers(&mut self, records: Vec<ServerRecord>, wanted: &Wanted) {
        let records = records.into_iter().filter(|record| record.target != ".");
        for record in records.take(CANDIDATES_MAX) {
            self.has_servers = true;
            let wanted = Wanted {
                port: record.port,
                priority: (wanted.priority.0, record.priority),
                weight: record.weight,
                ..wanted.clone()
            };
            let question = Question::Addresses(record.target);
            self.questions.push_back((question, wanted));
        }
    }

    fn found(&mut self, ip: IpAddr, wanted: &Wanted, name: Option<&str>) {
        if self.candidates.len() >= CANDIDATES_MAX {
            return;
        }
        self.candidates.push(Candidate {
            hop: Hop {
                address: SocketAddr::new(ip, wanted.port),
                transport: wanted.transport,
                name: name.map(|_| self.domain.clone()),
            },
            priority: wanted.priority,
            weight: wanted.weight,
        });
    }

    /// What was found.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }
}

/// Places in the order in which they are called ([RFC 2782](https://www.rfc-editor.org/rfc/rfc2782)): by priority, and within one drawn by weight.
/// `below` yields a number below its argument.
pub fn in_order(candidates: &[Candidate], mut below: impl FnMut(u64) -> u64) -> Vec<Hop> {
    let mut left: Vec<&Candidate> = candidates.iter().collect();
    left.sort_by_key(|candidate| (candidate.priority, candidate.weight != 0));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(first) = left.first() {
        let priority = first.priority;
        let same = left.iter().take_while(|one| one.priority == priority);
        let total: u64 = same.clone().map(|one| u64::from(one.weight)).sum();
        let drawn = below(total.saturating_add(1));
        let mut sum = 0;
        let at = same
            .map(|one| {
                sum += u64::from(one.weight);
                sum
            })
            .position(|sum| sum >= drawn)
            .unwrap_or(0);
        ordered.push(left.remove(at).hop.clone());
    }
    ordered
}

fn transport_of(word: &str) -> Option<Transport> {
    [Transport::Udp, Transport::Tcp, Transport::Tls]
        .into_iter()
        .find(|transport| transport.as_str().eq_ignore_ascii_case(word))
}

fn transport_of_service(service: &str) -> Option<Transport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

fn service_prefix(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}

fn default_port(transport: Transport) -> u16 {
    match transport {
        Transport::Udp | Transport::Tcp => 5060,
        Transport::Tls => 5061,
    }
}

#[cfg(test)]
mod tests;
