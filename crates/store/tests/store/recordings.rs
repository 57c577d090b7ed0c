//! Rows of recordings, and the keys that wrap those of their files.

use domain::audit::AuditAction;
use domain::boundary::{Change, Recordings, StoreError};
use domain::id::{CallId, RecordingId, ServiceId, UserId};
use domain::recording::{
    Recording, RecordingChange, RecordingEnd, RecordingFilter, RecordingFinds, RecordingPlace,
    RecordingScan, RecordingState,
};
use domain::service::SinkMedium;
use domain::time::UnixMillis;
use store::Database;

use crate::place::{NOW, Place, commit, entry, next};

const CONFLICT: Result<i64, StoreError> = Err(StoreError::Conflict);
const END: RecordingEnd = RecordingEnd {
    at: UnixMillis(NOW.0 + 60_000),
    samples: 480_000,
    bytes: 976_000,
    final_segment: Some(120),
};

fn recording(began: UnixMillis) -> Recording {
    Recording {
        id: RecordingId::from_random(next()),
        medium: SinkMedium::Call,
        call: CallId::from_random(next()),
        service: ServiceId::from_random(next()),
        agent: Some(UserId::from_random(next())),
        node: "one".to_owned(),
        began,
        key_id: "0123456789abcdef".to_owned(),
        keep_until: Recording::keep_until(began, 1),
        state: RecordingState::Running,
        scan: None,
    }
}

async fn write(database: &Database, change: RecordingChange) -> Result<i64, StoreError> {
    commit(database, Change::Recording(change)).await
}

async fn begun(database: &Database, recording: Recording) -> Recording {
    let change = RecordingChange::Insert(recording.clone());
    write(database, change).await.unwrap();
    recording
}

async fn ended(database: &Database, new: Recording, end: RecordingEnd) -> Recording {
    let new = begun(database, new).await;
    let id = new.id.clone();
    let change = RecordingChange::End { id, end };
    write(database, change).await.unwrap();
    let state = RecordingState::Ended(end);
    Recording { state, ..new }
}

async fn a_recording_moves_from_running_over_ended_to_gone_and_never_back(place: Place) {
    let database = place.open().await;
    let new = begun(&database, recording(NOW)).await;
    let id = || new.id.clone();
    let is = async |state| {
        let found = database.recording(&new.id).await.unwrap();
        assert_eq!(
            found,
            Some(Recording {
                state,
                ..new.clone()
            })
        );
    };
    is(RecordingState::Running).await;
    let again = write(&database, RecordingChange::Insert(new.clone())).await;
    assert!(matches!(again, Err(StoreError::Taken(_))), "{again:?}");
    let begin_deletion = RecordingChange::BeginDeletion(id());
    let delete = RecordingChange::Delete(id());
    let end = RecordingChange::End { id: id(), end: END };
    let redacted = RecordingEnd {
        bytes: END.bytes + 72,
        final_segment: END.final_segment.map(|last| last + 1),
        ..END
    };
    let redact_under = |key_id: &str| RecordingChange::Redact {
        id: id(),
        end: redacted,
        key_id: key_id.to_owned(),
    };
    let redact = redact_under(&new.key_id);
    assert_eq!(write(&database, begin_deletion.clone()).await, CONFLICT);
    assert_eq!(write(&database, delete.clone()).await, CONFLICT);
    assert_eq!(write(&database, redact.clone()).await, CONFLICT);
    is(RecordingState::Running).await;
    assert_eq!(write(&database, end.clone()).await, Ok(0));
    is(RecordingState::Ended(END)).await;
    let under_another = redact_under("00000000000000ff");
    assert_eq!(write(&database, under_another).await, Ok(0));
    let row = database.recording(&new.id).await.unwrap().unwrap();
    assert_eq!(row.key_id, "00000000000000ff");
    assert_eq!(write(&database, redact.clone()).await, Ok(0));
    is(RecordingState::Ended(redacted)).await;
    assert_eq!(write(&database, end.clone()).await, CONFLICT);
    assert_eq!(write(&database, delete.clone()).await, CONFLICT);
    assert_eq!(write(&database, begin_deletion.clone()).await, Ok(0));
    is(RecordingState::Deleting(redacted)).await;
    assert_eq!(write(&database, end).await, CONFLICT);
    assert_eq!(write(&database, redact).await, CONFLICT);
    assert_eq!(write(&database, begin_deletion).await, CONFLICT);
    assert_eq!(write(&database, delete.clone()).await, Ok(0));
    assert_eq!(database.recording(&new.id).await, Ok(None));
    assert_eq!(write(&database, delete).await, CONFLICT);
}

