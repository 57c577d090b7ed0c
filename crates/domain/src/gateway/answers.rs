//! The rules of what a configuration says about answers.
//! Owns: what is refused of keys, conditions and outputs when a widget is saved, with the place.
//! Never: judges an answer.

use std::collections::BTreeSet;

use super::case::case_problems;
use super::condition::{Condition, Test};
use super::key::{KEY_CHARS_MAX, Key};
use super::misread::Misread;
use super::variable::{OUTPUT_NAME_CHARS_MAX, is_output_name};
use super::{ConditionList, ContentType, GatewayConfig, Mapping, ResponseFormat, ValueMeaning};
use crate::widget::DraftProblem;

/// Conditions of one list; gateways with the most codes need a handful.
pub const CONDITIONS_MAX: usize = 16;
/// Fall-back keys of the agent message.
pub const MESSAGE_KEYS_MAX: usize = 8;
/// Outputs of an answer.
pub const OUTPUTS_MAX: usize = 20;
/// Keys of one output.
const OUTPUT_KEYS_MAX: usize = 4;

impl GatewayConfig {
    /// What is wrong on the answer's side, beyond the lengths of the reference's fields; in the order of the form.
    pub(super) fn answer_problems(&self) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        let reference = [
            ("success_key", &self.success_key),
            ("agent_message_key", &self.agent_message_key),
        ];
        for (field, key) in reference {
            if !key.trim().is_empty() {
                problems.extend(problem(field, self.key(key)));
            }
        }
        if self.more.success_value == ValueMeaning::Test {
            let test = Test::of_value(&self.success_value).map(drop);
            problems.extend(problem("success_value", test));
        }
        problems.extend(self.condition_problems());
        problems.extend(self.message_key_problems());
        problems.extend(self.output_problems());
        let cases = case_problems(&self.more).into_iter();
        problems.extend(cases.map(|problem| DraftProblem {
            field: format!("more.cases{}", problem.field),
            ..problem
        }));
        problems
    }

    fn condition_problems(&self) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        for list in ConditionList::ALL {
            let field = format!("more.verdict.{}", list.name());
            let lines = self.more.verdict.lines(list);
            if lines.len() > CONDITIONS_MAX {
                problems.push(DraftProblem::new(
                    &field,
                    at_most(CONDITIONS_MAX, "conditions"),
                ));
                continue;
            }
            for (index, line) in lines.iter().enumerate() {
                let read = Condition::parse(line).and_then(|read| self.finds(line, &read.key));
                problems.extend(problem(&format!("{field}[{index}]"), read));
            }
        }
        problems
    }

    fn message_key_problems(&self) -> Vec<DraftProblem> {
        let keys = &self.more.message_keys;
        let field = "more.message_keys";
        if keys.len() > MESSAGE_KEYS_MAX {
            return vec![DraftProblem::new(field, at_most(MESSAGE_KEYS_MAX, "keys"))];
        }
        if !keys.is_empty() && self.agent_message_key.trim().is_empty() {
            let message =
                "Fill in Response Agent Message Key; these keys are asked where it is not found.";
            return vec![DraftProblem::new(field, message)];
        }
        let each = keys.iter().enumerate();
        each.filter_map(|(index, key)| problem(&format!("{field}[{index}]"), self.key(key)))
            .collect()
    }

    fn output_problems(&self) -> Vec<DraftProblem> {
        let rows = &self.more.outputs;
        if rows.len() > OUTPUTS_MAX {
            return vec![DraftProblem::new(
                "more.outputs",
                at_most(OUTPUTS_MAX, "rows"),
            )];
        }
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, row) in rows.iter().enumerate() {
            let path = format!("more.outputs[{index}]");
            let again = (!seen.insert(&row.name))
                .then(|| format!("{} is there already; keep one row.", row.name));
            let name = output_name_problem(row).or(again);
            problems.extend(name.map(|message| DraftProblem::new("name", message).under(&path)));
            problems
                .extend(problem("value", self.keys(&row.value)).map(|wrong| wrong.under(&path)));
        }
        problems
    }

    /// What is wrong with a key of its answers.
    pub(super) fn key_problem(&self, field: &str, text: &str) -> Option<DraftProblem> {
        problem(field, self.key(text))
    }

    fn key(&self, text: &str) -> Result<(), Misread> {
        short(text)?;
        self.finds(text, &Key::parse(text)?)
    }

    fn keys(&self, text: &str) -> Result<(), Misread> {
        short(text)?;
        let keys = Key::parse_all(text)?;
        if keys.len() > OUTPUT_KEYS_MAX {
            let allowed = format!("an output has at most {OUTPUT_KEYS_MAX} keys");
            return Err(Misread::new(text, 0, allowed));
        }
        keys.iter().try_for_each(|key| self.finds(text, key))
    }

    /// Whether answers as they are read here have such keys.
    fn finds(&self, text: &str, key: &Key) -> Result<(), Misread> {
        let is_text = self.response_type == ContentType::Text
            && self.more.response_format == ResponseFormat::ResponseType;
        match key {
            Key::Caught(_) if !is_text => {
                let allowed = "an expression is a key of answers in text/plain only";
                Err(Misread::new(text, 0, allowed))
            }
            Key::Caught(_) | Key::Part(_) | Key::Status | Key::Header(_) => Ok(()),
        }
    }
}

