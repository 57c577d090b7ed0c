//! Screens of an agent's other calls, while a Basic value may be seen.
//! Owns: from when until when they are withheld.
//! Never: lets them be recorded before the agent has said that the value is gone, or the capture is off the screen.

use domain::id::UserId;

use crate::open_capture::OpenCapture;
use crate::task::CallTask;

impl OpenCapture {
    /// Whose screen may show a value of this capture: from the wish for protection until it is let go.
    fn shows_on_screen_of(&self) -> Option<&UserId> {
        let is_basic = !self.session.widget().kind.is_advanced();
        (is_basic && self.session.needs_mask()).then_some(&self.actor.user)
    }
}

impl CallTask {
    /// Tells the recorders what has changed.
    pub(crate) fn settle_withheld(&mut self) {
        let wanted = self.open.as_ref().and_then(OpenCapture::shows_on_screen_of);
        if wanted == self.withheld.as_ref() {
            return;
        }
        let wanted = wanted.cloned();
        let (recorders, call) = (&self.inner.deps.recorders, self.call.id());
        if let Some(agent) = &self.withheld {
            recorders.withhold_screens(call, agent, false);
        }
        if let Some(agent) = &wanted {
            recorders.withhold_screens(call, agent, true);
        }
        self.withheld = wanted;
    }
}
