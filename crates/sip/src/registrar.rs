//! Who is registered here, and where (RFC 3261 §10).
//! Owns: phone accounts and their bindings.
//! Never: proves anybody; sends anything.

use std::collections::HashMap;
use std::time::Instant;

use crate::digest::Ha1;
use crate::message::Uri;
use crate::stack::{Flow, PhoneAccount};

/// Accounts and bindings. A phone has one contact; the newest wins.
#[derive(Debug, Default)]
pub(crate) struct Registrar {
    accounts: HashMap<String, Ha1>,
    bindings: HashMap<String, Binding>,
    by_flow: HashMap<Flow, String>,
    by_number: HashMap<u64, String>,
    last: u64,
}

/// Where one phone is.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    /// Number of this binding, for its timer.
    pub(crate) number: u64,
    /// What it calls itself.
    pub(crate) contact: Uri,
    /// Where its REGISTER came from; requests to it go there.
    pub(crate) flow: Flow,
    pub(crate) call_id: String,
    pub(crate) cseq: u32,
    pub(crate) expires_at: Instant,
}

impl Registrar {
    pub(crate) fn len(&self) -> usize {
        self.bindings.len()
    }

    pub(crate) fn ha1(&self, user: &str) -> Option<&Ha1> {
        self.accounts.get(user)
    }

    /// Replaces the accounts. Returns the users whose binding ended by that.
    pub(crate) fn set_accounts(&mut self, accounts: Vec<PhoneAccount>) -> Vec<(String, Binding)> {
        let accounts: HashMap<String, Ha1> = accounts
            .into_iter()
            .map(|account| (account.user, account.ha1))
            .collect();
        let is_gone = |user: &&String| accounts.get(*user) != self.accounts.get(*user);
        let mut gone: Vec<String> = self.bindings.keys().filter(is_gone).cloned().collect();
        gone.sort();
        self.accounts = accounts;
        gone.into_iter()
            .filter_map(|user| self.remove(&user).map(|binding| (user, binding)))
            .collect()
    }

    pub(crate) fn binding(&self, user: &str) -> Option<&Binding> {
        self.bindings.get(user)
    }

    /// The phone whose messages come by this flow.
    pub(crate) fn user_at(&self, flow: Flow) -> Option<&str> {
        self.by_flow.get(&flow).map(String::as_str)
    }

    pub(crate) fn user_of(&self, number: u64) -> Option<&str> {
        self.by_number.get(&number).map(String::as_str)
    }

    /// Puts a binding in the place of the phone's old one, which is returned. The number is given here.
    pub(crate) fn bind(&mut self, user: &str, binding: Binding) -> (u64, Option<Binding>) {
        let old = self.remove(user);
        self.last += 1;
        let number = self.last;
        self.by_flow.insert(binding.flow, user.to_owned());
        self.by_number.insert(number, user.to_owned());
        self.bindings
            .insert(user.to_owned(), Binding { number, ..binding });
        (number, old)
    }

    pub(crate) fn remove(&mut self, user: &str) -> Option<Binding> {
        let binding = self.bindings.remove(user)?;
        self.by_number.remove(&binding.number);
        if self
            .by_flow
            .get(&binding.flow)
            .is_some_and(|known| known == user)
        {
            self.by_flow.remove(&binding.flow);
        }
        Some(binding)
    }

    /// Every flow a phone is at, in a fixed order.
    pub(crate) fn flows(&self) -> Vec<Flow> {
        let mut flows: Vec<Flow> = self.bindings.values().map(|binding| binding.flow).collect();
        flows.sort();
        flows
    }
}
