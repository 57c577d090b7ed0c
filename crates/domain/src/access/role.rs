//! Roles of users: built in, or made here.
//! Owns: custom roles, how a user names a role, the rights of several roles together.
//! Never: changes what a built-in role may do.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Permission, Role};
use crate::id::{InvalidId, RoleId};

impl Role {
    /// Its word in documents and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::DesktopAdmin => "desktop_admin",
            Self::SecurityAdmin => "security_admin",
            Self::Auditor => "auditor",
        }
    }
}

/// A role as a user has it: the word of a built-in one, or the identity of one that was made here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AssignedRole {
    /// One of the five.
    BuiltIn(Role),
    /// One of this installation.
    Custom(RoleId),
}

impl utoipa::PartialSchema for AssignedRole {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for AssignedRole {}

impl From<Role> for AssignedRole {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl FromStr for AssignedRole {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match Role::ALL.into_iter().find(|role| role.word() == text) {
            Some(role) => Ok(Self::BuiltIn(role)),
            None => text.parse().map(Self::Custom),
        }
    }
}

impl TryFrom<String> for AssignedRole {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<AssignedRole> for String {
    fn from(role: AssignedRole) -> Self {
        match role {
            AssignedRole::BuiltIn(role) => role.word().to_owned(),
            AssignedRole::Custom(id) => id.into(),
        }
    }
}

/// A role that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRole {
    /// Identity.
    pub id: RoleId,
    /// What people call it, 1-60 characters, unique.
    pub name: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// Revision, for optimistic concurrency.
    pub revision: i64,
}

/// All custom roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomRoles(BTreeMap<RoleId, CustomRole>);

impl FromIterator<CustomRole> for CustomRoles {
    fn from_iter<I: IntoIterator<Item = CustomRole>>(roles: I) -> Self {
        let by_id = |role: CustomRole| (role.id.clone(), role);
        Self(roles.into_iter().map(by_id).collect())
    }
}

impl CustomRoles {
    /// One of them.
    #[must_use]
    pub fn find(&self, id: &RoleId) -> Option<&CustomRole> {
        self.0.get(id)
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &CustomRole> {
        self.0.values()
    }

    /// The rights of some roles together. A role that is gone allows nothing.
    #[must_use]
    pub fn permissions_of<'a>(
        &self,
        roles: impl IntoIterator<Item = &'a AssignedRole>,
    ) -> BTreeSet<Permission> {
        let mut all = BTreeSet::new();
        for role in roles {
            match role {
                AssignedRole::BuiltIn(role) => all.extend(role.permissions()),
                AssignedRole::Custom(id) => {
                    all.extend(self.find(id).iter().flat_map(|role| &role.permissions));
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_built_in_roles_are_kept_and_anything_else_is_an_identity() {
        for role in Role::ALL {
            let json = serde_json::to_value(AssignedRole::from(role)).unwrap();
            assert_eq!(json, serde_json::to_value(role).unwrap());
            assert_eq!(
                serde_json::from_value::<AssignedRole>(json).unwrap(),
                role.into()
            );
        }
        let id = RoleId::from_random(5);
        assert_eq!(id.as_str().parse(), Ok(AssignedRole::Custom(id)));
        assert!("Security Admin".parse::<AssignedRole>().is_err());
    }

    #[test]
    fn rights_of_roles_add_up_and_a_role_that_is_gone_allows_nothing() {
        let role = CustomRole {
            id: RoleId::from_random(1),
            name: "Team lead".to_owned(),
            permissions: BTreeSet::from([Permission::PaymentView]),
            revision: 1,
        };
        let assigned = AssignedRole::Custom(role.id.clone());
        let roles: CustomRoles = [role].into_iter().collect();
        let gone = AssignedRole::Custom(RoleId::from_random(2));
        assert_eq!(
            roles.permissions_of([&assigned, &gone, &Role::Agent.into()]),
            BTreeSet::from([
                Permission::CaptureStart,
                Permission::CaptureViewBasic,
                Permission::CallDial,
                Permission::PaymentView
            ])
        );
        assert!(roles.permissions_of([&gone]).is_empty());
    }
}
