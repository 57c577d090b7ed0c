//! Keys of secured media for a leg.
//! Owns: whether a far side may have any, and making them.
//! Never: takes a key of one leg to another, or sends one where the rule does not let it.

use rand::TryRngCore;
use rand::rngs::OsRng;
use secret::MediaKey;
use sip::Transport;
use sip::sdp::{LocalSrtp, Suite};
use std::sync::Arc;
use thiserror::Error;

use super::config::{Srtp, SrtpRule};

/// Why a leg cannot be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum NoKeys {
    /// Secured media is required, and everybody on the way could read its keys.
    #[error(
        "srtp is required of a far side whose signalling is not TLS; use TLS, or set sdes_without_tls for it"
    )]
    ConfigInClear,
    /// The system gives no random numbers.
    #[error("reading random numbers for a media key")]
    SystemRandom,
}

/// What our side of a leg may be secured with: fresh keys, or none.
///
/// # Errors
/// See [`NoKeys`].
pub(super) fn fresh(rule: SrtpRule, transport: Transport) -> Result<Option<LocalSrtp>, NoKeys> {
    let may_travel = transport == Transport::Tls || rule.without_tls;
    let required = match rule.wanted {
        Srtp::Refuse => return Ok(None),
        Srtp::Prefer if !may_travel => return Ok(None),
        Srtp::Require if !may_travel => return Err(NoKeys::ConfigInClear),
        Srtp::Prefer => false,
        Srtp::Require => true,
    };
    let short = Suite::SHORT.into_iter().filter(|_| rule.short_tags);
    let suites = Suite::STRONG.into_iter().chain(short);
    let keys = suites.map(key).collect::<Result<_, _>>()?;
    Ok(Some(LocalSrtp { required, keys }))
}

/// The same suites with other keys.
pub(super) fn renew(srtp: &LocalSrtp) -> Result<LocalSrtp, NoKeys> {
    let keys = srtp.keys.iter().map(|(suite, _)| key(*suite));
    Ok(LocalSrtp {
        required: srtp.required,
        keys: keys.collect::<Result<_, _>>()?,
    })
}

fn key(suite: Suite) -> Result<(Suite, Arc<MediaKey>), NoKeys> {
    let fill = |bytes: &mut [u8]| OsRng.try_fill_bytes(bytes);
    let key = MediaKey::fill_with(suite.master_len(), fill);
    let key = key.map_err(|_| NoKeys::SystemRandom)?;
    Ok((suite, Arc::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(wanted: Srtp, without_tls: bool) -> SrtpRule {
        SrtpRule {
            wanted,
            without_tls,
            short_tags: false,
        }
    }

    #[test]
    fn keys_travel_over_tls_or_where_the_rule_says_so() {
        let required = |rule, transport| {
            let srtp = fresh(rule, transport);
            srtp.map(|srtp| srtp.map(|srtp| srtp.required))
        };
        for (wanted, udp, tls) in [
            (Srtp::Refuse, Ok(None), Ok(None)),
            (Srtp::Prefer, Ok(None), Ok(Some(false))),
            (Srtp::Require, Err(NoKeys::ConfigInClear), Ok(Some(true))),
        ] {
            assert_eq!(required(rule(wanted, false), Transport::Udp), udp);
            assert_eq!(required(rule(wanted, false), Transport::Tcp), udp);
            assert_eq!(required(rule(wanted, false), Transport::Tls), tls);
            assert_eq!(required(rule(wanted, true), Transport::Udp), tls);
        }
    }

    #[test]
    fn every_leg_has_keys_of_its_own_and_a_short_tag_only_where_it_is_allowed() {
        let of = |rule| fresh(rule, Transport::Tls).unwrap().unwrap();
        let (one, other) = (
            of(rule(Srtp::Require, false)),
            of(rule(Srtp::Require, false)),
        );
        let suites = |srtp: &LocalSrtp| {
            srtp.keys
                .iter()
                .map(|(suite, _)| *suite)
                .collect::<Vec<_>>()
        };
        assert_eq!(suites(&one), Suite::STRONG);
        for ((_, one), (_, other)) in one.keys.iter().zip(&other.keys) {
            assert!(one != other);
        }
        let renewed = renew(&one).unwrap();
        assert_eq!(suites(&renewed), suites(&one));
        assert!(renewed != one);
        let short = of(SrtpRule {
            short_tags: true,
            ..rule(Srtp::Prefer, false)
        });
        assert_eq!(suites(&short)[4..], Suite::SHORT);
    }
}
