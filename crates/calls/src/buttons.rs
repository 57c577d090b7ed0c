//! Which control buttons an agent has, and which can be pressed.
//! Owns: the gates as the page sees them.
//! Never: decides otherwise than the gates: opening asks the same functions.

use domain::desktop::Desktop;
use domain::gate::{may_run, pass_gates};
use domain::view::{ButtonDisabled, ButtonView, CallState};
use domain::widget::Widget;

use crate::task::CallTask;

/// The desktop as it is configured now.
pub(crate) fn desktop_now(task: &CallTask) -> Option<std::sync::Arc<Desktop>> {
    let id = &task.desktop.as_ref()?.id;
    task.inner.deps.configuration.current().desktop(id).cloned()
}

/// The agent, as the configuration knows them now, may run this widget.
pub(crate) fn has_right(task: &CallTask, widget: &Widget) -> bool {
    let snapshot = task.inner.deps.configuration.current();
    let user = task
        .agent
        .as_ref()
        .and_then(|agent| snapshot.user(&agent.id));
    user.is_some_and(|user| user.enabled && may_run(widget, &snapshot.actor(user)))
}

/// The buttons: widgets whose four gates are open.
pub(crate) fn of(task: &CallTask) -> Vec<ButtonView> {
    open_widgets(task, |widget| ButtonView {
        widget: widget.id.clone(),
        kind: widget.kind,
        title: widget.title.clone(),
        titles: widget.titles(),
        disabled: disabled(task, widget),
    })
}

/// The agent has a button: a capture may begin in this call, now or later.
pub(crate) fn may_capture(task: &CallTask) -> bool {
    !open_widgets(task, |_| ()).is_empty()
}

/// Something of each widget whose four gates are open.
fn open_widgets<T>(task: &CallTask, of: impl Fn(&Widget) -> T) -> Vec<T> {
    let snapshot = task.inner.deps.configuration.current();
    let Some((desktop, agent)) = desktop_now(task).zip(task.agent.as_ref()) else {
        return Vec::new();
    };
    let agent = snapshot
        .user(&agent.id)
        .map_or_else(|| snapshot.actor(agent), |user| snapshot.actor(user));
    let open =
        |widget: &&Widget| pass_gates(&snapshot.settings, &desktop, &widget.id, &agent).is_ok();
    desktop.widgets.iter().filter(open).map(of).collect()
}

/// Why a widget cannot be opened now; none: it can.
pub(crate) fn disabled(task: &CallTask, widget: &Widget) -> Option<ButtonDisabled> {
    match task.call.state() {
        CallState::Connected => {}
        CallState::Held => return Some(ButtonDisabled::OnHold),
        CallState::Ringing | CallState::Ended => return Some(ButtonDisabled::NotConnected),
    }
    if task.open.is_some() {
        return Some(ButtonDisabled::CaptureOpen);
    }
    let snapshot = task.inner.deps.configuration.current();
    let service = snapshot
        .services
        .iter()
        .find(|service| service.id == task.service.id);
    if service.is_none_or(|service| service.recorders.is_none()) {
        return Some(ButtonDisabled::RecordersUndeclared);
    }
    let approved = |gateway| task.inner.deps.gateway.host_approved(gateway);
    if !widget.gateway.as_ref().is_none_or(approved) {
        return Some(ButtonDisabled::HostNotApproved);
    }
    None
}
