//! The rules of what is asked of a gateway in the sale's place and after it.
//! Owns: what is refused of an operation when a widget is saved, and what is known when one is made.
//! Never: has rules of its own for a request or a key: an operation's are the sale's.

use crate::capture::PaymentType;
use crate::gateway::variable::{Kind, Space};
use crate::gateway::{
    GatewayConfig, GatewayOperation, Key, Mapping, Method, OperationKind, Place, Scope, Template,
    Typed,
};
use crate::widget::DraftProblem;

use super::{steps, text_problem};

/// What is wrong with the operations.
pub(super) fn problems(config: &GatewayConfig, payment_type: PaymentType) -> Vec<DraftProblem> {
    let mut problems = Vec::new();
    for (kind, operation) in config.more.all_operations() {
        let Some(request) = config.of_operation(kind) else {
            continue;
        };
        let scope = match kind {
            OperationKind::Store => super::more::scope(config, payment_type).0.for_store(),
            OperationKind::Inquire
            | OperationKind::Void
            | OperationKind::Refund
            | OperationKind::Capture
            | OperationKind::Schedule => scope(config, payment_type, kind),
        };
        let mut found = request_problems(&request, operation, &scope);
        found.extend(method_problem(kind, operation));
        match kind {
            OperationKind::Store => found.extend(store_problems(config, operation)),
            OperationKind::Inquire
            | OperationKind::Void
            | OperationKind::Refund
            | OperationKind::Capture
            | OperationKind::Schedule => {
                found.extend(user_name_gone(&request, &scope));
                found.extend(charge_problem(&request));
            }
        }
        found.extend(request.answer_problems());
        found.extend(reference_problem(kind, operation, &request));
        let path = kind.path();
        problems.extend(found.into_iter().map(|one| named(one).under(&path)));
    }
    problems
}

/// What only a store can have wrong: that it sends nothing, or that nothing follows it by what it gives.
fn store_problems(config: &GatewayConfig, store: &GatewayOperation) -> Vec<DraftProblem> {
    let mut found = Vec::new();
    if store.request_params.is_empty() && store.body.is_empty() {
        let message = "A store sends the card or the account: write its parameters or its body.";
        found.push(DraftProblem::new("request_params", message));
    }
    let Some(schedule) = config.of_operation(OperationKind::Schedule) else {
        let message = "Nothing is charged by a store; say in more.operations.schedule how the gateway sets up what is due later.";
        found.push(DraftProblem::new("url", message));
        return found;
    };
    let gives = |name: &str| store.outputs.iter().any(|row| row.name == name);
    if let Some(name) = schedule.sale_names().iter().find(|name| !gives(name)) {
        let message = format!(
            "The schedule names {{sale.{name}}}, which after a store is taken of its answer; keep a {name} here, too."
        );
        found.push(DraftProblem::new("outputs", message));
    }
    found
}

/// Basic that cannot be made again.
fn user_name_gone(request: &GatewayConfig, scope: &Scope) -> Option<DraftProblem> {
    request.user_name_problem(scope)?;
    let message = "Basic goes along to this host, with a user name or a password that is made of what is gone after the sale.";
    Some(DraftProblem::new("url", message))
}

/// What an operation knows: of what the configuration computes and of what steps give, that which can be made again.
fn scope(config: &GatewayConfig, payment_type: PaymentType, kind: OperationKind) -> Scope {
    let more = &config.more;
    let mut scope = Scope::of_operation(payment_type, kind);
    for row in &more.constants {
        scope.define_text(Space::Constant, &row.name);
    }
    for name in &more.secrets {
        scope.define_text(Space::Secret, name);
    }
    for row in &more.outputs {
        scope.define_text(Space::Sale, &row.name);
    }
    define_known(&mut scope, Space::Let, Place::Let, &more.variables);
    for step in &more.steps {
        let request = config.of_step(step);
        let is_known = request.texts_problems(&scope).is_empty();
        for output in &step.extract {
            let name = step.full_name(output);
            let typed = Typed {
                kind: Kind::Text,
                is_secret: !output.public,
            };
            match is_known {
                true => drop(scope.define(Space::Step, &name, typed)),
                false => scope.define_gone(Space::Step, &name),
            }
        }
    }
    define_known(&mut scope, Space::Sign, Place::Sign, &more.signature);
    scope
}

