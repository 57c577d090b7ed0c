//! Numbers of a service that are reserved for an agent, each for one call.
//! Owns: the setting; which number is whose until when, and which rest.
//! Never: asks a clock; gives one number to two agents, or gives one out that rests.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::id::{ReservationId, ServiceId, UserId};
use crate::outbound::DialNumber;
use crate::time::UnixMillis;

/// Most numbers of a pool: a call centre of a thousand agents who all wait for such a call at once.
pub const POOL_NUMBERS_MAX: usize = 1_000;

/// For how long a number may be reserved, in seconds: below, no transfer of a PBX arrives in time; above, a number is a phone of its own.
pub const RESERVE_S: std::ops::RangeInclusive<u16> = 10..=600;

/// Longest rest of a number, in seconds.
pub const QUARANTINE_S_MAX: u16 = 600;

/// Numbers that are reserved for agents, one call each ("rolling DNIS"), where nothing else tells whose an arriving call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberPool {
    /// 1-1,000 user parts of request URIs. They lead to the service whether or not they stand among its numbers, too.
    pub numbers: Vec<String>,
    /// For how long one is reserved, 10-600 s.
    pub reserve_s: u16,
    /// How long it rests afterwards before it is reserved again, 0-600 s: a call that comes late is nobody's, not the next agent's.
    pub quarantine_s: u16,
}

impl NumberPool {
    /// A number is one of it.
    #[must_use]
    pub fn has(&self, number: &str) -> bool {
        self.numbers.iter().any(|own| own == number)
    }
}

/// A number as the API tells of it to whoever reserved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NumberReservation {
    /// By which it is given back.
    pub id: ReservationId,
    /// Whose pool it is of.
    pub service: ServiceId,
    /// The number to call.
    pub number: String,
    /// A call has to arrive by then.
    pub expires_at: UnixMillis,
}

/// What is to be reserved.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What it is called if it is a new one.
    pub id: ReservationId,
    /// Of whose pool.
    pub service: ServiceId,
    /// For whom.
    pub agent: UserId,
    /// The only number that may call; none: any.
    pub from: Option<DialNumber>,
    /// The wall clock, which says when a new one ends.
    pub clock: UnixMillis,
}

/// What was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Its name.
    pub id: ReservationId,
    /// The number.
    pub number: String,
    /// A call has to arrive before this.
    pub until: Instant,
    /// The same by the wall clock, as it was when the number was reserved.
    pub expires_at: UnixMillis,
    /// The agent did not have it before.
    pub is_new: bool,
}

/// No number is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// When the first will be, unless one is used or given back before.
    pub free_at: Instant,
}

/// How many numbers stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Somebody's.
    pub reserved: usize,
    /// Nobody's, and not given out yet.
    pub resting: usize,
    /// To be had.
    pub free: usize,
}

struct Held {
    id: ReservationId,
    service: ServiceId,
    agent: UserId,
    from: Option<DialNumber>,
    until: Instant,
    expires_at: UnixMillis,
    /// How long the number rests afterwards.
    quarantine: Duration,
}

impl Held {
    fn takes(&self, caller: &str) -> bool {
        let from = self.from.as_ref();
        from.is_none_or(|from| from.has_digits_of(caller))
    }
}

/// A number that was somebody's.
struct Rest {
    service: ServiceId,
    free_at: Instant,
}

/// All reservations of this server. A number is of one pool at a time, and keeps its rest when it moves to another. There are no more entries than numbers of
/// pools, and those taken out of one in the last twenty minutes.
#[derive(Default)]
pub struct Reservations {
    held: BTreeMap<String, Held>,
    rests: BTreeMap<String, Rest>,
}

impl fmt::Debug for Reservations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Reservations");
        shown.field("held", &self.held.len());
        shown.finish_non_exhaustive()
    }
}

