//! A request with a connection ready for it.
//! Owns: the way from there to what came of it, once.
//! Never: retries, or says that nothing was sent once a byte was offered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::gateway::{GatewayConfig, NotSentReason};
use http_body_util::Full;
use hyper::Request;
use tokio::time::{Instant, timeout_at};

use crate::connection::Secured;
use crate::exchange::{Progress, Reply, exchange};
use crate::failure::Failure;
use crate::reply::{Reading, Whole, headers_asked, read};

/// A rendered request and its connection: the sale's, or a step's.
pub(crate) struct Prepared {
    /// What is written.
    pub(crate) request: Request<Full<Bytes>>,
    /// Where to.
    pub(crate) secured: Secured,
    /// When the last byte of an answer may come at the latest, whatever Read Timeout leaves; none: that alone counts.
    pub(crate) until: Option<Instant>,
}

/// What came of a request of which at least one byte was offered.
pub(crate) struct Came {
    /// None: it did not come, or not to its end.
    pub(crate) reply: Option<Reply>,
    /// Why not.
    pub(crate) why: Option<String>,
    /// HTTP status, if a head came.
    pub(crate) status: Option<u16>,
    /// How long the head took.
    pub(crate) head_in: Option<Duration>,
    /// How long it all took.
    pub(crate) ended_in: Duration,
}

impl Prepared {
    /// Writes the request and waits for the reply, once.
    pub(crate) async fn run(self, config: &GatewayConfig) -> Result<Came, Failure> {
        let began = Instant::now();
        let stream = self.secured.still_quiet().await?;
        let progress = Arc::new(Progress::default());
        let headers = headers_asked(config);
        let exchange = exchange(stream, self.request, headers, Arc::clone(&progress));
        let own = began + config.read_timeout();
        let deadline = self.until.map_or(own, |until| until.min(own));
        let (reply, why) = match timeout_at(deadline, exchange).await {
            Ok(Ok(reply)) => (Some(reply), None),
            Ok(Err(incomplete)) => (None, Some(incomplete.to_string())),
            Err(_) => (None, Some("no complete reply in time".to_owned())),
        };
        if let (Some(why), false) = (&why, progress.began()) {
            return Err(Failure::new(NotSentReason::Connect, why.clone()));
        }
        Ok(Came {
            reply,
            why,
            status: progress.status(),
            head_in: progress.head_at().map(|at| at.duration_since(began)),
            ended_in: began.elapsed(),
        })
    }
}

impl Came {
    /// What the reply shows, read as a configuration says.
    pub(crate) fn reading(&self, config: &GatewayConfig) -> Reading {
        let Some(reply) = &self.reply else {
            return Reading::of_nothing();
        };
        let whole = Whole {
            status: reply.status,
            headers: &reply.headers,
            body: reply.body.expose(),
        };
        read(&whole, config)
    }
}
