//! Answers of real gateways, as `vectors/answers` has them: a file for each gateway, with what its configuration says about answers.

use std::collections::BTreeMap;
use std::path::Path;

use domain::capture::fixtures::CARDS;
use domain::gateway::GatewayConfig;
use domain::gateway::trial::{GatewayTrials, Judgement, Pasted};
use domain::payment::Outcome;
use serde::Deserialize;

use crate::charges::{card_charge, client, post};
use crate::server::{Server, reply};

/// A card that no answer names.
const NUMBER: &str = CARDS[1].number;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    gateway: toml::Table,
    answers: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    status: u16,
    /// The body begins with a byte order mark.
    #[serde(default)]
    bom: bool,
    body: String,
    outcome: Outcome,
    message: String,
    outputs: BTreeMap<String, String>,
}

impl Vectors {
    fn config(&self, service_url: &str) -> GatewayConfig {
        let mut gateway = serde_json::to_value(&self.gateway).unwrap();
        gateway["service_url"] = service_url.into();
        serde_json::from_value(gateway).unwrap()
    }
}

impl Vector {
    fn body(&self) -> String {
        let mark = if self.bom { "\u{feff}" } else { "" };
        format!("{mark}{}", self.body)
    }
}

/// All files by their names.
fn all() -> Vec<(String, Vectors)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/answers");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |file: &std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let vectors = toml::from_str(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        (name, vectors)
    };
    files.iter().map(read).collect()
}

fn judged(gateway: &GatewayConfig, vector: &Vector) -> Judgement {
    let pasted = Pasted {
        status: vector.status,
        content_type: "",
        body: &vector.body(),
    };
    client(&[]).judge(gateway, &pasted, true)
}

fn outputs(pairs: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().collect()
}

#[test]
fn each_gateway_has_answers_and_a_configuration_that_is_taken() {
    let files = all();
    let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
    let expected = [
        "adyen-card",
        "authorizenet-json-card",
        "cardpointe-card",
        "converge-card",
        "cybersource-card",
        "flat-json-twilio-contract",
        "flat-json",
        "nmi-card",
        "nmi-check",
        "payflow-card",
        "stripe-card",
        "usaepay-card",
        "worldpay-xml-card",
    ];
    assert_eq!(names, expected);
    for (name, vectors) in files {
        assert!(!vectors.answers.is_empty(), "{name} has no answers");
        let config = vectors.config("https://gateway.example/");
        let problems = config.problems(domain::capture::PaymentType::Card);
        assert_eq!(problems, [], "{name}");
    }
}

#[test]
fn every_answer_is_judged_as_stated() {
    for (name, vectors) in all() {
        let config = vectors.config("https://gateway.example/");
        for vector in &vectors.answers {
            let judged = judged(&config, vector);
            let found = judged
                .outputs
                .iter()
                .map(|one| (one.name.clone(), one.value.clone()));
            assert_eq!(
                (judged.outcome, &judged.message, outputs(found)),
                (vector.outcome, &vector.message, vector.outputs.clone()),
                "{name}: {}, by {:?}",
                vector.name,
                judged.rule
            );
        }
    }
}

#[tokio::test]
async fn every_answer_amounts_to_the_same_when_it_comes_from_a_server() {
    for (name, vectors) in all() {
        for vector in &vectors.answers {
            let server = Server::start(reply(vector.status, "", vector.body().as_bytes())).await;
            let charge = card_charge(vectors.config(&server.url()), NUMBER);
            let answer = post(&server, charge).await;
            let answer = answer.map_err(|not_sent| not_sent.detail).unwrap();
            assert_eq!(
                (
                    answer.verdict.outcome,
                    &answer.message,
                    outputs(answer.outputs)
                ),
                (vector.outcome, &vector.message, vector.outputs.clone()),
                "{name}: {}",
                vector.name
            );
        }
    }
}
