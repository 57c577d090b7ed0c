//! Screens: what a page sends is kept, but nothing of a pause; real files and rows, the page is the test.

use domain::access::Actor;
use domain::boundary::{OpenScreen, RecordingChangeError, RecordingFileError};
use domain::id::UserId;
use domain::recording::{RecordingEnding, RecordingSpanKind};
use domain::screen::{
    ChunkClaim, PauseAcknowledgement, ScreenHold, ScreenRefusal, ScreenSurface, ScreenView,
    SharingEnd,
};
use domain::service::ScreenWhen;

use super::*;

const WEBM: &str = "video/webm;codecs=vp8";

fn agent(number: u128) -> Actor {
    Actor {
        user: UserId::from_random(number),
        ..Actor::system()
    }
}

/// Of which screens are wanted, and calls are not.
fn service_of_screens(required: bool) -> Service {
    let mut service = service("never");
    service.screen_recording.when = ScreenWhen::Always;
    service.screen_recording.required = required;
    service.screen_recording.keep_days = 2;
    service
}

impl Scene {
    async fn with_screen(required: bool) -> (Self, Arc<dyn ScreenDesk>, Actor) {
        let scene = Self::new().await;
        let anna = agent(5);
        let service = service_of_screens(required);
        let user = User::blank(anna.user.clone());
        connect_to(&scene.recorder, &scene.call, &service, Some(&user));
        let screens = scene.recorder.screens();
        (scene, screens, anna)
    }

    async fn share(&self, by: &Actor) -> Result<ScreenView, ScreenRefusal> {
        let screens = self.recorder.screens();
        let shared = screens.share(by, &self.call, ScreenSurface::Browser, WEBM);
        shared.await
    }

    /// Sends a chunk that ends now.
    async fn send(
        &self,
        by: &Actor,
        (part, sequence): (u16, u32),
        text: &str,
    ) -> Result<(), ScreenRefusal> {
        let screens = self.recorder.screens();
        let at_ms = screens.screen(by, &self.call).await?.at_ms;
        let claim = ChunkClaim {
            part,
            sequence,
            begin_ms: at_ms,
            until_ms: at_ms,
        };
        screens.chunk(by, &self.call, claim, text.into()).await
    }

    /// Asks for a pause, and comes back once the page is told.
    async fn begin_pause(&self, by: &Actor) -> JoinHandle<Result<(), &'static str>> {
        let (recorder, call) = (self.recorder.clone(), self.call.clone());
        let pausing = tokio::spawn(async move { recorder.pause(&call, &Sink::own_screen()).await });
        let screens = self.recorder.screens();
        let began = tokio::time::Instant::now();
        while screens.screen(by, &self.call).await.unwrap().hold != ScreenHold::Pausing {
            assert!(began.elapsed() < PATIENCE, "no page is told");
            tokio::task::yield_now().await;
        }
        pausing
    }

    /// Comes back once a row says that its recording has ended.
    async fn row_ended(&self) {
        let began = tokio::time::Instant::now();
        while self.entries(AuditAction::RecordingEnded).await.is_empty() {
            assert!(began.elapsed() < PATIENCE, "the recording never ends");
            tokio::task::yield_now().await;
        }
    }

    /// Ends the server; the only row of a screen.
    async fn screen_row(&mut self) -> Recording {
        self.recorder.stop(self.work.take().unwrap()).await;
        let filter = RecordingFilter {
            medium: Some(SinkMedium::Screen),
            ..RecordingFilter::default()
        };
        let rows = self.database.recordings(&filter, None, 9).await.unwrap();
        assert_eq!(rows.len(), 1);
        rows[0].clone()
    }

    async fn open_screen(&self, row: &Recording) -> Arc<dyn OpenScreen> {
        self.recorder.files().open_screen(row).await.unwrap()
    }
}

fn said(part: u16, chunks: u32, at_ms: u64) -> PauseAcknowledgement {
    PauseAcknowledgement {
        part,
        chunks,
        at_ms,
    }
}