impl Reservations {
    /// The number that the agent has of this pool, else the one of it that was nobody's for longest. `from` is what was said last.
    ///
    /// # Errors
    /// None is free.
    pub fn reserve(
        &mut self,
        pool: &NumberPool,
        wanted: Wanted,
        now: Instant,
    ) -> Result<Reserved, Exhausted> {
        self.settle(now);
        let own: HashSet<&str> = pool.numbers.iter().map(String::as_str).collect();
        self.drop_strangers(&own, &wanted.service, now);
        if let Some(had) = self.had_by(&own, &wanted, now) {
            return Ok(had);
        }
        let Some(number) = self.free_for_longest(pool, now) else {
            let free_at = self.free_at(pool);
            return Err(Exhausted {
                free_at: free_at.unwrap_or(now),
            });
        };
        let until = now + Duration::from_secs(pool.reserve_s.into());
        let expires_at = wanted.clock.plus_ms(i64::from(pool.reserve_s) * 1_000);
        let held = Held {
            id: wanted.id.clone(),
            service: wanted.service,
            agent: wanted.agent,
            from: wanted.from,
            until,
            expires_at,
            quarantine: Duration::from_secs(pool.quarantine_s.into()),
        };
        self.rests.remove(&number);
        self.held.insert(number.clone(), held);
        Ok(Reserved {
            id: wanted.id,
            number,
            until,
            expires_at,
            is_new: true,
        })
    }

    /// A call has arrived at a number. Whose it is; that burns the reservation.
    pub fn take(
        &mut self,
        service: &ServiceId,
        number: &str,
        caller: &str,
        now: Instant,
    ) -> Option<UserId> {
        self.settle(now);
        let held = self.held.get(number)?;
        if held.service != *service || !held.takes(caller) {
            return None;
        }
        self.end(number, now).map(|held| held.agent)
    }

    /// Whose a reservation is; none: it is over.
    pub fn agent_of(&mut self, id: &ReservationId, now: Instant) -> Option<&UserId> {
        self.settle(now);
        let mut held = self.held.values();
        held.find(|held| held.id == *id).map(|held| &held.agent)
    }

    /// A reservation is given back: its number and its service's identity. The number rests: it may have been told to somebody who calls it yet.
    pub fn give_back(&mut self, id: &ReservationId, now: Instant) -> Option<(String, ServiceId)> {
        self.settle(now);
        let mut held = self.held.iter();
        let (number, _) = held.find(|(_, held)| held.id == *id)?;
        let number = number.clone();
        let held = self.end(&number, now)?;
        Some((number, held.service))
    }

