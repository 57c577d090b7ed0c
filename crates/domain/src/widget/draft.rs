//! A widget as a form sends it.
//! Owns: the rules from draft to widget (SETTLED S3, S6); all errors at once.
//! Never: saves anything.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::inputs::demographic_problems;
use super::{Prompt, SecurityCodeRule, Translation, Translations, Widget, WidgetOptions};
use crate::capture::{Brand, Field, PaymentType, WidgetKind};
use crate::gateway::GatewayConfig;
use crate::id::WidgetId;
use crate::language::Language;
use crate::payment::{ArrangementKind, takes_one_date};

/// Longest name of a desktop and longest Window Title: what a title bar shows.
pub const TITLE_CHARS_MAX: usize = 60;
/// Longest prompt: what an agent can read out.
pub const PROMPT_CHARS_MAX: usize = 500;

/// One thing that is wrong: where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DraftProblem {
    /// Path of the form's field: "title", "prompts.expiry", "gateway.service_url".
    pub field: String,
    /// What would be right, as a sentence.
    pub message: String,
}

impl DraftProblem {
    /// A problem of a field.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The same one level further down a document: "title" becomes "widgets[1].title".
    #[must_use]
    pub fn under(mut self, parent: &str) -> Self {
        self.field = format!("{parent}.{}", self.field);
        self
    }
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
    /// Title and prompts in other languages; blank ones count as missing.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<Language, Translation>)]
    pub translations: Translations,
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

impl From<Widget> for WidgetDraft {
    /// The form that this widget would come from.
    fn from(widget: Widget) -> Self {
        Self {
            kind: widget.kind,
            title: widget.title,
            enabled: widget.enabled,
            prompts: widget.prompts,
            translations: widget.translations,
            card_types: widget.card_types,
            options: widget.options,
            gateway: widget.gateway,
        }
    }
}

impl WidgetDraft {
    /// The valid widget, or everything that is wrong with the draft. That its title is unique is checked with the desktop.
    ///
    /// # Errors
    /// All problems, in the order of the form.
    pub fn parse(self, id: WidgetId) -> Result<Widget, Vec<DraftProblem>> {
        let title = self.title.trim().to_owned();
        let mut problems: Vec<DraftProblem> = name_problem("title", "Window Title", &title)
            .into_iter()
            .collect();
        let prompts = self.parse_prompts(&self.prompts, true, &mut problems);
        let translations = self.parse_translations(&mut problems);
        problems.extend(self.card_type_problem());
        problems.extend(option_problems(&self.options));
        problems.extend(demographic_problems(&self.options.demographic));
        problems.extend(self.options.payment.problems());
        problems.extend(self.options.authorisation.problems(self.kind.is_advanced()));
        problems.extend(self.gateway_problems());
        problems.extend(self.schedule_problem());
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Widget {
            id,
            kind: self.kind,
            title,
            enabled: self.enabled,
            prompts,
            translations,
            card_types: self.card_types,
            options: self.options,
            gateway: self.gateway,
        })
    }

    /// The texts of each language as [`Self::parse_prompts`] leaves them. A language without any text is left out.
    fn parse_translations(&self, problems: &mut Vec<DraftProblem>) -> Translations {
        let mut parsed = Translations::new();
        for (language, given) in &self.translations {
            let mut found = Vec::new();
            let title = given.title.as_deref().map(str::trim);
            let title = title.filter(|title| !title.is_empty()).map(str::to_owned);
            found.extend(
                title
                    .as_ref()
                    .and_then(|title| name_problem("title", "Window Title", title)),
            );
            let prompts = self.parse_prompts(&given.prompts, false, &mut found);
            let path = translation_path(*language);
            problems.extend(found.into_iter().map(|problem| problem.under(&path)));
            if title.is_some() || !prompts.is_empty() {
                parsed.insert(*language, Translation { title, prompts });
            }
        }
        parsed
    }

    /// Prompts in the order of the kind's fields, with line breaks kept as `\n`: one for each field, or, of those that may be missing, those that are not blank.
    fn parse_prompts(
        &self,
        all: &[Prompt],
        is_needed: bool,
        problems: &mut Vec<DraftProblem>,
    ) -> Vec<Prompt> {
        for prompt in all {
            if !self.kind.fields().contains(&prompt.field) {
                problems.push(DraftProblem::new(
                    prompt_path(prompt.field),
                    format!(
                        "{} has no such field; leave this prompt out.",
                        self.kind.name()
                    ),
                ));
            }
        }
        let mut parsed = Vec::new();
        for field in self.kind.fields() {
            let mut given = all.iter().filter(|prompt| prompt.field == *field);
            let text = given.next().map_or("", |prompt| prompt.text.trim());
            let text = text.replace("\r\n", "\n");
            if given.next().is_some() {
                problems.push(DraftProblem::new(
                    prompt_path(*field),
                    "There are two prompts for this field; keep one.",
                ));
            }
            if !is_needed && text.is_empty() {
                continue;
            }
            problems.extend(self.prompt_problem(*field, &text));
            parsed.push(Prompt {
                field: *field,
                text,
            });
        }
        parsed
    }

