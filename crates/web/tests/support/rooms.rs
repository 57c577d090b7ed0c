//! The rooms behind the traits, in memory, with the behaviour that the traits promise.

mod desktops;
mod follow_ups;
mod services;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use domain::access::{AssignedRole, CustomRole, CustomRoles, User};
use domain::audit::{ChainedDocument, ChainedEntry, TrailFilter};
use domain::boundary::{
    AuditTrail, Audited, Change, Charge, Designs, EvidenceKeys, NotSent, Operation, PaymentGateway,
    Payments, ReadyCharge, ReadyOperation, Store, StoreError, Takers, Task, Users,
};
use domain::capture::routing::{BankTable, RefusedRoutings};
use domain::designer::{DesignerDesktop, SavedDesign};
use domain::desktop::{Desktop, SavedDesktop, SecretsSet};
use domain::evidence::Evidence;
use domain::gateway::NotSentReason;
use domain::gateway::approval::HostApproval;
use domain::id::{AttemptId, DesignId, DesktopId, RoleId, UserId, WidgetId};
use domain::payment::follow_up::{Aftermath, FollowUp, FollowUpKind};
use domain::payment::resolution::Proposal;
use domain::payment::{AttemptState, LedgerFilter, LedgerPlace, LedgerRow, Payment, PlanStanding};
use domain::queue::sound::{Sound, SoundChange};
use domain::service::{ResponseVariables, Service, Settings};
use domain::time::{UnixMillis, WallClock};
use secret::SecretText;
use serde_json::json;
use web::{ChangeHooks, Changed};

/// Everything that is stored.
pub(crate) struct Rooms {
    pub(crate) users: Mutex<Vec<User>>,
    pub(crate) roles: Mutex<Vec<CustomRole>>,
    pub(crate) second_factors: Mutex<HashMap<UserId, Arc<SecretText>>>,
    pub(crate) desktops: Mutex<Vec<Desktop>>,
    /// Every revision of every desktop, in the order in which they were saved.
    pub(crate) saved: Mutex<Vec<SavedDesktop>>,
    /// Hosts that may not receive captured values.
    pub(crate) refused_hosts: Mutex<Vec<String>>,
    pub(crate) approved_hosts: Mutex<Vec<HostApproval>>,
    pub(crate) designs: Mutex<Vec<DesignerDesktop>>,
    /// Every revision of every design, as it was saved.
    pub(crate) saved_designs: Mutex<Vec<SavedDesign>>,
    pub(crate) services: Mutex<Vec<Service>>,
    pub(crate) sounds: Mutex<Vec<Sound>>,
    pub(crate) settings: Mutex<Settings>,
    pub(crate) refused_routings: Mutex<RefusedRoutings>,
    pub(crate) banks: Mutex<BankTable>,
    pub(crate) payments: Mutex<Vec<Payment>>,
    pub(crate) proposals: Mutex<HashMap<AttemptId, Proposal>>,
    pub(crate) follow_ups: Mutex<Vec<FollowUp>>,
    /// What every gateway here is configured for.
    pub(crate) operations: Mutex<BTreeSet<FollowUpKind>>,
    pub(crate) entries: Mutex<Vec<ChainedEntry>>,
    pub(crate) passwords: Mutex<Vec<(WidgetId, UnixMillis)>>,
    pub(crate) secrets: Mutex<SecretsSet>,
    pub(crate) signals: Mutex<Vec<Changed>>,
    /// What the next write or read answers instead.
    pub(crate) failure: Mutex<Option<StoreError>>,
    now: AtomicI64,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            users: Mutex::default(),
            roles: Mutex::default(),
            second_factors: Mutex::default(),
            desktops: Mutex::default(),
            saved: Mutex::default(),
            refused_hosts: Mutex::default(),
            approved_hosts: Mutex::default(),
            designs: Mutex::default(),
            saved_designs: Mutex::default(),
            services: Mutex::default(),
            sounds: Mutex::default(),
            refused_routings: Mutex::default(),
            banks: Mutex::default(),
            settings: Mutex::new(Settings {
                spc_enabled: true,
                response_variables: ResponseVariables::All,
                revision: 1,
            }),
            payments: Mutex::default(),
            proposals: Mutex::default(),
            follow_ups: Mutex::default(),
            operations: Mutex::new(FollowUpKind::ALL.into()),
            entries: Mutex::default(),
            passwords: Mutex::default(),
            secrets: Mutex::default(),
            signals: Mutex::default(),
            failure: Mutex::default(),
            now: AtomicI64::new(1_800_000_000_000),
        }
    }
}

