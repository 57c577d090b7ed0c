//! Who may hand out which rights.
//! Owns: the bound of what an administrator gives and takes, and of whose account they touch.
//! Never: lets anybody give more than they have; the right [`Permission::UserStaff`] alone reaches further, and only to [`FLOOR`].

use std::collections::BTreeSet;

use super::{Actor, Permission};

/// Rights that configure nothing: those of agents, their supervisors and auditors, and of programs that tell of consumers or give calls to agents. Whoever staffs a contact centre gives them
/// without taking payments or reading the trail. Taking recordings out and deleting them is not among them: neither can be undone.
pub const FLOOR: [Permission; 16] = [
    Permission::CaptureStart,
    Permission::CaptureViewBasic,
    Permission::CaptureResetAttempts,
    Permission::CallConsumerData,
    Permission::CallPick,
    Permission::CallBind,
    Permission::CallListen,
    Permission::CallJoin,
    Permission::CallDial,
    Permission::CallDialFor,
    Permission::PaymentResolveUnknown,
    Permission::PaymentRefund,
    Permission::PaymentView,
    Permission::PaymentExport,
    Permission::RecordingListen,
    Permission::AuditRead,
];

/// The actor may give this right to others and take it from them.
#[must_use]
pub fn may_give(actor: &Actor, right: Permission) -> bool {
    let staffs = actor.permissions.contains(&Permission::UserStaff);
    actor.permissions.contains(&right) || (staffs && FLOOR.contains(&right))
}

/// Those of the rights that the actor may not give. Someone who has such rights is out of the actor's reach altogether: whoever
/// could reset their password would have those rights.
#[must_use]
pub fn beyond(actor: &Actor, rights: &BTreeSet<Permission>) -> BTreeSet<Permission> {
    let out_of_reach = |right: &Permission| !may_give(actor, *right);
    rights.iter().copied().filter(out_of_reach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    fn actor(rights: &[Permission]) -> Actor {
        Actor {
            permissions: rights.iter().copied().collect(),
            ..Actor::system()
        }
    }

    #[test]
    fn a_user_manager_gives_exactly_the_rights_that_they_have() {
        let lead = actor(&[Permission::UserManage, Permission::CaptureStart]);
        for right in Permission::ALL {
            let has = lead.permissions.contains(&right);
            assert_eq!(may_give(&lead, right), has, "{right:?}");
        }
    }

    #[test]
    fn a_security_admin_staffs_the_floor_but_makes_no_desktop_admin() {
        let admin = actor(Role::SecurityAdmin.permissions());
        let reach = |role: Role| {
            let rights = role.permissions().iter().copied().collect();
            beyond(&admin, &rights)
        };
        for role in [
            Role::Agent,
            Role::Supervisor,
            Role::Auditor,
            Role::SecurityAdmin,
        ] {
            assert_eq!(reach(role), BTreeSet::new());
        }
        assert_eq!(
            reach(Role::DesktopAdmin),
            BTreeSet::from([Permission::DesktopEdit])
        );
    }

    #[test]
    fn every_right_is_of_the_floor_or_an_administrators() {
        let administrators: BTreeSet<_> = [Role::DesktopAdmin, Role::SecurityAdmin]
            .iter()
            .flat_map(|role| role.permissions())
            .copied()
            .collect();
        for right in Permission::ALL {
            assert_ne!(
                FLOOR.contains(&right),
                administrators.contains(&right),
                "{right:?}"
            );
        }
    }
}
