//! The audit trail.

use std::sync::Arc;

use domain::audit::{AuditAction, ChainedDocument, ChainedEntry, TrailFilter};
use domain::boundary::{AuditTrail, Audited, Change, Store, StoreError};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use sqlx::Row;
use store::Database;

use crate::place::{NOW, Place, audited, commit, entry, user};

async fn write(database: &Database, count: usize) {
    for number in 0..count {
        let entry = entry(AuditAction::LoggedIn, &format!("user {number}"))
            .with("zebra", true)
            .with(
                "apple",
                serde_json::json!({ "b": [1, { "y": 2, "x": null }], "a": "ä\u{0}" }),
            );
        let audited = Audited {
            change: Change::None,
            entry,
        };
        database.commit(audited).await.unwrap();
    }
}

/// Three starts of one node: 6, 5 and 4 entries.
async fn three_epochs(place: &Place) -> Arc<Database> {
    for count in [6, 5] {
        let database = place.open().await;
        write(&database, count).await;
        database.close().await.unwrap();
    }
    let database = place.open().await;
    write(&database, 4).await;
    assert_eq!(database.verify().await, Ok(None));
    database
}

fn at(found: Result<Option<ChainedEntry>, StoreError>) -> (String, i64) {
    let entry = found.unwrap().expect("nothing was found");
    (entry.chain, entry.seq)
}

async fn each_start_begins_a_chain_of_its_own(place: Place) {
    let database = three_epochs(&place).await;
    assert_eq!(database.epoch(), 3);
    let other = Database::open(place.config("two")).await.unwrap();
    assert_eq!(other.epoch(), 1);
    write(&other, 1).await;
    let all = database
        .entries(&TrailFilter::default(), 0, 100)
        .await
        .unwrap();
    let places: Vec<(&str, i64)> = all
        .iter()
        .map(|entry| (entry.chain.as_str(), entry.seq))
        .collect();
    assert_eq!(places.len(), 16);
    assert_eq!(
        places[..6],
        [
            ("two/1", 1),
            ("one/3", 4),
            ("one/3", 3),
            ("one/3", 2),
            ("one/3", 1),
            ("one/2", 5)
        ]
    );
    assert_eq!(database.verify().await, Ok(None));
}

async fn entries_come_back_as_written_and_page_by_page(place: Place) {
    let database = place.open().await;
    write(&database, 7).await;
    let first = database
        .entries(&TrailFilter::default(), 0, 3)
        .await
        .unwrap();
    let second = database
        .entries(&TrailFilter::default(), first[2].position, 3)
        .await
        .unwrap();
    let third = database
        .entries(&TrailFilter::default(), second[2].position, 3)
        .await
        .unwrap();
    assert_eq!((first.len(), second.len(), third.len()), (3, 3, 1));
    assert_eq!(
        database
            .entries(&TrailFilter::default(), third[0].position, 3)
            .await,
        Ok(Vec::new())
    );
    assert_eq!(first[0].entry.object, "user 6");
    assert_eq!(third[0].entry.object, "user 0");
    assert_eq!(third[0].entry.detail["apple"]["b"][1]["y"], 2);
    assert_eq!(third[0].entry.detail["apple"]["a"], "ä\u{0}");
}

async fn anyone_can_recompute_the_hashes(place: Place) {
    let database = place.open().await;
    write(&database, 3).await;
    let mut connection = place.administrator().await;
    let rows = sqlx::query("SELECT document, hash FROM audit_entries ORDER BY position")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut previous = "0".repeat(64);
    for row in rows {
        let (document, hash): (String, String) = (row.get(0), row.get(1));
        let mine = Sha256::digest(format!("{previous}{document}"));
        let mine: String = mine.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(mine, hash);
        let keys: Vec<String> =
            serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&document)
                .unwrap()
                .keys()
                .cloned()
                .collect();
        assert!(keys.is_sorted(), "{keys:?}");
        previous = hash;
    }
}