impl Rooms {
    pub(crate) fn add_user(&self, user: User) {
        self.users.lock().unwrap().push(user);
    }

    pub(crate) fn add_desktop(&self, desktop: Desktop) {
        self.note(&desktop, "system");
        self.desktops.lock().unwrap().push(desktop);
    }

    fn note(&self, desktop: &Desktop, by: &str) {
        self.saved.lock().unwrap().push(SavedDesktop {
            desktop: desktop.clone(),
            saved_at: self.now(),
            saved_by: by.to_owned(),
        });
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// The server's file does not list it.
    pub(crate) fn refuse_host(&self, host: &str) {
        self.refused_hosts.lock().unwrap().push(host.to_owned());
    }

    pub(crate) fn user_named(&self, name: &str) -> User {
        let users = self.users.lock().unwrap();
        users.iter().find(|user| user.name == name).unwrap().clone()
    }

    pub(crate) fn change_user(&self, name: &str, change: impl FnOnce(&mut User)) {
        let mut users = self.users.lock().unwrap();
        change(users.iter_mut().find(|user| user.name == name).unwrap());
    }

    /// What the audit trail says, as JSON.
    pub(crate) fn trail(&self) -> String {
        serde_json::to_string(&*self.entries.lock().unwrap()).unwrap()
    }

    pub(crate) fn last_entry(&self) -> ChainedEntry {
        self.entries.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn fail_next(&self, error: StoreError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    fn fault(&self) -> Result<(), StoreError> {
        self.failure.lock().unwrap().take().map_or(Ok(()), Err)
    }

    fn assign(&self, desktop: &DesktopId, added: &[UserId], removed: &[UserId]) {
        for user in &mut *self.users.lock().unwrap() {
            if added.contains(&user.id) {
                user.desktop = Some(desktop.clone());
            } else if removed.contains(&user.id) {
                user.desktop = None;
            }
        }
    }

    fn save_user(&self, user: User) -> Result<i64, StoreError> {
        let mut users = self.users.lock().unwrap();
        let mut admins = users.iter().filter(|old| old.is_security_admin());
        let left = admins.any(|old| old.id != user.id) || user.is_security_admin();
        let was = users.iter().find(|old| old.id == user.id);
        if was.is_some_and(User::is_security_admin) && !left {
            return Err(StoreError::LastSecurityAdmin);
        }
        if user.second_factor.is_none() {
            self.second_factors.lock().unwrap().remove(&user.id);
        }
        save(&mut users, user, |user| &user.id, |user| &mut user.revision)
    }

    fn delete_role(&self, id: &RoleId) -> Result<i64, StoreError> {
        let role = AssignedRole::Custom(id.clone());
        let users = self.users.lock().unwrap();
        if let Some(user) = users.iter().find(|user| user.roles.contains(&role)) {
            return Err(StoreError::InUse(format!("the user {}", user.name)));
        }
        self.roles.lock().unwrap().retain(|old| old.id != *id);
        Ok(0)
    }

    /// Of the conditions only those that the HTTP side sets by itself; the others are the store's to test.
    fn that_fit(&self, filter: &LedgerFilter) -> Vec<Payment> {
        let fits = |row: &&Payment| {
            let agent = filter.agent.as_ref();
            agent.is_none_or(|agent| row.agent == *agent)
                && filter.from.is_none_or(|from| row.created_at >= from)
                && filter.until.is_none_or(|until| row.created_at < until)
                && filter
                    .standing
                    .is_none_or(|standing| row.state.standing() == standing)
        };
        let payments = self.payments.lock().unwrap();
        payments.iter().filter(fits).cloned().collect()
    }

    fn apply(&self, change: Change, by: &str) -> Result<i64, StoreError> {
        match change {
            Change::SaveUser(user) => self.save_user(user),
            Change::SetSecondFactor { user, secret } => {
                let id = user.id.clone();
                let revision = self.save_user(user)?;
                self.second_factors.lock().unwrap().insert(id, secret);
                Ok(revision)
            }
            Change::SaveRole(role) => {
                let mut roles = self.roles.lock().unwrap();
                save(&mut roles, role, |role| &role.id, |role| &mut role.revision)
            }
            Change::DeleteRole(id) => self.delete_role(&id),
            Change::SaveService(service) => {
                let mut services = self.services.lock().unwrap();
                save(&mut services, service, |s| &s.id, |s| &mut s.revision)
            }
            Change::Sound(SoundChange::Insert { sound, .. }) => self.keep_sound(sound),
            Change::Sound(SoundChange::Delete(id)) => self.delete_sound(&id),
            Change::SaveSettings(mut new) => {
                let mut settings = self.settings.lock().unwrap();
                if settings.revision != new.revision {
                    return Err(StoreError::Conflict);
                }
                new.revision += 1;
                *settings = new;
                Ok(settings.revision)
            }
            Change::SaveRefusedRoutings(mut new) => {
                let mut list = self.refused_routings.lock().unwrap();
                if list.revision != new.revision {
                    return Err(StoreError::Conflict);
                }
                new.revision += 1;
                *list = new;
                Ok(list.revision)
            }
            Change::ReplaceBanks(table) => {
                let mut banks = self.banks.lock().unwrap();
                let revision = banks.revision + 1;
                *banks = BankTable {
                    revision,
                    ..BankTable::clone(&table)
                };
                Ok(revision)
            }
            other => self.apply_to_desktop(other, by),
        }
    }

    fn save_design(&self, design: DesignerDesktop, by: &str) -> Result<i64, StoreError> {
        let kept = design.clone();
        let mut designs = self.designs.lock().unwrap();
        let revision = save(&mut designs, design, |d| &d.id, |d| &mut d.revision)?;
        self.saved_designs.lock().unwrap().push(SavedDesign {
            design: DesignerDesktop { revision, ..kept },
            saved_at: self.now(),
            saved_by: by.to_owned(),
        });
        Ok(revision)
    }

    fn apply_to_desktop(&self, change: Change, by: &str) -> Result<i64, StoreError> {
        match change {
            Change::SaveDesktop {
                desktop,
                credentials,
            } => self.save_desktop(desktop, credentials, by),
            Change::AssignDesktop {
                desktop,
                added,
                removed,
            } => {
                self.assign(&desktop, &added, &removed);
                Ok(0)
            }
            Change::DeleteDesktop(id) => {
                let users = self.users.lock().unwrap();
                if users.iter().any(|user| user.desktop.as_ref() == Some(&id)) {
                    return Err(StoreError::InUse("1 user".to_owned()));
                }
                self.desktops.lock().unwrap().retain(|old| old.id != id);
                Ok(0)
            }
            Change::SaveDesign(design) => self.save_design(design, by),
            Change::DeleteDesign(id) => {
                let desktops = self.desktops.lock().unwrap();
                if let Some(user) = desktops
                    .iter()
                    .find(|desktop| desktop.design.as_ref() == Some(&id))
                {
                    return Err(StoreError::InUse(format!("the desktop {}", user.name)));
                }
                self.designs.lock().unwrap().retain(|old| old.id != id);
                Ok(0)
            }
            Change::BindDesign { desktop, design } => {
                self.apply(Change::SaveDesign(design), by)?;
                let credentials = Default::default();
                let change = Change::SaveDesktop {
                    desktop,
                    credentials,
                };
                self.apply(change, by)
            }
            Change::ApproveHost(approval) => {
                self.approved_hosts.lock().unwrap().push(approval);
                Ok(0)
            }
            Change::WithdrawHost(authority) => {
                let mut approved = self.approved_hosts.lock().unwrap();
                approved.retain(|host| host.authority != authority);
                Ok(0)
            }
            other => self.apply_to_payment(other),
        }
    }

    fn apply_to_payment(&self, change: Change) -> Result<i64, StoreError> {
        match change {
            Change::MovePayment {
                attempt, from, to, ..
            } => {
                let mut payments = self.payments.lock().unwrap();
                let payment = payments.iter_mut().find(|row| row.attempt == attempt);
                let payment = payment.filter(|row| row.state == from);
                payment.ok_or(StoreError::Conflict)?.state = to;
                Ok(0)
            }
            Change::ProposeResolution(proposal) => {
                let mut proposals = self.proposals.lock().unwrap();
                let before = proposals.insert(proposal.attempt.clone(), proposal);
                before.map_or(Ok(0), |_| Err(StoreError::Conflict))
            }
            Change::RejectResolution(proposal) => {
                let removed = self.proposals.lock().unwrap().remove(&proposal.attempt);
                removed.map(|_| 0).ok_or(StoreError::Conflict)
            }
            Change::ConfirmResolution { proposal, .. } => {
                let removed = self.proposals.lock().unwrap().remove(&proposal.attempt);
                removed.ok_or(StoreError::Conflict)?;
                let mut payments = self.payments.lock().unwrap();
                let payment = payments
                    .iter_mut()
                    .find(|row| row.attempt == proposal.attempt);
                payment.ok_or(StoreError::Conflict)?.state =
                    AttemptState::Final(proposal.outcome.into());
                Ok(0)
            }
            other => self.apply_to_follow_up(other),
        }
    }
}

fn save<T, I: PartialEq>(
    rows: &mut Vec<T>,
    mut row: T,
    id: impl Fn(&T) -> &I,
    revision: impl Fn(&mut T) -> &mut i64,
) -> Result<i64, StoreError> {
    let place = rows.iter().position(|old| id(old) == id(&row));
    let stored = place.map_or(0, |place| *revision(&mut rows[place]));
    if stored != *revision(&mut row) {
        return Err(StoreError::Conflict);
    }
    *revision(&mut row) += 1;
    let new = *revision(&mut row);
    match place {
        Some(place) => rows[place] = row,
        None => rows.push(row),
    }
    Ok(new)
}

pub(super) fn task<'a, T: Send + 'a>(value: T) -> Task<'a, T> {
    Box::pin(async move { value })
}

impl WallClock for Rooms {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.now.load(Ordering::SeqCst))
    }
}

