//! How often may be charged: a brake on whoever tries cards out on one call, from one desk or with one card (SECURITY-AND-FAULTS C16).
//! Owns: the limits, the presses of the last minutes, and the digest by which the same card is known again.
//! Never: keeps a digit. A digest is keyed at random when the server starts, lives in memory for some minutes and nowhere else.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use secret::Slot;

use super::digits::values;
use super::field::{Field, PaymentType};
use crate::id::UserId;

/// Presses of Process Payment on one call, whatever its widgets allow: both kinds at their own limit of 3, and two more. A supervisor gives them back (S14).
pub const CALL_PRESSES_MAX: u32 = 8;
/// Presses of one agent within [`AGENT_WINDOW`]: somebody who takes one payment after another by telephone needs longer for each.
pub const AGENT_PRESSES_MAX: usize = 12;
/// See [`AGENT_PRESSES_MAX`].
pub const AGENT_WINDOW: Duration = Duration::from_secs(60);
/// Presses with one card or account within [`ACCOUNT_WINDOW`], from all desks.
pub const ACCOUNT_PRESSES_MAX: usize = 10;
/// See [`ACCOUNT_PRESSES_MAX`].
pub const ACCOUNT_WINDOW: Duration = Duration::from_secs(600);
/// Cards and accounts that are watched at a time: 100 payments a second for the whole window, with room. More are not watched until some are forgotten.
const ACCOUNTS_MAX: usize = 100_000;

/// How often all that is old is forgotten. Until then it lies there and is not counted.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VelocityLimit {
    /// [`CALL_PRESSES_MAX`].
    Call,
    /// [`AGENT_PRESSES_MAX`].
    Agent,
    /// [`ACCOUNT_PRESSES_MAX`].
    Account,
}

impl VelocityLimit {
    /// After how long it holds no more at the latest; of a call after any time that a supervisor needs.
    #[must_use]
    pub fn window(self) -> Duration {
        match self {
            Self::Call | Self::Agent => AGENT_WINDOW,
            Self::Account => ACCOUNT_WINDOW,
        }
    }

    /// Its word in audit entries.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Agent => "agent",
            Self::Account => "account",
        }
    }
}

/// By which a card or account is known again for some minutes. It says nothing without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountDigest(u64);

/// Presses of Process Payment of the last minutes.
#[derive(Debug)]
pub struct Velocity {
    key: RandomState,
    agents: HashMap<UserId, VecDeque<Instant>>,
    accounts: HashMap<AccountDigest, VecDeque<Instant>>,
    /// When what was old was last forgotten.
    forgot: Option<Instant>,
}

impl Velocity {
    /// No press yet. The key is random, and no other part of the server has it.
    #[must_use]
    pub fn new(key: RandomState) -> Self {
        Self {
            key,
            agents: HashMap::new(),
            accounts: HashMap::new(),
            forgot: None,
        }
    }

    /// What was keyed, as it is known again: a card by its number, an account by both its numbers.
    #[must_use]
    pub fn digest(&self, payment_type: PaymentType, slot: &Slot) -> AccountDigest {
        let fields: &[Field] = match payment_type {
            PaymentType::Card => &[Field::CardNumber],
            PaymentType::Check => &[Field::RoutingNumber, Field::AccountNumber],
        };
        let mut hasher = self.key.build_hasher();
        for field in fields {
            for value in values(&slot.digits(field.slot_index())) {
                hasher.write_u8(value);
            }
            // No digit: where one number ends.
            hasher.write_u8(u8::MAX);
        }
        AccountDigest(hasher.finish())
    }

    /// Counts a press, if no limit is reached; one that is refused counts for nothing. `on_call`: presses of its call so far.
    ///
    /// # Errors
    /// The limit.
    pub fn take(
        &mut self,
        agent: &UserId,
        on_call: u32,
        account: AccountDigest,
        now: Instant,
    ) -> Result<(), VelocityLimit> {
        self.forget(now);
        if on_call >= CALL_PRESSES_MAX {
            return Err(VelocityLimit::Call);
        }
        if within(self.agents.get(agent), now, AGENT_WINDOW) >= AGENT_PRESSES_MAX {
            return Err(VelocityLimit::Agent);
        }
        if within(self.accounts.get(&account), now, ACCOUNT_WINDOW) >= ACCOUNT_PRESSES_MAX {
            return Err(VelocityLimit::Account);
        }
        let agents = self.agents.entry(agent.clone()).or_default();
        agents.push_back(now);
        if self.accounts.contains_key(&account) || self.accounts.len() < ACCOUNTS_MAX {
            self.accounts.entry(account).or_default().push_back(now);
        }
        Ok(())
    }

