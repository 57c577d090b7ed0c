//! Hosts that widgets send captured values to, and a second person's approval of them (SETTLED S4).

use axum::Json;
use axum::extract::State;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Change, PaymentGateway};
use domain::gateway::GatewayConfig;
use domain::gateway::approval::{ApprovalRefused, HostApproval, HostUse, approve, hosts_in_use};
use domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;
use super::login::confirmed;
use super::resolutions::check_reason;
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::login::Login;
use crate::login::password::Password;
use crate::problem::{Code, Problem};
use crate::server::Peer;

/// Hosts in use.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostList {
    /// By host.
    hosts: Vec<GatewayHost>,
}

/// A host that widgets send to, or that is approved though none does any more.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayHost {
    /// Host and port: "pay.example:443".
    authority: String,
    /// How it stands.
    standing: HostStanding,
    /// Widgets that send there.
    widgets: Vec<HostWidget>,
    /// Login names of those who saved a desktop while it sent there: none of them can approve it.
    editors: Vec<String>,
    /// This login is one of them.
    is_editor: bool,
    /// The approval, if a second person gave one.
    approval: Option<ApprovalView>,
}

/// A widget that sends to a host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HostWidget {
    /// Name of its desktop.
    desktop: String,
    /// Window Title.
    title: String,
}

/// Whether a host may receive captured values.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HostStanding {
    /// Listed in the server's file.
    Listed,
    /// A second person approved it.
    Approved,
    /// It waits for a second person; its widgets' buttons are disabled.
    Waiting,
}

/// Who approved a host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    /// Login name.
    by: String,
    /// When.
    at: UnixMillis,
    /// Why.
    reason: String,
}

/// A second person's decision about a host.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostForm {
    /// The host and its port, as listed.
    authority: String,
    /// Why, 3-500 characters.
    reason: String,
    /// The own password, once more.
    #[schema(value_type = String, write_only)]
    password: Password,
}

/// What is known of all hosts.
struct Hosts {
    used: std::collections::BTreeMap<String, HostUse>,
    approvals: Vec<HostApproval>,
    configs: Vec<GatewayConfig>,
}

impl Hosts {
    async fn read(app: &Shared) -> Result<Self, Problem> {
        let desktops = app.deps.desktops.desktops().await?;
        let editors = app.deps.desktops.host_editors().await?;
        let widgets = desktops.iter().flat_map(|desktop| &desktop.widgets);
        Ok(Self {
            used: hosts_in_use(&desktops, &editors),
            approvals: app.deps.desktops.approved_hosts().await?,
            configs: widgets
                .filter_map(|widget| widget.gateway.clone())
                .collect(),
        })
    }

    fn approval(&self, authority: &str) -> Option<&HostApproval> {
        let mut approvals = self.approvals.iter();
        approvals.find(|approval| approval.authority == authority)
    }

    /// The client itself says whether it would send there.
    fn may_receive(&self, gateway: &dyn PaymentGateway, authority: &str) -> bool {
        let mut configs = self.configs.iter();
        configs.any(|config| config.authorities().contains(authority))
            && gateway.authority_approved(authority)
    }

    fn view(&self, app: &Shared, login: &Login) -> Vec<GatewayHost> {
        let unused = self.approvals.iter().map(|approval| &approval.authority);
        let mut authorities: Vec<&String> = self.used.keys().chain(unused).collect();
        authorities.sort_unstable();
        authorities.dedup();
        authorities
            .into_iter()
            .map(|authority| self.host(app, login, authority))
            .collect()
    }

    fn host(&self, app: &Shared, login: &Login, authority: &str) -> GatewayHost {
        let approval = self.approval(authority);
        let standing = match approval {
            Some(_) => HostStanding::Approved,
            None if self.may_receive(&*app.deps.gateway, authority) => HostStanding::Listed,
            None => HostStanding::Waiting,
        };
        let used = self.used.get(authority).cloned().unwrap_or_default();
        GatewayHost {
            authority: authority.to_owned(),
            standing,
            is_editor: used.editors.contains(&login.actor.name),
            widgets: used
                .widgets
                .into_iter()
                .map(|(desktop, title)| HostWidget { desktop, title })
                .collect(),
            editors: used.editors.into_iter().collect(),
            approval: approval.map(|approval| ApprovalView {
                by: approval.by_name.clone(),
                at: approval.at,
                reason: approval.reason.clone(),
            }),
        }
    }
}

impl From<ApprovalRefused> for Problem {
    fn from(refused: ApprovalRefused) -> Self {
        let code = match refused {
            ApprovalRefused::NotUsed => return Self::field("authority", refused.to_string()),
            ApprovalRefused::Approved => Code::Conflict,
            ApprovalRefused::Editor => Code::SecondPerson,
        };
        Self::new(code).detail(refused.to_string())
    }
}

/// Hosts that widgets send captured values to, and how each stands.
#[utoipa::path(get, path = "/gateway-hosts", tag = "desktops", responses((status = 200, body = HostList)))]
pub(crate) async fn list(State(app): State<Shared>, Caller(login): Caller) -> Answer<HostList> {
    let hosts = Hosts::read(&app).await?.view(&app, &login);
    Ok(Json(HostList { hosts }))
}

/// A second person says that a host may receive captured values. It takes effect at once.
#[utoipa::path(post, path = "/gateway-hosts/approve", tag = "desktops", request_body = HostForm, responses(
    (status = 200, body = HostList),
))]
pub(crate) async fn allow(
    State(app): State<Shared>,
    Caller(login): Caller,
    Peer(peer): Peer,
    Input(form): Input<HostForm>,
) -> Answer<HostList> {
    check_reason(&form.reason)?;
    confirmed(&app, &login, peer, &form.password).await?;
    let hosts = Hosts::read(&app).await?;
    let approval = approve(
        &form.authority,
        hosts.used.get(&form.authority),
        hosts.may_receive(&*app.deps.gateway, &form.authority)
            || hosts.approval(&form.authority).is_some(),
        &login.actor,
        &form.reason,
        app.now(),
    )?;
    let entry = entry(&app, &login, AuditAction::HostApproved, &form);
    app.commit(Change::ApproveHost(approval), entry, |_| {})
        .await?;
    list(State(app), Caller(login)).await
}

/// A host may no longer receive captured values. A charge that is on its way goes on; the next one is refused.
#[utoipa::path(post, path = "/gateway-hosts/withdraw", tag = "desktops", request_body = HostForm, responses(
    (status = 200, body = HostList),
))]
pub(crate) async fn forbid(
    State(app): State<Shared>,
    Caller(login): Caller,
    Peer(peer): Peer,
    Input(form): Input<HostForm>,
) -> Answer<HostList> {
    check_reason(&form.reason)?;
    confirmed(&app, &login, peer, &form.password).await?;
    let hosts = Hosts::read(&app).await?;
    let none = || Problem::field("authority", "nobody has approved this host");
    let approval = hosts.approval(&form.authority).ok_or_else(none)?;
    let entry = entry(&app, &login, AuditAction::HostWithdrawn, &form)
        .with("approved_by", approval.by_name.as_str());
    let change = Change::WithdrawHost(form.authority.clone());
    app.commit(change, entry, |_| {}).await?;
    list(State(app), Caller(login)).await
}

fn entry(app: &Shared, login: &Login, action: AuditAction, form: &HostForm) -> AuditEntry {
    let object = format!("host {}", form.authority);
    AuditEntry::new(app.now(), &login.actor, action, object).with("reason", form.reason.trim())
}