impl ChangeHooks for Rooms {
    fn changed(&self, what: Changed) {
        self.signals.lock().unwrap().push(what);
    }
}

impl Store for Rooms {
    fn commit(&self, audited: Audited) -> Task<'_, Result<i64, StoreError>> {
        let write = || {
            self.fault()?;
            let revision = self.apply(audited.change, &audited.entry.actor)?;
            let mut entries = self.entries.lock().unwrap();
            let seq = i64::try_from(entries.len()).unwrap() + 1;
            entries.push(ChainedEntry {
                position: seq,
                seq,
                chain: "test".to_owned(),
                entry: audited.entry,
                hash: format!("{seq:064x}"),
            });
            Ok(revision)
        };
        task(write())
    }
}

impl Users for Rooms {
    fn user_by_name<'a>(&'a self, name: &'a str) -> Task<'a, Result<Option<User>, StoreError>> {
        let users = self.users.lock().unwrap();
        task(Ok(users.iter().find(|user| user.name == name).cloned()))
    }

    fn user<'a>(&'a self, id: &'a UserId) -> Task<'a, Result<Option<User>, StoreError>> {
        let users = self.users.lock().unwrap();
        task(Ok(users.iter().find(|user| user.id == *id).cloned()))
    }

    fn users(&self) -> Task<'_, Result<Vec<User>, StoreError>> {
        task(Ok(self.users.lock().unwrap().clone()))
    }

    fn second_factor<'a>(
        &'a self,
        user: &'a UserId,
    ) -> Task<'a, Result<Option<SecretText>, StoreError>> {
        let secrets = self.second_factors.lock().unwrap();
        let secret = secrets.get(user);
        task(Ok(
            secret.map(|secret| SecretText::new(secret.expose().to_owned()))
        ))
    }

    fn custom_roles(&self) -> Task<'_, Result<CustomRoles, StoreError>> {
        task(Ok(self.roles.lock().unwrap().iter().cloned().collect()))
    }
}

