//! Every state against every event.

use secret::Key;

use super::harness::*;
use crate::capture::session::{AttemptsUsed, Event};
use crate::capture::table::{COLUMNS, EventClass, TABLE, ruling};
use crate::capture::{CaptureState, Field, Ruling, WidgetKind};
use crate::gateway::NotSentReason;
use crate::id::AttemptId;
use crate::money::{Currency, Money};
use crate::payment::Outcome;
use crate::service::{SinkHearing, SinkMedium};
use crate::widget::{SecurityCodeRule, WidgetOptions};

/// Something of each class.
pub(super) fn samples() -> Vec<Event> {
    let recorder = sink("pbx", SinkMedium::Call, SinkHearing::Unmasked).id;
    let mut events = vec![
        Event::Protected,
        Event::ProtectionRefused("no_media"),
        Event::SinkPaused(recorder.clone()),
        Event::SinkRefused(recorder, "recorder_failed"),
        Event::Key(Key::from_event(3).unwrap()),
        Event::Key(Key::Star),
        Event::Key(Key::Pound),
        Event::TonesUnclear,
        Event::KeysLost,
        Event::Rest,
        Event::Process {
            attempt: AttemptId::from_random(5),
            reference: "7F2K-91QD".to_owned(),
            amount: Money::parse("1", Currency::USD).unwrap(),
            has_plan: false,
        },
        Event::ChargeSent,
        Event::NotSent(NotSentReason::Connect),
        Event::Speaking(true),
        Event::Speaking(false),
        Event::KeepOpen,
        Event::TryAgain,
        Event::Done,
        Event::ConfirmGone,
        Event::Cancel,
        Event::Close,
        Event::AttemptsReset,
        Event::CallEnded,
        Event::CallHeld(true),
        Event::CallHeld(false),
        Event::LineSilent(true),
        Event::LineSilent(false),
        Event::PartyChanged,
        Event::SamePerson,
        Event::OtherPerson,
        Event::ProtectionLost("stalled"),
        Event::Timeout,
    ];
    for field in Field::ALL {
        events.push(Event::Listen(field));
        events.push(Event::Recapture(field));
        events.push(Event::NotAvailable(field));
    }
    for outcome in [
        Outcome::Approved,
        Outcome::Declined,
        Outcome::Review,
        Outcome::Error,
        Outcome::Unknown,
    ] {
        events.push(Event::Answered(outcome, String::new(), None));
    }
    events
}

fn armed(kind: WidgetKind) -> Stage {
    let options = WidgetOptions {
        security_code: SecurityCodeRule::Optional,
        ..WidgetOptions::default()
    };
    let recorder = sink("pbx", SinkMedium::Call, SinkHearing::Unmasked);
    let mut stage = Stage::with(kind, options, vec![recorder.clone()]);
    stage.event(Event::Protected);
    stage.event(Event::SinkPaused(recorder.id));
    stage
}

fn first_field(kind: WidgetKind) -> Event {
    Event::Listen(kind.fields()[0])
}

/// Sessions in a state, of a kind; none if the kind never gets there.
pub(super) fn in_state(kind: WidgetKind, state: CaptureState) -> Option<Stage> {
    let advanced = kind.is_advanced();
    let mut stage = armed(kind);
    match state {
        CaptureState::Arming => {
            let recorder = sink("pbx", SinkMedium::Call, SinkHearing::Unmasked);
            stage = Stage::after(
                widget(kind, WidgetOptions::default()),
                vec![recorder],
                AttemptsUsed::default(),
            );
        }
        CaptureState::Blocked => {
            stage = in_state(kind, CaptureState::Arming)?;
            stage.event(Event::ProtectionRefused("no_media"));
        }
        CaptureState::Armed => {}
        CaptureState::Collecting => {
            stage.event(first_field(kind));
            stage.keys("02");
        }
        CaptureState::Invalid => {
            stage.event(first_field(kind));
            stage.keys("99#");
        }
        CaptureState::Ready => stage.key_all(),
        CaptureState::Frozen => {
            stage.key_all();
            stage.event(Event::PartyChanged);
        }
        CaptureState::Processing if advanced => {
            stage.key_all();
            stage.process();
        }
        CaptureState::NotSent if advanced => {
            stage = in_state(kind, CaptureState::Processing)?;
            stage.event(Event::NotSent(NotSentReason::Connect));
        }
        CaptureState::Approved
        | CaptureState::Declined
        | CaptureState::Review
        | CaptureState::Error
        | CaptureState::Unknown
        | CaptureState::Checking
            if advanced =>
        {
            stage = in_state(kind, CaptureState::Processing)?;
            stage.event(Event::Answered(outcome_of(state), String::new(), None));
            stage.session.state = state;
        }
        CaptureState::Done if !advanced => {
            stage.key_all();
            stage.event(Event::Done);
        }
        CaptureState::Cancelled => {
            stage.event(Event::Cancel);
        }
        CaptureState::Lost => {
            stage.event(Event::CallEnded);
        }
        CaptureState::ProtectionLost => {
            stage.event(Event::ProtectionLost("stalled"));
        }
        _ => return None,
    }
    assert_eq!(stage.state(), state, "{kind:?}");
    Some(stage)
}