async fn only_a_running_recording_of_known_or_unknown_agents_is_new(place: Place) {
    let database = place.open().await;
    let cut = RecordingEnd {
        final_segment: None,
        ..END
    };
    let old = Recording {
        state: RecordingState::Ended(cut),
        ..recording(NOW)
    };
    assert_eq!(
        write(&database, RecordingChange::Insert(old)).await,
        CONFLICT
    );
    let nobody = Recording {
        agent: None,
        ..recording(NOW)
    };
    let kept = ended(&database, nobody, cut).await;
    assert_eq!(database.recording(&kept.id).await, Ok(Some(kept)));
}

async fn recordings_are_listed_the_newest_first_and_narrowed(place: Place) {
    let database = place.open().await;
    let mut all = Vec::new();
    for ms in [0, 10, 10, 20] {
        all.push(begun(&database, recording(NOW.plus_ms(ms))).await);
    }
    let (first, last) = (all[0].clone(), all[3].clone());
    let screen = Recording {
        medium: SinkMedium::Screen,
        ..recording(NOW.plus_ms(5))
    };
    let screen = begun(&database, screen).await;
    all.push(screen.clone());
    all.sort_by(|a, b| (b.began, b.id.as_str()).cmp(&(a.began, a.id.as_str())));
    let listed =
        async |filter: RecordingFilter| database.recordings(&filter, None, 50).await.unwrap();
    assert_eq!(listed(RecordingFilter::default()).await, all);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let filter = RecordingFilter::default();
        let page = database.recordings(&filter, after.as_ref(), 1).await;
        let Some(row) = page.unwrap().pop() else {
            break;
        };
        after = Some(RecordingPlace {
            began: row.began,
            id: row.id.clone(),
        });
        paged.push(row);
    }
    assert_eq!(paged, all);
    for filter in [
        RecordingFilter {
            call: Some(first.call.clone()),
            ..RecordingFilter::default()
        },
        RecordingFilter {
            service: Some(first.service.clone()),
            ..RecordingFilter::default()
        },
        RecordingFilter {
            agent: first.agent.clone(),
            ..RecordingFilter::default()
        },
        RecordingFilter {
            until: Some(NOW.plus_ms(5)),
            ..RecordingFilter::default()
        },
    ] {
        assert_eq!(listed(filter).await, std::slice::from_ref(&first));
    }
    let medium = Some(SinkMedium::Screen);
    let screens = listed(RecordingFilter {
        medium,
        ..RecordingFilter::default()
    });
    assert_eq!(screens.await, [screen]);
    let from = Some(NOW.plus_ms(20));
    let late = listed(RecordingFilter {
        from,
        ..RecordingFilter::default()
    });
    assert_eq!(late.await, [last]);
}

async fn what_is_due_and_what_was_left_running_is_told_of_its_node_only(place: Place) {
    let database = place.open().await;
    let old = ended(&database, recording(NOW), END).await;
    let running = begun(&database, recording(NOW)).await;
    let other_node = |began| Recording {
        node: "two".to_owned(),
        ..recording(began)
    };
    let elsewhere = begun(&database, other_node(NOW)).await;
    ended(&database, other_node(NOW), END).await;
    let young = ended(&database, recording(NOW.plus_ms(1)), END).await;

    let left = async |node: &str| database.running_recordings(node).await.unwrap();
    assert_eq!(left("one").await, [running]);
    assert_eq!(left("two").await, [elsewhere]);

    let due = async |at| database.recordings_due("one", at, 50).await.unwrap();
    assert_eq!(due(old.keep_until.plus_ms(-1)).await, []);
    assert_eq!(due(old.keep_until).await, std::slice::from_ref(&old));

    // A deletion that was begun and not ended is due at any time, and no list shows it.
    let change = RecordingChange::BeginDeletion(young.id.clone());
    write(&database, change).await.unwrap();
    let deleting = Recording {
        state: RecordingState::Deleting(END),
        ..young
    };
    assert_eq!(due(NOW).await, std::slice::from_ref(&deleting));
    assert_eq!(due(deleting.keep_until).await, [old, deleting.clone()]);
    let filter = RecordingFilter {
        call: Some(deleting.call),
        ..RecordingFilter::default()
    };
    assert_eq!(database.recordings(&filter, None, 50).await, Ok(vec![]));
}

