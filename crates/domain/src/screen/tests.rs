use super::*;
use crate::service::ScreenWhen;

fn rule(surfaces: ScreenSurfaces, required: bool) -> ScreenRecording {
    ScreenRecording {
        when: ScreenWhen::Always,
        surfaces,
        required,
        keep_days: 1,
    }
}

fn take() -> ScreenTake {
    let mut take = ScreenTake::new(rule(ScreenSurfaces::Any, false));
    take.share();
    take
}

/// Chunk `sequence` of a part, a second long, from a second on.
fn claim(part: u16, sequence: u32, begin_s: u64) -> ChunkClaim {
    ChunkClaim {
        part,
        sequence,
        begin_ms: begin_s * 1_000,
        until_ms: begin_s * 1_000 + 1_000,
    }
}

/// Sends a chunk in the moment in which it ends.
fn send(take: &mut ScreenTake, claim: ChunkClaim) -> Result<Taken, ScreenRefusal> {
    let judged = take.judge(claim, 10, claim.until_ms);
    if judged.is_ok() {
        take.take(claim, 10);
    }
    judged
}

fn said(part: u16, chunks: u32, at_ms: u64) -> PauseAcknowledgement {
    PauseAcknowledgement {
        part,
        chunks,
        at_ms,
    }
}

#[test]
fn only_the_next_chunk_is_taken() {
    let mut take = take();
    let expected = |part, sequence| Err(ScreenRefusal::PeerOutOfOrder { part, sequence });
    assert_eq!(send(&mut take, claim(0, 1, 0)), expected(0, 0));
    assert_eq!(send(&mut take, claim(1, 0, 0)), expected(0, 0));
    let first = send(&mut take, claim(0, 0, 0)).unwrap();
    assert_eq!(first.begins_part_at_ms, Some(0));
    assert_eq!(
        send(&mut take, claim(0, 0, 0)),
        Err(ScreenRefusal::PeerRepeated)
    );
    assert_eq!(send(&mut take, claim(0, 2, 1)), expected(0, 1));
    // A part ends by a pause or a new share alone.
    assert_eq!(send(&mut take, claim(1, 0, 1)), expected(0, 1));
    let second = send(&mut take, claim(0, 1, 1)).unwrap();
    assert_eq!(second.begins_part_at_ms, None);
}

#[test]
fn times_that_go_back_or_lie_ahead_are_refused() {
    let mut take = take();
    send(&mut take, claim(0, 0, 5)).unwrap();
    assert_eq!(
        send(&mut take, claim(0, 1, 5)),
        Err(ScreenRefusal::PeerTime)
    );
    let next = claim(0, 1, 6);
    let early = next.until_ms - CLOCKS_APART_MS;
    assert_eq!(take.judge(next, 1, early - 1), Err(ScreenRefusal::PeerTime));
    assert!(take.judge(next, 1, early).is_ok());
    let backwards = ChunkClaim {
        until_ms: next.begin_ms - 1,
        ..next
    };
    assert_eq!(
        take.judge(backwards, 1, 9_000),
        Err(ScreenRefusal::PeerTime)
    );
}

#[test]
fn between_the_command_and_the_page_s_word_nothing_is_taken_and_then_what_was_recorded_before() {
    let mut take = take();
    send(&mut take, claim(0, 0, 0)).unwrap();
    assert_eq!(take.pause(), Ok(PauseNeeds::Acknowledgement));
    assert_eq!(
        send(&mut take, claim(0, 1, 1)),
        Err(ScreenRefusal::PeerPausing)
    );
    assert_eq!(take.acknowledge(said(0, 2, 2_000), 2_100), Ok(2_000));
    // It ends behind the page's own word.
    let longer = ChunkClaim {
        until_ms: 2_001,
        ..claim(0, 1, 1)
    };
    assert_eq!(send(&mut take, longer), Err(ScreenRefusal::PeerPaused));
    assert!(send(&mut take, claim(0, 1, 1)).is_ok());
    assert_eq!(
        send(&mut take, claim(0, 2, 2)),
        Err(ScreenRefusal::PeerPaused)
    );
    assert_eq!(
        send(&mut take, claim(1, 0, 2)),
        Err(ScreenRefusal::PeerPaused)
    );
    assert_eq!(take.pause(), Ok(PauseNeeds::Nothing));
}

#[test]
fn a_part_that_had_not_sent_anything_when_it_was_ended_sends_it_behind_the_pause() {
    let mut take = take();
    take.pause().unwrap();
    assert_eq!(take.acknowledge(said(0, 1, 700), 800), Ok(700));
    let only = ChunkClaim {
        until_ms: 700,
        ..claim(0, 0, 0)
    };
    assert_eq!(send(&mut take, only).unwrap().begins_part_at_ms, Some(0));
    assert_eq!(
        send(&mut take, claim(1, 0, 1)),
        Err(ScreenRefusal::PeerPaused)
    );
}

