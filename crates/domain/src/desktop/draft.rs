//! A desktop as a form sends it.
//! Owns: the rules from draft to desktop; all errors at once, with their paths.
//! Never: keeps a password in plain text; it becomes a secret as it is read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use secret::SecretText;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::{RefOr, Schema};

use super::{Desktop, DesktopService, Layout, WIDGETS_MAX};
use crate::capture::{Brand, WidgetKind};
use crate::gateway::{AuthMethod, GatewayConfig};
use crate::id::{DesktopId, WidgetId};
use crate::time::UnixMillis;
use crate::widget::{
    DraftProblem, Prompt, Translations, Widget, WidgetDraft, WidgetOptions, name_problem,
    translation_path,
};

/// Longest gateway password in bytes. Longer ones are refused.
pub const PASSWORD_BYTES_MAX: usize = 500;

/// New credentials of gateways, which are sealed and never sent back.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Passwords by widget; an empty one removes what was there.
    pub passwords: Vec<(WidgetId, Arc<SecretText>)>,
    /// Secrets that a configuration names, by widget and name. One that no configuration names any more is removed.
    pub secrets: Vec<(WidgetId, String, Arc<SecretText>)>,
}

/// Secrets that have a value, by widget and name, with the time at which each was set.
pub type SecretsSet = Vec<(WidgetId, String, UnixMillis)>;

/// A secret of a gateway as a form sends it.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String)]
pub struct TypedSecret(pub SecretText);

impl<'de> Deserialize<'de> for TypedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        secret_text("gateway_secrets", text).map(Self)
    }
}

/// A desktop as a form sends it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DesktopDraft {
    /// Name, 1-60 characters.
    pub name: String,
    /// Fixed at creation.
    pub service: DesktopService,
    /// Layout.
    pub layout: Layout,
    /// Widgets, in the order in which agents see them.
    #[serde(default)]
    pub widgets: Vec<WidgetInDraft>,
}

/// A widget of a desktop's form: the widget's own fields beside these two.
pub struct WidgetInDraft {
    /// None: a new widget.
    pub id: Option<WidgetId>,
    /// The widget's form.
    pub draft: WidgetDraft,
    /// A new "Auth Password"; none: the stored one stays.
    pub gateway_password: Option<SecretText>,
    /// New secrets by name; the stored ones of other names stay.
    pub gateway_secrets: BTreeMap<String, TypedSecret>,
}

impl DesktopDraft {
    /// The valid desktop with the new passwords, or everything that is wrong. `current` is the stored desktop, none for a new one; `revision` is the one
    /// that the form was loaded with.
    ///
    /// # Errors
    /// All problems, in the order of the form, with paths like `widgets[1].gateway.service_url`.
    pub fn parse(
        self,
        id: DesktopId,
        revision: i64,
        current: Option<&Desktop>,
        new_widget_id: impl FnMut() -> WidgetId,
    ) -> Result<(Desktop, Credentials), Vec<DraftProblem>> {
        let mut problems = self.own_problems(current);
        let (widgets, credentials) =
            parse_widgets(self.widgets, current, new_widget_id, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let desktop = Desktop {
            id,
            name: self.name.trim().to_owned(),
            service: self.service,
            layout: self.layout,
            widgets,
            design: current.and_then(|stored| stored.design.clone()),
            revision,
        };
        Ok((desktop, credentials))
    }

    fn own_problems(&self, current: Option<&Desktop>) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        problems.extend(name_problem("name", "A desktop's name", &self.name));
        if current.is_some_and(|stored| stored.service != self.service) {
            problems.push(DraftProblem::new(
                "service",
                "The desktop service is fixed at creation; make a new desktop for the other one.",
            ));
        }
        problems.extend(layout_problem(self.service, self.layout));
        if self.widgets.len() > WIDGETS_MAX {
            let message = format!("A desktop has at most {WIDGETS_MAX} widgets.");
            problems.push(DraftProblem::new("widgets", message));
        }
        problems
    }
}

