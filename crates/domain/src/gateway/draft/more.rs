//! The rules of what stands behind "More" for a request.
//! Owns: which names a configuration may define, and what a body may look like.
//! Never: looks at an answer.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::capture::PaymentType;
use crate::gateway::template::Part;
use crate::gateway::variable::{Kind, Space, is_word};
use crate::gateway::{
    BodyKind, GatewayConfig, Mapping, NamePath, Place, RequestFormat, Scope, Template,
};
use crate::widget::DraftProblem;

use super::{MAPPINGS_MAX, NAME_CHARS_MAX};

/// Everything that a configuration defines, and what is wrong with it.
pub(super) fn scope(
    config: &GatewayConfig,
    payment_type: PaymentType,
) -> (Scope, Vec<DraftProblem>) {
    let more = &config.more;
    let mut problems = Vec::new();
    let mut scope = Scope::new(payment_type);
    for (field, rows) in [
        ("more.constants", &more.constants),
        ("more.variables", &more.variables),
        ("more.signature", &more.signature),
    ] {
        problems.extend(too_many(field, rows.len()));
    }
    problems.extend(too_many("more.secrets", more.secrets.len()));
    for (index, row) in more.constants.iter().enumerate() {
        let path = format!("more.constants[{index}]");
        let is_new = scope.define_text(Space::Constant, &row.name);
        problems.extend(word_problem("name", &row.name, is_new).map(|one| one.under(&path)));
        problems.extend(constant_problem(&row.value).map(|one| one.under(&path)));
    }
    for (index, name) in more.secrets.iter().enumerate() {
        let is_new = scope.define_text(Space::Secret, name);
        problems.extend(word_problem(
            &format!("more.secrets[{index}]"),
            name,
            is_new,
        ));
    }
    problems.extend(computed(&mut scope, Space::Let, &more.variables));
    problems.extend(super::steps::problems(config, &mut scope));
    problems.extend(computed(&mut scope, Space::Sign, &more.signature));
    (scope, problems)
}

/// Defines the values of `let` or `sign`.
fn computed(scope: &mut Scope, space: Space, rows: &[Mapping]) -> Vec<DraftProblem> {
    let (place, field) = match space {
        Space::Sign => (Place::Sign, "more.signature"),
        Space::Constant | Space::Secret | Space::Let | Space::Step | Space::Sale => {
            (Place::Let, "more.variables")
        }
    };
    let mut problems = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let path = format!("{field}[{index}]");
        let found = define_computed(scope, space, place, row);
        problems.extend(found.into_iter().map(|one| one.under(&path)));
    }
    problems
}

/// Defines a computed value; it may name those before it.
fn define_computed(
    scope: &mut Scope,
    space: Space,
    place: Place,
    row: &Mapping,
) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    let text = match place {
        Place::Sign => Template::parse_lines(&row.value),
        Place::Body | Place::Header | Place::Let | Place::Url => Template::parse(&row.value),
    };
    let typed = text.and_then(|text| text.check(place, scope));
    let is_new = match typed {
        Ok(typed) => scope.define(space, &row.name, typed),
        Err(error) => {
            problems.push(DraftProblem::new("value", sentence(&error)));
            scope.define_text(space, &row.name)
        }
    };
    problems.extend(word_problem("name", &row.name, is_new));
    problems
}

fn too_many(field: &str, count: usize) -> Option<DraftProblem> {
    (count > MAPPINGS_MAX)
        .then(|| DraftProblem::new(field, format!("At most {MAPPINGS_MAX} rows.")))
}

pub(super) fn word_problem(field: &str, name: &str, is_new: bool) -> Option<DraftProblem> {
    if !is_word(name) {
        let message =
            "A name begins with a small letter; small letters, digits and _ follow, 40 at most.";
        return Some(DraftProblem::new(field, message));
    }
    (!is_new).then(|| DraftProblem::new(field, format!("{name} is there already; keep one row.")))
}

fn constant_problem(value: &str) -> Option<DraftProblem> {
    let fits = (1..=NAME_CHARS_MAX).contains(&value.chars().count());
    if fits && !value.chars().any(char::is_control) {
        return None;
    }
    let message = format!("Write 1 to {NAME_CHARS_MAX} characters on one line.");
    Some(DraftProblem::new("value", message))
}

