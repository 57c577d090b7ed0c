//! Sealed gateway passwords and secrets of second factors.
//! Owns: data keys, sealing and opening, rotation.
//! Never: keeps an opened secret longer than it takes to hand it over.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use domain::boundary::StoreError;
use domain::id::{UserId, WidgetId};
use domain::time::UnixMillis;
use hkdf::Hkdf;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secret::SecretText;
use sha2::Sha256;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Row};
use zeroize::{Zeroize, Zeroizing};

use crate::failure::{refused, unavailable};
use crate::key::{KEY_BYTES, KeyBytes, KeyRing, MasterKey, hex, random_key};

/// First byte of everything sealed: the layout `0x01 | nonce | ciphertext | tag`.
const LAYOUT: u8 = 1;
/// Bytes of a nonce. Random ones are safe below 2^32 uses of a key (NIST SP 800-38D); a data key seals one password at a save.
const NONCE_BYTES: usize = 12;

/// A table with sealed secrets.
struct Kept {
    table: &'static str,
    /// Its column that says whose they are.
    owner: &'static str,
}

/// Passwords of gateways.
const PASSWORDS: Kept = Kept {
    table: "widgets",
    owner: "id",
};
/// Secrets that gateways' configurations name.
const WIDGET_SECRETS: Kept = Kept {
    table: "widget_secrets",
    owner: "id",
};
/// Secrets of second factors.
const SECOND_FACTORS: Kept = Kept {
    table: "second_factors",
    owner: "user_id",
};

impl Kept {
    /// Binds a sealed secret to its owner, so that rows cannot be swapped.
    fn place(&self, owner: &str, key: &str) -> String {
        format!("{}/sealed/{owner}/{key}", self.table)
    }

    /// What [`Kept::open`] needs: a sealed secret with the key that sealed it.
    fn sealed(&self) -> String {
        let Self { table, owner } = self;
        format!(
            "SELECT {table}.{owner}, {table}.sealed, data_keys.id, data_keys.master_key_id, data_keys.wrapped \
             FROM {table} JOIN data_keys ON data_keys.id = {table}.data_key_id"
        )
    }

    /// Opens a row of [`Kept::sealed`].
    fn open(&self, ring: &KeyRing, row: &AnyRow) -> Result<SecretText, StoreError> {
        let owner: String = row.try_get(0).map_err(unavailable)?;
        let sealed: Vec<u8> = row.try_get(1).map_err(unavailable)?;
        let key = DataKey::unwrap_row(ring, row, 2)?;
        let opened = open(&key.bytes, &self.place(&owner, &key.id), &sealed)
            .ok_or_else(|| unavailable(format!("data key {} does not open the secret", key.id)))?;
        match String::from_utf8(opened) {
            Ok(text) => Ok(SecretText::new(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(unavailable("the sealed secret is no text"))
            }
        }
    }

    /// The secret of one owner.
    async fn read(
        &self,
        connection: &mut AnyConnection,
        ring: &KeyRing,
        owner: &str,
    ) -> Result<Option<SecretText>, StoreError> {
        let statement = format!("{} WHERE {}.{} = $1", self.sealed(), self.table, self.owner);
        let row = sqlx::query(AssertSqlSafe(statement))
            .bind(owner)
            .fetch_optional(connection)
            .await
            .map_err(unavailable)?;
        row.map(|row| self.open(ring, &row)).transpose()
    }

    /// Seals every secret anew with a key. What cannot be opened stays as it is. How many were.
    async fn reseal(
        &self,
        connection: &mut AnyConnection,
        ring: &KeyRing,
        key: &DataKey,
    ) -> Result<i64, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(self.sealed()))
            .fetch_all(&mut *connection)
            .await
            .map_err(unavailable)?;
        let Self { table, owner } = self;
        let mut resealed = 0;
        for row in &rows {
            let whose: String = row.try_get(0).map_err(unavailable)?;
            let secret = match self.open(ring, row) {
                Ok(secret) => secret,
                Err(error) => {
                    tracing::warn!(table, whose, %error, "a secret is not sealed anew");
                    continue;
                }
            };
            let place = self.place(&whose, &key.id);
            let sealed = seal(&key.bytes, &place, secret.expose().as_bytes())?;
            let statement =
                format!("UPDATE {table} SET data_key_id = $1, sealed = $2 WHERE {owner} = $3");
            sqlx::query(AssertSqlSafe(statement))
                .bind(&key.id)
                .bind(sealed)
                .bind(whose)
                .execute(&mut *connection)
                .await
                .map_err(refused)?;
            resealed += 1;
        }
        Ok(resealed)
    }
}

/// A key that seals secrets.
struct DataKey {
    id: String,
    bytes: KeyBytes,
}