async fn a_refused_change_leaves_no_entry(place: Place) {
    let database = place.open().await;
    commit(&database, Change::SaveUser(user("ann")))
        .await
        .unwrap();
    assert!(
        commit(&database, Change::SaveUser(user("ann")))
            .await
            .is_err()
    );
    commit(&database, Change::None).await.unwrap();
    let all = database
        .entries(&TrailFilter::default(), 0, 9)
        .await
        .unwrap();
    let seqs: Vec<i64> = all.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, [2, 1]);
    assert_eq!(database.verify().await, Ok(None));
}

async fn an_edited_entry_is_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute(
            "UPDATE audit_entries SET document = REPLACE(document, 'user 2', 'user 3') \
             WHERE chain = 'one/2' AND seq = 3",
        )
        .await;
    assert_eq!(at(database.verify().await), ("one/2".to_owned(), 3));
}

async fn an_entry_edited_with_its_hash_is_found_at_the_next(place: Place) {
    let database = three_epochs(&place).await;
    let all = database
        .entries(&TrailFilter::default(), 0, 100)
        .await
        .unwrap();
    let previous = all
        .iter()
        .find(|e| e.chain == "one/2" && e.seq == 2)
        .unwrap();
    let mut connection = place.administrator().await;
    let document: String =
        sqlx::query_scalar("SELECT document FROM audit_entries WHERE chain = 'one/2' AND seq = 3")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let forged = document.replace("user 2", "user 9");
    let hash = Sha256::digest(format!("{}{forged}", previous.hash));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    sqlx::query(
        "UPDATE audit_entries SET document = $1, hash = $2, object = 'user 9' \
         WHERE chain = 'one/2' AND seq = 3",
    )
    .bind(forged)
    .bind(hash)
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(at(database.verify().await), ("one/2".to_owned(), 4));
}

async fn a_deleted_entry_is_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute("DELETE FROM audit_entries WHERE chain = 'one/1' AND seq = 2")
        .await;
    assert_eq!(at(database.verify().await), ("one/1".to_owned(), 3));
}

async fn a_cut_off_end_is_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute("DELETE FROM audit_entries WHERE chain = 'one/3' AND seq = 4")
        .await;
    assert_eq!(at(database.verify().await), ("one/3".to_owned(), 3));
}

async fn a_cut_off_end_with_a_forged_head_is_found_in_the_next_epoch(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute(
            "DELETE FROM audit_entries WHERE chain = 'one/2' AND seq = 5; \
             UPDATE audit_chains SET seq = 4, hash = (SELECT hash FROM audit_entries \
             WHERE chain = 'one/2' AND seq = 4) WHERE chain = 'one/2'",
        )
        .await;
    assert_eq!(at(database.verify().await), ("one/3".to_owned(), 1));
}

async fn a_whole_epoch_that_is_gone_is_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute(
            "DELETE FROM audit_entries WHERE chain = 'one/2'; \
             DELETE FROM audit_chains WHERE chain = 'one/2'",
        )
        .await;
    assert_eq!(at(database.verify().await), ("one/3".to_owned(), 1));
}

async fn entries_in_another_order_are_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute(
            "UPDATE audit_entries SET seq = 100 WHERE chain = 'one/1' AND seq = 3; \
             UPDATE audit_entries SET seq = 3 WHERE chain = 'one/1' AND seq = 4; \
             UPDATE audit_entries SET seq = 4 WHERE chain = 'one/1' AND seq = 100",
        )
        .await;
    assert_eq!(at(database.verify().await), ("one/1".to_owned(), 3));
}

async fn an_entry_moved_to_another_chain_is_found(place: Place) {
    let database = three_epochs(&place).await;
    place
        .execute(
            "UPDATE audit_entries SET chain = 'one/3', seq = 5 WHERE chain = 'one/1' AND seq = 6",
        )
        .await;
    assert_eq!(at(database.verify().await), ("one/1".to_owned(), 5));
}

