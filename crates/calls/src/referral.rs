//! Transfers that the agent's phone or the PBX asks for by signalling of its own (S39).
//! Owns: whether one may be, and whom what it names stands for.
//! Never: lets a call out where no route leads; takes one from an open capture unless the service says so.

use std::net::SocketAddr;
use std::sync::Arc;

use domain::access::{Actor, User};
use domain::boundary::{Referral, ReferralAnswer, ReferralWish, RouteTarget};
use domain::service::{OnTransfer, Route};

use crate::phones::browser_of;
use crate::routing::{self, Refusal};
use crate::task::CallTask;
use crate::transfer::Successor;

/// It may not be: as all referrals were answered before there were any.
const DECLINED: u16 = 603;

/// No route leads there.
const NOWHERE: u16 = 403;

/// Whoever it names is on another call.
const BUSY: u16 = 486;

impl CallTask {
    /// The telephone side has been asked; what becomes of it is told as of any transfer.
    pub(crate) fn referred(&mut self, referral: &Referral) {
        let answer = self.judge(referral);
        let begun = match answer {
            Ok((target, answer)) => self.begin_referral(target, answer),
            Err(refusal) => {
                tracing::info!(call = %self.call.id(), ?refusal, "a transfer by a phone is refused");
                self.telephony.refer(self.call.id(), refusal).is_ok()
            }
        };
        if !begun {
            tracing::warn!(call = %self.call.id(), "a transfer by a phone could not be answered");
        }
    }

    fn begin_referral(&mut self, target: Successor, answer: ReferralAnswer) -> bool {
        let browser = match &answer {
            ReferralAnswer::Ring(target) => browser_of(target),
            _ => None,
        };
        let snapshot = self.inner.deps.configuration.current();
        let by = self.agent.as_ref();
        let by = by.map_or_else(Actor::system, |agent| snapshot.actor(agent));
        let say = |task: &Self| task.telephony.refer(task.call.id(), answer);
        self.begin_transfer((by, target, browser), say).is_ok() || {
            let refusal = ReferralAnswer::Refuse(DECLINED);
            self.telephony.refer(self.call.id(), refusal).is_ok()
        }
    }

    fn judge(&self, referral: &Referral) -> Result<(Successor, ReferralAnswer), ReferralAnswer> {
        let declined = || ReferralAnswer::Refuse(DECLINED);
        if !self.call.is_up() || self.transfer.is_some() {
            return Err(declined());
        }
        if self.open.is_some() && self.service.on_transfer == OnTransfer::Refuse {
            return Err(declined());
        }
        match &referral.wish {
            ReferralWish::Call => {
                let found = self.find_target(referral).map_err(ReferralAnswer::Fail)?;
                Ok((found.0, ReferralAnswer::Ring(found.1)))
            }
            ReferralWish::Join(other) => {
                let snapshot = self.inner.deps.configuration.current();
                let owner = self.inner.handle(other).and_then(|other| other.owner());
                let agent = owner.and_then(|owner| snapshot.user(&owner).cloned());
                Ok((self.successor(agent, &referral.to), ReferralAnswer::Take))
            }
            ReferralWish::Replace => {
                let agent = self.agent_who_calls(referral);
                Ok((self.successor(agent, &referral.to), ReferralAnswer::Take))
            }
        }
    }

    /// Somebody who is not taken for this call: they are on it, or on what joins it.
    fn successor(&self, agent: Option<Arc<User>>, named: &str) -> Successor {
        let taken = agent.as_ref().is_some_and(|agent| {
            let is_another = self.call.agent() != Some(&agent.id);
            let agents = &self.inner.agents;
            is_another && agents.take_also(&agent.id, self.call.id())
        });
        Successor {
            name: name_of(agent.as_deref(), named),
            agent,
            is_taken: taken,
        }
    }

    /// Whose phone it is that has called; at a PBX, whose extension.
    fn agent_who_calls(&self, referral: &Referral) -> Option<Arc<User>> {
        let snapshot = self.inner.deps.configuration.current();
        match &referral.phone {
            Some(phone) => snapshot.user_of_phone(phone).cloned(),
            None => self.agent_at_pbx(&referral.to),
        }
    }