    fn prompt_problem(&self, field: Field, text: &str) -> Option<DraftProblem> {
        let not_asked = field == Field::SecurityCode
            && self.options.security_code == SecurityCodeRule::NotCaptured;
        let chars = text.chars().count();
        let clean = text.chars().all(|c| c == '\n' || !c.is_control());
        let fits = (1..=PROMPT_CHARS_MAX).contains(&chars) && clean;
        if fits || (not_asked && text.is_empty()) {
            return None;
        }
        Some(DraftProblem::new(
            prompt_path(field),
            format!("Write what the agent reads out: 1 to {PROMPT_CHARS_MAX} characters."),
        ))
    }

    fn card_type_problem(&self) -> Option<DraftProblem> {
        let message = match (self.kind.payment_type(), self.card_types.is_empty()) {
            (PaymentType::Card, true) => "Tick at least one card type.",
            (PaymentType::Check, false) => "A check widget has no card types; leave them out.",
            (PaymentType::Card, false) | (PaymentType::Check, true) => return None,
        };
        Some(DraftProblem::new("card_types", message))
    }

    /// A schedule follows a sale or a store, and on one date there is no sale today.
    fn schedule_problem(&self) -> Option<DraftProblem> {
        let gateway = self.gateway.as_ref()?;
        let offers = &self.options.payment.arrangements;
        if gateway.more.operations.schedule.is_none() || !offers.contains(&ArrangementKind::OneDate)
        {
            return None;
        }
        let message = match (&gateway.more.store, takes_one_date(gateway)) {
            (Some(_), true) => return None,
            (Some(_), false) => {
                "The gateway's schedule (more.operations.schedule) says how often, which one date does not have. Give that token a default, such as {arrangement.interval_unit|default:days}, or untick the one date."
            }
            (None, _) => {
                "The gateway sets up what is due later after a payment today (more.operations.schedule), and on one date nothing is paid today. Say in more.store how it keeps a card or an account for later, or untick the one date; without it a plan needs a down payment."
            }
        };
        Some(DraftProblem::new("options.payment.arrangements", message))
    }

    fn gateway_problems(&self) -> Vec<DraftProblem> {
        match (&self.gateway, self.kind.is_advanced()) {
            (Some(gateway), true) => gateway
                .problems(self.kind.payment_type())
                .into_iter()
                .map(|problem| problem.under("gateway"))
                .collect(),
            (None, true) if self.enabled => vec![DraftProblem::new(
                "gateway",
                "An Advanced widget posts to a payment gateway; fill in Payment Gateway Config before it is Enabled.",
            )],
            (Some(_), false) => vec![DraftProblem::new(
                "gateway",
                "A Basic widget has no gateway; leave this out, or choose the Advanced widget.",
            )],
            (None, true | false) => Vec::new(),
        }
    }
}

/// Where the texts of a language are: "translations.de".
pub(crate) fn translation_path(language: Language) -> String {
    format!("translations.{}", language.code())
}

fn prompt_path(field: Field) -> String {
    format!("prompts.{}", field.label())
}

/// Names and titles: 1 to 60 characters, on one line.
pub(crate) fn name_problem(field: &str, label: &str, text: &str) -> Option<DraftProblem> {
    let chars = text.trim().chars().count();
    let fits = (1..=TITLE_CHARS_MAX).contains(&chars) && !text.chars().any(char::is_control);
    (!fits).then(|| {
        DraftProblem::new(
            field,
            format!("{label} has 1 to {TITLE_CHARS_MAX} characters on one line."),
        )
    })
}

