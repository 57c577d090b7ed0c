//! Our registrations at far sides.
//! Owns: which of them ask for one, whether it holds, and what the operator is told when it does not.
//! Never: refreshes or repeats one: the stack does.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use sip::{Command, Flow, Host, Status, Uri};

use super::caller::text_of;
use super::config::{Account, Peer, Registration};
use super::exchange::Exchange;
use super::{NodeError, lock};
use crate::media_thread::MediaId;

/// What is said where a far side wants credentials and gets none that do.
const LOOK_AT: &str = "look at username, password_file and realm of its [[trunk]]";

impl Exchange {
    /// Registers wherever it is asked for.
    pub(super) fn register_at_peers(&mut self) -> Result<(), NodeError> {
        for peer in self.peers.clone() {
            let Some((account, registration)) = registration_of(&peer) else {
                continue;
            };
            let expires = registration.expires;
            let register = self.register(&peer, account, registration, expires);
            let register = register.ok_or_else(|| NodeError::ConfigTrunk {
                trunk: peer.name.clone(),
                uri: registration.registrar.to_string(),
            })?;
            lock(&self.shared.trunks).insert(peer.name, false);
            self.tell(Instant::now(), register);
        }
        Ok(())
    }

    /// Takes those away that hold.
    pub(super) fn unregister_at_peers(&mut self, now: Instant) {
        for peer in self.peers.clone() {
            let holds = lock(&self.shared.trunks).get(&peer.name).copied();
            if let Some((account, registration)) = registration_of(&peer)
                && holds == Some(true)
                && let Some(register) = self.register(&peer, account, registration, Duration::ZERO)
            {
                self.tell(now, register);
            }
        }
    }

    fn register(
        &self,
        peer: &Peer,
        account: &Account,
        registration: &Registration,
        expires: Duration,
    ) -> Option<Command> {
        let registrar = &registration.registrar;
        let port = registrar.as_sip().and_then(|uri| uri.port);
        let addresses: Vec<IpAddr> = match registrar.host()? {
            Host::Ip(address) => vec![*address],
            Host::Name(_) => peer.addresses.clone(),
        };
        let flow = |ip: &IpAddr| self.flow_of(registrar, *ip, port);
        let mut flows: Vec<Flow> = addresses.iter().filter_map(flow).collect();
        let others = flows.split_off(flows.len().min(1));
        Some(Command::Register {
            aor: address_of_record(account, registration)?,
            contact: registration.contact.clone(),
            flow: flows.pop()?,
            others,
            credentials: account.credentials.clone(),
            expires,
        })
    }

    pub(super) fn registration_done(&mut self, aor: &Uri, expires: Duration) {
        let Some(trunk) = self.note_registration(aor, !expires.is_zero()) else {
            return;
        };
        if expires.is_zero() {
            tracing::info!(trunk, "no longer registered");
        } else {
            tracing::info!(trunk, seconds = expires.as_secs(), "registered");
        }
    }

    pub(super) fn registration_failed(&mut self, aor: &Uri, status: Status, realm: Option<&str>) {
        let Some(trunk) = self.note_registration(aor, false) else {
            return;
        };
        let status = status.code();
        let realm = realm.map(|realm| text_of(Some(realm)));
        let what_to_do = match (status, realm) {
            (_, Some(realm)) => {
                format!("it challenges for the realm {realm:?}: write that as realm of its [[trunk]]")
            }
            (401 | 403 | 407, None) => format!("it takes neither our name nor our password: {LOOK_AT}"),
            (404, None) => format!("it does not know us: {LOOK_AT}, and at register"),
            (408 | 503, None) => {
                "it is not there: look at register and addresses of its [[trunk]], and whether the way there is open".to_owned()
            }
            (_, None) => "ask whoever runs it why".to_owned(),
        };
        tracing::warn!(
            trunk,
            status,
            "not registered, tried again by itself; {what_to_do}"
        );
    }

    /// The name of the far side whose registration it is.
    fn note_registration(&mut self, aor: &Uri, holds: bool) -> Option<String> {
        let is_it = |peer: &&Peer| {
            let known = registration_of(peer);
            known
                .and_then(|(account, at)| address_of_record(account, at))
                .as_ref()
                == Some(aor)
        };
        let name = self.peers.iter().find(is_it)?.name.clone();
        lock(&self.shared.trunks).insert(name.clone(), holds);
        Some(name)
    }

    /// A call that a far side wants proven, and that could not be.
    pub(super) fn say_if_challenged(&mut self, key: MediaId, status: Status) {
        let is_challenge = [Status::UNAUTHORIZED, Status::PROXY_AUTHENTICATION_REQUIRED];
        if !is_challenge.contains(&status) {
            return;
        }
        if let Some(call) = self.call(key) {
            let status = status.code();
            tracing::warn!(call = %call.id, status, "the called side wants us to prove who we are, and we could not: {LOOK_AT}");
        }
    }
}

fn registration_of(peer: &Peer) -> Option<(&Account, &Registration)> {
    let account = peer.account.as_ref()?;
    Some((account, account.registration.as_ref()?))
}

/// Our name at the registrar.
fn address_of_record(account: &Account, registration: &Registration) -> Option<Uri> {
    let host = registration.registrar.host()?.clone();
    let port = registration.registrar.as_sip().and_then(|uri| uri.port);
    Some(Uri::sip(Some(&account.credentials.user), host, port))
}
