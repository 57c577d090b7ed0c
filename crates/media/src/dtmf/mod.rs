//! Keys of a telephone keypad, as events and as tones.
//! Owns: recognising a press.
//! Never: shows which key it was.

pub mod inband;
pub mod telephone_event;
