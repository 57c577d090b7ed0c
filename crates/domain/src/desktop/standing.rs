//! How a desktop stands (SETTLED S5): whether agents get its widgets, and if not, why.
//! Owns: the three states, the reasons, and what a widget lacks.
//! Never: opens or shuts a gate; that is the gates' work (`crate::gate`).

use serde::Serialize;

use super::Desktop;
use crate::capture::WidgetKind;
use crate::gateway::GatewayConfig;
use crate::id::WidgetId;
use crate::service::{Service, Settings};

/// State of a desktop, as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DesktopState {
    /// Agents get its enabled widgets.
    Live,
    /// Agents get none, and somebody wanted it so.
    Disabled,
    /// Something stands in the way that nobody can have wanted.
    NeedsAttention,
}

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Gate 1: the system switch is off.
    SwitchedOff,
    /// No widget is Enabled.
    NothingEnabled,
    /// An Advanced widget has no gateway yet.
    GatewayMissing,
    /// A gateway with Auth Method Basic has no password.
    PasswordMissing,
    /// A request header has no value.
    HeaderValueMissing,
    /// The gateway's host may not receive captured values (SETTLED S4).
    HostNotApproved,
    /// A service that leads here has not declared its recorders (SETTLED S21).
    RecordersUndeclared,
}

