//! Digest authentication with SHA-256 and MD5 (RFC 8760, RFC 7616).
//! Owns: password hashes, nonces with their counts, challenges and their answers.
//! Never: keeps a password.
//! Start reading at: `server`.

mod client;
mod fields;
mod ha1;
mod server;

pub use ha1::Ha1;

pub(crate) use client::{Prover, Turn, foreign_realm};
pub(crate) use server::{DigestServer, Verdict};

use md5::Md5;
use sha2::{Digest, Sha256};

/// Hash functions, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Md5,
}

/// Which hash functions phones are offered, and may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DigestPolicy {
    /// SHA-256 first, then MD5 ([RFC 8760](https://www.rfc-editor.org/rfc/rfc8760)).
    #[default]
    Both,
    /// SHA-256 alone.
    Sha256,
    /// MD5 alone: for phones that give up at a challenge with any other function instead of passing over it, as those with libre 1.x do.
    Md5,
}

impl DigestPolicy {
    pub(crate) fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Both => &Algorithm::ALL,
            Self::Sha256 => &[Algorithm::Sha256],
            Self::Md5 => &[Algorithm::Md5],
        }
    }
}

impl Algorithm {
    pub(crate) const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// The algorithm of this name; none given means MD5.
    pub(crate) fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Md5),
            Some(name) => Self::ALL
                .into_iter()
                .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)),
        }
    }

    /// Hash of the parts with colons between them, in hexadecimal.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Sha256 => hash::<Sha256>(parts),
            Self::Md5 => hash::<Md5>(parts),
        }
    }
}

fn hash<D: Digest>(parts: &[&str]) -> String {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pair = |byte: &u8| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    };
    bytes.iter().flat_map(pair).map(char::from).collect()
}

/// What both sides compute.
pub(crate) struct Proof<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) ha1: &'a Ha1,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) nonce: &'a str,
    /// Count and client nonce with `qop=auth`; none for servers of RFC 2069.
    pub(crate) count: Option<(&'a str, &'a str)>,
}

impl Proof<'_> {
    pub(crate) fn response(&self) -> String {
        let ha1 = self.ha1.of(self.algorithm);
        let ha2 = self.algorithm.hash(&[self.method, self.uri]);
        match self.count {
            Some((count, cnonce)) => self
                .algorithm
                .hash(&[ha1, self.nonce, count, cnonce, "auth", &ha2]),
            None => self.algorithm.hash(&[ha1, self.nonce, &ha2]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secret::SecretText;

    /// The example of RFC 7616 §3.9.1, both algorithms.
    #[test]
    fn published_example_is_reproduced() {
        let password = SecretText::new("Circle of Life".to_owned());
        let ha1 = Ha1::derive("Mufasa", "http-auth@example.org", &password);
        let proof = |algorithm| Proof {
            algorithm,
            ha1: &ha1,
            method: "GET",
            uri: "/dir/index.html",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            count: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
        };
        assert_eq!(
            proof(Algorithm::Md5).response(),
            "8ca523f5e9506fed4657c9700eebdbec"
        );
        assert_eq!(
            proof(Algorithm::Sha256).response(),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }
}
