//! Where a request goes.
//! Owns: a URL's fixed origin, and that tokens stand in its path and its query only.
//! Never: resolves a name, approves a host, or knows a value.

use thiserror::Error;
use url::{Host, Url};

use super::template::{Part, Template, TemplateError};
use super::typing::{Place, Scope};

/// Longest URL in bytes that common servers take.
const URL_BYTES_MAX: usize = 2_000;

/// Port of https ([RFC 9110 §4.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-4.2.2)).
pub const HTTPS_PORT: u16 = 443;

/// What every URL begins with.
const HTTPS: &str = "https://";

/// A URL of a configuration: `https://gateway.example/{cfg.merchant}/charges?ref={payment.reference}`.
///
/// Scheme, host and port are written out, so that what a second person approves (SETTLED S4) is what is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    host: Host<String>,
    port: u16,
    text: Template,
}

/// Why a text is no URL of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// No URL, or longer than 2,000 bytes.
    #[error("write a whole URL, for example https://gateway.example/pay")]
    Unreadable,
    /// Another scheme.
    #[error("the URL begins with https://")]
    Scheme,
    /// No host.
    #[error("the URL names a host")]
    Host,
    /// A token before the path.
    #[error(
        "character {0}: tokens stand in path and query only; scheme, host and port are written out"
    )]
    Origin(usize),
    /// A user name or a password.
    #[error("a URL has no user name or password; use Auth Method")]
    Credentials,
    /// A fragment.
    #[error("a URL has no part after #; it would not be sent")]
    Fragment,
    /// A brace that is no token's.
    #[error(
        "a brace stands in a URL for a token such as {{cfg.merchant}}; itself it is written %7B or %7D"
    )]
    Brace,
    /// What is wrong with its tokens, counted in the whole URL.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl UrlTemplate {
    /// Reads a URL.
    ///
    /// # Errors
    /// Not https, no host, a token before the path, a credential, a fragment, or a token that there is not.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let template = Template::parse(text)?;
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::Unreadable);
        }
        origin_is_fixed(&template)?;
        let url = Url::parse(&sample(&template)?).map_err(|_| UrlError::Unreadable)?;
        if !begins_with_https(text) {
            return Err(UrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let host = url.host().filter(|_| url.host_str() != Some(""));
        Ok(Self {
            host: host.ok_or(UrlError::Host)?.to_owned(),
            port: url.port().unwrap_or(HTTPS_PORT),
            text: template,
        })
    }

    /// Whether its tokens may stand there.
    ///
    /// # Errors
    /// A name that is not defined, a captured value, a secret, or what is known later only; with its place in the URL.
    pub fn check(&self, scope: &Scope) -> Result<(), UrlError> {
        self.text.check(Place::Url, scope)?;
        Ok(())
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as approvals have them: "pay.example:443".
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The whole URL. Its first part is a literal, and holds the origin.
    #[must_use]
    pub fn text(&self) -> &Template {
        &self.text
    }
}

impl UrlError {
    /// The same, counted in what follows so many characters of the text.
    #[must_use]
    pub(super) fn after(self, chars: usize) -> Self {
        match self {
            Self::Origin(at) => Self::Origin(at.saturating_sub(chars)),
            Self::Template(error) => Self::Template(TemplateError {
                at: error.at.map(|at| at.saturating_sub(chars)),
                ..error
            }),
            Self::Unreadable
            | Self::Scheme
            | Self::Host
            | Self::Credentials
            | Self::Fragment
            | Self::Brace => self,
        }
    }
}

fn begins_with_https(text: &str) -> bool {
    let begins = text.get(..HTTPS.len());
    begins.is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
        && !text[HTTPS.len()..].starts_with('/')
}

/// The first token stands behind the slash or the question mark that ends the origin.
fn origin_is_fixed(template: &Template) -> Result<(), UrlError> {
    let Some(token) = template.tokens().next() else {
        return Ok(());
    };
    let ends_origin = |head: &str| {
        let rest = head.get(HTTPS.len()..);
        rest.is_some_and(|rest| rest.contains(['/', '?']))
    };
    match template.parts().first() {
        Some(Part::Literal(head)) if ends_origin(head) => Ok(()),
        Some(Part::Literal(_) | Part::Token(_)) | None => Err(UrlError::Origin(token.at)),
    }
}

/// The URL with a character in the place of each token.
fn sample(template: &Template) -> Result<String, UrlError> {
    let mut sample = String::new();
    for part in template.parts() {
        match part {
            Part::Token(_) => sample.push('0'),
            Part::Literal(text) if text.contains(['{', '}']) => return Err(UrlError::Brace),
            Part::Literal(text) if text.contains(|c: char| c.is_whitespace() || c == '\\') => {
                return Err(UrlError::Unreadable);
            }
            Part::Literal(text) => sample.push_str(text),
        }
    }
    Ok(sample)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::PaymentType;
    use crate::gateway::variable::Space;

    fn checked(text: &str) -> Result<String, String> {
        let mut scope = Scope::new(PaymentType::Card);
        scope.define_text(Space::Constant, "merchant");
        scope.define_text(Space::Secret, "key");
        scope.define_text(Space::Let, "hash");
        let url = UrlTemplate::parse(text);
        let url = url.and_then(|url| url.check(&scope).map(|()| url.authority()));
        url.map_err(|error| error.to_string())
    }

    #[test]
    fn tokens_stand_in_path_and_query() {
        for (text, authority) in [
            ("https://pay.example", "pay.example:443"),
            (
                "https://Pay.Example:8443/{cfg.merchant}",
                "pay.example:8443",
            ),
            ("https://pay.example?m={cfg.merchant}", "pay.example:443"),
            (
                "https://[2001:db8::1]/a{cfg.merchant}b/{payment.amount|minor}?r={payment.reference}&c={payment.currency_num}",
                "[2001:db8::1]:443",
            ),
            (
                "https://pay.example/{form.city|default:/?#}",
                "pay.example:443",
            ),
            (
                "https://pay.example/{time.now|YYYYMMDD}/{txn.uuid}",
                "pay.example:443",
            ),
        ] {
            assert_eq!(checked(text), Ok(authority.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_may_not_stand_in_a_url_is_named_with_its_place() {
        for (text, said) in [
            (
                "https://{cfg.merchant}.example/",
                "character 9: tokens stand in path and query only; scheme, host and port are written out",
            ),
            (
                "https://pay.example:{cfg.merchant}/",
                "character 21: tokens stand in path and query only; scheme, host and port are written out",
            ),
            (
                "{cfg.merchant}://pay.example/",
                "character 1: tokens stand in path and query only; scheme, host and port are written out",
            ),
            (
                "https://pay.example{cfg.merchant}",
                "character 20: tokens stand in path and query only; scheme, host and port are written out",
            ),
            (
                "https://pay.example/{card.number}",
                "character 21: {card.number} may stand in the body only, never in a header, a URL or a computation",
            ),
            (
                "https://pay.example/?c={card.last4}",
                "character 24: {card.last4} may stand in the body only, never in a header, a URL or a computation",
            ),
            (
                "https://pay.example/?k={secret.key}",
                "character 24: {secret.key} is a secret, which a URL never holds",
            ),
            (
                "https://pay.example/{payment.reference|hmac256:secret.key|hex}",
                "character 21: {secret.key} is a secret, which a URL never holds",
            ),
            (
                "https://pay.example/{let.hash}",
                "character 21: {let.hash} may not stand in a URL, which holds constants and facts of the payment",
            ),
            (
                "https://pay.example/{request.path}",
                "character 21: {request.path} may not stand in a URL, which holds constants and facts of the payment",
            ),
            (
                "https://pay.example/{cfg.merhcant}",
                "character 21: {cfg.merhcant} is not defined here",
            ),
            (
                "https://pay.example/{x}",
                "a brace stands in a URL for a token such as {cfg.merchant}; itself it is written %7B or %7D",
            ),
            (
                "https://u{cfg.merchant}@pay.example/",
                "character 10: tokens stand in path and query only; scheme, host and port are written out",
            ),
            (
                "https://pay.example/#{cfg.merchant}",
                "a URL has no part after #; it would not be sent",
            ),
        ] {
            assert_eq!(checked(text), Err(said.to_owned()), "{text}");
        }
    }
}
