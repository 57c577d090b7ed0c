//! What a database's error means to a caller.
//! Owns: the table from driver errors to `StoreError`.
//! Never: puts a stored value into an error's text.

use domain::boundary::StoreError;
use sqlx::error::DatabaseError;

/// A read, or anything that is not a change, failed.
pub(crate) fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// A change failed: perhaps because of what it says, and not of the database.
pub(crate) fn refused(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(cause) if cause.is_unique_violation() => StoreError::Taken(taken(cause)),
        // What it points at was deleted meanwhile.
        Some(cause) if cause.is_foreign_key_violation() => StoreError::Conflict,
        Some(cause) if cause.is_check_violation() => StoreError::Corrupt {
            what: "change",
            why: "a value has a form that is never kept".to_owned(),
        },
        _ => unavailable(error),
    }
}

/// SQLite names table and column ("users.name"), PostgreSQL the constraint ("users_name_key").
fn taken(cause: &dyn DatabaseError) -> &'static str {
    let place = cause.constraint().unwrap_or_else(|| cause.message());
    [
        ("payments", "attempt"),
        ("service_numbers", "number"),
        ("phone", "phone"),
        ("name", "name"),
    ]
    .into_iter()
    .find(|(part, _)| place.contains(part))
    .map_or("identity", |(_, word)| word)
}

/// SQLite's primary result codes for "someone else writes".
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;

/// Someone else holds the lock of a SQLite file.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse::<i64>().ok())
        // The low byte of an extended code is the primary one; all of these two are below 1000.
        // PostgreSQL's codes parse to more.
        .is_some_and(|code| code < 1_000 && matches!(code & 0xff, SQLITE_BUSY | SQLITE_LOCKED))
}
