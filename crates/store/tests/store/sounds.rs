//! Sounds that callers hear while they wait.

use std::sync::Arc;

use domain::boundary::{Change, Sounds, StoreError};
use domain::id::SoundId;
use domain::queue::sound::{SOUNDS_MAX, Sound, SoundChange};
use domain::queue::{Overflow, Queue};
use store::Database;

use crate::place::{Place, commit, next, saved_desktop, service};

fn sound(name: &str) -> Sound {
    Sound {
        id: SoundId::from_random(next()),
        name: name.to_owned(),
        seconds: 3,
    }
}

async fn keep(database: &Database, sound: &Sound) -> Result<i64, StoreError> {
    let samples: Arc<[i16]> = [i16::MIN, -1, 0, 1, i16::MAX].into();
    let sound = sound.clone();
    commit(
        database,
        Change::Sound(SoundChange::Insert { sound, samples }),
    )
    .await
}

async fn sounds_come_back_as_they_were_kept(place: Place) {
    let database = place.open().await;
    let (hold, hello) = (sound("hold"), sound("hello"));
    assert_eq!(keep(&database, &hold).await, Ok(0));
    assert_eq!(keep(&database, &hello).await, Ok(0));
    assert_eq!(
        database.sounds().await,
        Ok(vec![hello.clone(), hold.clone()])
    );
    let samples = database.samples(&hold.id).await.unwrap().unwrap();
    assert_eq!(&*samples, [i16::MIN, -1, 0, 1, i16::MAX]);
    assert_eq!(database.samples(&sound("none").id).await, Ok(None));
    let twin = keep(&database, &sound("hold")).await;
    assert_eq!(twin, Err(StoreError::Taken("name")));
}

async fn a_sound_that_a_service_names_is_not_deleted(place: Place) {
    let database = place.open().await;
    let hold = sound("hold");
    keep(&database, &hold).await.unwrap();
    let desk = saved_desktop(&database, "sales").await;
    let mut line = service("line", &desk.id);
    line.queue = Some(Queue {
        waiting_max: 1,
        wait_s_max: 10,
        music: None,
        announcement: Some(hold.id.clone()),
        announce_every_s: 0,
        overflow: Overflow::Busy,
    });
    commit(&database, Change::SaveService(line.clone()))
        .await
        .unwrap();
    let delete = || {
        commit(
            &database,
            Change::Sound(SoundChange::Delete(hold.id.clone())),
        )
    };
    let used = StoreError::InUse("the service line".to_owned());
    assert_eq!(delete().await, Err(used));
    (line.queue, line.revision) = (None, 1);
    commit(&database, Change::SaveService(line)).await.unwrap();
    assert_eq!(delete().await, Ok(0));
    assert_eq!(delete().await, Err(StoreError::Conflict));
    assert_eq!(database.samples(&hold.id).await, Ok(None));
}

async fn there_are_only_so_many_sounds(place: Place) {
    let database = place.open().await;
    for number in 0..SOUNDS_MAX {
        let kept = keep(&database, &sound(&format!("sound {number}"))).await;
        assert_eq!(kept, Ok(0));
    }
    let refused = keep(&database, &sound("one more")).await;
    assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
    assert_eq!(database.sounds().await.unwrap().len(), SOUNDS_MAX);
}

on_both!(
    sounds_come_back_as_they_were_kept,
    a_sound_that_a_service_names_is_not_deleted,
    there_are_only_so_many_sounds,
);
