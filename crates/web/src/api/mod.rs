//! The handlers, one file per noun.
//! Owns: the shapes of requests and answers.
//! Never: decides more than `domain` does.

pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod calls;
pub(crate) mod consumer;
pub(crate) mod controls;
pub(crate) mod designer;
pub(crate) mod desktops;
pub(crate) mod dial;
pub(crate) mod evidence;
pub(crate) mod exports;
pub(crate) mod follow_ups;
pub(crate) mod frames;
pub(crate) mod gateway;
pub(crate) mod hosts;
pub(crate) mod hours;
pub(crate) mod listening;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod numbers;
pub(crate) mod openapi;
pub(crate) mod pairing;
pub(crate) mod payments;
pub(crate) mod phone;
pub(crate) mod plans;
pub(crate) mod queue;
pub(crate) mod recordings;
pub(crate) mod resolutions;
pub(crate) mod roles;
pub(crate) mod routing;
pub(crate) mod screens;
pub(crate) mod second_factor;
pub(crate) mod services;
pub(crate) mod set_up;
pub(crate) mod sounds;
pub(crate) mod users;

use axum::Json;
use axum::http::StatusCode;

use crate::problem::Problem;

/// What most handlers answer.
type Answer<T> = Result<Json<T>, Problem>;
/// For what was made.
type Created<T> = Result<(StatusCode, Json<T>), Problem>;
/// For what has nothing to say.
type Silent = Result<StatusCode, Problem>;

/// One line whose length in characters, trimmed, is in a range.
fn is_line(text: &str, range: std::ops::RangeInclusive<usize>) -> bool {
    is_text(text, range) && !text.contains('\n')
}

/// Lines of text whose length in characters, trimmed, is in a range.
fn is_text(text: &str, range: std::ops::RangeInclusive<usize>) -> bool {
    let control = |c: char| c.is_control() && c != '\n';
    range.contains(&text.trim().chars().count()) && !text.contains(control)
}
