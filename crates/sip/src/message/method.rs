//! Request methods.

use std::fmt;

use super::lex;
use super::limits::METHOD_BYTES_MAX;

/// A request method. Names are case-sensitive ([RFC 3261 §7.1](https://www.rfc-editor.org/rfc/rfc3261#section-7.1)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    /// Opens or changes a dialog with media.
    Invite,
    /// Ends the handshake of an INVITE.
    Ack,
    /// Ends a dialog.
    Bye,
    /// Gives up a pending INVITE.
    Cancel,
    /// Asks what the peer can do.
    Options,
    /// Binds an address of record to a contact.
    Register,
    /// Carries application data inside a dialog, digits among them.
    Info,
    /// Changes a session before or after it is answered.
    Update,
    /// Acknowledges a reliable provisional response.
    Prack,
    /// Asks the peer to call somebody else.
    Refer,
    /// Reports an event.
    Notify,
    /// Asks for events.
    Subscribe,
    /// Carries a text message.
    Message,
    /// Publishes event state.
    Publish,
    /// Any other token.
    Other(Box<str>),
}

impl Method {
    /// Reads a method; `None` if it is no token or longer than [`METHOD_BYTES_MAX`].
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if !lex::is_token(text) || text.len() > METHOD_BYTES_MAX {
            return None;
        }
        let name = str::from_utf8(text).ok()?;
        Some(
            KNOWN
                .iter()
                .find(|(_, known)| *known == name)
                .map_or_else(|| Self::Other(name.into()), |(method, _)| method.clone()),
        )
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Other(name) = self {
            return name;
        }
        KNOWN
            .iter()
            .find(|(method, _)| method == self)
            .map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Every named method and its name.
const KNOWN: [(Method, &str); 14] = [
    (Method::Invite, "INVITE"),
    (Method::Ack, "ACK"),
    (Method::Bye, "BYE"),
    (Method::Cancel, "CANCEL"),
    (Method::Options, "OPTIONS"),
    (Method::Register, "REGISTER"),
    (Method::Info, "INFO"),
    (Method::Update, "UPDATE"),
    (Method::Prack, "PRACK"),
    (Method::Refer, "REFER"),
    (Method::Notify, "NOTIFY"),
    (Method::Subscribe, "SUBSCRIBE"),
    (Method::Message, "MESSAGE"),
    (Method::Publish, "PUBLISH"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn method_names_are_case_sensitive() {
        assert_eq!(Method::parse(b"INVITE"), Some(Method::Invite));
        assert_eq!(
            Method::parse(b"invite"),
            Some(Method::Other("invite".into()))
        );
        assert_eq!(Method::parse(b"IN VITE"), None);
        assert_eq!(Method::parse(b""), None);
    }
}
