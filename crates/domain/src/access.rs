//! Who may do what.
//! Owns: permissions, the built-in roles, and the one function that decides.
//! Never: allows what is not listed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{DesktopId, UserId};
use crate::time::UnixMillis;
use password::PASSWORDS_REFUSED;

pub mod grant;
pub mod group;
pub mod password;
mod preferences;

pub use group::GroupName;
pub use preferences::{Preferences, Theme};
mod role;

pub use role::{AssignedRole, CustomRole, CustomRoles};

/// A right. Default deny: what no role lists, nobody may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
pub enum Permission {
    /// Open a capture and process its payment.
    #[serde(rename = "capture.start")]
    CaptureStart,
    /// See validated values of a Basic capture.
    #[serde(rename = "capture.view_basic")]
    CaptureViewBasic,
    /// Reset attempts (S14).
    #[serde(rename = "capture.reset_attempts")]
    CaptureResetAttempts,
    /// Tell of the consumer of any call (S14); agents tell of their own calls without it.
    #[serde(rename = "call.consumer_data")]
    CallConsumerData,
    /// See the calls of services whose route is a PBX, and give one to an agent.
    #[serde(rename = "call.pick")]
    CallPick,
    /// Give a call to an agent by a name that the PBX knows it by; for programs.
    #[serde(rename = "call.bind")]
    CallBind,
    /// See all running calls and listen to them, heard by nobody.
    #[serde(rename = "call.listen")]
    CallListen,
    /// Be heard on a call that one listens to: by its agent alone, or by both sides.
    #[serde(rename = "call.join")]
    CallJoin,
    /// Call a number out, on one's own phone.
    #[serde(rename = "call.dial")]
    CallDial,
    /// Have a number called for an agent, on that agent's phone; for programs.
    #[serde(rename = "call.dial_for")]
    CallDialFor,
    /// Resolve unknown outcomes.
    #[serde(rename = "payment.resolve_unknown")]
    PaymentResolveUnknown,
    /// Void, refund and capture payments.
    #[serde(rename = "payment.refund")]
    PaymentRefund,
    /// See all payments.
    #[serde(rename = "payment.view")]
    PaymentView,
    /// Take payments out as a file.
    #[serde(rename = "payment.export")]
    PaymentExport,
    /// See recordings of all calls and listen to them.
    #[serde(rename = "recording.listen")]
    RecordingListen,
    /// Take recordings out as files, with a reason.
    #[serde(rename = "recording.download")]
    RecordingDownload,
    /// Delete recordings before their days are over, with a reason.
    #[serde(rename = "recording.delete")]
    RecordingDelete,
    /// Remove a part of a recording, with a reason.
    #[serde(rename = "recording.redact")]
    RecordingRedact,
    /// Switch Secure Payment Capture on and off, declare recorders.
    #[serde(rename = "spc.enable")]
    SpcEnable,
    /// See and edit agent desktops: layouts, prompts, card types.
    #[serde(rename = "desktop.edit")]
    DesktopEdit,
    /// Edit gateway URL, keys, mappings, time-outs.
    #[serde(rename = "gateway.edit")]
    GatewayEdit,
    /// Replace gateway passwords and header secrets.
    #[serde(rename = "gateway.secret.write")]
    GatewaySecretWrite,
    /// Approve a gateway's host (S4).
    #[serde(rename = "gateway.approve_host")]
    GatewayApproveHost,
    /// Manage users and roles, within the rights that one has.
    #[serde(rename = "user.manage")]
    UserManage,
    /// Give and take the rights of agents, supervisors and auditors without having them (see [`grant`]).
    #[serde(rename = "user.staff")]
    UserStaff,
    /// Read the audit trail.
    #[serde(rename = "audit.read")]
    AuditRead,
}

impl Permission {
    /// All.
    pub const ALL: [Self; 26] = [
        Self::CaptureStart,
        Self::CaptureViewBasic,
        Self::CaptureResetAttempts,
        Self::CallConsumerData,
        Self::CallPick,
        Self::CallBind,
        Self::CallListen,
        Self::CallJoin,
        Self::CallDial,
        Self::CallDialFor,
        Self::PaymentResolveUnknown,
        Self::PaymentRefund,
        Self::PaymentView,
        Self::PaymentExport,
        Self::RecordingListen,
        Self::RecordingDownload,
        Self::RecordingDelete,
        Self::RecordingRedact,
        Self::SpcEnable,
        Self::DesktopEdit,
        Self::GatewayEdit,
        Self::GatewaySecretWrite,
        Self::GatewayApproveHost,
        Self::UserManage,
        Self::UserStaff,
        Self::AuditRead,
    ];

