//! Copies of a desktop: duplicates, files, restored revisions.
//! Owns: the file's form, and what a copy carries.
//! Never: carries a password or the approval of a host; a widget that would need one is not Enabled in the copy.

use serde::{Deserialize, Serialize};

use super::standing::lacks;
use super::{Desktop, DesktopDraft, DesktopService, Layout, WidgetInDraft};
use crate::id::WidgetId;
use crate::widget::{Widget, WidgetDraft};

/// Version of the file that is written now.
pub const FILE_VERSION: u32 = 1;

/// What the file says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum FileFormat {
    /// An agent desktop.
    #[serde(rename = "tonewall.desktop")]
    Desktop,
}

/// A desktop as a file: no identities, no password, no value of a request header (it may be a credential).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DesktopFile {
    /// What it is.
    pub format: FileFormat,
    /// Its version; 1.
    pub version: u32,
    /// Name, 1-60 characters.
    pub name: String,
    /// Desktop service.
    pub service: DesktopService,
    /// Layout.
    pub layout: Layout,
    /// Widgets, in the order in which agents see them.
    #[serde(default)]
    pub widgets: Vec<WidgetDraft>,
}

/// What a copy takes along.
pub enum Carried<'a> {
    /// Everything but passwords.
    Gateways,
    /// No gateway: who copies may not edit gateways.
    Texts,
    /// The widgets keep their identities; these keep their passwords and secrets, all that they need.
    Passwords(&'a dyn Fn(&Widget) -> bool),
}

impl Desktop {
    /// The form of a copy. Widgets that lack something in it are not Enabled.
    #[must_use]
    pub fn copied(&self, name: &str, carried: &Carried<'_>) -> DesktopDraft {
        DesktopDraft {
            name: name.to_owned(),
            service: self.service,
            layout: self.layout,
            widgets: self
                .widgets
                .iter()
                .map(|widget| copied(widget, carried))
                .collect(),
        }
    }

    /// As a file.
    #[must_use]
    pub fn to_file(&self) -> DesktopFile {
        DesktopFile {
            format: FileFormat::Desktop,
            version: FILE_VERSION,
            name: self.name.clone(),
            service: self.service,
            layout: self.layout,
            widgets: self.widgets.iter().map(filed).collect(),
        }
    }
}

impl DesktopFile {
    /// The form of the desktop that it describes. Widgets that lack something are not Enabled.
    #[must_use]
    pub fn into_draft(self) -> DesktopDraft {
        let widgets = self
            .widgets
            .into_iter()
            .map(|draft| fresh(None, draft, false));
        DesktopDraft {
            name: self.name,
            service: self.service,
            layout: self.layout,
            widgets: widgets.collect(),
        }
    }
}

fn filed(widget: &Widget) -> WidgetDraft {
    let mut draft = WidgetDraft::from(widget.clone());
    if let Some(gateway) = &mut draft.gateway {
        *gateway = gateway.veiled();
    }
    draft
}

fn copied(widget: &Widget, carried: &Carried<'_>) -> WidgetInDraft {
    let mut draft = WidgetDraft::from(widget.clone());
    match carried {
        Carried::Gateways => fresh(None, draft, false),
        Carried::Texts => {
            draft.gateway = None;
            fresh(None, draft, false)
        }
        Carried::Passwords(kept) => fresh(Some(widget.id.clone()), draft, kept(widget)),
    }
}

