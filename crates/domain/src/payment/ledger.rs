//! Reading the ledger.
//! Owns: what a reader may narrow it by, and where the next page begins.
//! Never: looks for a text that could be a card number.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::follow_up::Aftermath;
use super::resolution::Proposal;
use super::{AttemptState, Outcome, Payment, PlanStanding};
use crate::id::{AttemptId, CallId, DesktopId, UserId};
use crate::time::UnixMillis;

/// A payment as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The attempt.
    pub payment: Payment,
    /// How somebody says that it ended, while nobody else has confirmed it.
    pub proposal: Option<Proposal>,
    /// What became of its amount afterwards.
    pub aftermath: Aftermath,
    /// How what is due later stands; none: nothing is, or nothing was taken.
    pub plan: Option<PlanStanding>,
}

/// Which rows. Everything that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Taken by this agent.
    pub agent: Option<UserId>,
    /// From a widget of this desktop.
    pub desktop: Option<DesktopId>,
    /// Begun at this time or later.
    pub from: Option<UnixMillis>,
    /// Begun before this time.
    pub until: Option<UnixMillis>,
    /// Standing so.
    pub standing: Option<Standing>,
    /// Named so.
    pub search: Option<LedgerSearch>,
}

/// How an attempt stands, in a reader's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStanding)]
pub enum Standing {
    /// It has not ended: preparing or sent.
    Open,
    /// Nothing left this server.
    NotSent,
    /// The gateway took it.
    Approved,
    /// The gateway answered otherwise.
    Declined,
    /// The gateway holds it for a person.
    Review,
    /// The gateway refused the request.
    Error,
    /// Nobody knows whether it was charged.
    Unknown,
}

impl AttemptState {
    /// Why nothing left this server; none: something did, or may.
    #[must_use]
    pub fn not_sent_reason(self) -> Option<&'static str> {
        match self {
            Self::NotSent(reason) => Some(reason.code()),
            Self::Intent | Self::Sent | Self::Final(_) => None,
        }
    }

    /// How it stands, in a reader's words.
    #[must_use]
    pub fn standing(self) -> Standing {
        match self {
            Self::Intent | Self::Sent => Standing::Open,
            Self::NotSent(_) => Standing::NotSent,
            Self::Final(Outcome::Approved) => Standing::Approved,
            Self::Final(Outcome::Declined) => Standing::Declined,
            Self::Final(Outcome::Review) => Standing::Review,
            Self::Final(Outcome::Error) => Standing::Error,
            Self::Final(Outcome::Unknown) => Standing::Unknown,
        }
    }
}

impl Standing {
    /// Its word in the API, in exports and in audit entries.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NotSent => "not_sent",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Review => "review",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// Characters of a reference without its dash.
const REFERENCE_CHARS: usize = 8;
/// Where its dash stands.
const REFERENCE_DASH: usize = 4;
/// Fewest characters of a reference to look for: fewer fit too much.
const SEARCH_CHARS_MIN: usize = 3;

/// What somebody read on a slip or in a ticket: how a reference begins, or a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSearch {
    /// The reference begins so, its dash in place; none: the text can be no reference.
    pub reference: Option<String>,
    /// The call; none: the text can be no identity of one.
    pub call: Option<CallId>,
}

/// A text that names neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write at least {SEARCH_CHARS_MIN} characters of a reference, or a whole call identity")]
pub struct InvalidSearch;

impl FromStr for LedgerSearch {
    type Err = InvalidSearch;

    fn from_str(text: &str) -> Result<Self, InvalidSearch> {
        let text = text.trim();
        let search = Self {
            reference: reference_start(text),
            call: text.to_ascii_lowercase().parse().ok(),
        };
        let too_short = text.len() < SEARCH_CHARS_MIN;
        if too_short || search.reference.is_none() && search.call.is_none() {
            return Err(InvalidSearch);
        }
        Ok(search)
    }
}

/// "7f2k 91" as a reference begins: "7F2K-91".
fn reference_start(text: &str) -> Option<String> {
    let parts = |c: char| c == '-' || c == ' ';
    let mut kept: String = text.chars().filter(|&c| !parts(c)).collect();
    let fits = (SEARCH_CHARS_MIN..=REFERENCE_CHARS).contains(&kept.len());
    if !fits || !kept.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    kept.make_ascii_uppercase();
    if kept.len() > REFERENCE_DASH {
        kept.insert(REFERENCE_DASH, '-');
    }
    Some(kept)
}

/// A row, as a page ends with it: the next page holds what is older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPlace {
    /// When it began.
    pub created_at: UnixMillis,
    /// The attempt.
    pub attempt: AttemptId,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give back what the page before said")]
pub struct InvalidPlace;

impl From<&Payment> for LedgerPlace {
    fn from(payment: &Payment) -> Self {
        Self {
            created_at: payment.created_at,
            attempt: payment.attempt.clone(),
        }
    }
}

impl std::fmt::Display for LedgerPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.created_at.0, self.attempt)
    }
}

impl FromStr for LedgerPlace {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, attempt) = text.split_once('.').ok_or(InvalidPlace)?;
        Ok(Self {
            created_at: UnixMillis(at.parse().map_err(|_| InvalidPlace)?),
            attempt: attempt.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_however_it_was_written_down() {
        for (text, found) in [
            ("7f2", Some("7F2")),
            ("7F2K", Some("7F2K")),
            (" 7f2k-9 ", Some("7F2K-9")),
            ("7F2K 91QD", Some("7F2K-91QD")),
            ("7f2k91qd", Some("7F2K-91QD")),
        ] {
            let search: LedgerSearch = text.parse().unwrap();
            assert_eq!(search.reference.as_deref(), found, "{text}");
        }
        let call: LedgerSearch = "00000000000000000000000abc".parse().unwrap();
        assert_eq!(call.reference, None);
        assert_eq!(call.call.unwrap().as_str(), "00000000000000000000000abc");
        for text in [
            "",
            "  ",
            "7f",
            "%%%",
            "7F2K-91QD;--",
            "é".repeat(30).as_str(),
        ] {
            assert!(text.parse::<LedgerSearch>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_read_back_and_nothing_else_is() {
        let place = LedgerPlace {
            created_at: UnixMillis(1_800_000_000_000),
            attempt: AttemptId::from_random(7),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "1", ".a", "x.a", "1.A", "1.a.b"] {
            assert!(text.parse::<LedgerPlace>().is_err(), "{text}");
        }
    }
}
