//! Sealed gateway passwords.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use domain::access::{SecondFactor, User};
use domain::audit::AuditAction;
use domain::audit::TrailFilter;
use domain::boundary::{AuditTrail, Change, Desktops, StoreError, Users};
use domain::desktop::{Credentials, Desktop, StoredCredentials};
use domain::id::WidgetId;
use secret::SecretText;
use store::{Database, KeyFile};
use testkit::postgres::PostgresServer;

use crate::place::{NOW, Place, commit, desktop, entry, saved_desktop, user};

const PLANTED: &str = "canary-Pa55w0rd-7c2f9e";

fn secret(text: &str) -> Arc<SecretText> {
    Arc::new(SecretText::new(text.to_owned()))
}

fn with(desktop: &Desktop, passwords: &[(&WidgetId, &str)]) -> Change {
    Change::SaveDesktop {
        desktop: desktop.clone(),
        credentials: Credentials {
            passwords: passwords
                .iter()
                .map(|(widget, password)| ((*widget).clone(), secret(password)))
                .collect(),
            secrets: Vec::new(),
        },
    }
}

/// What a charge reads.
async fn credentials(
    database: &Database,
    widget: &WidgetId,
) -> Result<StoredCredentials, StoreError> {
    database.gateway_credentials(widget).await
}

async fn opened(database: &Database, widget: &WidgetId) -> Option<SecretText> {
    credentials(database, widget).await.unwrap().password
}

fn is(found: Option<SecretText>, text: &str) -> bool {
    found == Some(SecretText::new(text.to_owned()))
}

async fn a_password_is_written_replaced_kept_and_removed(place: Place) {
    let database = place.open().await;
    let mut desk = desktop("sales");
    let [first, second] = [desk.widgets[0].id.clone(), desk.widgets[1].id.clone()];
    desk.revision = commit(&database, with(&desk, &[(&first, PLANTED)]))
        .await
        .unwrap();
    assert!(is(opened(&database, &first).await, PLANTED));
    assert!(opened(&database, &second).await.is_none());
    let set = database.passwords_set(&desk.id).await;
    assert_eq!(set, Ok(vec![(first.clone(), NOW)]));

    desk.revision = commit(&database, with(&desk, &[(&second, "two")]))
        .await
        .unwrap();
    assert!(
        is(opened(&database, &first).await, PLANTED),
        "not named: kept"
    );
    desk.revision = commit(&database, with(&desk, &[(&first, "new")]))
        .await
        .unwrap();
    assert!(is(opened(&database, &first).await, "new"));
    desk.revision = commit(&database, with(&desk, &[(&first, "")]))
        .await
        .unwrap();
    assert!(opened(&database, &first).await.is_none(), "empty: removed");

    let removed = desk.widgets.pop().unwrap();
    desk.revision = commit(&database, with(&desk, &[])).await.unwrap();
    desk.widgets.push(removed);
    desk.revision = commit(&database, with(&desk, &[])).await.unwrap();
    assert!(
        opened(&database, &second).await.is_none(),
        "it went with its widget"
    );
    let stranger = WidgetId::from_random(77);
    let error = commit(&database, with(&desk, &[(&stranger, "x")])).await;
    assert_eq!(error, Err(StoreError::Conflict));
}

async fn a_copied_widget_does_not_get_the_password(place: Place) {
    let database = place.open().await;
    let mut desk = desktop("sales");
    let widget = desk.widgets[0].id.clone();
    desk.revision = commit(&database, with(&desk, &[(&widget, PLANTED)]))
        .await
        .unwrap();
    let other = saved_desktop(&database, "other").await;
    // Rows swapped by an administrator of the database: sealed for one widget, never opened for another.
    let thief = other.widgets[0].id.clone();
    place
        .execute(&format!(
            "UPDATE widgets SET \
             sealed = (SELECT sealed FROM widgets WHERE id = '{widget}'), \
             data_key_id = (SELECT data_key_id FROM widgets WHERE id = '{widget}'), \
             set_at = 1 WHERE id = '{thief}'"
        ))
        .await;
    let error = credentials(&database, &thief).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(is(opened(&database, &widget).await, PLANTED));
}

async fn a_rotation_seals_everything_anew(place: Place) {
    let database = place.open().await;
    let desk = desktop("sales");
    let [first, second] = [desk.widgets[0].id.clone(), desk.widgets[1].id.clone()];
    commit(
        &database,
        with(&desk, &[(&first, PLANTED), (&second, "two")]),
    )
    .await
    .unwrap();
    let old_keys = fs::read_to_string(place.key_file()).unwrap();
    let rotation = database
        .rotate_key(entry(AuditAction::SettingsSaved, "master key"))
        .await
        .unwrap();
    assert_eq!(rotation.resealed, 2);
    assert!(is(opened(&database, &first).await, PLANTED));
    assert_eq!(
        database
            .entries(&TrailFilter::default(), 0, 1)
            .await
            .unwrap()[0]
            .entry
            .object,
        "master key"
    );
    database.close().await.unwrap();

    // The old master key opens nothing any more; the new one opens everything.
    let keys = fs::read_to_string(place.key_file()).unwrap();
    let new_key = keys.strip_prefix(&old_keys).unwrap();
    fs::write(place.key_file(), new_key).unwrap();
    let database = place.open().await;
    assert!(is(opened(&database, &first).await, PLANTED));
    assert!(is(opened(&database, &second).await, "two"));
    database.close().await.unwrap();
    fs::write(place.key_file(), &old_keys).unwrap();
    let database = place.open().await;
    let error = credentials(&database, &first).await.err().unwrap();
    assert!(error.to_string().contains(&rotation.key_id), "{error}");
}

