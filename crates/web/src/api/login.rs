//! Logins, the idle lock, the own password.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use domain::access::password::PASSWORDS_REFUSED;
use domain::access::{Actor, AssignedRole, CustomRoles, Permission, Preferences, User};
use domain::audit::{AuditAction, AuditEntry};
use domain::boundary::{Change, StoreError};
use domain::id::{DesktopId, UserId};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{Answer, Silent};
use crate::app::Shared;
use crate::extract::{Caller, Input};
use crate::guard::{COOKIE_NAME, FRAME_COOKIE_NAME};
use crate::login::password::{Password, PasswordError, Turn, password_rule};
use crate::login::second_factor::step_of;
use crate::login::{Login, LoginKey};
use crate::problem::{Code, Problem};
use crate::server::Peer;

/// Failures that lock an account (SETTLED S22).
pub(crate) const FAILURES_MAX: u32 = 10;
/// For so long.
pub(crate) const LOCK: Duration = Duration::from_secs(30 * 60);
/// The same in milliseconds.
const LOCK_MS: i64 = 30 * 60 * 1_000;
/// Longest login name.
const NAME_CHARS_MAX: usize = 64;
/// A failure is written again if someone saved the user meanwhile, so often. After that the login is refused as busy.
pub(crate) const SAVES_MAX: u32 = 4;

/// User name and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginForm {
    /// Login name.
    user: String,
    /// Password.
    #[schema(value_type = String, format = Password)]
    password: Password,
    /// The code of the authenticator app, of whoever has set one up.
    #[serde(default)]
    code: Option<String>,
}

/// A password alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnlockForm {
    /// The user's password.
    #[schema(value_type = String, format = Password)]
    password: Password,
}

/// A change of the own password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordForm {
    /// The one that holds now.
    #[schema(value_type = String, format = Password)]
    current: Password,
    /// 12 to 128 characters with letters and digits.
    #[schema(value_type = String, format = Password)]
    new: Password,
}

/// What the login page needs to know before anybody is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginPolicy {
    /// Some users are asked for a code.
    asks_for_code: bool,
    /// There is no user yet: the start printed a link to make the first one.
    awaits_set_up: bool,
}

/// Who is logged in here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LoginView {
    /// Who.
    user: UserBrief,
    /// Goes into the header X-Tonewall-CSRF of every request that changes something.
    csrf: String,
    /// All rights, of all roles.
    permissions: BTreeSet<Permission>,
    /// Roles.
    roles: BTreeSet<AssignedRole>,
    /// The agent's desktop.
    desktop: Option<DesktopId>,
    /// Language and theme of the page.
    preferences: Preferences,
    /// Nothing else works before `POST /password`.
    must_change_password: bool,
    /// Nothing else works before `PUT /second-factor`.
    must_set_second_factor: bool,
    /// Idle for too long: `POST /unlock` opens it again.
    locked: bool,
}

/// A user in a few words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserBrief {
    /// Identity.
    id: UserId,
    /// Login name.
    name: String,
    /// What others see.
    display_name: String,
}

impl From<&Login> for LoginView {
    fn from(login: &Login) -> Self {
        Self {
            user: UserBrief {
                id: login.actor.user.clone(),
                name: login.actor.name.clone(),
                display_name: login.display_name.clone(),
            },
            csrf: login.csrf.clone(),
            permissions: login.actor.permissions.clone(),
            roles: login.actor.roles.clone(),
            desktop: login.actor.desktop.clone(),
            preferences: login.preferences,
            must_change_password: login.must_change_password,
            must_set_second_factor: login.must_set_second_factor,
            locked: login.locked,
        }
    }
}

/// Who is logged in here, and the token for changes.
#[utoipa::path(get, path = "/login", tag = "login", responses(
    (status = 200, body = LoginView),
))]
pub(crate) async fn show(Caller(login): Caller) -> Json<LoginView> {
    Json(LoginView::from(&login))
}

/// How one logs in here.
#[utoipa::path(get, path = "/login/policy", tag = "login", responses(
    (status = 200, body = LoginPolicy),
))]
pub(crate) async fn policy(State(app): State<Shared>) -> Json<LoginPolicy> {
    Json(LoginPolicy {
        asks_for_code: app.second_factor,
        awaits_set_up: app.set_up.is_open(),
    })
}

