//! Gateway tests that are on their way.
//! Owns: one test of each user, how often they may send one, and what their last one came to.
//! Never: sends one, or keeps what is not fit to be shown.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::id::UserId;
use tokio::sync::watch;
use tokio::time::Instant;

/// Tests in a row: somebody who tries field after field.
const BURST: u32 = 6;
/// One more is allowed after this: a test may make a charge at a gateway that knows no test cards.
const REFILL: Duration = Duration::from_secs(15);
/// Users watched. At the limit those go whose last test is long over.
const USERS_MAX: usize = 1_024;

/// What a test comes to, once it has.
pub(crate) type Ending<T> = watch::Receiver<Option<T>>;

/// A user's last test. What is kept is the time at which the next ones are all allowed again.
struct Row<T> {
    full_at: Instant,
    ending: Ending<T>,
}

impl<T> Row<T> {
    /// Whoever would tell its end is still there and has not told it.
    fn is_running(&self) -> bool {
        self.ending.borrow().is_none() && self.ending.has_changed().is_ok()
    }
}

/// Tests by user.
pub(crate) struct Trials<T>(Mutex<HashMap<UserId, Row<T>>>);

/// Why no test begins now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// The last one has not ended.
    Running,
    /// There were too many; seconds to wait.
    TooMany(u64),
}

impl<T> Trials<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// Begins a test; what it came to goes into what is answered.
    pub(crate) fn begin(
        &self,
        user: &UserId,
        now: Instant,
    ) -> Result<watch::Sender<Option<T>>, NotNow> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= USERS_MAX {
            table.retain(|_, row| row.full_at > now || row.is_running());
        }
        let full_at = match table.get(user) {
            Some(row) if row.is_running() => return Err(NotNow::Running),
            Some(row) => row.full_at.max(now),
            None => now,
        };
        let room = REFILL * (BURST - 1);
        let missing = full_at.saturating_duration_since(now);
        if missing > room {
            return Err(NotNow::TooMany((missing - room).as_secs() + 1));
        }
        let (sender, ending) = watch::channel(None);
        let row = Row {
            full_at: full_at + REFILL,
            ending,
        };
        table.insert(user.clone(), row);
        Ok(sender)
    }

    /// The end of this user's last test.
    pub(crate) fn ending(&self, user: &UserId) -> Option<Ending<T>> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.get(user).map(|row| row.ending.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_one_test_at_a_time_and_others_have_theirs() {
        let (trials, now) = (Trials::new(), Instant::now());
        let [one, other] = [1, 2].map(UserId::from_random);
        let running = trials.begin(&one, now).unwrap();
        assert_eq!(trials.begin(&one, now).err(), Some(NotNow::Running));
        assert!(trials.begin(&other, now).is_ok());
        running.send_replace(Some("done"));
        assert_eq!(*trials.ending(&one).unwrap().borrow(), Some("done"));
        assert!(trials.begin(&one, now).is_ok());
    }

    #[test]
    fn a_test_that_broke_off_is_not_running() {
        let (trials, now) = (Trials::<()>::new(), Instant::now());
        let user = UserId::from_random(1);
        drop(trials.begin(&user, now).unwrap());
        assert!(trials.begin(&user, now).is_ok());
    }

    #[test]
    fn six_tests_in_a_row_then_one_each_fifteen_seconds() {
        let (trials, now) = (Trials::new(), Instant::now());
        let user = UserId::from_random(1);
        let test = |now| {
            trials
                .begin(&user, now)
                .map(|end| end.send_replace(Some(())))
        };
        for _ in 0..6 {
            assert!(test(now).is_ok());
        }
        assert_eq!(test(now), Err(NotNow::TooMany(16)));
        assert!(test(now + REFILL).is_ok());
        assert!(test(now + REFILL).is_err());
    }
}
