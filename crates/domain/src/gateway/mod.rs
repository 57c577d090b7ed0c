//! What is configured for a payment gateway, and how its answer is judged.
//! Owns: the configuration of the tabs Payment Gateway Config and Advanced Config; the verdict.
//! Never: speaks HTTP, parses a body, or holds a password.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub mod address;
mod answers;
pub mod approval;
pub mod case;
mod condition;
mod connection;
mod draft;
mod expression;
pub mod file;
pub mod filter;
mod key;
mod misread;
mod more;
mod name;
mod once;
pub mod operation;
mod recovery;
mod refinement;
pub mod step;
pub mod template;
pub mod trial;
mod typing;
pub mod variable;
mod verdict;

pub use address::{UrlError, UrlTemplate};
pub use answers::{CONDITIONS_MAX, MESSAGE_KEYS_MAX, OUTPUTS_MAX};
pub use condition::{Alternative, AtKey, Condition, Test, is_nothing};
pub use connection::{Connection, ConnectionNames};
pub use draft::MAPPINGS_MAX;
pub use expression::Expression;
pub use key::{Key, PartKey};
pub use misread::Misread;
pub use more::{
    BodyKind, Method, More, RequestFormat, ResponseFormat, ValueMeaning, VerdictConditions,
};
pub use name::{NameError, NamePath, Step};
pub use once::Once;
pub use operation::{GatewayOperation, OperationKind, Operations};
pub use recovery::Recovery;
pub use refinement::{ConditionList, Refinement};
pub use step::{GatewayStep, StepOutput};
pub use template::{Template, TemplateError};
pub use typing::{Place, Scope, Typed};
pub use variable::{Kind, Source, Space, Variable};
pub use verdict::{Evidence, KeyFound, NotSentReason, Verdict, VerdictRule, rule};

/// Default of "Connection Timeout".
pub const CONNECTION_TIMEOUT_MS: u32 = 5_000;
/// Default of "Read Timeout".
pub const READ_TIMEOUT_MS: u32 = 45_000;

/// A gateway as a widget is configured for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// "Service URL": https, with a host, without user information or fragment. Path and query may hold `{cfg.name}` and facts of the payment.
    pub service_url: String,
    /// "Response Success Key".
    pub success_key: String,
    /// "Response Success Value".
    pub success_value: String,
    /// "Response Agent Message Key"; empty: none.
    #[serde(default)]
    pub agent_message_key: String,
    /// "Request Param Mapping", sent besides the standard parameters.
    #[serde(default)]
    pub request_params: Vec<Mapping>,
    /// "Send standard parameters" (S17).
    #[serde(default = "on")]
    pub send_standard_parameters: bool,
    /// "Auth Method".
    #[serde(default)]
    pub auth_method: AuthMethod,
    /// "Auth User Name"; empty with None.
    #[serde(default)]
    pub auth_user_name: String,
    /// "Connection Timeout", 100-60,000 ms.
    #[serde(default = "connection_timeout")]
    pub connection_timeout_ms: u32,
    /// "Read Timeout", 1,000-120,000 ms, from the first request byte to the end of the body.
    #[serde(default = "read_timeout")]
    pub read_timeout_ms: u32,
    /// "Request Type".
    #[serde(default)]
    pub request_type: ContentType,
    /// "Response Type".
    #[serde(default)]
    pub response_type: ContentType,
    /// "Request Header Mapping".
    #[serde(default)]
    pub request_headers: Vec<Mapping>,
    /// "A missing key means".
    #[serde(default)]
    pub missing_key: MissingKey,
    /// What stands behind "More".
    #[serde(default, skip_serializing_if = "More::is_empty")]
    pub more: More,
}

fn on() -> bool {
    true
}

fn connection_timeout() -> u32 {
    CONNECTION_TIMEOUT_MS
}

fn read_timeout() -> u32 {
    READ_TIMEOUT_MS
}

impl GatewayConfig {
    /// "Connection Timeout": resolve, connect and secure.
    #[must_use]
    pub fn connection_timeout(&self) -> Duration {
        Duration::from_millis(self.connection_timeout_ms.into())
    }

