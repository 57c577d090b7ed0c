//! Attempts of a call as a supervisor sees them, and giving them back (S14).
//! Owns: what leaves a call for people who are not its agent.
//! Never: tells a digit, or how many there are.

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change};
use domain::capture::{AttemptsUsed, Event, Ruling, WidgetKind};
use domain::view::{DeskError, FieldState, LiveCapture, LiveField, LiveSession};

use crate::open_capture::OpenCapture;
use crate::task::CallTask;

impl CallTask {
    /// The open capture, and each kind whose closed ones have used attempts up.
    pub(crate) fn live(&self) -> Vec<LiveCapture> {
        let open = self.open.as_ref();
        let open_kind = open.map(|open| open.session.widget().kind);
        let closed = WidgetKind::ALL
            .into_iter()
            .filter(|kind| Some(*kind) != open_kind)
            .filter_map(|kind| {
                let used = self.attempts.get(&kind)?;
                let closed = self.live_capture(kind, used);
                closed.has_used().then_some(closed)
            });
        let open = open.map(|open| self.live_open(open));
        open.into_iter().chain(closed).collect()
    }

    fn live_capture(&self, kind: WidgetKind, used: &AttemptsUsed) -> LiveCapture {
        let field = |field: &domain::capture::Field| LiveField {
            field: *field,
            attempts_used: used.field(*field),
            is_locked: false,
        };
        LiveCapture {
            call: self.call.id().clone(),
            began_at: self.call.began_at(),
            agent: self.call.agent().cloned(),
            kind,
            open: None,
            fields: kind.fields().iter().map(field).collect(),
            process_used: used.process(),
        }
    }

    fn live_open(&self, open: &OpenCapture) -> LiveCapture {
        let (session, clock) = (&open.session, self.inner.deps.clock.now());
        let view = open.view(crate::now(), clock);
        let mut live = self.live_capture(session.widget().kind, &session.attempts_used());
        for row in &mut live.fields {
            let shown = view.fields.iter().find(|shown| shown.field == row.field);
            row.is_locked = shown.is_some_and(|shown| shown.state == FieldState::Locked);
        }
        live.open = Some(LiveSession {
            title: session.widget().title.clone(),
            state: session.state(),
        });
        live
    }

    /// The entry first: what is not in the trail is not given back.
    pub(crate) async fn reset_attempts(
        &mut self,
        actor: &Actor,
        kind: WidgetKind,
    ) -> Result<(), DeskError> {
        let open = self.open.as_ref();
        let open = open.filter(|open| open.session.widget().kind == kind);
        match open.map(|open| &open.session) {
            Some(session)
                if session.ruling(crate::now(), &Event::AttemptsReset) != Ruling::Allowed =>
            {
                return Err(DeskError::WrongState(session.state()));
            }
            None if !self.attempts.contains_key(&kind) => return Err(DeskError::NotFound),
            Some(_) | None => {}
        }
        let is_open = open.is_some();
        let object = format!("call {}", self.call.id());
        let now = self.inner.deps.clock.now();
        let entry = AuditEntry::new(now, actor, AuditAction::AttemptsReset, object)
            .with("kind", kind.name());
        let change = Change::None;
        let recorded = self.inner.deps.store.commit(Audited { change, entry });
        recorded.await.map_err(|_| DeskError::Unrecordable)?;
        self.attempts.remove(&kind);
        self.presses = 0;
        if is_open {
            self.capture_event(Event::AttemptsReset);
        }
        Ok(())
    }
}
