//! Numbers that are reserved for agents.
//! Owns: who may reserve and give back which, the trail of it, and whose an arriving call is by its number.
//! Never: tells who may call, in the trail or the log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::access::{Actor, Permission, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Audited, Change, IncomingCall, NumberDesk, Task};
use domain::id::{ReservationId, ServiceId, UserId};
use domain::number_pool::{
    NumberPool, NumberReservation, Reservations, Reserved, Standing, Wanted,
};
use domain::outbound::DialNumber;
use domain::service::Service;
use domain::view::DeskError;
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::configuration::Snapshot;
use crate::desk::{Calls, Inner};

/// The reservations of this server. They are in memory alone: a restart forgets them with the calls.
#[derive(Default)]
pub(crate) struct Numbers {
    reservations: Mutex<Reservations>,
    refused: AtomicU64,
}

impl Numbers {
    fn reservations(&self) -> MutexGuard<'_, Reservations> {
        let locked = self.reservations.lock();
        locked.unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent for whom the number was reserved that this call has called; the reservation is burned with it, whether or not the agent gets the call.
    pub(crate) fn take(
        &self,
        snapshot: &Snapshot,
        service: &Service,
        call: &IncomingCall,
    ) -> Option<Arc<User>> {
        let pool = service.pool.as_ref().filter(|_| service.pairs())?;
        let is_of_pool = pool.has(&call.called);
        let (called, caller) = (&call.called, &call.caller_number);
        let agent = is_of_pool.then(|| {
            let mut reservations = self.reservations();
            reservations.take(&service.id, called, caller, crate::now())
        });
        let agent = snapshot.user(&agent??)?;
        agent.enabled.then(|| agent.clone())
    }
}

impl Calls {
    /// How the numbers of all pools stand.
    #[must_use]
    pub fn pool_numbers(&self) -> Standing {
        let snapshot = self.inner().deps.configuration.current();
        let services = snapshot.services.iter();
        let pools = services.filter_map(|service| service.pool.as_ref());
        let mut reservations = self.inner().numbers.reservations();
        reservations.standing(pools, crate::now())
    }

    /// How often a number was to be reserved and none was free, since the start.
    #[must_use]
    pub fn reservations_refused(&self) -> u64 {
        self.inner().numbers.refused.load(Ordering::Relaxed)
    }
}

/// The service of this identity with its pool, if its calls are the agent's to have.
fn pool_of(
    snapshot: &Snapshot,
    service: &ServiceId,
    agent: &UserId,
) -> Result<(Arc<Service>, NumberPool), DeskError> {
    let mut services = snapshot.services.iter();
    let service = services.find(|one| one.id == *service);
    let service = service.ok_or(DeskError::NotFound)?;
    let pool = service.pool.clone();
    let pool = pool.filter(|_| service.pairs() && service.pairing.takes(agent));
    Ok((service.clone(), pool.ok_or(DeskError::NotPaired)?))
}

impl NumberDesk for Calls {
    fn reserve_number<'a>(
        &'a self,
        actor: &'a Actor,
        agent: &'a UserId,
        service: &'a ServiceId,
        from: Option<DialNumber>,
    ) -> Task<'a, Result<NumberReservation, DeskError>> {
        Box::pin(async move {
            if *agent != actor.user {
                Self::may(actor, Permission::CallBind)?;
            }
            let agent = self.agent(agent)?;
            let inner = self.inner();
            let snapshot = inner.deps.configuration.current();
            let (service, pool) = pool_of(&snapshot, service, &agent.id)?;
            if inner.agents.has_call(&agent.id) {
                return Err(DeskError::AgentHasCall);
            }
            let random = OsRng.try_next_u64().ok().zip(OsRng.try_next_u64().ok());
            let (high, low) = random.ok_or(DeskError::Busy)?;
            let wanted = Wanted {
                id: ReservationId::from_random((u128::from(high) << 64) | u128::from(low)),
                service: service.id.clone(),
                agent: agent.id.clone(),
                from,
                clock: inner.deps.clock.now(),
            };
            let reserved = reserve(inner, &pool, wanted)?;
            // Whoever asked may leave meanwhile: what is reserved is to be in the trail.
            let (inner, actor) = (inner.clone(), actor.clone());
            let noted = inner.runtime.clone();
            let noted = noted.spawn(note(inner, actor, agent, service, reserved));
            noted.await.unwrap_or(Err(DeskError::Busy))
        })
    }

    fn give_number_back(&self, actor: &Actor, id: &ReservationId) -> Result<(), DeskError> {
        let (inner, now) = (self.inner(), crate::now());
        let mut reservations = inner.numbers.reservations();
        let agent = reservations.agent_of(id, now).ok_or(DeskError::NotFound)?;
        if *agent != actor.user {
            Self::may(actor, Permission::CallBind)?;
        }
        let given = reservations.give_back(id, now);
        drop(reservations);
        let (number, service) = given.ok_or(DeskError::NotFound)?;
        let (now, action) = (inner.deps.clock.now(), AuditAction::NumberGivenBack);
        let object = format!("service {}", name_of(inner, &service));
        let entry = AuditEntry::new(now, actor, action, object);
        inner.audit.append(entry.with("number", number));
        Ok(())
    }
}

fn name_of(inner: &Inner, service: &ServiceId) -> String {
    let snapshot = inner.deps.configuration.current();
    let mut services = snapshot.services.iter();
    let service = services.find(|one| one.id == *service);
    service
        .map(|service| service.name.clone())
        .unwrap_or_default()
}

fn reserve(inner: &Inner, pool: &NumberPool, wanted: Wanted) -> Result<Reserved, DeskError> {
    let (numbers, now) = (&inner.numbers, crate::now());
    let reserved = numbers.reservations().reserve(pool, wanted, now);
    reserved.map_err(|exhausted| {
        numbers.refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!("a number was to be reserved, and none of the pool is free");
        DeskError::NumbersReserved(exhausted.free_at.saturating_duration_since(now))
    })
}

/// What is new goes into the trail, or nobody has it.
async fn note(
    inner: Arc<Inner>,
    actor: Actor,
    agent: Arc<User>,
    service: Arc<Service>,
    reserved: Reserved,
) -> Result<NumberReservation, DeskError> {
    if reserved.is_new {
        let object = format!("service {}", service.name);
        let now = inner.deps.clock.now();
        let entry = AuditEntry::new(now, &actor, AuditAction::NumberReserved, object)
            .with("agent", agent.name.as_str())
            .with("number", reserved.number.as_str());
        let change = Change::None;
        let recorded = inner.deps.store.commit(Audited { change, entry }).await;
        if recorded.is_err() {
            inner
                .numbers
                .reservations()
                .give_back(&reserved.id, crate::now());
            return Err(DeskError::Unrecordable);
        }
    }
    Ok(NumberReservation {
        id: reserved.id,
        service: service.id.clone(),
        number: reserved.number,
        expires_at: reserved.expires_at,
    })
}
