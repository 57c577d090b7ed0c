//! Answers to challenges.

use super::fields::Fields;
use super::{Algorithm, Proof};
use crate::message::{HeaderMap, HeaderName, Status};
use crate::stack::Credentials;

/// What a side proves itself with, and how often it has used the nonce that it was last given.
#[derive(Debug, Clone)]
pub(crate) struct Prover {
    credentials: Credentials,
    nonce: String,
    count: u32,
}

/// Whether a request was proven before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It was not.
    First,
    /// It was: a challenge gets another answer only if it says that the nonce was stale.
    Again,
}

impl Prover {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            nonce: String::new(),
            count: 0,
        }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The credentials for a 401 or 407, from the best challenge that is of our realm; `None` if there is none. A challenge of another
    /// realm never gets an answer, so that a callee cannot collect what belongs to somebody else.
    pub(crate) fn answer(
        &mut self,
        response: (Status, &HeaderMap),
        request: (&str, &str),
        cnonce: &str,
        turn: Turn,
    ) -> Option<(HeaderName, String)> {
        let (name, algorithm, challenge) = best(response, &self.credentials.realm)?;
        let is_stale = challenge
            .value("stale")
            .is_some_and(|stale| stale.eq_ignore_ascii_case("true"));
        if turn == Turn::Again && !is_stale {
            return None;
        }
        let nonce = challenge.value("nonce")?;
        self.count = match nonce == self.nonce {
            true => self.count.checked_add(1)?,
            false => 1,
        };
        nonce.clone_into(&mut self.nonce);
        let count = format!("{:08x}", self.count);
        let text = credential(
            algorithm,
            &challenge,
            &self.credentials,
            request,
            (&count, cnonce),
        )?;
        Some((name, text))
    }
}

/// The realm of a challenge that is for others than these credentials.
pub(crate) fn foreign_realm(
    (status, headers): (Status, &HeaderMap),
    credentials: &Credentials,
) -> Option<String> {
    let (challenge_name, _) = fields_of(status)?;
    let challenges = headers.all(&challenge_name).filter_map(Fields::parse);
    let mut realms: Vec<String> = challenges
        .filter_map(|fields| fields.value("realm").map(str::to_owned))
        .collect();
    if realms.contains(&credentials.realm) || realms.is_empty() {
        return None;
    }
    Some(realms.swap_remove(0))
}

/// The field of a challenge and the one of its answer.
fn fields_of(status: Status) -> Option<(HeaderName, HeaderName)> {
    match status {
        Status::UNAUTHORIZED => Some((HeaderName::WWW_AUTHENTICATE, HeaderName::AUTHORIZATION)),
        Status::PROXY_AUTHENTICATION_REQUIRED => Some((
            HeaderName::PROXY_AUTHENTICATE,
            HeaderName::PROXY_AUTHORIZATION,
        )),
        _ => None,
    }
}

/// The best challenge of a realm, and the field that its answer goes into.
fn best(
    (status, headers): (Status, &HeaderMap),
    realm: &str,
) -> Option<(HeaderName, Algorithm, Fields)> {
    let (challenge_name, answer_name) = fields_of(status)?;
    let usable = |algorithm: Algorithm| {
        let is_ours = |fields: &Fields| {
            fields.value("realm") == Some(realm)
                && Algorithm::named(fields.value("algorithm")) == Some(algorithm)
        };
        headers
            .all(&challenge_name)
            .filter_map(Fields::parse)
            .find(is_ours)
            .map(|fields| (algorithm, fields))
    };
    let (algorithm, challenge) = Algorithm::ALL.into_iter().find_map(usable)?;
    Some((answer_name, algorithm, challenge))
}

fn credential(
    algorithm: Algorithm,
    challenge: &Fields,
    credentials: &Credentials,
    (method, uri): (&str, &str),
    counted: (&str, &str),
) -> Option<String> {
    let nonce = challenge.value("nonce")?;
    let count = match challenge.value("qop") {
        Some(offered) if offered.split(',').any(|qop| qop.trim() == "auth") => Some(counted),
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
