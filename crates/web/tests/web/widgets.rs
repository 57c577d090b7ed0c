//! Widgets from the editor's document to an agent's desktop.

use std::collections::BTreeSet;

use domain::access::Role;
use domain::capture::WidgetKind;
use serde_json::{Value, json};

use crate::configuration::{administrator, form};
use crate::support::{Browser, House, PASSWORD, desktop, user};

const ALL: [WidgetKind; 4] = WidgetKind::ALL;

fn prompts(kind: WidgetKind) -> Vec<Value> {
    let prompt = |field| json!({"field": field, "text": "Please key it now.\nThen wait."});
    kind.fields().iter().map(prompt).collect()
}

/// A whole widget of a kind, as the editor sends it.
pub(crate) fn widget(kind: WidgetKind, title: &str) -> Value {
    let is_card = matches!(
        kind,
        WidgetKind::CreditCardBasic | WidgetKind::CreditCardAdvanced
    );
    let card_types = if is_card { json!(["visa"]) } else { json!([]) };
    let mut widget = json!({
        "kind": kind, "title": title, "enabled": true, "prompts": prompts(kind), "card_types": card_types,
    });
    if kind.is_advanced() {
        let number = if is_card {
            "{card.number}"
        } else {
            "{check.account_number}"
        };
        widget["gateway"] = gateway(number);
        widget["gateway_password"] = json!("gateway-canary");
    }
    widget
}

/// Nothing in it is as it would be by default.
fn gateway(number: &str) -> Value {
    json!({
        "service_url": "https://gateway.example/charge?merchant=7",
        "success_key": "result.status",
        "success_value": "APPROVED",
        "agent_message_key": "result.text",
        "request_params": [{"name": "number", "value": number}, {"name": "terminal", "value": "T 7"}],
        "send_standard_parameters": false,
        "auth_method": "basic",
        "auth_user_name": "merchant",
        "connection_timeout_ms": 2_500,
        "read_timeout_ms": 9_000,
        "request_type": "application/x-www-form-urlencoded",
        "response_type": "text/plain",
        "request_headers": [{"name": "X-Merchant", "value": "ACME"}],
        "missing_key": "declined",
    })
}

/// Saves these widgets as the whole desktop.
pub(crate) async fn save(administrator: &Browser, widgets: Vec<Value>) -> Value {
    let mut form = form(administrator).await;
    form["widgets"] = json!(widgets);
    let saved = administrator.put("/desktops/sales", form).await;
    assert_eq!(saved.status, 200, "{}", saved.text());
    saved.json()
}

/// Kinds of the widgets that the agent has.
async fn kinds_of(agent: &Browser) -> Vec<Value> {
    let mine = agent.get("/me/desktop").await.json();
    let widgets = mine["widgets"].as_array().unwrap().clone();
    widgets
        .iter()
        .map(|widget| widget["kind"].clone())
        .collect()
}

async fn enabled_turns_it_on(kind: WidgetKind) {
    let house = House::new().await;
    let (administrator, agent) = (
        administrator(&house).await,
        house.logged_in(Role::Agent).await,
    );
    let mut form = widget(kind, "Payment");
    save(&administrator, vec![form.clone()]).await;
    assert_eq!(kinds_of(&agent).await, [json!(kind)]);
    form["enabled"] = json!(false);
    save(&administrator, vec![form]).await;
    assert_eq!(kinds_of(&agent).await, Vec::<Value>::new());
    let gate = agent.get("/me/desktop").await.json()["gate"].clone();
    assert_eq!(gate, "widget_disabled");
}

#[tokio::test]
async fn w3_p11_enabled_turns_a_credit_card_basic_on() {
    enabled_turns_it_on(WidgetKind::CreditCardBasic).await;
}

#[tokio::test]
async fn w15_p11_enabled_turns_a_check_basic_on() {
    enabled_turns_it_on(WidgetKind::CheckBasic).await;
}

#[tokio::test]
async fn w22_p11_enabled_turns_a_credit_card_advanced_on() {
    enabled_turns_it_on(WidgetKind::CreditCardAdvanced).await;
}

#[tokio::test]
async fn w56_p11_enabled_turns_a_check_advanced_on() {
    enabled_turns_it_on(WidgetKind::CheckAdvanced).await;
}