/// Logs in. Sets the cookie `__Host-tonewall`. Wrong and unknown names are answered alike.
#[utoipa::path(post, path = "/login", tag = "login", request_body = LoginForm, responses(
    (status = 200, body = LoginView),
))]
pub(crate) async fn log_in(
    State(app): State<Shared>,
    Peer(peer): Peer,
    previous: Option<Caller>,
    Input(form): Input<LoginForm>,
) -> Result<Response, Problem> {
    let address = peer.ip().to_canonical().to_string();
    if let Some(seconds) = app.failures.wait(peer.ip(), Instant::now()) {
        return Err(Problem::new(Code::TooManyFailures).retry_after(seconds));
    }
    let turn = app.passwords.turn().await?;
    let name = form.user.trim().to_lowercase();
    let user = known(&app, &name).await?;
    let checked = check(&app, &turn, user.as_ref(), &form.password).await;
    let checked = check_code(&app, user.as_ref(), checked, form.code.as_deref()).await?;
    let user = match (user, checked) {
        (Some(user), Checked::Right(step)) => used(&app, user, step),
        (user, wrong) => {
            app.failures.failed(peer.ip(), Instant::now());
            return Err(failed(&app, user, &name, wrong, &address).await);
        }
    };
    drop(turn);
    let custom = app.deps.users.custom_roles().await?;
    let actor = user.after.actor(&custom, &address);
    let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoggedIn, "login");
    user.record(&app, entry).await?;
    let user = user.after;
    if let Some(Caller(previous)) = previous {
        app.logins.end(&previous.key);
    }
    begin(&app, &user, &custom, &address, Seat::Browser).await
}

/// Where a login is.
pub(super) enum Seat {
    /// In a browser's own windows.
    Browser,
    /// In a frame of another site, let in by this login.
    Frame(LoginKey),
}

/// Gives this browser, or the frame, a login.
pub(super) async fn begin(
    app: &Shared,
    user: &User,
    custom: &CustomRoles,
    address: &str,
    seat: Seat,
) -> Result<Response, Problem> {
    let now = Instant::now();
    let (cookie, login) = match seat {
        Seat::Browser => app.logins.begin(user, custom, address, now),
        Seat::Frame(by) => app.logins.begin_framed(&by, user, custom, address, now),
    }
    .ok_or(Code::Internal)?;
    still_holds(app, user).await?;
    let cookie = set_cookie(login.framed, &cookie, "");
    Ok(([(SET_COOKIE, cookie)], Json(LoginView::from(&login))).into_response())
}

/// A frame's cookie belongs to the site around it alone: browsers keep no other one there (Partitioned).
fn set_cookie(framed: bool, value: &str, more: &str) -> String {
    let (name, site) = if framed {
        (FRAME_COOKIE_NAME, "None; Partitioned")
    } else {
        (COOKIE_NAME, "Strict")
    };
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={site}{more}")
}

/// Ends what began with rights or an account that were taken away since the user was read.
async fn still_holds(app: &Shared, user: &User) -> Result<(), Problem> {
    let custom = app.deps.users.custom_roles().await?;
    match app.deps.users.user(&user.id).await? {
        Some(now) => app.logins.refresh(&now, &custom),
        None => app.logins.end_all_of(&user.id, None),
    }
    Ok(())
}

enum Checked {
    /// With the time step of the code, if one was asked for.
    Right(Option<u64>),
    Wrong(&'static str),
    Locked,
}

async fn known(app: &Shared, name: &str) -> Result<Option<User>, Problem> {
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Ok(None);
    }
    Ok(app.deps.users.user_by_name(name).await?)
}

/// Takes the same time whoever it is.
async fn check(app: &Shared, turn: &Turn<'_>, user: Option<&User>, password: &Password) -> Checked {
    let locked = user.is_some_and(|user| is_locked(app, user));
    let usable = user.filter(|user| user.enabled && !locked);
    let hash = usable.map(|user| user.password_hash.clone());
    match turn.check(password, hash).await {
        true => Checked::Right(None),
        false if locked => Checked::Locked,
        false => Checked::Wrong("wrong_password"),
    }
}

