//! What a test's house is configured with.

use std::collections::BTreeSet;

use domain::access::{Role, User};
use domain::capture::{Brand, Field, WidgetKind};
use domain::desktop::{Desktop, DesktopService, Layout};
use domain::id::{DesktopId, ServiceId, UserId, WidgetId};
use domain::pairing::Pairing;
use domain::service::{
    CallRecording, OnTransfer, ProtectionScope, RecorderDeclaration, Route, ScreenRecording,
    Service,
};
use domain::widget::{Prompt, Widget, WidgetOptions};

use super::house::NOW;

pub(super) fn agent() -> User {
    User {
        name: "kim".to_owned(),
        display_name: "Kim".to_owned(),
        roles: BTreeSet::from([Role::Agent.into()]),
        desktop: Some(DesktopId::from_random(1)),
        phone: Some("kim".to_owned()),
        revision: 1,
        ..User::blank(UserId::from_random(7))
    }
}

/// Another agent, with a desktop that is not configured here.
pub(super) fn colleague() -> User {
    User {
        name: "lee".to_owned(),
        display_name: "Lee".to_owned(),
        phone: Some("lee".to_owned()),
        id: UserId::from_random(8),
        ..agent()
    }
}

pub(super) fn widget(id: u128, kind: WidgetKind, options: WidgetOptions) -> Widget {
    let prompt = |field: &Field| Prompt {
        field: *field,
        text: "please".to_owned(),
    };
    Widget {
        id: WidgetId::from_random(id),
        kind,
        title: format!("Take a payment {id}"),
        enabled: true,
        prompts: kind.fields().iter().map(prompt).collect(),
        translations: domain::widget::Translations::new(),
        card_types: BTreeSet::from(Brand::ALL),
        options,
        gateway: kind.is_advanced().then(|| {
            serde_json::from_value(serde_json::json!({
                "service_url": "https://gateway.example/pay", "success_key": "result", "success_value": "ok",
            }))
            .unwrap()
        }),
    }
}

pub(super) fn desktop(widgets: Vec<Widget>) -> Desktop {
    Desktop {
        id: DesktopId::from_random(1),
        name: "Desk".to_owned(),
        service: DesktopService::Standard,
        layout: Layout::AgentPanel,
        widgets,
        design: None,
        revision: 1,
    }
}

pub(super) fn service(protection: ProtectionScope) -> Service {
    Service {
        id: ServiceId::from_random(1),
        name: "Sales".to_owned(),
        numbers: vec!["*".to_owned()],
        route: Route::Agents { group: None },
        pairing: Pairing::default(),
        pool: None,
        hours: None,
        outbound: None,
        queue: None,
        desktop: DesktopId::from_random(1),
        protection,
        after_call_s: 0,
        on_transfer: OnTransfer::default(),
        call_recording: CallRecording::default(),
        screen_recording: ScreenRecording::default(),
        recorders: Some(RecorderDeclaration {
            confirmed_by: "pat".to_owned(),
            confirmed_at: NOW,
            sinks: Vec::new(),
        }),
        revision: 1,
    }
}
