//! Who may be sent to, and the way there.
//! Owns: the policy, the hosts that a second person approved, and how connections are secured.
//! Never: keeps a connection, or sends to a host because a request asks for it.

use std::sync::{PoisonError, RwLock};

use domain::gateway::{GatewayConfig, NotSentReason, UrlTemplate};
use tokio::time::Instant;

use crate::connection::Way;
use crate::failure::Failure;
use crate::gateway::SetupError;
use crate::named::Named;
use crate::policy::{GatewayPolicy, Origin, Trust};
use crate::prepared::Prepared;
use crate::request::{About, Taken, render};
use crate::steps::left;

/// The network as gateways are reached over it.
pub(crate) struct Network {
    policy: GatewayPolicy,
    /// Hosts that a second person approved. Public addresses only.
    approved: RwLock<Vec<String>>,
    /// What the names of a configuration's connection mean.
    pub(crate) named: Named,
}

/// What a request is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Captured values and credentials go to approved hosts only.
    Charge,
    /// Published values go also to a host that nobody has approved, at the addresses that an approved one may have (SETTLED S4).
    Trial,
}

impl Network {
    /// One that keeps to the policy.
    pub(crate) fn new(mut policy: GatewayPolicy) -> Result<Self, SetupError> {
        let connections = std::mem::take(&mut policy.connections);
        let named = Named::new(connections, &policy.extra_roots)?;
        Ok(Self {
            policy,
            approved: RwLock::default(),
            named,
        })
    }

    /// From now on these hosts are approved.
    pub(crate) fn approve(&self, authorities: Vec<String>) {
        *self
            .approved
            .write()
            .unwrap_or_else(PoisonError::into_inner) = authorities;
    }

    /// How far a host is trusted; none: not at all.
    pub(crate) fn trust(&self, origin: &Origin) -> Option<Trust> {
        let approved = self.approved.read();
        let approved = approved.unwrap_or_else(PoisonError::into_inner);
        self.policy.trust(origin, &approved)
    }

    /// How far the host of a request is trusted. Through a proxy nobody here sees its address, so that there is no trial of a host that nobody approved.
    fn trusted(&self, origin: &Origin, purpose: Purpose, proxied: bool) -> Result<Trust, Failure> {
        let refused = |why: &str| {
            let why = format!(
                "{} is not among the approved hosts{why}",
                origin.authority()
            );
            Err(Failure::new(NotSentReason::HostNotApproved, why))
        };
        match (self.trust(origin), purpose) {
            (Some(trust), _) => Ok(trust),
            (None, Purpose::Trial) if !proxied => Ok(Trust::Approved),
            (None, Purpose::Trial) => refused(", and only those are tried out through a proxy"),
            (None, Purpose::Charge) => refused(""),
        }
    }

    /// The way to the host of a request.
    pub(crate) fn way(&self, config: &GatewayConfig, purpose: Purpose) -> Result<Way, Failure> {
        let origin = origin(config)?;
        let through = self.named.proxy(&config.more.connection)?;
        Ok(Way {
            trust: self.trusted(&origin, purpose, through.is_some())?,
            origin,
            through,
            security: self.named.security(&config.more.connection)?,
        })
    }

    /// Renders a request, resolves, connects and secures.
    pub(crate) async fn prepare(
        &self,
        about: About<'_>,
        config: &GatewayConfig,
        taken: &Taken,
        purpose: Purpose,
        until: Option<Instant>,
    ) -> Result<Prepared, Failure> {
        let way = self.way(config, purpose)?;
        let request = render(about, config, taken)?;
        let own = config.connection_timeout();
        let within = until.map_or(own, |until| own.min(left(until)));
        let secured = way.secured(within).await?;
        Ok(Prepared {
            request,
            secured,
            until,
        })
    }
}

/// Who a configuration sends to. It is written out there, whatever the rest of the URL turns out to be.
fn origin(gateway: &GatewayConfig) -> Result<Origin, Failure> {
    let url = UrlTemplate::parse(&gateway.service_url)
        .map_err(|error| Failure::render(format!("the Service URL: {error}")))?;
    Ok(Origin::of(&url))
}
