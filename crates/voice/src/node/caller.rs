//! Who calls, as the agent and the far side that is called are told it.
//! Owns: the cleaning of names and numbers from outside, and who is told what the caller wants withheld (RFC 3323, RFC 3325).
//! Never: believes them.

use domain::text::plain_line;
use sip::{HeaderName, Host, Incoming, NameAddr, Privacy, Uri};

use super::config::Peer;
use crate::trunk::{HeaderRules, number_of, rewritten};

/// Characters of a caller's name or number that are passed on: longer ones are hostile.
const CALLER_CHARS_MAX: usize = 64;

/// User, host and name of a caller who wants to stay unknown ([RFC 3323](https://www.rfc-editor.org/rfc/rfc3323)).
const UNKNOWN: (&str, &str, &str) = ("anonymous", "anonymous.invalid", "Anonymous");

/// Header fields that say who calls, or where from, beside those that have rules of their own. They go nowhere if that is to be withheld.
const SAY_WHO: &[&str] = &[
    "Call-Info",
    "Geolocation",
    "Identity",
    "Organization",
    "P-Access-Network-Info",
    "P-Served-User",
    "Referred-By",
    "Remote-Party-ID",
    "Reply-To",
    "Subject",
];

/// Header fields that say by which ways a call came.
const SAY_HOW: &[&str] = &["Diversion", "History-Info"];

/// A caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    user: Option<String>,
    display: Option<String>,
    /// A trusted far side says who it is.
    is_asserted: bool,
    privacy: Privacy,
    /// What else its far side says of the call, and may be told the other.
    said: Vec<(HeaderName, String)>,
    /// The numbers that a signature among that speaks of: who calls, and who is called.
    signed: (Option<String>, Option<String>),
}

impl Caller {
    /// By the identity that its peer asserts, else by its own word.
    pub(super) fn of(incoming: &Incoming, peer: Option<&Peer>) -> Self {
        let asserted = incoming.asserted_identity.as_ref();
        let identity = asserted.unwrap_or(&incoming.from);
        let user = identity
            .uri
            .user_bytes()
            .map(|user| text_of(Some(&String::from_utf8_lossy(&user))))
            .filter(|user| !user.is_empty());
        let display = identity
            .display_text()
            .map(|display| text_of(Some(&display)));
        let rewrite = |user: &String| rewritten(&peer?.numbers.calling, user);
        Self {
            user: user.as_ref().and_then(rewrite).or(user),
            display: display.filter(|display| !display.is_empty()),
            is_asserted: asserted.is_some(),
            privacy: incoming.privacy,
            said: peer.map_or_else(Vec::new, |peer| peer.headers.taken(&incoming.carried)),
            signed: (number_in(&incoming.from.uri), number_in(&incoming.to.uri)),
        }
    }

    /// Somebody of whom a number is known, and no name.
    pub(super) fn numbered(number: &str) -> Self {
        Self {
            user: Some(text_of(Some(number))),
            ..Self::default()
        }
    }

    /// Its name, else its number, unless that is to be withheld.
    pub(super) fn text(self) -> String {
        if self.privacy.identity {
            return UNKNOWN.2.to_owned();
        }
        self.display.or(self.user).unwrap_or_default()
    }