    /// Its name in the API and in audit entries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CaptureStart => "capture.start",
            Self::CaptureViewBasic => "capture.view_basic",
            Self::CaptureResetAttempts => "capture.reset_attempts",
            Self::CallConsumerData => "call.consumer_data",
            Self::CallPick => "call.pick",
            Self::CallBind => "call.bind",
            Self::CallListen => "call.listen",
            Self::CallJoin => "call.join",
            Self::CallDial => "call.dial",
            Self::CallDialFor => "call.dial_for",
            Self::PaymentResolveUnknown => "payment.resolve_unknown",
            Self::PaymentRefund => "payment.refund",
            Self::PaymentView => "payment.view",
            Self::PaymentExport => "payment.export",
            Self::RecordingListen => "recording.listen",
            Self::RecordingDownload => "recording.download",
            Self::RecordingDelete => "recording.delete",
            Self::RecordingRedact => "recording.redact",
            Self::SpcEnable => "spc.enable",
            Self::DesktopEdit => "desktop.edit",
            Self::GatewayEdit => "gateway.edit",
            Self::GatewaySecretWrite => "gateway.secret.write",
            Self::GatewayApproveHost => "gateway.approve_host",
            Self::UserManage => "user.manage",
            Self::UserStaff => "user.staff",
            Self::AuditRead => "audit.read",
        }
    }
}

/// The built-in roles (SETTLED S2).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes payments.
    Agent,
    /// Resolves unknown outcomes, resets attempts, has payments undone, listens to running calls and to recordings.
    Supervisor,
    /// Edits desktops.
    DesktopAdmin,
    /// Switches the feature on; edits gateways and their secrets; manages users; takes recordings out, deletes them and removes parts of them.
    SecurityAdmin,
    /// Reads the evidence.
    Auditor,
}

impl Role {
    /// All.
    pub const ALL: [Self; 5] = [
        Self::Agent,
        Self::Supervisor,
        Self::DesktopAdmin,
        Self::SecurityAdmin,
        Self::Auditor,
    ];

    /// What the role may do.
    #[must_use]
    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Agent => &[
                Permission::CaptureStart,
                Permission::CaptureViewBasic,
                Permission::CallDial,
            ],
            Self::Supervisor => &[
                Permission::CaptureResetAttempts,
                Permission::CallPick,
                Permission::CallListen,
                Permission::CallJoin,
                Permission::PaymentResolveUnknown,
                Permission::PaymentRefund,
                Permission::PaymentView,
                Permission::PaymentExport,
                Permission::RecordingListen,
            ],
            Self::DesktopAdmin => &[Permission::DesktopEdit],
            Self::SecurityAdmin => &[
                Permission::RecordingDownload,
                Permission::RecordingDelete,
                Permission::RecordingRedact,
                Permission::SpcEnable,
                Permission::GatewayEdit,
                Permission::GatewaySecretWrite,
                Permission::GatewayApproveHost,
                Permission::UserManage,
                Permission::UserStaff,
            ],
            Self::Auditor => &[
                Permission::AuditRead,
                Permission::PaymentView,
                Permission::PaymentExport,
                Permission::RecordingListen,
            ],
        }
    }
}

/// An account that nobody uses for so many days is disabled (SETTLED S22).
pub const IDLE_DAYS_MAX: i64 = 90;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The second factor of a user who has set one up. Its secret is sealed beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// Since when.
    pub since: UnixMillis,
    /// Time step of the last code that was taken. None is taken twice (RFC 6238 section 5.2).
    pub last_step: u64,
}

/// Whoever has one of these rights logs in with a second factor (SETTLED S22): administrators, and those who see card numbers.
#[must_use]
pub fn needs_second_factor(rights: &BTreeSet<Permission>) -> bool {
    let needs = |right: &Permission| {
        *right == Permission::CaptureViewBasic || !grant::FLOOR.contains(right)
    };
    rights.iter().any(needs)
}

