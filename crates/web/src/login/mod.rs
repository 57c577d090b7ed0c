//! Logins: who sits at which browser.
//! Owns: the table in memory, the idle lock, the end of a login.
//! Never: outlives the process, or keeps a cookie's value; only its hash is in the table.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::access::{
    Actor, AssignedRole, CustomRoles, Permission, Preferences, User, needs_second_factor,
};
use domain::id::{DesktopId, RoleId, UserId};
use rand::TryRngCore;
use secret::SecretText;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;

mod bucket;
pub(crate) mod frame_codes;
pub(crate) mod idle_accounts;
pub(crate) mod password;
pub(crate) mod second_factor;
pub(crate) mod set_up;
pub(crate) mod strangers;

pub(crate) use bucket::Bucket;

/// Logins at once: several times the agents of the largest site. At the limit the one that was idle longest ends.
const LOGINS_MAX: usize = 8_192;
/// Logins of one user: a few browsers. The one that was idle longest ends.
const LOGINS_PER_USER_MAX: usize = 8;

/// What a login in a frame may do at most: an agent's work. A page that was made to click there configures nothing.
const FRAME_RIGHTS: [Permission; 2] = [Permission::CaptureStart, Permission::CaptureViewBasic];

/// The hash under which a login is found.
pub(crate) type LoginKey = [u8; 32];

/// A login as a request finds it.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) key: LoginKey,
    pub(crate) actor: Actor,
    pub(crate) display_name: String,
    pub(crate) must_change_password: bool,
    pub(crate) preferences: Preferences,
    /// Nothing else works before the second factor is set up.
    pub(crate) must_set_second_factor: bool,
    pub(crate) csrf: String,
    /// Nobody touched key or pointer for too long; the password opens it again.
    pub(crate) locked: bool,
    /// It is that of a page in a frame of another site.
    pub(crate) framed: bool,
    /// Becomes true when the login ends.
    pub(crate) ended: watch::Receiver<bool>,
}

struct Entry {
    login: Login,
    /// The secret that was shown for the second factor, until a code of it comes.
    offered: Option<Arc<SecretText>>,
    /// The login that let a frame's in.
    let_in_by: Option<LoginKey>,
    began: Instant,
    active: Instant,
    ended: watch::Sender<bool>,
}

/// All logins.
pub(crate) struct Logins {
    table: Mutex<HashMap<LoginKey, Entry>>,
    idle_lock: Duration,
    limit: Duration,
    /// Logins of some rights need a second factor.
    second_factor: bool,
}

impl Logins {
    pub(crate) fn new(idle_lock: Duration, limit: Duration, second_factor: bool) -> Self {
        Self {
            table: Mutex::new(HashMap::new()),
            idle_lock,
            limit,
            second_factor,
        }
    }

    /// A new login and its cookie's value; none if the system has no random numbers.
    pub(crate) fn begin(
        &self,
        user: &User,
        custom: &CustomRoles,
        address: &str,
        now: Instant,
    ) -> Option<(String, Login)> {
        self.seat(user.actor(custom, address), user, None, (now, now))
    }

    /// A login for a frame, let in by another one: it ends when that one does. None if that one is gone.
    pub(crate) fn begin_framed(
        &self,
        by: &LoginKey,
        user: &User,
        custom: &CustomRoles,
        address: &str,
        now: Instant,
    ) -> Option<(String, Login)> {
        let began = self.table().get(by)?.began;
        let mut actor = user.actor(custom, address);
        actor.permissions = rights_of(actor.permissions, true);
        self.seat(actor, user, Some(*by), (began, now))
    }

    fn seat(
        &self,
        actor: Actor,
        user: &User,
        let_in_by: Option<LoginKey>,
        (began, now): (Instant, Instant),
    ) -> Option<(String, Login)> {
        let cookie = random_hex()?;
        let (sender, receiver) = watch::channel(false);
        let login = Login {
            key: key_of(&cookie),
            must_set_second_factor: self.second_factor
                && user.second_factor.is_none()
                && needs_second_factor(&actor.permissions),
            actor,
            display_name: user.display_name.clone(),
            must_change_password: user.must_change_password,
            preferences: user.preferences,
            csrf: random_hex()?,
            locked: false,
            framed: let_in_by.is_some(),
            ended: receiver,
        };
        let mut table = self.table();
        make_room(&mut table, &user.id);
        table.insert(
            login.key,
            Entry {
                login: login.clone(),
                offered: None,
                let_in_by,
                began,
                active: now,
                ended: sender,
            },
        );
        Some((cookie, login))
    }

    /// The login of a cookie. Past its limit it ends, idle for too long it is locked.
    pub(crate) fn find(&self, cookie: &str, now: Instant) -> Option<Login> {
        self.look(&key_of(cookie), now)
    }

    /// As [`Logins::find`], for those who keep the key: event streams.
    pub(crate) fn look(&self, key: &LoginKey, now: Instant) -> Option<Login> {
        let mut table = self.table();
        let entry = table.get_mut(key)?;
        if now.saturating_duration_since(entry.began) >= self.limit {
            end(table.remove(key));
            return None;
        }
        if now.saturating_duration_since(entry.active) >= self.idle_lock {
            entry.login.locked = true;
        }
        Some(entry.login.clone())
    }

