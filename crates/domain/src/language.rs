//! Languages.
//! Owns: those that the page and an administrator's texts may have.
//! Never: a text.

use serde::{Deserialize, Serialize};

/// A language of the page. Its word is the ISO 639-1 code.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// German.
    De,
}

impl Language {
    /// All.
    pub const ALL: [Self; 4] = [Self::En, Self::Es, Self::Fr, Self::De];

    /// Its word in the API and in documents.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::De => "de",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_languages_code_is_its_word_in_documents() {
        for language in Language::ALL {
            let word = serde_json::to_value(language).unwrap();
            assert_eq!(word, language.code());
        }
    }
}
