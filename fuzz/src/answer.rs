//! Answers of gateways, as each way to write them.

use domain::gateway::{AtKey, GatewayConfig, KeyFound, MissingKey, VerdictRule};

use crate::Taker;

/// The readers themselves, without the client round about them: its TLS would take longer to build than all else here.
#[path = "../../crates/gateway/src/reply/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "what shows or sends is not fuzzed"
)]
mod reply;

use reply::{Captured, Reading, Whole, read, scrubbed, scrubbed_value};

/// Success keys: a name, paths of all kinds, and what is no part of a body.
const KEYS: [&str; 8] = [
    "status",
    "a.b[0].c",
    "//b",
    "@c",
    "/r/a/@c",
    "..c",
    "http:status",
    "re:/(OK|NO)/",
];

/// Statuses whose lines of the table differ.
const STATUSES: [u16; 6] = [200, 302, 402, 401, 429, 502];

fn config(key: &str, response_type: &str, format: &str) -> GatewayConfig {
    serde_json::from_value(serde_json::json!({
        "service_url": "https://gateway.example/",
        "success_key": key,
        "success_value": "OK",
        "agent_message_key": "text",
        "response_type": response_type,
        "more": {
            "response_format": format,
            "message_keys": ["//error", "a.text"],
            "verdict": { "also": ["id exists"], "review": ["b = 4"], "declined": ["status != OK|HELD"], "error": ["b ~ ^E"] },
            "outputs": [{ "name": "id", "value": "id || a.id || @c" }, { "name": "b", "value": "//b" }],
        },
    }))
    .expect("the configuration is one")
}

/// Two bytes choose a key and a status; the rest is the body.
fn run(data: &[u8], response_type: &str, format: &str) {
    let mut taker = Taker(data);
    let key = KEYS[usize::from(taker.u8()) % KEYS.len()];
    let status = STATUSES[usize::from(taker.u8()) % STATUSES.len()];
    let config = config(key, response_type, format);
    let reading = reading(status, taker.0, &config);
    judge(&reading, status);
    let nothing = Captured::none();
    for text in reading
        .message
        .iter()
        .chain(reading.outputs.iter().map(|output| &output.text))
    {
        for shown in [
            scrubbed(&text.value, &nothing),
            scrubbed_value(&text.value, &nothing),
        ] {
            assert!(shown.chars().count() <= 200);
        }
    }
    find_again(&reading, status, taker.0, &config);
}

fn reading(status: u16, body: &[u8], config: &GatewayConfig) -> Reading {
    let headers = &[];
    let whole = Whole {
        status,
        headers,
        body,
    };
    read(&whole, config)
}

/// Approved is what S16 approves and nothing contradicts; what cannot be read shows nothing.
fn judge(reading: &Reading, status: u16) {
    let evidence = reading.evidence;
    let value = reading
        .success
        .as_ref()
        .and_then(|spot| spot.value.as_ref());
    if evidence.key == KeyFound::Equal {
        assert_eq!(value.map(|value| value.trim()), Some("OK"));
    }
    for missing_key in [MissingKey::Unknown, MissingKey::Declined] {
        let rule = reading.rule(missing_key);
        let approved = evidence.parsed && evidence.key == KeyFound::Equal && status == 200;
        match rule {
            VerdictRule::Approved => assert!(approved),
            _ => assert!(!approved || reading.decided(rule).is_some()),
        }
    }
    if !evidence.parsed {
        assert!(reading.success.is_none() && reading.message.is_none());
        assert!(reading.outputs.is_empty());
    }
}

/// A path that is shown is a key that finds the same place, if a person could write it.
fn find_again(reading: &Reading, status: u16, body: &[u8], config: &GatewayConfig) {
    let Some(spot) = &reading.success else { return };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/@[]".contains(c);
    let named = !spot.path.split(['.', '/']).skip(1).any(str::is_empty);
    if reading.evidence.key == KeyFound::Ambiguous || !named || !spot.path.chars().all(plain) {
        return;
    }
    let mut again = config.clone();
    again.success_key = spot.path.to_string();
    let again = reading_of(status, body, &again);
    assert_eq!(again.as_deref(), Some(spot.path.as_str()));
}

fn reading_of(status: u16, body: &[u8], config: &GatewayConfig) -> Option<String> {
    let reading = reading(status, body, config);
    reading.success.map(|spot| spot.path.to_string())
}

/// JSON.
pub fn json(data: &[u8]) {
    run(data, "application/json", "response_type");
}

/// XML.
pub fn xml(data: &[u8]) {
    run(data, "application/xml", "response_type");
}

/// Forms.
pub fn form(data: &[u8]) {
    run(data, "application/x-www-form-urlencoded", "response_type");
}

/// Plain text.
pub fn text(data: &[u8]) {
    run(data, "text/plain", "response_type");
}

/// Pairs that may tell their length; those that a writer made are read as they were.
pub fn name_value(data: &[u8]) {
    run(data, "application/json", "name_value");
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let clean = |c: &char| !c.is_ascii_control();
    let value: String = text.chars().filter(clean).collect();
    let body = format!("x=1&text[{}]={value}&status=OK", value.len());
    let config = config("status", "application/json", "name_value");
    let reading = reading(200, body.as_bytes(), &config);
    assert_eq!(reading.evidence.key, KeyFound::Equal);
    let message = reading.message.map(|text| text.value.to_string());
    assert_eq!(
        message.unwrap_or_default(),
        if value == "null" { "" } else { &*value }
    );
}

/// Lines of a configuration: read, or refused at a place of theirs; what is absent never fits.
pub fn condition(data: &[u8]) {
    use domain::gateway::{Condition, Key, Test};
    let text = String::from_utf8_lossy(data);
    let ends = text.chars().count() + 1;
    let read = Condition::parse(&text);
    if let Ok(condition) = &read {
        assert!(!condition.holds(AtKey::Absent) && !condition.holds(AtKey::Twice));
        let _either = condition.holds(AtKey::Text(&text));
    }
    let refused = [
        read.err(),
        Key::parse(&text).err(),
        Key::parse_all(&text).err(),
        Test::of_value(&text).err(),
    ];
    for misread in refused.into_iter().flatten() {
        assert!((1..=ends).contains(&misread.at) && !misread.allowed.is_empty());
    }
}
