//! How a user wants the page.
//! Owns: the choices that follow a user from browser to browser.
//! Never: a right.

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// What a user chose. None: what the browser asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// Language of the page.
    pub language: Option<Language>,
    /// Theme of the page.
    pub theme: Option<Theme>,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}
