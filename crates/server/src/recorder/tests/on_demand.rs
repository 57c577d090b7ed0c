//! Recordings that an agent begins and ends.

use super::*;

impl Scene {
    /// The agent has it recorded, and the recording runs.
    async fn asked(&self, ear: &mut Ear) {
        let service = service("on_demand");
        self.recorder.begin_recording(&self.call, &service, None);
        assert_eq!(self.recorder.audio(&self.call), AudioRecording::Starting);
        ear.caught_up();
        self.recorder.settled(&self.call).await;
        assert_eq!(self.recorder.audio(&self.call), AudioRecording::On);
    }
}

#[tokio::test]
async fn each_beginning_is_a_recording_of_its_own_and_between_them_nothing_is_kept() {
    let scene = Scene::new().await;
    let mut ear = scene.recorder.ear();
    connect(&scene.recorder, &scene.call, "on_demand");
    scene.talk(&mut ear, 0, 8_000);
    assert_eq!(scene.recorder.audio(&scene.call), AudioRecording::Off);
    assert_eq!(scene.recorder.own(&scene.call), []);
    scene.asked(&mut ear).await;
    scene.talk(&mut ear, 8_000, 16_000);
    scene.recorder.end_recording(&scene.call);
    assert_eq!(scene.recorder.audio(&scene.call), AudioRecording::Off);
    // Nobody can be asked to pause what has ended.
    scene
        .recorder
        .pause(&scene.call, &Sink::own())
        .await
        .unwrap();
    scene.talk(&mut ear, 16_000, 24_000);
    scene.asked(&mut ear).await;
    scene.talk(&mut ear, 24_000, 40_000);
    ear.ended(&scene.call);
    scene.recorder.stop(scene.work.unwrap()).await;
    let filter = RecordingFilter::default();
    let mut rows = scene.database.recordings(&filter, None, 9).await.unwrap();
    rows.sort_by_key(|row| match row.state {
        RecordingState::Ended(end) => end.samples,
        _ => panic!("{row:?} has not ended"),
    });
    let ring = scene.recorder.0.rows.ring().unwrap();
    let folder = &scene.recorder.0.rows.folder;
    let heard = rows
        .iter()
        .map(|row| kept(&folder.read((&row.id, row.began), &ring).unwrap()));
    assert_eq!(
        heard.collect::<Vec<_>>(),
        [[(8_000, 16_000)], [(24_000, 40_000)]]
    );
}

#[tokio::test]
async fn one_that_is_stopped_before_it_runs_keeps_nothing() {
    let scene = Scene::new().await;
    let mut ear = scene.recorder.ear();
    connect(&scene.recorder, &scene.call, "on_demand");
    scene
        .recorder
        .begin_recording(&scene.call, &service("on_demand"), None);
    scene.recorder.end_recording(&scene.call);
    scene.talk(&mut ear, 0, 8_000);
    ear.caught_up();
    assert_eq!(scene.recorder.audio(&scene.call), AudioRecording::Off);
    ear.ended(&scene.call);
    scene.recorder.stop(scene.work.unwrap()).await;
    let filter = RecordingFilter::default();
    for row in scene.database.recordings(&filter, None, 9).await.unwrap() {
        assert!(
            matches!(row.state, RecordingState::Ended(end) if end.samples == 0),
            "{row:?}"
        );
    }
}
