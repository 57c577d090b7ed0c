//! Calls of services that are closed.

use std::time::Duration;

use domain::boundary::{EndCause, Telephony};
use sip::Event;

use crate::phone::description;
use crate::scene::Scene;

#[tokio::test]
async fn a_call_of_a_closed_service_is_told_when_it_opens() {
    let mut scene = Scene::new();
    let opens_in = Duration::from_millis(1_799_001);
    for (opens_in, told) in [(Some(opens_in), Some(1_800)), (None, None)] {
        let talk = scene.consumer_talk.local;
        let offer = description(talk).offer();
        scene.consumer.call("100", scene.server, Some(offer));
        let call = scene.incoming().await;
        scene.node.reject_closed(&call.id, opens_in).unwrap();
        let refused = scene.consumer.until("refusal", |event| match event {
            Event::Failed {
                status,
                retry_after,
                ..
            } => Some((status.code(), retry_after.map(|wait| wait.as_secs()))),
            _ => None,
        });
        assert_eq!(refused.await, (480, told));
        assert_eq!(scene.ended().await, EndCause::Local);
        scene.is_empty().await;
    }
}