/// Done needs a value that could be seen.
fn with_one_obtained(kind: WidgetKind, state: CaptureState) -> Stage {
    let mut stage = in_state(kind, CaptureState::Ready).unwrap();
    if state != CaptureState::Ready {
        stage.event(Event::Recapture(kind.fields()[1]));
    }
    if state == CaptureState::Invalid {
        stage.event(Event::TonesUnclear);
    }
    assert_eq!(stage.state(), state);
    stage
}

fn outcome_of(state: CaptureState) -> Outcome {
    match state {
        CaptureState::Approved => Outcome::Approved,
        CaptureState::Declined => Outcome::Declined,
        CaptureState::Review => Outcome::Review,
        CaptureState::Error => Outcome::Error,
        _ => Outcome::Unknown,
    }
}

#[test]
fn the_table_has_every_event_once_and_every_state_in_each_row() {
    let classes: std::collections::HashSet<_> = TABLE.iter().map(|(class, _)| class).collect();
    assert_eq!(classes.len(), TABLE.len());
    let states: std::collections::HashSet<_> = COLUMNS.iter().collect();
    assert_eq!(states.len(), COLUMNS.len());
    for (class, letters) in TABLE {
        let cells: Vec<_> = letters.bytes().filter(|byte| *byte != b' ').collect();
        assert_eq!(cells.len(), COLUMNS.len(), "{class:?}");
        assert!(cells.iter().all(|cell| b"a.x".contains(cell)), "{class:?}");
    }
    let sampled: std::collections::HashSet<_> = samples().iter().map(EventClass::from).collect();
    assert_eq!(sampled.len(), TABLE.len(), "the samples cover the table");
}

#[test]
fn what_the_table_does_not_allow_changes_nothing() {
    let mut cells = 0;
    for kind in WidgetKind::ALL {
        for state in COLUMNS {
            for event in samples() {
                let Some(mut stage) = in_state(kind, state) else {
                    continue;
                };
                let class = EventClass::from(&event);
                if ruling(state, class) == Ruling::Allowed {
                    continue;
                }
                cells += 1;
                let (view, digits) = (stage.view(), stage.kept_in_all());
                let effects = stage.event(event);
                assert!(effects.is_empty(), "{kind:?} {state:?} {class:?}");
                assert_eq!(stage.view(), view, "{kind:?} {state:?} {class:?}");
                assert_eq!(stage.kept_in_all(), digits);
            }
        }
    }
    assert!(cells > 800, "{cells}");
}

#[test]
fn every_allowed_cell_is_taken_up_by_some_session_or_is_not_reachable() {
    for (class, _) in TABLE {
        for state in COLUMNS {
            if ruling(state, class) != Ruling::Allowed {
                continue;
            }
            let taken = WidgetKind::ALL.into_iter().any(|kind| {
                samples()
                    .iter()
                    .filter(|event| EventClass::from(*event) == class)
                    .filter_map(|event| in_state(kind, state).map(|stage| (event, stage)))
                    .any(|(event, mut stage)| {
                        if class == EventClass::KeepOpen {
                            stage.wait(541);
                        }
                        if class == EventClass::Close && state == CaptureState::Done {
                            stage.event(Event::ConfirmGone);
                        }
                        if class == EventClass::Done {
                            stage = with_one_obtained(kind, state);
                        }
                        if class == EventClass::ConfirmGone && state != CaptureState::Done {
                            stage = in_state(kind, CaptureState::Ready).unwrap();
                            stage.event(Event::CallEnded);
                        }
                        stage.session.ruling(stage.now, event) == Ruling::Allowed
                    })
            });
            assert!(taken, "{state:?} {class:?}");
        }
    }
}

#[test]
fn no_final_state_keeps_a_digit() {
    for kind in WidgetKind::ALL {
        for state in COLUMNS {
            let Some(stage) = in_state(kind, state) else {
                continue;
            };
            let keeps = matches!(
                state,
                CaptureState::Collecting
                    | CaptureState::Ready
                    | CaptureState::Frozen
                    | CaptureState::Processing
                    | CaptureState::NotSent
            );
            assert_eq!(stage.kept_in_all() > 0, keeps, "{kind:?} {state:?}");
        }
    }
}
