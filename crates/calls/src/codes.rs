//! Pairing codes that agents have asked for.
//! Owns: which are good, for whom and until when; each is good once.
//! Never: logs one, or hands one out but to its agent.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::access::Actor;
use domain::id::UserId;
use domain::pairing::{CodeReader, Keyed, PairingCode, PairingCodeView};
use domain::service::Service;
use domain::time::UnixMillis;
use secret::Key;

/// How long a code is good: time to read it, take the phone and key it twice.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(60);

/// Codes that are good at once. Of ten thousand a tenth: a guess among them hits one in ten times at most, and a call takes three.
const CODES_MAX: usize = 1_000;

/// Draws until one is found that nobody has: at the most codes, one draw in ten is taken.
const DRAWS_MAX: usize = 16;

/// The codes that are good.
#[derive(Default)]
pub(crate) struct Codes(Mutex<HashMap<UserId, Wanted>>);

struct Wanted {
    code: PairingCode,
    by: Actor,
    until: Instant,
    expires_at: UnixMillis,
}

impl Wanted {
    fn is_good_for(&self, service: &Service, now: Instant) -> bool {
        now < self.until && service.pairing.takes(&self.by.user)
    }
}

impl Codes {
    /// The agent's code: the one that they have, else a new one; none: too many are good.
    pub(crate) fn ask(
        &self,
        by: &Actor,
        now: Instant,
        clock: UnixMillis,
        mut draw: impl FnMut() -> u16,
    ) -> Option<PairingCodeView> {
        let mut codes = self.codes();
        codes.retain(|_, wanted| now < wanted.until);
        if !codes.contains_key(&by.user) {
            if codes.len() >= CODES_MAX {
                return None;
            }
            let is_free = |code: &PairingCode| codes.values().all(|other| other.code != *code);
            let mut draws = (0..DRAWS_MAX).filter_map(|_| PairingCode::from_random(draw()));
            let wanted = Wanted {
                code: draws.find(is_free)?,
                by: by.clone(),
                until: now + CODE_LIFE,
                expires_at: clock.plus_ms(i64::try_from(CODE_LIFE.as_millis()).ok()?),
            };
            codes.insert(by.user.clone(), wanted);
        }
        codes.get(&by.user).map(|wanted| PairingCodeView {
            code: wanted.code.text().to_owned(),
            expires_at: wanted.expires_at,
        })
    }

    /// The agent has a call, or gives the code back. True if there was one.
    pub(crate) fn drop_of(&self, agent: &UserId) -> bool {
        self.codes().remove(agent).is_some()
    }

    /// How long a call of this service is to be listened to; none: nobody's code is for it.
    pub(crate) fn wanted_until(&self, service: &Service, now: Instant) -> Option<Instant> {
        let codes = self.codes();
        let good = codes
            .values()
            .filter(|wanted| wanted.is_good_for(service, now));
        good.map(|wanted| wanted.until).max()
    }

    /// A key of the agent's side of a call of this service. Whose code it completes: that is burned with it.
    pub(crate) fn hear(
        &self,
        reader: &mut CodeReader,
        key: Key,
        service: &Service,
        now: Instant,
    ) -> Heard {
        let mut codes = self.codes();
        let good = codes
            .values()
            .filter(|wanted| wanted.is_good_for(service, now));
        let (owners, good): (Vec<UserId>, Vec<&PairingCode>) = good
            .map(|wanted| (wanted.by.user.clone(), &wanted.code))
            .unzip();
        match reader.push(key, good.into_iter()) {
            Keyed::Open => Heard::Nothing,
            Keyed::Wrong => Heard::Wrong,
            Keyed::Code(place) => owners
                .get(place)
                .and_then(|owner| codes.remove(owner))
                .map_or(Heard::Wrong, |wanted| Heard::CodeOf(Box::new(wanted.by))),
        }
    }

    fn codes(&self) -> std::sync::MutexGuard<'_, HashMap<UserId, Wanted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of a key.
pub(crate) enum Heard {
    /// Nothing yet.
    Nothing,
    /// Something that is no code.
    Wrong,
    /// The code of this agent.
    CodeOf(Box<Actor>),
}