    /// Key or pointer moved. A lock stays.
    pub(crate) fn touch(&self, key: &LoginKey, now: Instant) {
        if let Some(entry) = self.table().get_mut(key)
            && !entry.login.locked
        {
            entry.active = now;
        }
    }

    /// The password was right.
    pub(crate) fn unlock(&self, key: &LoginKey, now: Instant) {
        if let Some(entry) = self.table().get_mut(key) {
            entry.login.locked = false;
            entry.active = now;
        }
    }

    /// This secret was shown for the second factor.
    pub(crate) fn offer(&self, key: &LoginKey, secret: Arc<SecretText>) {
        if let Some(entry) = self.table().get_mut(key) {
            entry.offered = Some(secret);
        }
    }

    /// The secret that was shown last.
    pub(crate) fn offered(&self, key: &LoginKey) -> Option<Arc<SecretText>> {
        self.table().get(key)?.offered.clone()
    }

    /// Logout, also of the frames that this login let in.
    pub(crate) fn end(&self, key: &LoginKey) {
        self.keep(|other, entry| other != key && entry.let_in_by.as_ref() != Some(key));
    }

    /// Ends all logins of a user but one.
    pub(crate) fn end_all_of(&self, user: &UserId, but: Option<&LoginKey>) {
        self.keep(|key, entry| entry.login.actor.user != *user || but == Some(key));
    }

    /// Ends all logins of those who have a custom role: it allows something else now.
    pub(crate) fn end_all_with(&self, role: &RoleId) {
        let role = AssignedRole::Custom(role.clone());
        self.keep(|_, entry| !entry.login.actor.roles.contains(&role));
    }

    /// Ends all logins but those that stay.
    fn keep(&self, stays: impl Fn(&LoginKey, &Entry) -> bool) {
        self.table().retain(|key, entry| {
            let stays = stays(key, entry);
            if !stays {
                entry.ended.send_replace(true);
            }
            stays
        });
    }

    /// A user was saved: other roles or rights or a disabled account end the logins, the rest is taken over.
    pub(crate) fn refresh(&self, user: &User, custom: &CustomRoles) {
        let permissions = custom.permissions_of(&user.roles);
        self.table().retain(|_, entry| {
            let login = &mut entry.login;
            if login.actor.user != user.id {
                return true;
            }
            let rights = rights_of(permissions.clone(), login.framed);
            let same = login.actor.roles == user.roles && login.actor.permissions == rights;
            if !user.enabled || !same {
                entry.ended.send_replace(true);
                return false;
            }
            login.actor.desktop.clone_from(&user.desktop);
            login.actor.name.clone_from(&user.name);
            login.display_name.clone_from(&user.display_name);
            login.must_change_password = user.must_change_password;
            login.preferences = user.preferences;
            login.must_set_second_factor &= user.second_factor.is_none();
            if user.second_factor.is_some() {
                entry.offered = None;
            }
            true
        });
    }

