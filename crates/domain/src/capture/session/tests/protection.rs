//! Nothing is asked for before everything is protected (I2).

use super::harness::*;
use crate::audit::AuditAction;
use crate::capture::session::{Effect, Event, SINKS_MAX};
use crate::capture::{CaptureState, Field, WidgetKind};
use crate::service::{Sink, SinkHearing, SinkMedium};
use crate::view::ProtectionPart;
use crate::widget::WidgetOptions;

fn recorders() -> Vec<Sink> {
    vec![
        sink("masked-call", SinkMedium::Call, SinkHearing::Masked),
        sink("pbx", SinkMedium::Call, SinkHearing::Unmasked),
        sink("screen", SinkMedium::Screen, SinkHearing::Masked),
    ]
}

fn opened(kind: WidgetKind) -> Stage {
    Stage::with(kind, WidgetOptions::default(), recorders())
}

fn paused(stage: &Stage) -> Vec<&str> {
    stage
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::PauseSink(id) => Some(id.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn basic_waits_for_every_recorder() {
    let mut stage = opened(WidgetKind::CreditCardBasic);
    assert_eq!(paused(&stage), ["masked-call", "pbx", "screen"]);
    stage.event(Event::Protected);
    for recorder in recorders() {
        assert_eq!(stage.state(), CaptureState::Arming);
        assert_eq!(stage.field(Field::CardNumber).prompt, "");
        stage.event(Event::SinkPaused(recorder.id));
    }
    assert_eq!(stage.state(), CaptureState::Armed);
    assert_ne!(stage.field(Field::CardNumber).prompt, "");
    let parts: Vec<_> = stage.view().protection;
    assert!(parts.iter().all(|part| part.confirmed));
    let kinds: Vec<_> = parts.iter().map(|part| part.what).collect();
    assert_eq!(
        kinds,
        [
            ProtectionPart::AgentLegMasked,
            ProtectionPart::CallRecordingPaused,
            ProtectionPart::CallRecordingPaused,
            ProtectionPart::ScreenRecordingPaused,
        ]
    );
}

#[test]
fn recorders_alone_are_not_enough() {
    let mut stage = opened(WidgetKind::CreditCardBasic);
    for recorder in recorders() {
        stage.event(Event::SinkPaused(recorder.id));
    }
    assert_eq!(stage.state(), CaptureState::Arming);
    stage.event(Event::Protected);
    assert_eq!(stage.state(), CaptureState::Armed);
}

#[test]
fn advanced_pauses_only_what_hears_the_unmasked_side() {
    let mut stage = opened(WidgetKind::CreditCardAdvanced);
    assert_eq!(paused(&stage), ["pbx"]);
    stage.event(Event::Protected);
    assert_eq!(stage.state(), CaptureState::Arming);
    stage.event(Event::SinkPaused(recorders()[1].id.clone()));
    assert_eq!(stage.state(), CaptureState::Armed);
    let what: Vec<_> = stage
        .view()
        .protection
        .iter()
        .map(|part| part.what)
        .collect();
    assert!(what.contains(&ProtectionPart::RecordingMasked));
}

#[test]
fn what_is_not_confirmed_in_three_seconds_blocks() {
    let mut stage = opened(WidgetKind::CreditCardBasic);
    stage.event(Event::Protected);
    stage.wait_ms(2_999);
    assert_eq!(stage.state(), CaptureState::Arming);
    stage.effects.clear();
    stage.wait_ms(1);
    assert_eq!(stage.state(), CaptureState::Blocked);
    assert_eq!(stage.view().reason.as_deref(), Some("timeout"));
    assert!(stage.effects.contains(&Effect::Unprotect));
    let resumed = stage.effects.iter();
    let resumed = resumed.filter(|effect| matches!(effect, Effect::ResumeSink(_)));
    assert_eq!(resumed.count(), 3);
}

#[test]
fn a_refusal_blocks_with_its_reason() {
    let mut stage = opened(WidgetKind::CreditCardAdvanced);
    stage.event(Event::ProtectionRefused("no_media"));
    assert_eq!(stage.state(), CaptureState::Blocked);
    assert_eq!(stage.view().reason.as_deref(), Some("no_media"));
    let facts = vec![("reason", "no_media".into())];
    assert!(
        stage
            .effects
            .contains(&Effect::Audit(AuditAction::CaptureBlocked, facts))
    );
    let mut stage = opened(WidgetKind::CreditCardBasic);
    stage.event(Event::SinkRefused(
        recorders()[2].id.clone(),
        "recorder_failed",
    ));
    assert_eq!(stage.state(), CaptureState::Blocked);
}

#[test]
fn a_blocked_capture_can_be_tried_again_from_the_start() {
    let mut stage = opened(WidgetKind::CreditCardAdvanced);
    stage.event(Event::ProtectionRefused("no_media"));
    let effects = stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Arming);
    assert_eq!(stage.view().reason, None);
    assert!(effects.contains(&Effect::Protect));
    stage.event(Event::Protected);
    assert_eq!(
        stage.state(),
        CaptureState::Arming,
        "the recorder is asked again"
    );
    stage.event(Event::SinkPaused(recorders()[1].id.clone()));
    assert_eq!(stage.state(), CaptureState::Armed);
}

#[test]
fn confirmations_that_come_too_late_are_let_go_again() {
    let mut stage = opened(WidgetKind::CreditCardAdvanced);
    stage.wait(3);
    let late = stage.event(Event::Protected);
    assert!(late.contains(&Effect::Unprotect));
    let id = recorders()[1].id.clone();
    let late = stage.event(Event::SinkPaused(id.clone()));
    assert!(late.contains(&Effect::ResumeSink(id.clone())));
    assert_eq!(stage.state(), CaptureState::Blocked);
    stage.event(Event::Cancel);
    let late = stage.event(Event::SinkPaused(id.clone()));
    assert_eq!(late, [Effect::ResumeSink(id)]);
}

#[test]
fn protection_lost_wipes_ends_and_alarms() {
    for kind in WidgetKind::ALL {
        let mut stage = Stage::ready(kind);
        let effects = stage.event(Event::ProtectionLost("stalled"));
        assert_eq!(stage.state(), CaptureState::ProtectionLost);
        assert_eq!(stage.view().reason.as_deref(), Some("stalled"));
        assert_eq!(stage.kept_in_all(), 0);
        assert!(effects.contains(&Effect::Alarm("protection_lost")));
        assert!(effects.contains(&Effect::Unprotect));
        assert!(stage.event(Event::TryAgain).is_empty());
    }
}

#[test]
fn protection_lost_does_not_touch_a_charge_on_its_way() {
    let mut stage = Stage::processing();
    let effects = stage.event(Event::ProtectionLost("stalled"));
    assert_eq!(stage.state(), CaptureState::Processing);
    assert!(effects.contains(&Effect::Alarm("protection_lost")));
}

#[test]
fn a_recorder_that_goes_on_by_itself_ends_the_capture() {
    let mut stage = opened(WidgetKind::CreditCardBasic);
    stage.event(Event::Protected);
    for recorder in recorders() {
        stage.event(Event::SinkPaused(recorder.id));
    }
    stage.keys(MASTERCARD);
    let stranger = sink("stranger", SinkMedium::Call, SinkHearing::Unmasked).id;
    stage.event(Event::SinkRefused(stranger, "recorder_failed"));
    assert_eq!(stage.state(), CaptureState::Collecting);
    stage.event(Event::SinkRefused(
        recorders()[0].id.clone(),
        "recorder_failed",
    ));
    assert_eq!(stage.state(), CaptureState::ProtectionLost);
    assert_eq!(stage.kept_in_all(), 0);
}

#[test]
fn more_recorders_than_can_be_watched_block() {
    let many = (0..=SINKS_MAX)
        .map(|n| sink(&format!("s{n}"), SinkMedium::Call, SinkHearing::Unmasked))
        .collect();
    let stage = Stage::with(WidgetKind::CreditCardBasic, WidgetOptions::default(), many);
    assert_eq!(stage.state(), CaptureState::Blocked);
    assert_eq!(stage.view().reason.as_deref(), Some("too_many_recorders"));
}

#[test]
fn after_the_time_limit_another_attempt_is_protected_anew() {
    let mut stage = Stage::processing();
    stage.event(Event::Answered(
        crate::payment::Outcome::Declined,
        String::new(),
        None,
    ));
    stage.effects.clear();
    stage.wait(600);
    assert_eq!(stage.state(), CaptureState::Declined);
    assert!(stage.effects.contains(&Effect::Unprotect));
    stage.event(Event::TryAgain);
    assert_eq!(stage.state(), CaptureState::Arming);
}