/// After the right password: the account is in use, and the code of whoever has a second factor is right and new. Who fails
/// learns nothing of what was wrong.
async fn check_code(
    app: &Shared,
    user: Option<&User>,
    checked: Checked,
    code: Option<&str>,
) -> Result<Checked, Problem> {
    let (Some(user), Checked::Right(_)) = (user, &checked) else {
        return Ok(checked);
    };
    if user.is_idle(app.now()) && !is_last_security_admin(app, user).await? {
        return Ok(Checked::Wrong("idle"));
    }
    let Some(factor) = user.second_factor.filter(|_| app.second_factor) else {
        return Ok(Checked::Right(None));
    };
    let secret = app.deps.users.second_factor(&user.id).await?;
    let step = secret
        .zip(code)
        .and_then(|(secret, code)| step_of(&secret, code, Some(factor.last_step), app.now()));
    Ok(match step {
        Some(step) => Checked::Right(Some(step)),
        None => Checked::Wrong("wrong_code"),
    })
}

async fn is_last_security_admin(app: &Shared, user: &User) -> Result<bool, Problem> {
    let users = app.deps.users.users().await?;
    let mut others = users.iter().filter(|other| other.id != user.id);
    Ok(user.is_security_admin() && !others.any(User::is_security_admin))
}

fn is_locked(app: &Shared, user: &User) -> bool {
    user.locked_until.is_some_and(|until| app.now() < until)
}

/// A user before and after a login.
struct Used {
    before: User,
    after: User,
    took_code: bool,
}

/// What a login leaves in the account: failures are forgotten, the day and the code's step are noted.
fn used(app: &Shared, before: User, step: Option<u64>) -> Used {
    let now = app.now();
    let mut after = User {
        failed_logins: 0,
        locked_until: None,
        ..before.clone()
    };
    if before.is_first_use_today(now) {
        after.active_at = Some(now);
    }
    if let (Some(factor), Some(step)) = (&mut after.second_factor, step) {
        factor.last_step = step;
    }
    Used {
        before,
        after,
        took_code: step.is_some(),
    }
}

impl Used {
    /// Writes the login. If somebody saved the user since it was read, what it leaves is lost, but for a code: another login may
    /// have taken it.
    async fn record(&self, app: &Shared, entry: AuditEntry) -> Result<(), StoreError> {
        let change = if self.before == self.after {
            Change::None
        } else {
            Change::SaveUser(self.after.clone())
        };
        match app.commit(change, entry.clone(), |_| {}).await {
            Err(StoreError::Conflict) if !self.took_code => {
                app.commit(Change::None, entry, |_| {}).await?;
                Ok(())
            }
            done => done.map(drop),
        }
    }
}

/// Records a failure and says what the answer is.
async fn failed(
    app: &Shared,
    user: Option<User>,
    name: &str,
    checked: Checked,
    address: &str,
) -> Problem {
    let Some(user) = user else {
        let locked = app.strangers.failed(name, Instant::now());
        let actor = Actor {
            address: address.to_owned(),
            ..Actor::system()
        };
        let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoginFailed, "login")
            .with("reason", "unknown_user");
        return recorded(app.commit(Change::None, entry, |_| {}).await, locked);
    };
    let actor = user.actor(&CustomRoles::default(), address);
    if matches!(checked, Checked::Locked) {
        let entry = AuditEntry::new(app.now(), &actor, AuditAction::LoginFailed, "login")
            .with("reason", "locked");
        return recorded(app.commit(Change::None, entry, |_| {}).await, true);
    }
    let reason = match checked {
        Checked::Wrong(reason) => reason,
        Checked::Right(_) | Checked::Locked => "",
    };
    recorded(count_failure(app, user, &actor, reason).await, false)
}

fn recorded(written: Result<i64, StoreError>, locked: bool) -> Problem {
    match written {
        Ok(_) if locked => Code::AccountLocked.into(),
        Ok(_) => Code::LoginFailed.into(),
        Err(error) => error.into(),
    }
}

async fn count_failure(
    app: &Shared,
    mut user: User,
    actor: &Actor,
    reason: &'static str,
) -> Result<i64, StoreError> {
    for _ in 0..SAVES_MAX {
        let mut action = AuditAction::LoginFailed;
        user.failed_logins = user.failed_logins.saturating_add(1);
        user.locked_until = None;
        if user.failed_logins >= FAILURES_MAX {
            action = AuditAction::UserLocked;
            user.failed_logins = 0;
            user.locked_until = Some(app.now().plus_ms(LOCK_MS));
        }
        let entry = AuditEntry::new(app.now(), actor, action, "login").with("reason", reason);
        match app
            .commit(Change::SaveUser(user.clone()), entry, |_| {})
            .await
        {
            Err(StoreError::Conflict) => {}
            done => return done,
        }
        match app.deps.users.user(&user.id).await? {
            Some(fresh) => user = fresh,
            None => return Ok(0),
        }
    }
    Err(StoreError::Busy)
}

