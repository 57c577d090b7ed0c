//! What the trunks of the file are to the telephone side.
//! Owns: reading the passwords of their accounts, which become hashes at once.
//! Never: keeps a password.

use gateway::read_password;
use sip::Credentials;
use sip::digest::Ha1;
use voice::Peer;

use crate::config::{Account, Trunk};
use crate::wire::StartError;

/// All of them.
///
/// # Errors
/// The first file of a password that cannot be used.
pub(crate) fn peers(trunks: &[Trunk]) -> Result<Vec<Peer>, StartError> {
    trunks.iter().map(peer).collect()
}

fn peer(trunk: &Trunk) -> Result<Peer, StartError> {
    let account = trunk.account.as_ref().map(|one| account(&trunk.name, one));
    Ok(Peer {
        name: trunk.name.clone(),
        addresses: trunk.addresses.clone(),
        is_trusted: trunk.rules.is_trusted,
        headers: trunk.rules.headers.clone(),
        numbers: trunk.rules.numbers.clone(),
        places: trunk.places.clone(),
        probe: trunk.probe,
        account: account.transpose()?,
        media_source: trunk.media_source.clone(),
        info_digits: trunk.info_digits,
        srtp: trunk.srtp,
        codecs: trunk.codecs.clone(),
    })
}

fn account(trunk: &str, account: &Account) -> Result<voice::Account, StartError> {
    let password = read_password(&account.password_file);
    let password = password.map_err(|source| StartError::ConfigTrunkFile {
        trunk: trunk.to_owned(),
        source: Box::new(source),
    })?;
    Ok(voice::Account {
        credentials: Credentials {
            user: account.user.clone(),
            realm: account.realm.clone(),
            ha1: Ha1::derive(&account.user, &account.realm, &password),
        },
        registration: account.registration.clone(),
    })
}
