//! What the sandbox answers.
//! Owns: the same answer in JSON, form and XML.
//! Never: decides which.

use hyper::StatusCode;
use serde_json::json;

/// Types it can answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerType {
    Json,
    Form,
    Xml,
    TextXml,
}

impl AnswerType {
    /// The type that an Accept header names first; JSON if none is known.
    pub(super) fn of(accept: &str) -> Self {
        let named = accept.split([',', ';']).map(str::trim);
        named
            .into_iter()
            .find_map(Self::known)
            .unwrap_or(Self::Json)
    }

    fn known(name: &str) -> Option<Self> {
        match name {
            "application/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" | "text/plain" => Some(Self::Form),
            "application/xml" => Some(Self::Xml),
            "text/xml" => Some(Self::TextXml),
            _ => None,
        }
    }

    /// Content-Type.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Xml => "application/xml",
            Self::TextXml => "text/xml",
        }
    }
}

/// An answer before it is written.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) code: StatusCode,
    /// "APPROVED", "DECLINED"; empty: no such key, only the text as `error`.
    pub(super) status: &'static str,
    /// For the agent.
    pub(super) text: String,
    /// The reference that came.
    pub(super) reference: String,
    /// Number of the charge; empty: none.
    pub(super) auth_code: String,
}

impl Answer {
    /// An answer that takes the request not up.
    pub(super) fn refusal(code: StatusCode, text: impl Into<String>) -> Self {
        Self {
            code,
            status: "",
            text: text.into(),
            reference: String::new(),
            auth_code: String::new(),
        }
    }

    /// Its body.
    pub(super) fn body(&self, as_type: AnswerType) -> String {
        match as_type {
            AnswerType::Json => self.json(),
            AnswerType::Form => self.form(),
            AnswerType::Xml | AnswerType::TextXml => self.xml(),
        }
    }

    fn json(&self) -> String {
        if self.status.is_empty() {
            return json!({ "error": self.text }).to_string();
        }
        json!({
            "result": { "status": self.status, "text": self.text },
            "reference": self.reference,
            "authCode": self.auth_code,
        })
        .to_string()
    }

    fn form(&self) -> String {
        let pairs = if self.status.is_empty() {
            vec![("error", self.text.as_str())]
        } else {
            vec![
                ("status", self.status),
                ("text", &self.text),
                ("reference", &self.reference),
                ("authCode", &self.auth_code),
            ]
        };
        serde_html_form::to_string(pairs).unwrap_or_default()
    }

    fn xml(&self) -> String {
        let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
        let text = escape(&self.text);
        if self.status.is_empty() {
            return format!("<?xml version=\"1.0\"?><response><error>{text}</error></response>");
        }
        format!(
            "<?xml version=\"1.0\"?><response><result><status>{}</status><text>{text}</text></result>\
             <reference>{}</reference><authCode>{}</authCode></response>",
            self.status,
            escape(&self.reference),
            escape(&self.auth_code),
        )
    }
}