async fn rotations_at_once_lose_no_key(place: Place) {
    let database = place.open().await;
    let desk = desktop("sales");
    let widget = desk.widgets[0].id.clone();
    commit(&database, with(&desk, &[(&widget, PLANTED)]))
        .await
        .unwrap();
    let rotate = || database.rotate_key(entry(AuditAction::SettingsSaved, "master key"));
    let rotations = futures_util::future::join_all((0..5).map(|_| rotate())).await;
    assert!(rotations.iter().all(Result::is_ok), "{rotations:?}");
    let keys = fs::read_to_string(place.key_file()).unwrap();
    assert_eq!(keys.lines().count(), 6);
    assert!(is(opened(&database, &widget).await, PLANTED));
    database.close().await.unwrap();
    assert!(is(opened(&*place.open().await, &widget).await, PLANTED));
}

async fn without_its_key_only_passwords_are_lost(place: Place) {
    let database = place.open().await;
    let mut desk = desktop("sales");
    let widget = desk.widgets[0].id.clone();
    desk.revision = commit(&database, with(&desk, &[(&widget, PLANTED)]))
        .await
        .unwrap();
    database.close().await.unwrap();

    fs::remove_file(place.key_file()).unwrap();
    let database = place.open().await;
    let error = credentials(&database, &widget).await.err().unwrap();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("master key")));
    let error = commit(&database, with(&desk, &[(&widget, "x")]))
        .await
        .unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("master.key")));
    desk.revision = commit(&database, with(&desk, &[])).await.unwrap();
    assert_eq!(database.desktops().await.unwrap().len(), 1);
    assert_eq!(database.passwords_set(&desk.id).await.unwrap().len(), 1);
    database.close().await.unwrap();

    // With another key new passwords can be set, and those are read.
    KeyFile::create_or_open(place.key_file()).unwrap();
    let database = place.open().await;
    assert!(credentials(&database, &widget).await.is_err());
    commit(&database, with(&desk, &[(&widget, "again")]))
        .await
        .unwrap();
    assert!(is(opened(&database, &widget).await, "again"));
}

async fn the_secret_of_a_second_factor_is_sealed_rotated_and_forgotten(place: Place) {
    let database = place.open().await;
    let factor = SecondFactor {
        since: NOW,
        last_step: 7,
    };
    let mut ann = User {
        second_factor: Some(factor),
        ..user("ann")
    };
    let set = |user: &User, text: &str| Change::SetSecondFactor {
        user: user.clone(),
        secret: secret(text),
    };
    assert_eq!(commit(&database, set(&ann, PLANTED)).await, Ok(1));
    let stale = commit(&database, set(&ann, "other")).await;
    assert!(stale.is_err(), "a second one with the same revision");
    let opened = || async { database.second_factor(&ann.id).await.unwrap() };
    assert!(is(opened().await, PLANTED));
    let rotation = database
        .rotate_key(entry(AuditAction::SettingsSaved, "master key"))
        .await
        .unwrap();
    assert_eq!(rotation.resealed, 1);
    assert!(is(opened().await, PLANTED));
    let id = ann.id.clone();
    ann.revision = 1;
    commit(&database, Change::SaveUser(ann.clone()))
        .await
        .unwrap();
    assert!(is(database.second_factor(&id).await.unwrap(), PLANTED));
    ann.revision = 2;
    ann.second_factor = None;
    commit(&database, Change::SaveUser(ann)).await.unwrap();
    assert!(database.second_factor(&id).await.unwrap().is_none());
}

/// The desktop with a gateway that names these secrets, and new values for some.
fn naming(desktop: &mut Desktop, names: &[&str], values: &[(&str, &str)]) -> Change {
    let gateway = serde_json::json!({
        "service_url": "https://gateway.example/", "success_key": "a", "success_value": "b",
        "more": { "secrets": names },
    });
    let widget = &mut desktop.widgets[0];
    widget.gateway = Some(serde_json::from_value(gateway).unwrap());
    let id = widget.id.clone();
    let values = values
        .iter()
        .map(|(name, value)| (id.clone(), (*name).to_owned(), secret(value)));
    Change::SaveDesktop {
        desktop: desktop.clone(),
        credentials: Credentials {
            passwords: Vec::new(),
            secrets: values.collect(),
        },
    }
}

