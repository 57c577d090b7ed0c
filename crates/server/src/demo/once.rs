//! `tonewall demo --once`: one Advanced card payment from the first ring to the ledger.
//! Owns: the script, and the report with what must be true.
//! Never: looks into the server where a page or a phone can tell.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::Demo;
use super::client::Client;

/// A step that takes longer than this has failed.
const STEP_MAX: Duration = Duration::from_secs(20);

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// As long as a hurried agent needs for a prompt.
const PROMPT: Duration = Duration::from_millis(800);

/// What became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    outcome: String,
    captured: BTreeMap<String, String>,
    recoverable_digits_agent: u64,
    recoverable_digits_recording: u64,
    event_packets_agent: u64,
    heard_agent_ms: u64,
    heard_recording_ms: u64,
    gateway_charges: usize,
    reference: String,
    message: String,
    seconds: f64,
}

impl Report {
    pub(crate) fn is_as_it_must_be(&self) -> bool {
        let clean = self.recoverable_digits_agent == 0
            && self.recoverable_digits_recording == 0
            && self.event_packets_agent == 0;
        let heard = self.heard_agent_ms > 2_000 && self.heard_recording_ms > 2_000;
        let obtained =
            self.captured.len() == 3 && self.captured.values().all(|state| state == "obtained");
        self.outcome == "approved" && obtained && clean && heard && self.gateway_charges == 1
    }
}

pub(super) async fn play(demo: &Demo) -> Result<Report> {
    let began = Instant::now();
    let mut stage = Client::new(demo.place.control);
    let mut page = Client::new(demo.server.web);
    let password = demo
        .seeded
        .passwords
        .get("agent")
        .context("the demonstration has no agent")?;
    page.log_in("agent", password).await?;
    until("the agent's phone registers", async || {
        let state = stage.get("/control/state").await?;
        Ok((state["agents"][0]["registered"] == true).then_some(()))
    })
    .await?;
    stage.post("/control/call", &json!({})).await?;
    let call = until("the call is connected", async || {
        let calls = page.get("/api/v1/calls").await?;
        let call = calls["calls"]
            .as_array()
            .and_then(|calls| calls.first().cloned());
        Ok(call.filter(|call| call["state"] == "connected"))
    })
    .await?;
    let capture = open(&mut page, &call).await?;
    key_all(&mut stage, &mut page, &capture).await?;
    let captured = fields(&page.get(&capture).await?);
    let form = json!({
        "amount": "120.50",
        "currency": "USD",
        "values": { "firstName": "Jane", "lastName": "Roe", "reference": "INV-2291" },
    });
    let key = format!("{:032x}", rand::random::<u128>());
    page.post_once(&format!("{capture}/process"), &form, &key)
        .await?;
    let ended = until("the payment has an outcome", async || {
        let view = page.get(&capture).await?;
        Ok(
            (!view["payment"]["outcome"].is_null() || !view["payment"]["not_sent"].is_null())
                .then_some(view),
        )
    })
    .await?;
    // The mask is left a moment after the outcome; what is heard until then counts too.
    tokio::time::sleep(Duration::from_millis(700)).await;
    stage.post("/control/hang-up", &json!({})).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    report(demo, &mut stage, captured, &ended, began).await
}

/// Opens the first Advanced card widget; yields the capture's path.
async fn open(page: &mut Client, call: &Value) -> Result<String> {
    let buttons = call["buttons"]
        .as_array()
        .context("the call has no buttons")?;
    let button = buttons
        .iter()
        .find(|button| button["kind"] == "credit_card_advanced");
    let button = button.context("no button for Credit Card Advanced")?;
    let path = format!("/api/v1/calls/{}/captures", text(&call["id"]));
    let capture = page
        .post(&path, &json!({ "widget": button["widget"] }))
        .await?;
    let path = format!("/api/v1/captures/{}", text(&capture["id"]));
    until("the line is protected", async || {
        let view = page.get(&path).await?;
        match text(&view["state"]).as_str() {
            "arming" => Ok(None),
            "armed" | "collecting" => Ok(Some(())),
            other => bail!("the capture is {other}: {}", text(&view["reason"])),
        }
    })
    .await?;
    page.post(
        &format!("{path}/actions"),
        &json!({ "do": "listen", "field": "card_number" }),
    )
    .await?;
    Ok(path)
}

async fn key_all(stage: &mut Client, page: &mut Client, capture: &str) -> Result<()> {
    for (part, field) in [
        ("number", "card_number"),
        ("expiry", "expiry"),
        ("code", "security_code"),
    ] {
        until(&format!("{field} listens"), async || {
            let view = page.get(capture).await?;
            Ok((view["listening"] == field).then_some(()))
        })
        .await?;
        // The agent reads the prompt out; keys that come on the heels of the last field would be taken for its tail.
        tokio::time::sleep(PROMPT).await;
        stage
            .post(
                "/control/key-card",
                &json!({ "card": "mastercard", "field": part }),
            )
            .await?;
        until(&format!("{field} is obtained"), async || {
            let view = page.get(capture).await?;
            let rows = fields(&view);
            match rows.get(field).map(String::as_str) {
                Some("obtained") => Ok(Some(())),
                Some("invalid") => bail!("{field} is invalid: {view}"),
                _ => Ok(None),
            }
        })
        .await?;
    }
    Ok(())
}

fn fields(view: &Value) -> BTreeMap<String, String> {
    let rows = view["fields"].as_array().into_iter().flatten();
    rows.map(|row| (text(&row["field"]), text(&row["state"])))
        .collect()
}

async fn report(
    demo: &Demo,
    stage: &mut Client,
    captured: BTreeMap<String, String>,
    ended: &Value,
    began: Instant,
) -> Result<Report> {
    let heard = stage.get("/control/heard").await?;
    let agent = &heard["agents"][0]["heard"];
    let ledger = stage.get("/control/ledger").await?;
    let charged = |rows: &Vec<Value>| rows.iter().filter(|row| row["status"] == "charged").count();
    let (recording_finds, recording_ms) = demo.tap.judge_newest();
    let payment = &ended["payment"];
    let outcome = if payment["outcome"].is_null() {
        &payment["not_sent"]
    } else {
        &payment["outcome"]
    };
    let number = |value: &Value| value.as_u64().unwrap_or(u64::MAX);
    Ok(Report {
        outcome: text(outcome),
        captured,
        recoverable_digits_agent: number(&agent["recoverable_digits"]),
        recoverable_digits_recording: u64::try_from(recording_finds).unwrap_or(u64::MAX),
        event_packets_agent: number(&agent["event_packets"]),
        heard_agent_ms: agent["audio_ms"].as_u64().unwrap_or(0),
        heard_recording_ms: u64::try_from(recording_ms).unwrap_or(0),
        gateway_charges: ledger["rows"].as_array().map_or(0, charged),
        reference: text(&payment["reference"]),
        message: text(&payment["message"]),
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    })
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Looks until there is something, or too long.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let give_up = Instant::now() + STEP_MAX;
    loop {
        if let Some(found) = look().await.with_context(|| what.to_owned())? {
            return Ok(found);
        }
        if Instant::now() > give_up {
            bail!("waited {} s in vain until {what}", STEP_MAX.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
