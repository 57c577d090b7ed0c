//! Hosts that a second person approved (SETTLED S4).
//! Owns: what may be approved, and by whom.
//! Never: looks at a network; that an approved host has a public address is the client's to see.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::GatewayConfig;
use crate::access::Actor;
use crate::desktop::{Desktop, SavedDesktop};
use crate::id::UserId;
use crate::time::UnixMillis;

/// A host that may receive captured values, because somebody other than who entered it said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostApproval {
    /// Host and port, as [`super::GatewayConfig::authority`] has them: "pay.example:443".
    pub authority: String,
    /// Why, 3-500 characters.
    pub reason: String,
    /// Who approved it.
    pub by: UserId,
    /// Login name of who approved it, as it was then.
    pub by_name: String,
    /// When.
    pub at: UnixMillis,
}

/// A host that widgets send to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostUse {
    /// Names of the desktops with the Window Titles of their widgets.
    pub widgets: Vec<(String, String)>,
    /// Login names of everybody who saved a desktop while it sent to this host.
    pub editors: BTreeSet<String>,
}

/// Why a host is not approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ApprovalRefused {
    /// No widget sends there.
    #[error("no widget sends to this host")]
    NotUsed,
    /// The server's file lists it, or somebody was faster.
    #[error("this host may receive captured values already")]
    Approved,
    /// Two people are needed.
    #[error("a second person approves it: you saved a desktop that sends to this host")]
    Editor,
}

/// Who saved a desktop while it sent to a host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostEditor {
    /// The host and its port.
    pub authority: String,
    /// Login name, which a user keeps.
    pub name: String,
}

impl HostEditor {
    /// Those of one revision.
    pub fn of(saved: &SavedDesktop) -> impl Iterator<Item = Self> {
        targets(&saved.desktop).map(|(authority, _)| Self {
            authority,
            name: saved.saved_by.clone(),
        })
    }
}

/// Every host that today's desktops send to, by authority. `editors` are those of every revision of them: whoever saved one while it sent to a host has a
/// part in that.
#[must_use]
pub fn hosts_in_use(
    desktops: &[Desktop],
    editors: &BTreeSet<HostEditor>,
) -> BTreeMap<String, HostUse> {
    let mut hosts: BTreeMap<String, HostUse> = BTreeMap::new();
    for desktop in desktops {
        for (authority, title) in targets(desktop) {
            let host = hosts.entry(authority).or_default();
            host.widgets.push((desktop.name.clone(), title.to_owned()));
        }
    }
    for editor in editors {
        if let Some(host) = hosts.get_mut(&editor.authority) {
            host.editors.insert(editor.name.clone());
        }
    }
    hosts
}

fn targets(desktop: &Desktop) -> impl Iterator<Item = (String, &str)> {
    desktop.widgets.iter().flat_map(|widget| {
        let gateway = widget.gateway.as_ref();
        let authorities = gateway.map(GatewayConfig::authorities).unwrap_or_default();
        let title = &*widget.title;
        authorities
            .into_iter()
            .map(move |authority| (authority, title))
    })
}

/// A second person's approval. `may_receive`: it is listed or approved already.
///
/// # Errors
/// Nobody uses the host, it may receive values already, or the actor is among those who entered it.
pub fn approve(
    authority: &str,
    used: Option<&HostUse>,
    may_receive: bool,
    actor: &Actor,
    reason: &str,
    at: UnixMillis,
) -> Result<HostApproval, ApprovalRefused> {
    let used = used.ok_or(ApprovalRefused::NotUsed)?;
    if may_receive {
        return Err(ApprovalRefused::Approved);
    }
    if used.editors.contains(&actor.name) {
        return Err(ApprovalRefused::Editor);
    }
    Ok(HostApproval {
        authority: authority.to_owned(),
        reason: reason.trim().to_owned(),
        by: actor.user.clone(),
        by_name: actor.name.clone(),
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desktop::{DesktopDraft, DesktopService, Layout};
    use crate::id::{DesktopId, WidgetId};

    fn desktop(url: &str) -> Desktop {
        let draft: DesktopDraft = serde_json::from_value(serde_json::json!({
            "name": "Sales", "service": DesktopService::Standard, "layout": Layout::AgentPanel,
            "widgets": [{
                "kind": "check_advanced", "title": "Bank payment",
                "prompts": [
                    {"field": "routing_number", "text": "Routing."},
                    {"field": "account_number", "text": "Account."},
                ],
                "gateway": {"service_url": url, "success_key": "result", "success_value": "ok"},
            }],
        }))
        .unwrap();
        let id = DesktopId::from_random(1);
        draft
            .parse(id, 1, None, || WidgetId::from_random(2))
            .unwrap()
            .0
    }

    fn saved(url: &str, by: &str) -> SavedDesktop {
        SavedDesktop {
            desktop: desktop(url),
            saved_at: UnixMillis(1),
            saved_by: by.to_owned(),
        }
    }

    fn actor(name: &str) -> Actor {
        Actor {
            name: name.to_owned(),
            ..Actor::system()
        }
    }

    const NOW: &str = "https://pay.example/charge";
    const OTHER: &str = "https://old.example:8443/charge";

    #[test]
    fn s4_everybody_who_saved_a_desktop_while_it_sent_there_is_an_editor_of_the_host() {
        let revisions = [saved(NOW, "anna"), saved(OTHER, "bert"), saved(NOW, "cleo")];
        let editors = revisions.iter().flat_map(HostEditor::of).collect();
        let hosts = hosts_in_use(&[desktop(NOW)], &editors);
        assert_eq!(hosts.keys().collect::<Vec<_>>(), ["pay.example:443"]);
        let used = &hosts["pay.example:443"];
        assert_eq!(
            used.widgets,
            [("Sales".to_owned(), "Bank payment".to_owned())]
        );
        assert_eq!(used.editors.iter().collect::<Vec<_>>(), ["anna", "cleo"]);
    }

    #[test]
    fn s4_only_somebody_else_approves_a_host_that_is_used_and_waits() {
        let editors = HostEditor::of(&saved(NOW, "anna")).collect();
        let hosts = hosts_in_use(&[desktop(NOW)], &editors);
        let approve = |authority: &str, may_receive, name| {
            let used = hosts.get(authority);
            approve(
                authority,
                used,
                may_receive,
                &actor(name),
                " checked ",
                UnixMillis(5),
            )
        };
        let host = "pay.example:443";
        assert_eq!(approve(host, false, "anna"), Err(ApprovalRefused::Editor));
        assert_eq!(approve(host, true, "bert"), Err(ApprovalRefused::Approved));
        assert_eq!(
            approve("old.example:8443", false, "bert"),
            Err(ApprovalRefused::NotUsed)
        );
        let approved = approve(host, false, "bert").unwrap();
        assert_eq!((&*approved.reason, &*approved.by_name), ("checked", "bert"));
    }
}
