//! Numbers of a pool: reserved for an agent, and given back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::id::{ReservationId, ServiceId};
use domain::number_pool::{
    NumberPool, NumberReservation, POOL_NUMBERS_MAX, QUARANTINE_S_MAX, RESERVE_S,
};
use domain::service::Service;
use serde::Deserialize;
use utoipa::ToSchema;

use super::dial::{TypedNumber, known};
use super::pairing::{named, wrong};
use super::services::is_number;
use super::{Created, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Id, Input};
use crate::problem::{Code, FieldProblem, Problem};

/// For whom a number is to be reserved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReservationForm {
    /// Of whose pool.
    service: ServiceId,
    /// Login name of the agent; left out: oneself. With the right `call.bind` anybody.
    #[serde(default)]
    agent: Option<String>,
    /// The only number whose call is the agent's, as it is written: 2-18 digits, perhaps a `+` before them. It is compared by its digits with what the arriving call says.
    /// Left out: any. What may be a card's number is refused.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    from: Option<TypedNumber>,
}

/// Reserves a number of a service's pool for an agent: the next call that arrives on it before `expires_at` (and comes `from` that number, if one is said) is theirs. An agent has one
/// reservation of a service at a time; asked again it is the same, and `from` is what was said last. Where all are reserved or rest the answer is 503, and `Retry-After`
/// says when the first will be free.
#[utoipa::path(post, path = "/number-reservations", tag = "calls", request_body = ReservationForm, responses(
    (status = 201, body = NumberReservation),
))]
pub(crate) async fn reserve(
    State(app): State<Shared>,
    Caller(login): Caller,
    Input(form): Input<ReservationForm>,
) -> Created<NumberReservation> {
    let agent = named(&app, form.agent, &login.actor.user).await?;
    let service = known(&app, Some(form.service)).await?;
    let from = form.from.map(|from| from.0).transpose();
    let from = from.map_err(|_| wrong("from", "write a telephone number of 2 to 18 digits"));
    match (agent, service, from) {
        (Ok(agent), Ok(Some(service)), Ok(from)) => {
            let desk = &app.deps.desk;
            let reserved = desk.reserve_number(&login.actor, &agent, &service, from);
            Ok((StatusCode::CREATED, Json(reserved.await?)))
        }
        (agent, service, from) => {
            let wrong = agent.err().into_iter().chain(service.err());
            Err(Problem::invalid(wrong.chain(from.err()).collect()))
        }
    }
}

/// Gives a number back that no call has come on: one's own, with the right `call.bind` anybody's. It rests before somebody else gets it.
#[utoipa::path(delete, path = "/number-reservations/{id}", tag = "calls", params(("id" = ReservationId, Path)), responses(
    (status = 204),
))]
pub(crate) async fn give_back(
    State(app): State<Shared>,
    Caller(login): Caller,
    Id(id): Id<ReservationId>,
) -> Silent {
    app.deps.desk.give_number_back(&login.actor, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The time after which a number may be free, in whole seconds.
pub(crate) fn exhausted(after: std::time::Duration) -> Problem {
    let seconds = after.as_millis().div_ceil(1_000).max(1);
    Problem::new(Code::NumbersReserved).retry_after(u64::try_from(seconds).unwrap_or(u64::MAX))
}

/// What is wrong with a pool by itself.
pub(super) fn pool_problems(pool: &NumberPool) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if !(1..=POOL_NUMBERS_MAX).contains(&pool.numbers.len()) {
        problems.push(wrong("pool.numbers", "enter 1 to 1000 numbers"));
    }
    let mut before = std::collections::HashSet::new();
    for (index, number) in pool.numbers.iter().enumerate().take(POOL_NUMBERS_MAX) {
        let message = if number == "*" || !is_number(number) {
            "use 1 to 40 of letters, digits, '+', '-', '.', '_'"
        } else if !before.insert(number) {
            "this number stands here twice"
        } else {
            continue;
        };
        problems.push(wrong(&format!("pool.numbers[{index}]"), message));
    }
    if !RESERVE_S.contains(&pool.reserve_s) {
        problems.push(wrong("pool.reserve_s", "choose 10 to 600 seconds"));
    }
    if pool.quarantine_s > QUARANTINE_S_MAX {
        problems.push(wrong("pool.quarantine_s", "choose 0 to 600 seconds"));
    }
    problems
}

/// A number that leads to another service already: of the list, or of the pool.
pub(super) fn taken_by(
    other: &Service,
    numbers: &[String],
    pool: Option<&NumberPool>,
) -> Option<FieldProblem> {
    let leads = |number: &&String| other.has_number(number);
    let of_list = numbers.iter().find(leads).map(|number| ("numbers", number));
    let in_pool = || pool?.numbers.iter().find(leads);
    let (field, number) = of_list.or_else(|| in_pool().map(|number| ("pool.numbers", number)))?;
    let message = format!("{number} leads to the service {} already", other.name);
    Some(wrong(field, message))
}