#[test]
fn an_acknowledgement_must_be_asked_for_and_fit_what_came() {
    let mut take = take();
    send(&mut take, claim(0, 0, 0)).unwrap();
    let early = take.acknowledge(said(0, 1, 1_000), 1_000);
    assert_eq!(early, Err(ScreenRefusal::PeerNotPausing));
    take.pause().unwrap();
    let mut refused = |said| take.acknowledge(said, 1_000).unwrap_err();
    let other = ScreenRefusal::PeerOutOfOrder {
        part: 0,
        sequence: 1,
    };
    assert_eq!(refused(said(1, 1, 1_000)), other);
    assert_eq!(refused(said(0, 0, 1_000)), ScreenRefusal::PeerCount);
    let many = 1 + LATE_CHUNKS_MAX + 1;
    assert_eq!(refused(said(0, many, 1_000)), ScreenRefusal::PeerCount);
    assert_eq!(refused(said(0, 1, 999)), ScreenRefusal::PeerTime);
    let ahead = 1_000 + CLOCKS_APART_MS + 1;
    assert_eq!(refused(said(0, 1, ahead)), ScreenRefusal::PeerTime);
    assert_eq!(take.acknowledge(said(0, 1, 1_000), 1_000), Ok(1_000));
}

#[test]
fn behind_a_pause_a_new_part_begins_and_never_before_its_end() {
    let mut take = take();
    send(&mut take, claim(0, 0, 0)).unwrap();
    take.pause().unwrap();
    take.acknowledge(said(0, 1, 1_000), 1_000).unwrap();
    assert!(take.resume(10_000));
    assert!(!take.resume(10_001));
    let inside = claim(1, 0, 8);
    assert_eq!(take.judge(inside, 1, 12_000), Err(ScreenRefusal::PeerTime));
    let before = ChunkClaim {
        begin_ms: 10_000 - CLOCKS_APART_MS - 1,
        ..claim(1, 0, 10)
    };
    assert_eq!(take.judge(before, 1, 12_000), Err(ScreenRefusal::PeerTime));
    // A clock that is a little behind: its part begins where the pause ends.
    let behind = ChunkClaim {
        begin_ms: 9_900,
        ..claim(1, 0, 10)
    };
    assert_eq!(
        send(&mut take, behind).unwrap().begins_part_at_ms,
        Some(10_000)
    );
    assert_eq!(
        send(&mut take, claim(0, 1, 1)),
        Err(ScreenRefusal::PeerOutOfOrder {
            part: 1,
            sequence: 1
        })
    );
}

#[test]
fn a_page_that_says_nothing_is_off_and_what_it_sends_then_is_refused() {
    let mut take = take();
    send(&mut take, claim(0, 0, 0)).unwrap();
    take.pause().unwrap();
    assert!(take.end_share(SharingEnd::Unanswered));
    let view = take.view("c".parse().unwrap(), 1, 0);
    assert_eq!(
        (view.hold, view.ended),
        (ScreenHold::Paused, Some(SharingEnd::Unanswered))
    );
    assert_eq!(
        send(&mut take, claim(0, 1, 1)),
        Err(ScreenRefusal::PeerNotShared)
    );
    let late = take.acknowledge(said(0, 1, 1_000), 1_000);
    assert_eq!(late, Err(ScreenRefusal::PeerNotPausing));
    assert!(!take.end_share(SharingEnd::Stopped));
    // Shared anew during the pause, it stays paused.
    take.share();
    assert_eq!(
        send(&mut take, claim(1, 0, 1)),
        Err(ScreenRefusal::PeerPaused)
    );
}

#[test]
fn a_screen_that_is_not_shared_counts_as_paused_unless_it_is_required() {
    let mut free = ScreenTake::new(rule(ScreenSurfaces::Any, false));
    assert_eq!(free.pause(), Ok(PauseNeeds::Nothing));
    let mut required = ScreenTake::new(rule(ScreenSurfaces::Any, true));
    assert_eq!(required.pause(), Err(ScreenRefusal::PeerNotShared));
    // What is shared meanwhile is not recorded before the pause has ended.
    required.share();
    assert_eq!(
        send(&mut required, claim(0, 0, 0)),
        Err(ScreenRefusal::PeerPaused)
    );
    required.resume(500);
    assert!(send(&mut required, claim(0, 0, 1)).is_ok());
    assert_eq!(required.pause(), Ok(PauseNeeds::Acknowledgement));
}

#[test]
fn a_service_that_wants_the_entire_screen_takes_nothing_less() {
    let take = ScreenTake::new(rule(ScreenSurfaces::EntireScreen, false));
    assert_eq!(take.judge_surface(ScreenSurface::Monitor), Ok(()));
    for less in [ScreenSurface::Window, ScreenSurface::Browser] {
        assert_eq!(take.judge_surface(less), Err(ScreenRefusal::PeerSurface));
        let any = ScreenTake::new(rule(ScreenSurfaces::Any, false));
        assert_eq!(any.judge_surface(less), Ok(()));
    }
}

#[test]
fn a_recording_ends_to_grow_at_its_bounds() {
    let mut take = take();
    assert_eq!(
        take.judge(claim(0, 0, 0), SCREEN_BYTES_MAX + 1, 1_000),
        Err(ScreenRefusal::PeerFull)
    );
    for part in 0..PARTS_MAX {
        take.share();
        let first = claim(part, 0, u64::from(part));
        send(&mut take, first).unwrap();
    }
    assert_eq!(
        take.judge_surface(ScreenSurface::Monitor),
        Err(ScreenRefusal::PeerFull)
    );
}

#[test]
fn only_the_media_type_of_a_video_is_one() {
    for video in [
        "video/webm",
        "video/webm;codecs=vp8",
        "video/mp4; codecs=\"avc1.42E01E, opus\"",
    ] {
        assert!(is_video(video), "{video}");
    }
    let long = format!("video/webm;codecs={}", "a".repeat(100));
    for other in [
        "",
        "text/html",
        "video/",
        "video/webm;\r\nx: 1",
        "video/webm;codecs=12345678",
        &long,
    ] {
        assert!(!is_video(other), "{other}");
    }
}