    /// How the numbers of these pools stand.
    pub fn standing<'a>(
        &mut self,
        pools: impl Iterator<Item = &'a NumberPool>,
        now: Instant,
    ) -> Standing {
        self.settle(now);
        let mut standing = Standing::default();
        for number in pools.flat_map(|pool| &pool.numbers) {
            let rest = self.rests.get(number);
            if self.held.contains_key(number) {
                standing.reserved += 1;
            } else if rest.is_some_and(|rest| now < rest.free_at) {
                standing.resting += 1;
            } else {
                standing.free += 1;
            }
        }
        standing
    }

    /// Reservations whose time is over end.
    fn settle(&mut self, now: Instant) {
        let over = self.held.iter().filter(|(_, held)| held.until <= now);
        let over: Vec<(String, Instant)> = over
            .map(|(number, held)| (number.clone(), held.until))
            .collect();
        for (number, until) in over {
            self.end(&number, until);
        }
    }

    fn end(&mut self, number: &str, at: Instant) -> Option<Held> {
        let held = self.held.remove(number)?;
        let rest = Rest {
            service: held.service.clone(),
            free_at: at + held.quarantine,
        };
        self.rests.insert(number.to_owned(), rest);
        Some(held)
    }

    /// What was taken out of this service's pool is reserved no more, and forgotten once it has rested.
    fn drop_strangers(&mut self, own: &HashSet<&str>, service: &ServiceId, now: Instant) {
        let gone = self
            .held
            .iter()
            .filter(|(_, held)| held.service == *service);
        let gone: Vec<String> = gone
            .map(|(number, _)| number.clone())
            .filter(|number| !own.contains(&**number))
            .collect();
        for number in gone {
            self.end(&number, now);
        }
        self.rests.retain(|number, rest| {
            rest.service != *service || own.contains(&**number) || now < rest.free_at
        });
    }

    fn had_by(&mut self, own: &HashSet<&str>, wanted: &Wanted, now: Instant) -> Option<Reserved> {
        let is_had = |number: &str, held: &Held| {
            held.service == wanted.service && held.agent == wanted.agent && own.contains(number)
        };
        let mut all = self.held.iter_mut();
        let (number, held) = all.find(|(number, held)| is_had(number, held) && now < held.until)?;
        held.from.clone_from(&wanted.from);
        Some(Reserved {
            id: held.id.clone(),
            number: number.clone(),
            until: held.until,
            expires_at: held.expires_at,
            is_new: false,
        })
    }

    fn free_for_longest(&self, pool: &NumberPool, now: Instant) -> Option<String> {
        let since = |number: &String| self.rests.get(number).map(|rest| rest.free_at);
        let numbers = pool.numbers.iter();
        let free = numbers.filter(|number| {
            !self.held.contains_key(*number) && since(number).is_none_or(|since| since <= now)
        });
        free.min_by_key(|number| since(number)).cloned()
    }

    fn free_at(&self, pool: &NumberPool) -> Option<Instant> {
        let numbers = pool.numbers.iter();
        let free_at = numbers.filter_map(|number| match self.held.get(number) {
            Some(held) => Some(held.until + held.quarantine),
            None => self.rests.get(number).map(|rest| rest.free_at),
        });
        free_at.min()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn pool(numbers: usize) -> NumberPool {
        NumberPool {
            numbers: (0..numbers)
                .map(|number| format!("+1555{number:04}"))
                .collect(),
            reserve_s: 60,
            quarantine_s: 30,
        }
    }

    fn sales() -> ServiceId {
        ServiceId::from_random(1)
    }

    fn user(number: u128) -> UserId {
        UserId::from_random(number)
    }

    /// The agent's wish number `id`.
    fn wanted(agent: u128, id: u128, from: Option<&str>) -> Wanted {
        Wanted {
            id: ReservationId::from_random(id),
            service: sales(),
            agent: user(agent),
            from: from.map(|from| DialNumber::parse(from).unwrap()),
            clock: UnixMillis(i64::try_from(id).unwrap()),
        }
    }

    #[test]
    fn an_agent_has_one_number_of_a_service_and_gets_the_same_again() {
        let (mut all, pool, now) = (Reservations::default(), pool(2), Instant::now());
        let first = all.reserve(&pool, wanted(1, 1, None), now).unwrap();
        let again = all.reserve(&pool, wanted(1, 2, None), now + 5 * S).unwrap();
        assert!(first.is_new && !again.is_new);
        assert_eq!(
            (&again.id, &again.number, again.until),
            (&first.id, &first.number, now + 60 * S)
        );
        assert_eq!(
            (first.expires_at, again.expires_at),
            (UnixMillis(60_001), UnixMillis(60_001))
        );
        let other = all.reserve(&pool, wanted(2, 3, None), now).unwrap();
        assert_ne!(other.number, first.number);
        let elsewhere = Wanted {
            service: ServiceId::from_random(2),
            ..wanted(1, 4, None)
        };
        let theirs = NumberPool {
            numbers: vec!["4001".to_owned()],
            ..pool
        };
        let at_other = all.reserve(&theirs, elsewhere, now).unwrap();
        assert_eq!(at_other.number, "4001");
        assert_eq!(all.take(&sales(), "4001", "", now), None, "not of Sales");
        let standing = all.standing([&theirs].into_iter(), now);
        assert_eq!((standing.reserved, standing.free), (1, 0));
    }

    #[test]
    fn one_of_two_calls_gets_the_agent_and_the_number_rests() {
        let (mut all, pool, now) = (Reservations::default(), pool(1), Instant::now());
        let number = &pool.numbers[0];
        all.reserve(&pool, wanted(1, 1, None), now).unwrap();
        let at = now + 10 * S;
        assert_eq!(all.take(&sales(), number, "4711", at), Some(user(1)));
        assert_eq!(all.take(&sales(), number, "4711", at), None);
        let free_at = at + 30 * S;
        for asked in [at, free_at - S] {
            let none = all.reserve(&pool, wanted(2, 2, None), asked);
            assert_eq!(none, Err(Exhausted { free_at }));
        }
        assert_eq!(all.standing([&pool].into_iter(), at).resting, 1);
        assert!(all.reserve(&pool, wanted(2, 2, None), free_at).is_ok());
    }

    #[test]
    fn a_number_is_good_until_its_time_is_over_and_then_rests_as_one_that_was_used() {
        let (mut all, pool, now) = (Reservations::default(), pool(1), Instant::now());
        let number = &pool.numbers[0];
        let ms = Duration::from_millis(1);
        all.reserve(&pool, wanted(1, 1, None), now).unwrap();
        let free_at = now + 90 * S;
        let full = all.reserve(&pool, wanted(2, 2, None), now);
        assert_eq!(full, Err(Exhausted { free_at }));
        assert_eq!(all.take(&sales(), number, "", now + 60 * S), None);
        assert!(
            all.reserve(&pool, wanted(2, 2, None), free_at - ms)
                .is_err()
        );
        all.reserve(&pool, wanted(2, 2, None), free_at).unwrap();
        let last = free_at + 60 * S - ms;
        assert_eq!(all.take(&sales(), number, "", last), Some(user(2)));
    }

    #[test]
    fn a_call_from_another_number_than_was_said_is_nobodys() {
        let (mut all, pool, now) = (Reservations::default(), pool(1), Instant::now());
        let number = &pool.numbers[0];
        all.reserve(&pool, wanted(1, 1, Some("+1 (555) 010-0100")), now)
            .unwrap();
        for caller in ["+15550101", "", "anonymous", "5550100100"] {
            assert_eq!(all.take(&sales(), number, caller, now), None, "{caller}");
        }
        assert_eq!(
            all.take(&sales(), number, "15550100100", now),
            Some(user(1))
        );
        let at = now + 30 * S;
        all.reserve(&pool, wanted(1, 2, Some("4711")), at).unwrap();
        all.reserve(&pool, wanted(1, 3, Some("4712")), at).unwrap();
        assert_eq!(all.take(&sales(), number, "4711", at), None, "said anew");
        assert_eq!(all.take(&sales(), number, "4712", at), Some(user(1)));
    }

    #[test]
    fn what_is_given_back_rests_and_is_nobodys() {
        let (mut all, pool, now) = (Reservations::default(), pool(1), Instant::now());
        let had = all.reserve(&pool, wanted(1, 1, None), now).unwrap();
        assert_eq!(all.agent_of(&had.id, now), Some(&user(1)));
        let given = all.give_back(&had.id, now);
        assert_eq!(given, Some((had.number.clone(), sales())));
        assert_eq!(all.give_back(&had.id, now), None);
        assert_eq!(all.agent_of(&had.id, now), None);
        assert_eq!(all.take(&sales(), &had.number, "", now), None);
        assert!(all.reserve(&pool, wanted(1, 2, None), now).is_err());
    }

    #[test]
    fn a_number_that_leaves_a_pool_is_reserved_no_more_and_keeps_its_rest_in_the_next() {
        let (mut all, pool, now) = (Reservations::default(), pool(2), Instant::now());
        let had = all.reserve(&pool, wanted(1, 1, None), now).unwrap();
        let mut other = pool.clone();
        other.numbers.retain(|number| *number != had.number);
        let next = all.reserve(&other, wanted(1, 2, None), now).unwrap();
        assert!(next.is_new && next.number != had.number);
        let moved = NumberPool {
            numbers: vec![had.number.clone()],
            ..pool
        };
        let of_second = Wanted {
            service: ServiceId::from_random(2),
            ..wanted(2, 3, None)
        };
        let early = all.reserve(&moved, of_second.clone(), now + 29 * S);
        assert!(early.is_err());
        assert!(all.reserve(&moved, of_second, now + 30 * S).is_ok());
    }

    /// What befalls a pool.
    #[derive(Debug, Clone)]
    enum Step {
        Asks(u128),
        Calls(usize),
        GivesBack(u128),
        Passes(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (1..6_u128).prop_map(Step::Asks),
            2 => (0..3_usize).prop_map(Step::Calls),
            1 => (1..6_u128).prop_map(Step::GivesBack),
            3 => (1..40_000_u64).prop_map(Step::Passes),
        ];
        proptest::collection::vec(step, 1..120)
    }

    /// What is known outside of a number: its holder, and the moment it may be given out again.
    #[derive(Default)]
    struct Seen {
        holder: HashMap<String, (u128, ReservationId, Instant)>,
        free_at: HashMap<String, Instant>,
    }

    impl Seen {
        fn settle(&mut self, now: Instant) {
            let free_at = &mut self.free_at;
            self.holder.retain(|number, (_, _, until)| {
                let runs = now < *until;
                if !runs {
                    free_at.insert(number.clone(), *until + 30 * S);
                }
                runs
            });
        }

        fn ends(&mut self, number: &str, now: Instant) {
            self.holder.remove(number);
            self.free_at.insert(number.to_owned(), now + 30 * S);
        }
    }

    proptest! {
        #[test]
        fn no_number_has_two_holders_or_is_given_out_while_it_rests(steps in steps()) {
            let (pool, mut all, mut seen) = (pool(3), Reservations::default(), Seen::default());
            let mut now = Instant::now();
            for (place, step) in steps.into_iter().enumerate() {
                seen.settle(now);
                match step {
                    Step::Passes(ms) => now += Duration::from_millis(ms),
                    Step::Calls(number) => {
                        let number = &pool.numbers[number];
                        let got = all.take(&sales(), number, "4711", now);
                        let holder = seen.holder.get(number).map(|(agent, ..)| user(*agent));
                        prop_assert_eq!(&got, &holder);
                        if got.is_some() {
                            seen.ends(number, now);
                        }
                    }
                    Step::GivesBack(agent) => {
                        let had = seen.holder.iter().find(|(_, (by, ..))| *by == agent);
                        if let Some((number, (_, id, _))) = had {
                            let number = number.clone();
                            let given = all.give_back(id, now);
                            prop_assert_eq!(given, Some((number.clone(), sales())));
                            seen.ends(&number, now);
                        }
                    }
                    Step::Asks(agent) => {
                        let id = 1_000 + u128::try_from(place).unwrap();
                        let had = seen.holder.iter().find(|(_, (by, ..))| *by == agent);
                        let had = had.map(|(number, _)| number.clone());
                        match all.reserve(&pool, wanted(agent, id, None), now) {
                            Ok(got) if got.is_new => {
                                prop_assert_eq!(had, None);
                                prop_assert!(!seen.holder.contains_key(&got.number));
                                let free_at = seen.free_at.get(&got.number);
                                prop_assert!(free_at.is_none_or(|free_at| *free_at <= now));
                                seen.holder.insert(got.number, (agent, got.id, got.until));
                            }
                            Ok(got) => prop_assert_eq!(had, Some(got.number)),
                            Err(Exhausted { free_at }) => {
                                prop_assert_eq!(had, None);
                                let ends = seen.holder.values().map(|(.., until)| *until + 30 * S);
                                let rests = pool.numbers.iter().filter(|number| !seen.holder.contains_key(*number));
                                let rests = rests.map(|number| seen.free_at.get(number).copied().unwrap_or(now));
                                prop_assert_eq!(ends.chain(rests).min(), Some(free_at));
                                prop_assert!(now < free_at);
                            }
                        }
                    }
                }
            }
        }
    }
}