fn fresh(id: Option<WidgetId>, mut draft: WidgetDraft, has_credentials: bool) -> WidgetInDraft {
    draft.enabled =
        draft.enabled && lacks(draft.kind, draft.gateway.as_ref(), has_credentials).is_empty();
    let gateway = draft.gateway.as_ref();
    if gateway.is_some_and(|gateway| !gateway.more.secrets.is_empty()) {
        draft.enabled &= has_credentials;
    }
    WidgetInDraft {
        id,
        draft,
        gateway_password: None,
        gateway_secrets: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::id::DesktopId;

    fn widget(id: &str, auth: &str, headers: Value) -> Widget {
        serde_json::from_value(json!({
            "id": id, "kind": "check_advanced", "title": id, "enabled": true, "card_types": [], "options": {}, "translations": {},
            "prompts": [
                {"field": "routing_number", "text": "Key the routing number."},
                {"field": "account_number", "text": "Key the account number."},
            ],
            "gateway": {"service_url": "https://gateway.example/pay", "success_key": "a", "success_value": "b",
                "auth_method": auth, "auth_user_name": "merchant", "request_headers": headers},
        }))
        .unwrap()
    }

    fn desktop() -> Desktop {
        Desktop {
            id: DesktopId::from_random(1),
            name: "Sales".to_owned(),
            service: DesktopService::Designer,
            layout: Layout::Designer,
            widgets: vec![
                widget("secret", "basic", json!([])),
                widget(
                    "header",
                    "none",
                    json!([{"name": "X-Key", "value": "header-canary"}]),
                ),
                widget("open", "none", json!([])),
            ],
            design: None,
            revision: 7,
        }
    }

    fn enabled(draft: &DesktopDraft) -> Vec<bool> {
        draft.widgets.iter().map(|one| one.draft.enabled).collect()
    }

    #[test]
    fn a_duplicate_has_new_widgets_and_those_without_their_password_are_not_enabled() {
        let draft = desktop().copied("Sales 2", &Carried::Gateways);
        assert_eq!(enabled(&draft), [false, true, true]);
        assert!(draft.widgets.iter().all(|one| one.id.is_none()));
        assert!(
            draft
                .widgets
                .iter()
                .all(|one| one.gateway_password.is_none())
        );
        let draft = desktop().copied("Sales 2", &Carried::Texts);
        assert_eq!(enabled(&draft), [false, false, false]);
        assert!(draft.widgets.iter().all(|one| one.draft.gateway.is_none()));
    }

    #[test]
    fn a_restored_widget_keeps_its_identity_and_is_enabled_if_its_password_is_still_there() {
        let kept = |widget: &Widget| widget.id.as_str() == "secret";
        let draft = desktop().copied("Sales", &Carried::Passwords(&kept));
        assert_eq!(enabled(&draft), [true, true, true]);
        assert_eq!(draft.widgets[0].id, Some("secret".parse().unwrap()));
        let draft = desktop().copied("Sales", &Carried::Passwords(&|_| false));
        assert_eq!(enabled(&draft), [false, true, true]);
    }

    #[test]
    fn a_file_comes_back_the_same_but_for_secrets() {
        let file = serde_json::to_value(desktop().to_file()).unwrap();
        let text = file.to_string();
        assert!(
            !text.contains("header-canary") && !text.contains("\"id\""),
            "{text}"
        );
        let file: DesktopFile = serde_json::from_value(file).unwrap();
        let draft = file.into_draft();
        assert_eq!(enabled(&draft), [false, false, true]);
        let mut next = 10;
        let id = DesktopId::from_random(2);
        let (again, credentials) = draft
            .parse(id, 0, None, || {
                next += 1;
                WidgetId::from_random(next)
            })
            .ok()
            .unwrap();
        assert!(credentials.passwords.is_empty() && credentials.secrets.is_empty());
        assert_eq!(
            (again.service, again.layout),
            (DesktopService::Designer, Layout::Designer)
        );
        assert_eq!(again.widgets[2].gateway, desktop().widgets[2].gateway);
        assert_ne!(again.widgets[2].id, desktop().widgets[2].id);
    }

    #[test]
    fn a_file_with_a_password_an_identity_or_another_format_is_refused() {
        let file = serde_json::to_value(desktop().to_file()).unwrap();
        for (place, name, value) in [
            (true, "gateway_password", json!("x")),
            (true, "id", json!("secret")),
            (false, "approved_hosts", json!(["gateway.example"])),
            (false, "format", json!("other")),
        ] {
            let mut wrong = file.clone();
            let at = if place {
                &mut wrong["widgets"][0]
            } else {
                &mut wrong
            };
            at[name] = value;
            assert!(
                serde_json::from_value::<DesktopFile>(wrong).is_err(),
                "{name}"
            );
        }
    }
}
