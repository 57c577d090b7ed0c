//! Calls that are recorded when their agent says so.

use domain::audit::AuditAction;
use domain::boundary::{CaptureAction, CaptureDesk};
use domain::capture::CaptureState;
use domain::control::CallControl;
use domain::id::SinkId;
use domain::service::{
    ProtectionScope, RecordWhen, RecorderDeclaration, Sink, SinkHearing, SinkMedium,
};
use domain::view::{ButtonDisabled, CallRecordingState, CallRecordingView, DeskError};
use domain::widget::WidgetOptions;

use super::house::House;

async fn house(when: RecordWhen) -> House {
    let house = House::new(WidgetOptions::default(), ProtectionScope::Capture).await;
    house.setup.service.lock().unwrap().call_recording.when = when;
    house.reload().await;
    house
}

impl House {
    /// What it entered of the agent's wishes, in order.
    fn asked(&self) -> Vec<bool> {
        let entries = self.books.entries.lock().unwrap();
        let asked = entries
            .iter()
            .filter(|entry| entry.action == AuditAction::RecordingAsked);
        asked
            .map(|entry| entry.detail["on"].as_bool().unwrap())
            .collect()
    }
}

const ON: CallRecordingView = CallRecordingView {
    state: CallRecordingState::On,
    on_demand: true,
};

#[tokio::test(start_paused = true)]
async fn an_agent_begins_and_ends_it_and_the_trail_says_who_did() {
    let house = house(RecordWhen::OnDemand).await;
    let phone = house.call().await;
    let record = async |on| house.control(&phone.id, CallControl::Record(on)).await;
    let off = record(false).await.unwrap().recording;
    assert_eq!((off.state, off.on_demand), (CallRecordingState::Off, true));
    for _ in 0..2 {
        assert_eq!(record(true).await.unwrap().recording, ON);
    }
    let ended = record(false).await.unwrap().recording;
    assert_eq!(ended.state, CallRecordingState::Off);
    assert_eq!(house.asked(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn what_records_a_call_does_not_change_under_an_open_capture() {
    let house = house(RecordWhen::OnDemand).await;
    let phone = house.call().await;
    let record = async |on| house.control(&phone.id, CallControl::Record(on)).await;
    for runs in [false, true] {
        record(runs).await.unwrap();
        let capture = house.open(&phone.id).await.unwrap().id;
        house.until(&capture, CaptureState::Armed).await;
        let refused = Err(DeskError::Disabled(ButtonDisabled::CaptureOpen));
        assert_eq!(record(!runs).await, refused);
        house.act(&capture, CaptureAction::Cancel).await.unwrap();
        house
            .until_call(&phone.id, |call| call.capture.is_none())
            .await;
    }
    assert_eq!(
        record(false).await.unwrap().recording.state,
        CallRecordingState::Off
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_records_all_calls_or_none_leaves_nothing_to_agents() {
    for when in [RecordWhen::Never, RecordWhen::Always] {
        let house = house(when).await;
        let phone = house.call().await;
        for on in [true, false] {
            let answer = house.control(&phone.id, CallControl::Record(on)).await;
            assert_eq!(answer, Err(DeskError::NotOnDemand));
        }
        assert_eq!(house.asked(), [false; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_others_record_or_may_record_is_never_said_to_be_unrecorded() {
    let elsewhere = Sink {
        id: SinkId::from_random(1),
        name: "PBX".to_owned(),
        medium: SinkMedium::Call,
        hears: SinkHearing::Masked,
        control: None,
    };
    for (sinks, state) in [
        (Some(vec![]), CallRecordingState::Off),
        (Some(vec![elsewhere]), CallRecordingState::Elsewhere),
        (None, CallRecordingState::Elsewhere),
    ] {
        let house = house(RecordWhen::Never).await;
        {
            let mut service = house.setup.service.lock().unwrap();
            let declared = service.recorders.take().unwrap();
            service.recorders = sinks.map(|sinks| RecorderDeclaration { sinks, ..declared });
        }
        house.reload().await;
        house.call().await;
        let calls = house.calls.calls(&house.actor).await.unwrap();
        assert_eq!(calls[0].recording.state, state);
    }
}

#[tokio::test(start_paused = true)]
async fn a_recorder_that_was_declared_when_a_call_came_in_is_paused_for_it_whatever_is_declared_since()
 {
    let session = Sink {
        id: SinkId::from_random(2),
        name: "Recorder".to_owned(),
        medium: SinkMedium::Call,
        hears: SinkHearing::Masked,
        control: Some("siprec".to_owned()),
    };
    let house = house(RecordWhen::Never).await;
    let declare = async |sinks: Vec<Sink>| {
        {
            let mut service = house.setup.service.lock().unwrap();
            service.recorders.as_mut().unwrap().sinks = sinks;
        }
        house.reload().await;
    };
    declare(vec![session.clone()]).await;
    let phone = house.call().await;
    let renamed = Sink {
        id: SinkId::from_random(3),
        ..session.clone()
    };
    for (declared, asked) in [(vec![renamed.clone()], renamed), (Vec::new(), session)] {
        declare(declared).await;
        let view = house.open_basic(&phone.id).await.unwrap();
        let paused: Vec<_> = view
            .protection
            .iter()
            .filter(|part| part.name == asked.name)
            .collect();
        assert_eq!(paused.len(), 1, "{:?}", view.protection);
        house.act(&view.id, CaptureAction::Cancel).await.unwrap();
        house
            .until_call(&phone.id, |call| call.capture.is_none())
            .await;
    }
}