    fn agent_at_pbx(&self, extension: &str) -> Option<Arc<User>> {
        let snapshot = self.inner.deps.configuration.current();
        let agent = snapshot.user_of_extension(extension)?;
        let is_hers = self.service.pairs() && self.service.pairing.takes(&agent.id);
        is_hers.then(|| agent.clone())
    }

    /// Whom a referral names: an agent by their phone, whatever the PBX in line has behind this name, else as if the number had been called. Else the status
    /// to fail with.
    fn find_target(&self, referral: &Referral) -> Result<(Successor, RouteTarget), u16> {
        let snapshot = self.inner.deps.configuration.current();
        let (inner, id, now) = (&self.inner, self.call.id(), crate::now());
        if let Some(agent) = snapshot.user_of_phone(&referral.to) {
            let registered = self.telephony.registered();
            let mut reachable =
                routing::reachable(&snapshot, &inner.phones, &registered).into_iter();
            let found = reachable.find(|(user, _)| user.id == agent.id);
            let (agent, target) = found.ok_or(Refusal::Unavailable.status())?;
            if !inner.agents.take_free(&agent.id, id, now) {
                return Err(BUSY);
            }
            let name = agent.display_name.clone();
            let is_taken = true;
            let agent = Some(agent);
            let successor = Successor {
                agent,
                name,
                is_taken,
            };
            return Ok((successor, target));
        }
        if let Some(target) = self.at_the_pbx(referral) {
            let agent = self.agent_at_pbx(&referral.to);
            return Ok((self.successor(agent, &referral.to), target));
        }
        let agents = (&inner.agents, &inner.phones);
        let registered = self.telephony.registered();
        let chosen = routing::choose(&snapshot, agents, &registered, (id, &referral.to));
        let chosen = chosen.map_err(|refusal| match refusal {
            Refusal::NotFound => NOWHERE,
            refusal => refusal.status(),
        })?;
        let is_taken = chosen
            .agent
            .as_ref()
            .is_some_and(|agent| self.call.agent() != Some(&agent.id));
        let successor = Successor {
            name: name_of(chosen.agent.as_deref(), &referral.to),
            agent: chosen.agent,
            is_taken,
        };
        Ok((successor, chosen.target))
    }

    /// The PBX that the call is at names another of its own: it is asked for it at the address that the service has for it, or at the places of the trunk
    /// that the service goes by, and nowhere else.
    fn at_the_pbx(&self, referral: &Referral) -> Option<RouteTarget> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-_.*#".contains(&byte);
        let user = &referral.to;
        if user.is_empty() || !user.bytes().all(is_plain) {
            return None;
        }
        match &self.service.route {
            Route::Uri { uri, address, .. } => {
                let address: SocketAddr = address.parse().ok()?;
                let bare = referral.host.trim_matches(['[', ']']);
                let is_there = bare == address.ip().to_string() || host_of(uri) == referral.host;
                is_there.then(|| RouteTarget::Uri {
                    uri: format!("sip:{user}@{}", host_of(uri)),
                    address,
                })
            }
            Route::Trunk { trunk, .. } => {
                let is_there = referral.trunk.as_ref() == Some(trunk);
                is_there.then(|| RouteTarget::Trunk {
                    trunk: trunk.clone(),
                    number: user.clone(),
                })
            }
            _ => None,
        }
    }
}

fn name_of(agent: Option<&User>, named: &str) -> String {
    agent.map_or_else(|| named.to_owned(), |agent| agent.display_name.clone())
}

/// The host of a SIP URI, without port and parameters.
fn host_of(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let rest = rest.split_once('@').map_or(rest, |(_, rest)| rest);
    let end = match rest.strip_prefix('[') {
        Some(_) => rest.find(']').map_or(rest.len(), |at| at + 1),
        None => rest.find([':', ';', '?']).unwrap_or(rest.len()),
    };
    rest.get(..end).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_stands_alone() {
        for (uri, host) in [
            ("sip:100@pbx.example.com", "pbx.example.com"),
            ("sip:192.0.2.5:5070;transport=tcp", "192.0.2.5"),
            ("sips:100@[2001:db8::1]:5061", "[2001:db8::1]"),
        ] {
            assert_eq!(host_of(uri), host);
        }
    }
}
