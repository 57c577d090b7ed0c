//! Answers that are kept with what they must come to.
//! Owns: what is expected of an answer, and how what is found differs from it.
//! Never: judges; a trial does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::trial::{Judgement, Pasted};
use super::variable::is_word;
use super::{Mapping, More, OUTPUTS_MAX, OperationKind};
use crate::payment::{Outcome, holds_card_number};
use crate::widget::DraftProblem;

/// Longest body of a case in characters: gateways answer with a few thousand.
const CASE_CHARS_MAX: usize = 16_000;
/// Headers of a case: a configuration asks for one or two.
const HEADERS_MAX: usize = 16;
/// Cases that are kept with a widget: an answer for each of a gateway's outcomes, and some odd ones.
const CASES_MAX: usize = 20;
/// Longest bodies of a widget's cases together, in characters.
const CASES_CHARS_MAX: usize = 64_000;
/// Longest name of a case in characters.
const NAME_CHARS_MAX: usize = 60;
/// Longest name or value of a header, in characters.
const HEADER_CHARS_MAX: usize = 200;
/// Longest message and longest output that an answer comes to, in characters.
const FOUND_CHARS_MAX: usize = 200;

/// An answer of a gateway, and what it must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name among those of a widget; empty: its file's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What was asked; none: the sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationKind>,
    /// HTTP status, 100-599.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers, by names of any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Mapping>,
    /// The body, at most 16,000 characters, without a card number.
    pub body: String,
    /// What it must come to.
    pub expected: Expected,
}

fn ok() -> u16 {
    200
}

/// What an answer must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The outcome.
    pub outcome: Outcome,
    /// What the agent reads.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What is kept of the answer: all of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
}

impl Case {
    /// Everything by which it cannot be kept or judged.
    #[must_use]
    pub fn problems(&self) -> Vec<DraftProblem> {
        let is_line = |text: &str| {
            text.chars().count() <= HEADER_CHARS_MAX && !text.contains(char::is_control)
        };
        let fits =
            |row: &Mapping| !row.name.is_empty() && is_line(&row.name) && is_line(&row.value);
        let mut problems = answer_problems(self.status, &self.body);
        if self.headers.len() > HEADERS_MAX || !self.headers.iter().all(fits) {
            let message =
                "Write at most 16 headers, each a name and at most 200 characters on one line.";
            problems.push(DraftProblem::new("headers", message));
        }
        let expected = self.expected.problems().into_iter();
        problems.extend(expected.map(|problem| problem.under("expected")));
        problems
    }

    /// How a judgement of it differs from what it must come to.
    #[must_use]
    pub fn checked(&self, judgement: &Judgement) -> CheckedCase {
        let found = Expected::of(judgement);
        CheckedCase {
            name: self.name.clone(),
            outcome: found.outcome,
            differences: self.expected.differences(&found),
        }
    }

    /// As an answer that is pasted.
    #[must_use]
    pub fn pasted(&self) -> Pasted<'_> {
        Pasted {
            operation: self.operation,
            status: self.status,
            headers: &self.headers,
            body: &self.body,
        }
    }
}

/// Everything by which an answer that somebody has cannot be kept or judged. No route takes a card digit from a browser (SETTLED S14).
#[must_use]
pub fn answer_problems(status: u16, body: &str) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    let mut add = |field: &str, message: &str| problems.push(DraftProblem::new(field, message));
    if !(100..=599).contains(&status) {
        add("status", "An HTTP status is 100 to 599.");
    }
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    if body.chars().count() > CASE_CHARS_MAX || body.contains(control) {
        add("body", "Write at most 16000 characters of text.");
    } else if holds_card_number(body) {
        add(
            "body",
            "Leave out card numbers: put other digits in their place.",
        );
    }
    problems
}

