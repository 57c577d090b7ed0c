//! How the simulated consumer takes a call.
//! Owns: what each number does that is dialled, so that a story and a training can ask for it.
//! Never: knows who calls.

use std::time::Duration;

use sip::Status;

/// The consumer takes the phone after so long.
const TAKES_AFTER: Duration = Duration::from_millis(1_500);

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    /// It rings and is answered.
    Answers(Duration),
    /// It rings, and nobody comes.
    Rings,
    /// It is refused.
    Refuses(Status),
}

/// By the end of the number that was dialled: `...0101` is busy, at `...0102` nobody answers, `...0103` declines, `...0104` is not given. Any other answers.
pub(super) fn taking(number: &str) -> Taking {
    let is_at = |end: &str| number.ends_with(end);
    match number {
        _ if is_at("0101") => Taking::Refuses(Status::BUSY_HERE),
        _ if is_at("0102") => Taking::Rings,
        _ if is_at("0103") => Taking::Refuses(Status::DECLINE),
        _ if is_at("0104") => Taking::Refuses(Status::NOT_FOUND),
        _ => Taking::Answers(TAKES_AFTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_says_what_becomes_of_the_call() {
        assert_eq!(taking("+15550100"), Taking::Answers(TAKES_AFTER));
        assert_eq!(taking("+15550101"), Taking::Refuses(Status::BUSY_HERE));
        assert_eq!(taking("5550102"), Taking::Rings);
        assert_eq!(taking("+15550103"), Taking::Refuses(Status::DECLINE));
        assert_eq!(taking("+15550104"), Taking::Refuses(Status::NOT_FOUND));
        assert_eq!(taking(""), Taking::Answers(TAKES_AFTER));
    }
}
