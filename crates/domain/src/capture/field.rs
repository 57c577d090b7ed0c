//! The fields a consumer keys.
//! Owns: their names, their order, their place in a capture's slot.
//! Never: holds what was keyed.

use secret::FieldIndex;
use serde::{Deserialize, Serialize};

/// One keyed field.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Card number (PAN).
    CardNumber,
    /// Expiration date.
    Expiry,
    /// Card verification code.
    SecurityCode,
    /// ABA routing transit number.
    RoutingNumber,
    /// Bank account number.
    AccountNumber,
}

impl Field {
    /// All, in slot order.
    pub const ALL: [Self; 5] = [
        Self::CardNumber,
        Self::Expiry,
        Self::SecurityCode,
        Self::RoutingNumber,
        Self::AccountNumber,
    ];

    /// Its place in a capture's slot.
    #[must_use]
    pub fn slot_index(self) -> FieldIndex {
        let [card, expiry, code, routing, account, _] = FieldIndex::ALL;
        match self {
            Self::CardNumber => card,
            Self::Expiry => expiry,
            Self::SecurityCode => code,
            Self::RoutingNumber => routing,
            Self::AccountNumber => account,
        }
    }

    /// Its word in audit entries and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::CardNumber => "card_number",
            Self::Expiry => "expiry",
            Self::SecurityCode => "security_code",
            Self::RoutingNumber => "routing_number",
            Self::AccountNumber => "account_number",
        }
    }
}

/// Where the first entry of an account number waits for the second (O15).
pub(super) const FIRST_ENTRY: FieldIndex = FieldIndex::ALL[5];

/// Card or check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentType {
    /// A payment card.
    Card,
    /// A bank account (ACH).
    Check,
}

/// The four widgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetKind {
    /// Credit Card Basic: recordings pause, the agent sees the values.
    CreditCardBasic,
    /// Check Basic.
    CheckBasic,
    /// Credit Card Advanced: recordings run on, the agent sees "Obtained", the server posts the payment.
    CreditCardAdvanced,
    /// Check Advanced.
    CheckAdvanced,
}

impl WidgetKind {
    /// All, in the order of the list Available Widgets.
    pub const ALL: [Self; 4] = [
        Self::CreditCardBasic,
        Self::CheckBasic,
        Self::CreditCardAdvanced,
        Self::CheckAdvanced,
    ];

    /// Card or check.
    #[must_use]
    pub fn payment_type(self) -> PaymentType {
        match self {
            Self::CreditCardBasic | Self::CreditCardAdvanced => PaymentType::Card,
            Self::CheckBasic | Self::CheckAdvanced => PaymentType::Check,
        }
    }

    /// True for the two that post to a gateway.
    #[must_use]
    pub fn is_advanced(self) -> bool {
        matches!(self, Self::CreditCardAdvanced | Self::CheckAdvanced)
    }

    /// Its keyed fields in the order in which they are taken.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self.payment_type() {
            PaymentType::Card => &[Field::CardNumber, Field::Expiry, Field::SecurityCode],
            PaymentType::Check => &[Field::RoutingNumber, Field::AccountNumber],
        }
    }

    /// The name that the reference product gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreditCardBasic => "Credit Card Basic",
            Self::CheckBasic => "Check Basic",
            Self::CreditCardAdvanced => "Credit Card Advanced",
            Self::CheckAdvanced => "Check Advanced",
        }
    }
}

/// Card brands that a widget can accept.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard, both series.
    Mastercard,
    /// American Express.
    AmericanExpress,
    /// Discover's own ranges.
    Discover,
}

impl Brand {
    /// All, in the order of the check boxes.
    pub const ALL: [Self; 4] = [
        Self::Visa,
        Self::Mastercard,
        Self::AmericanExpress,
        Self::Discover,
    ];

    /// Its name on the page and as `cardType` towards a gateway.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Visa => "Visa",
            Self::Mastercard => "Master Card",
            Self::AmericanExpress => "American Express",
            Self::Discover => "Discover",
        }
    }

    /// One word in small letters, for maps of a gateway's configuration.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::AmericanExpress => "amex",
            Self::Discover => "discover",
        }
    }

    /// Digits of its security code.
    #[must_use]
    pub fn security_code_digits(self) -> usize {
        match self {
            Self::AmericanExpress => 4,
            Self::Visa | Self::Mastercard | Self::Discover => 3,
        }
    }
}
