//! A customer's consent to a debit (SETTLED S20).
//! Owns: when a text may be read out and agreed to, and its entry in the trail.
//! Never: takes a consent that could not be recorded, or one to another text.

use domain::access::Actor;
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change};
use domain::capture::CaptureState;
use domain::id::CaptureId;
use domain::payment::{HolderType, PaymentForm};
use domain::recording::RecordingMoment;
use domain::view::{DeskError, ReadOut};
use domain::widget::{AuthorisationRule, Said};

use crate::open_capture::OpenCapture;
use crate::task::CallTask;

impl CallTask {
    /// The text that the agent reads out for this form; with `agreed` the customer has agreed to it, which is in the trail before it counts: who, when, on which call,
    /// how long after that began, the text, and where in its recording it was read.
    pub(crate) async fn read_out(
        &mut self,
        capture: &CaptureId,
        actor: &Actor,
        form: PaymentForm,
        agreed: bool,
    ) -> Result<ReadOut, DeskError> {
        self.capture_view(capture)?;
        let (form, now) = (self.charged(form)?, self.inner.deps.clock.now());
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        if open.session.state() != CaptureState::Ready {
            return Err(DeskError::WrongState(open.session.state()));
        }
        let text = self.authorisation_text(open, actor, &form);
        if text.is_empty() {
            return Err(DeskError::NotFound);
        }
        let is_recorded = self.is_recorded();
        let read_from = self.note_shown(&text);
        if !agreed {
            return Ok(ReadOut {
                text,
                is_recorded,
                agreed_at: None,
            });
        }
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        let options = &open.session.widget().options;
        if options.authorisation.rule == AuthorisationRule::Recording && !is_recorded {
            return Err(DeskError::NotRecorded);
        }
        let holder = form
            .account()
            .map_or(HolderType::Personal, |one| one.holder);
        let offset_ms = now.0.saturating_sub(self.call.began_at().0);
        let object = format!("capture {capture}");
        let entry = AuditEntry::new(now, actor, AuditAction::ConsumerAgreed, object)
            .with("call", self.call.id().as_str())
            .with("offset_ms", offset_ms)
            .with("sec_code", options.sec_code.code(holder))
            .with("text", text.as_str());
        let mut entry = self.placed(entry);
        if let Some(from) = read_from {
            entry = entry.with("recording_from_ms", from.at_ms);
        }
        let change = Change::None;
        let recorded = self.inner.deps.store.commit(Audited { change, entry });
        recorded.await.map_err(|_| DeskError::Unrecordable)?;
        if let Some(open) = &mut self.open {
            open.agreed = Some(text.clone());
        }
        Ok(ReadOut {
            text,
            is_recorded,
            agreed_at: Some(now),
        })
    }

    /// Where the call's recording was when this text was first shown, from which the agent reads it out.
    fn note_shown(&mut self, text: &str) -> Option<RecordingMoment> {
        let now = self.inner.deps.recorders.moment(self.call.id());
        let open = self.open.as_mut()?;
        match &open.read_from {
            Some((shown, from)) if shown == text => from.clone(),
            Some(_) | None => {
                open.read_from = Some((text.to_owned(), now.clone()));
                now
            }
        }
    }

    /// No charge without the consent that the widget asks for: to this text, on a call that is still recorded.
    pub(crate) fn check_agreed(&self, actor: &Actor, form: &PaymentForm) -> Result<(), DeskError> {
        let open = self.open.as_ref().ok_or(DeskError::NotFound)?;
        let rule = open.session.widget().options.authorisation.rule;
        if rule != AuthorisationRule::Recording {
            return Ok(());
        }
        if !self.is_recorded() {
            return Err(DeskError::NotRecorded);
        }
        match &open.agreed {
            Some(agreed) if *agreed == self.authorisation_text(open, actor, form) => Ok(()),
            Some(_) | None => Err(DeskError::NotAgreed),
        }
    }

    fn is_recorded(&self) -> bool {
        self.inner.deps.recorders.is_recording(self.call.id())
    }

    fn authorisation_text(&self, open: &OpenCapture, actor: &Actor, form: &PaymentForm) -> String {
        let options = &open.session.widget().options;
        if options.authorisation.rule == AuthorisationRule::None {
            return String::new();
        }
        let check = options.check_facts(open.session.bank_name(&open.slot));
        let said = Said {
            check: &check,
            called: self.call.called(),
            agent: &actor.name,
            at: self.inner.deps.clock.now(),
        };
        options.authorisation.read(form, &said)
    }
}
