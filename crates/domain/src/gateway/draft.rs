//! The rules of a gateway's configuration.
//! Owns: what is refused when a widget is saved, and why.
//! Never: asks the network; whether a host may receive values is decided when it is used (SETTLED S4).

use std::collections::BTreeSet;

use super::{
    AuthMethod, ContentType, GatewayConfig, Mapping, Method, Place, Scope, Template, UrlError,
    UrlTemplate,
};
use crate::capture::PaymentType;
use crate::widget::DraftProblem;
use more::sentence;

mod more;
mod operations;
mod steps;

/// Rows of one mapping: more than any gateway asks for. More are refused.
pub const MAPPINGS_MAX: usize = 64;
/// Longest key, value, name or user name in characters.
const NAME_CHARS_MAX: usize = 200;

/// Headers that the request itself sets, or that would change how it is framed.
const RESERVED_HEADERS: [&str; 14] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl GatewayConfig {
    /// Everything that is wrong, in the order of the form; paths are relative to the gateway.
    #[must_use]
    pub fn problems(&self, payment_type: PaymentType) -> Vec<DraftProblem> {
        let (scope, defined) = more::scope(self, payment_type);
        let mut problems = Vec::new();
        let wrong_url = self.url_error(&scope);
        problems.extend(wrong_url.map(|wrong| DraftProblem::new("service_url", sentence(&wrong))));
        problems.extend(text_problem("success_key", &self.success_key, 1));
        problems.extend(text_problem("success_value", &self.success_value, 1));
        problems.extend(text_problem(
            "agent_message_key",
            &self.agent_message_key,
            0,
        ));
        problems.extend(self.param_problems(&scope));
        problems.extend(self.user_name_problem(&scope));
        problems.extend(timeout_problem(
            "connection_timeout_ms",
            self.connection_timeout_ms,
            100..=60_000,
        ));
        problems.extend(timeout_problem(
            "read_timeout_ms",
            self.read_timeout_ms,
            1_000..=120_000,
        ));
        problems.extend(self.type_problem());
        problems.extend(self.header_problems(&scope));
        problems.extend(self.method_problem());
        problems.extend(defined);
        problems.extend(more::body_problems(self, &scope));
        problems.extend(self.answer_problems());
        problems.extend(self.recovery_problem());
        problems.extend(self.more.connection.problems());
        problems.extend(operations::problems(self, payment_type));
        problems
    }

    fn url_error(&self, scope: &Scope) -> Option<UrlError> {
        let url = UrlTemplate::parse(&self.service_url);
        url.and_then(|url| url.check(scope)).err()
    }

    fn param_problems(&self, scope: &Scope) -> Vec<DraftProblem> {
        mapping_problems(
            "request_params",
            &self.request_params,
            param_name_problem,
            |row| param_value_problem(row, scope),
        )
    }

    fn header_problems(&self, scope: &Scope) -> Vec<DraftProblem> {
        mapping_problems(
            "request_headers",
            &self.request_headers,
            |row| header_name_problem(row, self.makes_authorization(row)),
            |row| header_value_problem(&row.value, scope),
        )
    }

    /// What it sends cannot be made where these names are known, and no others.
    fn texts_problems(&self, scope: &Scope) -> Vec<DraftProblem> {
        let wrong_url = self.url_error(scope);
        let mut problems = Vec::from_iter(
            wrong_url.map(|wrong| DraftProblem::new("service_url", sentence(&wrong))),
        );
        problems.extend(self.param_problems(scope));
        problems.extend(self.header_problems(scope));
        problems.extend(self.user_name_problem(scope));
        problems.extend(more::body_problems(self, scope));
        problems
    }

    /// A sale and its steps are no GET.
    fn method_problem(&self) -> Option<DraftProblem> {
        (self.more.method == Method::Get).then(|| {
            let message = "GET is for inquiries; a sale and its steps are sent with POST or PUT.";
            DraftProblem::new("more.method", message)
        })
    }

    fn type_problem(&self) -> Option<DraftProblem> {
        (self.request_type == ContentType::Text && self.more.body.is_empty()).then(|| {
            DraftProblem::new(
                "request_type",
                "text/plain is for responses; choose JSON, form or XML.",
            )
        })
    }

    /// [RFC 7617 §2](https://www.rfc-editor.org/rfc/rfc7617#section-2): no colon and no control character in a user-id.
    fn user_name_problem(&self, scope: &Scope) -> Option<DraftProblem> {
        if self.auth_method == AuthMethod::None {
            return None;
        }
        let name = &self.auth_user_name;
        let of = |field: &str, text: &str| {
            let message = header_value_problem(text, scope)?;
            Some(DraftProblem::new(field, message))
        };
        if name.contains(':') {
            let message = "A user name for Basic has no colon.";
            return Some(DraftProblem::new("auth_user_name", message));
        }
        text_problem("auth_user_name", name, 1)
            .or_else(|| of("auth_user_name", name).filter(|_| name.contains('{')))
            .or_else(|| of("more.auth_password", &self.more.auth_password))
    }
}