/// Logs out here.
#[utoipa::path(post, path = "/logout", tag = "login", responses((status = 204)))]
pub(crate) async fn log_out(
    State(app): State<Shared>,
    Caller(login): Caller,
) -> Result<Response, Problem> {
    app.logins.end(&login.key);
    let entry = AuditEntry::new(app.now(), &login.actor, AuditAction::LoggedOut, "login");
    app.commit(Change::None, entry, |_| {}).await?;
    let cookie = set_cookie(login.framed, "", "; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// Key or pointer moved at the page, within the last minute or so: puts the idle lock off.
#[utoipa::path(post, path = "/activity", tag = "login", responses((status = 204)))]
pub(crate) async fn activity(_: Caller) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Opens a browser that was idle for too long.
#[utoipa::path(post, path = "/unlock", tag = "login", request_body = UnlockForm, responses(
    (status = 200, body = LoginView),
))]
pub(crate) async fn unlock(
    State(app): State<Shared>,
    Caller(login): Caller,
    Peer(peer): Peer,
    Input(form): Input<UnlockForm>,
) -> Answer<LoginView> {
    confirmed(&app, &login, peer, &form.password).await?;
    app.logins.unlock(&login.key, Instant::now());
    let login = app
        .logins
        .look(&login.key, Instant::now())
        .ok_or(Code::NotLoggedIn)?;
    Ok(Json(LoginView::from(&login)))
}

/// The password of whoever is logged in is right. Failures count as failed logins.
pub(super) async fn confirmed(
    app: &Shared,
    login: &Login,
    peer: std::net::SocketAddr,
    password: &Password,
) -> Result<User, Problem> {
    if let Some(seconds) = app.failures.wait(peer.ip(), Instant::now()) {
        return Err(Problem::new(Code::TooManyFailures).retry_after(seconds));
    }
    let turn = app.passwords.turn().await?;
    let user = app.deps.users.user(&login.actor.user).await?;
    match (check(app, &turn, user.as_ref(), password).await, user) {
        (Checked::Right(_), Some(user)) => Ok(user),
        (wrong, user) => {
            app.failures.failed(peer.ip(), Instant::now());
            let address = &login.actor.address;
            Err(failed(app, user, &login.actor.name, wrong, address).await)
        }
    }
}

/// Changes the own password. Other browsers of the same user are logged out.
#[utoipa::path(post, path = "/password", tag = "login", request_body = PasswordForm, responses(
    (status = 204),
))]
pub(crate) async fn change_password(
    State(app): State<Shared>,
    Caller(login): Caller,
    Peer(peer): Peer,
    Input(form): Input<PasswordForm>,
) -> Silent {
    let user = confirmed(&app, &login, peer, &form.current).await?;
    if let Some(wrong) = password_rule(&form.new.0, &user.name) {
        return Err(Problem::field("new", wrong));
    }
    let turn = app.passwords.turn().await?;
    for known in user.known_hashes() {
        if turn.check(&form.new, Some(known.to_owned())).await {
            let why = format!("choose one that is none of your last {PASSWORDS_REFUSED}");
            return Err(Problem::field("new", why));
        }
    }
    let hash = turn.hash(&form.new).await?;
    let user = User {
        must_change_password: false,
        failed_logins: 0,
        locked_until: None,
        ..user.with_password(hash)
    };
    drop(turn);
    let object = format!("user {}", user.name);
    let entry = AuditEntry::new(
        app.now(),
        &login.actor,
        AuditAction::PasswordChanged,
        object,
    );
    let saved = user.clone();
    let custom = app.deps.users.custom_roles().await?;
    app.commit(Change::SaveUser(user), entry, move |app| {
        app.logins.end_all_of(&saved.id, Some(&login.key));
        app.logins.refresh(&saved, &custom);
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Code::Busy.into(),
            PasswordError::Hash(_) => {
                tracing::error!(%error, "password");
                Code::Internal.into()
            }
        }
    }
}