impl Expected {
    /// Everything by which no judgement can come to it: what is found is one line, scrubbed and cut.
    fn problems(&self) -> Vec<DraftProblem> {
        let is_found = |text: &String| {
            text.chars().count() <= FOUND_CHARS_MAX
                && !text.contains(char::is_control)
                && !holds_card_number(text)
        };
        let mut problems = Vec::new();
        if !is_found(&self.message) {
            let message = "Write at most 200 characters on one line, without a card number.";
            problems.push(DraftProblem::new("message", message));
        }
        let named = self.outputs.keys().all(|name| is_word(name));
        if self.outputs.len() > OUTPUTS_MAX || !named || !self.outputs.values().all(is_found) {
            let message = "Write at most 20 values by the names under which they are kept, each at most 200 characters on one line, without a card number.";
            problems.push(DraftProblem::new("outputs", message));
        }
        problems
    }

    /// What an answer came to.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Self {
        let outputs = judgement.outputs.iter();
        Self {
            outcome: judgement.outcome,
            message: judgement.message.clone(),
            outputs: outputs
                .map(|one| (one.name.clone(), one.value.clone()))
                .collect(),
        }
    }

    /// What is found otherwise than it is expected, in the order outcome, message, outputs by name.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<CaseDifference> {
        let mut all = vec![
            CaseDifference::of("outcome", self.outcome.label(), found.outcome.label()),
            CaseDifference::of("message", &*self.message, &*found.message),
        ];
        let names: BTreeSet<_> = self.outputs.keys().chain(found.outputs.keys()).collect();
        for name in names {
            let value = |of: &Self| of.outputs.get(name).cloned();
            all.push(CaseDifference {
                what: format!("outputs.{name}"),
                expected: value(self),
                found: value(found),
            });
        }
        all.retain(|one| one.expected != one.found);
        all
    }
}

/// A case that was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CheckedCase {
    /// Its name.
    pub name: String,
    /// What it came to.
    pub outcome: Outcome,
    /// How that differs from what it must come to; none: it does not.
    pub differences: Vec<CaseDifference>,
}

impl CheckedCase {
    /// Whether it came to what it must.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Everything by which the cases of a gateway cannot be kept with it, under their places in the list.
#[must_use]
pub fn case_problems(more: &More) -> Vec<DraftProblem> {
    let cases = &more.cases;
    let chars = |case: &Case| case.body.chars().count();
    if cases.len() > CASES_MAX || cases.iter().map(chars).sum::<usize>() > CASES_CHARS_MAX {
        let message = "Keep at most 20 cases, with 64000 characters in their bodies.";
        return vec![DraftProblem::new("", message)];
    }
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, case) in cases.iter().enumerate() {
        let path = format!("[{at}]");
        let mut own = case.problems();
        let length = case.name.trim().chars().count();
        if !(1..=NAME_CHARS_MAX).contains(&length) || case.name.contains(char::is_control) {
            own.push(DraftProblem::new(
                "name",
                "Write 1 to 60 characters on one line.",
            ));
        } else if !seen.insert(&case.name) {
            let message = format!("{} is there already; choose another name.", case.name);
            own.push(DraftProblem::new("name", message));
        }
        let outputs = match case.operation.map(|kind| (kind, more.operation(kind))) {
            None => more.outputs.as_slice(),
            Some((_, Some(operation))) => &operation.outputs,
            Some((kind, None)) => {
                let kind = kind.as_str();
                let message =
                    format!("There is no operation {kind}; add it, or leave the case out.");
                own.push(DraftProblem::new("operation", message));
                &[]
            }
        };
        let kept = |name: &String| outputs.iter().any(|output| output.name == *name);
        if let Some(name) = case.expected.outputs.keys().find(|name| !kept(name)) {
            let message = format!("{name} is not kept: add it to what is kept, or leave it out.");
            own.push(DraftProblem::new("expected.outputs", message));
        }
        problems.extend(own.into_iter().map(|problem| problem.under(&path)));
    }
    problems
}

/// What is otherwise than it was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaseDifference {
    /// "outcome", "message" or "outputs.transaction_id".
    pub what: String,
    /// What was expected; none: nothing.
    pub expected: Option<String>,
    /// What was found; none: nothing.
    pub found: Option<String>,
}

