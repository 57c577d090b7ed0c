//! What the sandbox answers.
//! Owns: the ordinary answer of each behaviour, and the same answer in JSON, form and XML.
//! Never: decides which.

use hyper::StatusCode;
use serde_json::json;

use super::behaviour::Behaviour;
use super::ledger::{LedgerRow, RowStatus};
use super::order::Order;

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

/// A text that is far longer than what an agent is shown.
const TEXT_CHARS_LONG: usize = 10_000;

/// What a careless page or terminal would obey.
const MARKUP: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\r\nSet-Cookie: a=b\r\n\u{1b}[31mred\u{202e}gnol";

/// A number as careless gateways repeat it.
fn echo(number: &str) -> String {
    let groups: Vec<&str> = (0..number.len())
        .step_by(4)
        .filter_map(|at| number.get(at..number.len().min(at + 4)))
        .collect();
    let hexadecimal: String = number.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{number} is {} is {hexadecimal}", groups.join(" "))
}

/// The refusal that a behaviour is.
pub(super) fn refusal(behaviour: Behaviour) -> Option<Answer> {
    let (code, text) = match behaviour {
        Behaviour::BadRequest => (StatusCode::BAD_REQUEST, "the request is wrong"),
        Behaviour::Unauthorised => (StatusCode::UNAUTHORIZED, "user name or password is wrong"),
        Behaviour::Forbidden => (StatusCode::FORBIDDEN, "this merchant may not charge"),
        Behaviour::NotFound => (StatusCode::NOT_FOUND, "there is nothing here"),
        Behaviour::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "not by this method"),
        Behaviour::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not in this type"),
        Behaviour::ContentTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        Behaviour::UnsupportedType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not of this type"),
        Behaviour::Unprocessable => (StatusCode::UNPROCESSABLE_ENTITY, "the amount is wrong"),
        Behaviour::KeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "the key came with another body",
        ),
        Behaviour::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "the request took too long"),
        Behaviour::InProgress => (StatusCode::CONFLICT, "the attempt is in progress"),
        Behaviour::TooEarly => (StatusCode::TOO_EARLY, "the attempt came too early"),
        Behaviour::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "something broke"),
        Behaviour::NotImplemented => (StatusCode::NOT_IMPLEMENTED, "not yet"),
        Behaviour::BadGateway => (StatusCode::BAD_GATEWAY, "the acquirer answered nonsense"),
        Behaviour::GatewayTimeout => (StatusCode::GATEWAY_TIMEOUT, "the acquirer did not answer"),
        _ => return None,
    };
    Some(Answer::refusal(code, text))
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

    /// What is said to an order whose row this is. A behaviour that does not answer, or oddly, has that of an approval.
    pub(super) fn to(behaviour: Behaviour, order: &Order, row: LedgerRow) -> Self {
        let declined = |text: &str| (StatusCode::OK, "DECLINED", text.to_owned());
        let approved = |code| (code, "APPROVED", "Approved".to_owned());
        let (code, status, text) = match behaviour {
            Behaviour::Decline => declined("Declined"),
            Behaviour::DeclineWithDescription => declined(order.text("description")),
            Behaviour::DoNotHonour => declined("Do not honour"),
            Behaviour::DeclineWithEcho => declined(&echo(order.number())),
            Behaviour::DeclineWithMarkup => declined(MARKUP),
            Behaviour::DeclineAtLength => declined(&"ab ".repeat(TEXT_CHARS_LONG / 3)),
            Behaviour::DeclineAsPaymentRequired => {
                let (_, status, text) = declined("Declined");
                (StatusCode::PAYMENT_REQUIRED, status, text)
            }
            Behaviour::ApproveWithEcho => {
                let text = format!("Approved card {}", order.number());
                (StatusCode::OK, "APPROVED", text)
            }
            Behaviour::ApproveAsCreated => approved(StatusCode::CREATED),
            Behaviour::ApproveAsServerError => approved(StatusCode::INTERNAL_SERVER_ERROR),
            Behaviour::ApproveAsUnauthorised => approved(StatusCode::UNAUTHORIZED),
            _ => approved(StatusCode::OK),
        };
        Self {
            code,
            status,
            text,
            reference: row.reference,
            auth_code: row.auth_code,
        }
    }

    /// What became of a charge.
    pub(super) fn about(charge: LedgerRow) -> Self {
        let (status, text) = match charge.status {
            RowStatus::Declined => ("DECLINED", "Declined"),
            _ => ("APPROVED", "Approved"),
        };
        Self {
            code: StatusCode::OK,
            status,
            text: text.to_owned(),
            reference: charge.reference,
            auth_code: charge.auth_code,
        }
    }

    /// What was asked about a charge is not done.
    pub(super) fn not_done(charge: &LedgerRow, why: &str) -> Self {
        Self {
            code: StatusCode::OK,
            status: "DECLINED",
            text: why.to_owned(),
            reference: charge.reference.clone(),
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

    pub(super) fn json(&self) -> String {
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
