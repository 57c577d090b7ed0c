//! The door of pages and programs to whose call is whose.
//! Owns: who may ask for what.
//! Never: gives a call itself; its task does, so that of many who ask at once one gets it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::access::{Actor, Permission, Resource, User, authorize};
use domain::boundary::{CallName, PairingDesk, Task};
use domain::id::{CallId, UserId};
use domain::pairing::{PairedBy, PairingCodeView, ServiceCall};
use domain::view::DeskError;
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::desk::Calls;
use crate::pairing::{Asked, Claim};
use crate::task::Message;

impl Calls {
    /// Pairing codes that were keyed and were none, since the start.
    #[must_use]
    pub fn wrong_pairing_codes(&self) -> u64 {
        self.inner().wrong_codes.load(Ordering::Relaxed)
    }

    async fn claim(&self, call: &CallId, claim: Claim) -> Result<(), DeskError> {
        let handle = self.inner().handle(call).ok_or(DeskError::NotFound)?;
        Self::ask(&handle, |reply| Message::Pairing(Asked::Pair(claim, reply))).await
    }

    pub(crate) fn may(actor: &Actor, right: Permission) -> Result<(), DeskError> {
        authorize(actor, right, Resource::Installation).map_err(|_| DeskError::NotFound)
    }

    pub(crate) fn agent(&self, agent: &UserId) -> Result<Arc<User>, DeskError> {
        let snapshot = self.inner().deps.configuration.current();
        let user = snapshot.user(agent).filter(|user| user.enabled);
        let user = user.ok_or(DeskError::NotFound)?;
        let may_have = snapshot.actor(user);
        Self::may(&may_have, Permission::CaptureStart)?;
        Ok(user.clone())
    }

    async fn find(&self, name: &CallName) -> Result<CallId, DeskError> {
        match name {
            CallName::Tonewall(call) => Ok(call.clone()),
            CallName::SipCallId(id) => {
                for handle in self.inner().handles() {
                    let known = Self::ask(&handle, |reply| {
                        Message::Pairing(Asked::Known(id.clone(), reply))
                    });
                    // A call that ends or is busy just now is not found.
                    if let Ok(call) = known.await {
                        return Ok(call);
                    }
                }
                Err(DeskError::NotFound)
            }
        }
    }
}

impl PairingDesk for Calls {
    fn pairing_code(&self, actor: &Actor) -> Result<PairingCodeView, DeskError> {
        let agent = self.agent(&actor.user)?;
        let inner = self.inner();
        if inner.agents.has_call(&agent.id) {
            return Err(DeskError::AgentHasCall);
        }
        let snapshot = inner.deps.configuration.current();
        let mut services = snapshot.services.iter();
        if !services.any(|service| service.hears_code_of(&agent.id)) {
            return Err(DeskError::NotPaired);
        }
        let (now, clock) = (crate::now(), inner.deps.clock.now());
        let code = inner.codes.ask(actor, now, clock, random);
        inner.listen_anew();
        code.ok_or(DeskError::Busy)
    }

    fn drop_pairing_code(&self, actor: &Actor) {
        if self.inner().codes.drop_of(&actor.user) {
            self.inner().listen_anew();
        }
    }

    fn bind<'a>(
        &'a self,
        actor: &'a Actor,
        agent: &'a UserId,
        name: &'a CallName,
    ) -> Task<'a, Result<CallId, DeskError>> {
        Box::pin(async move {
            let is_own = *agent == actor.user && matches!(name, CallName::Tonewall(_));
            let way = match Self::may(actor, Permission::CallBind) {
                Ok(()) => PairedBy::Api,
                Err(_) if is_own => PairedBy::Page,
                Err(denied) => return Err(denied),
            };
            let (agent, call) = (self.agent(agent)?, self.find(name).await?);
            let claim = Claim {
                agent,
                by: actor.clone(),
                way,
                take_away: false,
            };
            self.claim(&call, claim).await.map(|()| call)
        })
    }

    fn service_calls<'a>(
        &'a self,
        actor: &'a Actor,
    ) -> Task<'a, Result<Vec<ServiceCall>, DeskError>> {
        Box::pin(async move {
            Self::may(actor, Permission::CallPick)?;
            let mut calls = Vec::new();
            for handle in self.inner().handles() {
                // A call that ends or is busy just now shows in the next list.
                let shown = Self::ask(&handle, |reply| Message::Pairing(Asked::Show(reply)));
                calls.extend(shown.await.ok().flatten());
            }
            calls
                .sort_by(|left, right| (right.began_at, &right.id).cmp(&(left.began_at, &left.id)));
            Ok(calls)
        })
    }

    fn pick<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
        agent: &'a UserId,
        take_away: bool,
    ) -> Task<'a, Result<(), DeskError>> {
        Box::pin(async move {
            Self::may(actor, Permission::CallPick)?;
            let claim = Claim {
                agent: self.agent(agent)?,
                by: actor.clone(),
                way: PairedBy::List,
                take_away,
            };
            self.claim(call, claim).await
        })
    }

    fn release<'a>(
        &'a self,
        actor: &'a Actor,
        call: &'a CallId,
    ) -> Task<'a, Result<(), DeskError>> {
        Box::pin(async move {
            let handle = self.owned(actor, call)?;
            let by = actor.clone();
            Self::ask(&handle, |reply| Message::Pairing(Asked::Release(by, reply))).await
        })
    }
}

/// Of the operating system. If it has none, the same code again and again, which is then nobody's twice.
fn random() -> u16 {
    let random = OsRng.try_next_u32().unwrap_or_default();
    u16::try_from(random % u32::from(domain::pairing::CODES)).unwrap_or_default()
}
