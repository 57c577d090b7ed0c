//! Names among the places of trunks.
//! Owns: that each is asked for again before its answer ends, and which of what it leads to are places.
//! Never: lets a call wait for an answer, gives up the last one for want of a new one, or calls an address that is none of its trunk's.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::{SipUri, Transport, Uri};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::NodeError;
use super::config::Peer;
use super::exchange::Exchange;
use super::probes::{KnownPlace, Origin};
use crate::trunk::{Answer, Dns, DnsError, Health};

/// A name without an answer is asked for again after this long.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// News of names that wait for a turn: each name's task waits until its own are taken, so this is only how many do so without it.
const NEWS_MAX: usize = 16;

/// What became of a name.
pub(super) struct News {
    origin: Origin,
    answer: Result<Answer, DnsError>,
}

/// The tasks that ask. They end with it.
pub(super) struct Names {
    news: mpsc::Receiver<News>,
    _asking: JoinSet<()>,
}

impl Default for Names {
    /// No names.
    fn default() -> Self {
        Self {
            news: mpsc::channel(1).1,
            _asking: JoinSet::new(),
        }
    }
}

impl Names {
    /// Begins to ask for every name among the places of these far sides.
    pub(super) fn begin(
        peers: &[Peer],
        servers: &[SocketAddr],
        spoken: Vec<Transport>,
        runtime: &Handle,
    ) -> Result<Self, NodeError> {
        let (to, news) = mpsc::channel(NEWS_MAX);
        let mut asking = JoinSet::new();
        let names: Vec<(Origin, SipUri)> = names_of(peers).collect();
        if !names.is_empty() {
            let _entered = runtime.enter();
            let dns = Dns::new(servers, spoken)
                .map_err(|source| NodeError::ConfigDns(Box::new(source)))?;
            for (origin, uri) in names {
                asking.spawn_on(ask(dns.clone(), origin, uri, to.clone()), runtime);
            }
        }
        Ok(Self {
            news,
            _asking: asking,
        })
    }

    /// The next news; never, if there are no names.
    pub(super) async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await,
        }
    }
}

fn names_of(peers: &[Peer]) -> impl Iterator<Item = (Origin, SipUri)> {
    let numbered = peers.iter().enumerate();
    numbered.flat_map(|(peer, one)| {
        let places = one.places.iter().enumerate();
        places.filter_map(move |(place, uri)| {
            let uri = uri.as_sip().filter(|uri| uri.host.ip().is_none())?;
            Some((Origin { peer, place }, uri.clone()))
        })
    })
}

/// Asks for one name for as long as somebody listens.
async fn ask(dns: Dns, origin: Origin, uri: SipUri, to: mpsc::Sender<News>) {
    loop {
        let answer = dns.resolve(&uri).await;
        let again = answer.as_ref().map_or(ASK_AGAIN, |answer| answer.hold);
        if to.send(News { origin, answer }).await.is_err() {
            return;
        }
        tokio::time::sleep(again).await;
    }
}

impl Exchange {
    /// Takes what became of a name. Places that stay keep what is known of them.
    pub(super) fn take_news(&mut self, now: Instant, news: News) {
        let News { origin, answer } = news;
        let Some(peer) = self.peers.get(origin.peer).cloned() else {
            return;
        };
        let Some(uri) = peer.places.get(origin.place).cloned() else {
            return;
        };
        let trunk = &peer.name;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                if self.places.is_news(origin, true) {
                    let cause = error.source().map(ToString::to_string);
                    tracing::warn!(trunk, place = %uri, %error, cause, "a name among places has no answer, its last one holds; look at it and at sip.dns");
                }
                return;
            }
        };
        let places = self.places_found(now, (origin, &peer, &uri), answer);
        let has_none = places.is_empty();
        if has_none && self.places.is_news(origin, true) {
            tracing::warn!(trunk, place = %uri, "a name among places leads to no address of its trunk that we can reach, its last answer holds; look at addresses of its [[trunk]]");
        }
        if !has_none {
            if self.places.is_news(origin, false) {
                tracing::info!(trunk, place = %uri, addresses = places.len(), "a name among places has an answer");
            }
            self.places.replace(origin, places);
            self.publish_places(now);
        }
    }

    /// Those of an answer that may be called and that an interface of ours reaches.
    fn places_found(
        &self,
        now: Instant,
        (origin, peer, uri): (Origin, &Peer, &Uri),
        answer: Answer,
    ) -> Vec<KnownPlace> {
        let is_its = |address: &SocketAddr| peer.addresses.contains(&address.ip());
        let mut places = Vec::new();
        for found in answer.found {
            let flow = self.stack.flow_to(found.address, found.transport);
            if let Some(flow) = flow.filter(|_| is_its(&found.address)) {
                places.push(KnownPlace {
                    trunk: Arc::from(peer.name.as_str()),
                    origin,
                    number: 0,
                    uri: uri.clone(),
                    flow,
                    order: (found.rank, found.weight),
                    health: Health::new(peer.probe, now),
                });
            }
        }
        places
    }
}