#[tokio::test]
async fn what_a_page_sends_is_kept_in_parts_and_nothing_that_it_sends_of_a_pause() {
    let (mut scene, screens, anna) = Scene::with_screen(false).await;
    assert_eq!(scene.recorder.own(&scene.call), [Sink::own_screen()]);
    scene.share(&anna).await.unwrap();
    scene.send(&anna, (0, 0), "one").await.unwrap();
    let pausing = scene.begin_pause(&anna).await;
    let between = scene.send(&anna, (0, 1), "between").await;
    assert_eq!(between, Err(ScreenRefusal::PeerPausing));
    assert!(!pausing.is_finished());
    let at_ms = screens.screen(&anna, &scene.call).await.unwrap().at_ms;
    let heard = screens.acknowledge(&anna, &scene.call, said(0, 2, at_ms));
    assert_eq!(heard.await.unwrap().hold, ScreenHold::Paused);
    assert_eq!(pausing.await.unwrap(), Ok(()));
    let claim = ChunkClaim {
        part: 0,
        sequence: 1,
        begin_ms: at_ms,
        until_ms: at_ms,
    };
    let late = screens.chunk(&anna, &scene.call, claim, b"two".to_vec());
    late.await.unwrap();
    for place in [(0, 2), (1, 0)] {
        let refused = scene.send(&anna, place, "paused").await;
        assert_eq!(refused, Err(ScreenRefusal::PeerPaused), "{place:?}");
    }
    scene
        .recorder
        .resume(&scene.call, &Sink::own_screen())
        .await
        .unwrap();
    scene.send(&anna, (1, 0), "three").await.unwrap();
    let row = scene.screen_row().await;
    assert_eq!(row.agent.as_ref(), Some(&anna.user));
    assert!(matches!(row.state, RecordingState::Ended(end) if end.is_whole()));
    let opened = scene.open_screen(&row).await;
    let outline = opened.outline();
    assert_eq!(outline.ending, RecordingEnding::Whole);
    let parts: Vec<_> = outline
        .parts
        .iter()
        .map(|part| (part.number, part.bytes))
        .collect();
    assert_eq!(parts, [(0, 6), (1, 5)]);
    assert_eq!(opened.part(0, 0, 99).await, Ok(b"onetwo".to_vec()));
    assert_eq!(opened.part(0, 2, 3).await, Ok(b"etw".to_vec()));
    assert_eq!(opened.part(1, 0, 99).await, Ok(b"three".to_vec()));
    let paused = outline
        .spans
        .iter()
        .filter(|span| span.kind == RecordingSpanKind::Paused);
    let paused: Vec<_> = paused.collect();
    assert_eq!(paused.len(), 1);
    assert!(outline.parts[1].begin_ms >= paused[0].until_ms);
    assert_eq!(scene.recorder.counts().screens_refused, 3);
    let shared = scene.entries(AuditAction::ScreenShared).await;
    assert_eq!(
        (shared.len(), &shared[0]["surface"]),
        (1, &"browser".into())
    );
}

#[tokio::test]
async fn a_page_that_does_not_answer_is_off_and_what_it_sends_then_is_refused() {
    for (required, answer) in [(false, Ok(())), (true, Err("screen_not_answered"))] {
        let (mut scene, screens, anna) = Scene::with_screen(required).await;
        scene.share(&anna).await.unwrap();
        scene.send(&anna, (0, 0), "before").await.unwrap();
        let pausing = scene.begin_pause(&anna).await;
        assert_eq!(pausing.await.unwrap(), answer);
        let late = scene.send(&anna, (0, 1), "late").await;
        assert_eq!(late, Err(ScreenRefusal::PeerNotShared));
        let view = screens.screen(&anna, &scene.call).await.unwrap();
        assert_eq!(view.ended, Some(SharingEnd::Unanswered));
        let noted = scene.entries(AuditAction::ScreenShared).await;
        let mut ended = noted.iter().filter(|detail| detail["on"] == false);
        assert_eq!(ended.next().unwrap()["why"], "unanswered");
        assert_eq!(ended.next(), None);
        let row = scene.screen_row().await;
        let opened = scene.open_screen(&row).await;
        assert_eq!(opened.part(0, 0, 99).await, Ok(b"before".to_vec()));
    }
}