/// A user as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// Login name: 1-64 lower-case characters.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// Roles; their rights add up.
    pub roles: BTreeSet<AssignedRole>,
    /// Argon2id hash in PHC form of the password.
    pub password_hash: String,
    /// Hashes of the passwords before that, the newest first: they are not taken again.
    pub former_hashes: Vec<String>,
    /// The password must be changed at the next login.
    pub must_change_password: bool,
    /// The second factor, once it is set up.
    pub second_factor: Option<SecondFactor>,
    /// The last login to the day, or when the account was made or enabled after that. None: nobody knows yet.
    pub active_at: Option<UnixMillis>,
    /// Failed logins in a row.
    pub failed_logins: u32,
    /// Locked until then (S22).
    pub locked_until: Option<UnixMillis>,
    /// The desktop this agent works with.
    pub desktop: Option<DesktopId>,
    /// The user part under which this agent's phone registers; none: no phone.
    pub phone: Option<String>,
    /// The agent's extension at a PBX whose calls find their agents by it; none: none.
    #[serde(default)]
    pub extension: Option<String>,
    /// Groups of agents that the user is in, at most 20: which services' calls they take and make.
    #[serde(default)]
    pub groups: BTreeSet<GroupName>,
    /// Digest secret of the phone for our realm, `sha256:md5` of its HA1 in hex; none: no phone.
    pub phone_ha1: Option<String>,
    /// Disabled accounts cannot log in.
    pub enabled: bool,
    /// Language and theme of the page.
    pub preferences: Preferences,
    /// Revision, for optimistic concurrency.
    pub revision: i64,
}

impl User {
    /// An account that allows nothing and into which nobody gets: what a new one starts from.
    #[must_use]
    pub fn blank(id: UserId) -> Self {
        Self {
            id,
            name: String::new(),
            display_name: String::new(),
            roles: BTreeSet::new(),
            password_hash: String::new(),
            former_hashes: Vec::new(),
            must_change_password: true,
            second_factor: None,
            active_at: None,
            failed_logins: 0,
            locked_until: None,
            desktop: None,
            phone: None,
            phone_ha1: None,
            extension: None,
            groups: BTreeSet::new(),
            preferences: Preferences::default(),
            enabled: true,
            revision: 0,
        }
    }

    /// The user as one who acts, from an address.
    #[must_use]
    pub fn actor(&self, custom: &CustomRoles, address: &str) -> Actor {
        Actor {
            user: self.id.clone(),
            name: self.name.clone(),
            permissions: custom.permissions_of(&self.roles),
            roles: self.roles.clone(),
            desktop: self.desktop.clone(),
            address: address.to_owned(),
        }
    }

    /// The same user with another password.
    #[must_use]
    pub fn with_password(self, hash: String) -> Self {
        let former = self.known_hashes().take(PASSWORDS_REFUSED - 1);
        Self {
            former_hashes: former.map(str::to_owned).collect(),
            password_hash: hash,
            ..self
        }
    }

    /// Hashes of the passwords that are not taken again: the present one and those before it.
    pub fn known_hashes(&self) -> impl Iterator<Item = &str> {
        let present = Some(&self.password_hash).filter(|hash| !hash.is_empty());
        present
            .into_iter()
            .chain(&self.former_hashes)
            .map(String::as_str)
            .take(PASSWORDS_REFUSED)
    }

    /// Nobody used the account for [`IDLE_DAYS_MAX`] days.
    #[must_use]
    pub fn is_idle(&self, now: UnixMillis) -> bool {
        self.active_at
            .is_some_and(|active| active.plus_ms(IDLE_DAYS_MAX * DAY_MS) <= now)
    }

    /// The day of the last use is not noted yet.
    #[must_use]
    pub fn is_first_use_today(&self, now: UnixMillis) -> bool {
        self.active_at
            .is_none_or(|active| active.plus_ms(DAY_MS) <= now)
    }

    /// One of those of whom the last is protected: an enabled account with the built-in role.
    #[must_use]
    pub fn is_security_admin(&self) -> bool {
        self.enabled && self.roles.contains(&Role::SecurityAdmin.into())
    }
}

