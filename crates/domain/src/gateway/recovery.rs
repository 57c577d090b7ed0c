//! What is done about a sale whose outcome is unknown.
//! Owns: the ways, what each needs of a configuration, and which second answers count.
//! Never: makes an answer of silence: what is not settled stays unknown.

use serde::{Deserialize, Serialize};

use super::variable::{Source, Space, Variable};
use super::{GatewayConfig, OperationKind, Template, VerdictRule};
use crate::widget::DraftProblem;

/// What is done where no answer says how a sale ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Nothing by a machine: two people settle it.
    #[default]
    None,
    /// The same bytes are sent again, within a minute and by the process that sent them first. Only for a gateway that knows them by the idempotency key
    /// that they hold, and answers what it answered before.
    Replay,
    /// The gateway is asked what became of the charge, by our reference: within a minute by the process that sent it, within an hour after a restart.
    Inquire,
    /// The gateway is asked to undo the charge, by our reference, within a minute and by the process that sent it. If it does, nothing was charged.
    VoidByReference,
}

impl Recovery {
    /// Name and value of what is kept beside an outcome by which nothing was charged because the charge was undone.
    pub const UNDONE: (&'static str, &'static str) = ("recovery", "void");

    /// What it asks; none: nothing that has a request of its own.
    #[must_use]
    pub fn operation(self) -> Option<OperationKind> {
        match self {
            Self::None | Self::Replay => None,
            Self::Inquire => Some(OperationKind::Inquire),
            Self::VoidByReference => Some(OperationKind::Void),
        }
    }

    /// Whether an answer to a repeated request settles an unknown outcome. Only one that the gateway gives of the charge itself does. That a repeat was refused
    /// says nothing of the first request: such as that its key was seen with another body, is in use, or has just been withdrawn.
    #[must_use]
    pub fn settles(rule: VerdictRule) -> bool {
        match rule {
            VerdictRule::Approved
            | VerdictRule::Declined
            | VerdictRule::DeclinedFits
            | VerdictRule::ReviewFits => true,
            VerdictRule::Refused
            | VerdictRule::ErrorFits
            | VerdictRule::DeclinedUnlisted
            | VerdictRule::KeyMissing
            | VerdictRule::KeyMissingDeclined
            | VerdictRule::KeyAmbiguous
            | VerdictRule::AlsoBroken
            | VerdictRule::UnknownFits
            | VerdictRule::EqualButStatus
            | VerdictRule::StatusUnclear
            | VerdictRule::Unreadable
            | VerdictRule::NoAnswer => false,
        }
    }
}

impl GatewayConfig {
    /// A repeat without a key would be a second charge; what is asked without our reference would be about another one.
    pub(super) fn recovery_problem(&self) -> Option<DraftProblem> {
        let problem = |message: String| Some(DraftProblem::new("more.recovery", message));
        if self.more.recovery == Recovery::Replay && !self.sends_idempotency_key() {
            let message = "A request that is sent again holds {payment.idempotency_key}, where the gateway looks for it; write it into a header, a parameter or the body.";
            return problem(message.to_owned());
        }
        let kind = self.more.recovery.operation()?;
        let name = kind.as_str();
        let Some(request) = self.of_operation(kind) else {
            return problem(format!(
                "Say in more.operations.{name} how the gateway is asked."
            ));
        };
        if let Some(of_sale) = request.sale_names().first() {
            return problem(format!(
                "The {name} names {{sale.{of_sale}}}, which nobody knows of a charge without an answer; name it by {{payment.reference}} or {{payment.attempt}} alone."
            ));
        }
        (!request.names_charge()).then(|| {
            let message = format!(
                "The {name} names the charge by {{payment.reference}} or {{payment.attempt}}."
            );
            DraftProblem::new("more.recovery", message)
        })
    }

    /// Whether its request holds the key, as it is or computed with.
    pub(super) fn sends_idempotency_key(&self) -> bool {
        let rows = self.request_params.iter().chain(&self.request_headers);
        let texts = rows.map(|row| &row.value);
        let mut texts = texts.chain([&self.service_url, &self.more.body]);
        texts.any(|text| self.holds_key(text, self.more.variables.len()))
    }

    /// A computed value may name those above it, which are the first `above` of them.
    fn holds_key(&self, text: &str, above: usize) -> bool {
        let Ok(template) = Template::parse_lines(text) else {
            return false;
        };
        template.tokens().any(|token| match &token.source {
            Source::Fixed(variable) => *variable == Variable::PaymentIdempotencyKey,
            Source::Named(Space::Let, name) => {
                let mut rows = self.more.variables[..above].iter().enumerate();
                let row = rows.find(|(_, row)| row.name == **name);
                row.is_some_and(|(index, row)| self.holds_key(&row.value, index))
            }
            Source::Named(
                Space::Constant | Space::Secret | Space::Sign | Space::Step | Space::Sale,
                _,
            ) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capture::PaymentType;

    fn refused(change: serde_json::Value) -> Vec<String> {
        let mut config = json!({
            "service_url": "https://pay.example/sale", "success_key": "a", "success_value": "b",
            "more": { "recovery": "replay" },
        });
        for (pointer, value) in change.as_object().unwrap() {
            let (at, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(at).unwrap()[name] = value.clone();
        }
        let config: GatewayConfig = serde_json::from_value(config).unwrap();
        let problems = config.problems(PaymentType::Card);
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn a_replay_needs_a_key_in_the_request() {
        const KEY: &str = "{payment.idempotency_key|upper}";
        let row = |value: &str| json!([{ "name": "x", "value": value }]);
        for with_key in [
            json!({ "/request_headers": row(KEY) }),
            json!({ "/request_params": row(KEY) }),
            json!({ "/service_url": format!("https://pay.example/sale?k={KEY}") }),
            json!({ "/more/body": format!("{{\"k\":\"{KEY}\"}}") }),
            json!({ "/more/variables": [{ "name": "one", "value": KEY }, { "name": "two", "value": "{let.one|sha256|hex}" }],
                "/request_headers": row("{let.two}") }),
            json!({ "/more/recovery": "none" }),
        ] {
            assert_eq!(
                refused(with_key.clone()),
                Vec::<String>::new(),
                "{with_key}"
            );
        }
        for without in [
            json!({}),
            json!({ "/request_headers": row("{payment.reference}") }),
            json!({ "/more/variables": row(KEY) }),
            json!({ "/more/steps": [{ "name": "a", "url": "/a", "request_params": row(KEY) }] }),
        ] {
            assert_eq!(refused(without.clone()), ["more.recovery"], "{without}");
        }
    }

    #[test]
    fn only_an_answer_about_the_charge_itself_settles_it() {
        for rule in [
            VerdictRule::Refused,
            VerdictRule::ErrorFits,
            VerdictRule::DeclinedUnlisted,
            VerdictRule::KeyMissingDeclined,
            VerdictRule::NoAnswer,
        ] {
            assert!(!Recovery::settles(rule), "{rule:?}");
        }
        assert!(Recovery::settles(VerdictRule::Approved));
        assert!(Recovery::settles(VerdictRule::DeclinedFits));
    }
}
