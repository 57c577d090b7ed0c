//! `tonewall simulate`: the simulator's own process.
//! Owns: its two orders on stdin, its two answers on stdout; it ends when stdin does.
//! Never: opens the server's data.

use std::io::{self, BufRead, Write};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use simulator::{GatewayPlan, Simulation, StagePlan};

use crate::page;

/// Runs until stdin ends.
pub(crate) async fn run() -> Result<()> {
    let plan: GatewayPlan = read_line("what the gateway needs").await?;
    let simulation = Simulation::open(plan).await?;
    answer(&simulation.gateway())?;
    let plan: StagePlan = read_line("what the stage needs").await?;
    let stage = simulation.set_stage(plan, page::source()).await?;
    answer(stage.place())?;
    tokio::task::spawn_blocking(|| {
        let mut rest = String::new();
        while io::stdin()
            .lock()
            .read_line(&mut rest)
            .is_ok_and(|read| read > 0)
        {
            rest.clear();
        }
    })
    .await?;
    Ok(())
}

async fn read_line<T: DeserializeOwned + Send + 'static>(what: &'static str) -> Result<T> {
    tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            bail!("stdin ended before {what}; write one line of JSON, or use: tonewall demo");
        }
        serde_json::from_str(&line).with_context(|| format!("{what} cannot be read"))
    })
    .await?
}

fn answer(place: &impl Serialize) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(place)?)?;
    out.flush()?;
    Ok(())
}