    /// A user works with another desktop, or with none.
    pub(crate) fn moved(&self, user: &UserId, desktop: Option<&DesktopId>) {
        for entry in self.table().values_mut() {
            if entry.login.actor.user == *user {
                entry.login.actor.desktop = desktop.cloned();
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<LoginKey, Entry>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rights that a login has of its user's.
fn rights_of(mut all: BTreeSet<Permission>, framed: bool) -> BTreeSet<Permission> {
    if framed {
        all.retain(|right| FRAME_RIGHTS.contains(right));
    }
    all
}

fn end(entry: Option<Entry>) {
    if let Some(entry) = entry {
        entry.ended.send_replace(true);
    }
}

fn make_room(table: &mut HashMap<LoginKey, Entry>, user: &UserId) {
    let own = table
        .values()
        .filter(|entry| entry.login.actor.user == *user);
    if own.count() >= LOGINS_PER_USER_MAX {
        end(remove_idlest(table, |entry| {
            entry.login.actor.user == *user
        }));
    }
    if table.len() >= LOGINS_MAX {
        end(remove_idlest(table, |_| true));
    }
}

fn remove_idlest(
    table: &mut HashMap<LoginKey, Entry>,
    among: impl Fn(&Entry) -> bool,
) -> Option<Entry> {
    let key = table
        .iter()
        .filter(|(_, entry)| among(entry))
        .min_by_key(|(_, entry)| entry.active)
        .map(|(key, _)| *key)?;
    table.remove(&key)
}

/// The hash of a text from outside.
pub(crate) fn key_of(text: &str) -> LoginKey {
    Sha256::digest(text.as_bytes()).into()
}

/// 256 random bits of the operating system in hex.
pub(crate) fn random_hex() -> Option<String> {
    let mut bytes = [0_u8; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// A random identity.
pub(crate) fn random_u128() -> Option<u128> {
    let mut bytes = [0_u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(u128::from_be_bytes(bytes))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::access::Role;

    fn user(number: u128) -> User {
        User {
            name: format!("user{number}"),
            roles: BTreeSet::from([Role::Agent.into()]),
            must_change_password: false,
            revision: 1,
            ..User::blank(UserId::from_random(number))
        }
    }

    fn begin(logins: &Logins, user: &User, now: Instant) -> (String, Login) {
        logins
            .begin(user, &CustomRoles::default(), "-", now)
            .unwrap()
    }

    fn logins() -> Logins {
        Logins::new(Duration::from_secs(900), Duration::from_secs(43_200), true)
    }

    #[test]
    fn an_idle_login_locks_and_stays_locked_until_the_password_comes() {
        let (logins, start) = (logins(), Instant::now());
        let (cookie, login) = begin(&logins, &user(1), start);
        let later = start + Duration::from_secs(899);
        assert!(!logins.find(&cookie, later).unwrap().locked);
        logins.touch(&login.key, later);
        let late = later + Duration::from_secs(900);
        assert!(logins.find(&cookie, late).unwrap().locked);
        logins.touch(&login.key, late);
        assert!(logins.find(&cookie, late).unwrap().locked);
        logins.unlock(&login.key, late);
        assert!(!logins.find(&cookie, late).unwrap().locked);
    }

    #[test]
    fn a_login_ends_after_its_limit_however_busy_it_is() {
        let (logins, start) = (logins(), Instant::now());
        let (cookie, login) = begin(&logins, &user(1), start);
        for minutes in (0..720).step_by(10) {
            let at = start + Duration::from_secs(minutes * 60);
            assert!(logins.find(&cookie, at).is_some());
            logins.touch(&login.key, at);
        }
        let end = start + Duration::from_secs(43_200);
        assert!(logins.find(&cookie, end).is_none());
        assert!(*login.ended.borrow());
    }

    #[test]
    fn a_frame_has_an_agents_rights_at_most_and_ends_with_the_login_that_let_it_in() {
        let (logins, start) = (logins(), Instant::now());
        let mut lead = user(1);
        lead.roles.insert(Role::SecurityAdmin.into());
        let (_, own) = begin(&logins, &lead, start);
        let later = start + Duration::from_secs(40_000);
        let custom = CustomRoles::default();
        let framed = logins.begin_framed(&own.key, &lead, &custom, "-", later);
        let (cookie, framed) = framed.unwrap();
        let rights = BTreeSet::from(FRAME_RIGHTS);
        assert_eq!((framed.framed, framed.actor.permissions), (true, rights));
        lead.preferences.theme = Some(domain::access::Theme::Dark);
        logins.refresh(&lead, &custom);
        assert!(logins.find(&cookie, later).is_some());
        let end = start + Duration::from_secs(43_200);
        assert!(logins.find(&cookie, end).is_none());
        let framed = logins.begin_framed(&own.key, &lead, &custom, "-", start);
        let (cookie, framed) = framed.unwrap();
        logins.end(&framed.key);
        assert!(logins.look(&own.key, start).is_some(), "it stays alone");
        assert!(logins.find(&cookie, start).is_none());
        let framed = logins.begin_framed(&own.key, &lead, &custom, "-", start);
        let (cookie, framed) = framed.unwrap();
        logins.end(&own.key);
        assert!(logins.find(&cookie, start).is_none(), "signed out with it");
        assert!(*framed.ended.borrow());
        assert!(
            logins
                .begin_framed(&key_of("x"), &lead, &custom, "-", start)
                .is_none()
        );
    }

    #[test]
    fn other_roles_end_a_login_and_another_desktop_does_not() {
        let (logins, now) = (logins(), Instant::now());
        let mut user = user(1);
        let (cookie, _) = begin(&logins, &user, now);
        user.desktop = Some(DesktopId::from_random(5));
        logins.refresh(&user, &CustomRoles::default());
        let login = logins.find(&cookie, now).unwrap();
        assert_eq!(login.actor.desktop, user.desktop);
        user.roles.insert(Role::Supervisor.into());
        logins.refresh(&user, &CustomRoles::default());
        assert!(logins.find(&cookie, now).is_none());
        assert!(*login.ended.borrow());
    }

    #[test]
    fn another_right_of_a_role_ends_the_logins_of_those_who_have_it() {
        let (logins, now) = (logins(), Instant::now());
        let role = RoleId::from_random(9);
        let mut lead = user(1);
        lead.roles.insert(AssignedRole::Custom(role.clone()));
        let (lead, _) = begin(&logins, &lead, now);
        let (other, _) = begin(&logins, &user(2), now);
        logins.end_all_with(&role);
        assert!(logins.find(&lead, now).is_none());
        assert!(logins.find(&other, now).is_some());
    }

    #[test]
    fn one_user_keeps_the_browsers_used_last() {
        let (logins, start) = (logins(), Instant::now());
        let cookies: Vec<_> = (0..9)
            .map(|second| {
                let at = start + Duration::from_secs(second);
                begin(&logins, &user(1), at).0
            })
            .collect();
        let alive = |cookie: &String| logins.find(cookie, start).is_some();
        assert!(!alive(&cookies[0]));
        assert!(cookies[1..].iter().all(alive));
    }
}
