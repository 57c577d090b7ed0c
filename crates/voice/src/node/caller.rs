//! Who calls, as the agent is shown it.
//! Owns: the cleaning of names and numbers from outside.
//! Never: believes them.

use domain::text::plain_line;
use sip::{Host, Incoming, NameAddr, Uri};

/// Characters of a caller's name or number that are passed on: longer ones are hostile.
const CALLER_CHARS_MAX: usize = 64;

/// A caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    user: Option<String>,
    display: Option<String>,
}

impl Caller {
    /// By the identity that its peer asserts, else by its own word.
    pub(super) fn of(incoming: &Incoming) -> Self {
        let identity = incoming
            .asserted_identity
            .as_ref()
            .unwrap_or(&incoming.from);
        let user = identity
            .uri
            .user_bytes()
            .map(|user| text_of(Some(&String::from_utf8_lossy(&user))));
        let display = identity
            .display_text()
            .map(|display| text_of(Some(&display)));
        Self {
            user: user.filter(|user| !user.is_empty()),
            display: display.filter(|display| !display.is_empty()),
        }
    }

    /// Its name, else its number.
    pub(super) fn text(self) -> String {
        self.display.or(self.user).unwrap_or_default()
    }

    /// Its number; empty: it sent none, or something else, such as a user's name.
    pub(super) fn number(&self) -> &str {
        let is_number = |user: &&str| {
            let digits = user.strip_prefix('+').unwrap_or(user);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        self.user.as_deref().filter(is_number).unwrap_or_default()
    }

    /// It as the `From` of a call that we make.
    pub(super) fn at(&self, host: Host, port: Option<u16>) -> NameAddr {
        let address = NameAddr::new(Uri::sip(self.user.as_deref(), host, port));
        match &self.display {
            Some(display) => address.with_display(display),
            None => address,
        }
    }
}

/// Text from outside, cut and without what hides or turns it.
pub(super) fn text_of(text: Option<&str>) -> String {
    plain_line(text.unwrap_or_default(), CALLER_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_with_or_without_a_plus() {
        for (user, number) in [
            ("+15550100", "+15550100"),
            ("4001", "4001"),
            ("anonymous", ""),
            ("+", ""),
            ("1;x=2", ""),
        ] {
            let caller = Caller {
                user: Some(user.to_owned()),
                display: None,
            };
            assert_eq!(caller.number(), number, "{user}");
        }
        assert_eq!(Caller::default().number(), "");
    }

    #[test]
    fn control_characters_and_floods_are_cut() {
        assert_eq!(text_of(Some("a\r\nVia: b\u{7}")), "a Via: b");
        assert_eq!(text_of(Some(&"x".repeat(1_000))).len(), CALLER_CHARS_MAX);
        assert_eq!(text_of(None), "");
    }
}
