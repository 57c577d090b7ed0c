//! Master keys: they wrap the keys that seal secrets, and are never in the database.
//! Owns: the key file and the ring of keys read from it.
//! Never: prints a key; only its identity, which is a hash.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a key of AES-256.
pub(crate) const KEY_BYTES: usize = 32;
/// Longest key file read: 90 keys, one rotation a month for seven years. A longer one is refused.
const KEY_FILE_BYTES_MAX: u64 = 4_096;

/// 32 bytes that are zeroized on drop.
pub(crate) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// Where master keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvelopeKeySource {
    /// A key file. If it cannot be read, passwords cannot be read or saved; all else works.
    File(PathBuf),
}

impl From<KeyFile> for EnvelopeKeySource {
    fn from(file: KeyFile) -> Self {
        Self::File(file.path)
    }
}

impl EnvelopeKeySource {
    pub(crate) fn ring(&self) -> KeyRing {
        match self {
            Self::File(path) => match read(path) {
                Ok(ring) => ring,
                Err(error) => {
                    tracing::warn!(%error, "sealed passwords cannot be opened");
                    KeyRing {
                        keys: Vec::new(),
                        missing: error.to_string(),
                    }
                }
            },
        }
    }

    /// Adds a new key and makes it the active one. The older ones stay, so that what they wrapped can be opened.
    pub(crate) fn add_key(&self) -> Result<KeyRing, KeyFileError> {
        match self {
            Self::File(path) => {
                let file = KeyFile { path: path.clone() };
                let mut text = read_text(path)?;
                parse(path, &text)?;
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&new_line()?);
                let beside = file.write_beside(&text)?;
                fs::rename(&beside, path).map_err(|error| file.failed(&error))?;
                file.sync_folder()?;
                read(path)
            }
        }
    }
}

/// A file with one master key a line in Base64, the last one active, for its owner's eyes only (mode 0600 or 0400).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
}

/// A key file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key file {path}: {why}")]
pub struct KeyFileError {
    /// Which.
    pub path: String,
    /// Why.
    pub why: String,
}

impl KeyFile {
    /// Checks the file, or makes one with a new key from the operating system's generator.
    ///
    /// # Errors
    /// It cannot be made or read, others may read it, or it holds something else than keys.
    pub fn create_or_open(path: impl Into<PathBuf>) -> Result<Self, KeyFileError> {
        let file = Self { path: path.into() };
        if !file.path.exists() {
            let beside = file.write_beside(&new_line()?)?;
            // A link, unlike a rename, never replaces a file that another process made meanwhile.
            let linked = fs::hard_link(&beside, &file.path);
            fs::remove_file(&beside).map_err(|error| file.failed(&error))?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(file.failed(&error));
                }
                _ => file.sync_folder()?,
            }
        }
        read(&file.path)?;
        Ok(file)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, why: &dyn fmt::Display) -> KeyFileError {
        failed(&self.path, why)
    }

    /// Writes a file of another name in the same folder and syncs it, so that the key file is never seen half written.
    fn write_beside(&self, text: &str) -> Result<PathBuf, KeyFileError> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(name);
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.failed(&error));
            }
            _ => {}
        }
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
        written.map_err(|error| self.failed(&error))?;
        Ok(beside)
    }

    fn sync_folder(&self) -> Result<(), KeyFileError> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| self.failed(&error))
    }
}

/// The master keys at hand.
pub(crate) struct KeyRing {
    keys: Vec<MasterKey>,
    /// Why there is none.
    missing: String,
}

/// A master key and its identity.
pub(crate) struct MasterKey {
    pub(crate) id: String,
    pub(crate) bytes: KeyBytes,
}

impl KeyRing {
    /// The one that wraps new keys, or why there is none.
    pub(crate) fn active(&self) -> Result<&MasterKey, &str> {
        self.keys.last().ok_or(&self.missing)
    }

    /// All of them, the active one last.
    pub(crate) fn all(&self) -> impl Iterator<Item = &MasterKey> {
        self.keys.iter()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Fills a key from the operating system's generator.
pub(crate) fn random_key() -> Result<KeyBytes, <OsRng as TryRngCore>::Error> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    OsRng.try_fill_bytes(bytes.as_mut())?;
    Ok(bytes)
}

fn failed(path: &Path, why: &dyn fmt::Display) -> KeyFileError {
    KeyFileError {
        path: path.display().to_string(),
        why: why.to_string(),
    }
}

fn new_line() -> Result<Zeroizing<String>, KeyFileError> {
    let bytes = random_key().map_err(|error| failed(Path::new("(new)"), &error))?;
    let mut line = Zeroizing::new(Base64::encode_string(bytes.as_ref()));
    line.push('\n');
    Ok(line)
}

fn read(path: &Path) -> Result<KeyRing, KeyFileError> {
    let text = read_text(path)?;
    Ok(KeyRing {
        keys: parse(path, &text)?,
        missing: String::new(),
    })
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let file = fs::File::open(path).map_err(|error| failed(path, &error))?;
    let about = file.metadata().map_err(|error| failed(path, &error))?;
    if about.permissions().mode() & 0o077 != 0 {
        return Err(failed(path, &"others may read it; set its mode to 0600"));
    }
    if about.len() > KEY_FILE_BYTES_MAX {
        return Err(failed(path, &"it is too long for a key file"));
    }
    // With its full capacity from the start the text is never moved, so no copy stays behind.
    let capacity = usize::try_from(KEY_FILE_BYTES_MAX).unwrap_or(0) * 2;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    file.take(KEY_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| failed(path, &error))?;
    Ok(text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<MasterKey>, KeyFileError> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        match Base64::decode(line, bytes.as_mut()) {
            Ok(decoded) if decoded.len() == KEY_BYTES => {}
            _ => return Err(failed(path, &"a line is not 32 bytes in Base64")),
        }
        keys.push(MasterKey {
            id: identity(&bytes),
            bytes,
        });
    }
    if keys.is_empty() {
        return Err(failed(path, &"it holds no key"));
    }
    Ok(keys)
}

/// The first 64 bits of a hash: tells keys apart and says nothing of them.
fn identity(bytes: &KeyBytes) -> String {
    let mut hash = Sha256::new();
    hash.update(b"tonewall master key");
    hash.update(bytes.as_ref());
    hex(&hash.finalize()[..8])
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_file_is_its_owners_only_and_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let file = KeyFile::create_or_open(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let first = read(file.path()).unwrap().active().unwrap().id.clone();
        KeyFile::create_or_open(&path).unwrap();
        assert_eq!(read(&path).unwrap().active().unwrap().id, first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_added_key_is_active_and_the_older_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let source = EnvelopeKeySource::from(
            KeyFile::create_or_open(folder.path().join("master.key")).unwrap(),
        );
        let before = source.ring().active().unwrap().id.clone();
        let ring = source.add_key().unwrap();
        assert_ne!(ring.active().unwrap().id, before);
        assert!(ring.find(&before).is_some());
    }

    #[test]
    fn a_file_that_others_may_read_or_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        KeyFile::create_or_open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyFile::create_or_open(&path).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "\n", "c2hvcnQ=\n", "not base64"] {
            fs::write(&path, text).unwrap();
            assert!(KeyFile::create_or_open(&path).is_err(), "{text}");
        }
    }
}
