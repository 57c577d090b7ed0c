//! Where a request goes, once its values are known.
//! Owns: path and query, with every value encoded for its place.
//! Never: lets a value change the origin, climb a level, or leave one empty.

use domain::gateway::UrlTemplate;
use domain::gateway::template::{Part, Token};
use url::Url;

use super::escape::{each, url_char};
use super::facts::Facts;
use crate::failure::Failure;
use crate::policy::Origin;

/// Longest URL in bytes once it has its values: what every server should take
/// ([RFC 9110 §4.1](https://www.rfc-editor.org/rfc/rfc9110#section-4.1)).
const URL_BYTES_MAX: usize = 8_000;

/// A URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Who.
    pub(crate) origin: Origin,
    /// Path and query, as the request line has them.
    pub(crate) path: String,
}

impl Target {
    /// A URL with its values; `place` names it in an error.
    pub(crate) fn new(facts: &Facts<'_>, place: &str, url: &UrlTemplate) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::render(format!("{place} {why}"));
        let written = written(facts, place, url)?;
        if written.len() > URL_BYTES_MAX {
            return Err(wrong("is too long"));
        }
        let has_tokens = url.text().tokens().next().is_some();
        if has_tokens && climbs(&written) {
            return Err(wrong("has a level . or .., which a value may not make"));
        }
        let read = Url::parse(&written).map_err(|_| wrong("cannot be read with its values"))?;
        let path = match read.query() {
            Some(query) => format!("{}?{query}", read.path()),
            None => read.path().to_owned(),
        };
        let origin = Origin::of(url);
        Ok(Self { origin, path })
    }
}

fn written(facts: &Facts<'_>, place: &str, url: &UrlTemplate) -> Result<String, Failure> {
    let mut written = String::new();
    let mut in_query = false;
    for part in url.text().parts() {
        match part {
            Part::Literal(text) => {
                in_query |= text.contains('?');
                written.push_str(text);
            }
            Part::Token(token) => {
                let value = facts.in_url(place, token)?;
                if value.is_empty() && !in_query {
                    return Err(empty(place, token));
                }
                let pushed = each(&value, url_char, |encoded| {
                    written.push_str(encoded);
                    Ok(())
                });
                pushed.map_err(|_| Failure::render(format!("{place} is too long")))?;
            }
        }
    }
    Ok(written)
}

/// An empty level of a path names another resource.
fn empty(place: &str, token: &Token) -> Failure {
    Failure::render(format!(
        "{place}: {} has no value, and stands in the path",
        token.source
    ))
}

/// Whether a level of the path is one that leads to another, however its dots are written.
fn climbs(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|level| {
        let level = level.to_ascii_lowercase().replace("%2e", ".");
        level == "." || level == ".."
    })
}