/// S1: the one combination that is refused.
#[must_use]
pub fn layout_problem(service: DesktopService, layout: Layout) -> Option<DraftProblem> {
    match (service, layout) {
        (DesktopService::Standard, Layout::Designer) => Some(DraftProblem::new(
            "layout",
            "Agent Panel + Designer needs a desktop of the designer service; this one has the standard service.",
        )),
        (DesktopService::Standard, Layout::AgentPanel | Layout::ExtendedPanel)
        | (
            DesktopService::Designer,
            Layout::AgentPanel | Layout::ExtendedPanel | Layout::Designer,
        ) => None,
    }
}

fn parse_widgets(
    drafts: Vec<WidgetInDraft>,
    current: Option<&Desktop>,
    mut new_widget_id: impl FnMut() -> WidgetId,
    problems: &mut Vec<DraftProblem>,
) -> (Vec<Widget>, Credentials) {
    let mut widgets = Vec::new();
    let mut credentials = Credentials::default();
    let mut ids = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for (index, given) in drafts.into_iter().enumerate() {
        let path = format!("widgets[{index}]");
        let mut found = given.problems(current);
        for (path, title) in given.titles() {
            if !title.is_empty() && !titles.insert((path.clone(), title)) {
                found.push(DraftProblem::new(
                    path,
                    "Another widget of this desktop has this Window Title; choose another.",
                ));
            }
        }
        let id = given.id.unwrap_or_else(&mut new_widget_id);
        if !ids.insert(id.clone()) {
            found.push(DraftProblem::new("id", "This widget is listed twice."));
        }
        match given.draft.parse(id.clone()) {
            Ok(widget) => widgets.push(widget),
            Err(wrong) => found.splice(0..0, wrong).for_each(drop),
        }
        if let Some(password) = given.gateway_password {
            credentials.passwords.push((id.clone(), Arc::new(password)));
        }
        for (name, TypedSecret(text)) in given.gateway_secrets {
            if !text.is_empty() {
                let new = (id.clone(), name, Arc::new(text));
                credentials.secrets.push(new);
            }
        }
        problems.extend(found.into_iter().map(|problem| problem.under(&path)));
    }
    (widgets, credentials)
}

impl WidgetInDraft {
    /// Its titles as they are compared, the own one and those of other languages, with their paths.
    fn titles(&self) -> Vec<(String, String)> {
        let translated = self.draft.translations.iter().map(|(language, texts)| {
            let path = format!("{}.title", translation_path(*language));
            (path, texts.title.as_deref().unwrap_or_default())
        });
        std::iter::once(("title".to_owned(), self.draft.title.as_str()))
            .chain(translated)
            .map(|(path, title)| (path, title.trim().to_lowercase()))
            .collect()
    }

    /// What concerns its place on the desktop and its password.
    fn problems(&self, current: Option<&Desktop>) -> Vec<DraftProblem> {
        let mut problems = Vec::new();
        let stored = self.id.as_ref().map(|id| {
            current.and_then(|desktop| desktop.widgets.iter().find(|widget| widget.id == *id))
        });
        match stored {
            Some(None) => problems.push(DraftProblem::new(
                "id",
                "This desktop has no such widget; leave the id out for a new one.",
            )),
            Some(Some(widget)) if widget.kind != self.draft.kind => {
                problems.push(DraftProblem::new(
                    "kind",
                    "A widget's kind does not change; remove it and add another.",
                ));
            }
            Some(Some(_)) | None => {}
        }
        let basic = self
            .draft
            .gateway
            .as_ref()
            .is_some_and(|gateway| gateway.auth_method == AuthMethod::Basic);
        if self.gateway_password.is_some() && !basic {
            problems.push(DraftProblem::new(
                "gateway_password",
                "A password goes with Auth Method Basic; choose it, or leave the password out.",
            ));
        }
        let gateway = self.draft.gateway.as_ref();
        let is_named =
            |name: &String| gateway.is_some_and(|gateway| gateway.more.secrets.contains(name));
        if !self.gateway_secrets.keys().all(is_named) {
            problems.push(DraftProblem::new(
                "gateway_secrets",
                "The configuration names no such secret; add its name first.",
            ));
        }
        problems
    }
}

