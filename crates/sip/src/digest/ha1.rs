//! Password hashes.

use std::fmt;

use secret::SecretText;
use zeroize::Zeroizing;

use super::Algorithm;

/// Hashes of user, realm and password: all that a digest needs, and as good as the password for this realm. Zeroized on drop; prints as
/// `[hash]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    sha256: Zeroizing<String>,
    md5: Zeroizing<String>,
}

impl Ha1 {
    /// Hashes a password for one user of one realm. The password is not kept.
    #[must_use]
    pub fn derive(user: &str, realm: &str, password: &SecretText) -> Self {
        let hash = |algorithm: Algorithm| {
            Zeroizing::new(algorithm.hash(&[user, realm, password.expose()]))
        };
        Self {
            sha256: hash(Algorithm::Sha256),
            md5: hash(Algorithm::Md5),
        }
    }

    /// Takes stored hashes in hexadecimal; `None` if one has the wrong length or other characters.
    #[must_use]
    pub fn from_hex(sha256: &str, md5: &str) -> Option<Self> {
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let hash = |text: &str| Zeroizing::new(text.to_ascii_lowercase());
        (is_hex(sha256, 64) && is_hex(md5, 32)).then(|| Self {
            sha256: hash(sha256),
            md5: hash(md5),
        })
    }

    /// Both hashes in hexadecimal, SHA-256 first, to be stored encrypted. Each caller is on the reviewed list.
    #[must_use]
    pub fn expose(&self) -> (&str, &str) {
        (&self.sha256, &self.md5)
    }

    pub(crate) fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Sha256 => &self.sha256,
            Algorithm::Md5 => &self.md5,
        }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_hashes_come_back() {
        let ha1 = Ha1::derive("u", "r", &SecretText::new("p".to_owned()));
        let (sha256, md5) = ha1.expose();
        assert_eq!(Ha1::from_hex(sha256, md5).as_ref(), Some(&ha1));
        assert_eq!(Ha1::from_hex(md5, sha256), None);
        assert_eq!(format!("{ha1:?}"), "[hash]");
    }
}
