//! Files of certificates and keys that the server's file names.
//! Owns: reading them once, and that a private key is its owner's alone.
//! Never: reads one again while charges run, or shows what a key file holds.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secret::SecretText;
use zeroize::Zeroizing;

/// Largest file with a private key: 16 KiB; one of RSA with 8,192 bits has 7. A longer one is refused.
const KEY_FILE_BYTES_MAX: usize = 16 * 1_024;

/// Largest file with a password: 1 KiB. A longer one is refused.
const PASSWORD_FILE_BYTES_MAX: usize = 1_024;

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read, or holds no certificate.
    #[error("{} is no PEM file with certificates", path.display())]
    ConfigCertificates {
        /// Which.
        path: PathBuf,
        /// Why; none: it holds no certificate.
        #[source]
        source: Option<rustls_pki_types::pem::Error>,
    },
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    ConfigRead {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read a secret.
    #[error("{} may be read by others; set its mode to 0600", path.display())]
    ConfigMode {
        /// Which.
        path: PathBuf,
    },
    /// It holds no private key, or one that is encrypted.
    #[error("{} is no PEM file with a private key without a passphrase", path.display())]
    ConfigKey {
        /// Which.
        path: PathBuf,
    },
    /// Certificate and key do not belong together, or are of a kind that TLS does not have.
    #[error("{} and {} cannot be used together", certificate.display(), key.display())]
    ConfigPair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

/// The certificates of a PEM file, in its order: authorities, or a chain with the leaf first.
///
/// # Errors
/// The file cannot be read, is no PEM, or holds no certificate.
pub fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let wrong = |source| FileError::ConfigCertificates {
        path: path.to_owned(),
        source,
    };
    let certificates =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(none) if none.is_empty() => Err(wrong(None)),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(wrong(Some(error))),
    }
}

/// A certificate that is shown to gateways that ask for one, with its private key.
#[derive(Clone)]
pub struct ClientCertificate(Arc<CertifiedKey>);

impl ClientCertificate {
    /// Reads the chain, leaf first, and the key: PEM, PKCS #1, PKCS #8 or SEC 1, without a passphrase. What was read of the key is wiped; it stays in the memory of
    /// the TLS library.
    ///
    /// # Errors
    /// A file cannot be read, others than its owner may read the key, or the two do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, FileError> {
        let chain = read_roots(certificate)?;
        let text = read_secret(key, KEY_FILE_BYTES_MAX)?;
        let private = PrivateKeyDer::from_pem_slice(&text).map_err(|_| FileError::ConfigKey {
            path: key.to_owned(),
        })?;
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let pair = CertifiedKey::from_der(chain, private, &provider);
        let pair = pair.map_err(|source| FileError::ConfigPair {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            source,
        })?;
        Ok(Self(Arc::new(pair)))
    }

    /// What TLS takes.
    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[client certificate]")
    }
}

/// The password of a file, without the line's end that editors add.
///
/// # Errors
/// The file cannot be read or is no text, or others than its owner may read it.
pub fn read_password(path: &Path) -> Result<SecretText, FileError> {
    let bytes = read_secret(path, PASSWORD_FILE_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|error| FileError::ConfigRead {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, error),
    })?;
    Ok(SecretText::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// The bytes of a file that only its owner may read.
fn read_secret(path: &Path, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |source| FileError::ConfigRead {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.permissions().mode() & 0o077 != 0 {
        let path = path.to_owned();
        return Err(FileError::ConfigMode { path });
    }
    // With room for one byte more than is taken, the buffer is never moved, so that no copy stays behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(bytes_max + 1));
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX) + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        let why = format!("it is longer than {bytes_max} bytes");
        return Err(failed(io::Error::other(why)));
    }
    Ok(bytes)
}
