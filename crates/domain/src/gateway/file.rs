//! A gateway's configuration as a file.
//! Owns: what a preset and what the page exports have in common.
//! Never: holds a credential, or knows how the file is written.

use serde::{Deserialize, Serialize};

use super::GatewayConfig;
use crate::capture::PaymentType;

/// A configuration without credentials, as a preset has it and the page exports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// What it is for; none: the page does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<About>,
    /// The configuration.
    pub gateway: GatewayConfig,
}

/// What a preset is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The gateway's name, as its vendor writes it.
    pub title: String,
    /// Card or check.
    pub kind: PaymentType,
    /// What is the merchant's own, so that the values here are samples: "service_url", "auth_user_name", "cfg.merchant_id".
    #[serde(default)]
    pub fill: Vec<String>,
    /// What one has to know before it is used, in English, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A preset as it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Preset {
    /// Its name, as the command line and tests have it.
    pub id: String,
    /// The gateway's name.
    pub title: String,
    /// Card or check.
    pub kind: PaymentType,
    /// What one has to know before it is used, in English.
    pub notes: Vec<String>,
    /// Members of the configuration that are empty and need a value of one's own: "service_url", "more.constants[0].value". Secrets and the password do, too.
    pub fill: Vec<String>,
    /// The configuration.
    pub gateway: GatewayConfig,
}

impl Preset {
    /// What a file offers; none: it is no preset, or asks for what it does not have.
    #[must_use]
    pub fn of(id: &str, file: GatewayFile) -> Option<Self> {
        let about = file.preset?;
        let mut gateway = file.gateway;
        let asked = about.fill.iter();
        let fill: Option<Vec<String>> = asked.map(|name| empty(&mut gateway, name)).collect();
        Some(Self {
            id: id.to_owned(),
            title: about.title,
            kind: about.kind,
            notes: about.notes,
            fill: fill?,
            gateway,
        })
    }
}

/// Empties a member of a configuration, and yields its path.
fn empty(gateway: &mut GatewayConfig, name: &str) -> Option<String> {
    let (value, path) = match name.strip_prefix("cfg.") {
        Some(constant) => {
            let rows = &mut gateway.more.constants;
            let at = rows.iter().position(|row| row.name == constant)?;
            (
                &mut rows.get_mut(at)?.value,
                format!("more.constants[{at}].value"),
            )
        }
        None => {
            let value = match name {
                "service_url" => &mut gateway.service_url,
                "auth_user_name" => &mut gateway.auth_user_name,
                _ => return None,
            };
            (value, name.to_owned())
        }
    };
    value.clear();
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(fill: &[&str]) -> GatewayFile {
        serde_json::from_value(serde_json::json!({
            "preset": { "title": "A", "kind": "card", "fill": fill },
            "gateway": {
                "service_url": "https://a.example/", "success_key": "a", "success_value": "b",
                "more": { "constants": [{ "name": "one", "value": "1" }, { "name": "two", "value": "2" }] },
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_the_merchants_own_is_empty_and_named_by_its_path() {
        let preset = Preset::of("a", file(&["service_url", "cfg.two"])).unwrap();
        assert_eq!(preset.fill, ["service_url", "more.constants[1].value"]);
        let constants = &preset.gateway.more.constants;
        assert_eq!((&*constants[0].value, &*constants[1].value), ("1", ""));
        assert_eq!(preset.gateway.service_url, "");
    }

    #[test]
    fn a_preset_that_asks_for_what_is_not_there_is_none() {
        assert_eq!(Preset::of("a", file(&["cfg.three"])), None);
        assert_eq!(Preset::of("a", file(&["success_key"])), None);
        let unsaid = GatewayFile {
            preset: None,
            ..file(&[])
        };
        assert_eq!(Preset::of("a", unsaid), None);
    }
}
