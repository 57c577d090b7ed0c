//! Widgets: what an administrator sets and an agent sees.
//! Owns: the valid widget, its draft, and the rules between them.
//! Never: holds a gateway's password; that lives sealed in the store under the widget's id.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::capture::{Brand, Field, WidgetKind};
use crate::gateway::GatewayConfig;
use crate::id::WidgetId;
use crate::payment::{CheckFacts, SecCodeRule};

mod authorisation;
mod draft;
mod inputs;
mod translation;

pub use authorisation::{AUTHORISATION_CHARS_MAX, Authorisation, AuthorisationRule, Said};
pub use draft::{DraftProblem, PROMPT_CHARS_MAX, TITLE_CHARS_MAX, WidgetDraft};
pub(crate) use draft::{name_problem, translation_path};
pub use inputs::{
    AmountSource, CURRENCIES_MAX, DemographicInput, DemographicName, FEE_PERCENT_HUNDREDTHS_MAX,
    Fee, PaymentInputs, Prefill, first_demographic,
};
pub use translation::{Translation, Translations};

/// A widget of a desktop, valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Widget {
    /// Its identity; kept through edits.
    pub id: WidgetId,
    /// Which of the four.
    pub kind: WidgetKind,
    /// "Window Title", 1-60 characters, unique on the desktop.
    pub title: String,
    /// "Enabled": agents get it.
    pub enabled: bool,
    /// What the agent reads out, one per field of the kind, in its order.
    pub prompts: Vec<Prompt>,
    /// Title and prompts in other languages, as far as somebody wrote them.
    #[schema(value_type = std::collections::BTreeMap<crate::language::Language, Translation>)]
    pub translations: Translations,
    /// "Credit Card Types"; empty for checks.
    pub card_types: BTreeSet<Brand>,
    /// The options under "More".
    pub options: WidgetOptions,
    /// Advanced only.
    pub gateway: Option<GatewayConfig>,
}

impl Widget {
    /// The prompt of a field; empty if the kind has no such field.
    #[must_use]
    pub fn prompt(&self, field: Field) -> &str {
        self.prompts
            .iter()
            .find(|prompt| prompt.field == field)
            .map_or("", |prompt| &prompt.text)
    }
}

/// What the agent reads out for a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// For which field.
    pub field: Field,
    /// The text, 1-500 characters, line breaks kept.
    pub text: String,
}

/// O1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecurityCodeRule {
    /// It must be keyed.
    Required,
    /// The agent may press "Not available".
    Optional,
    /// The field is not there.
    NotCaptured,
}

/// O4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CardNumberShown {
    /// All digits.
    Full,
    /// The last four.
    LastFour,
}

/// O6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryFormat {
    /// Four digits.
    Mmyy,
    /// Six digits.
    Mmyyyy,
}

/// Options of a widget (SETTLED S3). Numbers are whole seconds, minutes or counts within the ranges given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WidgetOptions {
    /// O1 Security code.
    pub security_code: SecurityCodeRule,
    /// O2 (Basic) "Hold to show" for the security code.
    pub reveal_security_code: bool,
    /// O3 (Basic) values are hidden again after, 10-120 s.
    pub hide_after_s: u16,
    /// O4 (Basic).
    pub card_number_shown: CardNumberShown,
    /// O5 (Advanced) brand and last four after Obtained.
    pub show_brand_and_last_four: bool,
    /// O6.
    pub expiry_format: ExpiryFormat,
    /// O7 `*` clears the field being keyed.
    pub star_clears: bool,
    /// O7 `#` ends it.
    pub pound_ends: bool,
    /// O8 first key, 10-120 s.
    pub first_key_timeout_s: u16,
    /// O8 between keys, 3-30 s.
    pub inter_key_timeout_s: u16,
    /// O9 attempts per field, 1-9.
    pub attempts_max: u8,
    /// O9 presses of Process Payment, 1-5.
    pub process_max: u8,
    /// O10 whole session, 2-30 min.
    pub session_limit_min: u16,
    /// O11 the consumer is muted while a field listens.
    pub mute_while_keying: bool,
    /// O12 after hang-up with all obtained: 30 s to process; else discard.
    pub process_after_hang_up: bool,
    /// O15 (Check) the account number is keyed twice, and both entries are the same.
    pub account_number_twice: bool,
    /// (Check Advanced) the SEC code of its debits.
    pub sec_code: SecCodeRule,
    /// (Check) how the customer consents to a debit (S20).
    pub authorisation: Authorisation,
    /// O13 (Advanced) the fields of the tab Demographic, in its order.
    pub demographic: Vec<DemographicInput>,
    /// O14 (Advanced) what the tab Payment asks for.
    pub payment: PaymentInputs,
}

impl Default for WidgetOptions {
    fn default() -> Self {
        Self {
            security_code: SecurityCodeRule::Required,
            reveal_security_code: false,
            hide_after_s: 60,
            card_number_shown: CardNumberShown::Full,
            show_brand_and_last_four: false,
            expiry_format: ExpiryFormat::Mmyy,
            star_clears: true,
            pound_ends: true,
            first_key_timeout_s: 60,
            inter_key_timeout_s: 10,
            attempts_max: 3,
            process_max: 3,
            session_limit_min: 10,
            mute_while_keying: false,
            process_after_hang_up: false,
            account_number_twice: false,
            sec_code: SecCodeRule::ByHolder,
            authorisation: Authorisation::default(),
            demographic: first_demographic(),
            payment: PaymentInputs::default(),
        }
    }
}

impl WidgetOptions {
    /// What a charge says of a check at this bank.
    #[must_use]
    pub fn check_facts(&self, bank_name: &str) -> CheckFacts {
        CheckFacts {
            sec_code: self.sec_code,
            bank_name: bank_name.to_owned(),
        }
    }

    /// O10 as a duration.
    #[must_use]
    pub fn session_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.session_limit_min) * 60)
    }
}