fn problem(field: &str, read: Result<(), Misread>) -> Option<DraftProblem> {
    let misread = read.err()?;
    Some(DraftProblem::new(field, misread.sentence()))
}

fn at_most(max: usize, what: &str) -> String {
    format!("At most {max} {what}.")
}

/// Short enough, and on one line.
fn short(text: &str) -> Result<(), Misread> {
    if let Some(byte) = text.find(char::is_control) {
        return Err(Misread::new(text, byte, "a key has no control characters"));
    }
    match text.char_indices().nth(KEY_CHARS_MAX) {
        Some((byte, _)) => {
            let allowed = format!("write at most {KEY_CHARS_MAX} characters");
            Err(Misread::new(text, byte, allowed))
        }
        None => Ok(()),
    }
}

fn output_name_problem(row: &Mapping) -> Option<String> {
    (!is_output_name(&row.name)).then(|| {
        format!("An output's name has 1 to {OUTPUT_NAME_CHARS_MAX} letters, digits or _, for example transaction_id.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::PaymentType;

    fn problems(change: serde_json::Value) -> Vec<(String, String)> {
        let mut config = serde_json::json!({
            "service_url": "https://gateway.example/pay",
            "success_key": "result",
            "success_value": "ok",
            "agent_message_key": "text",
        });
        let fields = change.as_object().unwrap().clone();
        config.as_object_mut().unwrap().extend(fields);
        let config: GatewayConfig = serde_json::from_value(config).unwrap();
        let found = config.problems(PaymentType::Card);
        found
            .into_iter()
            .map(|one| (one.field, one.message))
            .collect()
    }

    fn fields(change: serde_json::Value) -> Vec<String> {
        problems(change)
            .into_iter()
            .map(|(field, _)| field)
            .collect()
    }

    #[test]
    fn what_gateways_need_is_taken() {
        let more = serde_json::json!({
            "success_value": "test",
            "verdict": {
                "also": ["messages.resultCode = Ok", "charge_id exists"],
                "unknown": ["http:status = 502"],
                "review": ["transactionResponse.responseCode = 4"],
                "declined": ["RESULT = 12|13|100..199"],
                "error": ["header:X-Result ~ ^E"],
            },
            "message_keys": ["//error", "messages.message[0].text"],
            "outputs": [{ "name": "charge_id", "value": "latest_charge.id || latest_charge" }],
        });
        assert_eq!(
            fields(serde_json::json!({ "success_value": "1|2", "more": more })),
            [""; 0]
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_with_its_place() {
        let more = serde_json::json!({
            "verdict": { "also": ["a = 1", "a exists", "a equals 1"], "declined": ["code = 1..x"] },
            "message_keys": ["a", "header:"],
            "outputs": [{ "name": "id", "value": "a || " }, { "name": "id", "value": "b" }, { "name": "a b", "value": "" }],
        });
        let expected = [
            (
                "more.verdict.also[2]",
                "Character 3: after the key and a blank comes =, !=, ~, exists or null.",
            ),
            (
                "more.verdict.declined[0]",
                "Character 8: a range has a whole number at both ends.",
            ),
            (
                "more.message_keys[1]",
                "Character 8: a header's name has letters, digits and dashes.",
            ),
            (
                "more.outputs[0].value",
                "Character 6: write a key, such as status or a.b[0].c.",
            ),
            ("more.outputs[1].name", "id is there already; keep one row."),
            (
                "more.outputs[2].name",
                "An output's name has 1 to 40 letters, digits or _, for example transaction_id.",
            ),
            (
                "more.outputs[2].value",
                "Character 1: write a key, such as status or a.b[0].c.",
            ),
        ];
        let found = problems(serde_json::json!({ "more": more }));
        let found: Vec<_> = found
            .iter()
            .map(|(field, message)| (&**field, &**message))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_references_own_fields_are_read_the_same_way() {
        for (change, field) in [
            (
                serde_json::json!({ "success_key": "http:code" }),
                "success_key",
            ),
            (
                serde_json::json!({ "agent_message_key": "header:a b" }),
                "agent_message_key",
            ),
            (
                serde_json::json!({ "success_value": "1..x", "more": { "success_value": "test" } }),
                "success_value",
            ),
        ] {
            assert_eq!(fields(change), [field]);
        }
        // A text stays a text, whatever it looks like.
        assert_eq!(
            fields(serde_json::json!({ "success_value": "~(" })),
            [""; 0]
        );
    }

    #[test]
    fn an_expression_is_a_key_of_text_answers_only() {
        let with = |response_type: &str| {
            fields(serde_json::json!({
                "success_key": r"re:/status (\w+)/",
                "response_type": response_type,
                "more": { "verdict": { "review": ["re:/(held)/ exists"] }, "outputs": [{ "name": "id", "value": "a || re:/(id)/" }] },
            }))
        };
        assert_eq!(with("text/plain"), [""; 0]);
        let expected = [
            "success_key",
            "more.verdict.review[0]",
            "more.outputs[0].value",
        ];
        assert_eq!(with("application/json"), expected);
    }

    #[test]
    fn lists_are_bounded() {
        let outputs: Vec<_> = (0..=OUTPUTS_MAX)
            .map(|n| serde_json::json!({ "name": format!("o{n}"), "value": "a" }))
            .collect();
        let more = serde_json::json!({
            "verdict": { "error": vec!["a = 1"; CONDITIONS_MAX + 1] },
            "message_keys": vec!["a"; MESSAGE_KEYS_MAX + 1],
            "outputs": outputs,
        });
        let expected = ["more.verdict.error", "more.message_keys", "more.outputs"];
        assert_eq!(fields(serde_json::json!({ "more": more })), expected);
        let many = serde_json::json!({ "outputs": [{ "name": "id", "value": "a||b||c||d||e" }] });
        assert_eq!(
            fields(serde_json::json!({ "more": many })),
            ["more.outputs[0].value"]
        );
        let long = serde_json::json!({ "message_keys": ["k".repeat(KEY_CHARS_MAX + 1)] });
        assert_eq!(
            fields(serde_json::json!({ "more": long })),
            ["more.message_keys[0]"]
        );
    }

    #[test]
    fn fall_back_keys_need_a_first_one() {
        let change =
            serde_json::json!({ "agent_message_key": " ", "more": { "message_keys": ["a"] } });
        assert_eq!(fields(change), ["more.message_keys"]);
    }
}
