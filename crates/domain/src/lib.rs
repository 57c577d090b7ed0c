//! The business rules of payment capture.
//! Owns: the capture machine, widgets, gateways, payments, rights, audit, and the traits where shells meet.
//! Never: does IO, reads a clock, or holds a digit outside a secret type.
//! Start reading at: `capture` and `boundary`.

#![warn(missing_docs)]

pub mod access;
pub mod audit;
pub mod availability;
pub mod boundary;
pub mod call;
pub mod capture;
pub mod consumer;
pub mod control;
pub mod designer;
pub mod desktop;
pub mod evidence;
pub mod first_steps;
pub mod gate;
pub mod gateway;
pub mod hours;
pub mod id;
pub mod language;
pub mod listening;
pub mod money;
pub mod number_pool;
pub mod outbound;
pub mod pairing;
pub mod payment;
pub mod problem;
pub mod queue;
pub mod recording;
pub mod screen;
pub mod service;
pub mod text;
pub mod time;
pub mod view;
pub mod widget;