async fn an_ended_recording_is_scanned_and_no_longer_left_to_scan(place: Place) {
    let database = place.open().await;
    // Of a screen there is nothing to hear.
    let screen = Recording {
        medium: SinkMedium::Screen,
        ..recording(NOW)
    };
    ended(&database, screen, END).await;
    let running = begun(&database, recording(NOW)).await;
    let first = ended(&database, recording(NOW.plus_ms(1)), END).await;
    let second = ended(&database, recording(NOW.plus_ms(2)), END).await;
    let left = async |after: Option<&RecordingPlace>, limit| {
        let left = database.recordings_unscanned("one", after, limit).await;
        left.unwrap()
    };
    assert_eq!(left(None, 9).await, [first.clone(), second.clone()]);
    assert_eq!(left(None, 1).await, std::slice::from_ref(&first));
    let behind = RecordingPlace::from(&first);
    assert_eq!(left(Some(&behind), 9).await, std::slice::from_ref(&second));
    assert_eq!(
        database.recordings_unscanned("two", None, 9).await,
        Ok(vec![])
    );
    let scan = RecordingScan {
        at: NOW.plus_ms(70_000),
        finds: RecordingFinds {
            masked_keys: 1,
            paused_samples: 1 << 40,
            unprotected_keys: 13,
        },
    };
    let scanned = |of: &Recording| RecordingChange::Scan {
        id: of.id.clone(),
        scan,
    };
    assert_eq!(write(&database, scanned(&running)).await, CONFLICT);
    assert_eq!(write(&database, scanned(&first)).await, Ok(0));
    let rekeyed = RecordingChange::Rekey {
        id: first.id.clone(),
        key_id: "00ff00ff00ff00ff".to_owned(),
    };
    assert_eq!(write(&database, rekeyed.clone()).await, Ok(0));
    let kept = Recording {
        scan: Some(scan),
        key_id: "00ff00ff00ff00ff".to_owned(),
        ..first.clone()
    };
    assert_eq!(database.recording(&first.id).await, Ok(Some(kept)));
    assert_eq!(left(None, 9).await, [second]);
    let begin_deletion = RecordingChange::BeginDeletion(first.id.clone());
    assert_eq!(write(&database, begin_deletion).await, Ok(0));
    assert_eq!(write(&database, scanned(&first)).await, CONFLICT);
    assert_eq!(write(&database, rekeyed).await, CONFLICT);
}

async fn a_rotation_adds_a_key_for_recordings_and_keeps_the_older_one(place: Place) {
    let database = place.open().await;
    let facts = |database: &Database| -> Vec<(String, [u8; 32])> {
        let keys = database.recording_keys().unwrap();
        let fact = |key: store::RecordingKey| (key.id, *key.key.expose());
        keys.into_iter().map(fact).collect()
    };
    let before = facts(&database);
    let rotation = entry(AuditAction::SettingsSaved, "keys");
    let rotation = database.rotate_key(rotation).await.unwrap();
    let after = facts(&database);
    assert_eq!(after[..1], before);
    assert_eq!(after.len(), 2);
    assert_eq!(after[1].0, rotation.key_id);
    assert_ne!(after[1].1, after[0].1);
    // Whoever opens it again has the same keys.
    database.close().await.unwrap();
    assert_eq!(facts(&*place.open().await), after);
}

async fn without_a_key_file_there_is_no_key_for_recordings_and_the_error_names_it(place: Place) {
    std::fs::remove_file(place.key_file()).unwrap();
    let database = place.open().await;
    let error = database.recording_keys().unwrap_err().to_string();
    assert!(error.contains("master.key"), "{error}");
}

on_both!(
    a_recording_moves_from_running_over_ended_to_gone_and_never_back,
    only_a_running_recording_of_known_or_unknown_agents_is_new,
    recordings_are_listed_the_newest_first_and_narrowed,
    what_is_due_and_what_was_left_running_is_told_of_its_node_only,
    an_ended_recording_is_scanned_and_no_longer_left_to_scan,
    a_rotation_adds_a_key_for_recordings_and_keeps_the_older_one,
    without_a_key_file_there_is_no_key_for_recordings_and_the_error_names_it,
);