impl PaymentGateway for Rooms {
    fn authority_approved(&self, authority: &str) -> bool {
        let refused = self.refused_hosts.lock().unwrap();
        let approved = self.approved_hosts.lock().unwrap();
        approved.iter().any(|host| host.authority == authority)
            || !refused.iter().any(|host| authority.contains(host.as_str()))
    }

    fn set_approved_hosts(&self, _: Vec<String>) {
        panic!("the HTTP side leaves that to whoever watches the store");
    }

    fn connect(&self, _: Charge) -> Task<'_, Result<Box<dyn ReadyCharge>, NotSent>> {
        panic!("the HTTP side charges nobody");
    }

    fn connect_operation(
        &self,
        _: Operation,
    ) -> Task<'_, Result<Box<dyn ReadyOperation>, NotSentReason>> {
        panic!("the HTTP side asks no gateway");
    }
}

impl Designs for Rooms {
    fn designs(&self) -> Task<'_, Result<Vec<DesignerDesktop>, StoreError>> {
        task(Ok(self.designs.lock().unwrap().clone()))
    }

    fn design<'a>(
        &'a self,
        id: &'a DesignId,
    ) -> Task<'a, Result<Option<DesignerDesktop>, StoreError>> {
        let designs = self.designs.lock().unwrap();
        task(Ok(designs.iter().find(|old| old.id == *id).cloned()))
    }

    fn design_revisions<'a>(
        &'a self,
        id: &'a DesignId,
        limit: u32,
    ) -> Task<'a, Result<Vec<SavedDesign>, StoreError>> {
        let saved = self.saved_designs.lock().unwrap();
        let own = saved.iter().rev().filter(|saved| saved.design.id == *id);
        let limit = usize::try_from(limit).unwrap();
        task(Ok(own.take(limit).cloned().collect()))
    }

    fn design_revision<'a>(
        &'a self,
        id: &'a DesignId,
        revision: i64,
    ) -> Task<'a, Result<Option<SavedDesign>, StoreError>> {
        let saved = self.saved_designs.lock().unwrap();
        let one =
            |saved: &&SavedDesign| saved.design.id == *id && saved.design.revision == revision;
        task(Ok(saved.iter().find(one).cloned()))
    }
}

