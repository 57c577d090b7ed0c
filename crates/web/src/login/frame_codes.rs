//! One-time codes that let the page in another site's frame in (docs/decisions/0007-embedding.md).
//! Owns: which codes hold, for whom and where, and for how long.
//! Never: keeps a code; only its hash is here, and nothing outlives the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{LoginKey, key_of, random_hex};

/// A code is used within this: the page that asks for it hands it on at once.
pub(crate) const LIFE: Duration = Duration::from_secs(60);
/// Codes at once: each of 1,000 agents signs in within one minute. At the limit the oldest one ends.
const CODES_MAX: usize = 1_024;

/// What a code stands for.
struct Issued {
    /// Whose login lets the frame in.
    login: LoginKey,
    /// The origin of the page around the frame.
    origin: String,
    until: Instant,
}

/// All codes that hold.
#[derive(Default)]
pub(crate) struct FrameCodes(Mutex<HashMap<LoginKey, Issued>>);

impl FrameCodes {
    /// A code of a login for a frame on an origin: 256 random bits in hex. An earlier one of the same login ends. None if the system has no random
    /// numbers.
    pub(crate) fn issue(&self, login: LoginKey, origin: &str, now: Instant) -> Option<String> {
        let code = random_hex()?;
        let mut codes = self.codes();
        codes.retain(|_, issued| issued.until > now && issued.login != login);
        if codes.len() >= CODES_MAX {
            let oldest = codes.iter().min_by_key(|(_, issued)| issued.until);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                codes.remove(&oldest);
            }
        }
        let issued = Issued {
            login,
            origin: origin.to_owned(),
            until: now + LIFE,
        };
        codes.insert(key_of(&code), issued);
        Some(code)
    }

    /// The login that a code lets in on this origin. Whatever comes of it the code holds no longer.
    pub(crate) fn redeem(&self, code: &str, origin: &str, now: Instant) -> Option<LoginKey> {
        let issued = self.codes().remove(&key_of(code))?;
        (issued.until > now && issued.origin == origin).then_some(issued.login)
    }

    fn codes(&self) -> MutexGuard<'_, HashMap<LoginKey, Issued>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRM: &str = "https://crm.example";

    fn key(number: usize) -> LoginKey {
        key_of(&number.to_string())
    }

    #[test]
    fn a_code_lets_in_once_for_a_minute_and_on_its_origin_only() {
        let (codes, now) = (FrameCodes::default(), Instant::now());
        let code = codes.issue(key(1), CRM, now).unwrap();
        let late = now + LIFE.saturating_sub(Duration::from_millis(1));
        assert_eq!(codes.redeem(&code, CRM, late), Some(key(1)));
        assert_eq!(codes.redeem(&code, CRM, late), None);
        let code = codes.issue(key(1), CRM, now).unwrap();
        assert_eq!(codes.redeem(&code, CRM, now + LIFE), None);
        let code = codes.issue(key(1), CRM, now).unwrap();
        assert_eq!(codes.redeem(&code, "https://evil.example", now), None);
        assert_eq!(codes.redeem(&code, CRM, now), None, "it is used up");
    }

    #[test]
    fn a_login_has_one_code_and_all_together_are_bounded() {
        let (codes, now) = (FrameCodes::default(), Instant::now());
        let first = codes.issue(key(0), CRM, now).unwrap();
        let second = codes.issue(key(0), CRM, now).unwrap();
        assert_eq!(codes.redeem(&first, CRM, now), None);
        for number in 1..=CODES_MAX {
            codes.issue(key(number), CRM, now + Duration::from_secs(1));
        }
        assert_eq!(codes.codes().len(), CODES_MAX);
        assert_eq!(codes.redeem(&second, CRM, now), None, "the oldest went");
    }
}