/// What is wrong with the text of the body and its names.
pub(super) fn body_problems(config: &GatewayConfig, scope: &Scope) -> Vec<DraftProblem> {
    let more = &config.more;
    let mut problems = Vec::new();
    problems.extend(content_type_problem(&more.content_type));
    problems.extend(password_problem(&more.auth_password));
    if more.body.is_empty() {
        problems.extend(field_without_body(&more.body_form_field));
        if config.writes_levels() {
            problems.extend(clashes(&config.request_params));
        }
        return problems;
    }
    if more.request_format == RequestFormat::NameValue {
        let message = "A name-value body is made of parameters; leave the text of the body out.";
        problems.push(DraftProblem::new("more.body", message));
    }
    if !config.request_params.is_empty() {
        let message =
            "The text of the body stands in the place of parameters; keep one of the two.";
        problems.push(DraftProblem::new("more.body", message));
    }
    if !more.body_form_field.is_empty() && !is_field_name(&more.body_form_field) {
        let message = "A form field's name has letters, digits or any of _ - . [ ].";
        problems.push(DraftProblem::new("more.body_form_field", message));
    }
    if let Err(message) = body_text(config, scope) {
        problems.push(DraftProblem::new("more.body", message));
    }
    problems
}

/// A password that is typed is sealed; this one is kept in the configuration and may only name what is.
fn password_problem(text: &str) -> Option<DraftProblem> {
    let is_computed = text.is_empty() || text.contains('{');
    (!is_computed).then(|| {
        let message =
            "Write a computed value such as {let.hash}; a password itself goes into Auth Password.";
        DraftProblem::new("more.auth_password", message)
    })
}

fn field_without_body(field: &str) -> Option<DraftProblem> {
    (!field.is_empty()).then(|| {
        let message =
            "A form field holds the text of the body; write that, or leave the field out.";
        DraftProblem::new("more.body_form_field", message)
    })
}

fn is_field_name(name: &str) -> bool {
    name.len() <= NAME_CHARS_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte))
}

/// `type/subtype` and perhaps parameters, as a header may hold it.
fn content_type_problem(text: &str) -> Option<DraftProblem> {
    let is_visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let shaped = text.split_once('/').is_some_and(|(kind, rest)| {
        let is_name = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
        };
        is_name(kind) && is_name(rest.split(';').next().unwrap_or_default().trim())
    });
    let fits = text.is_empty() || (is_visible && shaped && text.len() <= NAME_CHARS_MAX);
    (!fits).then(|| {
        let message = "Write a content type, for example text/namevalue, or leave it out.";
        DraftProblem::new("more.content_type", message)
    })
}

/// Names that want both a value and a level, in the rows of a body with levels.
fn clashes(rows: &[Mapping]) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    let mut before: Vec<(&str, NamePath)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let problem = |message| DraftProblem::new(format!("request_params[{index}].name"), message);
        let path = match NamePath::parse(&row.name) {
            Ok(path) => path,
            // An empty name has its own message.
            Err(_) if row.name.is_empty() => continue,
            Err(error) => {
                problems.push(problem(format!("As a path this name is wrong: {error}.")));
                continue;
            }
        };
        let same = |known: &str| known.eq_ignore_ascii_case(&row.name);
        let clash = before
            .iter()
            .find(|(known, other)| !same(known) && other.clashes(&path));
        if let Some((known, _)) = clash {
            let message = format!("{known} and {} cannot both have a value.", row.name);
            problems.push(problem(message));
        }
        before.push((&row.name, path));
    }
    problems
}

/// Checks the text of a body: its tokens, and that it is what it begins as.
fn body_text(config: &GatewayConfig, scope: &Scope) -> Result<(), String> {
    let template = Template::parse_lines(&config.more.body).map_err(|error| sentence(&error))?;
    template
        .check(Place::Body, scope)
        .map_err(|error| sentence(&error))?;
    match BodyKind::of(config) {
        BodyKind::Json => json_body(&template, scope),
        BodyKind::Xml => xml_body(&template),
        BodyKind::Form | BodyKind::Text => Ok(()),
    }
}

