//! The order of those who wait, over all services.
//! Owns: who is next, which agent's phone rings for whom, whose time is over, and which agents are left alone for a while.
//! Never: reads a clock, knows which agents are free or whom they take, or lets somebody who came later have an agent who takes both.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::id::{CallId, ServiceId, UserId};

/// An agent whose phone was not answered is left alone so long by callers who wait: the phone of one who has gone away does not ring without end, and one
/// that refuses at once is not called in a circle.
pub const REST_AFTER_MISSED: Duration = Duration::from_secs(10);

/// What is to be done for somebody who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// This agent's phone is to ring for them.
    Ring(CallId, UserId),
    /// They have waited for long enough: they have left the line.
    Over(CallId),
}

/// There is no place for another caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

#[derive(Debug)]
struct Waiter {
    call: CallId,
    service: ServiceId,
    until: Instant,
    /// Whose phone rings for them.
    rings: Option<UserId>,
}

/// One who waits, as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'line> {
    /// Who.
    pub call: &'line CallId,
    /// Whose number they called.
    pub service: &'line ServiceId,
    /// An agent's phone rings for them.
    pub rings: bool,
}

/// Everybody who waits, the first first.
#[derive(Debug, Default)]
pub struct Line {
    /// By the order in which they came. Bounded by what services allow, and by the calls that there may be.
    waiters: BTreeMap<u64, Waiter>,
    came: u64,
    /// Until when agents are left alone. Bounded by the agents; those whose time is over go at the next look.
    resting: HashMap<UserId, Instant>,
}

impl Line {
    /// Somebody begins to wait, until `until` at most, if fewer than `waiting_max` wait for their service.
    ///
    /// # Errors
    /// As many wait for the service as may.
    pub fn join(
        &mut self,
        call: CallId,
        service: ServiceId,
        (waiting_max, until): (u16, Instant),
    ) -> Result<(), Full> {
        let same = self.waiters.values().filter(|one| one.service == service);
        if same.count() >= usize::from(waiting_max) {
            return Err(Full);
        }
        self.came += 1;
        let waiter = Waiter {
            call,
            service,
            until,
            rings: None,
        };
        self.waiters.insert(self.came, waiter);
        Ok(())
    }

    /// Somebody waits no more: an agent has answered, or they have hung up. False: they did not wait.
    pub fn leave(&mut self, call: &CallId) -> bool {
        let before = self.waiters.len();
        self.waiters.retain(|_, one| one.call != *call);
        self.waiters.len() < before
    }

    /// The agent's phone was not answered: the caller has their place again, and the agent a rest. False: none rang for them.
    pub fn missed(&mut self, call: &CallId, now: Instant) -> bool {
        let mut waiters = self.waiters.values_mut();
        let waiter = waiters.find(|one| one.call == *call);
        let Some(agent) = waiter.and_then(|one| one.rings.take()) else {
            return false;
        };
        self.resting.insert(agent, now + REST_AFTER_MISSED);
        true
    }

    /// A phone of an agent rings for them.
    #[must_use]
    pub fn rings(&self, call: &CallId) -> bool {
        let mut waiters = self.waiters.values();
        waiters.any(|one| one.call == *call && one.rings.is_some())
    }

    /// Gives the agents who are `free`, the one who has been so for the longest first, to those who wait the longest and are for them, and ends the wait of
    /// those whose time is over. `is_for`: a service's callers are for an agent. `take`: takes an agent for a call; false: somebody else was faster.
    pub fn turns(
        &mut self,
        now: Instant,
        free: impl IntoIterator<Item = UserId>,
        is_for: impl Fn(&ServiceId, &UserId) -> bool,
        mut take: impl FnMut(&UserId, &CallId) -> bool,
    ) -> Vec<Turn> {
        self.resting.retain(|_, until| now < *until);
        let mut free: Vec<UserId> = free.into_iter().collect();
        free.retain(|agent| !self.resting.contains_key(agent));
        let mut turns = Vec::new();
        // For whose callers none of those who are left is: the agents are looked through once for each service, and not for each caller.
        let mut without: HashSet<ServiceId> = HashSet::new();
        for one in self.waiters.values_mut().filter(|one| one.rings.is_none()) {
            if free.is_empty() {
                break;
            }
            if without.contains(&one.service) {
                continue;
            }
            let is_for = |agent: &UserId| is_for(&one.service, agent);
            let Some(agent) = first_taken(&mut free, is_for, |agent| take(agent, &one.call)) else {
                without.insert(one.service.clone());
                continue;
            };
            one.rings = Some(agent.clone());
            turns.push(Turn::Ring(one.call.clone(), agent));
        }
        // Whoever's phone rings now is let ring out.
        let is_over = |one: &Waiter| one.rings.is_none() && one.until <= now;
        let over = self.waiters.extract_if(.., |_, one| is_over(one));
        turns.extend(over.map(|(_, one)| Turn::Over(one.call)));
        turns
    }

    /// Everybody who waits, the first first.
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        self.waiters.values().map(|one| Place {
            call: &one.call,
            service: &one.service,
            rings: one.rings.is_some(),
        })
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }
}

