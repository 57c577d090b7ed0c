//! Captures: what is keyed, how it is judged, which state follows which.
//! Owns: fields, brands, checks, the capture machine.
//! Never: holds a digit; it sees them in the slot that its caller lends.

use serde::{Deserialize, Serialize};

pub mod brand;
pub mod check;
mod digits;
mod field;
pub mod fixtures;
pub mod routing;
pub mod session;
pub mod table;
pub mod velocity;

pub use field::{Brand, Field, PaymentType, WidgetKind};
pub use session::{AttemptsUsed, Effect, Event, SCREEN_NOT_SHARED, Session};
pub use table::Ruling;
pub use velocity::{Velocity, VelocityLimit};

/// State of a capture session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureState {
    /// The line is being protected: "Do not ask for the card yet".
    Arming,
    /// Protection was refused.
    Blocked,
    /// Protected, no key yet.
    Armed,
    /// Keys come, or some fields are obtained.
    Collecting,
    /// A field was refused.
    Invalid,
    /// All required fields are obtained.
    Ready,
    /// Another person may be on the line: keys are masked and not counted until the agent says who it is (S39).
    Frozen,
    /// A charge is on its way.
    Processing,
    /// The gateway took it.
    Approved,
    /// The gateway answered otherwise.
    Declined,
    /// The gateway holds it for a person.
    Review,
    /// The gateway refused the request.
    Error,
    /// Nothing was sent; the digits are kept for 120 s at most.
    NotSent,
    /// Nobody knows whether it was charged.
    Unknown,
    /// A person or a query is finding out.
    Checking,
    /// Basic: the agent is done.
    Done,
    /// The agent cancelled.
    Cancelled,
    /// The call or the session ended.
    Lost,
    /// The mask ended during the capture.
    ProtectionLost,
}

impl CaptureState {
    /// True once nothing of what was keyed is left and nothing more can be keyed in this session.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Blocked | Self::Done | Self::Cancelled | Self::Lost | Self::ProtectionLost
        )
    }

    /// Its word in audit entries and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Arming => "arming",
            Self::Blocked => "blocked",
            Self::Armed => "armed",
            Self::Collecting => "collecting",
            Self::Invalid => "invalid",
            Self::Ready => "ready",
            Self::Frozen => "frozen",
            Self::Processing => "processing",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Review => "review",
            Self::Error => "error",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
            Self::Checking => "checking",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
            Self::ProtectionLost => "protection_lost",
        }
    }
}

/// Why a field was refused. The page turns the code into what the agent should say; none carries a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum FieldError {
    /// Fewer digits than needed.
    TooShort {
        /// How many arrived.
        arrived: u8,
    },
    /// The check digit is wrong.
    Luhn,
    /// The brand is not ticked.
    BrandNotAccepted {
        /// Which.
        brand: Brand,
    },
    /// No known brand.
    BrandUnknown,
    /// No month and year.
    ExpiryFormat,
    /// In the past.
    Expired,
    /// Wrong length of the security code.
    CvvLength {
        /// Digits that this card needs.
        needed: u8,
    },
    /// The routing number's check sum or range is wrong.
    AbaChecksum,
    /// The operator refuses this routing number; the row says why.
    RoutingRefused,
    /// Not 4 to 17 digits.
    AccountLength,
    /// The two entries differ (O15).
    AccountMismatch,
    /// No key came.
    NoInput,
    /// Keys came that could not be read.
    TonesUnclear,
    /// No attempts are left.
    MaxAttempts,
}

impl FieldError {
    /// Its word in audit entries and metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::Luhn => "luhn",
            Self::BrandNotAccepted { .. } => "brand_not_accepted",
            Self::BrandUnknown => "brand_unknown",
            Self::ExpiryFormat => "expiry_format",
            Self::Expired => "expired",
            Self::CvvLength { .. } => "cvv_length",
            Self::AbaChecksum => "aba_checksum",
            Self::RoutingRefused => "routing_refused",
            Self::AccountLength => "account_length",
            Self::AccountMismatch => "account_mismatch",
            Self::NoInput => "no_input",
            Self::TonesUnclear => "tones_unclear",
            Self::MaxAttempts => "max_attempts",
        }
    }
}