/// Seals a password and puts it in its widget's row, which must exist. An empty one removes what was there.
pub(crate) async fn put_password(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    widget: &WidgetId,
    password: &SecretText,
    at: UnixMillis,
) -> Result<(), StoreError> {
    if password.is_empty() {
        sqlx::query(
            "UPDATE widgets SET data_key_id = NULL, sealed = NULL, set_at = NULL WHERE id = $1",
        )
        .bind(widget.as_str())
        .execute(connection)
        .await
        .map_err(refused)?;
        return Ok(());
    }
    let key = data_key(connection, ring, at).await?;
    let sealed = seal(
        &key.bytes,
        &PASSWORDS.place(widget.as_str(), &key.id),
        password.expose().as_bytes(),
    )?;
    sqlx::query("UPDATE widgets SET data_key_id = $1, sealed = $2, set_at = $3 WHERE id = $4")
        .bind(&key.id)
        .bind(sealed)
        .bind(at.0)
        .bind(widget.as_str())
        .execute(connection)
        .await
        .map_err(refused)?;
    Ok(())
}

/// The password of a widget's gateway, opened.
pub(crate) async fn password(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    widget: &WidgetId,
) -> Result<Option<SecretText>, StoreError> {
    PASSWORDS.read(connection, ring, widget.as_str()).await
}

