//! Signed evidence: JSON Web Signatures (RFC 7515) with Ed25519 (RFC 8037).
//! Owns: the signing keys, which follow from the master keys; signing, and verifying elsewhere.
//! Never: lets a private key out, or trusts a key that a file brings along.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64ct::{Base64UrlUnpadded, Encoding};
use domain::boundary::{EvidenceKeys, StoreError};
use domain::evidence::{Evidence, Flaw, Proven};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::database::Database;
use crate::failure::unavailable;
use crate::key::{KEY_BYTES, MasterKey};

/// What a signing key is derived for.
const DERIVE_LABEL: &[u8] = b"tonewall evidence signing key v1";
/// RFC 8037 section 3.1.
const ALGORITHM: &str = "EdDSA";
/// The media type of the signed object without "application/" (RFC 7515 section 4.1.9).
const TYPE: &str = "tonewall-evidence+json";
/// Bytes of a file that is read: 1,000 entries of 8 kB.
pub const EVIDENCE_BYTES_MAX: usize = 16 << 20;

/// Flattened JSON (RFC 7515 section 7.2.2).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Flattened {
    payload: String,
    protected: String,
    signature: String,
}

/// The protected header. Others, `crit` among them, are refused.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    alg: String,
    kid: String,
    typ: String,
}

/// A set of public keys (RFC 7517 section 5). Keys of other kinds are passed over.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// A file is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It is larger than any evidence.
    #[error("it is larger than {} MiB", EVIDENCE_BYTES_MAX >> 20)]
    TooLong,
    /// No JSON Web Signature.
    #[error("it is no signed evidence: {0}")]
    NoSignature(String),
    /// Signed in another way.
    #[error("it is signed by {0}; evidence is signed by {ALGORITHM} with Ed25519")]
    Algorithm(String),
    /// Signed, but something else.
    #[error("it says that it is {0}, not {TYPE}")]
    Type(String),
    /// The public keys cannot be read.
    #[error("the public keys cannot be read: {0}")]
    Keys(String),
    /// None of the public keys is the one that is named.
    #[error("it is signed with the key {wanted}, and the public keys are {known}")]
    UnknownKey {
        /// The named one.
        wanted: String,
        /// Those at hand, or "none".
        known: String,
    },
    /// The signature does not fit: changed, or signed by somebody else.
    #[error("the signature does not fit: it was changed, or signed by somebody else")]
    Signature,
    /// What is signed is no evidence.
    #[error("it is rightly signed, but cannot be read: {0}")]
    Unreadable(String),
    /// Its entries prove nothing.
    #[error("it is rightly signed, but proves nothing: {0}")]
    Flaw(#[from] Flaw),
}

/// A key that signs.
struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl SigningKey {
    fn derive(master: &MasterKey) -> Result<Self, StoreError> {
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, master.bytes.as_ref())
            .expand(DERIVE_LABEL, seed.as_mut())
            .map_err(unavailable)?;
        Self::from_seed(&seed)
    }

    fn from_seed(seed: &[u8; KEY_BYTES]) -> Result<Self, StoreError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(unavailable)?;
        let id = thumbprint(&x_of(&pair));
        Ok(Self { pair, id })
    }

    fn public(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": x_of(&self.pair), "kid": self.id, "use": "sig", "alg": ALGORITHM})
    }

    fn sign(&self, payload: &[u8]) -> Result<String, StoreError> {
        let header = Protected {
            alg: ALGORITHM.to_owned(),
            kid: self.id.clone(),
            typ: TYPE.to_owned(),
        };
        let header = serde_json::to_vec(&header).map_err(unavailable)?;
        let protected = Base64UrlUnpadded::encode_string(&header);
        let payload = Base64UrlUnpadded::encode_string(payload);
        let signature = self.pair.sign(format!("{protected}.{payload}").as_bytes());
        let file = Flattened {
            payload,
            protected,
            signature: Base64UrlUnpadded::encode_string(signature.as_ref()),
        };
        serde_json::to_string(&file).map_err(unavailable)
    }
}

fn x_of(pair: &Ed25519KeyPair) -> String {
    Base64UrlUnpadded::encode_string(pair.public_key().as_ref())
}

/// RFC 7638, as RFC 8037 section 2 has it.
fn thumbprint(x: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Base64UrlUnpadded::encode_string(&Sha256::digest(members))
}

impl EvidenceKeys for Database {
    fn sign(&self, evidence: &Evidence) -> Result<String, StoreError> {
        let ring = self.ring();
        let key = SigningKey::derive(ring.active().map_err(unavailable)?)?;
        key.sign(&serde_json::to_vec(evidence).map_err(unavailable)?)
    }

    fn public_keys(&self) -> Result<Value, StoreError> {
        let ring = self.ring();
        ring.active().map_err(unavailable)?;
        let keys: Result<Vec<Value>, StoreError> = ring
            .all()
            .map(|master| SigningKey::derive(master).map(|key| key.public()))
            .collect();
        Ok(json!({"keys": keys?}))
    }
}

/// Verifies a file with public keys that the reader has from elsewhere: signature first, then every entry.
///
/// # Errors
/// Why it is no evidence.
pub fn verify_evidence(
    file: &[u8],
    public_keys: &[u8],
) -> Result<(Evidence, Vec<Proven>), EvidenceError> {
    if file.len() > EVIDENCE_BYTES_MAX {
        return Err(EvidenceError::TooLong);
    }
    let no_signature = |error: &dyn ToString| EvidenceError::NoSignature(error.to_string());
    let decoded =
        |text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|error| no_signature(&error));
    let file: Flattened = serde_json::from_slice(file).map_err(|error| no_signature(&error))?;
    let header: Protected =
        serde_json::from_slice(&decoded(&file.protected)?).map_err(|error| no_signature(&error))?;
    if header.alg != ALGORITHM {
        return Err(EvidenceError::Algorithm(header.alg));
    }
    if header.typ != TYPE {
        return Err(EvidenceError::Type(header.typ));
    }
    let key = public_key(public_keys, header.kid)?;
    let signed = format!("{}.{}", file.protected, file.payload);
    UnparsedPublicKey::new(&ED25519, key)
        .verify(signed.as_bytes(), &decoded(&file.signature)?)
        .map_err(|_| EvidenceError::Signature)?;
    let evidence: Evidence = serde_json::from_slice(&decoded(&file.payload)?)
        .map_err(|error| EvidenceError::Unreadable(error.to_string()))?;
    let proven = evidence.prove()?;
    Ok((evidence, proven))
}

/// The bytes of the key with this identity, which must be its own.
fn public_key(keys: &[u8], wanted: String) -> Result<Vec<u8>, EvidenceError> {
    let keys: KeySet =
        serde_json::from_slice(keys).map_err(|error| EvidenceError::Keys(error.to_string()))?;
    let mut known = Vec::new();
    for key in &keys.keys {
        let is = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
        let x = key.get("x").and_then(Value::as_str);
        let Some(x) = x.filter(|_| is("kty", "OKP") && is("crv", "Ed25519")) else {
            continue;
        };
        let id = thumbprint(x);
        if id == wanted {
            return Base64UrlUnpadded::decode_vec(x)
                .map_err(|error| EvidenceError::Keys(error.to_string()));
        }
        known.push(id);
    }
    let known = match known.as_slice() {
        [] => "none".to_owned(),
        known => known.join(", "),
    };
    Err(EvidenceError::UnknownKey { wanted, known })
}

#[cfg(test)]
mod tests;
