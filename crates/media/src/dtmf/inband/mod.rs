//! Keypad tones in the audio.
//! Owns: one analysis and three readers of it: the trigger (mask), the reporter (digits), the scan (evidence).
//! Never: lets one of them do another's work; what the reporter refuses is masked all the same.

pub mod analysis;
mod block;
mod history;
pub mod keypad;
mod lanes;
pub mod loose;
mod press;
pub mod strict;
mod templates;
pub mod trigger;
mod tune;
mod verdict;

pub use loose::{LooseDetector, LooseFind};
pub use strict::{InbandDigit, Reporter};
