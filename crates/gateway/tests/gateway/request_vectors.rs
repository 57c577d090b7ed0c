//! What real gateways expect to get, byte for byte.
//!
//! `presets/` holds their configurations, `tests/vectors/requests/` what each must make of one fixture: bodies, hashes and signatures made independently of
//! this code from the gateways' public descriptions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::boundary::Charge;
use domain::capture::fixtures::CARDS;
use domain::capture::{Field, PaymentType, WidgetKind};
use domain::gateway::file::GatewayFile;
use domain::gateway::{GatewayConfig, Once};
use domain::money::{Currency, Money};
use domain::time::UnixMillis;
use secret::SecretText;
use serde::Deserialize;

use crate::charges::{charge, post};
use crate::server::{Act, Server, reply};

/// Mon, 23 Nov 2026 18:00:00 GMT
const AT: UnixMillis = UnixMillis(1_795_456_800_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    preset: String,
    kind: String,
    password: Option<String>,
    secrets: BTreeMap<String, String>,
    /// The calls before the sale.
    #[serde(default)]
    steps: Vec<StepVector>,
    request: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepVector {
    request: Expected,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    method: String,
    body: String,
    headers: BTreeMap<String, String>,
}

fn room(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn preset_file(id: &str) -> GatewayFile {
    let text = std::fs::read_to_string(room(&format!("presets/{id}.toml"))).unwrap();
    let read = gateway::read(&text).map_err(|problem| format!("{id}: {problem}"));
    read.unwrap().file
}

pub(crate) fn preset(id: &str) -> GatewayConfig {
    preset_file(id).gateway
}

pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(room(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn payment_type(kind: &str) -> PaymentType {
    match kind {
        "card" => PaymentType::Card,
        "check" => PaymentType::Check,
        other => panic!("{other} is no kind"),
    }
}

/// Names of all presets.
pub(crate) fn presets() -> Vec<String> {
    let name = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files("presets").iter().map(name).collect()
}

/// What a vector is about, sent to another place, with another card number than the published one.
pub(crate) fn charge_at(preset: &str, service_url: &str, number: &str) -> Charge {
    let vector: Vector = read(&room(&format!("tests/vectors/requests/{preset}.toml")));
    let mut gateway = self::preset(preset);
    service_url.clone_into(&mut gateway.service_url);
    fixture(&vector, gateway, number)
}

/// The fixture that every vector was made of.
fn fixture(vector: &Vector, gateway: GatewayConfig, number: &str) -> Charge {
    let (kind, keyed) = match payment_type(&vector.kind) {
        PaymentType::Card => (
            WidgetKind::CreditCardAdvanced,
            vec![
                (Field::CardNumber, number),
                (Field::Expiry, "0330"),
                (Field::SecurityCode, "123"),
            ],
        ),
        PaymentType::Check => (
            WidgetKind::CheckAdvanced,
            vec![
                (Field::RoutingNumber, "021000021"),
                (Field::AccountNumber, "123456789"),
            ],
        ),
    };
    let mut charge = charge(gateway, kind, &keyed);
    charge.reference = "pay-0001".to_owned();
    charge.password = vector.password.clone().map(SecretText::new);
    let secrets = vector.secrets.iter();
    charge.secrets = secrets
        .map(|(name, value)| (name.clone(), SecretText::new(value.clone())))
        .collect();
    charge.once = Once {
        at: AT,
        idempotency_key: "6f1c2d3e-0000-4000-8000-000000000001".to_owned(),
        nonce: "abcdefghijklmnop".to_owned(),
        digits: "46239876".to_owned(),
        uuid: "6f1c2d3e-0000-4000-8000-000000000002".to_owned(),
    };
    charge.form.amount = Money::parse("125.50", Currency::USD).unwrap();
    let values = [
        ("firstName", "Pat"),
        ("lastName", "Example"),
        ("address1", "1 Main St"),
        ("city", "Tulsa"),
        ("state", "OK"),
        ("postalCode", "74101"),
        ("country", "US"),
        ("phone", "9185550100"),
        ("email", "pat@example.com"),
        ("accountReference", "ACCT-778"),
        ("accountType", "checking"),
    ];
    charge.form.values = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    charge
}

/// Where the preset sends to, but on this machine.
fn here(server: &Server, service_url: &str) -> String {
    let (_, path) = service_url
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    format!("https://{}/{path}", server.host())
}

#[tokio::test]
async fn every_vector_is_rendered_byte_for_byte() {
    for name in presets() {
        let vector = vector(&name);
        assert_eq!(vector.preset, name);
        let server = answering(&name, reply(200, "", b"{}")).await;
        let mut gateway = preset(&vector.preset);
        gateway.service_url = here(&server, &gateway.service_url);
        if let Err(refused) = post(&server, fixture(&vector, gateway, CARDS[0].number)).await {
            panic!("{}: {}", vector.preset, refused.detail);
        }
        let steps = vector.steps.iter().map(|step| &step.request);
        let expected: Vec<&Expected> = steps.chain([&vector.request]).collect();
        let requests = server.requests();
        assert_eq!(requests.len(), expected.len(), "{name}");
        for (request, expected) in requests.iter().zip(expected) {
            is_as_expected(&name, request, expected);
        }
    }
}

fn is_as_expected(preset: &str, request: &str, expected: &Expected) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let wanted = expected.body.replace("<card number>", CARDS[0].number);
    assert_eq!(body, wanted, "{preset}");
    assert_eq!(head.split(' ').next(), Some(&*expected.method), "{preset}");
    for (name, value) in &expected.headers {
        let line = format!("\r\n{name}: {value}\r\n").to_ascii_lowercase();
        let head = format!("{}\r\n", head.to_ascii_lowercase());
        assert!(head.contains(&line), "{preset}: {name}\n{head}");
    }
}

fn vector(preset: &str) -> Vector {
    read(&room(&format!("tests/vectors/requests/{preset}.toml")))
}

/// A server that answers the steps of a preset as its vector says, and then so.
pub(crate) async fn answering(preset: &str, sale: Act) -> Server {
    let steps = vector(preset).steps.into_iter();
    let steps = steps.map(|step| reply(200, "", step.answer.as_bytes()));
    let acts = steps.chain([sale]).collect();
    Server::start(Act::InTurn(Arc::new(Mutex::new(acts)))).await
}

#[test]
fn every_preset_is_a_configuration_that_can_be_saved() {
    let names = presets();
    assert!(names.len() >= 17);
    for name in names {
        let kind = if name.ends_with("-check") {
            "check"
        } else {
            "card"
        };
        let problems = preset(&name).problems(payment_type(kind));
        assert_eq!(problems, [], "{name}");
    }
}