impl ReasonKind {
    /// Somebody has to do something about it.
    fn needs_attention(self) -> bool {
        match self {
            Self::SwitchedOff | Self::NothingEnabled => false,
            Self::GatewayMissing
            | Self::PasswordMissing
            | Self::HeaderValueMissing
            | Self::HostNotApproved
            | Self::RecordersUndeclared => true,
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Reason {
    /// What.
    pub what: ReasonKind,
    /// The widget concerned.
    pub widget: Option<WidgetId>,
    /// Name of the widget or service concerned; empty: the desktop itself.
    pub name: String,
}

/// What a desktop's standing hangs on beside the desktop.
pub struct Surroundings<'a> {
    /// System settings.
    pub settings: &'a Settings,
    /// All services.
    pub services: &'a [Service],
    /// A widget's gateway has a password.
    pub has_password: &'a dyn Fn(&WidgetId) -> bool,
    /// A gateway's host may receive captured values.
    pub host_approved: &'a dyn Fn(&GatewayConfig) -> bool,
}

/// State and reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Standing {
    /// The state.
    pub state: DesktopState,
    /// Why it is not Live, most general first.
    pub reasons: Vec<Reason>,
}

impl Standing {
    /// How a desktop stands now.
    #[must_use]
    pub fn of(desktop: &Desktop, around: &Surroundings<'_>) -> Self {
        let reasons = reasons(desktop, around);
        let state = if reasons.iter().any(|reason| reason.what.needs_attention()) {
            DesktopState::NeedsAttention
        } else if reasons.is_empty() {
            DesktopState::Live
        } else {
            DesktopState::Disabled
        };
        Self { state, reasons }
    }
}

fn reasons(desktop: &Desktop, around: &Surroundings<'_>) -> Vec<Reason> {
    let whole = |what| Reason {
        what,
        widget: None,
        name: String::new(),
    };
    let mut reasons = Vec::new();
    if !around.settings.spc_enabled {
        reasons.push(whole(ReasonKind::SwitchedOff));
    }
    let enabled = desktop.widgets.iter().any(|widget| widget.enabled);
    if !enabled {
        reasons.push(whole(ReasonKind::NothingEnabled));
    }
    for service in around.services {
        if enabled && service.desktop == desktop.id && service.recorders.is_none() {
            reasons.push(Reason {
                name: service.name.clone(),
                ..whole(ReasonKind::RecordersUndeclared)
            });
        }
    }
    for widget in &desktop.widgets {
        let mut found = lacks(
            widget.kind,
            widget.gateway.as_ref(),
            (around.has_password)(&widget.id),
        );
        let refused = |gateway| !(around.host_approved)(gateway);
        if widget.enabled && widget.gateway.as_ref().is_some_and(refused) {
            found.push(ReasonKind::HostNotApproved);
        }
        reasons.extend(found.into_iter().map(|what| Reason {
            what,
            widget: Some(widget.id.clone()),
            name: widget.title.clone(),
        }));
    }
    reasons
}

/// What a widget still needs before it can be Enabled.
pub(super) fn lacks(
    kind: WidgetKind,
    gateway: Option<&GatewayConfig>,
    has_password: bool,
) -> Vec<ReasonKind> {
    if !kind.is_advanced() {
        return Vec::new();
    }
    let Some(gateway) = gateway else {
        return vec![ReasonKind::GatewayMissing];
    };
    let mut found = Vec::new();
    if gateway.needs_password() && !has_password {
        found.push(ReasonKind::PasswordMissing);
    }
    if gateway
        .all_headers()
        .any(|header| header.value.trim().is_empty())
    {
        found.push(ReasonKind::HeaderValueMissing);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::desktop::{DesktopService, Layout};
    use crate::id::DesktopId;
    use crate::widget::Widget;

    fn widget(auth: &str) -> Widget {
        serde_json::from_value(json!({
            "id": "card", "kind": "credit_card_advanced", "title": "Card payment", "enabled": true,
            "prompts": [], "translations": {}, "card_types": ["visa"], "options": {},
            "gateway": {"service_url": "https://gateway.example/pay", "success_key": "a", "success_value": "b",
                "auth_method": auth, "request_headers": [{"name": "X-Merchant", "value": "ACME"}]},
        }))
        .unwrap()
    }

    fn desktop(widget: Widget) -> Desktop {
        Desktop {
            id: DesktopId::from_random(1),
            name: "Sales".to_owned(),
            service: DesktopService::Standard,
            layout: Layout::AgentPanel,
            widgets: vec![widget],
            design: None,
            revision: 1,
        }
    }

    fn standing(
        desktop: &Desktop,
        spc_enabled: bool,
        ready: bool,
    ) -> (DesktopState, Vec<ReasonKind>) {
        let settings = Settings {
            spc_enabled,
            revision: 1,
            ..Settings::default()
        };
        let standing = Standing::of(
            desktop,
            &Surroundings {
                settings: &settings,
                services: &[],
                has_password: &|_| ready,
                host_approved: &|_| ready,
            },
        );
        let kinds = standing.reasons.iter().map(|reason| reason.what).collect();
        (standing.state, kinds)
    }

    #[test]
    fn s5_a_desktop_is_live_disabled_or_needs_attention_with_every_reason() {
        let mut desk = desktop(widget("basic"));
        assert_eq!(standing(&desk, true, true), (DesktopState::Live, vec![]));
        assert_eq!(
            standing(&desk, false, true),
            (DesktopState::Disabled, vec![ReasonKind::SwitchedOff])
        );
        assert_eq!(
            standing(&desk, true, false),
            (
                DesktopState::NeedsAttention,
                vec![ReasonKind::PasswordMissing, ReasonKind::HostNotApproved]
            )
        );
        let gateway = desk.widgets[0].gateway.as_mut().unwrap();
        gateway.more.auth_password = "{let.hash}".to_owned();
        let computed = standing(&desk, true, false);
        assert_eq!(computed.1, [ReasonKind::HostNotApproved]);
        let gateway = desk.widgets[0].gateway.as_mut().unwrap();
        gateway.more.auth_password.clear();
        desk.widgets[0].enabled = false;
        assert_eq!(
            standing(&desk, true, true),
            (DesktopState::Disabled, vec![ReasonKind::NothingEnabled])
        );
        desk.widgets.clear();
        assert_eq!(
            standing(&desk, true, true),
            (DesktopState::Disabled, vec![ReasonKind::NothingEnabled])
        );
    }

    #[test]
    fn s5_an_unfinished_widget_is_named_though_it_is_not_enabled() {
        let mut bare = widget("none");
        bare.enabled = false;
        bare.gateway = None;
        let (state, reasons) = standing(&desktop(bare), true, true);
        assert_eq!(state, DesktopState::NeedsAttention);
        assert_eq!(
            reasons,
            [ReasonKind::NothingEnabled, ReasonKind::GatewayMissing]
        );
        let mut blank = widget("none");
        blank.gateway.as_mut().unwrap().request_headers[0]
            .value
            .clear();
        let (state, reasons) = standing(&desktop(blank), true, true);
        assert_eq!(state, DesktopState::NeedsAttention);
        assert_eq!(reasons, [ReasonKind::HeaderValueMissing]);
    }

    #[test]
    fn s5_s21_a_service_without_declared_recorders_is_named() {
        let desk = desktop(widget("none"));
        let line: Service = serde_json::from_value(json!({
            "id": "line", "name": "Main line", "numbers": ["100"], "route": {"to": "agents"},
            "desktop": desk.id, "protection": "capture", "recorders": null, "revision": 1,
        }))
        .unwrap();
        let settings = Settings {
            spc_enabled: true,
            revision: 1,
            ..Settings::default()
        };
        let around = |services| Surroundings {
            settings: &settings,
            services,
            has_password: &|_| true,
            host_approved: &|_| true,
        };
        let services = [line];
        let reasons = Standing::of(&desk, &around(&services)).reasons;
        assert_eq!(reasons[0].what, ReasonKind::RecordersUndeclared);
        assert_eq!(reasons[0].name, "Main line");
    }
}