/// A sample of the body must be JSON, and what stands outside quotes a number, a truth value or null.
fn json_body(template: &Template, scope: &Scope) -> Result<(), String> {
    let mut sample = String::new();
    let mut quotes = Quotes::default();
    for part in template.parts() {
        match part {
            Part::Literal(text) => {
                text.chars().for_each(|c| quotes.pass(c));
                sample.push_str(text);
            }
            Part::Token(_) if quotes.are_open => sample.push('0'),
            Part::Token(token) => {
                let kind = Template::of_token(token.clone())
                    .check(Place::Body, scope)
                    .map_err(|error| sentence(&error))?
                    .kind;
                if kind != Kind::Bare {
                    return Err(format!(
                        "Character {}: {} stands outside quotes; put it in quotes, or end it with int, num or bool.",
                        token.at, token.source
                    ));
                }
                sample.push('0');
            }
        }
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&sample)
        .map(|_| ())
        .map_err(|error| {
            format!(
                "This is no JSON: line {}, column {}, tokens counted as one character each.",
                error.line(),
                error.column()
            )
        })
}

/// Whether what follows stands in a JSON text.
#[derive(Default)]
struct Quotes {
    are_open: bool,
    is_escaped: bool,
}

impl Quotes {
    fn pass(&mut self, c: char) {
        match c {
            _ if self.is_escaped => self.is_escaped = false,
            '\\' => self.is_escaped = self.are_open,
            '"' => self.are_open = !self.are_open,
            _ => {}
        }
    }
}

