//! The name service of trunks.
//! Owns: asking DNS what a trunk's URI needs, within a time.
//! Never: blocks signalling: a name that is slow delays only calls that need it.
//!
//! Answers are kept for as long as they say, by hickory-resolver, which also reads the system's resolver configuration.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use sip::{SipUri, Transport};
use thiserror::Error;

use super::hops::{Answer, Candidate, Question, Resolution, ServerRecord, ServiceRecord};

/// How long a URI may take, all its questions together: a caller waits meanwhile.
const RESOLVE_MAX: Duration = Duration::from_secs(4);

/// How long one name server gets for one question before the next is asked.
const QUESTION_MAX: Duration = Duration::from_millis(1_500);

/// Why the name service cannot be used.
#[derive(Debug, Error)]
pub enum NamesError {
    /// The system's resolver configuration cannot be read.
    #[error("reading the system's configuration of name servers")]
    ConfigSystem(#[source] NetError),
}

/// A client of DNS.
#[derive(Clone)]
pub struct Names(TokioResolver);

impl Names {
    /// By the system's configuration.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_system() -> Result<Self, NamesError> {
        let mut builder = TokioResolver::builder_tokio().map_err(NamesError::ConfigSystem)?;
        builder.options_mut().timeout = QUESTION_MAX;
        builder.build().map(Self).map_err(NamesError::ConfigSystem)
    }

    /// By this name server alone.
    ///
    /// # Errors
    /// A client of it cannot be made.
    pub fn at(server: SocketAddr) -> Result<Self, NamesError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut way| {
            way.port = server.port();
            way
        });
        let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let provider = TokioRuntimeProvider::default();
        let mut builder = TokioResolver::builder_with_config(config, provider);
        builder.options_mut().timeout = QUESTION_MAX;
        builder.build().map(Self).map_err(NamesError::ConfigSystem)
    }

    /// The places of a URI; `ours` are the transports that we have, the one that we like best first. None in time: what was found until then.
    pub async fn places(&self, uri: &SipUri, ours: &[Transport]) -> Vec<Candidate> {
        let mut resolution = Resolution::new(uri, ours);
        let asking = async {
            while let Some(question) = resolution.next_question() {
                let answer = self.ask(question).await;
                resolution.answer(answer);
            }
        };
        if tokio::time::timeout(RESOLVE_MAX, asking).await.is_err() {
            tracing::warn!(host = %uri.host, "the name service was too slow for a trunk");
        }
        resolution.candidates().to_vec()
    }

    async fn ask(&self, question: Question) -> Answer {
        match question {
            Question::Services(name) => {
                let records = self.records(&name, RecordType::NAPTR).await;
                Answer::Services(records.iter().filter_map(service).collect())
            }
            Question::Servers(name) => {
                let records = self.records(&name, RecordType::SRV).await;
                Answer::Servers(records.iter().filter_map(server).collect())
            }
            Question::Addresses(name) => Answer::Addresses(self.addresses(&name).await),
        }
    }

    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        match self.0.lookup(absolute(name), kind).await {
            Ok(lookup) => {
                let answers = lookup.answers().iter();
                answers.map(|record| record.data.clone()).collect()
            }
            Err(error) => {
                note(name, &error);
                Vec::new()
            }
        }
    }

    async fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match self.0.lookup_ip(absolute(name)).await {
            Ok(lookup) => lookup.iter().collect(),
            Err(error) => {
                note(name, &error);
                Vec::new()
            }
        }
    }
}

/// That a record is not there is an answer; anything else is somebody's fault.
fn note(name: &str, error: &NetError) {
    if !error.is_no_records_found() {
        tracing::warn!(name, %error, "the name service did not answer for a trunk");
    }
}

/// Names of trunks are whole: no search list of the system is tried.
fn absolute(name: &str) -> String {
    if name.ends_with('.') {
        name.to_owned()
    } else {
        format!("{name}.")
    }
}

/// Without its last dot, as certificates and SIP write it.
fn plain(name: &impl ToString) -> String {
    let name = name.to_string();
    match name.strip_suffix('.') {
        Some(plain) if !plain.is_empty() => plain.to_owned(),
        _ => name,
    }
}

/// Only records that lead on to SRV ones say anything here ([RFC 3263 §4.1](https://www.rfc-editor.org/rfc/rfc3263#section-4.1)).
fn service(record: &RData) -> Option<ServiceRecord> {
    let RData::NAPTR(record) = record else {
        return None;
    };
    record
        .flags
        .eq_ignore_ascii_case(b"s")
        .then(|| ServiceRecord {
            order: record.order,
            preference: record.preference,
            service: String::from_utf8_lossy(&record.services).into_owned(),
            replacement: plain(&record.replacement),
        })
}

fn server(record: &RData) -> Option<ServerRecord> {
    let RData::SRV(record) = record else {
        return None;
    };
    Some(ServerRecord {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: plain(&record.target),
    })
}
