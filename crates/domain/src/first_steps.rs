//! The way from an empty installation to a desktop on which a payment can be captured (issue 4, point 8).
//! Owns: its steps, and which of them are done by what is stored.
//! Never: remembers a step; what is undone later is open again.

use serde::Serialize;

use crate::access::{CustomRoles, Permission, User};
use crate::desktop::{Desktop, Standing};
use crate::id::DesktopId;
use crate::service::{Service, Settings};

/// The steps, in the order in which they are easiest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FirstStep {
    /// Secure Payment Capture is on.
    Switch,
    /// A desktop has a widget.
    Widget,
    /// A widget is Enabled and lacks nothing: Advanced ones have their gateway.
    Gateway,
    /// A gateway has had a test; not asked for where the ready widgets are Basic ones.
    Test,
    /// A service leads to a desktop with such a widget and has declared its recorders (SETTLED S21).
    Service,
    /// A user may capture and has a phone, or is named by a service that leads to a PBX.
    Agent,
    /// Something was captured on a call.
    Call,
}

/// A step, and whether what is stored has done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StepTaken {
    /// Which.
    pub step: FirstStep,
    /// It is done.
    pub done: bool,
}

/// What the steps are read from.
pub struct Installation<'a> {
    /// System settings.
    pub settings: &'a Settings,
    /// All desktops, each with how it stands.
    pub desktops: &'a [(Desktop, Standing)],
    /// All services.
    pub services: &'a [Service],
    /// All users.
    pub users: &'a [User],
    /// Roles that were made here.
    pub roles: &'a CustomRoles,
    /// The trail knows of a gateway test that has ended.
    pub has_tested: bool,
    /// The trail knows of an obtained field.
    pub has_captured: bool,
}

impl Installation<'_> {
    /// All steps in their order.
    #[must_use]
    pub fn steps(&self) -> [StepTaken; 7] {
        let ready = |id: &DesktopId| {
            let mut desktops = self.desktops.iter();
            desktops
                .any(|(desktop, standing)| desktop.id == *id && has_ready_widget(desktop, standing))
        };
        let leads_somewhere =
            |service: &Service| service.recorders.is_some() && ready(&service.desktop);
        let step = |step, done| StepTaken { step, done };
        [
            step(FirstStep::Switch, self.settings.spc_enabled),
            step(
                FirstStep::Widget,
                self.desktops
                    .iter()
                    .any(|(desktop, _)| !desktop.widgets.is_empty()),
            ),
            step(FirstStep::Gateway, self.is_ready()),
            step(
                FirstStep::Test,
                self.has_tested || (self.is_ready() && !self.has_gateway()),
            ),
            step(
                FirstStep::Service,
                self.services.iter().any(leads_somewhere),
            ),
            step(
                FirstStep::Agent,
                self.users.iter().any(|user| self.takes_calls(user)),
            ),
            step(FirstStep::Call, self.has_captured),
        ]
    }

    fn is_ready(&self) -> bool {
        let mut desktops = self.desktops.iter();
        desktops.any(|(desktop, standing)| has_ready_widget(desktop, standing))
    }

    fn has_gateway(&self) -> bool {
        let mut widgets = self
            .desktops
            .iter()
            .flat_map(|(desktop, _)| &desktop.widgets);
        widgets.any(|widget| widget.enabled && widget.kind.is_advanced())
    }

    /// The desktop to work on: the first on which no widget is ready, else the first.
    #[must_use]
    pub fn desktop(&self) -> Option<&DesktopId> {
        let open = self
            .desktops
            .iter()
            .find(|(desktop, standing)| !has_ready_widget(desktop, standing));
        open.or(self.desktops.first())
            .map(|(desktop, _)| &desktop.id)
    }

    fn takes_calls(&self, user: &User) -> bool {
        let is_named = |service: &Service| {
            let agent = service.route.fixed_agent();
            service.route.leads_out() && agent.is_none_or(|agent| agent == user.name)
        };
        user.enabled
            && self
                .roles
                .permissions_of(&user.roles)
                .contains(&Permission::CaptureStart)
            && (user.phone.is_some() || self.services.iter().any(is_named))
    }
}