/// The form's shape: a widget's fields, an id and a password on one level.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WidgetFields {
    /// Left out for a new widget.
    #[serde(default)]
    id: Option<WidgetId>,
    /// Which of the four.
    kind: WidgetKind,
    /// "Window Title".
    title: String,
    /// "Enabled".
    #[serde(default)]
    enabled: bool,
    /// Prompts.
    prompts: Vec<Prompt>,
    /// Title and prompts in other languages.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<crate::language::Language, crate::widget::Translation>)]
    translations: Translations,
    /// "Credit Card Types".
    #[serde(default)]
    card_types: BTreeSet<Brand>,
    /// Options.
    #[serde(default)]
    options: WidgetOptions,
    /// Advanced only.
    #[serde(default)]
    gateway: Option<GatewayConfig>,
    /// A new "Auth Password"; left out: the stored one stays. Never sent back.
    #[serde(default, deserialize_with = "gateway_password")]
    #[schema(value_type = Option<String>, write_only)]
    gateway_password: Option<SecretText>,
    /// New values of secrets that the configuration names, by name; those left out or blank stay. Never sent back.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    gateway_secrets: BTreeMap<String, TypedSecret>,
}

/// Reads a form's "Auth Password": takes the string over without a copy. A blank one means: the stored one stays.
///
/// # Errors
/// It is too long or holds control characters.
pub fn gateway_password<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretText>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let secret = text.map(|text| secret_text("gateway_password", text));
    let secret = secret.transpose()?;
    Ok(secret.filter(|secret| !secret.is_empty()))
}

/// A credential of the form; an error begins with its field.
fn secret_text<E: serde::de::Error>(field: &str, text: String) -> Result<SecretText, E> {
    let fits = text.len() <= PASSWORD_BYTES_MAX && !text.chars().any(char::is_control);
    let secret = SecretText::new(text);
    if fits {
        return Ok(secret);
    }
    Err(E::custom(format_args!(
        "{field}: a credential has at most {PASSWORD_BYTES_MAX} characters and no control characters"
    )))
}

impl<'de> Deserialize<'de> for WidgetInDraft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = WidgetFields::deserialize(deserializer)?;
        Ok(Self {
            id: fields.id,
            gateway_password: fields.gateway_password,
            gateway_secrets: fields.gateway_secrets,
            draft: WidgetDraft {
                kind: fields.kind,
                title: fields.title,
                enabled: fields.enabled,
                prompts: fields.prompts,
                translations: fields.translations,
                card_types: fields.card_types,
                options: fields.options,
                gateway: fields.gateway,
            },
        })
    }
}

impl utoipa::PartialSchema for WidgetInDraft {
    fn schema() -> RefOr<Schema> {
        WidgetFields::schema()
    }
}

impl utoipa::ToSchema for WidgetInDraft {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("WidgetInDraft")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        WidgetFields::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn widget(title: &str) -> Value {
        json!({
            "kind": "check_advanced",
            "title": title,
            "prompts": [
                {"field": "routing_number", "text": "Key the routing number."},
                {"field": "account_number", "text": "Key the account number."},
            ],
            "gateway": {
                "service_url": "https://gateway.example/pay",
                "success_key": "result",
                "success_value": "ok",
                "auth_method": "basic",
                "auth_user_name": "merchant",
            },
            "gateway_password": "correct horse",
        })
    }

    fn desktop(widgets: Vec<Value>) -> Value {
        json!({"name": "Sales", "service": "standard", "layout": "extended_panel", "widgets": widgets})
    }

    fn parse(
        draft: Value,
        current: Option<&Desktop>,
    ) -> Result<(Desktop, Credentials), Vec<DraftProblem>> {
        let draft: DesktopDraft = serde_json::from_value(draft).unwrap();
        let mut next = 100;
        draft.parse(DesktopId::from_random(1), 4, current, || {
            next += 1;
            WidgetId::from_random(next)
        })
    }