/// Seals a secret that the configuration of a widget's gateway names, in place of any other. The widget must exist.
pub(crate) async fn put_widget_secret(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    (widget, name): (&WidgetId, &str),
    secret: &SecretText,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let key = data_key(connection, ring, at).await?;
    let id = format!("{widget}/{name}");
    let place = WIDGET_SECRETS.place(&id, &key.id);
    let sealed = seal(&key.bytes, &place, secret.expose().as_bytes())?;
    sqlx::query(
        "INSERT INTO widget_secrets (id, widget_id, name, data_key_id, sealed, set_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (id) DO UPDATE SET data_key_id = $4, sealed = $5, set_at = $6",
    )
    .bind(&id)
    .bind(widget.as_str())
    .bind(name)
    .bind(&key.id)
    .bind(sealed)
    .bind(at.0)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

/// The secrets of a widget's gateway by name, opened.
pub(crate) async fn widget_secrets(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    widget: &WidgetId,
) -> Result<Vec<(String, SecretText)>, StoreError> {
    let statement = format!(
        "{} WHERE widget_secrets.widget_id = $1 ORDER BY widget_secrets.id",
        WIDGET_SECRETS.sealed()
    );
    let rows = sqlx::query(AssertSqlSafe(statement))
        .bind(widget.as_str())
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    let opened = rows.iter().map(|row| {
        let id: String = row.try_get(0).map_err(unavailable)?;
        let name = id.split_once('/').map_or("", |(_, name)| name).to_owned();
        Ok((name, WIDGET_SECRETS.open(ring, row)?))
    });
    opened.collect()
}

/// Seals the secret of a user's second factor in place of any other.
pub(crate) async fn put_second_factor(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    user: &UserId,
    secret: &SecretText,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let key = data_key(connection, ring, at).await?;
    let place = SECOND_FACTORS.place(user.as_str(), &key.id);
    let sealed = seal(&key.bytes, &place, secret.expose().as_bytes())?;
    sqlx::query(
        "INSERT INTO second_factors (user_id, data_key_id, sealed) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET data_key_id = $2, sealed = $3",
    )
    .bind(user.as_str())
    .bind(&key.id)
    .bind(sealed)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(())
}

/// The secret of a user's second factor, opened.
pub(crate) async fn second_factor(
    readers: &AnyPool,
    ring: &KeyRing,
    user: &UserId,
) -> Result<Option<SecretText>, StoreError> {
    let mut connection = readers.acquire().await.map_err(unavailable)?;
    let owner = user.as_str();
    SECOND_FACTORS.read(&mut connection, ring, owner).await
}

/// Seals every secret anew with a new data key under the ring's active master key. What cannot be opened stays as it is.
/// Data keys that seal nothing any more are deleted. How many secrets were sealed anew.
pub(crate) async fn rotate(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    at: UnixMillis,
) -> Result<i64, StoreError> {
    let key = DataKey::create(connection, ring, at).await?;
    let mut resealed = 0;
    for kept in [PASSWORDS, WIDGET_SECRETS, SECOND_FACTORS] {
        resealed += kept.reseal(connection, ring, &key).await?;
    }
    sqlx::query(
        "DELETE FROM data_keys WHERE id <> $1 \
         AND id NOT IN (SELECT data_key_id FROM widgets WHERE data_key_id IS NOT NULL) \
         AND id NOT IN (SELECT data_key_id FROM widget_secrets) \
         AND id NOT IN (SELECT data_key_id FROM second_factors)",
    )
    .bind(&key.id)
    .execute(connection)
    .await
    .map_err(refused)?;
    Ok(resealed)
}

/// The newest data key under the active master key; a new one if there is none.
async fn data_key(
    connection: &mut AnyConnection,
    ring: &KeyRing,
    at: UnixMillis,
) -> Result<DataKey, StoreError> {
    let master = ring.active().map_err(unavailable)?;
    let row = sqlx::query(
        "SELECT id, master_key_id, wrapped FROM data_keys WHERE master_key_id = $1 \
         ORDER BY created_at DESC, id LIMIT 1",
    )
    .bind(&master.id)
    .fetch_optional(&mut *connection)
    .await
    .map_err(unavailable)?;
    match row {
        Some(row) => DataKey::unwrap_row(ring, &row, 0),
        None => DataKey::create(connection, ring, at).await,
    }
}

impl DataKey {
    async fn create(
        connection: &mut AnyConnection,
        ring: &KeyRing,
        at: UnixMillis,
    ) -> Result<Self, StoreError> {
        let master = ring.active().map_err(unavailable)?;
        let mut id = [0; 8];
        OsRng.try_fill_bytes(&mut id).map_err(unavailable)?;
        let key = Self {
            id: hex(&id),
            bytes: random_key().map_err(unavailable)?,
        };
        let wrapped = seal(&wrapping(master)?, &key_place(&key.id), key.bytes.as_ref())?;
        sqlx::query(
            "INSERT INTO data_keys (id, master_key_id, wrapped, created_at) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(&key.id)
        .bind(&master.id)
        .bind(wrapped)
        .bind(at.0)
        .execute(connection)
        .await
        .map_err(refused)?;
        Ok(key)
    }

    /// Unwraps a data key from a row's columns identity, master key, wrapped key, the first of them at `from`.
    fn unwrap_row(ring: &KeyRing, row: &AnyRow, from: usize) -> Result<Self, StoreError> {
        let id: String = row.try_get(from).map_err(unavailable)?;
        let master_id: String = row.try_get(from + 1).map_err(unavailable)?;
        let wrapped: Vec<u8> = row.try_get(from + 2).map_err(unavailable)?;
        let master = ring
            .find(&master_id)
            .ok_or_else(|| unavailable(format!("master key {master_id} is not at hand")))?;
        let opened = open(&wrapping(master)?, &key_place(&id), &wrapped).map(Zeroizing::new);
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        match opened {
            Some(opened) if opened.len() == KEY_BYTES => bytes.copy_from_slice(&opened),
            _ => {
                return Err(unavailable(format!(
                    "master key {master_id} does not open data key {id}"
                )));
            }
        }
        Ok(Self { id, bytes })
    }
}

/// The key that wraps data keys, derived so that the master key itself is used for nothing.
fn wrapping(master: &MasterKey) -> Result<KeyBytes, StoreError> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(None, master.bytes.as_ref())
        .expand(b"tonewall wrap data key v1", bytes.as_mut())
        .map_err(unavailable)?;
    Ok(bytes)
}

/// Binds a wrapped key to its row.
fn key_place(id: &str) -> String {
    format!("data_keys/wrapped/{id}")
}

fn cipher(key: &KeyBytes) -> Aes256Gcm {
    let bytes: &[u8; KEY_BYTES] = key;
    Aes256Gcm::new(bytes.into())
}

fn seal(key: &KeyBytes, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_BYTES];
    OsRng.try_fill_bytes(&mut nonce).map_err(unavailable)?;
    let ciphertext = cipher(key)
        .encrypt(
            &Nonce::from(nonce),
            Payload {
                msg: plain,
                aad: place.as_bytes(),
            },
        )
        .map_err(unavailable)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(LAYOUT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

fn open(key: &KeyBytes, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (layout, rest) = sealed.split_first()?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
    if *layout != LAYOUT {
        return None;
    }
    cipher(key)
        .decrypt(
            &Nonce::from(*nonce),
            Payload {
                msg: ciphertext,
                aad: place.as_bytes(),
            },
        )
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_with_their_key_and_in_their_place() {
        let key = random_key().unwrap();
        let sealed = seal(&key, "a", b"canary").unwrap();
        assert_eq!(open(&key, "a", &sealed).unwrap(), b"canary");
        assert!(open(&key, "b", &sealed).is_none());
        assert!(open(&random_key().unwrap(), "a", &sealed).is_none());
        assert_ne!(seal(&key, "a", b"canary").unwrap(), sealed);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let key = random_key().unwrap();
        let sealed = seal(&key, "a", b"canary").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&key, "a", &changed).is_none(), "{at}");
            assert!(open(&key, "a", &sealed[..at]).is_none(), "{at}");
        }
    }
}
