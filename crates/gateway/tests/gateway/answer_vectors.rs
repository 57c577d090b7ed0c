//! Answers of real gateways, as `vectors/answers` has them: a file for each preset, which judges them.

use std::collections::BTreeMap;

use domain::capture::fixtures::CARDS;
use domain::gateway::trial::{GatewayTrials, Judgement, Pasted};
use domain::gateway::{GatewayConfig, Recovery};
use domain::payment::Outcome;
use serde::Deserialize;

use crate::charges::{client, post};
use crate::request_vectors::{answering, charge_at, files, preset, presets};
use crate::server::reply;

/// A card that no answer names.
const NUMBER: &str = CARDS[1].number;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
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

impl Vector {
    fn body(&self) -> String {
        let mark = if self.bom { "\u{feff}" } else { "" };
        format!("{mark}{}", self.body)
    }
}

/// All files by their names.
fn all() -> Vec<(String, Vectors)> {
    let read = |file: std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let vectors = toml::from_str(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        (name, vectors)
    };
    files("tests/vectors/answers")
        .into_iter()
        .map(read)
        .collect()
}

fn judged(gateway: &GatewayConfig, vector: &Vector) -> Judgement {
    let pasted = Pasted {
        operation: None,
        status: vector.status,
        headers: &[],
        body: &vector.body(),
    };
    client(&[]).judge(gateway, &pasted, true).unwrap()
}

fn outputs(pairs: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().collect()
}

#[test]
fn every_preset_has_answers() {
    let files = all();
    let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
    assert_eq!(names, presets().iter().collect::<Vec<_>>());
    for (name, vectors) in &files {
        assert!(!vectors.answers.is_empty(), "{name} has no answers");
    }
}

#[test]
fn every_answer_is_judged_as_stated() {
    for (name, vectors) in all() {
        let config = preset(&name);
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
            let answer = reply(vector.status, "", vector.body().as_bytes());
            let server = answering(&name, answer).await;
            let mut charge = charge_at(&name, &server.url(), NUMBER);
            // One answer each.
            charge.gateway.more.recovery = Recovery::None;
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
