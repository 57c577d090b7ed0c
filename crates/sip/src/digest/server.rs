//! Challenges, and the check of what comes back.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::fields::Fields;
use super::{Algorithm, DigestPolicy, Ha1, Proof, hex};
use crate::message::{HeaderMap, HeaderName, Uri};

/// How long a nonce may be used: long enough for several refreshes of a registration, short enough that a copied credential soon is worth
/// nothing. Later: a challenge with `stale`.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// Nonces in use at a time. Only nonces that proved a password are kept, so a stranger cannot fill the table. More: the oldest lifetime has to
/// end first, and the credential is refused as stale.
const NONCES_MAX: usize = 20_000;

/// Nonces that are looked through for expired ones at most, each time a new one comes.
const SWEEP_MAX: usize = 64;

/// The server's side of digest authentication.
pub(crate) struct DigestServer {
    realm: String,
    policy: DigestPolicy,
    key: [u8; 32],
    started: Instant,
    issued: u64,
    /// Highest count seen for each nonce, and in the order of their first use when each runs out.
    counts: HashMap<String, u32>,
    order: std::collections::VecDeque<(Instant, String)>,
}

/// What a credential is worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It proves this user.
    Proven { user: String },
    /// There is none, or it is wrong.
    Unproven,
    /// The password is right, but the nonce is too old or its count was used before.
    Stale,
}

impl DigestServer {
    pub(crate) fn new(realm: &str, policy: DigestPolicy, key: [u8; 32], now: Instant) -> Self {
        Self {
            realm: realm.to_owned(),
            policy,
            key,
            started: now,
            issued: 0,
            counts: HashMap::new(),
            order: std::collections::VecDeque::new(),
        }
    }

    /// Adds our challenges, the better algorithm first ([RFC 8760](https://www.rfc-editor.org/rfc/rfc8760)).
    pub(crate) fn challenge(&mut self, now: Instant, stale: bool, headers: &mut HeaderMap) {
        let nonce = self.nonce(now);
        let realm = self.realm.replace('\\', "\\\\").replace('"', "\\\"");
        let stale = if stale { ", stale=true" } else { "" };
        for algorithm in self.policy.algorithms() {
            let name = algorithm.name();
            let value = format!(
                "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}"
            );
            headers.push(HeaderName::WWW_AUTHENTICATE, value);
        }
    }

