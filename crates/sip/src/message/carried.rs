//! Header fields of a call that may go on to its other side.
//! Owns: which names may, and how much of them.
//! Never: decides which do: that is the far sides' configuration.

use super::{HeaderMap, HeaderName, Known};

/// Fields of one call that are kept for its other side: those of a call through several networks are about ten. More: passed over.
pub const CARRIED_FIELDS_MAX: usize = 16;

/// Bytes of their names and values: two signatures of RFC 8224, which have about 1,000 each, and as much again for everything else. Those that no longer
/// fit are passed over.
pub const CARRIED_BYTES_MAX: usize = 4_096;

/// Names without a word in this crate that speak of one hop, of our own body or of a dialog, so that on another leg they would say what is not so.
const OF_ONE_LEG: &[&str] = &[
    "Answer-Mode",
    "Authentication-Info",
    "Encryption",
    "Flow-Timer",
    "Info-Package",
    "Join",
    "Max-Breadth",
    "Permission-Missing",
    "Priv-Answer-Mode",
    "Recv-Info",
    "Refer-Sub",
    "Response-Key",
    "Same-Session",
    "Session-ID",
    "Suppress-If-Match",
    "Target-Dialog",
    "Trigger-Consent",
    "X-Invalid",
    "X-Tonewall-Call",
];

/// Families of such names.
const FAMILIES_OF_ONE_LEG: &[&str] = &["Content-", "Proxy-", "Security-", "SIP-"];

impl HeaderName {
    /// It says something of the call, not of one leg, one hop, a body, a challenge or who is believed: it may be written on the call's other leg as it came.
    /// Who calls has rules of its own (RFC 3323, RFC 3325), so `P-Asserted-Identity`, `P-Preferred-Identity` and `Privacy` may not.
    #[must_use]
    pub fn may_be_carried(&self) -> bool {
        match self {
            Self::Known(known) => matches!(
                known,
                Known::Identity
                    | Known::Diversion
                    | Known::UserToUser
                    | Known::Subject
                    | Known::AcceptContact
                    | Known::RejectContact
                    | Known::AcceptLanguage
                    | Known::ReferredBy
            ),
            Self::Other(name) => {
                let is_in_family = |family: &&str| {
                    let head = name.get(..family.len());
                    head.is_some_and(|head| head.eq_ignore_ascii_case(family))
                };
                let is_it = |one: &&str| one.eq_ignore_ascii_case(name);
                !OF_ONE_LEG.iter().any(is_it) && !FAMILIES_OF_ONE_LEG.iter().any(is_in_family)
            }
        }
    }
}

/// The fields of a request that may be carried, in its order, and its `Date` if it is signed. Values that are no UTF-8 are passed over.
pub(crate) fn carried(headers: &HeaderMap) -> Vec<(HeaderName, String)> {
    let is_signed = headers.contains(&HeaderName::IDENTITY);
    let mut room = CARRIED_BYTES_MAX;
    let wanted = headers.iter().filter(|field| {
        field.name.may_be_carried() || (is_signed && *field.name == HeaderName::DATE)
    });
    let mut kept = Vec::new();
    for field in wanted {
        let Ok(value) = str::from_utf8(field.value()) else {
            continue;
        };
        let bytes = field.name.as_str().len().saturating_add(value.len());
        if kept.len() < CARRIED_FIELDS_MAX && bytes <= room {
            room -= bytes;
            kept.push((field.name.clone(), value.to_owned()));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(name: &str) -> bool {
        HeaderName::parse(name.as_bytes()).unwrap().may_be_carried()
    }

    #[test]
    fn what_speaks_of_the_call_may_go_on_and_what_speaks_of_a_leg_may_not() {
        for name in [
            "User-to-User",
            "Diversion",
            "History-Info",
            "identity",
            "y",
            "P-Charging-Vector",
            "X-Anything",
            "Alert-Info",
        ] {
            assert!(may(name), "{name}");
        }
        for name in [
            "Via",
            "v",
            "Contact",
            "From",
            "Content-Type",
            "content-anything",
            "Authorization",
            "Proxy-Anything",
            "Proxy-Authorization",
            "Session-Expires",
            "Route",
            "Record-Route",
            "Replaces",
            "join",
            "x-tonewall-call",
            "P-Asserted-Identity",
            "Privacy",
            "Require",
            "Date",
            "SIP-ETag",
        ] {
            assert!(!may(name), "{name}");
        }
    }

    #[test]
    fn floods_are_cut_and_a_date_comes_with_a_signature_alone() {
        let mut headers = HeaderMap::new();
        headers.push(HeaderName::DATE, "Thu, 01 Jan 2026 00:00:00 GMT");
        assert!(carried(&headers).is_empty());
        headers.push(HeaderName::IDENTITY, "a.b.c");
        assert_eq!(carried(&headers).len(), 2);
        headers.push(HeaderName::USER_TO_USER, "x".repeat(CARRIED_BYTES_MAX));
        headers.push(HeaderName::USER_TO_USER, [0xFF]);
        for _ in 0..CARRIED_FIELDS_MAX {
            headers.push(HeaderName::USER_TO_USER, "00");
        }
        let kept = carried(&headers);
        assert_eq!(kept.len(), CARRIED_FIELDS_MAX);
        assert!(kept.iter().all(|(_, value)| value.len() < 40));
    }
}