/// Defines computed values, but those that are made of what is gone.
fn define_known(scope: &mut Scope, space: Space, place: Place, rows: &[Mapping]) {
    for row in rows {
        let text = Template::parse_lines(&row.value);
        match text.and_then(|text| text.check(place, scope)) {
            Ok(typed) => drop(scope.define(space, &row.name, typed)),
            Err(_) => scope.define_gone(space, &row.name),
        }
    }
}

fn request_problems(
    request: &GatewayConfig,
    operation: &GatewayOperation,
    scope: &Scope,
) -> Vec<DraftProblem> {
    let mut found = Vec::from_iter(steps::url_problem(request, &operation.url, scope));
    for (field, text, least) in [
        ("success_key", &operation.success_key, 1),
        ("success_value", &operation.success_value, 1),
        ("agent_message_key", &operation.agent_message_key, 0),
    ] {
        found.extend(text_problem(field, text, least));
    }
    found.extend(request.param_problems(scope));
    if !request.request_params.is_empty() {
        found.extend(request.type_problem());
    }
    found.extend(request.header_problems(scope));
    found.extend(super::more::body_problems(request, scope));
    found
}

/// [RFC 9110 §9.3.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.1): a GET changes nothing, and what stands in its body has no meaning.
fn method_problem(kind: OperationKind, operation: &GatewayOperation) -> Option<DraftProblem> {
    if operation.method != Method::Get {
        return None;
    }
    if kind != OperationKind::Inquire {
        let message = "GET is for inquiries; what changes a charge is asked with POST or PUT.";
        return Some(DraftProblem::new("method", message));
    }
    let has_body = !operation.request_params.is_empty() || !operation.body.is_empty();
    has_body.then(|| {
        let message = "A GET has no body; write its values into the URL, or ask with POST or PUT.";
        DraftProblem::new("method", message)
    })
}

/// What names no charge would be about any, or about none.
fn charge_problem(request: &GatewayConfig) -> Option<DraftProblem> {
    (!request.names_charge() && request.sale_names().is_empty()).then(|| {
        let message = "Name the charge in the URL, the parameters, the body or a header: with {payment.reference}, {payment.attempt}, or {sale.name} of what is kept of its answer.";
        DraftProblem::new("url", message)
    })
}

fn reference_problem(
    kind: OperationKind,
    operation: &GatewayOperation,
    request: &GatewayConfig,
) -> Option<DraftProblem> {
    let key = &operation.reference_key;
    match (kind, key.trim()) {
        (OperationKind::Inquire, "") => {
            let message = "Write the key at which the answer repeats {payment.reference}; without it another payment's answer would settle this one.";
            Some(DraftProblem::new("reference_key", message))
        }
        (
            OperationKind::Store
            | OperationKind::Void
            | OperationKind::Refund
            | OperationKind::Capture
            | OperationKind::Schedule,
            "",
        ) => None,
        (OperationKind::Store, _) => {
            let message = "The answer to a store is judged as the sale's, by its own key and conditions; leave this out.";
            Some(DraftProblem::new("reference_key", message))
        }
        (_, _) if matches!(Key::parse(key), Ok(Key::Status | Key::Header(_))) => {
            let message =
                "A reference is looked for in the body of the answer; write a key of that.";
            Some(DraftProblem::new("reference_key", message))
        }
        (_, _) => request.key_problem("reference_key", key),
    }
}