/// Random single-character edits anywhere in any entry; each is found and taken back.
async fn no_random_edit_goes_unnoticed(place: Place) {
    let database = place.open().await;
    write(&database, 6).await;
    let mut connection = place.administrator().await;
    let mut random = StdRng::seed_from_u64(16);
    for round in 0..200 {
        let seq: i64 = random.random_range(1..=6);
        let column = if random.random_bool(0.8) {
            "document"
        } else {
            "hash"
        };
        let read = format!("SELECT {column} FROM audit_entries WHERE seq = $1");
        let write = format!("UPDATE audit_entries SET {column} = $1 WHERE seq = $2");
        let good: String = sqlx::query_scalar(sqlx::AssertSqlSafe(read))
            .bind(seq)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        let mut letters: Vec<char> = good.chars().collect();
        let place = random.random_range(0..letters.len());
        letters[place] = if letters[place] == 'q' { 'r' } else { 'q' };
        let bad: String = letters.into_iter().collect();
        for (text, is_sound) in [(&bad, false), (&good, true)] {
            sqlx::query(sqlx::AssertSqlSafe(write.clone()))
                .bind(text)
                .bind(seq)
                .execute(&mut connection)
                .await
                .unwrap();
            // An entry that is no JSON any more is reported as an error.
            let sound = database.verify().await == Ok(None);
            assert_eq!(sound, is_sound, "round {round}, entry {seq}, {column}");
        }
    }
}

async fn a_node_that_writes_on_after_its_successor_started_is_no_break(place: Place) {
    let old = place.open().await;
    write(&old, 2).await;
    let new = place.open().await;
    write(&new, 2).await;
    write(&old, 2).await;
    old.close().await.unwrap();
    let newest = place.open().await;
    write(&newest, 1).await;
    assert_eq!(newest.verify().await, Ok(None));
    assert_eq!(
        newest
            .entries(&TrailFilter::default(), 0, 9)
            .await
            .unwrap()
            .len(),
        7
    );
}

async fn a_row_that_would_no_longer_be_found_is_no_sound_one(place: Place) {
    let database = three_epochs(&place).await;
    for (column, value) in [
        ("at", "7"),
        ("actor", "'nobody'"),
        ("action", "'logged_out'"),
        ("object", "'user 9'"),
    ] {
        let row = "WHERE chain = 'one/2' AND seq = 3";
        place
            .execute(&format!(
                "CREATE TABLE kept AS SELECT {column} AS was FROM audit_entries {row}; \
                 UPDATE audit_entries SET {column} = {value} {row}"
            ))
            .await;
        assert_eq!(
            at(database.verify().await),
            ("one/2".to_owned(), 3),
            "{column}"
        );
        place
            .execute(&format!(
                "UPDATE audit_entries SET {column} = (SELECT was FROM kept) {row}; DROP TABLE kept"
            ))
            .await;
        assert_eq!(database.verify().await, Ok(None), "{column}");
    }
}

async fn entries_about_an_object_come_oldest_first(place: Place) {
    let database = place.open().await;
    write(&database, 3).await;
    let strange = entry(AuditAction::LoggedIn, "user \0 \"x\" ä");
    let audited = Audited {
        change: Change::None,
        entry: strange,
    };
    database.commit(audited).await.unwrap();
    let objects = ["user 2".to_owned(), "user 0".to_owned(), "user".to_owned()];
    let found = database.about(&objects, 9).await.unwrap();
    let found: Vec<String> = found
        .into_iter()
        .map(|chained| chained.entry.object)
        .collect();
    assert_eq!(found, ["user 0", "user 2"]);
    assert_eq!(database.about(&objects, 1).await.unwrap().len(), 1);
    assert_eq!(database.verify().await, Ok(None));
}

