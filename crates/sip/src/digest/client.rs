//! Answers to challenges.

use super::fields::Fields;
use super::{Algorithm, Proof};
use crate::message::{HeaderMap, HeaderName, Status};
use crate::stack::Credentials;

/// The credentials for a 401 or 407, from the best challenge that is of our realm; `None` if there is none. A challenge of another realm
/// never gets an answer, so that a callee cannot collect what belongs to somebody else.
pub(crate) fn answer_challenge(
    response: (Status, &HeaderMap),
    credentials: &Credentials,
    request: (&str, &str),
    cnonce: &str,
) -> Option<(HeaderName, String)> {
    let (status, headers) = response;
    let (challenge_name, answer_name) = match status {
        Status::UNAUTHORIZED => (HeaderName::WWW_AUTHENTICATE, HeaderName::AUTHORIZATION),
        Status::PROXY_AUTHENTICATION_REQUIRED => (
            HeaderName::PROXY_AUTHENTICATE,
            HeaderName::PROXY_AUTHORIZATION,
        ),
        _ => return None,
    };
    let challenges: Vec<Fields> = headers
        .all(&challenge_name)
        .filter_map(Fields::parse)
        .collect();
    let usable = |algorithm: Algorithm| {
        let is_ours = |fields: &&Fields| {
            fields.value("realm") == Some(&credentials.realm)
                && Algorithm::named(fields.value("algorithm")) == Some(algorithm)
        };
        challenges
            .iter()
            .find(is_ours)
            .map(|fields| (algorithm, fields))
    };
    let (algorithm, challenge) = Algorithm::ALL.into_iter().find_map(usable)?;
    let text = credential(algorithm, challenge, credentials, request, cnonce)?;
    Some((answer_name, text))
}

fn credential(
    algorithm: Algorithm,
    challenge: &Fields,
    credentials: &Credentials,
    (method, uri): (&str, &str),
    cnonce: &str,
) -> Option<String> {
    const FIRST: &str = "00000001";
    let nonce = challenge.value("nonce")?;
    let count = match challenge.value("qop") {
        Some(offered) if offered.split(',').any(|qop| qop.trim() == "auth") => {
            Some((FIRST, cnonce))
        }
        Some(_) => return None,
        None => None,
    };
    let response = Proof {
        algorithm,
        ha1: &credentials.ha1,
        method,
        uri,
        nonce,
        count,
    }
    .response();
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
        quoted(&credentials.user),
        quoted(&credentials.realm),
        quoted(nonce),
        algorithm.name()
    );
    if let Some((count, cnonce)) = count {
        text.push_str(&format!(", qop=auth, nc={count}, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = challenge.value("opaque") {
        text.push_str(&format!(", opaque=\"{}\"", quoted(opaque)));
    }
    Some(text)
}
