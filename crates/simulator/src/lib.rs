//! A consumer's phone, an agent's phone and a scripted sandbox gateway.
//! Owns: calls and answers that look like the real world to the server.
//! Never: runs inside the server process.
//! Start reading at: `simulation`.

mod cards;
mod control;
pub mod phone;
pub mod sandbox;
mod simulation;

pub use cards::{CARDS, Part, TestCard};
pub use control::{PageFile, PageSource};
pub use simulation::{
    AgentPhone, GatewayPlace, GatewayPlan, PhoneFiles, PhoneWays, RunningStage, Shown, Simulation,
    SimulationError, StagePlace, StagePlan,
};