async fn entries_are_narrowed_by_each_condition_alone_and_together(place: Place) {
    let database = place.open().await;
    write(&database, 3).await;
    let mut late = entry(AuditAction::DesktopSaved, "desktop Sales");
    late.at = NOW.plus_ms(10);
    late.actor = "ann".to_owned();
    database
        .commit(Audited {
            change: Change::None,
            entry: late,
        })
        .await
        .unwrap();
    let all = TrailFilter::default();
    let actor = Some("ann".to_owned());
    let action = Some(AuditAction::DesktopSaved);
    let object = Some("desktop S".to_owned());
    let from = Some(NOW.plus_ms(10));
    let until = Some(NOW.plus_ms(11));
    let only_late = [
        TrailFilter {
            actor: actor.clone(),
            ..all.clone()
        },
        TrailFilter {
            action,
            ..all.clone()
        },
        TrailFilter {
            object: object.clone(),
            ..all.clone()
        },
        TrailFilter {
            from,
            ..all.clone()
        },
        TrailFilter {
            actor,
            action,
            object,
            from,
            until,
        },
    ];
    for filter in &only_late {
        let found = database.entries(filter, 0, 9).await.unwrap();
        assert_eq!((found.len(), found[0].seq), (1, 4), "{filter:?}");
        assert_eq!(
            database.entries(filter, found[0].position, 9).await,
            Ok(Vec::new())
        );
    }
    let early = TrailFilter { until: from, ..all };
    assert_eq!(database.entries(&early, 0, 9).await.unwrap().len(), 3);
}

/// What a reader of the file does.
async fn exported_documents_prove_themselves_and_a_forged_one_does_not(place: Place) {
    let proved = |found: &[ChainedDocument]| -> Vec<bool> {
        let proof = |one: &ChainedDocument| {
            let hash = Sha256::digest(format!("{}{}", one.previous, one.document));
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            hash == one.hash
        };
        found.iter().map(proof).collect()
    };
    let database = three_epochs(&place).await;
    let day = NOW..NOW.plus_ms(1);
    let first = database.documents(day.clone(), 0, 10).await.unwrap();
    let second = database
        .documents(day.clone(), first[9].position, 10)
        .await
        .unwrap();
    assert_eq!((first.len(), second.len()), (10, 5));
    assert!(
        proved(&first)
            .into_iter()
            .chain(proved(&second))
            .all(|holds| holds)
    );
    assert_eq!(
        database
            .documents(NOW.plus_ms(1)..NOW.plus_ms(2), 0, 9)
            .await,
        Ok(Vec::new())
    );
    place
        .execute("UPDATE audit_entries SET document = REPLACE(document, 'user 2', 'user 3') WHERE chain = 'one/1' AND seq = 3")
        .await;
    let found = database.documents(day, 0, 4).await.unwrap();
    assert_eq!(proved(&found), [true, true, false, true]);
}

async fn nothing_written_is_nothing_broken(place: Place) {
    place.open().await.close().await.unwrap();
    let database = place.open().await;
    assert_eq!(database.verify().await, Ok(None));
    database.commit(audited(Change::None)).await.unwrap();
    assert_eq!(database.verify().await, Ok(None));
}

on_both!(
    each_start_begins_a_chain_of_its_own,
    entries_come_back_as_written_and_page_by_page,
    anyone_can_recompute_the_hashes,
    a_refused_change_leaves_no_entry,
    an_edited_entry_is_found,
    an_entry_edited_with_its_hash_is_found_at_the_next,
    a_deleted_entry_is_found,
    a_cut_off_end_is_found,
    a_cut_off_end_with_a_forged_head_is_found_in_the_next_epoch,
    a_whole_epoch_that_is_gone_is_found,
    entries_in_another_order_are_found,
    an_entry_moved_to_another_chain_is_found,
    no_random_edit_goes_unnoticed,
    a_node_that_writes_on_after_its_successor_started_is_no_break,
    a_row_that_would_no_longer_be_found_is_no_sound_one,
    entries_about_an_object_come_oldest_first,
    entries_are_narrowed_by_each_condition_alone_and_together,
    exported_documents_prove_themselves_and_a_forged_one_does_not,
    nothing_written_is_nothing_broken,
);
