//! Right bodies of gateways, with everything in them that may be.

use serde_json::{Value, json};

/// An operation that says no more than it has to.
fn short() -> Value {
    json!({"url": "/orders/{payment.reference}", "success_key": "state", "success_value": "done"})
}

/// Everything that can stand in an operation together.
fn operation() -> Value {
    let row = |name, value| json!([{"name": name, "value": value}]);
    json!({
        "url": "/orders/{payment.reference}",
        "method": "POST",
        "request_type": "application/json",
        "response_type": "application/json",
        "request_params": row("order", "{sale.transaction_id}"),
        "body": "",
        "request_headers": row("X-Api-Key", "{secret.key}"),
        "success_key": "state",
        "success_value": "done",
        "success_value_meaning": "test",
        "verdict": {
            "also": ["http:status = 200"],
            "unknown": ["code = 9"],
            "review": ["code = 4"],
            "declined": ["code = 2"],
            "error": ["code = 3"],
        },
        "agent_message_key": "text",
        "message_keys": ["error"],
        "outputs": row("void_id", "id"),
        "reference_key": "order.reference",
    })
}

/// Everything that can stand behind "More" together.
pub(crate) fn more() -> Value {
    let row = |name, value| json!([{"name": name, "value": value}]);
    json!({
        "method": "PUT",
        "request_format": "request_type",
        "body": "",
        "auth_password": "{let.hash}",
        "body_form_field": "",
        "content_type": "application/x-www-form-urlencoded; charset=utf-8",
        "constants": row("merchant", "M7"),
        "secrets": ["key"],
        "variables": row("hash", "{cfg.merchant|sha256|hex}"),
        "signature": row("digest", "{body.raw|sha256|b64}"),
        "steps": [{
            "name": "login",
            "url": "/token",
            "method": "POST",
            "request_type": "application/json",
            "response_type": "application/json",
            "request_params": row("grant_type", "client_credentials"),
            "body": "",
            "request_headers": row("X-Api-Key", "{secret.key}"),
            "extract": [{"name": "token", "value": "access_token", "public": true}],
            "require": ["token_type = Bearer"],
        }],
        "response_format": "response_type",
        "verdict": {
            "also": ["http:status = 200"],
            "unknown": ["code = 9"],
            "review": ["code = 4"],
            "declined": ["code = 2"],
            "error": ["code = 3"],
        },
        "message_keys": ["text"],
        "outputs": row("transaction_id", "id"),
        "recovery": "none",
        "connection": {"trust": "bank", "client_certificate": "shop", "proxy": "out"},
        "store": {
            "url": "/vault", "success_key": "state", "success_value": "done", "request_params": row("number", "{card.number}"),
        },
        "operations": {
            "inquire": operation(), "void": short(), "refund": short(), "capture": short(), "schedule": short(),
        },
        "cases": [{
            "name": "approved",
            "operation": "inquire",
            "status": 200,
            "headers": row("x-request", "7"),
            "body": "{}",
            "expected": {"outcome": "unknown", "message": "", "outputs": {"void_id": "t-1"}},
        }],
    })
}