    fn forget(&mut self, now: Instant) {
        let is_due = |forgot| now.saturating_duration_since(forgot) >= FORGET_EVERY;
        if !self.forgot.is_none_or(is_due) {
            return;
        }
        self.forgot = Some(now);
        forget_old(&mut self.agents, now, AGENT_WINDOW);
        forget_old(&mut self.accounts, now, ACCOUNT_WINDOW);
    }
}

/// Presses that are younger than the window.
fn within(presses: Option<&VecDeque<Instant>>, now: Instant, window: Duration) -> usize {
    let is_young = |at: &&Instant| now.saturating_duration_since(**at) < window;
    presses.map_or(0, |times| times.iter().rev().take_while(is_young).count())
}

fn forget_old<K: Eq + std::hash::Hash>(
    presses: &mut HashMap<K, VecDeque<Instant>>,
    now: Instant,
    window: Duration,
) {
    presses.retain(|_, times| {
        while times
            .front()
            .is_some_and(|first| now.saturating_duration_since(*first) >= window)
        {
            times.pop_front();
        }
        !times.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use secret::{Arena, Digit};

    use super::*;
    use crate::capture::fixtures;

    fn slot(keyed: &[(Field, &str)]) -> Slot {
        let mut slot = Arena::new(1).unwrap().allocate().unwrap();
        for (field, digits) in keyed {
            for digit in digits.bytes().filter_map(Digit::from_ascii) {
                slot.push(field.slot_index(), digit).unwrap();
            }
        }
        slot
    }

    fn velocity() -> Velocity {
        Velocity::new(RandomState::new())
    }

    fn user(number: u128) -> UserId {
        UserId::from_random(number)
    }

    #[test]
    fn one_card_is_tried_ten_times_in_ten_minutes_whoever_tries_it() {
        let (mut velocity, now) = (velocity(), Instant::now());
        let card = AccountDigest(1);
        for agent in 0..10 {
            assert_eq!(velocity.take(&user(agent), 0, card, now), Ok(()));
        }
        let one_more = |velocity: &mut Velocity, at| velocity.take(&user(99), 0, card, at);
        let late = now + ACCOUNT_WINDOW;
        let just_before = late.checked_sub(Duration::from_millis(1)).unwrap();
        let refused = Err(VelocityLimit::Account);
        assert_eq!(one_more(&mut velocity, now), refused);
        assert_eq!(one_more(&mut velocity, just_before), refused);
        assert_eq!(velocity.take(&user(99), 0, AccountDigest(2), now), Ok(()));
        assert_eq!(one_more(&mut velocity, late), Ok(()));
    }

    #[test]
    fn an_agent_takes_twelve_payments_a_minute() {
        let (mut velocity, now) = (velocity(), Instant::now());
        let mut press = |card, at| velocity.take(&user(1), 0, AccountDigest(card), at);
        for card in 0..12 {
            assert_eq!(press(card, now), Ok(()));
        }
        assert_eq!(press(12, now), Err(VelocityLimit::Agent));
        assert_eq!(press(12, now + AGENT_WINDOW), Ok(()));
        assert_eq!(velocity.take(&user(2), 0, AccountDigest(13), now), Ok(()));
    }

    #[test]
    fn a_call_has_eight_presses_whatever_is_keyed() {
        let (mut velocity, now) = (velocity(), Instant::now());
        for (on_call, expected) in [(7, Ok(())), (8, Err(VelocityLimit::Call))] {
            let pressed = velocity.take(&user(1), on_call, AccountDigest(1), now);
            assert_eq!(pressed, expected);
        }
    }

    #[test]
    fn the_same_card_has_the_same_digest_and_another_server_another() {
        let (one, other) = (velocity(), velocity());
        let numbers: Vec<&str> = fixtures::CARDS.iter().map(|card| card.number).collect();
        let card = |velocity: &Velocity, number| {
            let keyed = slot(&[(Field::CardNumber, number), (Field::Expiry, "1230")]);
            velocity.digest(PaymentType::Card, &keyed)
        };
        assert_eq!(card(&one, numbers[0]), card(&one, numbers[0]));
        assert_ne!(card(&one, numbers[0]), card(&one, numbers[1]));
        assert_ne!(card(&one, numbers[0]), card(&other, numbers[0]));
    }

    #[test]
    fn an_account_is_known_by_both_its_numbers() {
        let velocity = velocity();
        let check = |routing, account| {
            let keyed = slot(&[
                (Field::RoutingNumber, routing),
                (Field::AccountNumber, account),
            ]);
            velocity.digest(PaymentType::Check, &keyed)
        };
        assert_eq!(check("021000021", "4567"), check("021000021", "4567"));
        assert_ne!(check("021000021", "4567"), check("011401533", "4567"));
        assert_ne!(check("021000021", "4567"), check("021000021", "04567"));
    }
}