#[tokio::test]
async fn p12_basic_or_advanced_is_what_was_configured_for_card_and_check_each() {
    let house = House::new().await;
    let (administrator, agent) = (
        administrator(&house).await,
        house.logged_in(Role::Agent).await,
    );
    for card in [WidgetKind::CreditCardBasic, WidgetKind::CreditCardAdvanced] {
        for check in [WidgetKind::CheckBasic, WidgetKind::CheckAdvanced] {
            let widgets = vec![widget(card, "Card"), widget(check, "Check")];
            save(&administrator, widgets).await;
            assert_eq!(kinds_of(&agent).await, [json!(card), json!(check)]);
        }
    }
    let both = ALL.map(|kind| widget(kind, &format!("{kind:?}")));
    save(&administrator, both.to_vec()).await;
    assert_eq!(kinds_of(&agent).await, ALL.map(|kind| json!(kind)));
}

#[tokio::test]
async fn p14_another_desktop_has_widgets_of_its_own_or_none() {
    let house = House::new().await;
    let mut without = desktop("billing");
    without.name = "Billing".to_owned();
    without.widgets.clear();
    house.rooms.add_desktop(without);
    let mut lee = user(7, Role::Agent);
    lee.name = "lee".to_owned();
    lee.desktop = Some("billing".parse().unwrap());
    house.rooms.add_user(lee);
    let anna = house.logged_in(Role::Agent).await;
    let mut lee = house.browser();
    assert_eq!(lee.log_in("lee", PASSWORD).await.status, 200);
    assert_eq!(kinds_of(&anna).await, [json!("credit_card_advanced")]);
    assert_eq!(kinds_of(&lee).await, Vec::<Value>::new());
    assert_eq!(lee.get("/me/desktop").await.json()["gate"], "no_widget");
}

#[tokio::test]
async fn w39_everything_of_a_gateway_is_read_as_it_was_saved() {
    for kind in [WidgetKind::CreditCardAdvanced, WidgetKind::CheckAdvanced] {
        let house = House::new().await;
        let administrator = administrator(&house).await;
        let form = widget(kind, "Payment");
        let gateway = form["gateway"].clone();
        save(&administrator, vec![form]).await;
        let again = administrator.get("/desktops/sales").await.json();
        let stored = again["desktop"]["widgets"][0].clone();
        for (name, value) in gateway.as_object().unwrap() {
            assert_eq!(&stored["gateway"][name], value, "{name}");
        }
        assert_eq!(stored["prompts"], json!(prompts(kind)));
        assert_eq!(again["passwords_set"].as_array().unwrap().len(), 1);
        assert!(!again.to_string().contains("gateway-canary"));
    }
}

/// Every name that a body of the agent's routes may have. Another one is to be thought about: it may be a place for a digit. A telephone number is one: what
/// may be a card's is no `number` (dial.rs).
const AGENTS_WORDS: [&str; 30] = [
    "agent",
    "by",
    "call",
    "name",
    "take_away",
    "widget",
    "kind",
    "do",
    "field",
    "amount",
    "currency",
    "fee",
    "values",
    "key",
    "on",
    "to",
    "discard",
    "agreed",
    "surface",
    "media_type",
    "part",
    "chunks",
    "at_ms",
    "why",
    "instance",
    "take_over",
    "answer",
    "offer",
    "number",
    "service",
];

#[tokio::test]
async fn p5_s14_no_request_has_a_place_for_a_card_digit() {
    let document = serde_json::to_value(web::document()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_agents = ["/calls", "/captures", "/phone"];
        if is_agents.iter().any(|start| path.starts_with(start)) {
            for operation in item.as_object().unwrap().values() {
                names_in(&document, &operation["requestBody"], &mut names);
            }
        }
    }
    assert!(names.contains("widget") && names.contains("do") && names.contains("amount"));
    for name in &names {
        assert!(AGENTS_WORDS.contains(&name.as_str()), "{name}");
    }
    // What an agent keys towards the line is one key at a time, and goes into no capture.
    let keyed = &document["components"]["schemas"]["KeyForm"]["properties"]["key"];
    assert_eq!(keyed["pattern"], "^[0-9*#]$");
    let house = House::new().await;
    let agent = house.logged_in(Role::Agent).await;
    for body in [
        json!({"do": "listen", "field": "card_number", "digits": "4111111111111111"}),
        json!({"do": "key", "field": "card_number", "value": "4111111111111111"}),
        json!({"do": "obtained", "field": "card_number"}),
    ] {
        let reply = agent
            .post("/captures/capture-1/actions", body.clone())
            .await;
        assert_eq!(reply.status, 400, "{body} {}", reply.text());
    }
}

/// Names of properties below a schema, through its references.
pub(crate) fn names_in(document: &Value, schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return names_in(document, &document["components"]["schemas"][name], names);
    }
    match schema {
        Value::Object(parts) => {
            for (name, part) in parts {
                if name == "properties" {
                    names.extend(part.as_object().unwrap().keys().cloned());
                }
                names_in(document, part, names);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                names_in(document, part, names);
            }
        }
        _ => {}
    }
}