#[tokio::test]
async fn a_screen_that_is_not_shared_blocks_only_where_it_is_required() {
    for (required, answer) in [(false, Ok(())), (true, Err("screen_not_shared"))] {
        let (scene, _, anna) = Scene::with_screen(required).await;
        let own = Sink::own_screen();
        assert_eq!(scene.recorder.pause(&scene.call, &own).await, answer);
        // Shared during the pause, it begins paused.
        let view = scene.share(&anna).await.unwrap();
        assert_eq!(view.hold, ScreenHold::Paused);
        let refused = scene.send(&anna, (0, 0), "paused").await;
        assert_eq!(refused, Err(ScreenRefusal::PeerPaused));
        scene.recorder.resume(&scene.call, &own).await.unwrap();
        assert_eq!(scene.send(&anna, (0, 0), "after").await, Ok(()));
    }
}

#[tokio::test]
async fn only_the_agent_who_has_the_call_now_shares_and_ends_what_was_before() {
    let (mut scene, screens, anna) = Scene::with_screen(false).await;
    let bert = agent(6);
    assert_eq!(scene.share(&bert).await, Err(ScreenRefusal::PeerUnknown));
    scene.share(&anna).await.unwrap();
    scene.send(&anna, (0, 0), "hers").await.unwrap();
    scene.recorder.taken_over(ConnectedCall {
        id: &scene.call,
        called: "4000",
        caller_number: "",
        service: &service_of_screens(false),
        agent: Some(&User::blank(bert.user.clone())),
        legs: &LegCallIds::default(),
    });
    let gone = screens.screen(&anna, &scene.call).await;
    assert_eq!(gone, Err(ScreenRefusal::PeerUnknown));
    assert_eq!(
        scene.send(&bert, (0, 0), "his").await,
        Err(ScreenRefusal::PeerNotShared)
    );
    scene.recorder.ended(&scene.call);
    assert_eq!(scene.recorder.own(&scene.call), []);
    scene.row_ended().await;
    let row = scene.screen_row().await;
    assert_eq!(row.agent, Some(anna.user));
    let opened = scene.open_screen(&row).await;
    assert_eq!(opened.part(0, 0, 99).await, Ok(b"hers".to_vec()));
}

#[tokio::test]
async fn a_call_that_is_hung_up_ends_its_screen_while_its_capture_is_still_open() {
    let (mut scene, screens, anna) = Scene::with_screen(true).await;
    scene.share(&anna).await.unwrap();
    scene.send(&anna, (0, 0), "before").await.unwrap();
    scene.recorder.hung_up(&scene.call);
    assert_eq!(
        screens.screen(&anna, &scene.call).await,
        Err(ScreenRefusal::PeerUnknown)
    );
    // What the capture still asks of it is done.
    let own = Sink::own_screen();
    assert_eq!(scene.recorder.pause(&scene.call, &own).await, Ok(()));
    assert_eq!(scene.recorder.resume(&scene.call, &own).await, Ok(()));
    scene.row_ended().await;
    let row = scene.screen_row().await;
    assert!(matches!(row.state, RecordingState::Ended(end) if end.is_whole()));
}

