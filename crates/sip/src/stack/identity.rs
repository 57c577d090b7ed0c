//! Who the far side of a running call says it is ([RFC 3325](https://www.rfc-editor.org/rfc/rfc3325), [RFC 4916](https://www.rfc-editor.org/rfc/rfc4916)).
//! Owns: the numbers it was last known by, and whether a later request names another.
//! Never: believes one; it says only that a person should be asked.

use crate::message::{HeaderMap, HeaderName, Uri};

/// What the far side has said of itself since its dialog began. The user part alone counts: proxies write hosts anew.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// Of its last `P-Asserted-Identity`.
    asserted: Option<Box<str>>,
    /// Of its last `From`, where that is not the address that the dialog began with.
    named: Option<Box<str>>,
}

impl Identity {
    /// Keeps what a message that asks for nothing says, such as the one that began the dialog.
    pub(crate) fn learn(&mut self, headers: &HeaderMap) {
        if let Some(asserted) = asserted_in(headers) {
            self.asserted = Some(asserted);
        }
    }

    /// Takes in a request of a running call; whether it names somebody else than before. An identity that was never asserted before is held against `From`.
    pub(crate) fn is_another(&mut self, headers: &HeaderMap, from: &Uri, begun_with: &Uri) -> bool {
        let user = |uri: &Uri| uri.user().unwrap_or_default().into();
        let before: Box<str> = self.named.take().unwrap_or_else(|| user(begun_with));
        let named: Box<str> = user(from);
        let is_asserted_anew = match asserted_in(headers) {
            Some(now) => {
                let known = self.asserted.replace(now.clone());
                known.as_ref().unwrap_or(&before) != &now
            }
            None => false,
        };
        let is_named_anew = before != named;
        self.named = Some(named).filter(|named| **named != *user(begun_with));
        is_asserted_anew || is_named_anew
    }
}

fn asserted_in(headers: &HeaderMap) -> Option<Box<str>> {
    let asserted = headers.name_addrs(&HeaderName::P_ASSERTED_IDENTITY).ok()?;
    let user = asserted.first()?.uri.user()?;
    Some(user.into())
}
