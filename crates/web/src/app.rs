//! What every handler reaches.
//! Owns: the joints to the other rooms, the table of logins, the running limits.
//! Never: decides anything.

use std::sync::Arc;

use domain::audit::AuditEntry;
use domain::boundary::{
    AuditTrail, Audited, CaptureDesk, Change, Designs, Desktops, EvidenceKeys, PaymentDesk,
    PaymentGateway, Payments, PhoneDesk, RecordingFiles, Recordings, ScreenDesk, Services, Store,
    StoreError, Users,
};
use domain::gateway::trial::GatewayTrials;
use domain::time::WallClock;
use tokio::sync::{Semaphore, watch};

use crate::api::gateway::TestView;
use crate::events::Hub;
use crate::login::{
    Bucket, Logins, frame_codes::FrameCodes, password::Passwords, set_up::SetUp,
    strangers::Strangers,
};
use crate::openings::Openings;
use crate::page::Page;
use crate::trials::Trials;

/// The other rooms, as the HTTP side sees them.
#[derive(Clone)]
pub struct Deps {
    /// Calls and captures.
    pub desk: Arc<dyn CaptureDesk>,
    /// Phones in agents' pages.
    pub phones: Arc<dyn PhoneDesk>,
    /// Writes.
    pub store: Arc<dyn Store>,
    /// Users.
    pub users: Arc<dyn Users>,
    /// Desktops.
    pub desktops: Arc<dyn Desktops>,
    /// Designer desktops.
    pub designs: Arc<dyn Designs>,
    /// Services and settings.
    pub services: Arc<dyn Services>,
    /// Towards payment gateways: which hosts may receive captured values.
    pub gateway: Arc<dyn PaymentGateway>,
    /// The same, for an administrator who tries one out.
    pub trials: Arc<dyn GatewayTrials>,
    /// The ledger.
    pub payments: Arc<dyn Payments>,
    /// Voids, refunds and captures.
    pub payment_desk: Arc<dyn PaymentDesk>,
    /// Rows of recordings.
    pub recordings: Arc<dyn Recordings>,
    /// Their files; none: this server keeps none.
    pub recording_files: Option<Arc<dyn RecordingFiles>>,
    /// Where screens are shared; none: this server records none.
    pub screens: Option<Arc<dyn ScreenDesk>>,
    /// The audit trail.
    pub audit: Arc<dyn AuditTrail>,
    /// What signs evidence.
    pub evidence: Arc<dyn EvidenceKeys>,
    /// Wall clock.
    pub clock: Arc<dyn WallClock>,
    /// Live events.
    pub hub: Arc<Hub>,
    /// Who wants to know of saved changes.
    pub hooks: Arc<dyn ChangeHooks>,
}

/// Something was saved through the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Changed {
    /// Users: names, roles, phones.
    Users,
    /// Desktops and their widgets.
    Desktops,
    /// Services and recorders.
    Services,
    /// System settings.
    Settings,
    /// An unknown payment was resolved.
    Payments,
}

/// Hears of saved changes, without data: who cares reads again. Must not block.
pub trait ChangeHooks: Send + Sync {
    /// It is on disk.
    fn changed(&self, what: Changed);
}

/// Nobody cares.
pub struct NoHooks;

impl ChangeHooks for NoHooks {
    fn changed(&self, _: Changed) {}
}

/// State of the HTTP side.
pub(crate) struct App {
    pub(crate) deps: Deps,
    pub(crate) logins: Logins,
    pub(crate) passwords: Passwords,
    pub(crate) failures: Bucket,
    pub(crate) strangers: Strangers,
    pub(crate) page: Page,
    pub(crate) origins: Origins,
    pub(crate) phone_realm: String,
    pub(crate) second_factor: bool,
    pub(crate) set_up: SetUp,
    pub(crate) secure: bool,
    pub(crate) frame_hosts: Vec<String>,
    /// Names of the recorders that this server can pause.
    pub(crate) recorder_controls: Vec<String>,
    /// Trunks that a route can lead to.
    pub(crate) trunks: Vec<String>,
    /// Origins of pages that may show this one in a frame.
    pub(crate) embedding: Vec<String>,
    pub(crate) frame_codes: FrameCodes,
    pub(crate) requests: Arc<Semaphore>,
    pub(crate) streams: crate::events::Streams,
    pub(crate) trials: Trials<TestView>,
    pub(crate) openings: Openings,
    /// Held while the chains are verified: that reads the whole trail, and there are few readers.
    pub(crate) verifying: tokio::sync::Mutex<()>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// How handlers see it.
pub(crate) type Shared = Arc<App>;

/// Origins of our own page.
pub(crate) struct Origins(Vec<String>);

impl Origins {
    /// Takes origins in the form in which browsers send them.
    pub(crate) fn new(origins: Vec<String>) -> Self {
        Self(origins)
    }

    /// The origin is ours.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|own| own == origin)
    }

    /// The Host header names us: a page under a foreign name that resolves to us (DNS rebinding) is not served.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.0.iter().any(|own| {
            own.split_once("://").is_some_and(|(scheme, authority)| {
                authority.eq_ignore_ascii_case(host)
                    || default_port(scheme).is_some_and(|port| {
                        host.strip_suffix(port)
                            .is_some_and(|name| name.eq_ignore_ascii_case(authority))
                    })
            })
        })
    }
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "https" => Some(":443"),
        "http" => Some(":80"),
        _ => None,
    }
}

impl App {
    /// Commits a change and its entry, then runs `then`. Both happen even if the browser goes away meanwhile.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        change: Change,
        entry: AuditEntry,
        then: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<i64, StoreError> {
        let app = Arc::clone(self);
        let work = tokio::spawn(async move {
            let revision = app.deps.store.commit(Audited { change, entry }).await?;
            then(&app);
            Ok(revision)
        });
        work.await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("the write broke off".to_owned())))
    }

    /// Now, by the wall clock.
    pub(crate) fn now(&self) -> domain::time::UnixMillis {
        self.deps.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins_are_compared_whole() {
        let origins = Origins::new(vec![
            "https://pay.example".to_owned(),
            "http://127.0.0.1:8080".to_owned(),
        ]);
        assert!(origins.allows("https://pay.example"));
        for foreign in ["https://pay.example.evil", "http://pay.example", "null", ""] {
            assert!(!origins.allows(foreign), "{foreign}");
        }
        for host in ["pay.example", "PAY.example:443", "127.0.0.1:8080"] {
            assert!(origins.has_host(host), "{host}");
        }
        for host in ["pay.example:80", "127.0.0.1", "evil.pay.example", ""] {
            assert!(!origins.has_host(host), "{host}");
        }
    }
}