/// Someone who acts, as the login says; and where from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user: UserId,
    /// Login name, for audit entries.
    pub name: String,
    /// Roles at login; a change of roles ends the login.
    pub roles: BTreeSet<AssignedRole>,
    /// What these roles allow; a change of a role ends the login.
    pub permissions: BTreeSet<Permission>,
    /// The desktop of an agent.
    pub desktop: Option<DesktopId>,
    /// Address of the browser, for audit entries.
    pub address: String,
}

impl Actor {
    /// The server itself, for what it does by itself.
    #[must_use]
    pub fn system() -> Self {
        Self {
            user: UserId::from_random(0),
            name: "system".to_owned(),
            roles: BTreeSet::new(),
            permissions: BTreeSet::new(),
            desktop: None,
            address: "-".to_owned(),
        }
    }
}

/// What is acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The installation as a whole.
    Installation,
    /// Something that belongs to one user: a call, a capture.
    OwnedBy(&'a UserId),
}

/// A refusal. What an actor may not see is answered as if it were not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No role of the actor has the right.
    #[error("this needs the right {}", .0.name())]
    NeedsPermission(Permission),
    /// The thing belongs to someone else.
    #[error("no such thing")]
    NotYours,
}

/// Decides, for everyone and everything.
///
/// # Errors
/// The refusal and its reason.
pub fn authorize(
    actor: &Actor,
    permission: Permission,
    resource: Resource<'_>,
) -> Result<(), Denied> {
    if !actor.permissions.contains(&permission) {
        return Err(Denied::NeedsPermission(permission));
    }
    match resource {
        Resource::Installation => Ok(()),
        Resource::OwnedBy(owner) if *owner == actor.user => Ok(()),
        Resource::OwnedBy(_) => Err(Denied::NotYours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role) -> Actor {
        Actor {
            user: UserId::from_random(7),
            roles: BTreeSet::from([role.into()]),
            permissions: role.permissions().iter().copied().collect(),
            ..Actor::system()
        }
    }

    #[test]
    fn only_the_owner_touches_a_call() {
        let agent = actor(Role::Agent);
        let other = UserId::from_random(8);
        assert_eq!(
            authorize(
                &agent,
                Permission::CaptureStart,
                Resource::OwnedBy(&agent.user)
            ),
            Ok(())
        );
        assert_eq!(
            authorize(&agent, Permission::CaptureStart, Resource::OwnedBy(&other)),
            Err(Denied::NotYours)
        );
    }

    #[test]
    fn configuration_rights_are_with_two_roles_only() {
        for role in Role::ALL {
            let allowed = |right| authorize(&actor(role), right, Resource::Installation).is_ok();
            assert_eq!(allowed(Permission::DesktopEdit), role == Role::DesktopAdmin);
            for right in [
                Permission::SpcEnable,
                Permission::GatewayEdit,
                Permission::GatewaySecretWrite,
            ] {
                assert_eq!(allowed(right), role == Role::SecurityAdmin);
            }
        }
    }

    #[test]
    fn s22_administrators_and_those_who_see_card_numbers_need_a_second_factor() {
        for role in Role::ALL {
            let rights = actor(role).permissions;
            let expected = !matches!(role, Role::Supervisor | Role::Auditor);
            assert_eq!(needs_second_factor(&rights), expected, "{role:?}");
        }
        assert!(!needs_second_factor(&BTreeSet::from([
            Permission::CaptureStart
        ])));
    }

    #[test]
    fn s22_the_present_password_and_three_before_it_are_known() {
        let mut user = User::blank(UserId::from_random(1));
        for number in 1..=6 {
            user = user.with_password(format!("hash {number}"));
        }
        let known: Vec<_> = user.known_hashes().collect();
        assert_eq!(known, ["hash 6", "hash 5", "hash 4", "hash 3"]);
    }

    #[test]
    fn s22_an_account_is_idle_after_ninety_days() {
        let user = User {
            active_at: Some(UnixMillis(1_000)),
            ..User::blank(UserId::from_random(1))
        };
        let end = UnixMillis(1_000).plus_ms(IDLE_DAYS_MAX * DAY_MS);
        assert!(!user.is_idle(end.plus_ms(-1)));
        assert!(user.is_idle(end));
        assert!(!User::blank(UserId::from_random(1)).is_idle(end));
    }

    #[test]
    fn the_server_itself_has_no_rights() {
        assert!(
            authorize(
                &Actor::system(),
                Permission::CaptureStart,
                Resource::Installation
            )
            .is_err()
        );
    }
}