    /// Judges the credential of our realm in a request.
    pub(crate) fn verify<'a>(
        &mut self,
        now: Instant,
        request: (&str, &Uri, &HeaderMap),
        find: impl Fn(&str) -> Option<&'a Ha1>,
    ) -> Verdict {
        let (method, target, headers) = request;
        let parsed = headers
            .all(&HeaderName::AUTHORIZATION)
            .filter_map(Fields::parse);
        let Some(fields) = parsed
            .into_iter()
            .find(|fields| fields.value("realm") == Some(&self.realm))
        else {
            return Verdict::Unproven;
        };
        match Credential::read(&fields) {
            Some(credential) if self.permits(&credential) && credential.is_for(target) => {
                self.judge(now, method, &credential, find)
            }
            _ => Verdict::Unproven,
        }
    }

    /// What was not offered is not taken: a credential with a weaker function proves nothing.
    fn permits(&self, credential: &Credential<'_>) -> bool {
        self.policy.algorithms().contains(&credential.algorithm)
    }

    fn judge<'a>(
        &mut self,
        now: Instant,
        method: &str,
        credential: &Credential<'_>,
        find: impl Fn(&str) -> Option<&'a Ha1>,
    ) -> Verdict {
        let Some(age) = self.age(now, credential.nonce) else {
            return Verdict::Unproven;
        };
        let Some(ha1) = find(credential.user) else {
            return Verdict::Unproven;
        };
        let expected = Proof {
            algorithm: credential.algorithm,
            ha1,
            method,
            uri: credential.uri,
            nonce: credential.nonce,
            count: Some((credential.count_text, credential.cnonce)),
        };
        let given = credential.response.to_ascii_lowercase();
        if !bool::from(expected.response().as_bytes().ct_eq(given.as_bytes())) {
            return Verdict::Unproven;
        }
        if age > NONCE_LIFETIME || !self.count_up(now, credential) {
            return Verdict::Stale;
        }
        Verdict::Proven {
            user: credential.user.to_owned(),
        }
    }

    /// Takes a count in; `false` if it is not higher than those before, or the table is full.
    fn count_up(&mut self, now: Instant, credential: &Credential<'_>) -> bool {
        if let Some(last) = self.counts.get_mut(credential.nonce) {
            let higher = credential.count > *last;
            *last = credential.count.max(*last);
            return higher;
        }
        for _ in 0..SWEEP_MAX {
            match self.order.front() {
                Some((ends, _)) if *ends <= now => {
                    if let Some((_, nonce)) = self.order.pop_front() {
                        self.counts.remove(&nonce);
                    }
                }
                _ => break,
            }
        }
        if self.counts.len() >= NONCES_MAX {
            return false;
        }
        self.counts
            .insert(credential.nonce.to_owned(), credential.count);
        self.order.push_back((
            now + NONCE_LIFETIME + NONCE_LIFETIME,
            credential.nonce.to_owned(),
        ));
        true
    }

    /// A nonce is its time, its number and a mark only we can make; nothing is stored for it.
    fn nonce(&mut self, now: Instant) -> String {
        self.issued += 1;
        let stamp = u64::try_from(now.saturating_duration_since(self.started).as_millis())
            .unwrap_or(u64::MAX);
        let head = format!("{stamp:016x}{:016x}", self.issued);
        let mark = self.mark(&head);
        format!("{head}{mark}")
    }

    /// How old a nonce of ours is; `None` if it is none of ours.
    fn age(&self, now: Instant, nonce: &str) -> Option<Duration> {
        let (head, mark) = nonce.split_at_checked(32)?;
        if !bool::from(self.mark(head).as_bytes().ct_eq(mark.as_bytes())) {
            return None;
        }
        let stamp = u64::from_str_radix(head.get(..16)?, 16).ok()?;
        let issued = self.started.checked_add(Duration::from_millis(stamp))?;
        Some(now.saturating_duration_since(issued))
    }

    fn mark(&self, head: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(head.as_bytes());
        hash.update(self.key);
        hex(&hash.finalize()[..16])
    }
}

/// What a client sent.
struct Credential<'a> {
    user: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    cnonce: &'a str,
    count: u32,
    count_text: &'a str,
    algorithm: Algorithm,
}

impl<'a> Credential<'a> {
    /// Without `qop=auth` there is no count and a copied credential could be used again, so those are refused.
    fn read(fields: &'a Fields) -> Option<Self> {
        let count_text = fields.value("nc").filter(|count| count.len() == 8)?;
        if fields.value("qop") != Some("auth") {
            return None;
        }
        Some(Self {
            user: fields.value("username")?,
            nonce: fields.value("nonce")?,
            uri: fields.value("uri")?,
            response: fields.value("response")?,
            cnonce: fields.value("cnonce")?,
            count: u32::from_str_radix(count_text, 16).ok()?,
            count_text,
            algorithm: Algorithm::named(fields.value("algorithm"))?,
        })
    }

    /// The credential names the Request-URI it was made for.
    fn is_for(&self, target: &Uri) -> bool {
        Uri::parse(self.uri.as_bytes()).as_ref() == Some(target)
    }
}

#[cfg(test)]
mod tests {
    use secret::SecretText;

    use super::super::{Prover, Turn};
    use super::*;
    use crate::message::Status;
    use crate::stack::Credentials;

    struct Bench {
        server: DigestServer,
        credentials: Credentials,
        target: Uri,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let now = Instant::now();
            let ha1 = Ha1::derive("anna", "tonewall", &SecretText::new("p4ss".to_owned()));
            let credentials = Credentials {
                user: "anna".to_owned(),
                realm: "tonewall".to_owned(),
                ha1,
            };
            let target = "sip:192.0.2.1".parse().expect("uri");
            Self {
                server: DigestServer::new("tonewall", DigestPolicy::Both, [7; 32], now),
                credentials,
                target,
                now,
            }
        }