impl Payments for Rooms {
    fn payment<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Payment>, StoreError>> {
        let payments = self.payments.lock().unwrap();
        task(Ok(payments
            .iter()
            .find(|row| row.attempt == *attempt)
            .cloned()))
    }

    fn payments<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        after: Option<&'a LedgerPlace>,
        limit: u32,
    ) -> Task<'a, Result<Vec<LedgerRow>, StoreError>> {
        let proposals = self.proposals.lock().unwrap();
        let mut found = self.that_fit(filter);
        found.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.attempt.clone())));
        let place = |row: &Payment| (row.created_at, row.attempt.clone());
        let after = after.map(|place| (place.created_at, place.attempt.clone()));
        let older = found
            .into_iter()
            .filter(|row| after.as_ref().is_none_or(|after| place(row) < *after));
        let with_proposal = |payment: Payment| LedgerRow {
            proposal: proposals.get(&payment.attempt).cloned(),
            aftermath: Aftermath::of(&self.of_attempt(&payment.attempt)),
            plan: PlanStanding::among(&payment, &self.of_attempt(&payment.attempt)),
            payment,
        };
        let limit = usize::try_from(limit).unwrap();
        task(Ok(older.take(limit).map(with_proposal).collect()))
    }

    fn proposal<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Option<Proposal>, StoreError>> {
        task(Ok(self.proposals.lock().unwrap().get(attempt).cloned()))
    }

    fn follow_ups<'a>(
        &'a self,
        attempt: &'a AttemptId,
    ) -> Task<'a, Result<Vec<FollowUp>, StoreError>> {
        task(Ok(self.of_attempt(attempt)))
    }

    fn unfinished_follow_ups(&self) -> Task<'_, Result<Vec<FollowUp>, StoreError>> {
        task(Ok(Vec::new()))
    }

    fn count<'a>(
        &'a self,
        filter: &'a LedgerFilter,
        most: u32,
    ) -> Task<'a, Result<u32, StoreError>> {
        let found = u32::try_from(self.that_fit(filter).len()).unwrap();
        task(Ok(found.min(most)))
    }

    fn takers(&self) -> Task<'_, Result<Takers, StoreError>> {
        let users = self.users.lock().unwrap();
        let payments = self.payments.lock().unwrap();
        let takes = |user: &&User| payments.iter().any(|row| row.agent == user.id);
        let agents = users.iter().filter(takes);
        task(Ok(Takers {
            agents: agents
                .map(|user| (user.id.clone(), user.name.clone()))
                .collect(),
            desktops: Vec::new(),
        }))
    }

    fn unfinished(&self) -> Task<'_, Result<Vec<Payment>, StoreError>> {
        task(Ok(Vec::new()))
    }
}

