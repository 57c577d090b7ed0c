//! Where a key or a condition of a configuration cannot be read.
//! Owns: the place, counted in characters, and what would be right there.
//! Never: quotes the text.

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: {allowed}")]
pub struct Misread {
    /// Character, from 1; one after the last where something is missing at the end.
    pub at: usize,
    /// What may stand there.
    pub allowed: String,
}

impl Misread {
    /// At a byte of the text.
    pub(super) fn new(text: &str, byte: usize, allowed: impl Into<String>) -> Self {
        Self {
            at: chars(text.get(..byte).unwrap_or(text)) + 1,
            allowed: allowed.into(),
        }
    }

    /// The same in a longer text, which has this much before it.
    pub(super) fn after(self, before: &str) -> Self {
        Self {
            at: self.at + chars(before),
            ..self
        }
    }

    /// As a sentence of a form.
    pub(super) fn sentence(&self) -> String {
        format!("Character {}: {}.", self.at, self.allowed)
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}
