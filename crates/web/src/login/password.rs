//! Passwords.
//! Owns: their rules, their hash, the bound on hashing at once.
//! Never: keeps, logs or returns one.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use md5::Md5;
use secret::SecretText;
use serde::{Deserialize, Deserializer, de};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Shorter login names may be part of a password: they are part of any word.
const NAME_BYTES_MIN: usize = 4;
/// Hashes at once: each takes a core and the memory of its cost.
const HASHES_MAX: usize = 2;
/// Logins that wait for a hash: some seconds of work. The next is told to come again.
const WAITING_MAX: usize = 64;

/// Work of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory in KiB, at least 8.
    pub memory_kib: u32,
    /// Passes, at least 1.
    pub passes: u32,
}

impl Default for PasswordCost {
    /// 19 MiB and two passes, the floor that OWASP names for argon2id.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
        }
    }
}

/// Why a password could not be hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The cost is out of range, or the system has no random numbers.
    #[error("argon2id: {0}")]
    Hash(String),
    /// Too many wait.
    #[error("too many logins at once")]
    Busy,
}

/// Hashes a password with argon2id into a PHC string.
///
/// # Errors
/// The cost is out of range, or the system has no random numbers.
pub fn hash_password(password: &SecretText, cost: PasswordCost) -> Result<String, PasswordError> {
    let failed = |error: &dyn fmt::Display| PasswordError::Hash(error.to_string());
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|e| failed(&e))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.expose().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| failed(&error))
}

/// Longest password of a phone, in bytes: more than phones can be given.
const PHONE_PASSWORD_BYTES_MAX: usize = 128;

/// A phone can be given this password: it is there, not long, and on one line.
pub(crate) fn fits_phone(password: &SecretText) -> bool {
    let text = password.expose();
    (1..=PHONE_PASSWORD_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
}

/// The digest secret of a phone (RFC 8760): the SHA-256 and the MD5 of user, realm and password in hex, with a colon between.
#[must_use]
pub fn phone_secret(user: &str, realm: &str, password: &SecretText) -> String {
    let parts = [
        user.as_bytes(),
        b":",
        realm.as_bytes(),
        b":",
        password.expose().as_bytes(),
    ];
    format!("{}:{}", hash_of::<Sha256>(&parts), hash_of::<Md5>(&parts))
}

fn hash_of<D: Digest>(parts: &[&[u8]]) -> String {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    super::hex(&hash.finalize())
}

/// What is wrong with a new password, if anything (SETTLED S22).
#[must_use]
pub fn password_rule(password: &SecretText, login_name: &str) -> Option<String> {
    let text = password.expose();
    if let Err(problem) = domain::access::password::check(text) {
        return Some(problem.to_string());
    }
    let name = login_name.to_lowercase();
    let contained = name.len() >= NAME_BYTES_MIN && text.to_lowercase().contains(&name);
    contained.then(|| "a password does not contain the user name".to_owned())
}

fn is_right(password: &SecretText, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok()
    })
}

/// Hashing for requests, a few at a time, away from the threads that answer.
pub(crate) struct Passwords {
    cost: PasswordCost,
    /// What a name without account is compared with, so that it takes as long.
    nobody: String,
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

/// The right to hash now.
pub(crate) struct Turn<'a> {
    passwords: &'a Passwords,
    _running: tokio::sync::OwnedSemaphorePermit,
    _waiting: tokio::sync::SemaphorePermit<'a>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Result<Self, PasswordError> {
        let random = super::random_hex()
            .ok_or_else(|| PasswordError::Hash("no random numbers".to_owned()))?;
        Ok(Self {
            cost,
            nobody: hash_password(&SecretText::new(random), cost)?,
            running: Arc::new(Semaphore::new(HASHES_MAX)),
            waiting: Semaphore::new(HASHES_MAX + WAITING_MAX),
        })
    }

    /// Waits for a turn. Whoever has one reads the account after that, so that no more guesses run at once than turns.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, PasswordError> {
        let waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| PasswordError::Busy)?;
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Busy)?;
        Ok(Turn {
            passwords: self,
            _running: running,
            _waiting: waiting,
        })
    }
}

impl Turn<'_> {
    /// Whether the password is that of the hash; without one it takes as long and is wrong.
    pub(crate) async fn check(&self, password: &Password, hash: Option<String>) -> bool {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.passwords.nobody.clone());
        let password = Arc::clone(&password.0);
        let right = tokio::task::spawn_blocking(move || is_right(&password, &hash)).await;
        right.unwrap_or(false) && known
    }

    /// A new hash.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, PasswordError> {
        let (password, cost) = (Arc::clone(&password.0), self.passwords.cost);
        tokio::task::spawn_blocking(move || hash_password(&password, cost))
            .await
            .unwrap_or(Err(PasswordError::Busy))
    }
}

/// A password in a request. It can be read, and cannot be written or printed.
#[derive(Clone)]
pub(crate) struct Password(pub(crate) Arc<SecretText>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Taker;
        impl de::Visitor<'_> for Taker {
            type Value = Password;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a password")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Password, E> {
                self.visit_string(text.to_owned())
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Password, E> {
                Ok(Password(Arc::new(SecretText::new(text))))
            }
        }
        input.deserialize_string(Taker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: PasswordCost = PasswordCost {
        memory_kib: 8,
        passes: 1,
    };

    fn text(of: &str) -> SecretText {
        SecretText::new(of.to_owned())
    }

    #[test]
    fn a_hash_is_argon2id_and_fits_its_password_only() {
        let hash = hash_password(&text("correct horse 1"), CHEAP).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(is_right(&text("correct horse 1"), &hash));
        assert!(!is_right(&text("correct horse 2"), &hash));
        assert!(!is_right(&text("correct horse 1"), "no hash"));
    }

    #[test]
    fn weak_passwords_are_named() {
        let rule = |of: &str| password_rule(&text(of), "a.kim");
        assert_eq!(rule("correct horse 1"), None);
        for weak in [
            "short 1",
            "no digits in here",
            "123456789012",
            "this is A.Kim 12",
        ] {
            assert!(rule(weak).is_some(), "{weak}");
        }
        assert!(rule(&format!("a1{}", "x".repeat(200))).is_some());
    }

    #[test]
    fn a_phone_secret_is_the_ha1_of_the_digest_scheme() {
        assert_eq!(
            phone_secret("Mufasa", "testrealm@host.com", &text("Circle Of Life")),
            "3ba6cd94661c5ef34598040c868f13b8775df29109986be50ad35ae537dd3aa4:939e7578ed9e3c518a452acee763bce9"
        );
    }

    #[test]
    fn a_password_in_a_request_prints_nothing() {
        let password: Password = serde_json::from_str("\"canary 12345\"").unwrap();
        assert_eq!(format!("{password:?}"), "[secret]");
    }
}