/// A widget is Enabled, and nothing stands in its way but what concerns the whole desktop.
fn has_ready_widget(desktop: &Desktop, standing: &Standing) -> bool {
    let lacks = |id| {
        standing
            .reasons
            .iter()
            .any(|reason| reason.widget.as_ref() == Some(id))
    };
    desktop
        .widgets
        .iter()
        .any(|widget| widget.enabled && !lacks(&widget.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::capture::WidgetKind;
    use crate::desktop::{DesktopService, Layout, Surroundings};
    use crate::id::{ServiceId, UserId, WidgetId};
    use crate::service::{
        CallRecording, OnTransfer, ProtectionScope, RecorderDeclaration, Route, ScreenRecording,
    };
    use crate::time::UnixMillis;
    use crate::widget::{Translations, Widget, WidgetOptions};

    fn desktop(kind: WidgetKind, enabled: bool) -> Desktop {
        let widget = Widget {
            id: WidgetId::from_random(1),
            kind,
            title: "Card".to_owned(),
            enabled,
            prompts: Vec::new(),
            translations: Translations::new(),
            card_types: std::collections::BTreeSet::new(),
            options: WidgetOptions::default(),
            gateway: None,
        };
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

    fn service(declared: bool, route: Route) -> Service {
        Service {
            id: ServiceId::from_random(1),
            name: "Line".to_owned(),
            numbers: vec!["4000".to_owned()],
            route,
            pairing: crate::pairing::Pairing::default(),
            pool: None,
            hours: None,
            outbound: None,
            queue: None,
            desktop: DesktopId::from_random(1),
            protection: ProtectionScope::Capture,
            after_call_s: 0,
            on_transfer: OnTransfer::default(),
            call_recording: CallRecording::default(),
            screen_recording: ScreenRecording::default(),
            recorders: declared.then(|| RecorderDeclaration {
                confirmed_by: "admin".to_owned(),
                confirmed_at: UnixMillis(1),
                sinks: Vec::new(),
            }),
            revision: 1,
        }
    }

    fn agent(phone: Option<&str>) -> User {
        User {
            name: "anna".to_owned(),
            roles: [Role::Agent.into()].into(),
            phone: phone.map(str::to_owned),
            ..User::blank(UserId::from_random(1))
        }
    }

    /// Steps that are done, for what is stored.
    fn done(
        on: bool,
        desktops: &[Desktop],
        services: &[Service],
        users: &[User],
        has_captured: bool,
    ) -> Vec<FirstStep> {
        let settings = Settings {
            spc_enabled: on,
            ..Settings::default()
        };
        let around = Surroundings {
            settings: &settings,
            services,
            has_password: &|_| false,
            host_approved: &|_| false,
        };
        let stand = |desktop: &Desktop| (desktop.clone(), Standing::of(desktop, &around));
        let desktops: Vec<_> = desktops.iter().map(stand).collect();
        let installation = Installation {
            settings: &settings,
            desktops: &desktops,
            services,
            users,
            roles: &CustomRoles::default(),
            has_tested: has_captured,
            has_captured,
        };
        let steps = installation.steps().into_iter();
        steps
            .filter(|step| step.done)
            .map(|step| step.step)
            .collect()
    }

    #[test]
    fn an_empty_installation_has_done_nothing_and_each_thing_does_its_step() {
        use FirstStep::{Agent, Call, Gateway, Service, Switch, Test, Widget};
        let basic = [desktop(WidgetKind::CreditCardBasic, true)];
        let line = [service(true, Route::Agents { group: None })];
        let anna = [agent(Some("1001"))];
        assert_eq!(done(false, &[], &[], &[], false), []);
        assert_eq!(done(true, &[], &[], &[], false), [Switch]);
        assert_eq!(
            done(true, &basic, &[], &[], false),
            [Switch, Widget, Gateway, Test]
        );
        assert_eq!(
            done(false, &basic, &line, &anna, false),
            [Widget, Gateway, Test, Service, Agent]
        );
        let all = [Switch, Widget, Gateway, Test, Service, Agent, Call];
        assert_eq!(done(true, &basic, &line, &anna, true), all);
    }

    #[test]
    fn a_step_waits_for_what_it_needs() {
        use FirstStep::{Agent, Call, Gateway, Test, Widget};
        let off = desktop(WidgetKind::CreditCardBasic, false);
        assert_eq!(done(false, &[off], &[], &[], false), [Widget]);
        let no_gateway = [desktop(WidgetKind::CreditCardAdvanced, true)];
        let line = [service(true, Route::Agents { group: None })];
        assert_eq!(done(false, &no_gateway, &line, &[], false), [Widget]);
        assert_eq!(
            done(false, &no_gateway, &[], &[], true),
            [Widget, Test, Call]
        );
        let basic = [desktop(WidgetKind::CreditCardBasic, true)];
        let undeclared = [service(false, Route::Agents { group: None })];
        assert_eq!(
            done(false, &basic, &undeclared, &[], false),
            [Widget, Gateway, Test]
        );
        assert_eq!(done(false, &[], &[], &[agent(None)], false), []);
        let gone = User {
            enabled: false,
            ..agent(Some("1001"))
        };
        assert_eq!(done(false, &[], &[], &[gone], false), []);
        let named = Route::Uri {
            uri: "sip:1@pbx".to_owned(),
            address: "192.0.2.5:5060".to_owned(),
            agent: Some("anna".to_owned()),
        };
        assert_eq!(
            done(false, &[], &[service(true, named)], &[agent(None)], false),
            [Agent]
        );
    }
}
