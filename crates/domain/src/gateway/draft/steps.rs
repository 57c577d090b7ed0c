//! The rules of the calls before the sale.
//! Owns: what is refused of a step when a widget is saved, and the names that its answer gives.
//! Never: has rules of its own for a request or a key: a step's are the sale's.

use crate::gateway::step::{GatewayStep, STEPS_MAX};
use crate::gateway::variable::{Kind, Space, is_word};
use crate::gateway::{GatewayConfig, Scope, Typed};
use crate::widget::DraftProblem;

use super::more::{sentence, word_problem};

/// Fields of a step by the names that they have in a configuration of its own.
const FIELDS: [(&str, &str); 4] = [
    ("more.method", "method"),
    ("more.outputs", "extract"),
    ("more.verdict.also", "require"),
    ("more.body", "body"),
];

/// What is wrong with the steps. Each may name what those before it give, which is defined on the way.
pub(super) fn problems(config: &GatewayConfig, scope: &mut Scope) -> Vec<DraftProblem> {
    let steps = &config.more.steps;
    if steps.len() > STEPS_MAX {
        let message = format!("At most {STEPS_MAX} steps.");
        return vec![DraftProblem::new("more.steps", message)];
    }
    let mut problems = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let is_new = steps[..index].iter().all(|other| other.name != step.name);
        let mut found = Vec::from_iter(word_problem("name", &step.name, is_new));
        found.extend(request_problems(config, step, scope));
        found.extend(defined(step, scope));
        let path = format!("more.steps[{index}]");
        problems.extend(found.into_iter().map(|one| one.under(&path)));
    }
    problems
}

fn request_problems(
    config: &GatewayConfig,
    step: &GatewayStep,
    scope: &Scope,
) -> Vec<DraftProblem> {
    let request = config.of_step(step);
    let mut found = Vec::from_iter(url_problem(&request, &step.url, scope));
    found.extend(request.method_problem());
    found.extend(request.param_problems(scope));
    found.extend(request.type_problem());
    found.extend(request.header_problems(scope));
    found.extend(super::more::body_problems(&request, scope));
    found.extend(request.answer_problems());
    let mut found: Vec<DraftProblem> = found.into_iter().map(named).collect();
    if step.request_params.is_empty() && step.body.is_empty() {
        let message = "A step sends something: write its parameters or its body.";
        found.push(DraftProblem::new("request_params", message));
    }
    found
}

/// Characters are counted in what was written.
pub(super) fn url_problem(
    request: &GatewayConfig,
    written: &str,
    scope: &Scope,
) -> Option<DraftProblem> {
    let chars = |text: &str| text.chars().count();
    let added = chars(&request.service_url).saturating_sub(chars(written));
    let error = request.url_error(scope)?.after(added);
    Some(DraftProblem::new("url", sentence(&error)))
}

/// By the name that the field has in a step.
fn named(problem: DraftProblem) -> DraftProblem {
    let known = FIELDS.iter().find_map(|(config, step)| {
        let rest = problem.field.strip_prefix(config)?;
        Some(format!("{step}{rest}"))
    });
    DraftProblem {
        field: known.unwrap_or(problem.field),
        ..problem
    }
}

