//! Signed evidence of captures.

use std::fs;

use domain::audit::AuditAction;
use domain::boundary::{AuditTrail, Audited, Change, EvidenceKeys, Store, StoreError};
use domain::evidence::Evidence;
use domain::id::CaptureId;
use store::{Database, EvidenceError, verify_evidence};

use crate::place::{NOW, Place, entry};

fn capture() -> CaptureId {
    CaptureId::from_random(7)
}

/// Entries of our capture between others.
async fn write(database: &Database, actions: &[AuditAction]) {
    for action in actions {
        for capture in [capture(), CaptureId::from_random(8)] {
            let entry = entry(*action, &Evidence::object(&capture)).with("text", "ä \" \u{0}");
            let change = Change::None;
            database.commit(Audited { change, entry }).await.unwrap();
        }
    }
}

async fn signed(database: &Database) -> String {
    let object = Evidence::object(&capture());
    let entries = database.documents_about(&object, 100).await.unwrap();
    let evidence = Evidence::new(capture(), entries, "ann", NOW);
    database.sign(&evidence).unwrap()
}

fn keys(database: &Database) -> Vec<u8> {
    serde_json::to_vec(&database.public_keys().unwrap()).unwrap()
}

/// Over two starts and a new master key, as it is read elsewhere.
async fn a_captures_entries_are_proven_by_who_has_the_public_keys(place: Place) {
    let database = place.open().await;
    write(
        &database,
        &[AuditAction::CaptureOpened, AuditAction::CaptureArmed],
    )
    .await;
    let (old, old_keys) = (signed(&database).await, keys(&database));
    database
        .rotate_key(entry(AuditAction::SettingsSaved, "master key"))
        .await
        .unwrap();
    database.close().await.unwrap();
    let database = place.open().await;
    write(
        &database,
        &[AuditAction::CaptureEnded, AuditAction::CaptureReleased],
    )
    .await;
    let (new, new_keys) = (signed(&database).await, keys(&database));

    let (evidence, proven) = verify_evidence(new.as_bytes(), &new_keys).unwrap();
    assert_eq!((evidence.capture, proven.len()), (capture(), 4));
    let chains: Vec<&str> = proven.iter().map(|one| one.chain.as_str()).collect();
    assert_eq!(chains, ["one/1", "one/1", "one/2", "one/2"]);
    assert!(Evidence::is_complete(&proven));
    let (_, proven) = verify_evidence(old.as_bytes(), &new_keys).unwrap();
    assert!(!Evidence::is_complete(&proven));
    let refused = verify_evidence(new.as_bytes(), &old_keys).unwrap_err();
    assert!(matches!(refused, EvidenceError::UnknownKey { .. }));
}

async fn what_was_changed_in_the_database_is_signed_and_proves_nothing(place: Place) {
    let database = place.open().await;
    write(
        &database,
        &[AuditAction::CaptureOpened, AuditAction::CaptureArmed],
    )
    .await;
    place
        .execute("UPDATE audit_entries SET document = REPLACE(document, 'capture_armed', 'capture_ended')")
        .await;
    let refused = verify_evidence(signed(&database).await.as_bytes(), &keys(&database));
    assert!(matches!(refused, Err(EvidenceError::Flaw(_))));
}

async fn without_a_master_key_nothing_is_signed_and_the_error_says_so(place: Place) {
    let database = place.open().await;
    write(&database, &[AuditAction::CaptureOpened]).await;
    database.close().await.unwrap();
    fs::remove_file(place.key_file()).unwrap();
    let database = place.open().await;
    let evidence = Evidence::new(capture(), Vec::new(), "ann", NOW);
    for refused in [
        database.sign(&evidence).map(|_| ()),
        database.public_keys().map(|_| ()),
    ] {
        assert!(
            matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("master.key")),
            "{refused:?}"
        );
    }
}

on_both!(
    a_captures_entries_are_proven_by_who_has_the_public_keys,
    what_was_changed_in_the_database_is_signed_and_proves_nothing,
    without_a_master_key_nothing_is_signed_and_the_error_says_so,
);