/// Waits until the screen of the call is held so.
async fn until_held(scene: &Scene, by: &Actor, hold: ScreenHold) {
    let screens = scene.recorder.screens();
    let began = tokio::time::Instant::now();
    while screens.screen(by, &scene.call).await.unwrap().hold != hold {
        assert!(began.elapsed() < PATIENCE, "it is never {hold:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn s12_the_next_call_s_screen_is_not_taken_while_a_value_of_the_call_before_may_be_on_it() {
    let (scene, _, anna) = Scene::with_screen(false).await;
    let mut next = scene;
    let before = std::mem::replace(&mut next.call, CallId::from_random(8));
    next.recorder.withhold_screens(&before, &anna.user, true);
    next.recorder.hung_up(&before);
    let service = service_of_screens(true);
    let user = User::blank(anna.user.clone());
    connect_to(&next.recorder, &next.call, &service, Some(&user));
    assert_eq!(next.share(&anna).await.unwrap().hold, ScreenHold::Paused);
    let refused = next.send(&anna, (0, 0), "number").await;
    assert_eq!(refused, Err(ScreenRefusal::PeerPaused));
    // A capture of the next call comes and goes meanwhile.
    let own = Sink::own_screen();
    assert_eq!(next.recorder.pause(&next.call, &own).await, Ok(()));
    assert_eq!(next.recorder.resume(&next.call, &own).await, Ok(()));
    let refused = next.send(&anna, (0, 0), "number").await;
    assert_eq!(refused, Err(ScreenRefusal::PeerPaused));
    // It is gone, while a capture of the next call has begun.
    assert_eq!(next.recorder.pause(&next.call, &own).await, Ok(()));
    next.recorder.withhold_screens(&before, &anna.user, false);
    assert_eq!(next.recorder.resume(&next.call, &own).await, Ok(()));
    until_held(&next, &anna, ScreenHold::None).await;
    assert_eq!(next.send(&anna, (0, 0), "after").await, Ok(()));
    let row = next.screen_row().await;
    let opened = next.open_screen(&row).await;
    assert_eq!(opened.part(0, 0, 99).await, Ok(b"after".to_vec()));
    let spans = opened.outline().spans.iter();
    let mut paused = spans.filter(|span| span.kind == RecordingSpanKind::Paused);
    assert!(paused.next().is_some());
}

#[tokio::test]
async fn s12_a_screen_that_is_shared_is_withheld_from_a_word_of_another_call_of_its_agent_alone() {
    let (scene, screens, anna) = Scene::with_screen(false).await;
    let other = CallId::from_random(8);
    scene.share(&anna).await.unwrap();
    scene.send(&anna, (0, 0), "one").await.unwrap();
    let bert = agent(6);
    scene.recorder.withhold_screens(&other, &bert.user, true);
    scene
        .recorder
        .withhold_screens(&scene.call, &anna.user, true);
    scene.send(&anna, (0, 1), "two").await.unwrap();
    scene.recorder.withhold_screens(&other, &anna.user, true);
    until_held(&scene, &anna, ScreenHold::Pausing).await;
    let refused = scene.send(&anna, (0, 2), "number").await;
    assert_eq!(refused, Err(ScreenRefusal::PeerPausing));
    let at_ms = screens.screen(&anna, &scene.call).await.unwrap().at_ms;
    let heard = screens.acknowledge(&anna, &scene.call, said(0, 2, at_ms));
    assert_eq!(heard.await.unwrap().hold, ScreenHold::Paused);
    // Whoever never says that it is gone has ended with the call at the latest.
    scene.recorder.ended(&other);
    until_held(&scene, &anna, ScreenHold::None).await;
    scene.send(&anna, (1, 0), "three").await.unwrap();
}

#[tokio::test]
async fn a_screen_s_recording_is_deleted_with_its_days_and_a_spoiled_one_says_so() {
    let (mut scene, _, anna) = Scene::with_screen(false).await;
    scene.share(&anna).await.unwrap();
    scene.send(&anna, (0, 0), "one").await.unwrap();
    let row = scene.screen_row().await;
    let path = scene.rows().folder.screen_path(&row.id, row.began);
    let mut bytes = std::fs::read(&path).unwrap();
    let chunk = bytes
        .windows(4)
        .rposition(|place| place == [b"T"[0], b"W"[0], b"S"[0], b"S"[0]]);
    // The last byte before the final segment is the tag of the chunk.
    bytes[chunk.unwrap() - 1] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let opened = scene.open_screen(&row).await;
    let spoiled = opened.part(0, 0, 99).await.unwrap_err();
    assert!(
        matches!(spoiled, RecordingFileError::PeerDamaged { .. }),
        "{spoiled:?}"
    );
    scene.clock.0.store(row.keep_until.0, Ordering::Relaxed);
    assert_eq!(scene.rows().sweep().await, Ok(1));
    assert!(!path.exists());
    assert_eq!(scene.database.recording(&row.id).await, Ok(None));
}

/// A screen's recording of two parts with a pause between them; where the first one begins and ends.
async fn in_two_parts() -> (Scene, Actor, Recording, (u64, u64)) {
    let (mut scene, screens, anna) = Scene::with_screen(false).await;
    let call = scene.call.clone();
    let chunk = |(part, sequence), begin_ms, until_ms, text: &str| {
        let claim = ChunkClaim {
            part,
            sequence,
            begin_ms,
            until_ms,
        };
        screens.chunk(&anna, &call, claim, text.into())
    };
    scene.share(&anna).await.unwrap();
    // A page's clock may be ahead.
    let begin = screens.screen(&anna, &scene.call).await.unwrap().at_ms;
    let end = begin + 1_000;
    chunk((0, 0), begin, end, "one").await.unwrap();
    let pausing = scene.begin_pause(&anna).await;
    let heard = screens.acknowledge(&anna, &scene.call, said(0, 1, end));
    heard.await.unwrap();
    pausing.await.unwrap().unwrap();
    let own = Sink::own_screen();
    scene.recorder.resume(&scene.call, &own).await.unwrap();
    let now = screens.screen(&anna, &scene.call).await.unwrap().at_ms;
    let next = now.max(end) + 1;
    chunk((1, 0), next, next + 100, "three").await.unwrap();
    let row = scene.screen_row().await;
    (scene, anna, row, (begin, end))
}

#[tokio::test]
async fn of_a_screen_each_part_that_lies_in_the_stretch_is_removed_as_a_whole() {
    let (scene, anna, row, (begin, end)) = in_two_parts().await;
    let before = scene.open_screen(&row).await;
    let [first, second] = &before.outline().parts[..] else {
        panic!("{:?}", before.outline());
    };
    assert_eq!((first.begin_ms, first.length_ms), (begin, 1_000));
    let reason = "A number was on the screen.";
    let files = scene.recorder.files();
    let stretch = begin + 500..begin + 600;
    let redacted = files.redact(&row, stretch.clone(), &anna, reason);
    redacted.await.unwrap();

    let now = scene.database.recording(&row.id).await.unwrap().unwrap();
    let opened = scene.open_screen(&now).await;
    let outline = opened.outline();
    assert_eq!(outline.ending, RecordingEnding::Whole);
    assert_eq!(outline.parts, std::slice::from_ref(second));
    assert_eq!(outline.length_ms, before.outline().length_ms);
    assert_eq!(opened.part(1, 0, 99).await, Ok(b"three".to_vec()));
    assert_eq!(opened.part(0, 0, 99).await, Ok(Vec::new()));
    let spans = |kind| {
        let spans = outline.spans.iter().filter(move |span| span.kind == kind);
        spans.map(|span| (span.from_ms, span.until_ms)).collect()
    };
    let removed: Vec<_> = spans(RecordingSpanKind::Removed);
    assert_eq!(removed, [(begin, end)]);
    let paused: Vec<_> = spans(RecordingSpanKind::Paused);
    assert_eq!(paused.len(), 1);
    let RecordingState::Ended(end) = now.state else {
        panic!("it has ended");
    };
    let path = scene.rows().folder.screen_path(&row.id, row.began);
    assert_eq!(end.bytes, std::fs::metadata(path).unwrap().len());
    assert_eq!(now.scan, None);
    assert_eq!(scene.rows().folder.redactions().unwrap().len(), 0);
    let told = scene.entries(AuditAction::RecordingRedacted).await;
    assert_eq!(
        (told.len(), &told[0]["reason"], &told[0]["from_ms"]),
        (1, &reason.into(), &stretch.start.into())
    );
    let again = files.redact(&row, stretch, &anna, reason).await;
    let Err(RecordingChangeError::File(RecordingFileError::PeerDamaged { why })) = again else {
        panic!("{again:?}");
    };
    assert_eq!(why, "the part holds nothing of the recording");
}