fn text_problem(field: &str, text: &str, chars_min: usize) -> Option<DraftProblem> {
    let chars = text.trim().chars().count();
    let fits = (chars_min..=NAME_CHARS_MAX).contains(&chars);
    if fits && !text.chars().any(char::is_control) {
        return None;
    }
    let least = if chars_min == 0 { "at most" } else { "1 to" };
    Some(DraftProblem::new(
        field,
        format!("Write {least} {NAME_CHARS_MAX} characters on one line."),
    ))
}

fn timeout_problem(
    field: &str,
    value: u32,
    range: std::ops::RangeInclusive<u32>,
) -> Option<DraftProblem> {
    (!range.contains(&value)).then(|| {
        DraftProblem::new(
            field,
            format!("Choose {} to {} ms.", range.start(), range.end()),
        )
    })
}

/// Rows one by one, with their names unique.
fn mapping_problems(
    field: &str,
    rows: &[Mapping],
    of_name: impl Fn(&Mapping) -> Option<String>,
    of_value: impl Fn(&Mapping) -> Option<String>,
) -> Vec<DraftProblem> {
    if rows.len() > MAPPINGS_MAX {
        let message = format!("At most {MAPPINGS_MAX} rows.");
        return vec![DraftProblem::new(field, message)];
    }
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let path = format!("{field}[{index}]");
        let again = || {
            (!seen.insert(row.name.to_ascii_lowercase()))
                .then(|| format!("{} is there already; keep one row.", row.name))
        };
        let parts = [
            ("name", of_name(row).or_else(again)),
            ("value", of_value(row)),
        ];
        for (part, message) in parts {
            problems.extend(message.map(|message| DraftProblem::new(part, message).under(&path)));
        }
    }
    problems
}

/// A parameter's name may be a path: `a.b`, `a[b]`, `items[0].x`, `@attribute`, `ns:name`.
fn param_name_problem(row: &Mapping) -> Option<String> {
    let clean = row
        .name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]@:$".contains(&byte));
    let wrong = row.name.is_empty() || row.name.len() > NAME_CHARS_MAX || !clean;
    wrong.then(|| {
        format!(
            "A parameter's name has 1 to {NAME_CHARS_MAX} letters, digits or any of _ - . [ ] @ : $"
        )
    })
}

fn param_value_problem(row: &Mapping, scope: &Scope) -> Option<String> {
    let template = Template::parse(&row.value);
    let checked = template.and_then(|template| template.check(Place::Body, scope));
    checked.err().map(|error| sentence(&error))
}

/// [RFC 9110 §5.1](https://www.rfc-editor.org/rfc/rfc9110#section-5.1): a name is a token.
fn header_name_problem(row: &Mapping, makes_authorization: bool) -> Option<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if row.name.is_empty() || row.name.len() > NAME_CHARS_MAX || !row.name.bytes().all(is_token) {
        let message = "A header's name has letters, digits and dashes, for example X-Merchant-Id.";
        return Some(message.to_owned());
    }
    let name = row.name.to_ascii_lowercase();
    if name == "authorization" {
        let message = "With Auth Method None, Authorization is made of values, for example Bearer {secret.key}; Basic makes it itself.";
        return (!makes_authorization).then(|| message.to_owned());
    }
    RESERVED_HEADERS.contains(&&*name).then(|| {
        format!(
            "{} is set by the request itself; leave this row out.",
            row.name
        )
    })
}