        fn prover(&self) -> Prover {
            Prover::new(self.credentials.clone())
        }

        fn answer(&mut self) -> HeaderMap {
            let mut challenge = HeaderMap::new();
            self.server.challenge(self.now, false, &mut challenge);
            let request = ("REGISTER", "sip:192.0.2.1");
            let (name, value) = self
                .prover()
                .answer(
                    (Status::UNAUTHORIZED, &challenge),
                    request,
                    "c0ffee",
                    Turn::First,
                )
                .expect("answer");
            let mut headers = HeaderMap::new();
            headers.push(name, value);
            headers
        }

        fn verify(&mut self, headers: &HeaderMap) -> Verdict {
            let ha1 = self.credentials.ha1.clone();
            let request = ("REGISTER", &self.target, headers);
            self.server
                .verify(self.now, request, |user| (user == "anna").then_some(&ha1))
        }
    }

    #[test]
    fn right_password_is_proven_once_for_each_count() {
        let mut bench = Bench::new();
        let answer = bench.answer();
        assert_eq!(
            bench.verify(&answer),
            Verdict::Proven {
                user: "anna".to_owned()
            }
        );
        assert_eq!(bench.verify(&answer), Verdict::Stale, "replayed count");
    }

    #[test]
    fn old_nonces_are_stale_and_foreign_ones_worthless() {
        let mut bench = Bench::new();
        let answer = bench.answer();
        bench.now += NONCE_LIFETIME + Duration::from_secs(1);
        assert_eq!(bench.verify(&answer), Verdict::Stale);
        let foreign = Bench::new().answer();
        bench.server.key = [8; 32];
        assert_eq!(bench.verify(&foreign), Verdict::Unproven);
    }

    #[test]
    fn only_offered_functions_are_asked_for_and_taken() {
        let mut bench = Bench::new();
        let with_sha = bench.answer();
        bench.server.policy = DigestPolicy::Md5;
        let mut challenge = HeaderMap::new();
        bench.server.challenge(bench.now, false, &mut challenge);
        let challenges: Vec<&[u8]> = challenge.all(&HeaderName::WWW_AUTHENTICATE).collect();
        assert_eq!(challenges.len(), 1);
        assert_eq!(bench.verify(&with_sha), Verdict::Unproven);
        let with_md5 = bench.answer();
        bench.server.policy = DigestPolicy::Sha256;
        assert_eq!(bench.verify(&with_md5), Verdict::Unproven);
        bench.server.policy = DigestPolicy::Both;
        assert_eq!(
            bench.verify(&with_md5),
            Verdict::Proven {
                user: "anna".to_owned()
            }
        );
    }

    #[test]
    fn wrong_password_user_target_or_realm_are_unproven() {
        let mut bench = Bench::new();
        bench.credentials.ha1 =
            Ha1::derive("anna", "tonewall", &SecretText::new("other".to_owned()));
        let answer = bench.answer();
        bench.credentials.ha1 =
            Ha1::derive("anna", "tonewall", &SecretText::new("p4ss".to_owned()));
        assert_eq!(bench.verify(&answer), Verdict::Unproven);
        let mut bench = Bench::new();
        let answer = bench.answer();
        bench.target = "sip:192.0.2.2".parse().expect("uri");
        assert_eq!(bench.verify(&answer), Verdict::Unproven);
        bench.credentials.realm = "elsewhere".to_owned();
        let mut challenge = HeaderMap::new();
        bench.server.challenge(bench.now, false, &mut challenge);
        let none = bench.prover().answer(
            (Status::UNAUTHORIZED, &challenge),
            ("REGISTER", "sip:x"),
            "c",
            Turn::First,
        );
        assert!(none.is_none());
    }
}