/// By the name that the field has in an operation.
fn named(problem: DraftProblem) -> DraftProblem {
    let own = problem.field.strip_prefix("more.").map(str::to_owned);
    DraftProblem {
        field: own.unwrap_or(problem.field),
        ..problem
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::gateway::{AuthMethod, More, Recovery};

    fn config() -> Value {
        json!({
            "service_url": "https://pay.example/v1/sale", "success_key": "status", "success_value": "ok",
            "auth_method": "basic", "auth_user_name": "{cfg.merchant}",
            "request_params": [{ "name": "card", "value": "{step.pm.id}" }],
            "request_headers": [{ "name": "X-Sign", "value": "{sign.typed}" }],
            "more": {
                "constants": [{ "name": "merchant", "value": "m1" }],
                "secrets": ["key"],
                "variables": [
                    { "name": "hash", "value": "{txn.nonce}{secret.key|sha256|hex}" },
                    { "name": "name", "value": "{billing.full_name}" },
                ],
                "signature": [
                    { "name": "typed", "value": "{let.name}{body.raw|sha256|hex}" },
                    { "name": "digest", "value": "{let.hash}{body.raw|hmac256:secret.key|hex}" },
                ],
                "steps": [
                    { "name": "login", "url": "https://login.example/token", "request_params": [{ "name": "k", "value": "{secret.key}" }],
                      "extract": [{ "name": "token", "value": "token" }, { "name": "shop", "value": "shop", "public": true }] },
                    { "name": "pm", "url": "/v1/methods", "request_params": [{ "name": "card", "value": "{card.number}" }],
                      "extract": [{ "name": "id", "value": "id", "public": true }] },
                ],
                "outputs": [{ "name": "transactionId", "value": "id" }],
                "operations": {
                    "inquire": { "url": "/v1/orders/{payment.reference}?shop={step.login.shop}", "method": "GET",
                        "success_key": "status", "success_value": "captured|settled", "success_value_meaning": "test",
                        "verdict": { "declined": ["status = declined"] },
                        "request_headers": [{ "name": "X-Token", "value": "{step.login.token}" }],
                        "reference_key": "order.reference" },
                    "void": { "url": "/v1/charges/{sale.transactionId}/void",
                        "success_key": "voided", "success_value": "true",
                        "request_headers": [{ "name": "X-Sign", "value": "{sign.digest}" }],
                        "body": "{\"key\":\"{payment.idempotency_key}\"}" },
                },
                "recovery": "inquire",
            },
        })
    }

    fn wrong(config: Value) -> Vec<(String, String)> {
        let config: GatewayConfig = serde_json::from_value(config).unwrap();
        let problems = config.problems(PaymentType::Card).into_iter();
        problems.map(|one| (one.field, one.message)).collect()
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut config = config();
        let (at, name) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(at).unwrap()[name] = value;
        config
    }

    #[test]
    fn an_operation_names_what_outlasts_the_sale() {
        assert_eq!(wrong(config()), []);
        let config: GatewayConfig = serde_json::from_value(config()).unwrap();
        let hosts = config.authorities();
        assert!(hosts.contains("login.example:443") && hosts.len() == 2);
        let inquiry = config.of_operation(OperationKind::Inquire).unwrap();
        assert!(inquiry.more.variables.is_empty() && inquiry.more.signature.is_empty());
        let names = |rows: &[Mapping]| Vec::from_iter(rows.iter().map(|row| row.name.clone()));
        let void = config.of_operation(OperationKind::Void).unwrap();
        assert_eq!(names(&void.more.variables), ["hash"]);
        assert_eq!(names(&void.more.signature), ["digest"]);
        let steps = |kind| {
            Vec::from_iter(
                config
                    .steps_of_operation(kind)
                    .into_iter()
                    .map(|(step, _)| &*step.name),
            )
        };
        assert_eq!(steps(OperationKind::Inquire), ["login"]);
        assert!(steps(OperationKind::Void).is_empty());
        assert_eq!(config.of_operation(OperationKind::Refund), None);
    }

    /// With this in its place, only this is said, and of this field.
    fn is_said(pointer: &str, value: Value, field: &str, said: &str) {
        let wrong = wrong(with(pointer, value));
        let [(at, message)] = wrong.as_slice() else {
            panic!("{pointer}: {wrong:?}");
        };
        assert!(at == field && message.starts_with(said), "{at}: {message}");
    }

    const VOID: &str = "/more/operations/void";

    #[test]
    fn what_is_gone_is_named_with_its_place() {
        for (member, value, field, said) in [
            (
                "url",
                json!("/v1/{sale.transactionId}/{card.last4}"),
                "url",
                "Character 26: {card.last4} is gone after the sale",
            ),
            (
                "url",
                json!("/v1/{sale.transactionId}/{form.lastName}"),
                "url",
                "Character 26: {form.lastName} is gone",
            ),
            (
                "url",
                json!("/v1/{sale.transactionId}/{step.pm.id}"),
                "url",
                "Character 26: {step.pm.id} is gone",
            ),
            (
                "url",
                json!("/v1/{sale.other}"),
                "url",
                "Character 5: {sale.other} is not defined",
            ),
            (
                "url",
                json!("v1/{sale.transactionId}"),
                "url",
                "Character 4: tokens stand in path and query only",
            ),
            (
                "body",
                json!("{\"n\":\"{let.name}\",\"t\":\"{sale.transactionId}\"}"),
                "body",
                "Character 7: {let.name} is gone",
            ),
            (
                "request_headers",
                json!([{ "name": "X-Sign", "value": "{sign.typed}" }]),
                "request_headers[0].value",
                "Character 1: {sign.typed} is gone",
            ),
            (
                "request_headers",
                json!([{ "name": "Host", "value": "x" }]),
                "request_headers[0].name",
                "Host is set",
            ),
        ] {
            let field = format!("more.operations.void.{field}");
            is_said(&format!("{VOID}/{member}"), value, &field, said);
        }
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_named_with_its_place() {
        for (member, value, field, said) in [
            ("success_key", json!(""), "success_key", "Write 1 to"),
            (
                "verdict",
                json!({ "declined": ["x"] }),
                "verdict.declined[0]",
                "Character",
            ),
            (
                "outputs",
                json!([{ "name": "a b", "value": "x" }]),
                "outputs[0].name",
                "An output's name",
            ),
            (
                "reference_key",
                json!("re:/(x)/"),
                "reference_key",
                "Character",
            ),
            ("method", json!("GET"), "method", "GET is for inquiries"),
        ] {
            let field = format!("more.operations.void.{field}");
            is_said(&format!("{VOID}/{member}"), value, &field, said);
        }
    }

    #[test]
    fn an_inquiry_is_about_one_charge() {
        const INQUIRE: &str = "/more/operations/inquire";
        for (member, value, field, said) in [
            (
                "reference_key",
                json!(" "),
                "reference_key",
                "Write the key at which",
            ),
            (
                "request_params",
                json!([{ "name": "a", "value": "b" }]),
                "method",
                "A GET has no body",
            ),
        ] {
            let field = format!("more.operations.inquire.{field}");
            is_said(&format!("{INQUIRE}/{member}"), value, &field, said);
        }
        let nobody = wrong(with("/more/operations/void/url", json!("/v1/void")));
        assert_eq!(nobody[0].0, "more.operations.void.url");
        assert!(nobody[0].1.starts_with("Name the charge"));
    }

    #[test]
    fn a_schedule_names_the_arrangement_and_no_other_operation_does() {
        let schedule = |amount: &str| {
            json!({ "url": "/v1/plans/{sale.transactionId}", "success_key": "status", "success_value": "ok",
                "request_params": [
                    { "name": "n", "value": "{arrangement.count}" }, { "name": "each", "value": amount },
                    { "name": "first", "value": "{arrangement.start_date|YYYYMMDD}" }, { "name": "owed", "value": "{arrangement.total|minor|int}" },
                    { "name": "unit", "value": "{arrangement.interval_unit}" } ] })
        };
        const SCHEDULE: &str = "/more/operations/schedule";
        assert_eq!(
            wrong(with(SCHEDULE, schedule("{form.arrangementAmount}"))),
            []
        );
        for gone in ["{billing.full_name}", "{card.last4}", "{payment.fee}"] {
            let field = "more.operations.schedule.request_params[1].value";
            let said = format!("Character 1: {gone} is gone after the sale");
            is_said(SCHEDULE, schedule(gone), field, &said);
        }
        let nobody = json!({ "url": "/v1/plans", "success_key": "status", "success_value": "ok", "body": "\"{arrangement.count}\"" });
        is_said(
            SCHEDULE,
            nobody,
            "more.operations.schedule.url",
            "Name the charge",
        );
        for name in ["{form.arrangementCount}", "{arrangement.interval_days}"] {
            let field = "more.operations.void.body";
            let said = format!("Character 2: {name} is gone after the sale");
            let body = json!(format!("\"{name}\""));
            is_said(&format!("{VOID}/body"), body, field, &said);
        }
    }

    /// With a store, and a schedule by what both answers give.
    fn storing() -> Value {
        let mut config = config();
        config["more"]["store"] = json!({
            "url": "/v1/vault/{payment.reference}", "success_key": "stored", "success_value": "true",
            "request_params": [
                { "name": "card", "value": "{card.number}" }, { "name": "method", "value": "{step.pm.id}" },
                { "name": "name", "value": "{let.name}" }, { "name": "amount", "value": "{payment.amount}" },
            ],
            "request_headers": [{ "name": "X-Sign", "value": "{sign.typed}" }],
            "outputs": [{ "name": "transactionId", "value": "vault_id" }],
        });
        config["more"]["operations"]["schedule"] = json!({
            "url": "/v1/plans/{sale.transactionId}", "success_key": "status", "success_value": "ok", "body": "\"{arrangement.count}\"",
        });
        config
    }

    /// With this in the store's place, only this is said, and of this field.
    fn is_said_of_store(member: &str, value: Value, field: &str, said: &str) {
        let mut config = storing();
        config["more"]["store"][member] = value;
        let wrong = wrong(config);
        let [(at, message)] = wrong.as_slice() else {
            panic!("{member}: {wrong:?}");
        };
        assert!(
            *at == format!("more.store.{field}") && message.starts_with(said),
            "{at}: {message}"
        );
    }

    #[test]
    fn a_store_is_written_as_the_sale_is() {
        assert_eq!(wrong(storing()), []);
        for (member, value, field, said) in [
            (
                "url",
                json!("/v1/{card.number}"),
                "url",
                "Character 5: {card.number} may stand in the body only",
            ),
            (
                "url",
                json!("http://pay.example/"),
                "url",
                "The URL begins with https",
            ),
            (
                "request_headers",
                json!([{ "name": "X-A", "value": "{card.security_code}" }]),
                "request_headers[0].value",
                "Character 1: {card.security_code} may stand in the body only",
            ),
            (
                "request_params",
                json!([{ "name": "a", "value": "{check.account_number}" }]),
                "request_params[0].value",
                "Character 1: {check.account_number} is not captured",
            ),
            (
                "request_params",
                json!([{ "name": "n", "value": "{arrangement.count}" }]),
                "request_params[0].value",
                "Character 1: {form.arrangementCount} is of what is due later",
            ),
            (
                "request_params",
                json!([{ "name": "id", "value": "{sale.transactionId}" }]),
                "request_params[0].value",
                "Character 1: {sale.transactionId} is not defined",
            ),
            (
                "request_params",
                json!([]),
                "request_params",
                "A store sends the card",
            ),
            ("method", json!("GET"), "method", "GET is for inquiries"),
            ("success_key", json!(""), "success_key", "Write 1 to"),
            (
                "reference_key",
                json!("order"),
                "reference_key",
                "The answer to a store is judged",
            ),
            (
                "outputs",
                json!([]),
                "outputs",
                "The schedule names {sale.transactionId}",
            ),
        ] {
            is_said_of_store(member, value, field, said);
        }
    }

    #[test]
    fn a_store_without_a_schedule_would_be_of_no_use() {
        let mut alone = storing();
        alone["more"]["operations"]["schedule"] = Value::Null;
        let wrong = wrong(alone);
        assert!(
            wrong.len() == 1
                && wrong[0].0 == "more.store.url"
                && wrong[0].1.contains("more.operations.schedule"),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_charge_takes_the_store_with_its_own_steps_and_no_inquiry() {
        let mut config: GatewayConfig = serde_json::from_value(storing()).unwrap();
        let of_login = Mapping {
            name: "shop".to_owned(),
            value: "{step.login.shop}".to_owned(),
        };
        config.more.signature.push(of_login);
        let store = config.for_store().unwrap();
        let signed = Vec::from_iter(store.more.signature.iter().map(|row| &*row.name));
        assert_eq!(signed, ["typed"], "others name what is not there");
        assert_eq!(store.more.variables, config.more.variables);
        assert!(store.service_url.ends_with("/v1/vault/{payment.reference}"));
        let steps = Vec::from_iter(store.more.steps.iter().map(|step| &*step.name));
        assert_eq!(steps, ["pm"], "the login is another's");
        assert_eq!(store.more.recovery, Recovery::None);
        assert_eq!(store.more.cases, []);
        assert!(!store.send_standard_parameters && store.more.store.is_none());
        let mut replayed = storing();
        replayed["more"]["recovery"] = json!("replay");
        let without_key: GatewayConfig = serde_json::from_value(replayed.clone()).unwrap();
        assert_eq!(
            without_key.for_store().unwrap().more.recovery,
            Recovery::None
        );
        replayed["more"]["store"]["request_headers"] =
            json!([{ "name": "Idempotency-Key", "value": "{payment.idempotency_key}" }]);
        let with_key: GatewayConfig = serde_json::from_value(replayed).unwrap();
        assert_eq!(
            with_key.for_store().unwrap().more.recovery,
            Recovery::Replay
        );
        let without = GatewayConfig {
            more: More::default(),
            ..config
        };
        assert_eq!(without.for_store(), None);
    }

    #[test]
    fn a_store_elsewhere_is_a_host_of_its_own_and_its_headers_are_veiled() {
        let mut elsewhere = storing();
        elsewhere["more"]["store"]["url"] = json!("https://vault.example/cards");
        let config: GatewayConfig = serde_json::from_value(elsewhere).unwrap();
        assert!(config.authorities().contains("vault.example:443"));
        assert_eq!(config.for_store().unwrap().auth_method, AuthMethod::None);
        let veiled = config.veiled().more.store.unwrap();
        assert!(
            veiled
                .request_headers
                .iter()
                .all(|row| row.value.is_empty())
        );
    }

    #[test]
    fn basic_goes_along_only_if_it_can_be_made_again() {
        let wrong = wrong(with("/auth_user_name", json!("{form.company}")));
        let fields = Vec::from_iter(wrong.iter().map(|(field, _)| &**field));
        assert_eq!(
            fields,
            ["more.operations.inquire.url", "more.operations.void.url"]
        );
    }

    #[test]
    fn a_sale_and_a_step_are_never_a_get() {
        for (pointer, field) in [
            ("/more/method", "more.method"),
            ("/more/steps/0/method", "more.steps[0].method"),
        ] {
            is_said(pointer, json!("GET"), field, "GET is for inquiries");
        }
    }

    #[test]
    fn recovery_asks_by_what_is_known_without_an_answer() {
        is_said(
            "/more/recovery",
            json!("void_by_reference"),
            "more.recovery",
            "The void names {sale.transactionId}",
        );
        is_said(
            "/more/operations",
            json!({}),
            "more.recovery",
            "Say in more.operations.inquire",
        );
        let by_attempt = json!("/v1/charges/{payment.attempt}/void");
        let mut config = with("/more/operations/void/url", by_attempt);
        config["more"]["recovery"] = json!("void_by_reference");
        assert_eq!(wrong(config), []);
    }
}
