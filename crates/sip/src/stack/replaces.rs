//! Calls that are to take the place of others (RFC 3891).
//! Owns: which leg of ours a `Replaces` names.
//! Never: decides whether its sender may.

use super::Stack;
use super::event::LegId;
use super::leg::State;
use crate::message::{HeaderMap, HeaderName, Replaces, Status};

impl Stack {
    /// The leg that an INVITE is to replace; none: it names none. Else the status to refuse it with ([RFC 3891](https://www.rfc-editor.org/rfc/rfc3891)
    /// section 3).
    pub(super) fn replaced(&self, headers: &HeaderMap) -> Result<Option<LegId>, Status> {
        if !headers.contains(&HeaderName::REPLACES) {
            return Ok(None);
        }
        if !self.config.takes_transfers {
            return Err(Status::DECLINE);
        }
        let mut values = headers.values(&HeaderName::REPLACES);
        let (first, second) = (values.next(), values.next());
        let replaces = first.and_then(Replaces::parse).filter(|_| second.is_none());
        let replaces = replaces.ok_or(Status::BAD_REQUEST)?;
        self.match_replaces(&replaces).map(Some)
    }

    /// The leg of this name, if it can be replaced. What rings here was not begun by us, and is none.
    pub(super) fn match_replaces(&self, replaces: &Replaces) -> Result<LegId, Status> {
        let unknown = Status::NO_DIALOG_OR_TRANSACTION;
        let names = (replaces.call_id.clone(), replaces.to_tag.clone());
        let id = *self.dialogs.get(&names).ok_or(unknown)?;
        let leg = self.legs.get(&id).ok_or(unknown)?;
        let theirs = Some(replaces.from_tag.as_str());
        let is_theirs = leg.dialog.remote.tag() == theirs;
        match &leg.state {
            State::Up(_) if is_theirs && replaces.early_only => Err(Status::BUSY_HERE),
            State::Up(_) if is_theirs => Ok(id),
            State::Draining(..) if is_theirs => Err(Status::DECLINE),
            State::Calling(calling) => {
                let mut forks = calling.forks.iter();
                let rings = forks.any(|fork| fork.dialog.remote.tag() == theirs);
                rings.then_some(id).ok_or(unknown)
            }
            State::Cancelling(_) | State::Ringing(_) | State::Up(_) | State::Draining(..) => {
                Err(unknown)
            }
        }
    }
}
