//! The simulator as a child process.
//! Owns: its pipes, the two lines it is told and the two it answers.
//! Never: shares memory with it: scans of the server's memory mean something.

use std::io;
use std::process::Stdio;

use serde::Serialize;
use serde::de::DeserializeOwned;
use simulator::{GatewayPlace, GatewayPlan, StagePlace, StagePlan};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Why the simulator does not run.
#[derive(Debug, Error)]
pub(crate) enum ChildError {
    #[error("the simulator cannot be started")]
    Start(#[source] io::Error),
    #[error("the simulator does not answer")]
    Pipe(#[source] io::Error),
    #[error("the simulator ended; what it said stands above")]
    Ended,
    #[error("the simulator answered something else than expected")]
    BugAnswer(#[source] serde_json::Error),
}

/// A running simulator.
pub(crate) struct SimulatorProcess {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl SimulatorProcess {
    /// Starts this program again as a simulator.
    pub(crate) fn start() -> Result<Self, ChildError> {
        let program = std::env::current_exe().map_err(ChildError::Start)?;
        let mut child = Command::new(program)
            .arg("simulate")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(ChildError::Start)?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ChildError::Ended);
        };
        Ok(Self {
            child,
            orders,
            answers: BufReader::new(answers).lines(),
        })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) async fn open_gateway(
        &mut self,
        plan: &GatewayPlan,
    ) -> Result<GatewayPlace, ChildError> {
        self.ask(plan).await
    }

    pub(crate) async fn set_stage(&mut self, plan: &StagePlan) -> Result<StagePlace, ChildError> {
        self.ask(plan).await
    }

    /// Ends when the simulator does.
    pub(crate) async fn ended(&mut self) {
        let _status = self.child.wait().await;
    }

    async fn ask<T: DeserializeOwned>(&mut self, plan: &impl Serialize) -> Result<T, ChildError> {
        let mut line = serde_json::to_string(plan).map_err(ChildError::BugAnswer)?;
        line.push('\n');
        self.orders
            .write_all(line.as_bytes())
            .await
            .map_err(ChildError::Pipe)?;
        self.orders.flush().await.map_err(ChildError::Pipe)?;
        let answer = self
            .answers
            .next_line()
            .await
            .map_err(ChildError::Pipe)?
            .ok_or(ChildError::Ended)?;
        serde_json::from_str(&answer).map_err(ChildError::BugAnswer)
    }
}