/// Defines what is taken from its answer. It is secret unless it says otherwise: tokens are.
fn defined(step: &GatewayStep, scope: &mut Scope) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    for (index, output) in step.extract.iter().enumerate() {
        let typed = Typed {
            kind: Kind::Text,
            is_secret: !output.public,
        };
        scope.define(Space::Step, &step.full_name(output), typed);
        if !is_word(&output.name) {
            let path = format!("extract[{index}]");
            problems.extend(word_problem("name", &output.name, true).map(|one| one.under(&path)));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capture::PaymentType;

    fn config(more: &serde_json::Value) -> GatewayConfig {
        serde_json::from_value(json!({
            "service_url": "https://pay.example/v1/sale",
            "success_key": "status",
            "success_value": "ok",
            "request_type": "application/x-www-form-urlencoded",
            "more": more,
        }))
        .unwrap()
    }

    fn wrong(config: &GatewayConfig) -> Vec<(String, String)> {
        let problems = config.problems(PaymentType::Card);
        problems
            .into_iter()
            .map(|problem| (problem.field, problem.message))
            .collect()
    }

    fn token_and_card() -> serde_json::Value {
        json!({
            "secrets": ["key"],
            "constants": [{ "name": "merchant", "value": "m1" }],
            "variables": [{ "name": "hash", "value": "{txn.nonce}{secret.key|sha256|hex}" }],
            "steps": [
                { "name": "login", "url": "https://login.example/{cfg.merchant}/token", "request_type": "application/json",
                  "request_params": [{ "name": "hash", "value": "{let.hash}" }],
                  "extract": [{ "name": "token", "value": "access_token || token" }, { "name": "shop", "value": "shop", "public": true }],
                  "require": ["token_type = Bearer"] },
                { "name": "pm", "url": "/v1/{step.login.shop}/methods",
                  "request_params": [{ "name": "card[number]", "value": "{card.number}" }],
                  "request_headers": [{ "name": "Authorization", "value": "Bearer {step.login.token}" }],
                  "extract": [{ "name": "id", "value": "id" }] },
            ],
        })
    }

    #[test]
    fn what_a_step_gives_stands_in_all_that_comes_after() {
        let mut config = config(&token_and_card());
        config.request_params = vec![crate::gateway::Mapping {
            name: "method".to_owned(),
            value: "{step.pm.id}".to_owned(),
        }];
        assert_eq!(wrong(&config), []);
    }

    /// With this in its place, this is said of a field.
    fn is_said(pointer: &str, value: serde_json::Value, field: &str, said: &str) {
        let mut more = token_and_card();
        *more.pointer_mut(pointer).unwrap() = value;
        let wrong = wrong(&config(&more));
        let mut wrong = wrong.iter();
        let found = wrong.any(|(at, message)| at == field && message.starts_with(said));
        assert!(found, "{pointer}: {said}");
    }

    #[test]
    fn a_wrong_name_or_url_is_named_with_its_place() {
        for (pointer, value, field, said) in [
            (
                "/steps/0/name",
                json!("Log in"),
                "more.steps[0].name",
                "A name begins",
            ),
            (
                "/steps/1/name",
                json!("login"),
                "more.steps[1].name",
                "login is there already",
            ),
            (
                "/steps/1/url",
                json!("/v1/{step.login.token}"),
                "more.steps[1].url",
                "Character 5: {step.login.token} is a secret",
            ),
            (
                "/steps/1/url",
                json!("/v1/{card.number}"),
                "more.steps[1].url",
                "Character 5: {card.number} may stand in the body only",
            ),
            (
                "/steps/1/url",
                json!("v1"),
                "more.steps[1].url",
                "Write a whole URL",
            ),
            (
                "/steps/0/url",
                json!("http://login.example/"),
                "more.steps[0].url",
                "The URL begins with https",
            ),
            (
                "/steps/0/request_params/0/value",
                json!("{step.pm.id}"),
                "more.steps[0].request_params[0].value",
                "Character 1: {step.pm.id} is not defined",
            ),
            (
                "/steps/0/request_params/0/value",
                json!("{sign.x}"),
                "more.steps[0].request_params[0].value",
                "Character 1: {sign.x} is not defined",
            ),
        ] {
            is_said(pointer, value, field, said);
        }
    }

    #[test]
    fn a_wrong_value_key_or_condition_is_named_with_its_place() {
        for (pointer, value, field, said) in [
            (
                "/steps/1/request_headers/0/value",
                json!("{card.cvv}"),
                "more.steps[1].request_headers[0].value",
                "Character 1: {card.security_code} may stand in the body only",
            ),
            (
                "/steps/1/request_headers/0/value",
                json!("Bearer x"),
                "more.steps[1].request_headers[0].name",
                "With Auth Method None",
            ),
            (
                "/steps/0/extract/0/value",
                json!("http:x"),
                "more.steps[0].extract[0].value",
                "Character",
            ),
            (
                "/steps/0/extract/1/name",
                json!("token"),
                "more.steps[0].extract[1].name",
                "token is there already",
            ),
            (
                "/steps/0/extract/0/name",
                json!("Token"),
                "more.steps[0].extract[0].name",
                "A name begins",
            ),
            (
                "/steps/0/require/0",
                json!("token_type"),
                "more.steps[0].require[0]",
                "Character",
            ),
            (
                "/steps/0/request_params",
                json!([]),
                "more.steps[0].request_params",
                "A step sends something",
            ),
            (
                "/variables/0/value",
                json!("{step.login.token}"),
                "more.variables[0].value",
                "Character 1: {step.login.token} is not defined",
            ),
        ] {
            is_said(pointer, value, field, said);
        }
    }

    #[test]
    fn there_are_only_so_many_steps() {
        let step = json!({ "name": "a", "url": "/a" });
        let more = json!({ "steps": vec![step; STEPS_MAX + 1] });
        let wrong = wrong(&config(&more));
        assert_eq!(wrong[0].0, "more.steps");
    }
}
