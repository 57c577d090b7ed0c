//! A widget's texts in other languages.
//! Owns: title and prompts by language; which text an agent of a language gets.
//! Never: has to be complete; what is missing is the widget's own text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Prompt, Widget};
use crate::capture::Field;
use crate::language::Language;

/// Texts by language. The widget's own title and prompts stand for every language that is not here.
pub type Translations = BTreeMap<Language, Translation>;

/// What a widget says in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Translation {
    /// "Window Title", 1-60 characters, unique on the desktop in this language; none: the widget's own.
    pub title: Option<String>,
    /// Prompts for some of the fields, in their order.
    pub prompts: Vec<Prompt>,
}

impl Widget {
    /// The translated titles.
    #[must_use]
    pub fn titles(&self) -> BTreeMap<Language, String> {
        let titles = self.translations.iter();
        titles
            .filter_map(|(language, texts)| Some((*language, texts.title.clone()?)))
            .collect()
    }

    /// The translated prompts of a field.
    #[must_use]
    pub fn prompts_of(&self, field: Field) -> BTreeMap<Language, String> {
        let found = self.translations.iter().filter_map(|(language, texts)| {
            let prompt = texts.prompts.iter().find(|prompt| prompt.field == field)?;
            Some((*language, prompt.text.clone()))
        });
        found.collect()
    }
}
