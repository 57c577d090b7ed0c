//! The four gates before a payment button (SETTLED S2).
//! Owns: their order and their names.
//! Never: is asked in two places in two ways; page and API use this function.

use serde::{Deserialize, Serialize};

use crate::access::{Actor, Permission, Resource, authorize};
use crate::desktop::Desktop;
use crate::id::WidgetId;
use crate::service::Settings;
use crate::widget::Widget;

/// A shut gate.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
    thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Gate 1: the system switch.
    #[error("Secure Payment Capture is switched off")]
    SystemSwitch,
    /// Gate 2: no such widget on this desktop.
    #[error("this desktop has no such widget")]
    NoWidget,
    /// Gate 3: the widget is not Enabled.
    #[error("the widget is not enabled")]
    WidgetDisabled,
    /// Gate 4: the agent may not.
    #[error("you do not have the right to start this capture")]
    NotPermitted,
}

/// The widget that somebody may open on a desktop, by the gates in their order.
///
/// # Errors
/// The first shut gate.
pub fn pass_gates<'a>(
    settings: &Settings,
    desktop: &'a Desktop,
    widget: &WidgetId,
    actor: &Actor,
) -> Result<&'a Widget, Gate> {
    if !settings.spc_enabled {
        return Err(Gate::SystemSwitch);
    }
    let mut widgets = desktop.widgets.iter();
    let widget = widgets
        .find(|candidate| candidate.id == *widget)
        .ok_or(Gate::NoWidget)?;
    if !widget.enabled {
        return Err(Gate::WidgetDisabled);
    }
    if !may_run(widget, actor) {
        return Err(Gate::NotPermitted);
    }
    Ok(widget)
}

/// Gate 4 alone: the actor has the rights that a widget of this kind needs.
#[must_use]
pub fn may_run(widget: &Widget, actor: &Actor) -> bool {
    let may = |permission| authorize(actor, permission, Resource::Installation).is_ok();
    may(Permission::CaptureStart)
        && (widget.kind.is_advanced() || may(Permission::CaptureViewBasic))
}
