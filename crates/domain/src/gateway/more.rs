//! What stands behind "More" on the tab Payment Gateway Config.
//! Owns: the fields beyond the reference's, and their defaults, which change nothing.
//! Never: parses a template or a condition.

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::{
    Connection, ContentType, GatewayConfig, GatewayOperation, GatewayStep, Mapping, Operations,
    Recovery,
};

/// The fields behind "More" (docs/decisions/0008). The default asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct More {
    /// HTTP method.
    #[serde(skip_serializing_if = "is_default")]
    pub method: Method,
    /// How parameters are written if not as Request Type says.
    #[serde(skip_serializing_if = "is_default")]
    pub request_format: RequestFormat,
    /// The whole body as a text, in the place of parameters. Written as Request Type says: JSON, XML, or as it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Password for Basic, if it is computed: `{let.hash}`; empty: the one that is kept with the widget.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub auth_password: String,
    /// The name of a form field that holds the body, which is JSON or XML, as its only parameter; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body_form_field: String,
    /// Content-Type in the place of Request Type's; empty: that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// Constants, `{cfg.name}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Mapping>,
    /// Names of secrets, `{secret.name}`. Their values are kept elsewhere and never shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Values that are computed before the body is written, `{let.name}`. Each may name those above it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Mapping>,
    /// Values that are computed once the body is final, `{sign.name}`. Each may name those above it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signature: Vec<Mapping>,
    /// Calls that are made before the sale, in this order. What they give is `{step.name.output}` in all that comes after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<GatewayStep>,
    /// How answers are read if not as Response Type says.
    #[serde(skip_serializing_if = "is_default")]
    pub response_format: ResponseFormat,
    /// What Response Success Value is.
    #[serde(skip_serializing_if = "is_default")]
    pub success_value: ValueMeaning,
    /// Conditions that refine the verdict.
    #[serde(skip_serializing_if = "is_default")]
    pub verdict: VerdictConditions,
    /// Further keys of the agent message, asked one after the other where Response Agent Message Key is not found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_keys: Vec<String>,
    /// What of the answer is kept: a name and a key, or several keys with `||` between.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Mapping>,
    /// Answers that are kept with what they must come to. Charges do not use them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<Case>,
    /// What is done where no answer says how the sale ended.
    #[serde(skip_serializing_if = "is_default")]
    pub recovery: Recovery,
    /// Which authorities, and which client certificate, of those that the server's file names.
    #[serde(skip_serializing_if = "is_default")]
    pub connection: Connection,
    /// What takes the sale's place where nothing is due at once: the card or the account is kept at the gateway for `operations.schedule`, and nothing is charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<GatewayOperation>,
    /// What can be asked of the gateway about a charge that it has, or may have.
    #[serde(skip_serializing_if = "is_default")]
    pub operations: Operations,
}

impl More {
    /// Nothing stands there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        is_default(self)
    }
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// HTTP method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// GET: of inquiries only, for it changes nothing and has no body.
    Get,
}

impl Method {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Get => "GET",
        }
    }
}

/// How parameters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestFormat {
    /// As Request Type says.
    #[default]
    RequestType,
    /// `NAME[length]=value` joined by `&`, nothing encoded: Payflow's text/namevalue.
    NameValue,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// As Response Type says.
    #[default]
    ResponseType,
    /// `NAME=value` or `NAME[length]=value` joined by `&`, nothing decoded.
    NameValue,
}

/// Conditions such as `response = 2`, `status = DECLINED|REFUSED`, `errorCode exists`, `http:status = 402`. Any of a list suffices, but all of `also` are
/// needed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VerdictConditions {
    /// What must hold besides the success key for an approval.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// What means that the gateway itself does not know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What means that a person decides later.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub review: Vec<String>,
    /// What means declined.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declined: Vec<String>,
    /// What means that the gateway refused the request and charged nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<String>,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// A form.
    Form,
    /// Text in which nothing is escaped.
    Text,
}

impl BodyKind {
    /// What the body of a configuration is. A text shows it in its first character when a form field holds it.
    #[must_use]
    pub fn of(config: &GatewayConfig) -> Self {
        let more = &config.more;
        if more.request_format == RequestFormat::NameValue {
            return Self::Text;
        }
        if !more.body.is_empty() && !more.body_form_field.is_empty() {
            return match more.body.trim_start().starts_with('<') {
                true => Self::Xml,
                false => Self::Json,
            };
        }
        match config.request_type {
            ContentType::Json => Self::Json,
            ContentType::Xml | ContentType::TextXml => Self::Xml,
            ContentType::Form => Self::Form,
            ContentType::Text => Self::Text,
        }
    }
}

impl GatewayConfig {
    /// Whether a parameter's name is a path in the body: in JSON and XML.
    #[must_use]
    pub fn writes_levels(&self) -> bool {
        matches!(BodyKind::of(self), BodyKind::Json | BodyKind::Xml)
    }
}

/// What Response Success Value is. It is a text unless somebody says otherwise, so that one that looks like a test does not become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueMeaning {
    /// The text that must stand there.
    #[default]
    Text,
    /// A test: `a|b|200..299`, `~regex`, `exists` or `null`.
    Test,
}