/// A sample of the body must be well-formed XML.
fn xml_body(template: &Template) -> Result<(), String> {
    let sample: String = template
        .parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::Token(_) => "0",
        })
        .collect();
    let mut reader = Reader::from_str(&sample);
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        let at = reader.buffer_position();
        let wrong = |what: &str| {
            format!("This is no XML: {what}, at byte {at}, tokens counted as one each.")
        };
        match reader
            .read_event()
            .map_err(|error| wrong(&error.to_string()))?
        {
            Event::Start(element) => {
                attributes(&element).map_err(|what| wrong(&what))?;
                roots += usize::from(depth == 0);
                depth += 1;
            }
            Event::Empty(element) => {
                attributes(&element).map_err(|what| wrong(&what))?;
                roots += usize::from(depth == 0);
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth == 0 && roots == 1 => return Ok(()),
            Event::Eof => return Err(wrong("it needs one outermost element and its end")),
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
}

fn attributes(element: &BytesStart<'_>) -> Result<(), String> {
    let mut all = element.attributes();
    all.try_for_each(|one| one.map(|_| ()).map_err(|error| error.to_string()))
}

/// An error as a sentence.
pub(super) fn sentence(error: &impl std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let Some(first) = letters.next() else {
        return text;
    };
    let end = if text.ends_with('?') { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is wrong with a configuration that has this behind "More".
    fn wrong(request_type: &str, more: serde_json::Value) -> Vec<(String, String)> {
        let config: GatewayConfig = serde_json::from_value(json!({
            "service_url": "https://gateway.example/pay",
            "success_key": "result",
            "success_value": "ok",
            "request_type": request_type,
            "more": more,
        }))
        .unwrap();
        let problems = config.problems(PaymentType::Card);
        problems
            .into_iter()
            .map(|problem| (problem.field, problem.message))
            .collect()
    }

    fn fields(request_type: &str, more: serde_json::Value) -> Vec<String> {
        let problems = wrong(request_type, more);
        problems.into_iter().map(|(field, _)| field).collect()
    }

    const JSON: &str = "application/json";
    const XML: &str = "text/xml";
    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn names_are_defined_once_and_before_they_are_used() {
        let more = json!({
            "constants": [{ "name": "merchant", "value": "m1" }],
            "secrets": ["key"],
            "variables": [
                { "name": "salted", "value": "{cfg.merchant}{secret.key}" },
                { "name": "hash", "value": "{let.salted|sha256|hex}" },
            ],
            "signature": [
                { "name": "digest", "value": "{body.raw|sha256|b64}" },
                { "name": "text", "value": "host: {request.host}\n{sign.digest}" },
            ],
        });
        assert_eq!(wrong(JSON, more), []);
        let more = json!({
            "constants": [
                { "name": "Merchant", "value": "m1" },
                { "name": "a", "value": "" },
                { "name": "a", "value": "x" },
            ],
            "secrets": ["key", "key"],
            "variables": [
                { "name": "one", "value": "{let.two}" },
                { "name": "two", "value": "{card.number}" },
                { "name": "two", "value": "{body.raw|sha256|hex}" },
            ],
        });
        assert_eq!(
            fields(JSON, more),
            [
                "more.constants[0].name",
                "more.constants[1].value",
                "more.constants[2].name",
                "more.secrets[1]",
                "more.variables[0].value",
                "more.variables[1].value",
                "more.variables[2].value",
                "more.variables[2].name",
            ]
        );
    }

    #[test]
    fn a_json_body_is_json_and_bare_values_stand_outside_quotes() {
        let body = r#"{"amount":{payment.amount|minor|int},"card":"{card.number}","q":"say \"{form.city}\""}"#;
        assert_eq!(wrong(JSON, json!({ "body": body })), []);
        for (body, said) in [
            (
                r#"{"a":{card.number}}"#,
                "Character 6: {card.number} stands outside quotes; put it in quotes, or end it with int, num or bool.",
            ),
            (
                r#"{"a":"{card.number}""#,
                "This is no JSON: line 1, column 8, tokens counted as one character each.",
            ),
            (
                r#"{"a":"{card.pan}"}"#,
                "Character 7: there is no token {card.pan}; did you mean {card.cvv}?",
            ),
            (
                r#"{"a":"{sign.x}"}"#,
                "Character 7: {sign.x} is not defined here.",
            ),
        ] {
            let expected = [("more.body".to_owned(), said.to_owned())];
            assert_eq!(wrong(JSON, json!({ "body": body })), expected, "{body}");
        }
    }

    #[test]
    fn an_xml_body_is_well_formed() {
        let body = r#"<?xml version="1.0"?><!DOCTYPE a SYSTEM "a.dtd"><a n="{payment.ref}"><b>{card.number}</b></a>"#;
        assert_eq!(wrong(XML, json!({ "body": body })), []);
        for body in ["<a>", "<a></b>", "text", "<a/><b/>", "<a b={card.number}/>"] {
            assert_eq!(
                fields(XML, json!({ "body": body })),
                ["more.body"],
                "{body}"
            );
        }
        let in_form = json!({ "body": "<a>{card.number}</a>", "body_form_field": "xmldata" });
        assert_eq!(wrong(FORM, in_form), []);
        let broken = json!({ "body": "<a>", "body_form_field": "xml data" });
        assert_eq!(fields(FORM, broken), ["more.body_form_field", "more.body"]);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        assert_eq!(
            fields(JSON, json!({ "body_form_field": "x" })),
            ["more.body_form_field"]
        );
        let both = json!({ "body": "{}", "request_format": "name_value" });
        assert_eq!(fields(JSON, both), ["more.body"]);
        for text in ["json", "text/", "text/x\r\nA: b", "a b/c"] {
            assert_eq!(
                fields(JSON, json!({ "content_type": text })),
                ["more.content_type"],
                "{text}"
            );
        }
        for text in ["text/namevalue", "application/soap+xml; charset=utf-8"] {
            assert_eq!(wrong(JSON, json!({ "content_type": text })), [], "{text}");
        }
        assert_eq!(
            fields(JSON, json!({ "auth_password": "hunter2" })),
            ["more.auth_password"]
        );
    }

    #[test]
    fn names_of_parameters_make_one_body() {
        let config: GatewayConfig = serde_json::from_value(json!({
            "service_url": "https://gateway.example/pay",
            "success_key": "result",
            "success_value": "ok",
            "request_params": [
                { "name": "card.number", "value": "{card.number}" },
                { "name": "card", "value": "x" },
                { "name": "items[0].x", "value": "x" },
                { "name": "items.y", "value": "x" },
                { "name": "a..b", "value": "x" },
            ],
        }))
        .unwrap();
        let fields = |config: &GatewayConfig| -> Vec<String> {
            let problems = config.problems(PaymentType::Card);
            problems.into_iter().map(|one| one.field).collect()
        };
        assert_eq!(
            fields(&config),
            [
                "request_params[1].name",
                "request_params[3].name",
                "request_params[4].name",
            ]
        );
        let form = GatewayConfig {
            request_type: crate::gateway::ContentType::Form,
            ..config
        };
        assert_eq!(
            fields(&form),
            [""; 0],
            "a form sends names as they are written"
        );
    }
}