/// The first agent who fits and could be taken. They are no longer among the `free`, nor are those whom somebody else was faster to take.
fn first_taken(
    free: &mut Vec<UserId>,
    fits: impl Fn(&UserId) -> bool,
    mut take: impl FnMut(&UserId) -> bool,
) -> Option<UserId> {
    while let Some(place) = free.iter().position(&fits) {
        let agent = free.remove(place);
        if take(&agent) {
            return Some(agent);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const WAIT: Duration = Duration::from_secs(60);

    fn call(number: u128) -> CallId {
        CallId::from_random(number)
    }

    fn agent(number: u128) -> UserId {
        UserId::from_random(number)
    }

    fn service(number: u128) -> ServiceId {
        ServiceId::from_random(number)
    }

    fn join(line: &mut Line, number: u128, now: Instant) {
        line.join(call(number), service(number % 2), (500, now + WAIT))
            .unwrap();
    }

    fn turns(line: &mut Line, now: Instant, free: &[u128]) -> Vec<Turn> {
        let free: Vec<UserId> = free.iter().copied().map(agent).collect();
        line.turns(now, free, |_, _| true, |_, _| true)
    }

    /// Callers of service 1 are for agents 0 and 1 alone, those of service 0 for everybody.
    fn is_for(of: &ServiceId, one: &UserId) -> bool {
        *of == service(0) || [agent(0), agent(1)].contains(one)
    }

    #[test]
    fn whoever_came_first_gets_the_agent_who_is_free_for_the_longest_whatever_the_service() {
        let (mut line, now) = (Line::default(), Instant::now());
        for number in [1, 2, 3] {
            join(&mut line, number, now);
        }
        assert_eq!(
            turns(&mut line, now, &[8, 7]),
            [Turn::Ring(call(1), agent(8)), Turn::Ring(call(2), agent(7))]
        );
        assert!(line.rings(&call(1)) && !line.rings(&call(3)));
        assert!(line.leave(&call(1)) && !line.leave(&call(1)));
        assert_eq!(turns(&mut line, now, &[8]), [Turn::Ring(call(3), agent(8))]);
    }

    #[test]
    fn an_agent_who_does_not_answer_is_left_alone_and_the_caller_keeps_the_place() {
        let (mut line, now) = (Line::default(), Instant::now());
        join(&mut line, 1, now);
        join(&mut line, 2, now);
        assert_eq!(turns(&mut line, now, &[7]).len(), 1);
        assert!(line.missed(&call(1), now) && !line.missed(&call(1), now));
        assert!(turns(&mut line, now, &[7]).is_empty(), "it has just rung");
        assert_eq!(
            turns(&mut line, now, &[7, 8]),
            [Turn::Ring(call(1), agent(8))]
        );
        let later = now + REST_AFTER_MISSED;
        assert_eq!(
            turns(&mut line, later, &[7]),
            [Turn::Ring(call(2), agent(7))]
        );
    }

    #[test]
    fn a_wait_that_is_over_ends_but_not_while_a_phone_rings_for_it() {
        let (mut line, now) = (Line::default(), Instant::now());
        join(&mut line, 1, now);
        join(&mut line, 2, now);
        assert_eq!(turns(&mut line, now, &[7]).len(), 1);
        let over = now + WAIT;
        assert!(turns(&mut line, over - Duration::from_millis(1), &[]).is_empty());
        assert_eq!(turns(&mut line, over, &[]), [Turn::Over(call(2))]);
        assert!(line.missed(&call(1), over));
        assert_eq!(turns(&mut line, over, &[]), [Turn::Over(call(1))]);
        assert!(line.is_empty());
        join(&mut line, 3, now);
        assert_eq!(
            turns(&mut line, over, &[8]),
            [Turn::Ring(call(3), agent(8))],
            "an agent is better than an overflow"
        );
    }

    #[test]
    fn each_service_has_its_own_bound() {
        let (mut line, now) = (Line::default(), Instant::now());
        let mut join = |number, of| line.join(call(number), service(of), (1, now + WAIT));
        assert_eq!(join(1, 1), Ok(()));
        assert_eq!(join(2, 1), Err(Full));
        assert_eq!(join(3, 2), Ok(()));
    }

    #[test]
    fn an_agent_whom_another_call_took_meanwhile_is_passed_over() {
        let (mut line, now) = (Line::default(), Instant::now());
        join(&mut line, 1, now);
        let free = [agent(7), agent(8)];
        let turns = line.turns(now, free, |_, _| true, |one, _| *one == agent(8));
        assert_eq!(turns, [Turn::Ring(call(1), agent(8))]);
    }

    #[test]
    fn an_agent_gets_the_first_caller_who_is_for_them_and_those_before_keep_their_places() {
        let (mut line, now) = (Line::default(), Instant::now());
        for number in [1, 3, 2, 4] {
            join(&mut line, number, now);
        }
        let mut turns = |free: &[u128]| {
            let free: Vec<UserId> = free.iter().copied().map(agent).collect();
            line.turns(now, free, is_for, |_, _| true)
        };
        assert_eq!(turns(&[2]), [Turn::Ring(call(2), agent(2))]);
        assert_eq!(
            turns(&[3, 0]),
            [Turn::Ring(call(1), agent(0)), Turn::Ring(call(4), agent(3))]
        );
        assert!(turns(&[2, 3]).is_empty(), "the only one left is for others");
        let waits: Vec<CallId> = line
            .places()
            .filter(|one| !one.rings)
            .map(|one| one.call.clone())
            .collect();
        assert_eq!(waits, [call(3)]);
    }

    type Waits = Vec<(CallId, ServiceId)>;

    /// Those for whom no phone rings, the first first.
    fn waits(line: &Line) -> Waits {
        let waits = line.places().filter(|place| !place.rings);
        waits
            .map(|place| (place.call.clone(), place.service.clone()))
            .collect()
    }

    /// Of what was given between two moments: nobody who could have had the agent is passed over, and nobody waits for whom one of those who are `left` is.
    fn is_fair<'a>(
        (before, after): (&Waits, &Waits),
        given: &[(CallId, UserId)],
        mut left: impl Iterator<Item = &'a UserId>,
    ) -> Result<(), TestCaseError> {
        for (of, agent) in given {
            let place = before.iter().position(|(one, _)| one == of).unwrap();
            let service = &before[place].1;
            prop_assert!(is_for(service, agent), "somebody else's caller");
            let mut earlier = before[..place].iter();
            let passed_over = earlier.any(|one| after.contains(one) && is_for(&one.1, agent));
            prop_assert!(!passed_over, "somebody has overtaken");
        }
        let in_vain = left.any(|one| after.iter().any(|(_, service)| is_for(service, one)));
        prop_assert!(!in_vain, "somebody waits in vain");
        Ok(())
    }

    proptest! {
        /// Whatever happens in whatever order: one call to one agent, nobody is lost, nobody waits while an agent who may take them is free, and of those whom an
        /// agent may take none overtakes.
        #[test]
        fn one_call_to_one_agent_and_nobody_is_lost_overtaken_or_left_waiting(
            steps in proptest::collection::vec((0_u8..5, 0_u128..6, 0_u64..15), 1..200),
        ) {
            let mut now = Instant::now();
            let mut line = Line::default();
            let (mut came, mut here) = (0_u128, Vec::<u128>::new());
            // Which call an agent's phone rings for, or that they talk.
            let mut rung: BTreeMap<UserId, CallId> = BTreeMap::new();
            let mut rests: BTreeMap<UserId, Instant> = BTreeMap::new();
            for (what, whom, seconds) in steps {
                now += Duration::from_secs(seconds);
                let chosen = here.get(usize::try_from(whom).unwrap() % here.len().max(1)).copied();
                match (what, chosen) {
                    (0, _) => {
                        came += 1;
                        join(&mut line, came, now);
                        here.push(came);
                    }
                    // Hung up.
                    (1, Some(number)) => {
                        prop_assert!(line.leave(&call(number)));
                        here.retain(|one| *one != number);
                        rung.retain(|_, of| *of != call(number));
                    }
                    // Not answered.
                    (2, Some(number)) => {
                        let rang = rung.values().any(|of| *of == call(number));
                        prop_assert_eq!(line.missed(&call(number), now), rang);
                        let missed = rung.extract_if(.., |_, of| *of == call(number));
                        rests.extend(missed.map(|(agent, _)| (agent, now + REST_AFTER_MISSED)));
                    }
                    // Answered: the agent stays taken.
                    (3, Some(number)) if line.rings(&call(number)) => {
                        prop_assert!(line.leave(&call(number)));
                        here.retain(|one| *one != number);
                    }
                    // An agent ends a call that was answered.
                    (4, _) => {
                        let waits = |of: &CallId| line.places().any(|place| place.call == of);
                        let done = rung.iter().find(|(_, of)| !waits(of));
                        let done = done.map(|(agent, _)| agent.clone());
                        done.and_then(|agent| rung.remove(&agent));
                    }
                    _ => {}
                }
                let free: Vec<UserId> = (0..4).map(agent).filter(|one| !rung.contains_key(one)).collect();
                let before = waits(&line);
                let mut given = Vec::new();
                for turn in line.turns(now, free.clone(), is_for, |_, _| true) {
                    match turn {
                        Turn::Ring(of, agent) => {
                            prop_assert!(rung.insert(agent.clone(), of.clone()).is_none(), "two calls for one agent");
                            given.push((of, agent));
                        }
                        Turn::Over(of) => here.retain(|one| call(*one) != of),
                    }
                }
                let after = waits(&line);
                let is_left = |one: &&UserId| !rung.contains_key(*one) && rests.get(*one).is_none_or(|until| *until <= now);
                is_fair((&before, &after), &given, free.iter().filter(is_left))?;
                let calls: BTreeSet<&CallId> = rung.values().collect();
                prop_assert_eq!(calls.len(), rung.len(), "two agents for one call");
                let stand: Vec<CallId> = line.places().map(|place| place.call.clone()).collect();
                let expected: Vec<CallId> = here.iter().copied().map(call).collect();
                prop_assert_eq!(stand, expected, "somebody is lost");
            }
        }
    }
}