fn option_problems(options: &WidgetOptions) -> Vec<DraftProblem> {
    let ranged: [(&str, u16, RangeInclusive<u16>, &str); 6] = [
        ("hide_after_s", options.hide_after_s, 10..=120, "seconds"),
        (
            "first_key_timeout_s",
            options.first_key_timeout_s,
            10..=120,
            "seconds",
        ),
        (
            "inter_key_timeout_s",
            options.inter_key_timeout_s,
            3..=30,
            "seconds",
        ),
        (
            "attempts_max",
            options.attempts_max.into(),
            1..=9,
            "attempts",
        ),
        ("process_max", options.process_max.into(), 1..=5, "presses"),
        (
            "session_limit_min",
            options.session_limit_min,
            2..=30,
            "minutes",
        ),
    ];
    ranged
        .into_iter()
        .filter(|(_, value, range, _)| !range.contains(value))
        .map(|(name, _, range, unit)| {
            DraftProblem::new(
                format!("options.{name}"),
                format!("Choose {} to {} {unit}.", range.start(), range.end()),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> WidgetDraft {
        serde_json::from_value(serde_json::json!({
            "kind": "credit_card_basic",
            "title": "Take a card",
            "prompts": [
                {"field": "expiry", "text": "Key the date.\r\nMonth, then year."},
                {"field": "card_number", "text": "Key your card number."},
                {"field": "security_code", "text": "Key the code."},
            ],
            "card_types": ["visa"],
        }))
        .unwrap()
    }

    fn fields(draft: WidgetDraft) -> Vec<String> {
        match draft.parse(WidgetId::from_random(1)) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(|problem| problem.field).collect(),
        }
    }

    #[test]
    fn a_widget_keeps_its_prompts_in_the_order_of_its_fields() {
        let widget = card().parse(WidgetId::from_random(1)).unwrap();
        assert_eq!(widget.prompts[0].field, Field::CardNumber);
        assert_eq!(
            widget.prompt(Field::Expiry),
            "Key the date.\nMonth, then year."
        );
        assert!(!widget.enabled);
    }

    #[test]
    fn a_gateway_that_sets_plans_up_offers_a_single_date_only_if_it_stores() {
        let drafted = |more: serde_json::Value, offers: &[ArrangementKind]| {
            let mut draft = card();
            draft.kind = WidgetKind::CreditCardAdvanced;
            let gateway = serde_json::json!({
                "service_url": "https://pay.example/sale", "success_key": "status", "success_value": "ok",
                "more": more,
            });
            draft.gateway = Some(serde_json::from_value(gateway).unwrap());
            draft.options.payment.arrangements = offers.iter().copied().collect();
            fields(draft)
        };
        let more = |interval: &str, store: serde_json::Value| {
            let body = format!("\"{interval}\"");
            serde_json::json!({ "store": store, "operations": { "schedule": {
                "url": "/plans/{payment.reference}", "success_key": "status", "success_value": "ok", "body": body,
            } } })
        };
        let store = serde_json::json!({ "url": "/vault", "success_key": "status", "success_value": "ok", "body": "\"{card.number}\"" });
        let schedule = more("{arrangement.count}", serde_json::Value::Null);
        let (now, one_date, plan) = (
            ArrangementKind::Now,
            ArrangementKind::OneDate,
            ArrangementKind::Plan,
        );
        let none = Vec::<String>::new();
        assert_eq!(drafted(schedule.clone(), &[now, plan]), none);
        let refused = drafted(schedule, &[now, one_date, plan]);
        assert_eq!(refused, ["options.payment.arrangements"]);
        let in_sale = drafted(serde_json::json!({}), &[now, one_date, plan]);
        assert_eq!(in_sale, none);
        for (interval, refused) in [
            ("{arrangement.count}", 0),
            ("{arrangement.interval_unit}", 1),
            ("{arrangement.interval_unit|default:days}", 0),
        ] {
            let stored = drafted(more(interval, store.clone()), &[now, one_date, plan]);
            assert_eq!(
                stored,
                vec!["options.payment.arrangements"; refused],
                "{interval}"
            );
        }
    }

    #[test]
    fn the_title_has_1_to_60_characters() {
        for (title, right) in [
            ("", false),
            ("   ", false),
            ("é", true),
            (&*"x".repeat(60), true),
            (&*"x".repeat(61), false),
            ("a\nb", false),
        ] {
            let draft = WidgetDraft {
                title: title.to_owned(),
                ..card()
            };
            assert_eq!(fields(draft).is_empty(), right, "{title:?}");
        }
    }

    #[test]
    fn each_field_has_a_prompt_of_1_to_500_characters() {
        for (length, right) in [(0, false), (1, true), (500, true), (501, false)] {
            let mut draft = card();
            draft.prompts[0].text = "x".repeat(length);
            let expected = if right {
                Vec::new()
            } else {
                vec!["prompts.expiry"]
            };
            assert_eq!(fields(draft), expected, "{length}");
        }
        let mut draft = card();
        draft.prompts.pop();
        assert_eq!(fields(draft.clone()), ["prompts.security_code"]);
        draft.options.security_code = SecurityCodeRule::NotCaptured;
        assert!(fields(draft).is_empty());
    }

    #[test]
    fn a_language_keeps_the_texts_that_it_has_and_lends_the_others() {
        let mut draft = card();
        let json = serde_json::json!({
            "de": {"title": " Karte ", "prompts": [
                {"field": "security_code", "text": "Bitte die Kartenprüfnummer."},
                {"field": "expiry", "text": "  "},
                {"field": "card_number", "text": "Bitte die Kartennummer\r\neingeben."},
            ]},
            "fr": {"title": " ", "prompts": []},
        });
        draft.translations = serde_json::from_value(json).unwrap();
        let widget = draft.parse(WidgetId::from_random(1)).unwrap();
        assert_eq!(widget.titles(), [(Language::De, "Karte".to_owned())].into());
        assert_eq!(
            widget.prompts_of(Field::CardNumber)[&Language::De],
            "Bitte die Kartennummer\neingeben."
        );
        assert!(widget.prompts_of(Field::Expiry).is_empty());
        assert_eq!(widget.translations.len(), 1);
    }

    #[test]
    fn texts_of_a_language_obey_the_rules_of_the_base_and_name_their_language() {
        let mut draft = card();
        let prompt = |field, text: &str| Prompt {
            field,
            text: text.to_owned(),
        };
        let long = Translation {
            title: Some("x".repeat(TITLE_CHARS_MAX + 1)),
            prompts: vec![
                prompt(Field::RoutingNumber, "x"),
                prompt(Field::Expiry, &"x".repeat(PROMPT_CHARS_MAX + 1)),
            ],
        };
        draft.translations.insert(Language::Es, long);
        assert_eq!(
            fields(draft),
            [
                "translations.es.title",
                "translations.es.prompts.routing_number",
                "translations.es.prompts.expiry",
            ]
        );
    }

    #[test]
    fn foreign_and_repeated_prompts_are_refused() {
        let mut draft = card();
        draft.prompts.push(Prompt {
            field: Field::RoutingNumber,
            text: "x".to_owned(),
        });
        draft.prompts.push(draft.prompts[0].clone());
        assert_eq!(fields(draft), ["prompts.routing_number", "prompts.expiry"]);
    }

    #[test]
    fn cards_need_a_type_and_checks_have_none() {
        let mut draft = card();
        draft.card_types.clear();
        assert_eq!(fields(draft), ["card_types"]);
        let draft = WidgetDraft {
            kind: WidgetKind::CheckBasic,
            prompts: WidgetKind::CheckBasic
                .fields()
                .iter()
                .map(|field| Prompt {
                    field: *field,
                    text: "x".to_owned(),
                })
                .collect(),
            ..card()
        };
        assert_eq!(fields(draft), ["card_types"]);
    }

    #[test]
    fn advanced_needs_a_gateway_once_it_is_enabled_and_basic_has_none() {
        let prepared = WidgetDraft {
            kind: WidgetKind::CreditCardAdvanced,
            ..card()
        };
        assert!(fields(prepared.clone()).is_empty());
        let draft = WidgetDraft {
            enabled: true,
            ..prepared
        };
        assert_eq!(fields(draft), ["gateway"]);
        let gateway = serde_json::from_value(serde_json::json!({
            "service_url": "https://gateway.example/pay",
            "success_key": "result",
            "success_value": "ok",
        }))
        .unwrap();
        let draft = WidgetDraft {
            gateway: Some(gateway),
            ..card()
        };
        assert_eq!(fields(draft.clone()), ["gateway"]);
        let draft = WidgetDraft {
            kind: WidgetKind::CreditCardAdvanced,
            ..draft
        };
        assert!(fields(draft).is_empty());
    }

    #[test]
    fn options_out_of_range_are_named_all_at_once() {
        let low = WidgetOptions {
            hide_after_s: 9,
            first_key_timeout_s: 9,
            inter_key_timeout_s: 2,
            attempts_max: 0,
            process_max: 0,
            session_limit_min: 1,
            ..WidgetOptions::default()
        };
        let high = WidgetOptions {
            hide_after_s: 121,
            first_key_timeout_s: 121,
            inter_key_timeout_s: 31,
            attempts_max: 10,
            process_max: 6,
            session_limit_min: 31,
            ..WidgetOptions::default()
        };
        for options in [low, high] {
            assert_eq!(fields(WidgetDraft { options, ..card() }).len(), 6);
        }
        assert!(fields(card()).is_empty());
    }
}
