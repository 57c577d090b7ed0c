//! The door for the first administrator.
//! Owns: its one-time token, and the secret that was offered to whoever holds it.
//! Never: outlives the process, or keeps the token; only its hash is here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secret::SecretText;

use super::{LoginKey, key_of, random_hex};

/// The door: open from the start of a server without users until somebody went through, or the server ends.
#[derive(Default)]
pub(crate) struct SetUp(Mutex<Option<Open>>);

/// What an open door knows.
pub(crate) struct Open {
    token: LoginKey,
    /// The secret that was shown last for the second factor.
    pub(crate) offered: Option<Arc<SecretText>>,
}

impl SetUp {
    /// Opens the door and makes the token for it: 256 random bits in hex. None if the system has no random numbers.
    pub(crate) fn open(&self) -> Option<String> {
        let token = random_hex()?;
        *self.door() = Some(Open {
            token: key_of(&token),
            offered: None,
        });
        Some(token)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.door().is_some()
    }

    /// The token is that of the open door.
    pub(crate) fn admits(&self, token: &str) -> bool {
        let token = key_of(token);
        self.door().as_ref().is_some_and(|open| open.token == token)
    }

    /// This secret was shown.
    pub(crate) fn offer(&self, secret: Arc<SecretText>) {
        if let Some(open) = &mut *self.door() {
            open.offered = Some(secret);
        }
    }

    /// The secret that was shown last.
    pub(crate) fn offered(&self) -> Option<Arc<SecretText>> {
        self.door().as_ref()?.offered.clone()
    }

    /// Goes through: of two with the same token one does.
    pub(crate) fn enter(&self, token: &str) -> Option<Open> {
        let token = key_of(token);
        self.door().take_if(|open| open.token == token)
    }

    /// Whoever went through came to nothing: the token holds again.
    pub(crate) fn give_back(&self, open: Open) {
        self.door().get_or_insert(open);
    }

    fn door(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_through_with_the_token_and_a_new_one_replaces_it() {
        let door = SetUp::default();
        assert!(!door.is_open() && !door.admits(""));
        let first = door.open().unwrap();
        let second = door.open().unwrap();
        assert!(!door.admits(&first) && door.admits(&second));
        assert!(door.enter(&first).is_none());
        let open = door.enter(&second).unwrap();
        assert!(!door.is_open() && door.enter(&second).is_none());
        door.give_back(open);
        assert!(door.enter(&second).is_some());
    }
}