    fn fields(draft: Value, current: Option<&Desktop>) -> Vec<String> {
        match parse(draft, current) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.into_iter().map(|problem| problem.field).collect(),
        }
    }

    #[test]
    fn a_desktop_keeps_its_widgets_in_order_and_hands_out_passwords() {
        let draft = desktop(vec![widget("One"), widget("Two")]);
        let (desktop, credentials) = parse(draft, None).unwrap();
        let passwords = credentials.passwords;
        let titles: Vec<_> = desktop.widgets.iter().map(|one| &*one.title).collect();
        assert_eq!(titles, ["One", "Two"]);
        assert_eq!(passwords[0].0, desktop.widgets[0].id);
        assert!(*passwords[1].1 == SecretText::new("correct horse".to_owned()));
        assert_eq!(desktop.revision, 4);
    }

    #[test]
    fn problems_of_all_widgets_come_at_once_with_their_paths() {
        let mut second = widget("Two");
        second["gateway"]["service_url"] = json!("http://gateway.example");
        second["prompts"][0]["text"] = json!("");
        let mut draft = desktop(vec![widget("One"), second, widget("one ")]);
        draft["name"] = json!("");
        draft["layout"] = json!("designer");
        assert_eq!(
            fields(draft, None),
            [
                "name",
                "layout",
                "widgets[1].prompts.routing_number",
                "widgets[1].gateway.service_url",
                "widgets[2].title",
            ]
        );
    }

    #[test]
    fn titles_are_unique_in_each_language() {
        let mut one = widget("One");
        let mut two = widget("Two");
        one["translations"] = json!({"de": {"title": "Konto"}, "fr": {"title": "Compte"}});
        two["translations"] = json!({"de": {"title": "konto "}, "fr": {"title": "Konto"}});
        assert_eq!(
            fields(desktop(vec![one, two]), None),
            ["widgets[1].translations.de.title"]
        );
    }

    #[test]
    fn only_the_standard_service_with_the_designer_layout_is_refused() {
        for service in [DesktopService::Standard, DesktopService::Designer] {
            for layout in [Layout::AgentPanel, Layout::ExtendedPanel, Layout::Designer] {
                let refused = service == DesktopService::Standard && layout == Layout::Designer;
                assert_eq!(layout_problem(service, layout).is_some(), refused);
            }
        }
    }

    #[test]
    fn the_service_and_a_widgets_kind_do_not_change() {
        let (stored, _) = parse(desktop(vec![widget("One")]), None).unwrap();
        let mut again = widget("One");
        again["id"] = json!(stored.widgets[0].id.as_str());
        assert!(fields(desktop(vec![again.clone()]), Some(&stored)).is_empty());

        let mut moved = desktop(vec![again.clone(), again.clone()]);
        moved["service"] = json!("designer");
        assert_eq!(
            fields(moved, Some(&stored)),
            ["service", "widgets[1].title", "widgets[1].id"]
        );
        let mut other = again;
        other["id"] = json!("unheard-of");
        assert_eq!(
            fields(desktop(vec![other]), Some(&stored)),
            ["widgets[0].id"]
        );
    }

    #[test]
    fn a_password_without_basic_is_refused_and_a_blank_one_is_none() {
        let mut one = widget("One");
        one["gateway"]["auth_method"] = json!("none");
        assert_eq!(
            fields(desktop(vec![one.clone()]), None),
            ["widgets[0].gateway_password"]
        );
        one["gateway_password"] = json!("");
        assert!(
            parse(desktop(vec![one]), None)
                .unwrap()
                .1
                .passwords
                .is_empty()
        );
    }

    #[test]
    fn unknown_fields_and_hostile_passwords_are_refused() {
        let mut one = widget("One");
        one["surprise"] = json!(1);
        assert!(serde_json::from_value::<DesktopDraft>(desktop(vec![one])).is_err());
        let mut one = widget("One");
        one["gateway_password"] = json!("a\r\nb");
        let refused = serde_json::from_value::<DesktopDraft>(desktop(vec![one]));
        let text = refused.err().map(|error| error.to_string()).unwrap();
        assert!(text.starts_with("gateway_password") && !text.contains('\r'));
    }

    #[test]
    fn a_desktop_has_a_bounded_number_of_widgets() {
        let widgets = (0..=WIDGETS_MAX).map(|n| widget(&n.to_string())).collect();
        assert_eq!(fields(desktop(widgets), None), ["widgets"]);
    }
}