/// [RFC 9110 §5.5](https://www.rfc-editor.org/rfc/rfc9110#section-5.5): a value is visible text.
fn header_value_problem(value: &str, scope: &Scope) -> Option<String> {
    let template = Template::parse(value);
    let checked = template.and_then(|template| template.check(Place::Header, scope));
    if let Err(error) = checked {
        return Some(sentence(&error));
    }
    (!value.is_ascii()).then(|| "A header's value has only ASCII characters.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway() -> GatewayConfig {
        serde_json::from_value(serde_json::json!({
            "service_url": "https://gateway.example:8443/pay?v=2",
            "success_key": "result",
            "success_value": "ok",
        }))
        .unwrap()
    }

    fn row(name: &str, value: &str) -> Mapping {
        Mapping {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn fields(gateway: &GatewayConfig) -> Vec<String> {
        let problems = gateway.problems(PaymentType::Card);
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn only_https_urls_with_a_host_and_nothing_secret_are_taken() {
        for url in [
            "https://gateway.example",
            "https://gateway.example:8443/pay?a=b",
            "HTTPS://192.0.2.7/x",
            "https://[2001:db8::1]/x",
            "https://gateway.example/{payment.reference}?c={payment.currency_num}",
        ] {
            let config = GatewayConfig {
                service_url: url.to_owned(),
                ..gateway()
            };
            assert!(fields(&config).is_empty(), "{url}");
        }
        for url in [
            "",
            "gateway.example/pay",
            "http://gateway.example/pay",
            "ftp://gateway.example",
            "https:gateway.example",
            "https:\\\\gateway.example",
            "https://",
            "https:///pay",
            "https://user@gateway.example/",
            "https://user:word@gateway.example/",
            "https://gateway.example/#top",
            "https://gateway.example/{card.number}",
            "https://gateway.example/{secret.key}",
            "https://{payment.reference}.example/",
            "https://gateway.example/a b",
            "https://gateway.example/\r\nX: y",
        ] {
            let config = GatewayConfig {
                service_url: url.to_owned(),
                ..gateway()
            };
            assert_eq!(fields(&config), ["service_url"], "{url}");
        }
    }

    #[test]
    fn success_key_and_value_are_needed() {
        let config = GatewayConfig {
            success_key: " ".to_owned(),
            success_value: String::new(),
            ..gateway()
        };
        assert_eq!(fields(&config), ["success_key", "success_value"]);
    }

    #[test]
    fn timeouts_stay_in_their_ranges() {
        for (connection, read, wrong) in [
            (100, 1_000, 0),
            (60_000, 120_000, 0),
            (99, 999, 2),
            (60_001, 120_001, 2),
        ] {
            let config = GatewayConfig {
                connection_timeout_ms: connection,
                read_timeout_ms: read,
                ..gateway()
            };
            assert_eq!(fields(&config).len(), wrong, "{connection} {read}");
        }
    }

    #[test]
    fn basic_needs_a_user_name_without_a_colon() {
        for (name, wrong) in [("merchant", 0), ("", 1), ("a:b", 1), ("a\r\n", 1)] {
            let config = GatewayConfig {
                auth_method: AuthMethod::Basic,
                auth_user_name: name.to_owned(),
                ..gateway()
            };
            assert_eq!(fields(&config).len(), wrong, "{name:?}");
        }
    }

    #[test]
    fn a_request_is_never_plain_text() {
        let config = GatewayConfig {
            request_type: ContentType::Text,
            response_type: ContentType::Text,
            ..gateway()
        };
        assert_eq!(fields(&config), ["request_type"]);
    }

    #[test]
    fn parameters_take_paths_and_known_tokens() {
        let rows = vec![
            row("a.b[0].c", "{card.number}"),
            row("payment_method_data[card][cvc]", "{card.security_code}"),
            row("@version", "1.4"),
            row("order", "{payment.reference}-{form.lastName}"),
        ];
        let config = GatewayConfig {
            request_params: rows,
            ..gateway()
        };
        assert!(fields(&config).is_empty());
    }

    #[test]
    fn wrong_parameters_are_named_by_row_and_column() {
        let rows = vec![
            row("", "x"),
            row("a b", "x"),
            row("x", "{card.cvvv}"),
            row("ok", "y"),
            row("OK", "z"),
            row("acct", "{check.account_number}"),
            row("n", "a\nb"),
        ];
        let config = GatewayConfig {
            request_params: rows,
            ..gateway()
        };
        assert_eq!(
            fields(&config),
            [
                "request_params[0].name",
                "request_params[1].name",
                "request_params[2].value",
                "request_params[4].name",
                "request_params[5].value",
                "request_params[6].value",
            ]
        );
    }

    #[test]
    fn headers_never_carry_captured_values() {
        let not_here = |name: &str| name.starts_with("{check.") || name.starts_with("{body.");
        let all = crate::gateway::Variable::fixed();
        for variable in all.filter(|one| !not_here(&one.to_string())) {
            let config = GatewayConfig {
                request_headers: vec![row("X-Value", &variable.to_string())],
                ..gateway()
            };
            assert_eq!(
                fields(&config).is_empty(),
                !variable.is_sensitive(),
                "{variable}"
            );
        }
    }

    #[test]
    fn reserved_and_broken_headers_are_refused() {
        for name in [
            "Host",
            "content-length",
            "Transfer-Encoding",
            "COOKIE",
            "Authorization",
            "Connection",
            "X Y",
            "X:Y",
            "",
            "X\r\nY",
        ] {
            let config = GatewayConfig {
                request_headers: vec![row(name, "v")],
                ..gateway()
            };
            assert_eq!(fields(&config), ["request_headers[0].name"], "{name}");
        }
        let config = GatewayConfig {
            request_headers: vec![row("X-A", "v\r\nX-B: w"), row("X-C", "ü")],
            ..gateway()
        };
        assert_eq!(
            fields(&config),
            ["request_headers[0].value", "request_headers[1].value"]
        );
    }

    #[test]
    fn a_mapping_has_a_bounded_number_of_rows() {
        let config = GatewayConfig {
            request_params: (0..=MAPPINGS_MAX)
                .map(|n| row(&format!("p{n}"), "v"))
                .collect(),
            ..gateway()
        };
        assert_eq!(fields(&config), ["request_params"]);
    }
}