impl AuditTrail for Rooms {
    fn entries<'a>(
        &'a self,
        filter: &'a TrailFilter,
        before: i64,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>> {
        let entries = self.entries.lock().unwrap();
        let old = entries
            .iter()
            .rev()
            .filter(|entry| before == 0 || entry.seq < before)
            .filter(|chained| {
                let entry = &chained.entry;
                let begins = |object: &String| entry.object.starts_with(object);
                filter
                    .actor
                    .as_ref()
                    .is_none_or(|actor| entry.actor == *actor)
                    && filter.action.is_none_or(|action| entry.action == action)
                    && filter.object.as_ref().is_none_or(begins)
            });
        let limit = usize::try_from(limit).unwrap();
        task(Ok(old.take(limit).cloned().collect()))
    }

    fn documents(
        &self,
        at: std::ops::Range<UnixMillis>,
        after: i64,
        limit: u32,
    ) -> Task<'_, Result<Vec<ChainedDocument>, StoreError>> {
        let entries = self.entries.lock().unwrap();
        let found = entries
            .iter()
            .filter(|chained| chained.position > after && at.contains(&chained.entry.at));
        let limit = usize::try_from(limit).unwrap();
        task(Ok(found.take(limit).map(document).collect()))
    }

    fn about<'a>(
        &'a self,
        objects: &'a [String],
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedEntry>, StoreError>> {
        let entries = self.entries.lock().unwrap();
        let about = entries
            .iter()
            .filter(|chained| objects.contains(&chained.entry.object));
        let limit = usize::try_from(limit).unwrap();
        task(Ok(about.take(limit).cloned().collect()))
    }

    fn documents_about<'a>(
        &'a self,
        object: &'a str,
        limit: u32,
    ) -> Task<'a, Result<Vec<ChainedDocument>, StoreError>> {
        let entries = self.entries.lock().unwrap();
        let about = entries
            .iter()
            .filter(|chained| chained.entry.object == object);
        let limit = usize::try_from(limit).unwrap();
        task(Ok(about.take(limit).map(document).collect()))
    }

    fn verify(&self) -> Task<'_, Result<Option<ChainedEntry>, StoreError>> {
        task(self.fault().map(|()| None))
    }
}

fn document(chained: &ChainedEntry) -> ChainedDocument {
    ChainedDocument {
        position: chained.position,
        chain: chained.chain.clone(),
        seq: chained.seq,
        previous: "0".repeat(64),
        document: serde_json::to_string(&chained.entry).unwrap(),
        hash: chained.hash.clone(),
    }
}

/// What is to be signed stands in the payload as it is; the store's tests sign.
impl EvidenceKeys for Rooms {
    fn sign(&self, evidence: &Evidence) -> Result<String, StoreError> {
        self.fault()?;
        Ok(json!({"payload": evidence}).to_string())
    }

    fn public_keys(&self) -> Result<serde_json::Value, StoreError> {
        self.fault()?;
        Ok(json!({"keys": []}))
    }
}