async fn secrets_are_kept_by_name_rotated_and_forgotten_with_their_names(place: Place) {
    let database = place.open().await;
    let mut desk = desktop("sales");
    let id = desk.widgets[0].id.clone();
    let secrets = async || credentials(&database, &id).await.unwrap().secrets;
    let named = |name: &str, text: &str| (name.to_owned(), SecretText::new(text.to_owned()));
    let change = naming(
        &mut desk,
        &["key", "pin"],
        &[("key", PLANTED), ("pin", "two")],
    );
    desk.revision = commit(&database, change).await.unwrap();
    assert!(secrets().await == [named("key", PLANTED), named("pin", "two")]);
    let set = database.secrets_set(&desk.id).await.unwrap();
    let key = (id.clone(), "key".to_owned(), NOW);
    assert_eq!(set, [key, (id.clone(), "pin".to_owned(), NOW)]);
    assert!(opened(&database, &id).await.is_none(), "no password");

    let change = naming(&mut desk, &["key", "pin"], &[("pin", "new")]);
    desk.revision = commit(&database, change).await.unwrap();
    database
        .rotate_key(entry(AuditAction::SettingsSaved, "master key"))
        .await
        .unwrap();
    assert!(secrets().await == [named("key", PLANTED), named("pin", "new")]);
    let change = naming(&mut desk, &["pin"], &[]);
    desk.revision = commit(&database, change).await.unwrap();
    assert!(
        secrets().await == [named("pin", "new")],
        "no name, no secret"
    );
    let change = naming(&mut desk, &["pin"], &[("pin", "")]);
    desk.revision = commit(&database, change).await.unwrap();
    assert!(secrets().await.is_empty(), "empty: removed");
    let change = naming(&mut desk, &["pin"], &[("pin", "x")]);
    desk.revision = commit(&database, change).await.unwrap();
    desk.widgets.remove(0);
    commit(&database, with(&desk, &[])).await.unwrap();
    assert!(secrets().await.is_empty(), "it went with its widget");
}

/// A desktop is saved again and again, each time with another host and that host's password.
async fn a_password_is_read_with_the_host_it_was_entered_for(place: Place) {
    let database = place.open().await;
    let mut desk = desktop("sales");
    let id = desk.widgets[0].id.clone();
    let saving = tokio::spawn({
        let (database, id) = (database.clone(), id.clone());
        async move {
            for host in 0..100 {
                let config = serde_json::json!({
                    "service_url": format!("https://{host}.example/"), "success_key": "a", "success_value": "b",
                });
                desk.widgets[0].gateway = Some(serde_json::from_value(config).unwrap());
                let password = format!("{host}.example:443");
                let change = with(&desk, &[(&id, &password)]);
                desk.revision = commit(&database, change).await.unwrap();
            }
        }
    });
    let mut hosts = BTreeSet::new();
    while !saving.is_finished() {
        let read = credentials(&database, &id).await.unwrap();
        let Some(host) = read.gateway.and_then(|gateway| gateway.authority()) else {
            assert!(read.password.is_none(), "not saved yet");
            continue;
        };
        assert!(is(read.password, &host), "another host's than {host}");
        hosts.insert(host);
    }
    saving.await.unwrap();
    assert!(hosts.len() > 1, "read while it was saved: {hosts:?}");
}

/// Every file that a database made, for the bytes of a password.
async fn a_password_is_in_no_file(place: Place) {
    let database = place.open().await;
    let desk = desktop("sales");
    let widget = desk.widgets[0].id.clone();
    let plain = "plain-8d31b7-visible-name";
    let mut named = Desktop {
        name: plain.to_owned(),
        ..desk
    };
    named.revision = commit(&database, with(&named, &[(&widget, PLANTED)]))
        .await
        .unwrap();
    let secret = naming(&mut named, &["key"], &[("key", PLANTED)]);
    commit(&database, secret).await.unwrap();
    if !place.is_sqlite() {
        place.execute("CHECKPOINT").await;
    }
    database
        .rotate_key(entry(AuditAction::SettingsSaved, "master key"))
        .await
        .unwrap();
    let mut files = if place.is_sqlite() {
        vec![place.folder.path().to_owned()]
    } else {
        let mut connection = place.administrator().await;
        let number: i64 = sqlx::query_scalar(
            "SELECT oid::BIGINT FROM pg_database WHERE datname = current_database()",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let data = PostgresServer::shared().unwrap().data_folder();
        vec![data.join("pg_wal"), data.join(format!("base/{number}"))]
    };
    let mut found_plain = 0;
    while let Some(path) = files.pop() {
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        if about.is_dir() {
            files.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if let Ok(bytes) = fs::read(&path) {
            let holds = |text: &str| {
                bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            };
            found_plain += u32::from(holds(plain));
            assert!(!holds(PLANTED), "{}", path.display());
        }
    }
    assert!(found_plain > 0, "the scan looks at the right files");
}

on_both!(
    a_password_is_written_replaced_kept_and_removed,
    a_copied_widget_does_not_get_the_password,
    a_rotation_seals_everything_anew,
    rotations_at_once_lose_no_key,
    without_its_key_only_passwords_are_lost,
    the_secret_of_a_second_factor_is_sealed_rotated_and_forgotten,
    secrets_are_kept_by_name_rotated_and_forgotten_with_their_names,
    a_password_is_read_with_the_host_it_was_entered_for,
    a_password_is_in_no_file,
);