    /// Its number; empty: it sent none, wants it withheld, or sent something else, such as a user's name.
    pub(super) fn number(&self) -> &str {
        let is_number = |user: &&str| {
            let digits = user.strip_prefix('+').unwrap_or(user);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let told = self.user.as_deref().filter(|_| !self.privacy.identity);
        told.filter(is_number).unwrap_or_default()
    }

    /// It as the `From` of a call that we make.
    pub(super) fn at(&self, host: Host, port: Option<u16>) -> NameAddr {
        if self.privacy.identity {
            let (user, host, display) = UNKNOWN;
            let uri = Uri::sip(Some(user), Host::Name(host.into()), None);
            return NameAddr::new(uri).with_display(display);
        }
        self.named_at(host, port)
    }

    fn named_at(&self, host: Host, port: Option<u16>) -> NameAddr {
        let address = NameAddr::new(Uri::sip(self.user.as_deref(), host, port));
        match &self.display {
            Some(display) => address.with_display(display),
            None => address,
        }
    }

    /// What else a far side is told with a call to this target; none: it is no trunk. An asserted identity goes to trusted ones alone, with what is to be
    /// withheld from those behind them ([RFC 3325](https://www.rfc-editor.org/rfc/rfc3325)).
    pub(super) fn told(
        &self,
        peer: Option<&Peer>,
        target: &Uri,
        (host, port): (Host, Option<u16>),
    ) -> Vec<(HeaderName, String)> {
        let Some(peer) = peer else { return Vec::new() };
        let mut told = self.said_to(&peer.headers, peer.is_trusted, target);
        if !peer.is_trusted {
            return told;
        }
        if self.is_asserted {
            let identity = self.named_at(host, port).to_string();
            told.push((HeaderName::P_ASSERTED_IDENTITY, identity));
        }
        if self.privacy != Privacy::default() {
            told.push((HeaderName::PRIVACY, self.privacy.to_string()));
        }
        told
    }

    fn said_to(
        &self,
        rules: &HeaderRules,
        is_trusted: bool,
        target: &Uri,
    ) -> Vec<(HeaderName, String)> {
        let Privacy { identity, history } = self.privacy;
        let is_in = |names: &[&str], name: &HeaderName| {
            names.iter().any(|one| HeaderName::from(*one) == *name)
        };
        let may_be_told = |name: &HeaderName| {
            is_trusted || !((identity && is_in(SAY_WHO, name)) || (history && is_in(SAY_HOW, name)))
        };
        let holds = self.is_signature_true(target);
        let said = self
            .said
            .iter()
            .filter(|(name, _)| may_be_told(name) && (holds || *name != HeaderName::IDENTITY));
        rules.sent(&said.cloned().collect::<Vec<_>>())
    }

    /// A signature (RFC 8224) speaks of two numbers. Where we tell another, or none, it would be taken for a forgery.
    fn is_signature_true(&self, target: &Uri) -> bool {
        let (caller, called) = &self.signed;
        let shown = self.user.as_deref().and_then(canonical);
        let is_shown = shown.is_some() && shown == *caller && !self.privacy.identity;
        is_shown && called.is_some() && number_in(target) == *called
    }
}

/// The number of a URI as signatures have it ([RFC 8224 §8.3](https://www.rfc-editor.org/rfc/rfc8224#section-8.3)); none: it has none.
fn number_in(uri: &Uri) -> Option<String> {
    canonical(uri.user()?)
}

/// Digits alone.
fn canonical(user: &str) -> Option<String> {
    let number = number_of(user)?;
    Some(number.trim_start_matches('+').to_owned())
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
                ..Caller::default()
            };
            assert_eq!(caller.number(), number, "{user}");
        }
        assert_eq!(Caller::default().number(), "");
    }

    #[test]
    fn who_wants_to_stay_unknown_is_shown_to_nobody() {
        let caller = Caller {
            user: Some("+15550100".to_owned()),
            display: Some("Ada".to_owned()),
            privacy: Privacy {
                identity: true,
                history: false,
            },
            ..Caller::default()
        };
        let from = caller.at(Host::Name("us".into()), None).to_string();
        assert_eq!(from, "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
        assert_eq!(
            (caller.number(), &*caller.clone().text()),
            ("", "Anonymous")
        );
    }

    #[test]
    fn signature_holds_for_the_numbers_that_it_names() {
        let caller = |user: &str| Caller {
            user: Some(user.to_owned()),
            signed: (Some("15550100".to_owned()), Some("15550199".to_owned())),
            ..Caller::default()
        };
        let uri = |text: &str| Uri::parse(text.as_bytes()).unwrap();
        let (asked, other) = (uri("sip:+15550199@pbx"), uri("sip:100@pbx"));
        assert!(caller("+15550100").is_signature_true(&asked));
        assert!(!caller("+15550100").is_signature_true(&other));
        assert!(!caller("+15550101").is_signature_true(&asked));
        assert!(!caller("ada").is_signature_true(&asked));
    }

    #[test]
    fn control_characters_and_floods_are_cut() {
        assert_eq!(text_of(Some("a\r\nVia: b\u{7}")), "a Via: b");
        assert_eq!(text_of(Some(&"x".repeat(1_000))).len(), CALLER_CHARS_MAX);
        assert_eq!(text_of(None), "");
    }
}
