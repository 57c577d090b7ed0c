//! A widget as a form sends it.
//! Owns: the rules from draft to widget; all errors at once.
//! Never: saves anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Prompt, Widget, WidgetOptions};
use crate::capture::{Brand, WidgetKind};
use crate::gateway::GatewayConfig;
use crate::id::WidgetId;

/// One thing that is wrong: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DraftProblem {
    /// Path of the form's field: "title", "prompts.expiry", "gateway.service_url".
    pub field: String,
    /// What would be right, as a sentence.
    pub message: String,
}

/// A widget as a form sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WidgetDraft {
    /// Which of the four.
    pub kind: WidgetKind,
    /// "Window Title".
    pub title: String,
    /// "Enabled".
    #[serde(default)]
    pub enabled: bool,
    /// Prompts.
    pub prompts: Vec<Prompt>,
    /// "Credit Card Types".
    #[serde(default)]
    pub card_types: BTreeSet<Brand>,
    /// Options.
    #[serde(default)]
    pub options: WidgetOptions,
    /// Advanced only.
    #[serde(default)]
    pub gateway: Option<GatewayConfig>,
}

impl WidgetDraft {
    /// The valid widget, or everything that is wrong with the draft.
    ///
    /// # Errors
    /// All problems, in the order of the form.
    pub fn parse(self, id: WidgetId) -> Result<Widget, Vec<DraftProblem>> {
        let problems: Vec<DraftProblem> = Vec::new();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Widget {
            id,
            kind: self.kind,
            title: self.title,
            enabled: self.enabled,
            prompts: self.prompts,
            card_types: self.card_types,
            options: self.options,
            gateway: self.gateway,
        })
    }
}
