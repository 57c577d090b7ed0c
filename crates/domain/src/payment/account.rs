//! The bank account that a check debits (ACH).
//! Owns: its type, whose it is, and the SEC code that follows (Q7, GATEWAYS 4).
//! Never: a routing or account number; the consumer keys those.

use serde::{Deserialize, Serialize};

use super::form::PaymentForm;

/// An account as the agent names it: `accountType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Checking or savings.
    pub account_type: AccountType,
    /// Whose it is.
    pub holder: HolderType,
}

/// Checking or savings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountType {
    /// Checking.
    Checking,
    /// Savings.
    Savings,
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderType {
    /// A person's.
    Personal,
    /// A business's.
    Business,
}

impl AccountType {
    /// Its word in `{check.account_type}`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Savings => "savings",
        }
    }
}

impl HolderType {
    /// Its word in `{check.holder_type}`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Business => "business",
        }
    }
}

impl Account {
    /// All, in the order of the choice; the first is what a form starts with.
    pub const ALL: [Self; 4] = [
        Self::new(AccountType::Checking, HolderType::Personal),
        Self::new(AccountType::Savings, HolderType::Personal),
        Self::new(AccountType::Checking, HolderType::Business),
        Self::new(AccountType::Savings, HolderType::Business),
    ];

    const fn new(account_type: AccountType, holder: HolderType) -> Self {
        Self {
            account_type,
            holder,
        }
    }

    /// Its word as `accountType`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match (self.account_type, self.holder) {
            (AccountType::Checking, HolderType::Personal) => "checking",
            (AccountType::Savings, HolderType::Personal) => "savings",
            (AccountType::Checking, HolderType::Business) => "business_checking",
            (AccountType::Savings, HolderType::Business) => "business_savings",
        }
    }

    /// The account of an `accountType`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.word() == word)
    }
}

/// Which SEC code (Standard Entry Class, Nacha) a check widget's debits carry: `{check.sec_code}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecCodeRule {
    /// TEL for a person's account, which is for consumers who authorise by telephone; CCD for a business's, which TEL is not for.
    #[default]
    ByHolder,
    /// TEL, whosever account it is.
    Tel,
    /// CCD, whosever account it is.
    Ccd,
    /// PPD, for a written authorisation that the merchant holds.
    Ppd,
    /// WEB.
    Web,
}

impl SecCodeRule {
    /// The code of a debit.
    #[must_use]
    pub fn code(self, holder: HolderType) -> &'static str {
        match (self, holder) {
            (Self::ByHolder, HolderType::Personal) | (Self::Tel, _) => "TEL",
            (Self::ByHolder, HolderType::Business) | (Self::Ccd, _) => "CCD",
            (Self::Ppd, _) => "PPD",
            (Self::Web, _) => "WEB",
        }
    }
}

/// What is known of a check beside its digits and what the agent typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFacts {
    /// The widget's rule.
    pub sec_code: SecCodeRule,
    /// The bank's name, if the imported table has it.
    pub bank_name: String,
}

impl PaymentForm {
    /// The account that is debited; none: the form is a card's, or does not say.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.value("accountType").and_then(Account::from_word)
    }

    /// Who holds the account: the name that was typed for it, else the company of a business, else first and last name; empty: nobody was named.
    #[must_use]
    pub fn holder_name(&self) -> String {
        let is_business = self
            .account()
            .is_some_and(|account| account.holder == HolderType::Business);
        let company = self.value("company").filter(|_| is_business);
        match self.value("accountHolder").or(company) {
            Some(name) => name.to_owned(),
            None => self.full_name(),
        }
    }

    /// First and last name.
    #[must_use]
    pub fn full_name(&self) -> String {
        let names = ["firstName", "lastName"].map(|name| self.value(name).unwrap_or_default());
        names.join(" ").trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};

    fn form(values: &[(&str, &str)]) -> PaymentForm {
        PaymentForm {
            amount: Money::parse("1.00", Currency::USD).unwrap(),
            fee_minor: 0,
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn every_word_names_its_account() {
        for account in Account::ALL {
            assert_eq!(Account::from_word(account.word()), Some(account));
        }
        assert_eq!(Account::from_word("gold"), None);
        assert_eq!(form(&[]).account(), None);
    }

    #[test]
    fn a_person_authorises_tel_and_a_business_ccd_unless_the_widget_says_otherwise() {
        use HolderType::{Business, Personal};
        for (rule, personal, business) in [
            (SecCodeRule::ByHolder, "TEL", "CCD"),
            (SecCodeRule::Tel, "TEL", "TEL"),
            (SecCodeRule::Ccd, "CCD", "CCD"),
            (SecCodeRule::Ppd, "PPD", "PPD"),
            (SecCodeRule::Web, "WEB", "WEB"),
        ] {
            assert_eq!(rule.code(Personal), personal, "{rule:?}");
            assert_eq!(rule.code(Business), business, "{rule:?}");
        }
    }

    #[test]
    fn the_holder_is_who_was_named_else_the_company_else_the_customer() {
        let base = [
            ("firstName", "Jane"),
            ("lastName", "Roe"),
            ("company", "Roe Ltd"),
        ];
        let with = |more: &[(&str, &str)]| form(&[&base[..], more].concat()).holder_name();
        assert_eq!(with(&[("accountType", "checking")]), "Jane Roe");
        assert_eq!(with(&[("accountType", "business_checking")]), "Roe Ltd");
        let named = [("accountType", "savings"), ("accountHolder", "John Roe")];
        assert_eq!(with(&named), "John Roe");
        assert_eq!(form(&[("lastName", "Roe")]).holder_name(), "Roe");
        assert_eq!(form(&[]).holder_name(), "");
    }
}