    /// "Read Timeout": first request byte to the end of the body.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        Duration::from_millis(self.read_timeout_ms.into())
    }

    /// Whether a stored password goes with it: Basic, but for a computed one.
    #[must_use]
    pub fn takes_password(&self) -> bool {
        self.auth_method == AuthMethod::Basic && self.more.auth_password.is_empty()
    }

    /// Whether it is of no use without a stored password. Where the user name is a secret, as at gateways that take their key so, the password may be empty.
    #[must_use]
    pub fn needs_password(&self) -> bool {
        let name = self.auth_user_name.trim().strip_prefix("{secret.");
        let is_secret =
            name.is_some_and(|rest| rest.ends_with('}') && rest.matches('}').count() == 1);
        self.takes_password() && !is_secret
    }

    /// Without the values of request headers: they may be credentials.
    #[must_use]
    pub fn veiled(&self) -> Self {
        let mut veiled = self.clone();
        let steps = veiled.more.steps.iter_mut();
        let of_steps = steps.flat_map(|step| &mut step.request_headers);
        let own = veiled.request_headers.iter_mut();
        for header in own.chain(of_steps) {
            header.value.clear();
        }
        let operations = veiled.more.all_operations_mut();
        for header in operations.flat_map(|operation| &mut operation.request_headers) {
            header.value.clear();
        }
        veiled
    }

    /// Rows of all request headers, those of steps and operations too.
    pub fn all_headers(&self) -> impl Iterator<Item = &Mapping> {
        let steps = self.more.steps.iter();
        let of_steps = steps.flat_map(|step| &step.request_headers);
        let operations = self.more.all_operations();
        let of_operations = operations.flat_map(|(_, operation)| &operation.request_headers);
        let own = self.request_headers.iter();
        own.chain(of_steps).chain(of_operations)
    }

    /// Whether a header row may make Authorization: where Basic does not, and of values. A credential itself is no text of a configuration, which everybody
    /// reads who may edit it.
    #[must_use]
    pub fn makes_authorization(&self, row: &Mapping) -> bool {
        self.auth_method == AuthMethod::None && row.value.contains('{')
    }

    /// Host and port that it sends the sale to, as one text; none: the Service URL is no URL.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        let url = UrlTemplate::parse(&self.service_url).ok()?;
        Some(url.authority())
    }
}

/// A row of a mapping: a name and a template such as `{card.number}` or a literal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Parameter or header name.
    pub name: String,
    /// Literal text with tokens in braces.
    pub value: String,
}

/// "Auth Method".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// No Authorization header.
    #[default]
    None,
    /// RFC 7617.
    Basic,
}

/// Content types of requests and responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub enum ContentType {
    /// JSON.
    #[default]
    #[serde(rename = "application/json")]
    Json,
    /// Form.
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
    /// XML.
    #[serde(rename = "application/xml")]
    Xml,
    /// XML, too.
    #[serde(rename = "text/xml")]
    TextXml,
    /// Responses only: `key=value` lines or a form.
    #[serde(rename = "text/plain")]
    Text,
}

impl ContentType {
    /// The header's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml",
            Self::TextXml => "text/xml",
            Self::Text => "text/plain",
        }
    }

    /// Whether a header Content-Type says this type, in one of the ways in which servers do: a remark, never a verdict (SETTLED S18).
    #[must_use]
    pub fn fits(self, header: &str) -> bool {
        let essence = header.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        match self {
            Self::Json => {
                matches!(&*essence, "application/json" | "text/json") || essence.ends_with("+json")
            }
            Self::Xml | Self::TextXml => {
                matches!(&*essence, "application/xml" | "text/xml") || essence.ends_with("+xml")
            }
            Self::Form | Self::Text => essence == self.as_str(),
        }
    }
}

/// What a 2xx answer without the success key means (S16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingKey {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Declined.
    Declined,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_that_is_a_secret_needs_no_password() {
        let mut config: GatewayConfig = serde_json::from_value(serde_json::json!({
            "service_url": "https://pay.example/", "success_key": "a", "success_value": "b", "auth_method": "basic",
        }))
        .unwrap();
        for (name, takes, needs) in [
            ("merchant", true, true),
            ("{secret.api_key}", true, false),
            (" {secret.api_key} ", true, false),
            ("{secret.a}{secret.b}", true, true),
            ("{secret.a}-shop", true, true),
            ("{cfg.merchant}", true, true),
        ] {
            config.auth_user_name = name.to_owned();
            assert_eq!(
                (config.takes_password(), config.needs_password()),
                (takes, needs),
                "{name}"
            );
        }
        config.more.auth_password = "{let.hash}".to_owned();
        assert!(!config.takes_password() && !config.needs_password());
    }

    #[test]
    fn s18_a_content_type_is_compared_by_what_it_says() {
        for (as_type, header, fits) in [
            (ContentType::Json, "application/json; charset=utf-8", true),
            (ContentType::Json, "Application/Problem+JSON", true),
            (ContentType::Json, "text/html", false),
            (ContentType::Json, "", false),
            (ContentType::Xml, "text/xml", true),
            (
                ContentType::TextXml,
                "application/soap+xml;charset=utf-8",
                true,
            ),
            (ContentType::Xml, "application/json", false),
            (ContentType::Form, "application/x-www-form-urlencoded", true),
            (ContentType::Form, "text/plain", false),
            (ContentType::Text, "text/plain", true),
        ] {
            assert_eq!(as_type.fits(header), fits, "{as_type:?} {header}");
        }
    }
}