impl CaseDifference {
    fn of(what: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            expected: Some(expected.into()),
            found: Some(found.into()),
        }
    }
}

impl fmt::Display for CaseDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &Option<String>| match text {
            Some(text) => format!("{text:?}"),
            None => "nothing".to_owned(),
        };
        write!(
            f,
            "{}: expected {}, found {}",
            self.what,
            quoted(&self.expected),
            quoted(&self.found)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::fixtures::CARDS;

    fn expected(outcome: Outcome, outputs: &[(&str, &str)]) -> Expected {
        let outputs = outputs.iter();
        Expected {
            outcome,
            message: "ok".to_owned(),
            outputs: outputs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn case(body: &str) -> Case {
        Case {
            name: "one".to_owned(),
            operation: None,
            status: 200,
            headers: Vec::new(),
            body: body.to_owned(),
            expected: expected(Outcome::Approved, &[]),
        }
    }

    #[test]
    fn what_is_more_less_or_otherwise_is_a_difference() {
        let wanted = expected(Outcome::Approved, &[("a", "1"), ("b", "2")]);
        assert_eq!(wanted.differences(&wanted), []);
        let found = expected(Outcome::Declined, &[("b", "3"), ("c", "4")]);
        let said: Vec<String> = wanted
            .differences(&found)
            .iter()
            .map(ToString::to_string)
            .collect();
        let lines = [
            r#"outcome: expected "approved", found "declined""#,
            r#"outputs.a: expected "1", found nothing"#,
            r#"outputs.b: expected "2", found "3""#,
            r#"outputs.c: expected nothing, found "4""#,
        ];
        assert_eq!(said, lines);
    }

    #[test]
    fn a_case_holds_no_card_number_and_is_bounded() {
        let fields = |case: &Case| -> Vec<String> {
            let problems = case.problems().into_iter();
            problems.map(|problem| problem.field).collect()
        };
        assert!(fields(&case("{}\r\n")).is_empty());
        let number = format!(r#"{{"pan":"{}"}}"#, CARDS[0].number);
        assert_eq!(fields(&case(&number)), ["body"]);
        assert_eq!(fields(&case(&"x".repeat(CASE_CHARS_MAX + 1))), ["body"]);
        assert_eq!(fields(&case("\u{0}")), ["body"]);
        let odd = Case {
            status: 99,
            headers: vec![Mapping {
                name: String::new(),
                value: "x".to_owned(),
            }],
            ..case("")
        };
        assert_eq!(fields(&odd), ["status", "headers"]);
    }

    #[test]
    fn cases_of_a_widget_have_names_of_their_own_and_are_few() {
        let places = |cases: &[Case]| -> Vec<String> {
            let more = More {
                cases: cases.to_vec(),
                ..More::default()
            };
            let problems = case_problems(&more).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        let named = |name: &str| Case {
            name: name.to_owned(),
            ..case("{}")
        };
        assert!(places(&[named("a"), named("b")]).is_empty());
        assert_eq!(
            places(&[named("a"), named("a"), named(" ")]),
            ["[1].name", "[2].name"]
        );
        let number = Case {
            body: CARDS[0].number.to_owned(),
            ..named("a")
        };
        assert_eq!(places(&[number]), ["[0].body"]);
        let of_nothing = Case {
            operation: Some(OperationKind::Void),
            ..named("a")
        };
        assert_eq!(places(&[of_nothing]), ["[0].operation"]);
        assert_eq!(places(&vec![named("a"); CASES_MAX + 1]), [""]);
        let long = case(&"x".repeat(CASE_CHARS_MAX));
        assert_eq!(places(&vec![long; 5]), [""]);
    }

    #[test]
    fn a_case_is_of_status_200_unless_it_says_otherwise() {
        let read: Case = serde_json::from_value(serde_json::json!({
            "body": "", "expected": { "outcome": "unknown" },
        }))
        .unwrap();
        assert_eq!((read.status, read.expected.message.as_str()), (200, ""));
    }
}
